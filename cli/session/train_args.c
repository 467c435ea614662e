/* train_args.c: see train_args.h. */
// SPDX-License-Identifier: Apache-2.0
#include "session/train_args.h"

#include <qboost/noise_train.h>
#include <stdio.h>

enum { MOST_CLASSIFIERS = 16 };

const char *classifier_choices[MOST_CLASSIFIERS + 2];
char classifier_help[2048];

void train_args_init(void)
{
    const char *first = qb_noise_classifier_name(0);
    size_t size = sizeof classifier_help;
    size_t used = (size_t)snprintf(classifier_help, size,
                                   "what learns; with --evaluate also " TRAIN_ALL
                                   ", one after the other (default: %s)",
                                   first ? first : "");
    int n = 0;
    for (; n < MOST_CLASSIFIERS && qb_noise_classifier_name(n); n++) {
        classifier_choices[n] = qb_noise_classifier_name(n);
        if (used < size)
            used += (size_t)snprintf(classifier_help + used, size - used, "\n%s: %s",
                                     classifier_choices[n], qb_noise_classifier_summary(n));
    }
    classifier_choices[n] = TRAIN_ALL;
}
