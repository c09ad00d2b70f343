/* What every layer costs at every precision: the look-up table of a search for bits per layer. */
#ifndef SIM_EXPLORE_TABLE_H
#define SIM_EXPLORE_TABLE_H

#include "base/arena.h"
#include "explore/axes.h"
#include "model/types.h"

/* All (w, a, kv) of `axes`, w outermost, each axis rising; integers without groups. Layers of equal work are
 * priced once; everything lives in `arena`. SIM_OVERFLOW, SIM_NO_MEMORY; a layer that the machine cannot run
 * at some bits is a cell that is not possible, and no error. */
sim_status sim_table_of(const sim_arch *arch, const sim_workload *workload, const sim_axes *axes,
                        sim_objective objective, sim_arena *arena, sim_cost_table *out, sim_err *err);

#endif
