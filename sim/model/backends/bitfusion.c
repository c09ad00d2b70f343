/* Bit-composable arrays: fusion units built of 2-bit bricks (BitFusion, arXiv 1712.01507).
 *
 * A unit of largest width P (array.w_bits, array.a_bits) does floor(P/W) * floor(P/A) products per cycle, W
 * and A being the operand widths rounded up to 2, 4, 8 or 16; an operand wider than P takes ceil(W/P)
 * passes. Every unit is fed from its buffers each cycle, without a weight preload, so that m = 1 does not
 * starve it. Cycles of a product: m * ceil(n / columns) * ceil(k / (rows * products per unit and cycle)).
 * Inputs are shared along a row, each unit has its own slice of the weight buffer, and a column adds up its
 * products, one partial sum per output and tile of k. */
#include "base/err.h"
#include "model/backend.h"
#include "model/memory.h"

#include <stdio.h>

enum { WIDEST = 16 };

static int brick_width(int bits)
{
    int width = 2;

    while (width < bits)
        width *= 2;
    return width;
}

static int64_t gcd(int64_t a, int64_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* Products per unit and cycle as a fraction: `products` every `passes` cycles. */
static void unit_rate(const sim_arch *arch, int w_bits, int a_bits, int64_t *products, int64_t *passes)
{
    int64_t w = brick_width(w_bits), a = brick_width(a_bits);
    int64_t divisor;

    *products = *passes = 1;
    if (w <= arch->array_w_bits)
        *products *= arch->array_w_bits / w;
    else
        *passes *= sim_ceil_div(w, arch->array_w_bits);
    if (a <= arch->array_a_bits)
        *products *= arch->array_a_bits / a;
    else
        *passes *= sim_ceil_div(a, arch->array_a_bits);
    divisor = gcd(*products, *passes);
    *products /= divisor;
    *passes /= divisor;
}

static int64_t all_cols(const sim_arch *arch)
{
    return arch->array_cols * arch->array_count;
}

static int bitfusion_ways(const sim_arch *arch, const sim_gemm *gemm, sim_way ways[SIM_WAYS_MAX])
{
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N], k = (double)gemm->extent[SIM_K];
    double outputs = m * n * gemm->acc_bits;
    int64_t products, passes;
    sim_way *way = &ways[0];

    unit_rate(arch, gemm->w_bits, gemm->a_bits, &products, &passes);
    *way = (sim_way){.dataflow = SIM_DATAFLOW_STREAM, .cycles_per_fold = 1};
    for (int d = 0; d < SIM_DIMS; d++)
        way->tile_max[d] = INT64_MAX;
    way->fold[SIM_M] = (sim_fold){SIM_FOLD_FLAT, 1, 1, 0};
    way->fold[SIM_N] = (sim_fold){SIM_FOLD_SIDE, 1, all_cols(arch), 0};
    way->fold[SIM_K] = (sim_fold){SIM_FOLD_SIDE, passes, arch->array_rows * products, 0};
    if (way->fold[SIM_K].per_den % passes == 0) {
        way->fold[SIM_K].per_den /= passes;
        way->fold[SIM_K].per_num = 1;
    }

    way->per_cycle.of[SIM_EVENT_UNIT_CYCLE] = (double)(arch->array_rows * all_cols(arch));
    way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] = m * k * gemm->a_bits;
    way->fixed.of[SIM_EVENT_WEIGHT_READ] = m * n * k * gemm->w_bits;
    way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_WRITE] = outputs;
    way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_READ] = outputs;
    way->fixed.of[SIM_EVENT_OUTPUT_READ] = -outputs; /* nothing to add to the first time */
    return 1;
}

static sim_status bitfusion_compute(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                                    const sim_tiling *tiling, sim_compute *out, sim_err *err)
{
    (void)arch;
    *out = (sim_compute){.cycles = gemm->batch};
    for (int d = 0; d < SIM_DIMS; d++)
        if (__builtin_mul_overflow(out->cycles, sim_fold_sum(&way->fold[d], gemm->extent[d], tiling->tile[d]),
                                   &out->cycles))
            return sim_fail(err, SIM_OVERFLOW, NULL, 0, "compute cycles exceed 63 bits");
    return SIM_OK;
}

static bool power_of_two_width(int64_t bits)
{
    return bits == 2 || bits == 4 || bits == 8 || bits == 16;
}

static sim_status bitfusion_check(const sim_arch *arch, sim_err *err)
{
    sim_status status = SIM_OK;

    if (!power_of_two_width(arch->array_w_bits))
        status = sim_fail(err, SIM_BAD_INPUT, arch->file, 0,
                          "array.w_bits is %d; a fusion unit's largest width is 2, 4, 8 or 16 bits",
                          (int)arch->array_w_bits);
    if (!power_of_two_width(arch->array_a_bits))
        status = sim_fail(err, SIM_BAD_INPUT, arch->file, 0,
                          "array.a_bits is %d; a fusion unit's largest width is 2, 4, 8 or 16 bits",
                          (int)arch->array_a_bits);
    return status;
}

static bool bitfusion_supports(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size)
{
    (void)arch;
    if (w.format == SIM_FORMAT_INT && a.format == SIM_FORMAT_INT && w.bits >= 1 && a.bits >= 1 &&
        w.bits <= WIDEST && a.bits <= WIDEST)
        return true;
    snprintf(why, why_size, "its fusion units take integers of 1 to %d bits", WIDEST);
    return false;
}

static double bitfusion_peak(const sim_arch *arch, int w_bits, int a_bits)
{
    int64_t products, passes;

    unit_rate(arch, w_bits, a_bits, &products, &passes);
    return (double)(arch->array_rows * all_cols(arch) * products) / (double)passes;
}

static void bitfusion_hardware(const sim_arch *arch, sim_hardware *out)
{
    *out = (sim_hardware){
        .pes = arch->array_rows * all_cols(arch),
        .kind = SIM_PE_FUSION,
        .w_bits = (int)arch->array_w_bits,
        .a_bits = (int)arch->array_a_bits,
        .banks = {arch->array_rows * all_cols(arch), arch->array_rows, all_cols(arch)},
    };
}

extern const sim_backend sim_backend_bitfusion;
const sim_backend sim_backend_bitfusion = {
    .name = "bitfusion",
    .summary = "bit-composable array of fusion units: fewer bits are more products per cycle",
    .check = bitfusion_check,
    .supports = bitfusion_supports,
    .ways = bitfusion_ways,
    .compute = bitfusion_compute,
    .peak_macs_per_cycle = bitfusion_peak,
    .hardware = bitfusion_hardware,
};
