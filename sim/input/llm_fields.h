/* Fields of a config.json, declared: key, kind, where the value goes, what its absence means. Families
 * (llm_family.h) list theirs; the reader reports every slip of a list with its line. */
#ifndef SIM_INPUT_LLM_FIELDS_H
#define SIM_INPUT_LLM_FIELDS_H

#include "input/llm_model.h"

#include <stddef.h>

/* What families read; 0 and false where a family has no such field. Names are this project's: each family
 * says which key fills which. */
typedef struct sim_llm_fields {
    int64_t layers, hidden, vocab;
    int64_t heads, kv_heads, head_dim, rope_dim, window;
    int64_t ffn, embed_width, positions, token_types;
    double act_ops;
    bool tied, attention_bias, o_bias, ffn_bias, head_bias;
    bool qk_norm;  /* RMSNorms on each head of queries and keys */
    bool soft_cap; /* scores are squashed by a tanh */

    int64_t experts, top_k, expert_width, shared_experts, shared_width;
    int64_t dense_first, moe_step; /* leading dense layers; every how many-th layer has experts */

    int64_t q_lora, kv_lora, nope_dim, v_head_dim;
    int64_t index_heads, index_dim, index_top_k;
    int64_t o_groups, o_lora;

    int64_t key_heads, key_dim, value_heads, value_dim, conv_kernel;

    int64_t image_size, patch_size, channels;
    int64_t draft_blocks;
} sim_llm_fields;

typedef enum sim_llm_field_kind {
    SIM_LLM_COUNT,      /* int64_t, at least 1 */
    SIM_LLM_SIZE,       /* int64_t, at least 0: 0 means that there is none */
    SIM_LLM_FLAG,       /* bool */
    SIM_LLM_ACTIVATION, /* double: vector operations per element of the function named */
} sim_llm_field_kind;

typedef struct sim_llm_field {
    const char *key; /* NULL ends a list */
    sim_llm_field_kind kind;
    size_t offset; /* in sim_llm_fields */
    bool required;
    int64_t fallback;  /* count, flag, or operations; a count's 0 means "not given" to the family */
    int64_t max;       /* of a count */
    const char *older; /* another name that files have for it; NULL */
} sim_llm_field;

/* NOLINTBEGIN(bugprone-macro-parentheses): designated initialisers cannot stand in parentheses */
#define SIM_LLM_FIELD_(name, what, member)                                                                   \
    .key = (name), .kind = (what), .offset = offsetof(sim_llm_fields, member)
#define SIM_LLM_ANY_ .max = INT64_MAX - 2

#define SIM_LLM_REQUIRED(key, member)                                                                        \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_COUNT, member), .required = true, SIM_LLM_ANY_                           \
    }
/* Under either name. */
#define SIM_LLM_EITHER(key, other, member)                                                                   \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_COUNT, member), .required = true, .older = other, SIM_LLM_ANY_           \
    }
#define SIM_LLM_OPTIONAL(key, member, otherwise)                                                             \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_COUNT, member), .fallback = otherwise, SIM_LLM_ANY_                      \
    }
#define SIM_LLM_MAYBE(key, member)                                                                           \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_SIZE, member), SIM_LLM_ANY_                                              \
    }
#define SIM_LLM_MAYBE_EITHER(key, other, member)                                                             \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_SIZE, member), .older = other, SIM_LLM_ANY_                              \
    }
#define SIM_LLM_DEPTH(key)                                                                                   \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_COUNT, layers), .required = true, .max = SIM_LLM_LAYERS_MAX              \
    }
#define SIM_LLM_DEPTH_EITHER(key, other)                                                                     \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_COUNT, layers), .required = true, .older = other,                        \
                                                    .max = SIM_LLM_LAYERS_MAX                                \
    }
#define SIM_LLM_FLAG(key, member, otherwise)                                                                 \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_FLAG, member), .fallback = otherwise                                     \
    }
#define SIM_LLM_ACT(key, otherwise)                                                                          \
    {                                                                                                        \
        SIM_LLM_FIELD_(key, SIM_LLM_ACTIVATION, act_ops), .fallback = otherwise                              \
    }
#define SIM_LLM_END                                                                                          \
    {                                                                                                        \
        .key = NULL                                                                                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

typedef struct sim_llm_reader {
    const sim_json *config; /* the object that is read */
    const sim_json *around; /* the one whose text_config it is, or itself */
    const char *file;
    sim_err *err;
    sim_arena *arena;
    sim_status status; /* of the first error */
} sim_llm_reader;

/* Reads a list of fields into `out`; what was there of other fields stays. */
void sim_llm_read_fields(sim_llm_reader *r, const sim_llm_field *fields, sim_llm_fields *out);

/* A member that is there and not null; NULL. tie_word_embeddings is also looked for around a text_config. */
const sim_json *sim_llm_member(const sim_llm_reader *r, const char *key);
int sim_llm_line(const sim_llm_reader *r, const char *key); /* of the member, or of the object */
bool sim_llm_flag(sim_llm_reader *r, const char *key, bool fallback);
/* A count of at least 0, or `fallback`. */
int64_t sim_llm_count(sim_llm_reader *r, const char *key, int64_t fallback);
/* Operations of the activation function that a member names, or `fallback`. */
double sim_llm_activation(sim_llm_reader *r, const char *key, double fallback);

/* An error in the model, at a member's line. The hint may follow by sim_hint. */
void sim_llm_wrong(sim_llm_reader *r, const char *key, const char *format, ...) SIM_PRINTF(3, 4);
/* "'key' is missing from the model", with the member that looks like it. */
void sim_llm_missing(sim_llm_reader *r, const char *key);

/* The texts of a list such as layer_types, one per layer: sets out[i] to the index in `words`
 * (NULL-terminated) of each. False: there is no such list; its slips (length, unknown words) are errors. */
bool sim_llm_words(sim_llm_reader *r, const char *key, int64_t count, const char *const *words, int *out);

/* KV heads and head dimension where the config leaves them to be derived: kv_heads = heads, head_dim = hidden
 * / heads. Says what does not divide. */
void sim_llm_finish_heads(sim_llm_reader *r, sim_llm_fields *f);

#endif
