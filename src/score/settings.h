/* settings.h: what a scorer is to ask and read, put together from the options, a prompt file and
 * the model's own manners, in that order. In options and in a file a variant stands for template,
 * prompt, method and fit together, and what is said beside it for the part that it names. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_SCORE_SETTINGS_H
#define QB_SCORE_SETTINGS_H

#include "score/mcq_layout.h"
#include "score/method.h"
#include "score/prompt.h"

#include <stdbool.h>

/* What the pictures are; see QbScorerOptions.video. */
typedef enum QbVideoWay { QB_VIDEO_NONE = 0, QB_VIDEO_FRAMES, QB_VIDEO_CLIP } QbVideoWay;

const char *qb_video_way_name(QbVideoWay way); /* "", "frames", "clip" */

typedef struct QbSettings {
    const char *variant;                     /* its name; "" when it is not a published one */
    QbTemplate score_template, ask_template; /* texts of the model or the library */
    /* Two pictures, and which of them is better; the answer begins with the {nth} of one. text
     * NULL: the model was not taught that. */
    QbTemplate pair_template;
    const char *pair_prompt;
    QbVideoWay video;
    QbFit fit;
    const QbMcqLayout *mcq_layout;
    const QbScoreMethod *method;
    bool own_tones; /* not the method's */
    char *prompt;   /* owned */
    QbTones tones;
    double temperature;
} QbSettings;

QbStatus qb_settings_init(QbSettings *out, const QbScorerOptions *options, const QbModel *model);
void qb_settings_deinit(QbSettings *settings);

#endif
