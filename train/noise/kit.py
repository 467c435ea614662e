# SPDX-License-Identifier: Apache-2.0
"""Small words to build Blender scenes with: solids, materials, lights, a camera, scattering.

Why: every training scene is made by code alone (no downloaded asset), so that the set is ours and anyone can make it
again. Lengths are metres, angles degrees, colours linear RGB. Textures lie in object space: a box of 4 m by a texture
of scale 2 shows 8 periods. Runs inside Blender 3.4 only.
"""
import math
import random

import bpy
from mathutils import Vector


def start(bounces=6, exposure=0.0):
    """An empty scene with a black world; exposure is in stops and is burnt into the light's amount by the film."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = 'CYCLES'
    cycles = scene.cycles
    cycles.max_bounces = bounces
    cycles.diffuse_bounces = min(bounces, 4)
    cycles.glossy_bounces = min(bounces, 4)
    cycles.transmission_bounces = bounces
    cycles.transparent_max_bounces = 8
    cycles.volume_bounces = 1
    cycles.film_exposure = 2.0 ** exposure
    scene.world = bpy.data.worlds.new('world')
    scene.world.use_nodes = True
    world_colour((0, 0, 0), 0)
    return random.Random(scene.name)


def world_colour(colour, strength):
    """A world of one colour."""
    node = bpy.context.scene.world.node_tree.nodes['Background']
    node.inputs['Color'].default_value = (*colour, 1)
    node.inputs['Strength'].default_value = strength


def sky(elevation, rotation, strength=0.1, sun=True, sun_size=0.545):
    """The Nishita sky with its sun; angles in degrees."""
    tree = bpy.context.scene.world.node_tree
    node = tree.nodes.new('ShaderNodeTexSky')
    node.sky_type = 'NISHITA'
    node.sun_disc = sun
    node.sun_size = math.radians(sun_size)
    node.sun_elevation = math.radians(elevation)
    node.sun_rotation = math.radians(rotation)
    tree.links.new(node.outputs['Color'], tree.nodes['Background'].inputs['Color'])
    tree.nodes['Background'].inputs['Strength'].default_value = strength


# ---- materials ----

def paint(colour, rough=0.5, metal=0.0, glass=0.0, **more):
    """A Principled material; more: any other input by its name with _ for a blank (Sheen=1, IOR=1.5, ...)."""
    material = bpy.data.materials.new('paint')
    material.use_nodes = True
    shader = material.node_tree.nodes['Principled BSDF']
    shader.inputs['Base Color'].default_value = (*colour, 1)
    shader.inputs['Roughness'].default_value = rough
    shader.inputs['Metallic'].default_value = metal
    shader.inputs['Transmission'].default_value = glass
    for name, value in more.items():
        shader.inputs[name.replace('_', ' ')].default_value = value
    return material


def glow(colour, strength):
    """A light-emitting surface."""
    material = paint((0, 0, 0), 1.0)
    shader = material.node_tree.nodes['Principled BSDF']
    shader.inputs['Emission'].default_value = (*colour, 1)
    shader.inputs['Emission Strength'].default_value = strength
    return material


TEXTURES = {  # kind -> (node, its settings, the output that drives the two colours)
    'noise': ('ShaderNodeTexNoise', {'Detail': 6.0, 'Roughness': 0.6}, 'Fac'),
    'wood': ('ShaderNodeTexWave', {'Distortion': 6.0, 'Detail': 3.0, 'Detail Scale': 1.5}, 'Fac'),
    'voronoi': ('ShaderNodeTexVoronoi', {'Randomness': 1.0}, 'Distance'),
    'checker': ('ShaderNodeTexChecker', {}, 'Fac'),
    'brick': ('ShaderNodeTexBrick', {'Mortar Size': 0.02}, 'Fac'),
    'magic': ('ShaderNodeTexMagic', {'Distortion': 2.0}, 'Fac'),
    'stripes': ('ShaderNodeTexWave', {'Distortion': 0.0}, 'Fac'),
}


def textured(kind, first, second, scale=4.0, rough=0.5, bump=0.0, turn=(0, 0, 0), **more):
    """A Principled material whose colour runs from first to second along a procedural texture, with bumps of it."""
    material = paint(first, rough, **more)
    tree = material.node_tree
    shader = tree.nodes['Principled BSDF']
    node_type, settings, output = TEXTURES[kind]
    texture = tree.nodes.new(node_type)
    for name, value in settings.items():
        texture.inputs[name].default_value = value
    texture.inputs['Scale'].default_value = scale
    where = tree.nodes.new('ShaderNodeTexCoord')
    mapping = tree.nodes.new('ShaderNodeMapping')
    mapping.inputs['Rotation'].default_value = [math.radians(a) for a in turn]
    tree.links.new(where.outputs['Object'], mapping.inputs['Vector'])
    tree.links.new(mapping.outputs['Vector'], texture.inputs['Vector'])
    ramp = tree.nodes.new('ShaderNodeValToRGB')
    low, high = (0.35, 0.65) if kind in ('noise',) else (0.0, 1.0)
    ramp.color_ramp.elements[0].position = low
    ramp.color_ramp.elements[1].position = high
    ramp.color_ramp.elements[0].color = (*first, 1)
    ramp.color_ramp.elements[1].color = (*second, 1)
    tree.links.new(texture.outputs[output], ramp.inputs['Fac'])
    tree.links.new(ramp.outputs['Color'], shader.inputs['Base Color'])
    if bump:
        node = tree.nodes.new('ShaderNodeBump')
        node.inputs['Strength'].default_value = bump
        node.inputs['Distance'].default_value = 0.02
        tree.links.new(texture.outputs[output], node.inputs['Height'])
        tree.links.new(node.outputs['Normal'], shader.inputs['Normal'])
    return material


def fog(density, colour=(0.9, 0.9, 0.9), forward=0.3):
    """A homogeneous scattering volume."""
    material = bpy.data.materials.new('fog')
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes['Principled BSDF'])
    node = tree.nodes.new('ShaderNodeVolumeScatter')
    node.inputs['Color'].default_value = (*colour, 1)
    node.inputs['Density'].default_value = density
    node.inputs['Anisotropy'].default_value = forward
    tree.links.new(node.outputs['Volume'], tree.nodes['Material Output'].inputs['Volume'])
    return material


# ---- solids ----

def finish(obj, material, at=(0, 0, 0), turn=(0, 0, 0), smooth=False, bevel=0.0, subdivide=0):
    """Places an object, gives it its material and its modifiers."""
    obj.location = at
    obj.rotation_euler = [math.radians(a) for a in turn]
    obj.data.materials.append(material)
    if bevel:
        modifier = obj.modifiers.new('bevel', 'BEVEL')
        modifier.width = bevel
        modifier.segments = 2
    if subdivide:
        modifier = obj.modifiers.new('subdivide', 'SUBSURF')
        modifier.levels = modifier.render_levels = subdivide
    if smooth:
        for polygon in obj.data.polygons:
            polygon.use_smooth = True
    return obj


def mesh(points, faces, material, **how):
    """An object of its own points and faces."""
    data = bpy.data.meshes.new('mesh')
    data.from_pydata(points, [], faces)
    data.update()
    obj = bpy.data.objects.new('mesh', data)
    bpy.context.scene.collection.objects.link(obj)
    return finish(obj, material, **how)


def box(size, at, material, **how):
    """A box of its three sizes about its centre."""
    x, y, z = (s / 2 for s in size)
    points = [(sx * x, sy * y, sz * z) for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return mesh(points, faces, material, at=at, **how)


def grid(size, count, height, material, **how):
    """A sheet of count x count cells whose height at (x, y) is height(x, y)."""
    step = size / count
    points = [(i * step - size / 2, j * step - size / 2) for j in range(count + 1) for i in range(count + 1)]
    row = count + 1
    faces = [(j * row + i, j * row + i + 1, (j + 1) * row + i + 1, (j + 1) * row + i)
             for j in range(count) for i in range(count)]
    return mesh([(x, y, height(x, y)) for x, y in points], faces, material, smooth=True, **how)


def lathe(profile, at, material, steps=32, **how):
    """A solid of revolution about z; profile: (radius, height) from the bottom to the top."""
    points = [(r * math.cos(2 * math.pi * k / steps), r * math.sin(2 * math.pi * k / steps), z)
              for r, z in profile for k in range(steps)]
    faces = [(a * steps + k, a * steps + (k + 1) % steps, (a + 1) * steps + (k + 1) % steps, (a + 1) * steps + k)
             for a in range(len(profile) - 1) for k in range(steps)]
    return mesh(points, faces, material, at=at, smooth=True, **how)


def ball(radius, at, material, **how):
    bpy.ops.mesh.primitive_uv_sphere_add(radius=radius, segments=32, ring_count=16)
    return finish(bpy.context.object, material, at=at, smooth=True, **how)


def rod(radius, length, at, material, **how):
    bpy.ops.mesh.primitive_cylinder_add(radius=radius, depth=length, vertices=32)
    return finish(bpy.context.object, material, at=at, **how)


def cone(radius, length, at, material, top=0.0, **how):
    bpy.ops.mesh.primitive_cone_add(radius1=radius, radius2=top, depth=length, vertices=32)
    return finish(bpy.context.object, material, at=at, **how)


def ring(radius, thick, at, material, **how):
    bpy.ops.mesh.primitive_torus_add(major_radius=radius, minor_radius=thick)
    return finish(bpy.context.object, material, at=at, smooth=True, **how)


def head(size, at, material, **how):
    """Blender's own monkey head: a shape with hollows and thin parts."""
    bpy.ops.mesh.primitive_monkey_add(size=size)
    return finish(bpy.context.object, material, at=at, smooth=True, subdivide=1, **how)


def copies(obj, places):
    """Linked copies of an object: places holds (location, turn, scale); the original is the first of them."""
    for index, (at, turn, scale) in enumerate(places):
        twin = obj if index == 0 else obj.copy()
        if index:
            bpy.context.scene.collection.objects.link(twin)
        twin.location = at
        twin.rotation_euler = [math.radians(a) for a in turn]
        twin.scale = (scale, scale, scale)


def room(size, floor, walls, ceiling, thick=0.1, window=None, back=True):
    """A room of (width, depth, height) about the origin, floor at 0, open towards -y; window: (y, z, w, h) in +x."""
    width, depth, height = size
    box((width, depth, thick), (0, 0, -thick / 2), floor)
    box((width, depth, thick), (0, 0, height + thick / 2), ceiling)
    box((thick, depth, height), (-width / 2 - thick / 2, 0, height / 2), walls)
    if back:
        box((width, thick, height), (0, depth / 2 + thick / 2, height / 2), walls)
    x = width / 2 + thick / 2
    if not window:
        box((thick, depth, height), (x, 0, height / 2), walls)
        return
    y, z, w, h = window
    box((thick, depth, z - h / 2), (x, 0, (z - h / 2) / 2), walls)
    box((thick, depth, height - z - h / 2), (x, 0, (height + z + h / 2) / 2), walls)
    near, far = y - w / 2 + depth / 2, depth / 2 - y - w / 2
    box((thick, near, h), (x, -depth / 2 + near / 2, z), walls)
    box((thick, far, h), (x, depth / 2 - far / 2, z), walls)


# ---- lights and the camera ----

def aim(obj, target):
    obj.rotation_euler = (Vector(target) - obj.location).to_track_quat('-Z', 'Y').to_euler()


def light(kind, at, power, target=None, colour=(1, 1, 1), size=0.1, angle=45, blend=0.3):
    """A lamp: kind POINT, AREA, SPOT or SUN (power in watts, of SUN in watts a square metre)."""
    data = bpy.data.lights.new('light', kind)
    data.energy = power
    data.color = colour
    if kind == 'AREA':
        data.size = size
    elif kind == 'SUN':
        data.angle = math.radians(size)
    else:
        data.shadow_soft_size = size
    if kind == 'SPOT':
        data.spot_size = math.radians(angle)
        data.spot_blend = blend
    obj = bpy.data.objects.new('light', data)
    bpy.context.scene.collection.objects.link(obj)
    obj.location = at
    if target is not None:
        aim(obj, target)
    return obj


def camera(at, target, lens=35, stop=None, focus=None):
    """The camera; with stop (f-number) it has depth of field about the focus distance."""
    data = bpy.data.cameras.new('camera')
    data.lens = lens
    if stop:
        data.dof.use_dof = True
        data.dof.aperture_fstop = stop
        data.dof.focus_distance = focus
    obj = bpy.data.objects.new('camera', data)
    bpy.context.scene.collection.objects.link(obj)
    obj.location = at
    aim(obj, target)
    bpy.context.scene.camera = obj
    return obj
