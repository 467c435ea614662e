/* test_features_file.c: features of a reference judge as the reference does, the same fresh or from
 * a file; files are small, and damaged ones are refused. */
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/mem.h"
#include "tests/unit/noise/noise_pictures.h"

#include <stdio.h>
#include <unistd.h>

enum { SUM_BYTES = 4 };

static char path[] = "/tmp/qb-features-XXXXXX";

static uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void write_file(const uint8_t *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static QbNoiseFeatures *features_of(const QbImage *image, QbNoiseGrid grid)
{
    QbNoiseFeatures *features;
    assert_int_equal(qb_noise_features_new(&features, image, grid, 1), QB_OK);
    return features;
}

static void test_agreement(void **state)
{
    (void)state;
    QbImage *reference = made_scene(0, 0);
    QbNoiseFeatures *features = features_of(reference, FOUR);
    QbNoiseReport reduced, full;
    double squares = 0;
    expect_error(qb_noise_judge_features(&reduced, reference, features, 1), QB_ERR_ARG,
                 "the features were made of");
    for (int run = 0; run < 4; run++) {
        QbImage *image = made_scene(2 << run, (uint64_t)run + 1);
        QbNoisePair pair = {.image = image, .reference = reference};
        assert_int_equal(qb_noise_judge_features(&reduced, image, features, 1), QB_OK);
        assert_int_equal(qb_noise_judge_pair(&full, &pair, FOUR, 1), QB_OK);
        for (int z = 0; z < 16; z++) {
            double octaves = log2(reduced.zones[z].visibility / full.zones[z].visibility);
            squares += octaves * octaves / 64;
            assert_true(fabs(octaves) < 0.3);
        }
        qb_image_free(&image);
    }
    print_message("rms of %.3f octaves from the whole reference\n", sqrt(squares));
    assert_true(sqrt(squares) < 0.1);
    qb_noise_features_free(&features);
    qb_image_free(&reference);
}

static void check_round_trip(const QbImage *reference, const QbImage *image, QbNoiseGrid grid)
{
    QbNoiseFeatures *fresh = features_of(reference, grid), *read;
    QbNoiseReport a, b;
    QbFileMap map;
    int width, height;
    QbNoiseGrid read_grid;
    assert_int_equal(qb_noise_features_save(fresh, path), QB_OK);
    assert_int_equal(qb_noise_features_open(&read, path), QB_OK);
    qb_noise_features_size(read, &width, &height, &read_grid);
    assert_true(width == SIDE && height == SIDE);
    assert_true(read_grid.columns == grid.columns && read_grid.rows == grid.rows);
    assert_int_equal(qb_noise_judge_features(&a, image, fresh, 1), QB_OK);
    assert_int_equal(qb_noise_judge_features(&b, image, read, 3), QB_OK);
    assert_memory_equal(a.zones, b.zones, (size_t)(grid.columns * grid.rows) * sizeof *a.zones);
    assert_int_equal(qb_file_map(&map, path), QB_OK);
    assert_true(map.size <= (size_t)(grid.columns * grid.rows) * QB_NOISE_FEATURE_BYTES);
    qb_file_unmap(&map);
    qb_noise_features_free(&fresh);
    qb_noise_features_free(&read);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const QbNoiseGrid grids[] = {{1, 1}, {4, 4}, {12, 12}, {1, 12}, {5, 2}};
    QbImage *reference = made_scene(0, 0), *image = made_scene(4, 1);
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        check_round_trip(reference, image, grids[i]);
    qb_image_free(&reference);
    qb_image_free(&image);
}

static QbStatus open_bytes(const uint8_t *data, size_t n)
{
    QbNoiseFeatures *features = (void *)&features;
    write_file(data, n);
    QbStatus status = qb_noise_features_open(&features, path);
    assert_true((status == QB_OK) == (features != NULL));
    qb_noise_features_free(&features);
    return status;
}

/* Cut anywhere, with a byte too many, with any bit of a byte flipped. */
static void test_damage(void **state)
{
    (void)state;
    QbImage *reference = made_scene(0, 0);
    QbNoiseFeatures *features = features_of(reference, FOUR);
    uint8_t *data;
    size_t n;
    assert_int_equal(qb_noise_features_save(features, path), QB_OK);
    assert_int_equal(qb_file_read(&data, &n, path, 1 << 20), QB_OK);
    assert_int_equal(open_bytes(data, n), QB_OK);
    for (size_t cut = 1; cut < n; cut += cut < 200 ? 1 : 331)
        assert_int_equal(open_bytes(data, cut), QB_ERR_FORMAT);
    for (size_t i = 0; i < n; i += i < 200 ? 1 : 331) {
        data[i] ^= (uint8_t)(1u << i % 8);
        assert_true(open_bytes(data, n) < 0);
        data[i] ^= (uint8_t)(1u << i % 8);
    }
    uint8_t *longer = qb_realloc(data, n, n + 1);
    assert_non_null(longer);
    longer[n] = 0;
    assert_int_equal(open_bytes(longer, n + 1), QB_ERR_FORMAT);
    qb_free(longer);
    qb_noise_features_free(&features);
    qb_image_free(&reference);
}

/* Sound checksums over unsound contents. */
static void test_lies(void **state)
{
    (void)state;
    static const struct {
        int word;
        uint32_t value;
        QbStatus status;
        const char *text;
    } lies[] = {
        {0, 2, QB_ERR_UNSUPPORTED, "version 2, expected 1"},
        {1, 63, QB_ERR_FORMAT, "63 x 192"},
        {1, 0x80000000u, QB_ERR_FORMAT, "2147483648"},
        {2, 0, QB_ERR_FORMAT, "192 x 0"},
        {3, 0, QB_ERR_FORMAT, "0 x 4"},
        {3, 0x7fffffffu, QB_ERR_FORMAT, "2147483647 x 4"},
        {4, 3, QB_ERR_FORMAT, "bytes, expected"},
        {5, 17, QB_ERR_FORMAT, "17 x 18"},
        {6, 0x7fffffffu, QB_ERR_FORMAT, "18 x 2147483647"},
        {7, 0x7c007e00u, QB_ERR_FORMAT, "place 0 is not a number"},
    };
    QbImage *reference = made_scene(0, 0);
    QbNoiseFeatures *features = features_of(reference, FOUR);
    uint8_t *data;
    size_t n;
    assert_int_equal(qb_noise_features_save(features, path), QB_OK);
    assert_int_equal(qb_file_read(&data, &n, path, 1 << 20), QB_OK);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint8_t *at = data + 8 + 4 * lies[i].word, kept[4];
        memcpy(kept, at, 4);
        memcpy(at, &lies[i].value, 4);
        uint32_t sum = crc32_of(data, n - SUM_BYTES);
        memcpy(data + n - SUM_BYTES, &sum, 4);
        expect_error(open_bytes(data, n), lies[i].status, lies[i].text);
        memcpy(at, kept, 4);
    }
    qb_free(data);
    qb_noise_features_free(&features);
    qb_image_free(&reference);
}

static void test_refusals(void **state)
{
    (void)state;
    QbNoiseReport report;
    QbNoiseFeatures *features, *none = NULL;
    QbImage *image = made_scene(0, 0), *small;
    assert_int_equal(qb_image_resize(&small, image, SIDE / 2, SIDE), QB_OK);
    expect_error(qb_noise_features_new(&features, image, (QbNoiseGrid){13, 4}, 1), QB_ERR_ARG,
                 "smaller than 16 x 16");
    assert_null(features);
    features = features_of(image, FOUR);
    expect_error(qb_noise_judge_features(&report, small, features, 1), QB_ERR_ARG,
                 "96 x 192 pixels, the features are of 192 x 192");
    expect_error(qb_noise_judge_features(&report, image, NULL, 1), QB_ERR_ARG, "no features");
    expect_error(qb_noise_features_open(&none, "/nowhere/at/all"), QB_ERR_IO, "/nowhere/at/all");
    expect_error(qb_noise_features_save(features, "/nowhere/at/all"), QB_ERR_IO, "/nowhere/at/all");
    qb_noise_features_free(&features);
    qb_noise_features_free(&features);
    qb_image_free(&image);
    qb_image_free(&small);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    QbNoiseReport report;
    QbImage *image = made_scene(4, 1), *reference = made_scene(0, 0);
    QbNoiseFeatures *features = features_of(reference, FOUR), *other;
    assert_int_equal(qb_noise_features_save(features, path), QB_OK);
    int n_failed[3] = {0};
    for (int what = 0; what < 3; what++) {
        QbStatus status = QB_ERR_NOMEM;
        for (uint64_t i = 1; status; i++) {
            other = NULL;
            qb_mem_fail_after(i);
            status = what == 0   ? qb_noise_features_new(&other, image, FOUR, 1)
                     : what == 1 ? qb_noise_features_open(&other, path)
                                 : qb_noise_judge_features(&report, image, features, 1);
            qb_mem_fail_after(0);
            assert_true(status == QB_OK || (status == QB_ERR_NOMEM && !other));
            n_failed[what] += status != QB_OK;
            qb_noise_features_free(&other);
        }
    }
    assert_true(n_failed[0] > 5 && n_failed[1] > 2 && n_failed[2] > 3);
    qb_noise_features_free(&features);
    qb_image_free(&reference);
    qb_image_free(&image);
}

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_lies),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
