/* classifier_committee.c: one support vector machine for each family of features (zone_features.c),
 * which sees nothing but that family; the mean of their decisions counts. What fools one family, a
 * texture that looks like noise to the wavelets, has to fool the others too. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "noise/svm.h"
#include "noise/zone_family.h"

#include <stdio.h>

enum { MAX_MEMBERS = 16, PREFIX_BYTES = 24 };

typedef struct {
    int n;
    int first[MAX_MEMBERS]; /* feature of a member's */
    QbSvm member[MAX_MEMBERS];
} Committee;

static void free_state(void *state)
{
    Committee *committee = state;
    for (int m = 0; committee && m < MAX_MEMBERS; m++)
        qb_svm_deinit(&committee->member[m]);
    qb_free(committee);
}

/* A member's features, and the prefix of its parts: "committee.wavelet". */
static int family_width(char *prefix, int member)
{
    const QbZoneFamily *family = qb_zone_family_at(member);
    int n = 0;
    while (family->features[n])
        n++;
    snprintf(prefix, PREFIX_BYTES, "committee.%s", family->name);
    return n;
}

/* Does something with every member: it has its width, and `first` is set. */
static QbStatus fill(void **out, const QbNoiseRows *rows, const QbNoiseSetting *setting,
                     const QbGguf *gguf)
{
    Committee *committee = *out = qb_calloc(1, sizeof *committee);
    QbStatus status = committee ? QB_OK : QB_ERR_NOMEM;
    for (int m = 0, first = 0; !status && m < MAX_MEMBERS && qb_zone_family_at(m); m++) {
        char prefix[PREFIX_BYTES];
        int width = family_width(prefix, m);
        committee->first[m] = first;
        committee->n = m + 1;
        if (gguf) {
            status = qb_svm_read(&committee->member[m], gguf, width, prefix);
        } else {
            /* As far apart as in the space of all features. */
            double gamma = setting->gamma * rows->width / width;
            QbSvmProblem how = {.cost = setting->cost, .gamma = gamma};
            status = qb_svm_train(&committee->member[m], rows, first, width, &how);
        }
        first += width;
    }
    if (status) {
        free_state(committee);
        *out = NULL;
    }
    return status;
}

static QbStatus train(void **out, const QbNoiseRows *rows, const QbNoiseSetting *setting)
{
    return fill(out, rows, setting, NULL);
}

static QbStatus read(void **out, const QbGguf *gguf, int width)
{
    (void)width;
    return fill(out, NULL, NULL, gguf);
}

static double decide(const void *state, const float *x)
{
    const Committee *committee = state;
    double sum = 0;
    for (int m = 0; m < committee->n; m++)
        sum += qb_svm_decide(&committee->member[m], x + committee->first[m]);
    return sum / committee->n;
}

static bool part(QbModelPart *out, const void *state, int index)
{
    const Committee *committee = state;
    int member = index / QB_SVM_PARTS;
    char prefix[PREFIX_BYTES];
    if (member >= committee->n)
        return false;
    family_width(prefix, member);
    qb_svm_part(out, &committee->member[member], prefix, index % QB_SVM_PARTS);
    return true;
}

const QbNoiseClassifier qb_noise_classifier_committee = {
    .name = "committee",
    .summary = "a support vector machine for each family of features, averaged",
    .setting = qb_svm_setting,
    .train = train,
    .decide = decide,
    .part = part,
    .read = read,
    .free = free_state,
};
