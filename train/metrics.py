# SPDX-License-Identifier: Apache-2.0
"""Full-reference metrics on luma, the teachers of the quality label; u8-range float32 arrays, 1 (or 0) = identical.

MS-SSIM: Wang, Simoncelli, Bovik 2003. GMSD: Xue, Zhang, Mou, Bovik 2014, eq. 4-7. VIFp: Sheikh, Bovik 2006,
pixel-domain form with four scales and noise variance 2.
"""
import cv2
import numpy as np

MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)     # Wang 2003, section 3.2
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
GMSD_C = 170.0
VIF_NOISE = 2.0


def luma(rgb):
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _blur(x, size, sigma):
    return cv2.GaussianBlur(x, (size, size), sigma, borderType=cv2.BORDER_REFLECT)


def _moments(a, b, size, sigma):
    ma, mb = _blur(a, size, sigma), _blur(b, size, sigma)
    va = np.maximum(_blur(a * a, size, sigma) - ma * ma, 0)
    vb = np.maximum(_blur(b * b, size, sigma) - mb * mb, 0)
    return ma, mb, va, vb, _blur(a * b, size, sigma) - ma * mb


def _halve(x):
    return cv2.resize(x, (x.shape[1] // 2, x.shape[0] // 2), interpolation=cv2.INTER_AREA)


def ms_ssim(a, b):
    out = 1.0
    for i, w in enumerate(MS_WEIGHTS):
        ma, mb, va, vb, cov = _moments(a, b, 11, 1.5)
        cs = (2 * cov + C2) / (va + vb + C2)
        if i == len(MS_WEIGHTS) - 1:
            cs = cs * (2 * ma * mb + C1) / (ma * ma + mb * mb + C1)
        out *= max(float(cs.mean()), 1e-4) ** w
        a, b = _halve(a), _halve(b)
    return out


def _gradient(x):
    k = np.array([[1, 0, -1]] * 3, np.float32) / 3          # Prewitt
    return np.hypot(cv2.filter2D(x, -1, k), cv2.filter2D(x, -1, k.T))


def gmsd(a, b):
    ga, gb = _gradient(_halve(a)), _gradient(_halve(b))
    return float(((2 * ga * gb + GMSD_C) / (ga * ga + gb * gb + GMSD_C)).std())


def vifp(a, b):
    num = den = 0.0
    for scale in range(1, 5):
        size = 2 ** (5 - scale) + 1
        if scale > 1:
            a, b = _blur(a, size, size / 5)[::2, ::2], _blur(b, size, size / 5)[::2, ::2]
        _, _, va, vb, cov = _moments(a, b, size, size / 5)
        gain = np.where(va > 1e-10, cov / (va + 1e-10), 0)
        rest = np.maximum(vb - gain * cov, 1e-10)
        rest = np.where(gain < 0, vb, rest)
        gain = np.maximum(gain, 0)
        num += float(np.log10(1 + gain * gain * va / (rest + VIF_NOISE)).sum())
        den += float(np.log10(1 + va / VIF_NOISE).sum())
    return (num + 1e-6) / (den + 1e-6)


def chroma_shift(a, b):
    """Mean distance in the a*b* plane of CIELAB: what the luma metrics cannot see."""
    la, lb = (cv2.cvtColor(x[::2, ::2].astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for x in (a, b))
    return float(np.hypot(la[..., 1] - lb[..., 1], la[..., 2] - lb[..., 2]).mean())


def measured(rgb):
    """Plain properties of one picture, each scaled to about 0..1."""
    x = rgb.astype(np.float32)
    y = luma(rgb)
    rg, yb = x[..., 0] - x[..., 1], (x[..., 0] + x[..., 1]) / 2 - x[..., 2]
    # Hasler, Suesstrunk 2003, eq. 3
    colour = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    sharp = np.log10(cv2.Laplacian(y, cv2.CV_32F).var() + 1)
    return {"luma_mean": float(y.mean() / 255), "luma_contrast": float(y.std() / 255),
            "colourfulness": float(colour / 110), "sharpness": float(sharp / 4),
            "clipped": float(((y < 2) | (y > 253)).mean())}
