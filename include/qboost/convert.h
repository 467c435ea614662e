/* convert.h: a published checkpoint (a Hugging Face folder) into one GGUF file that qb_model_open
 * takes.
 *
 * Reads config.json, safetensors or PyTorch .bin shards and tokenizer.model; executes nothing;
 * streams tensor by tensor, so memory stays small whatever the size. The output appears whole or
 * not at all. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QBOOST_CONVERT_H
#define QBOOST_CONVERT_H

#include <qboost/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QbConvertOptions {
    size_t size;      /* set by qb_convert_options_init */
    const char *type; /* of the decoder's matrices: a name of qb_convert_type_name; NULL = "f16" */
    const char *preset;       /* a name of qb_convert_preset_name; NULL = told by config.json, or
                                 QB_ERR_ARG with the list when that cannot tell */
    const char *vision_tower; /* folder with the CLIP tower, for checkpoints without; or NULL */
    const char *name;         /* general.name of the file; NULL = the folder's name */
    int threads;              /* 0 = all CPUs; the file does not depend on it, to the byte */
    /* Called now and then with what has been written of the tensors' bytes, and the tensor's name;
     * anything but 0 stops the conversion with QB_ERR_CANCELLED. May be NULL. */
    int (*progress)(int64_t done_bytes, int64_t total_bytes, const char *tensor, void *user);
    void *user;
    /* Where the name of the variant that the file will be asked by is put on success (borrowed from
     * the library), for the caller to tell; or NULL. */
    const char **out_variant;
} QbConvertOptions;

QB_API void qb_convert_options_init(QbConvertOptions *options);

/* folder: the checkpoint. out_path: the file to write; replaced when it exists, unless it is one of
 * the checkpoint's. options: NULL for defaults. All texts are read during the call only. Files of
 * the folder must not be replaced meanwhile; one that is cut short is an error.
 *
 * The text of a failure names file, and tensor or field. QB_ERR_ARG: options, a preset or a vision
 * tower that is needed or does not fit. QB_ERR_IO: a file that is missing, cannot be read or
 * written. QB_ERR_FORMAT: damaged, or not what config.json says. QB_ERR_UNSUPPORTED: a network,
 * layout or setting that cannot be converted. QB_ERR_LIMIT, QB_ERR_NOMEM, QB_ERR_CANCELLED. */
QB_API QbStatus qb_convert(const char *folder, const char *out_path,
                           const QbConvertOptions *options);

/* What there is: name and one line of help; NULL past the last one. Borrowed from the library. */
QB_API const char *qb_convert_type_name(int index);
QB_API const char *qb_convert_type_help(int index);
QB_API const char *qb_convert_preset_name(int index);
QB_API const char *qb_convert_preset_help(int index);

#ifdef __cplusplus
}
#endif
#endif
