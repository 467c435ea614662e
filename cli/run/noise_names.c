/* noise_names.c: see noise_names.h. */
// SPDX-License-Identifier: Apache-2.0
#include "run/noise_names.h"

#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

char *noise_name(const char *file, int64_t number, const Input *input)
{
    enum { LONGEST_STEM = 100 };
    const char *ending = strrchr(file, '.'), *slash = strrchr(input->path, '/');
    const char *stem = input->is_stdin ? "stdin" : slash ? slash + 1 : input->path;
    const char *dot = strrchr(stem, '.');
    size_t length = dot && dot != stem ? (size_t)(dot - stem) : strlen(stem);
    Text name = {0};
    if (number == 0)
        return cli_strdup(file);
    if (length > LONGEST_STEM) { /* not within a character, if it is UTF-8 */
        length = LONGEST_STEM;
        while (length > LONGEST_STEM - 4 && ((unsigned char)stem[length] & 0xc0) == 0x80)
            length--;
    }
    text_add_bytes(&name, file, (size_t)(ending - file));
    text_addf(&name, "-%lld-", (long long)number);
    text_add_bytes(&name, stem, length);
    text_add(&name, ending);
    return name.data;
}

bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}
