/* Policies: the grammar of uniform ones, files of rules, and lists by position. */
#include "input/policy.h"

#include "base/json.h"
#include "base/text.h"
#include "input/json_read.h"
#include "input/number.h"

#include <stdio.h>
#include <string.h>

#define SUPPORTED                                                                                            \
    "w<bits>a<bits>[kv<bits>][g<group>][o<1 to 3>] with 1 to 16 bits, such as w4a8, w4a16g128kv8 or "        \
    "w8a8o3; "                                                                                               \
    "fp32 fp16 bf16 fp8 mxfp4 nvfp4; or a JSON file of rules"

/* ---- uniform policies ----------------------------------------------------------------------------- */

typedef struct named_format {
    const char *name;
    sim_number number;
} named_format;

static const named_format float_policies[] = {
    {"fp32", {SIM_FORMAT_FP, 32}}, {"fp16", {SIM_FORMAT_FP, 16}},   {"bf16", {SIM_FORMAT_BF, 16}},
    {"fp8", {SIM_FORMAT_FP8, 8}},  {"mxfp4", {SIM_FORMAT_MXFP, 4}}, {"nvfp4", {SIM_FORMAT_NVFP, 4}},
};

enum { FLOAT_POLICIES = sizeof float_policies / sizeof *float_policies };

typedef struct suffix {
    const char *letters, *what, *unit;
    int64_t max;
    bool given;
    int value;
} suffix;

enum { SUFFIX_W, SUFFIX_A, SUFFIX_KV, SUFFIX_GROUP, SUFFIX_SCALES, SUFFIX_COUNT };

/* SmoothQuant's O1, O2 and O3. */
static const sim_scales schemes[] = {SIM_SCALES_UNSET, SIM_SCALES_PER_TOKEN, SIM_SCALES_PER_TENSOR,
                                     SIM_SCALES_STATIC};
enum { SCHEMES = 3 };

/* The suffix that `p` begins with; NULL when none does. */
static suffix *find_suffix(suffix suffixes[SUFFIX_COUNT], const char *p)
{
    for (int i = 0; i < SUFFIX_COUNT; i++)
        if (strncmp(p, suffixes[i].letters, strlen(suffixes[i].letters)) == 0)
            return &suffixes[i];
    return NULL;
}

/* Reads one "<letters><number>" and moves on; false with `why`. */
static bool read_suffix(suffix suffixes[SUFFIX_COUNT], const char **p, char *why, size_t why_size)
{
    suffix *s = find_suffix(suffixes, *p);
    char digits[12] = "";
    size_t length;
    int64_t value;

    if (!s) {
        snprintf(why, why_size, "'%s' is not understood", *p);
        return false;
    }
    if (s->given) {
        snprintf(why, why_size, "'%s' stands there twice", s->letters);
        return false;
    }
    *p += strlen(s->letters);
    length = strspn(*p, "0123456789");
    if (length == 0) {
        snprintf(why, why_size, "'%s' lacks its number", s->letters);
        return false;
    }
    if (length < sizeof digits)
        memcpy(digits, *p, length);
    if (!sim_parse_int(digits, &value) || value < 1 || value > s->max) {
        snprintf(why, why_size, "%s must be from 1 to %d %s, not %.*s", s->what, (int)s->max, s->unit,
                 (int)(length < 20 ? length : 20), *p);
        return false;
    }
    s->given = true;
    s->value = (int)value;
    *p += length;
    return true;
}

/* Whether `spec` is an attempt at the grammar at all. */
static bool is_of_grammar(const char *spec)
{
    return (*spec == 'w' || *spec == 'a') && spec[1] >= '0' && spec[1] <= '9';
}

bool sim_policy_parse(const char *spec, sim_precision *out, char *why, size_t why_size)
{
    suffix s[SUFFIX_COUNT] = {
        {"w", "weights", "bits", SIM_INT_BITS_MAX, false, 0},
        {"a", "activations", "bits", SIM_INT_BITS_MAX, false, 0},
        {"kv", "the KV cache", "bits", SIM_INT_BITS_MAX, false, 0},
        {"g", "groups", "weights", SIM_GROUP_MAX, false, 0},
        {"o", "the scheme of activations", "(per token, per tensor, static)", SCHEMES, false, 0},
    };
    const char *p = spec;

    for (int i = 0; i < FLOAT_POLICIES; i++)
        if (strcmp(spec, float_policies[i].name) == 0) {
            const sim_number number = float_policies[i].number;

            *out = (sim_precision){.w = number, .a = number, .kv = number};
            return true;
        }
    if (!is_of_grammar(spec)) {
        snprintf(why, why_size, "it is neither of the form w4a8 nor the name of a format");
        return false;
    }
    while (*p)
        if (!read_suffix(s, &p, why, why_size))
            return false;
    if (!s[SUFFIX_W].given || !s[SUFFIX_A].given) {
        snprintf(why, why_size, "a policy names both weights and activations; the %s are missing",
                 s[SUFFIX_W].given ? "activations" : "weights");
        return false;
    }
    *out = (sim_precision){
        .w = {SIM_FORMAT_INT, s[SUFFIX_W].value},
        .a = {SIM_FORMAT_INT, s[SUFFIX_A].value},
        .kv = {SIM_FORMAT_INT, s[SUFFIX_KV].given ? s[SUFFIX_KV].value : s[SUFFIX_A].value},
        .group = s[SUFFIX_GROUP].value,
        .scales = schemes[s[SUFFIX_SCALES].value],
    };
    return true;
}

static sim_status fail_spec(const char *spec, const char *why, const char *file, int line, sim_err *err)
{
    /* common ones stand for all of the grammar */
    static const char *const likely[] = {"fp32", "fp16", "bf16", "fp8",   "mxfp4", "nvfp4",
                                         "w8a8", "w4a8", "w4a4", "w4a16", "w8a16", NULL};
    const char *near = is_of_grammar(spec) ? NULL : sim_nearest(spec, likely);
    sim_status status = sim_fail(err, SIM_BAD_INPUT, file, line, "policy '%s': %s", spec, why);

    if (near)
        sim_hint(err, "did you mean '%s'? Supported: " SUPPORTED, near);
    else
        sim_hint(err, "supported: " SUPPORTED);
    return status;
}

/* ---- files ---------------------------------------------------------------------------------------- */

/* The members of a search result that are not the policy come along unread, as do those that say where a
 * list by position is from. */
static const char *const file_keys[] = {
    "name", "default", "policy",      "rules", "layers_w_a_bits", "network",     "source",        "objective",
    "cost", "budget",  "lower_bound", "gap",   "method",          "activations", "outliers_frac", NULL};
static const char *const rule_keys[] = {"layer",       "w_bits",        "a_bits",    "kv_bits",
                                        "w_format",    "a_format",      "kv_format", "group",
                                        "activations", "outliers_frac", NULL};

/* "activations" and "outliers_frac"; true when either stands there. */
static bool read_numerics(sim_json_reader *r, const sim_json *object, sim_precision *out)
{
    int scales;
    double outliers_frac;
    bool sets = false;

    if (sim_json_read_word(r, object, "activations", NULL, &sim_scales_names[SIM_SCALES_NONE], &scales)) {
        out->scales = (sim_scales)(SIM_SCALES_NONE + scales);
        sets = true;
    }
    if (sim_json_read_real(r, object, "outliers_frac", 0, 0.5, &outliers_frac)) {
        out->outliers_frac = outliers_frac > 0 ? outliers_frac : -1; /* 0 switches off */
        sets = true;
    }
    return sets;
}

static void read_rule(sim_json_reader *r, const sim_json *value, sim_policy_rule *rule)
{
    const char *glob = "";
    sim_precision *p = &rule->precision;
    int64_t group;
    sim_status before = r->status; /* here only slips of this rule count */
    bool sets = false;

    if (value->type != SIM_JSON_OBJECT) {
        sim_json_error(r, SIM_BAD_INPUT, value->line, "a rule must be an object, not %s",
                       sim_json_type_name(value->type));
        return;
    }
    *rule = (sim_policy_rule){.precision.group = -1};
    r->status = SIM_OK;
    sim_json_check_keys(r, value, "a rule", rule_keys);
    sim_json_read_text(r, value, "layer", "the rule", &glob);
    rule->glob = glob;
    sets |= sim_json_read_number(r, value, "w_bits", "w_format", &p->w);
    sets |= sim_json_read_number(r, value, "a_bits", "a_format", &p->a);
    sets |= sim_json_read_number(r, value, "kv_bits", "kv_format", &p->kv);
    if (sim_json_read_int(r, value, "group", NULL, 0, SIM_GROUP_MAX, &group)) {
        p->group = (int)group;
        sets = true;
    }
    sets |= read_numerics(r, value, p);
    if (!sets && r->status == SIM_OK) {
        sim_json_error(r, SIM_BAD_INPUT, value->line, "the rule for '%s' sets nothing", glob);
        sim_hint(r->err, "give w_bits, a_bits, kv_bits or group");
    }
    if (before != SIM_OK)
        r->status = before;
}

static void read_rules(sim_json_reader *r, const sim_json *list, sim_arena *arena, sim_policy *out)
{
    sim_policy_rule *rules;
    int64_t i = 0;

    if (list->type != SIM_JSON_ARRAY) {
        sim_json_error(r, SIM_BAD_INPUT, list->line, "'%s' must be an array of rules, not %s", list->key,
                       sim_json_type_name(list->type));
        return;
    }
    rules = sim_arena_alloc(arena, (size_t)list->count, sizeof *rules);
    if (!rules) {
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
        return;
    }
    for (const sim_json *rule = list->child; rule; rule = rule->next)
        read_rule(r, rule, &rules[i++]);
    out->rules = rules;
    out->rule_count = list->count;
}

/* One number of a pair. HAQ writes -1 for an operand that it left unquantized (the input image) and prices
 * it at 8 bits. */
static void read_position_bits(sim_json_reader *r, const sim_json *value, const char *what, int64_t position,
                               sim_number *out)
{
    enum { UNQUANTIZED = -1, PRICED_AT_BITS = 8 };

    *out = (sim_number){SIM_FORMAT_INT, PRICED_AT_BITS};
    if (value->type != SIM_JSON_INT) {
        sim_json_error(r, SIM_BAD_INPUT, value->line, "%s of pair %lld must be an integer, not %s", what,
                       (long long)position,
                       value->type == SIM_JSON_REAL ? "a real number" : sim_json_type_name(value->type));
    } else if (value->integer != UNQUANTIZED) {
        if (sim_number_exists(SIM_FORMAT_INT, value->integer)) {
            out->bits = (int)value->integer;
            return;
        }
        sim_json_error(r, SIM_BAD_INPUT, value->line, "%s of pair %lld is %lld: %s", what,
                       (long long)position, (long long)value->integer, sim_format_widths(SIM_FORMAT_INT));
        sim_hint(r->err, "-1 stands for not quantized and is priced at 8 bits");
    }
}

/* [[w, a], ...]: a pair for each layer with weights, first to last. */
static void read_positions(sim_json_reader *r, const sim_json *list, sim_arena *arena, sim_policy *out)
{
    sim_precision *positions;
    int64_t i = 0;

    if (list->type != SIM_JSON_ARRAY || list->count == 0) {
        sim_json_error(r, SIM_BAD_INPUT, list->line,
                       "a policy by position is a list of pairs [w_bits, a_bits], one for each layer with "
                       "weights, not %s",
                       list->type == SIM_JSON_ARRAY ? "an empty one" : sim_json_type_name(list->type));
        return;
    }
    positions = sim_arena_alloc(arena, (size_t)list->count, sizeof *positions);
    if (!positions) {
        sim_json_error(r, SIM_NO_MEMORY, 0, "out of memory");
        return;
    }
    for (const sim_json *pair = list->child; pair; pair = pair->next, i++) {
        if (pair->type != SIM_JSON_ARRAY || pair->count != 2) {
            sim_json_error(r, SIM_BAD_INPUT, pair->line, "pair %lld must be [w_bits, a_bits], not %s%s",
                           (long long)i + 1, sim_json_type_name(pair->type),
                           pair->type == SIM_JSON_ARRAY ? " of another length" : "");
            continue;
        }
        read_position_bits(r, pair->child, "w_bits", i + 1, &positions[i].w);
        read_position_bits(r, pair->child->next, "a_bits", i + 1, &positions[i].a);
    }
    out->positions = positions;
    out->position_count = list->count;
}

/* "dir/mixed.json" -> "mixed"; NULL when memory is out. */
static const char *stem_of(const char *path, sim_arena *arena)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);

    if (length > 5 && strcmp(base + length - 5, ".json") == 0)
        length -= 5;
    return sim_arena_text(arena, base, length);
}

static void read_default(sim_json_reader *r, const sim_json *root, sim_policy *out)
{
    const sim_json *at = sim_json_get(root, "default");
    const char *spec = NULL;
    char why[SIM_ERR_TEXT];

    if (!sim_json_read_text(r, root, "default", NULL, &spec))
        return;
    out->overrides_own = true;
    if (!sim_policy_parse(spec, &out->base, why, sizeof why)) {
        sim_status status = fail_spec(spec, why, r->file, at->line, r->err);

        r->status = r->status == SIM_OK ? status : r->status;
    }
}

static void read_object(sim_json_reader *r, const sim_json *root, sim_arena *arena, sim_policy *out)
{
    const sim_json *rules = sim_json_get(root, "policy"), *other = sim_json_get(root, "rules");
    const sim_json *positions = sim_json_get(root, "layers_w_a_bits");
    const char *unused;

    sim_json_check_keys(r, root, "a policy file", file_keys);
    sim_json_read_text(r, root, "name", NULL, &out->name);
    sim_json_read_text(r, root, "network", NULL, &unused);
    sim_json_read_text(r, root, "source", NULL, &unused);
    read_default(r, root, out);
    read_numerics(r, root, &out->base);
    if (positions)
        read_positions(r, positions, arena, out);
    if (rules && other)
        sim_json_error(r, SIM_BAD_INPUT, other->line, "'policy' and 'rules' are two names of the same list");
    else if (rules || other)
        read_rules(r, rules ? rules : other, arena, out);
    else if (!positions && !sim_json_get(root, "default") && r->status == SIM_OK)
        sim_json_error(
            r, SIM_BAD_INPUT, root->line,
            "a policy file needs 'policy' (a list of rules), 'layers_w_a_bits' (a list by position) "
            "or 'default'");
}

static sim_status read_root(const sim_json *root, const char *file, sim_arena *arena, sim_policy *out,
                            sim_err *err)
{
    sim_json_reader r = {.file = file, .err = err};

    if (root->type != SIM_JSON_OBJECT && root->type != SIM_JSON_ARRAY)
        return sim_fail(err, SIM_BAD_INPUT, file, root->line,
                        "a policy file must be an object, or a list of pairs [w_bits, a_bits], not %s",
                        sim_json_type_name(root->type));
    if (root->type == SIM_JSON_OBJECT)
        read_object(&r, root, arena, out);
    else
        read_positions(&r, root, arena, out);
    if (!out->name)
        out->name = stem_of(file, arena);
    out->file = sim_arena_text(arena, file, strlen(file));
    if (!out->name || !out->file)
        sim_json_error(&r, SIM_NO_MEMORY, 0, "out of memory");
    return r.status;
}

/* ---- entry points --------------------------------------------------------------------------------- */

static bool looks_like_path(const char *spec)
{
    size_t length = strlen(spec);

    return strchr(spec, '/') || (length >= 5 && strcmp(spec + length - 5, ".json") == 0);
}

sim_status sim_policy_read(const char *text, size_t length, const char *name, sim_arena *arena,
                           sim_policy *out, sim_err *err)
{
    const sim_json *root;
    sim_status status = sim_json_parse(text, length, name, arena, &root, err);

    *out = (sim_policy){0};
    return status == SIM_OK ? read_root(root, name, arena, out, err) : status;
}

sim_status sim_policy_load(const char *spec, sim_arena *arena, sim_policy *out, sim_err *err)
{
    const sim_json *root;
    char why[SIM_ERR_TEXT];
    sim_status status;

    *out = (sim_policy){0};
    if (!spec) {
        /* The base stays empty: own bits, and with them a kv width of their own, else 8 and 8. */
        out->name = "w8a8";
        return SIM_OK;
    }
    if (looks_like_path(spec)) {
        status = sim_json_load(spec, arena, &root, err);
        return status == SIM_OK ? read_root(root, spec, arena, out, err) : status;
    }
    if (!sim_policy_parse(spec, &out->base, why, sizeof why))
        return fail_spec(spec, why, NULL, 0, err);
    out->name = sim_arena_text(arena, spec, strlen(spec));
    if (!out->name)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    out->overrides_own = true;
    return SIM_OK;
}
