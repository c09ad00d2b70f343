/* Results of sweeps in an SQLite file: one row per point, keyed by what the point is, so that a rerun finds
 * it and stores merge without doubles.
 *
 * Table points: machine and point, the key (64-bit hashes, one of canonical arch, workload and version of the
 * model, one of policy and objective; points that share what is expensive lie together); version, arch,
 * workload, phase, policy, objective, status (ok, infeasible, excluded), why, w, a, kv (bits); a column for
 * each axis that any sweep had, named after it; the figures of sweep.h.
 *
 * Table layers, on demand: machine, point, position, and columns of `run --csv`.
 *
 * One process writes at a time; others wait for it (a minute) and then see its rows. The journal is SQLite's
 * own rollback journal: a process that is killed loses the batch it was writing, never the file. File systems
 * of a network do not lock well enough: there one file per process, and sim_store_merge. */
#ifndef SIM_EXPLORE_STORE_H
#define SIM_EXPLORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_store sim_store;

typedef struct sim_store_key {
    int64_t machine, point;
} sim_store_key;

/* A value of a column: a number, a text, or neither (NULL). */
typedef struct sim_store_value {
    enum { SIM_STORE_NULL, SIM_STORE_INT, SIM_STORE_REAL, SIM_STORE_TEXT } type;
    int64_t integer;
    double real;
    const char *text;
} sim_store_value;

/* Opens or creates. SIM_IO: cannot be opened, is read-only, or is no store of a version that is understood.
 */
sim_status sim_store_open(const char *path, bool write, sim_store **out, sim_err *err);
void sim_store_close(sim_store *store);

/* The columns of rows to come: names, in the order of the values. Columns that the file lacks are added.
 * `asked`: those that say how a point was asked for, which another sweep may not have known. */
sim_status sim_store_columns(sim_store *store, const char *const *names, int count, const char *const *asked,
                             int asked_count, bool layers, sim_err *err);

sim_status sim_store_is_empty(sim_store *store, bool *empty, sim_err *err);

/* What the store has of a point: its figures (and layers, where these are wanted), and perhaps all columns of
 * `asked`. */
typedef enum sim_store_has_what {
    SIM_STORE_HAS_NOTHING,
    SIM_STORE_HAS_FIGURES,
    SIM_STORE_HAS_ALL
} sim_store_has_what;

sim_status sim_store_has(sim_store *store, sim_store_key key, sim_store_has_what *has, sim_err *err);

sim_status sim_store_begin(sim_store *store, sim_err *err);
sim_status sim_store_put(sim_store *store, sim_store_key key, const sim_store_value *values, sim_err *err);
/* position, name, op, phase, repeat, steps, m, n, k, batch, w_bits, a_bits, kv_bits, macs, compute_cycles,
 * memory_cycles, cycles, latency_s, energy_j, dram_read_bytes, dram_write_bytes, bound. */
enum { SIM_STORE_LAYER_VALUES = 22 };
sim_status sim_store_put_layer(sim_store *store, sim_store_key key, const sim_store_value *values,
                               sim_err *err);
sim_status sim_store_commit(sim_store *store, sim_err *err);
void sim_store_rollback(sim_store *store);

/* Copies all points (and layers) of the store `from` that are not there, and what is NULL here and not there.
 * Idempotent. *added: points. */
sim_status sim_store_merge(sim_store *store, const char *from, int64_t *added, sim_err *err);

typedef struct sim_store_query {
    const char *where;     /* an SQL condition over columns; NULL: all with status ok */
    const char *columns;   /* "a,b": those; NULL: all */
    const char *pareto[2]; /* columns of which both the least are wanted; NULL: all rows */
    bool layers;           /* the layers table instead */
} sim_store_query;

/* Rows as CSV, sorted by what was asked for: arch, workload, bits, axes; a front by its first column. Equal
 * stores give equal text. `line` is called for each line of text, its newline included, the first with the
 * names; it returns false to stop, which is no error here. Nothing but reading is allowed in `where`.
 * SIM_USAGE: an unknown column, a condition that is no SQL. */
sim_status sim_store_query_csv(const sim_store *store, const sim_store_query *query,
                               bool (*line)(void *user, const char *text, size_t length), void *user,
                               sim_arena *arena, sim_err *err);

#endif
