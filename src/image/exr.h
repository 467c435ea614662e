/* exr.h: one OpenEXR file while it is read: decode_exr.c reads its pixels, exr_header.c says which
 * of its channels they are and what the header tells of them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_IMAGE_EXR_H
#define QB_IMAGE_EXR_H

#include "image/decode.h"
#include "image/exr_dct.h"

#include <OpenEXR/openexr.h>
#include <string.h>

typedef struct QbExr {
    const QbDecodeJob *job;
    exr_context_t context; /* owned */
    char message[256];     /* the library's first */
    QbExrDct *dct;         /* owned, made when the first DWA chunk comes */
    int *first_of_layer;   /* [channels], the first one of the same layer; owned, as dct */
    uint8_t *unpacked;     /* that chunk's samples, [unpacked_size], owned */
    size_t unpacked_size;

    /* Chosen by qb_exr_choose: */
    int part;
    const exr_attr_chlist_t *channels; /* of the part, borrowed from context */
    QbColor color;
    int source[3];       /* indices in channels of R, G, B; of Y alone in grey; -1 = missing */
    const char *missing; /* for QbRaster */
    const char *layer;   /* where the chosen channels' names begin: "ViewLayer.Combined.R" */
    size_t layer_length; /* up to the last dot; 0 = no layer */
} QbExr;

/* What follows the layer in a channel's name. */
static inline const char *qb_exr_own_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/* Refuses headers that end early or would cost the library more than they are worth. At least 8
 * bytes of data. */
QbStatus qb_exr_scan_header(const QbDecodeJob *job);

/* Finds the part and the channels to read by job->layer. */
QbStatus qb_exr_choose(QbExr *exr);

/* Whether a packed PIZ chunk may be given to the library: that its codes are some that an encoder
 * would make for so many bytes. */
bool qb_exr_piz_is_sane(const uint8_t *data, size_t size, uint64_t unpacked_bytes);

/* Exactly n values from a block of Huffman codes, header and table included. name: for messages. */
QbStatus qb_exr_huffman_decode(uint16_t *out, size_t n, const uint8_t *data, size_t size,
                               const char *name);

/* Unpacks a DWAA or DWAB chunk of width x height pixels of all channels of the part: row by row,
 * within a row channel by channel, all without subsampling. */
QbStatus qb_exr_dwa_unpack(QbExr *exr, uint8_t *out, const uint8_t *data, size_t size, int width,
                           int height);

/* The samples per pixel that Cycles writes into the header; 0 = not told. */
int64_t qb_exr_samples(const QbExr *exr);

/* CIE x and y of red, green, blue and white; false = the header does not name them. */
bool qb_exr_primaries(double out[8], const QbExr *exr);

#endif
