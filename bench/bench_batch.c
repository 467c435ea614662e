/* bench_batch.c: what asking about several pictures in one forward pass saves.
 *
 * The model's scoring prompt about pictures of the same pixels, which the session does not know
 * yet, one by one and in batches of growing size, in turns, so that other work on the machine meets
 * all of them; of the rounds the best. Milliseconds a picture by phase, and how many times as fast
 * as one by one. Usage: bench_batch [--rounds N] [--threads N] [--max N] [--json FILE] [MODEL
 * [PICTURE]] */
// SPDX-License-Identifier: Apache-2.0
#include "score/scorer.h"

#include <jansson.h>
#include <qboost/qboost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_BATCH = 64, MAX_SIZES = 7 };

typedef struct {
    const char *model, *picture, *json;
    int rounds, threads, max;
} Args;

/* Of one way of asking, the best round. */
typedef struct {
    int size;
    double preprocess_ms, vision_ms, prefill_ms, total_ms; /* a picture */
} Line;

static void check(QbStatus status)
{
    if (status) {
        fprintf(stderr, "bench_batch: %s\n", qb_last_error());
        exit(1);
    }
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Asks about n new pictures, size at a time; logits[n][n_words]. */
static void time_round(Line *best, float *logits, QbScorer *s, const QbImage *photo, int n)
{
    QbImage *images[MAX_BATCH];
    QbSessionTimes times;
    int width = qb_image_width(photo), height = qb_image_height(photo);
    for (int i = 0; i < n; i++)
        check(
            qb_image_new_rgb(&images[i], qb_image_pixels(photo), width, height, (size_t)width * 3));
    qb_session_take_times(&times, s->session);
    double start = now_ms();
    for (int i = 0; i < n; i += best->size) {
        int size = n - i < best->size ? n - i : best->size;
        const QbImage *const *some = (const QbImage *const *)images + i;
        float *to = logits + i * s->n_words;
        if (best->size == 1)
            check(qb_session_eval(to, s->session, s->prompt.id, s->prompt.n, some, 1, s->word_id,
                                  s->n_words));
        else
            check(qb_session_eval_batch(to, s->session, s->prompt.id, s->prompt.n, some, size,
                                        s->word_id, s->n_words));
    }
    double total_ms = (now_ms() - start) / n;
    qb_session_take_times(&times, s->session);
    if (best->total_ms == 0 || total_ms < best->total_ms)
        *best = (Line){best->size, times.preprocess_ms / n, times.vision_ms / n,
                       times.prefill_ms / n, total_ms};
    for (int i = 0; i < n; i++)
        qb_image_free(&images[i]);
}

static Args parse(int argc, char **argv)
{
    Args args = {.picture = "examples/cat.jpg", .rounds = 5, .max = 16};
    int operands = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && !strcmp(argv[i], "--json"))
            args.json = argv[++i];
        else if (value && !strcmp(argv[i], "--rounds"))
            args.rounds = atoi(argv[++i]);
        else if (value && !strcmp(argv[i], "--threads"))
            args.threads = atoi(argv[++i]);
        else if (value && !strcmp(argv[i], "--max"))
            args.max = atoi(argv[++i]);
        else if (operands++ == 0)
            args.model = argv[i];
        else
            args.picture = argv[i];
    }
    if (args.rounds < 1 || args.max < 1 || args.max > MAX_BATCH) {
        fprintf(stderr, "usage: bench_batch [--rounds N] [--threads N] [--max N] [--json FILE] "
                        "[MODEL [PICTURE]]\n");
        exit(2);
    }
    return args;
}

static json_t *print_lines(const Line *lines, int n)
{
    json_t *rows = json_array();
    printf("pictures a pass   preprocess     vision    prefill      total   prefill   total\n");
    for (int i = 0; i < n; i++) {
        const Line *l = &lines[i];
        printf("%15d   %10.2f %10.2f %10.2f %10.2f   %6.2f x %5.2f x\n", l->size, l->preprocess_ms,
               l->vision_ms, l->prefill_ms, l->total_ms, lines->prefill_ms / l->prefill_ms,
               lines->total_ms / l->total_ms);
        json_array_append_new(rows,
                              json_pack("{s:i,s:f,s:f,s:f,s:f}", "batch", l->size, "preprocess_ms",
                                        l->preprocess_ms, "vision_ms", l->vision_ms, "prefill_ms",
                                        l->prefill_ms, "total_ms", l->total_ms));
    }
    return rows;
}

int main(int argc, char **argv)
{
    Args args = parse(argc, argv);
    static float first[MAX_BATCH * QB_SCORE_MAX_WORDS], logits[MAX_BATCH * QB_SCORE_MAX_WORDS];
    Line lines[MAX_SIZES];
    QbModel *model = NULL;
    QbScorer *scorer = NULL;
    QbImage *photo = NULL;
    QbScorerOptions options;
    qb_scorer_options_init(&options);
    options.threads = args.threads;
    check(qb_model_open(&model, args.model, NULL));
    check(qb_scorer_new(&scorer, model, &options));
    check(qb_image_open(&photo, args.picture, NULL));
    int n_sizes = 0;
    for (int size = 1; size <= args.max; size *= 2)
        lines[n_sizes++] = (Line){.size = size};
    for (int round = 0; round < args.rounds; round++)
        for (int i = 0; i < n_sizes; i++) {
            time_round(&lines[i], i ? logits : first, scorer, photo, args.max);
            if (i && memcmp(logits, first, (size_t)(args.max * scorer->n_words) * sizeof *first))
                fprintf(stderr, "bench_batch: other logits in batches of %d\n", lines[i].size);
        }
    printf("%s, %s, %s, %d threads; milliseconds a picture, best of %d rounds\n",
           qb_model_name(model), qb_model_architecture(model), qb_cpu_level(),
           qb_scorer_threads(scorer), args.rounds);
    json_t *all =
        json_pack("{s:s,s:s,s:i,s:o}", "model", qb_model_name(model), "cpu_level", qb_cpu_level(),
                  "threads", qb_scorer_threads(scorer), "rows", print_lines(lines, n_sizes));
    if (args.json && json_dump_file(all, args.json, JSON_INDENT(2)))
        fprintf(stderr, "bench_batch: cannot write %s\n", args.json);
    json_decref(all);
    qb_image_free(&photo);
    qb_scorer_free(&scorer);
    qb_model_close(&model);
    return 0;
}
