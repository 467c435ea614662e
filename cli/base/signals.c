/* signals.c: a thread that waits for signals, so that no work is done in a handler. */
// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include "base/exit_code.h"
#include "base/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    sigset_t set;
    void (*stop)(void *user);
    void *user;
    atomic_int received;
} signals = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *wait_for_signals(void *unused)
{
    (void)unused;
    for (;;) {
        int number = 0;
        if (sigwait(&signals.set, &number) != 0)
            continue;
        pthread_mutex_lock(&signals.mutex);
        bool first = atomic_exchange(&signals.received, number) == 0;
        if (!first || !signals.stop) {
            progress_erase();
            _exit(CLI_SIGNAL + number);
        }
        signals.stop(signals.user);
        pthread_mutex_unlock(&signals.mutex);
    }
    return NULL;
}

/* What a parent (nohup, a shell's "&") has us ignore stays ignored. */
static void add_unless_ignored(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(&signals.set, number);
}

void signals_start(void)
{
    pthread_t thread;
    sigemptyset(&signals.set);
    add_unless_ignored(SIGINT);
    add_unless_ignored(SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals.set, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_UNBLOCK, &signals.set, NULL); /* the default: die at once */
}

void signals_on_stop(void (*stop)(void *user), void *user)
{
    pthread_mutex_lock(&signals.mutex);
    signals.stop = stop;
    signals.user = user;
    pthread_mutex_unlock(&signals.mutex);
}

int signals_received(void)
{
    return atomic_load(&signals.received);
}
