/* scorers.c: see scorers.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/scorers.h"

#include "base/exit_code.h"
#include "base/report.h"

#include <stdlib.h>

/* A scorer has a KV cache, which a large model makes as large as some small models are, and its
 * matrices are large enough to keep all CPUs busy: one scorer has all of them then, and the workers
 * decode ahead for it. */
static int choose(const QbModel *model, int n_wanted)
{
    enum { LARGE = 500000000 }; /* parameters */
    return qb_model_parameter_count(model) > LARGE ? 1 : n_wanted;
}

int scorers_make(Scorers *out, const QbModel *model, const ModelArgs *args,
                 const PromptArgs *prompts, int n_wanted)
{
    int threads = session_threads(args), n = choose(model, n_wanted);
    *out = (Scorers){.items = cli_calloc((size_t)n, sizeof *out->items), .n_workers = n_wanted};
    for (int i = 0; i < n; i++) {
        int share = threads / n + (i < threads % n);
        int code = session_new_scorer(&out->items[i], model, prompts, share, i == 0);
        if (code == CLI_LIMIT && i > 0) {
            report("memory for %d of %d workers only", i, n);
            out->n_workers = i;
            break;
        }
        if (code != CLI_OK)
            return code;
        out->n++;
    }
    return CLI_OK;
}

void scorers_free(Scorers *scorers)
{
    for (int i = 0; i < scorers->n; i++)
        qb_scorer_free(&scorers->items[i]);
    free(scorers->items);
    *scorers = (Scorers){0};
}
