/* Points as rows of a store. Private to sweep*.c. */
#ifndef SIM_EXPLORE_SWEEP_ROWS_H
#define SIM_EXPLORE_SWEEP_ROWS_H

#include "explore/sweep_point.h"

/* Opens the columns that rows of this sweep have. */
sim_status sim_sweep_open_columns(const sim_sweep *sweep, sim_store *store, sim_err *err);
/* Puts a row, and those of its layers. */
sim_status sim_sweep_put(const sim_sweep *sweep, sim_store *store, const sim_point_row *row, sim_err *err);

#endif
