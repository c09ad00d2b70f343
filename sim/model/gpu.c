#include "model/gpu.h"

#include <float.h>
#include <math.h>

/* ---- the device ---------------------------------------------------------------------------------- */

void sim_gpu_rates_of(const sim_arch *arch, sim_gpu_math math, double clock_mhz, sim_gpu_rates *out)
{
    const sim_gpu_device *gpu = &arch->gpu;
    double clock = clock_mhz > 0 ? clock_mhz : arch->clock_mhz;

    out->sms = (double)gpu->sms;
    out->flop_per_us = 2 * gpu->mac_per_cycle_sm[math] * (double)gpu->sms * clock;
    out->byte_per_us = arch->dram_bandwidth_gb_s * 1e3;
    out->l2_bytes = gpu->l2_mib * 1024 * 1024;
}

void sim_gpu_rates_for(const sim_arch *arch, const sim_gpu_kernel *kernel, sim_gpu_math math,
                       sim_gpu_rates *out)
{
    double clock = arch->clock_mhz;

    if (kernel->clock_mhz > 0 && arch->calibration && arch->calibration->arch_clock_mhz > 0)
        clock *= kernel->clock_mhz / arch->calibration->arch_clock_mhz;
    sim_gpu_rates_of(arch, math, clock, out);
}

/* ---- the law of GEMMs ---------------------------------------------------------------------------- */

static double tiles_along(int64_t extent, int tile)
{
    int64_t tiles = (extent - 1) / tile + 1;

    return (double)tiles;
}

/* Host and device overlap: whichever is longer, the corner rounded. */
static double floored(double floor_us, double us)
{
    double least, most;

    if (floor_us <= 0)
        return us;
    least = fmin(floor_us, us);
    most = fmax(floor_us, us);
    return most * pow(1 + pow(least / most, 8), 1.0 / 8);
}

double sim_gpu_waves(double x, double al)
{
    return x <= 1 ? 1 : (1 - al) * x + al * ceil(x);
}

double sim_gpu_cold_frac(double l2_bytes, double bytes)
{
    double held = bytes > 0 ? 0.5 * l2_bytes / bytes : 0;

    return 1 / (1 + held * held);
}

static double blend(double a, double b, double q)
{
    double longer = fmax(a, b);

    return longer > 0 ? longer * pow(1 + pow(fmin(a, b) / longer, q), 1 / q) : 0;
}

/* Bytes that no tiling avoids; activations as far as they are cold. */
static double compulsory_bytes(const sim_gpu_gemm *g)
{
    double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    double a_cold = g->a_cold_frac > 0 ? g->a_cold_frac : 1,
           out_cold = g->out_cold_frac > 0 ? g->out_cold_frac : 1;

    return (double)g->batch *
           (m * k * g->a_bytes * a_cold + n * g->w_bytes * k + m * n * g->out_bytes * out_cold);
}

/* Bytes read again because the tiles that run at once do not span the product, if L2 caught none. */
static double reread_bytes(const sim_gpu_gemm *g, double at_once, const sim_gpu_tile *tile, double mt,
                           double nt)
{
    double tm = tile->rows, tn = tile->cols, k = (double)g->k, batch = (double)g->batch;
    double gm = fmin(mt, fmax(sqrt(at_once * tn / tm), at_once / nt));
    double gn = fmax(fmin(nt, at_once / fmax(gm, 1)), 1);
    double waves = fmax(mt * nt / fmax(gm * gn, 1), 1);
    double read = batch * waves * (gm * tm * g->a_bytes + gn * tn * g->w_bytes) * k;
    double once = ((double)g->m * g->a_bytes + (double)g->n * g->w_bytes) * k * batch;

    return fmax(read - once, 0);
}

void sim_gpu_gemm_time(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, const sim_gpu_gemm *g,
                       sim_gpu_time *out)
{
    const double *p = kernel->parameter;
    double q = p[SIM_GPU_Q], lam = p[SIM_GPU_LAM], al = p[SIM_GPU_AL], th = p[SIM_GPU_TH];
    double m = (double)g->m, n = (double)g->n, k = (double)g->k, batch = (double)g->batch;
    double one_sm = rates->flop_per_us / rates->sms;
    double burst = p[SIM_GPU_ES] * (1 + lam) * (1 + th); /* of a 128x128 tile, before the clock sinks */
    double operands = (m * g->a_bytes + n * g->w_bytes) * k;
    double compulsory = compulsory_bytes(g);
    double in_l2 = 0.5 * rates->l2_bytes / operands;
    double missed_frac = operands > 0 ? 1 / (1 + in_l2 * in_l2) : 0; /* of the re-reads */

    *out = (sim_gpu_time){.us = DBL_MAX};
    for (int i = 0; i < kernel->tile_count; i++) {
        const sim_gpu_tile *tile = &kernel->tiles[i];
        double tm = tile->rows, tn = tile->cols;
        double mt = tiles_along(g->m, tile->rows), nt = tiles_along(g->n, tile->cols);
        double rate = one_sm * (burst / (1 + lam * (64 / tm + 64 / tn)));
        int resident = 32768 / (tile->rows * tile->cols);
        double bytes, memory_us;

        if (resident < kernel->occupancy_least)
            resident = kernel->occupancy_least;
        if (resident > kernel->occupancy_most)
            resident = kernel->occupancy_most;
        bytes = compulsory + reread_bytes(g, rates->sms * resident, tile, mt, nt) * missed_frac;
        memory_us = bytes / (rates->byte_per_us * p[SIM_GPU_EM]);

        for (int split = 1; split <= 4; split *= 2) {
            double blocks = mt * nt * batch * split, x = blocks / rates->sms;
            double waves, depth, compute_us, longer, us;

            if (split > 1 && (k / split < 128 || blocks > 16 * rates->sms))
                break; /* a larger split is no nearer */
            waves = sim_gpu_waves(x, al);
            depth = ceil(k / ((double)split * (double)kernel->k_step)) * (double)kernel->k_step;
            depth += p[SIM_GPU_K0];
            compute_us = waves * 2 * tm * tn * depth / rate;
            if (g->dequantized)
                compute_us += waves * 2 * tn * depth * kernel->dequant_frac / one_sm;
            if (g->widened_a)
                compute_us += waves * 2 * tm * depth * kernel->dequant_frac / one_sm;
            compute_us *= 1 + th * compute_us / (compute_us + kernel->tau_us);
            longer = fmax(compute_us, memory_us);
            us = p[SIM_GPU_C];
            if (split > 1)
                us += split * m * n * batch * 8 * p[SIM_GPU_RR] / rates->byte_per_us;
            if (us + longer >= out->us)
                continue; /* the blend is never below its longer part */
            us += blend(compute_us, memory_us, q);
            if (us < out->us)
                *out = (sim_gpu_time){us, compute_us, memory_us, bytes, *tile, split};
        }
    }
    out->us = floored(kernel->floor_us, out->us);
}

void sim_gpu_head_time(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, double attention_es_frac,
                       const sim_gpu_gemm *g, sim_gpu_time *out)
{
    const double *p = kernel->parameter;
    double one_sm = rates->flop_per_us / rates->sms;
    double waves = sim_gpu_waves((double)g->batch / rates->sms, p[SIM_GPU_AL]);
    double bytes = compulsory_bytes(g);
    double compute_us = waves * 2 * (double)g->m * (double)g->n * (double)g->k / (one_sm * attention_es_frac);
    double memory_us = bytes / (rates->byte_per_us * p[SIM_GPU_EM]);

    *out = (sim_gpu_time){
        .us = floored(kernel->floor_us, p[SIM_GPU_C] + blend(compute_us, memory_us, p[SIM_GPU_Q])),
        .compute_us = compute_us,
        .memory_us = memory_us,
        .bytes = bytes,
        .split = 1};
}

/* ---- vector kernels ------------------------------------------------------------------------------ */

double sim_gpu_vector_us(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, int64_t rows,
                         int64_t row_elements, double bytes)
{
    double us = kernel->parameter[SIM_GPU_C] + bytes / (rates->byte_per_us * kernel->parameter[SIM_GPU_EM]);

    if (rows > 0)
        us += kernel->row_us * (double)row_elements;
    return floored(kernel->floor_us, us);
}

/* ---- residuals ----------------------------------------------------------------------------------- */

static int order_of(const sim_gpu_residual *r, int64_t n, int64_t k, int64_t m)
{
    if (r->n != n)
        return r->n < n ? -1 : 1;
    if (r->k != k)
        return r->k < k ? -1 : 1;
    return r->m < m ? -1 : r->m > m;
}

/* What shapes near one that was not measured leave: their mean weighted by distance in log n, log k and log
 * m, drawn to 0 as by one more shape right here without residual. Widths: held-out error on A100 and H100
 * linears (5.3 to 5.0% and 7.7 to 7.4%) hardly changes for half or twice of them. */
static double nearby(const sim_gpu_kernel *kernel, int64_t n, int64_t k, int64_t m)
{
    static const double weights_width = 0.4, m_width = 0.2; /* of logarithms */
    static const double reach = 3; /* widths beyond which a shape counts for nothing */
    const double far = exp(reach * weights_width);
    double sum = 0, weight = 1;

    for (int64_t i = 0; i < kernel->residual_count; i++) {
        const sim_gpu_residual *r = &kernel->residuals[i];
        double dn, dk, dm, w;

        if ((double)r->n > far * (double)n || (double)n > far * (double)r->n ||
            (double)r->k > far * (double)k || (double)k > far * (double)r->k)
            continue;
        dn = log((double)r->n / (double)n) / weights_width;
        dk = log((double)r->k / (double)k) / weights_width;
        dm = log((double)r->m / (double)m) / m_width;
        w = exp(-0.5 * (dn * dn + dk * dk + dm * dm));
        sum += w * r->log_ratio;
        weight += w;
    }
    return sum / weight;
}

double sim_gpu_residual_of(const sim_gpu_kernel *kernel, int64_t n, int64_t k, int64_t m)
{
    const sim_gpu_residual *all = kernel->residuals, *below = NULL, *above = NULL;
    int64_t low = 0, high = kernel->residual_count;
    double at, residual;

    while (low < high) { /* the first that is not below (n, k, m) */
        int64_t middle = low + (high - low) / 2;

        if (order_of(&all[middle], n, k, m) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < kernel->residual_count && all[low].n == n && all[low].k == k)
        above = &all[low];
    if (low > 0 && all[low - 1].n == n && all[low - 1].k == k)
        below = &all[low - 1];
    if (!above && !below)
        return kernel->residual_weight_frac * nearby(kernel, n, k, m);
    if (!above || !below || above->m == m) {
        residual = above ? above->log_ratio : below->log_ratio;
    } else {
        at = log((double)m / (double)below->m) / log((double)above->m / (double)below->m);
        residual = below->log_ratio + at * (above->log_ratio - below->log_ratio);
    }
    return kernel->residual_weight_frac * residual;
}
