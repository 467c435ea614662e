#!/usr/bin/env python3
"""Makes tests/golden/eval/: what SciPy says of whole evaluations, with parts and intervals, and small
tables in every shape that is read, with what SciPy says of them.

    evaluate.py OUT_FOLDER

Needs numpy and scipy (Debian: python3-scipy). Everything comes from seeds; see stats.py beside it.
"""
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import math
import os
import sys

import numpy
import scipy.optimize
import scipy.stats

from stats import Units, Xoshiro, curved, linear, logistic4, logistic5, make_pairs, start

CASES = [
    dict(curved("one part", 400, 41, 8.0, 12.0), part_size=0, resamples=200, bootstrap_seed=1),
    dict(linear("ties", 500, 42, 0.6, x_levels=25, y_levels=12), part_size=0, resamples=200,
         bootstrap_seed=7),
    dict(curved("ties in the scores", 500, 48, 8.0, 20.0), x_levels=25, part_size=0, resamples=200,
         bootstrap_seed=9),
    dict(curved("two parts", 600, 43, 9.0, 30.0), part_size=300, resamples=150, bootstrap_seed=3),
    dict(curved("a short rest left out", 703, 44, -8.0, 20.0), part_size=300, resamples=150,
         bootstrap_seed=4),
    dict(curved("a long rest counts", 460, 45, 7.0, 25.0), part_size=300, resamples=150,
         bootstrap_seed=5),
    dict(linear("parts with ties", 900, 46, 0.5, x_levels=9, y_levels=7), part_size=300, resamples=150,
         bootstrap_seed=6),
    dict(curved("less than a part", 120, 47, 6.0, 15.0), part_size=300, resamples=150,
         bootstrap_seed=8),
]


def parts_of(n, size):
    """Begin and end of each part: a rest counts from half a part on; no whole part: all is one."""
    if size <= 0 or size >= n:
        return [(0, n)]
    ends = [(i, i + size) for i in range(0, n - size + 1, size)]
    rest = n - ends[-1][1]
    return ends + [(n - rest, n)] if 2 * rest >= size else ends


def rmse(x, y):
    return numpy.sqrt(numpy.mean((x - y) ** 2))


MEASURES = {
    "srcc": lambda x, y: scipy.stats.spearmanr(x, y)[0],
    "plcc": lambda x, y: scipy.stats.pearsonr(x, y)[0],
    "krcc": lambda x, y: scipy.stats.kendalltau(x, y)[0],
}


def fitted(params, x, y):
    function = logistic4 if params == 4 else logistic5
    b, _ = scipy.optimize.curve_fit(function, x, y, start(params, x, y), ftol=1e-14, xtol=1e-14,
                                    gtol=1e-14, maxfev=200000)
    return function(x, *b)


def evaluate(case, x, y, parts, resamples, seed, fits=(4, 5)):
    """Means over the parts; intervals of the means, each part drawn from itself, mappings kept."""
    case["parts"] = len(parts)
    case["used"] = parts[-1][1]
    lists = {name: (x, measure) for name, measure in MEASURES.items()}
    for params in fits:
        mapped = numpy.concatenate([fitted(params, x[b:e], y[b:e]) for b, e in parts])
        lists["plcc_logistic%d" % params] = (mapped, MEASURES["plcc"])
        lists["rmse_logistic%d" % params] = (mapped, rmse)
    picks = []
    random = Xoshiro(seed)
    for _ in range(resamples):
        picks.append([b + random.below(e - b) for b, e in parts for _ in range(e - b)])
    for name, (values, measure) in lists.items():
        value = numpy.mean([measure(values[b:e], y[b:e]) for b, e in parts])
        of_resamples = []
        for pick in picks:
            u, v = values[pick], y[pick]
            of_resamples.append(numpy.mean([measure(u[b:e], v[b:e]) for b, e in parts]))
        entry = [float(value)]
        if resamples:
            entry += [float(v) for v in numpy.percentile(of_resamples, [2.5, 97.5])]
        case[name] = entry


def make_rows():
    """Pictures with coarse logits, as half precision gives them, and opinions of two digits."""
    units = Units(51)
    rows = []
    for i in range(60):
        quality = units.next()
        opinion = math.floor(10 * (1 + 4 * (0.7 * quality + 0.3 * units.next()))) / 10
        logits = {}
        for word, slope in (("excellent", 6), ("good", 4), ("fair", 0), ("poor", -4), ("bad", -6)):
            value = 12 + slope * (quality - 0.5) + 2 * (units.next() - 0.5)
            logits[word] = math.floor(8 * value) / 8
        weights = {"excellent": 1, "good": 0.75, "fair": 0.5, "poor": 0.25, "bad": 0}
        powers = {word: math.exp(logit) for word, logit in logits.items()}
        score = sum(weights[w] * p for w, p in powers.items()) / sum(powers.values())
        rows.append(dict(name="pic_%03d.jpg" % i, opinion=opinion, logits=logits, levels=score))
    return rows


def qbench(row, opinion):
    return json.dumps({"img_path": row["name"], "gt_score": opinion, "logit_good": row["logits"]["good"],
                       "logit_poor": row["logits"]["poor"]})


def qalign(row):
    return json.dumps({"id": row["name"] + "->2.5", "image": row["name"], "gt_score": str(row["opinion"]),
                       "conversations": [{"from": "human", "value": "How is the {quality}?\n<|image|>"}],
                       "logits": row["logits"], "score": row["levels"]})


def qboost(row):
    return json.dumps({"schema": "qboost.score/1", "path": "photos/set/" + row["name"], "width": 640,
                       "score": row["levels"], "p_good": 0.5, "logits": row["logits"], "ms": {"total": 1.5}})


def text_tables(rows):
    """File name -> text. Those of the first group hold opinions and the logits of good and poor."""
    yield "qbench_concatenated.json", "".join(qbench(r, r["opinion"]) for r in rows)
    yield "qbench_array.json", "[" + ",".join(qbench(r, r["opinion"]) for r in rows) + "]"
    yield "qbench_texts.json", "  \n" + "".join(qbench(r, "%.1f " % r["opinion"]) for r in rows) + "\n"
    yield "qbench_lines.jsonl", "".join(qbench(r, r["opinion"]) + "\n" for r in rows)
    yield "qbench_commas.json", ",\n".join(qbench(r, str(r["opinion"])) for r in rows)
    yield "qalign_results.json", "".join(qalign(r) for r in rows)
    # and these opinions alone
    yield "qalign_labels.json", json.dumps(
        [{"img_path": r["name"], "gt_score": str(r["opinion"])} for r in rows], indent=4)
    # or scores alone
    yield "qboost.jsonl", "".join(qboost(r) + "\n" for r in rows)


def write_csv(folder, name, header, rows, **dialect):
    encoding = dialect.pop("encoding", "utf-8")
    with open(os.path.join(folder, name), "w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, **dialect)
        writer.writerow(header)
        writer.writerows(rows)


def write_tables(folder, rows):
    os.makedirs(folder, exist_ok=True)
    for name, text in text_tables(rows):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as out:
            out.write(text)
    both = [[r["name"], r["opinion"], r["logits"]["good"], r["logits"]["poor"]] for r in rows]
    header = ["Image name", "MOS", "logit_good", "logit_poor"]
    write_csv(folder, "both_quoted.csv", header, both, quoting=csv.QUOTE_ALL, encoding="utf-8-sig")
    write_csv(folder, "both_tabs.tsv", header, both, delimiter="\t", lineterminator="\n")
    write_csv(folder, "both_semicolons.csv", header, both, delimiter=";", lineterminator="\r\n")
    labels = [["root/set/" + r["name"], "one, two", r["opinion"], "%.4f" % ((r["opinion"] - 1) / 4)] for r in rows]
    write_csv(folder, "labels.csv", ["file", "dataset", "mos_raw", "mos_0_1"], labels)
    write_csv(folder, "qboost.csv", ["path", "width", "score", "p_good", "method", "error"],
              [["photos/set/" + r["name"], 640, "%.9g" % r["levels"], 0.5, "levels", ""] for r in rows])


def main():
    folder = sys.argv[1]
    for case in CASES:
        x, y = make_pairs(case)
        case["last"] = [x[-1], y[-1]]
        evaluate(case, numpy.array(x), numpy.array(y), parts_of(case["n"], case["part_size"]),
                 case["resamples"], case["bootstrap_seed"],
                 # pairs on a line have several least squares close together
                 fits=(4, 5) if case["shape"] == "curved" else ())
    with open(os.path.join(folder, "evaluations.json"), "w", encoding="ascii") as out:
        json.dump(CASES, out, indent=1)
        out.write("\n")
    rows = make_rows()
    write_tables(os.path.join(folder, "tables"), rows)
    opinion = numpy.array([r["opinion"] for r in rows])
    difference = numpy.array([r["logits"]["good"] - r["logits"]["poor"] for r in rows])
    expected = {}
    # 1 / (1 + e^(-d / 100)): equal differences give equal scores
    for name, score in (("binary", 1 / (1 + numpy.exp(-difference / 100))),
                        ("levels", numpy.array([r["levels"] for r in rows]))):
        expected[name] = {}
        evaluate(expected[name], score, opinion, [(0, len(rows))], 0, 1, fits=())
    expected["rows"] = [[r["name"], r["opinion"], r["logits"]["good"], r["logits"]["poor"], r["levels"]]
                        for r in rows]
    with open(os.path.join(folder, "tables.json"), "w", encoding="ascii") as out:
        json.dump(expected, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
