/* noise_pfm.h: error maps as floats in a file. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_NOISE_PFM_H
#define QBOOST_CLI_NOISE_PFM_H

/* Writes map[height][width] as a grey PFM. Returns an exit code; failures are reported. */
int noise_pfm_write(const char *file, const float *map, int width, int height);

#endif
