/* random.h: random numbers that are the same on every machine, for resampling; not for secrets.
 *
 * xoshiro256** 1.0 (Blackman & Vigna, Scrambled linear pseudorandom number generators, ACM TOMS 47,
 * 2021), its state filled by splitmix64 (Steele, Lea & Flood, OOPSLA 2014), as its authors advise.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_STATS_RANDOM_H
#define QB_STATS_RANDOM_H

#include <stdint.h>

typedef struct {
    uint64_t state[4];
} QbRandom;

/* The next number of splitmix64; any *state will do, 0 too. */
uint64_t qb_splitmix64(uint64_t *state);

void qb_random_seed(QbRandom *random, uint64_t seed);

/* 64 random bits. */
uint64_t qb_random_next(QbRandom *random);

/* 0 .. limit - 1, each equally likely; limit >= 1. */
uint32_t qb_random_below(QbRandom *random, uint32_t limit);

/* [0, 1), a multiple of 2^-53. */
double qb_random_unit(QbRandom *random);

#endif
