#include "explore/sweep_file.h"

#include "base/text.h"
#include "input/cfg.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct reader {
    const char *path;
    const sim_cfg *cfg;
    sim_sweep *out;
    sim_arena *arena;
    sim_err *err;
} reader;

static void no_memory(reader *r)
{
    sim_fail(r->err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static void slip(reader *r, const sim_cfg_setting *s, const char *wanted)
{
    sim_fail(r->err, SIM_BAD_INPUT, s->file, s->line, "'%s' must be %s, not %s", s->key, wanted,
             sim_cfg_type_name(s->value.type));
}

/* ---- values as text --------------------------------------------------------------------------------- */

static bool add_value(sim_text *out, const sim_cfg_value *v)
{
    switch (v->type) {
    case SIM_CFG_INT:
        sim_text_printf(out, "%lld", (long long)v->integer);
        return true;
    case SIM_CFG_REAL:
        sim_text_real(out, v->real);
        return true;
    case SIM_CFG_BOOL:
        sim_text_add(out, v->boolean ? "true" : "false");
        return true;
    case SIM_CFG_TEXT:
        sim_text_add(out, v->text);
        return true;
    default:
        return false;
    }
}

/* "4,8" of [4, 8]; NULL after an error. */
static const char *values_of(reader *r, const sim_cfg_setting *s)
{
    sim_text text = {.length = 0};
    const sim_cfg_value *v = &s->value;
    const char *copy = NULL;
    bool good = true;

    if (v->type == SIM_CFG_LIST) {
        good = v->count > 0;
        for (int64_t i = 0; i < v->count; i++) {
            sim_text_add(&text, i ? "," : "");
            good &= add_value(&text, &v->elements[i]);
        }
    } else {
        good = add_value(&text, v);
    }
    if (!good)
        slip(r, s, "a value or a list of values");
    else if (text.failed || !(copy = sim_arena_text(r->arena, text.data ? text.data : "", text.length)))
        no_memory(r);
    sim_text_free(&text);
    return copy;
}

/* A path beside the file, where there is such a file, else as it is. */
static const char *path_of(reader *r, const char *path)
{
    const char *slash = strrchr(r->path, '/');
    const char *beside = slash && path[0] != '/'
                             ? sim_arena_printf(r->arena, "%.*s/%s", (int)(slash - r->path), r->path, path)
                             : path;

    if (!beside)
        no_memory(r);
    return beside && access(beside, R_OK) == 0 ? beside : path;
}

static const char *paths_of(reader *r, const char *values)
{
    sim_text text = {.length = 0};
    const char *copy;

    for (const char *at = values; at;) {
        size_t length = strcspn(at, ",");
        char *one = sim_arena_text(r->arena, at, length);

        if (!one) {
            no_memory(r);
            break;
        }
        sim_text_printf(&text, "%s%s", text.length ? "," : "", path_of(r, one));
        at = at[length] ? at + length + 1 : NULL;
    }
    copy = text.failed ? NULL : sim_arena_text(r->arena, text.data ? text.data : "", text.length);
    sim_text_free(&text);
    if (!copy)
        no_memory(r);
    return copy;
}

/* ---- settings --------------------------------------------------------------------------------------- */

static void add_axis(reader *r, const char *name, const sim_cfg_setting *s)
{
    const char *values = values_of(r, s);

    if (values && (strcmp(name, "arch") == 0 || strcmp(name, "workload") == 0))
        values = paths_of(r, values);
    if (values)
        sim_space_axis(r->out->space, name, values, (sim_space_place){s->file, s->line}, r->err);
}

static int64_t count_of(reader *r, const sim_cfg_setting *s)
{
    if (s->value.type == SIM_CFG_INT && s->value.integer >= 1)
        return s->value.integer;
    slip(r, s, "an integer of at least 1, a list or a range");
    return 0;
}

static int word_of(reader *r, const sim_cfg_setting *s, const char *const *words)
{
    for (int i = 0; s->value.type == SIM_CFG_TEXT && words[i]; i++)
        if (strcmp(words[i], s->value.text) == 0)
            return i;
    sim_fail(r->err, SIM_BAD_INPUT, s->file, s->line, "'%s': unknown word '%s'", s->key,
             s->value.type == SIM_CFG_TEXT ? s->value.text : sim_cfg_type_name(s->value.type));
    return 0;
}

/* Numbers of how a model is used. */
static int64_t *count_field(sim_workload_request *r, const char *key)
{
    const struct {
        const char *key;
        int64_t *field;
    } fields[] = {{"batch", &r->batch},        {"context", &r->context_tokens}, {"prompt", &r->prompt_tokens},
                  {"new", &r->new_tokens},     {"chunk", &r->chunk_tokens},     {"draft", &r->draft_tokens},
                  {"tp", &r->tensor_parallel}, {"pp", &r->pipeline_parallel}};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].key, key) == 0)
            return fields[i].field;
    return NULL;
}

/* One that is there once, or a list, which is an axis. */
static void read_plain(reader *r, const sim_cfg_setting *s)
{
    sim_sweep_base *base = &r->out->base;
    const char *text = s->value.type == SIM_CFG_TEXT ? s->value.text : NULL;
    int64_t *count = count_field(&base->request, s->key);

    if (s->value.type == SIM_CFG_LIST || (count && text)) {
        add_axis(r, s->key, s);
    } else if (count) {
        *count = count_of(r, s);
    } else if (!text) {
        slip(r, s, "a text, or a list of texts");
    } else if (strcmp(s->key, "arch") == 0) {
        base->arch = path_of(r, text);
    } else if (strcmp(s->key, "workload") == 0) {
        base->workload = path_of(r, text);
    } else if (strcmp(s->key, "policy") == 0) {
        base->policy = text;
    } else if (strcmp(s->key, "objective") == 0) {
        base->objective = (sim_objective)word_of(r, s, sim_objective_names);
    } else if (strcmp(s->key, "mla") == 0) {
        base->request.mla = (sim_mla)word_of(r, s, sim_mla_names);
    } else {
        base->request.phase = (sim_phase)(word_of(r, s, sim_phase_names + 1) + 1);
    }
}

static void read_fixed(reader *r, sim_sweep_setting *to, const sim_cfg_setting *s)
{
    to->key = s->key + 4; /* after "set." */
    to->value = values_of(r, s);
    to->place = (sim_space_place){s->file, s->line};
}

static bool is_in(const char *key, const char *group)
{
    size_t length = strlen(group);

    return strncmp(key, group, length) == 0 && key[length] == '.';
}

/* An axis that takes values, not the name of a group of keys. */
static bool is_own_axis(const char *key, const char *const *plain, int count)
{
    static const char *const bits[] = {"w", "a", "kv", NULL};

    for (int i = 0; i < count; i++)
        if (strcmp(plain[i], key) == 0)
            return true;
    for (int i = 0; bits[i]; i++)
        if (strcmp(bits[i], key) == 0)
            return true;
    return false;
}

static void read_setting(reader *r, const sim_cfg_setting *s, sim_sweep_setting *settings)
{
    static const char *const known[] = {"arch",       "workload", "policy", "objective", "phase", "mla",
                                        "batch",      "context",  "prompt", "new",       "chunk", "draft",
                                        "tp",         "pp",       "axes",   "set",       "zip",   "filter",
                                        "constraint", "name",     NULL};
    enum { PLAIN = 14 }; /* of these, what the axes can be too */
    const char *near;

    for (int i = 0; i < PLAIN; i++)
        if (strcmp(known[i], s->key) == 0) {
            read_plain(r, s);
            return;
        }
    if (s->value.type == SIM_CFG_GROUP && is_in(s->key, "axes") && is_own_axis(s->key + 5, known, PLAIN)) {
        slip(r, s, "a value or a list of values");
        return;
    }
    if (s->value.type == SIM_CFG_GROUP && (strcmp(s->key, "axes") == 0 || strcmp(s->key, "set") == 0 ||
                                           is_in(s->key, "axes") || is_in(s->key, "set")))
        return;
    if (is_in(s->key, "axes")) {
        add_axis(r, s->key + 5, s);
    } else if (is_in(s->key, "set")) {
        read_fixed(r, &settings[r->out->base.setting_count++], s);
    } else if (strcmp(s->key, "name") != 0 && strcmp(s->key, "zip") != 0 && strcmp(s->key, "filter") != 0 &&
               strcmp(s->key, "constraint") != 0) {
        sim_fail(r->err, SIM_BAD_INPUT, s->file, s->line, "unknown key '%s' in a sweep", s->key);
        near = sim_nearest(s->key, known);
        if (near)
            sim_hint(r->err,
                     "did you mean '%s'? what varies belongs in 'axes', fixed keys of the arch in 'set'",
                     near);
        else
            sim_hint(
                r->err,
                "what varies belongs in 'axes', fixed keys of the arch in 'set'; see 'simacc help sweep'");
    }
}

/* What speaks of axes, once these are all there. */
static void read_relations(reader *r)
{
    const sim_cfg_setting *zip = sim_cfg_find(r->cfg, "zip"), *filter = sim_cfg_find(r->cfg, "filter");
    const sim_cfg_setting *constraint = sim_cfg_find(r->cfg, "constraint");

    if (zip && zip->value.type == SIM_CFG_TEXT)
        sim_space_zip(r->out->space, zip->value.text, (sim_space_place){zip->file, zip->line}, r->err);
    else if (zip && zip->value.type == SIM_CFG_LIST)
        for (int64_t i = 0; i < zip->value.count; i++) {
            if (zip->value.elements[i].type != SIM_CFG_TEXT)
                slip(r, zip, "a list of texts such as \"array.rows,array.cols\"");
            else
                sim_space_zip(r->out->space, zip->value.elements[i].text,
                              (sim_space_place){zip->file, zip->line}, r->err);
        }
    else if (zip)
        slip(r, zip, "a text such as \"array.rows,array.cols\", or a list of them");
    if (filter && filter->value.type == SIM_CFG_TEXT)
        sim_space_filter(r->out->space, filter->value.text, (sim_space_place){filter->file, filter->line},
                         r->err);
    else if (filter)
        slip(r, filter, "a text");
    if (constraint && constraint->value.type == SIM_CFG_TEXT)
        sim_expression_parse(constraint->value.text, sim_sweep_knows, r->out->space, constraint->file,
                             constraint->line, SIM_BAD_INPUT, r->arena, &r->out->constraint, r->err);
    else if (constraint)
        slip(r, constraint, "a text");
}

sim_status sim_sweep_load(const char *path, sim_arena *arena, sim_sweep *out, sim_err *err)
{
    const int before = err->count + err->dropped;
    reader r = {.path = path, .out = out, .arena = arena, .err = err};
    sim_sweep_setting *settings;
    sim_cfg cfg;
    sim_status status = sim_cfg_load(path, arena, &cfg, err);

    if (status != SIM_OK)
        return status;
    r.cfg = &cfg;
    out->space = sim_space_new(arena);
    settings = sim_arena_alloc(arena, (size_t)cfg.count + 1, sizeof *settings);
    if (!out->space || !settings)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    out->base.settings = settings;
    for (int i = 0; i < cfg.count; i++)
        read_setting(&r, &cfg.settings[i], settings);
    read_relations(&r);
    if (!out->base.arch && !sim_space_has(out->space, "arch"))
        sim_fail(err, SIM_BAD_INPUT, path, 0, "'arch' is missing from the sweep");
    if (!out->base.workload && !sim_space_has(out->space, "workload"))
        sim_fail(err, SIM_BAD_INPUT, path, 0, "'workload' is missing from the sweep");
    if (err->count + err->dropped > before)
        return sim_err_status(err);
    return sim_space_finish(out->space, err);
}
