/* What is wrong in a config is said by the field's name and line, whatever the family. */
#include "base/arena.h"
#include "input/workload.h"

#include <criterion/criterion.h>
#include <string.h>

#define COMMON                                                                                               \
    "\"hidden_size\": 64, \"num_hidden_layers\": 4, \"num_attention_heads\": 8, \"vocab_size\": 100,\n"      \
    "\"num_key_value_heads\": 8, "

static const struct {
    const char *config, *text;
    int line;
} bad[] = {
    {"{\"model_type\": \"mixtral\", " COMMON "\"intermediate_size\": 96,\n"
     "\"num_local_experts\": 4,\n\"num_experts_per_tok\": 5}",
     "'num_experts_per_tok' (5) is more than the 4 experts of 'num_local_experts'", 4},
    {"{\"model_type\": \"qwen3_moe\", " COMMON "\"num_experts\": 8, \"num_experts_per_tok\": 2}",
     "'moe_intermediate_size' is missing from the model", 1},
    {"{\"model_type\": \"qwen3_moe\", " COMMON "\"num_experts\": 8, \"num_experts_per_tok\": 2,\n"
     "\"moe_intermediate_size\": 32, \"mlp_only_layers\": [1]}",
     "'intermediate_size' is missing from the model", 1},
    {"{\"model_type\": \"gpt_oss\", " COMMON "\"intermediate_size\": 96, \"num_local_experts\": 4,\n"
     "\"num_experts_per_tok\": 2, \"sliding_window\": 16,\n"
     "\"layer_types\": [\"full_attention\", \"sliding_attention\"]}",
     "'layer_types' has 2 entries for 4 layers", 4},
    {"{\"model_type\": \"gemma3_text\", " COMMON "\"intermediate_size\": 96, \"layer_types\": [\n"
     "\"full_attention\",\n\"ful_attention\", \"full_attention\", \"full_attention\"]}",
     "'layer_types': unknown kind of layer 'ful_attention'", 4},
    {"{\"model_type\": \"deepseek_v3\", " COMMON "\"intermediate_size\": 96, \"kv_lora_rank\": 16,\n"
     "\"qk_nope_head_dim\": 8, \"qk_rope_head_dim\": 8, \"v_head_dim\": 8, \"num_experts_per_tok\": 2}",
     "'n_routed_experts' is missing from the model", 1},
    {"{\"model_type\": \"deepseek_v3\", " COMMON "\"intermediate_size\": 96,\n\"kv_lora_rank\": -16,\n"
     "\"qk_nope_head_dim\": 8, \"qk_rope_head_dim\": 8, \"v_head_dim\": 8}",
     "'kv_lora_rank' must be a positive integer, not -16", 3},
    {"{\"model_type\": \"falcon\", " COMMON "\"new_decoder_architecture\": true,\n\"num_kv_heads\": 3}",
     "'num_attention_heads' (8) is not a multiple of 'num_key_value_heads' (3)", 2},
    {"{\"model_type\": \"llama\", " COMMON "\"intermediate_size\":\n\"96\"}",
     "'intermediate_size' must be a positive integer, not a text", 3},
    {"{\"model_type\": \"bloom\", \"n_layer\": 1000000000,\n\"hidden_size\": 64, \"n_head\": 8, "
     "\"vocab_size\": 9}",
     "'n_layer' is 1000000000, at most 10000", 1},
    {"{\"model_type\": \"qwen3_5\", " COMMON "\"intermediate_size\": 96, \"linear_key_head_dim\": 8,\n"
     "\"linear_num_key_heads\": 3, \"linear_value_head_dim\": 8,\n\"linear_num_value_heads\": 4,\n"
     "\"linear_conv_kernel_dim\": 4}",
     "'linear_num_value_heads' (4) is not a multiple of 'linear_num_key_heads' (3)", 4},
    {"{\"model_type\": \"nemotron-nas\", " COMMON "\"block_configs\": [\n{}, {}, {}, {}]}",
     "'block_configs': a block needs 'attention' with 'n_heads_in_group' and 'ffn' with 'ffn_mult', or "
     "'no_op' or 'replace_with_linear'",
     3},
    {"{\"model_type\": \"nemotron_h\", " COMMON "\"intermediate_size\": 96, \"head_dim\": 8,\n"
     "\"n_groups\": 2, \"ssm_state_size\": 8, \"mamba_num_heads\": 4, \"mamba_head_dim\": 8,\n"
     "\"conv_kernel\": 4, \"hybrid_override_pattern\": \"M-*x\"}",
     "'hybrid_override_pattern' may hold M (Mamba), * (attention) and -, not 'x'", 4},
    {"{\"model_type\": \"vit\", " COMMON "\"intermediate_size\": 96, \"image_size\": 224,\n"
     "\"patch_size\": 15}",
     "'image_size' (224) is not a multiple of 'patch_size' (15)", 3},
    {"{\"model_type\": \"deepseek_v4\", " COMMON "\"head_dim\": 16, \"qk_rope_head_dim\": 8,\n"
     "\"q_lora_rank\": 8, \"o_lora_rank\": 8, \"o_groups\": 2, \"sliding_window\": 8,\n"
     "\"index_n_heads\": 2, \"index_head_dim\": 8, \"index_topk\": 4, \"n_routed_experts\": 4,\n"
     "\"num_experts_per_tok\": 2, \"moe_intermediate_size\": 8,\n\"compress_ratios\": [0, 4]}",
     "'compress_ratios' must be a list with a number for each of the 4 layers", 6},
};

Test(llm_family_errors, name_the_field_and_its_line)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sim_workload_request request = {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 4};
        sim_arena arena;
        sim_workload workload;
        sim_err err = {0};

        sim_arena_init(&arena, NULL);
        cr_expect_eq(sim_workload_read(bad[i].config, strlen(bad[i].config), "config.json", &request, &arena,
                                       &workload, &err),
                     SIM_BAD_INPUT, "%s", bad[i].text);
        cr_expect_str_eq(err.items[0].text, bad[i].text);
        cr_expect_eq(err.items[0].line, bad[i].line, "%s: line %d", bad[i].text, err.items[0].line);
        sim_arena_free(&arena);
    }
}
