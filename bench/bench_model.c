/* bench_model.c: how fast a model in a file scores, and how much memory it holds.
 *
 * Opens the file, scores a picture once for each method (a new picture each time for the caches,
 * the same pixels) and prints seconds by phase and resident memory as /proc/self/status tells it:
 * in all, and the part that belongs to no file. Usage: bench_model [--mmproj FILE] [--rounds N]
 * [--threads N] [--json FILE] MODEL [PICTURE] */
// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <qboost/qboost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const methods[] = {"tti", "mpe"};

typedef struct {
    const char *model, *mmproj, *picture, *json;
    int rounds, threads;
} Args;

static void check(QbStatus status)
{
    if (status) {
        fprintf(stderr, "bench_model: %s\n", qb_last_error());
        exit(1);
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Gigabytes (1e9) of a line such as "VmRSS:     123 kB". */
static double memory_gb(const char *label)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, label, strlen(label)))
            kib = atof(line + strlen(label) + 1);
    if (f)
        fclose(f);
    return kib * 1024e-9;
}

/* The best of the rounds: other work on the machine only ever adds time. */
static json_t *time_method(const QbModel *model, const Args *args, const char *method)
{
    QbScorerOptions options;
    QbScorer *scorer = NULL;
    QbScore best = {.total_ms = 1e300};
    qb_scorer_options_init(&options);
    options.threads = args->threads;
    options.method = method;
    check(qb_scorer_new(&scorer, model, &options));
    for (int i = 0; i < args->rounds; i++) {
        QbImage *image = NULL;
        QbScore score;
        check(qb_image_open(&image, args->picture, NULL));
        check(qb_scorer_score_image(&score, scorer, image));
        qb_image_free(&image);
        if (score.total_ms < best.total_ms)
            best = score;
    }
    qb_scorer_free(&scorer);
    printf("%-8s %11.2f %11.2f %11.2f %11.2f   %10.2f %10.2f\n", method, best.preprocess_ms / 1e3,
           best.vision_ms / 1e3, best.prefill_ms / 1e3, best.total_ms / 1e3, memory_gb("VmHWM:"),
           memory_gb("RssAnon:"));
    return json_pack("{s:s,s:f,s:f,s:f,s:f,s:f}", "method", method, "preprocess_s",
                     best.preprocess_ms / 1e3, "vision_s", best.vision_ms / 1e3, "prefill_s",
                     best.prefill_ms / 1e3, "total_s", best.total_ms / 1e3, "peak_gb",
                     memory_gb("VmHWM:"));
}

static Args parse(int argc, char **argv)
{
    Args args = {.picture = "examples/cat.jpg", .rounds = 2};
    int operands = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && !strcmp(argv[i], "--mmproj"))
            args.mmproj = argv[++i];
        else if (value && !strcmp(argv[i], "--json"))
            args.json = argv[++i];
        else if (value && !strcmp(argv[i], "--rounds"))
            args.rounds = atoi(argv[++i]);
        else if (value && !strcmp(argv[i], "--threads"))
            args.threads = atoi(argv[++i]);
        else if (operands++ == 0)
            args.model = argv[i];
        else
            args.picture = argv[i];
    }
    if (!args.model || args.rounds < 1) {
        fprintf(stderr, "usage: bench_model [--mmproj FILE] [--rounds N] [--threads N] "
                        "[--json FILE] MODEL [PICTURE]\n");
        exit(2);
    }
    return args;
}

int main(int argc, char **argv)
{
    Args args = parse(argc, argv);
    QbModel *model = NULL;
    QbModelOptions options;
    qb_model_options_init(&options);
    options.mmproj = args.mmproj;
    options.threads = args.threads;
    double start = now_s();
    check(qb_model_open(&model, args.model, &options));
    double open_s = now_s() - start;
    printf("%s, %s, %.2f thousand million parameters; %s, %d CPUs; opened in %.1f s; resident then "
           "%.2f GB, at most %.2f\n",
           qb_model_name(model), qb_model_architecture(model),
           (double)qb_model_parameter_count(model) * 1e-9, qb_cpu_level(), qb_cpu_count(), open_s,
           memory_gb("VmRSS:"), memory_gb("VmHWM:"));
    printf("seconds  %11s %11s %11s %11s   %10s %10s\n", "preprocess", "vision", "prefill", "total",
           "peak GB", "own GB");
    json_t *rows = json_array();
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        json_array_append_new(rows, time_method(model, &args, methods[i]));
    json_t *all = json_pack("{s:s,s:s,s:i,s:f,s:o}", "model", args.model, "cpu_level",
                            qb_cpu_level(), "cpus", qb_cpu_count(), "open_s", open_s, "rows", rows);
    if (args.json && json_dump_file(all, args.json, JSON_INDENT(2)))
        fprintf(stderr, "bench_model: cannot write %s\n", args.json);
    json_decref(all);
    qb_model_close(&model);
    return 0;
}
