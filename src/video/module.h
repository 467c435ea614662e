/* module.h: what the module is that reads videos. Containers and codecs are FFmpeg's, which Debian
 * builds under the GPL and which pulls in a hundred libraries: both are kept out of the library and
 * of programs that never meet a video.
 *
 * The module turns bytes into the frames of one video in the order of display, and counts them.
 * Which of them are wanted is decided on the library's side (sample_frames.c). It exports one
 * symbol, qb_video_module, and needs none from the library. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_MODULE_H
#define QB_VIDEO_MODULE_H

#include "base/module_load.h"

#include <qboost/video.h>

enum { QB_VIDEO_MODULE_ABI = 1 }; /* raised by any change below */

/* What the library does for the module. */
typedef struct QbVideoHost {
    void *user;
    /* Up to size bytes from where it stands; 0 = the end, negative = failed. */
    int (*read)(void *user, uint8_t *out, int size);
    /* To an offset from the start; false = failed. NULL for what cannot be rewound. */
    bool (*seek)(void *user, int64_t offset);
    int64_t size;       /* of the file; -1 = not known */
    bool managed;       /* else upstream */
    bool may_skip;      /* false (tests): every frame is decoded */
    int threads;        /* of the decoder; 0 = all CPUs */
    int64_t max_pixels; /* of a frame */
    /* Why something failed. status: a QB_ERR_ code, which is returned. */
    QbStatus (*fail)(void *user, QbStatus status, const char *text);
    /* Something that was done to the frames; copied, said once however often it is told. */
    void (*note)(void *user, const char *text);
} QbVideoHost;

typedef struct QbVideoStream QbVideoStream; /* the module's own */

/* A frame that can be handed out, or the end. */
typedef struct QbVideoFound {
    bool at_end;
    int64_t n_frames;  /* known to exist so far; all there are when at_end */
    int64_t index;     /* in the order of display; damaged frames count */
    double time_s;     /* from the first frame's */
    int width, height; /* of its pixels below */
} QbVideoFound;

typedef struct QbVideoModule {
    QbModuleHead head; /* abi: QB_VIDEO_MODULE_ABI */
    /* *out: closed by close; NULL on failure. host is copied. */
    QbStatus (*open)(QbVideoStream **out, const QbVideoHost *host);
    void (*close)(QbVideoStream *stream); /* accepts NULL */
    /* All but n_wanted. */
    void (*info)(QbVideoInfo *out, const QbVideoStream *stream);
    /* How many frames there are, found without decoding; before the first advance, and only where
     * host.seek is given. */
    QbStatus (*count)(int64_t *out, QbVideoStream *stream);
    /* Goes on to the first frame with index >= wanted that is not damaged. wanted never falls. */
    QbStatus (*advance)(QbVideoFound *out, QbVideoStream *stream, int64_t wanted);
    /* The pixels of the frame that advance came to: rgb[height][width][3]. */
    QbStatus (*pixels)(uint8_t *rgb, QbVideoStream *stream);
    /* NULL, or what was damaged so far. Borrowed until the next call on stream. */
    const char *(*damage)(QbVideoStream *stream);
} QbVideoModule;

/* Defined by the module. */
extern QB_API const QbVideoModule qb_video_module;

#endif
