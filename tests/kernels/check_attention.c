/* check_attention.c: attention of every level against the reference, and the rule that a query's
 * result does not depend on the queries beside it. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/check.h"

typedef struct Problem {
    QbAttention a;
    CheckBuffer q, k, v, y, scratch;
} Problem;

static void problem_init(Problem *p, int n_query, int n_key, int head_dim, int slack,
                         int first_visible, CheckFill fill)
{
    size_t ld = (size_t)(head_dim + slack), dim = (size_t)head_dim;
    p->q = check_floats((size_t)(n_query - 1) * ld + dim, fill);
    p->k = check_floats((size_t)(n_key - 1) * ld + dim, fill);
    p->v = check_floats((size_t)(n_key - 1) * ld + dim, fill);
    p->y = check_buffer(p->q.bytes);
    p->scratch = check_buffer(qb_attention_scratch(n_key) * sizeof(float));
    p->a = (QbAttention){.q = p->q.data,
                         .k = p->k.data,
                         .v = p->v.data,
                         .y = p->y.data,
                         .ldq = (ptrdiff_t)ld,
                         .ldk = (ptrdiff_t)ld,
                         .ldv = (ptrdiff_t)ld,
                         .ldy = (ptrdiff_t)ld,
                         .n_query = n_query,
                         .n_key = n_key,
                         .head_dim = head_dim,
                         .first_visible = first_visible,
                         .scale = 1.0f / sqrtf((float)head_dim),
                         .scratch = p->scratch.data};
    if (fill ==
        CHECK_FILL_EXTREME) /* scores up to 2^60 would all but one vanish: keep some that count */
        for (size_t i = 0; i < p->k.bytes / sizeof(float); i++)
            ((float *)p->k.data)[i] *= 0x1p-45f;
}

static void problem_deinit(Problem *p)
{
    check_buffer_free(&p->q);
    check_buffer_free(&p->k);
    check_buffer_free(&p->v);
    check_buffer_free(&p->y);
    check_buffer_free(&p->scratch);
}

static int visible(const QbAttention *a, int i)
{
    int n = a->first_visible < 0 ? a->n_key : a->first_visible + i;
    return n < a->n_key ? n : a->n_key;
}

/* How far y[i][d] of a level may be from the reference.
 *
 * A score is a dot product of h = head_dim terms and a product: both levels within (h + 1) u scale
 * sum|q k| of the true score, S at most over the keys; so score - largest is within 2 (h + 1) u S,
 * and rounds once (u * its magnitude, below 104 where exp counts): E = 2 (h + 1) u S + 104 u. exp
 * turns that into a relative error e^E - 1, plus 2 u (vec_exp, expf) + 2^-149 each. Numerator and
 * sum of n such terms round n times, the sum's 1 / x and the last product twice. The error of the
 * quotient, relative to sum p |v| / sum p, is at most twice that of the weights, plus (2 n + 4) u;
 * both levels make it: the factor 2. A product p |v| may be subnormal: n 2^-149. */
static void bounds(double *bound, const QbAttention *a, int i)
{
    int n = visible(a, i);
    double magnitude = 0.0, largest = -INFINITY, total = 0.0;
    double *weight = malloc((size_t)(n + 1) * sizeof *weight);
    for (int j = 0; j < n; j++) {
        double score = 0.0, size = 0.0;
        for (int d = 0; d < a->head_dim; d++) {
            double product = (double)a->q[i * a->ldq + d] * a->k[j * a->ldk + d];
            score += product;
            size += fabs(product);
        }
        weight[j] = score * a->scale;
        magnitude = fmax(magnitude, size * a->scale);
        largest = fmax(largest, weight[j]);
    }
    for (int j = 0; j < n; j++)
        total += weight[j] = exp(weight[j] - largest);
    double moved = expm1(2.0 * (a->head_dim + 1.0) * CHECK_U * magnitude + 104.0 * CHECK_U);
    double relative = 2.0 * (2.0 * (moved + 2.0 * CHECK_U) + (2.0 * n + 4.0) * CHECK_U);
    for (int d = 0; d < a->head_dim; d++) {
        double sum = 0.0, values = 0.0;
        for (int j = 0; j < n; j++) {
            sum += weight[j] * fabs((double)a->v[j * a->ldv + d]);
            values += fabs((double)a->v[j * a->ldv + d]);
        }
        bound[d] = n ? relative * 1.01 * sum / total + (values + n) * 4.0 * 0x1p-149 : 0.0;
    }
    free(weight);
}

static void compare(const Problem *p, const float *want, const char *level)
{
    const QbAttention *a = &p->a;
    double *bound = malloc((size_t)a->head_dim * sizeof *bound);
    int bad_query = -1, bad_d = 0;
    bool gaps = check_guard_intact(&p->y);
    for (int i = 0; i < a->n_query; i++) {
        bounds(bound, a, i);
        for (int d = 0; d < a->head_dim; d++) {
            if (!(fabs((double)a->y[i * a->ldy + d] - want[i * a->ldy + d]) <= bound[d])) {
                bad_query = i;
                bad_d = d;
            }
        }
        for (ptrdiff_t d = a->head_dim; d < a->ldy && i + 1 < a->n_query; d++)
            gaps &= !memcmp(&a->y[i * a->ldy + d], &want[i * a->ldy + d], sizeof *want);
    }
    ptrdiff_t at = (bad_query < 0 ? 0 : bad_query) * a->ldy + bad_d;
    check_true(bad_query < 0, "%s differs at query %d, %d: %g, expected %g", level, bad_query,
               bad_d, (double)a->y[at], (double)want[at]);
    check_true(gaps, "%s wrote beside y", level);
    free(bound);
}

static void check_case(int n_query, int n_key, int head_dim, int slack, int first_visible,
                       CheckFill fill, const QbKernels *levels, int n_levels)
{
    Problem p;
    check_title("attention %d queries, %d keys, dim %d, slack %d, first visible %d, fill %d",
                n_query, n_key, head_dim, slack, first_visible, (int)fill);
    problem_init(&p, n_query, n_key, head_dim, slack, first_visible, fill);
    float *want = malloc(p.y.bytes);
    levels[0].attention(&p.a);
    memcpy(want, p.y.data, p.y.bytes);
    for (int l = 1; l < n_levels; l++) {
        memset(p.y.data, CHECK_PATTERN, p.y.bytes);
        memset(p.scratch.data, 0xff,
               p.scratch.bytes); /* NaN: what was not written must not be used */
        levels[l].attention(&p.a);
        compare(&p, want, levels[l].level);
        check_true(check_guard_intact(&p.scratch), "%s wrote in front of scratch", levels[l].level);
    }
    free(want);
    problem_deinit(&p);
}

/* Queries in groups against all at once: equal to the bit. */
static void check_split(int n_query, int n_key, int head_dim, int first_visible, int group,
                        const QbKernels *levels, int n_levels)
{
    Problem p;
    check_title("attention %d queries, %d keys, dim %d in groups of %d", n_query, n_key, head_dim,
                group);
    problem_init(&p, n_query, n_key, head_dim, 0, first_visible, CHECK_FILL_PLAIN);
    float *whole = malloc(p.y.bytes);
    for (int l = 0; l < n_levels; l++) {
        levels[l].attention(&p.a);
        memcpy(whole, p.y.data, p.y.bytes);
        memset(p.y.data, CHECK_PATTERN, p.y.bytes);
        for (int i = 0; i < n_query; i += group) {
            QbAttention part = p.a;
            part.n_query = n_query - i < group ? n_query - i : group;
            part.q = p.a.q + i * p.a.ldq;
            part.y = p.a.y + i * p.a.ldy;
            part.first_visible = first_visible < 0 ? -1 : first_visible + i;
            levels[l].attention(&part);
        }
        check_true(!memcmp(whole, p.y.data, p.y.bytes), "%s depends on the split of queries",
                   levels[l].level);
    }
    free(whole);
    problem_deinit(&p);
}

/* The same rows with others between the first n_shared and the rest. */
static CheckBuffer spread(const float *rows, ptrdiff_t ld, int n_rows, int dim, int n_shared,
                          int gap)
{
    CheckBuffer wide =
        check_floats((size_t)(n_rows + gap - 1) * (size_t)ld + (size_t)dim, CHECK_FILL_PLAIN);
    float *to = wide.data;
    for (int row = 0; row < n_rows; row++)
        memcpy(to + (row + (row < n_shared ? 0 : gap)) * ld, rows + row * ld,
               (size_t)dim * sizeof *to);
    for (int row = n_shared; row < n_shared + gap; row++)
        for (int d = 0; d < dim; d++)
            to[row * ld + d] = NAN; /* must not be looked at */
    return wide;
}

/* Keys in two places against all in one: equal to the bit. */
static void check_gap(int n_query, int n_key, int head_dim, int first_visible, int n_shared,
                      int gap, const QbKernels *levels, int n_levels)
{
    Problem p;
    check_title("attention %d queries, %d keys, dim %d, first visible %d, %d shared, gap %d",
                n_query, n_key, head_dim, first_visible, n_shared, gap);
    problem_init(&p, n_query, n_key, head_dim, 1, first_visible, CHECK_FILL_PLAIN);
    QbAttention apart = p.a;
    CheckBuffer k = spread(p.a.k, p.a.ldk, n_key, head_dim, n_shared, gap);
    CheckBuffer v = spread(p.a.v, p.a.ldv, n_key, head_dim, n_shared, gap);
    apart.k = k.data;
    apart.v = v.data;
    apart.n_shared = n_shared;
    apart.gap = gap;
    float *whole = malloc(p.y.bytes);
    for (int l = 0; l < n_levels; l++) {
        memset(p.y.data, CHECK_PATTERN, p.y.bytes);
        levels[l].attention(&p.a);
        memcpy(whole, p.y.data, p.y.bytes);
        memset(p.y.data, CHECK_PATTERN, p.y.bytes);
        levels[l].attention(&apart);
        check_true(!memcmp(whole, p.y.data, p.y.bytes), "%s depends on where the keys lie",
                   levels[l].level);
    }
    free(whole);
    check_buffer_free(&k);
    check_buffer_free(&v);
    problem_deinit(&p);
}

static void run_checks(const QbKernels *levels, int n_levels)
{
    static const int queries[] = {1, 2, 3, 4, 7, 8, 9, 13};
    static const int keys[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 50};
    static const int dims[] = {1, 7, 8, 9, 16, 17, 24, 32, 33, 64, 128};
    for (size_t q = 0; q < sizeof queries / sizeof *queries; q++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            for (int causal = 0; causal < 2; causal++)
                check_case(queries[q], keys[k], dims[check_random_below(11)], check_random_below(3),
                           causal ? check_random_below(keys[k] + 1) : -1,
                           (CheckFill)check_random_below(CHECK_FILL_COUNT), levels, n_levels);
    for (int group = 1; group <= 9; group += 2) {
        check_split(19, 37, 64, -1, group, levels, n_levels);
        check_split(19, 40, 72, 21, group, levels, n_levels);
        check_split(12, 12, 128, 1, group, levels, n_levels);
    }
    static const int splits[] = {0, 1, 7, 8, 9, 16, 17, 30, 40};
    for (size_t s = 0; s < sizeof splits / sizeof *splits; s++)
        for (int i = 0; i < 4; i++) {
            int rest = 1 + check_random_below(40), gap = 1 + check_random_below(60);
            int n_key = splits[s] + rest, n_query = 1 + check_random_below(rest);
            int dim = dims[check_random_below(11)];
            check_gap(n_query, n_key, dim, n_key - n_query + 1, splits[s], gap, levels, n_levels);
            check_gap(n_query, n_key, dim, -1, splits[s], gap, levels, n_levels);
        }
    check_case(26, 266, 64, 0, -1, CHECK_FILL_PLAIN, levels,
               n_levels); /* decoder across image tokens */
    check_case(9, 577, 64, 960, -1, CHECK_FILL_PLAIN, levels, n_levels); /* CLIP ViT-L/14 at 336 */
    check_case(5, 700, 128, 0, 696, CHECK_FILL_PLAIN, levels, n_levels); /* LLaMA */
}

/* ---- timing ---------------------------------------------------------------------------- */
static const QbKernels *timed;

static void run_attention(void *user)
{
    timed->attention(&((Problem *)user)->a);
}

static void run_bench(const QbKernels *levels, int n_levels)
{
    static const int shapes[][3] = {
        {577, 577, 64}, {640, 640, 128}, {1, 640, 128}, {1, 266, 64}, {8, 266, 64}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Problem p;
        char title[80];
        problem_init(&p, shapes[i][0], shapes[i][1], shapes[i][2], 0, -1, CHECK_FILL_PLAIN);
        snprintf(title, sizeof title, "attention %d queries, %d keys, dim %d", shapes[i][0],
                 shapes[i][1], shapes[i][2]);
        check_bench_line(title, "GFLOP/s", 4.0 * shapes[i][0] * shapes[i][1] * shapes[i][2], levels,
                         n_levels, run_attention, &p, &timed);
        problem_deinit(&p);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, run_checks, run_bench);
}
