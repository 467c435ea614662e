/* session.c: see session.h.
 *
 * Every position of the KV cache has a key: the token id, or the picture's serial number and the
 * row in it. Two prompts share the positions up to the first differing key. */
// SPDX-License-Identifier: Apache-2.0
#include "models/session.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/time.h"

#include <string.h>

enum { MAX_ROWS = 1024 }; /* of one forward pass; longer prompts take several */

struct QbSession {
    const QbModel *model;
    const QbLlama *decoder;
    QbPool *pool;
    QbArena arena;
    QbOps ops;
    QbResizer resizer;
    QbLlamaState llama;
    void *vision;        /* arch->state_bytes, owned */
    float *image_tokens; /* [n_image_tokens][n_embd] */
    uint64_t *row_keys;  /* [n_context]: of the prompt being fed */
    int n_image_tokens;
    uint64_t image_serial; /* of image_tokens; 0 = none */
    QbSessionTimes times;
    int64_t rows_computed;
};

static void layout(QbSession *s)
{
    int n_context = s->decoder->n_context;
    int max_rows = n_context < MAX_ROWS ? n_context : MAX_ROWS;
    s->ops = (QbOps){.kernels = &s->model->kernels, .pool = s->pool};
    memset(s->vision, 0, s->model->arch->state_bytes);
    s->model->arch->layout(s->vision, &s->ops, &s->arena, s->model->weights);
    qb_llama_layout(&s->llama, &s->ops, &s->arena, s->decoder, max_rows);
    s->image_tokens = qb_arena_take(
        &s->arena, (size_t)s->n_image_tokens * (size_t)s->decoder->n_embd, sizeof(float));
    s->row_keys = qb_arena_take(&s->arena, (size_t)n_context, sizeof *s->row_keys);
    qb_ops_layout(&s->ops, &s->arena);
}

QbStatus qb_session_new(QbSession **out, const QbModel *model, int threads)
{
    *out = NULL;
    QbSession *s = qb_calloc(1, sizeof *s);
    if (!s)
        return QB_ERR_NOMEM;
    s->model = model;
    s->decoder = model->arch->decoder(model->weights);
    s->n_image_tokens = model->arch->image_token_count(model->weights);
    QbStatus status = qb_pool_new(&s->pool, threads > 0 ? threads : qb_cpu_count());
    s->vision = qb_calloc(1, model->arch->state_bytes);
    if (!status && !s->vision)
        status = QB_ERR_NOMEM;
    if (!status) {
        layout(s);
        status = qb_arena_commit(&s->arena);
    }
    if (status) {
        qb_session_free(&s);
        return status;
    }
    layout(s);
    s->resizer = (QbResizer){.kernels = &model->kernels, .pool = s->pool};
    *out = s;
    return QB_OK;
}

void qb_session_free(QbSession **session)
{
    QbSession *s = session ? *session : NULL;
    if (!s)
        return;
    qb_pool_free(&s->pool);
    qb_resizer_deinit(&s->resizer);
    qb_arena_deinit(&s->arena);
    qb_free(s->vision);
    qb_free(s);
    *session = NULL;
}

int qb_session_threads(const QbSession *session)
{
    return qb_pool_size(session->pool);
}

/* Fills row_keys; *out_n: rows of the prompt, *out_image: where the picture's rows begin or -1. */
static QbStatus expand(QbSession *s, int *out_n, int *out_image, const int32_t *ids, int n_ids,
                       const QbImage *image)
{
    int n = 0;
    *out_image = -1;
    for (int i = 0; i < n_ids; i++) {
        int rows = ids[i] == QB_ID_IMAGE ? s->n_image_tokens : 1;
        if (ids[i] < QB_ID_IMAGE || ids[i] >= s->decoder->n_vocab)
            return qb_fail(QB_ERR_ARG, "token %d is not in the vocabulary", ids[i]);
        if (ids[i] == QB_ID_IMAGE && (!image || *out_image >= 0))
            return qb_fail(QB_ERR_ARG, "the prompt asks for more pictures than were given");
        if (n + rows > s->decoder->n_context)
            return qb_fail(QB_ERR_LIMIT,
                           "the prompt is longer than the model's context of %d tokens",
                           s->decoder->n_context);
        if (ids[i] == QB_ID_IMAGE) {
            *out_image = n;
            for (int row = 0; row < rows; row++)
                s->row_keys[n + row] = image->serial << 24 | (uint64_t)row << 1 | 1;
        } else {
            s->row_keys[n] = (uint64_t)ids[i] << 1;
        }
        n += rows;
    }
    *out_n = n;
    return n > 0 ? QB_OK : qb_fail(QB_ERR_ARG, "the prompt is empty");
}

static QbStatus encode(QbSession *s, const QbImage *image)
{
    if (image->serial == s->image_serial)
        return QB_OK;
    s->image_serial = 0;
    double start = qb_now_ms(), preprocess_ms = 0;
    QbStatus status = s->model->arch->encode(s->image_tokens, &preprocess_ms, s->vision, &s->ops,
                                             &s->resizer, s->model->weights, image);
    s->times.preprocess_ms += preprocess_ms;
    s->times.vision_ms += qb_now_ms() - start - preprocess_ms;
    if (!status)
        s->image_serial = image->serial;
    return status;
}

static void embed_rows(QbSession *s, int first, int n, int image_row)
{
    size_t width = (size_t)s->decoder->n_embd;
    for (int i = 0; i < n; i++) {
        float *x = s->llama.x + (size_t)i * width;
        uint64_t key = s->row_keys[first + i];
        if (key & 1)
            memcpy(x, s->image_tokens + (size_t)(first + i - image_row) * width, width * sizeof *x);
        else
            qb_table_row(x, &s->decoder->embedding, &s->model->kernels, (int)(key >> 1));
    }
}

static void feed(QbSession *s, int n, int image_row)
{
    QbKvCache *cache = &s->llama.cache;
    /* The last row is always computed: its state is what is read. */
    int done = qb_kv_cache_keep_prefix(cache, s->row_keys, n - 1);
    while (done < n) {
        int rows = n - done < s->llama.max_rows ? n - done : s->llama.max_rows;
        embed_rows(s, done, rows, image_row);
        memcpy(cache->row_key + done, s->row_keys + done, (size_t)rows * sizeof *s->row_keys);
        qb_llama_forward(&s->llama, &s->ops, s->decoder, rows, done + rows == n);
        done += rows;
        s->rows_computed += rows;
    }
}

QbStatus qb_session_eval(float *logits, QbSession *s, const int32_t *ids, int n_ids,
                         const QbImage *image, const int32_t *wanted, int n_wanted)
{
    int n = 0, image_row = -1;
    QbStatus status = expand(s, &n, &image_row, ids, n_ids, image);
    if (!status && image_row >= 0)
        status = encode(s, image);
    if (status)
        return status;
    double start = qb_now_ms();
    feed(s, n, image_row);
    if (wanted)
        qb_op_linear_columns(&s->ops, &s->decoder->output, logits, s->llama.h, wanted, n_wanted);
    else
        qb_op_linear(&s->ops, &s->decoder->output, logits, s->decoder->n_vocab,
                     (QbRows){s->llama.h, s->decoder->n_embd}, 1, QB_ACT_NONE, (QbRows){0});
    s->times.prefill_ms += qb_now_ms() - start;
    return QB_OK;
}

void qb_session_take_times(QbSessionTimes *out, QbSession *session)
{
    *out = session->times;
    session->times = (QbSessionTimes){0};
}

const float *qb_session_image_tokens(const QbSession *session)
{
    return session->image_tokens;
}

int64_t qb_session_rows_computed(const QbSession *session)
{
    return session->rows_computed;
}
