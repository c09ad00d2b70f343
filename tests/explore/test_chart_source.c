/* What charts are drawn from: the JSON and the CSV of a run say the same. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "explore/chart_source.h"
#include "output/report.h"
#include "reference/failing.h"
#include "simacc.h"

static sim_arena arena;

static void setup(void)
{
    sim_arena_init(&arena, NULL);
}

static void teardown(void)
{
    sim_arena_free(&arena);
}

TestSuite(chart_source, .init = setup, .fini = teardown);

static sim_frame open_text(const char *text, const char *suffix)
{
    char path[] = "/tmp/simacc_chart_source_XXXXXX";
    sim_frame frame = {0};
    sim_err err = {0};
    const int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w");

    (void)suffix;
    fwrite(text, 1, strlen(text), file);
    fclose(file);
    cr_expect_eq(sim_chart_source_open(path, &arena, &frame, &err), SIM_OK, "%s", err.items[0].text);
    remove(path);
    return frame;
}

Test(chart_source, json_and_csv_of_a_run_agree)
{
    sim_arch_handle *arch = NULL;
    sim_workload_handle *workload = NULL;
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    sim_text json = {.length = 0}, csv = {.length = 0};
    sim_frame from_json, from_csv;
    sim_err err = {0};

    cr_assert_eq(sim_arch_open(SIMACC_SOURCE_DIR "/arch/edge.cfg", NULL, 0, &arch, &err), SIM_OK);
    cr_assert_eq(sim_workload_open(SIMACC_SOURCE_DIR "/tests/data/tiny_decode.json", NULL, &workload, &err),
                 SIM_OK);
    cr_assert_eq(sim_policy_open("w4a8", &policy, &err), SIM_OK);
    cr_assert_eq(sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, &err), SIM_OK);
    sim_report_json(sim_result_get(result), &json);
    sim_report_csv(sim_result_get(result), &csv);
    from_json = open_text(json.data, ".json");
    from_csv = open_text(csv.data, ".csv");

    cr_assert_eq(from_json.row_count, from_csv.row_count);
    cr_assert_gt(from_csv.row_count, 10);
    for (int c = 0; c < from_csv.column_count; c++) {
        const int other = sim_frame_column(&from_json, from_csv.columns[c]);
        bool empty = true;

        for (int64_t r = 0; r < from_csv.row_count; r++)
            empty &= *sim_frame_text(&from_csv, r, c) == '\0';
        cr_assert(other >= 0 || empty, "the JSON has no '%s'", from_csv.columns[c]);
        for (int64_t r = 0; r < from_csv.row_count; r++)
            cr_assert_str_eq(sim_frame_text(&from_json, r, other), sim_frame_text(&from_csv, r, c),
                             "%s of row %lld", from_csv.columns[c], (long long)r);
    }
    cr_assert_str_eq(sim_frame_text(&from_json, 0, sim_frame_column(&from_json, "workload_phase")), "decode");
    cr_assert_str_eq(sim_frame_text(&from_json, 3, sim_frame_column(&from_json, "workload_batch")), "1");
    cr_assert_geq(sim_frame_column(&from_json, "totals_tokens_per_s"), 0);
    cr_assert_gt(sim_frame_line(&from_json, 1), sim_frame_line(&from_json, 0));
    sim_text_free(&json);
    sim_text_free(&csv);
    sim_result_close(result);
    sim_policy_close(policy);
    sim_workload_close(workload);
    sim_arch_close(arch);
}

/* Only the arena: what reads the file and the JSON has tests of its own. */
Test(chart_source, survives_every_failing_allocation)
{
    static const char *const files[] = {"batch1.json", "points.csv"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        for (long n = 1;; n += 1 + n / 50) {
            failing state = {.fail_at = n, .for_good = true};
            const sim_allocator allocator = failing_allocator(&state);
            char path[512];
            sim_frame frame;
            sim_err err = {0};
            sim_arena own;
            sim_status status;

            snprintf(path, sizeof path, "%s/tests/data/charts/%s", SIMACC_SOURCE_DIR, files[i]);
            sim_arena_init(&own, &allocator);
            own.block_bytes = 1;
            status = sim_chart_source_open(path, &own, &frame, &err);
            sim_arena_free(&own);
            cr_assert_eq(state.live, 0);
            if (state.calls < state.fail_at) {
                cr_assert_eq(status, SIM_OK);
                break;
            }
            cr_assert_eq(status, SIM_NO_MEMORY, "%s, allocation %ld: %d", files[i], n, (int)status);
        }
}
