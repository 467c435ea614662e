/* conv_avx512.c: the convolutions and channel statistics with AVX-512. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx512.h"

#include "kernels/conv_vec.h"

void qb_conv_init_avx512(QbKernels *k)
{
    k->depthwise_row = depthwise_row;
    k->im2col_row = im2col_row;
    k->channel_mean_std = channel_mean_std;
}
