/* watch_judge.c: see watch_judge.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/watch_judge.h"

#include "base/report.h"
#include "options/options.h"

#include <stdlib.h>
#include <string.h>

/* The zones are the reference's. */
static int open_features(WatchJudge *judge, const Command *command)
{
    const char *path = judge->args->reference_features;
    QbNoiseGrid asked = judge->run.grid, *grid = &judge->run.grid;
    QbStatus status = qb_noise_features_open(&judge->features, path);
    if (status != QB_OK) {
        report("%s", qb_last_error());
        return status == QB_ERR_NOMEM ? CLI_LIMIT : status == QB_ERR_IO ? CLI_NO_INPUT : CLI_MODEL;
    }
    qb_noise_features_size(judge->features, &judge->feature_width, &judge->feature_height, grid);
    bool same = asked.columns == grid->columns && asked.rows == grid->rows;
    if (judge->args->noise.grid && !same)
        return usage_error(command, "--grid %dx%d: the zones of %s are %dx%d", asked.columns,
                           asked.rows, path, grid->columns, grid->rows);
    judge->run.way = "features";
    judge->run.features = path;
    return CLI_OK;
}

int watch_judge_open(WatchJudge *out, const Command *command, const WatchArgs *args)
{
    *out = (WatchJudge){.args = args, .threads = noise_threads(&args->noise)};
    out->run.way = args->way;
    out->run.n_checks = args->checks;
    noise_tone_mapping(&out->run.tone, &args->noise);
    int code = noise_args_start(&out->run.grid, command, &args->noise);
    if (code == CLI_OK && args->reference_features) {
        code = open_features(out, command);
    } else if (code == CLI_OK && strcmp(args->way, "learned") == 0) {
        code = noise_open_model(&out->model, &args->noise);
        if (code == CLI_OK) {
            out->run.model = qb_noise_model_name(out->model);
            out->run.classifier = qb_noise_model_classifier(out->model);
        }
    }
    if (code != CLI_OK)
        watch_judge_close(out);
    return code;
}

void watch_judge_close(WatchJudge *judge)
{
    qb_noise_model_close(&judge->model);
    qb_noise_features_free(&judge->features);
}

/* Light is compared before it becomes what a screen shows, where small changes vanish. */
static Hash128 identify(const NoisePicture *picture)
{
    size_t n = (size_t)picture->info.width * (size_t)picture->info.height * 3;
    Hash128 hash = hash128_add_number(hash128_start, picture->info.width);
    return picture->info.is_light
               ? hash128_add(hash, qb_light_pixels(picture->light), n * sizeof(float))
               : hash128_add(hash, qb_image_pixels(picture->image), n);
}

static QbStatus read_halves(Watched *out, char **error, const WatchJudge *judge,
                            const Followed *files)
{
    const char *paths[] = {files->path, files->other};
    const NoiseArgs *args = &judge->args->noise;
    QbStatus status = QB_OK;
    for (int i = 0; i < 2 && status == QB_OK; i++)
        status = noise_picture_open(&out->halves[i], error, paths[i], false, args);
    if (status == QB_OK)
        status = noise_picture_mean(&out->shown, error, &out->halves[0], &out->halves[1], args);
    if (status == QB_OK && out->halves[0].info.samples > 0 && out->halves[1].info.samples > 0)
        out->samples = out->halves[0].info.samples + out->halves[1].info.samples;
    return status;
}

QbStatus watch_read(Watched *out, char **error, const WatchJudge *judge, const Followed *files)
{
    QbStatus status;
    *out = (Watched){0};
    if (files->other) {
        status = read_halves(out, error, judge, files);
    } else {
        status = noise_picture_open(&out->shown, error, files->path, false, &judge->args->noise);
        if (status == QB_OK)
            out->samples = out->shown.info.samples;
    }
    if (status == QB_OK)
        out->identity = identify(&out->shown);
    else
        watched_free(out);
    return status;
}

void watched_free(Watched *watched)
{
    noise_picture_free(&watched->shown);
    noise_picture_free(&watched->halves[0]);
    noise_picture_free(&watched->halves[1]);
}

static QbStatus judge_by(QbNoiseReport *out, const WatchJudge *judge, const Watched *watched)
{
    const QbImage *image = watched->shown.image;
    if (judge->features)
        return qb_noise_judge_features(out, image, judge->features, judge->threads);
    if (judge->model)
        return qb_noise_judge(out, judge->model, image, judge->run.grid, judge->threads);
    return qb_noise_judge_halves(out, watched->halves[0].image, watched->halves[1].image, image,
                                 judge->run.grid, judge->threads);
}

QbStatus watch_judge(QbNoiseReport *out, const WatchJudge *judge, const Watched *watched)
{
    QbStatus status = judge_by(out, judge, watched);
    if (status == QB_OK)
        qb_noise_report_doubt(out, watched->shown.light);
    return status;
}
