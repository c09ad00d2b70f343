/* Operands that stay on chip over several tiles: the accounting of mapper.latency = overlap with padded
 * tiles.
 *
 * A product of equal tiles runs as three loops, over positions (m), output features (n) and input features
 * (k), in any order. Walking from the innermost loop outwards, what an operand keeps on chip, its slab, grows
 * by every loop that the operand depends on, as long as the slab fits the operand's buffer; a loop that it
 * does not depend on costs nothing while the slab still covers all loops inside, and otherwise moves the
 * operand once more for each of its steps. In a unified buffer a slab is one tile.
 *
 * Tiles fill whole folds of the array: weights are stored and moved with their kernel positions times
 * channels rounded up to the rows that work at once, outputs with their features rounded up to the columns.
 * Inputs are the block that a tile's windows span, gaps between windows included. Then
 *   cycles = max(compute + first slabs in + last slab out, bits / bandwidth), in whole cycles,
 * and neither compute nor transfer of one layer hides under another's. */
#ifndef SIM_MODEL_SLABS_H
#define SIM_MODEL_SLABS_H

#include "model/cost.h"

/* A product cut into equal tiles, and one way to run it. */
typedef struct sim_slab_problem {
    const sim_problem *problem; /* of the product as given: arch, prices and capacity count, the last in
                                   single words: of a plain product */
    sim_gemm gemm;              /* filled up to whole tiles; stored bits those of whole folds */
    const sim_way *way;
    int64_t tile[SIM_DIMS], count[SIM_DIMS];
    double elements[SIM_OPERAND_COUNT]; /* of a tile, as stored */
    double busy_cycles;                 /* of all `batch` products */
    sim_dram_rates rates;
} sim_slab_problem;

/* Whether tiles of so many elements of each operand fit their buffers, or the unified one together. */
bool sim_slab_fits(const sim_capacity *capacity, const double elements[SIM_OPERAND_COUNT]);

/* Prepares `gemm`, whose extents are multiples of the tile (of a convolution: whose images are the tiles).
 * False when a tile does not fit its buffer or an operand exceeds 62 bits. */
bool sim_slabs_of(const sim_problem *problem, const sim_gemm *gemm, const sim_way *way,
                  const int64_t tile[SIM_DIMS], sim_slab_problem *out);

/* Elements of the input that a tile of `positions` spans, per channel; gaps between windows included. */
double sim_slab_inputs(const sim_gemm *gemm, int64_t positions);

/* Cycles, traffic and energy under a loop order (outermost first); `pipeline` as reported. The energy takes
 * longer: it is left out when `counts` is NULL. */
void sim_slab_value(const sim_slab_problem *s, const sim_dim order[SIM_DIMS], sim_map_value *value,
                    sim_pipeline *pipeline, sim_counts *counts);

#endif
