/* GPU GEMMs: the law's check values, and measured latencies of T4, A100 and H100 on shapes held out. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_fit.h"
#include "input/arch.h"

#include <math.h>
#include <string.h>

/* ---- shared --------------------------------------------------------------------------------------- */

sim_status sim_ledger_gpu_arch(const sim_ledger_context *context, const char *name, sim_arch *out,
                               sim_err *err)
{
    static const sim_arch_setting alone = {"calibration", "none"};
    const char *path = sim_arena_printf(context->arena, "%s/%s", context->arch_folder, name);

    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return sim_arch_load(path, &alone, 1, context->arena, out, err);
}

sim_status sim_ledger_gpu(const sim_ledger_context *context, const char *arch_name, const char *name,
                          sim_arch *arch, sim_measurements *measured, sim_err *err)
{
    const char *path =
        strncmp(name, "gpu_", 4) == 0
            ? sim_arena_printf(context->arena, "%s/%s", context->folder, name)
            : sim_arena_printf(context->arena, "%s/../cuda_ref/data/%s", context->arch_folder, name);
    sim_status status;

    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_ledger_gpu_arch(context, arch_name, arch, err);
    if (status == SIM_OK)
        status = sim_measurements_load(path, context->arena, measured, err);
    return status;
}

sim_status sim_ledger_select(const sim_ledger_context *context, const sim_measurements *from,
                             sim_gpu_kernel_kind kernel, const char *impl, sim_measurements *out,
                             sim_err *err)
{
    sim_measurement *rows = sim_arena_alloc(context->arena, (size_t)from->count, sizeof *rows);

    *out = (sim_measurements){.file = from->file, .rows = rows};
    if (!rows)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < from->count; i++)
        if (from->rows[i].kernel == kernel && (!impl || strcmp(from->rows[i].impl, impl) == 0))
            rows[out->count++] = from->rows[i];
    if (out->count == 0)
        return sim_fail(err, SIM_BAD_INPUT, from->file, 0, "no rows of %s %s", sim_gpu_kernel_names[kernel],
                        impl ? impl : "");
    return SIM_OK;
}

void sim_ledger_add(sim_ledger_error *error, double predicted_log, double measured_log)
{
    error->sum_pct += fabs(exp(predicted_log - measured_log) - 1) * 100;
    error->count++;
}

double sim_ledger_mean_pct(const sim_ledger_error *error)
{
    return error->count > 0 ? error->sum_pct / error->count : NAN;
}

/* ---- the law -------------------------------------------------------------------------------------- */

sim_status sim_check_gpu_law(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    /* Fitted parameters, and the times of a scalar implementation in another language, to its four decimals.
     */
    static const double parameters[SIM_GPU_PARAMETERS] = {3.735, .7151, .8476, 2.384, .3383,
                                                          174.4, .6212, .2533, .3081};
    static const sim_gpu_tile tiles[] = {{256, 128}, {128, 256}, {128, 128}, {64, 128}};
    static const struct {
        int64_t m, n, k;
        double us;
    } values[] = {{1, 4096, 4096, 26.738},       {16, 28672, 4096, 154.9101},  {128, 12288, 4096, 81.2549},
                  {296, 5120, 640, 15.6532},     {1024, 8192, 8192, 603.7459}, {4096, 4096, 4096, 586.1175},
                  {4096, 22016, 4096, 3241.8503}};
    enum { VALUES = sizeof values / sizeof *values };
    sim_gpu_kernel kernel;
    sim_gpu_rates rates;
    sim_arch arch;
    sim_measurements unused;
    double worst = 0;
    sim_status status = sim_ledger_gpu(context, "a100.cfg", "a100_vector.csv", &arch, &unused, err);

    if (status != SIM_OK)
        return status;
    sim_gpu_kernel_start(SIM_KERNEL_GEMM_FP16, &kernel);
    memcpy(kernel.parameter, parameters, sizeof parameters);
    memcpy(kernel.tiles, tiles, sizeof tiles);
    kernel.tile_count = sizeof tiles / sizeof *tiles;
    /* 312 TFLOP/s to the digit: the values are of the data sheet's rate, not of its clock times its units. */
    sim_gpu_rates_of(&arch, SIM_GPU_FP16, 0, &rates);
    rates.flop_per_us = 312e6;
    for (int i = 0; i < VALUES; i++) {
        const sim_gpu_gemm gemm = {.m = values[i].m,
                                   .n = values[i].n,
                                   .k = values[i].k,
                                   .batch = 1,
                                   .a_bytes = 2,
                                   .w_bytes = 2,
                                   .out_bytes = 2};
        sim_gpu_time time;

        sim_gpu_gemm_time(&rates, &kernel, &gemm, &time);
        worst = fmax(worst, fabs(time.us - values[i].us));
    }
    *out = (sim_ledger_row){
        .claim = "GPU latency law: check values",
        .target = "7 of 7 to 0.1 ns",
        .result = sim_ledger_text(context, "%s; largest difference %.2g us",
                                  worst <= 1e-4 ? "all" : "not all", worst),
        .source = "computed for this project by a second implementation",
        .met = worst <= 1e-4,
    };
    return SIM_OK;
}

/* ---- weight shapes held out ----------------------------------------------------------------------- */

/* One claim: the mean error of a kernel on (n, k) that the fit has not seen, all implementations together by
 * rows, and each by itself. */
typedef struct claim {
    const char *text, *arch, *file;
    sim_gpu_kernel_kind kernel;
    const char *impls[4]; /* that count, NULL-terminated; others are fitted beside them */
    double most_pct;
    const char *target, *source;
} claim;

static const sim_fit_line *line_of(const sim_calibration_fit *fit, const char *impl)
{
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++)
        if (strcmp(fit->lines[i].kernel->impl, impl) == 0)
            return &fit->lines[i];
    return NULL;
}

static sim_status check_claim(const sim_ledger_context *context, const claim *c, sim_ledger_row *out,
                              sim_err *err)
{
    static const sim_calibrate_options how = {.name = "ledger"};
    double sum = 0, ideal = 0, roofline = 0, rows = 0;
    sim_measurements all = {0}, of_kernel = {0};
    sim_calibration_fit fit;
    const char *each = "";
    sim_arch arch;
    sim_status status = sim_ledger_gpu(context, c->arch, c->file, &arch, &all, err);

    if (status == SIM_OK && !c->impls[1]) /* alone: nothing to borrow from others */
        status = sim_ledger_select(context, &all, c->kernel, c->impls[0], &of_kernel, err);
    else if (status == SIM_OK)
        status = sim_ledger_select(context, &all, c->kernel, NULL, &of_kernel, err);
    if (status == SIM_OK)
        status = sim_calibrate(&arch, &of_kernel, &how, context->arena, &fit, err);
    if (status != SIM_OK)
        return status;
    for (int i = 0; c->impls[i]; i++) {
        const sim_fit_line *line = line_of(&fit, c->impls[i]);
        double n;

        if (!line)
            return sim_fail(err, SIM_BAD_INPUT, all.file, 0, "no rows of implementation '%s'", c->impls[i]);
        n = (double)line->kernel->rows;
        rows += n;
        sum += n * line->held_out.mape_pct;
        ideal += n * line->ideal.mape_pct;
        roofline += n * line->roofline_held_out.mape_pct;
        each = sim_ledger_text(context, "%s%s%s %.1f%%", each, i ? ", " : "", c->impls[i],
                               line->held_out.mape_pct);
    }
    *out = (sim_ledger_row){
        .claim = c->text,
        .target = c->target,
        .result = sim_ledger_text(context, "%.1f%% on %.0f rows%s%s%s; fitted roofline %.1f%%, ideal %.1f%%",
                                  sum / rows, rows, c->impls[1] ? " (" : "", c->impls[1] ? each : "",
                                  c->impls[1] ? ")" : "", roofline / rows, ideal / rows),
        .source = c->source,
        .met = sum / rows < c->most_pct,
    };
    return SIM_OK;
}

sim_status sim_check_gpu_t4_fp16(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"T4 fp16 GEMMs, (n, k) held out",
                            "t4.cfg",
                            "t4_gemm.csv",
                            SIM_KERNEL_GEMM_FP16,
                            {"cublas", "torch"},
                            9,
                            "MAPE < 9%",
                            "DeepBench (Apache-2.0), vLLM"};

    return check_claim(context, &c, out, err);
}

sim_status sim_check_gpu_t4_w8a8(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"T4 W8A8 GEMMs on tensor cores, (n, k) held out",
                            "t4.cfg",
                            "t4_gemm.csv",
                            SIM_KERNEL_GEMM_W8A8,
                            {"cutlass", "cutlass_untuned"},
                            5,
                            "MAPE < 5%",
                            "vLLM, TVM"};

    return check_claim(context, &c, out, err);
}

sim_status sim_check_gpu_t4_fp32(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"T4 fp32 GEMMs, (n, k) held out",
                            "t4.cfg",
                            "t4_gemm.csv",
                            SIM_KERNEL_GEMM_FP32,
                            {"cublas"},
                            13,
                            "MAPE < 13%",
                            "DeepBench (Apache-2.0)"};

    return check_claim(context, &c, out, err);
}

sim_status sim_check_gpu_t4_linear(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"T4 fp32 linears dispatched from the host, (n, k) held out",
                            "t4.cfg",
                            "t4_gemm.csv",
                            SIM_KERNEL_GEMM_FP32,
                            {"torch_host"},
                            15,
                            "MAPE < 15%",
                            "NeuSight (MIT)"};

    return check_claim(context, &c, out, err);
}

sim_status sim_check_gpu_a100(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"A100 fp16 linears of LLMs, (n, k) held out",
                            "a100.cfg",
                            "a100_linear.csv",
                            SIM_KERNEL_GEMM_FP16,
                            {"torch"},
                            5.2,
                            "MAPE < 5.2%",
                            "vidur (MIT)"};

    return check_claim(context, &c, out, err);
}

sim_status sim_check_gpu_h100(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const claim c = {"H100 fp16 linears of LLMs, (n, k) held out",
                            "h100.cfg",
                            "h100_linear.csv",
                            SIM_KERNEL_GEMM_FP16,
                            {"torch"},
                            8,
                            "MAPE < 8%",
                            "vidur (MIT)"};

    return check_claim(context, &c, out, err);
}
