/* Prices: every count of every back end is priced here, by one table. */
#ifndef SIM_MODEL_ENERGY_H
#define SIM_MODEL_ENERGY_H

#include "model/backend.h"

/* pJ per event at a pair of operand widths, and the power drawn whether or not anything happens. */
typedef struct sim_prices {
    double pj[SIM_EVENT_COUNT];
    double static_w;          /* leakage of PEs, vector lanes and buffers */
    double dram_background_w; /* standby and refresh */
    double pj_per_cycle;      /* (static_w + dram_background_w) over one clock cycle */
} sim_prices;

void sim_prices_of(const sim_arch *arch, int w_bits, int a_bits, sim_prices *out);

/* Prices of a GPU's kernels in one math. On-chip movement is in mac_fj, and the standby power of the DRAM in
 * the board's static power: a moved bit costs what it adds to that. A vector operation is half a
 * multiply-accumulate of the fp32 lanes. */
void sim_gpu_prices_of(const sim_arch *arch, sim_gpu_math math, sim_prices *out);
/* In all of them, of an arch whose back end has kernels; nothing for others. */
void sim_gpu_prices_all(const sim_arch *arch, sim_prices out[SIM_GPU_MATHS]);

/* Energy of counts over a time. DRAM background goes into dram_j, leakage into static_j. */
void sim_energy_of(const sim_prices *prices, const sim_counts *counts, double latency_s, sim_energy *out);

/* Dynamic pJ of counts: the dot product. */
double sim_counts_pj(const sim_prices *prices, const sim_counts *counts);

/* SRAM table of a buffer: log-log interpolation over size, extrapolated with the slope of the last two
 * points. `size_bytes` > 0. Leakage and area likewise. */
void sim_sram_at(const sim_tech *tech, sim_operand buffer, double size_bytes, sim_sram_point *out);

/* Die area of PEs, buffers and vector unit, mm^2; NaN: unknown. */
double sim_area_mm2(const sim_arch *arch);

#endif
