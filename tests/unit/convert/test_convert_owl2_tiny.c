/* test_convert_owl2_tiny.c: the shared tiny mPLUG-Owl2, whose tensors have upstream's names
 * (written by upstream's code): all of them are known, and become a model. Skips where it is
 * absent. */
// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"
#include "tests/unit/convert/convert_test.h"
#include "weights/checkpoint.h"

static const char config[] =
    "{\"model_type\": \"mplug_owl2\", \"hidden_size\": 40, \"intermediate_size\": 56, "
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"rms_norm_eps\": 1e-06, "
    "\"visual_config\": {\"visual_model\": {\"hidden_size\": 32, \"intermediate_size\": 64, "
    "\"num_hidden_layers\": 3, \"num_attention_heads\": 4, \"image_size\": 56, \"patch_size\": 14, "
    "\"layer_norm_eps\": 1e-06}, \"visual_abstractor\": {\"num_learnable_queries\": 5, "
    "\"hidden_size\": 32, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "
    "\"intermediate_size\": 48, \"encoder_hidden_size\": 32, \"grid_size\": 4, "
    "\"layer_norm_eps\": 1e-06}}}";

static QbCheckpoint *open_fixture(void)
{
    char path[1024];
    const char *shared = getenv("QB_SHARED");
    snprintf(path, sizeof path, "%s/data/fixtures/owl2_tiny.safetensors",
             shared ? shared : "../shared");
    if (access(path, F_OK)) {
        print_message("owl2_tiny.safetensors is absent\n");
        skip();
    }
    QbCheckpoint *checkpoint = NULL;
    if (qb_checkpoint_open(&checkpoint, path))
        fail_msg("%s", qb_last_error());
    return checkpoint;
}

/* All but the inputs and outputs that the fixture keeps beside the network. */
static void copy_tensors(TinyFolder *f, const QbCheckpoint *checkpoint)
{
    tiny_free_tensors(f);
    for (int i = 0; i < qb_checkpoint_tensor_count(checkpoint); i++) {
        const QbCheckpointTensor *from = qb_checkpoint_tensor_at(checkpoint, i);
        TinyTensor *to = &f->tensor[f->n];
        if (!strncmp(from->name, "fixture.", 8))
            continue;
        assert_true(f->n < TINY_MAX_TENSORS && from->n_dims <= 4);
        *to = (TinyTensor){.dtype = "F32", .n_dims = from->n_dims, .n = from->n_values};
        snprintf(to->name, sizeof to->name, "%s", from->name);
        memcpy(to->shape, from->shape, sizeof to->shape);
        to->values = malloc((size_t)to->n * sizeof *to->values);
        assert_int_equal(qb_checkpoint_read(to->values, checkpoint, from, 0, (size_t)to->n), QB_OK);
        f->n++;
    }
    tiny_safetensors(f->path, "model.safetensors", f->tensor, 0, f->n);
}

static void the_fixture_becomes_a_model(void **state)
{
    (void)state;
    QbCheckpoint *checkpoint = open_fixture();
    TinyFolder f;
    TinyOptions options = {.layout = TINY_OWL, .no_bytes = true, .n_words = 40, .text = config};
    tiny_folder_make(&f, &options);
    copy_tensors(&f, checkpoint);
    qb_checkpoint_close(&checkpoint);
    assert_int_equal(f.n, 124);
    convert_ok(&f, convert_options(&f, "f32"));
    QbGguf *gguf = convert_open(&f);
    assert_int_equal(qb_gguf_tensor_count(gguf), f.n + 3 * 2 * 2); /* three from a fused one */
    const QbGgufTensor *v = qb_gguf_find_tensor(gguf, "v.blk.2.attn_v.weight");
    const TinyTensor *fused = tiny_find(&f, "layers.2.self_attn.query_key_value.weight");
    assert_non_null(v);
    for (int h = 0; h < 4; h++) /* heads of 8 rows of 32 */
        assert_memory_equal((const float *)v->data + h * 8 * 32, fused->values + (h * 24 + 16) * 32,
                            8 * 32 * sizeof(float));
    qb_gguf_close(&gguf);
    QbModel *model = NULL;
    if (qb_model_open(&model, f.out, NULL))
        fail_msg("%s", qb_last_error());
    qb_model_close(&model);
    tiny_folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixture_becomes_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
