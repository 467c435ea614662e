# SPDX-License-Identifier: Apache-2.0
"""Half-float frames of one scene for examples/renders/: python3 example_frames.py OUT SCENE FOLDER.

Why: users and tests need a few renders with known sample counts, small enough to live in the repository. Takes the
pictures that average.py made in OUT; needs numpy and OpenEXR (PyPI).
"""
import os
import sys

import numpy as np
import OpenEXR

LEVELS = (8, 64, 512, 4096)
HALF_MAX = 65504.0
LARGEST = 150000  # bytes a frame


def main(out, scene, folder):
    """Writes the levels and the reference, each with its samples in its name."""
    os.makedirs(folder, exist_ok=True)
    for part in [f'{level:05d}' for level in LEVELS] + ['reference']:
        source = OpenEXR.File(os.path.join(out, scene, f'{scene}_{part}.exr')).channels()['RGB'].pixels
        path = os.path.join(folder, f'{scene}_{part}.exr')
        header = {'compression': OpenEXR.ZIP_COMPRESSION, 'type': OpenEXR.scanlineimage}
        pixels = np.ascontiguousarray(np.minimum(source, HALF_MAX).astype(np.float16))
        OpenEXR.File(header, {'RGB': pixels}).write(path)
        size = os.path.getsize(path)
        print(f'{path}: {size} bytes')
        if size > LARGEST:
            raise SystemExit(f'{path}: {size} bytes are more than {LARGEST}')


main(*sys.argv[1:])
