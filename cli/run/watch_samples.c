/* watch_samples.c: see watch_samples.h. A header may say what was asked for instead of what was
 * done, and a number in a name may be anything: without being told, one is believed that rises. */
// SPDX-License-Identifier: Apache-2.0
#include "run/watch_samples.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Larger numbers in names are dates or seeds. */
static const double most_samples = 1e7;

const char *const samples_choices[] = {"auto", "header", "name", "count", "none", NULL};

enum { AUTO, HEADER, NAME, COUNT, NONE };

const char *watch_samples_choice(const char *name)
{
    const char *const *choice = samples_choices;
    while (*choice && strcmp(*choice, name))
        choice++;
    return *choice;
}

void watch_samples_init(WatchSamples *out, const char *from, double step)
{
    bool names_tell = from == samples_choices[AUTO] || from == samples_choices[NAME];
    *out = (WatchSamples){.from = from, .step = step, .names_tell = names_tell};
}

double watch_samples_in_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.'), *end = dot && dot != name ? dot : name + strlen(name);
    while (end > name && !isdigit((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > name && isdigit((unsigned char)start[-1]))
        start--;
    double number = start < end ? strtod(start, NULL) : 0; /* the last digits: no more follow */
    return number <= most_samples ? number : 0;
}

static double value_of(const WatchSamples *samples, double header, double name)
{
    const char *from = samples->from;
    if (from == samples_choices[AUTO]) /* numbers in names are believed when they rise */
        return header;
    return from == samples_choices[HEADER]  ? header
           : from == samples_choices[NAME]  ? name
           : from == samples_choices[COUNT] ? (double)samples->n_pictures * samples->step
                                            : 0;
}

bool watch_samples_have_risen(const WatchSamples *samples, const char *path, int64_t header)
{
    bool by_name = samples->names_tell && samples->from != samples_choices[NONE];
    return (double)header > samples->last_header ||
           (by_name && samples->last_name > 0 && watch_samples_in_name(path) > samples->last_name);
}

WatchCount watch_samples_add(WatchSamples *samples, const char *path, int64_t header_says)
{
    double header = (double)header_says, name = watch_samples_in_name(path);
    WatchCount count = {0};
    samples->n_pictures++;
    samples->last_header = header;
    samples->last_name = name;
    if (samples->n_pictures == 1) {
        samples->first_header = header;
        samples->first_name = name;
        samples->first = value_of(samples, header, name);
    } else if (samples->from == samples_choices[AUTO]) {
        bool header_rises = samples->first_header > 0 && header > samples->first_header;
        bool name_rises = name > samples->first_name;
        samples->from = samples_choices[header_rises ? HEADER : name_rises ? NAME : NONE];
        double first = value_of(samples, samples->first_header, samples->first_name);
        count.first_changed = first != samples->first;
        count.first = samples->last = samples->first = first;
    }
    count.samples = value_of(samples, header, name);
    count.restarted = count.samples > 0 && count.samples < samples->last;
    if (count.samples == samples->last)
        count.samples = 0; /* the same again tells nothing of how noise falls */
    if (count.samples > 0)
        samples->last = count.samples;
    return count;
}
