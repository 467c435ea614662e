/* scorer.c: a picture in, a score or an answer out (public side: <qboost/scorer.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "models/session.h"
#include "score/prompt.h"
#include "score/settings.h"

#include <math.h>
#include <string.h>

struct QbScorer {
    const QbModel *model; /* borrowed */
    QbSession *session;
    QbSettings settings;
    QbIds prompt;
    int32_t word_id[QB_SCORE_MAX_WORDS];
    int word_pieces[QB_SCORE_MAX_WORDS];
    float *logits; /* [n_vocab], for answers; taken at the first question */
    char *answer;  /* NUL-terminated */
    size_t answer_capacity;
};

void qb_scorer_options_init(QbScorerOptions *options)
{
    *options = (QbScorerOptions){.size = sizeof *options};
}

/* Two tones that read the same logit would say nothing about the picture. */
static QbStatus resolve_words(QbScorer *s)
{
    const QbTones *tones = &s->settings.tones;
    for (int i = 0; i < tones->n_words; i++) {
        QbStatus status =
            qb_word_id(&s->word_id[i], &s->word_pieces[i], s->model->tokenizer, tones->word[i]);
        if (status)
            return status;
        for (int j = 0; j < i; j++)
            if (s->word_id[i] == s->word_id[j] && tones->tone_of[i] != tones->tone_of[j])
                return qb_fail(QB_ERR_ARG, "the words \"%s\" and \"%s\" begin with the same token",
                               tones->word[j], tones->word[i]);
    }
    return QB_OK;
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
    (void)(status || (status = resolve_words(s)) ||
           (status = qb_prompt_ids(&s->prompt, model, s->settings.prompt)) ||
           (status = check_length(s)) ||
           (status = qb_session_new(&s->session, model,
                                    &(QbSessionOptions){.threads = options->threads})));
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
    qb_settings_deinit(&s->settings);
    qb_ids_deinit(&s->prompt);
    qb_free(s->logits);
    qb_free(s->answer);
    qb_free(s);
    *scorer = NULL;
}

QbStatus qb_scorer_score_image(QbScore *out, QbScorer *s, const QbImage *image)
{
    if (!out || !s || !image)
        return qb_fail(QB_ERR_ARG, "qb_scorer_score_image: an argument is NULL");
    double start = qb_now_ms();
    QbScore score = {0};
    QbSessionTimes times;
    QbStatus status = qb_session_eval(score.logit, s->session, s->prompt.id, s->prompt.n, &image, 1,
                                      s->word_id, s->settings.tones.n_words);
    qb_session_take_times(&times, s->session);
    if (status)
        return status;
    qb_tones_score(&score, &s->settings.tones, score.logit, s->settings.temperature);
    if (!(score.score >= 0 && score.score <= 1))
        return qb_fail(QB_ERR_FORMAT, "%s: the model gave no finite logits", s->model->name);
    score.preprocess_ms = times.preprocess_ms;
    score.vision_ms = times.vision_ms;
    score.prefill_ms = times.prefill_ms;
    score.total_ms = qb_now_ms() - start;
    *out = score;
    return QB_OK;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* -1 when the logits are not numbers. */
static int32_t most_likely(const float *logits, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        if (isnan(logits[i]))
            return -1;
        if (best < 0 || logits[i] > logits[best])
            best = i;
    }
    return best;
}

static QbStatus append_answer(QbScorer *s, size_t *length, const char *bytes, size_t n)
{
    if (*length + n + 1 > s->answer_capacity) {
        size_t grown = 2 * (*length + n) + 256;
        char *block = qb_realloc(s->answer, s->answer_capacity, grown);
        if (!block)
            return QB_ERR_NOMEM;
        s->answer = block;
        s->answer_capacity = grown;
    }
    memcpy(s->answer + *length, bytes, n);
    *length += n;
    s->answer[*length] = 0;
    return QB_OK;
}

/* Byte pieces in a row need not be UTF-8: every byte that is not part of a character becomes
 * U+FFFD, and so does NUL, which would end the text. */
static QbStatus mend_answer(QbScorer *s, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *text = (const unsigned char *)s->answer;
    char *mended = qb_alloc(length * (sizeof replacement - 1) + 1);
    if (!mended)
        return QB_ERR_NOMEM;
    size_t n = 0;
    for (size_t at = 0; at < length;) {
        size_t bytes = text[at] ? qb_utf8_character(text + at, length - at) : 0;
        size_t written = bytes ? bytes : sizeof replacement - 1;
        memcpy(mended + n, bytes ? s->answer + at : replacement, written);
        n += written;
        at += bytes ? bytes : 1;
    }
    mended[n] = 0;
    qb_free(s->answer);
    s->answer = mended;
    s->answer_capacity = n + 1;
    return QB_OK;
}

static QbStatus generate(QbScorer *s, QbIds *ids, const QbImage *image, int max_tokens)
{
    const QbTokenizer *tokenizer = s->model->tokenizer;
    int n_vocab = s->model->arch->decoder(s->model->weights)->n_vocab;
    size_t length = 0;
    QbStatus status = append_answer(s, &length, "", 0);
    for (int i = 0; i < max_tokens && !status; i++) {
        status = qb_session_eval(s->logits, s->session, ids->id, ids->n, &image, 1, NULL, 0);
        if (status == QB_ERR_LIMIT && i > 0) { /* the context is full: the answer ends here */
            status = QB_OK;
            break;
        }
        if (status)
            break;
        int32_t id = most_likely(s->logits, n_vocab);
        if (id < 0)
            return qb_fail(QB_ERR_FORMAT, "%s: the model gave no finite logits", s->model->name);
        if (id == qb_tokenizer_eos(tokenizer) || id >= qb_tokenizer_size(tokenizer))
            break;
        size_t n;
        const char *bytes = qb_tokenizer_piece_bytes(&n, tokenizer, id);
        if (length == 0 && n > 0 && bytes[0] == ' ') { /* the space in front of the first word */
            bytes++;
            n--;
        }
        status = append_answer(s, &length, bytes, n);
        if (!status)
            status = qb_ids_append(ids, &id, 1);
    }
    return status ? status : mend_answer(s, length);
}

QbStatus qb_scorer_ask(const char **out, QbScorer *s, const QbImage *image, const char *question,
                       int max_tokens)
{
    if (!out || !s || !image || !question || max_tokens < 1)
        return qb_fail(QB_ERR_ARG, "qb_scorer_ask: an argument is NULL or max_tokens is below 1");
    *out = NULL;
    if (!question[strspn(question, " \t\r\n")])
        return qb_fail(QB_ERR_ARG, "the question is empty");
    int n_vocab = s->model->arch->decoder(s->model->weights)->n_vocab;
    if (!s->logits && !(s->logits = qb_calloc((size_t)n_vocab, sizeof *s->logits)))
        return QB_ERR_NOMEM;
    QbIds ids;
    QbStatus status = qb_prompt_ids(&ids, s->model, question);
    if (status)
        return status;
    status = generate(s, &ids, image, max_tokens);
    qb_ids_deinit(&ids);
    if (!status)
        *out = s->answer;
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

int qb_scorer_word_count(const QbScorer *scorer)
{
    return scorer->settings.tones.n_words;
}

static bool is_word(const QbScorer *scorer, int word)
{
    return word >= 0 && word < scorer->settings.tones.n_words;
}

const char *qb_scorer_word(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->settings.tones.word[word] : NULL;
}

int qb_scorer_word_tone(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->settings.tones.tone_of[word] : -1;
}

int qb_scorer_word_token(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->word_id[word] : -1;
}

int qb_scorer_word_pieces(const QbScorer *scorer, int word)
{
    return is_word(scorer, word) ? scorer->word_pieces[word] : -1;
}
