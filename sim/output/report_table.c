/* The report for a person: what was run, where the time goes layer by layer, and the sums last. */
#include "model/backend.h"
#include "output/fields.h"
#include "output/figures.h"
#include "output/grid.h"
#include "output/report.h"
#include "output/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_WIDTH = 100, LEAST_WIDTH = 60, BAR_COLUMNS = 12, COSTLIEST = 3 };

static const sim_grid_column columns[] = {
    {"", false, 0, 0, 0, false},      {"layer", false, 0, 12, 26, false},
    {"x", true, 6, 0, 0, false},      {"m x n x k", true, 5, 0, 0, false},
    {"bits", false, 4, 0, 0, false},  {"latency", true, 0, 0, 0, false},
    {"time", true, 0, 0, 0, false},   {"", false, 8, 0, 0, false},
    {"energy", true, 0, 0, 0, false}, {"DRAM", true, 3, 0, 0, false},
    {"/min", true, 7, 0, 0, false},   {"util", true, 2, 0, 0, false},
    {"bound", false, 0, 0, 0, false},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static double layer_latency_s(const sim_layer_result *layer)
{
    return layer->latency_s * (double)layer->repeat;
}

/* The indices of the costliest layers, the costliest first; of equals the earlier. */
static void find_costliest(const sim_result *result, int64_t costliest[COSTLIEST])
{
    for (int i = 0; i < COSTLIEST; i++)
        costliest[i] = -1;
    if (result->layer_count <= COSTLIEST)
        return;
    for (int64_t i = 0; i < result->layer_count; i++) {
        int64_t candidate = i;

        for (int rank = 0; rank < COSTLIEST; rank++) {
            const int64_t other = costliest[rank];

            if (other < 0 ||
                layer_latency_s(&result->layers[candidate]) > layer_latency_s(&result->layers[other])) {
                costliest[rank] = candidate;
                candidate = other;
            }
            if (candidate < 0)
                break;
        }
    }
}

/* "8", "fp16", "fp8", "mxfp4". */
static void number_text(sim_number number, char *out, size_t size)
{
    const char *name = number.format == SIM_FORMAT_INT ? "" : sim_format_names[number.format];
    const size_t length = strlen(name);
    const bool complete = length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9';

    if (complete)
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "%s%d", name, number.bits);
}

static void bits_text(const sim_layer_result *layer, char *out, size_t size)
{
    char w[24], a[24];
    const bool cached = layer->kv.bits > 0;

    number_text(cached ? layer->kv : layer->w, w, sizeof w);
    number_text(layer->a, a, sizeof a);
    if (layer->w.bits <= 0 && !cached)
        snprintf(out, size, layer->a.bits > 0 ? "a%s" : "-", a);
    else
        snprintf(out, size, "%s%s a%s", cached ? "kv" : "w", w, a);
}

static void shape_text(const sim_layer_result *layer, char *out, size_t size)
{
    int used = 0;

    if (layer->m <= 0 || layer->n <= 0) {
        snprintf(out, size, "-");
        return;
    }
    if (layer->batch > 1)
        used = snprintf(out, size, "%" PRId64 "*", layer->batch);
    used += snprintf(out + used, size - (size_t)used, "%" PRId64 "x%" PRId64, layer->m, layer->n);
    if (layer->k > 0)
        snprintf(out + used, size - (size_t)used, "x%" PRId64, layer->k);
}

static sim_paint bound_paint(sim_bound bound)
{
    static const sim_paint paints[] = {[SIM_BOUND_COMPUTE] = SIM_PAINT_GREEN,
                                       [SIM_BOUND_MEMORY] = SIM_PAINT_YELLOW,
                                       [SIM_BOUND_PORT] = SIM_PAINT_RED,
                                       [SIM_BOUND_LAUNCH] = SIM_PAINT_RED,
                                       [SIM_BOUND_VECTOR] = SIM_PAINT_CYAN};

    return paints[bound];
}

/* The bar is relative to the costliest layer, `longest_s`: shares are printed beside it. */
static void put_layer(sim_grid *grid, const sim_result *result, const sim_layer_result *layer, bool costly,
                      double longest_s)
{
    const double repeat = (double)layer->repeat;
    const double total_s = result->totals.latency_s;
    const double share = total_s > 0 ? layer_latency_s(layer) / total_s : 0.0;
    const double bytes = (double)layer->dram_read_bytes + (double)layer->dram_write_bytes;
    const sim_paint paint = costly ? SIM_PAINT_BOLD : SIM_PAINT_NONE;
    char text[128], bar[BAR_COLUMNS + 1];
    const int length = longest_s > 0 ? (int)(layer_latency_s(layer) / longest_s * BAR_COLUMNS + 0.5) : 0;

    memset(bar, '#', (size_t)length);
    bar[length] = '\0';

    sim_grid_cell(grid, paint, "%s", costly ? "*" : "");
    sim_grid_cell(grid, paint, "%s", layer->name);
    sim_grid_cell(grid, paint, "%" PRId64, layer->repeat);
    shape_text(layer, text, sizeof text);
    sim_grid_cell(grid, paint, "%s", text);
    bits_text(layer, text, sizeof text);
    sim_grid_cell(grid, paint, "%s", text);
    sim_grid_cell(grid, paint, "%s", sim_scaled(layer_latency_s(layer), "s", false, text, sizeof text));
    sim_percent(share, text, sizeof text);
    sim_grid_cell(grid, paint, "%s", text);
    sim_grid_cell(grid, bound_paint(layer->bound), "%s", bar);
    sim_grid_cell(grid, paint, "%s",
                  sim_scaled(sim_energy_total_j(&layer->energy) * repeat, "J", false, text, sizeof text));
    sim_grid_cell(grid, paint, "%s", sim_scaled(bytes * repeat, "B", false, text, sizeof text));
    if (layer->dram_bits_bound > 0)
        sim_ratio(8.0 * bytes / layer->dram_bits_bound, text, sizeof text);
    else
        snprintf(text, sizeof text, "-");
    sim_grid_cell(grid, paint, "%s", text);
    if (sim_layer_is_product(layer))
        sim_percent(layer->utilization_frac, text, sizeof text);
    else
        snprintf(text, sizeof text, "-");
    sim_grid_cell(grid, paint, "%s", text);
    sim_grid_cell(grid, bound_paint(layer->bound), "%s", sim_bound_names[layer->bound]);
}

/* Layers of a phase stand together: the end of those from `first` on. */
static int64_t phase_end(const sim_result *result, int64_t first)
{
    int64_t end = first;

    while (end < result->layer_count && result->layers[end].phase == result->layers[first].phase)
        end++;
    return end;
}

/* Where there are several phases, which one this is. */
static void put_phase(const sim_result *result, int64_t first, int64_t end, bool colour, sim_text *out)
{
    double phase_s = 0;
    char text[32], share[32];
    sim_text heading = {.allocator = out->allocator};

    if (end - first == result->layer_count)
        return;
    for (int64_t i = first; i < end; i++)
        phase_s += layer_latency_s(&result->layers[i]);
    if (first > 0)
        sim_text_add(out, "\n");
    sim_percent(result->totals.latency_s > 0 ? phase_s / result->totals.latency_s : 0, share, sizeof share);
    sim_text_printf(&heading, "%s: %s, %s of the time", sim_phase_names[result->layers[first].phase],
                    sim_scaled(phase_s, "s", false, text, sizeof text), share);
    if (heading.failed)
        out->failed = true;
    else
        sim_paint_add(out, SIM_PAINT_BOLD, colour, heading.data);
    sim_text_add(out, "\n");
    sim_text_free(&heading);
}

void sim_report_table(const sim_result *result, const sim_table_style *style, sim_text *out)
{
    const bool colour = style && style->colour;
    int width = style && style->width > 0 ? style->width : DEFAULT_WIDTH;
    int64_t costliest[COSTLIEST];
    double longest_s = 0.0;
    sim_grid grid;

    if (width < LEAST_WIDTH)
        width = LEAST_WIDTH;
    find_costliest(result, costliest);
    for (int64_t i = 0; i < result->layer_count; i++)
        longest_s = fmax(longest_s, layer_latency_s(&result->layers[i]));
    sim_summary_head(result, width, colour, out);
    sim_text_add(out, "\n");

    for (int64_t i = 0, end; i < result->layer_count; i = end) {
        end = phase_end(result, i);
        put_phase(result, i, end, colour, out);
        sim_grid_init(&grid, columns, COLUMN_COUNT, &out->allocator);
        for (int64_t j = i; j < end; j++) {
            bool costly = false;

            for (int rank = 0; rank < COSTLIEST; rank++)
                costly |= costliest[rank] == j;
            put_layer(&grid, result, &result->layers[j], costly, longest_s);
        }
        sim_grid_print(&grid, 0, width, colour, out);
        sim_grid_free(&grid);
    }

    sim_text_add(out, "\n");
    sim_summary_totals(result, width, colour, out);
}
