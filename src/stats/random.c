/* random.c: see random.h. */
// SPDX-License-Identifier: Apache-2.0
#include "stats/random.h"

#include <math.h>

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t qb_splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void qb_random_seed(QbRandom *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = qb_splitmix64(&seed);
}

uint64_t qb_random_next(QbRandom *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Lemire, Fast random integer generation in an interval, ACM TOMACS 29, 2019, algorithm 5, with the
 * upper 32 bits as the random number: the products whose lower half is below 2^32 mod limit are
 * drawn anew. */
uint32_t qb_random_below(QbRandom *random, uint32_t limit)
{
    uint32_t reject_below = (UINT32_MAX - limit + 1) % limit;
    uint64_t product;
    do
        product = (qb_random_next(random) >> 32) * limit;
    while ((uint32_t)product < reject_below);
    return (uint32_t)(product >> 32);
}

double qb_random_unit(QbRandom *random)
{
    return ldexp((double)(qb_random_next(random) >> 11), -53);
}
