/* Results of sweeps in an SQLite file: one row per point, keyed by what the point is, so that a rerun finds
 * it and stores merge without doubles.
 *
 *   points   id (64-bit hash of canonical arch, workload, policy, objective and model version), version,
 * arch, workload, policy, objective, status (ok, infeasible, excluded), why, a column per axis that any sweep
 *            had, named after it, and the figures of sweep.h
 *   layers   on demand: point, position, name, op, repeat, m, n, k, batch, w_bits, a_bits, kv_bits, cycles,
 *            latency_s, energy_j, dram_read_bytes, dram_write_bytes, bound
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

/* The columns of rows to come: names, in the order of the values. Columns that the file lacks are added. */
sim_status sim_store_columns(sim_store *store, const char *const *names, int count, bool layers,
                             sim_err *err);

/* Whether a point is there. */
sim_status sim_store_has(sim_store *store, int64_t id, bool *has, sim_err *err);

/* Between begin and commit a batch is all or nothing. A row whose id is there is left as it is. */
sim_status sim_store_begin(sim_store *store, sim_err *err);
sim_status sim_store_put(sim_store *store, int64_t id, const sim_store_value *values, sim_err *err);
/* Values of the layers table but for point, in its order. */
sim_status sim_store_put_layer(sim_store *store, int64_t point, const sim_store_value *values, sim_err *err);
sim_status sim_store_commit(sim_store *store, sim_err *err);
void sim_store_rollback(sim_store *store);

/* Copies all points (and layers) of the store `from` that are not there. Idempotent. *added: points. */
sim_status sim_store_merge(sim_store *store, const char *from, int64_t *added, sim_err *err);

typedef struct sim_store_query {
    const char *where;     /* an SQL condition over columns; NULL: all with status ok */
    const char *columns;   /* "a,b": those; NULL: all */
    const char *pareto[2]; /* columns of which both the least are wanted; NULL: all rows */
    bool layers;           /* the layers table instead */
} sim_store_query;

/* Rows as CSV, sorted by arch, workload, axes and id: equal stores give equal text. `line` is called for each
 * line of text, the first with the names; it returns false to stop. Nothing but reading is allowed in
 * `where`. SIM_USAGE: an unknown column, a condition that is no SQL. */
sim_status sim_store_query_csv(sim_store *store, const sim_store_query *query,
                               bool (*line)(void *user, const char *text, size_t length), void *user,
                               sim_arena *arena, sim_err *err);

#endif
