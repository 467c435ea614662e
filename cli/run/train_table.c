/* train_table.c: tells by a table's columns what it is, and turns its rows into zones. */
// SPDX-License-Identifier: Apache-2.0
#include "run/train_table.h"

#include "base/exit_code.h"
#include "base/report.h"
#include "base/text.h"
#include "input/csv.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a table without measurements, only with who sees noise, is taken to mean: far enough from
 * 1 to be learned, near enough not to bend what is learned of how visibility grows. */
static const double visibility_of_noisy = 4, visibility_of_clean = 0.25;

static const char baseline_prefix[] = "baseline:";

typedef enum TableKind {
    TABLE_PAIRS,   /* a picture and its reference */
    TABLE_LABELS,  /* a zone of a picture and what people see in it */
    TABLE_FEATURES /* what was saved of such a table */
} TableKind;

enum { PATH, SCENE, REFERENCE, ZONE, VISIBILITY, NOISY, SAMPLES, REFERENCE_SAMPLES, N_COLUMNS };

static const char *const titles[N_COLUMNS] = {
    "path", "scene", "reference", "zone", "visibility", "noisy", "samples", "reference_samples"};

typedef struct Table {
    const char *path;
    char *folder; /* with its '/', or "" */
    TableKind kind;
    int columns[N_COLUMNS]; /* -1 = none */
    int *features;          /* [qb_noise_zone_feature_count()] columns */
    int *baselines;         /* [n_columns] index in the set, -1 = the column is none */
    int n_columns;
    int64_t line;
} Table;

static bool mistake(const Table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says so; false. */
static bool mistake(const Table *table, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    report("%s:%lld: %s", table->path, (long long)table->line, message);
    return false;
}

/* ---- the columns ---------------------------------------------------------------------------- */

/* -1 = none. */
static int find_column(const CsvRow *head, const char *name)
{
    for (int i = 0; i < head->n; i++)
        if (strcmp(head->fields[i], name) == 0)
            return i;
    return -1;
}

static bool check_doubles(const Table *table, const CsvRow *head)
{
    for (int i = 0; i < head->n; i++)
        if (*head->fields[i] && find_column(head, head->fields[i]) != i)
            return mistake(table, "there are two columns '%s'", head->fields[i]);
    return true;
}

/* The first feature that the table lacks, or NULL. */
static const char *find_features(Table *table, const CsvRow *head, int *n_found)
{
    const char *missing = NULL;
    for (int k = 0; k < qb_noise_zone_feature_count(); k++) {
        table->features[k] = find_column(head, qb_noise_zone_feature_name(k));
        *n_found += table->features[k] >= 0;
        if (table->features[k] < 0 && !missing)
            missing = qb_noise_zone_feature_name(k);
    }
    return missing;
}

static bool has(const Table *table, int column)
{
    return table->columns[column] >= 0;
}

static bool find_kind(Table *table, const CsvRow *head)
{
    int n_features = 0;
    const char *missing = find_features(table, head, &n_features);
    bool labelled = has(table, VISIBILITY) || has(table, NOISY);
    if (!missing && has(table, VISIBILITY))
        table->kind = TABLE_FEATURES;
    else if (has(table, PATH) && has(table, REFERENCE))
        table->kind = TABLE_PAIRS;
    else if (has(table, PATH) && has(table, ZONE) && labelled)
        table->kind = TABLE_LABELS;
    else if (n_features > 0 && has(table, VISIBILITY))
        return mistake(table, "there is no column '%s': these are features of another version",
                       missing);
    else
        return mistake(table, "the columns must be path, scene, reference; or path, scene, zone, "
                              "visibility (or noisy); or those that --save-features writes");
    if (!has(table, SCENE))
        return mistake(table, "there is no column 'scene', which says what belongs together");
    return true;
}

static bool read_head(Table *table, TrainSet *set, const CsvRow *head)
{
    table->n_columns = head->n;
    table->features = cli_calloc((size_t)qb_noise_zone_feature_count(), sizeof *table->features);
    table->baselines = cli_calloc((size_t)head->n, sizeof *table->baselines);
    for (int c = 0; c < N_COLUMNS; c++)
        table->columns[c] = find_column(head, titles[c]);
    if (!check_doubles(table, head) || !find_kind(table, head))
        return false;
    size_t length = strlen(baseline_prefix);
    for (int i = 0; i < head->n; i++) {
        bool is_baseline = strncmp(head->fields[i], baseline_prefix, length) == 0;
        table->baselines[i] = is_baseline ? train_set_baseline(set, head->fields[i] + length) : -1;
    }
    return true;
}

/* ---- fields --------------------------------------------------------------------------------- */

/* The field of a column that may be missing; "" then. */
static const char *field(const Table *table, const CsvRow *row, int column)
{
    return has(table, column) ? row->fields[table->columns[column]] : "";
}

/* A decimal number and nothing else; infinite and hexadecimal ones are none. */
static bool parse_number(double *out, const char *text)
{
    char *end;
    text += strspn(text, " ");
    if (!isdigit((unsigned char)text[strspn(text, "+-.")]) ||
        tolower((unsigned char)text[strspn(text, "+-0")]) == 'x')
        return false;
    *out = strtod(text, &end);
    return end[strspn(end, " ")] == 0 && isfinite(*out);
}

/* column: SAMPLES or REFERENCE_SAMPLES. *out stays as it is where nothing stands. */
static bool read_samples(const Table *table, const CsvRow *row, int column, double *out)
{
    const char *text = field(table, row, column);
    if (*text && (!parse_number(out, text) || *out <= 0))
        return mistake(table, "%s: '%s' is not a number above 0", titles[column], text);
    return true;
}

static bool read_zone(const Table *table, const CsvRow *row, int n_zones, int *out)
{
    const char *text = field(table, row, ZONE);
    double number = 0;
    if (!has(table, ZONE))
        return true;
    if (!parse_number(&number, text) || number != floor(number) || number < 0 || number >= n_zones)
        return mistake(table, "zone: '%s' is not a whole number from 0 to %d", text, n_zones - 1);
    *out = (int)number;
    return true;
}

static bool read_visibility(const Table *table, const CsvRow *row, double *out)
{
    const char *text = field(table, row, VISIBILITY), *noisy = field(table, row, NOISY);
    if (*text || !has(table, NOISY))
        return (parse_number(out, text) && *out >= 0) ||
               mistake(table, "visibility: '%s' is not a number of 0 and more", text);
    if (strcmp(noisy, "0") && strcmp(noisy, "1"))
        return mistake(table, "noisy: '%s' is neither 0 nor 1", noisy);
    *out = *noisy == '1' ? visibility_of_noisy : visibility_of_clean;
    return true;
}

static bool read_values(const Table *table, const CsvRow *row, float *out)
{
    for (int k = 0; k < qb_noise_zone_feature_count(); k++) {
        const char *text = row->fields[table->features[k]];
        double value;
        if (!parse_number(&value, text) || !isfinite((float)value))
            return mistake(table, "%s: '%s' is not a number", qb_noise_zone_feature_name(k), text);
        out[k] = (float)value;
    }
    return true;
}

/* Owned. */
static char *path_field(const Table *table, const CsvRow *row, int column)
{
    const char *name = field(table, row, column);
    Text path = {0};
    text_addf(&path, "%s%s", *name == '/' ? "" : table->folder, name);
    return path.data;
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* Adds the zone with what the row's baselines say. */
static bool add_zone(const Table *table, TrainReading *reading, const CsvRow *row,
                     const TrainZone *zone)
{
    if (isnan(zone->visibility)) {
        reading->n_untold++;
        return true;
    }
    size_t at = train_set_add(reading->set, zone);
    for (int i = 0; i < table->n_columns; i++) {
        const char *text = row->fields[i];
        if (table->baselines[i] < 0 || !*text)
            continue;
        double *value = &reading->set->baselines[table->baselines[i]].values[at];
        if (!parse_number(value, text))
            return mistake(table, "'%s' of a baseline is not a number", text);
    }
    return true;
}

/* What the reference's own noise adds: of what a picture of n samples and one of N differ by, the
 * picture's variance is 1 / n of 1 / n + 1 / N. 1 where the samples are not known. */
static double own_share(double samples, double reference_samples)
{
    bool known = samples > 0 && reference_samples > 0;
    return known ? sqrt(reference_samples / (reference_samples + samples)) : 1;
}

static bool add_picture(const Table *table, TrainReading *reading, const CsvRow *row,
                        TrainZone *zone, const TrainPicture *picture)
{
    size_t n_values = (size_t)qb_noise_zone_feature_count();
    int n_zones = reading->grid.columns * reading->grid.rows;
    double reference_samples = picture->reference_samples;
    bool good = read_samples(table, row, REFERENCE_SAMPLES, &reference_samples);
    if (isnan(zone->samples))
        zone->samples = picture->samples;
    double share = own_share(zone->samples, reference_samples);
    for (int z = 0; z < n_zones && good; z++) {
        if (table->kind == TABLE_LABELS && z != zone->zone)
            continue;
        TrainZone one = *zone;
        one.zone = z;
        one.values = picture->values + (size_t)z * n_values;
        if (table->kind == TABLE_PAIRS)
            one.visibility = share * picture->against.zones[z].visibility;
        good = add_zone(table, reading, row, &one);
    }
    return good;
}

static bool look(const Table *table, TrainReading *reading, const CsvRow *row, TrainZone *zone)
{
    bool pairs = table->kind == TABLE_PAIRS;
    char *path = path_field(table, row, PATH), *error = NULL;
    char *reference = pairs ? path_field(table, row, REFERENCE) : NULL;
    TrainPicture picture;
    bool good;
    if (!*field(table, row, PATH) || (pairs && !*field(table, row, REFERENCE)))
        good = mistake(table, "a path is empty");
    else if (!train_pictures_look(&picture, &error, reading->pictures, path, reference))
        good = mistake(table, "%s", error);
    else
        good = add_picture(table, reading, row, zone, &picture);
    free(error);
    free(reference);
    free(path);
    return good;
}

static bool read_row(const Table *table, TrainReading *reading, const CsvRow *row, float *values)
{
    bool saved = table->kind == TABLE_FEATURES;
    int n_zones = saved ? QB_NOISE_MAX_ZONES : reading->grid.columns * reading->grid.rows;
    TrainZone zone = {.scene = field(table, row, SCENE), .samples = NAN};
    if (row->n != table->n_columns)
        return mistake(table, "has %d fields, the first row has %d", row->n, table->n_columns);
    if (!*zone.scene)
        return mistake(table, "the scene has no name");
    if (!read_samples(table, row, SAMPLES, &zone.samples) ||
        !read_zone(table, row, n_zones, &zone.zone))
        return false;
    if (table->kind == TABLE_PAIRS)
        return look(table, reading, row, &zone);
    if (!read_visibility(table, row, &zone.visibility))
        return false;
    if (!saved)
        return look(table, reading, row, &zone);
    zone.values = values;
    return read_values(table, row, values) && add_zone(table, reading, row, &zone);
}

static int read_rows(Table *table, TrainReading *reading, Csv *csv)
{
    CsvRow row = {0};
    size_t n_before = reading->set->n;
    float *values = cli_calloc((size_t)qb_noise_zone_feature_count(), sizeof *values);
    int code = CLI_OK;
    while (code == CLI_OK && csv_next(csv, &row)) {
        bool is_head = !table->features;
        table->line = row.line;
        if (is_head ? !read_head(table, reading->set, &row)
                    : !read_row(table, reading, &row, values))
            code = CLI_FAILED;
        reading->n_rows += !is_head;
        if (code == CLI_OK && !reading->go_on(reading, reading->user))
            code = CLI_SIGNAL;
    }
    if (code == CLI_OK && csv_error(csv)) {
        table->line = row.line;
        mistake(table, "%s", csv_error(csv));
        code = CLI_FAILED;
    } else if (code == CLI_OK && reading->set->n == n_before) {
        report("%s: there are no zones in it", table->path);
        code = CLI_FAILED;
    }
    free(values);
    return code;
}

int train_table_read(TrainReading *reading, const char *path)
{
    Csv *csv = NULL;
    if (!csv_open(&csv, path)) {
        report("%s: %s", path, strerror(errno));
        return CLI_NO_INPUT;
    }
    const char *slash = strrchr(path, '/');
    Table table = {.path = path, .folder = strndup(path, slash ? (size_t)(slash - path + 1) : 0)};
    if (!table.folder)
        cli_out_of_memory();
    int code = read_rows(&table, reading, csv);
    free(table.folder);
    free(table.features);
    free(table.baselines);
    csv_close(&csv);
    return code;
}
