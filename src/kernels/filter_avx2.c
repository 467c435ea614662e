/* filter_avx2.c: filters of pictures, SSIM, VIF and GMS with AVX2. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/vec_avx2.h"

#include "kernels/filter_vec.h"

void qb_filter_init_avx2(QbKernels *k)
{
    k->luma_u8 = luma_u8;
    k->filter_row = filter_row;
    k->filter_column = filter_column;
    k->moments_column = moments_column;
    k->moments_row = moments_row;
    k->ssim_row = ssim_row;
    k->vif_row = vif_row;
    k->gms_row = gms_row;
}
