/* The mapper for machines whose tiles are powers of two or whole dimensions. A ragged last tile is moved and
 * computed in full, so the cost is not affine in the tile counts: some thousand tilings are enumerated. */
#include "model/refine.h"

#include <math.h>
#include <string.h>

/* The k-th allowed tile of a dimension: 1, 2, 4, ... below x, then x itself; 0 beyond. */
static int64_t allowed_tile(int64_t x, int k)
{
    if (k > 0 && (INT64_C(1) << (k - 1)) >= x)
        return 0;
    return (INT64_C(1) << k) < x ? INT64_C(1) << k : x;
}

/* Stored bits of an operand that grows with both its dimensions; one division keeps whole bits whole. */
static int64_t grown_bits(int64_t bits, const int64_t from[SIM_DIMS], const int64_t to[SIM_DIMS], sim_dim a,
                          sim_dim b)
{
    return (int64_t)ceil((double)bits * ((double)to[a] * (double)to[b]) /
                         ((double)from[a] * (double)from[b]));
}

/* The product with every dimension filled up to whole tiles. */
static void pad(const sim_gemm *gemm, const int64_t tile[SIM_DIMS], sim_gemm *out)
{
    *out = *gemm;
    for (int d = 0; d < SIM_DIMS; d++)
        out->extent[d] = sim_ceil_div(gemm->extent[d], tile[d]) * tile[d];
    out->w_stored_bits = grown_bits(gemm->w_stored_bits, gemm->extent, out->extent, SIM_K, SIM_N);
    out->a_stored_bits = grown_bits(gemm->a_stored_bits, gemm->extent, out->extent, SIM_M, SIM_K);
    out->out_stored_bits = grown_bits(gemm->out_stored_bits, gemm->extent, out->extent, SIM_M, SIM_N);
}

/* An objective as a pair to compare lexicographically. */
static void rank(sim_objective objective, const sim_map_value *v, double *primary, double *tie)
{
    *primary = v->span_cycles;
    *tie = v->energy_pj;
    switch (objective) {
    case SIM_OBJECTIVE_ENERGY:
        *primary = v->energy_pj;
        *tie = v->span_cycles;
        break;
    case SIM_OBJECTIVE_EDP:
        *primary = v->energy_pj * v->span_cycles;
        break;
    case SIM_OBJECTIVE_DRAM:
        *primary = v->dram_bits;
        *tie = v->span_cycles;
        break;
    default:
        break;
    }
}

typedef struct padded_choice {
    bool found;
    double primary, tie;
    int64_t tile[SIM_DIMS];
    int way;
    sim_dim stationary;
} padded_choice;

static bool fits_way(const sim_way *way, const int64_t tile[SIM_DIMS], int stationary)
{
    const bool *only = way->innermost_only;

    for (int d = 0; d < SIM_DIMS; d++)
        if (tile[d] > way->tile_max[d])
            return false;
    return only[stationary] || !(only[SIM_M] || only[SIM_N] || only[SIM_K]);
}

static void try_tile(const sim_problem *p, const int64_t tile[SIM_DIMS], sim_objective objective,
                     double span_limit, padded_choice *best)
{
    sim_gemm gemm;
    sim_problem padded;
    sim_way ways[SIM_WAYS_MAX];
    int count;

    pad(p->gemm, tile, &gemm);
    count = p->arch->backend->ways(p->arch, &gemm, ways);
    sim_problem_of(p->arch, &gemm, p->prices, &padded);
    for (int w = 0; w < count; w++) {
        sim_root roots[SIM_DIMS];

        sim_roots_of(&padded, &ways[w], w, roots);
        for (int s = 0; s < SIM_DIMS; s++) {
            double primary, tie;
            sim_map_value v;

            if (!fits_way(&ways[w], tile, s))
                continue;
            v = sim_value_of(&padded, &roots[s], tile);
            rank(objective, &v, &primary, &tie);
            if (v.span_cycles > span_limit ||
                (best->found && (primary > best->primary || (primary == best->primary && tie >= best->tie))))
                continue;
            *best = (padded_choice){true, primary, tie, {0}, w, (sim_dim)s};
            memcpy(best->tile, tile, sizeof best->tile);
        }
    }
}

/* Offers every tiling of the objective whose span is within the limit. */
static void enumerate(const sim_problem *p, sim_objective objective, double span_limit, padded_choice *best)
{
    int64_t tile[SIM_DIMS];

    for (int i = 0; (tile[SIM_M] = allowed_tile(p->gemm->extent[SIM_M], i)) > 0; i++)
        for (int j = 0; (tile[SIM_N] = allowed_tile(p->gemm->extent[SIM_N], j)) > 0; j++)
            for (int l = 0; (tile[SIM_K] = allowed_tile(p->gemm->extent[SIM_K], l)) > 0; l++)
                if (sim_capacity_fits(&p->capacity, tile))
                    try_tile(p, tile, objective, span_limit, best);
}

void sim_map_padded(const sim_problem *p, sim_objective objective, sim_map_choice *out)
{
    padded_choice best = {0};
    double span_limit = INFINITY;
    sim_problem padded;
    sim_way ways[SIM_WAYS_MAX];
    sim_root roots[SIM_DIMS];

    if (objective == SIM_OBJECTIVE_BALANCED) { /* least span, then least energy within the slack */
        enumerate(p, SIM_OBJECTIVE_LATENCY, span_limit, &best);
        span_limit = best.primary * (1 + p->arch->mapper_slack_frac);
        best = (padded_choice){0};
    }
    enumerate(p, objective == SIM_OBJECTIVE_BALANCED ? SIM_OBJECTIVE_ENERGY : objective, span_limit, &best);

    pad(p->gemm, best.tile, &out->gemm);
    sim_problem_of(p->arch, &out->gemm, p->prices, &padded);
    p->arch->backend->ways(p->arch, &out->gemm, ways);
    out->way = best.way;
    out->way_used = ways[best.way];
    sim_roots_of(&padded, &out->way_used, best.way, roots);
    memcpy(out->tiling.tile, best.tile, sizeof best.tile);
    sim_refine(&padded, roots, best.stationary, objective, out);
}
