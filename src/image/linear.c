/* linear.c: sRGB's curve of many values by a table of bins, each a range of floats that agree in
 * sign, exponent and the first bits of the fraction. A bin is narrower than a level, so that it
 * holds one beginning of a level at most. */
// SPDX-License-Identifier: Apache-2.0
#include "image/linear.h"

#include <pthread.h>
#include <string.h>

enum {
    FRACTION_BITS = 23,
    BIN_BITS = 7, /* of the fraction */
    SHIFT = FRACTION_BITS - BIN_BITS,
    N_OCTAVES = 13,                       /* 2^-13 … 1; level 1 begins at 2^-12.7 */
    N_BINS = (N_OCTAVES << BIN_BITS) + 1, /* the last begins at 1 */
    FIRST_BIN = (127 - N_OCTAVES) << BIN_BITS
};

#define DARKEST 0x1p-13f /* where the bins begin */

static struct {
    float next;    /* where the level rises, infinite = not within the bin */
    uint8_t level; /* at the bin's beginning */
} bins[N_BINS];

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void fill_bins(void)
{
    for (uint32_t i = 0; i < N_BINS; i++) {
        uint32_t low = (FIRST_BIN + i) << SHIFT, high = low + (1u << SHIFT) - 1;
        uint8_t level = qb_srgb_from_linear(float_from_bits(low));
        bins[i].level = level;
        bins[i].next = INFINITY;
        if (qb_srgb_from_linear(float_from_bits(high)) == level)
            continue;
        while (high - low > 1) { /* low is of the level, high is above */
            uint32_t middle = low + (high - low) / 2;
            if (qb_srgb_from_linear(float_from_bits(middle)) == level)
                low = middle;
            else
                high = middle;
        }
        bins[i].next = float_from_bits(high);
    }
}

void qb_srgb_from_linear_row(uint8_t *out, const float *linear, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_bins);
    for (size_t i = 0; i < n; i++) {
        float x = linear[i] > DARKEST ? linear[i] : DARKEST; /* what is not a number too */
        x = x < 1.0f ? x : 1.0f;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        uint32_t bin = (bits >> SHIFT) - FIRST_BIN;
        out[i] = (uint8_t)(bins[bin].level + (x >= bins[bin].next));
    }
}
