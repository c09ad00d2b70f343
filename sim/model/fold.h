/* The equal blocks of a model, folded: what makes a run of a hundred blocks as fast as one of two.
 *
 * A stretch of entries that stands three or more times in a row is kept twice: once as it is, for what comes
 * before it differs, and once for all further times, which all follow the same. Sums over entries with their
 * repeats are then those of the whole list, to the last bit; only names speak for the first two blocks. */
#ifndef SIM_MODEL_FOLD_H
#define SIM_MODEL_FOLD_H

#include "base/arena.h"
#include "base/err.h"
#include "model/types.h"

/* `out` is `workload` with its blocks folded, in `arena`. Blocks are equal when all but their names and
 * lines is, and when `policy` gives them the same, whatever uniform bits it should have (its base). A policy
 * by position tells all layers apart: nothing is folded. SIM_NO_MEMORY. */
sim_status sim_fold_blocks(const sim_workload *workload, const sim_policy *policy, sim_arena *arena,
                           sim_workload *out, sim_err *err);

#endif
