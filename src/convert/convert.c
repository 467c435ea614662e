/* convert.c: a published checkpoint into one GGUF file.
 *
 *   config.json -> architecture and sizes;  tokenizer.model -> vocabulary
 *   tables of names (llava.c, mplug_owl2.c) -> plan: every tensor found, its shape checked, nothing
 *   left over;  keys and tensor descriptions;  data, streamed;  the file gets its name at last
 *
 * All that can be wrong without looking at values is found before the first byte is written. */
// SPDX-License-Identifier: Apache-2.0
#include <qboost/convert.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/utf8.h"
#include "convert/architecture.h"
#include "convert/keys.h"
#include "convert/names.h"
#include "convert/preset.h"
#include "convert/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct {
    QbConversion c;
    const QbConvertArch *arch;
    const QbVariant *variant;
    QbSentencePieceModel vocabulary;
    uint8_t *vocabulary_data; /* owned */
} Job;

void qb_convert_options_init(QbConvertOptions *options)
{
    *options = (QbConvertOptions){.size = sizeof *options};
}

static bool folder_has(const char *folder, const char *name)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           !access(path, F_OK);
}

static QbStatus refuse_adapters(const char *folder)
{
    if (!folder_has(folder, "adapter_config.json"))
        return QB_OK;
    return qb_fail(
        QB_ERR_UNSUPPORTED,
        "%s: has adapter_config.json: a LoRA adapter is not a whole model; merge it into "
        "its base model (PEFT's merge_and_unload, or LLaVA's merge_lora_weights.py), "
        "save that and convert the result",
        folder);
}

static QbStatus refuse_quantised(const QbConfigFile *config)
{
    QbConfigNode root = qb_config_root(config), quantisation;
    const char *method = "quantised";
    QbStatus status;
    if ((status = qb_config_child(&quantisation, &root, "quantization_config",
                                  "quantization_config.")) ||
        (status = qb_config_text(&method, &quantisation, "quant_method")))
        return status;
    if (!quantisation.object)
        return QB_OK;
    return qb_fail(QB_ERR_UNSUPPORTED,
                   "%s: has a quantization_config (%s); convert the 16-bit checkpoint, with a type "
                   "such as q4_k if it is to be small",
                   config->path, method);
}

/* config.json: which architecture, its sizes, and how it is asked. */
static QbStatus read_configs(Job *job, const QbConvertOptions *options)
{
    QbConversion *c = &job->c;
    QbStatus status;
    if ((status = refuse_adapters(c->folder)) ||
        (status = qb_config_open(&c->config, c->folder, "config.json", true)) ||
        (status = refuse_quantised(&c->config)) ||
        (status = qb_convert_arch_find(&job->arch, &c->config)))
        return status;
    if (c->tower_folder && !job->arch->takes_tower_folder)
        return qb_fail(QB_ERR_ARG, "%s: has its own vision tower; leave %s out", c->folder,
                       c->tower_folder);
    if (c->tower_folder &&
        (status = qb_config_open(&c->tower_config, c->tower_folder, "config.json", true)))
        return status;
    const char *preset = options->preset ? options->preset : job->arch->guess_preset(c);
    if ((status = qb_preset_choose(&job->variant, preset, job->arch->name, c->folder)) ||
        (status = job->arch->read_config(c)))
        return status;
    bool found = false;
    status = qb_pixel_config_read(&c->pixels, &found, c->folder, c->tower.image_size);
    if (!status && !found && c->tower_folder)
        status = qb_pixel_config_read(&c->pixels, &found, c->tower_folder, c->tower.image_size);
    return status;
}

static QbStatus make_plan(Job *job)
{
    QbConversion *c = &job->c;
    QbStatus status;
    if ((status = qb_vocabulary_read(&job->vocabulary, &job->vocabulary_data, c->folder)) ||
        (status = qb_checkpoint_open(&c->checkpoint, c->folder)) ||
        (c->tower_folder && (status = qb_checkpoint_open(&c->tower_checkpoint, c->tower_folder))))
        return status;
    c->n_tokens = job->vocabulary.n;
    if ((status = job->arch->plan(c)) ||
        (status = qb_plan_check_leftovers(&c->plan, c->checkpoint)))
        return status;
    return c->tower_checkpoint ? qb_plan_check_leftovers(&c->plan, c->tower_checkpoint) : QB_OK;
}

/* Whether path is the file that the converter reads under that name in the folder. */
static bool is_file_of(const char *folder, const char *name, const char *path)
{
    char full[4096];
    struct stat a, b;
    return snprintf(full, sizeof full, "%s/%s", folder, name) < (int)sizeof full &&
           !stat(full, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The output would take the place of what it is made of. */
static QbStatus refuse_input(const QbConversion *c, const char *out_path)
{
    static const char *const texts[] = {"config.json", "preprocessor_config.json",
                                        "tokenizer.model", "model.safetensors.index.json",
                                        "pytorch_model.bin.index.json"};
    bool input = qb_checkpoint_has_file(c->checkpoint, out_path) ||
                 (c->tower_checkpoint && qb_checkpoint_has_file(c->tower_checkpoint, out_path));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        input = input || is_file_of(c->folder, texts[i], out_path) ||
                (c->tower_folder && is_file_of(c->tower_folder, texts[i], out_path));
    if (!input)
        return QB_OK;
    return qb_fail(QB_ERR_ARG, "%s: is a file of the checkpoint; choose another name for the model",
                   out_path);
}

/* What was asked for, or the folder's last name, whatever way it is written; bytes that are not
 * UTF-8 become '?'. *out: owned. */
static QbStatus choose_name(char **out, const char *wanted, const char *folder)
{
    char *whole = wanted ? NULL : realpath(folder, NULL);
    const char *path = whole ? whole : folder, *slash = strrchr(path, '/');
    *out = qb_strdup(wanted ? wanted : slash && slash[1] ? slash + 1 : path);
    free(whole);
    for (unsigned char *at = (unsigned char *)*out; at && *at;) {
        size_t length = qb_utf8_character(at, strlen((char *)at));
        if (!length)
            *at = '?';
        at += length ? length : 1;
    }
    return *out ? QB_OK : QB_ERR_NOMEM;
}

static QbStatus describe(Job *job, QbGgufWriter *w, const char *name)
{
    const QbConversion *c = &job->c;
    qb_gguf_put_string(w, "general.architecture", job->arch->name);
    qb_gguf_put_string(w, "general.name", name);
    qb_llama_put_keys(c, w, job->arch->name);
    qb_clip_put_keys(c, w);
    if (job->arch->put_keys)
        job->arch->put_keys(c, w);
    qb_manners_put_keys(job->variant, w);
    QbStatus status = qb_vocabulary_put_keys(&job->vocabulary, w);
    for (int i = 0; i < c->plan.n; i++) {
        const QbPlanTensor *t = &c->plan.tensors[i];
        qb_gguf_declare(w, t->name, t->type, t->n_dims, t->ne);
    }
    return status;
}

/* Gigabytes that will not fit are told before they are written. */
static QbStatus check_space(const char *out_path, FILE *stream, int64_t bytes)
{
    struct stat info;
    struct statvfs disk;
    int fd = fileno(stream);
    if (fstat(fd, &info) || !S_ISREG(info.st_mode) || fstatvfs(fd, &disk))
        return QB_OK;
    double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    if ((double)bytes <= free_bytes)
        return QB_OK;
    return qb_fail(QB_ERR_IO, "%s: %.1f MB are to be written, and its disk has %.1f MB free",
                   out_path, (double)bytes * 1e-6, free_bytes * 1e-6);
}

static QbStatus write_file(Job *job, const char *out_path, const char *name,
                           const QbConvertOptions *options)
{
    QbAtomicFile file = {0};
    QbGgufWriter *writer = NULL;
    QbPool *pool = NULL;
    QbStatus status;
    if ((status = qb_pool_new(&pool, options->threads ? options->threads : qb_cpu_count())) ||
        (status = qb_atomic_file_open(&file, out_path)) ||
        (status = qb_gguf_writer_new(&writer, file.stream, out_path)) ||
        (status = describe(job, writer, name)) ||
        (status = check_space(out_path, file.stream, qb_gguf_writer_total_bytes(writer))) ||
        (status = qb_gguf_writer_begin(writer)) ||
        (status = qb_stream_tensors(&job->c.plan, writer, pool, options)) ||
        (status = qb_gguf_writer_end(writer)))
        goto fail;
    status = qb_atomic_file_commit(&file);
fail:
    if (status)
        qb_atomic_file_abandon(&file);
    qb_gguf_writer_free(&writer);
    qb_pool_free(&pool);
    return status;
}

static void job_deinit(Job *job)
{
    qb_plan_deinit(&job->c.plan);
    qb_sentencepiece_model_deinit(&job->vocabulary);
    qb_free(job->vocabulary_data);
    qb_checkpoint_close(&job->c.checkpoint);
    qb_checkpoint_close(&job->c.tower_checkpoint);
    qb_config_close(&job->c.config);
    qb_config_close(&job->c.tower_config);
}

static QbStatus check_options(const QbStorage **storage, const QbConvertOptions *options)
{
    if (options->size != sizeof *options)
        return qb_fail(QB_ERR_ARG,
                       "qb_convert: options were not set up by qb_convert_options_init");
    if (options->threads < 0)
        return qb_fail(QB_ERR_ARG, "%d threads wanted", options->threads);
    *storage = qb_storage_find(options->type ? options->type : "f16");
    if (*storage)
        return QB_OK;
    char known[256];
    qb_names_join(known, sizeof known, qb_convert_type_name);
    return qb_fail(QB_ERR_ARG, "there is no type \"%s\"; choose one: %s", options->type, known);
}

QbStatus qb_convert(const char *folder, const char *out_path, const QbConvertOptions *options)
{
    QbConvertOptions defaults;
    qb_convert_options_init(&defaults);
    if (!options)
        options = &defaults;
    if (!folder || !out_path)
        return qb_fail(QB_ERR_ARG, "qb_convert: folder or out_path is NULL");
    const QbStorage *storage;
    char *name = NULL;
    QbStatus status = check_options(&storage, options);
    if (status)
        return status;
    Job *job = qb_calloc(1, sizeof *job);
    if (!job)
        return QB_ERR_NOMEM;
    job->c.folder = folder;
    job->c.tower_folder = options->vision_tower;
    job->c.plan.folder = folder;
    job->c.plan.storage = storage;
    (void)((status = read_configs(job, options)) || (status = make_plan(job)) ||
           (status = refuse_input(&job->c, out_path)) ||
           (status = choose_name(&name, options->name, folder)) ||
           (status = write_file(job, out_path, name, options)));
    if (!status && options->out_variant)
        *options->out_variant = job->variant->name;
    job_deinit(job);
    qb_free(job);
    qb_free(name);
    return status;
}
