/* The threads of a sweep. Private to sweep*.c and optimize.c. */
#ifndef SIM_EXPLORE_SWEEP_RUN_H
#define SIM_EXPLORE_SWEEP_RUN_H

#include "explore/sweep_point.h"

/* Points that are named one by one, and who is told of each as it is stored, in this order. */
typedef struct sim_sweep_points {
    const int64_t *points;
    int64_t count;
    void (*priced)(void *user, const sim_point_row *row);
    void *user;
} sim_sweep_points;

/* Prices these points, stored ones too, and adds to *report. */
sim_status sim_sweep_run_points(const sim_sweep *sweep, const sim_sweep_points *points, sim_store *store,
                                const sim_sweep_listener *listener, sim_arena *arena,
                                sim_sweep_report *report, sim_err *err);

#endif
