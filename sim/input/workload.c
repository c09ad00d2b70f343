/* The two forms of a workload file, and a bare config.json. */
#include "input/workload.h"

#include "base/text.h"
#include "input/json_read.h"
#include "input/layers.h"
#include "input/llm.h"
#include "input/quant_config.h"

#include <stddef.h>
#include <string.h>

static const char *const list_keys[] = {"name", "source", "layers", NULL};
#define MODEL_KEYS                                                                                           \
    "model", "phase", "batch", "prompt_tokens", "context_tokens", "new_tokens", "chunk_tokens",              \
        "draft_tokens", "mla", "merged_projections", "tensor_parallel", "pipeline_parallel", "expert_split"

static const char *const model_keys[] = {"name", "source", MODEL_KEYS, NULL};
/* For a file that is of no form: what it may have meant. */
static const char *const all_keys[] = {"name", "source", "layers", MODEL_KEYS, NULL};

/* ---- names and paths ------------------------------------------------------------------------------ */

/* "dir/llama.json" -> "llama"; NULL when memory is out. */
static const char *stem_of(const char *path, sim_arena *arena)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);

    if (length > 5 && strcmp(base + length - 5, ".json") == 0)
        length -= 5;
    return sim_arena_text(arena, base, length);
}

/* Every config.json has that name: there its own word for itself says more. */
static const char *config_name(const sim_json *root, const char *path, sim_arena *arena)
{
    const char *stem = stem_of(path, arena);
    const sim_json *own = sim_json_get(root, "_name_or_path");

    if (stem && strcmp(stem, "config") == 0 && own && own->type == SIM_JSON_TEXT && own->text[0])
        return own->text;
    return stem;
}

/* A relative path in a file counts from the file's folder. */
static char *path_beside(const char *file, const char *path, sim_arena *arena)
{
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || !slash)
        return sim_arena_text(arena, path, strlen(path));
    return sim_arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* ---- models --------------------------------------------------------------------------------------- */

static bool has(const sim_json *fields, const char *key)
{
    return fields && sim_json_get(fields, key);
}

/* A number that some phases take and others have no use for. */
typedef struct phase_number {
    const char *key, *option;
    bool needed; /* by these phases */
    unsigned phases;
    size_t in_request; /* int64_t of a sim_workload_request */
    size_t in_model;   /* of a sim_llm_request */
} phase_number;

#define IN(phase)    (1U << SIM_PHASE_##phase)
#define PLACE(field) offsetof(sim_workload_request, field), offsetof(sim_llm_request, field)

static const phase_number phase_numbers[] = {
    {"prompt_tokens", "--prompt", true, IN(PREFILL) | IN(GENERATE), PLACE(prompt_tokens)},
    {"context_tokens", "--context", true, IN(DECODE), PLACE(context_tokens)},
    {"new_tokens", "--new", true, IN(GENERATE), PLACE(new_tokens)},
    {"chunk_tokens", "--chunk", false, IN(PREFILL) | IN(GENERATE), PLACE(chunk_tokens)},
    {"draft_tokens", "--draft", false, IN(DECODE), PLACE(draft_tokens)},
};

#undef IN
#undef PLACE

enum { PHASE_NUMBERS = sizeof phase_numbers / sizeof *phase_numbers };

static int64_t asked(const sim_workload_request *by, const phase_number *number)
{
    return *(const int64_t *)((const char *)by + number->in_request);
}

static int64_t *taken(sim_llm_request *request, const phase_number *number)
{
    return (int64_t *)((char *)request + number->in_model);
}

/* What the command line says replaces what the file says. A file may hold numbers of several phases. */
static void override(sim_llm_request *request, const sim_workload_request *by)
{
    if (by->phase != SIM_PHASE_NONE)
        request->phase = by->phase;
    if (by->batch > 0)
        request->batch = by->batch;
    for (int i = 0; i < PHASE_NUMBERS; i++) {
        const phase_number *number = &phase_numbers[i];

        if (asked(by, number) > 0)
            *taken(request, number) = asked(by, number);
        else if (!(number->phases >> request->phase & 1U))
            *taken(request, number) = 0;
    }
    if (by->tensor_parallel > 0)
        request->tensor_parallel = by->tensor_parallel;
    if (by->pipeline_parallel > 0)
        request->pipeline_parallel = by->pipeline_parallel;
    if (by->mla != SIM_MLA_AUTO)
        request->mla = by->mla;
    request->merged |= by->merged_projections;
    request->full_attention = by->full_attention;
}

/* The tokens of a model of images are their patches. */
static bool is_image_part(const sim_json *config, const phase_number *number)
{
    return strcmp(number->key, "prompt_tokens") == 0 && has(config, "patch_size");
}

/* Reports what the phase needs and neither command line nor file gives, and what the command line gives that
 * it has no use for. `fields` is the file's object, NULL for a bare config.json; what is wrong in it has been
 * reported already. */
static void check_request(sim_json_reader *r, const sim_json *fields, const sim_json *config, int line,
                          sim_llm_request *request, const sim_workload_request *by)
{
    const char *phase = sim_phase_names[request->phase];

    if (request->phase == SIM_PHASE_NONE) {
        if (has(fields, "phase"))
            return;
        sim_json_error(r, SIM_BAD_INPUT, line, "a model needs a phase");
        sim_hint(r->err, "%s--phase: prefill, decode or generate",
                 fields ? "give \"phase\" in the file or " : "give ");
        return;
    }
    for (int i = 0; i < PHASE_NUMBERS; i++) {
        const phase_number *number = &phase_numbers[i];
        const bool taken_here = number->phases >> request->phase & 1U;
        const int64_t value = *taken(request, number);

        if (!taken_here && asked(by, number) > 0) {
            sim_json_error(r, SIM_USAGE, 0, "%s has no %s", phase, number->key);
            sim_hint(r->err, "'%s' is for %s", number->option,
                     number->phases >> SIM_PHASE_DECODE & 1U    ? "decode"
                     : number->phases >> SIM_PHASE_PREFILL & 1U ? "prefill and generate"
                                                                : "generate");
        }
        if (!taken_here || !number->needed || has(fields, number->key) || is_image_part(config, number))
            continue;
        if (value > 0 || (value == 0 && number->in_model == offsetof(sim_llm_request, context_tokens)))
            continue;
        sim_json_error(r, SIM_BAD_INPUT, line, "%s needs the number of %.*s tokens", phase,
                       (int)(strlen(number->key) - strlen("_tokens")), number->key);
        sim_hint(r->err, "give %s%s%s%s", fields ? "\"" : "", fields ? number->key : "",
                 fields ? "\" in the file or " : "", number->option);
    }
}

static void read_request(sim_json_reader *r, const sim_json *root, sim_llm_request *out)
{
    int phase = SIM_PHASE_NONE;
    static const char *const expert_splits[] = {"width", "experts", NULL};
    int split = 0;
    int mla = SIM_MLA_AUTO;

    sim_json_read_word(r, root, "phase", NULL, sim_phase_names, &phase);
    out->phase = (sim_phase)phase;
    sim_json_read_int(r, root, "batch", NULL, 1, INT64_MAX, &out->batch);
    sim_json_read_int(r, root, "prompt_tokens", NULL, 1, INT64_MAX, &out->prompt_tokens);
    sim_json_read_int(r, root, "context_tokens", NULL, 0, INT64_MAX, &out->context_tokens);
    sim_json_read_int(r, root, "new_tokens", NULL, 1, INT64_MAX, &out->new_tokens);
    sim_json_read_int(r, root, "chunk_tokens", NULL, 0, INT64_MAX, &out->chunk_tokens);
    sim_json_read_int(r, root, "draft_tokens", NULL, 0, INT64_MAX, &out->draft_tokens);
    sim_json_read_word(r, root, "mla", NULL, sim_mla_names, &mla);
    out->mla = (sim_mla)mla;
    sim_json_read_bool(r, root, "merged_projections", &out->merged);
    sim_json_read_int(r, root, "tensor_parallel", NULL, 1, SIM_DEVICES_MAX, &out->tensor_parallel);
    sim_json_read_int(r, root, "pipeline_parallel", NULL, 1, SIM_DEVICES_MAX, &out->pipeline_parallel);
    sim_json_read_word(r, root, "expert_split", NULL, expert_splits, &split);
    out->expert_parallel = split == 1;
}

/* Of a config.json without "model_type", too: that it lacks one is then what is said. */
static bool is_config(const sim_json *root)
{
    return sim_json_get(root, "model_type") || sim_json_get(root, "architectures") ||
           sim_json_get(root, "hidden_size");
}

/* A config.json may hold what Python writes for infinities; files of our own are strict JSON. */
static sim_status parse(const char *text, size_t length, const char *path, sim_arena *arena,
                        const sim_json **root, sim_err *err)
{
    sim_err strict = {0}, ignored = {0};
    sim_status status = sim_json_parse(text, length, path, arena, root, &strict);

    if (status == SIM_OK)
        return status;
    if (status == SIM_NO_MEMORY)
        return sim_fail(err, status, path, 0, "out of memory");
    if (sim_json_parse_python(text, length, path, arena, root, &ignored) == SIM_OK &&
        (*root)->type == SIM_JSON_OBJECT && is_config(*root))
        return SIM_OK;
    return sim_json_parse(text, length, path, arena, root, err);
}

/* The object of config.json fields that "model" holds or names; NULL after an error. *file changes with it.
 */
static const sim_json *find_model(sim_json_reader *r, const sim_json *model, sim_arena *arena,
                                  const char **file)
{
    const sim_json *config;
    sim_status status;
    char *path, *text;
    size_t length;

    if (model->type == SIM_JSON_OBJECT)
        return model;
    if (model->type != SIM_JSON_TEXT || model->text[0] == '\0') {
        sim_json_error(r, SIM_BAD_INPUT, model->line,
                       "'model' must be the path of a config.json or an object of its fields, not %s",
                       model->type == SIM_JSON_TEXT ? "an empty text" : sim_json_type_name(model->type));
        return NULL;
    }
    path = path_beside(r->file, model->text, arena);
    if (!path) {
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
        return NULL;
    }
    status = sim_text_read_file(path, SIM_JSON_FILE_MAX, arena, &text, &length, r->err);
    if (status == SIM_OK)
        status = parse(text, length, path, arena, &config, r->err);
    if (status == SIM_OK && config->type != SIM_JSON_OBJECT)
        status = sim_fail(r->err, SIM_BAD_INPUT, path, config->line, "a model must be an object, not %s",
                          sim_json_type_name(config->type));
    if (status != SIM_OK) {
        if (status == SIM_BAD_INPUT)
            sim_hint(r->err, "'model' of %s, line %d, names this file", r->file, model->line);
        r->status = r->status == SIM_OK ? status : r->status;
        return NULL;
    }
    *file = path;
    return config;
}

/* The hf_quant_config.json that lies beside a config.json; NULL: there is none that can be read. */
static const sim_json *quant_beside(const char *file, sim_arena *arena, const char **path)
{
    const char *slash = strrchr(file, '/');
    const sim_json *beside;
    sim_err ignored = {0};
    char *text;
    size_t length;

    if (strcmp(slash ? slash + 1 : file, "config.json") != 0)
        return NULL;
    *path = path_beside(file, "hf_quant_config.json", arena);
    if (!*path || sim_text_read_file(*path, SIM_JSON_FILE_MAX, arena, &text, &length, &ignored) != SIM_OK ||
        sim_json_parse(text, length, *path, arena, &beside, &ignored) != SIM_OK)
        return NULL;
    return beside;
}

/* The bits of the checkpoint, where the config says them. A method that is not understood is no error: a
 * policy may be given; the report says that it was passed over. */
static void read_quantization(sim_json_reader *r, const sim_json *config, const char *file, sim_arena *arena,
                              sim_workload *out)
{
    const char *beside_file = file;
    const sim_json *beside = quant_beside(file, arena, &beside_file);
    sim_err err = {0};
    sim_status status =
        sim_quant_config_apply(config, beside, file, beside_file, arena, (sim_layer *)out->layers,
                               out->layer_count, &out->quantized_by, &err);

    if (status == SIM_NO_MEMORY)
        sim_json_error(r, status, 0, "out of memory");
    else if (status != SIM_OK)
        out->quantization_unknown = sim_arena_text(arena, err.items[0].text, strlen(err.items[0].text));
}

static void read_model(sim_json_reader *r, const sim_json *root, const sim_json *model,
                       const sim_workload_request *request, sim_arena *arena, sim_workload *out)
{
    sim_llm_request llm = {.batch = 1, .context_tokens = -1};
    const sim_json *config;
    const char *file = r->file;
    sim_status status;

    if (model != root)
        read_request(r, root, &llm);
    override(&llm, request);
    config = find_model(r, model, arena, &file);
    check_request(r, model != root ? root : NULL, config, root->line, &llm, request);
    if (r->status != SIM_OK)
        return;
    status = sim_llm_expand(config, file, &llm, arena, out, r->err);
    if (status != SIM_OK)
        r->status = status;
    else
        read_quantization(r, config, file, arena, out);
}

/* ---- forms ---------------------------------------------------------------------------------------- */

static bool has_convolution(const sim_json *layers)
{
    for (const sim_json *layer = layers->child; layer; layer = layer->next) {
        const sim_json *op = layer->type == SIM_JSON_OBJECT ? sim_json_get(layer, "op") : NULL;

        if (op && op->type == SIM_JSON_TEXT && strcmp(op->text, sim_op_names[SIM_OP_CONV2D]) == 0)
            return true;
    }
    return false;
}

static void read_list(sim_json_reader *r, const sim_json *root, const sim_json *layers,
                      const sim_workload_request *request, sim_arena *arena, sim_workload *out)
{
    const bool images = request->batch > 0 && has_convolution(layers);
    bool of_model = request->phase != SIM_PHASE_NONE || (request->batch > 0 && !images) ||
                    request->tensor_parallel > 0 || request->pipeline_parallel > 0 ||
                    request->mla != SIM_MLA_AUTO || request->merged_projections;

    sim_json_check_keys(r, root, "a workload with 'layers'", list_keys);
    for (int i = 0; i < PHASE_NUMBERS; i++)
        of_model |= asked(request, &phase_numbers[i]) > 0;
    if (of_model)
        sim_json_error(
            r, SIM_USAGE, 0,
            "phase, %stokens, shares and ways of multiplying are a model's; this workload is a list "
            "of layers",
            images ? "" : "batch, ");
    sim_layers_read(r, layers, images ? request->batch : 0, arena, out);
}

/* The name that the file gives itself, else the file's own. */
static void read_name(sim_json_reader *r, const sim_json *root, sim_arena *arena, sim_workload *out)
{
    const char *unused;

    if (!sim_json_read_text(r, root, "name", NULL, &out->name))
        out->name = stem_of(r->file, arena);
    sim_json_read_text(r, root, "source", NULL, &unused); /* for people: where the shapes come from */
}

static void read_form(sim_json_reader *r, const sim_json *root, const sim_workload_request *request,
                      sim_arena *arena, sim_workload *out)
{
    const sim_json *layers = sim_json_get(root, "layers"), *model = sim_json_get(root, "model");

    if (layers && model) {
        sim_json_error(r, SIM_BAD_INPUT, model->line > layers->line ? model->line : layers->line,
                       "a workload has either 'layers' or 'model', not both");
    } else if (layers) {
        read_name(r, root, arena, out);
        read_list(r, root, layers, request, arena, out);
    } else if (model) {
        sim_json_check_keys(r, root, "a workload with 'model'", model_keys);
        read_name(r, root, arena, out);
        read_model(r, root, model, request, arena, out);
    } else if (is_config(root)) {
        out->name = config_name(root, r->file, arena);
        read_model(r, root, root, request, arena, out);
    } else {
        sim_json_check_keys(r, root, "a workload", all_keys);
        sim_json_error(r, SIM_BAD_INPUT, root->line, "a workload needs 'layers' or 'model'");
        sim_hint(r->err, "a config.json, with its 'model_type', is a workload too");
    }
}

static sim_status read_root(const sim_json *root, const char *path, const sim_workload_request *request,
                            sim_arena *arena, sim_workload *out, sim_err *err)
{
    static const sim_workload_request nothing = {0};
    sim_json_reader r = {.file = path, .err = err};

    if (root->type != SIM_JSON_OBJECT)
        return sim_fail(err, SIM_BAD_INPUT, path, root->line, "a workload must be an object, not %s",
                        sim_json_type_name(root->type));
    out->file = sim_arena_text(arena, path, strlen(path));
    read_form(&r, root, request ? request : &nothing, arena, out);
    if (!out->file || (r.status == SIM_OK && !out->name))
        sim_json_error(&r, SIM_NO_MEMORY, 0, "out of memory");
    return r.status;
}

/* ---- entry points --------------------------------------------------------------------------------- */

sim_status sim_workload_read(const char *text, size_t length, const char *path,
                             const sim_workload_request *request, sim_arena *arena, sim_workload *out,
                             sim_err *err)
{
    const sim_json *root;
    sim_status status = parse(text, length, path, arena, &root, err);

    *out = (sim_workload){0};
    return status == SIM_OK ? read_root(root, path, request, arena, out, err) : status;
}

sim_status sim_workload_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                             sim_workload *out, sim_err *err)
{
    char *text;
    size_t length;
    sim_status status = sim_text_read_file(path, SIM_JSON_FILE_MAX, arena, &text, &length, err);

    *out = (sim_workload){0};
    return status == SIM_OK ? sim_workload_read(text, length, path, request, arena, out, err) : status;
}
