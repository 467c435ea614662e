/* score_run.h: one run of `qboost score`, from opened model to exit code. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_SCORE_RUN_H
#define QBOOST_CLI_SCORE_RUN_H

#include "input/input_counter.h"
#include "output/contact_sheet.h"
#include "output/resume.h"
#include "session/model_args.h"

typedef struct ScoreArgs {
    ModelArgs model;
    PictureArgs picture;
    PromptArgs prompt;
    const char *files_from, *format, *scale, *calibration, *sort, *color, *resume, *shard,
        *contact_sheet;
    bool nul_separated, not_recursive, retry_failed, quiet;
    double fail_under; /* NAN = not given */
} ScoreArgs;

extern const char *const sort_choices[];

/* What tells the records of a run from those of other models and settings. */
typedef struct RunIdentity {
    char model[128], model_hash[33], settings[33], method[32];
} RunIdentity;

/* The command line is checked, nothing is opened yet. *identity (may be NULL) is filled when the
 * output is JSON lines. Returns an exit code. */
int score_run(const Command *command, const ScoreArgs *args, const InputsSpec *inputs_spec,
              RunIdentity *identity);

#endif
