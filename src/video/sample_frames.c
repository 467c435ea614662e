/* sample_frames.c: the arithmetic of sampling. RATE repeats, to the last bit, what the evaluation
 * scripts of Q-Instruct and Q-Align compute with Python's doubles (int(fps * i) for
 * i < int(len / fps)), so nothing here may be rewritten into an equal formula. */
// SPDX-License-Identifier: Apache-2.0
#include "video/sample_frames.h"

/* Doubles hold integers exactly up to here; no video is longer. */
#define MAX_INDEX 9007199254740992.0

void qb_sampler_init(QbSampler *out, const QbVideoOptions *options, double fps, int64_t n_frames)
{
    *out = (QbSampler){
        .sampling = options->sampling,
        .count = options->count,
        .n_frames = n_frames,
        .every = options->every,
    };
    if (options->sampling == QB_SAMPLE_RATE) {
        /* A rate above the video's own takes every frame once. The upper bound is for rates so
         * small that the quotient is infinite. */
        out->step = fps / options->rate;
        out->step = out->step > 1 ? out->step < MAX_INDEX ? out->step : MAX_INDEX : 1;
    }
}

int64_t qb_sampler_index(const QbSampler *s, int64_t i)
{
    if (s->sampling == QB_SAMPLE_RATE) {
        double index = s->step * (double)i;
        return index < MAX_INDEX ? (int64_t)index : QB_SAMPLE_NONE;
    }
    if (s->sampling == QB_SAMPLE_EVERY)
        return i <= (QB_SAMPLE_NONE - 1) / s->every ? i * s->every : QB_SAMPLE_NONE;
    if (s->count >= s->n_frames)
        return i < s->n_frames ? i : QB_SAMPLE_NONE;
    if (i >= s->count)
        return QB_SAMPLE_NONE;
    __extension__ typedef __int128 Wide; /* (2 i + 1) n_frames may take 128 bits */
    return (int64_t)(((Wide)2 * i + 1) * s->n_frames / ((Wide)2 * s->count));
}

/* i < int(n / step) of RATE. */
static bool is_taken(const QbSampler *s, int64_t i, int64_t n_frames)
{
    return (double)n_frames / s->step >= (double)i + 1;
}

int64_t qb_sampler_needs(const QbSampler *s, int64_t i)
{
    int64_t next = qb_sampler_index(s, i + 1);
    if (s->sampling != QB_SAMPLE_RATE || next == QB_SAMPLE_NONE)
        return s->sampling == QB_SAMPLE_RATE ? QB_SAMPLE_NONE : 0;
    /* (i + 1) step < next + 1, so that many frames suffice, and rounding cannot turn a true "<="
     * round; one or two fewer may. */
    int64_t needs = next + 1;
    while (needs > 1 && is_taken(s, i, needs - 1))
        needs--;
    return needs;
}

int64_t qb_sampler_total(const QbSampler *s, int64_t n_frames)
{
    if (n_frames < 1)
        return 0;
    if (s->sampling == QB_SAMPLE_COUNT)
        return s->count < n_frames ? s->count : n_frames;
    if (s->sampling == QB_SAMPLE_EVERY)
        return (n_frames - 1) / s->every + 1;
    int64_t total = (int64_t)((double)n_frames / s->step);
    return total > 1 ? total : 1;
}
