/* Writing JSON: commas, line breaks, indents and escapes. */
#include "base/json.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void add_quoted(sim_text *out, const char *text)
{
    size_t length = strlen(text);

    sim_text_add(out, "\"");
    while (length > 0) {
        int32_t c;
        size_t bytes = sim_utf8_next(text, length, &c);

        if (c < 0)
            sim_text_add(out, "\\ufffd"); /* broken UTF-8: the replacement character */
        else if (c == '"' || c == '\\')
            sim_text_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            sim_text_add(out, "\\n");
        else if (c == '\t')
            sim_text_add(out, "\\t");
        else if (c < 0x20)
            sim_text_printf(out, "\\u%04x", (unsigned)c);
        else
            sim_text_bytes(out, text, bytes);
        text += bytes;
        length -= bytes;
    }
    sim_text_add(out, "\"");
}

static void new_line(sim_json_writer *w)
{
    sim_text_add(w->out, "\n");
    for (int i = 0; i < w->depth; i++)
        sim_text_add(w->out, "  ");
}

/* Whatever stands before a value: comma, line break, key. */
static void lead_in(sim_json_writer *w, const char *key)
{
    if (w->depth > 0) {
        if (!w->first)
            sim_text_add(w->out, w->compact_depth_set ? ", " : ",");
        if (!w->compact_depth_set)
            new_line(w);
    }
    w->first = false;
    if (key) {
        add_quoted(w->out, key);
        sim_text_add(w->out, ": ");
    }
}

void sim_json_begin(sim_json_writer *w, const char *key, char bracket, bool one_line)
{
    lead_in(w, key);
    sim_text_bytes(w->out, &bracket, 1);
    w->depth++;
    w->first = true;
    if (one_line && !w->compact_depth_set) {
        w->compact_depth_set = true;
        w->compact_depth = w->depth;
    }
}

void sim_json_end(sim_json_writer *w, char bracket)
{
    bool on_one_line = w->compact_depth_set;

    if (on_one_line && w->depth == w->compact_depth)
        w->compact_depth_set = false;
    w->depth--;
    if (!on_one_line && !w->first)
        new_line(w);
    sim_text_bytes(w->out, &bracket, 1);
    w->first = false;
}

void sim_json_put_text(sim_json_writer *w, const char *key, const char *value)
{
    lead_in(w, key);
    if (value)
        add_quoted(w->out, value);
    else
        sim_text_add(w->out, "null");
}

void sim_json_put_int(sim_json_writer *w, const char *key, int64_t value)
{
    lead_in(w, key);
    sim_text_printf(w->out, "%" PRId64, value);
}

void sim_json_put_real(sim_json_writer *w, const char *key, double value)
{
    lead_in(w, key);
    if (isfinite(value))
        sim_text_real(w->out, value);
    else
        sim_text_add(w->out, "null");
}

void sim_json_put_bool(sim_json_writer *w, const char *key, bool value)
{
    lead_in(w, key);
    sim_text_add(w->out, value ? "true" : "false");
}

void sim_json_put_null(sim_json_writer *w, const char *key)
{
    lead_in(w, key);
    sim_text_add(w->out, "null");
}
