/* tiny_options.h: what can be asked of tiny_checkpoint.h, and what it makes. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_TINY_OPTIONS_H
#define QB_TESTS_TINY_OPTIONS_H

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef enum TinyLayout {
    TINY_ORIGINAL,      /* tower inside */
    TINY_ORIGINAL_BARE, /* tower in a folder of its own */
    TINY_HF_OLD,
    TINY_HF_NEW,
    TINY_OWL,
    TINY_LAYOUTS
} TinyLayout;

enum {
    TINY_MAX_TENSORS = 400,
    TINY_HEADS = 4,
    TINY_KEY_HEADS = 2,
    TINY_LAYERS = 2,
    TINY_FILLER = 3, /* rows of the vocabulary without a token */
    TINY_TOWER = 32,
    TINY_TOWER_FF = 48,
    TINY_TOWER_HEADS = 4,
    TINY_TOWER_LAYERS = 3,
    TINY_PATCH = 4,
    TINY_GRID = 2,
    TINY_POSITIONS = TINY_GRID * TINY_GRID + 1,
    TINY_QUERIES = 5,
    TINY_ABSTRACTOR_LAYERS = 2,
    TINY_ABSTRACTOR_FF = 40
};

typedef struct TinyTensor {
    char name[128];
    const char *dtype; /* "F32", … */
    int n_dims;
    int64_t shape[4], n;
    float *values; /* owned */
} TinyTensor;

/* All zero: a good LLaVA in its original layout. */
typedef struct TinyOptions {
    TinyLayout layout;
    int width, n_ff;      /* 0 = 32 and 56 */
    const char *dtype;    /* NULL = F32 */
    const char *config;   /* fields added in front: "\"a\": 1," */
    const char *text;     /* config.json as a whole instead */
    const char *without;  /* this tensor is left out; or a file of that name */
    const char *add;      /* this tensor of one value is added */
    const char *spoil;    /* this tensor has a NaN as its last value */
    const char *reshape;  /* this tensor has its two dimensions swapped */
    const char *integers; /* this tensor is I32 */
    float large;          /* unless 0: value 3 of every matrix named by spoil, instead of NaN */
    int shards;           /* 0 = one file without an index */
    int seed;
    bool no_positions; /* mPLUG-Owl2: without q_pos_embed and k_pos_embed */
    bool no_bytes;     /* the tokenizer has no byte pieces */
    int n_words;       /* 0 = 20; pieces beside <unk>, <s>, </s> and bytes */
} TinyOptions;

typedef struct TinyFolder {
    const TinyOptions *options;
    char path[64], tower[80], out[96];
    TinyTensor tensor[TINY_MAX_TENSORS];
    int n;
    int width, n_ff, n_tokens, n_vocab;
} TinyFolder;

#endif
