/* Bit-composable arrays: fusion units built of 2-bit bricks (BitFusion, arXiv 1712.01507).
 *
 * A unit of largest width P (array.w_bits, array.a_bits) does floor(P/W) * floor(P/A) products per cycle, W
 * and A being the operand widths rounded up to 2, 4, 8 or 16; an operand wider than P takes ceil(W/P)
 * passes. Every unit is fed from its buffers each cycle, without a weight preload, so that m = 1 does not
 * starve it. Cycles of a product: m * ceil(n / columns) * ceil(k / (rows * products per unit and cycle)).
 * Each unit has its own slice of the weight buffer, inputs are shared along a row (array.broadcast), and a
 * column adds up its products, one partial sum per output and tile of k.
 *
 * A convolution runs kernel position by kernel position, positions * taps * ceil(n / columns) *
 * ceil(channels / (rows * products)) cycles; where it has fewer channels than the array has rows, as a
 * product with the expanded input (compiler of github.com/hsharma35/bitfusion, commit 04ec1c8). As implicit
 * GEMM (array.conv) a fold takes kernel positions and channels together: ceil(taps * channels / ...). */
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
    divisor = sim_gcd(*products, *passes);
    *products /= divisor;
    *passes /= divisor;
}

static int64_t all_cols(const sim_arch *arch)
{
    return arch->array_cols * arch->array_count;
}

/* The fold along k: channels of one kernel position where these take turns, else of all together. */
static sim_fold depth_fold(const sim_arch *arch, const sim_gemm *gemm)
{
    int64_t products, passes, divisor;
    sim_fold fold = {.kind = SIM_FOLD_SIDE};

    unit_rate(arch, gemm->w_bits, gemm->a_bits, &products, &passes);
    fold.per_num = passes * (gemm->window.direct ? 1 : sim_taps(gemm));
    fold.per_den = arch->array_rows * products;
    divisor = sim_gcd(fold.per_num, fold.per_den);
    fold.per_num /= divisor;
    fold.per_den /= divisor;
    return fold;
}

static int bitfusion_ways(const sim_arch *arch, const sim_gemm *gemm, sim_way ways[SIM_WAYS_MAX])
{
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N], k = (double)gemm->extent[SIM_K];
    double outputs = m * n * gemm->acc_bits, taps = (double)sim_taps(gemm);
    sim_way *way = &ways[0];

    *way = (sim_way){.dataflow = SIM_DATAFLOW_STREAM, .cycles_per_fold = gemm->window.direct ? taps : 1};
    for (int d = 0; d < SIM_DIMS; d++)
        way->tile_max[d] = INT64_MAX;
    way->fold[SIM_M] = (sim_fold){SIM_FOLD_FLAT, 1, 1, 0};
    way->fold[SIM_N] = (sim_fold){SIM_FOLD_SIDE, 1, all_cols(arch), 0};
    way->fold[SIM_K] = depth_fold(arch, gemm);

    way->per_cycle.of[SIM_EVENT_UNIT_CYCLE] = (double)(arch->array_rows * all_cols(arch));
    if (arch->array_broadcast)
        way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] = m * k * taps * gemm->a_bits;
    else
        way->fixed.of[SIM_EVENT_INPUT_READ] = m * n * k * taps * gemm->a_bits;
    way->fixed.of[SIM_EVENT_WEIGHT_READ] = m * n * k * taps * gemm->w_bits;
    way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_WRITE] = outputs;
    way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_READ] = outputs;
    if (!arch->output_read_first) /* nothing to add to the first time */
        way->fixed.of[SIM_EVENT_OUTPUT_READ] = -outputs;
    return 1;
}

static sim_status bitfusion_compute(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                                    const sim_tiling *tiling, sim_compute *out, sim_err *err)
{
    int64_t cycles = gemm->batch;
    bool fits = !__builtin_mul_overflow(cycles, gemm->window.direct ? sim_taps(gemm) : 1, &cycles);

    for (int d = 0; d < SIM_DIMS; d++)
        fits = fits && !__builtin_mul_overflow(
                           cycles, sim_fold_sum(&way->fold[d], gemm->extent[d], tiling->tile[d]), &cycles);
    /* Products of a batch follow each other without a gap: the array fills and drains once. */
    *out = (sim_compute){.fill_cycles = arch->array_fill ? arch->array_rows + arch->array_cols - 2 : 0};
    if (!fits || __builtin_add_overflow(cycles, out->fill_cycles, &out->cycles))
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

static sim_conv_method bitfusion_convolution(const sim_arch *arch, int64_t channels)
{
    return channels < arch->array_rows ? SIM_CONV_IM2COL : SIM_CONV_DIRECT;
}

static const sim_param params[] = {
    {"array.broadcast", "", SIM_PARAM_BOOL, offsetof(sim_arch, array_broadcast), 0, 0, "true", NULL,
     "An input read from its buffer feeds the whole row of units; false: each unit reads its own."},
    {"array.fill", "", SIM_PARAM_BOOL, offsetof(sim_arch, array_fill), 0, 0, "false", NULL,
     "Count the rows + cols - 2 cycles that fill and drain the array in each layer."},
};

extern const sim_backend sim_backend_bitfusion;
const sim_backend sim_backend_bitfusion = {
    .name = "bitfusion",
    .summary = "bit-composable array of fusion units: fewer bits are more products per cycle",
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .convolution = bitfusion_convolution,
    .check = bitfusion_check,
    .supports = bitfusion_supports,
    .ways = bitfusion_ways,
    .compute = bitfusion_compute,
    .peak_macs_per_cycle = bitfusion_peak,
    .hardware = bitfusion_hardware,
};
