/* flip_vec.h: FLIP's kernels over a Vec; flip_ref.c is the definition. Powers and cube roots by
 * vec_pow. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_FLIP_VEC_H
#define QB_KERNELS_FLIP_VEC_H

#include "kernels/flip.h"
#include "kernels/vec_math.h"

VEC_INLINE Vec dot3(const float m[3], const Vec v[3])
{
    Vec sum = vec_mul(vec_set(m[0]), v[0]);
    sum = vec_fmadd(vec_set(m[1]), v[1], sum);
    return vec_fmadd(vec_set(m[2]), v[2], sum);
}

VEC_INLINE Vec clamp01(Vec x)
{
    return vec_clamp(x, vec_zero(), vec_set(1.0f));
}

VEC_INLINE Vec aces(Vec c)
{
    Vec above = vec_mul(c, vec_fmadd(vec_set(QB_FLIP_ACES_A), c, vec_set(QB_FLIP_ACES_B)));
    Vec below = vec_fmadd(vec_set(QB_FLIP_ACES_D), c, vec_set(QB_FLIP_ACES_E));
    return vec_div(above, vec_fmadd(below, c, vec_set(QB_FLIP_ACES_F)));
}

static void flip_opponent(float *const out[3], const float *const rgb[3], float gain,
                          int tone_mapped, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec color[3], xyz[3];
        VEC_UNROLL
        for (int c = 0; c < 3; c++) {
            Vec light = vec_mul(vec_load_first(rgb[c] + i, left), vec_set(gain));
            light = vec_min(light, vec_set(1e6f));
            color[c] = clamp01(tone_mapped ? aces(light) : light);
        }
        VEC_UNROLL
        for (int c = 0; c < 3; c++)
            xyz[c] = dot3(qb_flip_xyz[c], color);
        vec_store_first(out[0] + i, xyz[1], left);
        vec_store_first(out[1] + i, vec_sub(xyz[0], xyz[1]), left);
        vec_store_first(out[2] + i, vec_sub(xyz[1], xyz[2]), left);
    }
}

VEC_INLINE Vec lab_root(Vec t)
{
    Vec from = vec_set(QB_FLIP_ROOT_FROM);
    Vec root = vec_pow(vec_max(t, from), vec_set(1.0f / 3));
    return vec_fmadd(vec_set(QB_FLIP_TANGENT), vec_sub(vec_min(t, from), from), root);
}

VEC_INLINE void hunt_lab(Vec lab[3], const float *const opponent[3], size_t i, ptrdiff_t left)
{
    Vec y = vec_load_first(opponent[0] + i, left);
    Vec xyz[3] = {vec_add(y, vec_load_first(opponent[1] + i, left)), y,
                  vec_sub(y, vec_load_first(opponent[2] + i, left))};
    Vec color[3];
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        color[c] = clamp01(dot3(qb_flip_rgb[c], xyz));
    VEC_UNROLL
    for (int c = 0; c < 3; c++)
        xyz[c] = lab_root(dot3(qb_flip_xyz[c], color));
    lab[0] = vec_fmadd(vec_set(116.0f), xyz[1], vec_set(-16.0f));
    Vec hunt = vec_mul(vec_set(0.01f), lab[0]);
    lab[1] = vec_mul(hunt, vec_mul(vec_set(500.0f), vec_sub(xyz[0], xyz[1])));
    lab[2] = vec_mul(hunt, vec_mul(vec_set(200.0f), vec_sub(xyz[1], xyz[2])));
}

VEC_INLINE Vec length2(Vec x, Vec y)
{
    return vec_sqrt(vec_fmadd(x, x, vec_mul(y, y)));
}

static void flip_colour(float *y, const float *const a[3], const float *const b[3], size_t n)
{
    Vec knee = vec_set(QB_FLIP_KNEE), low = vec_set(QB_FLIP_KNEE_ERROR / QB_FLIP_KNEE);
    Vec high = vec_set((1.0f - QB_FLIP_KNEE_ERROR) / (QB_FLIP_LARGEST - QB_FLIP_KNEE));
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec la[3], lb[3];
        hunt_lab(la, a, i, left);
        hunt_lab(lb, b, i, left);
        Vec chroma = length2(vec_sub(la[1], lb[1]), vec_sub(la[2], lb[2]));
        Vec distance = vec_add(vec_abs(vec_sub(la[0], lb[0])), chroma);
        Vec d = vec_pow(distance, vec_set(QB_FLIP_EXPONENT));
        Vec above = vec_max(vec_sub(d, knee), vec_zero());
        vec_store_first(y + i, vec_fmadd(vec_min(d, knee), low, vec_mul(above, high)), left);
    }
}

VEC_INLINE Vec feature_difference(const float *const x[2], const float *const y[2], size_t i,
                                  ptrdiff_t left)
{
    Vec image = length2(vec_load_first(x[0] + i, left), vec_load_first(y[0] + i, left));
    Vec reference = length2(vec_load_first(x[1] + i, left), vec_load_first(y[1] + i, left));
    return vec_abs(vec_sub(image, reference));
}

static void flip_error(float *y, const QbFlipFeatures *f, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        ptrdiff_t left = (ptrdiff_t)(n - i);
        Vec edge = feature_difference(f->dx, f->dy, i, left);
        Vec point = feature_difference(f->ddx, f->ddy, i, left);
        Vec feature = vec_sqrt(vec_mul(vec_set(0.70710678f), vec_max(edge, point)));
        Vec color = vec_load_first(y + i, left);
        vec_store_first(y + i, vec_pow(color, vec_sub(vec_set(1.0f), feature)), left);
    }
}

#endif
