/* Heatmap: latency and energy for each pair of weight and activation bits.
 *   tile   at x, y (numbers of column and row, from 0); x2: how dark, 0 to 1 */
#include "output/chart_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTHS_MOST = 32, METRICS = 2 };

typedef struct cell {
    double value[METRICS]; /* NaN: no such point */
} cell;

typedef struct heatmap {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_frame points;
    int widths_w[WIDTHS_MOST], widths_a[WIDTHS_MOST]; /* rising */
    int w_count, a_count;
    cell *cells;          /* w_count * a_count */
    double base[METRICS]; /* NaN: none */
    double kv_bits;       /* of the points shown; NaN: only one, or as a */
    const char *about;
} heatmap;

static const char *const metrics[METRICS] = {"latency_s", "energy_j"};
static const char *const metric_names[METRICS] = {"latency", "energy"};
static const char *const metric_units[METRICS] = {"s", "J"};

static int column_of(const sim_frame *frame, const char *name, const char *other)
{
    const int at = sim_frame_column(frame, name);

    return at >= 0 ? at : sim_frame_column(frame, other);
}

/* The bits of a point: its columns, else what its policy is called. */
static bool bits_of(const heatmap *h, int64_t row, double *w, double *a)
{
    const sim_frame *f = &h->points;
    const int w_column = column_of(f, "w_bits", "w"), a_column = column_of(f, "a_bits", "a");

    if (sim_frame_real(f, row, w_column, w) && sim_frame_real(f, row, a_column, a) && !isnan(*w) &&
        !isnan(*a))
        return true;
    return sim_chart_policy_bits(sim_frame_text(f, row, sim_frame_column(f, "policy")), w, a);
}

static int compare_int(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static bool add_width(int widths[WIDTHS_MOST], int *count, double bits)
{
    for (int i = 0; i < *count; i++)
        if (widths[i] == bits)
            return true;
    if (*count == WIDTHS_MOST)
        return false;
    widths[(*count)++] = (int)bits;
    return true;
}

static int index_of(const int widths[WIDTHS_MOST], int count, double bits)
{
    int at = 0;

    while (at < count && widths[at] != bits)
        at++;
    return at;
}

/* Of several KV widths: that of the activations where there is one, else the largest. */
static bool is_shown(const heatmap *h, int64_t row, double a)
{
    const int column = column_of(&h->points, "kv_bits", "kv");
    double kv, other, other_w, other_a;

    if (column < 0 || !sim_frame_real(&h->points, row, column, &kv) || isnan(kv) || kv == a)
        return true;
    for (int64_t r = 0; r < h->points.row_count; r++)
        if (bits_of(h, r, &other_w, &other_a) && other_a == a &&
            sim_frame_real(&h->points, r, column, &other) && (other == a || other > kv))
            return false;
    return true;
}

static sim_status fill(heatmap *h)
{
    const sim_frame *f = &h->points;
    double w, a;

    for (int64_t r = 0; r < f->row_count; r++) {
        if (!bits_of(h, r, &w, &a))
            continue;
        if (w != floor(w) || a != floor(a) || w < 1 || a < 1 || w > 64 || a > 64 ||
            !add_width(h->widths_w, &h->w_count, w) || !add_width(h->widths_a, &h->a_count, a))
            return sim_fail(h->job->err, SIM_BAD_INPUT, f->file, sim_frame_line(f, r),
                            "a heatmap has whole bits from 1 to 64, at most %d different ones", WIDTHS_MOST);
    }
    if (h->w_count == 0) {
        sim_fail(h->job->err, SIM_BAD_INPUT, f->file, 1,
                 "a heatmap needs columns 'w_bits' and 'a_bits', or policies such as w4a8");
        sim_hint(h->job->err,
                 "'simacc table ARCH WORKLOAD --bits w=2..8,a=2..8 -o table.csv' makes such a file");
        return SIM_BAD_INPUT;
    }
    qsort(h->widths_w, (size_t)h->w_count, sizeof(int), compare_int);
    qsort(h->widths_a, (size_t)h->a_count, sizeof(int), compare_int);
    h->cells = sim_arena_alloc(h->job->arena, (size_t)h->w_count * (size_t)h->a_count, sizeof *h->cells);
    if (!h->cells)
        return sim_chart_no_memory(h->job);
    for (int i = 0; i < h->w_count * h->a_count; i++)
        for (int m = 0; m < METRICS; m++)
            h->cells[i].value[m] = NAN;
    for (int64_t r = 0; r < f->row_count; r++) {
        cell *c;

        if (!bits_of(h, r, &w, &a) || !is_shown(h, r, a))
            continue;
        c = &h->cells[index_of(h->widths_w, h->w_count, w) * h->a_count +
                      index_of(h->widths_a, h->a_count, a)];
        for (int m = 0; m < METRICS; m++) {
            double value;

            if (!sim_frame_real(f, r, sim_frame_column(f, metrics[m]), &value))
                return sim_fail(h->job->err, SIM_BAD_INPUT, f->file, sim_frame_line(f, r),
                                "column '%s': '%s' is not a number", metrics[m],
                                sim_frame_text(f, r, sim_frame_column(f, metrics[m])));
            /* Of several points (other axes vary too) the best. */
            if (!isnan(value) && !(c->value[m] <= value))
                c->value[m] = value;
        }
    }
    return SIM_OK;
}

static sim_status find_baseline(heatmap *h)
{
    const char *name = h->job->options->baseline;
    double w, a;
    int wi, ai;

    for (int m = 0; m < METRICS; m++)
        h->base[m] = NAN;
    if (!name)
        return SIM_OK;
    if (!sim_chart_policy_bits(name, &w, &a)) {
        sim_fail(h->job->err, SIM_USAGE, NULL, 0, "option '--baseline': '%s' is no precision", name);
        sim_hint(h->job->err, "such as w8a8");
        return SIM_USAGE;
    }
    wi = index_of(h->widths_w, h->w_count, w);
    ai = index_of(h->widths_a, h->a_count, a);
    for (int m = 0; m < METRICS && wi < h->w_count && ai < h->a_count; m++)
        h->base[m] = h->cells[wi * h->a_count + ai].value[m];
    if (!(h->base[0] > 0) && !(h->base[1] > 0))
        return sim_fail(h->job->err, SIM_USAGE, NULL, 0, "option '--baseline': there is no point '%s'", name);
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

static void range_of(const heatmap *h, int metric, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int i = 0; i < h->w_count * h->a_count; i++) {
        const double v = h->cells[i].value[metric];

        if (!isnan(v)) {
            *lo = fmin(*lo, v);
            *hi = fmax(*hi, v);
        }
    }
}

/* Common prefix of a panel's numbers: that of the largest. */
static const char *panel_title(heatmap *h, int metric, double hi, double *scale)
{
    const sim_axis axis =
        sim_axis_linear(metric_names[metric], metric_units[metric], 0, hi > 0 ? hi : 1, true);

    if (h->base[metric] > 0) {
        *scale = h->base[metric];
        return sim_chart_words(&h->canvas, "%s, of that of %s (%s)", metric_names[metric],
                               h->job->options->baseline,
                               sim_canvas_number(&h->canvas, h->base[metric], metric_units[metric]));
    }
    *scale = axis.prefix;
    return sim_axis_words(&h->canvas, &axis);
}

static void draw_cell(heatmap *h, const sim_panel *panel, int wi, int ai, int metric, double shade,
                      double scale)
{
    const double value = h->cells[wi * h->a_count + ai].value[metric], x = sim_panel_x(panel, ai);
    const double y = sim_panel_y(panel, wi), wide = sim_panel_x(panel, 1) - sim_panel_x(panel, 0);
    const double shown = value / scale;
    const char *text = isnan(value) ? "-"
                                    : sim_chart_words(&h->canvas, "%.*f",
                                                      shown < 9.995   ? 2
                                                      : shown < 99.95 ? 1
                                                                      : 0,
                                                      shown);
    const int role = isnan(value) || h->canvas.text ? SIM_ROLE_PLAIN
                     : shade > 0.5                  ? SIM_ROLE_ON_DARK
                                                    : SIM_ROLE_ON_LIGHT;

    if (!isnan(value) && !h->canvas.text)
        sim_canvas_row(&h->canvas, "tile", panel->number, 0, "", ai, wi, shade, NAN);
    if (sim_canvas_width_of(&h->canvas, text) <= wide * 0.96)
        sim_canvas_words(&h->canvas, role, text, x, y, 0);
}

static void draw_panel(heatmap *h, int metric, sim_box box)
{
    sim_axis x = {
        .label = "activation bits", .unit = "", .from = -0.5, .to = h->a_count - 0.5, .no_ticks = true};
    sim_axis y = {.label = "", .unit = "", .from = -0.5, .to = h->w_count - 0.5, .no_ticks = true};
    double lo, hi, scale;
    sim_panel panel;

    range_of(h, metric, &lo, &hi);
    panel = sim_canvas_panel(
        &h->canvas, box, (sim_axis){.label = "", .unit = "", .from = x.from, .to = x.to, .no_ticks = true},
        y);
    sim_canvas_words(&h->canvas, SIM_ROLE_STRONG, panel_title(h, metric, hi, &scale), (box.x + box.x2) / 2.0,
                     box.y2 + h->canvas.line * 0.6, 0);
    for (int a = 0; a < h->a_count; a++)
        sim_canvas_words(&h->canvas, SIM_ROLE_PLAIN, sim_chart_words(&h->canvas, "%d", h->widths_a[a]),
                         sim_panel_x(&panel, a), box.y - h->canvas.line * (h->canvas.text ? 0.5 : 0.65), 0);
    sim_canvas_words(&h->canvas, SIM_ROLE_MUTED, x.label, (box.x + box.x2) / 2.0,
                     box.y - h->canvas.line * (h->canvas.text ? 1.5 : 1.7), 0);
    for (int w = 0; w < h->w_count; w++) {
        sim_canvas_words(&h->canvas, SIM_ROLE_PLAIN, sim_chart_words(&h->canvas, "%d", h->widths_w[w]),
                         box.x - (h->canvas.text ? 1.0 : 6.0), sim_panel_y(&panel, w), 1);
        for (int a = 0; a < h->a_count; a++) {
            const double v = h->cells[w * h->a_count + a].value[metric];
            const double shade = hi > lo && lo > 0 ? log(v / lo) / log(hi / lo)
                                 : hi > lo         ? (v - lo) / (hi - lo)
                                                   : 0.0;

            draw_cell(h, &panel, w, a, metric, shade, scale);
        }
    }
}

static void draw(heatmap *h, const char *title)
{
    const bool text = h->canvas.text;
    const double left = text ? 6.0 : 44.0, between = text ? 6.0 : 44.0, edge = text ? 0.0 : 14.0;
    const double wide = (h->canvas.width - left - between - edge) / 2.0;
    double y = sim_canvas_head(&h->canvas, title, h->about), bottom;

    y -= text ? 1.0 : 12.0;
    bottom = text ? y - h->w_count : 42.0;
    if (text)
        sim_canvas_words(&h->canvas, SIM_ROLE_MUTED, "w bits", 0, y + 0.5, -1);
    else
        sim_canvas_row(&h->canvas, "words", 0, SIM_ROLE_MUTED, "weight bits", 14.0 / h->canvas.width,
                       (bottom + y) / 2.0 / h->canvas.height, 0, 90);
    for (int m = 0; m < METRICS; m++) {
        const double x = left + m * (wide + between);

        draw_panel(h, m, (sim_box){x, bottom, x + wide, y});
    }
}

sim_status sim_chart_heatmap(const sim_chart_job *job)
{
    static const char *const needed[] = {"latency_s", "energy_j", NULL};
    static const char *const bits[] = {"policy", "w_bits", "a_bits", "kv_bits", "w", "a", "kv", NULL};
    heatmap *h = sim_arena_alloc(job->arena, 1, sizeof *h);
    const char *common;
    sim_status status;

    if (!h)
        return sim_chart_no_memory(job);
    h->job = job;
    h->canvas.arena = job->arena;
    status = sim_chart_points(job->frames, job->frame_count, "heatmap", job->arena, &h->points, job->err);
    if (status == SIM_OK)
        status = sim_chart_need(&h->points, needed, "heatmap", job->err);
    if (status == SIM_OK)
        status = fill(h);
    if (status == SIM_OK)
        status = find_baseline(h);
    if (status != SIM_OK)
        return status;
    h->about = sim_chart_axes_of(&h->points, bits, -1).count > 0
                   ? "of several points with the same bits the least; lighter is better"
                   : "all layers at the same bits; lighter is better";
    sim_chart_sheet(job, 118.0 + 34.0 * fmax(h->w_count, 4.0), 6 + h->w_count, &h->canvas);
    common = sim_chart_axes_common(&h->canvas, &h->points);
    draw(h, job->options->title ? job->options->title
            : *common           ? sim_chart_words(&h->canvas, "Latency and energy by bits: %s", common)
                                : "Latency and energy by bits");
    return sim_chart_done(job, &h->canvas);
}
