/* llava.c: LLaVA-1.5 checkpoints in their three layouts: the original (haotian-liu/LLaVA, with or
 * without the vision tower inside) and llava-hf's older and newer names. */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "convert/names.h"

#include <string.h>

/* The layouts differ in what stands in front of the names; the first that a checkpoint has wins. */
static const char *const decoder_prefixes[] = {"model.language_model.", "language_model.model.",
                                               "model."};
static const char *const tower_prefixes[] = {"model.vision_tower.vision_tower.vision_model.",
                                             "model.vision_tower.vision_tower.",
                                             "model.vision_tower.vision_model.",
                                             "model.vision_tower.",
                                             "vision_tower.vision_model.",
                                             "vision_tower."};
static const char *const own_tower_prefixes[] = {"vision_model.", ""};

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))
#define PROJECTOR(first, second)                                                                  \
    {                                                                                             \
        {first ".weight", "mm.0.weight", QB_ROLE_TOWER, {QB_DIM_WIDTH, QB_DIM_TOWER}, 0, 0},      \
            {first ".bias", "mm.0.bias", QB_ROLE_EXACT, {QB_DIM_WIDTH}, 0, 0},                    \
            {second ".weight", "mm.2.weight", QB_ROLE_TOWER, {QB_DIM_WIDTH, QB_DIM_WIDTH}, 0, 0}, \
        {                                                                                         \
            second ".bias", "mm.2.bias", QB_ROLE_EXACT, {QB_DIM_WIDTH}, 0, 0                      \
        }                                                                                         \
    }

static const struct {
    const char *prefix;
    QbRule rules[4];
} projectors[] = {
    {"model.mm_projector.", PROJECTOR("0", "2")},
    {"model.multi_modal_projector.", PROJECTOR("linear_1", "linear_2")},
    {"multi_modal_projector.", PROJECTOR("linear_1", "linear_2")},
};

static const char *const clip_text_ignored[] = {
    "text_model.*", "logit_scale", "visual_projection.weight", "text_projection.weight", NULL};

static QbStatus refuse_true(const QbConfigNode *root, const char *key, const char *reason)
{
    bool value = false;
    QbStatus status = qb_config_bool(&value, root, key);
    if (!status && value)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: %s is true: %s", root->file, key, reason);
    return status;
}

static QbStatus check_projector(const QbConfigNode *root)
{
    static const char two_layers[] =
        "LLaVA-1.5 has \"mlp2x_gelu\", and nothing else can be converted";
    static const char patches[] = "only the patches without the class token can be converted";
    QbStatus status;
    if ((status = refuse_true(root, "mm_use_im_start_end",
                              "pictures between marks of their own cannot be converted")) ||
        (status = qb_config_only(root, "mm_projector_type", "mlp2x_gelu", two_layers)) ||
        (status = qb_config_only(root, "projector_hidden_act", "gelu", two_layers)) ||
        (status = qb_config_only(root, "mm_vision_select_feature", "patch", patches)) ||
        (status = qb_config_only(root, "vision_feature_select_strategy", "default", patches)))
        return status;
    return qb_config_only(root, "mm_patch_merge_type", "flat",
                          "LLaVA-1.6 (several tiles a picture) cannot be converted");
}

/* The tower's sizes: its own folder's config.json, else vision_config, else by its name. */
static QbStatus read_tower(QbConversion *c, const QbConfigNode *root)
{
    static const char known[] = "clip-vit-large-patch14-336";
    const char *name = known, *type = "clip_vision_model";
    QbConfigNode node, top = *root;
    QbStatus status;
    if (c->tower_folder)
        top = qb_config_root(&c->tower_config);
    if ((status = qb_config_child(&node, &top, "vision_config", "vision_config.")))
        return status;
    if (c->tower_folder && !node.object)
        node = top;
    if ((status = qb_config_text(&type, &node, "model_type")) ||
        (status = qb_config_text(&name, root, "mm_vision_tower")))
        return status;
    if (strcmp(type, "clip_vision_model"))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: %smodel_type is \"%s\"; only CLIP towers can be converted", node.file,
                       node.prefix, type);
    size_t length = strlen(name);
    if (!node.object &&
        (length < sizeof known - 1 || strcmp(name + length - (sizeof known - 1), known)))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: mm_vision_tower is \"%s\"; without its config.json only %s is known: "
                       "give its folder as the vision tower",
                       root->file, name, known);
    return qb_tower_config_read(&c->tower, &node, 336, 1e-5);
}

static QbStatus llava_read_config(QbConversion *c)
{
    QbConfigNode root = qb_config_root(&c->config), text;
    int layer = -2, mm_hidden;
    QbStatus status;
    if ((status = qb_config_child(&text, &root, "text_config", "text_config.")) ||
        (status = qb_config_only(&text, "model_type", "llama",
                                 "only LLaMA decoders can be converted")) ||
        (status = qb_decoder_config_read(&c->decoder, text.object ? &text : &root, 1e-6)) ||
        (status = check_projector(&root)) || (status = read_tower(c, &root)))
        return status;
    mm_hidden = c->tower.width;
    if ((status = qb_config_int(&layer, &root, "mm_vision_select_layer", -c->tower.n_layers, -1)) ||
        (status = qb_config_int(&layer, &root, "vision_feature_layer", -c->tower.n_layers, -1)) ||
        (status = qb_config_int(&mm_hidden, &root, "mm_hidden_size", 1, 1 << 20)))
        return status;
    if (mm_hidden != c->tower.width)
        return qb_fail(QB_ERR_FORMAT, "%s: mm_hidden_size is %d, the vision tower is %d wide",
                       root.file, mm_hidden, c->tower.width);
    /* hidden_states[0] is the input, [-1] what the last layer gives */
    c->tower_layers = c->tower.n_layers + 1 + layer;
    if (c->tower_layers < 1)
        return qb_fail(QB_ERR_FORMAT, "%s: layer %d of a vision tower of %d layers is wanted",
                       root.file, layer, c->tower.n_layers);
    return QB_OK;
}

/* Fine-tunes such as Q-Instruct's have the same config; their names do not tell for sure. */
static const char *llava_guess_preset(const QbConversion *c)
{
    (void)c;
    return "llava";
}

static const char *find_prefix(const QbCheckpoint *checkpoint, const char *const *prefixes, int n,
                               const char *rest)
{
    for (int i = 0; i < n; i++)
        if (qb_checkpoint_has_prefix(checkpoint, prefixes[i], rest))
            return prefixes[i];
    return NULL;
}

static QbStatus plan_tower(QbConversion *c)
{
    const char *inside =
        find_prefix(c->checkpoint, tower_prefixes, COUNT(tower_prefixes), "embeddings.");
    if (inside && c->tower_folder)
        return qb_fail(QB_ERR_ARG, "%s: has its own vision tower, which may be tuned; leave %s out",
                       c->folder, c->tower_folder);
    if (inside)
        return qb_clip_plan(c, c->checkpoint, inside);
    if (!c->tower_folder)
        return qb_fail(QB_ERR_ARG,
                       "%s: has no vision tower; give the folder of "
                       "openai/clip-vit-large-patch14-336 as the vision tower (--vision-tower)",
                       c->folder);
    const char *own = find_prefix(c->tower_checkpoint, own_tower_prefixes,
                                  COUNT(own_tower_prefixes), "embeddings.");
    QbRuleSet rest = {.from = c->tower_checkpoint, .prefix = "", .ignored = clip_text_ignored};
    QbStatus status = qb_plan_apply(&c->plan, &rest);
    return status ? status : qb_clip_plan(c, c->tower_checkpoint, own ? own : "vision_model.");
}

static QbStatus llava_plan(QbConversion *c)
{
    const char *prefix =
        find_prefix(c->checkpoint, decoder_prefixes, COUNT(decoder_prefixes), "layers.");
    bool inner_head = qb_checkpoint_has_prefix(c->checkpoint, "language_model.", "lm_head.");
    int projector = 0;
    for (int i = COUNT(projectors) - 1; i >= 0; i--)
        if (qb_checkpoint_has_prefix(c->checkpoint, projectors[i].prefix, ""))
            projector = i;
    if (!prefix)
        prefix = "model.";
    QbStatus status;
    if ((status = plan_tower(c)) ||
        (status = qb_llama_plan_ends(c, prefix, inner_head ? "language_model." : "")))
        return status;
    QbRuleSet set = {.from = c->checkpoint,
                     .prefix = projectors[projector].prefix,
                     .rules = projectors[projector].rules,
                     .n_rules = COUNT(projectors[projector].rules)};
    if ((status = qb_plan_apply(&c->plan, &set)))
        return status;
    return qb_llama_plan_layers(c, prefix);
}

const QbConvertArch qb_convert_llava = {
    .name = "llava",
    .model_types = {"llava", "llava_llama"},
    .takes_tower_folder = true,
    .read_config = llava_read_config,
    .guess_preset = llava_guess_preset,
    .plan = llava_plan,
};
