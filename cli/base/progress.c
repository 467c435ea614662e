/* progress.c: "[=====>    ]  45%  450/1000  12.3/s  ETA 0:45", redrawn in place. */
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include "base/terminal.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BAR_CELLS = 24,
    BAR_COLUMNS = BAR_CELLS + 2 + 7, /* with brackets and "  45%  " */
    SMALLEST_FOR_BAR = 72
};

static struct {
    pthread_mutex_t mutex;
    bool active, visible, utf8;
    double start_ms, drawn_ms;
} progress = {.mutex = PTHREAD_MUTEX_INITIALIZER};

double clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

double progress_seconds(void)
{
    return (clock_ms() - progress.start_ms) / 1e3;
}

void progress_start(bool wanted, bool utf8)
{
    const char *term = getenv("TERM");
    progress.start_ms = clock_ms();
    progress.utf8 = utf8;
    progress.active = wanted && isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

bool progress_is_shown(void)
{
    return progress.active;
}

static void add_bar(Text *line, double fraction)
{
    int full = (int)(fraction * BAR_CELLS);
    text_add(line, progress.utf8 ? "" : "[");
    for (int i = 0; i < BAR_CELLS; i++)
        if (progress.utf8)
            text_add(line, i < full ? "━" : "·");
        else
            text_add_char(line, i < full ? '=' : ' ');
    text_add(line, progress.utf8 ? "" : "]");
    text_addf(line, " %3d%%  ", (int)(fraction * 100));
}

/* Takes back what was added since length if the line then has more columns than bytes may fill. */
static void keep_if_fits(Text *line, size_t length, int columns)
{
    if (line->length > (size_t)columns) {
        line->length = length;
        line->data[length] = 0;
    }
}

/* All ASCII: how many, then how fast and how long if columns are enough. */
static void add_numbers(Text *line, int64_t done, int64_t scored, int64_t total, int columns)
{
    double seconds = progress_seconds();
    double rate = seconds > 0 ? (double)scored / seconds : 0;
    text_addf(line, "%lld", (long long)done);
    size_t length = line->length;
    if (total >= 0)
        text_addf(line, "/%lld", (long long)total);
    keep_if_fits(line, length, columns);
    length = line->length;
    text_addf(line, rate >= 0.1 || scored == 0 ? "  %.1f/s" : "  %.3f/s", rate);
    keep_if_fits(line, length, columns);
    length = line->length;
    if (total >= done && scored > 0) {
        text_add(line, "  ETA ");
        text_add_duration(line, (double)(total - done) / rate);
    } else {
        text_add(line, "  ");
        text_add_duration(line, seconds);
    }
    keep_if_fits(line, length, columns);
    keep_if_fits(line, 0, columns);
}

/* A line as wide as the terminal would leave the cursor in the next one: the last column stays
 * free. The bar is drawn where there is room for it beside the numbers. fraction < 0: none. */
static void draw_line(const Text *numbers, double fraction, int columns)
{
    Text line = {0};
    text_add(&line, "\r\033[K");
    if (fraction >= 0 && columns >= SMALLEST_FOR_BAR - 1 &&
        numbers->length + BAR_COLUMNS <= (size_t)columns)
        add_bar(&line, fraction < 1 ? fraction : 1);
    text_add_bytes(&line, numbers->data, numbers->length);
    write_all(STDERR_FILENO, line.data, line.length);
    text_free(&line);
    progress.visible = true;
    progress.drawn_ms = clock_ms();
}

static void draw(int64_t done, int64_t scored, int64_t total)
{
    int columns = terminal_width(STDERR_FILENO) - 1;
    Text numbers = {0};
    add_numbers(&numbers, done, scored, total, columns);
    draw_line(&numbers, total > 0 ? (double)done / (double)total : -1, columns);
    text_free(&numbers);
}

void progress_format_bytes(char *text, size_t n, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(text, n, value < 100 && unit > 0 ? "%.3g %s" : "%.0f %s", value, units[unit]);
}

static void draw_bytes(int64_t done, int64_t total, const char *what)
{
    int columns = terminal_width(STDERR_FILENO) - 1;
    double seconds = progress_seconds();
    double rate = seconds > 0 ? (double)done / seconds : 0;
    char written[32], of[32], speed[32];
    progress_format_bytes(written, sizeof written, done);
    progress_format_bytes(of, sizeof of, total);
    progress_format_bytes(speed, sizeof speed, (int64_t)rate);
    Text numbers = {0};
    text_addf(&numbers, "%s of %s", written, of);
    size_t length = numbers.length;
    text_addf(&numbers, "  %s/s", speed);
    if (rate > 0 && total >= done) {
        text_add(&numbers, "  ETA ");
        text_add_duration(&numbers, (double)(total - done) / rate);
    }
    keep_if_fits(&numbers, length, columns);
    length = numbers.length;
    if (what) {
        text_add(&numbers, "  ");
        text_add_printable(&numbers, what);
    }
    keep_if_fits(&numbers, length, columns - BAR_COLUMNS);
    keep_if_fits(&numbers, 0, columns);
    draw_line(&numbers, total > 0 ? (double)done / (double)total : -1, columns);
    text_free(&numbers);
}

void progress_update_bytes(int64_t done, int64_t total, const char *what)
{
    pthread_mutex_lock(&progress.mutex);
    if (progress.active && (!progress.visible || clock_ms() - progress.drawn_ms >= 100))
        draw_bytes(done, total, what);
    pthread_mutex_unlock(&progress.mutex);
}

static void draw_parts(double fraction, const char *const *parts, int n)
{
    int columns = terminal_width(STDERR_FILENO) - 1;
    Text words = {0};
    for (int i = 0; i < n; i++) {
        size_t length = words.length;
        text_add(&words, length > 0 ? "  " : "");
        text_add_printable(&words, parts[i]);
        keep_if_fits(&words, length, columns);
    }
    draw_line(&words, fraction, columns);
    text_free(&words);
}

void progress_update_parts(double fraction, const char *const *parts, int n)
{
    pthread_mutex_lock(&progress.mutex);
    if (progress.active && (!progress.visible || clock_ms() - progress.drawn_ms >= 100))
        draw_parts(fraction, parts, n);
    pthread_mutex_unlock(&progress.mutex);
}

void progress_update(int64_t done, int64_t scored, int64_t total)
{
    pthread_mutex_lock(&progress.mutex);
    if (progress.active && (!progress.visible || clock_ms() - progress.drawn_ms >= 100))
        draw(done, scored, total);
    pthread_mutex_unlock(&progress.mutex);
}

static void erase(void)
{
    static const char clear[] = "\r\033[K";
    if (progress.visible)
        write_all(STDERR_FILENO, clear, sizeof clear - 1);
    progress.visible = false;
}

void progress_erase(void)
{
    pthread_mutex_lock(&progress.mutex);
    erase();
    pthread_mutex_unlock(&progress.mutex);
}

void progress_finish(void)
{
    pthread_mutex_lock(&progress.mutex);
    erase();
    progress.active = false;
    pthread_mutex_unlock(&progress.mutex);
}
