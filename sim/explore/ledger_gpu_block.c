/* Blocks of LLMs without attention on A100 and H100: each model from kernels of the other models. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_fit.h"
#include "input/vector_ops.h"

#include <math.h>
#include <string.h>

/* Kernels of a block, as the columns of the table have them. */
enum { INPUT_NORM, QKV, O, POST_NORM, UP, ACT, DOWN, ADD, OPS };

static const char *const columns[OPS] = {"input_norm_us", "qkv_us", "o_us",    "post_norm_us",
                                         "up_us",         "act_us", "down_us", "add_us"};

typedef struct block {
    const char *model;
    int64_t tokens, hidden, qkv, ffn;
    bool gated;
    double us[OPS]; /* 0: it has none */
} block;

enum { KERNELS = 3 }; /* linears, norms, elementwise */

typedef struct blocks {
    const sim_ledger_context *context;
    sim_arch arch;
    sim_fit_row *linears; /* of all models */
    const char **models;  /* of each linear, as its file has it: "Llama-2-7b-hf/tp1" */
    int64_t linear_count;
    block *rows;
    int64_t count;
    sim_gpu_kernel kernels[KERNELS]; /* without one model */
    sim_gpu_calibration calibration;
} blocks;

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- the tables ------------------------------------------------------------------------------------- */

static sim_status read_block(const sim_csv *csv, int64_t row, block *out, sim_err *err)
{
    int64_t gated = 0;
    sim_status status = sim_csv_int(csv, row, "tokens", &out->tokens, err);

    out->model = sim_csv_text(csv, row, sim_csv_column(csv, "model"));
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "hidden", &out->hidden, err);
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "qkv", &out->qkv, err);
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "ffn", &out->ffn, err);
    if (status == SIM_OK)
        status = sim_csv_int(csv, row, "gated", &gated, err);
    out->gated = gated != 0;
    for (int i = 0; i < OPS && status == SIM_OK; i++)
        if (*sim_csv_text(csv, row, sim_csv_column(csv, columns[i])))
            status = sim_csv_real(csv, row, columns[i], &out->us[i], err);
    return status;
}

static sim_status read_blocks(blocks *b, const char *gpu, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_ledger_csv(b->context, "gpu_block.csv", &csv, err);

    if (status != SIM_OK)
        return status;
    b->rows = sim_arena_alloc(b->context->arena, (size_t)csv.row_count, sizeof *b->rows);
    if (!b->rows)
        return no_memory(err);
    for (int64_t i = 0; i < csv.row_count && status == SIM_OK; i++)
        if (strcmp(sim_csv_text(&csv, i, sim_csv_column(&csv, "gpu")), gpu) == 0)
            status = read_block(&csv, i, &b->rows[b->count++], err);
    return status;
}

/* The linears and, from the same file, whose they are. */
static sim_status read_linears(blocks *b, const char *arch_name, const char *file, sim_err *err)
{
    const char *path =
        sim_arena_printf(b->context->arena, "%s/../cuda_ref/data/%s", b->context->arch_folder, file);
    const char *others;
    sim_measurements *all = sim_arena_alloc(b->context->arena, 1, sizeof *all);
    sim_csv csv;
    sim_status status;

    if (!path || !all)
        return no_memory(err);
    status = sim_ledger_gpu(b->context, arch_name, file, &b->arch, all, err);
    if (status == SIM_OK)
        status = sim_csv_load(path, b->context->arena, &csv, err);
    if (status == SIM_OK)
        status =
            sim_fit_rows_of(&b->arch, all, b->context->arena, &b->linears, &b->linear_count, &others, err);
    if (status != SIM_OK)
        return status;
    b->models = sim_arena_alloc(b->context->arena, (size_t)csv.row_count, sizeof *b->models);
    if (!b->models)
        return no_memory(err);
    if (csv.row_count != b->linear_count)
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "rows of several GPUs");
    for (int64_t i = 0; i < csv.row_count; i++)
        b->models[i] = sim_csv_text(&csv, i, sim_csv_column(&csv, "model"));
    return SIM_OK;
}

/* Of "Llama-2-7b-hf/tp1". */
static bool is_model(const char *of, const char *model)
{
    size_t length = strcspn(of, "/");

    return strlen(model) == length && strncmp(of, model, length) == 0;
}

/* ---- fits without one model ------------------------------------------------------------------------- */

static sim_status fit_kernel(const blocks *b, sim_gpu_kernel_kind kind, sim_fit_row *rows, int64_t count,
                             sim_gpu_kernel *out, sim_err *err)
{
    sim_fit_prior prior = sim_fit_prior_usual(kind);
    sim_fit_report report;
    sim_gpu_kernel start;
    sim_fit_set set;
    sim_status status = sim_fit_set_of(kind, rows, count, b->context->arena, &set, err);

    sim_gpu_kernel_start(kind, &start);
    if (status == SIM_OK)
        status = sim_fit_law(&set, SIM_FIT_ALL, &start, &prior, b->context->arena, out, &report, err);
    if (status == SIM_OK && kind == SIM_KERNEL_GEMM_FP16)
        status = sim_fit_residuals_of(&set, SIM_FIT_ALL, b->context->arena, out, err);
    return status;
}

static sim_status fit_linears(const blocks *b, const char *without, sim_gpu_kernel *out, sim_err *err)
{
    sim_fit_row *rows = sim_arena_alloc(b->context->arena, (size_t)b->linear_count, sizeof *rows);
    int64_t count = 0;

    if (!rows)
        return no_memory(err);
    for (int64_t i = 0; i < b->linear_count; i++)
        if (!is_model(b->models[i], without))
            rows[count++] = b->linears[i];
    return fit_kernel(b, SIM_KERNEL_GEMM_FP16, rows, count, out, err);
}

/* A vector kernel of `bytes` from the blocks of the other models. PyTorch's gate is an activation and a
 * multiplication: five passes over the tensor in one measured time, at two launches. */
static sim_status fit_vectors(const blocks *b, const char *without, sim_gpu_kernel_kind kind,
                              sim_gpu_kernel *out, sim_err *err)
{
    sim_fit_row *rows = sim_arena_alloc(b->context->arena, (size_t)(2 * b->count), sizeof *rows);
    sim_measurement *of = sim_arena_alloc(b->context->arena, (size_t)(2 * b->count), sizeof *of);
    int64_t count = 0;

    if (!rows || !of)
        return no_memory(err);
    for (int64_t i = 0; i < b->count; i++) {
        const block *x = &b->rows[i];
        const int ops[] = {kind == SIM_KERNEL_RMSNORM ? INPUT_NORM : ADD, POST_NORM};

        if (strcmp(x->model, without) == 0)
            continue;
        for (int o = 0; o < (kind == SIM_KERNEL_RMSNORM ? 2 : 1); o++) {
            if (x->us[ops[o]] <= 0)
                continue;
            of[count] = (sim_measurement){.kernel = kind,
                                          .m = x->tokens,
                                          .n = x->hidden,
                                          .batch = 1,
                                          .a_bits = 16,
                                          .latency_us = x->us[ops[o]]};
            rows[count] = (sim_fit_row){
                .of = &of[count], .bytes = sim_measurement_bytes(&of[count]), .log_us = log(x->us[ops[o]])};
            sim_gpu_rates_of(&b->arch, SIM_GPU_FP32, 0, &rows[count].rates);
            count++;
        }
    }
    return fit_kernel(b, kind, rows, count, out, err);
}

/* ---- a block ---------------------------------------------------------------------------------------- */

static sim_layer linear(const char *name, int64_t m, int64_t n, int64_t k)
{
    return (sim_layer){.name = name,
                       .op = SIM_OP_MATMUL,
                       .repeat = 1,
                       .m = m,
                       .n = n,
                       .k = k,
                       .batch = 1,
                       .weights = SIM_WEIGHTS_STATIC};
}

static sim_layer vector(const char *name, sim_op op, int64_t m, int64_t n, int inputs, double ops)
{
    return (sim_layer){.name = name,
                       .op = op,
                       .repeat = 1,
                       .m = m,
                       .n = n,
                       .batch = 1,
                       .inputs = inputs,
                       .ops_per_element = ops};
}

/* Those kernels of `x` that were measured, and their time in all. */
static sim_status run_block(const blocks *b, const block *x, double *predicted_us, double *measured_us,
                            sim_err *err)
{
    int64_t m = x->tokens, h = x->hidden;
    const sim_layer all[] = {
        vector("input_norm", SIM_OP_NORM, m, h, 1, SIM_OPS_RMS_NORM),
        linear("qkv_proj", m, x->qkv, h),
        linear("o_proj", m, h, h),
        vector("post_norm", SIM_OP_NORM, m, h, 1, SIM_OPS_RMS_NORM),
        linear("up_proj", m, x->gated ? 2 * x->ffn : x->ffn, h),
        vector("act", SIM_OP_ELEMENTWISE, m, x->ffn, 1, SIM_OPS_SILU),
        linear("down_proj", m, h, x->ffn),
        vector("add", SIM_OP_ELEMENTWISE, m, h, 2, SIM_OPS_ADD),
        vector("gate", SIM_OP_ELEMENTWISE, m, x->ffn, 2, SIM_OPS_MULTIPLY), /* timed with act */
    };
    sim_layer *layers = sim_arena_alloc(b->context->arena, sizeof all / sizeof *all, sizeof *layers);
    sim_result result;
    int64_t count = 0;
    sim_status status;

    if (!layers)
        return no_memory(err);
    *measured_us = 0;
    for (int i = 0; i < OPS; i++) {
        if (x->us[i] <= 0)
            continue;
        layers[count++] = all[i];
        *measured_us += x->us[i];
    }
    if (x->gated && x->us[ACT] > 0)
        layers[count++] = all[OPS];
    status = sim_ledger_run(b->context, &b->arch, layers, count, 16, &result, err);
    *predicted_us = result.totals.latency_s * 1e6;
    return status;
}

/* The arch with kernels of all models but one. */
static sim_status fit_without(blocks *b, const char *model, sim_err *err)
{
    sim_status status = fit_linears(b, model, &b->kernels[0], err);

    if (status == SIM_OK)
        status = fit_vectors(b, model, SIM_KERNEL_RMSNORM, &b->kernels[1], err);
    if (status == SIM_OK)
        status = fit_vectors(b, model, SIM_KERNEL_RESIDUAL, &b->kernels[2], err);
    b->calibration = (sim_gpu_calibration){.name = "ledger",
                                           .file = "",
                                           .arch_clock_mhz = b->arch.clock_mhz,
                                           .kernels = b->kernels,
                                           .kernel_count = KERNELS};
    b->arch.calibration = &b->calibration;
    return status;
}

/* ---- the claims ------------------------------------------------------------------------------------- */

/* Each model that has blocks, predicted without it. */
static sim_status score_models(blocks *b, sim_ledger_error *error, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < b->count && status == SIM_OK; i++) {
        if (i > 0 && strcmp(b->rows[i].model, b->rows[i - 1].model) == 0)
            continue;
        status = fit_without(b, b->rows[i].model, err);
        for (int64_t j = i;
             j < b->count && status == SIM_OK && strcmp(b->rows[j].model, b->rows[i].model) == 0; j++) {
            double predicted_us = 1, measured_us = 1;

            status = run_block(b, &b->rows[j], &predicted_us, &measured_us, err);
            if (status == SIM_OK)
                sim_ledger_add(error, log(predicted_us), log(measured_us));
        }
    }
    return status;
}

/* Llama-2-7B, of which linears alone were published, hardly two of them at one m: each by itself, and in sums
 * over ranges of m, where errors cancel as they do in a block. */
static sim_status score_llama2(blocks *b, sim_ledger_error *each, sim_ledger_error *sum, sim_err *err)
{
    static const char model[] = "Llama-2-7b-hf";
    static const int64_t up_to[] = {64, 512, 4096, INT64_MAX};
    enum { RANGES = sizeof up_to / sizeof *up_to };
    double predicted_us[RANGES] = {0}, measured_us[RANGES] = {0};
    const sim_gpu_kernel *gemm = &b->kernels[0];
    sim_status status = fit_without(b, model, err);

    for (int64_t i = 0; i < b->linear_count && status == SIM_OK; i++) {
        const sim_fit_row *row = &b->linears[i];
        const sim_measurement *of = row->of;
        double log_us;
        int range = 0;

        if (!is_model(b->models[i], model))
            continue;
        while (of->m > up_to[range])
            range++;
        log_us = sim_fit_log_us(row, gemm) + sim_gpu_residual_of(gemm, of->n, of->k, of->m);
        sim_ledger_add(each, log_us, row->log_us);
        predicted_us[range] += exp(log_us);
        measured_us[range] += of->latency_us;
    }
    for (int r = 0; r < RANGES && status == SIM_OK; r++)
        if (measured_us[r] > 0)
            sim_ledger_add(sum, log(predicted_us[r]), log(measured_us[r]));
    return status;
}

static sim_status check_blocks(const sim_ledger_context *context, const char *gpu, const char *arch_name,
                               const char *file, const char *claim, sim_ledger_row *out, sim_err *err)
{
    blocks *b = sim_arena_alloc(context->arena, 1, sizeof *b);
    sim_ledger_error models = {0, 0}, each = {0, 0}, sum = {0, 0};
    sim_status status;

    if (!b)
        return no_memory(err);
    b->context = context;
    status = read_linears(b, arch_name, file, err);

    if (status == SIM_OK)
        status = read_blocks(b, gpu, err);
    if (status == SIM_OK)
        status = score_llama2(b, &each, &sum, err);
    if (status == SIM_OK)
        status = score_models(b, &models, err);
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = claim,
        .target = "MAPE <= 5%",
        .result =
            sim_ledger_text(context,
                            "%.1f%% on %.0f blocks of models left out; Llama-2-7B left out: linears %.1f%% "
                            "each, %.1f%% in sum",
                            sim_ledger_mean_pct(&models), models.count, sim_ledger_mean_pct(&each),
                            sim_ledger_mean_pct(&sum)),
        .source = "vidur (MIT)",
        .met = sim_ledger_mean_pct(&models) <= 5 && sim_ledger_mean_pct(&sum) <= 5,
    };
    return SIM_OK;
}

sim_status sim_check_gpu_a100_block(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_blocks(context, "A100", "a100.cfg", "a100_linear.csv",
                        "A100: LLM block without attention, from other models", out, err);
}

sim_status sim_check_gpu_h100_block(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return check_blocks(context, "H100", "h100.cfg", "h100_linear.csv",
                        "H100: LLM block without attention, from other models", out, err);
}
