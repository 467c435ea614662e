/* hdr.c: frames with more light or more colours than SDR BT.709, brought to it. Samples become the
 * linear light of their display, PQ by ST 2084 and HLG by BT.2100's OOTF for 1000 cd/m2. A curve
 * takes the light to a display whose white is BT.2408's reference white, 203 cd/m2: BT.2390's EETF,
 * on the largest of R, G and B, so that hues stay (Burke, Smith, Zink, SMPTE Motion Imaging Journal
 * 129/4, 2020). Then the primaries change, colours that BT.709 lacks become greyer or darker as far
 * as needed, and BT.1886's gamma codes them. SDR with wide primaries goes the same way with a curve
 * that does nothing.
 *
 * Frames come as 16-bit RGB; everything that costs time is in tables. */
// SPDX-License-Identifier: Apache-2.0
#include "video/modules/ffmpeg/stream.h"

#include <math.h>

#include <libavutil/mastering_display_metadata.h>

enum {
    N_SAMPLES = 1 << 16,
    LIMITED_TOP = 65283, /* top_sample */
    N_STEPS = 1 << 14    /* of the square root of light: dark ones lie closer, a code in 20 steps */
};

static const double WHITE = 203, USUAL_PEAK = 1000, MAX_PEAK = 10000; /* cd/m2 */
static const double GAMMA = 2.4;                                      /* BT.1886 */

struct QbvTone {
    enum AVColorTransferCharacteristic transfer;
    int top;                 /* sample that stands for 1 */
    float linear[N_SAMPLES]; /* light of a sample, 1 = the peak; HLG: of the scene */
    float ootf[N_STEPS];     /* HLG: what the luminance of the scene multiplies light by */
    float gain[N_STEPS];     /* of the largest of R, G, B: light, 1 = the peak, to 1 = white */
    uint8_t code[N_STEPS];   /* of light, 1 = white */
};

/* To BT.709, from the chromaticities in BT.2020 and SMPTE EG 432-1; white is D65 in all. */
static const struct {
    enum AVColorPrimaries primaries;
    float to_709[3][3];
} wide_primaries[] = {
    {AVCOL_PRI_BT2020,
     {{1.6604910f, -0.5876411f, -0.0728499f},
      {-0.1245505f, 1.1328999f, -0.0083494f},
      {-0.0181508f, -0.1005789f, 1.1187297f}}},
    {AVCOL_PRI_SMPTE432,
     {{1.2249402f, -0.2249402f, 0},
      {-0.0420570f, 1.0420570f, 0},
      {-0.0196376f, -0.0786360f, 1.0982736f}}},
};
static const float unchanged[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

/* ---- what a frame is ------------------------------------------------------------------------- */

bool qbv_is_hdr(const AVFrame *frame)
{
    return frame->color_trc == AVCOL_TRC_SMPTE2084 || frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

/* NULL: those of BT.709, or near enough. HDR that does not say is BT.2020. */
static const float (*matrix_of(const AVFrame *frame))[3]
{
    enum AVColorPrimaries primaries = frame->color_primaries;
    if (qbv_is_hdr(frame) && primaries == AVCOL_PRI_UNSPECIFIED)
        primaries = AVCOL_PRI_BT2020;
    for (size_t i = 0; i < sizeof wide_primaries / sizeof *wide_primaries; i++)
        if (wide_primaries[i].primaries == primaries)
            return wide_primaries[i].to_709;
    return NULL;
}

bool qbv_needs_tone(const QbVideoStream *s, const AVFrame *frame)
{
    return qbv_is_hdr(frame) || (s->host.managed && matrix_of(frame));
}

/* The brightest light of the content, or else of the display that it was made on; 0 = not stated.
 * Each may be NULL. */
static double stated_peak(const void *content, size_t content_size, const void *display,
                          size_t display_size)
{
    const AVContentLightMetadata *light = content;
    const AVMasteringDisplayMetadata *mastering = display;
    if (light && content_size >= sizeof *light && light->MaxCLL)
        return light->MaxCLL;
    if (mastering && display_size >= sizeof *mastering && mastering->has_luminance &&
        mastering->max_luminance.den > 0)
        return av_q2d(mastering->max_luminance);
    return 0;
}

void qbv_learn_peak(QbVideoStream *s, const AVFrame *frame)
{
    size_t n_light = 0, n_mastering = 0;
    const uint8_t *light =
        av_stream_get_side_data(s->stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, &n_light);
    const uint8_t *mastering =
        av_stream_get_side_data(s->stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, &n_mastering);
    double peak = stated_peak(light, n_light, mastering, n_mastering);
    const AVFrameSideData *own_light =
        av_frame_get_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    const AVFrameSideData *own_mastering =
        av_frame_get_side_data(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (!(peak > 0))
        peak = stated_peak(own_light ? own_light->data : NULL, own_light ? own_light->size : 0,
                           own_mastering ? own_mastering->data : NULL,
                           own_mastering ? own_mastering->size : 0);
    s->peak = !(peak > 0) ? USUAL_PEAK : peak < WHITE ? WHITE : peak > MAX_PEAK ? MAX_PEAK : peak;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* SMPTE ST 2084: light in cd/m2 of a sample 0..1, and back. */
static const double M1 = 2610.0 / 16384, M2 = 2523.0 / 4096 * 128, C1 = 3424.0 / 4096,
                    C2 = 2413.0 / 4096 * 32, C3 = 2392.0 / 4096 * 32;

static double pq_light(double sample)
{
    double p = pow(sample, 1 / M2);
    return 10000 * pow(fmax(p - C1, 0) / (C2 - C3 * p), 1 / M1);
}

static double pq_sample(double light)
{
    double y = pow(light / 10000, M1);
    return pow((C1 + C2 * y) / (1 + C3 * y), M2);
}

/* The scene's light, 0..1, of an HLG sample (BT.2100 table 5, the inverse OETF). */
static double hlg_light(double sample)
{
    const double a = 0.17883277, b = 0.28466892, c = 0.55991073;
    return sample <= 0.5 ? sample * sample / 3 : (exp((sample - c) / a) + b) / 12;
}

/* BT.2390-7 section 5.4.1 with a black of 0: light in cd/m2 on a display that ends at WHITE. */
static double eetf(double light, double peak)
{
    double whole = pq_sample(peak), e = pq_sample(light) / whole;
    double most = pq_sample(WHITE) / whole, knee = 1.5 * most - 0.5;
    if (e < knee)
        return light;
    double t = peak > WHITE ? (e - knee) / (1 - knee) : 1, tt = t * t, ttt = tt * t;
    double p = (2 * ttt - 3 * tt + 1) * knee + (ttt - 2 * tt + t) * (1 - knee) +
               (-2 * ttt + 3 * tt) * most;
    return pq_light(p * whole);
}

static void fill_tables(QbvTone *tone, enum AVColorTransferCharacteristic transfer, int top,
                        double peak)
{
    tone->transfer = transfer;
    tone->top = top;
    for (int i = 0; i < N_SAMPLES; i++) {
        double sample = fmin((double)i / top, 1);
        tone->linear[i] = (float)(transfer == AVCOL_TRC_SMPTE2084 ? fmin(pq_light(sample) / peak, 1)
                                  : transfer == AVCOL_TRC_ARIB_STD_B67 ? fmin(hlg_light(sample), 1)
                                                                       : pow(sample, GAMMA));
    }
    for (int i = 0; i < N_STEPS; i++) {
        double root = (double)i / (N_STEPS - 1), light = root * root;
        tone->ootf[i] = (float)pow(light, 0.2); /* gamma 1.2 for 1000 cd/m2 */
        tone->gain[i] = (float)(i ? eetf(light * peak, peak) / WHITE / light : peak / WHITE);
        tone->code[i] = (uint8_t)lround(255 * pow(light, 1 / GAMMA));
    }
}

/* ---- pixels ---------------------------------------------------------------------------------- */

static inline int step_of(float light)
{
    return (int)(sqrtf(light) * (N_STEPS - 1) + 0.5f);
}

/* Brings a colour into 0..1 without another hue: towards the grey of its luminance until nothing is
 * negative, then darker. */
static inline void fit(float c[3], float least, float top)
{
    float grey = 0.2126f * c[0] + 0.7152f * c[1] + 0.0722f * c[2];
    if (least < 0) {
        grey = grey < 0 ? 0 : grey;
        float share = grey / (grey - least);
        for (int k = 0; k < 3; k++) {
            c[k] = grey + share * (c[k] - grey);
            c[k] = c[k] < 0 ? 0 : c[k]; /* rounding */
        }
        top = grey + share * (top - grey);
    }
    float scale = top > 1 ? 1 / top : 1;
    for (int k = 0; k < 3; k++)
        c[k] *= scale;
}

/* A row of 16-bit RGB to 8 bits, in its place. */
static void convert_row(uint8_t *row, int width, const QbvTone *tone, const float m[3][3])
{
    bool is_hlg = tone->transfer == AVCOL_TRC_ARIB_STD_B67;
    const uint16_t *in = (const uint16_t *)row;
    for (int x = 0; x < width; x++, in += 3, row += 3) {
        float r = tone->linear[in[0]], g = tone->linear[in[1]], b = tone->linear[in[2]];
        float most = r > g ? r : g, gain = 1;
        most = most > b ? most : b;
        if (is_hlg) { /* luminance as in BT.2020 */
            gain = tone->ootf[step_of(0.2627f * r + 0.6780f * g + 0.0593f * b)];
            most *= gain;
        }
        gain *= tone->gain[step_of(most)];
        r *= gain, g *= gain, b *= gain;
        float c[3] = {m[0][0] * r + m[0][1] * g + m[0][2] * b,
                      m[1][0] * r + m[1][1] * g + m[1][2] * b,
                      m[2][0] * r + m[2][1] * g + m[2][2] * b};
        float least = c[0] < c[1] ? c[0] : c[1], top = c[0] > c[1] ? c[0] : c[1];
        least = least < c[2] ? least : c[2], top = top > c[2] ? top : c[2];
        if (least < 0 || top > 1)
            fit(c, least, top);
        row[0] = tone->code[step_of(c[0])];
        row[1] = tone->code[step_of(c[1])];
        row[2] = tone->code[step_of(c[2])];
    }
}

static void note_tone(QbVideoStream *s, const AVFrame *frame)
{
    if (qbv_is_hdr(frame))
        qbv_note(s,
                 "HDR (%s) was tone-mapped to SDR: BT.2390's curve from %.0f to %.0f cd/m2, in "
                 "BT.709 colours",
                 frame->color_trc == AVCOL_TRC_SMPTE2084 ? "PQ" : "HLG", s->peak, WHITE);
    else
        qbv_note(s, "wide colours (%s) were converted to BT.709",
                 av_color_primaries_name(frame->color_primaries));
}

/* The sample that swscale 6 makes of 1, as measured: 255 times 256 and a little in limited range,
 * the largest code moved up in full range, all ones only from RGB. */
static int top_sample(const QbVideoStream *s, const AVFrame *frame)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    int bits = format->comp[0].depth;
    return format->flags & AV_PIX_FMT_FLAG_RGB || bits >= 16 ? N_SAMPLES - 1
           : qbv_is_full_range(s, frame)                     ? ((1 << bits) - 1) << (16 - bits)
                                                             : LIMITED_TOP;
}

/* The light at which a frame's samples end. HLG has none of its own. */
static double peak_of(const QbVideoStream *s, const AVFrame *frame)
{
    return frame->color_trc == AVCOL_TRC_SMPTE2084      ? s->peak
           : frame->color_trc == AVCOL_TRC_ARIB_STD_B67 ? USUAL_PEAK
                                                        : WHITE;
}

QbStatus qbv_tone_apply(QbVideoStream *s, const AVFrame *frame)
{
    QbvTone *tone = s->tone ? s->tone : av_malloc(sizeof *tone);
    if (!tone)
        return qbv_fail(s, QB_ERR_NOMEM, "out of memory");
    int top = top_sample(s, frame);
    if (!s->tone || tone->transfer != frame->color_trc || tone->top != top)
        fill_tables(tone, frame->color_trc, top, peak_of(s, frame));
    s->tone = tone;
    const float(*to_709)[3] = matrix_of(frame);
    for (int y = 0; y < s->rgb->height; y++)
        convert_row(s->rgb->data[0] + (ptrdiff_t)y * s->rgb->linesize[0], s->rgb->width, tone,
                    to_709 ? to_709 : unchanged);
    note_tone(s, frame);
    return QB_OK;
}
