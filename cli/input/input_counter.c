/* input_counter.c: a thread that walks the same inputs a second time and only counts them. */
// SPDX-License-Identifier: Apache-2.0
#include "input/input_counter.h"

#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

struct InputCounter {
    Inputs *inputs;
    pthread_t thread;
    atomic_bool stop;
    atomic_llong total;
};

static void *count(void *user)
{
    InputCounter *counter = user;
    Input input;
    long long n = 0;
    while (!atomic_load(&counter->stop) && inputs_next(counter->inputs, &input)) {
        input_free(&input);
        n++;
    }
    if (!atomic_load(&counter->stop))
        atomic_store(&counter->total, n);
    return NULL;
}

InputCounter *input_counter_start(const InputsSpec *spec)
{
    struct stat info;
    if (spec->files_from && (stat(spec->files_from, &info) != 0 || !S_ISREG(info.st_mode)))
        return NULL; /* "-", a pipe, <(…) */
    InputCounter *counter = cli_calloc(1, sizeof *counter);
    atomic_store(&counter->total, -1);
    if (inputs_open(&counter->inputs, spec)) {
        if (pthread_create(&counter->thread, NULL, count, counter) == 0)
            return counter;
        inputs_close(&counter->inputs);
    }
    free(counter);
    return NULL;
}

int64_t input_counter_total(const InputCounter *counter)
{
    return counter ? atomic_load(&counter->total) : -1;
}

void input_counter_finish(InputCounter **counter)
{
    if (!*counter)
        return;
    atomic_store(&(*counter)->stop, true);
    pthread_join((*counter)->thread, NULL);
    inputs_close(&(*counter)->inputs);
    free(*counter);
    *counter = NULL;
}
