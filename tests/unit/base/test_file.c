/* test_file.c: mapping and reading with their limits and errors; files that appear whole or not at
 * all. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/qboost_test_file_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int count_entries(void)
{
    int n = 0;
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    if (stream)
        closedir(stream);
    return n;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const void *data, size_t n)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, n, stream), n);
    assert_int_equal(fclose(stream), 0);
}

static void assert_content(const char *text)
{
    uint8_t *data;
    size_t size;
    assert_int_equal(qb_file_read(&data, &size, path, 100), QB_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
    qb_free(data);
}

static void assert_error_names(const char *name)
{
    if (!strstr(qb_last_error(), name))
        fail_msg("\"%s\" does not name %s", qb_last_error(), name);
}

static void test_map(void **state)
{
    (void)state;
    QbFileMap map;
    write_file("hello", 5);
    assert_int_equal(qb_file_map(&map, path), QB_OK);
    assert_int_equal(map.size, 5);
    assert_memory_equal(map.data, "hello", 5);
    qb_file_unmap(&map);
    assert_null(map.data);
    qb_file_unmap(&map);
    write_file("", 0);
    assert_int_equal(qb_file_map(&map, path), QB_ERR_FORMAT);
    assert_error_names(path);
    unlink(path);
    assert_int_equal(qb_file_map(&map, path), QB_ERR_IO);
    assert_error_names(path);
    assert_int_equal(qb_file_map(&map, folder), QB_ERR_IO);
    assert_error_names("folder");
    assert_int_equal(qb_file_map(&map, "/dev/zero"), QB_ERR_FORMAT);
    assert_null(map.data);
}

/* Of files, in bytes. */
static long resident(void)
{
    char line[256];
    long kib = -1;
    FILE *stream = fopen("/proc/self/status", "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream))
        sscanf(line, "RssFile: %ld", &kib);
    fclose(stream);
    assert_true(kib >= 0);
    return kib * 1024;
}

static void test_map_release(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20, PART = 6 << 20 };
    uint8_t *pattern = malloc(SIZE);
    assert_non_null(pattern);
    for (int i = 0; i < SIZE; i++)
        pattern[i] = (uint8_t)(i >> 8 ^ i);
    write_file(pattern, SIZE);
    QbFileMap map;
    assert_int_equal(qb_file_map(&map, path), QB_OK);
    assert_memory_equal(map.data, pattern, SIZE);
    long before = resident();
    qb_file_map_release(&map, map.data + 1000, PART);
    assert_true(before - resident() > PART - (1 << 20));
    assert_memory_equal(map.data, pattern, SIZE);
    qb_file_map_release(&map, map.data + 5, 100); /* no whole page: nothing happens */
    qb_file_unmap(&map);
    map = (QbFileMap){.data = pattern, .size = SIZE, .mapped = 0};
    qb_file_map_release(&map, pattern, SIZE); /* not a mapping: must stay as it is */
    assert_int_equal(pattern[4097], (uint8_t)(4097 >> 8 ^ 4097));
    free(pattern);
}

static void test_read_limits(void **state)
{
    (void)state;
    uint8_t *data;
    size_t size;
    write_file("0123456789", 10);
    assert_int_equal(qb_file_read(&data, &size, path, 10), QB_OK);
    assert_int_equal(size, 10);
    assert_memory_equal(data, "0123456789", 10);
    qb_free(data);
    assert_int_equal(qb_file_read(&data, &size, path, 9), QB_ERR_LIMIT);
    assert_null(data);
    assert_error_names(path);
    assert_int_equal(qb_file_read(&data, &size, path, SIZE_MAX), QB_OK);
    qb_free(data);
    write_file("", 0);
    assert_int_equal(qb_file_read(&data, &size, path, 0), QB_OK);
    assert_int_equal(size, 0);
    qb_free(data);
    unlink(path);
    assert_int_equal(qb_file_read(&data, &size, path, 9), QB_ERR_IO);
    assert_int_equal(qb_file_read(&data, &size, folder, 9), QB_ERR_IO);
    assert_int_equal(qb_file_read(&data, &size, "/dev/zero", 300000), QB_ERR_LIMIT);
    assert_int_equal(qb_file_read(&data, &size, "/dev/null", 10), QB_OK);
    assert_int_equal(size, 0);
    qb_free(data);
    write_file("abc", 3);
    qb_mem_fail_after(1);
    assert_int_equal(qb_file_read(&data, &size, path, 9), QB_ERR_NOMEM);
    qb_mem_fail_after(0);
    unlink(path);
}

enum { PIPE_BYTES = 300000 };

static void *feed_pipe(void *user)
{
    (void)user;
    FILE *stream = fopen(path, "wb");
    for (int i = 0; stream && i < PIPE_BYTES; i++)
        fputc(i % 251, stream);
    if (stream)
        fclose(stream);
    return NULL;
}

/* A pipe has no size: memory grows, and the limit holds. */
static void test_read_pipe(void **state)
{
    (void)state;
    uint8_t *data;
    size_t size;
    assert_int_equal(mkfifo(path, 0600), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, feed_pipe, NULL), 0);
    assert_int_equal(qb_file_read(&data, &size, path, PIPE_BYTES), QB_OK);
    pthread_join(thread, NULL);
    assert_int_equal(size, PIPE_BYTES);
    for (int i = 0; i < PIPE_BYTES; i++)
        if (data[i] != i % 251)
            fail_msg("byte %d", i);
    qb_free(data);
    unlink(path);
}

static void test_read_regular(void **state)
{
    (void)state;
    uint8_t *data;
    size_t size;
    write_file("abc", 3);
    assert_int_equal(qb_file_read_regular(&data, &size, path, 3), QB_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "abc", 3);
    qb_free(data);
    assert_int_equal(qb_file_read_regular(&data, &size, path, 2), QB_ERR_LIMIT);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(qb_file_read_regular(&data, &size, path, 3), QB_ERR_IO); /* does not wait */
    assert_null(data);
    assert_error_names("not a regular file");
    unlink(path);
    assert_int_equal(qb_file_read_regular(&data, &size, "/dev/zero", 3), QB_ERR_IO);
    assert_true(qb_file_is_pointer("version https://git-lfs.github.com/spec/v1", 42));
    assert_false(qb_file_is_pointer("version 1", 9));
}

static void test_atomic_commit(void **state)
{
    (void)state;
    QbAtomicFile file;
    mode_t mask = umask(027);
    write_file("old", 3);
    assert_int_equal(qb_atomic_file_open(&file, path), QB_OK);
    fputs("new text", file.stream);
    fflush(file.stream);
    assert_content("old");
    assert_int_equal(count_entries(), 2);
    assert_int_equal(qb_atomic_file_commit(&file), QB_OK);
    assert_content("new text");
    assert_int_equal(count_entries(), 1);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    umask(mask);
    qb_atomic_file_abandon(&file); /* after commit: nothing */
    assert_content("new text");
    unlink(path);
}

static void test_atomic_follows_links(void **state)
{
    (void)state;
    QbAtomicFile file;
    char link_path[160];
    struct stat info;
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    write_file("old", 3);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(qb_atomic_file_open(&file, link_path), QB_OK);
    fputs("through the link", file.stream);
    assert_int_equal(qb_atomic_file_commit(&file), QB_OK);
    assert_content("through the link");
    assert_int_equal(lstat(link_path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    unlink(link_path);
    unlink(path);
}

static void *drain_pipe(void *user)
{
    FILE *stream = fopen(path, "rb");
    *(size_t *)user = stream ? fread((char[16]){0}, 1, 16, stream) : 0;
    if (stream)
        fclose(stream);
    return NULL;
}

/* A rename would put a file where the pipe was; as root it would even replace a device. */
static void test_atomic_writes_into_pipes(void **state)
{
    (void)state;
    QbAtomicFile file;
    struct stat info;
    pthread_t thread;
    size_t n_read = 0;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, drain_pipe, &n_read), 0);
    assert_int_equal(qb_atomic_file_open(&file, path), QB_OK);
    fputs("piped", file.stream);
    assert_int_equal(qb_atomic_file_commit(&file), QB_OK);
    pthread_join(thread, NULL);
    assert_int_equal(n_read, 5);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    unlink(path);
}

static void test_atomic_abandon(void **state)
{
    (void)state;
    QbAtomicFile file = {0};
    qb_atomic_file_abandon(&file);
    write_file("old", 3);
    assert_int_equal(qb_atomic_file_open(&file, path), QB_OK);
    fputs("half", file.stream);
    qb_atomic_file_abandon(&file);
    assert_content("old");
    assert_int_equal(count_entries(), 1);
    qb_atomic_file_abandon(&file);
    unlink(path);
}

static void test_atomic_errors(void **state)
{
    (void)state;
    QbAtomicFile file;
    char missing[128];
    snprintf(missing, sizeof missing, "%s/none/file", folder);
    assert_int_equal(qb_atomic_file_open(&file, missing), QB_ERR_IO);
    assert_error_names(missing);
    if (geteuid() != 0) { /* root may write anywhere */
        assert_int_equal(chmod(folder, 0500), 0);
        assert_int_equal(qb_atomic_file_open(&file, path), QB_ERR_IO);
        assert_int_equal(chmod(folder, 0700), 0);
    }
    for (uint64_t n = 1; n <= 2; n++) {
        qb_mem_fail_after(n);
        assert_int_equal(qb_atomic_file_open(&file, path), QB_ERR_NOMEM);
        qb_mem_fail_after(0);
    }
    assert_int_equal(count_entries(), 0);
    /* The target became a folder meanwhile: the rename fails and nothing is left. */
    assert_int_equal(qb_atomic_file_open(&file, path), QB_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(qb_atomic_file_commit(&file), QB_ERR_IO);
    assert_error_names(path);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(rmdir(path), 0);
}

/* A full disk shows when the stream is flushed. */
static void test_atomic_full_disk(void **state)
{
    (void)state;
    QbAtomicFile file;
    write_file("old", 3);
    assert_int_equal(qb_atomic_file_open(&file, path), QB_OK);
    FILE *full = fopen("/dev/full", "wb");
    if (!full) {
        qb_atomic_file_abandon(&file);
        unlink(path);
        skip();
    }
    fclose(file.stream);
    file.stream = full;
    fputs("text", file.stream);
    assert_int_equal(qb_atomic_file_commit(&file), QB_ERR_IO);
    assert_error_names("No space");
    assert_content("old");
    assert_int_equal(count_entries(), 1);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_release),
        cmocka_unit_test(test_read_limits),
        cmocka_unit_test(test_read_pipe),
        cmocka_unit_test(test_read_regular),
        cmocka_unit_test(test_atomic_commit),
        cmocka_unit_test(test_atomic_follows_links),
        cmocka_unit_test(test_atomic_writes_into_pipes),
        cmocka_unit_test(test_atomic_abandon),
        cmocka_unit_test(test_atomic_errors),
        cmocka_unit_test(test_atomic_full_disk),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
