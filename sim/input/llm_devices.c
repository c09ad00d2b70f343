#include "input/llm_devices.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int64_t sim_llm_shares(const sim_llm_request *request)
{
    return request->tensor_parallel > 1 ? request->tensor_parallel : 1;
}

int64_t sim_llm_stages(const sim_llm_request *request)
{
    return request->pipeline_parallel > 1 ? request->pipeline_parallel : 1;
}

/* ---- the model of one device -------------------------------------------------------------------------- */

typedef struct sharer {
    const sim_llm_model *model;
    const char *file;
    int64_t devices;
    sim_status status;
    sim_err *err;
} sharer;

/* `count` over the devices; what they do not divide is an error. */
static int64_t share_of(sharer *s, int64_t count, const char *what)
{
    if (count % s->devices == 0)
        return count / s->devices;
    s->status = sim_fail(s->err, SIM_BAD_INPUT, s->file, s->model->line,
                         "%" PRId64 " devices (tensor_parallel) do not divide the model's %" PRId64 " %s",
                         s->devices, count, what);
    sim_hint(s->err, "supported: numbers that divide them; pipeline_parallel splits by blocks");
    return count;
}

/* Of things that may be fewer than devices: then one, which several devices hold. */
static int64_t share_or_copy(sharer *s, int64_t count, const char *what)
{
    if (count > 0 && count < s->devices && s->devices % count == 0)
        return 1;
    return share_of(s, count, what);
}

/* Of a norm over all heads at once, which has parameters for each of their elements; one for any head is the
 * same on all devices. */
static int64_t norm_share(int64_t params, int64_t heads, int64_t head_dim, int64_t parts)
{
    return params >= heads * head_dim ? params / parts : params;
}

static void share_mixer(sharer *s, sim_llm_mixer *mixer)
{
    switch (mixer->kind) {
    case SIM_MIXER_ATTENTION:
        mixer->q_norm_params = norm_share(mixer->q_norm_params, mixer->heads, mixer->head_dim, s->devices);
        mixer->k_norm_params = norm_share(mixer->k_norm_params, mixer->kv_heads, mixer->head_dim,
                                          mixer->kv_heads < s->devices ? mixer->kv_heads : s->devices);
        mixer->heads = share_of(s, mixer->heads, "attention heads");
        mixer->kv_heads = share_or_copy(s, mixer->kv_heads, "KV heads");
        mixer->sink_params = mixer->sink_params > 0 ? mixer->heads : 0;
        break;
    case SIM_MIXER_MLA:
        mixer->heads = share_of(s, mixer->heads, "attention heads");
        break;
    case SIM_MIXER_COMPRESSED:
        mixer->heads = share_of(s, mixer->heads, "attention heads");
        mixer->o_groups =
            share_of(s, mixer->o_groups > 0 ? mixer->o_groups : 1, "groups of output projections");
        mixer->sink_params = mixer->sink_params > 0 ? mixer->heads : 0;
        break;
    case SIM_MIXER_DELTA:
    case SIM_MIXER_MAMBA2:
        mixer->key_heads = share_or_copy(s, mixer->key_heads, "key heads");
        mixer->value_heads = share_of(s, mixer->value_heads, "heads of the state");
        break;
    default: /* a linear stays whole */
        break;
    }
}

static void share_ffn(sharer *s, bool by_expert, sim_llm_ffn *ffn)
{
    if (ffn->kind != SIM_FFN_DENSE && ffn->kind != SIM_FFN_MOE)
        return;
    ffn->width = share_of(s, ffn->width, "elements of FFN width");
    if (ffn->kind != SIM_FFN_MOE)
        return;
    ffn->shared_width = share_of(s, ffn->shared_width, "elements of the shared experts' width");
    if (by_expert) /* which of them a step needs is for all of them to say: sim_llm_spread() */
        (void)share_of(s, ffn->experts, "experts");
    else
        ffn->expert_width = share_of(s, ffn->expert_width, "elements of an expert's width");
}

sim_status sim_llm_share(const sim_llm_model *model, const sim_llm_request *request, const char *file,
                         sim_arena *arena, sim_llm_model *out, sim_err *err)
{
    sharer s = {.model = model, .file = file, .devices = sim_llm_shares(request), .err = err};
    sim_llm_mixer *mixers = sim_arena_alloc(arena, (size_t)model->mixer_count, sizeof *mixers);
    sim_llm_ffn *ffns = sim_arena_alloc(arena, (size_t)model->ffn_count, sizeof *ffns);

    if ((model->mixer_count > 0 && !mixers) || (model->ffn_count > 0 && !ffns))
        return sim_fail(err, SIM_NO_MEMORY, file, 0, "out of memory for the devices of the model");
    *out = *model;
    for (int i = 0; i < model->mixer_count; i++) {
        mixers[i] = model->mixers[i];
        share_mixer(&s, &mixers[i]);
    }
    for (int i = 0; i < model->ffn_count; i++) {
        ffns[i] = model->ffns[i];
        share_ffn(&s, request->expert_parallel, &ffns[i]);
    }
    out->mixers = mixers;
    out->ffns = ffns;
    /* Filled up to equal parts. */
    if (model->vocab > 0)
        out->vocab = (model->vocab - 1) / s.devices + 1;
    if (model->head_outputs > 0)
        out->head_outputs = (model->head_outputs - 1) / s.devices + 1;
    if (model->block_embed_rows > 0)
        out->block_embed_rows = (model->block_embed_rows - 1) / s.devices + 1;
    if (sim_llm_stages(request) > model->block_count) {
        s.status =
            sim_fail(err, SIM_BAD_INPUT, file, model->line,
                     "%" PRId64 " stages (pipeline_parallel) are more than the model's %" PRId64 " blocks",
                     sim_llm_stages(request), model->block_count);
        sim_hint(err, "supported: at most one stage per block");
    }
    return s.status;
}

/* ---- what all devices do ------------------------------------------------------------------------------ */

typedef struct spreader {
    const sim_llm_model *model;
    sim_arena *arena;
    int64_t shares, stages;
    bool by_expert;
    sim_layer *layers;
    int64_t count;
    bool in_experts;     /* the last product was one of experts */
    const char *partial; /* the product whose results are still parts of a sum; NULL: none */
    sim_layer gather;    /* the last linear, until its outputs are put together; name NULL: none */
    bool cache_copied;
    bool overflow, no_memory;
} spreader;

/* At most so many entries in place of one: itself, an all-reduce before or after it, a gather, a send. */
enum { ENTRIES_MAX = 4 };

enum { SUM_BITS = 16 }; /* of what is summed over devices, at least */

static bool is_product(const sim_layer *l)
{
    return l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D;
}

/* "layers.12.q_proj" -> 12; -1 outside of the blocks. */
static int64_t block_of(const char *name)
{
    static const char stem[] = "layers.";

    return strncmp(name, stem, sizeof stem - 1) == 0 ? strtoll(name + sizeof stem - 1, NULL, 10) : -1;
}

/* Whether the last part of a name is `word`. */
static bool is_called(const sim_layer *layer, const char *word)
{
    const char *last = strrchr(layer->name, '.');

    return strcmp(last ? last + 1 : layer->name, word) == 0;
}

static bool macs_of(const sim_layer *l, int64_t *out)
{
    *out = l->needed_macs;
    return *out > 0 ||
           (!__builtin_mul_overflow(l->m, l->n, out) && !__builtin_mul_overflow(*out, l->k, out) &&
            !__builtin_mul_overflow(*out, l->batch, out));
}

static int64_t part_of(int64_t count, int64_t parts)
{
    return count > 0 ? (count - 1) / parts + 1 : 0;
}

/* ---- shares of a block -------------------------------------------------------------------------------- */

/* Of whole experts, those that are chosen and what they do is divided. */
static void share_experts(const spreader *s, const sim_layer *whole, sim_layer *out)
{
    if (whole->stored_batch == 0) { /* the rows between two of their matrices */
        out->m = part_of(whole->m, s->shares);
        return;
    }
    out->batch = part_of(whole->batch, s->shares);
    out->stored_batch = whole->stored_batch / s->shares;
    out->param_elements = whole->param_elements / s->shares;
    out->needed_macs = part_of(whole->needed_macs, s->shares);
}

/* What one device does of `whole`, which `share` is in the model of one device. */
static void set_share(spreader *s, const sim_layer *whole, const sim_layer *share, sim_layer *out)
{
    bool experts = s->by_expert && (whole->stored_batch > 0 || (s->in_experts && is_called(whole, "act")));
    int64_t all = 0, one = 0;

    *out = *share;
    out->stage = whole->stage;
    out->tied = whole->tied;
    out->devices = s->shares;
    if (experts)
        share_experts(s, whole, out);
    else
        out->repeated = whole->m == share->m && whole->n == share->n && whole->k == share->k &&
                        whole->batch == share->batch;
    if (whole->op == SIM_OP_EMBEDDING && share->k < whole->k) {
        out->m = part_of(whole->m, s->shares); /* of the rows looked up it has that many */
        out->spare_n = share->k * s->shares - whole->k;
    }
    /* Rows or their elements are divided, or neither is. */
    s->cache_copied |= (double)share->cache_rows * (double)share->cache_row_elements * (double)s->shares >
                       (double)whole->cache_rows * (double)whole->cache_row_elements;
    if (!is_product(whole))
        return;
    s->in_experts = whole->stored_batch > 0;
    if (!macs_of(whole, &all) || !macs_of(out, &one) || __builtin_mul_overflow(one, s->shares, &one))
        s->overflow = true;
    if (!out->repeated && one != all && !whole->attends)
        out->all_macs = all;
    if (block_of(whole->name) < 0 && share->n < whole->n)
        out->spare_n = share->n * s->shares - whole->n;
}

/* ---- exchanges ---------------------------------------------------------------------------------------- */

static void append(spreader *s, const sim_layer *layer)
{
    s->layers[s->count++] = *layer;
}

/* An exchange of m x n elements of the results of the layer `of`, in the stage and the steps of `at`. */
static void append_exchange(spreader *s, sim_op op, const char *of, const sim_layer *at, int64_t m, int64_t n)
{
    sim_layer exchange = {
        .name = sim_arena_printf(s->arena, "%s.%s", of, sim_op_names[op]),
        .op = op,
        .repeat = at->repeat,
        .phase = at->phase,
        .steps = at->steps,
        .later_pass = at->later_pass,
        .devices = s->shares,
        .stage = at->stage,
        .m = m,
        .n = n,
        .batch = 1,
        .inputs = 1,
    };

    if (!exchange.name) {
        s->no_memory = true;
        return;
    }
    append(s, &exchange);
}

/* Whether a layer takes the whole sum: what is as wide as the residual stream, or as several of them, but for
 * the weighted sum of experts, which may as well add parts. Products that all devices do alike read what was
 * there before. */
static bool needs_whole(const spreader *s, const sim_layer *layer)
{
    return !is_product(layer) && layer->op != SIM_OP_EMBEDDING && layer->repeated &&
           layer->n % s->model->hidden == 0 && !is_called(layer, "experts_sum");
}

/* One layer of all devices, with the exchanges before and after it. */
static void add_shared(spreader *s, const sim_layer *whole, const sim_layer *share)
{
    bool weights = is_product(whole) && whole->weights == SIM_WEIGHTS_STATIC;
    sim_layer layer;

    set_share(s, whole, share, &layer);
    if (s->partial && needs_whole(s, &layer)) {
        append_exchange(s, SIM_OP_ALLREDUCE, s->partial, &layer, layer.m, s->model->hidden);
        s->partial = NULL;
    }
    if (weights && (share->k < whole->k || (s->by_expert && whole->stored_batch > 0))) {
        layer.out_bits = SUM_BITS;
        s->partial = layer.name;
    }
    append(s, &layer);
    if (whole->op == SIM_OP_EMBEDDING && share->k < whole->k)
        append_exchange(s, SIM_OP_ALLREDUCE, layer.name, &layer, whole->m, whole->n);
    if (weights && block_of(whole->name) < 0 && share->n < whole->n)
        s->gather = layer;
}

/* Logits are put together at the end of a pass, after what is done to each of them. */
static void end_pass(spreader *s)
{
    if (s->gather.name)
        append_exchange(s, SIM_OP_ALLGATHER, s->gather.name, &s->gather, s->gather.m, s->gather.n);
    s->gather.name = NULL;
}

/* ---- stages ------------------------------------------------------------------------------------------- */

/* Whether layer i is the first of a pass: an input after something that is none. */
static bool starts_pass(const sim_layer *layers, int64_t i, bool in_blocks)
{
    return in_blocks && block_of(layers[i].name) < 0 &&
           (layers[i].op == SIM_OP_EMBEDDING || layers[i].op == SIM_OP_CONV2D);
}

/* By the blocks that layers stand in, before or after. */
static void set_stages(const spreader *s, const sim_workload *whole, sim_layer *layers)
{
    bool after_blocks = false;

    for (int64_t i = 0; i < whole->layer_count; i++) {
        int64_t block = block_of(whole->layers[i].name);

        layers[i] = whole->layers[i];
        after_blocks = block >= 0 || (after_blocks && !starts_pass(whole->layers, i, true));
        layers[i].stage = block >= 0     ? block * s->stages / s->model->block_count /* both are few */
                          : after_blocks ? s->stages - 1
                                         : 0;
        if (s->stages > 1 && layers[i].stage > 0)
            layers[i].tied = false; /* the table is elsewhere */
    }
}

sim_status sim_llm_spread(const sim_llm_model *model, const sim_llm_request *request,
                          const sim_workload *share, sim_arena *arena, sim_workload *whole, sim_err *err)
{
    spreader s = {.model = model,
                  .arena = arena,
                  .shares = sim_llm_shares(request),
                  .stages = sim_llm_stages(request),
                  .by_expert = request->expert_parallel};
    size_t count = (size_t)whole->layer_count;
    sim_layer *staged = sim_arena_alloc(arena, count, sizeof *staged);

    s.layers = sim_arena_alloc(arena, ENTRIES_MAX * count, sizeof *s.layers);
    if (!staged || !s.layers)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory for the devices of the model");
    set_stages(&s, whole, staged);
    for (int64_t i = 0; i < whole->layer_count; i++) {
        const sim_layer *last = i > 0 ? &staged[i - 1] : NULL;

        if (starts_pass(staged, i, s.gather.name != NULL))
            end_pass(&s);
        if (last && staged[i].stage > last->stage)
            append_exchange(&s, SIM_OP_SEND, last->name, last, last->m, last->n);
        add_shared(&s, &staged[i], &share->layers[i]);
    }
    end_pass(&s);
    if (s.no_memory)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory for the devices of the model");
    if (s.overflow)
        return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the work of all devices exceeds 63 bits");
    whole->layers = s.layers;
    whole->layer_count = s.count;
    whole->stages = s.stages;
    whole->cache_copied = s.cache_copied;
    if (__builtin_mul_overflow(s.shares, s.stages, &whole->devices))
        return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the number of devices exceeds 63 bits");
    return SIM_OK;
}
