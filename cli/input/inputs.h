/* inputs.h: which pictures or videos to score, one after the other, in an order that never changes.
 *
 * Files, folders, lists of either. A folder gives what of that kind is in it and below, by file
 * name ending, each directory's entries sorted bytewise. Only the directories on the way down are
 * held in memory. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_INPUTS_H
#define QBOOST_CLI_INPUTS_H

#include <stdbool.h>

typedef enum InputKind { INPUT_PICTURES, INPUT_VIDEOS } InputKind;

typedef struct InputsSpec {
    InputKind kind; /* what folders are searched for */
    char **paths;   /* borrowed; "-" = one on standard input */
    int n_paths;
    const char *files_from; /* borrowed; "-" = standard input; NULL = none */
    bool nul_separated;
    bool recursive;
    bool files_only;     /* a folder in the list is an error */
    int shard, n_shards; /* n_shards 1 = everything */
} InputsSpec;

typedef struct Input {
    char *path;  /* owned; as given or found, and as printed */
    char *error; /* owned; why there is nothing here (a folder that cannot be read), or NULL */
    bool is_stdin;
} Input;

typedef struct Inputs Inputs;

/* false: the list cannot be opened (errno says why). spec is copied. */
bool inputs_open(Inputs **out, const InputsSpec *spec);
void inputs_close(Inputs **inputs);

/* The next input of this shard; false at the end. */
bool inputs_next(Inputs *inputs, Input *out);

/* true when any shard has had an input. */
bool inputs_found_any(const Inputs *inputs);

void input_free(Input *input);

/* true when name has the ending of a picture format that can be read. */
bool is_picture_name(const char *name);

/* true when name has an ending that videos usually have. */
bool is_video_name(const char *name);

#endif
