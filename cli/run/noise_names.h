/* noise_names.h: the names of what `qboost noise` writes for each picture. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_NAMES_H
#define QBOOST_CLI_NOISE_NAMES_H

#include "input/inputs.h"

#include <stdint.h>

/* "map.png" for the third picture frames/a.exr: "map-3-a.png"; owned by the caller. number 0: there
 * is only one picture, whose file is called as it was asked for. */
char *noise_name(const char *file, int64_t number, const Input *input);

/* Both exist and are one file. */
bool is_same_file(const char *a, const char *b);

#endif
