# SPDX-License-Identifier: Apache-2.0
"""The made canvases and their labels as arrays, and the teacher's pseudo-score."""
import glob
import json
import os

import numpy as np

import config as C
from make_set import HOLD_OUT, PARTS

CHROMA_FREE, CHROMA_SCALE = 4.0, 40.0    # CIELAB units: shifts below the first do not count


def parts():
    return sorted(glob.glob(os.path.join(PARTS, "*.json")))


def labels():
    """All labels in part order, each with `part` and `row`."""
    out = []
    for part, path in enumerate(parts()):
        for row, x in enumerate(json.load(open(path))):
            out.append(dict(x, part=part, row=row))
    return out


def canvases(part):
    return np.load(parts()[part][:-5] + ".npy", mmap_mode="r")


def ranks(x):
    """Rank of every value among all, 0..1."""
    order = np.argsort(np.argsort(x, kind="stable"), kind="stable")
    return order / max(1, len(x) - 1)


def pseudo_scores(rows):
    """Mean rank of the three metrics among the degraded, squared, less for a colour shift; undegraded = 1."""
    degraded = np.array([bool(r["recipe"]) for r in rows])
    column = lambda k: np.array([r[k] for r in rows])[degraded]
    rank = {"ms_ssim": ranks(column("ms_ssim")), "gmsd": ranks(-column("gmsd")), "vifp": ranks(column("vifp"))}
    mean = (rank["ms_ssim"] + rank["gmsd"] + rank["vifp"]) / 3
    mean = ranks(mean) * 0.5 + mean * 0.5       # mean ranks crowd around one half; spread them again
    shift = np.maximum(column("chroma") - CHROMA_FREE, 0) / CHROMA_SCALE
    quality = np.ones(len(rows))
    quality[degraded] = (mean * np.exp(-shift)) ** 2
    teachers = {}
    for k, v in rank.items():
        teachers[k] = np.ones(len(rows))
        teachers[k][degraded] = v
    return quality, teachers


def targets(rows):
    """[n, n_attr] array in the order of ATTRIBUTES."""
    quality, teachers = pseudo_scores(rows)
    out = np.zeros((len(rows), len(C.ATTRIBUTES)), np.float32)
    for j, name in enumerate(C.ATTRIBUTES):
        if name == "quality":
            out[:, j] = quality
        elif name == "pristine":
            out[:, j] = [not r["recipe"] for r in rows]
        elif name in teachers:
            out[:, j] = teachers[name]
        elif name in rows[0]["measured"]:
            out[:, j] = [r["measured"][name] for r in rows]
        else:
            out[:, j] = [r["severity"].get(name, 0) for r in rows]
    return out


def held_out(rows):
    return np.array([r["photo"] % HOLD_OUT == 0 for r in rows])
