/* Robust least squares of times in log space with priors: what every fit of calibration comes down to.
 *
 * Minimizes, over z = log p,
 *     sum over rows of rho((log predicted - log measured) / 0.05) + sum over parameters of ((z - z0) / sd)^2
 * with the pseudo-Huber loss rho(r) = 2 d^2 (sqrt(1 + (r/d)^2) - 1), d = 2: rows within about 10% count by
 * their square, outliers by their size. Priors make fits of a few rows safe. Levenberg-Marquardt of GSL; the
 * same input gives the same output. */
#ifndef SIM_EXPLORE_CALIBRATE_SOLVE_H
#define SIM_EXPLORE_CALIBRATE_SOLVE_H

#include "base/arena.h"
#include "base/err.h"

enum { SIM_SOLVE_PARAMETERS_MAX = 12 };

typedef struct sim_solve_problem {
    int parameters;
    double centre[SIM_SOLVE_PARAMETERS_MAX]; /* p0 = exp(z0): of the prior, and where the search starts */
    double sd[SIM_SOLVE_PARAMETERS_MAX];     /* of z; 0: the parameter stays at its centre */
    double least[SIM_SOLVE_PARAMETERS_MAX], most[SIM_SOLVE_PARAMETERS_MAX]; /* of p */
    int64_t rows;
    const double *log_us; /* measured */
    /* Log times of all rows for parameters p. */
    void (*predict)(void *user, const double *p, double *log_us);
    void *user;
} sim_solve_problem;

typedef struct sim_solution {
    double p[SIM_SOLVE_PARAMETERS_MAX];
    /* Posterior sd of z over its prior sd: 1 when the rows say nothing, near 0 when they pin the parameter
     * down. The noise is taken as what the rows scatter about the law, at least 5%. 0 of parameters that
     * stay. */
    double shrink_frac[SIM_SOLVE_PARAMETERS_MAX];
    double cost; /* of the rows alone */
} sim_solution;

/* Deterministic. SIM_NO_MEMORY, or SIM_INTERNAL when GSL refuses (no parameter free is fine). */
sim_status sim_solve(const sim_solve_problem *problem, sim_arena *arena, sim_solution *out, sim_err *err);

#endif
