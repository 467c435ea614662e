/* number.h: numbers in texts, read the same whatever locale the program has set. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_NUMBER_H
#define QB_BASE_NUMBER_H

/* strtod in the C locale: "0.5" is a half, "0,5" is 0. Thread-safe. */
double qb_parse_double(const char *text, char **end);

#endif
