/* Several devices: all-reduces against measured ones, and a model that fits one node in 8 bits only. */
#include "explore/ledger.h"
#include "input/llm.h"
#include "input/policy.h"
#include "model/link.h"
#include "model/run.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- all-reduces ------------------------------------------------------------------------------------- */

typedef struct measured {
    const char *gpu;
    int64_t devices, bytes;
    double us;
} measured;

static sim_status read_rows(const sim_ledger_context *context, measured **out, int64_t *count, sim_err *err)
{
    sim_csv csv;
    sim_status status = sim_ledger_csv(context, "allreduce.csv", &csv, err);
    int gpu;

    if (status != SIM_OK)
        return status;
    gpu = sim_csv_column(&csv, "gpu");
    if (gpu < 0 || csv.row_count == 0)
        return sim_fail(err, SIM_BAD_INPUT, csv.file, 1, "a column 'gpu' and rows are needed");
    *out = sim_arena_alloc(context->arena, (size_t)csv.row_count, sizeof **out);
    if (!*out)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    for (int64_t i = 0; i < csv.row_count && status == SIM_OK; i++) {
        measured *row = &(*out)[i];

        row->gpu = sim_csv_text(&csv, i, gpu);
        status = sim_csv_int(&csv, i, "devices", &row->devices, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "bytes", &row->bytes, err);
        if (status == SIM_OK)
            status = sim_csv_real(&csv, i, "latency_us", &row->us, err);
    }
    *count = csv.row_count;
    return status;
}

/* Rows of one machine: those with so many devices, or all others. */
typedef struct selection {
    const measured *rows;
    int64_t count, devices;
    const char *gpu;
    bool others;
} selection;

static double error_of(const sim_link *link, const selection *of, int64_t *rows)
{
    double sum = 0;

    *rows = 0;
    for (int64_t i = 0; i < of->count; i++) {
        const measured *row = &of->rows[i];
        sim_link_cost cost;

        if (strcmp(row->gpu, of->gpu) != 0 || (row->devices == of->devices) == of->others)
            continue;
        sim_link_cost_of(link, SIM_OP_ALLREDUCE, row->devices, (double)row->bytes, &cost);
        sum += fabs(log(cost.us / row->us));
        ++*rows;
    }
    return sum;
}

/* Launch, latency and efficiency of least summed error of logarithms: a grid, made finer around its best
 * point.
 */
static void fit(sim_link *link, const selection *of)
{
    enum { STEPS = 8, ROUNDS = 6 };
    double low[3] = {0, 0, 0.2}, high[3] = {80, 8, 1}, best_error = DBL_MAX;
    int64_t rows;

    for (int round = 0; round < ROUNDS; round++) {
        double at[3] = {0}, best[3] = {link->launch_us, link->latency_us, link->efficiency_frac};

        for (int cell = 0; cell < (STEPS + 1) * (STEPS + 1) * (STEPS + 1); cell++) {
            sim_link trial = *link;
            double error;

            for (int d = 0, rest = cell; d < 3; d++, rest /= STEPS + 1)
                at[d] = low[d] + (high[d] - low[d]) * (rest % (STEPS + 1)) / STEPS;
            trial.launch_us = at[0];
            trial.latency_us = at[1];
            trial.efficiency_frac = at[2];
            error = error_of(&trial, of, &rows);
            if (error < best_error) {
                best_error = error;
                memcpy(best, at, sizeof best);
            }
        }
        link->launch_us = best[0];
        link->latency_us = best[1];
        link->efficiency_frac = best[2];
        for (int d = 0; d < 3; d++) {
            double half = (high[d] - low[d]) / STEPS;

            low[d] = fmax(d < 2 ? 0 : 0.2, best[d] - half);
            high[d] = d < 2 ? best[d] + half : fmin(1, best[d] + half);
        }
    }
}

sim_status sim_check_allreduce(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    static const char *const gpus[] = {"a100", "h100"};
    static const int64_t left_out[] = {2, 4, 8};
    static const double target_pct = 10;
    double shipped = 0, held_out = 0;
    int64_t count = 0, rows, shipped_rows = 0, held_out_rows = 0;
    measured *all = NULL;
    sim_status status = read_rows(context, &all, &count, err);

    for (int g = 0; g < 2 && status == SIM_OK; g++) {
        selection of = {.rows = all, .count = count, .gpu = gpus[g], .others = true};
        sim_arch arch;

        status = sim_ledger_arch(context, sim_ledger_text(context, "%s.cfg", gpus[g]), &arch, err);
        if (status != SIM_OK)
            return status;
        shipped += error_of(&arch.link, &of, &rows);
        shipped_rows += rows;
        for (int p = 0; p < 3; p++) {
            sim_link link = arch.link;

            of.devices = left_out[p];
            of.others = true;
            fit(&link, &of);
            of.others = false;
            held_out += error_of(&link, &of, &rows);
            held_out_rows += rows;
        }
    }
    if (status != SIM_OK)
        return status;
    if (held_out_rows == 0)
        return sim_fail(err, SIM_BAD_INPUT, "allreduce.csv", 0, "no rows of a100 and h100");
    held_out *= 100 / (double)held_out_rows;
    *out = (sim_ledger_row){
        .claim = "All-reduce of 1 to 64 MiB on 2, 4 and 8 A100 and H100",
        .target = sim_ledger_text(context, "mean error <= %g%% on a number of devices left out of the fit",
                                  target_pct),
        .result = sim_ledger_text(context, "%.1f%% over %lld rows; the shipped links, fitted to all: %.1f%%",
                                  held_out, (long long)held_out_rows, 100 * shipped / (double)shipped_rows),
        .source = "microsoft/vidur, profiling of DGX A100 and H100",
        .met = held_out <= target_pct,
    };
    return SIM_OK;
}

/* ---- 530 billion parameters ---------------------------------------------------------------------------- */

/* arXiv 2201.11990, section 3.1. */
static const char mt_nlg[] =
    "{\"model_type\": \"gpt2\", \"n_layer\": 105, \"n_embd\": 20480, \"n_head\": 128, "
    "\"n_positions\": 2048, \"vocab_size\": 51200}";

typedef struct placement {
    const char *policy;
    int64_t shares, stages, tokens;
    bool fits;
} placement;

static sim_status place(const sim_ledger_context *context, const sim_arch *arch, const placement *at,
                        sim_totals *out, sim_err *err)
{
    const sim_llm_request request = {.phase = SIM_PHASE_PREFILL,
                                     .batch = 1,
                                     .prompt_tokens = at->tokens,
                                     .tensor_parallel = at->shares,
                                     .pipeline_parallel = at->stages};
    sim_workload workload = {.name = "mt_nlg_530b"};
    const sim_json *config;
    sim_policy policy;
    sim_result result;
    sim_status status =
        sim_json_parse(mt_nlg, sizeof mt_nlg - 1, "mt_nlg_530b", context->arena, &config, err);

    if (status == SIM_OK)
        status = sim_llm_expand(config, "mt_nlg_530b", &request, context->arena, &workload, err);
    if (status == SIM_OK)
        status = sim_policy_load(at->policy, context->arena, &policy, err);
    if (status == SIM_OK)
        status =
            sim_run_model(arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, context->arena, &result, err);
    if (status == SIM_OK)
        *out = result.totals;
    return status;
}

sim_status sim_check_mt_nlg(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    /* SmoothQuant, Table 9: prompts of 128 to 1024 tokens. */
    static const placement cases[] = {
        {"w8a8", 8, 1, 128, true},   {"w8a8", 8, 1, 1024, true}, {"fp16", 8, 1, 128, false},
        {"fp16", 8, 1, 1024, false}, {"fp16", 8, 2, 128, true},  {"fp16", 8, 2, 1024, true},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    sim_totals totals[CASES];
    sim_arch arch;
    int right = 0;
    sim_status status = sim_ledger_arch(context, "a100.cfg", &arch, err);

    if (status != SIM_OK)
        return status;
    arch.link.devices = 16; /* two nodes */
    for (int i = 0; i < CASES; i++) {
        status = place(context, &arch, &cases[i], &totals[i], err);
        if (status != SIM_OK)
            return status;
        right += totals[i].memory_fits == cases[i].fits;
    }
    *out = (sim_ledger_row){
        .claim = "MT-NLG 530B on A100 of 80 GiB",
        .target = "fits 8 in INT8, not in FP16; 16 in FP16",
        .result = sim_ledger_text(context, "%d of %d right: %.1f and %.1f GB a device of 8, %.1f of 16",
                                  right, CASES, 1e-9 * (double)totals[1].device_memory_bytes,
                                  1e-9 * (double)totals[3].device_memory_bytes,
                                  1e-9 * (double)totals[5].device_memory_bytes),
        .source = "SmoothQuant, arXiv 2211.10438, Table 9",
        .met = right == CASES,
    };
    return SIM_OK;
}
