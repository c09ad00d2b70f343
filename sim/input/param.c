#include "input/param.h"

#include "input/param_value.h"

#include <math.h>
#include <string.h>

typedef sim_param_origin origin;

static bool is_refused(const sim_param_set *set, const char *key)
{
    for (const char *const *refused = set->refused; refused && *refused; refused++)
        if (strcmp(*refused, key) == 0)
            return true;
    return false;
}

/* ---- building ------------------------------------------------------------------------------------ */

sim_status sim_param_begin(sim_param_set *set, void *target, const char *prefix, int capacity,
                           sim_arena *arena, sim_err *err)
{
    *set = (sim_param_set){.arena = arena, .target = target, .prefix = prefix, .capacity = capacity};
    set->rows = sim_arena_alloc(arena, (size_t)capacity, sizeof(const sim_param *));
    set->given = sim_arena_alloc(arena, (size_t)capacity, sizeof *set->given);
    if (!set->rows || !set->given)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return SIM_OK;
}

sim_status sim_param_add(sim_param_set *set, const sim_param *rows, int count, sim_err *err)
{
    sim_param unbounded;
    sim_status status = SIM_OK;

    if (count > set->capacity - set->count)
        return sim_fail(err, SIM_INTERNAL, NULL, 0, "too many parameter rows");
    for (int i = 0; i < count; i++) {
        set->rows[set->count++] = &rows[i];
        if (!rows[i].fallback || (!*rows[i].fallback && rows[i].type != SIM_PARAM_FLAGS))
            continue;
        /* A default may lie outside the range that a user may ask for: 0 for "not there". */
        unbounded = rows[i];
        unbounded.min = -INFINITY;
        unbounded.max = INFINITY;
        status = sim_param_set_text(set, &unbounded, rows[i].fallback, (origin){NULL, 0}, err);
        if (status != SIM_OK)
            return status == SIM_NO_MEMORY ? status : SIM_INTERNAL;
    }
    return SIM_OK;
}

/* ---- keys ---------------------------------------------------------------------------------------- */

/* Length of the group part of a key: of "array.rows" 5, of "name" 0. */
static size_t group_length(const char *key)
{
    const char *dot = strrchr(key, '.');

    return dot ? (size_t)(dot - key) : 0;
}

/* Whether rows live in the group `key`. */
static bool is_group(const sim_param_set *set, const char *key)
{
    size_t length = strlen(key);

    for (int i = 0; i < set->count; i++)
        if (strncmp(set->rows[i]->key, key, length) == 0 && set->rows[i]->key[length] == '.')
            return true;
    return false;
}

/* The names that could stand where the last part of `key` does: keys and groups beside it. */
static const char *const *siblings(const sim_param_set *set, const char *key)
{
    size_t length = group_length(key), skip = length ? length + 1 : 0;
    const char **names = sim_arena_alloc(set->arena, (size_t)set->count + 1, sizeof *names);
    int count = 0;

    for (int i = 0; names && i < set->count; i++) {
        const char *row = set->rows[i]->key, *rest = row + skip;

        if (strncmp(row, key, skip) != 0 || is_refused(set, row))
            continue;
        const char *name = sim_arena_text(set->arena, rest, strcspn(rest, "."));

        if (!name)
            return NULL;
        if (!count || strcmp(names[count - 1], name) != 0)
            names[count++] = name;
    }
    return names;
}

/* A slip in a key is one error, not two: what was meant counts as given. */
static void forgive(sim_param_set *set, const char *key, const char *meant)
{
    size_t skip = group_length(key), length = strlen(meant);

    skip += skip > 0;
    for (int i = 0; i < set->count; i++) {
        const char *row = set->rows[i]->key;

        if (strncmp(row, key, skip) == 0 && strncmp(row + skip, meant, length) == 0 &&
            (row[skip + length] == '\0' || row[skip + length] == '.'))
            set->given[i] = true;
    }
}

static sim_status unknown_key(sim_param_set *set, const char *key, origin at, sim_err *err)
{
    size_t length = group_length(key);
    const char *last = key + (length ? length + 1 : 0), *prefix = set->prefix;
    int prefix_length = (int)strlen(prefix), group = (int)length;

    if (length)
        sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "unknown key '%s' in '%s%.*s'", last, prefix, group,
                 key);
    else if (prefix_length)
        sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "unknown key '%s' in '%.*s'", last, prefix_length - 1,
                 prefix);
    else
        sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "unknown key '%s'", last);
    const char *const *names = siblings(set, key);

    if (!names)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    if (names[0]) {
        const char *near = sim_nearest(last, names);
        char list[200];

        if (near) {
            sim_hint(err, "did you mean '%s'?", near);
            forgive(set, key, near);
        } else {
            sim_hint(err, "known: %s", sim_param_join(names, list, sizeof list));
        }
    }
    return SIM_BAD_INPUT;
}

/* The row of `key`, less the prefix; NULL after an error. Marks it as given. */
static const sim_param *find(sim_param_set *set, const char *key, origin at, sim_err *err)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->rows[i]->key, key) == 0) {
            set->given[i] = true;
            if (!is_refused(set, key))
                return set->rows[i];
            sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' is not taken by %s", set->prefix, key,
                     set->refuser);
            return NULL;
        }
    if (is_group(set, key)) {
        sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' is a group of keys, not a value", set->prefix,
                 key);
        forgive(set, key, key + (group_length(key) ? group_length(key) + 1 : 0));
    } else {
        unknown_key(set, key, at, err);
    }
    return NULL;
}

static bool is_under(const char *key, const char *group)
{
    size_t length = strlen(group);

    return strncmp(key, group, length) == 0 && (key[length] == '.' || key[length] == '\0');
}

sim_status sim_param_apply(sim_param_set *set, const sim_cfg *cfg, const char *const *skip, sim_err *err)
{
    size_t prefix = strlen(set->prefix);
    const char *bad_group = NULL;
    sim_status first = SIM_OK;

    for (int i = 0; i < cfg->count; i++) {
        const sim_cfg_setting *setting = &cfg->settings[i];
        const char *key = setting->key + prefix;
        origin at = {setting->file, setting->line};
        const sim_param *row;
        sim_status status = SIM_OK;
        bool skipped = false;

        if (strncmp(setting->key, set->prefix, prefix) != 0 || (bad_group && is_under(key, bad_group)))
            continue;
        for (const char *const *name = skip; name && *name; name++)
            skipped |= is_under(key, *name);
        if (skipped)
            continue;
        if (setting->value.type == SIM_CFG_GROUP) {
            if (is_group(set, key))
                continue;
            bad_group = key; /* one message for the whole group */
        }
        row = find(set, key, at, err);
        if (row)
            status = sim_param_set_value(set, row, &setting->value, at, err);
        else
            status = sim_err_status(err);
        if (first == SIM_OK)
            first = status;
    }
    return first;
}

sim_status sim_param_apply_text(sim_param_set *set, const char *key, const char *text, sim_err *err)
{
    const char *file = sim_arena_printf(set->arena, "--set %s%s=%s", set->prefix, key, text);
    const sim_param *row;

    if (!file)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    row = find(set, key, (origin){file, 0}, err);
    if (!row)
        return sim_err_status(err);
    return sim_param_set_text(set, row, text, (origin){file, 0}, err);
}

/* ---- the whole ------------------------------------------------------------------------------------ */

bool sim_param_given(const sim_param_set *set, const char *key)
{
    size_t prefix = strlen(set->prefix);

    for (int i = 0; i < set->count; i++)
        if (set->given[i] && strncmp(key, set->prefix, prefix) == 0 &&
            strcmp(set->rows[i]->key, key + prefix) == 0)
            return true;
    return false;
}

sim_status sim_param_check_missing(const sim_param_set *set, const char *file, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < set->count; i++)
        if (!set->rows[i]->fallback && !set->given[i] && !is_refused(set, set->rows[i]->key)) {
            status =
                sim_fail(err, SIM_BAD_INPUT, file, 0, "missing key '%s%s'", set->prefix, set->rows[i]->key);
            sim_hint(err, "%s", set->rows[i]->help);
        }
    return status;
}

void sim_param_canonical(const sim_param_set *set, sim_text *out)
{
    for (int i = 0; i < set->count; i++)
        if (!is_refused(set, set->rows[i]->key))
            sim_param_print(set, set->rows[i], out);
}
