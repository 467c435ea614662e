/* plan.h: from the names of a checkpoint to the tensors of the GGUF file. An architecture is a few
 * tables of rules; a rule says what a tensor is called on both sides, its shape and how it is kept.
 * Applying the tables finds every tensor that is needed and checks its shape; what is left over
 * must be known and ignored, or the conversion stops. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_PLAN_H
#define QB_CONVERT_PLAN_H

#include "convert/storage.h"
#include "weights/checkpoint.h"

/* The sizes that shapes are made of; an architecture fills in those it uses. */
typedef enum QbDim {
    QB_DIM_NONE, /* ends a shape */
    QB_DIM_WIDTH,
    QB_DIM_FF,
    QB_DIM_KV, /* n_kv_heads * head_dim */
    QB_DIM_VOCAB,
    QB_DIM_TOWER,
    QB_DIM_TOWER_FF,
    QB_DIM_TOWER_QKV, /* 3 * tower */
    QB_DIM_CHANNELS,
    QB_DIM_PATCH,
    QB_DIM_POSITIONS, /* patches and the class token */
    QB_DIM_QUERIES,
    QB_DIM_ABSTRACTOR,
    QB_DIM_ABSTRACTOR_FF,
    QB_DIM_COUNT
} QbDim;

/* Which row of the checkpoint becomes row 0, 1, … of the file. h: head, d: rows a head. */
typedef enum QbRowOrder {
    QB_ROWS_PLAIN,
    QB_ROWS_ROTARY,      /* decoder heads: row 2i + j was row j * d/2 + i, so that a rotary pair
                            stands side by side */
    QB_ROWS_FUSED_QUERY, /* tower heads of a fused matrix: rows (3h + 0) d … */
    QB_ROWS_FUSED_KEY,   /* (3h + 1) d … */
    QB_ROWS_FUSED_VALUE, /* (3h + 2) d … */
} QbRowOrder;

typedef enum QbRuleFlags { QB_RULE_OPTIONAL = 1 } QbRuleFlags;

typedef struct QbRule {
    const char *source, *target; /* names; %d is the layer */
    QbRole role;
    uint8_t shape[QB_TENSOR_MAX_DIMS]; /* QbDim, of the source, without dimensions of 1 in front */
    QbRowOrder order;
    int flags;
} QbRule;

typedef struct QbRuleSet {
    const QbCheckpoint *from;
    const char *prefix; /* stands in front of every source and ignored name */
    const QbRule *rules;
    int n_rules;
    int n_layers;               /* 0: no layers, no %d in the names */
    int n_skipped;              /* layers behind those that are known and left out */
    const char *const *ignored; /* names, * for any text; NULL at the end; or NULL */
} QbRuleSet;

typedef struct QbPlanTensor {
    char name[64];
    QbType type;
    int n_dims;
    int64_t ne[QB_TENSOR_MAX_DIMS]; /* as GGUF has it */
    int64_t rows, columns;          /* rows * columns values */
    QbRowOrder order;
    int head_rows;
    const QbCheckpoint *from;
    const QbCheckpointTensor *source;
} QbPlanTensor;

typedef struct QbPlan {
    const char *folder;       /* borrowed: for messages */
    const QbStorage *storage; /* borrowed */
    int64_t dim[QB_DIM_COUNT];
    int head_dim, tower_head_dim;
    QbPlanTensor *tensors; /* owned */
    int n, capacity;
    QbRuleSet sets[16];
    int n_sets;
} QbPlan;

void qb_plan_deinit(QbPlan *plan);

/* Adds the tensors of the set, layer by layer. */
QbStatus qb_plan_apply(QbPlan *plan, const QbRuleSet *set);

/* QB_ERR_UNSUPPORTED for the first tensor of a checkpoint that no set applied has a name for. */
QbStatus qb_plan_check_leftovers(const QbPlan *plan, const QbCheckpoint *checkpoint);

/* Whether some tensor's name begins with prefix and rest. */
bool qb_checkpoint_has_prefix(const QbCheckpoint *checkpoint, const char *prefix, const char *rest);

/* "[2, 3]". */
void qb_shape_text(char *out, size_t size, const int64_t *shape, int n_dims);

#endif
