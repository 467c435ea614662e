/* preset_list.c: the presets, one entry each. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/preset.h"

#include "base/error.h"

#include <qboost/convert.h>
#include <stdio.h>
#include <string.h>

static const QbPreset list[] = {
    {
        .name = "q-instruct",
        .help = "Q-Instruct on mPLUG-Owl2 or LLaVA-1.5: its evaluation's prompt, centre crop",
        .variants = {"q-instruct-eval", "llava-eval"},
    },
    {
        .name = "q-align",
        .help = "Q-Align and OneAlign: the public scorer's prompt, five levels, padded",
        .variants = {"q-align-scorer"},
    },
    {
        .name = "deqa",
        .help = "DeQA-Score: asked as Q-Align's scorer asks about pictures",
        .variants = {"deqa"},
    },
    {
        .name = "co-instruct",
        .help = "Co-Instruct: questions about one picture or several, padded",
        .variants = {"co-instruct"},
    },
    {
        .name = "llava",
        .help = "LLaVA-1.5 itself, asked as Q-Instruct's evaluation asks it (centre crop): its "
                "published scores were made so",
        .variants = {"llava-eval"},
    },
};

const QbPreset *qb_preset_at(int index)
{
    return index >= 0 && index < (int)(sizeof list / sizeof *list) ? &list[index] : NULL;
}

static const QbVariant *variant_for(const QbPreset *preset, const char *architecture)
{
    for (int i = 0; preset->variants[i]; i++) {
        const QbVariant *variant = qb_variant_find(preset->variants[i]);
        if (variant && qb_variant_suits(variant, architecture))
            return variant;
    }
    return NULL;
}

/* Presets for an architecture: "q-align (Q-Align and …); deqa (…)". */
static void describe(char *out, size_t size, const char *architecture)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; qb_preset_at(i); i++)
        if (variant_for(&list[i], architecture) && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s (%s)", used ? "; " : "",
                                     list[i].name, list[i].help);
}

QbStatus qb_preset_choose(const QbVariant **out, const char *name, const char *architecture,
                          const char *folder)
{
    char known[1024];
    const QbPreset *preset = NULL;
    describe(known, sizeof known, architecture);
    *out = NULL;
    if (!name)
        return qb_fail(QB_ERR_ARG,
                       "%s: config.json does not tell how this model is to be asked; choose a "
                       "preset: %s",
                       folder, known);
    for (int i = 0; qb_preset_at(i) && !preset; i++)
        if (!strcmp(list[i].name, name))
            preset = &list[i];
    if (!preset)
        return qb_fail(QB_ERR_ARG, "there is no preset \"%s\"; choose one: %s", name, known);
    *out = variant_for(preset, architecture);
    if (!*out)
        return qb_fail(QB_ERR_ARG, "%s: preset \"%s\" is not for a model of architecture %s: %s",
                       folder, name, architecture, known);
    return QB_OK;
}

const char *qb_convert_preset_name(int index)
{
    const QbPreset *preset = qb_preset_at(index);
    return preset ? preset->name : NULL;
}

const char *qb_convert_preset_help(int index)
{
    const QbPreset *preset = qb_preset_at(index);
    return preset ? preset->help : NULL;
}
