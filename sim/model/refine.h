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
 * tile being moved and computed in full. Positions of a convolution are cut into blocks of images, rows and
 * columns, the exponent of rows and columns being the same. By enumeration, under the same objectives. Under
 * mapper.latency = overlap operands stay on chip over several tiles (model/slabs.h); else one tile of each
 * operand is resident. False when not even the smallest tiles fit. */
bool sim_map_padded(const sim_problem *problem, sim_objective objective, sim_map_choice *out);

#endif
