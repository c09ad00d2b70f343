/* Multi-head latent attention (DeepSeek V2, arXiv 2405.04434, section 2.1): the cache holds one row per
 * token, a latent of kv_lora elements and a rotated key of rope_dim that all heads share. kv_b_proj makes
 * keys (nope_dim) and values (v_head_dim) of each head out of the latent.
 *
 *   plain     kv_b_proj expands all tokens that the pass sees; attention is then that of full heads
 *   absorbed  its two halves are applied to the queries (kv_b_proj.k) and to the attention's output
 *             (kv_b_proj.v): attention runs over the cache itself, which all heads share
 *
 * Both compute the same. And the indexer of sparse attention (DeepSeek V3.2, GLM-5). */
#include "input/llm_build.h"

#include "model/reach.h"

static bool is_absorbed(const sim_llm_builder *b)
{
    if (b->request->mla == SIM_MLA_AUTO)
        return b->pass->phase == SIM_PHASE_DECODE;
    return b->request->mla == SIM_MLA_ABSORBED;
}

/* ---- sparse attention ------------------------------------------------------------------------------ */

void sim_llm_add_index(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach)
{
    int64_t rows = sim_llm_product(b, b->pass->tokens, mixer->index_heads);

    sim_layer *qk = sim_llm_add_dynamic(b, "indexer.qk", b->batch, rows, 1, mixer->index_dim);
    qk->out_on_chip = true;
    sim_llm_from_cache(qk, mixer->index_dim);
    sim_llm_attend(b, qk, reach, SIM_ALONG_N);
    sim_llm_hold(b, qk, b->batch, reach, mixer->index_dim);

    /* relu, times the head's weight, summed over heads */
    sim_layer *act = sim_llm_add_vector(b, "indexer.act", SIM_OP_ELEMENTWISE,
                                        sim_llm_product(b, b->tokens, mixer->index_heads), 1, 1,
                                        SIM_OPS_RELU + SIM_OPS_MULTIPLY + SIM_OPS_ADD);
    act->a_on_chip = true;
    act->out_on_chip = true;
    sim_llm_attend(b, act, reach, SIM_ALONG_N);

    sim_layer *choice =
        sim_llm_add_vector(b, "indexer.topk", SIM_OP_ELEMENTWISE, b->tokens, 1, 1, SIM_OPS_TOP_K);
    choice->a_on_chip = true;
    choice->out_on_chip = true; /* positions, few against the keys */
    sim_llm_attend(b, choice, reach, SIM_ALONG_N);
}

/* Queries out of the latent of queries, one key per token; after them, `reach` shows the chosen keys only. */
static void add_indexer(sim_llm_builder *b, const sim_llm_mixer *mixer, sim_reach *reach)
{
    int64_t hidden = b->model->hidden;
    int64_t queries = sim_llm_product(b, mixer->index_heads, mixer->index_dim);
    sim_llm_add_linear(b, "indexer.wq_b", queries, mixer->q_lora > 0 ? mixer->q_lora : hidden, false);
    sim_layer *key = sim_llm_add_linear(b, "indexer.wk", mixer->index_dim, hidden, false);
    key->kv_outputs = mixer->index_dim;
    sim_layer *norm = sim_llm_add_vector(b, "indexer.k_norm", SIM_OP_NORM, b->tokens, mixer->index_dim, 1,
                                         SIM_OPS_LAYER_NORM);
    sim_llm_add_params(b, norm, sim_llm_product(b, 2, mixer->index_dim));
    sim_llm_add_linear(b, "indexer.weights_proj", mixer->index_heads, hidden, false);
    sim_llm_add_index(b, mixer, reach);
    reach->top_k = mixer->index_top_k;
}

/* ---- projections ----------------------------------------------------------------------------------- */

static void add_latent_norm(sim_llm_builder *b, const char *name, int64_t width)
{
    sim_layer *norm = sim_llm_add_vector(b, name, SIM_OP_NORM, b->tokens, width, 1, SIM_OPS_RMS_NORM);
    sim_llm_add_params(b, norm, width);
}

static void add_projections(sim_llm_builder *b, const sim_llm_mixer *mixer, int64_t row)
{
    int64_t hidden = b->model->hidden;
    int64_t queries = sim_llm_product(b, mixer->heads, sim_llm_sum(b, mixer->nope_dim, mixer->rope_dim));
    int64_t rotated = sim_llm_sum(b, mixer->heads, 1); /* queries and the one key */
    if (mixer->q_lora > 0) {
        sim_llm_add_linear(b, "q_a_proj", mixer->q_lora, hidden, mixer->q_bias);
        add_latent_norm(b, "q_a_layernorm", mixer->q_lora);
        sim_llm_add_linear(b, "q_b_proj", queries, mixer->q_lora, false);
    } else {
        sim_llm_add_linear(b, "q_proj", queries, hidden, mixer->q_bias);
    }
    sim_reach all = sim_llm_reach(b, mixer);
    sim_layer *latent = sim_llm_add_linear(b, "kv_a_proj_with_mqa", row, hidden, mixer->kv_bias);
    latent->same_input = mixer->q_lora == 0;
    latent->kv_outputs = row;
    sim_llm_hold(b, latent, b->batch, &all, row);
    add_latent_norm(b, "kv_a_layernorm", mixer->kv_lora);
    if (mixer->index_heads > 0)
        rotated = sim_llm_sum(b, rotated, sim_llm_sum(b, mixer->index_heads, 1));
    sim_llm_add_vector(b, "rope", SIM_OP_ELEMENTWISE, b->tokens, sim_llm_product(b, rotated, mixer->rope_dim),
                       1, SIM_OPS_ROPE);
}

/* ---- attention ------------------------------------------------------------------------------------- */

static void add_softmax(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach)
{
    sim_layer *softmax =
        sim_llm_add_vector(b, "softmax", SIM_OP_SOFTMAX, sim_llm_product(b, b->tokens, mixer->heads), 1, 1,
                           SIM_OPS_SOFTMAX + (double)mixer->score_ops);
    softmax->a_on_chip = true;
    softmax->out_on_chip = true;
    sim_llm_attend(b, softmax, reach, SIM_ALONG_N);
}

static void add_absorbed(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach, int64_t row)
{
    int64_t rows = sim_llm_product(b, b->pass->tokens, mixer->heads);
    sim_llm_add_static(b, "kv_b_proj.k", mixer->heads, b->tokens, mixer->kv_lora, mixer->nope_dim, false);
    sim_layer *qk = sim_llm_add_dynamic(b, "qk", b->batch, rows, 1, row);
    sim_llm_from_cache(qk, row);
    qk->out_on_chip = true;
    sim_llm_attend(b, qk, reach, SIM_ALONG_N);
    add_softmax(b, mixer, reach);
    sim_layer *pv = sim_llm_add_dynamic(b, "pv", b->batch, rows, mixer->kv_lora, 1);
    sim_llm_from_cache(pv, mixer->kv_lora);
    pv->a_on_chip = true;
    sim_llm_attend(b, pv, reach, SIM_ALONG_K);
    sim_llm_add_static(b, "kv_b_proj.v", mixer->heads, b->tokens, mixer->v_head_dim, mixer->kv_lora, false);
}

static void add_plain(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_reach *reach)
{
    sim_reach all = sim_llm_reach(b, mixer);
    int64_t head = sim_llm_sum(b, mixer->nope_dim, mixer->v_head_dim);
    int64_t batch = sim_llm_product(b, b->batch, mixer->heads);
    int64_t seen = sim_reach_keys(&all, 0);
    if (seen < 0)
        b->overflow = true;
    sim_layer *expand = sim_llm_add_static(b, "kv_b_proj", 1, sim_llm_product(b, b->batch, seen),
                                           sim_llm_product(b, mixer->heads, head), mixer->kv_lora, false);
    sim_llm_attend(b, expand, &all, SIM_ALONG_M);
    sim_layer *qk = sim_llm_add_dynamic(b, "qk", batch, b->pass->tokens, 1,
                                        sim_llm_sum(b, mixer->nope_dim, mixer->rope_dim));
    qk->out_on_chip = true;
    sim_llm_attend(b, qk, reach, SIM_ALONG_N);
    add_softmax(b, mixer, reach);
    sim_layer *pv = sim_llm_add_dynamic(b, "pv", batch, b->pass->tokens, mixer->v_head_dim, 1);
    pv->a_on_chip = true;
    sim_llm_attend(b, pv, reach, SIM_ALONG_K);
}

void sim_llm_add_mla(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    int64_t row = sim_llm_sum(b, mixer->kv_lora, mixer->rope_dim);
    sim_reach reach = sim_llm_reach(b, mixer);
    add_projections(b, mixer, row);
    if (mixer->index_heads > 0)
        add_indexer(b, mixer, &reach);
    if (is_absorbed(b))
        add_absorbed(b, mixer, &reach, row);
    else
        add_plain(b, mixer, &reach);
    sim_llm_add_linear(b, "o_proj", b->model->hidden, sim_llm_product(b, mixer->heads, mixer->v_head_dim),
                       mixer->o_bias);
}
