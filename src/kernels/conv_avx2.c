/* conv_avx2.c: the convolutions and channel statistics with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/conv_vec.h"

void qb_conv_init_avx2(QbKernels *k)
{
    k->depthwise_row = depthwise_row;
    k->im2col_row = im2col_row;
    k->channel_mean_std = channel_mean_std;
}
