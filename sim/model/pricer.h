/* Prices of single layers at any bits: what a table or a search asks for over and over. */
#ifndef SIM_MODEL_PRICER_H
#define SIM_MODEL_PRICER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

/* For the layers of one workload on one arch. What it finds out once (operand prices, candidate tiles, mapped
 * products) it keeps in `arena` for all later calls. The three must outlive it. */
typedef struct sim_pricer sim_pricer;

sim_pricer *sim_pricer_new(const sim_arch *arch, const sim_workload *workload, sim_objective objective,
                           sim_arena *arena); /* NULL: out of memory */

/* The precision of all layers from now on, lm_head and embeddings included: integers are priced as asked for.
 * All of them, since a model that decodes from weights on chip does so only when all its weights fit. */
void sim_pricer_set(sim_pricer *pricer, const sim_precision *precision);

/* One instance of `layer`, a layer of the workload, all of its steps, priced as sim_run_model() does but by
 * itself: with nothing of its weights loaded before it starts. Where the machine cannot run it (operands that
 * the back end does not support, no tile that fits the buffers) out->possible is false and `why` says why.
 * SIM_OVERFLOW, SIM_NO_MEMORY. */
sim_status sim_pricer_price(sim_pricer *pricer, const sim_layer *layer, sim_layer_price *out, char *why,
                            size_t why_size, sim_err *err);

#endif
