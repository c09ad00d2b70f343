/* Systolic arrays with fixed-width PEs: weight-, output- and input-stationary.
 *
 * Map (rows, columns, streamed): WS (k, n, m), OS (m, n, k), IS (k, m, n). A fold occupies the R x C array
 * for T streamed steps; folds chain with the interval max(T, R), since R cycles load the next fold's
 * stationary operand (WS, IS) or drain the last one's results (OS). Cycles of a chain, checked against
 * independent Verilog (tests/rtl) and a PE-level simulation (tests/reference/pe_array.c):
 *   WS, IS   2R + C - 2 + sum over all folds but the last of max(T_f, R) + T_last
 *   OS       2R + C - 2 + T_first + sum over all folds but the first of max(T_f, R)
 * A weight port loads a WS fold in W = ceil(R*C*w_bits/port_bits) cycles instead of R (fewer, where several
 * narrow weights share a native word), and stretches the T of OS and IS, which stream weights, to
 * ceil(T*width*w_bits/port_bits). Equal arrays side by side work on different column folds of one product,
 * fed by the same rows.
 *
 * A convolution is the product of its expanded input (im2col), expanded on the way into the array: k runs
 * over kernel positions times channels, and an input element is read from the buffer for every kernel
 * position that uses it. Under `direct`, arrays with k along the rows (WS, IS) hold one kernel position at a
 * time, so that a fold covers channels alone and there are as many times more folds; OS streams k, and its
 * outputs stay in place from one kernel position to the next, so that both are the same to it. */
#include "base/err.h"
#include "model/backend.h"
#include "model/memory.h"

#include <stdio.h>

/* Which dimension lies along what. */
typedef struct placement {
    sim_dataflow dataflow;
    sim_dim rows, cols, streamed;
} placement;

static const placement placements[] = {
    {SIM_DATAFLOW_WS, SIM_K, SIM_N, SIM_M},
    {SIM_DATAFLOW_OS, SIM_M, SIM_N, SIM_K},
    {SIM_DATAFLOW_IS, SIM_K, SIM_M, SIM_N},
};

static int64_t all_cols(const sim_arch *arch)
{
    return arch->array_cols * arch->array_count;
}

/* Cycles to load a stationary fold of weights. */
static int64_t weight_load_cycles(const sim_arch *arch, const sim_gemm *gemm)
{
    if (arch->array_port_bits == 0)
        return arch->array_rows;
    return sim_ceil_div(arch->array_rows * arch->array_cols * gemm->w_bits, arch->array_port_bits);
}

/* Kernel positions that hold the array one after another, with k along its rows. */
static int64_t turns(const sim_gemm *gemm, const placement *place)
{
    return gemm->window.direct && place->rows == SIM_K ? sim_taps(gemm) : 1;
}

/* Steps of the array per element of dimension `d`: of k the kernel positions that a fold covers. */
static int64_t steps_per_element(const sim_gemm *gemm, const placement *place, sim_dim d)
{
    return d == SIM_K ? sim_taps(gemm) / turns(gemm, place) : 1;
}

static sim_fold side(const sim_gemm *gemm, const placement *place, sim_dim d, int64_t pes)
{
    return (sim_fold){SIM_FOLD_SIDE, steps_per_element(gemm, place, d), pes, 0};
}

/* Bits of weights that enter per step of the streamed dimension; 0 where none stream. */
static int64_t streamed_bits(const sim_arch *arch, const sim_gemm *gemm, const placement *place)
{
    if (place->dataflow == SIM_DATAFLOW_WS)
        return 0;
    return (place->dataflow == SIM_DATAFLOW_IS ? arch->array_rows : arch->array_cols) * gemm->w_bits;
}

/* Whether weights that stream come slower than the array could take them. */
static bool port_slows(const sim_arch *arch, const sim_gemm *gemm, const placement *place)
{
    return arch->array_port_bits > 0 && streamed_bits(arch, gemm, place) > arch->array_port_bits;
}

/* The streamed dimension: T steps, slowed by the port where weights stream, at least the interval. */
static sim_fold stream(const sim_arch *arch, const sim_gemm *gemm, const placement *place)
{
    sim_fold fold = {SIM_FOLD_STREAM, steps_per_element(gemm, place, place->streamed), 1, arch->array_rows};

    if (place->dataflow == SIM_DATAFLOW_WS)
        fold.least = weight_load_cycles(arch, gemm);
    if (port_slows(arch, gemm, place)) {
        fold.per_num *= streamed_bits(arch, gemm, place);
        fold.per_den = arch->array_port_bits;
    }
    return fold;
}

/* Accesses of the array to its buffers. Operands are read once for each fold that uses them, whatever the
 * number of arrays they are broadcast to; the stationary operand shifts through half of the rows on average.
 */
static void count_accesses(const sim_arch *arch, const sim_gemm *gemm, const placement *place, sim_way *way)
{
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N];
    double k = (double)gemm->extent[SIM_K] * (double)sim_taps(gemm);
    double weights = k * n * gemm->w_bits, inputs = m * k * gemm->a_bits, outputs = m * n * gemm->acc_bits;
    double shifts = (double)(arch->array_rows + 1) / 2;

    way->fixed.of[SIM_EVENT_MAC] = m * n * k;
    switch (way->dataflow) {
    case SIM_DATAFLOW_WS:
        way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] = inputs;
        way->per_tile[SIM_M].of[SIM_EVENT_WEIGHT_READ] = weights;
        way->per_tile[SIM_M].of[SIM_EVENT_REGISTER_BIT] = weights * shifts;
        break;
    case SIM_DATAFLOW_IS:
        way->per_fold[SIM_M].of[SIM_EVENT_WEIGHT_READ] = weights;
        way->per_tile[SIM_N].of[SIM_EVENT_INPUT_READ] = inputs;
        way->per_tile[SIM_N].of[SIM_EVENT_REGISTER_BIT] = inputs * shifts;
        break;
    default: /* OS */
        way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] = inputs;
        way->per_fold[SIM_M].of[SIM_EVENT_WEIGHT_READ] = weights;
        if (way->accumulates_in_array) {
            way->fixed.of[SIM_EVENT_OUTPUT_WRITE] = outputs;
            way->fixed.of[SIM_EVENT_REGISTER_BIT] = outputs * shifts;
        } else {
            way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_WRITE] = outputs;
            way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_READ] = outputs;
            way->per_tile[SIM_K].of[SIM_EVENT_REGISTER_BIT] = outputs * shifts;
            way->fixed.of[SIM_EVENT_OUTPUT_READ] = -outputs; /* nothing to add to the first time */
        }
        return;
    }
    way->per_fold[SIM_K].of[SIM_EVENT_OUTPUT_WRITE] = outputs * (double)turns(gemm, place);
    way->per_fold[SIM_K].of[SIM_EVENT_OUTPUT_READ] = outputs * (double)turns(gemm, place);
    way->fixed.of[SIM_EVENT_OUTPUT_READ] = -outputs;
}

/* Folds of the whole dimension `d`, one of the array's sides. */
static int64_t untiled_folds(const sim_arch *arch, const sim_gemm *gemm, const placement *place, sim_dim d)
{
    sim_fold fold = side(gemm, place, d, d == place->rows ? arch->array_rows : all_cols(arch));

    return sim_fold_of(&fold, gemm->extent[d]);
}

/* `serial` and `scalesim` cycles of one untiled product; 0 on overflow. */
static int64_t untiled_cycles(const sim_arch *arch, const sim_gemm *gemm, const placement *place)
{
    int64_t r = arch->array_rows, c = arch->array_cols, folds, each, total;
    sim_fold streamed = stream(arch, gemm, place);

    streamed.least = 0;
    each = 2 * r + c + sim_fold_of(&streamed, gemm->extent[place->streamed]) - 2;
    if (arch->array_timing == SIM_TIMING_SCALESIM)
        /* What SCALE-Sim reports without stalls: OS is R short per fold, and the total is an index. */
        each -= place->dataflow == SIM_DATAFLOW_OS ? r : 0;
    else if (place->dataflow == SIM_DATAFLOW_WS)
        each += weight_load_cycles(arch, gemm) - r;
    if (__builtin_mul_overflow(untiled_folds(arch, gemm, place, place->rows),
                               untiled_folds(arch, gemm, place, place->cols), &folds) ||
        __builtin_mul_overflow(folds, turns(gemm, place), &folds) ||
        __builtin_mul_overflow(folds, each, &total))
        return 0;
    return arch->array_timing == SIM_TIMING_SCALESIM ? total - 1 : total;
}

static void make_way(const sim_arch *arch, const sim_gemm *gemm, const placement *place, sim_way *way)
{
    *way = (sim_way){.dataflow = place->dataflow, .cycles_per_fold = (double)turns(gemm, place)};
    for (int d = 0; d < SIM_DIMS; d++)
        way->tile_max[d] = INT64_MAX;
    way->fold[place->rows] = side(gemm, place, place->rows, arch->array_rows);
    way->fold[place->cols] = side(gemm, place, place->cols, all_cols(arch));
    way->fold[place->streamed] = stream(arch, gemm, place);
}

static int systolic_ways(const sim_arch *arch, const sim_gemm *gemm, sim_way ways[SIM_WAYS_MAX])
{
    int count = 0;

    for (size_t p = 0; p < sizeof placements / sizeof *placements; p++) {
        const placement *place = &placements[p];
        sim_way *way = &ways[count];

        if (arch->array_dataflow != SIM_DATAFLOW_AUTO && arch->array_dataflow != (int)place->dataflow)
            continue;
        make_way(arch, gemm, place, way);
        count_accesses(arch, gemm, place, way);
        count++;
        if (arch->array_timing != SIM_TIMING_PIPELINED) {
            /* The untiled product's cycles, spread over its volume, whatever the tiles. */
            double volume = 1;

            for (int d = 0; d < SIM_DIMS; d++) {
                way->fold[d] = (sim_fold){SIM_FOLD_FLAT, 1, 1, 0};
                volume *= (double)gemm->extent[d];
            }
            way->cycles_per_fold = (double)untiled_cycles(arch, gemm, place) / volume;
            for (int d = 0; d < SIM_DIMS; d++) { /* accesses per fold of the untiled product */
                double folds =
                    d == (int)place->streamed ? 1 : (double)untiled_folds(arch, gemm, place, (sim_dim)d);

                for (int e = 0; e < SIM_EVENT_COUNT; e++)
                    way->per_fold[d].of[e] *= folds / (double)gemm->extent[d];
            }
        } else if (place->dataflow == SIM_DATAFLOW_OS) {
            /* With k innermost and an output tile of one fold, its k tiles accumulate in place. */
            sim_way *chained = &ways[count++];

            make_way(arch, gemm, place, chained);
            chained->accumulates_in_array = true;
            chained->fold[SIM_K].kind = SIM_FOLD_WHOLE;
            chained->tile_max[SIM_M] = arch->array_rows;
            chained->tile_max[SIM_N] = all_cols(arch);
            chained->innermost_only[SIM_K] = true;
            count_accesses(arch, gemm, place, chained);
        }
    }
    return count;
}

static sim_status overflow(sim_err *err)
{
    return sim_fail(err, SIM_OVERFLOW, NULL, 0, "compute cycles exceed 63 bits");
}

static sim_status systolic_compute(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                                   const sim_tiling *tiling, sim_compute *out, sim_err *err)
{
    const placement *place = placements;
    int64_t r = arch->array_rows, c = arch->array_cols, sum = gemm->batch;
    int64_t x, t, first, last, lead;
    sim_fold streamed;

    while (place->dataflow != way->dataflow)
        place++;
    out->port_limited = false;
    if (arch->array_timing != SIM_TIMING_PIPELINED) {
        int64_t one = untiled_cycles(arch, gemm, place);

        out->fill_cycles = 0;
        if (one <= 0 || __builtin_mul_overflow(one, gemm->batch, &out->cycles))
            return overflow(err);
        return SIM_OK;
    }

    if (__builtin_mul_overflow(sum, turns(gemm, place), &sum))
        return overflow(err);
    for (int d = 0; d < SIM_DIMS; d++) {
        int64_t folds = d == SIM_M ? sim_window_fold_sum(gemm, &way->fold[d], tiling->tile[d])
                                   : sim_fold_sum(&way->fold[d], gemm->extent[d], tiling->tile[d]);

        if (__builtin_mul_overflow(sum, folds, &sum))
            return overflow(err);
    }
    streamed = way->fold[place->streamed];
    x = gemm->extent[place->streamed];
    t = way->accumulates_in_array || tiling->tile[place->streamed] > x ? x : tiling->tile[place->streamed];
    first = sim_fold_of(&streamed, t);
    last = place->streamed == SIM_M ? sim_window_last(gemm, t) : x - (sim_ceil_div(x, t) - 1) * t;
    lead = place->dataflow == SIM_DATAFLOW_WS ? weight_load_cycles(arch, gemm) - r : 0;
    /* The chain's open end: WS and IS stop with the last fold's T, OS starts with the first fold's. */
    if (place->dataflow == SIM_DATAFLOW_OS)
        last = t;
    else
        first = sim_fold_of(&streamed, last);
    out->fill_cycles = lead + 2 * r + c - 2;
    out->cycles = sum - first + sim_ceil_div(last * streamed.per_num, streamed.per_den) + out->fill_cycles;
    out->port_limited = place->dataflow == SIM_DATAFLOW_WS
                            ? arch->array_port_bits > 0 && streamed.least > t
                            : port_slows(arch, gemm, place) && sim_fold_of(&streamed, t) > r;
    return SIM_OK;
}

static sim_status systolic_check(const sim_arch *arch, sim_err *err)
{
    (void)arch;
    (void)err;
    return SIM_OK;
}

static bool systolic_supports(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size)
{
    if (w.format == SIM_FORMAT_INT && a.format == SIM_FORMAT_INT && w.bits >= 1 && a.bits >= 1 &&
        w.bits <= arch->array_w_bits && a.bits <= arch->array_a_bits)
        return true;
    snprintf(why, why_size, "its PEs take integer weights of 1 to %d and activations of 1 to %d bits",
             (int)arch->array_w_bits, (int)arch->array_a_bits);
    return false;
}

static double systolic_peak(const sim_arch *arch, int w_bits, int a_bits)
{
    (void)w_bits; /* fewer bits than native save storage and port time, not MAC rate */
    (void)a_bits;
    return (double)(arch->array_rows * arch->array_cols * arch->array_count);
}

static void systolic_hardware(const sim_arch *arch, sim_hardware *out)
{
    *out = (sim_hardware){
        .pes = arch->array_rows * arch->array_cols * arch->array_count,
        .w_bits = (int)arch->array_w_bits,
        .a_bits = (int)arch->array_a_bits,
        .banks = {1, 1, 1},
    };
}

extern const sim_backend sim_backend_systolic;
const sim_backend sim_backend_systolic = {
    .name = "systolic",
    .summary = "systolic array of fixed-width integer PEs (ws, os, is), RTL-exact cycles",
    .check = systolic_check,
    .supports = systolic_supports,
    .ways = systolic_ways,
    .compute = systolic_compute,
    .peak_macs_per_cycle = systolic_peak,
    .hardware = systolic_hardware,
};
