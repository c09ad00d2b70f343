/* Sweeps: rows are what a run says, however many threads, shards and interruptions there were. */
#include "explore/sweep.h"

#include "explore/optimize.h"
#include "explore/sweep_file.h"
#include "input/arch.h"
#include "input/policy.h"
#include "model/fold.h"
#include "model/run.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARCH      SIMACC_SOURCE_DIR "/arch/"
#define WORKLOADS SIMACC_SOURCE_DIR "/workloads/"

typedef struct fixture {
    sim_arena arena;
    sim_err err;
    sim_sweep sweep;
    char folder[64];
    int stores;
} fixture;

static const sim_space_place here = {"option '--set-axis'", 0};

static void begin(fixture *f, const char *arch, const char *workload)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->sweep.space = sim_space_new(&f->arena);
    f->sweep.base.arch = arch;
    f->sweep.base.workload = workload;
    f->sweep.jobs = 1;
    strcpy(f->folder, "/tmp/simacc_sweep_XXXXXX");
    cr_assert_not_null(mkdtemp(f->folder));
}

static void end(fixture *f)
{
    char command[100];

    snprintf(command, sizeof command, "rm -rf %s", f->folder);
    cr_assert_eq(system(command), 0);
    sim_arena_free(&f->arena);
}

static void axis(fixture *f, const char *name, const char *values)
{
    cr_assert_eq(sim_space_axis(f->sweep.space, name, values, here, &f->err), SIM_OK, "%s",
                 f->err.items[0].text);
}

static void finish(fixture *f)
{
    cr_assert_eq(sim_space_finish(f->sweep.space, &f->err), SIM_OK);
}

static const char *store_path(fixture *f, const char *name)
{
    return sim_arena_printf(&f->arena, "%s/%s.db", f->folder, name);
}

static sim_sweep_report run_into(fixture *f, const char *name, const sim_sweep_listener *listener)
{
    sim_store *store;
    sim_sweep_report report;

    cr_assert_eq(sim_store_open(store_path(f, name), true, &store, &f->err), SIM_OK, "%s",
                 f->err.items[0].text);
    cr_assert_eq(sim_sweep_run(&f->sweep, store, listener, &f->arena, &report, &f->err), SIM_OK, "%s",
                 f->err.items[0].text);
    sim_store_close(store);
    return report;
}

static bool take_line(void *user, const char *text, size_t length)
{
    sim_text_bytes(user, text, length);
    return true;
}

/* All of a store as CSV; the arena's. */
static const char *export(fixture *f, const char *name, sim_store_query query)
{
    sim_text text = {.length = 0};
    sim_store *store;
    const char *copy;

    cr_assert_eq(sim_store_open(store_path(f, name), false, &store, &f->err), SIM_OK);
    if (!query.where)
        query.where = "true";
    cr_assert_eq(sim_store_query_csv(store, &query, take_line, &text, &f->arena, &f->err), SIM_OK, "%s",
                 f->err.items[0].text);
    sim_store_close(store);
    copy = sim_arena_text(&f->arena, text.data, text.length);
    sim_text_free(&text);
    return copy;
}

static int lines_of(const char *text)
{
    int lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* ---- folded blocks ------------------------------------------------------------------------------------ */

/* False: the model has no such phase. */
static bool expect_folded_equal(const char *arch_path, const char *workload_path,
                                const sim_workload_request *request, const char *policy_spec)
{
    sim_workload workload, folded;
    sim_policy policy;
    sim_result whole, short_one;
    sim_arch arch;
    sim_arena arena;
    sim_err err = {0}, whole_err = {0}, short_err = {0};
    const sim_totals *a = &whole.totals, *b = &short_one.totals;
    sim_status status;

    sim_arena_init(&arena, NULL);
    cr_assert_eq(sim_arch_load(arch_path, NULL, 0, &arena, &arch, &err), SIM_OK, "%s", err.items[0].text);
    if (sim_workload_load(workload_path, request, &arena, &workload, &err) != SIM_OK) {
        sim_arena_free(&arena);
        return false;
    }
    cr_assert_eq(sim_policy_load(policy_spec, &arena, &policy, &err), SIM_OK);
    cr_assert_eq(sim_fold_blocks(&workload, &policy, &arena, &folded, &err), SIM_OK);
    status = sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &whole, &whole_err);
    cr_expect_eq(
        sim_run_model(&arch, &folded, &policy, SIM_OBJECTIVE_BALANCED, &arena, &short_one, &short_err),
        status);
    if (status == SIM_OK) {
        cr_expect_eq(a->cycles, b->cycles, "%s %s %s", arch_path, workload_path, policy_spec);
        cr_expect_eq(a->macs, b->macs);
        cr_expect_eq(a->latency_s, b->latency_s);
        cr_expect_eq(sim_energy_total_j(&a->energy), sim_energy_total_j(&b->energy));
        cr_expect_eq(a->dram_read_bytes, b->dram_read_bytes);
        cr_expect_eq(a->peak_memory_bytes, b->peak_memory_bytes);
        cr_expect_eq(a->weight_bytes, b->weight_bytes);
        cr_expect_eq(a->kv_cache_bytes, b->kv_cache_bytes);
        cr_expect_eq(a->max_batch, b->max_batch);
        cr_expect_eq(a->utilization_frac, b->utilization_frac);
    }
    sim_arena_free(&arena);
    return status == SIM_OK;
}

/* A workload of two blocks says the same as all of them, on every kind of machine. */
Test(sweep, folded_blocks_cost_what_all_blocks_cost, .timeout = 120)
{
    static const char *const archs[] = {ARCH "edge.cfg", ARCH "systolic_128.cfg", ARCH "stripes.cfg",
                                        ARCH "t4.cfg", ARCH "h100.cfg"};
    static const char *const workloads[] = {WORKLOADS "llama2_7b_decode.json",
                                            WORKLOADS "llama2_7b_prefill.json"};
    static const sim_workload_request as_it_is = {0};
    static const char *const policies[] = {"w8a8", "w4a8", "w4a16g128", "w8a8o1"};

    for (size_t a = 0; a < sizeof archs / sizeof *archs; a++)
        for (size_t w = 0; w < sizeof workloads / sizeof *workloads; w++)
            for (size_t p = 0; p < sizeof policies / sizeof *policies; p++)
                if (access(archs[a], R_OK) == 0 && access(workloads[w], R_OK) == 0)
                    expect_folded_equal(archs[a], workloads[w], &as_it_is, policies[p]);
}

/* Experts, latent attention, windows, states: blocks of every kind, in each phase. */
Test(sweep, blocks_of_every_model_fold, .timeout = 280)
{
    static const sim_workload_request requests[] = {
        {.phase = SIM_PHASE_DECODE, .context_tokens = 5000, .batch = 3},
        {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 700},
        {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 300, .new_tokens = 5},
    };
    static const char *const archs[] = {ARCH "edge.cfg", ARCH "t4.cfg"};
    DIR *models = opendir(WORKLOADS "models");
    struct dirent *entry;
    int models_seen = 0, checked = 0;

    cr_assert_not_null(models);
    while ((entry = readdir(models))) {
        char path[600];
        size_t length = strlen(entry->d_name);

        if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, WORKLOADS "models/%s", entry->d_name);
        for (int i = 0; i < 3 && models_seen % SIMACC_TEST_REDUCE == 0; i++)
            checked += expect_folded_equal(archs[(models_seen + i) % 2], path, &requests[i], "w4a8");
        models_seen++;
    }
    closedir(models);
    cr_expect_geq(checked, 150 / SIMACC_TEST_REDUCE, "%d runs", checked);
}

static void load(const char *path, sim_workload_request request, sim_arena *arena, sim_workload *out)
{
    sim_err err = {0};

    cr_assert_eq(sim_workload_load(path, &request, arena, out, &err), SIM_OK, "%s", err.items[0].text);
}

Test(sweep, what_folds)
{
    static const char rules[] =
        "{\"default\": \"w8a8\", \"policy\": [{\"layer\": \"layers.0.*\", \"w_bits\": "
        "4}, {\"layer\": \"layers.17.down_proj\", \"w_bits\": 2, \"a_bits\": 2}]}";
    const sim_policy eight = {.name = "w8a8"};
    sim_workload workload, folded, by_rules;
    sim_policy policy;
    sim_arena arena;
    sim_err err = {0};

    sim_arena_init(&arena, NULL);
    load(WORKLOADS "llama2_7b_decode.json", (sim_workload_request){0}, &arena, &workload);
    cr_assert_eq(sim_fold_blocks(&workload, &eight, &arena, &folded, &err), SIM_OK);
    cr_expect_lt(folded.layer_count, workload.layer_count / 10);
    /* Rules set blocks apart: the first, and the eighteenth, each stay. */
    cr_assert_eq(sim_policy_read(rules, strlen(rules), "p.json", &arena, &policy, &err), SIM_OK, "%s",
                 err.items[0].text);
    cr_assert_eq(sim_fold_blocks(&workload, &policy, &arena, &by_rules, &err), SIM_OK);
    cr_expect_gt(by_rules.layer_count, folded.layer_count + 20);
    cr_expect_lt(by_rules.layer_count, workload.layer_count / 3);
    sim_arena_free(&arena);
}

/* ---- rows --------------------------------------------------------------------------------------------- */

Test(sweep, rows_do_not_depend_on_threads, .timeout = 120)
{
    const char *one;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "2..8");
    axis(&f, "a", "3..8");
    axis(&f, "context", "512..4096:512");
    axis(&f, "array.rows", "8,16,24");
    finish(&f);
    cr_expect_eq(run_into(&f, "one", NULL).priced, 7 * 6 * 8 * 3);
    one = export(&f, "one", (sim_store_query){0});
    cr_expect_eq(lines_of(one), 7 * 6 * 8 * 3 + 1);
    for (int jobs = 2; jobs <= 5; jobs += 3) {
        f.sweep.jobs = jobs;
        run_into(&f, jobs == 2 ? "two" : "five", NULL);
        cr_expect_str_eq(export(&f, jobs == 2 ? "two" : "five", (sim_store_query){0}), one);
    }
    end(&f);
}

Test(sweep, a_row_is_what_run_says)
{
    fixture f;
    sim_result result;
    sim_workload_request request = {0};
    sim_workload workload;
    sim_policy policy;
    sim_arch arch;
    const sim_arch_setting setting = {"buffers.weight_kib", "96"};
    char expected[200];

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "3,4");
    axis(&f, "a", "6");
    axis(&f, "kv", "5");
    axis(&f, "buffers.weight_kib", "64,96");
    finish(&f);
    run_into(&f, "s", NULL);
    cr_assert_eq(sim_arch_load(f.sweep.base.arch, &setting, 1, &f.arena, &arch, &f.err), SIM_OK);
    cr_assert_eq(sim_workload_load(f.sweep.base.workload, &request, &f.arena, &workload, &f.err), SIM_OK);
    cr_assert_eq(sim_policy_load("w4a6kv5", &f.arena, &policy, &f.err), SIM_OK);
    cr_assert_eq(sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &f.arena, &result, &f.err),
                 SIM_OK);
    snprintf(expected, sizeof expected, "policy,cycles,memory_fits,peak_memory_bytes\nw4a6kv5,%lld,%d,%lld\n",
             (long long)result.totals.cycles, result.totals.memory_fits,
             (long long)result.totals.peak_memory_bytes);
    cr_expect_str_eq(export(&f, "s",
                            (sim_store_query){.where = "w = 4 AND \"buffers.weight_kib\" = 96",
                                              .columns = "policy,cycles,memory_fits,peak_memory_bytes"}),
                     expected);
    end(&f);
}

Test(sweep, layers_sum_up_to_the_point)
{
    fixture f;
    const char *layers;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    f.sweep.layers = true;
    axis(&f, "w", "4,8");
    finish(&f);
    run_into(&f, "s", NULL);
    layers = export(&f, "s", (sim_store_query){.layers = true});
    cr_expect_gt(lines_of(layers), 20);
    cr_expect(strstr(layers, "layers.0-31.q_proj"), "names are those of all blocks");
    cr_expect_eq(
        lines_of(export(
            &f, "s",
            (sim_store_query){
                .where = "abs(cycles - (SELECT sum(l.cycles * l.repeat) FROM "
                         "layers l WHERE l.machine = points.machine AND l.point = points.point)) < 1"})),
        3);
    end(&f);
}

/* Who asked for a point in other words finds it, and says how it was asked for. */
Test(sweep, stored_points_are_found_again)
{
    sim_sweep_report report;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    f.sweep.base.policy = "w4a8";
    finish(&f);
    cr_expect_eq(run_into(&f, "s", NULL).priced, 1);
    f.sweep.space = sim_space_new(&f.arena);
    axis(&f, "w", "3..5");
    axis(&f, "a", "8");
    axis(&f, "context", "2048,4096");
    finish(&f);
    report = run_into(&f, "s", NULL);
    cr_expect_eq(report.stored, 1);
    cr_expect_eq(report.priced, 5);
    cr_expect_eq(lines_of(export(&f, "s", (sim_store_query){.where = "w = 4 AND context IN (2048, 4096)"})),
                 3);
    report = run_into(&f, "s", NULL);
    cr_expect_eq(report.stored, 6);
    cr_expect_eq(report.priced, 0);
    end(&f);
}

/* ---- shards ------------------------------------------------------------------------------------------- */

Test(sweep, shards_merge_into_the_whole, .timeout = 120)
{
    int64_t added, least = INT64_MAX, most = 0, sum = 0;
    const char *whole;
    sim_store *all;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "1..8");
    axis(&f, "a", "1..8");
    axis(&f, "phase", "decode,prefill");
    axis(&f, "array.rows", "16,24");
    cr_assert_eq(sim_space_filter(f.sweep.space, "w <= a", here, &f.err), SIM_OK);
    finish(&f);
    run_into(&f, "whole", NULL);
    whole = export(&f, "whole", (sim_store_query){0});
    f.sweep.shards = 7;
    for (f.sweep.shard = 0; f.sweep.shard < 7; f.sweep.shard++) {
        sim_sweep_report report = run_into(&f, sim_arena_printf(&f.arena, "s%d", (int)f.sweep.shard), NULL);

        least = report.points < least ? report.points : least;
        most = report.points > most ? report.points : most;
        sum += report.points;
    }
    cr_expect_eq(sum, 8 * 8 * 2 * 2);
    cr_expect_leq(most - least, 2, "from %d to %d points", (int)least, (int)most);
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(sim_store_open(store_path(&f, "all"), true, &all, &f.err), SIM_OK);
        for (int i = 6; i >= 0; i--) {
            cr_assert_eq(
                sim_store_merge(all, store_path(&f, sim_arena_printf(&f.arena, "s%d", i)), &added, &f.err),
                SIM_OK, "%s", f.err.items[0].text);
            cr_expect(round == 0 || added == 0);
        }
        sim_store_close(all);
        cr_expect_str_eq(export(&f, "all", (sim_store_query){0}), whole);
    }
    end(&f);
}

/* ---- what goes wrong ---------------------------------------------------------------------------------- */

Test(sweep, points_that_cannot_be_are_rows)
{
    sim_sweep_report report;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "8,16");
    axis(&f, "buffers.weight_kib", "0.001,64");
    finish(&f);
    report = run_into(&f, "s", NULL);
    cr_expect_eq(report.priced, 4);
    cr_expect_geq(report.infeasible, 2);
    cr_expect_not_null(report.first_infeasible);
    cr_expect_eq(lines_of(export(&f, "s",
                                 (sim_store_query){.where = "status = 'infeasible' AND length(why) > 10 AND "
                                                            "latency_s IS NULL"})),
                 report.infeasible + 1);
    end(&f);
}

Test(sweep, constraints_mark_points)
{
    sim_sweep_report report;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "2..8");
    axis(&f, "array.rows", "8..32:8");
    finish(&f);
    cr_assert_eq(sim_expression_parse("area_mm2 < 1.5 && w >= 4", sim_sweep_knows, f.sweep.space, "c", 0,
                                      SIM_USAGE, &f.arena, &f.sweep.constraint, &f.err),
                 SIM_OK);
    report = run_into(&f, "s", NULL);
    cr_expect_gt(report.excluded, 0);
    cr_expect_lt(report.excluded, 28);
    cr_expect_eq(
        lines_of(export(&f, "s",
                        (sim_store_query){.where = "(status = 'excluded') != (area_mm2 >= 1.5 OR w < 4)"})),
        1);
    end(&f);
}

Test(sweep, axes_are_checked_before_anything_runs)
{
    static const struct {
        const char *name, *values, *text;
    } cases[] = {
        {"array.row", "8,16", "unknown key 'row' in 'array'"},
        {"array.rows", "8,-16", "-16"},
        {"array.rows", "0..16:8", "0"},
        {"array.rows", "8,many", "many"},
        {"array", "8", "'array'"},
        {"policy", "w4a8,w4", "w4"},
        {"arch", ARCH "edge.cfg,nowhere.cfg", "nowhere.cfg"},
        {"workload", "nowhere.json", "nowhere.json"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;

        begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
        axis(&f, cases[i].name, cases[i].values);
        finish(&f);
        cr_expect_neq(sim_sweep_check(&f.sweep, &f.err), SIM_OK, "%s=%s", cases[i].name, cases[i].values);
        cr_expect_eq(f.err.count, 1, "%s=%s: %d", cases[i].name, cases[i].values, f.err.count);
        cr_expect(strstr(f.err.items[0].text, cases[i].text) || strstr(f.err.items[0].file, cases[i].text),
                  "%s=%s: %s: %s", cases[i].name, cases[i].values, f.err.items[0].file, f.err.items[0].text);
        end(&f);
    }
}

/* ---- stopping ----------------------------------------------------------------------------------------- */

static bool stop_after(void *user)
{
    int *left = user;

    return --*left < 0;
}

Test(sweep, what_is_finished_is_kept_and_not_done_again)
{
    int left = 37;
    const sim_sweep_listener listener = {.stop = stop_after, .user = &left};
    sim_sweep_report first, rest;
    const char *whole;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "1..8");
    axis(&f, "a", "1..8");
    axis(&f, "array.rows", "16,24");
    finish(&f);
    run_into(&f, "whole", NULL);
    whole = export(&f, "whole", (sim_store_query){0});
    first = run_into(&f, "s", &listener);
    cr_expect(first.interrupted);
    cr_expect_eq(first.priced, 37);
    rest = run_into(&f, "s", NULL);
    cr_expect_eq(rest.stored, 37);
    cr_expect_eq(rest.priced, 128 - 37);
    cr_expect_str_eq(export(&f, "s", (sim_store_query){0}), whole);
    end(&f);
}

/* ---- samples and fronts ------------------------------------------------------------------------------- */

Test(sweep, a_sample_is_spread_and_repeats)
{
    const char *text;
    fixture f;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "1..8");
    axis(&f, "dram.bandwidth_gb_s", "1..1000");
    axis(&f, "array.rows", "8..64:8");
    finish(&f);
    f.sweep.sample = 64;
    f.sweep.seed = 3;
    cr_expect_eq(run_into(&f, "s", NULL).priced, 64);
    text = export(&f, "s", (sim_store_query){0});
    /* Sobol: as many of the first 64 points in each eighth of every axis. */
    for (int w = 1; w <= 8; w++)
        cr_expect_eq(
            lines_of(export(&f, "s", (sim_store_query){.where = sim_arena_printf(&f.arena, "w = %d", w)})), 9,
            "w = %d", w);
    run_into(&f, "again", NULL);
    cr_expect_str_eq(export(&f, "again", (sim_store_query){0}), text);
    f.sweep.seed = 4;
    run_into(&f, "other", NULL);
    cr_expect_str_neq(export(&f, "other", (sim_store_query){0}), text);
    end(&f);
}

/* Area below (left of) a front of (x, y) rows up to a corner that all lie within. */
static double hypervolume(const char *csv, double x_most, double y_most)
{
    double volume = 0, y_before = y_most;
    const char *line = strchr(csv, '\n');

    for (; line && line[1]; line = strchr(line + 1, '\n')) {
        double x, y;

        if (sscanf(line + 1, "%lf,%lf", &x, &y) != 2)
            continue;
        volume += (x_most - x) * (y_before - y);
        y_before = y;
    }
    return volume;
}

Test(sweep, the_front_is_found_without_running_all, .timeout = 120)
{
    const sim_store_query front = {
        .where = "status = 'ok'", .columns = "latency_s,area_mm2", .pareto = {"latency_s", "area_mm2"}};
    sim_optimize_goals goals;
    sim_sweep_report report;
    sim_store *store;
    double whole, found;
    int64_t members;
    fixture f;
    const char *once;

    begin(&f, ARCH "edge.cfg", WORKLOADS "llama2_7b_decode.json");
    axis(&f, "w", "2..8");
    axis(&f, "array.rows", "4..64:4");
    axis(&f, "buffers.weight_kib", "16..512:16");
    finish(&f);
    run_into(&f, "whole", NULL);
    whole = hypervolume(export(&f, "whole", front), 1, 4);
    cr_assert_gt(whole, 1);
    cr_assert_eq(sim_optimize_read_goals("latency_s,area_mm2", "o", &goals, &f.err), SIM_OK);
    f.sweep.seed = 1;
    for (int jobs = 1; jobs <= 2; jobs++) {
        const char *name = jobs == 1 ? "o1" : "o2";

        f.sweep.jobs = jobs;
        cr_assert_eq(sim_store_open(store_path(&f, name), true, &store, &f.err), SIM_OK);
        cr_assert_eq(
            sim_optimize_run(&f.sweep, &goals, 400, store, NULL, &f.arena, &report, &members, &f.err),
            SIM_OK);
        sim_store_close(store);
        cr_expect_eq(report.priced, 400);
        cr_expect_eq(lines_of(export(&f, name, front)), members + 1);
        found = hypervolume(export(&f, name, front), 1, 4);
        cr_expect_gt(found, 0.999 * whole, "%g of the front by 400 of 3584 points", found / whole);
        if (jobs == 1)
            once = export(&f, name, (sim_store_query){0});
        else
            cr_expect_str_eq(export(&f, name, (sim_store_query){0}), once);
    }
    end(&f);
}

Test(sweep, goals_that_are_none)
{
    sim_optimize_goals goals;
    sim_err err = {0};

    cr_expect_eq(sim_optimize_read_goals("-tokens_per_s,area_mm2", "o", &goals, &err), SIM_OK);
    cr_expect(goals.largest[0] && !goals.largest[1]);
    cr_expect_eq(sim_optimize_read_goals("latency", "o", &goals, &err), SIM_USAGE);
    cr_expect_eq(sim_optimize_read_goals("", "o", &goals, &err), SIM_USAGE);
    cr_expect_eq(sim_optimize_read_goals("latency_s,,energy_j", "o", &goals, &err), SIM_USAGE);
    cr_expect_eq(sim_optimize_read_goals("macs,macs,macs,macs,macs", "o", &goals, &err), SIM_USAGE);
}
