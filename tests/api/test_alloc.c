/* The public API when memory runs out: whatever allocation of ours fails, it says SIM_NO_MEMORY, gives no
 * handle, and keeps nothing.
 *
 * malloc, calloc, realloc and free of the library are wrapped by the linker (--wrap, see
 * tests/CMakeLists.txt); those inside libconfig and jansson are not. */
#include "explore/table.h"
#include "output/report.h"
#include "simacc.h"

#include <criterion/criterion.h>

#include <stdlib.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);

static long calls, fail_at;

static bool fails(void)
{
    calls++;
    return fail_at > 0 && calls == fail_at;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    return fails() ? NULL : __real_realloc(block, bytes);
}

/* What `simacc table` does with its handles. */
static sim_status tabulate(sim_err *err)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_arena arena;
    sim_text text = {.length = 0};
    sim_axes axes;
    sim_cost_table table;
    sim_status status = sim_arch_open(SIMACC_SOURCE_DIR "/arch/edge.cfg", NULL, 0, &arch, err);

    sim_arena_init(&arena, NULL);
    if (status == SIM_OK)
        status = sim_workload_open(SIMACC_SOURCE_DIR "/tests/data/tiny_layers.json",
                                   &(sim_workload_options){.batch = 2}, &workload, err);
    if (status == SIM_OK)
        status = sim_axes_parse(NULL, &axes, err);
    if (status == SIM_OK)
        status = sim_table_of(sim_arch_get(arch), sim_workload_get(workload), &axes, SIM_OBJECTIVE_BALANCED,
                              &arena, &table, err);
    if (status == SIM_OK) {
        sim_cost_table_csv(&table, &text);
        if (text.failed)
            status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    sim_text_free(&text);
    sim_arena_free(&arena);
    sim_workload_close(workload);
    sim_arch_close(arch);
    return status;
}

static sim_status everything(sim_err *err)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    sim_setting setting = {"clock_mhz", "400"};
    sim_status status = sim_arch_open(SIMACC_SOURCE_DIR "/arch/edge.cfg", &setting, 1, &arch, err);

    cr_assert_eq(status == SIM_OK, arch != NULL);
    if (status == SIM_OK) {
        status =
            sim_workload_open(SIMACC_SOURCE_DIR "/workloads/llama2_7b_decode.json", NULL, &workload, err);
        cr_assert_eq(status == SIM_OK, workload != NULL);
    }
    if (status == SIM_OK) {
        status = sim_policy_open("w4a8", &policy, err);
        cr_assert_eq(status == SIM_OK, policy != NULL);
    }
    if (status == SIM_OK) {
        status = sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, err);
        cr_assert_eq(status == SIM_OK, result != NULL);
    }
    sim_result_close(result);
    sim_policy_close(policy);
    sim_workload_close(workload);
    sim_arch_close(arch);
    return status;
}

/* Shares, exchanges, stages, and what a scheme adds. */
static sim_status spread(sim_err *err)
{
    static const sim_setting links[] = {
        {"link.devices", "4"}, {"link.topology", "switch"}, {"link.bandwidth_gb_s", "50"}};
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    sim_status status = sim_arch_open(SIMACC_SOURCE_DIR "/arch/edge.cfg", links, 3, &arch, err);

    if (status == SIM_OK)
        status = sim_workload_open(SIMACC_SOURCE_DIR "/workloads/llama2_7b_decode.json",
                                   &(sim_workload_options){.tensor_parallel = 2, .pipeline_parallel = 2},
                                   &workload, err);
    if (status == SIM_OK)
        status = sim_policy_open("w4a8g128o1", &policy, err);
    if (status == SIM_OK)
        status = sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, err);
    sim_result_close(result);
    sim_policy_close(policy);
    sim_workload_close(workload);
    sim_arch_close(arch);
    return status;
}

static void survive(sim_status (*job)(sim_err *err))
{
    static sim_err err;

    for (fail_at = 1;; fail_at++) {
        err = (sim_err){0};
        calls = 0;
        sim_status status = job(&err);
        if (calls < fail_at) { /* nothing failed */
            cr_assert_eq(status, SIM_OK, "%s", err.items[0].text);
            break;
        }
        cr_assert_eq(status, SIM_NO_MEMORY, "status %d after allocation %ld failed: %s", (int)status, fail_at,
                     err.items[0].text);
        cr_assert_eq(sim_err_status(&err), SIM_NO_MEMORY);
    }
    cr_assert_gt(fail_at, 4, "only %ld allocations: are they wrapped?", fail_at);
}

/* Leaks are found where this runs under ASan. */
Test(api_alloc, each_failure_is_reported)
{
    survive(everything);
}

Test(api_alloc, each_failure_of_a_table_is_reported)
{
    survive(tabulate);
}

Test(api_alloc, each_failure_on_several_devices_is_reported)
{
    survive(spread);
}
