/* caption.h: how our pictures show scores and names: the same in all of them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_CAPTION_H
#define QBOOST_CLI_CAPTION_H

#include "base/text.h"

#include <stdint.h>

/* score: 0..1. Red at 0, amber at 0.5, green at 1. */
void caption_color(uint8_t color[3], double score);

/* The last part of the path, its middle left out when it is too long: "IMG_2026..._final.jpg". */
void caption_add_name(Text *out, const char *path, int columns);

#endif
