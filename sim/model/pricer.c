#include "model/pricer.h"

#include "model/gemm_memo.h"
#include "model/layer.h"
#include "model/run.h"

#include <stdio.h>

struct sim_pricer {
    sim_layer_context context;
    sim_precision precision;
    sim_layer_request *requests; /* of all layers, for residency */
    sim_err trial;               /* of the last layer: that it fits nowhere is no error here */
};

sim_pricer *sim_pricer_new(const sim_arch *arch, const sim_workload *workload, sim_objective objective,
                           sim_arena *arena)
{
    const sim_precision eight = {
        .w = {SIM_FORMAT_INT, 8}, .a = {SIM_FORMAT_INT, 8}, .kv = {SIM_FORMAT_INT, 8}};
    sim_pricer *p = sim_arena_alloc(arena, 1, sizeof *p);

    if (!p)
        return NULL;
    p->context = (sim_layer_context){.arch = arch, .workload = workload, .objective = objective};
    p->context.cache = sim_map_cache_new(arena);
    p->context.memo = sim_gemm_memo_new(arena);
    p->requests = sim_arena_alloc(arena, (size_t)workload->layer_count, sizeof *p->requests);
    if (!p->context.cache || !p->context.memo || !p->requests)
        return NULL;
    sim_gpu_prices_all(arch, p->context.kernel_prices);
    for (int64_t i = 0; i < workload->layer_count; i++)
        p->requests[i].layer = &workload->layers[i];
    sim_pricer_set(p, &eight);
    return p;
}

void sim_pricer_set(sim_pricer *p, const sim_precision *precision)
{
    const sim_workload *workload = p->context.workload;

    p->precision = *precision;
    sim_precision_plain(p->context.arch, &p->precision);
    for (int64_t i = 0; i < workload->layer_count; i++)
        p->requests[i].precision = p->precision;
    p->context.weights_resident = sim_weights_stay(p->context.arch, workload, p->requests);
}

static bool macs_of(const sim_layer *l, int64_t *out)
{
    *out = 0;
    if (l->op != SIM_OP_MATMUL && l->op != SIM_OP_CONV2D)
        return true;
    *out = l->needed_macs;
    return *out > 0 ||
           (!__builtin_mul_overflow(l->m, l->n, out) && !__builtin_mul_overflow(*out, l->k, out) &&
            !__builtin_mul_overflow(*out, l->batch, out));
}

static bool supported(const sim_pricer *p, const sim_layer_request *q, char *why, size_t why_size)
{
    const sim_arch *arch = p->context.arch;

    if (q->layer->op != SIM_OP_MATMUL && q->layer->op != SIM_OP_CONV2D)
        return true;
    return arch->backend->supports(arch, sim_second_operand(q), q->precision.a, why, why_size);
}

static sim_status pass_on(const sim_err *trial, sim_err *err)
{
    const sim_err_item *item = &trial->items[0];
    sim_status status = sim_fail(err, item->status, item->file, item->line, "%s", item->text);

    if (item->hint[0])
        sim_hint(err, "%s", item->hint);
    return status;
}

sim_status sim_pricer_price(sim_pricer *p, const sim_layer *layer, sim_layer_price *out, char *why,
                            size_t why_size, sim_err *err)
{
    const sim_layer_request request = {.layer = layer, .precision = p->precision};
    sim_layer_cost cost;
    sim_layer_result result;
    sim_status status;

    *out = (sim_layer_price){.possible = false};
    if (!macs_of(layer, &out->macs))
        return sim_fail(err, SIM_OVERFLOW, p->context.workload->file, layer->line,
                        "layer '%s': its counts exceed 63 bits", layer->name);
    if (!supported(p, &request, why, why_size))
        return SIM_OK;
    p->trial.count = p->trial.dropped = 0;
    status = sim_layer_cost_of(&p->context, &request, &cost, &p->trial);
    if (status == SIM_INFEASIBLE) {
        snprintf(why, why_size, "%s", p->trial.items[0].text);
        return SIM_OK;
    }
    if (status != SIM_OK)
        return pass_on(&p->trial, err);
    sim_layer_finish(&p->context, &cost, 0, &result);
    *out = (sim_layer_price){
        .possible = true,
        .macs = result.macs,
        .cycles = result.cycles,
        .compute_cycles = result.compute_cycles,
        .memory_cycles = result.memory_cycles,
        .dram_read_bytes = result.dram_read_bytes,
        .dram_write_bytes = result.dram_write_bytes,
        .weight_bytes = cost.weight_bytes,
        .latency_s = result.latency_s,
        .energy_j = sim_energy_total_j(&result.energy),
        .utilization_frac = result.utilization_frac,
        .bound = result.bound,
    };
    return SIM_OK;
}
