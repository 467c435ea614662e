/* noise_extract.c: keeps of a picture what others can be judged by. */
// SPDX-License-Identifier: Apache-2.0
#include "base/report.h"
#include "output/noise_record.h"
#include "run/noise_run.h"
#include "session/noise_picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int tell(const NoiseRunArgs *args, const char *path, const NoisePicture *picture,
                QbNoiseGrid grid)
{
    struct stat info;
    Text text = {0};
    int n = grid.columns * grid.rows;
    if (stat(args->extract, &info) != 0)
        return CLI_OK; /* a pipe that is gone already */
    if (strcmp(args->format, "table")) {
        noise_add_features(&text, path, &picture->info, grid, args->extract, info.st_size);
    } else if (!args->quiet) {
        text_add_printable(&text, args->extract);
        text_addf(&text, ": features of %d zone%s, %lld bytes\n", n, n == 1 ? "" : "s",
                  (long long)info.st_size);
    }
    bool good = text.length == 0 || write_all(STDOUT_FILENO, text.data, text.length);
    text_free(&text);
    if (good)
        return CLI_OK;
    report("cannot write the results: %s", strerror(errno));
    return CLI_FAILED;
}

static int save(const NoiseRunArgs *args, const NoisePicture *picture, QbNoiseGrid grid)
{
    QbNoiseFeatures *features = NULL;
    QbStatus status =
        qb_noise_features_new(&features, picture->image, grid, noise_threads(&args->noise));
    if (status == QB_OK)
        status = qb_noise_features_save(features, args->extract);
    if (status != QB_OK)
        report("%s", qb_last_error());
    qb_noise_features_free(&features);
    return status == QB_OK ? CLI_OK : CLI_FAILED;
}

int noise_extract(const Command *command, const NoiseRunArgs *args, const char *path)
{
    NoisePicture picture;
    QbNoiseGrid grid;
    Text note = {0};
    char *error = NULL;
    int code = noise_args_start(&grid, command, &args->noise);
    if (code != CLI_OK)
        return code;
    if (noise_picture_open(&picture, &error, path, strcmp(path, "-") == 0, &args->noise) != QB_OK) {
        report_about(path, error);
        free(error);
        return CLI_FAILED;
    }
    noise_picture_add_note(&note, &picture.info);
    if (note.length > 0 && !args->quiet)
        report_about(path, note.data);
    code = save(args, &picture, grid);
    if (code == CLI_OK)
        code = tell(args, path, &picture, grid);
    noise_picture_free(&picture);
    text_free(&note);
    return code;
}
