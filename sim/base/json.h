/* JSON: a read-only tree in which every value knows its line, and a streaming writer.
 *
 * Only json.c knows jansson. */
#ifndef SIM_BASE_JSON_H
#define SIM_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

typedef enum sim_json_type {
    SIM_JSON_NULL,
    SIM_JSON_BOOL,
    SIM_JSON_INT,
    SIM_JSON_REAL,
    SIM_JSON_TEXT,
    SIM_JSON_ARRAY,
    SIM_JSON_OBJECT,
} sim_json_type;

typedef struct sim_json {
    sim_json_type type;
    int line;                      /* of the value's first character, from 1 */
    const char *key;               /* inside an object; NULL otherwise */
    bool boolean;                  /* SIM_JSON_BOOL */
    int64_t integer;               /* SIM_JSON_INT */
    double real;                   /* SIM_JSON_REAL, and SIM_JSON_INT as a double */
    const char *text;              /* SIM_JSON_TEXT, UTF-8, no NUL inside */
    struct sim_json *child, *next; /* first member or element; next sibling */
    int64_t count;                 /* members or elements */
} sim_json;

enum { SIM_JSON_FILE_MAX = 64 * 1024 * 1024 }; /* bytes of a file that is read */

/* Parses `length` bytes of `text`; `name` is the file name for messages. Duplicate keys, trailing text,
 * integers beyond 63 bits, NaN and nesting deeper than 64 are errors with their line. */
sim_status sim_json_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                          const sim_json **root, sim_err *err);
/* The same, but NaN and infinities, which Python writes, are taken: each becomes the text "". */
sim_status sim_json_parse_python(const char *text, size_t length, const char *name, sim_arena *arena,
                                 const sim_json **root, sim_err *err);
/* sim_json_parse of a file of at most 64 MiB. */
sim_status sim_json_load(const char *path, sim_arena *arena, const sim_json **root, sim_err *err);

const sim_json *sim_json_get(const sim_json *object, const char *key); /* NULL when absent */
const char *sim_json_type_name(sim_json_type type);                    /* "an integer", "an object", ... */

/* The writer: pretty (two spaces) JSON into a sim_text. Commas and indents are its own business.
 * Non-finite numbers are written as null: an unknown value is null, never 0. `key` is NULL in arrays. */
typedef struct sim_json_writer {
    sim_text *out;
    int depth;
    bool compact_depth_set; /* a container opened with `inline_` is kept on one line */
    int compact_depth;
    bool first;
} sim_json_writer;

void sim_json_begin(sim_json_writer *w, const char *key, char bracket /* '{' or '[' */, bool one_line);
void sim_json_end(sim_json_writer *w, char bracket /* '}' or ']' */);
void sim_json_put_text(sim_json_writer *w, const char *key, const char *value); /* NULL is null */
void sim_json_put_int(sim_json_writer *w, const char *key, int64_t value);
void sim_json_put_real(sim_json_writer *w, const char *key, double value);
void sim_json_put_bool(sim_json_writer *w, const char *key, bool value);
void sim_json_put_null(sim_json_writer *w, const char *key);

#endif
