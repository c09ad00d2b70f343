#include "model/layer.h"

#include "model/devices.h"
#include "model/gemm_memo.h"
#include "model/link.h"
#include "model/numerics.h"
#include "model/run.h"
#include "model/window.h"

#include <math.h>
#include <string.h>

static double at_least(double a, double b)
{
    return a > b ? a : b;
}

/* Bits to whole bytes; DRAM moves no fraction of a byte. */
static int64_t bytes_of(double bits)
{
    return (int64_t)ceil(bits / 8);
}

sim_status sim_layer_too_large(const sim_layer_context *x, const sim_layer *layer, sim_err *err)
{
    return sim_fail(err, SIM_OVERFLOW, x->workload->file, layer->line,
                    "layer '%s': its counts exceed 63 bits", layer->name);
}

/* ---- products ------------------------------------------------------------------------------------ */

sim_number sim_second_operand(const sim_layer_request *q)
{
    switch (q->layer->weights) {
    case SIM_WEIGHTS_KV:
        return q->precision.kv;
    case SIM_WEIGHTS_DYNAMIC:
        return q->layer->own.w.bits > 0 ? q->precision.w : q->precision.a;
    default:
        return q->precision.w;
    }
}

/* Stored bits of the second operand of one product of n x k elements. Weights are stored by output feature;
 * rows of the KV cache are a head's dimensions, which is k for scores and n for the weighted sum of values.
 */
static int64_t second_operand_bits(const sim_layer_request *q, int64_t n, int64_t k)
{
    int bits = sim_second_operand(q).bits;

    if (q->layer->weights == SIM_WEIGHTS_KV && k != q->layer->kv_row_elements)
        return sim_stored_bits(k, n, bits, q->precision.group);
    return sim_stored_bits(n, k, bits, q->layer->weights == SIM_WEIGHTS_DYNAMIC ? 0 : q->precision.group);
}

int64_t sim_weight_bits(const sim_layer_request *q)
{
    const sim_layer *l = q->layer;
    int64_t one, all, extra, matrices = l->stored_batch > 0 ? l->stored_batch : l->batch;

    if (l->op == SIM_OP_EMBEDDING)
        matrices = 1;
    if (__builtin_mul_overflow(l->param_elements, INT64_C(16), &extra))
        return -1;
    if (l->op == SIM_OP_EMBEDDING)
        one = sim_stored_bits(l->k, l->n, q->precision.w.bits, q->precision.group);
    else if ((l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D) && l->weights == SIM_WEIGHTS_STATIC)
        one = sim_stored_bits(l->n, l->k, q->precision.w.bits, q->precision.group);
    else
        one = 0;
    if (one < 0 || __builtin_mul_overflow(one, matrices, &all) || __builtin_add_overflow(all, extra, &all))
        return -1;
    return all;
}

/* With on-chip activations, inputs and outputs that fit the input buffer (or a unified one) never move. */
static bool stays_on_chip(const sim_arch *arch, double tensor_bits)
{
    double kib = arch->buffer_unified_kib > 0 ? arch->buffer_unified_kib : arch->buffer_input_kib;

    return arch->activations == SIM_ACTIVATIONS_ON_CHIP && tensor_bits <= kib * 1024 * 8;
}

/* How the arch runs this convolution. */
static sim_conv_method method_of(const sim_arch *arch, const sim_layer *l)
{
    if (arch->array_conv != SIM_CONV_AUTO)
        return (sim_conv_method)arch->array_conv;
    return arch->backend->convolution ? arch->backend->convolution(arch, l->conv.c_in / l->conv.groups)
                                      : SIM_CONV_IMPLICIT_GEMM;
}

/* A convolution over its input itself: channels along k, and the positions' geometry. False on overflow. */
static bool window_of(const sim_layer *l, bool direct, sim_gemm *g)
{
    const sim_conv2d *c = &l->conv;
    int64_t rows, cols, pixel_bits, pixels;
    sim_window *w = &g->window;

    *w = (sim_window){.rows_out = sim_conv_positions(c->h_in, c->kernel_h, c->padding, c->stride),
                      .cols_out = sim_conv_positions(c->w_in, c->kernel_w, c->padding, c->stride),
                      .kernel_h = c->kernel_h,
                      .kernel_w = c->kernel_w,
                      .stride = c->stride,
                      .direct = direct};
    sim_window_span(c->h_in, w->rows_out, c->kernel_h, c->stride, c->padding, &rows, &w->pad_rows);
    sim_window_span(c->w_in, w->cols_out, c->kernel_w, c->stride, c->padding, &cols, &w->pad_cols);
    g->extent[SIM_K] = c->c_in / c->groups;
    /* Stored channel by channel within a position; a group's share of the positions that are read at all. */
    pixel_bits = sim_stored_bits(1, c->c_in, g->a_bits, 0);
    if (pixel_bits < 0 || __builtin_mul_overflow(rows - w->pad_rows, cols - w->pad_cols, &pixels) ||
        __builtin_mul_overflow(pixels, c->images, &pixels) ||
        __builtin_mul_overflow(pixels, pixel_bits, &g->a_stored_bits))
        return false;
    g->a_stored_bits = sim_ceil_div(g->a_stored_bits, c->groups);
    return true;
}

int sim_output_bits(const sim_arch *arch, int a_bits)
{
    return arch->backend->kernels && a_bits > arch->output_bits ? a_bits : (int)arch->output_bits;
}

/* Rows of outputs, of which those that go to the cache are stored as it is; -1 on overflow. */
static int64_t stored_outputs(const sim_layer *l, const sim_layer_request *q, const sim_gemm *g)
{
    int64_t cached = sim_stored_bits(l->m, l->kv_outputs, q->precision.kv.bits, g->w_group), all;
    int64_t rest = sim_stored_bits(l->m, g->extent[SIM_N] - l->kv_outputs, g->out_bits, 0);

    return cached < 0 || rest < 0 || __builtin_add_overflow(cached, rest, &all) ? -1 : all;
}

/* A prompt goes through once, and finds no weights there. */
static bool stays_from_step_to_step(const sim_layer_context *x, const sim_layer *l)
{
    return x->weights_resident && l->phase != SIM_PHASE_PREFILL;
}

static sim_status gemm_of(const sim_layer_context *x, const sim_layer_request *q, sim_gemm *g, sim_err *err)
{
    const sim_layer *l = q->layer;
    bool masked = l->needed_macs > 0;

    memset(g, 0, sizeof *g);
    g->extent[SIM_M] = l->m;
    g->extent[SIM_N] = masked && l->map_n > 0 ? l->map_n : l->n;
    g->extent[SIM_K] = masked && l->map_k > 0 ? l->map_k : l->k;
    g->batch = l->batch;
    g->w_bits = sim_second_operand(q).bits;
    g->a_bits = q->precision.a.bits;
    g->w_group = l->weights == SIM_WEIGHTS_DYNAMIC ? 0 : q->precision.group;
    g->out_bits = l->kv_outputs == l->n ? q->precision.kv.bits
                  : l->out_bits > 0     ? l->out_bits
                                        : sim_output_bits(x->arch, g->a_bits);
    g->acc_bits = (int)x->arch->array_acc_bits;
    if (g->acc_bits < g->out_bits)
        g->acc_bits = g->out_bits;
    g->w_stored_bits = second_operand_bits(q, g->extent[SIM_N], g->extent[SIM_K]);
    g->a_stored_bits = sim_stored_bits(l->m, g->extent[SIM_K], g->a_bits, 0);
    g->out_stored_bits = stored_outputs(l, q, g);
    if (g->w_stored_bits < 0 || g->a_stored_bits < 0 || g->out_stored_bits < 0)
        return sim_layer_too_large(x, l, err);
    if (l->op == SIM_OP_CONV2D) {
        sim_conv_method method = method_of(x->arch, l);

        if (method != SIM_CONV_IM2COL) {
            if (!window_of(l, method == SIM_CONV_DIRECT, g))
                return sim_layer_too_large(x, l, err);
        } else if (x->arch->mapper_tiles == SIM_TILES_POW2_PADDED) {
            /* Such tiles cut positions by rows and columns: a 1x1 convolution of the expanded input. */
            const sim_conv2d *c = &l->conv;

            g->window =
                (sim_window){.rows_out = sim_conv_positions(c->h_in, c->kernel_h, c->padding, c->stride),
                             .cols_out = sim_conv_positions(c->w_in, c->kernel_w, c->padding, c->stride),
                             .kernel_h = 1,
                             .kernel_w = 1,
                             .stride = 1};
        }
    }
    if (masked) {
        int64_t all = second_operand_bits(q, l->n, l->k);

        if (all < 0)
            return sim_layer_too_large(x, l, err);
        g->w_once_bits = all - g->w_stored_bits;
    }
    g->on_chip[SIM_OPERAND_INPUT] = l->a_on_chip;
    g->on_chip[SIM_OPERAND_OUTPUT] = l->out_on_chip;
    g->on_chip[SIM_OPERAND_WEIGHT] =
        l->w_on_chip || (stays_from_step_to_step(x, l) && l->weights == SIM_WEIGHTS_STATIC);
    if (stays_on_chip(x->arch, ((double)g->a_stored_bits + (double)g->out_stored_bits) * (double)g->batch))
        g->on_chip[SIM_OPERAND_INPUT] = g->on_chip[SIM_OPERAND_OUTPUT] = true;
    return SIM_OK;
}

/* Bias of the outputs: read once, added on the way out. */
static void add_bias(const sim_layer_context *x, const sim_layer *l, sim_layer_cost *out)
{
    if (l->param_elements == 0)
        return;
    if (!stays_from_step_to_step(x, l))
        out->counts.of[SIM_EVENT_DRAM_READ] += 16 * (double)l->param_elements;
    out->counts.of[SIM_EVENT_VECTOR_OP] += (double)l->m * (double)l->n * (double)l->batch;
}

/* What a product is, and the least it moves, whatever the machine. */
static sim_status describe(const sim_layer_context *x, const sim_layer_request *q, const sim_gemm *gemm,
                           sim_layer_cost *out, sim_err *err)
{
    const sim_layer *l = q->layer;
    sim_layer_result *r = &out->result;
    double batch = (double)l->batch;

    r->k = l->k;
    r->w = sim_second_operand(q);
    if (l->weights == SIM_WEIGHTS_KV)
        r->kv = q->precision.kv;
    r->macs = l->needed_macs;
    if (r->macs == 0 &&
        (__builtin_mul_overflow(l->m, l->n, &r->macs) || __builtin_mul_overflow(r->macs, l->k, &r->macs) ||
         __builtin_mul_overflow(r->macs, l->batch, &r->macs)))
        return sim_layer_too_large(x, l, err);
    if (!gemm->on_chip[SIM_OPERAND_INPUT] && !gemm->on_chip[SIM_OPERAND_OUTPUT])
        r->compulsory_dram_bits = batch * ((double)gemm->w_stored_bits + (double)gemm->w_once_bits +
                                           (double)gemm->a_stored_bits + (double)gemm->out_stored_bits);
    r->dram_bits_bound = r->compulsory_dram_bits;
    out->tensor_bytes = bytes_of(batch * (((l->a_on_chip ? 0 : (double)gemm->a_stored_bits)) +
                                          (l->out_on_chip ? 0 : (double)gemm->out_stored_bits)));
    return SIM_OK;
}

/* A kernel's time and counts as a layer's. */
static sim_status take_kernel(const sim_layer_context *x, const sim_layer *l, const sim_kernel_cost *kernel,
                              sim_bound busy, sim_layer_cost *out, sim_err *err)
{
    sim_layer_result *r = &out->result;
    double longest = at_least(kernel->launch_cycles, at_least(kernel->compute_cycles, kernel->memory_cycles));

    if (!(kernel->cycles < 9e18))
        return sim_layer_too_large(x, l, err);
    r->cycles = (int64_t)ceil(kernel->cycles);
    r->compute_cycles = (int64_t)ceil(kernel->compute_cycles);
    r->memory_cycles = (int64_t)ceil(kernel->memory_cycles);
    r->bound = longest == kernel->compute_cycles  ? busy
               : longest == kernel->memory_cycles ? SIM_BOUND_MEMORY
                                                  : SIM_BOUND_LAUNCH;
    out->counts = kernel->counts;
    out->peak_macs_per_cycle = kernel->peak_macs_per_cycle;
    out->prices = &x->kernel_prices[kernel->math];
    return SIM_OK;
}

/* Operations in the epilogue of a kernel: on the lanes, while the tensor cores are at the next tiles. */
static void add_epilogue(const sim_arch *arch, double ops, sim_number a, sim_kernel_cost *kernel)
{
    const sim_vector_work work = {.op = SIM_OP_ELEMENTWISE, .ops = ops};
    sim_kernel_cost lanes;

    if (ops <= 0)
        return;
    arch->backend->kernels->vector(arch, &work, a, &lanes);
    kernel->counts.of[SIM_EVENT_VECTOR_OP] += ops;
    kernel->cycles = at_least(kernel->cycles, kernel->launch_cycles + lanes.cycles);
}

static sim_status kernel_product_cost(const sim_layer_context *x, const sim_layer_request *q, sim_gemm *gemm,
                                      sim_layer_cost *out, sim_err *err)
{
    const sim_layer *l = q->layer;
    sim_kernel_cost kernel;
    sim_status status;

    /* A bias is read by the kernel itself. */
    gemm->w_once_bits += sim_ceil_div(16 * l->param_elements, l->batch);
    status = x->arch->backend->kernels->product(x->arch, gemm, out->result.w, q->precision.a, &kernel, err);
    if (status == SIM_OK && l->param_elements > 0)
        kernel.counts.of[SIM_EVENT_VECTOR_OP] += (double)l->m * (double)l->n * (double)l->batch;
    if (status == SIM_OK)
        add_epilogue(x->arch, l->folded_ops + sim_numerics_ops(x->arch, q), q->precision.a, &kernel);
    return status == SIM_OK ? take_kernel(x, l, &kernel, SIM_BOUND_COMPUTE, out, err) : status;
}

static sim_status product_cost(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                               sim_err *err)
{
    const sim_arch *arch = x->arch;
    const sim_layer *l = q->layer;
    sim_layer_result *r = &out->result;
    const sim_map_choice *choice = NULL;
    sim_compute compute;
    sim_gemm gemm;
    sim_status status = gemm_of(x, q, &gemm, err);
    double batch = (double)l->batch, memory_cycles, cycles, side_ops, side_cycles;

    if (status == SIM_OK)
        status = describe(x, q, &gemm, out, err);
    if (status == SIM_OK && arch->backend->kernels)
        return kernel_product_cost(x, q, &gemm, out, err);
    if (status == SIM_OK)
        status = sim_gemm_map_once(x, &gemm, l->name, &choice, err);
    if (status == SIM_OK)
        status =
            arch->backend->compute(arch, &choice->gemm, &choice->way_used, &choice->tiling, &compute, err);
    if (status != SIM_OK || !choice)
        return status;

    memory_cycles = choice->value.transfer_cycles;
    out->counts = choice->counts;
    if (l->param_elements > 0) {
        sim_dram_rates rates;

        add_bias(x, l, out);
        sim_dram_rates_of(arch, &gemm, gemm.extent, &rates);
        memory_cycles +=
            stays_from_step_to_step(x, l) ? 0 : 16 * (double)l->param_elements * rates.cycles_per_bit;
    }
    if (arch->mapper_latency == SIM_LATENCY_ROOFLINE)
        cycles = 0;
    else if (arch->mapper_latency == SIM_LATENCY_OVERLAP)
        cycles = at_least((double)compute.cycles + choice->pipeline.first_load + choice->pipeline.last_store,
                          memory_cycles);
    else
        cycles = choice->pipeline.cycles + (double)compute.cycles - choice->value.busy_cycles;
    cycles = at_least(cycles, at_least((double)compute.cycles, memory_cycles));
    /* The vector unit works beside the array, on what has left it or has yet to enter. */
    side_ops = l->folded_ops + sim_numerics_ops(arch, q);
    side_cycles = ceil(side_ops / (double)arch->vector_lanes);
    out->counts.of[SIM_EVENT_VECTOR_OP] += side_ops;
    cycles = at_least(cycles, side_cycles);
    if (cycles >= 9e18)
        return sim_layer_too_large(x, l, err);

    r->compute_cycles = side_cycles > (double)compute.cycles ? (int64_t)side_cycles : compute.cycles;
    r->memory_cycles = (int64_t)ceil(memory_cycles);
    r->cycles = (int64_t)ceil(cycles);
    r->bound = r->memory_cycles > r->compute_cycles   ? SIM_BOUND_MEMORY
               : side_cycles > (double)compute.cycles ? SIM_BOUND_VECTOR
               : compute.port_limited                 ? SIM_BOUND_PORT
                                                      : SIM_BOUND_COMPUTE;
    r->has_mapping = true;
    r->mapping.dataflow = choice->way_used.dataflow;
    r->mapping.tile_m = choice->tiling.tile[SIM_M];
    r->mapping.tile_n = choice->tiling.tile[SIM_N];
    r->mapping.tile_k = choice->tiling.tile[SIM_K] * sim_taps(&gemm); /* of the layer's k */
    for (int i = 0; i < SIM_DIMS; i++)
        r->mapping.order[i] = "mnk"[choice->tiling.order[i]];

    /* Least traffic: each operand once, or what any schedule with this much buffer moves (Hong and Kung). */
    if (!gemm.on_chip[SIM_OPERAND_INPUT] && !gemm.on_chip[SIM_OPERAND_OUTPUT]) {
        double kib = arch->buffer_unified_kib > 0
                         ? arch->buffer_unified_kib
                         : arch->buffer_weight_kib + arch->buffer_input_kib + arch->buffer_output_kib;
        int narrow = gemm.w_bits < gemm.a_bits ? gemm.w_bits : gemm.a_bits;

        if (!sim_is_conv(&gemm)) /* windows overlap: a convolution can do with less */
            r->dram_bits_bound = at_least(
                r->dram_bits_bound, 2 * batch * (double)gemm.extent[SIM_M] * (double)gemm.extent[SIM_N] *
                                        (double)gemm.extent[SIM_K] / sqrt(kib * 1024 * 8 / narrow) * narrow);
    }

    out->first_weight_load_cycles = l->weights == SIM_WEIGHTS_STATIC ? choice->pipeline.first_weight_load : 0;
    out->idle_tail_cycles = choice->pipeline.last_idle;
    out->weight_tile_bits = (double)choice->tiling.tile[SIM_N] * (double)r->mapping.tile_k * gemm.w_bits;
    out->peak_macs_per_cycle = arch->backend->peak_macs_per_cycle(arch, r->w.bits, r->a.bits);
    out->prices = choice->prices;
    return SIM_OK;
}

/* ---- vector operations --------------------------------------------------------------------------- */

static sim_status vector_cost(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                              sim_err *err)
{
    const sim_arch *arch = x->arch;
    const sim_layer *l = q->layer;
    sim_layer_result *r = &out->result;
    bool table = l->op == SIM_OP_EMBEDDING;
    int a_bits = q->precision.a.bits;
    int64_t n = l->map_n > 0 ? l->map_n : l->n; /* a causal softmax sees the mean number of keys */
    double elements = (double)l->m * (double)n * (double)l->batch;
    double in, written, params = 0, vector_cycles, memory_cycles, ops;
    int64_t in_bits, out_bits, rows;
    sim_gemm whole = {.extent = {1, 1, 1},
                      .batch = 1,
                      .w_bits = a_bits,
                      .a_bits = a_bits,
                      .out_bits = a_bits,
                      .acc_bits = a_bits};
    sim_dram_rates rates;
    sim_traffic traffic = {0};

    /* Looked-up rows come at the table's width; everything else arrives as the array left it, and leaves at
     * the width that the next product reads. */
    if (__builtin_mul_overflow(l->m, l->batch, &rows))
        return sim_layer_too_large(x, l, err);
    in_bits = table
                  ? sim_stored_bits(rows, n, q->precision.w.bits, q->precision.group)
                  : sim_stored_bits(rows, n, l->in_bits > 0 ? l->in_bits : sim_output_bits(arch, a_bits), 0);
    out_bits = sim_stored_bits(rows, n, l->out_bits > 0 ? l->out_bits : a_bits, 0);
    if (in_bits < 0 || out_bits < 0)
        return sim_layer_too_large(x, l, err);
    in = (double)in_bits * (l->inputs > 0 ? l->inputs : 1);
    written = (double)out_bits;
    out->tensor_bytes = bytes_of((table || l->a_on_chip ? 0 : in) + (l->out_on_chip ? 0 : written));
    ops = elements * l->ops_per_element + l->folded_ops;
    out->counts.of[SIM_EVENT_VECTOR_OP] = ops;
    out->counts.of[SIM_EVENT_INPUT_READ] = in;
    out->counts.of[SIM_EVENT_OUTPUT_WRITE] = written;
    if (!table && !stays_from_step_to_step(x, l))
        params = 16 * (double)l->param_elements;

    if (!l->a_on_chip && !(stays_on_chip(arch, in + written) && !table)) {
        traffic.input_read = in;
        out->counts.of[SIM_EVENT_INPUT_WRITE] = in;
    }
    if (!l->out_on_chip && !stays_on_chip(arch, in + written)) {
        traffic.final_write = written;
        out->counts.of[SIM_EVENT_OUTPUT_READ] = written;
    }
    traffic.weight_read = params;
    out->counts.of[SIM_EVENT_DRAM_READ] = traffic.input_read + params;
    out->counts.of[SIM_EVENT_DRAM_WRITE] = traffic.final_write;

    if (table) {
        r->w = q->precision.w;
        r->k = l->k;
    }
    if (arch->backend->kernels) {
        const sim_vector_work work = {.op = l->op,
                                      .rows = rows,
                                      .row_elements = n,
                                      .ops = ops,
                                      .read_bits = traffic.input_read + params,
                                      .written_bits = traffic.final_write};
        sim_kernel_cost kernel;

        arch->backend->kernels->vector(arch, &work, q->precision.a, &kernel);
        return take_kernel(x, l, &kernel, SIM_BOUND_VECTOR, out, err);
    }
    whole.extent[SIM_M] = l->m;
    whole.extent[SIM_N] = whole.extent[SIM_K] = n; /* a run is a row at least */
    sim_dram_rates_of(arch, &whole, whole.extent, &rates);
    memory_cycles = sim_dram_cycles(&rates, &traffic);
    vector_cycles = ceil(ops / (double)arch->vector_lanes);
    if (vector_cycles >= 9e18 || memory_cycles >= 9e18)
        return sim_layer_too_large(x, l, err);

    r->compute_cycles = (int64_t)vector_cycles;
    r->memory_cycles = (int64_t)ceil(memory_cycles);
    r->cycles = r->compute_cycles > r->memory_cycles ? r->compute_cycles : r->memory_cycles;
    r->bound = r->compute_cycles >= r->memory_cycles ? SIM_BOUND_VECTOR : SIM_BOUND_MEMORY;
    out->idle_tail_cycles = (double)(r->cycles - r->memory_cycles);
    out->prices = sim_map_prices(x->cache, arch, a_bits, a_bits);
    return out->prices ? SIM_OK : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

/* ---- all of them ----------------------------------------------------------------------------------------
 */

sim_status sim_layer_cost_of(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                             sim_err *err)
{
    const sim_layer *l = q->layer;
    bool product = l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D;
    sim_layer_result *r = &out->result;
    int64_t weight_bits = sim_weight_bits(q);
    int64_t cache_bits =
        sim_stored_bits(l->cache_rows, l->cache_row_elements, q->precision.kv.bits, q->precision.group);
    sim_status status;

    memset(out, 0, sizeof *out); /* results are compared as bytes */
    if (weight_bits < 0 || cache_bits < 0)
        return sim_layer_too_large(x, l, err);
    /* A tied layer's weights stand in memory once, with the layer that holds them; so does a layer. */
    out->weight_bytes = l->later_pass ? 0 : l->tied ? l->param_elements * 2 : weight_bits / 8;
    out->kv_bytes = cache_bits / 8;
    r->op = l->op;
    r->phase = l->phase;
    r->steps = 1;
    r->m = l->m;
    r->n = l->n;
    r->batch = l->batch;
    r->a = q->precision.a;
    r->float_fallback = q->float_fallback;
    if (product)
        status = product_cost(x, q, out, err);
    else if (sim_is_exchange(l->op) && (l->devices > 1 || l->op == SIM_OP_SEND))
        status = sim_exchange_cost(x, q, out, err);
    else
        status = vector_cost(x, q, out, err);
    return status == SIM_OK ? sim_devices_sum(x, q, out, err) : status;
}

void sim_layer_finish(const sim_layer_context *x, const sim_layer_cost *cost, int64_t saved_cycles,
                      sim_layer_result *out)
{
    double devices = (double)cost->result.devices;
    double waiting = x->workload->devices > 1 ? (double)x->workload->devices : devices;
    sim_counts counts;

    memcpy(out, &cost->result, sizeof *out);
    out->cycles -= saved_cycles;
    out->latency_s = (double)out->cycles / (x->arch->clock_mhz * 1e6);
    /* Those that share the layer do what it takes; all there are wait for it. */
    for (int i = 0; i < SIM_EVENT_COUNT; i++)
        counts.of[i] = cost->counts.of[i] * devices;
    sim_energy_of(cost->prices, &counts, out->latency_s * waiting, &out->energy);
    if (cost->peak_macs_per_cycle > 0 && out->cycles > 0)
        out->utilization_frac =
            (double)out->macs / (cost->peak_macs_per_cycle * (double)out->cycles * devices);
}
