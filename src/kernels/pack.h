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

/* Packs panels first … last-1 of W[n][k] (so that threads can share the work); dst is the start of
 * the whole packed matrix. src of pack_f32: float; of pack_16: any 16-bit type; of pack_q8_0: GGUF
 * Q8_0 blocks (k % 32 == 0). */
void qb_pack_f32(float *dst, const float *src, int n, int k, int first, int last);
void qb_pack_16(uint16_t *dst, const uint16_t *src, int n, int k, int first, int last);
void qb_pack_q8_0(void *dst, const void *src, int n, int k, int first, int last);

/* Bytes of the whole packed matrix; 0 when that overflows. */
size_t qb_packed_size_f32(size_t n, size_t k);
size_t qb_packed_size_16(size_t n, size_t k);
size_t qb_packed_size_q8_0(size_t n, size_t k);

#endif
