/* Multipliers made of bricks, bit planes and Booth digits: exact products at every width and sign, in the
 * cycles that the closed forms of the back ends claim. */
#include "reference/bitfusion_ref.h"
#include "reference/bitplanes.h"
#include "reference/conv_case.h"
#include "reference/operands.h"

#include <criterion/criterion.h>
#include <string.h>

#ifndef SIMACC_TEST_REDUCE
#define SIMACC_TEST_REDUCE 1
#endif

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

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

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
                turns *= ceil_div(widths[i], it->bricks.widest);
            else
                abreast *= it->bricks.widest / widths[i];
        }
        return ceil_div(k * turns, it->bricks.rows * abreast);
    }
    return ceil_div(k, it->planes.depth) * ceil_div(w_bits, it->planes.w_step) *
           ceil_div(a_bits, it->planes.a_step);
}

/* Times the rounds that m and n take: a row of outputs at a time on fusion units, a block on serial ones. */
static int64_t cycles_of(const machine *it, const int_gemm *gemm)
{
    const bool booth = !it->fusion && it->planes.lane == BITPLANES_BOOTH;
    /* Booth digits hold signed weights: an unsigned one is a signed one of a bit more. */
    const int w_bits = gemm->w_bits + (booth && !gemm->w_signed);
    const int64_t outputs = it->fusion
                                ? gemm->m * ceil_div(gemm->n, it->bricks.cols)
                                : ceil_div(gemm->m, it->planes.rows) * ceil_div(gemm->n, it->planes.cols);
    return outputs * cycles_along_k(it, gemm->k, w_bits, gemm->a_bits);
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
static int64_t check_gemm(machine *it, int w_bits, int a_bits, bool w_signed, bool a_signed,
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
    for (int w_bits = 1; w_bits <= WIDEST; w_bits++) {
        for (int a_bits = 1; a_bits <= WIDEST; a_bits++) {
            for (int signs = 0; signs < 4; signs++) {
                int64_t pairs = 0;
                while (pairs < PAIRS / 4)
                    pairs += check_gemm(&it, w_bits, a_bits, signs & 1, signs & 2, &random);
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
            cr_assert(digits == ceil_div(bits + !is_signed, 2));
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

/* Direct: positions * taps folds over the channels; im2col: over taps * channels. Every group by itself. */
static int64_t conv_cycles_of(const machine *it, const conv_case *c, bool direct)
{
    const int64_t taps = c->conv.kernel_h * c->conv.kernel_w, channels = c->conv.c_in / c->conv.groups;
    const int_gemm gemm = {.m = c->conv.images * c->rows_out * c->cols_out,
                           .n = c->conv.c_out / c->conv.groups,
                           .k = direct ? channels : taps * channels,
                           .a_bits = c->a_bits,
                           .w_bits = c->w_bits,
                           .a_signed = c->a_signed,
                           .w_signed = c->w_signed};
    return c->conv.groups * (direct ? taps : 1) * cycles_of(it, &gemm);
}

static void check_convolutions(machine it, uint64_t seed)
{
    ref_random random = {seed};
    int faster_as_im2col = 0, faster_direct = 0;
    for (int i = 0; i < 500 / SIMACC_TEST_REDUCE; i++) {
        const sim_conv2d shape = conv_case_shape(&random);
        const int w_bits = (int)ref_random_int(&random, 1, WIDEST);
        const int a_bits = (int)ref_random_int(&random, 1, WIDEST);
        const bool w_signed = ref_random_one_in(&random, 2), a_signed = ref_random_one_in(&random, 2);
        conv_case c = conv_case_new(&shape, w_bits, a_bits, w_signed, a_signed, &random);
        const void *array = it.fusion ? (const void *)&it.bricks : (const void *)&it.planes;
        int64_t cycles[2];
        resize(&it, &random);
        for (int direct = 0; direct < 2; direct++) {
            cycles[direct] = conv_case_run(&c, direct, it.fusion ? bitfusion_model : bitplanes_model, array);
            cr_assert(conv_case_wrong(&c) == 0, "case %d, direct %d: %lld wrong outputs", i, direct,
                      (long long)conv_case_wrong(&c));
            cr_assert(cycles[direct] == conv_cycles_of(&it, &c, direct),
                      "case %d, direct %d: %lld cycles, not %lld", i, direct, (long long)cycles[direct],
                      (long long)conv_cycles_of(&it, &c, direct));
        }
        faster_as_im2col += cycles[false] < cycles[true];
        faster_direct += cycles[true] < cycles[false];
        conv_case_free(&c);
    }
    /* Folding over the kernel as well never costs a cycle, and often saves some. */
    cr_assert(faster_direct == 0 && faster_as_im2col > 0);
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
