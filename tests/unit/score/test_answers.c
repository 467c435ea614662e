/* test_answers.c: questions about pictures: the odds of words, options with letters, several
 * pictures, and that a scorer asks as its variant says. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "score/scorer.h"
#include "score/variant.h"
#include "tests/unit/models/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static QbModel *model;
static QbImage *images[3];
static const QbImage *const *pictures = (const QbImage *const *)images;

#define WORDS \
    "good average poor goodness yes no A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        images[i] = tiny_image(15 + i * 7, 21 - i, (uint32_t)i + 5);
    return tiny_open(&model, &(TinyModel){.words = WORDS, .context = 1000});
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        qb_image_free(&images[i]);
    qb_model_close(&model);
    return 0;
}

static QbScorer *new_scorer(QbScorerOptions options)
{
    QbScorer *scorer = NULL;
    options.size = sizeof options;
    options.threads = 2;
    if (qb_scorer_new(&scorer, model, &options))
        fail_msg("%s", qb_last_error());
    return scorer;
}

static void judge(QbCandidate *out, QbScorer *scorer, int n_images, const char *question,
                  const char *const *words, int n)
{
    if (qb_scorer_candidates(out, scorer, pictures, n_images, question, words, n))
        fail_msg("%s", qb_last_error());
}

/* ln p of a token after ids, the plain way. */
static double log_probability(const QbScorer *scorer, const QbIds *ids, int n_images, int token)
{
    int n = qb_tokenizer_size(model->tokenizer);
    float *logits = calloc((size_t)model->arch->decoder(model->weights)->n_vocab, sizeof *logits);
    assert_int_equal(
        qb_session_eval(logits, scorer->session, ids->id, ids->n, pictures, n_images, NULL, 0),
        QB_OK);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i]);
    double result = (double)logits[token] - log(sum);
    free(logits);
    return result;
}

/* ---- words ---------------------------------------------------------------------------------- */

static void test_odds_of_words(void **state)
{
    (void)state;
    static const char *const words[] = {"yes", "no", "goodness", "good", "averagegood"};
    enum { N = 5 };
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    QbCandidate got[N], one;
    QbIds ids;
    judge(got, scorer, 1, "Is it good?", words, N);
    assert_int_equal(
        qb_prompt_ids(&ids, model->tokenizer, &scorer->settings.ask_template, "Is it good?", 1),
        QB_OK);
    for (int i = 0; i < N; i++) {
        assert_true(got[i].log_probability < 0);
        assert_true(fabs(got[i].log_probability - log_probability(scorer, &ids, 1, got[i].token)) <
                    1e-12);
        judge(&one, scorer, 1, "Is it good?", &words[i], 1); /* words do not see each other */
        assert_memory_equal(&one, &got[i], sizeof one);
    }
    assert_int_equal(got[0].pieces, 1);
    assert_true(got[2].pieces == 1 && got[4].pieces > 1);
    assert_int_not_equal(got[2].token, got[3].token);
    qb_ids_deinit(&ids);
    qb_scorer_free(&scorer);
}

static void test_all_tokens_sum_to_one(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    QbIds ids;
    double sum = 0;
    assert_int_equal(
        qb_prompt_ids(&ids, model->tokenizer, &scorer->settings.ask_template, "good", 1), QB_OK);
    for (int i = 0; i < qb_tokenizer_size(model->tokenizer); i++)
        sum += exp(log_probability(scorer, &ids, 1, i));
    assert_true(fabs(sum - 1) < 1e-9);
    qb_ids_deinit(&ids);
    qb_scorer_free(&scorer);
}

/* Without a question: the position a score is read at. */
static void test_odds_of_a_score(void **state)
{
    (void)state;
    static const char *const words[] = {"good", "average", "poor"};
    QbScorer *scorer = new_scorer((QbScorerOptions){.method = "tti", .prompt = "Rate it."});
    QbCandidate got[3];
    QbScore score;
    assert_int_equal(qb_scorer_score_image(&score, scorer, images[0]), QB_OK);
    int64_t rows = qb_session_rows_computed(scorer->session);
    judge(got, scorer, 1, NULL, words, 3);
    assert_int_equal(qb_session_rows_computed(scorer->session) - rows, 1);
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += exp(got[i].log_probability);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(exp(got[i].log_probability) / sum - score.probability[i]) < 1e-6);
    qb_scorer_free(&scorer);
}

static void test_wrong_words(void **state)
{
    (void)state;
    static const char *const good[] = {"good"}, *const bad[] = {"good", "\xe2\x82\xac"},
                             *const null[] = {"good", NULL};
    const QbImage *const nothing[] = {NULL};
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    QbCandidate got[2] = {{.token = 77}, {.token = 78}};
    const QbCandidate before[2] = {got[0], got[1]};
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 1, "x", bad, 2), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "\xe2\x82\xac"));
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 1, "x", null, 2), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 1, "x", good, 0), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 0, "x", good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, nothing, 1, "x", good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, NULL, 1, "x", good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 1, " \n", good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, scorer, pictures, 2, NULL, good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(NULL, scorer, pictures, 1, "x", good, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_candidates(got, NULL, pictures, 1, "x", good, 1), QB_ERR_ARG);
    assert_memory_equal(got, before, sizeof got);
    qb_scorer_free(&scorer);
}

/* ---- options -------------------------------------------------------------------------------- */

static const char *const options[] = {"Very sharp", "A little soft", "Blurry"};

/* The layouts in full, as the evaluations that they are from put them together. */
static const struct {
    const char *name, *text;
} layouts[] = {
    {"q-instruct-owl2",
     "How sharp?\nA. Very sharp\nB. A little soft\nC. Blurry\nAnswer with the option's letter from "
     "the given choices directly.\n"},
    {"q-instruct-llava",
     "How sharp?\nAnswer with the option's letter from the given choices directly.\nA. Very "
     "sharp\nB. A little soft\nC. Blurry\n"},
    {"q-bench",
     "How sharp?\nChoose between one of the options as follows:\nA. Very sharp\nB. A little "
     "soft\nC. Blurry\n"},
};

static void test_layouts(void **state)
{
    (void)state;
    static const char *const letters[] = {"A", "B", "C"};
    int n = (int)(sizeof layouts / sizeof *layouts);
    for (int i = 0; i < n; i++) {
        QbScorer *scorer = new_scorer((QbScorerOptions){.mcq_layout = layouts[i].name});
        QbMcq got;
        QbCandidate want[3];
        double sum = 0;
        assert_string_equal(qb_mcq_layout_name(i), layouts[i].name);
        if (qb_scorer_mcq(&got, scorer, pictures, 1, "How sharp?", options, 3))
            fail_msg("%s", qb_last_error());
        judge(want, scorer, 1, layouts[i].text, letters, 3);
        for (int k = 0; k < 3; k++) {
            assert_true(got.log_probability[k] == want[k].log_probability);
            assert_int_equal(got.token[k], want[k].token);
            assert_true(got.log_probability[k] <= got.log_probability[got.best]);
            sum += exp(want[k].log_probability);
        }
        for (int k = 0; k < 3; k++)
            assert_true(fabs(got.probability[k] - exp(want[k].log_probability) / sum) < 1e-12);
        assert_string_equal(qb_scorer_mcq_layout(scorer), layouts[i].name);
        qb_scorer_free(&scorer);
    }
    assert_null(qb_mcq_layout_name(n));
    assert_string_equal(qb_mcq_layout_for("mplug_owl2")->name, "q-instruct-owl2");
    assert_string_equal(qb_mcq_layout_for("llava")->name, "q-instruct-llava");
    assert_string_equal(qb_mcq_layout_for("compact")->name, "q-bench");
}

static void test_number_of_options(void **state)
{
    (void)state;
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    const char *many[27];
    QbMcq got = {.best = 77};
    for (int i = 0; i < 27; i++)
        many[i] = "x";
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, "q", many, 1), QB_ERR_ARG);
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, "q", many, 27), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "2 to 26"));
    many[1] = "";
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, "q", many, 3), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "option B"));
    many[1] = NULL;
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, "q", many, 3), QB_ERR_ARG);
    many[1] = "y";
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, " ", many, 3), QB_ERR_ARG);
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 0, "q", many, 3), QB_ERR_ARG);
    assert_int_equal(got.best, 77);
    if (qb_scorer_mcq(&got, scorer, pictures, 1, "q", many, 26))
        fail_msg("%s", qb_last_error());
    double sum = 0;
    for (int i = 0; i < 26; i++)
        sum += got.probability[i];
    assert_true(fabs(sum - 1) < 1e-12);
    qb_scorer_free(&scorer);
}

static void test_a_model_without_letters(void **state)
{
    (void)state;
    QbModel *m = NULL;
    QbScorer *scorer = NULL;
    QbMcq got;
    assert_int_equal(tiny_open(&m, &(TinyModel){.words = "good average poor A", .context = 500}),
                     QB_OK);
    assert_int_equal(qb_scorer_new(&scorer, m, NULL), QB_OK);
    assert_int_equal(qb_scorer_mcq(&got, scorer, pictures, 1, "q", options, 3), QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "letter B"));
    qb_scorer_free(&scorer);
    qb_model_close(&m);
}

/* ---- pictures ------------------------------------------------------------------------------- */

static void test_several_pictures(void **state)
{
    (void)state;
    static const char *const word[] = {"yes"};
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    QbCandidate ab, ba, a;
    QbIds ids;
    judge(&ab, scorer, 2, "Which?", word, 1);
    assert_int_equal(
        qb_prompt_ids(&ids, model->tokenizer, &scorer->settings.ask_template, "Which?", 2), QB_OK);
    assert_true(fabs(ab.log_probability - log_probability(scorer, &ids, 2, ab.token)) < 1e-12);
    qb_ids_deinit(&ids);
    const QbImage *turned[] = {images[1], images[0]};
    assert_int_equal(qb_scorer_candidates(&ba, scorer, turned, 2, "Which?", word, 1), QB_OK);
    judge(&a, scorer, 1, "Which?", word, 1);
    assert_true(ab.log_probability != ba.log_probability);
    assert_true(ab.log_probability != a.log_probability);
    const char *answer;
    assert_int_equal(qb_scorer_ask(&answer, scorer, pictures, 3, "Which?", 5), QB_OK);
    assert_int_equal(qb_scorer_ask(&answer, scorer, pictures, 0, "Which?", 5), QB_ERR_ARG);
    qb_scorer_free(&scorer);
}

/* Questions on a picture share what was read of it: the words in front and the picture's tokens. */
static void test_the_picture_is_read_once(void **state)
{
    (void)state;
    static const char *const word[] = {"yes"};
    QbScorer *scorer = new_scorer((QbScorerOptions){0});
    QbCandidate got;
    QbMcq choice;
    QbIds ids;
    judge(&got, scorer, 1, "good", word, 1);
    int64_t rows = qb_session_rows_computed(scorer->session);
    assert_int_equal(
        qb_prompt_ids(&ids, model->tokenizer, &scorer->settings.ask_template, "poor", 1), QB_OK);
    int before = 0;
    while (ids.id[before] != QB_ID_IMAGE)
        before++;
    judge(&got, scorer, 1, "poor", word, 1);
    assert_int_equal(qb_session_rows_computed(scorer->session) - rows, ids.n - before - 1);
    rows = qb_session_rows_computed(scorer->session);
    assert_int_equal(qb_scorer_mcq(&choice, scorer, pictures, 1, "poor", options, 3), QB_OK);
    int64_t whole = qb_session_rows_computed(scorer->session) - rows;
    rows = qb_session_rows_computed(scorer->session);
    assert_int_equal(qb_scorer_mcq(&choice, scorer, pictures, 1, "poor", options, 3), QB_OK);
    assert_int_equal(qb_session_rows_computed(scorer->session) - rows, 1);
    assert_true(whole > 1);
    qb_ids_deinit(&ids);
    qb_scorer_free(&scorer);
}

/* ---- variants ------------------------------------------------------------------------------- */

static void test_a_scorer_asks_as_its_variant_says(void **state)
{
    (void)state;
    int n = 0;
    for (int i = 0; qb_variant_at(i); i++) {
        const QbVariant *v = qb_variant_at(i);
        if (!qb_variant_suits(v, "llava"))
            continue;
        QbScorer *scorer = new_scorer((QbScorerOptions){.variant = v->name, .method = "tti"});
        QbTemplate plain = qb_template_plain(v->prompt_template);
        QbIds ids;
        assert_int_equal(qb_prompt_ids(&ids, model->tokenizer, &plain, v->rate_prompt, 1), QB_OK);
        assert_int_equal(scorer->prompt.n, ids.n);
        assert_memory_equal(scorer->prompt.id, ids.id, (size_t)ids.n * sizeof *ids.id);
        assert_string_equal(qb_scorer_variant(scorer), v->name);
        assert_string_equal(qb_scorer_template(scorer), v->prompt_template);
        assert_string_equal(qb_scorer_ask_template(scorer), v->ask_template);
        assert_string_equal(qb_scorer_ask_image(scorer), v->ask_image);
        assert_string_equal(qb_scorer_ask_images(scorer), v->ask_images);
        assert_string_equal(qb_scorer_ask_join(scorer), v->ask_join);
        assert_string_equal(qb_scorer_fit(scorer), v->fit);
        assert_string_equal(qb_variant_name(i), v->name);
        assert_true(qb_variant_is_for(i, "llava") && !qb_variant_is_for(i, "compact"));
        qb_ids_deinit(&ids);
        qb_scorer_free(&scorer);
        n++;
    }
    assert_true(n >= 2);
    assert_null(qb_variant_name(-1));
    assert_false(qb_variant_is_for(100, "llava"));
}

/* The fit reaches the picture: as in a file that says it. */
static void test_the_fit_reaches_the_picture(void **state)
{
    (void)state;
    QbModel *padded = NULL;
    QbScorer *crop = new_scorer((QbScorerOptions){0}),
             *pad = new_scorer((QbScorerOptions){.fit = "pad"}), *own = NULL, *back = NULL;
    QbScore a, b, c, d;
    QbImage *oblong = tiny_image(60, 20, 9);
    assert_int_equal(tiny_open(&padded, &(TinyModel){.words = WORDS,
                                                     .context = 1000,
                                                     .key = "qboost.preprocess.fit",
                                                     .text = "pad"}),
                     QB_OK);
    QbScorerOptions wish;
    qb_scorer_options_init(&wish);
    wish.fit = "crop";
    assert_int_equal(qb_scorer_new(&own, padded, NULL), QB_OK);
    assert_int_equal(qb_scorer_new(&back, padded, &wish), QB_OK);
    assert_int_equal(qb_scorer_score_image(&a, crop, oblong), QB_OK);
    assert_int_equal(qb_scorer_score_image(&b, pad, oblong), QB_OK);
    assert_int_equal(qb_scorer_score_image(&c, own, oblong), QB_OK);
    assert_int_equal(qb_scorer_score_image(&d, back, oblong), QB_OK);
    assert_memory_not_equal(a.logit, b.logit, sizeof a.logit);
    assert_memory_equal(b.logit, c.logit, sizeof b.logit);
    assert_memory_equal(a.logit, d.logit, sizeof a.logit);
    qb_scorer_free(&crop);
    qb_scorer_free(&pad);
    qb_scorer_free(&own);
    qb_scorer_free(&back);
    qb_image_free(&oblong);
    qb_model_close(&padded);
}

/* ---- memory --------------------------------------------------------------------------------- */

static QbStatus ask_everything(void)
{
    static const char *const words[] = {"yes", "no"};
    QbScorer *scorer = NULL;
    QbCandidate odds[2];
    QbMcq choice;
    const char *answer;
    QbScorerOptions o;
    qb_scorer_options_init(&o);
    o.threads = 1;
    o.variant = "llava";
    o.method = "tti";
    QbStatus status = qb_scorer_new(&scorer, model, &o);
    (void)(status || (status = qb_scorer_candidates(odds, scorer, pictures, 2, "good", words, 2)) ||
           (status = qb_scorer_mcq(&choice, scorer, pictures, 3, "good", options, 3)) ||
           (status = qb_scorer_ask(&answer, scorer, pictures, 2, "good", 2)));
    qb_scorer_free(&scorer);
    return status;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t before = qb_mem_allocation_count();
    if (ask_everything())
        fail_msg("%s", qb_last_error());
    uint64_t count = qb_mem_allocation_count() - before;
    for (uint64_t n = 1; n <= count; n += count > 200 && n > 20 && n + 60 < count ? 7 : 1) {
        qb_mem_fail_after(n);
        QbStatus status = ask_everything();
        qb_mem_fail_after(0);
        if (status != QB_ERR_NOMEM)
            fail_msg("allocation %d of %d failed: status %d", (int)n, (int)count, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odds_of_words),
        cmocka_unit_test(test_all_tokens_sum_to_one),
        cmocka_unit_test(test_odds_of_a_score),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_number_of_options),
        cmocka_unit_test(test_a_model_without_letters),
        cmocka_unit_test(test_several_pictures),
        cmocka_unit_test(test_the_picture_is_read_once),
        cmocka_unit_test(test_a_scorer_asks_as_its_variant_says),
        cmocka_unit_test(test_the_fit_reaches_the_picture),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
