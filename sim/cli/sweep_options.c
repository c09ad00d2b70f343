#include "cli/sweep_options.h"

#include "cli/inputs.h"
#include "explore/sweep_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS_MAX = 100000 };

static sim_space_place option(const char *what)
{
    return (sim_space_place){what, 0};
}

/* "w=2..8,a=4,8": a comma before a name starts the next axis. */
static void read_bits(const char *spec, sim_space *space, sim_arena *arena, sim_err *err)
{
    const char *at = spec;

    while (at && *at) {
        const char *equals = strchr(at, '='), *next = equals ? strchr(equals + 1, '=') : NULL;
        const char *end = NULL;
        char *name, *values;

        if (!equals) {
            sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': '%s' belongs to no axis", at);
            sim_hint(err, "the form is w=2..8,a=4,8");
            return;
        }
        for (const char *p = equals; next && p < next; p++)
            if (*p == ',')
                end = p;
        if (!end)
            end = at + strlen(at);
        name = sim_arena_text(arena, at, (size_t)(equals - at));
        values = sim_arena_text(arena, equals + 1, (size_t)(end - equals - 1));
        if (!name || !values) {
            sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
            return;
        }
        if (strcmp(name, "w") != 0 && strcmp(name, "a") != 0 && strcmp(name, "kv") != 0) {
            sim_fail(err, SIM_USAGE, NULL, 0, "option '--bits': unknown axis '%s'", name);
            sim_hint(err, "axes: w a kv; others go to --set-axis");
        } else {
            sim_space_axis(space, name, values, option("option '--bits'"), err);
        }
        at = *end ? end + 1 : NULL;
    }
}

static void read_axis(const char *spec, sim_space *space, sim_arena *arena, sim_err *err)
{
    const char *equals = strchr(spec, '=');
    char *name = equals ? sim_arena_text(arena, spec, (size_t)(equals - spec)) : NULL;

    if (!equals) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--set-axis': '%s' has no values", spec);
        sim_hint(err, "the form is array.rows=16,32 or batch=1..64:x2");
    } else if (!name) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    } else {
        sim_space_axis(space, name, equals + 1, option("option '--set-axis'"), err);
    }
}

static sim_status read_space(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err)
{
    const char *const words[] = {"--set-axis", "--zip", NULL};

    sweep->space = sim_space_new(arena);
    if (!sweep->space)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (sim_opt_value(opts, "--bits"))
        read_bits(sim_opt_value(opts, "--bits"), sweep->space, arena, err);
    for (int w = 0; words[w]; w++)
        for (int i = 0; i < opts->given_count; i++) {
            const char *name = opts->options[opts->given[i].option].name;

            if (strcmp(name, words[w]) != 0)
                continue;
            if (w == 0)
                read_axis(opts->given[i].value, sweep->space, arena, err);
            else
                sim_space_zip(sweep->space, opts->given[i].value, option("option '--zip'"), err);
        }
    if (sim_opt_value(opts, "--filter"))
        sim_space_filter(sweep->space, sim_opt_value(opts, "--filter"), option("option '--filter'"), err);
    if (sim_opt_value(opts, "--constraint"))
        sim_expression_parse(sim_opt_value(opts, "--constraint"), sim_sweep_knows, sweep->space,
                             "option '--constraint'", 0, SIM_USAGE, arena, &sweep->constraint, err);
    if (err->count > 0)
        return sim_err_status(err);
    return sim_space_finish(sweep->space, err);
}

/* Both 0 <= I < N; false: not given or no numbers. */
static bool from_environment(const char *index, const char *first, const char *count, int64_t *i, int64_t *n)
{
    const char *index_text = getenv(index), *count_text = getenv(count);
    const char *first_text = first ? getenv(first) : NULL;
    int64_t from = 0;

    if (!index_text || !count_text || !sim_parse_int(index_text, i) || !sim_parse_int(count_text, n))
        return false;
    if (first_text && sim_parse_int(first_text, &from))
        *i -= from;
    return *n >= 1 && *n <= SHARDS_MAX && *i >= 0 && *i < *n;
}

/* The job that this process is a part of; false: none. */
static bool find_job(int64_t *i, int64_t *n)
{
    return from_environment("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT", i, n) ||
           from_environment("OMPI_COMM_WORLD_RANK", NULL, "OMPI_COMM_WORLD_SIZE", i, n) ||
           from_environment("PMI_RANK", NULL, "PMI_SIZE", i, n) ||
           from_environment("JOB_COMPLETION_INDEX", NULL, "SIMACC_SHARDS", i, n);
}

/* NULL: the job's, if there is one. */
static void read_shard(const char *spec, sim_sweep *sweep, sim_err *err)
{
    const char *slash = spec ? strchr(spec, '/') : NULL;
    int64_t i = 0, n = 0;
    char index[24] = "";

    if (!spec || strcmp(spec, "auto") == 0) {
        if (find_job(&i, &n)) {
            sweep->shard = i;
            sweep->shards = n;
        } else if (spec) {
            sim_fail(err, SIM_USAGE, NULL, 0, "option '--shard': auto finds no job here");
            sim_hint(err,
                     "known: Slurm arrays, Open MPI and PMI ranks, JOB_COMPLETION_INDEX with SIMACC_SHARDS");
        }
        return;
    }
    snprintf(index, sizeof index, "%.*s", slash ? (int)(slash - spec) : 0, spec);
    if (!slash || !sim_parse_int(index, &sweep->shard) || !sim_parse_int(slash + 1, &sweep->shards) ||
        sweep->shards < 1 || sweep->shards > SHARDS_MAX || sweep->shard < 0 ||
        sweep->shard >= sweep->shards) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--shard': '%s' is no part of a whole", spec);
        sim_hint(err, "I/N with I from 0 to N - 1, e.g. 0/8, or auto");
    }
}

const char *sim_sweep_store_name(const char *name, int64_t shard, sim_arena *arena, sim_err *err)
{
    const char *mark = strstr(name, "%d");
    const char *made =
        mark ? sim_arena_printf(arena, "%.*s%" PRId64 "%s", (int)(mark - name), name, shard, mark + 2) : name;

    if (!made)
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return made;
}

static sim_workload_request request_of(const sim_workload_options *o)
{
    return (sim_workload_request){.phase = o->phase,
                                  .batch = o->batch,
                                  .context_tokens = o->context_tokens,
                                  .prompt_tokens = o->prompt_tokens,
                                  .new_tokens = o->new_tokens,
                                  .chunk_tokens = o->chunk_tokens,
                                  .draft_tokens = o->draft_tokens,
                                  .tensor_parallel = o->tensor_parallel,
                                  .pipeline_parallel = o->pipeline_parallel,
                                  .mla = o->mla,
                                  .merged_projections = o->merged_projections,
                                  .full_attention = o->full_attention};
}

static sim_status read_base(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err)
{
    sim_inputs inputs;
    sim_sweep_setting *settings;

    sim_inputs_read(opts, arena, &inputs, err);
    settings = sim_arena_alloc(arena, (size_t)inputs.setting_count + 1, sizeof *settings);
    if (!settings)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int i = 0; i < inputs.setting_count; i++)
        settings[i] = (sim_sweep_setting){inputs.settings[i].key, inputs.settings[i].value, {NULL, 0}};
    sweep->base = (sim_sweep_base){
        .arch = opts->operands[0],
        .workload = opts->operand_count > 1 ? opts->operands[1] : NULL,
        .settings = settings,
        .setting_count = inputs.setting_count,
        .request = request_of(&inputs.workload),
        .policy = sim_opt_value(opts, "--policy"),
        .objective = (sim_objective)inputs.objective,
    };
    return sim_err_status(err);
}

sim_status sim_sweep_options_read(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err)
{
    static const char *const of_points[] = {
        "--bits",   "--set-axis",       "--zip",       "--filter", "--constraint", "--policy",
        "--set",    "--phase",          "--objective", "--batch",  "--context",    "--prompt",
        "--new",    "--chunk",          "--draft",     "--tp",     "--pp",         "--mla",
        "--merged", "--full-attention", NULL};
    int64_t jobs = 0, seed = 1;

    *sweep = (sim_sweep){.layers = sim_opt_has(opts, "--layers")};
    sim_opt_positive(opts, "--jobs", &jobs, err);
    sim_opt_positive(opts, "--sample", &sweep->sample, err);
    sim_opt_positive(opts, "--seed", &seed, err);
    sweep->jobs = jobs > 1024 ? 1024 : (int)jobs;
    sweep->seed = (uint64_t)seed;
    if (!sim_opt_has(opts, "--optimize"))
        read_shard(sim_opt_value(opts, "--shard"), sweep, err);
    if (opts->operand_count > 1) {
        read_base(opts, arena, sweep, err);
        return err->count > 0 ? sim_err_status(err) : read_space(opts, arena, sweep, err);
    }
    for (int i = 0; of_points[i]; i++)
        if (sim_opt_has(opts, of_points[i])) {
            sim_fail(err, SIM_USAGE, NULL, 0, "%s belongs in the sweep file", of_points[i]);
            sim_hint(err, "or give ARCH and WORKLOAD: simacc sweep ARCH WORKLOAD %s ...", of_points[i]);
        }
    if (err->count > 0)
        return sim_err_status(err);
    return sim_sweep_load(opts->operands[0], arena, sweep, err);
}
