/* deinterlace.c: an interlaced frame as one whole picture, the field that is shown first and lines
 * between its lines by FFmpeg's bwdif, which looks at the frames before and after. A graph is built
 * for each frame: those that are wanted are seldom neighbours, and so the picture does not depend
 * on which others were asked for. */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <stdio.h>

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

enum { LEAST_SIDE = 3 /* what bwdif needs */, WANTED = 1 /* time of the wanted frame */ };

typedef struct Graph {
    AVFilterGraph *graph; /* owned; the rest is its own */
    AVFilterContext *source, *sink;
} Graph;

bool qbv_needs_deinterlacing(const QbVideoStream *s, const AVFrame *frame)
{
    return s->host.managed && frame->interlaced_frame && frame->width >= LEAST_SIDE &&
           frame->height >= LEAST_SIDE;
}

/* False without memory, or where bwdif cannot take the frames. */
static bool build(Graph *g, const AVFrame *frame)
{
    char like[160];
    snprintf(like, sizeof like, "video_size=%dx%d:pix_fmt=%d:time_base=1/1", frame->width,
             frame->height, frame->format);
    AVFilterContext *bwdif = NULL;
    g->graph = avfilter_graph_alloc();
    if (!g->graph)
        return false;
    g->graph->nb_threads = 1;
    g->graph->scale_sws_opts = av_strdup("flags=accurate_rnd+bitexact"); /* odd pixel formats */
    return g->graph->scale_sws_opts &&
           avfilter_graph_create_filter(&g->source, avfilter_get_by_name("buffer"), "in", like,
                                        NULL, g->graph) >= 0 &&
           avfilter_graph_create_filter(&bwdif, avfilter_get_by_name("bwdif"), "bwdif",
                                        "mode=send_frame:parity=auto:deint=all", NULL,
                                        g->graph) >= 0 &&
           avfilter_graph_create_filter(&g->sink, avfilter_get_by_name("buffersink"), "out", NULL,
                                        NULL, g->graph) >= 0 &&
           !avfilter_link(g->source, 0, bwdif, 0) && !avfilter_link(bwdif, 0, g->sink, 0) &&
           avfilter_graph_config(g->graph, NULL) >= 0;
}

static bool is_like(const AVFrame *a, const AVFrame *b)
{
    return a->buf[0] && a->width == b->width && a->height == b->height && a->format == b->format;
}

/* A reference to frame goes into the graph. */
static bool put(Graph *g, const AVFrame *frame, int time)
{
    AVFrame *copy = av_frame_clone(frame);
    bool done = copy != NULL;
    if (copy) {
        copy->pts = time;
        copy->repeat_pict = 0; /* bwdif spares frames beside a repeated field */
        done = av_buffersrc_add_frame(g->source, copy) >= 0;
    }
    av_frame_free(&copy);
    return done;
}

/* The first frame of a graph is not compared with others, so none must come first that has any:
 * where one neighbour is missing, the frame takes its place. */
static bool run(AVFrame *out, Graph *g, QbVideoStream *s)
{
    bool has_previous = is_like(s->previous, s->frame);
    bool has_next = qbv_peek(s) && is_like(s->decoded, s->frame);
    bool has_any = has_previous || has_next;
    if ((has_any && !put(g, has_previous ? s->previous : s->frame, WANTED - 1)) ||
        !put(g, s->frame, WANTED) ||
        (has_any && !put(g, has_next ? s->decoded : s->frame, WANTED + 1)) ||
        av_buffersrc_add_frame(g->source, NULL) < 0)
        return false;
    while (av_buffersink_get_frame(g->sink, out) >= 0) {
        if (out->pts == 2 * WANTED) /* bwdif counts fields */
            return true;
        av_frame_unref(out);
    }
    return false;
}

QbStatus qbv_deinterlace(QbVideoStream *s)
{
    Graph g = {0};
    if (!s->progressive)
        s->progressive = av_frame_alloc();
    bool done = false;
    if (s->progressive) {
        av_frame_unref(s->progressive);
        done = build(&g, s->frame) && run(s->progressive, &g, s);
    }
    avfilter_graph_free(&g.graph);
    if (!done)
        return qbv_fail(s, QB_ERR_UNSUPPORTED, "an interlaced frame cannot be deinterlaced");
    qbv_note(s, "interlaced frames were deinterlaced (bwdif)");
    return QB_OK;
}
