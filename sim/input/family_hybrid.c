/* Models whose layers differ in kind: Qwen3-Next and Qwen3.5 (gated delta rule between attention layers),
 * Nemotron-H (Mamba 2, attention, FFN), Nemotron NAS (Llama blocks, pruned one by one). */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <string.h>

/* ---- qwen3_next, qwen3_5 ---------------------------------------------------------------------------- */

#define HYBRID_SIZES                                                                                         \
    SIM_LLM_DEPTH("num_hidden_layers"), SIM_LLM_REQUIRED("hidden_size", hidden),                             \
        SIM_LLM_REQUIRED("num_attention_heads", heads), SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),   \
        SIM_LLM_REQUIRED("vocab_size", vocab), SIM_LLM_OPTIONAL("head_dim", head_dim, 256),                  \
        SIM_LLM_REQUIRED("linear_num_key_heads", key_heads),                                                 \
        SIM_LLM_REQUIRED("linear_key_head_dim", key_dim),                                                    \
        SIM_LLM_REQUIRED("linear_num_value_heads", value_heads),                                             \
        SIM_LLM_REQUIRED("linear_value_head_dim", value_dim),                                                \
        SIM_LLM_REQUIRED("linear_conv_kernel_dim", conv_kernel),                                             \
        SIM_LLM_FLAG("attention_bias", attention_bias, false),                                               \
        SIM_LLM_FLAG("tie_word_embeddings", tied, false), SIM_LLM_ACT("hidden_act", SIM_OPS_SILU),           \
        SIM_LLM_MAYBE("mtp_num_hidden_layers", draft_blocks)

static sim_llm_mixer delta_of(const sim_llm_fields *f)
{
    sim_llm_mixer m;

    memset(&m, 0, sizeof m);
    m.kind = SIM_MIXER_DELTA;
    m.key_heads = f->key_heads;
    m.key_dim = f->key_dim;
    m.value_heads = f->value_heads;
    m.value_dim = f->value_dim;
    m.conv_kernel = f->conv_kernel;
    return m;
}

/* Full attention every full_attention_interval-th layer, or where layer_types says so. */
static void build_delta(sim_llm_reader *r, sim_llm_fields *f, const sim_llm_ffn *ffn, sim_llm_model *model)
{
    static const char *const words[] = {"full_attention", "linear_attention", NULL};
    int64_t interval = sim_llm_count(r, "full_attention_interval", 4);
    int *kinds = sim_arena_alloc(r->arena, (size_t)f->layers, sizeof *kinds);
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer full = sim_llm_gqa(f), delta = delta_of(f);
    bool listed;

    if (!kinds) {
        r->status = sim_fail(r->err, SIM_NO_MEMORY, r->file, r->config->line, "out of memory for the model");
        return;
    }
    full.output_gate = sim_llm_flag(r, "attn_output_gate", true);
    listed = sim_llm_words(r, "layer_types", f->layers, words, kinds);
    for (int64_t i = 0; i < f->layers; i++) {
        bool linear = listed ? kinds[i] == 1 : interval == 0 || (i + 1) % interval != 0;

        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, linear ? &delta : &full),
                                    sim_llm_ffn_index(model, ffn)};
    }
}

static void prepare(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *rope = sim_llm_member(r, "rope_parameters");
    const sim_json *part = rope ? sim_json_get(rope, "partial_rotary_factor") : NULL;

    if (!part)
        part = sim_llm_member(r, "partial_rotary_factor");
    f->qk_norm = true;
    f->o_bias = f->attention_bias;
    sim_llm_finish_heads(r, f);
    f->rope_dim = f->head_dim / 4;
    if (part && (part->type == SIM_JSON_REAL || part->type == SIM_JSON_INT) && part->real > 0 &&
        part->real <= 1)
        f->rope_dim = (int64_t)((double)f->head_dim * part->real);
    if (f->value_heads % f->key_heads != 0)
        sim_llm_wrong(r, "linear_num_value_heads",
                      "'linear_num_value_heads' (%" PRId64
                      ") is not a multiple of 'linear_num_key_heads' (%" PRId64 ")",
                      f->value_heads, f->key_heads);
    sim_llm_like_llama(f, model);
}

static const sim_llm_field qwen3_5_fields[] = {
    HYBRID_SIZES,
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_END,
};

static void build_qwen3_5(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_ffn ffn = sim_llm_gated(f, f->ffn);

    prepare(r, f, model);
    build_delta(r, f, &ffn, model);
}

const sim_llm_family sim_llm_qwen3_5 = {qwen3_5_fields, build_qwen3_5};

static const sim_llm_field qwen3_next_fields[] = {
    HYBRID_SIZES,
    SIM_LLM_REQUIRED("num_experts", experts),
    SIM_LLM_REQUIRED("num_experts_per_tok", top_k),
    SIM_LLM_REQUIRED("moe_intermediate_size", expert_width),
    SIM_LLM_REQUIRED("shared_expert_intermediate_size", shared_width),
    SIM_LLM_END,
};

static void build_qwen3_next(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_ffn ffn = sim_llm_experts(r, f, "num_experts_per_tok", "num_experts");

    ffn.shared_width = f->shared_width;
    ffn.shared_gate = true;
    ffn.shared_name = "shared_expert";
    prepare(r, f, model);
    build_delta(r, f, &ffn, model);
}

const sim_llm_family sim_llm_qwen3_next = {qwen3_next_fields, build_qwen3_next};

/* ---- nemotron_h: a letter per layer: M Mamba 2, * attention, - FFN ------------------------------------- */

static const sim_llm_field nemotron_h_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("num_key_value_heads", kv_heads),
    SIM_LLM_EITHER("attention_head_dim", "head_dim", head_dim),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("n_groups", key_heads),
    SIM_LLM_REQUIRED("ssm_state_size", key_dim),
    SIM_LLM_REQUIRED("mamba_num_heads", value_heads),
    SIM_LLM_REQUIRED("mamba_head_dim", value_dim),
    SIM_LLM_REQUIRED("conv_kernel", conv_kernel),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("mlp_bias", ffn_bias, false),
    SIM_LLM_FLAG("tie_word_embeddings", tied, false),
    SIM_LLM_ACT("mlp_hidden_act", SIM_OPS_RELU + SIM_OPS_MULTIPLY),
    SIM_LLM_END,
};

static void build_nemotron_h(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *pattern = sim_llm_member(r, "hybrid_override_pattern");
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_mixer attention, mamba, no_mixer;
    sim_llm_ffn ffn, no_ffn;

    f->o_bias = f->attention_bias;
    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    model->norms = SIM_NORMS_SINGLE;
    model->attn_norm_name = model->ffn_norm_name = "norm";
    model->final_norm_name = "norm_f";
    attention = sim_llm_gqa(f);
    attention.rope_dim = 0; /* no positions: Mamba layers carry the order */
    mamba = delta_of(f);
    mamba.kind = SIM_MIXER_MAMBA2;
    mamba.state_chunk = sim_llm_count(r, "chunk_size", 128);
    mamba.conv_bias = sim_llm_flag(r, "use_conv_bias", true);
    mamba.in_out_bias = sim_llm_flag(r, "mamba_proj_bias", false);
    ffn = sim_llm_plain(f, "up_proj", "down_proj");
    memset(&no_mixer, 0, sizeof no_mixer);
    memset(&no_ffn, 0, sizeof no_ffn);
    if (!pattern || pattern->type != SIM_JSON_TEXT) {
        sim_llm_missing(r, "hybrid_override_pattern");
        return;
    }
    if ((int64_t)strlen(pattern->text) != f->layers) {
        sim_llm_wrong(r, "hybrid_override_pattern",
                      "'hybrid_override_pattern' has %zu letters for %" PRId64 " layers",
                      strlen(pattern->text), f->layers);
        return;
    }
    for (int64_t i = 0; i < f->layers; i++) {
        char kind = pattern->text[i];

        if (kind != 'M' && kind != '*' && kind != '-') {
            sim_llm_wrong(r, "hybrid_override_pattern",
                          "'hybrid_override_pattern' may hold M (Mamba), * (attention) and -, not '%c'",
                          kind);
            return;
        }
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, kind == 'M'   ? &mamba
                                                               : kind == '*' ? &attention
                                                                             : &no_mixer),
                                    sim_llm_ffn_index(model, kind == '-' ? &ffn : &no_ffn)};
    }
}

const sim_llm_family sim_llm_nemotron_h = {nemotron_h_fields, build_nemotron_h};

/* ---- nemotron-nas: block_configs say what is left of each block -----------------------------------------
 */

static const sim_llm_field nemotron_nas_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_FLAG("attention_bias", attention_bias, false),
    SIM_LLM_FLAG("mlp_bias", ffn_bias, false),
    SIM_LLM_FLAG("tie_word_embeddings", tied, false),
    SIM_LLM_ACT("hidden_act", SIM_OPS_SILU),
    SIM_LLM_END,
};

static bool is_true(const sim_json *object, const char *key)
{
    const sim_json *value = object ? sim_json_get(object, key) : NULL;

    return value && value->type == SIM_JSON_BOOL && value->boolean;
}

/* Width of a kept FFN: 2/3 of ffn_mult x hidden, rounded up to a multiple of 256. */
static int64_t nas_width(double multiple, int64_t hidden)
{
    int64_t width = (int64_t)(2 * multiple * (double)hidden / 3);

    return (width + 255) / 256 * 256;
}

static bool nas_mixer(sim_llm_reader *r, sim_llm_fields *f, const sim_json *attention, sim_llm_mixer *out)
{
    const sim_json *group = attention ? sim_json_get(attention, "n_heads_in_group") : NULL;

    memset(out, 0, sizeof *out);
    if (is_true(attention, "no_op"))
        return true;
    if (is_true(attention, "replace_with_linear")) {
        out->kind = SIM_MIXER_LINEAR;
        return true;
    }
    if (!group || group->type != SIM_JSON_INT || group->integer < 1 || f->heads % group->integer != 0)
        return false;
    f->kv_heads = f->heads / group->integer;
    sim_llm_finish_heads(r, f);
    *out = sim_llm_gqa(f);
    return true;
}

static bool nas_ffn(const sim_llm_fields *f, const sim_json *ffn, sim_llm_ffn *out)
{
    const sim_json *multiple = ffn ? sim_json_get(ffn, "ffn_mult") : NULL;

    memset(out, 0, sizeof *out);
    if (is_true(ffn, "no_op"))
        return true;
    if (is_true(ffn, "replace_with_linear")) {
        out->kind = SIM_FFN_LINEAR;
        return true;
    }
    if (!multiple || (multiple->type != SIM_JSON_REAL && multiple->type != SIM_JSON_INT) ||
        !(multiple->real > 0 && multiple->real < 1000))
        return false;
    *out = sim_llm_gated(f, nas_width(multiple->real, f->hidden));
    return true;
}

static void build_nemotron_nas(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *list = sim_llm_member(r, "block_configs");
    const sim_json *item = list && list->type == SIM_JSON_ARRAY ? list->child : NULL;
    sim_llm_block *blocks = sim_llm_blocks(model);

    f->o_bias = f->attention_bias;
    sim_llm_like_llama(f, model);
    if (!item) {
        sim_llm_missing(r, "block_configs");
        return;
    }
    if (list->count != f->layers)
        sim_llm_wrong(r, "block_configs", "'block_configs' has %" PRId64 " entries for %" PRId64 " layers",
                      list->count, f->layers);
    for (int64_t i = 0; item && i < f->layers; i++, item = item->next) {
        sim_llm_mixer mixer;
        sim_llm_ffn ffn;

        if (item->type != SIM_JSON_OBJECT || !nas_mixer(r, f, sim_json_get(item, "attention"), &mixer) ||
            !nas_ffn(f, sim_json_get(item, "ffn"), &ffn)) {
            r->status =
                sim_fail(r->err, SIM_BAD_INPUT, r->file, item->line,
                         "'block_configs': a block needs 'attention' with 'n_heads_in_group' and 'ffn' "
                         "with 'ffn_mult', or 'no_op' or 'replace_with_linear'");
            return;
        }
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, &mixer), sim_llm_ffn_index(model, &ffn)};
    }
}

const sim_llm_family sim_llm_nemotron_nas = {nemotron_nas_fields, build_nemotron_nas};
