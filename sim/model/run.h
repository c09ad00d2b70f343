/* One run: precision of each layer, mapping, pricing, sums. Pure: structs in, structs out. */
#ifndef SIM_MODEL_RUN_H
#define SIM_MODEL_RUN_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

/* Maps and prices every layer of `workload`. Everything lives in `arena`. Errors as sim_run() of simacc.h. */
sim_status sim_run_model(const sim_arch *arch, const sim_workload *workload, const sim_policy *policy,
                         sim_objective objective, sim_arena *arena, sim_result *out, sim_err *err);

/* What runs on one arch find out (mapped products, prices) for those that come after. Lives in `arena`, which
 * grows with it: sim_run_memory_products() says by how many products. NULL: out of memory. */
typedef struct sim_run_memory sim_run_memory;
sim_run_memory *sim_run_memory_new(const sim_arch *arch, sim_arena *arena);
int64_t sim_run_memory_products(const sim_run_memory *memory);

/* sim_run_model() on the arch of `memory`, with the same result. `arena` must not outlive the memory. */
sim_status sim_run_remembering(sim_run_memory *memory, const sim_workload *workload, const sim_policy *policy,
                               sim_objective objective, sim_arena *arena, sim_result *out, sim_err *err);

/* Whether the layer has weights of its own: a convolution, or a matmul with static weights. These are the
 * layers that a policy by position counts, one per entry of the workload. */
bool sim_has_weights(const sim_layer *layer);

/* The precision a policy gives a layer: the layer's own bits, else the policy's base, else 8 (a policy that
 * overrides comes before the own bits); then its bits at `position` among the layers with weights (-1: it has
 * none); then the rules in order, the last match winning field by field. kv falls back to a. True when a
 * position or a rule named the layer's w or a bits: such a layer is not kept in float. */
bool sim_precision_of(const sim_policy *policy, const sim_layer *layer, int64_t position, sim_precision *out);

/* Turns bits without a format (integers, as they were read) into what the back end takes them for. */
void sim_precision_plain(const sim_arch *arch, sim_precision *precision);

/* Bits that `rows` rows of `row_elements` elements take in memory: dense, each row padded to bytes, with a
 * 16-bit scale and a zero point of the element's width per group (group 0: none). -1 on overflow. */
int64_t sim_stored_bits(int64_t rows, int64_t row_elements, int bits, int group);
/* The same for weights, whose groups may take other bits than these. */
int64_t sim_stored_weight_bits(int64_t rows, int64_t row_elements, const sim_precision *precision);

#endif
