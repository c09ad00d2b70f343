/* The engine behind every configuration key: rows (model/backend.h) in, checked fields and messages out.
 *
 * A row is declared once; from it come parsing, ranges, did-you-mean, --set and the canonical text. */
#ifndef SIM_INPUT_PARAM_H
#define SIM_INPUT_PARAM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "input/cfg.h"
#include "model/backend.h"

/* A struct being filled through one or more tables of rows. */
typedef struct sim_param_set {
    sim_arena *arena;
    void *target;               /* what the rows' offsets refer to */
    const char *prefix;         /* goes before the rows' keys in messages and canonical text: "tech." or "" */
    const sim_param **rows;     /* of all tables, in order */
    bool *given;                /* set by a file or by --set, rightly or wrongly */
    const char *const *refused; /* full keys that are known but not taken; NULL: none */
    const char *refuser;        /* who does not take them: "back end 'bitfusion'" */
    int count, capacity;
} sim_param_set;

/* Starts an empty set. SIM_NO_MEMORY. `capacity`: most rows that will be added. */
sim_status sim_param_begin(sim_param_set *set, void *target, const char *prefix, int capacity,
                           sim_arena *arena, sim_err *err);

/* Adds a table and writes its defaults. A default that does not parse is SIM_INTERNAL. */
sim_status sim_param_add(sim_param_set *set, const sim_param *rows, int count, sim_err *err);

/* Applies all settings of `cfg` whose key begins with the set's prefix (of an empty prefix: all, less the
 * groups named in `skip`, NULL-terminated and may be NULL). Every error is reported. */
sim_status sim_param_apply(sim_param_set *set, const sim_cfg *cfg, const char *const *skip, sim_err *err);

/* Applies one `key` = `text`, as --set does; errors are reported as of "file" `--set key=text`. */
sim_status sim_param_apply_text(sim_param_set *set, const char *key, const char *text, sim_err *err);

/* Reports all required keys that are missing from `file`, together. */
sim_status sim_param_check_missing(const sim_param_set *set, const char *file, sim_err *err);

/* Whether `key` (full) was given. */
bool sim_param_given(const sim_param_set *set, const char *key);

/* "key=value" lines in table order, defaults included; refused keys are left out. */
void sim_param_canonical(const sim_param_set *set, sim_text *out);

#endif
