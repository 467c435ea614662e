/* method_list.c: the scoring methods, one entry each. A new one is an entry here. */
// SPDX-License-Identifier: Apache-2.0
#include "score/method.h"

#include "base/error.h"
#include "base/names.h"

#include <string.h>

static const QbScoreMethod list[] = {
    {
        .name = "tti",
        .help = "Triadic-Tone Integration: good, average, poor",
        .tones = "good / average / poor",
        .temperature = 1,
    },
    {
        .name = "mpe",
        .help = "Multi-Prompt Ensemble: three words a tone, their logits averaged",
        .tones = "good high fine / average medium acceptable / poor low bad",
        .temperature = 1,
    },
    {
        /* T = 100 makes the score nearly linear in the logit difference; the published PLCCs of
         * Q-Bench and Q-Instruct were computed with it. */
        .name = "binary",
        .help = "Q-Bench's baseline: good against poor",
        .tones = "good / poor",
        .temperature = 100,
    },
    {
        .name = "levels",
        .help = "Q-Align's five levels: excellent, good, fair, poor, bad",
        .tones = "excellent / good / fair / poor / bad",
        .temperature = 1,
    },
};

const QbScoreMethod *qb_score_method_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? &list[index] : NULL;
}

const QbScoreMethod *qb_score_method_find(const char *name)
{
    for (int i = 0; qb_score_method_at(i); i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

QbStatus qb_score_method_choose(const QbScoreMethod **out, const char *name)
{
    *out = qb_score_method_find(name);
    if (*out)
        return QB_OK;
    char known[256];
    qb_names_join(known, sizeof known, qb_method_name);
    return qb_fail(QB_ERR_ARG, "unknown method \"%s\" (%s)", name, known);
}

const char *qb_method_name(int index)
{
    const QbScoreMethod *method = qb_score_method_at(index);
    return method ? method->name : NULL;
}

const char *qb_method_help(int index)
{
    const QbScoreMethod *method = qb_score_method_at(index);
    return method ? method->help : NULL;
}
