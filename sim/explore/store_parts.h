/* Between store.c, which knows SQLite, and store_query.c, which does not. */
#ifndef SIM_EXPLORE_STORE_PARTS_H
#define SIM_EXPLORE_STORE_PARTS_H

#include "explore/store.h"

const char *sim_store_path(const sim_store *store);

/* `name` as an SQL identifier. */
void sim_store_quote(sim_text *sql, const char *name);
/* " ON CONFLICT ... DO UPDATE SET a = coalesce(a, excluded.a), ...": what is known stays. */
void sim_store_add_coalesced(sim_text *sql, const char *const *names, int count);

/* Calls `row` for each row that `sql` selects; texts live until it returns. SQL with a foreign part may read
 * the tables and nothing else. false stops, as an error of the caller's that is in `err` already. `names`: of
 * the columns, before the first row; may be NULL. SIM_USAGE: no SQL, or more than reading. */
sim_status sim_store_select(const sim_store *store, const char *sql, bool foreign,
                            bool (*names)(void *user, const char *const *names, int count),
                            bool (*row)(void *user, const sim_store_value *values, int count), void *user,
                            sim_err *err);

#endif
