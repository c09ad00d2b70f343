/* A calibration against measurements. */
#include "explore/calibrate.h"

#include "explore/calibrate_fit.h"

#include <math.h>
#include <string.h>

/* The kernel that a measurement is predicted with, as a run would choose it for that implementation. */
static void kernel_for(const sim_arch *arch, const sim_measurement *row, sim_gpu_kernel *kernel,
                       sim_check_group *out)
{
    const sim_gpu_kernel *known = sim_gpu_kernel_find(arch->calibration, row->kernel, row->impl, row->regime);

    *out = (sim_check_group){.kernel = row->kernel, .regime = row->regime, .impl = row->impl};
    if (known) {
        *kernel = *known;
        out->scored_as = known->impl;
        out->exact = strcmp(known->impl, row->impl) == 0 && known->regime == row->regime;
        out->basis = out->exact                            ? "calibrated"
                     : strcmp(known->impl, row->impl) == 0 ? "other regime"
                                                           : "default implementation";
        return;
    }
    out->basis = sim_gpu_kernel_on(arch, row->kernel, kernel) == SIM_GPU_RELATIVE ? "related kernel"
                                                                                  : "starting values";
}

static bool same_group(const sim_check_group *group, const sim_measurement *row)
{
    return group->kernel == row->kernel && group->regime == row->regime &&
           strcmp(group->impl, row->impl) == 0;
}

typedef struct work {
    sim_fit_row *rows;
    int64_t count;
    sim_check_group *groups;
    sim_gpu_kernel *kernels; /* of each group */
    int64_t group_count;
    double *predicted, *measured, *some, *other;
} work;

static sim_status room(work *w, sim_arena *arena, sim_err *err)
{
    size_t count = (size_t)w->count;

    w->groups = sim_arena_alloc(arena, count, sizeof *w->groups);
    w->kernels = sim_arena_alloc(arena, count, sizeof *w->kernels);
    w->predicted = sim_arena_alloc(arena, count, sizeof(double));
    w->measured = sim_arena_alloc(arena, count, sizeof(double));
    w->some = sim_arena_alloc(arena, count, sizeof(double));
    w->other = sim_arena_alloc(arena, count, sizeof(double));
    if (!w->groups || !w->kernels || !w->predicted || !w->measured || !w->some || !w->other)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return SIM_OK;
}

/* Rows without a clock ran, as far as anyone knows, at the clock that the kernel was measured at. */
static void at_clock(const sim_arch *arch, const sim_gpu_kernel *kernel, sim_fit_row *row)
{
    if (row->of->clock_mhz <= 0)
        sim_gpu_rates_for(arch, kernel, sim_gpu_kernel_math(row->of->kernel), &row->rates);
}

static sim_status score_group(work *w, const sim_check_row *rows, int64_t group, sim_arena *arena,
                              sim_err *err)
{
    int64_t n = 0;
    sim_status status;

    for (int64_t i = 0; i < w->count; i++)
        if (rows[i].group == group) {
            w->some[n] = w->predicted[i];
            w->other[n++] = w->measured[i];
        }
    status = sim_fit_score_of(w->some, w->other, n, arena, &w->groups[group].score, err);
    if (status != SIM_OK || w->groups[group].kernel == SIM_KERNEL_EMPTY) {
        w->groups[group].ideal = (sim_fit_score){0, NAN, NAN, NAN, NAN};
        return status;
    }
    n = 0;
    for (int64_t i = 0; i < w->count; i++)
        if (rows[i].group == group)
            w->some[n++] = log(sim_roofline_us(&w->rows[i], &sim_roofline_ideal));
    return sim_fit_score_of(w->some, w->other, n, arena, &w->groups[group].ideal, err);
}

sim_status sim_calibration_score(const sim_arch *given, const sim_gpu_calibration *calibration,
                                 const sim_measurements *measured, sim_arena *arena,
                                 sim_calibration_check *out, sim_err *err)
{
    sim_arch arch = *given;
    work w = {0};
    sim_check_row *rows;
    sim_status status;

    *out = (sim_calibration_check){.groups = NULL};
    arch.calibration = calibration;
    memset(arch.gpu.impl, 0, sizeof arch.gpu.impl); /* measurements say theirs */
    status = sim_fit_rows_of(&arch, measured, arena, &w.rows, &w.count, &out->left_out_gpus, err);
    if (status == SIM_OK)
        status = room(&w, arena, err);
    if (status != SIM_OK)
        return status;
    rows = sim_arena_alloc(arena, (size_t)w.count, sizeof *rows);
    if (!rows)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < w.count; i++) {
        sim_fit_row *row = &w.rows[i];
        int64_t group = 0;

        while (group < w.group_count && !same_group(&w.groups[group], row->of))
            group++;
        if (group == w.group_count)
            kernel_for(&arch, row->of, &w.kernels[w.group_count++], &w.groups[group]);
        at_clock(&arch, &w.kernels[group], row);
        w.measured[i] = row->log_us;
        w.predicted[i] = sim_fit_log_us(row, &w.kernels[group]);
        if (sim_gpu_kernel_is_gemm(row->of->kernel))
            w.predicted[i] += sim_gpu_residual_of(&w.kernels[group], row->of->n, row->of->k, row->of->m);
        rows[i] = (sim_check_row){row->of, exp(w.predicted[i]), (int)group};
    }
    for (int64_t g = 0; g < w.group_count && status == SIM_OK; g++)
        status = score_group(&w, rows, g, arena, err);
    if (status == SIM_OK)
        status = sim_fit_score_of(w.predicted, w.measured, w.count, arena, &out->score, err);
    out->groups = w.groups;
    out->group_count = w.group_count;
    out->rows = rows;
    out->row_count = w.count;
    out->left_out = measured->count - w.count;
    return status;
}

/* ---- rows as CSV ---------------------------------------------------------------------------------- */

/* A cell of text, quoted when it must be. */
static void put_cell(sim_text *out, const char *text)
{
    bool quoted = strpbrk(text, ",\"\n\r") != NULL;

    if (quoted)
        sim_text_add(out, "\"");
    for (; *text; text++) {
        if (*text == '"')
            sim_text_add(out, "\"");
        sim_text_bytes(out, text, 1);
    }
    if (quoted)
        sim_text_add(out, "\"");
}

void sim_calibration_check_csv(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                               sim_text *out)
{
    sim_text_add(out, "calibration,gpu,kernel,impl,regime,m,n,k,batch,latency_us,predicted_us,error_pct\n");
    for (int64_t i = 0; i < check->row_count; i++) {
        const sim_check_row *row = &check->rows[i];

        put_cell(out, calibration->name);
        sim_text_add(out, ",");
        put_cell(out, *row->of->gpu ? row->of->gpu : calibration->gpu);
        sim_text_printf(out, ",%s,", sim_gpu_kernel_names[row->of->kernel]);
        put_cell(out, row->of->impl);
        sim_text_printf(out, ",%s,%lld,%lld,%lld,%lld,", sim_gpu_regime_names[row->of->regime],
                        (long long)row->of->m, (long long)row->of->n, (long long)row->of->k,
                        (long long)row->of->batch);
        sim_text_real(out, row->of->latency_us);
        sim_text_add(out, ",");
        sim_text_real(out, row->predicted_us);
        sim_text_add(out, ",");
        sim_text_real(out, (row->predicted_us / row->of->latency_us - 1) * 100);
        sim_text_add(out, "\n");
    }
}
