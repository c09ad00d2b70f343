/* Text: a growing buffer, nearest-word search, globs and names, numbers for people. Locale-independent
 * throughout. */
#ifndef SIM_BASE_TEXT_H
#define SIM_BASE_TEXT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing byte buffer, always NUL-terminated once something was added. Memory running out is
 * remembered in `failed` and checked once at the end; further appends then do nothing. */
typedef struct sim_text {
    sim_allocator allocator; /* all zero: malloc and free */
    char *data;
    size_t length, capacity;
    bool failed;
} sim_text;

void sim_text_free(sim_text *text);
void sim_text_bytes(sim_text *text, const char *bytes, size_t length);
void sim_text_add(sim_text *text, const char *string);
void sim_text_printf(sim_text *text, const char *format, ...) SIM_PRINTF(2, 3);
/* The shortest decimal that reads back as the same double ("0.1", "1e+30"); always with a '.'-point
 * whatever the locale. Not for infinities or NaN, which it writes as "null". */
void sim_text_real(sim_text *text, double value);

/* All errors as a person reads them: "file:line: error: text" (or "note: text") and "  hint: ..." below it.
 */
void sim_err_format(const sim_err *err, sim_text *out);

/* Whole-file read, at most `limit_bytes` (a larger file is an error that names the limit). The copy is
 * NUL-terminated in `arena`. Anything that cannot be opened, is no regular file, or is too large:
 * SIM_BAD_INPUT. */
sim_status sim_text_read_file(const char *path, size_t limit_bytes, sim_arena *arena, char **data,
                              size_t *length, sim_err *err);

/* Strict number parsing of a whole string; false on anything else (empty, trailing text, range, NaN, inf). */
bool sim_parse_int(const char *text, int64_t *value);
bool sim_parse_real(const char *text, double *value);

/* The word of `words` (NULL-terminated) nearest to `word` by Damerau-Levenshtein distance, ignoring case,
 * when it is near enough to be a slip (distance at most max(1, length / 3)); NULL otherwise. */
const char *sim_nearest(const char *word, const char *const *words);

/* Sets the hint of the last error, an unknown `word`: the nearest of `words` (NULL-terminated), or all of
 * them when none is near. */
void sim_hint_words(sim_err *err, const char *word, const char *const *words);

/* Shell-like match of a whole string: '*' any run, '?' one character, '[a-z]' a set, '\' quotes. */
bool sim_glob(const char *pattern, const char *string);

/* The same, and a list of numbers and ranges in the pattern ("0-3,8" in "layers.0-3,8.q_proj") matches,
 * beside itself, any of these numbers where the name has one: a whole run of digits. Lists are only looked
 * for in names of up to 511 bytes. */
bool sim_match_name(const char *pattern, const char *name);

/* "12.3 MB" style for people: value with 3 significant digits and an SI prefix (or a binary one, "KiB",
 * for `binary`). `out` gets at most `size` bytes. Returns `out`. */
char *sim_scaled(double value, const char *unit, bool binary, char *out, size_t size);

#endif
