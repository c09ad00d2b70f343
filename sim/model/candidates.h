/* Candidate tile sizes of one dimension: the few that an optimal tiling can need.
 *
 * A tile size t cuts an extent x into c = ceil(x/t) tiles with fold sum f (backend.h). For a cost that never
 * falls as c or f grows, t is superfluous if a smaller t has the same c and an f no larger: what is left is,
 * for each count, the smallest tile and every larger one that strictly lowers f. That is O(sqrt x) tiles
 * for the dimensions that arrays have.
 *
 * The positions of a convolution are cut along a chain of tiles instead (window.h): its candidates are those
 * of its stages, one after another, since a tile of a later stage holds more, and is cut into fewer, than any
 * of an earlier one. Their cost has a third ingredient, the overlap of what tiles read of the input. Within a
 * stage it is a function of the count, so that "the same count and no larger folds" still decides; along the
 * chain it never rises with the tile, nor does the count, so that the largest tile of a range bounds both. */
#ifndef SIM_MODEL_CANDIDATES_H
#define SIM_MODEL_CANDIDATES_H

#include "base/arena.h"
#include "model/window.h"

typedef struct sim_candidate {
    int64_t tile;
    double count, folds; /* c and f of this tile */
    double least_folds;  /* smallest f of this and all smaller candidates */
    int32_t lower;       /* index of the largest smaller candidate with a strictly smaller f; -1: none */
} sim_candidate;

/* What a table of a convolution's positions has besides; `dense` and `last` are then its stages'. */
typedef struct sim_candidate_chain {
    sim_window window;
    double *overlap; /* by candidate */
    struct sim_candidate_stage {
        int64_t unit;
        int32_t first;                      /* index of its first candidate */
        const struct sim_candidates *table; /* of its side; NULL: it adds no tile to the chain */
    } stage[SIM_WINDOW_STAGES];
} sim_candidate_chain;

typedef struct sim_candidates {
    int64_t extent;
    sim_fold fold;
    int64_t dense; /* every tile up to here is a candidate (index tile-1) */
    int32_t length;
    sim_candidate *at; /* by rising tile */
    int32_t *last;     /* last[c]: index of the largest candidate with count c, for c <= ceil(extent/dense) */
    const sim_candidate_chain *chain; /* NULL: no convolution's positions */
} sim_candidates;

/* Work space, reused from table to table: how many candidates there are is known only in the end.
 * Zero-initialise. */
typedef struct sim_candidate_scratch {
    sim_candidate *at;
    int64_t room;
} sim_candidate_scratch;

/* Tabulates all candidates of `extent` under `fold`. NULL: out of memory. */
const sim_candidates *sim_candidates_new(int64_t extent, const sim_fold *fold, sim_candidate_scratch *scratch,
                                         sim_arena *arena);

/* Tabulates all candidates of a convolution's positions. NULL: out of memory. */
const sim_candidates *sim_candidates_chain(const sim_gemm *gemm, const sim_fold *fold,
                                           sim_candidate_scratch *scratch, sim_arena *arena);

/* sim_candidates_floor() of a chain. */
int32_t sim_candidates_chain_floor(const sim_candidate_chain *chain, int64_t tile);

/* Index of the largest candidate of at most `tile` (1 or more), -1 for tile < 1. Not for chains. */
static inline int32_t sim_candidates_floor(const sim_candidates *table, int64_t tile)
{
    int32_t i;

    if (tile < 1)
        return -1;
    if (tile <= table->dense)
        return (int32_t)(tile - 1);
    if (tile >= table->extent)
        return table->length - 1;
    i = table->last[sim_ceil_div(table->extent, tile)];
    while (table->at[i].tile > tile)
        i--;
    return i;
}

#endif
