/* question.h: what a command needs that asks about pictures: a model, a scorer, the pictures. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_QUESTION_H
#define QBOOST_CLI_QUESTION_H

#include "session/model_args.h"

typedef struct Question {
    QbModel *model;
    QbScorer *scorer;
    QbImageOptions image_options;
    QbImage **images;
    int n_images;
    RunInfo info;
} Question;

/* Opens the model, the pictures (n_paths may be 0) and a scorer with all threads. with_hash: info
 * has the model's hash. Returns an exit code; failures are reported. Always to be closed. */
int question_open(Question *out, const Command *command, const ModelArgs *model,
                  const PictureArgs *picture, const PromptArgs *prompts, char *const *paths,
                  int n_paths, bool with_hash);
void question_close(Question *question);

/* Opens other pictures in place of those there are. false: *error is why, owned, freed by free().
 */
bool question_try_pictures(Question *question, char **error, char *const *paths, int n_paths);

/* The pictures as the library wants them. */
const QbImage *const *question_images(const Question *question);

/* CLI_OK; CLI_USAGE for paths that name standard input twice or when it is the terminal;
 * CLI_FAILED, reported, for one that is not there. */
int question_check_paths(const Command *command, char *const *paths, int n_paths);

#endif
