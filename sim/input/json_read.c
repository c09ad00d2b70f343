#include "input/json_read.h"

#include "base/text.h"
#include "input/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 256 };

void sim_json_error(sim_json_reader *r, sim_status status, int line, const char *format, ...)
{
    char text[SIM_ERR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_fail(r->err, status, r->file, line, "%s", text);
    if (r->status == SIM_OK)
        r->status = status;
}

/* "did you mean 'x'?", or all words, after an error about `word`. */
static void hint_words(const sim_json_reader *r, const char *word, const char *const *words)
{
    const char *near = sim_nearest(word, words);
    char list[LIST_BYTES] = "";
    size_t length = 0;

    if (near) {
        sim_hint(r->err, "did you mean '%s'?", near);
        return;
    }
    for (; *words && length < sizeof list; words++)
        if (**words)
            length +=
                (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? ", " : "", *words);
    sim_hint(r->err, "known: %s", list);
}

void sim_json_check_keys(sim_json_reader *r, const sim_json *object, const char *where,
                         const char *const *keys)
{
    for (const sim_json *member = object->child; member; member = member->next) {
        const char *const *key = keys;

        while (*key && strcmp(*key, member->key) != 0)
            key++;
        if (*key)
            continue;
        sim_json_error(r, SIM_BAD_INPUT, member->line, "unknown key '%s' in %s", member->key, where);
        hint_words(r, member->key, keys);
    }
}

/* The member; NULL, and reported if `where` says that it is required, when it is not there. */
static const sim_json *find(sim_json_reader *r, const sim_json *object, const char *key, const char *where)
{
    const sim_json *member = sim_json_get(object, key);

    if (!member && where)
        sim_json_error(r, SIM_BAD_INPUT, object->line, "'%s' is missing from %s", key, where);
    return member;
}

static void wrong_type(sim_json_reader *r, const sim_json *value, const char *wanted)
{
    sim_json_error(r, SIM_BAD_INPUT, value->line, "'%s' must be %s, not %s", value->key, wanted,
                   sim_json_type_name(value->type));
}

bool sim_json_read_int(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                       int64_t min, int64_t max, int64_t *out)
{
    const sim_json *value = find(r, object, key, where);

    if (!value)
        return false;
    if (value->type == SIM_JSON_REAL) {
        sim_json_error(r, SIM_BAD_INPUT, value->line,
                       "'%s' must be an integer, written without point or exponent", key);
    } else if (value->type != SIM_JSON_INT) {
        wrong_type(r, value, "an integer");
    } else if (value->integer < min || value->integer > max) {
        if (max == INT64_MAX)
            sim_json_error(r, SIM_BAD_INPUT, value->line, "'%s' must be at least %" PRId64 ", not %" PRId64,
                           key, min, value->integer);
        else
            sim_json_error(r, SIM_BAD_INPUT, value->line,
                           "'%s' must be from %" PRId64 " to %" PRId64 ", not %" PRId64, key, min, max,
                           value->integer);
    } else {
        *out = value->integer;
        return true;
    }
    return false;
}

bool sim_json_read_real(sim_json_reader *r, const sim_json *object, const char *key, double min, double max,
                        double *out)
{
    const sim_json *value = find(r, object, key, NULL);

    if (!value)
        return false;
    if (value->type != SIM_JSON_INT && value->type != SIM_JSON_REAL) {
        wrong_type(r, value, "a number");
        return false;
    }
    if (value->real < min || value->real > max) {
        sim_text range = {0}; /* printf would write the locale's decimal point */

        sim_text_real(&range, min);
        sim_text_add(&range, " to ");
        sim_text_real(&range, max);
        sim_text_add(&range, ", not ");
        sim_text_real(&range, value->real);
        sim_json_error(r, SIM_BAD_INPUT, value->line, "'%s' must be from %s", key,
                       range.failed ? "its range" : range.data);
        sim_text_free(&range);
        return false;
    }
    *out = value->real;
    return true;
}

bool sim_json_read_bool(sim_json_reader *r, const sim_json *object, const char *key, bool *out)
{
    const sim_json *value = find(r, object, key, NULL);

    if (!value)
        return false;
    if (value->type != SIM_JSON_BOOL) {
        wrong_type(r, value, "true or false");
        return false;
    }
    *out = value->boolean;
    return true;
}

bool sim_json_read_text(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                        const char **out)
{
    const sim_json *value = find(r, object, key, where);

    if (!value)
        return false;
    if (value->type != SIM_JSON_TEXT) {
        wrong_type(r, value, "a text");
        return false;
    }
    if (value->text[0] == '\0') {
        sim_json_error(r, SIM_BAD_INPUT, value->line, "'%s' is empty", key);
        return false;
    }
    *out = value->text;
    return true;
}

bool sim_json_read_word(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                        const char *const *words, int *out)
{
    const sim_json *value = find(r, object, key, where);

    if (!value)
        return false;
    if (value->type != SIM_JSON_TEXT) {
        wrong_type(r, value, "a text");
        return false;
    }
    for (int i = 0; words[i]; i++)
        if (words[i][0] && strcmp(words[i], value->text) == 0) {
            *out = i;
            return true;
        }
    sim_json_error(r, SIM_BAD_INPUT, value->line, "unknown %s '%s'", key, value->text);
    hint_words(r, value->text, words);
    return false;
}

bool sim_json_read_number(sim_json_reader *r, const sim_json *object, const char *bits_key,
                          const char *format_key, sim_number *out)
{
    const sim_json *bits_at = sim_json_get(object, bits_key), *format_at = sim_json_get(object, format_key);
    const sim_json *at = bits_at ? bits_at : format_at;
    int format = SIM_FORMAT_INT;
    int64_t bits;

    if (!at)
        return false;
    if (format_at && !sim_json_read_word(r, object, format_key, NULL, sim_format_names, &format))
        return false;
    if (!bits_at) {
        bits = sim_format_bits((sim_format)format);
        if (bits == 0) {
            sim_json_error(r, SIM_BAD_INPUT, at->line, "'%s' needs '%s': %s", format_key, bits_key,
                           sim_format_widths((sim_format)format));
            return false;
        }
    } else if (!sim_json_read_int(r, object, bits_key, NULL, INT64_MIN, INT64_MAX, &bits)) {
        return false;
    }
    if (!sim_number_exists((sim_format)format, bits)) {
        sim_json_error(r, SIM_BAD_INPUT, at->line, "'%s' is %" PRId64 ": %s", bits_key, bits,
                       sim_format_widths((sim_format)format));
        if (!format_at && bits == 32)
            sim_hint(r->err, "for floating point give \"%s\": \"fp\" too", format_key);
        return false;
    }
    *out = (sim_number){(sim_format)format, (int)bits};
    return true;
}
