/* The nouns of the work: numbers, layers, workloads. Included by types.h, which everyone includes. */
#ifndef SIM_MODEL_WORK_H
#define SIM_MODEL_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- numbers ---------------------------------------------------------------------------------- */

typedef enum sim_format {
    SIM_FORMAT_INT,
    SIM_FORMAT_FP,
    SIM_FORMAT_BF,
    SIM_FORMAT_FP8,
    SIM_FORMAT_MXFP,
    SIM_FORMAT_NVFP,
    SIM_FORMAT_COUNT,
} sim_format;

extern const char *const sim_format_names[SIM_FORMAT_COUNT + 1]; /* "int" "fp" ...; NULL-terminated */

/* A number format; bits 0 means "not given". */
typedef struct sim_number {
    sim_format format;
    int bits; /* 1..32 */
} sim_number;

/* How activations get their scales, where they are quantized for the products of linear layers
 * (model/numerics.h says what that costs). Unset: not said; priced like none, as if the integers fell from
 * the sky. */
typedef enum sim_scales {
    SIM_SCALES_UNSET,
    SIM_SCALES_NONE,
    SIM_SCALES_PER_TOKEN,  /* found for each token as it comes (SmoothQuant O1) */
    SIM_SCALES_PER_TENSOR, /* one, found for the whole tensor as it comes (O2) */
    SIM_SCALES_STATIC,     /* one, known beforehand (O3) */
    SIM_SCALES_COUNT
} sim_scales;

extern const char *const sim_scales_names[SIM_SCALES_COUNT + 1]; /* "" "none" "per_token" ... */

/* What a policy says of one layer. */
typedef struct sim_precision {
    sim_number w, a, kv;
    int group;      /* weights (and KV elements) along k per scale and zero point; 0: no scales counted */
    int group_bits; /* that a group of weights takes beside them; 0: a scale of 16 bits and a zero point of
                       the weights' width */
    sim_scales scales;
    double outliers_frac; /* of the input features, that share is multiplied in 16-bit floats beside
                             (LLM.int8()); 0: not said, below 0: none */
} sim_precision;

/* ---- workload --------------------------------------------------------------------------------- */

typedef enum sim_phase {
    SIM_PHASE_NONE,
    SIM_PHASE_PREFILL,
    SIM_PHASE_DECODE,
    SIM_PHASE_GENERATE,
    SIM_PHASE_COUNT
} sim_phase;

extern const char *const sim_phase_names[SIM_PHASE_COUNT + 1]; /* "" "prefill" "decode" "generate" */

/* How a model with multi-head latent attention (DeepSeek V2, V3) multiplies: over the latent cache itself, or
 * over keys and values expanded from it. Auto: expanded in prefill, over the cache in decode. */
typedef enum sim_mla { SIM_MLA_AUTO, SIM_MLA_ABSORBED, SIM_MLA_PLAIN, SIM_MLA_COUNT } sim_mla;

extern const char *const sim_mla_names[SIM_MLA_COUNT + 1]; /* "auto" "absorbed" "plain" */

typedef enum sim_op {
    SIM_OP_MATMUL,
    SIM_OP_CONV2D,
    SIM_OP_SOFTMAX,
    SIM_OP_NORM,
    SIM_OP_ELEMENTWISE,
    SIM_OP_EMBEDDING,
    SIM_OP_QUANTIZE,
    SIM_OP_ALLREDUCE, /* sums of m x n elements, over all devices that share the layer, to each of them */
    SIM_OP_ALLTOALL,  /* m x n elements of each device, spread over all that share the layer */
    SIM_OP_SEND,      /* m x n elements to the next device of a pipeline */
    SIM_OP_ALLGATHER, /* m x n elements of each device, to each of them */
    SIM_OP_COUNT,
} sim_op;

extern const char *const sim_op_names[SIM_OP_COUNT + 1];

/* Where the second operand of a product comes from. */
typedef enum sim_weights {
    SIM_WEIGHTS_STATIC,  /* parameters: in weight_bytes, at w bits */
    SIM_WEIGHTS_DYNAMIC, /* another activation: not in weight_bytes, at its own w bits or else a bits */
    SIM_WEIGHTS_KV,      /* the KV cache: not in weight_bytes, at kv bits */
} sim_weights;

typedef struct sim_conv2d {
    int64_t images, h_in, w_in, c_in, c_out, kernel_h, kernel_w, stride, padding, groups;
} sim_conv2d;

/* Which earlier tokens the tokens of a pass attend to. A pass handles `new_tokens` tokens of each sequence
 * after `past_tokens` that are already in the cache; of several steps each starts where the one before ended.
 * model/reach.h counts keys and pairs. */
typedef struct sim_reach {
    int64_t past_tokens, new_tokens;
    int64_t window; /* keys that a token sees, its own included; 0: all */
    int64_t chunk;  /* a token sees only its own chunk of this many positions; 0: none */
    int64_t stride; /* keys stand for so many positions each, and are seen once all of these are past
                       (compressed attention); 0: one. Neither window nor chunk then */
    int64_t top_k;  /* at most so many of those keys are read (sparse attention); 0: all */
    bool masked;    /* causal: a token sees no later one; else all of the pass */
} sim_reach;

/* How many rows a cache keeps of a sequence: one for each `stride` tokens (0: for each), of which older ones
 * make room for newer beyond a window or a chunk (0: none). A state does not grow: one row. */
typedef struct sim_cache_law {
    bool grows;
    int64_t window, chunk, stride;
} sim_cache_law;

/* The extent of a layer that counts keys. */
typedef enum sim_along {
    SIM_ALONG_N, /* qk, softmax */
    SIM_ALONG_K, /* pv */
    SIM_ALONG_M, /* keys and values expanded from a latent cache: m is a multiple of the keys */
} sim_along;

typedef struct sim_layer {
    const char *name; /* "layers.0.q_proj" */
    int line;         /* of the workload file; 0 when expanded from a model */
    sim_op op;
    int64_t repeat; /* equal instances that this entry stands for, at least 1 */
    bool scattered; /* these do not follow each other, but each an equal of the entry before (model/fold.h) */
    sim_phase phase; /* which a model's layer belongs to; SIM_PHASE_NONE in explicit lists */
    int64_t steps; /* passes that the entry stands for, one after another (decode steps, chunks of a prompt);
                      0: one. Where `attends`, n or k grow from step to step; m, n, k, needed_macs and map_*
                      are those of the first */
    bool attends;  /* one extent, `along`, follows `reach` */
    sim_along along;
    sim_reach reach;
    bool later_pass;  /* the same layer stands in an earlier pass: its parameters are counted there */
    int64_t devices;  /* that run this instance side by side, each its own share (tensor parallel); 0: one.
                         m, n, k and all numbers of an instance are one device's */
    bool repeated;    /* all of these devices do the same: macs count it once, everything else each time */
    int64_t all_macs; /* of all devices together, where that is not their number times one's; 0: it is */
    int64_t
        spare_n;   /* of the n outputs of all devices together (of an embedding: the k rows of its table), so
                      many do not exist (a vocabulary that the devices do not divide): not in weight_bytes */
    int64_t stage; /* of a pipeline; 0: the first */

    /* matmul and conv2d (as im2col: m = images*h_out*w_out, n = c_out/groups, k = kernel*c_in/groups,
     * batch = groups). Vector operations: m rows (tokens) of n elements, `batch` times; k is 0.
     * Embedding: m look-ups of n elements in a table of k rows. */
    int64_t m, n, k, batch;
    sim_conv2d conv;      /* only for SIM_OP_CONV2D */
    sim_weights weights;  /* matmul, conv2d */
    sim_precision own;    /* bits the layer brings itself; 0 where it does not */
    bool from_checkpoint; /* own bits are those of a checkpoint: formats that the back end lacks become
                             integers of the same width, or of 8 bits */
    bool keep_float;      /* lm_head and embeddings: float where the back end has it, else 8 bits */

    /* Of the m*n*k*batch multiply-accumulates, exactly so many are needed: a causal mask, experts whose
     * tokens do not fill m. Work and traffic are those of the box m x map_n x map_k, where map_* are given,
     * that holds as many (rounded up). 0: all. */
    int64_t needed_macs, map_n, map_k;
    int64_t stored_batch; /* static weights: matrices stored, of which `batch` are read (experts that no token
                             chose are not); 0: batch */
    int64_t kv_row_elements; /* of weights from the cache: elements of one row of it (head dimension) */
    int64_t kv_outputs;      /* of the n outputs, those that are rows of the KV cache, stored at kv bits */
    bool same_input; /* reads the same activations as the product before it (k_proj, v_proj, up_proj) */
    bool a_on_chip, out_on_chip; /* fused attention: scores never reach DRAM */
    bool w_on_chip;              /* the second operand has just been computed, and never reaches DRAM */
    /* Rows of the KV cache (or of a recurrent state) that this instance holds in memory when the last step is
     * done, all sequences, and elements of one: stored at kv bits, each row padded. 0: none of its own. */
    int64_t cache_rows, cache_row_elements;
    int64_t cache_sets; /* of rows, each of which keeps what `cache_law` says: sequences times KV heads */
    sim_cache_law cache_law;
    bool tied; /* static weights that another layer already holds (a tied lm_head): not in weight_bytes */

    int in_bits, out_bits; /* width of what is read and left: of vector operations exactly, of products'
                              outputs at least; 0: as the machine has it */
    double folded_ops;     /* vector operations at the outputs of the instance, beside its own: no traffic */

    int inputs;             /* vector operations: operand tensors read (a residual add reads 2) */
    double ops_per_element; /* vector operations: vector-lane operations per output element */
    int64_t param_elements; /* further parameters (norm weights; biases, of a matmul too, added at the array's
                               output), stored at 16 bits */
} sim_layer;

typedef struct sim_workload {
    const char *name, *file;
    sim_phase phase; /* SIM_PHASE_NONE for an explicit layer list */
    int64_t batch;   /* sequences of a model, images of a list of convolutions; 0 unknown */
    int64_t tokens;  /* tokens handled: prompt tokens (times batch) in prefill, batch in a decode step; 0
                        unknown */
    const sim_layer *layers; /* in order of execution, one entry per instance of a model's layer */
    int64_t layer_count;
    int64_t cached_tokens;     /* of a sequence, when the phase is done; 0: there is no cache */
    int64_t kv_cache_elements; /* elements of K and V that the phase reads or leaves, all layers; 0: none */
    const char *model_type;    /* "llama"; NULL for an explicit layer list */
    const char *quantized_by;  /* method of the checkpoint's own bits ("fp8", "gptq"); NULL: it has none */
    const char *quantization_unknown; /* why its quantization_config was passed over; NULL: it was not */
    int64_t parameters;        /* stored elements of the whole model, norms and biases included; 0 unknown */
    int64_t parameters_active; /* of these, without the experts that a token does not choose */
    int64_t devices;           /* that the model is spread over: shares of each block times stages; 0: one */
    int64_t stages;            /* of the pipeline; 0: one */
    bool cache_copied;         /* devices of a stage hold some rows of the cache more than once */
} sim_workload;

#endif
