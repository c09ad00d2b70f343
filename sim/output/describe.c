#include "output/describe.h"

#include "base/arena.h"
#include "input/arch.h"
#include "input/workload.h"
#include "model/backend.h"
#include "output/figures.h"
#include "output/grid.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WIDTH = 100, FILES_MAX = 512 };

/* Beyond this a limit says nothing to a person. */
static const double unlimited = 1e15;

/* ---- keys ---------------------------------------------------------------------------------------- */

static void add_names(const char *const *names, const char *separator, char *out, size_t size)
{
    for (int i = 0; names[i]; i++) {
        const size_t used = strlen(out);

        snprintf(out + used, size - used, "%s%s", i ? separator : "", names[i]);
    }
}

static void limit_text(double value, bool integer, const sim_allocator *allocator, char *out, size_t size)
{
    sim_text text = {.allocator = *allocator};

    if (integer)
        snprintf(out, size, "%" PRId64, (int64_t)value);
    else {
        sim_text_real(&text, value);
        snprintf(out, size, "%s", text.data ? text.data : "?");
        sim_text_free(&text);
    }
}

/* "integer 1..65536", "ws|os|is|auto", "list of: weight input output". */
static void type_text(const sim_param *param, const sim_allocator *allocator, char *out, size_t size)
{
    const bool integer = param->type == SIM_PARAM_INT;
    char low[32], high[32];

    out[0] = '\0';
    switch (param->type) {
    case SIM_PARAM_INT:
    case SIM_PARAM_REAL:
        limit_text(param->min, integer, allocator, low, sizeof low);
        if (param->max >= unlimited) {
            snprintf(out, size, "%s from %s", integer ? "integer" : "number", low);
        } else {
            limit_text(param->max, integer, allocator, high, sizeof high);
            snprintf(out, size, "%s %s..%s", integer ? "integer" : "number", low, high);
        }
        if (param->names)
            for (int i = 0; param->names[i]; i++) {
                const size_t used = strlen(out);

                snprintf(out + used, size - used, ", or %s", param->names[i]);
            }
        break;
    case SIM_PARAM_BOOL:
        snprintf(out, size, "true|false");
        break;
    case SIM_PARAM_TEXT:
        snprintf(out, size, "text");
        break;
    case SIM_PARAM_ENUM:
        add_names(param->names, "|", out, size);
        break;
    case SIM_PARAM_FLAGS:
        snprintf(out, size, "list of: ");
        add_names(param->names, " ", out, size);
        break;
    }
}

/* "Native weight width of a PE. (integer 1..32, bits; default 8)" beside each key. */
static void put_params(const sim_param *params, int count, int width, sim_text *out)
{
    static const sim_grid_column columns[] = {{NULL, false, 0, 0, 0, false}, {NULL, false, 0, 20, 0, true}};
    sim_grid grid;

    sim_grid_init(&grid, columns, 2, &out->allocator);
    for (int i = 0; i < count; i++) {
        const sim_param *p = &params[i];
        char type[256], fallback[128];

        type_text(p, &out->allocator, type, sizeof type);
        if (!p->fallback)
            snprintf(fallback, sizeof fallback, "; required");
        else if (*p->fallback)
            snprintf(fallback, sizeof fallback, "; default %s", p->fallback);
        else
            fallback[0] = '\0';
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s", p->key);
        sim_grid_cell(&grid, SIM_PAINT_NONE, "%s (%s%s%s%s)", p->help, type, p->unit && *p->unit ? ", " : "",
                      p->unit ? p->unit : "", fallback);
    }
    sim_grid_print(&grid, 2, width, false, out);
    sim_grid_free(&grid);
}

void sim_describe_arch_keys(int width, sim_text *out)
{
    if (width <= 0)
        width = DEFAULT_WIDTH;
    sim_text_add(out, "Keys that every back end shares:\n");
    put_params(sim_arch_params, sim_arch_param_count, width, out);
    for (int b = 0; sim_backends[b]; b++) {
        const sim_backend *backend = sim_backends[b];
        sim_text line = {.allocator = out->allocator};

        sim_text_printf(out, "\nBack end '%s': %s\n", backend->name, backend->summary);
        if (backend->refused_keys && backend->refused_keys[0]) {
            for (int i = 0; backend->refused_keys[i]; i++)
                sim_text_printf(&line, "%s%s", i ? ", " : "", backend->refused_keys[i]);
            if (line.data)
                sim_wrap_add(out, "does not take", 17, width, line.data);
            out->failed |= line.failed;
            sim_text_free(&line);
        }
        if (backend->param_count > 0)
            put_params(backend->params, backend->param_count, width, out);
    }
}

void sim_describe_backends(sim_text *out)
{
    for (int b = 0; sim_backends[b]; b++)
        sim_wrap_add(out, sim_backends[b]->name, 14, DEFAULT_WIDTH, sim_backends[b]->summary);
}

/* ---- files --------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of `folder` that end in `extension`, by name, as paths. */
static sim_status list_files(const char *folder, const char *extension, sim_arena *arena,
                             char *paths[FILES_MAX], int *count, sim_err *err)
{
    const size_t tail = strlen(extension);
    DIR *dir = opendir(folder);
    struct dirent *entry;

    *count = 0;
    if (!dir)
        return sim_fail(err, SIM_BAD_INPUT, folder, 0, "cannot open the folder: %s", strerror(errno));
    while (*count < FILES_MAX && (entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);

        if (length <= tail || entry->d_name[0] == '.' ||
            strcmp(entry->d_name + length - tail, extension) != 0)
            continue;
        paths[*count] = sim_arena_printf(arena, "%s/%s", folder, entry->d_name);
        if (!paths[*count]) {
            closedir(dir);
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        }
        (*count)++;
    }
    closedir(dir);
    qsort(paths, (size_t)*count, sizeof paths[0], compare_names);
    return SIM_OK;
}

static const sim_grid_column file_columns[] = {{NULL, false, 0, 0, 0, false}, {NULL, false, 0, 30, 0, true}};

static void put_arch(const char *path, sim_grid *grid)
{
    char bandwidth[32], clock[32], count[32] = "";
    sim_err err = {0};
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, &grid->arena.allocator);
    sim_grid_cell(grid, SIM_PAINT_NONE, "%s", path);
    if (sim_arch_load(path, NULL, 0, &arena, &arch, &err) != SIM_OK) {
        sim_grid_cell(grid, SIM_PAINT_RED, "cannot be read: %s", err.items[0].text);
    } else if (arch.backend->kernels) {
        sim_grid_cell(grid, SIM_PAINT_NONE, "%s: %s, %" PRId64 " SMs at %s, %s %s, calibration %s", arch.name,
                      arch.backend->name, arch.gpu.sms,
                      sim_scaled(arch.clock_mhz * 1e6, "Hz", false, clock, sizeof clock), arch.dram_type,
                      sim_scaled(arch.dram_bandwidth_gb_s * 1e9, "B/s", false, bandwidth, sizeof bandwidth),
                      arch.calibration_name);
    } else {
        if (arch.array_count > 1)
            snprintf(count, sizeof count, "%" PRId64 " of ", arch.array_count);
        sim_grid_cell(grid, SIM_PAINT_NONE, "%s: %s, %s%" PRId64 " x %" PRId64 " at %s, %s %s, %s", arch.name,
                      arch.backend->name, count, arch.array_rows, arch.array_cols,
                      sim_scaled(arch.clock_mhz * 1e6, "Hz", false, clock, sizeof clock), arch.dram_type,
                      sim_scaled(arch.dram_bandwidth_gb_s * 1e9, "B/s", false, bandwidth, sizeof bandwidth),
                      arch.tech_name);
    }
    sim_arena_free(&arena);
}

static void put_workload(const char *path, sim_grid *grid)
{
    const sim_workload_request request = {.phase = SIM_PHASE_NONE};
    sim_err err = {0};
    sim_arena arena;
    sim_workload workload;
    char parameters[32];

    sim_arena_init(&arena, &grid->arena.allocator);
    sim_grid_cell(grid, SIM_PAINT_NONE, "%s", path);
    if (sim_workload_load(path, &request, &arena, &workload, &err) != SIM_OK)
        sim_grid_cell(grid, SIM_PAINT_RED, "cannot be read: %s", err.items[0].text);
    else if (workload.model_type)
        sim_grid_cell(grid, SIM_PAINT_NONE,
                      "%s: %s %s, batch %" PRId64 ", %" PRId64 " token%s, %s parameters, %" PRId64 " layers",
                      workload.name, workload.model_type, sim_phase_names[workload.phase], workload.batch,
                      workload.tokens, workload.tokens == 1 ? "" : "s",
                      sim_large_count(workload.parameters, parameters, sizeof parameters),
                      workload.layer_count);
    else
        sim_grid_cell(grid, SIM_PAINT_NONE, "%s: %" PRId64 " layers", workload.name, workload.layer_count);
    sim_arena_free(&arena);
}

static sim_status describe_files(const char *folder, const char *extension,
                                 void (*put)(const char *path, sim_grid *grid), sim_text *out, sim_err *err)
{
    char *paths[FILES_MAX];
    sim_arena arena;
    sim_grid grid;
    sim_status status;
    int count;

    sim_arena_init(&arena, &out->allocator);
    sim_grid_init(&grid, file_columns, 2, &out->allocator);
    status = list_files(folder, extension, &arena, paths, &count, err);
    if (status == SIM_OK) {
        for (int i = 0; i < count; i++)
            put(paths[i], &grid);
        sim_grid_print(&grid, 0, DEFAULT_WIDTH, false, out);
    }
    sim_grid_free(&grid);
    sim_arena_free(&arena);
    return status;
}

sim_status sim_describe_archs(const char *folder, sim_text *out, sim_err *err)
{
    return describe_files(folder, ".cfg", put_arch, out, err);
}

sim_status sim_describe_workloads(const char *folder, sim_text *out, sim_err *err)
{
    return describe_files(folder, ".json", put_workload, out, err);
}
