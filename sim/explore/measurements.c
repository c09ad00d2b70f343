#include "explore/measurements.h"

#include "base/text.h"
#include "format/csv.h"

#include <math.h>
#include <string.h>

/* ---- kernels ------------------------------------------------------------------------------------- */

bool sim_gpu_kernel_is_gemm(sim_gpu_kernel_kind kind)
{
    return kind < SIM_KERNEL_SOFTMAX;
}

/* What the name of a kernel says of its operands. */
static const struct {
    sim_gpu_math math;
    int w_bits, a_bits;
    sim_format w_format, a_format;
} kernels[SIM_KERNEL_COUNT] = {
    [SIM_KERNEL_GEMM_FP16] = {SIM_GPU_FP16, 16, 16, SIM_FORMAT_FP, SIM_FORMAT_FP},
    [SIM_KERNEL_GEMM_BF16] = {SIM_GPU_BF16, 16, 16, SIM_FORMAT_BF, SIM_FORMAT_BF},
    [SIM_KERNEL_GEMM_FP32] = {SIM_GPU_FP32, 32, 32, SIM_FORMAT_FP, SIM_FORMAT_FP},
    [SIM_KERNEL_GEMM_W8A8] = {SIM_GPU_INT8, 8, 8, SIM_FORMAT_INT, SIM_FORMAT_INT},
    [SIM_KERNEL_GEMM_W4A16] = {SIM_GPU_FP16, 4, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_GEMM_FP8] = {SIM_GPU_FP8, 8, 8, SIM_FORMAT_FP8, SIM_FORMAT_FP8},
    [SIM_KERNEL_SOFTMAX] = {SIM_GPU_FP32, 0, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_RMSNORM] = {SIM_GPU_FP32, 0, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_QUANTIZE] = {SIM_GPU_FP32, 0, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_RESIDUAL] = {SIM_GPU_FP32, 0, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_COPY] = {SIM_GPU_FP32, 0, 16, SIM_FORMAT_INT, SIM_FORMAT_FP},
    [SIM_KERNEL_EMPTY] = {SIM_GPU_FP32, 0, 0, SIM_FORMAT_INT, SIM_FORMAT_INT},
};

sim_gpu_math sim_gpu_kernel_math(sim_gpu_kernel_kind kind)
{
    return kernels[kind].math;
}

/* 4-bit weights come in groups of 128 with a scale and a zero point, as policies count them. */
enum { GROUP = 128, SCALE_BITS = 16 };

sim_gpu_gemm sim_measurement_gemm(const sim_measurement *row)
{
    sim_gpu_gemm g = {.m = row->m, .n = row->n, .k = row->k, .batch = row->batch};
    double w_bits = row->w_bits;

    if (row->kernel == SIM_KERNEL_GEMM_W4A16) {
        w_bits += (double)(SCALE_BITS + row->w_bits) / GROUP;
        g.dequantized = true;
    }
    g.w_bytes = w_bits / 8;
    g.a_bytes = row->a_bits / 8.0;
    g.out_bytes = row->kernel == SIM_KERNEL_GEMM_FP32 ? 4 : 2;
    return g;
}

double sim_measurement_bytes(const sim_measurement *row)
{
    double elements = (double)row->m * (double)row->n, element = row->a_bits / 8.0;

    switch (row->kernel) {
    case SIM_KERNEL_RESIDUAL:
        return elements * 3 * element;
    case SIM_KERNEL_QUANTIZE:
        return elements * (element + 1);
    case SIM_KERNEL_EMPTY:
        return 0;
    default:
        return elements * 2 * element;
    }
}

/* ---- cells --------------------------------------------------------------------------------------- */

enum {
    KERNEL,
    M,
    N,
    K,
    LATENCY,
    BATCH,
    W_BITS,
    A_BITS,
    W_FORMAT,
    A_FORMAT,
    GPU,
    IMPL,
    REGIME,
    LAYOUT,
    SOURCE,
    CLOCK,
    ENERGY,
    DISPATCH,
    COLUMNS
};

static const char *const names[COLUMNS] = {
    "kernel",   "m",   "n",    "k",      "latency_us", "batch",  "w_bits",    "a_bits",    "w_format",
    "a_format", "gpu", "impl", "regime", "layout",     "source", "clock_mhz", "energy_mj", "dispatch"};

static const double most_extent = 1e12, most_us = 1e12;

typedef struct reader {
    const sim_csv *csv;
    sim_arena *arena;
    sim_err *err;
    int column[COLUMNS]; /* -1: not there */
    int64_t row;
    bool bad; /* something of this row */
} reader;

/* A cell without blanks around it; "" when it is empty or its column is not there; NULL: out of memory. */
static const char *text_of(reader *r, int column)
{
    const char *text;
    size_t length;

    if (r->column[column] < 0)
        return "";
    text = sim_csv_text(r->csv, r->row, r->column[column]);
    text += strspn(text, " \t");
    length = strlen(text);
    if (length == 0 || !strchr(" \t", text[length - 1]))
        return text;
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    text = sim_arena_text(r->arena, text, length);
    if (!text)
        sim_fail(r->err, SIM_NO_MEMORY, r->csv->file, 0, "out of memory");
    r->bad |= !text;
    return text ? text : "";
}

#define FAIL(r, ...)                                                                                         \
    ((r)->bad = true,                                                                                        \
     sim_fail((r)->err, SIM_BAD_INPUT, (r)->csv->file, (r)->csv->lines[(r)->row], __VA_ARGS__))

/* A number within [least, most]; `missing` when the cell is empty. */
static double real_of(reader *r, int column, double least, double most, double missing)
{
    const char *text = text_of(r, column);
    double value;

    if (!*text)
        return missing;
    if (!sim_parse_real(text, &value)) {
        FAIL(r, "column '%s': '%s' is not a number", names[column], text);
        return missing;
    }
    if (value < least || value > most) {
        FAIL(r, "column '%s': %s is not within %g to %g", names[column], text, least, most);
        return missing;
    }
    return value;
}

static int64_t int_of(reader *r, int column, double least, double most, double missing)
{
    double value = real_of(r, column, least, most, missing);

    if (value != floor(value)) {
        FAIL(r, "column '%s': '%s' is not an integer", names[column], text_of(r, column));
        return (int64_t)missing;
    }
    return (int64_t)value;
}

/* One of `words`; `missing` when the cell is empty, and after an error. */
static int word_of(reader *r, int column, const char *const *words, int missing)
{
    const char *text = text_of(r, column);

    if (!*text)
        return missing;
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    FAIL(r, "column '%s': unknown value '%s'", names[column], text);
    sim_hint_words(r->err, text, words);
    return missing;
}

static void need(reader *r, int column)
{
    if (!*text_of(r, column))
        FAIL(r, "column '%s': empty, but every row of this kernel needs it", names[column]);
}

/* ---- rows ---------------------------------------------------------------------------------------- */

/* Integers may be narrower than the kernel's math; floats are what its name says. */
static bool fits(int w_bits, int a_bits, sim_gpu_kernel_kind kernel)
{
    switch (kernel) {
    case SIM_KERNEL_GEMM_W8A8:
        return w_bits >= 1 && w_bits <= 8 && a_bits >= 1 && a_bits <= 8;
    case SIM_KERNEL_GEMM_W4A16:
        return w_bits >= 1 && w_bits <= 8 && a_bits == 16;
    default:
        return w_bits == kernels[kernel].w_bits && a_bits == kernels[kernel].a_bits;
    }
}

/* Formats and bits must be the kernel's own: another number would be fitted to the wrong peak. */
static void read_operands(reader *r, sim_measurement *out)
{
    int w = word_of(r, W_FORMAT, sim_format_names, kernels[out->kernel].w_format);
    int a = word_of(r, A_FORMAT, sim_format_names, kernels[out->kernel].a_format);
    bool gemm = sim_gpu_kernel_is_gemm(out->kernel);

    out->w_bits = (int)int_of(r, W_BITS, 0, 64, kernels[out->kernel].w_bits);
    out->a_bits = (int)int_of(r, A_BITS, 0, 64, kernels[out->kernel].a_bits);
    if (!gemm) {
        out->w_bits = 0;
        if (out->a_bits == 0)
            out->a_bits = kernels[out->kernel].a_bits;
        return;
    }
    if (r->bad)
        return;
    if (w != (int)kernels[out->kernel].w_format || a != (int)kernels[out->kernel].a_format) {
        FAIL(r, "operands %s x %s are not those of %s (%s x %s)", sim_format_names[w], sim_format_names[a],
             sim_gpu_kernel_names[out->kernel], sim_format_names[kernels[out->kernel].w_format],
             sim_format_names[kernels[out->kernel].a_format]);
    } else if (!fits(out->w_bits, out->a_bits, out->kernel)) {
        FAIL(r, "%d x %d bits are not those of %s (%d x %d)", out->w_bits, out->a_bits,
             sim_gpu_kernel_names[out->kernel], kernels[out->kernel].w_bits, kernels[out->kernel].a_bits);
    }
}

static void read_row(reader *r, sim_measurement *out)
{
    bool gemm, empty;

    *out = (sim_measurement){.file = r->csv->file, .line = r->csv->lines[r->row]};
    need(r, KERNEL);
    out->kernel = (sim_gpu_kernel_kind)word_of(r, KERNEL, sim_gpu_kernel_names, SIM_KERNEL_EMPTY);
    if (r->bad)
        return;
    gemm = sim_gpu_kernel_is_gemm(out->kernel);
    empty = out->kernel == SIM_KERNEL_EMPTY;
    for (int i = M; i <= LATENCY; i++)
        if (i == LATENCY || (!empty && (i != K || gemm)))
            need(r, i);
    out->m = int_of(r, M, empty ? 0 : 1, most_extent, 1);
    out->n = int_of(r, N, empty ? 0 : 1, most_extent, 1);
    out->k = int_of(r, K, gemm ? 1 : 0, most_extent, 0);
    out->batch = int_of(r, BATCH, gemm ? 1 : 0, most_extent, 1);
    if (out->batch == 0)
        out->batch = 1;
    out->latency_us = real_of(r, LATENCY, -most_us, most_us, NAN);
    if (out->latency_us <= 0)
        FAIL(r, "column 'latency_us': %s, but a time is above 0", text_of(r, LATENCY));
    out->energy_mj = real_of(r, ENERGY, 0, HUGE_VAL, NAN);
    out->clock_mhz = real_of(r, CLOCK, 0, 1e5, 0);
    out->regime = (sim_gpu_regime)word_of(r, REGIME, sim_gpu_regime_names, SIM_REGIME_BURST);
    out->dispatch = (sim_gpu_dispatch)word_of(r, DISPATCH, sim_gpu_dispatch_names, SIM_DISPATCH_GRAPH);
    out->gpu = text_of(r, GPU);
    out->impl = text_of(r, IMPL);
    out->layout = text_of(r, LAYOUT);
    out->source = text_of(r, SOURCE);
    read_operands(r, out);
}

/* Products need k; a file of vector kernels alone may do without the column. */
static bool needs(const reader *r, int column)
{
    int kernel = r->column[KERNEL];

    if (column != K)
        return column == KERNEL || column == M || column == N || column == LATENCY;
    for (int64_t i = 0; i < r->csv->row_count && kernel >= 0; i++)
        if (strstr(sim_csv_text(r->csv, i, kernel), "gemm"))
            return true;
    return false;
}

static sim_status read_columns(reader *r)
{
    enum { NAMES_MAX = 64 };
    const char *header[NAMES_MAX + 1] = {NULL};
    sim_status status = SIM_OK;

    for (int i = 0; i < COLUMNS; i++)
        r->column[i] = sim_csv_column(r->csv, names[i]);
    for (int c = 0; c < r->csv->column_count && c < NAMES_MAX; c++)
        header[c] = r->csv->columns[c];
    for (int i = 0; i < COLUMNS; i++) {
        const char *nearest = strlen(names[i]) > 1 ? sim_nearest(names[i], header) : NULL;

        if (r->column[i] >= 0 || !needs(r, i))
            continue;
        status =
            sim_fail(r->err, SIM_BAD_INPUT, r->csv->file, r->csv->header_line, "no column '%s'", names[i]);
        if (nearest)
            sim_hint(r->err, "there is a column '%s'", nearest);
        else
            sim_hint(r->err, "needed: kernel, m, n, k, latency_us; see 'simacc help calibrate'");
    }
    return status;
}

static sim_status read_csv(const sim_csv *csv, sim_arena *arena, sim_measurements *out, sim_err *err)
{
    reader r = {.csv = csv, .arena = arena, .err = err};
    sim_measurement *rows = sim_arena_alloc(arena, (size_t)csv->row_count, sizeof *rows);
    sim_status status = read_columns(&r);

    if (!rows)
        return sim_fail(err, SIM_NO_MEMORY, csv->file, 0, "out of memory");
    if (status != SIM_OK)
        return status;
    for (r.row = 0; r.row < csv->row_count; r.row++) {
        r.bad = false;
        read_row(&r, &rows[r.row]);
        if (r.bad)
            status = sim_err_status(err);
    }
    if (csv->row_count == 0)
        status =
            sim_fail(err, SIM_BAD_INPUT, csv->file, csv->header_line, "no measurements below the header");
    *out = (sim_measurements){.file = csv->file, .rows = rows, .count = csv->row_count};
    return status;
}

sim_status sim_measurements_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                                  sim_measurements *out, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_csv_parse(text, length, name, arena, &csv, err);

    *out = (sim_measurements){.file = name};
    return status == SIM_OK ? read_csv(&csv, arena, out, err) : status;
}

sim_status sim_measurements_load(const char *path, sim_arena *arena, sim_measurements *out, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_csv_load(path, arena, &csv, err);

    *out = (sim_measurements){.file = path};
    return status == SIM_OK ? read_csv(&csv, arena, out, err) : status;
}

/* "t4_gemm.csv" of "data/t4_gemm.csv". */
static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

sim_status sim_measurements_load_all(const char *const *paths, int count, sim_arena *arena,
                                     sim_measurements *out, sim_err *err)
{
    sim_measurements *parts = sim_arena_alloc(arena, (size_t)count, sizeof *parts);
    sim_measurement *rows;
    const char *name = count > 0 ? base_of(paths[0]) : "";

    *out = (sim_measurements){.file = NULL};
    if (!parts)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < count; i++) {
        sim_measurements_load(paths[i], arena, &parts[i], err);
        out->count += parts[i].count;
        if (i > 0 && name)
            name = sim_arena_printf(arena, "%s and %s", name, base_of(paths[i]));
    }
    if (err->count > 0)
        return sim_err_status(err);
    rows = sim_arena_alloc(arena, (size_t)out->count, sizeof *rows);
    if (!rows || !name)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    out->rows = rows;
    out->file = name;
    for (int i = 0; i < count; i++) {
        if (parts[i].count > 0)
            memcpy(rows, parts[i].rows, (size_t)parts[i].count * sizeof *rows);
        rows += parts[i].count;
    }
    return SIM_OK;
}
