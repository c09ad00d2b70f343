#include "model/candidates.h"

#include <string.h>

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

/* A table under construction, in work space that grows as needed. */
typedef struct builder {
    sim_candidate_scratch *scratch;
    sim_arena *arena;
    const sim_fold *fold;
    int64_t extent, dense;
    int32_t length;
    bool failed; /* out of memory */
} builder;

static void add(builder *b, int64_t tile, int64_t count, int64_t folds)
{
    sim_candidate_scratch *s = b->scratch;

    if (b->length == s->room) {
        /* A side of a usual array has some 8 sqrt(x) candidates. */
        int64_t room = 2 * s->room > 8 * b->dense ? 2 * s->room : 8 * b->dense + 8;
        sim_candidate *grown = sim_arena_alloc(b->arena, (size_t)room, sizeof *grown);

        if (!grown) {
            b->failed = true;
            return;
        }
        if (b->length > 0)
            memcpy(grown, s->at, (size_t)b->length * sizeof *grown);
        s->at = grown;
        s->room = room;
    }
    s->at[b->length++] = (sim_candidate){.tile = tile, .count = (double)count, .folds = (double)folds};
}

/* The fold sum of tiles of t, c of them: sim_fold_sum() without its divisions where they are known. */
static int64_t folds_of(const builder *b, int64_t t, int64_t c)
{
    const sim_fold *fold = b->fold;
    int64_t ragged = b->extent - (c - 1) * t;

    if (fold->kind == SIM_FOLD_SIDE && fold->per_num == 1 && t <= fold->per_den)
        return c;
    if (fold->kind == SIM_FOLD_STREAM && fold->per_num == fold->per_den)
        return (c - 1) * (t > fold->least ? t : fold->least) + (ragged > fold->least ? ragged : fold->least);
    return sim_fold_sum(fold, b->extent, t);
}

/* A plain side of the array: granule PEs, one pass. Inside one count, f falls only through the ragged last
 * tile, and reaches its global minimum ceil(x/granule) at a multiple of the granule, so each step of
 * ceil(ragged/granule) is taken once and the walk ends at the first multiple. */
static void add_side(builder *b, int64_t c, int64_t first)
{
    int64_t x = b->extent, granule = b->fold->per_den;
    int64_t g = sim_ceil_div(first, granule);
    int64_t folds_last = sim_ceil_div(x - (c - 1) * first, granule);
    int64_t end, t = first;

    add(b, first, c, (c - 1) * g + folds_last);
    if (c == 1)
        return;
    end = g * granule;
    if (end > sim_ceil_div(x, c - 1) - 1)
        end = sim_ceil_div(x, c - 1) - 1;
    while (t < end && folds_last > 1) {
        t = sim_ceil_div(x - (folds_last - 1) * granule, c - 1);
        if (t > end)
            break;
        folds_last = sim_ceil_div(x - (c - 1) * t, granule);
        add(b, t, c, (c - 1) * g + folds_last);
    }
}

/* Any other fold: tiles of this count are looked at in turn, and kept when they lower f, until f is as low as
 * it can be: each of the c tiles takes `least` at least, and rounding up only adds. */
static void add_scanned(builder *b, int64_t c, int64_t first)
{
    const sim_fold *fold = b->fold;
    int64_t x = b->extent, end = c == 1 ? x : sim_ceil_div(x, c - 1) - 1;
    int64_t lowest = sim_ceil_div(x * fold->per_num, fold->per_den), folds = INT64_MAX;

    if (fold->kind == SIM_FOLD_STREAM && lowest < c * fold->least)
        lowest = c * fold->least;
    for (int64_t t = first; t <= end && folds > lowest; t++) {
        int64_t at = folds_of(b, t, c);

        if (at < folds) {
            add(b, t, c, at);
            folds = at;
        }
    }
}

/* Folds whose sum never falls inside one count: the smallest tile of each count is enough. Of whole steps per
 * element, what the ragged tile loses the others gain, or lie below the interval together with it. */
static bool smallest_is_enough(const sim_fold *fold)
{
    return fold->kind == SIM_FOLD_FLAT || fold->kind == SIM_FOLD_WHOLE || fold->per_num % fold->per_den == 0;
}

/* f's running minimum, and for each candidate the next larger-count one with a strictly smaller f. */
static void link_candidates(sim_candidate *all, int32_t length)
{
    for (int32_t i = 0; i < length; i++) {
        sim_candidate *at = &all[i];
        int32_t j = i - 1;

        at->least_folds = at->folds;
        if (i > 0 && all[i - 1].least_folds < at->folds)
            at->least_folds = all[i - 1].least_folds;
        while (j >= 0 && all[j].folds >= at->folds)
            j = all[j].lower;
        at->lower = j;
    }
}

const sim_candidates *sim_candidates_new(int64_t extent, const sim_fold *fold, sim_candidate_scratch *scratch,
                                         sim_arena *arena)
{
    sim_candidates *table = sim_arena_alloc(arena, 1, sizeof *table);
    int64_t dense = dense_end(extent);
    builder b = {.scratch = scratch, .arena = arena, .fold = fold, .extent = extent, .dense = dense};
    int64_t dense_count = sim_ceil_div(extent, dense);

    if (!table)
        return NULL;
    *table = (sim_candidates){.extent = extent, .fold = *fold, .dense = dense};
    table->last = sim_arena_alloc(arena, (size_t)dense_count + 1, sizeof *table->last);
    if (!table->last)
        return NULL;
    for (int64_t t = 1; t <= dense; t++) {
        int64_t c = sim_ceil_div(extent, t);

        add(&b, t, c, folds_of(&b, t, c));
    }
    for (int64_t c = dense_count; c >= 1; c--) {
        int64_t first = sim_ceil_div(extent, c);

        if (c ==
            dense_count) /* its smallest tile is dense; the rest of the count may still lower the folds */
            first = dense + 1;
        if (first <= extent && sim_ceil_div(extent, first) == c) {
            if (smallest_is_enough(fold)) {
                if (c != dense_count)
                    add(&b, first, c, folds_of(&b, first, c));
            } else if (fold->kind == SIM_FOLD_SIDE && fold->per_num == 1) {
                add_side(&b, c, first);
            } else {
                add_scanned(&b, c, first);
            }
        }
        table->last[c] = b.length - 1;
    }
    table->length = b.length;
    table->at = b.failed ? NULL : sim_arena_alloc(arena, (size_t)b.length, sizeof *table->at);
    if (!table->at)
        return NULL;
    link_candidates(scratch->at, b.length);
    memcpy(table->at, scratch->at, (size_t)b.length * sizeof *table->at);
    return table;
}

/* ---- positions of a convolution ----------------------------------------------------------------------- */

/* The fold of elements of `unit` positions each, in lowest terms. */
static sim_fold fold_per_element(const sim_fold *fold, int64_t unit)
{
    sim_fold scaled = *fold;
    int64_t divisor;

    if (fold->kind == SIM_FOLD_SIDE || fold->kind == SIM_FOLD_STREAM) {
        divisor = sim_gcd(fold->per_num * unit, fold->per_den);
        scaled.per_num = fold->per_num * unit / divisor;
        scaled.per_den = fold->per_den / divisor;
    }
    return scaled;
}

/* Appends the candidates of one stage; all of its side but the whole one, which is the next stage's first
 * tile, unless this is the last stage. */
static void append_stage(const sim_gemm *gemm, const sim_window_stage *stage, const sim_candidates *side,
                         bool last, sim_candidates *table, double *overlap)
{
    bool fixed = table->fold.kind == SIM_FOLD_FLAT || table->fold.kind == SIM_FOLD_WHOLE;
    double all_folds = (double)sim_fold_sum(&table->fold, table->extent, table->extent);

    for (int32_t i = 0; i < side->length - !last; i++) {
        const sim_candidate *from = &side->at[i];
        sim_candidate *to = &table->at[table->length];

        *to = (sim_candidate){.tile = from->tile * stage->unit,
                              .count = from->count * (double)stage->outer,
                              .folds = fixed ? all_folds : from->folds * (double)stage->outer};
        overlap[table->length++] = sim_window_overlap(gemm, to->tile);
    }
}

const sim_candidates *sim_candidates_chain(const sim_gemm *gemm, const sim_fold *fold,
                                           sim_candidate_scratch *scratch, sim_arena *arena)
{
    sim_candidates *table = sim_arena_alloc(arena, 1, sizeof *table);
    sim_candidate_chain *chain = sim_arena_alloc(arena, 1, sizeof *chain);
    sim_window_stage stages[SIM_WINDOW_STAGES];
    size_t room = 0;

    if (!table || !chain)
        return NULL;
    *table = (sim_candidates){.extent = gemm->extent[SIM_M], .fold = *fold, .chain = chain};
    *chain = (sim_candidate_chain){.window = gemm->window};
    sim_window_stages(gemm, stages);
    for (int s = 0; s < SIM_WINDOW_STAGES; s++) {
        sim_fold scaled = fold_per_element(fold, stages[s].unit);

        if (s < SIM_WINDOW_STAGES - 1 && stages[s].extent == 1)
            continue;
        chain->stage[s].table = sim_candidates_new(stages[s].extent, &scaled, scratch, arena);
        if (!chain->stage[s].table)
            return NULL;
        room += (size_t)chain->stage[s].table->length;
    }
    table->at = sim_arena_alloc(arena, room, sizeof *table->at);
    chain->overlap = sim_arena_alloc(arena, room, sizeof *chain->overlap);
    if (!table->at || !chain->overlap)
        return NULL;
    for (int s = 0; s < SIM_WINDOW_STAGES; s++) {
        chain->stage[s].unit = stages[s].unit;
        chain->stage[s].first = table->length;
        if (chain->stage[s].table)
            append_stage(gemm, &stages[s], chain->stage[s].table, s == SIM_WINDOW_STAGES - 1, table,
                         chain->overlap);
    }
    link_candidates(table->at, table->length);
    return table;
}

int32_t sim_candidates_chain_floor(const sim_candidate_chain *chain, int64_t tile)
{
    int s = SIM_WINDOW_STAGES - 1;

    if (tile < 1)
        return -1;
    while (!chain->stage[s].table || chain->stage[s].unit > tile)
        s--;
    return chain->stage[s].first + sim_candidates_floor(chain->stage[s].table, tile / chain->stage[s].unit);
}
