/* The nouns of simacc: arch, workload, policy, result. Plain structs, const after loading.
 *
 * A GEMM is out[m][n] += a[m][k] * w[k][n]: m = tokens, n = output features, k = input features,
 * `batch` independent products (attention heads). Counts are int64_t, physics is double, and every
 * quantity carries its unit in its name. */
#ifndef SIM_MODEL_TYPES_H
#define SIM_MODEL_TYPES_H

#include "model/link_spec.h"

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
    int group; /* weights (and KV elements) along k per scale and zero point; 0: no scales counted */
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

/* ---- policy ----------------------------------------------------------------------------------- */

typedef struct sim_policy_rule {
    const char *glob;        /* matched against layer names; the last match wins, field by field */
    sim_precision precision; /* fields with bits 0 are left as they were; group -1: unchanged */
} sim_policy_rule;

typedef struct sim_policy {
    const char *name;   /* as given: "w4a8", or the file's name */
    const char *file;   /* NULL for a uniform policy */
    sim_precision base; /* bits 0: the layer's own bits, else 8 */
    bool overrides_own; /* an explicit uniform policy beats the layers' own bits */
    const sim_policy_rule *rules;
    int64_t rule_count;
    /* Precisions by position among the layers with weights of their own (conv2d, and matmul with static
     * weights), as HAQ prints its policies; applied before the rules. The count must be the workload's. */
    const sim_precision *positions;
    int64_t position_count; /* 0: none */
} sim_policy;

/* ---- arch ------------------------------------------------------------------------------------- */

typedef enum sim_dataflow {
    SIM_DATAFLOW_WS,
    SIM_DATAFLOW_OS,
    SIM_DATAFLOW_IS,
    SIM_DATAFLOW_AUTO,
    SIM_DATAFLOW_STREAM
} sim_dataflow;
typedef enum sim_timing { SIM_TIMING_PIPELINED, SIM_TIMING_SERIAL, SIM_TIMING_SCALESIM } sim_timing;
typedef enum sim_tiles { SIM_TILES_ANY, SIM_TILES_POW2_PADDED } sim_tiles;
typedef enum sim_map_latency {
    SIM_LATENCY_PIPELINE,
    SIM_LATENCY_OVERLAP,
    SIM_LATENCY_ROOFLINE
} sim_map_latency;
/* How an array runs a convolution. */
typedef enum sim_conv_method {
    SIM_CONV_AUTO,          /* as the back end does */
    SIM_CONV_IMPLICIT_GEMM, /* folds over kernel positions and channels; the input itself is moved and
                               buffered */
    SIM_CONV_DIRECT,        /* one kernel position after another, folds over channels alone */
    SIM_CONV_IM2COL,        /* a product with the expanded input, which is what is moved and buffered */
} sim_conv_method;
typedef enum sim_dram_layout { SIM_LAYOUT_TILED, SIM_LAYOUT_ROW_MAJOR } sim_dram_layout;
typedef enum sim_activations { SIM_ACTIVATIONS_DRAM, SIM_ACTIVATIONS_ON_CHIP } sim_activations;

/* Operands of a GEMM and their buffers. */
typedef enum sim_operand {
    SIM_OPERAND_WEIGHT,
    SIM_OPERAND_INPUT,
    SIM_OPERAND_OUTPUT,
    SIM_OPERAND_COUNT
} sim_operand;

extern const char *const sim_operand_names[SIM_OPERAND_COUNT + 1]; /* "weight" "input" "output" */
extern const char *const sim_dataflow_names[];                     /* "ws" "os" "is" "auto" "stream" */

/* How far the numbers of an energy table can be trusted, worst first. */
typedef enum sim_provenance { SIM_ASSUMED, SIM_MEASURED, SIM_PUBLISHED, SIM_PROVENANCE_COUNT } sim_provenance;
extern const char *const sim_provenance_names[SIM_PROVENANCE_COUNT + 1];

typedef struct sim_sram_point {
    double size_bytes;
    double read_pj_per_bit, write_pj_per_bit;
    double leak_mw, area_mm2;
} sim_sram_point;

/* Energy and area at one technology node, already scaled to it. */
typedef struct sim_tech {
    const char *name, *file;
    double node_nm;
    /* Fixed PE of native widths w x a: c0 + c1 (w+a)/2 + c2 w a, pJ per MAC, pipeline registers included. */
    double mac_c0_pj, mac_c1_pj, mac_c2_pj;
    double mac_leak_uw, mac_area_um2; /* of a fixed 8x8 PE; scaled with w*a/64 for others */
    double fusion8_pj, fusion16_pj;   /* fusion unit, pJ per unit and cycle, widest operand 8 or 16 */
    double fusion8_leak_uw, fusion16_leak_uw, fusion8_area_um2, fusion16_area_um2;
    double register_pj_per_bit; /* one bit through one register (a hop) */
    double vector_pj_per_op;    /* one vector-lane operation */
    double vector_lane_leak_uw, vector_lane_area_um2;
    const sim_sram_point *sram; /* by rising size, at least two points */
    int64_t sram_count;
    /* Tables of single buffers whose words are of another width than the common table's; count 0: common. */
    const sim_sram_point *sram_of[SIM_OPERAND_COUNT];
    int64_t sram_count_of[SIM_OPERAND_COUNT];
    sim_provenance logic_provenance, sram_provenance, vector_provenance;
} sim_tech;

typedef struct sim_dram_kind {
    const char *name;             /* "lpddr4" */
    double pj_per_bit;            /* at full load, background included */
    double background_frac;       /* of that, the part that is drawn whether or not bits move */
    double rank_gb_s_per_gib;     /* peak bandwidth per capacity of the devices that background_frac is of */
    double curve_efficiency_frac; /* of peak, for long runs of reads alone or writes alone */
    double burst_bytes;           /* a shorter contiguous run costs as much time as this one */
    double turnaround_frac;       /* bus time lost per bit of the rarer direction, in bit times */
    sim_provenance provenance;
} sim_dram_kind;

/* ---- GPUs -------------------------------------------------------------------------------------- */

/* What the multipliers of a GPU work in. */
typedef enum sim_gpu_math {
    SIM_GPU_FP32,
    SIM_GPU_FP16,
    SIM_GPU_BF16,
    SIM_GPU_FP8,
    SIM_GPU_INT8,
    SIM_GPU_INT4,
    SIM_GPU_MATHS,
} sim_gpu_math;

extern const char *const sim_gpu_math_names[SIM_GPU_MATHS + 1]; /* "fp32" "fp16" ... */

/* Kernels that are measured and calibrated, by the names of the measurement CSV. */
typedef enum sim_gpu_kernel_kind {
    SIM_KERNEL_GEMM_FP16,
    SIM_KERNEL_GEMM_BF16,
    SIM_KERNEL_GEMM_FP32,
    SIM_KERNEL_GEMM_W8A8,
    SIM_KERNEL_GEMM_W4A16,
    SIM_KERNEL_GEMM_FP8,
    SIM_KERNEL_GEMM_COUNT,
    SIM_KERNEL_SOFTMAX = SIM_KERNEL_GEMM_COUNT,
    SIM_KERNEL_RMSNORM,
    SIM_KERNEL_QUANTIZE,
    SIM_KERNEL_RESIDUAL,
    SIM_KERNEL_COPY,
    SIM_KERNEL_EMPTY,
    SIM_KERNEL_COUNT,
} sim_gpu_kernel_kind;

extern const char *const sim_gpu_kernel_names[SIM_KERNEL_COUNT + 1]; /* "gemm_fp16" ... "empty" */

typedef enum sim_gpu_regime { SIM_REGIME_BURST, SIM_REGIME_SUSTAINED, SIM_REGIME_COUNT } sim_gpu_regime;
extern const char *const sim_gpu_regime_names[SIM_REGIME_COUNT + 1];

/* Parameters of the latency law of GEMMs, form K of nine (model/gpu.h states it). */
typedef enum sim_gpu_parameter {
    SIM_GPU_C,   /* us: launch and everything that does not overlap */
    SIM_GPU_ES,  /* sustained efficiency of a 128x128 tile, of peak */
    SIM_GPU_EM,  /* efficiency of memory, of peak bandwidth */
    SIM_GPU_Q,   /* sharpness of the blend of compute and memory */
    SIM_GPU_LAM, /* what small tiles lose */
    SIM_GPU_K0,  /* prologue, in elements of k */
    SIM_GPU_AL,  /* how far a partial wave counts as whole */
    SIM_GPU_RR,  /* split-K reduction, of its bytes at peak bandwidth */
    SIM_GPU_TH,  /* throttle: how much slower long kernels run than short ones */
    SIM_GPU_PARAMETERS,
} sim_gpu_parameter;

typedef struct sim_gpu_tile {
    int rows, cols; /* along m and n */
} sim_gpu_tile;

enum { SIM_GPU_TILES_MAX = 16 };

/* What is left of a measurement after the law: log(measured / law) at one m of a weight shape. */
typedef struct sim_gpu_residual {
    int64_t n, k, m; /* rising in (n, k), then in m */
    double log_ratio;
} sim_gpu_residual;

/* One kernel of one implementation in one regime, calibrated. Vector kernels use c, em and floor alone, and
 * row_us. */
typedef struct sim_gpu_kernel {
    sim_gpu_kernel_kind kind;
    const char *impl; /* "cublaslt", "simacc", "cutlass" */
    sim_gpu_regime regime;
    bool is_default; /* of its kind and regime, when no impl is asked for */
    double parameter[SIM_GPU_PARAMETERS];
    double floor_us;                     /* of host-dispatched times; 0: none */
    double tau_us;                       /* length at which throttling is half way */
    double dequant_frac;                 /* W4A16: time per element of a weight tile turned to 16 bits, in
                                            multiply-accumulates of the tensor core */
    double row_us;                       /* softmax, rmsnorm: serial part per element of a row, us */
    int64_t k_step;                      /* k is padded to this */
    int occupancy_least, occupancy_most; /* tiles at once on a multiprocessor: 32768 / (rows*cols), clipped */
    int tile_count;
    sim_gpu_tile tiles[SIM_GPU_TILES_MAX];
    const sim_gpu_residual *residuals; /* of the user's own shapes; may be NULL */
    int64_t residual_count;
    double residual_weight_frac; /* how much of an interpolated residual is applied */
    /* Of the fit. */
    int64_t rows, groups;                /* measurements, and weight shapes (n, k) */
    double mape_pct, held_out_mape_pct;  /* NaN: not known */
    bool from_prior[SIM_GPU_PARAMETERS]; /* parameters that the data did not pin down */
    double clock_mhz;                    /* mean while measured; 0: not recorded */
    const char *source;
} sim_gpu_kernel;

typedef struct sim_gpu_calibration {
    const char *name, *file;
    const char *gpu;       /* the device that was measured */
    const char *source;    /* where the measurements come from */
    double arch_clock_mhz; /* clock of the arch that it was fitted with; 0: not recorded */
    const sim_gpu_kernel *kernels;
    int64_t kernel_count;
} sim_gpu_calibration;

/* The device as its keys (gpu.*) state it. */
typedef struct sim_gpu_device {
    int64_t sms; /* streaming multiprocessors */
    double
        mac_per_cycle_sm[SIM_GPU_MATHS]; /* multiply-accumulates per cycle and multiprocessor; 0: not there */
    double l2_mib;
    int regime;                              /* sim_gpu_regime that runs are priced in */
    double power_cap_w, static_w;            /* board limit; idle and leakage under load */
    double mac_fj[SIM_GPU_MATHS];            /* fJ per multiply-accumulate, on-chip movement included */
    double vector_gop_s;                     /* 10^9 vector operations per second */
    double cap_sharpness;                    /* q of the blend with the power-capped time of a whole step */
    int energy_provenance;                   /* sim_provenance of mac_fj and static_w */
    const char *impl[SIM_KERNEL_GEMM_COUNT]; /* whose calibration a GEMM kernel uses; NULL: the default one */
} sim_gpu_device;

struct sim_backend;

typedef struct sim_arch {
    const char *name, *file;
    const char *backend_name;
    const struct sim_backend *backend;
    double clock_mhz;

    int64_t array_rows, array_cols, array_count;
    int array_dataflow; /* sim_dataflow */
    int array_timing;   /* sim_timing */
    int64_t array_w_bits, array_a_bits, array_acc_bits;
    int64_t array_port_bits; /* weight bits entering per cycle; 0: no limit */
    int array_conv;          /* sim_conv_method */
    bool array_broadcast;    /* bitfusion: one read of the input buffer feeds a whole row */
    bool array_fill;         /* bitfusion: count the cycles that fill and drain the array */
    int64_t array_depth;     /* bitserial: elements of k that one dot-product unit takes at a time */
    int64_t array_w_step_bits, array_a_step_bits; /* bitserial: bits of an operand taken per cycle */
    int64_t array_input_port_bits; /* bitserial: activation bits entering per cycle; 0: no limit */
    int64_t array_slot;            /* bitserial: least elements of k that a packed group occupies */
    int64_t output_bits;
    bool output_read_first;

    double buffer_weight_kib, buffer_input_kib, buffer_output_kib, buffer_unified_kib; /* 0: not there */
    bool double_buffered[SIM_OPERAND_COUNT];
    int activations; /* sim_activations */

    int mapper_tiles;   /* sim_tiles */
    int mapper_latency; /* sim_map_latency */
    double mapper_slack_frac;

    const char *dram_type;
    double dram_bandwidth_gb_s; /* peak, 10^9 bytes per second */
    double dram_capacity_gib;
    double dram_efficiency_frac; /* 0: the type's curve */
    int dram_layout;             /* sim_dram_layout */

    int64_t vector_lanes; /* elements per cycle */
    sim_link link;

    sim_gpu_device gpu;                     /* of a GPU; zero for arrays */
    const char *calibration_name;           /* of the key `calibration`; "none" when there is none */
    const sim_gpu_calibration *calibration; /* NULL: starting values */

    const char *tech_name;
    sim_tech tech;
    sim_dram_kind dram;
    uint64_t id; /* hash of the canonical text of all keys: identifies the design point */
} sim_arch;

/* ---- result ----------------------------------------------------------------------------------- */

typedef enum sim_bound {
    SIM_BOUND_COMPUTE,
    SIM_BOUND_MEMORY,
    SIM_BOUND_PORT,
    SIM_BOUND_LAUNCH,
    SIM_BOUND_VECTOR,
    SIM_BOUND_LINK, /* between devices */
    SIM_BOUND_COUNT
} sim_bound;
extern const char *const sim_bound_names[];

typedef enum sim_objective {
    SIM_OBJECTIVE_BALANCED,
    SIM_OBJECTIVE_LATENCY,
    SIM_OBJECTIVE_ENERGY,
    SIM_OBJECTIVE_EDP,
    SIM_OBJECTIVE_DRAM,
    SIM_OBJECTIVE_COUNT
} sim_objective;
extern const char *const sim_objective_names[SIM_OBJECTIVE_COUNT + 1];

typedef struct sim_energy {
    double mac_j, register_j, sram_j, dram_j, vector_j, static_j;
    double link_j; /* between devices */
} sim_energy;

double sim_energy_total_j(const sim_energy *energy);

typedef struct sim_mapping {
    sim_dataflow dataflow;
    int64_t tile_m, tile_n, tile_k;
    char order[4]; /* outermost first, e.g. "nkm" */
} sim_mapping;

/* One line of the report: `repeat` equal instances, numbers of one instance, which may be the sum over
 * `steps` steps that differ: m, n, k and mapping are then those of the last. Of an instance that several
 * devices share, m, n, k, batch, cycles, latency and mapping are one device's; macs, energy, bytes and bits
 * are those of all of them together. */
typedef struct sim_layer_result {
    const char *name; /* of the group: "layers.0-31.q_proj" */
    sim_op op;
    sim_phase phase; /* which it belongs to; SIM_PHASE_NONE in explicit lists */
    int64_t repeat;
    int64_t steps;          /* that an instance is the sum of, at least 1 */
    int64_t devices;        /* that share it, at least 1 */
    int64_t m, n, k, batch; /* k 0: does not apply */
    sim_number w, a, kv;    /* bits 0: does not apply */
    int64_t macs;           /* matmul and conv2d only */
    int64_t compute_cycles; /* of the array, or of the vector unit for vector operations */
    int64_t memory_cycles;  /* of the DRAM channel */
    int64_t cycles;         /* of the whole, overlap included */
    double latency_s;
    sim_energy energy;
    int64_t dram_read_bytes, dram_write_bytes;
    int64_t link_bytes; /* sent from device to device */
    double sram_read_bits, sram_write_bits;
    double utilization_frac; /* macs / (peak macs per cycle at these bits * cycles) */
    sim_bound bound;
    bool has_mapping;
    sim_mapping mapping;
    double dram_bits_bound; /* max(compulsory, 2 m n k / sqrt(S)) of the DRAM traffic; 0: does not apply */
    double compulsory_dram_bits; /* each operand once */
    bool float_fallback;         /* a float layer that ran on 8-bit integers */
} sim_layer_result;

/* Of the whole system, all devices together; cycles and latency are those of one pass through all stages. */
typedef struct sim_totals {
    int64_t macs, compute_cycles, cycles;
    double latency_s;
    sim_energy energy;
    int64_t dram_read_bytes, dram_write_bytes;
    int64_t weight_bytes, kv_cache_bytes /* -1: none */, peak_memory_bytes;
    int64_t activation_bytes; /* of these, inputs and outputs of the layer that has most, on each device */
    int64_t memory_capacity_bytes; /* DRAM of all devices */
    bool memory_fits;
    /* Sequences that fit with these tokens, and tokens that fit with this batch: of context in decode, of the
     * prompt in prefill, of both prompt and new tokens in generate. -1: no limit, or not a model's. */
    int64_t max_batch, max_context_tokens;
    int64_t devices;             /* at least 1 */
    int64_t device_memory_bytes; /* of the fullest device: what memory_fits is about */
    int64_t link_bytes;          /* sent from device to device */
    double tokens_per_s;         /* NaN: unknown, here and below */
    double time_to_first_token_s, time_per_output_token_s, joules_per_token;
    double arithmetic_intensity_ops_per_byte; /* of DRAM traffic; a multiply-accumulate is two operations */
    double dram_bandwidth_frac;               /* moved, of what peak bandwidth moves in that time */
    double steady_tokens_per_s;               /* with all stages of a pipeline busy */
    double utilization_frac;
    double area_mm2;        /* NaN: unknown */
    double peak_macs_per_s; /* at the operands of the product with the most macs */
    double dram_bandwidth_bytes_per_s;
} sim_totals;

typedef struct sim_result {
    const sim_arch *arch;
    const sim_workload *workload;
    const sim_policy *policy;
    sim_totals totals;
    const sim_layer_result *layers; /* grouped, in order of first appearance */
    int64_t layer_count;
    int64_t distinct_gemms; /* mapped; all others were equal to one of these */
    bool weights_resident;  /* all weights stay on chip across decode steps */
    sim_provenance energy_provenance;
    const char *calibration; /* NULL: none */
} sim_result;

/* What one instance of a layer costs by itself at given bits: nothing is prefetched under the layer before.
 */
typedef struct sim_layer_price {
    bool possible; /* false: the machine cannot run it at these bits; of the rest only macs is then known */
    int64_t macs;  /* matmul and conv2d only */
    int64_t cycles, compute_cycles, memory_cycles;
    int64_t dram_read_bytes, dram_write_bytes;
    int64_t weight_bytes; /* stored parameters */
    double latency_s, energy_j, utilization_frac;
    sim_bound bound;
} sim_layer_price;

/* Every layer of a workload at every precision of a list. Layers of equal work share their prices. */
typedef struct sim_cost_table {
    const sim_arch *arch;
    const sim_workload *workload;
    const sim_precision *precisions;
    int64_t precision_count;
    bool has_kv;                   /* kv varies by itself; otherwise it is a */
    const int64_t *kinds;          /* of each layer */
    const sim_layer_price *prices; /* of kind k at precision p: [k * precision_count + p] */
    int64_t kind_count;

    /* Cells that are not possible, over all layers, and why the first of them is not. */
    int64_t impossible_count, first_impossible_layer, first_impossible_precision;
    const char *why_impossible;

    /* Layers that take more cycles with fewer bits of one operand, by more than slower_frac (that much the
     * mapper may give away), and the worst case: its layer and its two precisions. */
    double slower_frac;
    int64_t slower_count, slower_layer, slower_from, slower_to;
    double slower_most_frac;
} sim_cost_table;

#endif
