/* video.c: QbVideo: options and limits, the frames that are wanted, and what is to be said about
 * them. Bytes come from video_file.c, frames from the FFmpeg module, their choice from
 * sample_frames.c.
 *
 * By rate, whether a frame is taken depends on frames behind it: the i-th only counts if the video
 * goes on for the rest of its interval. So one frame is held back until that is certain, and videos
 * of unknown length need no second pass. */
// SPDX-License-Identifier: Apache-2.0
#include "video/video.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/decode.h"
#include "image/image.h"
#include "video/module.h"
#include "video/sample_frames.h"
#include "video/video_file.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { MAX_NOTES = 8, MAX_THREADS = 1024 };

struct QbVideo {
    char *name; /* owned */
    QbVideoOptions options;
    QbVideoFile file;
    const QbVideoModule *module;
    QbVideoStream *stream; /* the module's, owned */
    QbVideoInfo info;
    QbSampler sampler;
    int64_t next;       /* number of the next frame to take, in the sampler's count */
    QbVideoFound found; /* where the module stands; index -1 = nowhere yet */
    /* Held back until the video is known to have n_needed frames; NULL = none. */
    QbImage *held; /* owned */
    QbFrame held_frame;
    int64_t n_needed;
    int64_t n_given;
    char *notes[MAX_NOTES]; /* owned */
    int n_notes;
};

static atomic_bool skipping_is_off;

void qb_video_set_skipping(bool may_skip)
{
    atomic_store(&skipping_is_off, !may_skip);
}

void qb_video_options_init(QbVideoOptions *options)
{
    QbImageOptions image;
    qb_image_options_init(&image);
    *options = (QbVideoOptions){
        .size = sizeof *options,
        .sampling = QB_SAMPLE_RATE,
        .rate = 1,
        .count = 1,
        .every = 1,
        .decode = QB_DECODE_AUTO,
        .max_pixels = image.max_pixels,
    };
}

static QbStatus check_options(QbVideoOptions *out, const QbVideoOptions *options)
{
    qb_video_options_init(out);
    if (options) {
        if (options->size != sizeof *options)
            return qb_fail(QB_ERR_ARG,
                           "QbVideoOptions of %zu bytes, this library's have %zu: call "
                           "qb_video_options_init, or rebuild against this version",
                           options->size, sizeof *options);
        *out = *options;
    }
    if (out->decode == QB_DECODE_AUTO)
        out->decode = QB_DECODE_MANAGED;
    if (out->decode != QB_DECODE_MANAGED && out->decode != QB_DECODE_UPSTREAM)
        return qb_fail(QB_ERR_ARG, "unknown decode mode %d", (int)out->decode);
    if ((int)out->sampling < QB_SAMPLE_RATE || out->sampling > QB_SAMPLE_EVERY)
        return qb_fail(QB_ERR_ARG, "unknown way of sampling %d", (int)out->sampling);
    if (!(out->rate > 0) || !isfinite(out->rate))
        return qb_fail(QB_ERR_ARG, "%g frames a second: must be more than 0", out->rate);
    if (out->count < 1 || out->every < 1)
        return qb_fail(QB_ERR_ARG, "the number of frames, and every how many, must be at least 1");
    if (out->threads < 0 || out->threads > MAX_THREADS)
        return qb_fail(QB_ERR_ARG, "%d threads: must be 0 to %d", out->threads, MAX_THREADS);
    if (out->max_pixels < 1)
        return qb_fail(QB_ERR_ARG, "the limit on pixels must be at least 1");
    return QB_OK;
}

/* ---- the module's host ----------------------------------------------------------------------- */

static int host_read(void *user, uint8_t *out, int size)
{
    return qb_video_file_read(&((QbVideo *)user)->file, out, size);
}

static bool host_seek(void *user, int64_t offset)
{
    return qb_video_file_seek(&((QbVideo *)user)->file, offset);
}

static QbStatus host_fail(void *user, QbStatus status, const char *text)
{
    return qb_fail(status < 0 ? status : QB_ERR_FORMAT, "%s: %s", ((QbVideo *)user)->name, text);
}

static void host_note(void *user, const char *text)
{
    QbVideo *v = user;
    for (int i = 0; i < v->n_notes; i++)
        if (!strcmp(v->notes[i], text))
            return;
    char *copy = v->n_notes < MAX_NOTES ? qb_strdup(text) : NULL;
    if (copy)
        v->notes[v->n_notes++] = copy;
}

/* ---- opening --------------------------------------------------------------------------------- */

static QbStatus open_stream(QbVideo *v)
{
    static const QbModuleKind kind = {"qb_video_module", QB_VIDEO_MODULE_ABI};
    const char *format = qb_image_format_of(v->file.head, v->file.head_size);
    if (format)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: is a picture (%s), not a video; qboost score rates pictures", v->name,
                       format);
    const QbModuleHead *head;
    QbStatus status = qb_module_get(&head, &kind, "ffmpeg", "libavformat-dev and its like");
    if (status)
        return qb_fail_prefix(status, "%s", v->name);
    v->module = (const QbVideoModule *)head;
    QbVideoHost host = {
        .user = v,
        .read = host_read,
        .seek = v->file.is_seekable ? host_seek : NULL,
        .size = v->file.size,
        .managed = v->options.decode == QB_DECODE_MANAGED,
        .may_skip = !atomic_load(&skipping_is_off),
        .threads = v->options.threads,
        .max_pixels = v->options.max_pixels,
        .fail = host_fail,
        .note = host_note,
    };
    status = v->module->open(&v->stream, &host);
    if (!status)
        v->module->info(&v->info, v->stream);
    return status;
}

static QbStatus start_sampling(QbVideo *v)
{
    QbStatus status = QB_OK;
    int64_t n_frames = 0;
    if (v->options.sampling == QB_SAMPLE_RATE && !(v->info.fps > 0))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: its frame rate is not known; take every so many frames (--every)",
                       v->name);
    if (v->options.sampling == QB_SAMPLE_COUNT) {
        if (!v->file.is_seekable)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: a number of frames (--frames) needs a file, because a pipe does "
                           "not say how many there are; take them by time (--fps) or --every",
                           v->name);
        status = v->module->count(&n_frames, v->stream);
        if (!status && n_frames < 1)
            status = qb_fail(QB_ERR_FORMAT, "%s: no frames in the video", v->name);
        if (!status)
            v->info.n_frames = n_frames;
    }
    if (!status)
        qb_sampler_init(&v->sampler, &v->options, v->info.fps, n_frames);
    return status;
}

/* From v->file, which is open. */
static QbStatus open_file(QbVideo *v, const QbVideoOptions *options)
{
    QbStatus status = check_options(&v->options, options);
    if (!status)
        status = open_stream(v);
    if (!status)
        status = start_sampling(v);
    return status;
}

static QbStatus open_video(QbVideo **out, const char *path, int fd, const char *name,
                           const QbVideoOptions *options)
{
    QbVideo *v = qb_calloc(1, sizeof *v);
    if (!v)
        return QB_ERR_NOMEM;
    v->file.fd = -1;
    v->found.index = -1;
    v->name = qb_strdup(name);
    QbStatus status = !v->name ? QB_ERR_NOMEM
                      : path   ? qb_video_file_open(&v->file, path)
                               : qb_video_file_open_fd(&v->file, fd, v->name);
    if (!status)
        status = open_file(v, options);
    if (status)
        qb_video_close(&v);
    *out = v;
    return status;
}

QbStatus qb_video_open(QbVideo **out, const char *path, const QbVideoOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_video_open: out is NULL");
    *out = NULL;
    if (!path)
        return qb_fail(QB_ERR_ARG, "qb_video_open: no path given");
    return open_video(out, path, -1, path, options);
}

QbStatus qb_video_open_fd(QbVideo **out, int fd, const char *name, const QbVideoOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_video_open_fd: out is NULL");
    *out = NULL;
    return open_video(out, NULL, fd, name ? name : "video", options);
}

void qb_video_close(QbVideo **video)
{
    if (!video || !*video)
        return;
    QbVideo *v = *video;
    if (v->stream)
        v->module->close(v->stream);
    qb_video_file_deinit(&v->file);
    qb_image_free(&v->held);
    for (int i = 0; i < v->n_notes; i++)
        qb_free(v->notes[i]);
    qb_free(v->name);
    qb_free(v);
    *video = NULL;
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* Converts the frame that the module stands at, which is the next one to take. */
static QbStatus take(QbVideo *v)
{
    QbImage *image;
    QbStatus status = qb_image_new(&image, v->found.width, v->found.height, "video");
    if (!status)
        status = v->module->pixels(image->pixels, v->stream);
    if (status) {
        qb_image_free(&image);
        return status;
    }
    v->held = image;
    v->held_frame = (QbFrame){.index = v->found.index, .time_s = v->found.time_s};
    v->n_needed = qb_sampler_needs(&v->sampler, v->next);
    v->next++;
    return QB_OK;
}

/* One step: takes the frame that is there, or goes on to the next one that is wanted. */
static QbStatus go_on(QbVideo *v)
{
    int64_t wanted = qb_sampler_index(&v->sampler, v->next);
    if (wanted == v->found.index)
        return take(v);
    if (wanted < v->found.index) { /* damaged: it was passed over */
        v->next++;
        return QB_OK;
    }
    if (wanted == QB_SAMPLE_NONE && v->sampler.sampling != QB_SAMPLE_RATE) {
        v->found.at_end = true;
        return QB_OK;
    }
    QbStatus status = v->module->advance(&v->found, v->stream, wanted);
    if (!status && v->found.at_end)
        v->info.n_frames = v->found.n_frames;
    return status;
}

static void give(QbImage **out, QbFrame *frame, QbVideo *v)
{
    *out = v->held;
    *frame = v->held_frame;
    v->held = NULL;
    v->n_given++;
}

QbStatus qb_video_next(QbImage **out, QbFrame *frame, QbVideo *v)
{
    if (!out || !frame || !v)
        return qb_fail(QB_ERR_ARG, "qb_video_next: %s is NULL",
                       !out     ? "out"
                       : !frame ? "frame"
                                : "video");
    *out = NULL;
    QbStatus status = QB_OK;
    while (!status && !v->found.at_end && !(v->held && v->found.n_frames >= v->n_needed))
        status = go_on(v);
    if (status)
        return status;
    /* A video shorter than one interval is its first frame. */
    bool is_taken = v->held && v->found.n_frames >= v->n_needed;
    if (is_taken || (v->held && !v->n_given && !v->held_frame.index)) {
        give(out, frame, v);
        return QB_OK;
    }
    qb_image_free(&v->held);
    const char *damage = v->n_given ? NULL : v->module->damage(v->stream);
    return v->n_given ? QB_OK
                      : qb_fail(QB_ERR_FORMAT, "%s: no frame of the video could be decoded%s%s",
                                v->name, damage ? ": " : "", damage ? damage : "");
}

void qb_video_info(QbVideoInfo *out, const QbVideo *v)
{
    *out = v->info;
    int64_t n_frames = v->info.n_frames;
    double estimate = v->info.duration_s * v->info.fps;
    if (n_frames < 0 && estimate >= 0 && estimate < 1e15)
        n_frames = (int64_t)(estimate + 0.5);
    out->n_wanted = n_frames < 0 ? -1 : qb_sampler_total(&v->sampler, n_frames);
}

const char *qb_video_note(const QbVideo *v, int index)
{
    return index >= 0 && index < v->n_notes ? v->notes[index] : NULL;
}

const char *qb_video_damage(const QbVideo *v)
{
    return v->module->damage(v->stream);
}
