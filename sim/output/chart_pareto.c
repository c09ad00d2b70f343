/* Pareto: points by two columns, and those that no other beats in both.
 *   point   style of a series, x, y; x2: radius; the series 0 are points beaten
 *   line    style, x,y to x2,y2: the front as stairs */
#include "output/chart_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Labels at most; and of so many points words keep clear, while among more there is no room for words. */
enum { LABELS_MOST = 24, KEPT_CLEAR_MOST = 600 };

typedef struct point {
    double x, y;
    double rank_x, rank_y; /* less is better */
    int64_t row;
    int style;
    bool best;
} point;

typedef struct pareto {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_frame frame;
    const char *x, *y;
    point *points;
    int64_t count, unknown;
    const char *series[SIM_CHART_STYLES];
    int series_count;
    int series_column; /* -1: all are of one series */
} pareto;

/* ---- the front -------------------------------------------------------------------------------------- */

static int by_series_and_rank(const void *a, const void *b)
{
    const point *p = a, *q = b;

    if (p->style != q->style)
        return p->style - q->style;
    if (p->rank_x != q->rank_x)
        return p->rank_x < q->rank_x ? -1 : 1;
    if (p->rank_y != q->rank_y)
        return p->rank_y < q->rank_y ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

/* Each series has its own front: machines or models are compared, not mixed. */
static void find_front(pareto *p)
{
    double least = INFINITY;

    qsort(p->points, (size_t)p->count, sizeof *p->points, by_series_and_rank);
    for (int64_t i = 0; i < p->count; i++) {
        if (i > 0 && p->points[i].style != p->points[i - 1].style)
            least = INFINITY;
        p->points[i].best = p->points[i].rank_y < least;
        least = fmin(least, p->points[i].rank_y);
    }
}

static sim_status gather(pareto *p)
{
    const double *x = sim_chart_numbers(p->job, &p->frame, p->x),
                 *y = sim_chart_numbers(p->job, &p->frame, p->y);
    const double x_sign = sim_chart_more_is_better(p->x) ? -1 : 1,
                 y_sign = sim_chart_more_is_better(p->y) ? -1 : 1;
    const int workload = sim_frame_column(&p->frame, "workload"), arch = sim_frame_column(&p->frame, "arch");

    if (!x || !y)
        return sim_err_status(p->job->err);
    p->series_column = sim_chart_varies(&p->frame, arch)       ? arch
                       : sim_chart_varies(&p->frame, workload) ? workload
                                                               : -1;
    p->points = sim_arena_alloc(p->job->arena, (size_t)p->frame.row_count, sizeof *p->points);
    if (!p->points)
        return sim_chart_no_memory(p->job);
    for (int64_t r = 0; r < p->frame.row_count; r++) {
        int at;

        if (isnan(x[r]) || isnan(y[r])) {
            p->unknown++;
            continue;
        }
        at = sim_chart_index(p->series, &p->series_count, SIM_CHART_STYLES,
                             sim_frame_text(&p->frame, r, p->series_column));
        if (at < 0) {
            p->series[SIM_CHART_STYLES - 1] = "others";
            at = SIM_CHART_STYLES - 1;
        }
        p->points[p->count++] = (point){.x = x[r],
                                        .y = y[r],
                                        .rank_x = x_sign * x[r],
                                        .rank_y = y_sign * y[r],
                                        .row = r,
                                        .style = at + 1};
    }
    if (p->count == 0)
        return sim_fail(p->job->err, SIM_BAD_INPUT, p->frame.file, 0, "no point has both '%s' and '%s'", p->x,
                        p->y);
    find_front(p);
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

/* A raster over the panel: a point in a cell that holds one already would lie upon it. */
typedef struct raster {
    char *cells;
    double pitch; /* units */
    int columns, rows;
} raster;

static bool raster_init(raster *r, const sim_panel *panel, double pitch, sim_arena *arena)
{
    r->pitch = pitch;
    r->columns = (int)((panel->box.x2 - panel->box.x) / pitch) + 2;
    r->rows = (int)((panel->box.y2 - panel->box.y) / pitch) + 2;
    r->cells = sim_arena_alloc(arena, (size_t)r->columns * (size_t)r->rows, 1);
    return r->cells != NULL;
}

/* True the first time that a point falls into its cell. */
static bool raster_add(const raster *r, const sim_panel *panel, const point *q)
{
    const int column = (int)((sim_panel_x(panel, q->x) - panel->box.x) / r->pitch);
    const int row = (int)((sim_panel_y(panel, q->y) - panel->box.y) / r->pitch);
    char *cell = &r->cells[(size_t)row * (size_t)r->columns + (size_t)column];
    const bool first = !*cell;

    *cell = 1;
    return first;
}

static void draw_beaten(pareto *p, const sim_panel *panel, const point *q)
{
    const double x = sim_panel_x(panel, q->x), y = sim_panel_y(panel, q->y),
                 half = p->canvas.text ? 0.4 : 3.0;

    if (p->canvas.text)
        sim_canvas_words(&p->canvas, SIM_ROLE_MUTED, ".", x, y, 0);
    else
        sim_canvas_row(&p->canvas, "cloud", panel->number, q->style, "", q->x, q->y, 2.2, NAN);
    if (p->count <= KEPT_CLEAR_MOST)
        sim_canvas_take(&p->canvas, (sim_box){x - half, y - half, x + half, y + half});
}

/* Beaten points, at most one in each cell of a raster as coarse as it takes to leave no more than
 * SIM_CHART_POINTS_DRAWN. The front is drawn whole. */
static void draw_cloud(pareto *p, const sim_panel *panel)
{
    double pitch = p->canvas.text ? 1.0 : 2.0;
    int64_t seen = p->count;
    raster r;

    while (seen > SIM_CHART_POINTS_DRAWN) {
        pitch *= 1.25;
        if (!raster_init(&r, panel, pitch, p->job->arena))
            return;
        seen = 0;
        for (int64_t i = 0; i < p->count; i++)
            seen += raster_add(&r, panel, &p->points[i]);
    }
    if (!raster_init(&r, panel, pitch, p->job->arena))
        return;
    for (int64_t i = 0; i < p->count; i++)
        if (!p->points[i].best && raster_add(&r, panel, &p->points[i]))
            draw_beaten(p, panel, &p->points[i]);
}

static void draw_front(pareto *p, const sim_panel *panel)
{
    const point *last = NULL;

    for (int64_t i = 0; i < p->count; i++) {
        const point *q = &p->points[i];
        const double ux = sim_panel_x(panel, q->x), uy = sim_panel_y(panel, q->y);

        if (!q->best)
            continue;
        if (last && last->style == q->style && !p->canvas.text) {
            sim_canvas_line(&p->canvas, panel, q->style, last->x, last->y, q->x, last->y);
            sim_canvas_line(&p->canvas, panel, q->style, q->x, last->y, q->x, q->y);
        }
        if (p->canvas.text) {
            const char letter[] = {sim_canvas_character(SIM_KEY_MARKS, q->style), '\0'};

            sim_canvas_words(&p->canvas, q->style, letter, ux, uy, 0);
        } else {
            sim_canvas_row(&p->canvas, "point", panel->number, q->style, "", q->x, q->y, 4.5, NAN);
        }
        sim_canvas_take(&p->canvas, p->canvas.text ? (sim_box){ux - 0.4, uy - 0.4, ux + 0.4, uy + 0.4}
                                                   : (sim_box){ux - 4.0, uy - 4.0, ux + 4.0, uy + 4.0});
        last = q;
    }
}

static void put_label(pareto *p, const sim_panel *panel, const point *q, const sim_chart_axes *axes)
{
    const char *label = sim_chart_axes_label(&p->canvas, &p->frame, q->row, axes);

    sim_canvas_label(&p->canvas, q->best ? SIM_ROLE_PLAIN : SIM_ROLE_MUTED,
                     sim_canvas_fit(&p->canvas, label, p->canvas.width * 0.25), sim_panel_x(panel, q->x),
                     sim_panel_y(panel, q->y), p->canvas.text ? 0.0 : 4.5, panel->box);
}

/* The front first, at most `top` evenly along it; then the others, where they are few. */
static void draw_labels(pareto *p, const sim_panel *panel)
{
    const sim_chart_axes axes = sim_chart_axes_of(&p->frame, NULL, p->series_column);
    const int64_t top = p->job->options->top, most = top > 0 ? top : LABELS_MOST;
    int64_t best = 0, number = 0, every;

    for (int64_t i = 0; i < p->count; i++)
        best += p->points[i].best;
    every = (best + most - 1) / most;
    for (int64_t i = 0; i < p->count; i++)
        if (p->points[i].best && number++ % every == 0)
            put_label(p, panel, &p->points[i], &axes);
    for (int64_t i = 0; i < p->count && p->count <= most; i++)
        if (!p->points[i].best)
            put_label(p, panel, &p->points[i], &axes);
}

static void draw(pareto *p, const char *title)
{
    const double edge = p->canvas.text ? 1.0 : 16.0;
    double x_lo = INFINITY, x_hi = -INFINITY, y_lo = INFINITY, y_hi = -INFINITY, y;
    sim_key_entry entries[SIM_CHART_STYLES];
    const char *note;
    sim_axis x_axis, y_axis;
    sim_panel panel;
    sim_box box;

    for (int64_t i = 0; i < p->count; i++) {
        x_lo = fmin(x_lo, p->points[i].x);
        x_hi = fmax(x_hi, p->points[i].x);
        y_lo = fmin(y_lo, p->points[i].y);
        y_hi = fmax(y_hi, p->points[i].y);
    }
    x_axis = sim_chart_column_axis(&p->canvas, p->x, x_lo, x_hi);
    y_axis = sim_chart_column_axis(&p->canvas, p->y, y_lo, y_hi);
    note = p->unknown > 0
               ? sim_chart_words(&p->canvas, "; %lld without a result are left out", (long long)p->unknown)
               : "";
    y = sim_canvas_head(&p->canvas, title,
                        sim_chart_words(&p->canvas,
                                        "%lld point%s; joined: those that no other beats in both (%s "
                                        "and %s is better)%s",
                                        (long long)p->count, p->count == 1 ? "" : "s",
                                        sim_chart_more_is_better(p->x) ? "right" : "left",
                                        sim_chart_more_is_better(p->y) ? "up" : "down", note));
    for (int i = 0; i < p->series_count; i++)
        entries[i] = (sim_key_entry){i + 1, p->series[i]};
    if (p->series_count > 1)
        y = sim_canvas_key(&p->canvas, SIM_KEY_MARKS, entries, p->series_count, p->canvas.text ? 0.0 : 12.0,
                           p->canvas.width - edge, y);
    box = (sim_box){.y = sim_canvas_room_below(&p->canvas, &x_axis) + (p->canvas.text ? 0.0 : 4.0),
                    .x2 = p->canvas.width - edge,
                    .y2 = y + (p->canvas.text ? -1.0 : 2.0)};
    box.x = sim_canvas_room_left(&p->canvas, &y_axis, box.y2 - box.y) + (p->canvas.text ? 0.0 : 6.0);
    panel = sim_canvas_panel(&p->canvas, box, x_axis, y_axis);
    draw_cloud(p, &panel);
    draw_front(p, &panel);
    draw_labels(p, &panel);
}

sim_status sim_chart_pareto(const sim_chart_job *job)
{
    pareto *p = sim_arena_alloc(job->arena, 1, sizeof *p);
    const char *x_label, *y_label, *unit, *common;
    sim_status status;

    if (!p)
        return sim_chart_no_memory(job);
    p->job = job;
    p->canvas.arena = job->arena;
    p->x = job->options->x ? job->options->x : "latency_s";
    p->y = job->options->y ? job->options->y : "energy_j";
    status = sim_chart_points(job->frames, job->frame_count, "Pareto chart", job->arena, &p->frame, job->err);
    if (status == SIM_OK)
        status = gather(p);
    if (status != SIM_OK)
        return status;
    sim_chart_sheet(job, 480, 32, &p->canvas);
    sim_chart_column_words(p->x, job->arena, &x_label, &unit);
    sim_chart_column_words(p->y, job->arena, &y_label, &unit);
    common = sim_chart_axes_common(&p->canvas, &p->frame);
    draw(p, job->options->title ? job->options->title
                                : sim_chart_words(&p->canvas, "Trade-off of %s and %s%s%s", x_label, y_label,
                                                  *common ? ": " : "", common));
    return sim_chart_done(job, &p->canvas);
}
