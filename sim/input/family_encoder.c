/* Encoders: BERT and RoBERTa over tokens, ViT over patches of an image. Every token sees all. */
#include "input/llm_family.h"
#include "input/vector_ops.h"

#include <inttypes.h>

static void build_encoder(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    sim_llm_mixer mixer;
    sim_llm_ffn ffn;

    sim_llm_finish_heads(r, f);
    sim_llm_like_llama(f, model);
    model->encoder = true;
    model->position_rows = f->positions;
    model->token_type_rows = f->token_types;
    f->ffn_bias = true;
    mixer = sim_llm_gqa(f);
    mixer.rope_dim = 0;
    mixer.bidirectional = true;
    ffn = sim_llm_plain(f, "intermediate", "output");
    sim_llm_uniform(model, &mixer, &ffn);
}

/* ---- bert, roberta ---------------------------------------------------------------------------------- */

static const sim_llm_field bert_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("vocab_size", vocab),
    SIM_LLM_REQUIRED("max_position_embeddings", positions),
    SIM_LLM_OPTIONAL("type_vocab_size", token_types, 2),
    SIM_LLM_ACT("hidden_act", SIM_OPS_GELU),
    SIM_LLM_END,
};

/* The bare encoder with its pooler, as HF's BertModel. */
static void build_bert(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    f->attention_bias = f->o_bias = true;
    build_encoder(r, f, model);
    sim_llm_layer_norms(model, "attention_layernorm", "output_layernorm", NULL);
    model->norms = SIM_NORMS_POST;
    model->embed_norm = true;
    model->final_norm = false;
    model->head_outputs = 0;
    model->pooler = true;
}

const sim_llm_family sim_llm_bert = {bert_fields, build_bert};
const sim_llm_family sim_llm_roberta = {bert_fields, build_bert};

/* ---- vit -------------------------------------------------------------------------------------------- */

static const sim_llm_field vit_fields[] = {
    SIM_LLM_DEPTH("num_hidden_layers"),
    SIM_LLM_REQUIRED("hidden_size", hidden),
    SIM_LLM_REQUIRED("intermediate_size", ffn),
    SIM_LLM_REQUIRED("num_attention_heads", heads),
    SIM_LLM_REQUIRED("image_size", image_size),
    SIM_LLM_REQUIRED("patch_size", patch_size),
    SIM_LLM_OPTIONAL("num_channels", channels, 3),
    SIM_LLM_FLAG("qkv_bias", attention_bias, true),
    SIM_LLM_ACT("hidden_act", SIM_OPS_GELU),
    SIM_LLM_END,
};

/* Classes: as many as id2label names, or num_labels; none: the bare encoder. */
static void build_vit(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model)
{
    const sim_json *labels = sim_llm_member(r, "id2label");
    int64_t side = f->image_size / f->patch_size;

    if (f->image_size % f->patch_size != 0) {
        sim_llm_wrong(r, "patch_size",
                      "'image_size' (%" PRId64 ") is not a multiple of 'patch_size' (%" PRId64 ")",
                      f->image_size, f->patch_size);
        return;
    }
    if (side > 1 << 15) {
        sim_llm_wrong(r, "image_size", "an image of %" PRId64 " patches a side is too large", side);
        return;
    }
    f->o_bias = true;
    f->positions = side * side + 1;
    build_encoder(r, f, model);
    sim_llm_layer_norms(model, "layernorm_before", "layernorm_after", "layernorm");
    model->input = SIM_INPUT_PATCHES;
    model->image_size = f->image_size;
    model->patch_size = f->patch_size;
    model->channels = f->channels;
    model->class_token = true;
    model->head_outputs =
        labels && labels->type == SIM_JSON_OBJECT ? labels->count : sim_llm_count(r, "num_labels", 0);
    model->head_bias = true;
    model->head_name = "classifier";
}

const sim_llm_family sim_llm_vit = {vit_fields, build_vit};
