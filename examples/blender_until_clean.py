# SPDX-License-Identifier: Apache-2.0
"""Renders a Blender scene with Cycles until no noise can be seen in it, and no longer.

    blender -b SCENE.blend -P examples/blender_until_clean.py -- --output clean.exr
    blender -b --factory-startup -P examples/blender_until_clean.py -- --size 320x240 --output cube.exr

A pass of samples is rendered, added to what there is, and shown to `qboost noise watch`, which says whether noise can
still be seen, and about how many samples are missing; then the next pass, or the end. Each pass goes on in Cycles'
sequence where the one before stopped (sample_offset), so that the picture is the one that a single render of as many
samples would have made: asking costs time, but no sample.

With --way halves two pictures of equally many samples are made, of two seeds, and their difference tells the noise:
no model has to know what noise looks like, but both have samples of their own.

Adaptive sampling and denoising are off: what is judged is the noise of so many samples everywhere.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import bpy
import numpy

SMALLEST_STEP, LARGEST_STEP = 1.25, 2.0  # how much the samples may grow from one look to the next


def parse_arguments():
    own = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    parser = argparse.ArgumentParser(prog="blender_until_clean.py", description="Cycles until no noise can be seen")
    parser.add_argument("--output", default="clean.exr", help="the picture, as float OpenEXR (default: clean.exr)")
    parser.add_argument("--first", type=int, default=16, help="samples of the first pass (default: 16)")
    parser.add_argument("--max-samples", type=int, default=4096, help="stop there, clean or not (default: 4096)")
    parser.add_argument("--checks", type=int, default=2, help="pictures in a row without noise (default: 2)")
    parser.add_argument("--grid", default="4x4", help="zones, columns x rows (default: 4x4)")
    parser.add_argument("--way", choices=("learned", "halves"), default="learned")
    parser.add_argument("--noise-model", help="GGUF file of another learned model")
    parser.add_argument("--tone", help="tone curve that the picture will be shown by (default: srgb)")
    parser.add_argument("--exposure", help="stops that it will be brightened by (default: 0)")
    parser.add_argument("--qboost", default="qboost", help="the program (default: qboost)")
    parser.add_argument("--size", help="WIDTHxHEIGHT instead of the scene's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="DIR", help="keep the pictures of all looks there")
    parser.add_argument("--report", metavar="FILE", help="append what came out to FILE, one JSON object a line")
    arguments = parser.parse_args(own)
    if arguments.first < 2 or arguments.max_samples < arguments.first or arguments.checks < 1:
        parser.error("--first must be 2 or more, --max-samples not less, --checks 1 or more")
    return arguments


def prepare(arguments):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.render.use_persistent_data = True  # the scene is built once, not for every pass
    if arguments.size:
        scene.render.resolution_x, scene.render.resolution_y = map(int, arguments.size.split("x"))
        scene.render.resolution_percentage = 100
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "OPEN_EXR", "RGB", "32"
    settings.exr_codec = "ZIP"
    return scene


class Picture:
    """The mean of all samples of one seed so far."""

    def __init__(self, scene, seed, folder):
        self.scene, self.seed, self.samples, self.sum = scene, seed, 0, None
        self.pass_file = os.path.join(folder, ".pass_%d.exr" % seed)

    def render(self, samples):
        cycles, render = self.scene.cycles, self.scene.render
        # Cycles puts sample 0 at the middle of every pixel; the sequence proper begins behind it.
        cycles.samples, cycles.seed, cycles.sample_offset = samples, self.seed, self.samples + 1
        render.filepath = self.pass_file
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(self.pass_file)
        image.colorspace_settings.name = "Non-Color"
        pixels = numpy.empty(len(image.pixels), numpy.float32)
        image.pixels.foreach_get(pixels)
        size = tuple(image.size)
        bpy.data.images.remove(image)
        os.remove(self.pass_file)
        pixels = pixels.reshape(size[1], size[0], 4).astype(numpy.float64)
        self.sum = pixels * samples if self.sum is None else self.sum + pixels * samples
        self.samples += samples

    def mean(self):
        return self.sum / self.samples


def write(scene, pixels, path):
    """Under another name first: a picture that is there is whole."""
    image = bpy.data.images.new("until clean", pixels.shape[1], pixels.shape[0], float_buffer=True)
    image.pixels.foreach_set(pixels.astype(numpy.float32).ravel())
    image.save_render(path + ".part", scene=scene)
    bpy.data.images.remove(image)
    os.replace(path + ".part", path)


class Watcher:
    """qboost noise watch, which is told of pictures and answers with a line for each."""

    def __init__(self, arguments):
        command = [arguments.qboost, "noise", "watch", "--json", "--way", arguments.way, "--grid", arguments.grid,
                   "--checks", str(arguments.checks), "--samples-from", "name"]
        for option in ("noise_model", "tone", "exposure"):
            if getattr(arguments, option):
                command += ["--%s=%s" % (option.replace("_", "-"), getattr(arguments, option))]
        self.process = subprocess.Popen(command + ["-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, paths):
        self.process.stdin.write("\t".join(paths) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "exit code %d" % self.process.wait()}
        if "error" in answer:
            sys.exit("qboost noise watch: " + answer["error"])
        return answer


def show(scene, folder, name, pictures, samples):
    """Writes what is judged; returns its paths."""
    paths = []
    for letter, picture in zip("ab" if len(pictures) > 1 else [""], pictures):
        paths.append(os.path.join(folder, "%s%s_%05d.exr" % (name, letter, samples)))
        write(scene, picture.mean(), paths[-1])
    return paths


def next_total(total, answer, arguments):
    """Where it will probably be clean, but neither much too far nor too near."""
    left = answer["samples_left"]
    wanted = total + left if left else total * SMALLEST_STEP
    wanted = min(max(wanted, total * SMALLEST_STEP), total * LARGEST_STEP, arguments.max_samples)
    return 2 * math.ceil(wanted / 2)


def seconds_for(passes, samples):
    """Of one render, by the passes (samples, seconds) that there were: each has a cost of its own and one a sample."""
    counts, seconds = zip(*passes)
    if len(set(counts)) > 1:
        slope, start = numpy.polyfit(counts, seconds, 1)
        if slope > 0:
            return max(start, 0) + slope * samples
    return sum(seconds) / sum(counts) * samples


def render_until_clean(scene, arguments, folder):
    n_pictures = 2 if arguments.way == "halves" else 1
    pictures = [Picture(scene, arguments.seed + i, folder) for i in range(n_pictures)]
    watcher = Watcher(arguments)
    total, wanted, ask_s, passes = 0, arguments.first, 0.0, []
    while True:
        started = time.time()
        for picture in pictures:
            picture.render((wanted - total + n_pictures - 1) // n_pictures)
        before, total = total, sum(picture.samples for picture in pictures)
        rendered = time.time()
        passes.append((total - before, rendered - started))
        answer = watcher.ask(show(scene, folder, "look", pictures, total))
        ask_s += time.time() - rendered
        render_s = sum(seconds for _, seconds in passes)
        zones = len(answer["zones"])
        left = answer["samples_left"]
        print("%6d samples, %7.1f s: noise in %d of %d zones, %d done%s" % (
            total, render_s, sum(zone["state"] == "visible" for zone in answer["zones"]), zones, answer["zones_done"],
            "; about %d more samples" % math.ceil(left) if left and left > 1 else ""), flush=True)
        if answer["done"] or total >= arguments.max_samples:
            break
        wanted = next_total(total, answer, arguments)
    watcher.process.stdin.close()
    watcher.process.wait()
    mean = sum(picture.sum for picture in pictures) / total
    write(scene, mean, os.path.abspath(arguments.output))
    fixed_s = seconds_for(passes, arguments.max_samples)
    return {"scene": bpy.path.basename(bpy.data.filepath) or "startup", "way": arguments.way, "clean": answer["done"],
            "samples": total, "render_s": round(render_s, 2), "ask_s": round(ask_s, 2), "looks": len(passes),
            "fixed_samples": arguments.max_samples, "fixed_s": round(fixed_s, 2), "noise": answer["noise"],
            "output": arguments.output}


def main():
    arguments = parse_arguments()
    scene = prepare(arguments)
    if arguments.keep:
        os.makedirs(arguments.keep, exist_ok=True)
        result = render_until_clean(scene, arguments, os.path.abspath(arguments.keep))
    else:
        with tempfile.TemporaryDirectory() as folder:
            result = render_until_clean(scene, arguments, folder)
    print("%s after %d samples: %.1f s of rendering and %.1f s of looking (%d times), written to %s" % (
        "clean" if result["clean"] else "still noisy", result["samples"], result["render_s"], result["ask_s"],
        result["looks"], result["output"]))
    print("%d samples, for everything, would have taken about %.1f s: %.0f %% saved" % (
        result["fixed_samples"], result["fixed_s"],
        100 * (1 - (result["render_s"] + result["ask_s"]) / result["fixed_s"])))
    if arguments.report:
        with open(arguments.report, "a") as file:
            file.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0 if result["clean"] else 7)  # Blender would end with 0


try:
    main()
except SystemExit as end:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
    sys.stdout.flush()
    os._exit(end.code if isinstance(end.code, int) else 1)
except Exception:
    import traceback
    traceback.print_exc()
    os._exit(1)
