/* symmetric.c: see symmetric.h. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/symmetric.h"

#include <float.h>
#include <math.h>

enum { MAX_STEPS = 60 }; /* for one eigenvalue; two to four are usual */

/* a[first …][first …] -= v w' + w v', w = p - (v'p / v'v) v, p = 2 a v / v'v: a reflection on both
 * sides. */
static void reflect(double a[][QB_SYMMETRIC_MAX], const double *v, double square, int first, int n)
{
    double p[QB_SYMMETRIC_MAX], product = 0;
    for (int i = first; i < n; i++) {
        double sum = 0;
        for (int j = first; j < n; j++)
            sum += a[i][j] * v[j];
        p[i] = 2 * sum / square;
        product += p[i] * v[i];
    }
    for (int i = first; i < n; i++)
        p[i] -= product / square * v[i];
    for (int i = first; i < n; i++)
        for (int j = first; j < n; j++)
            a[i][j] -= v[i] * p[j] + p[i] * v[j];
}

/* diagonal[n], beside[n - 1]: the three diagonals of a matrix with the same eigenvalues. */
static void reduce(double *diagonal, double *beside, double a[][QB_SYMMETRIC_MAX], int n)
{
    for (int k = 0; k + 2 < n; k++) {
        double v[QB_SYMMETRIC_MAX] = {0}, corner = a[k + 1][k], rest = 0;
        for (int i = k + 2; i < n; i++) {
            v[i] = a[i][k];
            rest += v[i] * v[i];
        }
        beside[k] = corner;
        if (rest > 0) {
            double length = sqrt(rest + corner * corner), image = corner > 0 ? -length : length;
            v[k + 1] = corner - image;
            double square = rest + v[k + 1] * v[k + 1];
            beside[k] = image;
            reflect(a, v, square, k + 1, n);
        }
    }
    for (int i = 0; i < n; i++)
        diagonal[i] = a[i][i];
    if (n > 1)
        beside[n - 2] = a[n - 1][n - 2];
}

/* One QL step on rows first … last; what it leaves in beside[first] is smaller than before. */
static void step(double *diagonal, double *beside, int first, int last)
{
    double half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
    double root = sqrt(half * half + 1);
    double g =
        diagonal[last] - diagonal[first] + beside[first] / (half + (half < 0 ? -root : root));
    double sine = 1, cosine = 1, shifted = 0;
    for (int i = last - 1; i >= first; i--) {
        double f = sine * beside[i], b = cosine * beside[i];
        double length = sqrt(f * f + g * g);
        if (i + 1 < last)
            beside[i + 1] = length;
        if (length <= 0) { /* it falls into two parts here */
            diagonal[i + 1] -= shifted;
            return;
        }
        sine = f / length;
        cosine = g / length;
        g = diagonal[i + 1] - shifted;
        double r = (diagonal[i] - g) * sine + 2 * cosine * b;
        shifted = sine * r;
        diagonal[i + 1] = g + shifted;
        g = cosine * r - b;
    }
    diagonal[first] -= shifted;
    beside[first] = g;
}

/* The last row of the block that begins at first and has nothing small beside its diagonal. */
static int block_end(const double *diagonal, const double *beside, int first, int n)
{
    int last = first;
    while (last + 1 < n &&
           fabs(beside[last]) > DBL_EPSILON * (fabs(diagonal[last]) + fabs(diagonal[last + 1])))
        last++;
    return last;
}

void qb_symmetric_eigenvalues(double *values, double a[][QB_SYMMETRIC_MAX], int n)
{
    double beside[QB_SYMMETRIC_MAX];
    reduce(values, beside, a, n);
    for (int first = 0; first < n; first++)
        for (int steps = 0, last;
             steps < MAX_STEPS && (last = block_end(values, beside, first, n)) > first; steps++)
            step(values, beside, first, last);
}
