/* Technology files by name: where they lie, and which there are. */
#include "input/tech_parts.h"

#include "base/data.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool can_open(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file)
        fclose(file);
    return file != NULL;
}

/* Folders that may hold NAME.cfg, in order; false when memory is out. */
static bool folders_of(const char *arch_file, const char *kind, sim_arena *arena, const char *folder[2])
{
    const char *slash = strrchr(arch_file, '/'), *shipped = sim_arena_printf(arena, "arch/%s", kind);

    folder[0] = slash ? sim_arena_printf(arena, "%.*s/%s", (int)(slash - arch_file), arch_file, kind) : kind;
    folder[1] = shipped ? sim_data_path(arena, shipped) : NULL;
    return folder[0] && folder[1];
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the stems of the files in `folder` that hold a group `group`. */
static int list_folder(const char *folder, const char *group, sim_arena *arena, const char **names, int count,
                       int most)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    static const char suffix[] = ".cfg";

    while (dir && count < most && (entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);
        sim_err ignored = {0};
        sim_cfg cfg;
        bool known = false;

        if (length <= strlen(suffix) || strcmp(entry->d_name + length - strlen(suffix), suffix) != 0)
            continue;
        const char *path = sim_arena_printf(arena, "%s/%s", folder, entry->d_name);
        const char *name = sim_arena_text(arena, entry->d_name, length - strlen(suffix));

        for (int i = 0; name && i < count; i++)
            known |= strcmp(names[i], name) == 0;
        if (path && name && !known && sim_cfg_load(path, arena, &cfg, &ignored) == SIM_OK &&
            sim_cfg_find(&cfg, group))
            names[count++] = name;
    }
    if (dir)
        closedir(dir);
    return count;
}

sim_status sim_tech_unknown_name(const char *what, const sim_named *named, const char **names, int count,
                                 sim_err *err)
{
    char list[200] = "";
    const char *near;

    sim_fail(err, SIM_BAD_INPUT, named->file, named->line, "unknown %s '%s'", what, named->name);
    qsort(names, (size_t)count, sizeof *names, by_text);
    names[count] = NULL;
    near = sim_nearest(named->name, names);
    for (int i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    if (near)
        sim_hint(err, "did you mean '%s'? known: %s", near, list);
    else if (count)
        sim_hint(err, "known: %s", list);
    return SIM_BAD_INPUT;
}

sim_status sim_named_file(const char *arch_file, const char *kind, const char *group, const sim_named *named,
                          sim_arena *arena, const char **path, sim_err *err)
{
    enum { MOST = 32 };
    const char *folder[2], *names[MOST + 1];
    int count = 0;

    if (!folders_of(arch_file, kind, arena, folder))
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < 2 && !strchr(named->name, '/'); i++) {
        *path = sim_arena_printf(arena, "%s/%s.cfg", folder[i], named->name);
        if (!*path)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        if (can_open(*path))
            return SIM_OK;
    }
    for (int i = 0; i < 2; i++)
        count = list_folder(folder[i], group, arena, names, count, MOST);
    return sim_tech_unknown_name(group, named, names, count, err);
}

sim_status sim_tech_load_file(const sim_tech_query *query, sim_arena *arena, sim_cfg *cfg, const char **file,
                              sim_err *err)
{
    sim_status status = sim_named_file(query->arch_file, "tech", "tech", &query->tech, arena, file, err);

    return status == SIM_OK ? sim_cfg_load_shelved(query->shelf, *file, arena, cfg, err) : status;
}
