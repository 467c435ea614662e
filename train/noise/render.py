# SPDX-License-Identifier: Apache-2.0
"""Renders one scene's passes up to a round: blender -b --factory-startup -P render.py -- OUT SCENE ROUND.

Why passes: each one is an independent picture of one seed, kept as float EXR. Their means are the whole ladder of
sample counts (average.py), so that a scene costs its largest count once, plus a reference of passes of its own. A pass
is written under a temporary name and then renamed: a cut render goes on where it stopped. ROUND is 1 to 5 (see
ROUNDS), or 'preview': one picture of 16 samples as PNG.
"""
import os
import sys
import time

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenes  # noqa: E402  (Blender starts with its own path)

SIZE = 128  # pixels a side: 16 zones of 32 x 32
THREADS = 2
PREVIEW_SAMPLES = 16
# Samples of the ladder's passes: their running sums are 1 2 3 4 6 8 12 ... 3072 4096.
LADDER = [1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024]
REFERENCE = [256, 256, 512, 1024, 2048]
# Passes of the ladder and of the reference after each round: 256 + 512, 1024 + 1024, 2048 + 2048, 4096 + 2048 samples,
# and 4096 + 4096 where it is asked for.
ROUNDS = {1: (16, 2), 2: (20, 3), 3: (22, 4), 4: (len(LADDER), 4), 5: (len(LADDER), len(REFERENCE))}


def settings():
    """What makes a pass an honest mean of independent samples: no adaptive stop, no denoiser, no clamp."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.resolution_x = render.resolution_y = SIZE
    render.resolution_percentage = 100
    render.threads_mode = 'FIXED'
    render.threads = THREADS
    render.use_persistent_data = True
    render.use_file_extension = False
    render.image_settings.file_format = 'OPEN_EXR'
    render.image_settings.color_mode = 'RGB'
    render.image_settings.color_depth = '32'
    render.image_settings.exr_codec = 'ZIP'
    cycles.device = 'CPU'
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
    cycles.use_auto_tile = False


def render_pass(path, samples, seed):
    """One picture to path, whole or not at all."""
    scene = bpy.context.scene
    scene.cycles.samples = samples
    scene.cycles.seed = seed
    # Cycles puts the first sample of every render in the middle of the pixel, whatever the seed: passes of few samples
    # would share their errors.
    scene.cycles.sample_offset = 1
    scene.render.filepath = path + '.part'
    started = time.time()
    bpy.ops.render.render(write_still=True)
    os.replace(path + '.part', path)
    return time.time() - started


def preview(folder, name):
    """A few samples, as PNG under the standard (sRGB) view, and what a sample of the whole picture costs."""
    scene = bpy.context.scene
    scene.view_settings.view_transform = 'Standard'
    scene.render.image_settings.file_format = 'PNG'
    scene.render.image_settings.color_depth = '8'
    render_pass(os.path.join(folder, name + '.warm'), 1, 1)
    os.remove(os.path.join(folder, name + '.warm'))
    before = os.times()
    render_pass(os.path.join(folder, name + '.png'), PREVIEW_SAMPLES, 1)
    after = os.times()
    # Processor time, all threads together: it says the same on a busy machine.
    spent = after.user + after.system - before.user - before.system
    print(f'preview {name}: {spent / PREVIEW_SAMPLES:.4f} processor seconds a sample', flush=True)


def main(folder, name, until):
    """Renders the passes of a round that are not there yet."""
    scenes.SCENES[name]()
    settings()
    if until == 'preview':
        os.makedirs(folder, exist_ok=True)
        preview(folder, name)
        return
    passes = os.path.join(folder, name, 'passes')
    os.makedirs(passes, exist_ok=True)
    of_ladder, of_reference = ROUNDS[int(until)]
    # Seeds: a pass has its index in the ladder, the reference's begin at 1001, so that no two passes share one.
    wanted = [('ladder', i, LADDER[i], 1 + i) for i in range(of_ladder)]
    wanted += [('reference', i, REFERENCE[i], 1001 + i) for i in range(of_reference)]
    for kind, index, samples, seed in wanted:
        path = os.path.join(passes, f'{kind}_{index:02d}_{samples:04d}.exr')
        if not os.path.exists(path):
            spent = render_pass(path, samples, seed)
            print(f'pass {name} {kind} {index} samples {samples} seconds {spent:.2f}', flush=True)


if __name__ == '__main__':
    main(*sys.argv[sys.argv.index('--') + 1:])
