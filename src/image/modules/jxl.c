/* jxl.c: JPEG XL by libjxl, the first frame. The orientation in the codestream is applied in both
 * decode modes, because libjxl does it; lossy pictures come out as sRGB. */
// LIBS: libjxl
// SPDX-License-Identifier: Apache-2.0
#include "image/module.h"

#include <stdlib.h>

#include <jxl/decode.h>

enum { EXTRA_BYTES = 40 }; /* of a pixel: libjxl works in 32-bit floats, twice over */

typedef struct {
    const QbModuleHost *host;
    JxlDecoder *decoder;
    JxlBasicInfo info;
    JxlPixelFormat format;
} Jxl;

static QbStatus fail(const Jxl *j, QbStatus status, const char *text)
{
    return j->host->fail(j->host->user, status, text);
}

static QbStatus check_channels(const Jxl *j)
{
    for (uint32_t i = 0; i < j->info.num_extra_channels; i++) {
        JxlExtraChannelInfo extra;
        if (JxlDecoderGetExtraChannelInfo(j->decoder, i, &extra) == JXL_DEC_SUCCESS &&
            extra.type == JXL_CHANNEL_BLACK)
            return fail(j, QB_ERR_UNSUPPORTED, "a JPEG XL with four inks");
    }
    return QB_OK;
}

static QbStatus on_info(Jxl *j)
{
    if (JxlDecoderGetBasicInfo(j->decoder, &j->info) != JXL_DEC_SUCCESS)
        return fail(j, QB_ERR_FORMAT, "the JPEG XL is damaged");
    bool deep = j->host->managed && j->info.bits_per_sample > 8;
    j->format = (JxlPixelFormat){
        .num_channels = j->info.num_color_channels + (j->info.alpha_bits > 0),
        .data_type = deep ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8,
        .endianness = JXL_NATIVE_ENDIAN,
    };
    return check_channels(j);
}

/* Lossy pictures have no colours of their own: sRGB please. Others keep what they have. */
static void on_color(const Jxl *j)
{
    JxlColorEncoding srgb = {
        .color_space = j->info.num_color_channels == 1 ? JXL_COLOR_SPACE_GRAY : JXL_COLOR_SPACE_RGB,
        .white_point = JXL_WHITE_POINT_D65,
        .primaries = JXL_PRIMARIES_SRGB,
        .transfer_function = JXL_TRANSFER_FUNCTION_SRGB,
        .rendering_intent = JXL_RENDERING_INTENT_PERCEPTUAL,
    };
    JxlDecoderSetPreferredColorProfile(j->decoder, &srgb);
    size_t size;
    if (!j->host->managed ||
        JxlDecoderGetICCProfileSize(j->decoder, &j->format, JXL_COLOR_PROFILE_TARGET_DATA, &size) !=
            JXL_DEC_SUCCESS)
        return;
    uint8_t *icc = malloc(size ? size : 1);
    if (icc && JxlDecoderGetColorAsICCProfile(j->decoder, &j->format, JXL_COLOR_PROFILE_TARGET_DATA,
                                              icc, size) == JXL_DEC_SUCCESS)
        j->host->set_icc(j->host->user, icc, size);
    free(icc);
}

static QbStatus on_buffer(const Jxl *j)
{
    bool alpha = j->info.alpha_bits > 0;
    int colors = (int)j->info.num_color_channels;
    int depth = j->format.data_type == JXL_TYPE_UINT16 ? 16 : 8;
    size_t have =
        (size_t)j->info.xsize * j->info.ysize * j->format.num_channels * (size_t)(depth / 8);
    size_t need;
    /* The size was given after turning upright. */
    void *pixels = j->host->new_pixels(j->host->user, j->info.xsize, j->info.ysize, colors, alpha,
                                       depth, EXTRA_BYTES);
    if (!pixels)
        return QB_ERR_LIMIT;
    if (JxlDecoderImageOutBufferSize(j->decoder, &j->format, &need) != JXL_DEC_SUCCESS ||
        need > have ||
        JxlDecoderSetImageOutBuffer(j->decoder, &j->format, pixels, have) != JXL_DEC_SUCCESS)
        return fail(j, QB_ERR_FORMAT, "the JPEG XL is damaged");
    return QB_OK;
}

static QbStatus run(Jxl *j, const uint8_t *data, size_t size)
{
    JxlDecoderSubscribeEvents(j->decoder,
                              JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FULL_IMAGE);
    JxlDecoderSetUnpremultiplyAlpha(j->decoder, JXL_TRUE);
    JxlDecoderSetInput(j->decoder, data, size);
    JxlDecoderCloseInput(j->decoder);
    for (;;) {
        QbStatus status = QB_OK;
        switch (JxlDecoderProcessInput(j->decoder)) {
        case JXL_DEC_BASIC_INFO:
            status = on_info(j);
            break;
        case JXL_DEC_COLOR_ENCODING:
            on_color(j);
            break;
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
            status = on_buffer(j);
            break;
        case JXL_DEC_FULL_IMAGE:
            return QB_OK;
        case JXL_DEC_NEED_MORE_INPUT:
            return fail(j, QB_ERR_FORMAT, "the JPEG XL is truncated");
        default:
            return fail(j, QB_ERR_FORMAT, "the JPEG XL is damaged");
        }
        if (status)
            return status;
    }
}

static QbStatus decode(const QbModuleHost *host, const uint8_t *data, size_t size)
{
    Jxl j = {.host = host, .decoder = JxlDecoderCreate(NULL)};
    if (!j.decoder)
        return fail(&j, QB_ERR_NOMEM, "out of memory");
    QbStatus status = run(&j, data, size);
    JxlDecoderDestroy(j.decoder);
    return status;
}

const QbImageModule qb_image_module = {{QB_IMAGE_MODULE_ABI, "jxl"}, decode};
