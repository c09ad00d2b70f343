/* simacc sweep: every point of a design space, into a store. */
#include "cli/cmd.h"
#include "cli/inputs.h"
#include "explore/sweep.h"
#include "explore/sweep_file.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const operands[] = {"ARCH|FILE.cfg", "WORKLOAD", NULL};

static const sim_opt options[] = {
    {"--bits", "AXES", "Bits to vary: w=, a= and kv=, each with numbers and ranges, e.g. w=2..8,a=4,8."},
    {"--axis", "NAME=VALUES",
     "What else to vary: a key of the arch, or batch, context, prompt, phase, policy, objective; may be "
     "given "
     "repeatedly. VALUES: 4,8 or 2..8 or 0.5..2:0.5 or 1..64:x2."},
    {"--zip", "NAMES", "Axes that advance together, e.g. array.rows,array.cols; may be given repeatedly."},
    {"--filter", "COND",
     "Leave out points where this is false, e.g. 'w <= a && array.rows * array.cols <= 4096'."},
    {"--constraint", "COND",
     "Mark points where this is false as excluded; also over results, e.g. 'memory_fits && area_mm2 <= 4'."},
    {"--policy", "P", "Bits where --bits does not say."},
    SIM_INPUT_OPTIONS,
    {"-o", "STORE",
     "Where the results go (SQLite). Points that it has are not run again. %d in it is the shard."},
    {"--layers", NULL, "Store a row for each layer too."},
    {"--jobs", "N", "Threads; by default one per core."},
    {"--shard", "I/N",
     "Run only part I (from 0) of N; 'auto' takes I and N from Slurm arrays, Open MPI, PMI, or a Kubernetes "
     "indexed job (with SIMACC_SHARDS for N)."},
    {"--sample", "N", "Run N points spread evenly over the space (a Sobol sequence) instead of all."},
    {"--seed", "S", "Of --sample; 1 by default."},
    {"--dry-run", NULL, "Only say how many points there are and how long they may take."},
};

static const char text[] =
    "Prices every combination of what varies and stores a row per point: latency, energy, traffic,\n"
    "memory, area. What the store has is not run again, so that a sweep that was stopped goes on where\n"
    "it was, and one that grew runs what is new.\n"
    "\n"
    "  simacc sweep arch/edge.cfg workloads/llama2_7b_decode.json --bits w=2..8,a=4,8 -o results.db\n"
    "  simacc sweep arch/edge.cfg workloads/llama2_7b_decode.json --bits w=2..8,a=8 \\\n"
    "      --axis array.rows=8..64:x2 --axis array.cols=8..64:x2 --zip array.rows,array.cols -o results.db\n"
    "  simacc export results.db --csv --where 'w = 4 AND latency_s < 0.2'\n"
    "  simacc export results.db --csv --pareto latency_s,energy_j\n"
    "\n"
    "A sweep can also be a file (libconfig):\n"
    "\n"
    "  arch = \"arch/edge.cfg\";\n"
    "  workload = \"workloads/llama2_7b_decode.json\";\n"
    "  axes = { w = \"2..8\"; a = [4, 8]; context = \"512..8192:x2\";\n"
    "           array = { rows = [16, 32]; cols = [16, 32]; }; };\n"
    "  zip = [\"array.rows,array.cols\"];\n"
    "  filter = \"w <= a\";\n"
    "  constraint = \"memory_fits && area_mm2 <= 4\";\n"
    "\n"
    "arch, workload, policy, objective, phase, batch, context and prompt may be lists too; 'set' holds\n"
    "fixed keys of the arch.\n"
    "\n"
    "On several machines: one store per process, then 'simacc merge'.\n"
    "\n"
    "  simacc sweep sweep.cfg --shard 0/8 -o shard0.db            by hand\n"
    "  sbatch --array=0-7 --wrap 'simacc sweep sweep.cfg --shard auto -o shard%d.db'\n"
    "  mpirun -n 4 simacc sweep sweep.cfg --shard auto --jobs 1 -o shard%d.db\n"
    "  simacc merge all.db shard*.db\n";

enum { SHARDS_MAX = 100000 };

static const int64_t points_max = INT64_C(10000000000);

/* ---- what was asked for ----------------------------------------------------------------------------- */

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
            sim_hint(err, "axes: w a kv; others go to --axis");
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
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--axis': '%s' has no values", spec);
        sim_hint(err, "the form is array.rows=16,32 or batch=1..64:x2");
    } else if (!name) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    } else {
        sim_space_axis(space, name, equals + 1, option("option '--axis'"), err);
    }
}

static sim_status read_space(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err)
{
    const char *const words[] = {"--axis", "--zip", NULL};

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

static void read_shard(const char *spec, sim_sweep *sweep, sim_err *err)
{
    const char *slash = strchr(spec, '/');
    char index[24] = "";

    if (strcmp(spec, "auto") == 0) {
        if (from_environment("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT",
                             &sweep->shard, &sweep->shards) ||
            from_environment("OMPI_COMM_WORLD_RANK", NULL, "OMPI_COMM_WORLD_SIZE", &sweep->shard,
                             &sweep->shards) ||
            from_environment("PMI_RANK", NULL, "PMI_SIZE", &sweep->shard, &sweep->shards) ||
            from_environment("JOB_COMPLETION_INDEX", NULL, "SIMACC_SHARDS", &sweep->shard, &sweep->shards))
            return;
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--shard': auto finds no job here");
        sim_hint(err, "known: Slurm arrays, Open MPI and PMI ranks, JOB_COMPLETION_INDEX with SIMACC_SHARDS");
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

/* The store's name with %d replaced by the shard. */
static const char *store_name(const char *name, int64_t shard, sim_arena *arena, sim_err *err)
{
    const char *mark = strstr(name, "%d");
    const char *made =
        mark ? sim_arena_printf(arena, "%.*s%" PRId64 "%s", (int)(mark - name), name, shard, mark + 2) : name;

    if (!made)
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return made;
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
        settings[i] = (sim_sweep_setting){inputs.settings[i].key, inputs.settings[i].value};
    sweep->base = (sim_sweep_base){
        .arch = opts->operands[0],
        .workload = opts->operand_count > 1 ? opts->operands[1] : NULL,
        .settings = settings,
        .setting_count = inputs.setting_count,
        .phase = inputs.workload.phase,
        .batch = inputs.workload.batch,
        .context_tokens = inputs.workload.context_tokens,
        .prompt_tokens = inputs.workload.prompt_tokens,
        .full_attention = inputs.workload.full_attention,
        .policy = sim_opt_value(opts, "--policy"),
        .objective = inputs.objective,
    };
    return sim_err_status(err);
}

static sim_status read_sweep(const sim_opts *opts, sim_arena *arena, sim_sweep *sweep, sim_err *err)
{
    static const char *const of_points[] = {
        "--bits",      "--axis",  "--zip",   "--filter",  "--constraint", "--policy",         "--set",
        "--objective", "--phase", "--batch", "--context", "--prompt",     "--full-attention", NULL};
    int64_t jobs = 0, seed = 1;

    *sweep = (sim_sweep){.layers = sim_opt_has(opts, "--layers")};
    sim_opt_positive(opts, "--jobs", &jobs, err);
    sim_opt_positive(opts, "--sample", &sweep->sample, err);
    sim_opt_positive(opts, "--seed", &seed, err);
    sweep->jobs = jobs > 1024 ? 1024 : (int)jobs;
    sweep->seed = (uint64_t)seed;
    if (sim_opt_value(opts, "--shard"))
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

/* ---- while it runs ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* What is finished is to be kept: the first signal lets the batch end, the second ends the process. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

typedef struct teller {
    bool terminal;
    int64_t tenth; /* last one that was told */
} teller;

static bool tell(void *user, const sim_sweep_progress *p)
{
    teller *t = user;
    double rate = p->elapsed_s > 0 ? (double)(p->done - p->stored) / p->elapsed_s : 0;
    double left_s = rate > 0 ? (double)(p->total - p->done) / rate : 0;
    int64_t tenth = p->total > 0 ? 10 * p->done / p->total : 10;

    if (t->terminal)
        fprintf(stderr, "\r%" PRId64 " of %" PRId64 " points, %.0f/s, %.0f s left ", p->done, p->total, rate,
                left_s);
    else if (tenth > t->tenth)
        fprintf(stderr, "%" PRId64 "0%%: %" PRId64 " of %" PRId64 " points, %.0f/s\n", tenth, p->done,
                p->total, rate);
    if (t->terminal && p->done == p->total)
        fputc('\n', stderr);
    t->tenth = tenth;
    return !interrupted;
}

static void say(const sim_sweep_report *r, const char *store)
{
    fprintf(stderr, "%s: %" PRId64 " points priced", store, r->priced);
    if (r->stored > 0)
        fprintf(stderr, ", %" PRId64 " were there", r->stored);
    if (r->filtered > 0)
        fprintf(stderr, ", %" PRId64 " filtered out", r->filtered);
    if (r->excluded > 0)
        fprintf(stderr, ", %" PRId64 " excluded by the constraint", r->excluded);
    if (r->infeasible > 0)
        fprintf(stderr, ", %" PRId64 " that the machine cannot run (%s)", r->infeasible,
                r->first_infeasible ? r->first_infeasible : "");
    fprintf(stderr, "; %.3g s\n", r->elapsed_s);
}

static int dry_run(const sim_sweep *sweep, sim_arena *arena, sim_err *err)
{
    sim_sweep_estimate e;
    sim_text answer = {.length = 0};
    sim_status status = sim_sweep_estimate_of(sweep, arena, &e, err);
    int64_t wanted;

    if (status != SIM_OK)
        return status;
    wanted = sweep->sample > 0 && sweep->sample < e.points ? sweep->sample : (int64_t)e.kept;
    sim_text_printf(&answer, "points      %" PRId64 "\n", e.points);
    for (int i = 0; i < sim_space_axes(sweep->space); i++)
        sim_text_printf(&answer, "  %-20s %" PRId64 " values\n", sim_space_name(sweep->space, i),
                        sim_space_values(sweep->space, i));
    if ((int64_t)e.kept != e.points)
        sim_text_printf(&answer, "kept        %s%.0f by the filter\n", e.exact ? "" : "about ", e.kept);
    if (sweep->sample > 0)
        sim_text_printf(&answer, "sampled     %" PRId64 "\n", wanted);
    if (sweep->shards > 0)
        sim_text_printf(&answer, "this shard  about %" PRId64 "\n", wanted / sweep->shards);
    if (e.points_per_s > 0)
        sim_text_printf(&answer, "time        about %.3g s at %.0f points/s\n",
                        (double)wanted / e.points_per_s / (double)(sweep->shards > 0 ? sweep->shards : 1),
                        e.points_per_s);
    return sim_cmd_answer(&answer, NULL, err);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const char *name = sim_opt_value(opts, "-o");
    teller t = {.terminal = isatty(STDERR_FILENO) && term->width > 0};
    sim_store *store = NULL;
    sim_sweep_report report;
    sim_sweep sweep;
    sim_status status = read_sweep(opts, arena, &sweep, err);

    if (!name && !sim_opt_has(opts, "--dry-run")) {
        sim_fail(err, SIM_USAGE, NULL, 0, "sweep: missing -o STORE");
        sim_hint(err, "e.g. -o results.db, or --dry-run");
    }
    if (err->count > 0 || status != SIM_OK)
        return sim_err_status(err);
    if (sim_opt_has(opts, "--dry-run"))
        return dry_run(&sweep, arena, err);
    if (sim_space_size(sweep.space) > points_max && sweep.sample == 0) {
        sim_fail(err, SIM_USAGE, NULL, 0, "the sweep has %" PRId64 " points: too many to run them all",
                 sim_space_size(sweep.space));
        sim_hint(err, "--sample N takes some spread evenly; --dry-run says how many points there are");
        return SIM_USAGE;
    }
    name = store_name(name, sweep.shard, arena, err);
    status = name ? sim_store_open(name, true, &store, err) : SIM_NO_MEMORY;
    if (status != SIM_OK)
        return sim_err_status(err);
    catch_signals();
    status = sim_sweep_run(&sweep, store, tell, &t, arena, &report, err);
    sim_store_close(store);
    if (status != SIM_OK)
        return sim_err_status(err);
    say(&report, name);
    return report.interrupted ? 130 : 0;
}

const sim_command sim_cmd_sweep = {
    .name = "sweep",
    .operands = operands,
    .least_operands = 1,
    .summary =
        "Every point of a design space (hardware, bits, models), into a store; resumable, on many machines.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
