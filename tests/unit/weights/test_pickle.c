/* test_pickle.c: hostile and odd pickles inside well made archives: whatever they ask for, nothing
 * is called, nothing is looked up, and memory and time stay in proportion to the file. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/weights/torch_build.h"

#include <sys/resource.h>

#define BYTES(literal) literal, sizeof(literal) - 1

static const float values[] = {1, 2, 3, 4};
static const TensorSpec spec = {"FloatStorage", "0", 4, 0, 1, 1, {4}, {1}};

static QbStatus open_pickle(QbCheckpoint **out, const Pickle *pickle)
{
    ZipBuild zip = {0};
    zip_add(&zip, "p/data.pkl", pickle->bytes, pickle->n);
    zip_add(&zip, "p/data/0", values, sizeof values);
    zip_finish(&zip);
    return open_bytes(out, zip.bytes, zip.n);
}

static void assert_pickle_fails(const Pickle *pickle, QbStatus expected, const char *message)
{
    QbCheckpoint *checkpoint;
    assert_failure(open_pickle(&checkpoint, pickle), expected, message);
}

/* Opcodes alone, as they are and as a value in a dict, must be refused. */
static void assert_opcodes_fail(const void *opcodes, size_t n, QbStatus expected,
                                const char *message)
{
    Pickle pickle = {.n = 0};
    PICKLE_ADD(&pickle, "\x80\x02");
    pickle_add(&pickle, opcodes, n);
    PICKLE_ADD(&pickle, ".");
    assert_pickle_fails(&pickle, expected, message);
    pickle.n = 0;
    PICKLE_ADD(&pickle, "\x80\x02}q\x63X\x01\0\0\0k");
    pickle_add(&pickle, opcodes, n);
    PICKLE_ADD(&pickle, "s.");
    assert_pickle_fails(&pickle, expected, message);
}

#define ASSERT_FAILS(opcodes, expected, message) \
    assert_opcodes_fail(opcodes, sizeof(opcodes) - 1, expected, message)

static void nothing_is_called(void **state)
{
    (void)state;
    ASSERT_FAILS("c__builtin__\neval\nX\3\0\0\0"
                 "1+1\x85R",
                 QB_ERR_UNSUPPORTED, "asks for __builtin__.eval, which is not a tensor: refused");
    ASSERT_FAILS("cos\nsystem\nX\4\0\0\0true\x85R", QB_ERR_UNSUPPORTED, "asks for os.system");
    ASSERT_FAILS("cposix\nsystem\nU\4true\x85R", QB_ERR_UNSUPPORTED, "asks for posix.system");
    ASSERT_FAILS("ctorch\nload\n", QB_ERR_UNSUPPORTED, "asks for torch.load");
    ASSERT_FAILS("ctorch\nHalfStorage.__reduce__\n", QB_ERR_UNSUPPORTED, "asks for torch.Half");
    ASSERT_FAILS("c\n\n", QB_ERR_UNSUPPORTED, "asks for .,");
    ASSERT_FAILS("ccollections\0\nOrderedDict\n", QB_ERR_UNSUPPORTED, "asks for collections");
    /* STACK_GLOBAL, INST, OBJ, REDUCE by other ways, extension registry, persistent id as a line */
    ASSERT_FAILS("X\2\0\0\0osX\6\0\0\0system\x93", QB_ERR_UNSUPPORTED, "opcode 0x93 is none");
    ASSERT_FAILS("(X\4\0\0\0truei__builtin__\neval\n", QB_ERR_UNSUPPORTED, "opcode 0x69 is none");
    ASSERT_FAILS("(cos\nsystem\no", QB_ERR_UNSUPPORTED, "asks for os.system");
    ASSERT_FAILS("(ccollections\nOrderedDict\no", QB_ERR_UNSUPPORTED, "opcode 0x6f is none");
    ASSERT_FAILS("\x82\1", QB_ERR_UNSUPPORTED, "opcode 0x82 is none");
    ASSERT_FAILS("Pstorage\n", QB_ERR_UNSUPPORTED, "opcode 0x50 is none");
    ASSERT_FAILS("ccollections\nOrderedDict\n)}\x92", QB_ERR_UNSUPPORTED, "opcode 0x92 is none");
    /* calls of what is allowed, but not callable, or not so */
    ASSERT_FAILS("ctorch\nHalfStorage\n)R", QB_ERR_UNSUPPORTED, "calls torch.HalfStorage");
    ASSERT_FAILS("ctorch\nfloat16\n)R", QB_ERR_UNSUPPORTED, "not a function: refused");
    ASSERT_FAILS("ctorch\nTensor\n)\x81", QB_ERR_UNSUPPORTED, "not a function: refused");
    ASSERT_FAILS("X\4\0\0\0"
                 "eval)R",
                 QB_ERR_UNSUPPORTED, "not a function: refused");
    ASSERT_FAILS("ccollections\nOrderedDict\n]R", QB_ERR_UNSUPPORTED, "not a function");
    ASSERT_FAILS("ccollections\nOrderedDict\nK\1\x85R", QB_ERR_UNSUPPORTED, "not made empty");
    ASSERT_FAILS("ctorch._utils\n_rebuild_parameter\n)R", QB_ERR_FORMAT, "another argument");
    ASSERT_FAILS("ctorch._utils\n_rebuild_parameter\nN\x85R", QB_ERR_FORMAT, "another argument");
    ASSERT_FAILS("ctorch\nSize\nK\1\x85R", QB_ERR_FORMAT, "another argument");
    ASSERT_FAILS("ctorch._utils\n_rebuild_tensor_v2\n)R", QB_ERR_FORMAT, "a tensor is not made of");
    ASSERT_FAILS("ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR", QB_ERR_FORMAT, "a tensor is not");
    ASSERT_FAILS("NQ", QB_ERR_FORMAT, "a persistent id is not one of a storage");
    ASSERT_FAILS("(X\7\0\0\0storageccollections\nOrderedDict\nNNK\1tQ", QB_ERR_FORMAT,
                 "a persistent id is not one of a storage");
    ASSERT_FAILS("N}b", QB_ERR_UNSUPPORTED, "gives attributes to something else than a dict");
    ASSERT_FAILS("}Nb", QB_ERR_UNSUPPORTED, "gives attributes to something else than a dict");
}

static void damaged_opcodes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *opcodes;
        size_t n;
        const char *message;
    } cases[] = {
        {BYTES("X\xff\xff\xff\xff"), "ends too early"}, /* a text of 4 GiB */
        {BYTES("X\0\0\0\x80"), "ends too early"},
        {BYTES("U\xff"), "ends too early"},
        {BYTES("\x8a\xff"), "more than 64 bits"},
        {BYTES("\x8a\x09"
               "123456789"),
         "more than 64 bits"},
        {BYTES("G1234"), "ends too early"},
        {BYTES("cno newline"), "a name does not end"},
        {BYTES("t"), "the stack has no mark"},
        {BYTES("u"), "the stack has no mark"},
        {BYTES("\x87"), "the stack is empty"},
        {BYTES("(\x85"), "the stack is empty"},
        {BYTES("(q\0"), "the stack is empty"},
        {BYTES("(R"), "the stack is empty"},
        {BYTES("(Q"), "the stack is empty"},
        {BYTES("(b"), "the stack is empty"},
        {BYTES("h\x50"), "nothing was remembered there"},
        {BYTES("j\xff\xff\xff\xff"), "nothing was remembered there"},
        {BYTES("Nr\xff\xff\xff\xff"), "too much is to be remembered"},
        {BYTES("Nr\0\x02\0\0"), "too much is to be remembered"},
        {BYTES("(Ns"), "there is no container to fill"},
        {BYTES("NNs"), "there is no container to fill"},
        {BYTES("]NNs"), "there is no container to fill"},
        {BYTES("}Na"), "there is no container to fill"},
        {BYTES("}(Ns"), "the stack is empty"},
        {BYTES("](a"), "the stack is empty"},
        {BYTES("}(Nu"), "a key has no value"},
        {BYTES("NN(e"), "there is no container to fill"},
        {BYTES("]]"), "values are left over"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pickle pickle = {.n = 0};
        PICKLE_ADD(&pickle, "\x80\x02");
        pickle_add(&pickle, cases[i].opcodes, cases[i].n);
        PICKLE_ADD(&pickle, ".");
        QbCheckpoint *checkpoint;
        QbStatus status = open_pickle(&checkpoint, &pickle);
        if ((status != QB_ERR_FORMAT && status != QB_ERR_LIMIT) ||
            !strstr(qb_last_error(), cases[i].message))
            fail_msg("case %zu: %d \"%s\"", i, status, qb_last_error());
    }
}

static void other_values_are_skipped_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *opcodes;
        size_t n;
        const char *message; /* NULL: skipped */
    } cases[] = {
        {BYTES("N"), NULL},
        {BYTES("\x88"), NULL},
        {BYTES("J\xff\xff\xff\xff"), NULL},
        {BYTES("G\x3f\xf0\0\0\0\0\0\0"), NULL},
        {BYTES("U\2hi"), NULL},
        {BYTES("ctorch\nfloat16\n"), NULL},
        {BYTES("ctorch.serialization\n_get_layout\nU\1x\x85R"), NULL},
        {BYTES("\x8f"), NULL},
        {BYTES("}"), "holds a dict under \"k\""},
        {BYTES("]"), "under \"k\" is neither a tensor nor"},
        {BYTES(")"), "under \"k\" is neither a tensor nor"},
        {BYTES("h\x63"), "holds a dict under \"k\""}, /* the dict itself */
        {BYTES("ctorch\nSize\n"), "under \"k\" is neither a tensor nor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pickle pickle = {.n = 0};
        PICKLE_ADD(&pickle, "\x80\x02}q\x63(X\x01\0\0\0k");
        pickle_add(&pickle, cases[i].opcodes, cases[i].n);
        pickle_text(&pickle, "t");
        pickle_tensor(&pickle, &spec);
        PICKLE_ADD(&pickle, "u.");
        QbCheckpoint *checkpoint;
        QbStatus status = open_pickle(&checkpoint, &pickle);
        if (cases[i].message) {
            assert_failure(status, QB_ERR_UNSUPPORTED, cases[i].message);
            continue;
        }
        if (status)
            fail_msg("case %zu: %s", i, qb_last_error());
        assert_int_equal(qb_checkpoint_tensor_count(checkpoint), 1);
        qb_checkpoint_close(&checkpoint);
    }
    Pickle pickle = {.n = 0};
    PICKLE_ADD(&pickle, "\x80\x02}K\1");
    pickle_tensor(&pickle, &spec);
    PICKLE_ADD(&pickle, "s.");
    assert_pickle_fails(&pickle, QB_ERR_UNSUPPORTED, "a key of its dict is not a text");
    pickle.n = 0;
    pickle_tensor(&pickle, &spec);
    PICKLE_ADD(&pickle, ".");
    assert_pickle_fails(&pickle, QB_ERR_UNSUPPORTED, "something else than a dict of tensors");
}

static void names_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *opcodes;
        size_t n;
        QbStatus status;
        const char *message;
    } cases[] = {
        {BYTES("U\0"), QB_ERR_LIMIT, "the name of a tensor has 0 bytes"},
        {BYTES("U\3a\0b"), QB_ERR_FORMAT, "has a NUL inside"},
        {BYTES("U\2ab"), QB_OK, ""},
    };
    for (size_t i = 0; i < 3; i++)
        for (int twice = 0; twice < 2; twice++) {
            Pickle pickle = {.n = 0};
            PICKLE_ADD(&pickle, "}(");
            for (int k = 0; k <= twice; k++) {
                pickle_add(&pickle, cases[i].opcodes, cases[i].n);
                pickle_tensor(&pickle, &spec);
            }
            PICKLE_ADD(&pickle, "u.");
            QbCheckpoint *checkpoint;
            QbStatus status = open_pickle(&checkpoint, &pickle);
            if (cases[i].status || twice)
                assert_failure(status, cases[i].status ? cases[i].status : QB_ERR_FORMAT,
                               cases[i].status ? cases[i].message : "tensor ab is there twice");
            else
                assert_int_equal(status, QB_OK);
            qb_checkpoint_close(&checkpoint);
        }
}

/* ---- bombs ----------------------------------------------------------------------------------- */

/* An archive of one large pickle: `start`, then `repeated` up to `bytes` in all, then the end. */
static QbStatus open_bomb(QbCheckpoint **out, const Pickle *start, const char *repeated, size_t n,
                          size_t bytes)
{
    uint8_t *file = malloc(bytes + 1024);
    assert_non_null(file);
    ZipBuild tail = {0};
    static const uint8_t local[30] = {'P', 'K', 3, 4};
    size_t at = 0;
    memcpy(file, local, sizeof local);
    memcpy(file + sizeof local, values, sizeof values);
    const size_t pickle_at = sizeof local + sizeof values;
    memcpy(file + pickle_at, local, sizeof local);
    uint8_t *pickle = file + pickle_at + sizeof local;
    memcpy(pickle, start->bytes, start->n);
    for (at = start->n; at + n <= bytes; at += n)
        memcpy(pickle + at, repeated, n);
    pickle[at++] = '.';
    zip_central(&tail, &(ZipBuildEntry){.name = "p/data/0", .size = sizeof values}, 0);
    zip_central(&tail, &(ZipBuildEntry){.name = "p/data.pkl", .size = at}, pickle_at);
    const size_t size = tail.n, directory = pickle_at + sizeof local + at;
    zip_bytes(&tail, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    zip_number(&tail, size, 4);
    zip_number(&tail, directory, 4);
    zip_number(&tail, 0, 2);
    memcpy(file + directory, tail.bytes, tail.n);
    QbStatus status = open_bytes(out, file, directory + tail.n);
    free(file);
    return status;
}

static void bombs_stay_small(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        size_t start_n;
        const char *repeated;
        size_t n;
    } cases[] = {
        {BYTES("\x80\x02"), BYTES("N")},                         /* values */
        {BYTES("\x80\x02"), BYTES("(")},                         /* marks */
        {BYTES("\x80\x02]"), BYTES(")a")},                       /* empty tuples */
        {BYTES("\x80\x02)"), BYTES("\x85")},                     /* one in another */
        {BYTES("\x80\x02]q\0"), BYTES("h\0a")},                  /* a list in itself */
        {BYTES("\x80\x02]"), BYTES("]q\0h\0h\0a")},              /* many lists in themselves */
        {BYTES("\x80\x02}"), BYTES("NNs")},                      /* pairs */
        {BYTES("\x80\x02"), BYTES("Nq\0q\1q\2q\3((((tttt\x86")}, /* all sorts */
        {BYTES("\x80\x02}"), BYTES("Nccollections\nOrderedDict\n)R}bs")},
    };
    struct rusage usage;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pickle start = {.n = 0};
        QbCheckpoint *checkpoint;
        pickle_add(&start, cases[i].start, cases[i].start_n);
        uint64_t before = qb_mem_allocation_count();
        QbStatus status = open_bomb(&checkpoint, &start, cases[i].repeated, cases[i].n, 4 << 20);
        assert_true(status == QB_ERR_LIMIT || status == QB_ERR_UNSUPPORTED);
        assert_true(qb_mem_allocation_count() - before < 3u << 20);
    }
    getrusage(RUSAGE_SELF, &usage);
    assert_true(usage.ru_maxrss < 1 << 20); /* KiB; with the sanitizers' own */
}

/* One tensor and one long name, remembered, and put into the dict again and again: five bytes of
 * pickle each, a kilobyte of name. */
static void remembered_names_stay_small(void **state)
{
    (void)state;
    Pickle start = {.n = 0};
    char name[1025];
    QbCheckpoint *checkpoint;
    memset(name, 'n', 1024);
    name[1024] = 0;
    PICKLE_ADD(&start, "}");
    pickle_text(&start, name);
    PICKLE_ADD(&start, "q\1");
    pickle_tensor(&start, &spec);
    PICKLE_ADD(&start, "q\2s");
    assert_failure(open_bomb(&checkpoint, &start, BYTES("h\1h\2s"), 1 << 20), QB_ERR_LIMIT,
                   "the checkpoint has more than 100000 tensors");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    assert_true(usage.ru_maxrss < 1 << 20);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    Pickle pickle = {.n = 0};
    int fd;
    PICKLE_ADD(&pickle, "}(");
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        pickle_text(&pickle, name);
        pickle_tensor(&pickle, &spec);
    }
    PICKLE_ADD(&pickle, "u.");
    ZipBuild zip = {0};
    zip_add(&zip, "p/data.pkl", pickle.bytes, pickle.n);
    zip_add(&zip, "p/data/0", values, sizeof values);
    zip_finish(&zip);
    assert_allocations_may_fail(memory_file(&fd, zip.bytes, zip.n), 100);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_called),
        cmocka_unit_test(damaged_opcodes_are_refused),
        cmocka_unit_test(other_values_are_skipped_or_refused),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(bombs_stay_small),
        cmocka_unit_test(remembered_names_stay_small),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
