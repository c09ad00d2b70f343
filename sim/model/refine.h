/* From the best tiles to a mapping: loop order, and finer tiles where they hide more. */
#ifndef SIM_MODEL_REFINE_H
#define SIM_MODEL_REFINE_H

#include "model/cost.h"

/* The search minimises sums, and one big tile overlaps nothing: this subdivides the tiles of out->tiling as
 * long as the pipeline latency falls and the objective does not pay for it (balanced: energy within the
 * slack), orders the loops, and fills in value, counts and pipeline. `roots`: those of the chosen
 * way, by stationary loop. */
void sim_refine(const sim_problem *problem, const sim_root roots[SIM_DIMS], sim_dim stationary,
                sim_objective objective, sim_map_choice *out);

/* The mapper for mapper.tiles = pow2_padded: tiles that are powers of two or whole dimensions, a ragged last
 * tile being moved and computed in full. By enumeration, under the same objectives; a 1x1x1 tile must fit. */
void sim_map_padded(const sim_problem *problem, sim_objective objective, sim_map_choice *out);

#endif
