#include "model/schedule.h"

#include "base/hash.h"
#include "model/steps.h"

#include <math.h>
#include <string.h>

/* ---- equal layers --------------------------------------------------------------------------------- */

/* A layer that others may be equal to. */
typedef struct kind {
    sim_layer layer; /* without what does not bear on its cost */
    const sim_layer_request *request;
    bool handed_in, handed_on; /* something stands before it, and after it */
    sim_layer_cost cost;       /* of its first step */
    sim_layer_cost *series;    /* where it attends for several steps: in the middle of each block */
    sim_layer_cost sum;        /* of these */
    int64_t entries;           /* of the pass at hand, repeats included */
    struct kind *next_in_chain;
} kind;

enum { CHAINS = 512 };

typedef struct walk {
    const sim_layer_context *x;
    sim_layer_context ends[2][2]; /* the same by whether something stands before an entry, and after it */
    const sim_layer_request *requests;
    sim_arena *arena;
    sim_schedule *out;
    sim_err *err;
    kind **of; /* by entry */
    kind *chains[CHAINS];
    sim_step_plan *plan; /* of the pass at hand; NULL: no entry of it changes from step to step */
} walk;

static sim_status out_of_memory(sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static void key_of(const sim_layer *layer, sim_layer *key)
{
    memcpy(key, layer, sizeof *key);
    key->name = NULL;
    key->line = 0;
    key->repeat = 0;
    key->scattered = false;
    key->stage = 0;
}

/* Compared as bytes, padding included: should that ever differ, a layer is merely priced twice. */
static bool same_bytes(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static sim_status kind_of(walk *w, int64_t i)
{
    const sim_layer_request *q = &w->requests[i];
    sim_layer key;
    const bool handed_in = i > 0, handed_on = i < w->x->workload->layer_count - 1;
    kind *k, **chain;
    uint64_t hash;

    key_of(q->layer, &key);
    hash = sim_hash_words(SIM_HASH_START, &key, sizeof key);
    hash = sim_hash_words(hash, &q->precision, sizeof q->precision);
    chain = &w->chains[hash % CHAINS];
    for (k = *chain; k; k = k->next_in_chain)
        if (same_bytes(&k->layer, &key, sizeof key) &&
            same_bytes(&k->request->precision, &q->precision, sizeof q->precision) &&
            k->request->float_fallback == q->float_fallback && k->handed_in == handed_in &&
            k->handed_on == handed_on)
            break;
    w->of[i] = k;
    if (k)
        return SIM_OK;
    k = w->of[i] = sim_arena_alloc(w->arena, 1, sizeof *k);
    if (!k)
        return out_of_memory(w->err);
    memcpy(&k->layer, &key, sizeof key);
    k->request = q;
    k->handed_in = handed_in;
    k->handed_on = handed_on;
    k->next_in_chain = *chain;
    *chain = k;
    return sim_layer_cost_of(&w->ends[handed_in][handed_on], q, &k->cost, w->err);
}

/* ---- prefetch ------------------------------------------------------------------------------------- */

/* Cycles of `next`'s first weight load that fit under the idle end of `before`. The channel cannot run
 * faster, nor the array: a layer never takes less than its own compute or memory cycles. */
static int64_t prefetched_cycles(const sim_arch *arch, const sim_layer_cost *before,
                                 const sim_layer_cost *next)
{
    double saved = fmin(before->idle_tail_cycles, next->first_weight_load_cycles);
    const sim_layer_result *r = &next->result;
    int64_t floor = r->compute_cycles > r->memory_cycles ? r->compute_cycles : r->memory_cycles;

    if (!arch->double_buffered[SIM_OPERAND_WEIGHT])
        return 0;
    if (arch->buffer_unified_kib > 0 && before->result.has_mapping &&
        next->weight_tile_bits > before->weight_tile_bits)
        return 0; /* the spare copy of the weight tile is the only room there is */
    saved = fmin(saved, (double)(r->cycles - floor));
    return saved > 0 ? (int64_t)saved : 0;
}

/* The same for an entry of several equal instances, which follow each other: what holds for all of them. */
static int64_t saved_cycles(const walk *w, const sim_layer *layer, const sim_layer_cost *before,
                            const sim_layer_cost *next)
{
    const sim_arch *arch = w->x->arch;
    int64_t saved = before ? prefetched_cycles(arch, before, next) : 0, again;

    if (layer->repeat <= 1 || layer->scattered)
        return saved;
    again = prefetched_cycles(arch, next, next);
    return again < saved ? again : saved;
}

/* ---- passes --------------------------------------------------------------------------------------- */

/* Entries first .. end-1, in each of `steps` steps. */
typedef struct pass {
    int64_t first, end, steps;
} pass;

static int64_t steps_of(const sim_layer *layer)
{
    return layer->steps > 1 ? layer->steps : 1;
}

static pass pass_from(const sim_workload *workload, int64_t first)
{
    const sim_layer *layers = workload->layers;
    pass p = {first, first + 1, steps_of(&layers[first])};

    while (p.end < workload->layer_count && steps_of(&layers[p.end]) == p.steps &&
           layers[p.end].phase == layers[first].phase)
        p.end++;
    return p;
}

static void finish(const walk *w, int64_t i, const sim_layer_cost *cost, int64_t saved)
{
    const sim_layer *layer = &w->x->workload->layers[i];
    sim_layer_result *r = &w->out->results[i];

    sim_layer_finish(w->x, cost, saved, r);
    r->name = layer->name;
    r->repeat = layer->repeat;
}

static bool attends(const walk *w, int64_t i)
{
    return w->x->workload->layers[i].attends;
}

/* Prices of entries that attend, one step after another; the first entry of a kind does so for all. */
static sim_status price_steps(walk *w, const pass *p)
{
    sim_status status = SIM_OK;

    w->plan = NULL;
    for (int64_t i = p->first; i < p->end && status == SIM_OK; i++) {
        kind *k = w->of[i];
        const sim_layer *layer = k->request->layer;

        if (p->steps == 1 || !layer->attends || k->series)
            continue;
        if (!w->plan) {
            w->plan = sim_arena_alloc(w->arena, 1, sizeof *w->plan);
            if (!w->plan)
                return out_of_memory(w->err);
            sim_steps_plan(p->steps, w->plan);
        }
        k->series = sim_arena_alloc(w->arena, (size_t)w->plan->block_count, sizeof *k->series);
        if (!k->series)
            return out_of_memory(w->err);
        status = sim_steps_price(w->x, k->request, w->plan, k->cost.prices, &w->arena->allocator, k->series,
                                 w->err);
        if (status == SIM_OK)
            status = sim_steps_sum(w->x, layer, w->plan, k->series, &k->sum, w->err);
        if (status == SIM_OK && k->sum.tensor_bytes > k->cost.tensor_bytes)
            k->cost.tensor_bytes = k->sum.tensor_bytes;
    }
    return status;
}

/* What a kind costs in the middle of block b. */
static const sim_layer_cost *cost_at(const kind *k, int64_t b)
{
    return k->series ? &k->series[b] : &k->cost;
}

static sim_status sum_of(const walk *w, const kind *k, const pass *p, sim_layer_cost *out)
{
    if (!k->series)
        return sim_steps_repeat(w->x, k->request->layer, p->steps, &k->cost, out, w->err);
    memcpy(out, &k->sum, sizeof *out);
    return SIM_OK;
}

/* An entry that is not the first of its pass and changes from step to step, or follows one that does. */
static sim_status place_sum(const walk *w, const pass *p, int64_t i)
{
    const sim_layer *layer = &w->x->workload->layers[i];
    int64_t saved = 0, least = INT64_MAX, most = 0;
    sim_layer_cost sum;
    sim_status status = sum_of(w, w->of[i], p, &sum);

    for (int64_t b = 0; b < w->plan->block_count && status == SIM_OK; b++) {
        int64_t one = saved_cycles(w, layer, cost_at(w->of[i - 1], b), cost_at(w->of[i], b));

        saved += one * w->plan->blocks[b].count; /* never more than the sum of the cycles, which fits */
        least = one < least ? one : least;
        most = one > most ? one : most;
    }
    if (status != SIM_OK)
        return status;
    if (!w->of[i]->series && least == most) /* all the same after all */
        finish(w, i, &w->of[i]->cost, most);
    else
        finish(w, i, &sum, saved);
    return SIM_OK;
}

/* Repeats what is not a sum as often as there are steps. */
static sim_status repeat_steps(const walk *w, const pass *p, int64_t i)
{
    sim_layer_result *r = &w->out->results[i];

    if (r->steps == p->steps || !__builtin_mul_overflow(r->repeat, p->steps, &r->repeat))
        return SIM_OK;
    return sim_layer_too_large(w->x, w->requests[i].layer, w->err);
}

static sim_status place_pass(walk *w, const pass *p)
{
    sim_status status = price_steps(w, p);

    for (int64_t i = p->first; i < p->end && status == SIM_OK; i++) {
        const sim_layer *layer = &w->x->workload->layers[i];
        const sim_layer_cost *before = i > 0 ? &w->of[i - 1]->cost : NULL;
        int64_t saved;

        w->out->costs[i] = &w->of[i]->cost;
        if (w->plan && i > p->first && (attends(w, i) || attends(w, i - 1))) {
            status = place_sum(w, p, i);
        } else if (w->of[i]->series) { /* the first of its pass: nothing is loaded before it */
            finish(w, i, &w->of[i]->sum, 0);
        } else {
            saved = saved_cycles(w, layer, before, &w->of[i]->cost);
            if (i == p->first && p->steps > 1) {
                int64_t again = saved_cycles(w, layer, &w->of[p->end - 1]->cost, &w->of[i]->cost);

                saved = again < saved ? again : saved;
            }
            finish(w, i, &w->of[i]->cost, saved);
        }
        if (status == SIM_OK)
            status = repeat_steps(w, p, i);
    }
    return status;
}

/* ---- sustained work ------------------------------------------------------------------------------- */

/* Kinds of a pass, each with how often it stands there. */
static int64_t kinds_of(const walk *w, const pass *p, kind **out)
{
    int64_t count = 0;

    for (int64_t i = p->first; i < p->end; i++)
        w->of[i]->entries = 0;
    for (int64_t i = p->first; i < p->end; i++) {
        if (w->of[i]->entries == 0)
            out[count++] = w->of[i];
        w->of[i]->entries += w->x->workload->layers[i].repeat;
    }
    return count;
}

/* By how much the whole step takes longer when steps like it go on for long, in the middle of block b. */
static double stretch_of(const walk *w, kind *const *kinds, int64_t count, int64_t b)
{
    const sim_kernels *kernels = w->x->arch->backend->kernels;
    double cycles = 0, dynamic_pj = 0;

    for (int64_t i = 0; i < count; i++) {
        const sim_layer_cost *c = cost_at(kinds[i], b);

        cycles += (double)c->result.cycles * (double)kinds[i]->entries;
        dynamic_pj += sim_counts_pj(c->prices, &c->counts) * (double)kinds[i]->entries;
    }
    return cycles > 0 ? kernels->step_cycles(w->x->arch, cycles, 1e-12 * dynamic_pj) / cycles - 1 : 0;
}

/* The cycles that stretching adds to an entry over all blocks, in `room` for more; otherwise none. */
static int64_t stretched_cycles(const walk *w, const kind *k, const double *stretch, int64_t room)
{
    int64_t blocks = w->plan ? w->plan->block_count : 1;
    double more = 0;

    for (int64_t b = 0; b < blocks; b++)
        more += ceil(stretch[b] * (double)cost_at(k, b)->result.cycles) *
                (double)(w->plan ? w->plan->blocks[b].count : 1);
    return more < (double)room ? (int64_t)more : 0;
}

/* Stretches all layers of each step alike to the time that the whole step takes when it goes on for long.
 * Kernels load nothing for the next one before they end: nothing is saved. */
static sim_status sustain(const walk *w, const pass *p)
{
    int64_t blocks = w->plan ? w->plan->block_count : 1, count;
    double *stretch = sim_arena_alloc(w->arena, (size_t)blocks, sizeof *stretch), most = 0;
    kind **kinds = sim_arena_alloc(w->arena, (size_t)(p->end - p->first), sizeof(kind *));
    sim_status status = SIM_OK;

    if (!stretch || !kinds)
        return out_of_memory(w->err);
    count = kinds_of(w, p, kinds);
    for (int64_t b = 0; b < blocks; b++) {
        stretch[b] = stretch_of(w, kinds, count, b);
        most = fmax(most, stretch[b]);
    }
    for (int64_t i = p->first; most > 0 && i < p->end && status == SIM_OK; i++) {
        int64_t repeat = w->out->results[i].repeat;
        sim_layer_cost sum = w->of[i]->cost;

        if (w->plan)
            status = sum_of(w, w->of[i], p, &sum);
        if (status != SIM_OK)
            break;
        finish(w, i, &sum, -stretched_cycles(w, w->of[i], stretch, INT64_MAX / 2 - sum.result.cycles));
        if (!w->plan)
            w->out->results[i].repeat = repeat;
    }
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

sim_status sim_schedule_run(const sim_layer_context *x, const sim_layer_request *requests, sim_arena *arena,
                            sim_schedule *out, sim_err *err)
{
    int64_t count = x->workload->layer_count;
    walk *w = sim_arena_alloc(arena, 1, sizeof *w);
    sim_status status = SIM_OK;

    out->costs = sim_arena_alloc(arena, (size_t)count, sizeof(sim_layer_cost *));
    out->results = sim_arena_alloc(arena, (size_t)count, sizeof *out->results);
    if (!w || !out->costs || !out->results)
        return out_of_memory(err);
    *w = (walk){.x = x, .requests = requests, .arena = arena, .out = out, .err = err};
    for (int i = 0; i < 4; i++) {
        sim_layer_context *end = &w->ends[i / 2][i % 2];

        memcpy(end, x, sizeof *end);
        end->handed_in = i / 2;
        end->handed_on = i % 2;
    }
    w->of = sim_arena_alloc(arena, (size_t)count, sizeof(kind *));
    if (!w->of)
        return out_of_memory(err);
    for (int64_t i = 0; i < count && status == SIM_OK; i++)
        status = kind_of(w, i);
    for (int64_t i = 0; i < count && status == SIM_OK;) {
        pass p = pass_from(x->workload, i);

        status = place_pass(w, &p);
        if (status == SIM_OK && x->arch->backend->kernels)
            status = sustain(w, &p);
        i = p.end;
    }
    return status;
}
