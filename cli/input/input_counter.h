/* input_counter.h: counts the inputs beside the run, so that progress can tell how much is left. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_INPUT_COUNTER_H
#define QBOOST_CLI_INPUT_COUNTER_H

#include "input/inputs.h"

#include <stdint.h>

typedef struct InputCounter InputCounter;

/* NULL when counting is not possible (a list that can be read only once). */
InputCounter *input_counter_start(const InputsSpec *spec);

/* -1 until all are counted, or when counter is NULL. */
int64_t input_counter_total(const InputCounter *counter);

/* Stops counting. */
void input_counter_finish(InputCounter **counter);

#endif
