/* A decoder-only transformer in one vocabulary, whatever family its config.json belongs to: what llm_config.c
 * reads and llm.c expands. Private to these two. */
#ifndef SIM_INPUT_LLM_MODEL_H
#define SIM_INPUT_LLM_MODEL_H

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Deeper models than this are taken for a slip (the deepest published ones have some 130 layers). */
#define SIM_LLM_LAYERS_MAX 10000

typedef struct sim_llm_model {
    const char *model_type; /* static */
    int line;               /* of the config object */

    int64_t layers, hidden, vocab;
    int64_t heads, kv_heads, head_dim;
    int64_t ffn;            /* width of the feed-forward network */
    int64_t embed_width;    /* of the token embedding; where it is not `hidden`, two projections bridge it */
    int64_t position_rows;  /* learned positions; 0: none */
    int64_t sliding_window; /* keys that a query sees, its own included; 0: all */

    bool rope;
    bool gated_ffn; /* act(gate) * up, else act(up) */
    bool pre_norm;  /* norms before attention and FFN, else after their residual additions */
    bool final_norm;
    bool tied; /* lm_head shares the token embedding */
    bool qkv_bias, o_bias, ffn_bias;

    int64_t norm_params;      /* parameters of a norm per element: RMSNorm 1, LayerNorm 2 */
    double norm_ops, act_ops; /* vector operations per element */

    /* Layer names, after HF. ffn_gate is NULL unless gated_ffn. */
    const char *attn_norm_name, *ffn_norm_name, *final_norm_name;
    const char *ffn_gate_name, *ffn_up_name, *ffn_down_name;
} sim_llm_model;

/* Reads a config object. All errors of the object are reported together; on failure `out` is undefined. */
sim_status sim_llm_read_config(const sim_json *config, const char *file, sim_llm_model *out, sim_err *err);

#endif
