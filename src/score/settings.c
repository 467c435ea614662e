/* settings.c: resolves options and prompt files; see settings.h and docs/prompts.md.
 *
 * A prompt file is lines of "key = value"; empty lines and lines that begin with # are skipped.
 * Keys: variant, fit, method, prompt, tones, weights, temperature. */
// SPDX-License-Identifier: Apache-2.0
#include "score/settings.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/number.h"
#include "score/variant.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 65536 };

/* The texts that decide; NULL = nobody has said. */
typedef struct {
    const char *variant, *fit, *method, *prompt, *tones, *weights;
    double temperature;
    const char *weights_file; /* the prompt file that the weights are from, and the line; or NULL */
    int weights_line;
} Wishes;

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = 0;
    return text;
}

static QbStatus parse_temperature(double *out, const char *text)
{
    char *end;
    double value = qb_parse_double(text, &end);
    if (end == text || *end || !(value > 0) || !isfinite(value))
        return qb_fail(QB_ERR_ARG, "temperature \"%s\": a number above 0 is expected", text);
    *out = value;
    return QB_OK;
}

static QbStatus find_variant(const QbVariant **out, const char *name)
{
    *out = qb_variant_find(name);
    if (*out)
        return QB_OK;
    char known[512];
    qb_names_join(known, sizeof known, qb_variant_name);
    return qb_fail(QB_ERR_ARG, "unknown variant \"%s\" (%s)", name, known);
}

static QbStatus find_fit(QbFit *out, const char *name)
{
    if (qb_fit_find(out, name))
        return QB_OK;
    return qb_fail(QB_ERR_ARG, "unknown fit \"%s\" (crop, pad)", name);
}

/* What can be told of a value while its line is known; whether weights fit the tones comes later.
 */
static QbStatus check_value(const char *key, const char *value)
{
    const QbScoreMethod *method;
    const QbVariant *variant;
    QbFit fit;
    QbTones tones = {0};
    QbStatus status = QB_OK;
    if (!strcmp(key, "method"))
        status = qb_score_method_choose(&method, value);
    else if (!strcmp(key, "variant"))
        status = find_variant(&variant, value);
    else if (!strcmp(key, "fit"))
        status = find_fit(&fit, value);
    else if (!strcmp(key, "tones"))
        status = qb_tones_parse(&tones, value, NULL);
    qb_tones_deinit(&tones);
    return status;
}

static QbStatus parse_line(Wishes *wishes, char *line, const char *path, int number)
{
    char *key = trim(line), *equals = strchr(key, '=');
    if (!*key || *key == '#')
        return QB_OK;
    if (!equals)
        return qb_fail(QB_ERR_FORMAT, "%s:%d: expected key = value, got \"%s\"", path, number, key);
    *equals = 0;
    char *value = trim(equals + 1);
    key = trim(key);
    struct {
        const char *name, **target;
    } texts[] = {{"variant", &wishes->variant}, {"fit", &wishes->fit},
                 {"method", &wishes->method},   {"prompt", &wishes->prompt},
                 {"tones", &wishes->tones},     {"weights", &wishes->weights}};
    if (!*value)
        return qb_fail(QB_ERR_FORMAT, "%s:%d: %s has no value", path, number, key);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(key, texts[i].name)) {
            *texts[i].target = value;
            if (texts[i].target == &wishes->weights) {
                wishes->weights_file = path;
                wishes->weights_line = number;
            }
            QbStatus status = check_value(key, value);
            return status ? qb_fail_prefix(status, "%s:%d", path, number) : QB_OK;
        }
    if (!strcmp(key, "temperature")) {
        QbStatus status = parse_temperature(&wishes->temperature, value);
        return status ? qb_fail_prefix(status, "%s:%d", path, number) : QB_OK;
    }
    return qb_fail(QB_ERR_FORMAT,
                   "%s:%d: unknown key \"%s\" (variant, fit, method, prompt, tones, weights, "
                   "temperature)",
                   path, number, key);
}

/* The wishes' texts point into *out_text. */
static QbStatus read_prompt_file(Wishes *wishes, char **out_text, const char *path)
{
    uint8_t *data;
    size_t size;
    QbStatus status = qb_file_read(&data, &size, path, MAX_FILE_BYTES);
    if (status)
        return status;
    char *text = *out_text = qb_strndup((const char *)data, size);
    qb_free(data);
    if (!text)
        return QB_ERR_NOMEM;
    if (strlen(text) != size)
        return qb_fail(QB_ERR_FORMAT, "%s: is not a text file", path);
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */
    char *first = strncmp(text, byte_order_mark, 3) ? text : text + 3;
    int number = 1;
    for (char *line = first; line && !status; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        status = parse_line(wishes, line, path, number);
        line = end ? end + 1 : NULL;
    }
    return status;
}

static void override(Wishes *wishes, const QbScorerOptions *options)
{
    if (options->variant) /* template, prompt, method and fit: nothing of the file's is left */
        *wishes = (Wishes){.variant = options->variant};
    if (options->fit)
        wishes->fit = options->fit;
    if (options->method) {
        /* another method than the file's: its words, weights and temperature go with it */
        *wishes = (Wishes){.variant = wishes->variant,
                           .fit = wishes->fit,
                           .method = options->method,
                           .prompt = wishes->prompt};
    }
    if (options->prompt)
        wishes->prompt = options->prompt;
    if (options->tones) {
        wishes->tones = options->tones;
        wishes->weights = NULL; /* those of a file belong to the file's tones */
    }
    if (options->weights) {
        wishes->weights = options->weights;
        wishes->weights_file = NULL;
    }
    if (options->temperature > 0)
        wishes->temperature = options->temperature;
}

static QbManners manners_of(const QbVariant *v)
{
    return (QbManners){v->name,     v->prompt_template, v->rate_prompt, v->method,
                       v->fit,      v->ask_template,    v->ask_image,   v->ask_images,
                       v->ask_join, QB_DECODE_AUTO};
}

/* A name that no variant of the architecture has is an error that lists those there are. */
static QbStatus take_variant(QbManners *out, const char *name, const QbModel *model)
{
    const QbVariant *variant;
    const char *architecture = model->arch->name;
    QbStatus status = find_variant(&variant, name);
    if (status)
        return status;
    if (qb_variant_suits(variant, architecture)) {
        *out = manners_of(variant);
        return QB_OK;
    }
    char suiting[512] = "";
    for (int i = 0; qb_variant_at(i); i++) {
        size_t used = strlen(suiting);
        if (qb_variant_suits(qb_variant_at(i), architecture))
            snprintf(suiting + used, sizeof suiting - used, "%s%s", used ? ", " : "",
                     qb_variant_at(i)->name);
    }
    return qb_fail(QB_ERR_ARG, "the variant \"%s\" is for %s, the model is %s%s%s", name,
                   variant->architectures, architecture,
                   *suiting ? "; for it there are: " : ", which has none", suiting);
}

/* What neither user nor variant has said: the file's own; a pair of llama.cpp's, which says
 * nothing, is LLaVA-1.5, asked as the converter's preset for it; and then what every model
 * understands. */
static QbManners own_manners(const QbModel *model)
{
    QbManners m = model->manners;
    const QbVariant *llava =
        model->mmproj && !m.prompt_template ? qb_variant_find("llava-eval") : NULL;
    QbManners base = llava ? manners_of(llava) : (QbManners){0};
    m.variant = m.variant ? m.variant : base.variant;
    if (!m.prompt_template)
        m.prompt_template =
            base.prompt_template ? base.prompt_template : "USER: <image>{prompt} ASSISTANT:";
    if (!m.rate_prompt)
        m.rate_prompt = base.rate_prompt ? base.rate_prompt : "Rate the quality of the image.";
    m.method = m.method ? m.method : base.method ? base.method : "tti";
    m.fit = m.fit ? m.fit : base.fit;
    if (!m.ask_template) {
        m.ask_template = base.ask_template ? base.ask_template : m.prompt_template;
        m.ask_image = m.ask_image ? m.ask_image : base.ask_image;
        m.ask_images = m.ask_images ? m.ask_images : base.ask_images;
        m.ask_join = m.ask_join ? m.ask_join : base.ask_join;
    }
    return m;
}

static QbStatus resolve_fit(QbFit *out, const Wishes *wishes, const QbManners *manners,
                            const QbModel *model)
{
    const QbModelArch *arch = model->arch;
    const char *name = wishes->fit ? wishes->fit : manners->fit;
    *out = arch->fit(model->weights);
    if (!name || (!wishes->fit && !wishes->variant && model->manners.fit))
        return QB_OK; /* the file's own */
    QbStatus status = find_fit(out, name);
    if (!status && !(arch->fits & 1u << *out)) {
        char known[64];
        qb_fit_list(known, sizeof known, arch->fits);
        status = qb_fail(QB_ERR_ARG, "fit \"%s\": the model (%s) takes pictures one way only (%s)",
                         name, arch->name, known);
    }
    return status;
}

const char *qb_video_way_name(QbVideoWay way)
{
    static const char *const names[] = {"", "frames", "clip"};
    return names[way];
}

/* can_clip: the way of asking has words for a whole clip. */
static QbStatus resolve_video(QbVideoWay *out, const char *wish, bool can_clip, const char *model)
{
    if (!wish)
        *out = QB_VIDEO_NONE;
    else if (!strcmp(wish, "frames") || (!strcmp(wish, "auto") && !can_clip))
        *out = QB_VIDEO_FRAMES;
    else if (strcmp(wish, "clip") && strcmp(wish, "auto"))
        return qb_fail(QB_ERR_ARG, "video \"%s\" (frames, clip, auto)", wish);
    else if (can_clip)
        *out = QB_VIDEO_CLIP;
    else
        return qb_fail(QB_ERR_ARG,
                       "%s: a clip as a whole is nothing this model is asked about; its frames one "
                       "by one are",
                       model);
    return QB_OK;
}

static QbStatus resolve_method(QbSettings *out, const Wishes *wishes, const QbManners *manners,
                               const QbModel *model)
{
    if (wishes->method)
        return qb_score_method_choose(&out->method, wishes->method);
    /* Q-Boost's evaluation reads one word a tone of pictures, three of videos (Q-Future/Q-Instruct
     * 2a78134, eval_scripts/utils/post_eval_iqa_boost.py). */
    bool ensemble = out->video == QB_VIDEO_FRAMES && !strcmp(manners->method, "tti");
    out->method = qb_score_method_find(ensemble ? "mpe" : manners->method);
    return out->method ? QB_OK
                       : qb_fail(QB_ERR_UNSUPPORTED,
                                 "%s: qboost.method is \"%.200s\", which is no "
                                 "method known here",
                                 qb_gguf_name(model->gguf), manners->method);
}

static QbStatus resolve_words(QbSettings *out, const Wishes *wishes)
{
    const QbScoreMethod *method = out->method;
    out->temperature = wishes->temperature > 0 ? wishes->temperature : method->temperature;
    bool own_tones = out->own_tones = wishes->tones != NULL;
    QbStatus status = qb_tones_parse(&out->tones, own_tones ? wishes->tones : method->tones,
                                     wishes->weights ? wishes->weights
                                     : own_tones     ? NULL
                                                     : method->weights);
    if (status && wishes->weights && wishes->weights_file)
        return qb_fail_prefix(status, "%s:%d", wishes->weights_file, wishes->weights_line);
    return status;
}

static QbStatus resolve(QbSettings *out, const Wishes *wishes, const char *video,
                        const QbModel *model)
{
    QbManners manners = own_manners(model);
    QbStatus status = QB_OK;
    if (wishes->variant)
        status = take_variant(&manners, wishes->variant, model);
    /* What files do not say, the published way of asking that they name does. */
    static const QbVariant none = {0};
    const QbVariant *variant = manners.variant ? qb_variant_find(manners.variant) : NULL;
    if (!variant)
        variant = &none;
    (void)(status ||
           (status = resolve_video(&out->video, video, variant->clip_template, model->name)) ||
           (status = resolve_fit(&out->fit, wishes, &manners, model)) ||
           (status = resolve_method(out, wishes, &manners, model)));
    if (status)
        return status;
    bool clip = out->video == QB_VIDEO_CLIP;
    const char *rate_prompt = clip ? variant->clip_prompt : manners.rate_prompt;
    out->variant = manners.variant ? manners.variant : "";
    out->score_template =
        qb_template_plain(clip ? variant->clip_template : manners.prompt_template);
    out->pair_template = (QbTemplate){variant->pair_template, variant->ask_image,
                                      variant->ask_images, variant->ask_join};
    out->pair_prompt = variant->pair_prompt;
    out->ask_template =
        (QbTemplate){manners.ask_template, manners.ask_image ? manners.ask_image : "<image>",
                     manners.ask_images ? manners.ask_images : "<image>",
                     manners.ask_join ? manners.ask_join : ""};
    if (wishes->prompt && !wishes->prompt[strspn(wishes->prompt, " \t\r\n")])
        return qb_fail(QB_ERR_ARG, "the prompt is empty");
    out->prompt = qb_strdup(wishes->prompt ? wishes->prompt : rate_prompt);
    return out->prompt ? resolve_words(out, wishes) : QB_ERR_NOMEM;
}

static QbStatus find_layout(const QbMcqLayout **out, const char *name, const QbModel *model)
{
    *out = name ? qb_mcq_layout_find(name) : qb_mcq_layout_for(model->arch->name);
    if (*out)
        return QB_OK;
    char known[256];
    qb_names_join(known, sizeof known, qb_mcq_layout_name);
    return qb_fail(QB_ERR_ARG, "unknown layout \"%s\" (%s)", name, known);
}

QbStatus qb_settings_init(QbSettings *out, const QbScorerOptions *options, const QbModel *model)
{
    *out = (QbSettings){0};
    if (!(options->temperature >= 0) || !isfinite(options->temperature))
        return qb_fail(QB_ERR_ARG, "temperature %g: a number above 0 is expected",
                       options->temperature);
    Wishes wishes = {0};
    char *text = NULL;
    QbStatus status = find_layout(&out->mcq_layout, options->mcq_layout, model);
    if (!status && options->prompt_file)
        status = read_prompt_file(&wishes, &text, options->prompt_file);
    if (!status) {
        override(&wishes, options);
        status = resolve(out, &wishes, options->video, model);
    }
    qb_free(text);
    if (status)
        qb_settings_deinit(out);
    return status;
}

void qb_settings_deinit(QbSettings *settings)
{
    qb_free(settings->prompt);
    qb_tones_deinit(&settings->tones);
    *settings = (QbSettings){0};
}
