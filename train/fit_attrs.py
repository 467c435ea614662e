# SPDX-License-Identifier: Apache-2.0
"""Fits the attributes: ridge regression from standardised tower statistics, folded to one linear map (attr.npz).

`python3 fit_attrs.py`: the ridge of each attribute is the one of the least error on the held-out photos, by pseudo-scores
only; the final fit uses all canvases.
"""
import numpy as np
from scipy.stats import spearmanr

import config as C
import dataset
import features
from checkpoint import ATTR

RIDGES = [30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0, 100000.0]


def weights(rows):
    """Blur, exposure and undegraded pictures count double: real photos fail that way most."""
    double = {"defocus", "gaussian", "motion", "dark", "bright", "night"}
    return np.array([2.0 if not r["recipe"] or double & set(r["recipe"]) else 1.0 for r in rows])


def solve(x, y, w, ridge):
    """Weighted ridge of standardised x on y: (coefficients, intercept)."""
    mean = np.average(y, axis=0, weights=w)
    gram = x.T @ (x * w[:, None]) + ridge * np.eye(x.shape[1])
    return np.linalg.solve(gram, x.T @ ((y - mean) * w[:, None])), mean


def choose(z, y, w, test):
    """{attribute: (held-out squared error, ridge, held-out SRCC)}."""
    best = {}
    for ridge in RIDGES:
        coef, mean = solve(z[~test], y[~test], w[~test], ridge)
        guess = z[test] @ coef + mean
        error = ((guess - y[test]) ** 2).mean(0)
        for j in range(y.shape[1]):
            if j not in best or error[j] < best[j][0]:
                best[j] = (error[j], ridge, spearmanr(guess[:, j], y[test][:, j])[0])
    return best


def main():
    rows = dataset.labels()
    x = np.load(features.CACHE).astype(np.float64)
    y, w, test = dataset.targets(rows).astype(np.float64), weights(rows), dataset.held_out(rows)
    centre, scale = np.average(x, axis=0, weights=w), x.std(0) + 1e-3
    z = (x - centre) / scale
    best = choose(z, y, w, test)
    coef = np.zeros((x.shape[1], y.shape[1]))
    for ridge in RIDGES:
        mine = [j for j in best if best[j][1] == ridge]
        if mine:
            coef[:, mine], _ = solve(z, y[:, mine], w, ridge)
    for j, name in enumerate(C.ATTRIBUTES):
        print("%-15s ridge %6.0f  held-out rmse %.3f of %.3f  SRCC %.3f" % (
            name, best[j][1], best[j][0] ** 0.5, y[:, j].std(), best[j][2]))
    folded = (coef / scale[:, None]).T
    bias = np.average(y, axis=0, weights=w) - folded @ centre
    np.savez(ATTR, weight=folded.astype(np.float32), bias=bias.astype(np.float32))


if __name__ == "__main__":
    main()
