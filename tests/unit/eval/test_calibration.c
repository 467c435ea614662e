/* test_calibration.c: calibrations written and read back to the bit, files that are refused, and
 * scores kept inside the data set's scale. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/eval/eval_test.h"

#include <jansson.h>
#include <unistd.h>

static char path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static QbCalibrationInfo sample(int n_params)
{
    QbCalibrationInfo info;
    qb_calibration_info_init(&info);
    info.dataset = "koniq \"10k\" \xc3\xa9";
    info.model = "a model";
    info.method = "mpe";
    info.n = 10073;
    info.srcc = 0.1 + 0.2;
    info.rmse = 1e-17;
    info.lowest = 1;
    info.highest = 5;
    info.lowest_score = 1.0 / 3;
    info.highest_score = 0.9;
    info.mapping =
        (QbLogistic){n_params, {4.9, 1.2, 0.1 + 0.7, 1.0 / 7, n_params == 5 ? -1e-300 : 0}};
    return info;
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int n_params = 4; n_params <= 5; n_params++) {
        QbCalibrationInfo info = sample(n_params);
        QbCalibration *calibration;
        if (qb_calibration_save(path, &info) || qb_calibration_open(&calibration, path))
            fail_msg("%s", qb_last_error());
        const QbCalibrationInfo *got = qb_calibration_info(calibration);
        assert_string_equal(got->dataset, info.dataset);
        assert_string_equal(got->model, info.model);
        assert_string_equal(got->method, info.method);
        assert_null(got->model_hash);
        assert_true(got->size == info.size && got->n == info.n && got->srcc == info.srcc);
        assert_true(isnan(got->plcc) && got->rmse == info.rmse);
        assert_true(got->lowest == 1 && got->highest == 5);
        assert_true(got->lowest_score == info.lowest_score && got->highest_score == 0.9);
        assert_int_equal(got->mapping.n_params, n_params);
        assert_memory_equal(got->mapping.b, info.mapping.b, sizeof info.mapping.b);
        qb_calibration_free(&calibration);
        assert_null(calibration);
        qb_calibration_free(&calibration);
    }
    qb_calibration_free(NULL);
}

static void test_apply(void **state)
{
    (void)state;
    QbCalibrationInfo info = sample(4);
    QbCalibration *calibration;
    info.mapping = (QbLogistic){4, {6, 0, 0.5, 0.25}};
    assert_int_equal(qb_calibration_save(path, &info), QB_OK);
    assert_int_equal(qb_calibration_open(&calibration, path), QB_OK);
    assert_true(qb_calibration_apply(calibration, 0.5) == 3);
    assert_true(fabs(qb_calibration_apply(calibration, 0.75) - 6 / (1 + exp(-1))) < 1e-15);
    assert_true(qb_calibration_apply(calibration, 1e300) == 5);
    assert_true(qb_calibration_apply(calibration, -1e300) == 1);
    assert_true(qb_calibration_apply(calibration, -0.2) == 1);
    assert_true(isnan(qb_calibration_apply(calibration, NAN)));
    qb_calibration_free(&calibration);
}

static void refuse_file(const char *text, const char *said)
{
    QbCalibration *calibration = (QbCalibration *)1;
    write_file(text);
    QbStatus status = qb_calibration_open(&calibration, path);
    if (status != QB_ERR_FORMAT || !strstr(qb_last_error(), said) ||
        strncmp(qb_last_error(), path, strlen(path)) != 0)
        fail_msg("%.80s: status %d, \"%s\"; expected \"%s\"", text, status, qb_last_error(), said);
    assert_null(calibration);
}

/* The file with another value at a key ("opinion.lowest"), or without it (NULL). */
static void refuse_with(const char *key, const char *value, const char *said)
{
    json_t *root = json_load_file(path, 0, NULL), *object = root;
    const char *dot = strchr(key, '.'), *last = dot ? dot + 1 : key;
    char first[32];
    assert_non_null(root);
    if (dot) {
        snprintf(first, sizeof first, "%.*s", (int)(dot - key), key);
        object = json_object_get(root, first);
    }
    assert_non_null(json_object_get(object, last));
    if (value)
        json_object_set_new(object, last, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(object, last);
    char *text = json_dumps(root, 0);
    refuse_file(text, said);
    free(text);
    json_decref(root);
}

static void test_refused_files(void **state)
{
    (void)state;
    static const char *const keys[] = {"dataset",
                                       "model",
                                       "model_hash",
                                       "method",
                                       "n",
                                       "srcc",
                                       "plcc",
                                       "rmse",
                                       "opinion",
                                       "opinion.lowest",
                                       "opinion.highest",
                                       "score",
                                       "score.lowest",
                                       "score.highest",
                                       "mapping",
                                       "mapping.n_params",
                                       "mapping.b"};
    static const struct {
        const char *key, *value, *said;
    } wrong[] = {
        {"schema", "\"qboost.calibration/2\"", "schema"},
        {"schema", "1", "schema"},
        {"dataset", "1", "dataset is not a text"},
        {"n", "1.5", "n is not a whole number"},
        {"n", "-1", "n is -1"},
        {"srcc", "\"1\"", "srcc is not a number"},
        {"opinion", "[1, 5]", "opinion.lowest is missing"},
        {"opinion.lowest", "null", "opinion.lowest is not a number"},
        {"opinion.lowest", "6", "opinion.lowest and opinion.highest are no range"},
        {"score.highest", "-1", "score.lowest and score.highest are no range"},
        {"mapping.n_params", "6", "mapping.n_params is 6"},
        {"mapping.n_params", "4294967300", "mapping.n_params is 4294967300"},
        {"mapping.n_params", "5", "mapping.b is not an array of 5 numbers"},
        {"mapping.n_params", "4.0", "mapping.n_params is not a whole number"},
        {"mapping.b", "[1, 2, 3, null]", "mapping.b[3] is not a number"},
        {"mapping.b", "[1, 2, 3, 0]", "mapping.b[3] is 0"},
        {"mapping.b", "{\"0\": 1}", "mapping.b is not an array"},
    };
    QbCalibrationInfo info = sample(4);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char said[64];
        snprintf(said, sizeof said, "%s is missing", keys[i]);
        assert_int_equal(qb_calibration_save(path, &info), QB_OK);
        refuse_with(keys[i], NULL, said);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(qb_calibration_save(path, &info), QB_OK);
        refuse_with(wrong[i].key, wrong[i].value, wrong[i].said);
    }
    refuse_file("", "line 1");
    refuse_file("[]", "schema");
    refuse_file("{\"schema\": \"qboost.calibration/1\", \"n\": 1, \"n\": 2}", "duplicate");
    refuse_file("{\"schema\": \"qboost.calibration/1\", \"srcc\": 1e999}", "overflow");
    QbCalibration *calibration;
    unlink(path);
    assert_int_equal(qb_calibration_open(&calibration, path), QB_ERR_IO);
}

static void test_refused_infos(void **state)
{
    (void)state;
    QbCalibrationInfo info = sample(4);
    info.mapping.b[2] = NAN;
    assert_int_equal(qb_calibration_save(path, &info), QB_ERR_ARG);
    info = sample(4);
    info.mapping.n_params = 0; /* an evaluation without a fit */
    assert_int_equal(qb_calibration_save(path, &info), QB_ERR_ARG);
    info = sample(4);
    info.highest = NAN;
    assert_int_equal(qb_calibration_save(path, &info), QB_ERR_ARG);
    info = sample(4);
    info.model = "\xff";
    assert_int_equal(qb_calibration_save(path, &info), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "UTF-8"));
    info = sample(4);
    info.size = 1;
    assert_int_equal(qb_calibration_save(path, &info), QB_ERR_ARG);
    info = sample(4);
    assert_int_equal(qb_calibration_save("no such folder/a", &info), QB_ERR_IO);
    assert_int_equal(access(path, F_OK), -1); /* nothing was left */
}

static void test_no_memory(void **state)
{
    (void)state;
    QbCalibrationInfo info = sample(5);
    QbCalibration *calibration;
    for (int saving = 1; saving >= 0; saving--) {
        uint64_t before = qb_mem_allocation_count();
        if (saving) {
            assert_int_equal(qb_calibration_save(path, &info), QB_OK);
        } else {
            assert_int_equal(qb_calibration_open(&calibration, path), QB_OK);
            qb_calibration_free(&calibration);
        }
        uint64_t all = qb_mem_allocation_count() - before;
        assert_true(all >= 2);
        for (uint64_t i = 1; i <= all; i++) {
            qb_mem_fail_after(i);
            assert_int_equal(saving ? qb_calibration_save(path, &info)
                                    : qb_calibration_open(&calibration, path),
                             QB_ERR_NOMEM);
        }
        qb_mem_fail_after(0);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_apply),
        cmocka_unit_test(test_refused_files), cmocka_unit_test(test_refused_infos),
        cmocka_unit_test(test_no_memory),
    };
    snprintf(path, sizeof path, "/tmp/qboost-calibration-%ld.json", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
