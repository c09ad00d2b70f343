/* A transformer and a phase -> layers: the request, the passes, and the model around its blocks. Knows no
 * family: see llm_config.c for those, llm.h for names and shapes. */
#include "input/llm_build.h"
#include "input/llm_devices.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- blocks ---------------------------------------------------------------------------------------- */

static void add_mixer(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    int64_t hidden = b->model->hidden;
    switch (mixer->kind) {
    case SIM_MIXER_ATTENTION:
        sim_llm_add_attention(b, mixer);
        break;
    case SIM_MIXER_MLA:
        sim_llm_add_mla(b, mixer);
        break;
    case SIM_MIXER_COMPRESSED:
        sim_llm_add_compressed(b, mixer);
        break;
    case SIM_MIXER_LINEAR:
        sim_llm_add_linear(b, "linear_attn", hidden, hidden, mixer->o_bias);
        break;
    case SIM_MIXER_DELTA:
    case SIM_MIXER_MAMBA2:
        sim_llm_add_state(b, mixer);
        break;
    default:
        break;
    }
}

/* Several residual streams (DeepSeek V4, hyper-connections): a small product of all of them gives the weights
 * by which they become the part's input, and by which its output goes back into each and they are mixed. The
 * mixing matrix is scaled by rows and columns `mixing_rounds` times. */
static void add_collapse(sim_llm_builder *b, const char *part)
{
    const sim_llm_model *model = b->model;
    int64_t streams = model->residual_streams, all = sim_llm_product(b, streams, model->hidden);
    int64_t weights = sim_llm_product(b, streams, streams + 2);
    char name[32];
    if (streams == 0)
        return;
    snprintf(name, sizeof name, "%s_hc_norm", part);
    sim_llm_add_vector(b, name, SIM_OP_NORM, b->tokens, all, 1, SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY);
    snprintf(name, sizeof name, "%s_hc", part);
    sim_layer *product = sim_llm_add_linear(b, name, weights, all, false);
    sim_llm_add_params(b, product, sim_llm_sum(b, weights, 3)); /* a bias each, a scale per kind */
    snprintf(name, sizeof name, "%s_hc_weights", part);
    sim_llm_add_vector(b, name, SIM_OP_ELEMENTWISE, b->tokens, weights, 1,
                       SIM_OPS_MULTIPLY + SIM_OPS_ADD + SIM_OPS_SIGMOID +
                           4 * (double)model->mixing_rounds); /* sum and divide, along rows and columns */
    snprintf(name, sizeof name, "%s_collapse", part);
    sim_llm_add_vector(b, name, SIM_OP_ELEMENTWISE, b->tokens, model->hidden, sim_llm_inputs(streams),
                       2 * (double)streams - 1);
}

/* The part's output goes back into the residual stream (of which `inputs` - 1 parts are added at once). */
static void add_residual(sim_llm_builder *b, const char *name, int inputs)
{
    const sim_llm_model *model = b->model;
    int64_t streams = model->residual_streams;
    if (streams == 0)
        sim_llm_add_sum(b, name, inputs);
    else /* the output times a weight, and each stream times one */
        sim_llm_add_vector(b, name, SIM_OP_ELEMENTWISE, b->tokens, sim_llm_product(b, streams, model->hidden),
                           2, 2 * (double)streams + 1);
}

static void add_mixer_part(sim_llm_builder *b, const sim_llm_mixer *mixer)
{
    const sim_llm_model *model = b->model;
    if (mixer->kind == SIM_MIXER_NONE)
        return;
    add_collapse(b, "attn");
    if (model->norms != SIM_NORMS_POST)
        sim_llm_add_norm(b, model->attn_norm_name);
    add_mixer(b, mixer);
    if (model->norms == SIM_NORMS_SANDWICH)
        sim_llm_add_norm(b, model->attn_post_norm_name);
    add_residual(b, "attn_residual", 2);
    if (model->norms == SIM_NORMS_POST)
        sim_llm_add_norm(b, model->attn_norm_name);
}

static void add_ffn_part(sim_llm_builder *b, const sim_llm_ffn *ffn)
{
    const sim_llm_model *model = b->model;
    if (ffn->kind == SIM_FFN_NONE)
        return;
    add_collapse(b, "ffn");
    if (model->norms != SIM_NORMS_POST)
        sim_llm_add_norm(b, model->norms == SIM_NORMS_SINGLE ? model->attn_norm_name : model->ffn_norm_name);
    sim_llm_add_ffn(b, ffn);
    if (model->norms == SIM_NORMS_SANDWICH)
        sim_llm_add_norm(b, model->ffn_post_norm_name);
    add_residual(b, "ffn_residual", 2);
    if (model->norms == SIM_NORMS_POST)
        sim_llm_add_norm(b, model->ffn_norm_name);
}

/* Attention and FFN side by side, both added in one sum. */
static void add_parallel_parts(sim_llm_builder *b, const sim_llm_mixer *mixer, const sim_llm_ffn *ffn)
{
    sim_llm_add_norm(b, b->model->attn_norm_name);
    if (b->model->norms == SIM_NORMS_PARALLEL2)
        sim_llm_add_norm(b, b->model->ffn_norm_name);
    add_mixer(b, mixer);
    sim_llm_add_ffn(b, ffn);
    add_residual(b, "residual", 3);
}

/* What a second embedding adds to each block (Gemma 3n, 4): its row gates a projection of the residual. */
static void add_block_embedding(sim_llm_builder *b)
{
    const sim_llm_model *model = b->model;
    int64_t width = model->block_embed_width;
    if (width == 0)
        return;
    sim_llm_add_linear(b, "per_layer_input_gate", width, model->hidden, false);
    sim_llm_add_vector(b, "per_layer_act", SIM_OP_ELEMENTWISE, b->tokens, width, 2,
                       SIM_OPS_GELU_TANH + SIM_OPS_MULTIPLY);
    sim_llm_add_linear(b, "per_layer_projection", model->hidden, width, false);
    sim_llm_add_norm(b, "post_per_layer_input_norm");
    sim_llm_add_sum(b, "per_layer_residual", 2);
}

static void add_block(sim_llm_builder *b, int64_t index)
{
    const sim_llm_model *model = b->model;
    const sim_llm_block *block = &model->blocks[index];
    const sim_llm_mixer *mixer = &model->mixers[block->mixer];
    const sim_llm_ffn *ffn = &model->ffns[block->ffn];
    snprintf(b->prefix, sizeof b->prefix, "layers.%" PRId64 ".", index);
    if (model->norms == SIM_NORMS_PARALLEL || model->norms == SIM_NORMS_PARALLEL2) {
        add_parallel_parts(b, mixer, ffn);
    } else {
        add_mixer_part(b, mixer);
        add_ffn_part(b, ffn);
    }
    add_block_embedding(b);
}

/* ---- before and after the blocks ---------------------------------------------------------------------- */

static void add_patches(sim_llm_builder *b)
{
    const sim_llm_model *model = b->model;
    int64_t side = model->image_size / model->patch_size;
    int64_t patches = sim_llm_product(b, b->batch, sim_llm_product(b, side, side));
    int64_t taps = sim_llm_product(b, model->patch_size, model->patch_size);
    sim_layer *conv = sim_llm_add(b, "patch_embed", SIM_OP_CONV2D, 1, patches, model->hidden,
                                  sim_llm_product(b, taps, model->channels));
    conv->weights = SIM_WEIGHTS_STATIC;
    conv->conv = (sim_conv2d){
        .images = b->batch,
        .h_in = model->image_size,
        .w_in = model->image_size,
        .c_in = model->channels,
        .c_out = model->hidden,
        .kernel_h = model->patch_size,
        .kernel_w = model->patch_size,
        .stride = model->patch_size,
        .groups = 1,
    };
    if (!conv->later_pass)
        b->parameters = sim_llm_sum(b, b->parameters, sim_llm_product(b, conv->n, conv->k));
    sim_llm_add_params(b, conv, model->hidden);
}

/* The second embedding of Gemma 3n and 4, all blocks' rows at once, and a projection of the first onto it. */
static void add_block_embeddings(sim_llm_builder *b)
{
    const sim_llm_model *model = b->model;
    int64_t width = model->block_embed_width, all = sim_llm_product(b, model->block_count, width);
    if (width == 0)
        return;
    sim_llm_add_embedding(b, "embed_per_layer", all, model->block_embed_rows);
    sim_llm_add_linear(b, "per_layer_model_projection", all, model->hidden, false);
    sim_layer *norm =
        sim_llm_add_vector(b, "per_layer_projection_norm", SIM_OP_NORM,
                           sim_llm_product(b, b->tokens, model->block_count), width, 1, SIM_OPS_RMS_NORM);
    sim_llm_add_params(b, norm, width);
    sim_llm_add_vector(b, "per_layer_sum", SIM_OP_ELEMENTWISE, b->tokens, all, 2,
                       SIM_OPS_ADD + SIM_OPS_MULTIPLY);
}

static void add_input(sim_llm_builder *b)
{
    const sim_llm_model *model = b->model;
    int parts = 1;
    if (model->input == SIM_INPUT_PATCHES) {
        add_patches(b);
    } else {
        sim_llm_add_embedding(b, "embed", model->embed_width, model->vocab);
        if (model->embed_width != model->hidden)
            sim_llm_add_linear(b, "project_in", model->hidden, model->embed_width, false);
    }
    if (model->embed_scale)
        sim_llm_add_vector(b, "embed_scale", SIM_OP_ELEMENTWISE, b->tokens, model->hidden, 1,
                           SIM_OPS_MULTIPLY);
    if (model->position_rows > 0) {
        sim_llm_add_embedding(b, "embed_positions", model->hidden, model->position_rows);
        parts++;
    }
    if (model->token_type_rows > 0) {
        sim_llm_add_embedding(b, "embed_token_types", model->hidden, model->token_type_rows);
        parts++;
    }
    if (parts > 1 || model->class_token) {
        sim_layer *sum = sim_llm_add_vector(b, "embed_sum", SIM_OP_ELEMENTWISE, b->tokens, model->hidden,
                                            parts, parts > 1 ? (parts - 1) * SIM_OPS_ADD : SIM_OPS_ADD);
        sim_llm_add_params(b, sum, model->class_token ? model->hidden : 0);
    }
    if (model->embed_norm)
        sim_llm_add_norm(b, "embed_norm");
    add_block_embeddings(b);
}

/* The last linear and what follows it, of `rows` tokens. */
static void add_head(sim_llm_builder *b, int64_t rows, bool seen)
{
    const sim_llm_model *model = b->model;
    const char *name = model->head_name != NULL ? model->head_name : "lm_head";
    int64_t stored = b->parameters, steps = b->pass->phase == SIM_PHASE_DECODE ? b->pass->steps : 1;
    bool first = b->first_pass;
    b->first_pass = !seen; /* whatever pass this is */
    sim_layer *head = sim_llm_add_static(b, name, 1, rows, model->head_outputs, model->embed_width, false);
    head->keep_float = true;
    head->steps = steps;
    if (model->tied) {
        head->tied = true;
        b->parameters = stored;
    }
    sim_llm_add_params(b, head, model->head_bias ? model->head_outputs : 0);
    b->first_pass = first;
    if (model->logit_softcap) {
        sim_layer *cap = sim_llm_add_vector(b, "logits_softcap", SIM_OP_ELEMENTWISE, rows,
                                            model->head_outputs, 1, SIM_OPS_SOFTCAP);
        cap->steps = steps;
    }
}

static void add_pooler(sim_llm_builder *b)
{
    const sim_llm_model *model = b->model;
    sim_llm_add_static(b, "pooler", 1, b->batch, model->hidden, model->hidden, true);
    sim_llm_add_vector(b, "pooler_act", SIM_OP_ELEMENTWISE, b->batch, model->hidden, 1, SIM_OPS_TANH);
}

/* The body ends with its last norm: as in HF it runs on all tokens. Logits are computed for the last token of
 * a prompt only, and in decode for all, drafts included. */
static void add_output(sim_llm_builder *b, bool *head_seen)
{
    const sim_llm_model *model = b->model;
    bool decodes = b->pass->phase == SIM_PHASE_DECODE;
    if (model->residual_streams > 0) { /* a smaller mix than those of the blocks, into one stream */
        int64_t streams = model->residual_streams, all = sim_llm_product(b, streams, model->hidden);
        sim_llm_add_vector(b, "hc_norm", SIM_OP_NORM, b->tokens, all, 1, SIM_OPS_RMS_NORM - SIM_OPS_MULTIPLY);
        sim_layer *product = sim_llm_add_linear(b, "hc_head", streams, all, false);
        sim_llm_add_params(b, product, sim_llm_sum(b, streams, 1));
        sim_llm_add_vector(b, "collapse", SIM_OP_ELEMENTWISE, b->tokens, model->hidden,
                           sim_llm_inputs(streams), 2 * (double)streams - 1);
    }
    if (model->final_norm)
        sim_llm_add_norm(b, model->final_norm_name);
    if (model->embed_width != model->hidden)
        sim_llm_add_linear(b, "project_out", model->embed_width, model->hidden, false);
    if (model->pooler)
        add_pooler(b);
    if (model->head_outputs > 0 && (decodes || b->pass->ends_prompt)) {
        add_head(b, decodes || model->head_on_all ? b->tokens : b->batch, *head_seen);
        *head_seen = true;
    }
}

static void add_pass(sim_llm_builder *b, bool *head_seen)
{
    add_input(b);
    for (int64_t i = 0; i < b->model->block_count && !b->no_memory && !b->overflow; i++)
        add_block(b, i);
    b->prefix[0] = '\0';
    add_output(b, head_seen);
}

/* ---- the phase -------------------------------------------------------------------------------------- */

static sim_status check_counts(const sim_llm_request *request, const char *file, sim_err *err)
{
    sim_status status = SIM_OK;
    if (request->batch < 1)
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "'batch' must be a positive integer, not %" PRId64,
                          request->batch);
    if (request->chunk_tokens < 0)
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "'chunk_tokens' must be 0 or more, not %" PRId64,
                          request->chunk_tokens);
    if (request->draft_tokens < 0)
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "'draft_tokens' must be 0 or more, not %" PRId64,
                          request->draft_tokens);
    if (request->draft_tokens > 0 && request->phase != SIM_PHASE_DECODE) {
        status =
            sim_fail(err, SIM_BAD_INPUT, file, 0, "'draft_tokens' are verified in a decode step, not in %s",
                     sim_phase_names[request->phase]);
        sim_hint(err, "\"phase\": \"decode\", or no draft_tokens");
    }
    return status;
}

static sim_status check_request(const sim_llm_request *request, const sim_llm_model *model, const char *file,
                                sim_err *err)
{
    sim_status status = check_counts(request, file, err);
    bool prompt = request->phase == SIM_PHASE_PREFILL || request->phase == SIM_PHASE_GENERATE;
    bool patches = model != NULL && model->input == SIM_INPUT_PATCHES;
    if (request->phase == SIM_PHASE_NONE) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "a model needs a phase");
        sim_hint(err, "\"phase\": \"prefill\", \"decode\" or \"generate\" in the workload, or --phase");
    }
    if (prompt && request->prompt_tokens < 1 && !patches) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "%s needs 'prompt_tokens', at least 1",
                          sim_phase_names[request->phase]);
        sim_hint(err, "\"prompt_tokens\": 2048 in the workload, or --prompt 2048");
    }
    if (request->phase == SIM_PHASE_GENERATE && request->new_tokens < 1) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0, "generate needs 'new_tokens', at least 1");
        sim_hint(err, "\"new_tokens\": 128 in the workload, or --new 128");
    }
    if (request->phase == SIM_PHASE_DECODE && request->context_tokens < 0) {
        status = sim_fail(err, SIM_BAD_INPUT, file, 0,
                          "decode needs 'context_tokens', the tokens already in the cache");
        sim_hint(err, "\"context_tokens\": 2048 in the workload, or --context 2048");
    }
    if (model != NULL && model->encoder && request->phase != SIM_PHASE_PREFILL &&
        request->phase != SIM_PHASE_NONE) {
        status = sim_fail(err, SIM_BAD_INPUT, file, model->line, "'%s' is an encoder: it has no phase '%s'",
                          model->model_type, sim_phase_names[request->phase]);
        sim_hint(err, "supported: prefill, which takes all tokens at once");
    } else if (model != NULL && model->encoder && request->chunk_tokens > 0) {
        status = sim_fail(err, SIM_BAD_INPUT, file, model->line,
                          "'%s' is an encoder: its tokens see each other, so that they cannot come in chunks",
                          model->model_type);
        sim_hint(err, "leave out chunk_tokens");
    }
    return status;
}

/* Tokens of a prompt: of an image, its patches. */
static sim_status prompt_of(sim_llm_builder *b, const char *file, int64_t *out, sim_err *err)
{
    const sim_llm_model *model = b->model;
    int64_t side, patches;
    *out = b->request->prompt_tokens;
    if (model->input != SIM_INPUT_PATCHES)
        return SIM_OK;
    side = model->image_size / model->patch_size;
    patches = sim_llm_sum(b, sim_llm_product(b, side, side), model->class_token ? 1 : 0);
    if (*out > 0 && *out != patches) {
        sim_fail(err, SIM_BAD_INPUT, file, model->line,
                 "an image of '%s' has %" PRId64 " tokens, not %" PRId64 " as 'prompt_tokens' says",
                 model->model_type, patches, *out);
        sim_hint(err, "leave out prompt_tokens; 'batch' is the number of images");
        return SIM_BAD_INPUT;
    }
    *out = patches;
    return SIM_OK;
}

enum { PASSES_MAX = 3 };

/* Every phase as passes, in order; returns how many. */
static int passes_of(sim_llm_builder *b, int64_t prompt, sim_llm_pass out[PASSES_MAX])
{
    const sim_llm_request *request = b->request;
    int count = 0;
    if (request->phase == SIM_PHASE_DECODE) {
        out[0] = (sim_llm_pass){.phase = SIM_PHASE_DECODE,
                                .past = request->context_tokens,
                                .tokens = sim_llm_sum(b, request->draft_tokens, 1),
                                .steps = 1};
        return 1;
    }
    int64_t chunk =
        request->chunk_tokens > 0 && request->chunk_tokens < prompt ? request->chunk_tokens : prompt;
    int64_t whole = prompt / chunk, rest = prompt % chunk;
    out[count++] =
        (sim_llm_pass){.phase = SIM_PHASE_PREFILL, .tokens = chunk, .steps = whole, .ends_prompt = rest == 0};
    if (rest > 0)
        out[count++] = (sim_llm_pass){.phase = SIM_PHASE_PREFILL,
                                      .past = prompt - rest,
                                      .tokens = rest,
                                      .steps = 1,
                                      .ends_prompt = true};
    if (request->phase == SIM_PHASE_GENERATE && request->new_tokens > 1)
        out[count++] = (sim_llm_pass){
            .phase = SIM_PHASE_DECODE, .past = prompt, .tokens = 1, .steps = request->new_tokens - 1};
    return count;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static sim_status failure(const sim_llm_builder *b, const char *file, sim_err *err)
{
    int line = b->model->line;
    if (b->no_memory)
        return sim_fail(err, SIM_NO_MEMORY, file, line, "out of memory for the layers of the model");
    if (b->overflow_name != NULL)
        sim_fail(err, SIM_OVERFLOW, file, line, "the work of '%s' does not fit 63 bits", b->overflow_name);
    else
        sim_fail(err, SIM_OVERFLOW, file, line, "the size of the model or of its cache does not fit 63 bits");
    sim_hint(err, "check the sizes of the model, the batch and the tokens");
    return SIM_OVERFLOW;
}

static void expand(sim_llm_builder *b, int64_t prompt, sim_workload *out)
{
    const sim_llm_request *request = b->request;
    sim_llm_pass passes[PASSES_MAX];
    bool head_seen = false;
    int count = passes_of(b, prompt, passes);
    const sim_llm_pass *last = &passes[count - 1];
    b->end_tokens = sim_llm_sum(b, last->past, sim_llm_product(b, last->tokens, last->steps));
    for (int i = 0; i < count && !b->no_memory && !b->overflow; i++) {
        b->pass = &passes[i];
        b->first_pass = i == 0;
        b->last_pass = i == count - 1;
        b->tokens = sim_llm_product(b, b->batch, passes[i].tokens);
        if (i == 1) /* later passes are like the first, and some bring a head */
            sim_llm_expect(b, (count - 1) * (b->count + 2));
        add_pass(b, &head_seen);
    }
    out->tokens = request->phase == SIM_PHASE_PREFILL    ? sim_llm_product(b, b->batch, prompt)
                  : request->phase == SIM_PHASE_GENERATE ? sim_llm_product(b, b->batch, request->new_tokens)
                                                         : b->tokens;
}

/* A model as it is described, on one device. */
static sim_status expand_model(const sim_llm_model *model, const sim_llm_request *request, const char *file,
                               sim_arena *arena, sim_workload *out, sim_err *err)
{
    sim_llm_builder b = {.model = model, .request = request, .arena = arena, .batch = request->batch};
    int64_t prompt;
    sim_status status = prompt_of(&b, file, &prompt, err);

    *out = (sim_workload){.phase = request->phase, .batch = request->batch, .model_type = model->model_type};
    if (status != SIM_OK)
        return status;
    if (!b.overflow)
        expand(&b, prompt, out);
    if (b.no_memory || b.overflow)
        return failure(&b, file, err);
    out->layers = b.layers;
    out->layer_count = b.count;
    out->kv_cache_elements = b.cache_elements;
    out->cached_tokens = model->encoder ? 0 : b.end_tokens;
    out->parameters = b.parameters;
    out->parameters_active = b.parameters - b.idle_parameters;
    return SIM_OK;
}

/* The same on several devices, each of which has a model of its own. */
static sim_status spread_model(const sim_llm_model *model, const sim_llm_request *request, const char *file,
                               sim_arena *arena, sim_workload *whole, sim_err *err)
{
    sim_llm_model one;
    sim_workload share;
    sim_status status = sim_llm_share(model, request, file, arena, &one, err);

    if (status == SIM_OK)
        status = expand_model(&one, request, file, arena, &share, err);
    return status == SIM_OK ? sim_llm_spread(model, request, &share, arena, whole, err) : status;
}

sim_status sim_llm_expand_model(const sim_llm_model *model, const char *file, const sim_llm_request *request,
                                sim_arena *arena, sim_workload *out, sim_err *err)
{
    const char *name = out->name, *from = out->file;
    sim_workload whole;
    sim_status status = check_request(request, model, file, err);

    if (status == SIM_OK)
        status = expand_model(model, request, file, arena, &whole, err);
    if (status == SIM_OK && (sim_llm_shares(request) > 1 || sim_llm_stages(request) > 1))
        status = spread_model(model, request, file, arena, &whole, err);
    if (status != SIM_OK)
        return status;
    *out = whole;
    out->name = name;
    out->file = from;
    return SIM_OK;
}

sim_status sim_llm_expand(const sim_json *config, const char *file, const sim_llm_request *request,
                          sim_arena *arena, sim_workload *out, sim_err *err)
{
    sim_llm_model model;
    sim_status status = sim_llm_read_config(config, file, arena, &model, err);
    if (status == SIM_OK)
        return sim_llm_expand_model(&model, file, request, arena, out, err);
    (void)check_request(request, NULL, file, err); /* what is wrong with it is said too */
    return status;
}
