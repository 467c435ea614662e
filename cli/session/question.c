/* question.c: see question.h. */
// SPDX-License-Identifier: Apache-2.0
#include "session/question.h"

#include "base/report.h"
#include "options/options.h"
#include "session/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int question_check_paths(const Command *command, char *const *paths, int n_paths)
{
    for (int i = 0; i < n_paths; i++)
        if (strcmp(paths[i], "-") && access(paths[i], F_OK) != 0) {
            report("%s: %s", paths[i], strerror(errno)); /* before a large model is opened */
            return CLI_FAILED;
        }
    return usage_check_stdin(command, NULL, paths, n_paths);
}

static void close_pictures(Question *question)
{
    for (int i = 0; i < question->n_images; i++)
        qb_image_free(&question->images[i]);
    free(question->images);
    question->images = NULL;
    question->n_images = 0;
}

bool question_try_pictures(Question *question, char **error, char *const *paths, int n_paths)
{
    close_pictures(question);
    question->images = cli_calloc((size_t)n_paths + 1, sizeof *question->images);
    question->n_images = n_paths;
    for (int i = 0; i < n_paths; i++)
        if (picture_open(&question->images[i], error, paths[i], strcmp(paths[i], "-") == 0,
                         &question->image_options) != QB_OK)
            return false;
    return true;
}

const QbImage *const *question_images(const Question *question)
{
    return (const QbImage *const *)question->images;
}

int question_open(Question *out, const Command *command, const ModelArgs *model,
                  const PictureArgs *picture, const PromptArgs *prompts, char *const *paths,
                  int n_paths, bool with_hash)
{
    Question *q = out;
    *q = (Question){0};
    int code = session_open_model(&q->model, model);
    if (code == CLI_OK)
        code = session_image_options(&q->image_options, command, picture, q->model);
    char *error = NULL;
    if (code == CLI_OK && !question_try_pictures(q, &error, paths, n_paths)) {
        report("%s", error);
        code = CLI_FAILED;
    }
    free(error);
    if (code == CLI_OK)
        code = session_new_scorer(&q->scorer, q->model, prompts, session_threads(model), true);
    if (code == CLI_OK)
        session_describe(&q->info, q->model, q->scorer, &q->image_options, scale_find("0-1"),
                         with_hash);
    return code;
}

void question_close(Question *question)
{
    close_pictures(question);
    qb_scorer_free(&question->scorer);
    qb_model_close(&question->model);
}
