/* Shared by the GPU rows of the ledger. */
#ifndef SIM_EXPLORE_LEDGER_GPU_H
#define SIM_EXPLORE_LEDGER_GPU_H

#include "explore/calibrate.h"
#include "explore/ledger.h"

/* An arch without its calibration: a claim about fits must not start from one. */
sim_status sim_ledger_gpu_arch(const sim_ledger_context *context, const char *name, sim_arch *out,
                               sim_err *err);

/* The same, and measurements: `name` of cuda_ref/data, which lies beside the folder of the archs, or, when it
 * starts with "gpu_", of tests/validation. */
sim_status sim_ledger_gpu(const sim_ledger_context *context, const char *arch_name, const char *name,
                          sim_arch *arch, sim_measurements *measured, sim_err *err);

/* The rows of a kernel and implementation (NULL: of any), in order. SIM_BAD_INPUT when there are none. */
sim_status sim_ledger_select(const sim_ledger_context *context, const sim_measurements *from,
                             sim_gpu_kernel_kind kernel, const char *impl, sim_measurements *out,
                             sim_err *err);

/* Mean of the absolute errors of two log times, in percent, over what was added. */
typedef struct sim_ledger_error {
    double sum_pct, count;
} sim_ledger_error;

void sim_ledger_add(sim_ledger_error *error, double predicted_log, double measured_log);
double sim_ledger_mean_pct(const sim_ledger_error *error);

#endif
