/* Llama and its dense kin: grouped-query attention with rotary positions, a gated FFN, RMSNorms in front. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <string.h>

#define DENSE_SIZES                                                                                          \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("intermediate_size", ffn), SIM_LLM_REQUIRED("num_attention_heads", heads),          \
        SIM_LLM_REQUIRED("vocab_size", vocab), SIM_LLM_OPTIONAL("head_dim", head_dim, 0),                    \
        SIM_LLM_FLAG("tie_word_embeddings", tied, false), SIM_LLM_ACT("hidden_act", SIM_OPS_SILU)

/* ---- llama: Llama 1 to 3 and what is built like them --------------------------------------------- */

static const sim_llm_field llama_fields[] = {
    DENSE_SIZES,
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 0),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("mlp_bias", ffn_bias, false),
    SIM_LLM_END,
};

static void build_llama(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    sim_llm_finish_heads(r, f);
    f->o_bias = f->attention_bias; /* covers all four projections; mlp_bias all three of the FFN */
    sim_llm_like_llama(f, model);
    mixer = sim_llm_gqa(f);
    ffn = sim_llm_gated(f, f->ffn);
    sim_llm_uniform(model, &mixer, &ffn);
}

const sim_llm_family sim_llm_llama = {llama_fields, build_llama};

/* ---- mistral: llama without biases, with a sliding window ----------------------------------------- */

static const sim_llm_field mistral_fields[] = {
    DENSE_SIZES,
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads), /* HF assumes 8; all published configs state it */
    SIM_LLM_OPTIONAL("sliding_window", window, 0),     /* null: none */
    SIM_LLM_END,
};

static void build_mistral(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    /* HF assumes 4096 for a config that does not mention it, and no window only for an explicit null. */
    if (!sim_json_get(r->config, "sliding_window"))
        f->window = 4096;
    build_llama(r, f, model);
    if (sim_llm_member(r, "layer_types"))
        sim_llm_slide(f, sim_llm_sliding(r, f, 0), model);
}

const sim_llm_family sim_llm_mistral = {mistral_fields, build_mistral};

/* ---- phi3: llama with one matrix for q, k, v and one for gate and up (written out apart here) -------- */

static const sim_llm_field phi3_fields[] = {
    DENSE_SIZES,
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 0),
    SIM_LLM_OPTIONAL("sliding_window", window, 0),
    SIM_LLM_END,
};

const sim_llm_family sim_llm_phi3 = {phi3_fields, build_llama};

/* ---- granite: llama with scaled embeddings and logits -------------------------------------------- */

static const sim_llm_field granite_fields[] = {
    DENSE_SIZES,
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 0),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("mlp_bias", ffn_bias, false),
    SIM_LLM_END,
};

static void build_granite(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    build_llama(r, f, model);
    model->embed_scale = true;
}

const sim_llm_family sim_llm_granite = {granite_fields, build_granite};

/* ---- glm, glm4: partly rotated heads; glm4 with norms on both sides --------------------------------- */

static const sim_llm_field glm_fields[] = {
    DENSE_SIZES,
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_END,
};

static void build_glm(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    sim_llm_finish_heads(r, f);
    f->rope_dim = f->head_dim / 2; /* partial_rotary_factor of all of them */
    sim_llm_like_llama(f, model);
    mixer = sim_llm_gqa(f);
    ffn = sim_llm_gated(f, f->ffn);
    sim_llm_uniform(model, &mixer, &ffn);
}

static void build_glm4(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    build_glm(r, f, model);
    model->norms = SIM_NORMS_SANDWICH;
    model->attn_post_norm_name = "post_self_attn_layernorm";
    model->ffn_post_norm_name = "post_mlp_layernorm";
}

const sim_llm_family sim_llm_glm = {glm_fields, build_glm};
const sim_llm_family sim_llm_glm4 = {glm_fields, build_glm4};

/* ---- qwen2, qwen3 --------------------------------------------------------------------------------- */

static const sim_llm_field qwen2_fields[] = {
    DENSE_SIZES,
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 32),
    SIM_LLM_OPTIONAL("sliding_window", window, 4096),
    SIM_LLM_END,
};

/* Windows only where use_sliding_window is set, and only from layer max_window_layers on. */
static void build_qwen(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    int64_t whole = sim_llm_count(r, "max_window_layers", 28);
    bool *slides;

    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    if (!sim_llm_flag(r, "use_sliding_window", false))
        f->window = 0;
    slides = sim_llm_sliding(r, f, 0);
    if (slides && f->window > 0 && !sim_llm_member(r, "layer_types"))
        for (int64_t i = whole; i < f->layers; i++)
            slides[i] = true;
    sim_llm_slide(f, slides, model);
}

static void build_qwen2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    f->attention_bias = true; /* on q, k and v alone */
    build_qwen(r, f, model);
}

const sim_llm_family sim_llm_qwen2 = {qwen2_fields, build_qwen2};

static const sim_llm_field qwen3_fields[] = {
    DENSE_SIZES,
    SIM_LLM_OPTIONAL("num_key_value_heads", kv_heads, 32),
    SIM_LLM_OPTIONAL("sliding_window", window, 4096),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_END,
};

static void build_qwen3(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    if (f->head_dim == 0)
        f->head_dim = 128;
    f->o_bias = f->attention_bias;
    f->qk_norm = true;
    build_qwen(r, f, model);
}

const sim_llm_family sim_llm_qwen3 = {qwen3_fields, build_qwen3};
