/* Bits of a checkpoint: every method, modules that stay out, and what is not understood. */
#include "input/workload.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define DENSE                                                                                                \
    "{\"model_type\": \"qwen3\", \"hidden_size\": 64, \"intermediate_size\": 96, \"num_hidden_layers\": 2, " \
    "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"vocab_size\": 100, "                          \
    "\"torch_dtype\": \"bfloat16\", \"quantization_config\": "
#define MOE                                                                                                  \
    "{\"model_type\": \"qwen2_moe\", \"hidden_size\": 64, \"moe_intermediate_size\": 32, "                   \
    "\"shared_expert_intermediate_size\": 32, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, "        \
    "\"num_key_value_heads\": 2, \"vocab_size\": 100, \"num_experts\": 4, \"num_experts_per_tok\": 2, "      \
    "\"torch_dtype\": \"float16\", \"quantization_config\": "

static const sim_number none = {SIM_FORMAT_INT, 0}, bf16 = {SIM_FORMAT_BF, 16}, fp16 = {SIM_FORMAT_FP, 16},
                        fp8 = {SIM_FORMAT_FP8, 8}, int4 = {SIM_FORMAT_INT, 4}, int8 = {SIM_FORMAT_INT, 8},
                        nvfp4 = {SIM_FORMAT_NVFP, 4}, mxfp4 = {SIM_FORMAT_MXFP, 4};

static sim_workload workload_of(sim_arena *arena, const char *model, const char *config)
{
    const sim_workload_request request = {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 4};
    const char *text = sim_arena_printf(arena, "%s%s}", model, config);
    sim_workload w;
    sim_err err = {0};

    cr_assert_eq(sim_workload_read(text, strlen(text), "config.json", &request, arena, &w, &err), SIM_OK,
                 "%s: %s", config, err.items[0].text);
    return w;
}

static const sim_layer *find(const sim_workload *w, const char *name)
{
    for (int64_t i = 0; i < w->layer_count; i++)
        if (strcmp(w->layers[i].name, name) == 0)
            return &w->layers[i];
    cr_assert_fail("no layer %s", name);
    return NULL;
}

static void expect_number(sim_number got, sim_number wanted, const char *what, const char *config)
{
    cr_expect(got.bits == wanted.bits && (got.bits == 0 || got.format == wanted.format),
              "%s of %s: format %d, %d bits", what, config, (int)got.format, got.bits);
}

Test(quant_config, every_method)
{
    const struct {
        const char *model, *config, *layer;
        sim_number w, a;
        int group;
        const char *method;
    } all[] = {
        {DENSE, "{\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}", "layers.1.q_proj", fp8, fp8,
         0, "fp8"},
        {DENSE, "{\"quant_method\": \"fp8\"}", "lm_head", none, none, 0, "fp8"},
        {DENSE, "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128}", "layers.0.down_proj", int4,
         bf16, 128, "gptq"},
        {DENSE, "{\"quant_method\": \"gptq\", \"bits\": 8, \"group_size\": -1}", "layers.0.o_proj", int8,
         bf16, 0, "gptq"},
        {DENSE, "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 32, \"lm_head\": true}", "lm_head",
         int4, bf16, 32, "gptq"},
        {DENSE, "{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 64}", "layers.0.up_proj", int4,
         bf16, 64, "awq"},
        {MOE, "{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 64}", "layers.0.router", fp16, fp16,
         0, "awq"},
        {MOE,
         "{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 64, \"modules_to_not_convert\": "
         "[\"mlp.shared_expert\"]}",
         "layers.1.shared_expert.up_proj", fp16, fp16, 0, "awq"},
        {DENSE, "{\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true}", "layers.0.k_proj", int8, int8,
         0, "bitsandbytes"},
        {DENSE, "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true}", "layers.0.k_proj", int4, bf16,
         64, "bitsandbytes"},
        {MOE, "{\"quant_method\": \"mxfp4\"}", "layers.0.experts.up_proj", mxfp4, fp16, 0, "mxfp4"},
        {MOE, "{\"quant_method\": \"mxfp4\"}", "layers.0.q_proj", fp16, fp16, 0, "mxfp4"},
        {DENSE,
         "{\"quant_method\": \"compressed-tensors\", \"config_groups\": {\"group_0\": {\"targets\": "
         "[\"Linear\"], \"weights\": {\"num_bits\": 8, \"type\": \"int\"}, \"input_activations\": "
         "{\"num_bits\": 8, \"type\": \"int\"}}}, \"ignore\": [\"re:.*down_proj$\"]}",
         "layers.0.up_proj", int8, int8, 0, "compressed-tensors"},
        {DENSE,
         "{\"quant_method\": \"compressed-tensors\", \"config_groups\": {\"group_0\": {\"targets\": "
         "[\"Linear\"], \"weights\": {\"num_bits\": 8, \"type\": \"int\"}}}, \"ignore\": "
         "[\"re:.*down_proj$\"]}",
         "layers.0.down_proj", bf16, bf16, 0, "compressed-tensors"},
        {DENSE,
         "{\"quant_method\": \"compressed-tensors\", \"config_groups\": {\"attention\": {\"targets\": "
         "[\"re:.*self_attn.*\"], \"weights\": {\"num_bits\": 8, \"type\": \"float\"}, "
         "\"input_activations\": {\"num_bits\": 8, \"type\": \"float\"}}, \"rest\": {\"targets\": "
         "[\"re:.*mlp.*\"], \"weights\": {\"num_bits\": 4, \"type\": \"int\", \"group_size\": 128}}}}",
         "layers.1.gate_proj", int4, bf16, 128, "compressed-tensors"},
        {DENSE,
         "{\"quant_method\": \"modelopt\", \"quant_algo\": \"NVFP4\", \"exclude_modules\": [\"lm_head\"]}",
         "layers.0.q_proj", nvfp4, nvfp4, 0, "NVFP4"},
        {DENSE,
         "{\"quant_algo\": \"MIXED_PRECISION\", \"quantized_layers\": {\"model.layers.1.mlp\": "
         "{\"quant_algo\": \"W4A16_AWQ\", \"group_size\": 128}, \"model.layers.0.self_attn.q_proj\": "
         "{\"quant_algo\": \"FP8\"}}}",
         "layers.1.up_proj", int4, bf16, 128, "MIXED_PRECISION"},
        {DENSE,
         "{\"quant_algo\": \"MIXED_PRECISION\", \"quantized_layers\": {\"model.layers.0.self_attn.q_proj\": "
         "{\"quant_algo\": \"FP8\"}}}",
         "layers.0.k_proj", bf16, bf16, 0, "MIXED_PRECISION"},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sim_arena arena;
        sim_workload w;
        const sim_layer *layer;

        sim_arena_init(&arena, NULL);
        w = workload_of(&arena, all[i].model, all[i].config);
        layer = find(&w, all[i].layer);
        cr_expect_str_eq(w.quantized_by ? w.quantized_by : "", all[i].method);
        expect_number(layer->own.w, all[i].w, all[i].layer, all[i].config);
        expect_number(layer->own.a, all[i].a, all[i].layer, all[i].config);
        cr_expect_eq(layer->own.group, all[i].group, "%s: group %d", all[i].config, layer->own.group);
        sim_arena_free(&arena);
    }
}

Test(quant_config, cache)
{
    sim_arena arena;
    sim_workload w;

    sim_arena_init(&arena, NULL);
    w = workload_of(&arena, DENSE, "{\"quant_algo\": \"FP8\", \"kv_cache_quant_algo\": \"FP8\"}");
    expect_number(find(&w, "layers.0.qk")->own.kv, fp8, "kv", "FP8");
    expect_number(find(&w, "layers.0.qk")->own.a, bf16, "a", "FP8");
    w = workload_of(&arena, DENSE, "{\"quant_algo\": \"FP8\"}");
    expect_number(find(&w, "layers.0.pv")->own.kv, bf16, "kv", "FP8 alone");
    sim_arena_free(&arena);
}

Test(quant_config, what_is_not_understood_is_passed_over_and_said)
{
    static const struct {
        const char *config, *why;
    } odd[] = {
        {"{\"quant_method\": \"magic\"}", "unknown quant_method 'magic'"},
        {"{\"quant_method\": \"gptq\", \"bits\": \"four\"}", "'bits' must be an integer from 1 to 8"},
        {"{\"quant_method\": \"gptq\", \"bits\": 17}", "'bits' must be an integer from 1 to 8"},
        {"{\"quant_algo\": \"W3A5\"}", "unknown quant_algo 'W3A5'"},
        {"{\"quant_algo\": \"MIXED_PRECISION\"}", "no 'quantized_layers' beside 'MIXED_PRECISION'"},
    };

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        sim_arena arena;
        sim_workload w;

        sim_arena_init(&arena, NULL);
        w = workload_of(&arena, DENSE, odd[i].config);
        cr_expect_null(w.quantized_by);
        cr_expect_str_eq(w.quantization_unknown ? w.quantization_unknown : "", odd[i].why);
        for (int64_t k = 0; k < w.layer_count; k++)
            cr_expect(!w.layers[k].from_checkpoint && w.layers[k].own.w.bits == 0);
        sim_arena_free(&arena);
    }
}
