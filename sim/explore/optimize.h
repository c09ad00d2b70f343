/* Spaces too large to enumerate: points near a Pareto front, by an evolutionary search.
 *
 * The first generation is spread evenly (a Sobol sequence), later ones are children of points on the front so
 * far: each dimension from one of two parents, which are taken rather where the front is thin, then moved to
 * a near value or to any. All that is priced is stored; the front itself is what `export --pareto` prints. A
 * function of the space and the seed alone, whatever the number of threads. */
#ifndef SIM_EXPLORE_OPTIMIZE_H
#define SIM_EXPLORE_OPTIMIZE_H

#include "explore/sweep.h"

enum { SIM_OPTIMIZE_GOALS_MAX = 4 };

typedef struct sim_optimize_goals {
    int count;                            /* at least 1 */
    int figure[SIM_OPTIMIZE_GOALS_MAX];   /* index into sim_sweep_figures */
    bool largest[SIM_OPTIMIZE_GOALS_MAX]; /* is best, not the least */
} sim_optimize_goals;

/* "latency_s,energy_j", "-tokens_per_s,area_mm2": figures of which the least is best, of those with a minus
 * the most. SIM_USAGE. */
sim_status sim_optimize_read_goals(const char *text, const char *option, sim_optimize_goals *out,
                                   sim_err *err);

/* Prices up to `evaluations` different points. *front: points on the front among them. */
sim_status sim_optimize_run(const sim_sweep *sweep, const sim_optimize_goals *goals, int64_t evaluations,
                            sim_store *store, const sim_sweep_listener *listener, sim_arena *arena,
                            sim_sweep_report *report, int64_t *front, sim_err *err);

#endif
