/* test_convert_llava.c: a tiny LLaVA-1.5 in every layout it is published in (tests/golden/llava_hf,
 * recipe there) through qb_convert, and what comes out against Hugging Face transformers, tensor by
 * named tensor, at every instruction set level. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/models/llava_golden.h"

#include <dirent.h>
#include <qboost/convert.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN "tests/golden/llava_hf/"

static json_t *expected;
static char work[64]; /* a folder for what the tests write */

static int set_up(void **state)
{
    (void)state;
    expected = golden_load(GOLDEN "expected.json");
    strcpy(work, "/tmp/qboost_test_convert_XXXXXX");
    return !mkdtemp(work);
}

static void in_work(char *out, size_t size, const char *name)
{
    assert_true(snprintf(out, size, "%s/%s", work, name) < (int)size);
}

/* What a test left behind that failed goes too. */
static int tear_down(void **state)
{
    (void)state;
    json_decref(expected);
    DIR *folder = opendir(work);
    char path[384];
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        in_work(path, sizeof path, entry->d_name);
        unlink(path);
    }
    if (folder)
        closedir(folder);
    return rmdir(work);
}

/* out_path: a new file in the work folder. */
static void convert(char *out_path, size_t size, const char *folder, const char *tower,
                    const char *type)
{
    QbConvertOptions options;
    in_work(out_path, size, "model.gguf");
    qb_convert_options_init(&options);
    options.type = type;
    options.preset = "llava";
    options.vision_tower = tower;
    options.threads = 2;
    if (qb_convert(folder, out_path, &options))
        fail_msg("%s as %s: %s", folder, type, qb_last_error());
}

/* Both sides compute in f32 and sum in different orders: up to about a hundred roundings a product,
 * some twenty products deep. */
static const double EXACT = 1e-4;
/* Matrices rounded to bf16: half of 2^-8 of a weight at most, 0.12 % of it on average. Products of
 * some hundred weights have that error too; twenty in a row add up to 0.5 %, the worst of thousands
 * of values to four times that, which is 1 % of the largest value. */
static const double ROUNDED = 1e-2;
/* Matrices and what is multiplied with them rounded to 127 steps of a block's largest. With that at
 * three deviations the rounding is step / sqrt(12) = 0.7 % of a deviation; of both, a product's
 * error is 1 %. 14 products in a row (two layers of seven) add up to sqrt(14) * 1 % = 3.7 %; the
 * worst of thousands is four times that, 15 %, which is 5 % of the largest value (three
 * deviations). */
static const double COARSE = 0.05;

static void check_file(const char *path, const char *what, double tolerance, double score_tolerance)
{
    for (int i = 0; golden_level(i); i++) {
        QbModel *m = NULL;
        assert_int_equal(qb_cpu_set_level(golden_level(i)), QB_OK);
        if (qb_model_open(&m, path, NULL))
            fail_msg("%s", qb_last_error());
        assert_string_equal(qb_model_architecture(m), "llava");
        golden_check_prompt(m, expected);
        double worst = golden_check_model(m, expected, tolerance);
        double score = golden_check_scores(m, expected, NULL, score_tolerance);
        printf("%s, %s: within %.2g of transformers, scores within %.2g\n", what, golden_level(i),
               worst, score);
        qb_model_close(&m);
    }
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

static void check(const char *folder, const char *tower, const char *type, double tolerance,
                  double score_tolerance)
{
    char path[128], what[192];
    convert(path, sizeof path, folder, tower, type);
    snprintf(what, sizeof what, "%s as %s", folder, type);
    check_file(path, what, tolerance, score_tolerance);
    unlink(path);
}

static void test_older_names(void **state)
{
    (void)state;
    check(GOLDEN "hf_old", NULL, "f16", EXACT, 1e-4);
}

static void test_newer_names(void **state)
{
    (void)state;
    check(GOLDEN "hf_new", NULL, "f16", EXACT, 1e-4);
}

static void test_original_with_tower_apart(void **state)
{
    (void)state;
    check(GOLDEN "original", GOLDEN "tower", "f16", EXACT, 1e-4);
}

static void copy_file(const char *from, const char *name)
{
    char source[256], path[128], data[1 << 16];
    assert_true(snprintf(source, sizeof source, "%s%s", from, name) < (int)sizeof source);
    in_work(path, sizeof path, name);
    FILE *in = fopen(source, "rb"), *out = fopen(path, "wb");
    assert_true(in && out);
    for (size_t n; (n = fread(data, 1, sizeof data, in)) > 0;)
        assert_int_equal(fwrite(data, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* The shards of `original`, and a third one with the tower. */
static void test_original_with_tower_inside(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {GOLDEN "original/", "pytorch_model-00001-of-00002.bin"},
        {GOLDEN "original/", "pytorch_model-00002-of-00002.bin"},
        {GOLDEN "original/", "tokenizer.model"},
        {GOLDEN "inside/", "pytorch_model-tower.bin"},
        {GOLDEN "inside/", "pytorch_model.bin.index.json"},
        {GOLDEN "inside/", "config.json"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        copy_file(files[i][0], files[i][1]);
    check(work, NULL, "f16", EXACT, 1e-4);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        in_work(path, sizeof path, files[i][1]);
        unlink(path);
    }
}

static void test_f32(void **state)
{
    (void)state;
    check(GOLDEN "hf_new", NULL, "f32", EXACT, 1e-4);
}

static void test_bf16(void **state)
{
    (void)state;
    check(GOLDEN "hf_old", NULL, "bf16", ROUNDED, 0.01);
}

static void test_q8_0(void **state)
{
    (void)state;
    check(GOLDEN "original", GOLDEN "tower", "q8_0", COARSE, 0.01);
}

static uint8_t *read_file(size_t *size, const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    uint8_t *data = malloc((size_t)info.st_size);
    assert_non_null(data);
    *size = (size_t)info.st_size;
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

/* Layouts hold the same numbers: behind the keys (which tell name and vocabulary size) the data is
 * the same to the byte, but for the rows of the vocabulary. */
static void test_layouts_agree(void **state)
{
    (void)state;
    char path[128];
    size_t sizes[2];
    uint8_t *data[2];
    static const char *const folders[] = {GOLDEN "hf_old", GOLDEN "hf_new"};
    QbConvertOptions options;
    qb_convert_options_init(&options);
    options.type = "q8_0";
    options.preset = "llava";
    options.name = "tiny";
    for (int i = 0; i < 2; i++) {
        in_work(path, sizeof path, "model.gguf");
        options.threads = 1 + i;
        assert_int_equal(qb_convert(folders[i], path, &options), QB_OK);
        data[i] = read_file(&sizes[i], path);
        unlink(path);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(data[0], data[1], sizes[0]);
    free(data[0]);
    free(data[1]);
}

static void test_tower_is_missed(void **state)
{
    (void)state;
    char path[128];
    in_work(path, sizeof path, "model.gguf");
    assert_true(qb_convert(GOLDEN "original", path, NULL) < 0);
    assert_non_null(strstr(qb_last_error(), "vision tower"));
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_names),
        cmocka_unit_test(test_newer_names),
        cmocka_unit_test(test_original_with_tower_apart),
        cmocka_unit_test(test_original_with_tower_inside),
        cmocka_unit_test(test_f32),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_q8_0),
        cmocka_unit_test(test_layouts_agree),
        cmocka_unit_test(test_tower_is_missed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
