#include "model/steps.h"

#include "model/gemm_memo.h"
#include "model/reach.h"

#include <math.h>
#include <string.h>

/* ---- the plan ------------------------------------------------------------------------------------ */

/* Trial division up to here; larger blocks are merely odd. */
enum { PRIME_MOST = 1000000 };

static bool is_prime(int64_t odd)
{
    for (int64_t d = 3; d * d <= odd; d += 2)
        if (odd % d == 0)
            return false;
    return true;
}

/* The least odd prime from `least` on. */
static int64_t block_length(int64_t least)
{
    int64_t length = least < 3 ? 3 : least | 1;

    while (length < PRIME_MOST && !is_prime(length))
        length += 2;
    return length;
}

void sim_steps_plan(int64_t steps, sim_step_plan *out)
{
    int64_t length = steps <= SIM_STEPS_EXACT ? 1 : block_length((steps - 1) / SIM_STEPS_EXACT + 1);

    out->steps = steps;
    out->block_count = 0;
    for (int64_t first = 0, count; first < steps; first += count) {
        count = steps - first < length ? steps - first : length;
        count -= count % 2 == 0; /* an even rest has no middle */
        out->blocks[out->block_count++] =
            (sim_step_block){.step = first + count / 2, .first = first, .count = count};
    }
}

/* ---- prices -------------------------------------------------------------------------------------- */

/* Tables of tiles are of one number of keys, and of no use for the next: they are thrown away after so many
 * blocks, so that the memory stays warm. */
enum { BLOCKS_PER_ARENA = 8 };

/* Blocks from..to-1, with tables in an arena of their own. */
static sim_status price_blocks(const sim_layer_context *x, const sim_layer_request *q,
                               const sim_step_plan *plan, int64_t from, int64_t to, sim_arena *arena,
                               sim_layer_cost *out, sim_err *err)
{
    sim_layer at;
    sim_layer_request request = *q;
    sim_layer_context own = *x;
    sim_status status = SIM_OK;

    own.cache = sim_map_cache_new(arena);
    own.memo = sim_gemm_memo_new(arena);
    if (!own.cache || !own.memo)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    request.layer = &at;
    for (int64_t i = from; i < to && status == SIM_OK; i++)
        status = sim_layer_at_step(q->layer, plan->blocks[i].step, &at)
                     ? sim_layer_cost_of(&own, &request, &out[i], err)
                     : sim_layer_too_large(x, q->layer, err);
    return status;
}

sim_status sim_steps_price(const sim_layer_context *x, const sim_layer_request *q, const sim_step_plan *plan,
                           const sim_prices *prices, const sim_allocator *allocator, sim_layer_cost *out,
                           sim_err *err)
{
    sim_status status = SIM_OK;

    for (int64_t i = 0; i < plan->block_count && status == SIM_OK; i += BLOCKS_PER_ARENA) {
        int64_t rest = plan->block_count - i;
        sim_arena arena;

        sim_arena_init(&arena, allocator);
        status = price_blocks(x, q, plan, i, i + (rest < BLOCKS_PER_ARENA ? rest : BLOCKS_PER_ARENA), &arena,
                              out, err);
        sim_arena_free(&arena);
    }
    for (int64_t i = 0; i < plan->block_count; i++)
        out[i].prices = prices; /* not those of the arena */
    return status;
}

/* ---- keys of a block ----------------------------------------------------------------------------- */

/* Steps of several tokens are counted one by one where their reach bends; with more of them than this, blocks
 * are taken to grow evenly. */
enum { COUNTED_MOST = 1 << 20 };

static bool bends(const sim_reach *reach)
{
    return reach->window > 0 || reach->chunk > 0 || reach->stride > 0 || reach->top_k > 0;
}

/* The (token, key) pairs of `count` steps from `first` on as those of one long step; -1: too many. */
static int64_t pairs_of_span(const sim_reach *reach, int64_t first, int64_t count)
{
    sim_reach span = *reach;

    span.masked = true;
    if (__builtin_mul_overflow(first, reach->new_tokens, &span.past_tokens) ||
        __builtin_add_overflow(span.past_tokens, reach->past_tokens, &span.past_tokens) ||
        __builtin_mul_overflow(count, reach->new_tokens, &span.new_tokens))
        return -1;
    return sim_reach_pairs(&span, 0);
}

/* Before the first whole stride there is nothing to see, and each step counts 1. */
static bool sees_strides(const sim_reach *reach, int64_t first)
{
    return reach->stride == 0 || reach->past_tokens + 1 >= reach->stride ||
           first >= reach->stride - reach->past_tokens - 1;
}

/* By how much the keys of the block's steps are more than as many times those of its middle. */
static int64_t surplus_keys(const sim_reach *reach, const sim_step_plan *plan, const sim_step_block *block)
{
    int64_t middle = sim_reach_keys(reach, block->step), all = 0;

    if (block->count == 1 || !bends(reach) || __builtin_mul_overflow(middle, block->count, &middle))
        return 0;
    if (reach->new_tokens == 1 && sees_strides(reach, block->first)) { /* each sees what it pairs with */
        all = pairs_of_span(reach, block->first, block->count);
    } else if (plan->steps <= COUNTED_MOST) {
        for (int64_t s = block->first; s < block->first + block->count && all >= 0; s++) {
            int64_t keys = sim_reach_keys(reach, s);

            if (keys < 0 || __builtin_add_overflow(all, keys, &all))
                all = -1;
        }
    } else {
        return 0;
    }
    return all < 0 ? 0 : all - middle;
}

/* ---- sums ---------------------------------------------------------------------------------------- */

/* What is added to a sum: `cost` so many times, and share/of of what `next` costs more than `cost`. */
typedef struct term {
    const sim_layer_cost *cost, *next;
    int64_t times, share, of;
} term;

static bool add_whole(int64_t *sum, const term *t, int64_t value, int64_t next)
{
    int64_t product;

    if (__builtin_mul_overflow(value, t->times, &product) || __builtin_add_overflow(*sum, product, sum))
        return false;
    if (t->share != 0) { /* to the nearest */
        __int128 twice = 2 * (__int128)(next - value) * t->share, of = t->of;
        __int128 more = (twice + (((twice < 0) == (of < 0)) ? of : -of)) / (2 * of);

        if (more > INT64_MAX || more < INT64_MIN || __builtin_add_overflow(*sum, (int64_t)more, sum))
            return false;
    }
    return true;
}

static void add_real(double *sum, const term *t, double value, double next)
{
    *sum += value * (double)t->times;
    if (t->share != 0)
        *sum += (next - value) * ((double)t->share / (double)t->of);
}

static bool add_term(sim_layer_cost *sum, const term *t)
{
    sim_layer_result *s = &sum->result;
    const sim_layer_result *c = &t->cost->result, *n = &t->next->result;

    for (int i = 0; i < SIM_EVENT_COUNT; i++)
        add_real(&sum->counts.of[i], t, t->cost->counts.of[i], t->next->counts.of[i]);
    add_real(&s->sram_read_bits, t, c->sram_read_bits, n->sram_read_bits);
    add_real(&s->sram_write_bits, t, c->sram_write_bits, n->sram_write_bits);
    add_real(&s->dram_bits_bound, t, c->dram_bits_bound, n->dram_bits_bound);
    add_real(&s->compulsory_dram_bits, t, c->compulsory_dram_bits, n->compulsory_dram_bits);
    return add_whole(&s->macs, t, c->macs, n->macs) &&
           add_whole(&s->compute_cycles, t, c->compute_cycles, n->compute_cycles) &&
           add_whole(&s->memory_cycles, t, c->memory_cycles, n->memory_cycles) &&
           add_whole(&s->cycles, t, c->cycles, n->cycles) &&
           add_whole(&s->dram_read_bytes, t, c->dram_read_bytes, n->dram_read_bytes) &&
           add_whole(&s->dram_write_bytes, t, c->dram_write_bytes, n->dram_write_bytes) &&
           add_whole(&s->link_bytes, t, c->link_bytes, n->link_bytes);
}

/* All that does not add up is that of `last`. */
static void start_sum(const sim_layer_cost *last, sim_layer_cost *out)
{
    sim_layer_result *r = &out->result;

    memcpy(out, last, sizeof *out);
    memset(&out->counts, 0, sizeof out->counts);
    r->macs = r->compute_cycles = r->memory_cycles = r->cycles = 0;
    r->dram_read_bytes = r->dram_write_bytes = r->link_bytes = 0;
    r->sram_read_bits = r->sram_write_bits = r->dram_bits_bound = r->compulsory_dram_bits = 0;
}

static int64_t keys_at(const sim_layer *layer, const sim_step_plan *plan, int64_t i)
{
    return sim_reach_keys(&layer->reach, plan->blocks[i].step);
}

/* Which block's middle, after block i or else before it, has other keys; i: none. */
static int64_t other_keys(const sim_layer *layer, const sim_step_plan *plan, int64_t i)
{
    int64_t keys = keys_at(layer, plan, i);

    if (i + 1 < plan->block_count && keys_at(layer, plan, i + 1) != keys)
        return i + 1;
    return i > 0 && keys_at(layer, plan, i - 1) != keys ? i - 1 : i;
}

/* The MACs of masked steps of several tokens grow with the square in places: they are a multiple of the
 * pairs, which are counted in closed form. */
static void set_macs(const sim_layer *layer, const sim_step_plan *plan, const sim_layer_cost *first,
                     sim_layer_cost *out)
{
    const sim_reach *reach = &layer->reach;
    int64_t pairs = sim_reach_pairs(reach, plan->blocks[0].step), all, macs;

    if (!layer->attends || layer->along == SIM_ALONG_M || !reach->masked || reach->new_tokens == 1 ||
        plan->block_count == plan->steps || !sees_strides(reach, 0))
        return;
    all = pairs_of_span(reach, 0, plan->steps);
    if (pairs > 0 && all > 0 && first->result.macs % pairs == 0 &&
        !__builtin_mul_overflow(first->result.macs / pairs, all, &macs))
        out->result.macs = macs;
}

sim_status sim_steps_sum(const sim_layer_context *x, const sim_layer *layer, const sim_step_plan *plan,
                         const sim_layer_cost *series, sim_layer_cost *out, sim_err *err)
{
    double bound_cycles[SIM_BOUND_COUNT] = {0};
    sim_bound most = series[0].result.bound;

    start_sum(&series[plan->block_count - 1], out);
    for (int64_t i = 0; i < plan->block_count; i++) {
        const sim_step_block *block = &plan->blocks[i];
        term t = {.cost = &series[i], .next = &series[i], .times = block->count};
        int64_t other = i;

        if (layer->attends)
            t.share = surplus_keys(&layer->reach, plan, block);
        if (t.share != 0)
            other = other_keys(layer, plan, i);
        t.next = &series[other];
        t.of = other == i ? 1 : keys_at(layer, plan, other) - keys_at(layer, plan, i);
        if (!add_term(out, &t))
            return sim_layer_too_large(x, layer, err);
        if (series[i].tensor_bytes > out->tensor_bytes)
            out->tensor_bytes = series[i].tensor_bytes;
        bound_cycles[series[i].result.bound] += (double)block->count * (double)series[i].result.cycles;
    }
    set_macs(layer, plan, &series[0], out);
    for (int b = 0; b < SIM_BOUND_COUNT; b++)
        if (bound_cycles[b] > bound_cycles[most])
            most = (sim_bound)b;
    out->result.bound = most;
    out->result.steps = plan->steps;
    return SIM_OK;
}

sim_status sim_steps_repeat(const sim_layer_context *x, const sim_layer *layer, int64_t steps,
                            const sim_layer_cost *one, sim_layer_cost *out, sim_err *err)
{
    term t = {.cost = one, .next = one, .times = steps, .of = 1};

    start_sum(one, out);
    out->result.steps = steps;
    return add_term(out, &t) ? SIM_OK : sim_layer_too_large(x, layer, err);
}
