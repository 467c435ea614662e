/* time.h: a clock for the timings in results. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_TIME_H
#define QB_BASE_TIME_H

#include <time.h>

/* Milliseconds on a clock that only goes forward. */
static inline double qb_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

#endif
