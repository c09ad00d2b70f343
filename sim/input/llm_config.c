/* config.json of each model family -> sim_llm_model.
 *
 * A family is one row of the table at the end: the fields it reads, and a function that fills in what its
 * architecture fixes and checks what must fit together. Optional fields fall back to what HF's configuration
 * class of the family says; sizes never do, for a silently assumed size is a wrong answer. `null` is the
 * same as absent, as in HF. */
#include "input/llm.h"
#include "input/llm_model.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* What the fields below are read into: one kind of block, all blocks alike. */
typedef struct plain_model {
    const char *model_type;
    int line;
    int64_t layers, hidden, vocab, heads, kv_heads, head_dim, ffn, embed_width, position_rows, sliding_window;
    bool rope, gated_ffn, pre_norm, final_norm, tied, qkv_bias, o_bias, ffn_bias;
    int64_t norm_params;
    double norm_ops, act_ops;
    const char *attn_norm_name, *ffn_norm_name, *final_norm_name;
    const char *ffn_gate_name, *ffn_up_name, *ffn_down_name;
} plain_model;

typedef enum field_kind {
    FIELD_COUNT,      /* int64_t, at least 1 */
    FIELD_FLAG,       /* bool */
    FIELD_ACTIVATION, /* double: vector operations per element of the function named */
} field_kind;

typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset; /* in plain_model */
    bool required;
    int64_t fallback; /* count, flag, or operations; a count's 0 means "not given" to the family */
    int64_t max;      /* of a count */
} field;

#define REQUIRED(name, member)                                                                               \
    {                                                                                                        \
        name, FIELD_COUNT, offsetof(plain_model, member), true, 0, INT64_MAX - 2                             \
    }
#define OPTIONAL(name, member)                                                                               \
    {                                                                                                        \
        name, FIELD_COUNT, offsetof(plain_model, member), false, 0, INT64_MAX - 2                            \
    }
#define DEPTH(name)                                                                                          \
    {                                                                                                        \
        name, FIELD_COUNT, offsetof(plain_model, layers), true, 0, SIM_LLM_LAYERS_MAX                        \
    }
#define FLAG(name, member, otherwise)                                                                        \
    {                                                                                                        \
        name, FIELD_FLAG, offsetof(plain_model, member), false, otherwise, 0                                 \
    }
#define ACTIVATION(name, otherwise)                                                                          \
    {                                                                                                        \
        name, FIELD_ACTIVATION, offsetof(plain_model, act_ops), false, otherwise, 0                          \
    }
#define END                                                                                                  \
    {                                                                                                        \
        NULL, FIELD_COUNT, 0, false, 0, 0                                                                    \
    }

typedef struct reader {
    const sim_json *config;
    const char *file;
    sim_err *err;
    sim_status status; /* of the first error */
} reader;

typedef struct family {
    const char *model_type;
    const field *fields;
    void (*finish)(reader *r, plain_model *model);
} family;

/* ---- values ----------------------------------------------------------------------------------- */

/* A member that is there and not null. */
static const sim_json *member(const reader *r, const char *key)
{
    const sim_json *value = sim_json_get(r->config, key);
    return value != NULL && value->type != SIM_JSON_NULL ? value : NULL;
}

static int line_of(const reader *r, const char *key)
{
    const sim_json *value = member(r, key);
    return value != NULL ? value->line : r->config->line;
}

static void failed(reader *r, sim_status status)
{
    if (r->status == SIM_OK)
        r->status = status;
}

static void wrong_type(reader *r, const sim_json *value, const char *wanted)
{
    failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line, "'%s' must be %s, not %s", value->key,
                       wanted, sim_json_type_name(value->type)));
}

static void read_count(reader *r, const field *f, const sim_json *value, int64_t *out)
{
    if (value->type == SIM_JSON_REAL) {
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                           "'%s' must be a positive integer, written without a decimal point", f->key));
    } else if (value->type != SIM_JSON_INT) {
        wrong_type(r, value, "a positive integer");
    } else if (value->integer < 1) {
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                           "'%s' must be a positive integer, not %" PRId64, f->key, value->integer));
    } else if (value->integer > f->max) {
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                           "'%s' is %" PRId64 ", at most %" PRId64, f->key, value->integer, f->max));
    } else {
        *out = value->integer;
    }
}

/* Names as in HF's table of activation functions. */
static const char *const activation_names[] = {
    "relu", "silu", "swish", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", NULL};
static const int activation_ops[] = {SIM_OPS_RELU,      SIM_OPS_SILU,      SIM_OPS_SILU,     SIM_OPS_GELU,
                                     SIM_OPS_GELU_TANH, SIM_OPS_GELU_TANH, SIM_OPS_GELU_TANH};
_Static_assert(sizeof activation_names / sizeof *activation_names ==
                   sizeof activation_ops / sizeof *activation_ops + 1,
               "one cost per activation");

static void read_activation(reader *r, const sim_json *value, double *out)
{
    if (value->type != SIM_JSON_TEXT) {
        wrong_type(r, value, "the name of an activation function");
        return;
    }
    for (size_t i = 0; activation_names[i] != NULL; i++) {
        if (strcmp(value->text, activation_names[i]) == 0) {
            *out = activation_ops[i];
            return;
        }
    }
    failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                       "unknown activation function '%s' in '%s'", value->text, value->key));
    const char *near = sim_nearest(value->text, activation_names);
    if (near != NULL)
        sim_hint(r->err, "did you mean '%s'?", near);
    else
        sim_hint(r->err, "known: relu, silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh");
}

/* Unknown fields of a config.json are ignored, so a misspelt one shows only as a missing one. */
static void missing(reader *r, const char *key)
{
    failed(r,
           sim_fail(r->err, SIM_BAD_INPUT, r->file, r->config->line, "'%s' is missing from the model", key));
    const char *const wanted[] = {key, NULL};
    for (const sim_json *m = r->config->child; m != NULL; m = m->next) {
        if (m->key != NULL && strcmp(m->key, key) != 0 && sim_nearest(m->key, wanted) != NULL) {
            sim_hint(r->err, "is '%s' on line %d a misspelling of it?", m->key, m->line);
            return;
        }
    }
}

static bool read_flag(reader *r, const char *key, bool fallback)
{
    const sim_json *value = member(r, key);
    if (value == NULL)
        return fallback;
    if (value->type != SIM_JSON_BOOL)
        wrong_type(r, value, "true or false");
    return value->boolean;
}

static void read_field(reader *r, const field *f, plain_model *model)
{
    void *at = (char *)model + f->offset;
    const sim_json *value = member(r, f->key);
    if (value == NULL && f->required)
        missing(r, f->key);
    switch (f->kind) {
    case FIELD_COUNT:
        *(int64_t *)at = f->fallback;
        if (value != NULL)
            read_count(r, f, value, at);
        break;
    case FIELD_FLAG:
        *(bool *)at = read_flag(r, f->key, f->fallback != 0);
        break;
    case FIELD_ACTIVATION:
        *(double *)at = (double)f->fallback;
        if (value != NULL)
            read_activation(r, value, at);
        break;
    }
}

/* ---- what families share ---------------------------------------------------------------------- */

/* KV heads and head dimension, where the config leaves them to be derived. Counts that could not be read
 * are 0 and have had their error. */
static void finish_heads(reader *r, plain_model *model)
{
    if (model->kv_heads == 0)
        model->kv_heads = model->heads;
    if (model->heads > 0 && model->heads % model->kv_heads != 0) {
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, line_of(r, "num_key_value_heads"),
                           "'num_attention_heads' (%" PRId64
                           ") is not a multiple of 'num_key_value_heads' (%" PRId64 ")",
                           model->heads, model->kv_heads));
    }
    if (model->head_dim != 0 || model->heads == 0 || model->hidden == 0)
        return;
    if (model->hidden % model->heads != 0) {
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, line_of(r, "num_attention_heads"),
                           "'hidden_size' (%" PRId64 ") is not a multiple of 'num_attention_heads' (%" PRId64
                           ")",
                           model->hidden, model->heads));
        return;
    }
    model->head_dim = model->hidden / model->heads;
}

static void finish_llama(reader *r, plain_model *model)
{
    /* attention_bias covers all four projections of attention, mlp_bias all three of the FFN. */
    model->o_bias = model->qkv_bias;
    model->embed_width = model->hidden;
    model->rope = true;
    model->gated_ffn = true;
    model->pre_norm = true;
    model->final_norm = true;
    model->norm_params = 1;
    model->norm_ops = SIM_OPS_RMS_NORM;
    model->attn_norm_name = "input_layernorm";
    model->ffn_norm_name = "post_attention_layernorm";
    model->final_norm_name = "norm";
    model->ffn_gate_name = "gate_proj";
    model->ffn_up_name = "up_proj";
    model->ffn_down_name = "down_proj";
    finish_heads(r, model);
}

/* ---- llama: Llama 1 to 3 and what is built like them -------------------------------------------- */

static const field llama_fields[] = {
    DEPTH("num_hidden_layers"),
    REQUIRED("hidden_size", hidden),
    REQUIRED("intermediate_size", ffn),
    REQUIRED("num_attention_heads", heads),
    REQUIRED("vocab_size", vocab),
    OPTIONAL("num_key_value_heads", kv_heads),
    OPTIONAL("head_dim", head_dim),
    FLAG("attention_bias", qkv_bias, false),
    FLAG("mlp_bias", ffn_bias, false),
    FLAG("tie_word_embeddings", tied, false),
    ACTIVATION("hidden_act", SIM_OPS_SILU),
    END,
};

/* ---- mistral: llama without biases, with a sliding window ---------------------------------------- */

static const field mistral_fields[] = {
    DEPTH("num_hidden_layers"),
    REQUIRED("hidden_size", hidden),
    REQUIRED("intermediate_size", ffn),
    REQUIRED("num_attention_heads", heads),
    REQUIRED("num_key_value_heads", kv_heads), /* HF assumes 8; all published configs state it */
    REQUIRED("vocab_size", vocab),
    OPTIONAL("head_dim", head_dim),
    OPTIONAL("sliding_window", sliding_window), /* null: none */
    FLAG("tie_word_embeddings", tied, false),
    ACTIVATION("hidden_act", SIM_OPS_SILU),
    END,
};

static void finish_mistral(reader *r, plain_model *model)
{
    /* HF assumes 4096 for a config that does not mention it, and no window only for an explicit null. */
    if (sim_json_get(r->config, "sliding_window") == NULL)
        model->sliding_window = 4096;
    finish_llama(r, model);
}

/* ---- opt ---------------------------------------------------------------------------------------- */

static const field opt_fields[] = {
    DEPTH("num_hidden_layers"),
    REQUIRED("hidden_size", hidden),
    REQUIRED("ffn_dim", ffn),
    REQUIRED("num_attention_heads", heads),
    REQUIRED("vocab_size", vocab),
    REQUIRED("max_position_embeddings", position_rows),
    OPTIONAL("word_embed_proj_dim", embed_width),
    FLAG("do_layer_norm_before", pre_norm, true),
    FLAG("enable_bias", qkv_bias, true),
    FLAG("tie_word_embeddings", tied, true),
    ACTIVATION("activation_function", SIM_OPS_RELU),
    END,
};

static void finish_opt(reader *r, plain_model *model)
{
    bool affine = read_flag(r, "layer_norm_elementwise_affine", true);
    /* HF writes this one for checkpoints made before the last norm was added to its model. */
    bool no_final_norm = read_flag(r, "_remove_final_layer_norm", false);

    if (model->embed_width == 0)
        model->embed_width = model->hidden;
    model->position_rows += 2; /* the table keeps two rows before position 0 */
    model->o_bias = model->qkv_bias;
    model->ffn_bias = model->qkv_bias;
    model->final_norm = model->pre_norm && !no_final_norm;
    model->norm_params = affine ? 2 : 0;
    model->norm_ops = affine ? SIM_OPS_LAYER_NORM : SIM_OPS_LAYER_NORM - 2;
    model->attn_norm_name = "self_attn_layer_norm";
    model->ffn_norm_name = "final_layer_norm";
    model->final_norm_name = "final_layer_norm";
    model->ffn_up_name = "fc1";
    model->ffn_down_name = "fc2";
    finish_heads(r, model);
}

/* ---- the table ---------------------------------------------------------------------------------- */

/* A family is named once, here; its fields and its function are called after it. */
#define FAMILIES(X)                                                                                          \
    X(llama)                                                                                                 \
    X(mistral)                                                                                               \
    X(opt)

#define AS_ROW(name)  {#name, name##_fields, finish_##name},
#define AS_NAME(name) #name,
#define AS_LIST(name) #name ", "

static const family families[] = {FAMILIES(AS_ROW)};
const char *const sim_llm_model_types[] = {FAMILIES(AS_NAME) NULL};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

static const family *find_family(const sim_json *config)
{
    const sim_json *type = sim_json_get(config, "model_type");
    if (type == NULL || type->type != SIM_JSON_TEXT)
        return NULL;
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (strcmp(families[i].model_type, type->text) == 0)
            return &families[i];
    }
    return NULL;
}

static sim_status no_family(const sim_json *config, const char *file, sim_err *err)
{
    const sim_json *type = sim_json_get(config, "model_type");
    const char *near = NULL;
    if (type == NULL) {
        sim_fail(err, SIM_BAD_INPUT, file, config->line, "'model_type' is missing from the model");
    } else if (type->type != SIM_JSON_TEXT) {
        sim_fail(err, SIM_BAD_INPUT, file, type->line, "'model_type' must be a text, not %s",
                 sim_json_type_name(type->type));
    } else {
        sim_fail(err, SIM_BAD_INPUT, file, type->line, "unknown model_type '%s'", type->text);
        near = sim_nearest(type->text, sim_llm_model_types);
    }
    sim_hint(err,
             "%s%s%sknown: " FAMILIES(
                 AS_LIST) "or any model written out as {\"name\": ..., \"layers\": [{\"name\": "
                          "..., \"op\": \"matmul\", \"m\": ..., \"n\": ..., \"k\": ...}, ...]}",
             near != NULL ? "did you mean '" : "", near != NULL ? near : "", near != NULL ? "'? " : "");
    return SIM_BAD_INPUT;
}

/* One kind of mixer and one of FFN, which all blocks have. */
static sim_status spread(const plain_model *plain, const char *file, sim_arena *arena, sim_llm_model *out,
                         sim_err *err)
{
    sim_llm_mixer *mixer = sim_arena_alloc(arena, 1, sizeof *mixer);
    sim_llm_ffn *ffn = sim_arena_alloc(arena, 1, sizeof *ffn);
    sim_llm_block *blocks = sim_arena_alloc(arena, (size_t)plain->layers, sizeof *blocks);
    if (mixer == NULL || ffn == NULL || blocks == NULL)
        return sim_fail(err, SIM_NO_MEMORY, file, plain->line, "out of memory for the model");
    *mixer = (sim_llm_mixer){
        .kind = SIM_MIXER_ATTENTION,
        .heads = plain->heads,
        .kv_heads = plain->kv_heads,
        .head_dim = plain->head_dim,
        .v_head_dim = plain->head_dim,
        .rope_dim = plain->rope ? plain->head_dim : 0,
        .window = plain->sliding_window,
        .q_bias = plain->qkv_bias,
        .kv_bias = plain->qkv_bias,
        .o_bias = plain->o_bias,
    };
    *ffn = (sim_llm_ffn){
        .kind = SIM_FFN_DENSE,
        .width = plain->ffn,
        .gated = plain->gated_ffn,
        .bias = plain->ffn_bias,
        .act_ops = plain->act_ops,
        .gate_name = plain->ffn_gate_name,
        .up_name = plain->ffn_up_name,
        .down_name = plain->ffn_down_name,
    };
    *out = (sim_llm_model){
        .model_type = plain->model_type,
        .line = plain->line,
        .hidden = plain->hidden,
        .vocab = plain->vocab,
        .mixers = mixer,
        .ffns = ffn,
        .blocks = blocks,
        .mixer_count = 1,
        .ffn_count = 1,
        .block_count = plain->layers,
        .norms = plain->pre_norm ? SIM_NORMS_PRE : SIM_NORMS_POST,
        .embed_width = plain->embed_width,
        .position_rows = plain->position_rows,
        .final_norm = plain->final_norm,
        .head_outputs = plain->vocab,
        .tied = plain->tied,
        .norm_params = plain->norm_params,
        .norm_ops = plain->norm_ops,
        .attn_norm_name = plain->attn_norm_name,
        .ffn_norm_name = plain->ffn_norm_name,
        .final_norm_name = plain->final_norm_name,
    };
    return SIM_OK;
}

sim_status sim_llm_read_config(const sim_json *config, const char *file, sim_arena *arena, sim_llm_model *out,
                               sim_err *err)
{
    if (config->type != SIM_JSON_OBJECT) {
        return sim_fail(err, SIM_BAD_INPUT, file, config->line,
                        "a model must be an object of config.json fields, not %s",
                        sim_json_type_name(config->type));
    }
    const family *f = find_family(config);
    if (f == NULL) {
        const sim_json *text_config = sim_json_get(config, "text_config");
        if (text_config != NULL && text_config->type == SIM_JSON_OBJECT && find_family(text_config) != NULL) {
            config = text_config;
            f = find_family(config);
        } else {
            return no_family(config, file, err);
        }
    }
    plain_model plain = {.model_type = f->model_type, .line = config->line};
    reader r = {.config = config, .file = file, .err = err, .status = SIM_OK};
    for (const field *each = f->fields; each->key != NULL; each++)
        read_field(&r, each, &plain);
    f->finish(&r, &plain);
    return r.status == SIM_OK ? spread(&plain, file, arena, out, err) : r.status;
}
