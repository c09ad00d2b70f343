#include "input/llm_zoo.h"

#include "input/vector_ops.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- what several have in common ---------------------------------------------------------------------- */

static void decoder(llm_zoo_model *z, int64_t hidden, int64_t blocks, int64_t vocab)
{
    z->model = (sim_llm_model){
        .hidden = hidden,
        .vocab = vocab,
        .mixer_count = 1,
        .ffn_count = 1,
        .block_count = blocks,
        .embed_width = hidden,
        .final_norm = true,
        .head_outputs = vocab,
        .norm_params = 1,
        .norm_ops = SIM_OPS_RMS_NORM,
        .attn_norm_name = "input_layernorm",
        .ffn_norm_name = "post_attention_layernorm",
        .final_norm_name = "norm",
    };
}

static void layer_norms(llm_zoo_model *z)
{
    z->model.norm_params = 2;
    z->model.norm_ops = SIM_OPS_LAYER_NORM;
}

static sim_llm_mixer attention(int64_t heads, int64_t kv_heads, int64_t dim)
{
    return (sim_llm_mixer){.kind = SIM_MIXER_ATTENTION,
                           .heads = heads,
                           .kv_heads = kv_heads,
                           .head_dim = dim,
                           .v_head_dim = dim,
                           .rope_dim = dim};
}

static void all_biases(sim_llm_mixer *mixer)
{
    mixer->q_bias = mixer->kv_bias = mixer->o_bias = true;
}

static sim_llm_ffn gated(int64_t width)
{
    return (sim_llm_ffn){.kind = SIM_FFN_DENSE,
                         .width = width,
                         .gated = true,
                         .act_ops = SIM_OPS_SILU,
                         .gate_name = "gate_proj",
                         .up_name = "up_proj",
                         .down_name = "down_proj"};
}

static sim_llm_ffn plain(int64_t width, bool bias)
{
    return (sim_llm_ffn){.kind = SIM_FFN_DENSE,
                         .width = width,
                         .bias = bias,
                         .act_ops = SIM_OPS_GELU,
                         .up_name = "up_proj",
                         .down_name = "down_proj"};
}

static sim_llm_ffn experts(int64_t count, int64_t top_k, int64_t width, int64_t shared)
{
    sim_llm_ffn ffn = gated(0);

    ffn.kind = SIM_FFN_MOE;
    ffn.experts = count;
    ffn.top_k = top_k;
    ffn.expert_width = width;
    ffn.shared_width = shared;
    ffn.router_name = "router";
    ffn.experts_name = "experts";
    ffn.shared_name = "shared_experts";
    return ffn;
}

/* ---- models ----------------------------------------------------------------------------------------------
 */

static void mixtral(llm_zoo_model *z)
{
    decoder(z, 4096, 32, 32000);
    z->mixers[0] = attention(32, 8, 128);
    z->ffns[0] = experts(8, 2, 14336, 0);
}

static void deepseek_v3(llm_zoo_model *z)
{
    decoder(z, 7168, 61, 129280);
    z->mixers[0] = (sim_llm_mixer){.kind = SIM_MIXER_MLA,
                                   .heads = 128,
                                   .kv_heads = 128,
                                   .rope_dim = 64,
                                   .nope_dim = 128,
                                   .v_head_dim = 128,
                                   .q_lora = 1536,
                                   .kv_lora = 512};
    z->ffns[0] = gated(18432);
    z->ffns[1] = experts(256, 8, 2048, 2048);
    z->ffns[1].router_bias = true;
    z->model.ffn_count = 2;
    for (int i = 3; i < 61; i++)
        z->blocks[i].ffn = 1;
}

static void deepseek_v32(llm_zoo_model *z)
{
    deepseek_v3(z);
    z->mixers[0].index_heads = 64;
    z->mixers[0].index_dim = 128;
    z->mixers[0].index_top_k = 2048;
}

static void deepseek_v4(llm_zoo_model *z)
{
    sim_llm_mixer window = {.kind = SIM_MIXER_COMPRESSED,
                            .heads = 64,
                            .kv_heads = 1,
                            .head_dim = 512,
                            .rope_dim = 64,
                            .window = 128,
                            .q_lora = 1024,
                            .o_groups = 8,
                            .o_lora = 1024,
                            .sink_params = 64};

    decoder(z, 4096, 43, 129280);
    z->model.residual_streams = 4;
    z->model.mixing_rounds = 20;
    z->model.mixer_count = 3;
    z->model.ffn_count = 2;
    z->mixers[0] = z->mixers[1] = z->mixers[2] = window;
    z->mixers[1].compress_ratio = 4;
    z->mixers[1].index_heads = 64;
    z->mixers[1].index_dim = 128;
    z->mixers[1].index_top_k = 512;
    z->mixers[2].compress_ratio = 128;
    z->ffns[0] = z->ffns[1] = experts(256, 6, 2048, 2048);
    z->ffns[1].router_bias = true; /* the first three blocks choose by token, not by score */
    for (int i = 0; i < 43; i++) {
        z->blocks[i].mixer = i < 2 ? 0 : i % 2 == 0 ? 1 : 2;
        z->blocks[i].ffn = i < 3 ? 0 : 1;
    }
}

static void qwen3_next(llm_zoo_model *z)
{
    decoder(z, 2048, 48, 151936);
    z->model.mixer_count = 2;
    z->mixers[0] = (sim_llm_mixer){.kind = SIM_MIXER_DELTA,
                                   .key_heads = 16,
                                   .key_dim = 128,
                                   .value_heads = 32,
                                   .value_dim = 128,
                                   .conv_kernel = 4};
    z->mixers[1] = attention(16, 2, 256);
    z->mixers[1].rope_dim = 64;
    z->mixers[1].output_gate = true;
    z->mixers[1].q_norm_params = z->mixers[1].k_norm_params = 256;
    z->mixers[1].qk_norm_ops = SIM_OPS_RMS_NORM;
    z->ffns[0] = experts(512, 10, 512, 512);
    z->ffns[0].shared_gate = true;
    for (int i = 3; i < 48; i += 4)
        z->blocks[i].mixer = 1;
}

static void nemotron_h(llm_zoo_model *z)
{
    static const char pattern[] = "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-"
                                  "M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-";

    decoder(z, 8192, 118, 131072);
    z->model.norms = SIM_NORMS_SINGLE;
    z->model.attn_norm_name = "norm";
    z->model.ffn_norm_name = NULL;
    z->model.mixer_count = 3;
    z->model.ffn_count = 2;
    z->mixers[0] = (sim_llm_mixer){.kind = SIM_MIXER_NONE};
    z->mixers[1] = (sim_llm_mixer){.kind = SIM_MIXER_MAMBA2,
                                   .key_heads = 8,
                                   .key_dim = 256,
                                   .value_heads = 256,
                                   .value_dim = 64,
                                   .conv_kernel = 4,
                                   .state_chunk = 128,
                                   .conv_bias = true};
    z->mixers[2] = attention(64, 8, 128);
    z->mixers[2].rope_dim = 0;
    z->ffns[0] = (sim_llm_ffn){.kind = SIM_FFN_NONE};
    z->ffns[1] = plain(32768, false);
    for (int i = 0; i < 118; i++) {
        z->blocks[i].mixer = pattern[i] == 'M' ? 1 : pattern[i] == '*' ? 2 : 0;
        z->blocks[i].ffn = pattern[i] == '-';
    }
}

static void gemma2(llm_zoo_model *z)
{
    decoder(z, 3584, 42, 256000);
    z->model.tied = z->model.embed_scale = z->model.logit_softcap = true;
    z->model.norms = SIM_NORMS_SANDWICH;
    z->model.attn_post_norm_name = "post_attention_layernorm";
    z->model.ffn_norm_name = "pre_feedforward_layernorm";
    z->model.ffn_post_norm_name = "post_feedforward_layernorm";
    z->model.mixer_count = 2;
    z->mixers[0] = z->mixers[1] = attention(16, 8, 256);
    z->mixers[0].window = 4096;
    z->mixers[0].score_ops = z->mixers[1].score_ops = SIM_OPS_SOFTCAP;
    z->ffns[0] = gated(14336);
    for (int i = 1; i < 42; i += 2)
        z->blocks[i].mixer = 1;
}

static void gemma4(llm_zoo_model *z)
{
    gemma2(z);
    z->model.hidden = z->model.embed_width = 2816;
    z->model.vocab = z->model.head_outputs = 262144;
    z->model.block_count = 30;
    for (int i = 0; i < 2; i++) {
        z->mixers[i] = i == 0 ? attention(16, 8, 256) : attention(16, 2, 512);
        z->mixers[i].q_norm_params = z->mixers[i].k_norm_params = i == 0 ? 256 : 512;
        z->mixers[i].qk_norm_ops = SIM_OPS_RMS_NORM;
        z->mixers[i].v_norm = true;
    }
    z->mixers[0].window = 1024;
    z->mixers[1].rope_dim = 128;
    z->mixers[1].k_is_v = true;
    z->ffns[0] = experts(128, 8, 704, 0);
    z->ffns[0].width = 2112;
    z->ffns[0].router_scale_params = 2816 + 128;
    z->ffns[0].dense_norm_name = "post_feedforward_layernorm_1";
    z->ffns[0].experts_norm_name = "pre_feedforward_layernorm_2";
    z->ffns[0].experts_post_norm_name = "post_feedforward_layernorm_2";
    for (int i = 0; i < 30; i++)
        z->blocks[i].mixer = i % 6 == 5;
}

static void gpt_oss(llm_zoo_model *z)
{
    decoder(z, 2880, 24, 201088);
    z->model.mixer_count = 2;
    z->mixers[0] = attention(64, 8, 64);
    all_biases(&z->mixers[0]);
    z->mixers[0].sink_params = 64;
    z->mixers[1] = z->mixers[0];
    z->mixers[0].window = 128;
    z->ffns[0] = experts(32, 4, 2880, 0);
    z->ffns[0].bias = z->ffns[0].router_bias = true;
    for (int i = 1; i < 24; i += 2)
        z->blocks[i].mixer = 1;
}

static void falcon_40b(llm_zoo_model *z)
{
    decoder(z, 8192, 60, 65024);
    layer_norms(z);
    z->model.tied = true;
    z->model.norms = SIM_NORMS_PARALLEL2;
    z->mixers[0] = attention(128, 8, 64);
    z->ffns[0] = plain(4 * 8192, false);
}

static void falcon_7b(llm_zoo_model *z)
{
    decoder(z, 4544, 32, 65024);
    layer_norms(z);
    z->model.tied = true;
    z->model.norms = SIM_NORMS_PARALLEL;
    z->mixers[0] = attention(71, 1, 64);
    z->ffns[0] = plain(4 * 4544, false);
}

static void bloom(llm_zoo_model *z)
{
    decoder(z, 14336, 70, 250880);
    layer_norms(z);
    z->model.tied = z->model.embed_norm = true;
    z->mixers[0] = attention(112, 112, 128);
    all_biases(&z->mixers[0]);
    z->mixers[0].rope_dim = 0;
    z->mixers[0].score_ops = 1; /* ALiBi */
    z->ffns[0] = plain(4 * 14336, true);
}

static void encoder(llm_zoo_model *z)
{
    layer_norms(z);
    z->model.encoder = true;
    z->mixers[0] = attention(12, 12, 64);
    all_biases(&z->mixers[0]);
    z->mixers[0].rope_dim = 0;
    z->mixers[0].bidirectional = true;
    z->ffns[0] = plain(3072, true);
}

static void bert(llm_zoo_model *z)
{
    decoder(z, 768, 12, 30522);
    encoder(z);
    z->model.norms = SIM_NORMS_POST;
    z->model.position_rows = 512;
    z->model.token_type_rows = 2;
    z->model.embed_norm = z->model.pooler = true;
    z->model.final_norm = false;
    z->model.head_outputs = 0;
}

static void vit(llm_zoo_model *z)
{
    decoder(z, 768, 12, 0);
    encoder(z);
    z->model.input = SIM_INPUT_PATCHES;
    z->model.image_size = 224;
    z->model.patch_size = 16;
    z->model.channels = 3;
    z->model.class_token = z->model.head_bias = true;
    z->model.position_rows = 197;
    z->model.head_outputs = 1000;
    z->model.head_name = "classifier";
}

static void llama4(llm_zoo_model *z)
{
    decoder(z, 5120, 48, 202048);
    z->model.mixer_count = 2;
    z->mixers[0] = z->mixers[1] = attention(40, 8, 128);
    z->mixers[0].chunk = 8192;
    z->mixers[0].qk_norm_ops = SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY;
    z->mixers[1].rope_dim = 0;
    z->ffns[0] = experts(16, 1, 8192, 8192);
    for (int i = 3; i < 48; i += 4)
        z->blocks[i].mixer = 1;
}

static const struct {
    const char *name;
    void (*fill)(llm_zoo_model *);
} zoo[LLM_ZOO_COUNT] = {
    {"mixtral_8x7b", mixtral},
    {"deepseek_v3", deepseek_v3},
    {"deepseek_v3.2", deepseek_v32},
    {"deepseek_v4_flash", deepseek_v4},
    {"qwen3_next_80b", qwen3_next},
    {"nemotron_h_56b", nemotron_h},
    {"gemma2_9b", gemma2},
    {"gemma4_26b", gemma4},
    {"gpt_oss_20b", gpt_oss},
    {"falcon_40b", falcon_40b},
    {"falcon_7b", falcon_7b},
    {"bloom_176b", bloom},
    {"bert_base", bert},
    {"vit_base", vit},
    {"llama4_scout", llama4},
};

void llm_zoo(int index, llm_zoo_model *out)
{
    memset(out, 0, sizeof *out);
    zoo[index].fill(out);
    out->name = out->model.model_type = zoo[index].name;
    out->model.mixers = out->mixers;
    out->model.ffns = out->ffns;
    out->model.blocks = out->blocks;
}

void llm_zoo_named(const char *name, llm_zoo_model *out)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++)
        if (strcmp(zoo[i].name, name) == 0) {
            llm_zoo(i, out);
            return;
        }
    cr_assert(false, "no model '%s'", name);
}
