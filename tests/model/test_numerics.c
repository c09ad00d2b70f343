/* What quantization schemes add to a workload: rows and operations against hand counts. */
#include "input/arch.h"
#include "input/policy.h"
#include "model/numerics.h"
#include "model/run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(numerics, .init = begin, .fini = end);

static sim_arch arch_of(const char *name)
{
    char path[512];
    sim_arch arch;
    sim_err err = {0};

    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, name);
    cr_assert_eq(sim_arch_load(path, NULL, 0, &arena, &arch, &err), SIM_OK, "%s", err.items[0].text);
    return arch;
}

/* The shape of a block's first half: a norm, then three products of its output, then one of something else.
 */
enum { TOKENS = 32, HIDDEN = 256, KV = 64, LAYERS = 6 };

static const sim_layer block[LAYERS] = {
    {.name = "layers.0.norm",
     .op = SIM_OP_NORM,
     .repeat = 1,
     .m = TOKENS,
     .n = HIDDEN,
     .batch = 1,
     .inputs = 1,
     .ops_per_element = 4},
    {.name = "layers.0.q_proj",
     .op = SIM_OP_MATMUL,
     .repeat = 1,
     .m = TOKENS,
     .n = HIDDEN,
     .k = HIDDEN,
     .batch = 1},
    {.name = "layers.0.k_proj",
     .op = SIM_OP_MATMUL,
     .repeat = 1,
     .m = TOKENS,
     .n = KV,
     .k = HIDDEN,
     .batch = 1,
     .same_input = true},
    {.name = "layers.0.v_proj",
     .op = SIM_OP_MATMUL,
     .repeat = 1,
     .m = TOKENS,
     .n = KV,
     .k = HIDDEN,
     .batch = 1,
     .same_input = true},
    {.name = "layers.0.act",
     .op = SIM_OP_ELEMENTWISE,
     .repeat = 1,
     .m = TOKENS,
     .n = HIDDEN,
     .batch = 1,
     .inputs = 1,
     .ops_per_element = 1},
    {.name = "layers.0.o_proj",
     .op = SIM_OP_MATMUL,
     .repeat = 1,
     .m = TOKENS,
     .n = HIDDEN,
     .k = HIDDEN,
     .batch = 1},
};

static const sim_policy *policy_of(const char *text)
{
    sim_policy *policy = sim_arena_alloc(&arena, 1, sizeof *policy);
    sim_err err = {0};
    sim_status status = *text == '{' ? sim_policy_read(text, strlen(text), "p.json", &arena, policy, &err)
                                     : sim_policy_load(text, &arena, policy, &err);

    cr_assert_eq(status, SIM_OK, "%s", err.items[0].text);
    return policy;
}

static sim_result run_layers(const sim_arch *arch, const sim_layer *layers, int64_t count, const char *policy)
{
    sim_workload *workload = sim_arena_alloc(&arena, 1, sizeof *workload);
    sim_result result;
    sim_err err = {0};

    *workload = (sim_workload){.name = "w", .layers = layers, .layer_count = count};
    cr_assert_eq(
        sim_run_model(arch, workload, policy_of(policy), SIM_OBJECTIVE_BALANCED, &arena, &result, &err),
        SIM_OK, "%s: %s", policy, err.items[0].text);
    return result;
}

static sim_result run(const sim_arch *arch, const char *policy)
{
    return run_layers(arch, block, LAYERS, policy);
}

static const sim_layer_result *find(const sim_result *r, const char *name)
{
    for (int64_t i = 0; i < r->layer_count; i++)
        if (strcmp(r->layers[i].name, name) == 0)
            return &r->layers[i];
    return NULL;
}

static double ops_of(const sim_arch *arch, const sim_result *r, const char *name)
{
    const sim_layer_result *l = find(r, name);

    cr_assert(l, "%s", name);
    return l->energy.vector_j / (1e-12 * arch->tech.vector_pj_per_op);
}

static void expect_ops(const sim_arch *arch, const sim_result *r, const char *name, double ops)
{
    double found = ops_of(arch, r, name);

    cr_expect(fabs(found - ops) < 1e-6 * (ops + 1), "%s: %.9g operations, not %.9g", name, found, ops);
}

static void expect_rows(const sim_result *r, const char *const *names)
{
    int64_t i = 0;

    for (; names[i]; i++) {
        cr_assert_lt(i, r->layer_count);
        cr_expect_str_eq(r->layers[i].name, names[i]);
    }
    cr_expect_eq(r->layer_count, i);
}

Test(numerics, nothing_is_added_without_a_scheme)
{
    static const char *const plain[] = {"w8a8", "w4a8", "w8a16",
                                        "{\"default\":\"w8a8\",\"activations\":\"none\"}"};
    sim_arch arch = arch_of("edge");

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        sim_result r = run(&arch, plain[i]);

        cr_expect_eq(r.layer_count, LAYERS);
        expect_ops(&arch, &r, "layers.0.q_proj", 0);
        expect_ops(&arch, &r, "layers.0.norm", 4 * TOKENS * HIDDEN);
    }
}

Test(numerics, per_token)
{
    static const char *const rows[] = {"layers.0.norm",
                                       "layers.0.q_proj.quantize",
                                       "layers.0.q_proj",
                                       "layers.0.k_proj",
                                       "layers.0.v_proj",
                                       "layers.0.act",
                                       "layers.0.o_proj.quantize",
                                       "layers.0.o_proj",
                                       NULL};
    sim_arch arch = arch_of("edge");
    sim_result plain = run(&arch, "w8a8"), r = run(&arch, "w8a8o1");
    const sim_layer_result *quantize;

    expect_rows(&r, rows);
    quantize = find(&r, "layers.0.q_proj.quantize");
    cr_expect_eq(quantize->op, SIM_OP_QUANTIZE);
    cr_expect_eq(quantize->m, TOKENS);
    cr_expect_eq(quantize->n, HIDDEN);
    cr_expect_eq(quantize->dram_read_bytes, 2 * TOKENS * HIDDEN, "read in 16 bits");
    cr_expect_eq(quantize->dram_write_bytes, TOKENS * HIDDEN, "written in 8");
    expect_ops(&arch, &r, "layers.0.q_proj.quantize", 3 * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.norm", 4 * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.q_proj", 2 * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.k_proj", 2 * TOKENS * KV);
    /* The norm now leaves 16 bits. */
    cr_expect_eq(find(&r, "layers.0.norm")->dram_write_bytes,
                 find(&plain, "layers.0.norm")->dram_write_bytes + TOKENS * HIDDEN);
    cr_expect_eq(r.totals.macs, plain.totals.macs);
    cr_expect_eq(r.totals.weight_bytes, plain.totals.weight_bytes);
}

Test(numerics, per_tensor)
{
    sim_arch arch = arch_of("edge");
    sim_result r = run(&arch, "w8a8o2");

    cr_expect_eq(r.layer_count, LAYERS + 2);
    expect_ops(&arch, &r, "layers.0.norm", (4 + 1) * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.q_proj.quantize", 2 * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.q_proj", TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.v_proj", TOKENS * KV);
}

Test(numerics, static_scales_move_nothing)
{
    sim_arch arch = arch_of("edge");
    sim_result plain = run(&arch, "w8a8"), r = run(&arch, "w8a8o3");

    cr_expect_eq(r.layer_count, LAYERS);
    expect_ops(&arch, &r, "layers.0.norm", (4 + 2) * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.act", (1 + 2) * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.o_proj", TOKENS * HIDDEN);
    cr_expect_eq(r.totals.dram_read_bytes, plain.totals.dram_read_bytes);
    cr_expect_eq(r.totals.dram_write_bytes, plain.totals.dram_write_bytes);
}

Test(numerics, wide_and_float_activations_need_none)
{
    sim_arch edge = arch_of("edge"), a100 = arch_of("a100");
    sim_result r = run(&edge, "w4a16o1");

    cr_expect_eq(r.layer_count, LAYERS);
    expect_ops(&edge, &r, "layers.0.q_proj", 0);
    r = run(&a100, "{\"default\":\"fp16\",\"activations\":\"per_token\"}");
    cr_expect_eq(r.layer_count, LAYERS);
}

Test(numerics, schemes_of_single_layers)
{
    static const char mixed[] = "{\"default\":\"w8a8o1\",\"policy\":[{\"layer\":\"*.q_proj\",\"a_bits\":16},"
                                "{\"layer\":\"*.o_proj\",\"activations\":\"static\"}]}";
    static const char *const rows[] = {
        "layers.0.norm",   "layers.0.q_proj", "layers.0.k_proj.quantize", "layers.0.k_proj",
        "layers.0.v_proj", "layers.0.act",    "layers.0.o_proj",          NULL};
    sim_arch arch = arch_of("edge");
    sim_result r = run(&arch, mixed);

    /* k_proj is the first that needs the norm's output in 8 bits. */
    expect_rows(&r, rows);
    expect_ops(&arch, &r, "layers.0.act", 3 * TOKENS * HIDDEN);
}

Test(numerics, an_explicit_list_says_nothing_of_producers)
{
    sim_arch arch = arch_of("edge");
    sim_layer layers[2] = {block[0], block[1]};
    sim_result r;

    layers[0].line = 1;
    layers[1].line = 2;
    r = run_layers(&arch, layers, 2, "w8a8o3");
    expect_ops(&arch, &r, "layers.0.norm", 4 * TOKENS * HIDDEN);
    expect_ops(&arch, &r, "layers.0.q_proj", (2 + 1) * TOKENS * HIDDEN);
}

Test(numerics, outliers_beside)
{
    static const char int8[] =
        "{\"default\":\"w8a8\",\"activations\":\"per_token\",\"outliers_frac\":0.0625}"; /* 16 of 256 */
    static const char *const rows[] = {"layers.0.norm",
                                       "layers.0.q_proj.quantize",
                                       "layers.0.q_proj.outliers_gather",
                                       "layers.0.q_proj",
                                       "layers.0.q_proj.outliers",
                                       "layers.0.q_proj.outliers_sum",
                                       "layers.0.k_proj",
                                       "layers.0.k_proj.outliers",
                                       "layers.0.k_proj.outliers_sum",
                                       "layers.0.v_proj",
                                       "layers.0.v_proj.outliers",
                                       "layers.0.v_proj.outliers_sum",
                                       "layers.0.act",
                                       "layers.0.o_proj.quantize",
                                       "layers.0.o_proj.outliers_gather",
                                       "layers.0.o_proj",
                                       "layers.0.o_proj.outliers",
                                       "layers.0.o_proj.outliers_sum",
                                       NULL};
    sim_arch edge = arch_of("edge"), a100 = arch_of("a100");
    sim_result plain = run(&edge, "w8a8"), r = run(&edge, int8);

    expect_rows(&r, rows);
    expect_ops(&edge, &r, "layers.0.q_proj.quantize", 4 * TOKENS * HIDDEN);
    expect_ops(&edge, &r, "layers.0.q_proj.outliers_gather", TOKENS * 16);
    expect_ops(&edge, &r, "layers.0.q_proj.outliers_sum", TOKENS * HIDDEN);
    cr_expect_eq(find(&r, "layers.0.q_proj")->k, 240);
    cr_expect_eq(find(&r, "layers.0.q_proj.outliers")->k, 16);
    cr_expect_eq(find(&r, "layers.0.q_proj.outliers")->a.bits, 16);
    cr_expect_eq(find(&r, "layers.0.q_proj.outliers")->a.format, SIM_FORMAT_INT, "it has no floats");
    cr_expect_eq(r.totals.macs, plain.totals.macs);
    cr_expect_eq(r.totals.weight_bytes, plain.totals.weight_bytes);
    r = run(&a100, int8);
    cr_expect_eq(find(&r, "layers.0.q_proj.outliers")->a.format, SIM_FORMAT_FP);
    cr_expect_gt(r.totals.latency_s, run(&a100, "w8a8o1").totals.latency_s);
}

/* ---- groups --------------------------------------------------------------------------------------- */

Test(numerics, groups_are_scaled_where_that_is_less)
{
    sim_arch units = arch_of("edge"), fixed = arch_of("systolic_128"), gpu = arch_of("a100");
    sim_layer few = block[1], many = block[1];
    sim_result r;

    few.m = 1;
    many.m = 4096;
    /* Four groups of 64 along k = 256: a multiply and an add each, or all weights of 4 bits to 8. */
    r = run_layers(&fixed, &few, 1, "w4a8g64");
    expect_ops(&fixed, &r, few.name, 2.0 * 1 * HIDDEN * 4);
    r = run_layers(&fixed, &many, 1, "w4a8g64");
    expect_ops(&fixed, &r, many.name, 2.0 * HIDDEN * HIDDEN);
    r = run_layers(&fixed, &many, 1, "w8a8g64");
    expect_ops(&fixed, &r, many.name, 2.0 * 4096 * HIDDEN * 4);
    /* Fusion units take 4 bits as they are: wider weights would cost array time. */
    r = run_layers(&units, &many, 1, "w4a8g64");
    expect_ops(&units, &r, many.name, 2.0 * 4096 * HIDDEN * 4);
    /* A scheme adds to it. */
    r = run_layers(&units, &many, 1, "w4a8g64o2");
    expect_ops(&units, &r, many.name, 2.0 * 4096 * HIDDEN * 4 + 4096 * (HIDDEN + HIDDEN));
    /* A GPU's kernels do it. */
    r = run_layers(&gpu, &many, 1, "w4a16g64");
    cr_expect_eq(r.layers[0].energy.vector_j, 0);
}

Test(numerics, the_vector_unit_can_be_what_bounds)
{
    sim_arch arch = arch_of("edge");
    sim_layer layer = block[1];
    sim_result fast, slow;

    layer.m = 4096;
    arch.vector_lanes = 1;
    fast = run_layers(&arch, &layer, 1, "w8a8");
    slow = run_layers(&arch, &layer, 1, "w8a8o1");
    cr_expect_eq(slow.layers[1].bound, SIM_BOUND_VECTOR);
    cr_expect_eq(slow.layers[1].cycles, 2 * 4096 * HIDDEN);
    cr_expect_lt(fast.layers[0].cycles, slow.layers[1].cycles);
}

/* ---- SmoothQuant's order --------------------------------------------------------------------------- */

/* Its Table 10: the coarser the scales, the lower the latency. Static scales are never slower than dynamic
 * ones. Whether one per token costs more than one per tensor depends on what is short of time: on a GPU and
 * on arrays that outputs bound it does. */
Test(numerics, coarser_scales_are_faster)
{
    static const char *const names[] = {"edge", "systolic_128", "stripes", "bismo_haq_edge", "a100", "t4"};
    static const bool ordered[] = {false, false, true, true, true, true};
    sim_layer layers[LAYERS];

    memcpy(layers, block, sizeof layers);
    for (int tokens = 1; tokens <= 1024; tokens *= 32)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            sim_arch arch = arch_of(names[i]);
            double none, o1, o2, o3;

            for (int l = 0; l < LAYERS; l++)
                layers[l].m = tokens;
            none = run_layers(&arch, layers, LAYERS, "w8a8").totals.latency_s;
            o1 = run_layers(&arch, layers, LAYERS, "w8a8o1").totals.latency_s;
            o2 = run_layers(&arch, layers, LAYERS, "w8a8o2").totals.latency_s;
            o3 = run_layers(&arch, layers, LAYERS, "w8a8o3").totals.latency_s;
            cr_expect_leq(none, o3 * (1 + 1e-12), "%s, %d", names[i], tokens);
            cr_expect_lt(o3, o1, "%s, %d", names[i], tokens);
            cr_expect_lt(o3, o2, "%s, %d", names[i], tokens);
            cr_expect(!ordered[i] || o2 <= o1 * (1 + 1e-12), "%s, %d: %g, %g", names[i], tokens, o1, o2);
        }
}

/* ---- the grammar ----------------------------------------------------------------------------------- */

Test(numerics, schemes_in_policies)
{
    sim_precision p;
    char why[200];

    cr_assert(sim_policy_parse("w8a8kv8o3", &p, why, sizeof why));
    cr_expect_eq(p.scales, SIM_SCALES_STATIC);
    cr_expect_eq(p.kv.bits, 8);
    cr_assert(sim_policy_parse("w4a8g128o1", &p, why, sizeof why));
    cr_expect_eq(p.scales, SIM_SCALES_PER_TOKEN);
    cr_expect_eq(p.group, 128);
    cr_assert(sim_policy_parse("w4a8", &p, why, sizeof why));
    cr_expect_eq(p.scales, SIM_SCALES_UNSET);
    cr_expect_not(sim_policy_parse("w8a8o4", &p, why, sizeof why));
    cr_expect(strstr(why, "from 1 to 3"), "%s", why);
    cr_expect_not(sim_policy_parse("w8a8o", &p, why, sizeof why));
    cr_expect_not(sim_policy_parse("w8a8o1o2", &p, why, sizeof why));
}
