#include "model/refine.h"

#include <math.h>
#include <string.h>

/* Latency this close to its lower bound is not worth another tile. */
static const double close_enough = 1.002;
/* This far from it, other tiles are worth a look. */
static const double worth_more = 1.02;

/* A tile of a dimension as the machine has it: of the chain, for positions of a convolution. */
static int64_t of_chain(const sim_problem *p, sim_dim d, int64_t tile)
{
    return p->conv && d == SIM_M ? sim_window_floor(p->gemm, tile) : tile;
}

/* The smallest tile that wastes no fold. */
static int64_t single_fold(const sim_problem *p, const sim_root *r, sim_dim d)
{
    const sim_fold *fold = &r->way->fold[d];
    int64_t tile = 1;

    if (fold->kind == SIM_FOLD_SIDE)
        tile = fold->per_den / fold->per_num;
    else if (fold->kind == SIM_FOLD_STREAM)
        tile = sim_ceil_div(fold->least * fold->per_den, fold->per_num);
    if (tile > r->way->tile_max[d])
        tile = r->way->tile_max[d];
    if (tile > p->gemm->extent[d])
        tile = p->gemm->extent[d];
    return tile < 1 ? 1 : of_chain(p, d, tile);
}

/* Half a tile of a convolution's positions: half of the side that it is cut along, or of the next smaller
 * side where it has one element of it. */
static int64_t half_of_positions(const sim_gemm *gemm, int64_t tile)
{
    sim_window_stage stages[SIM_WINDOW_STAGES];
    int s = sim_window_stages(gemm, stages) - 1;

    while (s > 0 && stages[s].unit >= tile)
        s--;
    tile = sim_ceil_div(stages[s].extent, 2 * sim_ceil_div(stages[s].extent, tile / stages[s].unit));
    return tile * stages[s].unit;
}

/* Half the tile, rounded up to whole folds of the array so that none is wasted; 0 when it cannot shrink. */
static int64_t halved(const sim_problem *p, const sim_root *r, const int64_t tile[SIM_DIMS], sim_dim d)
{
    const sim_fold *fold = &r->way->fold[d];
    int64_t x = p->gemm->extent[d], half, whole;

    if (p->conv && d == SIM_M)
        half = half_of_positions(p->gemm, tile[d]);
    else
        half = sim_ceil_div(x, 2 * sim_ceil_div(x, tile[d]));
    if (fold->kind == SIM_FOLD_SIDE) {
        whole = sim_ceil_div(half * fold->per_num, fold->per_den) * fold->per_den / fold->per_num;
        if (whole > half)
            half = of_chain(p, d, whole);
    }
    return half >= 1 && half < tile[d] ? half : 0;
}

/* What the objective may not exceed while the latency falls. */
static bool affordable(sim_objective objective, double slack_frac, const sim_map_value *start,
                       const sim_map_value *v)
{
    switch (objective) {
    case SIM_OBJECTIVE_LATENCY:
        return v->span_cycles <= start->span_cycles;
    case SIM_OBJECTIVE_ENERGY:
        return v->energy_pj <= start->energy_pj;
    case SIM_OBJECTIVE_EDP:
        return v->energy_pj * v->span_cycles <= start->energy_pj * start->span_cycles;
    case SIM_OBJECTIVE_DRAM:
        return v->dram_bits <= start->dram_bits && v->span_cycles <= start->span_cycles;
    default:
        return v->energy_pj <= start->energy_pj * (1 + slack_frac);
    }
}

static bool may_be_innermost(const sim_way *way, sim_dim d)
{
    const bool *only = way->innermost_only;

    return only[d] || !(only[SIM_M] || only[SIM_N] || only[SIM_K]);
}

/* Loop orders with `stationary` innermost: the two outer loops either way. */
static void order_loops(sim_dim stationary, bool swapped, sim_dim order[SIM_DIMS])
{
    sim_dim low = stationary == SIM_M ? SIM_N : SIM_M;
    sim_dim high = (sim_dim)(SIM_M + SIM_N + SIM_K - low - stationary);

    order[0] = swapped ? high : low;
    order[1] = swapped ? low : high;
    order[2] = stationary;
}

/* No pipeline is shorter: the sums, and everything computed behind the first tile's loads. */
static double shortest_possible(const sim_problem *p, const sim_map_value *v, const int64_t tile[SIM_DIMS])
{
    const int64_t *x = p->gemm->extent;
    double m = (double)tile[SIM_M] / (double)x[SIM_M], n = (double)tile[SIM_N] / (double)x[SIM_N];
    double k = (double)tile[SIM_K] / (double)x[SIM_K];
    double first_load = p->cycles_per_bit * (p->weight_bits * n * k + p->input_bits * m * k) / p->batch;

    return v->busy_cycles + first_load > v->span_cycles ? v->busy_cycles + first_load : v->span_cycles;
}

/* State of the descent: the best mapping so far, in `out`, and what it may cost. */
typedef struct descent {
    const sim_problem *problem;
    const sim_root *roots; /* by stationary loop */
    sim_objective objective;
    sim_map_value start;
    const sim_root *root; /* of the best mapping */
    sim_map_choice *out;
} descent;

/* Takes the tiles, under the innermost loop that suits them best, if the pipeline gets shorter. */
static bool try_tiles(descent *d, const int64_t tile[SIM_DIMS])
{
    const sim_problem *p = d->problem;
    int64_t loops[SIM_DIMS];
    sim_sums sums;
    bool shorter = false;

    sim_sums_of(p, d->roots[0].way, tile, &sums);
    for (int e = 0; e < SIM_DIMS; e++)
        loops[e] = tile[e] < p->gemm->extent[e] ? 2 : 1; /* or more */
    for (int s = 0; s < SIM_DIMS; s++) {
        sim_tiling trial;
        sim_map_value v;
        sim_pipeline pipeline;

        /* A loop that does not loop is innermost in name only: another order says the same. */
        if (!may_be_innermost(d->roots[0].way, (sim_dim)s) ||
            (loops[s] == 1 && loops[0] * loops[1] * loops[2] > 1))
            continue;
        v = sim_value_at(p, &d->roots[s], &sums, p->conv);
        if (shortest_possible(p, &v, tile) >= d->out->pipeline.cycles ||
            !affordable(d->objective, p->arch->mapper_slack_frac, &d->start, &v))
            continue;
        memcpy(trial.tile, tile, sizeof trial.tile);
        order_loops((sim_dim)s, false, trial.order);
        sim_pipeline_of(p->arch, p->gemm, d->roots[s].way, &trial, &pipeline);
        if (pipeline.cycles >= d->out->pipeline.cycles)
            continue;
        d->out->tiling = trial;
        d->out->pipeline = pipeline;
        d->out->value = v;
        d->root = &d->roots[s];
        shorter = true;
    }
    return shorter;
}

/* A tile that cuts a dimension (or side) into as many tiles, evenly. */
static int64_t even(int64_t extent, int64_t tile)
{
    return sim_ceil_div(extent, sim_ceil_div(extent, tile));
}

/* As many tiles of a dimension, evenly; of positions of a convolution, along the side that they are cut. */
static int64_t evened(const sim_problem *p, sim_dim d, int64_t tile)
{
    sim_window_stage stages[SIM_WINDOW_STAGES], *side;

    if (!p->conv || d != SIM_M)
        return even(p->gemm->extent[d], tile);
    side = &stages[sim_window_stages(p->gemm, stages) - 1];
    while (side->unit > tile)
        side--;
    return even(side->extent, tile / side->unit) * side->unit;
}

/* The largest tile of a dimension within `room`: evenly divided, and of whole folds where it covers any. */
static int64_t roomy(const sim_problem *p, const sim_root *r, sim_dim d, int64_t room)
{
    const sim_fold *fold = &r->way->fold[d];
    int64_t whole;

    if (room >= p->gemm->extent[d])
        return p->gemm->extent[d];
    if (fold->kind != SIM_FOLD_SIDE)
        return evened(p, d, room);
    whole = room * fold->per_num / fold->per_den * fold->per_den / fold->per_num;
    if (whole < 1)
        return of_chain(p, d, room);
    room = evened(p, d, whole);
    room = sim_ceil_div(room * fold->per_num, fold->per_den) * fold->per_den / fold->per_num;
    return of_chain(p, d, room < whole && room >= 1 ? room : whole);
}

/* Enlarges a tile to what fits beside the others; false when it does not grow. */
static bool grow(const descent *d, sim_dim e, int64_t tile[SIM_DIMS])
{
    const sim_problem *p = d->problem;
    int64_t room, most = d->roots[0].way->tile_max[e];

    if (tile[e] >= p->gemm->extent[e])
        return false;
    room = sim_capacity_room(&p->capacity, e, tile);
    if (room < 1)
        return false;
    room = roomy(p, &d->roots[0], e, room < most ? room : most);
    if (room <= tile[e])
        return false;
    tile[e] = room;
    return true;
}

/* One step down: halve a tile, alone or with the others grown into the room it leaves. */
static bool step_down(descent *d)
{
    const sim_tiling from = d->out->tiling;
    bool shorter = false;

    for (int e = 0; e < SIM_DIMS; e++) {
        int64_t tile[SIM_DIMS];
        bool grown = false;

        memcpy(tile, from.tile, sizeof tile);
        tile[e] = halved(d->problem, &d->roots[0], from.tile, (sim_dim)e);
        if (tile[e] == 0)
            continue;
        shorter |= try_tiles(d, tile);
        for (int other = 0; other < SIM_DIMS; other++)
            grown |= other != e && grow(d, (sim_dim)other, tile);
        shorter |= grown && try_tiles(d, tile);
    }
    return shorter;
}

/* Far from what has been found: single folds in all dimensions, then grown in each of the six orders. What
 * overlaps best is often such a corner, and no chain of halvings that each pay off leads there. */
static bool try_corners(descent *d)
{
    bool shorter = false;

    for (int first = 0; first < SIM_DIMS; first++)
        for (int second = 0; second < SIM_DIMS; second++) {
            int64_t tile[SIM_DIMS];

            if (first == second)
                continue;
            for (int e = 0; e < SIM_DIMS; e++)
                tile[e] = single_fold(d->problem, &d->roots[0], (sim_dim)e);
            if (!sim_capacity_fits(&d->problem->capacity, tile))
                return false;
            grow(d, (sim_dim)first, tile);
            shorter |= try_tiles(d, tile);
            grow(d, (sim_dim)second, tile);
            shorter |= try_tiles(d, tile);
            if (grow(d, (sim_dim)(SIM_M + SIM_N + SIM_K - first - second), tile))
                shorter |= try_tiles(d, tile);
        }
    return shorter;
}

static void descend(descent *d, double enough)
{
    while (d->out->pipeline.cycles > enough && step_down(d))
        ;
}

/* Takes tiles with their two outer loops the other way round, if the pipeline gets shorter. */
static void try_swapped(descent *d, const sim_root *root, const int64_t tile[SIM_DIMS],
                        const sim_map_value *value)
{
    const sim_problem *p = d->problem;
    sim_tiling swapped;
    sim_pipeline other;

    memcpy(swapped.tile, tile, sizeof swapped.tile);
    order_loops(root->stationary, true, swapped.order);
    sim_pipeline_of(p->arch, p->gemm, root->way, &swapped, &other);
    if (other.cycles >= d->out->pipeline.cycles)
        return;
    d->out->tiling = swapped;
    d->out->pipeline = other;
    d->out->value = *value;
    d->root = root;
}

void sim_refine(const sim_problem *p, const sim_root roots[SIM_DIMS], sim_dim stationary,
                sim_objective objective, sim_map_choice *out)
{
    descent d = {
        .problem = p, .roots = roots, .objective = objective, .root = &roots[stationary], .out = out};
    int64_t coarse[SIM_DIMS];

    for (int e = 0; e < SIM_DIMS; e++)
        if (out->tiling.tile[e] > p->gemm->extent[e])
            out->tiling.tile[e] = p->gemm->extent[e];
    order_loops(stationary, false, out->tiling.order);
    sim_pipeline_of(p->arch, p->gemm, d.root->way, &out->tiling, &out->pipeline);
    d.start = out->value = sim_value_of(p, d.root, out->tiling.tile);
    memcpy(coarse, out->tiling.tile, sizeof coarse);

    if (p->arch->mapper_tiles == SIM_TILES_ANY && p->arch->mapper_latency == SIM_LATENCY_PIPELINE &&
        out->pipeline.cycles > d.start.span_cycles * close_enough) {
        int64_t tile[SIM_DIMS];
        bool grown = false;

        memcpy(tile, out->tiling.tile, sizeof tile);
        for (int e = 0; e < SIM_DIMS; e++)
            grown |= grow(&d, (sim_dim)e, tile);
        if (grown)
            try_tiles(&d, tile);
        descend(&d, d.start.span_cycles * close_enough);
        if (out->pipeline.cycles > d.start.span_cycles * worth_more && try_corners(&d))
            descend(&d, d.start.span_cycles * close_enough);
    }

    try_swapped(&d, d.root, out->tiling.tile, &out->value);
    if (d.root != &roots[stationary] || memcmp(coarse, out->tiling.tile, sizeof coarse) != 0)
        try_swapped(&d, &roots[stationary], coarse, &d.start);
    sim_counts_of(p, d.root, out->tiling.tile, &out->counts);
}
