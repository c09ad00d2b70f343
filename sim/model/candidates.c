#include "model/candidates.h"

#include <string.h>

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The largest t with t(t-1) <= x: up to here every tile size has a count of its own. */
static int64_t dense_end(int64_t x)
{
    int64_t low = 1, high = 2;

    while (high <= x && (high - 1) <= x / high)
        high *= 2;
    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;

        if (mid - 1 <= x / mid)
            low = mid;
        else
            high = mid - 1;
    }
    return low < x ? low : x;
}

static void add(sim_candidates *table, int64_t tile, int64_t count, int64_t folds)
{
    sim_candidate *at = &table->at[table->length++];

    at->tile = tile;
    at->count = (double)count;
    at->folds = (double)folds;
}

/* A plain side of the array: granule PEs, one pass. Inside one count, f falls only through the ragged last
 * tile, and reaches its global minimum ceil(x/granule) at a multiple of the granule, so each step of
 * ceil(ragged/granule) is taken once and the walk ends at the first multiple. */
static void add_side(sim_candidates *table, int64_t x, int64_t c, int64_t first, int64_t granule)
{
    int64_t g = ceil_div(first, granule);
    int64_t folds_last = ceil_div(x - (c - 1) * first, granule);
    int64_t end = x, t = first;

    add(table, first, c, (c - 1) * g + folds_last);
    if (c == 1)
        return;
    end = g * granule;
    if (end > ceil_div(x, c - 1) - 1)
        end = ceil_div(x, c - 1) - 1;
    while (t < end && folds_last > 1) {
        t = ceil_div(x - (folds_last - 1) * granule, c - 1);
        if (t > end)
            break;
        folds_last = ceil_div(x - (c - 1) * t, granule);
        add(table, t, c, (c - 1) * g + folds_last);
    }
}

/* Any other fold: every tile of this count is looked at, and kept when it lowers f. */
static void add_scanned(sim_candidates *table, const sim_fold *fold, int64_t x, int64_t c, int64_t first)
{
    int64_t end = c == 1 ? x : ceil_div(x, c - 1) - 1;
    int64_t least = INT64_MAX;

    for (int64_t t = first; t <= end; t++) {
        int64_t folds = sim_fold_sum(fold, x, t);

        if (folds < least) {
            add(table, t, c, folds);
            least = folds;
        }
    }
}

/* Folds whose sum never falls inside one count: the smallest tile of each count is enough. */
static bool smallest_is_enough(const sim_fold *fold)
{
    return fold->kind == SIM_FOLD_FLAT || fold->kind == SIM_FOLD_WHOLE ||
           (fold->kind == SIM_FOLD_STREAM && fold->per_num == fold->per_den);
}

static int64_t most_candidates(const sim_fold *fold, int64_t x, int64_t dense)
{
    int64_t counts = ceil_div(x, dense);

    if (smallest_is_enough(fold))
        return dense + counts;
    if (fold->kind == SIM_FOLD_SIDE && fold->per_num == 1) {
        /* Beside the smallest, a count has at most one tile for each fold of its ragged tile, and at most
         * c - 1, since a step moves c - 1 tiles by granule / (c - 1) each. */
        int64_t most = dense;

        for (int64_t c = counts; c >= 1; c--) {
            int64_t steps = ceil_div(ceil_div(x, c), fold->per_den);

            most += 1 + (steps < c - 1 ? steps : c - 1);
        }
        return most;
    }
    return x;
}

/* f's running minimum, and for each candidate the next larger-count one with a strictly smaller f. */
static void link_candidates(sim_candidates *table)
{
    for (int32_t i = 0; i < table->length; i++) {
        sim_candidate *at = &table->at[i];
        int32_t j = i - 1;

        at->least_folds = at->folds;
        if (i > 0 && table->at[i - 1].least_folds < at->folds)
            at->least_folds = table->at[i - 1].least_folds;
        while (j >= 0 && table->at[j].folds >= at->folds)
            j = table->at[j].lower;
        at->lower = j;
    }
}

static bool make_room(sim_candidate_scratch *scratch, int64_t most, sim_arena *arena)
{
    if (scratch->room >= most)
        return true;
    scratch->at = sim_arena_alloc(arena, (size_t)most, sizeof *scratch->at);
    scratch->room = scratch->at ? most : 0;
    return scratch->at != NULL;
}

const sim_candidates *sim_candidates_new(int64_t extent, const sim_fold *fold, sim_candidate_scratch *scratch, sim_arena *arena)
{
    sim_candidates *table = sim_arena_alloc(arena, 1, sizeof *table);
    int64_t dense = dense_end(extent);
    int64_t counts;

    if (!table)
        return NULL;
    counts = ceil_div(extent, dense);
    *table = (sim_candidates){.extent = extent, .fold = *fold, .dense = dense};
    table->last = sim_arena_alloc(arena, (size_t)counts + 1, sizeof *table->last);
    if (!table->last || !make_room(scratch, most_candidates(fold, extent, dense), arena))
        return NULL;
    table->at = scratch->at;

    for (int64_t t = 1; t <= dense; t++)
        add(table, t, ceil_div(extent, t), sim_fold_sum(fold, extent, t));
    table->last[counts] = table->length - 1;
    for (int64_t c = counts; c >= 1; c--) {
        int64_t first = ceil_div(extent, c);

        if (first <= dense)
            first = dense + 1; /* the rest of the count that `dense` ends in */
        if (first <= extent && ceil_div(extent, first) == c) {
            if (smallest_is_enough(fold)) {
                /* Smaller tiles of the count that `dense` ends in are candidates already. */
                if (first > dense + 1 || ceil_div(extent, dense) != c)
                    add(table, first, c, sim_fold_sum(fold, extent, first));
            } else if (fold->kind == SIM_FOLD_SIDE && fold->per_num == 1) {
                add_side(table, extent, c, first, fold->per_den);
            } else {
                add_scanned(table, fold, extent, c, first);
            }
        }
        table->last[c] = table->length - 1;
    }
    link_candidates(table);
    table->at = sim_arena_alloc(arena, (size_t)table->length, sizeof *table->at);
    if (!table->at)
        return NULL;
    memcpy(table->at, scratch->at, (size_t)table->length * sizeof *table->at);
    return table;
}
