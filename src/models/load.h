/* load.h: weights from a GGUF file by name and shape. A missing tensor or a wrong shape is an error
 * that names file, tensor, expected and got. Names are printf formats. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_LOAD_H
#define QB_MODELS_LOAD_H

#include "engine/linear.h"
#include "weights/gguf_read.h"

#include <stdbool.h>

typedef struct QbLoader {
    const QbGguf *gguf;       /* borrowed */
    QbStore *store;           /* borrowed: what is loaded lives there */
    QbPool *pool;             /* borrowed */
    const QbKernels *kernels; /* borrowed */
    const QbGguf *vision; /* borrowed: has the vision side; the same as gguf in one-file models */
} QbLoader;

/* "<name>.weight" [n][k] packed; with_bias also "<name>.bias" [n]. widen: 16-bit weights become
 * f32, which doubles their memory and spares small models the conversion. */
typedef enum QbLoadFlags { QB_LOAD_BIAS = 1, QB_LOAD_WIDEN = 2 } QbLoadFlags;
QbStatus qb_load_linear(QbLinear *out, const QbLoader *loader, int flags, int n, int k,
                        const char *name, ...) __attribute__((format(printf, 6, 7)));

/* The tensor of n values in all, whatever its dimensions, as f32. *out: belongs to the store or the
 * file. */
QbStatus qb_load_vector(const float **out, const QbLoader *loader, size_t n, const char *name, ...)
    __attribute__((format(printf, 4, 5)));

/* A matrix left as it is in the file, to look rows up: [n][k]. */
typedef struct QbEmbedding {
    const void *data; /* borrowed from the file */
    QbWeightType type;
    size_t row_bytes;
    int n, k;
} QbEmbedding;
QbStatus qb_load_embedding(QbEmbedding *out, const QbLoader *loader, int n, int k,
                           const char *name);
void qb_embedding_row(float *y, const QbEmbedding *table, const QbKernels *kernels, int row);

bool qb_loader_has(const QbLoader *loader, const char *name, ...)
    __attribute__((format(printf, 2, 3)));

/* "<prefix>.<key>" as an int in min … max. */
QbStatus qb_load_int(int *out, const QbLoader *loader, int min, int max, const char *prefix,
                     const char *key);

/* "<prefix>.image_mean" and "<prefix>.image_std": how 8-bit pixels become the tower's input. */
typedef struct QbPixelScale {
    float mean[3];            /* of values in 0..1 */
    float gain[3], offset[3]; /* x = u8 * gain + offset = (u8 / 255 - mean) / std */
} QbPixelScale;
QbStatus qb_load_pixel_scale(QbPixelScale *out, const QbLoader *loader, const char *prefix);

#endif
