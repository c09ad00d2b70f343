/* Breakdown: where the time and the energy go. Of one run by kind of layer, of several by run: time stacked
 * by what bounds the layers, energy by component. Draws boxes only. */
#include "output/chart_bars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 18 };

static const int bound_styles[SIM_CHART_BOUNDS] = {1, 2, 4, 6, 5, 8};
static const int part_styles[SIM_CHART_PARTS] = {1, 7, 3, 2, 5, 6, 8};

/* Seconds by bound, joules by component. */
typedef struct amount {
    const char *label;
    double bound_s[SIM_CHART_BOUNDS], part_j[SIM_CHART_PARTS];
    double total_s, total_j;
    int of; /* entries added up, for "5 others" */
} amount;

typedef struct breakdown {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_chart_run *runs;
    int run_count;
    amount *rows;
    int row_count;
    amount sum;
} breakdown;

static void add_layer(amount *to, const sim_chart_layer *layer)
{
    double known_j = 0.0;

    to->bound_s[layer->bound] += layer->latency_s * layer->repeat;
    to->total_s += layer->latency_s * layer->repeat;
    for (int p = 0; p < SIM_CHART_PARTS; p++)
        if (layer->part_j[p] > 0) {
            to->part_j[p] += layer->part_j[p] * layer->repeat;
            known_j += layer->part_j[p];
        }
    to->total_j += (known_j > 0 ? known_j : layer->energy_j) * layer->repeat;
}

static void add_amount(amount *to, const amount *from)
{
    for (int b = 0; b < SIM_CHART_BOUNDS; b++)
        to->bound_s[b] += from->bound_s[b];
    for (int p = 0; p < SIM_CHART_PARTS; p++)
        to->part_j[p] += from->part_j[p];
    to->total_s += from->total_s;
    to->total_j += from->total_j;
    to->of += from->of;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const amount *x = a, *y = b;

    if (x->total_s != y->total_s)
        return x->total_s < y->total_s ? 1 : -1;
    return strcmp(x->label, y->label);
}

/* Kinds of layers by falling time; what is too small to see, or beyond `most`, becomes the last row. */
static sim_status rows_by_kind(breakdown *b)
{
    const sim_chart_run *run = &b->runs[0];
    const int64_t asked = b->job->options->top;
    const int most = asked > 0 && asked < 200 ? (int)asked : ROWS_MOST;
    amount others = {.label = ""};
    int kept = 0;

    b->rows = sim_arena_alloc(b->job->arena, (size_t)run->layer_count + 1, sizeof *b->rows);
    if (!b->rows)
        return sim_chart_no_memory(b->job);
    for (int64_t i = 0; i < run->layer_count; i++) {
        int at = 0;

        while (at < b->row_count && strcmp(b->rows[at].label, run->layers[i].kind) != 0)
            at++;
        if (at == b->row_count)
            b->rows[b->row_count++] = (amount){.label = run->layers[i].kind, .of = 1};
        add_layer(&b->rows[at], &run->layers[i]);
        add_layer(&b->sum, &run->layers[i]);
    }
    qsort(b->rows, (size_t)b->row_count, sizeof *b->rows, by_time);
    for (int i = 0; i < b->row_count; i++) {
        const amount row = b->rows[i];
        const bool seen = row.total_s >= 0.005 * b->sum.total_s || row.total_j >= 0.005 * b->sum.total_j;

        if (seen && kept < most)
            b->rows[kept++] = row;
        else
            add_amount(&others, &row);
    }
    if (others.of > 0) {
        others.label = sim_chart_words(&b->canvas, "%d others", others.of);
        b->rows[kept++] = others;
    }
    b->row_count = kept;
    return SIM_OK;
}

static sim_status rows_by_run(breakdown *b, const char *const *labels)
{
    b->rows = sim_arena_alloc(b->job->arena, (size_t)b->run_count, sizeof *b->rows);
    if (!b->rows)
        return sim_chart_no_memory(b->job);
    b->row_count = b->run_count;
    for (int r = 0; r < b->run_count; r++) {
        b->rows[r] = (amount){
            .label = *labels[r] ? labels[r] : sim_chart_stem(b->runs[r].frame->file, b->job->arena), .of = 1};
        for (int64_t i = 0; i < b->runs[r].layer_count; i++)
            add_layer(&b->rows[r], &b->runs[r].layers[i]);
        add_amount(&b->sum, &b->rows[r]);
    }
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

static const char *percent(sim_canvas *canvas, double part, double whole)
{
    const double value = whole > 0 ? 100.0 * part / whole : 0.0;

    return value > 0 && value < 0.05 ? "<0.1%" : sim_chart_words(canvas, "%.1f%%", value);
}

static int make_key(breakdown *b, sim_bar_chart *chart, int panel, const double *sums,
                    const char *const *names, const int *styles, int count, double total)
{
    sim_key_entry *entries = sim_arena_alloc(b->job->arena, (size_t)count, sizeof *entries);
    int used = 0;

    for (int i = 0; i < count; i++)
        chart->styles[panel][i] = styles[i];
    b->canvas.failed |= !entries;
    for (int i = 0; entries && i < count; i++)
        if (sums[i] > 0)
            entries[used++] = (sim_key_entry){
                styles[i], b->run_count > 1 ? names[i]
                                            : sim_chart_words(&b->canvas, "%s %s", names[i],
                                                              percent(&b->canvas, sums[i], total))};
    chart->keys[panel] = entries;
    return chart->key_counts[panel] = used;
}

static sim_status draw(breakdown *b, const char *title)
{
    sim_bar_chart chart = {.row_count = b->row_count, .panel_count = 2};
    const bool single = b->run_count == 1;
    double longest_s = 0.0, longest_j = 0.0, y;

    chart.rows = sim_arena_alloc(b->job->arena, (size_t)b->row_count, sizeof *chart.rows);
    if (!chart.rows)
        return sim_chart_no_memory(b->job);
    for (int i = 0; i < b->row_count; i++) {
        const amount *row = &b->rows[i];

        chart.rows[i].label = row->label;
        memcpy(chart.rows[i].part[0], row->bound_s, sizeof row->bound_s);
        memcpy(chart.rows[i].part[1], row->part_j, sizeof row->part_j);
        chart.rows[i].value[0] = single ? percent(&b->canvas, row->total_s, b->sum.total_s)
                                        : sim_canvas_number(&b->canvas, row->total_s, "s");
        chart.rows[i].value[1] = single ? percent(&b->canvas, row->total_j, b->sum.total_j)
                                        : sim_canvas_number(&b->canvas, row->total_j, "J");
        longest_s = fmax(longest_s, row->total_s);
        longest_j = fmax(longest_j, row->total_j);
    }
    chart.axes[0] = sim_axis_linear(single ? "time" : "time of a run", "s", 0, longest_s, true);
    chart.axes[1] = sim_axis_linear(single ? "energy" : "energy of a run", "J", 0, longest_j, true);
    make_key(b, &chart, 0, b->sum.bound_s, sim_chart_bound_names, bound_styles, SIM_CHART_BOUNDS,
             b->sum.total_s);
    make_key(b, &chart, 1, b->sum.part_j, sim_chart_part_names, part_styles, SIM_CHART_PARTS, b->sum.total_j);
    y = sim_canvas_head(&b->canvas, title,
                        single
                            ? sim_chart_words(&b->canvas,
                                              "left: %s by what bounds each kind of layer; right: %s by what "
                                              "takes it",
                                              sim_canvas_number(&b->canvas, b->sum.total_s, "s"),
                                              sim_canvas_number(&b->canvas, b->sum.total_j, "J"))
                            : "left: time by what bounds the layers; right: energy by what takes it");
    sim_bars_draw(&b->canvas, &chart, y);
    return sim_chart_done(b->job, &b->canvas);
}

sim_status sim_chart_breakdown(const sim_chart_job *job)
{
    breakdown *b = sim_arena_alloc(job->arena, 1, sizeof *b);
    const char **labels, *common;
    sim_status status;

    if (!b)
        return sim_chart_no_memory(job);
    b->job = job;
    b->canvas.arena = job->arena;
    status = sim_chart_runs(job->frames, job->frame_count, "breakdown", job->arena, &b->runs, &b->run_count,
                            job->err);
    if (status != SIM_OK)
        return status;
    common = sim_chart_who_runs(b->runs, b->run_count, job->arena, &labels);
    if (!common)
        return sim_chart_no_memory(job);
    status = b->run_count == 1 ? rows_by_kind(b) : rows_by_run(b, labels);
    if (status != SIM_OK)
        return status;
    sim_chart_sheet(job, sim_bars_height(b->row_count), sim_bars_lines(b->row_count), &b->canvas);
    return draw(b, job->options->title ? job->options->title
                   : *common           ? sim_chart_words(&b->canvas, "Where time and energy go: %s", common)
                                       : "Where time and energy go");
}
