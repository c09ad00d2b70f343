/* Shared by the checks of the validation ledger. */
#ifndef SIM_EXPLORE_LEDGER_H
#define SIM_EXPLORE_LEDGER_H

#include "explore/validate.h"
#include "format/csv.h"
#include "model/types.h"

typedef struct sim_ledger_context {
    const char *folder, *arch_folder;
    sim_arena *arena;
} sim_ledger_context;

/* One check: fills `out` (texts in the arena). An error means that it could not be run. */
typedef sim_status sim_ledger_check(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err);

sim_ledger_check sim_check_rtl, sim_check_scalesim, sim_check_timeloop, sim_check_tpu_v1, sim_check_tpu_v4,
    sim_check_llm_counts, sim_check_bitfusion_gemms, sim_check_bitfusion_networks,
    sim_check_bitfusion_eyeriss, sim_check_haq_table, sim_check_haq_v2, sim_check_haq_v1, sim_check_bitmod,
    sim_check_gpu_law, sim_check_gpu_t4_fp16, sim_check_gpu_t4_w8a8, sim_check_gpu_t4_fp32,
    sim_check_gpu_t4_linear, sim_check_gpu_session, sim_check_gpu_a100, sim_check_gpu_h100,
    sim_check_gpu_a100_own, sim_check_gpu_h100_own, sim_check_gpu_int4, sim_check_gpu_int8, sim_check_gpu_w4,
    sim_check_allreduce, sim_check_mt_nlg, sim_check_peer_genz, sim_check_peer_viewer,
    sim_check_peer_analysis, sim_check_peer_compass;

sim_status sim_ledger_csv(const sim_ledger_context *context, const char *name, sim_csv *out, sim_err *err);
sim_status sim_ledger_arch(const sim_ledger_context *context, const char *name, sim_arch *out, sim_err *err);
enum { SIM_LEDGER_OWN_BITS = 0 };

/* Runs an explicit layer list with weights and activations of `bits`, or of the layers' own bits. */
sim_status sim_ledger_run(const sim_ledger_context *context, const sim_arch *arch, const sim_layer *layers,
                          int64_t count, int bits, sim_result *out, sim_err *err);
/* printf into the context's arena; "out of memory" when there is none. */
const char *sim_ledger_text(const sim_ledger_context *context, const char *format, ...) SIM_PRINTF(2, 3);

#endif
