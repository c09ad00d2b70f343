#include "model/run.h"

#include "model/gemm_memo.h"
#include "model/group.h"
#include "model/layer.h"
#include "model/numerics.h"
#include "model/schedule.h"
#include "model/totals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- precision ----------------------------------------------------------------------------------- */

static bool is_product(const sim_layer *layer)
{
    return layer->op == SIM_OP_MATMUL || layer->op == SIM_OP_CONV2D;
}

static sim_number widened(sim_number number)
{
    return (sim_number){SIM_FORMAT_INT, number.format == SIM_FORMAT_INT && number.bits > 8 ? number.bits : 8};
}

static sim_number as_integer(sim_number number, int most)
{
    return (sim_number){SIM_FORMAT_INT, number.bits < most ? number.bits : most};
}

static bool supported(const sim_arch *arch, const sim_layer_request *q)
{
    char why[SIM_ERR_HINT];

    return arch->backend->supports(arch, sim_second_operand(q), q->precision.a, why, sizeof why);
}

/* Formats of a checkpoint that the machine lacks. First the weights become integers of the same width, which
 * kernels widen in registers (FP8 weights on an A100 multiply as fp16); then the activations half precision;
 * then both integers, of 8 bits where nothing wider is there. */
static void settle_checkpoint(const sim_arch *arch, sim_layer_request *q)
{
    const sim_number half = {SIM_FORMAT_FP, 16};
    const sim_precision asked = q->precision;

    for (int step = 0; step < 4 && !supported(arch, q); step++) {
        int most = step < 3 ? 16 : 8;

        q->precision.w = as_integer(asked.w, most);
        q->precision.kv = as_integer(asked.kv, most);
        q->precision.a = step == 0 ? asked.a : step == 1 ? half : as_integer(asked.a, most);
        q->float_fallback = true;
    }
}

/* lm_head and embeddings stay in half precision where the back end has it, else in integers of 8 bits (more
 * where the policy gives more), unless a rule names them. */
static void request_of(const sim_arch *arch, const sim_policy *policy, const sim_layer *layer,
                       int64_t position, sim_layer_request *out)
{
    const sim_number half = {SIM_FORMAT_FP, 16};
    char why[SIM_ERR_HINT];
    bool by_rule;

    *out = (sim_layer_request){.layer = layer};
    by_rule = sim_precision_of(policy, layer, position, &out->precision);
    sim_precision_plain(arch, &out->precision);
    if (layer->from_checkpoint && !policy->overrides_own && is_product(layer))
        settle_checkpoint(arch, out);
    if (!layer->keep_float || by_rule)
        return;
    out->precision.group = 0;
    if (arch->backend->supports(arch, half, half, why, sizeof why)) {
        out->precision.w = out->precision.a = half;
    } else {
        out->precision.w = widened(out->precision.w);
        out->precision.a = widened(out->precision.a);
        out->float_fallback = true;
    }
}

/* Layers and their bits; a policy by position must have as many as there are. */
static sim_status requests_of(const sim_arch *arch, const sim_workload *workload, const sim_policy *policy,
                              sim_layer_request *out, sim_err *err)
{
    int64_t position = 0;
    sim_status status;

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *layer = &workload->layers[i];

        request_of(arch, policy, layer, sim_has_weights(layer) ? position++ : -1, &out[i]);
    }
    if (policy->position_count == 0 || policy->position_count == position)
        return SIM_OK;
    status =
        sim_fail(err, SIM_BAD_INPUT, policy->file, 0,
                 "the policy has bits for %lld layers by position, but workload '%s' has %lld with weights",
                 (long long)policy->position_count, workload->name, (long long)position);
    sim_hint(err, "counted are conv2d and matmul with static weights, in the order of the workload; 'simacc "
                  "table' lists all layers");
    return status;
}

static void number_text(sim_number number, char letter, char *out, size_t size)
{
    if (number.format == SIM_FORMAT_INT)
        snprintf(out, size, "%c%d", letter, number.bits);
    else if (number.format == SIM_FORMAT_FP8) /* has its width in its name */
        snprintf(out, size, "%c:%s", letter, sim_format_names[number.format]);
    else
        snprintf(out, size, "%c:%s%d", letter, sim_format_names[number.format], number.bits);
}

static bool same_number(sim_number a, sim_number b)
{
    return a.bits == b.bits && a.format == b.format;
}

/* Whether the line of the workload file is where these operands are asked for. */
static bool asked_in_workload(const sim_layer *layer, sim_number w, sim_number a)
{
    return layer->line > 0 && ((layer->own.w.bits > 0 && same_number(layer->own.w, w)) ||
                               (layer->own.a.bits > 0 && same_number(layer->own.a, a)));
}

/* One error for each pair of operands that the back end cannot multiply. */
static sim_status check_support(const sim_arch *arch, const sim_workload *workload,
                                const sim_layer_request *requests, sim_err *err)
{
    sim_number seen[SIM_ERR_MAX][2];
    int seen_count = 0;
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *layer = requests[i].layer;
        sim_number w, a = requests[i].precision.a;
        char why[SIM_ERR_HINT], w_text[16], a_text[16];
        bool known = false, in_workload;

        if (!is_product(layer))
            continue;
        w = sim_second_operand(&requests[i]);
        if (arch->backend->supports(arch, w, a, why, sizeof why))
            continue;
        for (int s = 0; s < seen_count; s++)
            known |= same_number(seen[s][0], w) && same_number(seen[s][1], a);
        if (known || seen_count == SIM_ERR_MAX)
            continue;
        seen[seen_count][0] = w;
        seen[seen_count++][1] = a;
        number_text(w, layer->weights == SIM_WEIGHTS_KV ? 'k' : 'w', w_text, sizeof w_text);
        number_text(a, 'a', a_text, sizeof a_text);
        in_workload = asked_in_workload(layer, w, a);
        status = sim_fail(err, SIM_BAD_INPUT, in_workload ? workload->file : arch->file,
                          in_workload ? layer->line : 0, "layer '%s': '%s' (%s) cannot multiply %s%s by %s",
                          layer->name, arch->name, arch->backend->name, w_text,
                          layer->weights == SIM_WEIGHTS_KV ? " (KV cache)" : "", a_text);
        sim_hint(err, "%s", why);
    }
    return status;
}

/* The devices that the workload is spread over must be there. */
static sim_status check_devices(const sim_arch *arch, const sim_workload *workload, sim_err *err)
{
    sim_status status;

    if (workload->devices <= 1 || workload->devices <= arch->link.devices)
        return SIM_OK;
    status = sim_fail(err, SIM_BAD_INPUT, arch->file, 0,
                      "workload '%s' is spread over %lld devices; '%s' has %lld", workload->name,
                      (long long)workload->devices, arch->name, (long long)arch->link.devices);
    sim_hint(err, "'link.devices' says how many may be joined, link.topology and link.bandwidth_gb_s how");
    return status;
}

/* Without a policy the bits are the checkpoint's: the report says whose. */
static sim_status name_checkpoint(const sim_workload *workload, const sim_policy **policy, sim_arena *arena,
                                  sim_err *err)
{
    sim_policy *named = sim_arena_alloc(arena, 1, sizeof *named);

    if (!named)
        return out_of_memory(err);
    *named = **policy;
    named->name = sim_arena_printf(arena, "%s of the checkpoint", workload->quantized_by);
    *policy = named;
    return named->name ? SIM_OK : out_of_memory(err);
}

/* ---- the run ------------------------------------------------------------------------------------- */

/* Tiles are chosen by an objective; each has its own. */
struct sim_run_memory {
    const sim_arch *arch;
    sim_arena *arena;
    sim_map_cache *cache;
    struct sim_gemm_memo *memos[SIM_OBJECTIVE_COUNT];
    sim_prices kernel_prices[SIM_GPU_MATHS];
};

sim_run_memory *sim_run_memory_new(const sim_arch *arch, sim_arena *arena)
{
    sim_run_memory *memory = sim_arena_alloc(arena, 1, sizeof *memory);

    if (!memory)
        return NULL;
    memory->arch = arch;
    memory->arena = arena;
    memory->cache = sim_map_cache_new(arena);
    sim_gpu_prices_all(arch, memory->kernel_prices);
    return memory->cache ? memory : NULL;
}

int64_t sim_run_memory_products(const sim_run_memory *memory)
{
    int64_t sum = 0;

    for (int i = 0; i < SIM_OBJECTIVE_COUNT; i++)
        sum += memory->memos[i] ? sim_gemm_memo_count(memory->memos[i]) : 0;
    return sum;
}

sim_status sim_run_remembering(sim_run_memory *memory, const sim_workload *workload, const sim_policy *policy,
                               sim_objective objective, sim_arena *arena, sim_result *out, sim_err *err)
{
    const sim_arch *arch = memory->arch;
    sim_layer_request *asked = sim_arena_alloc(arena, (size_t)workload->layer_count, sizeof *asked);
    const sim_layer_request *requests;
    sim_schedule schedule;
    sim_workload work; /* with what its numerics need */
    sim_layer_context context = {
        .arch = arch, .workload = &work, .objective = objective, .handed_in = true, .handed_on = true};
    sim_status status;

    memset(out, 0, sizeof *out);
    if (!memory->memos[objective])
        memory->memos[objective] = sim_gemm_memo_new(memory->arena);
    context.cache = memory->cache;
    context.memo = memory->memos[objective];
    if (!asked || !context.memo)
        return out_of_memory(err);
    memcpy(context.kernel_prices, memory->kernel_prices, sizeof context.kernel_prices);

    status = requests_of(arch, workload, policy, asked, err);
    if (status == SIM_OK)
        status = check_devices(arch, workload, err);
    if (status == SIM_OK)
        status = sim_numerics_add(arch, workload, asked, arena, &work, &requests, err);
    if (status == SIM_OK)
        status = check_support(arch, &work, requests, err);
    if (status != SIM_OK)
        return status;
    context.weights_resident = sim_weights_stay(arch, &work, requests);
    status = sim_schedule_run(&context, requests, arena, &schedule, err);
    if (status != SIM_OK)
        return status;

    if (workload->quantized_by && !policy->overrides_own && !policy->file) {
        status = name_checkpoint(workload, &policy, arena, err);
        if (status != SIM_OK)
            return status;
    }
    out->arch = arch;
    out->workload = workload;
    out->policy = policy;
    out->weights_resident = context.weights_resident;
    out->distinct_gemms = sim_gemm_memo_count(context.memo);
    out->calibration = arch->calibration ? arch->calibration->file : NULL;
    status =
        sim_group_layers(schedule.results, work.layer_count, arena, &out->layers, &out->layer_count, err);
    if (status == SIM_OK)
        status = sim_totals_of(arch, &work, requests, &schedule, out->layers, out->layer_count, arena,
                               &out->totals, err);
    if (status != SIM_OK)
        return status;
    out->energy_provenance = sim_energy_provenance_of(arch, &out->totals);
    return SIM_OK;
}

sim_status sim_run_model(const sim_arch *arch, const sim_workload *workload, const sim_policy *policy,
                         sim_objective objective, sim_arena *arena, sim_result *out, sim_err *err)
{
    sim_run_memory *memory = sim_run_memory_new(arch, arena);

    if (!memory)
        return out_of_memory(err);
    return sim_run_remembering(memory, workload, policy, objective, arena, out, err);
}
