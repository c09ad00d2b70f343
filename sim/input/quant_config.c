#include "input/quant_config.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { OUT_LISTS = 3 };

typedef struct reader {
    const char *file;
    sim_err *err;
    sim_status status;

    sim_number half;                /* torch_dtype: what is not quantized */
    sim_precision all;              /* of every linear that nothing below speaks of; w.bits 0: left alone */
    sim_number kv;                  /* bits 0: not quantized */
    bool head_too;                  /* lm_head is quantized like the rest */
    bool experts_alone;             /* nothing but the experts is */
    const sim_json *out[OUT_LISTS]; /* lists of modules that stay out */
    const sim_json *groups;         /* config_groups: scheme by target */
    const sim_json *named;          /* quantized_layers: algorithm by module */
} reader;

/* ---- members ---------------------------------------------------------------------------------------- */

static const sim_json *get(const sim_json *object, const char *key)
{
    const sim_json *value = object && object->type == SIM_JSON_OBJECT ? sim_json_get(object, key) : NULL;

    return value && value->type != SIM_JSON_NULL ? value : NULL;
}

static const char *text_of(const sim_json *object, const char *key)
{
    const sim_json *value = get(object, key);

    return value && value->type == SIM_JSON_TEXT ? value->text : NULL;
}

static bool is_true(const sim_json *object, const char *key)
{
    const sim_json *value = get(object, key);

    return value && value->type == SIM_JSON_BOOL && value->boolean;
}

static void wrong(reader *r, const sim_json *at, const char *what, const char *word, const char *hint)
{
    r->status = sim_fail(r->err, SIM_BAD_INPUT, r->file, at->line, "%s '%s'", what, word);
    sim_hint(r->err, "%s", hint);
}

static int bits_of(reader *r, const sim_json *object, const char *key, int most)
{
    const sim_json *value = get(object, key);

    if (value && value->type == SIM_JSON_INT && value->integer >= 1 && value->integer <= most)
        return (int)value->integer;
    r->status = sim_fail(r->err, SIM_BAD_INPUT, r->file, (value ? value : object)->line,
                         "'%s' must be an integer from 1 to %d", key, most);
    return 1;
}

/* A group size along k; -1 (whole rows), absent or larger than any k: none. */
static int group_of(const sim_json *object, const char *key)
{
    const sim_json *value = get(object, key);

    return value && value->type == SIM_JSON_INT && value->integer > 0 && value->integer < 1 << 20
               ? (int)value->integer
               : 0;
}

/* ---- methods ---------------------------------------------------------------------------------------- */

static sim_number integer(int bits)
{
    return (sim_number){SIM_FORMAT_INT, bits};
}

static const sim_number fp8 = {SIM_FORMAT_FP8, 8}, nvfp4 = {SIM_FORMAT_NVFP, 4}, mxfp4 = {SIM_FORMAT_MXFP, 4};

/* modelopt's algorithms. */
static bool algorithm(reader *r, const sim_json *object, const char *name, sim_precision *out)
{
    const struct {
        const char *name;
        sim_number w, a;
    } known[] = {
        {"FP8", fp8, fp8},
        {"FP8_PB_WO", fp8, r->half},
        {"FP8_PER_CHANNEL_PER_TOKEN", fp8, fp8},
        {"NVFP4", nvfp4, nvfp4},
        {"NVFP4_AWQ", nvfp4, nvfp4},
        {"MXFP4", mxfp4, r->half},
        {"W4A16_AWQ", integer(4), r->half},
        {"W4A8_AWQ", integer(4), fp8},
        {"W8A16", integer(8), r->half},
        {"W4A16", integer(4), r->half},
        {"INT8_SQ", integer(8), integer(8)},
        {"W8A8_SQ_PER_CHANNEL", integer(8), integer(8)},
        {"W8A8_SQ_PER_CHANNEL_PER_TOKEN_PLUGIN", integer(8), integer(8)},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) {
            *out = (sim_precision){.w = known[i].w, .a = known[i].a};
            if (known[i].w.format == SIM_FORMAT_INT)
                out->group = group_of(object, "group_size");
            return true;
        }
    return false;
}

/* {"num_bits": 4, "type": "int", "group_size": 128} of compressed-tensors. */
static sim_number scheme_number(reader *r, const sim_json *scheme)
{
    const char *type = text_of(scheme, "type");
    int bits = bits_of(r, scheme, "num_bits", 16);

    if (type && strcmp(type, "float") == 0)
        return bits == 8 ? fp8 : bits == 4 ? nvfp4 : r->half;
    return integer(bits);
}

static sim_precision group_precision(reader *r, const sim_json *group)
{
    const sim_json *weights = get(group, "weights"), *inputs = get(group, "input_activations");
    sim_precision p = {.w = r->half, .a = r->half};

    if (weights)
        p.w = scheme_number(r, weights);
    if (inputs)
        p.a = scheme_number(r, inputs);
    if (weights && p.w.format == SIM_FORMAT_INT)
        p.group = group_of(weights, "group_size");
    return p;
}

static void read_kv(reader *r, const sim_json *q)
{
    const sim_json *scheme = get(q, "kv_cache_scheme");
    const char *name = text_of(q, "kv_cache_quant_algo");

    if (scheme && scheme->type == SIM_JSON_OBJECT)
        r->kv = scheme_number(r, scheme);
    else if (name && strcmp(name, "FP8") == 0)
        r->kv = fp8;
    else if (name && strcmp(name, "INT8") == 0)
        r->kv = integer(8);
    else if (name && strcmp(name, "NVFP4") == 0)
        r->kv = nvfp4;
}

static void read_modelopt(reader *r, const sim_json *q, const char *name)
{
    r->named = get(q, "quantized_layers");
    if (strcmp(name, "MIXED_PRECISION") == 0) {
        if (!r->named)
            wrong(r, q, "no 'quantized_layers' beside", name, "they say which layer has which algorithm");
    } else if (!algorithm(r, q, name, &r->all)) {
        wrong(r, get(q, "quant_algo"), "unknown quant_algo", name,
              "known: FP8, NVFP4, MXFP4, W4A16_AWQ, W4A8_AWQ, W8A16, INT8_SQ, W8A8_SQ_PER_CHANNEL, "
              "MIXED_PRECISION; give --policy instead");
    }
}

static void read_method(reader *r, const sim_json *q, const char *method)
{
    static const char *const by_group[] = {"gptq", "awq", "auto-round", "auto_gptq", "gptq_marlin", NULL};
    const char *algo = text_of(q, "quant_algo");

    for (int i = 0; by_group[i]; i++)
        if (strcmp(method, by_group[i]) == 0) {
            r->all = (sim_precision){.w = integer(bits_of(r, q, "bits", 8)), .a = r->half};
            r->all.group = group_of(q, "group_size");
            r->head_too = is_true(q, "lm_head");
            return;
        }
    if (algo) {
        read_modelopt(r, q, algo);
    } else if (get(q, "config_groups")) {
        r->groups = get(q, "config_groups");
    } else if (strcmp(method, "fp8") == 0 || strcmp(method, "fbgemm_fp8") == 0) {
        r->all = (sim_precision){.w = fp8, .a = fp8};
    } else if (strcmp(method, "mxfp4") == 0) {
        r->all = (sim_precision){.w = mxfp4, .a = r->half};
        r->experts_alone = true;
    } else if (strcmp(method, "bitsandbytes") == 0) {
        r->all = is_true(q, "load_in_4bit") ? (sim_precision){.w = integer(4), .a = r->half, .group = 64}
                                            : (sim_precision){.w = integer(8), .a = integer(8)};
    } else {
        wrong(r, get(q, "quant_method") ? get(q, "quant_method") : q, "unknown quant_method", method,
              "known: fp8, fbgemm_fp8, gptq, awq, auto-round, compressed-tensors, modelopt, mxfp4, "
              "bitsandbytes; give --policy instead");
    }
}

/* ---- modules ---------------------------------------------------------------------------------------- */

/* What a module is called apart from where the model hangs in its class. */
static const char *bare(const char *name)
{
    static const char *const stems[] = {
        "model.language_model.", "language_model.model.", "language_model.", "model.", "transformer.", NULL};

    for (int i = 0; stems[i]; i++)
        if (strncmp(name, stems[i], strlen(stems[i])) == 0)
            return name + strlen(stems[i]);
    return name;
}

/* "re:.*self_attn\.k_proj$" -> "*self_attn.k_proj": `.*` is the one thing that such lists use. */
static void as_glob(const char *pattern, char *out, size_t size)
{
    size_t n = 0;

    if (strncmp(pattern, "re:", 3) != 0) {
        snprintf(out, size, "%s", bare(pattern));
        return;
    }
    for (const char *p = pattern + 3; *p && n + 1 < size; p++) {
        if (*p == '^' || *p == '$' || *p == '\\')
            continue;
        if (*p == '.' && p[1] == '*') {
            out[n++] = '*';
            p++;
        } else {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
    memmove(out, bare(out), strlen(bare(out)) + 1);
}

/* A pattern speaks of a module and of all that is in it. */
static bool speaks_of(const char *pattern, const char *module)
{
    char glob[256], inside[260];

    as_glob(pattern, glob, sizeof glob);
    snprintf(inside, sizeof inside, "%s.*", glob);
    if (sim_glob(glob, module) || sim_glob(inside, module))
        return true;
    snprintf(inside, sizeof inside, "*.%s", glob);
    if (sim_glob(inside, module))
        return true;
    snprintf(inside, sizeof inside, "*.%s.*", glob);
    return sim_glob(inside, module);
}

/* Where HF keeps a layer of ours: parts of a block by what they are for. */
static const struct {
    const char *of, *in[4];
} homes[] = {
    {"q_proj k_proj v_proj o_proj qkv_proj q_a_proj q_b_proj kv_a_proj_with_mqa kv_b_proj kv_proj o_a_proj "
     "o_b_proj indexer",
     {"self_attn", "attn", "attention", NULL}},
    {"in_proj_qkvz in_proj_ba in_proj_qkv in_proj_z in_proj_b in_proj_a conv1d", {"linear_attn", NULL}},
    {"in_proj out_proj", {"mixer", "linear_attn", NULL}},
    {NULL, {"mlp", "ffn", "feed_forward", "block_sparse_moe"}},
};

static bool is_word(const char *word, size_t length, const char *words)
{
    for (const char *at = words; (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* The place of "q_proj" in homes; `part` runs to the first dot. */
static int home_of(const char *part)
{
    char word[64];
    size_t length = strcspn(part, ".");
    int i = 0;

    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, part, length);
    word[length] = '\0';
    while (homes[i].of && !is_word(word, length, homes[i].of))
        i++;
    return i;
}

/* Modules that a layer may be in a checkpoint; returns how many. */
static int modules_of(const char *layer, char out[8][160])
{
    const char *part = layer;
    int count = 0, home;

    if (strncmp(layer, "layers.", 7) != 0) {
        snprintf(out[count++], sizeof out[0], "%s", layer);
        if (strcmp(layer, "lm_head") == 0)
            snprintf(out[count++], sizeof out[0], "head");
        return count;
    }
    part += 7;
    part += strspn(part, "0123456789");
    part += *part == '.';
    home = home_of(part);
    for (int i = 0; i < 4 && homes[home].in[i]; i++) {
        int block = (int)(part - layer);

        if (strcmp(part, "router") == 0) {
            snprintf(out[count++], sizeof out[0], "%.*s%s.gate", block, layer, homes[home].in[i]);
            snprintf(out[count++], sizeof out[0], "%.*s%s.router", block, layer, homes[home].in[i]);
        } else {
            snprintf(out[count++], sizeof out[0], "%.*s%s.%s", block, layer, homes[home].in[i], part);
        }
    }
    return count;
}

static bool any_speaks(const char *pattern, char modules[8][160], int count)
{
    for (int i = 0; i < count; i++)
        if (speaks_of(pattern, modules[i]))
            return true;
    return false;
}

static bool stays_out(const reader *r, char modules[8][160], int count)
{
    for (int l = 0; l < OUT_LISTS; l++)
        for (const sim_json *m = r->out[l] ? r->out[l]->child : NULL; m; m = m->next)
            if (m->type == SIM_JSON_TEXT && any_speaks(m->text, modules, count))
                return true;
    return false;
}

/* ---- layers ----------------------------------------------------------------------------------------- */

static bool targets(const sim_json *group, char modules[8][160], int count)
{
    const sim_json *list = get(group, "targets");

    for (const sim_json *t = list ? list->child : NULL; t; t = t->next)
        if (t->type == SIM_JSON_TEXT &&
            (strcmp(t->text, "Linear") == 0 || any_speaks(t->text, modules, count)))
            return true;
    return !list;
}

/* What the checkpoint's weights of this layer are; false: not quantized. */
static bool quantized(reader *r, const char *layer, sim_precision *out)
{
    const bool expert = strstr(layer, ".experts.") != NULL;
    char modules[8][160];
    int count = modules_of(layer, modules);

    *out = r->all;
    if ((strcmp(layer, "lm_head") == 0 && !r->head_too) || strstr(layer, ".router") ||
        strstr(layer, ".shared_expert_gate") || (r->experts_alone && !expert) || stays_out(r, modules, count))
        return false;
    for (const sim_json *n = r->named ? r->named->child : NULL; n; n = n->next) {
        const char *name = text_of(n, "quant_algo");

        if (name && any_speaks(n->key, modules, count) && algorithm(r, n, name, out))
            return true;
    }
    for (const sim_json *g = r->groups ? r->groups->child : NULL; g; g = g->next)
        if (targets(g, modules, count)) {
            *out = group_precision(r, g);
            return true;
        }
    return out->w.bits > 0;
}

static sim_number half_of(const sim_json *config)
{
    const sim_json *inner = get(config, "text_config");
    const char *dtype = text_of(config, "torch_dtype");

    if (!dtype)
        dtype = text_of(config, "dtype");
    if (!dtype && inner)
        dtype = text_of(inner, "torch_dtype") ? text_of(inner, "torch_dtype") : text_of(inner, "dtype");
    return dtype && strcmp(dtype, "float16") == 0 ? (sim_number){SIM_FORMAT_FP, 16}
                                                  : (sim_number){SIM_FORMAT_BF, 16};
}

static void set_layer(reader *r, sim_layer *layer)
{
    sim_precision p;

    if (layer->keep_float && !r->head_too)
        return; /* has a rule of its own */
    layer->from_checkpoint = true;
    layer->own = (sim_precision){.w = r->half, .a = r->half, .kv = r->kv.bits > 0 ? r->kv : r->half};
    if (layer->op == SIM_OP_MATMUL && layer->weights == SIM_WEIGHTS_STATIC && quantized(r, layer->name, &p)) {
        layer->own.w = p.w;
        layer->own.a = p.a;
        layer->own.group = p.group;
    }
}

sim_status sim_quant_config_apply(const sim_json *config, const sim_json *beside, const char *file,
                                  const char *beside_file, sim_arena *arena, sim_layer *layers, int64_t count,
                                  const char **method, sim_err *err)
{
    const sim_json *q = get(config, "quantization_config"), *inner = get(config, "text_config");
    reader r = {.file = file, .err = err, .half = half_of(config)};
    const char *name;

    *method = NULL;
    if (!q && inner)
        q = get(inner, "quantization_config");
    if (beside) {
        const sim_json *own = get(beside, "quantization");

        q = own ? own : beside;
        r.file = beside_file;
    }
    if (!q || q->type != SIM_JSON_OBJECT)
        return SIM_OK;
    name = text_of(q, "quant_algo");
    if (!name)
        name = text_of(q, "quant_method");
    if (!name)
        return SIM_OK; /* quantization was switched off */
    r.out[0] = get(q, "modules_to_not_convert");
    r.out[1] = get(q, "exclude_modules");
    r.out[2] = get(q, "ignore");
    read_kv(&r, q);
    read_method(&r, q, name);
    for (int64_t i = 0; i < count && r.status == SIM_OK; i++)
        set_layer(&r, &layers[i]);
    for (int64_t i = 0; i < count && r.status != SIM_OK; i++) {
        layers[i].from_checkpoint = false;
        layers[i].own = (sim_precision){0};
    }
    if (r.status == SIM_OK)
        *method = sim_arena_text(arena, name, strlen(name));
    if (r.status == SIM_OK && !*method)
        return sim_fail(err, SIM_NO_MEMORY, file, 0, "out of memory");
    return r.status;
}
