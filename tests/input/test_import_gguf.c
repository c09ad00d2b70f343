/* Metadata as llama.cpp's converter writes it -> the model that the shipped config.json describes. */
#include "import_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct known {
    const char *model;     /* workloads/models/<model>.json */
    const char *pairs[44]; /* without general.architecture; "@" in a key is the architecture */
} known;

/* source: gguf-py/gguf/constants.py (Keys) for the names; the models' config.json for the numbers */
static const known models[] = {
    {"llama2_7b",
     {"llama", "@.block_count", "32", "@.embedding_length", "4096", "@.feed_forward_length", "11008",
      "@.attention.head_count", "32", "@.attention.head_count_kv", "32", "@.context_length", "4096",
      "@.rope.dimension_count", "128", "@.vocab_size", "32000", NULL}},
    {"llama3.1_8b", {"llama",  "@.block_count",
                     "32",     "@.embedding_length",
                     "4096",   "@.feed_forward_length",
                     "14336",  "@.attention.head_count",
                     "32",     "@.attention.head_count_kv",
                     "8",      "@.context_length",
                     "131072", "@.attention.key_length",
                     "128",    "@.attention.value_length",
                     "128",    "@.vocab_size",
                     "128256", NULL}},
    {"mixtral_8x7b",
     {"llama", "@.block_count", "32", "@.embedding_length", "4096", "@.feed_forward_length", "14336",
      "@.attention.head_count", "32", "@.attention.head_count_kv", "8", "@.expert_count", "8",
      "@.expert_used_count", "2", "@.vocab_size", "32000", NULL}},
    {"qwen2_7b",
     {"qwen2", "@.block_count", "28", "@.embedding_length", "3584", "@.feed_forward_length", "18944",
      "@.attention.head_count", "28", "@.attention.head_count_kv", "4", "@.vocab_size", "152064", NULL}},
    {"qwen3_8b",
     {"qwen3", "@.block_count", "36", "@.embedding_length", "4096", "@.feed_forward_length", "12288",
      "@.attention.head_count", "32", "@.attention.head_count_kv", "8", "@.attention.key_length", "128",
      "@.vocab_size", "151936", NULL}},
    {"qwen3_30b_a3b", {"qwen3moe", "@.block_count",
                       "48",       "@.embedding_length",
                       "2048",     "@.feed_forward_length",
                       "6144",     "@.expert_feed_forward_length",
                       "768",      "@.expert_count",
                       "128",      "@.expert_used_count",
                       "8",        "@.attention.head_count",
                       "32",       "@.attention.head_count_kv",
                       "4",        "@.attention.key_length",
                       "128",      "@.vocab_size",
                       "151936",   NULL}},
    {"gemma2_2b", {"gemma2", "@.block_count",
                   "26",     "@.embedding_length",
                   "2304",   "@.feed_forward_length",
                   "9216",   "@.attention.head_count",
                   "8",      "@.attention.head_count_kv",
                   "4",      "@.attention.key_length",
                   "256",    "@.attention.value_length",
                   "256",    "@.attention.sliding_window",
                   "4096",   "@.attn_logit_softcapping",
                   "50",     "@.final_logit_softcapping",
                   "30",     "@.vocab_size",
                   "256000", NULL}},
    {"gemma3_1b", {"gemma3", "@.block_count",
                   "26",     "@.embedding_length",
                   "1152",   "@.feed_forward_length",
                   "6912",   "@.attention.head_count",
                   "4",      "@.attention.head_count_kv",
                   "1",      "@.attention.key_length",
                   "256",    "@.attention.value_length",
                   "256",    "@.attention.sliding_window",
                   "512",    "@.vocab_size",
                   "262144", NULL}},
    {"phi3_mini",
     {"phi3", "@.block_count", "32", "@.embedding_length", "3072", "@.feed_forward_length", "8192",
      "@.attention.head_count", "32", "@.attention.head_count_kv", "32", "@.attention.sliding_window", "2047",
      "@.rope.dimension_count", "96", "@.vocab_size", "32064", NULL}},
    {"gpt_oss_20b", {"gpt-oss", "@.block_count",
                     "24",      "@.embedding_length",
                     "2880",    "@.feed_forward_length",
                     "2880",    "@.expert_feed_forward_length",
                     "2880",    "@.expert_count",
                     "32",      "@.expert_used_count",
                     "4",       "@.attention.head_count",
                     "64",      "@.attention.head_count_kv",
                     "8",       "@.attention.key_length",
                     "64",      "@.attention.value_length",
                     "64",      "@.attention.sliding_window",
                     "128",     "@.vocab_size",
                     "201088",  NULL}},
    {"deepseek_v2_lite", {"deepseek2", "@.block_count",
                          "27",        "@.embedding_length",
                          "2048",      "@.feed_forward_length",
                          "10944",     "@.expert_feed_forward_length",
                          "1408",      "@.expert_count",
                          "64",        "@.expert_used_count",
                          "6",         "@.expert_shared_count",
                          "2",         "@.leading_dense_block_count",
                          "1",         "@.attention.head_count",
                          "16",        "@.attention.head_count_kv",
                          "16",        "@.attention.kv_lora_rank",
                          "512",       "@.attention.key_length",
                          "192",       "@.attention.value_length",
                          "128",       "@.rope.dimension_count",
                          "64",        "@.expert_gating_func",
                          "1",         "@.vocab_size",
                          "102400",    NULL}},
    {"deepseek_v3", {"deepseek2", "@.block_count",
                     "61",        "@.embedding_length",
                     "7168",      "@.feed_forward_length",
                     "18432",     "@.expert_feed_forward_length",
                     "2048",      "@.expert_count",
                     "256",       "@.expert_used_count",
                     "8",         "@.expert_shared_count",
                     "1",         "@.leading_dense_block_count",
                     "3",         "@.attention.head_count",
                     "128",       "@.attention.head_count_kv",
                     "1",         "@.attention.q_lora_rank",
                     "1536",      "@.attention.kv_lora_rank",
                     "512",       "@.attention.key_length",
                     "576",       "@.attention.value_length",
                     "512",       "@.attention.key_length_mla",
                     "192",       "@.attention.value_length_mla",
                     "128",       "@.rope.dimension_count",
                     "64",        "@.expert_gating_func",
                     "2",         "@.vocab_size",
                     "129280",    NULL}},
    {"llama4_scout", {"llama4", "@.block_count",
                      "48",     "@.embedding_length",
                      "5120",   "@.feed_forward_length",
                      "16384",  "@.expert_feed_forward_length",
                      "8192",   "@.expert_count",
                      "16",     "@.expert_used_count",
                      "1",      "@.interleave_moe_layer_step",
                      "1",      "@.attention.head_count",
                      "40",     "@.attention.head_count_kv",
                      "8",      "@.attention.key_length",
                      "128",    "@.vocab_size",
                      "202048", NULL}},
    {"bloom_7b1",
     {"bloom", "@.block_count", "30", "@.embedding_length", "4096", "@.feed_forward_length", "16384",
      "@.attention.head_count", "32", "@.attention.head_count_kv", "32", "@.vocab_size", "250880", NULL}},
    {"falcon_7b",
     {"falcon", "@.block_count", "32", "@.embedding_length", "4544", "@.feed_forward_length", "18176",
      "@.attention.head_count", "71", "@.attention.head_count_kv", "1", "@.vocab_size", "65024", NULL}},
    {"bert_base",
     {"bert", "@.block_count", "12", "@.embedding_length", "768", "@.feed_forward_length", "3072",
      "@.attention.head_count", "12", "@.context_length", "512", "@.vocab_size", "30522", NULL}},
};

/* A GGUF file that says this and has no tensors. */
static void put_known(import_fixture *f, const known *k)
{
    const tiny_tensors none = {.count = 0};
    const char *pairs[48] = {"general.architecture", k->pairs[0]};
    int n = 2;

    for (int i = 1; k->pairs[i]; i += 2) {
        pairs[n++] = sim_arena_printf(&f->arena, "%s%s", k->pairs[0], k->pairs[i] + 1);
        pairs[n++] = k->pairs[i + 1];
    }
    pairs[n] = NULL;
    import_put_gguf(f, "known.gguf", pairs, &none);
}

Test(import_gguf, equals_the_shipped_model)
{
    const sim_workload_request requests[] = {
        {.phase = SIM_PHASE_PREFILL, .batch = 2, .prompt_tokens = 300},
        {.phase = SIM_PHASE_DECODE, .batch = 3, .context_tokens = 5000},
    };

    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        import_fixture f;
        const char *path;

        import_begin(&f);
        put_known(&f, &models[i]);
        path = sim_arena_printf(&f.arena, SIMACC_SOURCE_DIR "/workloads/models/%s.json", models[i].model);
        for (int r = 0; r < (strcmp(models[i].model, "bert_base") == 0 ? 1 : 2); r++) {
            sim_workload of_gguf = import_direct(&f, "known.gguf", &requests[r]), of_config;
            sim_err err = {0};

            cr_assert_eq(sim_workload_load(path, &requests[r], &f.arena, &of_config, &err), SIM_OK, "%s",
                         err.items[0].text);
            cr_assert_eq(of_gguf.layer_count, of_config.layer_count, "%s", models[i].model);
            cr_assert_eq(of_gguf.parameters_active, of_config.parameters_active, "%s", models[i].model);
            for (int64_t l = 0; l < of_gguf.layer_count; l++) {
                const sim_layer *x = &of_gguf.layers[l], *y = &of_config.layers[l];

                cr_assert(strcmp(x->name, y->name) == 0 && x->m == y->m && x->n == y->n && x->k == y->k &&
                              x->batch == y->batch && x->needed_macs == y->needed_macs &&
                              x->param_elements == y->param_elements && x->tied == y->tied,
                          "%s: %s", models[i].model, y->name);
            }
        }
        import_end(&f);
    }
}

/* Layers that differ cannot be said by one number. */
Test(import_gguf, lists_of_counts)
{
    import_fixture f;
    sim_err err = {0};
    sim_workload w;

    import_begin(&f);
    for (int differ = 0; differ < 2; differ++) {
        sim_text t = {.length = 0};

        gguf_begin(&t, 3, 0, 6);
        gguf_pair_text(&t, "general.architecture", "llama");
        gguf_pair_u32(&t, "llama.block_count", 2);
        gguf_pair_u32(&t, "llama.embedding_length", 64);
        gguf_pair_u32(&t, "llama.attention.head_count", 4);
        gguf_pair_u32(&t, "llama.vocab_size", 10);
        gguf_key(&t, "llama.feed_forward_length", GGUF_ARRAY);
        put_u32(&t, GGUF_U32);
        put_u64(&t, 2);
        put_u32(&t, 128);
        put_u32(&t, differ ? 0 : 128);
        cr_assert(save_file(&t, f.folder, "list.gguf"));
        w = differ ? (sim_workload){0}
                   : import_direct(
                         &f, "list.gguf",
                         &(sim_workload_request){.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 5});
        cr_assert(differ || w.layer_count > 0);
    }
    cr_assert_eq(sim_workload_load(import_path(&f, "list.gguf"), NULL, &f.arena, &w, &err), SIM_BAD_INPUT);
    cr_assert_not_null(strstr(err.items[0].text, "differs from layer to layer (128 and 0)"), "%s",
                       err.items[0].text);
    import_end(&f);
}
