/* names.h: tables of names that several architectures share: LLaMA decoder and CLIP tower as the
 * Hugging Face checkpoints have them, and the keys that go with them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_NAMES_H
#define QB_CONVERT_NAMES_H

#include "convert/architecture.h"

/* Rules of a decoder layer that hold with and without modality-adaptive modules. */
// clang-format off
#define QB_LLAMA_SHARED_RULES                                                                      \
    {"layers.%d.self_attn.q_proj.weight", "blk.%d.attn_q.weight", QB_ROLE_DECODER,                 \
     {QB_DIM_WIDTH, QB_DIM_WIDTH}, QB_ROWS_ROTARY, 0},                                             \
    {"layers.%d.self_attn.o_proj.weight", "blk.%d.attn_output.weight", QB_ROLE_DECODER,            \
     {QB_DIM_WIDTH, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},                                              \
    {"layers.%d.mlp.gate_proj.weight", "blk.%d.ffn_gate.weight", QB_ROLE_DECODER,                  \
     {QB_DIM_FF, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},                                                 \
    {"layers.%d.mlp.up_proj.weight", "blk.%d.ffn_up.weight", QB_ROLE_DECODER,                      \
     {QB_DIM_FF, QB_DIM_WIDTH}, QB_ROWS_PLAIN, 0},                                                 \
    {"layers.%d.mlp.down_proj.weight", "blk.%d.ffn_down.weight", QB_ROLE_DECODER,                  \
     {QB_DIM_WIDTH, QB_DIM_FF}, QB_ROWS_PLAIN, 0}
// clang-format on

/* What old checkpoints of the decoder also hold: rotary frequencies, which are computed. */
extern const char *const qb_llama_ignored[];

/* Sizes of the decoder in the plan, the vocabulary by the rows of <prefix>embed_tokens.weight, then
 * embedding, last norm and head. head_prefix stands in front of "lm_head.weight". */
QbStatus qb_llama_plan_ends(QbConversion *c, const char *prefix, const char *head_prefix);

/* The layers of a plain decoder. */
QbStatus qb_llama_plan_layers(QbConversion *c, const char *prefix);

/* Sizes of the tower in the plan. */
void qb_clip_plan_sizes(QbConversion *c);

/* CLIPVisionModel under its own names. from, prefix: where its "embeddings." stand. */
QbStatus qb_clip_plan(QbConversion *c, const QbCheckpoint *from, const char *prefix);

/* <arch>.* of the decoder; clip.* of tower and pixels. */
void qb_llama_put_keys(const QbConversion *c, QbGgufWriter *w, const char *arch);
void qb_clip_put_keys(const QbConversion *c, QbGgufWriter *w);

#endif
