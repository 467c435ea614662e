/* classifier_fuzzy.c: fuzzy rules of Takagi and Sugeno (Fuzzy identification of systems and its
 * applications to modeling and control, IEEE Trans. SMC 15, 1985): "a zone that is like c_k has a
 * visibility of 2^(w_k . x + b_k)". How much a zone is like c_k is a Gaussian of its distance, made
 * to sum to 1 over the rules; the c_k are the centres of clusters (k-means, begun as k-means++:
 * Arthur & Vassilvitskii, SODA 2007); w_k and b_k are each rule's own weighted least squares, with
 * a ridge, because many features say nearly the same. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "noise/classifier.h"
#include "stats/random.h"

#include <math.h>
#include <string.h>

enum { MAX_RULES = 32, CLUSTER_STEPS = 30 };

static const int RULES[] = {1, 4, 8, 16};
static const double SHARPNESS[] = {1, 3};
enum { N_RULES = sizeof RULES / sizeof *RULES, N_SHARPNESS = sizeof SHARPNESS / sizeof *SHARPNESS };

static const double MIN_SHARE = 1e-4; /* what is less like a rule's centre says nothing about it */
static const double RIDGE = 0.02;     /* of the examples' weight, on features of variance 1 */

typedef struct {
    int n, width;
    float *centres;     /* [n][width], owned */
    float *sharpness;   /* [n], owned: of exp(-sharpness * |x - c|^2) */
    float *consequents; /* [n][width + 1], owned: w and b */
} Rules;

static void free_state(void *state)
{
    Rules *rules = state;
    if (!rules)
        return;
    qb_free(rules->centres);
    qb_free(rules->sharpness);
    qb_free(rules->consequents);
    qb_free(rules);
}

static Rules *new_rules(int n, int width)
{
    Rules *rules = qb_calloc(1, sizeof *rules);
    if (!rules)
        return NULL;
    size_t count = (size_t)n, columns = (size_t)width;
    rules->n = n;
    rules->width = width;
    rules->centres = qb_calloc(count, columns * sizeof *rules->centres);
    rules->sharpness = qb_calloc(count, sizeof *rules->sharpness);
    rules->consequents = qb_calloc(count, (columns + 1) * sizeof *rules->consequents);
    if (rules->centres && rules->sharpness && rules->consequents)
        return rules;
    free_state(rules);
    return NULL;
}

static bool setting(QbNoiseSetting *out, int index, const QbNoiseTrainOptions *options)
{
    (void)options; /* cost and gamma are the SVMs' */
    if (index >= N_RULES * N_SHARPNESS)
        return false;
    out->n_rules = RULES[index / N_SHARPNESS];
    out->gamma = SHARPNESS[index % N_SHARPNESS];
    return true;
}

static double distance(const float *a, const float *b, int width)
{
    double sum = 0;
    for (int k = 0; k < width; k++) {
        double d = (double)a[k] - (double)b[k];
        sum += d * d;
    }
    return sum;
}

/* ---- Using
 * -------------------------------------------------------------------------------------*/

/* share[n], sum 1. Relative to the nearest, so that far from all the nearest rule counts. */
static void memberships(double *share, const Rules *rules, const float *x)
{
    double least = INFINITY, sum = 0;
    for (int r = 0; r < rules->n; r++) {
        const float *centre = rules->centres + (ptrdiff_t)r * rules->width;
        share[r] = (double)rules->sharpness[r] * distance(x, centre, rules->width);
        least = share[r] < least ? share[r] : least;
    }
    for (int r = 0; r < rules->n; r++)
        sum += share[r] = exp(least - share[r]);
    for (int r = 0; r < rules->n; r++)
        share[r] /= sum;
}

static double decide(const void *state, const float *x)
{
    const Rules *rules = state;
    double share[MAX_RULES], decision = 0;
    memberships(share, rules, x);
    for (int r = 0; r < rules->n; r++) {
        const float *w = rules->consequents + (ptrdiff_t)r * (rules->width + 1);
        double sum = (double)w[rules->width];
        for (int k = 0; k < rules->width; k++)
            sum += (double)w[k] * (double)x[k];
        decision += share[r] * sum;
    }
    return decision;
}

/* ---- Clusters
 * ----------------------------------------------------------------------------------*/

static int nearest(const Rules *rules, int n_centres, const float *x, double *out_distance)
{
    int best = 0;
    *out_distance = INFINITY;
    for (int r = 0; r < n_centres; r++) {
        double d = distance(x, rules->centres + (ptrdiff_t)r * rules->width, rules->width);
        if (d < *out_distance) {
            *out_distance = d;
            best = r;
        }
    }
    return best;
}

static void copy_centre(Rules *rules, int rule, const QbNoiseRows *rows, size_t row)
{
    memcpy(rules->centres + (ptrdiff_t)rule * rules->width, rows->x + row * (size_t)rows->width,
           (size_t)rows->width * sizeof *rules->centres);
}

/* The first is any example, the others likelier the further they are from those chosen. */
static void begin_clusters(Rules *rules, const QbNoiseRows *rows, QbRandom *random)
{
    copy_centre(rules, 0, rows, qb_random_below(random, (uint32_t)rows->n));
    for (int r = 1; r < rules->n; r++) {
        double total = 0, d, reached = 0;
        for (size_t i = 0; i < rows->n; i++) {
            nearest(rules, r, rows->x + i * (size_t)rows->width, &d);
            total += d;
        }
        double wanted = qb_random_unit(random) * total;
        size_t chosen = 0;
        for (size_t i = 0; i < rows->n && reached <= wanted; i++) {
            nearest(rules, r, rows->x + i * (size_t)rows->width, &d);
            reached += d;
            chosen = i;
        }
        copy_centre(rules, r, rows, chosen);
    }
}

/* Moves every centre to the mean of those nearest to it. sums[n][width], counts[n]: scratch.
 * spreads[n]: mean square distances before the move. */
static void move_centres(Rules *rules, const QbNoiseRows *rows, double *sums, double *counts,
                         double *spreads)
{
    size_t width = (size_t)rules->width;
    memset(sums, 0, (size_t)rules->n * width * sizeof *sums);
    for (int r = 0; r < rules->n; r++)
        counts[r] = spreads[r] = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const float *x = rows->x + i * width;
        double d;
        int r = nearest(rules, rules->n, x, &d);
        counts[r]++;
        spreads[r] += d;
        for (size_t k = 0; k < width; k++)
            sums[(size_t)r * width + k] += (double)x[k];
    }
    for (int r = 0; r < rules->n; r++) {
        spreads[r] = counts[r] > 0 ? spreads[r] / counts[r] : 0;
        for (size_t k = 0; k < width && counts[r] > 0; k++)
            rules->centres[(size_t)r * width + k] =
                (float)(sums[(size_t)r * width + k] / counts[r]);
    }
}

static QbStatus find_clusters(Rules *rules, const QbNoiseRows *rows, const QbNoiseSetting *how)
{
    QbRandom random;
    double counts[MAX_RULES], spreads[MAX_RULES];
    double *sums = qb_calloc((size_t)rules->n, (size_t)rules->width * sizeof *sums);
    if (!sums)
        return QB_ERR_NOMEM;
    qb_random_seed(&random, how->seed);
    begin_clusters(rules, rows, &random);
    for (int step = 0; step < CLUSTER_STEPS; step++)
        move_centres(rules, rows, sums, counts, spreads);
    for (int r = 0; r < rules->n; r++)
        rules->sharpness[r] = (float)(how->gamma / (spreads[r] > 1 ? spreads[r] : 1));
    qb_free(sums);
    return QB_OK;
}

/* ---- Consequents
 * -------------------------------------------------------------------------------*/

/* x = a^-1 x by Cholesky's factors; a[n][n] is positive definite, its lower triangle is replaced.
 */
static void solve(double *x, double *a, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= a[i * n + k] * x[k];
        x[i] /= a[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            x[i] -= a[k * n + i] * x[k];
        x[i] /= a[i * n + i];
    }
}

/* Adds an example of so much weight to the normal equations. x1[n]: features and a 1. */
static void add_example(double *a, double *b, const double *x1, int n, double octaves,
                        double weight)
{
    for (int i = 0; i < n; i++) {
        double scaled = weight * x1[i];
        b[i] += scaled * octaves;
        for (int j = 0; j <= i; j++)
            a[i * n + j] += scaled * x1[j];
    }
}

/* share[rows->n][rules->n]; a, b, x1: scratch. */
static void fit_rule(Rules *rules, int rule, const QbNoiseRows *rows, const double *share,
                     double *a, double *b, double *x1)
{
    int n = rules->width + 1;
    double total = 0;
    memset(a, 0, (size_t)n * (size_t)n * sizeof *a);
    memset(b, 0, (size_t)n * sizeof *b);
    for (size_t i = 0; i < rows->n; i++) {
        const float *x = rows->x + i * (size_t)rows->width;
        double weight = share[i * (size_t)rules->n + (size_t)rule];
        if (weight < MIN_SHARE)
            continue;
        for (int k = 0; k < rules->width; k++)
            x1[k] = (double)x[k];
        x1[n - 1] = 1;
        total += weight;
        add_example(a, b, x1, n, rows->octaves[i], weight);
    }
    for (int i = 0; i < n; i++)
        a[i * n + i] += 1e-6 + (i < n - 1 ? RIDGE * total : 0);
    solve(b, a, n);
    for (int i = 0; i < n; i++)
        rules->consequents[(ptrdiff_t)rule * n + i] = (float)b[i];
}

static QbStatus train(void **out, const QbNoiseRows *rows, const QbNoiseSetting *how)
{
    size_t n = (size_t)rows->width + 1, n_rules = (size_t)how->n_rules;
    Rules *rules = *out = new_rules(how->n_rules, rows->width);
    double *a = qb_calloc(n, n * sizeof *a), *b = qb_calloc(n, 2 * sizeof *b);
    double *share = qb_calloc(rows->n, n_rules * sizeof *share);
    QbStatus status = rules && a && b && share ? find_clusters(rules, rows, how) : QB_ERR_NOMEM;
    for (size_t i = 0; !status && i < rows->n; i++)
        memberships(share + i * n_rules, rules, rows->x + i * (size_t)rows->width);
    for (int r = 0; !status && r < rules->n; r++)
        fit_rule(rules, r, rows, share, a, b, b + n);
    qb_free(share);
    qb_free(a);
    qb_free(b);
    if (status) {
        free_state(rules);
        *out = NULL;
    }
    return status;
}

/* ---- In files
 * ----------------------------------------------------------------------------------*/

static bool part(QbModelPart *out, const void *state, int index)
{
    const Rules *rules = state;
    int64_t n = rules->n, width = rules->width;
    const QbModelPart parts[] = {
        {"fuzzy.centres", n, width, rules->centres},
        {"fuzzy.sharpness", 1, n, rules->sharpness},
        {"fuzzy.consequents", n, width + 1, rules->consequents},
    };
    if (index >= (int)(sizeof parts / sizeof *parts))
        return false;
    *out = parts[index];
    return true;
}

static QbStatus read(void **out, const QbGguf *gguf, int width)
{
    int64_t n = 0;
    Rules *rules = *out = qb_calloc(1, sizeof *rules);
    if (!rules)
        return QB_ERR_NOMEM;
    QbStatus status;
    (void)((status = qb_model_part_read(&rules->centres, &n, gguf, 0, width, "fuzzy.centres")) ||
           (status = n <= MAX_RULES ? QB_OK
                                    : qb_fail(QB_ERR_LIMIT, "%s: %lld fuzzy rules, at most %d",
                                              qb_gguf_name(gguf), (long long)n, MAX_RULES)) ||
           (status = qb_model_part_read(&rules->sharpness, NULL, gguf, 1, n, "fuzzy.sharpness")) ||
           (status = qb_model_part_read(&rules->consequents, NULL, gguf, n, width + 1,
                                        "fuzzy.consequents")));
    rules->n = (int)n;
    rules->width = width;
    if (status) {
        free_state(rules);
        *out = NULL;
    }
    return status;
}

const QbNoiseClassifier qb_noise_classifier_fuzzy = {
    .name = "fuzzy",
    .summary = "fuzzy rules of Takagi and Sugeno, each a linear model of the visibility",
    .setting = setting,
    .train = train,
    .decide = decide,
    .part = part,
    .read = read,
    .free = free_state,
};
