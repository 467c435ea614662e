/* encode.h: f32 values to and from the element types of a file, block by block; plain C. For
 * conversion and for looking single rows up; products read packed weights (kernels/pack.h). */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_ENCODE_H
#define QB_WEIGHTS_ENCODE_H

#include "weights/gguf_read.h"

/* x[n] -> blocks; n is a multiple of the type's block, x is finite. f32, f16, bf16, q8_0, q4_0,
 * q4_k, q5_k, q6_k. 16-bit types round to nearest even. false: a value does not fit (|x| above
 * 65504 in f16, or a block's scale would not). */
bool qb_type_encode(void *blocks, QbType type, const float *x, size_t n);

/* blocks -> y[n], the values that the format defines. */
void qb_type_decode(float *y, QbType type, const void *blocks, size_t n);

#endif
