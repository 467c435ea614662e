/* test_convert_folder.c: what lies in the folder beside a checkpoint, or in place of its files:
 * leftovers of training, pipes, links that lead nowhere, Git LFS's pointers; an output that cannot
 * be written, or would replace what it is made of. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/convert/convert_test.h"
#include "tests/unit/weights/torch_build.h"

static void path_in(char out[256], const TinyFolder *f, const char *name)
{
    snprintf(out, 256, "%s/%s", f->path, name);
}

static void leftovers_do_not_disturb(void **state)
{
    (void)state;
    static const char *const names[] = {
        "mm_projector.bin", "training_args.bin",         "optimizer.pt",
        "rng_state_0.pth",  "consolidated.safetensors",  "pytorch_model-00001-of-00002.bin",
        "scheduler.pt",     "generation_config.json",    "tf_model.h5",
        "README.md",        "non_lora_trainables.bin.0", "flax_model.msgpack"};
    TinyFolder f;
    size_t size, size_beside;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_ORIGINAL});
    convert_ok(&f, convert_options(&f, NULL));
    uint8_t *alone = tiny_read(&size, f.out);
    for (int i = 0; i < COUNT(names); i++)
        tiny_write_text(f.path, names[i], "not read, whatever it is");
    convert_ok(&f, convert_options(&f, NULL));
    uint8_t *beside = tiny_read(&size_beside, f.out);
    assert_int_equal(size, size_beside);
    assert_memory_equal(alone, beside, size);
    free(alone);
    free(beside);
    tiny_folder_remove(&f);
}

/* A pipe is not waited for; a link that leads nowhere is not as if there were no file. */
static void files_must_be_files(void **state)
{
    (void)state;
    static const char *const names[] = {"config.json", "tokenizer.model",
                                        "preprocessor_config.json", "model.safetensors",
                                        "model.safetensors.index.json"};
    for (int i = 0; i < COUNT(names); i++) {
        TinyFolder f;
        char path[256];
        tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
        path_in(path, &f, names[i]);
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        convert_fails(&f, convert_options(&f, NULL), QB_ERR_IO, names[i], "not a regular file");
        unlink(path);
        assert_int_equal(mkdir(path, 0700), 0);
        convert_fails(&f, convert_options(&f, NULL), QB_ERR_IO, names[i], "");
        tiny_folder_remove(&f);
    }
    TinyFolder f;
    char path[256];
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    path_in(path, &f, "preprocessor_config.json");
    assert_int_equal(symlink("nowhere", path), 0);
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_IO, "preprocessor_config.json", "No such");
    unlink(path);
    assert_int_equal(symlink("preprocessor_config.json", path), 0);
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_IO, "preprocessor_config.json", "");
    tiny_folder_remove(&f);
}

/* What a clone without Git LFS leaves in place of large files. */
static void pointers_are_told(void **state)
{
    (void)state;
    static const char *const names[] = {"tokenizer.model", "model.safetensors"};
    for (int i = 0; i < COUNT(names); i++) {
        TinyFolder f;
        tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
        tiny_write_text(f.path, names[i],
                        "version https://git-lfs.github.com/spec/v1\noid sha256:9e55\nsize 499723");
        convert_fails(&f, convert_options(&f, NULL), QB_ERR_FORMAT, names[i], "git lfs pull");
        tiny_folder_remove(&f);
    }
}

/* A tensor of a few bytes that says it is a large matrix must not fill the disk. */
static void expanded_tensors_are_refused(void **state)
{
    (void)state;
    static const float one = 1.0f;
    TinyFolder f;
    char path[256];
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    path_in(path, &f, "model.safetensors");
    unlink(path);
    Pickle pickle = {.n = 0};
    ZipBuild zip = {0};
    const TensorSpec spec = {"FloatStorage", "0", 1, 0, 2, 2, {1 << 20, f.width}, {0, 0}};
    PICKLE_ADD(&pickle, "\x80\2}");
    pickle_text(&pickle, "model.embed_tokens.weight");
    pickle_tensor(&pickle, &spec);
    PICKLE_ADD(&pickle, "s.");
    zip_add(&zip, "top/data.pkl", pickle.bytes, pickle.n);
    zip_add(&zip, "top/data/0", &one, sizeof one);
    zip_finish(&zip);
    tiny_write(f.path, "pytorch_model.bin", zip.bytes, zip.n);
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_UNSUPPORTED,
                  "pytorch_model.bin: tensor model.embed_tokens.weight", "contiguous()");
    tiny_folder_remove(&f);
}

/* By its own name, by another one, and the tower's. */
static void the_checkpoint_is_not_replaced(void **state)
{
    (void)state;
    TinyFolder f;
    char weights[256], other[256], config[256], tower_config[256];
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_ORIGINAL_BARE});
    QbConvertOptions o = convert_options(&f, NULL);
    path_in(weights, &f, "model.safetensors");
    path_in(other, &f, "link");
    path_in(config, &f, "config.json");
    path_in(tower_config, &f, "tower/config.json");
    assert_int_equal(symlink("tower/model.safetensors", other), 0);
    size_t size, size_after;
    uint8_t *before = tiny_read(&size, weights);
    const char *const outputs[] = {weights, other, config, tower_config};
    for (int i = 0; i < COUNT(outputs); i++) {
        assert_int_equal(qb_convert(f.path, outputs[i], &o), QB_ERR_ARG);
        assert_non_null(strstr(qb_last_error(), "is a file of the checkpoint"));
        assert_non_null(strstr(qb_last_error(), outputs[i]));
    }
    uint8_t *after = tiny_read(&size_after, weights);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    tiny_folder_remove(&f);
}

static void writing_may_fail(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    QbConvertOptions o = convert_options(&f, NULL);
    assert_int_equal(qb_convert(f.path, "/dev/full", &o), QB_ERR_IO);
    assert_non_null(strstr(qb_last_error(), "/dev/full: No space left"));
    assert_int_equal(qb_convert(f.path, f.path, &o), QB_ERR_IO);
    assert_non_null(strstr(qb_last_error(), "is a folder"));
    tiny_folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leftovers_do_not_disturb),
        cmocka_unit_test(files_must_be_files),
        cmocka_unit_test(pointers_are_told),
        cmocka_unit_test(expanded_tensors_are_refused),
        cmocka_unit_test(the_checkpoint_is_not_replaced),
        cmocka_unit_test(writing_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
