/* Workload files (JSON, both forms, or a bare config.json) -> sim_workload. */
#ifndef SIM_INPUT_WORKLOAD_H
#define SIM_INPUT_WORKLOAD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

/* Overrides from the command line; zero (of merged and full_attention: false) is not given. `batch` is a
 * model's sequences, or the images of a list of layers that has convolutions (input/images.h). */
typedef struct sim_workload_request {
    sim_phase phase;
    int64_t batch, context_tokens, prompt_tokens, new_tokens, chunk_tokens, draft_tokens;
    int64_t tensor_parallel, pipeline_parallel;
    sim_mla mla;
    bool merged_projections, full_attention;
} sim_workload_request;

/* The files are described in README.md ("Workloads"); all slips of a file are reported together.
 *
 * SIM_BAD_INPUT: anything wrong in a file, each slip with its line. SIM_OVERFLOW: a layer of more than 2^63 -
 * 1 multiply-accumulates (or elements). SIM_USAGE: a request for something that an explicit list of layers
 * does not have, or that the phase has no use for. SIM_NO_MEMORY. */
sim_status sim_workload_load(const char *path, const sim_workload_request *request, sim_arena *arena,
                             sim_workload *out, sim_err *err);

/* The same for the text of a file; `path` is its name for messages, and models are looked for in its folder.
 */
sim_status sim_workload_read(const char *text, size_t length, const char *path,
                             const sim_workload_request *request, sim_arena *arena, sim_workload *out,
                             sim_err *err);

#endif
