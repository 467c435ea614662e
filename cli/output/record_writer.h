/* record_writer.h: the records of a run, written to where they go. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CLI_RECORD_WRITER_H
#define QBOOST_CLI_RECORD_WRITER_H

#include "output/output.h"

typedef struct RecordWriter {
    const OutputFormat *format;
    const RunInfo *run; /* borrowed */
    int fd;
    int64_t n_records;
    bool begun, failed; /* failed: reported, nothing is written any more */
} RecordWriter;

/* Each returns false once writing has failed. begin is for what comes before any record; a table
 * has nothing: without rows there is nothing to head. Each record is one write(). */
bool record_writer_begin(RecordWriter *writer);
bool record_writer_add(RecordWriter *writer, const Record *record);
bool record_writer_end(RecordWriter *writer);

#endif
