#include "calibrate_fixture.h"

#include "input/arch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

void start(world *w)
{
    static const sim_arch_setting alone = {"calibration", "none"};
    sim_err err = {0};

    *w = (world){.random = {7}};
    sim_arena_init(&w->arena, NULL);
    cr_assert_eq(sim_arch_load(SIMACC_SOURCE_DIR "/arch/t4.cfg", &alone, 1, &w->arena, &w->arch, &err),
                 SIM_OK);
}

sim_gpu_kernel truth(sim_gpu_kernel_kind kind)
{
    sim_gpu_kernel k;

    sim_gpu_kernel_start(kind, &k);
    k.tau_us = 700;
    k.parameter[SIM_GPU_C] = 9;
    k.parameter[SIM_GPU_ES] = .45;
    k.parameter[SIM_GPU_EM] = .65;
    k.parameter[SIM_GPU_K0] = 60;
    return k;
}

void measure(world *w, const sim_gpu_kernel *k, const char *impl, int64_t m, int64_t n, int64_t kk,
             double clock_mhz, double noise_frac)
{
    sim_measurement *row = &w->rows[w->count++];
    sim_gpu_gemm gemm;
    sim_gpu_rates rates;
    sim_gpu_time time;

    *row = (sim_measurement){.kernel = k->kind,
                             .gpu = "",
                             .impl = impl,
                             .layout = "",
                             .source = "made up",
                             .m = m,
                             .n = n,
                             .k = kk,
                             .batch = 1,
                             .w_bits = k->kind == SIM_KERNEL_GEMM_W8A8 ? 8 : 16,
                             .a_bits = k->kind == SIM_KERNEL_GEMM_W8A8 ? 8 : 16,
                             .energy_mj = NAN,
                             .clock_mhz = clock_mhz,
                             .file = "made.csv",
                             .line = (int)w->count + 1};
    cr_assert(w->count <= ROWS_MAX);
    gemm = sim_measurement_gemm(row);
    sim_gpu_rates_of(&w->arch, sim_gpu_kernel_math(k->kind), clock_mhz, &rates);
    sim_gpu_gemm_time(&rates, k, &gemm, &time);
    row->latency_us = time.us * (1 + ref_random_real(&w->random, -noise_frac, noise_frac));
}

void sweep(world *w, const sim_gpu_kernel *k, const char *impl, int shapes, double clock_mhz,
           double noise_frac)
{
    for (int s = 0; s < shapes; s++) {
        int64_t n = 64 * ref_random_int(&w->random, 8, 250), kk = 64 * ref_random_int(&w->random, 8, 200);

        for (int64_t m = 1; m <= 4096; m *= 16)
            measure(w, k, impl, m, n, kk, clock_mhz, noise_frac);
    }
}

sim_calibration_fit fit(world *w, const sim_calibrate_options *options)
{
    static const sim_calibrate_options usual = {.name = "test"};
    sim_measurements measured = {"made.csv", w->rows, w->count};
    sim_calibration_fit out;
    sim_err err = {0};

    cr_assert_eq(sim_calibrate(&w->arch, &measured, options ? options : &usual, &w->arena, &out, &err),
                 SIM_OK, "%s", err.items[0].text);
    return out;
}

const sim_fit_line *line_of(const sim_calibration_fit *fit, const char *impl)
{
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++)
        if (strcmp(fit->lines[i].kernel->impl, impl) == 0)
            return &fit->lines[i];
    cr_assert_fail("no %s", impl);
    return NULL;
}
