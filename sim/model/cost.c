#include "model/cost.h"

#include <math.h>
#include <string.h>

void sim_problem_of(const sim_arch *arch, const sim_gemm *gemm, const sim_prices *prices, sim_problem *out)
{
    memset(out, 0, sizeof *out);
    out->arch = arch;
    out->gemm = gemm;
    out->prices = prices;
    sim_capacity_of(arch, gemm, &out->capacity);
    out->flat_rates = arch->dram_efficiency_frac > 0;
    out->burst_bits = arch->dram.burst_bytes * 8;
    sim_dram_rates_of(arch, gemm, gemm->extent, &out->rates);
    out->rates.weight = out->rates.input = out->rates.partial = out->rates.final = 1;
}

sim_dram_rates sim_rates_at(const sim_problem *p, const int64_t tile[SIM_DIMS])
{
    sim_dram_rates rates = p->rates;
    double shortest; /* run of any operand, in elements, at most */
    const sim_gemm *g = p->gemm;
    int bits = g->w_bits < g->a_bits ? g->w_bits : g->a_bits;

    if (p->flat_rates)
        return rates;
    bits = g->out_bits < bits ? g->out_bits : bits;
    shortest = (double)(tile[SIM_K] < tile[SIM_N] ? tile[SIM_K] : tile[SIM_N]);
    if (shortest * bits < p->burst_bits)
        sim_dram_rates_of(p->arch, g, tile, &rates);
    return rates;
}

sim_map_value sim_value_at(const sim_problem *p, const sim_root *r, const double c[SIM_DIMS],
                           const double f[SIM_DIMS], const sim_dram_rates *rates)
{
    double passes_w = r->stationary == SIM_M ? 1 : c[SIM_M];
    double passes_a = r->stationary == SIM_N ? 1 : c[SIM_N];
    double spills = r->stationary == SIM_K ? 0 : c[SIM_K] - 1;
    sim_traffic traffic = {
        .weight_read = r->weight_bits * passes_w,
        .input_read = r->input_bits * passes_a,
        .partial_read = r->partial_bits * spills + r->first_read_bits,
        .partial_write = r->partial_bits * spills,
        .final_write = r->final_bits,
    };
    sim_map_value v;

    v.dram_bits = traffic.weight_read + traffic.input_read + traffic.partial_read + traffic.partial_write +
                  traffic.final_write;
    v.busy_cycles = r->way->cycles_per_fold * r->batch * f[SIM_M] * f[SIM_N] * f[SIM_K];
    v.transfer_cycles = sim_dram_cycles(rates, &traffic);
    v.span_cycles = fmax(v.busy_cycles, v.transfer_cycles);
    v.energy_pj = r->energy_fixed + r->energy_per_busy * v.busy_cycles + p->prices->pj_per_cycle * v.span_cycles;
    for (int d = 0; d < SIM_DIMS; d++)
        v.energy_pj += r->energy_per_count[d] * c[d] + r->energy_per_fold[d] * f[d];
    return v;
}

void sim_root_of(const sim_problem *p, const sim_way *way, int way_index, sim_dim stationary, sim_root *r)
{
    const sim_gemm *g = p->gemm;
    double batch = (double)g->batch;
    const int64_t once[SIM_DIMS] = {1, 1, 1};
    sim_counts fixed, per_tile[SIM_DIMS];
    sim_traffic traffic;

    memset(r, 0, sizeof *r);
    r->way = way;
    r->way_index = way_index;
    r->stationary = stationary;
    r->batch = batch;
    sim_traffic_of(p->arch, g, once, stationary, &traffic);
    r->weight_bits = traffic.weight_read * batch;
    r->input_bits = traffic.input_read * batch;
    r->first_read_bits = traffic.partial_read * batch;
    r->final_bits = traffic.final_write * batch;
    if (!g->on_chip[SIM_OPERAND_OUTPUT])
        r->partial_bits = (double)g->extent[SIM_M] * (double)g->extent[SIM_N] * g->acc_bits * batch;

    sim_memory_counts(p->arch, g, stationary, &fixed, per_tile);
    r->energy_fixed = batch * (sim_counts_pj(p->prices, &fixed) + sim_counts_pj(p->prices, &way->fixed));
    r->energy_per_busy = sim_counts_pj(p->prices, &way->per_cycle);
    for (int d = 0; d < SIM_DIMS; d++) {
        r->energy_per_count[d] =
            batch * (sim_counts_pj(p->prices, &per_tile[d]) + sim_counts_pj(p->prices, &way->per_tile[d]));
        r->energy_per_fold[d] = batch * sim_counts_pj(p->prices, &way->per_fold[d]);
    }
}

sim_map_value sim_value_of(const sim_problem *p, const sim_root *r, const int64_t tile[SIM_DIMS], sim_counts *counts)
{
    sim_dram_rates rates = sim_rates_at(p, tile);
    double c[SIM_DIMS], f[SIM_DIMS];
    sim_map_value value;

    for (int d = 0; d < SIM_DIMS; d++) {
        int64_t x = p->gemm->extent[d], t = tile[d] < x ? tile[d] : x;

        c[d] = (double)((x + t - 1) / t);
        f[d] = (double)sim_fold_sum(&r->way->fold[d], x, t);
    }
    value = sim_value_at(p, r, c, f, &rates);
    if (counts) {
        sim_counts memory, per_tile[SIM_DIMS];

        sim_memory_counts(p->arch, p->gemm, r->stationary, &memory, per_tile);
        for (int e = 0; e < SIM_EVENT_COUNT; e++) {
            double sum = memory.of[e] + r->way->fixed.of[e];

            for (int d = 0; d < SIM_DIMS; d++)
                sum += (per_tile[d].of[e] + r->way->per_tile[d].of[e]) * c[d] + r->way->per_fold[d].of[e] * f[d];
            counts->of[e] = r->batch * sum + r->way->per_cycle.of[e] * value.busy_cycles;
        }
    }
    return value;
}

void sim_map_evaluate(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way, const int64_t tile[SIM_DIMS],
                      sim_dim stationary, sim_map_value *value, sim_counts *counts)
{
    sim_prices prices;
    sim_problem problem;
    sim_root root;

    sim_prices_of(arch, gemm->w_bits, gemm->a_bits, &prices);
    sim_problem_of(arch, gemm, &prices, &problem);
    sim_root_of(&problem, way, 0, stationary, &root);
    *value = sim_value_of(&problem, &root, tile, counts);
}
