/* Made-up measurements for the tests of calibration: a device, and kernels whose parameters are known. */
#ifndef TESTS_EXPLORE_CALIBRATE_FIXTURE_H
#define TESTS_EXPLORE_CALIBRATE_FIXTURE_H

#include "base/arena.h"
#include "explore/calibrate.h"
#include "model/gpu.h"
#include "reference/random.h"

enum { ROWS_MAX = 1000 };

/* A device, kernels that are true of it, and rows "measured" with them. */
typedef struct world {
    sim_arena arena;
    sim_arch arch;
    sim_measurement rows[ROWS_MAX];
    int64_t count;
    ref_random random;
} world;

/* A T4 without calibration, and no rows yet; the caller frees the arena. */
void start(world *w);

/* A kernel far enough from the starting values that a fit must move. */
sim_gpu_kernel truth(sim_gpu_kernel_kind kind);

/* Adds the row of one product on `k`. noise_frac: largest relative error, uniform. */
void measure(world *w, const sim_gpu_kernel *k, const char *impl, int64_t m, int64_t n, int64_t kk,
             double clock_mhz, double noise_frac);

/* `shapes` weight shapes at m of 1, 16, 256 and 4096. */
void sweep(world *w, const sim_gpu_kernel *k, const char *impl, int shapes, double clock_mhz,
           double noise_frac);

/* Fits all rows. options: NULL: the usual ones. */
sim_calibration_fit fit(world *w, const sim_calibrate_options *options);

/* The fit's line of an implementation, which must be there. */
const sim_fit_line *line_of(const sim_calibration_fit *fit, const char *impl);

#endif
