/* Metadata of a GGUF file -> fields of a config.json, by the names that the families read.
 *
 * Keys after https://github.com/ggml-org/llama.cpp, gguf-py/gguf/constants.py (Keys); "<arch>." is left out
 * of them here. */
#include "input/import.h"

#include "input/json_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
    const char *key, *field;
    bool required;
} row;

typedef enum trait {
    TRAIT_LATENT = 1,    /* MLA: dimensions of heads come in parts */
    TRAIT_FALCON = 2,    /* the second norm tells the newer blocks */
    TRAIT_BIASES = 4,    /* attention_bias and mlp_bias follow from the tensors that are there */
    TRAIT_SOFTCAPS = 8,  /* a cap that is not there is none */
    TRAIT_NO_HEADS = 16, /* the dimension of a head is always hidden / heads */
} trait;

/* Under these names in most families. */
static const row usual[] = {
    {"block_count", "num_hidden_layers", true},
    {"embedding_length", "hidden_size", true},
    {"attention.head_count", "num_attention_heads", true},
    {"attention.head_count_kv", "num_key_value_heads", false},
    {"context_length", "max_position_embeddings", false},
    {"attention.sliding_window", "sliding_window", false},
    {NULL, NULL, false},
};

static const row dense[] = {{"feed_forward_length", "intermediate_size", true}, {NULL, NULL, false}};
static const row mixtral[] = {{"feed_forward_length", "intermediate_size", true},
                              {"expert_count", "num_local_experts", true},
                              {"expert_used_count", "num_experts_per_tok", true},
                              {NULL, NULL, false}};
static const row expert_width[] = {{"expert_feed_forward_length", "intermediate_size", true},
                                   {"expert_count", "num_local_experts", true},
                                   {"expert_used_count", "num_experts_per_tok", true},
                                   {NULL, NULL, false}};
static const row qwen_moe[] = {
    {"feed_forward_length", "intermediate_size", false},
    {"expert_feed_forward_length", "moe_intermediate_size", true},
    {"expert_shared_feed_forward_length", "shared_expert_intermediate_size", false},
    {"expert_count", "num_experts", true},
    {"expert_used_count", "num_experts_per_tok", true},
    {NULL, NULL, false},
};
static const row llama4[] = {
    {"expert_feed_forward_length", "intermediate_size", true},
    {"feed_forward_length", "intermediate_size_mlp", true},
    {"expert_count", "num_local_experts", true},
    {"expert_used_count", "num_experts_per_tok", true},
    {"interleave_moe_layer_step", "interleave_moe_layer_step", false},
    {"attention.chunk_size", "attention_chunk_size", false},
    {NULL, NULL, false},
};
static const row latent[] = {
    {"feed_forward_length", "intermediate_size", true},
    {"expert_feed_forward_length", "moe_intermediate_size", false},
    {"expert_count", "n_routed_experts", false},
    {"expert_used_count", "num_experts_per_tok", false},
    {"expert_shared_count", "n_shared_experts", false},
    {"leading_dense_block_count", "first_k_dense_replace", false},
    {"attention.q_lora_rank", "q_lora_rank", false},
    {"attention.kv_lora_rank", "kv_lora_rank", true},
    {"rope.dimension_count", "qk_rope_head_dim", true},
    {"attention.indexer.head_count", "index_n_heads", false},
    {"attention.indexer.key_length", "index_head_dim", false},
    {"attention.indexer.top_k", "index_topk", false},
    {NULL, NULL, false},
};
static const row falcon[] = {{"feed_forward_length", "ffn_hidden_size", false},
                             {"attention.head_count_kv", "num_kv_heads", false},
                             {NULL, NULL, false}};
static const row gpt2[] = {
    {"block_count", "n_layer", true},          {"embedding_length", "n_embd", true},
    {"attention.head_count", "n_head", true},  {"context_length", "n_positions", true},
    {"feed_forward_length", "n_inner", false}, {NULL, NULL, false},
};
static const row chatglm[] = {
    {"feed_forward_length", "ffn_hidden_size", true},
    {"attention.head_count_kv", "multi_query_group_num", false},
    {NULL, NULL, false},
};

static const struct architecture {
    const char *name, *model_type;
    const row *rows;
    int traits;
} architectures[] = {
    {"llama", "llama", dense, TRAIT_BIASES},
    {"mistral3", "mistral", dense, 0},
    {"llama4", "llama4_text", llama4, 0},
    {"qwen2", "qwen2", dense, 0},
    {"qwen2moe", "qwen2_moe", qwen_moe, 0},
    {"qwen3", "qwen3", dense, 0},
    {"qwen3moe", "qwen3_moe", qwen_moe, 0},
    {"phi3", "phi3", dense, TRAIT_NO_HEADS},
    {"phimoe", "phimoe", mixtral, TRAIT_NO_HEADS},
    {"gemma", "gemma", dense, 0},
    {"gemma2", "gemma2", dense, TRAIT_SOFTCAPS},
    {"gemma3", "gemma3_text", dense, 0},
    {"gpt-oss", "gpt_oss", expert_width, 0},
    {"deepseek2", "deepseek_v2", latent, TRAIT_LATENT},
    {"deepseek32", "deepseek_v32", latent, TRAIT_LATENT},
    {"glm-dsa", "glm_moe_dsa", latent, TRAIT_LATENT},
    {"minimax-m2", "minimax_m2", expert_width, 0},
    {"falcon", "falcon", falcon, TRAIT_FALCON | TRAIT_NO_HEADS},
    {"bloom", "bloom", dense, TRAIT_NO_HEADS},
    {"gpt2", "gpt2", gpt2, TRAIT_NO_HEADS},
    {"gptneox", "gpt_neox", dense, TRAIT_NO_HEADS},
    {"starcoder2", "starcoder2", dense, TRAIT_NO_HEADS},
    {"granite", "granite", dense, TRAIT_BIASES},
    {"glm4", "glm4", dense, 0},
    {"chatglm", "chatglm", chatglm, TRAIT_NO_HEADS},
    {"bert", "bert", dense, TRAIT_NO_HEADS},
};

enum { ARCHITECTURES = sizeof architectures / sizeof *architectures };

typedef struct reader {
    const sim_checkpoint *checkpoint;
    const struct architecture *arch;
    sim_json_maker make;
    sim_json_open root;
    sim_err *err;
    sim_status status;
} reader;

/* ---- values ---------------------------------------------------------------------------------------- */

static const sim_gguf_pair *pair_of(const reader *r, const char *key)
{
    char whole[160];

    snprintf(whole, sizeof whole, "%s.%s", r->arch->name, key);
    return sim_gguf_get(&r->checkpoint->gguf, whole);
}

/* A count; a list gives it for each layer, all the same. False: absent or 0, or wrong and reported. */
static bool count_of(reader *r, const char *key, int64_t *out)
{
    const sim_gguf_pair *pair = pair_of(r, key);
    int64_t value = 0;

    *out = 0;
    for (int64_t i = 0; pair && i < pair->count; i++) {
        if (!sim_gguf_int(pair, i, &value) || value < 0) {
            r->status = sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0,
                                 "'%s' must be a count of at least 0", pair->key);
            return false;
        }
        if (i > 0 && value != *out) {
            r->status = sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0,
                                 "'%s' differs from layer to layer (%" PRId64 " and %" PRId64 ")", pair->key,
                                 *out, value);
            sim_hint(r->err, "give the model's config.json, which says what each layer is");
            return false;
        }
        *out = value;
    }
    return *out > 0;
}

static const sim_tensor *tensor_of(const reader *r, const char *name)
{
    return sim_checkpoint_find(r->checkpoint, name);
}

static void put_rows(reader *r, const row *rows)
{
    for (; rows->key; rows++) {
        int64_t value;
        sim_status before = r->status;

        if (count_of(r, rows->key, &value)) {
            if (!sim_json_get(r->root.value, rows->field))
                sim_json_make_int(&r->make, &r->root, rows->field, value);
        } else if (rows->required && r->status == before) {
            r->status = sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0, "'%s.%s' is missing",
                                 r->arch->name, rows->key);
        }
    }
}

/* ---- what follows from tensors --------------------------------------------------------------------- */

/* The vocabulary has as many rows as are embedded; a file without tensors says it in its metadata. */
static void put_vocabulary(reader *r)
{
    const sim_tensor *embedding = tensor_of(r, "token_embd.weight");
    const sim_gguf_pair *tokens = sim_gguf_get(&r->checkpoint->gguf, "tokenizer.ggml.tokens");
    int64_t rows = 0;

    if (embedding && embedding->rank == 2)
        rows = embedding->shape[0];
    else if (!count_of(r, "vocab_size", &rows) && tokens && tokens->is_array)
        rows = tokens->count;
    if (rows > 0)
        sim_json_make_int(&r->make, &r->root, "vocab_size", rows);
    else
        r->status = sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0,
                             "neither a tensor nor a key says how many tokens there are");
    if (embedding) /* without tensors nobody knows */
        sim_json_make_bool(&r->make, &r->root, "tie_word_embeddings", tensor_of(r, "output.weight") == NULL);
}

static void put_heads(reader *r)
{
    int64_t key = 0, value = 0, rotated = 0;

    if (r->arch->traits & TRAIT_LATENT) {
        if (!count_of(r, "attention.key_length_mla", &key) && !count_of(r, "attention.key_length", &key))
            return;
        if (!count_of(r, "attention.value_length_mla", &value))
            count_of(r, "attention.value_length", &value);
        count_of(r, "rope.dimension_count", &rotated);
        sim_json_make_int(&r->make, &r->root, "qk_nope_head_dim", key - rotated);
        sim_json_make_int(&r->make, &r->root, "v_head_dim", value);
    } else if (!(r->arch->traits & TRAIT_NO_HEADS) && count_of(r, "attention.key_length", &key)) {
        sim_json_make_int(&r->make, &r->root, "head_dim", key);
    }
}

static void put_traits(reader *r)
{
    const int traits = r->arch->traits;
    double cap;

    if (traits & TRAIT_BIASES) {
        sim_json_make_bool(&r->make, &r->root, "attention_bias", tensor_of(r, "blk.0.attn_q.bias") != NULL);
        sim_json_make_bool(&r->make, &r->root, "mlp_bias", tensor_of(r, "blk.0.ffn_up.bias") != NULL);
    }
    if (traits & TRAIT_FALCON) {
        int64_t kv = 0;

        sim_json_make_bool(&r->make, &r->root, "new_decoder_architecture",
                           tensor_of(r, "blk.0.attn_norm_2.weight") != NULL);
        count_of(r, "attention.head_count_kv", &kv);
        sim_json_make_bool(&r->make, &r->root, "multi_query", kv == 1);
    }
    if (traits & TRAIT_SOFTCAPS) {
        static const char *const caps[][2] = {{"attn_logit_softcapping", "attn_logit_softcapping"},
                                              {"final_logit_softcapping", "final_logit_softcapping"}};

        for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
            if (sim_gguf_real(pair_of(r, caps[i][0]), 0, &cap) && cap > 0)
                sim_json_make_real(&r->make, &r->root, caps[i][1], cap);
            else
                sim_json_make(&r->make, &r->root, caps[i][1], SIM_JSON_NULL);
    }
}

/* Which of several families an architecture is. */
static const char *model_type_of(const reader *r)
{
    const char *name = r->arch->name;
    int64_t gating = 0;

    if (strcmp(name, "llama") == 0 && pair_of(r, "expert_count"))
        return "mixtral";
    /* DeepSeek V3 weighs experts by sigmoids (2), V2 by a softmax (1). */
    if (strcmp(name, "deepseek2") == 0 && sim_gguf_int(pair_of(r, "expert_gating_func"), 0, &gating) &&
        gating == 2)
        return "deepseek_v3";
    return r->arch->model_type;
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static sim_status no_architecture(const reader *r, const char *name)
{
    char known[SIM_ERR_HINT] = "";
    size_t length = 0;

    for (int i = 0; i < ARCHITECTURES && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   architectures[i].name);
    if (name)
        sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0, "unknown 'general.architecture' '%s'", name);
    else
        sim_fail(r->err, SIM_BAD_INPUT, r->checkpoint->name, 0, "'general.architecture' is missing");
    sim_hint(r->err, "known: %s; for others give the model's config.json", known);
    return SIM_BAD_INPUT;
}

sim_status sim_import_gguf(const sim_checkpoint *checkpoint, sim_arena *arena, const sim_json **root,
                           sim_err *err)
{
    const char *name = sim_gguf_text(&checkpoint->gguf, "general.architecture");
    reader r = {.checkpoint = checkpoint, .make = {.arena = arena}, .err = err};
    bool has_experts;

    for (int i = 0; name && i < ARCHITECTURES; i++)
        if (strcmp(architectures[i].name, name) == 0)
            r.arch = &architectures[i];
    if (!r.arch)
        return no_architecture(&r, name);
    r.root = sim_json_make(&r.make, NULL, NULL, SIM_JSON_OBJECT);
    sim_json_make_text(&r.make, &r.root, "model_type", model_type_of(&r));
    has_experts = strcmp(model_type_of(&r), "mixtral") == 0;
    put_rows(&r, has_experts ? mixtral : r.arch->rows);
    put_rows(&r, usual);
    put_vocabulary(&r);
    put_heads(&r);
    put_traits(&r);
    if (r.make.failed)
        return sim_fail(err, SIM_NO_MEMORY, checkpoint->name, 0, "out of memory");
    *root = r.root.value;
    return r.status;
}
