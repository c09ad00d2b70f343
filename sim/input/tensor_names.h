/* Names of tensors in checkpoints -> names of this project's layers.
 *
 *   model.layers.3.self_attn.q_proj.weight     layers.3.q_proj
 *   model.layers.3.mlp.experts.7.down_proj.weight_scale     layers.3.experts.down_proj, a scale
 *   blk.3.attn_qkv.weight                      layers.3.q_proj k_proj v_proj, which it holds together
 *
 * HF's names after the modules of transformers' models; GGUF's after
 * https://github.com/ggml-org/llama.cpp, gguf-py/gguf/constants.py (TENSOR_NAMES). */
#ifndef SIM_INPUT_TENSOR_NAMES_H
#define SIM_INPUT_TENSOR_NAMES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum sim_tensor_part {
    SIM_TENSOR_WEIGHT, /* elements of the matrix, perhaps packed */
    SIM_TENSOR_BIAS,
    SIM_TENSOR_SCALE, /* of groups, rows or blocks of weights */
    SIM_TENSOR_ZERO,  /* zero points of the same */
    SIM_TENSOR_OTHER, /* no parameter: permutations, shapes and maps of a quantizer, tables, masks */
} sim_tensor_part;

enum { SIM_TENSOR_LAYERS_MAX = 5, SIM_TENSOR_NAME_MAX = 96 };

typedef struct sim_tensor_name {
    int64_t block; /* -1: of no block */
    sim_tensor_part part;
    /* Names that the layer may have, without its "layers.<i>."; where `together`, the tensor holds all of
     * them, else it is the first of these that the model has. */
    char layers[SIM_TENSOR_LAYERS_MAX][SIM_TENSOR_NAME_MAX];
    int layer_count;
    bool together;
} sim_tensor_name;

/* Never fails: a name that is not understood becomes itself, without the words that say where it hangs. One
 * that is too long has no layers. */
void sim_tensor_name_read(const char *name, sim_tensor_name *out);

#endif
