#include "explore/validate.h"

#include "explore/ledger.h"
#include "input/arch.h"
#include "model/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

sim_status sim_ledger_csv(const sim_ledger_context *context, const char *name, sim_csv *out, sim_err *err)
{
    const char *path = sim_arena_printf(context->arena, "%s/%s", context->folder, name);

    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return sim_csv_load(path, context->arena, out, err);
}

sim_status sim_ledger_arch(const sim_ledger_context *context, const char *name, sim_arch *out, sim_err *err)
{
    const char *path = sim_arena_printf(context->arena, "%s/%s", context->arch_folder, name);

    if (!path)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return sim_arch_load(path, NULL, 0, context->arena, out, err);
}

sim_status sim_ledger_run(const sim_ledger_context *context, const sim_arch *arch, const sim_layer *layers,
                          int64_t count, int bits, sim_result *out, sim_err *err)
{
    sim_workload *workload = sim_arena_alloc(context->arena, 1, sizeof *workload);
    sim_policy *policy = sim_arena_alloc(context->arena, 1, sizeof *policy);

    if (!workload || !policy)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    *workload = (sim_workload){.name = "ledger", .layers = layers, .layer_count = count};
    policy->name = "ledger";
    policy->overrides_own = bits != SIM_LEDGER_OWN_BITS;
    policy->base.w = policy->base.a = (sim_number){SIM_FORMAT_INT, bits};
    return sim_run_model(arch, workload, policy, SIM_OBJECTIVE_BALANCED, context->arena, out, err);
}

const char *sim_ledger_text(const sim_ledger_context *context, const char *format, ...)
{
    char text[512];
    const char *copy;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    copy = sim_arena_text(context->arena, text, strlen(text));
    return copy ? copy : "out of memory";
}

sim_status sim_validate(const char *folder, const char *arch_folder, sim_arena *arena, sim_ledger *out,
                        sim_err *err)
{
    sim_ledger_check *const checks[] = {
        sim_check_rtl,
        sim_check_scalesim,
        sim_check_timeloop,
        sim_check_llm_counts,
        sim_check_peer_genz,
        sim_check_peer_viewer,
        sim_check_peer_analysis,
        sim_check_peer_compass,
        sim_check_tpu_v1,
        sim_check_tpu_v4,
        sim_check_bitfusion_gemms,
        sim_check_bitfusion_networks,
        sim_check_bitfusion_eyeriss,
        sim_check_haq_table,
        sim_check_haq_v2,
        sim_check_haq_v1,
        sim_check_bitmod,
        sim_check_gpu_law,
        sim_check_gpu_t4_fp16,
        sim_check_gpu_t4_w8a8,
        sim_check_gpu_t4_fp32,
        sim_check_gpu_t4_linear,
        sim_check_gpu_session,
        sim_check_gpu_a100,
        sim_check_gpu_a100_own,
        sim_check_gpu_h100,
        sim_check_gpu_h100_own,
        sim_check_gpu_int4,
        sim_check_gpu_int8,
        sim_check_gpu_w4,
        sim_check_allreduce,
        sim_check_mt_nlg,
    };
    enum { CHECKS = sizeof checks / sizeof *checks };
    sim_ledger_context context = {folder, arch_folder, arena};
    sim_ledger_row *rows = sim_arena_alloc(arena, CHECKS, sizeof *rows);

    memset(out, 0, sizeof *out);
    if (!rows)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    out->rows = rows;
    out->all_met = true;
    for (int i = 0; i < CHECKS; i++) {
        sim_status status = checks[i](&context, &rows[i], err);

        if (status != SIM_OK)
            return status;
        out->all_met &= rows[i].met;
        out->count++;
    }
    return SIM_OK;
}
