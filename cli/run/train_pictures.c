/* train_pictures.c: see train_pictures.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/train_pictures.h"

#include "session/noise_picture.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct Seen {
    const char *path; /* owned */
    float *values;
    double samples;
} Seen;

struct TrainPictures {
    const NoiseArgs *args;
    QbNoiseGrid grid;
    int threads;
    void *seen;           /* of tsearch: each Seen by its path */
    char *reference_path; /* of the one that is open, or NULL */
    NoisePicture reference;
};

TrainPictures *train_pictures_new(const NoiseArgs *args, QbNoiseGrid grid)
{
    TrainPictures *pictures = cli_calloc(1, sizeof *pictures);
    pictures->args = args;
    pictures->grid = grid;
    pictures->threads = noise_threads(args);
    return pictures;
}

static void close_reference(TrainPictures *pictures)
{
    noise_picture_free(&pictures->reference);
    free(pictures->reference_path);
    pictures->reference_path = NULL;
}

static void free_seen(void *node)
{
    Seen *seen = node;
    free((char *)seen->path);
    free(seen->values);
    free(seen);
}

void train_pictures_free(TrainPictures **pictures)
{
    if (!*pictures)
        return;
    close_reference(*pictures);
    tdestroy((*pictures)->seen, free_seen);
    free(*pictures);
    *pictures = NULL;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const Seen *)a)->path, ((const Seen *)b)->path);
}

static const Seen *find_seen(const TrainPictures *pictures, const char *path)
{
    const Seen wanted = {.path = path};
    Seen *const *found = tfind(&wanted, &pictures->seen, compare_paths);
    return found ? *found : NULL;
}

/* Takes values. */
static const Seen *add_seen(TrainPictures *pictures, const char *path, float *values,
                            const QbLightInfo *info)
{
    Seen *seen = cli_alloc(sizeof *seen);
    *seen = (Seen){.path = cli_strdup(path),
                   .values = values,
                   .samples = info->samples > 0 ? (double)info->samples : NAN};
    if (!tsearch(seen, &pictures->seen, compare_paths))
        cli_out_of_memory();
    return seen;
}

/* NULL: *error is why. */
static const Seen *see(TrainPictures *pictures, char **error, const char *path,
                       const NoisePicture *picture)
{
    size_t n_zones = (size_t)pictures->grid.columns * (size_t)pictures->grid.rows;
    float *values = cli_calloc(n_zones * (size_t)qb_noise_zone_feature_count(), sizeof *values);
    if (qb_noise_zone_features(values, picture->image, pictures->grid, pictures->threads) == QB_OK)
        return add_seen(pictures, path, values, &picture->info);
    *error = cli_strdup(qb_last_error());
    free(values);
    return NULL;
}

static bool open_reference(TrainPictures *pictures, char **error, const char *path)
{
    if (pictures->reference_path && strcmp(pictures->reference_path, path) == 0)
        return true;
    close_reference(pictures);
    if (noise_picture_open(&pictures->reference, error, path, false, pictures->args) != QB_OK)
        return false;
    pictures->reference_path = cli_strdup(path);
    return true;
}

static bool judge(TrainPicture *out, char **error, const TrainPictures *pictures,
                  const NoisePicture *picture)
{
    const NoisePicture *reference = &pictures->reference;
    bool light = picture->info.is_light && reference->info.is_light;
    const QbNoisePair pair = {.image = picture->image,
                              .reference = reference->image,
                              .image_light = light ? picture->light : NULL,
                              .reference_light = light ? reference->light : NULL};
    if (qb_noise_judge_pair(&out->against, &pair, pictures->grid, pictures->threads) == QB_OK)
        return true;
    *error = cli_strdup(qb_last_error());
    return false;
}

bool train_pictures_look(TrainPicture *out, char **error, TrainPictures *pictures, const char *path,
                         const char *reference)
{
    NoisePicture picture = {0};
    const Seen *seen = find_seen(pictures, path);
    bool good = true;
    if (!seen || reference)
        good = noise_picture_open(&picture, error, path, false, pictures->args) == QB_OK;
    if (good && reference)
        good = open_reference(pictures, error, reference) && judge(out, error, pictures, &picture);
    if (good && !seen)
        good = (seen = see(pictures, error, path, &picture)) != NULL;
    if (good) {
        out->values = seen->values;
        out->samples = seen->samples;
        int64_t of_reference = reference ? pictures->reference.info.samples : 0;
        out->reference_samples = of_reference > 0 ? (double)of_reference : NAN;
    }
    noise_picture_free(&picture);
    return good;
}
