/* test_video_damage.c: videos that are cut off or hold flipped bytes end, with what could be read
 * and a word about the rest; running out of memory leaves nothing behind; a long video through a
 * pipe needs no more memory than a short one. Built with sanitizers too. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/video/video_test.h"

enum { N_CUTS = 40, N_FLIPS = 60 };

static char path[] = "/tmp/qboost_damage_XXXXXX";
static int file;

static int set_up(void **state)
{
    file = mkstemp(path);
    return file < 0 || set_up_modules(state);
}

static int tear_down(void **state)
{
    (void)state;
    return close(file) || unlink(path);
}

static void put_file(const uint8_t *data, size_t size)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, data, size, 0), (long)size);
}

/* Same numbers on every machine. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Reads the file to its end, which must come, and holds what comes out for sound. */
static QbStatus read_damaged(Seen *got, Way way)
{
    QbVideoOptions options = video_options(QB_SAMPLE_EVERY, 3);
    got->n = 0;
    got->damage[0] = 0;
    alarm(60); /* a hang ends the program */
    QbStatus status = see_video(got, path, way, &options);
    alarm(0);
    if (status && (status > 0 || !*qb_last_error()))
        fail_msg("status %d, \"%s\"", status, qb_last_error());
    for (int i = 0; i < got->n; i++)
        assert_true(got->frames[i].index % 3 == 0 &&
                    (!i || got->frames[i].index > got->frames[i - 1].index));
    return status;
}

static bool is_one_of(const SeenFrame *frame, const Seen *all)
{
    return frame->index < all->n && all->frames[frame->index].crc == frame->crc;
}

/* ---- cut off --------------------------------------------------------------------------------- */

/* Cut at N_CUTS places. What comes out in front of the cut is what the whole video has there; of
 * those that end early, n_said say so. */
static void cut(const char *name, int *n_opened, int *n_said)
{
    static Seen all, got;
    char golden[256];
    size_t size;
    snprintf(golden, sizeof golden, VIDEOS "%s", name);
    uint8_t *data = file_bytes(&size, golden);
    read_expected(&all, name);
    int n_before = 0;
    *n_opened = *n_said = 0;
    for (int i = 0; i < N_CUTS; i++) {
        put_file(data, size * (size_t)(2 * i + 1) / (2 * N_CUTS));
        if (read_damaged(&got, i % 2 ? BY_PIPE : BY_PATH))
            continue;
        (*n_opened)++;
        *n_said += got.damage[0] != 0;
        /* the last ones may lack what they refer to */
        for (int k = 0; k + 2 < got.n; k++)
            if (!is_one_of(&got.frames[k], &all))
                fail_msg("%s cut at %d of %d: frame %lld", name, i, N_CUTS,
                         (long long)got.frames[k].index);
        assert_true(got.n >= n_before);
        n_before = got.n;
    }
    assert_true(n_before * 3 >= all.n - 6);
    qb_free(data);
}

static void test_cut_streams(void **state)
{
    (void)state;
    const char *names[] = {"mpegts.ts", "opengop.ts", "ntsc.mkv", "vp9.webm", "raw.y4m"};
    int n_opened, n_said;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cut(names[i], &n_opened, &n_said);
        if (n_opened < N_CUTS / 2)
            fail_msg("%s: %d of %d cut files give frames", names[i], n_opened, N_CUTS);
    }
}

/* With the index in front the length is known, and that something is missing. */
static void test_cut_behind_the_index(void **state)
{
    (void)state;
    static Seen got;
    int n_opened, n_said;
    size_t size;
    cut("h264.mp4", &n_opened, &n_said);
    if (n_opened < N_CUTS / 2 || n_said < n_opened - 2) /* a cut in the last frames may go unseen */
        fail_msg("%d cut files give frames, %d say that they are short", n_opened, n_said);
    uint8_t *data = file_bytes(&size, VIDEOS "h264.mp4");
    put_file(data, size / 2);
    qb_free(data);
    assert_int_equal(read_damaged(&got, BY_PATH), QB_OK);
    if (!strstr(got.damage, "ends at 1.") || !strstr(got.damage, " s of 3.0 s"))
        fail_msg("\"%s\"", got.damage);
}

static void test_cut_before_the_index(void **state)
{
    (void)state;
    const char *names[] = {"mpeg4.mp4", "av1.mp4", "prores.mov"};
    static Seen got;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        char golden[256];
        size_t size;
        snprintf(golden, sizeof golden, VIDEOS "%s", names[n]);
        uint8_t *data = file_bytes(&size, golden);
        for (int i = 0; i < N_CUTS; i++) {
            put_file(data, 1 + (size - 2) * (size_t)i / N_CUTS);
            if (read_damaged(&got, i % 2 ? BY_PIPE : BY_PATH) == QB_OK)
                assert_true(i > N_CUTS / 2); /* only the end of the index is missing */
        }
        qb_free(data);
    }
}

/* ---- flipped bytes --------------------------------------------------------------------------- */

static void test_flipped_bytes(void **state)
{
    (void)state;
    const char *names[] = {"mpeg4.mp4", "mpegts.ts", "h264.mp4",   "hevc.mp4",    "vp9.webm",
                           "av1.mp4",   "ntsc.mkv",  "prores.mov", "editlist.mp4"};
    static Seen got;
    uint32_t random = 20261124;
    int n_read = 0, n_said = 0, n_failed = 0;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        char golden[256];
        size_t size;
        snprintf(golden, sizeof golden, VIDEOS "%s", names[n]);
        uint8_t *data = file_bytes(&size, golden), *copy = file_bytes(&size, golden);
        for (int i = 0; i < N_FLIPS; i++) {
            memcpy(copy, data, size);
            int n_flips = 1 << next_random(&random) % 7;
            /* every third in the head, where sizes and counts are */
            size_t span = i % 3 ? size : size / 10;
            for (int k = 0; k < n_flips; k++)
                copy[next_random(&random) % span] ^= (uint8_t)(1 + next_random(&random) % 255);
            put_file(copy, size);
            QbStatus status = read_damaged(&got, i % 4 ? BY_PATH : BY_PIPE);
            n_failed += status != 0;
            n_read += !status;
            n_said += !status && got.damage[0];
        }
        qb_free(copy);
        qb_free(data);
    }
    print_message("%d read, of these %d with a word about damage; %d refused\n", n_read, n_said,
                  n_failed);
    assert_true(n_read > n_failed && n_said > n_read / 4);
}

/* A packet in the middle of a transport stream that is lost takes no frame behind the next key
 * frame with it, and no index changes. */
static void test_a_hole(void **state)
{
    (void)state;
    static Seen all, got;
    size_t size;
    uint8_t *data = file_bytes(&size, VIDEOS "mpegts.ts");
    read_expected(&all, "mpegts.ts");
    size_t at = size / 2 / 188 * 188;
    memset(data + at + 20, 0, 160); /* inside a packet's payload */
    put_file(data, size);
    qb_free(data);
    assert_int_equal(read_damaged(&got, BY_PATH), QB_OK);
    assert_true(got.damage[0]);
    assert_true(got.n > all.n / 3 / 2);
    int n_wrong = 0;
    for (int i = 0; i < got.n; i++)
        n_wrong += !is_one_of(&got.frames[i], &all);
    assert_true(n_wrong <= 5);
    assert_int_equal(got.info.n_frames, all.n);
    assert_true(got.frames[got.n - 1].index == 48 && is_one_of(&got.frames[got.n - 1], &all));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void test_running_out_of_memory(void **state)
{
    (void)state;
    const char *names[] = {"h264.mp4", "mpeg4.mp4"}; /* the second is spooled */
    static Seen got;
    QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        char golden[256];
        snprintf(golden, sizeof golden, VIDEOS "%s", names[n]);
        uint64_t start = qb_mem_allocation_count();
        assert_int_equal(see_video(&got, golden, BY_PIPE, &options), QB_OK);
        int n_allocations = (int)(qb_mem_allocation_count() - start);
        assert_in_range(n_allocations, 3, 1000);
        for (int i = 1; i <= n_allocations; i++) {
            qb_mem_fail_after(i);
            QbStatus status = see_video(&got, golden, BY_PIPE, &options);
            qb_mem_fail_after(0);
            assert_int_equal(status, QB_ERR_NOMEM);
        }
    }
}

static long resident_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld kB", &kb) == 1)
            break;
    fclose(status);
    return kb;
}

enum { LONG_SIDE = 16, LONG_FPS = 25, LONG_S = 1200 };
#ifdef __SANITIZE_ADDRESS__ /* keeps what was freed for a while */
enum { MAX_GROWTH_KB = 64 << 10 };
#else
enum { MAX_GROWTH_KB = 2 << 10 };
#endif

/* A video of LONG_S seconds, made as it is read. */
static void *feed_long(void *user)
{
    Feeder *feeder = user;
    uint8_t frame[6 + LONG_SIDE * LONG_SIDE * 3 / 2] = "FRAME\n";
    FILE *out = fdopen(feeder->out, "w");
    fprintf(out, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", LONG_SIDE, LONG_SIDE, LONG_FPS);
    for (int i = 0; i < LONG_S * LONG_FPS; i++) {
        memset(frame + 6, i / LONG_FPS % 200 + 20, LONG_SIDE * LONG_SIDE);
        memset(frame + 6 + LONG_SIDE * LONG_SIDE, 128, LONG_SIDE * LONG_SIDE / 2);
        if (fwrite(frame, sizeof frame, 1, out) != 1)
            break;
    }
    fclose(out);
    return NULL;
}

static void test_memory_is_constant(void **state)
{
    (void)state;
    Feeder feeder;
    QbVideo *video;
    QbImage *image;
    QbFrame frame;
    QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
    long early_kb = 0;
    int n = 0;
    start_feeding(&feeder, NULL, feed_long);
    if (qb_video_open_fd(&video, feeder.in, "long", &options))
        fail_msg("%s", qb_last_error());
    for (;; n++) {
        if (qb_video_next(&image, &frame, video))
            fail_msg("%s", qb_last_error());
        if (!image)
            break;
        assert_int_equal(frame.index, n * LONG_FPS);
        /* each second has its own grey: 16 to 235 are black and white */
        int luma = n % 200 + 20, grey = (int)((luma - 16) * 255.0 / 219 + 0.5);
        assert_in_range(image->pixels[0] + 1, grey, grey + 2);
        qb_image_free(&image);
        if (n == LONG_S / 10)
            early_kb = resident_kb();
    }
    assert_int_equal(n, LONG_S);
    assert_null(qb_video_damage(video));
    long late_kb = resident_kb();
    if (late_kb > early_kb + MAX_GROWTH_KB)
        fail_msg("%ld kB after a tenth, %ld kB at the end", early_kb, late_kb);
    qb_video_close(&video);
    stop_feeding(&feeder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_streams),
        cmocka_unit_test(test_cut_behind_the_index),
        cmocka_unit_test(test_cut_before_the_index),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_a_hole),
        cmocka_unit_test(test_running_out_of_memory),
        cmocka_unit_test(test_memory_is_constant),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
