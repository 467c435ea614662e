# SPDX-License-Identifier: Apache-2.0
"""Tower statistics of every canvas, cached: features.npy in the work folder, one row a label.

`python3 features.py`: resumable, one file a photo until all are there. With a fine-tuned tower.pt present the
statistics are that tower's.
"""
import os

from multiprocessing import Pool

import numpy as np
import torch

import checkpoint
import config as C
import dataset
from tower import normalise

CACHE = os.path.join(C.WORK, "features.npy")
JOBS = 2
DIR = os.path.join(C.WORK, "features")


@torch.no_grad()
def of_canvases(tower, u8, batch=4):
    out = [tower(normalise(np.array(u8[i:i + batch]))) for i in range(0, len(u8), batch)]
    return torch.cat(out).numpy()


def file_of(part):
    stamp = "tuned" if os.path.exists(checkpoint.TOWER) else "published"
    return os.path.join(DIR, stamp + "-" + os.path.basename(dataset.parts()[part])[:-5] + ".npy")


def share(job):
    """Every count-th part from `first` on, in one process of one thread: faster than two threads in one process."""
    first, count = job
    torch.set_num_threads(1)
    tower = checkpoint.load_tower()
    for part in range(first, len(dataset.parts()), count):
        if not os.path.exists(file_of(part)):
            np.save(file_of(part), of_canvases(tower, dataset.canvases(part)))
        if part % 50 == 0:
            print(part, "of", len(dataset.parts()), flush=True)


def main():
    os.makedirs(DIR, exist_ok=True)
    with Pool(JOBS) as pool:
        pool.map(share, [(i, JOBS) for i in range(JOBS)])
    rows = np.concatenate([np.load(file_of(p)) for p in range(len(dataset.parts()))])
    np.save(CACHE, rows)
    print(rows.shape)


if __name__ == "__main__":
    main()
