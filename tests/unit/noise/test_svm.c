/* test_svm.c: support vector machines trained through the module and used by our own code decide as
 * libsvm itself does, which is opened here directly; examples of one kind; no module. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/svm.h"
#include "tests/unit/noise/noise_examples.h"

#include <dlfcn.h>
#include <libsvm/svm.h>

enum { N = 240, WIDTH = 6 };

static struct svm_model *(*libsvm_train)(const struct svm_problem *, const struct svm_parameter *);
static double (*libsvm_values)(const struct svm_model *, const struct svm_node *, double *);
static void (*libsvm_free)(struct svm_model **);
static void (*libsvm_print)(void (*)(const char *));

static float x[N][WIDTH];
static double octaves[N];

static void say_nothing(const char *text)
{
    (void)text;
}

static int find_libsvm(void **state)
{
    find_modules(state);
    void *library = dlopen("libsvm.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library) {
        *(void **)&libsvm_train = dlsym(library, "svm_train");
        *(void **)&libsvm_values = dlsym(library, "svm_predict_values");
        *(void **)&libsvm_free = dlsym(library, "svm_free_and_destroy_model");
        *(void **)&libsvm_print = dlsym(library, "svm_set_print_string_function");
    }
    QbRandom random;
    qb_random_seed(&random, 5);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < WIDTH; k++)
            x[i][k] = (float)made_gaussian(&random);
        octaves[i] = (double)(x[i][0] * x[i][1] + x[i][2]) + 0.3 * made_gaussian(&random);
    }
    return 0;
}

static QbNoiseRows rows(void)
{
    return (QbNoiseRows){.x = x[0], .octaves = octaves, .n = N, .width = WIDTH};
}

static void to_nodes(struct svm_node *nodes, const float *values, int width)
{
    for (int k = 0; k < width; k++)
        nodes[k] = (struct svm_node){k + 1, (double)values[k]};
    nodes[width].index = -1;
}

/* The sign of libsvm's decision depends on which class came first. */
static void compare(bool regression, int first, int width)
{
    static struct svm_node nodes[N][WIDTH + 1], *pointers[N];
    double labels[N], n_noisy = 0;
    for (int i = 0; i < N; i++) {
        to_nodes(nodes[i], x[i] + first, width);
        pointers[i] = nodes[i];
        labels[i] = regression ? octaves[i] : octaves[i] > 0 ? 1 : -1;
        n_noisy += octaves[i] > 0;
    }
    int classes[] = {-1, 1};
    double weights[] = {0.5 * N / (N - n_noisy), 0.5 * N / n_noisy};
    struct svm_problem problem = {N, labels, pointers};
    struct svm_parameter how = {.svm_type = regression ? EPSILON_SVR : C_SVC,
                                .kernel_type = RBF,
                                .gamma = 0.2,
                                .C = 5,
                                .p = 0.1,
                                .eps = 1e-3,
                                .cache_size = 10,
                                .shrinking = 1,
                                .nr_weight = regression ? 0 : 2,
                                .weight_label = classes,
                                .weight = weights};
    libsvm_print(say_nothing);
    struct svm_model *theirs = libsvm_train(&problem, &how);
    QbSvm ours;
    QbNoiseRows all = rows();
    QbSvmProblem settings = {.regression = regression, .cost = 5, .gamma = 0.2, .epsilon = 0.1};
    assert_int_equal(qb_svm_train(&ours, &all, first, width, &settings), QB_OK);
    assert_int_equal(ours.n, theirs->l);
    assert_int_equal(ours.width, width);
    double turn = !regression && theirs->label[0] < 0 ? -1 : 1, most = 0;
    for (int i = 0; i < N; i++) {
        double expected;
        libsvm_values(theirs, nodes[i], &expected);
        double off = fabs(qb_svm_decide(&ours, x[i] + first) - turn * expected);
        most = off > most ? off : most;
        assert_true(off < 1e-4); /* weights, vectors and rho are floats here */
    }
    print_message("%lld support vectors, decisions within %.1e\n", (long long)ours.n, most);
    libsvm_free(&theirs);
    qb_svm_deinit(&ours);
}

static void test_as_libsvm(void **state)
{
    (void)state;
    if (!libsvm_train) {
        print_message("libsvm.so.3 cannot be opened\n");
        skip();
    }
    compare(false, 0, WIDTH);
    compare(true, 0, WIDTH);
    compare(false, 2, 3);
    octaves[0] = -octaves[0]; /* the other class comes first */
    octaves[0] += octaves[0] < 0 ? -1 : 1;
    compare(false, 0, WIDTH);
}

static void test_one_kind(void **state)
{
    (void)state;
    double all_noisy[N];
    QbNoiseRows some = rows();
    some.octaves = all_noisy;
    for (int kind = -1; kind <= 1; kind += 2) {
        for (int i = 0; i < N; i++)
            all_noisy[i] = kind;
        QbSvm svm;
        QbSvmProblem settings = {.cost = 5, .gamma = 0.2};
        assert_int_equal(qb_svm_train(&svm, &some, 0, WIDTH, &settings), QB_OK);
        assert_true(kind * qb_svm_decide(&svm, x[3]) > 0);
        qb_svm_deinit(&svm);
    }
}

static void test_wrong_settings(void **state)
{
    (void)state;
    QbSvm svm;
    QbNoiseRows all = rows();
    QbSvmProblem settings = {.cost = -1, .gamma = 0.2};
    assert_int_equal(qb_svm_train(&svm, &all, 0, WIDTH, &settings), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "C <= 0"));
    assert_null(svm.vectors);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    QbNoiseRows all = rows();
    QbSvmProblem settings = {.cost = 5, .gamma = 0.2};
    QbStatus status = QB_ERR_NOMEM;
    int n = 0;
    while (status) {
        QbSvm svm;
        qb_mem_fail_after((uint64_t)++n);
        status = qb_svm_train(&svm, &all, 0, WIDTH, &settings);
        qb_mem_fail_after(0);
        qb_svm_deinit(&svm);
        assert_true(!status || status == QB_ERR_NOMEM);
    }
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_libsvm),
        cmocka_unit_test(test_one_kind),
        cmocka_unit_test(test_wrong_settings),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, find_libsvm, NULL);
}
