#include "input/cfg.h"

#include "input/cfg_text.h"

#include <libconfig.h>
#include <locale.h>
#include <math.h>
#include <string.h>

const char *sim_cfg_type_name(sim_cfg_type type)
{
    static const char *const names[] = {"an integer", "a number", "true or false",
                                        "text",       "a list",   "a group"};

    return names[type];
}

const sim_cfg_setting *sim_cfg_find(const sim_cfg *cfg, const char *key)
{
    for (int i = 0; i < cfg->count; i++)
        if (strcmp(cfg->settings[i].key, key) == 0)
            return &cfg->settings[i];
    return NULL;
}

typedef struct flattener {
    sim_arena *arena;
    sim_err *err;
    const sim_cfg_text *text;
    sim_cfg_setting *settings;
    int count, capacity;
    bool failed;
} flattener;

static const sim_cfg_origin *origin_of(const sim_cfg_text *text, int line)
{
    if (line < 1)
        line = 1;
    if (line > text->line_count)
        line = text->line_count;
    return &text->origin[line - 1];
}

static void out_of_memory(flattener *f, const sim_cfg_origin *at)
{
    sim_fail(f->err, SIM_NO_MEMORY, at->file, 0, "out of memory");
    f->failed = true;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* A scalar or a list; nesting is bounded by the scanner. */
static void convert(flattener *f, const config_setting_t *from, sim_cfg_value *to)
{
    const sim_cfg_origin *at = origin_of(f->text, (int)config_setting_source_line(from));

    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        to->type = SIM_CFG_INT;
        to->integer = config_setting_get_int(from);
        to->real = (double)to->integer;
        break;
    case CONFIG_TYPE_INT64:
        to->type = SIM_CFG_INT;
        to->integer = config_setting_get_int64(from);
        to->real = (double)to->integer;
        break;
    case CONFIG_TYPE_FLOAT:
        to->type = SIM_CFG_REAL;
        to->real = config_setting_get_float(from);
        if (!isfinite(to->real)) {
            sim_fail(f->err, SIM_BAD_INPUT, at->file, at->line, "this number is outside what a double holds");
            f->failed = true;
        }
        break;
    case CONFIG_TYPE_BOOL:
        to->type = SIM_CFG_BOOL;
        to->boolean = config_setting_get_bool(from);
        break;
    case CONFIG_TYPE_STRING:
        to->type = SIM_CFG_TEXT;
        to->text = sim_arena_text(f->arena, config_setting_get_string(from),
                                  strlen(config_setting_get_string(from)));
        if (!to->text) {
            out_of_memory(f, at);
        } else if (has_control(to->text)) {
            sim_fail(f->err, SIM_BAD_INPUT, at->file, at->line, "this text holds a control character");
            f->failed = true;
        }
        break;
    case CONFIG_TYPE_GROUP:
        to->type = SIM_CFG_GROUP;
        to->count = config_setting_length(from);
        break;
    default: { /* arrays and lists */
        int count = config_setting_length(from);
        sim_cfg_value *elements = sim_arena_alloc(f->arena, (size_t)count, sizeof *elements);

        to->type = SIM_CFG_LIST;
        if (!elements) {
            out_of_memory(f, at);
            return;
        }
        for (int i = 0; i < count && !f->failed; i++)
            convert(f, config_setting_get_elem(from, (unsigned)i), &elements[i]);
        to->elements = elements;
        to->count = count;
        break;
    }
    }
}

static void flatten(flattener *f, const config_setting_t *group, const char *prefix)
{
    int count = config_setting_length(group);

    for (int i = 0; i < count && !f->failed; i++) {
        const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
        const sim_cfg_origin *at = origin_of(f->text, (int)config_setting_source_line(member));
        sim_cfg_setting *setting = &f->settings[f->count];

        if (f->count == f->capacity) { /* the scanner counted the keys: cannot be */
            sim_fail(f->err, SIM_INTERNAL, at->file, at->line, "more settings than keys");
            f->failed = true;
            return;
        }
        setting->key = sim_arena_printf(f->arena, "%s%s", prefix, config_setting_name(member));
        setting->file = at->file;
        setting->line = at->line;
        if (!setting->key) {
            out_of_memory(f, at);
            return;
        }
        f->count++;
        convert(f, member, &setting->value);
        if (setting->value.type == SIM_CFG_GROUP) {
            const char *inner = sim_arena_printf(f->arena, "%s.", setting->key);

            if (!inner) {
                out_of_memory(f, at);
                return;
            }
            flatten(f, member, inner);
        }
    }
}

/* libconfig reads reals with strtod(): it must see a point whatever the caller's locale. */
static int read_in_c_locale(config_t *config, const char *text, bool *no_locale)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
    int ok;

    *no_locale = plain == (locale_t)0;
    if (*no_locale)
        return CONFIG_FALSE;
    before = uselocale(plain);
    ok = config_read_string(config, text);
    uselocale(before);
    freelocale(plain);
    return ok;
}

static sim_status parse(const sim_cfg_text *text, const char *name, sim_arena *arena, sim_cfg *out,
                        sim_err *err)
{
    flattener f = {.arena = arena, .err = err, .text = text, .capacity = text->key_count};
    config_t config;
    bool no_locale;

    if (text->key_count == 0)
        return sim_fail(err, SIM_BAD_INPUT, name, 0, "the file holds no settings");
    f.settings = sim_arena_alloc(arena, (size_t)f.capacity, sizeof *f.settings);
    if (!f.settings)
        return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
    config_init(&config);
    if (read_in_c_locale(&config, text->text.data, &no_locale)) {
        flatten(&f, config_root_setting(&config), "");
    } else if (no_locale) {
        f.failed = true;
        sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory for a locale");
    } else {
        const sim_cfg_origin *at = origin_of(text, config_error_line(&config));

        f.failed = true;
        sim_fail(err, SIM_BAD_INPUT, at->file, at->line, "%s",
                 config_error_text(&config) ? config_error_text(&config) : "syntax error");
        sim_hint(err, "a setting is written key = value; a group key = { ... }; a list key = [ 1, 2 ];");
    }
    config_destroy(&config);
    if (f.failed)
        return sim_err_status(err);
    *out = (sim_cfg){f.settings, f.count};
    return SIM_OK;
}

static sim_status expand_and_parse(const char *data, size_t length, const char *name, bool includes,
                                   sim_arena *arena, sim_cfg *out, sim_err *err)
{
    sim_cfg_text text;
    sim_status status = sim_cfg_expand(data, length, name, includes, arena, &text, err);

    if (status == SIM_OK)
        status = parse(&text, name, arena, out, err);
    sim_text_free(&text.text);
    return status;
}

sim_status sim_cfg_parse(const char *text, size_t length, const char *name, sim_arena *arena, sim_cfg *out,
                         sim_err *err)
{
    *out = (sim_cfg){0};
    return expand_and_parse(text, length, name, false, arena, out, err);
}

sim_status sim_cfg_load(const char *path, sim_arena *arena, sim_cfg *out, sim_err *err)
{
    char *data;
    size_t length;
    sim_status status = sim_text_read_file(path, SIM_CFG_FILE_BYTES_MAX, arena, &data, &length, err);

    *out = (sim_cfg){0};
    return status != SIM_OK ? status : expand_and_parse(data, length, path, true, arena, out, err);
}
