/* Models on several devices: shares, exchanges, stages, memory. */
#include "input/llm.h"
#include "input/workload.h"
#include "llm_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

static sim_arena arena;

static void begin(void)
{
    sim_arena_init(&arena, NULL);
}

static void end(void)
{
    sim_arena_free(&arena);
}

TestSuite(llm_devices, .init = begin, .fini = end);

static sim_status try_expand(const char *text, const sim_llm_request *request, sim_workload *out,
                             sim_err *err)
{
    const sim_json *config;

    *out = (sim_workload){.name = "w"};
    cr_assert_eq(sim_json_parse(text, strlen(text), "m.json", &arena, &config, err), SIM_OK);
    return sim_llm_expand(config, "m.json", request, &arena, out, err);
}

static sim_workload expand(const char *text, const sim_llm_request *request)
{
    sim_workload workload;
    sim_err err = {0};

    cr_assert_eq(try_expand(text, request, &workload, &err), SIM_OK, "%s", err.items[0].text);
    return workload;
}

static const sim_layer *find(const sim_workload *w, const char *name)
{
    for (int64_t i = 0; i < w->layer_count; i++)
        if (strcmp(w->layers[i].name, name) == 0)
            return &w->layers[i];
    cr_assert(false, "no layer '%s'", name);
    return NULL;
}

static void expect_shape(const sim_workload *w, const char *name, int64_t batch, int64_t m, int64_t n,
                         int64_t k)
{
    const sim_layer *l = find(w, name);

    cr_expect(l->batch == batch && l->m == m && l->n == n && l->k == k, "%s: %lld x %lld x %lld x %lld", name,
              (long long)l->batch, (long long)l->m, (long long)l->n, (long long)l->k);
}

static int64_t count(const sim_workload *w, sim_op op)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < w->layer_count; i++)
        sum += w->layers[i].op == op;
    return sum;
}

/* Of all devices, as a run counts it. */
static int64_t macs(const sim_workload *w)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        int64_t devices = l->devices > 0 && !l->repeated ? l->devices : 1;

        sum += l->all_macs > 0 ? l->all_macs : llm_macs(l) * devices;
    }
    return sum;
}

/* ---- tensor parallel ------------------------------------------------------------------------------- */

Test(llm_devices, shapes_of_one_of_eight)
{
    const sim_llm_request request = {
        .phase = SIM_PHASE_DECODE, .batch = 4, .context_tokens = 1023, .tensor_parallel = 8};
    sim_workload w = expand(llm_llama2_70b, &request);

    /* 64 query heads, 8 KV heads of 128; hidden 8192, FFN 28672, vocabulary 32000. */
    cr_expect_eq(w.devices, 8);
    cr_expect_not(w.cache_copied);
    expect_shape(&w, "embed", 1, 1, 8192, 4000);
    expect_shape(&w, "embed.allreduce", 1, 4, 8192, 0);
    expect_shape(&w, "layers.0.q_proj", 1, 4, 1024, 8192);
    expect_shape(&w, "layers.0.k_proj", 1, 4, 128, 8192);
    expect_shape(&w, "layers.0.rope", 1, 4, 9 * 128, 0);
    expect_shape(&w, "layers.0.qk", 4, 8, 1024, 128);
    expect_shape(&w, "layers.0.softmax", 1, 32, 1024, 0);
    expect_shape(&w, "layers.0.pv", 4, 8, 128, 1024);
    expect_shape(&w, "layers.0.o_proj", 1, 4, 8192, 1024);
    expect_shape(&w, "layers.0.o_proj.allreduce", 1, 4, 8192, 0);
    expect_shape(&w, "layers.0.gate_proj", 1, 4, 3584, 8192);
    expect_shape(&w, "layers.0.act", 1, 4, 3584, 0);
    expect_shape(&w, "layers.0.down_proj", 1, 4, 8192, 3584);
    expect_shape(&w, "layers.0.down_proj.allreduce", 1, 4, 8192, 0);
    expect_shape(&w, "lm_head", 1, 4, 4000, 8192);
    expect_shape(&w, "lm_head.allgather", 1, 4, 4000, 0);
    cr_expect_eq(count(&w, SIM_OP_ALLREDUCE), 2 * 80 + 1);
    cr_expect_eq(count(&w, SIM_OP_ALLGATHER), 1);
    cr_expect(find(&w, "layers.0.input_layernorm")->repeated);
    cr_expect_eq(find(&w, "layers.0.o_proj")->out_bits, 16, "a part of a sum");
    cr_expect_eq(find(&w, "layers.0.qk")->cache_rows, 4 * 1024);
}

Test(llm_devices, kv_heads_are_copied_where_devices_are_more)
{
    const sim_llm_request request = {
        .phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 127, .tensor_parallel = 32};
    sim_workload w = expand(llm_llama2_70b, &request);

    cr_expect(w.cache_copied);
    expect_shape(&w, "layers.0.q_proj", 1, 1, 256, 8192);
    expect_shape(&w, "layers.0.k_proj", 1, 1, 128, 8192);
    expect_shape(&w, "layers.0.qk", 1, 2, 128, 128);
    cr_expect_eq(find(&w, "layers.0.k_proj")->all_macs, 1024 * 8192, "what 32 devices do 8 of them need");
}

Test(llm_devices, a_vocabulary_is_filled_up)
{
    static const char model[] =
        "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 128, "
        "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"vocab_size\": 1001, "
        "\"tie_word_embeddings\": false, \"hidden_act\": \"silu\"}";
    const sim_llm_request request = {
        .phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 10, .tensor_parallel = 4};
    sim_workload w = expand(model, &request);

    expect_shape(&w, "embed", 1, 3, 64, 251);
    expect_shape(&w, "lm_head", 1, 1, 251, 64);
    cr_expect_eq(find(&w, "embed")->spare_n, 3);
    cr_expect_eq(find(&w, "lm_head")->spare_n, 3);
    cr_expect_eq(find(&w, "lm_head")->all_macs, 1001 * 64);
}

Test(llm_devices, side_by_side_parts_are_summed_once)
{
    static const char model[] =
        "{\"model_type\": \"falcon\", \"hidden_size\": 8192, \"num_hidden_layers\": 60, "
        "\"num_attention_heads\": 128,"
        " \"num_kv_heads\": 8, \"new_decoder_architecture\": true, \"parallel_attn\": true, \"bias\": false, "
        "\"alibi\": false, \"vocab_size\": 65024}";
    const sim_llm_request request = {
        .phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 10, .tensor_parallel = 8};
    sim_workload w = expand(model, &request);

    cr_expect_eq(count(&w, SIM_OP_ALLREDUCE), 60 + 1);
}

static const char mixtral[] =
    "{\"model_type\": \"mixtral\", \"hidden_size\": 4096, \"intermediate_size\": 14336, "
    "\"num_hidden_layers\": 32, "
    "\"num_attention_heads\": 32, \"num_key_value_heads\": 8, \"num_local_experts\": 8, "
    "\"num_experts_per_tok\": 2, "
    "\"vocab_size\": 32000, \"hidden_act\": \"silu\", \"tie_word_embeddings\": false}";

Test(llm_devices, experts_by_width_or_whole)
{
    sim_llm_request request = {
        .phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 512, .tensor_parallel = 4};
    sim_workload width = expand(mixtral, &request), whole;
    const sim_layer *a, *b;
    int64_t i = 0;

    request.expert_parallel = true;
    whole = expand(mixtral, &request);
    cr_assert_eq(width.layer_count, whole.layer_count);
    while (width.layers[i].stored_batch == 0)
        i++;
    a = &width.layers[i];
    b = &whole.layers[i];
    cr_expect_eq(a->batch, 8);
    cr_expect_eq(a->stored_batch, 8);
    cr_expect_eq(a->n, 14336 / 4);
    cr_expect_eq(b->batch, 2);
    cr_expect_eq(b->stored_batch, 2);
    cr_expect_eq(b->n, 14336);
    cr_expect_eq(macs(&width), macs(&whole));
    cr_expect_eq(count(&width, SIM_OP_ALLREDUCE), 2 * 32 + 1);
    cr_expect_eq(count(&whole, SIM_OP_ALLREDUCE), 2 * 32 + 1);
}

/* ---- every shipped model --------------------------------------------------------------------------- */

static sim_status load(const char *name, const sim_llm_request *request, sim_workload *out, sim_err *err)
{
    const sim_json *config;
    char path[512];

    snprintf(path, sizeof path, "%s/workloads/models/%s", SIMACC_SOURCE_DIR, name);
    cr_assert_eq(sim_json_load(path, &arena, &config, err), SIM_OK, "%s", path);
    *out = (sim_workload){.name = "w"};
    return sim_llm_expand(config, path, request, &arena, out, err);
}

/* What devices share adds up to what one does: the same MACs, and no parameter lost. */
Test(llm_devices, shares_add_up)
{
    static const int64_t devices[] = {2, 4, 8, 16};
    char folder[512];
    struct dirent *entry;
    int tried = 0;
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/workloads/models", SIMACC_SOURCE_DIR);
    dir = opendir(folder);
    cr_assert(dir);
    while ((entry = readdir(dir))) {
        for (int phase = 0; phase < 2 && strstr(entry->d_name, ".json"); phase++) {
            sim_llm_request request = {.phase = phase ? SIM_PHASE_DECODE : SIM_PHASE_PREFILL,
                                       .batch = 3,
                                       .prompt_tokens = phase || strstr(entry->d_name, "vit") ? 0 : 40,
                                       .context_tokens = 300};
            sim_workload one, many;
            sim_err err = {0};

            if (load(entry->d_name, &request, &one, &err) != SIM_OK)
                continue; /* an encoder does not decode */
            for (int i = 0; i < 4; i++) {
                double stored = 0, single = 0;

                request.tensor_parallel = devices[i];
                request.pipeline_parallel = 1 + i % 2;
                request.expert_parallel = i % 2;
                err.count = 0;
                if (load(entry->d_name, &request, &many, &err) != SIM_OK)
                    continue; /* its heads are not divided by so many */
                tried++;
                cr_expect_eq(macs(&many), macs(&one), "%s on %lld", entry->d_name, (long long)devices[i]);
                cr_expect_eq(many.parameters, one.parameters);
                cr_expect_eq(many.kv_cache_elements, one.kv_cache_elements);
                for (int64_t l = 0; l < many.layer_count; l++)
                    stored += (double)llm_parameters(&many.layers[l]) * (double)devices[i];
                for (int64_t l = 0; l < one.layer_count; l++)
                    single += (double)llm_parameters(&one.layers[l]);
                cr_expect_geq(stored, single, "%s on %lld", entry->d_name, (long long)devices[i]);
            }
        }
    }
    closedir(dir);
    cr_expect_gt(tried, 200);
}

/* ---- pipelines -------------------------------------------------------------------------------------- */

Test(llm_devices, stages)
{
    const sim_llm_request request = {
        .phase = SIM_PHASE_PREFILL, .batch = 2, .prompt_tokens = 16, .pipeline_parallel = 4};
    sim_workload w = expand(llm_llama2_7b, &request);
    const sim_layer *send = find(&w, "layers.7.ffn_residual.send");

    cr_expect_eq(w.devices, 4);
    cr_expect_eq(w.stages, 4);
    cr_expect_eq(count(&w, SIM_OP_SEND), 3);
    cr_expect_eq(count(&w, SIM_OP_ALLREDUCE), 0);
    cr_expect_eq(count(&w, SIM_OP_ALLGATHER), 0);
    cr_expect_eq(send->m, 32);
    cr_expect_eq(send->n, 4096);
    cr_expect_eq(send->stage, 0);
    cr_expect_eq(find(&w, "embed")->stage, 0);
    cr_expect_eq(find(&w, "layers.7.q_proj")->stage, 0);
    cr_expect_eq(find(&w, "layers.8.q_proj")->stage, 1);
    cr_expect_eq(find(&w, "layers.31.q_proj")->stage, 3);
    cr_expect_eq(find(&w, "lm_head")->stage, 3);
}

Test(llm_devices, the_last_stage_has_a_table_of_its_own)
{
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 16};
    sim_workload one = expand(llm_opt_350m, &request), two;

    request.pipeline_parallel = 2;
    two = expand(llm_opt_350m, &request);
    cr_expect(find(&one, "lm_head")->tied);
    cr_expect_not(find(&two, "lm_head")->tied);
    cr_expect_eq(two.parameters, one.parameters);
}

Test(llm_devices, each_pass_of_a_generation_goes_through_all_stages)
{
    const sim_llm_request request = {.phase = SIM_PHASE_GENERATE,
                                     .batch = 1,
                                     .prompt_tokens = 10,
                                     .chunk_tokens = 4,
                                     .new_tokens = 5,
                                     .tensor_parallel = 2,
                                     .pipeline_parallel = 2};
    sim_workload w = expand(llm_llama2_7b, &request);

    /* two chunks of 4, one of 2, four tokens: three passes, two of which give logits */
    cr_expect_eq(count(&w, SIM_OP_SEND), 3);
    cr_expect_eq(count(&w, SIM_OP_ALLGATHER), 2);
    cr_expect_eq(count(&w, SIM_OP_ALLREDUCE), 3 * (2 * 32 + 1));
    cr_expect_eq(w.layers[w.layer_count - 1].op, SIM_OP_ALLGATHER);
}

/* ---- what cannot be ------------------------------------------------------------------------------- */

Test(llm_devices, what_devices_do_not_divide)
{
    sim_llm_request request = {
        .phase = SIM_PHASE_DECODE, .batch = 1, .context_tokens = 16, .tensor_parallel = 3};
    sim_workload w;
    sim_err err = {0};

    cr_assert_eq(try_expand(llm_llama2_7b, &request, &w, &err), SIM_BAD_INPUT);
    cr_expect_geq(err.count, 2, "heads and width, together");
    cr_expect_str_eq(err.items[0].text,
                     "3 devices (tensor_parallel) do not divide the model's 32 attention heads");
    err.count = 0;
    request.tensor_parallel = 1;
    request.pipeline_parallel = 33;
    cr_assert_eq(try_expand(llm_llama2_7b, &request, &w, &err), SIM_BAD_INPUT);
    cr_expect_str_eq(err.items[0].text, "33 stages (pipeline_parallel) are more than the model's 32 blocks");
}

Test(llm_devices, one_device_changes_nothing)
{
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 99};
    sim_workload plain = expand(mixtral, &request), one;

    request.tensor_parallel = request.pipeline_parallel = 1;
    one = expand(mixtral, &request);
    cr_assert_eq(one.layer_count, plain.layer_count);
    cr_expect_eq(one.devices, 0);
    for (int64_t i = 0; i < one.layer_count; i++) {
        sim_layer a = one.layers[i], b = plain.layers[i];

        cr_expect_str_eq(a.name, b.name);
        a.name = b.name = NULL;
        cr_expect_eq(memcmp(&a, &b, sizeof a), 0);
    }
}
