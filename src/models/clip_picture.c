/* clip_picture.c: see clip_picture.h.
 *
 * crop: shortest edge scaled to image_size, centre cropped (CLIP's image processor). pad: expanded
 * to a square with the mean's colour first (expand2square of LLaVA and Q-Align). Both scale with
 * Pillow's bicubic; then (u8 / 255 - mean) / std. */
// SPDX-License-Identifier: Apache-2.0
#include "models/clip_picture.h"

#include "base/error.h"

QbStatus qb_clip_picture_load(QbClipPicture *out, const QbLoader *loader, int image_size)
{
    const char *fit = "crop";
    QbStatus status;
    *out = (QbClipPicture){.image_size = image_size};
    if ((status = qb_gguf_get_string_or(&fit, loader->gguf, "qboost.preprocess.fit")) ||
        (status = qb_load_pixel_scale(&out->pixels, loader, "clip.vision")))
        return status;
    if (!qb_fit_find(&out->fit, fit) || !(QB_CLIP_FITS & 1 << out->fit))
        return qb_fail(QB_ERR_FORMAT, "%s: qboost.preprocess.fit is \"%s\", expected crop or pad",
                       qb_gguf_name(loader->gguf), fit);
    for (int c = 0; c < 3; c++)
        out->pad_color[c] = (uint8_t)(255.0f * out->pixels.mean[c]);
    return QB_OK;
}

QbStatus qb_clip_picture_make(float *x, uint8_t *square, const QbOps *ops, QbResizer *resizer,
                              const QbClipPicture *p, const QbImage *image, QbFit fit)
{
    QbPreprocess preprocess = {.fit = fit, .image_size = p->image_size};
    for (int c = 0; c < 3; c++)
        preprocess.pad_color[c] = p->pad_color[c];
    QbStatus status = qb_preprocess_rgb(resizer, square, &preprocess, image);
    if (status)
        return status;
    size_t pixels = (size_t)p->image_size * (size_t)p->image_size;
    ops->kernels->normalize_u8(x, square, pixels, p->pixels.gain, p->pixels.offset);
    return QB_OK;
}
