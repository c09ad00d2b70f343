/* Layers that stand for many steps, one after another: decode steps of a growing context, chunks of a prompt.
 *
 * Up to SIM_STEPS_EXACT steps are priced one by one. More are cut into blocks of equally many steps, of which
 * the one in the middle is priced. That is exact for whatever grows by as much from step to step, which is
 * true of MACs, bytes and the time of a transfer; what remains is the sawtooth of an array that fills its
 * last tile, and the mapper's choices. A block has a prime number of steps, so that its middle goes through
 * all residues of the period of the tiles, and these cancel. Measured on all machines in arch/ over 100,000
 * steps the sum of the cycles of a layer is within 5e-5 of that over all steps, on most within 5e-6; MACs and
 * bytes are exact (tests/model/test_steps.c).
 *
 * Where a window, a chunk or a stride bends the growth within a block, the difference between the keys of the
 * block and those of its middle is priced at what the next block's middle costs per key more. */
#ifndef SIM_MODEL_STEPS_H
#define SIM_MODEL_STEPS_H

#include "model/layer.h"

enum { SIM_STEPS_EXACT = 768 };

/* A step that is priced, for `count` steps from `first` on. */
typedef struct sim_step_block {
    int64_t step, first, count;
} sim_step_block;

typedef struct sim_step_plan {
    int64_t steps;
    int64_t block_count; /* at least 1 */
    sim_step_block blocks[SIM_STEPS_EXACT + 2];
} sim_step_plan;

/* For so many steps, at least 1. */
void sim_steps_plan(int64_t steps, sim_step_plan *out);

/* What the layer costs in the middle of each block, into out[plan->block_count]. `prices` are those at its
 * operands, which do not change; `allocator` gives memory for the time of the call. */
sim_status sim_steps_price(const sim_layer_context *x, const sim_layer_request *q, const sim_step_plan *plan,
                           const sim_prices *prices, const sim_allocator *allocator, sim_layer_cost *out,
                           sim_err *err);

/* The sum over all steps of the plan. What adds up is added up: times, traffic, counts, MACs; the rest is
 * that of the last step, but activation memory, which is the most of any, and what bounds the layer, which is
 * what does so for most of the time. SIM_OVERFLOW. */
sim_status sim_steps_sum(const sim_layer_context *x, const sim_layer *layer, const sim_step_plan *plan,
                         const sim_layer_cost *series, sim_layer_cost *out, sim_err *err);

/* The same of a layer that costs as much in each step. */
sim_status sim_steps_repeat(const sim_layer_context *x, const sim_layer *layer, int64_t steps,
                            const sim_layer_cost *one, sim_layer_cost *out, sim_err *err);

#endif
