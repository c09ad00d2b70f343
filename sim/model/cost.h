/* The cost of a tiling, in the form the search needs: every term affine in tile counts and fold sums,
 * and in a convolution's overlap. */
#ifndef SIM_MODEL_COST_H
#define SIM_MODEL_COST_H

#include "model/energy.h"
#include "model/mapper.h"
#include "model/memory.h"

/* One GEMM on one arch: what does not depend on the tiling. DRAM and energy terms are of `batch` products. */
typedef struct sim_problem {
    const sim_arch *arch;
    const sim_gemm *gemm;
    const sim_prices *prices;
    sim_capacity capacity;
    double batch;
    sim_runs runs[SIM_STREAMS];
    double cycles_per_bit, turnaround; /* see sim_dram_rates */
    double weight_bits, weight_once_bits, input_bits, partial_bits, first_read_bits,
        final_bits;                                                           /* streams, once */
    double memory_fixed_pj[SIM_DIMS], memory_per_tile_pj[SIM_DIMS][SIM_DIMS]; /* by stationary loop */
    /* Of a convolution, whose input moves more than once per pass: it is left out of the two above. */
    bool conv;
    double input_pj; /* of the whole input, once */
} sim_problem;

/* What a tiling adds up to: tile counts, fold sums, and the overlap of what tiles of M read. */
typedef struct sim_sums {
    double count[SIM_DIMS], folds[SIM_DIMS];
    double overlap; /* of a convolution; else not looked at */
} sim_sums;

/* A root of the search: a way with a stationary (innermost) loop. */
typedef struct sim_root {
    const sim_way *way;
    int way_index;
    sim_dim stationary;
    double busy_scale; /* cycles_per_fold * batch */
    double energy_fixed_pj, energy_per_tile_pj[SIM_DIMS], energy_per_fold_pj[SIM_DIMS], energy_per_busy_pj;
} sim_root;

void sim_problem_of(const sim_arch *arch, const sim_gemm *gemm, const sim_prices *prices, sim_problem *out);
/* Fills out[SIM_DIMS], one root for each stationary loop. */
void sim_roots_of(const sim_problem *problem, const sim_way *way, int way_index, sim_root out[SIM_DIMS]);

static inline double sim_run_factor(const sim_runs *runs, const double c[SIM_DIMS])
{
    double factor = runs->scale * c[runs->one];

    if (runs->other < SIM_DIMS)
        factor *= c[runs->other];
    return factor > 1 ? factor : 1;
}

/* The value of given sums; `conv` as in the problem. Monotone: never falls when one of the sums grows. The
 * bound of the search and the value of a tiling are this one expression. */
static inline sim_map_value sim_value_at(const sim_problem *p, const sim_root *r, const sim_sums *sums,
                                         bool conv)
{
    const double *c = sums->count, *f = sums->folds;
    double weight = p->weight_bits * (r->stationary == SIM_M ? 1 : c[SIM_M]) + p->weight_once_bits;
    double input_passes = (r->stationary == SIM_N ? 1 : c[SIM_N]) * (conv ? sums->overlap : 1);
    double input = p->input_bits * input_passes;
    double partial_write = p->partial_bits * (r->stationary == SIM_K ? 0 : c[SIM_K] - 1);
    double partial_read = partial_write + p->first_read_bits;
    double read = weight + input + partial_read, write = partial_write + p->final_bits;
    sim_map_value v;

    v.dram_bits = read + write;
    v.busy_cycles = r->busy_scale * f[SIM_M] * f[SIM_N] * f[SIM_K];
    v.transfer_cycles = p->cycles_per_bit * (weight * sim_run_factor(&p->runs[SIM_STREAM_WEIGHT], c) +
                                             input * sim_run_factor(&p->runs[SIM_STREAM_INPUT], c) +
                                             (partial_read + partial_write) *
                                                 sim_run_factor(&p->runs[SIM_STREAM_PARTIAL], c) +
                                             p->final_bits * sim_run_factor(&p->runs[SIM_STREAM_FINAL], c)) +
                        p->turnaround * (read < write ? read : write);
    v.span_cycles = v.busy_cycles > v.transfer_cycles ? v.busy_cycles : v.transfer_cycles;
    v.energy_pj =
        r->energy_fixed_pj + r->energy_per_busy_pj * v.busy_cycles + p->prices->pj_per_cycle * v.span_cycles;
    for (int d = 0; d < SIM_DIMS; d++)
        v.energy_pj += r->energy_per_tile_pj[d] * c[d] + r->energy_per_fold_pj[d] * f[d];
    if (conv)
        v.energy_pj += p->input_pj * input_passes;
    return v;
}

void sim_sums_of(const sim_problem *problem, const sim_way *way, const int64_t tile[SIM_DIMS], sim_sums *out);

/* The value of given tiles. */
sim_map_value sim_value_of(const sim_problem *problem, const sim_root *root, const int64_t tile[SIM_DIMS]);

/* Everything counted, of all `batch` products. */
void sim_counts_of(const sim_problem *problem, const sim_root *root, const int64_t tile[SIM_DIMS],
                   sim_counts *out);

#endif
