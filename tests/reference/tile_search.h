/* The best tiles of a small GEMM by trying them all, priced by code of its own.
 *
 * The oracle of the mapper: every integer tile of every dimension (of a convolution's positions, every part
 * of a row, number of rows and number of images), every loop order and every way the back end offers. It
 * takes from the model only what is not the mapper's: the ways (model/backend.h), the prices of single events
 * (model/energy.h) and the rules of model/memory.h as they are written there. */
#ifndef TESTS_REFERENCE_TILE_SEARCH_H
#define TESTS_REFERENCE_TILE_SEARCH_H

#include "model/backend.h"
#include "model/energy.h"

/* What a mapping costs, all `batch` products together; as sim_map_value. */
typedef struct tile_value {
    double busy_cycles, transfer_cycles, span_cycles, energy_pj, dram_bits;
} tile_value;

typedef struct tile_search tile_search;

/* Ends the test program when memory runs out. */
tile_search *tile_search_new(const sim_arch *arch, const sim_gemm *gemm);
void tile_search_free(tile_search *search);

/* Whether tiles fit the buffers. */
bool tile_search_fits(const tile_search *search, const int64_t tile[SIM_DIMS]);
/* What a mapping costs whose innermost loop of more than one tile is `stationary` (any, when there is none).
 */
tile_value tile_search_value(const tile_search *search, int way, const int64_t tile[SIM_DIMS],
                             sim_dim stationary);
/* The same for a tiling with its order; false when the way does not allow it. */
bool tile_search_price(const tile_search *search, int way, const sim_tiling *tiling, tile_value *value);

/* Visits every mapping of these tiles: each way and loop order that is allowed, if the tiles fit. */
void tile_search_tile(const tile_search *search, const int64_t tile[SIM_DIMS],
                      void (*visit)(void *user, const tile_value *value), void *user);
/* Visits every mapping that fits and is allowed. */
void tile_search_all(const tile_search *search, void (*visit)(void *user, const tile_value *value),
                     void *user);

#endif
