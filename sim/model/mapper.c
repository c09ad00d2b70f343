/* Exact tiling search by branch and bound.
 *
 * The space: all integer tiles with a ragged last one, all stationary loops, all ways of the back end. Every
 * quantity that an objective is made of (DRAM bits, busy and transfer cycles, counts) never falls when a tile
 * count c or a fold sum f grows, nor when a tile shrinks (shorter DRAM runs). That property alone makes
 * each step exact:
 *
 *   candidates   a tile left out of the tables has a smaller one with the same count and no larger folds
 *   stationarity the minimum over the innermost loop equals the minimum over all six loop orders: orders
 *                with the same innermost loop move the same words, unit loops included
 *   third loop   z, the dimension with most candidates, is not branched on: given the other two tiles, only
 *                its largest fitting candidate and the staircase of smaller ones with strictly falling
 *                folds can be best
 *   convolution  positions are cut along a chain of tiles on which, as on the integers, a larger tile holds
 *                more, reads more, and has no larger count; the overlap of what tiles read of the input,
 *                the one further quantity, falls with the count (candidates.h)
 *   bound        a box of (a, b) candidates cannot beat the cost at its largest tiles' counts, its smallest
 *                fold sums, and z's best under the room that its smallest tiles leave
 *
 * Bound and value are the same floating-point expression of component-wise no larger arguments, and IEEE
 * rounding is monotone, so no tolerance is needed. No time-outs, no randomness, strict improvement in a
 * fixed order: the answer is the same on every machine. */
#include "model/mapper.h"

#include "model/candidates.h"
#include "model/cost.h"
#include "model/refine.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- candidate tables, cached ------------------------------------------------------------------ */

enum { CACHE_SLOTS = 512 };

enum { MOST_BITS = 32 };

struct sim_map_cache {
    sim_arena *arena;
    const sim_prices *prices[MOST_BITS + 1][MOST_BITS + 1]; /* by w and a bits */
    sim_candidate_scratch scratch;
    int used;
    struct cached {
        int64_t extent;
        sim_fold fold;
        const sim_candidates *table; /* which knows its window */
    } slots[CACHE_SLOTS];            /* open addressing */
};

sim_map_cache *sim_map_cache_new(sim_arena *arena)
{
    sim_map_cache *cache = sim_arena_alloc(arena, 1, sizeof *cache);

    if (cache)
        cache->arena = arena;
    return cache;
}

void sim_map_cache_clear(sim_map_cache *cache)
{
    memset(cache->slots, 0, sizeof cache->slots);
    cache->used = 0;
}

const sim_prices *sim_map_prices(sim_map_cache *cache, const sim_arch *arch, int w_bits, int a_bits)
{
    const sim_prices **slot = &cache->prices[w_bits][a_bits];

    if (!*slot) {
        sim_prices *fresh = sim_arena_alloc(cache->arena, 1, sizeof *fresh);

        if (fresh)
            sim_prices_of(arch, w_bits, a_bits, fresh);
        *slot = fresh;
    }
    return *slot;
}

/* Whether a table is of this window; NULL: of no convolution's positions. */
static bool is_of_window(const sim_candidates *table, const sim_window *w)
{
    const sim_window *own = table->chain ? &table->chain->window : NULL;

    if (!own || !w)
        return own == w;
    return own->kernel_h == w->kernel_h && own->kernel_w == w->kernel_w && own->rows_out == w->rows_out &&
           own->cols_out == w->cols_out && own->stride == w->stride && own->pad_rows == w->pad_rows &&
           own->pad_cols == w->pad_cols;
}

/* The table of dimension `d`. The window belongs to M alone. */
static const sim_candidates *table_of(sim_map_cache *cache, const sim_gemm *gemm, sim_dim d,
                                      const sim_fold *fold)
{
    const sim_window *window = d == SIM_M && sim_is_conv(gemm) ? &gemm->window : NULL;
    int64_t extent = gemm->extent[d];
    uint64_t mix = (uint64_t)extent * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)fold->kind * 977 ^
                   (uint64_t)fold->per_num * 7919 ^ (uint64_t)fold->per_den * 104729 ^
                   (uint64_t)fold->least * 1299709;
    unsigned slot = (unsigned)((mix ^ mix >> 29) % CACHE_SLOTS);
    struct cached *at = &cache->slots[slot];

    for (; at->table; at = &cache->slots[slot]) {
        if (at->extent == extent && at->fold.kind == fold->kind && at->fold.per_num == fold->per_num &&
            at->fold.per_den == fold->per_den && at->fold.least == fold->least &&
            is_of_window(at->table, window))
            return at->table;
        slot = (slot + 1) % CACHE_SLOTS;
    }
    if (cache->used == CACHE_SLOTS * 3 / 4) { /* a run that meets more shapes than this starts over */
        sim_map_cache_clear(cache);
        at = &cache->slots[slot];
    }
    at->extent = extent;
    at->fold = *fold;
    at->table = window ? sim_candidates_chain(gemm, fold, &cache->scratch, cache->arena)
                       : sim_candidates_new(extent, fold, &cache->scratch, cache->arena);
    cache->used += at->table != NULL;
    return at->table;
}

/* ---- roots -------------------------------------------------------------------------------------- */

/* A root of the cost with its candidate tables. */
typedef struct root {
    sim_root cost;
    const sim_candidates *table[SIM_DIMS];
    sim_dim z, a, b;      /* eliminated, and branched on */
    int32_t a_end, b_end; /* last candidates that fit at all */
} root;

/* ---- objectives --------------------------------------------------------------------------------- */

typedef enum goal { GOAL_SPAN, GOAL_ENERGY, GOAL_EDP, GOAL_DRAM } goal;

static double score(goal g, const sim_map_value *v)
{
    switch (g) {
    case GOAL_SPAN:
        return v->span_cycles;
    case GOAL_ENERGY:
        return v->energy_pj;
    case GOAL_EDP:
        return v->energy_pj * v->span_cycles;
    default:
        return v->dram_bits;
    }
}

typedef struct search {
    const sim_problem *problem;
    goal goal;
    double span_limit, dram_limit; /* choices beyond are not admitted */
    bool found;
    double best;
    int64_t tile[SIM_DIMS];
    const root *root;
    sim_map_value value;
    int64_t nodes;
} search;

static bool admitted(const search *s, const sim_map_value *v)
{
    return v->span_cycles <= s->span_limit && v->dram_bits <= s->dram_limit;
}

static void offer(search *s, const root *r, const int64_t tile[SIM_DIMS], const sim_map_value *v)
{
    double at = score(s->goal, v);

    if (!admitted(s, v) || (s->found && at >= s->best))
        return;
    s->found = true;
    s->best = at;
    s->root = r;
    s->value = *v;
    memcpy(s->tile, tile, sizeof s->tile);
}

/* ---- branch and bound --------------------------------------------------------------------------- */

typedef struct box {
    int32_t a0, a1, b0, b1; /* candidate ranges, inclusive */
    int32_t z;              /* largest candidate of z beside the smallest tiles of the box; -1: none */
    double bound;
} box;

static int32_t largest_fit_of_conv(const search *s, const root *r, sim_dim d, const int64_t tile[SIM_DIMS])
{
    int64_t room = sim_conv_room(&s->problem->capacity, d, tile);

    if (room > r->cost.way->tile_max[d])
        room = r->cost.way->tile_max[d];
    return r->table[d]->chain ? sim_candidates_chain_floor(r->table[d]->chain, room)
                              : sim_candidates_floor(r->table[d], room);
}

static inline int32_t largest_fit(const search *s, const root *r, sim_dim d, const int64_t tile[SIM_DIMS])
{
    int64_t room;

    if (s->problem->conv)
        return largest_fit_of_conv(s, r, d, tile);
    room = sim_gemm_room(&s->problem->capacity, d, tile);
    return sim_candidates_floor(r->table[d],
                                room < r->cost.way->tile_max[d] ? room : r->cost.way->tile_max[d]);
}

/* Recomputes what depends on the box's smallest tiles: z's room, and where the range of the dimension that
 * was not cut ends (`cut` is the other one, or SIM_DIMS for a whole box); false when nothing fits. */
static bool clip_box(const search *s, const root *r, box *x, sim_dim cut)
{
    int64_t tile[SIM_DIMS];
    int32_t end;

    tile[r->a] = r->table[r->a]->at[x->a0].tile;
    tile[r->b] = r->table[r->b]->at[x->b0].tile;
    tile[r->z] = 1;
    x->z = largest_fit(s, r, r->z, tile);
    if (x->z < 0)
        return false;
    if (cut != r->a && x->a1 > x->a0) {
        end = largest_fit(s, r, r->a, tile);
        x->a1 = end < x->a1 ? end : x->a1;
    }
    if (cut != r->b && x->b1 > x->b0) {
        end = largest_fit(s, r, r->b, tile);
        x->b1 = end < x->b1 ? end : x->b1;
    }
    return true;
}

/* The overlap of the largest tiles of a box, with candidate `z` of the third dimension. */
static double overlap_of(const root *r, const box *x, int32_t z)
{
    return r->table[SIM_M]->chain->overlap[r->z == SIM_M ? z : r->a == SIM_M ? x->a1 : x->b1];
}

/* Twice, for plain products and for convolutions: this is where the time of a search goes. */
static inline bool bound_box_as(search *s, const root *r, box *x, bool conv)
{
    const sim_candidate *a = r->table[r->a]->at, *b = r->table[r->b]->at, *z = &r->table[r->z]->at[x->z];
    sim_sums sums;
    sim_map_value v;

    s->nodes++;
    sums.count[r->a] = a[x->a1].count;
    sums.count[r->b] = b[x->b1].count;
    sums.count[r->z] = z->count;
    sums.folds[r->a] = x->a0 == x->a1 ? a[x->a1].folds : a[x->a1].least_folds;
    sums.folds[r->b] = x->b0 == x->b1 ? b[x->b1].folds : b[x->b1].least_folds;
    sums.folds[r->z] = z->least_folds;
    if (conv)
        sums.overlap = overlap_of(r, x, x->z);
    v = sim_value_at(s->problem, &r->cost, &sums, conv);
    x->bound = score(s->goal, &v);
    return admitted(s, &v) && !(s->found && x->bound >= s->best);
}

/* Sets the box's bound; false when nothing in it can be admitted or better. */
static bool bound_box(search *s, const root *r, box *x)
{
    return s->problem->conv ? bound_box_as(s, r, x, true) : bound_box_as(s, r, x, false);
}

/* Both tiles are given: the staircase of the third. */
static void try_pair(search *s, const root *r, const box *x)
{
    const sim_candidate *a = &r->table[r->a]->at[x->a0], *b = &r->table[r->b]->at[x->b0];
    int64_t tile[SIM_DIMS];
    sim_sums sums;

    tile[r->a] = a->tile;
    tile[r->b] = b->tile;
    sums.count[r->a] = a->count;
    sums.count[r->b] = b->count;
    sums.folds[r->a] = a->folds;
    sums.folds[r->b] = b->folds;
    for (int32_t z = x->z; z >= 0; z = r->table[r->z]->at[z].lower) {
        const sim_candidate *at = &r->table[r->z]->at[z];
        sim_map_value v;

        tile[r->z] = at->tile;
        sums.count[r->z] = at->count;
        sums.folds[r->z] = at->folds;
        if (s->problem->conv)
            sums.overlap = overlap_of(r, x, z);
        v = sim_value_at(s->problem, &r->cost, &sums, s->problem->conv);
        offer(s, r, tile, &v);
    }
}

enum { STACK = 2 * 64 + 2 }; /* a split halves one of two ranges of at most 2^31 */

/* The lower or upper half of a box, cut in the middle of dimension r->a or r->b. */
static bool half_of(search *s, const root *r, const box *x, sim_dim cut, bool upper, box *out)
{
    int32_t low = cut == r->a ? x->a0 : x->b0, high = cut == r->a ? x->a1 : x->b1;
    int32_t middle = low + (high - low) / 2;

    *out = *x;
    if (!upper)
        *(cut == r->a ? &out->a1 : &out->b1) = middle; /* its smallest tiles are those of x */
    else
        *(cut == r->a ? &out->a0 : &out->b0) = middle + 1;
    return (!upper || clip_box(s, r, out, cut)) && bound_box(s, r, out);
}

static void search_root(search *s, const root *r, const box *whole)
{
    box stack[STACK];
    int depth = 1;

    stack[0] = *whole;
    while (depth > 0) {
        box x = stack[--depth], half[2][2];
        bool live[2][2] = {{false, false}, {false, false}};
        double sum[2] = {-1, -1};
        int cut;

        if (s->found && x.bound >= s->best)
            continue;
        if (x.a0 == x.a1 && x.b0 == x.b1) {
            try_pair(s, r, &x);
            continue;
        }
        /* Cut along either dimension; keep the cut whose halves are bounded higher. */
        for (int d = 0; d < 2; d++) {
            if (d == 0 ? x.a0 == x.a1 : x.b0 == x.b1)
                continue;
            sum[d] = 0;
            for (int h = 0; h < 2; h++) {
                live[d][h] = half_of(s, r, &x, d == 0 ? r->a : r->b, h == 1, &half[d][h]);
                sum[d] += live[d][h] ? half[d][h].bound : (s->found ? s->best : DBL_MAX / 4);
            }
        }
        cut = sum[1] > sum[0];
        for (int turn = 0; turn < 2; turn++) { /* the worse half first, so that the better is on top */
            int worse = live[cut][1] && (!live[cut][0] || half[cut][1].bound >= half[cut][0].bound);
            int h = turn == 0 ? worse : !worse;

            if (live[cut][h])
                stack[depth++] = half[cut][h];
        }
    }
}

/* The box of everything; false when nothing in it can be admitted or better. */
static bool whole_box(search *s, const root *r, box *out)
{
    *out = (box){0, r->a_end, 0, r->b_end, -1, 0};
    return r->a_end >= 0 && r->b_end >= 0 && clip_box(s, r, out, SIM_DIMS) && bound_box(s, r, out);
}

static void sort_roots(search *s, const root *roots, int count, const root **sorted)
{
    double bound[SIM_WAYS_MAX * SIM_DIMS];

    for (int i = 0; i < count; i++) {
        box whole;
        double at = whole_box(s, &roots[i], &whole) ? whole.bound : INFINITY;
        int j;

        for (j = i; j > 0 && bound[j - 1] > at; j--) {
            bound[j] = bound[j - 1];
            sorted[j] = sorted[j - 1];
        }
        bound[j] = at;
        sorted[j] = &roots[i];
    }
}

/* One pass over all roots. `from`: an earlier pass whose choice is admitted to start with; NULL: none. */
static search pass(const sim_problem *p, const root *roots, int count, goal g, double span_limit,
                   double dram_limit, const search *from)
{
    search s = {.problem = p, .goal = g, .span_limit = span_limit, .dram_limit = dram_limit};
    const root *sorted[SIM_WAYS_MAX * SIM_DIMS];

    sort_roots(&s, roots, count, sorted);
    if (from)
        offer(&s, from->root, from->tile, &from->value);
    for (int i = 0; i < count; i++) {
        box whole;

        if (whole_box(&s, sorted[i], &whole))
            search_root(&s, sorted[i], &whole);
    }
    return s;
}

/* ---- setting up --------------------------------------------------------------------------------- */

static bool prepare_root(const sim_problem *p, root *r, sim_map_cache *cache)
{
    const int64_t ones[SIM_DIMS] = {1, 1, 1};
    const search fresh = {.problem = p};

    for (int d = 0; d < SIM_DIMS; d++) {
        r->table[d] = table_of(cache, p->gemm, (sim_dim)d, &r->cost.way->fold[d]);
        if (!r->table[d])
            return false;
    }
    r->z = SIM_M;
    for (int d = 1; d < SIM_DIMS; d++)
        if (r->table[d]->length > r->table[r->z]->length)
            r->z = (sim_dim)d;
    r->a = (sim_dim)((r->z + 1) % SIM_DIMS);
    r->b = (sim_dim)((r->z + 2) % SIM_DIMS);
    r->a_end = largest_fit(&fresh, r, r->a, ones);
    r->b_end = largest_fit(&fresh, r, r->b, ones);
    return true;
}

static sim_status nothing_fits(const sim_problem *p, const char *name, sim_err *err)
{
    const sim_arch *arch = p->arch;
    const sim_capacity *capacity = &p->capacity;
    const int64_t inputs = sim_window_inputs(p->gemm, 1); /* that one output position reads */
    sim_status status;

    for (int o = 0; o < SIM_OPERAND_COUNT && !capacity->unified; o++) {
        int64_t elements = o == SIM_OPERAND_INPUT ? inputs : 1;

        if (capacity->words[o] >= elements)
            continue;
        status = sim_fail(
            err, SIM_INFEASIBLE, arch->file, 0, "layer '%s': not even %s fits the %s buffer", name,
            capacity->conv && o != SIM_OPERAND_OUTPUT ? "one channel under the kernel" : "one element",
            sim_operand_names[o]);
        sim_hint(err, "%s takes %g bits%s; enlarge buffers.%s_kib",
                 capacity->conv && o != SIM_OPERAND_OUTPUT ? "it" : "an element",
                 (double)capacity->word[o] * (double)elements / 1024,
                 arch->double_buffered[o] ? ", double-buffered" : "", sim_operand_names[o]);
        return status;
    }
    status = sim_fail(err, SIM_INFEASIBLE, arch->file, 0,
                      "layer '%s': one element of each operand does not fit the unified buffer", name);
    sim_hint(err, "enlarge buffers.unified_kib");
    return status;
}

static const double no_limit = INFINITY;

/* Tables grow with the square root of an extent: a million entries here. */
static const int64_t largest_extent = INT64_C(1) << 40;

sim_status sim_map(const sim_arch *arch, const sim_gemm *gemm, const char *name, sim_objective objective,
                   sim_map_cache *cache, sim_map_choice *out, sim_err *err)
{
    const int64_t ones[SIM_DIMS] = {1, 1, 1};
    sim_problem p;
    sim_way ways[SIM_WAYS_MAX];
    root roots[SIM_WAYS_MAX * SIM_DIMS];
    int way_count, count = 0;
    sim_root refined[SIM_DIMS];
    search first = {0}, best;

    memset(out, 0, sizeof *out);
    for (int d = 0; d < SIM_DIMS; d++)
        if (gemm->extent[d] > largest_extent)
            return sim_fail(err, SIM_OVERFLOW, NULL, 0,
                            "layer '%s': %c = %lld is beyond what the mapper takes, 2^40", name, "mnk"[d],
                            (long long)gemm -> extent[d]);
    if (!sim_window_bounded(gemm, largest_extent))
        return sim_fail(err, SIM_OVERFLOW, NULL, 0,
                        "layer '%s': its input positions or its kernel positions times channels are beyond "
                        "what the mapper takes, 2^40",
                        name);
    way_count = arch->backend->ways(arch, gemm, ways);
    out->prices = sim_map_prices(cache, arch, gemm->w_bits, gemm->a_bits);
    if (!out->prices)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory while mapping layer '%s'", name);
    sim_problem_of(arch, gemm, out->prices, &p);
    if (!sim_capacity_fits(&p.capacity, ones))
        return nothing_fits(&p, name, err);
    if (arch->mapper_tiles == SIM_TILES_POW2_PADDED) {
        return sim_map_padded(&p, objective, out)
                   ? SIM_OK
                   : sim_fail(err, SIM_INFEASIBLE, arch->file, 0,
                              "layer '%s': not even the smallest padded tiles fit the buffers", name);
    }

    for (int w = 0; w < way_count; w++) {
        const bool *only = ways[w].innermost_only;
        bool any = !only[SIM_M] && !only[SIM_N] && !only[SIM_K], prepared = false;
        sim_root costs[SIM_DIMS];

        sim_roots_of(&p, &ways[w], w, costs);
        for (int s = 0; s < SIM_DIMS; s++) {
            if (!any && !only[s])
                continue;
            if (prepared) /* the tables are the way's */
                roots[count] = roots[count - 1];
            roots[count].cost = costs[s];
            if (!prepared && !prepare_root(&p, &roots[count], cache))
                return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory while mapping layer '%s'", name);
            prepared = true;
            count++;
        }
    }

    switch (objective) {
    case SIM_OBJECTIVE_DRAM: /* ties by latency */
        first = pass(&p, roots, count, GOAL_DRAM, no_limit, no_limit, NULL);
        best = pass(&p, roots, count, GOAL_SPAN, no_limit, first.best, &first);
        break;
    case SIM_OBJECTIVE_ENERGY:
        best = pass(&p, roots, count, GOAL_ENERGY, no_limit, no_limit, NULL);
        break;
    case SIM_OBJECTIVE_EDP:
        best = pass(&p, roots, count, GOAL_EDP, no_limit, no_limit, NULL);
        break;
    default: /* least span, then least energy within the slack (none for pure latency) */
        first = pass(&p, roots, count, GOAL_SPAN, no_limit, no_limit, NULL);
        best = pass(&p, roots, count, GOAL_ENERGY,
                    first.best * (objective == SIM_OBJECTIVE_LATENCY ? 1 : 1 + arch->mapper_slack_frac),
                    no_limit, &first);
        break;
    }
    if (!best.found) /* a 1x1x1 tile fits: only a price that is no number gets here */
        return sim_fail(err, SIM_INTERNAL, NULL, 0, "layer '%s': no tiling has a finite cost", name);
    out->gemm = *gemm;
    out->way = best.root->cost.way_index;
    out->way_used = *best.root->cost.way;
    out->value = best.value;
    out->nodes = first.nodes + best.nodes;
    memcpy(out->tiling.tile, best.tile, sizeof best.tile);
    sim_roots_of(&p, &out->way_used, out->way, refined);
    sim_refine(&p, refined, best.root->cost.stationary, objective, out);
    return SIM_OK;
}
