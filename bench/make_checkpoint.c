/* make_checkpoint.c: a folder as a model is published in, in the true shapes, with random weights:
 * for trying the converter and measuring speed at full size where the weights are not at hand.
 *
 *   make_checkpoint --arch llava|mplug_owl2 --size 7b|13b|tiny [--format safetensors|bin]
 *       [--layout original|original-no-tower|hf-old|hf-new] [--dtype f16|bf16|f32] [--shards N]
 *       [--tokenizer FILE] [--seed N] DIR
 *
 * Writes config.json, preprocessor_config.json, tokenizer.model (a copy of FILE, or one made up:
 * checkpoint_vocabulary.h) and the shards with their index; --layout is LLaVA's, original-no-tower
 * puts the tower into DIR/vision_tower. Weights are normal, scaled so that activations stay of
 * ordinary size through all layers. Every number comes from the seed and its own place alone:
 * threads, shards, formats and layouts do not change it. 13b in f16 takes 27 GB of disk. */
// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"
#include "bench/checkpoint_vocabulary.h"

#include <errno.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVELS = 65536, CHUNK_BYTES = 32 << 20, PATH_BYTES = 4096 };

typedef struct {
    const Shape *shape;
    Shape own; /* when the tokenizer given sets the vocabulary */
    const Layout *layout;
    PlanDtype dtype;
    bool bin;
    int shards; /* 0 = by size */
    uint64_t seed;
    const char *tokenizer, *folder;
    QbPool *pool;
    double quantiles[LEVELS]; /* of the normal distribution */
} Job;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("make_checkpoint: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

// ---- numbers ------------------------------------------------------------------------------------
/* x with P(X > x) = (LEVELS - i - 0.5) / LEVELS, by Newton from the value before. */
static void make_quantiles(double *z)
{
    double x = 0;
    for (int i = LEVELS / 2; i < LEVELS; i++) {
        double tail = (LEVELS - i - 0.5) / LEVELS;
        for (int step = 0; step < 12; step++)
            x += (0.5 * erfc(x * M_SQRT1_2) - tail) /
                 (exp(-0.5 * x * x) * M_2_SQRTPI * M_SQRT1_2 / 2);
        z[i] = x;
        z[LEVELS - 1 - i] = -x;
    }
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* To nearest, ties to even; |x| is far from the largest half. */
static uint16_t half_of(double x)
{
    int exponent;
    frexp(x, &exponent); /* |x| = 0.5 … 1 times 2^exponent */
    exponent = exponent < -13 ? -13 : exponent;
    int steps = (int)nearbyint(ldexp(fabs(x), 11 - exponent)); /* of 2^(exponent - 11) */
    int bits = steps < 1024 ? steps : (exponent + 13) * 1024 + steps;
    return (uint16_t)((x < 0 ? 0x8000 : 0) | bits);
}

static uint16_t bfloat_of(double x)
{
    float value = (float)x;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

typedef struct {
    uint64_t key;
    int64_t first, n;         /* values of this chunk; first is a multiple of 4 */
    const uint16_t *levels16; /* the type's bits for each of the LEVELS */
    const float *levels32;
    void *out;
} Fill;

enum { FILL_GRAIN = 1 << 14 };

static void fill_part(int begin, int end, int thread, void *user)
{
    (void)thread;
    const Fill *f = user;
    int64_t last = (int64_t)end * FILL_GRAIN < f->n ? (int64_t)end * FILL_GRAIN : f->n;
    for (int64_t i = (int64_t)begin * FILL_GRAIN; i < last; i += 4) {
        uint64_t four = mix(f->key + ((uint64_t)(f->first + i) / 4 + 1) * 0x9e3779b97f4a7c15u);
        int n = last - i < 4 ? (int)(last - i) : 4;
        for (int j = 0; j < n; j++, four >>= 16) {
            if (f->levels16)
                ((uint16_t *)f->out)[i + j] = f->levels16[four & 0xffff];
            else
                ((float *)f->out)[i + j] = f->levels32[four & 0xffff];
        }
    }
}

static void count_up(int64_t *out, int64_t first, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = first + i;
}

/* Streams a tensor's bytes, to zip when there is one, else to file. */
static void write_tensor(Job *job, const PlanTensor *t, FILE *file, Zip *zip)
{
    static uint64_t chunk[CHUNK_BYTES / 8];
    static uint16_t levels16[LEVELS];
    static float levels32[LEVELS];
    bool wide = t->dtype == PLAN_F32;
    for (int i = 0; i < LEVELS && t->dtype != PLAN_I64; i++) {
        double x = (double)t->mean + (double)t->deviation * job->quantiles[i];
        levels32[i] = (float)x;
        levels16[i] = t->dtype == PLAN_F16 ? half_of(x) : bfloat_of(x);
    }
    int64_t step = CHUNK_BYTES / plan_dtype_bytes(t->dtype);
    for (int64_t at = 0; at < t->n_values; at += step) {
        int64_t n = t->n_values - at < step ? t->n_values - at : step;
        size_t bytes = (size_t)(n * plan_dtype_bytes(t->dtype));
        Fill fill = {mix(job->seed) + mix(t->key), at, n, wide ? NULL : levels16, levels32, chunk};
        if (t->dtype == PLAN_I64)
            count_up((int64_t *)chunk, at, n);
        else
            qb_pool_run(job->pool, fill_part, &fill, (int)((n + FILL_GRAIN - 1) / FILL_GRAIN), 16);
        if (zip)
            zip_data(zip, chunk, bytes);
        else if (fwrite(chunk, 1, bytes, file) != bytes)
            die("cannot write %s: %s", t->name, strerror(errno));
    }
}

// ---- files --------------------------------------------------------------------------------------
static FILE *create(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        die("%s: too long a path", folder);
    FILE *file = fopen(path, "wb+");
    if (!file)
        die("cannot write %s: %s", path, strerror(errno));
    return file;
}

static void finish(FILE *file, const char *name)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) || failed)
        die("cannot write %s: %s", name, strerror(errno));
}

static void write_json(const char *folder, const char *name, json_t *value)
{
    FILE *file = create(folder, name);
    if (!value || json_dumpf(value, file, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
        die("cannot write %s", name);
    fputc('\n', file);
    finish(file, name);
    json_decref(value);
}

static void write_safetensors(Job *job, FILE *file, const PlanTensor *tensors, int n)
{
    Bytes header = safetensors_header(tensors, n);
    fwrite(header.data, 1, header.n, file);
    free(header.data);
    for (int i = 0; i < n; i++)
        write_tensor(job, &tensors[i], file, NULL);
}

static void write_bin(Job *job, FILE *file, const char *name, const PlanTensor *tensors, int n)
{
    Zip zip;
    char stem[64], entry[96];
    snprintf(stem, sizeof stem, "%.*s", (int)strcspn(name, "."), name);
    Bytes state = pickle_state(tensors, n);
    zip_open(&zip, file, n + 2);
    snprintf(entry, sizeof entry, "%s/data.pkl", stem);
    zip_entry(&zip, entry, state.data, state.n);
    free(state.data);
    for (int i = 0; i < n; i++) {
        snprintf(entry, sizeof entry, "%s/data/%d", stem, i);
        zip_begin_entry(&zip, entry, (uint64_t)plan_tensor_bytes(&tensors[i]));
        write_tensor(job, &tensors[i], file, &zip);
        zip_end_entry(&zip);
    }
    snprintf(entry, sizeof entry, "%s/version", stem);
    zip_entry(&zip, entry, "3\n", 2);
    if (!zip_close(&zip))
        die("cannot write %s: %s", name, strerror(errno));
}

static void write_shards(Job *job, const char *folder, const Plan *plan)
{
    const char *stem = job->bin ? "pytorch_model" : "model";
    const char *end = job->bin ? "bin" : "safetensors";
    int64_t total = 0, done = 0;
    for (int i = 0; i < plan->n; i++)
        total += plan_tensor_bytes(&plan->tensors[i]);
    int shards = job->shards ? job->shards : (int)(total / 10000000000) + 1; /* as published */
    shards = shards < plan->n ? shards : plan->n;
    json_t *map = json_object();
    char name[96];
    for (int shard = 0, first = 0, next; shard < shards; shard++, first = next) {
        next = first;
        do
            done += plan_tensor_bytes(&plan->tensors[next++]);
        while (plan->n - next > shards - shard - 1 &&
               (done < total / shards * (shard + 1) || shard == shards - 1));
        snprintf(name, sizeof name, "%s-%05d-of-%05d.%s", stem, shard + 1, shards, end);
        if (shards == 1)
            snprintf(name, sizeof name, "%s.%s", stem, end);
        for (int i = first; i < next; i++)
            json_object_set_new(map, plan->tensors[i].name, json_string(name));
        FILE *file = create(folder, name);
        if (job->bin)
            write_bin(job, file, name, plan->tensors + first, next - first);
        else
            write_safetensors(job, file, plan->tensors + first, next - first);
        finish(file, name);
        fprintf(stderr, "%s: %d tensors, %.2f of %.2f GB\n", name, next - first,
                (double)done * 1e-9, (double)total * 1e-9);
    }
    snprintf(name, sizeof name, "%s.%s.index.json", stem, end);
    if (shards > 1)
        write_json(folder, name,
                   json_pack("{s:{s:I},s:O}", "metadata", "total_size", (json_int_t)total,
                             "weight_map", map));
    json_decref(map);
}

static uint8_t *read_whole(size_t *n, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) || !S_ISREG(info.st_mode))
        die("cannot read %s: %s", path, strerror(errno));
    *n = (size_t)info.st_size;
    uint8_t *data = malloc(*n + 1);
    if (!data || fread(data, 1, *n, file) != *n)
        die("cannot read %s", path);
    fclose(file);
    return data;
}

static void write_tokenizer(Job *job)
{
    Bytes model = {0};
    if (job->tokenizer) {
        model.data = read_whole(&model.n, job->tokenizer);
        int n = vocabulary_count(model.data, model.n);
        if (n < 1 || (n != job->shape->vocab && strcmp(job->shape->size, "tiny")))
            die("%s has %d pieces, %d are expected", job->tokenizer, n, job->shape->vocab);
        job->own = *job->shape;
        job->own.vocab = n;
        job->shape = &job->own;
    } else {
        model = vocabulary_model(job->shape->vocab);
    }
    FILE *file = create(job->folder, "tokenizer.model");
    fwrite(model.data, 1, model.n, file);
    finish(file, "tokenizer.model");
    free(model.data);
}

// ---- config.json --------------------------------------------------------------------------------
static json_t *processor_config(const Shape *s)
{
    return json_pack("{s:{s:i,s:i},s:b,s:b,s:b,s:s,s:s,s:[f,f,f],s:[f,f,f],s:i,s:{s:i}}",
                     "crop_size", "height", s->image, "width", s->image, "do_center_crop", 1,
                     "do_normalize", 1, "do_resize", 1, "feature_extractor_type",
                     "CLIPFeatureExtractor", "image_processor_type", "CLIPImageProcessor",
                     "image_mean", 0.48145466, 0.4578275, 0.40821073, "image_std", 0.26862954,
                     0.26130258, 0.27577711, "resample", 3, "size", "shortest_edge", s->image);
}

static const char *const dtype_names[] = {"float16", "bfloat16", "float32"};

static json_t *decoder_config(const Shape *s, const char *model_type, const char *class_name,
                              int vocab, double epsilon, PlanDtype dtype)
{
    return json_pack(
        "{s:[s],s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:s,s:f,s:f,s:i,s:i,s:i,s:b,s:s}", "architectures",
        class_name, "model_type", model_type, "hidden_size", s->width, "intermediate_size", s->ff,
        "num_hidden_layers", s->layers, "num_attention_heads", s->heads, "num_key_value_heads",
        s->kv_heads, "vocab_size", vocab, "hidden_act", "silu", "rms_norm_eps", epsilon,
        "rope_theta", 10000.0, "max_position_embeddings",
        strcmp(model_type, "mplug_owl2") ? 4096 : 2048, "bos_token_id", 1, "eos_token_id", 2,
        "tie_word_embeddings", 0, "torch_dtype", dtype_names[dtype]);
}

static json_t *clip_config(const Shape *s, const char *model_type, double epsilon)
{
    return json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:s,s:f}", "model_type", model_type,
                     "hidden_size", s->v_width, "intermediate_size", s->v_ff, "num_hidden_layers",
                     s->v_layers, "num_attention_heads", s->v_heads, "image_size", s->image,
                     "patch_size", s->patch, "projection_dim", 768, "hidden_act", "quick_gelu",
                     "layer_norm_eps", epsilon);
}

static json_t *llava_config(const Job *job)
{
    const Shape *s = job->shape;
    const Layout *l = job->layout;
    if (!l->hugging_face) {
        json_t *c = decoder_config(s, "llava", "LlavaLlamaForCausalLM", s->vocab, 1e-5, job->dtype);
        json_t *more = json_pack("{s:s,s:i,s:s,s:s,s:i,s:b,s:b,s:s,s:i,s:b}", "mm_vision_tower",
                                 "openai/clip-vit-large-patch14-336", "mm_vision_select_layer", -2,
                                 "mm_vision_select_feature", "patch", "mm_projector_type",
                                 "mlp2x_gelu", "mm_hidden_size", s->v_width, "mm_use_im_start_end",
                                 0, "mm_use_im_patch_token", 0, "image_aspect_ratio", "pad",
                                 "pad_token_id", 0, "use_mm_proj", 1);
        json_object_update(c, more);
        json_decref(more);
        /* Published checkpoints have CLIP-L inside and need not say so; the tiny tower is another.
         */
        if (!l->tower_apart && !strcmp(s->size, "tiny"))
            json_object_set_new(c, "vision_config", clip_config(s, "clip_vision_model", 1e-5));
        return c;
    }
    int vocab = s->vocab + l->filler_rows;
    return json_pack(
        "{s:[s],s:s,s:i,s:i,s:i,s:s,s:s,s:o,s:o,s:s}", "architectures",
        "LlavaForConditionalGeneration", "model_type", "llava", "image_token_index", s->vocab,
        "pad_token_id", s->vocab + 1, "vision_feature_layer", -2, "vision_feature_select_strategy",
        "default", "projector_hidden_act", "gelu", "text_config",
        decoder_config(s, "llama", "LlamaForCausalLM", vocab, 1e-5, job->dtype), "vision_config",
        clip_config(s, "clip_vision_model", 1e-5), "torch_dtype", dtype_names[job->dtype]);
}

static json_t *owl_config(const Job *job)
{
    const Shape *s = job->shape;
    json_t *c =
        decoder_config(s, "mplug_owl2", "MPLUGOwl2LlamaForCausalLM", s->vocab, 1e-6, job->dtype);
    json_object_set_new(
        c, "visual_config",
        json_pack("{s:o,s:{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:f}}", "visual_model",
                  clip_config(s, "mplug_owl_vision_model", 1e-6), "visual_abstractor", "model_type",
                  "mplug_owl_visual_abstract", "num_learnable_queries", s->queries, "hidden_size",
                  s->v_width, "num_hidden_layers", s->a_layers, "num_attention_heads", s->v_heads,
                  "intermediate_size", s->a_ff, "encoder_hidden_size", s->v_width, "grid_size",
                  s->image / s->patch, "layer_norm_eps", 1e-6));
    json_object_set_new(c, "image_aspect_ratio", json_string("pad"));
    return c;
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) && errno != EEXIST)
        die("cannot make %s: %s", path, strerror(errno));
}

static void make_llava(Job *job)
{
    Plan rest = {.dtype = job->dtype}, tower = {.dtype = job->dtype};
    char folder[PATH_BYTES];
    const Shape *s = job->shape;
    bool apart = job->layout->tower_apart;
    plan_llava(&rest, apart ? &tower : &rest, s, job->layout,
               job->bin && !job->layout->hugging_face);
    write_json(job->folder, "config.json", llava_config(job));
    write_shards(job, job->folder, &rest);
    if (apart) {
        snprintf(folder, sizeof folder, "%s/vision_tower", job->folder);
        make_folder(folder);
        write_json(folder, "config.json",
                   json_pack("{s:[s],s:s,s:o}", "architectures", "CLIPModel", "model_type", "clip",
                             "vision_config", clip_config(s, "clip_vision_model", 1e-5)));
        write_json(folder, "preprocessor_config.json", processor_config(s));
        job->shards = 1;
        write_shards(job, folder, &tower);
    }
    free(rest.tensors);
    free(tower.tensors);
}

static void make_owl(Job *job)
{
    Plan plan = {.dtype = job->dtype};
    plan_owl(&plan, job->shape, job->bin);
    write_json(job->folder, "config.json", owl_config(job));
    write_shards(job, job->folder, &plan);
    free(plan.tensors);
}

// ---- command line -------------------------------------------------------------------------------
static int one_of(const char *option, const char *value, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(value, names[i]))
            return i;
    die("--%s %s is not known; the head of bench/make_checkpoint.c has the list", option, value);
}

static int64_t number(const char *option, const char *value)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno || *end || end == value || n < 0)
        die("--%s %s is not a number", option, value);
    return n;
}

static void parse(Job *job, int argc, char **argv)
{
    static const char *const formats[] = {"safetensors", "bin"};
    static const char *const dtypes[] = {"f16", "bf16", "f32"};
    static const char names[] = "afldstrn"; /* what getopt_long gives back, in options' order */
    static const struct option options[] = {
        {"arch", 1, NULL, 'a'},  {"format", 1, NULL, 'f'}, {"layout", 1, NULL, 'l'},
        {"dtype", 1, NULL, 'd'}, {"size", 1, NULL, 's'},   {"tokenizer", 1, NULL, 't'},
        {"seed", 1, NULL, 'r'},  {"shards", 1, NULL, 'n'}, {0}};
    const char *value[8] = {"llava", "safetensors", "original", "f16", "7b", NULL, "1", "0"};
    enum { ARCH, FORMAT, LAYOUT, DTYPE, SIZE, TOKENIZER, SEED, SHARDS };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        const char *at = c == '?' ? NULL : strchr(names, c);
        if (!at)
            exit(2);
        value[at - names] = optarg;
    }
    if (argc - optind != 1)
        die("one folder is expected; the head of bench/make_checkpoint.c tells how");
    const char *layout_names[sizeof layouts / sizeof *layouts];
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        layout_names[i] = layouts[i].name;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!strcmp(shapes[i].arch, value[ARCH]) && !strcmp(shapes[i].size, value[SIZE]))
            job->shape = &shapes[i];
    if (!job->shape)
        die("there is no %s of size %s", value[ARCH], value[SIZE]);
    job->bin = one_of("format", value[FORMAT], formats, 2) == 1;
    job->dtype = (PlanDtype)one_of("dtype", value[DTYPE], dtypes, 3);
    job->layout = &layouts[one_of("layout", value[LAYOUT], layout_names,
                                  (int)(sizeof layouts / sizeof *layouts))];
    job->tokenizer = value[TOKENIZER];
    job->seed = (uint64_t)number("seed", value[SEED]);
    job->shards = (int)number("shards", value[SHARDS]);
    job->folder = argv[optind];
}

int main(int argc, char **argv)
{
    static Job job;
    parse(&job, argc, argv);
    if (qb_pool_new(&job.pool, (int)sysconf(_SC_NPROCESSORS_ONLN)))
        die("%s", qb_last_error());
    make_quantiles(job.quantiles);
    make_folder(job.folder);
    write_tokenizer(&job);
    write_json(job.folder, "preprocessor_config.json", processor_config(job.shape));
    if (strcmp(job.shape->arch, "llava"))
        make_owl(&job);
    else
        make_llava(&job);
    qb_pool_free(&job.pool);
    return 0;
}
