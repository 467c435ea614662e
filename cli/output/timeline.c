/* timeline.c: collects what a timeline shows, in a fixed amount of memory. */
// SPDX-License-Identifier: Apache-2.0
#include "output/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A thumbnail's larger side in pixels: twice what it takes on the canvas, as a PNG has two a unit.
 */
enum { THUMBNAIL_SIDE = 336 };

Timeline *timeline_new(void)
{
    Timeline *timeline = cli_calloc(1, sizeof *timeline);
    timeline->span_frames = 1;
    return timeline;
}

void timeline_free(Timeline **timeline)
{
    if (!*timeline)
        return;
    for (int i = 0; i < (*timeline)->n_worst; i++)
        qb_image_free(&(*timeline)->worst[i].thumbnail);
    free(*timeline);
    *timeline = NULL;
}

static void merge(TimelineSpan *into, const TimelineSpan *next)
{
    double n = (double)into->n, m = (double)next->n;
    into->time_s = (into->time_s * n + next->time_s * m) / (n + m);
    into->mean = (into->mean * n + next->mean * m) / (n + m);
    into->lowest = fmin(into->lowest, next->lowest);
    into->highest = fmax(into->highest, next->highest);
    into->n += next->n;
}

static void halve(Timeline *timeline)
{
    int n = timeline->n_spans / 2;
    for (int i = 0; i < n; i++) {
        timeline->spans[i] = timeline->spans[2 * i];
        merge(&timeline->spans[i], &timeline->spans[2 * i + 1]);
    }
    timeline->n_spans = n;
    timeline->span_frames *= 2;
}

static void add_score(Timeline *timeline, double time_s, double score)
{
    const TimelineSpan span = {time_s, score, score, score, 1};
    int n = timeline->n_spans;
    timeline->end_s = time_s;
    if (n > 0 && timeline->spans[n - 1].n < timeline->span_frames) {
        merge(&timeline->spans[n - 1], &span);
        return;
    }
    if (timeline->n_spans == TIMELINE_SPANS)
        halve(timeline);
    timeline->spans[timeline->n_spans++] = span;
}

static QbStatus make_thumbnail(QbImage **out, const QbImage *image)
{
    int width = qb_image_width(image), height = qb_image_height(image);
    double scale = (double)THUMBNAIL_SIDE / (width > height ? width : height);
    int new_width = (int)(width * scale + 0.5), new_height = (int)(height * scale + 0.5);
    return qb_image_resize(out, image, new_width > 0 ? new_width : 1,
                           new_height > 0 ? new_height : 1);
}

/* Takes the best of the worst out; the later one of two alike. */
static void drop_best(Timeline *timeline)
{
    int best = 0;
    for (int i = 1; i < timeline->n_worst; i++)
        if (timeline->worst[i].score >= timeline->worst[best].score)
            best = i;
    qb_image_free(&timeline->worst[best].thumbnail);
    timeline->n_worst--;
    memmove(&timeline->worst[best], &timeline->worst[best + 1],
            (size_t)(timeline->n_worst - best) * sizeof *timeline->worst);
}

static bool is_among_worst(const Timeline *timeline, double score)
{
    for (int i = 0; i < timeline->n_worst; i++)
        if (score < timeline->worst[i].score)
            return true;
    return timeline->n_worst < TIMELINE_WORST;
}

QbStatus timeline_add(Timeline *timeline, const QbFrame *frame, double score, const QbImage *image)
{
    TimelineFrame worst = {.time_s = frame->time_s, .score = score};
    add_score(timeline, frame->time_s, score);
    if (!is_among_worst(timeline, score))
        return QB_OK;
    QbStatus status = make_thumbnail(&worst.thumbnail, image);
    if (status != QB_OK)
        return status;
    if (timeline->n_worst == TIMELINE_WORST)
        drop_best(timeline);
    timeline->worst[timeline->n_worst++] = worst;
    return QB_OK;
}
