/* avif.c: AVIF by libavif. Of a sequence the first frame is read. The container's rotation and
 * mirroring (managed mode) are handed on as an orientation; its clean aperture is not applied. The
 * conversion from YUV is libavif's own, not libyuv's, so that all builds give the same pixels. */
// LIBS: libavif
// SPDX-License-Identifier: Apache-2.0
#include "image/module.h"

#include <avif/avif.h>

#if AVIF_VERSION >= 1000000
#define MIRROR_AXIS axis
#else
#define MIRROR_AXIS mode
#endif

enum { EXTRA_BYTES = 16 }; /* of a pixel: planes of the decoder and of libavif */

static QbStatus fail(const QbModuleHost *host, avifResult result)
{
    QbStatus status = result == AVIF_RESULT_OUT_OF_MEMORY        ? QB_ERR_NOMEM
                      : result == AVIF_RESULT_NO_CODEC_AVAILABLE ? QB_ERR_UNSUPPORTED
                                                                 : QB_ERR_FORMAT;
    return host->fail(host->user, status, avifResultToString(result));
}

/* Anticlockwise quarter turns first, then the mirror (ISO/IEC 23000-22), as EXIF's number. */
static int orientation_of(const avifImage *image)
{
    static const int numbers[4][3] = {{1, 4, 2}, {8, 5, 7}, {3, 2, 4}, {6, 7, 5}};
    int angle = image->transformFlags & AVIF_TRANSFORM_IROT ? image->irot.angle & 3 : 0;
    int mirror =
        image->transformFlags & AVIF_TRANSFORM_IMIR ? 1 + (image->imir.MIRROR_AXIS & 1) : 0;
    return numbers[angle][mirror];
}

static void describe(const QbModuleHost *host, const avifImage *image)
{
    if (!host->managed)
        return;
    if (image->icc.size)
        host->set_icc(host->user, image->icc.data, image->icc.size);
    else
        host->set_cicp(host->user, image->colorPrimaries, image->transferCharacteristics);
    host->set_orientation(host->user, orientation_of(image));
}

static QbStatus run(const QbModuleHost *host, avifDecoder *decoder, const uint8_t *data,
                    size_t size)
{
    decoder->imageDimensionLimit = 0;
    decoder->ignoreXMP = AVIF_TRUE;
    decoder->ignoreExif = AVIF_TRUE; /* the container's transformations are what counts */
    decoder->strictFlags = AVIF_STRICT_DISABLED;
    avifResult result = avifDecoderSetIOMemory(decoder, data, size);
    if (result == AVIF_RESULT_OK)
        result = avifDecoderParse(decoder);
    if (result != AVIF_RESULT_OK)
        return fail(host, result);
    avifImage *image = decoder->image;
    uint32_t width = image->width, height = image->height;
    int depth = host->managed && image->depth > 8 ? 16 : 8;
    bool alpha = decoder->alphaPresent;
    void *pixels = host->new_pixels(host->user, width, height, 3, alpha, depth, EXTRA_BYTES);
    if (!pixels)
        return QB_ERR_LIMIT;
    int64_t most = AVIF_DEFAULT_IMAGE_SIZE_LIMIT;
    decoder->imageSizeLimit = (uint32_t)(host->max_pixels < most ? host->max_pixels : most);
    result = avifDecoderNextImage(decoder);
    if (result != AVIF_RESULT_OK)
        return fail(host, result);
    if (image->width != width || image->height != height)
        return fail(host, AVIF_RESULT_BMFF_PARSE_FAILED);
    avifRGBImage rgb;
    avifRGBImageSetDefaults(&rgb, image);
    rgb.depth = (uint32_t)depth;
    rgb.format = alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
    rgb.avoidLibYUV = AVIF_TRUE;
    rgb.pixels = pixels;
    rgb.rowBytes = width * (alpha ? 4u : 3u) * (uint32_t)(depth / 8);
    result = avifImageYUVToRGB(image, &rgb);
    if (result != AVIF_RESULT_OK)
        return fail(host, result);
    describe(host, image);
    return QB_OK;
}

static QbStatus decode(const QbModuleHost *host, const uint8_t *data, size_t size)
{
    avifDecoder *decoder = avifDecoderCreate();
    if (!decoder)
        return fail(host, AVIF_RESULT_OUT_OF_MEMORY);
    QbStatus status = run(host, decoder, data, size);
    avifDecoderDestroy(decoder);
    return status;
}

const QbImageModule qb_image_module = {{QB_IMAGE_MODULE_ABI, "avif"}, decode};
