/* test_session.c: what a session computes again and what it keeps, to the bit; what it refuses;
 * that it allocates nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"
#include "base/mem.h"
#include "models/session.h"
#include "tests/unit/models/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IMG = QB_ID_IMAGE, MAX_VOCAB = 2000 };

typedef struct {
    QbModel *model;
    int n_vocab;
    QbImage *image[3];
} Fixture;

static void open_fixture(Fixture *f, const char *level, uint32_t context)
{
    assert_int_equal(qb_cpu_set_level(level), QB_OK);
    assert_int_equal(tiny_open(&f->model, &(TinyModel){.context = context}), QB_OK);
    assert_int_equal(qb_cpu_set_level("best"), QB_OK);
    f->n_vocab = f->model->arch->decoder(f->model->weights)->n_vocab;
    assert_true(f->n_vocab < MAX_VOCAB);
    for (int i = 0; i < 3; i++)
        f->image[i] = tiny_image(9 + i, 12 - i, (uint32_t)i);
}

static void close_fixture(Fixture *f)
{
    for (int i = 0; i < 3; i++)
        qb_image_free(&f->image[i]);
    qb_model_close(&f->model);
}

static QbSession *new_session(const Fixture *f, int threads)
{
    QbSession *session = NULL;
    assert_int_equal(qb_session_new(&session, f->model, &(QbSessionOptions){.threads = threads}),
                     QB_OK);
    return session;
}

/* Evaluates in session and in a fresh one: the same bits. Returns the rows that session computed.
 */
static int64_t eval_images(const Fixture *f, QbSession *session, const int32_t *ids, int n,
                           const QbImage *const *images, int n_images)
{
    static float got[MAX_VOCAB], want[MAX_VOCAB], some[3];
    int64_t before = qb_session_rows_computed(session);
    assert_int_equal(qb_session_eval(got, session, ids, n, images, n_images, NULL, 0), QB_OK);
    int64_t rows = qb_session_rows_computed(session) - before;
    QbSession *fresh = new_session(f, 2);
    assert_int_equal(qb_session_eval(want, fresh, ids, n, images, n_images, NULL, 0), QB_OK);
    if (memcmp(got, want, (size_t)f->n_vocab * sizeof *got))
        fail_msg("a session that kept rows gives other bits than a fresh one");
    const int32_t wanted[3] = {f->n_vocab - 1, 3, 40};
    assert_int_equal(qb_session_eval(some, session, ids, n, images, n_images, wanted, 3), QB_OK);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(&some[i], &want[wanted[i]], sizeof *some);
    qb_session_free(&fresh);
    return rows;
}

static int64_t eval_both(const Fixture *f, QbSession *session, const int32_t *ids, int n,
                         const QbImage *image)
{
    return eval_images(f, session, ids, n, &image, image != NULL);
}

static void check_prefixes(const char *level)
{
    Fixture f;
    open_fixture(&f, level, 64);
    QbSession *s = new_session(&f, 2);
    const int32_t one[] = {1, 10, 11, 12, IMG, 20, 21, 22, 23};
    const int32_t two[] = {1, 10, 11, 12, IMG, 20, 21, 32, 33, 34};
    const int32_t text[] = {1, 10, 11, 40, 41};
    enum { BEFORE = 4, IMAGE = TINY_IMAGE_TOKENS };
    /* everything */
    assert_int_equal(eval_both(&f, s, one, 9, f.image[0]), 8 + IMAGE);
    /* the same again: the last row, whose state is read */
    assert_int_equal(eval_both(&f, s, one, 9, f.image[0]), 1);
    /* another question about the same picture: what follows the common prefix */
    assert_int_equal(eval_both(&f, s, two, 10, f.image[0]), 3);
    /* a prefix of what is known */
    assert_int_equal(eval_both(&f, s, two, 8, f.image[0]), 1);
    /* a new picture: text in front of it stays */
    assert_int_equal(eval_both(&f, s, one, 9, f.image[1]), IMAGE + 4);
    assert_int_equal(eval_both(&f, s, two, 10, f.image[1]), 3);
    /* back to the first: only one picture is kept */
    assert_int_equal(eval_both(&f, s, two, 10, f.image[0]), IMAGE + 5);
    /* text alone, then the picture again, whose tokens are known but whose rows are gone */
    assert_int_equal(eval_both(&f, s, text, 5, NULL), 2);
    assert_int_equal(eval_both(&f, s, one, 9, f.image[0]), 1 + IMAGE + 4);
    /* a picture first and a picture last */
    const int32_t bare[] = {IMG};
    assert_int_equal(eval_both(&f, s, bare, 1, f.image[2]), IMAGE);
    const int32_t last[] = {1, 10, IMG};
    assert_int_equal(eval_both(&f, s, last, 3, f.image[2]), 2 + IMAGE);
    qb_session_free(&s);
    close_fixture(&f);
}

static void test_kept_prefixes(void **state)
{
    (void)state;
    check_prefixes("ref");
    if (qb_cpu_detect() & QB_CPU_AVX2)
        check_prefixes("avx2");
    if (qb_cpu_detect() & QB_CPU_AVX512)
        check_prefixes("avx512");
}

/* Longer than one forward pass takes: cut at other places, the same bits. */
static void test_long_prompts(void **state)
{
    (void)state;
    enum { N = 2600 };
    static int32_t ids[N];
    Fixture f;
    open_fixture(&f, "best", 3000);
    QbSession *s = new_session(&f, 2);
    for (int i = 0; i < N; i++)
        ids[i] = i == 1500 ? IMG : 3 + i * 7 % 250;
    assert_int_equal(eval_both(&f, s, ids, 700, NULL), 700);
    assert_int_equal(eval_both(&f, s, ids, N, f.image[0]), N - 1 + TINY_IMAGE_TOKENS - 700);
    qb_session_free(&s);
    close_fixture(&f);
}

static void test_threads_do_not_change_a_bit(void **state)
{
    (void)state;
    static float first[MAX_VOCAB], got[MAX_VOCAB];
    static int32_t ids[400];
    Fixture f;
    open_fixture(&f, "best", 500);
    const QbImage *one[] = {f.image[0]};
    for (int i = 0; i < 400; i++)
        ids[i] = i == 7 ? IMG : 3 + i * 11 % 250;
    for (int threads = 1; threads <= 5; threads++) {
        QbSession *s = new_session(&f, threads);
        assert_int_equal(qb_session_threads(s), threads);
        assert_int_equal(qb_session_eval(got, s, ids, 400, one, 1, NULL, 0), QB_OK);
        if (threads == 1)
            memcpy(first, got, sizeof got);
        assert_memory_equal(first, got, (size_t)f.n_vocab * sizeof *got);
        qb_session_free(&s);
    }
    close_fixture(&f);
}

static void refuse(QbSession *s, const int32_t *ids, int n, const QbImage *image, QbStatus want)
{
    float logits[1];
    const int32_t wanted[1] = {3};
    assert_int_equal(qb_session_eval(logits, s, ids, n, &image, image != NULL, wanted, 1), want);
}

static void test_refused(void **state)
{
    (void)state;
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 1);
    int32_t ids[64] = {1, 10, IMG, 20};
    assert_int_equal(eval_both(&f, s, ids, 4, f.image[0]), 3 + TINY_IMAGE_TOKENS);
    refuse(s, ids, 0, f.image[0], QB_ERR_ARG);
    refuse(s, ids, 4, NULL, QB_ERR_ARG); /* asks for a picture */
    refuse(s, (int32_t[]){1, IMG, IMG}, 3, f.image[0], QB_ERR_ARG);
    refuse(s, (int32_t[]){1, -2}, 2, f.image[0], QB_ERR_ARG);
    refuse(s, (int32_t[]){1, INT32_MIN}, 2, f.image[0], QB_ERR_ARG);
    refuse(s, (int32_t[]){1, f.n_vocab}, 2, f.image[0], QB_ERR_ARG);
    for (int i = 3; i < 64; i++)
        ids[i] = 30;
    refuse(s, ids, 64, f.image[0], QB_ERR_LIMIT);
    refuse(s, ids, 62, f.image[0], QB_ERR_LIMIT);
    /* Just full; and nothing that was refused did harm. */
    assert_int_equal(eval_both(&f, s, ids, 61, f.image[0]), 58);
    qb_session_free(&s);
    assert_null(s);
    qb_session_free(&s);
    qb_session_free(NULL);
    assert_int_equal(qb_session_new(&s, f.model, &(QbSessionOptions){.threads = 100000}),
                     QB_ERR_ARG);
    assert_null(s);
    close_fixture(&f);
}

/* Rows of the prompts below: text and pictures of TINY_IMAGE_TOKENS each. */
static void test_several_pictures(void **state)
{
    (void)state;
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 2);
    const QbImage *a = f.image[0], *b = f.image[1], *c = f.image[2];
    const int32_t pair[] = {1, 10, IMG, 11, IMG, 20, 21};
    const int32_t other[] = {1, 10, IMG, 11, IMG, 20, 22, 23};
    const int32_t three[] = {IMG, IMG, 12, IMG, 20};
    enum { IMAGE = TINY_IMAGE_TOKENS };
    assert_int_equal(eval_images(&f, s, pair, 7, (const QbImage *[]){a, b}, 2), 5 + 2 * IMAGE);
    /* the next question about the same pictures */
    assert_int_equal(eval_images(&f, s, other, 8, (const QbImage *[]){a, b}, 2), 2);
    /* swapped; the second replaced; the same twice */
    assert_int_equal(eval_images(&f, s, pair, 7, (const QbImage *[]){b, a}, 2), 3 + 2 * IMAGE);
    assert_int_equal(eval_images(&f, s, pair, 7, (const QbImage *[]){b, c}, 2), 2 + IMAGE);
    assert_int_equal(eval_images(&f, s, pair, 7, (const QbImage *[]){b, b}, 2), 2 + IMAGE);
    assert_int_equal(eval_images(&f, s, pair, 7, (const QbImage *[]){a, a}, 2), 3 + 2 * IMAGE);
    assert_int_equal(eval_images(&f, s, three, 5, (const QbImage *[]){c, a, c}, 3), 2 + 3 * IMAGE);
    assert_int_equal(eval_images(&f, s, three, 5, (const QbImage *[]){c, a, b}, 3), 1 + IMAGE);
    qb_session_free(&s);
    close_fixture(&f);
}

static bool has_encoded(QbSession *s)
{
    QbSessionTimes times;
    qb_session_take_times(&times, s);
    return times.vision_ms > 0;
}

/* None is encoded that is known, and a known one of this prompt gives its place to none. */
static void test_no_picture_is_encoded_twice(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 1);
    const QbImage *a = f.image[0], *b = f.image[1], *c = f.image[2];
    const int32_t pair[] = {1, IMG, 11, IMG, 20}, one[] = {1, IMG}, text[] = {1, 9};
    const struct {
        const QbImage *image[2];
        int n;
        bool encodes;
    } steps[] = {{{a, a}, 2, true},  {{a}, 1, false},    {{NULL}, 0, false}, {{a, b}, 2, true},
                 {{b, a}, 2, false}, {{b}, 1, false},    {{NULL}, 0, false}, {{a}, 1, false},
                 {{c, a}, 2, true},  {{c, a}, 2, false}, {{a, c}, 2, false}, {{b, c}, 2, true},
                 {{c}, 1, false},    {{b, b}, 2, false}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int n = steps[i].n;
        const int32_t *ids = n == 2 ? pair : n == 1 ? one : text;
        uint64_t before = qb_mem_allocation_count();
        assert_int_equal(
            qb_session_eval(logits, s, ids, n == 2 ? 5 : 2, steps[i].image, n, NULL, 0), QB_OK);
        assert_int_equal(has_encoded(s), steps[i].encodes);
        for (int j = 0; j < n; j++)
            assert_non_null(qb_session_image_tokens(s, steps[i].image[j]));
        if (i > 3 && !steps[i].encodes) /* there is room for two now */
            assert_true(qb_mem_allocation_count() == before);
    }
    assert_null(qb_session_image_tokens(s, a));
    qb_session_free(&s);
    close_fixture(&f);
}

static void test_wrong_numbers_of_pictures(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 1);
    const QbImage *two[] = {f.image[0], f.image[1]}, *hole[] = {f.image[0], NULL};
    const int32_t ids[] = {1, IMG, 11, IMG, 20};
    assert_int_equal(qb_session_eval(logits, s, ids, 5, two, 1, NULL, 0), QB_ERR_ARG);
    assert_int_equal(qb_session_eval(logits, s, ids, 5, NULL, 0, NULL, 0), QB_ERR_ARG);
    assert_int_equal(qb_session_eval(logits, s, ids, 5, hole, 2, NULL, 0), QB_ERR_ARG);
    assert_int_equal(qb_session_eval(logits, s, ids, 3, two, 2, NULL, 0), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), "2 pictures for a prompt with 1"));
    assert_false(has_encoded(s));
    assert_int_equal(eval_images(&f, s, ids, 5, two, 2), 3 + 2 * TINY_IMAGE_TOKENS);
    qb_session_free(&s);
    close_fixture(&f);
}

/* Room for a second picture: every allocation of the step may fail, and the step works afterwards.
 */
static void test_no_room_for_more_pictures(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbImage *large = tiny_image(300, 200, 4);
    const QbImage *two[] = {f.image[0], large};
    const int32_t ids[] = {1, IMG, 11, IMG, 20};
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        QbSession *s = new_session(&f, 1);
        eval_both(&f, s, ids, 2, f.image[0]);
        qb_mem_fail_after(n);
        QbStatus status = qb_session_eval(logits, s, ids, 5, two, 2, NULL, 0);
        qb_mem_fail_after(0);
        eval_images(&f, s, ids, 5, two, 2);
        qb_session_free(&s);
        if (!status)
            break;
        assert_int_equal(status, QB_ERR_NOMEM);
        failures++;
    }
    assert_true(failures >= 3); /* the list of slots, the tokens, the resizing */
    qb_image_free(&large);
    close_fixture(&f);
}

static void test_failing_memory(void **state)
{
    (void)state;
    Fixture f;
    open_fixture(&f, "best", 64);
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        QbSession *s = (QbSession *)1;
        qb_mem_fail_after(n);
        QbStatus status = qb_session_new(&s, f.model, &(QbSessionOptions){.threads = 1});
        qb_mem_fail_after(0);
        if (!status) {
            qb_session_free(&s);
            break;
        }
        assert_int_equal(status, QB_ERR_NOMEM);
        assert_null(s);
        failures++;
    }
    assert_true(failures >= 5);
    close_fixture(&f);
}

static void test_fits(void **state)
{
    (void)state;
    static float own[MAX_VOCAB], pad[MAX_VOCAB], crop[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbImage *wide = tiny_image(40, 20, 7);
    const QbImage *images[] = {wide};
    const int32_t ids[] = {1, IMG, 20};
    float *logits[] = {own, pad, crop};
    const QbSessionOptions options[] = {{0}, {0, QB_FIT_PAD, true}, {0, QB_FIT_CROP, true}};
    QbSession *s = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(qb_session_new(&s, f.model, i ? &options[i] : NULL), QB_OK);
        assert_int_equal(qb_session_eval(logits[i], s, ids, 3, images, 1, NULL, 0), QB_OK);
        qb_session_free(&s);
    }
    /* the file says crop */
    assert_memory_equal(own, crop, (size_t)f.n_vocab * sizeof *own);
    assert_memory_not_equal(own, pad, (size_t)f.n_vocab * sizeof *own);
    const QbSessionOptions view = {0, QB_FIT_VIEW, true}, unknown = {0, (QbFit)77, true};
    assert_int_equal(qb_session_new(&s, f.model, &view), QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "by \"view\"; a llava model can do: crop, pad"));
    assert_int_equal(qb_session_new(&s, f.model, &unknown), QB_ERR_UNSUPPORTED);
    assert_null(s);
    QbModel *compact = NULL;
    assert_int_equal(qb_model_open(&compact, NULL, NULL), QB_OK);
    assert_int_equal(qb_session_new(&s, compact, &options[1]), QB_ERR_UNSUPPORTED);
    assert_non_null(strstr(qb_last_error(), "by \"pad\"; a compact model can do: view"));
    assert_int_equal(qb_session_new(&s, compact, &view), QB_OK);
    qb_session_free(&s);
    qb_model_close(&compact);
    qb_image_free(&wide);
    close_fixture(&f);
}

/* After the first picture of a size: nothing. A smaller one needs no more than a larger one did. */
static void test_evaluating_allocates_nothing(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 2);
    const int32_t ids[] = {1, 10, 11, IMG, 20, 21};
    QbImage *large = tiny_image(100, 70, 4), *again = tiny_image(100, 70, 5),
            *small = tiny_image(20, 30, 6);
    assert_int_equal(qb_session_eval(logits, s, ids, 6, (const QbImage *[]){large}, 1, NULL, 0),
                     QB_OK);
    uint64_t before = qb_mem_allocation_count();
    for (int i = 0; i < 5; i++) {
        const QbImage *image = i % 3 == 0 ? again : i % 3 == 1 ? small : large;
        assert_int_equal(qb_session_eval(logits, s, ids, 6, &image, 1, NULL, 0), QB_OK);
        assert_int_equal(qb_session_eval(logits, s, ids, 6, &image, 1, ids, 2), QB_OK);
    }
    assert_true(qb_mem_allocation_count() == before);
    qb_image_free(&large);
    qb_image_free(&again);
    qb_image_free(&small);
    qb_session_free(&s);
    close_fixture(&f);
}

static void test_times(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    QbSessionTimes times;
    open_fixture(&f, "ref", 64);
    QbSession *s = new_session(&f, 1);
    const int32_t ids[] = {1, IMG, 20};
    const QbImage *one[] = {f.image[0]};
    assert_int_equal(qb_session_eval(logits, s, ids, 3, one, 1, NULL, 0), QB_OK);
    qb_session_take_times(&times, s);
    assert_true(times.preprocess_ms > 0 && times.vision_ms > 0 && times.prefill_ms > 0);
    assert_int_equal(qb_session_eval(logits, s, ids, 3, one, 1, NULL, 0), QB_OK);
    qb_session_take_times(&times, s); /* the picture is known */
    assert_true(times.preprocess_ms == 0 && times.vision_ms == 0 && times.prefill_ms > 0);
    qb_session_free(&s);
    close_fixture(&f);
}

/* A picture that could not be encoded is not taken for one that was. */
static void test_a_failed_picture_is_forgotten(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    Fixture f;
    open_fixture(&f, "best", 64);
    QbSession *s = new_session(&f, 1);
    const int32_t ids[] = {1, 10, IMG, 20};
    QbImage *large = tiny_image(300, 200, 4);
    assert_int_equal(eval_both(&f, s, ids, 4, f.image[0]), 3 + TINY_IMAGE_TOKENS);
    qb_mem_fail_after(1);
    assert_int_equal(qb_session_eval(logits, s, ids, 4, (const QbImage *[]){large}, 1, NULL, 0),
                     QB_ERR_NOMEM);
    qb_mem_fail_after(0);
    eval_both(&f, s, ids, 4, large);
    eval_both(&f, s, ids, 4, f.image[0]);
    qb_image_free(&large);
    qb_session_free(&s);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_prefixes),
        cmocka_unit_test(test_long_prompts),
        cmocka_unit_test(test_threads_do_not_change_a_bit),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_several_pictures),
        cmocka_unit_test(test_no_picture_is_encoded_twice),
        cmocka_unit_test(test_wrong_numbers_of_pictures),
        cmocka_unit_test(test_no_room_for_more_pictures),
        cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_evaluating_allocates_nothing),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_a_failed_picture_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
