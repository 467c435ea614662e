/* llava_golden.h: holds an open LLaVA against what Hugging Face transformers computed with the same
 * weights (expected.json of tests/golden/llava_hf and llava_pair): pixels, tower, image tokens,
 * decoder layers, logits, token ids, scores. For tests; what differs fails the cmocka test. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_LLAVA_GOLDEN_H
#define QB_TESTS_LLAVA_GOLDEN_H

#include "base/cpu.h"
#include "base/mem.h"
#include "models/clip_vit.h"
#include "models/session.h"
#include "score/prompt.h"
#include "score/variant.h"

#include <jansson.h>
#include <math.h>
#include <qboost/scorer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline json_t *golden_load(const char *path)
{
    json_error_t error;
    json_t *value = json_load_file(path, 0, &error);
    if (!value)
        fail_msg("%s: %s", path, error.text);
    return value;
}

/* The largest difference over the largest value expected; got[n] is held against want from first.
 */
static inline double golden_compare(const json_t *want, size_t first, size_t n, const float *got,
                                    double tolerance, const char *what)
{
    double worst = 0, largest = 0;
    assert_true(json_array_size(want) >= first + n);
    for (size_t i = 0; i < n; i++) {
        double value = json_number_value(json_array_get(want, first + i));
        double difference = fabs(value - (double)got[i]);
        worst = !(difference <= worst) ? difference : worst;
        largest = fmax(largest, fabs(value));
    }
    if (!(worst <= tolerance * largest))
        fail_msg("%s differs by %g of %g, %g of it is allowed", what, worst, largest, tolerance);
    return worst / largest;
}

enum { GOLDEN_MAX_IDS = 1024 };

/* Token ids with QB_ID_IMAGE in the middle. */
static inline int golden_ids(int32_t *ids, const json_t *expected)
{
    size_t i;
    json_t *id;
    int n = 0;
    json_array_foreach(json_object_get(expected, "ids_before_image"), i, id) ids[n++] =
        (int32_t)json_integer_value(id);
    ids[n++] = QB_ID_IMAGE;
    json_array_foreach(json_object_get(expected, "ids_after_image"), i, id) ids[n++] =
        (int32_t)json_integer_value(id);
    return n;
}

/* The parts of the network, each run by itself. */
typedef struct GoldenParts {
    QbPool *pool;
    QbStore store;
    QbArena arena;
    QbOps ops;
    QbClipVit tower;
    const QbLlama *llama;
    QbClipVitState tower_state;
    QbLlamaState llama_state;
} GoldenParts;

static inline void golden_parts_init(GoldenParts *p, const QbModel *m, int tower_layers)
{
    *p = (GoldenParts){.llama = m->arch->decoder(m->weights)};
    const QbGguf *vision = m->mmproj ? m->mmproj : m->gguf;
    assert_int_equal(qb_pool_new(&p->pool, 2), QB_OK);
    const QbLoader loader = {vision, &p->store, p->pool, &m->kernels, vision};
    assert_int_equal(qb_clip_vit_load(&p->tower, &loader), QB_OK);
    assert_true(tower_layers <= p->tower.n_layers); /* a pair's file may have the last one too */
    p->tower.n_layers = tower_layers;
    for (int pass = 0; pass < 2; pass++) {
        p->ops = (QbOps){.kernels = &m->kernels, .pool = p->pool};
        qb_clip_vit_layout(&p->tower_state, &p->ops, &p->arena, &p->tower);
        qb_llama_layout(&p->llama_state, &p->ops, &p->arena, p->llama, p->llama->n_context);
        qb_ops_layout(&p->ops, &p->arena);
        if (pass == 0)
            assert_int_equal(qb_arena_commit(&p->arena), QB_OK);
    }
}

static inline void golden_parts_deinit(GoldenParts *p)
{
    qb_arena_deinit(&p->arena);
    qb_store_deinit(&p->store);
    qb_pool_free(&p->pool);
}

static inline QbFit golden_fit(const json_t *golden)
{
    const char *fit = json_string_value(json_object_get(golden, "fit"));
    return strcmp(fit, "pad") ? QB_FIT_CROP : QB_FIT_PAD;
}

/* The scaled picture, byte by byte; normalised it is left as the tower's input. */
static inline void golden_check_pixels(GoldenParts *p, const QbModel *m, const json_t *golden,
                                       const QbImage *image)
{
    static const double mean[3] = {0.48145466, 0.4578275, 0.40821073},
                        std[3] = {0.26862954, 0.26130258, 0.27577711};
    QbResizer resizer = {.kernels = &m->kernels};
    QbPreprocess how = {.fit = golden_fit(golden), .image_size = p->tower.image_size};
    for (int c = 0; c < 3; c++)
        how.pad_color[c] = (uint8_t)(255 * mean[c]);
    size_t n = (size_t)(how.image_size * how.image_size * 3);
    const char *hex = json_string_value(json_object_get(golden, "pixels"));
    uint8_t *square = malloc(n);
    assert_true(square && hex && strlen(hex) == 2 * n);
    assert_int_equal(qb_preprocess_rgb(&resizer, square, &how, image), QB_OK);
    for (size_t i = 0; i < n; i++) {
        unsigned want = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &want), 1);
        assert_int_equal(square[i], want);
        p->tower_state.picture[i] = (float)((square[i] / 255.0 - mean[i % 3]) / std[i % 3]);
    }
    qb_resizer_deinit(&resizer);
    free(square);
}

/* A prefix of the layers at a time. The picture is there already; it stays. */
static inline double golden_check_tower(GoldenParts *p, const json_t *golden, double tolerance)
{
    const json_t *layers = json_object_get(golden, "tower_layers");
    size_t n = (size_t)((p->tower.grid * p->tower.grid + 1) * p->tower.width);
    double worst = 0;
    QbClipVit part = p->tower;
    assert_int_equal(json_array_size(layers), p->tower.n_layers);
    for (part.n_layers = 0; part.n_layers <= p->tower.n_layers; part.n_layers++) {
        const json_t *want = part.n_layers ? json_array_get(layers, (size_t)part.n_layers - 1)
                                           : json_object_get(golden, "tower_embeddings");
        qb_clip_vit_forward(&p->tower_state, &p->ops, &part);
        worst = fmax(worst, golden_compare(want, 0, n, p->tower_state.x, tolerance, "the tower"));
    }
    return worst;
}

static inline int golden_fill_rows(GoldenParts *p, const json_t *expected, const json_t *golden)
{
    int32_t ids[GOLDEN_MAX_IDS];
    const json_t *tokens = json_object_get(golden, "image_tokens");
    int n_ids = golden_ids(ids, expected), width = p->llama->n_embd, n = 0;
    for (int i = 0; i < n_ids; i++) {
        float *x = p->llama_state.x + n * width;
        size_t values = ids[i] == QB_ID_IMAGE ? json_array_size(tokens) : 0;
        if (!values)
            qb_embedding_row(x, &p->llama->embedding, p->ops.kernels, ids[i]);
        for (size_t j = 0; j < values; j++)
            x[j] = (float)json_number_value(json_array_get(tokens, j));
        n += values ? (int)values / width : 1;
    }
    assert_int_equal(n, json_integer_value(json_object_get(expected, "rows")));
    return n;
}

/* In the last layer that is run only the last row goes on, so the rows before it show the layer
 * before. layer_rows: which rows expected.json has. */
static inline double golden_check_layers(GoldenParts *p, const json_t *expected,
                                         const json_t *golden, double tolerance)
{
    const json_t *layers = json_object_get(golden, "layers"),
                 *rows = json_object_get(expected, "layer_rows");
    size_t width = (size_t)p->llama->n_embd;
    double worst = 0;
    QbLlama part = *p->llama;
    assert_int_equal(json_array_size(layers), part.n_layers - 1);
    for (part.n_layers = 1; part.n_layers <= p->llama->n_layers; part.n_layers++) {
        int n = golden_fill_rows(p, expected, golden);
        p->llama_state.cache.length = 0;
        qb_llama_forward(&p->llama_state, &p->ops, &part, n, 1);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            int row = (int)json_integer_value(json_array_get(rows, i));
            int layer = row == n - 1 ? part.n_layers - 1 : part.n_layers - 2;
            if (layer >= 0 && layer < p->llama->n_layers - 1)
                worst = fmax(worst, golden_compare(json_array_get(layers, (size_t)layer), i * width,
                                                   width, p->llama_state.x + (size_t)row * width,
                                                   tolerance, "a decoder layer's row"));
        }
    }
    return fmax(worst, golden_compare(json_object_get(golden, "final_norm"), 0, width,
                                      p->llama_state.h, tolerance, "the normed state"));
}

/* The whole network at once. */
static inline double golden_check_session(const QbModel *m, const json_t *expected,
                                          const json_t *golden, const QbImage *image,
                                          double tolerance)
{
    int32_t ids[GOLDEN_MAX_IDS];
    int n_ids = golden_ids(ids, expected), n_vocab = m->arch->decoder(m->weights)->n_vocab;
    const json_t *tokens = json_object_get(golden, "image_tokens");
    const QbSessionOptions options = {.threads = 2, .fit = golden_fit(golden), .has_fit = true};
    QbSession *session = NULL;
    float *logits = malloc((size_t)n_vocab * sizeof *logits);
    assert_non_null(logits);
    assert_int_equal(qb_session_new(&session, m, &options), QB_OK);
    if (qb_session_eval(logits, session, ids, n_ids, &image, 1, NULL, 0))
        fail_msg("%s", qb_last_error());
    double worst =
        golden_compare(tokens, 0, json_array_size(tokens), qb_session_image_tokens(session, image),
                       tolerance, "the image tokens");
    worst = fmax(worst, golden_compare(json_object_get(golden, "logits"), 0, (size_t)n_vocab,
                                       logits, tolerance, "the logits"));
    qb_session_free(&session);
    free(logits);
    return worst;
}

/* Everything at one instruction set level; m is to be open at that level. Gives back the worst
 * difference. */
static inline double golden_check_model(const QbModel *m, const json_t *expected, double tolerance)
{
    size_t i;
    json_t *golden;
    double worst = 0;
    GoldenParts parts;
    const json_t *pictures = json_object_get(expected, "pictures");
    golden_parts_init(
        &parts, m,
        (int)json_array_size(json_object_get(json_array_get(pictures, 0), "tower_layers")));
    json_array_foreach(pictures, i, golden)
    {
        QbImage *image = NULL;
        const char *file = json_string_value(json_object_get(golden, "file"));
        if (qb_image_open(&image, file, NULL))
            fail_msg("%s", qb_last_error());
        golden_check_pixels(&parts, m, golden, image);
        worst = fmax(worst, golden_check_tower(&parts, golden, tolerance));
        worst = fmax(worst, golden_check_layers(&parts, expected, golden, tolerance));
        worst = fmax(worst, golden_check_session(m, expected, golden, image, tolerance));
        qb_image_free(&image);
    }
    golden_parts_deinit(&parts);
    return worst;
}

/* What Q-Instruct's question becomes, against the ids of the library that published tokenizers come
 * from. */
static inline void golden_check_prompt(const QbModel *m, const json_t *expected)
{
    int32_t want[GOLDEN_MAX_IDS];
    int n = golden_ids(want, expected);
    QbIds ids = {0};
    const QbVariant *variant = qb_variant_find("llava-eval");
    assert_non_null(variant);
    const QbTemplate where = qb_template_plain(variant->prompt_template);
    assert_int_equal(qb_prompt_ids(&ids, m->tokenizer, &where, variant->rate_prompt, 1), QB_OK);
    assert_int_equal(ids.n, n);
    assert_memory_equal(ids.id, want, (size_t)n * sizeof *want);
    qb_ids_deinit(&ids);
}

static inline double golden_check_score(const QbModel *m, const json_t *golden,
                                        const QbImage *image, const char *variant,
                                        const char *method, double tolerance)
{
    QbScorer *scorer = NULL;
    QbScorerOptions options;
    QbScore score;
    qb_scorer_options_init(&options);
    options.threads = 2;
    options.variant = variant;
    options.method = method;
    if (golden_fit(golden) == QB_FIT_PAD)
        options.fit = "pad";
    if (qb_scorer_new(&scorer, m, &options) || qb_scorer_score_image(&score, scorer, image))
        fail_msg("%s", qb_last_error());
    double want = json_number_value(json_object_get(json_object_get(golden, "scores"), method));
    double difference = fabs(score.score - want);
    if (!(difference <= tolerance))
        fail_msg("a score by %s is %.5f, expected %.5f", method, score.score, want);
    qb_scorer_free(&scorer);
    return difference;
}

/* variant: how to ask; NULL where the file says it. The largest difference. */
static inline double golden_check_scores(const QbModel *m, const json_t *expected,
                                         const char *variant, double tolerance)
{
    size_t i;
    json_t *golden;
    double worst = 0;
    json_array_foreach(json_object_get(expected, "pictures"), i, golden)
    {
        QbImage *image = NULL;
        const char *file = json_string_value(json_object_get(golden, "file"));
        assert_int_equal(qb_image_open(&image, file, NULL), QB_OK);
        worst = fmax(worst, golden_check_score(m, golden, image, variant, "tti", tolerance));
        worst = fmax(worst, golden_check_score(m, golden, image, variant, "mpe", tolerance));
        qb_image_free(&image);
    }
    return worst;
}

/* ref, and what this machine has besides; NULL past the last. */
static inline const char *golden_level(int index)
{
    static const char *const names[] = {"ref", "avx2", "avx512"};
    static const unsigned flags[] = {0, QB_CPU_AVX2, QB_CPU_AVX512};
    if (index > 2 || (qb_cpu_detect() & flags[index]) != flags[index])
        return NULL;
    return names[index];
}

#endif
