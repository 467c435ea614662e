/* test_noise_model.c: models out of files tell what they told before, the one inside the library
 * judges pictures, and damaged files, other features and senseless numbers are refused. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"
#include "noise/noise_model.h"
#include "tests/unit/noise/noise_examples.h"
#include "tests/unit/weights/gguf_build.h"

enum { N = 160, MAX_FEATURES = 256 };

static char path[64];
static MadeExamples made;

static int set_up(void **state)
{
    made = made_examples(N, 4, 1);
    snprintf(path, sizeof path, "/tmp/test_noise_model.%ld.gguf", (long)getpid());
    return find_modules(state);
}

static int tear_down(void **state)
{
    (void)state;
    made_examples_free(&made);
    unlink(path);
    return 0;
}

static QbNoiseModel *trained(const char *classifier)
{
    QbNoiseTrainOptions options = made_options(classifier);
    options.name = "made up";
    options.cost = 4;
    options.gamma = 0.01;
    QbNoiseModel *model;
    assert_int_equal(qb_noise_train(&model, &made.set, &options), QB_OK);
    return model;
}

static void test_saved_and_opened(void **state)
{
    (void)state;
    for (int c = 0; qb_noise_classifier_name(c); c++) {
        double before[N], after[N];
        QbNoiseModel *model = trained(qb_noise_classifier_name(c)), *opened;
        assert_int_equal(qb_noise_model_predict(before, model, made.values, N), QB_OK);
        assert_int_equal(qb_noise_model_save(model, path), QB_OK);
        qb_noise_model_close(&model);
        assert_int_equal(qb_noise_model_open(&opened, path), QB_OK);
        assert_string_equal(qb_noise_model_name(opened), "made up");
        assert_string_equal(qb_noise_model_classifier(opened), qb_noise_classifier_name(c));
        assert_int_equal(qb_noise_model_predict(after, opened, made.values, N), QB_OK);
        assert_memory_equal(before, after, sizeof before);
        made.values[3] = NAN;
        assert_int_equal(qb_noise_model_predict(after, opened, made.values, N), QB_ERR_ARG);
        made.values[3] = 0;
        qb_noise_model_close(&opened);
    }
    QbNoiseModel *model = trained("variance");
    assert_int_equal(qb_noise_model_save(model, "/nowhere/at/all.gguf"), QB_ERR_IO);
    qb_noise_model_close(&model);
}

/* Greys of a slope, and noise of so many grey levels. */
static QbImage *slope_with_noise(double noise)
{
    enum { SIDE = 192 };
    QbImage *image;
    QbRandom random;
    qb_random_seed(&random, 1);
    assert_int_equal(qb_image_new(&image, SIDE, SIDE, "rgb"), QB_OK);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double v = 70 + 0.5 * (i % SIDE) + noise * made_gaussian(&random);
        memset(image->pixels + (ptrdiff_t)i * 3, (int)(v < 0 ? 0 : v > 255 ? 255 : v), 3);
    }
    return image;
}

static void test_embedded_judges(void **state)
{
    (void)state;
    static const double noises[] = {0, 2, 4, 8};
    QbNoiseModel *model;
    assert_int_equal(qb_noise_model_open(&model, NULL), QB_OK);
    double last = 0;
    for (int k = 0; k < 4; k++) {
        QbNoiseReport report, again;
        QbImage *image = slope_with_noise(noises[k]);
        QbNoiseGrid grid = {4, 4};
        assert_int_equal(qb_noise_judge(&report, model, image, grid, 1), QB_OK);
        assert_int_equal(qb_noise_judge(&again, model, image, grid, 3), QB_OK);
        assert_memory_equal(&report, &again, sizeof report);
        assert_true(report.visibility > last);
        last = report.visibility;
        assert_true(k > 0 || (report.visibility < 1 && report.noise <= 0));
        assert_true(k < 2 || (report.noisy_share >= 1 && report.noise > 0));
        assert_int_equal(qb_noise_judge(&report, model, image, (QbNoiseGrid){13, 1}, 1),
                         QB_ERR_ARG);
        qb_image_free(&image);
    }
    qb_noise_model_close(&model);
    qb_noise_model_close(&model);
    qb_noise_model_close(NULL);
}

static QbStatus open_bytes(const void *data, size_t size)
{
    QbGguf *gguf;
    QbNoiseModel *model = NULL;
    QbStatus status = qb_gguf_open_memory(&gguf, data, size, "damaged");
    if (!status) {
        status = qb_noise_model_read(&model, gguf);
        qb_gguf_close(&gguf);
        assert_true(!status == !!model);
    }
    double told;
    if (model && qb_noise_model_predict(&told, model, made.values, 1) == QB_OK)
        assert_true(told >= 0 && told <= exp2(QB_NOISE_MAX_OCTAVES));
    qb_noise_model_close(&model);
    return status;
}

/* Whatever a flipped bit does to it, a model tells a number or is refused. */
static void test_damaged(void **state)
{
    (void)state;
    static const char *const kinds[] = {"fuzzy", "committee", "variance"};
    for (int k = 0; k < 3; k++) {
        QbNoiseModel *model = trained(kinds[k]);
        assert_int_equal(qb_noise_model_save(model, path), QB_OK);
        qb_noise_model_close(&model);
        uint8_t *data;
        size_t size;
        assert_int_equal(qb_file_read(&data, &size, path, 1 << 24), QB_OK);
        assert_int_equal(open_bytes(data, size), QB_OK);
        QbRandom random;
        qb_random_seed(&random, 1);
        for (int i = 0; i < 1500; i++) {
            size_t limit = i % 2 && size > 3000 ? 3000 : size; /* most of the keys, or anything */
            size_t at = qb_random_below(&random, (uint32_t)limit);
            uint8_t kept = data[at];
            data[at] = (uint8_t)(kept ^ 1 << qb_random_below(&random, 8));
            open_bytes(data, size);
            data[at] = kept;
        }
        for (size_t cut = 0; cut + 32 < size; cut += 1 + size / 300) /* the end may be padding */
            assert_int_not_equal(open_bytes(data, cut), QB_OK);
        qb_free(data);
    }
}

/* A small model by hand; what: what is wrong with it. */
enum Fault {
    NOTHING,
    ARCHITECTURE,
    CLASSIFIER,
    REVISION,
    FEATURE,
    COUNT,
    SHAPE,
    SLOPE,
    MISSING,
    INFINITE
};

/* *out_size bytes: the caller's, free. */
static uint8_t *made_file(size_t *out_size, enum Fault fault)
{
    static float ones[MAX_FEATURES];
    const char *names[MAX_FEATURES];
    int n = qb_noise_zone_feature_count();
    for (int i = 0; i < n; i++) {
        names[i] = qb_noise_zone_feature_name(i);
        ones[i] = 1;
    }
    if (fault == FEATURE)
        names[5] = "the weather";
    GgufBuild b;
    gguf_build_init(&b);
    gguf_build_string(&b, "general.architecture", fault == ARCHITECTURE ? "llama" : "qboost-noise");
    gguf_build_string(&b, "qboost-noise.classifier", fault == CLASSIFIER ? "oracle" : "variance");
    gguf_build_f32(&b, "qboost-noise.slope", fault == SLOPE ? -1 : 2);
    gguf_build_f32(&b, "qboost-noise.offset", -0.5f);
    gguf_build_u32(&b, "qboost-noise.features_revision", fault == REVISION ? 99 : 1);
    gguf_build_strings(&b, "qboost-noise.features", names, (size_t)(fault == COUNT ? n - 1 : n));
    float threshold = fault == INFINITE ? INFINITY : 0.5f;
    gguf_build_tensor(&b, "features.mean", QB_TYPE_F32, 2, (int64_t[]){n, 1}, ones);
    gguf_build_tensor(&b, "features.scale", QB_TYPE_F32, 2,
                      (int64_t[]){fault == SHAPE ? n - 1 : n, 1}, ones);
    if (fault != MISSING)
        gguf_build_tensor(&b, "variance.threshold", QB_TYPE_F32, 2, (int64_t[]){1, 1}, &threshold);
    return gguf_build_finish(&b, out_size);
}

static QbStatus open_made(enum Fault fault)
{
    size_t size;
    uint8_t *bytes = made_file(&size, fault);
    QbStatus status = open_bytes(bytes, size);
    free(bytes);
    return status;
}

/* Standardised with mean 1 and scale 1, threshold 0.5: 2^(2 (value - 1.5) - 0.5). */
static void test_by_hand(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = made_file(&size, NOTHING);
    QbGguf *gguf;
    QbNoiseModel *model;
    float values[MAX_FEATURES] = {0};
    double told;
    assert_int_equal(qb_gguf_open_memory(&gguf, bytes, size, "made"), QB_OK);
    assert_int_equal(qb_noise_model_read(&model, gguf), QB_OK);
    qb_gguf_close(&gguf);
    free(bytes);
    int at = 0;
    while (strcmp(qb_noise_zone_feature_name(at), "variance8_mean"))
        at++;
    static const struct {
        float value;
        double octaves;
    } cases[] = {{1.5f, -0.5}, {2.5f, 1.5}, {0, -3.5}, {-50, -QB_NOISE_MAX_OCTAVES}, {50, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        values[at] = cases[i].value;
        assert_int_equal(qb_noise_model_predict(&told, model, values, 1), QB_OK);
        assert_true(fabs(log2(told) - cases[i].octaves) < 1e-6);
    }
    qb_noise_model_close(&model);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        enum Fault fault;
        QbStatus status;
        const char *text;
    } cases[] = {
        {ARCHITECTURE, QB_ERR_UNSUPPORTED, "architecture \"llama\""},
        {CLASSIFIER, QB_ERR_UNSUPPORTED, "unknown classifier \"oracle\""},
        {REVISION, QB_ERR_UNSUPPORTED, "of revision 99"},
        {FEATURE, QB_ERR_UNSUPPORTED, "feature 6 is \"the weather\""},
        {COUNT, QB_ERR_UNSUPPORTED, "was trained on"},
        {SHAPE, QB_ERR_FORMAT, "tensor features.scale has 1 rows of"},
        {SLOPE, QB_ERR_FORMAT, "slope is -1"},
        {MISSING, QB_ERR_FORMAT, "tensor variance.threshold is missing"},
        {INFINITE, QB_ERR_FORMAT, "not finite"},
    };
    assert_int_equal(open_made(NOTHING), QB_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(open_made(cases[i].fault), cases[i].status);
        if (!strstr(qb_last_error(), cases[i].text))
            fail_msg("\"%s\" does not say \"%s\"", qb_last_error(), cases[i].text);
    }
    QbNoiseModel *model;
    assert_int_equal(qb_noise_model_open(&model, "models/qboost-compact-v0.gguf"),
                     QB_ERR_UNSUPPORTED);
    assert_int_equal(qb_noise_model_open(&model, "nowhere.gguf"), QB_ERR_IO);
    assert_null(model);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    QbImage *image = slope_with_noise(5);
    QbStatus status = QB_ERR_NOMEM;
    for (uint64_t n = 1; status; n += n < 60 ? 1 : n / 8) {
        QbNoiseModel *model;
        QbNoiseReport report;
        qb_mem_fail_after(n);
        if (!(status = qb_noise_model_open(&model, NULL)) &&
            !(status = qb_noise_judge(&report, model, image, (QbNoiseGrid){1, 1}, 1)))
            status = qb_noise_model_save(model, path);
        qb_mem_fail_after(0);
        assert_true(!status || status == QB_ERR_NOMEM);
        qb_noise_model_close(&model);
    }
    qb_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saved_and_opened), cmocka_unit_test(test_embedded_judges),
        cmocka_unit_test(test_damaged),          cmocka_unit_test(test_refused),
        cmocka_unit_test(test_by_hand),          cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
