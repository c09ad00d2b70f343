/* A model expanded for one test. */
#ifndef TESTS_INPUT_LLM_FIXTURE_H
#define TESTS_INPUT_LLM_FIXTURE_H

#include "input/llm_model.h"

typedef struct llm_fixture {
    sim_arena arena;
    sim_err err;
    sim_workload workload;
    sim_status status;
} llm_fixture;

/* Expands the model in `json`. `tokens` is the prompt in prefill and the context in decode. Neither fails the
 * test: `status` and `err` say what happened. `allocator` may be NULL. */
void llm_expand_text(llm_fixture *f, const char *json, sim_phase phase, int64_t batch, int64_t tokens,
                     bool full_attention, const sim_allocator *allocator);
/* The same for a file, relative to the root of the sources. */
void llm_expand_file(llm_fixture *f, const char *path, sim_phase phase, int64_t batch, int64_t tokens,
                     bool full_attention);
/* A model that no config was read for. */
void llm_expand_model(llm_fixture *f, const sim_llm_model *model, const sim_llm_request *request);
void llm_free(llm_fixture *f);

/* A layer by name, NULL when there is none. */
const sim_layer *llm_layer(const llm_fixture *f, const char *name);
/* m*n*k*batch of a matmul, or what its mask leaves of it; 0 for other layers. */
int64_t llm_macs(const sim_layer *layer);
/* The sum of it over all layers. */
int64_t llm_total_macs(const llm_fixture *f);
/* Stored elements of a layer: weights or table, biases, norm weights; 0 where another layer holds them. */
int64_t llm_parameters(const sim_layer *layer);

/* Configs that several files use. */
extern const char llm_llama2_7b[], llm_llama2_70b[], llm_opt_350m[], llm_mistral_7b[], llm_tiny_gqa[];

#endif
