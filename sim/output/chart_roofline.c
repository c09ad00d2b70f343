/* Roofline: how fast each kind of layer goes, against what DRAM and the array allow.
 *   line   series 0: a bound, x,y to x2,y2 (multiply-accumulates per byte; per second)
 *   point  style of a precision and run, x, y; x2: radius in units */
#include "output/chart_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CEILINGS_MAX = 24, CEILINGS_SHOWN = 6, RADIUS_MOST = 20, RADIUS_LEAST = 4, LABELS_MOST = 40 };

/* A kind of layer in a run. Kinds that lie in one place are drawn as one. */
typedef struct spot {
    const char *kind, *series;
    double macs, bytes, latency_s;
    double share_frac; /* of the time of its run */
    int style;
    bool merged; /* into another */
} spot;

typedef struct ceiling {
    const char *bits, *arch;
    double macs_per_s, latency_s; /* time spent at this precision: the most important are shown */
} ceiling;

typedef struct roofline {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_chart_run *runs;
    int run_count;
    spot *spots;
    int spot_count;
    double dropped_frac; /* of the time of all runs: layers without products or traffic */
    ceiling ceilings[CEILINGS_MAX];
    int ceiling_count;
    const char *series[SIM_CHART_STYLES];
    int series_count;
} roofline;

/* ---- what there is ---------------------------------------------------------------------------------- */

static void add_spot(roofline *r, const sim_chart_layer *layer, const char *series, double share_frac)
{
    spot *s = r->spots;

    while (s < r->spots + r->spot_count &&
           !(strcmp(s->kind, layer->kind) == 0 && strcmp(s->series, series) == 0))
        s++;
    if (s == r->spots + r->spot_count) {
        *s = (spot){.kind = layer->kind, .series = series};
        r->spot_count++;
    }
    s->macs += layer->macs * layer->repeat;
    s->bytes += layer->dram_bytes * layer->repeat;
    s->latency_s += layer->latency_s * layer->repeat;
    s->share_frac += share_frac;
}

/* The peak at the layer's own bits follows from its utilization. */
static void add_ceiling(roofline *r, const sim_chart_run *run, const sim_chart_layer *layer)
{
    const double peak = layer->macs / (layer->utilization_frac * layer->latency_s);
    ceiling *c = r->ceilings;

    if (!isfinite(peak) || peak <= 0.0)
        return;
    while (c < r->ceilings + r->ceiling_count &&
           !(strcmp(c->bits, layer->bits) == 0 && strcmp(c->arch, run->arch) == 0))
        c++;
    if (c == r->ceilings + CEILINGS_MAX)
        return;
    if (c == r->ceilings + r->ceiling_count) {
        *c = (ceiling){.bits = layer->bits, .arch = run->arch};
        r->ceiling_count++;
    }
    c->macs_per_s = fmax(c->macs_per_s, peak);
    c->latency_s += layer->latency_s * layer->repeat;
}

static int by_share(const void *a, const void *b)
{
    const spot *x = a, *y = b;

    if (x->share_frac != y->share_frac)
        return x->share_frac < y->share_frac ? 1 : -1;
    return strcmp(x->kind, y->kind);
}

static int by_peak(const void *a, const void *b)
{
    const ceiling *x = a, *y = b;

    return (x->macs_per_s < y->macs_per_s) - (x->macs_per_s > y->macs_per_s);
}

static int by_weight(const void *a, const void *b)
{
    const ceiling *x = a, *y = b;

    return (x->latency_s < y->latency_s) - (x->latency_s > y->latency_s);
}

/* Precisions of one peak share a ceiling; of the others the most used stay. */
static void merge_ceilings(roofline *r)
{
    int kept = 0;

    qsort(r->ceilings, (size_t)r->ceiling_count, sizeof r->ceilings[0], by_peak);
    for (int i = 0; i < r->ceiling_count; i++) {
        ceiling *last = kept > 0 ? &r->ceilings[kept - 1] : NULL;

        if (last && r->ceilings[i].macs_per_s > 0.98 * last->macs_per_s &&
            strcmp(last->arch, r->ceilings[i].arch) == 0) {
            if (strlen(last->bits) < 24)
                last->bits = sim_chart_words(&r->canvas, "%s, %s", last->bits, r->ceilings[i].bits);
            else if (last->bits[strlen(last->bits) - 1] != '.')
                last->bits = sim_chart_words(&r->canvas, "%s ...", last->bits);
            last->latency_s += r->ceilings[i].latency_s;
        } else {
            r->ceilings[kept++] = r->ceilings[i];
        }
    }
    r->ceiling_count = kept;
    if (kept > CEILINGS_SHOWN) {
        qsort(r->ceilings, (size_t)kept, sizeof r->ceilings[0], by_weight);
        r->ceiling_count = CEILINGS_SHOWN;
        qsort(r->ceilings, CEILINGS_SHOWN, sizeof r->ceilings[0], by_peak);
    }
}

static sim_status gather(roofline *r, const char *const *labels)
{
    int64_t most = 0;

    for (int i = 0; i < r->run_count; i++)
        most += r->runs[i].layer_count;
    r->spots = sim_arena_alloc(r->job->arena, (size_t)most, sizeof *r->spots);
    if (!r->spots)
        return sim_chart_no_memory(r->job);
    for (int i = 0; i < r->run_count; i++)
        for (int64_t l = 0; l < r->runs[i].layer_count; l++) {
            const sim_chart_layer *layer = &r->runs[i].layers[l];
            const double share_frac = layer->latency_s * layer->repeat / fmax(r->runs[i].latency_s, 1e-300);

            if (!layer->product || !(layer->macs > 0) || !(layer->dram_bytes > 0) ||
                !(layer->latency_s > 0)) {
                r->dropped_frac += share_frac / r->run_count;
                continue;
            }
            add_spot(r, layer, r->run_count == 1 ? layer->bits : labels[i], share_frac);
            add_ceiling(r, &r->runs[i], layer);
        }
    if (r->spot_count == 0)
        return sim_fail(r->job->err, SIM_BAD_INPUT, r->job->frames[0].file, 0,
                        "holds no product with DRAM traffic: a roofline has nothing to show");
    qsort(r->spots, (size_t)r->spot_count, sizeof *r->spots, by_share);
    for (int i = 0; i < r->spot_count; i++) {
        const int at = sim_chart_index(r->series, &r->series_count, SIM_CHART_STYLES, r->spots[i].series);

        r->spots[i].style = at < 0 ? SIM_CHART_STYLES : at + 1;
        if (at < 0)
            r->series[SIM_CHART_STYLES - 1] = "others";
    }
    merge_ceilings(r);
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

/* Words above a sloping line, which runs from x, y of the sheet: boxes of half a line each, one after the
 * other. */
typedef struct slope {
    double x, y, angle, width;
} slope;

static sim_box slope_box(const roofline *r, const slope *s, double along)
{
    const double line = r->canvas.line, half = line * 0.3;
    const double cx = s->x + along * cos(s->angle) - line * 0.7 * sin(s->angle);
    const double cy = s->y + along * sin(s->angle) + line * 0.7 * cos(s->angle);

    return (sim_box){cx - half, cy - half, cx + half, cy + half};
}

static bool slope_is_free(const roofline *r, const sim_panel *p, const slope *s, double along)
{
    for (int i = 0; i * r->canvas.line * 0.5 < s->width; i++) {
        const sim_box box = slope_box(r, s, along + i * r->canvas.line * 0.5);

        if (!sim_canvas_is_free(&r->canvas, &box, &p->box))
            return false;
    }
    return true;
}

/* Words along the slope of a bandwidth, as near to its start as there is room. */
static void slope_words(roofline *r, const sim_panel *p, const char *text, double bandwidth, double top)
{
    const double x_units = (p->box.x2 - p->box.x) / log10(p->x.to / p->x.from);
    const double y_units = (p->box.y2 - p->box.y) / log10(p->y.to / p->y.from);
    const double x = fmax(p->x.from, p->y.from / bandwidth), line = r->canvas.line;
    const slope s = {sim_panel_x(p, x), sim_panel_y(p, x * bandwidth), atan2(y_units, x_units),
                     sim_canvas_width_of(&r->canvas, text)};
    const double length = (sim_panel_y(p, top) - s.y) / sin(s.angle);
    double along = 12.0;

    if (r->canvas.text) {
        sim_canvas_words(&r->canvas, SIM_ROLE_PLAIN, text, s.x + 8.0, s.y + 3.0, -1);
        return;
    }
    while (along + s.width < length && !slope_is_free(r, p, &s, along))
        along += line * 0.5;
    if (along + s.width >= length)
        along = 12.0;
    sim_canvas_row(&r->canvas, "words", 0, SIM_ROLE_PLAIN, text,
                   (s.x + along * cos(s.angle) - line * 0.7 * sin(s.angle)) / r->canvas.width,
                   (s.y + along * sin(s.angle) + line * 0.7 * cos(s.angle)) / r->canvas.height, -1,
                   s.angle * 180.0 / 3.14159265358979);
    for (int i = 0; i * line * 0.5 < s.width; i++)
        sim_canvas_take(&r->canvas, slope_box(r, &s, along + i * line * 0.5));
}

static bool same_roof(const roofline *r, int i)
{
    for (int j = 0; j < i; j++)
        if (strcmp(r->runs[i].arch, r->runs[j].arch) == 0 &&
            r->runs[i].dram_bytes_per_s == r->runs[j].dram_bytes_per_s)
            return true;
    return false;
}

static bool several_archs(const roofline *r)
{
    for (int i = 1; i < r->run_count; i++)
        if (strcmp(r->runs[i].arch, r->runs[0].arch) != 0)
            return true;
    return false;
}

static double bandwidth_of(const roofline *r, const char *arch)
{
    for (int i = 0; i < r->run_count; i++)
        if (strcmp(r->runs[i].arch, arch) == 0)
            return r->runs[i].dram_bytes_per_s;
    return NAN;
}

static void draw_roofs(roofline *r, const sim_panel *p)
{
    const bool archs = several_archs(r);

    for (int i = 0; i < r->run_count; i++) {
        const double bandwidth = r->runs[i].dram_bytes_per_s;
        double top = 0.0;

        if (same_roof(r, i) || !(bandwidth > 0))
            continue;
        for (int c = 0; c < r->ceiling_count; c++)
            if (strcmp(r->ceilings[c].arch, r->runs[i].arch) == 0)
                top = fmax(top, r->ceilings[c].macs_per_s);
        top = top > 0 ? top : p->y.to;
        sim_canvas_line(&r->canvas, p, 0, p->x.from, p->x.from * bandwidth, top / bandwidth, top);
        slope_words(r, p,
                    sim_chart_words(&r->canvas, "DRAM %s%s%s",
                                    sim_canvas_number(&r->canvas, bandwidth, "B/s"), archs ? ", " : "",
                                    archs ? r->runs[i].arch : ""),
                    bandwidth, top);
    }
    for (int c = 0; c < r->ceiling_count; c++) {
        const ceiling *roof = &r->ceilings[c];
        const double bandwidth = bandwidth_of(r, roof->arch), line = r->canvas.line;
        const char *text = sim_chart_words(&r->canvas, "%s%s%s peak %s", roof->bits, archs ? " " : "",
                                           archs ? roof->arch : "",
                                           sim_canvas_number(&r->canvas, roof->macs_per_s, "MAC/s"));
        const double width = sim_canvas_width_of(&r->canvas, text), y = sim_panel_y(p, roof->macs_per_s);
        const double x2 = p->box.x2 - (r->canvas.text ? 1.0 : 4.0), at = y + line * 0.55;
        const sim_box box = {x2 - width, at - line * 0.45, x2, at + line * 0.45};

        sim_canvas_line(&r->canvas, p, 0, bandwidth > 0 ? roof->macs_per_s / bandwidth : p->x.from,
                        roof->macs_per_s, p->x.to, roof->macs_per_s);
        sim_canvas_words(&r->canvas, SIM_ROLE_PLAIN, text, x2, at, 1);
        sim_canvas_take(&r->canvas, box);
    }
}

static double radius_of(const roofline *r, const spot *s)
{
    return r->canvas.text ? 0.0 : fmax(RADIUS_LEAST, RADIUS_MOST * sqrt(s->share_frac));
}

/* Spots of a series that lie within a few units of a larger one join it: their names become a list. */
static void merge_spots(roofline *r, const sim_panel *p)
{
    for (int i = 0; i < r->spot_count; i++) {
        spot *s = &r->spots[i];
        const double near = r->canvas.text ? 1.0 : fmax(7.0, 0.7 * radius_of(r, s));
        const double x = sim_panel_x(p, s->macs / s->bytes), y = sim_panel_y(p, s->macs / s->latency_s);
        int names = 1, unnamed = 0;

        for (int j = i + 1; j < r->spot_count && !s->merged; j++) {
            spot *t = &r->spots[j];

            if (t->merged || t->style != s->style ||
                hypot(sim_panel_x(p, t->macs / t->bytes) - x, sim_panel_y(p, t->macs / t->latency_s) - y) >
                    near)
                continue;
            t->merged = true;
            s->share_frac += t->share_frac;
            if (names < 3) {
                s->kind = sim_chart_words(&r->canvas, "%s, %s", s->kind, t->kind);
                names++;
            } else {
                unnamed++;
            }
        }
        if (unnamed > 0)
            s->kind = sim_chart_words(&r->canvas, "%s +%d", s->kind, unnamed);
    }
    qsort(r->spots, (size_t)r->spot_count, sizeof *r->spots, by_share);
}

/* All markers before any words: none may cover one. */
static void draw_spots(roofline *r, const sim_panel *p)
{
    for (int i = 0; i < r->spot_count; i++) {
        const spot *s = &r->spots[i];
        const double radius = radius_of(r, s);
        const double x = s->macs / s->bytes, y = s->macs / s->latency_s;
        const double half = r->canvas.text ? 0.4 : radius * 0.9, cx = sim_panel_x(p, x),
                     cy = sim_panel_y(p, y);

        if (s->merged)
            continue;
        if (r->canvas.text) {
            const char letter[] = {sim_canvas_character(SIM_KEY_MARKS, s->style), '\0'};

            sim_canvas_words(&r->canvas, s->style, letter, cx, cy, 0);
        } else {
            sim_canvas_row(&r->canvas, "point", p->number, s->style, s->kind, x, y, radius, NAN);
        }
        sim_canvas_take(&r->canvas, (sim_box){cx - half, cy - half, cx + half, cy + half});
    }
}

static void name_spots(roofline *r, const sim_panel *p)
{
    const int64_t top = r->job->options->top > 0 ? r->job->options->top : LABELS_MOST;

    for (int i = 0; i < r->spot_count && i < top; i++) {
        const spot *s = &r->spots[i];

        if (!s->merged)
            sim_canvas_label(&r->canvas, SIM_ROLE_PLAIN,
                             sim_canvas_fit(&r->canvas, s->kind, r->canvas.width * 0.32),
                             sim_panel_x(p, s->macs / s->bytes), sim_panel_y(p, s->macs / s->latency_s),
                             radius_of(r, s), p->box);
    }
}

static void widen(double value, double *lo, double *hi)
{
    if (value > 0 && isfinite(value)) {
        *lo = fmin(*lo, value);
        *hi = fmax(*hi, value);
    }
}

static void draw(roofline *r, const char *title)
{
    const double edge = r->canvas.text ? 1.0 : 14.0;
    double x_lo = INFINITY, x_hi = 0, y_lo = INFINITY, y_hi = 0, y;
    sim_key_entry entries[SIM_CHART_STYLES];
    sim_axis x_axis, y_axis;
    sim_panel panel;
    sim_box box;

    for (int i = 0; i < r->spot_count; i++) {
        widen(r->spots[i].macs / r->spots[i].bytes, &x_lo, &x_hi);
        widen(r->spots[i].macs / r->spots[i].latency_s, &y_lo, &y_hi);
    }
    for (int c = 0; c < r->ceiling_count; c++) {
        widen(r->ceilings[c].macs_per_s, &y_lo, &y_hi);
        widen(r->ceilings[c].macs_per_s / bandwidth_of(r, r->ceilings[c].arch), &x_lo, &x_hi);
    }
    x_axis = sim_axis_log("work per DRAM traffic", "MAC/B", x_lo / 1.8, x_hi * 2.5);
    y_axis = sim_axis_log("rate of work", "MAC/s", y_lo / 1.8, y_hi * 1.8);
    y = sim_canvas_head(
        &r->canvas, title,
        sim_chart_words(&r->canvas,
                        r->canvas.text
                            ? "sloped line: limit of DRAM; flat line: limit of the array"
                            : "each marker a kind of layer, its area the share of time (%.0f%% of it "
                              "shown); slope: limit of DRAM, flat: of the array",
                        100.0 * (1.0 - r->dropped_frac)));
    for (int i = 0; i < r->series_count; i++)
        entries[i] = (sim_key_entry){i + 1, *r->series[i] ? r->series[i] : "layers"};
    y = sim_canvas_key(&r->canvas, SIM_KEY_MARKS, entries, r->series_count, r->canvas.text ? 0.0 : 12.0,
                       r->canvas.width - edge, y);
    box = (sim_box){.y = sim_canvas_room_below(&r->canvas, &x_axis) + (r->canvas.text ? 0.0 : 4.0),
                    .x2 = r->canvas.width - edge,
                    .y2 = y + (r->canvas.text ? -1.0 : 2.0)};
    box.x = sim_canvas_room_left(&r->canvas, &y_axis, box.y2 - box.y) + (r->canvas.text ? 0.0 : 6.0);
    panel = sim_canvas_panel(&r->canvas, box, x_axis, y_axis);
    merge_spots(r, &panel);
    draw_spots(r, &panel);
    draw_roofs(r, &panel);
    name_spots(r, &panel);
}

sim_status sim_chart_roofline(const sim_chart_job *job)
{
    roofline *r = sim_arena_alloc(job->arena, 1, sizeof *r);
    const char **labels, *common;
    sim_status status;

    if (!r)
        return sim_chart_no_memory(job);
    r->job = job;
    status = sim_chart_runs(job->frames, job->frame_count, "roofline", job->arena, &r->runs, &r->run_count,
                            job->err);
    if (status != SIM_OK)
        return status;
    common = sim_chart_who_runs(r->runs, r->run_count, job->arena, &labels);
    if (!common)
        return sim_chart_no_memory(job);
    sim_chart_sheet(job, 480, 32, &r->canvas);
    status = gather(r, labels);
    if (status != SIM_OK)
        return status;
    draw(r, job->options->title ? job->options->title
            : *common           ? sim_chart_words(&r->canvas, "Roofline of %s", common)
                                : "Roofline");
    return sim_chart_done(job, &r->canvas);
}
