/* cpu.c: instruction set detection (public side: <qboost/cpu.h>). Built without any vector flags,
 * so that asking never needs what is asked about. */
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.h"

#include "base/error.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static atomic_uint cpu_mask = ~0u;

static const struct {
    const char *name;
    unsigned mask;   /* bits allowed */
    unsigned needed; /* bits the CPU must have */
} levels[] = {
    {"ref", 0, 0},
    {"avx2", QB_CPU_AVX2, QB_CPU_AVX2},
    {"avx512", QB_CPU_AVX2 | QB_CPU_AVX512, QB_CPU_AVX2 | QB_CPU_AVX512},
    {"best", ~0u, 0},
};

#if defined(__x86_64__)
/* clang's __builtin_cpu_supports does not know F16C. AVX2, which it does know, implies that the
 * system saves the registers F16C uses. */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}
#endif

unsigned qb_cpu_detect(void)
{
    unsigned flags = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
        flags |= QB_CPU_AVX2;
    if (flags && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni"))
        flags |= QB_CPU_AVX512;
#endif
    return flags;
}

unsigned qb_cpu_flags(void)
{
    return qb_cpu_detect() & atomic_load(&cpu_mask);
}

QbStatus qb_cpu_set_level(const char *level)
{
    if (!level)
        return qb_fail(QB_ERR_ARG, "qb_cpu_set_level: no level given");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(level, levels[i].name))
            continue;
        if ((qb_cpu_detect() & levels[i].needed) != levels[i].needed)
            return qb_fail(QB_ERR_UNSUPPORTED, "this CPU has no %s", level);
        atomic_store(&cpu_mask, levels[i].mask);
        return QB_OK;
    }
    return qb_fail(QB_ERR_ARG, "unknown CPU level \"%s\" (ref, avx2, avx512, best)", level);
}

const char *qb_cpu_level(void)
{
    unsigned flags = qb_cpu_flags();
    return flags & QB_CPU_AVX512 ? "avx512" : flags & QB_CPU_AVX2 ? "avx2" : "ref";
}

int qb_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    /* more than a cpu_set_t holds, or not allowed to ask; at most as many as a pool takes */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > CPU_SETSIZE ? CPU_SETSIZE : (int)online;
}
