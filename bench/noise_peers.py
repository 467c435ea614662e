#!/usr/bin/env python3
"""Times known implementations of the full-reference metrics beside ours: one pair, one machine, one run.

    noise_peers.py [--bench build/bench/bench_noise] [--rounds N] [--size SIDE]

Scales examples/astronaut.jpg and its noisy copy to SIDE x SIDE (1000), has bench_noise time our metrics on those files
first, then times scikit-image, piq (PyTorch) and flip-evaluator (the authors' C++) on the same pixels, each kept to one
thread, and prints milliseconds of CPU time a megapixel (best of N) and how many times ours is faster. The values stand
beside it, so that it can be seen that both computed the same. Pixels are in memory for both, so that no
time of decoding counts. Needs numpy, Pillow, scikit-image, torch, torchvision, piq and flip-evaluator.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import os
import subprocess
import tempfile
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import flip_evaluator  # noqa: E402  (threads are counted when they are loaded)
import numpy  # noqa: E402
import PIL.Image  # noqa: E402
import piq  # noqa: E402
import skimage.metrics  # noqa: E402
import torch  # noqa: E402

LUMA = numpy.array([0.299, 0.587, 0.114], dtype=numpy.float32)


def tensor(rgb):
    return torch.from_numpy(rgb.astype(numpy.float32) @ LUMA)[None, None]


def linear(rgb):
    """Four times the light of the screen, as bench_noise makes it."""
    v = numpy.arange(256) / 255
    table = 4 * numpy.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    return table.astype(numpy.float32)[rgb]


def peers(image, reference):
    """(metric, implementation, function): what is prepared here is not timed, as in bench_noise."""
    unit = [(p / 255).astype(numpy.float32) for p in (reference, image)]
    light = [linear(p) for p in (reference, image)]
    return [
        ("psnr", "scikit-image", lambda: skimage.metrics.peak_signal_noise_ratio(reference, image, data_range=255)),
        ("ssim", "scikit-image", lambda: skimage.metrics.structural_similarity(
            reference @ LUMA, image @ LUMA, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255)),
        ("ssim", "piq", lambda: piq.ssim(tensor(image), tensor(reference), data_range=255.0, downsample=False).item()),
        ("ms-ssim", "piq", lambda: piq.multi_scale_ssim(tensor(image), tensor(reference), data_range=255.0).item()),
        ("gmsd", "piq", lambda: piq.gmsd(tensor(image), tensor(reference), data_range=255.0).item()),
        ("vif", "piq", lambda: piq.vif_p(tensor(image), tensor(reference), data_range=255.0).item()),
        ("flip", "flip-evaluator", lambda: flip_evaluator.evaluate(*unit, "LDR", applyMagma=False)[1]),
        ("hdr-flip", "flip-evaluator", lambda: flip_evaluator.evaluate(*light, "HDR", applyMagma=False)[1]),
    ]


def best_ms(function, rounds):
    best = float("inf")
    value = function()
    for _ in range(rounds):
        begin = time.process_time()
        value = function()
        best = min(best, (time.process_time() - begin) * 1e3)
    return best, value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/bench/bench_noise")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    megapixels = options.size * options.size * 1e-6
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("reference.png", "image.png")]
        for source, path in zip(("astronaut", "astronaut-noise"), paths):
            photo = PIL.Image.open(f"examples/{source}.jpg").convert("RGB")
            photo.resize((options.size, options.size), PIL.Image.BICUBIC).save(path)
        result = os.path.join(folder, "bench.json")
        subprocess.run([options.bench, "--json", result, "--rounds", str(options.rounds), *paths], check=True)
        with open(result, encoding="utf-8") as file:
            ours = {line["name"]: line for line in json.load(file)}
        reference, image = (numpy.array(PIL.Image.open(path)) for path in paths)
    print(f"\n{'metric':10} {'known implementation':22} {'its ms':>9} {'our ms':>9} {'faster':>7} {'its value':>11} "
          f"{'our value':>11}")
    for metric, name, function in peers(image, reference):
        milliseconds, value = best_ms(function, options.rounds)
        own = ours[metric]
        print(f"{metric:10} {name:22} {milliseconds / megapixels:9.1f} {own['one_thread_cpu_ms']:9.2f} "
              f"{milliseconds / megapixels / own['one_thread_cpu_ms']:6.1f}x {value:11.6f} {own['value']:11.6f}")


main()
