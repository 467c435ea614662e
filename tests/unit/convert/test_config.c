/* test_config.c: config.json by name and kind, the parts built on it, and the table of presets. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/network_config.h"
#include "convert/preset.h"

#include <qboost/convert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static QbConfigFile file;

static QbConfigNode parse(const char *text)
{
    qb_config_close(&file);
    if (qb_config_parse(&file, text, strlen(text), "config.json"))
        fail_msg("%s", qb_last_error());
    return qb_config_root(&file);
}

static void says(QbStatus status, const char *words)
{
    if (status != QB_ERR_FORMAT || !strstr(qb_last_error(), words))
        fail_msg("status %d: \"%s\", expected \"%s\"", status, qb_last_error(), words);
}

static void values_by_kind(void **state)
{
    (void)state;
    QbConfigNode n = parse("{\"a\": 7, \"b\": 7.0, \"c\": 1e30, \"d\": \"x\", \"e\": null, \"f\": "
                           "true, \"g\": [0.5, 1, 0], \"h\": {\"i\": 3}, \"j\": "
                           "1000000000000000019884624838656}");
    int whole = -1;
    double real = -1;
    bool flag = false;
    const char *text = "none";
    float three[3] = {9, 9, 9};
    QbConfigNode child;
    assert_int_equal(qb_config_int(&whole, &n, "a", 0, 9), QB_OK);
    assert_int_equal(whole, 7);
    assert_int_equal(qb_config_int(&whole, &n, "b", 7, 7), QB_OK);
    assert_int_equal(qb_config_real(&real, &n, "c", 0, 1e31), QB_OK);
    assert_true(real == 1e30);
    assert_int_equal(qb_config_bool(&flag, &n, "f"), QB_OK);
    assert_true(flag);
    assert_int_equal(qb_config_text(&text, &n, "d"), QB_OK);
    assert_string_equal(text, "x");
    assert_int_equal(qb_config_triple(three, &n, "g", 0, 1), QB_OK);
    assert_true(three[0] == 0.5f && three[1] == 1 && three[2] == 0);
    assert_int_equal(qb_config_child(&child, &n, "h", "h."), QB_OK);
    assert_int_equal(qb_config_int(&whole, &child, "i", 0, 9), QB_OK);
    assert_int_equal(whole, 3);
    says(qb_config_int(&whole, &child, "i", 4, 9),
         "config.json: h.i is 3, expected a whole number from 4 to 9");
    says(qb_config_int(&whole, &n, "d", 0, 9),
         "config.json: d is a string, expected a whole number from 0 to 9");
    says(qb_config_int(&whole, &n, "c", 0, 9), "c is 1e+30");
    says(qb_config_int(&whole, &n, "j", 0, 9), "j is 1e+30");
    says(qb_config_real(&real, &n, "a", 7, 8), "a is 7, expected a number between 7 and 8");
    says(qb_config_bool(&flag, &n, "a"), "a is 7, expected true or false");
    says(qb_config_text(&text, &n, "h"), "h is an object, expected a string");
    says(qb_config_child(&child, &n, "g", "g."), "g is an array, expected an object");
    says(qb_config_triple(three, &n, "g", 0, 0.9), "g[1] is not a number from 0 to 0.9");
    says(qb_config_triple(three, &n, "f", 0, 1), "f is true, expected an array of three");
    assert_int_equal(whole, 3); /* what failed changed nothing */
}

static void absent_and_null_keep_the_default(void **state)
{
    (void)state;
    QbConfigNode n = parse("{\"e\": null}"), child;
    int whole = 5;
    assert_int_equal(qb_config_int(&whole, &n, "e", 0, 9), QB_OK);
    assert_int_equal(qb_config_int(&whole, &n, "nothing", 0, 9), QB_OK);
    assert_int_equal(qb_config_child(&child, &n, "e", "e."), QB_OK);
    assert_null(child.object);
    assert_int_equal(qb_config_int(&whole, &child, "i", 0, 9), QB_OK);
    assert_int_equal(whole, 5);
    assert_false(qb_config_has(&n, "e"));
    assert_int_equal(qb_config_only(&n, "e", "silu", "why"), QB_OK);
}

static void decoders_have_llamas_defaults(void **state)
{
    (void)state;
    QbDecoderConfig d;
    QbConfigNode n = parse("{}");
    assert_int_equal(qb_decoder_config_read(&d, &n, 1e-6), QB_OK);
    assert_int_equal(d.width, 4096);
    assert_int_equal(d.n_ff, 11008);
    assert_int_equal(d.n_layers, 32);
    assert_int_equal(d.n_heads, 32);
    assert_int_equal(d.n_kv_heads, 32);
    assert_int_equal(d.n_context, 2048);
    assert_true(d.norm_eps == 1e-6 && d.rope_base == 10000 && !d.tied);
    n = parse("{\"hidden_size\": 5120, \"num_attention_heads\": 40, \"num_key_value_heads\": 8, "
              "\"head_dim\": 128, \"rms_norm_eps\": 1e-05, \"rope_theta\": 1e6, \"rope_scaling\": "
              "{\"rope_type\": \"default\"}}");
    assert_int_equal(qb_decoder_config_read(&d, &n, 1e-6), QB_OK);
    assert_int_equal(d.n_kv_heads, 8);
    assert_true(d.norm_eps == 1e-5 && d.rope_base == 1e6);
    n = parse("{\"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"default\"}}");
    assert_int_equal(qb_decoder_config_read(&d, &n, 1e-6), QB_OK);
    assert_true(d.rope_base == 5e5);
    n = parse("{\"num_key_value_heads\": 33}");
    says(qb_decoder_config_read(&d, &n, 1e-6), "num_key_value_heads is 33");
    n = parse("{\"num_key_value_heads\": 5}");
    says(qb_decoder_config_read(&d, &n, 1e-6), "5 key heads");
}

static void towers_have_clips_defaults(void **state)
{
    (void)state;
    QbTowerConfig t;
    QbConfigNode n = parse("{}");
    assert_int_equal(qb_tower_config_read(&t, &n, 336, 1e-5), QB_OK);
    assert_int_equal(t.image_size, 336);
    assert_int_equal(t.patch_size, 14);
    assert_int_equal(t.width, 1024);
    assert_int_equal(t.n_ff, 4096);
    assert_int_equal(t.n_layers, 24);
    assert_int_equal(t.n_heads, 16);
    assert_true(t.norm_eps == 1e-5 && !t.use_gelu);
    n = parse("{\"hidden_size\": 768, \"hidden_act\": \"gelu\"}");
    assert_int_equal(qb_tower_config_read(&t, &n, 448, 1e-6), QB_OK);
    assert_int_equal(t.n_heads, 12);
    assert_true(t.use_gelu);
    n = parse("{\"num_channels\": 1}");
    says(qb_tower_config_read(&t, &n, 448, 1e-6), "num_channels is 1");
}

static void every_preset_names_variants(void **state)
{
    (void)state;
    for (int i = 0; qb_preset_at(i); i++) {
        const QbPreset *p = qb_preset_at(i);
        assert_non_null(p->variants[0]);
        assert_true(strlen(p->help) > 0);
        for (int j = 0; p->variants[j]; j++)
            assert_non_null(qb_variant_find(p->variants[j]));
        assert_string_equal(qb_convert_preset_name(i), p->name);
        assert_string_equal(qb_convert_preset_help(i), p->help);
    }
}

static int close_file(void **state)
{
    (void)state;
    qb_config_close(&file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_by_kind),
        cmocka_unit_test(absent_and_null_keep_the_default),
        cmocka_unit_test(decoders_have_llamas_defaults),
        cmocka_unit_test(towers_have_clips_defaults),
        cmocka_unit_test(every_preset_names_variants),
    };
    return cmocka_run_group_tests(tests, NULL, close_file);
}
