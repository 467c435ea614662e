/* pairs.c: see pairs.h. Checks that make every later step defined. */
// SPDX-License-Identifier: Apache-2.0
#include "stats/pairs.h"

#include "base/error.h"
#include "stats/stats.h"

#include <math.h>

static QbStatus check_finite(const double *values, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return qb_fail(QB_ERR_ARG, "value %zu of the %s list is %s, not a finite number", i + 1,
                           name, isnan(values[i]) ? "NaN" : "infinite");
    return QB_OK;
}

static QbStatus check_varied(const double *values, size_t n, const char *name)
{
    for (size_t i = 1; i < n; i++)
        if (values[i] != values[0])
            return QB_OK;
    return qb_fail(QB_ERR_ARG,
                   "all %zu values of the %s list are %g: with a constant list there is no "
                   "correlation",
                   n, name, values[0]);
}

QbStatus qb_pairs_check(const double *x, const double *y, size_t n, size_t minimum)
{
    if (n < minimum)
        return qb_fail(QB_ERR_ARG, "%zu pair%s of values where at least %zu are needed", n,
                       n == 1 ? "" : "s", minimum);
    if (n > QB_STATS_MAX_PAIRS)
        return qb_fail(QB_ERR_LIMIT, "%zu pairs of values, more than %zu", n, QB_STATS_MAX_PAIRS);
    QbStatus status = check_finite(x, n, "first");
    return status ? status : check_finite(y, n, "second");
}

QbStatus qb_pairs_check_varied(const double *x, const double *y, size_t n, size_t minimum)
{
    QbStatus status = qb_pairs_check(x, y, n, minimum);
    if (!status)
        status = check_varied(x, n, "first");
    return status ? status : check_varied(y, n, "second");
}

void qb_centring_init(QbCentring *out, const double *values, size_t n)
{
    double largest = 0, sum = 0;
    int exponent;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(values[i]));
    frexp(largest, &exponent);
    /* The bound keeps the scale of denormal values finite. */
    out->scale = ldexp(1, exponent < -1000 ? 1000 : -exponent);
    out->origin = values[0] * out->scale;
    for (size_t i = 0; i < n; i++)
        sum += values[i] * out->scale - out->origin;
    out->mean = sum / (double)n;
}
