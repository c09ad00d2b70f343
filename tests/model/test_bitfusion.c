/* The bitfusion back end against an array of fusion units built from 2-bit bricks. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/bitfusion_ref.h"
#include "reference/gemm_case.h"

#include <criterion/criterion.h>
#include <string.h>

#ifndef SIMACC_TEST_REDUCE
#define SIMACC_TEST_REDUCE 1
#endif

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The widths that bricks make of an operand: 2, 4, 8, 16. */
static int rounded(int bits)
{
    int width = 2;
    while (width < bits)
        width *= 2;
    return width;
}

/* m * ceil(n / cols) * ceil(k / (rows * factor)), factor = floor(P/A) * floor(P/W), an operand wider than P
 * contributing 1 / ceil(A/P). */
static int64_t closed_form(const bitfusion_array *array, int64_t m, int64_t n, int64_t k, int w_bits,
                           int a_bits)
{
    const int widths[2] = {rounded(w_bits), rounded(a_bits)};
    int64_t abreast = 1, turns = 1;
    for (int i = 0; i < 2; i++) {
        if (widths[i] > array->widest)
            turns *= ceil_div(widths[i], array->widest);
        else
            abreast *= array->widest / widths[i];
    }
    return m * ceil_div(n, array->cols) * ceil_div(k * turns, array->rows * abreast);
}

static int64_t least_of(int bits, bool is_signed)
{
    return is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
}

static int64_t most_of(int bits, bool is_signed)
{
    return is_signed ? (INT64_C(1) << (bits - 1)) - 1 : (INT64_C(1) << bits) - 1;
}

/* The reference itself: all widths, all signs, exact products, cycles by the published form. */
Test(bitfusion, bricks_make_every_product)
{
    ref_random random = {51};
    for (int widest = 8; widest <= 16; widest += 8) {
        for (int w_bits = 1; w_bits <= 16; w_bits++) {
            for (int a_bits = 1; a_bits <= 16; a_bits++) {
                for (int signs = 0; signs < 4; signs++) {
                    const bool w_signed = signs & 1, a_signed = signs & 2;
                    const bitfusion_array array = {ref_random_int(&random, 1, 5),
                                                   ref_random_int(&random, 1, 5), widest};
                    const int64_t m = ref_random_int(&random, 1, 4), n = ref_random_int(&random, 1, 9);
                    const int64_t k = ref_random_int(&random, 1, 40);
                    gemm_case gemm =
                        gemm_case_new(m, n, k, least_of(a_bits, a_signed), most_of(a_bits, a_signed),
                                      least_of(w_bits, w_signed), most_of(w_bits, w_signed), &random);
                    const bitfusion_operands operands = {m,      n,      k,        gemm.a,  gemm.w,
                                                         a_bits, w_bits, a_signed, w_signed};
                    const int64_t cycles = bitfusion_run(&array, &operands, gemm.out);
                    cr_assert(gemm_case_wrong(&gemm) == 0, "w%d a%d on %d bits: %lld wrong outputs", w_bits,
                              a_bits, widest, (long long)gemm_case_wrong(&gemm));
                    cr_assert(cycles == closed_form(&array, m, n, k, w_bits, a_bits));
                    gemm_case_free(&gemm);
                }
            }
        }
    }
}

/* The extremes of every width: where a sign or a carry would be lost. */
Test(bitfusion, extreme_operands)
{
    for (int widest = 8; widest <= 16; widest += 8) {
        for (int w_bits = 1; w_bits <= 16; w_bits++) {
            for (int a_bits = 1; a_bits <= 16; a_bits++) {
                const bitfusion_array array = {2, 1, widest};
                const int32_t a[4] = {(int32_t)least_of(a_bits, true), (int32_t)most_of(a_bits, true),
                                      (int32_t)least_of(a_bits, true), (int32_t)most_of(a_bits, true)};
                const int32_t w[4] = {(int32_t)least_of(w_bits, true), (int32_t)least_of(w_bits, true),
                                      (int32_t)most_of(w_bits, true), (int32_t)most_of(w_bits, true)};
                const bitfusion_operands operands = {1, 1, 4, a, w, a_bits, w_bits, true, true};
                int64_t out = 0, expected = 0;
                bitfusion_run(&array, &operands, &out);
                for (int i = 0; i < 4; i++)
                    expected += (int64_t)a[i] * w[i];
                cr_assert(out == expected, "w%d a%d on %d bits", w_bits, a_bits, widest);
            }
        }
    }
}

/* The back end: tiled GEMMs, the reference run tile by tile with values. */
Test(bitfusion, equals_the_bricks)
{
    ref_random random = {52};
    for (int i = 0; i < 1000 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "bitfusion");
        arch.array_rows = ref_random_int(&random, 1, 8);
        arch.array_cols = ref_random_int(&random, 1, 8);
        arch.array_w_bits = arch.array_a_bits = ref_random_one_in(&random, 2) ? 8 : 16;
        const int w_bits = (int)ref_random_int(&random, 1, 16), a_bits = (int)ref_random_int(&random, 1, 16);
        const int64_t extent[3] = {ref_random_scale(&random, 1, 16), ref_random_scale(&random, 1, 24),
                                   ref_random_scale(&random, 1, 60)};
        sim_gemm gemm = gemm_case_dense(&arch, extent, w_bits, a_bits);
        gemm.batch = ref_random_one_in(&random, 4) ? 3 : 1;
        sim_tiling tiling = {{0}, {SIM_N, SIM_K, SIM_M}};
        for (int d = 0; d < SIM_DIMS; d++)
            tiling.tile[d] =
                ref_random_one_in(&random, 3) ? extent[d] : ref_random_int(&random, 1, extent[d]);

        const bitfusion_array array = {arch.array_rows, arch.array_cols, (int)arch.array_w_bits};
        gemm_case whole =
            gemm_case_new(extent[0], extent[1], extent[2], least_of(a_bits, true), most_of(a_bits, true),
                          least_of(w_bits, true), most_of(w_bits, true), &random);
        int64_t cycles = 0, at[3];
        for (at[0] = 0; at[0] < extent[0]; at[0] += tiling.tile[0]) {
            for (at[1] = 0; at[1] < extent[1]; at[1] += tiling.tile[1]) {
                for (at[2] = 0; at[2] < extent[2]; at[2] += tiling.tile[2]) {
                    int64_t size[3];
                    for (int d = 0; d < 3; d++)
                        size[d] = extent[d] - at[d] < tiling.tile[d] ? extent[d] - at[d] : tiling.tile[d];
                    int32_t a[16 * 60], w[60 * 24];
                    int64_t out[16 * 24] = {0};
                    for (int64_t row = 0; row < size[0]; row++)
                        memcpy(&a[row * size[2]], &whole.a[(at[0] + row) * extent[2] + at[2]],
                               (size_t)size[2] * sizeof *a);
                    for (int64_t row = 0; row < size[2]; row++)
                        memcpy(&w[row * size[1]], &whole.w[(at[2] + row) * extent[1] + at[1]],
                               (size_t)size[1] * sizeof *w);
                    const bitfusion_operands operands = {size[0], size[1], size[2], a,   w,
                                                         a_bits,  w_bits,  true,    true};
                    cycles += bitfusion_run(&array, &operands, out);
                    for (int64_t row = 0; row < size[0]; row++) {
                        for (int64_t col = 0; col < size[1]; col++)
                            whole.out[(at[0] + row) * extent[1] + at[1] + col] += out[row * size[1] + col];
                    }
                }
            }
        }
        cr_assert(gemm_case_wrong(&whole) == 0);
        gemm_case_free(&whole);

        sim_way ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &gemm, ways);
        cr_assert(count >= 1);
        for (int way = 0; way < count; way++) {
            sim_compute compute = {-1, -1, true};
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[way], &tiling, &compute, &err) == SIM_OK);
            cr_assert(compute.cycles == gemm.batch * cycles && compute.fill_cycles == 0,
                      "case %d: w%d a%d on %lldx%lld of %lld bits, %lldx%lldx%lld in %lldx%lldx%lld: %lld "
                      "cycles (%lld "
                      "to fill), not %lld",
                      i, w_bits, a_bits, (long long)array.rows, (long long)array.cols,
                      (long long)arch.array_w_bits, (long long)extent[0], (long long)extent[1],
                      (long long)extent[2], (long long)tiling.tile[0], (long long)tiling.tile[1],
                      (long long)tiling.tile[2], (long long)compute.cycles, (long long)compute.fill_cycles,
                      (long long)cycles);
        }
    }
}

Test(bitfusion, supports_1_to_16_bit_integers)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    char why[200] = "";
    const sim_number int8 = {SIM_FORMAT_INT, 8};
    for (int bits = 1; bits <= 20; bits++) {
        const sim_number tried = {SIM_FORMAT_INT, bits};
        cr_expect(arch.backend->supports(&arch, tried, int8, why, sizeof why) == (bits <= 16), "w%d", bits);
        cr_expect(arch.backend->supports(&arch, int8, tried, why, sizeof why) == (bits <= 16), "a%d", bits);
    }
    cr_expect(strstr(why, "16") != NULL, "the message does not name what is supported: %s", why);
    const sim_number fp16 = {SIM_FORMAT_FP, 16};
    cr_expect_not(arch.backend->supports(&arch, fp16, int8, why, sizeof why));
}

/* Peak: each unit makes factor products per cycle. */
Test(bitfusion, peak_follows_the_bricks)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    arch.array_rows = 16;
    arch.array_cols = 32;
    static const struct {
        int w_bits, a_bits;
        double factor;
    } rows[] = {{8, 8, 1}, {4, 8, 2}, {4, 4, 4},    {2, 2, 16},     {1, 1, 16},
                {3, 5, 2}, {2, 8, 4}, {16, 8, 0.5}, {16, 16, 0.25}, {16, 2, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(arch.backend->peak_macs_per_cycle(&arch, rows[i].w_bits, rows[i].a_bits) ==
                      16 * 32 * rows[i].factor,
                  "w%d a%d: %g", rows[i].w_bits, rows[i].a_bits,
                  arch.backend->peak_macs_per_cycle(&arch, rows[i].w_bits, rows[i].a_bits));
}
