/* The bitfusion back end against an array of fusion units built from 2-bit bricks. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/bitfusion_ref.h"
#include "reference/gemm_case.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

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
            turns *= ref_ceil_div(widths[i], array->widest);
        else
            abreast *= array->widest / widths[i];
    }
    return m * ref_ceil_div(n, array->cols) * ref_ceil_div(k * turns, array->rows * abreast);
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

/* ---- convolutions ---- */

/* A convolution with values, its exact result, and what the bricks make of it. */
typedef struct conv {
    int64_t images, rows, cols, kernel_h, kernel_w, stride, channels, features; /* no padding */
    int w_bits, a_bits;
    int32_t *input, *weights; /* [image][row][col][channel], [tap][channel][feature] */
    int64_t *expected, *out;  /* [position][feature] */
} conv;

static int64_t positions_of(const conv *c)
{
    return c->images * c->rows * c->cols;
}

/* The input that output position `at` sees under kernel position `tap`. */
static const int32_t *seen(const conv *c, int64_t at, int64_t tap)
{
    const int64_t h_in = (c->rows - 1) * c->stride + c->kernel_h;
    const int64_t w_in = (c->cols - 1) * c->stride + c->kernel_w;
    const int64_t row = at / c->cols % c->rows * c->stride + tap / c->kernel_w;
    const int64_t col = at % c->cols * c->stride + tap % c->kernel_w;
    const int64_t image = at / (c->rows * c->cols);
    return &c->input[((image * h_in + row) * w_in + col) * c->channels];
}

static conv random_conv(ref_random *random)
{
    conv c = {.images = ref_random_int(random, 1, 2),
              .rows = ref_random_int(random, 1, 4),
              .cols = ref_random_int(random, 1, 4),
              .kernel_h = ref_random_int(random, 1, 3),
              .kernel_w = ref_random_int(random, 1, 3),
              .stride = ref_random_int(random, 1, 3),
              .channels = ref_random_int(random, 1, 20),
              .features = ref_random_int(random, 1, 10),
              .w_bits = (int)ref_random_int(random, 1, 16),
              .a_bits = (int)ref_random_int(random, 1, 16)};
    const int64_t taps = c.kernel_h * c.kernel_w, outputs = positions_of(&c) * c.features;
    const int64_t inputs = c.images * ((c.rows - 1) * c.stride + c.kernel_h) *
                           ((c.cols - 1) * c.stride + c.kernel_w) * c.channels;
    c.input = calloc((size_t)inputs, sizeof *c.input);
    c.weights = calloc((size_t)(taps * c.channels * c.features), sizeof *c.weights);
    c.expected = calloc((size_t)outputs, sizeof *c.expected);
    c.out = calloc((size_t)outputs, sizeof *c.out);
    cr_assert(c.input && c.weights && c.expected && c.out);
    for (int64_t i = 0; i < inputs; i++)
        c.input[i] = (int32_t)ref_random_int(random, least_of(c.a_bits, true), most_of(c.a_bits, true));
    for (int64_t i = 0; i < taps * c.channels * c.features; i++)
        c.weights[i] = (int32_t)ref_random_int(random, least_of(c.w_bits, true), most_of(c.w_bits, true));
    for (int64_t at = 0; at < positions_of(&c); at++)
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t k = 0; k < c.channels; k++)
                for (int64_t n = 0; n < c.features; n++)
                    c.expected[at * c.features + n] +=
                        (int64_t)seen(&c, at, tap)[k] * c.weights[(tap * c.channels + k) * c.features + n];
    return c;
}

static void free_conv(conv *c)
{
    free(c->input);
    free(c->weights);
    free(c->expected);
    free(c->out);
}

/* Kernel positions first_tap up to last_tap, channels and features of one tile, as one product on the bricks;
 * returns the cycles. */
static int64_t run_taps(const bitfusion_array *array, const conv *c, int64_t first_tap, int64_t last_tap,
                        int64_t k_at, int64_t k_size, int64_t n_at, int64_t n_size)
{
    const int64_t m = positions_of(c), depth = (last_tap - first_tap) * k_size;
    int32_t *a = calloc((size_t)(m * depth), sizeof *a), *w = calloc((size_t)(depth * n_size), sizeof *w);
    int64_t *out = calloc((size_t)(m * n_size), sizeof *out);
    cr_assert(a && w && out);
    for (int64_t tap = first_tap; tap < last_tap; tap++) {
        for (int64_t k = 0; k < k_size; k++) {
            const int64_t row = (tap - first_tap) * k_size + k;
            for (int64_t at = 0; at < m; at++)
                a[at * depth + row] = seen(c, at, tap)[k_at + k];
            for (int64_t n = 0; n < n_size; n++)
                w[row * n_size + n] = c->weights[(tap * c->channels + k_at + k) * c->features + n_at + n];
        }
    }
    const bitfusion_operands operands = {.m = m,
                                         .n = n_size,
                                         .k = depth,
                                         .a = a,
                                         .w = w,
                                         .a_bits = c->a_bits,
                                         .w_bits = c->w_bits,
                                         .a_signed = true,
                                         .w_signed = true};
    const int64_t cycles = bitfusion_run(array, &operands, out);
    for (int64_t at = 0; at < m; at++)
        for (int64_t n = 0; n < n_size; n++)
            c->out[at * c->features + n_at + n] += out[at * n_size + n];
    free(a);
    free(w);
    free(out);
    return cycles;
}

/* Direct: a product for each kernel position. Implicit GEMM: one product of all of a tile's channels. */
static int64_t run_conv(const bitfusion_array *array, const conv *c, bool direct, int64_t tile_n,
                        int64_t tile_k)
{
    const int64_t taps = c->kernel_h * c->kernel_w, at_once = direct ? 1 : taps;
    int64_t cycles = 0;
    memset(c->out, 0, (size_t)(positions_of(c) * c->features) * sizeof *c->out);
    for (int64_t n = 0; n < c->features; n += tile_n)
        for (int64_t k = 0; k < c->channels; k += tile_k)
            for (int64_t tap = 0; tap < taps; tap += at_once)
                cycles += run_taps(array, c, tap, tap + at_once, k,
                                   c->channels - k < tile_k ? c->channels - k : tile_k, n,
                                   c->features - n < tile_n ? c->features - n : tile_n);
    return cycles;
}

static int64_t wrong_outputs(const conv *c)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < positions_of(c) * c->features; i++)
        wrong += c->out[i] != c->expected[i];
    return wrong;
}

static int64_t model_cycles(const sim_arch *arch, const sim_gemm *gemm, const sim_tiling *tiling)
{
    sim_way ways[SIM_WAYS_MAX];
    sim_compute compute = {-1, -1, true};
    sim_err err = {0};
    cr_assert(arch->backend->ways(arch, gemm, ways) == 1);
    cr_assert(arch->backend->compute(arch, gemm, &ways[0], tiling, &compute, &err) == SIM_OK);
    return compute.cycles;
}

static sim_gemm conv_gemm(const sim_arch *arch, const conv *c, bool direct)
{
    sim_gemm gemm = gemm_case_dense(arch, (const int64_t[3]){positions_of(c), c->features, c->channels},
                                    c->w_bits, c->a_bits);
    gemm.window = (sim_window){.rows_out = c->rows,
                               .cols_out = c->cols,
                               .kernel_h = c->kernel_h,
                               .kernel_w = c->kernel_w,
                               .stride = c->stride,
                               .direct = direct};
    return gemm;
}

Test(bitfusion, convolution_equals_the_bricks)
{
    ref_random random = {53};
    for (int i = 0; i < 600 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "bitfusion");
        arch.array_rows = ref_random_int(&random, 1, 8);
        arch.array_cols = ref_random_int(&random, 1, 8);
        arch.array_w_bits = arch.array_a_bits = ref_random_one_in(&random, 2) ? 8 : 16;
        const bitfusion_array array = {arch.array_rows, arch.array_cols, (int)arch.array_w_bits};
        conv c = random_conv(&random);
        const int64_t tile_n = ref_random_int(&random, 1, c.features);
        const int64_t tile_k = ref_random_int(&random, 1, c.channels);
        for (int direct = 0; direct < 2; direct++) {
            const sim_gemm gemm = conv_gemm(&arch, &c, direct);
            const sim_tiling tiling = {{positions_of(&c), tile_n, tile_k}, {SIM_N, SIM_K, SIM_M}};
            const int64_t cycles = run_conv(&array, &c, direct, tile_n, tile_k);
            cr_assert(wrong_outputs(&c) == 0, "case %d: %lld wrong outputs", i, (long long)wrong_outputs(&c));
            cr_assert(model_cycles(&arch, &gemm, &tiling) == cycles, "case %d (direct %d): %lld, not %lld", i,
                      direct, (long long)model_cycles(&arch, &gemm, &tiling), (long long)cycles);
        }
        /* im2col: a plain product whose input features are kernel positions times channels */
        const int64_t extent[3] = {positions_of(&c), c.features, c.kernel_h * c.kernel_w * c.channels};
        const sim_gemm expanded = gemm_case_dense(&arch, extent, c.w_bits, c.a_bits);
        const sim_tiling whole = {{extent[0], extent[1], extent[2]}, {SIM_N, SIM_K, SIM_M}};
        cr_assert(model_cycles(&arch, &expanded, &whole) ==
                  run_conv(&array, &c, false, c.features, c.channels));
        free_conv(&c);
    }
}

/* Few channels would leave rows idle under every kernel position. */
Test(bitfusion, few_channels_run_as_im2col)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    arch.array_rows = 16;
    cr_expect(arch.backend->convolution(&arch, 3) == SIM_CONV_IM2COL);
    cr_expect(arch.backend->convolution(&arch, 15) == SIM_CONV_IM2COL);
    cr_expect(arch.backend->convolution(&arch, 16) == SIM_CONV_DIRECT);
    cr_expect(arch.backend->convolution(&arch, 512) == SIM_CONV_DIRECT);
}

/* ---- laws ---- */

Test(bitfusion, fewer_bits_never_take_longer)
{
    ref_random random = {54};
    for (int i = 0; i < 300 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "bitfusion");
        arch.array_rows = ref_random_int(&random, 1, 16);
        arch.array_cols = ref_random_int(&random, 1, 16);
        arch.array_w_bits = INT64_C(1) << ref_random_int(&random, 1, 4);
        arch.array_a_bits = INT64_C(1) << ref_random_int(&random, 1, 4);
        conv c = {.images = ref_random_int(&random, 1, 4),
                  .rows = ref_random_int(&random, 1, 8),
                  .cols = ref_random_int(&random, 1, 8),
                  .kernel_h = ref_random_int(&random, 1, 5),
                  .kernel_w = ref_random_int(&random, 1, 5),
                  .stride = 1,
                  .channels = ref_random_scale(&random, 1, 600),
                  .features = ref_random_scale(&random, 1, 600)};
        const sim_tiling tiling = {{positions_of(&c), ref_random_int(&random, 1, c.features),
                                    ref_random_int(&random, 1, c.channels)},
                                   {SIM_N, SIM_K, SIM_M}};
        const bool direct = ref_random_one_in(&random, 2);
        int64_t cycles[17][17] = {{0}};
        for (c.w_bits = 1; c.w_bits <= 16; c.w_bits++) {
            for (c.a_bits = 1; c.a_bits <= 16; c.a_bits++) {
                const sim_gemm gemm = conv_gemm(&arch, &c, direct);
                cycles[c.w_bits][c.a_bits] = model_cycles(&arch, &gemm, &tiling);
                cr_assert(cycles[c.w_bits][c.a_bits] >= cycles[c.w_bits - 1][c.a_bits] &&
                              cycles[c.w_bits][c.a_bits] >= cycles[c.w_bits][c.a_bits - 1],
                          "case %d: w%d a%d", i, c.w_bits, c.a_bits);
            }
        }
    }
}

Test(bitfusion, fill_counts_once_per_layer)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    arch.array_rows = 16;
    arch.array_cols = 32;
    sim_gemm gemm = gemm_case_dense(&arch, (const int64_t[3]){7, 40, 100}, 8, 8);
    gemm.batch = 3;
    const sim_tiling tiling = {{7, 40, 100}, {SIM_N, SIM_K, SIM_M}};
    const int64_t without = model_cycles(&arch, &gemm, &tiling);
    cr_expect(without == 3 * 7 * 2 * 7, "%lld", (long long)without);
    arch.array_fill = true;
    sim_way ways[SIM_WAYS_MAX];
    sim_compute compute;
    sim_err err = {0};
    arch.backend->ways(&arch, &gemm, ways);
    cr_assert(arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &compute, &err) == SIM_OK);
    cr_expect(compute.cycles == without + 16 + 32 - 2 && compute.fill_cycles == 16 + 32 - 2);
    gemm.batch = INT64_MAX / 4;
    cr_expect(arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &compute, &err) == SIM_OVERFLOW);
}

/* One read feeds a row of columns, or each unit reads for itself. */
Test(bitfusion, broadcast_saves_reads_of_inputs)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    arch.array_rows = 4;
    arch.array_cols = 8;
    const conv c = {.images = 1,
                    .rows = 3,
                    .cols = 5,
                    .kernel_h = 3,
                    .kernel_w = 2,
                    .stride = 1,
                    .channels = 7,
                    .features = 20,
                    .w_bits = 4,
                    .a_bits = 8};
    const sim_gemm gemm = conv_gemm(&arch, &c, true);
    const double inputs = 15.0 * 6 * 7 * 8; /* bits of the windows, one after another */
    sim_way way[SIM_WAYS_MAX];

    arch.array_broadcast = true;
    arch.backend->ways(&arch, &gemm, way);
    cr_expect(way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] == inputs); /* per fold of 8 features */
    cr_expect(way->fixed.of[SIM_EVENT_INPUT_READ] == 0);
    arch.array_broadcast = false;
    arch.backend->ways(&arch, &gemm, way);
    cr_expect(way->per_fold[SIM_N].of[SIM_EVENT_INPUT_READ] == 0);
    cr_expect(way->fixed.of[SIM_EVENT_INPUT_READ] == inputs * 20);
    cr_expect(way->fixed.of[SIM_EVENT_WEIGHT_READ] == 15.0 * 6 * 7 * 20 * 4);
}

/* An output is added to in its buffer; only a machine that reads first has something to read at first. */
Test(bitfusion, reads_outputs_at_first_only_if_asked)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitfusion");
    const sim_gemm gemm = gemm_case_dense(&arch, (const int64_t[3]){3, 5, 90}, 8, 8);
    const double outputs = 3 * 5 * 32;
    sim_way way[SIM_WAYS_MAX];

    arch.backend->ways(&arch, &gemm, way);
    cr_expect(way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_READ] == outputs);
    cr_expect(way->fixed.of[SIM_EVENT_OUTPUT_READ] == -outputs);
    arch.output_read_first = true;
    arch.backend->ways(&arch, &gemm, way);
    cr_expect(way->per_tile[SIM_K].of[SIM_EVENT_OUTPUT_READ] == outputs);
    cr_expect(way->fixed.of[SIM_EVENT_OUTPUT_READ] == 0);
}
