/* video_test.h: what the tests of videos share: the golden clips and what must come out of them,
 * frames as checksums, files through pipes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_VIDEO_VIDEO_TEST_H
#define TESTS_UNIT_VIDEO_VIDEO_TEST_H

#include "tests/unit/image/image_test.h"
#include "video/video.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#define VIDEOS "tests/golden/video/"

enum { MAX_FRAMES = 512, MAX_CLIPS = 64 };

/* A frame that came out, or that must. */
typedef struct SeenFrame {
    int64_t index;
    double time_s;
    int width, height;
    uint32_t crc;
} SeenFrame;

typedef struct Seen {
    int n;
    SeenFrame frames[MAX_FRAMES];
    QbVideoInfo info; /* numbers alone: the texts are gone */
    char damage[256]; /* "" = none */
} Seen;

/* How a file is given to the library. */
typedef enum Way { BY_PATH, BY_PIPE } Way;

static inline QbVideoOptions video_options(QbSampling sampling, double value)
{
    QbVideoOptions options;
    qb_video_options_init(&options);
    options.sampling = sampling;
    options.threads = 1;
    if (sampling == QB_SAMPLE_RATE)
        options.rate = value;
    else if (sampling == QB_SAMPLE_COUNT)
        options.count = (int64_t)value;
    else
        options.every = (int64_t)value;
    return options;
}

/* The frames of a video to its end, or to a failure. */
static inline QbStatus see_frames(Seen *out, QbVideo *video)
{
    QbStatus status;
    QbImage *image;
    QbFrame frame;
    out->n = 0;
    while (!(status = qb_video_next(&image, &frame, video)) && image) {
        assert_in_range(out->n, 0, MAX_FRAMES - 1);
        out->frames[out->n++] = (SeenFrame){.index = frame.index,
                                            .time_s = frame.time_s,
                                            .width = image->width,
                                            .height = image->height,
                                            .crc = crc32_of(image->pixels, byte_count(image))};
        qb_image_free(&image);
    }
    assert_null(image);
    const char *damage = qb_video_damage(video);
    snprintf(out->damage, sizeof out->damage, "%s", damage ? damage : "");
    qb_video_info(&out->info, video);
    return status;
}

/* ---- pipes ----------------------------------------------------------------------------------- */

typedef struct Feeder {
    const char *path;
    int in, out; /* of the pipe */
    pthread_t thread;
} Feeder;

static void *feed_file(void *user)
{
    Feeder *feeder = user;
    uint8_t bytes[5000];
    int file = open(feeder->path, O_RDONLY);
    ssize_t n;
    while ((n = read(file, bytes, sizeof bytes)) > 0 && write(feeder->out, bytes, (size_t)n) == n)
        continue;
    close(file);
    close(feeder->out);
    return NULL;
}

static inline void start_feeding(Feeder *feeder, const char *path, void *(*feed)(void *))
{
    int ends[2];
    signal(SIGPIPE, SIG_IGN); /* a reader may have enough */
    assert_int_equal(pipe(ends), 0);
    *feeder = (Feeder){.path = path, .in = ends[0], .out = ends[1]};
    assert_int_equal(pthread_create(&feeder->thread, NULL, feed, feeder), 0);
}

static inline void stop_feeding(Feeder *feeder)
{
    close(feeder->in);
    pthread_join(feeder->thread, NULL);
}

static inline QbStatus see_video(Seen *out, const char *path, Way way,
                                 const QbVideoOptions *options)
{
    QbVideo *video;
    Feeder feeder;
    if (way == BY_PIPE)
        start_feeding(&feeder, path, feed_file);
    QbStatus status = way == BY_PIPE ? qb_video_open_fd(&video, feeder.in, path, options)
                                     : qb_video_open(&video, path, options);
    if (!status)
        status = see_frames(out, video);
    qb_video_close(&video);
    if (way == BY_PIPE)
        stop_feeding(&feeder);
    return status;
}

static inline void assert_same_frames(const Seen *got, const Seen *want, const char *what)
{
    for (int i = 0; i < got->n && i < want->n; i++) {
        const SeenFrame *g = &got->frames[i], *w = &want->frames[i];
        double late = g->time_s - w->time_s;
        if (g->index != w->index || !(late < 1e-6 && late > -1e-6) || g->width != w->width ||
            g->height != w->height || g->crc != w->crc)
            fail_msg("%s, frame %d: index %lld at %.6f s, %d x %d, %08x; expected index %lld at "
                     "%.6f s, %d x %d, %08x",
                     what, i, (long long)g->index, g->time_s, g->width, g->height, g->crc,
                     (long long)w->index, w->time_s, w->width, w->height, w->crc);
    }
    if (got->n != want->n)
        fail_msg("%s: %d frames, expected %d", what, got->n, want->n);
}

/* ---- golden clips ---------------------------------------------------------------------------- */

/* Frames of VIDEOS/name as expected.csv has them; none when the file is not in it. */
static inline void read_expected(Seen *out, const char *name)
{
    char line[256], file_name[64];
    SeenFrame f;
    FILE *file = fopen(VIDEOS "expected.csv", "r");
    if (!file)
        fail_msg("no " VIDEOS "expected.csv (run the tests from the root of the repository)");
    out->n = 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%63[^,],%ld,%lf,%d,%d,%x", file_name, &f.index, &f.time_s, &f.width,
                   &f.height, &f.crc) == 6 &&
            !strcmp(file_name, name)) {
            assert_in_range(out->n, 0, MAX_FRAMES - 1);
            out->frames[out->n++] = f;
        }
    fclose(file);
}

/* Names of the golden clips that are videos, sorted, in a static array that ends in NULL. */
static inline char **golden_clips(void)
{
    static char *names[MAX_CLIPS + 1];
    if (names[0])
        return names;
    struct dirent **entries;
    int n = scandir(VIDEOS, &entries, NULL, alphasort), n_names = 0;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *ending = strrchr(entries[i]->d_name, '.');
        if (ending && ending[1] && strstr(".mp4 .mov .mkv .webm .ts .y4m", ending)) {
            assert_in_range(n_names, 0, MAX_CLIPS - 1);
            names[n_names++] = strdup(entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return names;
}

#endif
