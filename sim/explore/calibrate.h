/* Calibration of a GPU: measurements -> parameters of the latency law per kernel, implementation and regime,
 * with what to expect of them. The law is model/gpu.h's, the file input/calib.h's, the CSV measurements.h's.
 */
#ifndef SIM_EXPLORE_CALIBRATE_H
#define SIM_EXPLORE_CALIBRATE_H

#include "base/text.h"
#include "explore/calibrate_roofline.h"
#include "explore/calibrate_set.h"
#include "explore/calibrate_step.h"

typedef struct sim_calibrate_options {
    /* Only c_us, es and em are fitted, everything else stays as this calibration has it: for few rows of
     * another session, host or library. Kernels it lacks are fitted whole. NULL: fit everything. */
    const sim_gpu_calibration *refit;
    bool no_residuals; /* leave out what is left of measured shapes after the law */
    bool no_floor;     /* leave the host's floor out of the calibration; fits and scores still know it */
    const char *name;  /* of the calibration; NULL: the arch's */
} sim_calibrate_options;

/* How well one kernel, implementation and regime was fitted. Scores are NaN where nothing could be scored. */
typedef struct sim_fit_line {
    const sim_gpu_kernel *kernel; /* of the calibration */
    int folds;                    /* 0: a single weight shape, nothing was held out */
    int parameters;               /* that the rows pin down */
    sim_fit_score fitted;         /* the law on the rows it was fitted to */
    sim_fit_score held_out;       /* whole weight shapes held out, each row scored once */
    sim_fit_score other_m; /* other m of shapes that were measured at three or more, by residuals too */
    sim_fit_score ideal, roofline, roofline_held_out; /* on the same rows and folds */
    double shrink_frac[SIM_GPU_PARAMETERS];           /* posterior over prior sd; 0: was not fitted */
    const char
        *origin[SIM_GPU_PARAMETERS]; /* of a value that the rows do not pin down: "starting value",
                                        "cublaslt", the refitted calibration's name; NULL: of the rows */
    const char *words;               /* what the rows cannot say, a sentence or more; "" when nothing */
} sim_fit_line;

typedef struct sim_calibration_fit {
    sim_gpu_calibration calibration;
    const sim_fit_line *lines; /* one for each kernel of the calibration, in its order */
    const char *arch_name, *measured_file;
    int64_t rows, left_out; /* left out: of other GPUs than the arch's */
    const char *left_out_gpus;
    const sim_step_fit *steps; /* NULL: none were fitted */
} sim_calibration_fit;

/* Fits. Where the file holds several GPUs, the rows of the one that the arch's name says. Implementations
 * whose rows do not reach into the compute-bound regime take what they do not pin down from the
 * implementation of the same kernel that showed the highest sustained efficiency, else from the arch's
 * calibration, else from the starting values. The default implementation of a kernel is the fastest over all
 * shapes measured for the kernel. Deterministic.
 *
 * SIM_BAD_INPUT: the arch is no GPU or lacks the math of a kernel, no rows of its GPU; SIM_NO_MEMORY,
 * SIM_INTERNAL. */
sim_status sim_calibrate(const sim_arch *arch, const sim_measurements *measured,
                         const sim_calibrate_options *options, sim_arena *arena, sim_calibration_fit *out,
                         sim_err *err);

/* Fits whole steps on top of what `fit` holds, and puts the engine's kernels and step into it. A `fit` that
 * is all zero starts from the arch's calibration, kernels kept as they are. Errors as of sim_calibrate_steps.
 */
sim_status sim_calibrate_add_steps(const sim_arch *arch, const sim_engine_steps *steps,
                                   const sim_calibrate_options *options, sim_arena *arena,
                                   sim_calibration_fit *fit, sim_err *err);

/* The calibration as a file. */
void sim_calibration_text(const sim_calibration_fit *fit, sim_text *out);

/* sim_calibration_load for those who may not include it. */
sim_status sim_calibration_open(const char *path, sim_arena *arena, sim_gpu_calibration *out, sim_err *err);

/* ---- scoring ------------------------------------------------------------------------------------ */

typedef struct sim_check_group {
    sim_gpu_kernel_kind kernel;
    sim_gpu_regime regime;
    const char *impl;      /* as the measurements have it */
    const char *scored_as; /* implementation whose parameters were used; NULL: of another kernel, or start */
    bool exact;            /* that is the one measured, in the same regime */
    const char *basis;     /* "calibrated", "default implementation", "related kernel", "starting values" */
    sim_fit_score score;
    sim_fit_score ideal;
} sim_check_group;

typedef struct sim_check_row {
    const sim_measurement *of;
    double predicted_us;
    int group;
} sim_check_row;

typedef struct sim_calibration_check {
    sim_fit_score score; /* of all rows */
    const sim_check_group *groups;
    int64_t group_count;
    const sim_check_row *rows;
    int64_t row_count, left_out; /* left out: of other GPUs */
    const char *left_out_gpus;
} sim_calibration_check;

/* Predicts every row with `calibration` and compares. A row of an implementation that it lacks is scored with
 * the kernel's default one, of a kernel that it lacks as a run would price it. Errors as of sim_calibrate. */
sim_status sim_calibration_score(const sim_arch *given, const sim_gpu_calibration *calibration,
                                 const sim_measurements *measured, sim_arena *arena,
                                 sim_calibration_check *out, sim_err *err);

/* The rows as CSV: what a residual chart is drawn from. */
void sim_calibration_check_csv(const sim_calibration_check *check, const sim_gpu_calibration *calibration,
                               sim_text *out);

/* ---- parts, for the ledger and tests -------------------------------------------------------------- */

/* The rows of `measured` that fit `arch` as fits take them; see sim_calibrate for which. */
sim_status sim_fit_rows_of(const sim_arch *arch, const sim_measurements *measured, sim_arena *arena,
                           sim_fit_row **out, int64_t *count, const char **left_out_gpus, sim_err *err);

/* Residuals of a GEMM kernel at the shapes of the set that lie outside fold `held_out` and were measured at
 * three m at least: log(measured / law), at most 16 for each (n, k), those of near m averaged. */
sim_status sim_fit_residuals_of(const sim_fit_set *set, int held_out, sim_arena *arena,
                                sim_gpu_kernel *kernel, sim_err *err);

#endif
