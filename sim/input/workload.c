/* The two forms of a workload file, and a bare config.json. */
#include "input/workload.h"

#include "base/text.h"
#include "input/import_workload.h"
#include "input/json_read.h"
#include "input/layers.h"
#include "input/llm.h"
#include "input/quant_config.h"

#include <string.h>

static const char *const list_keys[] = {"name", "source", "layers", NULL};
static const char *const model_keys[] = {
    "name",          "source",         "model",      "phase",           "batch",
    "prompt_tokens", "context_tokens", "new_tokens", "tensor_parallel", NULL};
/* For a file that is of no form: what it may have meant. */
static const char *const all_keys[] = {
    "name",          "source",         "layers",     "model",           "phase", "batch",
    "prompt_tokens", "context_tokens", "new_tokens", "tensor_parallel", NULL};

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

/* Reports what the phase needs and neither command line nor file gives. `fields` is the file's object, NULL
 * for a bare config.json; what is wrong in it has been reported already. */
static void check_request(sim_json_reader *r, const sim_json *fields, int line,
                          const sim_llm_request *request)
{
    switch (request->phase) {
    case SIM_PHASE_NONE:
        if (has(fields, "phase"))
            break;
        sim_json_error(r, SIM_BAD_INPUT, line, "a model needs a phase");
        sim_hint(r->err, "%s--phase: prefill or decode", fields ? "give \"phase\" in the file or " : "give ");
        break;
    case SIM_PHASE_PREFILL:
        if (request->prompt_tokens > 0 || has(fields, "prompt_tokens"))
            break;
        sim_json_error(r, SIM_BAD_INPUT, line, "prefill needs the number of prompt tokens");
        sim_hint(r->err, "give %s--prompt", fields ? "\"prompt_tokens\" in the file or " : "");
        break;
    case SIM_PHASE_DECODE:
        if (request->context_tokens >= 0 || has(fields, "context_tokens"))
            break;
        sim_json_error(r, SIM_BAD_INPUT, line, "decode needs the number of context tokens");
        sim_hint(r->err, "give %s--context", fields ? "\"context_tokens\" in the file or " : "");
        break;
    default:
        sim_json_error(r, SIM_BAD_INPUT, line, "phase '%s' cannot be simulated",
                       sim_phase_names[request->phase]);
        sim_hint(r->err, "supported: prefill, decode");
        break;
    }
}

/* What the command line says replaces what the file says. */
static void override(sim_llm_request *request, const sim_workload_request *by)
{
    if (by->phase != SIM_PHASE_NONE)
        request->phase = by->phase;
    if (by->batch > 0)
        request->batch = by->batch;
    if (by->prompt_tokens > 0)
        request->prompt_tokens = by->prompt_tokens;
    if (by->context_tokens > 0)
        request->context_tokens = by->context_tokens;
    request->full_attention = by->full_attention;
}

static void read_request(sim_json_reader *r, const sim_json *root, sim_llm_request *out)
{
    int phase = SIM_PHASE_NONE;
    int64_t unused, parallel = 1;

    sim_json_read_word(r, root, "phase", NULL, sim_phase_names, &phase);
    out->phase = (sim_phase)phase;
    sim_json_read_int(r, root, "batch", NULL, 1, INT64_MAX, &out->batch);
    sim_json_read_int(r, root, "prompt_tokens", NULL, 1, INT64_MAX, &out->prompt_tokens);
    sim_json_read_int(r, root, "context_tokens", NULL, 0, INT64_MAX, &out->context_tokens);
    sim_json_read_int(r, root, "new_tokens", NULL, 1, INT64_MAX, &unused);
    if (sim_json_read_int(r, root, "tensor_parallel", NULL, 1, INT64_MAX, &parallel) && parallel > 1) {
        sim_json_error(r, SIM_BAD_INPUT, sim_json_get(root, "tensor_parallel")->line,
                       "'tensor_parallel' must be 1, not %lld", (long long)parallel);
        sim_hint(r->err, "one accelerator is simulated");
    }
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
static const sim_json *quant_beside(sim_json_reader *r, const char *file, sim_arena *arena, const char **path)
{
    const char *slash = strrchr(file, '/');
    const sim_json *beside;
    sim_err ignored = {0};
    sim_status status = SIM_NO_MEMORY;
    char *text;
    size_t length;

    if (strcmp(slash ? slash + 1 : file, "config.json") != 0)
        return NULL;
    *path = path_beside(file, "hf_quant_config.json", arena);
    if (*path)
        status = sim_text_read_file(*path, SIM_JSON_FILE_MAX, arena, &text, &length, &ignored);
    if (status == SIM_OK)
        status = sim_json_parse(text, length, *path, arena, &beside, &ignored);
    if (status == SIM_NO_MEMORY)
        sim_json_error(r, status, 0, "out of memory");
    return status == SIM_OK ? beside : NULL;
}

/* The bits of the checkpoint, where the config says them. A method that is not understood is no error: a
 * policy may be given; the report says that it was passed over. */
static void read_quantization(sim_json_reader *r, const sim_json *config, const char *file, sim_arena *arena,
                              sim_workload *out)
{
    const char *beside_file = file;
    const sim_json *beside = quant_beside(r, file, arena, &beside_file);
    sim_err err = {0};
    sim_status status =
        sim_quant_config_apply(config, beside, file, beside_file, arena, (sim_layer *)out->layers,
                               out->layer_count, &out->quantized_by, &err);

    if (status != SIM_OK && status != SIM_NO_MEMORY)
        out->quantization_unknown = sim_arena_text(arena, err.items[0].text, strlen(err.items[0].text));
    if (status == SIM_NO_MEMORY || (status != SIM_OK && !out->quantization_unknown))
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
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
    check_request(r, model != root ? root : NULL, root->line, &llm);
    config = find_model(r, model, arena, &file);
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

    sim_json_check_keys(r, root, "a workload with 'layers'", list_keys);
    if (request->phase != SIM_PHASE_NONE || (request->batch > 0 && !images) || request->context_tokens > 0 ||
        request->prompt_tokens > 0)
        sim_json_error(r, SIM_USAGE, 0,
                       "phase, %scontext and prompt are a model's; this workload is a list of layers",
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

sim_status sim_workload_of(const sim_json *root, const char *path, const sim_workload_request *request,
                           sim_arena *arena, sim_workload *out, sim_err *err)
{
    *out = (sim_workload){0};
    return read_root(root, path, request, arena, out, err);
}

sim_status sim_workload_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                             sim_workload *out, sim_err *err)
{
    char *text;
    size_t length;
    sim_status status;

    *out = (sim_workload){0};
    if (sim_import_wants(path))
        return sim_import_load(path, request, arena, out, err);
    status = sim_text_read_file(path, SIM_JSON_FILE_MAX, arena, &text, &length, err);
    return status == SIM_OK ? sim_workload_read(text, length, path, request, arena, out, err) : status;
}
