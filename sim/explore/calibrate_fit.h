/* Fits the law of one kernel, of one implementation in one regime, to its measurements. */
#ifndef SIM_EXPLORE_CALIBRATE_FIT_H
#define SIM_EXPLORE_CALIBRATE_FIT_H

#include "explore/calibrate_set.h"

/* How sure one is of the starting values. */
typedef struct sim_fit_prior {
    double sd[SIM_GPU_PARAMETERS]; /* of their logarithms; 0 keeps a value */
} sim_fit_prior;

/* sim_gpu_prior_sd with a wider c_us and, on tensor cores, a narrower q; everything free. */
sim_fit_prior sim_fit_prior_usual(sim_gpu_kernel_kind kind);
/* c_us, es and em free: what differs between hosts, libraries and sessions of one device. */
sim_fit_prior sim_fit_prior_session(sim_gpu_kernel_kind kind);

typedef struct sim_fit_report {
    double cost;
    double shrink_frac[SIM_GPU_PARAMETERS]; /* posterior over prior sd; 0: was not fitted */
    int parameters; /* that were fitted and pinned down, floor and row part included */
} sim_fit_report;

/* Fits to the rows outside fold `held_out` (SIM_FIT_ALL: to all), starting at `start`. A host's
 * floor is there only when the rows show one. Parameters that the rows do not pin down keep their starting
 * value (from_prior). Rows, groups and scores of `out` are the caller's business. Deterministic.
 * SIM_NO_MEMORY, SIM_INTERNAL. */
sim_status sim_fit_law(const sim_fit_set *set, int held_out, const sim_gpu_kernel *start,
                       const sim_fit_prior *prior, sim_arena *arena, sim_gpu_kernel *out,
                       sim_fit_report *report, sim_err *err);

/* log us of every row of the set by a kernel, without residuals. */
void sim_fit_predict(const sim_fit_set *set, const sim_gpu_kernel *kernel, double *log_us);

/* log us of one row, without residual. */
double sim_fit_log_us(const sim_fit_row *row, const sim_gpu_kernel *kernel);

#endif
