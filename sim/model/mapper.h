/* The exact mapper: tiles, loop order and dataflow of a GEMM, best over all integer tiles; of a convolution,
 * over all integer tiles of channels and the chain of tiles of positions (window.h).
 *
 * Every objective here never falls when a tile count, a fold sum or the overlap of inputs grows; that is the
 * only property the search relies on (see mapper.c for why each pruning is exact). */
#ifndef SIM_MODEL_MAPPER_H
#define SIM_MODEL_MAPPER_H

#include "base/arena.h"
#include "model/energy.h"
#include "model/memory.h"

/* Prices and candidate tables of one arch, kept for a run: equal dimensions are tabulated once. Owned by the
 * caller's arena; serves one arch only. */
typedef struct sim_map_cache sim_map_cache;
sim_map_cache *sim_map_cache_new(sim_arena *arena); /* NULL: out of memory */
/* Forgets the tables (the arena keeps their memory): for timing a cold search. */
void sim_map_cache_clear(sim_map_cache *cache);

/* The prices at these operand widths (1 to 32 bits), computed once. NULL: out of memory. */
const sim_prices *sim_map_prices(sim_map_cache *cache, const sim_arch *arch, int w_bits, int a_bits);

/* What the search minimises, of one product times batch:
 *   busy     = array busy cycles, transfer = DRAM cycles, span = max(busy, transfer)
 *   energy   = dynamic pJ + (static + background) pJ per cycle * span */
typedef struct sim_map_value {
    double busy_cycles, transfer_cycles, span_cycles, energy_pj, dram_bits;
} sim_map_value;

typedef struct sim_map_choice {
    sim_gemm gemm; /* what the tiles cover: padded under mapper.tiles = pow2_padded, else as given */
    int way;       /* index into the back end's ways */
    sim_way way_used;
    sim_tiling tiling;
    sim_map_value value;      /* of these tiles */
    sim_counts counts;        /* of all `batch` products, memory included */
    const sim_prices *prices; /* at the operands of the product; lives as long as the cache */
    sim_pipeline pipeline;    /* of all products */
    int64_t nodes;            /* boxes examined: the work of the search */
} sim_map_choice;

/* Errors: SIM_INFEASIBLE when not even a 1x1x1 tile and what it reads fit (the message names the buffer),
 * SIM_OVERFLOW when an extent, the input positions of a convolution or its k times kernel positions exceed
 * 2^40, SIM_NO_MEMORY. `name` is the layer's, for messages. */
sim_status sim_map(const sim_arch *arch, const sim_gemm *gemm, const char *name, sim_objective objective,
                   sim_map_cache *cache, sim_map_choice *out, sim_err *err);

/* The value of given tiles and stationarity: what the search compares. The oracle of the tests prices with
 * its own code. */
void sim_map_evaluate(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                      const int64_t tile[SIM_DIMS], sim_dim stationary, sim_map_value *value,
                      sim_counts *counts /* may be NULL */);

#endif
