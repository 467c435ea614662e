/* test_convert_refusals.c: what cannot be converted is refused with a sentence that names it and
 * says what to do, and leaves nothing behind. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/convert/convert_test.h"

typedef struct {
    TinyLayout layout;
    const char *config; /* fields in front; JSON forbids them twice, so new ones only */
    QbStatus status;
    const char *first, *second;
} Refusal;

static void fields_are_refused_by_name(void **state)
{
    (void)state;
    static const Refusal all[] = {
        {TINY_ORIGINAL, "\"mm_use_im_start_end\": true,", QB_ERR_UNSUPPORTED,
         "mm_use_im_start_end is true", "config.json"},
        {TINY_ORIGINAL, "\"mm_vision_select_feature\": \"cls_patch\",", QB_ERR_UNSUPPORTED,
         "mm_vision_select_feature", "cls_patch"},
        {TINY_ORIGINAL, "\"mm_patch_merge_type\": \"spatial_unpad\",", QB_ERR_UNSUPPORTED,
         "mm_patch_merge_type", "LLaVA-1.6"},
        {TINY_ORIGINAL, "\"quantization_config\": {\"quant_method\": \"awq\"},", QB_ERR_UNSUPPORTED,
         "awq", "16-bit"},
        {TINY_ORIGINAL, "\"rope_parameters\": {\"rope_type\": \"linear\"},", QB_ERR_UNSUPPORTED,
         "rope_type", "linear"},
        {TINY_ORIGINAL, "\"attention_bias\": true,", QB_ERR_UNSUPPORTED, "attention_bias", "true"},
        {TINY_ORIGINAL, "\"head_dim\": 16,", QB_ERR_FORMAT, "heads 16 wide", "hidden_size 32"},
        {TINY_ORIGINAL, "\"tie_word_embeddings\": \"no\",", QB_ERR_FORMAT, "tie_word_embeddings",
         "a string, expected true or false"},
        {TINY_ORIGINAL, "\"model_type\": \"llava\",", QB_ERR_FORMAT, "config.json", "duplicate"},
        {TINY_HF_OLD, "\"vision_feature_select_strategy\": \"full\",", QB_ERR_FORMAT, "config.json",
         "duplicate"},
        {TINY_OWL, "\"hidden_size\": \"4096\",", QB_ERR_FORMAT, "config.json", "duplicate"},
        {TINY_ORIGINAL_BARE, "\"mm_vision_select_feature\": 3,", QB_ERR_FORMAT,
         "mm_vision_select_feature", "is 3, expected a string"},
    };
    for (int i = 0; i < COUNT(all); i++) {
        TinyFolder f;
        tiny_folder_make(&f, &(TinyOptions){.layout = all[i].layout, .config = all[i].config});
        convert_fails(&f, convert_options(&f, NULL), all[i].status, all[i].first, all[i].second);
        tiny_folder_remove(&f);
    }
}

static const struct {
    const char *text;
    QbStatus status;
    const char *first, *second;
} configs[] = {
    {"{\"model_type\": \"mplug_owl2_1\"}", QB_ERR_UNSUPPORTED, "mplug_owl2_1", "Qwen"},
    {"{\"model_type\": \"llava_next\"}", QB_ERR_UNSUPPORTED, "llava_next", "LLaVA-1.5"},
    {"{\"model_type\": \"clip\"}", QB_ERR_UNSUPPORTED, "clip", "vision tower alone"},
    {"{\"model_type\": \"gpt2\"}", QB_ERR_UNSUPPORTED, "gpt2", "llava and mplug_owl2"},
    {"{\"model_type\": 7}", QB_ERR_FORMAT, "model_type is 7", "expected a string"},
    {"{}", QB_ERR_FORMAT, "model_type is missing", "config.json"},
    {"[]", QB_ERR_FORMAT, "config.json", "not a JSON object"},
    {"", QB_ERR_FORMAT, "config.json", "line"},
    {"{\"model_type\": \"llava\"", QB_ERR_FORMAT, "config.json", "line 1"},
    {"{\"model_type\": \"llava\", \"mm_projector_type\": \"linear\"}", QB_ERR_UNSUPPORTED,
     "mm_projector_type is \"linear\"", "mlp2x_gelu"},
    {"{\"model_type\": \"llava\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}",
     QB_ERR_UNSUPPORTED, "rope_scaling is not null", "plain rotary"},
    {"{\"model_type\": \"llava\", \"hidden_size\": \"big\"}", QB_ERR_FORMAT,
     "hidden_size is a string", "expected a whole number from 1 to 65536"},
    {"{\"model_type\": \"llava\", \"hidden_size\": 4096.5}", QB_ERR_FORMAT, "hidden_size is 4096.5",
     "whole number"},
    {"{\"model_type\": \"llava\", \"num_hidden_layers\": 1e9}", QB_ERR_FORMAT,
     "num_hidden_layers is 1e+09", "from 1 to 512"},
    {"{\"model_type\": \"llava\", \"num_attention_heads\": 7}", QB_ERR_FORMAT, "hidden_size 4096",
     "7 heads"},
    {"{\"model_type\": \"llava\", \"rms_norm_eps\": 0}", QB_ERR_FORMAT, "rms_norm_eps",
     "between 0 and 1"},
    {"{\"model_type\": \"llava\", \"vision_config\": []}", QB_ERR_FORMAT,
     "vision_config is an array", "an object"},
    {"{\"model_type\": \"llava\", \"vision_config\": {\"image_size\": 337}}", QB_ERR_FORMAT,
     "vision_config.image_size 337", "14"},
    {"{\"model_type\": \"llava\", \"vision_config\": {\"hidden_act\": \"relu\"}}",
     QB_ERR_UNSUPPORTED, "vision_config.hidden_act", "relu"},
    {"{\"model_type\": \"llava\", \"vision_config\": {\"model_type\": \"siglip\"}}",
     QB_ERR_UNSUPPORTED, "siglip", "CLIP"},
    {"{\"model_type\": \"llava\", \"text_config\": {\"model_type\": \"mistral\"}}",
     QB_ERR_UNSUPPORTED, "text_config.model_type", "mistral"},
    {"{\"model_type\": \"llava\", \"mm_vision_tower\": \"openai/clip-vit-base-patch16\"}",
     QB_ERR_UNSUPPORTED, "clip-vit-base-patch16", "clip-vit-large-patch14-336"},
    {"{\"model_type\": \"llava\", \"vision_feature_layer\": 0}", QB_ERR_FORMAT,
     "vision_feature_layer is 0", "-24 to -1"},
    {"{\"model_type\": \"llava\", \"vision_feature_layer\": [-2, -5]}", QB_ERR_FORMAT,
     "vision_feature_layer is an array", "whole number"},
    {"{\"model_type\": \"llava\", \"vision_config\": {\"num_hidden_layers\": 1}}", QB_ERR_FORMAT,
     "layer -2 of a vision tower of 1 layers", "config.json"},
    {"{\"model_type\": \"llava\", \"mm_hidden_size\": 768}", QB_ERR_FORMAT, "mm_hidden_size is 768",
     "1024"},
    {"{\"model_type\": \"mplug_owl2\"}", QB_ERR_ARG, "choose a preset", "q-align"},
    {"{\"model_type\": \"mplug_owl2\", \"level_ids\": [1], \"visual_config\": "
     "{\"visual_model\": {\"use_post_layernorm\": false}}}",
     QB_ERR_UNSUPPORTED, "visual_config.visual_model.use_post_layernorm", "true"},
    {"{\"model_type\": \"mplug_owl2\", \"level_ids\": [1], \"visual_config\": "
     "{\"visual_abstractor\": {\"grid_size\": 16}}}",
     QB_ERR_FORMAT, "grid_size 16", "visual_config.visual_abstractor"},
    {"{\"model_type\": \"mplug_owl2\", \"level_ids\": [1], \"visual_config\": "
     "{\"visual_abstractor\": {\"use_cls_token\": false}}}",
     QB_ERR_UNSUPPORTED, "visual_abstractor.use_cls_token is false", "config.json"},
    {"{\"model_type\": \"mplug_owl2\", \"level_ids\": [1], \"visual_config\": "
     "{\"visual_abstractor\": {\"add_v2t_pos_emb\": true}}}",
     QB_ERR_UNSUPPORTED, "add_v2t_pos_emb is true", "config.json"},
};

static void whole_configs_are_refused_by_name(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){0});
    for (int i = 0; i < COUNT(configs); i++) {
        tiny_write_text(f.path, "config.json", configs[i].text);
        QbConvertOptions o = convert_options(&f, NULL);
        convert_fails(&f, o, configs[i].status, configs[i].first, configs[i].second);
    }
    tiny_folder_remove(&f);
}

static void a_large_config_is_not_read(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){0});
    size_t size = 2 << 20;
    char *spaces = malloc(size);
    memset(spaces, ' ', size);
    tiny_write(f.path, "config.json", spaces, size);
    free(spaces);
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_LIMIT, "config.json", "1048576");
    tiny_folder_remove(&f);
}

static void files_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *without;
        QbStatus status;
        const char *first, *second;
    } all[] = {
        {"config.json", QB_ERR_IO, "config.json", "No such file"},
        {"tokenizer.model", QB_ERR_IO, "tokenizer.model", "missing"},
    };
    for (int i = 0; i < COUNT(all); i++) {
        TinyFolder f;
        tiny_folder_make(&f, &(TinyOptions){.without = all[i].without});
        convert_fails(&f, convert_options(&f, NULL), all[i].status, all[i].first, all[i].second);
        tiny_folder_remove(&f);
    }
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.without = "tokenizer.model"});
    tiny_write_text(f.path, "tokenizer.json", "{}");
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_UNSUPPORTED, "tokenizer.json alone",
                  "tokenizer.model");
    tiny_folder_remove(&f);
}

static void adapters_need_their_base(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){0});
    tiny_write_text(f.path, "adapter_config.json", "{}");
    convert_fails(&f, convert_options(&f, NULL), QB_ERR_UNSUPPORTED, "adapter_config.json",
                  "merge");
    tiny_folder_remove(&f);
}

static void towers_belong_in_one_place(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_ORIGINAL_BARE});
    QbConvertOptions o = convert_options(&f, NULL);
    o.vision_tower = NULL;
    char config[4096];
    tiny_folder_remove(&f);

    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_HF_NEW});
    o = convert_options(&f, NULL);
    o.vision_tower = f.path;
    convert_fails(&f, o, QB_ERR_ARG, "own vision tower", "leave");
    tiny_folder_remove(&f);

    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_OWL});
    o = convert_options(&f, NULL);
    o.vision_tower = f.path;
    convert_fails(&f, o, QB_ERR_ARG, "own vision tower", "leave");
    tiny_folder_remove(&f);

    /* a checkpoint without a tower, whose config tells the tower's sizes */
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_ORIGINAL_BARE});
    char tower[512], decoder[1024];
    tiny_tower_config(tower, sizeof tower);
    tiny_decoder_config(decoder, sizeof decoder, &f);
    snprintf(config, sizeof config, "{\"model_type\": \"llava\", %s, \"vision_config\": %s}",
             decoder, tower);
    tiny_write_text(f.path, "config.json", config);
    o = convert_options(&f, NULL);
    o.vision_tower = NULL;
    convert_fails(&f, o, QB_ERR_ARG, "has no vision tower", "clip-vit-large-patch14-336");
    o.vision_tower = "/nowhere";
    convert_fails(&f, o, QB_ERR_IO, "/nowhere/config.json", "No such file");
    tiny_folder_remove(&f);
}

static void presets_fit_or_are_refused(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){.layout = TINY_HF_OLD});
    QbConvertOptions o = convert_options(&f, NULL);
    o.preset = "q-align";
    convert_fails(&f, o, QB_ERR_ARG, "\"q-align\" is not for", "q-instruct");
    o.preset = "align";
    convert_fails(&f, o, QB_ERR_ARG, "no preset \"align\"", "llava");
    static const char *const llava[] = {"q-instruct", "llava", NULL};
    for (int i = 0; i < COUNT(llava); i++) {
        o.preset = llava[i];
        convert_ok(&f, o);
        QbGguf *gguf = convert_open(&f);
        assert_string_equal(convert_text(gguf, "qboost.variant"), "llava-eval");
        qb_gguf_close(&gguf);
    }
    tiny_folder_remove(&f);

    static const char *const owl[][2] = {{"q-instruct", "q-instruct-eval"},
                                         {"q-align", "q-align-scorer"},
                                         {"deqa", "deqa"},
                                         {"co-instruct", "co-instruct"},
                                         {NULL, "deqa"}}; /* told by level_ids */
    tiny_folder_make(&f,
                     &(TinyOptions){.layout = TINY_OWL, .config = "\"level_ids\": [15129, 1781],"});
    for (int i = 0; i < COUNT(owl); i++) {
        o = convert_options(&f, NULL);
        o.preset = owl[i][0];
        convert_ok(&f, o);
        QbGguf *gguf = convert_open(&f);
        assert_string_equal(convert_text(gguf, "qboost.variant"), owl[i][1]);
        qb_gguf_close(&gguf);
    }
    unlink(f.out);
    o.preset = "llava";
    convert_fails(&f, o, QB_ERR_ARG, "\"llava\" is not for", "mplug_owl2");
    tiny_folder_remove(&f);
    assert_string_equal(qb_convert_preset_name(0), "q-instruct");
    assert_null(qb_convert_preset_name(5));
    assert_null(qb_convert_preset_help(-1));
}

static void options_are_checked(void **state)
{
    (void)state;
    TinyFolder f;
    tiny_folder_make(&f, &(TinyOptions){0});
    QbConvertOptions o = convert_options(&f, "q3_k");
    convert_fails(&f, o, QB_ERR_ARG, "no type \"q3_k\"", "q4_k");
    o = convert_options(&f, NULL);
    o.threads = -1;
    convert_fails(&f, o, QB_ERR_ARG, "-1 threads", "");
    o.threads = 1;
    o.size--;
    convert_fails(&f, o, QB_ERR_ARG, "qb_convert_options_init", "");
    assert_int_equal(qb_convert(NULL, f.out, NULL), QB_ERR_ARG);
    assert_int_equal(qb_convert(f.path, NULL, NULL), QB_ERR_ARG);
    assert_int_equal(qb_convert(f.path, "/nowhere/out.gguf", NULL), QB_ERR_IO);
    assert_non_null(strstr(qb_last_error(), "/nowhere/out.gguf"));
    assert_int_equal(qb_convert(f.path, f.out, NULL), QB_OK);
    tiny_folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_refused_by_name),
        cmocka_unit_test(whole_configs_are_refused_by_name),
        cmocka_unit_test(a_large_config_is_not_read),
        cmocka_unit_test(files_that_are_not_there),
        cmocka_unit_test(adapters_need_their_base),
        cmocka_unit_test(towers_belong_in_one_place),
        cmocka_unit_test(presets_fit_or_are_refused),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
