/* check_quant.c: quantisation of activations and the reading of 16-bit and Q8_0 weights, every
 * level; all equal to the reference to the bit. Packing, against the layouts of kernels.h. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

#include "kernels/pack.h"
#include "kernels/scalar.h"
#include "weights/encode.h"

/* Values on and beside the borders between two whole numbers, next to a largest value that makes
 * the scale a power of two. */
static void fill_ties(float *x, int k)
{
    for (int i = 0; i < k; i++) {
        float tie = (float)(check_random_below(254) - 127) + 0.5f;
        int side = check_random_below(3);
        x[i] = side ? nextafterf(tie, side == 1 ? -200.0f : 200.0f) : tie;
        x[i] = fmaxf(fminf(x[i], 127.0f), -127.0f);
        if (i % QB_Q8_BLOCK == 5)
            x[i] = i & 32 ? -127.0f : 127.0f;
        if (i % QB_Q8_BLOCK == 9)
            x[i] = check_random() & 1 ? 0x1.fffffep-2f : -0x1.fffffep-2f;
        x[i] *= 0x1p-3f;
    }
}

static void check_quantize(int k, int fill, const QbKernels *levels, int n_levels)
{
    check_title("quantize_q8 k %d fill %d", k, fill);
    CheckBuffer x = check_buffer((size_t)k * sizeof(float)), q = check_buffer((size_t)k);
    CheckBuffer scale = check_buffer((size_t)k / QB_Q8_BLOCK * sizeof(float));
    CheckBuffer sum = check_buffer((size_t)k / QB_Q8_SUM * sizeof(int16_t));
    int16_t *want_sum = malloc(sum.bytes);
    int8_t *want = malloc(q.bytes);
    float *want_scale = malloc(scale.bytes);
    if (fill == CHECK_FILL_COUNT)
        fill_ties(x.data, k);
    else if (fill > CHECK_FILL_COUNT) /* every value subnormal */
        for (int i = 0; i < k; i++)
            ((float *)x.data)[i] = (float)(check_random_below(1000) - 500) * 0x1p-149f;
    else
        check_fill(x.data, (size_t)k, (CheckFill)fill);
    levels[0].quantize_q8(want, want_scale, want_sum, x.data, k);
    for (int l = 1; l < n_levels; l++) {
        memset(q.data, CHECK_PATTERN, q.bytes);
        memset(scale.data, CHECK_PATTERN, scale.bytes);
        memset(sum.data, CHECK_PATTERN, sum.bytes);
        levels[l].quantize_q8(q.data, scale.data, sum.data, x.data, k);
        int worst = -1;
        for (int i = 0; i < k; i++)
            if (((int8_t *)q.data)[i] != want[i])
                worst = i;
        check_true(worst < 0, "%s at %d", levels[l].level, worst);
        check_true(!memcmp(want_scale, scale.data, scale.bytes), "%s: scale", levels[l].level);
        check_true(!memcmp(want_sum, sum.data, sum.bytes), "%s: sum", levels[l].level);
        check_true(check_guard_intact(&q) && check_guard_intact(&scale) && check_guard_intact(&sum),
                   "%s wrote in front", levels[l].level);
    }
    /* what was asked of the reference: q * scale is within half a step (and its rounding) of x */
    for (int i = 0; i < k; i++) {
        float step = want_scale[i / QB_Q8_BLOCK];
        double error = fabs((double)want[i] * step - ((float *)x.data)[i]);
        if (step >= 0x1p-120f && !(error <= 0.5001 * step))
            check_true(false, "the reference rounds badly at %d", i);
    }
    for (int i = 0; i < k / QB_Q8_SUM; i++) {
        int total = 0;
        for (int j = 0; j < QB_Q8_SUM; j++)
            total += want[i * QB_Q8_SUM + j];
        if (total != want_sum[i])
            check_true(false, "the reference's sum %d is %d, not %d", i, want_sum[i], total);
    }
    free(want);
    free(want_scale);
    free(want_sum);
    check_buffer_free(&sum);
    check_buffer_free(&x);
    check_buffer_free(&q);
    check_buffer_free(&scale);
}

typedef void (*Read)(float *y, const void *x, size_t n);

static void check_read(const char *name, size_t n, size_t bytes, size_t offset_of_slot,
                       const void *source, const QbKernels *levels, int n_levels)
{
    check_title("%s n %zu", name, n);
    CheckBuffer x = check_buffer(bytes), y = check_buffer(n * sizeof(float));
    float *want = malloc(y.bytes);
    memcpy(x.data, source, bytes);
    for (int l = 0; l < n_levels; l++) {
        Read read;
        memcpy(&read, (const char *)&levels[l] + offset_of_slot, sizeof read);
        memset(y.data, CHECK_PATTERN, y.bytes);
        read(y.data, x.data, n);
        if (l == 0)
            memcpy(want, y.data, y.bytes);
        check_true(!memcmp(want, y.data, y.bytes) && check_guard_intact(&y), "%s differs",
                   levels[l].level);
    }
    free(want);
    check_buffer_free(&x);
    check_buffer_free(&y);
}

static void check_all_reads(const QbKernels *levels, int n_levels)
{
    enum { ALL = 1 << 16 };
    uint16_t *all = malloc(ALL * sizeof *all);
    for (int i = 0; i < ALL; i++)
        all[i] = (uint16_t)i;
    static const size_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 100, ALL};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint16_t *from = all + ALL - sizes[i];
        size_t bytes = sizes[i] * sizeof *all;
        check_read("f32_from_f16", sizes[i], bytes, offsetof(QbKernels, f32_from_f16), from, levels,
                   n_levels);
        check_read("f32_from_bf16", sizes[i], bytes, offsetof(QbKernels, f32_from_bf16), from,
                   levels, n_levels);
    }
    free(all);
    static uint8_t blocks[130 * QB_GGUF_Q8_BYTES];
    for (size_t i = 0; i < sizeof blocks; i++)
        blocks[i] = (uint8_t)check_random();
    for (size_t n = 1; n <= 130; n += n < 4 ? 1 : 63)
        check_read("f32_from_q8_0", n * QB_Q8_BLOCK, n * QB_GGUF_Q8_BYTES,
                   offsetof(QbKernels, f32_from_q8_0), blocks, levels, n_levels);
}

/* The reference against values known from IEEE 754. */
static void check_known_halves(const QbKernels *levels)
{
    static const struct {
        uint16_t half;
        float value;
    } known[] = {{0x0000, 0.0f},          {0x3c00, 1.0f},        {0xc000, -2.0f},
                 {0x7bff, 65504.0f},      {0x0400, 0x1p-14f},    {0x0001, 0x1p-24f},
                 {0x83ff, -0x1.ff8p-15f}, {0x3555, 0x1.554p-2f}, {0x7c00, INFINITY},
                 {0xfc00, -INFINITY}};
    check_title("f32_from_f16 of known values");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        float got;
        levels[0].f32_from_f16(&got, &known[i].half, 1);
        check_true(got == known[i].value, "0x%04x gives %g", known[i].half, (double)got);
    }
    float got;
    levels[0].f32_from_f16(&got, &(uint16_t){0x7e01}, 1);
    check_true(isnan(got), "NaN gives %g", (double)got);
    levels[0].f32_from_bf16(&got, &(uint16_t){0xbfc0}, 1);
    check_true(got == -1.5f, "bf16 0xbfc0 gives %g", (double)got);
}

/* Packed element by element against the layout that kernels.h states, in two calls as threads
 * would. */
static void check_pack(int n, int k)
{
    check_title("pack n %d k %d", n, k);
    size_t count = (size_t)n * (size_t)k, panels = qb_panel_count((size_t)n);
    size_t padded = panels * QB_PANEL * (size_t)k;
    int middle = (int)panels / 2;
    check_true(qb_packed_size((size_t)n, (size_t)k, 1, 64) == padded * 4 &&
                   qb_packed_size((size_t)n, (size_t)k, 1, 32) == padded * 2,
               "size of the packed matrix");
    float *w = malloc(count * sizeof *w), *packed = malloc(padded * sizeof *packed);
    uint16_t *w16 = malloc(count * 2), *packed16 = malloc(padded * 2);
    for (size_t i = 0; i < count; i++) {
        w[i] = (float)(i + 1);
        w16[i] = (uint16_t)(i + 1);
    }
    qb_pack_f32(packed, w, n, k, middle, (int)panels);
    qb_pack_f32(packed, w, n, k, 0, middle);
    qb_pack_16(packed16, w16, n, k, 0, middle);
    qb_pack_16(packed16, w16, n, k, middle, (int)panels);
    bool same = true;
    for (size_t at = 0; at < padded; at++) {
        size_t column = at / ((size_t)k * QB_PANEL) * QB_PANEL + at % QB_PANEL;
        size_t i = at / QB_PANEL % (size_t)k;
        size_t from = column * (size_t)k + i;
        same &= packed[at] == (column < (size_t)n ? w[from] : 0.0f);
        same &= packed16[at] == (column < (size_t)n ? w16[from] : 0);
    }
    check_true(same, "an element is not in its place");
    free(w);
    free(packed);
    free(w16);
    free(packed16);
}

/* ---- packed blocks ---------------------------------------------------------------------- */

/* Value i of column c of a panel of each type, read from where kernels.h says that it is. */
typedef float PackedValue(const void *panel, int i, int c);

static float q8_0_value(const void *panel, int i, int c)
{
    const QbPackedQ8Block *b = (const QbPackedQ8Block *)panel + i / 32;
    return b->scale[c] * (float)(b->q[i % 32 / 4][c][i % 4] - 128);
}

static int half_byte(const QbFour *fours, int i, int c)
{
    int byte = fours[i % 16 / 4][c][i % 4];
    return i < 16 ? byte & 15 : byte >> 4;
}

static float q4_0_value(const void *panel, int i, int c)
{
    const QbPackedQ4Block *b = (const QbPackedQ4Block *)panel + i / 32;
    return qb_float_from_half(b->scale[c]) * (float)(half_byte(b->q, i % 32, c) - 8);
}

static float k_value(const QbPackedKScales *s, int q, int sub, int c)
{
    return qb_float_from_half(s->d[c]) * (float)(s->scale[sub][c] * q) -
           qb_float_from_half(s->dmin[c]) * s->min[sub][c];
}

static float q4_k_value(const void *panel, int i, int c)
{
    const QbPackedQ4KBlock *b = (const QbPackedQ4KBlock *)panel + i / 256;
    int sub = i % 256 / 32;
    return k_value(&b->s, half_byte(b->q[sub], i % 32, c), sub, c);
}

static float q5_k_value(const void *panel, int i, int c)
{
    const QbPackedQ5KBlock *b = (const QbPackedQ5KBlock *)panel + i / 256;
    int sub = i % 256 / 32;
    return k_value(&b->s, b->q[sub][i % 32 / 4][c][i % 4], sub, c);
}

static float q6_k_value(const void *panel, int i, int c)
{
    const QbPackedQ6KBlock *b = (const QbPackedQ6KBlock *)panel + i / 256;
    int sub = i % 256 / 32;
    return qb_float_from_half(b->d[c]) * b->scale[sub][i % 32 / 16][c] *
           (float)(b->q[sub][i % 32 / 4][c][i % 4] - 32);
}

static const struct {
    QbType type;
    QbPack *pack;
    PackedValue *value;
    size_t panel_bytes;
    double bytes_a_value; /* what the packed form may take at most */
    int halves[2];
} packings[] = {
    {QB_TYPE_Q8_0, qb_pack_q8_0, q8_0_value, sizeof(QbPackedQ8Block), 1.125, {0, 0}},
    {QB_TYPE_Q4_0, qb_pack_q4_0, q4_0_value, sizeof(QbPackedQ4Block), 0.57, {0, 0}},
    {QB_TYPE_Q4_K, qb_pack_q4_k, q4_k_value, sizeof(QbPackedQ4KBlock), 0.60, {0, 2}},
    {QB_TYPE_Q5_K, qb_pack_q5_k, q5_k_value, sizeof(QbPackedQ5KBlock), 1.15, {0, 2}},
    {QB_TYPE_Q6_K, qb_pack_q6_k, q6_k_value, sizeof(QbPackedQ6KBlock), 1.15, {208, 208}},
};

/* Random blocks, packed in two calls as threads would; every value is what the file says. */
static void check_pack_blocks(size_t kind, int n, int n_blocks)
{
    const QbType type = packings[kind].type;
    const size_t values = (size_t)qb_type_block_values(type), k = values * (size_t)n_blocks;
    const size_t bytes = (size_t)qb_type_block_bytes(type), count = (size_t)n * k;
    const size_t panels = qb_panel_count((size_t)n),
                 panel = k / values * packings[kind].panel_bytes;
    check_title("pack_%s n %d k %zu", qb_type_name(type), n, k);
    check_true(qb_packed_size((size_t)n, k, values, packings[kind].panel_bytes) == panels * panel &&
                   (double)panel <= packings[kind].bytes_a_value * (double)k * QB_PANEL,
               "size of the packed matrix");
    uint8_t *w = malloc(count / values * bytes);
    float *want = malloc(count * sizeof *want);
    for (size_t i = 0; i < count / values * bytes; i++)
        w[i] = (uint8_t)check_random();
    for (size_t b = 0; b < count / values; b++) /* finite */
        for (int i = 0; i < 2; i++)
            w[b * bytes + (size_t)packings[kind].halves[i] + 1] &= 0xbf;
    qb_type_decode(want, type, w, count);
    CheckBuffer packed = check_buffer(panels * panel);
    int middle = (int)panels / 2;
    packings[kind].pack(packed.data, w, n, (int)k, middle, (int)panels);
    packings[kind].pack(packed.data, w, n, (int)k, 0, middle);
    bool same = true;
    for (size_t column = 0; column < panels * QB_PANEL; column++)
        for (size_t i = 0; i < k; i++) {
            const char *at = (const char *)packed.data + column / QB_PANEL * panel;
            float value = packings[kind].value(at, (int)i, (int)(column % QB_PANEL));
            same &= value == (column < (size_t)n ? want[column * k + i] : 0.0f);
        }
    check_true(same && check_guard_intact(&packed), "an element is not in its place");
    free(w);
    free(want);
    check_buffer_free(&packed);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const int sizes[] = {32, 64, 96, 320, 4096, 11008};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int fill = 0; fill <= CHECK_FILL_COUNT + 1; fill++)
            for (int again = 0; again < 20; again++)
                check_quantize(sizes[i], fill, levels, n_levels);
    check_known_halves(levels);
    check_all_reads(levels, n_levels);
    for (int n = 1; n < 70; n += 5)
        check_pack(n, 1 + n % 9);
    for (size_t kind = 0; kind < sizeof packings / sizeof *packings; kind++) {
        check_pack_blocks(kind, 1, 1);
        check_pack_blocks(kind, 16, 2);
        check_pack_blocks(kind, 37, 3);
    }
    check_title("packed sizes");
    check_true(!qb_packed_size(SIZE_MAX / 8, 16, 1, 64) &&
                   !qb_packed_size(SIZE_MAX - 3, 1, 1, 32) &&
                   !qb_packed_size(SIZE_MAX / 2, 64, 32, sizeof(QbPackedQ8Block)),
               "an overflow is not seen");
}

/* ---- timing ---------------------------------------------------------------------------- */
enum { BENCH_N = 11008 * 4 };
static const QbKernels *timed;

typedef struct Bench {
    float *x;
    uint8_t *bytes;
    float *scale;
    int16_t *sum;
    size_t slot;
} Bench;

static void run_quantize(void *user)
{
    Bench *b = user;
    timed->quantize_q8((int8_t *)b->bytes, b->scale, b->sum, b->x, BENCH_N);
}

static void run_read(void *user)
{
    Bench *b = user;
    Read read;
    memcpy(&read, (const char *)timed + b->slot, sizeof read);
    read(b->x, b->bytes, BENCH_N);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    CheckBuffer x = check_floats(BENCH_N, CHECK_FILL_PLAIN), bytes = check_buffer(BENCH_N * 2);
    CheckBuffer scale = check_buffer(BENCH_N / QB_Q8_BLOCK * sizeof(float));
    CheckBuffer sum = check_buffer(BENCH_N / QB_Q8_SUM * sizeof(int16_t));
    Bench b = {x.data, bytes.data, scale.data, sum.data, 0};
    check_bench_line("quantize_q8", "G values/s", BENCH_N, levels, n_levels, run_quantize, &b,
                     &timed);
    b.slot = offsetof(QbKernels, f32_from_f16);
    check_bench_line("f32_from_f16", "G values/s", BENCH_N, levels, n_levels, run_read, &b, &timed);
    b.slot = offsetof(QbKernels, f32_from_bf16);
    check_bench_line("f32_from_bf16", "G values/s", BENCH_N, levels, n_levels, run_read, &b,
                     &timed);
    b.slot = offsetof(QbKernels, f32_from_q8_0);
    check_bench_line("f32_from_q8_0", "G values/s", BENCH_N, levels, n_levels, run_read, &b,
                     &timed);
    check_buffer_free(&x);
    check_buffer_free(&bytes);
    check_buffer_free(&scale);
    check_buffer_free(&sum);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
