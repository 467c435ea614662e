/* test_checkpoint.c: which files of a folder make its checkpoint, what an index may say, and files
 * that change while they are read. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/checkpoint_check.h"

#include <pthread.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/qb-checkpoint-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)))
        if (unlinkat(dirfd(stream), entry->d_name, 0))
            unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
    if (stream)
        closedir(stream);
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* A safetensors file with one u8 tensor of n values, all of them `value`. */
static void put_tensor(const char *file, const char *tensor, int n, int value)
{
    static uint8_t bytes[1 << 17];
    int length = snprintf((char *)bytes + 8, 500,
                          "{\"%s\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
                          tensor, n, n);
    const uint64_t header = (uint64_t)length;
    memcpy(bytes, &header, 8);
    memset(bytes + 8 + length, value, (size_t)n);
    put_file(file, bytes, 8 + (size_t)(length + n));
}

static void put_index(const char *text)
{
    put_file("model.safetensors.index.json", text, strlen(text));
}

static void assert_folder_fails(QbStatus expected, const char *message)
{
    QbCheckpoint *checkpoint;
    int before = count_open_files();
    assert_failure(qb_checkpoint_open(&checkpoint, folder), expected, message);
    assert_null(checkpoint);
    assert_int_equal(count_open_files(), before);
}

static void a_folder_needs_no_index(void **state)
{
    (void)state;
    put_tensor("model-2.safetensors", "b", 2, 7);
    put_tensor("model-1.safetensors", "a", 1, 5);
    put_file("training_args.bin", "never read", 10);
    put_file("pytorch_model.bin", "not read either", 15);
    put_file(".hidden.safetensors", "nor this", 8);
    int before = count_open_files();
    QbCheckpoint *checkpoint = open_well(folder);
    assert_int_equal(count_open_files(), before + 2);
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 2);
    assert_string_equal(qb_checkpoint_tensor_at(checkpoint, 0)->name, "a");
    assert_values(checkpoint, "a", QB_DTYPE_U8, (float[]){5}, 1);
    assert_values(checkpoint, "b", QB_DTYPE_U8, (float[]){7, 7}, 2);
    assert_string_equal(qb_checkpoint_find(checkpoint, "b")->file,
                        in_folder("model-2.safetensors"));
    qb_checkpoint_close(&checkpoint);
    assert_int_equal(count_open_files(), before);
    assert_null(checkpoint);
    qb_checkpoint_close(&checkpoint);
    qb_checkpoint_close(NULL);
}

/* What is left beside a whole checkpoint is not part of it. */
static void a_whole_checkpoint_is_alone(void **state)
{
    (void)state;
    put_tensor("model.safetensors", "a", 1, 5);
    put_tensor("consolidated.safetensors", "a", 1, 6);
    put_tensor("adapter_model.safetensors", "b", 1, 7);
    put_file("pytorch_model-00001-of-00002.bin", "a shard of before", 17);
    put_file("mm_projector.bin", "the projector once more", 23);
    QbCheckpoint *checkpoint = open_well(folder);
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 1);
    assert_values(checkpoint, "a", QB_DTYPE_U8, (float[]){5}, 1);
    qb_checkpoint_close(&checkpoint);
    assert_allocations_may_fail(folder, 10);
}

static void an_index_chooses(void **state)
{
    (void)state;
    put_tensor("one.safetensors", "a", 1, 5);
    put_tensor("two.safetensors", "b", 1, 6);
    put_file("stray.safetensors", "is not in the index", 19);
    put_index("{\"metadata\":{\"total_size\":-1},\"weight_map\":"
              "{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
    QbCheckpoint *checkpoint = open_well(folder);
    assert_values(checkpoint, "a", QB_DTYPE_U8, (float[]){5}, 1);
    assert_values(checkpoint, "b", QB_DTYPE_U8, (float[]){6}, 1);
    qb_checkpoint_close(&checkpoint);
    assert_allocations_may_fail(folder, 20);
}

static void wrong_indexes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *index;
        QbStatus status;
        const char *message;
    } cases[] = {
        {"", QB_ERR_FORMAT, "index.json: line"},
        {"[]", QB_ERR_FORMAT, "has no \"weight_map\""},
        {"{}", QB_ERR_FORMAT, "has no \"weight_map\""},
        {"{\"weight_map\":{}}", QB_ERR_FORMAT, "has no \"weight_map\""},
        {"{\"weight_map\":{\"a\":1}}", QB_ERR_FORMAT, "tensor a is said to be in \"\""},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}}", QB_ERR_FORMAT,
         "duplicate"},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"three.safetensors\"}}", QB_ERR_IO,
         "names three.safetensors, which is missing"},
        {"{\"weight_map\":{\"c\":\"one.safetensors\"}}", QB_ERR_FORMAT,
         "tensor c is not in one.safetensors"},
        {"{\"weight_map\":{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\"}}", QB_ERR_FORMAT,
         "is not in"},
        {"{\"weight_map\":{\"a\":\"../one.safetensors\"}}", QB_ERR_FORMAT,
         "\"../one.safetensors\", expected a file of the folder"},
        {"{\"weight_map\":{\"a\":\"/etc/one.safetensors\"}}", QB_ERR_FORMAT, "expected a file of"},
        {"{\"weight_map\":{\"a\":\"x/one.safetensors\"}}", QB_ERR_FORMAT, "expected a file of"},
        {"{\"weight_map\":{\"a\":\"..\"}}", QB_ERR_FORMAT, "expected a file of"},
        {"{\"weight_map\":{\"a\":\"\"}}", QB_ERR_FORMAT, "expected a file of"},
        {"{\"weight_map\":{\"a\":\".safetensors\"}}", QB_ERR_FORMAT, "expected a file of"},
        {"{\"weight_map\":{\"a\":\"training_args.bin\"}}", QB_ERR_FORMAT, "ends in .safetensors"},
        {"{\"weight_map\":{\"a\":\"folder.safetensors\"}}", QB_ERR_IO, "is not a regular file"},
    };
    put_tensor("one.safetensors", "a", 1, 5);
    put_tensor("two.safetensors", "b", 1, 6);
    assert_int_equal(mkdir(in_folder("folder.safetensors"), 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_index(cases[i].index);
        assert_folder_fails(cases[i].status, cases[i].message);
    }
}

static void training_arguments_are_never_opened(void **state)
{
    (void)state;
    static const char index[] = "{\"weight_map\":{\"a\":\"training_args.bin\"}}";
    put_file("training_args.bin", "x", 1);
    put_file("pytorch_model.bin.index.json", index, sizeof index - 1);
    assert_folder_fails(QB_ERR_FORMAT, "\"training_args.bin\", expected a file of the folder");
    assert_int_equal(unlink(in_folder("pytorch_model.bin.index.json")), 0);
    assert_folder_fails(QB_ERR_IO, "has no checkpoint");
}

static void names_are_unique(void **state)
{
    (void)state;
    put_tensor("one.safetensors", "same", 1, 5);
    put_tensor("two.safetensors", "same", 1, 5);
    assert_folder_fails(QB_ERR_FORMAT, "tensor same is there twice");
}

static void files_must_be_files(void **state)
{
    (void)state;
    QbCheckpoint *checkpoint;
    assert_failure(qb_checkpoint_open(&checkpoint, in_folder("absent")), QB_ERR_IO, "absent: No");
    put_file("empty.safetensors", "", 0);
    assert_folder_fails(QB_ERR_FORMAT, "0 bytes are too few");
    assert_int_equal(unlink(in_folder("empty.safetensors")), 0);
    assert_int_equal(mkfifo(in_folder("pipe.safetensors"), 0600), 0);
    assert_folder_fails(QB_ERR_IO, "is not a regular file"); /* and is not waited for */
    assert_failure(qb_checkpoint_open(&checkpoint, "/dev/zero"), QB_ERR_IO, "not a regular file");
    assert_int_equal(unlink(in_folder("pipe.safetensors")), 0);
    assert_int_equal(mkfifo(in_folder("model.safetensors.index.json"), 0600), 0);
    assert_folder_fails(QB_ERR_IO, "index.json: is not a regular file");
    assert_int_equal(unlink(in_folder("model.safetensors.index.json")), 0);
    put_file("pointer.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:", 54);
    assert_folder_fails(QB_ERR_FORMAT, "pointer.safetensors: is Git LFS's pointer");
    put_file("x.txt", "some text that is nothing", 25);
    assert_failure(qb_checkpoint_open(&checkpoint, in_folder("x.txt")), QB_ERR_FORMAT,
                   "is neither a safetensors nor a PyTorch file");
}

static void pytorch_folders_are_read(void **state)
{
    (void)state;
    float a[15], b[14];
    for (int i = 0; i < 15; i++)
        a[i] = (float)i / 4;
    for (int i = 0; i < 14; i++)
        b[i] = (float)(i - 7);
    QbCheckpoint *checkpoint = open_well("tests/golden/checkpoint/sharded");
    assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 3);
    assert_values(checkpoint, "a", QB_DTYPE_F16, a, 15);
    assert_values(checkpoint, "b", QB_DTYPE_BF16, b, 14);
    assert_values(checkpoint, "c", QB_DTYPE_F32, (float[]){2.5f}, 1);
    qb_checkpoint_close(&checkpoint);
}

static void a_file_cut_short_is_an_error(void **state)
{
    (void)state;
    enum { N = 100000 };
    float *values = malloc(N * sizeof *values);
    assert_non_null(values);
    put_tensor("one.safetensors", "a", N, 9);
    QbCheckpoint *checkpoint = open_well(folder);
    const QbCheckpointTensor *tensor = qb_checkpoint_find(checkpoint, "a");
    assert_int_equal(qb_checkpoint_read(values, checkpoint, tensor, 0, N), QB_OK);
    assert_true(values[0] == 9 && values[N - 1] == 9);
    assert_int_equal(truncate(in_folder("one.safetensors"), 50000), 0);
    assert_int_equal(qb_checkpoint_read(values, checkpoint, tensor, 0, 1000), QB_OK);
    assert_failure(qb_checkpoint_read(values, checkpoint, tensor, 0, N), QB_ERR_IO, "tensor a: ");
    assert_failure(qb_checkpoint_read(values, checkpoint, tensor, N - 1, 1), QB_ERR_IO,
                   "bytes too early");
    /* a file that is replaced is another one */
    put_tensor("new", "a", N, 9);
    assert_int_equal(unlink(in_folder("one.safetensors")), 0);
    assert_int_equal(qb_checkpoint_read(values, checkpoint, tensor, 0, 1000), QB_OK);
    qb_checkpoint_close(&checkpoint);
    free(values);
}

static const QbCheckpoint *read_by_all;

static void *read_much(void *user)
{
    const QbCheckpointTensor *tensor = qb_checkpoint_find(read_by_all, user);
    int *good = calloc(1, sizeof *good);
    float values[333];
    for (int64_t i = 0; i + 333 <= tensor->n_values; i += 333) {
        if (qb_checkpoint_read(values, read_by_all, tensor, i, 333))
            return good;
        for (int k = 0; k < 333; k++)
            if (values[k] != (float)(tensor->name[0] - 'a'))
                return good;
    }
    *good = 1;
    return good;
}

static void threads_share_a_checkpoint(void **state)
{
    (void)state;
    put_tensor("one.safetensors", "a", 100000, 0);
    put_tensor("two.safetensors", "b", 100000, 1);
    QbCheckpoint *checkpoint = open_well(folder);
    read_by_all = checkpoint;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, i % 2 ? "b" : "a"), 0);
    for (int i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal(*(int *)good, 1);
        free(good);
    }
    qb_checkpoint_close(&checkpoint);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_folder_needs_no_index),
        IN_FOLDER(a_whole_checkpoint_is_alone),
        IN_FOLDER(an_index_chooses),
        IN_FOLDER(wrong_indexes_are_refused),
        IN_FOLDER(training_arguments_are_never_opened),
        IN_FOLDER(names_are_unique),
        IN_FOLDER(files_must_be_files),
        IN_FOLDER(a_file_cut_short_is_an_error),
        IN_FOLDER(threads_share_a_checkpoint),
        cmocka_unit_test(pytorch_folders_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
