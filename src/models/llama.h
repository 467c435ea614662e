/* llama.h: the LLaMA decoder that every architecture here ends in. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_MODELS_LLAMA_H
#define QB_MODELS_LLAMA_H

#include "engine/attention.h"
#include "models/load.h"

/* Modality-adaptive layers (mPLUG-Owl2, arXiv 2311.04257) have a second set of these
 * for the rows of pictures; a plain LLaMA has one for all rows. */
enum { QB_LLAMA_TEXT = 0, QB_LLAMA_PICTURE = 1, QB_LLAMA_MAX_WAYS = 2 };

typedef struct QbLlamaWay {
    const float *attn_norm; /* [n_embd] */
    QbLinear k, v;          /* [n_kv_heads * head_dim][n_embd] */
    const float *ffn_norm;  /* [n_embd] */
} QbLlamaWay;

typedef struct QbLlamaLayer {
    QbLlamaWay ways[QB_LLAMA_MAX_WAYS]; /* n_ways of them */
    QbLinear q;                         /* [n_heads * head_dim][n_embd] */
    QbLinear o;                         /* [n_embd][n_heads * head_dim] */
    QbLinear gate, up;                  /* [n_ff][n_embd] */
    QbLinear down;                      /* [n_embd][n_ff] */
} QbLlamaLayer;

typedef struct QbLlama {
    int n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff, n_vocab, n_context;
    int n_ways; /* 1, or 2: pictures' rows have their own */
    float norm_eps, rope_base;
    QbEmbedding embedding;            /* [n_vocab][n_embd] */
    QbLlamaLayer *layers;             /* [n_layers] */
    const float *output_norm;         /* [n_embd] */
    QbLinear output;                  /* [n_vocab][n_embd] */
    const float *rope_cos, *rope_sin; /* [n_context][head_dim / 2] */
} QbLlama;

/* Reads "<prefix>.block_count" and so on, and the tensors under GGUF's names; those of the second
 * way end in "_image". Queries and keys are expected as GGUF stores them: rotary pairs side by
 * side. flags: QB_LOAD_WIDEN or 0. */
QbStatus qb_llama_load(QbLlama *out, const QbLoader *loader, const char *prefix, int n_ways,
                       int flags);

/* Activations of a session. */
typedef struct QbLlamaState {
    QbKvCache cache;
    int max_rows;     /* rows of one forward pass */
    float *x, *h;     /* [max_rows][n_embd] */
    uint8_t *way;     /* [max_rows]: QB_LLAMA_TEXT or _PICTURE; not read when n_ways is 1 */
    float *q, *attn;  /* [max_rows][n_heads * head_dim] */
    float *gate, *up; /* [max_rows][n_ff] */
} QbLlamaState;

void qb_llama_layout(QbLlamaState *state, QbOps *ops, QbArena *arena, const QbLlama *llama,
                     int max_rows);

/* Feeds state->x[n_rows] (and way[n_rows]), which stand at positions cache.length …, through all
 * layers; afterwards cache.length has grown by n_rows. n_rows <= max_rows, and the cache has room.
 * read_last: 1 = the last row's final, normed state is left in state->h[0]; 0 = nobody reads this
 * part, only the cache is wanted. In the last layer no other row is computed. */
void qb_llama_forward(QbLlamaState *state, const QbOps *ops, const QbLlama *llama, int n_rows,
                      int read_last);

/* The same for n_sequences (>= 1) prompts of `length` positions each that begin with the same
 * n_shared ones. x[n_rows]: what the cache does not hold of the first prompt, then of each other
 * one what is its own, length - n_shared rows, all of which the cache needs room for. A row sees
 * what is before it in its own prompt, with the bits of a prompt fed alone. Last rows are left in
 * state->h[n_sequences]. Afterwards the cache holds the first prompt. */
void qb_llama_forward_batch(QbLlamaState *state, const QbOps *ops, const QbLlama *llama, int n_rows,
                            int n_sequences, int n_shared, int length);

#endif
