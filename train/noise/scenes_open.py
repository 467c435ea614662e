# SPDX-License-Identifier: Apache-2.0
"""Scenes under the open sky: foliage, a sunny yard, a street at night.

Each function builds one scene in an empty Blender file. Fine geometry and hard sun in the first two, small lamps and
much darkness in the last.
"""
import math

from kit import (ball, box, camera, cone, copies, glow, grid, lathe, mesh, paint, rod, sky, start, textured,
                 world_colour)


def leaf(length, material):
    """A bent pointed leaf of four faces along +y."""
    w = length * 0.22
    points = [(0, 0, 0), (-w, 0.4 * length, 0.05 * length), (w, 0.4 * length, 0.05 * length), (0, 0.45 * length, 0),
              (0, length, -0.15 * length)]
    return mesh(points, [(0, 3, 1), (0, 2, 3), (1, 3, 4), (3, 2, 4)], material)


def blade(height, material):
    """A blade of grass along +z."""
    w = 0.02 * height
    points = [(-w, 0, 0), (w, 0, 0), (-w * 0.7, 0.1 * height, 0.6 * height), (w * 0.7, 0.1 * height, 0.6 * height),
              (0, 0.35 * height, height)]
    return mesh(points, [(0, 1, 3, 2), (2, 3, 4)], material)


def foliage():
    """Bushes, grass and a tree trunk in low sun: leaves by the thousand, light through them."""
    rng = start(bounces=6, exposure=-0.1)
    sky(32, 235, strength=0.12)

    def ground(x, y):
        return 0.06 * math.sin(1.7 * x) * math.cos(1.3 * y)
    grid(14, 40, ground, textured('noise', (0.05, 0.035, 0.02), (0.12, 0.09, 0.04), scale=5, rough=1), at=(0, 4, 0))
    for colour, count in (((0.09, 0.2, 0.03), 1500), ((0.2, 0.25, 0.05), 900)):
        places = []
        for _ in range(count):
            x, y = rng.uniform(-3, 3), rng.uniform(-1.6, 4)
            places.append(((x, y, ground(x, y - 4)), (rng.uniform(-25, 25), 0, rng.uniform(0, 360)), rng.uniform(0.6, 1.6)))
        copies(blade(0.3, paint(colour, 0.5, Transmission=0.0)), places)
    for (cx, cy, cz), radius, colour, count in (((-1.3, 2.2, 0.8), 0.8, (0.05, 0.2, 0.03), 1100),
                                                ((1.5, 2.8, 1.0), 0.95, (0.13, 0.22, 0.04), 1100),
                                                ((0.3, 5.5, 2.6), 1.9, (0.08, 0.17, 0.04), 1500),
                                                ((0.75, 0.6, 0.3), 0.35, (0.25, 0.1, 0.03), 350)):
        places = []
        for _ in range(count):
            up, around = rng.uniform(-1, 1), rng.uniform(0, 2 * math.pi)
            far = radius * rng.uniform(0.55, 1.0)
            flat = math.sqrt(1 - up * up) * far
            places.append(((cx + flat * math.cos(around), cy + flat * math.sin(around), cz + far * up),
                           (rng.uniform(-60, 60), rng.uniform(-60, 60), rng.uniform(0, 360)), rng.uniform(0.7, 1.3)))
        copies(leaf(0.2 * max(0.6, radius), paint(colour, 0.35)), places)
    bark = textured('voronoi', (0.06, 0.04, 0.025), (0.2, 0.14, 0.09), scale=9, rough=1, bump=1.0)
    cone(0.3, 3.4, (0.3, 5.5, 1.4), bark, top=0.16)
    for x, y, size in ((-0.4, 0.3, 0.28), (-0.75, 0.6, 0.18), (1.9, 0.9, 0.3)):
        stone = ball(size, (x, y, size * 0.4), textured('noise', (0.25, 0.25, 0.24), (0.45, 0.43, 0.4), scale=6, rough=0.9, bump=0.8))
        stone.scale = (1.2, 0.9, 0.7)
    for k in range(7):
        lathe([(0.015, 0), (0.012, 0.12), (0.09, 0.13), (0.07, 0.17), (0.01, 0.2)],
              (-0.2 + 0.16 * (k % 4) - 0.1 * (k // 4), -0.7 + 0.2 * (k // 4), 0), paint((0.6, 0.1, 0.05), 0.4))
    camera((0.1, -2.9, 0.95), (0.1, 2, 0.85), lens=30)


def sunny_yard():
    """A house, a fence, tiles, a pool and pots in full sun under a clear sky."""
    rng = start(bounces=5, exposure=-1.7)
    sky(48, 215, strength=0.12)
    box((14, 14, 0.1), (0, 3, -0.05), textured('brick', (0.45, 0.4, 0.34), (0.36, 0.3, 0.26), scale=1.2, rough=0.8))
    plaster = textured('noise', (0.62, 0.52, 0.38), (0.7, 0.6, 0.46), scale=6, rough=0.95, bump=0.4)
    box((3.4, 3, 2.2), (-1.7, 4, 1.1), plaster)
    roof = textured('stripes', (0.4, 0.12, 0.07), (0.25, 0.08, 0.05), scale=4, rough=0.8, bump=0.6)
    mesh([(-3.7, 2.2, 2.1), (0.3, 2.2, 2.1), (-3.7, 5.8, 2.1), (0.3, 5.8, 2.1), (-3.7, 4, 3.4), (0.3, 4, 3.4)],
         [(0, 1, 5, 4), (2, 4, 5, 3), (0, 4, 2), (1, 3, 5)], roof)
    for x in (-2.5, -0.8):
        box((0.75, 0.1, 0.9), (x, 2.5, 1.25), paint((0.85, 0.85, 0.82), 0.4), bevel=0.02)
        box((0.62, 0.1, 0.77), (x, 2.47, 1.25), paint((0.03, 0.05, 0.06), 0.03))
    box((0.6, 0.1, 1.5), (-1.65, 2.48, 0.75), textured('wood', (0.1, 0.2, 0.2), (0.15, 0.3, 0.28), scale=6, rough=0.4))
    for k in range(15):
        box((0.14, 0.03, 1.05), (0.35 + 0.2 * k, 4.2, 0.55), paint((0.75, 0.73, 0.68), 0.7), bevel=0.01)
    for z in (0.3, 0.8):
        box((3.2, 0.04, 0.08), (1.8, 4.25, z), paint((0.75, 0.73, 0.68), 0.7))
    box((1.9, 1.5, 0.12), (1.25, 1.5, 0.06), paint((0.6, 0.6, 0.58), 0.7), bevel=0.02)
    box((1.7, 1.3, 0.02), (1.25, 1.5, 0.125), textured('noise', (0.05, 0.25, 0.3), (0.06, 0.3, 0.36), scale=4, rough=0.03, bump=0.3))
    for x, y, s in ((-0.3, 0.6, 1.0), (-0.75, 1.1, 1.3), (2.2, 0.2, 0.9)):
        lathe([(0.01, 0), (0.13 * s, 0.01), (0.2 * s, 0.3 * s), (0.18 * s, 0.32 * s), (0.15 * s, 0.25 * s)], (x, y, 0),
              paint((0.5, 0.2, 0.1), 0.8))
        places = [((x, y, 0.26 * s), (rng.uniform(10, 85), 0, rng.uniform(0, 360)), rng.uniform(0.7, 1.4)) for _ in range(45)]
        copies(leaf(0.32 * s, paint((0.08, 0.25, 0.06), 0.4)), places)
    box((0.9, 0.35, 0.05), (-1.6, 1.4, 0.4), textured('wood', (0.4, 0.25, 0.12), (0.6, 0.4, 0.2), scale=8), bevel=0.01)
    for x in (-1.95, -1.25):
        box((0.06, 0.3, 0.4), (x, 1.4, 0.2), paint((0.1, 0.1, 0.1), 0.4))
    rod(0.04, 2.2, (2.1, 2.6, 1.1), paint((0.8, 0.8, 0.8), 0.3, metal=1))
    cone(0.9, 0.4, (2.1, 2.6, 2.2), textured('stripes', (0.8, 0.75, 0.6), (0.7, 0.2, 0.12), scale=3, rough=0.9))
    camera((0.4, -2.9, 1.5), (0.1, 2.2, 1.0), lens=28)


def night_street():
    """A wet street at night: lit windows, lamp posts, a shop's sign, a parked car; large dark parts."""
    rng = start(bounces=4, exposure=1.5)
    world_colour((0.05, 0.08, 0.2), 0.06)
    box((4.4, 30, 0.1), (0, 10, -0.05), textured('noise', (0.03, 0.03, 0.035), (0.08, 0.08, 0.08), scale=3, rough=0.16))
    for side in (-1, 1):
        box((1.6, 30, 0.2), (side * 3.0, 10, 0.0), textured('brick', (0.2, 0.2, 0.19), (0.14, 0.14, 0.14), scale=2, rough=0.5))
        for k in range(5):
            y, height = 1.0 + 4.1 * k, rng.uniform(4, 7)
            wall = textured('brick', [rng.uniform(0.12, 0.4) for _ in range(3)], (0.12, 0.1, 0.09), scale=2, rough=0.9,
                            turn=(0, 90, 0))
            box((1, 4, height), (side * 4.3, y, height / 2), wall)
            for row in range(1, int(height / 1.3)):
                for col in range(3):
                    lit = rng.random() < 0.4
                    pane = glow((1, rng.uniform(0.6, 0.8), 0.4), rng.uniform(0.8, 3)) if lit else paint((0.02, 0.03, 0.04), 0.05)
                    box((0.06, 0.7, 0.8), (side * 3.79, y - 1.2 + 1.2 * col, 0.35 + 1.3 * row), pane)
        for k in range(3):
            y = 2.6 + 5.5 * k + side
            rod(0.05, 3, (side * 2.35, y, 1.5), paint((0.1, 0.1, 0.1), 0.4, metal=1))
            box((0.6, 0.08, 0.06), (side * 2.1, y, 3.0), paint((0.1, 0.1, 0.1), 0.4, metal=1))
            ball(0.09, (side * 1.85, y, 2.9), glow((1, 0.65, 0.3), 60))
    box((0.08, 1.6, 0.35), (-3.6, 3.0, 2.2), glow((0.9, 0.1, 0.3), 6))
    box((0.08, 1.2, 0.25), (3.6, 4.8, 2.0), glow((0.1, 0.5, 1), 7))
    body = paint((0.35, 0.05, 0.04), 0.15, Clearcoat=1.0)
    box((0.85, 2.0, 0.4), (1.45, 3.4, 0.42), body, bevel=0.1)
    box((0.75, 1.1, 0.4), (1.45, 3.5, 0.75), paint((0.02, 0.03, 0.03), 0.05), bevel=0.12)
    for x in (1.08, 1.82):
        for y in (2.75, 4.1):
            rod(0.2, 0.12, (x, y, 0.2), paint((0.02, 0.02, 0.02), 0.7), turn=(0, 90, 0), bevel=0.02)
        box((0.14, 0.04, 0.08), (x, 2.39, 0.5), glow((1, 0.08, 0.04), 8))
    box((10, 0.2, 8), (0, 24, 3), paint((0.05, 0.05, 0.07), 0.9))
    camera((-0.4, -2.6, 1.5), (0.25, 6, 1.55), lens=27)


SCENES = {f.__name__: f for f in (foliage, sunny_yard, night_street)}
