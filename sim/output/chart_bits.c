/* Bits: the weight and activation bits of each layer, coloured by what bounds it, and its share of time.
 * Layers go from left to right in the order of the run; in text they are rows. Draws boxes only. */
#include "output/chart_bars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 180, NAMED_MOST = 56, ROWS_MOST = 64 };

static const int bound_styles[SIM_CHART_BOUNDS] = {1, 2, 4, 6, 5, 8};

/* One layer, or neighbours drawn as one. */
typedef struct column {
    const char *name;
    double w_bits, a_bits; /* mean by time; NaN: none */
    double share_frac;     /* of the run's time */
    int bound;             /* of the layer that takes longest */
} column;

typedef struct bits {
    const sim_chart_job *job;
    sim_canvas canvas;
    const sim_chart_run *run;
    const sim_chart_layer **layers;
    int64_t layer_count;
    column *columns;
    int column_count;
    int64_t per_column; /* layers in each, but perhaps the last */
    double widest_bits, most_share_frac;
    bool has_kv;
} bits;

/* The KV cache takes the place of the weights in attention. */
static double second_operand(const sim_chart_layer *layer)
{
    return isnan(layer->w_bits) ? layer->kv_bits : layer->w_bits;
}

static const char *short_name(sim_canvas *canvas, const sim_chart_layer *layer)
{
    static const char stem[] = "layers.";
    const char *at = strstr(layer->name, stem);
    const char *name = at ? at + strlen(stem) : layer->name;

    return layer->repeat > 1 ? sim_chart_words(canvas, "%s x%g", layer->kind, layer->repeat) : name;
}

static column column_of(bits *b, int64_t first, int64_t count)
{
    column c = {.name = short_name(&b->canvas, b->layers[first]), .w_bits = NAN, .a_bits = NAN};
    double w = 0.0, w_time = 0.0, a = 0.0, a_time = 0.0, longest = -1.0;

    for (int64_t i = 0; i < count; i++) {
        const sim_chart_layer *layer = b->layers[first + i];
        const double time = layer->latency_s * layer->repeat, weight = fmax(time, 1e-300);

        if (!isnan(second_operand(layer))) {
            w += weight * second_operand(layer);
            w_time += weight;
        }
        if (!isnan(layer->a_bits)) {
            a += weight * layer->a_bits;
            a_time += weight;
        }
        c.share_frac += time / fmax(b->run->latency_s, 1e-300);
        if (time > longest) {
            longest = time;
            c.bound = layer->bound;
        }
    }
    if (w_time > 0)
        c.w_bits = w / w_time;
    if (a_time > 0)
        c.a_bits = a / a_time;
    return c;
}

/* Products only: vector operations have no weights whose bits could be chosen. */
static sim_status gather(bits *b)
{
    const int64_t top = b->job->options->top;
    const int most = b->job->options->text ? ROWS_MOST : COLUMNS_MOST;
    const int64_t shown = top > 0 && top < most ? top : most;

    b->layers = sim_arena_alloc(b->job->arena, (size_t)b->run->layer_count, sizeof(const sim_chart_layer *));
    if (!b->layers)
        return sim_chart_no_memory(b->job);
    for (int64_t i = 0; i < b->run->layer_count; i++)
        if (b->run->layers[i].product) {
            b->layers[b->layer_count++] = &b->run->layers[i];
            b->has_kv |= isnan(b->run->layers[i].w_bits) && !isnan(b->run->layers[i].kv_bits);
        }
    if (b->layer_count == 0)
        return sim_fail(b->job->err, SIM_BAD_INPUT, b->run->frame->file, 0,
                        "holds no matmul and no conv2d: there are no bits to show");
    b->per_column = (b->layer_count + shown - 1) / shown;
    b->column_count = (int)((b->layer_count + b->per_column - 1) / b->per_column);
    b->columns = sim_arena_alloc(b->job->arena, (size_t)b->column_count, sizeof *b->columns);
    if (!b->columns)
        return sim_chart_no_memory(b->job);
    for (int c = 0; c < b->column_count; c++) {
        const int64_t first = c * b->per_column, left = b->layer_count - first;

        b->columns[c] = column_of(b, first, left < b->per_column ? left : b->per_column);
        if (b->columns[c].w_bits > b->widest_bits)
            b->widest_bits = b->columns[c].w_bits;
        if (b->columns[c].a_bits > b->widest_bits)
            b->widest_bits = b->columns[c].a_bits;
        b->most_share_frac = fmax(b->most_share_frac, b->columns[c].share_frac);
    }
    return SIM_OK;
}

static int make_key(const bits *b, sim_key_entry entries[SIM_CHART_BOUNDS])
{
    int used = 0;

    for (int k = 0; k < SIM_CHART_BOUNDS; k++)
        for (int c = 0; c < b->column_count; c++)
            if (b->columns[c].bound == k) {
                entries[used++] = (sim_key_entry){bound_styles[k], sim_chart_bound_names[k]};
                break;
            }
    return used;
}

/* ---- columns, for pictures --------------------------------------------------------------------------- */

typedef double (*value_of)(const column *c);

static double w_of(const column *c)
{
    return c->w_bits;
}

static double a_of(const column *c)
{
    return c->a_bits;
}

static double share_of(const column *c)
{
    return 100.0 * c->share_frac;
}

static void draw_panel(bits *b, sim_box box, sim_axis y, value_of value, bool numbers)
{
    const sim_axis x = {.label = "", .unit = "", .from = 0, .to = b->column_count, .no_ticks = true};
    const sim_panel panel = sim_canvas_panel(&b->canvas, box, x, y);
    const double wide = (box.x2 - box.x) / b->column_count, gap = wide > 6 ? wide * 0.12 : 0.0;
    const double base = sim_panel_y(&panel, 0.0);

    for (int c = 0; c < b->column_count; c++) {
        const double v = value(&b->columns[c]);
        const double x1 = box.x + c * wide + gap, x2 = box.x + (c + 1) * wide - gap;
        const double top = sim_panel_y(&panel, v);

        if (!(v > 0))
            continue;
        sim_canvas_row(&b->canvas, "box", panel.number, bound_styles[b->columns[c].bound], "",
                       x1 / b->canvas.width, base / b->canvas.height, x2 / b->canvas.width,
                       top / b->canvas.height);
        if (numbers && wide >= 11.0 && b->per_column == 1)
            sim_canvas_words(&b->canvas, SIM_ROLE_PLAIN, sim_chart_words(&b->canvas, "%g", v),
                             (x1 + x2) / 2.0, top + b->canvas.line * 0.5, 0);
    }
}

/* Names below the columns, or their numbers where there are too many for names. */
static void name_columns(bits *b, sim_box box, double room)
{
    const double wide = (box.x2 - box.x) / b->column_count;

    if (b->column_count <= NAMED_MOST && b->per_column == 1) {
        for (int c = 0; c < b->column_count; c++)
            sim_canvas_words_turned(&b->canvas, SIM_ROLE_PLAIN,
                                    sim_canvas_fit(&b->canvas, b->columns[c].name, room - 14.0),
                                    box.x + (c + 0.5) * wide, box.y - 6.0);
        return;
    }
    for (int i = 0; i <= 10; i++) {
        const int64_t layer = (b->layer_count - 1) * i / 10, place = layer / b->per_column;

        sim_canvas_words(&b->canvas, SIM_ROLE_MUTED,
                         sim_chart_words(&b->canvas, "%lld", (long long)layer + 1),
                         box.x + ((double)place + 0.5) * wide, box.y - b->canvas.line * 0.7, 0);
    }
    sim_canvas_words(&b->canvas, SIM_ROLE_MUTED, "layer, in order of execution", (box.x + box.x2) / 2.0,
                     box.y - b->canvas.line * 1.7, 0);
}

static double name_room(const bits *b)
{
    double widest = 0.0;

    if (b->column_count > NAMED_MOST || b->per_column > 1)
        return 40.0;
    for (int c = 0; c < b->column_count; c++)
        widest = fmax(widest, sim_canvas_width_of(&b->canvas, b->columns[c].name));
    return fmin(widest + 14.0, 150.0);
}

static void draw_columns(bits *b, double y)
{
    sim_axis axes[] = {sim_axis_linear("", "bits", 0, b->widest_bits * 1.12, true),
                       sim_axis_linear("", "bits", 0, b->widest_bits * 1.12, true),
                       sim_axis_linear("", "%", 0, 100.0 * b->most_share_frac, true)};
    const char *const headings[] = {b->has_kv ? "bits of weights, or of the KV cache where attention reads it"
                                              : "bits of weights",
                                    "bits of activations", "share of the run's time (%)"};
    static const value_of values[] = {w_of, a_of, share_of};
    const double room = name_room(b), between = 26.0, high = (y - 12.0 - room - 2.0 * between) / 3.0;
    double left = 0.0;
    sim_box box;

    for (int p = 0; p < 3; p++)
        left = fmax(left, sim_canvas_room_left(&b->canvas, &axes[p], high) + 6.0);
    for (int p = 0; p < 3; p++) {
        const double top = y - 12.0 - p * (high + between);

        box = (sim_box){left, top - high, b->canvas.width - 14.0, top};
        draw_panel(b, box, axes[p], values[p], p < 2);
        sim_canvas_words(&b->canvas, SIM_ROLE_MUTED, headings[p], left, top + b->canvas.line * 0.5, -1);
    }
    name_columns(b, box, room);
}

/* ---- rows, for terminals ----------------------------------------------------------------------------- */

static sim_status draw_rows(bits *b, double y)
{
    sim_bar_chart chart = {.row_count = b->column_count, .panel_count = 2};

    chart.rows = sim_arena_alloc(b->job->arena, (size_t)b->column_count, sizeof *chart.rows);
    if (!chart.rows)
        return sim_chart_no_memory(b->job);
    for (int i = 0; i < SIM_CHART_BOUNDS; i++)
        chart.styles[0][i] = chart.styles[1][i] = bound_styles[i];
    for (int c = 0; c < b->column_count; c++) {
        const column *col = &b->columns[c];

        chart.rows[c].label = col->name;
        chart.rows[c].part[0][col->bound] = col->w_bits;
        chart.rows[c].part[1][col->bound] = col->a_bits;
        chart.rows[c].value[0] = isnan(col->w_bits) ? NULL : sim_chart_words(&b->canvas, "%.3g", col->w_bits);
        chart.rows[c].value[1] = isnan(col->a_bits) ? NULL
                                                    : sim_chart_words(&b->canvas, "%.3g  time %.1f%%",
                                                                      col->a_bits, 100.0 * col->share_frac);
    }
    chart.axes[0] =
        sim_axis_linear(b->has_kv ? "weights or KV cache" : "weights", "bits", 0, b->widest_bits, true);
    chart.axes[1] = sim_axis_linear("activations", "bits", 0, b->widest_bits, true);
    sim_bars_draw(&b->canvas, &chart, y);
    return SIM_OK;
}

/* ------------------------------------------------------------------------------------------------------ */

sim_status sim_chart_bits(const sim_chart_job *job)
{
    bits *b = sim_arena_alloc(job->arena, 1, sizeof *b);
    sim_key_entry entries[SIM_CHART_BOUNDS];
    const char **labels, *common, *about;
    sim_chart_run *runs;
    sim_status status;
    int run_count;
    double y;

    if (!b)
        return sim_chart_no_memory(job);
    b->job = job;
    status = sim_chart_runs(job->frames, job->frame_count, "chart of bits", job->arena, &runs, &run_count,
                            job->err);
    if (status != SIM_OK)
        return status;
    if (run_count > 1) {
        sim_fail(job->err, SIM_USAGE, NULL, 0, "a chart of bits shows one run, not %d", run_count);
        sim_hint(job->err, "'simacc plot breakdown' and speedup compare runs");
        return SIM_USAGE;
    }
    b->run = &runs[0];
    common = sim_chart_who_runs(runs, 1, job->arena, &labels);
    if (!common)
        return sim_chart_no_memory(job);
    /* What the layout needs to know of the sheet before there is one. */
    b->canvas = (sim_canvas){.arena = job->arena, .text = job->options->text};
    status = gather(b);
    if (status != SIM_OK)
        return status;
    sim_chart_sheet(job, 540, sim_bars_lines(b->column_count) - 1, &b->canvas);
    about = b->per_column > 1
                ? sim_chart_words(&b->canvas,
                                  "each column stands for %lld neighbouring layers: mean bits, and the "
                                  "bound of the slowest; colour: what bounds it",
                                  (long long)b->per_column)
                : "colour: what bounds the layer";
    y = sim_canvas_head(&b->canvas,
                        job->options->title ? job->options->title
                        : *common           ? sim_chart_words(&b->canvas, "Bits of %s", common)
                                            : "Bits of each layer",
                        about);
    y = sim_canvas_key(&b->canvas, SIM_KEY_BOXES, entries, make_key(b, entries),
                       job->options->text ? 0.0 : 12.0, b->canvas.width, y);
    if (job->options->text)
        status = draw_rows(b, y);
    else
        draw_columns(b, y);
    return status == SIM_OK ? sim_chart_done(job, &b->canvas) : status;
}
