/* evaluate.c: all that is reported of pairs of score and opinion; see <qboost/eval.h>.
 *
 * Five jobs, which threads share: tau-b, SRCC, each of the two fits with what is measured after it,
 * and PLCC. A job does its own bootstrap; all see the same resamples, since all start from the same
 * seed, so nothing depends on which thread does what. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/cpu.h>
#include <qboost/eval.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "stats/bootstrap.h"
#include "stats/logistic_fit.h"
#include "stats/pairs.h"
#include "stats/stats.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

enum { DEFAULT_RESAMPLES = 1000, ERROR_BYTES = 256 };

typedef QbStatus (*Measure)(double *out, const double *x, const double *y, size_t n);

typedef struct {
    const double *score, *opinion; /* [n] */
    size_t n, part_size;           /* part_size <= n; the last part may be shorter */
    const QbEvalOptions *options;
    QbEvalResult *result; /* jobs write to different members */
} Evaluation;

typedef struct {
    QbStatus (*run)(const Evaluation *evaluation);
    QbStatus status;
    char error[ERROR_BYTES]; /* texts of errors stay in their thread */
} Job;

typedef struct {
    const Evaluation *evaluation;
    Job *jobs;
} Work;

/* What a statistic is of one part. */
typedef struct {
    Measure measure;
    size_t part_size;
} Parts;

void qb_eval_options_init(QbEvalOptions *options)
{
    *options = (QbEvalOptions){.size = sizeof *options, .resamples = DEFAULT_RESAMPLES, .seed = 1};
}

static size_t part_end(size_t start, size_t part_size, size_t n)
{
    return n - start > part_size ? start + part_size : n;
}

/* A QbStatistic: QB_ERR_ARG when it is undefined for one of the parts. */
static QbStatus mean_over_parts(double *out, const double *x, const double *y, size_t n, void *user)
{
    const Parts *parts = user;
    double sum = 0, value;
    size_t count = 0;
    for (size_t start = 0, end; start < n; start = end, count++) {
        end = part_end(start, parts->part_size, n);
        QbStatus status = parts->measure(&value, x + start, y + start, end - start);
        if (status) /* a limit: too large to be told */
            return status == QB_ERR_LIMIT ? QB_ERR_ARG : status;
        sum += value;
    }
    *out = sum / (double)count;
    return QB_OK;
}

static QbStatus measure(QbEvalValue *out, Measure run, const double *x, const Evaluation *e)
{
    Parts parts = {run, e->part_size};
    QbInterval interval;
    double value;
    QbStatus status = mean_over_parts(&value, x, e->opinion, e->n, &parts);
    if (status)
        return status == QB_ERR_ARG ? QB_OK : status; /* undefined: NAN as it is */
    out->value = value;
    if (!e->options->resamples)
        return QB_OK;
    status = qb_bootstrap_parts_interval(&interval, mean_over_parts, &parts, x, e->opinion, e->n,
                                         e->part_size, e->options->resamples, e->options->seed);
    if (status)
        return status == QB_ERR_ARG ? QB_OK : status; /* undefined for most resamples */
    out->low = interval.low;
    out->high = interval.high;
    return QB_OK;
}

static QbStatus run_srcc(const Evaluation *e)
{
    return measure(&e->result->srcc, qb_stats_srcc, e->score, e);
}

static QbStatus run_plcc(const Evaluation *e)
{
    return measure(&e->result->plcc, qb_stats_plcc, e->score, e);
}

static QbStatus run_krcc(const Evaluation *e)
{
    return measure(&e->result->krcc, qb_stats_krcc, e->score, e);
}

/* mapped[n]: each part through its own fit. *out: the fit to all pairs, n_params 0 = none;
 * *out_defined: whether each part has one. */
static void fit_parts(double *mapped, QbLogistic *out, bool *out_converged, bool *out_defined,
                      int n_params, const Evaluation *e)
{
    QbLogisticFit fit;
    *out_converged = *out_defined = true;
    for (size_t start = 0, end; start < e->n; start = end) {
        end = part_end(start, e->part_size, e->n);
        if (qb_logistic_fit(&fit, n_params, e->score + start, e->opinion + start, end - start)) {
            *out_defined = *out_converged = false;
            break;
        }
        *out_converged = *out_converged && fit.converged;
        for (size_t i = start; i < end; i++)
            mapped[i] = qb_logistic_map(&fit.mapping, e->score[i]);
        if (start == 0 && end == e->n) {
            *out = fit.mapping;
            return;
        }
    }
    if (e->part_size < e->n && !qb_logistic_fit(&fit, n_params, e->score, e->opinion, e->n)) {
        *out = fit.mapping;
        *out_converged = *out_converged && fit.converged;
    }
}

static QbStatus run_logistic(QbLogistic *mapping, bool *converged, QbEvalValue *plcc,
                             QbEvalValue *rmse, int n_params, const Evaluation *e)
{
    bool defined;
    double *mapped = qb_calloc(e->n, sizeof *mapped);
    if (!mapped)
        return QB_ERR_NOMEM;
    fit_parts(mapped, mapping, converged, &defined, n_params, e);
    QbStatus status = QB_OK;
    if (defined)
        status = measure(plcc, qb_stats_plcc, mapped, e);
    if (defined && !status)
        status = measure(rmse, qb_stats_rmse, mapped, e);
    qb_free(mapped);
    return status;
}

static QbStatus run_logistic4(const Evaluation *e)
{
    QbEvalResult *r = e->result;
    return run_logistic(&r->logistic4, &r->converged4, &r->plcc_logistic4, &r->rmse, 4, e);
}

static QbStatus run_logistic5(const Evaluation *e)
{
    QbEvalResult *r = e->result;
    return run_logistic(&r->logistic5, &r->converged5, &r->plcc_logistic5, &r->rmse_logistic5, 5,
                        e);
}

static void run_jobs(int begin, int end, int thread, void *user)
{
    const Work *work = user;
    (void)thread;
    for (int i = begin; i < end; i++) {
        Job *job = &work->jobs[i];
        job->status = job->run(work->evaluation);
        if (job->status)
            snprintf(job->error, sizeof job->error, "%s", qb_last_error());
    }
}

static QbStatus run_all(const Evaluation *evaluation)
{
    /* the longest first */
    Job jobs[] = {{.run = run_krcc},
                  {.run = run_srcc},
                  {.run = run_logistic5},
                  {.run = run_logistic4},
                  {.run = run_plcc}};
    const int n_jobs = (int)(sizeof jobs / sizeof *jobs);
    Work work = {evaluation, jobs};
    QbPool *pool;
    int threads = evaluation->options->threads;
    if (!threads)
        threads = qb_cpu_count();
    QbStatus status = qb_pool_new(&pool, threads < n_jobs ? threads : n_jobs);
    if (status)
        return status;
    qb_pool_run(pool, run_jobs, &work, n_jobs, 1);
    qb_pool_free(&pool);
    for (int i = 0; i < n_jobs && !status; i++)
        if (jobs[i].status)
            status = qb_fail(jobs[i].status, "%s", jobs[i].error);
    return status;
}

static QbStatus check_options(const QbEvalOptions *options)
{
    if (options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG, "qb_evaluate: options were not set up by qb_eval_options_init");
    if (options->resamples && (options->resamples < QB_BOOTSTRAP_MIN_RESAMPLES ||
                               options->resamples > QB_BOOTSTRAP_MAX_RESAMPLES))
        return qb_fail(QB_ERR_ARG, "%d resamples, expected 0 or %d to %d", options->resamples,
                       QB_BOOTSTRAP_MIN_RESAMPLES, QB_BOOTSTRAP_MAX_RESAMPLES);
    if (options->part_size < 0)
        return qb_fail(QB_ERR_ARG, "parts of %lld pairs", (long long)options->part_size);
    if (options->threads < 0)
        return qb_fail(QB_ERR_ARG, "%d threads", options->threads);
    return QB_OK;
}

/* A rest of half a part or more is a part; when there is no whole part, all pairs are one. */
static QbStatus divide(Evaluation *e)
{
    size_t size = e->n, rest;
    if (e->options->part_size > 0 && (uint64_t)e->options->part_size < e->n)
        size = (size_t)e->options->part_size;
    rest = e->n % size;
    if (rest < size - rest)
        e->n -= rest;
    e->part_size = size;
    if ((e->n - 1) / size >= INT_MAX)
        return qb_fail(QB_ERR_LIMIT, "%zu parts of %zu pairs", e->n / size, size);
    e->result->n = (int64_t)e->n;
    e->result->n_parts = (int)((e->n + size - 1) / size);
    return QB_OK;
}

QbStatus qb_evaluate(QbEvalResult *out, const double *score, const double *opinion, size_t n,
                     const QbEvalOptions *options)
{
    static const QbEvalValue undefined = {NAN, NAN, NAN};
    QbEvalOptions defaults;
    if (!out || !score || !opinion)
        return qb_fail(QB_ERR_ARG, "qb_evaluate: an argument is NULL");
    qb_eval_options_init(&defaults);
    QbEvalResult result = {.srcc = undefined,
                           .plcc = undefined,
                           .krcc = undefined,
                           .plcc_logistic4 = undefined,
                           .plcc_logistic5 = undefined,
                           .rmse = undefined,
                           .rmse_logistic5 = undefined};
    Evaluation evaluation = {score, opinion, n, 0, options ? options : &defaults, &result};
    QbStatus status = check_options(evaluation.options);
    if (!status)
        status = qb_pairs_check(score, opinion, n, 2);
    if (!status)
        status = divide(&evaluation);
    if (!status)
        status = run_all(&evaluation);
    if (!status)
        *out = result;
    return status;
}
