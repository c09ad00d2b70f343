#include "explore/store_parts.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1, WAIT_MS = 60000, COLUMNS_MAX = 128 };

struct sim_store {
    sim_arena arena; /* that it lies in */
    sqlite3 *db;
    sqlite3_stmt *has, *put, *put_layer;
    int columns;
    bool layers; /* wanted */
    char path[512];
};

/* ---- errors ----------------------------------------------------------------------------------------- */

static sim_status failed(const sim_store *store, sim_err *err)
{
    int code = sqlite3_errcode(store->db);

    if (code == SQLITE_NOMEM)
        return sim_fail(err, SIM_NO_MEMORY, store->path, 0, "out of memory");
    sim_fail(err, SIM_IO, store->path, 0, "%s", sqlite3_errmsg(store->db));
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        sim_hint(
            err,
            "another process has been writing to it for a minute: one file per process, then simacc merge");
    else if (code == SQLITE_NOTADB)
        sim_hint(err, "it exists and is no store; give another name");
    else if (code == SQLITE_FULL)
        sim_hint(err, "the disk is full: what was stored before is kept, run again to go on");
    return SIM_IO;
}

static sim_status run_sql(const sim_store *store, const char *sql, sim_err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SIM_OK : failed(store, err);
}

static sim_status prepare(const sim_store *store, const char *sql, sqlite3_stmt **out, sim_err *err)
{
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? SIM_OK : failed(store, err);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static const char schema[] =
    "CREATE TABLE points (machine INTEGER, point INTEGER, version TEXT, arch TEXT, workload TEXT, phase "
    "TEXT, "
    "policy TEXT, objective TEXT, status TEXT, why TEXT, w INTEGER, a INTEGER, kv INTEGER, PRIMARY KEY "
    "(machine, point)) WITHOUT ROWID;"
    "CREATE TABLE layers (machine INTEGER, point INTEGER, position INTEGER, name TEXT, op TEXT, phase TEXT, "
    "repeat "
    "INTEGER, steps INTEGER, m INTEGER, n INTEGER, k INTEGER, batch INTEGER, w_bits INTEGER, a_bits INTEGER, "
    "kv_bits INTEGER, macs INTEGER, compute_cycles INTEGER, memory_cycles INTEGER, cycles INTEGER, latency_s "
    "REAL, energy_j REAL, dram_read_bytes INTEGER, dram_write_bytes INTEGER, bound TEXT, PRIMARY KEY "
    "(machine, point, position)) WITHOUT ROWID;";

/* Tables in the file, and the format that it says it has. */
static sim_status read_format(const sim_store *store, int64_t *tables, int64_t *format, sim_err *err)
{
    sqlite3_stmt *version;
    sim_status status = prepare(store,
                                "SELECT (SELECT count(*) FROM sqlite_master), user_version FROM "
                                "pragma_user_version",
                                &version, err);

    if (status != SIM_OK)
        return status;
    if (sqlite3_step(version) == SQLITE_ROW) {
        *tables = sqlite3_column_int64(version, 0);
        *format = sqlite3_column_int64(version, 1);
    }
    return sqlite3_finalize(version) == SQLITE_OK ? SIM_OK : failed(store, err);
}

/* Makes the tables, unless another process has just done so. */
static sim_status create(sim_store *store, sim_err *err)
{
    int64_t tables = 0, format = 0;
    char sql[64];
    sim_status status = sim_store_begin(store, err);

    if (status == SIM_OK)
        status = read_format(store, &tables, &format, err);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", FORMAT);
    if (status == SIM_OK && tables == 0)
        status = run_sql(store, sql, err);
    if (status == SIM_OK && tables == 0)
        status = run_sql(store, schema, err);
    if (status == SIM_OK)
        return sim_store_commit(store, err);
    sim_store_rollback(store);
    return status;
}

static sim_status check_format(sim_store *store, bool write, sim_err *err)
{
    int64_t tables = 0, format = 0;
    sim_status status = read_format(store, &tables, &format, err);

    if (status == SIM_OK && tables == 0)
        return write ? create(store, err) : sim_fail(err, SIM_IO, store->path, 0, "is empty");
    if (status != SIM_OK || format == FORMAT)
        return status;
    sim_fail(err, SIM_IO, store->path, 0,
             format == 0 ? "is an SQLite file, but no store of simacc"
                         : "is a store of another version of simacc");
    sim_hint(err, "give another name");
    return SIM_IO;
}

sim_status sim_store_open(const char *path, bool write, sim_store **out, sim_err *err)
{
    /* Who only reads must all the same undo what a killed process left half done, where that can be. */
    int flags = SQLITE_OPEN_READWRITE | (write ? SQLITE_OPEN_CREATE : 0);
    sim_store *store;
    sim_arena arena;
    sim_status status;

    *out = NULL;
    sim_arena_init(&arena, NULL);
    store = sim_arena_alloc(&arena, 1, sizeof *store);
    if (!store)
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    store->arena = arena;
    snprintf(store->path, sizeof store->path, "%s", path);
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
        status = store->db ? failed(store, err) : sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
        sim_store_close(store);
        return status;
    }
    sqlite3_busy_timeout(store->db, WAIT_MS);
    if (write && sqlite3_db_readonly(store->db, "main") == 1)
        status = sim_fail(err, SIM_IO, path, 0, "cannot be written to");
    else
        status = check_format(store, write, err);
    if (status == SIM_OK && write) /* a crash of the machine may cost the last batches, a kill none */
        status = run_sql(store, "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY", err);
    if (status != SIM_OK) {
        sim_store_close(store);
        return status;
    }
    *out = store;
    return SIM_OK;
}

void sim_store_close(sim_store *store)
{
    sim_arena arena;

    if (!store)
        return;
    arena = store->arena;
    sqlite3_finalize(store->has);
    sqlite3_finalize(store->put);
    sqlite3_finalize(store->put_layer);
    sqlite3_close(store->db);
    sim_arena_free(&arena);
}

/* ---- columns ---------------------------------------------------------------------------------------- */

const char *sim_store_path(const sim_store *store)
{
    return store->path;
}

static sim_status has_column(const sim_store *store, const char *name, bool *has, sim_err *err)
{
    sqlite3_stmt *info;
    sim_status status =
        prepare(store, "SELECT 1 FROM pragma_table_info('points') WHERE name = ?1", &info, err);

    if (status != SIM_OK)
        return status;
    sqlite3_bind_text(info, 1, name, -1, SQLITE_STATIC);
    *has = sqlite3_step(info) == SQLITE_ROW;
    return sqlite3_finalize(info) == SQLITE_OK ? SIM_OK : failed(store, err);
}

static sim_status finish_sql(const sim_store *store, sim_text *sql, sqlite3_stmt **out, sim_err *err)
{
    sim_status status = sql->failed ? sim_fail(err, SIM_NO_MEMORY, store->path, 0, "out of memory") : SIM_OK;

    if (status == SIM_OK)
        status = out ? prepare(store, sql->data, out, err) : run_sql(store, sql->data, err);
    sim_text_free(sql);
    return status;
}

/* The type of a column tells what a sweep varied from what it found out; SQLite takes any value in either. */
static const char axis_type[] = "AXIS", figure_type[] = "FIGURE";

static sim_status add_column(const sim_store *store, const char *name, const char *type, sim_err *err)
{
    sim_text sql = {.length = 0};
    bool has;
    sim_status status = has_column(store, name, &has, err);

    if (status != SIM_OK || has)
        return status;
    sim_text_add(&sql, "ALTER TABLE points ADD COLUMN ");
    sim_store_quote(&sql, name);
    sim_text_printf(&sql, " %s", type);
    return finish_sql(store, &sql, NULL, err);
}

static bool is_one_of(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static sim_status prepare_put(sim_store *store, const char *const *names, int count, sim_err *err)
{
    sim_text sql = {.length = 0};

    sim_text_add(&sql, "INSERT INTO points (machine, point");
    for (int i = 0; i < count; i++) {
        sim_text_add(&sql, ", ");
        sim_store_quote(&sql, names[i]);
    }
    sim_text_add(&sql, ") VALUES (?1, ?2");
    for (int i = 0; i < count; i++)
        sim_text_printf(&sql, ", ?%d", i + 3);
    sim_text_add(&sql, ")");
    sim_store_add_coalesced(&sql, names, count);
    return finish_sql(store, &sql, &store->put, err);
}

/* Selects whether all columns of `asked` are set. */
static sim_status prepare_has(sim_store *store, const char *const *asked, int count, sim_err *err)
{
    sim_text sql = {.length = 0};

    sim_text_add(&sql, "SELECT 1");
    for (int i = 0; i < count; i++) {
        sim_text_add(&sql, " AND ");
        sim_store_quote(&sql, asked[i]);
        sim_text_add(&sql, " IS NOT NULL");
    }
    sim_text_add(&sql, " FROM points WHERE machine = ?1 AND point = ?2");
    if (store->layers)
        sim_text_add(&sql, " AND (status = 'infeasible' OR EXISTS (SELECT 1 FROM layers AS l WHERE l.machine "
                           "= ?1 AND l.point = ?2))");
    return finish_sql(store, &sql, &store->has, err);
}

static sim_status prepare_put_layer(sim_store *store, sim_err *err)
{
    sim_text sql = {.length = 0};

    sim_text_add(&sql, "INSERT OR IGNORE INTO layers VALUES (?1, ?2");
    for (int i = 0; i < SIM_STORE_LAYER_VALUES; i++)
        sim_text_printf(&sql, ", ?%d", i + 3);
    sim_text_add(&sql, ")");
    return finish_sql(store, &sql, &store->put_layer, err);
}

sim_status sim_store_columns(sim_store *store, const char *const *names, int count, const char *const *asked,
                             int asked_count, bool layers, sim_err *err)
{
    sim_status status;

    if (count > COLUMNS_MAX)
        return sim_fail(err, SIM_USAGE, NULL, 0, "more than %d columns", COLUMNS_MAX);
    status = sim_store_begin(store, err); /* two processes must not add the same column */
    for (int i = 0; i < count && status == SIM_OK; i++)
        status = add_column(store, names[i],
                            is_one_of(names[i], asked, asked_count) ? axis_type : figure_type, err);
    if (status == SIM_OK)
        status = sim_store_commit(store, err);
    if (status != SIM_OK) {
        sim_store_rollback(store);
        return status;
    }
    store->columns = count;
    store->layers = layers;
    status = prepare_put(store, names, count, err);
    if (status == SIM_OK)
        status = prepare_has(store, asked, asked_count, err);
    return status == SIM_OK && layers ? prepare_put_layer(store, err) : status;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

sim_status sim_store_is_empty(sim_store *store, bool *empty, sim_err *err)
{
    sqlite3_stmt *any;
    sim_status status = prepare(store, "SELECT 1 FROM points LIMIT 1", &any, err);

    if (status != SIM_OK)
        return status;
    *empty = sqlite3_step(any) != SQLITE_ROW;
    return sqlite3_finalize(any) == SQLITE_OK ? SIM_OK : failed(store, err);
}

sim_status sim_store_has(sim_store *store, sim_store_key key, sim_store_has_what *has, sim_err *err)
{
    int step;

    sqlite3_bind_int64(store->has, 1, key.machine);
    sqlite3_bind_int64(store->has, 2, key.point);
    step = sqlite3_step(store->has);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return failed(store, err);
    *has = step == SQLITE_DONE                      ? SIM_STORE_HAS_NOTHING
           : sqlite3_column_int(store->has, 0) == 0 ? SIM_STORE_HAS_FIGURES
                                                    : SIM_STORE_HAS_ALL;
    sqlite3_reset(store->has);
    return SIM_OK;
}

sim_status sim_store_begin(sim_store *store, sim_err *err)
{
    return run_sql(store, "BEGIN IMMEDIATE", err);
}

sim_status sim_store_commit(sim_store *store, sim_err *err)
{
    return run_sql(store, "COMMIT", err);
}

void sim_store_rollback(sim_store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

static void bind(sqlite3_stmt *statement, int at, const sim_store_value *value)
{
    switch (value->type) {
    case SIM_STORE_INT:
        sqlite3_bind_int64(statement, at, value->integer);
        break;
    case SIM_STORE_REAL:
        sqlite3_bind_double(statement, at, value->real);
        break;
    case SIM_STORE_TEXT:
        sqlite3_bind_text(statement, at, value->text, -1, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(statement, at);
        break;
    }
}

static sim_status put(sim_store *store, sqlite3_stmt *statement, sim_store_key key,
                      const sim_store_value *values, int count, sim_err *err)
{
    sqlite3_bind_int64(statement, 1, key.machine);
    sqlite3_bind_int64(statement, 2, key.point);
    for (int i = 0; i < count; i++)
        bind(statement, i + 3, &values[i]);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return failed(store, err);
    sqlite3_reset(statement);
    return SIM_OK;
}

sim_status sim_store_put(sim_store *store, sim_store_key key, const sim_store_value *values, sim_err *err)
{
    return put(store, store->put, key, values, store->columns, err);
}

sim_status sim_store_put_layer(sim_store *store, sim_store_key key, const sim_store_value *values,
                               sim_err *err)
{
    return put(store, store->put_layer, key, values, SIM_STORE_LAYER_VALUES, err);
}

/* ---- merging ---------------------------------------------------------------------------------------- */

static sim_status attach(const sim_store *store, const char *from, sim_err *err)
{
    sqlite3_stmt *statement;
    sim_store *other;
    sim_status status = sim_store_open(from, false, &other, err); /* is it one? */

    if (status != SIM_OK)
        return status;
    sim_store_close(other);
    status = prepare(store, "ATTACH ?1 AS other", &statement, err);
    if (status != SIM_OK)
        return status;
    sqlite3_bind_text(statement, 1, from, -1, SQLITE_STATIC);
    sqlite3_step(statement);
    return sqlite3_finalize(statement) == SQLITE_OK ? SIM_OK : failed(store, err);
}

enum { NAMES_MAX = 1000 }; /* SQLite itself takes no more than 2000 columns */

/* Adds the columns that the other store has; `names` in `arena`. */
static sim_status join_columns(sim_store *store, const char **names, int *count, sim_arena *arena,
                               sim_err *err)
{
    sqlite3_stmt *info;
    int step = SQLITE_DONE;
    sim_status status = prepare(
        store, "SELECT name, type FROM pragma_table_info('points', 'other') WHERE pk = 0", &info, err);

    *count = 0;
    while (status == SIM_OK && (step = sqlite3_step(info)) == SQLITE_ROW && *count < NAMES_MAX) {
        const char *name = (const char *)sqlite3_column_text(info, 0);
        const char *type = (const char *)sqlite3_column_text(info, 1);

        names[*count] = name ? sim_arena_text(arena, name, strlen(name)) : NULL;
        if (!names[*count] || !type)
            status = sim_fail(err, SIM_NO_MEMORY, store->path, 0, "out of memory");
        else
            status = add_column(store, names[(*count)++],
                                strcmp(type, axis_type) == 0 ? axis_type : figure_type, err);
    }
    if (status == SIM_OK && step != SQLITE_DONE)
        status = failed(store, err);
    sqlite3_finalize(info);
    return status;
}

static sim_status copy_points(sim_store *store, sim_err *err)
{
    const char **names;
    sim_text sql = {.length = 0};
    sim_arena arena;
    int count = 0;
    sim_status status;

    sim_arena_init(&arena, NULL);
    names = sim_arena_alloc(&arena, NAMES_MAX, sizeof *names);
    status = names ? join_columns(store, names, &count, &arena, err)
                   : sim_fail(err, SIM_NO_MEMORY, store->path, 0, "out of memory");
    if (status == SIM_OK) {
        for (int part = 0; part < 2; part++) {
            sim_text_add(&sql, part ? ") SELECT machine, point" : "INSERT INTO main.points (machine, point");
            for (int i = 0; i < count; i++) {
                sim_text_add(&sql, ", ");
                sim_store_quote(&sql, names[i]);
            }
        }
        sim_text_add(&sql, " FROM other.points WHERE true");
        sim_store_add_coalesced(&sql, names, count);
        status = finish_sql(store, &sql, NULL, err);
    }
    sim_arena_free(&arena);
    return status;
}

static sim_status count_points(const sim_store *store, int64_t *out, sim_err *err)
{
    sqlite3_stmt *count;
    sim_status status = prepare(store, "SELECT count(*) FROM main.points", &count, err);

    if (status != SIM_OK)
        return status;
    *out = sqlite3_step(count) == SQLITE_ROW ? sqlite3_column_int64(count, 0) : 0;
    return sqlite3_finalize(count) == SQLITE_OK ? SIM_OK : failed(store, err);
}

sim_status sim_store_merge(sim_store *store, const char *from, int64_t *added, sim_err *err)
{
    sim_status status = attach(store, from, err);
    int64_t before = 0, after = 0;

    *added = 0;
    if (status != SIM_OK)
        return status;
    status = sim_store_begin(store, err);
    if (status == SIM_OK)
        status = count_points(store, &before, err);
    if (status == SIM_OK)
        status = copy_points(store, err);
    if (status == SIM_OK)
        status = run_sql(store, "INSERT OR IGNORE INTO main.layers SELECT * FROM other.layers", err);
    if (status == SIM_OK)
        status = count_points(store, &after, err);
    if (status == SIM_OK)
        status = sim_store_commit(store, err);
    if (status != SIM_OK)
        sim_store_rollback(store);
    *added = after - before;
    sqlite3_exec(store->db, "DETACH other", NULL, NULL, NULL);
    return status;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* A condition may read, and nothing else. */
static int only_reading(void *user, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)user, (void)a, (void)b, (void)c, (void)d;
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION ? SQLITE_OK
                                                                                         : SQLITE_DENY;
}

static sim_store_value value_at(sqlite3_stmt *row, int i)
{
    sim_store_value value = {.type = SIM_STORE_NULL};

    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        value.type = SIM_STORE_INT;
        value.integer = sqlite3_column_int64(row, i);
        break;
    case SQLITE_FLOAT:
        value.type = SIM_STORE_REAL;
        value.real = sqlite3_column_double(row, i);
        break;
    case SQLITE_TEXT:
        value.text = (const char *)sqlite3_column_text(row, i);
        value.type = value.text ? SIM_STORE_TEXT : SIM_STORE_NULL;
        break;
    default:
        break;
    }
    return value;
}

static sim_status unusable(const sim_store *store, const char *why, sim_err *err)
{
    sim_fail(err, SIM_USAGE, NULL, 0, "%s: the condition cannot be used: %s", store->path, why);
    sim_hint(err, "an SQL condition over the columns, e.g. --where \"w = 4 AND latency_s < 0.1\"");
    return SIM_USAGE;
}

static sim_status step_rows(const sim_store *store, sqlite3_stmt *rows,
                            bool (*row)(void *user, const sim_store_value *values, int count), void *user,
                            sim_err *err)
{
    const int count = sqlite3_column_count(rows);
    sim_store_value values[NAMES_MAX];
    int step;

    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        for (int i = 0; i < count; i++)
            values[i] = value_at(rows, i);
        if (!row(user, values, count))
            return sim_err_status(err);
    }
    if (step == SQLITE_ERROR) /* in the middle of a condition: a function that may not be called */
        return unusable(store, sqlite3_errmsg(store->db), err);
    return step == SQLITE_DONE ? SIM_OK : failed(store, err);
}

sim_status sim_store_select(const sim_store *store, const char *sql, bool foreign,
                            bool (*names)(void *user, const char *const *names, int count),
                            bool (*row)(void *user, const sim_store_value *values, int count), void *user,
                            sim_err *err)
{
    const char *all[NAMES_MAX], *rest = NULL;
    sqlite3_stmt *rows = NULL;
    sim_status status = SIM_OK;
    bool good;

    if (foreign)
        sqlite3_set_authorizer(store->db, only_reading, NULL);
    good = sqlite3_prepare_v2(store->db, sql, -1, &rows, &rest) == SQLITE_OK;
    if (!good)
        status = unusable(store, sqlite3_errmsg(store->db), err);
    else if (rest && *rest)
        status = unusable(store, "more than one statement", err);
    sqlite3_set_authorizer(store->db, NULL, NULL);
    if (status == SIM_OK && sqlite3_column_count(rows) > NAMES_MAX)
        status = sim_fail(err, SIM_USAGE, NULL, 0, "more than %d columns", NAMES_MAX);
    for (int i = 0; status == SIM_OK && i < sqlite3_column_count(rows); i++)
        all[i] = sqlite3_column_name(rows, i);
    if (status == SIM_OK && names && !names(user, all, sqlite3_column_count(rows)))
        status = sim_err_status(err);
    else if (status == SIM_OK)
        status = step_rows(store, rows, row, user, err);
    sqlite3_finalize(rows);
    return status;
}
