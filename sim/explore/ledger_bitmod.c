/* BitMoD's trend over weight bits: ratios of cycles, since the machine behind the published runs is not the
 * one of arch/bitmod.cfg. */
#include "explore/ledger.h"
#include "input/arch.h"
#include "input/llm.h"
#include "model/run.h"

#include <math.h>
#include <string.h>

static const double target = 0.05;

/* An LLM of the table by its config fields. */
static sim_status expand(const sim_ledger_context *context, const sim_csv *csv, int64_t row,
                         sim_workload *out, sim_err *err)
{
    static const char *const columns[] = {"hidden",   "intermediate", "layers", "heads",
                                          "kv_heads", "vocab",        "tokens"};
    enum { HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS, VOCAB, TOKENS, COUNT };
    int64_t v[COUNT];
    int phase = sim_csv_column(csv, "phase");
    sim_llm_request request = {.batch = 1};
    const sim_json *config;
    const char *text;
    sim_status status = SIM_OK;

    if (phase < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "no column 'phase'");
    for (int i = 0; i < COUNT && status == SIM_OK; i++)
        status = sim_csv_int(csv, row, columns[i], &v[i], err);
    if (status != SIM_OK)
        return status;
    text = sim_arena_printf(
        context->arena,
        "{\"model_type\": \"llama\", \"hidden_size\": %lld, \"intermediate_size\": %lld, "
        "\"num_hidden_layers\": %lld, \"num_attention_heads\": %lld, \"num_key_value_heads\": %lld, "
        "\"vocab_size\": %lld, \"tie_word_embeddings\": false, \"hidden_act\": \"silu\"}",
        (long long)v[HIDDEN], (long long)v[INTERMEDIATE], (long long)v[LAYERS], (long long)v[HEADS],
        (long long)v[KV_HEADS], (long long)v[VOCAB]);
    if (!text)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_json_parse(text, strlen(text), csv->file, context->arena, &config, err);
    if (status != SIM_OK)
        return status;
    if (strcmp(sim_csv_text(csv, row, phase), "prefill") == 0) {
        request.phase = SIM_PHASE_PREFILL;
        request.prompt_tokens = v[TOKENS];
    } else {
        request.phase = SIM_PHASE_DECODE;
        request.context_tokens = v[TOKENS];
    }
    return sim_llm_expand(config, csv->file, &request, context->arena, out, err);
}

/* Cycles of all products at w bits; the cache at 8 bits, the head at the weights' as in the published runs.
 */
static sim_status product_cycles(const sim_ledger_context *context, const sim_arch *arch,
                                 const sim_workload *workload, int w_bits, double *out, sim_err *err)
{
    const sim_number w = {SIM_FORMAT_INT, w_bits}, a = {SIM_FORMAT_INT, 16}, kv = {SIM_FORMAT_INT, 8};
    const sim_policy_rule head = {.glob = "lm_head", .precision = {.w = w, .a = a, .group = -1}};
    sim_policy_rule *rules = sim_arena_alloc(context->arena, 1, sizeof *rules);
    sim_policy *policy = sim_arena_alloc(context->arena, 1, sizeof *policy);
    sim_result result;
    sim_status status;

    if (!rules || !policy)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    *rules = head;
    *policy = (sim_policy){.name = "ledger", .base = {.w = w, .a = a, .kv = kv}, .rules = rules};
    policy->rule_count = 1;
    policy->overrides_own = true;
    status = sim_run_model(arch, workload, policy, SIM_OBJECTIVE_BALANCED, context->arena, &result, err);
    if (status != SIM_OK)
        return status;
    *out = 0;
    for (int64_t i = 0; i < result.layer_count; i++)
        if (result.layers[i].op == SIM_OP_MATMUL)
            *out += (double)result.layers[i].cycles * (double)result.layers[i].repeat;
    return SIM_OK;
}

sim_status sim_check_bitmod(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    sim_arch arch;
    double worst[2] = {0, 0};
    sim_status status = sim_ledger_csv(context, "bitmod_trend.csv", &csv, err);

    if (status == SIM_OK)
        status = sim_ledger_arch(context, "bitmod.cfg", &arch, err);
    if (status != SIM_OK)
        return status;
    for (int64_t i = 0; i < csv.row_count; i++) {
        static const char *const columns[] = {"wide_bits", "narrow_bits", "wide_cycles", "narrow_cycles"};
        sim_workload workload;
        int64_t v[4];
        double wide, narrow, *at;

        for (int c = 0; c < 4 && status == SIM_OK; c++) {
            status = sim_csv_int(&csv, i, columns[c], &v[c], err);
            if (status == SIM_OK && (v[c] < 1 || (c < 2 && v[c] > 16)))
                status = sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "column '%s' is out of range",
                                  columns[c]);
        }
        if (status == SIM_OK)
            status = expand(context, &csv, i, &workload, err);
        if (status == SIM_OK)
            status = product_cycles(context, &arch, &workload, (int)v[0], &wide, err);
        if (status == SIM_OK)
            status = product_cycles(context, &arch, &workload, (int)v[1], &narrow, err);
        if (status != SIM_OK)
            return status;
        at = &worst[workload.phase == SIM_PHASE_DECODE];
        *at = fmax(*at, fabs(wide / narrow / ((double)v[2] / (double)v[3]) - 1));
    }
    *out = (sim_ledger_row){
        .claim = "BitMoD: cycles at 6 bits over 4 (prefill) and 3 (decode)",
        .target = "ratios within 5%",
        .result = sim_ledger_text(context, "within %.1f%% in prefill, %.1f%% in decode (%lld runs)",
                                  100 * worst[0], 100 * worst[1], (long long)csv.row_count),
        .source = "abdelfattah-lab/BitMoD-HPCA-25 e445a5f; array and DRAM assumed",
        .met = csv.row_count > 0 && worst[0] <= target && worst[1] <= target,
    };
    return SIM_OK;
}
