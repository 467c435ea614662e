/* settings.h: what a scorer is to ask and read, put together from the options, a prompt file and
 * the model's own defaults, in that order. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_SETTINGS_H
#define QB_SCORE_SETTINGS_H

#include "models/model.h"
#include "score/method.h"

#include <stdbool.h>

typedef struct QbSettings {
    const QbScoreMethod *method;
    bool own_tones; /* not the method's */
    char *prompt;   /* owned */
    QbTones tones;
    double temperature;
} QbSettings;

QbStatus qb_settings_init(QbSettings *out, const QbScorerOptions *options, const QbModel *model);
void qb_settings_deinit(QbSettings *settings);

#endif
