/* Mixtures of experts over grouped-query attention: Mixtral, Phi-3.5-MoE, Qwen MoE, MiniMax M2, gpt-oss,
 * Llama 4. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>

#define MOE_SIZES                                                                                            \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("num_attention_heads", heads), SIM_LLM_REQUIRED("vocab_size", vocab),               \
        SIM_LLM_REQUIRED("num_key_value_heads", kv_heads), SIM_LLM_OPTIONAL("head_dim", head_dim, 0),        \
        SIM_LLM_REQUIRED("num_experts_per_tok", top_k), SIM_LLM_FLAG("tie_word_embeddings", tied, false),    \
        SIM_LLM_ACT("hidden_act", SIM_OPS_SILU)

/* Attention as `f` has it, and the same experts in every layer. */
static void build_experts(sim_llm_reader *r, sim_llm_fields *f, const char *experts_key, sim_llm_model *model,
                          sim_llm_mixer *mixer, sim_llm_ffn *ffn)
{
    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    *mixer = sim_llm_gqa(f);
    *ffn = sim_llm_experts(r, f, "num_experts_per_tok", experts_key);
}

/* ---- mixtral -------------------------------------------------------------------------------------- */

static const sim_llm_field mixtral_fields[] = {
    MOE_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", expert_width),
    SIM_LLM_REQUIRED("num_local_experts", experts),
    SIM_LLM_OPTIONAL("sliding_window", window, 0),
    SIM_LLM_END,
};

static void build_mixtral(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    build_experts(r, f, "num_local_experts", model, &mixer, &ffn);
    sim_llm_uniform(model, &mixer, &ffn);
}

const sim_llm_family sim_llm_mixtral = {mixtral_fields, build_mixtral};

/* ---- phimoe: LayerNorms, biases in attention and head ---------------------------------------------- */

static const sim_llm_field phimoe_fields[] = {
    MOE_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", expert_width),
    SIM_LLM_REQUIRED("num_local_experts", experts),
    SIM_LLM_OPTIONAL("sliding_window", window, 0),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("lm_head_bias", head_bias, false),
    SIM_LLM_END,
};

static void build_phimoe(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    f->o_bias = f->attention_bias;
    build_mixtral(r, f, model);
    sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "norm");
}

const sim_llm_family sim_llm_phimoe = {phimoe_fields, build_phimoe};

/* ---- minimax_m2: norms over all heads of queries and of keys, biased routing ------------------------- */

static const sim_llm_field minimax_m2_fields[] = {
    MOE_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", expert_width),
    SIM_LLM_REQUIRED("num_local_experts", experts),
    SIM_LLM_MAYBE("shared_intermediate_size", shared_width),
    SIM_LLM_OPTIONAL("rotary_dim", rope_dim, 0),
    SIM_LLM_MAYBE("num_mtp_modules", draft_blocks),
    SIM_LLM_END,
};

static void build_minimax_m2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    build_experts(r, f, "num_local_experts", model, &mixer, &ffn);
    if (sim_llm_flag(r, "use_qk_norm", true)) {
        mixer.q_norm_params = f->heads * f->head_dim;
        mixer.k_norm_params = f->kv_heads * f->head_dim;
        mixer.qk_norm_ops = SIM_OPS_RMS_NORM;
    }
    ffn.router_bias = sim_llm_flag(r, "use_routing_bias", true);
    ffn.shared_width = f->shared_width;
    sim_llm_uniform(model, &mixer, &ffn);
}

const sim_llm_family sim_llm_minimax_m2 = {minimax_m2_fields, build_minimax_m2};

/* ---- qwen2_moe, qwen3_moe: experts in every moe_step-th layer, dense FFNs elsewhere ------------------ */

#define QWEN_MOE_SIZES                                                                                       \
    MOE_SIZES, SIM_LLM_REQUIRED("moe_intermediate_size", expert_width),                                      \
        SIM_LLM_OPTIONAL("intermediate_size", ffn, 0), SIM_LLM_OPTIONAL("decoder_sparse_step", moe_step, 1), \
        SIM_LLM_REQUIRED("num_experts", experts)

/* mlp_only_layers lists indices. */
static bool is_listed(const sim_json *list, int64_t index)
{
    for (const sim_json *item = list ? list->child : NULL; item; item = item->next)
        if (item->type == SIM_JSON_INT && item->integer == index)
            return true;
    return false;
}

static void spread_experts(sim_llm_reader *r, const sim_llm_fields *f, const sim_llm_mixer *mixer,
                           const sim_llm_ffn *experts, sim_llm_model *model)
{
    const sim_json *dense_layers = sim_llm_member(r, "mlp_only_layers");
    sim_llm_ffn dense = sim_llm_gated(f, f->ffn);
    sim_llm_block *blocks = sim_llm_blocks(model);
    bool any = false;

    if (dense_layers && dense_layers->type != SIM_JSON_ARRAY)
        sim_llm_wrong(r, "mlp_only_layers", "'mlp_only_layers' must be a list of layers");
    for (int64_t i = 0; i < f->layers; i++) {
        bool plain = (i + 1) % f->moe_step != 0 || is_listed(dense_layers, i);

        any |= plain;
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, mixer),
                                    sim_llm_ffn_index(model, plain ? &dense : experts)};
    }
    if (any && f->ffn == 0)
        sim_llm_missing(r, "intermediate_size");
}

static const sim_llm_field qwen2_moe_fields[] = {
    QWEN_MOE_SIZES,
    SIM_LLM_REQUIRED("shared_expert_intermediate_size", shared_width),
    SIM_LLM_END,
};

static void build_qwen2_moe(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->attention_bias = true;
    build_experts(r, f, "num_experts", model, &mixer, &ffn);
    ffn.shared_width = f->shared_width;
    ffn.shared_gate = true;
    ffn.shared_name = "shared_expert";
    spread_experts(r, f, &mixer, &ffn, model);
}

const sim_llm_family sim_llm_qwen2_moe = {qwen2_moe_fields, build_qwen2_moe};

static const sim_llm_field qwen3_moe_fields[] = {
    QWEN_MOE_SIZES,
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_END,
};

static void build_qwen3_moe(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->qk_norm = true;
    f->o_bias = f->attention_bias;
    build_experts(r, f, "num_experts", model, &mixer, &ffn);
    spread_experts(r, f, &mixer, &ffn, model);
}

const sim_llm_family sim_llm_qwen3_moe = {qwen3_moe_fields, build_qwen3_moe};

/* ---- gpt_oss: biases everywhere, learned sinks, every other layer through a window -------------------- */

static const sim_llm_field gpt_oss_fields[] = {
    MOE_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", expert_width),
    SIM_LLM_REQUIRED("num_local_experts", experts),
    SIM_LLM_REQUIRED("sliding_window", window),
    SIM_LLM_FLAG("attention_bias", attention_bias, true),
    SIM_LLM_END,
};

static void build_gpt_oss(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const bool *slides = sim_llm_sliding(r, f, 2);
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer near, far;
    sim_llm_ffn ffn;

    f->o_bias = f->attention_bias;
    f->ffn_bias = true;
    build_experts(r, f, "num_local_experts", model, &near, &ffn);
    near.sink_params = f->heads;
    far = near;
    far.window = 0;
    ffn.router_bias = true;
    for (int64_t i = 0; slides && i < f->layers; i++)
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, slides[i] ? &near : &far),
                                    sim_llm_ffn_index(model, &ffn)};
}

const sim_llm_family sim_llm_gpt_oss = {gpt_oss_fields, build_gpt_oss};

/* ---- llama4: chunked attention with rotation, every fourth layer global without; a shared expert --------
 */

static const sim_llm_field llama4_fields[] = {
    MOE_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", expert_width),
    SIM_LLM_REQUIRED("intermediate_size_mlp", ffn),
    SIM_LLM_REQUIRED("num_local_experts", experts),
    SIM_LLM_OPTIONAL("interleave_moe_layer_step", moe_step, 1),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_END,
};

/* no_rope_layers has a 1 for each layer that rotates; absent or empty: all but every fourth do. */
static bool rotates(const sim_json *list, int64_t interval, int64_t layer)
{
    const sim_json *item = list && list->type == SIM_JSON_ARRAY ? list->child : NULL;

    if (!item)
        return interval == 0 || (layer + 1) % interval != 0;
    for (int64_t i = 0; item && i < layer; i++)
        item = item->next;
    return item && item->type == SIM_JSON_INT && item->integer != 0;
}

static void build_llama4(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *no_rope = sim_llm_member(r, "no_rope_layers");
    int64_t interval = sim_llm_count(r, "no_rope_layer_interval", 4);
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer near, far;
    sim_llm_ffn experts, dense;

    f->o_bias = f->attention_bias;
    build_experts(r, f, "num_local_experts", model, &near, &experts);
    dense = sim_llm_gated(f, f->ffn);
    experts.shared_width = f->expert_width;
    experts.shared_name = "shared_expert";
    far = near;
    far.rope_dim = 0;
    near.chunk = sim_llm_count(r, "attention_chunk_size", 8192);
    if (sim_llm_flag(r, "use_qk_norm", true))
        near.qk_norm_ops = SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY; /* without weights, where heads are rotated */
    for (int64_t i = 0; i < f->layers; i++)
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, rotates(no_rope, interval, i) ? &near : &far),
                                    sim_llm_ffn_index(model, (i + 1) % f->moe_step == 0 ? &experts : &dense)};
}

const sim_llm_family sim_llm_llama4 = {llama4_fields, build_llama4};
