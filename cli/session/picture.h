/* picture.h: a picture from a file or from standard input. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_PICTURE_H
#define QBOOST_CLI_PICTURE_H

#include <qboost/light.h>
#include <stdbool.h>

/* path: of a file; what error texts call it when is_stdin. On failure *error is why: owned, freed
 * by free(). Standard input is read to its end, but not beyond options->max_bytes. */
QbStatus picture_open(QbImage **out, char **error, const char *path, bool is_stdin,
                      const QbImageOptions *options);

/* The same for pictures of light. */
QbStatus light_open(QbLight **out, char **error, const char *path, bool is_stdin,
                    const QbLightOptions *options);

#endif
