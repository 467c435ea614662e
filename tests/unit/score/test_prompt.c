/* test_prompt.c: a question in a model's template as ids, and which token stands for a word. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "models/session.h"
#include "score/prompt.h"
#include "score/variant.h"
#include "tests/unit/models/tiny_model.h"
#include "tests/unit/tokenizer/sentencepiece_file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static QbModel *open_tiny(TinyModel t)
{
    QbModel *model = NULL;
    if (tiny_open(&model, &t))
        fail_msg("%s", qb_last_error());
    return model;
}

/* The text of ids, with <s> for BOS and <image> for the picture. */
static void text_of(char *out, size_t n, const QbModel *model, const QbIds *ids)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < ids->n; i++) {
        size_t length = 7;
        const char *bytes = "<image>";
        if (ids->id[i] == 1 && (length = 3))
            bytes = "<s>";
        else if (ids->id[i] != QB_ID_IMAGE)
            bytes = qb_tokenizer_piece_bytes(&length, model->tokenizer, ids->id[i]);
        assert_true(used + length < n);
        memcpy(out + used, bytes, length);
        used += length;
        out[used] = 0;
    }
}

static void check(const QbTemplate *where, const char *question, int n_images, const char *want)
{
    QbModel *model = open_tiny((TinyModel){0});
    QbIds ids;
    char text[2000];
    assert_int_equal(qb_prompt_ids(&ids, model->tokenizer, where, question, n_images), QB_OK);
    text_of(text, sizeof text, model, &ids);
    assert_string_equal(text, want);
    int images = 0;
    for (int i = 0; i < ids.n; i++)
        images += ids.id[i] == QB_ID_IMAGE;
    assert_int_equal(images, n_images);
    qb_ids_deinit(&ids);
    qb_model_close(&model);
}

static void check_prompt(const char *template_text, const char *question, const char *want)
{
    QbTemplate plain = qb_template_plain(template_text);
    check(&plain, question, 1, want);
}

/* Each part gets its own space in front (upstream's tokenizer_image_token does so), BOS comes once,
 * and a question cannot bring a picture, a slot or a control token with it. */
static void test_templates(void **state)
{
    (void)state;
    check_prompt("USER: <image>{prompt} ASSISTANT:", "Rate it.",
                 "<s> USER: <image> Rate it. ASSISTANT:");
    check_prompt("<image>{prompt}", "x", "<s><image> x");
    check_prompt("{prompt}<image>", "x", "<s> x<image>");
    check_prompt("a {prompt} b <image> c {prompt}{prompt}", "x", "<s> a x b <image>  c xx");
    check_prompt("<image>{prompt}", "", "<s><image>");
    check_prompt("<image>{prompt}", "a <image> b {prompt}", "<s><image> a <image> b {prompt}");
    check_prompt("<image>{prompt}", "{images}{nth}", "<s><image> {images}{nth}");
    check_prompt("{prompt}<image>", "</s><s>", "<s> </s><s><image>");
    check_prompt("<image>\n{prompt}", "\xc3\xa9", "<s><image> \n\xc3\xa9");
    check_prompt("{<image>{nth}{prompt", "x", "<s> {<image> {nth}{prompt"); /* no slots */
}

/* The text between two pictures is one part, wherever it comes from. */
static void test_several_pictures(void **state)
{
    (void)state;
    QbTemplate t = {"USER: {images}{prompt} ASSISTANT:", "The image: <image> ",
                    "The {nth} image: <image>", "\n"};
    check(&t, "Which?", 1, "<s> USER: The image: <image>  Which? ASSISTANT:");
    check(&t, "Which?", 2,
          "<s> USER: The first image: <image> \nThe second image: <image> Which? ASSISTANT:");
    check(&t, "Which?", 3,
          "<s> USER: The first image: <image> \nThe second image: <image> \nThe third image: "
          "<image> Which? ASSISTANT:");
    t.images = "{nth}<image>";
    t.join = "{nth}{prompt}"; /* no slot there */
    check(&t, "x", 2, "<s> USER: first<image> {nth}{prompt}second<image> x ASSISTANT:");
    t.join = "";
    check(&t, "x", 23,
          "<s> USER: first<image> second<image> third<image> fourth<image> fifth<image> "
          "sixth<image> seventh<image> eighth<image> ninth<image> tenth<image> eleventh<image> "
          "twelfth<image> thirteenth<image> fourteenth<image> fifteenth<image> sixteenth<image> "
          "seventeenth<image> eighteenth<image> nineteenth<image> twentieth<image> 21st<image> "
          "22nd<image> 23rd<image> x ASSISTANT:");
    /* A template that has no {images}: pictures stand where its picture does. */
    QbTemplate plain = qb_template_plain("USER: <image>{prompt}");
    check(&plain, "x", 2, "<s> USER: <image><image> x");
}

static void test_prompt_errors(void **state)
{
    (void)state;
    QbModel *model = open_tiny((TinyModel){0});
    QbTemplate t = {"USER: {images}{prompt} ASSISTANT:", "<image>", "<image>\n", "and"};
    QbIds ids;
    uint64_t before = qb_mem_allocation_count();
    assert_int_equal(qb_prompt_ids(&ids, model->tokenizer, &t, "Rate it.", 3), QB_OK);
    uint64_t count = qb_mem_allocation_count() - before;
    qb_ids_deinit(&ids);
    for (uint64_t n = 1; n <= count; n++) {
        qb_mem_fail_after(n);
        QbStatus status = qb_prompt_ids(&ids, model->tokenizer, &t, "Rate it.", 3);
        qb_mem_fail_after(0);
        assert_int_equal(status, QB_ERR_NOMEM);
        assert_null(ids.id);
    }
    qb_model_close(&model);
}

/* ---- published prompts ---------------------------------------------------------------------- */

/* Ids of mPLUG-Owl2's and LLaVA's own code with LLaMA-2's tokenizer; -1 for a picture, 0 ends. */
static const struct {
    const char *variant;
    int32_t ids[80];
} published[] = {
    {"q-align-scorer",
     {1,  3148, 1001,  29901, 1128,  723,  366,   6554,  278, 11029, 310, 445, 1967, 29973,
      13, -1,   29871, 13,    22933, 9047, 13566, 29901, 450, 11029, 310, 278, 1967, 338}},
    {"q-align-eval",
     {1,  3148, 1001,  29901, 1128, 723,  366,   6554,  278, 11029, 310, 445, 1967, 29973,
      13, -1,   29871, 319,   1799, 9047, 13566, 29901, 450, 11029, 310, 278, 1967, 338}},
    {"q-instruct-eval",
     {1, 3148, 1001, 29901, 29871, -1, 390, 403, 278, 11029, 310, 278, 1967, 29889, 319, 1799, 9047,
      13566, 29901}},
    {"q-instruct-scorer", {1,   3148, 1001, 29901, 29871, -1,    390,  403,   278,   11029,
                           310, 278,  1967, 29889, 13,    22933, 9047, 13566, 29901, 29871}},
    {"llava-eval",
     {1,    319,   13563, 1546, 263,   12758, 5199,  322,   385,   23116, 21082, 20255, 29889,
      450,  20255, 4076,  8444, 29892, 13173, 29892, 322,   1248,  568,   6089,  304,   278,
      5199, 29915, 29879, 5155, 29889, 3148,  1001,  29901, 29871, -1,    29871, 13,    19907,
      278,  11029, 310,   278,  1967,  29889, 319,   1799,  9047,  13566, 29901}},
};

static QbTokenizer *open_llama_tokenizer(void)
{
    uint8_t *data = NULL;
    size_t size;
    QbSentencePieceModel pieces;
    QbTokenizer *tokenizer = NULL;
    if (!load_llama_model(&data, &size)) {
        print_message("llama_tokenizer.model is absent\n");
        skip();
    }
    assert_int_equal(qb_sentencepiece_model_read(&pieces, data, size, "llama"), QB_OK);
    assert_int_equal(qb_tokenizer_new(&tokenizer, pieces.pieces, pieces.n, &pieces.options), QB_OK);
    qb_sentencepiece_model_deinit(&pieces);
    qb_free(data);
    return tokenizer;
}

static void test_published_prompts(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_llama_tokenizer();
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const QbVariant *v = qb_variant_find(published[i].variant);
        QbTemplate t = qb_template_plain(v->prompt_template);
        QbIds ids;
        int n = 0;
        assert_int_equal(qb_prompt_ids(&ids, tokenizer, &t, v->rate_prompt, 1), QB_OK);
        while (published[i].ids[n])
            n++;
        assert_int_equal(ids.n, n);
        for (int k = 0; k < n; k++)
            if (ids.id[k] != published[i].ids[k])
                fail_msg("%s: id %d is %d, expected %d", v->name, k, ids.id[k],
                         published[i].ids[k]);
        qb_ids_deinit(&ids);
    }
    qb_tokenizer_free(&tokenizer);
}

/* As one text with the pictures' marks in it, split at them: Co-Instruct's two pictures. */
static void test_published_questions(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "USER: The first image: ", "\nThe second image: ", "Which is better? ASSISTANT:"};
    QbTokenizer *tokenizer = open_llama_tokenizer();
    const QbVariant *v = qb_variant_find("co-instruct");
    QbTemplate t = {v->ask_template, v->ask_image, v->ask_images, v->ask_join};
    QbIds got, want = {0};
    assert_int_equal(qb_prompt_ids(&got, tokenizer, &t, "Which is better?", 2), QB_OK);
    assert_int_equal(qb_ids_append(&want, &(int32_t){1}, 1), QB_OK);
    for (int i = 0; i < 3; i++) {
        int32_t *ids;
        int n;
        assert_int_equal(qb_tokenizer_encode(&ids, &n, tokenizer, parts[i], strlen(parts[i])),
                         QB_OK);
        assert_int_equal(qb_ids_append(&want, ids, n), QB_OK);
        if (i < 2)
            assert_int_equal(qb_ids_append(&want, &(int32_t){QB_ID_IMAGE}, 1), QB_OK);
        qb_free(ids);
    }
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.id, want.id, (size_t)got.n * sizeof *got.id);
    qb_ids_deinit(&got);
    qb_ids_deinit(&want);
    qb_tokenizer_free(&tokenizer);
}

/* A template of slots and a long question would make a text of gigabytes. */
static void test_no_text_grows_without_end(void **state)
{
    (void)state;
    enum { SLOTS = 8000, LONG = 60000 };
    QbModel *model = open_tiny((TinyModel){0});
    char *slots = calloc(SLOTS, 8 + 1), *question = calloc(LONG + 1, 1);
    QbIds ids;
    for (int i = 0; i < SLOTS; i++)
        memcpy(slots + i * 8, "{prompt}", 8);
    memset(question, 'x', LONG);
    QbTemplate t = qb_template_plain(slots);
    assert_int_equal(qb_prompt_ids(&ids, model->tokenizer, &t, question, 1), QB_ERR_LIMIT);
    assert_non_null(strstr(qb_last_error(), "too long"));
    assert_null(ids.id);
    free(slots);
    free(question);
    qb_model_close(&model);
}

static void check_word(const QbModel *model, const char *word, const char *piece, int pieces)
{
    int32_t id = -1;
    int got = -1;
    size_t length;
    if (qb_word_id(&id, &got, model->tokenizer, word))
        fail_msg("%s: %s", word, qb_last_error());
    const char *bytes = qb_tokenizer_piece_bytes(&length, model->tokenizer, id);
    assert_int_equal(length, strlen(piece));
    assert_memory_equal(bytes, piece, length);
    assert_int_equal(got, pieces);
}

static void refuse_word(const QbModel *model, const char *word)
{
    int32_t id = 77;
    int pieces = 77;
    assert_int_equal(qb_word_id(&id, &pieces, model->tokenizer, word), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), word));
    assert_int_equal(id, 77);
}

static void test_words(void **state)
{
    (void)state;
    QbModel *model = open_tiny((TinyModel){.words = "good poor modern"});
    check_word(model, "good", " good", 1);
    check_word(model, "poor", " poor", 1);
    check_word(model, "goodd", " good", 2); /* the first piece stands for it */
    check_word(model, "moderate", " moder", 4);
    check_word(model, "g", " g", 1);
    refuse_word(model, "xylophone");        /* a bare space comes first */
    refuse_word(model, "\xf0\x9f\x98\x80"); /* the same, then bytes */
    char longest[300];
    memset(longest, 'g', sizeof longest);
    longest[sizeof longest - 1] = 0;
    int32_t id;
    int pieces;
    assert_int_equal(qb_word_id(&id, &pieces, model->tokenizer, longest), QB_ERR_ARG);
    qb_model_close(&model);
}

static void test_words_of_other_vocabularies(void **state)
{
    (void)state;
    /* No space of its own in front of text: it is spelled out. */
    QbModel *model = open_tiny((TinyModel){.words = "good poor", .no_dummy_prefix = true});
    check_word(model, "good", " good", 1);
    refuse_word(model, "xylophone");
    qb_model_close(&model);
    /* No piece that is a space alone: it falls to bytes. */
    model = open_tiny((TinyModel){.words = "good poor", .no_space = true});
    check_word(model, "good", " good", 1);
    refuse_word(model, "xylophone");
    qb_model_close(&model);
    /* Neither that nor bytes: the unknown piece. */
    model = open_tiny((TinyModel){.words = "good poor", .no_space = true, .no_bytes = true});
    check_word(model, "good", " good", 1);
    refuse_word(model, "xylophone");
    qb_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_several_pictures),
        cmocka_unit_test(test_prompt_errors),
        cmocka_unit_test(test_no_text_grows_without_end),
        cmocka_unit_test(test_published_prompts),
        cmocka_unit_test(test_published_questions),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_of_other_vocabularies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
