# SPDX-License-Identifier: Apache-2.0
"""From which value of a full-reference metric on is path-tracing noise visible? Argued from human thresholds.

`python3 calibrate.py DATA [--predicted CSV ...] [--labels CSV] [--variants]`: DATA has thresholds/human-thresholds.csv
(samples at which observers no longer saw noise, 16 zones a viewpoint) and pictures of three viewpoints. Prints how
constant every metric is at the human threshold, and the spread of thresholds over zones beside that of our own labels
(--labels: scene,zone,threshold). --predicted: threshold files of models, for the Cornell box, that people did not judge.
Needs numpy, scipy, scikit-image and flip-evaluator; CALIBRATION.md says what came out.
"""
import argparse
import csv
import os

import flip_evaluator
import numpy as np
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter, uniform_filter
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

GRID, CEILING, PPD = 4, 10000, 67.0
LEVELS = 125 * 2 ** np.arange(0, 9.01, 0.5)
LUMA, LIGHT = np.array([0.299, 0.587, 0.114]), np.array([0.2126, 0.7152, 0.0722])
JUDGED = (("p3d_contemporary-bathroom-view1_part6", "contemporary_06700.png", 6700),
          ("p3d_bathroom-view0_part6", "bathroom_00010.png", 10))
CORNELL = "p3d_cornel-box-view0_part6"


def read_thresholds(path):
    """{viewpoint: 16 thresholds} of a file of lines `name;n;n;...`."""
    rows = {}
    with open(path) as f:
        for line in f:
            name, *cells = line.strip().strip(";").split(";")
            rows[name] = np.array(cells, float)
    return rows


def read_picture(path):
    return np.asarray(Image.open(path).convert("RGB"), float)


def zones(plane):
    """The 16 zones of a picture or a plane, row by row."""
    h, w = plane.shape[0] // GRID, plane.shape[1] // GRID
    return [plane[r * h:(r + 1) * h, c * w:(c + 1) * w] for r in range(GRID) for c in range(GRID)]


def linear(rgb):
    v = np.clip(rgb, 0, 255) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def display(light):
    v = np.clip(light, 0, 1)
    return 255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


def lightness(rgb):
    """CIE L* of an sRGB picture of 0..255."""
    y = linear(rgb) @ LIGHT
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


def guided(rgb, eps):
    """Each channel smoothed by a guided filter of itself: edges and texture stay, noise of variance below eps goes."""
    clean = np.empty_like(rgb)
    for k in range(3):
        p = rgb[..., k]
        mean = uniform_filter(p, 17)
        a = 1 / (1 + eps / np.maximum(uniform_filter(p * p, 17) - mean * mean, 1e-9))
        clean[..., k] = uniform_filter(a, 17) * p + uniform_filter(mean * (1 - a), 17)
    return clean


def estimate_noise(rgb, samples):
    """(clean, relative noise of light, share of measured pixels a zone) of a picture whose converged one is missing.

    The noise is measured where the picture is smooth and carried from there to its surroundings: path tracing makes
    noise of the irradiance, so that it is in proportion to the surface's own light, textured or not. A picture of a few
    samples has more noise than any texture: all of it is measured.
    """
    rough = samples < 100
    luma, light = rgb @ LUMA, linear(rgb) @ LIGHT
    mean = uniform_filter(luma, 17)
    spread = np.sqrt(np.maximum(uniform_filter(luma ** 2, 17) - mean ** 2, 0))
    usable = (mean > 15) & (mean < 240) & (uniform_filter((rgb.max(2) > 253).astype(float), 17) < 0.02)
    sigma = np.percentile(spread[usable], 50 if rough else 10)
    smooth = (usable & (rough | (spread < 1.3 * sigma))).astype(float)
    clean = guided(rgb, (2.5 * sigma) ** 2)
    around = gaussian_filter(light, 8 if rough else 3)
    relative = (light - around) / np.maximum(around, 1e-3)
    carried = gaussian_filter(smooth * relative ** 2, 25) / (gaussian_filter(smooth, 25) + 1e-9)
    noise = np.where(clean @ LUMA > 250, 0, np.sqrt(carried))
    return clean, noise, [z.mean() for z in zones(smooth)]


class JudgedScene:
    """One picture that people judged the viewpoint of; its noise, amplitude ~ n^-1/2, is put on a cleaned copy."""

    def __init__(self, rgb, samples, human):
        self.human, self.samples = human, samples
        self.clean, self.relative, self.measured = estimate_noise(rgb, samples)
        grain = gaussian_filter(np.random.default_rng(1).standard_normal(self.relative.shape), 0.35)
        self.unit = self.relative * grain / grain.std() * np.sqrt(samples)

    def unit_size(self):
        return self.relative * np.sqrt(self.samples)

    def at(self, n):
        return display(linear(self.clean) * (1 + self.unit[..., None] / np.sqrt(n)))


class CornellScene:
    """Nobody judged it, models did. Pictures go on from one another: picture(n) - last has 1/n - 1/N of variance."""

    def __init__(self, pictures, predicted):
        self.human, last = predicted, max(pictures)
        self.clean = pictures[last]
        self.unit = (pictures[1000] - self.clean) / np.sqrt(1 / 1000 - 1 / last)

    def at(self, n):
        return np.clip(self.clean + self.unit / np.sqrt(n), 0, 255)


def cornell_pictures(root):
    folder = os.path.join(root, "cornell_box")
    return {int(f[-9:-4]): read_picture(os.path.join(folder, f)) for f in sorted(os.listdir(folder))}


def ssim(a, b):
    return structural_similarity(a @ LUMA, b @ LUMA, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                 data_range=255)


def ms_ssim(a, b):
    """Wang, Simoncelli, Bovik 2003: contrast-structure of five scales, luminance of the coarsest."""
    x, y, value = a @ LUMA, b @ LUMA, 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        g = lambda p: gaussian_filter(p, 1.5, truncate=3.4)[5:-5, 5:-5]
        mx, my = g(x), g(y)
        vx, vy, cov = g(x * x) - mx * mx, g(y * y) - my * my, g(x * y) - mx * my
        cs = (2 * cov + 58.5225) / (vx + vy + 58.5225)
        full = cs * (2 * mx * my + 6.5025) / (mx * mx + my * my + 6.5025)
        value *= max((full if scale == 4 else cs).mean(), 1e-9) ** weight
        x, y = uniform_filter(x, 2)[::2, ::2], uniform_filter(y, 2)[::2, ::2]
    return value


def gmsd(a, b):
    """Xue, Zhang, Mou, Bovik 2014."""
    prewitt = np.array([[1, 0, -1]] * 3) / 3

    def gradient(p):
        p = uniform_filter(p @ LUMA, 2)[::2, ::2]
        return np.hypot(convolve(p, prewitt), convolve(p, prewitt.T))
    ga, gb = gradient(a), gradient(b)
    return ((2 * ga * gb + 170) / (ga ** 2 + gb ** 2 + 170)).std()


def vif(reference, b):
    """Sheikh and Bovik 2006, the pixel domain form of four scales."""
    x, y, num, den = reference @ LUMA, b @ LUMA, 0.0, 0.0
    for scale in range(4):
        sigma = (2 ** (4 - scale) + 1) / 5
        g = lambda p: gaussian_filter(p, sigma, truncate=2.5)
        if scale:
            x, y = g(x)[::2, ::2], g(y)[::2, ::2]
        mx, my = g(x), g(y)
        vx, vy = np.maximum(g(x * x) - mx * mx, 0), np.maximum(g(y * y) - my * my, 0)
        cov = g(x * y) - mx * my
        gain = np.where(vx > 1e-10, cov / np.maximum(vx, 1e-10), 0)
        gain = np.maximum(gain, 0)
        rest = np.maximum(vy - gain * cov, 1e-10)
        num += np.log10(1 + gain ** 2 * vx / (rest + 2)).sum()
        den += np.log10(1 + vx / 2).sum()
    return num / den if den > 0 else 1.0


def flip(reference, b):
    to_unit = lambda p: (p / 255).astype(np.float32)
    return flip_evaluator.evaluate(to_unit(reference), to_unit(b), "LDR", applyMagma=False,
                                   computeMeanError=True, parameters={"ppd": PPD})[1]


def visibility_zones(reference, b, t0=0.4, centre=0.0094, surround=0.094, mask=2.0, exponent=0.65, beta=4.0, ppd=PPD,
                     weber=False):
    """Our own metric, by zone: lightness difference, band-passed, over the threshold that the content raises."""
    def band(p):
        fine = gaussian_filter(p, centre * ppd) if centre else p
        return fine - (gaussian_filter(p, surround * ppd) if surround else 0)
    lr = lightness(reference)
    difference, content = band(lightness(b)) - band(lr), lr - gaussian_filter(lr, 0.094 * ppd)
    local = np.sqrt(gaussian_filter((band(lr) if surround else content) ** 2, 0.094 * ppd))
    raised = t0 * (1 + (local / mask) ** 2) ** (exponent / 2)
    if weber:
        raised = raised * (gaussian_filter(lr, 0.094 * ppd) + 16) / 66
    return [(np.abs(z) ** beta).mean() ** (1 / beta) for z in zones(difference / raised)]


def per_zone(function):
    return lambda a, b: [function(x, y) for x, y in zip(zones(a), zones(b))]


METRICS = {
    "RMSE sRGB": per_zone(lambda a, b: np.sqrt(((a - b) ** 2).mean())),
    "RMSE L*": per_zone(lambda a, b: np.sqrt(((lightness(a) - lightness(b)) ** 2).mean())),
    "PSNR luma": per_zone(lambda a, b: 20 * np.log10(255 / np.sqrt((((a - b) @ LUMA) ** 2).mean() + 1e-12))),
    "1-SSIM": per_zone(lambda a, b: 1 - ssim(a, b)),
    "1-MS-SSIM": per_zone(lambda a, b: 1 - ms_ssim(a, b)),
    "GMSD": per_zone(gmsd),
    "VIF": per_zone(vif),
    "FLIP mean": per_zone(flip),
    "visibility": visibility_zones,
}
VARIANTS = {
    "as it is": {}, "no masking": dict(mask=1e9), "mask from 0.5": dict(mask=0.5), "mask from 1": dict(mask=1.0),
    "mask from 4": dict(mask=4.0), "exponent 0.5": dict(exponent=0.5), "exponent 0.8": dict(exponent=0.8),
    "no CSF": dict(centre=0, surround=0), "low-pass": dict(surround=0), "Weber": dict(weber=True),
    "beta 1": dict(beta=1), "beta 2": dict(beta=2), "beta 3": dict(beta=3), "beta 6": dict(beta=6),
    "40 px/degree": dict(ppd=40.0), "90 px/degree": dict(ppd=90.0),
}


def curves(metric, scene):
    """Metric of every zone (rows) at every level (columns)."""
    return np.array([metric(scene.clean, scene.at(n)) for n in LEVELS]).T


def at_samples(curve, n):
    return np.interp(np.log2(n), np.log2(LEVELS), curve)


def samples_at(curve, value):
    """Samples at which a falling (or rising) curve crosses the value; the ends of the ladder beyond it."""
    order = np.argsort(curve)
    return 2 ** np.interp(value, curve[order], np.log2(LEVELS)[order])


def octave_errors(predicted, human):
    """log2(predicted/human); the ceiling is a lower bound for people, so that predicting more is no error there."""
    return np.log2(np.minimum(predicted, CEILING) / human)


def rms(errors, axis=None):
    return np.sqrt(np.mean(np.square(errors), axis))


def judge(rows, human):
    """(values at the human thresholds, best constant, its rms octaves, the zone left out, rank correlation)."""
    values = np.array([at_samples(c, n) for c, n in zip(rows, human)])
    choices = np.linspace(values.min(), values.max(), 200)
    predicted = np.array([[samples_at(c, v) for c in rows] for v in choices])
    errors = octave_errors(predicted, human)
    best = rms(errors, 1).argmin()
    left = [errors[rms(np.delete(errors, k, 1), 1).argmin(), k] for k in range(len(human))]
    return values, choices[best], rms(errors[best]), rms(left), spearmanr(predicted[best], human)[0]


def metric_table(metrics, scenes):
    first, others = scenes[0], scenes[1:]
    bare = np.log2(first.human)
    left = [bare[k] - np.delete(bare, k).mean() for k in range(len(bare))]
    print(f"one sample count for all zones: rms {rms(bare - bare.mean()):.2f}, zone left out {rms(left):.2f} octaves")
    print(f"{'metric':14} {'median':>8} {'least':>8} {'most':>8} {'best':>8} {'rms':>5} {'out':>5} {'rank':>5}  "
          "median at the threshold in the other scenes")
    for name, metric in metrics.items():
        values, best, error, left, rho = judge(curves(metric, first), first.human)
        row = [np.median(values), values.min(), values.max(), best]
        elsewhere = [np.median([at_samples(c, n) for c, n in zip(curves(metric, s), s.human)]) for s in others]
        print(f"{name:14} " + " ".join(f"{v:8.4g}" for v in row) + f" {error:5.2f} {left:5.2f} {rho:5.2f}  "
              + " ".join(f"{v:8.4g}" for v in elsewhere), flush=True)


def error_law(pictures):
    """Does the mean squared error against the last picture follow 1/n - 1/N (samples shared) or 1/n + 1/N (not)?"""
    last = max(pictures)
    print("\nCornell box, squared error against the last picture (8-bit levels), and over 1/n - 1/N and 1/n + 1/N")
    for n in sorted(pictures)[:-1]:
        e = ((pictures[n] - pictures[last]) ** 2).mean()
        print(f"{n:6} {e:8.3f} {e / (1 / n - 1 / last):8.0f} {e / (1 / n + 1 / last):8.0f}")
    a, b = pictures[500] - pictures[last], pictures[1000] - pictures[last]
    print(f"correlation of the errors of 500 and 1000: {np.corrcoef(a.ravel(), b.ravel())[0, 1]:.3f}; samples shared: "
          f"{np.sqrt((1 / 1000 - 1 / last) / (1 / 500 - 1 / last)):.3f}, not: "
          f"{1 / last / np.sqrt((1 / 500 + 1 / last) * (1 / 1000 + 1 / last)):.3f}")


def distribution(name, rows):
    """Spread of thresholds over all zones and within viewpoints. rows: {viewpoint: thresholds}."""
    every = np.concatenate(list(rows.values()))
    ratio = np.array([r.max() / r.min() for r in rows.values()])
    within = np.array([np.log2(r).std() for r in rows.values()])
    between = np.array([np.log2(r).mean() for r in rows.values()]).std()
    q = lambda v: " ".join(f"{x:.4g}" for x in np.percentile(v, [5, 25, 50, 75, 95]))
    print(f"\n{name}: {len(rows)} viewpoints, {len(every)} zones, {every.min():.0f} to {every.max():.0f} samples; "
          f"at the largest {100 * (every == every.max()).mean():.0f} %\n  thresholds, 5 25 50 75 95 %: {q(every)}\n"
          f"  largest/smallest within a viewpoint: {q(ratio)}\n  octaves of spread within a viewpoint: {q(within)}; "
          f"rms {rms(within):.2f}; between viewpoints {between:.2f}")


def read_labels(path):
    rows = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            rows.setdefault(row["scene"], []).append(float(row["threshold"]))
    return {k: np.array(v) for k, v in rows.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("data")
    ap.add_argument("--predicted", nargs="*", default=[])
    ap.add_argument("--labels")
    ap.add_argument("--variants", action="store_true", help="of our own metric: what each part of it does")
    args = ap.parse_args()
    human = read_thresholds(os.path.join(args.data, "thresholds", "human-thresholds.csv"))
    scenes = [JudgedScene(read_picture(os.path.join(args.data, f)), n, human[name]) for name, f, n in JUDGED]
    for (name, _, _), s in zip(JUDGED, scenes):
        noise = [round(float(np.median(z[z > 0] / np.sqrt(t))), 3) for z, t in zip(zones(s.unit_size()), s.human)]
        print(f"{name}: noise measured on {np.round(s.measured, 2).tolist()} of the zones\n"
              f"  noise over light at the threshold: {noise}")
    pictures = cornell_pictures(args.data)
    models = [read_thresholds(path) for path in args.predicted]
    for path, rows in zip(args.predicted, models):
        pairs = [(rows[k], human[k]) for k in human if k in rows]
        print(f"{os.path.basename(path)} against people, {len(pairs)} viewpoints: rms "
              f"{rms(np.log2([a / b for a, b in pairs])):.2f} octaves")
    if models:
        scenes.append(CornellScene(pictures, np.exp(np.mean([np.log(m[CORNELL]) for m in models], 0))))
    error_law(pictures)
    print()
    metric_table(METRICS, scenes)
    if args.variants:
        print()
        metric_table({k: lambda a, b, v=v: visibility_zones(a, b, **v) for k, v in VARIANTS.items()}, scenes)
    distribution("people", human)
    if args.labels:
        distribution("labels", read_labels(args.labels))


if __name__ == "__main__":
    main()
