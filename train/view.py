# SPDX-License-Identifier: Apache-2.0
"""From a picture file to the u8 view the tower sees (docs/models/compact.md, section 1)."""
import io

import numpy as np
from PIL import Image, ImageCms, ImageOps

import config as C

_SRGB = ImageCms.createProfile("sRGB")


def decode_managed(path):
    """8-bit sRGB: EXIF orientation applied, ICC profile converted, alpha over white."""
    im = Image.open(path)
    icc = im.info.get("icc_profile")
    im = ImageOps.exif_transpose(im)
    if im.mode in ("RGBA", "LA", "PA") or "transparency" in im.info:
        rgba = im.convert("RGBA")
        im = Image.alpha_composite(Image.new("RGBA", im.size, (255,) * 4), rgba).convert("RGB")
    if icc and im.mode == "RGB":
        try:
            im = ImageCms.profileToProfile(im, ImageCms.ImageCmsProfile(io.BytesIO(icc)), _SRGB)
        except ImageCms.PyCMSError:
            pass      # a broken profile means sRGB, as for a file without one
    return im.convert("RGB")


def view_size(w, h):
    short = min(w, h)
    scale = C.SHORT_SIDE / short if short > C.SHORT_SIDE else 1.0
    side = lambda n: max(C.MIN_SIDE, min(C.MAX_LONG_SIDE, int(np.floor(n * scale + 0.5))))
    return side(w), side(h)


def make_view(im):
    """PIL RGB image -> u8 [h, w, 3]."""
    size = view_size(*im.size)
    if size != im.size:
        im = im.resize(size, Image.BICUBIC)
    return np.asarray(im)
