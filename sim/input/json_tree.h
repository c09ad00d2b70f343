/* JSON trees made by hand, of what is no JSON, and trees written out again. */
#ifndef SIM_INPUT_JSON_TREE_H
#define SIM_INPUT_JSON_TREE_H

#include "base/arena.h"
#include "base/json.h"

/* Makes trees; memory running out is remembered in `failed` and checked once at the end. New values have
 * `line`. */
typedef struct sim_json_maker {
    sim_arena *arena;
    int line;
    bool failed;
    sim_json spare; /* stands for what could not be allocated */
} sim_json_maker;

/* An object or array that still grows. */
typedef struct sim_json_open {
    sim_json *value;
    sim_json **end; /* where the next member goes */
} sim_json_open;

/* An object or array, appended to `parent` under `key`; both NULL: a root; `key` NULL: in an array. */
sim_json_open sim_json_make(sim_json_maker *m, sim_json_open *parent, const char *key, sim_json_type type);
void sim_json_make_int(sim_json_maker *m, sim_json_open *parent, const char *key, int64_t value);
void sim_json_make_real(sim_json_maker *m, sim_json_open *parent, const char *key, double value);
void sim_json_make_bool(sim_json_maker *m, sim_json_open *parent, const char *key, bool value);
/* Keys and texts are not copied; a NULL text is one that memory was out for. */
void sim_json_make_text(sim_json_maker *m, sim_json_open *parent, const char *key, const char *value);
/* A member made elsewhere: `value` itself is copied, what is in it is shared. */
void sim_json_make_copy(sim_json_maker *m, sim_json_open *parent, const char *key, const sim_json *value);

/* Writes `value` under `key`; lists of numbers and texts, and objects inside lists, on one line. */
void sim_json_put_tree(sim_json_writer *w, const char *key, const sim_json *value);

#endif
