#include "input/llm_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Architecture fields of config.json, Hugging Face: meta-llama/Llama-2-7b-hf, meta-llama/Llama-2-70b-hf,
 * facebook/opt-350m, mistralai/Mistral-7B-v0.1. */
const char llm_llama2_7b[] = "{\"model_type\":\"llama\",\"hidden_size\":4096,\"intermediate_size\":11008,"
                             "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"num_key_value_heads\":32,"
                             "\"vocab_size\":32000,\"tie_word_embeddings\":false}";
const char llm_llama2_70b[] = "{\"model_type\":\"llama\",\"hidden_size\":8192,\"intermediate_size\":28672,"
                              "\"num_hidden_layers\":80,\"num_attention_heads\":64,\"num_key_value_heads\":8,"
                              "\"vocab_size\":32000,\"tie_word_embeddings\":false}";
const char llm_opt_350m[] = "{\"model_type\":\"opt\",\"hidden_size\":1024,\"ffn_dim\":4096,"
                            "\"num_hidden_layers\":24,\"num_attention_heads\":16,\"vocab_size\":50272,"
                            "\"max_position_embeddings\":2048,\"word_embed_proj_dim\":512,"
                            "\"do_layer_norm_before\":false}";
const char llm_mistral_7b[] = "{\"model_type\":\"mistral\",\"hidden_size\":4096,\"intermediate_size\":14336,"
                              "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"num_key_value_heads\":8,"
                              "\"vocab_size\":32000,\"sliding_window\":4096,\"tie_word_embeddings\":false}";
/* Small enough to check by hand; the head dimension is not hidden_size / heads. */
const char llm_tiny_gqa[] = "{\"model_type\":\"llama\",\"hidden_size\":24,\"intermediate_size\":40,"
                            "\"num_hidden_layers\":2,\"num_attention_heads\":6,\"num_key_value_heads\":2,"
                            "\"head_dim\":8,\"vocab_size\":100}";

void llm_expand_text(llm_fixture *f, const char *json, sim_phase phase, int64_t batch, int64_t tokens,
                     bool full_attention, const sim_allocator *allocator)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, allocator);
    const sim_json *config = NULL;
    f->status = sim_json_parse(json, strlen(json), "model.json", &f->arena, &config, &f->err);
    if (f->status != SIM_OK)
        return;
    sim_llm_request request = {
        .phase = phase,
        .batch = batch,
        .prompt_tokens = phase != SIM_PHASE_DECODE ? tokens : 0,
        .context_tokens = phase == SIM_PHASE_DECODE ? tokens : -1,
        .full_attention = full_attention,
    };
    f->status = sim_llm_expand(config, "model.json", &request, &f->arena, &f->workload, &f->err);
}

void llm_expand_file(llm_fixture *f, const char *path, sim_phase phase, int64_t batch, int64_t tokens,
                     bool full_attention)
{
    char whole[512], json[4096];
    snprintf(whole, sizeof whole, "%s/%s", SIMACC_SOURCE_DIR, path);
    FILE *file = fopen(whole, "r");
    cr_assert(file != NULL, "cannot open %s", whole);
    size_t length = fread(json, 1, sizeof json - 1, file);
    fclose(file);
    json[length] = '\0';
    llm_expand_text(f, json, phase, batch, tokens, full_attention, NULL);
}

void llm_free(llm_fixture *f)
{
    sim_arena_free(&f->arena);
}

const sim_layer *llm_layer(const llm_fixture *f, const char *name)
{
    for (int64_t i = 0; i < f->workload.layer_count; i++) {
        if (strcmp(f->workload.layers[i].name, name) == 0)
            return &f->workload.layers[i];
    }
    return NULL;
}

int64_t llm_macs(const sim_layer *layer)
{
    if (layer->op != SIM_OP_MATMUL && layer->op != SIM_OP_CONV2D)
        return 0;
    return layer->needed_macs > 0 ? layer->needed_macs : layer->m * layer->n * layer->k * layer->batch;
}

int64_t llm_total_macs(const llm_fixture *f)
{
    int64_t macs = 0;
    for (int64_t i = 0; i < f->workload.layer_count; i++)
        macs += f->workload.layers[i].repeat * llm_macs(&f->workload.layers[i]);
    return macs;
}

int64_t llm_parameters(const sim_layer *layer)
{
    int64_t elements = layer->param_elements;
    bool product = layer->op == SIM_OP_MATMUL || layer->op == SIM_OP_CONV2D;
    if (layer->later_pass)
        return 0;
    if (product && layer->weights == SIM_WEIGHTS_STATIC && !layer->tied)
        elements += layer->n * layer->k * (layer->stored_batch > 0 ? layer->stored_batch : layer->batch);
    if (layer->op == SIM_OP_EMBEDDING)
        elements += layer->n * layer->k;
    return elements;
}

void llm_expand_model(llm_fixture *f, const sim_llm_model *model, const sim_llm_request *request)
{
    memset(f, 0, sizeof *f);
    sim_arena_init(&f->arena, NULL);
    f->status = sim_llm_expand_model(model, "model.json", request, &f->arena, &f->workload, &f->err);
}
