/* Calibration: predicted against measured times of GPU kernels, and the errors over the rows m of the
 * product, where libraries change kernels. point  style of a kernel and implementation, x, y; x2: radius line
 * series 0: exact, 1: 10% off, x,y to x2,y2 */
#include "output/chart_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_EDGE_PCT = 60, SERIES_MOST = 64, BINS = 160 };

typedef struct series {
    const char *name;
    int64_t rows;
    double error_sum_pct;
} series;

typedef struct calibration {
    const sim_chart_job *job;
    sim_canvas canvas;
    const sim_frame *frame;
    const double *measured_us, *predicted_us, *m;
    int *styles; /* of each row; 0: left out */
    const char *names[SERIES_MOST];
    series series[SIM_CHART_STYLES];
    int name_count, series_count;
    int64_t rows;
    double error_sum_pct;
} calibration;

static double error_pct(const calibration *c, int64_t row)
{
    return 100.0 * (c->predicted_us[row] / c->measured_us[row] - 1.0);
}

static const char *cell(const calibration *c, int64_t row, const char *column)
{
    return sim_frame_text(c->frame, row, sim_frame_column(c->frame, column));
}

static sim_status gather(calibration *c)
{
    c->measured_us = sim_chart_numbers(c->job, c->frame, "latency_us");
    c->predicted_us = sim_chart_numbers(c->job, c->frame, "predicted_us");
    c->m = sim_chart_numbers(c->job, c->frame, "m");
    c->styles = sim_arena_alloc(c->job->arena, (size_t)c->frame->row_count, sizeof *c->styles);
    if (!c->measured_us || !c->predicted_us || !c->m)
        return sim_err_status(c->job->err);
    if (!c->styles)
        return sim_chart_no_memory(c->job);
    for (int64_t r = 0; r < c->frame->row_count; r++) {
        const char *impl = cell(c, r, "impl"), *name;
        int at;

        if (!(c->measured_us[r] > 0) || !(c->predicted_us[r] > 0))
            continue;
        name = sim_chart_words(&c->canvas, "%s%s%s%s", cell(c, r, "kernel"), *impl ? " " : "", impl,
                               strcmp(cell(c, r, "regime"), "sustained") == 0 ? ", sustained" : "");
        at = sim_chart_index(c->names, &c->name_count, SERIES_MOST, name);
        if (at < 0 || at >= SIM_CHART_STYLES) {
            at = SIM_CHART_STYLES - 1;
            c->series[at].name = "others";
        } else {
            c->series[at].name = c->names[at];
        }
        if (at >= c->series_count)
            c->series_count = at + 1;
        c->series[at].rows++;
        c->series[at].error_sum_pct += fabs(error_pct(c, r));
        c->error_sum_pct += fabs(error_pct(c, r));
        c->rows++;
        c->styles[r] = at + 1;
    }
    if (c->rows == 0)
        return sim_fail(c->job->err, SIM_BAD_INPUT, c->frame->file, 0, "holds no row with positive times");
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

/* A marker, unless one of its style lies within a raster cell already: ten thousand rows stay a small
 * picture. */
static void put_point(calibration *c, const sim_panel *panel, int style, double x, double y,
                      unsigned char *seen)
{
    const double ux = sim_panel_x(panel, x), uy = sim_panel_y(panel, y);
    const int cx = (int)((ux - panel->box.x) / (panel->box.x2 - panel->box.x) * (BINS - 1));
    const int cy = (int)((uy - panel->box.y) / (panel->box.y2 - panel->box.y) * (BINS - 1));
    unsigned char *cell_seen = &seen[cy * BINS + cx];

    if (*cell_seen >> (style - 1) & 1)
        return;
    *cell_seen = (unsigned char)(*cell_seen | 1u << (style - 1));
    if (c->canvas.text) {
        const char letter[] = {sim_canvas_character(SIM_KEY_MARKS, style), '\0'};

        sim_canvas_words(&c->canvas, style, letter, ux, uy, 0);
    } else {
        sim_canvas_row(&c->canvas, "point", panel->number, style, "", x, y, 2.4, NAN);
    }
}

static void draw_line(calibration *c, const sim_panel *p, int which, double x, double y, double x2, double y2)
{
    if (!c->canvas.text)
        sim_canvas_row(&c->canvas, "line", p->number, which, "", x, y, x2, y2);
}

static void draw_times(calibration *c, sim_box box, sim_axis axis, sim_axis y, unsigned char *seen)
{
    const sim_panel panel = sim_canvas_panel(&c->canvas, box, axis, y);

    draw_line(c, &panel, 0, axis.from, axis.from, axis.to, axis.to);
    draw_line(c, &panel, 1, axis.from, axis.from * 1.1, axis.to / 1.1, axis.to);
    draw_line(c, &panel, 1, axis.from * 1.1, axis.from, axis.to, axis.to / 1.1);
    for (int64_t r = 0; r < c->frame->row_count; r++)
        if (c->styles[r] > 0)
            put_point(c, &panel, c->styles[r], c->measured_us[r] * 1e-6, c->predicted_us[r] * 1e-6, seen);
}

static void draw_errors(calibration *c, sim_box box, sim_axis x, sim_axis y, unsigned char *seen)
{
    const sim_panel panel = sim_canvas_panel(&c->canvas, box, x, y);

    draw_line(c, &panel, 0, x.from, 0, x.to, 0);
    draw_line(c, &panel, 1, x.from, 10, x.to, 10);
    draw_line(c, &panel, 1, x.from, -10, x.to, -10);
    for (int64_t r = 0; r < c->frame->row_count; r++)
        if (c->styles[r] > 0 && c->m[r] > 0)
            put_point(c, &panel, c->styles[r], c->m[r],
                      fmax(-ERROR_EDGE_PCT, fmin(ERROR_EDGE_PCT, error_pct(c, r))), seen);
}

static sim_status draw(calibration *c, const char *title)
{
    const bool text = c->canvas.text;
    const double edge = text ? 1.0 : 16.0, between = text ? 2.0 : 16.0;
    double t_lo = INFINITY, t_hi = 0, m_lo = INFINITY, m_hi = 0, y, bottom, left_1, left_2, wide;
    unsigned char *seen = sim_arena_alloc(c->job->arena, 2 * (size_t)BINS * BINS, 1);
    sim_key_entry entries[SIM_CHART_STYLES];
    sim_axis time, predicted, rows, error;

    if (!seen)
        return sim_chart_no_memory(c->job);
    for (int64_t r = 0; r < c->frame->row_count; r++)
        if (c->styles[r] > 0) {
            t_lo = fmin(t_lo, fmin(c->measured_us[r], c->predicted_us[r]));
            t_hi = fmax(t_hi, fmax(c->measured_us[r], c->predicted_us[r]));
            if (c->m[r] > 0) {
                m_lo = fmin(m_lo, c->m[r]);
                m_hi = fmax(m_hi, c->m[r]);
            }
        }
    time = sim_axis_log("measured", "s", t_lo * 1e-6, t_hi * 1e-6);
    predicted = time;
    predicted.label = "predicted";
    rows = sim_axis_log("rows m of the product", "", m_hi > 0 ? m_lo : 1, m_hi > 0 ? m_hi : 1);
    error =
        sim_axis_linear("error: predicted less (-), more (+)", "%", -ERROR_EDGE_PCT, ERROR_EDGE_PCT, false);
    y = sim_canvas_head(&c->canvas, title,
                        sim_chart_words(&c->canvas,
                                        "mean error %.1f%%; lines: exact, and 10%% off; beyond %d%% at the "
                                        "edge; in the key rows and mean error",
                                        c->error_sum_pct / (double)c->rows, ERROR_EDGE_PCT));
    for (int i = 0; i < c->series_count; i++)
        entries[i] =
            (sim_key_entry){i + 1, sim_chart_words(&c->canvas, "%s: %lld, %.1f%%", c->series[i].name,
                                                   (long long)c->series[i].rows,
                                                   c->series[i].error_sum_pct / (double)c->series[i].rows)};
    y = sim_canvas_key(&c->canvas, SIM_KEY_MARKS, entries, c->series_count, text ? 0.0 : 12.0,
                       c->canvas.width - edge, y) -
        (text ? 1.0 : -2.0);
    bottom = sim_canvas_room_below(&c->canvas, &time) + (text ? 0.0 : 4.0);
    left_1 = sim_canvas_room_left(&c->canvas, &predicted, y - bottom) + (text ? 0.0 : 6.0);
    left_2 = sim_canvas_room_left(&c->canvas, &error, y - bottom) + (text ? 0.0 : 6.0);
    wide = (c->canvas.width - left_1 - left_2 - between - edge) / 2.0;
    draw_times(c, (sim_box){left_1, bottom, left_1 + wide, y}, time, predicted, seen);
    draw_errors(
        c, (sim_box){left_1 + wide + between + left_2, bottom, left_1 + left_2 + 2.0 * wide + between, y},
        rows, error, seen + (size_t)BINS * BINS);
    return SIM_OK;
}

sim_status sim_chart_calibration(const sim_chart_job *job)
{
    static const char *const needed[] = {"kernel", "m", "latency_us", "predicted_us", NULL};
    calibration *c = sim_arena_alloc(job->arena, 1, sizeof *c);
    const char *gpu, *name;
    sim_status status;
    int key_lines;

    if (!c)
        return sim_chart_no_memory(job);
    if (job->frame_count > 1)
        return sim_fail(job->err, SIM_USAGE, NULL, 0, "a chart of a calibration shows one file, not %d",
                        job->frame_count);
    c->job = job;
    c->canvas.arena = job->arena;
    c->frame = &job->frames[0];
    status = sim_chart_need(c->frame, needed, "chart of a calibration", job->err);
    if (status == SIM_OK && c->frame->row_count == 0)
        status = sim_fail(job->err, SIM_BAD_INPUT, c->frame->file, 0, "holds no rows");
    if (status == SIM_OK)
        status = gather(c);
    if (status != SIM_OK)
        return status;
    gpu = cell(c, 0, "gpu");
    name = cell(c, 0, "calibration");
    key_lines = (c->series_count + 2) / 3;
    sim_chart_sheet(job, 400.0 + 17.0 * key_lines, 30 + key_lines, &c->canvas);
    status = draw(c, job->options->title ? job->options->title
                                         : sim_chart_words(&c->canvas, "%s%s%lld measurements%s%s", name,
                                                           *name ? " against " : "", (long long)c->rows,
                                                           *gpu ? " of " : "", gpu));
    return status == SIM_OK ? sim_chart_done(job, &c->canvas) : status;
}
