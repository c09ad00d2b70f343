/* Which kind of file a path is, and what lies beside it. */
#include "input/import.h"

#include "base/text.h"
#include "input/json_tree.h"

#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool sim_import_wants(const char *path)
{
    return sim_checkpoint_kind_of(path) != SIM_CHECKPOINT_NONE || ends_with(path, ".csv") ||
           ends_with(path, ".onnx") || is_folder(path);
}

static sim_status no_memory(const char *path, sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
}

/* ---- names ----------------------------------------------------------------------------------------- */

/* The last part of a path, without slashes and what ends a file's name; NULL when memory is out. */
static const char *stem_of(const char *path, sim_arena *arena)
{
    static const char *const ends[] = {
        ".safetensors.index.json", ".safetensors", ".gguf", ".json", ".csv", NULL};
    size_t length = strlen(path), begin;

    while (length > 1 && path[length - 1] == '/')
        length--;
    for (begin = length; begin > 0 && path[begin - 1] != '/';)
        begin--;
    for (int i = 0; ends[i]; i++) {
        size_t tail = strlen(ends[i]);

        if (length - begin > tail && strncmp(path + length - tail, ends[i], tail) == 0) {
            length -= tail;
            break;
        }
    }
    return sim_arena_text(arena, path + begin, length - begin);
}

/* The folder that a file is in. */
static const char *folder_of(const char *path, sim_arena *arena)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return sim_arena_text(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

/* Many files are called "model": what they are in says more. */
static const char *name_of(const char *path, sim_arena *arena)
{
    static const char *const plain[] = {"config", "model", "consolidated", "pytorch_model", NULL};
    const char *stem = stem_of(path, arena), *folder = folder_of(path, arena);

    if (!folder)
        return NULL;
    for (int i = 0; stem && plain[i]; i++)
        if (strcmp(stem, plain[i]) == 0 && strcmp(folder, ".") != 0)
            return stem_of(folder, arena);
    return stem;
}

/* ---- configs --------------------------------------------------------------------------------------- */

/* A config.json as Python writes it. */
static sim_status read_config(const char *path, sim_arena *arena, sim_import *out, sim_err *err)
{
    char *text;
    size_t length;
    sim_status status = sim_text_read_file(path, SIM_JSON_FILE_MAX, arena, &text, &length, err);

    if (status == SIM_OK)
        status = sim_json_parse_python(text, length, path, arena, &out->root, err);
    if (status == SIM_OK && out->root->type != SIM_JSON_OBJECT)
        status = sim_fail(err, SIM_BAD_INPUT, path, out->root->line, "a config must be an object, not %s",
                          sim_json_type_name(out->root->type));
    out->file = path;
    return status;
}

/* modelopt writes what it did into a file of its own: it becomes the config's quantization_config, which a
 * workload can carry. */
static sim_status add_quantization(const char *path, sim_arena *arena, sim_import *out, sim_err *err)
{
    sim_json_maker m = {.arena = arena};
    const sim_json *own, *inner;
    sim_json_open root;
    sim_status status = sim_json_load(path, arena, &own, err);

    if (status != SIM_OK)
        return status;
    inner = own->type == SIM_JSON_OBJECT ? sim_json_get(own, "quantization") : NULL;
    if (own->type != SIM_JSON_OBJECT || (inner && inner->type != SIM_JSON_OBJECT))
        return sim_fail(err, SIM_BAD_INPUT, path, own->line, "'quantization' must be an object");
    root = sim_json_make(&m, NULL, NULL, SIM_JSON_OBJECT);
    for (const sim_json *e = out->root->child; e; e = e->next)
        if (strcmp(e->key, "quantization_config") != 0)
            sim_json_make_copy(&m, &root, e->key, e);
    sim_json_make_copy(&m, &root, "quantization_config", inner ? inner : own);
    root.value->line = out->root->line;
    out->root = root.value;
    return m.failed ? no_memory(path, err) : SIM_OK;
}

/* The config.json of a folder, and its hf_quant_config.json; *found says whether there is one. */
static sim_status read_folder(const char *folder, sim_arena *arena, sim_import *out, bool *found,
                              sim_err *err)
{
    const char *config = sim_arena_printf(arena, "%s/config.json", folder);
    const char *quant = sim_arena_printf(arena, "%s/hf_quant_config.json", folder);
    sim_status status;

    *found = false;
    if (!config || !quant)
        return no_memory(folder, err);
    if (!is_file(config))
        return SIM_OK;
    *found = true;
    status = read_config(config, arena, out, err);
    return status == SIM_OK && is_file(quant) ? add_quantization(quant, arena, out, err) : status;
}

/* ---- checkpoints ----------------------------------------------------------------------------------- */

static sim_status open_gguf(const char *path, sim_arena *arena, sim_import *out, sim_err *err)
{
    const char *own;
    sim_status status = sim_checkpoint_open(path, arena, &out->checkpoint, err);

    if (status != SIM_OK)
        return status;
    own = sim_gguf_text(&out->checkpoint.gguf, "general.name");
    if (own && *own)
        out->name = own;
    out->file = path;
    return sim_import_gguf(&out->checkpoint, arena, &out->root, err);
}

static sim_status open_safetensors(const char *path, bool headers, int64_t tokens, sim_arena *arena,
                                   sim_import *out, sim_err *err)
{
    const char *folder = folder_of(path, arena);
    bool found = false;
    sim_status status = folder ? read_folder(folder, arena, out, &found, err) : no_memory(path, err);

    if (status == SIM_OK && (headers || !found))
        status = sim_checkpoint_open(path, arena, &out->checkpoint, err);
    if (status == SIM_OK && !found) {
        out->file = path;
        status = sim_import_matrices(tokens, arena, out, err);
    }
    return status;
}

static sim_status open_folder(const char *path, bool headers, int64_t tokens, sim_arena *arena,
                              sim_import *out, sim_err *err)
{
    const char *file = NULL;
    bool found;
    sim_status status = read_folder(path, arena, out, &found, err);

    if (status == SIM_OK && (headers || !found))
        status = sim_checkpoint_in(path, arena, &file, err);
    if (status != SIM_OK || (found && !file))
        return status;
    if (!file) {
        sim_fail(err, SIM_BAD_INPUT, path, 0, "is a folder with neither a config.json nor a checkpoint");
        sim_hint(err, "supported in a folder: config.json, *.safetensors with or without an index, *.gguf");
        return SIM_BAD_INPUT;
    }
    if (found)
        return sim_checkpoint_open(file, arena, &out->checkpoint, err);
    return sim_checkpoint_kind_of(file) == SIM_CHECKPOINT_GGUF
               ? open_gguf(file, arena, out, err)
               : open_safetensors(file, headers, tokens, arena, out, err);
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static sim_status refuse_onnx(const char *path, sim_err *err)
{
    sim_fail(err, SIM_BAD_INPUT, path, 0, "ONNX is not read: its shapes follow from its graph only");
    sim_hint(err, "give the model's config.json, or list the layers: see 'simacc help workloads'");
    return SIM_BAD_INPUT;
}

sim_status sim_import_open(const char *path, bool headers, int64_t tokens, sim_arena *arena, sim_import *out,
                           sim_err *err)
{
    sim_status status;

    *out = (sim_import){.path = path, .file = path, .name = name_of(path, arena)};
    if (!out->name)
        return no_memory(path, err);
    if (ends_with(path, ".onnx"))
        status = refuse_onnx(path, err);
    else if (is_folder(path))
        status = open_folder(path, headers, tokens, arena, out, err);
    else if (ends_with(path, ".csv"))
        status = sim_import_topology(path, arena, out, err);
    else if (sim_checkpoint_kind_of(path) == SIM_CHECKPOINT_GGUF)
        status = open_gguf(path, arena, out, err);
    else if (sim_checkpoint_kind_of(path) != SIM_CHECKPOINT_NONE)
        status = open_safetensors(path, headers, tokens, arena, out, err);
    else
        status = read_config(path, arena, out, err);
    if (status != SIM_OK)
        sim_import_close(out);
    return status;
}

void sim_import_close(sim_import *import)
{
    sim_checkpoint_close(&import->checkpoint);
}
