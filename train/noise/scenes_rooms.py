# SPDX-License-Identifier: Apache-2.0
"""Interior scenes: light through a window, a coloured box, small lamps, textures, fog, a dark corridor, many lights.

Each function builds one scene in an empty Blender file. The walls are closed where light must bounce: these are the
scenes whose noise lasts.
"""
import math

from kit import (ball, box, camera, fog, glow, head, lathe, light, paint, ring, rod, room, sky, start, textured,
                 world_colour)

OAK = ((0.25, 0.12, 0.05), (0.45, 0.26, 0.12))


def chair(at, turn, wood, cloth):
    """A plain chair about at, facing turn degrees from +y."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))

    def place(x, y, z):
        return (at[0] + c * x - s * y, at[1] + s * x + c * y, at[2] + z)
    for x in (-0.2, 0.2):
        for y in (-0.2, 0.2):
            rod(0.025, 0.45, place(x, y, 0.225), wood)
    box((0.48, 0.48, 0.07), place(0, 0, 0.47), cloth, turn=(0, 0, turn), bevel=0.02)
    box((0.48, 0.05, 0.5), place(0, -0.22, 0.78), wood, turn=(0, 0, turn), bevel=0.02)


def window_room():
    """A living room lit by the sun and the sky through one window."""
    start(bounces=6, exposure=0.2)
    sky(30, 62, strength=0.2, sun_size=2)
    portal = light('AREA', (2.62, 0.6, 1.4), 1, target=(0, 0.6, 1.4), size=2.0)
    portal.data.cycles.is_portal = True
    room((5, 5, 2.7), textured('wood', *OAK, scale=3, rough=0.3, turn=(0, 90, 0)), paint((0.75, 0.7, 0.62), 0.9),
         paint((0.8, 0.8, 0.8), 0.9), window=(0.6, 1.4, 2.0, 1.5))
    box((5.2, 0.1, 2.9), (0, -2.55, 1.35), paint((0.6, 0.55, 0.5), 0.9))
    for y in (-0.4, 0.6, 1.6):
        box((0.06, 0.05, 1.5), (2.53, y, 1.4), paint((0.9, 0.9, 0.9), 0.4))
    sofa = textured('noise', (0.08, 0.12, 0.25), (0.12, 0.2, 0.4), scale=30, rough=0.9, Sheen=1.0)
    box((2.0, 0.8, 0.4), (-1.3, 2.0, 0.25), sofa, bevel=0.08)
    box((2.0, 0.25, 0.6), (-1.3, 2.35, 0.65), sofa, bevel=0.08)
    for x in (-2.25, -0.35):
        box((0.22, 0.8, 0.6), (x, 2.0, 0.35), sofa, bevel=0.08)
    for x, colour in ((-1.9, (0.7, 0.3, 0.05)), (-0.8, (0.6, 0.55, 0.4))):
        box((0.45, 0.15, 0.4), (x, 2.1, 0.68), paint(colour, 0.9), turn=(-15, 8, 0), bevel=0.06)
    wood = textured('wood', *OAK, scale=6, rough=0.25)
    rod(0.5, 0.04, (-0.4, 0.7, 0.42), wood, bevel=0.01)
    rod(0.05, 0.4, (-0.4, 0.7, 0.2), wood)
    lathe([(0.01, 0), (0.09, 0.01), (0.12, 0.12), (0.05, 0.25), (0.07, 0.3)], (-0.5, 0.75, 0.44),
          paint((0.1, 0.35, 0.4), 0.08))
    box((0.3, 0.22, 0.04), (-0.15, 0.6, 0.46), paint((0.6, 0.08, 0.06), 0.6), turn=(0, 0, 25))
    box((2.4, 1.7, 0.02), (-0.8, 0.9, 0.01), textured('checker', (0.5, 0.1, 0.08), (0.65, 0.55, 0.4), scale=4, rough=1))
    box((1.1, 0.05, 0.8), (-1.3, 2.48, 1.75), paint((0.05, 0.04, 0.03), 0.3), bevel=0.01)
    box((1.0, 0.06, 0.7), (-1.3, 2.47, 1.75), textured('magic', (0.1, 0.3, 0.5), (0.8, 0.6, 0.2), scale=2))
    chair((1.3, 1.3, 0), 130, wood, paint((0.5, 0.5, 0.45), 0.9))
    camera((1.2, -2.3, 1.5), (-0.7, 1.6, 0.85), lens=24)


def coloured_box():
    """The Cornell box with more things in it: a mirror ball, a glass ball, a textured wall."""
    start(bounces=6, exposure=0.6)
    white = paint((0.72, 0.72, 0.70), 0.9)
    box((2, 2, 0.05), (0, 0, -0.025), textured('checker', (0.6, 0.6, 0.58), (0.3, 0.3, 0.3), scale=3, rough=0.6))
    box((2, 2, 0.05), (0, 0, 2.025), white)
    box((2, 0.05, 2), (0, 1.025, 1), textured('noise', (0.6, 0.58, 0.5), (0.75, 0.72, 0.7), scale=5, bump=0.4, rough=0.9))
    box((0.05, 2, 2), (-1.025, 0, 1), paint((0.6, 0.05, 0.04), 0.9))
    box((0.05, 2, 2), (1.025, 0, 1), paint((0.08, 0.42, 0.1), 0.9))
    box((0.6, 0.6, 1.15), (-0.4, 0.4, 0.575), white, turn=(0, 0, 20), bevel=0.02)
    box((0.55, 0.55, 0.5), (0.4, -0.2, 0.25), textured('voronoi', (0.1, 0.15, 0.5), (0.8, 0.8, 0.5), scale=8),
        turn=(0, 0, -17), bevel=0.02)
    ball(0.22, (0.4, -0.2, 0.72), paint((1, 1, 1), 0.0, glass=1.0))
    ball(0.24, (-0.35, -0.45, 0.24), paint((0.95, 0.9, 0.8), 0.05, metal=1.0))
    head(0.36, (-0.4, 0.35, 1.36), paint((0.7, 0.45, 0.2), 0.4), turn=(0, 0, 15))
    light('AREA', (0, 0, 1.98), 14, target=(0, 0, 0), size=0.5, colour=(1, 0.85, 0.65))
    camera((0, -4.1, 1), (0, 0, 0.98), lens=53)


def lamp(at, power, colour, height=0.45, shade=None):
    """A table lamp: foot, rod and a glowing paper globe, or, with a shade's colour, a small bulb in an open shade."""
    rod(0.09, 0.02, (at[0], at[1], at[2] + 0.01), paint((0.3, 0.2, 0.08), 0.6))
    rod(0.012, height - 0.12, (at[0], at[1], at[2] + height / 2 - 0.06), paint((0.3, 0.2, 0.08), 0.6))
    middle = (at[0], at[1], at[2] + height)
    if not shade:
        ball(0.12, middle, glow(colour, power))
        return
    lathe([(0.3, -0.12), (0.2, 0.2)], middle, paint(shade, 0.9))
    light('POINT', middle, power, colour=colour, size=0.06)


def lamps_room():
    """A bedroom in the evening, lit by two globes and one shaded lamp."""
    start(bounces=6, exposure=0.8)
    room((4.4, 4, 2.5), textured('wood', (0.12, 0.06, 0.03), (0.3, 0.17, 0.08), scale=4, rough=0.35),
         textured('stripes', (0.45, 0.5, 0.5), (0.6, 0.6, 0.5), scale=6, rough=0.9), paint((0.75, 0.72, 0.68), 0.9))
    quilt = textured('checker', (0.6, 0.55, 0.5), (0.35, 0.08, 0.12), scale=5, rough=0.95)
    box((1.8, 2.0, 0.35), (0, 1.0, 0.3), quilt, bevel=0.08)
    box((1.9, 0.1, 1.1), (0, 1.95, 0.55), textured('wood', *OAK, scale=5, rough=0.3), bevel=0.03)
    for x in (-0.45, 0.45):
        box((0.7, 0.4, 0.18), (x, 1.6, 0.56), paint((0.75, 0.75, 0.72), 0.95), turn=(20, 0, 0), bevel=0.08)
    for x, power in ((-1.4, 32), (1.4, 20)):
        box((0.5, 0.45, 0.5), (x, 1.7, 0.25), textured('wood', *OAK, scale=7, rough=0.25), bevel=0.02)
        lamp((x, 1.7, 0.5), power, (1, 0.7, 0.4))
    lamp((-1.9, -0.2, 0.0), 24, (1, 0.8, 0.55), height=1.5, shade=(0.8, 0.7, 0.55))
    box((0.9, 0.04, 0.6), (0, 1.98, 1.65), textured('magic', (0.5, 0.2, 0.1), (0.1, 0.3, 0.4), scale=3, rough=0.2))
    box((0.6, 0.4, 1.1), (1.85, 0.2, 0.55), textured('wood', (0.3, 0.2, 0.12), (0.5, 0.35, 0.2), scale=5), bevel=0.02)
    lathe([(0.01, 0), (0.08, 0.01), (0.11, 0.1), (0.03, 0.25), (0.06, 0.32)], (1.75, 0.15, 1.1),
          paint((0.6, 0.7, 0.7), 0.02, glass=0.9))
    box((2.4, 1.0, 0.03), (0, -0.6, 0.015), textured('voronoi', (0.5, 0.4, 0.3), (0.15, 0.1, 0.2), scale=9, rough=1))
    camera((0.5, -1.95, 1.5), (-0.1, 1.4, 0.75), lens=22)


def textured_room():
    """A store room full of strong patterns: brick, wood, checks, marble, cells; two soft lights."""
    rng = start(bounces=5, exposure=0.3)
    room((5, 4, 2.8), textured('checker', (0.7, 0.68, 0.6), (0.08, 0.08, 0.1), scale=2, rough=0.25),
         textured('brick', (0.45, 0.13, 0.08), (0.3, 0.1, 0.07), scale=4, rough=0.9, bump=0.5, turn=(90, 0, 0)),
         paint((0.7, 0.7, 0.7), 0.9))
    kinds = ['noise', 'wood', 'voronoi', 'magic', 'checker', 'stripes', 'brick']
    for k in range(14):
        size = rng.uniform(0.35, 0.75)
        first = [rng.uniform(0.03, 0.35) for _ in range(3)]
        second = [rng.uniform(0.3, 0.85) for _ in range(3)]
        material = textured(kinds[k % 7], first, second, scale=rng.uniform(6, 16), rough=rng.uniform(0.2, 0.9), bump=0.2)
        x, y = -2 + (k % 7) * 0.66, (1.5 if k < 7 else 0.5) + rng.uniform(-0.2, 0.2)
        box((size, size, size * 1.3), (x, y, size * 0.65), material, turn=(0, 0, rng.uniform(0, 90)), bevel=0.02)
        if k % 3 == 0:
            ball(0.2, (x, y, size * 1.3 + 0.2), textured(kinds[(k + 3) % 7], second, first, scale=9, rough=0.3))
    box((1.2, 0.05, 1.0), (1.3, 1.97, 2.0), textured('noise', (0.05, 0.1, 0.3), (0.9, 0.7, 0.3), scale=3))
    light('AREA', (-1.2, -0.5, 2.7), 45, target=(-0.6, 0.8, 0), size=0.8, colour=(1, 0.92, 0.8))
    light('AREA', (1.9, 0.2, 2.6), 12, target=(1.5, 1.2, 0), size=0.3, colour=(0.7, 0.85, 1))
    camera((0.2, -3.0, 1.55), (0, 1.0, 0.9), lens=27)


def foggy_hall():
    """Shafts of light through a row of columns in thin fog."""
    start(bounces=4, exposure=2.2)
    stone = textured('noise', (0.35, 0.33, 0.3), (0.5, 0.48, 0.44), scale=6, rough=0.9, bump=0.3)
    box((8, 12, 0.1), (0, 3, -0.05), textured('checker', (0.4, 0.38, 0.35), (0.2, 0.18, 0.17), scale=1, rough=0.3))
    box((8, 0.2, 5), (0, 7, 2.5), stone)
    box((0.2, 12, 5), (-3.4, 3, 2.5), stone)
    for y in (0.2, 2.0, 3.8, 5.6):
        for x in (-1.9, 1.9):
            rod(0.26, 3.4, (x, y, 1.9), stone)
            box((0.75, 0.75, 0.25), (x, y, 0.12), stone, bevel=0.03)
            box((0.75, 0.75, 0.2), (x, y, 3.6), stone, bevel=0.03)
    head(0.8, (0, 4.6, 1.35), paint((0.4, 0.3, 0.12), 0.35, metal=1), turn=(0, 0, 10))
    box((0.9, 0.9, 0.7), (0, 4.6, 0.35), stone, bevel=0.04)
    # The lamps hang outside of the fog: light next to them would be a source of endless fireflies.
    box((8.2, 16, 4.5), (-0.9, 3, 2.2), fog(0.09, forward=0.4))
    for y, power in ((1.1, 2200), (2.9, 2600), (4.7, 2600)):
        light('SPOT', (4.6, y - 0.2, 5.4), power, target=(-1.2, y + 0.6, 0), size=0.05, angle=22, colour=(1, 0.85, 0.6))
    world_colour((0.25, 0.35, 0.5), 0.05)
    camera((-0.9, -3.4, 1.5), (0.2, 3.5, 1.7), lens=30)


def dark_corridor():
    """A long corridor with one cold lamp at its end and a weak warm one near; most zones are dark."""
    start(bounces=8, exposure=2.0)
    wall = textured('noise', (0.45, 0.5, 0.45), (0.55, 0.58, 0.5), scale=4, rough=0.8)
    box((2.2, 14, 0.1), (0, 5, -0.05), textured('checker', (0.5, 0.5, 0.48), (0.25, 0.3, 0.28), scale=3, rough=0.15))
    box((2.2, 14, 0.1), (0, 5, 2.65), paint((0.6, 0.6, 0.58), 0.9))
    for x in (-1.15, 1.15):
        box((0.1, 14, 2.6), (x, 5, 1.3), wall)
        for y in (0.8, 3.4, 6.0, 8.6):
            box((0.08, 0.95, 2.1), (x * 0.955, y, 1.05), textured('wood', *OAK, scale=4, rough=0.3), bevel=0.02)
            ball(0.035, (x * 0.89, y - 0.35, 1.0), paint((0.8, 0.6, 0.3), 0.2, metal=1))
    box((2.4, 0.1, 2.7), (0, 12, 1.3), wall)
    box((2.4, 0.1, 2.7), (0, -2.1, 1.3), wall)
    box((1.0, 0.3, 0.03), (0, 9.5, 2.58), glow((0.75, 0.9, 1), 25))
    box((0.35, 0.06, 0.16), (0.6, 11.9, 2.2), glow((0.1, 1, 0.25), 4))
    light('POINT', (-0.9, 1.9, 2.3), 4, colour=(1, 0.6, 0.3), size=0.04)
    rod(0.16, 0.6, (0.75, 2.2, 0.3), paint((0.6, 0.62, 0.65), 0.25, metal=1), bevel=0.02)
    box((0.4, 0.7, 0.45), (-0.85, 4.9, 0.23), textured('voronoi', (0.3, 0.2, 0.1), (0.6, 0.5, 0.3), scale=9), bevel=0.02)
    camera((0.15, -1.9, 1.45), (0, 6, 1.15), lens=26)


def many_lights():
    """A hundred small coloured lamps strung over a table of figures in a dark hall."""
    rng = start(bounces=4, exposure=0.6)
    box((9, 9, 0.1), (0, 0, -0.05), textured('wood', (0.2, 0.1, 0.05), (0.4, 0.24, 0.12), scale=2, rough=0.2))
    box((9, 0.1, 5), (0, 3.2, 2.5), textured('brick', (0.5, 0.48, 0.45), (0.35, 0.3, 0.3), scale=3, rough=0.9, turn=(90, 0, 0)))
    bulbs = [glow([0.25 + 0.75 * rng.random() for _ in range(3)], 70) for _ in range(6)]
    for k in range(96):
        string, place = k % 6, (k // 6) / 15.0
        x, y = -2.6 + 5.2 * place, -0.6 + string * 0.7
        ball(0.028, (x, y, 2.0 + 0.15 * string - 0.45 * math.sin(math.pi * place)), bulbs[rng.randrange(6)])
    for k in range(9):
        x, y = -2 + (k % 5) * 1.0 + 0.3 * (k // 5), 0.2 + 1.2 * (k // 5)
        material = [paint((0.7, 0.65, 0.6), 0.4), paint((0.9, 0.6, 0.3), 0.15, metal=1), paint((0.2, 0.5, 0.45), 0.05),
                    textured('voronoi', (0.1, 0.1, 0.3), (0.8, 0.8, 0.7), scale=9)][k % 4]
        box((0.5, 0.5, 0.35), (x, y, 0.175), textured('noise', (0.3, 0.3, 0.3), (0.5, 0.5, 0.5), scale=8), bevel=0.03)
        if k % 3 == 0:
            head(0.6, (x, y, 0.68), material, turn=(0, 0, rng.uniform(-40, 40)))
        elif k % 3 == 1:
            lathe([(0.01, 0), (0.15, 0.02), (0.22, 0.25), (0.09, 0.5), (0.14, 0.6)], (x, y, 0.35), material)
        else:
            ring(0.2, 0.08, (x, y, 0.63), material, turn=(70, 0, rng.uniform(0, 90)))
    camera((0.3, -3.9, 1.8), (0, 1, 1.05), lens=33)


SCENES = {f.__name__: f for f in (window_room, coloured_box, lamps_room, textured_room, foggy_hall, dark_corridor,
                                  many_lights)}
