/* record_writer.c: see record_writer.h. */
// SPDX-License-Identifier: Apache-2.0
#include "output/record_writer.h"

#include "base/progress.h"
#include "base/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Gives text up. */
static bool write_text(RecordWriter *writer, Text *text)
{
    bool wanted = text->length > 0 && !writer->failed;
    if (wanted && isatty(writer->fd))
        progress_erase();
    if (wanted && !write_all(writer->fd, text->data, text->length)) {
        report("cannot write the results: %s", strerror(errno));
        writer->failed = true;
    }
    text_free(text);
    return !writer->failed;
}

/* Once. */
static void add_begin(Text *text, RecordWriter *writer)
{
    if (!writer->begun)
        writer->format->begin(text, writer->run);
    writer->begun = true;
}

bool record_writer_begin(RecordWriter *writer)
{
    Text text = {0};
    if (writer->format != &output_table)
        add_begin(&text, writer);
    return write_text(writer, &text);
}

bool record_writer_add(RecordWriter *writer, const Record *record)
{
    Text text = {0};
    if (!record->error)
        add_begin(&text, writer);
    writer->format->record(&text, writer->run, record, writer->n_records++);
    return write_text(writer, &text);
}

bool record_writer_end(RecordWriter *writer)
{
    Text text = {0};
    writer->format->end(&text, writer->run, writer->n_records);
    return write_text(writer, &text);
}
