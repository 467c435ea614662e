/* video.h: the inside of reading videos that tests want (public side: <qboost/video.h>). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_VIDEO_VIDEO_H
#define QB_VIDEO_VIDEO_H

#include <qboost/video.h>

/* From here on, videos that are opened are decoded frame by frame, nothing left out. For tests. */
void qb_video_set_skipping(bool may_skip);

#endif
