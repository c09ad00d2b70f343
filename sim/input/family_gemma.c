/* Gemma 1 to 4: wide heads, GELU, scaled embeddings, tied. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>

#define GEMMA_SIZES                                                                                          \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("intermediate_size", ffn), SIM_LLM_OPTIONAL("head_dim", head_dim, 256),             \
        SIM_LLM_FLAG("tie_word_embeddings", tied, true),                                                     \
        SIM_LLM_FLAG("attention_bias", attention_bias, false)

static const sim_llm_field gemma_fields[] = {
    GEMMA_SIZES,
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_END,
};

/* hidden_activation says what is used; the older hidden_act is kept in files but ignored by HF. */
static void gemma_activation(sim_llm_reader *r, sim_llm_fields *f)
{
    f->act_ops = sim_llm_activation(r, "hidden_activation", SIM_OPS_GELU_TANH);
    f->o_bias = f->attention_bias;
}

static void build_gemma(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    gemma_activation(r, f);
    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    model->embed_scale = true;
    mixer = sim_llm_gqa(f);
    ffn = sim_llm_gated(f, f->ffn);
    sim_llm_uniform(model, &mixer, &ffn);
}

const sim_llm_family sim_llm_gemma = {gemma_fields, build_gemma};

/* Gemma 2 and 3: norms on both sides, windows in most layers. */
static void gemma_sandwich(const sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_like_llama(f, model);
    model->norms = SIM_NORMS_SANDWICH;
    model->attn_post_norm_name = "post_attention_layernorm";
    model->ffn_norm_name = "pre_feedforward_layernorm";
    model->ffn_post_norm_name = "post_feedforward_layernorm";
    model->embed_scale = true;
}

static const sim_llm_field gemma2_fields[] = {
    GEMMA_SIZES,
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_OPTIONAL("sliding_window", window, 4096),
    SIM_LLM_END,
};

static void build_gemma2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    gemma_activation(r, f);
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    model->logit_softcap =
        sim_llm_member(r, "final_logit_softcapping") || !sim_json_get(r->config, "final_logit_softcapping");
    f->soft_cap =
        sim_llm_member(r, "attn_logit_softcapping") || !sim_json_get(r->config, "attn_logit_softcapping");
    sim_llm_slide(f, sim_llm_sliding(r, f, 2), model); /* every second layer sees all */
}

const sim_llm_family sim_llm_gemma2 = {gemma2_fields, build_gemma2};

/* The published configs of the multimodal sizes leave heads and vocabulary to HF's class. */
static const sim_llm_field gemma3_fields[] = {
    GEMMA_SIZES,
    SIM_LLM_OPTIONAL("num_attention_heads", heads, 8),
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 4),
    SIM_LLM_OPTIONAL("vocab_size", vocab, 262208),
    SIM_LLM_OPTIONAL("sliding_window", window, 4096),
    SIM_LLM_END,
};

static void build_gemma3(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    int64_t pattern = sim_llm_count(r, "sliding_window_pattern", 6);

    gemma_activation(r, f);
    f->qk_norm = true;
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    sim_llm_slide(f, sim_llm_sliding(r, f, pattern), model);
}

const sim_llm_family sim_llm_gemma3 = {gemma3_fields, build_gemma3};

/* Gemma 4: global layers with wider heads, fewer of them for keys, and values that are the keys; in the
 * larger ones experts beside the dense FFN. */
static const sim_llm_field gemma4_fields[] = {
    GEMMA_SIZES,
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("sliding_window", window),
    SIM_LLM_MAYBE("num_experts", experts),
    SIM_LLM_MAYBE("top_k_experts", top_k),
    SIM_LLM_MAYBE("moe_intermediate_size", expert_width),
    SIM_LLM_END,
};

static sim_llm_ffn gemma4_ffn(sim_llm_reader *r, const sim_llm_fields *f)
{
    sim_llm_ffn ffn = sim_llm_gated(f, f->ffn);

    if (!sim_llm_flag(r, "enable_moe_block", false))
        return ffn;
    if (f->experts == 0)
        sim_llm_missing(r, "num_experts");
    if (f->top_k == 0)
        sim_llm_missing(r, "top_k_experts");
    if (f->expert_width == 0)
        sim_llm_missing(r, "moe_intermediate_size");
    ffn = sim_llm_experts(r, f, "top_k_experts", "num_experts");
    ffn.width = f->ffn;
    ffn.router_scale_params = f->hidden + f->experts;
    ffn.dense_norm_name = "post_feedforward_layernorm_1";
    ffn.experts_norm_name = "pre_feedforward_layernorm_2";
    ffn.experts_post_norm_name = "post_feedforward_layernorm_2";
    return ffn;
}

static void build_gemma4(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    int64_t wide = sim_llm_count(r, "global_head_dim", 512);
    bool k_is_v = sim_llm_flag(r, "attention_k_eq_v", false);
    int64_t few = k_is_v ? sim_llm_count(r, "num_global_key_value_heads", 0) : 0;
    int64_t sharing = sim_llm_count(r, "num_kv_shared_layers", 0);
    const bool *slides = sim_llm_sliding(r, f, 6);
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer near, far;
    sim_llm_ffn ffn;

    gemma_activation(r, f);
    f->qk_norm = true;
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    model->logit_softcap = sim_llm_member(r, "final_logit_softcapping");
    model->block_embed_width = sim_llm_count(r, "hidden_size_per_layer_input", 0);
    if (model->block_embed_width > 0)
        model->block_embed_rows = sim_llm_count(r, "vocab_size_per_layer_input", f->vocab);
    near = sim_llm_gqa(f);
    near.v_norm = true;
    f->head_dim = wide;
    f->rope_dim = wide / 4; /* partial_rotary_factor of the global layers */
    f->window = 0;
    if (few > 0)
        f->kv_heads = few;
    if (f->heads % f->kv_heads != 0)
        sim_llm_wrong(r, "num_global_key_value_heads",
                      "'num_attention_heads' (%" PRId64
                      ") is not a multiple of 'num_global_key_value_heads' (%" PRId64 ")",
                      f->heads, f->kv_heads);
    far = sim_llm_gqa(f);
    far.v_norm = true;
    far.k_is_v = k_is_v;
    ffn = gemma4_ffn(r, f);
    for (int64_t i = 0; slides && i < f->layers; i++) {
        sim_llm_mixer mixer = slides[i] ? near : far;

        mixer.shares_kv = i >= f->layers - sharing;
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, &mixer), sim_llm_ffn_index(model, &ffn)};
    }
}

const sim_llm_family sim_llm_gemma4 = {gemma4_fields, build_gemma4};
