#include "format/checkpoint.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 4096 };

static const char index_end[] = ".safetensors.index.json";

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length > tail && strcmp(text + length - tail, end) == 0;
}

sim_checkpoint_kind sim_checkpoint_kind_of(const char *path)
{
    if (ends_with(path, index_end))
        return SIM_CHECKPOINT_INDEX;
    if (ends_with(path, ".safetensors"))
        return SIM_CHECKPOINT_SAFETENSORS;
    return ends_with(path, ".gguf") ? SIM_CHECKPOINT_GGUF : SIM_CHECKPOINT_NONE;
}

static const char *beside(const char *file, const char *name, sim_arena *arena)
{
    const char *slash = strrchr(file, '/');

    if (!slash)
        return sim_arena_text(arena, name, strlen(name));
    return sim_arena_printf(arena, "%.*s/%s", (int)(slash - file), file, name);
}

static sim_status no_memory(const char *name, sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
}

/* ---- folders ---------------------------------------------------------------------------------------- */

/* The files of a kind in a folder: how many, and the name of the one with the least name. */
typedef struct found {
    int count;
    char name[256];
} found;

static bool is_later_part(const char *name)
{
    const char *of = strstr(name, "-of-");

    return ends_with(name, ".gguf") && of && of - name >= 6 && strncmp(of - 6, "-00001", 6) != 0;
}

static void look_at(const char *name, found *of)
{
    if (is_later_part(name) || strlen(name) >= sizeof of->name)
        return;
    if (of->count == 0 || strcmp(name, of->name) < 0)
        memcpy(of->name, name, strlen(name) + 1);
    of->count++;
}

sim_status sim_checkpoint_in(const char *folder, sim_arena *arena, const char **out, sim_err *err)
{
    static const char *const whole = "model.safetensors";
    found indices = {0}, tensors = {0}, ggufs = {0};
    bool has_whole = false;
    const char *name = NULL;
    DIR *dir = opendir(folder);

    *out = NULL;
    if (!dir)
        return sim_fail(err, SIM_BAD_INPUT, folder, 0, "cannot be read as a folder");
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        sim_checkpoint_kind kind = sim_checkpoint_kind_of(entry->d_name);

        has_whole |= strcmp(entry->d_name, whole) == 0;
        if (kind != SIM_CHECKPOINT_NONE)
            look_at(entry->d_name, kind == SIM_CHECKPOINT_INDEX         ? &indices
                                   : kind == SIM_CHECKPOINT_SAFETENSORS ? &tensors
                                                                        : &ggufs);
    }
    closedir(dir);
    if (indices.count > 1 || (indices.count == 0 && !has_whole && tensors.count > 1) ||
        (indices.count + tensors.count == 0 && ggufs.count > 1)) {
        sim_fail(err, SIM_BAD_INPUT, folder, 0, "has several checkpoints, and no index says which is meant");
        sim_hint(err, "give the file itself, such as %s/%s", folder,
                 indices.count   ? indices.name
                 : tensors.count ? tensors.name
                                 : ggufs.name);
        return SIM_BAD_INPUT;
    }
    name = indices.count ? indices.name : has_whole ? whole : tensors.count ? tensors.name : ggufs.name;
    if (!*name)
        return SIM_OK;
    *out = sim_arena_printf(arena, "%s/%s", folder, name);
    return *out ? SIM_OK : no_memory(folder, err);
}

/* ---- files ------------------------------------------------------------------------------------------ */

/* Room for files; false when memory is out. */
static bool room_for(sim_checkpoint *c, int files, sim_arena *arena)
{
    c->files = sim_arena_alloc(arena, (size_t)files, sizeof *c->files);
    c->maps = sim_arena_alloc(arena, (size_t)files, sizeof *c->maps);
    return c->files && c->maps;
}

/* Maps the next file, for which there is room. */
static sim_status add_file(sim_checkpoint *c, const char *path, sim_err *err)
{
    sim_status status = sim_file_map_open(path, &c->maps[c->file_count], err);

    if (status == SIM_OK)
        c->files[c->file_count++] = path;
    return status;
}

/* The tensors of the newest file join the others. */
static sim_status add_tensors(sim_checkpoint *c, const sim_tensor *tensors, int64_t count, sim_arena *arena,
                              sim_err *err)
{
    int64_t all = c->tensor_count + count;
    sim_tensor *list = c->tensors;

    if (all > INT32_MAX)
        return sim_fail(err, SIM_BAD_INPUT, c->name, 0, "has more than 2^31 tensors");
    if (all > c->tensor_room) { /* twice as much: shards are many, and most files are alone */
        int64_t room = c->tensor_room > 0 ? 2 * all : all;

        list = sim_arena_alloc(arena, (size_t)room, sizeof *list);
        if (!list)
            return no_memory(c->name, err);
        if (c->tensor_count > 0)
            memcpy(list, c->tensors, (size_t)c->tensor_count * sizeof *list);
        c->tensor_room = room;
    }
    for (int64_t i = 0; i < count; i++) {
        list[c->tensor_count + i] = tensors[i];
        list[c->tensor_count + i].file = c->file_count - 1;
    }
    c->tensors = list;
    c->tensor_count = all;
    return SIM_OK;
}

static sim_status add_safetensors(sim_checkpoint *c, const char *path, sim_arena *arena, sim_err *err)
{
    sim_safetensors header;
    sim_status status = add_file(c, path, err);

    if (status == SIM_OK) {
        const sim_file_map *map = &c->maps[c->file_count - 1];

        status = sim_safetensors_parse(map->data, map->bytes, path, arena, &header, err);
    }
    return status == SIM_OK ? add_tensors(c, header.tensors, header.tensor_count, arena, err) : status;
}

/* ---- shards ----------------------------------------------------------------------------------------- */

static bool is_file_name(const sim_json *value)
{
    return value->type == SIM_JSON_TEXT && ends_with(value->text, ".safetensors") &&
           !strchr(value->text, '/');
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the shards, each once; NULL after an error. */
static const char **shard_names(const sim_json *map, const char *path, int *count, sim_arena *arena,
                                sim_err *err)
{
    const char **names = sim_arena_alloc(arena, (size_t)map->count, sizeof *names);
    int64_t all = 0;
    sim_status status = SIM_OK;

    if (!names) {
        no_memory(path, err);
        return NULL;
    }
    for (const sim_json *entry = map->child; entry; entry = entry->next)
        if (is_file_name(entry))
            names[all++] = entry->text;
        else
            status = sim_fail(err, SIM_BAD_INPUT, path, entry->line,
                              "tensor '%s' must name a .safetensors file of the same folder", entry->key);
    if (all > 0)
        qsort(names, (size_t)all, sizeof *names, text_order);
    *count = 0;
    for (int64_t i = 0; i < all && *count <= FILES_MAX; i++)
        if (i == 0 || strcmp(names[*count - 1], names[i]) != 0)
            names[(*count)++] = names[i];
    if (status == SIM_OK && (*count == 0 || *count > FILES_MAX))
        status = sim_fail(err, SIM_BAD_INPUT, path, map->line, "'weight_map' names %s",
                          *count ? "more than 4096 files" : "no file");
    return status == SIM_OK ? names : NULL;
}

/* Whether a tensor is in the file of that name. */
static bool is_in(const sim_checkpoint *c, const char *tensor, const char *name)
{
    const sim_tensor *t = sim_checkpoint_find(c, tensor);
    const char *file, *slash;

    if (!t)
        return false;
    file = c->files[t->file];
    slash = strrchr(file, '/');
    return strcmp(slash ? slash + 1 : file, name) == 0;
}

static sim_status check_index(const sim_checkpoint *c, const sim_json *map, sim_err *err)
{
    sim_status status = SIM_OK;

    for (const sim_json *entry = map->child; entry; entry = entry->next)
        if (!is_in(c, entry->key, entry->text))
            status = sim_fail(err, SIM_BAD_INPUT, c->name, entry->line, "tensor '%s' is not in '%s'",
                              entry->key, entry->text);
    return status;
}

static sim_status open_index(sim_checkpoint *c, const char *path, sim_arena *arena, sim_err *err)
{
    const sim_json *root, *map;
    const char **names;
    int count = 0;
    sim_status status = sim_json_load(path, arena, &root, err);

    if (status != SIM_OK)
        return status;
    map = root->type == SIM_JSON_OBJECT ? sim_json_get(root, "weight_map") : NULL;
    if (!map || map->type != SIM_JSON_OBJECT)
        return sim_fail(err, SIM_BAD_INPUT, path, root->line,
                        "an index of shards needs 'weight_map', an object of tensors and their files");
    names = shard_names(map, path, &count, arena, err);
    if (!names)
        return sim_err_status(err);
    if (!room_for(c, count, arena))
        return no_memory(path, err);
    for (int i = 0; i < count; i++) { /* all of them, so that all that are missing are named */
        const char *file = beside(path, names[i], arena);
        sim_status one = file ? add_safetensors(c, file, arena, err) : no_memory(path, err);

        status = status == SIM_OK ? one : status;
    }
    if (status == SIM_OK)
        status = sim_tensors_sort(c->tensors, c->tensor_count, path, err);
    return status == SIM_OK ? check_index(c, map, err) : status;
}

/* ---- GGUF ------------------------------------------------------------------------------------------- */

static sim_status add_gguf(sim_checkpoint *c, const char *path, sim_gguf *out, sim_arena *arena, sim_err *err)
{
    sim_status status = add_file(c, path, err);

    if (status == SIM_OK) {
        const sim_file_map *map = &c->maps[c->file_count - 1];

        status = sim_gguf_parse(map->data, map->bytes, path, arena, out, err);
    }
    return status == SIM_OK ? add_tensors(c, out->tensors, out->tensor_count, arena, err) : status;
}

static int64_t number_of(const sim_gguf *gguf, const char *key, int64_t otherwise)
{
    int64_t value;

    return sim_gguf_int(sim_gguf_get(gguf, key), 0, &value) ? value : otherwise;
}

/* "-00001-of-00003.gguf", the end of the name of the first part; `part` counts from 1. */
static void part_end(char out[40], int64_t part, int64_t count)
{
    snprintf(out, 40, "-%05d-of-%05d.gguf", (int)part, (int)count);
}

/* The parts of a split file behind its first. */
static sim_status open_parts(sim_checkpoint *c, const char *path, int64_t count, sim_arena *arena,
                             sim_err *err)
{
    char end[40];
    sim_status status = SIM_OK;

    part_end(end, 1, count);
    if (!ends_with(path, end)) {
        sim_fail(err, SIM_BAD_INPUT, path, 0, "is one of %" PRId64 " parts, and not named as the first",
                 count);
        sim_hint(err, "give the first part, whose name ends in '%s'", end);
        return SIM_BAD_INPUT;
    }
    for (int64_t part = 2; part <= count && status == SIM_OK; part++) {
        int stem = (int)(strlen(path) - strlen(end));
        char other[40];
        const char *file;
        sim_gguf header;

        part_end(other, part, count);
        file = sim_arena_printf(arena, "%.*s%s", stem, path, other);
        status = file ? add_gguf(c, file, &header, arena, err) : no_memory(path, err);
        if (status == SIM_OK && number_of(&header, "split.no", -1) != part - 1)
            status = sim_fail(err, SIM_BAD_INPUT, file, 0, "'split.no' is not %" PRId64, part - 1);
    }
    return status;
}

static sim_status open_gguf(sim_checkpoint *c, const char *path, sim_arena *arena, sim_err *err)
{
    int64_t parts, tensors;
    sim_file_map *maps;
    sim_status status;

    if (!room_for(c, 1, arena))
        return no_memory(path, err);
    status = add_gguf(c, path, &c->gguf, arena, err);
    if (status != SIM_OK)
        return status;
    parts = number_of(&c->gguf, "split.count", 1);
    if (parts > 1 && parts <= FILES_MAX) {
        const char *first = c->files[0];

        maps = c->maps;
        if (!room_for(c, (int)parts, arena)) {
            c->maps = maps;
            return no_memory(path, err);
        }
        c->maps[0] = maps[0];
        c->files[0] = first;
        status = open_parts(c, path, parts, arena, err);
    } else if (parts > FILES_MAX) {
        status = sim_fail(err, SIM_BAD_INPUT, path, 0, "'split.count' is %" PRId64 ", more than 4096", parts);
    }
    tensors = number_of(&c->gguf, "split.tensors.count", c->tensor_count);
    if (status == SIM_OK && tensors != c->tensor_count)
        status = sim_fail(err, SIM_BAD_INPUT, path, 0,
                          "'split.tensors.count' is %" PRId64 ", but the parts have %" PRId64 " tensors",
                          tensors, c->tensor_count);
    return status == SIM_OK ? sim_tensors_sort(c->tensors, c->tensor_count, path, err) : status;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

sim_status sim_checkpoint_open(const char *path, sim_arena *arena, sim_checkpoint *out, sim_err *err)
{
    sim_status status;

    *out = (sim_checkpoint){.kind = sim_checkpoint_kind_of(path), .name = path};
    switch (out->kind) {
    case SIM_CHECKPOINT_INDEX:
        status = open_index(out, path, arena, err);
        break;
    case SIM_CHECKPOINT_SAFETENSORS:
        status = room_for(out, 1, arena) ? add_safetensors(out, path, arena, err) : no_memory(path, err);
        break;
    case SIM_CHECKPOINT_GGUF:
        status = open_gguf(out, path, arena, err);
        break;
    default:
        status = sim_fail(err, SIM_BAD_INPUT, path, 0, "is no checkpoint");
        sim_hint(err, "supported: .safetensors, .safetensors.index.json, .gguf");
        break;
    }
    if (status != SIM_OK)
        sim_checkpoint_close(out);
    return status;
}

void sim_checkpoint_close(sim_checkpoint *checkpoint)
{
    for (int i = 0; i < checkpoint->file_count; i++)
        sim_file_map_close(&checkpoint->maps[i]);
    *checkpoint = (sim_checkpoint){.kind = SIM_CHECKPOINT_NONE};
}

const sim_tensor *sim_checkpoint_find(const sim_checkpoint *checkpoint, const char *name)
{
    return sim_tensors_find(checkpoint->tensors, checkpoint->tensor_count, name);
}

const unsigned char *sim_checkpoint_data(const sim_checkpoint *checkpoint, const sim_tensor *tensor)
{
    const sim_file_map *map = &checkpoint->maps[tensor->file];

    return map->data ? map->data + tensor->offset : NULL;
}
