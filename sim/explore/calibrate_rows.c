/* Measurements -> rows of fits, and what is left of them after the law. */
#include "explore/calibrate.h"

#include "explore/calibrate_fit.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- which rows ----------------------------------------------------------------------------------- */

/* "Tesla T4" and "t4": letters and digits alone, in lower case. */
static void plain_name(const char *name, char *out, size_t size)
{
    size_t used = 0;

    for (; *name && used + 1 < size; name++)
        if (isalnum((unsigned char)*name))
            out[used++] = (char)tolower((unsigned char)*name);
    out[used] = '\0';
}

/* Whether rows of `gpu` are of the arch: one name within the other. */
static bool same_gpu(const char *gpu, const char *arch)
{
    char a[128], b[128];

    plain_name(gpu, a, sizeof a);
    plain_name(arch, b, sizeof b);
    return *a && *b && (strstr(a, b) || strstr(b, a));
}

/* Rows that say no GPU belong to any arch; those that name one do when all name the same, or it is the
 * arch's. */
static sim_status choose(const sim_arch *arch, const sim_measurements *measured, sim_arena *arena, bool *used,
                         const char **others, sim_err *err)
{
    const char *first = NULL;
    bool several = false;
    int64_t kept = 0;

    *others = NULL;
    for (int64_t i = 0; i < measured->count; i++) {
        const char *gpu = measured->rows[i].gpu;

        if (!*gpu)
            continue;
        if (!first)
            first = gpu;
        several |= strcmp(first, gpu) != 0;
    }
    for (int64_t i = 0; i < measured->count; i++) {
        const char *gpu = measured->rows[i].gpu;

        used[i] = !several || !*gpu || same_gpu(gpu, arch->name);
        kept += used[i];
        if (used[i] || (*others && strstr(*others, gpu)))
            continue;
        *others = sim_arena_printf(arena, "%s%s%s", *others ? *others : "", *others ? ", " : "", gpu);
        if (!*others)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    if (kept > 0)
        return SIM_OK;
    sim_fail(err, SIM_BAD_INPUT, measured->file, 0, "measurements of several GPUs, none of them '%s'",
             arch->name);
    sim_hint(err, "column 'gpu' says: %s", *others);
    return SIM_BAD_INPUT;
}

static sim_status check_math(const sim_arch *arch, const sim_measurement *row, sim_err *err)
{
    sim_gpu_math math = sim_gpu_kernel_math(row->kernel);

    if (!sim_gpu_kernel_is_gemm(row->kernel) || arch->gpu.mac_per_cycle_sm[math] > 0)
        return SIM_OK;
    sim_fail(err, SIM_BAD_INPUT, row->file, row->line, "%s: '%s' does not multiply in %s",
             sim_gpu_kernel_names[row->kernel], arch->name, sim_gpu_math_names[math]);
    sim_hint(err, "its 'gpu.%s_mac_per_cycle_sm' is 0", sim_gpu_math_names[math]);
    return SIM_BAD_INPUT;
}

/* Mean clock of an implementation's rows that tell it; 0: none does. */
static double clock_of(const sim_measurements *measured, const sim_measurement *like)
{
    double sum = 0;
    int64_t count = 0;

    for (int64_t i = 0; i < measured->count; i++) {
        const sim_measurement *row = &measured->rows[i];

        if (row->clock_mhz > 0 && row->kernel == like->kernel && row->regime == like->regime &&
            strcmp(row->impl, like->impl) == 0 && strcmp(row->gpu, like->gpu) == 0) {
            sum += row->clock_mhz;
            count++;
        }
    }
    return count > 0 ? sum / (double)count : 0;
}

sim_status sim_fit_rows_of(const sim_arch *arch, const sim_measurements *measured, sim_arena *arena,
                           sim_fit_row **out, int64_t *count, const char **left_out_gpus, sim_err *err)
{
    bool *used = sim_arena_alloc(arena, (size_t)measured->count, sizeof *used);
    sim_fit_row *rows = sim_arena_alloc(arena, (size_t)measured->count, sizeof *rows);
    bool any_clock = false;
    sim_status status;

    *out = rows;
    *count = 0;
    if (!used || !rows)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (arch->gpu.sms <= 0) {
        sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "'%s' is no GPU: its back end is '%s'", arch->name,
                 arch->backend_name);
        sim_hint(err, "calibration needs an arch file with backend = \"gpu\"");
        return SIM_BAD_INPUT;
    }
    status = choose(arch, measured, arena, used, left_out_gpus, err);
    for (int64_t i = 0; i < measured->count; i++)
        any_clock |= measured->rows[i].clock_mhz > 0;
    for (int64_t i = 0; i < measured->count && status == SIM_OK; i++) {
        const sim_measurement *row = &measured->rows[i];
        sim_fit_row *to = &rows[*count];
        double clock_mhz = row->clock_mhz;

        if (!used[i])
            continue;
        status = check_math(arch, row, err);
        if (clock_mhz <= 0 && any_clock)
            clock_mhz = clock_of(measured, row);
        *to = (sim_fit_row){.of = row, .log_us = log(row->latency_us)};
        sim_gpu_rates_of(arch, sim_gpu_kernel_math(row->kernel), clock_mhz, &to->rates);
        if (sim_gpu_kernel_is_gemm(row->kernel))
            to->gemm = sim_measurement_gemm(row);
        else
            to->bytes = sim_measurement_bytes(row);
        ++*count;
    }
    return status;
}

/* ---- residuals ------------------------------------------------------------------------------------ */

enum { RESIDUALS_MAX = 16, LEAST_M = 3 }; /* of one (n, k) */

/* Rows [first, end) of one (n, k), in order of m. */
static int64_t distinct_m(const sim_fit_set *set, int64_t first, int64_t end)
{
    int64_t distinct = 0, last = -1;

    for (int64_t i = first; i < end; i++) {
        distinct += set->rows[i].of->m != last;
        last = set->rows[i].of->m;
    }
    return distinct;
}

sim_status sim_fit_residuals_of(const sim_fit_set *set, int held_out, sim_arena *arena,
                                sim_gpu_kernel *kernel, sim_err *err)
{
    sim_gpu_residual *all = sim_arena_alloc(arena, (size_t)set->count, sizeof *all);
    int64_t used = 0, end;

    kernel->residuals = all;
    kernel->residual_count = 0;
    if (!all)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (!sim_gpu_kernel_is_gemm(set->kind))
        return SIM_OK;
    for (int64_t first = 0; first < set->count; first = end) {
        int64_t distinct, bins, seen = 0, bin = -1, last = -1;
        double ratio = 0, log_m = 0;
        int64_t in_bin = 0;

        for (end = first; end < set->count && set->rows[end].group == set->rows[first].group;)
            end++;
        distinct = distinct_m(set, first, end);
        if (distinct < LEAST_M || set->rows[first].fold == held_out)
            continue;
        bins = distinct < RESIDUALS_MAX ? distinct : RESIDUALS_MAX;
        for (int64_t i = first; i < end; i++) {
            const sim_measurement *row = set->rows[i].of;
            int64_t next;

            seen += row->m != last;
            last = row->m;
            next = (seen - 1) * bins / distinct;
            if (next != bin) {
                bin = next;
                in_bin = 0;
                ratio = log_m = 0;
                used++;
            }
            in_bin++;
            ratio += set->rows[i].log_us - sim_fit_log_us(&set->rows[i], kernel);
            log_m += log((double)row->m);
            all[used - 1] = (sim_gpu_residual){.n = row->n,
                                               .k = row->k,
                                               .m = (int64_t)llround(exp(log_m / (double)in_bin)),
                                               .log_ratio = ratio / (double)in_bin};
        }
    }
    kernel->residual_count = used;
    return SIM_OK;
}
