/* test_tokenizer_llama.c: the tokenizer with LLaMA-2's vocabulary must give the ids that the
 * sentencepiece library gives: the shared vectors, the prompts of the models' papers, thousands of
 * generated strings. The model may not be kept here; without it these tests skip. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tokenizer/sentencepiece_file.h"
#include "tests/unit/tokenizer/tokenizer_golden.h"

#include <jansson.h>

static QbTokenizer *tokenizer; /* NULL without the model */

static int open_model(void **state)
{
    (void)state;
    uint8_t *data;
    size_t size;
    QbSentencePieceModel model;
    if (!load_llama_model(&data, &size)) {
        print_message("llama_tokenizer.model is absent: skipping\n");
        return 0;
    }
    QbStatus status = qb_sentencepiece_model_read(&model, data, size, "llama_tokenizer.model");
    if (!status)
        status = qb_tokenizer_new(&tokenizer, model.pieces, model.n, &model.options);
    if (status)
        print_error("%s\n", qb_last_error());
    qb_sentencepiece_model_deinit(&model); /* the pieces were copied */
    qb_free(data);
    return status;
}

static int close_model(void **state)
{
    (void)state;
    qb_tokenizer_free(&tokenizer);
    return 0;
}

static void need_model(void)
{
    if (!tokenizer)
        skip();
}

static void knows_the_special_pieces(void **state)
{
    (void)state;
    need_model();
    size_t length;
    assert_int_equal(qb_tokenizer_size(tokenizer), 32000);
    assert_int_equal(qb_tokenizer_bos(tokenizer), 1);
    assert_int_equal(qb_tokenizer_eos(tokenizer), 2);
    assert_int_equal(qb_tokenizer_piece_type(tokenizer, 0), QB_PIECE_UNKNOWN);
    assert_int_equal(qb_tokenizer_piece_type(tokenizer, 1), QB_PIECE_CONTROL);
    assert_int_equal(qb_tokenizer_piece_type(tokenizer, 13), QB_PIECE_BYTE);
    assert_int_equal(*qb_tokenizer_piece_bytes(&length, tokenizer, 13), '\n');
    assert_int_equal(length, 1);
    assert_memory_equal(qb_tokenizer_piece_bytes(&length, tokenizer, 1781), " good", 5);
    assert_int_equal(length, 5);
}

static void equals_the_shared_vectors(void **state)
{
    (void)state;
    need_model();
    json_t *root =
        json_load_file(shared_path("llama_tokenizer_vectors.json"), JSON_ALLOW_NUL, NULL);
    json_t *cases = json_object_get(root, "cases");
    size_t i;
    json_t *one;
    assert_true(json_array_size(cases) > 100);
    json_array_foreach(cases, i, one)
    {
        json_t *text = json_object_get(one, "text");
        json_t *ids = json_object_get(one, "ids");
        int32_t expected[4096];
        size_t n = json_array_size(ids);
        assert_true(n <= 4096);
        for (size_t k = 0; k < n; k++)
            expected[k] = (int32_t)json_integer_value(json_array_get(ids, k));
        assert_encodes_to(tokenizer, json_string_value(text), json_string_length(text), expected,
                          (int)n);
    }
    json_decref(root);
}

/* Prompts of Q-Align, DeQA and LLaVA-1.5 with the ids that their authors' code gets. */
static void equals_the_published_prompts(void **state)
{
    (void)state;
    need_model();
    static const struct {
        const char *text;
        int32_t ids[16]; /* ends with 0 */
    } cases[] = {
        {"USER: How would you rate the quality of this image?\n",
         {3148, 1001, 29901, 1128, 723, 366, 6554, 278, 11029, 310, 445, 1967, 29973, 13}},
        {"\nASSISTANT: The quality of the image is",
         {29871, 13, 22933, 9047, 13566, 29901, 450, 11029, 310, 278, 1967, 338}},
        {" ASSISTANT: The quality of the image is",
         {29871, 319, 1799, 9047, 13566, 29901, 450, 11029, 310, 278, 1967, 338}},
        {"USER: ", {3148, 1001, 29901, 29871}},
        {"Rate the quality of the image. ASSISTANT:",
         {390, 403, 278, 11029, 310, 278, 1967, 29889, 319, 1799, 9047, 13566, 29901}},
        {"\nRate the quality of the image. ASSISTANT:",
         {29871, 13, 19907, 278, 11029, 310, 278, 1967, 29889, 319, 1799, 9047, 13566, 29901}},
        {"good", {1781}},
        {"poor", {6460}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = 0;
        while (cases[i].ids[n])
            n++;
        assert_encodes_to(tokenizer, cases[i].text, strlen(cases[i].text), cases[i].ids, n);
    }
}

static void equals_the_library_on_generated_strings(void **state)
{
    (void)state;
    need_model();
    check_golden(tokenizer, "tests/golden/tokenizer/llama.ids");
}

static void decoding_gives_the_text_back(void **state)
{
    (void)state;
    need_model();
    check_round_trips(tokenizer, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_special_pieces),
        cmocka_unit_test(equals_the_shared_vectors),
        cmocka_unit_test(equals_the_published_prompts),
        cmocka_unit_test(equals_the_library_on_generated_strings),
        cmocka_unit_test(decoding_gives_the_text_back),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
