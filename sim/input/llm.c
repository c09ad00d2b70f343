/* A transformer and a phase -> layers. Knows no family: see llm_config.c for those, llm.h for names and
 * shapes. */
#include "input/llm.h"
#include "input/llm_model.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <stdio.h>

/* Entries per block and outside of all blocks, at most: room is taken once. */
enum { BLOCK_LAYERS_MAX = 16, OUTER_LAYERS_MAX = 8 };

typedef struct builder {
    const sim_llm_model *model;
    const sim_llm_request *request;
    sim_arena *arena;

    sim_layer *layers;
    int64_t count;
    char prefix[32]; /* "layers.12."; "" outside of the blocks */

    int64_t tokens;       /* new tokens of all sequences */
    int64_t per_sequence; /* new tokens of one */
    int64_t keys;         /* that each of them may see */
    int64_t visible;      /* pairs of token and key that the masks leave, of per_sequence * keys; 0: all */
    int64_t cached;       /* tokens whose keys and values the phase reads or leaves, per sequence */

    int64_t parameters;
    bool overflow;
    const char *overflow_name; /* the first layer that does not fit; NULL: none of them alone */
    bool no_memory;
} builder;

static const sim_llm_mixer *mixer_of(const builder *b)
{
    return b->model->mixers;
}

static const sim_llm_ffn *ffn_of(const builder *b)
{
    return b->model->ffns;
}

/* ---- checked arithmetic: counts are never negative ---------------------------------------------- */

static int64_t product(builder *b, int64_t x, int64_t y)
{
    int64_t z;
    if (__builtin_mul_overflow(x, y, &z)) {
        b->overflow = true;
        return 1; /* harmless in what follows; the result is thrown away */
    }
    return z;
}

static int64_t sum(builder *b, int64_t x, int64_t y)
{
    int64_t z;
    if (__builtin_add_overflow(x, y, &z)) {
        b->overflow = true;
        return 1;
    }
    return z;
}

/* Pairs (t, key) with token t = 1..tokens seeing its last min(t, window) keys; window 0: no window. */
static int64_t causal_pairs(builder *b, int64_t tokens, int64_t window)
{
    int64_t ramp = window > 0 && window < tokens ? window : tokens;
    int64_t triangle = ramp % 2 == 0 ? product(b, ramp / 2, sum(b, ramp, 1)) : product(b, ramp, ramp / 2 + 1);
    return sum(b, triangle, product(b, tokens - ramp, ramp));
}

/* ---- entries ------------------------------------------------------------------------------------ */

/* The next entry, named; its products must fit 63 bits. Never NULL. */
static sim_layer *add(builder *b, const char *name, sim_op op, int64_t batch, int64_t m, int64_t n, int64_t k)
{
    sim_layer *layer = &b->layers[b->count++];
    layer->name = sim_arena_printf(b->arena, "%s%s", b->prefix, name);
    if (layer->name == NULL)
        b->no_memory = true;
    layer->op = op;
    layer->repeat = 1;
    layer->phase = b->request->phase;
    layer->batch = batch;
    layer->m = m;
    layer->n = n;
    layer->k = k;
    bool before = b->overflow;
    int64_t outputs = product(b, batch, product(b, m, n));
    if (op == SIM_OP_MATMUL)
        (void)product(b, outputs, k);
    if (b->overflow && !before && b->overflow_name == NULL)
        b->overflow_name = layer->name;
    return layer;
}

static void add_linear(builder *b, const char *name, int64_t m, int64_t out, int64_t in, bool bias)
{
    sim_layer *layer = add(b, name, SIM_OP_MATMUL, 1, m, out, in);
    layer->weights = SIM_WEIGHTS_STATIC;
    layer->param_elements = bias ? out : 0;
    b->parameters = sum(b, b->parameters, sum(b, product(b, out, in), layer->param_elements));
}

/* A look-up of one row of `width` per token. */
static void add_embedding(builder *b, const char *name, int64_t width, int64_t rows)
{
    sim_layer *layer = add(b, name, SIM_OP_EMBEDDING, 1, b->tokens, width, rows);
    layer->inputs = 1;
    layer->keep_float = true;
    b->parameters = sum(b, b->parameters, product(b, width, rows));
}

static sim_layer *add_vector(builder *b, const char *name, sim_op op, int64_t rows, int64_t width, int inputs,
                             double ops_per_element)
{
    sim_layer *layer = add(b, name, op, 1, rows, width, 0);
    layer->inputs = inputs;
    layer->ops_per_element = ops_per_element;
    return layer;
}

static void add_norm(builder *b, const char *name)
{
    const sim_llm_model *model = b->model;
    sim_layer *layer = add_vector(b, name, SIM_OP_NORM, b->tokens, model->hidden, 1, model->norm_ops);
    layer->param_elements = product(b, model->hidden, model->norm_params);
    b->parameters = sum(b, b->parameters, layer->param_elements);
}

static void add_residual(builder *b, const char *name)
{
    add_vector(b, name, SIM_OP_ELEMENTWISE, b->tokens, b->model->hidden, 2, SIM_OPS_ADD);
}

/* ---- attention ---------------------------------------------------------------------------------- */

static void add_attention_core(builder *b)
{
    int64_t group = mixer_of(b)->heads / mixer_of(b)->kv_heads;
    int64_t batch = product(b, b->request->batch, mixer_of(b)->kv_heads);
    int64_t rows = product(b, b->per_sequence, group);
    sim_layer *qk = add(b, "qk", SIM_OP_MATMUL, batch, rows, b->keys, mixer_of(b)->head_dim);
    int64_t needed_macs = 0, mean_keys = 0;
    if (b->visible > 0) {
        needed_macs = product(b, product(b, b->visible, batch), product(b, group, mixer_of(b)->head_dim));
        mean_keys = (b->visible - 1) / b->per_sequence + 1;
    }
    qk->weights = SIM_WEIGHTS_KV;
    qk->kv_row_elements = mixer_of(b)->head_dim;
    qk->out_on_chip = true;
    qk->needed_macs = needed_macs;
    qk->map_n = mean_keys;

    sim_layer *softmax = add_vector(b, "softmax", SIM_OP_SOFTMAX, product(b, b->tokens, mixer_of(b)->heads),
                                    b->keys, 1, SIM_OPS_SOFTMAX);
    softmax->a_on_chip = true;
    softmax->out_on_chip = true;
    softmax->map_n = mean_keys;

    sim_layer *pv = add(b, "pv", SIM_OP_MATMUL, batch, rows, mixer_of(b)->head_dim, b->keys);
    pv->weights = SIM_WEIGHTS_KV;
    pv->kv_row_elements = mixer_of(b)->head_dim;
    pv->a_on_chip = true;
    pv->needed_macs = needed_macs;
    pv->map_k = mean_keys;
}

static void add_attention(builder *b)
{
    const sim_llm_model *model = b->model;
    int64_t q_width = product(b, mixer_of(b)->heads, mixer_of(b)->head_dim);
    int64_t kv_width = product(b, mixer_of(b)->kv_heads, mixer_of(b)->head_dim);

    add_linear(b, "q_proj", b->tokens, q_width, model->hidden, mixer_of(b)->q_bias);
    add_linear(b, "k_proj", b->tokens, kv_width, model->hidden, mixer_of(b)->q_bias);
    b->layers[b->count - 1].kv_outputs = kv_width;
    add_linear(b, "v_proj", b->tokens, kv_width, model->hidden, mixer_of(b)->q_bias);
    b->layers[b->count - 1].kv_outputs = kv_width;
    if (mixer_of(b)->rope_dim > 0)
        add_vector(b, "rope", SIM_OP_ELEMENTWISE, b->tokens, sum(b, q_width, kv_width), 1, SIM_OPS_ROPE);
    add_attention_core(b);
    add_linear(b, "o_proj", b->tokens, model->hidden, q_width, mixer_of(b)->o_bias);
}

static void add_ffn(builder *b)
{
    const sim_llm_model *model = b->model;
    if (ffn_of(b)->gated)
        add_linear(b, ffn_of(b)->gate_name, b->tokens, ffn_of(b)->width, model->hidden, ffn_of(b)->bias);
    add_linear(b, ffn_of(b)->up_name, b->tokens, ffn_of(b)->width, model->hidden, ffn_of(b)->bias);
    add_vector(b, "act", SIM_OP_ELEMENTWISE, b->tokens, ffn_of(b)->width, ffn_of(b)->gated ? 2 : 1,
               ffn_of(b)->act_ops + (ffn_of(b)->gated ? SIM_OPS_MULTIPLY : 0));
    add_linear(b, ffn_of(b)->down_name, b->tokens, model->hidden, ffn_of(b)->width, ffn_of(b)->bias);
}

/* ---- the whole model ---------------------------------------------------------------------------- */

static void add_block(builder *b, int64_t index)
{
    const sim_llm_model *model = b->model;
    snprintf(b->prefix, sizeof b->prefix, "layers.%" PRId64 ".", index);
    if (model->norms == SIM_NORMS_PRE)
        add_norm(b, model->attn_norm_name);
    add_attention(b);
    add_residual(b, "attn_residual");
    add_norm(b, model->norms == SIM_NORMS_PRE ? model->ffn_norm_name : model->attn_norm_name);
    add_ffn(b);
    add_residual(b, "ffn_residual");
    if (!model->norms == SIM_NORMS_PRE)
        add_norm(b, model->ffn_norm_name);
}

static void add_model(builder *b)
{
    const sim_llm_model *model = b->model;
    bool projected = model->embed_width != model->hidden;

    add_embedding(b, "embed", model->embed_width, model->vocab);
    if (projected)
        add_linear(b, "project_in", b->tokens, model->hidden, model->embed_width, false);
    if (model->position_rows > 0) {
        add_embedding(b, "embed_positions", model->hidden, model->position_rows);
        add_residual(b, "embed_sum");
    }
    for (int64_t i = 0; i < model->block_count && !b->no_memory && !b->overflow; i++)
        add_block(b, i);
    b->prefix[0] = '\0';

    /* The body ends here: as in HF it runs on all tokens. Logits are computed for the last one only. */
    if (model->final_norm)
        add_norm(b, model->final_norm_name);
    if (projected)
        add_linear(b, "project_out", b->tokens, model->embed_width, model->hidden, false);
    int64_t stored = b->parameters;
    add_linear(b, "lm_head", b->request->batch, model->vocab, model->embed_width, false);
    b->layers[b->count - 1].keep_float = true;
    if (model->tied) {
        b->layers[b->count - 1].tied = true;
        b->parameters = stored;
    }
}

/* ---- the phase ---------------------------------------------------------------------------------- */

static sim_status check_request(const sim_llm_request *request, const char *file, sim_err *err)
{
    sim_status status = SIM_OK;
    if (request->phase != SIM_PHASE_PREFILL && request->phase != SIM_PHASE_DECODE) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "a model needs a phase");
        sim_hint(err, "\"phase\": \"prefill\" or \"decode\" in the workload, or --phase");
    }
    if (request->batch < 1) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "'batch' must be a positive integer, not %" PRId64,
                          request->batch);
    }
    if (request->phase == SIM_PHASE_PREFILL && request->prompt_tokens < 1) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "prefill needs 'prompt_tokens', at least 1");
        sim_hint(err, "\"prompt_tokens\": 2048 in the workload, or --prompt 2048");
    }
    if (request->phase == SIM_PHASE_DECODE && request->context_tokens < 0) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0,
                          "decode needs 'context_tokens', the tokens already in the cache");
        sim_hint(err, "\"context_tokens\": 2048 in the workload, or --context 2048");
    }
    return status;
}

static void set_phase(builder *b)
{
    const sim_llm_request *request = b->request;
    int64_t window = mixer_of(b)->window;
    if (request->phase == SIM_PHASE_PREFILL) {
        b->per_sequence = request->prompt_tokens;
        b->keys = request->prompt_tokens;
        b->cached = request->prompt_tokens;
        int64_t pairs = product(b, b->per_sequence, b->keys);
        b->visible = request->full_attention ? pairs : causal_pairs(b, b->per_sequence, window);
        if (b->visible == pairs)
            b->visible = 0; /* nothing is masked: one token, or no mask */
    } else {
        b->per_sequence = 1;
        b->keys = sum(b, request->context_tokens, 1);
        if (window > 0 && b->keys > window)
            b->keys = window;
        b->cached = b->keys;
    }
    if (window > 0 && b->cached > window)
        b->cached = window; /* older rows are overwritten */
    b->tokens = product(b, request->batch, b->per_sequence);
}

sim_status sim_llm_expand(const sim_json *config, const char *file, const sim_llm_request *request,
                          sim_arena *arena, sim_workload *out, sim_err *err)
{
    sim_llm_model model;
    sim_status status = sim_llm_read_config(config, file, arena, &model, err);
    sim_status request_status = check_request(request, file, err);
    if (status != SIM_OK || request_status != SIM_OK)
        return status != SIM_OK ? status : request_status;

    builder b = {.model = &model, .request = request, .arena = arena};
    size_t room = (size_t)model.block_count * BLOCK_LAYERS_MAX + OUTER_LAYERS_MAX;
    b.layers = sim_arena_alloc(arena, room, sizeof *b.layers);
    if (b.layers == NULL)
        return sim_fail(err, SIM_NO_MEMORY, file, model.line, "out of memory for the layers of the model");
    set_phase(&b);
    add_model(&b);
    int64_t kv_width = product(&b, mixer_of(&b)->kv_heads, mixer_of(&b)->head_dim);
    int64_t kv_rows = product(&b, product(&b, 2, model.block_count), product(&b, request->batch, b.cached));
    int64_t kv_cache_elements = product(&b, kv_rows, kv_width);

    if (b.no_memory)
        return sim_fail(err, SIM_NO_MEMORY, file, model.line, "out of memory for the layers of the model");
    if (b.overflow) {
        if (b.overflow_name != NULL)
            sim_fail(err, SIM_OVERFLOW, file, model.line, "the work of '%s' does not fit 63 bits",
                     b.overflow_name);
        else
            sim_fail(err, SIM_OVERFLOW, file, model.line,
                     "the size of the model or of its cache does not fit 63 bits");
        sim_hint(err, "check the sizes of the model, the batch and the tokens");
        return SIM_OVERFLOW;
    }

    out->phase = request->phase;
    out->batch = request->batch;
    out->tokens = b.tokens;
    out->layers = b.layers;
    out->layer_count = b.count;
    out->kv_cache_elements = kv_cache_elements;
    out->model_type = model.model_type;
    out->parameters = b.parameters;
    return SIM_OK;
}
