/* test_table_join.c: which score belongs to which opinion. */
// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tests/unit/eval/eval_test.h"

static QbTable *join(const char *labels, const char *scores, QbTableJoin *info)
{
    QbTable *a = table_of(labels), *b = table_of(scores), *joined;
    if (qb_table_join(&joined, info, a, b))
        fail_msg("%s", qb_last_error());
    qb_table_free(&a); /* the result has texts of its own */
    qb_table_free(&b);
    return joined;
}

static void refuse_join(const char *labels, const char *scores, const char *said)
{
    QbTable *a = table_of(labels), *b = table_of(scores), *joined = a;
    QbTableJoin info = {77, 77};
    assert_int_equal(qb_table_join(&joined, &info, a, b), QB_ERR_ARG);
    assert_non_null(strstr(qb_last_error(), said));
    assert_null(joined);
    assert_int_equal(info.n_unused, 77);
    qb_table_free(&a);
    qb_table_free(&b);
}

static void test_names(void **state)
{
    (void)state;
    QbTableJoin info;
    QbTable *table = join("path,mos,dataset\n"
                          "a.jpg,1,x\n"     /* equal */
                          "set/b.jpg,2,x\n" /* the longer one */
                          "c.jpg,3,x\n"     /* the shorter one */
                          "d.jpg,4,y\n"     /* not there: bad.jpg does not count */
                          "a.jpg,5,y\n"     /* again */
                          "e.jpg,,y\n"
                          "c.jpg,7,z\n",
                          "path,score,logit_good,error\n"
                          "bad.jpg,10,1,\n"
                          "b.jpg,20,2,\n"
                          "/deep/down/c.jpg,30,3,\n"
                          "a.jpg,40,4,\n"
                          "e.jpg,,,broken\n"
                          "more/f.jpg,60,,\n",
                          &info);
    static const double scores[] = {40, 20, 30, NAN, 40, NAN, 30};
    static const char *const sets[] = {"x", "x", "x", "y", "y", "y", "z"};
    assert_int_equal(qb_table_count(table), 7);
    for (size_t i = 0; i < 7; i++) {
        QbTableRow row = row_of(table, i);
        assert_true(isnan(scores[i]) ? isnan(row.score) : row.score == scores[i]);
        assert_true(isnan(scores[i]) ? isnan(row.logit[0]) : row.logit[0] == scores[i] / 10);
        assert_true(i == 5 ? isnan(row.opinion) : row.opinion == (double)(i + 1));
        assert_string_equal(row.dataset, sets[i]);
    }
    assert_string_equal(row_of(table, 1).name, "set/b.jpg");
    assert_string_equal(row_of(table, 3).error, "is not among the scores");
    assert_string_equal(row_of(table, 5).error, "broken");
    assert_null(row_of(table, 0).error);
    assert_true(info.n_unscored == 1 && info.n_unused == 2);
    qb_table_free(&table);
}

/* Of scores of one name the last counts; the ones before are no ambiguity. */
static void test_resumed(void **state)
{
    (void)state;
    QbTableJoin info;
    QbTable *table =
        join("path,mos\na,1\nb,2\n", "path,score\nd/a,1\nd/b,2\nd/a,3\nc,4\nc,5\nd/a,6\n", &info);
    assert_true(row_of(table, 0).score == 6 && row_of(table, 1).score == 2);
    assert_true(info.n_unscored == 0 && info.n_unused == 2);
    qb_table_free(&table);
}

static void test_ambiguous(void **state)
{
    (void)state;
    refuse_join("path,mos\nb,1\na.jpg,1\n", "path,score\nx/a.jpg,1\ny/a.jpg,2\n",
                "two scores fit the picture a.jpg: those of x/a.jpg and y/a.jpg");
    refuse_join("path,mos\nx/y/a.jpg,1\n", "path,score\ny/a.jpg,1\na.jpg,2\n", "x/y/a.jpg");
    refuse_join("path,mos\ny/a.jpg,1\n", "path,score\nx/y/a.jpg,1\na.jpg,2\n", "y/a.jpg");
    /* but what is equal goes before what is an end */
    QbTableJoin info;
    QbTable *table =
        join("path,mos\na.jpg,1\nx/a.jpg,2\n", "path,score\nx/a.jpg,20\na.jpg,10\n", &info);
    assert_true(row_of(table, 0).score == 10 && row_of(table, 1).score == 20);
    assert_true(info.n_unscored == 0 && info.n_unused == 0);
    qb_table_free(&table);
}

/* Names that differ in folders alone, as where each picture lies in its own folder. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 100000, LINE = 40 };
    char *labels = malloc(MANY * LINE), *scores = malloc(MANY * LINE);
    size_t a, b;
    assert_true(labels && scores);
    a = (size_t)sprintf(labels, "path,mos\n");
    b = (size_t)sprintf(scores, "path,score\n");
    for (int i = 0; i < MANY; i++) {
        a += (size_t)sprintf(labels + a, "%d/image.png,%d\n", i, i);
        b += (size_t)sprintf(scores + b, "set/%d/image.png,%d\n", MANY - 1 - i, MANY - 1 - i);
    }
    QbTableJoin info;
    QbTable *table = join(labels, scores, &info);
    for (size_t i = 0; i < MANY; i++)
        assert_true(row_of(table, i).score == (double)i);
    assert_true(info.n_unscored == 0 && info.n_unused == 0);
    qb_table_free(&table);
    free(labels);
    free(scores);
}

static void test_no_memory(void **state)
{
    (void)state;
    QbTable *a = table_of("path,mos,set\na,1,x\nb,2,y\n");
    QbTable *b = table_of("path,logit_good,error\nd/a,1,no\nb,2,\n"), *joined;
    uint64_t before = qb_mem_allocation_count();
    assert_int_equal(qb_table_join(&joined, NULL, a, b), QB_OK);
    qb_table_free(&joined);
    uint64_t all = qb_mem_allocation_count() - before;
    for (uint64_t i = 1; i <= all; i++) {
        qb_mem_fail_after(i);
        assert_int_equal(qb_table_join(&joined, NULL, a, b), QB_ERR_NOMEM);
        assert_null(joined);
    }
    qb_mem_fail_after(0);
    assert_int_equal(qb_table_join(&joined, NULL, NULL, b), QB_ERR_ARG);
    assert_int_equal(qb_table_join(&joined, NULL, a, NULL), QB_ERR_ARG);
    assert_int_equal(qb_table_join(NULL, NULL, a, b), QB_ERR_ARG);
    qb_table_free(&a);
    qb_table_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_ambiguous), cmocka_unit_test(test_many),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
