/* Engines on the back end `gpu`: their kernels and steps, attention per head or unfused, what L2 hands on,
 * and launches from the host or a graph. */
#include "input/arch.h"
#include "model/run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const sim_number fp16 = {SIM_FORMAT_FP, 16}, int8 = {SIM_FORMAT_INT, 8};

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(gpu_engine, .init = begin, .fini = end);

/* A shipped GPU, with the calibration of that name. */
static sim_arch *gpu_of(const char *name, const char *calibration)
{
    const sim_arch_setting setting = {"calibration", calibration};
    sim_arch *arch = sim_arena_alloc(&arena, 1, sizeof *arch);
    sim_err err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, name);
    cr_assert_eq(sim_arch_load(path, &setting, 1, &arena, arch, &err), SIM_OK, "%s", err.items[0].text);
    return arch;
}

static sim_result run(const sim_arch *arch, const sim_layer *layers, int64_t count, sim_number number)
{
    const sim_policy policy = {.name = "test", .base = {.w = number, .a = number}, .overrides_own = true};
    sim_workload *workload = sim_arena_alloc(&arena, 1, sizeof *workload);
    sim_result result;
    sim_err err = {0};

    *workload = (sim_workload){.name = "test", .layers = layers, .layer_count = count};
    cr_assert_eq(sim_run_model(arch, workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &result, &err),
                 SIM_OK, "%s", err.items[0].text);
    return result;
}

static sim_layer product(const char *name, int64_t m, int64_t n, int64_t k, int64_t batch)
{
    return (sim_layer){.name = name,
                       .op = SIM_OP_MATMUL,
                       .repeat = 1,
                       .m = m,
                       .n = n,
                       .k = k,
                       .batch = batch,
                       .weights = batch > 1 ? SIM_WEIGHTS_DYNAMIC : SIM_WEIGHTS_STATIC};
}

/* Attention of `heads` heads of `tokens` tokens, 64 elements each. */
static void attention(int64_t tokens, int64_t heads, sim_layer out[3])
{
    out[0] = product("qk", tokens, tokens, 64, heads);
    out[0].out_on_chip = true;
    out[1] = (sim_layer){.name = "softmax",
                         .op = SIM_OP_SOFTMAX,
                         .repeat = 1,
                         .m = tokens,
                         .n = tokens,
                         .batch = heads,
                         .inputs = 1,
                         .ops_per_element = 5,
                         .a_on_chip = true,
                         .out_on_chip = true};
    out[2] = product("pv", tokens, 64, tokens, heads);
    out[2].a_on_chip = true;
}

/* ---- the law of heads ------------------------------------------------------------------------------- */

/* Against the formula, written here with other words. */
Test(gpu_engine, heads_run_in_waves)
{
    const sim_gpu_rates rates = {.sms = 40, .flop_per_us = 40 * 1e6, .byte_per_us = 3e5, .l2_bytes = 4e6};
    sim_gpu_kernel kernel;

    sim_gpu_kernel_start(SIM_KERNEL_GEMM_FP16, &kernel);
    for (int64_t heads = 1; heads <= 400; heads += 7) {
        const sim_gpu_gemm gemm = {.m = 384, .n = 384, .k = 64, .batch = heads, .a_bytes = 2, .w_bytes = 2};
        const double al = kernel.parameter[SIM_GPU_AL], q = kernel.parameter[SIM_GPU_Q];
        const double each_us = 2.0 * 384 * 384 * 64 / (1e6 * .4);
        const double rounds = (double)heads / 40;
        const double compute = each_us * (rounds < 1 ? 1 : rounds + al * (ceil(rounds) - rounds));
        const double memory = (double)heads * 2 * 384 * 64 * 2 / (3e5 * kernel.parameter[SIM_GPU_EM]);
        sim_gpu_time time;

        sim_gpu_head_time(&rates, &kernel, .4, &gemm, &time);
        cr_expect_float_eq(time.us / (5 + pow(pow(compute, q) + pow(memory, q), 1 / q)), 1, 1e-12);
        cr_expect_float_eq(time.bytes, (double)heads * 2 * 384 * 64 * 2, 1e-6);
    }
}

Test(gpu_engine, one_sequence_leaves_multiprocessors_idle_when_heads_are_not_shared)
{
    sim_arch *arch = gpu_of("l40s", "none");
    sim_layer layers[3];
    double shared_s, whole_s;

    attention(384, 12, layers);
    arch->gpu.attention = SIM_ATTENTION_FLASH;
    shared_s = run(arch, layers, 3, fp16).totals.latency_s;
    arch->gpu.attention = SIM_ATTENTION_PER_HEAD;
    whole_s = run(arch, layers, 3, fp16).totals.latency_s;
    cr_expect_gt(whole_s, 1.5 * shared_s);
    /* Heads enough for all: no such difference. */
    attention(384, 1704, layers); /* 12 for each multiprocessor */
    whole_s = run(arch, layers, 3, fp16).totals.latency_s;
    arch->gpu.attention = SIM_ATTENTION_FLASH;
    shared_s = run(arch, layers, 3, fp16).totals.latency_s;
    cr_expect_lt(whole_s, 1.5 * shared_s);
    /* Long sequences have no such kernel. */
    attention(513, 12, layers);
    shared_s = run(arch, layers, 3, fp16).totals.latency_s;
    arch->gpu.attention = SIM_ATTENTION_PER_HEAD;
    cr_expect_eq(run(arch, layers, 3, fp16).totals.latency_s, shared_s);
}

Test(gpu_engine, unfused_scores_pass_through_memory)
{
    sim_arch *arch = gpu_of("v100", "none");
    const int64_t scores = INT64_C(24) * 384 * 384 * 2;
    sim_result fused, unfused;
    sim_layer layers[3];

    attention(384, 24, layers);
    fused = run(arch, layers, 3, fp16);
    arch->gpu.attention = SIM_ATTENTION_UNFUSED;
    unfused = run(arch, layers, 3, fp16);
    cr_expect(fused.layers[0].dram_write_bytes == 0 && fused.layers[1].dram_read_bytes == 0);
    cr_expect_eq(unfused.layers[0].dram_write_bytes, scores);
    cr_expect_eq(unfused.layers[1].dram_read_bytes, scores);
    cr_expect_eq(unfused.layers[1].dram_write_bytes, scores);
    cr_expect_geq(unfused.layers[2].dram_read_bytes, scores + INT64_C(24) * 384 * 64 * 2);
    cr_expect_eq(unfused.totals.macs, fused.totals.macs);
    cr_expect_gt(unfused.totals.latency_s, fused.totals.latency_s);
    cr_expect_geq(unfused.totals.peak_memory_bytes, fused.totals.peak_memory_bytes + scores);
}

/* ---- engines ---------------------------------------------------------------------------------------- */

Test(gpu_engine, brings_its_kernels_its_attention_its_step_and_its_energy)
{
    sim_arch *arch = gpu_of("t4", "t4");
    const sim_gpu_step *step = arch->calibration->step;
    const sim_layer layer = product("x", 256, 1024, 1024, 1);
    sim_gpu_kernel one_by_one, engine;
    double before_s, after_s;

    cr_assert_not_null(step);
    cr_expect_null(sim_gpu_step_of(arch), "none was asked for");
    cr_expect_eq(sim_gpu_attention_of(arch, 128), SIM_ATTENTION_FLASH);
    sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_W8A8, &one_by_one);
    cr_expect_str_eq(one_by_one.impl, "cutlass");
    before_s = run(arch, &layer, 1, int8).totals.latency_s;

    arch->gpu.engine = "tensorrt";
    cr_expect_eq(sim_gpu_step_of(arch), step);
    cr_expect_eq(sim_gpu_attention_of(arch, 128), SIM_ATTENTION_PER_HEAD);
    cr_expect_eq(sim_gpu_attention_of(arch, 513), SIM_ATTENTION_FLASH);
    cr_expect_eq(sim_gpu_mac_fj(arch, SIM_GPU_INT8), step->mac_fj[SIM_GPU_INT8]);
    cr_expect_eq(sim_gpu_mac_fj(arch, SIM_GPU_INT4), arch->gpu.mac_fj[SIM_GPU_INT4], "not known of it");
    cr_expect_eq(sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_W8A8, &engine), SIM_GPU_CALIBRATED);
    cr_expect_str_eq(engine.impl, "tensorrt");
    cr_expect_eq(sim_gpu_kernel_on(arch, SIM_KERNEL_RESIDUAL, &engine), SIM_GPU_CALIBRATED,
                 "a kernel that it was not measured with, but others were");
    after_s = run(arch, &layer, 1, int8).totals.latency_s;
    cr_expect_gt(after_s, 1e-6 * step->t0_us);
    cr_expect(fabs(after_s - before_s) > 1e-6);
    /* An implementation of its own wins over the engine's. */
    arch->gpu.impl[SIM_KERNEL_GEMM_W8A8] = "cutlass";
    sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_W8A8, &engine);
    cr_expect_str_eq(engine.impl, "cutlass");
}

Test(gpu_engine, step_time_is_paid_once)
{
    sim_arch *arch = gpu_of("a100", "a100");
    const sim_layer one[] = {product("x", 64, 1024, 1024, 1)};
    const sim_layer two[] = {one[0], product("y", 64, 1024, 1024, 1)};
    double t0_s, single_s, pair_s;

    arch->gpu.l2_handoff = false;
    arch->gpu.engine = "tensorrt";
    t0_s = 1e-6 * arch->calibration->step->t0_us;
    single_s = run(arch, one, 1, fp16).totals.latency_s;
    pair_s = run(arch, two, 2, fp16).totals.latency_s;
    cr_expect_float_eq((pair_s - t0_s) / (single_s - t0_s), 2, 1e-3);
}

Test(gpu_engine, leaves_outputs_as_wide_as_the_next_product_reads)
{
    sim_arch *arch = gpu_of("t4", "t4");
    const sim_layer layer = product("x", 64, 1024, 1024, 1);

    cr_expect_eq(run(arch, &layer, 1, int8).totals.dram_write_bytes, INT64_C(64) * 1024 * 2);
    arch->gpu.engine = "tensorrt";
    cr_expect_eq(run(arch, &layer, 1, int8).totals.dram_write_bytes, INT64_C(64) * 1024);
    cr_expect_eq(run(arch, &layer, 1, fp16).totals.dram_write_bytes, INT64_C(64) * 1024 * 2);
}

/* ---- what L2 hands on ------------------------------------------------------------------------------- */

Test(gpu_engine, hands_small_activations_on_in_l2)
{
    sim_arch *arch = gpu_of("l40s", "l40s");
    const sim_layer chain[] = {product("a", 512, 4096, 1024, 1), product("b", 512, 1024, 4096, 1),
                               product("c", 512, 4096, 1024, 1)};
    const int64_t weights = INT64_C(1024) * 4096 * 2, middle = weights / 2, outer = weights / 8;
    sim_result alone, without, with;

    alone = run(arch, chain, 3, fp16);
    arch->gpu.engine = "tensorrt";
    arch->gpu.l2_handoff = false;
    without = run(arch, chain, 3, fp16);
    arch->gpu.l2_handoff = true;
    with = run(arch, chain, 3, fp16);
    for (int i = 0; i < 3; i++) {
        cr_expect_geq(alone.layers[i].dram_read_bytes, weights, "without an engine nothing is handed on");
        cr_expect_geq(with.layers[i].dram_read_bytes, weights, "weights are always fetched");
        cr_expect_leq(with.layers[i].cycles, without.layers[i].cycles);
    }
    cr_expect_eq(without.layers[1].dram_read_bytes, weights + middle);
    /* The first input and the last output are of the outside world; the middle is small beside 96 MiB. */
    cr_expect_eq(with.layers[0].dram_read_bytes, weights + outer);
    cr_expect_eq(with.layers[2].dram_write_bytes, middle);
    cr_expect_lt(with.layers[1].dram_read_bytes - weights, middle / 50);
    cr_expect_lt(with.layers[1].dram_write_bytes, outer / 50);
    cr_expect_lt(with.totals.latency_s, without.totals.latency_s);
}

Test(gpu_engine, l2_holds_less_of_what_is_larger)
{
    double last = 0;

    cr_expect_eq(sim_gpu_cold_frac(4e6, 0), 1);
    for (int i = 0; i < 27; i++) {
        double cold = sim_gpu_cold_frac(4e6, ldexp(1e4, i));

        cr_expect(cold > last && cold <= 1);
        last = cold;
    }
    cr_expect_float_eq(sim_gpu_cold_frac(4e6, 2e6), .5, 1e-15);
    cr_expect_float_eq(last, 1, 1e-5);
}

/* ---- dispatch --------------------------------------------------------------------------------------- */

Test(gpu_engine, graphs_do_without_what_the_host_takes)
{
    sim_arch *arch = gpu_of("t4", "t4");
    sim_gpu_kernel start, graph, host;

    sim_gpu_kernel_start(SIM_KERNEL_RMSNORM, &start);
    cr_expect_eq(arch->gpu.dispatch, SIM_DISPATCH_GRAPH, "as engines run");
    cr_expect_eq(sim_gpu_kernel_on(arch, SIM_KERNEL_RMSNORM, &graph), SIM_GPU_CALIBRATED);
    arch->gpu.dispatch = SIM_DISPATCH_HOST;
    sim_gpu_kernel_on(arch, SIM_KERNEL_RMSNORM, &host);
    cr_expect_eq(host.dispatch, SIM_DISPATCH_HOST, "norms on a T4 were timed from the host");
    cr_expect_gt(host.parameter[SIM_GPU_C], 2 * start.parameter[SIM_GPU_C]);
    cr_expect_eq(graph.parameter[SIM_GPU_C], start.parameter[SIM_GPU_C]);
    cr_expect_eq(graph.parameter[SIM_GPU_EM], host.parameter[SIM_GPU_EM], "the kernel is the same");
    cr_expect_eq(graph.floor_us, 0);
    /* DeepBench's products were not: nothing changes. */
    sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_FP16, &host);
    arch->gpu.dispatch = SIM_DISPATCH_GRAPH;
    sim_gpu_kernel_on(arch, SIM_KERNEL_GEMM_FP16, &graph);
    cr_expect_eq(graph.parameter[SIM_GPU_C], host.parameter[SIM_GPU_C]);
}
