/* simacc export: rows of a store as CSV. simacc merge: several stores into one. */
#include "cli/cmd.h"
#include "cli/file.h"
#include "explore/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- export ----------------------------------------------------------------------------------------- */

static const char *const export_operands[] = {"STORE", NULL};

static const sim_opt export_options[] = {
    {"--csv", NULL, "As CSV, the only form there is."},
    {"--where", "SQL",
     "Rows for which this is true, over the columns, e.g. 'w = 4 AND latency_s < 0.1'. Default: those with "
     "status 'ok'."},
    {"--columns", "NAMES", "Only these columns, e.g. w,a,latency_s."},
    {"--pareto", "X,Y", "Only rows that no other beats in both columns; the least of each is best."},
    {"--layers", NULL, "The rows per layer of a sweep with --layers."},
    {"-o", "FILE", "Write to FILE, whole or not at all, instead of stdout."},
};

static const char export_text[] =
    "Prints what 'simacc sweep' stored, sorted by arch, workload and what was varied: equal stores give\n"
    "equal text, however they came about. Names with a dot stand in double quotes in a condition.\n"
    "\n"
    "  simacc export results.db --csv -o results.csv\n"
    "  simacc export results.db --csv --where 'w = 4 AND memory_fits' --columns w,a,latency_s,energy_j\n"
    "  simacc export results.db --csv --where '\"array.rows\" = 16 AND memory_fits'\n"
    "  simacc export results.db --csv --pareto latency_s,energy_j\n";

/* Rows on their way out, a piece at a time: a store may be larger than the memory. */
typedef struct outlet {
    const sim_store *store;
    const sim_store_query *query;
    sim_arena *arena;
    sim_err *err;
    int descriptor, error; /* errno of a write that failed */
    size_t used;
    char piece[1 << 16];
} outlet;

static bool flush(outlet *o)
{
    bool good = sim_file_bytes(o->descriptor, o->piece, o->used);

    o->used = 0;
    if (!good)
        o->error = errno;
    return good;
}

static bool take_line(void *user, const char *line, size_t length)
{
    outlet *o = user;

    while (length > 0) {
        size_t room = sizeof o->piece - o->used, part = length < room ? length : room;

        memcpy(o->piece + o->used, line, part);
        o->used += part;
        line += part;
        length -= part;
        if (o->used == sizeof o->piece && !flush(o))
            return false;
    }
    return true;
}

static bool produce(void *user, int descriptor)
{
    outlet *o = user;
    bool good;

    o->descriptor = descriptor;
    good = sim_store_query_csv(o->store, o->query, take_line, o, o->arena, o->err) == SIM_OK && flush(o);
    errno = o->error;
    return good && o->error == 0;
}

static int run_export(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const char *pareto = sim_opt_value(opts, "--pareto"), *comma = pareto ? strchr(pareto, ',') : NULL;
    sim_store_query query = {.where = sim_opt_value(opts, "--where"),
                             .columns = sim_opt_value(opts, "--columns"),
                             .layers = sim_opt_has(opts, "--layers")};
    const char *file = sim_opt_value(opts, "-o");
    outlet *o;
    sim_store *store;
    sim_status status;

    (void)term;
    if (pareto && (!comma || comma == pareto || !comma[1] || strchr(comma + 1, ','))) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--pareto': '%s' is not two columns", pareto);
        sim_hint(err, "e.g. latency_s,energy_j");
        return SIM_USAGE;
    }
    if (pareto && query.layers)
        return sim_fail(err, SIM_USAGE, NULL, 0, "--pareto and --layers exclude each other");
    if (pareto) {
        query.pareto[0] = sim_arena_text(arena, pareto, (size_t)(comma - pareto));
        query.pareto[1] = comma + 1;
        if (!query.pareto[0])
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    status = sim_store_open(opts->operands[0], false, &store, err);
    if (status != SIM_OK)
        return status == SIM_IO ? SIM_BAD_INPUT : status; /* a store that is read is an input */
    o = sim_arena_alloc(arena, 1, sizeof *o);
    if (o) {
        o->store = store;
        o->query = &query;
        o->arena = arena;
        o->err = err;
        status = sim_file_stream(file && strcmp(file, "-") != 0 ? file : NULL, produce, o, err);
    } else {
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    }
    sim_store_close(store);
    return status;
}

const sim_command sim_cmd_export = {
    .name = "export",
    .operands = export_operands,
    .least_operands = 1,
    .summary = "Rows of a store as CSV: all, those that meet a condition, or a Pareto front.",
    .text = export_text,
    .options = export_options,
    .option_count = sizeof export_options / sizeof export_options[0],
    .run = run_export,
};

/* ---- merge ------------------------------------------------------------------------------------------ */

/* As many as the command line holds; the first is what the others go into. */
static const char *const merge_operands[] = {"ALL", "STORE", "...", NULL};

static const char merge_text[] =
    "Copies the points of the STOREs that ALL does not have into ALL, which is made if it is not there.\n"
    "Once more changes nothing.\n"
    "\n"
    "  simacc merge all.db shard*.db\n";

static int run_merge(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    sim_store *store;
    sim_status status = SIM_OK;

    (void)term;
    (void)arena;
    for (int i = 1; i < opts->operand_count; i++) /* before ALL is made */
        if (sim_store_open(opts->operands[i], false, &store, err) == SIM_OK)
            sim_store_close(store);
    if (err->count > 0)
        return SIM_BAD_INPUT;
    status = sim_store_open(opts->operands[0], true, &store, err);
    if (status != SIM_OK)
        return status;
    for (int i = 1; i < opts->operand_count && status == SIM_OK; i++) {
        int64_t added;

        status = sim_store_merge(store, opts->operands[i], &added, err);
        if (status == SIM_OK)
            fprintf(stderr, "%s: %" PRId64 " points added from %s\n", opts->operands[0], added,
                    opts->operands[i]);
    }
    sim_store_close(store);
    return status;
}

const sim_command sim_cmd_merge = {
    .name = "merge",
    .operands = merge_operands,
    .least_operands = 2,
    .summary = "Several stores into one; points that are there already are left alone.",
    .text = merge_text,
    .options = NULL,
    .option_count = 0,
    .run = run_merge,
};
