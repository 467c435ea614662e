/* test_noise_ways.c: on real renders (train/noise), zones judged from two halves and from features
 * of the reference agree with those judged against the reference. Prints the agreement that
 * docs/noise-method.md states. QB_RENDERS names the folder of renders (default build/renders);
 * skips without one. */
// SPDX-License-Identifier: Apache-2.0
#include "stats/stats.h"
#include "tests/unit/noise/noise_pictures.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

enum { FIRST_SAMPLES = 16, MAX_ZONES = 1 << 14, NEEDED_ZONES = 64 };
/* Zones near the border between seen and not seen; elsewhere an error changes nothing. */
static const double LEAST = 0.25, MOST = 4;

/* log2 of visibilities: against the reference, and another way. */
typedef struct {
    double full[MAX_ZONES], other[MAX_ZONES], change[MAX_ZONES];
    size_t n;
} Ways;
static Ways halves, features;

static void add(Ways *ways, double full, double other)
{
    if (!(full > LEAST && full < MOST) || ways->n == MAX_ZONES)
        return;
    ways->full[ways->n] = log2(full);
    ways->other[ways->n] = log2(fmax(other, 1e-3));
    ways->change[ways->n] = ways->other[ways->n] - ways->full[ways->n];
    ways->n++;
}

static QbLight *open_light(const char *folder, const char *scene, const char *what)
{
    char path[1024];
    QbLight *light;
    snprintf(path, sizeof path, "%s/%s/%s_%s.exr", folder, scene, scene, what);
    return qb_light_open(&light, path, NULL) ? NULL : light;
}

static QbImage *shown(const QbLight *light)
{
    QbImage *image;
    assert_int_equal(qb_light_tone_map(&image, light, NULL), QB_OK);
    return image;
}

/* 0 when the scene's list does not tell. */
static double reference_samples(const char *folder, const char *scene)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s.json", folder, scene, scene);
    json_t *list = json_load_file(path, 0, NULL);
    double samples = json_number_value(json_object_get(list, "reference_samples"));
    json_decref(list);
    return samples;
}

/* own: what the reference's own noise makes the difference from it larger by. */
static void compare(const QbLight *a, const QbLight *b, const QbImage *reference,
                    const QbNoiseFeatures *reduced, double own)
{
    QbNoiseReport full, other;
    QbLight *both;
    assert_int_equal(qb_light_mean(&both, a, b), QB_OK);
    QbImage *mean = shown(both), *half[2] = {shown(a), shown(b)};
    QbNoisePair pair = {.image = mean, .reference = reference};
    assert_int_equal(qb_noise_judge_pair(&full, &pair, FOUR, 1), QB_OK);
    assert_int_equal(qb_noise_judge_features(&other, mean, reduced, 1), QB_OK);
    for (int z = 0; z < 16; z++)
        add(&features, full.zones[z].visibility, other.zones[z].visibility);
    assert_int_equal(qb_noise_judge_halves(&other, half[0], half[1], mean, FOUR, 1), QB_OK);
    for (int z = 0; z < 16; z++)
        add(&halves, full.zones[z].visibility / own, other.zones[z].visibility);
    qb_light_free(&both);
    qb_image_free(&mean);
    qb_image_free(&half[0]);
    qb_image_free(&half[1]);
}

static void compare_scene(const char *folder, const char *scene)
{
    QbLight *light = open_light(folder, scene, "reference");
    if (!light)
        return;
    double samples = reference_samples(folder, scene);
    QbNoiseFeatures *reduced;
    QbImage *reference = shown(light);
    assert_int_equal(qb_noise_features_new(&reduced, reference, FOUR, 1), QB_OK);
    for (int n = FIRST_SAMPLES; n <= samples / 2; n *= 2) {
        char a[32], b[32];
        snprintf(a, sizeof a, "%05d_a", n);
        snprintf(b, sizeof b, "%05d_b", n);
        QbLight *half[2] = {open_light(folder, scene, a), open_light(folder, scene, b)};
        if (half[0] && half[1])
            compare(half[0], half[1], reference, reduced, sqrt(1 + n / samples));
        qb_light_free(&half[0]);
        qb_light_free(&half[1]);
    }
    qb_noise_features_free(&reduced);
    qb_image_free(&reference);
    qb_light_free(&light);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check(Ways *ways, const char *name)
{
    double correlation, squares = 0;
    assert_int_equal(qb_stats_plcc(&correlation, ways->full, ways->other, ways->n), QB_OK);
    for (size_t i = 0; i < ways->n; i++)
        squares += ways->change[i] * ways->change[i] / (double)ways->n;
    qsort(ways->change, ways->n, sizeof *ways->change, by_value);
    double median = ways->change[ways->n / 2];
    print_message("%s: %zu zones, correlation %.3f, median %+.2f, rms %.2f octaves, 90 %% within "
                  "%+.2f … %+.2f\n",
                  name, ways->n, correlation, median, sqrt(squares), ways->change[ways->n / 20],
                  ways->change[ways->n - 1 - ways->n / 20]);
    assert_true(correlation > 0.93 && fabs(median) < 0.15);
}

static const char *renders_folder(void)
{
    return getenv("QB_RENDERS") ? getenv("QB_RENDERS") : "build/renders";
}

static void each_scene(void (*task)(const char *folder, const char *scene))
{
    DIR *scenes = opendir(renders_folder());
    if (!scenes)
        return;
    for (struct dirent *entry; (entry = readdir(scenes));)
        if (entry->d_name[0] != '.')
            task(renders_folder(), entry->d_name);
    closedir(scenes);
}

static void test_renders(void **state)
{
    (void)state;
    each_scene(compare_scene);
    if (halves.n < NEEDED_ZONES || features.n < NEEDED_ZONES) {
        print_message("%s: no renders (make -C train/noise renders)\n", renders_folder());
        skip();
    }
    check(&halves, "halves");
    check(&features, "features");
}

/* ---- Samples needed ---------------------------------------------------------------------------
 */

enum { MAX_LEVELS = 32, DISTANCES = 4, MAX_ESTIMATES = 1 << 14, FIRST_TOLD = 4 };
static const double DISTANCE[DISTANCES + 1] = {0, 1, 2, 3, 5}; /* octaves of samples still to go */

typedef struct {
    double error[MAX_ESTIMATES]; /* octaves */
    size_t n;
} Estimates;
static Estimates estimates[DISTANCES];

/* One scene's ladder: visibility and samples needed of each zone at each level. */
typedef struct {
    double samples[MAX_LEVELS], visibility[MAX_LEVELS][16], needed[MAX_LEVELS][16];
    int n;
} Ladder;

/* Where a zone fell below 1 for good, between two levels; NAN when it did not. */
static double octave_of_border(const Ladder *ladder, int zone)
{
    int last = ladder->n - 1;
    while (last >= 0 && !(ladder->visibility[last][zone] > 1))
        last--;
    if (last < 0 || last == ladder->n - 1)
        return NAN;
    double above = log2(ladder->visibility[last][zone]);
    double below = log2(fmax(ladder->visibility[last + 1][zone], 1e-3));
    double from = log2(ladder->samples[last]), to = log2(ladder->samples[last + 1]);
    return from + (to - from) * above / (above - below);
}

static void add_estimates(const Ladder *ladder)
{
    for (int zone = 0; zone < 16; zone++)
        for (int i = 0; i < ladder->n; i++) {
            double border = octave_of_border(ladder, zone);
            double left = border - log2(ladder->samples[i]);
            if (ladder->samples[i] < FIRST_TOLD || !(ladder->visibility[i][zone] > 1))
                continue;
            for (int k = 0; k < DISTANCES; k++)
                if (left > DISTANCE[k] && left <= DISTANCE[k + 1] && estimates[k].n < MAX_ESTIMATES)
                    estimates[k].error[estimates[k].n++] = log2(ladder->needed[i][zone]) - border;
        }
}

static void add_level(Ladder *ladder, QbNoiseStop *stop, const QbImage *image,
                      const QbImage *reference, int n, double own)
{
    QbNoiseReport report;
    QbNoisePair pair = {.image = image, .reference = reference};
    assert_int_equal(qb_noise_judge_pair(&report, &pair, FOUR, 1), QB_OK);
    for (int zone = 0; zone < 16; zone++)
        report.zones[zone].visibility /= own;
    assert_int_equal(qb_noise_stop_add(stop, &report, n), QB_OK);
    ladder->samples[ladder->n] = n;
    for (int zone = 0; zone < 16; zone++) {
        QbNoiseZoneState told;
        qb_noise_stop_zone(&told, stop, zone);
        ladder->visibility[ladder->n][zone] = report.zones[zone].visibility;
        ladder->needed[ladder->n][zone] = told.samples_needed;
    }
    ladder->n++;
}

static void follow_scene(const char *folder, const char *scene)
{
    QbLight *light = open_light(folder, scene, "reference");
    if (!light)
        return;
    double samples = reference_samples(folder, scene);
    Ladder ladder = {.n = 0};
    QbNoiseStop *stop;
    QbImage *reference = shown(light);
    assert_int_equal(qb_noise_stop_new(&stop, FOUR, 3), QB_OK);
    /* 1 2 3 4 6 8 12 16 … */
    for (int n = 1; n <= samples / 2 && ladder.n < MAX_LEVELS;
         n += n & (n - 1) ? n / 3 : (n + 1) / 2) {
        char name[32];
        snprintf(name, sizeof name, "%05d", n);
        QbLight *picture = open_light(folder, scene, name);
        if (!picture)
            continue;
        QbImage *image = shown(picture);
        add_level(&ladder, stop, image, reference, n, sqrt(1 + n / samples));
        qb_image_free(&image);
        qb_light_free(&picture);
    }
    add_estimates(&ladder);
    qb_noise_stop_free(&stop);
    qb_image_free(&reference);
    qb_light_free(&light);
}

static void test_samples_needed(void **state)
{
    (void)state;
    each_scene(follow_scene);
    if (estimates[0].n < NEEDED_ZONES)
        skip();
    for (int k = 0; k < DISTANCES; k++) {
        Estimates *e = &estimates[k];
        double squares = 0;
        for (size_t i = 0; i < e->n; i++)
            squares += e->error[i] * e->error[i] / (double)e->n;
        qsort(e->error, e->n, sizeof *e->error, by_value);
        print_message("%g to %g octaves to go: %zu estimates, median %+.2f, rms %.2f octaves\n",
                      DISTANCE[k], DISTANCE[k + 1], e->n, e->n ? e->error[e->n / 2] : NAN,
                      sqrt(squares));
        assert_true(sqrt(squares) < 0.6 + 0.4 * k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_renders),
                                       cmocka_unit_test(test_samples_needed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
