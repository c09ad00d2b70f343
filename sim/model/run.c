#include "model/run.h"

#include "model/gemm_memo.h"
#include "model/group.h"
#include "model/layer.h"
#include "model/numerics.h"
#include "model/schedule.h"

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

/* ---- sums ---------------------------------------------------------------------------------------- */

static bool add_times(int64_t *sum, int64_t value, int64_t times)
{
    int64_t product;

    return !__builtin_mul_overflow(value, times, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static void add_energy(sim_energy *sum, const sim_energy *one, double times)
{
    sum->mac_j += one->mac_j * times;
    sum->register_j += one->register_j * times;
    sum->sram_j += one->sram_j * times;
    sum->dram_j += one->dram_j * times;
    sum->vector_j += one->vector_j * times;
    sum->static_j += one->static_j * times;
    sum->link_j += one->link_j * times;
}

static sim_status sum_layers(const sim_layer_result *layers, int64_t count, sim_totals *t, sim_err *err)
{
    double useful = 0; /* cycles of all devices */

    for (int64_t i = 0; i < count; i++) {
        const sim_layer_result *l = &layers[i];

        if (!add_times(&t->macs, l->macs, l->repeat) ||
            !add_times(&t->compute_cycles, l->compute_cycles, l->repeat) ||
            !add_times(&t->cycles, l->cycles, l->repeat) ||
            !add_times(&t->dram_read_bytes, l->dram_read_bytes, l->repeat) ||
            !add_times(&t->dram_write_bytes, l->dram_write_bytes, l->repeat) ||
            !add_times(&t->link_bytes, l->link_bytes, l->repeat))
            return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the sums over all layers exceed 63 bits");
        t->latency_s += l->latency_s * (double)l->repeat;
        add_energy(&t->energy, &l->energy, (double)l->repeat);
        useful += l->utilization_frac * (double)l->cycles * (double)l->repeat *
                  ((double)l->devices / (double)t->devices);
    }
    t->utilization_frac = t->cycles > 0 ? useful / (double)t->cycles : 0;
    return SIM_OK;
}

/* Memory of one device of a stage. */
typedef struct stage_memory {
    int64_t weights, kv, tensors;
} stage_memory;

static bool add_memory(stage_memory *sum, const sim_layer_cost *c, int64_t repeat)
{
    if (c->tensor_bytes > sum->tensors)
        sum->tensors = c->tensor_bytes;
    return add_times(&sum->weights, c->device_weight_bytes, repeat) &&
           add_times(&sum->kv, c->device_kv_bytes, repeat);
}

static bool stage_total(const stage_memory *stage, int64_t *out)
{
    return !__builtin_add_overflow(stage->weights, stage->kv, out) &&
           !__builtin_add_overflow(*out, stage->tensors, out);
}

static sim_status memory_too_large(sim_err *err)
{
    return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the memory of all layers exceeds 63 bits");
}

/* Stages are few and follow each other in the list: each is summed in a pass of its own over its layers. */
static sim_status sum_memory(const sim_arch *arch, const sim_workload *workload, const sim_layer_cost *costs,
                             sim_totals *t, sim_err *err)
{
    int64_t tensors = 0, kv = 0, most_macs = -1, fullest,
            stages = workload->stages > 1 ? workload->stages : 1;
    stage_memory stage = {0};
    bool has_kv = false;

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer_cost *c = &costs[i];
        int64_t repeat = workload->layers[i].repeat;

        has_kv |= c->kv_bytes > 0;
        if (!add_times(&t->weight_bytes, c->weight_bytes, repeat) || !add_times(&kv, c->kv_bytes, repeat))
            return memory_too_large(err);
        if (c->tensor_bytes > tensors)
            tensors = c->tensor_bytes;
        if (c->peak_macs_per_cycle > 0 && c->result.macs > most_macs) {
            most_macs = c->result.macs;
            t->peak_macs_per_s = c->peak_macs_per_cycle * arch->clock_mhz * 1e6 * (double)t->devices;
        }
    }
    for (int64_t s = 0; s < stages; s++) {
        stage = (stage_memory){0};
        for (int64_t i = 0; i < workload->layer_count; i++)
            if (workload->layers[i].stage == s && !add_memory(&stage, &costs[i], workload->layers[i].repeat))
                return memory_too_large(err);
        if (!stage_total(&stage, &fullest))
            return memory_too_large(err);
        if (fullest > t->device_memory_bytes)
            t->device_memory_bytes = fullest;
    }
    t->kv_cache_bytes = has_kv ? kv : -1;
    if (__builtin_mul_overflow(tensors, t->devices, &tensors) ||
        __builtin_add_overflow(t->weight_bytes, kv, &t->peak_memory_bytes) ||
        __builtin_add_overflow(t->peak_memory_bytes, tensors, &t->peak_memory_bytes))
        return memory_too_large(err);
    t->memory_fits = (double)t->device_memory_bytes <= arch->dram_capacity_gib * 1024 * 1024 * 1024;
    return SIM_OK;
}

/* Tokens per second when each stage works on another batch: as fast as the slowest stage. */
static double steady_tokens_per_s(const sim_workload *workload, const sim_layer_result *results,
                                  const sim_totals *totals)
{
    double slowest_s = 0;

    if (workload->stages <= 1)
        return totals->tokens_per_s;
    for (int64_t s = 0; s < workload->stages; s++) {
        double stage_s = 0;

        for (int64_t i = 0; i < workload->layer_count; i++)
            if (workload->layers[i].stage == s)
                stage_s += results[i].latency_s * (double)results[i].repeat;
        slowest_s = stage_s > slowest_s ? stage_s : slowest_s;
    }
    return workload->tokens > 0 ? (double)workload->tokens / slowest_s : NAN;
}

static sim_provenance worse(sim_provenance a, sim_provenance b)
{
    return a < b ? a : b;
}

/* As good as the worst number that went in. A lane of a bit-serial unit is priced by a fit to whole
 * multipliers, far below the widths that were synthesised: assumed, whatever the table says. */
static sim_provenance energy_provenance_of(const sim_arch *arch, const sim_totals *totals)
{
    sim_provenance worst =
        worse(worse(arch->tech.logic_provenance, arch->tech.sram_provenance), arch->dram.provenance);
    sim_hardware hardware;

    if (arch->backend->kernels)
        return worse((sim_provenance)arch->gpu.energy_provenance, arch->dram.provenance);
    arch->backend->hardware(arch, &hardware);
    if (hardware.kind == SIM_PE_SERIAL)
        worst = SIM_ASSUMED;
    if (totals->energy.vector_j > 0)
        worst = worse(worst, arch->tech.vector_provenance);
    return worst;
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

sim_status sim_run_model(const sim_arch *arch, const sim_workload *workload, const sim_policy *policy,
                         sim_objective objective, sim_arena *arena, sim_result *out, sim_err *err)
{
    sim_layer_request *asked = sim_arena_alloc(arena, (size_t)workload->layer_count, sizeof *asked);
    const sim_layer_request *requests;
    sim_schedule schedule;
    sim_workload work; /* with what its numerics need */
    sim_layer_context context = {.arch = arch, .workload = &work, .objective = objective};
    sim_status status;

    memset(out, 0, sizeof *out);
    context.cache = sim_map_cache_new(arena);
    context.memo = sim_gemm_memo_new(arena);
    if (!asked || !context.cache || !context.memo)
        return out_of_memory(err);
    sim_gpu_prices_all(arch, context.kernel_prices);

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
    out->totals.devices = workload->devices > 1 ? workload->devices : 1;
    status =
        sim_group_layers(schedule.results, work.layer_count, arena, &out->layers, &out->layer_count, err);
    if (status == SIM_OK)
        status = sum_layers(out->layers, out->layer_count, &out->totals, err);
    if (status == SIM_OK)
        status = sum_memory(arch, &work, schedule.costs, &out->totals, err);
    if (status != SIM_OK)
        return status;
    out->totals.area_mm2 = sim_area_mm2(arch) * (double)out->totals.devices;
    out->totals.dram_bandwidth_bytes_per_s = arch->dram_bandwidth_gb_s * 1e9 * (double)out->totals.devices;
    out->totals.tokens_per_s = workload->tokens > 0 ? (double)workload->tokens / out->totals.latency_s : NAN;
    out->totals.steady_tokens_per_s = steady_tokens_per_s(&work, schedule.results, &out->totals);
    out->calibration = arch->calibration ? arch->calibration->file : NULL;
    out->energy_provenance = energy_provenance_of(arch, &out->totals);
    return SIM_OK;
}
