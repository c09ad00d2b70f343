/* What fewer bits bring on GPUs: INT4 over INT8, INT8 and 4-bit weights over FP16. */
#include "explore/ledger_gpu.h"

#include "explore/calibrate_fit.h"
#include "input/arch.h"

#include <math.h>
#include <string.h>

static sim_status no_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- INT4 over INT8 on the convolutions of ResNets -------------------------------------------------- */

enum { IMAGES = 8, INT8 = 0, INT4 = 1 };

/* Layers of one network, at both precisions. */
typedef struct network {
    sim_measurement *of;  /* what rows refer to */
    sim_fit_row *rows[2]; /* INT8, INT4 */
    int64_t count;
} network;

/* Implicit GEMM: every input is read once, although a kernel of several taps uses it as often. */
static sim_status read_layer(const sim_csv *csv, int64_t at, const sim_gpu_rates rates[2], network *out,
                             sim_err *err)
{
    static const char *const columns[] = {"positions", "c_in", "c_out", "kernel"};
    int64_t value[4] = {0};
    double us[2] = {0, 0};
    sim_measurement *m = &out->of[out->count];
    sim_status status = SIM_OK;

    for (int i = 0; i < 4 && status == SIM_OK; i++) {
        status = sim_csv_int(csv, at, columns[i], &value[i], err);
        if (status == SIM_OK && (value[i] < 1 || value[i] > 1 << 20))
            status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[at], "column '%s' is out of range",
                              columns[i]);
    }
    if (status == SIM_OK)
        status = sim_csv_real(csv, at, "int8_us", &us[INT8], err);
    if (status == SIM_OK)
        status = sim_csv_real(csv, at, "int4_us", &us[INT4], err);
    if (status == SIM_OK && !(us[INT8] > 0 && us[INT4] > 0))
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[at], "times must be positive");
    if (status != SIM_OK)
        return status;
    *m = (sim_measurement){.kernel = SIM_KERNEL_GEMM_W8A8,
                           .m = IMAGES * value[0],
                           .n = value[2],
                           .k = value[1] * value[3] * value[3],
                           .batch = 1,
                           .line = csv->lines[at]};
    for (int bits = INT8; bits <= INT4; bits++) {
        sim_fit_row *row = &out->rows[bits][out->count];

        m->w_bits = m->a_bits = bits == INT8 ? 8 : 4;
        *row = (sim_fit_row){
            .of = m, .rates = rates[bits], .gemm = sim_measurement_gemm(m), .log_us = log(us[bits])};
        row->gemm.a_bytes /= (double)(value[3] * value[3]);
    }
    out->count++;
    return SIM_OK;
}

static sim_status read_network(const sim_ledger_context *context, const sim_csv *csv, const char *name,
                               const sim_gpu_rates rates[2], network *out, sim_err *err)
{
    size_t room = (size_t)csv->row_count;
    int column = sim_csv_column(csv, "network");
    sim_status status = SIM_OK;

    *out = (network){.of = sim_arena_alloc(context->arena, room, sizeof *out->of)};
    for (int bits = INT8; bits <= INT4; bits++)
        out->rows[bits] = sim_arena_alloc(context->arena, room, sizeof *out->rows[bits]);
    if (!out->of || !out->rows[INT8] || !out->rows[INT4])
        return no_memory(err);
    if (column < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, csv->header_line, "no column 'network'");
    for (int64_t i = 0; i < csv->row_count && status == SIM_OK; i++)
        if (strcmp(sim_csv_text(csv, i, column), name) == 0)
            status = read_layer(csv, i, rates, out, err);
    return status;
}

/* INT8 on ResNet-18 is fitted whole; INT4 has the same tiles and takes c, es and em of its own. */
static sim_status fit_precisions(const sim_ledger_context *context, const network *net,
                                 sim_gpu_kernel kernel[2], sim_err *err)
{
    sim_status status = SIM_OK;

    sim_gpu_kernel_start(SIM_KERNEL_GEMM_W8A8, &kernel[INT8]);
    for (int bits = INT8; bits <= INT4 && status == SIM_OK; bits++) {
        sim_fit_prior prior = bits == INT8 ? sim_fit_prior_usual(SIM_KERNEL_GEMM_W8A8)
                                           : sim_fit_prior_session(SIM_KERNEL_GEMM_W8A8);
        sim_fit_report report;
        sim_fit_set set;
        sim_fit_row *copy = sim_arena_alloc(context->arena, (size_t)net->count, sizeof *copy);

        if (!copy)
            return no_memory(err);
        memcpy(copy, net->rows[bits], (size_t)net->count * sizeof *copy); /* a set sorts its rows */
        status = sim_fit_set_of(SIM_KERNEL_GEMM_W8A8, copy, net->count, context->arena, &set, err);
        if (status == SIM_OK)
            status = sim_fit_law(&set, SIM_FIT_ALL, &kernel[INT8], &prior, context->arena, &kernel[bits],
                                 &report, err);
    }
    return status;
}

sim_status sim_check_gpu_int4(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_ledger_error time[2] = {{0, 0}, {0, 0}}, ratio = {0, 0};
    double measured_log = 0, predicted_log = 0;
    network small = {0}, large = {0};
    sim_gpu_kernel kernel[2];
    sim_gpu_rates rates[2];
    sim_arch arch;
    sim_csv csv;
    sim_status status = sim_ledger_csv(context, "gpu_resnet_int4_int8.csv", &csv, err);

    if (status == SIM_OK)
        status = sim_ledger_gpu_arch(context, "t4.cfg", &arch, err);
    if (status != SIM_OK)
        return status;
    sim_gpu_rates_of(&arch, SIM_GPU_INT8, 0, &rates[INT8]);
    sim_gpu_rates_of(&arch, SIM_GPU_INT4, 0, &rates[INT4]);
    status = read_network(context, &csv, "resnet18", rates, &small, err);
    if (status == SIM_OK)
        status = read_network(context, &csv, "resnet50", rates, &large, err);
    if (status == SIM_OK)
        status = fit_precisions(context, &small, kernel, err);
    for (int64_t i = 0; i < large.count && status == SIM_OK; i++) {
        double predicted[2], measured;

        for (int bits = INT8; bits <= INT4; bits++) {
            predicted[bits] = sim_fit_log_us(&large.rows[bits][i], &kernel[bits]);
            sim_ledger_add(&time[bits], predicted[bits], large.rows[bits][i].log_us);
        }
        measured = large.rows[INT8][i].log_us - large.rows[INT4][i].log_us;
        sim_ledger_add(&ratio, predicted[INT8] - predicted[INT4], measured);
        measured_log += measured / (double)large.count;
        predicted_log += (predicted[INT8] - predicted[INT4]) / (double)large.count;
    }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "T4: INT4 over INT8, convolutions of ResNet-50, fitted on ResNet-18",
        .target = "speedup within 15%",
        .result = sim_ledger_text(
            context, "%.1f%% off on %lld layers, mean %.2fx, measured %.2fx; times: INT8 %.1f%%, INT4 %.1f%%",
            sim_ledger_mean_pct(&ratio), (long long)large.count, exp(predicted_log), exp(measured_log),
            sim_ledger_mean_pct(&time[INT8]), sim_ledger_mean_pct(&time[INT4])),
        .source = "HAWQ (MIT); 8 images assumed",
        .met = sim_ledger_mean_pct(&ratio) <= 15,
    };
    return SIM_OK;
}

/* ---- INT8 over FP16 -------------------------------------------------------------------------------- */

/* Times of one kernel and implementation, each (n, k) predicted by a fit to the others. */
static sim_status held_out(const sim_ledger_context *context, const sim_arch *arch,
                           const sim_measurements *all, sim_gpu_kernel_kind kernel, const char *impl,
                           sim_measurements *of, double **log_us, sim_err *err)
{
    static const sim_calibrate_options how = {.no_residuals = true, .name = "ledger"};
    sim_status status = sim_ledger_select(context, all, kernel, impl, of, err);

    if (status != SIM_OK)
        return status;
    *log_us = sim_arena_alloc(context->arena, (size_t)of->count, sizeof **log_us);
    if (!*log_us)
        return no_memory(err);
    for (int64_t i = 0; i < of->count && status == SIM_OK; i++) {
        sim_measurement *rest;
        sim_measurements without = {.file = all->file};
        sim_calibration_check check;
        sim_calibration_fit fit;
        const sim_measurements one = {all->file, &of->rows[i], 1};
        bool known = false;

        for (int64_t j = 0; j < i && !known; j++)
            known = of->rows[j].n == of->rows[i].n && of->rows[j].k == of->rows[i].k;
        rest = known ? NULL : sim_arena_alloc(context->arena, (size_t)all->count, sizeof *rest);
        if (known)
            continue; /* its shape was held out before */
        if (!rest)
            return no_memory(err);
        without.rows = rest;
        for (int64_t j = 0; j < all->count; j++) {
            const sim_measurement *row = &all->rows[j];

            if (row->kernel == kernel && !(row->n == of->rows[i].n && row->k == of->rows[i].k))
                rest[without.count++] = *row;
        }
        status = sim_calibrate(arch, &without, &how, context->arena, &fit, err);
        for (int64_t j = i; j < of->count && status == SIM_OK; j++) {
            const sim_measurements row = {all->file, &of->rows[j], 1};

            if (of->rows[j].n != one.rows->n || of->rows[j].k != one.rows->k)
                continue;
            status = sim_calibration_score(arch, &fit.calibration, &row, context->arena, &check, err);
            if (status == SIM_OK)
                (*log_us)[j] = log(check.rows[0].predicted_us);
        }
    }
    return status;
}

sim_status sim_check_gpu_int8(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    double *int8_log, *fp16_log, measured_log = 0, predicted_log = 0, pairs = 0;
    sim_ledger_error ratio = {0, 0}, constant = {0, 0};
    sim_measurements all, int8, fp16;
    sim_arch arch;
    sim_status status = sim_ledger_gpu(context, "t4.cfg", "t4_gemm.csv", &arch, &all, err);

    if (status == SIM_OK)
        status = held_out(context, &arch, &all, SIM_KERNEL_GEMM_W8A8, "cutlass", &int8, &int8_log, err);
    if (status == SIM_OK)
        status = held_out(context, &arch, &all, SIM_KERNEL_GEMM_FP16, "torch", &fp16, &fp16_log, err);
    if (status != SIM_OK)
        return status;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < int8.count; i++)
            for (int64_t j = 0; j < fp16.count; j++) {
                const sim_measurement *a = &int8.rows[i], *b = &fp16.rows[j];
                double measured = log(b->latency_us / a->latency_us), predicted = fp16_log[j] - int8_log[i];

                if (a->m != b->m || a->n != b->n || a->k != b->k)
                    continue;
                if (pass == 0) {
                    measured_log += measured;
                    predicted_log += predicted;
                    pairs++;
                } else {
                    sim_ledger_add(&ratio, predicted, measured);
                    sim_ledger_add(&constant, measured_log / pairs, measured);
                }
            }
    *out = (sim_ledger_row){
        .claim = "T4: INT8 over FP16, layers of Llama-2-7B, (n, k) held out",
        .target = "speedup within 15%",
        .result = sim_ledger_text(
            context, "%.1f%% off on %.0f layers, mean %.2fx, measured %.2fx (its mean for all: %.1f%%)",
            sim_ledger_mean_pct(&ratio), ratio.count, exp(predicted_log / pairs), exp(measured_log / pairs),
            sim_ledger_mean_pct(&constant)),
        .source = "vLLM",
        .met = pairs > 0 && sim_ledger_mean_pct(&ratio) <= 15,
    };
    return SIM_OK;
}

/* ---- 4-bit weights over FP16 ------------------------------------------------------------------------ */

/* Time that a check predicts for the shape, and the measured one; false: it is not there. */
static bool times_of(const sim_calibration_check *check, sim_gpu_kernel_kind kernel,
                     const sim_measurement *shape, double *predicted_us, double *measured_us)
{
    for (int64_t i = 0; i < check->row_count; i++) {
        const sim_measurement *row = check->rows[i].of;

        if (row->kernel == kernel && row->m == shape->m && row->n == shape->n && row->k == shape->k) {
            *predicted_us = check->rows[i].predicted_us;
            *measured_us = row->latency_us;
            return true;
        }
    }
    return false;
}

sim_status sim_check_gpu_w4(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    /* sm_75 like the T4: 68 SMs at 1545 MHz, 616 GB/s, 5.5 MiB of L2. */
    static const sim_arch_setting card[] = {{"calibration", "none"}, {"gpu.sms", "68"},
                                            {"clock_mhz", "1545"},   {"dram.bandwidth_gb_s", "616"},
                                            {"gpu.l2_mib", "5.5"},   {"gpu.power_cap_w", "250"}};
    static const sim_calibrate_options how = {.no_residuals = true, .name = "ledger"};
    static const sim_gpu_kernel_kind kinds[] = {SIM_KERNEL_GEMM_W4A16, SIM_KERNEL_GEMM_W8A8};
    const char *path = sim_arena_printf(context->arena, "%s/t4.cfg", context->arch_folder);
    sim_ledger_error error[2] = {{0, 0}, {0, 0}};
    sim_measurements all, fitted, checked;
    sim_measurement *rows;
    sim_calibration_check check;
    sim_calibration_fit fit;
    sim_arch arch, unused;
    sim_status status = sim_ledger_gpu(context, "t4.cfg", "gpu_w4_rtx2080ti.csv", &unused, &all, err);

    if (!path)
        return no_memory(err);
    if (status == SIM_OK)
        status = sim_arch_load(path, card, sizeof card / sizeof *card, context->arena, &arch, err);
    if (status != SIM_OK)
        return status;
    rows = sim_arena_alloc(context->arena, (size_t)all.count, sizeof *rows);
    if (!rows)
        return no_memory(err);
    /* The run with scales per channel is fitted, the one with groups of 128 is predicted. */
    fitted = (sim_measurements){all.file, rows, 0};
    for (int64_t i = 0; i < all.count; i++)
        if (strcmp(all.rows[i].layout, "channelwise") == 0)
            rows[fitted.count++] = all.rows[i];
    checked = (sim_measurements){all.file, rows + fitted.count, 0};
    for (int64_t i = 0; i < all.count; i++)
        if (strcmp(all.rows[i].layout, "channelwise") != 0)
            rows[fitted.count + checked.count++] = all.rows[i];
    status = sim_calibrate(&arch, &fitted, &how, context->arena, &fit, err);
    if (status == SIM_OK)
        status = sim_calibration_score(&arch, &fit.calibration, &checked, context->arena, &check, err);
    for (int k = 0; k < 2 && status == SIM_OK; k++)
        for (int64_t i = 0; i < checked.count; i++) {
            double predicted, measured, fp16_predicted, fp16_measured;

            if (checked.rows[i].kernel == SIM_KERNEL_GEMM_FP16 &&
                times_of(&check, SIM_KERNEL_GEMM_FP16, &checked.rows[i], &fp16_predicted, &fp16_measured) &&
                times_of(&check, kinds[k], &checked.rows[i], &predicted, &measured))
                sim_ledger_add(&error[k], log(fp16_predicted / predicted), log(fp16_measured / measured));
        }
    if (status != SIM_OK)
        return status;
    *out = (sim_ledger_row){
        .claim = "RTX 2080 Ti: 4-bit weights over FP16, from one run to another with groups",
        .target = "speedup within 15%",
        .result =
            sim_ledger_text(context, "W4A16 %.1f%%, W4A8 %.1f%% off on %.0f shapes, m 1 to 4096",
                            sim_ledger_mean_pct(&error[0]), sim_ledger_mean_pct(&error[1]), error[0].count),
        .source = "vLLM",
        .met = error[0].count > 0 && sim_ledger_mean_pct(&error[0]) <= 15 &&
               sim_ledger_mean_pct(&error[1]) <= 15,
    };
    return SIM_OK;
}
