/* DeepSeek V4's attention, after the published implementation (huggingface/transformers, models/deepseek_v4):
 *
 *   queries   of low rank, normalised per head without parameters
 *   window    one row of head_dim per token is key and value of all heads; each token sees the last `window`
 *   older     one compressed row per compress_ratio tokens: a softmax over the group (and, where an indexer
 *             picks rows, over the group before it too) weighs projections of its tokens
 *   indexer   keys of index_dim compressed in the same way; index_top_k rows are read per query
 *   output    rotated back; o_a_proj in o_groups groups, then o_b_proj
 *
 * One softmax runs over both kinds of keys; here it is two entries with as many elements. A group that is not
 * complete has no row yet; what is kept of its tokens until then (at most two groups) is not counted. */
#include "input/llm_build.h"

/* Projections that groups of tokens are weighed from, and the rows made of them: `dim` elements each. */
static void add_compressor(sim_llm_builder *b, const sim_llm_mixer *mixer, const char *values,
                           const char *gates, const char *pool, const char *norm, int64_t dim)
{
    int64_t width = mixer->index_heads > 0 ? sim_llm_product(b, 2, dim) : dim;
    sim_llm_add_linear(b, values, width, b->model->hidden, false);
    sim_layer *gate = sim_llm_add_linear(b, gates, width, b->model->hidden, false);
    gate->same_input = true;
    /* gate + position bias, softmax over the group, times value, summed over the group */
    sim_layer *pooled = sim_llm_add_vector(b, pool, SIM_OP_SOFTMAX, b->tokens, width, 2,
                                           SIM_OPS_ADD + SIM_OPS_SOFTMAX + SIM_OPS_MULTIPLY + SIM_OPS_ADD);
    sim_llm_add_params(b, pooled, sim_llm_product(b, mixer->compress_ratio, width));
    pooled->out_on_chip = true; /* few rows, which the norm takes up */
    int64_t rows = (b->tokens - 1) / mixer->compress_ratio + 1;
    sim_layer *normed =
        sim_llm_add_vector(b, norm, SIM_OP_NORM, rows, dim, 1, SIM_OPS_RMS_NORM + SIM_OPS_ROPE);
    normed->a_on_chip = true;
    sim_llm_add_params(b, normed, dim);
}

static void add_projections(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    int64_t hidden = b->model->hidden;
    sim_llm_add_linear(b, "q_a_proj", mixer->q_lora, hidden, false);
    sim_layer *norm =
        sim_llm_add_vector(b, "q_norm", SIM_OP_NORM, b->tokens, mixer->q_lora, 1, SIM_OPS_RMS_NORM);
    sim_llm_add_params(b, norm, mixer->q_lora);
    sim_llm_add_linear(b, "q_b_proj", sim_llm_product(b, mixer->heads, mixer->head_dim), mixer->q_lora,
                       false);
    sim_llm_add_vector(b, "q_head_norm", SIM_OP_NORM, sim_llm_product(b, b->tokens, mixer->heads),
                       mixer->head_dim, 1, SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY);
    sim_layer *kv = sim_llm_add_linear(b, "kv_proj", mixer->head_dim, hidden, false);
    kv->kv_outputs = mixer->head_dim;
    sim_layer *kv_norm =
        sim_llm_add_vector(b, "kv_norm", SIM_OP_NORM, b->tokens, mixer->head_dim, 1, SIM_OPS_RMS_NORM);
    sim_llm_add_params(b, kv_norm, mixer->head_dim);
    int64_t rotated = sim_llm_sum(b, mixer->heads, 1);
    if (mixer->index_heads > 0)
        rotated = sim_llm_sum(b, rotated, mixer->index_heads);
    sim_llm_add_vector(b, "rope", SIM_OP_ELEMENTWISE, b->tokens, sim_llm_product(b, rotated, mixer->rope_dim),
                       1, SIM_OPS_ROPE);
}

/* Scores and weighted sum over one kind of rows. */
static void add_core(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach,
                     const char *qk_name, const char *softmax_name, const char *pv_name, int64_t sinks)
{
    int64_t rows = sim_llm_product(b, b->pass->tokens, mixer->heads);
    sim_reach all = *reach;
    all.top_k = 0;
    sim_layer *qk = sim_llm_add_dynamic(b, qk_name, b->batch, rows, 1, mixer->head_dim);
    qk->out_on_chip = true;
    sim_llm_from_cache(qk, mixer->head_dim);
    sim_llm_attend(b, qk, reach, SIM_ALONG_N);
    sim_llm_hold(b, qk, b->batch, &all, mixer->head_dim);
    sim_layer *softmax = sim_llm_add_vector(
        b, softmax_name, SIM_OP_SOFTMAX, sim_llm_product(b, b->tokens, mixer->heads), 1, 1, SIM_OPS_SOFTMAX);
    softmax->a_on_chip = true;
    softmax->out_on_chip = true;
    sim_llm_add_params(b, softmax, sinks);
    sim_llm_attend(b, softmax, reach, SIM_ALONG_N);
    sim_layer *pv = sim_llm_add_dynamic(b, pv_name, b->batch, rows, mixer->head_dim, 1);
    pv->a_on_chip = true;
    sim_llm_from_cache(pv, mixer->head_dim);
    sim_llm_attend(b, pv, reach, SIM_ALONG_K);
}

static void add_older(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    sim_reach reach = sim_llm_reach(b, mixer);
    reach.window = 0;
    reach.chunk = 0;
    reach.stride = mixer->compress_ratio;
    add_compressor(b, mixer, "compressor.kv_proj", "compressor.gate_proj", "compressor.pool",
                   "compressor.kv_norm", mixer->head_dim);
    if (mixer->index_heads > 0) {
        int64_t queries = sim_llm_product(b, mixer->index_heads, mixer->index_dim);
        sim_llm_add_linear(b, "indexer.q_b_proj", queries, mixer->q_lora, false);
        sim_llm_add_linear(b, "indexer.weights_proj", mixer->index_heads, b->model->hidden, false);
        add_compressor(b, mixer, "indexer.kv_proj", "indexer.gate_proj", "indexer.pool", "indexer.kv_norm",
                       mixer->index_dim);
        sim_llm_add_index(b, mixer, &reach);
        reach.top_k = mixer->index_top_k;
    }
    add_core(b, mixer, &reach, "qk_compressed", "softmax_compressed", "pv_compressed", 0);
}

void sim_llm_add_compressed(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    sim_reach window = sim_llm_reach(b, mixer);
    int64_t out_width = sim_llm_product(b, mixer->heads, mixer->head_dim);
    int64_t groups = mixer->o_groups > 0 ? mixer->o_groups : 1;
    add_projections(b, mixer);
    add_core(b, mixer, &window, "qk", "softmax", "pv", mixer->sink_params);
    if (mixer->compress_ratio > 0)
        add_older(b, mixer);
    sim_llm_add_vector(b, "rope_out", SIM_OP_ELEMENTWISE, b->tokens,
                       sim_llm_product(b, mixer->heads, mixer->rope_dim), 1, SIM_OPS_ROPE);
    sim_llm_add_static(b, "o_a_proj", groups, b->tokens, mixer->o_lora, out_width / groups, false);
    sim_llm_add_linear(b, "o_b_proj", b->model->hidden, sim_llm_product(b, groups, mixer->o_lora),
                       mixer->o_bias);
}
