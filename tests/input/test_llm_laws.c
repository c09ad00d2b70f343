/* Laws that the expansion of any model obeys, on random models and phases with a fixed seed. */
#include "input/llm_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RANDOM_MODELS = 400 / SIMACC_TEST_REDUCE };

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static int64_t draw(int64_t low, int64_t high)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return low + (int64_t)(z % (uint64_t)(high - low + 1));
}

typedef struct shape {
    int64_t layers, hidden, ffn, heads, kv_heads, head_dim, vocab, window;
} shape;

/* A random model of a random family. */
static shape random_model(char *json, size_t size)
{
    shape s = {.layers = draw(1, 4), .kv_heads = draw(1, 4), .head_dim = draw(1, 40), .vocab = draw(1, 300)};
    s.ffn = draw(1, 200);
    s.heads = s.kv_heads * draw(1, 4);
    s.hidden = s.heads * s.head_dim;
    switch (draw(0, 2)) {
    case 0:
        s.hidden = draw(1, 100);
        snprintf(json, size,
                 "{\"model_type\":\"llama\",\"hidden_size\":%" PRId64 ",\"intermediate_size\":%" PRId64
                 ",\"num_hidden_layers\":%" PRId64 ",\"num_attention_heads\":%" PRId64
                 ",\"num_key_value_heads\":%" PRId64 ",\"head_dim\":%" PRId64 ",\"vocab_size\":%" PRId64
                 ",\"attention_bias\":%s,\"mlp_bias\":%s,\"tie_word_embeddings\":%s}",
                 s.hidden, s.ffn, s.layers, s.heads, s.kv_heads, s.head_dim, s.vocab,
                 draw(0, 1) ? "true" : "false", draw(0, 1) ? "true" : "false", draw(0, 1) ? "true" : "false");
        break;
    case 1:
        s.window = draw(1, 40);
        snprintf(json, size,
                 "{\"model_type\":\"mistral\",\"hidden_size\":%" PRId64 ",\"intermediate_size\":%" PRId64
                 ",\"num_hidden_layers\":%" PRId64 ",\"num_attention_heads\":%" PRId64
                 ",\"num_key_value_heads\":%" PRId64 ",\"vocab_size\":%" PRId64 ",\"sliding_window\":%" PRId64
                 "}",
                 s.hidden, s.ffn, s.layers, s.heads, s.kv_heads, s.vocab, s.window);
        break;
    default:
        s.kv_heads = s.heads;
        snprintf(json, size,
                 "{\"model_type\":\"opt\",\"hidden_size\":%" PRId64 ",\"ffn_dim\":%" PRId64
                 ",\"num_hidden_layers\":%" PRId64 ",\"num_attention_heads\":%" PRId64
                 ",\"vocab_size\":%" PRId64 ",\"max_position_embeddings\":%" PRId64
                 ",\"word_embed_proj_dim\":%" PRId64 ",\"do_layer_norm_before\":%s}",
                 s.hidden, s.ffn, s.layers, s.heads, s.vocab, draw(1, 64), draw(1, 2) * s.hidden,
                 draw(0, 1) ? "true" : "false");
    }
    return s;
}

static void expand(llm_fixture *f, const char *json, sim_phase phase, int64_t batch, int64_t tokens,
                   bool full)
{
    llm_expand_text(f, json, phase, batch, tokens, full, NULL);
    cr_assert(f->status == SIM_OK, "%s: %s", json, f->err.items[0].text);
}

static void expect_equal_layers(const llm_fixture *a, const llm_fixture *b, const char *json)
{
    cr_assert(a->workload.layer_count == b->workload.layer_count);
    for (int64_t i = 0; i < a->workload.layer_count; i++) {
        const sim_layer *x = &a->workload.layers[i], *y = &b->workload.layers[i];
        cr_assert_str_eq(x->name, y->name);
        cr_assert(x->op == y->op && x->batch == y->batch && x->m == y->m && x->n == y->n && x->k == y->k &&
                      x->weights == y->weights && x->needed_macs == y->needed_macs && x->map_n == y->map_n &&
                      x->map_k == y->map_k && x->inputs == y->inputs &&
                      x->param_elements == y->param_elements && x->ops_per_element == y->ops_per_element &&
                      x->keep_float == y->keep_float && x->a_on_chip == y->a_on_chip &&
                      x->out_on_chip == y->out_on_chip && x->tied == y->tied &&
                      x->kv_outputs == y->kv_outputs,
                  "%s: %s", json, x->name);
    }
}

/* A prompt of one token is a decode step with an empty cache. */
Test(llm_laws, one_token_prompt_is_a_first_decode_step)
{
    state = 1;
    for (int i = 0; i < RANDOM_MODELS; i++) {
        char json[512];
        (void)random_model(json, sizeof json);
        llm_fixture prefill, decode;
        int64_t batch = draw(1, 5);
        expand(&prefill, json, SIM_PHASE_PREFILL, batch, 1, draw(0, 1));
        expand(&decode, json, SIM_PHASE_DECODE, batch, 0, false);
        expect_equal_layers(&prefill, &decode, json);
        cr_assert(prefill.workload.kv_cache_elements == decode.workload.kv_cache_elements);
        cr_assert(prefill.workload.tokens == decode.workload.tokens);
        cr_assert(prefill.workload.parameters == decode.workload.parameters);
        llm_free(&prefill);
        llm_free(&decode);
    }
}

/* Work and cache are proportional to the batch, parameters do not depend on it. */
Test(llm_laws, linear_in_batch)
{
    state = 2;
    for (int i = 0; i < RANDOM_MODELS; i++) {
        char json[512];
        (void)random_model(json, sizeof json);
        sim_phase phase = draw(0, 1) ? SIM_PHASE_PREFILL : SIM_PHASE_DECODE;
        int64_t batch = draw(2, 9), tokens = draw(1, 70);
        llm_fixture one, many;
        expand(&one, json, phase, 1, tokens, false);
        expand(&many, json, phase, batch, tokens, false);
        for (int64_t j = 0; j < one.workload.layer_count; j++) {
            const sim_layer *x = &one.workload.layers[j], *y = &many.workload.layers[j];
            cr_assert(llm_macs(y) == batch * llm_macs(x), "%s: %s", json, x->name);
            cr_assert(y->batch * y->m * y->n == batch * x->batch * x->m * x->n, "%s: %s", json, x->name);
            cr_assert(llm_parameters(x) == llm_parameters(y), "%s: %s", json, x->name);
        }
        cr_assert(many.workload.kv_cache_elements == batch * one.workload.kv_cache_elements);
        cr_assert(many.workload.tokens == batch * one.workload.tokens);
        cr_assert(many.workload.parameters == one.workload.parameters);
        llm_free(&one);
        llm_free(&many);
    }
}

/* A causal prefill does the attention of its decode steps, one after the other, and no more. */
Test(llm_laws, prefill_attention_is_the_sum_of_decode_steps)
{
    state = 3;
    for (int i = 0; i < RANDOM_MODELS / 10; i++) {
        char json[512];
        (void)random_model(json, sizeof json);
        int64_t batch = draw(1, 3), tokens = draw(1, 60);
        llm_fixture prefill;
        expand(&prefill, json, SIM_PHASE_PREFILL, batch, tokens, false);
        int64_t qk = 0, pv = 0, q_proj = 0;
        for (int64_t t = 0; t < tokens; t++) {
            llm_fixture step;
            expand(&step, json, SIM_PHASE_DECODE, batch, t, false);
            qk += llm_macs(llm_layer(&step, "layers.0.qk"));
            pv += llm_macs(llm_layer(&step, "layers.0.pv"));
            q_proj += llm_macs(llm_layer(&step, "layers.0.q_proj"));
            if (t == tokens - 1)
                cr_assert(step.workload.kv_cache_elements == prefill.workload.kv_cache_elements, "%s", json);
            llm_free(&step);
        }
        cr_assert(llm_macs(llm_layer(&prefill, "layers.0.qk")) == qk, "%s", json);
        cr_assert(llm_macs(llm_layer(&prefill, "layers.0.pv")) == pv, "%s", json);
        cr_assert(llm_macs(llm_layer(&prefill, "layers.0.q_proj")) == q_proj, "%s", json);
        llm_free(&prefill);
    }
}

/* The rectangle that stands for a masked product holds the mask's MACs and less than one column more. */
Test(llm_laws, rectangles_hold_the_mask)
{
    state = 4;
    for (int i = 0; i < RANDOM_MODELS; i++) {
        char json[512];
        shape s = random_model(json, sizeof json);
        int64_t tokens = draw(2, 90);
        llm_fixture f, full;
        expand(&f, json, SIM_PHASE_PREFILL, draw(1, 3), tokens, false);
        expand(&full, json, SIM_PHASE_PREFILL, f.workload.batch, tokens, true);
        const sim_layer *qk = llm_layer(&f, "layers.0.qk"), *pv = llm_layer(&f, "layers.0.pv");
        const sim_layer *softmax = llm_layer(&f, "layers.0.softmax");
        int64_t pairs = 0;
        for (int64_t t = 1; t <= tokens; t++)
            pairs += s.window > 0 && t > s.window ? s.window : t;
        cr_assert(qk->needed_macs == pairs * s.heads * s.head_dim * f.workload.batch, "%s", json);
        cr_assert(pv->needed_macs == qk->needed_macs);
        cr_assert(qk->map_n == pv->map_k && qk->map_n == softmax->map_n);
        int64_t column = qk->batch * qk->m * qk->k;
        cr_assert(column * qk->map_n >= qk->needed_macs && column * (qk->map_n - 1) < qk->needed_macs, "%s",
                  json);
        cr_assert(qk->map_n <= qk->n);

        const sim_layer *whole = llm_layer(&full, "layers.0.qk");
        cr_assert(whole->needed_macs == 0 && whole->map_n == 0 && whole->n == tokens);
        cr_assert(llm_macs(whole) == tokens * tokens * s.heads * s.head_dim * f.workload.batch, "%s", json);
        llm_free(&f);
        llm_free(&full);
    }
}

/* MACs of a whole decode step in closed form, from the sizes alone. */
Test(llm_laws, decode_macs_in_closed_form)
{
    state = 5;
    for (int i = 0; i < RANDOM_MODELS; i++) {
        char json[512];
        shape s = random_model(json, sizeof json);
        int64_t batch = draw(1, 4), context = draw(0, 90);
        llm_fixture f;
        expand(&f, json, SIM_PHASE_DECODE, batch, context, false);
        int64_t keys = s.window > 0 && context + 1 > s.window ? s.window : context + 1;
        int64_t outer = llm_layer(&f, "embed")->n * s.vocab;
        if (llm_layer(&f, "project_in") != NULL)
            outer += 2 * s.hidden * llm_layer(&f, "embed")->n;
        int64_t ffn_linears = strstr(json, "\"opt\"") != NULL ? 2 : 3;
        int64_t block = 2 * s.hidden * (s.heads + s.kv_heads) * s.head_dim + ffn_linears * s.hidden * s.ffn +
                        2 * s.heads * s.head_dim * keys;
        cr_assert(llm_total_macs(&f) == batch * (s.layers * block + outer), "%s", json);
        cr_assert(f.workload.kv_cache_elements == 2 * s.layers * s.kv_heads * s.head_dim * keys * batch);
        llm_free(&f);
    }
}

/* A window that nobody reaches is none; one that is reached bounds the cache and the keys. */
Test(llm_laws, sliding_window)
{
    const char *format = "{\"model_type\":\"mistral\",\"hidden_size\":24,\"intermediate_size\":40,"
                         "\"num_hidden_layers\":2,\"num_attention_heads\":6,\"num_key_value_heads\":2,"
                         "\"vocab_size\":100%s}";
    char wide[512], none[512], absent[512];
    snprintf(wide, sizeof wide, format, ",\"sliding_window\":64");
    snprintf(none, sizeof none, format, ",\"sliding_window\":null");
    snprintf(absent, sizeof absent, format, "");
    for (int prefill = 0; prefill <= 1; prefill++) {
        sim_phase phase = prefill ? SIM_PHASE_PREFILL : SIM_PHASE_DECODE;
        llm_fixture a, b;
        expand(&a, wide, phase, 2, prefill ? 64 : 63, false);
        expand(&b, none, phase, 2, prefill ? 64 : 63, false);
        expect_equal_layers(&a, &b, wide);
        cr_assert(a.workload.kv_cache_elements == b.workload.kv_cache_elements);
        llm_free(&a);
        llm_free(&b);
        expand(&a, wide, phase, 2, 1000, false);
        cr_expect(a.workload.kv_cache_elements == 2 * 2 * 2 * 4 * 64 * 2);
        cr_expect(llm_layer(&a, "layers.0.qk")->n == (prefill ? 1000 : 64));
        llm_free(&a);
        /* HF's configuration class assumes 4096 where the file says nothing. */
        expand(&a, absent, phase, 1, 5000, false);
        cr_expect(a.workload.kv_cache_elements == 2 * 2 * 2 * 4 * 4096);
        llm_free(&a);
    }
}
