# SPDX-License-Identifier: Apache-2.0
"""Collects the undegraded photos: scaled copies of every source in the work folder, with a list of origins.

`python3 photos.py --photos FOLDER[=LICENCE] ...`: a folder may hold photos.csv (file, ..., source, licence), else
LICENCE stands for all of it. A file that photos.csv calls not usable, or a duplicate by content, is left out.
"""
import argparse
import csv
import os

import numpy as np
from PIL import Image

import config as C
from view import decode_managed

OUT = os.path.join(C.WORK, "photos")
LIST = os.path.join(C.WORK, "photos.csv")
SHORT = 720          # keep no more pixels than the largest canvas scale needs
MIN_SHORT = 288


def listed(spec):
    """Yields (path, source, licence) of one --photos argument."""
    folder, _, licence = spec.partition("=")
    table = os.path.join(folder, "photos.csv")
    if os.path.exists(table):
        for row in csv.DictReader(open(table)):
            yield os.path.join(folder, row["file"]), row["source"], row["licence"]
        return
    for base, _, files in sorted(os.walk(folder)):
        for f in sorted(files):
            if f.lower().endswith((".jpg", ".jpeg", ".png", ".webp")):
                yield os.path.join(base, f), os.path.basename(folder.rstrip("/")), licence


def thumbprint(im):
    """16x16 grey signature, mean removed: equal photos at any size have nearly equal ones."""
    t = np.asarray(im.convert("L").resize((16, 16), Image.BOX), np.float32).flatten()
    t -= t.mean()
    return t / (np.linalg.norm(t) + 1e-6)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photos", nargs="+", required=True)
    args = ap.parse_args()
    os.makedirs(OUT, exist_ok=True)
    rows, prints = [], []
    for spec in args.photos:
        for path, source, licence in listed(spec):
            im = decode_managed(path)
            if min(im.size) < MIN_SHORT:
                continue
            mark = thumbprint(im)
            if prints and max(np.stack(prints) @ mark) > 0.97:
                continue
            prints.append(mark)
            scale = min(1, SHORT / min(im.size))
            if scale < 1:
                im = im.resize((round(im.width * scale), round(im.height * scale)), Image.LANCZOS)
            name = "%05d.png" % len(rows)
            im.save(os.path.join(OUT, name), compress_level=1)
            rows.append((name, source, licence, os.path.basename(path)))
    with open(LIST, "w", newline="") as f:
        csv.writer(f).writerows([("file", "source", "licence", "name")] + rows)
    print(len(rows), "photos")


if __name__ == "__main__":
    main()
