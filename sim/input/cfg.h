/* libconfig files -> a flat list of settings that know their file and line.
 *
 * Only cfg.c knows libconfig. What libconfig 1.5 gets wrong is caught before it sees the text (cfg_text.h):
 * integers beyond 32 bits wrap silently, reals overflow to infinity, @include resolves from the current
 * folder, the decimal point follows the locale, an open comment is swallowed, time is quadratic in the keys.
 */
#ifndef SIM_INPUT_CFG_H
#define SIM_INPUT_CFG_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_CFG_FILE_BYTES_MAX = 1 << 20,     /* of one file */
    SIM_CFG_EXPANDED_BYTES_MAX = 4 << 20, /* of a file with all it includes */
    SIM_CFG_KEYS_MAX = 4096,              /* libconfig compares each key with all others of its group */
    SIM_CFG_NESTING_MAX = 32,
    SIM_CFG_INCLUDE_DEPTH_MAX = 10,
    SIM_CFG_INCLUDES_MAX = 64,
};

typedef enum sim_cfg_type {
    SIM_CFG_INT,
    SIM_CFG_REAL,
    SIM_CFG_BOOL,
    SIM_CFG_TEXT,
    SIM_CFG_LIST,  /* ( ) or [ ]: elements */
    SIM_CFG_GROUP, /* { }: its members follow as settings of their own */
} sim_cfg_type;

typedef struct sim_cfg_value {
    sim_cfg_type type;
    bool boolean;
    int64_t integer;
    double real; /* SIM_CFG_REAL, and SIM_CFG_INT as a double; always finite */
    const char
        *text; /* SIM_CFG_TEXT: UTF-8 without control characters; given as text by --set: the original */
    const struct sim_cfg_value *elements; /* SIM_CFG_LIST */
    int64_t count;
} sim_cfg_value;

typedef struct sim_cfg_setting {
    const char *key; /* dotted path: "array.rows" */
    sim_cfg_value value;
    const char *file; /* the included file where the setting is written */
    int line;
} sim_cfg_setting;

typedef struct sim_cfg {
    const sim_cfg_setting *settings; /* in the order of the file; a group before its members */
    int count;
} sim_cfg;

/* Reads `path`, at most SIM_CFG_FILE_BYTES_MAX; "@include" takes a path relative to the folder of the file
 * that it stands in. SIM_BAD_INPUT with file and line for anything that is no such file; an empty one is an
 * error too. Everything lives in `arena`. */
sim_status sim_cfg_load(const char *path, sim_arena *arena, sim_cfg *out, sim_err *err);

/* The same for text in memory; `name` is the file name for messages, and @include is refused. */
sim_status sim_cfg_parse(const char *text, size_t length, const char *name, sim_arena *arena, sim_cfg *out,
                         sim_err *err);

/* The setting of a full key; NULL when there is none. */
const sim_cfg_setting *sim_cfg_find(const sim_cfg *cfg, const char *key);

const char *sim_cfg_type_name(sim_cfg_type type); /* "an integer", "a list", ... */

#endif
