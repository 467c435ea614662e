/* preset.h: which published model a checkpoint is, in the user's words, and how that model is asked
 * on each architecture. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_PRESET_H
#define QB_CONVERT_PRESET_H

#include "score/variant.h"

#include <qboost/error.h>

typedef struct QbPreset {
    const char *name, *help;
    const char *variants[4]; /* names of variants, one an architecture; NULL behind the last */
} QbPreset;

/* NULL past the last one. */
const QbPreset *qb_preset_at(int index);

/* The variant of preset `name` for an architecture. QB_ERR_ARG when there is no such preset, it has
 * nothing for the architecture, or name is NULL; the text lists the presets. folder: for the text.
 */
QbStatus qb_preset_choose(const QbVariant **out, const char *name, const char *architecture,
                          const char *folder);

#endif
