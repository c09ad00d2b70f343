#include "model/devices.h"

#include "model/link.h"
#include "model/run.h"

#include <math.h>

static double at_least(double a, double b)
{
    return a > b ? a : b;
}

static int64_t bytes_of(double bits)
{
    return (int64_t)ceil(bits / 8);
}

/* ---- exchanges between devices ------------------------------------------------------------------- */

/* Sums are exchanged in 16 bits at least. */
static int message_bits(const sim_arch *arch, int a_bits)
{
    int bits = sim_output_bits(arch, a_bits);

    return bits > 16 ? bits : 16;
}

sim_status sim_exchange_cost(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                             sim_err *err)
{
    const sim_arch *arch = x->arch;
    const sim_layer *l = q->layer;
    sim_layer_result *r = &out->result;
    int64_t devices = l->op == SIM_OP_SEND ? 2 : l->devices, rows, bits;
    int width = l->in_bits > 0 ? l->in_bits : message_bits(arch, q->precision.a.bits);
    sim_gemm message = {.extent = {l->m, l->n, l->n}, .batch = 1, .w_bits = width, .a_bits = width};
    double link_cycles, vector_cycles, memory_cycles, cycles;
    sim_traffic traffic = {0};
    sim_dram_rates rates;
    sim_link_cost link;

    if (arch->link.devices < devices)
        return sim_fail(err, SIM_INFEASIBLE, arch->file, 0,
                        "layer '%s' needs %lld devices; 'link.devices' is %lld", l->name, (long long)devices,
                        (long long)arch->link.devices);
    if (__builtin_mul_overflow(l->m, l->batch, &rows))
        return sim_layer_too_large(x, l, err);
    bits = sim_stored_bits(rows, l->n, width, 0);
    if (bits < 0)
        return sim_layer_too_large(x, l, err);
    sim_link_cost_of(&arch->link, l->op, devices, (double)bits / 8, &link);
    traffic.input_read = (double)bits;
    traffic.final_write = (double)bits * (l->op == SIM_OP_ALLGATHER ? (double)devices : 1);
    out->tensor_bytes = bytes_of(traffic.input_read + traffic.final_write);
    out->counts.of[SIM_EVENT_DRAM_READ] = traffic.input_read;
    out->counts.of[SIM_EVENT_DRAM_WRITE] = traffic.final_write;
    out->counts.of[SIM_EVENT_LINK_BIT] = link.sent_bytes * 8 / (l->op == SIM_OP_SEND ? 1 : (double)devices);
    out->counts.of[SIM_EVENT_VECTOR_OP] = link.added_bytes * 8 / width + l->folded_ops;

    message.out_bits = message.acc_bits = width;
    sim_dram_rates_of(arch, &message, message.extent, &rates);
    link_cycles = link.us * arch->clock_mhz;
    memory_cycles = sim_dram_cycles(&rates, &traffic);
    vector_cycles = 0;
    if (!arch->backend->kernels) /* kernels of exchanges add as fast as messages come */
        vector_cycles = ceil(out->counts.of[SIM_EVENT_VECTOR_OP] / (double)arch->vector_lanes);
    cycles = ceil(at_least(link_cycles, at_least(memory_cycles, vector_cycles)));
    if (!(cycles < 9e18))
        return sim_layer_too_large(x, l, err);
    r->cycles = (int64_t)cycles;
    r->compute_cycles = (int64_t)vector_cycles;
    r->memory_cycles = (int64_t)ceil(memory_cycles);
    r->bound = cycles > ceil(link_cycles)
                   ? memory_cycles > vector_cycles ? SIM_BOUND_MEMORY : SIM_BOUND_VECTOR
               : 2 * link.launch_us > link.us ? SIM_BOUND_LAUNCH
                                              : SIM_BOUND_LINK;
    out->idle_tail_cycles = cycles - (double)r->memory_cycles;
    out->prices = arch->backend->kernels ? &x->kernel_prices[SIM_GPU_FP32]
                                         : sim_map_prices(x->cache, arch, width, width);
    return out->prices ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- sums over devices --------------------------------------------------------------------------- */

/* Stored bytes of outputs that do not exist; of less than all that are stored, so that nothing overflows. */
static int64_t spare_bytes(const sim_layer_request *q)
{
    const sim_layer *l = q->layer;
    bool table = l->op == SIM_OP_EMBEDDING;

    if (l->spare_n == 0 || l->tied)
        return 0;
    return sim_stored_bits(l->spare_n, table ? l->n : l->k, q->precision.w.bits, q->precision.group) / 8 *
           (table ? 1 : l->batch);
}

/* Multiply-accumulates of all devices, counting once what all of them do. */
static bool all_macs(const sim_layer *l, int64_t one, int64_t devices, int64_t *out)
{
    *out = l->repeated ? one : l->all_macs;
    return *out > 0 || !__builtin_mul_overflow(one, devices, out);
}

sim_status sim_devices_sum(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                           sim_err *err)
{
    const sim_layer *l = q->layer;
    const double *counts = out->counts.of;
    sim_layer_result *r = &out->result;
    int64_t devices = l->devices > 1 ? l->devices : 1;
    double all = (double)devices;

    r->devices = devices;
    out->device_weight_bytes = out->weight_bytes;
    out->device_kv_bytes = out->kv_bytes;
    if (!all_macs(l, r->macs, devices, &r->macs) ||
        __builtin_mul_overflow(out->weight_bytes, devices, &out->weight_bytes) ||
        __builtin_mul_overflow(out->kv_bytes, devices, &out->kv_bytes))
        return sim_layer_too_large(x, l, err);
    out->weight_bytes -= out->weight_bytes > 0 ? spare_bytes(q) : 0; /* 0: counted in an earlier pass */
    r->compulsory_dram_bits *= all;
    r->dram_bits_bound *= all;
    r->dram_read_bytes = bytes_of(counts[SIM_EVENT_DRAM_READ] * all);
    r->dram_write_bytes = bytes_of(counts[SIM_EVENT_DRAM_WRITE] * all);
    r->link_bytes = bytes_of(counts[SIM_EVENT_LINK_BIT] * all);
    r->sram_read_bits =
        all * (counts[SIM_EVENT_WEIGHT_READ] + counts[SIM_EVENT_INPUT_READ] + counts[SIM_EVENT_OUTPUT_READ]);
    r->sram_write_bits = all * (counts[SIM_EVENT_WEIGHT_WRITE] + counts[SIM_EVENT_INPUT_WRITE] +
                                counts[SIM_EVENT_OUTPUT_WRITE]);
    return SIM_OK;
}
