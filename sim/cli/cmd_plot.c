/* simacc plot: charts of what other commands wrote. */
#include "cli/cmd.h"
#include "cli/plot.h"
#include "explore/chart_source.h"
#include "output/chart.h"

#include <string.h>

enum { LEAST_PX = 200, MOST_PX = 8000, LEAST_LINES = 12, MOST_LINES = 400 };

static const char *const operands[] = {"KIND", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE",
                                       "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE",
                                       "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE", "FILE",
                                       "FILE", "FILE", "FILE", "FILE", "FILE", NULL};

static const sim_opt options[] = {
    {"-o", "FILE", "The picture: .svg, .png or .pdf, written whole or not at all."},
    {"--term", NULL, "Draw on the terminal, as wide as it is, instead of into a file."},
    {"--title", "TEXT", "A title of your own."},
    {"--width", "N", "Pixels, 200 to 8000; default 800. A wider picture is the same picture, larger."},
    {"--height", "N", "Pixels; default: what the chart needs. With --term lines."},
    {"--dark", NULL, "On a dark ground."},
    {"--baseline", "NAME",
     "What others are compared with: a policy, arch, workload or file. speedup: default the first; heatmap: "
     "a policy such as w8a8, default none."},
    {"--x", "COLUMN", "pareto, scaling: what goes to the right."},
    {"--y", "COLUMN", "pareto: what goes up."},
    {"--top", "N", "At most N layers, bars or labels."},
    {"--csv", NULL, "The data behind the chart as CSV, instead of a picture."},
};

static const char text[] =
    "Draws what other commands wrote. FILE is a CSV or JSON of 'simacc run', a CSV of 'simacc table',\n"
    "or points of a sweep as CSV; several FILEs are shown side by side.\n"
    "\n"
    "  roofline     runs: each kind of layer against the limits of DRAM and of the array at its bits\n"
    "  breakdown    runs: time by layer and what bounds it, energy by component\n"
    "  bits         a run: weight and activation bits of each layer, what bounds it, its share of time\n"
    "  heatmap      a table or a sweep over bits: latency and energy for each (w, a)\n"
    "  pareto       a sweep, tables or runs: any two columns, and the points that nothing beats\n"
    "  scaling      a sweep or runs over batch or context: latency, tokens per second, energy per token\n"
    "  speedup      runs or a sweep: how much faster and thriftier than a baseline\n"
    "  calibration  rows of 'simacc calibrate': predicted against measured, and the errors\n"
    "\n"
    "  simacc run arch/edge.cfg workloads/llama2_7b_decode.json --policy w4a8 --csv -o out/w4a8.csv\n"
    "  simacc plot breakdown out/w4a8.csv -o out/w4a8.svg\n"
    "  simacc plot roofline out/w4a8.csv out/w8a8.csv --term\n"
    "\n"
    "Needs gnuplot 5.4 or newer. The scripts are plots/*.gp; all share plots/style.gp.\n";

typedef struct request {
    int kind;
    const char *file;
    bool term, csv, dark;
    sim_plot_format format;
    sim_chart_options chart;
} request;

static void read_size(const sim_opts *opts, const sim_term *term, request *r, sim_err *err)
{
    const int64_t least = r->term ? LEAST_LINES : LEAST_PX, most = r->term ? MOST_LINES : MOST_PX;
    int64_t width = SIM_PLOT_WIDTH_PX, height = 0;

    sim_opt_positive(opts, "--width", &width, err);
    sim_opt_positive(opts, "--height", &height, err);
    if (r->term) {
        if (sim_opt_has(opts, "--width"))
            sim_fail(err, SIM_USAGE, NULL, 0,
                     "--width and --term exclude each other: a terminal has its width");
        width = term->width;
    } else if (width < LEAST_PX || width > MOST_PX) {
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--width': %lld is outside %d to %d pixels",
                 (long long)width, LEAST_PX, MOST_PX);
    }
    if (height != 0 && (height < least || height > most))
        sim_fail(err, SIM_USAGE, NULL, 0, "option '--height': %lld is outside %lld to %lld %s",
                 (long long)height, (long long)least, (long long)most, r->term ? "lines" : "pixels");
    r->chart.width_px = (int)width;
    r->chart.height_px = (int)height;
}

/* Options that the kind of chart has no use for. */
static void check_uses(const sim_opts *opts, int kind, sim_err *err)
{
    static const struct {
        const char *option;
        unsigned kinds;
        const char *of;
    } uses[] = {{"--baseline", 1u << SIM_CHART_SPEEDUP | 1u << SIM_CHART_HEATMAP, "speedup and heatmap"},
                {"--x", 1u << SIM_CHART_PARETO | 1u << SIM_CHART_SCALING, "pareto and scaling"},
                {"--y", 1u << SIM_CHART_PARETO, "pareto"}};

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (sim_opt_has(opts, uses[i].option) && !(uses[i].kinds >> kind & 1u)) {
            sim_fail(err, SIM_USAGE, NULL, 0, "option '%s' is not for %s", uses[i].option,
                     sim_chart_names[kind]);
            sim_hint(err, "it is for %s", uses[i].of);
        }
}

static void read_kind(const char *word, request *r, sim_err *err)
{
    const char *nearest = sim_nearest(word, sim_chart_names);

    for (r->kind = 0; r->kind < SIM_CHART_COUNT; r->kind++)
        if (strcmp(sim_chart_names[r->kind], word) == 0)
            return;
    sim_fail(err, SIM_USAGE, NULL, 0, "plot: unknown kind of chart '%s'", word);
    if (nearest)
        sim_hint(err, "did you mean '%s'?", nearest);
    else
        sim_hint(err, "one of: roofline breakdown bits heatmap pareto scaling speedup calibration");
}

static sim_status read_request(const sim_opts *opts, const sim_term *term, request *r, sim_err *err)
{
    *r = (request){.file = sim_opt_value(opts, "-o"),
                   .term = sim_opt_has(opts, "--term"),
                   .csv = sim_opt_has(opts, "--csv"),
                   .dark = sim_opt_has(opts, "--dark"),
                   .format = SIM_PLOT_TEXT};
    int64_t top = 0;

    r->chart = (sim_chart_options){.title = sim_opt_value(opts, "--title"),
                                   .baseline = sim_opt_value(opts, "--baseline"),
                                   .x = sim_opt_value(opts, "--x"),
                                   .y = sim_opt_value(opts, "--y"),
                                   .text = r->term};
    read_kind(opts->operands[0], r, err);
    if (r->kind < SIM_CHART_COUNT)
        check_uses(opts, r->kind, err);
    sim_opt_positive(opts, "--top", &top, err);
    r->chart.top = top;
    read_size(opts, term, r, err);
    if (r->term && r->csv)
        sim_fail(err, SIM_USAGE, NULL, 0, "--term and --csv exclude each other");
    else if (!r->term && !r->csv && !r->file) {
        sim_fail(err, SIM_USAGE, NULL, 0, "plot: nowhere to draw");
        sim_hint(err, "-o chart.svg (or .png, .pdf), or --term");
    } else if (!r->term && !r->csv) {
        sim_plot_format_of(r->file, &r->format, err);
    }
    for (int i = 1; i < opts->operand_count; i++)
        if (r->file && strcmp(r->file, opts->operands[i]) == 0)
            sim_fail(err, SIM_USAGE, NULL, 0, "-o names the file '%s' that the chart is made from", r->file);
    return sim_err_status(err);
}

static int run(const sim_opts *opts, const sim_term *term, sim_arena *arena, sim_err *err)
{
    const int files = opts->operand_count - 1;
    sim_frame *frames = sim_arena_alloc(arena, (size_t)files, sizeof *frames);
    sim_text csv = {.length = 0}, picture = {.length = 0};
    sim_status status;
    request r;

    if (!frames)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (read_request(opts, term, &r, err) != SIM_OK)
        return sim_err_status(err);
    for (int i = 0; i < files; i++)
        sim_chart_source_open(opts->operands[i + 1], arena, &frames[i], err);
    status = sim_err_status(err);
    if (status == SIM_OK)
        status = sim_chart((sim_chart_kind)r.kind, frames, files, &r.chart, arena, &csv, err);
    if (status == SIM_OK && r.csv)
        return sim_cmd_answer(&csv, r.file, err);
    if (status == SIM_OK)
        status = sim_plot_draw((sim_chart_kind)r.kind, &csv, r.format, r.dark, term->colour && !r.file, arena,
                               &picture, err);
    sim_text_free(&csv);
    if (status == SIM_OK)
        return sim_cmd_answer(&picture, r.file, err);
    sim_text_free(&picture);
    return status;
}

const sim_command sim_cmd_plot = {
    .name = "plot",
    .operands = operands,
    .least_operands = 2,
    .summary = "Charts of what other commands wrote: rooflines, breakdowns, bits, Pareto fronts and more.",
    .text = text,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
