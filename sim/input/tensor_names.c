#include "input/tensor_names.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- endings --------------------------------------------------------------------------------------- */

static const struct {
    const char *end;
    sim_tensor_part part;
} endings[] = {
    {".weight", SIM_TENSOR_WEIGHT},
    {".bias", SIM_TENSOR_BIAS},
    {".qweight", SIM_TENSOR_WEIGHT},       /* GPTQ, AWQ */
    {".weight_packed", SIM_TENSOR_WEIGHT}, /* compressed-tensors */
    {"_blocks", SIM_TENSOR_WEIGHT},        /* gpt-oss */
    {".scales", SIM_TENSOR_SCALE},         /* GPTQ, AWQ */
    {".qzeros", SIM_TENSOR_ZERO},
    {".weight_scale", SIM_TENSOR_SCALE}, /* compressed-tensors, modelopt, fbgemm */
    {".weight_zero_point", SIM_TENSOR_ZERO},
    {".weight_scale_inv", SIM_TENSOR_SCALE}, /* DeepSeek's FP8 */
    {".weight.absmax", SIM_TENSOR_SCALE},    /* bitsandbytes */
    {".SCB", SIM_TENSOR_SCALE},
    {"_scales", SIM_TENSOR_SCALE},
    {"_bias", SIM_TENSOR_BIAS},
    {".weight_scale_2", SIM_TENSOR_OTHER},
    {".input_scale", SIM_TENSOR_OTHER},
    {".g_idx", SIM_TENSOR_OTHER},
    {".weight_g_idx", SIM_TENSOR_OTHER},
    {".weight_shape", SIM_TENSOR_OTHER},
    {".weight_format", SIM_TENSOR_OTHER},
    {".weight.quant_map", SIM_TENSOR_OTHER},
    {".weight.nested_absmax", SIM_TENSOR_OTHER},
    {".weight.nested_quant_map", SIM_TENSOR_OTHER},
    {".weight.quant_state.bitsandbytes__nf4", SIM_TENSOR_OTHER},
    {".weight.quant_state.bitsandbytes__fp4", SIM_TENSOR_OTHER},
    {"rope_freqs.weight", SIM_TENSOR_OTHER},
    {"rope_factors_long.weight", SIM_TENSOR_OTHER},
    {"rope_factors_short.weight", SIM_TENSOR_OTHER},
    {".rotary_emb.inv_freq", SIM_TENSOR_OTHER},
    {".attn.bias", SIM_TENSOR_OTHER}, /* GPT-2's mask */
    {".masked_bias", SIM_TENSOR_OTHER},
    {".position_ids", SIM_TENSOR_OTHER},
    {".k_scale", SIM_TENSOR_OTHER},
    {".v_scale", SIM_TENSOR_OTHER},
};

/* Cuts the ending off `name`, which is a copy; the longest that fits. */
static sim_tensor_part cut_ending(char *name)
{
    size_t length = strlen(name), longest = 0;
    sim_tensor_part part = SIM_TENSOR_WEIGHT; /* of a bare parameter, too */

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t tail = strlen(endings[i].end);

        if (tail > longest && tail <= length && strcmp(name + length - tail, endings[i].end) == 0) {
            longest = tail;
            part = endings[i].part;
        }
    }
    name[length - longest] = '\0';
    return part;
}

/* ---- what modules are called ----------------------------------------------------------------------- */

/* The way to a module, and the layers it is: several with a '+' are held together, with a '|' whichever the
 * model has. Ways are compared without the words of `wrappers`. */
static const struct {
    const char *way, *layers;
} aliases[] = {
    /* HF */
    {"embed_tokens", "embed"},
    {"wte", "embed"},
    {"word_embeddings", "embed"},
    {"embeddings.word_embeddings", "embed"},
    {"embed_in", "embed"},
    {"embedding.word_embeddings", "embed"},
    {"embeddings", "embed"},
    {"wpe", "embed_positions"},
    {"embeddings.position_embeddings", "embed_positions"},
    {"embeddings.token_type_embeddings", "embed_token_types"},
    {"embeddings.patch_embeddings.projection", "patch_embed"},
    {"embed_tokens_per_layer", "embed_per_layer"},
    {"embed_out", "lm_head"},
    {"output_layer", "lm_head"},
    {"head", "lm_head"},
    {"pooler.dense", "pooler"},
    {"query_key_value", "q_proj+k_proj+v_proj"},
    {"qkv_proj", "q_proj+k_proj+v_proj"},
    {"c_attn", "q_proj+k_proj+v_proj"},
    {"Wqkv", "q_proj+k_proj+v_proj"},
    {"self.query", "q_proj"},
    {"self.key", "k_proj"},
    {"self.value", "v_proj"},
    {"query", "q_proj"},
    {"key", "k_proj"},
    {"value", "v_proj"},
    {"attention.query", "q_proj"},
    {"attention.key", "k_proj"},
    {"attention.value", "v_proj"},
    {"attention.output.dense", "o_proj"},
    {"dense", "o_proj"},
    {"out_proj", "o_proj|out_proj"},
    {"attn.c_proj", "o_proj"},
    {"intermediate.dense", "intermediate"},
    {"output.dense", "output"},
    {"gate_up_proj", "gate_proj+up_proj"},
    {"w1", "gate_proj"},
    {"w2", "down_proj"},
    {"w3", "up_proj"},
    {"experts.w1", "experts.gate_proj"},
    {"experts.w2", "experts.down_proj"},
    {"experts.w3", "experts.up_proj"},
    {"experts.gate_up_proj", "experts.gate_proj+experts.up_proj"},
    {"shared_experts.gate_up_proj", "shared_experts.gate_proj+shared_experts.up_proj"},
    {"gate", "router"},
    {"router.proj", "router"},
    {"router.layer", "router"},
    {"kv_b_proj", "kv_b_proj+kv_b_proj.k+kv_b_proj.v"}, /* whole, or halves where they are absorbed */
    {"in_proj_qkv", "in_proj_qkvz"},
    {"in_proj_z", "in_proj_qkvz"},
    {"in_proj_b", "in_proj_ba"},
    {"in_proj_a", "in_proj_ba"},
    /* GGUF */
    {"token_embd", "embed"},
    {"position_embd", "embed_positions"},
    {"token_types", "embed_token_types"},
    {"per_layer_token_embd", "embed_per_layer"},
    {"per_layer_model_proj", "per_layer_model_projection"},
    {"attn_q", "q_proj"},
    {"attn_k", "k_proj"},
    {"attn_v", "v_proj"},
    {"attn_qkv", "q_proj+k_proj+v_proj"},
    {"attn_output", "o_proj"},
    {"attn_q_a", "q_a_proj"},
    {"attn_q_b", "q_b_proj"},
    {"attn_kv_a_mqa", "kv_a_proj_with_mqa"},
    {"attn_kv_b", "kv_b_proj+kv_b_proj.k+kv_b_proj.v"},
    {"attn_k_b", "kv_b_proj|kv_b_proj.k"},
    {"attn_v_b", "kv_b_proj|kv_b_proj.v"},
    {"ffn_gate", "gate_proj"},
    {"ffn_up", "up_proj|fc1|c_fc|dense_h_to_4h|intermediate"},
    {"ffn_down", "down_proj|fc2|c_proj|dense_4h_to_h|output"},
    {"ffn_gate_inp", "router"},
    {"ffn_gate_exps", "experts.gate_proj"},
    {"ffn_up_exps", "experts.up_proj"},
    {"ffn_down_exps", "experts.down_proj"},
    {"ffn_gate_up_exps", "experts.gate_proj+experts.up_proj"},
    {"ffn_gate_shexp", "shared_experts.gate_proj|shared_expert.gate_proj"},
    {"ffn_up_shexp", "shared_experts.up_proj|shared_expert.up_proj"},
    {"ffn_down_shexp", "shared_experts.down_proj|shared_expert.down_proj"},
    {"ffn_gate_inp_shexp", "shared_expert_gate"},
};

static const char *const wrappers[] = {
    "self_attn",        "attn",  "attention", "self_attention", "mlp", "feed_forward",
    "block_sparse_moe", "mixer", "moe",       "linear_attn",    "ffn", NULL};

/* Where a model hangs in the classes around it. */
static const char *const holders[] = {
    "model",   "transformer", "language_model", "text_model", "gpt_neox", "decoder", "backbone", "bert",
    "roberta", "vit",         "encoder",        "base_model", NULL};

static const char *const block_words[] = {"layers", "layer", "h", "blocks", "block", "blk", NULL};

static bool is_among(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && strncmp(*words, word, length) == 0)
            return true;
    return false;
}

static bool is_number(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)word[i]))
            return false;
    return length > 0 && length < 8;
}

/* "a.b" behind its first word; NULL where there is but one. */
static const char *behind(const char *way)
{
    const char *dot = strchr(way, '.');

    return dot ? dot + 1 : NULL;
}

/* Behind the words that hold the model, and "layers.<i>.", whose number it sets. */
static const char *into_block(const char *name, int64_t *block)
{
    const char *rest = name;

    *block = -1;
    for (;;) {
        size_t length = strcspn(rest, ".");
        const char *next = behind(rest);
        size_t digits = next ? strcspn(next, ".") : 0;

        if (!next)
            return rest;
        if (next[digits] == '.' && is_number(next, digits) && is_among(rest, length, block_words)) {
            char number[16];

            snprintf(number, sizeof number, "%.*s", (int)digits, next);
            sim_parse_int(number, block);
            return next + digits + 1;
        }
        if (!is_among(rest, length, holders))
            return rest;
        rest = next;
    }
}

/* Of "experts.17.down_proj" the number goes, which stands for all. */
static void drop_expert(char *way)
{
    char *at = strstr(way, "experts.");

    if (at && (at == way || at[-1] == '.' || at[-1] == '_')) {
        char *number = at + strlen("experts.");
        size_t digits = strcspn(number, ".");

        if (number[digits] == '.' && is_number(number, digits))
            memmove(number, number + digits + 1, strlen(number + digits + 1) + 1);
    }
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static void add_layers(const char *list, sim_tensor_name *out)
{
    out->together = strchr(list, '+') != NULL;
    while (*list && out->layer_count < SIM_TENSOR_LAYERS_MAX) {
        size_t length = strcspn(list, "+|");

        snprintf(out->layers[out->layer_count++], SIM_TENSOR_NAME_MAX, "%.*s", (int)length, list);
        list += length;
        list += *list != '\0';
    }
}

static const char *alias_of(const char *way)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].way, way) == 0)
            return aliases[i].layers;
    return NULL;
}

void sim_tensor_name_read(const char *name, sim_tensor_name *out)
{
    char copy[2 * SIM_TENSOR_NAME_MAX];
    const char *way, *at, *layers = NULL;

    *out = (sim_tensor_name){.block = -1};
    if (strlen(name) >= sizeof copy)
        return;
    memcpy(copy, name, strlen(name) + 1);
    out->part = cut_ending(copy);
    drop_expert(copy);
    way = into_block(copy, &out->block);
    /* GGUF's "output" is the head, but HF's is a part of a block. */
    if (out->block < 0 && strcmp(way, "output") == 0)
        way = "lm_head";
    /* The longest known way, then what is left without wrappers. */
    for (at = way; !(layers = alias_of(at)) && is_among(at, strcspn(at, "."), wrappers) && behind(at);)
        at = behind(at);
    way = at;
    if (strlen(way) < SIM_TENSOR_NAME_MAX)
        add_layers(layers ? layers : way, out);
}
