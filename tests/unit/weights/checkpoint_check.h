/* checkpoint_check.h: what the tests of checkpoints share: bytes opened as if they were a file,
 * folders made for one test, and the ways opening may go. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_TESTS_CHECKPOINT_CHECK_H
#define QB_TESTS_CHECKPOINT_CHECK_H

#include "base/error.h"
#include "base/mem.h"
#include "weights/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A file of these bytes that has a path while *out_fd is open. */
static inline const char *memory_file(int *out_fd, const void *bytes, size_t size)
{
    static char path[64];
    *out_fd = memfd_create("checkpoint", MFD_CLOEXEC);
    assert_true(*out_fd >= 0);
    assert_int_equal(write(*out_fd, bytes, size), size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", *out_fd);
    return path;
}

static inline QbStatus open_bytes(QbCheckpoint **out, const void *bytes, size_t size)
{
    int fd;
    QbStatus status = qb_checkpoint_open(out, memory_file(&fd, bytes, size));
    close(fd);
    assert_true((status == QB_OK) == (*out != NULL));
    return status;
}

static inline void assert_failure(QbStatus status, QbStatus expected, const char *message)
{
    if (status != expected || !strstr(qb_last_error(), message))
        fail_msg("expected %d \"%s\", got %d \"%s\"", expected, message, status,
                 status ? qb_last_error() : "");
}

static inline void assert_bytes_fail(const void *bytes, size_t size, QbStatus expected,
                                     const char *message)
{
    QbCheckpoint *checkpoint;
    assert_failure(open_bytes(&checkpoint, bytes, size), expected, message);
    qb_checkpoint_close(&checkpoint);
}

static inline QbCheckpoint *open_well(const char *path)
{
    QbCheckpoint *checkpoint;
    if (qb_checkpoint_open(&checkpoint, path))
        fail_msg("%s", qb_last_error());
    return checkpoint;
}

/* The tensor's values are these, read whole, in ones, and from the middle. */
static inline void assert_values(const QbCheckpoint *checkpoint, const char *name, QbDtype dtype,
                                 const float *expected, int64_t n)
{
    float got[512];
    const QbCheckpointTensor *tensor = qb_checkpoint_find(checkpoint, name);
    assert_non_null(tensor);
    assert_string_equal(tensor->name, name);
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->n_values, n);
    assert_true(n <= 512);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, 0, (size_t)n), QB_OK);
    assert_memory_equal(got, expected, (size_t)n * sizeof *got);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, i, 1), QB_OK);
        assert_memory_equal(got, expected + i, sizeof *got);
    }
    const int64_t half = n / 2;
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, half, (size_t)(n - half)), QB_OK);
    assert_memory_equal(got, expected + half, (size_t)(n - half) * sizeof *got);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, n, 1), QB_ERR_ARG);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, -1, 1), QB_ERR_ARG);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, 0, (size_t)n + 1), QB_ERR_ARG);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, 0, SIZE_MAX), QB_ERR_ARG);
}

/* Reads the ends of every tensor of bytes that were opened although they may be damaged. */
static inline void read_ends(const QbCheckpoint *checkpoint)
{
    float values[8];
    for (int i = 0; i < qb_checkpoint_tensor_count(checkpoint); i++) {
        const QbCheckpointTensor *tensor = qb_checkpoint_tensor_at(checkpoint, i);
        const size_t n = tensor->n_values < 8 ? (size_t)tensor->n_values : 8;
        assert_ptr_equal(qb_checkpoint_find(checkpoint, tensor->name), tensor);
        assert_int_equal(qb_checkpoint_read(values, checkpoint, tensor, 0, n), QB_OK);
        assert_int_equal(
            qb_checkpoint_read(values, checkpoint, tensor, tensor->n_values - (int64_t)n, n),
            QB_OK);
    }
}

/* Every start of the bytes but the whole is refused; any bit may be wrong without harm. */
static inline void assert_damage_is_harmless(uint8_t *bytes, size_t size, size_t step)
{
    QbCheckpoint *checkpoint;
    int opened = 0, refused = 0;
    for (size_t n = 0; n < size; n++) {
        assert_int_not_equal(open_bytes(&checkpoint, bytes, n), QB_OK);
        qb_checkpoint_close(&checkpoint);
    }
    for (size_t bit = 0; bit < size * 8; bit += step) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int fd;
        QbStatus status = qb_checkpoint_open(&checkpoint, memory_file(&fd, bytes, size));
        if (status)
            refused++;
        else {
            opened++;
            read_ends(checkpoint);
        }
        qb_checkpoint_close(&checkpoint);
        close(fd);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(opened > 0 && refused > 0);
}

/* Opens with the n-th allocation failing, for all n. */
static inline void assert_allocations_may_fail(const char *path, uint64_t least)
{
    QbStatus status = QB_ERR_NOMEM;
    uint64_t n;
    for (n = 1; status == QB_ERR_NOMEM; n++) {
        QbCheckpoint *checkpoint;
        qb_mem_fail_after(n);
        status = qb_checkpoint_open(&checkpoint, path);
        assert_true((status == QB_OK) == (checkpoint != NULL));
        qb_checkpoint_close(&checkpoint);
    }
    qb_mem_fail_after(0);
    assert_int_equal(status, QB_OK);
    assert_true(n > least);
}

/* The whole of a file that the repository keeps; free(). */
static inline uint8_t *load_golden(size_t *out_size, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = malloc(1 << 16);
    assert_non_null(bytes);
    *out_size = fread(bytes, 1, 1 << 16, file);
    assert_true(*out_size < 1 << 16);
    fclose(file);
    return bytes;
}

static inline int count_open_files(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

#endif
