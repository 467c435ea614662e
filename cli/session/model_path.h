/* model_path.h: from what the user calls a model to a file. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_MODEL_PATH_H
#define QBOOST_CLI_MODEL_PATH_H

#include <stdbool.h>

/* *path: owned, freed by free(); NULL for the embedded model. false: not found; the places searched
 * are reported. name: a path (with a slash or of a file in the current folder), a bare name,
 * "default" or NULL for the embedded model. */
bool model_path_find(char **path, const char *name);

#endif
