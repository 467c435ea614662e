/* logistic_fit.h: the monotone mapping that is fitted between scores and opinion before PLCC and
 * RMSE are reported, and that puts scores on a data set's scale afterwards (calibration). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_STATS_LOGISTIC_FIT_H
#define QB_STATS_LOGISTIC_FIT_H

#include <qboost/eval.h>

enum { QB_LOGISTIC_MAX_ITERATIONS = 2000 };

/* A QbLogistic (<qboost/eval.h>) with n_params 4: b1..b4 in b[0..3],
 *     f(x) = (b1 - b2) / (1 + exp(-(x - b3) / |b4|)) + b2
 *   (the form of VQEG, Final report on the validation of objective models of video quality
 *   assessment, 2000, as papers on image quality use it);
 * n_params 5: b1..b5 in b[0..4],
 *     f(x) = b1 (1/2 - 1 / (1 + exp(b2 (x - b3)))) + b4 x + b5
 *   (Sheikh, Sabir & Bovik, A statistical evaluation of recent full reference image quality
 *   assessment algorithms, IEEE Trans. Image Processing 15, 2006, eq. 8 and 9). */

typedef struct {
    QbLogistic mapping;
    double rmse; /* sqrt(sum((f(x) - y)^2) / n) in the unit of y, >= 0 */
    int n_iterations;
    bool
        converged; /* false: QB_LOGISTIC_MAX_ITERATIONS were not enough; the best so far is given */
} QbLogisticFit;

/* Where every fit starts, fixed by the data. With mean and sd those of x (sd with the
 * divisor n) and up = 1 when the covariance of x and y is >= 0, else -1:
 *   4: b1 = max(y), b2 = min(y) (exchanged when up = -1), b3 = mean, b4 = sd / 4
 *   5: b1 = max(y) - min(y), b2 = up / sd, b3 = mean, b4 = 0, b5 = mean(y)
 * Errors as qb_logistic_fit. */
QbStatus qb_logistic_start(QbLogistic *out, int n_params, const double *x, const double *y,
                           size_t n);

/* The least-squares mapping of scores x to opinions y that Levenberg-Marquardt reaches from
 * qb_logistic_start; deterministic. With 5 parameters it starts a second time from the curve that 4
 * parameters have reached, and the better of two minima counts. It ends when the squared error
 * falls by less than a part in 10^9 a step. Usually that takes 6 - 30 iterations. Where the best
 * curve is a limit that no finite parameters reach (an exponential, a line, a step; common when
 * scores hardly agree with opinions) it takes up to a thousand and more, and PLCC is right to some
 * 3e-6. QB_ERR_ARG for an n_params other than 4 and 5, fewer pairs than parameters, a value that is
 * not finite, a constant list; QB_ERR_LIMIT when values or spreads lie outside 1e-100..1e100.
 * Allocates nothing. */
QbStatus qb_logistic_fit(QbLogisticFit *out, int n_params, const double *x, const double *y,
                         size_t n);

/* f(x) for a finite x is qb_logistic_map of <qboost/eval.h>. */

#endif
