/* test_video_colour.c: what becomes of colours, HDR and interlaced frames. Flat patches of known
 * codes (tests/golden/video/matrix_patches.py) are held against the standards' arithmetic, done
 * here in double and without tables. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/image/image_test.h"

#include <math.h>

#include "video/video.h"

#define VIDEOS "tests/golden/video/"

/* As in matrix_patches.py. */
static const double patches[8][3] = {{1, 1, 1},          {0.5, 0.5, 0.5}, {1, 0, 0},
                                     {0, 1, 0},          {0, 0, 1},       {0, 0, 0},
                                     {0.75, 0.58, 0.25}, {0.2, 0.4, 0.6}};

static const double WHITE = 203, GAMMA = 2.4;

typedef enum Transfer { SDR, PQ, HLG } Transfer;

typedef struct Clip {
    const char *file;
    double kr, kb; /* of the matrix; 0 = RGB */
    bool is_full, is_grey, is_wide;
    int bits;
    Transfer transfer;
    int tolerance;
} Clip;

#define BT601 0.299, 0.114
#define BT709 0.2126, 0.0722
#define BT2020 0.2627, 0.0593

/* JPEG's quantisation costs a level. */
static const Clip clips[] = {
    {"matrix_601.mp4", BT601, false, false, false, 8, SDR, 1},
    {"matrix_709.mp4", BT709, false, false, false, 10, SDR, 1},
    {"matrix_none_small.mp4", BT601, false, false, false, 8, SDR, 1},
    {"matrix_none_large.mp4", BT709, false, false, false, 8, SDR, 1},
    {"matrix_rgb.mkv", 0, 0, true, false, false, 8, SDR, 0},
    {"matrix_2020.mp4", BT2020, false, false, true, 10, SDR, 1},
    {"range_full.mp4", BT709, true, false, false, 8, SDR, 1},
    {"range_jpeg.avi", BT601, true, false, false, 8, SDR, 2},
    {"range_gray.mkv", BT601, true, true, false, 10, SDR, 1},
    {"range_gray_limited.mp4", BT601, false, true, false, 8, SDR, 0},
    {"pq_patches.mp4", BT2020, false, false, true, 10, PQ, 1},
    {"hlg_patches.mp4", BT2020, true, false, true, 10, HLG, 1},
};

/* ---- the standards --------------------------------------------------------------------------- */

static double clamped(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* R'G'B' after being coded in whole numbers. */
static void through_codes(double out[3], const double rgb[3], const Clip *clip)
{
    double unit = 1 << (clip->bits - 8), top = (1 << clip->bits) - 1, kr = clip->kr, kb = clip->kb;
    if (!kr) {
        for (int k = 0; k < 3; k++)
            out[k] = nearbyint(rgb[k] * top) / top;
        return;
    }
    double y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
    double cb = (rgb[2] - y) / (2 - 2 * kb), cr = (rgb[0] - y) / (2 - 2 * kr);
    if (clip->is_full) {
        y = nearbyint(y * top) / top;
        cb = (fmin(nearbyint(cb * top + 128 * unit), top) - 128 * unit) / top;
        cr = (fmin(nearbyint(cr * top + 128 * unit), top) - 128 * unit) / top;
    } else {
        y = (nearbyint((16 + 219 * y) * unit) / unit - 16) / 219;
        cb = (nearbyint((128 + 224 * cb) * unit) / unit - 128) / 224;
        cr = (nearbyint((128 + 224 * cr) * unit) / unit - 128) / 224;
    }
    if (clip->is_grey)
        cb = cr = 0;
    out[0] = clamped(y + (2 - 2 * kr) * cr);
    out[2] = clamped(y + (2 - 2 * kb) * cb);
    out[1] =
        clamped((y - kr * (y + (2 - 2 * kr) * cr) - kb * (y + (2 - 2 * kb) * cb)) / (1 - kr - kb));
}

/* SMPTE ST 2084, cd/m2. */
static double pq_to_light(double e)
{
    double p = pow(e, 1 / 78.84375);
    return 10000 * pow(fmax(p - 0.8359375, 0) / (18.8515625 - 18.6875 * p), 1 / 0.1593017578125);
}

static double light_to_pq(double light)
{
    double y = pow(light / 10000, 0.1593017578125);
    return pow((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y), 78.84375);
}

/* BT.2100 table 5: the light of the scene. */
static double hlg_to_scene(double e)
{
    return e <= 0.5 ? e * e / 3 : (exp((e - 0.55991073) / 0.17883277) + 0.28466892) / 12;
}

/* BT.2390 section 5.4.1, black 0. */
static double tone_mapped(double light, double peak)
{
    double e = fmin(light_to_pq(light) / light_to_pq(peak), 1);
    double most = light_to_pq(WHITE) / light_to_pq(peak), knee = 1.5 * most - 0.5;
    double t = (e - knee) / (1 - knee);
    double p = (2 * t * t * t - 3 * t * t + 1) * knee + (t * t * t - 2 * t * t + t) * (1 - knee) +
               (-2 * t * t * t + 3 * t * t) * most;
    return e < knee ? light : pq_to_light(p * light_to_pq(peak));
}

static double most_of(const double v[3])
{
    return fmax(v[0], fmax(v[1], v[2]));
}

/* Display light, BT.2020, 1 = white, of R'G'B'. */
static void to_light(double light[3], const double rgb[3], Transfer transfer, double peak)
{
    for (int k = 0; k < 3; k++)
        light[k] = transfer == PQ    ? pq_to_light(rgb[k])
                   : transfer == HLG ? hlg_to_scene(rgb[k])
                                     : pow(rgb[k], GAMMA);
    if (transfer == SDR)
        return;
    double scene = 0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2];
    double ootf = transfer == HLG ? 1000 * pow(scene, 0.2) : 1;
    for (int k = 0; k < 3; k++)
        light[k] *= ootf;
    double most = most_of(light);
    for (int k = 0; k < 3 && most > 0; k++)
        light[k] *= tone_mapped(most, peak) / WHITE / most;
}

/* To BT.709 (BT.2087's matrix), into its gamut, and into codes of 8 bits. */
static void narrowed(double out[3], const double in[3])
{
    static const double m[3][3] = {
        {1.6605, -0.5876, -0.0728}, {-0.1246, 1.1329, -0.0083}, {-0.0182, -0.1006, 1.1187}};
    double c[3];
    for (int k = 0; k < 3; k++)
        c[k] = m[k][0] * in[0] + m[k][1] * in[1] + m[k][2] * in[2];
    double grey = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    double least = fmin(c[0], fmin(c[1], c[2])), share = least < 0 ? grey / (grey - least) : 1;
    for (int k = 0; k < 3; k++)
        c[k] = fmax(grey + share * (c[k] - grey), 0);
    double most = fmax(most_of(c), 1);
    for (int k = 0; k < 3; k++)
        out[k] = 255 * pow(c[k] / most, 1 / GAMMA);
}

static void expected_patch(double out[3], int patch, const Clip *clip)
{
    double rgb[3], light[3];
    through_codes(rgb, patches[patch], clip);
    if (clip->is_wide) {
        to_light(light, rgb, clip->transfer, 1000);
        narrowed(out, light);
    } else {
        for (int k = 0; k < 3; k++)
            out[k] = 255 * rgb[k];
    }
}

/* ---- clips ----------------------------------------------------------------------------------- */

static QbVideo *opened(const char *file, QbDecode decode, int64_t every)
{
    char path[128];
    snprintf(path, sizeof path, VIDEOS "%s", file);
    QbVideoOptions options;
    qb_video_options_init(&options);
    options.sampling = QB_SAMPLE_EVERY;
    options.every = every;
    options.decode = decode;
    QbVideo *video;
    if (qb_video_open(&video, path, &options))
        fail_msg("%s", qb_last_error());
    return video;
}

static QbImage *next(QbVideo *video)
{
    QbImage *image;
    QbFrame frame;
    if (qb_video_next(&image, &frame, video))
        fail_msg("%s", qb_last_error());
    return image;
}

static QbImage *first_frame(const char *file, QbDecode decode)
{
    QbVideo *video = opened(file, decode, 1);
    QbImage *image = next(video);
    assert_non_null(image);
    qb_video_close(&video);
    return image;
}

/* Of a pixel's first sample. */
static const uint8_t *at(const QbImage *image, int x, int y)
{
    return qb_image_pixels(image) + 3 * ((ptrdiff_t)y * qb_image_width(image) + x);
}

static bool has_note(const QbVideo *video, const char *text)
{
    for (int i = 0; qb_video_note(video, i); i++)
        if (strstr(qb_video_note(video, i), text))
            return true;
    return false;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void patches_have_the_standards_colours(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        const Clip *clip = &clips[i];
        QbImage *image = first_frame(clip->file, QB_DECODE_MANAGED);
        int size = qb_image_width(image) / 4;
        for (int patch = 0; patch < 8; patch++) {
            const uint8_t *p = at(image, patch % 4 * size + size / 2, patch / 4 * size + size / 2);
            double expected[3];
            expected_patch(expected, patch, clip);
            for (int k = 0; k < 3; k++)
                if (fabs(p[k] - expected[k]) > clip->tolerance + 0.51)
                    fail_msg("%s, patch %d: %d %d %d, expected %.1f %.1f %.1f", clip->file, patch,
                             p[0], p[1], p[2], expected[0], expected[1], expected[2]);
        }
        qb_image_free(&image);
    }
}

/* HDR is tone-mapped for models that see what upstream sees, too; SDR colours are left alone. */
static void upstream_differs_as_documented(void **state)
{
    (void)state;
    static const char *const hdr[] = {"pq_patches.mp4", "hlg_patches.mp4"};
    for (int i = 0; i < 2; i++) {
        QbImage *managed = first_frame(hdr[i], QB_DECODE_MANAGED);
        QbImage *upstream = first_frame(hdr[i], QB_DECODE_UPSTREAM);
        size_t size = 3 * (size_t)qb_image_width(managed) * (size_t)qb_image_height(managed);
        assert_memory_equal(qb_image_pixels(managed), qb_image_pixels(upstream), size);
        qb_image_free(&managed);
        qb_image_free(&upstream);
    }
    QbVideo *video = opened("matrix_2020.mp4", QB_DECODE_UPSTREAM, 1);
    QbImage *image = next(video);
    const uint8_t *red = at(image, 40, 8);
    assert_true(red[0] > 250 && red[1] < 3 && red[2] < 3);
    assert_null(qb_video_note(video, 0));
    qb_image_free(&image);
    qb_video_close(&video);
}

/* From black to the end of the scale: grey, never falling, as BT.2390 says in every column. */
static void check_ramp(const char *file, Transfer transfer, double peak, int white_column,
                       int white_level)
{
    QbImage *image = first_frame(file, QB_DECODE_MANAGED);
    assert_int_equal(qb_image_width(image), 256);
    int last = 0;
    for (int x = 0; x < 256; x++) {
        const uint8_t *p = at(image, x, 8);
        double e = floor(876.0 * x / 255) / 876, light[3];
        to_light(light, (double[]){e, e, e}, transfer, peak);
        if (fabs(p[1] - 255 * pow(light[1], 1 / GAMMA)) > 1.51)
            fail_msg("%s, column %d: %d, expected %.1f", file, x, p[1],
                     255 * pow(light[1], 1 / GAMMA));
        assert_true(abs(p[0] - p[1]) <= 1 && abs(p[2] - p[1]) <= 1);
        assert_true(p[1] >= last);
        last = p[1];
    }
    assert_int_equal(at(image, 0, 8)[1], 0);
    assert_int_equal(last, 255);
    assert_in_range(at(image, white_column, 8)[1], white_level - 1, white_level + 1);
    qb_image_free(&image);
}

/* 203 cd/m2 is 58 % of PQ and 75 % of HLG. The ramp in PQ says that it ends at 4000 cd/m2. */
static void light_is_mapped_by_the_curve(void **state)
{
    (void)state;
    check_ramp("pq_ramp.mp4", PQ, 4000, 148, 210);
    check_ramp("hlg_ramp.mp4", HLG, 1000, 191, 229);
}

static void viewers_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *file, *note;
    } cases[] = {
        {"pq_patches.mp4", "HDR (PQ) was tone-mapped to SDR: BT.2390's curve from 1000 to 203"},
        {"pq_ramp.mp4", "from 4000 to 203"},
        {"hlg_patches.mp4", "HDR (HLG) was tone-mapped to SDR"},
        {"matrix_2020.mp4", "wide colours (bt2020) were converted to BT.709"},
        {"interlaced_tff.mp4", "deinterlaced"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        QbVideo *video = opened(cases[i].file, QB_DECODE_MANAGED, 1);
        for (int n = 0; n < 2; n++) {
            QbImage *image = next(video);
            qb_image_free(&image);
        }
        if (!has_note(video, cases[i].note) || qb_video_note(video, 1))
            fail_msg("%s: %s", cases[i].file, qb_video_note(video, 0));
        qb_video_close(&video);
    }
    QbVideo *video = opened("matrix_709.mp4", QB_DECODE_MANAGED, 1);
    QbImage *image = next(video);
    assert_null(qb_video_note(video, 0));
    qb_image_free(&image);
    qb_video_close(&video);
}

/* How far rows are from the mean of their neighbours, from column 56 on, where a bar moves. */
static double combing(const QbImage *image)
{
    double sum = 0;
    for (int y = 2; y < 62; y++)
        for (int x = 56; x < 96; x++)
            sum += abs(2 * *at(image, x, y) - *at(image, x, y - 1) - *at(image, x, y + 1));
    return sum / (60 * 40);
}

/* Left of column 48 a chequered pattern stands still. */
static int most_changed(const QbImage *a, const QbImage *b)
{
    int most = 0;
    for (int y = 2; y < 62; y++)
        for (int x = 0; x < 48; x++) {
            int d = abs(*at(a, x, y) - *at(b, x, y));
            most = d > most ? d : most;
        }
    return most;
}

/* MPEG-2's own noise, which the missing field does not share, is up to 8 levels. */
static void check_interlaced(const char *file, int n_frames, int tolerance)
{
    QbVideo *managed = opened(file, QB_DECODE_MANAGED, 1);
    QbVideo *upstream = opened(file, QB_DECODE_UPSTREAM, 1);
    int n = 0;
    for (QbImage *a = next(managed), *b = next(upstream); a || b;
         a = next(managed), b = next(upstream), n++) {
        assert_true(a && b);
        if (combing(b) < 15 || combing(a) > 1 || most_changed(a, b) > tolerance)
            fail_msg("%s, frame %d: combing %.2f, was %.2f; still parts changed by %d", file, n,
                     combing(a), combing(b), most_changed(a, b));
        qb_image_free(&a);
        qb_image_free(&b);
    }
    assert_int_equal(n, n_frames);
    qb_video_close(&managed);
    qb_video_close(&upstream);
}

static void interlaced_frames_become_whole(void **state)
{
    (void)state;
    check_interlaced("interlaced_tff.mp4", 50, 2);
    check_interlaced("interlaced_bff.ts", 16, 10);
}

static void deinterlacing_does_not_depend_on_skipping(void **state)
{
    (void)state;
    static const int steps[] = {5, 13, 19, 24};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        QbVideo *all = opened("interlaced_tff.mp4", QB_DECODE_MANAGED, 1);
        QbVideo *some = opened("interlaced_tff.mp4", QB_DECODE_MANAGED, steps[i]);
        QbImage *a, *b;
        for (int n = 0; (a = next(all)); n++) {
            if (n % steps[i] == 0) {
                b = next(some);
                assert_non_null(b);
                assert_memory_equal(qb_image_pixels(a), qb_image_pixels(b), 3 * 96 * 64);
                qb_image_free(&b);
            }
            qb_image_free(&a);
        }
        assert_null(next(some));
        qb_video_close(&all);
        qb_video_close(&some);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_have_the_standards_colours),
        cmocka_unit_test(upstream_differs_as_documented),
        cmocka_unit_test(light_is_mapped_by_the_curve),
        cmocka_unit_test(viewers_are_told),
        cmocka_unit_test(interlaced_frames_become_whole),
        cmocka_unit_test(deinterlacing_does_not_depend_on_skipping),
    };
    return cmocka_run_group_tests(tests, set_up_modules, NULL);
}
