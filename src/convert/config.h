/* config.h: config.json and its kin, read by name and kind. The files come from strangers: their
 * size is limited, a key given twice is refused, and a value of the wrong kind or out of range is
 * an error that names file, key, expected and got. A key that is absent or null keeps its default.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_CONFIG_H
#define QB_CONVERT_CONFIG_H

#include <jansson.h>
#include <qboost/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { QB_CONFIG_MAX_BYTES = 1 << 20 };

typedef struct QbConfigFile {
    char *path;   /* owned */
    json_t *root; /* owned; an object; NULL = there is no such file */
} QbConfigFile;

/* folder/name; without required an absent file leaves root NULL. */
QbStatus qb_config_open(QbConfigFile *out, const char *folder, const char *name, bool required);
void qb_config_close(QbConfigFile *file);

/* From text in memory, for tests; name: for messages. */
QbStatus qb_config_parse(QbConfigFile *out, const char *text, size_t length, const char *name);

/* An object of the file. */
typedef struct QbConfigNode {
    const char *file;     /* borrowed from the QbConfigFile */
    const char *prefix;   /* of keys in messages: "", "vision_config." */
    const json_t *object; /* borrowed; NULL: empty */
} QbConfigNode;

QbConfigNode qb_config_root(const QbConfigFile *file);

/* The object at key; prefix: "<key>.", with the parents'. Empty when absent. */
QbStatus qb_config_child(QbConfigNode *out, const QbConfigNode *node, const char *key,
                         const char *prefix);

bool qb_config_has(const QbConfigNode *node, const char *key); /* there and not null */

/* min <= value <= max; a number that is whole counts however it is written. */
QbStatus qb_config_int(int *out, const QbConfigNode *node, const char *key, int min, int max);
/* min < value < max. */
QbStatus qb_config_real(double *out, const QbConfigNode *node, const char *key, double min,
                        double max);
QbStatus qb_config_bool(bool *out, const QbConfigNode *node, const char *key);
/* *out: borrowed from the file. */
QbStatus qb_config_text(const char **out, const QbConfigNode *node, const char *key);
/* Three numbers; absent or null leaves out alone. */
QbStatus qb_config_triple(float out[3], const QbConfigNode *node, const char *key, double min,
                          double max);

/* QB_ERR_UNSUPPORTED when the text at key is there and not `only`; reason ends the sentence. */
QbStatus qb_config_only(const QbConfigNode *node, const char *key, const char *only,
                        const char *reason);

#endif
