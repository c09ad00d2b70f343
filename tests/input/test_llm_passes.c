/* Phases as passes: what chunks, drafts and generated tokens make of a model, against one token at a time. */
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"
#include "model/reach.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

static void expand(llm_fixture *f, const llm_zoo_model *z, const sim_llm_request *request)
{
    llm_expand_model(f, &z->model, request);
    cr_assert(f->status == SIM_OK, "%s: %s", z->name, f->err.items[0].text);
}

/* Products of keys and queries, and their like: what depends on how many keys there are. */
static bool of_keys(const sim_layer *l)
{
    return l->op == SIM_OP_MATMUL && l->attends;
}

/* Of states: what one token costs depends on how many come with it. */
static bool of_state(const sim_layer *l)
{
    const char *dot = strrchr(l->name, '.');

    return l->op == SIM_OP_MATMUL && dot && strncmp(dot, ".state_", 7) == 0;
}

typedef struct work {
    int64_t key_macs, state_macs, weight_macs, head_macs;
} work;

/* All steps of all entries, one by one. */
static work work_of(const llm_fixture *f)
{
    work w = {0};

    for (int64_t i = 0; i < f->workload.layer_count; i++) {
        const sim_layer *l = &f->workload.layers[i];

        cr_assert(l->steps >= 1 && l->repeat == 1);
        for (int64_t s = 0; s < l->steps; s++) {
            sim_layer at;

            cr_assert(sim_layer_at_step(l, s, &at));
            if (s == 0)
                cr_assert(at.n == l->n && at.k == l->k && at.m == l->m && at.needed_macs == l->needed_macs);
            if (of_keys(l))
                w.key_macs += llm_macs(&at);
            else if (of_state(l))
                w.state_macs += llm_macs(&at);
            else if (strcmp(l->name, "lm_head") == 0)
                w.head_macs += llm_macs(&at);
            else
                w.weight_macs += llm_macs(&at);
        }
    }
    return w;
}

/* The models that decode, made small: two or three blocks of each kind, few experts and keys. */
static void small(int index, llm_zoo_model *z)
{
    llm_zoo(index, z);
    z->model.block_count = z->model.block_count > 10 ? 10 : z->model.block_count;
    for (int i = 0; i < 3; i++) {
        sim_llm_mixer *m = &z->mixers[i];

        m->window = m->window > 0 ? 11 : 0;
        m->chunk = m->chunk > 0 ? 7 : 0;
        m->index_top_k = m->index_top_k > 0 ? 5 : 0;
        m->compress_ratio = m->compress_ratio > 4 ? 9 : m->compress_ratio;
        m->state_chunk = m->state_chunk > 0 ? 8 : 0;
    }
}

/* Key by key: multiply-accumulates of attention for one token at position p of each sequence. */
static int64_t attention_at(const sim_llm_mixer *m, int64_t p, bool absorbed)
{
    int64_t seen = 0, compressed = 0, macs = 0, key, value;

    for (int64_t k = 0; k <= p; k++)
        seen += (m->window == 0 || k > p - m->window) && (m->chunk == 0 || k / m->chunk == p / m->chunk);
    switch (m->kind) {
    case SIM_MIXER_ATTENTION:
        return seen * m->heads * (m->head_dim + m->v_head_dim);
    case SIM_MIXER_MLA:
        macs = m->index_heads * m->index_dim * seen;
        seen = m->index_top_k > 0 && seen > m->index_top_k ? m->index_top_k : seen;
        key = (absorbed ? m->kv_lora : m->nope_dim) + m->rope_dim;
        value = absorbed ? m->kv_lora : m->v_head_dim;
        return macs + seen * m->heads * (key + value);
    case SIM_MIXER_COMPRESSED:
        compressed = m->compress_ratio > 0 ? (p + 1) / m->compress_ratio : 0;
        macs = m->index_heads * m->index_dim * compressed;
        if (m->index_top_k > 0 && compressed > m->index_top_k)
            compressed = m->index_top_k;
        return macs + (seen + compressed) * m->heads * 2 * m->head_dim;
    default:
        return 0;
    }
}

static int64_t attention_of(const llm_zoo_model *z, int64_t p, bool absorbed)
{
    int64_t macs = 0;

    for (int64_t i = 0; i < z->model.block_count; i++)
        macs += attention_at(&z->mixers[z->blocks[i].mixer], p, absorbed);
    return macs;
}

/* With at least one compressed row in reach of the first token, for an extent is never 0. */
enum { PAST = 40 };

Test(llm_passes, decode_attention_key_by_key)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;
        llm_fixture f;

        small(i, &z);
        if (z.model.encoder)
            continue;
        for (int64_t drafts = 0; drafts <= 6; drafts += 3) {
            sim_llm_request request = {
                .phase = SIM_PHASE_DECODE, .batch = 3, .context_tokens = PAST, .draft_tokens = drafts};
            int64_t expected = 0;

            expand(&f, &z, &request);
            for (int64_t p = PAST; p <= PAST + drafts; p++)
                expected += 3 * attention_of(&z, p, true);
            cr_expect(work_of(&f).key_macs == expected, "%s, %" PRId64 " drafts: %" PRId64 " and %" PRId64,
                      z.name, drafts, work_of(&f).key_macs, expected);
            cr_expect(f.workload.tokens == 3 * (drafts + 1));
            cr_expect(llm_layer(&f, "lm_head")->m == 3 * (drafts + 1), "drafts need logits too");
            llm_free(&f);
        }
    }
}

/* Plain attention of a prompt, in one piece or in chunks: each token sees the same keys. */
Test(llm_passes, prompts_in_chunks_attend_alike)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;

        small(i, &z);
        if (z.model.encoder || z.mixers[0].kind == SIM_MIXER_COMPRESSED)
            continue;
        for (int64_t chunk = 0; chunk <= 60; chunk += 12) {
            sim_llm_request request = {
                .phase = SIM_PHASE_PREFILL, .batch = 2, .prompt_tokens = 50, .chunk_tokens = chunk};
            llm_fixture f;
            int64_t expected = 0, expansion = 0, heads = 0;
            work w;

            expand(&f, &z, &request);
            w = work_of(&f);
            for (int64_t p = 0; p < 50; p++)
                expected += 2 * attention_of(&z, p, false);
            /* kv_b_proj expands everything seen so far in each chunk */
            for (int64_t b = 0; z.mixers[0].kind == SIM_MIXER_MLA && b < z.model.block_count; b++)
                for (int64_t end = chunk > 0 ? chunk : 50; end < 50 + (chunk > 0 ? chunk : 1); end += chunk) {
                    expansion += 2 * (end < 50 ? end : 50) * 512 * 128 * 256;
                    if (chunk == 0)
                        break;
                }
            cr_expect(w.key_macs == expected + expansion,
                      "%s in chunks of %" PRId64 ": %" PRId64 " and %" PRId64, z.name, chunk, w.key_macs,
                      expected + expansion);
            for (int64_t l = 0; l < f.workload.layer_count; l++) {
                heads += strcmp(f.workload.layers[l].name, "lm_head") == 0;
                cr_expect(f.workload.layers[l].phase == SIM_PHASE_PREFILL);
            }
            cr_expect(heads == 1 && w.head_macs == 2 * z.model.vocab * z.model.hidden, "%s", z.name);
            cr_expect(f.workload.tokens == 100);
            llm_free(&f);
        }
    }
}

/* Chunks change neither what is stored nor, without experts that are read or not, what weights multiply. */
Test(llm_passes, chunks_leave_the_rest)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;
        llm_fixture whole, parts;
        sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = 2, .prompt_tokens = 50};
        int64_t parameters = 0;

        small(i, &z);
        if (z.model.encoder)
            continue;
        expand(&whole, &z, &request);
        request.chunk_tokens = 16;
        expand(&parts, &z, &request);
        cr_expect(parts.workload.parameters == whole.workload.parameters);
        cr_expect(parts.workload.parameters_active == whole.workload.parameters_active);
        cr_expect(parts.workload.kv_cache_elements == whole.workload.kv_cache_elements, "%s", z.name);
        for (int64_t l = 0; l < parts.workload.layer_count; l++)
            parameters += llm_parameters(&parts.workload.layers[l]);
        cr_expect(parameters == whole.workload.parameters, "%s: counted once", z.name);
        cr_expect(work_of(&parts).weight_macs == work_of(&whole).weight_macs, "%s", z.name);
        llm_free(&whole);
        llm_free(&parts);
    }
}

/* A generation is its prefill and then its decode steps. */
Test(llm_passes, generate_is_prefill_and_decode_steps)
{
    for (int i = 0; i < LLM_ZOO_COUNT; i++) {
        llm_zoo_model z;
        llm_fixture all, part;
        sim_llm_request request = {.phase = SIM_PHASE_GENERATE,
                                   .batch = 2,
                                   .prompt_tokens = PAST,
                                   .context_tokens = -1,
                                   .new_tokens = 6};
        work sum, one;
        int64_t parameters = 0, cache;

        small(i, &z);
        if (z.model.encoder)
            continue;
        expand(&all, &z, &request);
        sum = work_of(&all);
        cr_expect(all.workload.tokens == 12);
        for (int64_t l = 0; l < all.workload.layer_count; l++)
            parameters += llm_parameters(&all.workload.layers[l]);
        cr_expect(parameters == all.workload.parameters, "%s", z.name);

        request.phase = SIM_PHASE_PREFILL;
        expand(&part, &z, &request);
        one = work_of(&part);
        llm_free(&part);
        request.phase = SIM_PHASE_DECODE;
        for (int64_t s = 0; s < 5; s++) {
            request.context_tokens = PAST + s;
            expand(&part, &z, &request);
            work step = work_of(&part);
            one.key_macs += step.key_macs;
            one.state_macs += step.state_macs;
            one.weight_macs += step.weight_macs;
            one.head_macs += step.head_macs;
            cache = part.workload.kv_cache_elements;
            cr_expect(part.workload.parameters == all.workload.parameters);
            llm_free(&part);
        }
        cr_expect(memcmp(&sum, &one, sizeof sum) == 0, "%s", z.name);
        cr_expect(cache == all.workload.kv_cache_elements, "%s: the cache after the last step", z.name);
        llm_free(&all);
    }
}

/* The first new token comes of the prefill. */
Test(llm_passes, one_new_token_is_a_prefill)
{
    llm_zoo_model z;
    llm_fixture generate, prefill;
    sim_llm_request request = {
        .phase = SIM_PHASE_GENERATE, .batch = 2, .prompt_tokens = 9, .chunk_tokens = 4, .new_tokens = 1};

    small(0, &z);
    expand(&generate, &z, &request);
    request.phase = SIM_PHASE_PREFILL;
    expand(&prefill, &z, &request);
    cr_assert(generate.workload.layer_count == prefill.workload.layer_count);
    for (int64_t i = 0; i < generate.workload.layer_count; i++) {
        const sim_layer *x = &generate.workload.layers[i], *y = &prefill.workload.layers[i];

        cr_expect_str_eq(x->name, y->name);
        cr_expect(x->m == y->m && x->n == y->n && x->steps == y->steps && x->phase == y->phase &&
                  x->cache_rows == y->cache_rows && x->later_pass == y->later_pass);
    }
    cr_expect(generate.workload.tokens == 2 && prefill.workload.tokens == 18);
    llm_free(&generate);
    llm_free(&prefill);
}

/* Entries of the passes of a chunked generation, one model: their steps, phases and marks. */
Test(llm_passes, entries_of_a_chunked_generation)
{
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {
        .phase = SIM_PHASE_GENERATE, .batch = 1, .prompt_tokens = 23, .chunk_tokens = 8, .new_tokens = 100};
    const struct {
        int64_t steps, past, tokens;
        sim_phase phase;
    } passes[] = {{2, 0, 8, SIM_PHASE_PREFILL}, {1, 16, 7, SIM_PHASE_PREFILL}, {99, 23, 1, SIM_PHASE_DECODE}};
    int seen = 0, heads = 0;

    small(0, &z);
    z.mixers[0].window = 10;
    expand(&f, &z, &request);
    for (int64_t i = 0; i < f.workload.layer_count; i++) {
        const sim_layer *l = &f.workload.layers[i];

        if (strcmp(l->name, "layers.0.qk") == 0) {
            cr_assert(seen < 3);
            cr_expect(l->attends && l->steps == passes[seen].steps && l->phase == passes[seen].phase);
            cr_expect(l->reach.past_tokens == passes[seen].past &&
                      l->reach.new_tokens == passes[seen].tokens);
            cr_expect(l->reach.masked && l->reach.window == 10 && l->later_pass == (seen > 0));
            cr_expect(l->cache_rows == (seen == 2 ? 8 * 10 : 0), "the window's rows, in the end");
            seen++;
        } else if (strcmp(l->name, "layers.0.q_proj") == 0) {
            cr_expect(!l->attends && l->m == passes[seen].tokens && l->steps == passes[seen].steps);
        } else if (strcmp(l->name, "lm_head") == 0) {
            cr_expect(l->phase == passes[++heads].phase && l->steps == passes[heads].steps && l->m == 1);
            cr_expect(l->later_pass == (heads > 1));
        }
    }
    cr_expect(seen == 3 && heads == 2, "the prompt's last chunk has logits, the one before has none");
    llm_free(&f);
}

/* A chunk size that the prompt fits in is no chunk; one that divides it leaves no rest. */
Test(llm_passes, chunks_that_fit)
{
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {
        .phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 24, .chunk_tokens = 24};

    small(0, &z);
    expand(&f, &z, &request);
    cr_expect(llm_layer(&f, "layers.0.qk")->steps == 1);
    llm_free(&f);
    request.chunk_tokens = 8;
    expand(&f, &z, &request);
    cr_expect(llm_layer(&f, "layers.0.qk")->steps == 3);
    cr_expect(llm_layer(&f, "lm_head")->steps == 1);
    cr_expect(strcmp(f.workload.layers[f.workload.layer_count - 1].name, "lm_head") == 0);
    llm_free(&f);
}

/* ---- what cannot be asked for ---------------------------------------------------------------------------
 */

Test(llm_passes, requests_that_make_no_sense)
{
    static const struct {
        const char *model;
        sim_llm_request request;
        const char *text;
    } bad[] = {
        {"mixtral_8x7b",
         {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 4, .draft_tokens = 2},
         "'draft_tokens' are verified in a decode step, not in prefill"},
        {"mixtral_8x7b",
         {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 4, .chunk_tokens = -2},
         "'chunk_tokens' must be 0 or more, not -2"},
        {"mixtral_8x7b",
         {.phase = SIM_PHASE_DECODE, .batch = 1, .draft_tokens = -1},
         "'draft_tokens' must be 0 or more, not -1"},
        {"mixtral_8x7b",
         {.phase = SIM_PHASE_GENERATE, .batch = 1, .new_tokens = 4},
         "generate needs 'prompt_tokens', at least 1"},
        {"mixtral_8x7b",
         {.phase = SIM_PHASE_GENERATE, .batch = 1, .prompt_tokens = 4},
         "generate needs 'new_tokens', at least 1"},
        {"bert_base",
         {.phase = SIM_PHASE_DECODE, .batch = 1},
         "'bert_base' is an encoder: it has no phase 'decode'"},
        {"bert_base",
         {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 64, .chunk_tokens = 8},
         "'bert_base' is an encoder: its tokens see each other, so that they cannot come in chunks"},
        {"vit_base",
         {.phase = SIM_PHASE_PREFILL, .batch = 1, .prompt_tokens = 64},
         "an image of 'vit_base' has 197 tokens, not 64 as 'prompt_tokens' says"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        llm_zoo_model z;
        llm_fixture f;

        llm_zoo_named(bad[i].model, &z);
        llm_expand_model(&f, &z.model, &bad[i].request);
        cr_expect(f.status == SIM_BAD_INPUT && f.err.count == 1, "%s: %d errors", bad[i].text, f.err.count);
        cr_expect_str_eq(f.err.items[0].text, bad[i].text);
        cr_expect(f.workload.layers == NULL);
        llm_free(&f);
    }
}

/* Steps that grow beyond 63 bits are found before anyone sums them. */
Test(llm_passes, steps_that_do_not_fit)
{
    llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_GENERATE,
                               .batch = 1,
                               .prompt_tokens = 1,
                               .context_tokens = -1,
                               .new_tokens = INT64_C(3000000000)};

    llm_zoo_named("bloom_176b", &z);
    llm_expand_model(&f, &z.model, &request);
    cr_expect(f.status == SIM_OVERFLOW);
    cr_expect(strstr(f.err.items[0].text, "63 bits") != NULL);
    llm_free(&f);
}
