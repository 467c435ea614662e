/* pack.c: row-major weights into the panels of kernels.h. Plain C: done once a model, bound by
 * memory. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/pack.h"

#include "base/mem.h"
#include "kernels/kernels.h"
#include "kernels/scalar.h"

#include <string.h>

void qb_pack_f32(float *dst, const float *src, int n, int k, int first, int last)
{
    for (int p = first; p < last; p++) {
        float *panel = dst + (size_t)p * QB_PANEL * (size_t)k;
        for (int c = 0; c < QB_PANEL; c++) {
            int column = p * QB_PANEL + c;
            const float *row = src + (size_t)column * (size_t)k;
            for (int i = 0; i < k; i++)
                panel[(size_t)i * QB_PANEL + c] = column < n ? row[i] : 0.0f;
        }
    }
}

void qb_pack_16(uint16_t *dst, const uint16_t *src, int n, int k, int first, int last)
{
    for (int p = first; p < last; p++) {
        uint16_t *panel = dst + (size_t)p * QB_PANEL * (size_t)k;
        for (int c = 0; c < QB_PANEL; c++) {
            int column = p * QB_PANEL + c;
            const uint16_t *row = src + (size_t)column * (size_t)k;
            for (int i = 0; i < k; i++)
                panel[(size_t)i * QB_PANEL + c] = column < n ? row[i] : 0;
        }
    }
}

static void pack_q8_column(QbPackedQ8Block *blocks, int c, const uint8_t *src, size_t n_blocks)
{
    for (size_t b = 0; b < n_blocks; b++, src += QB_GGUF_Q8_BYTES) {
        uint16_t half;
        memcpy(&half, src, sizeof half);
        blocks[b].scale[c] = qb_float_from_half(half);
        for (int j = 0; j < QB_Q8_BLOCK / 4; j++)
            memcpy(blocks[b].q[j][c], src + QB_GGUF_Q8_VALUES_AT + j * 4, 4);
    }
}

void qb_pack_q8_0(void *dst, const void *src, int n, int k, int first, int last)
{
    size_t n_blocks = (size_t)k / QB_Q8_BLOCK;
    for (int p = first; p < last; p++) {
        QbPackedQ8Block *blocks = (QbPackedQ8Block *)dst + (size_t)p * n_blocks;
        if (n - p * QB_PANEL < QB_PANEL)
            memset(blocks, 0, n_blocks * sizeof *blocks);
        for (int c = 0; c < QB_PANEL && p * QB_PANEL + c < n; c++) {
            size_t column = (size_t)p * QB_PANEL + (size_t)c;
            pack_q8_column(blocks, c, (const uint8_t *)src + column * n_blocks * QB_GGUF_Q8_BYTES,
                           n_blocks);
        }
    }
}

static size_t packed_size(size_t n, size_t k, size_t panel_row_bytes)
{
    size_t size;
    if (n > SIZE_MAX - QB_PANEL || !qb_mul_size(&size, qb_panel_count(n), k) ||
        !qb_mul_size(&size, size, panel_row_bytes))
        return 0;
    return size;
}

size_t qb_packed_size_f32(size_t n, size_t k)
{
    return packed_size(n, k, QB_PANEL * sizeof(float));
}

size_t qb_packed_size_16(size_t n, size_t k)
{
    return packed_size(n, k, QB_PANEL * sizeof(uint16_t));
}

size_t qb_packed_size_q8_0(size_t n, size_t k)
{
    return packed_size(n, k / QB_Q8_BLOCK, sizeof(QbPackedQ8Block));
}
