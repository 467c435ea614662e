# noise_pictures.py FILE WIDTH HEIGHT NOISE SEED [ODD]: a smooth picture with Gaussian noise in its right half, as
# PFM (linear light) or PPM by the name's ending. NOISE: standard deviation, of what a screen shows. ODD: replaces
# the first samples of a PFM by nan, inf and -1, separated by commas.
# SPDX-License-Identifier: Apache-2.0
import math, random, struct, sys

path, w, h, noise, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
odd = [float(x) for x in sys.argv[6].split(",")] if len(sys.argv) > 6 else []
r = random.Random(seed)


def shade(x, y, c):
    value = 0.45 + 0.2 * math.sin(3 * x / w + c) * math.cos(2 * y / h)
    return min(max(value + (r.gauss(0, noise) if x >= w / 2 else 0), 0), 1)


rows = [[shade(x, y, c) for x in range(w) for c in range(3)] for y in range(h)]
with open(path, "wb") as f:
    if path.endswith(".pfm"):
        light = [[v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in row] for row in rows]
        light[0][:len(odd)] = odd
        f.write(b"PF\n%d %d\n-1.0\n" % (w, h))
        for row in reversed(light):
            f.write(struct.pack("<%df" % len(row), *row))
    else:
        f.write(b"P6 %d %d 255\n" % (w, h) + bytes(int(v * 255 + 0.5) for row in rows for v in row))
