/* noise_judge.c: opens pictures and what they are judged by, and has them judged. */
// SPDX-License-Identifier: Apache-2.0
#include "run/noise_judge.h"

#include "base/progress.h"
#include "base/report.h"
#include "options/options.h"
#include "run/noise_names.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Judges out->picture; puts its own words into out->error, or leaves the library's. */
typedef QbStatus (*JudgeBy)(NoiseJudged *out, const NoiseJudge *judge, const Input *second);

typedef struct Way {
    const char *name, *other;
    JudgeBy judge;
} Way;

struct NoiseJudge {
    const NoiseRunArgs *args;
    const NoiseRun *run;
    const Way *way;
    QbNoiseModel *model;
    QbNoiseFeatures *features;
    bool references_in_folder;
    NoisePicture reference; /* one for all pictures */
    int mapped;             /* index of a metric, -1 = none */
    int threads;
};

static QbStatus refuse(NoiseJudged *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The two do not go together: QB_ERR_ARG, which the library would return too. */
static QbStatus refuse(NoiseJudged *out, const char *format, ...)
{
    va_list args;
    char message[4096];
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    out->error = cli_strdup(message);
    return QB_ERR_ARG;
}

static QbStatus check_size(NoiseJudged *out, const char *what, int width, int height)
{
    const QbLightInfo *info = &out->record.info;
    if (info->width == width && info->height == height)
        return QB_OK;
    return refuse(out, "is %d x %d pixels, but %s %s is %d x %d", info->width, info->height, what,
                  out->record.other, width, height);
}

/* ---- ways ---------------------------------------------------------------------------------------
 */

static QbStatus judge_learned(NoiseJudged *out, const NoiseJudge *judge, const Input *second)
{
    (void)second;
    return qb_noise_judge(&out->report, judge->model, out->picture.image, judge->run->grid,
                          judge->threads);
}

static QbStatus judge_features(NoiseJudged *out, const NoiseJudge *judge, const Input *second)
{
    int width, height;
    QbNoiseGrid grid;
    (void)second;
    qb_noise_features_size(judge->features, &width, &height, &grid);
    QbStatus status = check_size(out, "what was put into", width, height);
    return status == QB_OK ? qb_noise_judge_features(&out->report, out->picture.image,
                                                     judge->features, judge->threads)
                           : status;
}

/* They are all there is to judge: nothing hides in what a screen does not show. */
static bool is_same(const NoisePicture *a, const NoisePicture *b)
{
    size_t n = (size_t)a->info.width * (size_t)a->info.height * 3;
    if (a->info.is_light && b->info.is_light)
        return memcmp(qb_light_pixels(a->light), qb_light_pixels(b->light), n * sizeof(float)) == 0;
    return memcmp(qb_image_pixels(a->image), qb_image_pixels(b->image), n) == 0;
}

static QbStatus judge_halves(NoiseJudged *out, const NoiseJudge *judge, const Input *second)
{
    const NoiseArgs *args = &judge->args->noise;
    QbStatus status =
        noise_picture_open(&out->other, &out->error, second->path, second->is_stdin, args);
    if (status != QB_OK)
        return status;
    out->record.other_info = out->other.info;
    status = check_size(out, "its other half", out->other.info.width, out->other.info.height);
    if (status != QB_OK)
        return status;
    if (is_same(&out->picture, &out->other))
        return refuse(out, "its other half %s is the same picture, which tells nothing of noise",
                      second->path);
    status = noise_picture_mean(&out->mean, &out->error, &out->picture, &out->other, args);
    if (status != QB_OK)
        return status;
    out->shown = out->mean.image;
    return qb_noise_judge_halves(&out->report, out->picture.image, out->other.image,
                                 out->mean.image, judge->run->grid, judge->threads);
}

/* ---- against a reference ------------------------------------------------------------------------
 */

static QbStatus open_reference(NoiseJudged *out, const NoiseJudge *judge)
{
    char *why = NULL;
    out->reference = &judge->reference;
    if (judge->references_in_folder) {
        out->reference = &out->other;
        QbStatus status =
            noise_picture_open(&out->other, &why, out->other_path, false, &judge->args->noise);
        if (status != QB_OK) {
            refuse(out, "its reference cannot be read: %s", why);
            free(why);
            return status;
        }
    }
    out->record.other_info = out->reference->info;
    return QB_OK;
}

/* Why a metric is not defined for the two pictures; "" where it is. */
static void find_obstacle(char *out, size_t size, const NoiseJudged *judged,
                          const QbNoiseMetricInfo *metric)
{
    const QbLightInfo *info = &judged->picture.info;
    int side = info->width < info->height ? info->width : info->height;
    if (metric->needs_light && !(info->is_light && judged->reference->info.is_light))
        snprintf(out, size, "needs light (OpenEXR, PFM, HDR) in picture and reference");
    else if (side < metric->min_side)
        snprintf(out, size, "needs a picture of %d pixels a side", metric->min_side);
}

static QbStatus measure(NoiseJudged *out, const NoiseJudge *judge, const QbNoisePair *pair, int m)
{
    const NoiseRun *run = judge->run;
    const QbNoiseMetricInfo *metric = run->metrics[m];
    NoiseMeasure *measured = &out->measures[m];
    size_t n_zones = (size_t)run->grid.columns * (size_t)run->grid.rows;
    size_t n = (size_t)out->picture.info.width * (size_t)out->picture.info.height;
    find_obstacle(measured->obstacle, sizeof measured->obstacle, out, metric);
    if (*measured->obstacle)
        return judge->args->metrics.n > 0 ? refuse(out, "%s %s", metric->name, measured->obstacle)
                                          : QB_OK;
    if (m == judge->mapped)
        out->map = cli_calloc(n, sizeof *out->map);
    measured->zones = cli_calloc(n_zones, sizeof *measured->zones);
    return qb_noise_measure(&measured->whole, measured->zones, m == judge->mapped ? out->map : NULL,
                            metric->name, pair, run->grid, judge->threads);
}

/* No noise was found, and none could be: nothing must take that for a clean picture. */
static void forget_report(QbNoiseReport *report)
{
    report->visibility = report->noise = report->noisy_share = NAN;
    for (int z = 0; z < report->grid.columns * report->grid.rows; z++)
        report->zones[z] = (QbNoiseZone){NAN, NAN};
}

static QbStatus judge_reference(NoiseJudged *out, const NoiseJudge *judge, const Input *second)
{
    (void)second;
    QbStatus status = open_reference(out, judge);
    if (status != QB_OK)
        return status;
    const NoisePicture *picture = &out->picture, *reference = out->reference;
    status = check_size(out, "its reference", reference->info.width, reference->info.height);
    if (status != QB_OK)
        return status;
    if (is_same_file(out->record.path, out->other_path) || is_same(picture, reference))
        out->warning = cli_strdup("the reference is the image itself: every metric is perfect and "
                                  "says nothing");
    const QbNoisePair pair = {.image = picture->image,
                              .reference = reference->image,
                              .image_light = picture->info.is_light ? picture->light : NULL,
                              .reference_light =
                                  reference->info.is_light ? reference->light : NULL};
    status = qb_noise_judge_pair(&out->report, &pair, judge->run->grid, judge->threads);
    if (out->warning)
        forget_report(&out->report);
    for (int m = 0; m < judge->run->n_metrics && status == QB_OK; m++)
        status = measure(out, judge, &pair, m);
    return status;
}

/* ---- one picture --------------------------------------------------------------------------------
 */

enum { LEARNED, REFERENCE, FEATURES, HALVES };

static const Way ways[] = {[LEARNED] = {"learned", NULL, judge_learned},
                           [REFERENCE] = {"reference", "reference", judge_reference},
                           [FEATURES] = {"features", "features", judge_features},
                           [HALVES] = {"halves", "other_half", judge_halves}};

/* The other file of this picture, NULL when there is none. */
static char *other_path(const NoiseJudge *judge, const Input *input, const Input *second)
{
    const NoiseRunArgs *args = judge->args;
    const char *name = strrchr(input->path, '/');
    if (second)
        return cli_strdup(second->path);
    if (!judge->references_in_folder) {
        const char *path = args->reference ? args->reference : args->reference_features;
        return path ? cli_strdup(path) : NULL;
    }
    Text path = {0};
    size_t length = strlen(args->reference);
    text_addf(&path, "%s%s%s", args->reference, args->reference[length - 1] == '/' ? "" : "/",
              name ? name + 1 : input->path);
    return path.data;
}

/* What is not light in one of the pictures is nothing to judge by. */
static void doubt(NoiseJudged *judged)
{
    qb_noise_report_doubt(&judged->report, judged->picture.light);
    if (judged->mean.light)
        qb_noise_report_doubt(&judged->report, judged->mean.light);
    if (judged->reference)
        qb_noise_report_doubt(&judged->report, judged->reference->light);
}

static QbStatus open_and_judge(NoiseJudged *out, const NoiseJudge *judge, const Input *input,
                               const Input *second)
{
    const Input *broken = input->error ? input : second && second->error ? second : NULL;
    if (broken) {
        out->error = cli_strdup(broken->error);
        return QB_ERR_IO;
    }
    QbStatus status = noise_picture_open(&out->picture, &out->error, input->path, input->is_stdin,
                                         &judge->args->noise);
    if (status != QB_OK)
        return status;
    out->shown = out->picture.image;
    out->record.info = out->picture.info;
    noise_picture_add_note(&out->note, &out->picture.info);
    status = judge->way->judge(out, judge, second);
    if (status == QB_OK)
        doubt(out);
    else if (!out->error)
        out->error = cli_strdup(qb_last_error());
    return status;
}

static void add_other_note(NoiseJudged *out, const NoiseJudge *judge)
{
    Text other = {0};
    if (out->record.other_info.width > 0 && (judge->references_in_folder || judge->args->halves))
        noise_picture_add_note(&other, &out->record.other_info);
    if (other.length > 0)
        text_addf(&out->note, "%sin %s: %s", out->note.length ? "; " : "", out->other_path,
                  other.data);
    text_free(&other);
}

QbStatus noise_judge(NoiseJudged *out, const NoiseJudge *judge, const Input *input,
                     const Input *second)
{
    double start = clock_ms();
    *out = (NoiseJudged){.record = {.path = input->path}};
    out->other_path = other_path(judge, input, second);
    out->record.other = out->other_path;
    QbStatus status = open_and_judge(out, judge, input, second);
    out->record.error = out->error;
    if (status != QB_OK) {
        out->record.error_kind = qb_status_name(status);
        return status;
    }
    add_other_note(out, judge);
    out->record.report = &out->report;
    out->record.measures = out->measures;
    out->record.warning = out->warning;
    out->record.note = out->note.data;
    out->record.ms = clock_ms() - start;
    return QB_OK;
}

void noise_judged_free(NoiseJudged *judged)
{
    noise_picture_free(&judged->picture);
    noise_picture_free(&judged->other);
    noise_picture_free(&judged->mean);
    for (int m = 0; m < NOISE_MOST_METRICS; m++)
        free(judged->measures[m].zones);
    free(judged->map);
    free(judged->error);
    free(judged->warning);
    free(judged->other_path);
    text_free(&judged->note);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

static const QbNoiseMetricInfo *find_metric(const char *name)
{
    int i = 0;
    while (qb_noise_metric_info(i) && strcmp(qb_noise_metric_info(i)->name, name))
        i++;
    return qb_noise_metric_info(i);
}

/* Those named, each once, or all. Their names were checked. */
static void choose_metrics(NoiseRun *run, const StringList *names)
{
    for (int i = 0; i < names->n && run->n_metrics < NOISE_MOST_METRICS; i++) {
        const QbNoiseMetricInfo *metric = find_metric(names->items[i]);
        bool known = false;
        for (int m = 0; m < run->n_metrics; m++)
            known |= run->metrics[m] == metric;
        if (!known)
            run->metrics[run->n_metrics++] = metric;
    }
    for (int i = 0; names->n == 0 && i < NOISE_MOST_METRICS && qb_noise_metric_info(i); i++)
        run->metrics[run->n_metrics++] = qb_noise_metric_info(i);
}

/* The first one that was named, else what the verdict is about. */
static int choose_mapped(const NoiseRun *run, bool named)
{
    int m = 0;
    while (!named && m + 1 < run->n_metrics && strcmp(run->metrics[m]->name, "visibility"))
        m++;
    return m;
}

static int open_single_reference(NoiseJudge *judge)
{
    const NoiseRunArgs *args = judge->args;
    char *error = NULL;
    Text note = {0};
    if (noise_picture_open(&judge->reference, &error, args->reference, false, &args->noise) !=
        QB_OK) {
        report("--reference: %s", error);
        free(error);
        return CLI_FAILED;
    }
    noise_picture_add_note(&note, &judge->reference.info);
    if (note.length > 0 && !args->quiet)
        report_about(args->reference, note.data);
    text_free(&note);
    return CLI_OK;
}

static int open_features(NoiseJudge *judge, NoiseRun *run, const Command *command)
{
    const char *file = judge->args->reference_features, *wanted = judge->args->noise.grid;
    int width, height;
    QbNoiseGrid asked = run->grid;
    if (qb_noise_features_open(&judge->features, file) != QB_OK) {
        report("--reference-features: %s", qb_last_error());
        return CLI_FAILED;
    }
    qb_noise_features_size(judge->features, &width, &height, &run->grid);
    if (wanted && (asked.columns != run->grid.columns || asked.rows != run->grid.rows))
        return usage_error(command, "--grid: the features in %s are of %dx%d zones, not %s", file,
                           run->grid.columns, run->grid.rows, wanted);
    return CLI_OK;
}

static int open_reference_or_folder(NoiseJudge *judge, NoiseRun *run)
{
    const NoiseRunArgs *args = judge->args;
    struct stat info;
    choose_metrics(run, &args->metrics);
    if (args->map || args->heat_map)
        judge->mapped = choose_mapped(run, args->metrics.n > 0);
    judge->references_in_folder = stat(args->reference, &info) == 0 && S_ISDIR(info.st_mode);
    return judge->references_in_folder ? CLI_OK : open_single_reference(judge);
}

int noise_judge_open(NoiseJudge **out, NoiseRun *run, const Command *command,
                     const NoiseRunArgs *args)
{
    NoiseJudge *judge = cli_calloc(1, sizeof *judge);
    *judge = (NoiseJudge){.args = args,
                          .run = run,
                          .mapped = -1,
                          .threads = noise_threads(&args->noise),
                          .way = &ways[args->reference            ? REFERENCE
                                       : args->reference_features ? FEATURES
                                       : args->halves             ? HALVES
                                                                  : LEARNED]};
    *out = judge;
    run->way = judge->way->name;
    run->other = judge->way->other;
    noise_tone_mapping(&run->tone, &args->noise);
    int code = noise_args_start(&run->grid, command, &args->noise);
    if (code != CLI_OK)
        return code;
    if (args->reference)
        return open_reference_or_folder(judge, run);
    if (args->reference_features)
        return open_features(judge, run, command);
    if (args->halves)
        return CLI_OK;
    code = noise_open_model(&judge->model, &args->noise);
    if (code == CLI_OK) {
        run->model = qb_noise_model_name(judge->model);
        run->classifier = qb_noise_model_classifier(judge->model);
    }
    return code;
}

void noise_judge_close(NoiseJudge **judge)
{
    if (!*judge)
        return;
    qb_noise_model_close(&(*judge)->model);
    qb_noise_features_free(&(*judge)->features);
    noise_picture_free(&(*judge)->reference);
    free(*judge);
    *judge = NULL;
}

int noise_judge_mapped(const NoiseJudge *judge)
{
    return judge->mapped;
}
