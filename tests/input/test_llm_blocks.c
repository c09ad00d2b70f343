/* Blocks of the other families: where norms and sums stand, what attention lacks or has besides, encoders,
 * merged projections. */
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void expand(llm_fixture *f, const llm_zoo_model *z, const sim_llm_request *request)
{
    llm_expand_model(f, &z->model, request);
    cr_assert(f->status == SIM_OK, "%s: %s", z->name, f->err.items[0].text);
}

static void decode(llm_fixture *f, const llm_zoo_model *z, int64_t batch, int64_t context)
{
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = batch, .context_tokens = context};

    expand(f, z, &request);
}

/* Names of a block, in order, separated by spaces. */
static void expect_block(const llm_fixture *f, int block, const char *names)
{
    char prefix[32], all[2048] = "";

    snprintf(prefix, sizeof prefix, "layers.%d.", block);
    for (int64_t i = 0; i < f->workload.layer_count; i++) {
        const char *name = f->workload.layers[i].name;

        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            strcat(all, all[0] ? " " : "");
            strcat(all, name + strlen(prefix));
        }
    }
    cr_expect_str_eq(all, names);
}

#define ATTENTION "q_proj k_proj v_proj rope qk softmax pv o_proj"

Test(llm_blocks, sandwich)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("gemma2_9b", &z);
    decode(&f, &z, 1, 5000);
    expect_block(&f, 0,
                 "input_layernorm " ATTENTION
                 " post_attention_layernorm attn_residual pre_feedforward_layernorm "
                 "gate_proj up_proj act down_proj post_feedforward_layernorm ffn_residual");
    cr_expect(llm_layer(&f, "layers.0.qk")->n == 4096 && llm_layer(&f, "layers.1.qk")->n == 5001);
    cr_expect(llm_layer(&f, "layers.0.softmax")->ops_per_element == 8,
              "a soft cap beside the five of softmax");
    cr_expect(f.workload.kv_cache_elements == INT64_C(2) * 21 * 2048 * (4096 + 5001));
    cr_expect_str_eq(f.workload.layers[1].name, "embed_scale");
    cr_expect_str_eq(f.workload.layers[f.workload.layer_count - 1].name, "logits_softcap");
    cr_expect(f.workload.layers[f.workload.layer_count - 1].n == 256000);
    cr_expect(llm_layer(&f, "lm_head")->tied);
    llm_free(&f);
}

Test(llm_blocks, side_by_side)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("falcon_7b", &z);
    decode(&f, &z, 2, 99);
    expect_block(&f, 3, "input_layernorm " ATTENTION " up_proj act down_proj residual");
    cr_expect(llm_layer(&f, "layers.3.residual")->inputs == 3);
    cr_expect(llm_layer(&f, "layers.3.residual")->ops_per_element == 2);
    cr_expect(llm_layer(&f, "layers.3.qk")->batch == 2 && llm_layer(&f, "layers.3.qk")->m == 71);
    llm_free(&f);
    llm_zoo_named("falcon_40b", &z);
    decode(&f, &z, 2, 99);
    expect_block(&f, 3,
                 "input_layernorm post_attention_layernorm " ATTENTION " up_proj act down_proj residual");
    llm_free(&f);
}

Test(llm_blocks, one_part_each)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("nemotron_h_56b", &z);
    decode(&f, &z, 1, 9);
    expect_block(&f, 0,
                 "norm in_proj conv1d state_rates state_read state_mix state_update state_decay state_norm "
                 "out_proj attn_residual");
    expect_block(&f, 1, "norm up_proj act down_proj ffn_residual");
    expect_block(&f, 7, "norm q_proj k_proj v_proj qk softmax pv o_proj attn_residual");
    llm_free(&f);
}

/* Blocks that lack a part, or have one linear in its place (Nemotron's pruned Llamas). */
Test(llm_blocks, pruned)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("mixtral_8x7b", &z);
    z.model.mixer_count = 3;
    z.model.ffn_count = 2;
    z.mixers[1] = (sim_llm_mixer){.kind = SIM_MIXER_NONE};
    z.mixers[2] = (sim_llm_mixer){.kind = SIM_MIXER_LINEAR};
    z.ffns[1] = (sim_llm_ffn){.kind = SIM_FFN_LINEAR};
    z.blocks[0] = (sim_llm_block){.mixer = 1, .ffn = 1};
    z.blocks[1] = (sim_llm_block){.mixer = 2, .ffn = 1};
    z.ffns[0] = (sim_llm_ffn){.kind = SIM_FFN_NONE};
    decode(&f, &z, 1, 9);
    expect_block(&f, 0, "post_attention_layernorm linear_mlp ffn_residual");
    expect_block(
        &f, 1, "input_layernorm linear_attn attn_residual post_attention_layernorm linear_mlp ffn_residual");
    expect_block(&f, 2, "input_layernorm " ATTENTION " attn_residual");
    cr_expect(llm_layer(&f, "layers.0.linear_mlp")->k == 4096);
    cr_expect(f.workload.kv_cache_elements == 30 * 2 * 1024 * 10);
    llm_free(&f);
}

/* Gemma 4: a dense FFN beside the experts, norms on queries, keys and values, global blocks whose values are
 * their keys. */
Test(llm_blocks, gemma4)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("gemma4_26b", &z);
    decode(&f, &z, 1, 5000);
    expect_block(
        &f, 0,
        "input_layernorm q_proj k_proj v_proj q_norm k_norm v_norm rope qk softmax pv o_proj "
        "post_attention_layernorm attn_residual pre_feedforward_layernorm gate_proj up_proj act down_proj "
        "post_feedforward_layernorm_1 router experts_topk pre_feedforward_layernorm_2 experts.gate_proj "
        "experts.up_proj experts.act experts.down_proj experts_sum post_feedforward_layernorm_2 "
        "post_feedforward_layernorm ffn_residual");
    cr_expect(llm_layer(&f, "layers.0.q_norm")->m == 16 && llm_layer(&f, "layers.0.q_norm")->n == 256);
    cr_expect(llm_layer(&f, "layers.0.v_norm")->param_elements == 0);
    cr_expect(llm_layer(&f, "layers.5.v_proj") == NULL);
    cr_expect(llm_layer(&f, "layers.5.rope")->n == 18 * 128);
    const sim_layer *qk = llm_layer(&f, "layers.5.qk"), *pv = llm_layer(&f, "layers.5.pv");
    cr_expect(qk->cache_rows == 2 * 5001 && qk->cache_row_elements == 512 && pv->cache_rows == 0);
    cr_expect(pv->weights == SIM_WEIGHTS_KV && pv->kv_row_elements == 512);
    cr_expect(f.workload.kv_cache_elements == 25 * 1024 * 2 * INT64_C(2048) + 5 * 5001 * INT64_C(1024));
    cr_expect(llm_layer(&f, "layers.0.experts_sum")->inputs == 9);
    llm_free(&f);
}

/* A block that reads an earlier one's cache has no keys and values, norms and rows of its own. */
Test(llm_blocks, shared_keys_and_second_embedding)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("gemma4_26b", &z);
    z.mixers[1].shares_kv = true;
    z.model.block_embed_width = 256;
    z.model.block_embed_rows = 1000;
    z.ffns[0] = (sim_llm_ffn){.kind = SIM_FFN_NONE};
    decode(&f, &z, 3, 99);
    expect_block(
        &f, 5,
        "input_layernorm q_proj q_norm rope qk softmax pv o_proj post_attention_layernorm attn_residual "
        "per_layer_input_gate per_layer_act per_layer_projection post_per_layer_input_norm "
        "per_layer_residual");
    cr_expect(llm_layer(&f, "layers.5.rope")->n == 16 * 128);
    cr_expect(llm_layer(&f, "layers.5.qk")->weights == SIM_WEIGHTS_KV &&
              llm_layer(&f, "layers.5.qk")->n == 100);
    cr_expect(llm_layer(&f, "layers.5.qk")->cache_rows == 0 && llm_layer(&f, "layers.5.pv")->cache_rows == 0);
    cr_expect(f.workload.kv_cache_elements == 3 * 25 * 100 * 2 * 2048);
    const sim_layer *second = llm_layer(&f, "embed_per_layer");
    cr_expect(second->n == 30 * 256 && second->k == 1000 && second->m == 3);
    cr_expect(llm_layer(&f, "per_layer_model_projection")->n == 30 * 256);
    cr_expect(llm_layer(&f, "per_layer_projection_norm")->m == 90);
    llm_free(&f);
}

/* Qwen3-Next: half of q_proj gates the output; partly rotated heads, a norm of each. */
Test(llm_blocks, gated_attention)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("qwen3_next_80b", &z);
    decode(&f, &z, 2, 9);
    expect_block(
        &f, 3,
        "input_layernorm q_proj k_proj v_proj q_norm k_norm rope qk softmax pv attn_gate o_proj "
        "attn_residual post_attention_layernorm router experts_topk experts.gate_proj experts.up_proj "
        "experts.act experts.down_proj shared_experts.gate_proj shared_experts.up_proj "
        "shared_experts.act shared_experts.down_proj shared_experts_gate experts_sum ffn_residual");
    cr_expect(llm_layer(&f, "layers.3.q_proj")->n == 8192 && llm_layer(&f, "layers.3.o_proj")->k == 4096);
    cr_expect(llm_layer(&f, "layers.3.attn_gate")->n == 4096 &&
              llm_layer(&f, "layers.3.attn_gate")->inputs == 2);
    cr_expect(llm_layer(&f, "layers.3.rope")->n == 18 * 64);
    cr_expect(llm_layer(&f, "layers.3.shared_experts_gate")->n == 1);
    cr_expect(llm_layer(&f, "layers.3.experts_sum")->inputs == 11);
    expect_block(
        &f, 0,
        "input_layernorm in_proj_qkvz in_proj_ba conv1d qk_norm state_rates state_read state_mix "
        "state_update state_decay state_norm out_proj attn_residual post_attention_layernorm router "
        "experts_topk experts.gate_proj experts.up_proj experts.act experts.down_proj "
        "shared_experts.gate_proj shared_experts.up_proj shared_experts.act shared_experts.down_proj "
        "shared_experts_gate experts_sum ffn_residual");
    llm_free(&f);
}

/* A norm of all heads at once where it has a parameter for each element (MiniMax, OLMo 2). */
Test(llm_blocks, norm_of_all_heads)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("mixtral_8x7b", &z);
    z.mixers[0].qk_norm_ops = 4;
    z.mixers[0].q_norm_params = 4096;
    z.mixers[0].k_norm_params = 1024;
    decode(&f, &z, 2, 9);
    cr_expect(llm_layer(&f, "layers.0.q_norm")->m == 2 && llm_layer(&f, "layers.0.q_norm")->n == 4096);
    cr_expect(llm_layer(&f, "layers.0.k_norm")->m == 2 && llm_layer(&f, "layers.0.k_norm")->n == 1024);
    llm_free(&f);
}

Test(llm_blocks, biases_sinks_and_windows)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("gpt_oss_20b", &z);
    decode(&f, &z, 1, 999);
    cr_expect(llm_layer(&f, "layers.0.softmax")->param_elements == 64);
    cr_expect(llm_layer(&f, "layers.0.qk")->n == 128 && llm_layer(&f, "layers.1.qk")->n == 1000);
    cr_expect(llm_layer(&f, "layers.0.router")->param_elements == 32);
    cr_expect(llm_layer(&f, "layers.0.experts.gate_proj")->param_elements == 32 * 2880);
    cr_expect(llm_layer(&f, "layers.0.experts.gate_proj")->stored_batch == 32);
    cr_expect(llm_layer(&f, "layers.0.o_proj")->param_elements == 2880);
    cr_expect(f.workload.kv_cache_elements == 2 * 12 * 512 * (128 + 1000));
    llm_free(&f);
}

/* Llama 4: three of four blocks see only the current chunk of 8,192 positions. */
Test(llm_blocks, chunks_of_positions)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("llama4_scout", &z);
    decode(&f, &z, 1, 8192 + 99);
    cr_expect(llm_layer(&f, "layers.0.qk")->n == 100 && llm_layer(&f, "layers.3.qk")->n == 8192 + 100);
    cr_expect(llm_layer(&f, "layers.0.q_norm") != NULL && llm_layer(&f, "layers.3.rope") == NULL);
    cr_expect(f.workload.kv_cache_elements == 2 * 1024 * (36 * INT64_C(8192) + 12 * INT64_C(8292)));
    llm_free(&f);
}

/* ---- encoders ------------------------------------------------------------------------------------------ */

static void expect_names(const llm_fixture *f, int64_t first, const char *const *names)
{
    for (int64_t i = 0; names[i]; i++)
        cr_expect_str_eq(f->workload.layers[first + i].name, names[i]);
}

Test(llm_blocks, bert)
{
    static const char *const start[] = {
        "embed", "embed_positions", "embed_token_types", "embed_sum", "embed_norm", "layers.0.q_proj", NULL};
    static const char *const end[] = {"layers.11.post_attention_layernorm", "pooler", "pooler_act", NULL};
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = 4, .prompt_tokens = 128};

    llm_zoo_named("bert_base", &z);
    expand(&f, &z, &request);
    expect_names(&f, 0, start);
    expect_names(&f, f.workload.layer_count - 3, end);
    expect_block(
        &f, 2,
        "q_proj k_proj v_proj qk softmax pv o_proj attn_residual input_layernorm up_proj act down_proj "
        "ffn_residual post_attention_layernorm");
    cr_expect(llm_layer(&f, "embed_sum")->inputs == 3 && llm_layer(&f, "pooler")->m == 4);
    const sim_layer *qk = llm_layer(&f, "layers.0.qk");
    cr_expect(qk->batch == 48 && qk->m == 128 && qk->n == 128 && qk->needed_macs == 0, "all see all");
    cr_expect(qk->weights == SIM_WEIGHTS_DYNAMIC && qk->cache_rows == 0, "nothing is kept");
    cr_expect(llm_layer(&f, "layers.0.k_proj")->kv_outputs == 0);
    cr_expect(f.workload.kv_cache_elements == 0 && f.workload.tokens == 512);
    llm_free(&f);
}

Test(llm_blocks, vit)
{
    static const char *const start[] = {"patch_embed", "embed_positions", "embed_sum",
                                        "layers.0.input_layernorm", NULL};
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = 8};

    llm_zoo_named("vit_base", &z);
    expand(&f, &z, &request);
    expect_names(&f, 0, start);
    const sim_layer *patches = &f.workload.layers[0];
    cr_expect(patches->op == SIM_OP_CONV2D && patches->m == 8 * 196 && patches->n == 768 &&
              patches->k == 768);
    cr_expect(patches->conv.images == 8 && patches->conv.kernel_h == 16 && patches->conv.stride == 16 &&
              patches->conv.h_in == 224 && patches->conv.c_in == 3 && patches->conv.groups == 1);
    cr_expect(llm_layer(&f, "layers.0.qk")->n == 197 && llm_layer(&f, "layers.0.q_proj")->m == 8 * 197);
    cr_expect(llm_layer(&f, "classifier")->m == 8 && llm_layer(&f, "classifier")->n == 1000);
    cr_expect(f.workload.tokens == 8 * 197);
    llm_free(&f);
    request.prompt_tokens = 197; /* what it is anyway */
    expand(&f, &z, &request);
    llm_free(&f);
}

/* ---- merged projections ----------------------------------------------------------------------------------
 */

/* The same work and parameters in fewer products; rows of the cache are part of the outputs. */
Test(llm_blocks, merged)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;
        llm_fixture apart, merged;
        sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = 2, .prompt_tokens = 33};

        llm_zoo(i, &z);
        if (z.model.input == SIM_INPUT_PATCHES)
            request.prompt_tokens = 0;
        expand(&apart, &z, &request);
        request.merged = true;
        expand(&merged, &z, &request);
        cr_expect(merged.workload.parameters == apart.workload.parameters, "%s", z.name);
        cr_expect(merged.workload.kv_cache_elements == apart.workload.kv_cache_elements);
        cr_expect(llm_total_macs(&merged) == llm_total_macs(&apart), "%s", z.name);
        cr_expect(merged.workload.layer_count <= apart.workload.layer_count);
        llm_free(&apart);
        llm_free(&merged);
    }
}

Test(llm_blocks, merged_shapes)
{
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 3, .merged = true};

    llm_zoo_named("mixtral_8x7b", &z);
    expand(&f, &z, &request);
    const sim_layer *qkv = llm_layer(&f, "layers.0.qkv_proj");
    cr_expect(qkv->n == 4096 + 2 * 1024 && qkv->kv_outputs == 2 * 1024 && qkv->k == 4096);
    cr_expect(llm_layer(&f, "layers.0.q_proj") == NULL);
    const sim_layer *both = llm_layer(&f, "layers.0.experts.gate_up_proj");
    cr_expect(both->n == 2 * 14336 && both->stored_batch == 8);
    llm_free(&f);
}

/* k_proj, v_proj and up_proj read what the product before them read. */
Test(llm_blocks, same_inputs)
{
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("mixtral_8x7b", &z);
    decode(&f, &z, 1, 3);
    for (int64_t i = 0; i < f.workload.layer_count; i++) {
        const sim_layer *l = &f.workload.layers[i];
        const char *dot = strrchr(l->name, '.');
        bool same = dot && (strcmp(dot, ".k_proj") == 0 || strcmp(dot, ".v_proj") == 0 ||
                            strcmp(dot, ".up_proj") == 0);

        cr_expect(l->same_input == same, "%s", l->name);
    }
    llm_free(&f);
}
