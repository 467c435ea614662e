/* keys.c: see keys.h. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/keys.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOKENIZER_MAX_BYTES = 64 << 20, PATH_BYTES = 4096 };

static QbStatus explain_missing(const char *folder, const char *path)
{
    char json[PATH_BYTES];
    snprintf(json, sizeof json, "%s/tokenizer.json", folder);
    if (!access(json, F_OK))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: has tokenizer.json alone, and tokenizer.model (SentencePiece) is "
                       "needed: copy the one of the model's base, LLaMA-2 or Vicuna",
                       folder);
    return qb_fail(QB_ERR_IO, "%s: is missing", path);
}

QbStatus qb_vocabulary_read(QbSentencePieceModel *out, uint8_t **out_data, const char *folder)
{
    char path[PATH_BYTES];
    size_t size;
    *out = (QbSentencePieceModel){0};
    *out_data = NULL;
    if (snprintf(path, sizeof path, "%s/tokenizer.model", folder) >= (int)sizeof path)
        return qb_fail(QB_ERR_ARG, "the folder's name is too long");
    if (access(path, F_OK))
        return explain_missing(folder, path);
    QbStatus status = qb_file_read_regular(out_data, &size, path, TOKENIZER_MAX_BYTES);
    if (!status && size >= 8 && qb_file_is_pointer(*out_data, size))
        status = qb_fail(QB_ERR_FORMAT, "%s: is Git LFS's pointer, not the file: run git lfs pull",
                         path);
    if (!status)
        status = qb_sentencepiece_model_read(out, *out_data, size, path);
    /* What a model's file must have to be opened again. */
    QbTokenizer *tokenizer = NULL;
    if (!status) {
        status = qb_tokenizer_new(&tokenizer, out->pieces, out->n, &out->options);
        if (status && status != QB_ERR_NOMEM)
            status = qb_fail_prefix(status, "%s", path);
    }
    qb_tokenizer_free(&tokenizer);
    const QbTokenizerOptions *o = &out->options;
    if (!status && (o->bos_id < 0 || o->eos_id < 0 || o->unk_id < 0))
        status = qb_fail(QB_ERR_UNSUPPORTED,
                         "%s: the pieces that begin and end texts and stand for unknown ones are "
                         "%d, %d and %d; all three are needed",
                         path, o->bos_id, o->eos_id, o->unk_id);
    if (status) {
        qb_sentencepiece_model_deinit(out);
        qb_free(*out_data);
        *out_data = NULL;
    }
    return status;
}

QbStatus qb_vocabulary_put_keys(const QbSentencePieceModel *model, QbGgufWriter *w)
{
    size_t n = (size_t)model->n;
    QbGgufText *texts = qb_calloc(n, sizeof *texts);
    float *scores = qb_calloc(n, sizeof *scores);
    int32_t *types = qb_calloc(n, sizeof *types);
    QbStatus status = texts && scores && types ? QB_OK : QB_ERR_NOMEM;
    for (size_t i = 0; i < n && !status; i++) {
        texts[i] = (QbGgufText){model->pieces[i].text, model->pieces[i].length};
        scores[i] = model->pieces[i].score;
        types[i] = model->pieces[i].type;
    }
    if (!status) {
        qb_gguf_put_string(w, "tokenizer.ggml.model", "llama");
        qb_gguf_put_string_array(w, "tokenizer.ggml.tokens", texts, n);
        qb_gguf_put_f32_array(w, "tokenizer.ggml.scores", scores, n);
        qb_gguf_put_i32_array(w, "tokenizer.ggml.token_type", types, n);
        qb_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)model->options.bos_id);
        qb_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", (uint32_t)model->options.eos_id);
        qb_gguf_put_u32(w, "tokenizer.ggml.unknown_token_id", (uint32_t)model->options.unk_id);
        if (model->pad_id >= 0)
            qb_gguf_put_u32(w, "tokenizer.ggml.padding_token_id", (uint32_t)model->pad_id);
        qb_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", true);
        qb_gguf_put_bool(w, "tokenizer.ggml.add_space_prefix", model->options.add_dummy_prefix);
        qb_gguf_put_bool(w, "tokenizer.ggml.remove_extra_whitespaces", false);
    }
    qb_free(texts);
    qb_free(scores);
    qb_free(types);
    return status;
}

void qb_manners_put_keys(const QbVariant *variant, QbGgufWriter *w)
{
    qb_gguf_put_string(w, "qboost.variant", variant->name);
    qb_gguf_put_string(w, "qboost.template", variant->prompt_template);
    qb_gguf_put_string(w, "qboost.prompt.rate", variant->rate_prompt);
    qb_gguf_put_string(w, "qboost.method", variant->method);
    qb_gguf_put_string(w, "qboost.decode", "upstream");
    qb_gguf_put_string(w, "qboost.preprocess.fit", variant->fit);
    qb_gguf_put_string(w, "qboost.ask.template", variant->ask_template);
    qb_gguf_put_string(w, "qboost.ask.image", variant->ask_image);
    qb_gguf_put_string(w, "qboost.ask.images", variant->ask_images);
    qb_gguf_put_string(w, "qboost.ask.join", variant->ask_join);
}
