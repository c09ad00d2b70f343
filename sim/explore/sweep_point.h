/* One point of a sweep: from its number to a row. Private to sweep*.c. */
#ifndef SIM_EXPLORE_SWEEP_POINT_H
#define SIM_EXPLORE_SWEEP_POINT_H

#include "explore/sweep.h"

typedef enum sim_point_status { SIM_POINT_OK, SIM_POINT_INFEASIBLE, SIM_POINT_EXCLUDED } sim_point_status;

typedef struct sim_point_row {
    int64_t point;
    sim_store_key key;
    int64_t index[SIM_SPACE_AXES_MAX];
    sim_point_status status;
    const char *arch, *workload, *policy, *objective, *phase; /* live as long as the row's arena */
    int64_t w_bits, a_bits, kv_bits;                          /* of all layers; 0: they differ */
    const char *why;                                          /* it is infeasible; NULL: it is not */
    double figures[SIM_SWEEP_FIGURES];
    const sim_layer_result *layers; /* only where asked for */
    int64_t layer_count;
} sim_point_row;

void sim_sweep_figures_of(const sim_totals *totals, double out[SIM_SWEEP_FIGURES]);

/* Prices points for one thread. Keeps what neighbours share: the arch with all that mapping found out on it,
 * workloads with their blocks folded, policies. Memory stays bounded however many points there are. */
typedef struct sim_point_worker sim_point_worker;

sim_point_worker *sim_point_worker_new(const sim_sweep *sweep, sim_err *err); /* NULL after an error */
void sim_point_worker_free(sim_point_worker *worker);

/* Sets all of `row` but what pricing finds out; texts live in `arena`. A point whose files cannot be used
 * with its settings is infeasible (it has its reason then, and a key of its own); other errors are the
 * sweep's. */
sim_status sim_point_identify(sim_point_worker *worker, int64_t point, sim_arena *arena, sim_point_row *row,
                              sim_err *err);
/* Prices the point of `row`, which sim_point_identify() has set, whichever came in between. */
sim_status sim_point_price(sim_point_worker *worker, sim_arena *arena, sim_point_row *row, sim_err *err);

/* Reads the files of a point alone; what is wrong with them goes into `err`. */
sim_status sim_point_check(sim_point_worker *worker, int64_t point, sim_err *err);

#endif
