/* Speedup: how much faster, and for how much less energy, than a baseline; each workload against its own.
 *   rule   at x: 1, the baseline
 * Everything else is boxes and words. */
#include "output/chart_axes.h"
#include "output/chart_bars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 40, WORKLOADS_MOST = 24, LATENCY = 0, ENERGY };

typedef struct entry {
    int64_t row;
    int workload;
    const char *label;
    double cost[SIM_BAR_PANELS];  /* s, J */
    double ratio[SIM_BAR_PANELS]; /* of the baseline's cost to this one's; NaN: unknown */
    bool is_base;
} entry;

typedef struct speedup {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_frame frame;
    entry *entries;
    int64_t count, left_out;
    const char *workloads[WORKLOADS_MOST];
    int workload_count;
    const char *base_name;
} speedup;

static const char *cell(const speedup *s, int64_t row, const char *column)
{
    return sim_frame_text(&s->frame, row, sim_frame_column(&s->frame, column));
}

/* ---- the baseline ----------------------------------------------------------------------------------- */

static bool is_called(const speedup *s, const entry *e, const char *name)
{
    static const char *const columns[] = {"policy", "arch", "file", "point"};

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (strcmp(cell(s, e->row, columns[i]), name) == 0)
            return true;
    return strcmp(e->label, name) == 0;
}

/* One baseline for each workload: the one of that name, else the first. */
static sim_status find_bases(speedup *s)
{
    const char *name = s->job->options->baseline;

    for (int w = 0; w < s->workload_count; w++) {
        entry *base = NULL;

        for (int64_t i = 0; i < s->count; i++) {
            entry *e = &s->entries[i];

            if (e->workload != w || (name && !is_called(s, e, name)))
                continue;
            if (base && name) {
                sim_fail(s->job->err, SIM_USAGE, NULL, 0, "option '--baseline': '%s' is both '%s' and '%s'",
                         name, base->label, e->label);
                sim_hint(s->job->err, "give the whole of one of these");
                return SIM_USAGE;
            }
            if (!base)
                base = e;
        }
        if (!base) {
            sim_fail(s->job->err, SIM_USAGE, NULL, 0, "option '--baseline': nothing is called '%s'%s%s", name,
                     s->workload_count > 1 ? " for workload " : "",
                     s->workload_count > 1 ? s->workloads[w] : "");
            sim_hint(s->job->err, "a policy, an arch or a file, e.g. '%s'", s->entries[0].label);
            return SIM_USAGE;
        }
        base->is_base = true;
        s->base_name = name ? name : base->label;
        for (int64_t i = 0; i < s->count; i++)
            for (int m = 0; m < SIM_BAR_PANELS && s->entries[i].workload == w; m++)
                s->entries[i].ratio[m] =
                    s->entries[i].cost[m] > 0 ? base->cost[m] / s->entries[i].cost[m] : NAN;
    }
    return SIM_OK;
}

static sim_status gather(speedup *s)
{
    static const char *const without[] = {"workload", NULL};
    const sim_chart_axes axes = sim_chart_axes_of(&s->frame, without, -1);
    const double *latency_s = sim_chart_numbers(s->job, &s->frame, "latency_s");
    const double *energy_j = sim_chart_numbers(s->job, &s->frame, "energy_j");

    if (!latency_s || !energy_j)
        return sim_err_status(s->job->err);
    s->entries = sim_arena_alloc(s->job->arena, (size_t)s->frame.row_count, sizeof *s->entries);
    if (!s->entries)
        return sim_chart_no_memory(s->job);
    for (int64_t r = 0; r < s->frame.row_count; r++) {
        const int w =
            sim_chart_index(s->workloads, &s->workload_count, WORKLOADS_MOST, cell(s, r, "workload"));
        const char *label;

        if (isnan(latency_s[r]) || w < 0) {
            s->left_out++;
            continue;
        }
        label = sim_chart_axes_label(&s->canvas, &s->frame, r, &axes);
        if (!*label)
            label = *cell(s, r, "file") ? cell(s, r, "file") : cell(s, r, "policy");
        s->entries[s->count++] =
            (entry){.row = r, .workload = w, .label = label, .cost = {latency_s[r], energy_j[r]}};
    }
    if (s->count < 2) {
        sim_fail(s->job->err, SIM_BAD_INPUT, s->frame.file, 0,
                 "holds one point: a speedup compares at least two");
        sim_hint(s->job->err, "name several files: simacc plot speedup w8a8.csv w4a8.csv ...");
        return SIM_BAD_INPUT;
    }
    return find_bases(s);
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static int by_gain(const void *a, const void *b)
{
    const entry *const *x = a, *const *y = b;

    if ((*x)->is_base != (*y)->is_base)
        return (*x)->is_base ? -1 : 1;
    if ((*x)->ratio[LATENCY] != (*y)->ratio[LATENCY])
        return (*x)->ratio[LATENCY] < (*y)->ratio[LATENCY] ? 1 : -1;
    return (*x)->row < (*y)->row ? -1 : 1;
}

static void fill_row(speedup *s, sim_bar_row *row, const char *label, const double ratio[SIM_BAR_PANELS],
                     const double *cost, int style)
{
    static const char *const units[] = {"s", "J"};

    *row = (sim_bar_row){.label = label};
    for (int m = 0; m < SIM_BAR_PANELS; m++) {
        if (!isfinite(ratio[m]))
            continue;
        row->part[m][style] = ratio[m];
        row->value[m] = cost ? sim_chart_words(&s->canvas, "%.*fx, %s", ratio[m] < 9.995 ? 2 : 1, ratio[m],
                                               sim_canvas_number(&s->canvas, cost[m], units[m]))
                             : sim_chart_words(&s->canvas, "%.*fx", ratio[m] < 9.995 ? 2 : 1, ratio[m]);
    }
}

/* Geometric means over workloads, of labels that every workload has. */
static int add_means(speedup *s, sim_bar_row *rows)
{
    int count = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const entry *first = &s->entries[i];
        double logs[SIM_BAR_PANELS] = {0};
        int found = 0;

        if (first->workload != 0)
            continue;
        for (int64_t j = 0; j < s->count; j++)
            if (strcmp(s->entries[j].label, first->label) == 0) {
                found++;
                for (int m = 0; m < SIM_BAR_PANELS; m++)
                    logs[m] += log(s->entries[j].ratio[m]);
            }
        if (found != s->workload_count)
            continue;
        for (int m = 0; m < SIM_BAR_PANELS; m++)
            logs[m] = exp(logs[m] / found);
        if (count == 0)
            rows[count++] = (sim_bar_row){.label = "geometric mean", .heading = true};
        fill_row(s, &rows[count++], first->label, logs, NULL, first->is_base ? 1 : 0);
    }
    return count;
}

static sim_status make_rows(speedup *s, sim_bar_chart *chart)
{
    const int64_t top = s->job->options->top, most = top > 0 && top < 400 ? top : ROWS_MOST;
    const bool headed = s->workload_count > 1;
    const entry **sorted = sim_arena_alloc(s->job->arena, (size_t)s->count, sizeof(const entry *));

    chart->rows =
        sim_arena_alloc(s->job->arena, 2 * (size_t)(s->count + WORKLOADS_MOST) + 2, sizeof *chart->rows);
    if (!sorted || !chart->rows)
        return sim_chart_no_memory(s->job);
    for (int w = 0; w < s->workload_count; w++) {
        int64_t here = 0, shown;

        for (int64_t i = 0; i < s->count; i++)
            if (s->entries[i].workload == w)
                sorted[here++] = &s->entries[i];
        shown = here;
        if (here > most) { /* the baseline and the fastest; few stay in the order in which they were given */
            qsort(sorted, (size_t)here, sizeof(const entry *), by_gain);
            shown = most;
            s->left_out += here - most;
        }
        if (headed)
            chart->rows[chart->row_count++] = (sim_bar_row){.label = s->workloads[w], .heading = true};
        for (int64_t i = 0; i < shown; i++)
            fill_row(s, &chart->rows[chart->row_count++], sorted[i]->label, sorted[i]->ratio, sorted[i]->cost,
                     sorted[i]->is_base ? 1 : 0);
    }
    if (headed && s->count <= 200)
        chart->row_count += add_means(s, &chart->rows[chart->row_count]);
    return SIM_OK;
}

static void draw(speedup *s, sim_bar_chart *chart, const char *title)
{
    static const char *const labels[] = {"speed, times that of the baseline",
                                         "times less energy than the baseline"};
    const char *rest = s->left_out > 0
                           ? sim_chart_words(&s->canvas, "; %lld more are not shown", (long long)s->left_out)
                           : "";

    chart->panel_count = SIM_BAR_PANELS;
    chart->mark = 1.0;
    for (int m = 0; m < SIM_BAR_PANELS; m++) {
        double longest = 1.0;

        chart->styles[m][0] = m == LATENCY ? 1 : 3;
        chart->styles[m][1] = 6;
        for (int i = 0; i < chart->row_count; i++)
            longest = fmax(longest, chart->rows[i].part[m][0]);
        chart->axes[m] = sim_axis_linear(labels[m], "x", 0, longest, true);
    }
    sim_bars_draw(
        &s->canvas, chart,
        sim_canvas_head(&s->canvas, title,
                        sim_chart_words(&s->canvas,
                                        "baseline%s: %s; longer is better; behind each bar its latency and "
                                        "energy%s",
                                        s->canvas.text ? "" : " (grey)", s->base_name, rest)));
}

sim_status sim_chart_speedup(const sim_chart_job *job)
{
    static const char *const needed[] = {"latency_s", "energy_j", NULL};
    speedup *s = sim_arena_alloc(job->arena, 1, sizeof *s);
    sim_bar_chart *chart = sim_arena_alloc(job->arena, 1, sizeof *chart);
    const char *common;
    sim_status status;

    if (!s || !chart)
        return sim_chart_no_memory(job);
    s->job = job;
    s->canvas.arena = job->arena;
    s->canvas.text = job->options->text;
    status =
        sim_chart_points(job->frames, job->frame_count, "chart of speedups", job->arena, &s->frame, job->err);
    if (status == SIM_OK)
        status = sim_chart_need(&s->frame, needed, "chart of speedups", job->err);
    if (status == SIM_OK)
        status = gather(s);
    if (status == SIM_OK)
        status = make_rows(s, chart);
    if (status != SIM_OK)
        return status;
    sim_chart_sheet(job, sim_bars_height(chart->row_count) - 18.0, sim_bars_lines(chart->row_count) - 2,
                    &s->canvas);
    common = sim_chart_axes_common(&s->canvas, &s->frame);
    draw(s, chart,
         job->options->title ? job->options->title
         : *common           ? sim_chart_words(&s->canvas, "Speed and energy: %s", common)
                             : "Speed and energy");
    return sim_chart_done(job, &s->canvas);
}
