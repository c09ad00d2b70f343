/* What a run adds to the mapped layers: precision, residency, prefetch, grouping, sums. */
#include "model/backend.h"
#include "model/run.h"
#include "reference/arch_case.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Under objective dram, so that bytes can be told beforehand. */
static sim_result run(sim_arena *arena, const sim_arch *arch, const sim_workload *workload,
                      const sim_policy *policy)
{
    sim_result result;
    sim_err err = {0};

    sim_arena_init(arena, NULL);
    cr_assert_eq(sim_run_model(arch, workload, policy, SIM_OBJECTIVE_DRAM, arena, &result, &err), SIM_OK,
                 "%s", err.items[0].text);
    return result;
}

static sim_layer matmul(const char *name, int64_t m, int64_t n, int64_t k)
{
    return (sim_layer){.name = name, .op = SIM_OP_MATMUL, .repeat = 1, .m = m, .n = n, .k = k, .batch = 1};
}

static sim_policy uniform(int w, int a)
{
    return (sim_policy){
        .name = "p", .overrides_own = true, .base = {.w = {SIM_FORMAT_INT, w}, .a = {SIM_FORMAT_INT, a}}};
}

static sim_arch plain(const char *backend)
{
    sim_arch arch;

    arch_case_plain(&arch, backend);
    return arch;
}

Test(run, groups_equal_layers_of_a_model)
{
    static const char *const names[] = {"layers.0.fc", "layers.1.fc", "layers.2.fc",
                                        "layers.3.fc", "layers.5.fc", "head"};
    sim_arch arch = plain("systolic");
    sim_layer layers[6];
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = 6};
    sim_policy_rule rule = {.glob = "layers.2.*", .precision = {.w = {SIM_FORMAT_INT, 4}, .group = -1}};
    sim_policy policy = uniform(8, 8);
    sim_arena arena;
    sim_result r;
    int64_t macs = 0, repeat = 0;

    for (int i = 0; i < 6; i++)
        layers[i] = matmul(names[i], 16, 64, 64);
    policy.rules = &rule;
    policy.rule_count = 1;
    for (int o = 0; o < SIM_OPERAND_COUNT; o++)
        arch.double_buffered[o] = false; /* no prefetch: neighbours make no difference */
    r = run(&arena, &arch, &workload, &policy);
    cr_assert_eq(r.layer_count, 3);
    cr_expect_str_eq(r.layers[0].name, "layers.0-1,3,5.fc");
    cr_expect_eq(r.layers[0].repeat, 4);
    cr_expect_str_eq(r.layers[1].name, "layers.2.fc");
    cr_expect_eq(r.layers[1].w.bits, 4);
    cr_expect_str_eq(r.layers[2].name, "head");
    for (int64_t i = 0; i < r.layer_count; i++) {
        macs += r.layers[i].macs * r.layers[i].repeat;
        repeat += r.layers[i].repeat;
    }
    cr_expect_eq(repeat, 6);
    cr_expect_eq(macs, 6 * 16 * 64 * 64);
    cr_expect_eq(r.totals.macs, macs);
    cr_expect_eq(r.distinct_gemms, 2);
    sim_arena_free(&arena);
}

Test(run, prefetch_fills_idle_channel_time_and_no_more)
{
    sim_arch arch = plain("systolic");
    /* The first layer computes long on little data; the second's weights can come meanwhile. */
    sim_layer layers[2] = {matmul("first", 4096, 64, 64), matmul("second", 8, 256, 256)};
    sim_layer alone[1] = {layers[1]};
    sim_workload both = {.name = "w", .layers = layers, .layer_count = 2};
    sim_workload single = {.name = "w", .layers = alone, .layer_count = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b, c;
    sim_result together, cold, unbuffered;
    const sim_layer_result *warm;

    for (int o = 0; o < SIM_OPERAND_COUNT; o++)
        arch.double_buffered[o] = true;
    together = run(&a, &arch, &both, &policy);
    cold = run(&b, &arch, &single, &policy);
    warm = &together.layers[1];
    cr_expect_lt(warm->cycles, cold.layers[0].cycles);
    cr_expect_geq(warm->cycles, warm->compute_cycles);
    cr_expect_geq(warm->cycles, warm->memory_cycles);
    cr_expect_eq(warm->dram_read_bytes, cold.layers[0].dram_read_bytes, "prefetched bytes are still moved");
    arch.double_buffered[SIM_OPERAND_WEIGHT] = false;
    unbuffered = run(&c, &arch, &both, &policy);
    cr_expect_geq(unbuffered.layers[1].cycles, cold.layers[0].cycles, "no spare room, no prefetch");
    sim_arena_free(&a);
    sim_arena_free(&b);
    sim_arena_free(&c);
}

Test(run, repeats_of_a_layer_stay_one_line)
{
    sim_arch arch = plain("bitfusion");
    sim_layer layer = matmul("fc", 64, 256, 256);
    sim_workload workload = {.name = "w", .layers = &layer, .layer_count = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena arena;
    sim_result r;

    layer.repeat = 5;
    r = run(&arena, &arch, &workload, &policy);
    cr_assert_eq(r.layer_count, 1);
    cr_expect_eq(r.layers[0].repeat, 5);
    cr_expect_eq(r.totals.cycles, 5 * r.layers[0].cycles);
    cr_expect_float_eq(r.totals.latency_s, 5 * r.layers[0].latency_s, 1e-12 * r.totals.latency_s);
    cr_expect_eq(r.totals.weight_bytes, 5 * 256 * 256);
    sim_arena_free(&arena);
}

Test(run, small_models_keep_their_weights_on_chip_in_decode)
{
    sim_arch arch = plain("systolic");
    sim_layer layers[2] = {matmul("layers.0.a", 1, 32, 32), matmul("layers.1.b", 1, 32, 32)};
    sim_workload workload = {
        .name = "w", .layers = layers, .layer_count = 2, .phase = SIM_PHASE_DECODE, .tokens = 1, .batch = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b, c;
    sim_result resident, prefill, large;

    arch.buffer_unified_kib = 0;
    arch.buffer_weight_kib = arch.buffer_input_kib = arch.buffer_output_kib = 2;
    resident = run(&a, &arch, &workload, &policy);
    cr_expect(resident.weights_resident);
    cr_expect_eq(resident.totals.dram_read_bytes, 2 * 32, "inputs only");
    cr_expect_eq(resident.totals.weight_bytes, 2 * 32 * 32, "still stored in memory");
    workload.phase = SIM_PHASE_PREFILL;
    prefill = run(&b, &arch, &workload, &policy);
    cr_expect_not(prefill.weights_resident);
    cr_expect_eq(prefill.totals.dram_read_bytes, 2 * (32 + 32 * 32));
    workload.phase = SIM_PHASE_DECODE;
    arch.buffer_weight_kib = 1.5; /* less than both layers together */
    large = run(&c, &arch, &workload, &policy);
    cr_expect_not(large.weights_resident);
    sim_arena_free(&a);
    sim_arena_free(&b);
    sim_arena_free(&c);
}

/* A tied head is stored with the embedding, but its product needs the weights like any other. */
Test(run, tied_weights_take_room_on_chip_and_none_in_memory)
{
    sim_arch arch = plain("systolic");
    sim_layer layers[2] = {matmul("layers.0.a", 1, 32, 32), matmul("lm_head", 1, 32, 32)};
    sim_workload workload = {
        .name = "w", .layers = layers, .layer_count = 2, .phase = SIM_PHASE_DECODE, .tokens = 1, .batch = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b;
    sim_result fits, too_large;

    layers[1].tied = true;
    arch.buffer_unified_kib = 0;
    arch.buffer_weight_kib = arch.buffer_input_kib = arch.buffer_output_kib = 2;
    fits = run(&a, &arch, &workload, &policy);
    cr_expect(fits.weights_resident);
    cr_expect_eq(fits.totals.weight_bytes, 32 * 32);
    arch.buffer_weight_kib = 1.5;
    too_large = run(&b, &arch, &workload, &policy);
    cr_expect_not(too_large.weights_resident);
    cr_expect_eq(too_large.totals.dram_read_bytes, 2 * (32 + 32 * 32));
    sim_arena_free(&a);
    sim_arena_free(&b);
}

Test(run, float_layers_fall_back_to_eight_bits)
{
    sim_arch arch = plain("bitfusion");
    sim_layer layers[3] = {matmul("fc", 4, 64, 64), matmul("lm_head", 4, 64, 64),
                           matmul("lm_head2", 4, 64, 64)};
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = 3};
    sim_policy_rule rule = {.glob = "lm_head2", .precision = {.w = {SIM_FORMAT_INT, 4}, .group = -1}};
    sim_policy policy = uniform(4, 4);
    sim_arena arena;
    sim_result r;

    layers[1].keep_float = layers[2].keep_float = true;
    policy.rules = &rule;
    policy.rule_count = 1;
    r = run(&arena, &arch, &workload, &policy);
    cr_expect_eq(r.layers[0].w.bits, 4);
    cr_expect_eq(r.layers[1].w.bits, 8);
    cr_expect(r.layers[1].float_fallback);
    cr_expect_eq(r.layers[2].w.bits, 4, "a rule that names it decides");
    cr_expect_not(r.layers[2].float_fallback);
    sim_arena_free(&arena);
}

Test(run, unsupported_operands_name_layer_and_range)
{
    sim_arch arch = plain("systolic");
    sim_layer layer = matmul("fc", 4, 64, 64);
    sim_workload workload = {.name = "w", .layers = &layer, .layer_count = 1};
    sim_policy policy = uniform(9, 8);
    sim_arena arena;
    sim_result r;
    sim_err err = {0};

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &r, &err),
                 SIM_BAD_INPUT);
    cr_expect(strstr(err.items[0].text, "'fc'") && strstr(err.items[0].text, "w9"));
    cr_expect(strstr(err.items[0].hint, "1 to 8"));
    sim_arena_free(&arena);
}

Test(run, masked_attention_counts_exactly_and_reads_every_key)
{
    sim_arch arch = plain("systolic");
    enum { T = 33, D = 16 };
    sim_layer layer = matmul("layers.0.qk", T, T, D);
    sim_workload workload = {.name = "w", .layers = &layer, .layer_count = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b;
    sim_result masked, full;

    layer.weights = SIM_WEIGHTS_KV;
    layer.kv_row_elements = D;
    layer.cache_rows = T;
    layer.cache_row_elements = D;
    full = run(&a, &arch, &workload, &policy);
    layer.needed_macs = T * (T + 1) / 2 * D;
    layer.map_n = (T + 1) / 2;
    masked = run(&b, &arch, &workload, &policy);
    cr_expect_eq(masked.layers[0].macs, T * (T + 1) / 2 * D);
    cr_expect_eq(masked.layers[0].n, T, "the shape is the full one");
    cr_expect_lt(masked.layers[0].compute_cycles, full.layers[0].compute_cycles);
    cr_expect_geq(masked.layers[0].dram_read_bytes, T * D + T * D, "queries, and each key once");
    cr_expect_eq(masked.totals.kv_cache_bytes, T * D);
    cr_expect_eq(masked.totals.weight_bytes, 0);
    sim_arena_free(&a);
    sim_arena_free(&b);
}

Test(run, on_chip_activations_move_only_weights)
{
    sim_arch arch = plain("systolic");
    sim_layer layer = matmul("fc", 8, 64, 64);
    sim_workload workload = {.name = "w", .layers = &layer, .layer_count = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b;
    sim_result fits, too_large;

    arch.buffer_unified_kib = 0;
    arch.buffer_weight_kib = arch.buffer_input_kib = arch.buffer_output_kib = 64;
    arch.activations = SIM_ACTIVATIONS_ON_CHIP;
    fits = run(&a, &arch, &workload, &policy);
    cr_expect_eq(fits.totals.dram_read_bytes, 64 * 64);
    cr_expect_eq(fits.totals.dram_write_bytes, 0);
    arch.buffer_input_kib = 0.5; /* 8 x 64 inputs alone fill it */
    too_large = run(&b, &arch, &workload, &policy);
    cr_expect_geq(too_large.totals.dram_read_bytes, 64 * 64 + 8 * 64);
    cr_expect_eq(too_large.totals.dram_write_bytes, 8 * 64);
    sim_arena_free(&a);
    sim_arena_free(&b);
}

Test(run, storage_is_dense_and_rows_are_whole_bytes)
{
    cr_expect_eq(sim_stored_bits(3, 5, 3, 0), 3 * 16, "15 bits a row");
    cr_expect_eq(sim_stored_bits(2, 256, 4, 128), 2 * (256 * 4 + 2 * 20),
                 "scale of 16 bits and zero point of 4 per group");
    cr_expect_eq(sim_stored_bits(1, 130, 4, 128), 560, "a started group has its own scale: 520 + 40 bits");
    cr_expect_eq(sim_stored_bits(INT64_MAX / 8, 16, 8, 0), -1);
}

Test(run, precision_by_rules)
{
    sim_layer layer = matmul("layers.3.down_proj", 1, 1, 1);
    sim_policy_rule rules[] = {
        {"layers.*", {.w = {SIM_FORMAT_INT, 4}, .group = 64}},
        {"*.down_proj", {.a = {SIM_FORMAT_INT, 16}, .group = -1}},
        {"layers.4.*", {.w = {SIM_FORMAT_INT, 2}, .group = 0}},
    };
    sim_policy policy = {.name = "p",
                         .base = {.w = {SIM_FORMAT_INT, 8}, .a = {SIM_FORMAT_INT, 8}},
                         .rules = rules,
                         .rule_count = 3};
    sim_precision p;

    cr_expect(sim_precision_of(&policy, &layer, -1, &p));
    cr_expect_eq(p.w.bits, 4);
    cr_expect_eq(p.a.bits, 16);
    cr_expect_eq(p.kv.bits, 16, "kv falls back to a");
    cr_expect_eq(p.group, 64);
    layer.name = "head";
    layer.own.w.bits = 3;
    cr_expect_not(sim_precision_of(&policy, &layer, -1, &p));
    cr_expect_eq(p.w.bits, 3, "a layer's own bits, where the policy does not override");
    policy.overrides_own = true;
    sim_precision_of(&policy, &layer, -1, &p);
    cr_expect_eq(p.w.bits, 8);
}

static sim_precision bits(int w, int a)
{
    return (sim_precision){.w = {SIM_FORMAT_INT, w}, .a = {SIM_FORMAT_INT, a}};
}

/* Positions count what has weights of its own, come before the rules and beat all else. */
Test(run, precision_by_position)
{
    sim_arch arch = plain("systolic");
    sim_layer layers[4] = {matmul("first", 8, 16, 16), matmul("scores", 8, 16, 16),
                           matmul("third", 8, 16, 16), matmul("head", 8, 16, 16)};
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = 4};
    const sim_precision positions[3] = {bits(3, 4), bits(5, 6), bits(7, 2)};
    const sim_policy_rule rule = {.glob = "third", .precision = {.a = {SIM_FORMAT_INT, 1}, .group = -1}};
    sim_policy policy = {.name = "p",
                         .base = bits(8, 8),
                         .overrides_own = true,
                         .rules = &rule,
                         .rule_count = 1,
                         .positions = positions,
                         .position_count = 3};
    sim_arena arena;
    sim_result r;
    sim_precision p;

    layers[0].own.w = (sim_number){SIM_FORMAT_INT, 1};
    layers[1].weights = SIM_WEIGHTS_DYNAMIC;
    layers[3].keep_float = true;
    r = run(&arena, &arch, &workload, &policy);
    cr_assert_eq(r.layer_count, 4);
    cr_expect(r.layers[0].w.bits == 3 && r.layers[0].a.bits == 4);
    cr_expect(r.layers[1].w.bits == 8 && r.layers[1].a.bits == 8, "no weights, no position");
    cr_expect(r.layers[2].w.bits == 5 && r.layers[2].a.bits == 1, "a rule comes after");
    cr_expect(r.layers[3].w.bits == 7 && r.layers[3].a.bits == 2, "named: not kept in float");
    cr_expect_not(r.layers[3].float_fallback);
    sim_arena_free(&arena);

    cr_expect(sim_precision_of(&policy, &layers[0], 0, &p));
    cr_expect(sim_precision_of(&policy, &layers[0], -1, &p) == false && p.w.bits == 8);
}

Test(run, as_many_positions_as_layers_with_weights)
{
    sim_arch arch = plain("systolic");
    sim_layer layers[3] = {matmul("a", 8, 16, 16), matmul("scores", 8, 16, 16), matmul("b", 8, 16, 16)};
    sim_workload workload = {.name = "net", .layers = layers, .layer_count = 3};
    const sim_precision positions[3] = {bits(3, 4), bits(5, 6), bits(7, 2)};
    sim_policy policy = {.name = "p", .file = "p.json", .positions = positions};

    layers[1].weights = SIM_WEIGHTS_DYNAMIC;
    layers[0].repeat = 5; /* one entry, one position */
    for (int64_t count = 1; count <= 3; count++) {
        sim_arena arena;
        sim_result r;
        sim_err err = {0};
        sim_status status;
        char words[120];

        sim_arena_init(&arena, NULL);
        policy.position_count = count;
        status = sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_DRAM, &arena, &r, &err);
        cr_expect_eq(status, count == 2 ? SIM_OK : SIM_BAD_INPUT);
        if (count != 2) {
            snprintf(words, sizeof words,
                     "the policy has bits for %d layers by position, but workload 'net' has 2 with weights",
                     (int)count);
            cr_expect_str_eq(err.items[0].text, words);
            cr_expect_str_eq(err.items[0].file, "p.json");
        }
        sim_arena_free(&arena);
    }
}

/* Operands that the array does not have are reported where they are asked for, if that is the workload. */
Test(run, unsupported_operands_are_pointed_at)
{
    sim_arch arch = plain("systolic");
    sim_layer layer = matmul("fc", 8, 16, 16);
    sim_workload workload = {.name = "w", .file = "w.json", .layers = &layer, .layer_count = 1};
    sim_policy none = {.name = "none"}, nine = uniform(9, 8);
    sim_arena arena;
    sim_result r;
    sim_err err = {0};

    arch.file = "arch.cfg";
    layer.line = 7;
    sim_arena_init(&arena, NULL);
    cr_expect_eq(sim_run_model(&arch, &workload, &nine, SIM_OBJECTIVE_DRAM, &arena, &r, &err), SIM_BAD_INPUT);
    layer.own.w = (sim_number){SIM_FORMAT_FP8, 8};
    cr_expect_eq(sim_run_model(&arch, &workload, &none, SIM_OBJECTIVE_DRAM, &arena, &r, &err), SIM_BAD_INPUT);
    cr_assert_eq(err.count, 2);
    cr_expect_str_eq(err.items[0].file, "arch.cfg");
    cr_expect_eq(err.items[0].line, 0);
    cr_expect(strstr(err.items[0].text, "layer 'fc': ") &&
                  strstr(err.items[0].text, "cannot multiply w9 by a8"),
              "%s", err.items[0].text);
    cr_expect_str_eq(err.items[1].file, "w.json");
    cr_expect_eq(err.items[1].line, 7);
    cr_expect(strstr(err.items[1].text, "cannot multiply w:fp8 by a8"), "%s", err.items[1].text);
    cr_expect(strstr(err.items[1].hint, "integer"), "says what it can do: %s", err.items[1].hint);
    sim_arena_free(&arena);
}

Test(run, energy_is_as_good_as_the_worst_number_used)
{
    sim_arch arch = plain("systolic");
    sim_layer layers[2] = {matmul("fc", 8, 64, 64),
                           {.name = "act",
                            .op = SIM_OP_ELEMENTWISE,
                            .repeat = 1,
                            .m = 8,
                            .n = 64,
                            .batch = 1,
                            .inputs = 1,
                            .ops_per_element = 1}};
    sim_workload workload = {.name = "w", .layers = layers, .layer_count = 1};
    sim_policy policy = uniform(8, 8);
    sim_arena a, b;

    arch.tech.logic_provenance = arch.tech.sram_provenance = SIM_PUBLISHED;
    arch.dram.provenance = SIM_MEASURED;
    arch.tech.vector_provenance = SIM_ASSUMED;
    cr_expect_eq(run(&a, &arch, &workload, &policy).energy_provenance, SIM_MEASURED);
    workload.layer_count = 2;
    cr_expect_eq(run(&b, &arch, &workload, &policy).energy_provenance, SIM_ASSUMED);
    sim_arena_free(&a);
    sim_arena_free(&b);
}
