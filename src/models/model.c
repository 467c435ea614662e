/* model.c: opens a GGUF file: finds the architecture, loads weights and tokenizer, reads how the
 * model wants to be asked. Everything is checked here, so that scoring has nothing left to refuse.
 */
// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"

#include <stdio.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* a hash state on the stack */
#include <xxhash.h>

/* The files of a pair say what they are: a decoder that some architecture knows, and a projector.
 */
static QbStatus check_pair(const QbModel *m, const char *name)
{
    const char *part, *projector = "mlp";
    QbStatus status;
    if (!m->arch && !strcmp(name, "clip"))
        return qb_fail(
            QB_ERR_ARG,
            "%s: is the picture part (mmproj) of a pair; it was given where the language "
            "model belongs",
            qb_gguf_name(m->gguf));
    if (!m->arch)
        return qb_fail(QB_ERR_ARG, "%s: is a \"%s\" model, which takes no picture part (mmproj)",
                       qb_gguf_name(m->gguf), name);
    if ((status = qb_gguf_get_string(&part, m->mmproj, "general.architecture")) ||
        (status = qb_gguf_get_string_or(&projector, m->mmproj, "clip.projector_type")))
        return status;
    if (strcmp(part, "clip"))
        return qb_fail(QB_ERR_FORMAT, "%s: is \"%s\", expected the picture part of a pair (clip)",
                       qb_gguf_name(m->mmproj), part);
    if (strcmp(projector, "mlp"))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: has a projector \"%s\"; only LLaVA-1.5's \"mlp\" can be used",
                       qb_gguf_name(m->mmproj), projector);
    return QB_OK;
}

static const char *arch_name(int index)
{
    const QbModelArch *arch = qb_model_arch_at(index);
    return arch ? arch->name : NULL;
}

static QbStatus find_arch(QbModel *m)
{
    const char *name;
    QbStatus status = qb_gguf_get_string(&name, m->gguf, "general.architecture");
    if (status)
        return status;
    m->arch = m->mmproj ? qb_model_arch_find_decoder(name) : qb_model_arch_find(name);
    if (m->mmproj)
        return check_pair(m, name);
    if (m->arch)
        return QB_OK;
    if (qb_model_arch_find_decoder(name))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: is a language model alone; its picture part, a file called mmproj, "
                       "must be given with it (--mmproj)",
                       qb_gguf_name(m->gguf));
    if (!strcmp(name, "clip"))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: is the picture part (mmproj) of a pair; give the language model as "
                       "--model and this one as --mmproj",
                       qb_gguf_name(m->gguf));
    char known[256];
    qb_names_join(known, sizeof known, arch_name);
    return qb_fail(QB_ERR_UNSUPPORTED, "%s: unknown architecture \"%s\" (known: %s)",
                   qb_gguf_name(m->gguf), name, known);
}

static QbStatus fill_pieces(QbPiece *pieces, size_t n, const QbGguf *gguf)
{
    QbStatus status = QB_OK;
    float *scores = qb_calloc(n, sizeof *scores);
    int32_t *types = qb_calloc(n, sizeof *types);
    if (!scores || !types)
        status = QB_ERR_NOMEM;
    if (!status)
        status = qb_gguf_copy_f32_array(scores, n, gguf, "tokenizer.ggml.scores");
    if (!status)
        status = qb_gguf_copy_i32_array(types, n, gguf, "tokenizer.ggml.token_type");
    for (size_t i = 0; i < n && !status; i++) {
        status = qb_gguf_get_string_at(&pieces[i].text, &pieces[i].length, gguf,
                                       "tokenizer.ggml.tokens", i);
        pieces[i].score = scores[i];
        pieces[i].type = types[i];
    }
    qb_free(scores);
    qb_free(types);
    return status;
}

static QbStatus load_tokenizer(QbModel *m)
{
    const QbGguf *gguf = m->gguf;
    const char *model;
    size_t n;
    uint32_t bos = 1, eos = 2, unk = 0;
    bool dummy_prefix = true, squeeze_spaces = false;
    QbStatus status;
    if ((status = qb_gguf_get_string(&model, gguf, "tokenizer.ggml.model")) ||
        (status = qb_gguf_get_array_length(&n, gguf, "tokenizer.ggml.tokens")) ||
        (status = qb_gguf_get_u32_or(&bos, gguf, "tokenizer.ggml.bos_token_id")) ||
        (status = qb_gguf_get_u32_or(&eos, gguf, "tokenizer.ggml.eos_token_id")) ||
        (status = qb_gguf_get_u32_or(&unk, gguf, "tokenizer.ggml.unknown_token_id")) ||
        (status = qb_gguf_get_bool_or(&dummy_prefix, gguf, "tokenizer.ggml.add_space_prefix")) ||
        (status =
             qb_gguf_get_bool_or(&squeeze_spaces, gguf, "tokenizer.ggml.remove_extra_whitespaces")))
        return status;
    if (squeeze_spaces)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: tokenizer.ggml.remove_extra_whitespaces cannot be done",
                       qb_gguf_name(gguf));
    if (strcmp(model, "llama"))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: tokenizer \"%s\"; only \"llama\" (SentencePiece BPE) can be used",
                       qb_gguf_name(gguf), model);
    if (bos >= n || eos >= n || unk >= n)
        return qb_fail(QB_ERR_FORMAT, "%s: special tokens %u, %u, %u in a vocabulary of %zu",
                       qb_gguf_name(gguf), bos, eos, unk, n);
    QbPiece *pieces = qb_calloc(n, sizeof *pieces);
    status = pieces ? fill_pieces(pieces, n, gguf) : QB_ERR_NOMEM;
    if (!status)
        status =
            qb_tokenizer_new(&m->tokenizer, pieces, (int)n,
                             &(QbTokenizerOptions){(int)bos, (int)eos, (int)unk, dummy_prefix});
    qb_free(pieces);
    return status;
}

/* How a pair is to be asked stands, if anywhere, in its picture part. */
static QbStatus load_manners(QbModel *m)
{
    m->name = m->arch->name;
    QbStatus status = qb_gguf_get_string_or(&m->name, m->gguf, "general.name");
    return status ? status : qb_manners_load(&m->manners, m->mmproj ? m->mmproj : m->gguf);
}

/* "f16 (62), f32 (58)": how many tensors of which type. */
static void type_summary(char *out, size_t n, const QbGguf *const files[2])
{
    int seen[64] = {0};
    size_t used = 0;
    out[0] = 0;
    for (int f = 0; f < 2 && files[f]; f++)
        for (int i = 0; i < qb_gguf_tensor_count(files[f]); i++)
            seen[(unsigned)qb_gguf_tensor_at(files[f], i)->type & 63]++;
    for (int t = 0; t < 64; t++)
        if (seen[t] && used < n)
            used += (size_t)snprintf(out + used, n - used, "%s%s (%d)", used ? ", " : "",
                                     qb_type_name((QbType)t), seen[t]);
}

static QbStatus describe(QbModel *m)
{
    const QbLlama *d = m->arch->decoder(m->weights);
    QbInfo *info = &m->info;
    const char *text = NULL;
    char types[128];
    size_t bytes = 0;
    const QbGguf *files[] = {m->gguf, m->mmproj};
    for (int f = 0; f < 2 && files[f]; f++) {
        size_t file_bytes;
        qb_gguf_bytes(files[f], &file_bytes);
        bytes += file_bytes;
        for (int i = 0; i < qb_gguf_tensor_count(files[f]); i++) {
            const int64_t *ne = qb_gguf_tensor_at(files[f], i)->ne;
            m->n_parameters += ne[0] * ne[1] * ne[2] * ne[3];
        }
    }
    info->store = &m->store;
    qb_info_add(info, "name", "%s", m->name);
    qb_info_add(info, "file", "%s", qb_gguf_name(m->gguf));
    if (m->mmproj)
        qb_info_add(info, "picture part", "%s", qb_gguf_name(m->mmproj));
    qb_info_add(info, "architecture", "%s: %s", m->arch->name, m->arch->help);
    static const struct {
        const char *label, *key;
    } texts[] = {{"version", "general.version"},
                 {"licence", "general.license"},
                 {"description", "general.description"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (qb_gguf_has_key(m->gguf, texts[i].key) &&
            !qb_gguf_get_string(&text, m->gguf, texts[i].key))
            qb_info_add(info, texts[i].label, "%s", text);
    type_summary(types, sizeof types, files);
    qb_info_add(info, "parameters", "%.2f million", (double)m->n_parameters * 1e-6);
    qb_info_add(info, "size", "%.1f MiB", (double)bytes / 1048576.0);
    qb_info_add(info, "tensor types", "%s", types);
    m->arch->describe(info, m->weights);
    qb_info_add(info, "decoder",
                "LLaMA, %d layers, width %d, %d heads (%d key heads), vocabulary %d", d->n_layers,
                d->n_embd, d->n_heads, d->n_kv_heads, d->n_vocab);
    qb_info_add(info, "context", "%d tokens", d->n_context);
    qb_info_add(info, "decode", "%s",
                m->manners.decode == QB_DECODE_MANAGED ? "managed" : "upstream");
    return info->failed ? qb_fail(QB_ERR_NOMEM, "out of memory") : QB_OK;
}

static QbStatus load_weights(QbModel *m, int threads)
{
    QbPool *pool;
    QbStatus status = qb_pool_new(&pool, threads > 0 ? threads : qb_cpu_count());
    if (status)
        return status;
    QbLoader loader = {m->gguf, &m->store, pool, &m->kernels, m->mmproj ? m->mmproj : m->gguf};
    status = m->arch->load(&m->weights, &loader);
    qb_pool_free(&pool);
    return status;
}

void qb_model_options_init(QbModelOptions *options)
{
    *options = (QbModelOptions){.size = sizeof *options};
}

QbStatus qb_model_open(QbModel **out, const char *path, const QbModelOptions *options)
{
    if (!out)
        return qb_fail(QB_ERR_ARG, "qb_model_open: out is NULL");
    *out = NULL;
    if (options && options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG,
                       "qb_model_open: options were not set up by qb_model_options_init");
    if (options && options->threads < 0)
        return qb_fail(QB_ERR_ARG, "%d threads wanted", options->threads);
    QbModel *m = qb_calloc(1, sizeof *m);
    if (!m)
        return QB_ERR_NOMEM;
    pthread_mutex_init(&m->hash_mutex, NULL);
    qb_kernels_init(&m->kernels, qb_cpu_flags());
    size_t size;
    QbStatus status;
    if (path) {
        status = qb_gguf_open(&m->gguf, path);
        if (!status && options && options->mmproj)
            status = qb_gguf_open(&m->mmproj, options->mmproj);
    } else {
        const void *data = qb_embedded_model(&size);
        status = qb_gguf_open_memory(&m->gguf, data, size, "(embedded)");
    }
    (void)(status || (status = find_arch(m)) || (status = load_tokenizer(m)) ||
           (status = load_manners(m)) ||
           (status = load_weights(m, options ? options->threads : 0)) || (status = describe(m)));
    if (status)
        qb_model_close(&m);
    *out = m;
    return status;
}

void qb_model_close(QbModel **model)
{
    QbModel *m = model ? *model : NULL;
    if (!m)
        return;
    qb_tokenizer_free(&m->tokenizer);
    qb_store_deinit(&m->store);
    qb_gguf_close(&m->gguf);
    qb_gguf_close(&m->mmproj);
    pthread_mutex_destroy(&m->hash_mutex);
    qb_free(m);
    *model = NULL;
}

const char *qb_model_name(const QbModel *model)
{
    return model->name;
}

const char *qb_model_architecture(const QbModel *model)
{
    return model->arch->name;
}

/* In pieces that are given back, so that hashing a file of gigabytes does not fill the memory. */
static void hash_file(XXH3_state_t *state, const QbGguf *gguf)
{
    enum { PIECE = 16 << 20 };
    size_t size;
    const char *bytes = qb_gguf_bytes(gguf, &size);
    for (size_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? size - at : PIECE;
        XXH3_128bits_update(state, bytes + at, n);
        qb_gguf_release(gguf, bytes + at, n);
    }
}

static XXH128_hash_t hash_files(const QbModel *m)
{
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_128bits_reset(&state);
    hash_file(&state, m->gguf);
    if (m->mmproj)
        hash_file(&state, m->mmproj);
    return XXH3_128bits_digest(&state);
}

const char *qb_model_hash(const QbModel *model)
{
    QbModel *m = (QbModel *)(uintptr_t)model; /* the hash is a cache: logically const */
    pthread_mutex_lock(&m->hash_mutex);
    if (!m->hash[0]) {
        XXH128_hash_t hash = hash_files(m);
        snprintf(m->hash, sizeof m->hash, "%016llx%016llx", (unsigned long long)hash.high64,
                 (unsigned long long)hash.low64);
    }
    pthread_mutex_unlock(&m->hash_mutex);
    return m->hash;
}

QbDecode qb_model_decode(const QbModel *model)
{
    return model->manners.decode;
}

int64_t qb_model_parameter_count(const QbModel *model)
{
    return model->n_parameters;
}

const char *qb_model_info_key(const QbModel *model, int index)
{
    return index >= 0 && index < model->info.count ? model->info.key[index] : NULL;
}

const char *qb_model_info_value(const QbModel *model, int index)
{
    return index >= 0 && index < model->info.count ? model->info.value[index] : NULL;
}
