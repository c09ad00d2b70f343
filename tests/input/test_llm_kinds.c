/* Names, order, shapes and marks of what only some models have: latent and compressed attention, experts,
 * encoders, shared and normalised keys, merged projections. */
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void expand(llm_fixture *f, const llm_zoo_model *z, const sim_llm_request *request)
{
    llm_expand_model(f, &z->model, request);
    cr_assert(f->status == SIM_OK, "%s: %s", z->name, f->err.items[0].text);
}

static void decode(llm_fixture *f, const llm_zoo_model *z, int64_t batch, int64_t context)
{
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = batch, .context_tokens = context};

    expand(f, z, &request);
}

static void prefill(llm_fixture *f, const llm_zoo_model *z, int64_t batch, int64_t tokens)
{
    sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = batch, .prompt_tokens = tokens};

    expand(f, z, &request);
}

typedef struct expected {
    const char *name;
    int64_t batch, m, n, k;
} expected;

/* The entries from `first` on are these, by name (after their prefix), order and shape. */
static void expect_entries(const llm_fixture *f, const char *prefix, const expected *entries, size_t count)
{
    int64_t at = 0;
    char name[96];

    snprintf(name, sizeof name, "%s%s", prefix, entries[0].name);
    while (at < f->workload.layer_count && strcmp(f->workload.layers[at].name, name) != 0)
        at++;
    for (size_t i = 0; i < count; i++, at++) {
        const sim_layer *l = &f->workload.layers[at];

        cr_assert(at < f->workload.layer_count, "'%s' is missing", entries[i].name);
        snprintf(name, sizeof name, "%s%s", prefix, entries[i].name);
        cr_assert_str_eq(l->name, name);
        cr_expect(l->batch == entries[i].batch && l->m == entries[i].m && l->n == entries[i].n &&
                      l->k == entries[i].k,
                  "%s: batch %" PRId64 " m %" PRId64 " n %" PRId64 " k %" PRId64, l->name, l->batch, l->m,
                  l->n, l->k);
    }
}

#define EXPECT_ENTRIES(f, prefix, entries)                                                                   \
    expect_entries(f, prefix, entries, sizeof(entries) / sizeof *(entries))

/* ---- latent attention
 * --------------------------------------------------------------------------------------- */

/* DeepSeek V3: 128 heads of 128 + 64, a latent of 512. */
Test(llm_kinds, latent_attention_absorbed)
{
    static const expected entries[] = {
        {"input_layernorm", 1, 2, 7168, 0},
        {"q_a_proj", 1, 2, 1536, 7168},
        {"q_a_layernorm", 1, 2, 1536, 0},
        {"q_b_proj", 1, 2, 24576, 1536},
        {"kv_a_proj_with_mqa", 1, 2, 576, 7168},
        {"kv_a_layernorm", 1, 2, 512, 0},
        {"rope", 1, 2, 129 * 64, 0},
        {"kv_b_proj.k", 128, 2, 512, 128},
        {"qk", 2, 128, 101, 576},
        {"softmax", 1, 256, 101, 0},
        {"pv", 2, 128, 512, 101},
        {"kv_b_proj.v", 128, 2, 128, 512},
        {"o_proj", 1, 2, 7168, 16384},
        {"attn_residual", 1, 2, 7168, 0},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("deepseek_v3", &z);
    decode(&f, &z, 2, 100);
    EXPECT_ENTRIES(&f, "layers.5.", entries);
    cr_expect(f.workload.kv_cache_elements == INT64_C(61) * 576 * 101 * 2);
    const sim_layer *kv_a = llm_layer(&f, "layers.5.kv_a_proj_with_mqa");
    cr_expect(kv_a->kv_outputs == 576 && kv_a->cache_rows == 202 && kv_a->cache_row_elements == 576);
    const sim_layer *qk = llm_layer(&f, "layers.5.qk"), *pv = llm_layer(&f, "layers.5.pv");
    cr_expect(qk->weights == SIM_WEIGHTS_KV && qk->kv_row_elements == 576 && qk->cache_rows == 0);
    cr_expect(pv->weights == SIM_WEIGHTS_KV && pv->kv_row_elements == 512 && pv->cache_rows == 0);
    llm_free(&f);
}

Test(llm_kinds, latent_attention_plain)
{
    static const expected entries[] = {
        {"kv_b_proj", 1, 60, 32768, 512}, {"qk", 256, 30, 30, 192},       {"softmax", 1, 60 * 128, 30, 0},
        {"pv", 256, 30, 128, 30},         {"o_proj", 1, 60, 7168, 16384},
    };
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {
        .phase = SIM_PHASE_DECODE, .batch = 2, .context_tokens = 29, .mla = SIM_MLA_PLAIN};

    llm_zoo_named("deepseek_v3", &z);
    prefill(&f, &z, 2, 30);
    EXPECT_ENTRIES(&f, "layers.5.", entries);
    cr_expect(llm_layer(&f, "layers.5.qk")->weights == SIM_WEIGHTS_DYNAMIC);
    cr_expect(llm_layer(&f, "layers.5.qk")->needed_macs == 256 * 465 * 192);
    cr_expect(f.workload.kv_cache_elements == INT64_C(61) * 576 * 30 * 2);
    llm_free(&f);
    expand(&f, &z, &request); /* a step expands what is in the cache, too */
    cr_expect(llm_layer(&f, "layers.5.kv_b_proj")->m == 60);
    llm_free(&f);
}

/* Both forms do the same to what is stored and to the cache; asked for by name they are the same in any
 * phase. */
Test(llm_kinds, latent_attention_either_way)
{
    llm_zoo_model z;
    llm_fixture plain, absorbed, own;
    sim_llm_request request = {
        .phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 9, .mla = SIM_MLA_PLAIN};

    llm_zoo_named("deepseek_v3", &z);
    expand(&plain, &z, &request);
    request.mla = SIM_MLA_ABSORBED;
    expand(&absorbed, &z, &request);
    request.mla = SIM_MLA_AUTO;
    expand(&own, &z, &request);
    cr_expect(plain.workload.parameters == absorbed.workload.parameters);
    cr_expect(plain.workload.kv_cache_elements == absorbed.workload.kv_cache_elements);
    cr_expect(llm_layer(&absorbed, "layers.0.kv_b_proj") == NULL);
    cr_expect(llm_layer(&absorbed, "layers.0.qk")->m == 9 * 128 &&
              llm_layer(&absorbed, "layers.0.qk")->k == 576);
    cr_expect(llm_total_macs(&own) == llm_total_macs(&plain));
    llm_free(&plain);
    llm_free(&absorbed);
    llm_free(&own);
}

/* An indexer scores all keys, attention reads the best of them; both have a cache. */
Test(llm_kinds, sparse_attention)
{
    static const expected entries[] = {
        {"rope", 1, 2, (129 + 65) * 64, 0},
        {"indexer.wq_b", 1, 2, 8192, 1536},
        {"indexer.wk", 1, 2, 128, 7168},
        {"indexer.k_norm", 1, 2, 128, 0},
        {"indexer.weights_proj", 1, 2, 64, 7168},
        {"indexer.qk", 2, 64, 5001, 128},
        {"indexer.act", 1, 128, 5001, 0},
        {"indexer.topk", 1, 2, 5001, 0},
        {"kv_b_proj.k", 128, 2, 512, 128},
        {"qk", 2, 128, 2048, 576},
        {"softmax", 1, 256, 2048, 0},
        {"pv", 2, 128, 512, 2048},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("deepseek_v3.2", &z);
    decode(&f, &z, 2, 5000);
    EXPECT_ENTRIES(&f, "layers.0.", entries);
    cr_expect(f.workload.kv_cache_elements == INT64_C(61) * (576 + 128) * 5001 * 2);
    llm_free(&f);
    decode(&f, &z, 2, 99); /* fewer keys than it may read */
    cr_expect(llm_layer(&f, "layers.0.qk")->n == 100);
    llm_free(&f);
}

/* DeepSeek V4: a window, rows of 4 tokens of which 512 are read, or rows of 128. */
Test(llm_kinds, compressed_attention)
{
    static const expected picked[] = {
        {"q_a_proj", 1, 2, 1024, 4096},
        {"q_norm", 1, 2, 1024, 0},
        {"q_b_proj", 1, 2, 32768, 1024},
        {"q_head_norm", 1, 128, 512, 0},
        {"kv_proj", 1, 2, 512, 4096},
        {"kv_norm", 1, 2, 512, 0},
        {"rope", 1, 2, 129 * 64, 0},
        {"qk", 2, 64, 128, 512},
        {"softmax", 1, 128, 128, 0},
        {"pv", 2, 64, 512, 128},
        {"compressor.kv_proj", 1, 2, 1024, 4096},
        {"compressor.gate_proj", 1, 2, 1024, 4096},
        {"compressor.pool", 1, 2, 1024, 0},
        {"compressor.kv_norm", 1, 1, 512, 0},
        {"indexer.q_b_proj", 1, 2, 8192, 1024},
        {"indexer.weights_proj", 1, 2, 64, 4096},
        {"indexer.kv_proj", 1, 2, 256, 4096},
        {"indexer.gate_proj", 1, 2, 256, 4096},
        {"indexer.pool", 1, 2, 256, 0},
        {"indexer.kv_norm", 1, 1, 128, 0},
        {"indexer.qk", 2, 64, 1250, 128},
        {"indexer.act", 1, 128, 1250, 0},
        {"indexer.topk", 1, 2, 1250, 0},
        {"qk_compressed", 2, 64, 512, 512},
        {"softmax_compressed", 1, 128, 512, 0},
        {"pv_compressed", 2, 64, 512, 512},
        {"rope_out", 1, 2, 64 * 64, 0},
        {"o_a_proj", 8, 2, 1024, 4096},
        {"o_b_proj", 1, 2, 4096, 8192},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("deepseek_v4_flash", &z);
    decode(&f, &z, 2, 5000);
    EXPECT_ENTRIES(&f, "layers.2.", picked);
    cr_expect(llm_layer(&f, "layers.3.qk_compressed")->n == 39, "5001 / 128, and all of them");
    cr_expect(llm_layer(&f, "layers.3.indexer.qk") == NULL);
    cr_expect(llm_layer(&f, "layers.0.qk_compressed") == NULL);
    cr_expect(f.workload.kv_cache_elements ==
              2 * (43 * 128 * INT64_C(512) + 21 * 1250 * (512 + 128) + 20 * 39 * 512));
    llm_free(&f);
}

/* Its four residual streams. */
Test(llm_kinds, residual_streams)
{
    static const expected entries[] = {
        {"attn_hc_norm", 1, 3, 16384, 0},   {"attn_hc", 1, 3, 24, 16384},
        {"attn_hc_weights", 1, 3, 24, 0},   {"attn_collapse", 1, 3, 4096, 0},
        {"input_layernorm", 1, 3, 4096, 0},
    };
    static const expected end[] = {
        {"hc_norm", 1, 3, 16384, 0}, {"hc_head", 1, 3, 4, 16384},     {"collapse", 1, 3, 4096, 0},
        {"norm", 1, 3, 4096, 0},     {"lm_head", 1, 3, 129280, 4096},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("deepseek_v4_flash", &z);
    decode(&f, &z, 3, 100);
    EXPECT_ENTRIES(&f, "layers.7.", entries);
    EXPECT_ENTRIES(&f, "", end);
    cr_expect(llm_layer(&f, "layers.7.attn_residual")->n == 16384);
    llm_free(&f);
}

/* ---- experts
 * ------------------------------------------------------------------------------------------------ */

/* The mean number of distinct experts, by all ways in which three tokens can choose 2 of 5. */
Test(llm_kinds, expected_experts_by_enumeration)
{
    enum { E = 5, CHOICES = 10 };
    int masks[CHOICES], count = 0;
    llm_zoo_model z;

    for (int a = 0; a < E; a++)
        for (int b = a + 1; b < E; b++)
            masks[count++] = 1 << a | 1 << b;
    cr_assert(count == CHOICES);
    llm_zoo_named("mixtral_8x7b", &z);
    z.ffns[0].experts = E;
    for (int tokens = 1; tokens <= 4; tokens++) {
        int64_t ways = 1, distinct = 0;
        llm_fixture f;

        for (int t = 0; t < tokens; t++)
            ways *= CHOICES;
        for (int64_t way = 0; way < ways; way++) {
            int64_t rest = way;
            int any = 0;

            for (int t = 0; t < tokens; t++, rest /= CHOICES)
                any |= masks[rest % CHOICES];
            distinct += __builtin_popcount((unsigned)any);
        }
        decode(&f, &z, tokens, 10);
        const sim_layer *gate = llm_layer(&f, "layers.0.experts.gate_proj");
        cr_expect(gate->batch == llround((double)distinct / (double)ways), "%d tokens", tokens);
        cr_expect(gate->stored_batch == E);
        llm_free(&f);
    }
}

/* Mixtral: one token reads 2 of 8, many read all; the work is exact. */
Test(llm_kinds, experts)
{
    static const expected one[] = {
        {"router", 1, 1, 8, 4096},
        {"experts_topk", 1, 1, 8, 0},
        {"experts.gate_proj", 2, 1, 14336, 4096},
        {"experts.up_proj", 2, 1, 14336, 4096},
        {"experts.act", 1, 2, 14336, 0},
        {"experts.down_proj", 2, 1, 4096, 14336},
        {"experts_sum", 1, 1, 4096, 0},
        {"ffn_residual", 1, 1, 4096, 0},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("mixtral_8x7b", &z);
    decode(&f, &z, 1, 10);
    EXPECT_ENTRIES(&f, "layers.31.", one);
    cr_expect(llm_layer(&f, "layers.0.experts.gate_proj")->needed_macs == 0, "all of it");
    cr_expect(llm_layer(&f, "layers.0.experts_sum")->inputs == 2);
    llm_free(&f);
    prefill(&f, &z, 1, 101);
    const sim_layer *gate = llm_layer(&f, "layers.0.experts.gate_proj");
    cr_expect(gate->batch == 8 && gate->m == 26, "202 rows of 8 experts");
    cr_expect(gate->needed_macs == INT64_C(202) * 14336 * 4096);
    llm_free(&f);
}

/* DeepSeek V3: dense blocks first, then 256 experts and one that takes all tokens. */
Test(llm_kinds, shared_experts)
{
    static const expected entries[] = {
        {"experts.down_proj", 204, 2, 7168, 2048},       {"shared_experts.gate_proj", 1, 50, 2048, 7168},
        {"shared_experts.up_proj", 1, 50, 2048, 7168},   {"shared_experts.act", 1, 50, 2048, 0},
        {"shared_experts.down_proj", 1, 50, 7168, 2048}, {"experts_sum", 1, 50, 7168, 0},
    };
    llm_zoo_model z;
    llm_fixture f;

    llm_zoo_named("deepseek_v3", &z);
    decode(&f, &z, 50, 10);
    EXPECT_ENTRIES(&f, "layers.3.", entries); /* 256 (1 - (1 - 8/256)^50) = 203.66 are read */
    cr_expect(llm_layer(&f, "layers.2.gate_proj")->n == 18432 && llm_layer(&f, "layers.2.router") == NULL);
    cr_expect(llm_layer(&f, "layers.3.experts_sum")->inputs == 9);
    llm_free(&f);
}
