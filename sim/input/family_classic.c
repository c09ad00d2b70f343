/* Models with LayerNorms and ungated FFNs: OPT, GPT-2 (and GPT-3, Megatron), GPT-NeoX, BLOOM, Falcon,
 * StarCoder2, ChatGLM. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>

/* Everything on: one mixer, one FFN, LayerNorms under these names in front. */
static void build_classic(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model, sim_llm_mixer *mixer)
{
    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    model->position_rows = f->positions;
    *mixer = sim_llm_gqa(f);
}

/* ---- opt ------------------------------------------------------------------------------------------ */

static const sim_llm_field opt_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("ffn_dim", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("max_position_embeddings", positions),
    SIM_LLM_OPTIONAL("word_embed_proj_dim", embed_width, 0),
    SIM_LLM_FLAG("enable_bias", attention_bias, true),
    SIM_LLM_FLAG("tie_word_embeddings", tied, true),
    SIM_LLM_ACT("activation_function", SIM_OPS_RELU),
    SIM_LLM_END,
};

static void build_opt(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    bool affine = sim_llm_flag(r, "layer_norm_elementwise_affine", true);
    bool before = sim_llm_flag(r, "do_layer_norm_before", true);
    /* HF writes this one for checkpoints made before the last norm was added to its model. */
    bool no_final_norm = sim_llm_flag(r, "_remove_final_layer_norm", false);
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->positions += 2; /* the table keeps two rows before position 0 */
    f->o_bias = f->ffn_bias = f->attention_bias;
    build_classic(r, f, model, &mixer);
    mixer.rope_dim = 0;
    ffn = sim_llm_plain(f, "fc1", "fc2");
    sim_llm_uniform(model, &mixer, &ffn);
    sim_llm_layer_norms(model, "self_attn_layer_norm", "final_layer_norm", "final_layer_norm");
    model->norms = before ? SIM_NORMS_PRE : SIM_NORMS_POST;
    model->final_norm = before && !no_final_norm;
    if (!affine) {
        model->norm_params = 0;
        model->norm_ops = SIM_OPS_LAYER_NORM - 2;
    }
    if (f->embed_width > 0)
        model->embed_width = f->embed_width;
}

const sim_llm_family sim_llm_opt = {opt_fields, build_opt};

/* ---- gpt2, and GPT-3 and Megatron models in its fields ------------------------------------------------ */

static const sim_llm_field gpt2_fields[] = {
    SIM_LLM_DEPTH("n_layer"),
    SIM_LLM_REQUIRED("n_embd", hidden),
    SIM_LLM_REQUIRED("n_head", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("n_positions", positions),
    SIM_LLM_OPTIONAL("n_inner", ffn, 0), /* null: 4 x n_embd */
    SIM_LLM_FLAG("tie_word_embeddings", tied, true),
    SIM_LLM_ACT("activation_function", SIM_OPS_GELU_TANH),
    SIM_LLM_END,
};

static void build_gpt2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    if (f->ffn == 0)
        f->ffn = 4 * f->hidden;
    f->attention_bias = f->o_bias = f->ffn_bias = true;
    build_classic(r, f, model, &mixer);
    mixer.rope_dim = 0;
    ffn = sim_llm_plain(f, "c_fc", "c_proj");
    sim_llm_uniform(model, &mixer, &ffn);
    sim_llm_layer_norms(model, "ln_1", "ln_2", "ln_f");
}

const sim_llm_family sim_llm_gpt2 = {gpt2_fields, build_gpt2};

/* ---- gpt_neox: both halves side by side, a norm for each ---------------------------------------------- */

static const sim_llm_field gpt_neox_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_FLAG("attention_bias", attention_bias, true),
    SIM_LLM_FLAG("tie_word_embeddings", tied, false),
    SIM_LLM_ACT("hidden_act", SIM_OPS_GELU),
    SIM_LLM_END,
};

static void build_gpt_neox(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->o_bias = f->attention_bias;
    f->ffn_bias = true;
    build_classic(r, f, model, &mixer);
    mixer.rope_dim = f->head_dim / 4; /* rotary_pct of all published ones */
    ffn = sim_llm_plain(f, "dense_h_to_4h", "dense_4h_to_h");
    sim_llm_uniform(model, &mixer, &ffn);
    sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "final_layer_norm");
    if (sim_llm_flag(r, "use_parallel_residual", true))
        model->norms = SIM_NORMS_PARALLEL2;
}

const sim_llm_family sim_llm_gpt_neox = {gpt_neox_fields, build_gpt_neox};

/* ---- bloom: ALiBi instead of positions ----------------------------------------------------------------- */

static const sim_llm_field bloom_fields[] = {
    SIM_LLM_DEPTH_EITHER("n_layer", "num_hidden_layers"),   SIM_LLM_EITHER("hidden_size", "n_embed", hidden),
    SIM_LLM_EITHER("n_head", "num_attention_heads", heads), SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_FLAG("tie_word_embeddings", tied, true),        SIM_LLM_END,
};

static void build_bloom(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->ffn = 4 * f->hidden;
    f->attention_bias = f->o_bias = f->ffn_bias = true;
    f->act_ops = SIM_OPS_GELU_TANH;
    build_classic(r, f, model, &mixer);
    mixer.rope_dim = 0;
    mixer.score_ops = SIM_OPS_ALIBI;
    ffn = sim_llm_plain(f, "dense_h_to_4h", "dense_4h_to_h");
    sim_llm_uniform(model, &mixer, &ffn);
    sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "ln_f");
    model->embed_norm = true;
}

const sim_llm_family sim_llm_bloom = {bloom_fields, build_bloom};

/* ---- falcon: one KV head or few, both halves side by side -------------------------------------------------
 */

static const sim_llm_field falcon_fields[] = {
    SIM_LLM_DEPTH_EITHER("num_hidden_layers", "n_layer"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_EITHER("num_attention_heads", "n_head", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_OPTIONAL("num_kv_heads", kv_heads, 0),
    SIM_LLM_OPTIONAL("ffn_hidden_size", ffn, 0),
    SIM_LLM_FLAG("bias", attention_bias, false),
    SIM_LLM_FLAG("tie_word_embeddings", tied, true),
    SIM_LLM_END,
};

static void build_falcon(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    bool new_blocks = sim_llm_flag(r, "new_decoder_architecture", false);
    bool parallel = new_blocks || sim_llm_flag(r, "parallel_attn", true);
    bool alibi = sim_llm_flag(r, "alibi", false);
    int64_t norms = sim_llm_count(r, "num_ln_in_parallel_attn", 2);
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    if (f->ffn == 0)
        f->ffn = 4 * f->hidden;
    /* Only the new blocks have KV heads of their own number. */
    if (!new_blocks)
        f->kv_heads = sim_llm_flag(r, "multi_query", true) ? 1 : f->heads;
    f->o_bias = f->ffn_bias = f->attention_bias;
    f->act_ops = sim_llm_activation(r, "activation", SIM_OPS_GELU);
    build_classic(r, f, model, &mixer);
    if (alibi) {
        mixer.rope_dim = 0;
        mixer.score_ops = SIM_OPS_ALIBI;
    }
    ffn = sim_llm_plain(f, "dense_h_to_4h", "dense_4h_to_h");
    sim_llm_uniform(model, &mixer, &ffn);
    if (new_blocks && norms == 2) {
        sim_llm_layer_norms(model, "ln_attn", "ln_mlp", "ln_f");
        model->norms = SIM_NORMS_PARALLEL2;
    } else {
        sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "ln_f");
        model->norms = parallel ? SIM_NORMS_PARALLEL : SIM_NORMS_PRE;
    }
}

const sim_llm_family sim_llm_falcon = {falcon_fields, build_falcon};

/* ---- starcoder2 ------------------------------------------------------------------------------------------
 */

static const sim_llm_field starcoder2_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_OPTIONAL("sliding_window", window, 0),
    SIM_LLM_FLAG("use_bias", attention_bias, true),
    SIM_LLM_FLAG("tie_word_embeddings", tied, true),
    SIM_LLM_ACT("hidden_act", SIM_OPS_GELU_TANH),
    SIM_LLM_END,
};

static void build_starcoder2(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    f->o_bias = f->ffn_bias = f->attention_bias;
    build_classic(r, f, model, &mixer);
    ffn = sim_llm_plain(f, "c_fc", "c_proj");
    sim_llm_uniform(model, &mixer, &ffn);
    sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "norm");
}

const sim_llm_family sim_llm_starcoder2 = {starcoder2_fields, build_starcoder2};

/* ---- chatglm: GLM-130B (LayerNorm, biases) and ChatGLM 2, 3 (RMSNorm)
 * --------------------------------------- */

static const sim_llm_field chatglm_fields[] = {
    SIM_LLM_DEPTH_EITHER("num_layers", "num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("ffn_hidden_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_EITHER("padded_vocab_size", "vocab_size", vocab),
    SIM_LLM_OPTIONAL("kv_channels", head_dim, 0),
    SIM_LLM_OPTIONAL("multi_query_group_num", kv_heads, 0),
    SIM_LLM_FLAG("add_qkv_bias", attention_bias, false),
    SIM_LLM_FLAG("add_bias_linear", o_bias, false),
    SIM_LLM_FLAG("tie_word_embeddings", tied, false),
    SIM_LLM_END,
};

static void build_chatglm(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    bool rms = sim_llm_flag(r, "rmsnorm", true);
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    if (!sim_llm_flag(r, "multi_query_attention", f->kv_heads > 0))
        f->kv_heads = f->heads;
    f->attention_bias = f->attention_bias || f->o_bias;
    f->ffn_bias = f->o_bias;
    f->act_ops = SIM_OPS_SILU;
    build_classic(r, f, model, &mixer);
    mixer.rope_dim = f->head_dim / 2;
    ffn = sim_llm_gated(f, f->ffn);
    sim_llm_uniform(model, &mixer, &ffn);
    if (!rms)
        sim_llm_layer_norms(model, "input_layernorm", "post_attention_layernorm", "final_layernorm");
    else
        model->final_norm_name = "final_layernorm";
    if (sim_llm_flag(r, "apply_residual_connection_post_layernorm", false))
        model->norms = SIM_NORMS_POST;
}

const sim_llm_family sim_llm_chatglm = {chatglm_fields, build_chatglm};
