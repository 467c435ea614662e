/* picture.c: opens pictures for the commands. */
// SPDX-License-Identifier: Apache-2.0
#include "session/picture.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* All bytes of standard input, at most limit. */
static QbStatus read_stdin(Text *out, int64_t limit)
{
    char buffer[65536];
    ssize_t n;
    text_add(out, "");
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return QB_ERR_IO;
        if ((int64_t)out->length + n > limit)
            return QB_ERR_LIMIT;
        text_add_bytes(out, buffer, (size_t)n);
    }
    return QB_OK;
}

/* Names the option that raises the limit; the library names its own fields. */
static char *with_option(const char *why)
{
    Text text = {0};
    const char *option = strstr(why, "max_pixels")  ? "--max-pixels"
                         : strstr(why, "max_bytes") ? "--max-memory"
                                                    : NULL;
    text_add(&text, why);
    if (option)
        text_addf(&text, "; raise it with %s", option);
    return text.data;
}

QbStatus picture_open(QbImage **out, char **error, const char *path, bool is_stdin,
                      const QbImageOptions *options)
{
    const char *why = NULL;
    Text bytes = {0};
    QbStatus status = is_stdin ? read_stdin(&bytes, options->max_bytes) : QB_OK;
    if (status == QB_ERR_IO)
        why = strerror(errno);
    else if (status == QB_ERR_LIMIT)
        why = "standard input holds more than the memory limit (max_bytes)";
    else if (is_stdin)
        status = qb_image_open_memory(out, bytes.data, bytes.length, "standard input", options);
    else
        status = qb_image_open(out, path, options);
    why = why ? why : qb_last_error();
    if (status != QB_OK)
        *error = status == QB_ERR_LIMIT ? with_option(why) : cli_strdup(why);
    text_free(&bytes);
    return status;
}
