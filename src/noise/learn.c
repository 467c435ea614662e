/* learn.c: see learn.h. The steps:
 *   1. take the examples, in an order drawn from the seed, and standardise their features;
 *   2. deal their scenes into groups; for every setting of the classifier and every group, learn
 *      from (some of) the other groups' examples and tell the group's;
 *   3. choose the setting that told best, and the slope from decisions to octaves of visibility
 * that fits best what it told;
 *   4. learn from all with that setting. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/learn.h"

#include "base/error.h"
#include "base/mem.h"
#include "stats/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    N_GROUPS = 4,
    MAX_SEARCH = 1500,   /* examples learned from, and told, in a round of the search */
    MAX_EXAMPLES = 6000, /* learned from in the end: bounds time and the size of the file */
    FINAL_ROUNDS = 12    /* of the search would take about as long as learning in the end */
};

/* Visibilities further than this from the border count as if they were here: a zone with eight
 * times the visible noise is as noisy as can be. */
static const double MAX_OCTAVES = 3;
static const double FAR_OCTAVES = 2, FAR_SHARE = 0.5;
static const double MIN_SLOPE = 1e-3; /* more of a decision is never less noise */

/* Of the search: one setting, one group left out. The text of an error belongs to its thread. */
typedef struct {
    QbNoiseSetting setting;
    QbStatus status;
    char message[256];
} Round;

typedef struct {
    QbNoiseLearning *learning;
    QbNoiseModel *model;
    size_t n;
    size_t *picked;  /* [n]: examples in random order */
    float *x;        /* [n][width] */
    double *octaves; /* [n] */
    int *group;      /* [n] */
    /* Of the search. */
    int n_settings;
    double *decisions; /* [n_settings][n] */
    Round *rounds;     /* [n_settings * N_GROUPS] */
} Lesson;

/* ---- 1. Examples
 * -------------------------------------------------------------------------------*/

static double bounded_octaves(double visibility)
{
    double octaves = visibility > 0 ? log2(visibility) : -MAX_OCTAVES;
    return octaves < -MAX_OCTAVES ? -MAX_OCTAVES : octaves > MAX_OCTAVES ? MAX_OCTAVES : octaves;
}

static bool is_far(const QbNoiseExamples *examples, size_t i)
{
    return fabs(bounded_octaves(examples->visibility[i])) >= FAR_OCTAVES;
}

/* In random order. Of those far from the border, which a ladder of renders is full of and which say
 * little, so many are kept that there are FAR_SHARE of them to one that is near. */
static void pick(Lesson *lesson, int left_out, QbRandom *random)
{
    const QbNoiseExamples *examples = lesson->learning->examples;
    size_t *picked = lesson->picked, n = 0, n_near = 0, n_far = 0;
    for (size_t i = 0; i < examples->n; i++)
        if (examples->scene[i] != left_out) {
            n_near += !is_far(examples, i);
            picked[n++] = i;
        }
    for (size_t i = n; i > 1; i--) {
        size_t j = qb_random_below(random, (uint32_t)i), swap = picked[i - 1];
        picked[i - 1] = picked[j];
        picked[j] = swap;
    }
    size_t far_limit = n_near ? (size_t)ceil(FAR_SHARE * (double)n_near) : n;
    for (size_t i = 0; i < n; i++)
        if (!is_far(examples, picked[i]) || n_far++ < far_limit)
            picked[lesson->n++] = picked[i];
}

static void find_scaling(Lesson *lesson)
{
    QbNoiseModel *model = lesson->model;
    const float *values = lesson->learning->examples->values;
    size_t width = (size_t)model->n_features;
    for (size_t k = 0; k < width; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < lesson->n; i++)
            sum += (double)values[lesson->picked[i] * width + k];
        double mean = sum / (double)lesson->n;
        for (size_t i = 0; i < lesson->n; i++) {
            double d = (double)values[lesson->picked[i] * width + k] - mean;
            squares += d * d;
        }
        double deviation = sqrt(squares / (double)lesson->n);
        model->mean[k] = (float)mean;
        model->scale[k] = deviation > 1e-6 ? (float)(1 / deviation) : 0; /* says nothing */
    }
}

static void take_examples(Lesson *lesson)
{
    const QbNoiseExamples *examples = lesson->learning->examples;
    size_t width = (size_t)lesson->model->n_features;
    for (size_t i = 0; i < lesson->n; i++) {
        size_t from = lesson->picked[i];
        qb_noise_standardise(lesson->x + i * width, lesson->model, examples->values + from * width);
        lesson->octaves[i] = bounded_octaves(examples->visibility[from]);
    }
}

/* Scenes go to groups in turn, in the order in which the examples drawn first name them; one scene
 * alone is dealt out by example. */
static QbStatus deal_groups(Lesson *lesson)
{
    const QbNoiseExamples *examples = lesson->learning->examples;
    int n_scenes = 0, *turn = qb_calloc((size_t)examples->n_scenes, sizeof *turn);
    if (!turn)
        return QB_ERR_NOMEM;
    for (size_t i = 0; i < lesson->n; i++) {
        int *of_scene = &turn[examples->scene[lesson->picked[i]]];
        if (!*of_scene)
            *of_scene = ++n_scenes;
        lesson->group[i] = *of_scene % N_GROUPS;
    }
    for (size_t i = 0; i < lesson->n && n_scenes == 1; i++)
        lesson->group[i] = (int)(i % N_GROUPS);
    qb_free(turn);
    return QB_OK;
}

/* ---- 2. Search
 * ---------------------------------------------------------------------------------*/

/* Tells that `rounds` more are done; false when the caller wants to stop. */
static bool go_on(QbNoiseLearning *learning, int rounds)
{
    pthread_mutex_lock(&learning->mutex);
    const QbNoiseTrainOptions *options = &learning->options;
    learning->done += rounds;
    if (!learning->cancelled && options->progress)
        learning->cancelled = !options->progress(learning->done / learning->total, options->user);
    bool wanted = !learning->cancelled;
    pthread_mutex_unlock(&learning->mutex);
    return wanted;
}

/* The first MAX_SEARCH rows outside of the group, copied into x and octaves. */
static QbNoiseRows rows_outside(const Lesson *lesson, int group, float *x, double *octaves)
{
    int width = lesson->model->n_features;
    QbNoiseRows rows = {.x = x, .octaves = octaves, .width = width};
    for (size_t i = 0; i < lesson->n && rows.n < MAX_SEARCH; i++)
        if (lesson->group[i] != group) {
            memcpy(x + rows.n * (size_t)width, lesson->x + i * (size_t)width,
                   (size_t)width * sizeof *x);
            octaves[rows.n++] = lesson->octaves[i];
        }
    return rows;
}

/* A group may be all there is, or empty, when scenes are few. */
static QbStatus tell_group(Lesson *lesson, const Round *round, int group, double *decisions)
{
    const QbNoiseClassifier *classifier = lesson->learning->classifier;
    size_t width = (size_t)lesson->model->n_features;
    float *x = qb_calloc(MAX_SEARCH, width * sizeof *x);
    double *octaves = qb_calloc(MAX_SEARCH, sizeof *octaves);
    void *state = NULL;
    QbStatus status = QB_ERR_NOMEM;
    if (!x || !octaves)
        goto done;
    QbNoiseRows rows = rows_outside(lesson, group, x, octaves);
    status = rows.n ? classifier->train(&state, &rows, &round->setting) : QB_OK;
    for (size_t i = 0; i < lesson->n && !status; i++)
        if (lesson->group[i] == group)
            decisions[i] = state ? classifier->decide(state, lesson->x + i * width) : 0;
done:
    if (state)
        classifier->free(state);
    qb_free(octaves);
    qb_free(x);
    return status;
}

static void do_rounds(int begin, int end, int thread, void *user)
{
    Lesson *lesson = user;
    (void)thread;
    for (int r = begin; r < end; r++) {
        Round *round = &lesson->rounds[r];
        round->status = tell_group(lesson, round, r % N_GROUPS,
                                   lesson->decisions + (size_t)(r / N_GROUPS) * lesson->n);
        if (!round->status && !go_on(lesson->learning, 1))
            round->status = qb_fail(QB_ERR_CANCELLED, "training was stopped");
        if (round->status)
            snprintf(round->message, sizeof round->message, "%s", qb_last_error());
    }
}

static QbStatus search(Lesson *lesson, QbPool *pool)
{
    int n_rounds = lesson->n_settings * N_GROUPS;
    for (int r = 0; r < n_rounds; r++)
        lesson->learning->classifier->setting(&lesson->rounds[r].setting, r / N_GROUPS,
                                              &lesson->learning->options);
    for (int r = 0; r < n_rounds; r++)
        lesson->rounds[r].setting.seed = lesson->learning->options.seed;
    if (pool)
        qb_pool_run(pool, do_rounds, lesson, n_rounds, 1);
    else
        do_rounds(0, n_rounds, 0, lesson);
    for (int r = 0; r < n_rounds; r++)
        if (lesson->rounds[r].status)
            return qb_fail(lesson->rounds[r].status, "%s", lesson->rounds[r].message);
    return QB_OK;
}

/* ---- 3. Choice
 * ---------------------------------------------------------------------------------*/

/* What an example counts, noisy and clean ones the same in all. */
static void kind_weights(double weights[2], const Lesson *lesson)
{
    double n[2] = {0};
    for (size_t i = 0; i < lesson->n; i++)
        n[lesson->octaves[i] > 0]++;
    for (int kind = 0; kind < 2; kind++)
        weights[kind] = n[kind] > 0 ? 0.5 / n[kind] : 0;
}

/* octaves = slope * decision + offset by least squares. */
static void fit_scale(double *out_slope, double *out_offset, const double *decisions,
                      const Lesson *lesson)
{
    double weights[2], sum[2] = {0}, mean[2] = {0}, product = 0, square = 1e-12;
    kind_weights(weights, lesson);
    for (size_t i = 0; i < lesson->n; i++) {
        double weight = weights[lesson->octaves[i] > 0];
        sum[0] += weight;
        mean[0] += weight * decisions[i];
        mean[1] += weight * lesson->octaves[i];
    }
    mean[0] /= sum[0];
    mean[1] /= sum[0];
    for (size_t i = 0; i < lesson->n; i++) {
        double weight = weights[lesson->octaves[i] > 0], d = decisions[i] - mean[0];
        product += weight * d * (lesson->octaves[i] - mean[1]);
        square += weight * d * d;
    }
    *out_slope = fmax(product / square, MIN_SLOPE);
    *out_offset = mean[1] - *out_slope * mean[0];
}

/* The share told wrongly, of noisy and clean zones alike, and the root mean square error in
 * octaves, which tells settings apart that agree in the first. */
static double loss_of(const double *decisions, double slope, double offset, const Lesson *lesson)
{
    double weights[2], wrong = 0, squares = 0;
    kind_weights(weights, lesson);
    for (size_t i = 0; i < lesson->n; i++) {
        bool noisy = lesson->octaves[i] > 0;
        double octaves = slope * decisions[i] + offset;
        wrong += (octaves > 0) != noisy ? weights[noisy] : 0;
        octaves = octaves > -MAX_OCTAVES ? octaves : -MAX_OCTAVES;
        double off = (octaves < MAX_OCTAVES ? octaves : MAX_OCTAVES) - lesson->octaves[i];
        squares += weights[noisy] * off * off;
    }
    return wrong + 0.5 * sqrt(squares);
}

/* The first of the best. */
static QbNoiseSetting choose(Lesson *lesson)
{
    int best = 0;
    double least = INFINITY;
    for (int s = 0; s < lesson->n_settings; s++) {
        const double *decisions = lesson->decisions + (size_t)s * lesson->n;
        double slope, offset;
        fit_scale(&slope, &offset, decisions, lesson);
        double loss = loss_of(decisions, slope, offset, lesson);
        if (loss < least) {
            least = loss;
            best = s;
            lesson->model->slope = (float)slope;
            lesson->model->offset = (float)offset;
        }
    }
    return lesson->rounds[best * N_GROUPS].setting;
}

/* ---- All together
 * ------------------------------------------------------------------------------*/

static int count_settings(const QbNoiseLearning *learning)
{
    QbNoiseSetting setting;
    int n = 0;
    while (learning->classifier->setting(&setting, n, &learning->options))
        n++;
    return n;
}

int qb_noise_learn_rounds(const QbNoiseLearning *learning)
{
    return count_settings(learning) * N_GROUPS + FINAL_ROUNDS;
}

static QbStatus allocate(Lesson *lesson)
{
    size_t n = lesson->learning->examples->n, width = (size_t)lesson->model->n_features;
    size_t n_settings = (size_t)lesson->n_settings;
    lesson->picked = qb_calloc(n, sizeof *lesson->picked);
    lesson->x = qb_calloc(n, width * sizeof *lesson->x);
    lesson->octaves = qb_calloc(n, sizeof *lesson->octaves);
    lesson->group = qb_calloc(n, sizeof *lesson->group);
    lesson->decisions = qb_calloc(n, n_settings * sizeof *lesson->decisions);
    lesson->rounds = qb_calloc(n_settings * N_GROUPS, sizeof *lesson->rounds);
    return lesson->picked && lesson->x && lesson->octaves && lesson->group && lesson->decisions &&
                   lesson->rounds
               ? QB_OK
               : QB_ERR_NOMEM;
}

static QbStatus learn(Lesson *lesson, int left_out, QbPool *pool)
{
    QbNoiseLearning *learning = lesson->learning;
    QbRandom random;
    qb_random_seed(&random, learning->options.seed);
    pick(lesson, left_out, &random);
    find_scaling(lesson);
    take_examples(lesson);
    QbStatus status = deal_groups(lesson);
    if (status || (status = search(lesson, pool)))
        return status;
    QbNoiseSetting setting = choose(lesson);
    QbNoiseRows rows = {lesson->x, lesson->octaves, lesson->n, lesson->model->n_features};
    rows.n = rows.n < MAX_EXAMPLES ? rows.n : MAX_EXAMPLES;
    status = learning->classifier->train(&lesson->model->state, &rows, &setting);
    if (!status && !go_on(learning, FINAL_ROUNDS))
        status = qb_fail(QB_ERR_CANCELLED, "training was stopped");
    return status;
}

QbStatus qb_noise_learn(QbNoiseModel **out, QbNoiseLearning *learning, int left_out, QbPool *pool)
{
    const char *name = learning->options.name ? learning->options.name : "qboost-noise";
    Lesson lesson = {.learning = learning, .n_settings = count_settings(learning)};
    QbStatus status = qb_noise_model_new(out, name, learning->classifier);
    lesson.model = *out;
    if (!status && !(status = allocate(&lesson)))
        status = learn(&lesson, left_out, pool);
    qb_free(lesson.picked);
    qb_free(lesson.x);
    qb_free(lesson.octaves);
    qb_free(lesson.group);
    qb_free(lesson.decisions);
    qb_free(lesson.rounds);
    if (status)
        qb_noise_model_close(out);
    return status;
}
