/* Delta rule and Mamba 2: that the forms in which they are expanded compute the rule, and that the expansion
 * counts what they multiply; states, convolutions and their cache. */
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"
#include "reference/state_rule.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CASES = 300 / SIMACC_TEST_REDUCE };

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int draw(int low, int high)
{
    return low + (int)(next() % (uint64_t)(high - low + 1));
}

static double real(double low, double high)
{
    return low + (high - low) * (double)(next() >> 11) * 0x1p-53;
}

static void random_input(state_input *in)
{
    *in = (state_input){.delta = draw(0, 1), .tokens = draw(1, STATE_TOKENS_MAX)};
    in->key_dim = draw(1, STATE_DIM_MAX);
    in->value_dim = draw(1, STATE_DIM_MAX);
    for (int t = 0; t < in->tokens; t++) {
        double length = 0;

        for (int d = 0; d < STATE_DIM_MAX; d++) {
            in->key[t][d] = real(-1, 1);
            in->query[t][d] = real(-1, 1);
            in->value[t][d] = real(-1, 1);
            length += d < in->key_dim ? in->key[t][d] * in->key[t][d] : 0;
        }
        for (int d = 0; d < STATE_DIM_MAX; d++)
            in->key[t][d] /= sqrt(length) + 1e-9;
        in->decay[t] = real(0.5, 1);
        in->rate[t] = real(0, 1);
    }
}

static void expect_same(const state_input *in, const state_output *a, const state_output *b)
{
    for (int t = 0; t < in->tokens; t++)
        for (int v = 0; v < in->value_dim; v++)
            cr_assert(fabs(a->out[t][v] - b->out[t][v]) < 1e-9, "token %d of %d", t, in->tokens);
    for (int k = 0; k < in->key_dim; k++)
        for (int v = 0; v < in->value_dim; v++)
            cr_assert(fabs(a->state[k][v] - b->state[k][v]) < 1e-9);
}

Test(llm_state, all_forms_compute_the_rule)
{
    static state_input in;
    static state_output rule, token, chunks;

    state = 31;
    for (int i = 0; i < CASES; i++) {
        random_input(&in);
        state_by_definition(&in, &rule);
        state_by_token(&in, &token);
        expect_same(&in, &rule, &token);
        state_by_chunks(&in, draw(1, 20), &chunks);
        expect_same(&in, &rule, &chunks);
    }
}

/* ---- the expansion ----------------------------------------------------------------------------------------
 */

/* One block of the kind and sizes of `in`; key heads shared by `group` heads. */
static void one_block(const state_input *in, int key_heads, int group, int chunk, llm_zoo_model *z)
{
    llm_zoo_named(in->delta ? "qwen3_next_80b" : "nemotron_h_56b", z);
    z->model.block_count = 1;
    z->blocks[0].mixer = in->delta ? 0 : 1;
    z->mixers[z->blocks[0].mixer].key_heads = key_heads;
    z->mixers[z->blocks[0].mixer].key_dim = in->key_dim;
    z->mixers[z->blocks[0].mixer].value_heads = key_heads * group;
    z->mixers[z->blocks[0].mixer].value_dim = in->value_dim;
    z->mixers[z->blocks[0].mixer].state_chunk = chunk;
}

static int64_t macs_of(const llm_fixture *f, const char *name)
{
    char whole[64];
    const sim_layer *l;

    snprintf(whole, sizeof whole, "layers.0.%s", name);
    l = llm_layer(f, whole);
    return l ? llm_macs(l) : 0;
}

Test(llm_state, counts_what_the_forms_multiply)
{
    static state_input in;
    static state_output done;
    static llm_zoo_model z;

    state = 32;
    for (int i = 0; i < CASES; i++) {
        int chunk = draw(1, 20), key_heads = draw(1, 3), group = draw(1, 3), batch = draw(1, 3);
        int64_t heads = (int64_t)batch * key_heads * group, scored;
        llm_fixture f;

        random_input(&in);
        sim_llm_request request = {.phase = SIM_PHASE_PREFILL, .batch = batch, .prompt_tokens = in.tokens};
        one_block(&in, key_heads, group, chunk, &z);
        if (in.tokens == 1)
            state_by_token(&in, &done);
        else
            state_by_chunks(&in, chunk, &done);
        llm_expand_model(&f, &z.model, &request);
        cr_assert(f.status == SIM_OK);
        scored = in.delta ? heads : heads / group;
        cr_assert(macs_of(&f, "state_scores") == scored * done.macs.scores, "delta %d, %d tokens by %d",
                  in.delta, in.tokens, chunk);
        cr_assert(macs_of(&f, "state_inverse") == heads * done.macs.inverse);
        cr_assert(macs_of(&f, "state_wy") == heads * done.macs.wy);
        cr_assert(macs_of(&f, "state_read") == heads * done.macs.read);
        cr_assert(macs_of(&f, "state_out") == heads * done.macs.out);
        cr_assert(macs_of(&f, "state_update") == heads * done.macs.update);
        for (int64_t l = 0; l < f.workload.layer_count; l++) {
            const sim_layer *at = &f.workload.layers[l];
            int64_t box =
                at->batch * at->m * (at->map_n > 0 ? at->map_n : at->n) * (at->map_k > 0 ? at->map_k : at->k);

            cr_assert(at->op != SIM_OP_MATMUL || box >= at->needed_macs, "%s", at->name);
        }
        llm_free(&f);
    }
}

/* State and convolution tail are read, written and held, whatever the context. */
Test(llm_state, cache_of_states)
{
    static llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_DECODE, .batch = 5, .context_tokens = 0};
    int64_t at_first, per_block = 32 * 128 * 128 + 3 * 8192;

    llm_zoo_named("qwen3_next_80b", &z);
    llm_expand_model(&f, &z.model, &request);
    at_first = f.workload.kv_cache_elements;
    cr_expect(at_first == 5 * (36 * per_block + 12 * 2 * 512));
    const sim_layer *read = llm_layer(&f, "layers.0.state_read");
    cr_expect(read->weights == SIM_WEIGHTS_KV && read->batch == 5 * 32 && read->m == 2 && read->n == 128 &&
              read->k == 128 && read->kv_row_elements == 128);
    cr_expect(read->cache_rows == 5 * 32 * 128 && read->cache_row_elements == 128);
    const sim_layer *update = llm_layer(&f, "layers.0.state_update");
    cr_expect(update->batch == 5 * 32 && update->m == 128 && update->n == 128 && update->k == 1 &&
              update->kv_outputs == 128 && update->a_on_chip && update->w_on_chip);
    const sim_layer *conv = llm_layer(&f, "layers.0.conv1d");
    cr_expect(conv->op == SIM_OP_ELEMENTWISE && conv->m == 5 && conv->n == 8192 && conv->inputs == 4);
    cr_expect(conv->cache_rows == 15 && conv->cache_row_elements == 8192);
    cr_expect(llm_layer(&f, "layers.3.state_read") == NULL && llm_layer(&f, "layers.3.qk") != NULL);
    llm_free(&f);
    request.context_tokens = 1000;
    llm_expand_model(&f, &z.model, &request);
    cr_expect(f.workload.kv_cache_elements == at_first + 5 * 12 * 2 * 512 * INT64_C(1000));
    llm_free(&f);
}

/* Generation in one step per token does not let states grow. */
Test(llm_state, steps_are_alike)
{
    static llm_zoo_model z;
    llm_fixture f;
    sim_llm_request request = {.phase = SIM_PHASE_GENERATE, .batch = 1, .prompt_tokens = 10, .new_tokens = 9};

    llm_zoo_named("nemotron_h_56b", &z);
    llm_expand_model(&f, &z.model, &request);
    for (int64_t i = 0; i < f.workload.layer_count; i++) {
        const sim_layer *l = &f.workload.layers[i];
        const char *dot = strrchr(l->name, '.');

        if (dot && strncmp(dot, ".state_", 7) == 0)
            cr_expect(!l->attends && l->steps == (l->phase == SIM_PHASE_DECODE ? 8 : 1), "%s", l->name);
    }
    llm_free(&f);
}
