/* hash.h: FNV-1a (Fowler, Noll, Vo; RFC 9923), for things that must mean the same on every machine
 * and in every version: which shard a path is in, and what a resumed run has done already. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_HASH_H
#define QBOOST_CLI_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct Hash128 {
    uint64_t high, low;
} Hash128;

extern const Hash128 hash128_start;

/* Goes on hashing where hash ended. */
Hash128 hash128_add(Hash128 hash, const void *bytes, size_t n);
Hash128 hash128_add_text(Hash128 hash, const char *text); /* and its NUL */

Hash128 hash128_add_number(Hash128 hash, double value);

/* 32 digits and a NUL. */
void hash128_format(char text[33], Hash128 hash);

/* FNV-1a 64 of the path's bytes, then mixed (MurmurHash3's 64-bit finaliser), modulo n_shards: the
 * low bits of FNV alone say little. */
int shard_of(const char *path, int n_shards);

#endif
