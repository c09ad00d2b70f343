/* What commands share: answers, help of a row, hints at similar files. */
#include "cli/cmd.h"

#include "base/data.h"
#include "cli/file.h"
#include "output/grid.h"
#include "simacc.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { CANDIDATES_MAX = 256 };

int sim_cmd_answer(sim_text *text, const char *file, sim_err *err)
{
    sim_status status;

    if (text->failed)
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    else if (file && strcmp(file, "-") != 0)
        status = sim_file_write(file, text->data ? text->data : "", text->length, err);
    else
        status = sim_term_answer(text->data ? text->data : "", text->length, err);
    sim_text_free(text);
    return status;
}

void sim_cmd_help_text(const sim_command *command, int width, sim_text *out)
{
    sim_text_printf(out, "%s\n\nUsage: simacc %s", command->summary, command->name);
    for (int i = 0; command->operands[i]; i++) {
        const char *const *name = &command->operands[i];

        if (i > 0 && i >= command->least_operands && strcmp(name[-1], name[0]) == 0) {
            sim_text_printf(out, " [%s ...]", name[0]); /* any number of them, all called the same */
            break;
        }
        sim_text_printf(out, i < command->least_operands ? " %s" : " [%s]", name[0]);
    }
    sim_text_add(out, command->option_count ? " [options]\n" : "\n");
    if (command->text)
        sim_text_printf(out, "\n%s", command->text);
    if (command->option_count) {
        sim_text_add(out, "\nOptions:\n");
        sim_opt_help(command->options, command->option_count, width, out);
    }
}

void sim_cmd_overview(int width, sim_text *out)
{
    sim_text_add(out, "simacc " SIMACC_VERSION
                      ": latency, energy and memory of quantized LLM layers on an accelerator\n\n"
                      "Usage: simacc COMMAND [operands] [options]\n\nCommands:\n");
    for (int i = 0; sim_commands[i]; i++)
        sim_wrap_add(out, sim_commands[i]->name, 14, width, sim_commands[i]->summary);
    sim_text_add(out,
                 "\nTry:\n"
                 "  simacc run arch/edge.cfg workloads/llama2_7b_decode.json --policy w4a8\n"
                 "  simacc list arch\n"
                 "  simacc help run\n"
                 "\n"
                 "Options: --help, --version; those of a command follow it.\n"
                 "Exit codes: 0 done, 2 usage, 3 bad input, 4 something missing, 5 input/output,\n"
                 "  6 infeasible, 7 memory, 8 overflow, 70 internal, 130 interrupted.\n"
                 "Environment: SIMACC_DATA (folder of the shipped arch/ and workloads/), NO_COLOR, TERM.\n");
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

const char *sim_cmd_folder(const char *kind, sim_arena *arena)
{
    const char *shipped = sim_data_path(arena, kind);
    struct stat here, there;

    /* The shorter name of the same folder, so that what is printed can be typed. */
    if (shipped && stat(kind, &here) == 0 && stat(shipped, &there) == 0 && here.st_dev == there.st_dev &&
        here.st_ino == there.st_ino)
        return kind;
    return shipped;
}

/* "edge" of "arch/edge.cfg". */
static char *stem_of(const char *path, sim_arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return sim_arena_text(arena, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* The path of the file in `folder` whose stem is nearest to `stem`; NULL for none. */
static const char *nearest_in(const char *folder, const char *stem, const char *extension, sim_arena *arena)
{
    const char *stems[CANDIDATES_MAX + 1] = {NULL};
    const size_t tail = strlen(extension);
    const char *nearest;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    if (!dir)
        return NULL;
    while (count < CANDIDATES_MAX && (entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);

        if (length <= tail || strcmp(entry->d_name + length - tail, extension) != 0)
            continue;
        stems[count] = sim_arena_text(arena, entry->d_name, length - tail);
        if (!stems[count])
            break;
        count++;
    }
    closedir(dir);
    /* The order of a folder is arbitrary; of equally near names the first in the alphabet is taken. */
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && strcmp(stems[j - 1], stems[j]) > 0; j--) {
            const char *swap = stems[j];

            stems[j] = stems[j - 1];
            stems[j - 1] = swap;
        }
    stems[count] = NULL;
    nearest = sim_nearest(stem, stems);
    if (!nearest)
        return NULL;
    if (strcmp(folder, ".") == 0)
        return sim_arena_printf(arena, "%s%s", nearest, extension);
    return sim_arena_printf(arena, "%s/%s%s", folder, nearest, extension);
}

void sim_cmd_hint_file(const char *path, const char *kind, const char *extension, sim_arena *arena,
                       sim_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? sim_arena_text(arena, path, (size_t)(slash - path)) : ".";
    const char *shipped = sim_cmd_folder(kind, arena), *nearest = NULL;
    char *stem = stem_of(path, arena);
    struct stat info;

    if (stat(path, &info) == 0 || errno != ENOENT || !folder || !shipped || !stem)
        return;
    if (is_folder(folder))
        nearest = nearest_in(folder, stem, extension, arena);
    if (!nearest)
        nearest = nearest_in(shipped, stem, extension, arena);
    if (nearest)
        sim_hint(err, "did you mean '%s'?", nearest);
    else
        sim_hint(err, "'simacc list %s' shows what is shipped", kind);
}
