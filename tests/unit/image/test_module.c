/* test_module.c: decoding modules that are missing, no modules at all, or wanted by many threads.
 */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include <pthread.h>

static char folder[] = "/tmp/qboost-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Before any test that opens the module: what is open stays open. */
static void missing_module_is_named(void **state)
{
    (void)state;
    QbImage *image;
    qb_module_set_folder(folder);
    assert_fails(qb_image_open(&image, GOLDEN "rgb.avif", NULL), QB_ERR_UNSUPPORTED, "avif.so");
    assert_non_null(strstr(qb_last_error(), GOLDEN "rgb.avif: "));
    assert_non_null(strstr(qb_last_error(), folder));
    assert_non_null(strstr(qb_last_error(), "libavif-dev"));
    assert_null(image);
    qb_module_set_folder(NULL);
    if (qb_image_open(&image, GOLDEN "rgb.avif", NULL))
        assert_non_null(strstr(qb_last_error(), "qboost-modules"));
    qb_image_free(&image);
}

static void foreign_files_are_refused(void **state)
{
    (void)state;
    char path[64];
    QbImage *image;
    snprintf(path, sizeof path, "%s/heif.so", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("not a shared object", file);
    fclose(file);
    qb_module_set_folder(folder);
    assert_fails(qb_image_open(&image, GOLDEN "rgb.heic", NULL), QB_ERR_UNSUPPORTED,
                 "cannot be opened");
    assert_non_null(strstr(qb_last_error(), path));
    assert_int_equal(unlink(path), 0);
}

static void *open_all(void *user)
{
    static const char *const files[] = {GOLDEN "rgb.avif", GOLDEN "rgb.jxl", GOLDEN "rgb.heic"};
    uint32_t *crc = user;
    for (int i = 0; i < 3; i++) {
        QbImage *image;
        if (!qb_image_open(&image, files[i], NULL))
            crc[i] = crc32_of(image->pixels, byte_count(image));
        qb_image_free(&image);
    }
    return NULL;
}

static void many_threads_may_open_them(void **state)
{
    (void)state;
    enum { N_THREADS = 4 };
    pthread_t threads[N_THREADS];
    uint32_t crc[N_THREADS][3] = {{0}};
    use_built_modules();
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_all, crc[i]), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N_THREADS; i++)
        for (int k = 0; k < 3; k++) {
            assert_true(crc[i][k] != 0);
            assert_int_equal(crc[i][k], crc[0][k]);
        }
}

/* libjxl and the AV1 decoders write notes; the library never prints. */
static void modules_print_nothing(void **state)
{
    (void)state;
    static const char *const files[] = {GOLDEN "rgb.jxl", GOLDEN "rgb.avif", GOLDEN "rgb.heic"};
    use_built_modules();
    FILE *printed = tmpfile();
    assert_non_null(printed);
    int standard_error = dup(STDERR_FILENO);
    dup2(fileno(printed), STDERR_FILENO);
    for (int i = 0; i < 3; i++) {
        size_t size;
        QbImage *image;
        uint8_t *data = file_bytes(&size, files[i]);
        for (size_t at = 100; at < size; at += size / 7) {
            data[at] ^= 0x5a;
            qb_image_open_memory(&image, data, size, "damaged", NULL);
            qb_image_free(&image);
            qb_image_open_memory(&image, data, at, "cut", NULL);
            qb_image_free(&image);
        }
        qb_free(data);
    }
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    fseek(printed, 0, SEEK_END);
    long n_bytes = ftell(printed);
    fclose(printed);
    assert_int_equal(n_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_module_is_named),
        cmocka_unit_test(foreign_files_are_refused),
        cmocka_unit_test(many_threads_may_open_them),
        cmocka_unit_test(modules_print_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
