# SPDX-License-Identifier: Apache-2.0
"""NIQE and BRISQUE by public packages, to measure beside the model; nothing of them is in the repository.

NIQE: basicsr 1.4.2 (`calculate_niqe`, its own parameter file), on the Y channel, crop_border 0. BRISQUE: brisque
0.2.0 (its own SVM). `make baselines` fetches both. Lower is better for either, so callers flip the sign.
"""
import importlib
import os
import sys
import types
import warnings

import numpy as np

import config as C

BASICSR = os.path.join(C.WORK, "baselines", "basicsr-1.4.2", "basicsr")
_loaded = {}


def _niqe_module():
    """Imports basicsr's niqe.py without the package's own start-up, which needs a full training environment."""
    if "niqe" not in _loaded:
        for name in ("basicsr", "basicsr.metrics", "basicsr.utils"):
            module = types.ModuleType(name)
            module.__path__ = [os.path.join(BASICSR, *name.split(".")[1:])]
            sys.modules[name] = module
        warnings.simplefilter("ignore")
        functions = importlib.import_module("basicsr.utils.color_util")
        sys.modules["basicsr.utils"].bgr2ycbcr = functions.bgr2ycbcr
        _loaded["niqe"] = importlib.import_module("basicsr.metrics.niqe")
    return _loaded["niqe"]


def niqe(rgb):
    """rgb u8 [h, w, 3]."""
    m = _niqe_module()
    return float(np.squeeze(m.calculate_niqe(np.ascontiguousarray(rgb[..., ::-1]).astype(np.float32), 0,
                                             input_order="HWC", convert_to="y")))


def brisque(rgb):
    if "brisque" not in _loaded:
        from brisque import BRISQUE
        _loaded["brisque"] = BRISQUE(url=False)
    return float(_loaded["brisque"].score(rgb))
