/* exr_dct.h: the lossy part of DWAA and DWAB, block by block. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_EXR_DCT_H
#define QB_IMAGE_EXR_DCT_H

#include <stdint.h>

enum { QB_EXR_BLOCK = 8, QB_EXR_BLOCK_SAMPLES = 64 };

typedef struct QbExrDct {
    uint16_t to_linear[65536];               /* halves of the curve to halves of light */
    float basis[QB_EXR_BLOCK][QB_EXR_BLOCK]; /* [frequency][position] */
} QbExrDct;

void qb_exr_dct_init(QbExrDct *dct);

/* Where in a block, row by row, its coefficients are in the order of the file (zigzag). */
extern const uint8_t qb_exr_dct_order[QB_EXR_BLOCK_SAMPLES];

/* Coefficients, row by row, to samples of the curve, in place. */
void qb_exr_dct_back(const QbExrDct *dct, float *block);

/* Y' Cb Cr to R' G' B', in place. */
void qb_exr_dct_colors(float block[3][QB_EXR_BLOCK_SAMPLES]);

#endif
