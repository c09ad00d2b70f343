#include "model/limits.h"

#include "model/reach.h"
#include "model/run.h"

/* Bytes that sets of the same law hold on one device, per row that each of them keeps. */
typedef struct growth {
    sim_cache_law law;
    int64_t row_bytes;
} growth;

/* Models have a few kinds of attention; one with more of them than this has no limits worked out. */
enum { LAWS_MOST = 16 };

/* One device of a stage, at the batch and the tokens of the workload. */
typedef struct stage {
    int64_t weight_bytes, tensor_bytes;
    growth growths[LAWS_MOST];
    int growth_count;
} stage;

/* What is tried. */
typedef struct trial {
    const stage *stages;
    int64_t stage_count, capacity_bytes;
    int64_t batch, tokens; /* of the workload: tokens of a sequence in its cache */
    bool whole_prompt;     /* all tokens go through at once */
} trial;

int64_t sim_device_capacity_bytes(const sim_arch *arch)
{
    double bytes = arch->dram_capacity_gib * 1024 * 1024 * 1024;

    return bytes < 9e18 ? (int64_t)bytes : INT64_MAX;
}

/* ---- the stages ------------------------------------------------------------------------------------ */

static bool same_law(const sim_cache_law *a, const sim_cache_law *b)
{
    return a->grows == b->grows && a->window == b->window && a->chunk == b->chunk && a->stride == b->stride;
}

static bool add_times(int64_t *sum, int64_t value, int64_t times)
{
    int64_t product;

    return !__builtin_mul_overflow(value, times, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static growth *growth_of(stage *s, const sim_cache_law *law)
{
    for (int i = 0; i < s->growth_count; i++)
        if (same_law(&s->growths[i].law, law))
            return &s->growths[i];
    if (s->growth_count == LAWS_MOST)
        return NULL;
    s->growths[s->growth_count].law = *law;
    return &s->growths[s->growth_count++];
}

typedef enum added { ADDED, TOO_MANY_LAWS, TOO_LARGE } added;

static added add_layer(stage *s, const sim_layer *layer, const sim_layer_request *q,
                       const sim_layer_cost *cost)
{
    int64_t bits = sim_stored_bits(1, layer->cache_row_elements, q->precision.kv.bits, q->precision.group);
    int64_t sets; /* of all instances */
    growth *g;

    if (cost->tensor_bytes > s->tensor_bytes)
        s->tensor_bytes = cost->tensor_bytes;
    if (bits < 0 || !add_times(&s->weight_bytes, cost->device_weight_bytes, layer->repeat))
        return TOO_LARGE;
    if (layer->cache_sets == 0)
        return ADDED;
    g = growth_of(s, &layer->cache_law);
    if (!g)
        return TOO_MANY_LAWS;
    if (__builtin_mul_overflow(layer->cache_sets, layer->repeat, &sets))
        return TOO_LARGE;
    return add_times(&g->row_bytes, bits / 8, sets) ? ADDED : TOO_LARGE;
}

static added fill_stages(const sim_workload *workload, const sim_layer_request *requests,
                         const sim_layer_cost *const *costs, stage *stages, int64_t stage_count)
{
    added how = ADDED;

    for (int64_t i = 0; i < workload->layer_count && how == ADDED; i++) {
        const sim_layer *layer = &workload->layers[i];

        if (layer->stage < stage_count)
            how = add_layer(&stages[layer->stage], layer, &requests[i], costs[i]);
    }
    return how;
}

/* ---- what fits ------------------------------------------------------------------------------------- */

static __int128 ceil_div(__int128 a, int64_t b)
{
    return (a + b - 1) / b;
}

/* At another batch and other tokens, at most MOST of each. */
static bool stage_fits(const trial *t, const stage *s, int64_t batch, int64_t tokens)
{
    __int128 room = (__int128)t->capacity_bytes - s->weight_bytes, cache = 0, tensors;

    for (int i = 0; i < s->growth_count; i++)
        cache += (__int128)s->growths[i].row_bytes * sim_cache_kept(&s->growths[i].law, tokens);
    cache /= t->batch; /* each sequence has as many sets */
    if (cache > room)
        return false;
    tensors = ceil_div((__int128)s->tensor_bytes * batch, t->batch);
    if (tensors > room)
        return false;
    if (t->whole_prompt)
        tensors = ceil_div(tensors * tokens, t->tokens);
    return cache * batch + tensors <= room;
}

static bool fits(const trial *t, int64_t batch, int64_t tokens)
{
    for (int64_t s = 0; s < t->stage_count; s++)
        if (!stage_fits(t, &t->stages[s], batch, tokens))
            return false;
    return true;
}

/* What is larger than this is not limited by memory. */
static const int64_t MOST = INT64_C(1) << 40;

/* The largest batch (or number of tokens) that fits: more never fit where fewer do not. 0: none, -1: all. */
static int64_t largest(const trial *t, bool of_batch)
{
    int64_t good = 0, bad = MOST;

    if (fits(t, of_batch ? MOST : t->batch, of_batch ? t->tokens : MOST))
        return -1;
    while (bad - good > 1) {
        int64_t middle = good + (bad - good) / 2;

        if (fits(t, of_batch ? middle : t->batch, of_batch ? t->tokens : middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

/* ---- all of it ------------------------------------------------------------------------------------- */

/* In a single prefill all of the prompt goes through each layer at once. */
static bool is_whole_prompt(const sim_workload *workload)
{
    if (workload->phase != SIM_PHASE_PREFILL || workload->cached_tokens == 0)
        return false;
    for (int64_t i = 0; i < workload->layer_count; i++)
        if (workload->layers[i].steps > 1 || workload->layers[i].later_pass)
            return false;
    return true;
}

/* From tokens in the cache to what the phase is asked for. */
static int64_t context_of(const sim_workload *workload, int64_t cached)
{
    int64_t own = workload->tokens / workload->batch;

    if (cached < 0)
        return -1;
    if (workload->phase == SIM_PHASE_DECODE)
        return cached > own ? cached - own : 0;
    return cached > 0 && workload->phase == SIM_PHASE_GENERATE ? cached + 1 : cached;
}

sim_status sim_limits_of(const sim_arch *arch, const sim_workload *workload,
                         const sim_layer_request *requests, const sim_layer_cost *const *costs,
                         sim_arena *arena, sim_totals *out, sim_err *err)
{
    trial t = {.capacity_bytes = sim_device_capacity_bytes(arch),
               .stage_count = workload->stages > 1 ? workload->stages : 1,
               .batch = workload->batch,
               .tokens = workload->cached_tokens,
               .whole_prompt = is_whole_prompt(workload)};
    stage *stages;

    out->max_batch = out->max_context_tokens = -1;
    if (!workload->model_type || workload->batch < 1 || workload->batch > MOST ||
        workload->cached_tokens > MOST)
        return SIM_OK;
    stages = sim_arena_alloc(arena, (size_t)t.stage_count, sizeof *stages);
    if (!stages)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    t.stages = stages;
    switch (fill_stages(workload, requests, costs, stages, t.stage_count)) {
    case TOO_LARGE:
        return sim_fail(err, SIM_OVERFLOW, NULL, 0, "the memory of all layers exceeds 63 bits");
    case TOO_MANY_LAWS:
        return SIM_OK;
    default:
        break;
    }
    out->max_batch = largest(&t, true);
    if (workload->cached_tokens > 0)
        out->max_context_tokens = context_of(workload, largest(&t, false));
    return SIM_OK;
}
