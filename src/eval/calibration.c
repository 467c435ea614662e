/* calibration.c: a fitted mapping as a JSON file, and scores on a data set's scale by it.
 *
 * {"schema": "qboost.calibration/1",
 *  "dataset", "model", "model_hash", "method": texts or null,
 *  "n": pairs, "srcc", "plcc", "rmse": numbers or null,
 *  "opinion": {"lowest", "highest"}, "score": {"lowest", "highest"},
 *  "mapping": {"n_params": 4 or 5, "b": [numbers]}}
 * All keys must be there; others are let pass, for what later versions add. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/eval.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1048576, DIGITS = 17 };

static const char SCHEMA[] = "qboost.calibration/1";

struct QbCalibration {
    QbCalibrationInfo info;
    char *text[4]; /* owned: those of info, in its order */
};

void qb_calibration_info_init(QbCalibrationInfo *info)
{
    *info = (QbCalibrationInfo){.size = sizeof *info,
                                .srcc = NAN,
                                .plcc = NAN,
                                .rmse = NAN,
                                .lowest = NAN,
                                .highest = NAN,
                                .lowest_score = NAN,
                                .highest_score = NAN};
}

/* What makes every later step defined. Names are those of the file. */
/* No scale of opinions goes so far, and numbers stay readable. */
static const double LARGEST_OPINION = 1e9;

static QbStatus check_info(const QbCalibrationInfo *info, QbStatus wrong)
{
    const QbLogistic *mapping = &info->mapping;
    if (mapping->n_params != 4 && mapping->n_params != 5)
        return qb_fail(wrong, "mapping.n_params is %d, expected 4 or 5", mapping->n_params);
    for (int i = 0; i < mapping->n_params; i++)
        if (!isfinite(mapping->b[i]))
            return qb_fail(wrong, "mapping.b[%d] is not a finite number", i);
    if (mapping->n_params == 4 && mapping->b[3] == 0)
        return qb_fail(wrong, "mapping.b[3] is 0, a curve without width");
    if (!(fabs(info->lowest) <= LARGEST_OPINION && fabs(info->highest) <= LARGEST_OPINION) ||
        info->lowest >= info->highest)
        return qb_fail(wrong, "opinion.lowest and opinion.highest are no range: %g, %g",
                       info->lowest, info->highest);
    if (!isfinite(info->lowest_score) || !isfinite(info->highest_score) ||
        info->lowest_score > info->highest_score)
        return qb_fail(wrong, "score.lowest and score.highest are no range: %g, %g",
                       info->lowest_score, info->highest_score);
    if (info->n < 0)
        return qb_fail(wrong, "n is %lld, a number of pairs is expected", (long long)info->n);
    return QB_OK;
}

/* ---- writing ------------------------------------------------------------------------------------
 */

/* Takes value; a NULL (no memory) spoils the object, which build sees at its end. */
static void put(json_t **object, const char *key, json_t *value)
{
    if (!value || !*object || json_object_set_new(*object, key, value)) {
        json_decref(*object);
        *object = NULL;
    }
}

static json_t *known_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *range(double lowest, double highest)
{
    json_t *object = json_object();
    put(&object, "lowest", json_real(lowest));
    put(&object, "highest", json_real(highest));
    return object;
}

static json_t *mapping_object(const QbLogistic *mapping)
{
    json_t *object = json_object(), *list = json_array();
    for (int i = 0; i < mapping->n_params && list; i++)
        if (json_array_append_new(list, json_real(mapping->b[i]))) {
            json_decref(list);
            list = NULL;
        }
    put(&object, "n_params", json_integer(mapping->n_params));
    put(&object, "b", list);
    return object;
}

static QbStatus build(char **out, const QbCalibrationInfo *info)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"dataset", info->dataset},
                 {"model", info->model},
                 {"model_hash", info->model_hash},
                 {"method", info->method}};
    json_t *object = json_object();
    put(&object, "schema", json_string(SCHEMA));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *value = texts[i].text ? json_string(texts[i].text) : json_null();
        if (!value) {
            json_decref(object);
            return qb_fail(QB_ERR_ARG, "%s \"%s\" is not UTF-8", texts[i].key, texts[i].text);
        }
        put(&object, texts[i].key, value);
    }
    put(&object, "n", json_integer(info->n));
    put(&object, "srcc", known_number(info->srcc));
    put(&object, "plcc", known_number(info->plcc));
    put(&object, "rmse", known_number(info->rmse));
    put(&object, "opinion", range(info->lowest, info->highest));
    put(&object, "score", range(info->lowest_score, info->highest_score));
    put(&object, "mapping", mapping_object(&info->mapping));
    *out = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(object);
    return *out ? QB_OK : qb_fail(QB_ERR_NOMEM, "out of memory");
}

QbStatus qb_calibration_save(const char *path, const QbCalibrationInfo *info)
{
    QbAtomicFile file;
    char *text;
    if (!path || !info)
        return qb_fail(QB_ERR_ARG, "qb_calibration_save: an argument is NULL");
    if (info->size != sizeof *info)
        return qb_fail(QB_ERR_ARG,
                       "qb_calibration_save: info was not set up by qb_calibration_info_init");
    QbStatus status = check_info(info, QB_ERR_ARG);
    if (!status)
        status = build(&text, info);
    if (status)
        return status;
    status = qb_atomic_file_open(&file, path);
    if (!status) {
        fprintf(file.stream, "%s\n", text);
        status = qb_atomic_file_commit(&file);
    }
    free(text);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static QbStatus find(const json_t **out, const json_t *object, const char *prefix, const char *key)
{
    *out = json_object_get(object, key);
    return *out ? QB_OK : qb_fail(QB_ERR_FORMAT, "%s%s is missing", prefix, key);
}

static QbStatus read_number(double *out, const json_t *object, const char *prefix, const char *key,
                            bool may_be_null)
{
    const json_t *value;
    QbStatus status = find(&value, object, prefix, key);
    if (status)
        return status;
    if (!json_is_number(value) && !(may_be_null && json_is_null(value)))
        return qb_fail(QB_ERR_FORMAT, "%s%s is not a number", prefix, key);
    *out = json_is_null(value) ? NAN : json_number_value(value);
    return QB_OK;
}

static QbStatus read_text(char **out, const json_t *object, const char *key)
{
    const json_t *value;
    QbStatus status = find(&value, object, "", key);
    if (status || json_is_null(value))
        return status;
    if (!json_is_string(value))
        return qb_fail(QB_ERR_FORMAT, "%s is not a text", key);
    *out = qb_strdup(json_string_value(value));
    return *out ? QB_OK : QB_ERR_NOMEM;
}

static QbStatus read_whole(int64_t *out, const json_t *object, const char *prefix, const char *key)
{
    const json_t *value;
    QbStatus status = find(&value, object, prefix, key);
    if (!status && !json_is_integer(value))
        status = qb_fail(QB_ERR_FORMAT, "%s%s is not a whole number", prefix, key);
    if (!status)
        *out = json_integer_value(value);
    return status;
}

static QbStatus read_range(double *lowest, double *highest, const json_t *root, const char *key,
                           const char *prefix)
{
    const json_t *object;
    QbStatus status = find(&object, root, "", key);
    if (!status)
        status = read_number(lowest, object, prefix, "lowest", false);
    return status ? status : read_number(highest, object, prefix, "highest", false);
}

static QbStatus read_mapping(QbLogistic *out, const json_t *root)
{
    const json_t *object, *list;
    int64_t n_params = 0;
    QbStatus status = find(&object, root, "", "mapping");
    if (!status)
        status = read_whole(&n_params, object, "mapping.", "n_params");
    if (!status)
        status = find(&list, object, "mapping.", "b");
    if (status)
        return status;
    if (n_params != 4 && n_params != 5)
        return qb_fail(QB_ERR_FORMAT, "mapping.n_params is %lld, expected 4 or 5",
                       (long long)n_params);
    if (json_array_size(list) != (size_t)n_params)
        return qb_fail(QB_ERR_FORMAT, "mapping.b is not an array of %lld numbers",
                       (long long)n_params);
    out->n_params = (int)n_params;
    for (int i = 0; i < out->n_params; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        if (!json_is_number(value))
            return qb_fail(QB_ERR_FORMAT, "mapping.b[%d] is not a number", i);
        out->b[i] = json_number_value(value);
    }
    return QB_OK;
}

static QbStatus read_root(QbCalibration *c, const json_t *root)
{
    static const char *const keys[] = {"dataset", "model", "model_hash", "method"};
    QbCalibrationInfo *info = &c->info;
    const char *schema = json_string_value(json_object_get(root, "schema"));
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return qb_fail(QB_ERR_FORMAT, "schema is not \"%s\"", SCHEMA);
    qb_calibration_info_init(info);
    QbStatus status = QB_OK;
    for (int i = 0; i < 4 && !status; i++)
        status = read_text(&c->text[i], root, keys[i]);
    info->dataset = c->text[0];
    info->model = c->text[1];
    info->model_hash = c->text[2];
    info->method = c->text[3];
    if (!status)
        status = read_whole(&info->n, root, "", "n");
    if (!status)
        status = read_number(&info->srcc, root, "", "srcc", true);
    if (!status)
        status = read_number(&info->plcc, root, "", "plcc", true);
    if (!status)
        status = read_number(&info->rmse, root, "", "rmse", true);
    if (!status)
        status = read_range(&info->lowest, &info->highest, root, "opinion", "opinion.");
    if (!status)
        status = read_range(&info->lowest_score, &info->highest_score, root, "score", "score.");
    if (!status)
        status = read_mapping(&info->mapping, root);
    return status ? status : check_info(info, QB_ERR_FORMAT);
}

QbStatus qb_calibration_open(QbCalibration **out, const char *path)
{
    uint8_t *data = NULL;
    size_t size;
    json_error_t error;
    json_t *root = NULL;
    if (!out || !path)
        return qb_fail(QB_ERR_ARG, "qb_calibration_open: an argument is NULL");
    *out = NULL;
    QbStatus status = qb_file_read(&data, &size, path, MAX_FILE_BYTES);
    if (status)
        return status;
    QbCalibration *calibration = qb_calloc(1, sizeof *calibration);
    root =
        calibration ? json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (!calibration || (!root && json_error_code(&error) == json_error_out_of_memory))
        status = qb_fail(QB_ERR_NOMEM, "out of memory");
    else if (!root)
        status = qb_fail(QB_ERR_FORMAT, "line %d: %s", error.line, error.text);
    else
        status = read_root(calibration, root);
    json_decref(root);
    qb_free(data);
    if (status) {
        qb_calibration_free(&calibration);
        return status == QB_ERR_NOMEM ? status : qb_fail_prefix(status, "%s", path);
    }
    *out = calibration;
    return QB_OK;
}

void qb_calibration_free(QbCalibration **calibration)
{
    if (!calibration || !*calibration)
        return;
    for (int i = 0; i < 4; i++)
        qb_free((*calibration)->text[i]);
    qb_free(*calibration);
    *calibration = NULL;
}

const QbCalibrationInfo *qb_calibration_info(const QbCalibration *calibration)
{
    return &calibration->info;
}

double qb_calibration_apply(const QbCalibration *calibration, double score)
{
    const QbCalibrationInfo *info = &calibration->info;
    double value = qb_logistic_map(&info->mapping, score);
    return isnan(value) ? NAN : fmax(info->lowest, fmin(info->highest, value));
}
