/* network_config.h: what config.json says of the parts that the published models share: LLaMA
 * decoder, CLIP tower, pixels. Defaults are those of the models' own code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_NETWORK_CONFIG_H
#define QB_CONVERT_NETWORK_CONFIG_H

#include "convert/config.h"

typedef struct QbDecoderConfig {
    int width, n_ff, n_layers, n_heads, n_kv_heads, n_context;
    double norm_eps, rope_base;
    bool tied; /* the embedding is the output head as well */
} QbDecoderConfig;

/* norm_eps: the default. */
QbStatus qb_decoder_config_read(QbDecoderConfig *out, const QbConfigNode *node, double norm_eps);

typedef struct QbTowerConfig {
    int image_size, patch_size, width, n_ff, n_heads, n_layers;
    double norm_eps;
    bool use_gelu; /* instead of quick GELU */
} QbTowerConfig;

/* Defaults: CLIP ViT-L/14. */
QbStatus qb_tower_config_read(QbTowerConfig *out, const QbConfigNode *node, int image_size,
                              double norm_eps);

typedef struct QbPixelConfig {
    float mean[3], std[3];
} QbPixelConfig;

/* preprocessor_config.json of a folder, which must agree with the tower; without the file CLIP's
 * constants. *found: whether it is there. */
QbStatus qb_pixel_config_read(QbPixelConfig *out, bool *found, const char *folder, int image_size);

#endif
