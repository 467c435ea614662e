/* cpu.h: what this CPU can do, and the mask that tests and users put over it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_BASE_CPU_H
#define QB_BASE_CPU_H

#include <qboost/cpu.h>

/* One bit a level of the kernels, each including the ones before. */
enum {
    QB_CPU_AVX2 = 1 << 0,   /* AVX2, FMA, F16C */
    QB_CPU_AVX512 = 1 << 1, /* AVX-512 F, BW, DQ, VL and VNNI */
};

/* The bits that the CPU and the operating system support, less what the mask takes away. */
unsigned qb_cpu_flags(void);

/* The same without the mask. */
unsigned qb_cpu_detect(void);

#endif
