/* Reading JSON. jansson checks the grammar and decodes; its values know no line, so the source is walked
 * once more, in step with jansson's tree, and each value of our own tree remembers where it stood. */
#include "base/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

typedef struct reader {
    const char *at, *end; /* not yet walked */
    int line;             /* of `at` */
    const char *name;
    sim_arena *arena;
    sim_err *err;
} reader;

/* ---- before jansson: what it would say less clearly, or only after it has recursed --------------- */

static bool starts_with(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && strncmp(at, word, length) == 0;
}

/* Passes the string whose opening quote is at `p`; `end` when it is never closed. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

static const char *const no_numbers[] = {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", NULL};

static sim_status check_text(const reader *r)
{
    int line = 1, depth = 0;

    for (const char *p = r->at; p < r->end; p++)
        if (*p == '\0')
            return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "is no text file: it contains a NUL byte");
        else
            line += *p == '\n';
    line = 1;
    for (const char *p = r->at; p < r->end; p++) {
        if (*p == '\n') {
            line++;
        } else if (*p == '"') {
            p = skip_string(p, r->end) - 1; /* jansson allows no line break inside */
        } else if (*p == '[' || *p == '{') {
            if (++depth > DEPTH_MAX)
                return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "nested deeper than %d levels",
                                DEPTH_MAX);
        } else if (*p == ']' || *p == '}') {
            depth -= depth > 0;
        } else if (*p == '-' || *p == 'N' || *p == 'I' || *p == 'n' || *p == 'i') {
            for (const char *const *word = no_numbers; *word; word++)
                if (starts_with(p, r->end, *word))
                    return sim_fail(r->err, SIM_BAD_INPUT, r->name, line,
                                    "expected a number, not '%s': JSON has finite numbers only", *word);
        }
    }
    return SIM_OK;
}

/* ---- jansson's complaints in our words ------------------------------------------------------------ */

/* "... near '"key"'" -> key; the whole text when it is put otherwise. */
static void key_of(const char *text, char *key, size_t size)
{
    const char *from = strstr(text, "near '\""), *to = strrchr(text, '"');

    if (from && to > from + 7)
        snprintf(key, size, "%.*s", (int)(to - from - 7), from + 7);
    else
        snprintf(key, size, "%s", text);
}

static sim_status report(const reader *r, const json_error_t *error)
{
    int line = error->line > 0 ? error->line : 1;
    char key[JSON_ERROR_TEXT_LENGTH];

    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return sim_fail(r->err, SIM_NO_MEMORY, r->name, 0, "out of memory");
    case json_error_duplicate_key:
        key_of(error->text, key, sizeof key);
        return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "duplicate key '%s'", key);
    case json_error_numeric_overflow:
        return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "number out of range: %s", error->text);
    case json_error_premature_end_of_input:
        return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "the file ends too early: %s", error->text);
    default:
        return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "not valid JSON: %s", error->text);
    }
}

/* ---- the walk ------------------------------------------------------------------------------------- */

/* Passes white space and the separators ',' and ':', which the grammar has already put in their places. */
static void skip_between(reader *r)
{
    for (; r->at < r->end && *r->at && strchr(" \t\r\n,:", *r->at); r->at++)
        r->line += *r->at == '\n';
}

static void skip_scalar(reader *r)
{
    if (*r->at == '"')
        r->at = skip_string(r->at, r->end);
    else
        while (r->at < r->end && !strchr(" \t\r\n,:]}", *r->at))
            r->at++;
}

static sim_json *convert(reader *r, const json_t *value, const char *key);

/* Converts `value` as the last child so far of `parent`. */
static bool add_child(reader *r, sim_json *parent, sim_json ***tail, const json_t *value, const char *key)
{
    sim_json *child = convert(r, value, key);

    if (!child)
        return false;
    **tail = child;
    *tail = &child->next;
    parent->count++;
    return true;
}

static bool convert_children(reader *r, sim_json *out, const json_t *value)
{
    sim_json **tail = &out->child;

    r->at++; /* the bracket */
    if (out->type == SIM_JSON_OBJECT) {
        /* jansson keeps the members in the order of the source */
        json_t *object = (json_t *)value; /* its iterators want it so; nothing is changed */

        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
            skip_between(r);
            skip_scalar(r); /* the key */
            if (!add_child(r, out, &tail, json_object_iter_value(i), json_object_iter_key(i)))
                return false;
        }
    } else {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!add_child(r, out, &tail, json_array_get(value, i), NULL))
                return false;
    }
    skip_between(r);
    r->at++;
    return true;
}

/* NULL when memory is out. Recursion is bounded by DEPTH_MAX. */
static sim_json *convert(reader *r, const json_t *value, const char *key)
{
    sim_json *out = sim_arena_alloc(r->arena, 1, sizeof *out);

    if (!out)
        return NULL;
    skip_between(r);
    out->line = r->line;
    if (key && !(out->key = sim_arena_text(r->arena, key, strlen(key))))
        return NULL;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        out->type = json_is_object(value) ? SIM_JSON_OBJECT : SIM_JSON_ARRAY;
        return convert_children(r, out, value) ? out : NULL;
    case JSON_STRING:
        out->type = SIM_JSON_TEXT;
        out->text = sim_arena_text(r->arena, json_string_value(value), json_string_length(value));
        if (!out->text)
            return NULL;
        break;
    case JSON_INTEGER:
        out->type = SIM_JSON_INT;
        out->integer = json_integer_value(value);
        out->real = (double)out->integer;
        break;
    case JSON_REAL:
        out->type = SIM_JSON_REAL;
        out->real = json_real_value(value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out->type = SIM_JSON_BOOL;
        out->boolean = json_is_true(value);
        break;
    default:
        out->type = SIM_JSON_NULL;
        break;
    }
    skip_scalar(r);
    return out;
}

/* ---- as Python writes it --------------------------------------------------------------------------- */

/* Numbers that JSON does not have become the text "", which is as long as the shortest of them. */
static void blank_no_numbers(char *text, size_t length)
{
    const char *end = text + length;

    for (char *p = text; p < end; p++) {
        if (*p == '"') {
            p = text + (skip_string(p, end) - text) - 1;
            continue;
        }
        for (const char *const *word = no_numbers; *word; word++)
            if (starts_with(p, end, *word)) {
                memset(p, ' ', strlen(*word));
                memset(p, '"', 2);
                p += strlen(*word) - 1;
                break;
            }
    }
}

sim_status sim_json_parse_python(const char *text, size_t length, const char *name, sim_arena *arena,
                                 const sim_json **root, sim_err *err)
{
    char *copy = sim_arena_text(arena, text, length);

    *root = NULL;
    if (!copy)
        return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
    blank_no_numbers(copy, length);
    return sim_json_parse(copy, length, name, arena, root, err);
}

/* ---- entry points ----------------------------------------------------------------------------------- */

sim_status sim_json_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                          const sim_json **root, sim_err *err)
{
    reader r = {.at = text, .end = text + length, .line = 1, .name = name, .arena = arena, .err = err};
    json_error_t error;
    sim_json *converted;
    json_t *value;
    sim_status status;

    *root = NULL;
    if (starts_with(r.at, r.end, "\xff\xfe") || starts_with(r.at, r.end, "\xfe\xff"))
        return sim_fail(err, SIM_BAD_INPUT, name, 1, "is UTF-16 text; JSON is UTF-8");
    if (starts_with(r.at, r.end, "\xef\xbb\xbf")) /* a byte order mark says nothing in UTF-8 */
        r.at += 3;
    skip_between(&r);
    if (r.at == r.end)
        return sim_fail(err, SIM_BAD_INPUT, name, 0, "is empty: expected JSON");
    r.at = starts_with(text, r.end, "\xef\xbb\xbf") ? text + 3 : text;
    r.line = 1;
    status = check_text(&r);
    if (status != SIM_OK)
        return status;
    value = json_loadb(r.at, (size_t)(r.end - r.at), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value)
        return report(&r, &error);
    converted = convert(&r, value, NULL);
    json_decref(value);
    if (!converted)
        return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
    *root = converted;
    return SIM_OK;
}

sim_status sim_json_load(const char *path, sim_arena *arena, const sim_json **root, sim_err *err)
{
    char *text;
    size_t length;
    sim_status status = sim_text_read_file(path, SIM_JSON_FILE_MAX, arena, &text, &length, err);

    *root = NULL;
    return status == SIM_OK ? sim_json_parse(text, length, path, arena, root, err) : status;
}

const sim_json *sim_json_get(const sim_json *object, const char *key)
{
    if (object->type != SIM_JSON_OBJECT)
        return NULL;
    for (const sim_json *member = object->child; member; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}

const char *sim_json_type_name(sim_json_type type)
{
    static const char *const names[] = {"null",   "true or false", "an integer", "a number",
                                        "a text", "an array",      "an object"};

    return names[type];
}
