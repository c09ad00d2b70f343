#include "model/numerics.h"

#include "model/link.h"

#include <math.h>
#include <string.h>

/* Operations per element or output, each step of a formula one (input/vector_ops.h). */
enum {
    OPS_ABSMAX = 1,
    OPS_SCALE_AND_ROUND = 2,
    OPS_RESCALE_TOKEN_AND_CHANNEL = 2,
    OPS_RESCALE = 1,
    OPS_IS_OUTLIER = 1,
    OPS_COPY = 1,
    OPS_ADD = 1,
    OPS_MULTIPLY_ADD = 2,
    OPS_DEQUANTIZE = 2, /* scale, round to the width of the array */
};

enum { WIDE_BITS = 16 }; /* of a tensor before it is quantized */

static bool is_linear(const sim_layer *l)
{
    return (l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D) && l->weights == SIM_WEIGHTS_STATIC;
}

/* How the activations of a product get their scales; NONE where they need no quantizing. */
static sim_scales scales_of(const sim_layer_request *q)
{
    sim_number a = q->precision.a;
    bool narrow = a.bits < WIDE_BITS && (a.format == SIM_FORMAT_INT || a.format == SIM_FORMAT_FP8);

    if (!is_linear(q->layer) || !narrow || q->precision.scales == SIM_SCALES_UNSET)
        return SIM_SCALES_NONE;
    return q->precision.scales;
}

/* Input features that are multiplied in 16 bits beside. */
static int64_t outliers_of(const sim_layer_request *q)
{
    const sim_layer *l = q->layer;
    double frac = q->precision.outliers_frac;
    int64_t columns;

    if (frac <= 0 || l->op != SIM_OP_MATMUL || !is_linear(l) || q->precision.a.bits >= WIDE_BITS)
        return 0;
    columns = (int64_t)llround(frac * (double)l->k);
    return columns < l->k ? columns : l->k - 1;
}

/* ---- beside a product ---------------------------------------------------------------------------- */

/* Whether dequantized weights fit the PEs: fixed ones that are wider than the weights. */
static bool takes_dequantized(const sim_arch *arch, int w_bits)
{
    sim_hardware hardware;

    arch->backend->hardware(arch, &hardware);
    return hardware.kind == SIM_PE_FIXED && hardware.w_bits > w_bits;
}

static double group_ops(const sim_arch *arch, const sim_layer_request *q)
{
    const sim_layer *l = q->layer;
    int64_t g = q->precision.group;
    double n = (double)l->n, k = (double)l->k, sums, dequantized;

    if (arch->backend->kernels || g <= 0 || !is_linear(l))
        return 0;
    sums = OPS_MULTIPLY_ADD * (double)l->m * n * (double)sim_ceil_div(l->k, g);
    dequantized = OPS_DEQUANTIZE * n * k;
    return (double)l->batch *
           (takes_dequantized(arch, q->precision.w.bits) && dequantized < sums ? dequantized : sums);
}

double sim_numerics_ops(const sim_arch *arch, const sim_layer_request *q)
{
    const sim_layer *l = q->layer;
    double outputs = (double)l->m * (double)l->n * (double)l->batch, ops = group_ops(arch, q);

    switch (scales_of(q)) {
    case SIM_SCALES_PER_TOKEN:
        return ops + OPS_RESCALE_TOKEN_AND_CHANNEL * outputs;
    case SIM_SCALES_PER_TENSOR:
    case SIM_SCALES_STATIC:
        return ops + OPS_RESCALE * outputs;
    default:
        return ops;
    }
}

/* ---- the list ------------------------------------------------------------------------------------ */

/* At most this many entries in place of one: quantize, gather, product, outliers, sum. */
enum { ENTRIES_MAX = 5 };

typedef struct list {
    const sim_arch *arch;
    sim_arena *arena;
    sim_layer *layers;
    sim_layer_request *requests;
    int64_t count;
    int64_t producer;        /* of the tensor that the products at hand read; -1: unknown */
    sim_layer_request first; /* the product that it was last quantized for */
    bool quantized;
    bool gathered;      /* its outliers were */
    double pending_ops; /* on the tensor, of a producer that is not known: the product does them itself */
    bool no_memory;
} list;

/* The next entry, a copy of `q` and its layer. */
static sim_layer *append(list *out, const sim_layer_request *q)
{
    sim_layer *layer = &out->layers[out->count];

    *layer = *q->layer;
    out->requests[out->count] = *q;
    out->requests[out->count++].layer = layer;
    return layer;
}

static void name_after(list *out, sim_layer *layer, const char *of, const char *suffix)
{
    layer->name = sim_arena_printf(out->arena, "%s.%s", of, suffix);
    out->no_memory |= !layer->name;
}

/* A vector operation that belongs to a product, on rows of `columns` elements, from 16 bits. */
static sim_layer *append_vector(list *out, const sim_layer_request *q, const char *suffix, sim_op op,
                                int64_t columns, double ops_per_element)
{
    const sim_layer *of = q->layer;
    sim_layer *layer = append(out, q);

    *layer = (sim_layer){.line = of->line,
                         .op = op,
                         .repeat = of->repeat,
                         .scattered = of->scattered,
                         .phase = of->phase,
                         .steps = of->steps,
                         .later_pass = of->later_pass,
                         .devices = of->devices,
                         .repeated = of->repeated,
                         .stage = of->stage,
                         .m = of->m,
                         .n = columns,
                         .batch = of->batch,
                         .in_bits = WIDE_BITS,
                         .inputs = 1,
                         .ops_per_element = ops_per_element};
    name_after(out, layer, of->name, suffix);
    return layer;
}

/* The tensor that a product reads: not the expanded input of a convolution, nor an expert's copies of tokens.
 */
static void set_tensor(const list *out, const sim_layer *product, sim_layer *layer)
{
    const sim_layer *from = out->producer >= 0 ? &out->layers[out->producer] : NULL;

    if (product->op == SIM_OP_CONV2D) {
        layer->m = product->conv.images * product->conv.h_in * product->conv.w_in;
        layer->n = product->conv.c_in;
        layer->batch = 1;
    } else if (from && from->k == 0 && from->n == product->k) {
        layer->m = from->m;
        layer->batch = from->batch;
    }
}

static int wide_output_bits(const sim_arch *arch)
{
    return arch->output_bits > WIDE_BITS ? (int)arch->output_bits : WIDE_BITS;
}

/* Operations on each element of the tensor that `q` reads, where it is made. */
static void fold_into_producer(list *out, const sim_layer_request *q, double ops_per_element)
{
    sim_layer tensor = {.m = q->layer->m, .n = q->layer->k, .batch = q->layer->batch};
    double ops;

    set_tensor(out, q->layer, &tensor);
    ops = ops_per_element * (double)tensor.m * (double)tensor.n * (double)tensor.batch;
    if (out->producer >= 0)
        out->layers[out->producer].folded_ops += ops;
    else
        out->pending_ops += ops;
}

/* Scales and integers for the tensor that `q` reads. */
static void add_quantize(list *out, const sim_layer_request *q, int64_t outliers)
{
    sim_scales scales = scales_of(q);
    double find = outliers > 0 ? OPS_IS_OUTLIER : 0;
    sim_layer *layer;

    if (scales == SIM_SCALES_STATIC) {
        fold_into_producer(out, q, OPS_SCALE_AND_ROUND);
        return;
    }
    if (out->producer >= 0)
        out->layers[out->producer].out_bits = wide_output_bits(out->arch);
    if (scales == SIM_SCALES_PER_TENSOR)
        fold_into_producer(out, q, OPS_ABSMAX);
    layer = append_vector(out, q, "quantize", SIM_OP_QUANTIZE, q->layer->k,
                          OPS_SCALE_AND_ROUND + (scales == SIM_SCALES_PER_TOKEN ? OPS_ABSMAX : 0) + find);
    set_tensor(out, q->layer, layer);
}

/* A product whose outliers go their own way. */
static void add_split_product(list *out, const sim_layer_request *q, int64_t outliers)
{
    const sim_number half = {SIM_FORMAT_FP, WIDE_BITS}, integer = {SIM_FORMAT_INT, WIDE_BITS};
    int64_t k = q->layer->k, per_column = q->layer->needed_macs / k, all_per_column = q->layer->all_macs / k;
    sim_layer *layer, *other;
    char why[SIM_ERR_HINT];

    layer = append(out, q);
    layer->folded_ops += out->pending_ops;
    out->pending_ops = 0;
    layer->k = k - outliers;
    layer->needed_macs = per_column * layer->k;
    layer->all_macs = all_per_column * layer->k;
    layer->out_bits = wide_output_bits(out->arch);

    other = append(out, q);
    name_after(out, other, q->layer->name, "outliers");
    other->k = outliers;
    other->needed_macs = per_column * outliers;
    other->all_macs = all_per_column * outliers;
    other->param_elements = 0;
    other->kv_outputs = other->cache_rows = other->cache_sets = 0;
    other->same_input = false;
    other->out_bits = layer->out_bits;
    out->requests[out->count - 1].precision.scales = SIM_SCALES_NONE;
    out->requests[out->count - 1].precision.a =
        out->arch->backend->supports(out->arch, q->precision.w, half, why, sizeof why) ? half : integer;

    other = append_vector(out, q, "outliers_sum", SIM_OP_ELEMENTWISE, q->layer->n, OPS_ADD);
    other->inputs = 2;
    other->out_bits = layer->out_bits;
}

static void add_product(list *out, const sim_layer_request *q)
{
    const sim_layer_request *first = &out->first;
    sim_scales scales = scales_of(q);
    int64_t outliers = outliers_of(q);
    sim_layer *gather;

    if (!q->layer->same_input) {
        out->quantized = out->gathered = false;
        /* Exchanges between devices pass on what was there before. */
        for (out->producer = out->count - 1; out->producer >= 0; out->producer--)
            if (!sim_is_exchange(out->layers[out->producer].op))
                break;
        if (q->layer->line > 0)
            out->producer = -1; /* of an explicit list nobody says what follows what */
    }
    if (scales != SIM_SCALES_NONE &&
        !(out->quantized && scales_of(first) == scales && first->precision.a.bits == q->precision.a.bits &&
          first->precision.a.format == q->precision.a.format)) {
        add_quantize(out, q, outliers);
        out->first = *q;
        out->quantized = true;
    }
    if (outliers == 0) {
        append(out, q)->folded_ops += out->pending_ops;
        out->pending_ops = 0;
        return;
    }
    if (!out->gathered) {
        gather = append_vector(out, q, "outliers_gather", SIM_OP_ELEMENTWISE, outliers, OPS_COPY);
        gather->out_bits = WIDE_BITS;
        out->gathered = true;
    }
    add_split_product(out, q, outliers);
}

sim_status sim_numerics_add(const sim_arch *arch, const sim_workload *workload,
                            const sim_layer_request *requests, sim_arena *arena, sim_workload *out,
                            const sim_layer_request **out_requests, sim_err *err)
{
    list all = {.arch = arch, .arena = arena, .producer = -1};
    int64_t touched = 0;

    *out = *workload;
    *out_requests = requests;
    for (int64_t i = 0; i < workload->layer_count; i++)
        touched += scales_of(&requests[i]) != SIM_SCALES_NONE || outliers_of(&requests[i]) > 0;
    if (touched == 0)
        return SIM_OK;
    all.layers =
        sim_arena_alloc(arena, (size_t)(workload->layer_count + touched * ENTRIES_MAX), sizeof *all.layers);
    all.requests =
        sim_arena_alloc(arena, (size_t)(workload->layer_count + touched * ENTRIES_MAX), sizeof *all.requests);
    if (!all.layers || !all.requests)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < workload->layer_count && !all.no_memory; i++) {
        if (is_linear(requests[i].layer))
            add_product(&all, &requests[i]);
        else
            append(&all, &requests[i]);
    }
    if (all.no_memory)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    out->layers = all.layers;
    out->layer_count = all.count;
    *out_requests = all.requests;
    return SIM_OK;
}
