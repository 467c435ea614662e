#!/usr/bin/env python3
"""Makes tests/golden/stats/: what SciPy says of lists of pairs, and a bootstrap in plain Python.

    stats.py OUT_FOLDER

Needs numpy and scipy (Debian: python3-scipy). Long lists are not stored: they are computed from a
seed with nothing but exact arithmetic, here and in tests/unit/stats/stats_golden.h alike.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import math
import os
import sys

import numpy
import scipy.optimize
import scipy.stats

MASK = 2**64 - 1


def splitmix64(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = state
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return state, z ^ z >> 31


class Units:
    """Numbers in [0, 1) from splitmix64."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state, bits = splitmix64(self.state)
        return (bits >> 11) * 2.0**-53


def levelled(value, levels):
    return math.floor(value * levels) / levels if levels else value


def make_pairs(case):
    """linear: y is a weighted mean of x and noise; curved: an S without exp, so exactly the same in C."""
    units = Units(case["seed"])
    x, y = [], []
    for _ in range(case["n"]):
        u = units.next()
        noise = units.next()
        if case["shape"] == "curved":
            t = case["slope"] * (u - 0.5)
            value = 50 + 40 * (t / (1 + abs(t))) + case["noise"] * (noise - 0.5)
        else:
            value = levelled(case["weight"] * u + (1 - case["weight"]) * noise, case["y_levels"])
        x.append(case["x_offset"] + levelled(u, case["x_levels"]))
        y.append(value)
    return x, y


def linear(name, n, seed, weight, x_levels=0, y_levels=0, x_offset=0.0):
    return dict(name=name, shape="linear", n=n, seed=seed, weight=weight, x_levels=x_levels,
                y_levels=y_levels, x_offset=x_offset)


def curved(name, n, seed, slope, noise, x_offset=0.0):
    return dict(name=name, shape="curved", n=n, seed=seed, slope=slope, noise=noise, x_levels=0,
                x_offset=x_offset)


def literal(name, x, y):
    return dict(name=name, shape="literal", n=len(x), x=x, y=y)


CORRELATIONS = [
    literal("two, rising", [1.0, 2.0], [0.5, 7.0]),
    literal("two, falling", [1.0, 2.0], [7.0, 0.5]),
    literal("three", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]),
    literal("three, tie in x", [1.0, 1.0, 3.0], [1.0, 3.0, 2.0]),
    literal("three, tie in y", [1.0, 2.0, 3.0], [2.0, 2.0, 1.0]),
    literal("ties in both, at once and apart", [3.0, 1.0, 3.0, 2.0, 1.0, 3.0, 2.0],
            [2.0, 1.0, 2.0, 1.0, 1.0, 0.0, 5.0]),
    literal("signed zeros tie", [0.0, -0.0, -1.0, 1.0, -2.5], [-0.0, 1.0, 0.0, 3.0, -3.0]),
    literal("unrelated", [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]),
    linear("a hundred, distinct", 100, 1, 0.3),
    linear("a hundred, ties in x", 100, 2, 0.5, x_levels=7),
    linear("a hundred, ties in y", 100, 3, 0.5, y_levels=5),
    linear("257, ties in both", 257, 4, 0.6, x_levels=20, y_levels=20),
    linear("255, yes and no", 255, 5, 0.4, x_levels=2, y_levels=2),
    linear("ten thousand, distinct", 10000, 6, 0.7),
    linear("ten thousand, unrelated", 10000, 7, 0.0),
    linear("ten thousand, heavy ties", 10000, 8, 0.5, x_levels=25, y_levels=4),
    linear("ten thousand, opinion scores", 10000, 9, 0.8, y_levels=350),
    linear("ten thousand, the same order", 10000, 10, 1.0),
    linear("a thousand, far from 0", 1000, 11, 0.5, x_offset=1048576.0),
]

FITS = [
    curved("s-shaped", 400, 21, 8.0, 12.0),
    curved("falling", 400, 22, -8.0, 12.0),
    curved("steep", 1000, 23, 60.0, 10.0),
    curved("nearly linear", 1000, 24, 1.0, 15.0),
    curved("noisy", 3000, 25, 4.0, 120.0),
    curved("little noise", 300, 26, 10.0, 0.5),
    curved("far from 0", 500, 27, 8.0, 12.0, x_offset=4096.0),
    curved("ten thousand", 10000, 28, 12.0, 20.0),
]


def pairs_of(case):
    return (case["x"], case["y"]) if case["shape"] == "literal" else make_pairs(case)


def add_correlations(case):
    x, y = pairs_of(case)
    case["last"] = [x[-1], y[-1]]
    case["srcc"] = float(scipy.stats.spearmanr(x, y)[0])
    case["plcc"] = float(scipy.stats.pearsonr(x, y)[0])
    case["krcc"] = float(scipy.stats.kendalltau(x, y)[0])
    case["rmse"] = float(numpy.sqrt(numpy.mean((numpy.array(x) - numpy.array(y)) ** 2)))


def logistic4(x, b1, b2, b3, b4):
    return (b1 - b2) / (1 + numpy.exp(-(x - b3) / abs(b4))) + b2


def logistic5(x, b1, b2, b3, b4, b5):
    return b1 * (0.5 - 1 / (1 + numpy.exp(b2 * (x - b3)))) + b4 * x + b5


def start(params, x, y):
    up = 1 if numpy.mean((x - x.mean()) * (y - y.mean())) >= 0 else -1
    high, low = y.max(), y.min()
    if params == 4:
        return [high if up > 0 else low, low if up > 0 else high, x.mean(), x.std() / 4]
    return [high - low, up / x.std(), x.mean(), 0.0, y.mean()]


def add_fit(case):
    x, y = (numpy.array(v) for v in make_pairs(case))
    case["last"] = [float(x[-1]), float(y[-1])]
    for params, function in ((4, logistic4), (5, logistic5)):
        first = start(params, x, y)
        b, _ = scipy.optimize.curve_fit(function, x, y, first, ftol=1e-14, xtol=1e-14, gtol=1e-14,
                                        maxfev=200000)
        fitted = function(x, *b)
        case["fit%d" % params] = dict(
            start=[float(v) for v in first], b=[float(v) for v in b],
            plcc=float(scipy.stats.pearsonr(fitted, y)[0]),
            rmse=float(numpy.sqrt(numpy.mean((fitted - y) ** 2))))


class Xoshiro:
    """xoshiro256** as its authors publish it."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed, bits = splitmix64(seed)
            self.s.append(bits)

    def next(self):
        s = self.s
        result = rotate(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return result

    def below(self, limit):
        while True:
            product = (self.next() >> 32) * limit
            if product % 2**32 >= 2**32 % limit:
                return product >> 32


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def bootstrap(case):
    x, y = (numpy.array(v) for v in make_pairs(case))
    random = Xoshiro(case["bootstrap_seed"])
    values = {"srcc": [], "plcc": [], "krcc": []}
    for _ in range(case["resamples"]):
        pick = [random.below(len(x)) for _ in range(len(x))]
        values["srcc"].append(scipy.stats.spearmanr(x[pick], y[pick])[0])
        values["plcc"].append(scipy.stats.pearsonr(x[pick], y[pick])[0])
        values["krcc"].append(scipy.stats.kendalltau(x[pick], y[pick])[0])
    for name, list_of in values.items():
        case[name] = [float(v) for v in numpy.percentile(list_of, [2.5, 97.5])]


def write(folder, name, cases):
    with open(os.path.join(folder, name), "w", encoding="ascii") as out:
        json.dump(cases, out, indent=1)
        out.write("\n")


def main():
    folder = sys.argv[1]
    for case in CORRELATIONS:
        add_correlations(case)
    for case in FITS:
        add_fit(case)
    intervals = [dict(linear("eighty", 80, 31, 0.5, y_levels=40), bootstrap_seed=1, resamples=500),
                 dict(linear("301, ties", 301, 32, 0.7, 9, 5), bootstrap_seed=2**63 - 1, resamples=101)]
    for case in intervals:
        bootstrap(case)
    write(folder, "correlations.json", CORRELATIONS)
    write(folder, "fits.json", FITS)
    write(folder, "intervals.json", intervals)


if __name__ == "__main__":
    main()
