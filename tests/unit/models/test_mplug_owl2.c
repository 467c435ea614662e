/* test_mplug_owl2.c: tiny mPLUG-Owl2 models against what the published modelling code computed with
 * the same weights (tests/golden/mplug_owl2, recipe there): pixels, tower, abstractor, image
 * tokens, decoder layers, logits, stage by stage and end to end; at every instruction set level,
 * and with the matrices as f16 and bf16. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "models/clip_picture.h"
#include "models/clip_vit.h"
#include "models/session.h"
#include "models/visual_abstractor.h"
#include "tests/unit/models/owl2_golden.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX_IDS = 64, MAX_PICTURES = 2 };

static const char *const levels[] = {"ref", "avx2", "avx512"};
static const unsigned level_flags[] = {0, QB_CPU_AVX2, QB_CPU_AVX512};

/* The network's parts, which the architecture keeps to itself, loaded once more. */
typedef struct {
    QbModel *model;
    QbPool *pool;
    QbStore store;
    QbClipPicture picture;
    QbClipVit tower;
    QbAbstractor abstractor;
    QbLinear fc;
    const float *eos;
    const QbLlama *decoder;
    QbOps ops;
    QbArena arena;
    QbClipVitState tower_state;
    QbAbstractorState abstractor_state;
    QbLlamaState llama_state;
    float *tokens; /* [MAX_PICTURES][n_queries + 1][n_embd] */
    double worst;
    const char *worst_stage;
    int n_compared;
    double tolerance;
} Parts;

static void load_parts(Parts *p, const char *path, double tolerance)
{
    *p = (Parts){.tolerance = tolerance};
    if (qb_model_open(&p->model, path, NULL))
        fail_msg("%s", qb_last_error());
    assert_string_equal(qb_model_architecture(p->model), "mplug_owl2");
    assert_int_equal(qb_pool_new(&p->pool, 2), QB_OK);
    QbLoader loader = {p->model->gguf, &p->store, p->pool, &p->model->kernels, p->model->gguf};
    assert_int_equal(qb_clip_vit_load(&p->tower, &loader), QB_OK);
    assert_int_equal(qb_clip_vit_load_post_norm(&p->tower, &loader), QB_OK);
    assert_int_equal(qb_clip_picture_load(&p->picture, &loader, p->tower.image_size), QB_OK);
    assert_int_equal(
        qb_abstractor_load(&p->abstractor, &loader, "mplug_owl2", p->tower.width, p->tower.grid),
        QB_OK);
    p->decoder = p->model->arch->decoder(p->model->weights);
    int n_embd = p->decoder->n_embd, n_tokens = p->abstractor.n_queries + 1;
    assert_int_equal(p->model->arch->image_token_count(p->model->weights), n_tokens);
    assert_int_equal(qb_load_linear(&p->fc, &loader, QB_LOAD_BIAS, n_embd, p->tower.width, "mm.fc"),
                     QB_OK);
    assert_int_equal(qb_load_vector(&p->eos, &loader, (size_t)n_embd, "mm.eos.weight"), QB_OK);
    for (int pass = 0; pass < 2; pass++) {
        p->ops = (QbOps){.kernels = &p->model->kernels, .pool = p->pool};
        qb_clip_vit_layout(&p->tower_state, &p->ops, &p->arena, &p->tower);
        qb_abstractor_layout(&p->abstractor_state, &p->ops, &p->arena, &p->abstractor);
        qb_llama_layout(&p->llama_state, &p->ops, &p->arena, p->decoder, p->decoder->n_context);
        p->tokens = qb_arena_take(&p->arena, (size_t)(MAX_PICTURES * n_tokens * n_embd), 4);
        qb_ops_layout(&p->ops, &p->arena);
        if (pass == 0)
            assert_int_equal(qb_arena_commit(&p->arena), QB_OK);
    }
}

static void unload_parts(Parts *p)
{
    qb_arena_deinit(&p->arena);
    qb_store_deinit(&p->store);
    qb_pool_free(&p->pool);
    qb_model_close(&p->model);
}

static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        fail_msg("the golden file has no %s", key);
    return value;
}

/* The largest difference over the largest value expected. want: may be absent (NULL). */
static void compare(Parts *p, const json_t *want, size_t first, size_t n, const float *got,
                    const char *what)
{
    double worst = 0, largest = 0;
    if (!want)
        return;
    assert_true(json_array_size(want) >= first + n);
    for (size_t i = 0; i < n; i++) {
        double value = json_number_value(json_array_get(want, first + i));
        double difference = fabs(value - (double)got[i]);
        worst = !(difference <= worst) ? difference : worst;
        largest = fmax(largest, fabs(value));
    }
    if (!(worst <= p->tolerance * largest))
        fail_msg("%s differs by %g of %g, %g of it is allowed", what, worst, largest, p->tolerance);
    if (worst / largest > p->worst) {
        p->worst = worst / largest;
        p->worst_stage = what;
    }
    p->n_compared++;
}

static void compare_whole(Parts *p, const json_t *want, int n, const float *got, const char *what)
{
    if (want)
        assert_int_equal(json_array_size(want), n);
    compare(p, want, 0, (size_t)n, got, what);
}

static void copy(float *out, const json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        out[i] = (float)json_number_value(json_array_get(values, i));
}

/* ---- stages -----------------------------------------------------------------------------------
 */

/* The picture's file through our decoder and resizing. */
static void check_pixels(Parts *p, const json_t *golden, QbFit fit)
{
    const char *file = json_string_value(json_object_get(golden, "file"));
    QbImage *image = NULL;
    if (!file)
        return;
    int side = p->tower.image_size;
    assert_int_equal(qb_image_open(&image, file, NULL), QB_OK);
    uint8_t *square = malloc((size_t)(side * side * 3));
    QbResizer resizer = {.kernels = &p->model->kernels};
    assert_int_equal(qb_clip_picture_make(p->tower_state.picture, square, &p->ops, &resizer,
                                          &p->picture, image, fit),
                     QB_OK);
    double tolerance = p->tolerance;
    p->tolerance = 2e-6; /* the bytes are the same */
    compare_whole(p, get(golden, "pixel_values"), side * side * 3, p->tower_state.picture,
                  "a pixel");
    p->tolerance = tolerance;
    qb_resizer_deinit(&resizer);
    free(square);
    qb_image_free(&image);
}

/* From upstream's pixels. Leaves the normed rows in tower_state.x. */
static void check_tower(Parts *p, const json_t *golden)
{
    QbClipVit part = p->tower;
    int n = p->abstractor.n_memory * part.width;
    const json_t *layers = json_object_get(golden, "tower");
    part.post_ln_w = NULL;
    for (part.n_layers = 0; part.n_layers <= p->tower.n_layers; part.n_layers++) {
        copy(p->tower_state.picture, get(golden, "pixel_values"));
        qb_clip_vit_forward(&p->tower_state, &p->ops, &part);
        const json_t *want = part.n_layers ? json_array_get(layers, (size_t)part.n_layers - 1)
                                           : json_object_get(golden, "embeddings");
        compare_whole(p, want, n, p->tower_state.x, part.n_layers ? "a tower layer" : "embeddings");
    }
    copy(p->tower_state.picture, get(golden, "pixel_values"));
    qb_clip_vit_forward(&p->tower_state, &p->ops, &p->tower);
    compare_whole(p, get(golden, "post_ln"), n, p->tower_state.x, "the tower");
}

/* memory: of the tower, upstream's or ours. */
static void check_abstractor(Parts *p, const json_t *golden, const float *memory, float *tokens)
{
    QbAbstractor part = p->abstractor;
    int n = part.n_queries, n_embd = p->decoder->n_embd;
    const json_t *layers = json_object_get(golden, "abstractor");
    for (part.n_layers = 1; part.n_layers <= p->abstractor.n_layers; part.n_layers++) {
        qb_abstractor_forward(&p->abstractor_state, &p->ops, &part, memory);
        compare_whole(p, json_array_get(layers, (size_t)part.n_layers - 1), n * part.width,
                      p->abstractor_state.x, "an abstractor layer");
    }
    qb_op_linear(&p->ops, &p->fc, tokens, n_embd, (QbRows){p->abstractor_state.x, part.width}, n,
                 QB_ACT_NONE, (QbRows){0});
    memcpy(tokens + n * n_embd, p->eos, (size_t)n_embd * sizeof *tokens);
    compare_whole(p, get(golden, "image_tokens"), (n + 1) * n_embd, tokens, "the image tokens");
}

/* The prompt's rows with the image tokens of p->tokens. */
static int embed(Parts *p, const json_t *prompt)
{
    const json_t *ids = get(prompt, "ids"), *shown = get(prompt, "pictures");
    int width = p->decoder->n_embd, n_tokens = p->abstractor.n_queries + 1, n = 0;
    size_t picture = 0;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        int id = (int)json_integer_value(json_array_get(ids, i));
        int rows = id == QB_ID_IMAGE ? n_tokens : 1;
        float *x = p->llama_state.x + n * width;
        memset(p->llama_state.way + n, id == QB_ID_IMAGE ? QB_LLAMA_PICTURE : QB_LLAMA_TEXT,
               (size_t)rows);
        if (id == QB_ID_IMAGE) {
            int at = (int)json_integer_value(json_array_get(shown, picture++));
            memcpy(x, p->tokens + at * n_tokens * width, (size_t)(rows * width) * sizeof *x);
        } else {
            qb_embedding_row(x, &p->decoder->embedding, p->ops.kernels, id);
        }
        n += rows;
    }
    assert_int_equal(n, json_integer_value(get(prompt, "rows")));
    return n;
}

/* In the last layer only the last row goes on, so the rows before it show the layer before. */
static void check_decoder(Parts *p, const json_t *prompt)
{
    QbLlama part = *p->decoder;
    const json_t *layers = json_object_get(prompt, "layers");
    size_t width = (size_t)part.n_embd;
    for (part.n_layers = 1; part.n_layers <= p->decoder->n_layers; part.n_layers++) {
        size_t last = (size_t)(embed(p, prompt) - 1);
        p->llama_state.cache.length = 0;
        qb_llama_forward(&p->llama_state, &p->ops, &part, (int)last + 1, 1);
        if (part.n_layers > 1)
            compare(p, json_array_get(layers, (size_t)part.n_layers - 2), 0, last * width,
                    p->llama_state.x, "a decoder layer");
        if (part.n_layers < p->decoder->n_layers)
            compare(p, json_array_get(layers, (size_t)part.n_layers - 1), last * width, width,
                    p->llama_state.x + last * width, "a decoder layer's last row");
    }
    compare_whole(p, json_object_get(prompt, "final_norm"), (int)width, p->llama_state.h,
                  "the normed state");
    float *logits = malloc((size_t)part.n_vocab * sizeof *logits);
    qb_op_linear(&p->ops, &p->decoder->output, logits, part.n_vocab,
                 (QbRows){p->llama_state.h, part.n_embd}, 1, QB_ACT_NONE, (QbRows){0});
    compare_whole(p, get(prompt, "logits"), part.n_vocab, logits, "the logits");
    free(logits);
}

/* ---- end to end -------------------------------------------------------------------------------
 */

static QbImage **open_pictures(const json_t *golden)
{
    static QbImage *images[MAX_PICTURES];
    const json_t *pictures = get(golden, "pictures");
    assert_true(json_array_size(pictures) <= MAX_PICTURES);
    for (size_t i = 0; i < json_array_size(pictures); i++) {
        const char *file = json_string_value(get(json_array_get(pictures, i), "file"));
        assert_int_equal(qb_image_open(&images[i], file, NULL), QB_OK);
    }
    return images;
}

static void check_session(Parts *p, const json_t *golden, QbFit fit, int threads, float *all_logits)
{
    QbSession *session = NULL;
    QbImage **images = open_pictures(golden);
    const QbSessionOptions options = {threads, fit, true};
    assert_int_equal(qb_session_new(&session, p->model, &options), QB_OK);
    size_t i, j;
    json_t *prompt, *id;
    json_array_foreach(get(golden, "prompts"), i, prompt)
    {
        int32_t ids[MAX_IDS];
        const QbImage *shown[MAX_IDS];
        const json_t *pictures = get(prompt, "pictures");
        int n_vocab = p->decoder->n_vocab, n_shown = (int)json_array_size(pictures);
        json_array_foreach(get(prompt, "ids"), j, id) ids[j] = (int32_t)json_integer_value(id);
        for (int k = 0; k < n_shown; k++)
            shown[k] = images[json_integer_value(json_array_get(pictures, (size_t)k))];
        float *logits = all_logits + i * (size_t)n_vocab;
        assert_int_equal(qb_session_eval(logits, session, ids, (int)j, shown, n_shown, NULL, 0),
                         QB_OK);
        compare_whole(p, get(prompt, "logits"), n_vocab, logits, "the session's logits");
        for (int k = 0; k < n_shown; k++) {
            size_t at = (size_t)json_integer_value(json_array_get(pictures, (size_t)k));
            const json_t *want = get(json_array_get(get(golden, "pictures"), at), "image_tokens");
            compare_whole(p, want, (int)json_array_size(want),
                          qb_session_image_tokens(session, shown[k]), "the session's tokens");
        }
    }
    qb_session_free(&session);
    for (size_t k = 0; k < json_array_size(get(golden, "pictures")); k++)
        qb_image_free(&images[k]);
}

static void check_threads(Parts *p, const json_t *golden, QbFit fit)
{
    size_t n = json_array_size(get(golden, "prompts")) * (size_t)p->decoder->n_vocab;
    float *one = calloc(n, sizeof *one), *two = calloc(n, sizeof *two);
    check_session(p, golden, fit, 1, one);
    check_session(p, golden, fit, 2, two);
    assert_memory_equal(one, two, n * sizeof *one);
    free(one);
    free(two);
}

/* ---- cases ------------------------------------------------------------------------------------
 */

/* Every stage from upstream's results, and the stages one behind the other from ours. */
static void check_case(const json_t *golden, const char *path, const char *what, double tolerance,
                       int n_stages)
{
    Parts p;
    QbFit fit = QB_FIT_PAD;
    load_parts(&p, path, tolerance);
    const char *fit_name = json_string_value(json_object_get(golden, "fit"));
    if (fit_name)
        assert_true(qb_fit_find(&fit, fit_name));
    int tokens = (p.abstractor.n_queries + 1) * p.decoder->n_embd;
    size_t i, j;
    json_t *picture, *prompt;
    for (int upstream = 0; upstream < 2; upstream++) {
        json_array_foreach(get(golden, "pictures"), i, picture)
        {
            float *own = p.tokens + i * (size_t)tokens;
            check_pixels(&p, picture, fit);
            check_tower(&p, picture);
            if (upstream)
                copy(p.tower_state.x, get(picture, "post_ln"));
            check_abstractor(&p, picture, p.tower_state.x, own);
            if (upstream)
                copy(own, get(picture, "image_tokens"));
        }
        json_array_foreach(get(golden, "prompts"), j, prompt) check_decoder(&p, prompt);
    }
    if (fit_name)
        check_threads(&p, golden, fit);
    printf("%s, %s: %d stages within %.2g of upstream; the worst: %s\n", what,
           p.model->kernels.level, p.n_compared, p.worst, p.worst_stage);
    assert_int_equal(p.n_compared, n_stages);
    unload_parts(&p);
}

static void check_levels(const char *name, const char *type, double tolerance, int n_stages)
{
    char path[64], file[128], what[64];
    json_error_t error;
    snprintf(file, sizeof file, OWL2_GOLDEN "%s/expected.json", name);
    snprintf(what, sizeof what, "%s, %s", name, type);
    json_t *golden = json_load_file(file, 0, &error);
    assert_non_null(golden);
    owl2_convert(path, name, type);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (level_flags[i] & ~qb_cpu_detect())
            continue;
        assert_int_equal(qb_cpu_set_level(levels[i]), QB_OK);
        check_case(golden, path, what, tolerance, n_stages);
    }
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
    unlink(path);
    json_decref(golden);
}

/* Both sides compute in f32 and sum in different orders: up to about a hundred roundings a product,
 * some twenty products deep. */
static const double FLOAT_TOLERANCE = 1e-4;

/* The matrices of `tiny` are rounded, to 11 bits (f16) or 8 (bf16). With a rounding of 2^-9 of a
 * value at most, 2^-9 / sqrt(3) = 0.1 % on average, a product errs by as much of a typical output,
 * and 25 products in a row by 5 times that; the worst of hundreds is four times worse, 2 %, and 1 %
 * of the largest output. */
static const double ROUNDED_TOLERANCE = 1e-2;

enum { TINY_STAGES = 6, ODD_STAGES = 70, COMPUTED_STAGES = 64 };

/* Made by formulas that were checked against upstream in double. */
static void test_tiny(void **state)
{
    (void)state;
    check_levels("tiny", "f32", 1e-5, TINY_STAGES);
}

static void test_tiny_in_16_bits(void **state)
{
    (void)state;
    check_levels("tiny", "f16", ROUNDED_TOLERANCE, TINY_STAGES);
    check_levels("tiny", "bf16", ROUNDED_TOLERANCE, TINY_STAGES);
}

static void test_odd(void **state)
{
    (void)state;
    check_levels("odd", "f32", FLOAT_TOLERANCE, ODD_STAGES);
}

/* The matrices are the same numbers in these types, and activations stay f32. */
static void test_odd_in_16_bits(void **state)
{
    (void)state;
    check_levels("odd", "f16", FLOAT_TOLERANCE, ODD_STAGES);
    check_levels("odd", "bf16", FLOAT_TOLERANCE, ODD_STAGES);
}

static void test_computed_positions(void **state)
{
    (void)state;
    check_levels("computed", "f32", FLOAT_TOLERANCE, COMPUTED_STAGES);
    check_levels("computed", "f16", FLOAT_TOLERANCE, COMPUTED_STAGES);
    check_levels("computed", "bf16", FLOAT_TOLERANCE, COMPUTED_STAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_tiny_in_16_bits),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_odd_in_16_bits),
        cmocka_unit_test(test_computed_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
