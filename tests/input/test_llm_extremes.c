/* Models of absurd sizes: every count that does not fit 63 bits is noticed, none wraps (the sanitised build
 * would tell), and what is accepted fits. */
#include "input/llm_fixture.h"
#include "input/llm_zoo.h"
#include "model/reach.h"

#include <criterion/criterion.h>
#include <inttypes.h>

enum { CASES = 3000 / SIMACC_TEST_REDUCE };

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Mostly small, sometimes of any magnitude up to what a config may hold. */
static int64_t size(void)
{
    if (next() % 8)
        return 1 + (int64_t)(next() % 300);
    return 1 + (int64_t)(next() >> (1 + next() % 62)) % (INT64_MAX - 2);
}

static void stretch(int64_t *value)
{
    if (*value > 0 && next() % 3 == 0)
        *value = size();
}

static void stretch_model(llm_zoo_model *z)
{
    sim_llm_model *m = &z->model;

    m->block_count = 1 + (int64_t)(next() % 4);
    stretch(&m->hidden);
    m->embed_width = next() % 4 ? m->hidden : size();
    stretch(&m->vocab);
    stretch(&m->head_outputs);
    stretch(&m->position_rows);
    stretch(&m->residual_streams);
    if (m->input == SIM_INPUT_PATCHES) {
        m->patch_size = 1 + (int64_t)(next() % 40);
        m->image_size = m->patch_size * (1 + (int64_t)(next() >> (40 + next() % 20)));
    }
    for (int i = 0; i < m->mixer_count; i++) {
        sim_llm_mixer *x = &z->mixers[i];
        int64_t *const sizes[] = {&x->head_dim,    &x->v_head_dim,  &x->rope_dim,    &x->window,
                                  &x->chunk,       &x->q_lora,      &x->kv_lora,     &x->nope_dim,
                                  &x->index_dim,   &x->index_top_k, &x->index_heads, &x->compress_ratio,
                                  &x->o_lora,      &x->key_dim,     &x->value_heads, &x->value_dim,
                                  &x->conv_kernel, &x->state_chunk, &x->key_heads};

        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            stretch(sizes[s]);
        if (x->heads > 0 && next() % 3 == 0) {
            x->kv_heads = 1 + (int64_t)(next() % 1000);
            x->heads = x->kv_heads * (1 + (int64_t)(next() >> (30 + next() % 30)));
        }
    }
    for (int i = 0; i < m->ffn_count; i++) {
        sim_llm_ffn *x = &z->ffns[i];

        stretch(&x->width);
        stretch(&x->expert_width);
        stretch(&x->shared_width);
        stretch(&x->experts);
        if (x->top_k > x->experts)
            x->top_k = x->experts;
    }
}

static void expect_fitting(const llm_fixture *f)
{
    const sim_workload *w = &f->workload;

    cr_assert(w->parameters > 0 && w->parameters_active > 0 && w->parameters_active <= w->parameters);
    cr_assert(w->kv_cache_elements >= 0 && w->tokens > 0);
    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        int64_t work = l->steps;
        sim_layer last;

        cr_assert(l->m >= 1 && l->n >= 1 && l->batch >= 1 && l->k >= 0 && l->steps >= 1, "%s", l->name);
        cr_assert(!__builtin_mul_overflow(work, l->m, &work) && !__builtin_mul_overflow(work, l->n, &work) &&
                      !__builtin_mul_overflow(work, l->batch, &work),
                  "%s", l->name);
        if (l->op == SIM_OP_MATMUL || l->op == SIM_OP_CONV2D) {
            cr_assert(l->k >= 1 && !__builtin_mul_overflow(work, l->k, &work), "%s", l->name);
            cr_assert(l->needed_macs >= 0 && l->needed_macs <= work, "%s", l->name);
        } else {
            cr_assert(l->inputs >= 1, "%s", l->name);
        }
        cr_assert(l->map_n >= 0 && l->map_n <= l->n && l->map_k >= 0 && l->map_k <= (l->k > 0 ? l->k : 0));
        cr_assert(l->kv_outputs >= 0 && l->kv_outputs <= l->n && l->cache_rows >= 0);
        cr_assert(sim_layer_at_step(l, l->steps - 1, &last), "%s", l->name);
    }
}

Test(llm_extremes, counts_fit_or_are_refused)
{
    int accepted = 0, refused = 0;

    state = 77;
    for (int i = 0; i < CASES; i++) {
        llm_zoo_model z;
        llm_fixture f;
        sim_llm_request request = {.batch = size(),
                                   .prompt_tokens = size(),
                                   .context_tokens = size() - 1,
                                   .new_tokens = size(),
                                   .merged = next() % 2,
                                   .full_attention = next() % 4 == 0};

        llm_zoo((int)(next() % LLM_ZOO_COUNT), &z);
        stretch_model(&z);
        request.phase = z.model.encoder ? SIM_PHASE_PREFILL : (sim_phase)(1 + next() % 3);
        if (z.model.input == SIM_INPUT_PATCHES)
            request.prompt_tokens = 0;
        if (request.phase == SIM_PHASE_DECODE)
            request.draft_tokens = next() % 3 ? 0 : size();
        else if (!z.model.encoder)
            request.chunk_tokens = next() % 2 ? 0 : size();
        request.mla = (sim_mla)(next() % 3);
        llm_expand_model(&f, &z.model, &request);
        cr_assert(f.status == SIM_OK || f.status == SIM_OVERFLOW, "%s: %s", z.name, f.err.items[0].text);
        if (f.status == SIM_OK)
            expect_fitting(&f);
        accepted += f.status == SIM_OK;
        refused += f.status != SIM_OK;
        llm_free(&f);
    }
    cr_expect(accepted > CASES / 10 && refused > CASES / 10, "%d accepted, %d refused", accepted, refused);
}
