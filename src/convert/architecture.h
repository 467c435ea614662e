/* architecture.h: what it takes to convert one architecture: a descriptor and tables of names. A
 * new one is a file beside llava.c and a line in architecture_list.c. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_ARCHITECTURE_H
#define QB_CONVERT_ARCHITECTURE_H

#include "convert/network_config.h"
#include "convert/plan.h"
#include "weights/gguf_write.h"

typedef struct QbAbstractorConfig {
    int n_layers, n_heads, width, n_ff, n_queries;
    double norm_eps;
} QbAbstractorConfig;

/* One conversion under way. */
typedef struct QbConversion {
    const char *folder;       /* borrowed: the checkpoint's */
    const char *tower_folder; /* borrowed: the tower's own, or NULL */
    QbConfigFile config, tower_config;
    QbCheckpoint *checkpoint, *tower_checkpoint; /* the second NULL without a tower_folder */
    int n_tokens;                                /* of the tokenizer */
    QbPlan plan;

    QbDecoderConfig decoder;
    QbTowerConfig tower;
    int tower_layers; /* to run: the first ones */
    QbPixelConfig pixels;
    QbAbstractorConfig abstractor;
} QbConversion;

typedef struct QbConvertArch {
    const char *name;           /* general.architecture */
    const char *model_types[4]; /* of config.json; NULL behind the last */
    bool takes_tower_folder;

    /* Fills decoder, tower, tower_layers, abstractor from the two config files. */
    QbStatus (*read_config)(QbConversion *c);
    /* The preset that config.json tells without doubt, or NULL. */
    const char *(*guess_preset)(const QbConversion *c);
    /* Applies the tables of names to the plan. */
    QbStatus (*plan)(QbConversion *c);
    /* Keys beside those of decoder, tower and pixels; may be NULL. */
    void (*put_keys)(const QbConversion *c, QbGgufWriter *w);
} QbConvertArch;

/* The one for config.json's model_type; the text of a failure says what can be converted. */
QbStatus qb_convert_arch_find(const QbConvertArch **out, const QbConfigFile *config);

#endif
