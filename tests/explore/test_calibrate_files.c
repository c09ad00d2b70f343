/* Calibration files, the rows that go into a fit, and scores. */
#include "calibrate_fixture.h"

#include "explore/calibrate_fit.h"
#include "input/arch.h"
#include "input/calib.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
