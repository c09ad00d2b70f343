/* Halves of blocks and norms that many families have alike. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <string.h>

/* Parts are compared as bytes: padding must be zero too. */
sim_llm_mixer sim_llm_gqa(const sim_llm_fields *f)
{
    sim_llm_mixer m;

    memset(&m, 0, sizeof m);
    m.kind = SIM_MIXER_ATTENTION;
    m.heads = f->heads;
    m.kv_heads = f->kv_heads;
    m.head_dim = m.v_head_dim = f->head_dim;
    m.rope_dim = f->rope_dim > 0 ? f->rope_dim : f->head_dim;
    m.window = f->window;
    m.q_bias = m.kv_bias = f->attention_bias;
    m.o_bias = f->o_bias;
    if (f->qk_norm) {
        m.q_norm_params = m.k_norm_params = f->head_dim;
        m.qk_norm_ops = SIM_OPS_RMS_NORM;
    }
    m.score_ops = f->soft_cap ? SIM_OPS_SOFT_CAP : 0;
    return m;
}

sim_llm_ffn sim_llm_plain(const sim_llm_fields *f, const char *up, const char *down)
{
    sim_llm_ffn ffn;

    memset(&ffn, 0, sizeof ffn);
    ffn.kind = SIM_FFN_DENSE;
    ffn.width = f->ffn;
    ffn.bias = f->ffn_bias;
    ffn.act_ops = f->act_ops;
    ffn.up_name = up;
    ffn.down_name = down;
    return ffn;
}

sim_llm_ffn sim_llm_gated(const sim_llm_fields *f, int64_t width)
{
    sim_llm_ffn ffn = sim_llm_plain(f, "up_proj", "down_proj");

    ffn.width = width;
    ffn.gated = true;
    ffn.gate_name = "gate_proj";
    return ffn;
}

sim_llm_ffn sim_llm_experts(sim_llm_reader *r, const sim_llm_fields *f, const char *top_k_key,
                            const char *experts_key)
{
    sim_llm_ffn ffn = sim_llm_gated(f, 0);

    ffn.kind = SIM_FFN_MOE;
    ffn.experts = f->experts;
    ffn.top_k = f->top_k;
    ffn.expert_width = f->expert_width;
    ffn.router_name = "router";
    ffn.experts_name = "experts";
    ffn.shared_name = "shared_experts";
    if (f->top_k > f->experts)
        sim_llm_wrong(r, top_k_key, "'%s' (%" PRId64 ") is more than the %" PRId64 " experts of '%s'",
                      top_k_key, f->top_k, f->experts, experts_key);
    return ffn;
}

void sim_llm_like_llama(const sim_llm_fields *f, sim_llm_model *model)
{
    model->norms = SIM_NORMS_PRE;
    model->embed_width = f->hidden;
    model->final_norm = true;
    model->head_outputs = f->vocab;
    model->head_bias = f->head_bias;
    model->tied = f->tied;
    model->norm_params = 1;
    model->norm_ops = SIM_OPS_RMS_NORM;
    model->attn_norm_name = "input_layernorm";
    model->ffn_norm_name = "post_attention_layernorm";
    model->final_norm_name = "norm";
}

void sim_llm_layer_norms(sim_llm_model *model, const char *attention, const char *ffn, const char *last)
{
    model->norm_params = 2;
    model->norm_ops = SIM_OPS_LAYER_NORM;
    model->attn_norm_name = attention;
    model->ffn_norm_name = ffn;
    model->final_norm_name = last;
}

void sim_llm_uniform(sim_llm_model *model, const sim_llm_mixer *mixer, const sim_llm_ffn *ffn)
{
    sim_llm_block *blocks = sim_llm_blocks(model);
    sim_llm_block all = {sim_llm_mixer_index(model, mixer), sim_llm_ffn_index(model, ffn)};

    for (int64_t i = 0; i < model->block_count; i++)
        blocks[i] = all;
}

bool *sim_llm_sliding(sim_llm_reader *r, const sim_llm_fields *f, int64_t pattern)
{
    static const char *const words[] = {"full_attention", "sliding_attention", "chunked_attention", NULL};
    int *kinds = sim_arena_alloc(r->arena, (size_t)f->layers, sizeof *kinds);
    bool *slides = sim_arena_alloc(r->arena, (size_t)f->layers, sizeof *slides);
    bool listed;

    if (!kinds || !slides) {
        r->status = sim_fail(r->err, SIM_NO_MEMORY, r->file, r->config->line, "out of memory for the model");
        return NULL;
    }
    listed = sim_llm_words(r, "layer_types", f->layers, words, kinds);
    for (int64_t i = 0; i < f->layers; i++)
        slides[i] = listed ? kinds[i] != 0 : pattern > 0 && (i + 1) % pattern != 0;
    return slides;
}

void sim_llm_slide(const sim_llm_fields *f, const bool *slides, sim_llm_model *model)
{
    sim_llm_mixer near = sim_llm_gqa(f), far = near;
    sim_llm_ffn ffn = sim_llm_gated(f, f->ffn);
    sim_llm_block *blocks = sim_llm_blocks(model);

    far.window = 0;
    for (int64_t i = 0; slides && i < f->layers; i++)
        blocks[i] = (sim_llm_block){sim_llm_mixer_index(model, slides[i] ? &near : &far),
                                    sim_llm_ffn_index(model, &ffn)};
}
