/* Steps of encoders: the file, the kernels that stand for a step, and fits that find what was put in. */
#include "explore/calibrate.h"

#include "base/text.h"
#include "explore/calibrate_step.h"
#include "input/arch.h"
#include "model/run.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEADER "model,layers,hidden,heads,ffn,precision,batch,tokens,latency_ms,attention,gpu,impl\n"

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(steps, .init = begin, .fini = end);

static sim_status parse(const char *text, sim_engine_steps *out, sim_err *err)
{
    *err = (sim_err){0};
    return sim_engine_steps_parse(text, strlen(text), "s.csv", &arena, out, err);
}

static sim_arch arch_of(const char *name)
{
    const sim_arch_setting none = {"calibration", "none"};
    sim_arch arch;
    sim_err err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, name);
    cr_assert_eq(sim_arch_load(path, &none, strcmp(name, "edge") == 0 ? 0 : 1, &arena, &arch, &err), SIM_OK,
                 "%s", err.items[0].text);
    return arch;
}

/* ---- the file --------------------------------------------------------------------------------------- */

Test(steps, are_read_by_column)
{
    sim_engine_steps got;
    sim_err err;

    cr_assert_eq(parse("# source: nobody\n" HEADER "base,12,768,12,3072,w8a8,4,128,2.5,,T4,tensorrt\n"
                       "base,12,768,12,3072,fp16,1,384,7,unfused,,\n",
                       &got, &err),
                 SIM_OK, "%s", err.items[0].text);
    cr_assert_eq(got.count, 2);
    cr_expect_str_eq(got.rows[0].model, "base");
    cr_expect(got.rows[0].shape.layers == 12 && got.rows[0].shape.hidden == 768 &&
              got.rows[0].shape.heads == 12 && got.rows[0].shape.ffn == 3072);
    cr_expect(got.rows[0].number.format == SIM_FORMAT_INT && got.rows[0].number.bits == 8);
    cr_expect(got.rows[0].batch == 4 && got.rows[0].tokens == 128 && got.rows[0].latency_us == 2500);
    cr_expect_eq(got.rows[0].attention, SIM_ATTENTION_PER_HEAD);
    cr_expect_str_eq(got.rows[0].impl, "tensorrt");
    cr_expect(got.rows[1].number.format == SIM_FORMAT_FP && got.rows[1].number.bits == 16);
    cr_expect_eq(got.rows[1].attention, SIM_ATTENTION_UNFUSED);
    cr_expect_str_eq(got.rows[1].impl, "engine");
    cr_expect_eq(got.rows[1].line, 4);
}

Test(steps, say_what_is_wrong_with_them)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"model,layers\nx,1\n", "no column 'hidden'"},
        {HEADER, "no steps below the header"},
        {HEADER ",12,768,12,3072,fp16,1,128,1,,,\n", "column 'model': empty"},
        {HEADER "b,12,768,12,3072,int3,1,128,1,,,\n", "column 'precision': unknown value 'int3'"},
        {HEADER "b,12,768,12,3072,,1,128,1,,,\n", "column 'precision': empty"},
        {HEADER "b,12,768,7,3072,fp16,1,128,1,,,\n", "7 heads do not divide hidden 768"},
        {HEADER "b,12,768,12,3072,fp16,0,128,1,,,\n", "column 'batch': 0 is not above 0"},
        {HEADER "b,12,768,12,3072,fp16,1.5,128,1,,,\n", "column 'batch': '1.5' is not an integer"},
        {HEADER "b,12,768,12,3072,fp16,1,128,-1,,,\n", "column 'latency_ms': -1 is not above 0"},
        {HEADER "b,12,768,12,3072,fp16,1,128,nan,,,\n", "column 'latency_ms'"},
        {HEADER "b,twelve,768,12,3072,fp16,1,128,1,,,\n", "column 'layers': 'twelve' is not a number"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,linear,,\n", "column 'attention': unknown value 'linear'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_engine_steps got;
        sim_err err;

        cr_expect_eq(parse(cases[i].text, &got, &err), SIM_BAD_INPUT, "case %zu", i);
        cr_assert_geq(err.count, 1, "case %zu", i);
        cr_expect(strstr(err.items[0].text, cases[i].says), "case %zu: %s", i, err.items[0].text);
        cr_expect_str_eq(err.items[0].file, "s.csv");
    }
}

Test(steps, of_another_gpu_are_left_out)
{
    sim_arch l4 = arch_of("l4"), v100 = arch_of("v100");
    sim_engine_steps all, got;
    const char *others;
    sim_err err;

    cr_assert_eq(parse(HEADER "b,12,768,12,3072,fp16,1,128,1,,NVIDIA L4,\n"
                              "b,12,768,12,3072,fp16,1,128,1,,L40S,\n"
                              "b,12,768,12,3072,fp16,1,128,1,,,\n",
                       &all, &err),
                 SIM_OK);
    cr_assert_eq(sim_engine_steps_of(&l4, &all, &arena, &got, &others, &err), SIM_OK);
    cr_expect_eq(got.count, 2, "its own, and those that name none");
    cr_expect_str_eq(others, "L40S", "whose name begins like its own");
    all.count = 2;
    cr_expect_eq(sim_engine_steps_of(&v100, &all, &arena, &got, &others, &err), SIM_BAD_INPUT);
}

/* ---- the kernels ------------------------------------------------------------------------------------ */

/* Counted here from the shapes of the tensors alone. */
Test(steps, do_the_work_of_the_encoder)
{
    const sim_encoder base = {12, 768, 12, 3072};
    const int64_t batch = 3, tokens = 128, rows = batch * tokens;
    sim_arch t4 = arch_of("t4");
    const sim_policy policy = {
        .name = "fp16", .overrides_own = true, .base = {.w = {SIM_FORMAT_FP, 16}, .a = {SIM_FORMAT_FP, 16}}};
    const int64_t h = 768, f = 3072, layers = 12, answers = 2;
    const int64_t linears = layers * rows * (4 * h * h + 2 * h * f);
    const int64_t attention = layers * 2 * batch * tokens * tokens * h, head = rows * h * answers;
    const int64_t biases = 3 * h + h + f + h, norms = 2 * h;
    const int64_t weights = layers * (4 * h * h + 2 * h * f + biases + 2 * norms) + norms + answers * (h + 1);
    sim_workload workload;
    sim_result result;
    sim_err err = {0};

    cr_assert_eq(sim_encoder_workload(&base, batch, tokens, &arena, &workload, &err), SIM_OK);
    cr_expect_eq(workload.tokens, rows);
    cr_assert_eq(sim_run_model(&t4, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &result, &err),
                 SIM_OK, "%s", err.items[0].text);
    cr_expect_eq(result.totals.macs, linears + attention + head);
    cr_expect_eq(result.totals.weight_bytes, 2 * weights);
    cr_expect_eq(sim_encoder_workload(&base, INT64_MAX / 2, 3, &arena, &workload, &err), SIM_OVERFLOW);
}

/* ---- fits ------------------------------------------------------------------------------------------- */

enum { MODELS = 2, LENGTHS = 2, BATCHES = 5, PRECISIONS = 2, GROUPS = MODELS * LENGTHS };

/* Steps of an engine that is known: its calibration predicts them. */
static sim_engine_steps made_up(const sim_arch *arch, const sim_gpu_calibration *truth, double noise_frac)
{
    static const sim_encoder shapes[MODELS] = {{12, 768, 12, 3072}, {24, 1024, 16, 4096}};
    static const char *const names[MODELS] = {"base", "large"};
    static const int64_t lengths[LENGTHS] = {128, 384}, batches[BATCHES] = {1, 4, 16, 32, 128};
    static const sim_number numbers[PRECISIONS] = {{SIM_FORMAT_FP, 16}, {SIM_FORMAT_INT, 8}};
    sim_step_row *rows =
        sim_arena_alloc(&arena, (size_t)MODELS * LENGTHS * BATCHES * PRECISIONS, sizeof *rows);
    sim_engine_steps out = {.file = "made_up.csv", .rows = rows};
    sim_err err = {0};

    for (int i = 0; i < MODELS * LENGTHS * BATCHES * PRECISIONS; i++) {
        sim_step_row *r = &rows[out.count++];

        *r = (sim_step_row){
            .gpu = "", .impl = "made", .model = names[i % MODELS], .session = "", .source = ""};
        r->shape = shapes[i % MODELS];
        r->tokens = lengths[i / MODELS % LENGTHS];
        r->batch = batches[i / (MODELS * LENGTHS) % BATCHES];
        r->number = numbers[i / (MODELS * LENGTHS * BATCHES)];
        r->attention = SIM_ATTENTION_PER_HEAD;
        cr_assert_eq(sim_step_predict(arch, truth, r, &r->latency_us, &err), SIM_OK, "%s", err.items[0].text);
        r->latency_us *= 1 + noise_frac * (i % 3 - 1);
    }
    return out;
}

/* An engine unlike what fits start from. */
static sim_gpu_calibration engine(const sim_arch *arch)
{
    static const sim_gpu_kernel_kind kinds[] = {SIM_KERNEL_GEMM_FP16, SIM_KERNEL_GEMM_W8A8,
                                                SIM_KERNEL_RMSNORM};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    sim_gpu_kernel *kernels = sim_arena_alloc(&arena, KINDS, sizeof *kernels);
    sim_gpu_step *step = sim_arena_alloc(&arena, 1, sizeof *step);

    for (int i = 0; i < KINDS; i++) {
        sim_gpu_kernel_start(kinds[i], &kernels[i]);
        kernels[i].impl = "made";
        kernels[i].regime = SIM_REGIME_SUSTAINED;
        kernels[i].tau_us = 700;
    }
    kernels[0].parameter[SIM_GPU_C] = 9;
    kernels[0].parameter[SIM_GPU_ES] = .5;
    kernels[1].parameter[SIM_GPU_C] = 7;
    kernels[1].parameter[SIM_GPU_ES] = .45;
    kernels[2].parameter[SIM_GPU_C] = 4;
    kernels[2].parameter[SIM_GPU_EM] = .75;
    *step = (sim_gpu_step){.impl = "made", .attention = SIM_ATTENTION_PER_HEAD, .t0_us = 60, .source = ""};
    step->attention_es[SIM_GPU_FP16] = .4;
    step->attention_es[SIM_GPU_INT8] = .25;
    step->mac_fj[SIM_GPU_FP16] = 1.2 * arch->gpu.mac_fj[SIM_GPU_FP16];
    step->mac_fj[SIM_GPU_INT8] = .9 * arch->gpu.mac_fj[SIM_GPU_INT8];
    return (sim_gpu_calibration){.name = "made",
                                 .gpu = "T4",
                                 .file = "",
                                 .source = "made up",
                                 .arch_clock_mhz = arch->clock_mhz,
                                 .kernels = kernels,
                                 .kernel_count = KINDS,
                                 .step = step};
}

static double value_of(const sim_step_fit *fit, const char *name)
{
    for (int i = 0; i < fit->parameter_count; i++)
        if (strcmp(fit->parameters[i].name, name) == 0)
            return fit->parameters[i].value;
    cr_assert_fail("no parameter '%s'", name);
    return NAN;
}

Test(steps, fits_find_the_engine_that_made_them)
{
    sim_arch t4 = arch_of("t4");
    sim_gpu_calibration truth = engine(&t4);
    sim_engine_steps steps = made_up(&t4, &truth, .01);
    sim_step_fit fit;
    sim_err err = {0};

    cr_assert_eq(sim_calibrate_steps(&t4, &steps, &arena, &fit, &err), SIM_OK, "%s", err.items[0].text);
    cr_expect_lt(fit.fitted.mape_pct, 1.5, "%g", fit.fitted.mape_pct);
    cr_expect_eq(fit.folds, GROUPS);
    cr_expect_lt(fit.held_out.mape_pct, 3, "%g", fit.held_out.mape_pct);
    cr_expect_lt(fit.by_batch.mape_pct, 3, "%g", fit.by_batch.mape_pct);
    cr_expect_eq(fit.step.rows, steps.count);
    cr_expect_eq(fit.step.groups, GROUPS);
    /* What the power cap shows is told best. */
    cr_expect_float_eq(value_of(&fit, "fp16 mac_fj") / truth.step->mac_fj[SIM_GPU_FP16], 1, .02);
    cr_expect_float_eq(value_of(&fit, "int8 mac_fj") / truth.step->mac_fj[SIM_GPU_INT8], 1, .05);
    cr_expect_float_eq(value_of(&fit, "int8 attention es") / .25, 1, .15);
    cr_expect_eq(fit.step.mac_fj[SIM_GPU_FP16], value_of(&fit, "fp16 mac_fj"));
}

Test(steps, no_row_is_fitted_and_scored_at_once)
{
    sim_arch t4 = arch_of("t4");
    sim_gpu_calibration truth = engine(&t4);
    sim_engine_steps steps = made_up(&t4, &truth, 0);
    sim_step_row *rows = (sim_step_row *)(uintptr_t)steps.rows;
    double *before = sim_arena_alloc(&arena, (size_t)steps.count, sizeof *before);
    double *after = sim_arena_alloc(&arena, (size_t)steps.count, sizeof *after);
    sim_err err = {0};
    int folds;

    cr_assert_eq(sim_step_hold_out(&t4, &steps, SIM_STEP_BY_BATCH, &arena, before, &folds, &err), SIM_OK);
    cr_expect_eq(folds, BATCHES);
    for (int64_t i = 0; i < steps.count; i++)
        if (rows[i].batch == 4)
            rows[i].latency_us *= 3;
    cr_assert_eq(sim_step_hold_out(&t4, &steps, SIM_STEP_BY_BATCH, &arena, after, &folds, &err), SIM_OK);
    for (int64_t i = 0; i < steps.count; i++) {
        if (rows[i].batch == 4)
            cr_expect_eq(after[i], before[i], "a row's own time changed its prediction");
    }
}

Test(steps, wrong_ones_are_refused)
{
    static const struct {
        const char *text, *arch, *says;
    } cases[] = {
        {HEADER "b,12,768,12,3072,fp8,1,128,1,,,\n", "t4", "'t4' does not multiply fp8"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,,,a\nb,12,768,12,3072,fp16,2,128,1,,,b\n", "t4",
         "steps of another engine ('b'"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,,,\nb,12,768,12,3072,fp16,2,128,1,unfused,,\n", "t4",
         "steps of another engine"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,,,\nb,12,768,12,3072,w8a8,2,128,1,,,\n"
                "b,12,768,12,3072,bf16,2,128,1,,,\n",
         "a100", "a third precision"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,,,\n", "edge", "'edge' is no GPU"},
        {HEADER "b,12,768,12,3072,fp16,1,128,1,,A100,\n", "t4", "no steps of 't4'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arch arch = arch_of(cases[i].arch);
        sim_engine_steps steps;
        sim_step_fit fit;
        sim_err err;

        cr_assert_eq(parse(cases[i].text, &steps, &err), SIM_OK, "case %zu: %s", i, err.items[0].text);
        cr_expect_eq(sim_calibrate_steps(&arch, &steps, &arena, &fit, &err), SIM_BAD_INPUT, "case %zu", i);
        cr_expect(strstr(err.items[0].text, cases[i].says), "case %zu: %s", i, err.items[0].text);
    }
}

/* What is fitted is put beside what the arch's calibration has, and comes back from the file as it went in.
 */
Test(steps, join_a_calibration)
{
    sim_arch t4 = arch_of("t4");
    sim_gpu_calibration truth = engine(&t4);
    sim_engine_steps steps = made_up(&t4, &truth, 0);
    const sim_calibrate_options how = {.name = "joined"};
    sim_calibration_fit fit = {.rows = 0};
    sim_gpu_calibration back;
    sim_text text = {.length = 0};
    char path[] = "/tmp/simacc_steps_XXXXXX";
    double before = 0, after = 1;
    sim_err err = {0};
    FILE *file;
    int fd;

    t4.calibration = &truth; /* of the same engine: replaced, not doubled */
    cr_assert_eq(sim_calibrate_add_steps(&t4, &steps, &how, &arena, &fit, &err), SIM_OK, "%s",
                 err.items[0].text);
    cr_expect_eq(fit.calibration.kernel_count, 3);
    cr_expect_str_eq(fit.calibration.name, "joined");
    sim_calibration_text(&fit, &text);
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    file = fdopen(fd, "w");
    cr_assert(file && fwrite(text.data, 1, text.length, file) == text.length);
    fclose(file);
    cr_assert_eq(sim_calibration_open(path, &arena, &back, &err), SIM_OK, "%s", err.items[0].text);
    remove(path);
    cr_assert(back.step);
    cr_expect_str_eq(back.step->impl, "made");
    cr_expect_eq(back.step->attention, SIM_ATTENTION_PER_HEAD);
    cr_expect_eq(back.step->groups, GROUPS);
    for (int64_t i = 0; i < steps.count; i += 7) {
        cr_assert_eq(sim_step_predict(&t4, &fit.calibration, &steps.rows[i], &before, &err), SIM_OK);
        cr_assert_eq(sim_step_predict(&t4, &back, &steps.rows[i], &after, &err), SIM_OK);
        cr_expect_float_eq(after / before, 1, 1e-3);
    }
    sim_text_free(&text);
}
