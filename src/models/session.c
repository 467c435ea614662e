/* session.c: see session.h.
 *
 * Every position of the KV cache has a key: the token id, or a picture's serial number and the row
 * in it. Two prompts share the positions up to the first differing key. Of a group of prompts that
 * go through the decoder together, the first one's rows lie where they lie when it is alone, and
 * the others' own rows behind them; what stays in the cache is the first one. */
// SPDX-License-Identifier: Apache-2.0
#include "models/session.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/time.h"

#include <string.h>

enum { MAX_ROWS = 1024 }; /* of one forward pass; longer prompts take several */

/* The tokens of a picture. */
typedef struct {
    float *tokens;      /* [n_image_tokens][n_embd], owned */
    uint64_t serial;    /* of the picture; 0 = none */
    uint64_t last_used; /* number of the prompt that had it last */
} Slot;

struct QbSession {
    const QbModel *model;
    const QbLlama *decoder;
    QbFit fit;
    QbPool *pool;
    QbArena arena;
    QbOps ops;
    QbResizer resizer;
    QbLlamaState llama;
    void *vision;       /* arch->state_bytes, owned */
    uint64_t *row_keys; /* [n_context]: of the prompt, or the group, being fed */
    Slot *slots;        /* [n_slots], owned */
    int n_slots;        /* as many different pictures as a prompt or a group has had; at least 1 */
    int n_image_tokens;
    uint64_t n_prompts; /* a group counts as one */
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
    s->row_keys = qb_arena_take(&s->arena, (size_t)n_context, sizeof *s->row_keys);
    qb_ops_layout(&s->ops, &s->arena);
}

static QbStatus set_fit(QbSession *s, const QbSessionOptions *options)
{
    const QbModelArch *arch = s->model->arch;
    s->fit = arch->fit(s->model->weights);
    if (!options->has_fit)
        return QB_OK;
    const char *name = qb_fit_name(options->fit);
    if (!name || !(arch->fits & 1u << options->fit)) {
        char can[64];
        qb_fit_list(can, sizeof can, arch->fits);
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: pictures cannot be made to fit by \"%s\"; a %s model can do: %s",
                       qb_gguf_name(s->model->gguf), name ? name : "?", arch->name, can);
    }
    s->fit = options->fit;
    return QB_OK;
}

static QbStatus add_slot(QbSession *s)
{
    size_t n = (size_t)s->n_slots, values;
    Slot *slots = qb_realloc(s->slots, n * sizeof *slots, (n + 1) * sizeof *slots);
    if (!slots)
        return QB_ERR_NOMEM;
    s->slots = slots;
    slots[n] = (Slot){0};
    if (!qb_mul_size(&values, (size_t)s->n_image_tokens, (size_t)s->decoder->n_embd) ||
        !(slots[n].tokens = qb_calloc(values, sizeof(float))))
        return QB_ERR_NOMEM;
    s->n_slots++;
    return QB_OK;
}

static QbStatus allocate(QbSession *s, int threads)
{
    QbStatus status = qb_pool_new(&s->pool, threads > 0 ? threads : qb_cpu_count());
    if (status)
        return status;
    s->vision = qb_calloc(1, s->model->arch->state_bytes);
    if (!s->vision)
        return QB_ERR_NOMEM;
    if ((status = add_slot(s)))
        return status;
    layout(s);
    if ((status = qb_arena_commit(&s->arena)))
        return status;
    layout(s);
    s->resizer = (QbResizer){.kernels = &s->model->kernels, .pool = s->pool};
    return QB_OK;
}

QbStatus qb_session_new(QbSession **out, const QbModel *model, const QbSessionOptions *options)
{
    const QbSessionOptions defaults = {0};
    if (!options)
        options = &defaults;
    *out = NULL;
    QbSession *s = qb_calloc(1, sizeof *s);
    if (!s)
        return QB_ERR_NOMEM;
    s->model = model;
    s->decoder = model->arch->decoder(model->weights);
    s->n_image_tokens = model->arch->image_token_count(model->weights);
    QbStatus status = set_fit(s, options);
    if (!status)
        status = allocate(s, options->threads);
    if (status)
        qb_session_free(&s);
    *out = s;
    return status;
}

void qb_session_free(QbSession **session)
{
    QbSession *s = session ? *session : NULL;
    if (!s)
        return;
    for (int i = 0; i < s->n_slots; i++)
        qb_free(s->slots[i].tokens);
    qb_free(s->slots);
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

/* Of a row of a picture: serial, row, 1; of a token: id, 0. */
static uint64_t picture_key(uint64_t serial, int row)
{
    return serial << 24 | (uint64_t)row << 1 | 1;
}

/* Fills row_keys; *out_n: rows of the prompt. */
static QbStatus expand(QbSession *s, int *out_n, const int32_t *ids, int n_ids,
                       const QbImage *const *images, int n_images)
{
    int n = 0, n_places = 0;
    for (int i = 0; i < n_ids; i++) {
        int rows = ids[i] == QB_ID_IMAGE ? s->n_image_tokens : 1;
        if (ids[i] < QB_ID_IMAGE || ids[i] >= s->decoder->n_vocab)
            return qb_fail(QB_ERR_ARG, "token %d is not in the vocabulary", ids[i]);
        if (n + rows > s->decoder->n_context)
            return qb_fail(QB_ERR_LIMIT,
                           "the prompt is longer than the model's context of %d tokens",
                           s->decoder->n_context);
        if (ids[i] == QB_ID_IMAGE) {
            if (n_places == n_images || !images[n_places])
                return qb_fail(QB_ERR_ARG, "the prompt asks for more pictures than were given");
            for (int row = 0; row < rows; row++)
                s->row_keys[n + row] = picture_key(images[n_places]->serial, row);
            n_places++;
        } else {
            s->row_keys[n] = (uint64_t)ids[i] << 1;
        }
        n += rows;
    }
    if (n_places < n_images)
        return qb_fail(QB_ERR_ARG, "%d pictures for a prompt with %d places", n_images, n_places);
    *out_n = n;
    return n > 0 ? QB_OK : qb_fail(QB_ERR_ARG, "the prompt is empty");
}

static Slot *find_slot(const QbSession *s, uint64_t serial)
{
    for (int i = 0; i < s->n_slots; i++)
        if (s->slots[i].serial == serial)
            return &s->slots[i];
    return NULL;
}

/* Into the slot that was not used for the longest time; a new one when this prompt has them all. */
static QbStatus encode(QbSession *s, const QbImage *image)
{
    Slot *slot = s->slots;
    for (int i = 1; i < s->n_slots; i++)
        if (s->slots[i].last_used < slot->last_used)
            slot = &s->slots[i];
    if (slot->last_used == s->n_prompts) {
        QbStatus status = add_slot(s);
        if (status)
            return status;
        slot = &s->slots[s->n_slots - 1];
    }
    *slot = (Slot){.tokens = slot->tokens};
    double start = qb_now_ms(), preprocess_ms = 0;
    QbStatus status = s->model->arch->encode(slot->tokens, &preprocess_ms, s->vision, &s->ops,
                                             &s->resizer, s->model->weights, image, s->fit);
    s->times.preprocess_ms += preprocess_ms;
    s->times.vision_ms += qb_now_ms() - start - preprocess_ms;
    if (status)
        return status;
    slot->serial = image->serial;
    slot->last_used = s->n_prompts;
    return QB_OK;
}

/* Pictures that are known are marked first, so that none of them gives its place away. */
static QbStatus encode_new(QbSession *s, const QbImage *const *images, int n_images)
{
    QbStatus status = QB_OK;
    s->n_prompts++;
    for (int i = 0; i < n_images; i++) {
        Slot *slot = find_slot(s, images[i]->serial);
        if (slot)
            slot->last_used = s->n_prompts;
    }
    for (int i = 0; i < n_images && !status; i++)
        if (!find_slot(s, images[i]->serial))
            status = encode(s, images[i]);
    return status;
}

static void embed_rows(QbSession *s, int first, int n)
{
    size_t width = (size_t)s->decoder->n_embd;
    const Slot *slot = s->slots;
    for (int i = 0; i < n; i++) {
        float *x = s->llama.x + (size_t)i * width;
        uint64_t key = s->row_keys[first + i];
        s->llama.way[i] = key & 1 ? QB_LLAMA_PICTURE : QB_LLAMA_TEXT;
        if (key & 1) {
            if (slot->serial != key >> 24)
                slot = find_slot(s, key >> 24);
            memcpy(x, slot->tokens + (size_t)(key >> 1 & 0x7fffff) * width, width * sizeof *x);
        } else {
            qb_embedding_row(x, &s->decoder->embedding, &s->model->kernels, (int)(key >> 1));
        }
    }
}

static void feed(QbSession *s, int n)
{
    QbKvCache *cache = &s->llama.cache;
    /* The last row is always computed: its state is what is read. */
    int done = qb_kv_cache_keep_prefix(cache, s->row_keys, n - 1);
    while (done < n) {
        int rows = n - done < s->llama.max_rows ? n - done : s->llama.max_rows;
        embed_rows(s, done, rows);
        memcpy(cache->row_key + done, s->row_keys + done, (size_t)rows * sizeof *s->row_keys);
        qb_llama_forward(&s->llama, &s->ops, s->decoder, rows, done + rows == n);
        done += rows;
        s->rows_computed += rows;
    }
}

static void read_logits(float *logits, const QbSession *s, int n_prompts, const int32_t *wanted,
                        int n_wanted)
{
    const QbLlama *m = s->decoder;
    const float *h = s->llama.h;
    if (!wanted)
        qb_op_linear(&s->ops, &m->output, logits, m->n_vocab, (QbRows){h, m->n_embd}, n_prompts,
                     QB_ACT_NONE, (QbRows){0});
    for (int i = 0; wanted && i < n_prompts; i++)
        qb_op_linear_columns(&s->ops, &m->output, logits + (ptrdiff_t)i * n_wanted,
                             h + (ptrdiff_t)i * m->n_embd, wanted, n_wanted);
}

QbStatus qb_session_eval(float *logits, QbSession *s, const int32_t *ids, int n_ids,
                         const QbImage *const *images, int n_images, const int32_t *wanted,
                         int n_wanted)
{
    int n = 0;
    QbStatus status = expand(s, &n, ids, n_ids, images, n_images);
    if (!status)
        status = encode_new(s, images, n_images);
    if (status)
        return status;
    double start = qb_now_ms();
    feed(s, n);
    read_logits(logits, s, 1, wanted, n_wanted);
    s->times.prefill_ms += qb_now_ms() - start;
    return QB_OK;
}

/* A prompt for a group of pictures. */
typedef struct {
    const int32_t *ids;
    int n_ids, n_shared; /* tokens in front of the picture */
    int n_rows, n_own;   /* of the prompt; of them behind the shared ones */
} Question;

static QbStatus make_question(Question *out, QbSession *s, const int32_t *ids, int n_ids,
                              const QbImage *const *images, int n_batch)
{
    *out = (Question){.ids = ids, .n_ids = n_ids};
    if (n_batch < 1)
        return qb_fail(QB_ERR_ARG, "no picture to ask about");
    for (int i = 0; i < n_batch; i++)
        if (!images[i])
            return qb_fail(QB_ERR_ARG, "picture %d of %d is missing", i + 1, n_batch);
    QbStatus status = expand(s, &out->n_rows, ids, n_ids, images, 1);
    while (!status && ids[out->n_shared] != QB_ID_IMAGE)
        out->n_shared++;
    out->n_own = out->n_rows - out->n_shared;
    return status;
}

/* How many of the n pictures fit, given what the cache still holds of the first one's prompt; row
 * keys are that prompt's. */
static int group_size(const QbSession *s, const Question *q, int n)
{
    const QbKvCache *cache = &s->llama.cache;
    int known = qb_kv_cache_common_prefix(cache, s->row_keys, q->n_rows - 1);
    int in_pass = s->llama.max_rows - (q->n_rows - known);
    int in_cache = s->decoder->n_context - q->n_rows;
    int room = in_pass < in_cache ? in_pass : in_cache;
    int others = room > 0 ? room / q->n_own : 0;
    return others < n - 1 ? 1 + others : n;
}

/* Row keys of the group's other prompts, behind the first one's. */
static void expand_others(QbSession *s, const Question *q, const QbImage *const *images, int n)
{
    uint64_t *key = s->row_keys + q->n_rows;
    for (int i = 1; i < n; i++)
        for (int row = 0; row < q->n_own; row++) {
            uint64_t first = s->row_keys[q->n_shared + row];
            *key++ = first & 1 ? picture_key(images[i]->serial, row) : first;
        }
}

static void feed_group(QbSession *s, const Question *q, int n)
{
    QbKvCache *cache = &s->llama.cache;
    int done = qb_kv_cache_keep_prefix(cache, s->row_keys, q->n_rows - 1);
    int rows = q->n_rows - done + (n - 1) * q->n_own;
    embed_rows(s, done, rows);
    memcpy(cache->row_key + done, s->row_keys + done,
           (size_t)(q->n_rows - done) * sizeof *s->row_keys);
    qb_llama_forward_batch(&s->llama, &s->ops, s->decoder, rows, n, q->n_shared, q->n_rows);
    s->rows_computed += rows;
}

QbStatus qb_session_eval_batch(float *logits, QbSession *s, const int32_t *ids, int n_ids,
                               const QbImage *const *images, int n_batch, const int32_t *wanted,
                               int n_wanted)
{
    Question q;
    QbStatus status = make_question(&q, s, ids, n_ids, images, n_batch);
    int width = wanted ? n_wanted : s->decoder->n_vocab;
    for (int at = 0, n; at < n_batch && !status; at += n, images += n) {
        if ((status = expand(s, &q.n_rows, ids, n_ids, images, 1)))
            break;
        n = group_size(s, &q, n_batch - at);
        if ((status = encode_new(s, images, n)))
            break;
        double start = qb_now_ms();
        expand_others(s, &q, images, n);
        if (n > 1)
            feed_group(s, &q, n);
        else
            feed(s, q.n_rows);
        read_logits(logits + (ptrdiff_t)at * width, s, n, wanted, n_wanted);
        s->times.prefill_ms += qb_now_ms() - start;
    }
    return status;
}

void qb_session_take_times(QbSessionTimes *out, QbSession *session)
{
    *out = session->times;
    session->times = (QbSessionTimes){0};
}

const float *qb_session_image_tokens(const QbSession *session, const QbImage *image)
{
    const Slot *slot = find_slot(session, image->serial);
    return slot ? slot->tokens : NULL;
}

int64_t qb_session_rows_computed(const QbSession *session)
{
    return session->rows_computed;
}
