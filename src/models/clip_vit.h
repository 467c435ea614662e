/* clip_vit.h: CLIP's vision transformer as a tower: a square picture in, one row a patch out. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_CLIP_VIT_H
#define QB_MODELS_CLIP_VIT_H

#include "engine/attention.h"
#include "models/load.h"

typedef struct QbClipLayer {
    const float *ln1_w, *ln1_b; /* [width] */
    QbLinear q, k, v, o;        /* [width][width] with bias */
    const float *ln2_w, *ln2_b; /* [width] */
    QbLinear fc1;               /* [n_ff][width] with bias */
    QbLinear fc2;               /* [width][n_ff] with bias */
} QbClipLayer;

typedef struct QbClipVit {
    int image_size, patch_size, grid;   /* grid * grid patches */
    int width, n_heads, n_ff, n_layers; /* n_layers: those that are run */
    float norm_eps;
    QbAct act;
    const float *class_embedding; /* [width] */
    QbLinear patch;               /* [width][patch_size * patch_size * 3], order (y, x, channel) */
    const float *position_embedding;    /* [1 + grid * grid][width] */
    const float *pre_ln_w, *pre_ln_b;   /* [width] */
    QbClipLayer *layers;                /* [n_layers] */
    const float *post_ln_w, *post_ln_b; /* [width] or NULL */
} QbClipVit;

/* Reads the keys clip.vision.* and the tensors v.*, as llama.cpp's converter names them. */
QbStatus qb_clip_vit_load(QbClipVit *out, const QbLoader *loader);

/* The LayerNorm behind the last layer, v.post_ln, for architectures that read the tower's end. */
QbStatus qb_clip_vit_load_post_norm(QbClipVit *vit, const QbLoader *loader);

typedef struct QbClipVitState {
    float *picture;          /* [image_size][image_size][3], normalised: filled by the caller */
    float *patches;          /* [grid * grid][patch_size * patch_size * 3] */
    float *x, *h;            /* [1 + grid * grid][width] */
    float *q, *k, *v, *attn; /* the same */
    float *ff;               /* [1 + grid * grid][n_ff] */
} QbClipVitState;

void qb_clip_vit_layout(QbClipVitState *state, QbOps *ops, QbArena *arena, const QbClipVit *vit);

/* state->picture -> state->x: row 0 the class token, then the patches, after the last layer that is
 * run and, where the tower has one, the LayerNorm behind it. */
void qb_clip_vit_forward(QbClipVitState *state, const QbOps *ops, const QbClipVit *vit);

#endif
