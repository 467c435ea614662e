/* names.h: what there is, for the error that says something else was asked for. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_NAMES_H
#define QB_BASE_NAMES_H

#include <stddef.h>

/* "tti, mpe, binary" of name_at(0), name_at(1), … up to the first NULL, into out[size]; cut off
 * where that is full. */
void qb_names_join(char *out, size_t size, const char *(*name_at)(int index));

#endif
