/* eval_names.h: what data sets and sources of scores are called in the report of `qboost eval`. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_EVAL_NAMES_H
#define QBOOST_CLI_EVAL_NAMES_H

/* "koniq" of "logits/shikra/koniq.json"; owned by the caller. */
char *eval_name_of(const char *path);

/* out[n]: owned by the caller; a name for each data set by its file of labels. Different files have
 * different names, which are as short as that allows. */
void eval_names_of_labels(char **out, const char *const *paths, int n);

/* out[n]: owned by the caller; a name for where scores come from by their file. A file that is
 * called as its data set is one of several with scores of the same origin, so it has its folder's
 * name ("shikra" of the above). Different files for one data set have different names. */
void eval_names_of_scores(char **out, const char *const *paths, char *const *datasets, int n);

#endif
