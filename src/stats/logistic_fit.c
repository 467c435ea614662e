/* logistic_fit.c: four- and five-parameter logistic by Levenberg-Marquardt; see logistic_fit.h.
 *
 * 1. x and y are brought to mean 0 and standard deviation 1, so that one set of tolerances serves
 *    all units; the parameters are carried over and, at the end, back;
 * 2. each iteration solves (J'J + mu D) step = J'r, D the largest diagonal of J'J so far (More, The
 *    Levenberg-Marquardt algorithm, 1978), mu steered by the gain ratio (Nielsen, Damping parameter
 *    in Marquardt's method, report IMM-REP-1999-05, 1999);
 * 3. sums run over blocks, so that their rounding stays far below the tolerance. */
// SPDX-License-Identifier: Apache-2.0
#include "stats/logistic_fit.h"

#include "base/error.h"
#include "stats/pairs.h"

#include <math.h>
#include <string.h>

enum { MAX_P = QB_LOGISTIC_MAX_PARAMS, BLOCK = 256 };

/* Relative fall of the squared error, real and foreseen, at which a fit is done. */
static const double TOLERANCE = 1e-9;
/* Mean squared error, in units of the variance of y, that counts as none. */
static const double PERFECT = 1e-28;
static const double FIRST_DAMPING = 1e-3, MAX_DAMPING = 1e30;
/* Narrowest |b4|, in standard deviations of x: a step. Keeps the quotients finite. */
static const double MIN_WIDTH = 1e-9;
/* Squared errors that differ by less, relatively, are of one minimum. */
static const double SAME_MINIMUM = 1e-6;
static const double SMALLEST = 1e-100, LARGEST = 1e100;

typedef struct {
    const double *x, *y;
    size_t n;
    int p; /* parameters */
    double x_mean, x_sd, y_mean, y_sd, y_min, y_max;
    double up; /* 1 or -1 */
} Problem;

/* Of one set of parameters: the squared error, J'J and J'r. */
typedef struct {
    double error;
    double jtj[MAX_P][MAX_P];
    double jtr[MAX_P];
} Equations;

static double dot(const double *a, const double *b, int n)
{
    double sum[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int lane = 0; lane < 4; lane++)
            sum[lane] += a[i + lane] * b[i + lane];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* f(x), and its derivatives by the parameters in slope[p][stride]. */
static double logistic4(double *slope, size_t stride, const double *b, double x)
{
    double width = fmax(fabs(b[3]), MIN_WIDTH), z = (x - b[2]) / width;
    double s = 1 / (1 + exp(-z)), steepness = (b[0] - b[1]) * s * (1 - s) / width;
    slope[0] = s;
    slope[stride] = 1 - s;
    slope[2 * stride] = -steepness;
    slope[3 * stride] = b[3] < 0 ? steepness * z : -steepness * z;
    return (b[0] - b[1]) * s + b[1];
}

static double logistic5(double *slope, size_t stride, const double *b, double x)
{
    double s = 1 / (1 + exp(-b[1] * (x - b[2]))), steepness = b[0] * s * (1 - s);
    slope[0] = s - 0.5;
    slope[stride] = steepness * (x - b[2]);
    slope[2 * stride] = -steepness * b[1];
    slope[3 * stride] = x;
    slope[4 * stride] = 1;
    return b[0] * (s - 0.5) + b[3] * x + b[4];
}

static void add_block(Equations *equations, const Problem *problem, const double *b, size_t start,
                      int count)
{
    double slope[MAX_P][BLOCK], residual[BLOCK];
    for (int i = 0; i < count; i++) {
        double x = (problem->x[start + (size_t)i] - problem->x_mean) / problem->x_sd;
        double y = (problem->y[start + (size_t)i] - problem->y_mean) / problem->y_sd;
        residual[i] = y - (problem->p == 4 ? logistic4(&slope[0][i], BLOCK, b, x)
                                           : logistic5(&slope[0][i], BLOCK, b, x));
    }
    equations->error += dot(residual, residual, count);
    for (int r = 0; r < problem->p; r++) {
        equations->jtr[r] += dot(slope[r], residual, count);
        for (int c = 0; c <= r; c++)
            equations->jtj[r][c] += dot(slope[r], slope[c], count);
    }
}

static void set_up(Equations *equations, const Problem *problem, const double *b)
{
    *equations = (Equations){0};
    for (size_t start = 0; start < problem->n; start += BLOCK) {
        size_t left = problem->n - start;
        add_block(equations, problem, b, start, left < BLOCK ? (int)left : BLOCK);
    }
}

/* Solves (J'J + diagonal) step = J'r by Cholesky's method; false when it is not positive. */
static bool solve(double *step, const Equations *equations, const double *diagonal, int p)
{
    double l[MAX_P][MAX_P];
    for (int r = 0; r < p; r++) {
        for (int c = 0; c <= r; c++) {
            double sum = equations->jtj[r][c] + (r == c ? diagonal[r] : 0);
            for (int k = 0; k < c; k++)
                sum -= l[r][k] * l[c][k];
            if (r == c && !(sum > 0))
                return false;
            l[r][c] = r == c ? sqrt(sum) : sum / l[c][c];
        }
    }
    for (int r = 0; r < p; r++) {
        step[r] = equations->jtr[r];
        for (int k = 0; k < r; k++)
            step[r] -= l[r][k] * step[k];
        step[r] /= l[r][r];
    }
    for (int r = p - 1; r >= 0; r--) {
        for (int k = r + 1; k < p; k++)
            step[r] -= l[k][r] * step[k];
        step[r] /= l[r][r];
    }
    return true;
}

/* Fall of the squared error that the linear model foresees: step'(mu D step + J'r). */
static double foreseen_fall(const double *step, const double *diagonal, const double *jtr, int p)
{
    double fall = 0;
    for (int i = 0; i < p; i++)
        fall += step[i] * (diagonal[i] * step[i] + jtr[i]);
    return fall;
}

/* From b, in place; returns the number of iterations. *out is the equations at the result. */
static int minimise(double *b, Equations *out, bool *out_converged, const Problem *problem)
{
    double damping = FIRST_DAMPING, growth = 2, scale[MAX_P] = {0};
    Equations now, next;
    int p = problem->p, iteration = 0;
    bool done = false;
    set_up(&now, problem, b);
    for (; !done && iteration < QB_LOGISTIC_MAX_ITERATIONS && damping < MAX_DAMPING; iteration++) {
        double diagonal[MAX_P], step[MAX_P], trial[MAX_P], fall = 0, foreseen = 0;
        for (int i = 0; i < p; i++) {
            scale[i] = fmax(scale[i], now.jtj[i][i]);
            diagonal[i] = damping * scale[i];
        }
        bool solved = solve(step, &now, diagonal, p);
        if (solved) {
            for (int i = 0; i < p; i++)
                trial[i] = b[i] + step[i];
            set_up(&next, problem, trial);
            fall = now.error - next.error;
            foreseen = foreseen_fall(step, diagonal, now.jtr, p);
            done = fabs(fall) <= TOLERANCE * now.error && foreseen <= TOLERANCE * now.error;
        }
        if (solved && fall > 0) {
            double gain = 2 * fall / foreseen - 1;
            damping *= fmax(1.0 / 3, 1 - gain * gain * gain);
            growth = 2;
            memcpy(b, trial, sizeof trial);
            now = next;
            done = done || now.error <= PERFECT * (double)problem->n;
        } else {
            damping *= growth;
            growth *= 2;
        }
    }
    *out_converged = done || damping >= MAX_DAMPING;
    *out = now;
    return iteration;
}

static void measure(double *mean, double *sd, const double *values, size_t n)
{
    QbCentring centring;
    double sum_squares = 0;
    qb_centring_init(&centring, values, n);
    for (size_t i = 0; i < n; i++) {
        double d = qb_centring_apply(&centring, values[i]);
        sum_squares += d * d;
    }
    *mean = (centring.origin + centring.mean) / centring.scale;
    *sd = sqrt(sum_squares / (double)n) / centring.scale;
}

static bool in_limits(double mean, double sd, double largest)
{
    return sd >= SMALLEST && sd <= LARGEST && fabs(mean) <= LARGEST && largest <= LARGEST;
}

static QbStatus problem_init(Problem *out, int n_params, const double *x, const double *y, size_t n)
{
    double covariance = 0, x_largest = 0;
    if (n_params != 4 && n_params != 5)
        return qb_fail(QB_ERR_ARG, "a logistic of %d parameters, expected 4 or 5", n_params);
    QbStatus status = qb_pairs_check_varied(x, y, n, (size_t)n_params);
    if (status)
        return status;
    *out = (Problem){.x = x, .y = y, .n = n, .p = n_params, .y_min = y[0], .y_max = y[0]};
    measure(&out->x_mean, &out->x_sd, x, n);
    measure(&out->y_mean, &out->y_sd, y, n);
    for (size_t i = 0; i < n; i++) {
        x_largest = fmax(x_largest, fabs(x[i]));
        out->y_min = fmin(out->y_min, y[i]);
        out->y_max = fmax(out->y_max, y[i]);
    }
    if (!in_limits(out->x_mean, out->x_sd, x_largest) ||
        !in_limits(out->y_mean, out->y_sd, fmax(fabs(out->y_min), fabs(out->y_max))))
        return qb_fail(QB_ERR_LIMIT, "values or spreads outside %g .. %g: no logistic is fitted",
                       SMALLEST, LARGEST);
    for (size_t i = 0; i < n; i++)
        covariance += (x[i] - out->x_mean) / out->x_sd * ((y[i] - out->y_mean) / out->y_sd);
    out->up = covariance >= 0 ? 1 : -1;
    return QB_OK;
}

/* In standard units; the formulas are in the header. */
static void start_values(double *b, const Problem *problem)
{
    double high = (problem->y_max - problem->y_mean) / problem->y_sd;
    double low = (problem->y_min - problem->y_mean) / problem->y_sd;
    memset(b, 0, MAX_P * sizeof *b);
    if (problem->p == 4) {
        b[0] = problem->up > 0 ? high : low;
        b[1] = problem->up > 0 ? low : high;
        b[3] = 0.25;
    } else {
        b[0] = high - low;
        b[1] = problem->up;
    }
}

/* From standard units to those of x and y. */
static QbLogistic in_units(const double *b, const Problem *problem)
{
    QbLogistic mapping = {.n_params = problem->p};
    double x_mean = problem->x_mean, x_sd = problem->x_sd;
    double y_mean = problem->y_mean, y_sd = problem->y_sd;
    mapping.b[2] = x_mean + x_sd * b[2];
    if (problem->p == 4) {
        mapping.b[0] = y_mean + y_sd * b[0];
        mapping.b[1] = y_mean + y_sd * b[1];
        mapping.b[3] = x_sd * fmax(fabs(b[3]), MIN_WIDTH);
    } else {
        mapping.b[0] = y_sd * b[0];
        mapping.b[1] = b[1] / x_sd;
        mapping.b[3] = y_sd * b[3] / x_sd;
        mapping.b[4] = y_mean + y_sd * (b[4] - b[3] * x_mean / x_sd);
    }
    return mapping;
}

QbStatus qb_logistic_start(QbLogistic *out, int n_params, const double *x, const double *y,
                           size_t n)
{
    Problem problem;
    double b[MAX_P];
    QbStatus status = problem_init(&problem, n_params, x, y, n);
    if (status)
        return status;
    start_values(b, &problem);
    *out = in_units(b, &problem);
    return QB_OK;
}

/* The second start of five parameters: the curve of four that fits best, which is one of them. */
static void start_at_four(double *b, const Problem *problem)
{
    Problem four = *problem;
    Equations equations;
    double c[MAX_P];
    bool converged;
    four.p = 4;
    start_values(c, &four);
    minimise(c, &equations, &converged, &four);
    b[0] = c[0] - c[1];
    b[1] = 1 / fmax(fabs(c[3]), MIN_WIDTH);
    b[2] = c[2];
    b[3] = 0;
    b[4] = (c[0] + c[1]) / 2;
}

/* Keeps the second minimum only where it is another one. */
static void try_second_start(double *b, Equations *equations, bool *converged, int *n_iterations,
                             const Problem *problem)
{
    Equations second;
    double c[MAX_P];
    bool second_converged;
    start_at_four(c, problem);
    int n = minimise(c, &second, &second_converged, problem);
    if (!(second.error < equations->error * (1 - SAME_MINIMUM)))
        return;
    memcpy(b, c, sizeof c);
    *equations = second;
    *converged = second_converged;
    *n_iterations = n;
}

QbStatus qb_logistic_fit(QbLogisticFit *out, int n_params, const double *x, const double *y,
                         size_t n)
{
    Problem problem = {0};
    Equations equations;
    double b[MAX_P];
    QbStatus status = problem_init(&problem, n_params, x, y, n);
    if (status)
        return status;
    start_values(b, &problem);
    out->n_iterations = minimise(b, &equations, &out->converged, &problem);
    if (n_params == 5)
        try_second_start(b, &equations, &out->converged, &out->n_iterations, &problem);
    out->mapping = in_units(b, &problem);
    out->rmse = problem.y_sd * sqrt(equations.error / (double)n);
    return QB_OK;
}

double qb_logistic_map(const QbLogistic *mapping, double x)
{
    const double *b = mapping->b;
    if (mapping->n_params == 4)
        return (b[0] - b[1]) / (1 + exp(-(x - b[2]) / fabs(b[3]))) + b[1];
    return b[0] * (0.5 - 1 / (1 + exp(b[1] * (x - b[2])))) + b[3] * x + b[4];
}
