/* noise_pfm.c: writes grey PFM: a line of text, a line with the size, a line whose sign says the
 * byte order, then rows of floats from the lowest to the highest. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_pfm.h"

#include "base/exit_code.h"
#include "base/report.h"
#include "base/whole_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 1;
}

int noise_pfm_write(const char *file, const float *map, int width, int height)
{
    WholeFile out;
    bool good = whole_file_open(&out, file);
    if (good) {
        fprintf(out.stream, "Pf\n%d %d\n%s\n", width, height, is_little_endian() ? "-1.0" : "1.0");
        for (int y = height - 1; y >= 0 && !ferror(out.stream); y--)
            fwrite(map + (size_t)y * (size_t)width, sizeof *map, (size_t)width, out.stream);
        good = whole_file_finish(&out);
    }
    if (good)
        return CLI_OK;
    report("%s: %s", file, strerror(errno));
    return CLI_FAILED;
}
