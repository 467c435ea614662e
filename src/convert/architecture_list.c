/* architecture_list.c: the architectures that can be converted, and sentences about those that
 * look as if. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/architecture.h"

#include "base/error.h"

#include <string.h>

extern const QbConvertArch qb_convert_llava;
extern const QbConvertArch qb_convert_mplug_owl2;

static const QbConvertArch *const list[] = {
    &qb_convert_llava,
    &qb_convert_mplug_owl2,
};

/* Published relatives that people will try. */
static const struct {
    const char *model_type, *what;
} relatives[] = {
    {"mplug_owl2_1", "mPLUG-Owl2.1 (a Qwen decoder), another network than mPLUG-Owl2"},
    {"llava_next", "LLaVA-1.6 (several tiles a picture); LLaVA-1.5 can be converted"},
    {"llava_mistral", "LLaVA-1.6 (a Mistral decoder); LLaVA-1.5 can be converted"},
    {"llama", "a language model without eyes; the folder of the whole model is needed"},
    {"clip", "the vision tower alone; give the language model's folder, and this one as the "
             "vision tower"},
};

QbStatus qb_convert_arch_find(const QbConvertArch **out, const QbConfigFile *config)
{
    QbConfigNode root = qb_config_root(config);
    const char *type = NULL;
    QbStatus status = qb_config_text(&type, &root, "model_type");
    if (status)
        return status;
    if (!type)
        return qb_fail(QB_ERR_FORMAT, "%s: model_type is missing, expected llava or mplug_owl2",
                       config->path);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        for (int j = 0; list[i]->model_types[j]; j++)
            if (!strcmp(list[i]->model_types[j], type)) {
                *out = list[i];
                return QB_OK;
            }
    for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++)
        if (!strcmp(relatives[i].model_type, type))
            return qb_fail(QB_ERR_UNSUPPORTED, "%s: model_type \"%s\" is %s", config->path, type,
                           relatives[i].what);
    return qb_fail(QB_ERR_UNSUPPORTED,
                   "%s: model_type \"%s\" cannot be converted; llava and mplug_owl2 can",
                   config->path, type);
}
