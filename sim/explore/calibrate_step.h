/* Fits an engine's whole steps: what is left to know when the law of kernels and the device are given.
 *
 *   T_free = t0 + sum of kernel times
 *   T = (T_free^q + (E / (P_cap - P_static))^q)^(1/q)      E = MACs e_mac + bits e_bit + vector operations
 *
 * Fitted are t0, the launch of vector kernels, and for each precision launch c, efficiencies es and em of its
 * GEMMs, that of its attention, and e_mac. Everything else is the kernel's that the arch's calibration has,
 * else the starting values. Of e_mac and P_static only e_mac / (P_cap - P_static) can be told from latency:
 * e_mac is what fits the arch's static_w. Without power_cap_w e_mac is not fitted. */
#ifndef SIM_EXPLORE_CALIBRATE_STEP_H
#define SIM_EXPLORE_CALIBRATE_STEP_H

#include "explore/calibrate_set.h"
#include "explore/engine_steps.h"

enum { SIM_STEP_PRECISIONS_MAX = 2, SIM_STEP_KERNELS_MAX = SIM_STEP_PRECISIONS_MAX + 1 };

/* Which rows are held out together. */
typedef enum sim_step_groups { SIM_STEP_BY_SHAPE, SIM_STEP_BY_BATCH, SIM_STEP_BY_MODEL } sim_step_groups;

typedef struct sim_step_parameter {
    const char *name; /* "t0_us", "gemm_fp16 es", ... */
    double value;
    double shrink_frac; /* posterior over prior sd: near 1 when the steps do not tell */
} sim_step_parameter;

enum { SIM_STEP_PARAMETERS_MAX = 2 + 5 * SIM_STEP_PRECISIONS_MAX };

typedef struct sim_step_fit {
    sim_gpu_step step;
    sim_gpu_kernel kernels[SIM_STEP_KERNELS_MAX]; /* impl the engine's, regime sustained */
    int kernel_count;
    sim_step_parameter parameters[SIM_STEP_PARAMETERS_MAX];
    int parameter_count;
    int folds;              /* 0: a single (model, tokens), nothing held out */
    sim_fit_score fitted;   /* the rows that were fitted */
    sim_fit_score held_out; /* each (model, tokens) predicted from the others */
    sim_fit_score by_batch; /* each batch predicted from the others */
    int64_t left_out;       /* rows of other GPUs, precisions or engines */
    const char *left_out_gpus;
} sim_step_fit;

/* Fits to the rows of the arch's GPU and of the first engine that they name. `arch` brings the device and the
 * calibration (or none) that kernels start from. Deterministic.
 *
 * SIM_BAD_INPUT: no GPU, no rows, a precision that it does not multiply, more than two precisions, more than
 * one way of attention; SIM_NO_MEMORY, SIM_INTERNAL. */
sim_status sim_calibrate_steps(const sim_arch *arch, const sim_engine_steps *steps, sim_arena *arena,
                               sim_step_fit *out, sim_err *err);

/* The calibration of `arch` with the engine's kernels and step in it; kernels of the same engine that were
 * there are replaced. */
sim_status sim_step_calibration(const sim_arch *arch, const sim_step_fit *fit, sim_arena *arena,
                                sim_gpu_calibration *out, sim_err *err);

/* Latency in microseconds that `arch` with `calibration` predicts for a row, in regime sustained with the
 * engine that the calibration's step names (none: the kernels alone and attention as the row says). */
sim_status sim_step_predict(const sim_arch *arch, const sim_gpu_calibration *calibration,
                            const sim_step_row *row, double *out_us, sim_err *err);

/* Rows of `steps` predicted by a fit to the rows of all other groups; SIM_BAD_INPUT as sim_calibrate_steps.
 * `out` has log(predicted) of each row in order. */
sim_status sim_step_hold_out(const sim_arch *arch, const sim_engine_steps *steps, sim_step_groups by,
                             sim_arena *arena, double *log_us, int *folds, sim_err *err);

#endif
