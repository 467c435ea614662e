# SPDX-License-Identifier: Apache-2.0
"""Degradations of an undegraded canvas, in the order a camera and its file meet them.

`apply(canvas, recipe, rng)` runs a recipe {family: strength 0..1}; every strength, even 0, is visible. Each function
takes and returns u8 RGB. Ranges are those of the measured recipe (train/README.md).
"""
import io

import cv2
import numpy as np
from PIL import Image


def to_linear(u8):
    x = u8.astype(np.float32) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def to_u8(linear):
    x = np.clip(linear, 0, 1)
    x = np.where(x <= 0.0031308, x * 12.92, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055)
    return clip_u8(x * 255)


def clip_u8(x):
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


def _filter(u8, kernel):
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return to_u8(cv2.filter2D(to_linear(u8), -1, kernel, borderType=cv2.BORDER_REFLECT))


def defocus(u8, t, rng):
    r = 0.8 + 7 * t ** 1.3
    n = int(np.ceil(r)) + 1
    y, x = np.mgrid[-n:n + 1, -n:n + 1]
    return _filter(u8, np.clip(r + 0.5 - np.hypot(x, y), 0, 1))


def gaussian(u8, t, rng):
    return cv2.GaussianBlur(u8, (0, 0), 0.5 + 4.5 * t ** 1.3)


def motion(u8, t, rng):
    """A straight or slightly bent stroke, drawn at 8-fold subpixels."""
    length = 2 + 22 * t ** 1.3
    n = int(np.ceil(length / 2)) + 2
    kernel = np.zeros((2 * n + 1, 2 * n + 1), np.float32)
    angle, bend = rng.uniform(0, np.pi), rng.normal(0, 0.4)
    for s in np.linspace(-0.5, 0.5, int(length * 8)):
        a = angle + bend * s
        x, y = n + s * length * np.cos(a), n + s * length * np.sin(a)
        x0, y0 = int(np.floor(x)), int(np.floor(y))
        for dy in (0, 1):
            for dx in (0, 1):
                kernel[y0 + dy, x0 + dx] += abs(1 - dx - (x - x0)) * abs(1 - dy - (y - y0))
    return _filter(u8, kernel)


def noise(u8, t, rng):
    """Shot and read noise in linear light; sometimes correlated, as after demosaicing and scaling."""
    well, read = 10 ** (4.2 - 2.6 * t), 1.5 + 5 * t
    electrons = to_linear(u8) * well
    grain = rng.standard_normal(u8.shape, dtype=np.float32)
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 2.2
    return to_u8((electrons + np.sqrt(electrons + read * read) * grain) / well)


def _expose(u8, ev):
    return to_u8(to_linear(u8) * 2.0 ** ev)


def dark(u8, t, rng):
    return _expose(u8, -0.7 - 3.6 * t)


def bright(u8, t, rng):
    return _expose(u8, 0.5 + 2.3 * t)


def night(u8, t, rng):
    """Under-exposure with the noise and the softness that go with it."""
    u8 = _expose(u8, -1.5 - 2.5 * t)
    return gaussian(noise(u8, 0.3 + 0.5 * t, rng), 0.1 * t, rng)


def haze(u8, t, rng):
    """Scattering with a smooth random depth (Koschmieder): J e^-d + A (1 - e^-d)."""
    h, w = u8.shape[:2]
    depth = cv2.resize(rng.uniform(0.4, 1, (3, 3)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    through = np.exp(-(0.3 + 2.4 * t) * depth)[..., None]
    air = rng.uniform(0.55, 0.95) * np.ones(3) + rng.normal(0, 0.03, 3)
    return to_u8(to_linear(u8) * through + air.astype(np.float32) * (1 - through))


def contrast(u8, t, rng):
    mid = rng.uniform(90, 160)
    return clip_u8((u8.astype(np.float32) - mid) * (0.8 - 0.6 * t) + mid)


def cast(u8, t, rng):
    gain = np.exp((0.12 + 0.5 * t) * rng.normal(0, 1, 3)).astype(np.float32)
    return to_u8(to_linear(u8) * gain / gain.mean())


def saturation(u8, factor):
    grey = cv2.cvtColor(u8, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    return clip_u8(grey + (u8.astype(np.float32) - grey) * factor)


def oversaturated(u8, t, rng):
    return saturation(u8, 1.4 + 2 * t)


def dull(u8, t, rng):
    return saturation(u8, 0.7 * (1 - t))


def pixelated(u8, t, rng):
    h, w = u8.shape[:2]
    f = 1.2 + 5 * t ** 1.3
    small = cv2.resize(u8, (max(8, int(w / f)), max(8, int(h / f))), interpolation=cv2.INTER_AREA)
    way = rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_CUBIC])
    return cv2.resize(small, (w, h), interpolation=int(way))


def smear(u8, t, rng):
    """Denoising that eats texture: a bilateral filter, or a median at high strength."""
    if rng.random() < 0.7:
        return cv2.bilateralFilter(u8, 9, 18 + 90 * t, 2 + 3 * t)
    return cv2.medianBlur(u8, 3 + 2 * int(3.5 * t))


def oversharpened(u8, t, rng):
    x = u8.astype(np.float32)
    return clip_u8(x + (0.8 + 4 * t) * (x - cv2.GaussianBlur(x, (0, 0), rng.uniform(0.7, 1.8))))


def banding(u8, t, rng):
    levels = int(round(24 - 19 * t))
    x = u8.astype(np.float32) / 255 * (levels - 1)
    return clip_u8(np.floor(x + 0.5) * 255 / (levels - 1))


def compression(u8, t, rng):
    """JPEG mostly, sometimes WebP or JPEG 2000; sometimes twice at a shifted grid, as files passed on are."""
    q = int(70 * (1 - t) ** 1.6 + 4)
    kind = rng.choice(["JPEG", "JPEG", "JPEG", "WEBP", "JPEG2000"])
    out = io.BytesIO()
    im = Image.fromarray(u8)
    if kind == "JPEG2000":
        im.save(out, kind, quality_mode="rates", quality_layers=[12 * 14 ** t])
    elif kind == "WEBP":
        im.save(out, kind, quality=max(0, q - 8), method=2)
    else:
        im.save(out, kind, quality=q, subsampling=int(rng.choice([0, 2])))
    u8 = np.asarray(Image.open(out).convert("RGB"))
    if kind == "JPEG" and rng.random() < 0.2:
        u8 = np.roll(compression(np.roll(u8, (3, 5), (0, 1)), t * 0.7, rng), (-3, -5), (0, 1))
    return u8


def camera_file(u8, rng):
    """The mild JPEG of a camera; does not count as a fault."""
    out = io.BytesIO()
    Image.fromarray(u8).save(out, "JPEG", quality=int(rng.integers(86, 97)), subsampling=int(rng.choice([0, 2])))
    return np.asarray(Image.open(out))


def impulse(u8, t, rng):
    """Dead pixels and transmission errors: salt and pepper."""
    hit = rng.random(u8.shape[:2]) < 0.004 + 0.1 * t * t
    out = u8.copy()
    out[hit] = rng.choice([0, 255], (int(hit.sum()), 1 if rng.random() < 0.5 else 3))
    return out


def speckle(u8, t, rng):
    x = u8.astype(np.float32)
    return clip_u8(x * (1 + (0.04 + 0.4 * t) * rng.standard_normal(u8.shape, dtype=np.float32)))


def jitter(u8, t, rng):
    """Every pixel comes from a random near place."""
    h, w = u8.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    reach = 0.5 + 4 * t
    at = lambda base: base + rng.uniform(-reach, reach, (h, w)).astype(np.float32)
    return cv2.remap(u8, at(x), at(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def lost_blocks(u8, t, rng):
    """Blocks replaced by a flat colour or by a neighbouring patch."""
    out, (h, w) = u8.copy(), u8.shape[:2]
    for _ in range(int(2 + 30 * t)):
        n = int(rng.integers(12, 36))
        y, x = int(rng.integers(0, h - n)), int(rng.integers(0, w - n))
        if rng.random() < 0.5:
            out[y:y + n, x:x + n] = rng.integers(0, 256, 3)
        else:
            v, u = np.clip([y + rng.integers(-n, n), x + rng.integers(-n, n)], 0, [h - n, w - n])
            out[y:y + n, x:x + n] = u8[v:v + n, u:u + n]
    return out


def chroma_blur(u8, t, rng):
    """Colours that run over edges; luma stays sharp."""
    lab = cv2.cvtColor(u8, cv2.COLOR_RGB2LAB)
    soft = cv2.GaussianBlur(lab, (0, 0), 2 + 14 * t)
    return cv2.cvtColor(np.dstack([lab[..., :1], soft[..., 1:]]), cv2.COLOR_LAB2RGB)


def shifted(u8, t, rng):
    """All values moved up or down, as by a wrong black level."""
    return clip_u8(u8.astype(np.float32) + rng.choice([-1, 1]) * (12 + 60 * t))


# Rare families, made in a round of their own (see make_set.py), applied after the others.
RARE = {
    "impulse": (impulse, 1.5, {"noise": 1}), "speckle": (speckle, 1.0, {"noise": 1}),
    "jitter": (jitter, 1.0, {"smear": 0.8}), "lost_blocks": (lost_blocks, 1.0, {"compression": 0.8}),
    "chroma_blur": (chroma_blur, 0.7, {}), "shifted": (shifted, 0.8, {}),
}

# family: (function, weight, attributes it shows as). The order is the order of application.
FAMILIES = {
    "haze": (haze, 1.0, {"haze": 1}), "contrast": (contrast, 0.7, {"haze": 0.8}),
    "defocus": (defocus, 2.0, {"blur": 1}), "gaussian": (gaussian, 1.2, {"blur": 0.9}),
    "motion": (motion, 2.2, {"motion": 1}),
    "dark": (dark, 1.3, {"dark": 1}), "bright": (bright, 1.3, {"bright": 1}),
    "night": (night, 1.2, {"night": 1, "noise": 0.6}),
    "noise": (noise, 1.8, {"noise": 1}), "smear": (smear, 0.8, {"smear": 1}),
    "oversharpened": (oversharpened, 0.7, {"oversharpened": 1}),
    "pixelated": (pixelated, 1.0, {"pixelated": 1}),
    "cast": (cast, 0.6, {"cast": 1}), "oversaturated": (oversaturated, 0.4, {"oversaturated": 1}),
    "dull": (dull, 0.3, {}), "banding": (banding, 0.4, {"banding": 1}),
    "compression": (compression, 2.0, {"compression": 1}),
}


def random_recipe(rng):
    """One, two or three families at 45/35/20 %."""
    names = list(FAMILIES)
    weight = np.array([FAMILIES[n][1] for n in names])
    count = rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2])
    chosen = rng.choice(names, count, replace=False, p=weight / weight.sum())
    # several faults at full strength leave nothing to grade
    top = {1: 1.0, 2: 0.8, 3: 0.65}[int(count)]
    return {str(n): float(rng.uniform(0, top)) for n in chosen}


def rare_recipe(rng):
    """One rare family, in half the cases with one common fault."""
    names = list(RARE)
    weight = np.array([RARE[n][1] for n in names])
    recipe = {str(rng.choice(names, p=weight / weight.sum())): float(rng.uniform(0, 1))}
    if rng.random() < 0.5:
        common = random_recipe(rng)
        name = next(iter(common))
        recipe[name] = common[name] * 0.7
    return recipe


def apply(u8, recipe, rng):
    for name, (function, _, _) in {**FAMILIES, **RARE}.items():
        if name in recipe:
            u8 = function(u8, recipe[name], rng)
    if "compression" not in recipe and rng.random() < 0.5:
        u8 = camera_file(u8, rng)
    return u8


def severities(recipe):
    """Attribute -> severity 0..1 of a recipe; a present family shows at 0.25 or more."""
    out = {}
    for name, t in recipe.items():
        for attribute, gain in {**FAMILIES, **RARE}[name][2].items():
            out[attribute] = max(out.get(attribute, 0), gain * (0.25 + 0.75 * t))
    return out
