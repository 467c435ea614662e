# SPDX-License-Identifier: Apache-2.0
"""The table that `qboost noise train` learns from: python3 table.py OUT > OUT/table.csv.

One row a picture of every scene's ladder, with the scene's converged picture as its reference. Paths are relative to
OUT, where the table belongs.
"""
import json
import os
import sys


def main(out):
    print('path,scene,samples,reference,reference_samples')
    for scene in sorted(os.listdir(out)):
        state = os.path.join(out, scene, scene + '.json')
        if not os.path.exists(state):
            continue
        with open(state, encoding='utf-8') as file:
            found = json.load(file)
        for samples in found['levels']:
            print(f'{scene}/{scene}_{samples:05d}.exr,{scene},{samples},{scene}/{scene}_reference.exr,'
                  f"{found['reference_samples']}")


if __name__ == '__main__':
    main(sys.argv[1])
