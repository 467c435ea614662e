/* test_safetensors.c: safetensors files, well made and damaged. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/checkpoint_check.h"

enum { DATA_BYTES = 64 };

/* A file of this header and 64 bytes of data, byte i being i. */
static size_t build(uint8_t *out, const char *header)
{
    const uint64_t n = strlen(header);
    memcpy(out, &n, 8);
    memcpy(out + 8, header, n);
    for (size_t i = 0; i < DATA_BYTES; i++)
        out[8 + n + i] = (uint8_t)i;
    return 8 + (size_t)n + DATA_BYTES;
}

static void assert_header_fails(const char *header, QbStatus expected, const char *message)
{
    uint8_t bytes[4096];
    assert_true(strlen(header) < 3000);
    assert_bytes_fail(bytes, build(bytes, header), expected, message);
}

static const char sample[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[0,6]},"
    "\"a\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[8,10]},"
    "\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[6,6]},"
    "\"end\":{\"shape\":[1,1,8],\"data_offsets\":[56,64],\"dtype\":\"I8\",\"more\":1}}    ";

static void tensors_are_listed_and_read(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    int fd;
    size_t size = build(bytes, sample);
    QbCheckpoint *checkpoint = open_well(memory_file(&fd, bytes, size));
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 4);
    assert_values(checkpoint, "b", QB_DTYPE_U8, (float[]){0, 1, 2, 3, 4, 5}, 6);
    assert_values(checkpoint, "a", QB_DTYPE_I16, (float[]){8 + 256 * 9}, 1);
    assert_values(checkpoint, "none", QB_DTYPE_F32, (float[]){0}, 0);
    assert_values(checkpoint, "end", QB_DTYPE_I8, (float[]){56, 57, 58, 59, 60, 61, 62, 63}, 8);
    const QbCheckpointTensor *b = qb_checkpoint_find(checkpoint, "b");
    assert_int_equal(b->n_dims, 2);
    assert_int_equal(b->shape[0], 2);
    assert_int_equal(b->shape[1], 3);
    assert_int_equal(qb_checkpoint_find(checkpoint, "a")->n_dims, 0);
    assert_null(qb_checkpoint_find(checkpoint, "__metadata__"));
    assert_null(qb_checkpoint_find(checkpoint, "c"));
    assert_null(qb_checkpoint_tensor_at(checkpoint, 4));
    assert_null(qb_checkpoint_tensor_at(checkpoint, -1));
    qb_checkpoint_close(&checkpoint);
    close(fd);
}

/* One value of each type, with its bytes as the format has them. */
static void every_type_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        QbDtype dtype;
        int bytes;
        uint8_t data[8];
        float value;
    } cases[] = {
        {"F32", QB_DTYPE_F32, 4, {0, 0, 0x20, 0xc1}, -10},
        {"F16", QB_DTYPE_F16, 2, {0x01, 0x80}, -0x1p-24f},
        {"F16", QB_DTYPE_F16, 2, {0xff, 0x7b}, 65504},
        {"BF16", QB_DTYPE_BF16, 2, {0x40, 0xc0}, -3},
        {"F64", QB_DTYPE_F64, 8, {0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, -1.5f},
        {"I64", QB_DTYPE_I64, 8, {0xfe, 255, 255, 255, 255, 255, 255, 255}, -2},
        {"I32", QB_DTYPE_I32, 4, {0, 0, 0, 0x80}, -0x1p31f},
        {"I16", QB_DTYPE_I16, 2, {0xff, 0xff}, -1},
        {"I8", QB_DTYPE_I8, 1, {0x80}, -128},
        {"U8", QB_DTYPE_U8, 1, {0x80}, 128},
        {"BOOL", QB_DTYPE_BOOL, 1, {2}, 1},
        {"BOOL", QB_DTYPE_BOOL, 1, {0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[128];
        uint8_t bytes[512];
        int fd;
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":"
                 "[1,%d]}}",
                 cases[i].name, 1 + cases[i].bytes);
        size_t size = build(bytes, header);
        memcpy(bytes + size - DATA_BYTES + 1, cases[i].data, (size_t)cases[i].bytes);
        QbCheckpoint *checkpoint = open_well(memory_file(&fd, bytes, size));
        assert_values(checkpoint, "x", cases[i].dtype, &cases[i].value, 1);
        assert_int_equal(qb_dtype_bytes(cases[i].dtype), cases[i].bytes);
        assert_int_equal(strcasecmp(qb_dtype_name(cases[i].dtype), cases[i].name), 0);
        qb_checkpoint_close(&checkpoint);
        close(fd);
    }
}

#define TENSOR(dtype, shape, offsets) \
    "{\"x\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void wrong_tensors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        QbStatus status;
        const char *message;
    } cases[] = {
        {TENSOR("F8_E4M3", "[4]", "[0,4]"), QB_ERR_UNSUPPORTED, "tensor x is of type F8_E4M3"},
        {TENSOR("f32", "[1]", "[0,4]"), QB_ERR_UNSUPPORTED, "tensor x is of type f32"},
        {TENSOR("F32", "[4]", "[0,15]"), QB_ERR_FORMAT, "has 15 bytes, but its shape takes 16"},
        {TENSOR("F32", "[4]", "[0,17]"), QB_ERR_FORMAT, "has 17 bytes, but its shape takes 16"},
        {TENSOR("F32", "[4]", "[52,68]"), QB_ERR_FORMAT, "lies at bytes 52 to 68 of 64"},
        {TENSOR("F32", "[4]", "[16,0]"), QB_ERR_FORMAT, "lies at bytes 16 to 0"},
        {TENSOR("F32", "[4]", "[-16,0]"), QB_ERR_FORMAT, "lies at bytes -16 to 0"},
        {TENSOR("F32", "[4]", "[9223372036854775800,9223372036854775807]"), QB_ERR_FORMAT,
         "lies at bytes 9223372036854775800"},
        {TENSOR("F32", "[4]", "[0,18446744073709551615]"), QB_ERR_FORMAT, "the header at byte"},
        {TENSOR("F32", "[4]", "[0]"), QB_ERR_FORMAT, "data_offsets are not two whole numbers"},
        {TENSOR("F32", "[4]", "[0,16,32]"), QB_ERR_FORMAT, "data_offsets are not two"},
        {TENSOR("F32", "[4]", "[0,16.0]"), QB_ERR_FORMAT, "data_offsets are not two"},
        {TENSOR("F32", "[4]", "\"0,16\""), QB_ERR_FORMAT, "data_offsets are not two"},
        {TENSOR("F32", "[-1]", "[0,4]"), QB_ERR_FORMAT, "dimension 0 is -1"},
        {TENSOR("F32", "[-2,-2]", "[0,16]"), QB_ERR_FORMAT, "dimension 0 is -2"},
        {TENSOR("F32", "[4294967296,4294967296]", "[0,0]"), QB_ERR_FORMAT, "shape overflows"},
        {TENSOR("F32", "[4611686018427387905]", "[0,4]"), QB_ERR_FORMAT, "shape overflows"},
        {TENSOR("F32", "[4.0]", "[0,16]"), QB_ERR_FORMAT, "dimension 0 is not a whole number"},
        {TENSOR("F32", "4", "[0,16]"), QB_ERR_FORMAT, "tensor x has no shape"},
        {TENSOR("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), QB_ERR_LIMIT, "has 9 dimensions"},
        {"{\"x\":[]}", QB_ERR_FORMAT, "tensor x is not described by an object"},
        {"{\"x\":{}}", QB_ERR_FORMAT, "tensor x has no dtype"},
        {"{\"x\":{\"dtype\":1}}", QB_ERR_FORMAT, "tensor x has no dtype"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[1]}}", QB_ERR_FORMAT, "data_offsets are not two"},
        {"{\"\":{}}", QB_ERR_LIMIT, "the name of a tensor has 0 bytes"},
        {"{\"x\\u0000y\":{}}", QB_ERR_FORMAT, "the header at byte"},
        {"{\"x\":{},\"x\":{}}", QB_ERR_FORMAT, "duplicate"},
        {"{\"x\":{}", QB_ERR_FORMAT, "the header at byte"},
        {"{\"x\":{}} y", QB_ERR_FORMAT, "the header at byte"},
        {"{\"x\":\"\xff\"}", QB_ERR_FORMAT, "the header at byte"},
        {"[1]", QB_ERR_FORMAT, "is neither a safetensors nor a PyTorch file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_header_fails(cases[i].header, cases[i].status, cases[i].message);
}

static void overlaps_are_refused(void **state)
{
    (void)state;
    char header[512];
    static const int second[][2] = {{0, 16}, {15, 17}, {4, 8}, {0, 1}};
    for (size_t i = 0; i < 4; i++) {
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]},"
                 "\"y\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}",
                 second[i][1] - second[i][0], second[i][0], second[i][1]);
        assert_header_fails(header, QB_ERR_FORMAT, "overlap");
    }
}

static void absurd_headers_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    size_t size = build(bytes, sample);
    static const uint64_t lengths[] = {1017, 100000000, (uint64_t)1 << 62, UINT64_MAX,
                                       UINT64_MAX - 7};
    for (size_t i = 0; i < 5; i++) {
        memcpy(bytes, &lengths[i], 8);
        assert_bytes_fail(bytes, size, QB_ERR_FORMAT, "the header has");
    }
    /* a header within the file, but too large to be turned into objects */
    int fd;
    const uint64_t large = (4 << 20) + 1;
    const char *path = memory_file(&fd, &large, 8);
    assert_int_equal(pwrite(fd, "{", 1, 8), 1);
    assert_int_equal(ftruncate(fd, 17 << 20), 0);
    QbCheckpoint *checkpoint;
    assert_failure(qb_checkpoint_open(&checkpoint, path), QB_ERR_LIMIT,
                   "the header has 4194305 bytes, the limit is 4194304");
    close(fd);
    /* deeper than any header */
    static char deep[5000];
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"x\":", 5);
    static uint8_t file[6000];
    assert_bytes_fail(file, build(file, deep), QB_ERR_FORMAT, "the header at byte");
}

static void damage_is_harmless(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    size_t size = build(bytes, sample);
    assert_damage_is_harmless(bytes, size, 1);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    int fd;
    size_t size = build(bytes, sample);
    assert_allocations_may_fail(memory_file(&fd, bytes, size), 10);
    close(fd);
}

/* With the values that the file's description and tools other than ours give. */
static void a_published_layout_is_read(void **state)
{
    (void)state;
    char path[1024];
    const char *shared = getenv("QB_SHARED");
    snprintf(path, sizeof path, "%s/data/fixtures/owl2_tiny.safetensors",
             shared ? shared : "../shared");
    if (access(path, R_OK)) {
        print_message("owl2_tiny.safetensors is absent: skipping\n");
        skip();
    }
    QbCheckpoint *checkpoint = open_well(path);
    const QbCheckpointTensor *tensor =
        qb_checkpoint_find(checkpoint, "model.vision_model.embeddings.position_embedding");
    assert_non_null(tensor);
    assert_int_equal(tensor->n_dims, 3);
    assert_int_equal(tensor->n_values, 17 * 32);
    float values[4];
    assert_int_equal(qb_checkpoint_read(values, checkpoint, tensor, 0, 4), QB_OK);
    static const float expected[] = {-0.31345275044441223f, 0.18647851049900055f,
                                     0.08594539016485214f, 0.08114463835954666f};
    assert_memory_equal(values, expected, sizeof expected);
    read_ends(checkpoint);
    qb_checkpoint_close(&checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_listed_and_read), cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(wrong_tensors_are_refused),   cmocka_unit_test(overlaps_are_refused),
        cmocka_unit_test(absurd_headers_are_refused),  cmocka_unit_test(damage_is_harmless),
        cmocka_unit_test(every_allocation_may_fail),   cmocka_unit_test(a_published_layout_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
