/* Work of Llama-2-7B against closed-form counts. */
#include "explore/ledger.h"
#include "input/llm.h"
#include "model/run.h"

#include <string.h>

/* The architecture fields of Llama-2-7B's config.json. */
static const char llama2_7b[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": 11008, "
    "\"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"num_key_value_heads\": 32, "
    "\"vocab_size\": 32000, \"tie_word_embeddings\": false, \"hidden_act\": \"silu\"}";

/* Layers that an item counts: a name ends in one of the words of a block, or is the name itself. */
typedef struct item {
    const char *name;
    bool per_block; /* of layers.0 only */
    bool full_attention;
    const char *layers[5];
} item;

static const item items[] = {
    {"attention_linears", true, true, {"q_proj", "k_proj", "v_proj", "o_proj", NULL}},
    {"ffn", true, true, {"gate_proj", "up_proj", "down_proj", NULL}},
    {"attention_full", true, true, {"qk", "pv", NULL}},
    {"attention_causal", true, false, {"qk", "pv", NULL}},
    {"lm_head", false, true, {"lm_head", NULL}},
    {"total", false, true, {NULL}},
    {"total_weights", false, true, {NULL}},
    {"total_kv_cache", false, true, {NULL}},
};

static bool counts_layer(const item *it, const sim_layer *layer)
{
    const char *last = strrchr(layer->name, '.');

    if (it->per_block && strncmp(layer->name, "layers.0.", 9) != 0)
        return false;
    if (!it->layers[0])
        return layer->op == SIM_OP_MATMUL ||
               (layer->op == SIM_OP_EMBEDDING && strcmp(it->name, "total_weights") == 0);
    for (int i = 0; it->layers[i]; i++)
        if (strcmp(last ? last + 1 : layer->name, it->layers[i]) == 0)
            return true;
    return false;
}

typedef struct counts {
    int64_t ops, weight_bytes, kv_bytes;
} counts;

static counts count(const item *it, const sim_workload *workload, int w_bits, int kv_bits)
{
    counts sum = {0};

    for (int64_t i = 0; i < workload->layer_count; i++) {
        const sim_layer *l = &workload->layers[i];

        if (!counts_layer(it, l))
            continue;
        if (l->op == SIM_OP_EMBEDDING) { /* a table: no operations */
            sum.weight_bytes += sim_stored_bits(l->k, l->n, w_bits, 0) / 8;
            continue;
        }
        sum.ops += 2 * (l->needed_macs > 0 ? l->needed_macs : l->m * l->n * l->k * l->batch);
        if (l->weights == SIM_WEIGHTS_STATIC)
            sum.weight_bytes += sim_stored_bits(l->n, l->k, w_bits, 0) / 8;
        else
            sum.kv_bytes += sim_stored_bits(l->n, l->k, kv_bits, 0) / 8 * l->batch;
    }
    return sum;
}

/* Compares one cell unless it is empty. */
static sim_status compare(const sim_csv *csv, int64_t row, const char *column, int64_t value,
                          int64_t *compared, int64_t *equal, sim_err *err)
{
    int c = sim_csv_column(csv, column);
    int64_t expected;
    sim_status status;

    if (c >= 0 && *sim_csv_text(csv, row, c) == '\0')
        return SIM_OK;
    status = sim_csv_int(csv, row, column, &expected, err);
    if (status == SIM_OK) {
        ++*compared;
        *equal += value == expected;
    }
    return status;
}

sim_status sim_check_llm_counts(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    const sim_json *config;
    int64_t compared = 0, equal = 0;
    int item_column, phase_column;
    sim_status status = sim_ledger_csv(context, "llama2_7b_counts.csv", &csv, err);

    if (status == SIM_OK)
        status = sim_json_parse(llama2_7b, sizeof llama2_7b - 1, "llama2_7b", context->arena, &config, err);
    if (status != SIM_OK)
        return status;
    item_column = sim_csv_column(&csv, "item");
    phase_column = sim_csv_column(&csv, "phase");
    if (item_column < 0 || phase_column < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv.file, 1, "columns 'phase' and 'item' are needed");
    for (int64_t i = 0; i < csv.row_count; i++) {
        const item *it = NULL;
        int64_t batch, tokens, w_bits, kv_bits;
        sim_workload workload;
        sim_llm_request request = {0};
        counts sum;

        for (size_t k = 0; k < sizeof items / sizeof *items; k++)
            if (strcmp(items[k].name, sim_csv_text(&csv, i, item_column)) == 0)
                it = &items[k];
        if (!it)
            return sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "unknown item '%s'",
                            sim_csv_text(&csv, i, item_column));
        status = sim_csv_int(&csv, i, "batch", &batch, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "tokens", &tokens, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "w_bits", &w_bits, err);
        if (status == SIM_OK)
            status = sim_csv_int(&csv, i, "kv_bits", &kv_bits, err);
        if (status != SIM_OK)
            return status;
        request.phase = strcmp(sim_csv_text(&csv, i, phase_column), "prefill") == 0 ? SIM_PHASE_PREFILL
                                                                                    : SIM_PHASE_DECODE;
        request.batch = batch;
        request.prompt_tokens = request.context_tokens = tokens;
        request.full_attention = it->full_attention;
        if (request.phase == SIM_PHASE_DECODE)
            request.prompt_tokens = 0;
        status = sim_llm_expand(config, "llama2_7b", &request, context->arena, &workload, err);
        if (status != SIM_OK)
            return status;
        sum = count(it, &workload, (int)w_bits, (int)kv_bits);
        status = compare(&csv, i, "ops", sum.ops, &compared, &equal, err);
        if (status == SIM_OK)
            status = compare(&csv, i, "weight_bytes", sum.weight_bytes, &compared, &equal, err);
        if (status == SIM_OK && request.phase == SIM_PHASE_DECODE)
            status = compare(&csv, i, "kv_read_bytes", sum.kv_bytes, &compared, &equal, err);
        if (status != SIM_OK)
            return status;
    }
    *out = (sim_ledger_row){
        .claim = "Llama-2-7B operations, weight and KV bytes",
        .target = "exact",
        .result =
            sim_ledger_text(context, "%lld of %lld figures exact", (long long)equal, (long long)compared),
        .source = "closed forms, independent of this code",
        .met = compared > 0 && equal == compared,
    };
    return SIM_OK;
}
