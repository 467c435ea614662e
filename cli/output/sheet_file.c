/* sheet_file.c: looks at the name of a contact sheet: its ending, what is there, its folder. */
// SPDX-License-Identifier: Apache-2.0
#include "output/sheet_file.h"

#include "base/report.h"
#include "options/options.h"
#include "output/contact_sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_png_name(const char *file)
{
    size_t length = strlen(file);
    return length >= 4 && strcasecmp(file + length - 4, ".png") == 0;
}

/* A PNG of a contact sheet's size: what an earlier run may have written. */
static bool is_sheet(const char *file)
{
    static const char begin[16] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    unsigned char head[sizeof begin + 8], *size = head + sizeof begin;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool complete = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head;
    if (fd >= 0)
        close(fd);
    if (!complete || memcmp(head, begin, sizeof begin) != 0)
        return false;
    uint32_t side[2];
    for (int i = 0; i < 2; i++, size += 4)
        side[i] =
            (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3];
    return contact_sheet_may_be(side[0], side[1]);
}

/* By device and inode: another spelling or a link is the same file. */
static bool is_operand(const struct stat *sheet, char **operands, int n_operands)
{
    struct stat info;
    for (int i = 0; i < n_operands; i++)
        if (stat(operands[i], &info) == 0 && info.st_dev == sheet->st_dev &&
            info.st_ino == sheet->st_ino)
            return true;
    return false;
}

/* A sheet is written beside its name and then renamed, so it is the folder that counts. */
static int check_folder(const char *file)
{
    const char *slash = strrchr(file, '/');
    Text folder = {0};
    text_add_bytes(&folder, file, slash ? (size_t)(slash + 1 - file) : 0);
    text_add_char(&folder, '.');
    int code = CLI_OK;
    if (access(folder.data, W_OK | X_OK) != 0) {
        report("contact sheet: %s cannot be written: %s", file, strerror(errno));
        code = CLI_FAILED;
    }
    text_free(&folder);
    return code;
}

int sheet_file_check(const Command *command, const char *file, char **operands, int n_operands)
{
    struct stat info;
    if (!*file)
        return usage_error(command, "--contact-sheet: the name is empty");
    bool exists = stat(file, &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return usage_error(command, "--contact-sheet: '%s' is a folder", file);
    if (!is_png_name(file))
        return usage_error(command, "--contact-sheet: '%s' does not end in .png", file);
    if (exists && !S_ISREG(info.st_mode))
        return usage_error(command, "--contact-sheet: '%s' is not a file", file);
    if (exists && is_operand(&info, operands, n_operands))
        return usage_error(command, "--contact-sheet: '%s' is one of the pictures to score", file);
    if (exists && !is_sheet(file))
        return usage_error(command, "--contact-sheet: '%s' is there and is no contact sheet", file);
    return check_folder(file);
}
