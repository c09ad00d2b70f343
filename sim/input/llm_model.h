/* A transformer in one vocabulary, whatever family its config.json belongs to: what the families
 * (llm_config.c, family_*.c) read and the expansion (llm*.c) writes out. Private to these.
 *
 * A model is a list of blocks; a block mixes tokens (attention or what stands for it), then features (FFN).
 * Kinds of mixers and FFNs are few per model: blocks point into two short tables. */
#ifndef SIM_INPUT_LLM_MODEL_H
#define SIM_INPUT_LLM_MODEL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "input/llm.h"

#include <stdbool.h>
#include <stdint.h>

/* Deeper models than this are taken for a slip (the deepest published ones have some 130 layers). */
#define SIM_LLM_LAYERS_MAX 10000

/* ---- mixing tokens ------------------------------------------------------------------------------- */

typedef enum sim_llm_mixer_kind {
    SIM_MIXER_NONE,       /* the block has none (Nemotron's pruned or FFN-only blocks) */
    SIM_MIXER_ATTENTION,  /* heads queries share kv_heads keys and values: MHA, GQA, MQA */
    SIM_MIXER_MLA,        /* multi-head latent attention: the cache holds one latent row per token */
    SIM_MIXER_COMPRESSED, /* DeepSeek V4: one row per token is key and value of all heads, seen through a
                           * window; older rows are read as compressed ones */
    SIM_MIXER_LINEAR,     /* one linear of hidden x hidden in place of attention */
    SIM_MIXER_DELTA,      /* gated delta rule (Qwen3-Next, Qwen3.5): a state per head, no cache */
    SIM_MIXER_MAMBA2,     /* state-space duality (Nemotron-H): a state per head, no cache */
    SIM_MIXER_KINDS
} sim_llm_mixer_kind;

typedef struct sim_llm_mixer {
    sim_llm_mixer_kind kind;

    /* attention; MLA uses heads, the masks and the biases */
    int64_t heads, kv_heads, head_dim, v_head_dim; /* v_head_dim: of values and of the output of a head */
    int64_t rope_dim;   /* rotated elements of a head; 0: none (learned positions, ALiBi, NoPE) */
    int64_t window;     /* keys that a query sees, its own included; 0: all */
    int64_t chunk;      /* attends only within its chunk of this many positions; 0: none (Llama 4) */
    bool bidirectional; /* an encoder: every token sees all */
    bool q_bias, kv_bias, o_bias;
    bool k_is_v;      /* values are the keys: no v_proj, one row cached (Gemma 4's global layers) */
    bool shares_kv;   /* no k_proj, v_proj of its own: reads an earlier block's cache (Gemma 3n, 4) */
    bool output_gate; /* q_proj has twice the outputs; half of them gate the attention's output */
    int64_t q_norm_params, k_norm_params; /* of RMSNorms on queries and keys, all heads; 0: none */
    int64_t qk_norm_ops; /* vector operations per element of those norms; 0: there are none */
    bool v_norm;         /* values are normalised too, without parameters (Gemma 4) */
    int64_t score_ops;   /* further vector operations per score: ALiBi adds (1), a soft cap (3) */
    int64_t sink_params; /* learned sinks, one per head (gpt-oss); 0: none */

    /* MLA: q = q_b(norm(q_a(x))) or q_proj(x); the latent and the rotated key come from kv_a(x) */
    int64_t q_lora;            /* 0: q_proj */
    int64_t kv_lora, nope_dim; /* rope_dim and v_head_dim as above */
    /* sparse attention: an indexer scores all keys, each query reads the best of them (DeepSeek 3.2, GLM-5)
     */
    int64_t index_heads, index_dim, index_top_k; /* 0: none */
    /* DeepSeek V4: heads, head_dim, rope_dim, window and q_lora as above; one compressed row per
     * `compress_ratio` tokens (0: the window alone), all of which are read, or those that an indexer picks
     * (then rows are made of twice as many tokens, overlapping); a low-rank output projection in groups */
    int64_t compress_ratio, o_groups, o_lora;

    /* gated delta rule and Mamba 2 */
    int64_t key_heads, key_dim, value_heads, value_dim; /* Mamba: groups, state size, heads, head dimension */
    int64_t conv_kernel;                                /* of the depthwise convolution over time */
    int64_t state_chunk; /* tokens that one chunk of the matrix form takes; 0: 64 */
    bool conv_bias, in_out_bias;
} sim_llm_mixer;

/* ---- mixing features ----------------------------------------------------------------------------- */

typedef enum sim_llm_ffn_kind {
    SIM_FFN_NONE,
    SIM_FFN_DENSE,
    SIM_FFN_MOE,   /* a router and experts, of which each token takes top_k; shared experts take all */
    SIM_FFN_LINEAR /* one linear of hidden x hidden */
} sim_llm_ffn_kind;

typedef struct sim_llm_ffn {
    sim_llm_ffn_kind kind;
    int64_t width;  /* dense; of a MoE: the dense FFN beside the experts (Gemma 4), 0: none */
    bool gated;     /* act(gate) * up, else act(up) */
    bool bias;      /* also of experts */
    double act_ops; /* vector operations per element */

    int64_t experts, top_k, expert_width;
    int64_t shared_width;        /* all shared experts together; 0: none */
    bool shared_gate;            /* a linear to 1 output scales the shared expert (Qwen MoE) */
    bool router_bias;            /* also the correction bias of DeepSeek V3's router */
    int64_t router_scale_params; /* of scales on the router's input and output (Gemma 4); 0: none */

    /* Layer names, after HF: gate NULL unless gated; the last two are prefixes of gate, up, down. */
    const char *gate_name, *up_name, *down_name, *router_name;
    const char *experts_name, *shared_name; /* "experts", "shared_experts" */
    /* Norms of a MoE with a dense FFN beside it: after the dense part, before and after the experts. NULL:
     * there is none. */
    const char *dense_norm_name, *experts_norm_name, *experts_post_norm_name;
} sim_llm_ffn;

/* ---- blocks and model ---------------------------------------------------------------------------- */

/* Where the norms of a block stand. */
typedef enum sim_llm_norms {
    SIM_NORMS_PRE,       /* before attention and before the FFN */
    SIM_NORMS_POST,      /* after each residual addition (BERT, OPT-350m, GLM-130B) */
    SIM_NORMS_SANDWICH,  /* before and after both (Gemma 2, 3) */
    SIM_NORMS_PARALLEL,  /* one norm, attention and FFN of it side by side, one sum (Falcon-7B, Phi, GPT-J) */
    SIM_NORMS_PARALLEL2, /* the same with a norm for each (Falcon-40B) */
    SIM_NORMS_SINGLE,    /* one norm per block, which has a mixer or an FFN, not both (Nemotron-H) */
} sim_llm_norms;

typedef struct sim_llm_block {
    int mixer, ffn; /* indices */
} sim_llm_block;

/* What comes before the blocks. */
typedef enum sim_llm_input {
    SIM_INPUT_TOKENS,
    SIM_INPUT_PATCHES, /* a convolution over an image, stride = kernel (ViT) */
} sim_llm_input;

typedef struct sim_llm_model {
    const char *model_type; /* static */
    int line;               /* of the config object */

    int64_t hidden, vocab;
    const sim_llm_mixer *mixers;
    const sim_llm_ffn *ffns;
    const sim_llm_block *blocks;
    int mixer_count, ffn_count;
    int64_t block_count;
    sim_llm_norms norms;

    sim_llm_input input;
    int64_t image_size, patch_size, channels; /* patches */
    bool class_token;                         /* one more token than patches */
    int64_t embed_width;     /* of the token embedding; where it is not `hidden`, two projections bridge it */
    int64_t position_rows;   /* learned positions; 0: none */
    int64_t token_type_rows; /* BERT; 0: none */
    bool embed_norm;         /* a norm after the embedding (BLOOM, BERT) */
    bool embed_scale;        /* embeddings are multiplied by a constant (Gemma) */
    /* Gemma 3n, 4: a second embedding gives each block this many elements per token of its own; 0: none */
    int64_t block_embed_width, block_embed_rows;
    /* DeepSeek V4: this many residual streams, mixed before and after each part of a block; 0: one, plain */
    int64_t residual_streams, mixing_rounds;
    bool encoder; /* no cache, no decode, all tokens see all */

    bool final_norm;
    int64_t head_outputs;  /* outputs of the last linear: the vocabulary, classes; 0: there is none */
    bool tied, head_bias;  /* tied: shares the token embedding */
    bool head_on_all;      /* the last linear takes all tokens (masked LM), not the last or first one alone */
    const char *head_name; /* NULL: "lm_head" */
    bool pooler;           /* hidden x hidden on the first token, tanh (BERT) */
    bool logit_softcap;    /* tanh of the logits (Gemma 2) */

    int64_t norm_params; /* parameters of a norm per element: RMSNorm 1, LayerNorm 2 */
    double norm_ops;     /* vector operations per element */
    /* after HF; NULL where the placement has no such norm */
    const char *attn_norm_name, *attn_post_norm_name, *ffn_norm_name, *ffn_post_norm_name, *final_norm_name;

    int64_t draft_blocks; /* multi-token prediction heads that the config names; not run, not counted */
} sim_llm_model;

/* Reads a config object; tables live in `arena`. All errors of the object are reported together; on failure
 * `out` is undefined. */
sim_status sim_llm_read_config(const sim_json *config, const char *file, sim_arena *arena, sim_llm_model *out,
                               sim_err *err);

/* Writes a model out: sim_llm_expand() once its config has been read. The model is taken to be sound (counts
 * at least 1 where they are not optional, heads a multiple of kv_heads, top_k at most experts). */
sim_status sim_llm_expand_model(const sim_llm_model *model, const char *file, const sim_llm_request *request,
                                sim_arena *arena, sim_workload *out, sim_err *err);

#endif
