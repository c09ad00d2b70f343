/* Reading the members of JSON objects of our own files: every slip is reported with its line, and all slips
 * of a file together. */
#ifndef SIM_INPUT_JSON_READ_H
#define SIM_INPUT_JSON_READ_H

#include "base/err.h"
#include "base/json.h"
#include "model/types.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_json_reader {
    const char *file;
    sim_err *err;
    sim_status status; /* of the first error that was reported through this reader */
} sim_json_reader;

/* Adds an error at `line` of the reader's file. */
void sim_json_error(sim_json_reader *r, sim_status status, int line, const char *format, ...)
    SIM_PRINTF(4, 5);

/* Reports members of `object` whose key is not among the NULL-terminated `keys`; `where` says what the object
 * is: "layer 'fc1'", "a policy file". */
void sim_json_check_keys(sim_json_reader *r, const sim_json *object, const char *where,
                         const char *const *keys);

/* All of the following return true when *out was set, false when the member is absent (*out is left alone)
 * or wrong (reported). With `where` not NULL the member is required: its absence is reported too. */

bool sim_json_read_int(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                       int64_t min, int64_t max, int64_t *out);
bool sim_json_read_real(sim_json_reader *r, const sim_json *object, const char *key, double min, double max,
                        double *out);
bool sim_json_read_bool(sim_json_reader *r, const sim_json *object, const char *key, bool *out);
bool sim_json_read_text(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                        const char **out);
/* One of the NULL-terminated `words`; *out becomes its index. Empty words are not offered. */
bool sim_json_read_word(sim_json_reader *r, const sim_json *object, const char *key, const char *where,
                        const char *const *words, int *out);

/* Bits and format of one operand. Where neither is there, *out is left alone; a format that has one width
 * only needs no bits, bits without a format are an integer's. */
bool sim_json_read_number(sim_json_reader *r, const sim_json *object, const char *bits_key,
                          const char *format_key, sim_number *out);

#endif
