/* Transformer models: the fields of a HF config.json -> layers of one phase.
 *
 * Layers come in order of execution, one entry per instance, named after HF:
 *
 *   llama, mistral  embed; layers.<i>.{input_layernorm q_proj k_proj v_proj rope qk softmax pv o_proj
 *                   attn_residual post_attention_layernorm gate_proj up_proj act down_proj ffn_residual};
 *                   norm; lm_head
 *   opt             embed [project_in] embed_positions embed_sum; layers.<i>.{self_attn_layer_norm q_proj
 *                   k_proj v_proj qk softmax pv o_proj attn_residual final_layer_norm fc1 act fc2
 *                   ffn_residual}; [final_layer_norm] [project_out]; lm_head
 *
 * HF's `out_proj` of OPT is called o_proj, so that one policy serves all families. In a post-norm model
 * (OPT-350m) each norm follows its residual addition.
 *
 * Shapes, with B sequences of T new tokens (T = 1 in decode) that see S keys each (prefill: S = T; decode:
 * S = context_tokens + 1; a sliding window of W bounds S by W in decode), H query heads, G KV heads of D
 * elements and H/G = `group`:
 *
 *   linears          m = B T, n = outputs, k = inputs; a bias is added at the array's output: no layer of
 *                    its own, its parameters are in param_elements
 *   qk               m = T group, n = S, k = D, batch = B G: the heads that share a KV head are one GEMM,
 *                    so that the cache is read once
 *   softmax          B H T rows of S
 *   pv               m = T group, n = D, k = S, batch = B G
 *   rope             B T rows of (H + G) D: the queries and the new keys
 *   act              B T rows of the FFN width; gated: act(gate) * up, two operands
 *   embed            B T look-ups;  lm_head  m = B: only the last token of each sequence is needed
 *
 * Attention is fused: scores stay on chip. Row t of a causal prefill sees min(t, W) keys; `causal_macs` is
 * the exact count of the MACs that are left, over all of `batch`; map_n (qk, softmax) and map_k (pv) are the
 * mean number of keys, rounded up.
 *
 * A context beyond max_position_embeddings is not refused: it changes no shape. */
#ifndef SIM_INPUT_LLM_H
#define SIM_INPUT_LLM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

/* How MLA (DeepSeek V2, V3) multiplies: over the latent cache itself, or over keys and values expanded from
 * it. */
typedef enum sim_llm_mla { SIM_MLA_AUTO, SIM_MLA_ABSORBED, SIM_MLA_PLAIN } sim_llm_mla;

typedef struct sim_llm_request {
    sim_phase phase;
    int64_t batch;          /* sequences, at least 1 */
    int64_t prompt_tokens;  /* prefill, generate: tokens per sequence, at least 1 */
    int64_t chunk_tokens;   /* prefill, generate: the prompt goes in chunks of so many tokens; 0: whole */
    int64_t context_tokens; /* decode: tokens already in the cache, 0 or more (negative: not given); the step
                             * attends to these and its own */
    int64_t draft_tokens;   /* decode: so many drafted tokens are verified beside the next one; 0: none */
    int64_t new_tokens;     /* generate: tokens per sequence, at least 1; the first comes of the prefill */
    bool full_attention;    /* count the whole square instead of what a causal mask leaves of it */
    bool merged;            /* q, k, v in one product, and gate and up, as serving engines run them */
    sim_llm_mla mla;        /* auto: plain in prefill, absorbed in decode */
    int64_t tensor_parallel, pipeline_parallel; /* devices; 0: 1 */
} sim_llm_request;

/* Expands `config` (an object of config.json fields; unknown fields are ignored, as is everything around
 * the `text_config` of a multimodal model) into out->layers and the fields that describe the model. `file`
 * is for messages. Sets everything of `out` but name and file; on failure `out` is untouched.
 *
 * SIM_BAD_INPUT: a field that is missing, of the wrong type or impossible, each with its line; an unknown
 * model_type (the known ones are listed); a number that the phase needs and the request lacks.
 * SIM_OVERFLOW: elements or MACs of one layer, parameters or cache elements beyond 63 bits. */
sim_status sim_llm_expand(const sim_json *config, const char *file, const sim_llm_request *request,
                          sim_arena *arena, sim_workload *out, sim_err *err);

/* Known model types, NULL-terminated. */
extern const char *const sim_llm_model_types[];

#endif
