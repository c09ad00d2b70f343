/* Every allocation of our own can fail: loading, mapping, pricing and reporting then return SIM_NO_MEMORY,
 * and everything that was allocated is given back.
 *
 * Arenas are told to ask for each allocation on its own, so that no allocation hides in a block that is
 * already there. Each scenario is run with the n-th allocation failing, for n = 1, 2, ... until none fails:
 * once with that one alone (the code must notice it), once with all later ones too (clean-up must not need
 * memory). */
#include "base/arena.h"
#include "base/err.h"
#include "explore/table.h"
#include "input/arch.h"
#include "input/policy.h"
#include "input/workload.h"
#include "model/run.h"
#include "output/report.h"
#include "reference/failing.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct scenario {
    const char *arch, *workload, *policy;
    sim_arch_setting setting;
    sim_phase phase;  /* SIM_PHASE_NONE: as the file says */
    const char *bits; /* of a table; NULL: a run */
} scenario;

static const char *data_path(const char *relative, char path[512])
{
    snprintf(path, 512, "%s/%s", SIMACC_SOURCE_DIR, relative);
    return path;
}

static sim_status written(sim_text *text, sim_err *err)
{
    sim_status status = SIM_OK;

    if (text->failed)
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    else
        cr_assert_gt(text->length, 0);
    sim_text_free(text);
    return status;
}

static sim_status run_and_report(const sim_arch *arch, const sim_workload *workload, const sim_policy *policy,
                                 sim_arena *arena, const sim_allocator *allocator, sim_err *err)
{
    sim_result result;
    sim_status status = sim_run_model(arch, workload, policy, SIM_OBJECTIVE_BALANCED, arena, &result, err);

    for (int kind = 0; kind < 3 && status == SIM_OK; kind++) {
        sim_text text = {.allocator = *allocator};

        if (kind == 0)
            sim_report_table(&result, &(sim_table_style){.width = 100}, &text);
        else if (kind == 1)
            sim_report_json(&result, &text);
        else
            sim_report_csv(&result, &text);
        status = written(&text, err);
    }
    return status;
}

static sim_status tabulate_and_report(const sim_arch *arch, const sim_workload *workload, const char *bits,
                                      sim_arena *arena, const sim_allocator *allocator, sim_err *err)
{
    sim_text text = {.allocator = *allocator};
    sim_axes axes;
    sim_cost_table table;
    sim_status status = sim_axes_parse(bits, &axes, err);

    if (status == SIM_OK)
        status = sim_table_of(arch, workload, &axes, SIM_OBJECTIVE_BALANCED, arena, &table, err);
    if (status != SIM_OK)
        return status;
    sim_cost_table_csv(&table, &text);
    return written(&text, err);
}

/* Load, run or tabulate, report. */
static sim_status everything(const scenario *s, const sim_allocator *allocator, sim_err *err)
{
    char arch_path[512], workload_path[512], policy_path[512];
    const char *policy_spec = s->policy;
    sim_workload_request request = {.phase = s->phase, .prompt_tokens = s->phase ? 5 : 0};
    sim_arena arena;
    sim_arch arch;
    sim_workload workload;
    sim_policy policy;
    sim_status status;

    if (policy_spec && policy_spec[0] == 't') /* a file of tests/data */
        policy_spec = data_path(policy_spec, policy_path);
    sim_arena_init(&arena, allocator);
    arena.block_bytes = 1;
    status =
        sim_arch_load(data_path(s->arch, arch_path), &s->setting, s->setting.key ? 1 : 0, &arena, &arch, err);
    if (status == SIM_OK)
        status = sim_workload_load(data_path(s->workload, workload_path), &request, &arena, &workload, err);
    if (status == SIM_OK)
        status = sim_policy_load(policy_spec, &arena, &policy, err);
    if (status == SIM_OK && s->bits)
        status = tabulate_and_report(&arch, &workload, s->bits, &arena, allocator, err);
    else if (status == SIM_OK)
        status = run_and_report(&arch, &workload, &policy, &arena, allocator, err);
    sim_arena_free(&arena);
    return status;
}

static void survive(const scenario *s, bool for_good, sim_status in_the_end)
{
    long n;

    for (n = 1;; n++) {
        failing f = {.fail_at = n, .for_good = for_good};
        sim_allocator allocator = failing_allocator(&f);
        sim_err *err = calloc(1, sizeof *err);
        sim_status status = everything(s, &allocator, err);

        cr_assert_eq(f.live, 0, "%s on %s: %ld blocks kept after allocation %ld failed", s->workload, s->arch,
                     f.live, n);
        if (f.calls < n) { /* nothing failed */
            cr_assert_eq(status, in_the_end, "%s on %s: %s", s->workload, s->arch, err->items[0].text);
            free(err);
            break;
        }
        cr_assert(status == SIM_NO_MEMORY || (status != SIM_OK && status == in_the_end),
                  "%s on %s: status %d after allocation %ld failed: %s", s->workload, s->arch, (int)status, n,
                  err->count > 0 ? err->items[0].text : "no error");
        cr_assert_eq(sim_err_status(err), status);
        free(err);
    }
    cr_assert_gt(n, 50, "only %ld allocations: are they all seen?", n);
}

static const scenario scenarios[] = {
    {"arch/edge.cfg", "tests/data/tiny_decode.json", "w4a8kv4", {"array.rows", "8"}, SIM_PHASE_NONE, NULL},
    {"arch/edge.cfg",
     "tests/data/tiny_decode.json",
     "tests/data/mixed_policy.json",
     {NULL, NULL},
     SIM_PHASE_PREFILL,
     NULL},
    {"arch/systolic_128.cfg", "tests/data/tiny_layers.json", NULL, {NULL, NULL}, SIM_PHASE_NONE, NULL},
    {"arch/edge.cfg",
     "tests/data/tiny_layers.json",
     "tests/data/positions_policy.json",
     {NULL, NULL},
     SIM_PHASE_NONE,
     NULL},
    /* w9 does not run there: cells without a cost have a reason, which takes memory too */
    {"arch/edge_systolic.cfg",
     "tests/data/tiny_layers.json",
     NULL,
     {NULL, NULL},
     SIM_PHASE_NONE,
     "w=8..9,a=4"},
    {"tests/data/small_gpu.cfg", "tests/data/tiny_decode.json", "w8a8", {NULL, NULL}, SIM_PHASE_NONE, NULL},
};

Test(alloc, one_failure)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        survive(&scenarios[i], false, SIM_OK);
}

Test(alloc, every_later_one_too)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        survive(&scenarios[i], true, SIM_OK);
}

/* Errors in the input and memory running out, together. */
Test(alloc, while_reporting_bad_input)
{
    static const scenario bad = {
        "arch/edge.cfg", "tests/data/tiny_decode.json", "w4a8", {"array.rowz", "8"}, SIM_PHASE_NONE, NULL};

    survive(&bad, false, SIM_BAD_INPUT);
}
