/* video_frames.c: rows of frames as CSV or as JSON lines. */
// SPDX-License-Identifier: Apache-2.0
#include "output/video_frames.h"

#include "base/report.h"
#include "output/json.h"
#include "output/separated.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct VideoFrames {
    int fd;
    bool json;
    const char *file;
    const RunInfo *run;
};

static bool has_ending(const char *file, const char *ending)
{
    size_t length = strlen(file), n = strlen(ending);
    return length > n && strcasecmp(file + length - n, ending) == 0;
}

bool video_frames_takes(const char *file)
{
    return has_ending(file, ".csv") || has_ending(file, ".jsonl");
}

static bool write_row(VideoFrames *frames, const Text *row)
{
    if (write_all(frames->fd, row->data, row->length))
        return true;
    report("%s: %s", frames->file, strerror(errno));
    return false;
}

static void add_names(Text *row, const RunInfo *run)
{
    const Dialect *d = &dialect_csv;
    text_add(row, "path,index,time_s,score");
    separated_add_tones(row, d, run, NULL);
    separated_add(row, d, "entropy");
    for (int word = 0; word < run->n_words; word++) {
        Text title = {0};
        text_addf(&title, "logit_%s", qb_scorer_word(run->scorer, word));
        separated_add(row, d, title.data);
        text_free(&title);
    }
}

static void add_score(Text *row, const RunInfo *run, const QbScore *score)
{
    const Dialect *d = &dialect_csv;
    separated_add_number(row, d, "%.9g", scale_apply(run->scale, score->score));
    separated_add_tones(row, d, run, score);
    separated_add_number(row, d, "%.9g", score->entropy);
    for (int word = 0; word < run->n_words; word++)
        separated_add_number(row, d, "%.9g", (double)score->logit[word]);
}

static bool write_header(VideoFrames *frames)
{
    Text row = {0};
    add_names(&row, frames->run);
    text_add(&row, dialect_csv.line_end);
    bool good = write_row(frames, &row);
    text_free(&row);
    return good;
}

int video_frames_open(VideoFrames **out, const char *file, const RunInfo *run)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        report("%s: %s", file, strerror(errno));
        return CLI_FAILED;
    }
    VideoFrames *frames = cli_calloc(1, sizeof *frames);
    *frames = (VideoFrames){fd, has_ending(file, ".jsonl"), file, run};
    *out = frames;
    return frames->json || write_header(frames) ? CLI_OK : CLI_FAILED;
}

void video_frames_close(VideoFrames **frames)
{
    if (!*frames)
        return;
    close((*frames)->fd);
    free(*frames);
    *frames = NULL;
}

bool video_frames_add(VideoFrames *frames, const char *path, const QbFrame *frame,
                      const QbScore *score)
{
    Text row = {0};
    if (frames->json) {
        json_add_frame(&row, frames->run, path, frame, score);
    } else {
        dialect_csv.add_field(&row, path);
        text_addf(&row, ",%lld,%.9g", (long long)frame->index, frame->time_s);
        if (score)
            add_score(&row, frames->run, score);
        else
            separated_add_empty(&row, &dialect_csv,
                                separated_tone_columns(frames->run) + 2 + frames->run->n_words);
        text_add(&row, dialect_csv.line_end);
    }
    bool good = write_row(frames, &row);
    text_free(&row);
    return good;
}
