/* What a point is, as a number. Private to sweep*.c. */
#ifndef SIM_EXPLORE_SWEEP_IDENTITY_H
#define SIM_EXPLORE_SWEEP_IDENTITY_H

#include "model/types.h"

/* Hashes of all that a cost depends on, names of layers included, since policies go by them. Equal on every
 * machine: of numbers and texts, never of addresses or padding. */
uint64_t sim_workload_identity(const sim_workload *workload);
uint64_t sim_policy_identity(const sim_policy *policy, sim_objective objective);

#endif
