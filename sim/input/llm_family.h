/* Families of transformers: which fields of config.json each reads, and what its architecture fixes.
 *
 * A family is a const object, `sim_llm_<name>`, in one of the family_*.c; SIM_LLM_FAMILIES lists the
 * model_type of each. Optional fields fall back to what HF's configuration class of the family says; sizes
 * never do, for a silently assumed size is a wrong answer (Gemma 3's published configs leave sizes to their
 * class: there they do). `null` is the same as absent, as in HF. */
#ifndef SIM_INPUT_LLM_FAMILY_H
#define SIM_INPUT_LLM_FAMILY_H

#include "input/llm_fields.h"

typedef struct sim_llm_family {
    const sim_llm_field *fields;
    /* Fills in `model`, whose blocks are there (fields->layers of them, all with mixer 0 and ffn 0). Not
     * called for a config whose fields had errors. */
    void (*build)(sim_llm_reader *r, sim_llm_fields *f, sim_llm_model *model);
} sim_llm_family;

/* model_type, object; kin beside each other, as error messages list them */
#define SIM_LLM_FAMILIES(X)                                                                                  \
    X("llama", llama)                                                                                        \
    X("llama4", llama4)                                                                                      \
    X("llama4_text", llama4)                                                                                 \
    X("mistral", mistral)                                                                                    \
    X("ministral", mistral)                                                                                  \
    X("mixtral", mixtral)                                                                                    \
    X("phi3", phi3)                                                                                          \
    X("phimoe", phimoe)                                                                                      \
    X("qwen2", qwen2)                                                                                        \
    X("qwen2_moe", qwen2_moe)                                                                                \
    X("qwen3", qwen3)                                                                                        \
    X("qwen3_moe", qwen3_moe)                                                                                \
    X("qwen3_vl", qwen3)                                                                                     \
    X("qwen3_vl_text", qwen3)                                                                                \
    X("qwen3_vl_moe", qwen3_moe)                                                                             \
    X("qwen3_vl_moe_text", qwen3_moe)                                                                        \
    X("qwen3_next", qwen3_next)                                                                              \
    X("qwen3_5", qwen3_5)                                                                                    \
    X("qwen3_5_text", qwen3_5)                                                                               \
    X("qwen3_5_moe", qwen3_next)                                                                             \
    X("qwen3_5_moe_text", qwen3_next)                                                                        \
    X("minimax_m2", minimax_m2)                                                                              \
    X("gpt_oss", gpt_oss)                                                                                    \
    X("deepseek_v2", deepseek_v2)                                                                            \
    X("deepseek_v3", deepseek_v3)                                                                            \
    X("deepseek_v32", deepseek_v32)                                                                          \
    X("deepseek_v4", deepseek_v4)                                                                            \
    X("kimi_k2", deepseek_v3)                                                                                \
    X("glm_moe_dsa", deepseek_v32)                                                                           \
    X("gemma", gemma)                                                                                        \
    X("gemma2", gemma2)                                                                                      \
    X("gemma3", gemma3)                                                                                      \
    X("gemma3_text", gemma3)                                                                                 \
    X("gemma4", gemma4)                                                                                      \
    X("gemma4_text", gemma4)                                                                                 \
    X("opt", opt)                                                                                            \
    X("gpt2", gpt2)                                                                                          \
    X("gpt_neox", gpt_neox)                                                                                  \
    X("bloom", bloom)                                                                                        \
    X("falcon", falcon)                                                                                      \
    X("chatglm", chatglm)                                                                                    \
    X("glm", glm)                                                                                            \
    X("glm4", glm4)                                                                                          \
    X("granite", granite)                                                                                    \
    X("starcoder2", starcoder2)                                                                              \
    X("nemotron_h", nemotron_h)                                                                              \
    X("nemotron-nas", nemotron_nas)                                                                          \
    X("bert", bert)                                                                                          \
    X("roberta", roberta)                                                                                    \
    X("vit", vit)

#define SIM_LLM_DECLARE(type, name) extern const sim_llm_family sim_llm_##name;
SIM_LLM_FAMILIES(SIM_LLM_DECLARE)
#undef SIM_LLM_DECLARE

/* ---- what builders share ------------------------------------------------------------------------- */

/* The index of a mixer or FFN equal to this one, which is added when there is none. */
int sim_llm_mixer_index(sim_llm_model *model, const sim_llm_mixer *mixer);
int sim_llm_ffn_index(sim_llm_model *model, const sim_llm_ffn *ffn);
/* Blocks, for builders to set. */
sim_llm_block *sim_llm_blocks(sim_llm_model *model);

/* Grouped-query attention with rotated heads, from heads, kv_heads, head_dim, rope_dim, window and biases. */
sim_llm_mixer sim_llm_gqa(const sim_llm_fields *f);
/* The gated FFN of Llama: gate_proj, up_proj, down_proj. */
sim_llm_ffn sim_llm_gated(const sim_llm_fields *f, int64_t width);
/* An ungated one with these names. */
sim_llm_ffn sim_llm_plain(const sim_llm_fields *f, const char *up, const char *down);
/* Experts of Llama's FFN; checks that top_k of them are there. No shared expert. */
sim_llm_ffn sim_llm_experts(sim_llm_reader *r, const sim_llm_fields *f, const char *top_k_key,
                            const char *experts_key);

/* RMSNorms before both halves, named as Llama's, a final one, a head over the vocabulary. */
void sim_llm_like_llama(const sim_llm_fields *f, sim_llm_model *model);
/* LayerNorms with bias under these names. */
void sim_llm_layer_norms(sim_llm_model *model, const char *attention, const char *ffn, const char *last);

/* All blocks with these two. */
void sim_llm_uniform(sim_llm_model *model, const sim_llm_mixer *mixer, const sim_llm_ffn *ffn);
/* Which layers attend to a window: as layer_types says, else those where (i + 1) % pattern is not 0 (pattern
 * 0: none). NULL: out of memory, which is recorded. */
bool *sim_llm_sliding(sim_llm_reader *r, const sim_llm_fields *f, int64_t pattern);
/* All blocks with Llama's FFN, and with the window of `f` where they slide. */
void sim_llm_slide(const sim_llm_fields *f, const bool *slides, sim_llm_model *model);

#endif
