/* noise_pictures.h: made pictures for tests of visibility: smooth and textured parts, and noise of
 * known strength, the same on every machine. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_NOISE_PICTURES_H
#define QB_TESTS_NOISE_PICTURES_H

#include "stats/random.h"

#include <math.h>
#include <qboost/noise.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 192 };
static const QbNoiseGrid FOUR = {4, 4};

static inline double gaussian(QbRandom *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += qb_random_unit(random);
    return sum;
}

/* Ramps in the left half, texture of amplitude 40 in the right. */
static inline double scene_at(int x, int y)
{
    double ramp = 60 + 0.4 * x + 0.3 * y;
    return x < SIDE / 2 ? ramp : ramp + 40 * sin(0.9 * x) * sin(0.7 * y);
}

/* The scene with independent noise of the deviation sigma (in levels) from the seed, the same in
 * all colours. */
static inline void fill_scene(double *grey, double sigma, uint64_t seed)
{
    QbRandom random;
    qb_random_seed(&random, seed);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            grey[y * SIDE + x] = scene_at(x, y) + (sigma > 0 ? sigma * gaussian(&random) : 0);
}

static inline QbImage *image_of(const double *grey)
{
    static uint8_t rgb[SIDE * SIDE * 3];
    QbImage *image;
    for (int i = 0; i < SIDE * SIDE; i++)
        memset(rgb + 3 * i, (int)lrint(fmin(fmax(grey[i], 0), 255)), 3);
    assert_int_equal(qb_image_new_rgb(&image, rgb, SIDE, SIDE, SIDE * 3), QB_OK);
    return image;
}

static inline QbImage *made_scene(double sigma, uint64_t seed)
{
    static double grey[SIDE * SIDE];
    fill_scene(grey, sigma, seed);
    return image_of(grey);
}

static inline void expect_error(QbStatus status, QbStatus expected, const char *text)
{
    assert_int_equal(status, expected);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
}

#endif
