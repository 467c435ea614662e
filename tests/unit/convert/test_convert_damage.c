/* test_convert_damage.c: bad checkpoints. The error names file and tensor, and no output is left.
 */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/convert/convert_test.h"

static const struct {
    TinyOptions options;
    QbStatus status;
    const char *first, *second;
} damages[] = {
    {{.layout = TINY_OWL, .without = "model.visual_abstractor.vit_eos"},
     QB_ERR_FORMAT,
     "model.visual_abstractor.vit_eos is missing",
     "/tmp/qboost-convert-"},
    {{.layout = TINY_OWL, .without = "model.layers.1.self_attn.k_proj.multiway.1.weight"},
     QB_ERR_FORMAT,
     "model.layers.1.self_attn.k_proj.multiway.1.weight is missing",
     ""},
    {{.layout = TINY_HF_NEW, .without = "lm_head.weight"},
     QB_ERR_FORMAT,
     "lm_head.weight is missing",
     ""},
    {{.layout = TINY_ORIGINAL, .without = "model.embed_tokens.weight"},
     QB_ERR_FORMAT,
     "model.embed_tokens.weight is missing",
     ""},
    {{.layout = TINY_HF_OLD, .add = "language_model.model.layers.2.mlp.up_proj.weight"},
     QB_ERR_UNSUPPORTED,
     "layers.2.mlp.up_proj.weight is not known",
     "model.safetensors"},
    {{.layout = TINY_OWL, .add = "fixture.logits"},
     QB_ERR_UNSUPPORTED,
     "fixture.logits is not known",
     "model.safetensors"},
    {{.layout = TINY_HF_OLD, .add = "vision_tower.vision_model.encoder.layers.3.mlp.fc1.bias"},
     QB_ERR_UNSUPPORTED,
     "encoder.layers.3.mlp.fc1.bias is not known",
     "model.safetensors"},
    {{.layout = TINY_OWL, .reshape = "model.layers.0.mlp.up_proj.weight"},
     QB_ERR_FORMAT,
     "model.layers.0.mlp.up_proj.weight is [32, 56]",
     "expected [56, 32]"},
    {{.layout = TINY_OWL, .reshape = "model.embed_tokens.weight"},
     QB_ERR_FORMAT,
     "model.embed_tokens.weight is [32, 282]",
     "[279 or more, 32]"},
    {{.layout = TINY_HF_NEW, .integers = "model.language_model.layers.1.mlp.up_proj.weight"},
     QB_ERR_UNSUPPORTED,
     "layers.1.mlp.up_proj.weight is i32",
     "model.safetensors"},
    {{.layout = TINY_OWL, .spoil = "model.layers.1.mlp.down_proj.weight"},
     QB_ERR_FORMAT,
     "model.layers.1.mlp.down_proj.weight has a value that is not finite",
     "model.safetensors"},
    {{.layout = TINY_OWL, .spoil = "model.norm.weight", .dtype = "BF16"},
     QB_ERR_FORMAT,
     "model.norm.weight has a value that is not finite",
     "model.safetensors"},
    {{.layout = TINY_OWL, .spoil = "lm_head.weight", .large = 70000.0f, .dtype = "BF16"},
     QB_ERR_FORMAT,
     "lm_head.weight has a value that f16 cannot hold",
     "model.safetensors"},
    {{.layout = TINY_OWL, .shards = 3, .without = "model-00002-of-00003.safetensors"},
     QB_ERR_IO,
     "model-00002-of-00003.safetensors",
     ""},
};

static void tensors_that_are_wrong(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(damages); i++) {
        TinyFolder f;
        tiny_folder_make(&f, &damages[i].options);
        convert_fails(&f, convert_options(&f, "f16"), damages[i].status, damages[i].first,
                      damages[i].second);
        tiny_folder_remove(&f);
    }
}

/* The layer that LLaVA does not run may be missing, and may hold anything. */
static void what_is_not_read_is_not_judged(void **state)
{
    (void)state;
    static const TinyOptions all[] = {
        {.layout = TINY_HF_OLD,
         .without = "vision_tower.vision_model.encoder.layers.2.mlp.fc1.bias"},
        {.layout = TINY_HF_OLD, .without = "vision_tower.vision_model.post_layernorm.weight"},
        {.layout = TINY_HF_OLD, .spoil = "vision_tower.vision_model.encoder.layers.2.mlp.fc1.bias"},
        {.layout = TINY_HF_OLD, .add = "vision_tower.vision_model.embeddings.position_ids"},
    };
    for (int i = 0; i < COUNT(all); i++) {
        TinyFolder f;
        tiny_folder_make(&f, &all[i]);
        convert_ok(&f, convert_options(&f, NULL));
        tiny_folder_remove(&f);
    }
}

/* Cut at many places: never a file, always the shard's name. */
static void truncated_files(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    char path[256];
    snprintf(path, sizeof path, "%s/model.safetensors", f.path);
    size_t size;
    uint8_t *bytes = tiny_read(&size, path);
    for (size_t cut = 0; cut < size; cut += size / 23) {
        tiny_write(f.path, "model.safetensors", bytes, cut);
        convert_fails(&f, convert_options(&f, NULL), QB_ERR_FORMAT, "model.safetensors", "");
    }
    free(bytes);
    tiny_folder_remove(&f);
}

typedef struct {
    char path[256];
    int64_t size, at;
} Shortener;

static int shorten(int64_t done, int64_t total, const char *tensor, void *user)
{
    const Shortener *s = user;
    (void)total, (void)tensor;
    if (done >= s->at && truncate(s->path, s->size / 3))
        return 1;
    return 0;
}

/* A file that shrinks under the converter's hands. */
static void a_file_cut_short_meanwhile(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    Shortener s = {.size = 60000, .at = 20000};
    snprintf(s.path, sizeof s.path, "%s/model.safetensors", f.path);
    QbConvertOptions o = convert_options(&f, NULL);
    o.progress = shorten;
    o.user = &s;
    int before = tiny_file_count(&f);
    assert_true(qb_convert(f.path, f.out, &o) < 0);
    assert_non_null(strstr(qb_last_error(), "model.safetensors"));
    assert_int_equal(tiny_file_count(&f), before);
    tiny_folder_remove(&f);
}

static void a_vocabulary_larger_than_the_embedding(void **state)
{
    (void)state;
    TinyFolder f;
    TinyOptions o = {.layout = TINY_HF_NEW};
    tiny_folder_make(&f, &o);
    tiny_tokenizer(f.path, &(TinyOptions){.n_words = 24});
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_FORMAT, "embed_tokens.weight is [282, 32]",
                  "[283 or more, 32]");
    tiny_folder_remove(&f);
}

static void check_allocations(const TinyOptions *options)
{
    TinyFolder f;
    tiny_folder_make(&f, options);
    QbConvertOptions o = convert_options(&f, "q8_0");
    int before = tiny_file_count(&f), n = 1;
    for (;; n++) {
        qb_mem_fail_after((uint64_t)n);
        QbStatus status = qb_convert(f.path, f.out, &o);
        qb_mem_fail_after(0);
        if (!status)
            break;
        if (status != QB_ERR_NOMEM)
            fail_msg("allocation %d: status %d, \"%s\"", n, status, qb_last_error());
        assert_int_equal(tiny_file_count(&f), before);
        assert_true(n < 5000);
    }
    assert_true(n > 20);
    tiny_folder_remove(&f);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    check_allocations(&(TinyOptions){.layout = TINY_OWL, .no_bytes = true});
    check_allocations(&(TinyOptions){.layout = TINY_ORIGINAL_BARE, .no_bytes = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_that_are_wrong),
        cmocka_unit_test(what_is_not_read_is_not_judged),
        cmocka_unit_test(truncated_files),
        cmocka_unit_test(a_file_cut_short_meanwhile),
        cmocka_unit_test(a_vocabulary_larger_than_the_embedding),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
