/* test_torch.c: PyTorch's archives: what torch.save wrote, and views, strides and storages put
 * together here, right and wrong. Hostile pickles are in test_pickle.c. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/torch_build.h"

static const float counted[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

/* ---- files of torch.save --------------------------------------------------------------------- */

static void a_state_dict_is_read(void **state)
{
    (void)state;
    float transposed[24];
    for (int i = 0; i < 24; i++)
        transposed[i] = (float)(i % 4 * 6 + i / 4);
    float halves[7];
    for (int i = 0; i < 7; i++) /* linspace(-1, 1, 7), rounded to f16 */
        halves[i] = (float[]){
            -1, -0.66650390625f, -0.333251953125f, -0.0f, 0.333251953125f, 0.66650390625f, 1}[i];
    QbCheckpoint *checkpoint = open_well("tests/golden/checkpoint/tiny_state.bin");
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 10);
    assert_values(checkpoint, "h", QB_DTYPE_F16, halves, 7);
    assert_values(checkpoint, "b", QB_DTYPE_BF16, (float[]){-2, -1, 0, 1, 2}, 5);
    assert_values(checkpoint, "f", QB_DTYPE_F32, counted, 24);
    assert_values(checkpoint, "view", QB_DTYPE_F32, (float[]){8, 9, 10, 14, 15, 16}, 6);
    assert_values(checkpoint, "tr", QB_DTYPE_F32, transposed, 24);
    assert_values(checkpoint, "shared", QB_DTYPE_F32, counted + 6, 6);
    assert_values(checkpoint, "scalar", QB_DTYPE_F32, (float[]){3.5f}, 1);
    assert_values(checkpoint, "i64", QB_DTYPE_I64, (float[]){1, -2, 3}, 3);
    assert_values(checkpoint, "empty", QB_DTYPE_F32, (float[]){0}, 0);
    assert_values(checkpoint, "param", QB_DTYPE_F32, (float[]){0.25f, 0.25f, 0.25f, 0.25f}, 4);
    assert_int_equal(qb_checkpoint_find(checkpoint, "scalar")->n_dims, 0);
    assert_int_equal(qb_checkpoint_find(checkpoint, "tr")->shape[0], 6);
    assert_int_equal(qb_checkpoint_find(checkpoint, "empty")->shape[1], 4);
    qb_checkpoint_close(&checkpoint);
}

static void every_type_is_read(void **state)
{
    (void)state;
    static const QbDtype types[] = {QB_DTYPE_F32, QB_DTYPE_F16, QB_DTYPE_BF16, QB_DTYPE_F64,
                                    QB_DTYPE_I64, QB_DTYPE_I32, QB_DTYPE_I16,  QB_DTYPE_I8};
    float permuted[120];
    int n = 0;
    for (int a = 0; a < 5; a++) /* base[2,3,4,5].permute(3, 1, 0, 2) */
        for (int b = 0; b < 3; b++)
            for (int c = 0; c < 2; c++)
                for (int d = 0; d < 4; d++)
                    permuted[n++] = (float)(c * 60 + b * 20 + d * 5 + a);
    QbCheckpoint *checkpoint = open_well("tests/golden/checkpoint/all_types.bin");
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 12);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_values(checkpoint, qb_dtype_name(types[i]), types[i], (float[]){-3, -2, -1, 0, 1, 2},
                      6);
    assert_values(checkpoint, "u8", QB_DTYPE_U8, (float[]){250, 251, 252, 253, 254, 255}, 6);
    assert_values(checkpoint, "bool", QB_DTYPE_BOOL, (float[]){1, 0, 1}, 3);
    assert_values(checkpoint, "permuted", QB_DTYPE_F32, permuted, 120);
    assert_values(checkpoint, "expanded", QB_DTYPE_F32, (float[]){1, 1, 1, 2, 2, 2}, 6);
    assert_true(qb_checkpoint_find(checkpoint, "expanded")->repeats);
    assert_false(qb_checkpoint_find(checkpoint, "permuted")->repeats);
    qb_checkpoint_close(&checkpoint);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {
        {"tests/golden/checkpoint/tiny_rejected.bin",
         "asks for __builtin__.eval, which is not a tensor: refused"},
        {"tests/golden/checkpoint/nested.bin", "holds a dict under \"state_dict\""},
        {"tests/golden/checkpoint/legacy.bin", "is in the format of PyTorch before 1.6; load it"},
    };
    for (size_t i = 0; i < 3; i++) {
        QbCheckpoint *checkpoint;
        assert_failure(qb_checkpoint_open(&checkpoint, cases[i].path), QB_ERR_UNSUPPORTED,
                       cases[i].message);
        assert_null(checkpoint);
    }
}

/* ---- archives -------------------------------------------------------------------------------- */

static const TensorSpec plain = {"FloatStorage", "0", 24, 0, 2, 2, {4, 6}, {6, 1}};

static void pickle_one(Pickle *pickle, const TensorSpec *spec)
{
    pickle->n = 0;
    PICKLE_ADD(pickle, "\x80\x02}");
    pickle_text(pickle, "x");
    pickle_tensor(pickle, spec);
    PICKLE_ADD(pickle, "s.");
}

/* One storage of 24 floats, and a pickle. */
static void start_zip(ZipBuild *zip, Pickle *pickle, const TensorSpec *spec)
{
    *zip = (ZipBuild){0};
    pickle_one(pickle, spec);
    zip_add(zip, "top/data.pkl", pickle->bytes, pickle->n);
    zip_add(zip, "top/data/0", counted, sizeof counted);
}

static void every_layout_of_zip_is_read(void **state)
{
    (void)state;
    Pickle pickle;
    ZipBuild zip;
    for (int how = 0; how < 8; how++) {
        start_zip(&zip, &pickle, &plain);
        zip.how = how;
        zip_add(&zip, "top/byteorder", "little", 6);
        zip_finish(&zip);
        int fd;
        QbCheckpoint *checkpoint = open_well(memory_file(&fd, zip.bytes, zip.n));
        assert_values(checkpoint, "x", QB_DTYPE_F32, counted, 24);
        qb_checkpoint_close(&checkpoint);
        close(fd);
    }
}

static void assert_zip_fails(ZipBuild *zip, QbStatus expected, const char *message)
{
    zip_finish(zip);
    assert_bytes_fail(zip->bytes, zip->n, expected, message);
}

static void wrong_archives_are_refused(void **state)
{
    (void)state;
    Pickle pickle;
    ZipBuild zip;
    start_zip(&zip, &pickle, &plain);
    zip_add(&zip, "top/byteorder", "big", 3);
    assert_zip_fails(&zip, QB_ERR_UNSUPPORTED, "was not written on a little-endian machine");
    start_zip(&zip, &pickle, &plain);
    zip_add(&zip, "top/byteorder", "middle", 6);
    assert_zip_fails(&zip, QB_ERR_UNSUPPORTED, "was not written on a little-endian machine");
    for (int i = 0; i < 2; i++) {
        start_zip(&zip, &pickle, &plain);
        zip.entries[i].method = 8;
        assert_zip_fails(&zip, QB_ERR_UNSUPPORTED, "is compressed or encrypted");
        start_zip(&zip, &pickle, &plain);
        zip.entries[i].flags = 1;
        assert_zip_fails(&zip, QB_ERR_UNSUPPORTED, "is compressed or encrypted");
    }
    start_zip(&zip, &pickle, &plain);
    zip_add(&zip, "top/data/0", "", 0);
    assert_zip_fails(&zip, QB_ERR_FORMAT, "entry top/data/0 is there twice");
    start_zip(&zip, &pickle, &plain);
    zip_add(&zip, "other/data.pkl", "", 0);
    assert_zip_fails(&zip, QB_ERR_FORMAT, "has several data.pkl");
    zip = (ZipBuild){0};
    zip_add(&zip, "top/x/data.pkl", "", 0);
    zip_add(&zip, "data.pkl", "", 0);
    assert_zip_fails(&zip, QB_ERR_FORMAT, "is a zip archive, but not one of torch.save");
    zip = (ZipBuild){0};
    zip_add(&zip, "top/data.pkl", "", 0);
    assert_zip_fails(&zip, QB_ERR_FORMAT, "the pickle ends too early");
}

/* The number of entries, the size and the place of the directory, wherever they are told. */
static void wrong_directories_are_refused(void **state)
{
    (void)state;
    Pickle pickle;
    for (int wide = 0; wide < 2; wide++)
        for (int field = 0; field < 3; field++)
            for (int step = 0; step < 5; step++) {
                ZipBuild zip;
                start_zip(&zip, &pickle, &plain);
                zip.how = wide ? 0 : ZIP_32;
                zip_finish(&zip);
                const size_t bytes = wide ? 8 : field ? 4 : 2;
                const size_t ends[] = {zip.n - 98 + 32, zip.n - 22 + 10};
                const size_t places[] = {0, wide ? 8 : 2, wide ? 16 : 6};
                uint8_t *at = zip.bytes + ends[wide ? 0 : 1] + places[field];
                uint64_t value = 0;
                memcpy(&value, at, bytes);
                value += (uint64_t[]){1, UINT64_MAX, 1u << 15, UINT64_MAX / 2, 77}[step];
                memcpy(at, &value, bytes);
                QbCheckpoint *checkpoint;
                assert_int_not_equal(open_bytes(&checkpoint, zip.bytes, zip.n), QB_OK);
                assert_true(strstr(qb_last_error(), "zip directory"));
            }
}

/* ---- views of a storage ---------------------------------------------------------------------- */

static void views_are_read(void **state)
{
    (void)state;
    static const struct {
        TensorSpec spec;
        int n;
        float values[8];
    } cases[] = {
        {{"FloatStorage", "0", 24, 23, 1, 1, {1}, {1000}}, 1, {23}},
        {{"FloatStorage", "0", 24, 23, 2, 2, {1, 1}, {INT64_MAX, INT64_MAX}}, 1, {23}},
        {{"FloatStorage", "0", 24, 5, 1, 1, {4}, {6}}, 4, {5, 11, 17, 23}},
        {{"FloatStorage", "0", 24, 1, 3, 3, {2, 1, 3}, {12, 99, 2}}, 6, {1, 3, 5, 13, 15, 17}},
        {{"FloatStorage", "0", 24, 9, 2, 2, {2, 3}, {0, 0}}, 6, {9, 9, 9, 9, 9, 9}},
        {{"FloatStorage", "0", 24, 24, 2, 2, {0, 3}, {3, 1}}, 0, {0}},
        {{"FloatStorage", "0", 24, 0, 0, 0, {0}, {0}}, 1, {0}},
        {{"FloatStorage", "0", 24, 20, 8, 8, {1, 1, 1, 2, 1, 1, 1, 2}, {2, 2, 2, 2, 2, 2, 2, 1}},
         4,
         {20, 21, 22, 23}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pickle pickle;
        ZipBuild zip;
        int fd;
        start_zip(&zip, &pickle, &cases[i].spec);
        zip_finish(&zip);
        QbCheckpoint *checkpoint = open_well(memory_file(&fd, zip.bytes, zip.n));
        assert_values(checkpoint, "x", QB_DTYPE_F32, cases[i].values, cases[i].n);
        qb_checkpoint_close(&checkpoint);
        close(fd);
    }
}

static void wrong_views_are_refused(void **state)
{
    (void)state;
    const int64_t big = INT64_MAX;
    const struct {
        TensorSpec spec;
        const char *message;
    } cases[] = {
        {{"FloatStorage", "1", 24, 0, 1, 1, {1}, {1}}, "its storage data/1 is missing"},
        {{"FloatStorage", "../0", 24, 0, 1, 1, {1}, {1}}, "its storage data/../0 is missing"},
        {{"FloatStorage", "", 24, 0, 1, 1, {1}, {1}}, "its storage data/ is missing"},
        {{"FloatStorage", "0", 23, 0, 1, 1, {1}, {1}}, "has 96 bytes, expected 23 values of 4"},
        {{"FloatStorage", "0", 25, 0, 1, 1, {1}, {1}}, "has 96 bytes, expected 25 values of 4"},
        {{"HalfStorage", "0", 24, 0, 1, 1, {1}, {1}}, "has 96 bytes, expected 24 values of 2"},
        {{"FloatStorage", "0", -24, 0, 1, 1, {0}, {1}}, "reaches beyond its storage of -24"},
        {{"FloatStorage", "0", ((int64_t)1 << 62) + 24, 0, 1, 1, {1}, {1}}, "has 96 bytes"},
        {{"FloatStorage", "0", 24, 24, 1, 1, {1}, {1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 25, 1, 1, {0}, {1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, -1, 1, 1, {1}, {1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, big, 1, 1, {2}, {1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 0, 2, 2, {4, 6}, {7, 1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 0, 1, 1, {25}, {1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 23, 1, 1, {2}, {-1}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 0, 1, 1, {3}, {big}}, "reaches beyond its storage of 24"},
        {{"FloatStorage", "0", 24, 0, 2, 2, {2, 2}, {big, big}}, "reaches beyond its storage"},
        {{"FloatStorage", "0", 24, 0, 1, 1, {-1}, {1}}, "dimension 0 is -1"},
        {{"FloatStorage", "0", 24, 0, 2, 2, {big, 3}, {0, 0}}, "shape overflows"},
        {{"FloatStorage", "0", 24, 0, 2, 1, {1, 1}, {1}}, "not as many strides as dimensions"},
        {{"FloatStorage", "0", 24, 0, 9, 9, {1}, {1}}, "at most 8 sizes and strides"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pickle pickle;
        ZipBuild zip;
        start_zip(&zip, &pickle, &cases[i].spec);
        assert_zip_fails(&zip, QB_ERR_FORMAT, cases[i].message);
    }
}

/* A matrix whose columns lie further apart than the reader's window. */
static void large_strides_are_read(void **state)
{
    (void)state;
    enum { ROWS = 40, COLUMNS = 9000 };
    const TensorSpec spec = {"ShortStorage",  "0",         ROWS * COLUMNS, 0, 2, 2,
                             {COLUMNS, ROWS}, {1, COLUMNS}};
    Pickle pickle;
    ZipBuild zip = {0};
    pickle_one(&pickle, &spec);
    zip_add(&zip, "t/data.pkl", pickle.bytes, pickle.n);
    zip_finish(&zip);
    /* the storage, then the archive: its offsets are moved by building it behind */
    int16_t *values = malloc(ROWS * COLUMNS * sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        values[i] = (int16_t)(i * 31);
    FILE *file = tmpfile();
    assert_non_null(file);
    static const uint8_t local[30] = {'P', 'K', 3, 4};
    const uint64_t bytes = ROWS * COLUMNS * sizeof *values, pickle_at = sizeof local + bytes;
    fwrite(local, 1, sizeof local, file);
    fwrite(values, 1, bytes, file);
    fwrite(local, 1, sizeof local, file);
    fwrite(pickle.bytes, 1, pickle.n, file);
    ZipBuild directory = {.how = ZIP_64_SIZES};
    const size_t start = sizeof local + bytes + sizeof local + pickle.n;
    zip_central(&directory, &(ZipBuildEntry){.name = "t/data/0", .size = bytes}, 0);
    zip_central(&directory, &(ZipBuildEntry){.name = "t/data.pkl", .size = pickle.n}, pickle_at);
    const size_t size = directory.n;
    zip_bytes(&directory, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    zip_number(&directory, size, 4);
    zip_number(&directory, start, 4);
    zip_number(&directory, 0, 2);
    fwrite(directory.bytes, 1, directory.n, file);
    assert_int_equal(fflush(file), 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    QbCheckpoint *checkpoint = open_well(path);
    const QbCheckpointTensor *tensor = qb_checkpoint_find(checkpoint, "x");
    float *got = malloc(ROWS * COLUMNS * sizeof *got);
    assert_non_null(got);
    assert_int_equal(qb_checkpoint_read(got, checkpoint, tensor, 0, ROWS * COLUMNS), QB_OK);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        assert_true(got[i] == (float)values[i % ROWS * COLUMNS + i / ROWS]);
    qb_checkpoint_close(&checkpoint);
    fclose(file);
    free(values);
    free(got);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void damage_is_harmless(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = load_golden(&size, "tests/golden/checkpoint/tiny_state.bin");
    assert_damage_is_harmless(bytes, size, 1);
    free(bytes);
    Pickle pickle;
    ZipBuild zip;
    start_zip(&zip, &pickle, &plain);
    zip.how = ZIP_64_SIZES | ZIP_COMMENT;
    zip_finish(&zip);
    assert_damage_is_harmless(zip.bytes, zip.n, 1);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_allocations_may_fail("tests/golden/checkpoint/tiny_state.bin", 50);
    assert_allocations_may_fail("tests/golden/checkpoint/sharded", 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_dict_is_read),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(every_layout_of_zip_is_read),
        cmocka_unit_test(wrong_archives_are_refused),
        cmocka_unit_test(wrong_directories_are_refused),
        cmocka_unit_test(views_are_read),
        cmocka_unit_test(wrong_views_are_refused),
        cmocka_unit_test(large_strides_are_read),
        cmocka_unit_test(damage_is_harmless),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
