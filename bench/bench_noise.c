/* bench_noise.c: how long each metric and each way of judging noise takes, on this machine, now.
 *
 * Input: a photo of examples/ and its noisy copy scaled to one megapixel, or the two pictures given
 * as they are. HDR-FLIP gets their light, four times as much as the screen's white, which makes
 * three exposures of the photo. Milliseconds a megapixel, the best of n rounds: CPU time with one
 * thread, which other work on the machine disturbs least, and time on the clock with all threads.
 * Metrics without zones and map, then one with both; judging with a grid of 4 x 4.
 * bench/noise_peers.py puts known implementations beside it.
 * Usage: bench_noise [--json FILE] [--rounds N] [REFERENCE IMAGE] */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/qboost.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEGAPIXEL = 1000000, N_THREADS = 2 };

static void check(QbStatus status)
{
    if (status) {
        fprintf(stderr, "bench_noise: %s\n", qb_last_error());
        exit(1);
    }
}

static double now_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *must_have(void *memory)
{
    check(memory ? QB_OK : QB_ERR_NOMEM);
    return memory;
}

/* ---- pictures -------------------------------------------------------------------------- */
typedef struct Input {
    QbImage *image, *reference, *mean;
    QbLight *image_light, *reference_light;
    QbNoiseFeatures *features; /* of the reference */
    QbNoiseModel *model;
    QbNoisePair pair;
    size_t pixels;
    float *map;
} Input;

static QbImage *open_picture(const char *path, bool scaled)
{
    QbImage *photo = NULL, *out = NULL;
    check(qb_image_open(&photo, path, NULL));
    if (!scaled)
        return photo;
    double width = qb_image_width(photo), height = qb_image_height(photo);
    double scale = sqrt(MEGAPIXEL / (width * height));
    check(qb_image_resize(&out, photo, (int)lround(width * scale), (int)lround(height * scale)));
    qb_image_free(&photo);
    return out;
}

static QbLight *light_of(const QbImage *image)
{
    int width = qb_image_width(image), height = qb_image_height(image);
    size_t n = (size_t)width * (size_t)height * 3;
    float *rgb = must_have(malloc(n * sizeof *rgb)), table[256];
    QbLight *light = NULL;
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0;
        table[i] = (float)(4 * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4)));
    }
    for (size_t i = 0; i < n; i++)
        rgb[i] = table[qb_image_pixels(image)[i]];
    check(qb_light_new_rgb(&light, rgb, width, height));
    free(rgb);
    return light;
}

static QbImage *mean_of(const QbImage *a, const QbImage *b)
{
    int width = qb_image_width(a), height = qb_image_height(a);
    size_t n = (size_t)width * (size_t)height * 3;
    uint8_t *rgb = must_have(malloc(n));
    QbImage *mean = NULL;
    for (size_t i = 0; i < n; i++)
        rgb[i] = (uint8_t)((qb_image_pixels(a)[i] + qb_image_pixels(b)[i] + 1) / 2);
    check(qb_image_new_rgb(&mean, rgb, width, height, (size_t)width * 3));
    free(rgb);
    return mean;
}

static const QbNoiseGrid grid = {4, 4};

static Input open_input(const char *reference, const char *image, bool scaled)
{
    Input in = {.image = open_picture(image, scaled), .reference = open_picture(reference, scaled)};
    in.mean = mean_of(in.image, in.reference);
    in.image_light = light_of(in.image);
    in.reference_light = light_of(in.reference);
    in.pair = (QbNoisePair){in.image, in.reference, in.image_light, in.reference_light};
    in.pixels = (size_t)qb_image_width(in.image) * (size_t)qb_image_height(in.image);
    in.map = must_have(malloc(in.pixels * sizeof *in.map));
    check(qb_noise_features_new(&in.features, in.reference, grid, 1));
    check(qb_noise_model_open(&in.model, NULL));
    return in;
}

static void close_input(Input *in)
{
    qb_noise_model_close(&in->model);
    qb_noise_features_free(&in->features);
    qb_light_free(&in->image_light);
    qb_light_free(&in->reference_light);
    qb_image_free(&in->mean);
    qb_image_free(&in->image);
    qb_image_free(&in->reference);
    free(in->map);
}

/* ---- what is timed --------------------------------------------------------------------- */
static double run_judge(const Input *in, int threads)
{
    QbNoiseReport report;
    check(qb_noise_judge(&report, in->model, in->image, grid, threads));
    return report.visibility;
}

static double run_judge_pair(const Input *in, int threads)
{
    QbNoiseReport report;
    check(qb_noise_judge_pair(&report, &in->pair, grid, threads));
    return report.visibility;
}

static double run_judge_halves(const Input *in, int threads)
{
    QbNoiseReport report;
    check(qb_noise_judge_halves(&report, in->image, in->reference, in->mean, grid, threads));
    return report.visibility;
}

static double run_judge_features(const Input *in, int threads)
{
    QbNoiseReport report;
    check(qb_noise_judge_features(&report, in->image, in->features, threads));
    return report.visibility;
}

static double run_extract(const Input *in, int threads)
{
    QbNoiseFeatures *features = NULL;
    check(qb_noise_features_new(&features, in->reference, grid, threads));
    qb_noise_features_free(&features);
    return 0;
}

static double run_flip_map(const Input *in, int threads)
{
    double whole, zones[16];
    check(qb_noise_measure(&whole, zones, in->map, "flip", &in->pair, grid, threads));
    return whole;
}

static const struct {
    const char *name;
    double (*run)(const Input *in, int threads);
} jobs[] = {
    {"flip with zones and map", run_flip_map}, {"judge: model", run_judge},
    {"judge: reference", run_judge_pair},      {"judge: halves", run_judge_halves},
    {"judge: features", run_judge_features},   {"extract features", run_extract},
};

/* metric: NULL = the job. */
static double best_ms(double *out_value, const Input *in, const char *metric, int job, int threads,
                      int rounds)
{
    clockid_t clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    double best = INFINITY;
    for (int round = 0; round <= rounds; round++) { /* one more, which warms up */
        double begin = now_ms(clock);
        if (metric)
            check(qb_noise_measure(out_value, NULL, NULL, metric, &in->pair, (QbNoiseGrid){1, 1},
                                   threads));
        else
            *out_value = jobs[job].run(in, threads);
        if (round)
            best = fmin(best, now_ms(clock) - begin);
    }
    return best;
}

static void bench_line(json_t *results, const Input *in, const char *metric, int job, int rounds)
{
    const char *name = metric ? metric : jobs[job].name;
    double ms[N_THREADS], value, megapixels = (double)in->pixels * 1e-6;
    for (int t = 0; t < N_THREADS; t++)
        ms[t] = best_ms(&value, in, metric, job, t ? 0 : 1, rounds) / megapixels;
    printf("%-26s %10.2f %10.2f   = %.6f\n", name, ms[0], ms[1], value);
    json_array_append_new(results,
                          json_pack("{s:s, s:f, s:f, s:f}", "name", name, "one_thread_cpu_ms",
                                    ms[0], "all_threads_ms", ms[1], "value", value));
}

int main(int argc, char **argv)
{
    const char *json_path = NULL;
    int rounds = 5, next = 1;
    for (; next + 1 < argc && !strncmp(argv[next], "--", 2); next += 2) {
        if (!strcmp(argv[next], "--json"))
            json_path = argv[next + 1];
        else
            rounds = atoi(argv[next + 1]);
    }
    bool given = next + 1 < argc;
    Input in = open_input(given ? argv[next] : "examples/astronaut.jpg",
                          given ? argv[next + 1] : "examples/astronaut-noise.jpg", !given);
    json_t *results = json_array();
    printf("%d x %d pixels, %s, milliseconds a megapixel (best of %d)\n", qb_image_width(in.image),
           qb_image_height(in.image), qb_cpu_level(), rounds);
    printf("%-26s %10s %7d CPUs\n", "", "1 thread", qb_cpu_count());
    for (int m = 0; qb_noise_metric_info(m); m++)
        bench_line(results, &in, qb_noise_metric_info(m)->name, 0, rounds);
    for (int job = 0; job < (int)(sizeof jobs / sizeof *jobs); job++)
        bench_line(results, &in, NULL, job, rounds);
    int failed = json_path && json_dump_file(results, json_path, JSON_INDENT(1));
    if (failed)
        fprintf(stderr, "bench_noise: cannot write %s\n", json_path);
    json_decref(results);
    close_input(&in);
    return failed != 0;
}
