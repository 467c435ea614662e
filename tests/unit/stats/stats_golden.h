/* stats_golden.h: the lists of tests/golden/stats/, read or computed again from their seed as
 * tools/reference/stats.py computes them: exact arithmetic only, so the same to the last bit. */
// SPDX-License-Identifier: Apache-2.0
#ifndef STATS_GOLDEN_H
#define STATS_GOLDEN_H

#include "base/mem.h"
#include "stats/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct {
    const char *name;  /* borrowed from the JSON */
    const json_t *set; /* the case, borrowed */
    size_t n;
    double *x, *y; /* [n], owned */
} GoldenPairs;

static inline json_t *golden_load(const char *file)
{
    json_error_t error;
    json_t *cases = json_load_file(file, 0, &error);
    if (!cases)
        fail_msg("%s:%d: %s", file, error.line, error.text);
    assert_true(json_is_array(cases) && json_array_size(cases) > 0);
    return cases;
}

static inline double golden_number(const json_t *set, const char *key)
{
    const json_t *value = json_object_get(set, key);
    if (!json_is_number(value))
        fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}

static inline double golden_unit(uint64_t *state)
{
    return ldexp((double)(qb_splitmix64(state) >> 11), -53);
}

static inline double golden_levelled(double value, double levels)
{
    return levels > 0 ? floor(value * levels) / levels : value;
}

static inline void golden_compute(GoldenPairs *pairs, bool curved)
{
    const json_t *set = pairs->set;
    uint64_t state = (uint64_t)json_integer_value(json_object_get(set, "seed"));
    double offset = golden_number(set, "x_offset"), x_levels = golden_number(set, "x_levels");
    for (size_t i = 0; i < pairs->n; i++) {
        double u = golden_unit(&state), noise = golden_unit(&state);
        pairs->x[i] = offset + golden_levelled(u, x_levels);
        if (curved) {
            double t = golden_number(set, "slope") * (u - 0.5);
            pairs->y[i] =
                50 + 40 * (t / (1 + fabs(t))) + golden_number(set, "noise") * (noise - 0.5);
        } else {
            double weight = golden_number(set, "weight");
            pairs->y[i] =
                golden_levelled(weight * u + (1 - weight) * noise, golden_number(set, "y_levels"));
        }
    }
}

static inline GoldenPairs golden_pairs(const json_t *cases, size_t index)
{
    const json_t *set = json_array_get(cases, index);
    const char *shape = json_string_value(json_object_get(set, "shape"));
    GoldenPairs pairs = {.name = json_string_value(json_object_get(set, "name")), .set = set};
    assert_non_null(shape);
    pairs.n = (size_t)golden_number(set, "n");
    pairs.x = qb_calloc(pairs.n, sizeof(double));
    pairs.y = qb_calloc(pairs.n, sizeof(double));
    assert_true(pairs.n && pairs.x && pairs.y);
    if (strcmp(shape, "literal")) {
        golden_compute(&pairs, !strcmp(shape, "curved"));
    } else {
        for (size_t i = 0; i < pairs.n; i++) {
            pairs.x[i] = json_number_value(json_array_get(json_object_get(set, "x"), i));
            pairs.y[i] = json_number_value(json_array_get(json_object_get(set, "y"), i));
        }
    }
    const json_t *last = json_object_get(set, "last");
    if (last && (pairs.x[pairs.n - 1] != json_number_value(json_array_get(last, 0)) ||
                 pairs.y[pairs.n - 1] != json_number_value(json_array_get(last, 1))))
        fail_msg("%s: not the list that the reference saw", pairs.name);
    return pairs;
}

static inline void golden_pairs_deinit(GoldenPairs *pairs)
{
    qb_free(pairs->x);
    qb_free(pairs->y);
    *pairs = (GoldenPairs){0};
}

static inline void golden_compare(const char *name, const char *what, double got, double expected,
                                  double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: %s is %.17g, expected %.17g +- %g", name, what, got, expected, tolerance);
}

#endif
