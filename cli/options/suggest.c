/* suggest.c: finds the nearest name by Damerau-Levenshtein distance in its optimal string alignment
 * form: insertions, deletions, substitutions and swaps of neighbours each cost 1. */
// SPDX-License-Identifier: Apache-2.0
#include "options/suggest.h"

#include <string.h>

enum { LONGEST = 32 };

static int min_of(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
    int n_a = (int)strlen(a), n_b = (int)strlen(b);
    int cost[LONGEST + 1][LONGEST + 1];
    if (n_a > LONGEST || n_b > LONGEST)
        return LONGEST;
    for (int i = 0; i <= n_a; i++)
        cost[i][0] = i;
    for (int j = 0; j <= n_b; j++)
        cost[0][j] = j;
    for (int i = 1; i <= n_a; i++)
        for (int j = 1; j <= n_b; j++) {
            int change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            int best = min_of(change, 1 + min_of(cost[i - 1][j], cost[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = min_of(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    return cost[n_a][n_b];
}

const char *suggest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    int length = (int)strlen(word);
    int nearest_distance = 1 + (length < 4 ? 1 : length < 8 ? 2 : 3);
    for (; *names; names++) {
        /* a beginning of at least three letters counts as near: --max-p for --max-pixels */
        int d =
            length >= 3 && strncmp(word, *names, (size_t)length) == 0 ? 1 : distance(word, *names);
        if (d < nearest_distance && d < (int)strlen(*names)) {
            nearest = *names;
            nearest_distance = d;
        }
    }
    return nearest;
}
