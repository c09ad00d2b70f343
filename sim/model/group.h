/* Equal layers of a model -> one line of the report. */
#ifndef SIM_MODEL_GROUP_H
#define SIM_MODEL_GROUP_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

/* Groups results whose names differ only in the index of "layers.<i>." and that are equal in every number:
 * "layers.0-31.q_proj", "layers.0-2,4-31.q_proj"; `repeat` adds up, so that sums hold. In order of first
 * appearance. */
sim_status sim_group_layers(const sim_layer_result *results, int64_t count, sim_arena *arena,
                            const sim_layer_result **out, int64_t *out_count, sim_err *err);

#endif
