/* What fits into the memory of the devices: the largest batch, the longest context.
 *
 * Weights stay as they are. The cache grows with the batch and, by the law of each layer (sim_cache_law),
 * with the tokens of a sequence: exactly. Activations grow with the tokens that go through a layer at once:
 * with the batch, and with the prompt where it goes through whole; of experts, whose tokens are spread over
 * whole numbers of rows, this is in proportion. Each stage of a pipeline must fit its own device. */
#ifndef SIM_MODEL_LIMITS_H
#define SIM_MODEL_LIMITS_H

#include "model/layer.h"

/* Bytes of DRAM of one device; a capacity beyond 63 bits is as good as that. */
int64_t sim_device_capacity_bytes(const sim_arch *arch);

/* Sets out->max_batch and out->max_context_tokens, of which the first says how many sequences fit with the
 * tokens of the workload, the second how many tokens each sequence may have with its batch: of context in
 * decode, of the prompt in prefill, of prompt and new tokens in generate. 0: not even one does; -1: there is
 * no limit, or the workload is no model (or has no cache). Work space is taken from `arena`. SIM_OVERFLOW,
 * SIM_NO_MEMORY. */
sim_status sim_limits_of(const sim_arch *arch, const sim_workload *workload,
                         const sim_layer_request *requests, const sim_layer_cost *const *costs,
                         sim_arena *arena, sim_totals *out, sim_err *err);

#endif
