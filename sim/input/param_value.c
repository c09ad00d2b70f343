#include "input/param_value.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void *sim_param_field(const sim_param_set *set, const sim_param *row)
{
    return (char *)set->target + row->offset;
}

const char *sim_param_join(const char *const *names, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; names[i]; i++) {
        int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "", names[i]);

        if (n < 0 || (size_t)n >= size - used) {
            snprintf(out + size - 4, 4, "...");
            break;
        }
        used += (size_t)n;
    }
    return out;
}

/* ---- what can be wrong ------------------------------------------------------------------------------- */

static int name_index(const char *const *names, const char *word)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

static sim_status fail_name(const sim_param_set *set, const sim_param *row, const char *word,
                            sim_param_origin at, sim_err *err)
{
    char list[200];
    const char *near = sim_nearest(word, row->names);

    sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' cannot be '%s'", set->prefix, row->key, word);
    sim_param_join(row->names, list, sizeof list);
    if (near)
        sim_hint(err, "did you mean '%s'? known: %s", near, list);
    else
        sim_hint(err, "known: %s", list);
    return SIM_BAD_INPUT;
}

static const char *wanted(const sim_param *row)
{
    switch (row->type) {
    case SIM_PARAM_INT:
        return "an integer";
    case SIM_PARAM_REAL:
        return "a number";
    case SIM_PARAM_BOOL:
        return "true or false";
    case SIM_PARAM_FLAGS:
        return "a list of names";
    case SIM_PARAM_TEXT:
    case SIM_PARAM_ENUM:
        break;
    }
    return "text";
}

static sim_status fail_type(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                            sim_param_origin at, sim_err *err)
{
    sim_text got = {.allocator = set->arena->allocator};
    char list[160];

    if (value->type == SIM_CFG_TEXT)
        sim_text_printf(&got, "'%s'", value->text);
    else if (value->type == SIM_CFG_INT)
        sim_text_printf(&got, "%lld", (long long)value->integer);
    else if (value->type == SIM_CFG_REAL)
        sim_text_real(&got, value->real);
    else if (value->type == SIM_CFG_BOOL)
        sim_text_add(&got, value->boolean ? "true" : "false");
    else
        sim_text_add(&got, sim_cfg_type_name(value->type));
    if (got.failed) {
        sim_text_free(&got);
        return sim_fail(err, SIM_NO_MEMORY, at.file, 0, "out of memory");
    }
    sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' must be %s, not %s", set->prefix, row->key,
             wanted(row), got.data);
    if (row->names)
        sim_hint(err, "known: %s", sim_param_join(row->names, list, sizeof list));
    sim_text_free(&got);
    return SIM_BAD_INPUT;
}

static sim_status fail_range(const sim_param_set *set, const sim_param *row, double value,
                             sim_param_origin at, sim_err *err)
{
    const sim_allocator allocator = set->arena->allocator;
    sim_text low = {.allocator = allocator}, high = {.allocator = allocator}, got = {.allocator = allocator};
    sim_status status;

    sim_text_real(&low, row->min);
    sim_text_real(&high, row->max);
    sim_text_real(&got, value);
    if (low.failed || high.failed || got.failed)
        status = sim_fail(err, SIM_NO_MEMORY, at.file, 0, "out of memory");
    else
        status =
            sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' must be from %s to %s%s%s, not %s",
                     set->prefix, row->key, low.data, high.data, *row->unit ? " " : "", row->unit, got.data);
    sim_text_free(&low);
    sim_text_free(&high);
    sim_text_free(&got);
    return status;
}

/* ---- values ------------------------------------------------------------------------------------------ */

static sim_status set_flags(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                            sim_param_origin at, sim_err *err)
{
    enum { MOST = 32 };
    bool *flags = sim_param_field(set, row), found[MOST] = {false};

    if (value->type != SIM_CFG_LIST)
        return fail_type(set, row, value, at, err);
    for (int64_t i = 0; i < value->count; i++) {
        const sim_cfg_value *element = &value->elements[i];
        int index;

        if (element->type != SIM_CFG_TEXT)
            return fail_type(set, row, element, at, err);
        index = name_index(row->names, element->text);
        if (index < 0 || index >= MOST)
            return fail_name(set, row, element->text, at, err);
        if (found[index])
            return sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s' stands twice in '%s%s'",
                            element->text, set->prefix, row->key);
        found[index] = true;
    }
    for (int i = 0; row->names[i] && i < MOST; i++)
        flags[i] = found[i];
    return SIM_OK;
}

static sim_status set_real(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                           sim_param_origin at, sim_err *err)
{
    double *field = sim_param_field(set, row);

    if (row->names && value->type == SIM_CFG_TEXT) {
        if (name_index(row->names, value->text) < 0)
            return fail_name(set, row, value->text, at, err);
        *field = 0;
        return SIM_OK;
    }
    if (value->type != SIM_CFG_REAL && value->type != SIM_CFG_INT)
        return fail_type(set, row, value, at, err);
    if (!(value->real >= row->min && value->real <= row->max))
        return fail_range(set, row, value->real, at, err);
    *field = value->real;
    return SIM_OK;
}

static sim_status set_word(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                           sim_param_origin at, sim_err *err)
{
    int index;

    if (value->type != SIM_CFG_TEXT)
        return fail_type(set, row, value, at, err);
    if (row->type == SIM_PARAM_TEXT) {
        if (!*value->text)
            return sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "'%s%s' must not be empty", set->prefix,
                            row->key);
        *(const char **)sim_param_field(set, row) = value->text;
        return SIM_OK;
    }
    index = name_index(row->names, value->text);
    if (index < 0)
        return fail_name(set, row, value->text, at, err);
    *(int *)sim_param_field(set, row) = index;
    return SIM_OK;
}

sim_status sim_param_set_value(const sim_param_set *set, const sim_param *row, const sim_cfg_value *value,
                               sim_param_origin at, sim_err *err)
{
    switch (row->type) {
    case SIM_PARAM_INT:
        /* an integer of --set that does not even fit 63 bits was read as a real */
        if (value->type == SIM_CFG_REAL && fabs(value->real) > 9e18)
            return fail_range(set, row, value->real, at, err);
        if (value->type != SIM_CFG_INT)
            return fail_type(set, row, value, at, err);
        if (value->real < row->min || value->real > row->max)
            return fail_range(set, row, value->real, at, err);
        *(int64_t *)sim_param_field(set, row) = value->integer;
        return SIM_OK;
    case SIM_PARAM_BOOL:
        if (value->type != SIM_CFG_BOOL)
            return fail_type(set, row, value, at, err);
        *(bool *)sim_param_field(set, row) = value->boolean;
        return SIM_OK;
    case SIM_PARAM_REAL:
        return set_real(set, row, value, at, err);
    case SIM_PARAM_TEXT:
    case SIM_PARAM_ENUM:
        return set_word(set, row, value, at, err);
    case SIM_PARAM_FLAGS:
        return set_flags(set, row, value, at, err);
    }
    return sim_fail(err, SIM_INTERNAL, at.file, at.line, "row '%s' has no type", row->key);
}

/* ---- text as a value --------------------------------------------------------------------------------- */

/* "weight, output", with or without brackets and quotes -> a list of texts. */
static bool split_list(sim_arena *arena, const char *text, sim_cfg_value *out)
{
    size_t length = strlen(text), count = 1;
    sim_cfg_value *elements;

    if (length >= 2 &&
        ((*text == '[' && text[length - 1] == ']') || (*text == '(' && text[length - 1] == ')'))) {
        text++;
        length -= 2;
    }
    for (size_t i = 0; i < length; i++)
        count += text[i] == ',';
    elements = sim_arena_alloc(arena, count, sizeof *elements);
    if (!elements)
        return false;
    *out = (sim_cfg_value){.type = SIM_CFG_LIST, .elements = elements};
    for (size_t at = 0; at <= length;) {
        size_t start = at, end;

        while (at < length && text[at] != ',')
            at++;
        end = at++;
        while (start < end && (text[start] == ' ' || text[start] == '"'))
            start++;
        while (end > start && (text[end - 1] == ' ' || text[end - 1] == '"'))
            end--;
        if (start == end && count == 1)
            break; /* an empty list */
        sim_cfg_value *element = &elements[out->count++];

        element->type = SIM_CFG_TEXT;
        element->text = sim_arena_text(arena, text + start, end - start);
        if (!element->text)
            return false;
    }
    return true;
}

static bool is_printable(const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        int32_t character;
        size_t bytes = sim_utf8_next(text, length, &character);

        if (character < 0x20 || character == 0x7f)
            return false;
        text += bytes;
        length -= bytes;
    }
    return true;
}

static bool parse_text(sim_arena *arena, const sim_param *row, const char *text, sim_cfg_value *value)
{
    *value = (sim_cfg_value){.type = SIM_CFG_TEXT, .text = text};
    switch (row->type) {
    case SIM_PARAM_FLAGS:
        return split_list(arena, text, value);
    case SIM_PARAM_BOOL:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
            value->type = SIM_CFG_BOOL;
            value->boolean = *text == 't';
        }
        return true;
    case SIM_PARAM_INT:
    case SIM_PARAM_REAL:
        if (sim_parse_int(text, &value->integer)) {
            value->type = SIM_CFG_INT;
            value->real = (double)value->integer;
        } else if (sim_parse_real(text, &value->real)) {
            value->type = SIM_CFG_REAL;
        }
        return true;
    case SIM_PARAM_TEXT:
    case SIM_PARAM_ENUM:
        break;
    }
    value->text = sim_arena_text(arena, text, strlen(text));
    return value->text != NULL;
}

sim_status sim_param_set_text(const sim_param_set *set, const sim_param *row, const char *text,
                              sim_param_origin at, sim_err *err)
{
    sim_cfg_value value;

    if (!is_printable(text))
        return sim_fail(err, SIM_BAD_INPUT, at.file, at.line, "the value of '%s%s' is no printable text",
                        set->prefix, row->key);
    if (!parse_text(set->arena, row, text, &value))
        return sim_fail(err, SIM_NO_MEMORY, at.file, 0, "out of memory");
    return sim_param_set_value(set, row, &value, at, err);
}

void sim_param_print(const sim_param_set *set, const sim_param *row, sim_text *out)
{
    const void *at = sim_param_field(set, row);

    sim_text_printf(out, "%s%s=", set->prefix, row->key);
    switch (row->type) {
    case SIM_PARAM_INT:
        sim_text_printf(out, "%lld", (long long)*(const int64_t *)at);
        break;
    case SIM_PARAM_REAL:
        sim_text_real(out, *(const double *)at);
        break;
    case SIM_PARAM_BOOL:
        sim_text_add(out, *(const bool *)at ? "true" : "false");
        break;
    case SIM_PARAM_TEXT:
        sim_text_add(out, *(const char *const *)at ? *(const char *const *)at : "");
        break;
    case SIM_PARAM_ENUM:
        sim_text_add(out, row->names[*(const int *)at]);
        break;
    case SIM_PARAM_FLAGS:
        for (int i = 0; row->names[i]; i++)
            if (((const bool *)at)[i])
                sim_text_printf(out, "%s,", row->names[i]);
        break;
    }
    sim_text_add(out, "\n");
}
