/* pack.h: weights from row-major [n][k] into the panels that the matrix kernels read. Done once,
 * when a model is opened; plain C. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_KERNELS_PACK_H
#define QB_KERNELS_PACK_H

#include <stddef.h>
#include <stdint.h>

static inline size_t qb_panel_count(size_t n)
{
    return (n + 15) / 16;
}

/* Each packs panels first … last-1 of W[n][k] (so that threads can share the work); dst is the
 * start of the whole packed matrix. src of pack_f32: float; of pack_16: any 16-bit type; of the
 * others: GGUF's blocks (k % 32 == 0, for the K types k % 256 == 0). */
typedef void QbPack(void *dst, const void *src, int n, int k, int first, int last);
QbPack qb_pack_f32, qb_pack_16, qb_pack_q8_0, qb_pack_q4_0, qb_pack_q4_k, qb_pack_q5_k,
    qb_pack_q6_k;

/* Bytes of the whole packed matrix, `values` consecutive k of a panel taking `bytes`; 0 when that
 * overflows. */
size_t qb_packed_size(size_t n, size_t k, size_t values, size_t bytes);

#endif
