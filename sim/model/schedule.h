/* The layers of a workload one after another: each priced once for all that are equal, and timed in its
 * place.
 *
 * Entries of one pass (equal phase and steps, next to each other) run in order, and again in each step of the
 * pass. A layer's first weights are loaded under the idle end of the one before it in the same step, of the
 * first entry under that of the last one of the step before, or of the pass before, whichever saves less.
 *
 * Entries of a pass of several steps whose every step costs the same become results that are repeated as
 * often; the others, which attend to a growing context or follow one that does, become sums over the steps.
 */
#ifndef SIM_MODEL_SCHEDULE_H
#define SIM_MODEL_SCHEDULE_H

#include "model/layer.h"

/* By entry of the workload. */
typedef struct sim_schedule {
    const sim_layer_cost **costs; /* of one step, and the activation memory of the step with most */
    sim_layer_result *results;    /* with name and repeat */
} sim_schedule;

/* Prices all of x->workload; `requests` has one for each of its entries. Lives in `arena`. */
sim_status sim_schedule_run(const sim_layer_context *x, const sim_layer_request *requests, sim_arena *arena,
                            sim_schedule *out, sim_err *err);

#endif
