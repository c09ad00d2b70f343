/* simacc table: the cost of every layer at every precision. */
#include "cli/cmd.h"
#include "cli/inputs.h"
#include "explore/table.h"
#include "output/report.h"
#include "simacc.h"

static const char *const operands[] = {"ARCH", "WORKLOAD", NULL};

static const sim_opt options[] = {
    {"--bits", "AXES",
     "The bits to price: w=, a= and kv=, each with numbers and ranges, e.g. w=2..8,a=4,8. Default: w and a "
     "from "
     "1 to 8, the KV cache as a."},
    SIM_INPUT_OPTIONS,
    {"-o", "FILE", "Write the table to FILE, whole or not at all, instead of stdout."},
};

static const char text[] =
    "Prices every layer of WORKLOAD at every (w, a) and prints CSV: the look-up table with which a\n"
    "search (HAQ and the like) chooses bits per layer, here for your own hardware. One row for each\n"
    "layer and precision: layers in the order of the workload, w outermost; numbers are of one\n"
    "instance, in all steps of its phase; 'repeat' says how many there are.\n"
    "\n"
    "  simacc table arch/edge.cfg workloads/mlp.json -o table.csv\n"
    "  simacc table arch/edge.cfg workloads/llama2_7b_decode.json --bits w=2..8,a=8,16\n"
    "\n"
    "A row costs what 'simacc run' says with the same bits for all layers, with three differences.\n"
    "Each layer is priced by itself: no weights are prefetched under the layer before, so that the\n"
    "sum over all layers is an upper bound of a run. lm_head and embeddings have the bits asked for.\n"
    "And bits that the machine cannot run make empty cells, not an error.\n"
    "\n"
    "Attention has no weights: its products take a and the KV cache's bits. Vector operations take a.\n"
    "Their rows are equal along w.\n"
    "\n"
    "Fewer bits are not always faster. A note says so when a layer takes more cycles than with more\n"
    "bits, by more than mapper.slack_frac, which a mapping may give away for energy. Reasons are: first\n"
    "loads and last stores, which nothing hides when a layer is alone; tiles that fill the array\n"
    "or a port unevenly; and --objective energy, edp or dram, which do not minimise cycles.\n";

/* The table and its notes, priced; not yet written, so that a failed write leaves nothing but its error. */
static sim_status make_table(const sim_inputs *inputs, const sim_axes *axes, const sim_arch_handle *arch,
                             const sim_workload_handle *workload, sim_arena *arena, sim_text *answer,
                             sim_err *notes, sim_err *err)
{
    sim_cost_table table;
    sim_status status = sim_table_of(sim_arch_get(arch), sim_workload_get(workload), axes,
                                     (sim_objective)inputs->objective, arena, &table, err);

    if (status == SIM_OK) {
        sim_cost_table_csv(&table, answer);
        sim_cost_table_notes(&table, notes);
    }
    return status;
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_text answer = {.length = 0};
    sim_err notes = {0};
    sim_inputs inputs;
    sim_axes axes;
    int code;

    (void)term;
    sim_inputs_read(opts, arena, &inputs, err);
    sim_axes_parse(sim_opt_value(opts, "--bits"), &axes, err);
    if (err->count > 0)
        return sim_err_status(err);
    code = sim_inputs_open(opts, &inputs, arena, &arch, &workload, err);
    if (code == SIM_OK)
        code = make_table(&inputs, &axes, arch, workload, arena, &answer, &notes, err);
    if (code == SIM_OK)
        code = sim_cmd_answer(&answer, sim_opt_value(opts, "-o"), err);
    if (code == SIM_OK)
        sim_term_errors(&notes);
    sim_workload_close(workload);
    sim_arch_close(arch);
    return code;
}

const sim_command sim_cmd_table = {
    .name = "table",
    .operands = operands,
    .least_operands = 2,
    .summary = "What every layer costs at every precision, as CSV: for searches of bits per layer.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
