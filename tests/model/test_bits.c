/* Multipliers made of bricks, bit planes and Booth digits: exact products at every width and sign, in the
 * cycles that the closed forms and the back ends claim. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/bitfusion_ref.h"
#include "reference/bitplanes.h"
#include "reference/conv_case.h"
#include "reference/operands.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    WIDEST = 16,
    PAIRS = 100000 / SIMACC_TEST_REDUCE, /* at every (w, a): a quarter of them in each combination of signs */
    SIDE_MOST = 3,
    K_MOST = 1500,
};

/* A machine under test: of fusion units or of bit-serial units. */
typedef struct machine {
    bool fusion;
    bitfusion_array bricks;
    bitplanes_array planes;
} machine;

static int64_t run(const machine *it, const int_gemm *gemm, int64_t *out)
{
    return it->fusion ? bitfusion_run(&it->bricks, gemm, out) : bitplanes_run(&it->planes, gemm, out);
}

/* ---- the closed forms ---------------------------------------------------------------------------------- */

static int brick_width(int bits)
{
    int width = 2;
    while (width < bits)
        width *= 2;
    return width;
}

/* Cycles of the steps of one fold or block over k elements, all rows and columns of the array at work. */
static int64_t cycles_along_k(const machine *it, int64_t k, int w_bits, int a_bits)
{
    if (it->fusion) {
        /* ceil(k / (rows * factor)), factor = floor(P/A) * floor(P/W), 1 / ceil(A/P) of a wider operand */
        const int widths[2] = {brick_width(w_bits), brick_width(a_bits)};
        int64_t abreast = 1, turns = 1;
        for (int i = 0; i < 2; i++) {
            if (widths[i] > it->bricks.widest)
                turns *= ref_ceil_div(widths[i], it->bricks.widest);
            else
                abreast *= it->bricks.widest / widths[i];
        }
        return ref_ceil_div(k * turns, it->bricks.rows * abreast);
    }
    return ref_ceil_div(k, it->planes.depth) * ref_ceil_div(w_bits, it->planes.w_step) *
           ref_ceil_div(a_bits, it->planes.a_step);
}

/* Times the rounds that m and n take: a row of outputs at a time on fusion units, a block on serial ones. */
static int64_t cycles_of(const machine *it, const int_gemm *gemm)
{
    const bool booth = !it->fusion && it->planes.lane == BITPLANES_BOOTH;
    /* Booth digits hold signed weights: an unsigned one is a signed one of a bit more. */
    const int w_bits = gemm->w_bits + (booth && !gemm->w_signed);
    const int64_t outputs =
        it->fusion ? gemm->m * ref_ceil_div(gemm->n, it->bricks.cols)
                   : ref_ceil_div(gemm->m, it->planes.rows) * ref_ceil_div(gemm->n, it->planes.cols);
    return outputs * cycles_along_k(it, gemm->k, w_bits, gemm->a_bits);
}

/* ---- the back ends ------------------------------------------------------------------------------------- */

static sim_arch arch_of(const machine *it)
{
    sim_arch arch;
    arch_case_plain(&arch, it->fusion ? "bitfusion" : "bitserial");
    arch.array_w_bits = arch.array_a_bits = it->fusion ? it->bricks.widest : WIDEST;
    arch.array_w_step_bits = it->planes.w_step;
    arch.array_a_step_bits = it->planes.a_step;
    arch.array_slot = 1;
    arch.array_port_bits = arch.array_input_port_bits = 0;
    return arch;
}

/* What the back end says of a product, or of all groups of a convolution, in one tile: cycles in which the
 * units work. Beside these it counts the drain of the planes of one operand, the shorter one without ports,
 * once per chunk of the product (a rule read off HAQ's tables; no unit here has one). */
static int64_t backend_cycles(const machine *it, sim_arch *arch, const sim_gemm *gemm, int64_t chunks)
{
    const sim_tiling tiling = {{gemm->extent[SIM_M], gemm->extent[SIM_N], gemm->extent[SIM_K]},
                               {SIM_N, SIM_K, SIM_M}};
    sim_way ways[SIM_WAYS_MAX];
    sim_compute compute = {0};
    sim_err err = {0};
    arch->array_rows = it->bricks.rows;
    arch->array_cols = it->bricks.cols;
    arch->array_depth = it->planes.depth;
    cr_assert(arch->backend->ways(arch, gemm, ways) == 1);
    cr_assert(arch->backend->compute(arch, gemm, ways, &tiling, &compute, &err) == SIM_OK);
    int64_t drain = 0;
    if (!it->fusion) {
        const int64_t w_steps = ref_ceil_div(gemm->w_bits, it->planes.w_step);
        const int64_t a_steps = ref_ceil_div(gemm->a_bits, it->planes.a_step);
        drain = chunks * ((w_steps < a_steps ? w_steps : a_steps) - 1);
    }
    cr_assert(compute.fill_cycles == drain, "%lld cycles to drain, not %lld", (long long)compute.fill_cycles,
              (long long)drain);
    return compute.cycles - compute.fill_cycles;
}

/* ---- random products at every width ---------------------------------------------------------------------
 */

static void resize(machine *it, ref_random *random)
{
    it->bricks.rows = it->planes.rows = ref_random_int(random, 1, 5);
    it->bricks.cols = it->planes.cols = ref_random_int(random, 1, 5);
    it->planes.depth =
        ref_random_one_in(random, 8) ? ref_random_scale(random, 1, 40) : ref_random_int(random, 40, 300);
}

/* Checks one random GEMM and returns how many of its pairs (a, w) share no operand with another. */
static int64_t check_gemm(machine *it, sim_arch *arch, int w_bits, int a_bits, bool w_signed, bool a_signed,
                          ref_random *random)
{
    static int32_t a[SIDE_MOST * K_MOST], w[K_MOST * SIDE_MOST];
    const int_gemm gemm = {ref_random_int(random, 1, SIDE_MOST),
                           ref_random_int(random, 1, SIDE_MOST),
                           ref_random_scale(random, 1, K_MOST),
                           a,
                           w,
                           a_bits,
                           w_bits,
                           a_signed,
                           w_signed};
    int64_t out[SIDE_MOST * SIDE_MOST] = {0};
    operands_draw(a, gemm.m * gemm.k, a_bits, a_signed, random);
    operands_draw(w, gemm.k * gemm.n, w_bits, w_signed, random);
    resize(it, random);
    const int64_t cycles = run(it, &gemm, out);
    for (int64_t row = 0; row < gemm.m; row++) {
        for (int64_t col = 0; col < gemm.n; col++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < gemm.k; k++)
                sum += (int64_t)a[row * gemm.k + k] * w[k * gemm.n + col];
            cr_assert(out[row * gemm.n + col] == sum, "w%d a%d, signed %d %d: %lld, not %lld", w_bits, a_bits,
                      w_signed, a_signed, (long long)out[row * gemm.n + col], (long long)sum);
        }
    }
    cr_assert(cycles == cycles_of(it, &gemm), "w%d a%d, %lldx%lldx%lld: %lld cycles, not %lld", w_bits,
              a_bits, (long long)gemm.m, (long long)gemm.n, (long long)gemm.k, (long long)cycles,
              (long long)cycles_of(it, &gemm));
    /* The back ends know no signs; Booth digits are those of signed weights. */
    const int64_t extent[SIM_DIMS] = {gemm.m, gemm.n, gemm.k};
    const bool one_more = !it->fusion && it->planes.lane == BITPLANES_BOOTH && !w_signed;
    const sim_gemm product = gemm_case_dense(arch, extent, w_bits + one_more, a_bits);
    const int64_t said = backend_cycles(it, arch, &product, 1);
    cr_assert(cycles == said, "w%d a%d, %lldx%lldx%lld: %lld cycles, the back end says %lld", w_bits, a_bits,
              (long long)gemm.m, (long long)gemm.n, (long long)gemm.k, (long long)cycles, (long long)said);
    return gemm.k * (gemm.m < gemm.n ? gemm.m : gemm.n);
}

/* Every value near the ends and around zero with every other, each product an output of its own. */
static void check_extremes(machine *it, int w_bits, int a_bits, bool w_signed, bool a_signed)
{
    const int32_t w_least = operands_least(w_bits, w_signed), w_most = operands_most(w_bits, w_signed);
    const int32_t a_least = operands_least(a_bits, a_signed), a_most = operands_most(a_bits, a_signed);
    int32_t w[6] = {w_least, w_most, 0, w_least + 1, w_most - 1, w_signed ? -1 : 1};
    int32_t a[6] = {a_least, a_most, 0, a_least + 1, a_most - 1, a_signed ? -1 : 1};
    const int_gemm gemm = {6, 6, 1, a, w, a_bits, w_bits, a_signed, w_signed};
    int64_t out[36] = {0};
    run(it, &gemm, out);
    for (int i = 0; i < 36; i++)
        cr_assert(out[i] == (int64_t)a[i / 6] * w[i % 6], "w%d a%d: %d * %d is not %lld", w_bits, a_bits,
                  (int)a[i / 6], (int)w[i % 6], (long long)out[i]);
}

/* A top bit that is not subtracted must show: the same operands, one of them said to be unsigned. */
static void check_sign_counts(machine *it, int w_bits, int a_bits)
{
    const int32_t a = operands_least(a_bits, true), w = operands_least(w_bits, true);
    for (int unsigned_w = 0; unsigned_w < 2; unsigned_w++) {
        const int_gemm gemm = {1, 1, 1, &a, &w, a_bits, w_bits, unsigned_w, !unsigned_w};
        int64_t out = 0;
        run(it, &gemm, &out);
        cr_assert(out != (int64_t)a * w, "w%d a%d: the sign does not matter", w_bits, a_bits);
    }
}

static void check_all_widths(machine it, uint64_t seed)
{
    ref_random random = {seed};
    sim_arch arch = arch_of(&it);
    for (int w_bits = 1; w_bits <= WIDEST; w_bits++) {
        for (int a_bits = 1; a_bits <= WIDEST; a_bits++) {
            for (int signs = 0; signs < 4; signs++) {
                int64_t pairs = 0;
                while (pairs < PAIRS / 4)
                    pairs += check_gemm(&it, &arch, w_bits, a_bits, signs & 1, signs & 2, &random);
                check_extremes(&it, w_bits, a_bits, signs & 1, signs & 2);
            }
            check_sign_counts(&it, w_bits, a_bits);
        }
    }
}

Test(bits, fusion_units_of_8_bits)
{
    check_all_widths((machine){.fusion = true, .bricks.widest = 8}, 61);
}

Test(bits, fusion_units_of_16_bits)
{
    check_all_widths((machine){.fusion = true, .bricks.widest = 16}, 62);
}

static machine serial(bitplanes_lane lane, int w_step, int a_step)
{
    return (machine){.planes = {1, 1, 1, lane, w_step, a_step}};
}

/* Both operands a bit per cycle: w * a cycles, as in BISMO. */
Test(bits, both_serial)
{
    check_all_widths(serial(BITPLANES_AND, 1, 1), 63);
}

/* Groups of bits per cycle: of activations as in Loom, and of both operands. */
Test(bits, precision_groups)
{
    check_all_widths(serial(BITPLANES_AND, 1, 2), 64);
    check_all_widths(serial(BITPLANES_AND, 1, 4), 65);
    check_all_widths(serial(BITPLANES_AND, 2, 3), 66);
    check_all_widths(serial(BITPLANES_AND, 4, 4), 67);
}

/* Whole weights, a bit of the activations per cycle: a cycles, as in Stripes. */
Test(bits, activation_serial)
{
    check_all_widths(serial(BITPLANES_GATED, BITPLANES_WHOLE, 1), 68);
    check_all_widths(serial(BITPLANES_GATED, BITPLANES_WHOLE, 2), 69);
}

Test(bits, weight_serial)
{
    check_all_widths(serial(BITPLANES_GATED, 1, BITPLANES_WHOLE), 70);
    check_all_widths(serial(BITPLANES_GATED, 2, BITPLANES_WHOLE), 71);
}

/* Whole activations, a Booth digit of the weights per cycle: ceil(w / 2) cycles, as in BitMoD. */
Test(bits, booth_digits)
{
    check_all_widths(serial(BITPLANES_BOOTH, 2, BITPLANES_WHOLE), 72);
}

/* Every weight of every width is the sum of its digits, and a signed one never needs more than ceil(w / 2).
 */
Test(bits, booth_digits_make_every_weight)
{
    for (int bits = 1; bits <= WIDEST; bits++) {
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            const int digits = bitplanes_booth_digits(bits, is_signed);
            cr_assert(digits == ref_ceil_div(bits + !is_signed, 2));
            for (int32_t value = operands_least(bits, is_signed); value <= operands_most(bits, is_signed);
                 value++) {
                int64_t sum = 0;
                for (int i = 0; i < digits; i++) {
                    const int digit = bitplanes_booth_digit(value, bits, is_signed, i);
                    cr_assert(digit >= -2 && digit <= 2);
                    sum += (int64_t)digit * (INT64_C(1) << (2 * i));
                }
                cr_assert(sum == value, "%d in %d bits: %lld", (int)value, bits, (long long)sum);
            }
        }
    }
}

/* ---- convolutions ---------------------------------------------------------------------------------------
 */

/* Fusion units take all images together and group by group. Serial units take an image at a time, and several
 * small groups, in slots of a power of two, where these leave room for another. */
static conv_plan plan_of(const machine *it, const conv_case *c, bool direct)
{
    const int64_t taps = direct ? 1 : c->conv.kernel_h * c->conv.kernel_w;
    const int64_t elements = taps * (c->conv.c_in / c->conv.groups);
    conv_plan plan = {.direct = direct, .by_image = !it->fusion, .packed = 1, .slot = 1};
    while (plan.slot < elements)
        plan.slot *= 2;
    if (!it->fusion && it->planes.depth / plan.slot > 1)
        plan.packed = it->planes.depth / plan.slot;
    if (plan.packed > c->conv.groups)
        plan.packed = c->conv.groups;
    return plan;
}

/* Direct: positions * taps folds over the channels; im2col: over taps * channels. */
static int64_t conv_cycles_of(const machine *it, const conv_case *c, const conv_plan *plan)
{
    const int64_t taps = c->conv.kernel_h * c->conv.kernel_w, channels = c->conv.c_in / c->conv.groups;
    const int64_t times = (plan->by_image ? c->conv.images : 1) * (plan->direct ? taps : 1);
    int_gemm gemm = {.m = c->rows_out * c->cols_out * (plan->by_image ? 1 : c->conv.images),
                     .n = plan->packed * (c->conv.c_out / c->conv.groups),
                     .k = plan->direct ? channels : taps * channels,
                     .a_bits = c->a_bits,
                     .w_bits = c->w_bits,
                     .a_signed = c->a_signed,
                     .w_signed = c->w_signed};
    int64_t cycles = c->conv.groups / plan->packed * cycles_of(it, &gemm);
    gemm.n = c->conv.groups % plan->packed * (c->conv.c_out / c->conv.groups);
    return times * (cycles + cycles_of(it, &gemm));
}

static sim_gemm conv_gemm(const machine *it, const sim_arch *arch, const conv_case *c, bool direct)
{
    const int64_t extent[SIM_DIMS] = {c->conv.images * c->rows_out * c->cols_out,
                                      c->conv.c_out / c->conv.groups, c->conv.c_in / c->conv.groups};
    const bool one_more = !it->fusion && it->planes.lane == BITPLANES_BOOTH && !c->w_signed;
    sim_gemm gemm = gemm_case_dense(arch, extent, c->w_bits + one_more, c->a_bits);
    gemm.batch = c->conv.groups;
    gemm.window = (sim_window){.rows_out = c->rows_out,
                               .cols_out = c->cols_out,
                               .kernel_h = c->conv.kernel_h,
                               .kernel_w = c->conv.kernel_w,
                               .stride = c->conv.stride,
                               .direct = direct};
    return gemm;
}

static void check_convolutions(machine it, uint64_t seed)
{
    ref_random random = {seed};
    sim_arch arch = arch_of(&it);
    int faster_as_im2col = 0, faster_direct = 0, packed = 0;
    for (int i = 0; i < 500 / SIMACC_TEST_REDUCE; i++) {
        const sim_conv2d shape = conv_case_shape(&random);
        const int w_bits = (int)ref_random_int(&random, 1, WIDEST - 1);
        const int a_bits = (int)ref_random_int(&random, 1, WIDEST);
        const bool w_signed = ref_random_one_in(&random, 2), a_signed = ref_random_one_in(&random, 2);
        conv_case c = conv_case_new(&shape, w_bits, a_bits, w_signed, a_signed, &random);
        const void *array = it.fusion ? (const void *)&it.bricks : (const void *)&it.planes;
        int64_t cycles[2];
        resize(&it, &random);
        for (int direct = 0; direct < 2; direct++) {
            const conv_plan plan = plan_of(&it, &c, direct);
            const sim_gemm gemm = conv_gemm(&it, &arch, &c, direct);
            cycles[direct] = conv_case_run(&c, &plan, it.fusion ? bitfusion_model : bitplanes_model, array);
            cr_assert(conv_case_wrong(&c) == 0, "case %d, direct %d: %lld wrong outputs", i, direct,
                      (long long)conv_case_wrong(&c));
            cr_assert(cycles[direct] == conv_cycles_of(&it, &c, &plan),
                      "case %d, direct %d: %lld cycles, not %lld", i, direct, (long long)cycles[direct],
                      (long long)conv_cycles_of(&it, &c, &plan));
            const int64_t chunks =
                plan.by_image ? c.conv.images * ref_ceil_div(c.conv.groups, plan.packed) : 1;
            const int64_t said = backend_cycles(&it, &arch, &gemm, chunks);
            cr_assert(cycles[direct] == said, "case %d, direct %d: %lld cycles, the back end says %lld", i,
                      direct, (long long)cycles[direct], (long long)said);
            packed += plan.packed > 1;
        }
        faster_as_im2col += cycles[false] < cycles[true];
        faster_direct += cycles[true] < cycles[false];
        conv_case_free(&c);
    }
    /* Folding over the kernel as well often saves cycles, and costs some only where slots leave gaps. */
    cr_assert(faster_as_im2col > 0 && (faster_direct == 0 || !it.fusion));
    cr_assert((packed > 0) == !it.fusion);
}

Test(bits, convolutions_on_fusion_units)
{
    check_convolutions((machine){.fusion = true, .bricks.widest = 8}, 81);
    check_convolutions((machine){.fusion = true, .bricks.widest = 16}, 82);
}

Test(bits, convolutions_on_serial_units)
{
    check_convolutions(serial(BITPLANES_AND, 1, 1), 83);
    check_convolutions(serial(BITPLANES_AND, 2, 3), 84);
    check_convolutions(serial(BITPLANES_GATED, BITPLANES_WHOLE, 1), 85);
    check_convolutions(serial(BITPLANES_BOOTH, 2, BITPLANES_WHOLE), 86);
}
