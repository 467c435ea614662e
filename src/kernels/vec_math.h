/* vec_math.h: exp and the activations over a Vec. Included behind vec_avx2.h or vec_avx512.h.
 * Polynomials are minimax fits made for this file (Remez exchange, 40 digits); u = 2^-24 below. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_VEC_MATH_H
#define QB_KERNELS_VEC_MATH_H

#include "kernels/kernels.h"

#include <math.h>

/* e^x. n = round(x / ln 2), r = x - n ln 2 with ln 2 in two parts (the first has 15 bits, so n
 * times it is exact), e^r = 1 + r + r^2 P(r). Errors, relative: P 3.1e-9 = 0.05 u; r 0.5 u * |r|
 * and the terms of Horner below |r|^2 / 2 * 1.5 u, the last two roundings 0.35 * 0.5 u + 0.5 u ...
 * in all below QB_VEC_EXP_ERROR of the true value, plus half the smallest subnormal. 0 below -104,
 * infinity above 88.73. */
#define QB_VEC_EXP_ERROR (2.0 * 0x1p-24)

VEC_INLINE Vec vec_exp(Vec x)
{
    x = vec_min(vec_set(90.0f), vec_max(vec_set(-105.0f), x));
    Vec n = vec_round(vec_mul(x, vec_set(0x1.715476p+0f)));
    Vec r = vec_fnmadd(n, vec_set(0x1.62e4p-1f), x);
    r = vec_fnmadd(n, vec_set(0x1.7f7d1cp-20f), r);
    Vec p = vec_set(0x1.6a242cp-10f);
    p = vec_fmadd(p, r, vec_set(0x1.1239e2p-7f));
    p = vec_fmadd(p, r, vec_set(0x1.5558f2p-5f));
    p = vec_fmadd(p, r, vec_set(0x1.555492p-3f));
    p = vec_fmadd(p, r, vec_set(0x1.fffffcp-2f));
    p = vec_fmadd(vec_mul(p, r), r, r);
    return vec_scale2(vec_add(p, vec_set(1.0f)), n);
}

/* ln x of normal x > 0: x = 2^n m, ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716, by the
 * first five terms of the series (what is left is 7e-10 of s). m - 1 is exact, m + 1 and the
 * division round once each; ln 2 is in two parts as above. Below QB_VEC_LOG_ERROR * |ln x|. */
#define QB_VEC_LOG_ERROR (4.0 * 0x1p-24)

VEC_INLINE Vec vec_log(Vec x)
{
    Vec n, m = vec_split(&n, x), one = vec_set(1.0f);
    Vec s = vec_div(vec_sub(m, one), vec_add(m, one));
    Vec s2 = vec_mul(s, s);
    Vec p = vec_set(2.0f / 9);
    p = vec_fmadd(p, s2, vec_set(2.0f / 7));
    p = vec_fmadd(p, s2, vec_set(2.0f / 5));
    p = vec_fmadd(p, s2, vec_set(2.0f / 3));
    p = vec_fmadd(vec_mul(p, s2), s, vec_add(s, s));
    p = vec_fmadd(n, vec_set(0x1.7f7d1cp-20f), p);
    return vec_fmadd(n, vec_set(0x1.62e4p-1f), p);
}

/* x^y, 0 for x below the least normal float. Within (QB_VEC_LOG_ERROR + u) |y ln x| +
 * QB_VEC_EXP_ERROR of it. */
VEC_INLINE Vec vec_pow(Vec x, Vec y)
{
    return vec_keep(vec_exp(vec_mul(y, vec_log(x))), x, vec_set(0x1p-126f));
}

/* x / (1 + e^(-slope x)) */
VEC_INLINE Vec vec_sigmoid_mul(Vec x, float slope)
{
    Vec e = vec_exp(vec_mul(x, vec_set(-slope)));
    return vec_div(x, vec_add(e, vec_set(1.0f)));
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|); Phi(-a) = e^(-a^2 / 2) t P(t), t = 1 / (1 + 0.35 a), P good
 * to 3.2e-8 up to a = 14.5, where e^(-a^2 / 2) is 0. */
VEC_INLINE Vec vec_gelu(Vec x)
{
    Vec a = vec_min(vec_set(14.5f), vec_abs(x));
    Vec t = vec_div(vec_set(1.0f), vec_fmadd(a, vec_set(0.35f), vec_set(1.0f)));
    Vec p = vec_set(-0x1.ddb8eap-6f);
    p = vec_fmadd(p, t, vec_set(0x1.26f99cp-3f));
    p = vec_fmadd(p, t, vec_set(-0x1.05fa98p-2f));
    p = vec_fmadd(p, t, vec_set(0x1.464932p-3f));
    p = vec_fmadd(p, t, vec_set(-0x1.7c4eep-6f));
    p = vec_fmadd(p, t, vec_set(0x1.b057bep-4f));
    p = vec_fmadd(p, t, vec_set(0x1.eac9cp-4f));
    p = vec_fmadd(p, t, vec_set(0x1.1e70c2p-3f));
    p = vec_fmadd(p, t, vec_set(0x1.1df1c6p-3f));
    Vec tail = vec_mul(vec_mul(p, t), vec_exp(vec_mul(vec_mul(a, a), vec_set(-0.5f))));
    return vec_fnmadd(a, tail, vec_max(vec_zero(), x));
}

VEC_INLINE Vec vec_clamp(Vec x, Vec low, Vec high)
{
    return vec_min(high, vec_max(low, x));
}

VEC_INLINE Vec vec_act(Vec x, QbAct act)
{
    switch (act) {
    case QB_ACT_RELU6:
        return vec_clamp(x, vec_zero(), vec_set(6.0f));
    case QB_ACT_GELU:
        return vec_gelu(x);
    case QB_ACT_QUICK_GELU:
        return vec_sigmoid_mul(x, 1.702f);
    case QB_ACT_SILU:
        return vec_sigmoid_mul(x, 1.0f);
    default:
        return x;
    }
}

#endif
