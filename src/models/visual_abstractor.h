/* visual_abstractor.h: mPLUG-Owl2's visual abstractor: learned queries that read the rows of a
 * vision tower, so that a picture becomes a fixed, small number of rows. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_VISUAL_ABSTRACTOR_H
#define QB_MODELS_VISUAL_ABSTRACTOR_H

#include "engine/attention.h"
#include "models/load.h"

typedef struct QbAbstractorLayer {
    const float *ln_q_w, *ln_q_b;     /* [width]: the queries' */
    const float *ln_kv_w, *ln_kv_b;   /* [width]: the tower's rows' */
    const float *pos;                 /* [n_queries + n_memory][width]: of the queries, then of the
                                         tower's rows */
    QbLinear q, k, v, o;              /* [width][width] with bias */
    const float *ln2_w, *ln2_b;       /* [width] */
    QbLinear gate, up;                /* [n_ff][width] with bias */
    const float *ffn_ln_w, *ffn_ln_b; /* [n_ff] */
    QbLinear down;                    /* [width][n_ff] with bias */
} QbAbstractorLayer;

typedef struct QbAbstractor {
    int n_layers, n_queries, n_memory, width, n_heads, n_ff;
    float ffn_eps;             /* of ffn_ln; the other norms have 1e-5 */
    const float *queries;      /* [n_queries][width] */
    QbAbstractorLayer *layers; /* [n_layers] */
} QbAbstractor;

/* Reads the keys "<prefix>.abstractor.*" and the tensors a.*. The tower gives 1 + grid * grid rows
 * of width. */
QbStatus qb_abstractor_load(QbAbstractor *out, const QbLoader *loader, const char *prefix,
                            int width, int grid);

typedef struct QbAbstractorState {
    float *x;         /* [n_queries][width]: the result */
    float *q, *attn;  /* the same */
    float *kv;        /* [n_queries + n_memory][width]: normed queries and tower's rows */
    float *kv_pos;    /* the same, positions added */
    float *k, *v;     /* the same */
    float *gate, *up; /* [n_queries][n_ff] */
} QbAbstractorState;

void qb_abstractor_layout(QbAbstractorState *state, QbOps *ops, QbArena *arena,
                          const QbAbstractor *abstractor);

/* memory[n_memory][width] -> state->x. */
void qb_abstractor_forward(QbAbstractorState *state, const QbOps *ops,
                           const QbAbstractor *abstractor, const float *memory);

#endif
