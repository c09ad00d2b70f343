#include "output/chart_data.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const sim_chart_part_names[SIM_CHART_PARTS] = {"MAC",    "registers", "SRAM", "DRAM",
                                                           "vector", "static",    "link"};
const char *const sim_chart_bound_names[SIM_CHART_BOUNDS] = {"compute", "memory", "port",
                                                             "launch",  "vector", "link"};

static const char *const part_columns[SIM_CHART_PARTS] = {
    "energy_breakdown_j_mac",  "energy_breakdown_j_register", "energy_breakdown_j_sram",
    "energy_breakdown_j_dram", "energy_breakdown_j_vector",   "energy_breakdown_j_static",
    "energy_breakdown_j_link"};

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- what a file is --------------------------------------------------------------------------------- */

static bool has(const sim_frame *frame, const char *column)
{
    return sim_frame_column(frame, column) >= 0;
}

static bool is_run(const sim_frame *frame)
{
    return has(frame, "name") && has(frame, "latency_s") && has(frame, "repeat");
}

static bool is_table(const sim_frame *frame)
{
    return has(frame, "layer") && has(frame, "w_bits") && has(frame, "a_bits") && has(frame, "cycles");
}

static bool is_measured(const sim_frame *frame)
{
    return has(frame, "latency_us") && has(frame, "predicted_us");
}

static void hint_at(const sim_frame *frame, bool run_needed, sim_err *err)
{
    if (is_run(frame) && run_needed)
        sim_hint(err, "'simacc run --csv' writes all of them");
    else if (is_run(frame))
        sim_hint(err,
                 "it looks like the layers of a run: 'simacc plot breakdown', roofline and bits draw these");
    else if (is_table(frame))
        sim_hint(err,
                 "it looks like the answer of 'simacc table': 'simacc plot heatmap' and pareto draw that");
    else if (is_measured(frame))
        sim_hint(err, "it looks like rows of a calibration: 'simacc plot calibration' draws these");
    else if (has(frame, "latency_s"))
        sim_hint(
            err,
            "it looks like points of a sweep: 'simacc plot pareto', scaling, speedup and heatmap draw these");
    else
        sim_hint(err, "'simacc help plot' says which files each chart reads");
}

sim_status sim_chart_need(const sim_frame *frame, const char *const *names, const char *what, sim_err *err)
{
    char missing[SIM_ERR_TEXT] = "";
    int count = 0;

    for (int i = 0; names[i]; i++)
        if (!has(frame, names[i])) {
            const size_t used = strlen(missing);

            snprintf(missing + used, sizeof missing - used, "%s'%s'", count++ ? ", " : "", names[i]);
        }
    if (count == 0)
        return SIM_OK;
    sim_fail(err, SIM_BAD_INPUT, frame->file, 1, "a %s needs column%s %s", what, count > 1 ? "s" : "",
             missing);
    hint_at(frame, strcmp(names[0], "name") == 0, err);
    return SIM_BAD_INPUT;
}

/* ---- cells ------------------------------------------------------------------------------------------ */

static double real_of(const sim_frame *frame, int64_t row, const char *column, sim_err *err)
{
    const int at = sim_frame_column(frame, column);
    double value;

    if (!sim_frame_real(frame, row, at, &value))
        sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row),
                 "column '%s': '%s' is not a number", column, sim_frame_text(frame, row, at));
    return value;
}

static const char *text_of(const sim_frame *frame, int64_t row, const char *column)
{
    return sim_frame_text(frame, row, sim_frame_column(frame, column));
}

/* ---- runs ------------------------------------------------------------------------------------------- */

/* "q_proj" of "layers.0-31.q_proj", also of "model.layers.0,2-31.q_proj". */
static const char *kind_of(const char *name)
{
    const char *at = strstr(name, "layers.");
    size_t list;

    if (!at)
        return name;
    at += strlen("layers.");
    list = strspn(at, "0123456789-,");
    return list > 0 && at[list] == '.' && at[list + 1] ? at + list + 1 : name;
}

static const char *bits_of(const sim_frame *frame, int64_t row, const sim_chart_layer *layer,
                           sim_arena *arena)
{
    const char *w_format = text_of(frame, row, "w_format"), *a_format = text_of(frame, row, "a_format");
    const char *text = "";

    if (*w_format && strcmp(w_format, "int") != 0 && strcmp(w_format, a_format) == 0 &&
        layer->w_bits == layer->a_bits)
        text = sim_arena_printf(arena, "%s%g", w_format, layer->w_bits);
    else if (!isnan(layer->w_bits) && !isnan(layer->a_bits))
        text = sim_arena_printf(arena, "w%ga%g", layer->w_bits, layer->a_bits);
    else if (!isnan(layer->kv_bits) && !isnan(layer->a_bits))
        text = sim_arena_printf(arena, "kv%ga%g", layer->kv_bits, layer->a_bits);
    else if (!isnan(layer->a_bits))
        text = sim_arena_printf(arena, "a%g", layer->a_bits);
    return text ? text : "";
}

static void read_layer(const sim_frame *frame, int64_t row, sim_chart_layer *layer, sim_arena *arena,
                       sim_err *err)
{
    const char *op = text_of(frame, row, "op"), *bound = text_of(frame, row, "bound");
    const int errors = err->count;

    layer->name = text_of(frame, row, "name");
    layer->kind = kind_of(layer->name);
    layer->repeat = real_of(frame, row, "repeat", err);
    layer->w_bits = real_of(frame, row, "w_bits", err);
    layer->a_bits = real_of(frame, row, "a_bits", err);
    layer->kv_bits = real_of(frame, row, "kv_bits", err);
    layer->macs = real_of(frame, row, "macs", err);
    layer->latency_s = real_of(frame, row, "latency_s", err);
    layer->energy_j = real_of(frame, row, "energy_j", err);
    layer->dram_bytes =
        real_of(frame, row, "dram_read_bytes", err) + real_of(frame, row, "dram_write_bytes", err);
    layer->utilization_frac = real_of(frame, row, "utilization_frac", err);
    for (int p = 0; p < SIM_CHART_PARTS; p++)
        layer->part_j[p] = real_of(frame, row, part_columns[p], err);
    layer->product = strcmp(op, "matmul") == 0 || strcmp(op, "conv2d") == 0;
    layer->bits = bits_of(frame, row, layer, arena);
    layer->bound = 0;
    while (layer->bound < SIM_CHART_BOUNDS - 1 && strcmp(sim_chart_bound_names[layer->bound], bound) != 0)
        layer->bound++;
    if (strcmp(sim_chart_bound_names[layer->bound], bound) != 0) {
        sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row),
                 "column 'bound': unknown value '%s'", bound);
        sim_hint(err, "one of: compute memory port launch vector link");
    }
    if (err->count > errors)
        return;
    if (isnan(layer->repeat) || isnan(layer->latency_s) || isnan(layer->energy_j))
        sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row), "column '%s' is empty",
                 isnan(layer->repeat)      ? "repeat"
                 : isnan(layer->latency_s) ? "latency_s"
                                           : "energy_j");
    else if (layer->repeat < 0 || layer->latency_s < 0 || layer->energy_j < 0)
        sim_fail(err, SIM_BAD_INPUT, frame->file, sim_frame_line(frame, row), "column '%s' is negative",
                 layer->repeat < 0      ? "repeat"
                 : layer->latency_s < 0 ? "latency_s"
                                        : "energy_j");
}

static bool same_run(const sim_frame *frame, int64_t a, int64_t b)
{
    static const char *const keys[] = {"arch", "workload", "policy"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(text_of(frame, a, keys[i]), text_of(frame, b, keys[i])) != 0)
            return false;
    return true;
}

static sim_status read_runs(const sim_frame *frame, sim_arena *arena, sim_chart_run *runs, int *count,
                            sim_err *err)
{
    for (int64_t row = 0; row < frame->row_count && err->count == 0;) {
        sim_chart_run *run = &runs[(*count)++];
        sim_chart_layer *layers;
        int64_t end = row;

        while (end < frame->row_count && same_run(frame, row, end))
            end++;
        layers = sim_arena_alloc(arena, (size_t)(end - row), sizeof *layers);
        if (!layers)
            return out_of_memory(err);
        *run = (sim_chart_run){.frame = frame,
                               .first_row = row,
                               .arch = text_of(frame, row, "arch"),
                               .workload = text_of(frame, row, "workload"),
                               .policy = text_of(frame, row, "policy"),
                               .layers = layers,
                               .layer_count = end - row};
        run->peak_macs_per_s = real_of(frame, row, "peak_macs_per_s", err);
        run->dram_bytes_per_s = real_of(frame, row, "dram_bandwidth_bytes_per_s", err);
        for (int64_t i = 0; i < end - row; i++) {
            read_layer(frame, row + i, &layers[i], arena, err);
            run->latency_s += layers[i].repeat * layers[i].latency_s;
            run->energy_j += layers[i].repeat * layers[i].energy_j;
        }
        row = end;
    }
    return sim_err_status(err);
}

sim_status sim_chart_runs(const sim_frame *frames, int frame_count, const char *what, sim_arena *arena,
                          sim_chart_run **runs, int *run_count, sim_err *err)
{
    static const char *const needed[] = {"name",
                                         "op",
                                         "repeat",
                                         "macs",
                                         "latency_s",
                                         "energy_j",
                                         "bound",
                                         "w_bits",
                                         "a_bits",
                                         "dram_read_bytes",
                                         "dram_write_bytes",
                                         NULL};
    int64_t most = 0;

    *run_count = 0;
    for (int f = 0; f < frame_count; f++) {
        if (sim_chart_need(&frames[f], needed, what, err) == SIM_OK && frames[f].row_count == 0)
            sim_fail(err, SIM_BAD_INPUT, frames[f].file, 0, "holds no layers");
        for (int64_t row = 0; row < frames[f].row_count; row++)
            most += row == 0 || !same_run(&frames[f], row - 1, row);
    }
    if (err->count > 0)
        return sim_err_status(err);
    *runs = sim_arena_alloc(arena, (size_t)most, sizeof **runs);
    if (!*runs)
        return out_of_memory(err);
    for (int f = 0; f < frame_count; f++)
        read_runs(&frames[f], arena, *runs, run_count, err);
    return sim_err_status(err);
}

/* ---- names ------------------------------------------------------------------------------------------ */

void sim_chart_column_words(const char *column, sim_arena *arena, const char **label, const char **unit)
{
    static const struct {
        const char *tail, *unit;
    } units[] = {{"tokens_per_s", "tokens/s"},
                 {"macs_per_s", "MAC/s"},
                 {"_bytes_per_s", "B/s"},
                 {"_gb_s", "GB/s"},
                 {"_bytes", "B"},
                 {"_cycles", "cycles"},
                 {"_mm2", "mm2"},
                 {"_kib", "KiB"},
                 {"_mib", "MiB"},
                 {"_gib", "GiB"},
                 {"_mhz", "MHz"},
                 {"_pct", "%"},
                 {"_bits", "bits"},
                 {"_ms", "ms"},
                 {"_us", "us"},
                 {"_s", "s"},
                 {"_j", "J"},
                 {"_w", "W"},
                 {"_frac", ""},
                 {"_nm", "nm"},
                 {"macs", "MAC"},
                 {"cycles", "cycles"}};
    static const struct {
        const char *name, *label;
    } special[] = {{"tokens_per_s", "throughput"},
                   {"w_bits", "weights"},
                   {"a_bits", "activations"},
                   {"kv_bits", "KV cache"},
                   {"kv_cache_bytes", "KV cache"},
                   {"macs", "work"},
                   {"cycles", "time"},
                   {"context_tokens", "context (tokens)"},
                   {"prompt_tokens", "prompt (tokens)"}};
    size_t length = strlen(column);
    char *words;

    *unit = "";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const size_t tail = strlen(units[i].tail);

        if (length >= tail && strcmp(column + length - tail, units[i].tail) == 0) {
            *unit = units[i].unit;
            if (units[i].tail[0] == '_')
                length -= tail;
            break;
        }
    }
    *label = column;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (strcmp(column, special[i].name) == 0) {
            *label = special[i].label;
            return;
        }
    words = sim_arena_text(arena, column, length);
    if (!words)
        return;
    for (char *p = words; *p; p++)
        if (*p == '_')
            *p = ' ';
    *label = words;
}

bool sim_chart_more_is_better(const char *column)
{
    const size_t length = strlen(column);

    return strstr(column, "_per_s") || strstr(column, "_per_j") || strstr(column, "utilization") ||
           strstr(column, "accuracy") || (length > 8 && strcmp(column + length - 8, "_speedup") == 0);
}

bool sim_chart_policy_bits(const char *policy, double *w_bits, double *a_bits)
{
    char *end;

    if (policy[0] != 'w' || policy[1] < '1' || policy[1] > '9')
        return false;
    *w_bits = (double)strtol(policy + 1, &end, 10);
    if (end[0] != 'a' || end[1] < '1' || end[1] > '9')
        return false;
    *a_bits = (double)strtol(end + 1, &end, 10);
    return *end == '\0' || (end[0] == 'k' && end[1] == 'v');
}

const char *sim_chart_stem(const char *path, sim_arena *arena)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    const char *stem = sim_arena_text(arena, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));

    return stem ? stem : name;
}
