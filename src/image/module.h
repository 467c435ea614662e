/* module.h: what a decoding module is. Formats whose libraries pull in dozens of others (AVIF,
 * HEIC, JPEG XL) are read by shared objects of their own, opened when the first such picture comes,
 * so that starting a program stays a matter of a few milliseconds.
 *
 * It exports one symbol, qb_image_module, and needs none from the library: everything it wants done
 * goes through the host's functions. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_MODULE_H
#define QB_IMAGE_MODULE_H

#include "base/module_load.h"

#include <stdbool.h>
#include <stdint.h>

enum { QB_IMAGE_MODULE_ABI = 1 }; /* raised by any change below */

typedef struct QbModuleHost {
    void *user;
    bool managed;       /* else upstream: 8 bits, no profile */
    int64_t max_pixels; /* the caller's limit, for libraries that want to know */
    /* Pixels[height][width][colors + alpha], colors 1 or 3, samples of depth 8 or 16 bits in the
     * machine's byte order, alpha not premultiplied. Owned by the host. extra_bytes_per_pixel: what
     * the decoder takes besides. NULL: over a limit or out of memory, already told; give up. */
    void *(*new_pixels)(void *user, int64_t width, int64_t height, int colors, bool alpha,
                        int depth, int extra_bytes_per_pixel);
    /* Copies. Optional. */
    void (*set_icc)(void *user, const void *icc, size_t size);
    void (*set_orientation)(void *user, int orientation); /* EXIF's 1 … 8 */
    /* Colour primaries and transfer characteristics of ITU-T H.273, for files without a profile. */
    void (*set_cicp)(void *user, int primaries, int transfer);
    /* Why decoding failed. status: a QB_ERR_ code, which is returned. */
    QbStatus (*fail)(void *user, QbStatus status, const char *text);
} QbModuleHost;

typedef struct QbImageModule {
    QbModuleHead head; /* abi: QB_IMAGE_MODULE_ABI */
    QbStatus (*decode)(const QbModuleHost *host, const uint8_t *data, size_t size);
} QbImageModule;

/* Defined by every module. */
extern QB_API const QbImageModule qb_image_module;

#endif
