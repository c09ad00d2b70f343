/* Calibration: parameters that made the times are found again, what rows cannot tell is said, and files and
 * scores agree with the fit. */
#include "calibrate_fixture.h"

#include "explore/calibrate_fit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

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
