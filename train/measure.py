# SPDX-License-Identifier: Apache-2.0
"""Correlation with human scores, for measuring only: nothing here feeds training or the choice of a checkpoint.

`python3 measure.py --data ../../shared/data/human-scores [--jsonl FILE] [--baselines]`: SRCC and PLCC (plain Pearson)
of every set with at least --min images, for the shipped GGUF run in PyTorch, for the scores in a JSONL file
({"path": ..., "score": ...} a line, as `qboost score --json` writes; run in the same folder), and for NIQE and BRISQUE
of public packages.
"""
import argparse
import csv
import json
import os

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr

import config as C
import vocab
from checkpoint import Compact
from decoder import embed, prompt_chunks
from view import decode_managed, make_view

GROUP = ("good", "average", "poor")


def model_scores(paths):
    """{path: TTI score} of the GGUF, plus the raw quality attribute for comparison."""
    torch.set_num_threads(2)
    sp, model = vocab.load(), Compact(C.GGUF)
    ids = [sp.encode(w)[0] for w in GROUP]
    before, after = prompt_chunks(sp, C.RATE_PROMPT)
    score, attribute = {}, {}
    for p in paths:
        with torch.no_grad():
            _, a = model.attributes(make_view(decode_managed(p)))
            tokens = model.projector.tokens(a[None])
            logits = model.decoder.output(model.decoder(embed(model.decoder, before, tokens, after))[0, -1])
        good, average, _ = logits[ids].softmax(0).tolist()
        score[p], attribute[p] = good + average / 2, float(a[0])
    return {"compact (tti)": score, "quality attribute": attribute}


def jsonl_scores(path):
    rows = [json.loads(line) for line in open(path) if line.strip()]
    return {os.path.realpath(r.get("path") or r["file"]): r["score"] for r in rows if "score" in r}


def baseline_scores(paths):
    import baselines
    niqe, brisque = {}, {}
    for p in paths:
        im = decode_managed(p)
        niqe[p], brisque[p] = -baselines.niqe(np.asarray(im)), -baselines.brisque(np.asarray(im))
    return {"NIQE": niqe, "BRISQUE": brisque}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--data", default=os.path.join(os.path.dirname(__file__), "../../shared/data/human-scores"))
    ap.add_argument("--jsonl")
    ap.add_argument("--baselines", action="store_true")
    ap.add_argument("--min", type=int, default=30)
    args = ap.parse_args()
    sets = {}
    for row in csv.DictReader(open(os.path.join(args.data, "labels.csv"))):
        path = os.path.realpath(os.path.join(args.data, row["file"]))
        sets.setdefault(row["dataset"], []).append((path, float(row["mos_0_1"])))
    sets = {k: v for k, v in sets.items() if len(v) >= args.min}
    paths = [p for v in sets.values() for p, _ in v]
    methods = {args.jsonl: jsonl_scores(args.jsonl)} if args.jsonl else model_scores(paths)
    if args.baselines:
        methods.update(baseline_scores(paths))
    for name, scores in methods.items():
        for key, items in sets.items():
            pairs = [(scores[p], m) for p, m in items if p in scores]
            if len(pairs) < 3:
                continue
            s, m = np.array(pairs).T
            print("%-18s %-14s n %4d  SRCC %6.3f  PLCC %6.3f" % (name, key, len(s), spearmanr(s, m)[0],
                                                                 pearsonr(s, m)[0]))


if __name__ == "__main__":
    main()
