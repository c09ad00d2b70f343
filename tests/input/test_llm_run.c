/* Every kind of model through machines of every kind: it runs, its work and memory are the expansion's, and
 * what is read is at least the weights and cache that a step needs. */
#include "input/arch.h"
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"
#include "input/policy.h"
#include "model/run.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Stored weights that a step reads, and all of them, in elements (bytes at 8 bits). */
static void count_weights(const sim_workload *w, int64_t *read, int64_t *stored)
{
    *read = *stored = 0;
    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        bool product = l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D;

        if (!product || l->weights != SIM_WEIGHTS_STATIC || l->keep_float)
            continue;
        *read += l->n * l->k * l->batch;
        *stored += l->n * l->k * (l->stored_batch > 0 ? l->stored_batch : l->batch);
    }
}

static void run_on(const char *machine, int index, const sim_llm_request *request)
{
    llm_zoo_model z;
    llm_fixture f;
    sim_arena arena;
    sim_arch arch;
    sim_policy policy;
    sim_result r;
    sim_err err = {0};
    int64_t read, stored;
    char path[512];
    sim_llm_request own = *request;

    llm_zoo(index, &z);
    if (z.model.encoder && own.phase == SIM_PHASE_DECODE)
        return;
    if (z.model.input == SIM_INPUT_PATCHES)
        own.prompt_tokens = 0;
    llm_expand_model(&f, &z.model, &own);
    cr_assert(f.status == SIM_OK);
    f.workload.name = z.name;
    f.workload.file = "model.json";
    sim_arena_init(&arena, NULL);
    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, machine);
    cr_assert(sim_arch_load(path, NULL, 0, &arena, &arch, &err) == SIM_OK, "%s", err.items[0].text);
    cr_assert(sim_policy_load("w8a8", &arena, &policy, &err) == SIM_OK);
    cr_assert(sim_run_model(&arch, &f.workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &r, &err) == SIM_OK,
              "%s on %s: %s", z.name, machine, err.items[0].text);
    cr_expect(r.totals.macs == llm_total_macs(&f), "%s on %s", z.name, machine);
    cr_expect(r.totals.latency_s > 0 && sim_energy_total_j(&r.totals.energy) > 0);
    if (f.workload.kv_cache_elements > 0)
        cr_expect(r.totals.kv_cache_bytes == f.workload.kv_cache_elements, "%s on %s: %" PRId64, z.name,
                  machine, r.totals.kv_cache_bytes);
    else
        cr_expect(r.totals.kv_cache_bytes == -1, "an encoder has none");
    count_weights(&f.workload, &read, &stored);
    cr_expect(r.totals.weight_bytes >= stored && r.totals.weight_bytes <= 2 * f.workload.parameters + stored,
              "%s: %" PRId64 " bytes of weights", z.name, r.totals.weight_bytes);
    cr_expect(r.totals.dram_read_bytes >= read, "%s on %s reads %" PRId64 ", weights %" PRId64, z.name,
              machine, r.totals.dram_read_bytes, read);
    if (z.ffns[0].kind == SIM_FFN_MOE && own.phase == SIM_PHASE_DECODE)
        cr_expect(r.totals.dram_read_bytes < stored,
                  "%s on %s: experts that nobody chose stay where they are", z.name, machine);
    sim_arena_free(&arena);
    llm_free(&f);
}

Test(llm_run, every_kind_on_every_kind)
{
    static const char *const machines[] = {"edge", "systolic_128", "stripes", "tpu_v4", "h100", "t4"};
    const sim_llm_request requests[] = {
        {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 200},
        {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 700},
    };

    for (size_t m = 0; m < sizeof machines / sizeof *machines; m++)
        for (int i = 0; i < LLM_ZOO_COUNT; i++)
            for (size_t r = 0; r < sizeof requests / sizeof *requests; r++)
                run_on(machines[m], i, &requests[r]);
}
