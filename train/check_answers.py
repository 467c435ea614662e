# SPDX-License-Identifier: Apache-2.0
"""How well the shipped GGUF answers yes/no questions about held-out canvases (made ones, not real photos).

`python3 check_answers.py [--count N]`: for every fault the share of right answers among pictures that have it and
among pictures that do not, by the larger of the logits of Yes and No, and their mean. Needs the cached features.
"""
import argparse

import numpy as np
import torch

import answers
import config as C
import dataset
import features
import vocab
from checkpoint import Compact
from decoder import prompt_chunks


@torch.no_grad()
def says_yes(model, sp, attributes, question):
    """attributes [n, n_attr] -> bool [n]."""
    yes, no = sp.encode("Yes")[0], sp.encode("No")[0]
    before, after = prompt_chunks(sp, question)
    out = []
    for a in attributes.split(100):
        tokens = model.projector.tokens(a)
        ids = lambda x: model.decoder.token_embd(torch.tensor(x)).expand(len(a), -1, -1)
        logits = model.decoder.output(model.decoder(torch.cat([ids(before), tokens, ids(after)], 1))[:, -1])
        out.append(logits[:, yes] > logits[:, no])
    return torch.cat(out).numpy()


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--count", type=int, default=600)
    args = ap.parse_args()
    torch.set_num_threads(2)
    sp, model, rows = vocab.load(), Compact(C.GGUF), dataset.labels()
    index = np.random.default_rng(C.SEED).choice(np.flatnonzero(dataset.held_out(rows)), args.count, False)
    with torch.no_grad():
        a = model.projector.attr(torch.from_numpy(np.load(features.CACHE)[index]))
    scores = []
    for fault, (adjective, _, _) in answers.FAULTS.items():
        states = [{**dict.fromkeys(C.ATTRIBUTES, 0), **rows[i]["severity"]} for i in index]
        s = np.array([answers.severity(x, fault) for x in states])
        yes = says_yes(model, sp, a, "Is the image %s?" % adjective)
        has, free = s >= answers.SLIGHT, s < answers.SLIGHT
        strong = s >= answers.STRONG
        scores.append((yes[has].mean() + (~yes[free]).mean()) / 2)
        print("%-22s has it %4d  yes %.2f (strong %.2f)  has it not %4d  no %.2f  mean %.2f" % (
            adjective, has.sum(), yes[has].mean(), yes[strong].mean(), free.sum(), (~yes[free]).mean(), scores[-1]))
    print("mean over faults %.3f" % np.mean(scores))


if __name__ == "__main__":
    main()
