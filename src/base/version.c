/* version.c: the version of the library that is running, from the one place that states it. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/qboost.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *qb_version(void)
{
    return TEXT(QBOOST_VERSION_MAJOR) "." TEXT(QBOOST_VERSION_MINOR) "." TEXT(QBOOST_VERSION_PATCH);
}
