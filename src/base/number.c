/* number.c: see number.h. The C locale is made once and kept. */
// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double qb_parse_double(const char *text, char **end)
{
    pthread_once(&once, make_locale);
    return c_locale ? strtod_l(text, end, c_locale) : strtod(text, end);
}
