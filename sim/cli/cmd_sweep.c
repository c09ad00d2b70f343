/* simacc sweep: every point of a design space, into a store. */
#include "cli/cmd.h"
#include "cli/inputs.h"
#include "cli/sweep_options.h"
#include "explore/optimize.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const operands[] = {"ARCH|FILE.cfg", "WORKLOAD", NULL};

static const sim_opt options[] = {
    {"--bits", "AXES", "Bits to vary: w=, a= and kv=, each with numbers and ranges, e.g. w=2..8,a=4,8."},
    {"--set-axis", "NAME=VALUES",
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
     "Run only part I (from 0) of N; 0/1 all. By default I and N are those of the Slurm array, Open MPI or "
     "PMI "
     "rank, or Kubernetes indexed job (with SIMACC_SHARDS for N) that this runs in, if any; 'auto' insists "
     "on "
     "one."},
    {"--sample", "N", "Run N points spread evenly over the space (a Sobol sequence) instead of all."},
    {"--optimize", "FIGURES",
     "Look for the Pareto front of these, e.g. latency_s,energy_j, instead of running all points; the least "
     "is "
     "best, the most of those with a minus (-tokens_per_s)."},
    {"--evaluations", "N", "Of --optimize: points that are run at most; 2000 by default."},
    {"--seed", "S", "Of --sample and --optimize; 1 by default."},
    {"--dry-run", NULL, "Only say how many points there are and how long they may take."},
};

static const char text[] =
    "Prices every combination of what varies and stores a row per point: latency, energy, traffic,\n"
    "memory, area. What the store has is not run again, so that a sweep that was stopped goes on where\n"
    "it was, and one that grew runs what is new.\n"
    "\n"
    "  simacc sweep arch/edge.cfg workloads/llama2_7b_decode.json --bits w=2..8,a=4,8 -o results.db\n"
    "  simacc sweep arch/edge.cfg workloads/llama2_7b_decode.json --bits w=2..8,a=8 \\\n"
    "      --set-axis array.rows=8..64:x2 --set-axis array.cols=8..64:x2 --zip array.rows,array.cols \\\n"
    "      -o "
    "results.db\n"
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

enum { EVALUATIONS = 2000, EVALUATIONS_MAX = 10000000 };

static const int64_t points_max = INT64_C(10000000000);

/* ---- while it runs ---------------------------------------------------------------------------------- */

/* The one piece of state here, since a handler can be told nothing: the signal; threads look at it. */
static atomic_int interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static bool stop(void *user)
{
    (void)user;
    return interrupted != 0;
}

/* What is finished is to be kept: the first signal lets the points at hand end, the second ends the process.
 * One that the parent chose to ignore stays ignored. */
static void catch_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, previous;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (sigaction(ending[i], NULL, &previous) == 0 && previous.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
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
    return true;
}

static void say(const sim_sweep *sweep, const sim_sweep_report *r, const char *store)
{
    fprintf(stderr, "%s: ", store);
    if (sweep->shards > 1)
        fprintf(stderr, "shard %" PRId64 "/%" PRId64 ": ", sweep->shard, sweep->shards);
    fprintf(stderr, "%" PRId64 " points priced", r->priced);
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

static int dry_run(const sim_sweep *sweep, sim_err *err)
{
    sim_sweep_estimate e;
    sim_text answer = {.length = 0};
    sim_status status = sim_sweep_estimate_of(sweep, &e, err);
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

static void read_goals(const sim_opts *opts, sim_optimize_goals *goals, int64_t *evaluations, sim_err *err)
{
    static const char *const others[] = {"--sample", "--shard", NULL};
    const char *figures = sim_opt_value(opts, "--optimize");

    sim_opt_positive(opts, "--evaluations", evaluations, err);
    if (*evaluations > EVALUATIONS_MAX)
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--evaluations': more than %d", EVALUATIONS_MAX);
    if (!figures) {
        if (sim_opt_has(opts, "--evaluations"))
            sim_fail(err, SIM_USAGE, NULL, 0, "option '--evaluations' goes with --optimize");
        return;
    }
    sim_optimize_read_goals(figures, "option '--optimize'", goals, err);
    for (int i = 0; others[i]; i++)
        if (sim_opt_has(opts, others[i]))
            sim_fail(err, SIM_USAGE, NULL, 0, "--optimize and %s exclude each other", others[i]);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const char *name = sim_opt_value(opts, "-o");
    teller t = {.terminal = isatty(STDERR_FILENO) && term->width > 0};
    const sim_sweep_listener listener = {.tell = tell, .stop = stop, .user = &t};
    sim_store *store = NULL;
    sim_optimize_goals goals = {0};
    int64_t evaluations = EVALUATIONS, front = 0;
    sim_sweep_report report;
    sim_sweep sweep;
    sim_status status = sim_sweep_options_read(opts, arena, &sweep, err);

    read_goals(opts, &goals, &evaluations, err);

    if (!name && !sim_opt_has(opts, "--dry-run")) {
        sim_fail(err, SIM_USAGE, NULL, 0, "sweep: missing -o STORE");
        sim_hint(err, "e.g. -o results.db, or --dry-run");
    }
    if (err->count > 0 || status != SIM_OK)
        return sim_err_status(err);
    if (sim_sweep_check(&sweep, err) != SIM_OK)
        return sim_err_status(err);
    if (sim_opt_has(opts, "--dry-run"))
        return dry_run(&sweep, err);
    if (sim_space_size(sweep.space) > points_max && sweep.sample == 0 && goals.count == 0) {
        sim_fail(err, SIM_USAGE, NULL, 0, "the sweep has %" PRId64 " points: too many to run them all",
                 sim_space_size(sweep.space));
        sim_hint(err, "--sample N takes some spread evenly, --optimize looks for the best");
        return SIM_USAGE;
    }
    name = sim_sweep_store_name(name, sweep.shard, arena, err);
    status = name ? sim_store_open(name, true, &store, err) : SIM_NO_MEMORY;
    if (status != SIM_OK)
        return sim_err_status(err);
    catch_signals();
    if (goals.count > 0)
        status = sim_optimize_run(&sweep, &goals, evaluations, store, &listener, arena, &report, &front, err);
    else
        status = sim_sweep_run(&sweep, store, &listener, arena, &report, err);
    sim_store_close(store);
    if (status != SIM_OK)
        return sim_err_status(err);
    say(&sweep, &report, name);
    if (goals.count > 0)
        fprintf(stderr, "%s: %" PRId64 " of these on the front of %s\n", name, front,
                sim_opt_value(opts, "--optimize"));
    return report.interrupted ? 128 + interrupted : SIM_OK;
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
