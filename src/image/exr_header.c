/* exr_header.c: the header of an OpenEXR file: whether it is one that the library can be let at,
 * which channels are the picture, and what else it tells.
 *
 * Channels are named layer.name, where layer may hold dots itself (Blender: ViewLayer.Combined.R).
 * Of a layer R, G and B are taken, or Y alone; Y beside X or Z is a direction, not a brightness. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* The library sorts attributes and channels as it meets them, in time that grows with the square of
 * their number, and takes up to HEADER_COST times the header's memory (lists of short strings). */
enum { MAX_PARTS = 1024, MAX_ATTRIBUTES = 1024, MAX_CHANNELS = 1024, HEADER_COST = 32 };

/* ---- A look at the header before the library's --------------------------------------------------
 */

enum { FIRST_ATTRIBUTE = 8, MULTI_PART = 1 << 12, CHANNEL_BYTES = 16 }; /* of the file format */

typedef struct {
    const uint8_t *data;
    size_t size, position;
} Scan;

/* Steps over a text and its NUL; *out_length without it. */
static bool scan_text(Scan *scan, size_t *out_length)
{
    const uint8_t *start = scan->data + scan->position;
    const uint8_t *end = memchr(start, 0, scan->size - scan->position);
    if (!end)
        return false;
    *out_length = (size_t)(end - start);
    scan->position += *out_length + 1;
    return true;
}

/* Entries of a list of channels that fills data: a name and CHANNEL_BYTES each. */
static int count_channels(const uint8_t *data, size_t size)
{
    Scan scan = {.data = data, .size = size};
    int n = 0;
    for (size_t length; scan_text(&scan, &length) && length; n++) {
        if (scan.size - scan.position < CHANNEL_BYTES || n > MAX_CHANNELS)
            break;
        scan.position += CHANNEL_BYTES;
    }
    return n;
}

/* One attribute; *out_length 0: there was none, but the end of a header. */
static QbStatus scan_attribute(Scan *scan, const QbDecodeJob *job, size_t *out_length)
{
    if (!scan_text(scan, out_length))
        return qb_fail(QB_ERR_FORMAT,
                       "%s: the EXR is truncated, half written or damaged: its "
                       "header has no end",
                       job->name);
    if (!*out_length)
        return QB_OK;
    const uint8_t *type = scan->data + scan->position;
    size_t type_length, size = 0;
    bool whole = scan_text(scan, &type_length) && scan->size - scan->position >= 4;
    if (whole) {
        const uint8_t *bytes = scan->data + scan->position;
        size = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
        scan->position += 4;
    }
    if (!whole || size > scan->size - scan->position)
        return qb_fail(QB_ERR_FORMAT,
                       "%s: the EXR is truncated, half written or damaged: an "
                       "attribute goes past its end",
                       job->name);
    if (!strcmp((const char *)type, "chlist") &&
        count_channels(scan->data + scan->position, size) > MAX_CHANNELS)
        return qb_fail(QB_ERR_LIMIT, "%s: an EXR of more than %d channels", job->name,
                       MAX_CHANNELS);
    scan->position += size;
    return QB_OK;
}

QbStatus qb_exr_scan_header(const QbDecodeJob *job)
{
    Scan scan = {.data = job->data, .size = job->size, .position = FIRST_ATTRIBUTE};
    bool multi_part = job->data[5] & MULTI_PART >> 8; /* version and flags are bytes 4 … 7 */
    int n_parts = 0, n_attributes = 0;
    for (;;) {
        size_t length = 0;
        QbStatus status = scan_attribute(&scan, job, &length);
        if (status)
            return status;
        if (length && ++n_attributes <= MAX_ATTRIBUTES)
            continue;
        if (length)
            return qb_fail(QB_ERR_LIMIT, "%s: an EXR of more than %d attributes", job->name,
                           MAX_ATTRIBUTES);
        if (!n_attributes || !multi_part)
            break;
        if (++n_parts > MAX_PARTS)
            return qb_fail(QB_ERR_LIMIT, "%s: an EXR of more than %d parts", job->name, MAX_PARTS);
        n_attributes = 0;
    }
    if (scan.position > (uint64_t)job->options->max_bytes / HEADER_COST)
        return qb_fail(
            QB_ERR_LIMIT,
            "%s: an EXR header of %zu bytes takes more memory than the limit, %lld bytes "
            "(max_bytes)",
            job->name, scan.position, (long long)job->options->max_bytes);
    return QB_OK;
}

/* ---- Channels -----------------------------------------------------------------------------------
 */

/* Where the channels' names are looked for, in this order, when no layer is asked for. */
typedef enum { RULE_NO_LAYER, RULE_COMBINED, RULE_ANY, N_RULES } Rule;

/* Length of "layer" in "layer.name"; 0 without a layer. */
static size_t layer_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

static bool ends_with_combined(const char *layer, size_t length)
{
    static const char word[] = ".Combined";
    size_t n = sizeof word - 1;
    return length > n && !memcmp(layer + length - n, word, n);
}

/* Index of the channel of this name in this layer; -1 = there is none. */
static int find_channel(const exr_attr_chlist_t *list, const char *layer, size_t length,
                        const char *name)
{
    for (int i = 0; i < list->num_channels; i++) {
        const char *full = list->entries[i].name.str;
        if (layer_length(full) == length && !memcmp(full, layer, length) &&
            !strcmp(qb_exr_own_name(full), name))
            return i;
    }
    return -1;
}

/* Takes the layer's colours; false when it has none. */
static bool take_layer(QbExr *exr, const exr_attr_chlist_t *list, const char *layer, size_t length)
{
    static const char *const names[] = {"R", "G", "B"};
    /* By the bits of what is missing. */
    static const char *const missing[] = {NULL, "R", "G", "RG", "B", "RB", "GB"};
    unsigned lacking = 0;
    for (int c = 0; c < 3; c++) {
        exr->source[c] = find_channel(list, layer, length, names[c]);
        lacking |= (unsigned)(exr->source[c] < 0) << c;
    }
    exr->color = QB_COLOR_RGB;
    if (lacking == 7) {
        exr->source[0] = find_channel(list, layer, length, "Y");
        if (exr->source[0] < 0 || find_channel(list, layer, length, "X") >= 0 ||
            find_channel(list, layer, length, "Z") >= 0)
            return false;
        exr->color = QB_COLOR_GRAY;
        lacking = 0;
    }
    exr->missing = missing[lacking];
    exr->channels = list;
    exr->layer = layer;
    exr->layer_length = length;
    return true;
}

static bool take_by_rule(QbExr *exr, const exr_attr_chlist_t *list, Rule rule)
{
    if (rule == RULE_NO_LAYER)
        return take_layer(exr, list, "", 0);
    for (int i = 0; i < list->num_channels; i++) {
        const char *name = list->entries[i].name.str;
        size_t length = layer_length(name);
        if (length && (rule == RULE_ANY || ends_with_combined(name, length)) &&
            take_layer(exr, list, name, length))
            return true;
    }
    return false;
}

/* A layer may be a prefix of names, or the name of a part whose channels have none. */
static bool take_by_name(QbExr *exr, const exr_attr_chlist_t *list, int part, const char *layer)
{
    if (take_layer(exr, list, layer, strlen(layer)))
        return true;
    const char *part_name = NULL;
    return !exr_get_name(exr->context, part, &part_name) && part_name &&
           !strcmp(part_name, layer) && take_layer(exr, list, "", 0);
}

/* The part's channels; NULL when its pixels are none of a flat picture. */
static const exr_attr_chlist_t *flat_channels(const QbExr *exr, int part)
{
    exr_storage_t storage;
    const exr_attr_chlist_t *list = NULL;
    if (exr_get_storage(exr->context, part, &storage) ||
        (storage != EXR_STORAGE_SCANLINE && storage != EXR_STORAGE_TILED) ||
        exr_get_channels(exr->context, part, &list))
        return NULL;
    return list;
}

/* Says what there is instead, as far as it fits. */
static QbStatus nothing_found(const QbExr *exr, int n_parts)
{
    char names[200] = "";
    size_t used = 0;
    int n_flat = 0;
    for (int part = 0; part < n_parts; part++) {
        const exr_attr_chlist_t *list = flat_channels(exr, part);
        n_flat += list != NULL;
        for (int i = 0; list && i < list->num_channels && used < sizeof names; i++)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     list->entries[i].name.str);
    }
    for (char *c = names; *c; c++) /* a stranger's names, on somebody's terminal */
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
    if (!n_flat)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: an EXR of deep pixels is not read", exr->job->name);
    return qb_fail(exr->job->layer ? QB_ERR_ARG : QB_ERR_UNSUPPORTED,
                   "%s: no channel R, G, B or Y%s%s; it has %s%s", exr->job->name,
                   exr->job->layer ? " in layer " : "", exr->job->layer ? exr->job->layer : "",
                   names, used >= sizeof names ? "…" : "");
}

QbStatus qb_exr_choose(QbExr *exr)
{
    int n_parts = 0;
    exr_get_count(exr->context, &n_parts);
    for (Rule rule = 0; rule < (exr->job->layer ? 1 : N_RULES); rule++)
        for (exr->part = 0; exr->part < n_parts; exr->part++) {
            const exr_attr_chlist_t *list = flat_channels(exr, exr->part);
            if (list && (exr->job->layer ? take_by_name(exr, list, exr->part, exr->job->layer)
                                         : take_by_rule(exr, list, rule)))
                return QB_OK;
        }
    return nothing_found(exr, n_parts);
}

/* ---- Other attributes ---------------------------------------------------------------------------
 */

/* Digits alone, as Cycles writes "cycles.<view layer>.samples". */
static int64_t parse_samples(const exr_attr_string_t *text)
{
    int64_t value = 0;
    if (!text || text->length < 1 || text->length > 12)
        return 0;
    for (int i = 0; i < text->length; i++) {
        if (text->str[i] < '0' || text->str[i] > '9')
            return 0;
        value = value * 10 + (text->str[i] - '0');
    }
    return value;
}

int64_t qb_exr_samples(const QbExr *exr)
{
    static const char head[] = "cycles.", tail[] = ".samples";
    int n_attributes = 0;
    int64_t found = 0;
    if (exr_get_attribute_count(exr->context, exr->part, &n_attributes))
        return 0;
    for (int i = 0; i < n_attributes; i++) {
        const exr_attribute_t *attribute = NULL;
        if (exr_get_attribute_by_index(exr->context, exr->part, EXR_ATTR_LIST_FILE_ORDER, i,
                                       &attribute) ||
            attribute->type != EXR_ATTR_STRING)
            continue;
        size_t length = strlen(attribute->name);
        if (length < sizeof head + sizeof tail - 1 ||
            memcmp(attribute->name, head, sizeof head - 1) ||
            strcmp(attribute->name + length - (sizeof tail - 1), tail))
            continue;
        int64_t samples = parse_samples(attribute->string);
        /* Of several view layers the one that the pixels are of. */
        size_t view_length = length - (sizeof head - 1) - (sizeof tail - 1);
        bool same_view = exr->layer_length > view_length && exr->layer[view_length] == '.' &&
                         !memcmp(exr->layer, attribute->name + sizeof head - 1, view_length);
        if (same_view)
            return samples;
        found = found ? found : samples;
    }
    return found;
}

bool qb_exr_primaries(double out[8], const QbExr *exr)
{
    exr_attr_chromaticities_t found;
    if (exr_attr_get_chromaticities(exr->context, exr->part, "chromaticities", &found))
        return false;
    const double xy[8] = {found.red_x,  found.red_y,  found.green_x, found.green_y,
                          found.blue_x, found.blue_y, found.white_x, found.white_y};
    memcpy(out, xy, sizeof xy);
    return true;
}
