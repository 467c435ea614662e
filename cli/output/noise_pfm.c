/* noise_pfm.c: writes grey PFM: a line of text, a line with the size, a line whose sign says the
 * byte order, then rows of floats from the lowest to the highest. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_pfm.h"

#include "base/exit_code.h"
#include "base/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 1;
}

int noise_pfm_write(const char *file, const float *map, int width, int height)
{
    FILE *out = fopen(file, "we");
    struct stat info;
    bool good = out != NULL;
    if (good)
        good =
            fprintf(out, "Pf\n%d %d\n%s\n", width, height, is_little_endian() ? "-1.0" : "1.0") > 0;
    for (int y = height - 1; y >= 0 && good; y--)
        good = fwrite(map + (size_t)y * (size_t)width, sizeof *map, (size_t)width, out) ==
               (size_t)width;
    if (out && fflush(out) != 0)
        good = false;
    int saved = errno;
    bool regular = out && fstat(fileno(out), &info) == 0 && S_ISREG(info.st_mode);
    if (out)
        fclose(out);
    if (good)
        return CLI_OK;
    if (regular)
        unlink(file); /* half a map is none */
    report("%s: %s", file, strerror(saved));
    return CLI_FAILED;
}
