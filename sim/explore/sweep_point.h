/* One point of a sweep: from its number to a row. Private to sweep*.c. */
#ifndef SIM_EXPLORE_SWEEP_POINT_H
#define SIM_EXPLORE_SWEEP_POINT_H

#include "explore/sweep.h"

enum { SIM_SWEEP_FIXED = 7 }; /* version, arch, workload, policy, objective, status, why */

typedef enum sim_point_status { SIM_POINT_OK, SIM_POINT_INFEASIBLE, SIM_POINT_EXCLUDED } sim_point_status;

typedef struct sim_point_row {
    int64_t point, id;
    sim_point_status status;
    const char *arch, *workload, *policy, *objective; /* live as long as the row's batch */
    char why[160];
    double figures[SIM_SWEEP_FIGURES];
    const sim_layer_result *layers; /* only where asked for */
    int64_t layer_count;
} sim_point_row;

/* Prepares points for one thread: keeps the arch, the workload and all that mapping found out from point to
 * point. */
typedef struct sim_point_worker sim_point_worker;

sim_point_worker *sim_point_worker_new(const sim_sweep *sweep, sim_err *err); /* NULL after an error */
void sim_point_worker_free(sim_point_worker *worker);

/* Sets point, id and the texts of `row`, which live in `arena`. An error of a file that is read for this
 * point (a setting that is no key, a value out of range) is an error of the sweep. */
sim_status sim_point_identify(sim_point_worker *worker, int64_t point, sim_arena *arena, sim_point_row *row,
                              sim_err *err);
/* Prices the point last identified. */
sim_status sim_point_price(sim_point_worker *worker, sim_arena *arena, sim_point_row *row, sim_err *err);

#endif
