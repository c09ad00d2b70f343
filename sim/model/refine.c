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

/* Loop orders with `stationary` innermost: the two outer loops either way. */
static void order_loops(sim_dim stationary, bool swapped, sim_dim order[SIM_DIMS])
{
    sim_dim low = stationary == SIM_M ? SIM_N : SIM_M;
    sim_dim high = (sim_dim)(SIM_M + SIM_N + SIM_K - low - stationary);

    order[0] = swapped ? high : low;
    order[1] = swapped ? low : high;
    order[2] = stationary;
}

void sim_refine(const sim_problem *p, const sim_root *r, sim_objective objective, sim_map_choice *out)
{
    sim_tiling *best = &out->tiling, swapped;
    sim_map_value start;
    sim_pipeline other;

    for (int d = 0; d < SIM_DIMS; d++)
        if (best->tile[d] > p->gemm->extent[d])
            best->tile[d] = p->gemm->extent[d];
    order_loops(r->stationary, false, best->order);
    sim_pipeline_of(p->arch, p->gemm, r->way, best, &out->pipeline);
    start = out->value = sim_value_of(p, r, best->tile);

    while (p->arch->mapper_tiles == SIM_TILES_ANY && p->arch->mapper_latency == SIM_LATENCY_PIPELINE &&
           out->pipeline.cycles > start.span_cycles * close_enough) {
        sim_tiling finest = *best;
        sim_pipeline shortest = out->pipeline;
        sim_map_value value = out->value;

        for (int d = 0; d < SIM_DIMS; d++) {
            sim_tiling trial = *best;
            sim_map_value v;
            sim_pipeline pipeline;

            trial.tile[d] = halved(p, r, best->tile, (sim_dim)d);
            if (trial.tile[d] == 0)
                continue;
            v = sim_value_of(p, r, trial.tile);
            if (!affordable(objective, p->arch->mapper_slack_frac, &start, &v) ||
                v.span_cycles >= shortest.cycles)
                continue;
            sim_pipeline_of(p->arch, p->gemm, r->way, &trial, &pipeline);
            if (pipeline.cycles < shortest.cycles) {
                finest = trial;
                shortest = pipeline;
                value = v;
            }
        }
        if (shortest.cycles >= out->pipeline.cycles)
            break;
        *best = finest;
        out->pipeline = shortest;
        out->value = value;
    }

    swapped = *best;
    order_loops(r->stationary, true, swapped.order);
    sim_pipeline_of(p->arch, p->gemm, r->way, &swapped, &other);
    if (other.cycles < out->pipeline.cycles) {
        *best = swapped;
        out->pipeline = other;
    }

    {
        int64_t count[SIM_DIMS];

        for (int d = 0; d < SIM_DIMS; d++)
            count[d] = ceil_div(p->gemm->extent[d], best->tile[d]);
        sim_traffic_of(p->arch, p->gemm, count, r->stationary, &out->traffic);
    }
    sim_counts_of(p, r, best->tile, &out->counts);
}
