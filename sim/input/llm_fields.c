#include "input/llm_fields.h"

#include "base/text.h"
#include "input/vector_ops.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- members -------------------------------------------------------------------------------------- */

const sim_json *sim_llm_member(const sim_llm_reader *r, const char *key)
{
    const sim_json *value = sim_json_get(r->config, key);

    if (!value && strcmp(key, "tie_word_embeddings") == 0)
        value = sim_json_get(r->around, key);
    return value && value->type != SIM_JSON_NULL ? value : NULL;
}

int sim_llm_line(const sim_llm_reader *r, const char *key)
{
    const sim_json *value = sim_llm_member(r, key);

    return value ? value->line : r->config->line;
}

/* ---- errors --------------------------------------------------------------------------------------- */

static void failed(sim_llm_reader *r, sim_status status)
{
    if (r->status == SIM_OK)
        r->status = status;
}

void sim_llm_wrong(sim_llm_reader *r, const char *key, const char *format, ...)
{
    char text[SIM_ERR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, sim_llm_line(r, key), "%s", text));
}

static void wrong_type(sim_llm_reader *r, const sim_json *value, const char *wanted)
{
    failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line, "'%s' must be %s, not %s", value->key,
                       wanted, sim_json_type_name(value->type)));
}

/* Unknown fields of a config.json are ignored, so a misspelt one shows only as a missing one. */
void sim_llm_missing(sim_llm_reader *r, const char *key)
{
    const char *const wanted[] = {key, NULL};

    failed(r,
           sim_fail(r->err, SIM_BAD_INPUT, r->file, r->config->line, "'%s' is missing from the model", key));
    for (const sim_json *m = r->config->child; m; m = m->next)
        if (m->key && strcmp(m->key, key) != 0 && sim_nearest(m->key, wanted)) {
            sim_hint(r->err, "is '%s' on line %d a misspelling of it?", m->key, m->line);
            return;
        }
}

/* ---- values --------------------------------------------------------------------------------------- */

static void read_count(sim_llm_reader *r, const sim_json *value, int64_t least, int64_t most, int64_t *out)
{
    const char *wanted = least > 0 ? "a positive integer" : "an integer of at least 0";

    if (value->type == SIM_JSON_REAL)
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                           "'%s' must be %s, written without a decimal point", value->key, wanted));
    else if (value->type != SIM_JSON_INT)
        wrong_type(r, value, wanted);
    else if (value->integer < least)
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line, "'%s' must be %s, not %" PRId64,
                           value->key, wanted, value->integer));
    else if (value->integer > most)
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                           "'%s' is %" PRId64 ", at most %" PRId64, value->key, value->integer, most));
    else
        *out = value->integer;
}

int64_t sim_llm_count(sim_llm_reader *r, const char *key, int64_t fallback)
{
    const sim_json *value = sim_llm_member(r, key);
    int64_t count = fallback;

    if (value)
        read_count(r, value, 0, INT64_MAX - 2, &count);
    return count;
}

bool sim_llm_flag(sim_llm_reader *r, const char *key, bool fallback)
{
    const sim_json *value = sim_llm_member(r, key);

    if (!value)
        return fallback;
    if (value->type != SIM_JSON_BOOL)
        wrong_type(r, value, "true or false");
    return value->boolean;
}

/* Names as in HF's table of activation functions. */
static const char *const activation_names[] = {
    "relu", "relu2", "silu", "swish", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", NULL};
static const int activation_ops[] = {SIM_OPS_RELU,      SIM_OPS_RELU + SIM_OPS_MULTIPLY,
                                     SIM_OPS_SILU,      SIM_OPS_SILU,
                                     SIM_OPS_GELU,      SIM_OPS_GELU_TANH,
                                     SIM_OPS_GELU_TANH, SIM_OPS_GELU_TANH};
_Static_assert(sizeof activation_names / sizeof *activation_names ==
                   sizeof activation_ops / sizeof *activation_ops + 1,
               "one cost per activation");

double sim_llm_activation(sim_llm_reader *r, const char *key, double fallback)
{
    const sim_json *value = sim_llm_member(r, key);
    const char *near;

    if (!value)
        return fallback;
    if (value->type != SIM_JSON_TEXT) {
        wrong_type(r, value, "the name of an activation function");
        return fallback;
    }
    for (size_t i = 0; activation_names[i]; i++)
        if (strcmp(value->text, activation_names[i]) == 0)
            return activation_ops[i];
    failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, value->line,
                       "unknown activation function '%s' in '%s'", value->text, value->key));
    near = sim_nearest(value->text, activation_names);
    if (near)
        sim_hint(r->err, "did you mean '%s'?", near);
    else
        sim_hint(r->err, "known: relu, relu2, silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh");
    return fallback;
}

/* ---- lists ---------------------------------------------------------------------------------------- */

static void read_field(sim_llm_reader *r, const sim_llm_field *f, sim_llm_fields *out)
{
    void *at = (char *)out + f->offset;
    const sim_json *value = sim_llm_member(r, f->key);

    if (!value && f->older)
        value = sim_llm_member(r, f->older);
    if (!value && f->required)
        sim_llm_missing(r, f->key);
    switch (f->kind) {
    case SIM_LLM_COUNT:
    case SIM_LLM_SIZE:
        *(int64_t *)at = f->fallback;
        if (value)
            read_count(r, value, f->kind == SIM_LLM_COUNT, f->max, at);
        break;
    case SIM_LLM_FLAG:
        *(bool *)at = sim_llm_flag(r, f->key, f->fallback != 0);
        break;
    case SIM_LLM_ACTIVATION:
        *(double *)at = sim_llm_activation(r, f->key, (double)f->fallback);
        break;
    }
}

void sim_llm_read_fields(sim_llm_reader *r, const sim_llm_field *fields, sim_llm_fields *out)
{
    for (const sim_llm_field *f = fields; f->key; f++)
        read_field(r, f, out);
}

bool sim_llm_words(sim_llm_reader *r, const char *key, int64_t count, const char *const *words, int *out)
{
    const sim_json *list = sim_llm_member(r, key);
    int64_t i = 0;

    if (!list)
        return false;
    if (list->type != SIM_JSON_ARRAY) {
        wrong_type(r, list, "a list with a word per layer");
        return true;
    }
    for (const sim_json *item = list->child; item; item = item->next, i++) {
        int word = 0;

        if (i >= count)
            continue;
        while (item->type == SIM_JSON_TEXT && words[word] && strcmp(words[word], item->text) != 0)
            word++;
        if (item->type == SIM_JSON_TEXT && words[word]) {
            out[i] = word;
            continue;
        }
        out[i] = 0;
        failed(r, sim_fail(r->err, SIM_BAD_INPUT, r->file, item->line, "'%s': unknown kind of layer '%s'",
                           key, item->type == SIM_JSON_TEXT ? item->text : sim_json_type_name(item->type)));
        sim_hint(r->err, "known here: %s%s%s", words[0], words[1] ? ", " : "", words[1] ? words[1] : "");
        return true;
    }
    if (i != count)
        sim_llm_wrong(r, key, "'%s' has %" PRId64 " entries for %" PRId64 " layers", key, i, count);
    return true;
}

void sim_llm_finish_heads(sim_llm_reader *r, sim_llm_fields *f)
{
    if (f->kv_heads == 0)
        f->kv_heads = f->heads;
    if (f->kv_heads > 0 && f->heads % f->kv_heads != 0)
        sim_llm_wrong(r, "num_key_value_heads",
                      "'num_attention_heads' (%" PRId64
                      ") is not a multiple of 'num_key_value_heads' (%" PRId64 ")",
                      f->heads, f->kv_heads);
    if (f->head_dim != 0 || f->heads == 0 || f->hidden == 0)
        return;
    if (f->hidden % f->heads != 0) {
        sim_llm_wrong(r, "num_attention_heads",
                      "'hidden_size' (%" PRId64 ") is not a multiple of 'num_attention_heads' (%" PRId64 ")",
                      f->hidden, f->heads);
        return;
    }
    f->head_dim = f->hidden / f->heads;
}
