# SPDX-License-Identifier: Apache-2.0
"""Projector and decoder in PyTorch: a small LLaMA over image tokens and text (docs/models/compact.md, 3 to 5)."""
import math

import torch
import torch.nn.functional as F
from torch import nn

import config as C


class Projector(nn.Module):
    """Statistics -> attributes -> image tokens; both maps linear."""

    def __init__(self, n_stats):
        super().__init__()
        self.attr = nn.Linear(n_stats, len(C.ATTRIBUTES))
        self.token = nn.Linear(len(C.ATTRIBUTES), C.N_IMAGE_TOKENS * C.N_EMBD)

    def tokens(self, a):
        return self.token(a).view(-1, C.N_IMAGE_TOKENS, C.N_EMBD)


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C.N_EMBD))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + C.RMS_EPS) * self.weight


def rope(x, cos, sin):
    """Rotates adjacent pairs (2i, 2i+1); x [b, t, h, d], cos and sin [t, d/2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = cos[None, :, None], sin[None, :, None]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(3)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        kv = C.N_HEAD_KV * C.N_EMBD // C.N_HEAD
        line = lambda i, o: nn.Linear(i, o, bias=False)
        self.attn_norm, self.ffn_norm = RmsNorm(), RmsNorm()
        self.attn_q, self.attn_output = line(C.N_EMBD, C.N_EMBD), line(C.N_EMBD, C.N_EMBD)
        self.attn_k, self.attn_v = line(C.N_EMBD, kv), line(C.N_EMBD, kv)
        self.ffn_gate, self.ffn_up = line(C.N_EMBD, C.N_FF), line(C.N_EMBD, C.N_FF)
        self.ffn_down = line(C.N_FF, C.N_EMBD)

    def attention(self, x, cos, sin, mask):
        b, t, _ = x.shape
        d = C.N_EMBD // C.N_HEAD
        q = rope(self.attn_q(x).view(b, t, C.N_HEAD, d), cos, sin).transpose(1, 2)
        k = rope(self.attn_k(x).view(b, t, C.N_HEAD_KV, d), cos, sin).transpose(1, 2)
        v = self.attn_v(x).view(b, t, C.N_HEAD_KV, d).transpose(1, 2)
        group = C.N_HEAD // C.N_HEAD_KV       # query head h reads key/value head h // group
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        w = (q @ k.transpose(2, 3) / math.sqrt(d) + mask).softmax(-1)
        return self.attn_output((w @ v).transpose(1, 2).reshape(b, t, C.N_EMBD))

    def forward(self, x, cos, sin, mask):
        x = x + self.attention(self.attn_norm(x), cos, sin, mask)
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = nn.Embedding(C.VOCAB_SIZE, C.N_EMBD)
        self.blk = nn.ModuleList(Layer() for _ in range(C.N_LAYER))
        self.output_norm = RmsNorm()
        self.output = nn.Linear(C.N_EMBD, C.VOCAB_SIZE, bias=False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.05)

    def forward(self, x):
        """x [b, t, n_embd] -> normalised hidden states [b, t, n_embd]; `output` makes logits of them."""
        t, d = x.shape[1], C.N_EMBD // C.N_HEAD
        freq = C.ROPE_BASE ** (-torch.arange(0, d, 2).to(x) / d)
        angle = torch.arange(t).to(x)[:, None] * freq
        mask = torch.full((t, t), float("-inf")).to(x).triu(1)
        cos, sin = angle.cos(), angle.sin()
        for layer in self.blk:
            x = layer(x, cos, sin, mask)
        return self.output_norm(x)


def prompt_chunks(sp, prompt, answer=""):
    """Token ids in front of and behind the image tokens; BOS comes once, in front."""
    before, after = C.TEMPLATE.replace("{prompt}", prompt).split("<image>")
    return [sp.bos_id()] + sp.encode(before), sp.encode(after + answer)


def embed(decoder, before, image_tokens, after):
    """One sequence [1, t, n_embd]."""
    ids = lambda x: decoder.token_embd(torch.tensor(x)[None])
    return torch.cat([ids(before), image_tokens, ids(after)], 1)


def greedy(decoder, sp, image_tokens, prompt, limit=48):
    """Greedy answer: (ids, text, smallest gap between the best and the second logit)."""
    before, after = prompt_chunks(sp, prompt)
    out, margin = [], float("inf")
    while len(out) < limit:
        logits = decoder.output(decoder(embed(decoder, before, image_tokens, after + out))[0, -1])
        best, second = logits.topk(2).values.tolist()
        margin = min(margin, best - second)
        out.append(int(logits.argmax()))
        if out[-1] == sp.eos_id():
            break
    text = [i for i in out if i != sp.eos_id()]
    return out, sp.decode(text), margin
