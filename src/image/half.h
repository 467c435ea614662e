/* half.h: IEEE 754 binary16 from and to binary32. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_HALF_H
#define QB_IMAGE_HALF_H

#include <stdint.h>
#include <string.h>

/* Exact; what is not a number keeps its bits. */
static inline float qb_float_from_half(uint16_t half)
{
    uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
    if (exponent == 31)
        bits = sign | 0x7f800000u | fraction << 13;
    else if (exponent == 0) { /* fraction * 2^-24, which binary32 holds as a normal number */
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* Rounded to the nearest, ties to even; too large becomes infinite. */
static inline uint16_t qb_half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (bits >= 0x477ff000u) /* 65520 and above */
        return (uint16_t)(sign | 0x7c00u);
    if (bits < 0x38800000u) { /* below 2^-14: adding 0.5 shifts the bits into place and rounds */
        float magnitude;
        memcpy(&magnitude, &bits, 4);
        magnitude += 0.5f;
        memcpy(&bits, &magnitude, 4);
        return (uint16_t)(sign | (bits - 0x3f000000u));
    }
    uint32_t odd = bits >> 13 & 1;
    return (uint16_t)(sign | (bits - 0x38000000u + 0xfffu + odd) >> 13);
}

#endif
