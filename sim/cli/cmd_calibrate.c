/* simacc calibrate: fits the GPU model to measurements, and says how far to trust it. */
#include "base/data.h"
#include "cli/calibrate_report.h"
#include "cli/cmd.h"
#include "cli/file.h"
#include "cli/inputs.h"
#include "cli/plot.h"
#include "explore/gpu_suite.h"
#include "simacc.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const operands[] = {NULL};

static const sim_opt options[] = {
    {"--from", "CSV", "Fit to the measurements of this file; may be given repeatedly."},
    {"--steps", "CSV",
     "Fit whole steps of encoders too, end to end: launch, efficiencies and energy of an engine's kernels."},
    {"--gpu", NULL, "Measure on the GPU of this machine first, then fit. Needs the CUDA plug-in."},
    {"--with", "CALIB", "Score this calibration instead of fitting one; see --check."},
    {"--check", "CSV", "The measurements to score it against; may be given repeatedly."},
    {"--arch", "ARCH",
     "The device, an arch file with backend = \"gpu\". With --gpu: the shipped one by default."},
    {"--set", "KEY=VALUE", "Overrides a key of the arch file; may be given repeatedly."},
    {"-o", "FILE", "Where the calibration goes, whole or not at all; with --check where the report goes."},
    {"--refit", "CALIB",
     "Fit c_us, es and em alone and keep everything else of this calibration: for a few rows of another "
     "session, host or library."},
    {"--no-residuals", NULL,
     "Leave out what is left of the measured shapes after the law; by default 0.7 of it is applied to them."},
    {"--no-floor", NULL,
     "Leave the floor of host-dispatched times out of the calibration, for launches from a graph; the fit "
     "still accounts for it."},
    {"--name", "NAME", "Name of the calibration; by default that of the file it goes to, or the arch's."},
    {"--plot", "FILE",
     "Also draw the errors of all rows (.svg, .png or .pdf; .csv: the rows for 'simacc plot calibration'), "
     "of "
     "a fit those of the law alone. Needs gnuplot."},
    {"--csv", "FILE",
     "With --gpu: where the measurements go, row by row; rows that the file has are not measured again. "
     "Default: <gpu>_measured.csv."},
    {"--device", "N", "With --gpu: which one, from 0."},
    {"--budget", "S", "With --gpu: seconds to measure, 480 by default."},
    {"--kernels", "GLOB", "With --gpu: measure only kernels of these names, e.g. 'gemm_*'."},
    {"--json", NULL, "The report as one JSON object."},
};

static const char text[] =
    "Fits the latency law of GPU kernels to measurements, for each kernel, implementation and regime\n"
    "by itself, and reports the error to expect: on weight shapes (n, k) held out of the fit, never\n"
    "on random rows, next to the ideal roofline and to one with three fitted parameters.\n"
    "\n"
    "  simacc calibrate --from measured.csv --arch arch/t4.cfg -o my_t4.cfg\n"
    "  simacc calibrate --with my_t4.cfg --check other.csv --arch arch/t4.cfg --json\n"
    "  simacc calibrate --from few.csv --refit arch/calib/a100.cfg --arch arch/a100.cfg -o my_a100.cfg\n"
    "  simacc calibrate --gpu -o my_gpu.cfg\n"
    "  simacc run arch/t4.cfg workloads/llama2_7b_decode.json --set calibration=./my_t4.cfg\n"
    "\n"
    "Measurements are CSV, columns by name, in any order; empty cells are unknown:\n"
    "  kernel       gemm_fp16 gemm_bf16 gemm_fp32 gemm_w8a8 gemm_w4a16 gemm_fp8, softmax rmsnorm\n"
    "               quantize residual copy, empty                                        (required)\n"
    "  m, n, k      out[m][n] += a[m][k] * w[k][n]; vector kernels: m rows of n elements (required)\n"
    "  latency_us   of one call                                                          (required)\n"
    "  batch        independent products, 1 by default\n"
    "  impl         whose kernel it is, e.g. cublaslt; each is fitted by itself\n"
    "  regime       burst (default) or sustained\n"
    "  clock_mhz    while it ran; es is then relative to the peak at that clock\n"
    "  gpu, w_bits, a_bits, w_format, a_format, layout, energy_mj, source\n"
    "\n"
    "Whole steps (--steps) are a CSV of their own: BERT in an engine, at the board's power limit:\n"
    "  model, layers, hidden, heads, ffn   a label and the encoder's shape            (required)\n"
    "  precision    fp16, bf16, fp8 or w8a8                                           (required)\n"
    "  batch, tokens, latency_ms           sequences, tokens of each, one step        (required)\n"
    "  attention    per_head (default), flash or unfused\n"
    "  gpu, impl, session                  impl is the engine, e.g. tensorrt\n"
    "They are fitted on top of the kernels, and 'simacc run' uses them with gpu.engine = \"tensorrt\".\n"
    "Held out: each model and length. From latency alone only mac_fj over power_cap_w less static_w\n"
    "can be told, so mac_fj is what fits the arch's static_w.\n"
    "\n"
    "How many rows? One gives a scale. Eight shapes give an error estimate, by leaving out one at a\n"
    "time. With 24 of your own layers, m spread by factors of two, expect 4 to 6%. With few rows use\n"
    "--refit: launch, compute and memory efficiency are what differs between hosts and sessions.\n"
    "What the rows cannot tell keeps its starting value, and the report says which parameters those are.\n";

typedef struct request {
    const char **from; /* files to fit to, or the one to check */
    int from_count;
    const char *with, *check, *steps, *arch, *file, *refit, *name, *plot, *csv, *kernels;
    bool gpu, json, no_residuals, no_floor;
    int64_t device, budget_s;
    sim_inputs inputs;
} request;

/* ---- the command line ----------------------------------------------------------------------------- */

static void exclude(const sim_opts *opts, const char *a, const char *b, sim_err *err)
{
    if (sim_opt_has(opts, a) && sim_opt_has(opts, b))
        sim_fail(err, SIM_USAGE, NULL, 0, "%s and %s exclude each other", a, b);
}

static void belongs_to(const sim_opts *opts, const char *option, const char *to, sim_err *err)
{
    if (sim_opt_has(opts, option) && !sim_opt_has(opts, to))
        sim_fail(err, SIM_USAGE, NULL, 0, "%s goes with %s", option, to);
}

static void read_device(const sim_opts *opts, request *r, sim_err *err)
{
    const char *device = sim_opt_value(opts, "--device");

    r->budget_s = SIM_GPU_SUITE_S;
    sim_opt_positive(opts, "--budget", &r->budget_s, err);
    if (device && (!sim_parse_int(device, &r->device) || r->device < 0 || r->device > 1000))
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--device': '%s' is not the number of a device", device);
}

/* What --from or --check name; room for one more, which --gpu measures. */
static void read_files(const sim_opts *opts, sim_arena *arena, request *r, sim_err *err)
{
    r->from = sim_arena_alloc(arena, (size_t)opts->given_count + 1, sizeof *r->from);
    if (!r->from) {
        sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        return;
    }
    for (int i = 0; i < opts->given_count; i++) {
        const char *name = opts->options[opts->given[i].option].name;

        if (strcmp(name, "--from") == 0 || strcmp(name, "--check") == 0)
            r->from[r->from_count++] = opts->given[i].value;
    }
}

static sim_status read_request(const sim_opts *opts, sim_arena *arena, request *r, sim_err *err)
{
    static const char *const fits[] = {"--refit", "--no-residuals", "--no-floor", "--name", NULL};
    static const char *const measures[] = {"--csv", "--device", "--budget", "--kernels", NULL};

    *r = (request){.with = sim_opt_value(opts, "--with"),
                   .check = sim_opt_value(opts, "--check"),
                   .steps = sim_opt_value(opts, "--steps"),
                   .arch = sim_opt_value(opts, "--arch"),
                   .file = sim_opt_value(opts, "-o"),
                   .refit = sim_opt_value(opts, "--refit"),
                   .name = sim_opt_value(opts, "--name"),
                   .plot = sim_opt_value(opts, "--plot"),
                   .csv = sim_opt_value(opts, "--csv"),
                   .kernels = sim_opt_value(opts, "--kernels"),
                   .gpu = sim_opt_has(opts, "--gpu"),
                   .json = sim_opt_has(opts, "--json"),
                   .no_residuals = sim_opt_has(opts, "--no-residuals"),
                   .no_floor = sim_opt_has(opts, "--no-floor")};
    read_files(opts, arena, r, err);
    sim_inputs_read(opts, arena, &r->inputs, err);
    read_device(opts, r, err);
    exclude(opts, "--from", "--gpu", err);
    exclude(opts, "--from", "--with", err);
    exclude(opts, "--gpu", "--with", err);
    exclude(opts, "--steps", "--with", err);
    belongs_to(opts, "--with", "--check", err);
    belongs_to(opts, "--check", "--with", err);
    for (int i = 0; fits[i]; i++)
        exclude(opts, fits[i], "--with", err);
    for (int i = 0; measures[i]; i++)
        belongs_to(opts, measures[i], "--gpu", err);
    if (r->from_count == 0 && !r->steps && !r->gpu && !r->with && !r->check) {
        sim_fail(err, SIM_USAGE, NULL, 0,
                 "calibrate: nothing to do: give --from, --gpu, --steps, or --with and --check");
        sim_hint(err, "see 'simacc help calibrate'");
    } else if (!r->arch && !r->gpu) {
        sim_fail(err, SIM_USAGE, NULL, 0, "calibrate: missing --arch");
        sim_hint(err, "the device that was measured, e.g. --arch arch/t4.cfg");
    }
    return sim_err_status(err);
}

/* "my_t4" of "calib/my_t4.cfg". */
static const char *name_of(const request *r, sim_arena *arena)
{
    const char *slash, *name, *dot;

    if (r->name || !r->file || strcmp(r->file, "-") == 0)
        return r->name;
    slash = strrchr(r->file, '/');
    name = slash ? slash + 1 : r->file;
    dot = strrchr(name, '.');
    return sim_arena_text(arena, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* ---- measuring ------------------------------------------------------------------------------------ */

/* On a terminal: one line that is written over. */
static bool show_progress(void *user, const sim_gpu_progress *p)
{
    const bool *terminal = user;

    if (*terminal && p->current)
        fprintf(stderr, "\r%lld of %lld  %-11s m %-6lld n %-6lld k %-6lld  %4.0f s left ", (long long)p->done,
                (long long)p->total, p->current->kernel->name, (long long)p->current->m,
                (long long)p->current->n, (long long)p->current->k, p->left_s);
    if (*terminal && p->done == p->total)
        fputc('\n', stderr);
    return true;
}

static void say_measured(const sim_gpu_suite_report *report, const char *file)
{
    fprintf(stderr, "%s: %lld measured, %lld were there, %lld left for another run", file,
            (long long)report->measured, (long long)report->resumed, (long long)report->late);
    if (report->too_large + report->unsupported > 0)
        fprintf(stderr, ", %lld not possible on this device",
                (long long)report->too_large + (long long)report->unsupported);
    if (report->wrong > 0)
        fprintf(stderr, ", %lld left out because their results were WRONG: %s", (long long)report->wrong,
                report->first_wrong ? report->first_wrong : "");
    fputc('\n', stderr);
}

/* Measures into r->csv, which becomes r->from; the shipped arch of that name unless one was given. */
static sim_status measure(request *r, const sim_term *term, sim_arena *arena, sim_err *err)
{
    bool terminal = isatty(STDERR_FILENO);
    sim_gpu_suite_options suite = {
        .budget_s = (double)r->budget_s, .kernels = r->kernels, .progress = show_progress, .user = &terminal};
    sim_gpu_suite_report report;
    sim_gpu_plugin plugin;
    sim_status status = sim_gpu_plugin_open(NULL, (int)r->device, arena, &plugin, err);
    char name[128];

    (void)term;
    if (status != SIM_OK)
        return status;
    snprintf(name, sizeof name, "%s", plugin.gpu);
    for (char *c = name; *c; c++)
        *c = (char)(isalnum((unsigned char)*c) ? tolower((unsigned char)*c) : '_');
    suite.file = r->csv ? r->csv : sim_arena_printf(arena, "%s_measured.csv", name);
    if (!r->arch)
        r->arch = sim_arena_printf(arena, "%s/%s.cfg", sim_cmd_folder("arch", arena), name);
    if (!suite.file || !r->arch)
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (status == SIM_OK)
        status = sim_gpu_suite_run(&plugin, &suite, arena, &report, err);
    sim_gpu_plugin_close(&plugin);
    if (status == SIM_OK)
        say_measured(&report, suite.file);
    if (status == SIM_OK)
        r->from[r->from_count++] = suite.file;
    return status;
}

/* ---- answers -------------------------------------------------------------------------------------- */

/* A name that ends in .csv asks for what the chart is made from. */
static bool wants_rows(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot && strcmp(dot, ".csv") == 0;
}

static sim_status draw(const request *r, const sim_arch *arch, const sim_gpu_calibration *calibration,
                       const sim_measurements *measured, sim_arena *arena, sim_err *err)
{
    sim_calibration_check check;
    sim_text csv = {.length = 0};
    sim_status status = sim_calibration_score(arch, calibration, measured, arena, &check, err);

    if (status != SIM_OK)
        return status;
    sim_calibration_check_csv(&check, calibration, &csv);
    if (wants_rows(r->plot))
        return (sim_status)sim_cmd_answer(&csv, r->plot, err);
    status = sim_plot_rows(SIM_CHART_CALIBRATION, &csv, r->plot, arena, err);
    sim_text_free(&csv);
    return status;
}

/* Without residuals, which would flatter the rows that they come from. */
static sim_status draw_law(const request *r, const sim_arch *arch, const sim_gpu_calibration *fitted,
                           const sim_measurements *measured, sim_arena *arena, sim_err *err)
{
    sim_gpu_calibration law = *fitted;
    sim_gpu_kernel *kernels = sim_arena_alloc(arena, (size_t)law.kernel_count, sizeof *kernels);

    if (!kernels)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    memcpy(kernels, law.kernels, (size_t)law.kernel_count * sizeof *kernels);
    for (int64_t i = 0; i < law.kernel_count; i++)
        kernels[i].residual_count = 0;
    law.kernels = kernels;
    return draw(r, arch, &law, measured, arena, err);
}

static int fit(const request *r, const sim_arch *arch, const sim_measurements *measured,
               const sim_engine_steps *steps, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const bool only_file = r->file && strcmp(r->file, "-") == 0;
    sim_calibrate_options how = {
        .no_residuals = r->no_residuals, .no_floor = r->no_floor, .name = name_of(r, arena)};
    sim_text answer = {.length = 0}, file = {.length = 0};
    sim_gpu_calibration start;
    sim_calibration_fit fitted = {.rows = 0};
    sim_status status = SIM_OK;

    if (r->refit) {
        status = sim_calibration_open(r->refit, arena, &start, err);
        how.refit = &start;
    }
    if (status == SIM_OK && measured->count > 0)
        status = sim_calibrate(arch, measured, &how, arena, &fitted, err);
    if (status == SIM_OK && steps->count > 0)
        status = sim_calibrate_add_steps(arch, steps, &how, arena, &fitted, err);
    if (status != SIM_OK)
        return status;
    /* The chart first: without gnuplot nothing is written. */
    if (r->plot && measured->count > 0) {
        status = draw_law(r, arch, &fitted.calibration, measured, arena, err);
        if (status != SIM_OK)
            return status;
    }
    if (r->file) {
        sim_calibration_text(&fitted, &file);
        status = (sim_status)sim_cmd_answer(&file, r->file, err);
    }
    if (status != SIM_OK || only_file)
        return status;
    if (r->json)
        sim_report_fit_json(&fitted, &answer);
    else
        sim_report_fit_table(&fitted, term->width, term->colour, &answer);
    return sim_cmd_answer(&answer, NULL, err);
}

static int check(const request *r, const sim_arch *arch, const sim_measurements *measured,
                 const sim_term *term, sim_arena *arena, sim_err *err)
{
    const bool to_file = r->file && strcmp(r->file, "-") != 0;
    sim_gpu_calibration calibration;
    sim_calibration_check scored;
    sim_text answer = {.length = 0};
    sim_status status = sim_calibration_open(r->with, arena, &calibration, err);

    if (status == SIM_OK)
        status = sim_calibration_score(arch, &calibration, measured, arena, &scored, err);
    if (status == SIM_OK && r->plot)
        status = draw(r, arch, &calibration, measured, arena, err);
    if (status != SIM_OK)
        return status;
    if (r->json)
        sim_report_check_json(&scored, &calibration, &answer);
    else
        sim_report_check_table(&scored, &calibration, measured->file, to_file ? 100 : term->width,
                               term->colour && !to_file, &answer);
    return sim_cmd_answer(&answer, r->file, err);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    sim_arch_handle *arch = NULL;
    sim_measurements measured = {.count = 0};
    sim_engine_steps steps = {.count = 0};
    request r;
    int code;

    if (read_request(opts, arena, &r, err) != SIM_OK)
        return sim_err_status(err);
    if (r.gpu && measure(&r, term, arena, err) != SIM_OK)
        return sim_err_status(err);
    /* Both are read even when one is wrong: all errors are reported together. */
    if (sim_arch_open(r.arch, r.inputs.settings, r.inputs.setting_count, &arch, err) != SIM_OK)
        sim_cmd_hint_file(r.arch, "arch", ".cfg", arena, err);
    if (r.from_count > 0)
        sim_measurements_load_all(r.from, r.from_count, arena, &measured, err);
    if (r.steps)
        sim_engine_steps_load(r.steps, arena, &steps, err);
    code = sim_err_status(err);
    if (code == SIM_OK && r.with)
        code = check(&r, sim_arch_get(arch), &measured, term, arena, err);
    else if (code == SIM_OK)
        code = fit(&r, sim_arch_get(arch), &measured, &steps, term, arena, err);
    sim_arch_close(arch);
    return code;
}

const sim_command sim_cmd_calibrate = {
    .name = "calibrate",
    .operands = operands,
    .summary = "Fits the GPU model to measurements and says how far to trust it, on shapes held out.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
