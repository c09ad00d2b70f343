#include "model/refine.h"

#include <math.h>
#include <string.h>

/* Latency this close to its lower bound is not worth another tile. */
static const double close_enough = 1.0005;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Half the tile, rounded up to whole folds of the array so that none is wasted; 0 when it cannot shrink. */
static int64_t halved(const sim_problem *p, const sim_root *r, const int64_t tile[SIM_DIMS], sim_dim d)
{
    const sim_fold *fold = &r->way->fold[d];
    int64_t x = p->gemm->extent[d], half = ceil_div(x, 2 * ceil_div(x, tile[d]));

    if (fold->kind == SIM_FOLD_SIDE)
        half = ceil_div(half * fold->per_num, fold->per_den) * fold->per_den / fold->per_num;
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

/* The best way to halve one tile: whichever dimension and innermost loop shorten the pipeline most. */
static bool halve_once(const sim_problem *p, const sim_root roots[SIM_DIMS], sim_objective objective,
                       const sim_map_value *start, const sim_root **root, sim_map_choice *out)
{
    const sim_tiling from = out->tiling;
    bool shorter = false;

    for (int d = 0; d < SIM_DIMS; d++) {
        sim_tiling trial = from;

        trial.tile[d] = halved(p, &roots[0], from.tile, (sim_dim)d);
        if (trial.tile[d] == 0)
            continue;
        for (int s = 0; s < SIM_DIMS; s++) {
            sim_map_value v;
            sim_pipeline pipeline;

            if (!may_be_innermost(roots[0].way, (sim_dim)s))
                continue;
            v = sim_value_of(p, &roots[s], trial.tile);
            if (v.span_cycles >= out->pipeline.cycles ||
                !affordable(objective, p->arch->mapper_slack_frac, start, &v))
                continue;
            order_loops((sim_dim)s, false, trial.order);
            sim_pipeline_of(p->arch, p->gemm, roots[s].way, &trial, &pipeline);
            if (pipeline.cycles >= out->pipeline.cycles)
                continue;
            out->tiling = trial;
            out->pipeline = pipeline;
            out->value = v;
            *root = &roots[s];
            shorter = true;
        }
    }
    return shorter;
}

void sim_refine(const sim_problem *p, const sim_root roots[SIM_DIMS], sim_dim stationary, sim_objective objective,
                sim_map_choice *out)
{
    const sim_root *root = &roots[stationary];
    int64_t count[SIM_DIMS];
    sim_map_value start;
    sim_tiling swapped;
    sim_pipeline other;

    for (int d = 0; d < SIM_DIMS; d++)
        if (out->tiling.tile[d] > p->gemm->extent[d])
            out->tiling.tile[d] = p->gemm->extent[d];
    order_loops(stationary, false, out->tiling.order);
    sim_pipeline_of(p->arch, p->gemm, root->way, &out->tiling, &out->pipeline);
    start = out->value = sim_value_of(p, root, out->tiling.tile);

    if (p->arch->mapper_tiles == SIM_TILES_ANY && p->arch->mapper_latency == SIM_LATENCY_PIPELINE)
        while (out->pipeline.cycles > start.span_cycles * close_enough)
            if (!halve_once(p, roots, objective, &start, &root, out))
                break;

    swapped = out->tiling;
    order_loops(root->stationary, true, swapped.order);
    sim_pipeline_of(p->arch, p->gemm, root->way, &swapped, &other);
    if (other.cycles < out->pipeline.cycles) {
        out->tiling = swapped;
        out->pipeline = other;
    }
    for (int d = 0; d < SIM_DIMS; d++)
        count[d] = ceil_div(p->gemm->extent[d], out->tiling.tile[d]);
    sim_traffic_of(p->arch, p->gemm, count, root->stationary, &out->traffic);
    sim_counts_of(p, root, out->tiling.tile, &out->counts);
}
