/* test_variant.c: the published ways of asking. Their token ids, with LLaMA-2's vocabulary, are
 * those that the authors' tokenizers give; without the vocabulary these tests skip. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "score/method.h"
#include "score/variant.h"
#include "tests/unit/tokenizer/sentencepiece_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGE = -200, MAX_IDS = 200 };

static QbTokenizer *open_tokenizer(void)
{
    uint8_t *data;
    size_t size;
    QbSentencePieceModel model;
    QbTokenizer *tokenizer = NULL;
    if (!load_llama_model(&data, &size)) {
        print_message("llama_tokenizer.model is absent\n");
        skip();
    }
    assert_int_equal(qb_sentencepiece_model_read(&model, data, size, "llama"), QB_OK);
    assert_int_equal(qb_tokenizer_new(&tokenizer, model.pieces, model.n, &model.options), QB_OK);
    qb_sentencepiece_model_deinit(&model);
    qb_free(data);
    return tokenizer;
}

/* text with the one slot replaced. */
static void fill(char *out, size_t n, const char *text, const char *slot, const char *value)
{
    const char *at = strstr(text, slot);
    assert_non_null(at);
    int length = snprintf(out, n, "%.*s%s%s", (int)(at - text), text, value, at + strlen(slot));
    assert_true(length > 0 && (size_t)length < n);
}

/* BOS once, then every part by itself, as upstream's tokenizer_image_token. */
static int ids_of(int32_t *out, const QbTokenizer *tokenizer, const char *text)
{
    int n = 0;
    out[n++] = qb_tokenizer_bos(tokenizer);
    for (const char *part = text; part;) {
        const char *end = strstr(part, "<image>");
        int32_t *ids;
        int count;
        size_t length = end ? (size_t)(end - part) : strlen(part);
        assert_int_equal(qb_tokenizer_encode(&ids, &count, tokenizer, part, length), QB_OK);
        assert_true(n + count + 1 < MAX_IDS);
        if (count)
            memcpy(out + n, ids, (size_t)count * sizeof *ids);
        qb_free(ids);
        n += count;
        if (end)
            out[n++] = IMAGE;
        part = end ? end + strlen("<image>") : NULL;
    }
    return n;
}

static void check_ids(const QbTokenizer *tokenizer, const char *text, const int32_t *want)
{
    int32_t got[MAX_IDS];
    int n = ids_of(got, tokenizer, text), i = 0;
    for (; want[i]; i++)
        if (i >= n || got[i] != want[i])
            fail_msg("\"%s\": id %d is %d, expected %d", text, i, i < n ? got[i] : -1, want[i]);
    assert_int_equal(n, i);
}

/* "USER: How would you rate the quality of this image?\n" and so on; 0 ends a list. */
#define HOW_QUALITY 3148, 1001, 29901, 1128, 723, 366, 6554, 278, 11029, 310, 445, 1967, 29973
#define HOW_AESTHETICS \
    3148, 1001, 29901, 1128, 723, 366, 6554, 278, 263, 342, 9188, 1199, 310, 445, 1967, 29973
#define RATE 390, 403, 278, 11029, 310, 278, 1967, 29889
#define ASSISTANT 319, 1799, 9047, 13566, 29901
#define LINE_ASSISTANT 13, 22933, 9047, 13566, 29901
#define HOW_VIDEO 3148, 1001, 29901, 1128, 723, 366, 6554, 278, 11029, 310, 445, 4863, 29973
#define VIDEO_IS 450, 11029, 310, 278, 4863, 338
#define QUALITY_IS 450, 11029, 310, 278, 1967, 338
#define AESTHETICS_IS 450, 263, 342, 9188, 1199, 310, 278, 1967, 338
#define CHAT_BETWEEN(who)                                                                          \
    319, 13563, 1546, 263, 12758, who, 322, 385, 23116, 21082, 20255, 29889, 450, 20255, 4076,     \
        8444, 29892, 13173, 29892, 322, 1248, 568, 6089, 304, 278, who, 29915, 29879, 5155, 29889, \
        3148, 1001, 29901, 29871

static const struct {
    const char *name;
    int32_t ids[MAX_IDS];
} scoring[] = {
    {"q-instruct-eval", {1, 3148, 1001, 29901, 29871, IMAGE, RATE, ASSISTANT, 0}},
    {"q-instruct-scorer", {1, 3148, 1001, 29901, 29871, IMAGE, RATE, LINE_ASSISTANT, 29871, 0}},
    {"q-align-scorer", {1, HOW_QUALITY, 13, IMAGE, 29871, LINE_ASSISTANT, QUALITY_IS, 0}},
    {"q-align-eval", {1, HOW_QUALITY, 13, IMAGE, 29871, ASSISTANT, QUALITY_IS, 0}},
    {"deqa", {1, HOW_QUALITY, 13, IMAGE, 29871, LINE_ASSISTANT, QUALITY_IS, 0}},
    {"q-align-scorer-aesthetics",
     {1, HOW_AESTHETICS, 13, IMAGE, 29871, LINE_ASSISTANT, AESTHETICS_IS, 0}},
    {"q-align-eval-aesthetics",
     {1,   3148, 1001, 29901, 29871, IMAGE, 1128, 723,   366,       6554,          278,
      263, 342,  9188, 1199,  310,   445,   1967, 29973, ASSISTANT, AESTHETICS_IS, 0}},
    {"co-instruct",
     {1, 3148, 1001, 29901, 450, 1967, 29901, 29871, IMAGE, 29871, RATE, ASSISTANT, 0}},
    {"llava-eval",
     {1, CHAT_BETWEEN(5199), IMAGE, 29871, 13, 19907, 278, 11029, 310, 278, 1967, 29889, ASSISTANT,
      0}},
    {"llava",
     {1, CHAT_BETWEEN(1404), IMAGE, 29871, 13, 19907, 278, 11029, 310, 278, 1967, 29889, ASSISTANT,
      0}},
};

static void scoring_prompts_have_the_published_ids(void **state)
{
    (void)state;
    QbTokenizer *tokenizer = open_tokenizer();
    int n = (int)(sizeof scoring / sizeof *scoring);
    for (int i = 0; i < n; i++) {
        const QbVariant *variant = qb_variant_find(scoring[i].name);
        char text[1000];
        assert_non_null(variant);
        fill(text, sizeof text, variant->prompt_template, "{prompt}", variant->rate_prompt);
        check_ids(tokenizer, text, scoring[i].ids);
    }
    assert_null(qb_variant_at(n)); /* every variant is above */
    qb_tokenizer_free(&tokenizer);
}

/* Clips as a whole, and pairs: only who was taught that. Co-Instruct answers "The first image …".
 */
static void clips_and_pairs_have_the_published_ids(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t ids[MAX_IDS];
    } clips[] = {{"q-align-scorer", {1, HOW_VIDEO, 13, IMAGE, 29871, LINE_ASSISTANT, VIDEO_IS, 0}},
                 {"q-align-eval", {1, HOW_VIDEO, 13, IMAGE, 29871, ASSISTANT, VIDEO_IS, 0}}};
    static const int32_t pair[] = {1,     3148,  1001, 29901, 450,   937,   1967,      29901, 29871,
                                   IMAGE, 29871, 13,   1576,  1473,  1967,  29901,     29871, IMAGE,
                                   8449,  1967,  756,  2253,  11029, 29973, ASSISTANT, 450,   0};
    QbTokenizer *tokenizer = open_tokenizer();
    char text[1000], filled[1000];
    int n_clips = 0, n_pairs = 0;
    for (int i = 0; i < 2; i++) {
        const QbVariant *v = qb_variant_find(clips[i].name);
        fill(text, sizeof text, v->clip_template, "{prompt}", v->clip_prompt);
        check_ids(tokenizer, text, clips[i].ids);
    }
    for (int i = 0; qb_variant_at(i); i++) {
        n_clips += qb_variant_at(i)->clip_template != NULL;
        n_pairs += qb_variant_at(i)->pair_template != NULL;
    }
    assert_int_equal(n_clips, 2);
    assert_int_equal(n_pairs, 1);
    const QbVariant *v = qb_variant_find("co-instruct");
    fill(text, sizeof text, v->pair_template, "{images}",
         "The first image: <image>\nThe second image: <image>");
    fill(filled, sizeof filled, text, "{prompt}", v->pair_prompt);
    check_ids(tokenizer, filled, pair);
    qb_tokenizer_free(&tokenizer);
}

static void ask(char *out, size_t n, const QbVariant *v, const char *pictures, const char *question)
{
    char text[1000];
    fill(text, sizeof text, v->ask_template, "{images}", pictures);
    fill(out, n, text, "{prompt}", question);
}

/* Questions without a stem: the text is upstream's conversation, one picture or several. */
static void questions_are_asked_as_upstream_asks_them(void **state)
{
    (void)state;
    char text[1000];
    const QbVariant *v = qb_variant_find("co-instruct");
    ask(text, sizeof text, v, v->ask_image, "Which happens?");
    assert_string_equal(text, "USER: The image: <image> Which happens? ASSISTANT:");

    char first[100], second[100], both[300];
    fill(first, sizeof first, v->ask_images, "{nth}", "first");
    fill(second, sizeof second, v->ask_images, "{nth}", "second");
    snprintf(both, sizeof both, "%s%s%s", first, v->ask_join, second);
    ask(text, sizeof text, v, both, "Which image has better quality, and why?");
    assert_string_equal(text, "USER: The first image: <image>\nThe second image: <image>Which "
                              "image has better quality, and why? ASSISTANT:");

    v = qb_variant_find("q-instruct-eval");
    ask(text, sizeof text, v, v->ask_image, v->rate_prompt);
    assert_string_equal(text, "USER: <image>Rate the quality of the image. ASSISTANT:");
    v = qb_variant_find("llava");
    ask(text, sizeof text, v, v->ask_image, "Is it sharp?");
    assert_string_equal(
        text, "A chat between a curious user and an artificial intelligence assistant. The "
              "assistant gives helpful, detailed, and polite answers to the user's questions. "
              "USER: <image>\nIs it sharp? ASSISTANT:");
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void every_variant_is_well_formed(void **state)
{
    (void)state;
    for (int i = 0; qb_variant_at(i); i++) {
        const QbVariant *v = qb_variant_at(i);
        assert_ptr_equal(qb_variant_find(v->name), v);
        assert_true(strlen(v->help) > 0 && strlen(v->rate_prompt) > 0);
        assert_int_equal(count(v->prompt_template, "<image>"), 1);
        assert_int_equal(count(v->prompt_template, "{prompt}"), 1);
        assert_non_null(qb_score_method_find(v->method));
        assert_true(!strcmp(v->fit, "crop") || !strcmp(v->fit, "pad"));
        assert_int_equal(count(v->ask_template, "<image>"), 0);
        assert_int_equal(count(v->ask_template, "{images}"), 1);
        assert_int_equal(count(v->ask_template, "{prompt}"), 1);
        assert_int_equal(count(v->ask_image, "<image>"), 1);
        assert_int_equal(count(v->ask_images, "<image>"), 1);
        assert_non_null(v->ask_join);
        assert_true(qb_variant_suits(v, "llava") != qb_variant_suits(v, "mplug_owl2"));
    }
    assert_null(qb_variant_at(-1));
    assert_null(qb_variant_find("q-instruct"));
}

static void suits_whole_names_only(void **state)
{
    (void)state;
    const QbVariant two = {.architectures = "mplug_owl2 llava"};
    assert_true(qb_variant_suits(&two, "mplug_owl2"));
    assert_true(qb_variant_suits(&two, "llava"));
    assert_false(qb_variant_suits(&two, "lava"));
    assert_false(qb_variant_suits(&two, "mplug_owl"));
    assert_false(qb_variant_suits(&two, "owl2"));
    assert_false(qb_variant_suits(&two, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scoring_prompts_have_the_published_ids),
        cmocka_unit_test(clips_and_pairs_have_the_published_ids),
        cmocka_unit_test(questions_are_asked_as_upstream_asks_them),
        cmocka_unit_test(every_variant_is_well_formed),
        cmocka_unit_test(suits_whole_names_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
