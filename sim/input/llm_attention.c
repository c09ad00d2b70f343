/* Attention with keys and values of its own: MHA, GQA, MQA. Names and shapes: llm.h. */
#include "input/llm_build.h"

/* Sizes of one device's share. */
typedef struct sizes {
    int64_t heads, kv_heads, key_dim, value_dim;
    int64_t q_width, k_width, v_width, out_width;
} sizes;

static sizes sizes_of(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    sizes s = {.heads = mixer->heads, .kv_heads = mixer->kv_heads, .key_dim = mixer->head_dim};
    s.value_dim = mixer->v_head_dim > 0 ? mixer->v_head_dim : mixer->head_dim;
    s.q_width = sim_llm_product(b, s.heads, s.key_dim);
    s.k_width = sim_llm_product(b, s.kv_heads, s.key_dim);
    s.v_width = sim_llm_product(b, s.kv_heads, s.value_dim);
    s.out_width = sim_llm_product(b, s.heads, s.value_dim);
    return s;
}

/* ---- before the scores ---------------------------------------------------------------------------- */

static void add_projections(sim_llm_builder *b, const sim_llm_mixer *mixer, const sizes *s)
{
    int64_t hidden = b->model->hidden, queries = s->q_width, cached = s->k_width;
    if (mixer->output_gate)
        queries = sim_llm_sum(b, queries, s->out_width);
    if (!mixer->k_is_v)
        cached = sim_llm_sum(b, cached, s->v_width);
    if (b->request->merged && !mixer->shares_kv) {
        int64_t outputs = sim_llm_sum(b, queries, cached);
        sim_layer *qkv = sim_llm_add_linear(b, "qkv_proj", outputs, hidden, false);
        qkv->kv_outputs = b->model->encoder ? 0 : cached;
        sim_llm_add_params(b, qkv, sim_llm_sum(b, mixer->q_bias ? queries : 0, mixer->kv_bias ? cached : 0));
        return;
    }
    sim_llm_add_linear(b, "q_proj", queries, hidden, mixer->q_bias);
    if (mixer->shares_kv)
        return;
    sim_layer *k = sim_llm_add_linear(b, "k_proj", s->k_width, hidden, mixer->kv_bias);
    k->kv_outputs = b->model->encoder ? 0 : s->k_width;
    k->same_input = true;
    if (mixer->k_is_v)
        return;
    sim_layer *v = sim_llm_add_linear(b, "v_proj", s->v_width, hidden, mixer->kv_bias);
    v->kv_outputs = b->model->encoder ? 0 : s->v_width;
    v->same_input = true;
}

/* A norm of each head, or of all of them at once where it has a parameter for each element. */
static void add_head_norm(sim_llm_builder *b, const char *name, int64_t heads, int64_t dim, int64_t params,
                          double ops)
{
    int64_t width = sim_llm_product(b, heads, dim);
    bool whole = params > 0 && params % width == 0;
    sim_layer *norm =
        sim_llm_add_vector(b, name, SIM_OP_NORM, whole ? b->tokens : sim_llm_product(b, b->tokens, heads),
                           whole ? width : dim, 1, ops);
    sim_llm_add_params(b, norm, params);
}

static void add_norms_and_rope(sim_llm_builder *b, const sim_llm_mixer *mixer, const sizes *s)
{
    double ops = (double)mixer->qk_norm_ops;
    int64_t rotated = s->heads;
    if (mixer->qk_norm_ops > 0) {
        add_head_norm(b, "q_norm", s->heads, s->key_dim, mixer->q_norm_params, ops);
        if (!mixer->shares_kv)
            add_head_norm(b, "k_norm", s->kv_heads, s->key_dim, mixer->k_norm_params, ops);
    }
    if (mixer->v_norm && !mixer->shares_kv)
        add_head_norm(b, "v_norm", s->kv_heads, s->value_dim, 0, SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY);
    if (mixer->rope_dim == 0)
        return;
    if (!mixer->shares_kv)
        rotated = sim_llm_sum(b, rotated, s->kv_heads);
    sim_llm_add_vector(b, "rope", SIM_OP_ELEMENTWISE, b->tokens, sim_llm_product(b, rotated, mixer->rope_dim),
                       1, SIM_OPS_ROPE);
}

/* ---- scores to outputs ---------------------------------------------------------------------------- */

/* The query heads of one KV head are one product, so that the cache is read once. */
static void add_core(sim_llm_builder *b, const sim_llm_mixer *mixer, const sizes *s)
{
    sim_reach reach = sim_llm_reach(b, mixer);
    int64_t batch = sim_llm_product(b, b->batch, s->kv_heads);
    int64_t rows = sim_llm_product(b, b->pass->tokens, s->heads / s->kv_heads);
    /* An encoder keeps nothing: its keys and values are activations like any other. */
    bool cached = !b->model->encoder;

    sim_layer *qk = sim_llm_add_dynamic(b, "qk", batch, rows, 1, s->key_dim);
    qk->out_on_chip = true;
    sim_llm_attend(b, qk, &reach, SIM_ALONG_N);
    if (cached)
        sim_llm_from_cache(qk, s->key_dim);
    if (cached && !mixer->shares_kv)
        sim_llm_hold(b, qk, batch, &reach, s->key_dim);

    sim_layer *softmax =
        sim_llm_add_vector(b, "softmax", SIM_OP_SOFTMAX, sim_llm_product(b, b->tokens, s->heads), 1, 1,
                           SIM_OPS_SOFTMAX + (double)mixer->score_ops);
    softmax->a_on_chip = true;
    softmax->out_on_chip = true;
    sim_llm_add_params(b, softmax, mixer->sink_params);
    sim_llm_attend(b, softmax, &reach, SIM_ALONG_N);

    sim_layer *pv = sim_llm_add_dynamic(b, "pv", batch, rows, s->value_dim, 1);
    pv->a_on_chip = true;
    sim_llm_attend(b, pv, &reach, SIM_ALONG_K);
    if (cached)
        sim_llm_from_cache(pv, s->value_dim);
    if (cached && !mixer->shares_kv && !mixer->k_is_v)
        sim_llm_hold(b, pv, batch, &reach, s->value_dim);
}

void sim_llm_add_attention(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    sizes s = sizes_of(b, mixer);
    add_projections(b, mixer, &s);
    add_norms_and_rope(b, mixer, &s);
    add_core(b, mixer, &s);
    if (mixer->output_gate)
        sim_llm_add_vector(b, "attn_gate", SIM_OP_ELEMENTWISE, b->tokens, s.out_width, 2,
                           SIM_OPS_SIGMOID + SIM_OPS_MULTIPLY);
    sim_llm_add_linear(b, "o_proj", b->model->hidden, s.out_width, mixer->o_bias);
}
