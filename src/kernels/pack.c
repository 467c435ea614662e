/* pack.c: row-major weights into the panels of kernels.h. Plain C: done once a model, bound by
 * memory. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/pack.h"

#include "base/mem.h"
#include "kernels/blocks.h"
#include "kernels/kernels.h"
#include "kernels/scalar.h"

#include <string.h>

void qb_pack_f32(void *dst, const void *src, int n, int k, int first, int last)
{
    for (int p = first; p < last; p++) {
        float *panel = (float *)dst + (size_t)p * QB_PANEL * (size_t)k;
        for (int c = 0; c < QB_PANEL; c++) {
            int column = p * QB_PANEL + c;
            const float *row = (const float *)src + (size_t)column * (size_t)k;
            for (int i = 0; i < k; i++)
                panel[(size_t)i * QB_PANEL + c] = column < n ? row[i] : 0.0f;
        }
    }
}

void qb_pack_16(void *dst, const void *src, int n, int k, int first, int last)
{
    for (int p = first; p < last; p++) {
        uint16_t *panel = (uint16_t *)dst + (size_t)p * QB_PANEL * (size_t)k;
        for (int c = 0; c < QB_PANEL; c++) {
            int column = p * QB_PANEL + c;
            const uint16_t *row = (const uint16_t *)src + (size_t)column * (size_t)k;
            for (int i = 0; i < k; i++)
                panel[(size_t)i * QB_PANEL + c] = column < n ? row[i] : 0;
        }
    }
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

/* One block of column c of a panel. */
typedef void PackBlock(void *packed, int c, const uint8_t *block);

typedef struct Layout {
    PackBlock *pack;
    size_t values, file_bytes, packed_bytes; /* of a block; packed: of all columns of a panel */
} Layout;

static void pack_blocks(void *dst, const void *src, int n, int k, int first, int last,
                        const Layout *layout)
{
    size_t n_blocks = (size_t)k / layout->values, panel_bytes = n_blocks * layout->packed_bytes;
    for (int p = first; p < last; p++) {
        char *panel = (char *)dst + (size_t)p * panel_bytes;
        if (n - p * QB_PANEL < QB_PANEL)
            memset(panel, 0, panel_bytes);
        for (int c = 0; c < QB_PANEL && p * QB_PANEL + c < n; c++) {
            size_t column = (size_t)p * QB_PANEL + (size_t)c;
            const uint8_t *row = (const uint8_t *)src + column * n_blocks * layout->file_bytes;
            for (size_t b = 0; b < n_blocks; b++)
                layout->pack(panel + b * layout->packed_bytes, c, row + b * layout->file_bytes);
        }
    }
}

/* n whole numbers, a byte each. */
static void put_bytes(QbFour *fours, int c, const uint8_t *q, int n)
{
    for (int j = 0; j < n / 4; j++)
        memcpy(fours[j][c], q + j * 4, 4);
}

/* 32 whole numbers below 16, two in a byte. */
static void put_nibbles(QbFour *fours, int c, const uint8_t q[QB_Q8_BLOCK])
{
    uint8_t both[QB_Q8_BLOCK / 2];
    for (int i = 0; i < QB_Q8_BLOCK / 2; i++)
        both[i] = (uint8_t)(q[i] | q[i + QB_Q8_BLOCK / 2] << 4);
    put_bytes(fours, c, both, QB_Q8_BLOCK / 2);
}

static void pack_q8_0_block(void *packed, int c, const uint8_t *block)
{
    QbPackedQ8Block *out = packed;
    uint8_t q[QB_Q8_BLOCK];
    for (int i = 0; i < QB_Q8_BLOCK; i++)
        q[i] = block[QB_GGUF_Q8_VALUES_AT + i] ^ 0x80;
    put_bytes(out->q, c, q, QB_Q8_BLOCK);
    out->scale[c] = qb_float_from_half(qb_read_16(block));
}

static void pack_q4_0_block(void *packed, int c, const uint8_t *block)
{
    QbPackedQ4Block *out = packed;
    uint8_t q[QB_Q8_BLOCK];
    qb_q4_0_values(q, block);
    put_nibbles(out->q, c, q);
    out->scale[c] = qb_read_16(block);
}

static void put_k_scales(QbPackedKScales *out, int c, const uint8_t *block)
{
    uint8_t scale[QB_K_SUBS], min[QB_K_SUBS];
    qb_k_scales(scale, min, block);
    out->d[c] = qb_read_16(block);
    out->dmin[c] = qb_read_16(block + QB_GGUF_K_MIN_AT);
    for (int j = 0; j < QB_K_SUBS; j++) {
        out->scale[j][c] = scale[j];
        out->min[j][c] = min[j];
    }
}

static void pack_q4_k_block(void *packed, int c, const uint8_t *block)
{
    QbPackedQ4KBlock *out = packed;
    uint8_t q[QB_K_BLOCK];
    qb_q4_k_values(q, block);
    for (int j = 0; j < QB_K_SUBS; j++)
        put_nibbles(out->q[j], c, q + j * QB_Q8_BLOCK);
    put_k_scales(&out->s, c, block);
}

static void pack_q5_k_block(void *packed, int c, const uint8_t *block)
{
    QbPackedQ5KBlock *out = packed;
    uint8_t q[QB_K_BLOCK];
    qb_q5_k_values(q, block);
    put_bytes(out->q[0], c, q, QB_K_BLOCK);
    put_k_scales(&out->s, c, block);
}

static void pack_q6_k_block(void *packed, int c, const uint8_t *block)
{
    QbPackedQ6KBlock *out = packed;
    uint8_t q[QB_K_BLOCK];
    qb_q6_k_values(q, block);
    put_bytes(out->q[0], c, q, QB_K_BLOCK);
    out->d[c] = qb_read_16(block + QB_GGUF_Q6_K_D_AT);
    out->unused[c] = 0;
    for (int j = 0; j < 2 * QB_K_SUBS; j++)
        out->scale[j / 2][j % 2][c] = (int8_t)block[QB_GGUF_Q6_K_SCALES_AT + j];
}

#define DEFINE_PACK(type, block_values, file_bytes, packed_block)                      \
    void qb_pack_##type(void *dst, const void *src, int n, int k, int first, int last) \
    {                                                                                  \
        static const Layout layout = {pack_##type##_block, block_values, file_bytes,   \
                                      sizeof(packed_block)};                           \
        pack_blocks(dst, src, n, k, first, last, &layout);                             \
    }
DEFINE_PACK(q8_0, QB_Q8_BLOCK, QB_GGUF_Q8_BYTES, QbPackedQ8Block)
DEFINE_PACK(q4_0, QB_Q8_BLOCK, QB_GGUF_Q4_BYTES, QbPackedQ4Block)
DEFINE_PACK(q4_k, QB_K_BLOCK, QB_GGUF_Q4_K_BYTES, QbPackedQ4KBlock)
DEFINE_PACK(q5_k, QB_K_BLOCK, QB_GGUF_Q5_K_BYTES, QbPackedQ5KBlock)
DEFINE_PACK(q6_k, QB_K_BLOCK, QB_GGUF_Q6_K_BYTES, QbPackedQ6KBlock)

size_t qb_packed_size(size_t n, size_t k, size_t values, size_t bytes)
{
    size_t size;
    if (n > SIZE_MAX - QB_PANEL || !qb_mul_size(&size, qb_panel_count(n), k / values) ||
        !qb_mul_size(&size, size, bytes))
        return 0;
    return size;
}
