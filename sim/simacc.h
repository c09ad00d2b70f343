/* simacc: a cycle-approximate simulator of accelerators for quantized LLM layers.
 *
 * The one public header: load an architecture, a workload and a policy, run, read the result, free. The
 * library has no global state, prints nothing and never exits; handles may be used from several threads as
 * long as each is used by one at a time (loaded handles are read-only and may be shared).
 *
 *     sim_err err = {0};
 *     sim_arch_handle *arch = NULL; ...
 *     if (sim_arch_open("arch/edge.cfg", NULL, 0, &arch, &err) != SIM_OK) ...
 */
#ifndef SIMACC_H
#define SIMACC_H

#include "base/err.h"
#include "base/text.h"
#include "base/version.h" /* SIMACC_VERSION */
#include "model/types.h"

typedef struct sim_arch_handle sim_arch_handle;
typedef struct sim_workload_handle sim_workload_handle;
typedef struct sim_policy_handle sim_policy_handle;
typedef struct sim_result_handle sim_result_handle;

/* A `key=value` setting that overrides the file, e.g. {"array.rows", "32"}. */
typedef struct sim_setting {
    const char *key, *value;
} sim_setting;

/* How to use a workload that is a bare config.json; also overrides these fields of a model workload, and
 * `batch` the images of a list of layers that has convolutions. Zero or negative: not given. */
typedef struct sim_workload_options {
    sim_phase phase;
    int64_t batch;          /* sequences */
    int64_t context_tokens; /* decode: tokens in the cache, per sequence */
    int64_t prompt_tokens;  /* prefill, generate: per sequence */
    int64_t new_tokens;     /* generate: per sequence */
    int64_t chunk_tokens;   /* prefill, generate: the prompt comes in chunks of so many */
    int64_t draft_tokens;   /* decode: so many drafted tokens are verified beside the next one */
    int64_t tensor_parallel, pipeline_parallel; /* devices that share each block, stages of blocks */
    sim_mla mla;                                /* auto: as the file says */
    bool merged_projections;                    /* q, k, v in one product, and gate and up */
    bool full_attention;                        /* count the whole square of a causal attention */
} sim_workload_options;

/* Each _open reads everything the file names (technology tables, models); errors carry file and line.
 * SIM_BAD_INPUT for anything wrong in or with a file, SIM_NO_MEMORY, SIM_OVERFLOW. On failure *out is NULL.
 */
sim_status sim_arch_open(const char *path, const sim_setting *settings, int setting_count,
                         sim_arch_handle **out, sim_err *err);
sim_status sim_workload_open(const char *path, const sim_workload_options *options /* may be NULL */,
                             sim_workload_handle **out, sim_err *err);
/* `spec`: a uniform policy such as "w4a8kv4", or the path of a policy file; NULL: the layers' own bits, else
 * w8a8. */
sim_status sim_policy_open(const char *spec, sim_policy_handle **out, sim_err *err);

void sim_arch_close(sim_arch_handle *arch);
void sim_workload_close(sim_workload_handle *workload);
void sim_policy_close(sim_policy_handle *policy);

const sim_arch *sim_arch_get(const sim_arch_handle *arch);
const sim_workload *sim_workload_get(const sim_workload_handle *workload);
const sim_policy *sim_policy_get(const sim_policy_handle *policy);

/* Maps and prices every layer. Deterministic. The result refers to the three inputs, which must outlive it.
 * SIM_BAD_INPUT for operands the back end does not support, SIM_INFEASIBLE for a layer that fits no buffer,
 * SIM_OVERFLOW for counts beyond 63 bits. */
sim_status sim_run(const sim_arch_handle *arch, const sim_workload_handle *workload,
                   const sim_policy_handle *policy, sim_objective objective, sim_result_handle **out,
                   sim_err *err);
const sim_result *sim_result_get(const sim_result_handle *result);
void sim_result_close(sim_result_handle *result);

#endif
