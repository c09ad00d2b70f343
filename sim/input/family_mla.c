/* DeepSeek and its kin: multi-head latent attention, fine-grained and shared experts after dense layers. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <string.h>

#define MLA_SIZES                                                                                            \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("intermediate_size", ffn), SIM_LLM_REQUIRED("num_attention_heads", heads),          \
        SIM_LLM_REQUIRED("vocab_size", vocab), SIM_LLM_REQUIRED("kv_lora_rank", kv_lora),                    \
        SIM_LLM_OPTIONAL("q_lora_rank", q_lora, 0), SIM_LLM_REQUIRED("qk_nope_head_dim", nope_dim),          \
        SIM_LLM_REQUIRED("qk_rope_head_dim", rope_dim), SIM_LLM_REQUIRED("v_head_dim", v_head_dim),          \
        SIM_LLM_MAYBE_EITHER("n_routed_experts", "num_routed_experts", experts),                             \
        SIM_LLM_MAYBE("num_experts_per_tok", top_k), SIM_LLM_MAYBE("moe_intermediate_size", expert_width),   \
        SIM_LLM_MAYBE_EITHER("n_shared_experts", "num_shared_experts", shared_experts),                      \
        SIM_LLM_OPTIONAL("moe_layer_freq", moe_step, 1),                                                     \
        SIM_LLM_FLAG("attention_bias", attention_bias, false),                                               \
        SIM_LLM_FLAG("tie_word_embeddings", tied, false), SIM_LLM_ACT("hidden_act", SIM_OPS_SILU),           \
        SIM_LLM_MAYBE("num_nextn_predict_layers", draft_blocks)

static sim_llm_mixer mla_of(const sim_llm_fields *f)
{
    sim_llm_mixer m;

    memset(&m, 0, sizeof m);
    m.kind = SIM_MIXER_MLA;
    m.heads = m.kv_heads = f->heads;
    m.head_dim = f->nope_dim + f->rope_dim;
    m.v_head_dim = f->v_head_dim;
    m.nope_dim = f->nope_dim;
    m.rope_dim = f->rope_dim;
    m.q_lora = f->q_lora;
    m.kv_lora = f->kv_lora;
    m.o_bias = f->attention_bias;
    m.q_bias = m.kv_bias = f->attention_bias; /* of the projections to the latents */
    m.index_heads = f->index_heads;
    m.index_dim = f->index_dim;
    m.index_top_k = f->index_top_k;
    return m;
}

/* Dense in the first layers, then experts in every moe_step-th. */
static void build_mla(sim_llm_reader *r, sim_llm_fields *f, bool correction, sim_llm_model *model)
{
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_ffn dense = sim_llm_gated(f, f->ffn), experts = dense;
    sim_llm_mixer mixer = mla_of(f);

    sim_llm_like_llama(f, model);
    if (f->experts == 0 && f->top_k > 0)
        sim_llm_missing(r, "n_routed_experts");
    if (f->experts > 0) {
        if (f->top_k == 0)
            sim_llm_missing(r, "num_experts_per_tok");
        if (f->expert_width == 0)
            sim_llm_missing(r, "moe_intermediate_size");
        experts = sim_llm_experts(r, f, "num_experts_per_tok", "n_routed_experts");
        experts.shared_width = f->shared_experts * f->expert_width;
        experts.router_bias = correction;
    }
    for (int64_t i = 0; i < f->layers; i++) {
        bool routed = f->experts > 0 && i >= f->dense_first && i % f->moe_step == 0;

        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, &mixer),
                                    sim_llm_ffn_index(model, routed ? &experts : &dense)};
    }
}

static const sim_llm_field deepseek_v2_fields[] = {
    MLA_SIZES,
    SIM_LLM_MAYBE("first_k_dense_replace", dense_first),
    SIM_LLM_END,
};

static void build_deepseek_v2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    build_mla(r, f, false, model);
}

const sim_llm_family sim_llm_deepseek_v2 = {deepseek_v2_fields, build_deepseek_v2};

/* The router's scores are corrected by a learned bias, unless topk_method says otherwise. */
static void build_deepseek_v3(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *method = sim_llm_member(r, "topk_method");
    bool correction = !method || method->type != SIM_JSON_TEXT || strcmp(method->text, "noaux_tc") == 0;

    if (!sim_llm_member(r, "first_k_dense_replace"))
        f->dense_first = 3; /* of HF's class */
    build_mla(r, f, correction, model);
}

const sim_llm_family sim_llm_deepseek_v3 = {deepseek_v2_fields, build_deepseek_v3};

/* ---- deepseek_v32, glm_moe_dsa: an indexer chooses the keys that each query reads ---------------------- */

static const sim_llm_field deepseek_v32_fields[] = {
    MLA_SIZES,
    SIM_LLM_MAYBE("first_k_dense_replace", dense_first),
    SIM_LLM_REQUIRED("index_n_heads", index_heads),
    SIM_LLM_REQUIRED("index_head_dim", index_dim),
    SIM_LLM_REQUIRED("index_topk", index_top_k),
    SIM_LLM_END,
};

const sim_llm_family sim_llm_deepseek_v32 = {deepseek_v32_fields, build_deepseek_v3};

/* ---- deepseek_v4: one row per token for all heads, compressed beyond a window -------------------------- */

static const sim_llm_field deepseek_v4_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("head_dim", head_dim),
    SIM_LLM_REQUIRED("qk_rope_head_dim", rope_dim),
    SIM_LLM_REQUIRED("q_lora_rank", q_lora),
    SIM_LLM_REQUIRED("o_lora_rank", o_lora),
    SIM_LLM_REQUIRED("o_groups", o_groups),
    SIM_LLM_REQUIRED("sliding_window", window),
    SIM_LLM_REQUIRED("index_n_heads", index_heads),
    SIM_LLM_REQUIRED("index_head_dim", index_dim),
    SIM_LLM_REQUIRED("index_topk", index_top_k),
    SIM_LLM_REQUIRED("n_routed_experts", experts),
    SIM_LLM_REQUIRED("num_experts_per_tok", top_k),
    SIM_LLM_REQUIRED("moe_intermediate_size", expert_width),
    SIM_LLM_MAYBE("n_shared_experts", shared_experts),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("tie_word_embeddings", tied, false),
    SIM_LLM_ACT("hidden_act", SIM_OPS_SILU),
    SIM_LLM_MAYBE("num_nextn_predict_layers", draft_blocks),
    SIM_LLM_END,
};

/* Tokens per compressed row of each layer, 0: none; entries beyond the layers belong to drafting blocks. */
static const sim_json *ratio_list(sim_llm_reader *r, int64_t layers)
{
    const sim_json *list = sim_llm_member(r, "compress_ratios");

    if (!list)
        sim_llm_missing(r, "compress_ratios");
    else if (list->type != SIM_JSON_ARRAY || list->count < layers)
        sim_llm_wrong(r, "compress_ratios",
                      "'compress_ratios' must be a list with a number for each of the %" PRId64 " layers",
                      layers);
    else
        return list->child;
    return NULL;
}

/* Layers with small ratios let an indexer choose among their rows; those with large ones read all. */
static const int64_t indexed_ratio = 4;

static void build_deepseek_v4(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *ratio = ratio_list(r, f->layers);
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    sim_llm_like_llama(f, model);
    model->residual_streams = sim_llm_count(r, "hc_mult", 1);
    if (model->residual_streams <= 1)
        model->residual_streams = 0;
    model->mixing_rounds = sim_llm_count(r, "hc_sinkhorn_iters", 0);
    model->attn_norm_name = "attn_norm";
    model->ffn_norm_name = "ffn_norm";
    f->kv_heads = 1;
    f->o_bias = f->attention_bias;
    ffn = sim_llm_experts(r, f, "num_experts_per_tok", "n_routed_experts");
    ffn.shared_width = f->shared_experts * f->expert_width;
    ffn.router_bias = true;
    for (int64_t i = 0; ratio && i < f->layers; i++, ratio = ratio->next) {
        bool indexed = ratio->type == SIM_JSON_INT && ratio->integer == indexed_ratio;

        if (ratio->type != SIM_JSON_INT || ratio->integer < 0) {
            sim_llm_wrong(r, "compress_ratios", "'compress_ratios' must hold integers of at least 0");
            return;
        }
        mixer = sim_llm_gqa(f);
        mixer.kind = SIM_MIXER_COMPRESSED;
        mixer.q_lora = f->q_lora;
        mixer.o_lora = f->o_lora;
        mixer.o_groups = f->o_groups;
        mixer.compress_ratio = ratio->integer;
        mixer.index_heads = indexed ? f->index_heads : 0;
        mixer.index_dim = indexed ? f->index_dim : 0;
        mixer.index_top_k = indexed ? f->index_top_k : 0;
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, &mixer), sim_llm_ffn_index(model, &ffn)};
    }
}

const sim_llm_family sim_llm_deepseek_v4 = {deepseek_v4_fields, build_deepseek_v4};
