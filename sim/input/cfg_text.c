#include "input/cfg_text.h"

#include "base/utf8.h"
#include "input/cfg.h"
#include "input/cfg_literal.h"

#include <string.h>

/* A key that was seen in a scope that is still open. */
typedef struct seen_key {
    const char *name;
    size_t length;
    const char *file;
    int line;
    const struct seen_key *next;
} seen_key;

typedef struct scanner {
    sim_arena *arena;
    sim_err *err;
    sim_cfg_text *out;
    bool includes;
    int origin_capacity;
    int depth; /* of nesting */
    const seen_key *scope[SIM_CFG_NESTING_MAX + 1];
    char bracket[SIM_CFG_NESTING_MAX + 1]; /* that opened each level; of the file itself '\0' */
    seen_key name; /* the last token, when it was a name; its name is NULL otherwise */
    char before;   /* the last token: itself a sign or bracket, '"' a string, 'x' any other */
    const char *open_file[SIM_CFG_INCLUDE_DEPTH_MAX + 1];
    int open_count, include_count;
    int errors;
    bool stop; /* reading on makes no sense: memory, limits */
} scanner;

/* One file being scanned. */
typedef struct source {
    const char *file, *at, *end;
    int line;
} source;

static void scan_file(scanner *s, const char *data, size_t length, const char *file);

static void out_of_memory(scanner *s, const char *file)
{
    sim_fail(s->err, SIM_NO_MEMORY, file, 0, "out of memory");
    s->errors++;
    s->stop = true;
}

/* The line of output that starts now comes from here. */
static void mark_line(scanner *s, const source *in)
{
    sim_cfg_text *out = s->out;

    if (out->line_count == s->origin_capacity) {
        int capacity = s->origin_capacity ? 2 * s->origin_capacity : 64;
        sim_cfg_origin *origin = sim_arena_alloc(s->arena, (size_t)capacity, sizeof *origin);

        if (!origin) {
            out_of_memory(s, in->file);
            return;
        }
        if (out->line_count)
            memcpy(origin, out->origin, (size_t)out->line_count * sizeof *origin);
        out->origin = origin;
        s->origin_capacity = capacity;
    }
    out->origin[out->line_count++] = (sim_cfg_origin){in->file, in->line};
}

static void newline(scanner *s, source *in)
{
    sim_text_bytes(&s->out->text, "\n", 1);
    in->line++;
    mark_line(s, in);
}

/* A file that is no text gets one error, at its first offending byte. */
static bool is_text(scanner *s, const char *data, size_t size, const char *file)
{
    const char *at = data, *end = data + size;
    int line = 1;

    while (at < end) {
        int32_t character;
        size_t bytes = sim_utf8_next(at, (size_t)(end - at), &character);
        const char *what = NULL;

        if (character < 0)
            what = "is not UTF-8";
        else if (character == 0)
            what = "holds a NUL byte";
        else if (character == 0x7f || (character < 0x20 && !strchr("\t\n\r\f", (int)character)))
            what = "holds a control character";
        if (what) {
            sim_fail(s->err, SIM_BAD_INPUT, file, line, "not a text file: it %s", what);
            s->errors++;
            return false;
        }
        line += character == '\n';
        at += bytes;
    }
    return true;
}

/* ---- keys and brackets --------------------------------------------------------------------------- */

/* The last token was a name and this one is '=' or ':'. */
static void add_key(scanner *s)
{
    const seen_key *name = &s->name;

    if (++s->out->key_count > SIM_CFG_KEYS_MAX) {
        sim_fail(s->err, SIM_BAD_INPUT, name->file, name->line, "more than %d keys", SIM_CFG_KEYS_MAX);
        s->errors++;
        s->stop = true;
        return;
    }
    for (const seen_key *key = s->scope[s->depth]; key; key = key->next)
        if (key->length == name->length && memcmp(key->name, name->name, key->length) == 0) {
            sim_fail(s->err, SIM_BAD_INPUT, name->file, name->line, "duplicate key '%.*s'",
                     key->length > 80 ? 80 : (int)key->length, key->name);
            sim_hint(s->err, "first set in line %d of %s", key->line, key->file);
            s->errors++;
            return;
        }
    seen_key *key = sim_arena_alloc(s->arena, 1, sizeof *key);

    if (!key) {
        out_of_memory(s, name->file);
        return;
    }
    *key = *name;
    key->next = s->scope[s->depth];
    s->scope[s->depth] = key;
}

static void open_bracket(scanner *s, const source *in)
{
    if (s->depth == SIM_CFG_NESTING_MAX) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, in->line, "nested deeper than %d levels",
                 SIM_CFG_NESTING_MAX);
        s->errors++;
        s->stop = true;
        return;
    }
    s->depth++;
    s->scope[s->depth] = NULL;
    s->bracket[s->depth] = *in->at;
}

/* Whether a string may stand here. libconfig 1.5 says no more than "syntax error", and leaks the string. */
static bool expects_string(const scanner *s)
{
    bool in_list = s->bracket[s->depth] == '(' || s->bracket[s->depth] == '[';

    return s->before == '=' || s->before == ':' || s->before == '"' ||
           (in_list && (s->before == ',' || s->before == s->bracket[s->depth]));
}

/* ---- comments, strings, includes ----------------------------------------------------------------- */

static void skip_comment(scanner *s, source *in)
{
    int start_line = in->line;

    if (*in->at == '#' || in->at[1] == '/') {
        while (in->at < in->end && *in->at != '\n')
            in->at++;
        return;
    }
    for (in->at += 2; in->at < in->end; in->at++) {
        if (*in->at == '*' && in->end - in->at > 1 && in->at[1] == '/') {
            in->at += 2;
            sim_text_bytes(&s->out->text, " ", 1);
            return;
        }
        if (*in->at == '\n')
            newline(s, in);
    }
    sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "this comment is never closed");
    s->errors++;
}

/* Copies a string with its quotes. */
static void copy_string(scanner *s, source *in)
{
    int start_line = in->line;

    sim_text_bytes(&s->out->text, in->at++, 1);
    while (in->at < in->end) {
        char c = *in->at++;

        if (c == '\n') {
            newline(s, in);
            continue;
        }
        sim_text_bytes(&s->out->text, &c, 1);
        if (c == '\\' && in->at < in->end && *in->at != '\n')
            sim_text_bytes(&s->out->text, in->at++, 1);
        else if (c == '"')
            return;
    }
    sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "this string is never closed");
    s->errors++;
}

/* The path of `name` beside `file`. */
static const char *beside(sim_arena *arena, const char *file, const char *name, size_t length)
{
    const char *slash = strrchr(file, '/');

    if (name[0] == '/' || !slash)
        return sim_arena_text(arena, name, length);
    return sim_arena_printf(arena, "%.*s/%.*s", (int)(slash - file), file, (int)length, name);
}

static void include(scanner *s, source *in)
{
    const char *name, *path;
    char *data;
    size_t length;
    int start_line = in->line;

    in->at += strlen("@include");
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
    name = in->at;
    if (in->at < in->end && *in->at == '"')
        for (name = ++in->at; in->at < in->end && *in->at != '"' && *in->at != '\n';)
            in->at++;
    if (in->at >= in->end || *in->at != '"' || in->at == name || in->at - name > 1024) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "@include needs a file name in quotes");
        s->errors++;
        s->stop = true;
        return;
    }
    length = (size_t)(in->at++ - name);
    s->stop = true; /* until the file has been read */
    s->errors++;
    if (!s->includes) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "@include is not allowed here");
        return;
    }
    path = beside(s->arena, in->file, name, length);
    if (!path) {
        out_of_memory(s, in->file);
        return;
    }
    for (int i = 0; i < s->open_count; i++)
        if (strcmp(s->open_file[i], path) == 0) {
            sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "'%s' includes itself", path);
            return;
        }
    if (s->open_count > SIM_CFG_INCLUDE_DEPTH_MAX || ++s->include_count > SIM_CFG_INCLUDES_MAX) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line,
                 "too many includes (at most %d in all, %d inside each other)", SIM_CFG_INCLUDES_MAX,
                 SIM_CFG_INCLUDE_DEPTH_MAX);
        return;
    }
    sim_err why = {0};
    sim_status status = sim_text_read_file(path, SIM_CFG_FILE_BYTES_MAX, s->arena, &data, &length, &why);

    if (status != SIM_OK) {
        sim_fail(s->err, status, in->file, start_line, "cannot include '%s'", path);
        sim_hint(s->err, "%s", why.count ? why.items[0].text : "");
        return;
    }
    if (s->out->text.length + length > SIM_CFG_EXPANDED_BYTES_MAX) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, start_line, "more than %d bytes with all includes",
                 SIM_CFG_EXPANDED_BYTES_MAX);
        return;
    }
    s->stop = false;
    s->errors--;
    /* What is included starts on a line of its own, and so does what follows it here. */
    sim_text_bytes(&s->out->text, "\n", 1);
    scan_file(s, data, length, path);
    sim_text_bytes(&s->out->text, "\n", 1);
    mark_line(s, in);
}

/* ---- one file ------------------------------------------------------------------------------------ */

/* Locale-free classes; isalpha() would follow setlocale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '*';
}

/* Whether NaN or infinity stands in place of a value, from `start` to `in->at`. */
static void check_word(scanner *s, const source *in, const char *start)
{
    const char *next = in->at;

    while (next < in->end && (*next == ' ' || *next == '\t'))
        next++;
    if (next < in->end && (*next == '=' || *next == ':'))
        return; /* a key of that name */
    s->errors += sim_cfg_check_word(start, in->at, in->file, in->line, s->err) != SIM_OK;
}

static bool starts(const source *in, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(in->end - in->at) >= length && memcmp(in->at, word, length) == 0;
}

static bool first_on_line(const source *in, const char *data)
{
    const char *p = in->at;

    while (p > data && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    return p == data || p[-1] == '\n';
}

static void scan_name(scanner *s, source *in)
{
    const char *start = in->at;

    while (in->at < in->end && is_name(*in->at))
        in->at++;
    check_word(s, in, start);
    sim_text_bytes(&s->out->text, start, (size_t)(in->at - start));
    s->name = (seen_key){start, (size_t)(in->at - start), in->file, in->line, NULL};
    s->before = 'x';
}

static void scan_string(scanner *s, source *in)
{
    if (!expects_string(s)) {
        sim_fail(s->err, SIM_BAD_INPUT, in->file, in->line, "text is not expected here");
        sim_hint(s->err, "a setting is written key = value, with the key not in quotes");
        s->errors++;
        s->stop = true;
        return;
    }
    copy_string(s, in);
    s->before = '"';
}

static void scan_number(scanner *s, source *in)
{
    const char *start = in->at;

    in->at = sim_cfg_number_end(start, in->end);
    s->errors += sim_cfg_check_number(start, in->at, in->file, in->line, s->err) != SIM_OK;
    sim_text_bytes(&s->out->text, start, (size_t)(in->at - start));
    s->before = 'x';
}

/* Signs, brackets, and what is no token at all: that is left to libconfig. */
static void scan_sign(scanner *s, source *in)
{
    const char *start = in->at;
    char c = *start;

    if ((c == '=' || c == ':') && s->name.name)
        add_key(s);
    else if (c == '{' || c == '(' || c == '[')
        open_bracket(s, in);
    else if ((c == '}' || c == ')' || c == ']') && s->depth > 0)
        s->depth--;
    in->at++;
    if (c == '+' || c == '-') {
        while (in->at < in->end && is_name(*in->at))
            in->at++;
        check_word(s, in, start);
    }
    sim_text_bytes(&s->out->text, start, (size_t)(in->at - start));
    s->before = c;
}

static void scan_token(scanner *s, source *in, const char *data)
{
    char c = *in->at;

    if (c == '@') { /* an include is no token: what stands before it goes on inside */
        if (first_on_line(in, data) && starts(in, "@include")) {
            include(s, in);
            return;
        }
        sim_fail(s->err, SIM_BAD_INPUT, in->file, in->line, "@include must stand first on its line");
        s->errors++;
        s->stop = true;
        return;
    }
    if (is_alpha(c) || c == '*') {
        scan_name(s, in);
        return;
    }
    if (c == '"')
        scan_string(s, in);
    else if (is_digit(c) || c == '.' ||
             ((c == '+' || c == '-') && in->end - in->at > 1 && !is_alpha(in->at[1])))
        scan_number(s, in);
    else
        scan_sign(s, in);
    s->name.name = NULL;
}

static void scan_file(scanner *s, const char *data, size_t length, const char *file)
{
    source in = {.file = file, .at = data, .end = data + length, .line = 1};

    if (!is_text(s, data, length, file)) {
        s->stop = true;
        return;
    }
    s->open_file[s->open_count++] = file;
    mark_line(s, &in);
    while (in.at < in.end && !s->stop) {
        char c = *in.at;

        if (c == '\n') {
            in.at++;
            newline(s, &in);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            sim_text_bytes(&s->out->text, " ", 1);
            in.at++;
        } else if (c == '#' || (c == '/' && in.end - in.at > 1 && (in.at[1] == '/' || in.at[1] == '*'))) {
            skip_comment(s, &in);
        } else {
            scan_token(s, &in, data);
        }
    }
    s->open_count--;
}

sim_status sim_cfg_expand(const char *data, size_t length, const char *name, bool includes, sim_arena *arena,
                          sim_cfg_text *out, sim_err *err)
{
    scanner s = {.arena = arena, .err = err, .out = out, .includes = includes};

    *out = (sim_cfg_text){.text = {.allocator = arena->allocator}};
    scan_file(&s, data, length, name);
    if (out->text.failed)
        out_of_memory(&s, name);
    if (s.errors == 0)
        return SIM_OK;
    return sim_err_status(err) != SIM_OK ? sim_err_status(err) : SIM_BAD_INPUT;
}
