#include "reference/steps_case.h"

#include "input/arch.h"
#include "model/gemm_memo.h"
#include "model/reach.h"
#include "model/run.h"
#include "model/steps.h"

#include <string.h>

sim_status steps_case_open(steps_case *c, const char *path, int bits, sim_err *err)
{
    const sim_number number = {SIM_FORMAT_INT, bits};
    sim_status status;

    memset(c, 0, sizeof *c);
    sim_arena_init(&c->arena, NULL);
    status = sim_arch_load(path, NULL, 0, &c->arena, &c->arch, err);
    if (status != SIM_OK)
        return status;
    c->precision = (sim_precision){.w = number, .a = number, .kv = number};
    sim_precision_plain(&c->arch, &c->precision);
    c->workload = (sim_workload){.name = "attention", .phase = SIM_PHASE_GENERATE};
    c->context = (sim_layer_context){.arch = &c->arch,
                                     .workload = &c->workload,
                                     .objective = SIM_OBJECTIVE_BALANCED,
                                     .cache = sim_map_cache_new(&c->arena),
                                     .memo = sim_gemm_memo_new(&c->arena)};
    sim_gpu_prices_all(&c->arch, c->context.kernel_prices);
    return c->context.cache && c->context.memo ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "no memory");
}

void steps_case_close(steps_case *c)
{
    sim_arena_free(&c->arena);
}

void steps_case_attention(const sim_reach *reach, int64_t steps, sim_layer out[3])
{
    enum { HEADS = 32, KV_HEADS = 8, HEAD = 128 };
    const sim_layer common = {
        .repeat = 1, .phase = SIM_PHASE_DECODE, .steps = steps, .attends = true, .reach = *reach, .batch = 1};
    const int64_t rows = reach->new_tokens * HEADS / KV_HEADS;

    out[0] = out[1] = out[2] = common;
    out[0].name = "qk";
    out[0].op = SIM_OP_MATMUL;
    out[0].weights = SIM_WEIGHTS_KV;
    out[0].m = rows;
    out[0].k = out[0].kv_row_elements = HEAD;
    out[0].batch = KV_HEADS;
    out[0].out_on_chip = true;
    out[1].name = "softmax";
    out[1].op = SIM_OP_SOFTMAX;
    out[1].m = reach->new_tokens * HEADS;
    out[1].inputs = 1;
    out[1].ops_per_element = 5;
    out[1].a_on_chip = out[1].out_on_chip = true;
    out[2] = out[0];
    out[2].name = "pv";
    out[2].along = SIM_ALONG_K;
    out[2].n = HEAD;
    out[2].k = 0;
    out[2].a_on_chip = true;
    out[2].out_on_chip = false;
    for (int i = 0; i < 3; i++) {
        sim_layer first;

        (void)sim_layer_at_step(&out[i], 0, &first);
        first.steps = steps;
        first.reach = *reach;
        out[i] = first;
    }
}

/* All steps one by one, in memory that is given back now and then. */
static sim_status sum_all(const steps_case *c, const sim_layer *layer, sim_layer_cost *sum, sim_err *err)
{
    enum { KEPT = 64 };
    sim_layer_context context = c->context;
    sim_status status = SIM_OK;
    sim_layer at;
    const sim_layer_request request = {.layer = &at, .precision = c->precision};

    memset(sum, 0, sizeof *sum);
    for (int64_t from = 0; from < layer->steps && status == SIM_OK; from += KEPT) {
        sim_arena arena;

        sim_arena_init(&arena, NULL);
        context.cache = sim_map_cache_new(&arena);
        context.memo = sim_gemm_memo_new(&arena);
        for (int64_t s = from; s < layer->steps && s < from + KEPT && status == SIM_OK; s++) {
            sim_layer_cost one;

            if (!sim_layer_at_step(layer, s, &at))
                return SIM_OVERFLOW;
            status = sim_layer_cost_of(&context, &request, &one, err);
            sum->result.cycles += one.result.cycles;
            sum->result.compute_cycles += one.result.compute_cycles;
            sum->result.memory_cycles += one.result.memory_cycles;
            sum->result.macs += one.result.macs;
            sum->result.dram_read_bytes += one.result.dram_read_bytes;
            sum->result.dram_write_bytes += one.result.dram_write_bytes;
            for (int e = 0; e < SIM_EVENT_COUNT; e++)
                sum->counts.of[e] += one.counts.of[e];
        }
        sim_arena_free(&arena);
    }
    return status;
}

static double off(double sum, double exact)
{
    return exact == 0 ? sum != 0 : sum / exact - 1;
}

sim_status steps_case_compare(steps_case *c, const sim_layer *layer, steps_difference *out, sim_err *err)
{
    const sim_layer_request request = {.layer = layer, .precision = c->precision};
    sim_step_plan plan;
    sim_layer_cost one, sum, exact, *series;
    sim_status status = sim_layer_cost_of(&c->context, &request, &one, err);

    sim_steps_plan(layer->steps, &plan);
    series = sim_arena_alloc(&c->arena, (size_t)plan.block_count, sizeof *series);
    if (!series)
        return SIM_NO_MEMORY;
    if (status == SIM_OK)
        status = sim_steps_price(&c->context, &request, &plan, one.prices, NULL, series, err);
    if (status == SIM_OK)
        status = sim_steps_sum(&c->context, layer, &plan, series, &sum, err);
    if (status == SIM_OK)
        status = sum_all(c, layer, &exact, err);
    if (status != SIM_OK)
        return status;
    *out = (steps_difference){
        .cycles = off((double)sum.result.cycles, (double)exact.result.cycles),
        .compute_cycles = off((double)sum.result.compute_cycles, (double)exact.result.compute_cycles),
        .memory_cycles = off((double)sum.result.memory_cycles, (double)exact.result.memory_cycles),
        .energy = off(sim_counts_pj(one.prices, &sum.counts), sim_counts_pj(one.prices, &exact.counts)),
        .macs = sum.result.macs - exact.result.macs,
        .read_bytes = sum.result.dram_read_bytes - exact.result.dram_read_bytes,
        .write_bytes = sum.result.dram_write_bytes - exact.result.dram_write_bytes};
    return SIM_OK;
}
