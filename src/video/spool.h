/* spool.h: videos that cannot be read as they come. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_SPOOL_H
#define QB_VIDEO_SPOOL_H

#include <qboost/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a file that begins like this is MP4 or MOV with its frames in front of their index. */
bool qb_video_needs_spool(const uint8_t *head, size_t size);

/* Writes head and then all that comes from fd into a temporary file without a name. *out: its
 * descriptor, owned by the caller; -1 on failure. */
QbStatus qb_video_spool(int *out, const uint8_t *head, size_t size, int fd, const char *name);

#endif
