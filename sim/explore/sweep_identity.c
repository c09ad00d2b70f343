#include "explore/sweep_identity.h"

#include "base/hash.h"

#include <string.h>

static uint64_t add_text(uint64_t id, const char *text)
{
    return sim_hash(id, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t add_real(uint64_t id, double x)
{
    return sim_hash(id, &x, sizeof x);
}

static uint64_t add_precision(uint64_t id, const sim_precision *p)
{
    const int64_t numbers[] = {p->w.format, p->w.bits, p->a.format,   p->a.bits, p->kv.format,
                               p->kv.bits,  p->group,  p->group_bits, p->scales};

    return add_real(sim_hash(id, numbers, sizeof numbers), p->outliers_frac);
}

static uint64_t add_conv(uint64_t id, const sim_conv2d *c)
{
    const int64_t numbers[] = {c->images,   c->h_in,     c->w_in,   c->c_in,    c->c_out,
                               c->kernel_h, c->kernel_w, c->stride, c->padding, c->groups};

    return sim_hash(id, numbers, sizeof numbers);
}

/* Which earlier tokens it attends to, and the cache that it holds. */
static uint64_t add_attention(uint64_t id, const sim_layer *l)
{
    const int64_t numbers[] = {l->attends,
                               l->along,
                               l->reach.past_tokens,
                               l->reach.new_tokens,
                               l->reach.window,
                               l->reach.chunk,
                               l->reach.stride,
                               l->reach.top_k,
                               l->reach.masked,
                               l->cache_rows,
                               l->cache_row_elements,
                               l->cache_sets,
                               l->cache_law.grows,
                               l->cache_law.window,
                               l->cache_law.chunk,
                               l->cache_law.stride,
                               l->kv_outputs,
                               l->kv_row_elements};

    return sim_hash(id, numbers, sizeof numbers);
}

static uint64_t add_layer(uint64_t id, const sim_layer *l)
{
    const int64_t numbers[] = {l->line > 0,
                               l->op,
                               l->repeat,
                               l->scattered,
                               l->phase,
                               l->steps,
                               l->later_pass,
                               l->devices,
                               l->repeated,
                               l->all_macs,
                               l->spare_n,
                               l->stage,
                               l->m,
                               l->n,
                               l->k,
                               l->batch,
                               l->weights,
                               l->from_checkpoint,
                               l->keep_float,
                               l->needed_macs,
                               l->map_n,
                               l->map_k,
                               l->stored_batch,
                               l->same_input,
                               l->a_on_chip,
                               l->out_on_chip,
                               l->w_on_chip,
                               l->tied,
                               l->in_bits,
                               l->out_bits,
                               l->inputs,
                               l->param_elements};

    id = sim_hash(add_text(id, l->name), numbers, sizeof numbers);
    id = add_real(add_real(id, l->folded_ops), l->ops_per_element);
    id = add_attention(add_precision(id, &l->own), l);
    return l->op == SIM_OP_CONV2D ? add_conv(id, &l->conv) : id;
}

uint64_t sim_workload_identity(const sim_workload *w)
{
    const int64_t numbers[] = {w->phase,       w->batch,         w->tokens,
                               w->layer_count, w->cached_tokens, w->kv_cache_elements,
                               w->devices,     w->stages,        w->cache_copied};
    uint64_t id = sim_hash(add_text(SIM_HASH_START, w->name), numbers, sizeof numbers);

    for (int64_t i = 0; i < w->layer_count; i++)
        id = add_layer(id, &w->layers[i]);
    return id;
}

uint64_t sim_policy_identity(const sim_policy *p, sim_objective objective)
{
    const int64_t numbers[] = {p->overrides_own, p->rule_count, p->position_count, objective};
    uint64_t id = add_precision(sim_hash(SIM_HASH_START, numbers, sizeof numbers), &p->base);

    for (int64_t i = 0; i < p->rule_count; i++)
        id = add_precision(add_text(id, p->rules[i].glob), &p->rules[i].precision);
    for (int64_t i = 0; i < p->position_count; i++)
        id = add_precision(id, &p->positions[i]);
    return id;
}
