/* kernels.c: fills the function table, from the reference up to the best level that the CPU has.
 * Built without vector flags; a level's own code is only reached when its bit is set. */
// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

#include "base/cpu.h"

#include <string.h>

#define QB_KERNEL_CALL(family, level) qb_##family##_init_##level(k);

void qb_kernels_init(QbKernels *k, unsigned cpu)
{
    memset(k, 0, sizeof *k);
    k->level = "ref";
    QB_KERNEL_FAMILIES(QB_KERNEL_CALL, ref)
    if (!(cpu & QB_CPU_AVX2))
        return;
    k->level = "avx2";
    QB_KERNEL_FAMILIES(QB_KERNEL_CALL, avx2)
    if (!(cpu & QB_CPU_AVX512))
        return;
    k->level = "avx512";
    QB_KERNEL_FAMILIES(QB_KERNEL_CALL, avx512)
}
