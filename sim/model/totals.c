#include "model/totals.h"

#include "model/limits.h"

#include <math.h>

/* ---- sums over layers ----------------------------------------------------------------------------- */

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

/* ---- memory --------------------------------------------------------------------------------------- */

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
static sim_status sum_memory(const sim_arch *arch, const sim_workload *workload,
                             const sim_layer_cost *const *costs, sim_totals *t, sim_err *err)
{
    int64_t tensors = 0, kv = 0, most_macs = -1, fullest,
            stages = workload->stages > 1 ? workload->stages : 1;
    stage_memory stage = {0};
    bool has_kv = false;

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer_cost *c = costs[i];
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
            if (workload->layers[i].stage == s && !add_memory(&stage, costs[i], workload->layers[i].repeat))
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
    t->activation_bytes = tensors;
    if (__builtin_mul_overflow(sim_device_capacity_bytes(arch), t->devices, &t->memory_capacity_bytes))
        t->memory_capacity_bytes = INT64_MAX;
    t->memory_fits = t->device_memory_bytes <= sim_device_capacity_bytes(arch);
    return SIM_OK;
}

/* ---- time and energy of tokens -------------------------------------------------------------------- */

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

/* Tokens of one sequence: new ones in generate, the prompt's in prefill. */
static int64_t tokens_per_sequence(const sim_workload *workload)
{
    return workload->batch > 0 ? workload->tokens / workload->batch : 0;
}

/* Encoders have no cache, and make no tokens. All sequences of a batch go through the prompt together, and a
 * prompt in chunks is through when the last one is: then each has its first token. */
static double first_token_s(const sim_workload *workload, const sim_layer_result *layers, int64_t count)
{
    double prompt_s = 0;

    if (workload->cached_tokens == 0 || workload->phase == SIM_PHASE_DECODE)
        return NAN;
    for (int64_t i = 0; i < count; i++)
        if (layers[i].phase == SIM_PHASE_PREFILL)
            prompt_s += layers[i].latency_s * (double)layers[i].repeat;
    return prompt_s;
}

/* A decode step gives each sequence one token, and another for each drafted one that is right: all are taken
 * to be. */
static double output_token_s(const sim_workload *workload, const sim_totals *t)
{
    int64_t tokens = tokens_per_sequence(workload);

    if (workload->phase == SIM_PHASE_DECODE && tokens > 0)
        return t->latency_s / (double)tokens;
    if (workload->phase == SIM_PHASE_GENERATE && tokens > 1)
        return (t->latency_s - t->time_to_first_token_s) / (double)(tokens - 1);
    return NAN;
}

static void set_rates(const sim_arch *arch, const sim_workload *workload, const sim_layer_result *layers,
                      int64_t count, sim_totals *t)
{
    double bytes = (double)t->dram_read_bytes + (double)t->dram_write_bytes;
    double tokens = (double)workload->tokens;

    t->dram_bandwidth_bytes_per_s = arch->dram_bandwidth_gb_s * 1e9 * (double)t->devices;
    t->dram_bandwidth_frac = t->latency_s > 0 ? bytes / (t->latency_s * t->dram_bandwidth_bytes_per_s) : NAN;
    t->arithmetic_intensity_ops_per_byte = bytes > 0 ? 2 * (double)t->macs / bytes : NAN;
    t->tokens_per_s = tokens > 0 ? tokens / t->latency_s : NAN;
    t->joules_per_token = tokens > 0 ? sim_energy_total_j(&t->energy) / tokens : NAN;
    t->time_to_first_token_s = first_token_s(workload, layers, count);
    t->time_per_output_token_s = output_token_s(workload, t);
}

/* ---- all of them ---------------------------------------------------------------------------------- */

sim_status sim_totals_of(const sim_arch *arch, const sim_workload *workload,
                         const sim_layer_request *requests, const sim_schedule *schedule,
                         const sim_layer_result *layers, int64_t count, sim_arena *arena, sim_totals *out,
                         sim_err *err)
{
    sim_status status;

    *out = (sim_totals){.devices = workload->devices > 1 ? workload->devices : 1};
    status = sum_layers(layers, count, out, err);
    if (status == SIM_OK)
        status = sum_memory(arch, workload, schedule->costs, out, err);
    if (status != SIM_OK)
        return status;
    out->area_mm2 = sim_area_mm2(arch) * (double)out->devices;
    set_rates(arch, workload, layers, count, out);
    out->steady_tokens_per_s = steady_tokens_per_s(workload, schedule->results, out);
    return sim_limits_of(arch, workload, requests, schedule->costs, arena, out, err);
}

/* ---- provenance ----------------------------------------------------------------------------------- */

static sim_provenance worse(sim_provenance a, sim_provenance b)
{
    return a < b ? a : b;
}

/* As good as the worst number that went in. A lane of a bit-serial unit is priced by a fit to whole
 * multipliers, far below the widths that were synthesised: assumed, whatever the table says. */
sim_provenance sim_energy_provenance_of(const sim_arch *arch, const sim_totals *totals)
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
