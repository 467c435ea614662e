/* model.h: a multimodal LLM, opened once and shared by any number of threads.
 *
 * A QbModel never changes after it is opened. Work is done by scorers (scorer.h), one for each
 * thread; a model must outlive its scorers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_MODEL_H
#define QBOOST_MODEL_H

#include <qboost/image.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbModel QbModel;

typedef struct QbModelOptions {
    size_t size; /* set by qb_model_options_init */
    int threads; /* used while opening (repacking weights); 0 = all CPUs */
    /* The picture side of a llama.cpp pair (its "mmproj" file), when path holds the language model
     * alone; else NULL. Read during the call only. */
    const char *mmproj;
} QbModelOptions;

QB_API void qb_model_options_init(QbModelOptions *options);

/* Opens a GGUF file, or the model inside the library when path is NULL. The file is mapped, not
 * read, and must not change while the model is open. options: NULL for defaults.
 * *out: owned by the caller, closed by qb_model_close; NULL on failure. */
QB_API QbStatus qb_model_open(QbModel **out, const char *path, const QbModelOptions *options);

/* Accepts NULL and pointers to NULL; sets *model to NULL. */
QB_API void qb_model_close(QbModel **model);

/* Texts below are borrowed from model until it is closed; never NULL. */
QB_API const char *qb_model_name(const QbModel *model);
QB_API const char *qb_model_architecture(const QbModel *model);

/* XXH3-128 of the whole file, 32 hexadecimal digits, as `xxh128sum FILE` prints it; of a pair, of
 * both files one behind the other (`cat MODEL MMPROJ | xxh128sum`). The first call reads them once.
 * Thread-safe. */
QB_API const char *qb_model_hash(const QbModel *model);

/* How pictures are to be decoded for this model: never QB_DECODE_AUTO. */
QB_API QbDecode qb_model_decode(const QbModel *model);

QB_API int64_t qb_model_parameter_count(const QbModel *model);

/* Everything worth printing about the model, in a fixed order: key and value as text; NULL past the
 * last one. */
QB_API const char *qb_model_info_key(const QbModel *model, int index);
QB_API const char *qb_model_info_value(const QbModel *model, int index);

#ifdef __cplusplus
}
#endif
#endif
