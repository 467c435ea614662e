/* answers.c: questions: answers in words, the odds of words, and of a list of options (public side:
 * <qboost/scorer.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "score/scorer.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool has_words(const char *text)
{
    return text[strspn(text, " \t\r\n")] != 0;
}

static QbStatus check_images(const char *function, const QbImage *const *images, int n_images)
{
    if (!images || n_images < 1)
        return qb_fail(QB_ERR_ARG, "%s: no picture", function);
    for (int i = 0; i < n_images; i++)
        if (!images[i])
            return qb_fail(QB_ERR_ARG, "%s: picture %d is NULL", function, i + 1);
    return QB_OK;
}

static int vocabulary(const QbScorer *s)
{
    return s->model->arch->decoder(s->model->weights)->n_vocab;
}

static QbStatus take_logits(QbScorer *s)
{
    if (!s->logits)
        s->logits = qb_calloc((size_t)vocabulary(s), sizeof *s->logits);
    return s->logits ? QB_OK : QB_ERR_NOMEM;
}

/* Memory for all logits; ids of the question in the model's conversation. */
static QbStatus begin_question(QbIds *ids, QbScorer *s, const char *question, int n_images)
{
    *ids = (QbIds){0};
    if (!has_words(question))
        return qb_fail(QB_ERR_ARG, "the question is empty");
    QbStatus status = take_logits(s);
    if (status)
        return status;
    return qb_prompt_ids(ids, s->model->tokenizer, &s->settings.ask_template, question, n_images);
}

/* ---- answers in words ----------------------------------------------------------------------- */

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

static QbStatus generate(QbScorer *s, QbIds *ids, const QbImage *const *images, int n_images,
                         int max_tokens)
{
    const QbTokenizer *tokenizer = s->model->tokenizer;
    int n_vocab = vocabulary(s);
    size_t length = 0;
    QbStatus status = append_answer(s, &length, "", 0);
    for (int i = 0; i < max_tokens && !status; i++) {
        status = qb_session_eval(s->logits, s->session, ids->id, ids->n, images, n_images, NULL, 0);
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

QbStatus qb_scorer_ask(const char **out, QbScorer *s, const QbImage *const *images, int n_images,
                       const char *question, int max_tokens)
{
    if (!out || !s || !question || max_tokens < 1)
        return qb_fail(QB_ERR_ARG, "qb_scorer_ask: an argument is NULL or max_tokens is below 1");
    *out = NULL;
    QbIds ids = {0};
    QbStatus status = check_images("qb_scorer_ask", images, n_images);
    (void)(status || (status = begin_question(&ids, s, question, n_images)) ||
           (status = generate(s, &ids, images, n_images, max_tokens)));
    qb_ids_deinit(&ids);
    if (!status)
        *out = s->answer;
    return status;
}

/* ---- the odds of words ---------------------------------------------------------------------- */

/* log sum exp of the logits of the real vocabulary (a matrix may have rows that stand for no
 * token), in double. */
static QbStatus log_sum(double *out, const QbScorer *s)
{
    int n = qb_tokenizer_size(s->model->tokenizer);
    n = n < vocabulary(s) ? n : vocabulary(s);
    int32_t best = most_likely(s->logits, n);
    if (best < 0 || !isfinite(s->logits[best]))
        return qb_fail(QB_ERR_FORMAT, "%s: the model gave no finite logits", s->model->name);
    double sum = 0, highest = (double)s->logits[best];
    for (int i = 0; i < n; i++)
        sum += exp((double)s->logits[i] - highest);
    *out = highest + log(sum);
    return QB_OK;
}

static QbStatus resolve_candidates(QbCandidate *out, const QbScorer *s, const char *const *words,
                                   int n_words)
{
    for (int i = 0; i < n_words; i++) {
        int32_t id;
        int pieces;
        QbStatus status = words[i] ? qb_word_id(&id, &pieces, s->model->tokenizer, words[i])
                                   : qb_fail(QB_ERR_ARG, "word %d is NULL", i + 1);
        if (!status && id >= vocabulary(s))
            status =
                qb_fail(QB_ERR_FORMAT, "%s: token %d is not in the vocabulary", s->model->name, id);
        if (status)
            return status;
        out[i] = (QbCandidate){.token = id, .pieces = pieces};
    }
    return QB_OK;
}

/* Reads the position after ids and fills the log-probabilities of out. */
static QbStatus judge(QbCandidate *out, int n_words, QbScorer *s, const QbIds *ids,
                      const QbImage *const *images, int n_images)
{
    double total = 0;
    QbStatus status =
        qb_session_eval(s->logits, s->session, ids->id, ids->n, images, n_images, NULL, 0);
    if (!status)
        status = log_sum(&total, s);
    for (int i = 0; i < n_words && !status; i++)
        out[i].log_probability = (double)s->logits[out[i].token] - total;
    return status;
}

QbStatus qb_scorer_candidates(QbCandidate *out, QbScorer *s, const QbImage *const *images,
                              int n_images, const char *question, const char *const *words,
                              int n_words)
{
    if (!out || !s || !words || n_words < 1)
        return qb_fail(QB_ERR_ARG, "qb_scorer_candidates: an argument is NULL or there is no word");
    QbStatus status = check_images("qb_scorer_candidates", images, n_images);
    if (status)
        return status;
    if (!question && n_images != 1)
        return qb_fail(QB_ERR_ARG, "a score is of one picture, not of %d", n_images);
    QbIds ids = {0};
    QbCandidate *candidates = qb_calloc((size_t)n_words, sizeof *candidates);
    if (!candidates)
        return QB_ERR_NOMEM;
    status = resolve_candidates(candidates, s, words, n_words);
    if (!status)
        status = question ? begin_question(&ids, s, question, n_images) : take_logits(s);
    if (!status)
        status = judge(candidates, n_words, s, question ? &ids : &s->prompt, images, n_images);
    if (!status)
        memcpy(out, candidates, (size_t)n_words * sizeof *out);
    qb_ids_deinit(&ids);
    qb_free(candidates);
    return status;
}

/* ---- options with letters ------------------------------------------------------------------- */

/* *out: owned. */
static QbStatus lay_out(char **out, const QbMcqLayout *layout, const char *question,
                        const char *const *options, int n_options)
{
    size_t size = strlen(question), total;
    bool fits = qb_add_size(&size, size, strlen(layout->between) + strlen(layout->after) + 1);
    for (int i = 0; i < n_options && fits; i++)
        fits = qb_add_size(&size, size, strlen(options[i])) && qb_add_size(&size, size, 4);
    if (!fits || !qb_add_size(&total, size, 1) || total > INT_MAX)
        return qb_fail(QB_ERR_LIMIT, "the question is too long");
    char *text = *out = qb_alloc(total);
    if (!text)
        return QB_ERR_NOMEM;
    int at = snprintf(text, total, "%s%s", question, layout->between);
    for (int i = 0; i < n_options; i++)
        at += snprintf(text + at, total - (size_t)at, "%c. %s\n", 'A' + i, options[i]);
    snprintf(text + at, total - (size_t)at, "%s", layout->after);
    return QB_OK;
}

static void choose(QbMcq *out, const QbCandidate *letters, int n)
{
    double sum = 0;
    *out = (QbMcq){0};
    for (int i = 1; i < n; i++)
        if (letters[i].log_probability > letters[out->best].log_probability)
            out->best = i;
    double highest = letters[out->best].log_probability;
    for (int i = 0; i < n; i++)
        sum += exp(letters[i].log_probability - highest);
    for (int i = 0; i < n; i++) {
        out->log_probability[i] = letters[i].log_probability;
        out->probability[i] = exp(letters[i].log_probability - highest) / sum;
        out->token[i] = letters[i].token;
    }
}

static QbStatus check_options(const char *const *options, int n_options)
{
    if (n_options < 2 || n_options > QB_MCQ_MAX_OPTIONS)
        return qb_fail(QB_ERR_ARG, "%d options; 2 to %d are possible", n_options,
                       QB_MCQ_MAX_OPTIONS);
    for (int i = 0; i < n_options; i++)
        if (!options[i] || !has_words(options[i]))
            return qb_fail(QB_ERR_ARG, "option %c is empty", 'A' + i);
    return QB_OK;
}

static QbStatus resolve_letters(QbCandidate *letters, const QbScorer *s, int n)
{
    for (int i = 0; i < n; i++) {
        const char letter[] = {(char)('A' + i), 0}, *word = letter;
        QbStatus status = resolve_candidates(&letters[i], s, &word, 1);
        if (status == QB_ERR_ARG)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: has no token for the letter %c: it cannot choose between options",
                           s->model->name, 'A' + i);
        if (status)
            return status;
    }
    return QB_OK;
}

QbStatus qb_scorer_mcq(QbMcq *out, QbScorer *s, const QbImage *const *images, int n_images,
                       const char *question, const char *const *options, int n_options)
{
    if (!out || !s || !question || !options)
        return qb_fail(QB_ERR_ARG, "qb_scorer_mcq: an argument is NULL");
    QbCandidate letters[QB_MCQ_MAX_OPTIONS];
    QbIds ids = {0};
    char *text = NULL;
    QbStatus status = check_images("qb_scorer_mcq", images, n_images);
    if (!status && !has_words(question))
        status = qb_fail(QB_ERR_ARG, "the question is empty");
    (void)(status || (status = check_options(options, n_options)) ||
           (status = resolve_letters(letters, s, n_options)) ||
           (status = lay_out(&text, s->settings.mcq_layout, question, options, n_options)) ||
           (status = begin_question(&ids, s, text, n_images)) ||
           (status = judge(letters, n_options, s, &ids, images, n_images)));
    if (!status)
        choose(out, letters, n_options);
    qb_ids_deinit(&ids);
    qb_free(text);
    return status;
}
