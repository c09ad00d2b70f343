/* Calibration: parameters that made the times are found again, what rows cannot tell is said, and files and
 * scores agree with the fit. */
#include "explore/calibrate.h"

#include "explore/calibrate_fit.h"
#include "input/arch.h"
#include "input/calib.h"
#include "reference/failing.h"
#include "reference/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MAX = 1000 };

/* A device, kernels that are true of it, and rows "measured" with them. */
typedef struct world {
    sim_arena arena;
    sim_arch arch;
    sim_measurement rows[ROWS_MAX];
    int64_t count;
    ref_random random;
} world;

static void start(world *w)
{
    static const sim_arch_setting alone = {"calibration", "none"};
    sim_err err = {0};

    *w = (world){.random = {7}};
    sim_arena_init(&w->arena, NULL);
    cr_assert_eq(sim_arch_load(SIMACC_SOURCE_DIR "/arch/t4.cfg", &alone, 1, &w->arena, &w->arch, &err),
                 SIM_OK);
}

static sim_gpu_kernel truth(sim_gpu_kernel_kind kind)
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

/* noise: largest relative error, uniform. */
static void measure(world *w, const sim_gpu_kernel *k, const char *impl, int64_t m, int64_t n, int64_t kk,
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

/* `shapes` weight shapes at m of 1, 16, 256 and 4096. */
static void sweep(world *w, const sim_gpu_kernel *k, const char *impl, int shapes, double clock_mhz,
                  double noise_frac)
{
    for (int s = 0; s < shapes; s++) {
        int64_t n = 64 * ref_random_int(&w->random, 8, 250), kk = 64 * ref_random_int(&w->random, 8, 200);

        for (int64_t m = 1; m <= 4096; m *= 16)
            measure(w, k, impl, m, n, kk, clock_mhz, noise_frac);
    }
}

static sim_calibration_fit fit(world *w, const sim_calibrate_options *options)
{
    static const sim_calibrate_options usual = {.name = "test"};
    sim_measurements measured = {"made.csv", w->rows, w->count};
    sim_calibration_fit out;
    sim_err err = {0};

    cr_assert_eq(sim_calibrate(&w->arch, &measured, options ? options : &usual, &w->arena, &out, &err),
                 SIM_OK, "%s", err.items[0].text);
    return out;
}

static const sim_fit_line *line_of(const sim_calibration_fit *fit, const char *impl)
{
    for (int64_t i = 0; i < fit->calibration.kernel_count; i++)
        if (strcmp(fit->lines[i].kernel->impl, impl) == 0)
            return &fit->lines[i];
    cr_assert_fail("no %s", impl);
    return NULL;
}

/* ---- fits ----------------------------------------------------------------------------------------- */

Test(calibrate, finds_the_parameters_that_made_the_times)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;
    const sim_fit_line *line;

    start(&w);
    sweep(&w, &k, "own", 40, 0, .02);
    got = fit(&w, NULL);
    line = &got.lines[0];
    cr_expect_float_eq(line->kernel->parameter[SIM_GPU_C] / 9, 1, .05, "%g",
                       line->kernel->parameter[SIM_GPU_C]);
    cr_expect_float_eq(line->kernel->parameter[SIM_GPU_ES] / .45, 1, .05, "%g",
                       line->kernel->parameter[SIM_GPU_ES]);
    cr_expect_float_eq(line->kernel->parameter[SIM_GPU_EM] / .65, 1, .03, "%g",
                       line->kernel->parameter[SIM_GPU_EM]);
    cr_expect(!line->origin[SIM_GPU_ES] && !line->origin[SIM_GPU_EM] && line->shrink_frac[SIM_GPU_ES] < .3);
    cr_expect(line->fitted.mape_pct < 1.3, "%g", line->fitted.mape_pct);
    cr_expect(line->held_out.n == 160 && line->held_out.mape_pct < 1.6, "%g", line->held_out.mape_pct);
    cr_expect(line->roofline_held_out.mape_pct > 3 * line->held_out.mape_pct);
    cr_expect(line->ideal.mape_pct > 30);
    cr_expect_eq(line->kernel->rows, 160);
    cr_expect_eq(line->kernel->groups, 40);
    cr_expect_eq(line->folds, 5);
    cr_expect(line->kernel->is_default);
    sim_arena_free(&w.arena);
}

Test(calibrate, is_deterministic_and_blind_to_the_order_of_rows)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit a, b;
    sim_measurement swap;

    start(&w);
    sweep(&w, &k, "own", 10, 0, .05);
    a = fit(&w, NULL);
    for (int64_t i = 0; i < w.count / 2; i++) {
        swap = w.rows[i];
        w.rows[i] = w.rows[w.count - 1 - i];
        w.rows[w.count - 1 - i] = swap;
    }
    b = fit(&w, NULL);
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        cr_expect_eq(a.lines[0].kernel->parameter[i], b.lines[0].kernel->parameter[i], "%s",
                     sim_gpu_parameter_names[i]);
    cr_expect_eq(a.lines[0].held_out.mape_pct, b.lines[0].held_out.mape_pct);
    sim_arena_free(&w.arena);
}

Test(calibrate, one_row_scales_the_starting_values_and_says_so)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    measure(&w, &k, "own", 16, 4096, 4096, 0, 0);
    got = fit(&w, NULL);
    cr_expect_eq(got.lines[0].folds, 0);
    cr_expect(isnan(got.lines[0].held_out.mape_pct) && got.lines[0].held_out.n == 0);
    cr_expect(got.lines[0].fitted.mape_pct < 3, "%g", got.lines[0].fitted.mape_pct);
    cr_expect(strstr(got.lines[0].words, "One row"), "%s", got.lines[0].words);
    cr_expect(strstr(got.lines[0].words, "sustained compute efficiency (es)"));
    cr_expect_eq(got.lines[0].kernel->parameter[SIM_GPU_ES], .62, "kept exactly");
    cr_expect(got.lines[0].kernel->from_prior[SIM_GPU_ES]);
    cr_expect_str_eq(got.lines[0].origin[SIM_GPU_ES], "starting value");
    sim_arena_free(&w.arena);
}

Test(calibrate, one_shape_has_no_error_elsewhere)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    for (int64_t m = 1; m <= 4096; m *= 2)
        measure(&w, &k, "own", m, 4096, 4096, 0, .01);
    got = fit(&w, NULL);
    cr_expect_eq(got.lines[0].folds, 0);
    cr_expect(isnan(got.lines[0].held_out.mape_pct));
    cr_expect(strstr(got.lines[0].words, "One weight shape"), "%s", got.lines[0].words);
    cr_expect(got.lines[0].other_m.n == 13 && got.lines[0].other_m.mape_pct < 3, "%g",
              got.lines[0].other_m.mape_pct);
    sim_arena_free(&w.arena);
}

Test(calibrate, eight_shapes_already_have_an_error_estimate)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    for (int s = 0; s < 8; s++)
        measure(&w, &k, "own", 1 << (s * 12 / 7), 1024 * (s % 4 + 1), 1024 * (s % 3 + 2), 0, .02);
    got = fit(&w, NULL);
    cr_expect_eq(got.lines[0].folds, 8);
    cr_expect(got.lines[0].held_out.n == 8 && got.lines[0].held_out.mape_pct < 15, "%g",
              got.lines[0].held_out.mape_pct);
    sim_arena_free(&w.arena);
}

Test(calibrate, no_weight_shape_is_fitted_and_scored_at_once)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_err err = {0};
    const char *others;
    sim_fit_row *rows;
    sim_fit_set set;
    int64_t count, of_fold[5] = {0};

    start(&w);
    sweep(&w, &k, "own", 60, 0, 0);
    sweep(&w, &k, "own", 1, 0, 0);
    for (int64_t i = 0; i < 40; i++)
        measure(&w, &k, "own", 100 + i, w.rows[0].n, w.rows[0].k, 0, 0);
    cr_assert_eq(sim_fit_rows_of(&w.arch, &(sim_measurements){"made.csv", w.rows, w.count}, &w.arena, &rows,
                                 &count, &others, &err),
                 SIM_OK);
    cr_assert_eq(sim_fit_set_of(SIM_KERNEL_GEMM_FP16, rows, count, &w.arena, &set, &err), SIM_OK);
    cr_assert_eq(set.folds, 5);
    for (int64_t i = 0; i < set.count; i++) {
        cr_assert(set.rows[i].fold >= 0 && set.rows[i].fold < 5);
        of_fold[set.rows[i].fold]++;
        for (int64_t j = 0; j < i; j++)
            if (set.rows[i].of->n == set.rows[j].of->n && set.rows[i].of->k == set.rows[j].of->k) {
                cr_assert_eq(set.rows[i].fold, set.rows[j].fold);
                cr_assert_eq(set.rows[i].group, set.rows[j].group);
            }
    }
    for (int f = 0; f < 5; f++)
        cr_expect(of_fold[f] >= 40 && of_fold[f] <= 70, "fold %d: %lld rows", f, (long long)of_fold[f]);
    sim_arena_free(&w.arena);
}

Test(calibrate, what_small_m_cannot_tell_comes_from_the_fastest_relative)
{
    world w;
    sim_gpu_kernel tuned = truth(SIM_KERNEL_GEMM_W8A8), slow = tuned, decode = tuned;
    sim_calibration_fit got;
    const sim_fit_line *line;

    start(&w);
    tuned.parameter[SIM_GPU_ES] = .30;
    slow.parameter[SIM_GPU_ES] = .12;
    decode.parameter[SIM_GPU_ES] = .30;
    decode.parameter[SIM_GPU_EM] = .8;
    sweep(&w, &tuned, "tuned", 10, 0, .01);
    sweep(&w, &slow, "slow", 10, 0, .01);
    for (int s = 0; s < 6; s++)
        for (int64_t m = 1; m <= 16; m *= 4)
            measure(&w, &decode, "decode", m, 4096 + 1024 * s, 4096, 0, .01);
    got = fit(&w, NULL);
    line = line_of(&got, "decode");
    cr_expect_str_eq(line->origin[SIM_GPU_ES], "tuned");
    cr_expect_float_eq(line->kernel->parameter[SIM_GPU_ES], .30, .03, "%g",
                       line->kernel->parameter[SIM_GPU_ES]);
    cr_expect_float_eq(line->kernel->parameter[SIM_GPU_EM], .8, .03, "its own");
    cr_expect(strstr(line->words, "(es) from tuned"), "%s", line->words);
    cr_expect(!line_of(&got, "slow")->origin[SIM_GPU_ES], "measured by itself");
    sim_arena_free(&w.arena);
}

Test(calibrate, the_fastest_implementation_is_the_default_of_its_kernel)
{
    world w;
    sim_gpu_kernel fast = truth(SIM_KERNEL_GEMM_FP16), slow = fast;
    sim_calibration_fit got;

    start(&w);
    slow.parameter[SIM_GPU_EM] = .4;
    slow.parameter[SIM_GPU_ES] = .3;
    sweep(&w, &slow, "a_slow", 12, 0, 0);
    sweep(&w, &fast, "b_fast", 6, 0, 0);
    got = fit(&w, NULL);
    cr_expect(!line_of(&got, "a_slow")->kernel->is_default);
    cr_expect(line_of(&got, "b_fast")->kernel->is_default);
    sim_arena_free(&w.arena);
}

Test(calibrate, times_at_another_clock_are_scaled)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    sweep(&w, &k, "own", 12, 800, .01);
    sweep(&w, &k, "own", 12, 1500, .01);
    got = fit(&w, NULL);
    cr_expect_float_eq(got.lines[0].kernel->parameter[SIM_GPU_ES] / .45, 1, .05, "%g",
                       got.lines[0].kernel->parameter[SIM_GPU_ES]);
    cr_expect(got.lines[0].fitted.mape_pct < 1.2, "%g", got.lines[0].fitted.mape_pct);
    cr_expect_float_eq(got.lines[0].kernel->clock_mhz, 1150, 1e-6);
    cr_expect_eq(got.calibration.arch_clock_mhz, w.arch.clock_mhz);
    /* The same times with their clocks forgotten do not fit. */
    for (int64_t i = 0; i < w.count; i++)
        w.rows[i].clock_mhz = 0;
    got = fit(&w, NULL);
    cr_expect(got.lines[0].fitted.mape_pct > 8, "%g", got.lines[0].fitted.mape_pct);
    sim_arena_free(&w.arena);
}

Test(calibrate, a_host_floor_is_found_only_where_there_is_one)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    sweep(&w, &k, "own", 30, 0, .02);
    got = fit(&w, NULL);
    cr_expect_eq(got.lines[0].kernel->floor_us, 0);
    w.count = 0;
    k.floor_us = 60;
    for (int i = 0; i < 80; i++)
        measure(&w, &k, "own", ref_random_scale(&w.random, 1, 2000), ref_random_scale(&w.random, 64, 4096),
                ref_random_scale(&w.random, 64, 4096), 0, .02);
    got = fit(&w, NULL);
    cr_expect_float_eq(got.lines[0].kernel->floor_us, 60, 3, "%g", got.lines[0].kernel->floor_us);
    got = fit(&w, &(sim_calibrate_options){.no_floor = true});
    cr_expect_eq(got.lines[0].kernel->floor_us, 0);
    cr_expect(got.lines[0].fitted.mape_pct < 3, "scored with the floor");
    sim_arena_free(&w.arena);
}

Test(calibrate, a_session_refit_moves_three_parameters)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit first, second;
    const sim_gpu_kernel *a, *b;

    start(&w);
    sweep(&w, &k, "own", 30, 0, .01);
    first = fit(&w, NULL);
    w.count = 0;
    k.parameter[SIM_GPU_C] = 20;
    k.parameter[SIM_GPU_ES] = .55;
    k.parameter[SIM_GPU_EM] = .75;
    sweep(&w, &k, "own", 3, 0, .01);
    measure(&w, &k, "own", 1, 64, 512, 0, .01);
    measure(&w, &k, "own", 16, 512, 512, 0, .01);
    second = fit(&w, &(sim_calibrate_options){.refit = &first.calibration, .no_residuals = true});
    a = first.lines[0].kernel;
    b = second.lines[0].kernel;
    for (int i = SIM_GPU_Q; i < SIM_GPU_PARAMETERS; i++)
        cr_expect_eq(a->parameter[i], b->parameter[i], "%s", sim_gpu_parameter_names[i]);
    cr_expect_float_eq(b->parameter[SIM_GPU_C], 20, 1.5, "%g", b->parameter[SIM_GPU_C]);
    cr_expect_float_eq(b->parameter[SIM_GPU_ES], .55, .03, "%g", b->parameter[SIM_GPU_ES]);
    cr_expect_float_eq(b->parameter[SIM_GPU_EM], .75, .03, "%g", b->parameter[SIM_GPU_EM]);
    cr_expect_str_eq(second.lines[0].origin[SIM_GPU_Q], "test");
    sim_arena_free(&w.arena);
}

Test(calibrate, vector_kernels_have_launch_bandwidth_and_a_part_per_row)
{
    world w;
    sim_gpu_kernel k;
    sim_calibration_fit got;
    sim_gpu_rates rates;

    start(&w);
    sim_gpu_kernel_start(SIM_KERNEL_RMSNORM, &k);
    k.parameter[SIM_GPU_C] = 4;
    k.parameter[SIM_GPU_EM] = .7;
    k.row_us = .002;
    sim_gpu_rates_of(&w.arch, SIM_GPU_FP32, 0, &rates);
    for (int i = 0; i < 120; i++) {
        sim_measurement *row = &w.rows[w.count++];

        *row = (sim_measurement){.kernel = SIM_KERNEL_RMSNORM,
                                 .gpu = "",
                                 .impl = "own",
                                 .layout = "",
                                 .source = "",
                                 .m = ref_random_scale(&w.random, 1, 20000),
                                 .n = 128 * ref_random_int(&w.random, 1, 64),
                                 .batch = 1,
                                 .a_bits = 16,
                                 .file = "made.csv",
                                 .line = i + 2};
        row->latency_us = sim_gpu_vector_us(&rates, &k, row->m, row->n, sim_measurement_bytes(row)) *
                          (1 + ref_random_real(&w.random, -.01, .01));
    }
    got = fit(&w, NULL);
    cr_expect_float_eq(got.lines[0].kernel->parameter[SIM_GPU_C], 4, .3, "%g",
                       got.lines[0].kernel->parameter[SIM_GPU_C]);
    cr_expect_float_eq(got.lines[0].kernel->parameter[SIM_GPU_EM], .7, .01);
    cr_expect_float_eq(got.lines[0].kernel->row_us, .002, 2e-4, "%g", got.lines[0].kernel->row_us);
    cr_expect(got.lines[0].held_out.mape_pct < 1, "%g", got.lines[0].held_out.mape_pct);
    cr_expect_str_eq(got.calibration.source, "made.csv", "the file, when no row says where it is from");
    sim_arena_free(&w.arena);
}

/* ---- residuals ------------------------------------------------------------------------------------ */

Test(calibrate, residuals_help_the_shape_and_its_neighbours)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;
    const sim_gpu_kernel *kernel;

    start(&w);
    for (int s = 0; s < 20; s++) /* every m of one shape out of four takes 20% longer than the law says */
        for (int64_t m = 1; m <= 2048; m += m < 64 ? 9 : 96) {
            measure(&w, &k, "own", m, 1024 + 256 * s, 4096, 0, 0);
            w.rows[w.count - 1].latency_us *= s % 4 == 3 ? 1.2 : 1;
        }
    got = fit(&w, NULL);
    kernel = got.lines[0].kernel;
    cr_assert(kernel->residual_count > 0);
    for (int64_t i = 1; i < kernel->residual_count; i++) {
        const sim_gpu_residual *a = &kernel->residuals[i - 1], *b = &kernel->residuals[i];

        cr_assert(a->n < b->n || (a->n == b->n && a->m < b->m), "rising");
    }
    for (int s = 0; s < 20; s++) {
        int64_t of_shape = 0;

        for (int64_t i = 0; i < kernel->residual_count; i++)
            of_shape += kernel->residuals[i].n == 1024 + 256 * s;
        cr_expect_eq(of_shape, 16, "shape %d: %lld", s, (long long)of_shape);
    }
    cr_expect(got.lines[0].other_m.mape_pct < .6 * got.lines[0].fitted.mape_pct, "%g of %g",
              got.lines[0].other_m.mape_pct, got.lines[0].fitted.mape_pct);
    got = fit(&w, &(sim_calibrate_options){.no_residuals = true});
    cr_expect_eq(got.lines[0].kernel->residual_count, 0);
    sim_arena_free(&w.arena);
}

Test(calibrate, two_m_of_a_shape_leave_no_residual)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;

    start(&w);
    for (int s = 0; s < 8; s++) {
        measure(&w, &k, "own", 1, 1024 * (s + 1), 2048, 0, .05);
        measure(&w, &k, "own", 512, 1024 * (s + 1), 2048, 0, .05);
    }
    got = fit(&w, NULL);
    cr_expect_eq(got.lines[0].kernel->residual_count, 0);
    cr_expect_eq(got.lines[0].other_m.n, 0);
    sim_arena_free(&w.arena);
}

/* ---- files ---------------------------------------------------------------------------------------- */

static void load_text(world *w, const sim_calibration_fit *made, sim_gpu_calibration *out)
{
    char path[] = "/tmp/simacc-test-XXXXXX";
    int file = mkstemp(path);
    FILE *stream = fdopen(file, "w");
    sim_text text = {.length = 0};
    sim_err err = {0};

    cr_assert(stream);
    sim_calibration_text(made, &text);
    cr_assert(!text.failed && fwrite(text.data, 1, text.length, stream) == text.length);
    fclose(stream);
    sim_text_free(&text);
    sim_calibration_load(path, &w->arena, out, NULL, &err);
    unlink(path);
    cr_assert_eq(err.count, 0, "%s:%d: %s", path, err.items[0].line, err.items[0].text);
}

Test(calibrate, the_file_says_what_was_fitted)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit made;
    sim_gpu_calibration read;

    start(&w);
    sweep(&w, &k, "own \"best\" v1.2\\", 8, 1400, .03);
    k = truth(SIM_KERNEL_GEMM_W8A8);
    sweep(&w, &k, "", 3, 0, .03);
    w.rows[w.count - 1].regime = SIM_REGIME_SUSTAINED;
    made = fit(&w, NULL);
    load_text(&w, &made, &read);
    cr_assert_eq(read.kernel_count, 3);
    cr_expect_str_eq(read.name, "test");
    cr_expect_str_eq(read.gpu, "t4");
    cr_expect_eq(read.arch_clock_mhz, 1590);
    for (int64_t i = 0; i < read.kernel_count; i++) {
        const sim_gpu_kernel *a = &made.calibration.kernels[i], *b = &read.kernels[i];

        cr_expect(a->kind == b->kind && a->regime == b->regime && a->is_default == b->is_default);
        cr_expect_str_eq(a->impl, b->impl);
        for (int p = 0; p < SIM_GPU_PARAMETERS; p++) {
            cr_expect_float_eq(b->parameter[p] / a->parameter[p], 1, 1e-4, "%s", sim_gpu_parameter_names[p]);
            cr_expect_eq(a->from_prior[p], b->from_prior[p]);
        }
        cr_expect(a->rows == b->rows && a->groups == b->groups && a->tile_count == b->tile_count &&
                  a->k_step == b->k_step && a->tau_us == b->tau_us && a->dequant_frac == b->dequant_frac);
        cr_assert_eq(a->residual_count, b->residual_count);
        for (int64_t r = 0; r < a->residual_count; r++)
            cr_expect(a->residuals[r].m == b->residuals[r].m &&
                      fabs(a->residuals[r].log_ratio - b->residuals[r].log_ratio) < 1e-4);
        cr_expect(isnan(a->held_out_mape_pct) == isnan(b->held_out_mape_pct));
    }
    cr_expect_float_eq(read.kernels[0].clock_mhz, 1400, .1);
    sim_arena_free(&w.arena);
}

/* ---- which rows ----------------------------------------------------------------------------------- */

Test(calibrate, of_several_gpus_the_rows_of_the_arch_count)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibration_fit got;
    sim_err err = {0};
    sim_calibrate_options how = {.name = "x"};

    start(&w);
    sweep(&w, &k, "own", 4, 0, 0);
    for (int64_t i = 0; i < w.count; i++)
        w.rows[i].gpu = i % 4 == 0 ? "NVIDIA A100" : i % 4 == 1 ? "Tesla T4" : i % 4 == 2 ? "t4" : "";
    got = fit(&w, NULL);
    cr_expect_eq(got.rows, 12);
    cr_expect_eq(got.left_out, 4);
    cr_expect_str_eq(got.left_out_gpus, "NVIDIA A100");
    /* One other name alone: the arch file may be called anything. */
    for (int64_t i = 0; i < w.count; i++)
        w.rows[i].gpu = "NVIDIA A100";
    got = fit(&w, NULL);
    cr_expect_eq(got.rows, 16);
    cr_expect_str_eq(got.calibration.gpu, "NVIDIA A100");
    w.rows[0].gpu = "H100";
    cr_expect_eq(
        sim_calibrate(&w.arch, &(sim_measurements){"made.csv", w.rows, w.count}, &how, &w.arena, &got, &err),
        SIM_BAD_INPUT);
    cr_expect(strstr(err.items[0].text, "none of them 't4'"), "%s", err.items[0].text);
    cr_expect(strstr(err.items[0].hint, "H100") && strstr(err.items[0].hint, "A100"));
    sim_arena_free(&w.arena);
}

Test(calibrate, what_the_device_cannot_do_is_refused)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibrate_options how = {.name = "x"};
    sim_calibration_fit got;
    sim_err err = {0};

    start(&w);
    measure(&w, &k, "own", 16, 512, 512, 0, 0);
    w.rows[0].kernel = SIM_KERNEL_GEMM_FP8;
    cr_expect_eq(
        sim_calibrate(&w.arch, &(sim_measurements){"made.csv", w.rows, 1}, &how, &w.arena, &got, &err),
        SIM_BAD_INPUT);
    cr_expect_eq(err.items[0].line, 2);
    cr_expect(strstr(err.items[0].text, "does not multiply in fp8"), "%s", err.items[0].text);
    err = (sim_err){0};
    cr_assert_eq(sim_arch_load(SIMACC_SOURCE_DIR "/arch/edge.cfg", NULL, 0, &w.arena, &w.arch, &err), SIM_OK);
    cr_expect_eq(
        sim_calibrate(&w.arch, &(sim_measurements){"made.csv", w.rows, 1}, &how, &w.arena, &got, &err),
        SIM_BAD_INPUT);
    cr_expect(strstr(err.items[0].text, "is no GPU"), "%s", err.items[0].text);
    sim_arena_free(&w.arena);
}

/* ---- scores --------------------------------------------------------------------------------------- */

Test(calibrate, scores_are_means_medians_and_percentiles_of_relative_errors)
{
    const double measured[] = {0, 0, 0, 0}, predicted[] = {log(1.1), log(.8), log(1.4), log(1.0)};
    sim_arena arena;
    sim_err err = {0};
    sim_fit_score s;

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_fit_score_of(predicted, measured, 4, &arena, &s, &err), SIM_OK);
    cr_expect_eq(s.n, 4);
    cr_expect_float_eq(s.mape_pct, 17.5, 1e-9);
    cr_expect_float_eq(s.median_ape_pct, 15, 1e-9);
    cr_expect_float_eq(s.p95_ape_pct, 37, 1e-9, "linear between the order statistics");
    cr_expect_float_eq(s.bias_pct, 7.5, 1e-9);
    cr_assert_eq(sim_fit_score_of(predicted, measured, 0, &arena, &s, &err), SIM_OK);
    cr_expect(s.n == 0 && isnan(s.mape_pct));
    sim_arena_free(&arena);
}

Test(calibrate, a_check_predicts_what_the_fit_does)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16), slow = k;
    sim_calibration_fit made;
    sim_calibration_check check;
    sim_err err = {0};

    start(&w);
    slow.parameter[SIM_GPU_EM] = .3;
    sweep(&w, &k, "own", 12, 0, .02);
    sweep(&w, &slow, "slow", 12, 0, .02);
    made = fit(&w, &(sim_calibrate_options){.no_residuals = true, .name = "test"});
    cr_assert_eq(sim_calibration_score(&w.arch, &made.calibration,
                                       &(sim_measurements){"made.csv", w.rows, w.count}, &w.arena, &check,
                                       &err),
                 SIM_OK);
    cr_assert_eq(check.group_count, 2);
    cr_expect_eq(check.score.n, 96);
    for (int64_t g = 0; g < 2; g++) {
        const sim_fit_line *line = line_of(&made, check.groups[g].impl);

        cr_expect(check.groups[g].exact);
        cr_expect_str_eq(check.groups[g].basis, "calibrated");
        cr_expect_float_eq(check.groups[g].score.mape_pct, line->fitted.mape_pct, 1e-9);
        cr_expect_float_eq(check.groups[g].ideal.mape_pct, line->ideal.mape_pct, 1e-9);
    }
    /* Of an implementation nobody calibrated: the default's, and it is said. */
    for (int64_t i = 0; i < 48; i++)
        w.rows[i].impl = "unheard of";
    cr_assert_eq(sim_calibration_score(&w.arch, &made.calibration,
                                       &(sim_measurements){"made.csv", w.rows, 48}, &w.arena, &check, &err),
                 SIM_OK);
    cr_expect(!check.groups[0].exact);
    cr_expect_str_eq(check.groups[0].basis, "default implementation");
    cr_expect_str_eq(check.groups[0].scored_as, "own");
    cr_expect(check.score.mape_pct < 3);
    /* Of a kernel nobody calibrated: as a run would price it. */
    for (int64_t i = 0; i < 48; i++) {
        w.rows[i].kernel = SIM_KERNEL_GEMM_W8A8;
        w.rows[i].w_bits = w.rows[i].a_bits = 8;
    }
    cr_assert_eq(sim_calibration_score(&w.arch, &made.calibration,
                                       &(sim_measurements){"made.csv", w.rows, 48}, &w.arena, &check, &err),
                 SIM_OK);
    cr_expect_str_eq(check.groups[0].basis, "related kernel");
    cr_expect_null(check.groups[0].scored_as);
    sim_arena_free(&w.arena);
}

Test(calibrate, memory_running_out_is_told)
{
    world w;
    sim_gpu_kernel k = truth(SIM_KERNEL_GEMM_FP16);
    sim_calibrate_options how = {.name = "x"};
    long n;

    start(&w);
    for (int64_t m = 1; m <= 256; m *= 4)
        measure(&w, &k, "own", m, 4096, 4096, 0, 0);
    measure(&w, &k, "own", 1, 1024, 4096, 0, 0);
    for (n = 1; n < 4000; n += n < 60 ? 1 : 17) {
        failing state = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&state);
        sim_calibration_fit got;
        sim_arena arena;
        sim_err err = {0};
        sim_status status;

        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        status = sim_calibrate(&w.arch, &(sim_measurements){"made.csv", w.rows, w.count}, &how, &arena, &got,
                               &err);
        sim_arena_free(&arena);
        cr_assert_eq(state.live, 0);
        if (state.calls < n) {
            cr_expect_eq(status, SIM_OK);
            break;
        }
        cr_assert_eq(status, SIM_NO_MEMORY, "call %ld: %d", n, status);
    }
    cr_expect(n > 60 && n < 4000);
    sim_arena_free(&w.arena);
}
