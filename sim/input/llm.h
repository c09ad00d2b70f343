/* Transformer models: the fields of a HF config.json -> layers of one phase. */
#ifndef SIM_INPUT_LLM_H
#define SIM_INPUT_LLM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

typedef struct sim_llm_request {
    sim_phase phase;        /* prefill or decode */
    int64_t batch;          /* sequences */
    int64_t prompt_tokens;  /* prefill: tokens per sequence */
    int64_t context_tokens; /* decode: tokens already in the cache; the step attends to these and its own */
    bool full_attention;    /* count the whole square instead of the causal triangle */
} sim_llm_request;

/* Expands `config` (an object of config.json fields; unknown fields are ignored) into out->layers and the
 * fields that describe the model. `file` is for messages. An unknown model_type is an error that lists the
 * known ones. Sets everything of `out` but name and file. */
sim_status sim_llm_expand(const sim_json *config, const char *file, const sim_llm_request *request,
                          sim_arena *arena, sim_workload *out, sim_err *err);

/* Known model types, NULL-terminated. */
extern const char *const sim_llm_model_types[];

#endif
