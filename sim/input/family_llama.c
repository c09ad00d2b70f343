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

static bool *slides_of(sim_llm_reader *r, const sim_llm_fields *f)
{
    bool *slides = sim_arena_alloc(r->arena, (size_t)f->layers, sizeof *slides);

    if (!slides)
        r->status = sim_fail(r->err, SIM_NO_MEMORY, r->file, r->config->line, "out of memory for the model");
    return slides;
}

/* One FFN; attention with and without the window. */
static void build_sliding(const sim_llm_fields *f, const bool *slides, sim_llm_model *model)
{
    sim_llm_mixer near = sim_llm_gqa(f), far = near;
    sim_llm_ffn ffn = sim_llm_gated(f, f->ffn);
    sim_llm_block *blocks = sim_llm_blocks(model);

    far.window = 0;
    for (int64_t i = 0; i < f->layers; i++)
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, slides[i] ? &near : &far),
                                    sim_llm_ffn_index(model, &ffn)};
}

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
    if (sim_llm_member(r, "layer_types")) {
        bool *slides = slides_of(r, f);

        sim_llm_finish_heads(r, f);
        sim_llm_like_llama(f, model);
        if (slides) {
            sim_llm_sliding(r, f, 0, slides);
            build_sliding(f, slides, model);
        }
        return;
    }
    build_llama(r, f, model);
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
    bool *slides = slides_of(r, f);

    if (!slides)
        return;
    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    if (!sim_llm_flag(r, "use_sliding_window", false))
        f->window = 0;
    if (f->window > 0)
        sim_llm_sliding(r, f, 0, slides);
    if (f->window > 0 && !sim_llm_member(r, "layer_types"))
        for (int64_t i = whole; i < f->layers; i++)
            slides[i] = true;
    build_sliding(f, slides, model);
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

/* ---- gemma: wide heads, GELU, scaled embeddings, tied ------------------------------------------------ */

#define GEMMA_SIZES                                                                                          \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("intermediate_size", ffn), SIM_LLM_OPTIONAL("head_dim", head_dim, 256),             \
        SIM_LLM_FLAG("tie_word_embeddings", tied, true), SIM_LLM_FLAG("attention_bias", attention_bias, false)

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
    gemma_activation(r, f);
    build_llama(r, f, model);
    model->embed_scale = true;
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
    bool *slides = slides_of(r, f);

    if (!slides)
        return;
    gemma_activation(r, f);
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    model->logit_softcap = true;
    sim_llm_sliding(r, f, 2, slides); /* every second layer sees all */
    build_sliding(f, slides, model);
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
    bool *slides = slides_of(r, f);

    if (!slides)
        return;
    gemma_activation(r, f);
    f->qk_norm = true;
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    sim_llm_sliding(r, f, pattern, slides);
    build_sliding(f, slides, model);
}

const sim_llm_family sim_llm_gemma3 = {gemma3_fields, build_gemma3};

/* Gemma 4: global layers with wider heads, fewer of them for keys, and values that are the keys; in the larger
 * ones experts beside the dense FFN. */
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

static void build_gemma4(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    int64_t wide = sim_llm_count(r, "global_head_dim", 0);
    int64_t few = sim_llm_count(r, "num_global_key_value_heads", 0);
    sim_llm_block *blocks = sim_llm_blocks(model);
    bool *slides = slides_of(r, f);
    sim_llm_mixer near, far;
    sim_llm_ffn ffn;

    if (!slides)
        return;
    gemma_activation(r, f);
    f->qk_norm = true;
    sim_llm_finish_heads(r, f);
    gemma_sandwich(f, model);
    near = sim_llm_gqa(f);
    if (wide > 0)
        f->head_dim = wide;
    if (few > 0 && sim_llm_flag(r, "attention_k_eq_v", false))
        f->kv_heads = few;
    f->window = 0;
    far = sim_llm_gqa(f);
    far.k_is_v = sim_llm_flag(r, "attention_k_eq_v", false);
    if (f->heads % f->kv_heads != 0)
        sim_llm_wrong(r, "num_global_key_value_heads",
                      "'num_attention_heads' (%" PRId64
                      ") is not a multiple of 'num_global_key_value_heads' (%" PRId64 ")",
                      f->heads, f->kv_heads);
    if (sim_llm_flag(r, "enable_moe_block", false)) {
        if (f->experts == 0)
            sim_llm_missing(r, "num_experts");
        if (f->top_k == 0)
            sim_llm_missing(r, "top_k_experts");
        if (f->expert_width == 0)
            sim_llm_missing(r, "moe_intermediate_size");
        ffn = sim_llm_experts(r, f, "top_k_experts", "num_experts");
        ffn.width = f->ffn;
    } else {
        ffn = sim_llm_gated(f, f->ffn);
    }
    sim_llm_sliding(r, f, 6, slides);
    for (int64_t i = 0; i < f->layers; i++)
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, slides[i] ? &near : &far),
                                    sim_llm_ffn_index(model, &ffn)};
}

const sim_llm_family sim_llm_gemma4 = {gemma4_fields, build_gemma4};
