/* noise_text.h: noise in words and numbers, the same on terminals and in pictures. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_TEXT_H
#define QBOOST_CLI_NOISE_TEXT_H

#include "output/noise_record.h"

/* "0.43", "<0.01" of what is more than nothing, "?" of what cannot be told. */
void noise_add_number(Text *out, double noise);

/* As many digits as a metric's values mean; "inf", and "-" where it is undefined. */
void noise_add_measure(Text *out, double value);

/* "noise visible in 5 of 16 zones, worst 0.43 (row 2, column 3)" */
void noise_add_verdict(Text *out, const QbNoiseReport *report);

/* "reinhard, +1.5 stops" */
void noise_add_tone(Text *out, const QbToneMapping *tone);

/* A line for each row of zones, numbers above and on the left; in a terminal of so many columns (0
 * = no limit) only if they fit. */
void noise_add_zones(Text *out, const QbNoiseReport *report, bool colors, int columns);

#endif
