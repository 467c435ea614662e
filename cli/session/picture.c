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

/* All of standard input, within the limit. NULL, or why not, and *status says so too. */
static const char *take_stdin(Text *out, QbStatus *status, int64_t limit)
{
    *status = read_stdin(out, limit);
    if (*status == QB_ERR_IO)
        return strerror(errno);
    if (*status == QB_ERR_LIMIT)
        return "standard input holds more than the memory limit (max_bytes)";
    return NULL;
}

/* For *error; why NULL: the library tells. */
static char *explain(QbStatus status, const char *why)
{
    why = why ? why : qb_last_error();
    return status == QB_ERR_LIMIT ? with_option(why) : cli_strdup(why);
}

QbStatus picture_open(QbImage **out, char **error, const char *path, bool is_stdin,
                      const QbImageOptions *options)
{
    Text bytes = {0};
    QbStatus status = QB_OK;
    const char *why = is_stdin ? take_stdin(&bytes, &status, options->max_bytes) : NULL;
    if (status == QB_OK)
        status = is_stdin ? qb_image_open_memory(out, bytes.data, bytes.length, "standard input",
                                                 options)
                          : qb_image_open(out, path, options);
    if (status != QB_OK)
        *error = explain(status, why);
    text_free(&bytes);
    return status;
}

QbStatus light_open(QbLight **out, char **error, const char *path, bool is_stdin,
                    const QbLightOptions *options)
{
    Text bytes = {0};
    QbStatus status = QB_OK;
    const char *why = is_stdin ? take_stdin(&bytes, &status, options->image.max_bytes) : NULL;
    if (status == QB_OK)
        status = is_stdin ? qb_light_open_memory(out, bytes.data, bytes.length, "standard input",
                                                 options)
                          : qb_light_open(out, path, options);
    if (status != QB_OK)
        *error = explain(status, why);
    text_free(&bytes);
    return status;
}
