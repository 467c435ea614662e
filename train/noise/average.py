# SPDX-License-Identifier: Apache-2.0
"""Means of the passes: python3 average.py OUT SCENE... writes the ladder, the reference and half-buffers as float EXR.

Why: a mean of independent passes, weighted by their samples, is the picture that all their samples would have given.
OUT/SCENE gets SCENE_<samples>.exr for every sum of the ladder's first passes, SCENE_reference.exr from the passes of
its own, SCENE_<samples>_a.exr and _b.exr (the two halves of a power of two, from passes of equal sizes), and
SCENE.json, which says what is there. Files newer than their passes are left alone. Needs numpy and OpenEXR (PyPI).
"""
import glob
import json
import os
import re
import sys

import numpy as np
import OpenEXR

PASS_NAME = re.compile(r'(ladder|reference)_(\d\d)_(\d{4})\.exr$')


def read(path):
    """The picture of an EXR file as double, [height, width, 3]."""
    return OpenEXR.File(path).channels()['RGB'].pixels.astype(np.float64)


def write(path, picture, samples):
    """A float EXR, whole or not at all; its header says how many samples a pixel has."""
    header = {'compression': OpenEXR.ZIP_COMPRESSION, 'type': OpenEXR.scanlineimage, 'samples': int(samples)}
    channels = {'RGB': np.ascontiguousarray(picture.astype(np.float32))}
    OpenEXR.File(header, channels).write(path + '.part')
    os.replace(path + '.part', path)


def passes_of(folder, kind):
    """[(path, samples)] of a kind in their order, up to the first gap."""
    found = {}
    for path in glob.glob(os.path.join(folder, 'passes', kind + '_*.exr')):
        match = PASS_NAME.search(path)
        if match:
            found[int(match.group(2))] = (path, int(match.group(3)))
    return [found[i] for i in range(len(found)) if all(k in found for k in range(i + 1))]


class Means:
    """Writes weighted means of passes, reading each pass at most once and only when a picture is out of date."""

    def __init__(self):
        self.pictures = {}
        self.written = 0

    def picture(self, path):
        if path not in self.pictures:
            self.pictures[path] = read(path)
        return self.pictures[path]

    def write(self, path, passes):
        newest = max(os.path.getmtime(p) for p, _ in passes)
        if os.path.exists(path) and os.path.getmtime(path) >= newest:
            return
        total = sum(samples for _, samples in passes)
        mean = sum(self.picture(p) * (samples / total) for p, samples in passes)
        write(path, mean, total)
        self.written += 1


def average(out, scene):
    """All the pictures of one scene that its passes allow."""
    folder = os.path.join(out, scene)
    ladder, reference = passes_of(folder, 'ladder'), passes_of(folder, 'reference')
    means = Means()
    levels, halves = [], []
    for count in range(1, len(ladder) + 1):
        total = sum(samples for _, samples in ladder[:count])
        means.write(os.path.join(folder, f'{scene}_{total:05d}.exr'), ladder[:count])
        levels.append(total)
        first, second = ladder[:count:2], ladder[1:count:2]
        if count > 1 and [s for _, s in first] == [s for _, s in second]:
            means.write(os.path.join(folder, f'{scene}_{total:05d}_a.exr'), first)
            means.write(os.path.join(folder, f'{scene}_{total:05d}_b.exr'), second)
            halves.append(total)
    if reference:
        means.write(os.path.join(folder, f'{scene}_reference.exr'), reference)
    with open(os.path.join(folder, scene + '.json.part'), 'w', encoding='utf-8') as file:
        json.dump({'scene': scene, 'levels': levels, 'halves': halves,
                   'reference_samples': sum(samples for _, samples in reference)}, file)
        file.write('\n')
    os.replace(os.path.join(folder, scene + '.json.part'), os.path.join(folder, scene + '.json'))
    print(f'{scene}: {len(levels)} levels, {len(halves)} in halves, {means.written} files written')


if __name__ == '__main__':
    for name in sys.argv[2:]:
        average(sys.argv[1], name)
