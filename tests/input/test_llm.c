/* Expansion of models: names, order, shapes, marks, and the options of each family. */
#include "input/llm_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- names and order ---------------------------------------------------------------------------- */

static void expect_names(const llm_fixture *f, const char *const *names)
{
    cr_assert(f->status == SIM_OK, "%s", f->err.items[0].text);
    int64_t i = 0;
    for (; names[i] != NULL; i++) {
        cr_assert(i < f->workload.layer_count, "%s is missing", names[i]);
        cr_assert_str_eq(f->workload.layers[i].name, names[i]);
    }
    cr_assert(i == f->workload.layer_count, "%" PRId64 " layers", f->workload.layer_count);
}

Test(llm, names_of_llama)
{
    static const char *const names[] = {
        "embed",
        "layers.0.input_layernorm",
        "layers.0.q_proj",
        "layers.0.k_proj",
        "layers.0.v_proj",
        "layers.0.rope",
        "layers.0.qk",
        "layers.0.softmax",
        "layers.0.pv",
        "layers.0.o_proj",
        "layers.0.attn_residual",
        "layers.0.post_attention_layernorm",
        "layers.0.gate_proj",
        "layers.0.up_proj",
        "layers.0.act",
        "layers.0.down_proj",
        "layers.0.ffn_residual",
        "norm",
        "lm_head",
        NULL,
    };
    llm_fixture f;
    llm_expand_text(
        &f,
        "{\"model_type\":\"llama\",\"hidden_size\":8,\"intermediate_size\":12,\"num_hidden_layers\":1,"
        "\"num_attention_heads\":2,\"vocab_size\":10}",
        SIM_PHASE_DECODE, 1, 3, false, NULL);
    expect_names(&f, names);
    cr_expect_str_eq(f.workload.model_type, "llama");
    llm_free(&f);
}

Test(llm, names_of_opt)
{
    static const char *const pre_norm[] = {
        "embed",
        "embed_positions",
        "embed_sum",
        "layers.0.self_attn_layer_norm",
        "layers.0.q_proj",
        "layers.0.k_proj",
        "layers.0.v_proj",
        "layers.0.qk",
        "layers.0.softmax",
        "layers.0.pv",
        "layers.0.o_proj",
        "layers.0.attn_residual",
        "layers.0.final_layer_norm",
        "layers.0.fc1",
        "layers.0.act",
        "layers.0.fc2",
        "layers.0.ffn_residual",
        "final_layer_norm",
        "lm_head",
        NULL,
    };
    static const char *const post_norm[] = {
        "embed",
        "project_in",
        "embed_positions",
        "embed_sum",
        "layers.0.q_proj",
        "layers.0.k_proj",
        "layers.0.v_proj",
        "layers.0.qk",
        "layers.0.softmax",
        "layers.0.pv",
        "layers.0.o_proj",
        "layers.0.attn_residual",
        "layers.0.self_attn_layer_norm",
        "layers.0.fc1",
        "layers.0.act",
        "layers.0.fc2",
        "layers.0.ffn_residual",
        "layers.0.final_layer_norm",
        "project_out",
        "lm_head",
        NULL,
    };
    const char *format = "{\"model_type\":\"opt\",\"hidden_size\":8,\"ffn_dim\":12,\"num_hidden_layers\":1,"
                         "\"num_attention_heads\":2,\"vocab_size\":10,\"max_position_embeddings\":6%s}";
    char json[512];
    llm_fixture f;
    snprintf(json, sizeof json, format, "");
    llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 3, false, NULL);
    expect_names(&f, pre_norm);
    llm_free(&f);

    snprintf(json, sizeof json, format, ",\"do_layer_norm_before\":false,\"word_embed_proj_dim\":4");
    llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 3, false, NULL);
    expect_names(&f, post_norm);
    llm_free(&f);
}

/* ---- shapes ------------------------------------------------------------------------------------- */

static void expect_shape(const llm_fixture *f, const char *name, int64_t batch, int64_t m, int64_t n,
                         int64_t k)
{
    const sim_layer *layer = llm_layer(f, name);
    cr_assert(layer != NULL, "no layer '%s'", name);
    cr_expect(layer->batch == batch && layer->m == m && layer->n == n && layer->k == k,
              "%s: batch %" PRId64 " m %" PRId64 " n %" PRId64 " k %" PRId64, name, layer->batch, layer->m,
              layer->n, layer->k);
    cr_expect(layer->repeat == 1);
}

/* Llama-2-70B, 4 sequences: the 8 query heads of a KV head are one GEMM. */
Test(llm, shapes_of_grouped_queries)
{
    llm_fixture f;
    llm_expand_text(&f, llm_llama2_70b, SIM_PHASE_DECODE, 4, 1000, false, NULL);
    cr_assert(f.status == SIM_OK);
    expect_shape(&f, "embed", 1, 4, 8192, 32000);
    expect_shape(&f, "layers.79.q_proj", 1, 4, 8192, 8192);
    expect_shape(&f, "layers.79.k_proj", 1, 4, 1024, 8192);
    expect_shape(&f, "layers.79.v_proj", 1, 4, 1024, 8192);
    expect_shape(&f, "layers.79.rope", 1, 4, 8192 + 1024, 0);
    expect_shape(&f, "layers.79.qk", 32, 8, 1001, 128);
    expect_shape(&f, "layers.79.softmax", 1, 4 * 64, 1001, 0);
    expect_shape(&f, "layers.79.pv", 32, 8, 128, 1001);
    expect_shape(&f, "layers.79.o_proj", 1, 4, 8192, 8192);
    expect_shape(&f, "layers.79.gate_proj", 1, 4, 28672, 8192);
    expect_shape(&f, "layers.79.act", 1, 4, 28672, 0);
    expect_shape(&f, "layers.79.down_proj", 1, 4, 8192, 28672);
    expect_shape(&f, "norm", 1, 4, 8192, 0);
    expect_shape(&f, "lm_head", 1, 4, 32000, 8192);
    cr_expect(llm_layer(&f, "layers.0.qk")->needed_macs == 0);
    cr_expect(f.workload.tokens == 4 && f.workload.batch == 4 && f.workload.phase == SIM_PHASE_DECODE);
    cr_expect(f.workload.kv_cache_elements == INT64_C(2) * 80 * 8 * 128 * 1001 * 4);
    cr_expect(llm_layer(&f, "layers.0.qk")->kv_row_elements == 128);
    cr_expect(f.workload.layer_count == 80 * 16 + 3);
    llm_free(&f);

    llm_expand_text(&f, llm_llama2_70b, SIM_PHASE_PREFILL, 4, 1000, false, NULL);
    cr_assert(f.status == SIM_OK);
    expect_shape(&f, "embed", 1, 4000, 8192, 32000);
    expect_shape(&f, "layers.0.k_proj", 1, 4000, 1024, 8192);
    expect_shape(&f, "layers.0.qk", 32, 8000, 1000, 128);
    expect_shape(&f, "layers.0.softmax", 1, 4000 * 64, 1000, 0);
    expect_shape(&f, "layers.0.pv", 32, 8000, 128, 1000);
    expect_shape(&f, "lm_head", 1, 4, 32000, 8192); /* the last tokens only */
    cr_expect(f.workload.tokens == 4000);
    cr_expect(f.workload.kv_cache_elements == INT64_C(2) * 80 * 8 * 128 * 1000 * 4);
    llm_free(&f);
}

/* A head dimension that is not hidden_size / heads, as in Llama-3.2 derivatives. */
Test(llm, shapes_with_head_dim)
{
    llm_fixture f;
    llm_expand_text(&f, llm_tiny_gqa, SIM_PHASE_PREFILL, 1, 5, true, NULL);
    cr_assert(f.status == SIM_OK);
    expect_shape(&f, "layers.1.q_proj", 1, 5, 48, 24);
    expect_shape(&f, "layers.1.k_proj", 1, 5, 16, 24);
    expect_shape(&f, "layers.1.rope", 1, 5, 64, 0);
    expect_shape(&f, "layers.1.qk", 2, 15, 5, 8);
    expect_shape(&f, "layers.1.pv", 2, 15, 8, 5);
    expect_shape(&f, "layers.1.o_proj", 1, 5, 24, 48);
    cr_expect(llm_layer(&f, "layers.0.qk")->kv_row_elements == 8);
    llm_free(&f);
}

Test(llm, shapes_of_opt_350m)
{
    llm_fixture f;
    llm_expand_text(&f, llm_opt_350m, SIM_PHASE_PREFILL, 2, 10, false, NULL);
    cr_assert(f.status == SIM_OK);
    expect_shape(&f, "embed", 1, 20, 512, 50272);
    expect_shape(&f, "project_in", 1, 20, 1024, 512);
    expect_shape(&f, "embed_positions", 1, 20, 1024, 2050);
    expect_shape(&f, "embed_sum", 1, 20, 1024, 0);
    expect_shape(&f, "layers.23.fc1", 1, 20, 4096, 1024);
    expect_shape(&f, "layers.23.act", 1, 20, 4096, 0);
    expect_shape(&f, "layers.23.fc2", 1, 20, 1024, 4096);
    expect_shape(&f, "project_out", 1, 20, 512, 1024);
    expect_shape(&f, "lm_head", 1, 2, 50272, 512);
    llm_free(&f);
}

/* Where operands come from and go to, and what stays float. */
Test(llm, marks)
{
    llm_fixture f;
    llm_expand_text(&f, llm_tiny_gqa, SIM_PHASE_PREFILL, 1, 5, false, NULL);
    cr_assert(f.status == SIM_OK);
    for (int64_t i = 0; i < f.workload.layer_count; i++) {
        const sim_layer *layer = &f.workload.layers[i];
        const char *dot = strrchr(layer->name, '.');
        const char *last = dot != NULL ? dot + 1 : layer->name;
        bool qk = strcmp(last, "qk") == 0, pv = strcmp(last, "pv") == 0,
             softmax = strcmp(last, "softmax") == 0;
        bool cached = strcmp(last, "k_proj") == 0 || strcmp(last, "v_proj") == 0;
        bool ends = strcmp(last, "embed") == 0 || strcmp(last, "lm_head") == 0;
        cr_expect((layer->weights == SIM_WEIGHTS_KV) == (qk || pv), "%s", layer->name);
        cr_expect(layer->a_on_chip == (softmax || pv), "%s", layer->name);
        cr_expect(layer->out_on_chip == (softmax || qk), "%s", layer->name);
        cr_expect(layer->kv_outputs == (cached ? layer->n : 0), "%s", layer->name);
        cr_expect(layer->keep_float == ends, "%s", layer->name);
        cr_expect((layer->needed_macs > 0) == (qk || pv), "%s", layer->name);
        cr_expect((layer->map_n > 0) == (qk || softmax), "%s", layer->name);
        cr_expect((layer->map_k > 0) == pv, "%s", layer->name);
        cr_expect(!layer->tied, "%s", layer->name);
        bool vector = layer->op != SIM_OP_MATMUL && layer->op != SIM_OP_EMBEDDING;
        cr_expect((layer->ops_per_element > 0) == vector, "%s", layer->name);
        cr_expect((layer->inputs > 0) == (layer->op != SIM_OP_MATMUL), "%s", layer->name);
    }
    cr_expect(llm_layer(&f, "layers.0.attn_residual")->inputs == 2);
    cr_expect(llm_layer(&f, "layers.0.act")->inputs == 2);
    cr_expect(llm_layer(&f, "layers.0.rope")->inputs == 1);
    cr_expect(llm_layer(&f, "norm")->param_elements == 24);
    llm_free(&f);

    llm_expand_text(&f, llm_opt_350m, SIM_PHASE_DECODE, 1, 5, false, NULL);
    cr_assert(f.status == SIM_OK);
    cr_expect(llm_layer(&f, "embed_positions")->keep_float && llm_layer(&f, "lm_head")->tied);
    cr_expect(llm_layer(&f, "layers.0.act")->inputs == 1);
    cr_expect(llm_layer(&f, "layers.0.final_layer_norm")->param_elements == 2 * 1024);
    llm_free(&f);
}

/* ---- options of the families ---------------------------------------------------------------------- */

static int64_t parameters_with(const char *format, const char *extra)
{
    char json[512];
    snprintf(json, sizeof json, format, extra);
    llm_fixture f;
    llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 1, false, NULL);
    cr_assert(f.status == SIM_OK, "%s: %s", extra, f.err.items[0].text);
    int64_t parameters = f.workload.parameters, macs = llm_total_macs(&f);
    llm_free(&f);
    /* None of these options changes the work. */
    snprintf(json, sizeof json, format, "");
    llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 1, false, NULL);
    cr_expect(llm_total_macs(&f) == macs);
    llm_free(&f);
    return parameters;
}

Test(llm, options_of_llama)
{
    const char *format = "{\"model_type\":\"llama\",\"hidden_size\":24,\"intermediate_size\":40,"
                         "\"num_hidden_layers\":2,\"num_attention_heads\":6,\"num_key_value_heads\":2,"
                         "\"vocab_size\":100%s}";
    /* embed and lm_head, projections of 24, 8, 8 and 24 outputs, three of the FFN, norms */
    int64_t plain = 2 * 100 * 24 + 2 * (24 * (24 + 8 + 8 + 24) + 3 * 24 * 40 + 2 * 24) + 24;
    cr_expect(parameters_with(format, "") == plain);
    cr_expect(parameters_with(format, ",\"tie_word_embeddings\":true") == plain - 100 * 24);
    cr_expect(parameters_with(format, ",\"attention_bias\":true") == plain + 2 * (24 + 8 + 8 + 24));
    cr_expect(parameters_with(format, ",\"mlp_bias\":true") == plain + 2 * (40 + 40 + 24));
    cr_expect(parameters_with(format, ",\"head_dim\":null,\"sliding_window\":3,\"rope_scaling\":{}") ==
              plain);
}

Test(llm, options_of_opt)
{
    const char *format = "{\"model_type\":\"opt\",\"hidden_size\":24,\"ffn_dim\":40,\"num_hidden_layers\":2,"
                         "\"num_attention_heads\":6,\"vocab_size\":100,\"max_position_embeddings\":14%s}";
    int64_t linears = 4 * 24 * 24 + 2 * 24 * 40, biases = 4 * 24 + 40 + 24, norm = 2 * 24;
    int64_t plain = 100 * 24 + 16 * 24 + 2 * (linears + biases + 2 * norm) + norm;
    cr_expect(parameters_with(format, "") == plain);
    cr_expect(parameters_with(format, ",\"tie_word_embeddings\":false") == plain + 100 * 24);
    cr_expect(parameters_with(format, ",\"enable_bias\":false") == plain - 2 * biases);
    cr_expect(parameters_with(format, ",\"layer_norm_elementwise_affine\":false") == plain - 5 * norm);
    cr_expect(parameters_with(format, ",\"do_layer_norm_before\":false") == plain - norm);
    cr_expect(parameters_with(format, ",\"_remove_final_layer_norm\":true") == plain - norm);
    cr_expect(parameters_with(format, ",\"word_embed_proj_dim\":24") == plain);
}

Test(llm, activation_costs)
{
    static const struct {
        const char *name;
        double ops;
    } functions[] = {{"relu", 1}, {"silu", 4}, {"gelu", 5}, {"gelu_new", 8}, {"gelu_pytorch_tanh", 8}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        char json[512];
        llm_fixture f;
        snprintf(json, sizeof json,
                 "{\"model_type\":\"opt\",\"hidden_size\":24,\"ffn_dim\":40,\"num_hidden_layers\":2,"
                 "\"num_attention_heads\":6,\"vocab_size\":100,\"max_position_embeddings\":14,"
                 "\"activation_function\":\"%s\"}",
                 functions[i].name);
        llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 1, false, NULL);
        cr_assert(f.status == SIM_OK);
        cr_expect(llm_layer(&f, "layers.1.act")->ops_per_element == functions[i].ops, "%s",
                  functions[i].name);
        llm_free(&f);
    }
    llm_fixture f;
    llm_expand_text(&f, llm_llama2_7b, SIM_PHASE_DECODE, 1, 1, false, NULL);
    cr_expect(llm_layer(&f, "layers.1.act")->ops_per_element == 5); /* silu and the gate */
    llm_free(&f);
}

Test(llm, text_config_of_a_multimodal_model)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{\"model_type\":\"llava\",\"vision_config\":{\"hidden_size\":1024},\"text_config\":%s}",
             llm_llama2_7b);
    llm_fixture f;
    llm_expand_text(&f, json, SIM_PHASE_DECODE, 1, 1, false, NULL);
    cr_assert(f.status == SIM_OK, "%s", f.err.items[0].text);
    cr_expect(f.workload.parameters == 6738415616);
    cr_expect_str_eq(f.workload.model_type, "llama");
    llm_free(&f);
}
