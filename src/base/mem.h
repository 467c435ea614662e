/* mem.h: all memory of the library goes through here: 64-byte aligned, overflow-checked, countable
 * and able to fail on purpose for the tests. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_MEM_H
#define QB_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QB_MEM_ALIGN = 64 };

/* Bytes, uninitialised or zeroed; NULL when memory ran out (the text for qb_last_error is set).
 * Owned by the caller, given back by qb_free. count * size is checked for overflow. */
void *qb_alloc(size_t size_bytes);
void *qb_calloc(size_t count, size_t size_bytes);

/* Grows or shrinks; the old block stays valid when NULL comes back. */
void *qb_realloc(void *block, size_t old_size_bytes, size_t new_size_bytes);

/* NULL is accepted. */
void qb_free(void *block);

/* A copy with a NUL behind it; length bytes of text. NULL when memory ran out. */
char *qb_strndup(const char *text, size_t length);
char *qb_strdup(const char *text);

/* true and *out = a * b (a + b), or false when that overflows. */
bool qb_mul_size(size_t *out, size_t a, size_t b);
bool qb_add_size(size_t *out, size_t a, size_t b);

/* For tests: allocations made by this process so far, and "the n-th allocation from now fails"
 * (0 = none does). */
uint64_t qb_mem_allocation_count(void);
void qb_mem_fail_after(uint64_t n);

#endif
