/* network_config.c: see network_config.h. Keys and defaults: transformers' LlamaConfig,
 * CLIPVisionConfig and CLIPImageProcessor. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/network_config.h"

#include "base/error.h"

#include <string.h>

enum { MAX_LAYERS = 512, MAX_WIDTH = 65536, MAX_HEADS = 1024, MAX_CONTEXT = 1 << 24 };

/* CLIP was trained with these (OpenAI's CLIP, clip.py, _transform). */
static const float clip_mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
static const float clip_std[3] = {0.26862954f, 0.26130258f, 0.27577711f};

static QbStatus read_rope(QbDecoderConfig *out, const QbConfigNode *node)
{
    QbConfigNode rope;
    QbStatus status;
    static const char plain[] = "only plain rotary positions can be converted";
    if ((status = qb_config_real(&out->rope_base, node, "rope_theta", 1, 1e12)) ||
        (status = qb_config_child(&rope, node, "rope_scaling", "rope_scaling.")) ||
        (status = qb_config_only(&rope, "rope_type", "default", plain)))
        return status;
    if (rope.object && !qb_config_has(&rope, "rope_type"))
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %srope_scaling is not null; %s", node->file,
                       node->prefix, plain);
    /* where newer files have both */
    if ((status = qb_config_child(&rope, node, "rope_parameters", "rope_parameters.")) ||
        (status = qb_config_only(&rope, "rope_type", "default", plain)))
        return status;
    return qb_config_real(&out->rope_base, &rope, "rope_theta", 1, 1e12);
}

static QbStatus refuse_true(const QbConfigNode *node, const char *key)
{
    bool value = false;
    QbStatus status = qb_config_bool(&value, node, key);
    if (!status && value)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s%s is true; LLaMA decoders have no biases",
                       node->file, node->prefix, key);
    return status;
}

QbStatus qb_decoder_config_read(QbDecoderConfig *out, const QbConfigNode *node, double norm_eps)
{
    *out = (QbDecoderConfig){.width = 4096,
                             .n_ff = 11008,
                             .n_layers = 32,
                             .n_heads = 32,
                             .n_context = 2048,
                             .norm_eps = norm_eps,
                             .rope_base = 10000};
    QbStatus status;
    if ((status = qb_config_int(&out->width, node, "hidden_size", 1, MAX_WIDTH)) ||
        (status = qb_config_int(&out->n_ff, node, "intermediate_size", 1, MAX_WIDTH)) ||
        (status = qb_config_int(&out->n_layers, node, "num_hidden_layers", 1, MAX_LAYERS)) ||
        (status = qb_config_int(&out->n_heads, node, "num_attention_heads", 1, MAX_HEADS)))
        return status;
    out->n_kv_heads = out->n_heads;
    int head_dim = out->width / out->n_heads;
    if ((status = qb_config_int(&out->n_kv_heads, node, "num_key_value_heads", 1, out->n_heads)) ||
        (status =
             qb_config_int(&out->n_context, node, "max_position_embeddings", 1, MAX_CONTEXT)) ||
        (status = qb_config_int(&head_dim, node, "head_dim", 1, MAX_WIDTH)) ||
        (status = qb_config_real(&out->norm_eps, node, "rms_norm_eps", 0, 1)) ||
        (status = qb_config_bool(&out->tied, node, "tie_word_embeddings")) ||
        (status = read_rope(out, node)) || (status = refuse_true(node, "attention_bias")) ||
        (status = refuse_true(node, "mlp_bias")) ||
        (status = qb_config_only(node, "hidden_act", "silu", "LLaMA decoders have \"silu\"")))
        return status;
    if (out->width % out->n_heads || out->width / out->n_heads % 2 ||
        out->n_heads % out->n_kv_heads || head_dim != out->width / out->n_heads)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: %shidden_size %d does not go with %d heads, %d key heads and heads %d "
                       "wide",
                       node->file, node->prefix, out->width, out->n_heads, out->n_kv_heads,
                       head_dim);
    return QB_OK;
}

static QbStatus read_activation(QbTowerConfig *out, const QbConfigNode *node)
{
    const char *act = "quick_gelu";
    QbStatus status = qb_config_text(&act, node, "hidden_act");
    if (status)
        return status;
    out->use_gelu = !strcmp(act, "gelu");
    if (!out->use_gelu && strcmp(act, "quick_gelu"))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: %shidden_act is \"%s\", expected \"quick_gelu\" or \"gelu\"",
                       node->file, node->prefix, act);
    return QB_OK;
}

QbStatus qb_tower_config_read(QbTowerConfig *out, const QbConfigNode *node, int image_size,
                              double norm_eps)
{
    *out = (QbTowerConfig){.image_size = image_size,
                           .patch_size = 14,
                           .width = 1024,
                           .n_ff = 4096,
                           .n_layers = 24,
                           .norm_eps = norm_eps};
    int channels = 3;
    QbStatus status;
    if ((status = qb_config_int(&out->image_size, node, "image_size", 1, 4096)) ||
        (status = qb_config_int(&out->patch_size, node, "patch_size", 1, 256)) ||
        (status = qb_config_int(&out->width, node, "hidden_size", 1, 16384)) ||
        (status = qb_config_int(&out->n_ff, node, "intermediate_size", 1, MAX_WIDTH)) ||
        (status = qb_config_int(&out->n_layers, node, "num_hidden_layers", 1, MAX_LAYERS)))
        return status;
    out->n_heads = out->width >= 64 ? out->width / 64 : 1; /* in every CLIP a head is 64 wide */
    if ((status = qb_config_int(&out->n_heads, node, "num_attention_heads", 1, MAX_HEADS)) ||
        (status = qb_config_int(&channels, node, "num_channels", 3, 3)) ||
        (status = qb_config_real(&out->norm_eps, node, "layer_norm_eps", 0, 1)) ||
        (status = read_activation(out, node)))
        return status;
    if (out->image_size % out->patch_size || out->width % out->n_heads)
        return qb_fail(
            QB_ERR_FORMAT, "%s: %simage_size %d in patches of %d, hidden_size %d in %d heads",
            node->file, node->prefix, out->image_size, out->patch_size, out->width, out->n_heads);
    return QB_OK;
}

/* "crop_size": 336, or {"height": 336, "width": 336}. */
static QbStatus check_crop(const QbConfigNode *node, int image_size)
{
    int height = image_size, width = image_size;
    QbConfigNode crop = *node;
    QbStatus status;
    if (json_is_object(json_object_get(node->object, "crop_size"))) {
        if ((status = qb_config_child(&crop, node, "crop_size", "crop_size.")) ||
            (status = qb_config_int(&height, &crop, "height", 1, 1 << 20)) ||
            (status = qb_config_int(&width, &crop, "width", 1, 1 << 20)))
            return status;
    } else {
        if ((status = qb_config_int(&height, node, "crop_size", 1, 1 << 20)))
            return status;
        width = height;
    }
    if (height != image_size || width != image_size)
        return qb_fail(QB_ERR_FORMAT, "%s: crop_size is %d x %d, the vision tower takes %d x %d",
                       node->file, width, height, image_size, image_size);
    return QB_OK;
}

QbStatus qb_pixel_config_read(QbPixelConfig *out, bool *found, const char *folder, int image_size)
{
    QbConfigFile file;
    memcpy(out->mean, clip_mean, sizeof out->mean);
    memcpy(out->std, clip_std, sizeof out->std);
    QbStatus status = qb_config_open(&file, folder, "preprocessor_config.json", false);
    if (status)
        return status;
    QbConfigNode node = qb_config_root(&file);
    *found = node.object != NULL;
    (void)((status = qb_config_triple(out->mean, &node, "image_mean", 0, 1)) ||
           (status = qb_config_triple(out->std, &node, "image_std", 1e-6, 100)) ||
           (status = check_crop(&node, image_size)));
    qb_config_close(&file);
    return status;
}
