/* test_halves.c: noise told from two halves agrees with noise told from the reference; stray bright
 * samples, clean pictures and refusals. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/noise/noise_pictures.h"

typedef struct {
    QbImage *reference, *a, *b, *mean;
} Pictures;

static double grey[3][SIDE * SIDE];

/* Halves with noise of sigma each; every n_stray-th pixel of one half holds a stray bright sample
 * of ten times white (0 = none). */
static Pictures made_halves(double sigma, int n_stray)
{
    fill_scene(grey[0], sigma, 11);
    fill_scene(grey[1], sigma, 12);
    for (int i = n_stray; n_stray && i < SIDE * SIDE; i += n_stray)
        grey[i / n_stray % 2][i] += 2550;
    for (int i = 0; i < SIDE * SIDE; i++)
        grey[2][i] = (grey[0][i] + grey[1][i]) / 2;
    return (Pictures){made_scene(0, 0), image_of(grey[0]), image_of(grey[1]), image_of(grey[2])};
}

static void free_pictures(Pictures *p)
{
    qb_image_free(&p->reference);
    qb_image_free(&p->a);
    qb_image_free(&p->b);
    qb_image_free(&p->mean);
}

/* Median over zones of log2(halves / reference), and the largest distance from it. */
static double compare(double *out_spread, const Pictures *p)
{
    QbNoiseReport halves, full;
    QbNoisePair pair = {.image = p->mean, .reference = p->reference};
    double least = INFINITY, most = -INFINITY;
    assert_int_equal(qb_noise_judge_halves(&halves, p->a, p->b, p->mean, FOUR, 1), QB_OK);
    assert_int_equal(qb_noise_judge_pair(&full, &pair, FOUR, 1), QB_OK);
    for (int z = 0; z < 16; z++) {
        double octaves = log2(halves.zones[z].visibility / full.zones[z].visibility);
        least = fmin(least, octaves);
        most = fmax(most, octaves);
    }
    *out_spread = most - least;
    return (most + least) / 2;
}

static void test_agreement(void **state)
{
    (void)state;
    static const struct {
        double sigma;
        int n_stray;
        double bias, spread;
    } cases[] = {{4, 0, 0.1, 0.3}, {16, 0, 0.1, 0.3}, {4, 211, 0.1, 0.3}, {0, 97, 0.1, 0.3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double spread;
        Pictures p = made_halves(cases[i].sigma, cases[i].n_stray);
        double bias = compare(&spread, &p);
        print_message("sigma %g, stray %d: %+.2f octaves, %.2f from least to most\n",
                      cases[i].sigma, cases[i].n_stray, bias, spread);
        assert_true(fabs(bias) < cases[i].bias && spread < cases[i].spread);
        free_pictures(&p);
    }
}

/* What is left of noise below a level of 8 bits is not visible. */
static void test_clean(void **state)
{
    (void)state;
    QbNoiseReport report;
    Pictures p = made_halves(0.3, 0);
    assert_int_equal(qb_noise_judge_halves(&report, p.a, p.b, p.mean, FOUR, 1), QB_OK);
    print_message("noise of 0.2 levels: visibility %.2f\n", report.visibility);
    assert_true(report.visibility < 0.5 && report.visibility > 0);
    free_pictures(&p);
}

static void test_threads(void **state)
{
    (void)state;
    QbNoiseReport one, five;
    Pictures p = made_halves(4, 211);
    assert_int_equal(qb_noise_judge_halves(&one, p.a, p.b, p.mean, FOUR, 1), QB_OK);
    assert_int_equal(qb_noise_judge_halves(&five, p.a, p.b, p.mean, FOUR, 5), QB_OK);
    assert_memory_equal(one.zones, five.zones, 16 * sizeof *one.zones);
    free_pictures(&p);
}

static void test_refusals(void **state)
{
    (void)state;
    QbNoiseReport report;
    QbImage *small;
    Pictures p = made_halves(4, 0);
    assert_int_equal(qb_image_resize(&small, p.mean, SIDE, SIDE / 2), QB_OK);
    expect_error(qb_noise_judge_halves(&report, p.a, p.a, p.a, FOUR, 1), QB_ERR_ARG,
                 "the same picture");
    expect_error(qb_noise_judge_halves(&report, p.a, p.b, small, FOUR, 1), QB_ERR_ARG,
                 "a mean of 192 x 96");
    expect_error(qb_noise_judge_halves(&report, p.a, small, p.mean, FOUR, 1), QB_ERR_ARG,
                 "expected one size");
    expect_error(qb_noise_judge_halves(&report, p.a, NULL, p.mean, FOUR, 1), QB_ERR_ARG,
                 "no two halves");
    expect_error(qb_noise_judge_halves(&report, p.a, p.b, p.mean, (QbNoiseGrid){1, 13}, 1),
                 QB_ERR_ARG, "smaller than 16 x 16");
    qb_image_free(&small);
    free_pictures(&p);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    QbNoiseReport report;
    Pictures p = made_halves(4, 0);
    uint64_t before = qb_mem_allocation_count();
    assert_int_equal(qb_noise_judge_halves(&report, p.a, p.b, p.mean, FOUR, 1), QB_OK);
    uint64_t n = qb_mem_allocation_count() - before;
    for (uint64_t i = 1; i <= n; i++) {
        qb_mem_fail_after(i);
        assert_int_equal(qb_noise_judge_halves(&report, p.a, p.b, p.mean, FOUR, 1), QB_ERR_NOMEM);
    }
    qb_mem_fail_after(0);
    free_pictures(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement),     cmocka_unit_test(test_clean),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
