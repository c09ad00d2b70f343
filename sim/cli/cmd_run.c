/* simacc run: the main job. */
#include "cli/cmd.h"
#include "cli/file.h"
#include "cli/inputs.h"
#include "output/report.h"
#include "output/trace.h"
#include "simacc.h"

#include <stdlib.h>
#include <string.h>

static const char *const operands[] = {"ARCH", "WORKLOAD", NULL};

static const sim_opt options[] = {
    {"--policy", "P",
     "Bits per layer: w8a8, w4a16g128, w4a8kv4, fp16, or a JSON file. Default: the layers' own "
     "bits, else w8a8. See 'simacc help policy'."},
    SIM_INPUT_OPTIONS,
    {"--json", NULL, "The answer as one JSON object."},
    {"--csv", NULL, "The answer as CSV, one row per layer."},
    {"-o", "FILE", "Write the answer to FILE, whole or not at all, instead of stdout."},
    {"--trace", "FILE", "Also write a timeline for Perfetto or chrome://tracing."},
};

static const char text[] =
    "Maps every layer of WORKLOAD (JSON) onto the accelerator ARCH (a .cfg file) and reports\n"
    "latency, energy, traffic, memory and tokens per second, per layer and in all.\n"
    "'simacc list arch' and 'simacc list workloads' show what is shipped.\n"
    "\n"
    "  simacc run arch/edge.cfg workloads/llama2_7b_decode.json --policy w4a8\n"
    "  simacc run arch/edge.cfg workloads/llama2_7b_decode.json --policy w4a8kv4 --context 8192\n"
    "  simacc run arch/edge.cfg workloads/models/opt_6.7b.json --phase prefill --prompt 512 --csv\n"
    "\n"
    "In the table '*' marks the three costliest layers; latency, energy and DRAM are sums over all\n"
    "repeats (x); '/min' is DRAM traffic over a lower bound, max(each operand once,\n"
    "2mnk/sqrt(buffer)); 'util' is multiply-accumulates over the peak at these bits.\n";

/* What was asked for, checked before anything is read. */
typedef struct request {
    sim_inputs inputs;
    const char *policy, *file, *trace;
    bool json, csv;
} request;

static sim_status read_request(const sim_opts *opts, sim_arena *arena, request *r, sim_err *err)
{
    *r = (request){.policy = sim_opt_value(opts, "--policy"),
                   .file = sim_opt_value(opts, "-o"),
                   .trace = sim_opt_value(opts, "--trace"),
                   .json = sim_opt_has(opts, "--json"),
                   .csv = sim_opt_has(opts, "--csv")};
    sim_inputs_read(opts, arena, &r->inputs, err);
    if (r->json && r->csv) {
        sim_fail(err, SIM_USAGE, NULL, 0, "--json and --csv exclude each other");
        sim_hint(err, "give one of them, or run twice with '-o'");
    }
    if (r->file && r->trace && strcmp(r->file, r->trace) == 0)
        sim_fail(err, SIM_USAGE, NULL, 0, "-o and --trace name the same file '%s'", r->file);
    return sim_err_status(err);
}

static int report(const request *r, const sim_result *result, const sim_term *term, sim_err *err)
{
    const bool to_file = r->file && strcmp(r->file, "-") != 0;
    const sim_table_style style = {.colour = term->colour && !to_file, .width = to_file ? 0 : term->width};
    sim_text answer = {.length = 0};

    if (r->trace) {
        sim_trace(result, &answer);
        if (sim_cmd_answer(&answer, r->trace, err) != SIM_OK)
            return sim_err_status(err);
        answer = (sim_text){.length = 0};
    }
    if (r->json)
        sim_report_json(result, &answer);
    else if (r->csv)
        sim_report_csv(result, &answer);
    else
        sim_report_table(result, &style, &answer);
    return sim_cmd_answer(&answer, r->file, err);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    request r;
    int code;

    if (read_request(opts, arena, &r, err) != SIM_OK)
        return sim_err_status(err);
    /* All three are read even when one is wrong: all errors are reported together. */
    sim_inputs_open(opts, &r.inputs, arena, &arch, &workload, err);
    sim_policy_open(r.policy, &policy, err);
    code = sim_err_status(err);
    if (code == SIM_OK)
        code = sim_run(arch, workload, policy, (sim_objective)r.inputs.objective, &result, err);
    if (code == SIM_OK)
        code = report(&r, sim_result_get(result), term, err);
    sim_result_close(result);
    sim_policy_close(policy);
    sim_workload_close(workload);
    sim_arch_close(arch);
    return code;
}

const sim_command sim_cmd_run = {
    .name = "run",
    .operands = operands,
    .least_operands = 2,
    .summary =
        "What a workload costs on an accelerator: latency, energy, traffic, memory, per layer and in all.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
