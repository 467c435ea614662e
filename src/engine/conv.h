/* conv.h: convolutions over pictures stored [y][x][channel], as mobile networks use them. Padding
 * is TensorFlow's "same": out = ceil(in / stride), zeros, the smaller half in front. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_ENGINE_CONV_H
#define QB_ENGINE_CONV_H

#include "engine/ops.h"

#include <stdbool.h>

typedef struct QbMap {
    float *x; /* [height][width][channels] */
    int height, width, channels;
} QbMap;

/* A full convolution as a matrix product over unfolded windows. */
typedef struct QbConv {
    QbLinear w; /* [out][kernel * kernel * in], columns in the order (ky, kx, channel) */
    int kernel, stride, in_channels;
} QbConv;

/* Inverted residual block: expand 1x1 (ReLU6), depthwise (ReLU6), project 1x1, plus the input when
 * shapes agree (Sandler et al. 2018, arXiv 1801.04381, figure 4d). */
typedef struct QbInvertedResidual {
    QbLinear expand;        /* [mid][in]; packed is NULL when the block has none */
    const float *dw_weight; /* [kernel * kernel][mid] */
    const float *dw_bias;   /* [mid] */
    QbLinear project;       /* [out][mid] */
    int kernel, stride, in_channels, mid_channels;
    bool add;
} QbInvertedResidual;

static inline int qb_conv_out(int in, int stride)
{
    return (in + stride - 1) / stride;
}

void qb_ops_want_conv(QbOps *ops, const QbConv *conv, int max_width);
void qb_ops_want_inverted_residual(QbOps *ops, const QbInvertedResidual *block, int max_width);

/* out->x must hold ceil(height / stride) * ceil(width / stride) * out channels; the sizes are set.
 */
void qb_op_conv(const QbOps *ops, const QbConv *conv, QbMap *out, const QbMap *in, QbAct act);
void qb_op_inverted_residual(const QbOps *ops, const QbInvertedResidual *block, QbMap *out,
                             const QbMap *in);

/* mean_std[2 * channels]: means of all channels, then sqrt(variance + eps) of all channels. */
void qb_op_channel_mean_std(const QbOps *ops, float *mean_std, const QbMap *map, float eps);

#endif
