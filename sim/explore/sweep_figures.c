/* The figures of a row, under the names that `run` prints them by. */
#include "explore/sweep_point.h"

#include <math.h>
#include <string.h>

const char *const sim_sweep_figures[SIM_SWEEP_FIGURES + 1] = {"macs",
                                                              "compute_cycles",
                                                              "cycles",
                                                              "latency_s",
                                                              "energy_j",
                                                              "power_w",
                                                              "dram_read_bytes",
                                                              "dram_write_bytes",
                                                              "weight_bytes",
                                                              "kv_cache_bytes",
                                                              "peak_memory_bytes",
                                                              "memory_fits",
                                                              "tokens_per_s",
                                                              "utilization_frac",
                                                              "area_mm2",
                                                              "energy_breakdown_j_mac",
                                                              "energy_breakdown_j_register",
                                                              "energy_breakdown_j_sram",
                                                              "energy_breakdown_j_dram",
                                                              "energy_breakdown_j_vector",
                                                              "energy_breakdown_j_static",
                                                              "energy_breakdown_j_link",
                                                              "link_bytes",
                                                              "steady_tokens_per_s",
                                                              "time_to_first_token_s",
                                                              "time_per_output_token_s",
                                                              "joules_per_token",
                                                              "peak_macs_per_s",
                                                              "dram_bandwidth_bytes_per_s",
                                                              NULL};

int sim_sweep_figure(const char *name)
{
    for (int i = 0; i < SIM_SWEEP_FIGURES; i++)
        if (strcmp(sim_sweep_figures[i], name) == 0)
            return i;
    return -1;
}

void sim_sweep_figures_of(const sim_totals *t, double out[SIM_SWEEP_FIGURES])
{
    const sim_energy *e = &t->energy;
    const double energy_j = sim_energy_total_j(e);
    const double all[SIM_SWEEP_FIGURES] = {(double)t->macs,
                                           (double)t->compute_cycles,
                                           (double)t->cycles,
                                           t->latency_s,
                                           energy_j,
                                           t->latency_s > 0 ? energy_j / t->latency_s : NAN,
                                           (double)t->dram_read_bytes,
                                           (double)t->dram_write_bytes,
                                           (double)t->weight_bytes,
                                           t->kv_cache_bytes >= 0 ? (double)t->kv_cache_bytes : NAN,
                                           (double)t->peak_memory_bytes,
                                           t->memory_fits,
                                           t->tokens_per_s,
                                           t->utilization_frac,
                                           t->area_mm2,
                                           e->mac_j,
                                           e->register_j,
                                           e->sram_j,
                                           e->dram_j,
                                           e->vector_j,
                                           e->static_j,
                                           e->link_j,
                                           (double)t->link_bytes,
                                           t->steady_tokens_per_s,
                                           t->time_to_first_token_s,
                                           t->time_per_output_token_s,
                                           t->joules_per_token,
                                           t->peak_macs_per_s,
                                           t->dram_bandwidth_bytes_per_s};

    memcpy(out, all, sizeof all);
}
