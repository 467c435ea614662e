/* manners.c: see manners.h. */
// SPDX-License-Identifier: Apache-2.0
#include "models/manners.h"

#include "base/error.h"

#include <string.h>

enum { MAX_BYTES = 65536 }; /* of a text: a conversation's beginning, not a book */

static int count(const char *text, const char *slot)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, slot)); at += strlen(slot))
        n++;
    return n;
}

static QbStatus refuse(const QbGguf *gguf, const char *key, const char *expected, const char *got)
{
    return qb_fail(QB_ERR_FORMAT, "%s: %s needs %s: \"%.200s\"", qb_gguf_name(gguf), key, expected,
                   got);
}

static QbStatus load_texts(QbManners *m, const QbGguf *gguf)
{
    const struct {
        const char *key, **target;
    } texts[] = {
        {"qboost.variant", &m->variant},         {"qboost.template", &m->prompt_template},
        {"qboost.prompt.rate", &m->rate_prompt}, {"qboost.method", &m->method},
        {"qboost.preprocess.fit", &m->fit},      {"qboost.ask.template", &m->ask_template},
        {"qboost.ask.image", &m->ask_image},     {"qboost.ask.images", &m->ask_images},
        {"qboost.ask.join", &m->ask_join},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        QbStatus status = qb_gguf_get_string_or(texts[i].target, gguf, texts[i].key);
        if (status)
            return status;
        if (*texts[i].target && strlen(*texts[i].target) > MAX_BYTES)
            return qb_fail(QB_ERR_FORMAT, "%s: %s is longer than %d bytes", qb_gguf_name(gguf),
                           texts[i].key, MAX_BYTES);
    }
    return QB_OK;
}

static QbStatus load_decode(QbManners *m, const QbGguf *gguf)
{
    const char *decode = "upstream";
    QbStatus status = qb_gguf_get_string_or(&decode, gguf, "qboost.decode");
    if (!status && strcmp(decode, "managed") && strcmp(decode, "upstream"))
        status = qb_fail(QB_ERR_FORMAT,
                         "%s: qboost.decode is \"%.200s\", expected managed or "
                         "upstream",
                         qb_gguf_name(gguf), decode);
    m->decode = strcmp(decode, "managed") ? QB_DECODE_UPSTREAM : QB_DECODE_MANAGED;
    return status;
}

static bool is_question(const char *text)
{
    return text[strspn(text, " \t\r\n")] != 0;
}

QbStatus qb_manners_load(QbManners *out, const QbGguf *gguf)
{
    QbManners *m = out;
    *m = (QbManners){0};
    QbStatus status = load_texts(m, gguf);
    if (!status)
        status = load_decode(m, gguf);
    if (status)
        return status;
    if (m->prompt_template &&
        (count(m->prompt_template, "<image>") != 1 || !count(m->prompt_template, "{prompt}")))
        return refuse(gguf, "qboost.template", "one <image> and a {prompt}", m->prompt_template);
    if (m->rate_prompt && !is_question(m->rate_prompt))
        return refuse(gguf, "qboost.prompt.rate", "some words", m->rate_prompt);
    const char *ask = m->ask_template;
    if (ask && (count(ask, "{images}") + count(ask, "<image>") != 1 || !count(ask, "{prompt}")))
        return refuse(gguf, "qboost.ask.template", "one {images} and a {prompt}", ask);
    if (m->ask_image && count(m->ask_image, "<image>") != 1)
        return refuse(gguf, "qboost.ask.image", "one <image>", m->ask_image);
    if (m->ask_images && count(m->ask_images, "<image>") != 1)
        return refuse(gguf, "qboost.ask.images", "one <image>", m->ask_images);
    if (m->ask_join && count(m->ask_join, "<image>"))
        return refuse(gguf, "qboost.ask.join", "no <image>", m->ask_join);
    return QB_OK;
}
