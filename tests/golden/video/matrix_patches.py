#!/usr/bin/env python3
"""Raw frames of eight flat patches, four by two, in the codes of a video standard: plane by plane,
little-endian above 8 bits. RECIPE.md has the calls.

  matrix_patches.py MATRIX RANGE BITS SUBSAMPLING PATCH_SIZE FRAMES

MATRIX: 601 709 2020 gray rgb (planes G, B, R); RANGE: limited full; SUBSAMPLING: 420 422 444."""
# SPDX-License-Identifier: Apache-2.0
import sys

# R'G'B' as signals, 0..1; the list is in tests/unit/video/test_video_colour.c as well.
PATCHES = [(1, 1, 1), (0.5, 0.5, 0.5), (1, 0, 0), (0, 1, 0),
           (0, 0, 1), (0, 0, 0), (0.75, 0.58, 0.25), (0.2, 0.4, 0.6)]
LUMA = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}


def codes(rgb, matrix, is_full, bits):
    r, g, b = rgb
    top, unit = (1 << bits) - 1, 1 << (bits - 8)
    if matrix == "rgb":
        return [round(v * top) for v in (g, b, r)]
    kr, kb = LUMA.get(matrix, LUMA["601"])
    y = kr * r + (1 - kr - kb) * g + kb * b
    chroma = [(b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)]
    if is_full:
        out = [round(y * top)] + [min(top, round(c * top + 128 * unit)) for c in chroma]
    else:
        out = [round((16 + 219 * y) * unit)] + [round((128 + 224 * c) * unit) for c in chroma]
    return out[:1] if matrix == "gray" else out


def main():
    matrix, full_or_limited, bits, subsampling, size, n_frames = sys.argv[1:]
    bits, size = int(bits), int(size)
    patches = [codes(p, matrix, full_or_limited == "full", bits) for p in PATCHES]
    frame = bytearray()
    for plane in range(len(patches[0])):
        is_chroma = plane > 0 and matrix != "rgb"
        width = size // 2 if is_chroma and subsampling != "444" else size
        height = size // 2 if is_chroma and subsampling == "420" else size
        for row in (patches[:4], patches[4:]):
            line = b"".join(p[plane].to_bytes(1 if bits == 8 else 2, "little") * width for p in row)
            frame += line * height
    for _ in range(int(n_frames)):
        sys.stdout.buffer.write(frame)


main()
