/* test_settings.c: prompt files and every way they can be wrong; what overrides what. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "score/settings.h"
#include "score/variant.h"
#include "tests/unit/models/tiny_model.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static QbModel *model;
static char path[] = "/tmp/qboost_prompt_XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) ||
           tiny_open(&model, &(TinyModel){.key = "qboost.method", .text = "mpe"});
}

static int tear_down(void **state)
{
    (void)state;
    qb_model_close(&model);
    return unlink(path);
}

static void write_prompt(const char *text, size_t n)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, n, stream), n);
    assert_int_equal(fclose(stream), 0);
}

/* text NULL: no file. options: prompt_file is set here. */
static QbStatus settings_of(QbSettings *out, const char *text, QbScorerOptions options)
{
    options.size = sizeof options;
    if (text) {
        write_prompt(text, strlen(text));
        options.prompt_file = path;
    }
    return qb_settings_init(out, &options, model);
}

static QbSettings good(const char *text, QbScorerOptions options)
{
    QbSettings s;
    if (settings_of(&s, text, options))
        fail_msg("\"%s\": %s", text ? text : "", qb_last_error());
    return s;
}

static void assert_words(const QbSettings *s, const char *const *words, int n, int n_tones)
{
    assert_int_equal(s->tones.n_words, n);
    assert_int_equal(s->tones.n_tones, n_tones);
    for (int i = 0; i < n; i++)
        assert_string_equal(s->tones.word[i], words[i]);
}

static void test_defaults_of_the_model(void **state)
{
    (void)state;
    QbSettings s = good(NULL, (QbScorerOptions){0});
    assert_string_equal(s.method->name, "mpe");
    assert_string_equal(s.prompt, "Rate the quality of the image.");
    assert_true(s.temperature == 1);
    assert_int_equal(s.tones.n_words, 9);
    qb_settings_deinit(&s);
    s = good("", (QbScorerOptions){0}); /* a file that says nothing */
    assert_int_equal(s.tones.n_words, 9);
    qb_settings_deinit(&s);
}

static void test_a_whole_file(void **state)
{
    (void)state;
    static const char *const words[] = {"good", "high", "poor", "low"};
    QbSettings s =
        good("# comment\r\n\n \t\n  #another = x\nprompt =  How good = is it? # caf\xc3\xa9  \r\n"
             "tones=good high/poor,low\n weights\t=\t0.75 0.25\nmethod = binary\ntemperature = 2.5",
             (QbScorerOptions){0});
    assert_string_equal(s.method->name, "binary");
    assert_string_equal(s.prompt, "How good = is it? # caf\xc3\xa9");
    assert_words(&s, words, 4, 2);
    assert_true(s.tones.weight[0] == 0.75 && s.tones.weight[1] == 0.25);
    assert_true(s.temperature == 2.5);
    qb_settings_deinit(&s);
    s = good("prompt = a\nprompt = b", (QbScorerOptions){0}); /* the later line counts */
    assert_string_equal(s.prompt, "b");
    qb_settings_deinit(&s);
}

static void test_options_override_the_file(void **state)
{
    (void)state;
    static const char text[] =
        "prompt = file\ntones = fine / poor\nweights = 0.9 0.1\nmethod = tti\ntemperature = 3";
    static const char *const words[] = {"high", "medium", "low"};
    QbSettings s = good(text, (QbScorerOptions){.prompt = "mine", .temperature = 5});
    assert_string_equal(s.prompt, "mine");
    assert_true(s.temperature == 5 && s.tones.weight[0] == 0.9);
    qb_settings_deinit(&s);
    /* The weights of a file belong to the file's tones. */
    s = good(text, (QbScorerOptions){.tones = "high / medium / low"});
    assert_words(&s, words, 3, 3);
    assert_true(s.tones.weight[0] == 1 && s.tones.weight[1] == 0.5 && s.tones.weight[2] == 0);
    qb_settings_deinit(&s);
    s = good(text, (QbScorerOptions){.weights = "0.5 0.25"});
    assert_true(s.tones.weight[0] == 0.5 && s.tones.weight[1] == 0.25);
    qb_settings_deinit(&s);
    s = good(NULL, (QbScorerOptions){.method = "binary"});
    assert_true(s.temperature == 100 && s.tones.n_tones == 2);
    qb_settings_deinit(&s);
    /* A method's weights are for its own tones. */
    s = good(NULL, (QbScorerOptions){.method = "levels", .tones = "good / poor"});
    assert_true(s.tones.weight[0] == 1 && s.tones.weight[1] == 0);
    qb_settings_deinit(&s);
}

static void test_a_method_takes_the_place_of_the_file_s_words(void **state)
{
    (void)state;
    const char *file =
        "method = mpe\nprompt = Well?\ntones = a b / c\nweights = 0.5 0\ntemperature = 9\n";
    QbSettings s = good(file, (QbScorerOptions){.method = "binary"});
    assert_string_equal(s.method->name, "binary");
    assert_string_equal(s.prompt, "Well?");
    assert_words(&s, (const char *const[]){"good", "poor"}, 2, 2);
    assert_float_equal(s.tones.weight[0], 1, 0);
    assert_float_equal(s.temperature, 100, 0);
    qb_settings_deinit(&s);
}

static void test_a_byte_order_mark_and_a_locale_with_commas(void **state)
{
    (void)state;
    /* C.UTF-8 is always there; one with decimal commas only where it is installed */
    const char *before = setlocale(LC_NUMERIC, "de_DE.UTF-8");
    QbSettings s = good("\xef\xbb\xbfmethod = tti\nweights = 1 0.25 0\ntemperature = 1.5\n",
                        (QbScorerOptions){0});
    assert_float_equal(s.tones.weight[1], 0.25, 0);
    assert_float_equal(s.temperature, 1.5, 0);
    qb_settings_deinit(&s);
    if (before)
        setlocale(LC_NUMERIC, "C");
}

static void refuse(const char *text, QbScorerOptions options, QbStatus want, const char *a,
                   const char *b)
{
    QbSettings s;
    QbStatus got = settings_of(&s, text, options);
    if (got != want || !strstr(qb_last_error(), a) || !strstr(qb_last_error(), b))
        fail_msg("\"%s\": status %d, \"%s\" should tell of \"%s\" and \"%s\"", text ? text : "",
                 got, qb_last_error(), a, b);
    assert_null(s.prompt);
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line;
        const char *tell;
    } cases[] = {
        {"method = tti\n\nquestion", 3, "\"question\""},
        {"prompt =", 1, "prompt has no value"},
        {"\n= x", 2, "unknown key \"\""},
        {"colour = red", 1, "unknown key \"colour\""},
        {"Prompt = x", 1, "unknown key \"Prompt\""},
        {"#\n#\n#\nmethod = best", 4, "\"best\""},
        {"temperature = hot", 1, "\"hot\""},
        {"\r\ntemperature = 0", 2, "\"0\""},
        {"temperature = -1", 1, "\"-1\""},
        {"temperature = nan", 1, "\"nan\""},
        {"temperature = inf", 1, "\"inf\""},
        {"temperature = 1 2", 1, "\"1 2\""},
        {"prompt = x\ntones = good", 2, "one tone"},
        {"tones = good / / poor", 1, "tone 2"},
        {"tones = good / good", 1, "twice"},
        {"\ntones = a/b/c/d/e/f/g/h/i", 2, "8 tones"},
        {"tones = good / poor\nweights = 1", 2, "1 weights for 2 tones"},
        {"weights = 1 x 0\nmethod = tti", 1, "\"1 x 0\""},
        {"\n\nmethod = binary\nweights = 1 0.5 0", 4, "3 weights for 2 tones"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char where[64];
        QbSettings s;
        snprintf(where, sizeof where, "%s:%d: ", path, cases[i].line);
        QbStatus got = settings_of(&s, cases[i].text, (QbScorerOptions){0});
        if ((got != QB_ERR_FORMAT && got != QB_ERR_ARG && got != QB_ERR_LIMIT) ||
            strncmp(qb_last_error(), where, strlen(where)) ||
            !strstr(qb_last_error(), cases[i].tell))
            fail_msg("\"%s\": status %d, \"%s\" should begin with \"%s\" and tell of %s",
                     cases[i].text, got, qb_last_error(), where, cases[i].tell);
    }
}

static void test_wrong_files(void **state)
{
    (void)state;
    QbScorerOptions options = {.size = sizeof options, .prompt_file = "/tmp"};
    QbSettings s;
    assert_int_equal(qb_settings_init(&s, &options, model), QB_ERR_IO);
    options.prompt_file = "/tmp/qboost/there/is/no/such/file";
    assert_int_equal(qb_settings_init(&s, &options, model), QB_ERR_IO);
    assert_non_null(strstr(qb_last_error(), "such/file"));
    options.prompt_file = path;
    write_prompt("prompt = a\0b", 12);
    assert_int_equal(qb_settings_init(&s, &options, model), QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), path));
    char *large = malloc(70000);
    assert_non_null(large);
    memset(large, '#', 70000);
    write_prompt(large, 65537);
    assert_int_equal(qb_settings_init(&s, &options, model), QB_ERR_LIMIT);
    write_prompt(large, 65536);
    assert_int_equal(qb_settings_init(&s, &options, model), QB_OK);
    qb_settings_deinit(&s);
    free(large);
}

static void test_wrong_options(void **state)
{
    (void)state;
    refuse(NULL, (QbScorerOptions){.method = "best"}, QB_ERR_ARG, "\"best\"", "tti");
    refuse(NULL, (QbScorerOptions){.temperature = -1}, QB_ERR_ARG, "temperature", "-1");
    refuse(NULL, (QbScorerOptions){.temperature = NAN}, QB_ERR_ARG, "temperature", "nan");
    refuse(NULL, (QbScorerOptions){.temperature = INFINITY}, QB_ERR_ARG, "temperature", "inf");
    refuse(NULL, (QbScorerOptions){.tones = "good / "}, QB_ERR_ARG, "tone 2", "good");
    refuse(NULL, (QbScorerOptions){.weights = "1"}, QB_ERR_ARG, "1 weights", "3 tones");
    /* An error of the options is not put on the file. */
    QbSettings s;
    assert_int_equal(settings_of(&s, "weights = 1 0.5 0", (QbScorerOptions){.weights = "2 1 0"}),
                     QB_ERR_ARG);
    assert_null(strstr(qb_last_error(), path));
    assert_int_equal(settings_of(&s, "tones = a / b", (QbScorerOptions){.tones = "c"}), QB_ERR_ARG);
    assert_null(strstr(qb_last_error(), path));
}

/* ---- variants and fit ----------------------------------------------------------------------- */

static void assert_variant(const QbSettings *s, const char *name, const char *prompt,
                           const char *method, QbFit fit)
{
    assert_string_equal(s->variant, name);
    assert_string_equal(s->prompt, prompt);
    assert_string_equal(s->method->name, method);
    assert_int_equal(s->fit, fit);
}

static void test_a_variant_stands_for_all_parts(void **state)
{
    (void)state;
    static const char rate[] = "Rate the quality of the image.";
    const QbVariant *llava = qb_variant_find("llava");
    QbSettings s = good(NULL, (QbScorerOptions){0});
    assert_variant(&s, "", rate, "mpe", QB_FIT_CROP); /* the file's */
    assert_string_equal(s.score_template.text, "USER: <image>{prompt} ASSISTANT:");
    assert_string_equal(s.ask_template.text, s.score_template.text);
    assert_string_equal(s.mcq_layout->name, "q-instruct-llava");
    qb_settings_deinit(&s);

    s = good(NULL, (QbScorerOptions){.variant = "llava"});
    assert_variant(&s, "llava", rate, llava->method, QB_FIT_PAD);
    assert_string_equal(s.score_template.text, llava->prompt_template);
    assert_string_equal(s.score_template.image, "<image>");
    assert_string_equal(s.ask_template.text, llava->ask_template);
    assert_string_equal(s.ask_template.image, llava->ask_image);
    assert_string_equal(s.ask_template.images, llava->ask_images);
    assert_string_equal(s.ask_template.join, llava->ask_join);
    qb_settings_deinit(&s);

    s = good(NULL, (QbScorerOptions){
                       .variant = "llava", .prompt = "Sharp?", .method = "levels", .fit = "crop"});
    assert_variant(&s, "llava", "Sharp?", "levels", QB_FIT_CROP);
    assert_string_equal(s.score_template.text, llava->prompt_template);
    qb_settings_deinit(&s);
    s = good(NULL, (QbScorerOptions){.fit = "pad"});
    assert_variant(&s, "", rate, "mpe", QB_FIT_PAD);
    qb_settings_deinit(&s);
}

static void test_variants_in_files(void **state)
{
    (void)state;
    static const char text[] =
        "fit = crop\nprompt = Sharp?\nvariant = llava\nmethod = binary\ntones = fine / bad\n"
        "temperature = 3";
    QbSettings s = good(text, (QbScorerOptions){0}); /* whatever the lines' order */
    assert_variant(&s, "llava", "Sharp?", "binary", QB_FIT_CROP);
    assert_string_equal(s.tones.word[0], "fine");
    qb_settings_deinit(&s);
    s = good(text, (QbScorerOptions){.prompt = "mine", .fit = "pad"});
    assert_variant(&s, "llava", "mine", "binary", QB_FIT_PAD);
    qb_settings_deinit(&s);
    /* A variant among the options leaves nothing of the file's. */
    const QbVariant *v = qb_variant_find("llava-eval");
    s = good(text, (QbScorerOptions){.variant = "llava-eval"});
    assert_variant(&s, "llava-eval", v->rate_prompt, v->method, QB_FIT_CROP);
    assert_false(s.own_tones);
    assert_true(s.temperature == s.method->temperature);
    assert_string_equal(s.score_template.text, v->prompt_template);
    qb_settings_deinit(&s);
}

static void test_wrong_variants(void **state)
{
    (void)state;
    refuse(NULL, (QbScorerOptions){.variant = "lava"}, QB_ERR_ARG, "\"lava\"", "llava-eval");
    refuse(NULL, (QbScorerOptions){.variant = ""}, QB_ERR_ARG, "unknown variant", "llava");
    refuse(NULL, (QbScorerOptions){.variant = "q-align-eval"}, QB_ERR_ARG, "mplug_owl2",
           "there are: llava-eval, llava");
    refuse(NULL, (QbScorerOptions){.fit = "squeeze"}, QB_ERR_ARG, "\"squeeze\"", "crop, pad");
    refuse(NULL, (QbScorerOptions){.fit = "view"}, QB_ERR_ARG, "\"view\"", "crop, pad");
    refuse(NULL, (QbScorerOptions){.mcq_layout = "x"}, QB_ERR_ARG, "\"x\"", "q-bench");
    refuse("variant = lava", (QbScorerOptions){0}, QB_ERR_ARG, ":1", "\"lava\"");
    refuse("\nfit = squeeze", (QbScorerOptions){0}, QB_ERR_ARG, ":2", "\"squeeze\"");

    QbModel *compact = NULL;
    QbSettings s;
    QbScorerOptions options = {.size = sizeof options, .variant = "llava"};
    assert_int_equal(qb_model_open(&compact, NULL, NULL), QB_OK);
    assert_int_equal(qb_settings_init(&s, &options, compact), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "compact, which has none"));
    options.variant = NULL;
    options.fit = "pad";
    assert_int_equal(qb_settings_init(&s, &options, compact), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "one way only (view)"));
    options.fit = NULL;
    assert_int_equal(qb_settings_init(&s, &options, compact), QB_OK);
    assert_int_equal(s.fit, QB_FIT_VIEW);
    assert_string_equal(s.mcq_layout->name, "q-bench");
    qb_settings_deinit(&s);
    qb_model_close(&compact);
}

/* What the file says, and hostile texts in it. */
static void test_manners_of_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
        bool good;
        const char *part;
    } cases[] = {
        {"qboost.variant", "of a later version", true, ""},
        {"qboost.ask.template", "{images}{prompt}", true, ""},
        {"qboost.ask.template", "<image>{prompt}{prompt}", true, ""},
        {"qboost.ask.template", "{prompt}", false, "one {images}"},
        {"qboost.ask.template", "{images}", false, "{prompt}"},
        {"qboost.ask.template", "{images}{images}{prompt}", false, "one {images}"},
        {"qboost.ask.template", "{images}<image>{prompt}", false, "one {images}"},
        {"qboost.ask.image", "no picture", false, "one <image>"},
        {"qboost.ask.image", "<image><image>", false, "one <image>"},
        {"qboost.ask.images", "{nth}", false, "one <image>"},
        {"qboost.ask.images", "{nth}{nth}{prompt}{images}<image>", true, ""},
        {"qboost.ask.join", "<image>", false, "no <image>"},
        {"qboost.ask.join", "", true, ""},
        {"qboost.prompt.rate", " \n", false, "some words"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        QbModel *m = NULL;
        QbSettings s;
        QbScorerOptions options = {.size = sizeof options};
        QbStatus status = tiny_open(&m, &(TinyModel){.key = cases[i].key, .text = cases[i].text});
        if (status != (cases[i].good ? QB_OK : QB_ERR_FORMAT))
            fail_msg("%s = \"%s\": status %d", cases[i].key, cases[i].text, status);
        if (!cases[i].good) {
            assert_non_null(strstr(qb_last_error(), cases[i].key));
            assert_non_null(strstr(qb_last_error(), cases[i].part));
            continue;
        }
        assert_int_equal(qb_settings_init(&s, &options, m), QB_OK);
        if (!strcmp(cases[i].key, "qboost.variant"))
            assert_string_equal(s.variant, cases[i].text);
        qb_settings_deinit(&s);
        qb_model_close(&m);
    }
    char *large = malloc(65600);
    memset(large, 'x', 65599);
    large[65599] = 0;
    memcpy(large, "<image>{prompt}", 15);
    QbModel *m = NULL;
    assert_int_equal(tiny_open(&m, &(TinyModel){.key = "qboost.template", .text = large}),
                     QB_ERR_FORMAT);
    assert_non_null(strstr(qb_last_error(), "longer than"));
    free(large);
}

/* A method that a file names and nobody knows: the model's fault, not the caller's. */
static void test_a_method_of_a_later_version(void **state)
{
    (void)state;
    QbModel *m = NULL;
    QbSettings s;
    QbScorerOptions options = {.size = sizeof options};
    assert_int_equal(tiny_open(&m, &(TinyModel){.key = "qboost.method", .text = "dialogue"}),
                     QB_OK);
    assert_int_equal(qb_settings_init(&s, &options, m), QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "dialogue"));
    options.method = "tti";
    assert_int_equal(qb_settings_init(&s, &options, m), QB_OK);
    qb_settings_deinit(&s);
    qb_model_close(&m);
}

static void test_no_memory(void **state)
{
    (void)state;
    static const char text[] = "prompt = x\ntones = good / poor low\nweights = 1 0";
    QbSettings s;
    uint64_t before = qb_mem_allocation_count();
    s = good(text, (QbScorerOptions){0});
    uint64_t count = qb_mem_allocation_count() - before;
    qb_settings_deinit(&s);
    assert_true(count >= 6);
    for (uint64_t n = 1; n <= count; n++) {
        write_prompt(text, strlen(text));
        qb_mem_fail_after(n);
        QbStatus status = settings_of(&s, text, (QbScorerOptions){0});
        qb_mem_fail_after(0);
        assert_int_equal(status, QB_ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_of_the_model),
        cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_options_override_the_file),
        cmocka_unit_test(test_a_method_takes_the_place_of_the_file_s_words),
        cmocka_unit_test(test_a_byte_order_mark_and_a_locale_with_commas),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_a_variant_stands_for_all_parts),
        cmocka_unit_test(test_variants_in_files),
        cmocka_unit_test(test_wrong_variants),
        cmocka_unit_test(test_manners_of_the_file),
        cmocka_unit_test(test_a_method_of_a_later_version),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
