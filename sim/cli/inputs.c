#include "cli/inputs.h"

#include "cli/cmd.h"

#include <string.h>

static void read_settings(const sim_opts *opts, sim_arena *arena, sim_inputs *out, sim_err *err)
{
    out->settings = sim_arena_alloc(arena, (size_t)opts->given_count, sizeof *out->settings);
    if (!out->settings) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return;
    }
    for (int i = 0; i < opts->given_count; i++) {
        const sim_opt_given *given = &opts->given[i];
        const char *equals;
        char *key;

        if (strcmp(opts->options[given->option].name, "--set") != 0)
            continue;
        equals = strchr(given->value, '=');
        if (!equals || equals == given->value) {
            sim_fail(err, SIM_USAGE, NULL, 0, "option '--set': '%s' is not KEY=VALUE", given->value);
            continue;
        }
        key = sim_arena_text(arena, given->value, (size_t)(equals - given->value));
        if (!key) {
            sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
            return;
        }
        out->settings[out->setting_count++] = (sim_setting){key, equals + 1};
    }
}

void sim_inputs_read(const sim_opts *opts, sim_arena *arena, sim_inputs *out, sim_err *err)
{
    sim_workload_options *w = &out->workload;
    int phase = SIM_PHASE_NONE, mla = SIM_MLA_AUTO;

    *out = (sim_inputs){.objective = SIM_OBJECTIVE_BALANCED};
    w->full_attention = sim_opt_has(opts, "--full-attention");
    w->merged_projections = sim_opt_has(opts, "--merged");
    sim_opt_word(opts, "--objective", sim_objective_names, &out->objective, err);
    sim_opt_word(opts, "--phase", sim_phase_names, &phase, err);
    sim_opt_word(opts, "--mla", sim_mla_names, &mla, err);
    sim_opt_positive(opts, "--batch", &w->batch, err);
    sim_opt_positive(opts, "--context", &w->context_tokens, err);
    sim_opt_positive(opts, "--prompt", &w->prompt_tokens, err);
    sim_opt_positive(opts, "--new", &w->new_tokens, err);
    sim_opt_positive(opts, "--chunk", &w->chunk_tokens, err);
    sim_opt_positive(opts, "--draft", &w->draft_tokens, err);
    sim_opt_positive(opts, "--tp", &w->tensor_parallel, err);
    sim_opt_positive(opts, "--pp", &w->pipeline_parallel, err);
    w->phase = (sim_phase)phase;
    w->mla = (sim_mla)mla;
    read_settings(opts, arena, out, err);
}

sim_status sim_inputs_open(const sim_opts *opts, const sim_inputs *inputs, sim_arena *arena,
                           sim_arch_handle **arch, sim_workload_handle **workload, sim_err *err)
{
    if (sim_arch_open(opts->operands[0], inputs->settings, inputs->setting_count, arch, err) != SIM_OK)
        sim_cmd_hint_file(opts->operands[0], "arch", ".cfg", arena, err);
    if (sim_workload_open(opts->operands[1], &inputs->workload, workload, err) != SIM_OK)
        sim_cmd_hint_file(opts->operands[1], "workloads", ".json", arena, err);
    return sim_err_status(err);
}
