# SPDX-License-Identifier: Apache-2.0
"""Trains the projector's token map and the decoder on cached attributes: ratings and short answers.

`python3 train_decoder.py [--steps N]`: resumes from decoder.pt's optimiser state when it is there. The rating is
taught as a function of the quality attribute alone, over a wider range than the training photos have and with the
other attributes shaken, because the linear attribute generalises better than anything nonlinear after it.
"""
import argparse
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

import answers
import checkpoint
import config as C
import dataset
import features
import vocab
from decoder import Decoder, Projector, prompt_chunks

BATCH, RATE, DECAY, WARM = 48, 2e-3, 0.02, 100
STATE = os.path.join(C.WORK, "decoder_state.pt")
IGNORE = -100


def rate_logits(q):
    """Target logits of the rating words at quality q [b] -> [b, words]."""
    z = (2 * q - 1).clamp(-1.8, 1.8)[:, None]
    mu = torch.tensor([m for _, m, _ in C.RATE_WORDS])
    prior = torch.tensor([p for _, _, p in C.RATE_WORDS])
    return C.RATE_SLOPE * (mu * z - mu * mu / 2) + prior


class Sampler:
    """Draws conversations about random canvases."""

    def __init__(self, rng):
        self.rng, self.sp = rng, vocab.load()
        self.rows = dataset.labels()
        attr = np.load(checkpoint.ATTR)
        self.a = torch.from_numpy(np.load(features.CACHE) @ attr["weight"].T + attr["bias"])
        self.mean, self.std = self.a.mean(0), self.a.std(0)
        self.test = dataset.held_out(self.rows)
        self.train = np.flatnonzero(~self.test)
        self.words = [self.sp.encode(w)[0] for w, _, _ in C.RATE_WORDS]
        self.before = prompt_chunks(self.sp, "")[0]

    def state(self, i):
        row = self.rows[i]
        state = {name: 0.0 for name in C.ATTRIBUTES}
        state.update(row["severity"])
        state.update(row["measured"])
        state["quality"] = float(self.a[i, 0])
        return state

    def rating(self, i):
        """(attributes, ids behind the image, labels, position of the tone word)."""
        rng = self.rng
        a = self.a[i].clone()
        if rng.random() < 0.3:
            a = self.mean + self.std * torch.randn(len(a)) * 1.3
        else:
            a = a + self.std * torch.randn(len(a)) * rng.choice([0, 0.1, 0.5])
        if rng.random() < 0.6:
            a[0] = rng.uniform(-0.4, 1.4)
        prompt = C.RATE_PROMPT if rng.random() < 0.5 else rng.choice(answers.RATE)
        prefix = " " + rng.choice(answers.RATE_PREFIXED) if rng.random() < 0.2 else ""
        ids = prompt_chunks(self.sp, prompt)[1]
        ids = ids + (self.sp.encode(prefix.strip()) if prefix else [])
        p = rate_logits(a[:1])[0].softmax(0)
        word = self.words[int(torch.multinomial(p, 1))]
        return a, ids + [word], [IGNORE] * len(ids) + [self.sp.eos_id()], len(ids) - 1

    def question(self, i):
        q, answer = answers.sample(self.state(i), self.rng)
        if self.rng.random() < 0.1:
            q = q.lower()
        ids = prompt_chunks(self.sp, q)[1]
        reply = self.sp.encode(answer)
        a = self.a[i] + self.std * torch.randn(len(self.mean)) * 0.1
        return a, ids + reply, [IGNORE] * (len(ids) - 1) + reply + [self.sp.eos_id()], None

    def batch(self, size, pool=None):
        pool = self.train if pool is None else pool
        items = [(self.rating if self.rng.random() < 0.4 else self.question)(int(self.rng.choice(pool)))
                 for _ in range(size)]
        width = max(len(ids) for _, ids, _, _ in items)
        ids = torch.tensor([x + [0] * (width - len(x)) for _, x, _, _ in items])
        labels = torch.tensor([x + [IGNORE] * (width - len(x)) for _, _, x, _ in items])
        rated = [(b, p) for b, (_, _, _, p) in enumerate(items) if p is not None]
        return torch.stack([a for a, _, _, _ in items]), ids, labels, rated


def losses(projector, decoder, sampler, batch):
    a, ids, labels, rated = batch
    tokens = projector.tokens((a - sampler.mean) / sampler.std)
    before = decoder.token_embd(torch.tensor(sampler.before)).expand(len(a), -1, -1)
    hidden = decoder(torch.cat([before, tokens, decoder.token_embd(ids)], 1))[:, -ids.shape[1]:]
    taught = labels != IGNORE        # logits only where there is something to learn
    text = F.cross_entropy(decoder.output(hidden[taught]), labels[taught])
    b, p = torch.tensor(rated).T
    first = decoder.output(hidden[b, p]).log_softmax(1)
    goal = rate_logits(a[b, 0])
    words = first[:, sampler.words]
    spread = lambda x: x - x.mean(1, keepdim=True)
    rate = F.kl_div(words, goal.softmax(1), reduction="batchmean") + 0.05 * F.mse_loss(spread(words), spread(goal))
    return text, rate, tti_error(words, goal)


def tti_error(words, goal):
    tti = lambda x: (x[:, :3].softmax(1) * torch.tensor([1, 0.5, 0])).sum(1)
    return (tti(words.detach()) - tti(goal)).abs().mean()


def fold(projector, sampler):
    """The token map on raw attributes instead of standardised ones."""
    w = projector.token.weight.detach() / sampler.std
    return {"weight": w, "bias": projector.token.bias.detach() - w @ sampler.mean}


def save(projector, decoder, sampler, optimiser, step):
    torch.save({"token": fold(projector, sampler), "decoder": decoder.state_dict()}, checkpoint.DECODER + ".tmp")
    os.replace(checkpoint.DECODER + ".tmp", checkpoint.DECODER)
    torch.save({"step": step, "projector": projector.state_dict(), "decoder": decoder.state_dict(),
                "optimiser": optimiser.state_dict()}, STATE)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--steps", type=int, default=3000)
    ap.add_argument("--fresh", action="store_true", help="forget an earlier run")
    args = ap.parse_args()
    torch.manual_seed(C.SEED)
    torch.set_num_threads(1)       # on a shared machine two threads wait for each other more than they work
    sampler = Sampler(random.Random(C.SEED))
    projector, decoder = Projector(checkpoint.n_stats()), Decoder()
    torch.nn.init.normal_(projector.token.weight, std=0.02)
    params = list(projector.token.parameters()) + list(decoder.parameters())
    optimiser = torch.optim.AdamW(params, RATE, (0.9, 0.98), weight_decay=DECAY)
    start = 0
    if os.path.exists(STATE) and not args.fresh:
        state = torch.load(STATE)
        projector.load_state_dict(state["projector"])
        decoder.load_state_dict(state["decoder"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["step"]
    began = time.time()
    for step in range(start, args.steps):
        rate = RATE * min(1, (step + 1) / WARM) * (0.5 + 0.5 * np.cos(np.pi * step / args.steps))
        optimiser.param_groups[0]["lr"] = rate
        text, rating, tti = losses(projector, decoder, sampler, sampler.batch(BATCH))
        optimiser.zero_grad()
        (text + rating).backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimiser.step()
        if (step + 1) % 50 == 0:
            with torch.no_grad():
                held = losses(projector, decoder, sampler, sampler.batch(96, np.flatnonzero(sampler.test)))
            print("step %d  train %.3f %.4f  held-out answers %.3f rating %.4f tti error %.4f  %.0f s" % (
                step + 1, text, rating, *held, time.time() - began), flush=True)
            save(projector, decoder, sampler, optimiser, step + 1)


if __name__ == "__main__":
    main()
