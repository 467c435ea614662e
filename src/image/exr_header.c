/* exr_header.c: which channels of an OpenEXR file are the picture, and what its header tells.
 *
 * Channels are named layer.name, where layer may hold dots itself (Blender: ViewLayer.Combined.R).
 * Of a layer R, G and B are taken, or Y alone; Y beside X or Z is a direction, not a brightness. */
// SPDX-License-Identifier: Apache-2.0
#include "image/exr.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

enum { MAX_CHANNELS = 1024, MAX_PARTS = 1024 };

/* Where the channels' names are looked for, in this order, when no layer is asked for. */
typedef enum { RULE_NO_LAYER, RULE_COMBINED, RULE_ANY, N_RULES } Rule;

/* Length of "layer" in "layer.name"; 0 without a layer. */
static size_t layer_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

static const char *own_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
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
            !strcmp(own_name(full), name))
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
        exr_get_channels(exr->context, part, &list) || !list || list->num_channels > MAX_CHANNELS)
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
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: an EXR of deep pixels, or of more than %d channels, is not read",
                       exr->job->name, MAX_CHANNELS);
    return qb_fail(exr->job->layer ? QB_ERR_ARG : QB_ERR_UNSUPPORTED,
                   "%s: no channel R, G, B or Y%s%s; it has %s%s", exr->job->name,
                   exr->job->layer ? " in layer " : "", exr->job->layer ? exr->job->layer : "",
                   names, used >= sizeof names ? "…" : "");
}

QbStatus qb_exr_choose(QbExr *exr)
{
    int n_parts = 0;
    if (exr_get_count(exr->context, &n_parts) || n_parts < 1 || n_parts > MAX_PARTS)
        return qb_fail(QB_ERR_FORMAT, "%s: an EXR of %d parts", exr->job->name, n_parts);
    for (Rule rule = 0; rule < (exr->job->layer ? 1 : N_RULES); rule++)
        for (exr->part = 0; exr->part < n_parts; exr->part++) {
            const exr_attr_chlist_t *list = flat_channels(exr, exr->part);
            if (list && (exr->job->layer ? take_by_name(exr, list, exr->part, exr->job->layer)
                                         : take_by_rule(exr, list, rule)))
                return QB_OK;
        }
    return nothing_found(exr, n_parts);
}

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
