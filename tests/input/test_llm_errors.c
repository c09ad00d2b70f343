/* Models and requests that cannot be used: each with its message, line and status. */
#include "input/llm_fixture.h"
#include "reference/failing.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct bad_model {
    const char *json, *text;
    const char *hint; /* contained in the hint; NULL: no hint */
    int line;
    sim_status status;
} bad_model;

static void expect_error(const llm_fixture *f, int index, const bad_model *bad)
{
    cr_assert(f->err.count > index, "no error: %s", bad->json);
    const sim_err_item *item = &f->err.items[index];
    cr_expect_str_eq(item->text, bad->text);
    cr_expect_str_eq(item->file, "model.json");
    cr_expect(item->line == bad->line, "%s: line %d", bad->text, item->line);
    cr_expect(item->status == bad->status);
    if (bad->hint != NULL)
        cr_expect(strstr(item->hint, bad->hint) != NULL, "hint: %s", item->hint);
    else
        cr_expect_str_eq(item->hint, "");
}

#define SIZES                                                                                                \
    "\"hidden_size\":24,\"intermediate_size\":40,\"num_hidden_layers\":2,\"num_attention_heads\":6,\n"       \
    "\"vocab_size\":100"

Test(llm_errors, models)
{
    static const bad_model models[] = {
        {"[1]", "a model must be an object of config.json fields, not an array", NULL, 1, SIM_BAD_INPUT},
        {"{\n" SIZES "}", "'model_type' is missing from the model", "known: llama, llama4, mistral, ", 1,
         SIM_BAD_INPUT},
        {"{\n\"model_type\":7}", "'model_type' must be a text, not an integer", "known: llama", 2,
         SIM_BAD_INPUT},
        {"{\n\n\"model_type\":\"lama\"}", "unknown model_type 'lama'",
         "did you mean 'llama'? known: llama, llama4, ", 3, SIM_BAD_INPUT},
        {"{\"model_type\":\"mamba2\"}", "unknown model_type 'mamba2'",
         "vit, or any model written out as {\"name\": ..., \"layers\"", 1, SIM_BAD_INPUT},
        {"{\"model_type\":\"llava\",\n\"text_config\":{\"model_type\":\"mamba2\"}}",
         "unknown model_type 'llava'", "known:", 1, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n\"hiden_size\":24,\"intermediate_size\":40,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":6,\"vocab_size\":100}",
         "'hidden_size' is missing from the model", "is 'hiden_size' on line 2 a misspelling of it?", 1,
         SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\"hidden_size\":null,\"intermediate_size\":40,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":6,\"vocab_size\":100}",
         "'hidden_size' is missing from the model", NULL, 1, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"head_dim\":0}",
         "'head_dim' must be a positive integer, not 0", NULL, 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"num_key_value_heads\":-2}",
         "'num_key_value_heads' must be a positive integer, not -2", NULL, 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"head_dim\":8.0}",
         "'head_dim' must be a positive integer, written without a decimal point", NULL, 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"tie_word_embeddings\":1}",
         "'tie_word_embeddings' must be true or false, not an integer", NULL, 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"hidden_act\":\"silo\"}",
         "unknown activation function 'silo' in 'hidden_act'", "did you mean 'silu'?", 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"hidden_act\":\"mish\"}",
         "unknown activation function 'mish' in 'hidden_act'", "known: relu, relu2, silu", 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"hidden_act\":true}",
         "'hidden_act' must be the name of an activation function, not true or false", NULL, 4,
         SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\n" SIZES ",\n\"num_key_value_heads\":4}",
         "'num_attention_heads' (6) is not a multiple of 'num_key_value_heads' (4)", NULL, 4, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\"hidden_size\":25,\"intermediate_size\":40,\"num_hidden_layers\":2,\n"
         "\"num_attention_heads\":6,\"vocab_size\":100}",
         "'hidden_size' (25) is not a multiple of 'num_attention_heads' (6)", NULL, 2, SIM_BAD_INPUT},
        {"{\"model_type\":\"llama\",\"hidden_size\":24,\"intermediate_size\":40,\n\"num_hidden_layers\":"
         "10001,"
         "\"num_attention_heads\":6,\"vocab_size\":100}",
         "'num_hidden_layers' is 10001, at most 10000", NULL, 2, SIM_BAD_INPUT},
        {"{\"model_type\":\"mistral\",\n" SIZES "}", "'num_key_value_heads' is missing from the model", NULL,
         1, SIM_BAD_INPUT},
        {"{\"model_type\":\"opt\",\n\"hidden_size\":24,\"ffn_dim\":40,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":6,\"vocab_size\":100}",
         "'max_position_embeddings' is missing from the model", NULL, 1, SIM_BAD_INPUT},
        {"{\"model_type\":\"opt\",\"hidden_size\":24,\"ffn_dim\":40,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":6,\"vocab_size\":100,\"max_position_embeddings\":14,\n"
         "\"layer_norm_elementwise_affine\":\"yes\"}",
         "'layer_norm_elementwise_affine' must be true or false, not a text", NULL, 2, SIM_BAD_INPUT},
        /* 2^40 in each of two dimensions */
        {"{\"model_type\":\"llama\",\"hidden_size\":1099511627776,\"intermediate_size\":1099511627776,"
         "\"num_hidden_layers\":2,\"num_attention_heads\":8,\"vocab_size\":100}",
         "the work of 'layers.0.q_proj' does not fit 63 bits", "check the sizes", 1, SIM_OVERFLOW},
        /* each layer fits, all together do not: 2^30 * 2^30 * 3 parameters in each of 4 blocks */
        {"{\"model_type\":\"llama\",\"hidden_size\":1073741824,\"intermediate_size\":1073741824,"
         "\"num_hidden_layers\":4,\"num_attention_heads\":1,\"vocab_size\":1}",
         "the size of the model or of its cache does not fit 63 bits", "check the sizes", 1, SIM_OVERFLOW},
        {"{\"model_type\":\"opt\",\"hidden_size\":24,\"ffn_dim\":40,\"num_hidden_layers\":2,"
         "\"num_attention_heads\":6,\"vocab_size\":100,\n\"max_position_embeddings\":9223372036854775807}",
         "'max_position_embeddings' is 9223372036854775807, at most 9223372036854775805", NULL, 2,
         SIM_BAD_INPUT},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        llm_fixture f;
        llm_expand_text(&f, models[i].json, SIM_PHASE_DECODE, 1, 1, false, NULL);
        cr_expect(f.status == models[i].status, "%s: status %d", models[i].json, (int)f.status);
        cr_expect(f.err.count == 1, "%s: %d errors", models[i].json, f.err.count);
        expect_error(&f, 0, &models[i]);
        cr_expect(f.workload.layers == NULL && f.workload.layer_count == 0);
        llm_free(&f);
    }
}

/* All errors of a model are reported together, in the order of the family's fields. */
Test(llm_errors, all_of_a_model)
{
    static const bad_model expected[] = {
        {"", "'num_hidden_layers' must be a positive integer, not a text", NULL, 3, SIM_BAD_INPUT},
        {"", "'hidden_size' must be a positive integer, not -1", NULL, 2, SIM_BAD_INPUT},
        {"", "'intermediate_size' is missing from the model", NULL, 1, SIM_BAD_INPUT},
        {"", "'mlp_bias' must be true or false, not a text", NULL, 5, SIM_BAD_INPUT},
        {"", "'num_attention_heads' (6) is not a multiple of 'num_key_value_heads' (5)", NULL, 4,
         SIM_BAD_INPUT},
        {"", "'batch' must be a positive integer, not 0", NULL, 0, SIM_BAD_INPUT},
    };
    llm_fixture f;
    llm_expand_text(
        &f,
        "{\"model_type\":\"llama\",\n\"hidden_size\":-1,\n\"num_hidden_layers\":\"2\",\n"
        "\"num_attention_heads\":6,\"num_key_value_heads\":5,\"vocab_size\":100,\n\"mlp_bias\":\"no\"}",
        SIM_PHASE_DECODE, 0, 1, false, NULL);
    cr_expect(f.status == SIM_BAD_INPUT);
    cr_expect(f.err.count == (int)(sizeof expected / sizeof *expected), "%d errors", f.err.count);
    for (int i = 0; i < (int)(sizeof expected / sizeof *expected); i++)
        expect_error(&f, i, &expected[i]);
    llm_free(&f);
}

Test(llm_errors, requests)
{
    static const struct {
        sim_phase phase;
        int64_t batch, tokens;
        bad_model bad;
    } requests[] = {
        {SIM_PHASE_NONE, 1, 1, {"", "a model needs a phase", "--phase", 0, SIM_BAD_INPUT}},
        {SIM_PHASE_GENERATE,
         1,
         1,
         {"", "generate needs 'new_tokens', at least 1", "\"new_tokens\"", 0, SIM_BAD_INPUT}},
        {SIM_PHASE_DECODE, -3, 1, {"", "'batch' must be a positive integer, not -3", NULL, 0, SIM_BAD_INPUT}},
        {SIM_PHASE_PREFILL,
         1,
         0,
         {"", "prefill needs 'prompt_tokens', at least 1", "--prompt", 0, SIM_BAD_INPUT}},
        {SIM_PHASE_DECODE,
         1,
         -1,
         {"", "decode needs 'context_tokens', the tokens already in the cache", "--context", 0,
          SIM_BAD_INPUT}},
        {SIM_PHASE_DECODE,
         1,
         INT64_MAX,
         {"", "the size of the model or of its cache does not fit 63 bits", "tokens", 1, SIM_OVERFLOW}},
        {SIM_PHASE_PREFILL,
         INT64_C(1) << 40,
         INT64_C(1) << 30,
         {"", "the size of the model or of its cache does not fit 63 bits", "batch", 1, SIM_OVERFLOW}},
        {SIM_PHASE_PREFILL,
         1,
         INT64_C(1) << 31,
         {"", "the work of 'layers.0.qk' does not fit 63 bits", "tokens", 1, SIM_OVERFLOW}},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        llm_fixture f;
        llm_expand_text(&f, llm_tiny_gqa, requests[i].phase, requests[i].batch, requests[i].tokens, false,
                        NULL);
        cr_expect(f.status == requests[i].bad.status);
        cr_expect(f.err.count == 1);
        expect_error(&f, 0, &requests[i].bad);
        llm_free(&f);
    }
}

Test(llm_errors, known_types_end_with_null)
{
    int count = 0;
    while (sim_llm_model_types[count] != NULL)
        count++;
    cr_assert(count >= 3);
    cr_expect_str_eq(sim_llm_model_types[0], "llama");
}

/* ---- memory ------------------------------------------------------------------------------------- */

/* Every allocation, one after the other, fails: each time cleanly. */
Test(llm_errors, out_of_memory)
{
    int failures = 0;
    for (int n = 1;; n++) {
        failing user = {.fail_at = n};
        sim_allocator allocator = failing_allocator(&user);
        llm_fixture f;
        llm_expand_text(&f, llm_llama2_70b, SIM_PHASE_PREFILL, 1, 2048, false, &allocator);
        sim_status status = f.status;
        int errors = f.err.count;
        llm_free(&f);
        cr_assert(user.live == 0, "%ld blocks leak when allocation %d fails", user.live, n);
        if (status == SIM_OK) {
            cr_assert(user.calls < user.fail_at, "allocation %d failed and nobody noticed", n);
            break;
        }
        failures++;
        cr_assert(status == SIM_NO_MEMORY && errors == 1, "allocation %d: status %d", n, (int)status);
        cr_assert(n < 100000);
    }
    cr_expect(failures >= 2, "%d allocations", failures);
}
