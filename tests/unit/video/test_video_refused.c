/* test_video_refused.c: what is no video, or may not be opened as one, and what the sentence says:
 * pictures, sound, playlists that name other files, sizes and options past their limits. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/video/video_test.h"

#include <sys/stat.h>

static char folder[] = "/tmp/qboost_refused_XXXXXX";

static int set_up(void **state)
{
    return set_up_modules(state) || !mkdtemp(folder);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void assert_refused(const char *path, QbStatus status, const char *words)
{
    QbVideo *video = (QbVideo *)(void *)folder;
    assert_fails(qb_video_open(&video, path, NULL), status, words);
    assert_null(video);
    if (!strstr(qb_last_error(), path))
        fail_msg("\"%s\" does not name the file", qb_last_error());
}

/* A file of these bytes, by its path and through a pipe. */
static void refuse_bytes(const void *data, size_t size, QbStatus status, const char *words)
{
    char path[128];
    static Seen got;
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    assert_refused(path, status, words);
    QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
    assert_fails(see_video(&got, path, BY_PIPE, &options), status, words);
    unlink(path);
}

static void refuse_text(const char *text, QbStatus status, const char *words)
{
    refuse_bytes(text, strlen(text), status, words);
}

static void test_not_a_file(void **state)
{
    (void)state;
    assert_refused("/nonexistent.mp4", QB_ERR_IO, "No such file");
    assert_refused(folder, QB_ERR_IO, "is a folder");
    refuse_text("", QB_ERR_FORMAT, "is empty");
}

static void test_not_a_video(void **state)
{
    (void)state;
    const char *known = "not a video in a format that is known here";
    refuse_text("This is a text, and not a video at all.\n", QB_ERR_FORMAT, known);
    refuse_text("x", QB_ERR_FORMAT, known);
    char text[20000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 60 ? (char)('a' + i * i % 26) : '\n';
    refuse_bytes(text, sizeof text, QB_ERR_FORMAT, known);
    assert_refused("tests/golden/images/rgb8.png", QB_ERR_UNSUPPORTED, "is a picture");
    assert_refused("tests/golden/images/rgb8.png", QB_ERR_UNSUPPORTED, "qboost score");
    assert_refused("tests/golden/images/420.jpg", QB_ERR_UNSUPPORTED, "is a picture");
    assert_refused("tests/golden/images/animated.gif", QB_ERR_UNSUPPORTED, "is a picture");
    assert_refused("tests/golden/images/rgb.avif", QB_ERR_UNSUPPORTED, "is a picture");
}

static void test_sound(void **state)
{
    (void)state;
    assert_refused(VIDEOS "audio.m4a", QB_ERR_UNSUPPORTED, "has no video");
    assert_refused(VIDEOS "cover.m4a", QB_ERR_UNSUPPORTED, "has no video, only a cover picture");
    assert_refused(VIDEOS "cover.mp3", QB_ERR_UNSUPPORTED, "its format, mp3, is not one");
}

/* What FFmpeg would follow to other files. */
static void test_files_that_name_others(void **state)
{
    (void)state;
    char text[PATH_MAX + 256], clip[PATH_MAX];
    assert_non_null(realpath(VIDEOS "mpegts.ts", clip));
    snprintf(text, sizeof text,
             "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n%s\n"
             "#EXT-X-ENDLIST\n",
             clip);
    refuse_text(text, QB_ERR_UNSUPPORTED, "its format, hls, is not one");
    snprintf(text, sizeof text, "ffconcat version 1.0\nfile %s\n", clip);
    refuse_text(text, QB_ERR_UNSUPPORTED, "its format, concat, is not one");
    snprintf(text, sizeof text,
             "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
             "profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period><BaseURL>%s"
             "</BaseURL></Period></MPD>",
             clip);
    static Seen got;
    QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
    char path[128];
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_true(see_video(&got, path, BY_PATH, &options) < 0);
    unlink(path);
}

static void test_cut_off(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = file_bytes(&size, VIDEOS "mpeg4.mp4"); /* its index is at the end */
    refuse_bytes(data, size / 2, QB_ERR_FORMAT, "cut off before its index (moov)");
    qb_free(data);
}

static void test_limits(void **state)
{
    (void)state;
    QbVideo *video;
    QbVideoOptions options = video_options(QB_SAMPLE_RATE, 1);
    options.max_pixels = 96 * 64 - 1;
    assert_fails(qb_video_open(&video, VIDEOS "h264.mp4", &options), QB_ERR_LIMIT,
                 "frames of 96 x 64 pixels, the limit is 6143 pixels");
    options.max_pixels++;
    assert_int_equal(qb_video_open(&video, VIDEOS "h264.mp4", &options), QB_OK);
    qb_video_close(&video);
    qb_video_close(&video);
    qb_video_close(NULL);
}

static void test_options(void **state)
{
    (void)state;
    QbVideo *video;
    QbVideoOptions bad[9];
    for (int i = 0; i < 9; i++)
        qb_video_options_init(&bad[i]);
    bad[0].rate = 0;
    bad[1].rate = -1.0 / 0.0;
    bad[2].rate = 0.0 / 0.0;
    bad[3].count = 0;
    bad[4].every = -3;
    bad[5].threads = -1;
    bad[6].max_pixels = 0;
    bad[7].size--;
    bad[8].sampling = (QbSampling)7;
    for (int i = 0; i < 9; i++) {
        assert_int_equal(qb_video_open(&video, VIDEOS "h264.mp4", &bad[i]), QB_ERR_ARG);
        assert_null(video);
    }
    assert_int_equal(qb_video_open(NULL, VIDEOS "h264.mp4", NULL), QB_ERR_ARG);
    assert_int_equal(qb_video_open(&video, NULL, NULL), QB_ERR_ARG);
    assert_int_equal(qb_video_open_fd(&video, -1, NULL, NULL), QB_ERR_IO);
    QbImage *image;
    QbFrame frame;
    assert_int_equal(qb_video_next(&image, &frame, NULL), QB_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_a_file), cmocka_unit_test(test_not_a_video),
        cmocka_unit_test(test_sound),      cmocka_unit_test(test_files_that_name_others),
        cmocka_unit_test(test_cut_off),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
