/* image_test.h: what the tests of the image layer share: CRC-32, made pictures, files as memory. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_IMAGE_IMAGE_TEST_H
#define TESTS_UNIT_IMAGE_IMAGE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/module_load.h"
#include "image/image.h"

#define GOLDEN "tests/golden/images/"

/* CRC-32 as zlib computes it. */
static inline uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static inline size_t byte_count(const QbImage *image)
{
    return (size_t)image->width * (size_t)image->height * 3;
}

/* p(x, y, c) = (7x + 13y + 29c + floor(x * y / 11)) mod 256. */
static inline QbImage *made_picture(int width, int height)
{
    QbImage *image;
    assert_int_equal(qb_image_new(&image, width, height, "rgb"), QB_OK);
    uint8_t *p = image->pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *p++ = (uint8_t)(7 * x + 13 * y + 29 * c + (int)((int64_t)x * y / 11));
    return image;
}

static inline QbImageOptions options_for(QbDecode decode)
{
    QbImageOptions options;
    qb_image_options_init(&options);
    options.decode = decode;
    return options;
}

static inline uint8_t *file_bytes(size_t *size, const char *path)
{
    uint8_t *data;
    if (qb_file_read(&data, size, path, 1 << 24))
        fail_msg("%s (run the tests from the root of the repository)", qb_last_error());
    return data;
}

/* Modules lie in <build>/qboost-modules, this program somewhere below <build>. */
static inline void use_built_modules(void)
{
    char path[PATH_MAX], modules[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        *slash = 0;
        snprintf(modules, sizeof modules, "%s/qboost-modules", path);
        if (!access(modules, F_OK)) {
            qb_module_set_folder(modules);
            return;
        }
    }
}

static inline int set_up_modules(void **state)
{
    (void)state;
    use_built_modules();
    return 0;
}

static inline void assert_fails(QbStatus status, QbStatus expected, const char *words)
{
    if (status != expected)
        fail_msg("status %d, expected %d (%s)", status, expected, status ? qb_last_error() : "ok");
    if (!strstr(qb_last_error(), words))
        fail_msg("\"%s\" does not contain \"%s\"", qb_last_error(), words);
}

#endif
