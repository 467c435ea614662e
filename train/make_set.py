# SPDX-License-Identifier: Apache-2.0
"""Makes the training set: degraded canvases with severities and teacher metrics.

`python3 make_set.py [--scenes N]` writes part files (canvases .npy, labels .json) to the work
folder. A scene is one crop of one photo: undegraded, then five degraded, two of those one ladder; after the --scenes
ordinary ones every photo has one of rare families (degrade.RARE), in a part file of its own. Finished parts are
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
RARE_SCENE = 1000       # its number, for the seed


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


def recipes(rng, rare):
    if rare:
        return [{}] + [degrade.rare_recipe(rng) for _ in range(PER_SCENE - 1)]
    ladder = degrade.random_recipe(rng)
    second = {k: float(np.clip(t + rng.choice([-1, 1]) * rng.uniform(0.2, 0.4), 0, 1)) for k, t in ladder.items()}
    return [{}, ladder, second] + [degrade.random_recipe(rng) for _ in range(PER_SCENE - 3)]


def judged(reference, u8, recipe):
    """Luma of both as the metrics see it. Full-reference metrics punish a plain loss of contrast far more than people
    do, so a hazy or flat picture is half stretched back to its original's mean and deviation first."""
    a, b = metrics.luma(reference), metrics.luma(u8)
    if "haze" in recipe or "contrast" in recipe:
        b = 0.5 * b + 0.5 * ((b - b.mean()) * (a.std() / max(float(b.std()), 1)) + a.mean())
    return a, b


def label(reference, u8, recipe):
    a, b = judged(reference, u8, recipe)
    return {"severity": degrade.severities(recipe), "recipe": recipe, "measured": metrics.measured(u8),
            "ms_ssim": metrics.ms_ssim(a, b), "gmsd": metrics.gmsd(a, b), "vifp": metrics.vifp(a, b),
            "chroma": metrics.chroma_shift(reference, u8)}


def save(path, labels):
    """Whole or not at all: a part is finished when its .json is there."""
    with open(path + ".tmp", "w") as f:
        json.dump(labels, f)
    os.replace(path + ".tmp", path + ".json")


def one_photo(job):
    index, name, scenes, rare = job
    path = os.path.join(PARTS, name[:-4] + ("-rare" if rare else ""))
    if os.path.exists(path + ".json"):
        return
    cv2.setNumThreads(1)
    im = Image.open(os.path.join(photos.OUT, name))
    canvases, labels = [], []
    for scene in [RARE_SCENE] if rare else range(scenes):
        rng = np.random.default_rng([C.SEED, index, scene])
        reference = cut(im, rng)
        for recipe in recipes(rng, rare):
            u8 = degrade.apply(reference, recipe, rng)
            canvases.append(u8)
            labels.append(dict(label(reference, u8, recipe), photo=index, scene=scene))
    np.save(path + ".npy", np.stack(canvases))
    save(path, labels)


def relabel(name):
    """Recomputes the hazy and flat labels of one finished part, after a change of `judged`."""
    cv2.setNumThreads(1)
    path = os.path.join(PARTS, name)
    canvases, labels = np.load(path + ".npy", mmap_mode="r"), json.load(open(path + ".json"))
    for i, x in enumerate(labels):
        if {"haze", "contrast"} & set(x["recipe"]):
            x.update(label(canvases[i - i % PER_SCENE], canvases[i], x["recipe"]))
    save(path, labels)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--scenes", type=int, default=4, help="scenes per photo")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--relabel", action="store_true", help="only recompute the hazy labels of what is there")
    args = ap.parse_args()
    os.makedirs(PARTS, exist_ok=True)
    names = sorted(os.listdir(photos.OUT))
    jobs = [(i, n, args.scenes, rare) for i, n in enumerate(names) for rare in (False, True)]
    with Pool(args.jobs) as pool:
        if args.relabel:
            pool.map(relabel, sorted(n[:-5] for n in os.listdir(PARTS) if n.endswith(".json")))
            return
        for done, _ in enumerate(pool.imap_unordered(one_photo, jobs)):
            if done % 50 == 0:
                print(done, "of", len(jobs), "parts", flush=True)


if __name__ == "__main__":
    main()
