/* bpe.c: byte-pair merging as SentencePiece's BPE model does it (bpe_model.cc). Steps:
 *   1. split the text into characters, user-defined pieces kept whole and never merged;
 *   2. put every neighbouring pair whose text is a piece on a heap: highest score first, leftmost
 * first among equals;
 *   3. take pairs off, merge them, add the pairs that the merged one makes with its neighbours; a
 * pair one of whose sides has meanwhile changed is stale and dropped;
 *   4. give pieces marked UNUSED back as the two parts they were made of.
 * O(n log n) in the number of characters. */
// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/bpe.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>

typedef struct Symbol {
    int32_t start, length;  /* bytes in text; length 0: merged into a symbol on its left */
    int32_t previous, next; /* neighbours, -1 at the ends */
    bool frozen;            /* user-defined */
} Symbol;

typedef struct Pair {
    float score;
    int32_t left, right; /* symbols */
    int32_t length;      /* of both when the pair was found: tells whether it is stale */
} Pair;

typedef struct Merger {
    const QbVocabulary *vocabulary;
    const char *text;
    Symbol *symbols;
    int32_t n_symbols;
    Pair *heap; /* a pair goes off before two come on: never more than 2 * n_symbols */
    size_t n_pairs;
    int32_t *left_lengths; /* by unused_index: where an UNUSED piece was put together, 0 = never */
    BpeEmit emit;
    void *user;
} Merger;

/* ---- heap ------------------------------------------------------------------------------------ */

static bool comes_first(const Pair *a, const Pair *b)
{
    return a->score != b->score ? a->score > b->score : a->left < b->left;
}

static void heap_push(Merger *merger, Pair pair)
{
    size_t at = merger->n_pairs++;
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!comes_first(&pair, &merger->heap[parent]))
            break;
        merger->heap[at] = merger->heap[parent];
        at = parent;
    }
    merger->heap[at] = pair;
}

static Pair heap_pop(Merger *merger)
{
    Pair *heap = merger->heap;
    Pair top = heap[0];
    Pair last = heap[--merger->n_pairs];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= merger->n_pairs)
            break;
        if (child + 1 < merger->n_pairs && comes_first(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_first(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

/* ---- symbols --------------------------------------------------------------------------------- */

/* Bytes of the character that begins with this byte of valid UTF-8. */
static size_t character_length(unsigned char lead)
{
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static void split_text(Merger *merger, size_t length)
{
    int32_t n = 0;
    for (size_t at = 0; at < length; n++) {
        const char *text = merger->text + at;
        size_t bytes = qb_vocabulary_match_user_defined(merger->vocabulary, text, length - at);
        bool frozen = bytes > 0;
        if (!frozen)
            bytes = character_length((unsigned char)*text);
        assert(bytes <= length - at); /* the text ends with a whole character */
        merger->symbols[n] = (Symbol){.start = (int32_t)at,
                                      .length = (int32_t)bytes,
                                      .previous = n - 1,
                                      .next = n + 1,
                                      .frozen = frozen};
        at += bytes;
    }
    if (n)
        merger->symbols[n - 1].next = -1;
    merger->n_symbols = n;
}

static void consider_pair(Merger *merger, int32_t left, int32_t right)
{
    if (left < 0 || right < 0)
        return;
    const Symbol *a = &merger->symbols[left];
    const Symbol *b = &merger->symbols[right];
    if (a->frozen || b->frozen)
        return;
    int32_t length = a->length + b->length;
    int32_t id = qb_vocabulary_find(merger->vocabulary, merger->text + a->start, (size_t)length);
    if (id < 0)
        return;
    const VocabularyPiece *piece = &merger->vocabulary->pieces[id];
    heap_push(merger, (Pair){piece->score, left, right, length});
    if (piece->unused_index >= 0) /* the last way counts, as in sentencepiece */
        merger->left_lengths[piece->unused_index] = a->length;
}

static void merge_pairs(Merger *merger)
{
    for (int32_t i = 1; i < merger->n_symbols; i++)
        consider_pair(merger, i - 1, i);
    while (merger->n_pairs) {
        Pair pair = heap_pop(merger);
        Symbol *left = &merger->symbols[pair.left];
        Symbol *right = &merger->symbols[pair.right];
        if (!left->length || !right->length || left->length + right->length != pair.length)
            continue;
        left->length = pair.length;
        left->next = right->next;
        if (right->next >= 0)
            merger->symbols[right->next].previous = pair.left;
        right->length = 0;
        consider_pair(merger, left->previous, pair.left);
        consider_pair(merger, pair.left, left->next);
    }
}

/* ---- output ---------------------------------------------------------------------------------- */

/* Recursion is bounded: parts get shorter, and pieces have at most QB_PIECE_MAX_BYTES. */
static void emit_piece(Merger *merger, const char *text, size_t length)
{
    int32_t id = qb_vocabulary_find(merger->vocabulary, text, length);
    int unused = id < 0 ? -1 : merger->vocabulary->pieces[id].unused_index;
    size_t left = unused < 0 ? 0 : (size_t)merger->left_lengths[unused];
    if (left == 0) {
        merger->emit(merger->user, text, length, id);
        return;
    }
    emit_piece(merger, text, left);
    emit_piece(merger, text + left, length - left);
}

QbStatus qb_bpe_merge(const QbVocabulary *vocabulary, const char *text, size_t length, BpeEmit emit,
                      void *user)
{
    if (length > INT32_MAX)
        return qb_fail(QB_ERR_LIMIT, "tokenizer: text of %zu bytes is too long", length);
    Merger merger = {.vocabulary = vocabulary, .text = text, .emit = emit, .user = user};
    QbStatus status = QB_ERR_NOMEM;
    merger.symbols = qb_calloc(length, sizeof *merger.symbols);
    if (!merger.symbols)
        goto done;
    split_text(&merger, length);
    merger.heap = qb_calloc((size_t)merger.n_symbols * 2, sizeof *merger.heap);
    merger.left_lengths = qb_calloc((size_t)vocabulary->n_unused, sizeof *merger.left_lengths);
    if (!merger.heap || !merger.left_lengths)
        goto done;
    merge_pairs(&merger);
    for (int32_t i = 0; i >= 0 && i < merger.n_symbols; i = merger.symbols[i].next)
        emit_piece(&merger, text + merger.symbols[i].start, (size_t)merger.symbols[i].length);
    status = QB_OK;
done:
    qb_free(merger.symbols);
    qb_free(merger.heap);
    qb_free(merger.left_lengths);
    return status;
}
