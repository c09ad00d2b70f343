/* Phases through the public API: generate against a prefill and each decode step by itself, chunks and drafts
 * against whole ones, the numbers of a token, and what fits into memory. */
#include "simacc.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct answer {
    sim_arch_handle *arch;
    sim_workload_handle *workload;
    sim_policy_handle *policy;
    sim_result_handle *result;
    const sim_totals *totals;
} answer;

static answer ask(const char *arch, const sim_setting *setting, const char *model, const char *policy,
                  const sim_workload_options *options)
{
    char path[512];
    answer a = {0};
    sim_err err = {0};

    snprintf(path, sizeof path, "%s/arch/%s.cfg", SIMACC_SOURCE_DIR, arch);
    cr_assert_eq(sim_arch_open(path, setting, setting ? 1 : 0, &a.arch, &err), SIM_OK, "%s",
                 err.items[0].text);
    snprintf(path, sizeof path, "%s/workloads/models/%s.json", SIMACC_SOURCE_DIR, model);
    cr_assert_eq(sim_workload_open(path, options, &a.workload, &err), SIM_OK, "%s", err.items[0].text);
    cr_assert_eq(sim_policy_open(policy, &a.policy, &err), SIM_OK, "%s", err.items[0].text);
    cr_assert_eq(sim_run(a.arch, a.workload, a.policy, SIM_OBJECTIVE_BALANCED, &a.result, &err), SIM_OK,
                 "%s on %s: %s", model, arch, err.items[0].text);
    a.totals = &sim_result_get(a.result)->totals;
    return a;
}

static void done(answer *a)
{
    sim_result_close(a->result);
    sim_policy_close(a->policy);
    sim_workload_close(a->workload);
    sim_arch_close(a->arch);
}

/* ---- generate ------------------------------------------------------------------------------------ */

typedef struct sums {
    int64_t macs, cycles, compute_cycles, read, written;
    double latency_s, energy_j, useful_cycles;
} sums;

static void add(sums *s, const sim_totals *t)
{
    s->macs += t->macs;
    s->cycles += t->cycles;
    s->compute_cycles += t->compute_cycles;
    s->read += t->dram_read_bytes;
    s->written += t->dram_write_bytes;
    s->latency_s += t->latency_s;
    s->energy_j += sim_energy_total_j(&t->energy);
    s->useful_cycles += t->utilization_frac * (double)t->cycles;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

/* A model of each kind of context: plain, windows beside plain, states, latent, sparse experts. */
static const struct {
    const char *arch, *model;
    sim_setting setting;
} generated[] = {
    {"edge", "opt_125m", {NULL, NULL}},
    {"edge", "gemma3_1b", {NULL, NULL}},
    {"edge_systolic", "qwen3_0.6b", {NULL, NULL}},
    {"tpu_v1", "deepseek_v2_lite", {NULL, NULL}},
    {"systolic_128", "qwen3.5_35b_a3b", {NULL, NULL}},
    {"stripes", "opt_125m", {NULL, NULL}},
    {"bismo_haq_edge", "opt_125m", {NULL, NULL}},
    {"t4", "opt_125m", {NULL, NULL}},
    {"t4", "gpt_oss_20b", {"gpu.regime", "sustained"}},
    {"a100", "llama2_7b", {"gpu.regime", "sustained"}},
};

enum { GENERATED = sizeof generated / sizeof *generated };

static void check_generate(const char *arch, const sim_setting *setting, const char *model, int64_t batch,
                           int64_t prompt, int64_t new_tokens)
{
    const sim_workload_options whole = {
        .phase = SIM_PHASE_GENERATE, .batch = batch, .prompt_tokens = prompt, .new_tokens = new_tokens};
    sim_workload_options part = {.phase = SIM_PHASE_PREFILL, .batch = batch, .prompt_tokens = prompt};
    answer all = ask(arch, setting, model, "w8a8", &whole), one = ask(arch, setting, model, "w8a8", &part);
    const sim_totals *t = all.totals;
    double first_s = one.totals->latency_s;
    sums s = {0};

    add(&s, one.totals);
    cr_expect(near(t->time_to_first_token_s, first_s) && near(one.totals->time_to_first_token_s, first_s));
    cr_expect(isnan(one.totals->time_per_output_token_s));
    done(&one);
    part = (sim_workload_options){.phase = SIM_PHASE_DECODE, .batch = batch};
    for (int64_t i = 0; i < new_tokens - 1; i++) {
        part.context_tokens = prompt + i;
        one = ask(arch, setting, model, "w8a8", &part);
        add(&s, one.totals);
        if (i == new_tokens - 2) {
            cr_expect_eq(t->kv_cache_bytes, one.totals->kv_cache_bytes);
            cr_expect_eq(t->weight_bytes, one.totals->weight_bytes);
            cr_expect(isnan(one.totals->time_to_first_token_s));
            cr_expect(near(one.totals->time_per_output_token_s, one.totals->latency_s));
        }
        done(&one);
    }
    cr_expect_eq(t->macs, s.macs, "%s on %s: macs", model, arch);
    cr_expect_eq(t->cycles, s.cycles, "%s on %s: cycles %lld, not %lld", model, arch, (long long)t->cycles,
                 (long long)s.cycles);
    cr_expect_eq(t->compute_cycles, s.compute_cycles, "%s on %s: compute", model, arch);
    cr_expect_eq(t->dram_read_bytes, s.read, "%s on %s: read", model, arch);
    cr_expect_eq(t->dram_write_bytes, s.written, "%s on %s: written", model, arch);
    cr_expect(near(t->latency_s, s.latency_s), "%s on %s: latency", model, arch);
    cr_expect(near(sim_energy_total_j(&t->energy), s.energy_j), "%s on %s: energy", model, arch);
    cr_expect(near(t->utilization_frac * (double)t->cycles, s.useful_cycles), "%s on %s: utilization", model,
              arch);
    cr_expect(near(t->time_per_output_token_s, (s.latency_s - first_s) / (double)(new_tokens - 1)));
    cr_expect(near(t->tokens_per_s, (double)(batch * new_tokens) / s.latency_s));
    cr_expect(near(t->joules_per_token, s.energy_j / (double)(batch * new_tokens)));
    done(&all);
}

Test(phases, generate_is_its_prefill_and_each_decode_step)
{
    for (size_t i = 0; i < GENERATED; i++)
        check_generate(generated[i].arch, generated[i].setting.key ? &generated[i].setting : NULL,
                       generated[i].model, i % 2 ? 3 : 1, 507, 7);
}

Test(phases, one_new_token_is_a_prefill)
{
    const sim_workload_options one = {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 20, .new_tokens = 1};
    const sim_workload_options prefill = {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 20};
    answer a = ask("edge", NULL, "opt_125m", "w8a8", &one),
           b = ask("edge", NULL, "opt_125m", "w8a8", &prefill);

    cr_expect_eq(a.totals->cycles, b.totals->cycles);
    cr_expect_eq(a.totals->time_to_first_token_s, b.totals->latency_s);
    cr_expect(isnan(a.totals->time_per_output_token_s));
    cr_expect_eq(a.totals->tokens_per_s, 1 / b.totals->latency_s);
    done(&a);
    done(&b);
}

/* Rows say which phase they are of, and their sums are the totals to the last cycle. */
Test(phases, rows_add_up)
{
    static const sim_workload_options options[] = {
        {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 300, .new_tokens = 3000, .chunk_tokens = 128},
        {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1000, .chunk_tokens = 256},
        {.phase = SIM_PHASE_DECODE, .context_tokens = 77, .draft_tokens = 3, .batch = 2}};

    for (size_t i = 0; i < GENERATED; i++)
        for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
            answer a = ask(generated[i].arch, generated[i].setting.key ? &generated[i].setting : NULL,
                           generated[i].model, "w8a8", &options[o]);
            const sim_result *r = sim_result_get(a.result);
            int64_t macs = 0, cycles = 0, read = 0;
            double energy_j = 0;

            for (int64_t l = 0; l < r->layer_count; l++) {
                const sim_layer_result *row = &r->layers[l];

                macs += row->macs * row->repeat;
                cycles += row->cycles * row->repeat;
                read += row->dram_read_bytes * row->repeat;
                energy_j += sim_energy_total_j(&row->energy) * (double)row->repeat;
                cr_expect(row->phase == SIM_PHASE_PREFILL || row->phase == SIM_PHASE_DECODE);
                cr_expect(row->steps >= 1 && row->cycles >= row->compute_cycles &&
                          row->cycles >= row->memory_cycles);
                cr_expect(row->utilization_frac <= 1);
            }
            cr_expect(macs == a.totals->macs && cycles == a.totals->cycles &&
                      read == a.totals->dram_read_bytes);
            cr_expect_lt(fabs(energy_j / sim_energy_total_j(&a.totals->energy) - 1), 1e-9);
            done(&a);
        }
}

/* ---- chunks and drafts ---------------------------------------------------------------------------- */

/* A prompt in chunks is as much work, with no more memory for activations; it reads weights once a chunk. */
Test(phases, chunks_are_the_same_work)
{
    static const char *const models[] = {"opt_125m", "gemma3_1b", "llama2_7b", "llama4_scout"};

    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const sim_workload_options whole = {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1000, .batch = 2};
        sim_workload_options chunked = whole;
        answer a, b;

        chunked.chunk_tokens = 96;
        a = ask("edge", NULL, models[i], "w8a8", &whole);
        b = ask("edge", NULL, models[i], "w8a8", &chunked);
        cr_expect_eq(a.totals->macs, b.totals->macs, "%s", models[i]);
        cr_expect_eq(a.totals->kv_cache_bytes, b.totals->kv_cache_bytes);
        cr_expect_eq(a.totals->weight_bytes, b.totals->weight_bytes);
        cr_expect_lt(b.totals->activation_bytes, a.totals->activation_bytes);
        cr_expect_gt(b.totals->dram_read_bytes, a.totals->dram_read_bytes);
        cr_expect_eq(b.totals->time_to_first_token_s, b.totals->latency_s);
        cr_expect(near(b.totals->tokens_per_s, 2000 / b.totals->latency_s));
        done(&a);
        done(&b);
    }
}

/* With k drafts a step yields k + 1 tokens of each sequence; the weights are read once for all. */
Test(phases, drafts_share_the_weights)
{
    const sim_workload_options plain = {.phase = SIM_PHASE_DECODE, .context_tokens = 1000, .batch = 2};
    sim_workload_options drafted = plain;
    answer a, b;

    drafted.draft_tokens = 4;
    a = ask("edge", NULL, "llama2_7b", "w8a8", &plain);
    b = ask("edge", NULL, "llama2_7b", "w8a8", &drafted);
    cr_expect(near(b.totals->time_per_output_token_s, b.totals->latency_s / 5));
    cr_expect(near(b.totals->tokens_per_s, 10 / b.totals->latency_s));
    cr_expect_lt(b.totals->time_per_output_token_s, a.totals->time_per_output_token_s / 3);
    cr_expect_gt(b.totals->arithmetic_intensity_ops_per_byte,
                 4 * a.totals->arithmetic_intensity_ops_per_byte);
    done(&a);
    done(&b);
}

/* ---- memory --------------------------------------------------------------------------------------- */

typedef struct limit_case {
    const char *arch, *model, *policy;
    sim_workload_options options;
} limit_case;

static bool fits(const limit_case *c, const sim_workload_options *options)
{
    answer a = ask(c->arch, NULL, c->model, c->policy, options);
    bool yes = a.totals->memory_fits;

    cr_expect_eq(a.totals->memory_capacity_bytes / a.totals->devices >= a.totals->device_memory_bytes, yes);
    cr_expect_leq(a.totals->weight_bytes + a.totals->activation_bytes, a.totals->peak_memory_bytes);
    done(&a);
    return yes;
}

/* The number that memory limits in the phase. */
static int64_t *limited(sim_workload_options *o)
{
    return o->phase == SIM_PHASE_DECODE    ? &o->context_tokens
           : o->phase == SIM_PHASE_PREFILL ? &o->prompt_tokens
                                           : &o->new_tokens;
}

static void check_limits(const limit_case *c)
{
    answer a = ask(c->arch, NULL, c->model, c->policy, &c->options);
    int64_t batch = a.totals->max_batch, context = a.totals->max_context_tokens;
    sim_workload_options o = c->options;

    done(&a);
    cr_expect_gt(batch, 0, "%s", c->model);
    o.batch = batch;
    cr_expect(fits(c, &o), "%s: batch %lld does not fit", c->model, (long long)batch);
    o.batch++;
    cr_expect(!fits(c, &o), "%s: batch %lld fits too", c->model, (long long)o.batch);
    o = c->options;
    if (context < 0)
        return;
    *limited(&o) = context - (o.phase == SIM_PHASE_GENERATE ? o.prompt_tokens : 0);
    cr_expect(fits(c, &o), "%s: %lld tokens do not fit", c->model, (long long)context);
    ++*limited(&o);
    cr_expect(!fits(c, &o), "%s: %lld tokens fit too", c->model, (long long)context + 1);
}

Test(phases, what_is_said_to_fit_does_and_one_more_does_not)
{
    static const limit_case cases[] = {
        {"edge", "opt_125m", "w8a8", {.phase = SIM_PHASE_DECODE, .context_tokens = 100}},
        {"edge", "opt_125m", "w4a8kv3", {.phase = SIM_PHASE_DECODE, .batch = 7, .context_tokens = 100}},
        {"edge", "llama2_7b", "w4a8", {.phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 1000}},
        {"edge", "llama2_7b", "w4a8kv4", {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1000}},
        {"edge",
         "llama2_7b",
         "w4a8",
         {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 1000, .chunk_tokens = 300}},
        {"edge", "llama2_7b", "w4a8", {.phase = SIM_PHASE_GENERATE, .prompt_tokens = 50, .new_tokens = 80}},
        {"edge", "gemma3_1b", "w8a8", {.phase = SIM_PHASE_DECODE, .context_tokens = 3000}},
        {"edge", "gemma3_1b", "w8a8", {.phase = SIM_PHASE_DECODE, .context_tokens = 3, .draft_tokens = 3}},
        {"t4", "deepseek_v2_lite", "w4a16g128", {.phase = SIM_PHASE_DECODE, .context_tokens = 500}},
        {"h100", "qwen3.5_35b_a3b", "w8a8", {.phase = SIM_PHASE_DECODE, .batch = 5, .context_tokens = 500}},
        {"h100", "llama3.1_70b", "w4a16g128", {.phase = SIM_PHASE_DECODE, .batch = 4, .context_tokens = 900}},
        {"a100",
         "llama3.1_70b",
         "w8a8",
         {.phase = SIM_PHASE_DECODE, .batch = 4, .context_tokens = 900, .tensor_parallel = 4}},
        {"a100",
         "llama3.1_70b",
         "w8a8",
         {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 900, .pipeline_parallel = 2}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_limits(&cases[i]);
}

/* Weights that do not fit leave room for nothing; an encoder has a batch, and no context. */
Test(phases, limits_that_are_none)
{
    const sim_workload_options decode = {.phase = SIM_PHASE_DECODE, .context_tokens = 10};
    const sim_workload_options prefill = {.phase = SIM_PHASE_PREFILL, .prompt_tokens = 128};
    answer a = ask("edge", NULL, "llama3.1_70b", "w8a8", &decode);

    cr_expect(a.totals->max_batch == 0 && a.totals->max_context_tokens == 0 && !a.totals->memory_fits);
    done(&a);
    a = ask("edge", NULL, "bert_base", "w8a8", &prefill);
    cr_expect_gt(a.totals->max_batch, 1000);
    cr_expect_eq(a.totals->max_context_tokens, -1);
    cr_expect(isnan(a.totals->time_to_first_token_s));
    cr_expect_eq(a.totals->kv_cache_bytes, -1);
    done(&a);
}
