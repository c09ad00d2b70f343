/* Workload files (JSON, both forms, or a bare config.json) -> sim_workload. */
#ifndef SIM_INPUT_WORKLOAD_H
#define SIM_INPUT_WORKLOAD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

/* Overrides from the command line; zero: not given. */
typedef struct sim_workload_request {
    sim_phase phase;
    int64_t batch, context_tokens, prompt_tokens;
    bool full_attention;
} sim_workload_request;

sim_status sim_workload_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                             sim_workload *out, sim_err *err);

#endif
