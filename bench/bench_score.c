/* bench_score.c: how fast the embedded model scores photos, on this machine, now.
 *
 * Input: a photo of examples/ (or the file given) scaled to one megapixel and encoded as JPEG in
 * memory. Latency: one picture at a time, decoded and scored, for 1 … all threads: milliseconds by
 * phase, the median and the best of n. Throughput: all CPUs, a scorer with one thread each,
 * different pictures at the same time, as `qboost score` does it. Usage: bench_score [--json FILE]
 * [--rounds N] [PICTURE] */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <qboost/qboost.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

enum { MEGAPIXEL = 1000000, MAX_ROUNDS = 1000, PHASES = 5 };

static const char *const phase_names[PHASES] = {"decode", "preprocess", "vision", "prefill",
                                                "total"};

static void check(QbStatus status)
{
    if (status) {
        fprintf(stderr, "bench_score: %s\n", qb_last_error());
        exit(1);
    }
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static unsigned char *encode_jpeg(unsigned long *out_size, const QbImage *image)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &bytes, out_size);
    c.image_width = (JDIMENSION)qb_image_width(image);
    c.image_height = (JDIMENSION)qb_image_height(image);
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 92, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(qb_image_pixels(image) +
                                             (size_t)c.next_scanline * c.image_width * 3);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return bytes;
}

static unsigned char *make_input(unsigned long *out_size, int *width, int *height, const char *path)
{
    QbImage *photo = NULL, *scaled = NULL;
    check(qb_image_open(&photo, path, NULL));
    double scale = sqrt(MEGAPIXEL / ((double)qb_image_width(photo) * qb_image_height(photo)));
    *width = (int)lround(qb_image_width(photo) * scale);
    *height = (int)lround(qb_image_height(photo) * scale);
    check(qb_image_resize(&scaled, photo, *width, *height));
    unsigned char *bytes = encode_jpeg(out_size, scaled);
    qb_image_free(&photo);
    qb_image_free(&scaled);
    return bytes;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static QbScorer *new_scorer(const QbModel *model, int threads)
{
    QbScorer *scorer = NULL;
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = threads;
    check(qb_scorer_new(&scorer, model, &options));
    return scorer;
}

static json_t *latency(const QbModel *model, int threads, const unsigned char *jpeg,
                       unsigned long size, int rounds)
{
    static double ms[PHASES][MAX_ROUNDS];
    QbScorer *scorer = new_scorer(model, threads);
    for (int i = -2; i < rounds; i++) { /* two to warm up */
        QbImage *image = NULL;
        QbScore score;
        double start = now_ms();
        check(qb_image_open_memory(&image, jpeg, size, "photo", NULL));
        double decoded = now_ms();
        check(qb_scorer_score_image(&score, scorer, image));
        double end = now_ms();
        qb_image_free(&image);
        if (i < 0)
            continue;
        double phase[PHASES] = {decoded - start, score.preprocess_ms, score.vision_ms,
                                score.prefill_ms, end - start};
        for (int p = 0; p < PHASES; p++)
            ms[p][i] = phase[p];
    }
    qb_scorer_free(&scorer);
    json_t *row = json_pack("{s:i}", "threads", threads);
    printf("%7d", threads);
    for (int p = 0; p < PHASES; p++) {
        qsort(ms[p], (size_t)rounds, sizeof(double), by_value);
        json_object_set_new(
            row, phase_names[p],
            json_pack("{s:f,s:f}", "median_ms", ms[p][rounds / 2], "best_ms", ms[p][0]));
        printf("  %7.2f /%7.2f", ms[p][rounds / 2], ms[p][0]);
    }
    printf("\n");
    return row;
}

typedef struct {
    const QbModel *model;
    const unsigned char *jpeg;
    unsigned long size;
    atomic_int left;
} Batch;

static void *batch_worker(void *user)
{
    Batch *batch = user;
    QbScorer *scorer = new_scorer(batch->model, 1);
    while (atomic_fetch_sub(&batch->left, 1) > 0) {
        QbImage *image = NULL;
        QbScore score;
        check(qb_image_open_memory(&image, batch->jpeg, batch->size, "photo", NULL));
        check(qb_scorer_score_image(&score, scorer, image));
        qb_image_free(&image);
    }
    qb_scorer_free(&scorer);
    return NULL;
}

static double throughput(const QbModel *model, int workers, const unsigned char *jpeg,
                         unsigned long size, int pictures)
{
    Batch batch = {.model = model, .jpeg = jpeg, .size = size};
    pthread_t *thread = calloc((size_t)workers, sizeof *thread);
    atomic_store(&batch.left, pictures);
    double start = now_ms();
    for (int i = 0; i < workers; i++)
        if (pthread_create(&thread[i], NULL, batch_worker, &batch))
            exit(1);
    for (int i = 0; i < workers; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    return pictures * 1e3 / (now_ms() - start);
}

int main(int argc, char **argv)
{
    const char *json_path = NULL, *picture = "examples/cat.jpg";
    int rounds = 30, width, height;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json") && i + 1 < argc)
            json_path = argv[++i];
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
            rounds = atoi(argv[++i]);
        else
            picture = argv[i];
    }
    rounds = rounds < 1 ? 1 : rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
    unsigned long size = 0;
    unsigned char *jpeg = make_input(&size, &width, &height, picture);
    QbModel *model = NULL;
    double start = now_ms();
    check(qb_model_open(&model, NULL, NULL));
    double open_ms = now_ms() - start;
    int cpus = qb_cpu_count();
    printf("%s, %s, %d CPUs; %d x %d JPEG of %lu kB; model opened in %.1f ms\n",
           qb_model_name(model), qb_cpu_level(), cpus, width, height, size / 1000, open_ms);
    printf("milliseconds a picture, median / best of %d\nthreads", rounds);
    for (int p = 0; p < PHASES; p++)
        printf("  %16s", phase_names[p]);
    printf("\n");
    json_t *rows = json_array();
    for (int threads = 1; threads <= cpus; threads *= 2)
        json_array_append_new(rows, latency(model, threads, jpeg, size, rounds));
    double rate = throughput(model, cpus, jpeg, size, rounds * cpus);
    printf("many pictures, %d at a time: %.1f pictures a second\n", cpus, rate);
    json_t *all = json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:f,s:o,s:f}", "model", qb_model_name(model),
                            "model_hash", qb_model_hash(model), "cpu_level", qb_cpu_level(), "cpus",
                            cpus, "width", width, "height", height, "open_ms", open_ms, "latency",
                            rows, "pictures_per_second", rate);
    if (json_path && json_dump_file(all, json_path, JSON_INDENT(2)))
        fprintf(stderr, "bench_score: cannot write %s\n", json_path);
    json_decref(all);
    free(jpeg);
    qb_model_close(&model);
    return 0;
}
