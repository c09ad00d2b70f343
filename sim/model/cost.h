/* The cost of a tiling, in the form the search needs: every term affine in tile counts and fold sums. */
#ifndef SIM_MODEL_COST_H
#define SIM_MODEL_COST_H

#include "model/energy.h"
#include "model/mapper.h"
#include "model/memory.h"

/* One GEMM on one arch: what does not depend on the tiling. */
typedef struct sim_problem {
    const sim_arch *arch;
    const sim_gemm *gemm;
    const sim_prices *prices;
    sim_capacity capacity;
    bool flat_rates;       /* run lengths do not matter */
    sim_dram_rates rates;  /* of long runs */
    double burst_bits;
} sim_problem;

/* A root of the search: a way with a stationary (innermost) loop. All terms are of `batch` products. */
typedef struct sim_root {
    const sim_way *way;
    int way_index;
    sim_dim stationary;
    double batch;
    double weight_bits, input_bits, partial_bits, first_read_bits, final_bits; /* DRAM streams, once */
    double energy_fixed, energy_per_count[SIM_DIMS], energy_per_fold[SIM_DIMS], energy_per_busy; /* pJ */
} sim_root;

void sim_problem_of(const sim_arch *arch, const sim_gemm *gemm, const sim_prices *prices, sim_problem *out);
void sim_root_of(const sim_problem *problem, const sim_way *way, int way_index, sim_dim stationary, sim_root *out);

/* sim_dram_rates_of(), shorter where every run is long. */
sim_dram_rates sim_rates_at(const sim_problem *problem, const int64_t tile[SIM_DIMS]);

/* The value at tile counts c and fold sums f. Monotone: never falls when a component of c, f or a factor of
 * `rates` grows. The bound of the search and the value of a tiling are this one expression. */
sim_map_value sim_value_at(const sim_problem *problem, const sim_root *root, const double c[SIM_DIMS],
                           const double f[SIM_DIMS], const sim_dram_rates *rates);

/* The value of given tiles, and their counts unless `counts` is NULL. */
sim_map_value sim_value_of(const sim_problem *problem, const sim_root *root, const int64_t tile[SIM_DIMS],
                           sim_counts *counts);

#endif
