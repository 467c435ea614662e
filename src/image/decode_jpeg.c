/* decode_jpeg.c: JPEG by libjpeg-turbo, with the accurate integer IDCT and smooth chroma upsampling
 * (its defaults, and Pillow's). A truncated file is an error, as in Pillow; damage that the library
 * can step over is not. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum {
    MAX_SCANS = 500,      /* a small file may claim endless refinement scans of a large picture */
    COEFFICIENT_BYTES = 2 /* of a sample, kept by the library for progressive files */
};

typedef struct {
    struct jpeg_decompress_struct cinfo; /* first: callbacks get a pointer to it */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    const QbDecodeJob *job;
    bool truncated;
    jmp_buf escape;
    QbStatus status;
    unsigned char *icc; /* malloc'ed by the library */
    unsigned icc_size;
} Jpeg;

static bool probe(const uint8_t *data, size_t size)
{
    return size >= 3 && !memcmp(data, "\xff\xd8\xff", 3);
}

static void on_error(j_common_ptr cinfo)
{
    Jpeg *jpeg = (Jpeg *)cinfo;
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    int code = cinfo->err->msg_code;
    jpeg->status = qb_fail(code == JERR_OUT_OF_MEMORY      ? QB_ERR_NOMEM
                           : code == JERR_NO_BACKING_STORE ? QB_ERR_LIMIT
                                                           : QB_ERR_FORMAT,
                           "%s: %s", jpeg->job->name, text);
    longjmp(jpeg->escape, 1);
}

static void ignore_message(j_common_ptr cinfo)
{
    (void)cinfo;
}

static void count_warning(j_common_ptr cinfo, int level)
{
    if (level < 0)
        cinfo->err->num_warnings++;
}

static void nothing(j_decompress_ptr cinfo)
{
    (void)cinfo;
}

/* The data ended: an end marker in its place, and an error once the library is done with it. */
static boolean fill_at_end(j_decompress_ptr cinfo)
{
    static const JOCTET end[] = {0xff, JPEG_EOI};
    ((Jpeg *)cinfo)->truncated = true;
    cinfo->src->next_input_byte = end;
    cinfo->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip(j_decompress_ptr cinfo, long n_bytes)
{
    if (n_bytes <= 0)
        return;
    if ((size_t)n_bytes > cinfo->src->bytes_in_buffer) {
        fill_at_end(cinfo);
        return;
    }
    cinfo->src->next_input_byte += n_bytes;
    cinfo->src->bytes_in_buffer -= (size_t)n_bytes;
}

static void check_scans(j_common_ptr cinfo)
{
    Jpeg *jpeg = (Jpeg *)cinfo;
    if (jpeg->cinfo.input_scan_number <= MAX_SCANS)
        return;
    jpeg->status = qb_fail(QB_ERR_LIMIT, "%s: more than %d scans", jpeg->job->name, (int)MAX_SCANS);
    longjmp(jpeg->escape, 1);
}

static void set_up(Jpeg *jpeg)
{
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    jpeg_create_decompress(cinfo);
    jpeg->source = (struct jpeg_source_mgr){
        .next_input_byte = jpeg->job->data,
        .bytes_in_buffer = jpeg->job->size,
        .init_source = nothing,
        .fill_input_buffer = fill_at_end,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = nothing,
    };
    cinfo->src = &jpeg->source;
    jpeg->progress.progress_monitor = check_scans;
    cinfo->progress = &jpeg->progress;
    int64_t max_bytes = jpeg->job->options->max_bytes - (int64_t)jpeg->job->size;
    cinfo->mem->max_memory_to_use = max_bytes > 1 ? (long)max_bytes : 1;
    if (qb_decode_is_managed(jpeg->job)) {
        jpeg_save_markers(cinfo, JPEG_APP0 + 1, 0xffff);
        jpeg_save_markers(cinfo, JPEG_APP0 + 2, 0xffff);
    }
}

/* From the header: what the samples will be. */
static QbStatus start(Jpeg *jpeg, QbRaster *out)
{
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    QbColor color;
    switch (cinfo->num_components) {
    case 1:
        color = QB_COLOR_GRAY;
        cinfo->out_color_space = JCS_GRAYSCALE;
        break;
    case 3:
        color = QB_COLOR_RGB;
        cinfo->out_color_space = JCS_RGB;
        break;
    case 4:
        color = QB_COLOR_CMYK;
        cinfo->out_color_space = JCS_CMYK;
        break;
    default:
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: a JPEG of %d components", jpeg->job->name,
                       cinfo->num_components);
    }
    int extra = jpeg_has_multiple_scans(cinfo) ? cinfo->num_components * COEFFICIENT_BYTES : 0;
    QbStatus status = qb_raster_new(out, jpeg->job, cinfo->image_width, cinfo->image_height, color,
                                    false, 8, extra);
    if (status)
        return status;
    for (jpeg_saved_marker_ptr m = cinfo->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && !memcmp(m->data, "Exif\0", 6))
            out->orientation = qb_exif_orientation(m->data, m->data_length);
    if (qb_decode_is_managed(jpeg->job) &&
        jpeg_read_icc_profile(cinfo, &jpeg->icc, &jpeg->icc_size))
        return qb_raster_set_icc(out, jpeg->icc, jpeg->icc_size);
    return QB_OK;
}

/* Photoshop, and everyone after it, writes 255 for no ink. Pillow takes every file for such a one.
 */
static void invert_if_adobe(const Jpeg *jpeg, QbRaster *out)
{
    if (out->color != QB_COLOR_CMYK ||
        (qb_decode_is_managed(jpeg->job) && !jpeg->cinfo.saw_Adobe_marker))
        return;
    size_t n = qb_raster_row_bytes(out) * (size_t)out->height;
    for (size_t i = 0; i < n; i++)
        out->pixels[i] = (uint8_t)(255 - out->pixels[i]);
}

static QbStatus run(Jpeg *jpeg, QbRaster *out)
{
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    if (setjmp(jpeg->escape))
        return jpeg->truncated && jpeg->status == QB_ERR_FORMAT
                   ? qb_fail(QB_ERR_FORMAT, "%s: the JPEG is truncated", jpeg->job->name)
                   : jpeg->status;
    set_up(jpeg);
    jpeg_read_header(cinfo, TRUE);
    QbStatus status = start(jpeg, out);
    if (status)
        return status;
    jpeg_start_decompress(cinfo);
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = out->pixels + (size_t)cinfo->output_scanline * qb_raster_row_bytes(out);
        jpeg_read_scanlines(cinfo, &row, 1);
    }
    if (jpeg->truncated)
        return qb_fail(QB_ERR_FORMAT, "%s: the JPEG is truncated", jpeg->job->name);
    invert_if_adobe(jpeg, out);
    return QB_OK;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job)
{
    Jpeg *jpeg = qb_calloc(1, sizeof *jpeg);
    if (!jpeg)
        return QB_ERR_NOMEM;
    jpeg->job = job;
    jpeg->cinfo.err = jpeg_std_error(&jpeg->errors);
    jpeg->errors.error_exit = on_error;
    jpeg->errors.output_message = ignore_message;
    jpeg->errors.emit_message = count_warning;
    QbStatus status = run(jpeg, out);
    jpeg_destroy_decompress(&jpeg->cinfo);
    free(jpeg->icc);
    qb_free(jpeg);
    return status;
}

const QbImageCodec qb_codec_jpeg = {
    .name = "jpeg", .extensions = "jpg,jpeg,jpe,jfif,mpo", .probe = probe, .decode = decode};
