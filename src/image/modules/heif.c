/* heif.c: HEIC and other HEIF by libheif, the primary picture. libheif applies the container's
 * rotation, mirroring and clean aperture, in both decode modes; the EXIF orientation beside them
 * does not count (ISO/IEC 23008-12 section A.2.1). */
// LIBS: libheif
// SPDX-License-Identifier: Apache-2.0
#include "image/module.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libheif/heif.h>

enum { EXTRA_BYTES = 16 }; /* of a pixel: planes of the decoder and libheif's copies */

typedef struct {
    const QbModuleHost *host;
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
    int width, height, depth;
    bool alpha;
    uint8_t *pixels;
} Heif;

static QbStatus check(const Heif *h, struct heif_error error)
{
    if (error.code == heif_error_Ok)
        return QB_OK;
    QbStatus status = error.code == heif_error_Unsupported_feature ||
                              error.code == heif_error_Unsupported_filetype
                          ? QB_ERR_UNSUPPORTED
                      : error.subcode == heif_suberror_Security_limit_exceeded ? QB_ERR_LIMIT
                      : error.code == heif_error_Memory_allocation_error       ? QB_ERR_NOMEM
                                                                               : QB_ERR_FORMAT;
    return h->host->fail(h->host->user, status,
                         error.message ? error.message : "the HEIF is damaged");
}

static QbStatus open_picture(Heif *h, const uint8_t *data, size_t size)
{
    h->context = heif_context_alloc();
    if (!h->context)
        return h->host->fail(h->host->user, QB_ERR_NOMEM, "out of memory");
    int64_t side = h->host->max_pixels < 65535 ? h->host->max_pixels : 65535;
    heif_context_set_maximum_image_size_limit(h->context, (int)side);
    heif_context_set_max_decoding_threads(h->context, 0);
    QbStatus status =
        check(h, heif_context_read_from_memory_without_copy(h->context, data, size, NULL));
    if (!status)
        status = check(h, heif_context_get_primary_image_handle(h->context, &h->handle));
    if (status)
        return status;
    h->width = heif_image_handle_get_width(h->handle);
    h->height = heif_image_handle_get_height(h->handle);
    h->alpha = heif_image_handle_has_alpha_channel(h->handle);
    h->depth =
        h->host->managed && heif_image_handle_get_luma_bits_per_pixel(h->handle) > 8 ? 16 : 8;
    h->pixels =
        h->host->new_pixels(h->host->user, h->width, h->height, 3, h->alpha, h->depth, EXTRA_BYTES);
    return h->pixels ? QB_OK : QB_ERR_LIMIT;
}

/* 9 to 16 bits, low byte first, to all of 16. */
static void widen(uint8_t *out, const uint8_t *in, size_t n_samples, int bits)
{
    uint32_t full = (1u << bits) - 1;
    for (size_t i = 0; i < n_samples; i++) {
        uint32_t value = in[2 * i] | (uint32_t)in[2 * i + 1] << 8;
        value = value < full ? value : full;
        uint16_t wide = (uint16_t)((value * 65535u + full / 2) / full);
        memcpy(out + 2 * i, &wide, 2);
    }
}

static QbStatus decode_picture(Heif *h)
{
    enum heif_chroma chroma =
        h->depth == 16
            ? (h->alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE)
            : (h->alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB);
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options)
        return h->host->fail(h->host->user, QB_ERR_NOMEM, "out of memory");
    options->convert_hdr_to_8bit = h->depth == 8;
    QbStatus status =
        check(h, heif_decode_image(h->handle, &h->image, heif_colorspace_RGB, chroma, options));
    heif_decoding_options_free(options);
    if (status)
        return status;
    int stride;
    const uint8_t *rows =
        heif_image_get_plane_readonly(h->image, heif_channel_interleaved, &stride);
    int bits = heif_image_get_bits_per_pixel_range(h->image, heif_channel_interleaved);
    size_t n_samples = (size_t)h->width * (h->alpha ? 4 : 3);
    size_t row_bytes = n_samples * (size_t)(h->depth / 8);
    if (!rows || stride < 0 || (size_t)stride < row_bytes ||
        heif_image_get_width(h->image, heif_channel_interleaved) != h->width ||
        heif_image_get_height(h->image, heif_channel_interleaved) != h->height ||
        (h->depth == 16 && (bits < 9 || bits > 16)))
        return h->host->fail(h->host->user, QB_ERR_FORMAT,
                             "the HEIF's picture is not of its stated size");
    for (int y = 0; y < h->height; y++) {
        const uint8_t *row = rows + (size_t)y * (size_t)stride;
        if (h->depth == 16)
            widen(h->pixels + (size_t)y * row_bytes, row, n_samples, bits);
        else
            memcpy(h->pixels + (size_t)y * row_bytes, row, row_bytes);
    }
    return QB_OK;
}

static void describe(const Heif *h)
{
    const QbModuleHost *host = h->host;
    size_t size = heif_image_handle_get_raw_color_profile_size(h->handle);
    struct heif_color_profile_nclx *nclx = NULL;
    uint8_t *icc = size ? malloc(size) : NULL;
    if (icc && heif_image_handle_get_raw_color_profile(h->handle, icc).code == heif_error_Ok)
        host->set_icc(host->user, icc, size);
    else if (heif_image_handle_get_nclx_color_profile(h->handle, &nclx).code == heif_error_Ok &&
             nclx)
        host->set_cicp(host->user, (int)nclx->color_primaries, (int)nclx->transfer_characteristics);
    free(icc);
    if (nclx)
        heif_nclx_color_profile_free(nclx);
}

static QbStatus decode(const QbModuleHost *host, const uint8_t *data, size_t size)
{
    Heif h = {.host = host};
    QbStatus status = open_picture(&h, data, size);
    if (!status)
        status = decode_picture(&h);
    if (!status && host->managed)
        describe(&h);
    heif_image_release(h.image);
    heif_image_handle_release(h.handle);
    heif_context_free(h.context);
    return status;
}

const QbImageModule qb_image_module = {{QB_IMAGE_MODULE_ABI, "heif"}, decode};
