/* The tile pipeline as events: one DRAM channel, one array, buffers that are single or double.
 *
 * The oracle of the pipeline's closed forms. Rules, and no formula:
 *   - The channel serves one transfer at a time, to its end, in the order in which they were asked for. At
 * one moment a load into a single buffer, which the array waits for, comes first, then stores, then loads
 * ahead.
 *   - Loads run one tile ahead: those of tile i + 1 into double buffers may begin when the computation of
 * tile i - 1 has ended, and those into single buffers, which tile i still uses, when that of tile i has.
 *   - Tile i computes when all its loads are done and the array is free. Its output needs a place: the output
 *     of the tile before must have been stored (single-buffered), or that of the second before (double).
 *   - Partial sums that come back are loaded one tile ahead whatever buffers the output has: they wait beside
 *     the output tile, as what the accumulators start from. */
#ifndef TESTS_REFERENCE_TILEPIPE_H
#define TESTS_REFERENCE_TILEPIPE_H

#include <stdbool.h>
#include <stdint.h>

enum { TILEPIPE_WEIGHT, TILEPIPE_INPUT, TILEPIPE_OUTPUT, TILEPIPE_OPERANDS };

typedef struct tilepipe_tile {
    double compute_cycles;
    double load_cycles[TILEPIPE_OPERANDS]; /* 0: resident already; OUTPUT: partial sums read back */
    double store_cycles; /* of the output tile when it leaves after this step; 0: it stays */
} tilepipe_tile;

typedef struct tilepipe_result {
    double cycles;    /* from the first load until the last store has ended */
    double last_idle; /* of the channel, while the last tile computes */
} tilepipe_result;

tilepipe_result tilepipe_run(const tilepipe_tile *tiles, int64_t count,
                             const bool double_buffered[TILEPIPE_OPERANDS]);

#endif
