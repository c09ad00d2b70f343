/* One layer on one arch: what it asks of the machine, and what that costs. */
#ifndef SIM_MODEL_LAYER_H
#define SIM_MODEL_LAYER_H

#include "model/mapper.h"

/* What a run knows beyond the single layer. */
typedef struct sim_layer_context {
    const sim_arch *arch;
    const sim_workload *workload;
    sim_objective objective;
    bool weights_resident; /* all static weights stay on chip from step to step */
    sim_map_cache *cache;
    struct sim_gemm_memo *memo;
    sim_prices kernel_prices[SIM_GPU_MATHS]; /* of a machine that runs kernels */
} sim_layer_context;

/* A layer with its precision resolved. */
typedef struct sim_layer_request {
    const sim_layer *layer;
    sim_precision precision;
    bool float_fallback; /* wanted float, got 8-bit integers */
} sim_layer_request;

/* A result before the layers around it are known. Counts are one device's. */
typedef struct sim_layer_cost {
    sim_layer_result result; /* energy without static and background power, cycles without prefetch */
    sim_counts counts;
    const sim_prices *prices;        /* at its operands */
    double first_weight_load_cycles; /* could be prefetched while the DRAM channel idles */
    double idle_tail_cycles;         /* DRAM idle at the end: room for the next layer's prefetch */
    double weight_tile_bits;         /* of a full weight tile */
    int64_t weight_bytes;            /* stored parameters of one instance, on all its devices */
    int64_t kv_bytes;                /* of the cache that one instance reads or leaves, likewise */
    int64_t device_weight_bytes, device_kv_bytes; /* of these, on one device */
    int64_t tensor_bytes;       /* inputs and outputs of one instance, on one device: activation memory */
    double peak_macs_per_cycle; /* at its operands; 0 for vector operations */
} sim_layer_cost;

/* The number format of the second operand: weights, KV cache or another activation. */
sim_number sim_second_operand(const sim_layer_request *q);

/* Stored bits of the static weights of one instance (0 when there are none); -1 on overflow. */
int64_t sim_weight_bits(const sim_layer_request *q);

/* Whether the static weights of the whole workload (a request per layer) stay in the weight buffer (or half
 * of a unified one) from decode step to decode step. */
bool sim_weights_stay(const sim_arch *arch, const sim_workload *workload, const sim_layer_request *requests);

/* Width at which products leave their outputs: fp32 ones, on machines that have them, not narrower. */
int sim_output_bits(const sim_arch *arch, int a_bits);

/* Reports that the counts of a layer exceed 63 bits. */
sim_status sim_layer_too_large(const sim_layer_context *x, const sim_layer *layer, sim_err *err);

sim_status sim_layer_cost_of(const sim_layer_context *x, const sim_layer_request *q, sim_layer_cost *out,
                             sim_err *err);

/* Starts `cost` with `saved_cycles` of its first weight load already done (below 0: slowed down by that
 * many), and prices the final time. */
void sim_layer_finish(const sim_layer_context *x, const sim_layer_cost *cost, int64_t saved_cycles,
                      sim_layer_result *out);

#endif
