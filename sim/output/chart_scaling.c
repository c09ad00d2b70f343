/* Scaling: latency, tokens per second and energy over batch, context or any other number.
 *   line   style of a series, x,y to x2,y2
 *   point  style, x, y; x2: radius */
#include "output/chart_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANELS = 3, LATENCY = 0, RATE, ENERGY };

typedef struct sample {
    double x, y[PANELS]; /* NaN: unknown */
    int style;
    int64_t row;
} sample;

typedef struct scaling {
    const sim_chart_job *job;
    sim_canvas canvas;
    sim_frame frame;
    const char *x;
    sample *samples;
    int64_t count;
    const char *series[SIM_CHART_STYLES];
    int series_count;
    int64_t series_left_out;
    bool per_token; /* energy is of one token */
} scaling;

/* The first column that says how large the work is and varies; a batch that does not vary is still one. */
static const char *choose_x(const sim_frame *frame)
{
    static const char *const names[] = {"batch",  "context_tokens", "context",        "prompt_tokens",
                                        "prompt", "tokens",         "kv_cache_bytes", NULL};

    for (int i = 0; names[i]; i++)
        if (sim_chart_varies(frame, sim_frame_column(frame, names[i])))
            return names[i];
    return NULL;
}

/* By series and x, the fastest first. */
static int by_series_and_x(const void *a, const void *b)
{
    const sample *p = a, *q = b;

    if (p->style != q->style)
        return p->style - q->style;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    if (p->y[LATENCY] != q->y[LATENCY])
        return p->y[LATENCY] < q->y[LATENCY] ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

/* Of several samples of a series at one x the fastest stays; of a line finer than a picture every n-th. */
static void thin(scaling *s)
{
    int64_t kept = 0, every;

    for (int64_t i = 0; i < s->count; i++)
        if (kept == 0 || s->samples[kept - 1].style != s->samples[i].style ||
            s->samples[kept - 1].x != s->samples[i].x)
            s->samples[kept++] = s->samples[i];
    s->count = kept;
    every = (kept + SIM_CHART_POINTS_DRAWN / PANELS - 1) / (SIM_CHART_POINTS_DRAWN / PANELS);
    kept = 0;
    for (int64_t i = 0; i < s->count; i += every)
        s->samples[kept++] = s->samples[i];
    s->count = kept;
}

/* Tokens follow from their rate: prompt tokens in prefill, one per sequence in decode. */
static void fill_sample(scaling *s, sample *p, const double *latency_s, const double *rate,
                        const double *energy_j)
{
    p->y[LATENCY] = latency_s[p->row];
    p->y[RATE] = rate ? rate[p->row] : NAN;
    p->y[ENERGY] = energy_j[p->row];
    if (s->per_token)
        p->y[ENERGY] = energy_j[p->row] / (p->y[RATE] * latency_s[p->row]);
}

static sim_status gather(scaling *s)
{
    static const char *const sizes[] = {"batch",         "context_tokens", "context",
                                        "prompt_tokens", "prompt",         NULL};
    const char *without[] = {s->x, NULL, NULL, NULL, NULL, NULL};
    const double *x = sim_chart_numbers(s->job, &s->frame, s->x);
    const double *latency_s = sim_chart_numbers(s->job, &s->frame, "latency_s");
    const double *energy_j = sim_chart_numbers(s->job, &s->frame, "energy_j");
    const double *rate = NULL;
    sim_chart_axes axes;

    if (sim_frame_column(&s->frame, "tokens_per_s") >= 0)
        rate = sim_chart_numbers(s->job, &s->frame, "tokens_per_s");
    s->samples = sim_arena_alloc(s->job->arena, (size_t)s->frame.row_count, sizeof *s->samples);
    if (!s->samples)
        return sim_chart_no_memory(s->job);
    if (!x || !latency_s || !energy_j)
        return sim_err_status(s->job->err);
    /* Tokens or the size of a cache grow with batch and context, which then do not tell series apart. */
    if (strcmp(s->x, "tokens") == 0 || strcmp(s->x, "kv_cache_bytes") == 0)
        memcpy(&without[1], sizes, 4 * sizeof sizes[0]);
    axes = sim_chart_axes_of(&s->frame, without, -1);
    for (int64_t r = 0; r < s->frame.row_count; r++)
        s->per_token |= rate && rate[r] > 0;
    for (int64_t r = 0; r < s->frame.row_count; r++) {
        sample *p = &s->samples[s->count];
        int at;

        if (isnan(x[r]) || isnan(latency_s[r]))
            continue;
        at = sim_chart_index(s->series, &s->series_count, SIM_CHART_STYLES,
                             sim_chart_axes_label(&s->canvas, &s->frame, r, &axes));
        if (at < 0) {
            s->series_left_out++;
            continue;
        }
        *p = (sample){.x = x[r], .style = at + 1, .row = r};
        fill_sample(s, p, latency_s, rate, energy_j);
        s->count++;
    }
    if (s->count == 0)
        return sim_fail(s->job->err, SIM_BAD_INPUT, s->frame.file, 0,
                        "no point has both '%s' and 'latency_s'", s->x);
    qsort(s->samples, (size_t)s->count, sizeof *s->samples, by_series_and_x);
    thin(s);
    return SIM_OK;
}

/* ---- the picture ------------------------------------------------------------------------------------ */

static void range_of(const scaling *s, int which, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int64_t i = 0; i < s->count; i++) {
        const double v = which < 0 ? s->samples[i].x : s->samples[i].y[which];

        if (isfinite(v)) {
            *lo = fmin(*lo, v);
            *hi = fmax(*hi, v);
        }
    }
}

/* Powers of two and the like are labelled where they are, as long as they are few. */
static void tick_samples(scaling *s, const sim_panel *panel, const char *unit)
{
    double last = -INFINITY;

    for (int64_t i = 0; i < s->count; i++) {
        const double x = s->samples[i].x, at = sim_panel_x(panel, x);
        const char *text = sim_canvas_number(&s->canvas, x, unit);
        const double half = sim_canvas_width_of(&s->canvas, text) / 2.0;

        if (s->samples[i].style != s->samples[0].style || at - half < last)
            continue;
        sim_canvas_row(&s->canvas, "x_tick", panel->number, 0, text, x, NAN, NAN, NAN);
        last = at + half + (s->canvas.text ? 1.0 : 8.0);
    }
}

static void draw_panel(scaling *s, int which, sim_box box, sim_axis x, sim_axis y)
{
    const sim_panel panel = sim_canvas_panel(&s->canvas, box, x, y);
    const sample *last = NULL;

    if (x.own_ticks)
        tick_samples(s, &panel, x.unit);
    for (int64_t i = 0; i < s->count; i++) {
        const sample *p = &s->samples[i];

        if (!isfinite(p->y[which]) || (y.log && p->y[which] <= 0))
            continue;
        if (s->canvas.text) {
            const char letter[] = {sim_canvas_character(SIM_KEY_MARKS, p->style), '\0'};

            sim_canvas_words(&s->canvas, p->style, letter, sim_panel_x(&panel, p->x),
                             sim_panel_y(&panel, p->y[which]), 0);
        } else {
            sim_canvas_row(&s->canvas, "point", panel.number, p->style, "", p->x, p->y[which], 3.6, NAN);
        }
        if (last && last->style == p->style && last->x < p->x)
            sim_canvas_row(&s->canvas, "line", panel.number, p->style, "", last->x, last->y[which], p->x,
                           p->y[which]);
        last = p;
    }
}

static sim_axis axis_of(const scaling *s, int which)
{
    static const char *const labels[] = {"latency", "throughput", "energy"};
    static const char *const units[] = {"s", "tokens/s", "J"};
    double lo, hi;

    range_of(s, which, &lo, &hi);
    return sim_axis_choose(which == ENERGY && s->per_token ? "energy per token" : labels[which], units[which],
                           lo, hi);
}

static void draw(scaling *s, const char *title)
{
    const int order[PANELS] = {LATENCY, s->per_token ? RATE : ENERGY, ENERGY};
    const int panels = s->per_token ? PANELS : PANELS - 1;
    const double edge = s->canvas.text ? 1.0 : 16.0, between = s->canvas.text ? 1.0 : 10.0;
    sim_key_entry entries[SIM_CHART_STYLES];
    const char *label, *unit;
    double lo, hi, y, high, at = 0.0, left[PANELS], wide, sum = 0.0;
    sim_axis x;

    sim_chart_column_words(s->x, s->job->arena, &label, &unit);
    range_of(s, -1, &lo, &hi);
    x = lo > 0 && hi / lo >= 8 ? sim_axis_log(label, unit, lo, hi)
                               : sim_axis_linear(label, unit, lo, hi, lo >= 0);
    x.own_ticks = x.log;
    y = sim_canvas_head(&s->canvas, title,
                        s->series_left_out > 0
                            ? sim_chart_words(&s->canvas, "%lld points of further series are left out",
                                              (long long)s->series_left_out)
                            : "");
    for (int i = 0; i < s->series_count; i++)
        entries[i] = (sim_key_entry){i + 1, s->series[i]};
    if (s->series_count > 1)
        y = sim_canvas_key(&s->canvas, SIM_KEY_MARKS, entries, s->series_count, s->canvas.text ? 0.0 : 12.0,
                           s->canvas.width - edge, y);
    y -= s->canvas.text ? 1.0 : -2.0;
    high = y - sim_canvas_room_below(&s->canvas, &x) - (s->canvas.text ? 0.0 : 4.0);
    for (int p = 0; p < panels; p++) {
        const sim_axis axis = axis_of(s, order[p]);

        left[p] = sim_canvas_room_left(&s->canvas, &axis, high) + (s->canvas.text ? 0.0 : 6.0);
        sum += left[p];
    }
    wide = (s->canvas.width - sum - edge - between * (panels - 1)) / panels;
    for (int p = 0; p < panels; p++) {
        const double x1 = at + left[p];

        draw_panel(s, order[p], (sim_box){x1, y - high, x1 + wide, y}, x, axis_of(s, order[p]));
        at = x1 + wide + between;
    }
}

sim_status sim_chart_scaling(const sim_chart_job *job)
{
    static const char *const needed[] = {"latency_s", "energy_j", NULL};
    scaling *s = sim_arena_alloc(job->arena, 1, sizeof *s);
    const char *label, *unit, *common;
    sim_status status;

    if (!s)
        return sim_chart_no_memory(job);
    s->job = job;
    s->canvas.arena = job->arena;
    status =
        sim_chart_points(job->frames, job->frame_count, "chart of scaling", job->arena, &s->frame, job->err);
    if (status == SIM_OK)
        status = sim_chart_need(&s->frame, needed, "chart of scaling", job->err);
    if (status != SIM_OK)
        return status;
    s->x = job->options->x ? job->options->x : choose_x(&s->frame);
    if (!s->x) {
        sim_fail(job->err, SIM_BAD_INPUT, s->frame.file, 0,
                 "neither batch nor context nor prompt varies: there is nothing to scale with");
        sim_hint(job->err, "several answers of 'simacc run --json' have them, or name a column with --x");
        return SIM_BAD_INPUT;
    }
    status = gather(s);
    if (status != SIM_OK)
        return status;
    sim_chart_sheet(job, 330, 26, &s->canvas);
    sim_chart_column_words(s->x, job->arena, &label, &unit);
    common = sim_chart_axes_common(&s->canvas, &s->frame);
    draw(s, job->options->title
                ? job->options->title
                : sim_chart_words(&s->canvas, "Scaling with %s%s%s", label, *common ? ": " : "", common));
    return sim_chart_done(job, &s->canvas);
}
