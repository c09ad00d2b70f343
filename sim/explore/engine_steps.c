#include "explore/engine_steps.h"

#include "base/text.h"
#include "format/csv.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- cells --------------------------------------------------------------------------------------- */

enum {
    MODEL,
    LAYERS,
    HIDDEN,
    HEADS,
    FFN,
    PRECISION,
    BATCH,
    TOKENS,
    LATENCY,
    NEEDED,
    ATTENTION = NEEDED,
    GPU,
    IMPL,
    SESSION,
    SOURCE,
    COLUMNS
};

static const char *const names[COLUMNS] = {"model",     "layers", "hidden",  "heads",      "ffn",
                                           "precision", "batch",  "tokens",  "latency_ms", "attention",
                                           "gpu",       "impl",   "session", "source"};

static const char *const precision_names[] = {"fp16", "bf16", "fp8", "w8a8", NULL};
static const sim_number precisions[] = {
    {SIM_FORMAT_FP, 16}, {SIM_FORMAT_BF, 16}, {SIM_FORMAT_FP8, 8}, {SIM_FORMAT_INT, 8}};

const char *sim_step_precision(sim_number number)
{
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (precisions[i].format == number.format && precisions[i].bits == number.bits)
            return precision_names[i];
    return "";
}

static const double most_extent = 1e9, most_ms = 1e9;

typedef struct reader {
    const sim_csv *csv;
    sim_err *err;
    int column[COLUMNS]; /* -1: not there */
    int64_t row;
    bool bad; /* something of this row */
} reader;

#define FAIL(r, ...)                                                                                         \
    ((r)->bad = true,                                                                                        \
     sim_fail((r)->err, SIM_BAD_INPUT, (r)->csv->file, (r)->csv->lines[(r)->row], __VA_ARGS__))

static const char *text_of(const reader *r, int column)
{
    return r->column[column] < 0 ? "" : sim_csv_text(r->csv, r->row, r->column[column]);
}

/* A number of a needed column, above 0. */
static double real_of(reader *r, int column, double most)
{
    const char *text = text_of(r, column);
    double value;

    if (!*text)
        FAIL(r, "column '%s': empty, but every row needs it", names[column]);
    else if (!sim_parse_real(text, &value))
        FAIL(r, "column '%s': '%s' is not a number", names[column], text);
    else if (!(value > 0) || value > most)
        FAIL(r, "column '%s': %s is not above 0 and at most %g", names[column], text, most);
    else
        return value;
    return 1;
}

static int64_t int_of(reader *r, int column)
{
    double value = real_of(r, column, most_extent);

    if (value != floor(value)) {
        FAIL(r, "column '%s': '%s' is not an integer", names[column], text_of(r, column));
        return 1;
    }
    return (int64_t)value;
}

/* One of `words`; `missing` when the cell is empty, and after an error; -1: it must not be. */
static int word_of(reader *r, int column, const char *const *words, int missing)
{
    const char *text = text_of(r, column);

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    if (!*text && missing >= 0)
        return missing;
    if (!*text) {
        FAIL(r, "column '%s': empty, but every row needs it", names[column]);
        return 0;
    }
    FAIL(r, "column '%s': unknown value '%s'", names[column], text);
    sim_hint_words(r->err, text, words);
    return missing < 0 ? 0 : missing;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static void read_row(reader *r, sim_step_row *out)
{
    *out = (sim_step_row){.line = r->csv->lines[r->row]};
    out->model = text_of(r, MODEL);
    if (!*out->model)
        FAIL(r, "column 'model': empty, but every row needs it");
    out->shape.layers = int_of(r, LAYERS);
    out->shape.hidden = int_of(r, HIDDEN);
    out->shape.heads = int_of(r, HEADS);
    out->shape.ffn = int_of(r, FFN);
    out->number = precisions[word_of(r, PRECISION, precision_names, -1)];
    out->batch = int_of(r, BATCH);
    out->tokens = int_of(r, TOKENS);
    out->latency_us = 1e3 * real_of(r, LATENCY, most_ms);
    out->attention = word_of(r, ATTENTION, sim_gpu_attention_names, SIM_ATTENTION_PER_HEAD);
    out->gpu = text_of(r, GPU);
    out->impl = *text_of(r, IMPL) ? text_of(r, IMPL) : "engine";
    out->session = text_of(r, SESSION);
    out->source = text_of(r, SOURCE);
    if (!r->bad && out->shape.hidden % out->shape.heads != 0)
        FAIL(r, "%lld heads do not divide hidden %lld", (long long)out->shape.heads,
             (long long)out->shape.hidden);
}

static sim_status read_csv(const sim_csv *csv, sim_arena *arena, sim_engine_steps *out, sim_err *err)
{
    reader r = {.csv = csv, .err = err};
    sim_step_row *rows = sim_arena_alloc(arena, (size_t)csv->row_count, sizeof *rows);
    sim_status status = SIM_OK;

    if (!rows)
        return out_of_memory(err);
    for (int i = 0; i < COLUMNS; i++) {
        r.column[i] = sim_csv_column(csv, names[i]);
        if (r.column[i] >= 0 || i >= NEEDED)
            continue;
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->header_line, "no column '%s'", names[i]);
    }
    if (status != SIM_OK) {
        sim_hint(err, "needed: model, layers, hidden, heads, ffn, precision, batch, tokens, latency_ms");
        return status;
    }
    for (r.row = 0; r.row < csv->row_count; r.row++) {
        r.bad = false;
        read_row(&r, &rows[r.row]);
        if (r.bad)
            status = sim_err_status(err);
    }
    if (csv->row_count == 0)
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->header_line, "no steps below the header");
    *out = (sim_engine_steps){.file = csv->file, .rows = rows, .count = csv->row_count};
    return status;
}

sim_status sim_engine_steps_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                                  sim_engine_steps *out, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_csv_parse(text, length, name, arena, &csv, err);

    *out = (sim_engine_steps){.file = name};
    return status == SIM_OK ? read_csv(&csv, arena, out, err) : status;
}

sim_status sim_engine_steps_load(const char *path, sim_arena *arena, sim_engine_steps *out, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_csv_load(path, arena, &csv, err);

    *out = (sim_engine_steps){.file = path};
    return status == SIM_OK ? read_csv(&csv, arena, out, err) : status;
}

/* ---- which rows ----------------------------------------------------------------------------------- */

/* "NVIDIA Tesla T4" and "t4" are one device; "L4" and "L40S" are two: whole names, makers left out. */
static void plain_name(const char *name, char *out, size_t size)
{
    static const char *const makers[] = {"nvidia", "tesla"};
    size_t used = 0;

    for (; *name && used + 1 < size; name++)
        if (isalnum((unsigned char)*name))
            out[used++] = (char)tolower((unsigned char)*name);
    out[used] = '\0';
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (strncmp(out, makers[i], strlen(makers[i])) == 0)
            memmove(out, out + strlen(makers[i]), strlen(out + strlen(makers[i])) + 1);
}

static bool same_gpu(const char *a, const char *b)
{
    char x[128], y[128];

    plain_name(a, x, sizeof x);
    plain_name(b, y, sizeof y);
    return strcmp(x, y) == 0;
}

sim_status sim_engine_steps_of(const sim_arch *arch, const sim_engine_steps *from, sim_arena *arena,
                               sim_engine_steps *out, const char **others, sim_err *err)
{
    sim_step_row *rows = sim_arena_alloc(arena, (size_t)from->count, sizeof *rows);

    *others = NULL;
    *out = (sim_engine_steps){.file = from->file, .rows = rows};
    if (!rows)
        return out_of_memory(err);
    for (int64_t i = 0; i < from->count; i++) {
        const char *gpu = from->rows[i].gpu;

        if (!*gpu || same_gpu(gpu, arch->name)) {
            rows[out->count++] = from->rows[i];
        } else if (!*others || !strstr(*others, gpu)) {
            *others = sim_arena_printf(arena, "%s%s%s", *others ? *others : "", *others ? ", " : "", gpu);
            if (!*others)
                return out_of_memory(err);
        }
    }
    if (out->count > 0)
        return SIM_OK;
    sim_fail(err, SIM_BAD_INPUT, from->file, 0, "no steps of '%s'", arch->name);
    if (*others)
        sim_hint(err, "column 'gpu' says: %s", *others);
    return SIM_BAD_INPUT;
}

/* ---- the kernels of a step ------------------------------------------------------------------------ */

/* Operations per element: sums, subtract, square, scale, weight and bias of a norm; the residual it takes in;
 * running maximum, subtract, exponential, running sum and scale of a softmax. */
enum { NORM_OPS = 7, RESIDUAL_OPS = 1, SOFTMAX_OPS = 5, ANSWERS = 2 };

static sim_layer product(const char *name, int64_t m, int64_t n, int64_t k, int64_t repeat)
{
    return (sim_layer){.name = name,
                       .op = SIM_OP_MATMUL,
                       .repeat = repeat,
                       .m = m,
                       .n = n,
                       .k = k,
                       .batch = 1,
                       .weights = SIM_WEIGHTS_STATIC,
                       .param_elements = n};
}

static sim_layer norm(const char *name, int64_t m, int64_t n, int inputs, int64_t repeat)
{
    return (sim_layer){.name = name,
                       .op = SIM_OP_NORM,
                       .repeat = repeat,
                       .m = m,
                       .n = n,
                       .batch = 1,
                       .inputs = inputs,
                       .ops_per_element = NORM_OPS + (inputs > 1 ? RESIDUAL_OPS : 0),
                       .param_elements = 2 * n};
}

sim_status sim_encoder_workload(const sim_encoder *shape, int64_t batch, int64_t tokens, sim_arena *arena,
                                sim_workload *out, sim_err *err)
{
    int64_t h = shape->hidden, f = shape->ffn, r = shape->layers, d = h / shape->heads, rows, heads;
    sim_layer *layers;

    *out = (sim_workload){.name = "encoder"};
    if (__builtin_mul_overflow(batch, tokens, &rows) || __builtin_mul_overflow(batch, shape->heads, &heads))
        return sim_fail(err, SIM_OVERFLOW, NULL, 0, "%lld sequences of %lld tokens exceed 63 bits",
                        (long long)batch, (long long)tokens);
    {
        const sim_layer all[] = {
            norm("embed_norm", rows, h, 1, 1),
            product("layers.qkv_proj", rows, 3 * h, h, r),
            {.name = "layers.qk",
             .op = SIM_OP_MATMUL,
             .repeat = r,
             .m = tokens,
             .n = tokens,
             .k = d,
             .batch = heads,
             .weights = SIM_WEIGHTS_DYNAMIC,
             .out_on_chip = true},
            {.name = "layers.softmax",
             .op = SIM_OP_SOFTMAX,
             .repeat = r,
             .m = tokens,
             .n = tokens,
             .batch = heads,
             .inputs = 1,
             .ops_per_element = SOFTMAX_OPS,
             .a_on_chip = true,
             .out_on_chip = true},
            {.name = "layers.pv",
             .op = SIM_OP_MATMUL,
             .repeat = r,
             .m = tokens,
             .n = d,
             .k = tokens,
             .batch = heads,
             .weights = SIM_WEIGHTS_DYNAMIC,
             .a_on_chip = true},
            product("layers.o_proj", rows, h, h, r),
            norm("layers.attn_norm", rows, h, 2, r),
            product("layers.up_proj", rows, f, h, r),
            product("layers.down_proj", rows, h, f, r),
            norm("layers.ffn_norm", rows, h, 2, r),
            product("qa_outputs", rows, ANSWERS, h, 1),
        };

        layers = sim_arena_alloc(arena, sizeof all / sizeof *all, sizeof *layers);
        if (!layers)
            return out_of_memory(err);
        memcpy(layers, all, sizeof all);
        out->layer_count = sizeof all / sizeof *all;
    }
    out->layers = layers;
    out->batch = batch;
    out->tokens = rows;
    return SIM_OK;
}
