/* load.c: see load.h. */
// SPDX-License-Identifier: Apache-2.0
#include "models/load.h"

#include "base/error.h"
#include "base/mem.h"
#include "weights/encode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

#define FORMAT_NAME(buffer, name)                     \
    do {                                              \
        va_list args;                                 \
        va_start(args, name);                         \
        vsnprintf(buffer, sizeof buffer, name, args); \
        va_end(args);                                 \
    } while (0)

// clang-format off
static const struct {
    QbType type;
    QbWeightType weight;
} weight_types[] = {
    {QB_TYPE_F32,  QB_WEIGHT_F32},  {QB_TYPE_F16,  QB_WEIGHT_F16},  {QB_TYPE_BF16, QB_WEIGHT_BF16},
    {QB_TYPE_Q8_0, QB_WEIGHT_Q8_0}, {QB_TYPE_Q4_0, QB_WEIGHT_Q4_0}, {QB_TYPE_Q4_K, QB_WEIGHT_Q4_K},
    {QB_TYPE_Q5_K, QB_WEIGHT_Q5_K}, {QB_TYPE_Q6_K, QB_WEIGHT_Q6_K},
};
// clang-format on
enum { N_WEIGHT_TYPES = sizeof weight_types / sizeof *weight_types };

static bool weight_type(QbWeightType *out, QbType type)
{
    for (int i = 0; i < N_WEIGHT_TYPES; i++)
        if (weight_types[i].type == type) {
            *out = weight_types[i].weight;
            return true;
        }
    return false;
}

static QbType file_type(QbWeightType weight)
{
    int i = 0;
    while (weight_types[i].weight != weight)
        i++;
    return weight_types[i].type;
}

static QbStatus find(const QbGgufTensor **out, QbWeightType *type, const QbLoader *loader,
                     const char *name)
{
    const char *file = qb_gguf_name(loader->gguf);
    *out = qb_gguf_find_tensor(loader->gguf, name);
    if (!*out)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is missing", file, name);
    if (!weight_type(type, (*out)->type))
        return qb_fail(
            QB_ERR_UNSUPPORTED,
            "%s: tensor %s is %s; f32, f16, bf16, q8_0, q4_0, q4_k, q5_k and q6_k can be "
            "used",
            file, name, qb_type_name((*out)->type));
    return QB_OK;
}

/* "[256, 16]", as PyTorch would print it. */
static void shape_text(char *out, size_t n, const QbGgufTensor *tensor)
{
    size_t used = (size_t)snprintf(out, n, "[");
    for (int d = tensor->n_dims - 1; d >= 0 && used < n; d--)
        used += (size_t)snprintf(out + used, n - used, "%lld%s", (long long)tensor->ne[d],
                                 d ? ", " : "");
    if (used < n)
        snprintf(out + used, n - used, "]");
}

static QbStatus find_matrix(const QbGgufTensor **out, QbWeightType *type, const QbLoader *loader,
                            int n, int k, const char *name)
{
    QbStatus status = find(out, type, loader, name);
    if (status)
        return status;
    const int64_t *ne = (*out)->ne;
    char shape[96];
    if (ne[0] == k && ne[1] == n && ne[2] == 1 && ne[3] == 1)
        return QB_OK;
    shape_text(shape, sizeof shape, *out);
    return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is %s, expected [%d, %d]",
                   qb_gguf_name(loader->gguf), name, shape, n, k);
}

static void widen(float *y, const void *x, size_t n, QbWeightType type, const QbKernels *kernels)
{
    switch (type) {
    case QB_WEIGHT_F32:
        memcpy(y, x, n * sizeof *y);
        break;
    case QB_WEIGHT_F16:
        kernels->f32_from_f16(y, x, n);
        break;
    case QB_WEIGHT_BF16:
        kernels->f32_from_bf16(y, x, n);
        break;
    case QB_WEIGHT_Q8_0:
        kernels->f32_from_q8_0(y, x, n);
        break;
    default:
        qb_type_decode(y, file_type(type), x, n);
    }
}

static QbStatus load_vector(const float **out, const QbLoader *loader, size_t n, const char *name)
{
    const QbGgufTensor *tensor;
    QbWeightType type;
    QbStatus status = find(&tensor, &type, loader, name);
    if (status)
        return status;
    uint64_t got = 1; /* the product fits: the reader has checked it */
    for (int i = 0; i < QB_TENSOR_MAX_DIMS; i++)
        got *= (uint64_t)tensor->ne[i];
    if (got != n)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s has %llu values, expected %zu",
                       qb_gguf_name(loader->gguf), name, (unsigned long long)got, n);
    if (type == QB_WEIGHT_F32 && (uintptr_t)tensor->data % sizeof(float) == 0) {
        *out = tensor->data;
        return QB_OK;
    }
    float *copy = qb_store_take(loader->store, n, sizeof *copy);
    if (!copy)
        return QB_ERR_NOMEM;
    widen(copy, tensor->data, n, type, loader->kernels);
    *out = copy;
    return QB_OK;
}

QbStatus qb_load_vector(const float **out, const QbLoader *loader, size_t n, const char *name, ...)
{
    char full[NAME_BYTES];
    FORMAT_NAME(full, name);
    return load_vector(out, loader, n, full);
}

QbStatus qb_load_linear(QbLinear *out, const QbLoader *loader, int flags, int n, int k,
                        const char *name, ...)
{
    char base[NAME_BYTES], full[NAME_BYTES + 8];
    FORMAT_NAME(base, name);
    const QbGgufTensor *tensor;
    QbWeightType type;
    const float *bias = NULL;
    snprintf(full, sizeof full, "%s.weight", base);
    QbStatus status = find_matrix(&tensor, &type, loader, n, k, full);
    if (!status && (flags & QB_LOAD_BIAS)) {
        char bias_name[NAME_BYTES + 8];
        snprintf(bias_name, sizeof bias_name, "%s.bias", base);
        status = load_vector(&bias, loader, (size_t)n, bias_name);
    }
    if (status)
        return status;
    float *wide = NULL;
    if ((flags & QB_LOAD_WIDEN) && type != QB_WEIGHT_F32) {
        size_t values = (size_t)n * (size_t)k;
        if (!(wide = qb_alloc(values * sizeof *wide)))
            return QB_ERR_NOMEM;
        widen(wide, tensor->data, values, type, loader->kernels);
        type = QB_WEIGHT_F32;
    }
    status = qb_linear_init(out, loader->store, loader->pool, wide ? wide : tensor->data, type, n,
                            k, bias);
    qb_gguf_release(loader->gguf, tensor->data, tensor->size_bytes);
    qb_free(wide);
    return status;
}

QbStatus qb_load_embedding(QbEmbedding *out, const QbLoader *loader, int n, int k, const char *name)
{
    const QbGgufTensor *tensor;
    QbWeightType type;
    QbStatus status = find_matrix(&tensor, &type, loader, n, k, name);
    if (status)
        return status;
    *out = (QbEmbedding){tensor->data, type, tensor->size_bytes / (size_t)n, n, k};
    return QB_OK;
}

void qb_embedding_row(float *y, const QbEmbedding *table, const QbKernels *kernels, int row)
{
    widen(y, (const char *)table->data + (size_t)row * table->row_bytes, (size_t)table->k,
          table->type, kernels);
}

bool qb_loader_has(const QbLoader *loader, const char *name, ...)
{
    char full[NAME_BYTES];
    FORMAT_NAME(full, name);
    return qb_gguf_find_tensor(loader->gguf, full) != NULL;
}

QbStatus qb_load_int(int *out, const QbLoader *loader, int min, int max, const char *prefix,
                     const char *key)
{
    char full[NAME_BYTES];
    snprintf(full, sizeof full, "%s.%s", prefix, key);
    uint32_t value;
    QbStatus status = qb_gguf_get_u32(&value, loader->gguf, full);
    if (status)
        return status;
    if (value > (uint32_t)max || (int)value < min)
        return qb_fail(QB_ERR_FORMAT, "%s: %s is %u, expected %d to %d", qb_gguf_name(loader->gguf),
                       full, value, min, max);
    *out = (int)value;
    return QB_OK;
}

QbStatus qb_load_pixel_scale(QbPixelScale *out, const QbLoader *loader, const char *prefix)
{
    char mean_key[64], std_key[64];
    float std[3];
    snprintf(mean_key, sizeof mean_key, "%s.image_mean", prefix);
    snprintf(std_key, sizeof std_key, "%s.image_std", prefix);
    QbStatus status;
    if ((status = qb_gguf_copy_f32_array(out->mean, 3, loader->gguf, mean_key)) ||
        (status = qb_gguf_copy_f32_array(std, 3, loader->gguf, std_key)))
        return status;
    for (int c = 0; c < 3; c++) {
        if (!(std[c] > 0) || !(out->mean[c] >= 0 && out->mean[c] <= 1))
            return qb_fail(QB_ERR_FORMAT, "%s: %s[%d] is %g, %s[%d] is %g",
                           qb_gguf_name(loader->gguf), mean_key, c, (double)out->mean[c], std_key,
                           c, (double)std[c]);
        out->gain[c] = (float)(1.0 / (255.0 * (double)std[c]));
        out->offset[c] = -out->mean[c] / std[c];
    }
    return QB_OK;
}
