/* test_noise_train.c: every classifier learns made-up zones and tells scenes that it has not seen;
 * the same examples give the same model for any number of threads; what a scene left out may not
 * know; refusals, stopping, and memory that runs out. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/noise/noise_examples.h"

static double share_right(const QbNoiseModel *model, const QbNoiseExamples *examples)
{
    double *told = calloc(examples->n, sizeof *told);
    size_t n_right = 0;
    assert_int_equal(qb_noise_model_predict(told, model, examples->values, examples->n), QB_OK);
    for (size_t i = 0; i < examples->n; i++)
        n_right += (told[i] > 1) == (examples->visibility[i] > 1);
    free(told);
    return (double)n_right / (double)examples->n;
}

static void test_all_learn(void **state)
{
    (void)state;
    MadeExamples learned = made_examples(400, 5, 1), others = made_examples(300, 5, 2);
    for (int c = 0; qb_noise_classifier_name(c); c++) {
        QbNoiseTrainOptions options = made_options(qb_noise_classifier_name(c));
        options.name = "made up";
        QbNoiseModel *model;
        assert_int_equal(qb_noise_train(&model, &learned.set, &options), QB_OK);
        assert_string_equal(qb_noise_model_name(model), "made up");
        assert_string_equal(qb_noise_model_classifier(model), qb_noise_classifier_name(c));
        double right = share_right(model, &others.set);
        print_message("%-10s %.3f\n", qb_noise_classifier_name(c), right);
        bool simple = !strcmp(qb_noise_classifier_name(c), "variance"); /* sees one feature */
        assert_true(right > (simple ? 0.7 : 0.85));
        qb_noise_model_close(&model);
        assert_null(model);
    }
    made_examples_free(&learned);
    made_examples_free(&others);
}

/* Predictions differ in no bit. */
static void test_threads_agree(void **state)
{
    (void)state;
    enum { N = 200 };
    MadeExamples made = made_examples(N, 4, 1);
    for (int c = 0; qb_noise_classifier_name(c); c++) {
        double told[3][N];
        for (int t = 0; t < 3; t++) {
            QbNoiseTrainOptions options = made_options(qb_noise_classifier_name(c));
            options.n_threads = t ? t : 3;
            QbNoiseModel *model;
            assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_OK);
            assert_int_equal(qb_noise_model_predict(told[t], model, made.values, N), QB_OK);
            qb_noise_model_close(&model);
        }
        assert_memory_equal(told[0], told[1], sizeof told[0]);
        assert_memory_equal(told[0], told[2], sizeof told[0]);
    }
    made_examples_free(&made);
}

static void test_cross_validation(void **state)
{
    (void)state;
    enum { N = 400, SCENES = 5 };
    MadeExamples made = made_examples(N, SCENES + 1, 1); /* the last scene has no example */
    for (int i = 0; i < N; i++)
        made.scene[i] %= SCENES;
    QbNoiseAccuracy all, scenes[SCENES + 1];
    double told[N];
    QbNoiseTrainOptions options = made_options("svr");
    assert_int_equal(qb_noise_cross_validate(&all, scenes, told, &made.set, &options), QB_OK);
    size_t n = 0, n_right = 0;
    for (int s = 0; s <= SCENES; s++)
        n += scenes[s].n;
    for (int i = 0; i < N; i++)
        n_right += (told[i] > 1) == (made.visibility[i] > 1);
    assert_int_equal(n, N);
    assert_int_equal(all.n, N);
    assert_int_equal(scenes[SCENES].n, 0);
    assert_true(all.accuracy > 0.85 && all.accuracy < 1);
    assert_true(fabs(all.accuracy - (double)n_right / N) < 1e-9);
    assert_true(fabs(all.balanced_accuracy - (1 - (all.missed + all.false_alarm) / 2)) < 1e-9);
    assert_true(all.octaves > 0.1 && all.octaves < 1);
    QbNoiseAccuracy again;
    options.n_threads = 1;
    assert_int_equal(qb_noise_cross_validate(&again, NULL, NULL, &made.set, &options), QB_OK);
    assert_memory_equal(&all, &again, sizeof all);
    made_examples_free(&made);
}

/* What is told of a scene does not change with that scene's own labels. */
static void test_left_out_is_unseen(void **state)
{
    (void)state;
    enum { N = 240, SCENES = 4 };
    MadeExamples made = made_examples(N, SCENES, 1);
    QbNoiseAccuracy all;
    double before[N], after[N];
    QbNoiseTrainOptions options = made_options("fuzzy");
    assert_int_equal(qb_noise_cross_validate(&all, NULL, before, &made.set, &options), QB_OK);
    for (int i = 0; i < N; i++)
        if (made.scene[i] == 2)
            made.visibility[i] = 1 / (made.visibility[i] + 0.1);
    assert_int_equal(qb_noise_cross_validate(&all, NULL, after, &made.set, &options), QB_OK);
    int n_changed = 0;
    for (int i = 0; i < N; i++) {
        bool same = !memcmp(&before[i], &after[i], sizeof *before);
        if (made.scene[i] == 2)
            assert_true(same);
        n_changed += !same;
    }
    assert_true(n_changed > N / 2);
    made_examples_free(&made);
}

static void refuse(const QbNoiseExamples *examples, const QbNoiseTrainOptions *options,
                   const char *text)
{
    QbNoiseModel *model;
    assert_int_equal(qb_noise_train(&model, examples, options), QB_ERR_ARG);
    assert_null(model);
    if (!strstr(qb_last_error(), text))
        fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), text);
}

static void test_refusals(void **state)
{
    (void)state;
    MadeExamples made = made_examples(40, 4, 1);
    QbNoiseTrainOptions options = made_options("svm"), unknown = made_options("oracle");
    QbNoiseTrainOptions stale = options, negative = options;
    stale.size = 8;
    negative.cost = -1;
    refuse(&made.set, &unknown, "unknown classifier \"oracle\" (fuzzy");
    refuse(&made.set, &stale, "qb_noise_train_options_init");
    refuse(&made.set, &negative, "cost -1");
    made.scene[7] = 4;
    refuse(&made.set, &options, "example 8: scene 4 of 4");
    made.scene[7] = 3;
    double kept = made.visibility[5];
    made.visibility[5] = NAN;
    refuse(&made.set, &options, "example 6: visibility nan");
    made.visibility[5] = kept;
    made.values[qb_noise_zone_feature_count() + 2] = INFINITY;
    refuse(&made.set, &options, "example 2: ");
    made.values[qb_noise_zone_feature_count() + 2] = 0;
    for (int i = 0; i < 40; i++) /* only scene 0 has noise */
        made.visibility[i] = made.scene[i] ? 0.5 : 2;
    QbNoiseAccuracy all;
    assert_int_equal(qb_noise_cross_validate(&all, NULL, NULL, &made.set, &options), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "without scene 1, 0 of 30"));
    for (int i = 0; i < 40; i++)
        made.visibility[i] = 0;
    refuse(&made.set, &options, "0 of 40 examples are noisy");
    made.set.n = 0;
    refuse(&made.set, &options, "0 of 0 examples are noisy");
    made_examples_free(&made);
}

typedef struct {
    double last;
    int n, stop_at;
} Progress;

static bool note_progress(double done, void *user)
{
    Progress *progress = user;
    assert_true(done > progress->last && done <= 1);
    progress->last = done;
    return ++progress->n != progress->stop_at;
}

static void test_progress(void **state)
{
    (void)state;
    MadeExamples made = made_examples(80, 4, 1);
    QbNoiseTrainOptions options = made_options("svm");
    Progress progress = {0};
    QbNoiseModel *model;
    QbNoiseAccuracy all;
    options.progress = note_progress;
    options.user = &progress;
    assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_OK);
    assert_true(progress.last >= 1);
    qb_noise_model_close(&model);
    progress = (Progress){0};
    assert_int_equal(qb_noise_cross_validate(&all, NULL, NULL, &made.set, &options), QB_OK);
    assert_true(fabs(progress.last - 1) < 1e-9);
    progress = (Progress){.stop_at = 5};
    assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_ERR_CANCELLED);
    assert_int_equal(progress.n, 5);
    assert_null(model);
    progress = (Progress){.stop_at = 50};
    assert_int_equal(qb_noise_cross_validate(&all, NULL, NULL, &made.set, &options),
                     QB_ERR_CANCELLED);
    made_examples_free(&made);
}

/* Costs given by the caller are not searched for. */
static void test_given_parameters(void **state)
{
    (void)state;
    MadeExamples made = made_examples(80, 4, 1);
    QbNoiseTrainOptions options = made_options("svm");
    Progress searched = {0}, given = {0};
    QbNoiseModel *model;
    options.progress = note_progress;
    options.user = &searched;
    assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_OK);
    qb_noise_model_close(&model);
    options.user = &given;
    options.cost = 2;
    options.gamma = 0.01;
    assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_OK);
    qb_noise_model_close(&model);
    assert_int_equal(given.n, 5); /* four groups, and all */
    assert_true(searched.n > given.n);
    made_examples_free(&made);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    MadeExamples made = made_examples(24, 2, 1);
    for (int c = 0; qb_noise_classifier_name(c); c++) {
        QbNoiseTrainOptions options = made_options(qb_noise_classifier_name(c));
        options.n_threads = 1;
        options.cost = 1;
        options.gamma = 0.01;
        QbNoiseModel *model;
        QbNoiseAccuracy all;
        QbStatus status = QB_ERR_NOMEM;
        for (uint64_t n = 1; status; n += 1 + n / 16) {
            qb_mem_fail_after(n);
            status = qb_noise_train(&model, &made.set, &options);
            qb_mem_fail_after(0);
            assert_true(!status == !!model && (!status || status == QB_ERR_NOMEM));
        }
        qb_noise_model_close(&model);
        status = c ? QB_OK : QB_ERR_NOMEM;
        for (uint64_t n = 1; status; n += 1 + n / 8) {
            qb_mem_fail_after(n);
            status = qb_noise_cross_validate(&all, NULL, NULL, &made.set, &options);
            qb_mem_fail_after(0);
            assert_true(!status || status == QB_ERR_NOMEM);
        }
    }
    made_examples_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_learn),        cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_cross_validation), cmocka_unit_test(test_left_out_is_unseen),
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_progress),
        cmocka_unit_test(test_given_parameters), cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, find_modules, NULL);
}
