/* error.h: how library code reports a failure (public side: <qboost/error.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_ERROR_H
#define QB_BASE_ERROR_H

#include <qboost/error.h>

/* Records the text for qb_last_error() and returns status, so that a failure is one line:
 * return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is missing", path, name); */
QbStatus qb_fail(QbStatus status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "text: " in front of the recorded message and returns status, for callers who know more. */
QbStatus qb_fail_prefix(QbStatus status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
