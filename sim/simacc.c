/* The public API: handles around the loaders and the core. Each handle lives in an arena of its own, so that
 * closing it frees everything at once. */
#include "simacc.h"

#include "base/arena.h"
#include "input/arch.h"
#include "input/policy.h"
#include "input/workload.h"
#include "model/run.h"

struct sim_arch_handle {
    sim_arena arena;
    sim_arch arch;
};

struct sim_workload_handle {
    sim_arena arena;
    sim_workload workload;
};

struct sim_policy_handle {
    sim_arena arena;
    sim_policy policy;
};

struct sim_result_handle {
    sim_arena arena;
    sim_result result;
};

/* A zeroed handle of `bytes` in `arena`, which the caller moves into it; NULL with the error added. */
static void *new_handle(sim_arena *arena, size_t bytes, sim_err *err)
{
    void *handle;

    sim_arena_init(arena, NULL);
    handle = sim_arena_alloc(arena, 1, bytes);
    if (!handle)
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return handle;
}

/* The arena owns the handle, so it has to leave it before it is freed. */
static void free_arena(const sim_arena *arena)
{
    sim_arena moved = *arena;

    sim_arena_free(&moved);
}

sim_status sim_arch_open(const char *path, const sim_setting *settings, int setting_count,
                         sim_arch_handle **out, sim_err *err)
{
    sim_arena arena;
    sim_arch_handle *handle = new_handle(&arena, sizeof *handle, err);
    sim_arch_setting *converted;
    sim_status status;

    *out = NULL;
    if (!handle)
        return SIM_NO_MEMORY;
    converted = sim_arena_alloc(&arena, (size_t)setting_count, sizeof *converted);
    handle->arena = arena;
    if (!converted) {
        free_arena(&arena);
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    }
    for (int i = 0; i < setting_count; i++) {
        converted[i].key = settings[i].key;
        converted[i].value = settings[i].value;
    }
    status = sim_arch_load(path, converted, setting_count, &handle->arena, &handle->arch, err);
    if (status != SIM_OK) {
        sim_arch_close(handle);
        return status;
    }
    *out = handle;
    return SIM_OK;
}

static int64_t given(int64_t value)
{
    return value > 0 ? value : 0;
}

sim_status sim_workload_open(const char *path, const sim_workload_options *options, sim_workload_handle **out,
                             sim_err *err)
{
    sim_workload_request request = {0};
    sim_arena arena;
    sim_workload_handle *handle = new_handle(&arena, sizeof *handle, err);
    sim_status status;

    *out = NULL;
    if (!handle)
        return SIM_NO_MEMORY;
    handle->arena = arena;
    if (options) {
        request = (sim_workload_request){
            .phase = options->phase,
            .batch = given(options->batch),
            .context_tokens = given(options->context_tokens),
            .prompt_tokens = given(options->prompt_tokens),
            .new_tokens = given(options->new_tokens),
            .chunk_tokens = given(options->chunk_tokens),
            .draft_tokens = given(options->draft_tokens),
            .tensor_parallel = given(options->tensor_parallel),
            .pipeline_parallel = given(options->pipeline_parallel),
            .mla = options->mla,
            .merged_projections = options->merged_projections,
            .full_attention = options->full_attention,
        };
    }
    status = sim_workload_load(path, &request, &handle->arena, &handle->workload, err);
    if (status != SIM_OK) {
        sim_workload_close(handle);
        return status;
    }
    *out = handle;
    return SIM_OK;
}

sim_status sim_policy_open(const char *spec, sim_policy_handle **out, sim_err *err)
{
    sim_arena arena;
    sim_policy_handle *handle = new_handle(&arena, sizeof *handle, err);
    sim_status status;

    *out = NULL;
    if (!handle)
        return SIM_NO_MEMORY;
    handle->arena = arena;
    status = sim_policy_load(spec, &handle->arena, &handle->policy, err);
    if (status != SIM_OK) {
        sim_policy_close(handle);
        return status;
    }
    *out = handle;
    return SIM_OK;
}

void sim_arch_close(sim_arch_handle *arch)
{
    if (arch)
        free_arena(&arch->arena);
}

void sim_workload_close(sim_workload_handle *workload)
{
    if (workload)
        free_arena(&workload->arena);
}

void sim_policy_close(sim_policy_handle *policy)
{
    if (policy)
        free_arena(&policy->arena);
}

const sim_arch *sim_arch_get(const sim_arch_handle *arch)
{
    return &arch->arch;
}

const sim_workload *sim_workload_get(const sim_workload_handle *workload)
{
    return &workload->workload;
}

const sim_policy *sim_policy_get(const sim_policy_handle *policy)
{
    return &policy->policy;
}

sim_status sim_run(const sim_arch_handle *arch, const sim_workload_handle *workload,
                   const sim_policy_handle *policy, sim_objective objective, sim_result_handle **out,
                   sim_err *err)
{
    sim_arena arena;
    sim_result_handle *handle = new_handle(&arena, sizeof *handle, err);
    sim_status status;

    *out = NULL;
    if (!handle)
        return SIM_NO_MEMORY;
    handle->arena = arena;
    status = sim_run_model(&arch->arch, &workload->workload, &policy->policy, objective, &handle->arena,
                           &handle->result, err);
    if (status != SIM_OK) {
        sim_result_close(handle);
        return status;
    }
    *out = handle;
    return SIM_OK;
}

const sim_result *sim_result_get(const sim_result_handle *result)
{
    return &result->result;
}

void sim_result_close(sim_result_handle *result)
{
    if (result)
        free_arena(&result->arena);
}
