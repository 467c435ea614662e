/* test_sample_frames.c: which frames are taken. The lists are what Python makes of the evaluation
 * scripts' [int(fps * i) for i in range(int(n / fps))]; the rest holds what the sampler says of
 * itself against a search over all lengths. */
// SPDX-License-Identifier: Apache-2.0
#include "video/sample_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static QbSampler sampler_for(QbSampling sampling, double value, double fps, int64_t n_frames)
{
    QbSampler sampler;
    QbVideoOptions options;
    qb_video_options_init(&options);
    options.sampling = sampling;
    if (sampling == QB_SAMPLE_RATE)
        options.rate = value;
    else if (sampling == QB_SAMPLE_COUNT)
        options.count = (int64_t)value;
    else
        options.every = (int64_t)value;
    qb_sampler_init(&sampler, &options, fps, n_frames);
    return sampler;
}

/* ---- by rate --------------------------------------------------------------------------------- */

typedef struct RateCase {
    double fps, rate;
    int64_t n_frames;
    int n;
    int64_t indices[16];
} RateCase;

static const RateCase rate_cases[] = {
    {30000.0 / 1001, 1, 300, 10, {0, 29, 59, 89, 119, 149, 179, 209, 239, 269}},
    {24000.0 / 1001, 1, 240, 10, {0, 23, 47, 71, 95, 119, 143, 167, 191, 215}},
    {25, 1, 240, 9, {0, 25, 50, 75, 100, 125, 150, 175, 200}},
    {30000.0 / 1001, 2, 150, 10, {0, 14, 29, 44, 59, 74, 89, 104, 119, 134}},
    {30000.0 / 1001, 0.5, 300, 5, {0, 59, 119, 179, 239}},
    {12.5, 1, 50, 4, {0, 12, 25, 37}},
    {14.985, 3, 45, 9, {0, 4, 9, 14, 19, 24, 29, 34, 39}},
    {30, 1, 15, 1, {0}}, /* half a second */
    {30, 1, 29, 1, {0}},
    {30, 1, 30, 1, {0}},
    {30, 1, 60, 2, {0, 30}},
    {30, 1, 1, 1, {0}},
    {24, 50, 4, 4, {0, 1, 2, 3}}, /* above the video's own rate */
    {30, 1e-9, 1000, 1, {0}},
    {30, 1e-310, 1000, 1, {0}}, /* fps / rate is infinite */
    {1e9, 1, 1000, 1, {0}},     /* a rate that is none, as of some broken headers */
};

static void test_rate(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof rate_cases / sizeof rate_cases[0]; c++) {
        const RateCase *want = &rate_cases[c];
        QbSampler s = sampler_for(QB_SAMPLE_RATE, want->rate, want->fps, 0);
        assert_int_equal(qb_sampler_total(&s, want->n_frames), want->n);
        for (int i = 0; i < want->n; i++)
            if (qb_sampler_index(&s, i) != want->indices[i])
                fail_msg("%g fps, rate %g, frame %d: index %lld, not %lld", want->fps, want->rate,
                         i, (long long)qb_sampler_index(&s, i), (long long)want->indices[i]);
    }
}

/* needs(i) is the shortest length whose total includes i, and it never asks for more than the next
 * frame that is taken. */
static void test_needs_is_what_total_says(void **state)
{
    (void)state;
    const double fps[] = {
        30000.0 / 1001, 24000.0 / 1001, 60000.0 / 1001, 25, 29.97, 23.976, 15, 12.5, 1, 0.3,
        119.88,         1000.0 / 33,    10.0 / 3,       7,  59.94};
    const double rates[] = {1, 2, 0.5, 3, 1.0 / 3, 0.1, 7.7, 30, 0.7};
    for (size_t f = 0; f < sizeof fps / sizeof fps[0]; f++)
        for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
            QbSampler s = sampler_for(QB_SAMPLE_RATE, rates[r], fps[f], 0);
            int64_t i = 0;
            for (int64_t n_frames = 1; n_frames <= 3000; n_frames++) {
                int64_t total = qb_sampler_total(&s, n_frames);
                for (; qb_sampler_needs(&s, i) <= n_frames; i++) {
                    assert_true(qb_sampler_needs(&s, i) == n_frames);
                    assert_true(qb_sampler_index(&s, i) < n_frames);
                    assert_true(qb_sampler_index(&s, i + 1) > qb_sampler_index(&s, i));
                    assert_true(qb_sampler_index(&s, i + 1) >= n_frames - 1);
                }
                assert_true(total == (i ? i : 1));
            }
        }
}

/* ---- a number of frames, and every so many --------------------------------------------------- */

static void assert_indices(const QbSampler *s, int64_t n_frames, int n, const int64_t *want)
{
    assert_int_equal(qb_sampler_total(s, n_frames), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(qb_sampler_index(s, i), want[i]);
}

static void test_count(void **state)
{
    (void)state;
    QbSampler s = sampler_for(QB_SAMPLE_COUNT, 1, 25, 75);
    assert_indices(&s, 75, 1, (int64_t[]){37});
    s = sampler_for(QB_SAMPLE_COUNT, 4, 25, 10);
    assert_indices(&s, 10, 4, (int64_t[]){1, 3, 6, 8});
    assert_true(qb_sampler_index(&s, 4) == QB_SAMPLE_NONE);
    s = sampler_for(QB_SAMPLE_COUNT, 3, 25, 3);
    assert_indices(&s, 3, 3, (int64_t[]){0, 1, 2});
    s = sampler_for(QB_SAMPLE_COUNT, 9, 25, 3); /* fewer frames than asked for */
    assert_indices(&s, 3, 3, (int64_t[]){0, 1, 2});
    assert_true(qb_sampler_index(&s, 3) == QB_SAMPLE_NONE);
    assert_true(qb_sampler_needs(&s, 0) == 0); /* nothing is held back */
    for (int64_t n_frames = 1; n_frames < 200; n_frames++)
        for (int64_t count = 1; count <= n_frames; count++) {
            s = sampler_for(QB_SAMPLE_COUNT, (double)count, 25, n_frames);
            for (int64_t i = 0; i < count; i++) {
                int64_t index = qb_sampler_index(&s, i);
                /* inside its own part, [i n / count, (i + 1) n / count) */
                assert_true((index + 1) * count > i * n_frames);
                assert_true(index * count < (i + 1) * n_frames);
                assert_true(!i || index > qb_sampler_index(&s, i - 1));
            }
        }
}

static void test_every(void **state)
{
    (void)state;
    QbSampler s = sampler_for(QB_SAMPLE_EVERY, 1, 0, 0);
    assert_indices(&s, 3, 3, (int64_t[]){0, 1, 2});
    s = sampler_for(QB_SAMPLE_EVERY, 7, 0, 0);
    assert_indices(&s, 14, 2, (int64_t[]){0, 7});
    assert_indices(&s, 15, 3, (int64_t[]){0, 7, 14});
    assert_indices(&s, 1, 1, (int64_t[]){0});
    assert_int_equal(qb_sampler_total(&s, 0), 0);
    assert_true(qb_sampler_needs(&s, 1) == 0);
}

static void test_huge_values(void **state)
{
    (void)state;
    const int64_t huge = INT64_MAX - 1;
    QbSampler s = sampler_for(QB_SAMPLE_EVERY, 1, 0, 0);
    s.every = huge;
    assert_int_equal(qb_sampler_index(&s, 0), 0);
    assert_true(qb_sampler_index(&s, 1) == huge);
    assert_true(qb_sampler_index(&s, 2) == QB_SAMPLE_NONE);
    assert_true(qb_sampler_index(&s, huge) == QB_SAMPLE_NONE);
    assert_int_equal(qb_sampler_total(&s, huge), 1);
    s = sampler_for(QB_SAMPLE_COUNT, 2, 25, 1);
    s.n_frames = huge;
    assert_true(qb_sampler_index(&s, 0) == huge / 4);
    assert_true(qb_sampler_index(&s, 1) == huge / 4 * 3 + huge % 4 * 3 / 4);
    s.count = huge - 1;
    assert_true(qb_sampler_index(&s, s.count - 1) < huge);
    assert_true(qb_sampler_index(&s, s.count - 1) >= s.count - 1);
    s = sampler_for(QB_SAMPLE_RATE, 1e-300, 1e6, 0);
    assert_int_equal(qb_sampler_index(&s, 0), 0);
    assert_true(qb_sampler_index(&s, 1) == QB_SAMPLE_NONE);
    assert_true(qb_sampler_needs(&s, 0) == QB_SAMPLE_NONE);
    assert_int_equal(qb_sampler_total(&s, huge), 1024); /* of 2^53 frames each */
    s = sampler_for(QB_SAMPLE_RATE, 1, 1, 0);
    assert_true(qb_sampler_index(&s, huge) == QB_SAMPLE_NONE);
    assert_true(qb_sampler_needs(&s, huge - 1) == QB_SAMPLE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),        cmocka_unit_test(test_needs_is_what_total_says),
        cmocka_unit_test(test_count),       cmocka_unit_test(test_every),
        cmocka_unit_test(test_huge_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
