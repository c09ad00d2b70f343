#include "output/chart_axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool sim_chart_varies(const sim_frame *frame, int column)
{
    for (int64_t r = 1; r < frame->row_count && column >= 0; r++)
        if (strcmp(sim_frame_text(frame, r, column), sim_frame_text(frame, 0, column)) != 0)
            return true;
    return false;
}

static bool starts_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static bool ends_with(const char *text, const char *tail)
{
    const size_t length = strlen(text), tail_length = strlen(tail);

    return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* Results, and what only numbers a point; everything else is an axis. Results are called by their unit; keys
 * of an arch have a dot. */
static bool is_result(const char *name)
{
    static const char *const results[] = {"",
                                          "point",
                                          "id",
                                          "key",
                                          "file",
                                          "status",
                                          "reason",
                                          "error",
                                          "note",
                                          "macs",
                                          "cycles",
                                          "tokens",
                                          "memory_fits",
                                          "feasible",
                                          "loss",
                                          "accuracy",
                                          "joules_per_token",
                                          NULL};
    static const char *const units[] = {"_cycles", "_s",   "_j",   "_w",    "_bytes",
                                        "_frac",   "_pct", "_mm2", "_hash", NULL};

    for (int i = 0; results[i]; i++)
        if (strcmp(results[i], name) == 0)
            return true;
    for (int i = 0; units[i] && !strchr(name, '.'); i++)
        if (ends_with(name, units[i]))
            return true;
    return starts_with(name, "energy_breakdown_");
}

static bool is_in(const char *const *list, const char *name)
{
    for (int i = 0; list && list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

enum { SERIES_MOST = 32 };

/* True when rows of one series never differ in the column. */
static bool follows_from(const sim_frame *frame, int column, int series)
{
    int64_t first[SERIES_MOST];
    int count = 0;

    for (int64_t r = 0; r < frame->row_count; r++) {
        int at = 0;

        while (at < count &&
               strcmp(sim_frame_text(frame, first[at], series), sim_frame_text(frame, r, series)) != 0)
            at++;
        if (at == SERIES_MOST)
            return false;
        if (at == count)
            first[count++] = r;
        else if (strcmp(sim_frame_text(frame, first[at], column), sim_frame_text(frame, r, column)) != 0)
            return false;
    }
    return true;
}

sim_chart_axes sim_chart_axes_of(const sim_frame *frame, const char *const *without, int series)
{
    static const char *const bits[] = {"w_bits", "a_bits", "kv_bits", "w", "a", "kv", NULL};
    const bool by_policy = sim_chart_varies(frame, sim_frame_column(frame, "policy"));
    const int arch = sim_frame_column(frame, "arch");
    const bool by_arch = !is_in(without, "arch") && sim_chart_varies(frame, arch);
    sim_chart_axes axes = {.count = 0};

    for (int c = 0; c < frame->column_count && axes.count < SIM_CHART_AXES_MOST; c++) {
        const char *name = frame->columns[c];

        if (is_result(name) || is_in(without, name) || (by_policy && is_in(bits, name)) ||
            !sim_chart_varies(frame, c) || (series >= 0 && follows_from(frame, c, series)) ||
            (by_arch && c != arch && follows_from(frame, c, arch)))
            continue;
        axes.columns[axes.count++] = c;
    }
    return axes;
}

/* Names speak for themselves; of a number the key is said: "rows=32" of "array.rows". */
static const char *axis_words(sim_canvas *canvas, const sim_frame *frame, int64_t row, int column)
{
    static const char *const plain[] = {"arch", "workload", "policy", "phase", "model", NULL};
    const char *name = frame->columns[column], *value = sim_frame_text(frame, row, column);
    const char *dot = strrchr(name, '.');

    if (!*value || is_in(plain, name))
        return value;
    if (ends_with(name, "_bits") && strlen(name) <= 7)
        return sim_chart_words(canvas, "%.*s%s", (int)(strlen(name) - 5), name, value);
    return sim_chart_words(canvas, "%s=%s", dot ? dot + 1 : name, value);
}

const char *sim_chart_axes_label(sim_canvas *canvas, const sim_frame *frame, int64_t row,
                                 const sim_chart_axes *axes)
{
    const char *label = "";

    for (int i = 0; i < axes->count; i++) {
        const char *words = axis_words(canvas, frame, row, axes->columns[i]);

        if (*words)
            label = *label ? sim_chart_words(canvas, "%s, %s", label, words) : words;
    }
    return label;
}

const char *sim_chart_axes_common(sim_canvas *canvas, const sim_frame *frame)
{
    static const char *const names[] = {"arch", "workload", "policy"};
    const char *columns[3], *label;

    for (int i = 0; i < 3; i++) {
        const int column = sim_frame_column(frame, names[i]);

        columns[i] = sim_chart_varies(frame, column) ? "" : sim_frame_text(frame, 0, column);
    }
    return sim_chart_who(columns, 1, canvas->arena, &label);
}

double *sim_chart_numbers(const sim_chart_job *job, const sim_frame *frame, const char *column)
{
    const int at = sim_frame_column(frame, column);
    double *values;

    if (at < 0) {
        const char **names = sim_arena_alloc(job->arena, (size_t)frame->column_count + 1, sizeof *names);
        const char *nearest;

        sim_fail(job->err, SIM_BAD_INPUT, frame->file, 1, "no column '%s'", column);
        if (names) {
            memcpy(names, frame->columns, (size_t)frame->column_count * sizeof *names);
            nearest = sim_nearest(column, names);
            if (nearest && *nearest)
                sim_hint(job->err, "did you mean '%s'?", nearest);
        }
        return NULL;
    }
    values = sim_arena_alloc(job->arena, (size_t)frame->row_count, sizeof *values);
    if (!values) {
        sim_chart_no_memory(job);
        return NULL;
    }
    for (int64_t r = 0; r < frame->row_count; r++)
        if (!sim_frame_real(frame, r, at, &values[r])) {
            sim_fail(job->err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, r),
                     "column '%s': '%s' is not a number", column, sim_frame_text(frame, r, at));
            return NULL;
        }
    return values;
}

sim_axis sim_chart_column_axis(sim_canvas *canvas, const char *column, double lo, double hi)
{
    const char *label, *unit;

    sim_chart_column_words(column, canvas->arena, &label, &unit);
    return sim_axis_choose(label, unit, lo, hi);
}
