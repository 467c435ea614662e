/* test_picture_batch.c: several pictures in one forward pass give the bits that they give one by
 * one, for every architecture, at every instruction set level, for any number of threads and
 * pictures; what a session knows afterwards; what it refuses. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/mem.h"
#include "models/session.h"
#include "tests/unit/models/owl2_golden.h"
#include "tests/unit/models/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IMG = QB_ID_IMAGE, MAX_VOCAB = 2000, MAX_BATCH = 17, MAX_IDS = 2000 };

static const char *const levels[] = {"ref", "avx2", "avx512"};
static const unsigned level_flags[] = {0, QB_CPU_AVX2, QB_CPU_AVX512};

typedef struct {
    QbModel *model;
    int n_vocab, n_image_tokens;
    QbImage *image[MAX_BATCH];
    int n_images;                     /* different ones; picture i of a batch is i % n_images */
    const QbImage *at[MAX_BATCH];     /* the pictures of a batch */
    int32_t ids[MAX_IDS];             /* the prompt of all batches */
    int n_ids, n_shared, n_own;       /* rows in front of the picture, and the others */
    float want[MAX_BATCH][MAX_VOCAB]; /* a picture's logits when it is asked about alone */
} Fixture;

static QbSession *new_session(const Fixture *f, int threads)
{
    QbSession *session = NULL;
    assert_int_equal(qb_session_new(&session, f->model, &(QbSessionOptions){.threads = threads}),
                     QB_OK);
    return session;
}

/* text_before tokens, the picture, text_behind tokens. */
static void set_prompt(Fixture *f, int text_before, int text_behind)
{
    f->n_shared = text_before;
    f->n_own = f->n_image_tokens + text_behind;
    f->n_ids = text_before + 1 + text_behind;
    assert_true(f->n_ids <= MAX_IDS);
    for (int i = 0; i < f->n_ids; i++)
        f->ids[i] = i == text_before ? IMG : 3 + i * 7 % 250;
    QbSession *s = new_session(f, 1);
    for (int i = 0; i < f->n_images; i++)
        assert_int_equal(qb_session_eval(f->want[i], s, f->ids, f->n_ids, &f->at[i], 1, NULL, 0),
                         QB_OK);
    qb_session_free(&s);
}

static void begin(Fixture *f, int n_images)
{
    f->n_vocab = f->model->arch->decoder(f->model->weights)->n_vocab;
    f->n_image_tokens = f->model->arch->image_token_count(f->model->weights);
    f->n_images = n_images;
    assert_true(f->n_vocab < MAX_VOCAB);
    for (int i = 0; i < n_images; i++)
        f->image[i] = tiny_image(9 + i, 25 - i, (uint32_t)i);
    for (int i = 0; i < MAX_BATCH; i++)
        f->at[i] = f->image[i % n_images];
}

static void end(Fixture *f)
{
    for (int i = 0; i < f->n_images; i++)
        qb_image_free(&f->image[i]);
    qb_model_close(&f->model);
}

/* A llava of width 16. */
static void begin_tiny(Fixture *f, uint32_t context)
{
    assert_int_equal(tiny_open(&f->model, &(TinyModel){.context = context}), QB_OK);
    begin(f, MAX_BATCH);
}

/* Pictures first … first + n - 1 in one call: the bits of a picture alone. Returns the rows that
 * were computed. */
static int64_t check_batch(const Fixture *f, QbSession *s, int first, int n)
{
    static float got[MAX_BATCH * MAX_VOCAB], some[MAX_BATCH][3];
    int64_t before = qb_session_rows_computed(s);
    assert_true(first + n <= MAX_BATCH);
    assert_int_equal(qb_session_eval_batch(got, s, f->ids, f->n_ids, f->at + first, n, NULL, 0),
                     QB_OK);
    int64_t rows = qb_session_rows_computed(s) - before;
    const int32_t wanted[3] = {f->n_vocab - 1, 3, 40};
    assert_int_equal(
        qb_session_eval_batch(some[0], s, f->ids, f->n_ids, f->at + first, n, wanted, 3), QB_OK);
    for (int i = 0; i < n; i++) {
        const float *want = f->want[(first + i) % f->n_images];
        if (memcmp(got + i * f->n_vocab, want, (size_t)f->n_vocab * sizeof *want))
            fail_msg("%s %s, %d threads: picture %d of %d together has other bits than alone",
                     f->model->arch->name, f->model->kernels.level, qb_session_threads(s), i, n);
        for (int j = 0; j < 3; j++)
            assert_memory_equal(&some[i][j], &want[wanted[j]], sizeof *want);
    }
    return rows;
}

/* The session says what a fresh one says. Returns the rows that it computed. */
static int64_t check_single(const Fixture *f, QbSession *s, const int32_t *ids, int n_ids,
                            const QbImage *const *images, int n_images)
{
    static float got[MAX_VOCAB], want[MAX_VOCAB];
    int64_t before = qb_session_rows_computed(s);
    QbSession *fresh = new_session(f, 2);
    assert_int_equal(qb_session_eval(got, s, ids, n_ids, images, n_images, NULL, 0), QB_OK);
    assert_int_equal(qb_session_eval(want, fresh, ids, n_ids, images, n_images, NULL, 0), QB_OK);
    if (memcmp(got, want, (size_t)f->n_vocab * sizeof *got))
        fail_msg("%s %s: after a batch a session gives other bits than a fresh one",
                 f->model->arch->name, f->model->kernels.level);
    qb_session_free(&fresh);
    return qb_session_rows_computed(s) - before;
}

/* A score, another question about the same picture and text alone, after a batch of n. */
static void check_afterwards(const Fixture *f, QbSession *s, int n)
{
    int32_t other[MAX_IDS] = {0};
    memcpy(other, f->ids, (size_t)f->n_ids * sizeof *other);
    other[f->n_ids - 1] = f->ids[f->n_ids - 1] == IMG ? IMG : 44;
    for (int i = n - 1; i >= 0; i -= n > 2 ? n / 2 : 1) {
        check_batch(f, s, 0, n);
        assert_true(check_single(f, s, f->ids, f->n_ids, &f->at[i], 1) <= f->n_own);
        check_batch(f, s, 0, n);
        assert_true(check_single(f, s, other, f->n_ids, &f->at[i], 1) <= f->n_own);
    }
    if (f->n_shared > 1) {
        check_batch(f, s, 0, n);
        assert_int_equal(check_single(f, s, f->ids, f->n_shared, NULL, 0), 1);
    }
}

static void check_sizes(const Fixture *f)
{
    static const int sizes[] = {1, 2, 5, MAX_BATCH}, threads[] = {1, 3};
    for (int t = 0; t < 2; t++) {
        QbSession *s = new_session(f, threads[t]);
        for (int i = 0; i < 4; i++) {
            int64_t rows = check_batch(f, s, 0, sizes[i]);
            assert_true(rows <= f->n_shared + sizes[i] * f->n_own);
            check_afterwards(f, s, sizes[i]);
        }
        qb_session_free(&s);
    }
}

/* mmproj: of a pair, or NULL. */
static void check_levels(const char *path, const char *mmproj, int n_images)
{
    QbModelOptions options;
    qb_model_options_init(&options);
    options.mmproj = mmproj;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        Fixture f = {0};
        if (level_flags[i] & ~qb_cpu_detect())
            continue;
        assert_int_equal(qb_cpu_set_level(levels[i]), QB_OK);
        assert_int_equal(qb_model_open(&f.model, path, &options), QB_OK);
        begin(&f, n_images);
        set_prompt(&f, 2, 1);
        check_sizes(&f);
        end(&f);
    }
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
}

static void test_llava(void **state)
{
    (void)state;
    check_levels("tests/golden/llava/model.gguf", NULL, MAX_BATCH);
}

/* Activations are quantised row by row. */
static void test_quantised_weights(void **state)
{
    (void)state;
    check_levels("tests/golden/llava_pair/q8_0.gguf", "tests/golden/llava_pair/mmproj-small.gguf",
                 5);
    check_levels("tests/golden/llava_pair/q4_k_m.gguf", "tests/golden/llava_pair/mmproj-wide.gguf",
                 5);
}

static void test_mplug_owl2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"tiny", "f32"}, {"tiny", "bf16"}, {"odd", "f16"}};
    char path[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        owl2_convert(path, cases[i][0], cases[i][1]);
        check_levels(path, NULL, 5);
        unlink(path);
    }
}

static void test_compact(void **state)
{
    (void)state;
    check_levels(NULL, NULL, 2);
}

/* Of how many pictures the tokens are kept: as many as the largest group so far had. */
static int kept_pictures(const Fixture *f, const QbSession *s)
{
    int kept = 0;
    for (int i = 0; i < f->n_images; i++)
        kept += qb_session_image_tokens(s, f->image[i]) != NULL;
    return kept;
}

/* The text in front stands once, and every other row is computed once; groups are as large as the
 * context lets them be. */
static void test_groups(void **state)
{
    (void)state;
    static const struct {
        uint32_t context;
        int before, behind, n, largest;
    } cases[] = {{64, 4, 6, 6, 6}, /* 4 + 6 * 10: just full */
                 {63, 4, 6, 6, 5},
                 {64, 4, 6, 7, 6},
                 {200, 4, 6, 17, 17},
                 {64, 0, 60, 3, 1},  /* one fills the context */
                 {64, 0, 28, 5, 2},  /* a picture first */
                 {64, 8, 0, 17, 14}, /* a picture last */
                 {64, 0, 0, 17, 16}, /* pictures alone */
                 /* 1024 rows a pass: while the text in front is not known, one picture */
                 {2000, 900, 110, 4, 3},
                 {3000, 1500, 100, 5, 4}};
    static float logits[MAX_BATCH];
    const int32_t wanted[] = {3};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Fixture f = {0};
        begin_tiny(&f, cases[i].context);
        set_prompt(&f, cases[i].before, cases[i].behind);
        QbSession *s = new_session(&f, 2);
        int n = cases[i].n;
        assert_int_equal(qb_session_eval_batch(logits, s, f.ids, f.n_ids, f.at, n, wanted, 1),
                         QB_OK);
        assert_int_equal(qb_session_rows_computed(s), f.n_shared + n * f.n_own);
        assert_int_equal(kept_pictures(&f, s), cases[i].largest);
        check_batch(&f, s, 0, n);
        check_afterwards(&f, s, n < 5 ? n : 5);
        qb_session_free(&s);
        end(&f);
    }
}

/* What is known of the first picture is not computed again, and of a group the first one stays. */
static void test_what_is_kept(void **state)
{
    (void)state;
    Fixture f = {0};
    begin_tiny(&f, 200);
    set_prompt(&f, 5, 6);
    QbSession *s = new_session(&f, 2);
    const QbImage *b[] = {f.at[1]};
    float logits[MAX_VOCAB];
    assert_int_equal(check_single(&f, s, f.ids, f.n_ids, b, 1), 5 + f.n_own);
    assert_int_equal(qb_session_rows_computed(s), 5 + f.n_own);
    int64_t before = qb_session_rows_computed(s);
    assert_int_equal(qb_session_eval_batch(logits, s, f.ids, f.n_ids, f.at + 1, 3, f.ids, 1),
                     QB_OK);
    assert_int_equal(qb_session_rows_computed(s) - before, 1 + 2 * f.n_own);
    assert_int_equal(check_single(&f, s, f.ids, f.n_ids, b, 1), 1);
    /* another in front: text stays */
    before = qb_session_rows_computed(s);
    assert_int_equal(qb_session_eval_batch(logits, s, f.ids, f.n_ids, f.at + 2, 3, f.ids, 1),
                     QB_OK);
    assert_int_equal(qb_session_rows_computed(s) - before, 3 * f.n_own);
    /* a longer prompt, whose rows a batch then overwrites */
    int32_t longer[MAX_IDS] = {0};
    memcpy(longer, f.ids, (size_t)f.n_ids * sizeof *longer);
    for (int i = 0; i < 30; i++)
        longer[f.n_ids + i] = 50 + i;
    check_single(&f, s, longer, f.n_ids + 30, b, 1);
    check_batch(&f, s, 1, 4);
    assert_int_equal(check_single(&f, s, longer, f.n_ids + 30, b, 1), 30);
    /* the same picture three times */
    const QbImage *same[] = {f.at[4], f.at[4], f.at[4]};
    static float got[3 * MAX_VOCAB];
    assert_int_equal(qb_session_eval_batch(got, s, f.ids, f.n_ids, same, 3, NULL, 0), QB_OK);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(got + i * f.n_vocab, f.want[4], (size_t)f.n_vocab * sizeof *got);
    qb_session_free(&s);
    end(&f);
}

static void test_refused(void **state)
{
    (void)state;
    Fixture f = {0};
    begin_tiny(&f, 64);
    set_prompt(&f, 4, 6);
    QbSession *s = new_session(&f, 1);
    float logits[MAX_BATCH];
    const int32_t wanted[] = {3};
    check_batch(&f, s, 0, 3);
    const struct {
        int32_t ids[70];
        int n_ids, n_batch;
        QbStatus want;
    } cases[] = {{{1, IMG, 5}, 3, 0, QB_ERR_ARG},  {{1, IMG, 5}, 3, -1, QB_ERR_ARG},
                 {{1, 5}, 2, 2, QB_ERR_ARG},       {{1, IMG, IMG}, 3, 2, QB_ERR_ARG},
                 {{1, IMG, -2}, 3, 2, QB_ERR_ARG}, {{1, IMG, MAX_VOCAB}, 3, 2, QB_ERR_ARG},
                 {{0}, 0, 2, QB_ERR_ARG},          {{IMG}, 62, 2, QB_ERR_LIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(qb_session_eval_batch(logits, s, cases[i].ids, cases[i].n_ids, f.at,
                                               cases[i].n_batch, wanted, 1),
                         cases[i].want);
    const QbImage *hole[] = {f.at[0], f.at[1], NULL};
    assert_int_equal(qb_session_eval_batch(logits, s, f.ids, f.n_ids, hole, 3, wanted, 1),
                     QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "picture 3 of 3"));
    check_batch(&f, s, 0, 7);
    qb_session_free(&s);
    end(&f);
}

/* Every allocation of a call may fail; the next call is right. */
static void test_failing_memory(void **state)
{
    (void)state;
    static float logits[MAX_BATCH];
    const int32_t wanted[] = {3};
    Fixture f = {0};
    begin_tiny(&f, 64);
    set_prompt(&f, 4, 6);
    QbImage *large = tiny_image(300, 200, 4);
    f.at[6] = large; /* of the second group */
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        QbSession *s = new_session(&f, 1);
        qb_mem_fail_after(n);
        QbStatus status = qb_session_eval_batch(logits, s, f.ids, f.n_ids, f.at, 8, wanted, 1);
        qb_mem_fail_after(0);
        check_batch(&f, s, 0, 6);
        qb_session_free(&s);
        if (!status)
            break;
        assert_int_equal(status, QB_ERR_NOMEM);
        failures++;
    }
    assert_true(failures >= 12); /* five more slots and resizing, twice */
    qb_image_free(&large);
    end(&f);
}

static void test_evaluating_allocates_nothing(void **state)
{
    (void)state;
    Fixture f = {0};
    begin_tiny(&f, 64);
    set_prompt(&f, 4, 6);
    QbSession *s = new_session(&f, 2);
    check_batch(&f, s, 0, MAX_BATCH);
    uint64_t before = qb_mem_allocation_count();
    for (int i = 0; i < 5; i++)
        check_batch(&f, s, i, MAX_BATCH - 2 * i);
    assert_true(qb_mem_allocation_count() == before);
    qb_session_free(&s);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_evaluating_allocates_nothing),
        cmocka_unit_test(test_llava),
        cmocka_unit_test(test_quantised_weights),
        cmocka_unit_test(test_mplug_owl2),
        cmocka_unit_test(test_compact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
