/* stream.h: the data of a plan's tensors, from the checkpoint into the file, a few MiB at a time.
 * Reading, reordering, encoding and writing run side by side on a pool; what is written does not
 * depend on the number of threads. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_CONVERT_STREAM_H
#define QB_CONVERT_STREAM_H

#include "base/threads.h"
#include "convert/plan.h"
#include "weights/gguf_write.h"

#include <qboost/convert.h>

/* Writes the data of all tensors of the plan, which have been declared in this order. progress and
 * user of options are used. */
QbStatus qb_stream_tensors(const QbPlan *plan, QbGgufWriter *writer, QbPool *pool,
                           const QbConvertOptions *options);

#endif
