#include "input/llm_build.h"

#include "model/reach.h"

#include <string.h>

enum { ROOM_AT_FIRST = 256 };

/* ---- checked arithmetic --------------------------------------------------------------------------- */

int64_t sim_llm_product(sim_llm_builder *b, int64_t x, int64_t y)
{
    int64_t z;
    if (__builtin_mul_overflow(x, y, &z)) {
        b->overflow = true;
        return 1; /* harmless in what follows; the result is thrown away */
    }
    return z;
}

int64_t sim_llm_sum(sim_llm_builder *b, int64_t x, int64_t y)
{
    int64_t z;
    if (__builtin_add_overflow(x, y, &z)) {
        b->overflow = true;
        return 1;
    }
    return z;
}

int sim_llm_inputs(int64_t tensors)
{
    return tensors < 1 << 30 ? (int)tensors : 1 << 30;
}

/* The first layer whose own counts do not fit is the one to name. */
static void blame(sim_llm_builder *b, bool overflow_before, const sim_layer *layer)
{
    if (b->overflow && !overflow_before && b->overflow_name == NULL)
        b->overflow_name = layer->name;
}

/* ---- entries -------------------------------------------------------------------------------------- */

static bool grow(sim_llm_builder *b, int64_t room)
{
    sim_layer *layers = sim_arena_alloc(b->arena, (size_t)room, sizeof *layers);
    if (layers == NULL) {
        b->no_memory = true;
        return false;
    }
    if (b->count > 0)
        memcpy(layers, b->layers, (size_t)b->count * sizeof *layers);
    b->layers = layers;
    b->room = room;
    return true;
}

void sim_llm_expect(sim_llm_builder *b, int64_t entries)
{
    if (b->room - b->count < entries)
        (void)grow(b, b->count + entries);
}

static sim_layer *next_entry(sim_llm_builder *b)
{
    if (b->count == b->room && !grow(b, b->room > 0 ? 2 * b->room : ROOM_AT_FIRST))
        return &b->nowhere;
    return &b->layers[b->count++];
}

sim_layer *sim_llm_add(sim_llm_builder *b, const char *name, sim_op op, int64_t batch, int64_t m, int64_t n,
                       int64_t k)
{
    sim_layer *layer = next_entry(b);
    *layer = (sim_layer){
        .name = sim_arena_printf(b->arena, "%s%s", b->prefix, name),
        .op = op,
        .repeat = 1,
        .phase = b->pass->phase,
        .steps = b->pass->steps,
        .later_pass = !b->first_pass,
        .batch = batch,
        .m = m,
        .n = n,
        .k = k,
    };
    if (layer->name == NULL) {
        layer->name = "";
        b->no_memory = true;
    }
    bool before = b->overflow;
    int64_t work = sim_llm_product(b, batch, sim_llm_product(b, m, n));
    if (op == SIM_OP_MATMUL || op == SIM_OP_CONV2D)
        work = sim_llm_product(b, work, k);
    (void)sim_llm_product(b, work, layer->steps);
    blame(b, before, layer);
    return layer;
}

void sim_llm_add_params(sim_llm_builder *b, sim_layer *layer, int64_t params)
{
    layer->param_elements = sim_llm_sum(b, layer->param_elements, params);
    if (!layer->later_pass)
        b->parameters = sim_llm_sum(b, b->parameters, params);
}

sim_layer *sim_llm_add_static(sim_llm_builder *b, const char *name, int64_t batch, int64_t m, int64_t out,
                              int64_t in, bool bias)
{
    sim_layer *layer = sim_llm_add(b, name, SIM_OP_MATMUL, batch, m, out, in);
    layer->weights = SIM_WEIGHTS_STATIC;
    if (!layer->later_pass)
        b->parameters = sim_llm_sum(b, b->parameters, sim_llm_product(b, batch, sim_llm_product(b, out, in)));
    if (bias)
        sim_llm_add_params(b, layer, sim_llm_product(b, batch, out));
    return layer;
}

sim_layer *sim_llm_add_linear(sim_llm_builder *b, const char *name, int64_t out, int64_t in, bool bias)
{
    return sim_llm_add_static(b, name, 1, b->tokens, out, in, bias);
}

sim_layer *sim_llm_add_dynamic(sim_llm_builder *b, const char *name, int64_t batch, int64_t m, int64_t n,
                               int64_t k)
{
    sim_layer *layer = sim_llm_add(b, name, SIM_OP_MATMUL, batch, m, n, k);
    layer->weights = SIM_WEIGHTS_DYNAMIC;
    return layer;
}

sim_layer *sim_llm_add_embedding(sim_llm_builder *b, const char *name, int64_t width, int64_t rows)
{
    sim_layer *layer = sim_llm_add(b, name, SIM_OP_EMBEDDING, 1, b->tokens, width, rows);
    layer->inputs = 1;
    layer->keep_float = true;
    if (!layer->later_pass)
        b->parameters = sim_llm_sum(b, b->parameters, sim_llm_product(b, width, rows));
    return layer;
}

sim_layer *sim_llm_add_vector(sim_llm_builder *b, const char *name, sim_op op, int64_t rows, int64_t width,
                              int inputs, double ops_per_element)
{
    sim_layer *layer = sim_llm_add(b, name, op, 1, rows, width, 0);
    layer->inputs = inputs;
    layer->ops_per_element = ops_per_element;
    return layer;
}

void sim_llm_add_norm(sim_llm_builder *b, const char *name)
{
    const sim_llm_model *model = b->model;
    if (name == NULL)
        return;
    sim_layer *layer = sim_llm_add_vector(b, name, SIM_OP_NORM, b->tokens, model->hidden, 1, model->norm_ops);
    sim_llm_add_params(b, layer, sim_llm_product(b, model->hidden, model->norm_params));
}

void sim_llm_add_sum(sim_llm_builder *b, const char *name, int inputs)
{
    sim_llm_add_vector(b, name, SIM_OP_ELEMENTWISE, b->tokens, b->model->hidden, inputs,
                       (inputs - 1) * SIM_OPS_ADD);
}

/* ---- what entries are ----------------------------------------------------------------------------- */

void sim_llm_attend(sim_llm_builder *b, sim_layer *layer, const sim_reach *reach, sim_along along)
{
    sim_layer first, last;
    bool before = b->overflow;
    layer->attends = true;
    layer->along = along;
    layer->reach = *reach;
    /* Steps grow: where the last one fits, and it as many times as there are steps, all do. (Within chunks
     * of positions they rise and fall, but are no more than the keys of a chunk.) */
    if (!sim_layer_at_step(layer, 0, &first) || !sim_layer_at_step(layer, layer->steps - 1, &last)) {
        b->overflow = true;
    } else {
        int64_t work = sim_llm_product(b, last.batch, sim_llm_product(b, last.m, last.n));
        if (last.op == SIM_OP_MATMUL)
            work = sim_llm_product(b, work, last.k);
        (void)sim_llm_product(b, work, layer->steps);
        first.steps = layer->steps;
        *layer = first;
    }
    blame(b, before, layer);
}

void sim_llm_from_cache(sim_layer *layer, int64_t row_elements)
{
    layer->weights = SIM_WEIGHTS_KV;
    layer->kv_row_elements = row_elements;
}

void sim_llm_hold(sim_llm_builder *b, sim_layer *layer, int64_t sets, const sim_reach *reach,
                  int64_t row_elements)
{
    sim_cache_law law = {.grows = reach != NULL};
    if (reach != NULL) {
        law.window = reach->window;
        law.chunk = reach->chunk;
        law.stride = reach->stride;
    }
    int64_t rows = sim_llm_product(b, sets, sim_cache_kept(&law, b->end_tokens));
    int64_t elements = sim_llm_product(b, rows, row_elements);
    if (!b->last_pass)
        return;
    layer->cache_rows = rows;
    layer->cache_row_elements = row_elements;
    layer->cache_sets = sets;
    layer->cache_law = law;
    b->cache_elements = sim_llm_sum(b, b->cache_elements, elements);
}

sim_reach sim_llm_reach(const sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    return (sim_reach){
        .past_tokens = b->pass->past,
        .new_tokens = b->pass->tokens,
        .window = mixer->window,
        .chunk = mixer->chunk,
        .masked = !mixer->bidirectional && !b->model->encoder && !b->request->full_attention,
    };
}
