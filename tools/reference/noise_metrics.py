#!/usr/bin/env python3
"""Makes tests/golden/noise/metrics/metrics.json: what published implementations say of real pairs.

    noise_metrics.py REPOSITORY_ROOT

Whole pictures by the packages (see RECIPE.md beside the output); zones, which no package knows, from the packages'
maps (SSIM, FLIP) or from this file's own maps in float64 (GMSD, VIF, MS-SSIM), whose whole-picture values are held
against the packages here first. Needs numpy, scipy, scikit-image, torch, torchvision, piq, Pillow, OpenEXR and
flip-evaluator.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import sys

import flip_evaluator
import numpy
import OpenEXR
import PIL.Image
import piq
import scipy.ndimage
import skimage.metrics
import torch

GRID = 4
EXAMPLES = [("cat", "cat-blur"), ("astronaut", "astronaut-noise"), ("rocket", "rocket-jpeg"), ("coffee", "coffee-dark")]
RENDERS = ["coloured_box", "night_street"]
MS_SSIM_WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


# ---- pictures ----
def read_exr(path):
    with OpenEXR.File(path) as file:
        channels = file.channels()
        pixels = channels["RGB"].pixels if "RGB" in channels else numpy.stack(
            [channels[c].pixels for c in "RGB"], axis=-1)
    return pixels.astype(numpy.float32)


def screen(light):
    """sRGB, clipped, 8 bits."""
    x = numpy.clip(light.astype(numpy.float64), 0, 1)
    x = numpy.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return numpy.floor(x * 255 + 0.5).astype(numpy.uint8)


def luma(rgb):
    return rgb.astype(numpy.float64) @ numpy.array([0.299, 0.587, 0.114])


def tensor(plane):
    return torch.from_numpy(plane)[None, None]


# ---- zones: pixel i of a map stands for pixel step * i + offset of the picture ----
def zones(maps, step, offset, size, pool):
    """maps: arrays of one shape; pool(parts of a zone) -> value; None where a zone has no pixel."""
    height, width = size

    def range_of(n, side, index):
        begin, end = (side * k // GRID for k in (index, index + 1))
        at = numpy.arange(n) * step + offset
        return (at >= begin) & (at < end)

    values = []
    for row in range(GRID):
        for column in range(GRID):
            y = range_of(maps[0].shape[0], height, row)
            x = range_of(maps[0].shape[1], width, column)
            parts = [m[y][:, x] for m in maps]
            values.append(pool(*parts) if parts[0].size else None)
    return values


def mean(part):
    return float(part.mean(dtype=numpy.float64))


# ---- windows, in float64 ----
def gaussian(n, sigma):
    x = numpy.arange(n) - (n - 1) / 2
    weights = numpy.exp(-x * x / (2 * sigma * sigma))
    return weights / weights.sum()


def window(plane, taps):
    r = len(taps) // 2
    full = scipy.ndimage.correlate1d(scipy.ndimage.correlate1d(plane, taps, 0), taps, 1)
    return full[r:plane.shape[0] - r, r:plane.shape[1] - r]


def moments(a, b, taps):
    mean_a, mean_b = window(a, taps), window(b, taps)
    return (mean_a, mean_b, window(a * a, taps) - mean_a ** 2, window(b * b, taps) - mean_b ** 2,
            window(a * b, taps) - mean_a * mean_b)


# ---- SSIM: scikit-image ----
def ssim(image, reference):
    whole, full = skimage.metrics.structural_similarity(luma(image), luma(reference), gaussian_weights=True, sigma=1.5,
                                                        use_sample_covariance=False, data_range=255, full=True)
    return {"whole": whole, "zones": zones([full[5:-5, 5:-5]], 1, 5, full.shape, mean)}


# ---- MS-SSIM: the authors' msssim.m; piq agrees where all sides can be halved four times ----
def ms_ssim(image, reference):
    a, b = luma(image), luma(reference)
    size, c1, c2, wholes, per_zone = a.shape, (0.01 * 255) ** 2, (0.03 * 255) ** 2, [], []
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale:
            a, b = (numpy.pad(p, ((0, 1), (0, 1)), mode="symmetric") for p in (a, b))
            a, b = ((p[:-1, :-1] + p[1:, :-1] + p[:-1, 1:] + p[1:, 1:])[::2, ::2] / 4 for p in (a, b))
        mean_a, mean_b, var_a, var_b, cov = moments(a, b, gaussian(11, 1.5))
        value = (2 * cov + c2) / (var_a + var_b + c2)
        if scale == 4:
            value = value * (2 * mean_a * mean_b + c1) / (mean_a ** 2 + mean_b ** 2 + c1)
        step = 2 ** scale
        wholes.append(max(mean(value), 0) ** weight)
        per_zone.append(zones([value], step, step * 5 + (step - 1) / 2, size,
                              lambda part, w=weight: max(mean(part), 0) ** w))
    whole = float(numpy.prod(wholes))
    if size[0] % 16 == 0 and size[1] % 16 == 0:
        of_piq = piq.multi_scale_ssim(tensor(luma(image)), tensor(luma(reference)), data_range=255.0).item()
        assert abs(whole - of_piq) < 1e-7, (whole, of_piq)
        whole = of_piq
    joined = [None if None in z else float(numpy.prod(z)) for z in zip(*per_zone)]
    return {"whole": whole, "zones": joined}


# ---- GMSD: piq ----
def gmsd(image, reference):
    def gradient(rgb):
        p = luma(rgb)
        p = numpy.pad(p, ((0, p.shape[0] % 2), (0, p.shape[1] % 2)))
        p = (p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4
        prewitt = numpy.array([[1, 0, -1]] * 3) / 3
        return numpy.hypot(*(scipy.ndimage.correlate(p, k, mode="constant") for k in (prewitt, prewitt.T)))

    a, b = gradient(image), gradient(reference)
    similarity = (2 * a * b + 170) / (a * a + b * b + 170)
    whole = piq.gmsd(tensor(luma(image)), tensor(luma(reference)), data_range=255.0).item()
    assert abs(whole - similarity.std()) < 1e-7, (whole, similarity.std())
    return {"whole": whole, "zones": zones([similarity], 2, 0.5, image.shape[:2], lambda part: float(part.std()))}


# ---- VIF: piq ----
def vif(image, reference):
    a, b, eps = luma(image), luma(reference), 1e-8
    size, step, offset, kept, possible = a.shape, 1, 0, [], []
    totals = numpy.zeros(2)
    for scale in range(4):
        n = 2 ** (4 - scale) + 1
        taps = gaussian(n, n / 5)
        if scale:
            a, b = window(a, taps)[::2, ::2], window(b, taps)[::2, ::2]
            offset, step = offset + step * (n // 2), step * 2
        _, _, var_a, var_b, cov = moments(a, b, taps)
        var_a, var_b = numpy.maximum(var_a, 0), numpy.maximum(var_b, 0)
        gain = numpy.where((var_a >= eps) & (var_b >= eps), numpy.maximum(cov / (var_b + eps), 0), 0)
        var_b = numpy.where(var_b >= eps, var_b, 0)
        distortion = numpy.maximum(var_a - gain * cov, eps)
        maps = [numpy.log10(1 + gain ** 2 * var_b / (distortion + 2)), numpy.log10(1 + var_b / 2)]
        totals += [m.sum() for m in maps]
        place = step, offset + step * (n // 2), size
        kept.append(zones(maps[:1], *place, lambda part: float(part.sum())))
        possible.append(zones(maps[1:], *place, lambda part: float(part.sum())))
    whole = piq.vif_p(tensor(luma(image)), tensor(luma(reference)), data_range=255.0).item()
    own = (totals[0] + eps) / (totals[1] + eps)
    assert abs(whole - own) < 1e-7, (whole, own)
    joined = [None if None in k else (sum(k) + eps) / (sum(p) + eps) for k, p in zip(zip(*kept), zip(*possible))]
    return {"whole": whole, "zones": joined}


# ---- FLIP and HDR-FLIP: the authors' flip-evaluator ----
def flip(image, reference, kind):
    error, _, parameters = flip_evaluator.evaluate(reference, image, kind, applyMagma=False)
    error = error.reshape(image.shape[:2])
    value = {"whole": mean(error), "zones": zones([error], 1, 0, error.shape, mean)}
    if kind == "HDR":
        value["exposures"] = [parameters[k] for k in ("startExposure", "stopExposure", "numExposures")]
    return value


def psnr(image, reference):
    difference = (image.astype(numpy.int64) - reference) ** 2
    whole = skimage.metrics.peak_signal_noise_ratio(reference, image, data_range=255)
    return {"whole": whole, "zones": zones([difference], 1, 0, image.shape[:2],
                                           lambda part: float(10 * numpy.log10(255 ** 2 / part.mean())))}


def measure(image, reference):
    unit = [(p / 255).astype(numpy.float32) for p in (image, reference)]
    return {"psnr": psnr(image, reference), "ssim": ssim(image, reference), "ms-ssim": ms_ssim(image, reference),
            "gmsd": gmsd(image, reference), "vif": vif(image, reference), "flip": flip(*unit, "LDR")}


def main(root):
    folder = os.path.join(root, "tests/golden/noise/metrics")
    pairs = []
    for reference, image in EXAMPLES:
        paths = [f"examples/{image}.jpg", f"examples/{reference}.jpg"]
        pictures = [numpy.array(PIL.Image.open(os.path.join(root, p)).convert("RGB")) for p in paths]
        pairs.append({"image": paths[0], "reference": paths[1], "metrics": measure(*pictures)})
    for name in RENDERS:
        paths = [f"tests/golden/noise/metrics/{name}_{what}.exr" for what in ("image", "reference")]
        light = [read_exr(os.path.join(root, p)) for p in paths]
        metrics = measure(*(screen(p) for p in light))
        metrics["hdr-flip"] = flip(*light, "HDR")
        pairs.append({"image": paths[0], "reference": paths[1], "metrics": metrics})
    with open(os.path.join(folder, "metrics.json"), "w", encoding="utf-8") as file:
        json.dump(pairs, file, indent=1)
        file.write("\n")


main(sys.argv[1])
