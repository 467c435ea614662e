/* scorer.c: a picture in, a score out (public side: <qboost/scorer.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "score/scorer.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/time.h"

#include <string.h>

/* Pictures in one forward pass: more gain nothing measurable, and each takes its part of the KV
 * cache. */
enum { MAX_GROUP = 4 };

void qb_scorer_options_init(QbScorerOptions *options)
{
    *options = (QbScorerOptions){.size = sizeof *options};
}

/* A prompt that does not fit would fail for every picture; it is refused once. */
static QbStatus check_length(const QbScorer *s)
{
    const QbModelArch *arch = s->model->arch;
    int rows = s->prompt.n - 1 + arch->image_token_count(s->model->weights);
    int n_context = arch->decoder(s->model->weights)->n_context;
    return rows <= n_context ? QB_OK
                             : qb_fail(QB_ERR_ARG,
                                       "the prompt and the picture take %d tokens, the model's "
                                       "context has %d",
                                       rows, n_context);
}

QbStatus qb_scorer_new(QbScorer **out, const QbModel *model, const QbScorerOptions *options)
{
    if (out)
        *out = NULL;
    if (!out || !model)
        return qb_fail(QB_ERR_ARG, "qb_scorer_new: %s is NULL", out ? "model" : "out");
    QbScorerOptions defaults;
    qb_scorer_options_init(&defaults);
    if (!options)
        options = &defaults;
    if (options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG,
                       "qb_scorer_new: options were not set up by qb_scorer_options_init");
    if (options->threads < 0)
        return qb_fail(QB_ERR_ARG, "%d threads wanted", options->threads);
    QbScorer *s = qb_calloc(1, sizeof *s);
    if (!s)
        return QB_ERR_NOMEM;
    s->model = model;
    QbStatus status = qb_settings_init(&s->settings, options, model);
    (void)(status || (status = qb_scorer_find_words(s, options->all_methods)) ||
           (status = qb_prompt_ids(&s->prompt, model->tokenizer, &s->settings.score_template,
                                   s->settings.prompt, 1)) ||
           (status = check_length(s)) ||
           (status = qb_session_new(&s->session, model,
                                    &(QbSessionOptions){.threads = options->threads,
                                                        .fit = s->settings.fit,
                                                        .has_fit = true})));
    if (status)
        qb_scorer_free(&s);
    *out = s;
    return status;
}

void qb_scorer_free(QbScorer **scorer)
{
    QbScorer *s = scorer ? *scorer : NULL;
    if (!s)
        return;
    qb_session_free(&s->session);
    qb_scorer_drop_words(s);
    qb_settings_deinit(&s->settings);
    qb_ids_deinit(&s->prompt);
    qb_free(s->logits);
    qb_free(s->answer);
    qb_free(s);
    *scorer = NULL;
}

/* logits[n_words] are in out. n_pictures share the time. */
static QbStatus finish(QbScore *out, QbScorer *s, const QbSessionTimes *times, double total_ms,
                       int n_pictures)
{
    double logits[QB_SCORE_MAX_WORDS];
    for (int i = 0; i < s->n_words; i++)
        logits[i] = (double)out->logit[i];
    qb_tones_score(out, &s->settings.tones, logits, s->settings.temperature);
    if (!(out->score >= 0 && out->score <= 1))
        return qb_fail(QB_ERR_FORMAT, "%s: the model gave no finite logits", s->model->name);
    out->preprocess_ms = times->preprocess_ms / n_pictures;
    out->vision_ms = times->vision_ms / n_pictures;
    out->prefill_ms = times->prefill_ms / n_pictures;
    out->total_ms = total_ms / n_pictures;
    return QB_OK;
}

QbStatus qb_scorer_score_image(QbScore *out, QbScorer *s, const QbImage *image)
{
    if (!out || !s || !image)
        return qb_fail(QB_ERR_ARG, "qb_scorer_score_image: an argument is NULL");
    double start = qb_now_ms();
    QbScore score = {0};
    QbSessionTimes times;
    QbStatus status = qb_session_eval(score.logit, s->session, s->prompt.id, s->prompt.n, &image, 1,
                                      s->word_id, s->n_words);
    qb_session_take_times(&times, s->session);
    if (!status)
        status = finish(&score, s, &times, qb_now_ms() - start, 1);
    if (!status)
        *out = score;
    return status;
}

/* Of a few pictures: their logits fit on the stack. */
static QbStatus score_group(QbScore *out, QbScorer *s, const QbImage *const *images, int n)
{
    float logits[MAX_GROUP * QB_SCORE_MAX_WORDS];
    double start = qb_now_ms();
    QbSessionTimes times;
    QbStatus status = qb_session_eval_batch(logits, s->session, s->prompt.id, s->prompt.n, images,
                                            n, s->word_id, s->n_words);
    double total_ms = qb_now_ms() - start;
    qb_session_take_times(&times, s->session);
    for (int i = 0; i < n && !status; i++) {
        out[i] = (QbScore){0};
        memcpy(out[i].logit, logits + i * s->n_words, (size_t)s->n_words * sizeof *logits);
        status = finish(&out[i], s, &times, total_ms, n);
    }
    return status;
}

QbStatus qb_scorer_score_images(QbScore *out, QbScorer *s, const QbImage *const *images,
                                int n_images)
{
    if (!out || !s || !images || n_images < 1)
        return qb_fail(QB_ERR_ARG, "qb_scorer_score_images: no picture");
    for (int i = 0; i < n_images; i++)
        if (!images[i])
            return qb_fail(QB_ERR_ARG, "qb_scorer_score_images: picture %d is NULL", i + 1);
    QbStatus status = QB_OK;
    for (int i = 0; i < n_images && !status; i += MAX_GROUP)
        status = score_group(out + i, s, images + i,
                             n_images - i < MAX_GROUP ? n_images - i : MAX_GROUP);
    return status;
}

int qb_scorer_max_frames(const QbScorer *s)
{
    if (s->settings.video != QB_VIDEO_CLIP)
        return 0;
    const QbModelArch *arch = s->model->arch;
    int n_context = arch->decoder(s->model->weights)->n_context;
    return (n_context - (s->prompt.n - 1)) / arch->image_token_count(s->model->weights);
}

static QbStatus check_frames(const QbScorer *s, const QbImage *const *frames, int n_frames)
{
    if (s->settings.video != QB_VIDEO_CLIP)
        return qb_fail(QB_ERR_ARG, "the scorer was not made for clips");
    if (n_frames < 1)
        return qb_fail(QB_ERR_ARG, "a clip without frames");
    for (int i = 0; i < n_frames; i++)
        if (!frames[i])
            return qb_fail(QB_ERR_ARG, "frame %d of the clip is NULL", i + 1);
    int most = qb_scorer_max_frames(s);
    return n_frames <= most ? QB_OK
                            : qb_fail(QB_ERR_LIMIT,
                                      "%d frames are too many for one prompt: the model's context "
                                      "has room for %d",
                                      n_frames, most);
}

QbStatus qb_scorer_score_clip(QbScore *out, QbScorer *s, const QbImage *const *frames, int n_frames)
{
    if (!out || !s || !frames)
        return qb_fail(QB_ERR_ARG, "qb_scorer_score_clip: an argument is NULL");
    double start = qb_now_ms();
    QbScore score = {0};
    QbSessionTimes times;
    QbIds ids = {0};
    QbStatus status = check_frames(s, frames, n_frames);
    if (!status)
        status = qb_prompt_ids(&ids, s->model->tokenizer, &s->settings.score_template,
                               s->settings.prompt, n_frames);
    if (!status)
        status = qb_session_eval(score.logit, s->session, ids.id, ids.n, frames, n_frames,
                                 s->word_id, s->n_words);
    qb_ids_deinit(&ids);
    qb_session_take_times(&times, s->session);
    if (!status)
        status = finish(&score, s, &times, qb_now_ms() - start, 1);
    if (!status)
        *out = score;
    return status;
}

/* ---- what the scorer was set to ------------------------------------------------------------- */

const char *qb_scorer_method(const QbScorer *scorer)
{
    return scorer->settings.own_tones ? "custom" : scorer->settings.method->name;
}

const char *qb_scorer_prompt(const QbScorer *scorer)
{
    return scorer->settings.prompt;
}

const char *qb_scorer_variant(const QbScorer *scorer)
{
    return scorer->settings.variant;
}

const char *qb_scorer_template(const QbScorer *scorer)
{
    return scorer->settings.score_template.text;
}

const char *qb_scorer_ask_template(const QbScorer *scorer)
{
    return scorer->settings.ask_template.text;
}

const char *qb_scorer_ask_image(const QbScorer *scorer)
{
    return scorer->settings.ask_template.image;
}

const char *qb_scorer_ask_images(const QbScorer *scorer)
{
    return scorer->settings.ask_template.images;
}

const char *qb_scorer_ask_join(const QbScorer *scorer)
{
    return scorer->settings.ask_template.join;
}

const char *qb_scorer_fit(const QbScorer *scorer)
{
    return qb_fit_name(scorer->settings.fit);
}

const char *qb_scorer_mcq_layout(const QbScorer *scorer)
{
    return scorer->settings.mcq_layout->name;
}

double qb_scorer_temperature(const QbScorer *scorer)
{
    return scorer->settings.temperature;
}

int qb_scorer_threads(const QbScorer *scorer)
{
    return qb_session_threads(scorer->session);
}

int qb_scorer_tone_count(const QbScorer *scorer)
{
    return scorer->settings.tones.n_tones;
}

const char *qb_scorer_tone_name(const QbScorer *scorer, int tone)
{
    const QbTones *tones = &scorer->settings.tones;
    for (int i = 0; i < tones->n_words; i++)
        if (tones->tone_of[i] == tone)
            return tones->word[i];
    return NULL;
}

double qb_scorer_tone_weight(const QbScorer *scorer, int tone)
{
    const QbTones *tones = &scorer->settings.tones;
    return tone >= 0 && tone < tones->n_tones ? tones->weight[tone] : 0;
}

const char *qb_scorer_video(const QbScorer *scorer)
{
    return qb_video_way_name(scorer->settings.video);
}

int qb_scorer_word_count(const QbScorer *scorer)
{
    return scorer->n_words;
}

static bool is_word(const QbScorer *scorer, int word)
{
    return word >= 0 && word < scorer->n_words;
}

const char *qb_scorer_word(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->word[word] : NULL;
}

int qb_scorer_word_tone(const QbScorer *scorer, int word)
{
    const QbTones *tones = &scorer->settings.tones;
    return word >= 0 && word < tones->n_words ? tones->tone_of[word] : -1;
}

int qb_scorer_word_token(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->word_id[word] : -1;
}

int qb_scorer_word_pieces(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->word_pieces[word] : -1;
}
