/* Calibration files: what they say, what they leave to starting values, where an arch finds them, and what is
 * said of wrong ones. Messages of whole runs, word for word, are in tests/bad/calib. */
#include "base/text.h"
#include "input/arch.h"
#include "input/calib.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(calib, .init = begin, .fini = end);

static const char *data(const char *name)
{
    return sim_arena_printf(&arena, "%s/tests/data/%s", SIMACC_SOURCE_DIR, name);
}

static sim_gpu_calibration good(const char *path)
{
    sim_gpu_calibration calibration;
    sim_err err = {0};

    cr_assert_eq(sim_calibration_load(path, &arena, &calibration, NULL, &err), SIM_OK, "%s",
                 err.count ? err.items[0].text : "");
    cr_assert_eq(err.count, 0);
    return calibration;
}

/* Writes `text` to a file of its own, loads it, and removes it. */
static sim_status load_text(const char *text, sim_gpu_calibration *out, sim_err *err)
{
    char path[] = "/tmp/simacc_calib_XXXXXX";
    const int fd = mkstemp(path);
    sim_status status;

    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    status = sim_calibration_load(path, &arena, out, NULL, err);
    unlink(path);
    return status;
}

Test(calib, says_what_the_file_says)
{
    const sim_gpu_calibration c = good(data("small_gpu_calibration.cfg"));
    const sim_gpu_kernel *lib = sim_gpu_kernel_find(&c, SIM_KERNEL_GEMM_W8A8, NULL, SIM_REGIME_BURST);
    const sim_gpu_kernel *own = sim_gpu_kernel_find(&c, SIM_KERNEL_GEMM_W8A8, "own", SIM_REGIME_BURST);
    const sim_gpu_kernel *own_long =
        sim_gpu_kernel_find(&c, SIM_KERNEL_GEMM_W8A8, NULL, SIM_REGIME_SUSTAINED);
    static const double want[SIM_GPU_PARAMETERS] = {6.5, .25, .5, 2, .375, 64, .625, .125, 0};

    cr_expect_str_eq(c.name, "made_up");
    cr_expect_str_eq(c.gpu, "small_gpu");
    cr_expect_eq(c.kernel_count, 6);
    cr_expect_eq(c.arch_clock_mhz, 1000);
    cr_assert(lib && own && own_long && lib != own);
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        cr_expect_eq(lib->parameter[i], want[i], "%s", sim_gpu_parameter_names[i]);
    cr_expect_str_eq(lib->impl, "lib");
    cr_expect(lib->is_default && !own->is_default);
    cr_expect(lib->floor_us == 12.5 && lib->tau_us == 700 && lib->k_step == 64 && lib->dequant_frac == 3);
    cr_expect(lib->occupancy_least == 2 && lib->occupancy_most == 8);
    cr_expect(lib->tile_count == 2 && lib->tiles[1].rows == 64 && lib->tiles[0].cols == 128);
    cr_expect(lib->clock_mhz == 900 && lib->held_out_mape_pct == 4.25 && isnan(lib->mape_pct));
    cr_expect_str_eq(lib->source, "a table of its own");
    cr_expect_str_eq(own->source, "made up for the tests");
    cr_expect_eq(own->residual_count, 4);
    cr_expect_float_eq(sim_gpu_residual_of(own, 64, 64, 16), -.0625, 1e-15);
    cr_expect_float_eq(sim_gpu_residual_of(own, 128, 32, 7), .5, 1e-15);
    cr_expect(own_long->regime == SIM_REGIME_SUSTAINED && own_long->parameter[SIM_GPU_ES] == .125);
}

Test(calib, what_is_not_given_starts_from_the_kernel)
{
    const sim_gpu_calibration c = good(data("small_gpu_calibration.cfg"));
    const sim_gpu_kernel *fp16 = sim_gpu_kernel_find(&c, SIM_KERNEL_GEMM_FP16, NULL, SIM_REGIME_BURST);
    const sim_gpu_kernel *softmax = sim_gpu_kernel_find(&c, SIM_KERNEL_SOFTMAX, NULL, SIM_REGIME_BURST);
    const sim_gpu_kernel *empty = sim_gpu_kernel_find(&c, SIM_KERNEL_EMPTY, NULL, SIM_REGIME_BURST);
    sim_gpu_kernel start;

    sim_gpu_kernel_start(SIM_KERNEL_GEMM_FP16, &start);
    cr_expect(fp16->parameter[SIM_GPU_C] == 4 && fp16->parameter[SIM_GPU_Q] == start.parameter[SIM_GPU_Q]);
    cr_expect(fp16->tile_count == start.tile_count && fp16->k_step == start.k_step);
    cr_expect(fp16->tau_us == start.tau_us && fp16->residual_count == 0);
    cr_expect(fp16->rows == 20 && fp16->groups == 5 && fp16->mape_pct == 3.5);
    cr_expect_str_eq(fp16->impl, "");
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        cr_expect_eq(fp16->from_prior[i], i == SIM_GPU_K0 || i == SIM_GPU_AL);
    cr_expect(softmax->row_us == .001 && softmax->parameter[SIM_GPU_EM] == .625 && softmax->tile_count == 0);
    cr_expect_eq(empty->parameter[SIM_GPU_C], 1.5);
}

/* ---- from an arch ---- */

static sim_status load_arch(const char *path, const char *calibration, sim_arch *out, sim_err *err)
{
    const sim_arch_setting setting = {"calibration", calibration};

    return sim_arch_load(path, &setting, calibration ? 1 : 0, &arena, out, err);
}

Test(calib, an_arch_finds_it_beside_its_file)
{
    sim_arch with, without, bad;
    sim_err err = {0};

    cr_assert_eq(load_arch(data("small_gpu.cfg"), NULL, &with, &err), SIM_OK, "%s",
                 err.count ? err.items[0].text : "");
    cr_assert_not_null(with.calibration);
    cr_expect_str_eq(with.calibration->name, "made_up");
    cr_expect_str_eq(with.gpu.impl[SIM_KERNEL_GEMM_W8A8], "own");
    /* the implementation of no calibration, and of one that does not have it */
    cr_expect_eq(load_arch(data("small_gpu.cfg"), "none", &bad, &err), SIM_BAD_INPUT);
    cr_expect_not_null(strstr(err.items[0].text, "needs a 'calibration'"));
    /* a path by --set is the caller's */
    err.count = 0;
    cr_expect_eq(load_arch(sim_arena_printf(&arena, "%s/arch/t4.cfg", SIMACC_SOURCE_DIR),
                           data("small_gpu_calibration.cfg"), &with, &err),
                 SIM_OK);
    cr_expect_str_eq(with.calibration->name, "made_up");
    cr_assert_eq(
        load_arch(sim_arena_printf(&arena, "%s/arch/t4.cfg", SIMACC_SOURCE_DIR), "none", &without, &err),
        SIM_OK);
    cr_expect_null(without.calibration);
    cr_expect(without.id != with.id);
    cr_expect_eq(
        load_arch(sim_arena_printf(&arena, "%s/arch/t4.cfg", SIMACC_SOURCE_DIR), "nowhere", &bad, &err),
        SIM_BAD_INPUT);
    cr_expect_str_eq(err.items[0].text, "unknown calibration 'nowhere'");
    err.count = 0;
    cr_expect_eq(
        load_arch(sim_arena_printf(&arena, "%s/arch/t4.cfg", SIMACC_SOURCE_DIR), "./nowhere.cfg", &bad, &err),
        SIM_BAD_INPUT);
}

/* Every number in the file is part of what identifies a design point. */
Test(calib, each_number_changes_the_identity)
{
    sim_text one = {.length = 0}, two = {.length = 0};
    sim_gpu_calibration c;
    sim_err err = {0};

    cr_assert_eq(sim_calibration_load(data("small_gpu_calibration.cfg"), &arena, &c, &one, &err), SIM_OK);
    cr_assert_eq(sim_calibration_load(data("small_gpu_calibration.cfg"), &arena, &c, &two, &err), SIM_OK);
    cr_expect_str_eq(one.data, two.data);
    cr_expect_not_null(strstr(one.data, "calibration.kernels.w8a8_lib.lam=0.375\n"));
    cr_expect_not_null(strstr(one.data, "residual=64,64,16,-0.125\n"));
    cr_expect_not_null(strstr(one.data, "tile=64,64\n"));
    sim_text_free(&one);
    sim_text_free(&two);
}

Test(calib, a_step_is_read_with_its_engine)
{
    sim_gpu_calibration c;
    sim_err err = {0};

    cr_assert_eq(
        load_text("calibration = { name = \"x\"; gpu = \"y\"; source = \"z\"; kernels = {\n"
                  "a = { kernel = \"copy\"; impl = \"p\"; dispatch = \"host\"; c_us = 1; em = 1; }; };\n"
                  "step = { impl = \"p\"; t0_us = 5; attention = \"unfused\"; int8_mac_fj = 12.5;\n"
                  "attention_fp16_es = 0.25; rows = 3; held_out_mape_pct = 4; }; };\n",
                  &c, &err),
        SIM_OK, "%s", err.items[0].text);
    cr_expect_eq(c.kernels[0].dispatch, SIM_DISPATCH_HOST);
    cr_assert_not_null(c.step);
    cr_expect_str_eq(c.step->impl, "p");
    cr_expect_str_eq(c.step->source, "z", "the calibration's when it says none");
    cr_expect(c.step->t0_us == 5 && c.step->attention == SIM_ATTENTION_UNFUSED && c.step->rows == 3);
    cr_expect(c.step->mac_fj[SIM_GPU_INT8] == 12.5 && c.step->mac_fj[SIM_GPU_FP16] == 0);
    cr_expect(c.step->attention_es[SIM_GPU_FP16] == .25 && c.step->attention_es[SIM_GPU_INT8] == 0);
    cr_expect(c.step->held_out_mape_pct == 4 && isnan(c.step->mape_pct));
    c = good(data("small_gpu_calibration.cfg"));
    cr_expect_null(c.step);
}

/* ---- what can be wrong ---- */

#define HEAD      "calibration = { name = \"x\"; gpu = \"y\"; source = \"z\"; kernels = {\n"
#define TAIL      "}; };\n"
#define STEP_HEAD HEAD "a = { kernel = \"copy\"; impl = \"p\"; c_us = 1; em = 1; }; };\n"
#define STEP_TAIL " };\n"

Test(calib, what_is_wrong_is_said_with_its_line)
{
    static const struct {
        const char *text, *message;
        int line;
    } cases[] = {
        {"other = 1;\n", "unknown key 'other'", 1},
        {"calibration = { name = \"x\"; gpu = \"y\"; source = \"z\"; };\n",
         "the calibration holds no kernels", 0},
        {HEAD "a = 1;\n" TAIL, "the calibration holds no kernels", 0},
        {HEAD "a = { kernel = \"gemm_fp17\"; c_us = 1; es = 1; em = 1; };\n" TAIL,
         "'calibration.kernels.a.kernel' cannot be 'gemm_fp17'", 2},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; em = 1; };\n" TAIL,
         "missing key 'calibration.kernels.a.es'", 2},
        {HEAD "a = { kernel = \"softmax\"; c_us = 1; };\n" TAIL, "missing key 'calibration.kernels.a.em'", 2},
        {HEAD "a = { kernel = \"empty\"; };\n" TAIL, "missing key 'calibration.kernels.a.c_us'", 0},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1; lamm = 2; };\n" TAIL,
         "unknown key 'lamm' in 'calibration.kernels.a'", 2},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = -1; es = 1; em = 1; };\n" TAIL,
         "'calibration.kernels.a.c_us' must be from 0 to 1000000 us, not -1", 2},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\ntiles = ( (64, 0) ); };\n" TAIL,
         "tile 1 of 'calibration.kernels.a.tiles' must be two integers (rows, columns) from 1 to 1024", 3},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\ntiles = ( ); };\n" TAIL,
         "'calibration.kernels.a.tiles' must hold from 1 to 16 tiles", 3},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\ntiles = 64; };\n" TAIL,
         "'calibration.kernels.a.tiles' must be a list", 3},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\nresiduals = ( (1, 2, 3) ); };\n" TAIL,
         "row 1 of 'calibration.kernels.a.residuals' must be n, k, m and a logarithm from -5 to 5", 3},
        {HEAD
         "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\nresiduals = ( (1, 2, 3, 9.5) ); };\n" TAIL,
         "row 1 of 'calibration.kernels.a.residuals' must be n, k, m and a logarithm from -5 to 5", 3},
        {HEAD "a = { kernel = \"gemm_fp16\"; c_us = 1; es = 1; em = 1;\n"
              "residuals = ( (1, 2, 3, 0.5), (1, 2, 3, 0.5) ); };\n" TAIL,
         "row 2 of 'calibration.kernels.a.residuals' does not follow the row before: they rise by n, then k, "
         "then m",
         3},
        {HEAD "a = { kernel = \"copy\"; c_us = 1; em = 1; };\nb = { kernel = \"copy\"; c_us = 1; em = 1; "
              "};\n" TAIL,
         "'calibration.kernels.b' is a second copy of implementation '', burst", 3},
        {HEAD "a = { kernel = \"copy\"; impl = \"p\"; c_us = 1; em = 1; default = true; };\n"
              "b = { kernel = \"copy\"; impl = \"q\"; c_us = 1; em = 1; default = true; };\n" TAIL,
         "'calibration.kernels.b' is a second default of copy, burst", 3},
        {HEAD "a = { kernel = \"copy\"; c_us = 1; em = 1; occupancy_least = 8; occupancy_most = 4; };\n" TAIL,
         "'calibration.kernels.a.occupancy_least' is above 'occupancy_most'", 2},
        {HEAD "a = { kernel = \"copy\"; c_us = 1; em = 1; from_prior = [ \"kk\" ]; };\n" TAIL,
         "'calibration.kernels.a.from_prior' cannot be 'kk'", 2},
        {HEAD "a = { kernel = \"copy\"; c_us = 1; em = 1; dispatch = \"bus\"; };\n" TAIL,
         "'calibration.kernels.a.dispatch' cannot be 'bus'", 2},
        {STEP_HEAD "step = { impl = \"p\"; };" STEP_TAIL, "missing key 'calibration.step.t0_us'", 0},
        {STEP_HEAD "step = { t0_us = 5; };" STEP_TAIL, "missing key 'calibration.step.impl'", 0},
        {STEP_HEAD "step = { impl = \"q\"; t0_us = 5; };" STEP_TAIL,
         "'calibration.step.impl': there are no kernels of 'q'", 3},
        {STEP_HEAD "step = { impl = \"p\"; t0_us = -5; };" STEP_TAIL,
         "'calibration.step.t0_us' must be from 0 to 1000000000 us, not -5", 3},
        {STEP_HEAD "step = { impl = \"p\"; t0_us = 5; attention = \"all\"; };" STEP_TAIL,
         "'calibration.step.attention' cannot be 'all'", 3},
        {STEP_HEAD "step = { impl = \"p\"; t0_us = 5; fp16_mac = 3; };" STEP_TAIL,
         "unknown key 'fp16_mac' in 'calibration.step'", 3},
        {STEP_HEAD "step = 5;" STEP_TAIL, "'calibration.step' must be a group", 3},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_gpu_calibration c;
        sim_err *err = calloc(1, sizeof *err);
        bool found = false;

        cr_expect_eq(load_text(cases[i].text, &c, err), SIM_BAD_INPUT, "%s", cases[i].text);
        for (int e = 0; e < err->count; e++)
            if (strcmp(err->items[e].text, cases[i].message) == 0) {
                found = true;
                cr_expect_eq(err->items[e].line, cases[i].line, "%s: line %d", cases[i].text,
                             err->items[e].line);
            }
        cr_expect(found, "%s: %s", cases[i].text, err->items[0].text);
        free(err);
    }
}

/* All errors of a file together. */
Test(calib, reports_all_errors_at_once)
{
    sim_gpu_calibration c;
    sim_err err = {0};

    cr_expect_eq(
        load_text(HEAD "a = { kernel = \"copy\"; em = 2; };\nb = { kernel = \"softmax\"; c_us = \"x\"; em = "
                       "1; };\n" TAIL,
                  &c, &err),
        SIM_BAD_INPUT);
    cr_expect_eq(err.count, 2);
}
