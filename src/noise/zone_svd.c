/* zone_svd.c: singular values of 16 x 16 blocks: noise fills the small ones, structure the large
 * ones. Entropy of the squares of singular values, of all and of a sub-vector, each normalised to
 * sum 1 (Buisine, Bigand, Synave, Delepoulle & Renaud, Stopping criterion during rendering of
 * computer-generated images based on SVD-entropy, Entropy 23, 2021, eq. 4-6), averaged over blocks;
 * here the block's mean is taken off first, which leaves the entropy to what noise changes. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/symmetric.h"
#include "noise/zone_family.h"

enum { SIDE = QB_SYMMETRIC_MAX, HEAD = 4, TAIL = 8 };

/* The energy of rounding to 8 bits in a block: variance 1/12 of a step, which is about 0.4 L*. */
static const double ROUNDING = SIDE * SIDE * 0.4 * 0.4 / 12;

static const char *const names[] = {
    "svd_entropy",    "svd_entropy_head",   "svd_entropy_tail",      "svd_tail_level",
    "svd_tail_share", "svd_tail_level_p20", "svd_tail_level_median", NULL,
};

typedef struct {
    QbFeatureSums entropy, head, tail, share;
    QbZoneLevels level;
    QbFeatureSums level_sums;
} State;

/* energy[SIDE], falling: squares of the singular values of the block at (x, y). */
static void singular_energies(double *energy, const QbZoneTile *tile, int x, int y)
{
    double a[SIDE][SIDE], product[SIDE][SIDE], mean = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            mean += a[i][j] = (double)qb_tile_l(tile, y + i)[x + j];
    mean /= SIDE * SIDE;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            a[i][j] -= mean;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += a[i][k] * a[j][k];
            product[i][j] = product[j][i] = sum;
        }
    qb_symmetric_eigenvalues(energy, product, SIDE);
    for (int i = 0; i < SIDE; i++)
        energy[i] = energy[i] > 0 ? energy[i] : 0;
    for (int i = 1; i < SIDE; i++)
        for (int j = i; j > 0 && energy[j] > energy[j - 1]; j--) {
            double swap = energy[j];
            energy[j] = energy[j - 1];
            energy[j - 1] = swap;
        }
}

static double sum_of(const double *energy, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += energy[i];
    return sum;
}

/* 0 … 1; what is left by rounding alone counts as no structure and no noise. */
static float entropy_of(const double *energy, int n)
{
    double total = sum_of(energy, n) + ROUNDING * n / SIDE, sum = 0;
    for (int i = 0; i < n; i++) {
        double p = energy[i] / total;
        sum -= p > 0 ? p * log(p) : 0;
    }
    return (float)(sum / log(n));
}

static void add_block(State *state, const QbZoneTile *tile, int x, int y)
{
    double energy[SIDE];
    singular_energies(energy, tile, x, y);
    double tail = sum_of(energy + SIDE - TAIL, TAIL);
    qb_feature_sums_add(&state->entropy, entropy_of(energy, SIDE));
    qb_feature_sums_add(&state->head, entropy_of(energy, HEAD));
    qb_feature_sums_add(&state->tail, entropy_of(energy + HEAD, SIDE - HEAD));
    qb_feature_sums_add(&state->share,
                        (float)log2((tail + ROUNDING / SIDE) / (sum_of(energy, SIDE) + ROUNDING)));
    float level = (float)sqrt(tail / (SIDE * TAIL));
    qb_feature_sums_add(&state->level_sums, level);
    qb_zone_levels_add(&state->level, level);
}

/* Blocks side by side, in the middle of the tile. */
static void add(void *user, QbZoneTile *tile)
{
    int columns = tile->width / SIDE, rows = tile->height / SIDE;
    int left = (tile->width - columns * SIDE) / 2, top = (tile->height - rows * SIDE) / 2;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            add_block(user, tile, left + column * SIDE, top + row * SIDE);
}

static void finish(float *values, const void *user)
{
    const State *s = user;
    values[0] = (float)qb_feature_sums_mean(&s->entropy);
    values[1] = (float)qb_feature_sums_mean(&s->head);
    values[2] = (float)qb_feature_sums_mean(&s->tail);
    values[3] = qb_zone_log(qb_feature_sums_mean(&s->level_sums));
    values[4] = (float)qb_feature_sums_mean(&s->share);
    values[5] = qb_zone_log(qb_zone_levels_quantile(&s->level, 0.2));
    values[6] = qb_zone_log(qb_zone_levels_quantile(&s->level, 0.5));
}

const QbZoneFamily qb_zone_svd = {"svd", names, sizeof(State), add, finish};
