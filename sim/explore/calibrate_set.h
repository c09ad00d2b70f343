/* Measurements of one kernel as fits take them: groups by weight shape, folds, samples, scores. */
#ifndef SIM_EXPLORE_CALIBRATE_SET_H
#define SIM_EXPLORE_CALIBRATE_SET_H

#include "explore/measurements.h"

typedef struct sim_fit_row {
    const sim_measurement *of;
    sim_gpu_rates rates; /* at the clock of the row */
    sim_gpu_gemm gemm;   /* of a GEMM */
    double bytes;        /* of a vector kernel */
    double log_us;
    int64_t group; /* number of its (n, k), from 0 */
    int fold;
} sim_fit_row;

typedef struct sim_fit_set {
    sim_gpu_kernel_kind kind;
    sim_fit_row *rows; /* in order of (n, k), m, then as in the file */
    int64_t count, groups;
    int folds; /* 0: one group only, nothing can be held out */
} sim_fit_set;

/* Sorts `rows` into a set with its groups and folds. Folds are by (n, k): 5, or one for each group when there
 * are at most 40 rows or 5 groups, so that no row of a weight shape is fitted and scored at once.
 * SIM_NO_MEMORY. */
sim_status sim_fit_set_of(sim_gpu_kernel_kind kind, sim_fit_row *rows, int64_t count, sim_arena *arena,
                          sim_fit_set *out, sim_err *err);

/* Rows that a fit uses. */
typedef struct sim_fit_sample {
    const sim_fit_set *set;
    const sim_fit_row **rows;
    double *log_us;
    int64_t count;
} sim_fit_sample;

enum {
    SIM_FIT_ROWS_MAX = 1000, /* more say no more */
};
enum { SIM_FIT_ALL = -1 }; /* no fold is held out */

/* The rows outside fold `held_out`, or `most` of them spread evenly over shapes. SIM_NO_MEMORY. */
sim_status sim_fit_sample_of(const sim_fit_set *set, int held_out, int64_t most, sim_arena *arena,
                             sim_fit_sample *out, sim_err *err);

/* The time that `frac` of the sample's rows stay below; 0 of no rows. */
sim_status sim_fit_quantile_us(const sim_fit_sample *sample, double frac, sim_arena *arena, double *out,
                               sim_err *err);

/* Errors of predictions, predicted / measured - 1. NaN when there are no rows. */
typedef struct sim_fit_score {
    int64_t n;
    double mape_pct, median_ape_pct, p95_ape_pct, bias_pct;
} sim_fit_score;

/* Of `count` pairs of log times. SIM_NO_MEMORY. */
sim_status sim_fit_score_of(const double *predicted, const double *measured, int64_t count, sim_arena *arena,
                            sim_fit_score *out, sim_err *err);

#endif
