/* test_mplug_owl2_file.c: opening mPLUG-Owl2 files: what is refused and how it is told, positions
 * from the file or computed, what a session keeps, failing memory. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "models/session.h"
#include "tests/unit/models/gguf_convert.h"
#include "tests/unit/models/owl2_golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What is different from the golden case. */
typedef struct {
    const char *without_tensor; /* a start of names: all of them are left out */
    const char *without_key;
    const char *cut_tensor; /* its last row is left out, or the last value of a vector */
    const char *key;        /* its four bytes become those of number or real */
    uint32_t number;
    float real;
} Edit;

static char path[64]; /* of the case "odd" as GGUF */
static QbGguf *odd;

static int set_up(void **state)
{
    (void)state;
    owl2_convert(path, "odd", "f32");
    return qb_gguf_open(&odd, path);
}

static int tear_down(void **state)
{
    (void)state;
    qb_gguf_close(&odd);
    return unlink(path);
}

/* Where a key's name stands in the bytes of the keys. */
static uint8_t *find_key(GgufBuild *b, const char *key)
{
    uint8_t name[128] = {(uint8_t)strlen(key)};
    memcpy(name + 8, key, strlen(key));
    uint8_t *at = memmem(b->keys.data, b->keys.size, name, 8 + strlen(key));
    if (!at)
        fail_msg("the file has no key %s", key);
    return at + 8;
}

static void add_tensor(GgufBuild *b, const QbGgufTensor *t, bool cut)
{
    int64_t ne[QB_TENSOR_MAX_DIMS];
    memcpy(ne, t->ne, sizeof ne);
    ne[t->n_dims - 1] -= cut;
    gguf_build_tensor(b, t->name, t->type, t->n_dims, ne, t->data);
}

static QbStatus open_edited(QbModel **out, const Edit *edit)
{
    char edited[] = "/tmp/qboost_owl2_XXXXXX";
    int fd = mkstemp(edited);
    GgufBuild b;
    gguf_convert_keys(&b, odd);
    if (edit->without_key)
        *find_key(&b, edit->without_key) = '#';
    if (edit->key)
        memcpy(find_key(&b, edit->key) + strlen(edit->key) + 4,
               edit->real != 0 ? (const void *)&edit->real : (const void *)&edit->number, 4);
    for (int i = 0; i < qb_gguf_tensor_count(odd); i++) {
        const QbGgufTensor *t = qb_gguf_tensor_at(odd, i);
        const char *without = edit->without_tensor;
        if (!without || strncmp(t->name, without, strlen(without)))
            add_tensor(&b, t, edit->cut_tensor && !strcmp(t->name, edit->cut_tensor));
    }
    assert_true(fd >= 0 && !close(fd) && !gguf_build_write(&b, edited));
    QbStatus status = qb_model_open(out, edited, NULL);
    unlink(edited);
    return status;
}

static void check_refused(const Edit *edit, const char *tell)
{
    QbModel *model = (QbModel *)1;
    QbStatus status = open_edited(&model, edit);
    assert_null(model);
    if (status != QB_ERR_FORMAT || !strstr(qb_last_error(), tell))
        fail_msg("status %d, \"%s\" should tell of \"%s\"", status, qb_last_error(), tell);
}

static void test_a_good_file_opens(void **state)
{
    (void)state;
    QbModel *model = NULL;
    if (open_edited(&model, &(Edit){0}))
        fail_msg("%s", qb_last_error());
    assert_string_equal(qb_model_architecture(model), "mplug_owl2");
    const char *tower = NULL;
    for (int i = 0; qb_model_info_key(model, i); i++)
        if (!strcmp(qb_model_info_key(model, i), "vision tower"))
            tower = qb_model_info_value(model, i);
    assert_non_null(tower);
    assert_non_null(strstr(tower, "3 layers, width 36"));
    assert_non_null(strstr(tower, "abstractor, 2 layers -> 8 tokens"));
    qb_model_close(&model);
}

static bool is_optional(const char *name)
{
    return strstr(name, "_pos.weight") || !strcmp(name, "output.weight");
}

static void test_missing_tensors(void **state)
{
    (void)state;
    int n_refused = 0;
    for (int i = 0; i < qb_gguf_tensor_count(odd); i++) {
        const char *name = qb_gguf_tensor_at(odd, i)->name;
        if (is_optional(name))
            continue;
        check_refused(&(Edit){.without_tensor = name}, name);
        n_refused++;
    }
    assert_true(n_refused > 100);
}

static void test_short_tensors(void **state)
{
    (void)state;
    static const char *const names[] = {"v.post_ln.weight",
                                        "v.post_ln.bias",
                                        "a.query.weight",
                                        "a.blk.0.q_pos.weight",
                                        "a.blk.1.k_pos.weight",
                                        "a.blk.0.attn_q.weight",
                                        "a.blk.1.ffn_gate.weight",
                                        "a.blk.1.ffn_up.bias",
                                        "a.blk.0.ffn_down.weight",
                                        "a.blk.0.ffn_ln.weight",
                                        "a.blk.0.ln_kv.bias",
                                        "mm.fc.weight",
                                        "mm.eos.weight",
                                        "blk.0.attn_k.weight",
                                        "blk.0.attn_k_image.weight",
                                        "blk.2.attn_v_image.weight",
                                        "blk.1.ffn_norm_image.weight"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_refused(&(Edit){.cut_tensor = names[i]}, names[i]);
}

#define ABSTRACTOR "mplug_owl2.abstractor."

static void test_missing_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "mplug_owl2.block_count",      "mplug_owl2.attention.layer_norm_rms_epsilon",
        "clip.vision.block_count",     ABSTRACTOR "block_count",
        ABSTRACTOR "embedding_length", ABSTRACTOR "feed_forward_length",
        ABSTRACTOR "query_count",      ABSTRACTOR "attention.head_count",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        check_refused(&(Edit){.without_key = keys[i]}, keys[i]);
    QbModel *model = NULL;
    assert_int_equal(open_edited(&model, &(Edit){.without_key = ABSTRACTOR "layer_norm_epsilon"}),
                     QB_OK);
    qb_model_close(&model);
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t number;
        const char *tell;
    } cases[] = {
        {ABSTRACTOR "block_count", 0, ABSTRACTOR "block_count is 0"},
        {ABSTRACTOR "block_count", 3, "a.blk.2."},
        {ABSTRACTOR "block_count", 0xffffffffu, ABSTRACTOR "block_count"},
        {ABSTRACTOR "embedding_length", 32, "width 32"},
        {ABSTRACTOR "attention.head_count", 5, "5 heads"},
        {ABSTRACTOR "attention.head_count", 0, ABSTRACTOR "attention.head_count is 0"},
        {ABSTRACTOR "query_count", 8, "a.query.weight"},
        {ABSTRACTOR "query_count", 0, ABSTRACTOR "query_count is 0"},
        {ABSTRACTOR "query_count", 5000, ABSTRACTOR "query_count is 5000"},
        {ABSTRACTOR "feed_forward_length", 46, "a.blk.0.ffn_gate"},
        {ABSTRACTOR "layer_norm_epsilon", 0, "epsilon 0"},
        {ABSTRACTOR "layer_norm_epsilon", 0x3f800000u, "epsilon 1"},
        {ABSTRACTOR "layer_norm_epsilon", 0xb58637bdu, "epsilon -1e-06"},
        {ABSTRACTOR "layer_norm_epsilon", 0x7fc00000u, "layer_norm_epsilon"},
        {"mplug_owl2.context_length", 8, "8 image tokens in a context of 8"},
        {"clip.vision.image_size", 49, "v.position_embd.weight"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(&(Edit){.key = cases[i].key, .number = cases[i].number}, cases[i].tell);
}

/* ---- positions --------------------------------------------------------------------------------
 */

static float logit_without(const char *tensor)
{
    QbModel *model = NULL;
    QbSession *session = NULL;
    QbImage *image = NULL;
    float logit;
    const int32_t ids[] = {1, QB_ID_IMAGE, 40}, wanted[] = {270};
    assert_int_equal(open_edited(&model, &(Edit){.without_tensor = tensor}), QB_OK);
    assert_int_equal(qb_image_open(&image, "tests/golden/compact/cat.png", NULL), QB_OK);
    assert_int_equal(qb_session_new(&session, model, NULL), QB_OK);
    assert_int_equal(
        qb_session_eval(&logit, session, ids, 3, &(const QbImage *){image}, 1, wanted, 1), QB_OK);
    qb_session_free(&session);
    qb_image_free(&image);
    qb_model_close(&model);
    return logit;
}

/* Stored ones of this case are not those that are computed; each may be absent by itself. */
static void test_positions_are_read_or_computed(void **state)
{
    (void)state;
    float all = logit_without(NULL), no_q = logit_without("a.blk.0.q_pos"),
          no_k = logit_without("a.blk.0.k_pos");
    assert_true(all != no_q && all != no_k && no_q != no_k);
}

/* ---- kept rows --------------------------------------------------------------------------------
 */

enum { N_VOCAB = 305 };

static void eval(float *logits, QbSession *session, const int32_t *ids, int n,
                 const QbImage *const *images, int n_images)
{
    assert_int_equal(qb_session_eval(logits, session, ids, n, images, n_images, NULL, 0), QB_OK);
}

/* Rows of text and of pictures are done in runs; where a prompt goes on in the middle of one, the
 * bits are those of the whole prompt. */
static void test_kept_rows_give_the_same_bits(void **state)
{
    (void)state;
    static const char *const names[] = {"cat.png", "shapes_640x480.png", "dark_65x63.png"};
    const int32_t ids[] = {1, 260, QB_ID_IMAGE, 13, QB_ID_IMAGE, QB_ID_IMAGE, 281, 7, 300};
    static const int shown[][3] = {{0, 1, 2}, {0, 1, 1}, {0, 2, 1}, {2, 2, 2}, {2, 2, 0}};
    static const int n_ids[] = {9, 9, 7, 9, 8};
    static float kept[N_VOCAB], fresh[N_VOCAB];
    QbModel *model = NULL;
    QbSession *session = NULL;
    QbImage *images[3];
    assert_int_equal(open_edited(&model, &(Edit){0}), QB_OK);
    assert_int_equal(model->arch->decoder(model->weights)->n_vocab, N_VOCAB);
    assert_int_equal(qb_session_new(&session, model, NULL), QB_OK);
    for (int i = 0; i < 3; i++) {
        char file[96];
        snprintf(file, sizeof file, "tests/golden/compact/%s", names[i]);
        assert_int_equal(qb_image_open(&images[i], file, NULL), QB_OK);
    }
    for (size_t i = 0; i < sizeof n_ids / sizeof *n_ids; i++) {
        const QbImage *these[3];
        QbSession *other = NULL;
        for (int k = 0; k < 3; k++)
            these[k] = images[shown[i][k]];
        assert_int_equal(qb_session_new(&other, model, &(QbSessionOptions){.threads = 1}), QB_OK);
        eval(kept, session, ids, n_ids[i], these, 3);
        eval(fresh, other, ids, n_ids[i], these, 3);
        assert_memory_equal(kept, fresh, sizeof kept);
        qb_session_free(&other);
    }
    assert_true(qb_session_rows_computed(session) < 5 * (6 + 3 * 8)); /* some were kept */
    for (int i = 0; i < 3; i++)
        qb_image_free(&images[i]);
    qb_session_free(&session);
    qb_model_close(&model);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* The first failures one by one, then every seventh: a file takes hundreds of allocations. */
static void test_no_memory(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t n = 1;; n += n < 40 ? 1 : 7) {
        QbModel *model = (QbModel *)1;
        qb_mem_fail_after(n);
        QbStatus status = qb_model_open(&model, path, NULL);
        qb_mem_fail_after(0);
        if (!status) {
            qb_model_close(&model);
            break;
        }
        assert_int_equal(status, QB_ERR_NOMEM);
        assert_null(model);
        failures++;
    }
    assert_true(failures > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_file_opens),
        cmocka_unit_test(test_missing_tensors),
        cmocka_unit_test(test_short_tensors),
        cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_positions_are_read_or_computed),
        cmocka_unit_test(test_kept_rows_give_the_same_bits),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
