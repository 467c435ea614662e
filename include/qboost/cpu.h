/* cpu.h: which vector instructions the library may use. Process-wide; set once, before a model is
 * opened. The default is the best the CPU has. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CPU_H
#define QBOOST_CPU_H

#include <qboost/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Restricts the kernels to a level: "ref" (plain C), "avx2", "avx512" or "best". A level that this
 * CPU lacks is QB_ERR_UNSUPPORTED, an unknown name QB_ERR_ARG. Models opened afterwards use it. */
QB_API QbStatus qb_cpu_set_level(const char *level);

/* The level in use: "ref", "avx2" or "avx512". */
QB_API const char *qb_cpu_level(void);

/* Number of CPUs this process may run on, at least 1. */
QB_API int qb_cpu_count(void);

#ifdef __cplusplus
}
#endif
#endif
