/* mem.c: the library's allocator; see mem.h. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t allocation_count;
static atomic_uint_fast64_t fail_at; /* value of allocation_count that fails; 0 = never */

void *qb_alloc(size_t size_bytes)
{
    uint64_t number = atomic_fetch_add(&allocation_count, 1) + 1;
    size_t rounded;
    void *block = NULL;
    if (qb_add_size(&rounded, size_bytes ? size_bytes : 1, QB_MEM_ALIGN - 1) &&
        number != atomic_load(&fail_at))
        block = aligned_alloc(QB_MEM_ALIGN, rounded & ~(size_t)(QB_MEM_ALIGN - 1));
    if (!block)
        qb_fail(QB_ERR_NOMEM, "out of memory: %zu bytes wanted", size_bytes);
    return block;
}

void *qb_calloc(size_t count, size_t size_bytes)
{
    size_t total;
    if (!qb_mul_size(&total, count, size_bytes)) {
        qb_fail(QB_ERR_NOMEM, "out of memory: %zu times %zu bytes wanted", count, size_bytes);
        return NULL;
    }
    void *block = qb_alloc(total);
    if (block)
        memset(block, 0, total);
    return block;
}

void *qb_realloc(void *block, size_t old_size_bytes, size_t new_size_bytes)
{
    void *grown = qb_alloc(new_size_bytes);
    if (grown && block) {
        memcpy(grown, block, old_size_bytes < new_size_bytes ? old_size_bytes : new_size_bytes);
        qb_free(block);
    }
    return grown;
}

void qb_free(void *block)
{
    free(block);
}

char *qb_strndup(const char *text, size_t length)
{
    size_t total;
    char *copy = qb_add_size(&total, length, 1) ? qb_alloc(total) : NULL;
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

char *qb_strdup(const char *text)
{
    return qb_strndup(text, strlen(text));
}

bool qb_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool qb_add_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

uint64_t qb_mem_allocation_count(void)
{
    return atomic_load(&allocation_count);
}

void qb_mem_fail_after(uint64_t n)
{
    atomic_store(&fail_at, n ? atomic_load(&allocation_count) + n : 0);
}
