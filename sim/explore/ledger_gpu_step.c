/* BERT end to end in an engine: steps of models and lengths that no fit has seen, and of a T4 from its
 * kernels alone. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_step.h"
#include "model/run.h"

#include <math.h>
#include <string.h>

static const char source[] = "NVIDIA demoBERT (Apache-2.0)";

/* Rows of an arch's GPU, and the arch as `given` has it or without its calibration. */
static sim_status steps_of(const sim_ledger_context *context, const char *arch_name, sim_arch *arch,
                           sim_engine_steps *out, sim_err *err)
{
    const char *path =
        sim_arena_printf(context->arena, "%s/../cuda_ref/data/bert_steps.csv", context->arch_folder);
    const char *others;
    sim_engine_steps all;
    sim_status status;

    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_ledger_gpu_arch(context, arch_name, arch, err);
    if (status == SIM_OK)
        status = sim_engine_steps_load(path, context->arena, &all, err);
    if (status == SIM_OK)
        status = sim_engine_steps_of(arch, &all, context->arena, out, &others, err);
    return status;
}

/* Rows that are put together from several files. */
typedef struct collection {
    sim_measurement rows[1000];
    int64_t count;
} collection;

/* Adds the rows of a kernel and implementation. */
static sim_status add_rows(const sim_ledger_context *context, const char *file, sim_gpu_kernel_kind kernel,
                           const char *impl, collection *to, sim_err *err)
{
    sim_measurements all, some = {.count = 0};
    sim_arch unused;
    sim_status status = sim_ledger_gpu(context, "t4.cfg", file, &unused, &all, err);

    if (status == SIM_OK)
        status = sim_ledger_select(context, &all, kernel, impl, &some, err);
    if (status == SIM_OK && to->count + some.count > (int64_t)(sizeof to->rows / sizeof *to->rows))
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "more rows than there is room for");
    for (int64_t i = 0; i < some.count && status == SIM_OK; i++)
        to->rows[to->count++] = some.rows[i];
    return status;
}

/* Mean absolute error of the rows of `bits` (0: of all), in percent. */
static double mean_of(const sim_engine_steps *steps, const double *log_us, int bits)
{
    sim_ledger_error error = {0, 0};

    for (int64_t i = 0; i < steps->count; i++)
        if (bits == 0 || steps->rows[i].number.bits == bits)
            sim_ledger_add(&error, log_us[i], log(steps->rows[i].latency_us));
    return sim_ledger_mean_pct(&error);
}

/* ---- held out --------------------------------------------------------------------------------------- */

/* GEMM rows help where there are any: what kernels start from. */
static sim_status start_of(const sim_ledger_context *context, const char *linear, const char *impl,
                           sim_arch *arch, sim_gpu_calibration *out, sim_err *err)
{
    static const sim_calibrate_options how = {.name = "ledger", .no_residuals = true};
    sim_calibration_fit fit;
    sim_measurements all, rows;
    sim_arch unused;
    sim_status status;

    if (!linear)
        return SIM_OK;
    status = sim_ledger_gpu(context, "t4.cfg", linear, &unused, &all, err);
    if (status == SIM_OK)
        status = sim_ledger_select(context, &all, SIM_KERNEL_GEMM_FP16, impl, &rows, err);
    if (status == SIM_OK)
        status = sim_calibrate(arch, &rows, &how, context->arena, &fit, err);
    if (status != SIM_OK)
        return status;
    *out = fit.calibration;
    arch->calibration = out;
    return SIM_OK;
}

static sim_status held_out(const sim_ledger_context *context, const char *arch_name, const char *linear,
                           const char *impl, const char *claim, double most_pct, sim_ledger_row *out,
                           sim_err *err)
{
    sim_gpu_calibration start;
    sim_engine_steps steps = {.count = 0};
    sim_arch arch = {.name = ""};
    double *by_shape, *by_batch, mean, batch_pct, fp16, int8;
    int folds = 0;
    sim_status status = steps_of(context, arch_name, &arch, &steps, err);

    if (status == SIM_OK)
        status = start_of(context, linear, impl, &arch, &start, err);
    if (status != SIM_OK)
        return status;
    by_shape = sim_arena_alloc(context->arena, (size_t)steps.count, sizeof *by_shape);
    by_batch = sim_arena_alloc(context->arena, (size_t)steps.count, sizeof *by_batch);
    if (!by_shape || !by_batch)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_step_hold_out(&arch, &steps, SIM_STEP_BY_SHAPE, context->arena, by_shape, &folds, err);
    if (status == SIM_OK)
        status = sim_step_hold_out(&arch, &steps, SIM_STEP_BY_BATCH, context->arena, by_batch, &folds, err);
    if (status != SIM_OK)
        return status;
    mean = mean_of(&steps, by_shape, 0);
    batch_pct = mean_of(&steps, by_batch, 0);
    fp16 = mean_of(&steps, by_shape, 16);
    int8 = mean_of(&steps, by_shape, 8);
    *out = (sim_ledger_row){
        .claim = claim,
        .target =
            sim_ledger_text(context, "MAPE <= %g%%%s", most_pct, isfinite(int8) ? ", each precision" : ""),
        .result = isfinite(int8)
                      ? sim_ledger_text(
                            context, "%.1f%% on %lld rows (FP16 %.1f%%, INT8 %.1f%%); batch held out %.1f%%",
                            mean, (long long)steps.count, fp16, int8, batch_pct)
                      : sim_ledger_text(context, "%.1f%% on %lld rows; batch held out %.1f%%", mean,
                                        (long long)steps.count, batch_pct),
        .source = source,
        .met = fp16 <= most_pct && !(int8 > most_pct),
    };
    return SIM_OK;
}

sim_status sim_check_gpu_t4_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "t4.cfg", "t4_gemm.csv", "cublas",
                    "T4: BERT end to end, model and length held out", 6, out, err);
}

sim_status sim_check_gpu_a100_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "a100.cfg", "a100_linear.csv", "torch",
                    "A100: BERT end to end, model and length held out", 10, out, err);
}

sim_status sim_check_gpu_a30_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "a30.cfg", NULL, NULL, "A30: BERT end to end, model and length held out", 10,
                    out, err);
}

sim_status sim_check_gpu_l4_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "l4.cfg", NULL, NULL, "L4: BERT end to end, model and length held out", 10, out,
                    err);
}

sim_status sim_check_gpu_l40s_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "l40s.cfg", NULL, NULL, "L40S: BERT end to end, model and length held out", 10,
                    out, err);
}

sim_status sim_check_gpu_v100_bert(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    return held_out(context, "v100.cfg", NULL, NULL, "V100: BERT end to end, model and length held out", 10,
                    out, err);
}

/* ---- from kernels alone ----------------------------------------------------------------------------- */

/* What one product takes of the board, from its time under the cap: the step's law turned round,
 *   E / (P_cap - P_static) = (T^q - T_free^q)^(1/q). */
static sim_status mac_energy(const sim_ledger_context *context, sim_arch *arch, const sim_measurement *row,
                             sim_err *err)
{
    const sim_layer layer = {.name = "product",
                             .op = SIM_OP_MATMUL,
                             .repeat = 1,
                             .m = row->m,
                             .n = row->n,
                             .k = row->k,
                             .batch = 1,
                             .weights = SIM_WEIGHTS_STATIC};
    const sim_gpu_math math = sim_gpu_kernel_math(row->kernel);
    const double q = arch->gpu.cap_sharpness, cap_w = arch->gpu.power_cap_w - arch->gpu.static_w;
    const double macs = (double)row->m * (double)row->n * (double)row->k;
    sim_arch burst = *arch;
    sim_result result = {0};
    double free_us, dynamic_j;
    sim_status status;

    burst.gpu.regime = SIM_REGIME_BURST;
    burst.gpu.mac_fj[math] = 0;
    status = sim_ledger_run(context, &burst, &layer, 1, row->a_bits, &result, err);
    if (status != SIM_OK)
        return status;
    free_us = result.totals.latency_s * 1e6;
    if (row->latency_us <= free_us)
        return sim_fail(err, SIM_BAD_INPUT, row->file, row->line,
                        "%.0f us is no time under a power cap: %.0f us without", row->latency_us, free_us);
    dynamic_j = 1e-6 * cap_w * pow(pow(row->latency_us, q) - pow(free_us, q), 1 / q);
    dynamic_j -= result.totals.energy.dram_j + result.totals.energy.vector_j;
    arch->gpu.mac_fj[math] = 1e15 * dynamic_j / macs;
    return SIM_OK;
}

/* INT8 kernels: launch and memory from the rows of few tokens; none shows compute, whose efficiency stays
 * where it starts for every tensor core. */
static sim_status kernels_of(const sim_ledger_context *context, const sim_arch *arch,
                             sim_calibration_fit *out, sim_err *err)
{
    static const sim_calibrate_options how = {.name = "ledger", .no_residuals = true};
    collection *rows = sim_arena_alloc(context->arena, 1, sizeof *rows);
    sim_measurements measured = {.file = "t4_gemm.csv and t4_vector.csv"};
    sim_status status;

    if (!rows)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = add_rows(context, "t4_gemm.csv", SIM_KERNEL_GEMM_FP16, "cublas", rows, err);
    if (status == SIM_OK)
        status = add_rows(context, "t4_gemm.csv", SIM_KERNEL_GEMM_W8A8, "cutlass", rows, err);
    if (status == SIM_OK)
        status = add_rows(context, "t4_vector.csv", SIM_KERNEL_RMSNORM, NULL, rows, err);
    measured.rows = rows->rows;
    measured.count = rows->count;
    return status == SIM_OK ? sim_calibrate(arch, &measured, &how, context->arena, out, err) : status;
}

sim_status sim_check_gpu_t4_bert_kernels(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_measurements sustained = {.count = 0};
    sim_calibration_fit fit = {.rows = 0};
    sim_engine_steps steps = {.count = 0};
    sim_arch arch = {.name = ""}, unused;
    double *log_us;
    sim_status status = steps_of(context, "t4.cfg", &arch, &steps, err);

    if (status == SIM_OK)
        status = kernels_of(context, &arch, &fit, err);
    if (status == SIM_OK)
        status = sim_ledger_gpu(context, "t4.cfg", "gpu_t4_sustained.csv", &unused, &sustained, err);
    arch.calibration = &fit.calibration;
    for (int64_t i = 0; i < sustained.count && status == SIM_OK; i++)
        status = mac_energy(context, &arch, &sustained.rows[i], err);
    if (status != SIM_OK)
        return status;
    log_us = sim_arena_alloc(context->arena, (size_t)steps.count, sizeof *log_us);
    if (!log_us)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < steps.count && status == SIM_OK; i++) {
        double us = 1;

        status = sim_step_predict(&arch, &fit.calibration, &steps.rows[i], &us, err);
        log_us[i] = log(us);
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "T4: BERT end to end from kernel and sustained rows, no step seen",
        .target = "MAPE <= 10%, each precision",
        .result = sim_ledger_text(context, "%.1f%% on %lld rows (FP16 %.1f%%, INT8 %.1f%%)",
                                  mean_of(&steps, log_us, 0), (long long)steps.count,
                                  mean_of(&steps, log_us, 16), mean_of(&steps, log_us, 8)),
        .source = source,
        .met = mean_of(&steps, log_us, 16) <= 10 && mean_of(&steps, log_us, 8) <= 10,
    };
    return SIM_OK;
}
