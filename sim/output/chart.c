#include "output/chart_parts.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const sim_chart_names[SIM_CHART_COUNT + 1] = {
    "roofline", "breakdown", "bits", "heatmap", "pareto", "scaling", "speedup", "calibration", NULL};

/* A chart makes hundreds of small texts. One that cannot be had is left empty, and that it failed is noted
 * here, once for all of them. Blocks come from the caller's arena, which frees them. */
typedef struct watch {
    sim_arena *arena;
    bool failed;
} watch;

static void *watched_alloc(void *user, size_t bytes)
{
    watch *w = user;
    void *block = sim_arena_alloc(w->arena, 1, bytes);

    w->failed |= !block;
    return block;
}

static void watched_free(void *user, void *block)
{
    (void)user;
    (void)block;
}

sim_status sim_chart(sim_chart_kind kind, const sim_frame *frames, int frame_count,
                     const sim_chart_options *options, sim_arena *arena, sim_text *csv, sim_err *err)
{
    static sim_status (*const kinds[SIM_CHART_COUNT])(const sim_chart_job *) = {
        sim_chart_roofline, sim_chart_breakdown, sim_chart_bits,    sim_chart_heatmap,
        sim_chart_pareto,   sim_chart_scaling,   sim_chart_speedup, sim_chart_calibration};
    watch watched = {.arena = arena};
    const sim_allocator allocator = {watched_alloc, watched_free, &watched};
    sim_arena own;
    const sim_chart_job job = {frames, frame_count, options, &own, csv, err};
    sim_status status;

    sim_arena_init(&own, &allocator);
    own.block_bytes = arena->block_bytes;
    status = kinds[kind](&job);
    if (status == SIM_OK && (watched.failed || csv->failed))
        status = sim_chart_no_memory(&job);
    sim_arena_free(&own);
    return status;
}

sim_status sim_chart_no_memory(const sim_chart_job *job)
{
    return sim_fail(job->err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

void sim_chart_sheet(const sim_chart_job *job, double height, int lines, sim_canvas *canvas)
{
    const sim_chart_options *o = job->options;

    if (o->text)
        height = o->height_px > 0 ? o->height_px : lines;
    else if (o->height_px > 0)
        height = o->height_px * 800.0 / o->width_px;
    sim_canvas_init(canvas, job->csv, job->arena, o->text, o->width_px, height);
}

sim_status sim_chart_done(const sim_chart_job *job, const sim_canvas *canvas)
{
    return canvas->failed || job->csv->failed ? sim_chart_no_memory(job) : SIM_OK;
}

const char *sim_chart_words(sim_canvas *canvas, const char *format, ...)
{
    va_list arguments, again;
    char *text;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    text = length >= 0 ? sim_arena_alloc(canvas->arena, (size_t)length + 1, 1) : NULL;
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    canvas->failed |= !text;
    return text ? text : "";
}

static bool differs(const char *const *columns, int count, int which)
{
    for (int i = 1; i < count; i++)
        if (strcmp(columns[3 * (ptrdiff_t)i + which], columns[which]) != 0)
            return true;
    return false;
}

const char *sim_chart_who(const char *const *columns, int count, sim_arena *arena, const char **labels)
{
    enum { ARCH, WORKLOAD, POLICY };
    const bool arch = differs(columns, count, ARCH), workload = differs(columns, count, WORKLOAD);
    const bool policy = differs(columns, count, POLICY);
    const char *const *first = columns;
    const char *text;

    for (int i = 0; i < count; i++) {
        const char *const *c = columns + 3 * (ptrdiff_t)i;
        const char *a = workload ? c[WORKLOAD] : "", *b = arch ? c[ARCH] : "", *p = policy ? c[POLICY] : "";

        labels[i] = sim_arena_printf(arena, "%s%s%s%s%s", a, *a && *b ? " on " : "", b,
                                     *p && (*a || *b) ? ", " : "", p);
        if (!labels[i])
            labels[i] = "";
    }
    text = sim_arena_printf(
        arena, "%s%s%s%s%s", workload ? "" : first[WORKLOAD],
        !workload && !arch && *first[WORKLOAD] && *first[ARCH] ? " on " : "", arch ? "" : first[ARCH],
        !policy && *first[POLICY] && !(workload && arch) ? ", " : "", policy ? "" : first[POLICY]);
    return text ? text : "";
}

int sim_chart_index(const char **list, int *count, int most, const char *text)
{
    int at = 0;

    while (at < *count && strcmp(list[at], text) != 0)
        at++;
    if (at < *count)
        return at;
    if (*count == most)
        return -1;
    list[(*count)++] = text;
    return at;
}

const char *sim_chart_who_runs(const sim_chart_run *runs, int run_count, sim_arena *arena,
                               const char ***labels)
{
    const char **columns = sim_arena_alloc(arena, 3 * (size_t)run_count, sizeof *columns);

    *labels = sim_arena_alloc(arena, (size_t)run_count, sizeof **labels);
    if (!columns || !*labels)
        return NULL;
    for (int i = 0; i < run_count; i++) {
        const char **c = columns + 3 * (ptrdiff_t)i;

        c[0] = runs[i].arch;
        c[1] = runs[i].workload;
        c[2] = runs[i].policy;
    }
    return sim_chart_who(columns, run_count, arena, *labels);
}
