/* noise_picture.c: opens pictures for the commands about noise. */
// SPDX-License-Identifier: Apache-2.0
#include "session/noise_picture.h"

#include "session/picture.h"

/* Takes what there is of light. */
static QbStatus finish(NoisePicture *out, char **error, QbLight *light, const NoiseArgs *args)
{
    QbToneMapping mapping;
    noise_tone_mapping(&mapping, args);
    out->light = light;
    qb_light_info(&out->info, light);
    QbStatus status = qb_light_tone_map(&out->image, light, &mapping);
    if (status == QB_OK)
        return QB_OK;
    *error = cli_strdup(qb_last_error());
    noise_picture_free(out);
    return status;
}

QbStatus noise_picture_open(NoisePicture *out, char **error, const char *path, bool is_stdin,
                            const NoiseArgs *args)
{
    QbLight *light = NULL;
    QbLightOptions options;
    qb_light_options_init(&options);
    options.layer = args->layer;
    options.image.max_pixels = args->max_pixels;
    options.image.max_bytes = args->max_memory;
    *out = (NoisePicture){0};
    QbStatus status = light_open(&light, error, path, is_stdin, &options);
    return status == QB_OK ? finish(out, error, light, args) : status;
}

QbStatus noise_picture_mean(NoisePicture *out, char **error, const NoisePicture *a,
                            const NoisePicture *b, const NoiseArgs *args)
{
    QbLight *light = NULL;
    *out = (NoisePicture){0};
    QbStatus status = qb_light_mean(&light, a->light, b->light);
    if (status == QB_OK)
        return finish(out, error, light, args);
    *error = cli_strdup(qb_last_error());
    return status;
}

void noise_picture_free(NoisePicture *picture)
{
    qb_image_free(&picture->image);
    qb_light_free(&picture->light);
    *picture = (NoisePicture){0};
}

/* "12 samples are not a number and were read as 0" */
static void add_count(Text *out, int64_t n, const char *what, const char *became)
{
    if (n == 0)
        return;
    text_addf(out, "%s%lld sample%s %s %s, read as %s", out->length ? "; " : "", (long long)n,
              n == 1 ? "" : "s", n == 1 ? "is" : "are", what, became);
}

void noise_picture_add_note(Text *out, const QbLightInfo *info)
{
    Text note = {0};
    add_count(&note, info->n_nan, "not a number", "0");
    add_count(&note, info->n_infinite, "infinite", "the largest finite one");
    add_count(&note, info->n_negative, "negative", "0");
    if (*info->missing)
        text_addf(&note, "%sthere is no channel %s, read as 0", note.length ? "; " : "",
                  info->missing);
    if (note.length > 0)
        text_add(out, note.data);
    text_free(&note);
}
