# SPDX-License-Identifier: Apache-2.0
"""Scenes of objects: glass and its caustics, metals, wax, cloth, fur, bokeh, fast things, a plain product shot.

Each function builds one scene in an empty Blender file. The noise comes from the materials and the lens here, less
from the room.
"""
import math

import bpy

from kit import (ball, box, camera, cone, glow, grid, head, lathe, light, mesh, paint, ring, rod, start, textured,
                 world_colour)

GOBLET = [(0.01, 0.0), (0.16, 0.01), (0.16, 0.025), (0.025, 0.05), (0.02, 0.28), (0.1, 0.34), (0.17, 0.46),
          (0.18, 0.58), (0.15, 0.7), (0.142, 0.7), (0.17, 0.58), (0.16, 0.47), (0.09, 0.36), (0.01, 0.33)]
BOTTLE = [(0.01, 0.0), (0.16, 0.01), (0.17, 0.04), (0.17, 0.5), (0.06, 0.65), (0.05, 0.85), (0.07, 0.86), (0.07, 0.9)]


def glass_caustics():
    """Glasses and a marble under a small hot lamp: caustics on a wooden table, fireflies and all."""
    start(bounces=8, exposure=0.8)
    box((5, 4, 0.1), (0, 0.4, -0.05), textured('wood', (0.3, 0.18, 0.09), (0.55, 0.38, 0.22), scale=2, rough=0.5))
    box((6, 0.1, 4), (0, 2.2, 1.5), textured('noise', (0.3, 0.35, 0.4), (0.45, 0.48, 0.5), scale=3, rough=0.9))
    clear = paint((1, 1, 1), 0.0, glass=1.0, IOR=1.45)
    for x, y in ((-0.75, 0.35), (0.15, 0.75), (0.3, -0.05)):
        lathe(GOBLET, (x, y, 0.0), clear, subdivide=1)
    lathe(BOTTLE, (0.95, 0.6, 0), paint((0.25, 0.7, 0.35), 0.02, glass=1.0), subdivide=1)
    ball(0.2, (-0.3, -0.35, 0.2), clear)
    ball(0.13, (0.75, -0.3, 0.13), paint((0.9, 0.25, 0.15), 0.0, glass=1.0))
    ring(0.18, 0.05, (-0.9, -0.35, 0.05), paint((1, 0.75, 0.35), 0.1, metal=1))
    box((0.5, 0.36, 0.05), (1.3, -0.15, 0.025), paint((0.15, 0.2, 0.45), 0.6), turn=(0, 0, 30), bevel=0.01)
    for k in range(5):
        ball(0.09, (-1.35 + 0.13 * (k % 3), 0.5 + 0.15 * (k // 3), 0.09), paint((0.55, 0.12, 0.1), 0.3))
    light('AREA', (-1.6, 1.5, 2.3), 60, target=(0, 0, 0), size=0.16, colour=(1, 0.9, 0.75))
    world_colour((0.5, 0.6, 0.8), 0.12)
    camera((0.1, -2.5, 1.35), (0.02, 0.35, 0.3), lens=38)


def rough_metals():
    """Machine parts of brushed steel, copper and gold under two long lamps."""
    rng = start(bounces=6, exposure=0.8)
    box((6, 6, 0.1), (0, 1, -0.05), textured('noise', (0.1, 0.1, 0.11), (0.22, 0.22, 0.24), scale=9, rough=0.35, metal=0.8))
    box((6, 0.1, 4), (0, 2.4, 1.9), textured('checker', (0.25, 0.27, 0.3), (0.33, 0.34, 0.36), scale=2, rough=0.5))
    alloys = [paint((0.75, 0.76, 0.78), 0.28, metal=1), paint((0.9, 0.5, 0.32), 0.35, metal=1),
              paint((1.0, 0.72, 0.3), 0.18, metal=1), paint((0.5, 0.52, 0.55), 0.5, metal=1),
              textured('noise', (0.7, 0.7, 0.7), (0.4, 0.25, 0.15), scale=12, rough=0.4, metal=1.0, bump=0.3)]
    for k in range(16):
        x, y = -1.5 + (k % 6) * 0.6 + rng.uniform(-0.08, 0.08), -0.5 + (k // 6) * 0.8 + rng.uniform(-0.1, 0.1)
        alloy, shape = alloys[k % 5], k % 4
        if shape == 0:
            rod(0.2, 0.6, (x, y, 0.3), alloy, bevel=0.03)
            ring(0.2, 0.05, (x, y, 0.62), alloys[(k + 2) % 5])
        elif shape == 1:
            ball(0.25, (x, y, 0.25), alloy)
        elif shape == 2:
            box((0.4, 0.4, 0.45), (x, y, 0.225), alloy, turn=(0, 0, rng.uniform(0, 90)), bevel=0.04)
        else:
            ring(0.2, 0.09, (x, y, 0.1), alloy)
            cone(0.14, 0.5, (x, y, 0.25), alloys[(k + 1) % 5])
    head(0.7, (0.2, 1.3, 0.9), alloys[1], turn=(0, 0, 20))
    light('AREA', (-2.2, -0.4, 2.4), 60, target=(0, 0.5, 0.2), size=0.7, colour=(1, 0.9, 0.8))
    light('AREA', (2.4, 0.8, 1.6), 25, target=(0, 0.5, 0.3), size=0.25, colour=(0.6, 0.8, 1))
    camera((0.25, -2.7, 1.5), (0.05, 0.5, 0.4), lens=38)


def wax_and_skin():
    """Subsurface scattering: candles, a jade head, soap and fruit on a marble slab."""
    start(bounces=6, exposure=0.4)
    box((5, 4, 0.1), (0, 0.4, -0.05), textured('noise', (0.75, 0.74, 0.72), (0.3, 0.32, 0.36), scale=3, rough=0.2))
    box((6, 0.1, 4), (0, 2, 1.5), textured('stripes', (0.2, 0.1, 0.12), (0.28, 0.15, 0.16), scale=3, rough=0.9))

    def soft(colour, radius, amount=0.9, rough=0.35):
        material = paint(colour, rough, Subsurface=amount)
        shader = material.node_tree.nodes['Principled BSDF']
        shader.inputs['Subsurface Radius'].default_value = [radius * c for c in (1.0, 0.5, 0.3)]
        shader.inputs['Subsurface Color'].default_value = (*colour, 1)
        return material
    wax = soft((0.85, 0.72, 0.5), 0.15)
    for x, y, h in ((-1.1, 0.5, 0.9), (-0.75, 0.1, 0.55), (-1.25, -0.1, 0.35)):
        rod(0.13, h, (x, y, h / 2), wax, bevel=0.03)
        rod(0.01, 0.06, (x, y, h + 0.03), paint((0.02, 0.02, 0.02), 0.9))
        ball(0.03, (x, y, h + 0.1), glow((1, 0.6, 0.2), 130))
    head(0.95, (0.15, 0.5, 0.62), soft((0.2, 0.6, 0.32), 0.12, rough=0.2), turn=(-5, 0, 20))
    for k, colour in enumerate(((0.8, 0.12, 0.08), (0.85, 0.5, 0.06), (0.5, 0.65, 0.12))):
        ball(0.17, (0.75 + 0.3 * (k % 2), -0.15 + 0.28 * k, 0.17), soft(colour, 0.06, 0.6))
    box((0.4, 0.25, 0.14), (-0.35, -0.45, 0.07), soft((0.85, 0.6, 0.65), 0.1), turn=(0, 0, 20), bevel=0.05)
    lathe(BOTTLE, (1.35, 0.75, 0), paint((0.8, 0.85, 0.9), 0.25), subdivide=1)
    light('AREA', (1.8, 1.5, 1.6), 26, target=(0, 0.3, 0.4), size=0.5, colour=(1, 0.95, 0.9))
    world_colour((0.5, 0.6, 0.8), 0.08)
    camera((0, -2.6, 1.25), (0, 0.3, 0.45), lens=38)


def cloth_folds():
    """Folded checked and striped cloths over a pole, with sheen, before a plain wall: soft light, much pattern."""
    start(bounces=4, exposure=0.1)
    box((7, 0.1, 5), (0, 1.6, 1), paint((0.55, 0.52, 0.5), 0.9))
    box((7, 4, 0.1), (0, 0, -1.25), textured('wood', (0.3, 0.2, 0.12), (0.5, 0.36, 0.22), scale=3, rough=0.4))

    def folds(x, y):
        return 0.09 * math.sin(9 * x + 1.5 * math.sin(2 * y)) * (1.1 + 0.5 * y) + 0.05 * math.sin(4 * x - 5 * y)
    checks = textured('checker', (0.6, 0.08, 0.08), (0.8, 0.76, 0.66), scale=14, rough=0.9, Sheen=1.0)
    stripes = textured('stripes', (0.06, 0.12, 0.3), (0.7, 0.68, 0.6), scale=5, rough=0.8, Sheen=1.0)
    weave = textured('voronoi', (0.4, 0.3, 0.1), (0.7, 0.6, 0.3), scale=40, rough=1.0, bump=0.6, Sheen=1.0)
    grid(1.9, 90, folds, checks, at=(-1.25, 0.5, 0.15), turn=(90, 0, 0))
    grid(1.9, 90, folds, stripes, at=(0.62, 0.7, 0.1), turn=(90, 0, 0))
    grid(1.6, 70, lambda x, y: 0.12 * math.cos(3 * x) + 0.08 * math.sin(6 * y + x), weave, at=(0.3, -0.5, -0.95))
    rod(0.03, 5, (0, 0.6, 1.08), paint((0.8, 0.6, 0.3), 0.25, metal=1), turn=(0, 90, 0))
    ball(0.3, (1.55, -0.3, -0.9), textured('stripes', (0.7, 0.7, 0.65), (0.5, 0.1, 0.2), scale=12, rough=0.95))
    light('AREA', (-2.5, -2.2, 2.6), 160, target=(0, 0.5, 0), size=1.6)
    light('AREA', (2.6, -1.5, 0.6), 22, target=(0, 0.5, -0.3), size=0.8, colour=(1, 0.8, 0.6))
    camera((0, -3.3, 0.3), (0, 0.4, -0.1), lens=38)


def hair_on(obj, count, length, colour, rough=0.4):
    """Fur on an object: strands of Blender's hair system with the principled hair shader."""
    material = bpy.data.materials.new('hair')
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes['Principled BSDF'])
    node = tree.nodes.new('ShaderNodeBsdfHairPrincipled')
    node.inputs['Color'].default_value = (*colour, 1)
    node.inputs['Roughness'].default_value = rough
    tree.links.new(node.outputs['BSDF'], tree.nodes['Material Output'].inputs['Surface'])
    obj.data.materials.append(material)
    modifier = obj.modifiers.new('hair', 'PARTICLE_SYSTEM')
    hair = modifier.particle_system.settings
    hair.type = 'HAIR'
    hair.count = count
    hair.hair_length = length
    hair.hair_step = hair.render_step = 3
    hair.brownian_factor = 0.03
    hair.root_radius = 0.6
    hair.material = len(obj.data.materials)


def fur():
    """Furry animals' toys on a carpet of hair beside smooth blocks."""
    start(bounces=5, exposure=0.5)
    hair_on(box((4.4, 3, 0.05), (0, 0.3, 0), paint((0.3, 0.25, 0.2), 0.9)), 14000, 0.09, (0.55, 0.42, 0.3))
    box((6, 0.1, 4), (0, 1.9, 1.5), textured('stripes', (0.55, 0.62, 0.6), (0.66, 0.7, 0.66), scale=3, rough=0.9))
    for at, radius, colour in (((-0.85, 0.4, 0.45), 0.4, (0.5, 0.28, 0.1)), ((-0.85, 0.35, 1.0), 0.26, (0.5, 0.28, 0.1)),
                               ((0.35, 0.6, 0.36), 0.32, (0.7, 0.68, 0.62)), ((1.1, 0.1, 0.3), 0.27, (0.1, 0.07, 0.05))):
        hair_on(ball(radius, at, paint(colour, 0.8)), 5000, 0.14, colour)
        for side in (-1, 1):
            ball(0.03, (at[0] + side * radius * 0.4, at[1] - radius * 1.15, at[2] + radius * 0.3), paint((0.01, 0.01, 0.01), 0.1))
    box((0.3, 0.3, 0.3), (-0.15, -0.35, 0.2), textured('checker', (0.75, 0.1, 0.08), (0.85, 0.8, 0.7), scale=6.5, rough=0.3),
        turn=(0, 0, 30), bevel=0.02)
    box((0.3, 0.3, 0.3), (0.3, -0.45, 0.2), paint((0.1, 0.3, 0.65), 0.25), turn=(0, 0, -10), bevel=0.02)
    ring(0.17, 0.06, (-0.5, -0.6, 0.15), paint((0.9, 0.7, 0.1), 0.3))
    light('AREA', (-1.8, -1.6, 2.4), 70, target=(0, 0.3, 0.3), size=0.5, colour=(1, 0.93, 0.85))
    light('AREA', (2.0, 0.9, 2.0), 30, target=(0.3, 0.3, 0.4), size=0.4, colour=(0.8, 0.9, 1))
    camera((0.1, -2.7, 1.15), (0.05, 0.3, 0.52), lens=36)


def bokeh():
    """Figures in focus before a far field of small lamps out of focus: a wide-open lens at dusk."""
    rng = start(bounces=4, exposure=0.7)
    box((40, 40, 0.1), (0, 15, -0.05), textured('noise', (0.1, 0.1, 0.1), (0.2, 0.19, 0.18), scale=2, rough=0.25))
    box((1.6, 0.9, 0.8), (0, 0, 0.4), textured('wood', (0.2, 0.1, 0.05), (0.42, 0.26, 0.13), scale=5, rough=0.3), bevel=0.03)
    head(0.5, (-0.3, 0, 1.05), paint((0.75, 0.55, 0.35), 0.35), turn=(-8, 0, 15))
    lathe(GOBLET, (0.2, 0.1, 0.8), paint((1, 1, 1), 0.0, glass=1), subdivide=1)
    ball(0.12, (0.5, -0.15, 0.92), textured('voronoi', (0.1, 0.2, 0.4), (0.9, 0.8, 0.5), scale=20, rough=0.2))
    for k in range(70):
        colour = rng.choice([(1, 0.55, 0.2), (1, 0.85, 0.6), (0.3, 0.6, 1), (1, 0.15, 0.1), (0.3, 1, 0.5)])
        bpy.ops.mesh.primitive_ico_sphere_add(radius=0.05, subdivisions=1)
        lamp = bpy.context.object
        lamp.data.materials.append(glow(colour, 22))
        lamp.location = (rng.uniform(-6, 6), rng.uniform(6, 14), rng.uniform(0.1, 5))
    for k in range(7):
        box((1.6, 1.6, rng.uniform(2, 6)), (-7 + 2.3 * k, 17, 1.5), paint((0.12, 0.12, 0.15), 0.7))
    light('AREA', (-1.6, -1.5, 2.6), 32, target=(0, 0, 1), size=0.5, colour=(1, 0.85, 0.7))
    world_colour((0.12, 0.2, 0.45), 0.35)
    camera((0.1, -2.3, 1.3), (0.05, 0, 1.12), lens=50, stop=0.35, focus=2.3)


def fast_things():
    """Spinning wheels and flying balls with motion blur over a still patterned floor."""
    start(bounces=4, exposure=0.1)
    scene = bpy.context.scene
    scene.render.use_motion_blur = True
    scene.render.motion_blur_shutter = 0.6
    box((7, 6, 0.1), (0, 1, -0.05), textured('checker', (0.65, 0.62, 0.55), (0.2, 0.28, 0.3), scale=2, rough=0.3))
    box((7, 0.1, 4), (0, 2.6, 2), textured('brick', (0.6, 0.55, 0.45), (0.45, 0.42, 0.38), scale=2, rough=0.9, turn=(90, 0, 0)))

    def move(obj, shift, turn):
        for frame, side in ((1, -0.5), (3, 0.5)):
            place, angle = obj.location.copy(), obj.rotation_euler.copy()
            obj.location = [p + side * s for p, s in zip(place, shift)]
            obj.rotation_euler = [a + side * math.radians(t) for a, t in zip(angle, turn)]
            obj.keyframe_insert('location', frame=frame)
            obj.keyframe_insert('rotation_euler', frame=frame)
            obj.location, obj.rotation_euler = place, angle
    for x, colour in ((-1.2, (0.75, 0.12, 0.08)), (1.0, (0.08, 0.25, 0.6))):
        wheel = ring(0.5, 0.09, (x, 0.9, 0.62), paint((0.05, 0.05, 0.05), 0.6), turn=(90, 0, 0))
        hub = [box((0.95, 0.08, 0.1), (x, 0.9, 0.62), paint(colour, 0.3), turn=(0, a, 0), bevel=0.01) for a in (0, 60, 120)]
        move(wheel, (0, 0, 0), (0, 60, 0))
        for spoke in hub:
            move(spoke, (0, 0, 0), (0, 60, 0))
    for k in range(4):
        thrown = ball(0.16, (-1.2 + 0.8 * k, -0.2, 1.35 - 0.25 * (k - 1.5) ** 2), paint((0.85, 0.6 - 0.15 * k, 0.1 + 0.2 * k), 0.25))
        move(thrown, (0.5, 0, 0.3 - 0.2 * k), (0, 90, 0))
    rod(0.2, 0.5, (-0.1, 0.4, 0.25), paint((0.8, 0.8, 0.82), 0.2, metal=1), bevel=0.02)
    box((0.45, 0.45, 0.35), (0.15, -0.4, 0.175), textured('wood', (0.35, 0.2, 0.1), (0.55, 0.38, 0.2), scale=8), turn=(0, 0, 30), bevel=0.02)
    light('AREA', (-1.8, -1.8, 3.2), 150, target=(0, 0.6, 0.4), size=0.7, colour=(1, 0.93, 0.85))
    world_colour((0.55, 0.7, 0.9), 0.25)
    scene.frame_set(2)
    camera((0.2, -3.2, 1.45), (-0.05, 0.5, 0.72), lens=36)


def product_shot():
    """Bottles and a box on a curved white sweep under two large soft lamps: clean early."""
    start(bounces=4, exposure=0.0)
    sweep = [(y, 0.0 if y < 1.2 else 1.2 - math.sqrt(max(0.0, 1.44 - (y - 1.2) ** 2))) for y in
             [-3 + 0.3 * k for k in range(14)] + [1.2 + 1.2 * math.sin(math.pi / 2 * k / 10) for k in range(1, 11)]] + [(2.4, 5)]
    points = [(x, y, z) for y, z in sweep for x in (-5, 5)]
    mesh(points, [(2 * k, 2 * k + 1, 2 * k + 3, 2 * k + 2) for k in range(len(sweep) - 1)], paint((0.62, 0.64, 0.68), 0.8),
         smooth=True)
    lathe(BOTTLE, (-0.55, 0.2, 0), paint((0.8, 0.35, 0.1), 0.15), subdivide=1)
    lathe([(0.01, 0), (0.22, 0.01), (0.24, 0.05), (0.24, 0.3), (0.2, 0.34), (0.2, 0.42)], (0.0, 0, 0),
          paint((0.06, 0.3, 0.33), 0.3), subdivide=1)
    rod(0.21, 0.1, (0, 0, 0.46), textured('stripes', (0.75, 0.7, 0.6), (0.55, 0.5, 0.4), scale=12, rough=0.4), bevel=0.015)
    box((0.5, 0.25, 0.75), (0.58, 0.3, 0.375), textured('magic', (0.8, 0.75, 0.65), (0.15, 0.2, 0.45), scale=4, rough=0.5),
        turn=(0, 0, -20), bevel=0.01)
    box((0.3, 0.2, 0.12), (0.35, -0.35, 0.06), paint((0.7, 0.12, 0.1), 0.35), turn=(0, 0, 25), bevel=0.02)
    ball(0.09, (-0.3, -0.38, 0.09), paint((0.9, 0.85, 0.8), 0.15, metal=1))
    light('AREA', (-2.4, -1.2, 2.6), 130, target=(0, 0.2, 0.3), size=2.2)
    light('AREA', (2.2, -1.6, 1.8), 45, target=(0, 0.2, 0.3), size=2.0, colour=(0.9, 0.95, 1))
    camera((0, -2.6, 0.95), (0.02, 0.1, 0.4), lens=48)


SCENES = {f.__name__: f for f in (glass_caustics, rough_metals, wax_and_skin, cloth_folds, fur, bokeh, fast_things,
                                  product_shot)}
