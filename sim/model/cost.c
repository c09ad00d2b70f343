#include "model/cost.h"

#include <string.h>

void sim_problem_of(const sim_arch *arch, const sim_gemm *gemm, const sim_prices *prices, sim_problem *out)
{
    const int64_t once[SIM_DIMS] = {1, 1, 1};
    double batch = (double)gemm->batch;
    sim_dram_rates rates;
    sim_traffic traffic;

    out->arch = arch;
    out->gemm = gemm;
    out->prices = prices;
    out->batch = batch;
    sim_capacity_of(arch, gemm, &out->capacity);
    sim_runs_of(arch, gemm, out->runs);
    sim_dram_rates_of(arch, gemm, gemm->extent, &rates);
    out->cycles_per_bit = rates.cycles_per_bit;
    out->turnaround = rates.turnaround;

    sim_traffic_of(arch, gemm, once, 1, SIM_K, &traffic);
    out->weight_once_bits = gemm->on_chip[SIM_OPERAND_WEIGHT] ? 0 : (double)gemm->w_once_bits * batch;
    out->weight_bits = traffic.weight_read * batch - out->weight_once_bits;
    out->input_bits = traffic.input_read * batch;
    out->first_read_bits = traffic.partial_read * batch;
    out->final_bits = traffic.final_write * batch;
    out->partial_bits =
        gemm->on_chip[SIM_OPERAND_OUTPUT]
            ? 0
            : (double)gemm->extent[SIM_M] * (double)gemm->extent[SIM_N] * gemm->acc_bits * batch;

    out->conv = sim_is_conv(gemm);
    out->input_pj = 0;
    if (out->conv) {
        sim_counts moved, per_tile[SIM_DIMS];
        sim_gemm input = *gemm;

        input.on_chip[SIM_OPERAND_WEIGHT] = input.on_chip[SIM_OPERAND_OUTPUT] = true;
        sim_memory_counts(arch, &input, 1, SIM_N, &moved, per_tile);
        out->input_pj = batch * sim_counts_pj(prices, &moved);
    }
    for (int s = 0; s < SIM_DIMS; s++) {
        sim_counts fixed, per_tile[SIM_DIMS];

        sim_memory_counts(arch, gemm, out->conv ? 0 : 1, (sim_dim)s, &fixed, per_tile);
        out->memory_fixed_pj[s] = batch * sim_counts_pj(prices, &fixed);
        for (int d = 0; d < SIM_DIMS; d++)
            out->memory_per_tile_pj[s][d] = batch * sim_counts_pj(prices, &per_tile[d]);
    }
}

void sim_roots_of(const sim_problem *p, const sim_way *way, int way_index, sim_root out[SIM_DIMS])
{
    double fixed = p->batch * sim_counts_pj(p->prices, &way->fixed);
    double per_busy = sim_counts_pj(p->prices, &way->per_cycle);

    for (int s = 0; s < SIM_DIMS; s++) {
        out[s].way = way;
        out[s].way_index = way_index;
        out[s].stationary = (sim_dim)s;
        out[s].busy_scale = way->cycles_per_fold * p->batch;
        out[s].energy_fixed_pj = p->memory_fixed_pj[s] + fixed;
        out[s].energy_per_busy_pj = per_busy;
    }
    for (int d = 0; d < SIM_DIMS; d++) {
        double per_tile = p->batch * sim_counts_pj(p->prices, &way->per_tile[d]);
        double per_fold = p->batch * sim_counts_pj(p->prices, &way->per_fold[d]);

        for (int s = 0; s < SIM_DIMS; s++) {
            out[s].energy_per_tile_pj[d] = p->memory_per_tile_pj[s][d] + per_tile;
            out[s].energy_per_fold_pj[d] = per_fold;
        }
    }
}

void sim_sums_of(const sim_problem *p, const sim_way *way, const int64_t tile[SIM_DIMS], sim_sums *out)
{
    for (int d = 0; d < SIM_DIMS; d++) {
        int64_t x = p->gemm->extent[d], t = tile[d] < x ? tile[d] : x, count;

        if (d == SIM_M && p->conv)
            continue;
        count = sim_ceil_div(x, t);
        out->count[d] = (double)count;
        out->folds[d] = (double)sim_fold_sum(&way->fold[d], x, t);
    }
    out->overlap = 1;
    if (p->conv) {
        out->count[SIM_M] = (double)sim_window_count(p->gemm, tile[SIM_M]);
        out->folds[SIM_M] = (double)sim_window_fold_sum(p->gemm, &way->fold[SIM_M], tile[SIM_M]);
        out->overlap = sim_window_overlap(p->gemm, tile[SIM_M]);
    }
}

sim_map_value sim_value_of(const sim_problem *p, const sim_root *r, const int64_t tile[SIM_DIMS])
{
    sim_sums sums;

    sim_sums_of(p, r->way, tile, &sums);
    return sim_value_at(p, r, &sums, p->conv);
}

void sim_counts_of(const sim_problem *p, const sim_root *r, const int64_t tile[SIM_DIMS], sim_counts *out)
{
    sim_counts memory, per_tile[SIM_DIMS];
    sim_sums sums;
    double busy;

    sim_sums_of(p, r->way, tile, &sums);
    busy = r->busy_scale * sums.folds[SIM_M] * sums.folds[SIM_N] * sums.folds[SIM_K];
    sim_memory_counts(p->arch, p->gemm, sums.overlap, r->stationary, &memory, per_tile);
    for (int e = 0; e < SIM_EVENT_COUNT; e++) {
        double sum = memory.of[e] + r->way->fixed.of[e];

        for (int d = 0; d < SIM_DIMS; d++)
            sum += (per_tile[d].of[e] + r->way->per_tile[d].of[e]) * sums.count[d] +
                   r->way->per_fold[d].of[e] * sums.folds[d];
        out->of[e] = p->batch * sum + r->way->per_cycle.of[e] * busy;
    }
}

void sim_map_evaluate(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                      const int64_t tile[SIM_DIMS], sim_dim stationary, sim_map_value *value,
                      sim_counts *counts)
{
    sim_prices prices;
    sim_problem problem;
    sim_root roots[SIM_DIMS];

    sim_prices_of(arch, gemm->w_bits, gemm->a_bits, &prices);
    sim_problem_of(arch, gemm, &prices, &problem);
    sim_roots_of(&problem, way, 0, roots);
    *value = sim_value_of(&problem, &roots[stationary], tile);
    if (counts)
        sim_counts_of(&problem, &roots[stationary], tile, counts);
}
