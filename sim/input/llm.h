/* Transformer models: the fields of a HF config.json -> layers of one phase.
 *
 * A phase is a list of passes. A pass takes T new tokens of each of B sequences, P of which are in the cache
 * before it; equal passes that follow each other are one entry per layer with `steps`:
 *
 *   prefill      (P 0, T prompt_tokens), or in chunks (0, chunk_tokens) x whole chunks and one for the rest
 *   decode       (context_tokens, 1), with drafts (context_tokens, draft_tokens + 1)
 *   generate     the passes of its prefill, which yield the first new token, then
 *                (prompt_tokens, 1) x (new_tokens - 1)
 *
 * Layers come in order of execution, one entry per instance and pass, named after HF. Each line of a block is
 * there only where the model has it:
 *
 *   input        embed [project_in] [embed_scale] [embed_positions] [embed_token_types] [embed_sum]
 *                [embed_norm]; of images patch_embed (a convolution) in place of embed
 *   layers.<i>.  norms (as the family calls them: input_layernorm, post_attention_layernorm, ...), a mixer of
 *                tokens, attn_residual, norms, an FFN, ffn_residual; side by side one sum, `residual`
 *   output       the last norm (norm, final_layer_norm, ...) [project_out] [pooler pooler_act]
 *                [lm_head [logits_softcap]], of classifiers their own name for lm_head
 *
 *   attention    q_proj k_proj v_proj [q_norm k_norm v_norm] [rope] qk softmax pv [attn_gate] o_proj
 *   MLA          q_a_proj q_a_layernorm q_b_proj, or q_proj; kv_a_proj_with_mqa kv_a_layernorm rope; indexer;
 *                plain:    kv_b_proj qk softmax pv o_proj
 *                absorbed: kv_b_proj.k qk softmax pv kv_b_proj.v o_proj
 *   indexer      indexer.{wq_b wk k_norm weights_proj qk act topk}
 *   compressed   (DeepSeek V4) q_a_proj q_norm q_b_proj q_head_norm kv_proj kv_norm rope qk softmax pv;
 *                compressor.{kv_proj gate_proj pool kv_norm};
 *                indexer.{q_b_proj weights_proj kv_proj gate_proj pool kv_norm qk act topk};
 *                qk_compressed softmax_compressed pv_compressed; rope_out o_a_proj o_b_proj
 *   delta rule   in_proj_qkvz in_proj_ba conv1d qk_norm state_rates; state; state_norm out_proj
 *   Mamba 2      in_proj conv1d state_rates; state; state_norm out_proj
 *   state        one token: state_read state_mix state_update state_decay; several: state_scores
 *                state_decays [state_inverse state_wy] state_read state_mix state_out state_update
 *                state_decay
 *   linear       linear_attn, linear_mlp: one linear in place of a mixer or an FFN
 *   FFN          gate_proj up_proj act down_proj; plain ones without gate, under their names (fc1 act fc2)
 *   experts      [the dense FFN beside them] router experts_topk
 *                experts.{gate_proj up_proj act down_proj}
 *                [shared_experts.{gate_proj up_proj act down_proj} [shared_experts_gate]] experts_sum
 *   streams      (DeepSeek V4) before each part attn_hc_norm attn_hc attn_hc_weights attn_collapse, or the
 *                same with ffn; at the end hc_norm hc_head collapse
 *   second embedding (Gemma 3n, 4)
 *                embed_per_layer per_layer_model_projection per_layer_projection_norm per_layer_sum;
 *                per block per_layer_input_gate per_layer_act per_layer_projection
 *                post_per_layer_input_norm per_layer_residual
 *
 * With `merged`, qkv_proj stands for q_proj, k_proj and v_proj, and gate_up_proj for gate_proj and up_proj.
 * HF's `out_proj` of OPT is called o_proj, and so on, so that one policy serves all families. In a post-norm
 * model (OPT-350m, BERT) each norm follows its residual addition.
 *
 * Shapes, with S keys that any of a pass's tokens sees (model/reach.h: prefill S = T; decode S = P + 1; less
 * with windows and chunks), H query heads, G KV heads of D elements (values of Dv) and H/G = `group`:
 *
 *   linears          m = B T, n = outputs, k = inputs; a bias is added at the array's output: no layer of
 *                    its own, its parameters are in param_elements
 *   qk               m = T group, n = S, k = D, batch = B G: the heads that share a KV head are one GEMM,
 *                    so that the cache is read once
 *   softmax          B H T rows of S
 *   pv               m = T group, n = Dv, k = S, batch = B G
 *   rope             B T rows of (H + G) D, of what is rotated: the queries and the new keys
 *   act              B T rows of the FFN width; gated: act(gate) * up, two operands
 *   embed            B T look-ups;  lm_head  m = B: only the last token of each sequence of a prompt is
 *                    needed; all B T in decode, of encoders with a head for each token
 *
 *   MLA absorbed     qk m = T H, n = S, k = latent + rotated, batch = B; pv n = latent: all heads share the
 *                    cache; kv_b_proj.k and .v are H products of m = B T
 *   MLA plain        kv_b_proj m = B S: it expands what is cached, too; qk and pv as if G = H, of activations
 *   indexer          qk m = T index_heads, n = S, k = index_dim, batch = B; then attention reads at most
 *                    index_top_k keys per token. Keys that several tokens of a pass choose are read once
 *   experts          batch = experts expected to be read (llm_ffn.c), m = rows of each, rounded up;
 * needed_macs is exact; stored_batch = all of them. experts.act B T top_k rows; experts_sum adds top_k
 *                    outputs, and those of shared and dense parts
 *   state            llm_state.c
 *   conv1d           B T rows, on the vector unit; a decode step reads the tokens before it, too
 *   patch_embed      a convolution whose stride is its kernel, as im2col m = B patches
 *
 * Attention is fused: scores stay on chip, and so does what the state products leave for each other. Row t of
 * a causal prefill sees min(t, W) keys with a window W; `needed_macs` is the exact count of the MACs that are
 * left, over all of `batch`; map_n (qk, softmax) and map_k (pv) are the mean number of keys, rounded up.
 *
 * The cache (cache_rows of the entries of the last pass; kv_cache_elements in all) is what a sequence keeps
 * when the phase is over: keys and values of all tokens, of a window or a chunk at most so many; MLA's latent
 * rows; the indexer's keys; compressed rows; states and convolution tails, whatever the context. All of it is
 * stored at kv bits. Encoders keep nothing.
 *
 * A context beyond max_position_embeddings is not refused: it changes no shape. */
#ifndef SIM_INPUT_LLM_H
#define SIM_INPUT_LLM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

enum { SIM_DEVICES_MAX = 65536 };

typedef struct sim_llm_request {
    sim_phase phase;
    int64_t batch;           /* sequences, at least 1 */
    int64_t prompt_tokens;   /* prefill, generate: tokens per sequence, at least 1 */
    int64_t chunk_tokens;    /* prefill, generate: the prompt goes in chunks of so many tokens; 0: whole */
    int64_t context_tokens;  /* decode: tokens already in the cache, 0 or more (negative: not given); the step
                              * attends to these and its own */
    int64_t draft_tokens;    /* decode: so many drafted tokens are verified beside the next one; 0: none */
    int64_t new_tokens;      /* generate: tokens per sequence, at least 1; the first comes of the prefill */
    bool full_attention;     /* count the whole square instead of what a causal mask leaves of it */
    bool merged;             /* q, k, v in one product, and gate and up, as serving engines run them */
    sim_mla mla;             /* auto: plain in prefill, absorbed in decode */
    int64_t tensor_parallel; /* devices that share each block; 0: 1 */
    int64_t pipeline_parallel; /* stages that the blocks are spread over; 0: 1 */
    bool expert_parallel;      /* devices share experts as a whole, not the width of each */
} sim_llm_request;

/* Expands `config` (an object of config.json fields; unknown fields are ignored, as is everything around
 * the `text_config` of a multimodal model) into out->layers and the fields that describe the model. `file`
 * is for messages. Sets everything of `out` but name and file; on failure `out` is untouched.
 *
 * SIM_BAD_INPUT: a field that is missing, of the wrong type or impossible, each with its line; an unknown
 * model_type (the known ones are listed); a number that the phase needs and the request lacks; a phase that
 * an encoder does not have.
 * SIM_OVERFLOW: elements or MACs of one layer, over all its steps, parameters or cache elements beyond 63
 * bits. */
sim_status sim_llm_expand(const sim_json *config, const char *file, const sim_llm_request *request,
                          sim_arena *arena, sim_workload *out, sim_err *err);

/* Known model types, NULL-terminated. */
extern const char *const sim_llm_model_types[];

#endif
