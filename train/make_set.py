"""Makes the training set: degraded canvases with severities and teacher metrics.

`python3 make_set.py [--scenes N]` writes canvases.u8 (all of them CANVAS x CANVAS) and labels.json to the work
folder. A scene is one crop of one photo: undegraded, then five degraded, two of those one ladder. Finished photos are
skipped on a second run. Photo p is held out when p % HOLD_OUT == 0.
"""
import argparse
import json
import os
from multiprocessing import Pool

import cv2
import numpy as np
from PIL import Image

import config as C
import degrade
import metrics
import photos

CANVAS = 352
PARTS = os.path.join(C.WORK, "parts")
HOLD_OUT = 7
PER_SCENE = 6


def cut(im, rng):
    """A crop of CANVAS from the photo at a random scale; photos too small for it are enlarged a little."""
    short = min(im.size)
    target = max(CANVAS, min(short, int(rng.uniform(CANVAS, 640))))
    scale = target / short
    im = im.resize((max(CANVAS, round(im.width * scale)), max(CANVAS, round(im.height * scale))), Image.BICUBIC)
    x = int(rng.integers(0, im.width - CANVAS + 1))
    y = int(rng.integers(0, im.height - CANVAS + 1))
    u8 = np.asarray(im)[y:y + CANVAS, x:x + CANVAS]
    return np.ascontiguousarray(u8[:, ::-1] if rng.random() < 0.5 else u8)


def recipes(rng):
    ladder = degrade.random_recipe(rng)
    second = {k: float(np.clip(t + rng.choice([-1, 1]) * rng.uniform(0.2, 0.4), 0, 1)) for k, t in ladder.items()}
    return [{}, ladder, second] + [degrade.random_recipe(rng) for _ in range(PER_SCENE - 3)]


def label(reference, u8, recipe):
    a, b = metrics.luma(reference), metrics.luma(u8)
    return {"severity": degrade.severities(recipe), "recipe": recipe, "measured": metrics.measured(u8),
            "ms_ssim": metrics.ms_ssim(a, b), "gmsd": metrics.gmsd(a, b), "vifp": metrics.vifp(a, b),
            "chroma": metrics.chroma_shift(reference, u8)}


def one_photo(job):
    index, name, scenes = job
    path = os.path.join(PARTS, name[:-4])
    if os.path.exists(path + ".json"):
        return
    cv2.setNumThreads(1)
    im = Image.open(os.path.join(photos.OUT, name))
    canvases, labels = [], []
    for scene in range(scenes):
        rng = np.random.default_rng([C.SEED, index, scene])
        reference = cut(im, rng)
        for recipe in recipes(rng):
            u8 = degrade.apply(reference, recipe, rng)
            canvases.append(u8)
            labels.append(dict(label(reference, u8, recipe), photo=index, scene=scene))
    np.save(path + ".npy", np.stack(canvases))
    with open(path + ".json", "w") as f:
        json.dump(labels, f)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--scenes", type=int, default=4, help="scenes per photo")
    ap.add_argument("--jobs", type=int, default=2)
    args = ap.parse_args()
    os.makedirs(PARTS, exist_ok=True)
    names = sorted(os.listdir(photos.OUT))
    jobs = [(i, n, args.scenes) for i, n in enumerate(names)]
    np.random.default_rng(C.SEED).shuffle(jobs)
    with Pool(args.jobs) as pool:
        for done, _ in enumerate(pool.imap_unordered(one_photo, [(int(i), str(n), int(s)) for i, n, s in jobs])):
            if done % 50 == 0:
                print(done, "of", len(jobs), "photos", flush=True)


if __name__ == "__main__":
    main()
