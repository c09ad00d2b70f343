/* The bits that a checkpoint says it was quantized to -> the layers' own precision.
 *
 * Read are `quantization_config` of a config.json and the `quantization` of an hf_quant_config.json:
 *
 *   fp8, fbgemm_fp8           E4M3 weights and activations; scales per tensor, row or block of 128 x 128 are
 * not counted gptq, awq, auto-round     bits, group_size: integer weights in groups along k, 16-bit
 * activations compressed-tensors        config_groups: weights and input_activations by num_bits and type;
 * ignore modelopt                  quant_algo FP8, NVFP4, W4A16_AWQ, W4A8_AWQ, INT8_SQ,
 * W8A8_SQ_PER_CHANNEL_PER_TOKEN, MIXED_PRECISION with quantized_layers; kv_cache_quant_algo; exclude_modules
 *   mxfp4                     4-bit weights in blocks of 32 sharing an exponent, 16-bit activations
 *   bitsandbytes              load_in_8bit (LLM.int8(): 8-bit weights and activations), load_in_4bit (groups
 * of 64, 16-bit activations)
 *
 * Modules that stay out, by name, glob or "re:" with regular expressions of `.*` alone, keep torch_dtype; so
 * do lm_head and embeddings, and all activations outside of products. Names of modules are HF's:
 * model.layers.<i>.self_attn.q_proj; those of layers are ours: layers.<i>.q_proj. */
#ifndef SIM_INPUT_QUANT_CONFIG_H
#define SIM_INPUT_QUANT_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

/* Sets `own` and `from_checkpoint` of the layers. `config`: of the model; `beside`: an hf_quant_config.json,
 * or NULL. *method gets the name of the method, NULL where neither object says anything; layers are then
 * untouched.
 *
 * SIM_BAD_INPUT, with the line: an unknown method or algorithm, bits that are no number from 1 to 16. */
sim_status sim_quant_config_apply(const sim_json *config, const sim_json *beside, const char *file,
                                  const char *beside_file, sim_arena *arena, sim_layer *layers, int64_t count,
                                  const char **method, sim_err *err);

#endif
