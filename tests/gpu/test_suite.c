/* The suite against the fake plug-in: its plan, its rows, resuming, and what goes wrong on the way. */
#include "explore/gpu_suite.h"
#include "format/csv.h"
#include "gpu_fixture.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static sim_arena arena;
static sim_err err;
static sim_gpu_plugin plugin;
static sim_gpu_suite_report report;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
    memset(&err, 0, sizeof err);
    cr_assert_eq(sim_gpu_plugin_open(FAKE_PLUGIN, 0, &arena, &plugin, &err), SIM_OK);
}

static void end(void)
{
    sim_gpu_plugin_close(&plugin);
    sim_arena_free(&arena);
    gpu_cleanup();
}

TestSuite(gpu_suite, .init = begin, .fini = end);

static sim_gpu_plan plan_of(void)
{
    sim_gpu_plan plan;
    int count;
    const simacc_cuda_kernel *kernels = plugin.api->kernels(plugin.session, &count);

    cr_assert_eq(sim_gpu_suite_plan(&plugin.device, kernels, count, &arena, &plan, &err), SIM_OK);
    return plan;
}

/* Rows that the plan will make when nothing stands in the way. */
static int64_t rows_of(const sim_gpu_plan *plan)
{
    int64_t rows = 0;

    for (int64_t i = 0; i < plan->count; i++)
        rows += !plan->cases[i].check_only;
    return rows;
}

static sim_status run(sim_gpu_suite_options options)
{
    memset(&err, 0, sizeof err);
    return sim_gpu_suite_run(&plugin, &options, &arena, &report, &err);
}

/* Stops after `limit` calls. */
typedef struct counter {
    int64_t calls, limit, last_done;
    double least_left_s;
} counter;

static bool count_calls(void *user, const sim_gpu_progress *progress)
{
    counter *c = user;

    cr_expect_geq(progress->done, c->last_done);
    cr_expect_leq(progress->done, progress->total);
    cr_expect_geq(progress->left_s, 0);
    cr_expect_leq(progress->left_s, SIM_GPU_SUITE_S);
    c->last_done = progress->done;
    c->least_left_s = progress->left_s;
    return ++c->calls <= c->limit;
}

/* ---- the plan --------------------------------------------------------------------------------------- */

Test(gpu_suite, plan_covers_the_models)
{
    static const int64_t wanted[][2] = {{4096, 4096}, {11008, 4096}, {4096, 11008}, {8192, 28672},
                                        {1024, 8192}, {14336, 4096}, {16384, 4096}, {5120, 20480}};
    sim_gpu_plan plan = plan_of();

    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
        for (int64_t m = 1; m <= 4096; m *= 2) {
            int found = 0;

            for (int64_t i = 0; i < plan.count; i++) {
                const sim_gpu_case *c = &plan.cases[i];

                found += c->m == m && c->n == wanted[w][0] && c->k == wanted[w][1] &&
                         c->regime == SIMACC_CUDA_BURST && strcmp(c->kernel->impl, "simacc_o2") != 0;
            }
            cr_expect_eq(found, 3, "n %lld, k %lld, m %lld: %d of 3 kernels", (long long)wanted[w][0],
                         (long long)wanted[w][1], (long long)m, found);
        }
}

Test(gpu_suite, plan_is_sound)
{
    sim_gpu_plan plan = plan_of(), again = plan_of();
    double cost_s = 0;
    int sustained = 0, checks = 0;

    cr_assert_eq(plan.count, again.count);
    for (int64_t i = 0; i < plan.count; i++) {
        const sim_gpu_case *c = &plan.cases[i];

        cr_assert(c->m > 0 && c->n > 0 && c->batch == 1 && (c->k > 0) == (c->kernel->is_gemm != 0));
        cr_assert(c->kernel->available);
        cr_assert(c->cost_s > 0 && isfinite(c->cost_s));
        cr_assert(i == 0 || c->rank >= plan.cases[i - 1].rank);
        cr_assert(c->m == again.cases[i].m && c->n == again.cases[i].n && c->k == again.cases[i].k);
        cr_assert(c->kernel->w_bits >= 16 || !c->kernel->is_gemm || c->n < 30000, "heads stay in float");
        sustained += c->regime == SIMACC_CUDA_SUSTAINED;
        checks += c->check_only;
        cost_s += c->cost_s;
    }
    cr_expect_float_eq(plan.cost_s, cost_s, 1e-6);
    cr_expect_gt(sustained, 20);
    cr_expect_gt(checks, 100);
}

Test(gpu_suite, first_ranks_fit_the_time_box_of_a_t4)
{
    sim_gpu_plan plan = plan_of();
    double cost_s = 0;

    for (int64_t i = 0; i < plan.count; i++)
        cost_s += plan.cases[i].rank <= 3 ? plan.cases[i].cost_s : 0;
    cr_expect_leq(cost_s, SIM_GPU_SUITE_S, "%g s", cost_s);
}

/* ---- rows ------------------------------------------------------------------------------------------- */

Test(gpu_suite, writes_every_row)
{
    const char *path = gpu_temporary("rows.csv");
    sim_gpu_plan plan = plan_of();
    counter c = {.limit = INT64_MAX};
    sim_csv csv;
    double x;

    cr_assert_eq(
        run((sim_gpu_suite_options){.file = path, .budget_s = 1e6, .progress = count_calls, .user = &c}),
        SIM_OK);
    cr_expect_eq(report.planned, plan.count);
    cr_expect_eq(report.measured, rows_of(&plan));
    cr_expect_eq(report.late + report.wrong + report.resumed + report.too_large + report.unsupported, 0);
    cr_expect_eq(report.checked_shapes, plan.count);
    cr_expect_eq(report.worst_error_frac, 0.25);
    cr_expect_eq(c.calls, plan.count + 1);
    cr_expect_eq(c.last_done, plan.count);
    cr_expect_eq(c.least_left_s, 0);

    cr_assert_eq(sim_csv_load(path, &arena, &csv, &err), SIM_OK);
    cr_expect_eq(csv.row_count, report.measured);
    cr_expect_eq(csv.column_count, 17);
    for (int64_t row = 0; row < csv.row_count; row++) {
        bool sustained = strcmp(sim_csv_text(&csv, row, sim_csv_column(&csv, "regime")), "sustained") == 0;

        cr_expect_eq(sim_csv_real(&csv, row, "latency_us", &x, &err), SIM_OK);
        cr_expect_gt(x, 0);
        cr_expect_eq(*sim_csv_text(&csv, row, sim_csv_column(&csv, "energy_mj")) != '\0', sustained);
        cr_expect_str_eq(sim_csv_text(&csv, row, 0), "T4");
        cr_expect(strstr(sim_csv_text(&csv, row, sim_csv_column(&csv, "source")), "Tesla T4"));
    }
}

Test(gpu_suite, header_is_the_contract)
{
    static const char start[] =
        "gpu,kernel,w_bits,a_bits,m,n,k,batch,latency_us,energy_mj,clock_mhz,w_format,a_format,layout,impl,"
        "regime,source\nT4,empty,0,0,1,1,0,1,5.500001,,1500,,,row,simacc,burst,simacc ";
    const char *path = gpu_temporary("rows.csv");
    char *text;

    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .kernels = "empty"}), SIM_OK);
    text = gpu_read(path);
    cr_expect_eq(strncmp(text, start, strlen(start)), 0, "%s", text);
    cr_expect_eq(gpu_lines(text), 2);
    free(text);
}

Test(gpu_suite, resumes)
{
    const char *path = gpu_temporary("rows.csv");
    counter c = {.limit = 300};
    sim_gpu_plan plan = plan_of();
    int64_t first;
    char *text;

    cr_assert_eq(
        run((sim_gpu_suite_options){.file = path, .budget_s = 1e6, .progress = count_calls, .user = &c}),
        SIM_INTERRUPTED);
    first = report.measured;
    cr_assert(first > 0 && first < rows_of(&plan));
    text = gpu_read(path);
    cr_expect_eq(gpu_lines(text), 1 + first);
    /* What a killed process leaves: a row cut in the middle. */
    text[strlen(text) - 20] = '\0';
    gpu_write(path, text);
    free(text);

    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .budget_s = 1e6}), SIM_OK);
    cr_expect_eq(report.resumed, first - 1);
    cr_expect_eq(report.measured, rows_of(&plan) - (first - 1));
    text = gpu_read(path);
    cr_expect_eq(gpu_lines(text), 1 + rows_of(&plan));
    free(text);

    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .budget_s = 1e6}), SIM_OK);
    cr_expect_eq(report.measured, 0);
    cr_expect_eq(report.resumed, rows_of(&plan));
}

Test(gpu_suite, rows_of_another_gpu_do_not_count)
{
    const char *path = gpu_temporary("rows.csv");

    gpu_write(path, "# source: another lab\n" SIM_GPU_CSV_HEADER
                    "\nH100,empty,0,0,1,1,0,1,2.5,,,,,row,simacc,burst,elsewhere\n");
    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .kernels = "empty"}), SIM_OK);
    cr_expect_eq(report.measured, 1);
    cr_expect_eq(report.resumed, 0);
}

Test(gpu_suite, a_cut_header_is_written_again)
{
    const char *path = gpu_temporary("rows.csv");
    char *text;

    gpu_write(path, SIM_GPU_CSV_HEADER);
    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .kernels = "empty"}), SIM_OK);
    text = gpu_read(path);
    cr_expect_eq(gpu_lines(text), 2);
    free(text);
}

Test(gpu_suite, only_the_kernels_asked_for)
{
    const char *path = gpu_temporary("rows.csv");
    sim_csv csv;

    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .kernels = "gemm_w4*", .unchecked = true}),
                 SIM_OK);
    cr_expect_eq(report.checked_shapes, 0);
    cr_assert_eq(sim_csv_load(path, &arena, &csv, &err), SIM_OK);
    cr_assert_gt(csv.row_count, 100);
    for (int64_t row = 0; row < csv.row_count; row++)
        cr_expect_str_eq(sim_csv_text(&csv, row, 1), "gemm_w4a16");
}

/* ---- what goes wrong -------------------------------------------------------------------------------- */

Test(gpu_suite, files_that_are_no_measurements)
{
    static const struct {
        const char *text, *words;
        int line;
    } cases[] = {
        {"name,latency\na,1\n", "column 1 of the header is 'name', not 'gpu'", 1},
        {"# c\n" SIM_GPU_CSV_HEADER ",more\n", "column 18 of the header is 'more', not ''", 1},
        {"gpu,kernel\n\n", "column 3 of the header is '', not 'w_bits'", 1},
        {SIM_GPU_CSV_HEADER "\nT4,empty\n", "2 cells, but the header has 17 columns", 2},
        {"gpu,gpu\n", "duplicate column 'gpu'", 1},
    };
    const char *path = gpu_temporary("rows.csv");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;

        gpu_write(path, cases[i].text);
        cr_expect_eq(run((sim_gpu_suite_options){.file = path}), SIM_BAD_INPUT);
        cr_assert_eq(err.count, 1);
        cr_expect(strstr(err.items[0].text, cases[i].words), "%s", err.items[0].text);
        cr_expect_eq(err.items[0].line, cases[i].line);
        text = gpu_read(path);
        cr_expect_str_eq(text, cases[i].text, "the file is left as it was");
        free(text);
    }
    cr_expect_eq(run((sim_gpu_suite_options){.file = "/dev/full"}), SIM_BAD_INPUT);
    cr_expect_eq(run((sim_gpu_suite_options){.file = "/nowhere/rows.csv"}), SIM_IO);
}

Test(gpu_suite, a_wrong_result_is_left_out_and_told)
{
    const char *path = gpu_temporary("rows.csv");
    char *text;

    setenv("FAKE_WRONG", "gemm_w4a16", 1);
    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .budget_s = 1e6}), SIM_OK);
    cr_expect_gt(report.wrong, 0);
    cr_expect(strstr(report.first_wrong, "gemm_w4a16 (simacc), m 1, n 1, k 1: 17 of 4096"));
    text = gpu_read(path);
    cr_expect_null(strstr(text, "gemm_w4a16"));
    free(text);
}

Test(gpu_suite, a_broken_device_ends_it)
{
    const char *path = gpu_temporary("rows.csv");
    char *text;

    setenv("FAKE_BREAK_AT", "300", 1);
    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .budget_s = 1e6}), SIM_MISSING);
    cr_expect(strstr(err.items[0].text, "fell off the bus"));
    cr_expect(strstr(err.items[0].hint, path));
    text = gpu_read(path);
    cr_expect_eq(gpu_lines(text), 1 + report.measured);
    free(text);
}

Test(gpu_suite, keeps_to_the_time_box)
{
    const char *path = gpu_temporary("rows.csv");
    sim_gpu_plan plan = plan_of();

    setenv("FAKE_SLEEP_MS", "1", 1);
    cr_assert_eq(run((sim_gpu_suite_options){.file = path, .budget_s = 1}), SIM_OK);
    cr_expect_lt(report.elapsed_s, 2);
    cr_expect_gt(report.late, 0);
    cr_expect_eq(report.checked_shapes + report.late, plan.count);
}

Test(gpu_suite, every_allocation_may_fail)
{
    const char *path = gpu_temporary("rows.csv");
    sim_status status = SIM_NO_MEMORY;
    int failures = 0;

    for (long n = 1; status == SIM_NO_MEMORY; n++) {
        failing state = {.fail_at = n, .for_good = true};
        sim_allocator allocator = failing_allocator(&state);
        sim_arena small;

        sim_arena_init(&small, &allocator);
        small.block_bytes = 1;
        memset(&err, 0, sizeof err);
        status = sim_gpu_suite_run(&plugin, &(sim_gpu_suite_options){.file = path, .kernels = "empty"},
                                   &small, &report, &err);
        sim_arena_free(&small);
        cr_assert_eq(state.live, 0);
        failures += status == SIM_NO_MEMORY;
    }
    cr_expect_eq(status, SIM_OK);
    cr_expect_geq(failures, 5);
}
