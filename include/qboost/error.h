/* error.h: status codes, the text of the last error, and the export macro.
 *
 * Every function that can fail returns a QbStatus: QB_OK (0) or a negative code. The code says what
 * a program can do about it; qb_last_error() says in a sentence what was wrong. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_ERROR_H
#define QBOOST_ERROR_H

#include <stddef.h>

#if defined(__GNUC__)
#define QB_API __attribute__((visibility("default")))
#else
#define QB_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int QbStatus;

enum {
    QB_OK = 0,
    QB_ERR_ARG = -1,         /* the caller passed something impossible */
    QB_ERR_NOMEM = -2,       /* memory ran out */
    QB_ERR_IO = -3,          /* a file could not be opened, read or written */
    QB_ERR_FORMAT = -4,      /* the bytes are damaged or not what they claim to be */
    QB_ERR_UNSUPPORTED = -5, /* valid, but nothing here can handle it */
    QB_ERR_LIMIT = -6,       /* larger than a limit the caller set (or its default) */
    QB_ERR_CANCELLED = -7    /* the caller asked to stop */
};

/* "ok", "invalid argument", "out of memory", …; never NULL. */
QB_API const char *qb_status_name(QbStatus status);

/* What went wrong in the last call that failed on this thread, one line without a newline.
 * Meaningful only right after a negative return. Borrowed: valid until the next call on this
 * thread. Never NULL. */
QB_API const char *qb_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
