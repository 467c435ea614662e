/* decode_module.c: the formats that modules read (module.h): AVIF, HEIC and JPEG XL. Told apart
 * here, decoded there; the functions that a module calls back are here. */
// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include "base/error.h"
#include "image/module.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What host.user points to. */
typedef struct {
    QbRaster *out;
    const QbDecodeJob *job;
    const QbImageModule *module;
    QbStatus status;    /* of the first failure */
    char message[1024]; /* its text, which must cross threads */
} Request;

/* Keeps the text of qb_last_error(), which is this thread's. */
static QbStatus note(Request *r, QbStatus status)
{
    if (status && !r->status) {
        r->status = status;
        snprintf(r->message, sizeof r->message, "%s", qb_last_error());
    }
    return status;
}

static void *new_pixels(void *user, int64_t width, int64_t height, int colors, bool alpha,
                        int depth, int extra_bytes_per_pixel)
{
    Request *r = user;
    bool sound = (colors == 1 || colors == 3) && (depth == 8 || depth == 16) && !r->out->pixels;
    QbStatus status = sound ? qb_raster_new(r->out, r->job, width, height,
                                            colors == 1 ? QB_COLOR_GRAY : QB_COLOR_RGB, alpha,
                                            depth, extra_bytes_per_pixel)
                            : qb_fail(QB_ERR_UNSUPPORTED, "%s: %d colours of %d bits", r->job->name,
                                      colors, depth);
    return note(r, status) ? NULL : r->out->pixels;
}

static void set_icc(void *user, const void *icc, size_t size)
{
    Request *r = user;
    if (!r->status && qb_decode_is_managed(r->job))
        note(r, qb_raster_set_icc(r->out, icc, size));
}

static void set_orientation(void *user, int orientation)
{
    ((Request *)user)->out->orientation = orientation;
}

static void set_cicp(void *user, int primaries, int transfer)
{
    Request *r = user;
    if (!r->status && qb_decode_is_managed(r->job) && !r->out->icc)
        note(r, qb_colour_icc_from_cicp(r->out, primaries, transfer));
}

static QbStatus fail(void *user, QbStatus status, const char *text)
{
    Request *r = user;
    if (!r->status)
        note(r, qb_fail(status < 0 ? status : QB_ERR_FORMAT, "%s: %s", r->job->name, text));
    return r->status;
}

/* Where unshare is forbidden, the notes stay. */
static void silence_this_thread(void)
{
    if (unshare(CLONE_FILES))
        return;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0)
        return;
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

static void *run_module(void *user)
{
    Request *r = user;
    QbModuleHost host = {
        .user = r,
        .managed = qb_decode_is_managed(r->job),
        .max_pixels = r->job->options->max_pixels,
        .new_pixels = new_pixels,
        .set_icc = set_icc,
        .set_orientation = set_orientation,
        .set_cicp = set_cicp,
        .fail = fail,
    };
    silence_this_thread();
    if (r->module->decode(&host, r->job->data, r->job->size))
        fail(r, QB_ERR_FORMAT, "the picture is damaged");
    return NULL;
}

static QbStatus decode(QbRaster *out, const QbDecodeJob *job, const char *module_name,
                       const char *package)
{
    Request request = {.out = out, .job = job};
    static const QbModuleKind kind = {"qb_image_module", QB_IMAGE_MODULE_ABI};
    const QbModuleHead *head;
    QbStatus status = qb_module_get(&head, &kind, module_name, package);
    if (status)
        return qb_fail_prefix(status, "%s", job->name);
    request.module = (const QbImageModule *)head;
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_module, &request))
        return qb_fail(QB_ERR_NOMEM, "%s: cannot start a thread", job->name);
    pthread_join(thread, NULL);
    return request.status ? qb_fail(request.status, "%s", request.message) : QB_OK;
}

/* ---- ISO base media files: the first box has the brands (ISO/IEC 14496-12, section 4.3) -- */

static bool has_brand(const uint8_t *data, size_t size, const char *const *brands)
{
    if (size < 16 || memcmp(data + 4, "ftyp", 4))
        return false;
    size_t box = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
    size_t end = box < size ? box : size;
    for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) /* over the version */
        for (int i = 0; brands[i]; i++)
            if (!memcmp(data + at, brands[i], 4))
                return true;
    return false;
}

static bool probe_avif(const uint8_t *data, size_t size)
{
    return has_brand(data, size, (const char *const[]){"avif", "avis", NULL});
}

static bool probe_heif(const uint8_t *data, size_t size)
{
    return has_brand(data, size,
                     (const char *const[]){"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1",
                                           "msf1", NULL});
}

/* A bare codestream or a container (ISO/IEC 18181-2). */
static bool probe_jxl(const uint8_t *data, size_t size)
{
    return (size >= 2 && data[0] == 0xff && data[1] == 0x0a) ||
           (size >= 12 && !memcmp(data, "\0\0\0\x0cJXL \r\n\x87\n", 12));
}

static QbStatus decode_avif(QbRaster *out, const QbDecodeJob *job)
{
    return decode(out, job, "avif", "libavif-dev");
}

static QbStatus decode_heif(QbRaster *out, const QbDecodeJob *job)
{
    return decode(out, job, "heif", "libheif-dev");
}

static QbStatus decode_jxl(QbRaster *out, const QbDecodeJob *job)
{
    return decode(out, job, "jxl", "libjxl-dev");
}

const QbImageCodec qb_codec_avif = {
    .name = "avif", .extensions = "avif,avifs", .probe = probe_avif, .decode = decode_avif};
const QbImageCodec qb_codec_heif = {
    .name = "heif", .extensions = "heic,heif,hif", .probe = probe_heif, .decode = decode_heif};
const QbImageCodec qb_codec_jxl = {
    .name = "jxl", .extensions = "jxl", .probe = probe_jxl, .decode = decode_jxl};
