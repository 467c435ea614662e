/* test_video.c: frames of videos: which, when, and their pixels, against what the ffmpeg and
 * ffprobe programs say (tests/golden/video); the same through pipes, with more threads, and
 * whatever is left out on the way. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/video/video_test.h"
#include "video/sample_frames.h"

#include <math.h>

typedef struct Sampling {
    QbSampling sampling;
    double value;
} Sampling;

static const Sampling samplings[] = {
    {QB_SAMPLE_EVERY, 1}, {QB_SAMPLE_RATE, 1},  {QB_SAMPLE_RATE, 2},   {QB_SAMPLE_RATE, 0.5},
    {QB_SAMPLE_RATE, 10}, {QB_SAMPLE_EVERY, 6}, {QB_SAMPLE_EVERY, 13}, {QB_SAMPLE_EVERY, 31},
    {QB_SAMPLE_COUNT, 1}, {QB_SAMPLE_COUNT, 4}, {QB_SAMPLE_COUNT, 7},  {QB_SAMPLE_COUNT, 1000},
};
enum { N_SAMPLINGS = sizeof samplings / sizeof samplings[0] };

/* Those of all frames that a sampling takes. */
static void sample(Seen *out, const Seen *all, const Sampling *sampling, double fps)
{
    QbSampler sampler;
    QbVideoOptions options = video_options(sampling->sampling, sampling->value);
    qb_sampler_init(&sampler, &options, fps, all->n);
    out->n = (int)qb_sampler_total(&sampler, all->n);
    for (int i = 0; i < out->n; i++) {
        int64_t index = qb_sampler_index(&sampler, i);
        assert_true(index < all->n);
        out->frames[i] = all->frames[index];
    }
}

/* Every sampling of one clip, given one way, is what it takes of all. */
static void check_samplings(const char *path, const Seen *all, double fps, Way way, bool may_skip,
                            int threads)
{
    static Seen got, want;
    qb_video_set_skipping(may_skip);
    for (int i = 0; i < N_SAMPLINGS; i++) {
        QbVideoOptions options = video_options(samplings[i].sampling, samplings[i].value);
        options.threads = threads;
        if (way == BY_PIPE && options.sampling == QB_SAMPLE_COUNT)
            continue;
        if (see_video(&got, path, way, &options))
            fail_msg("%s", qb_last_error());
        char what[256];
        snprintf(what, sizeof what, "%s, sampling %d by %g, %s, %s, %d threads", path,
                 (int)samplings[i].sampling, samplings[i].value, way == BY_PIPE ? "pipe" : "file",
                 may_skip ? "skipping" : "decoding all", threads);
        sample(&want, all, &samplings[i], fps);
        assert_same_frames(&got, &want, what);
        assert_string_equal(got.damage, "");
        if (got.info.n_frames >= 0 && samplings[i].sampling != QB_SAMPLE_RATE)
            assert_int_equal(got.info.n_wanted, want.n);
    }
    qb_video_set_skipping(true);
}

/* ---- golden clips ---------------------------------------------------------------------------- */

typedef struct Fact {
    const char *file, *container, *codec, *pixel_format;
    int width, height, rotation;
    double fps;
    double duration_s; /* < 0: not looked at */
} Fact;

static const char mov[] = "mp4";
static const Fact facts[] = {
    {"mpeg4.mp4", mov, "mpeg4", "yuv420p", 96, 64, 0, 25, 2},
    {"mpegts.ts", "mpegts", "mpeg2video", "yuv420p", 96, 64, 0, 25, 2},
    {"h264.mp4", mov, "h264", "yuv420p", 96, 64, 0, 25, 3},
    {"hevc.mp4", mov, "hevc", "yuv420p", 96, 64, 0, 25, 2},
    {"hevc10.mp4", mov, "hevc", "yuv420p10le", 64, 48, 0, 25, 2},
    {"vp9.webm", "matroska", "vp9", "yuv444p", 64, 48, 0, 24, 2},
    {"av1.mp4", mov, "av1", "yuv420p", 96, 64, 0, 25, 2},
    {"prores.mov", mov, "prores", "yuv422p10le", 64, 48, 0, 10, 1},
    {"raw.y4m", "yuv4mpegpipe", "rawvideo", "yuv420p", 32, 24, 0, 10, 1.2},
    {"vfr.mp4", mov, "h264", "yuv420p", 96, 64, 0, 325.0 / 21, 2.52},
    {"ntsc.mp4", mov, "h264", "yuv420p", 64, 48, 0, 30000.0 / 1001, 3.003},
    {"ntsc.mkv", "matroska", "h264", "yuv420p", 64, 48, 0, 30000.0 / 1001, 3.003},
    {"fragments.mp4", mov, "h264", "yuv420p", 64, 48, 0, 30000.0 / 1001, -1},
    {"opengop.ts", "mpegts", "h264", "yuv420p", 64, 48, 0, 24000.0 / 1001, 3.003},
    {"short.mp4", mov, "h264", "yuv420p", 64, 48, 0, 25, 0.52},
    {"editlist.mp4", mov, "h264", "yuv420p", 96, 64, 0, 25, 2.5},
    {"rotated90.mp4", mov, "h264", "yuv420p", 48, 64, 270, 25, 0.52},
    {"rotated270.mp4", mov, "h264", "yuv420p", 48, 64, 90, 25, 0.52},
};
enum { N_FACTS = sizeof facts / sizeof facts[0] };

static void test_facts(void **state)
{
    (void)state;
    for (int i = 0; i < N_FACTS; i++) {
        const Fact *fact = &facts[i];
        char path[256];
        QbVideo *video;
        QbVideoInfo info;
        snprintf(path, sizeof path, VIDEOS "%s", fact->file);
        if (qb_video_open(&video, path, NULL))
            fail_msg("%s", qb_last_error());
        qb_video_info(&info, video);
        if (strcmp(info.container, fact->container) || strcmp(info.codec, fact->codec) ||
            strcmp(info.pixel_format, fact->pixel_format))
            fail_msg("%s: %s %s %s", path, info.container, info.codec, info.pixel_format);
        if (info.width != fact->width || info.height != fact->height ||
            info.rotation != fact->rotation || info.fps != fact->fps ||
            !(fact->duration_s < 0 || fabs(info.duration_s - fact->duration_s) < 0.01))
            fail_msg("%s: %d x %d, turned by %d, %.9g fps, %.9g s", path, info.width, info.height,
                     info.rotation, info.fps, info.duration_s);
        qb_video_close(&video);
        assert_null(video);
    }
}

static void check_golden(Way way, bool may_skip, int threads)
{
    static Seen all;
    for (int i = 0; i < N_FACTS; i++) {
        char path[256];
        snprintf(path, sizeof path, VIDEOS "%s", facts[i].file);
        read_expected(&all, facts[i].file);
        assert_true(all.n > 0);
        check_samplings(path, &all, facts[i].fps, way, may_skip, threads);
    }
}

static void test_golden_decoding_all(void **state)
{
    (void)state;
    check_golden(BY_PATH, false, 1);
}

static void test_golden_skipping(void **state)
{
    (void)state;
    check_golden(BY_PATH, true, 1);
}

static void test_golden_threads(void **state)
{
    (void)state;
    check_golden(BY_PATH, true, 4);
}

static void test_golden_pipe(void **state)
{
    (void)state;
    check_golden(BY_PIPE, true, 1);
}

/* Clips that expected.csv does not have (their colours are tested elsewhere): the same frames
 * whatever the way. */
static void test_other_clips(void **state)
{
    (void)state;
    static Seen all;
    for (char **name = golden_clips(); *name; name++) {
        char path[512];
        QbVideoOptions options = video_options(QB_SAMPLE_EVERY, 1);
        read_expected(&all, *name);
        if (all.n)
            continue;
        snprintf(path, sizeof path, VIDEOS "%s", *name);
        qb_video_set_skipping(false);
        if (see_video(&all, path, BY_PATH, &options))
            fail_msg("%s", qb_last_error());
        check_samplings(path, &all, all.info.fps, BY_PATH, true, 1);
        check_samplings(path, &all, all.info.fps, BY_PATH, true, 4);
        check_samplings(path, &all, all.info.fps, BY_PIPE, true, 1);
    }
}

/* rotated270.mp4 and rotated90.mp4 hold the frames of short.mp4, to be turned clockwise by 90 and
 * 270 degrees. */
static void test_rotation_turns_pixels(void **state)
{
    (void)state;
    const char *paths[] = {VIDEOS "short.mp4", VIDEOS "rotated270.mp4", VIDEOS "rotated90.mp4"};
    for (int mode = QB_DECODE_MANAGED; mode <= QB_DECODE_UPSTREAM; mode++) {
        QbImage *images[3];
        QbFrame frame;
        for (int i = 0; i < 3; i++) {
            QbVideo *video;
            QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
            options.decode = (QbDecode)mode;
            assert_int_equal(qb_video_open(&video, paths[i], &options), QB_OK);
            assert_int_equal(qb_video_next(&images[i], &frame, video), QB_OK);
            qb_video_close(&video);
        }
        int width = images[0]->width, height = images[0]->height;
        assert_true(images[1]->width == height && images[1]->height == width);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                const uint8_t *p = images[0]->pixels + 3 * (y * width + x);
                int clockwise = x * height + height - 1 - y, other = (width - 1 - x) * height + y;
                assert_memory_equal(images[1]->pixels + 3 * clockwise, p, 3);
                assert_memory_equal(images[2]->pixels + 3 * other, p, 3);
            }
        for (int i = 0; i < 3; i++)
            qb_image_free(&images[i]);
    }
}

/* ---- pipes ----------------------------------------------------------------------------------- */

/* mpeg4.mp4 has its index at the end and goes through a temporary file, so that its frames can even
 * be counted; h264.mp4 is read as it comes. */
static void test_index_at_the_end(void **state)
{
    (void)state;
    static Seen all, got, want;
    QbVideoOptions options = video_options(QB_SAMPLE_COUNT, 4);
    read_expected(&all, "mpeg4.mp4");
    sample(&want, &all, &(Sampling){QB_SAMPLE_COUNT, 4}, 25);
    if (see_video(&got, VIDEOS "mpeg4.mp4", BY_PIPE, &options))
        fail_msg("%s", qb_last_error());
    assert_same_frames(&got, &want, "mpeg4.mp4, counted in a pipe");
    assert_fails(see_video(&got, VIDEOS "h264.mp4", BY_PIPE, &options), QB_ERR_UNSUPPORTED,
                 "needs a file, because a pipe does not say how many");
    const char *folder = getenv("TMPDIR");
    char *kept = folder ? strdup(folder) : NULL;
    setenv("TMPDIR", "/nonexistent", 1);
    options = video_options(QB_SAMPLE_RATE, 1);
    assert_fails(see_video(&got, VIDEOS "mpeg4.mp4", BY_PIPE, &options), QB_ERR_IO, "TMPDIR");
    assert_int_equal(see_video(&got, VIDEOS "h264.mp4", BY_PIPE, &options), QB_OK);
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

/* A descriptor is read from where it stands, and stands there still afterwards. */
static void test_inside_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/qboost_video_XXXXXX", junk[777];
    size_t size;
    uint8_t *data = file_bytes(&size, VIDEOS "ntsc.mp4");
    static Seen all, got;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    memset(junk, 7, sizeof junk);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    assert_int_equal(write(fd, data, size), (long)size);
    qb_free(data);
    assert_int_equal(lseek(fd, sizeof junk, SEEK_SET), sizeof junk);
    read_expected(&all, "ntsc.mp4");
    for (int round = 0; round < 2; round++) {
        QbVideo *video;
        QbVideoOptions options = video_options(QB_SAMPLE_EVERY, 1);
        if (qb_video_open_fd(&video, fd, "inside", &options) || see_frames(&got, video))
            fail_msg("%s", qb_last_error());
        qb_video_close(&video);
        assert_same_frames(&got, &all, "inside a file");
        assert_int_equal(lseek(fd, 0, SEEK_CUR), sizeof junk);
    }
    close(fd);
}

/* ---- real clips ------------------------------------------------------------------------------ */

typedef struct RealClip {
    const char *file;
    int n_frames;
    double fps;
} RealClip;

static void test_real_clips(void **state)
{
    (void)state;
    static const RealClip clips[] = {
        {"konvid1k_10053703034.mp4", 240, 29.97},
        {"konvid1k_8536919744.mp4", 192, 24},
        {"unlabelled_DOVER_FEQ-gdkTN4Q_000008_000018.mp4", 98, 10.009},
        {"unlabelled_imageio-binaries_cockatoo.mp4", 280, 20}, /* old 4:4:4 of x264 */
        {"unlabelled_imageio-binaries_realshort.mp4", 36, 45000.0 / 1499},
        {"unlabelled_vmaf_resource_Seeking_30_480_1050.mp4", 150, 25},
    };
    const char *shared = getenv("QB_SHARED");
    char path[PATH_MAX];
    static Seen want, got;
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        snprintf(path, sizeof path, "%s/data/video/%s", shared ? shared : "../shared",
                 clips[i].file);
        if (access(path, R_OK)) {
            print_message("skipped: no %s\n", path);
            skip();
        }
        QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
        options.threads = 2;
        qb_video_set_skipping(false);
        if (see_video(&want, path, BY_PATH, &options))
            fail_msg("%s", qb_last_error());
        qb_video_set_skipping(true);
        assert_true(want.info.fps == clips[i].fps && want.info.n_frames == clips[i].n_frames);
        assert_int_equal(want.n, clips[i].n_frames / clips[i].fps);
        for (int k = 0; k < want.n; k++)
            assert_int_equal(want.frames[k].index, clips[i].fps * k);
        options.threads = 0;
        for (Way way = BY_PATH; way <= BY_PIPE; way++) {
            if (see_video(&got, path, way, &options))
                fail_msg("%s", qb_last_error());
            assert_same_frames(&got, &want, path);
            assert_string_equal(got.damage, "");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_golden_decoding_all),
        cmocka_unit_test(test_golden_skipping),
        cmocka_unit_test(test_golden_threads),
        cmocka_unit_test(test_golden_pipe),
        cmocka_unit_test(test_other_clips),
        cmocka_unit_test(test_rotation_turns_pixels),
        cmocka_unit_test(test_index_at_the_end),
        cmocka_unit_test(test_inside_a_file),
        cmocka_unit_test(test_real_clips),
    };
    return cmocka_run_group_tests(tests, set_up_modules, NULL);
}
