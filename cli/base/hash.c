/* hash.c: FNV-1a in 64 and 128 bits. Constants: RFC 9923, section 5. */
// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

const Hash128 hash128_start = {0x6c62272e07bb0142u, 0x62b821756295c58du};

Hash128 hash128_add(Hash128 hash, const void *bytes, size_t n)
{
    __extension__ typedef unsigned __int128 Wide;
    const Wide prime = (Wide)1 << 88 | 0x13b;
    Wide value = (Wide)hash.high << 64 | hash.low;
    for (size_t i = 0; i < n; i++)
        value = (value ^ ((const unsigned char *)bytes)[i]) * prime;
    return (Hash128){(uint64_t)(value >> 64), (uint64_t)value};
}

Hash128 hash128_add_text(Hash128 hash, const char *text)
{
    return hash128_add(hash, text, strlen(text) + 1);
}

Hash128 hash128_add_number(Hash128 hash, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return hash128_add_text(hash, text);
}

void hash128_format(char text[33], Hash128 hash)
{
    snprintf(text, 33, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

int shard_of(const char *path, int n_shards)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    h ^= h >> 33;
    return (int)(h % (uint64_t)n_shards);
}
