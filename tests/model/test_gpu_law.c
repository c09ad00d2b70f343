/* The law of GPU kernels against numbers from elsewhere, and what it must keep whatever the numbers. */
#include "model/gpu.h"
#include "reference/random.h"
#include "reference/table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* A device, a kernel and its operands' widths. */
typedef struct setup {
    const char *name;
    sim_gpu_rates rates;
    sim_gpu_kernel kernel;
    double in_bytes, out_bytes;
} setup;

#define MIB (1024.0 * 1024)

/* Parameters of fits on published measurements, as they stand beside the values of gpu_law.csv. */
static const setup setups[] = {
    {"a100",
     {108, 312e6, 2039e3, 40 * MIB},
     {.parameter = {3.735, .7151, .8476, 2.384, .3383, 174.4, .6212, .2533, .3081},
      .tau_us = 200,
      .k_step = 32,
      .occupancy_least = 1,
      .occupancy_most = 4,
      .tile_count = 4,
      .tiles = {{256, 128}, {128, 256}, {128, 128}, {64, 128}}},
     2,
     2},
    {"h100",
     {132, 989e6, 3350e3, 50 * MIB},
     {.parameter = {5.803, .640, .9569, 2.955, .7493, 61.18, .3492, .4265, .1495},
      .tau_us = 200,
      .k_step = 64,
      .occupancy_least = 1,
      .occupancy_most = 4,
      .tile_count = 4,
      .tiles = {{256, 128}, {128, 256}, {128, 128}, {64, 128}}},
     2,
     2},
    {"t4_fp16",
     {40, 65.1e6, 320e3, 4 * MIB},
     {.parameter = {5.85, .6057, .8551, 2.566, .3134, 164.6, .6078, .2957, .3551},
      .tau_us = 700,
      .k_step = 32,
      .occupancy_least = 1,
      .occupancy_most = 4,
      .tile_count = 6,
      .tiles = {{256, 128}, {128, 256}, {128, 128}, {64, 128}, {64, 64}, {32, 128}}},
     2,
     2},
    {"t4_w8a8",
     {40, 130.3e6, 320e3, 4 * MIB},
     {.parameter = {6.83, .291, .619, 2.35, .433, 174, .518, .301, .187},
      .tau_us = 700,
      .k_step = 64,
      .occupancy_least = 1,
      .occupancy_most = 4,
      .tile_count = 5,
      .tiles = {{256, 128}, {128, 256}, {128, 128}, {64, 128}, {32, 128}}},
     1,
     2},
    {"t4_fp32",
     {40, 8.141e6, 320e3, 4 * MIB},
     {.parameter = {12, .5, .8, 2.4, .45, 120, .5, .3, .25},
      .tau_us = 700,
      .floor_us = 34,
      .k_step = 8,
      .occupancy_least = 2,
      .occupancy_most = 8,
      .tile_count = 9,
      .tiles =
          {{128, 128}, {128, 64}, {64, 128}, {64, 64}, {128, 32}, {32, 128}, {64, 32}, {32, 64}, {32, 32}}},
     4,
     4},
};
enum { SETUPS = sizeof setups / sizeof *setups };

static sim_gpu_gemm gemm_of(const setup *s, int64_t m, int64_t n, int64_t k, int64_t batch)
{
    return (sim_gpu_gemm){.m = m,
                          .n = n,
                          .k = k,
                          .batch = batch,
                          .a_bytes = s->in_bytes,
                          .w_bytes = s->in_bytes,
                          .out_bytes = s->out_bytes};
}

static double us_of(const setup *s, int64_t m, int64_t n, int64_t k, int64_t batch)
{
    const sim_gpu_gemm gemm = gemm_of(s, m, n, k, batch);
    sim_gpu_time time;

    sim_gpu_gemm_time(&s->rates, &s->kernel, &gemm, &time);
    return time.us;
}

/* ---- against others ---- */

/* The check values that the law was published with, to their last digit. */
Test(gpu_law, has_the_check_values)
{
    static const struct {
        int64_t m, n, k;
        double us;
    } row[] = {{1, 4096, 4096, 26.738},       {16, 28672, 4096, 154.9101},  {128, 12288, 4096, 81.2549},
               {296, 5120, 640, 15.6532},     {1024, 8192, 8192, 603.7459}, {4096, 4096, 4096, 586.1175},
               {4096, 22016, 4096, 3241.8503}};

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        cr_expect_float_eq(us_of(&setups[0], row[i].m, row[i].n, row[i].k, 1), row[i].us, 1e-4,
                           "row %zu: %.4f", i, us_of(&setups[0], row[i].m, row[i].n, row[i].k, 1));
}

Test(gpu_law, equals_another_implementation_on_random_shapes)
{
    ref_table *table = ref_table_open("gpu_law.csv");
    const int64_t rows = ref_table_rows(table);

    cr_assert(rows >= 1000);
    for (int64_t i = 0; i < rows; i++) {
        const setup *s = NULL;

        for (int j = 0; j < SETUPS; j++)
            if (strcmp(setups[j].name, ref_table_text(table, i, "set")) == 0)
                s = &setups[j];
        cr_assert(s);
        const double want = ref_table_real(table, i, "latency_us");
        const double got = us_of(s, ref_table_int(table, i, "m"), ref_table_int(table, i, "n"),
                                 ref_table_int(table, i, "k"), ref_table_int(table, i, "batch"));
        cr_expect(fabs(got / want - 1) < 1e-12, "row %lld: %.17g, not %.17g", (long long)i, got, want);
    }
    ref_table_close(table);
}

/* ---- laws ---- */

static sim_gpu_gemm random_gemm(const setup *s, ref_random *random)
{
    return gemm_of(s, ref_random_scale(random, 1, 1 << 14), ref_random_scale(random, 1, 1 << 16),
                   ref_random_scale(random, 1, 1 << 16),
                   ref_random_one_in(random, 2) ? 1 : ref_random_int(random, 2, 64));
}

/* Never faster than peak rate, nor than peak bandwidth at the parameters' efficiencies; and nothing is moved
 * less than once. */
Test(gpu_law, is_never_below_the_roofline)
{
    ref_random random = {4};

    for (int i = 0; i < 20000 / SIMACC_TEST_REDUCE; i++) {
        const setup *s = &setups[i % SETUPS];
        const sim_gpu_gemm g = random_gemm(s, &random);
        const double m = (double)g.m, n = (double)g.n, k = (double)g.k, batch = (double)g.batch;
        const double once = batch * ((m * g.a_bytes + n * g.w_bytes) * k + m * n * g.out_bytes);
        sim_gpu_time time;

        sim_gpu_gemm_time(&s->rates, &s->kernel, &g, &time);
        cr_expect(time.us >= s->kernel.parameter[SIM_GPU_C] + fmax(time.compute_us, time.memory_us));
        cr_expect(time.us >= 2 * m * n * k * batch / s->rates.flop_per_us);
        cr_expect(time.bytes >= once * (1 - 1e-12));
        cr_expect(time.memory_us >=
                  once / s->rates.byte_per_us / s->kernel.parameter[SIM_GPU_EM] * (1 - 1e-12));
        cr_expect(time.split == 1 || time.split == 2 || time.split == 4);
    }
}

/* What is cheaper in hardware or in bytes never takes longer. */
Test(gpu_law, falls_with_bandwidth_cache_and_narrower_weights)
{
    ref_random random = {5};

    for (int i = 0; i < 5000 / SIMACC_TEST_REDUCE; i++) {
        const setup *s = &setups[i % SETUPS];
        setup wide = *s, cached = *s;
        const sim_gpu_gemm g = random_gemm(s, &random);
        sim_gpu_gemm narrow = g, unpacked = g;
        sim_gpu_time base, time;

        wide.rates.byte_per_us *= 1.5;
        cached.rates.l2_bytes *= 2;
        narrow.w_bytes /= 2;
        sim_gpu_gemm_time(&s->rates, &s->kernel, &g, &base);
        sim_gpu_gemm_time(&wide.rates, &s->kernel, &g, &time);
        cr_expect(time.us <= base.us * (1 + 1e-12));
        sim_gpu_gemm_time(&cached.rates, &s->kernel, &g, &time);
        cr_expect(time.us <= base.us * (1 + 1e-12));
        sim_gpu_gemm_time(&s->rates, &s->kernel, &narrow, &time);
        cr_expect(time.us <= base.us * (1 + 1e-12));
        wide = *s;
        wide.kernel.dequant_frac = 16;
        unpacked.dequantized = true;
        sim_gpu_gemm_time(&s->rates, &wide.kernel, &unpacked, &time);
        cr_expect(time.us >= base.us);
        cr_expect(time.compute_us > 0);
    }
}

/* Turning weights costs the same per tile of outputs whatever its rows: it halves as rows double. */
Test(gpu_law, dequantization_is_shared_by_the_rows_of_a_tile)
{
    setup s = setups[0];
    sim_gpu_time plain, wide_tile, narrow_tile;
    sim_gpu_gemm g = gemm_of(&s, 8192, 8192, 8192, 1);
    double wide, narrow;

    s.kernel.parameter[SIM_GPU_TH] = 0;
    s.kernel.parameter[SIM_GPU_AL] = 0;
    s.kernel.parameter[SIM_GPU_LAM] = 0;
    s.kernel.dequant_frac = 16;
    s.kernel.tile_count = 1;
    s.kernel.tiles[0] = (sim_gpu_tile){128, 128};
    sim_gpu_gemm_time(&s.rates, &s.kernel, &g, &plain);
    g.dequantized = true;
    sim_gpu_gemm_time(&s.rates, &s.kernel, &g, &wide_tile);
    s.kernel.tiles[0] = (sim_gpu_tile){64, 128};
    sim_gpu_gemm_time(&s.rates, &s.kernel, &g, &narrow_tile);
    wide = wide_tile.compute_us - plain.compute_us;
    narrow = narrow_tile.compute_us - plain.compute_us;
    cr_expect_float_eq(narrow / wide, 2, 1e-9);
    cr_expect_float_eq(wide / plain.compute_us, 16.0 / 128 * s.kernel.parameter[SIM_GPU_ES], 1e-9);
}

Test(gpu_law, a_floor_hides_short_kernels_and_leaves_long_ones)
{
    setup s = setups[1];

    s.kernel.floor_us = 50;
    cr_expect_float_eq(us_of(&s, 1, 64, 64, 1), 50, 1e-3);
    cr_expect_float_eq(us_of(&s, 8192, 8192, 8192, 1) / us_of(&setups[1], 8192, 8192, 8192, 1), 1, 1e-6);
}

/* The largest counts: finite, and no slower to compute. */
Test(gpu_law, holds_at_the_ends)
{
    for (int i = 0; i < SETUPS; i++) {
        const double us = us_of(&setups[i], INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX);

        cr_expect(isfinite(us) && us > 1e40);
        cr_expect(us_of(&setups[i], 1, 1, 1, 1) < 40);
    }
}

/* ---- residuals ---- */

Test(gpu_law, residuals_are_interpolated_in_log_m_within_a_weight_shape)
{
    static const sim_gpu_residual residuals[] = {{1024, 4096, 16, .2},
                                                 {4096, 1024, 8, .5},
                                                 {4096, 4096, 1, .1},
                                                 {4096, 4096, 16, -.1},
                                                 {4096, 4096, 256, .3}};
    const sim_gpu_kernel kernel = {.residuals = residuals, .residual_count = 5, .residual_weight_frac = .5};

    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 4096, 1), .05, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 4096, 16), -.05, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 4096, 4), 0, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 4096, 64), .05, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 4096, 9999), .15, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 4096, 1024, 1), .25, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 1024, 4096, 4096), .1, 1e-15);
    cr_expect(sim_gpu_residual_of(&setups[0].kernel, 4096, 4096, 16) == 0);
}

/* A mean weighted by exp(-distance^2 / 2) of logarithms, over the weights and 1. */
Test(gpu_law, shapes_without_residual_take_after_near_ones)
{
    static const sim_gpu_residual residuals[] = {{4096, 4096, 16, .4}, {4096, 8192, 16, -.2}};
    const sim_gpu_kernel kernel = {.residuals = residuals, .residual_count = 2, .residual_weight_frac = .5};
    double near = exp(-.5 * pow(log(1.25) / .4, 2));
    double far = exp(-.5 * (pow(log(1.25) / .4, 2) + pow(log(2) / .4, 2)));

    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 5120, 4096, 16),
                       .5 * (.4 * near - .2 * far) / (1 + near + far), 1e-12);
    near *= exp(-.5 * pow(log(2) / .2, 2));
    far *= exp(-.5 * pow(log(2) / .2, 2));
    cr_expect_float_eq(sim_gpu_residual_of(&kernel, 5120, 4096, 32),
                       .5 * (.4 * near - .2 * far) / (1 + near + far), 1e-12);
    cr_expect(sim_gpu_residual_of(&kernel, 1024, 4096, 16) == 0, "out of reach");
    cr_expect(sim_gpu_residual_of(&kernel, 4096, 512, 16) == 0);
}

/* ---- vector kernels ---- */

Test(gpu_law, vector_kernels_take_launch_bytes_and_rows)
{
    sim_gpu_rates rates = {.sms = 40, .byte_per_us = 320e3};
    sim_gpu_kernel kernel = {.parameter = {[SIM_GPU_C] = 3, [SIM_GPU_EM] = .8}};

    cr_expect_float_eq(sim_gpu_vector_us(&rates, &kernel, 64, 4096, 256e3), 4, 1e-12);
    kernel.row_us = 1e-3;
    cr_expect_float_eq(sim_gpu_vector_us(&rates, &kernel, 64, 4096, 256e3), 8.096, 1e-12);
    kernel.floor_us = 8.096;
    cr_expect_float_eq(sim_gpu_vector_us(&rates, &kernel, 64, 4096, 256e3), 8.096 * pow(2, 1.0 / 8), 1e-12);
}

/* ---- look-up ---- */

Test(gpu_law, finds_the_kernel_of_an_implementation)
{
    const sim_gpu_kernel kernels[] = {
        {.kind = SIM_KERNEL_GEMM_W8A8, .impl = "cutlass", .regime = SIM_REGIME_BURST},
        {.kind = SIM_KERNEL_GEMM_W8A8, .impl = "cublaslt", .regime = SIM_REGIME_BURST, .is_default = true},
        {.kind = SIM_KERNEL_GEMM_W8A8, .impl = "cutlass", .regime = SIM_REGIME_SUSTAINED},
        {.kind = SIM_KERNEL_GEMM_FP16, .impl = "cublaslt", .regime = SIM_REGIME_BURST},
    };
    const sim_gpu_calibration calibration = {.kernels = kernels, .kernel_count = 4};
    const sim_gpu_kernel_kind w8a8 = SIM_KERNEL_GEMM_W8A8;

    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, NULL, SIM_REGIME_BURST) == &kernels[1]);
    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, "", SIM_REGIME_BURST) == &kernels[1]);
    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, "cutlass", SIM_REGIME_BURST) == &kernels[0]);
    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, "cutlass", SIM_REGIME_SUSTAINED) == &kernels[2]);
    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, "nobody", SIM_REGIME_BURST) == &kernels[1]);
    cr_expect(sim_gpu_kernel_find(&calibration, w8a8, "cublaslt", SIM_REGIME_SUSTAINED) == &kernels[1]);
    cr_expect(sim_gpu_kernel_find(&calibration, SIM_KERNEL_GEMM_FP16, NULL, SIM_REGIME_SUSTAINED) ==
              &kernels[3]);
    cr_expect_null(sim_gpu_kernel_find(&calibration, SIM_KERNEL_GEMM_FP8, NULL, SIM_REGIME_BURST));
    cr_expect_null(sim_gpu_kernel_find(NULL, w8a8, NULL, SIM_REGIME_BURST));
}

static bool runs_on(const sim_arch *arch, sim_number w, sim_number a, sim_gpu_kernel_kind kind,
                    sim_gpu_math math)
{
    sim_gpu_kernel_kind got_kind = SIM_KERNEL_COUNT;
    sim_gpu_math got_math = SIM_GPU_MATHS;

    return sim_gpu_kernel_of(arch, w, a, &got_kind, &got_math) && got_kind == kind && got_math == math;
}

Test(gpu_law, operands_run_on_the_narrowest_math_that_holds_both)
{
    const sim_number fp32 = {SIM_FORMAT_FP, 32}, fp16 = {SIM_FORMAT_FP, 16}, bf16 = {SIM_FORMAT_BF, 16},
                     fp8 = {SIM_FORMAT_FP8, 8}, int8 = {SIM_FORMAT_INT, 8}, int4 = {SIM_FORMAT_INT, 4},
                     int3 = {SIM_FORMAT_INT, 3}, int16 = {SIM_FORMAT_INT, 16}, int12 = {SIM_FORMAT_INT, 12},
                     mxfp4 = {SIM_FORMAT_MXFP, 4};
    sim_arch turing = {
        .gpu.mac_per_cycle_sm = {
            [SIM_GPU_FP32] = 64, [SIM_GPU_FP16] = 512, [SIM_GPU_INT8] = 1024, [SIM_GPU_INT4] = 2048}};
    sim_arch hopper = {.gpu.mac_per_cycle_sm = {[SIM_GPU_FP32] = 128,
                                                [SIM_GPU_FP16] = 2048,
                                                [SIM_GPU_BF16] = 2048,
                                                [SIM_GPU_FP8] = 4096,
                                                [SIM_GPU_INT8] = 4096}};
    sim_gpu_kernel_kind kind;
    sim_gpu_math math;

    cr_expect(runs_on(&turing, int8, int8, SIM_KERNEL_GEMM_W8A8, SIM_GPU_INT8));
    cr_expect(runs_on(&turing, int4, int8, SIM_KERNEL_GEMM_W8A8, SIM_GPU_INT8));
    cr_expect(runs_on(&turing, int4, int4, SIM_KERNEL_GEMM_W8A8, SIM_GPU_INT4));
    cr_expect(runs_on(&turing, int3, int3, SIM_KERNEL_GEMM_W8A8, SIM_GPU_INT4));
    cr_expect(runs_on(&hopper, int4, int4, SIM_KERNEL_GEMM_W8A8, SIM_GPU_INT8));
    cr_expect(runs_on(&turing, int4, fp16, SIM_KERNEL_GEMM_W4A16, SIM_GPU_FP16));
    cr_expect(runs_on(&turing, int8, fp16, SIM_KERNEL_GEMM_W4A16, SIM_GPU_FP16));
    cr_expect(runs_on(&hopper, int4, bf16, SIM_KERNEL_GEMM_W4A16, SIM_GPU_BF16));
    cr_expect(runs_on(&turing, fp16, int8, SIM_KERNEL_GEMM_FP16, SIM_GPU_FP16));
    cr_expect(runs_on(&turing, fp16, fp16, SIM_KERNEL_GEMM_FP16, SIM_GPU_FP16));
    cr_expect(runs_on(&turing, fp32, fp32, SIM_KERNEL_GEMM_FP32, SIM_GPU_FP32));
    cr_expect(runs_on(&hopper, fp8, fp8, SIM_KERNEL_GEMM_FP8, SIM_GPU_FP8));
    cr_expect(runs_on(&hopper, bf16, bf16, SIM_KERNEL_GEMM_BF16, SIM_GPU_BF16));
    cr_expect(runs_on(&turing, fp8, fp16, SIM_KERNEL_GEMM_W4A16, SIM_GPU_FP16));
    cr_expect(runs_on(&hopper, fp8, int8, SIM_KERNEL_GEMM_FP16, SIM_GPU_FP16)); /* an fp8 KV cache */
    cr_expect_not(sim_gpu_kernel_of(&turing, bf16, bf16, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&turing, fp8, fp8, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&hopper, fp16, bf16, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&turing, int16, int16, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&turing, int12, int12, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&turing, fp16, int12, &kind, &math));
    cr_expect(runs_on(&turing, int12, fp16, SIM_KERNEL_GEMM_W4A16, SIM_GPU_FP16));
    cr_expect_not(sim_gpu_kernel_of(&hopper, mxfp4, fp16, &kind, &math));
    cr_expect_not(sim_gpu_kernel_of(&hopper, mxfp4, mxfp4, &kind, &math));
}

/* Starting values lie within the bounds of the fit and time what they are for. */
Test(gpu_law, starting_values_are_usable)
{
    for (int kind = 0; kind < SIM_KERNEL_COUNT; kind++) {
        sim_gpu_kernel kernel;

        sim_gpu_kernel_start((sim_gpu_kernel_kind)kind, &kernel);
        cr_expect((int)kernel.kind == kind && kernel.is_default);
        for (int p = 0; p < SIM_GPU_PARAMETERS; p++) {
            cr_expect(kernel.parameter[p] >= sim_gpu_least[p] && kernel.parameter[p] <= sim_gpu_most[p]);
            cr_expect(sim_gpu_prior_sd[p] > 0);
            cr_assert_not_null(sim_gpu_parameter_names[p]);
        }
        cr_expect((kernel.tile_count > 0) == (kind <= SIM_KERNEL_GEMM_FP8));
        cr_assert_not_null(sim_gpu_kernel_names[kind]);
    }
    cr_expect_null(sim_gpu_parameter_names[SIM_GPU_PARAMETERS]);
    cr_expect_null(sim_gpu_kernel_names[SIM_KERNEL_COUNT]);
}
