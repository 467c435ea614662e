#!/usr/bin/env python3
"""How often people agree with `qboost compare`, by how sure it is.

usage: compare_sureness.py SCORES.jsonl LABELS.csv [DATASET]

SCORES.jsonl: lines of `qboost score --json`. LABELS.csv: columns file, dataset, mos_raw. All pairs of
a data set's pictures are formed, but for those that people found equally good; for each the odds that
the better-scored one is better are worked out as `qboost compare` does, from score and tones, and
pairs are counted in bins of 5 %: how sure compare was on average, and in how many of a hundred pairs
people's opinion was on its side. Prints one table a data set.
"""
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import math
import sys

BINS = 10  # from 50 % to 100 %
WEIGHTS = {"p_good": 1.0, "p_average": 0.5, "p_poor": 0.0}  # of the method tti


def read_scores(path):
    """{path: (score, variance of the weights under the tones' probabilities)}"""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if "score" not in record:
                continue
            if record["method"] != "tti" or record["scale"] != "0-1":
                sys.exit("%s: scores by --method tti on the scale 0-1 are expected" % path)
            score = record["score"]
            variance = sum(record[tone] * (weight - score) ** 2 for tone, weight in WEIGHTS.items())
            found[record["path"]] = score, variance
    return found


def read_sets(labels, scores, wanted):
    """{data set: [(opinion, score, variance)]}; a score belongs to the label its path ends with."""
    sets = {}
    with open(labels, newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            if wanted and row["dataset"] != wanted:
                continue
            match = [s for path, s in scores.items() if ("/" + path).endswith("/" + row["file"])]
            if len(match) == 1:
                sets.setdefault(row["dataset"], []).append((float(row["mos_raw"]), *match[0]))
    return sets


def p_better(a, b):
    """Thurstone's law of comparative judgment, case III; see include/qboost/compare.h."""
    spread = math.sqrt(2 * (a[2] + b[2]))
    return 0.5 * math.erfc((b[1] - a[1]) / spread) if spread > 0 else 0.5


def print_table(name, pictures):
    bins = [[0, 0.0, 0] for _ in range(BINS)]  # pairs, sum of how sure, agreements
    for i, a in enumerate(pictures):
        for b in pictures[:i]:
            if a[0] == b[0]:
                continue
            p = p_better(a, b)
            sure, agrees = (p, a[0] > b[0]) if p >= 0.5 else (1 - p, b[0] > a[0])
            entry = bins[min(int((sure - 0.5) * 2 * BINS), BINS - 1)]
            entry[0] += 1
            entry[1] += sure
            entry[2] += agrees
    n, total, agreed = (sum(column) for column in zip(*bins))
    if not n:
        return
    print("%s: %d pictures, %d pairs" % (name, len(pictures), n))
    print("  sure         pairs  on average  people agree")
    for k, (count, sure, agreements) in enumerate(bins):
        if count:
            low = 50 + 5 * k
            print("  %3d - %3d %% %7d      %5.1f %%       %5.1f %%"
                  % (low, low + 5, count, 100 * sure / count, 100 * agreements / count))
    print("  all         %7d      %5.1f %%       %5.1f %%" % (n, 100 * total / n, 100 * agreed / n))


def main(args):
    if len(args) not in (2, 3):
        sys.exit(__doc__.strip())
    sets = read_sets(args[1], read_scores(args[0]), args[2] if len(args) == 3 else None)
    if not sets:
        sys.exit("no picture has both a score and an opinion")
    for name, pictures in sets.items():
        print_table(name, pictures)


if __name__ == "__main__":
    main(sys.argv[1:])
