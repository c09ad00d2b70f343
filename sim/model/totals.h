/* A run in all: sums over layers, what they hold in memory, and what that makes of a token. */
#ifndef SIM_MODEL_TOTALS_H
#define SIM_MODEL_TOTALS_H

#include "model/schedule.h"

/* `layers` are the grouped results of `schedule`, of which totals are the sums, and `requests` has one for
 * each entry of `workload`. SIM_OVERFLOW: a sum beyond 63 bits. */
sim_status sim_totals_of(const sim_arch *arch, const sim_workload *workload,
                         const sim_layer_request *requests, const sim_schedule *schedule,
                         const sim_layer_result *layers, int64_t count, sim_arena *arena, sim_totals *out,
                         sim_err *err);

/* How far the energy of a run can be trusted. */
sim_provenance sim_energy_provenance_of(const sim_arch *arch, const sim_totals *totals);

#endif
