#include "explore/store.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1, WAIT_MS = 60000, COLUMNS_MAX = 128 };

struct sim_store {
    sqlite3 *db;
    sqlite3_stmt *has, *put, *put_layer;
    int columns;
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
    "CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, version TEXT, arch TEXT, workload TEXT, "
    "policy "
    "TEXT, objective TEXT, status TEXT, why TEXT);"
    "CREATE TABLE IF NOT EXISTS layers (point INTEGER, position INTEGER, name TEXT, op TEXT, repeat INTEGER, "
    "m INTEGER, n INTEGER, k INTEGER, batch INTEGER, w_bits INTEGER, a_bits INTEGER, kv_bits INTEGER, cycles "
    "INTEGER, latency_s REAL, energy_j REAL, dram_read_bytes INTEGER, dram_write_bytes INTEGER, bound TEXT, "
    "PRIMARY KEY (point, position)) WITHOUT ROWID;";

static sim_status check_format(const sim_store *store, bool write, sim_err *err)
{
    sqlite3_stmt *version;
    int64_t format = 0, tables = 0;
    char sql[64];
    sim_status status = prepare(store,
                                "SELECT (SELECT count(*) FROM sqlite_master), user_version FROM "
                                "pragma_user_version",
                                &version, err);

    if (status != SIM_OK)
        return status;
    if (sqlite3_step(version) == SQLITE_ROW) {
        tables = sqlite3_column_int64(version, 0);
        format = sqlite3_column_int64(version, 1);
    }
    if (sqlite3_finalize(version) != SQLITE_OK)
        return failed(store, err);
    if (tables > 0 && format != FORMAT) {
        sim_fail(err, SIM_IO, store->path, 0,
                 format == 0 ? "is an SQLite file, but no store of simacc"
                             : "is a store of another version of simacc");
        sim_hint(err, "give another name");
        return SIM_IO;
    }
    if (tables > 0 || !write)
        return tables > 0 ? SIM_OK : sim_fail(err, SIM_IO, store->path, 0, "is empty");
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", FORMAT);
    status = run_sql(store, sql, err);
    return status == SIM_OK ? run_sql(store, schema, err) : status;
}

sim_status sim_store_open(const char *path, bool write, sim_store **out, sim_err *err)
{
    int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    sim_store *store = calloc(1, sizeof *store);
    sim_status status;

    *out = NULL;
    if (!store)
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    snprintf(store->path, sizeof store->path, "%s", path);
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
        status = store->db ? failed(store, err) : sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
        sim_store_close(store);
        return status;
    }
    sqlite3_busy_timeout(store->db, WAIT_MS);
    status = check_format(store, write, err);
    if (status == SIM_OK && write && sqlite3_db_readonly(store->db, "main") == 1)
        status = sim_fail(err, SIM_IO, path, 0, "cannot be written to");
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
    if (!store)
        return;
    sqlite3_finalize(store->has);
    sqlite3_finalize(store->put);
    sqlite3_finalize(store->put_layer);
    sqlite3_close(store->db);
    free(store);
}

/* ---- columns ---------------------------------------------------------------------------------------- */

/* `name` as an SQL identifier. */
static void add_quoted(sim_text *sql, const char *name)
{
    sim_text_add(sql, "\"");
    for (; *name; name++)
        sim_text_printf(sql, *name == '"' ? "\"\"" : "%c", *name);
    sim_text_add(sql, "\"");
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

static sim_status add_columns(sim_store *store, const char *const *names, int count, sim_err *err)
{
    sim_status status = SIM_OK;

    for (int i = 0; i < count && status == SIM_OK; i++) {
        sim_text sql = {.length = 0};
        bool has;

        status = has_column(store, names[i], &has, err);
        if (status != SIM_OK || has)
            continue;
        sim_text_add(&sql, "ALTER TABLE points ADD COLUMN ");
        add_quoted(&sql, names[i]);
        status = finish_sql(store, &sql, NULL, err);
    }
    return status;
}

sim_status sim_store_columns(sim_store *store, const char *const *names, int count, bool layers, sim_err *err)
{
    sim_text sql = {.length = 0};
    sim_status status;

    if (count > COLUMNS_MAX)
        return sim_fail(err, SIM_USAGE, NULL, 0, "more than %d columns", COLUMNS_MAX);
    status = run_sql(store, "BEGIN IMMEDIATE", err); /* two processes must not add the same column */
    if (status == SIM_OK)
        status = add_columns(store, names, count, err);
    if (status == SIM_OK)
        status = run_sql(store, "COMMIT", err);
    if (status != SIM_OK) {
        sim_store_rollback(store);
        return status;
    }
    store->columns = count;
    sim_text_add(&sql, "INSERT OR IGNORE INTO points (id");
    for (int i = 0; i < count; i++) {
        sim_text_add(&sql, ", ");
        add_quoted(&sql, names[i]);
    }
    sim_text_add(&sql, ") VALUES (?1");
    for (int i = 0; i < count; i++)
        sim_text_printf(&sql, ", ?%d", i + 2);
    sim_text_add(&sql, ")");
    status = finish_sql(store, &sql, &store->put, err);
    if (status == SIM_OK && layers)
        status = prepare(store,
                         "INSERT OR IGNORE INTO layers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                         "?12, ?13, ?14, ?15, ?16, ?17, ?18)",
                         &store->put_layer, err);
    if (status == SIM_OK)
        status = prepare(store, "SELECT 1 FROM points WHERE id = ?1", &store->has, err);
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

sim_status sim_store_has(sim_store *store, int64_t id, bool *has, sim_err *err)
{
    int step;

    sqlite3_bind_int64(store->has, 1, id);
    step = sqlite3_step(store->has);
    *has = step == SQLITE_ROW;
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return failed(store, err);
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

static sim_status put(sim_store *store, sqlite3_stmt *statement, int64_t id, const sim_store_value *values,
                      int count, sim_err *err)
{
    sqlite3_bind_int64(statement, 1, id);
    for (int i = 0; i < count; i++)
        bind(statement, i + 2, &values[i]);
    if (sqlite3_step(statement) != SQLITE_DONE)
        return failed(store, err);
    sqlite3_reset(statement);
    return SIM_OK;
}

sim_status sim_store_put(sim_store *store, int64_t id, const sim_store_value *values, sim_err *err)
{
    return put(store, store->put, id, values, store->columns, err);
}

sim_status sim_store_put_layer(sim_store *store, int64_t point, const sim_store_value *values, sim_err *err)
{
    return put(store, store->put_layer, point, values, 17, err);
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

/* Adds the columns of the other store, and copies by the names of both. */
static sim_status copy_points(sim_store *store, sim_err *err)
{
    sim_text names = {.length = 0}, sql = {.length = 0};
    sqlite3_stmt *info;
    int step = SQLITE_DONE;
    sim_status status = prepare(store, "SELECT name FROM pragma_table_info('points', 'other')", &info, err);

    while (status == SIM_OK && (step = sqlite3_step(info)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(info, 0);

        status = add_columns(store, &name, 1, err);
        if (names.length > 0)
            sim_text_add(&names, ", ");
        add_quoted(&names, name);
    }
    if (status == SIM_OK && step != SQLITE_DONE)
        status = failed(store, err);
    sqlite3_finalize(info);
    if (status == SIM_OK && names.data)
        sim_text_printf(&sql, "INSERT OR IGNORE INTO main.points (%s) SELECT %s FROM other.points",
                        names.data, names.data);
    sql.failed |= names.failed;
    sim_text_free(&names);
    if (status == SIM_OK)
        return finish_sql(store, &sql, NULL, err);
    sim_text_free(&sql);
    return status;
}

sim_status sim_store_merge(sim_store *store, const char *from, int64_t *added, sim_err *err)
{
    sim_status status = attach(store, from, err);
    sqlite3_int64 before;

    *added = 0;
    if (status != SIM_OK)
        return status;
    status = run_sql(store, "BEGIN IMMEDIATE", err);
    before = sqlite3_total_changes64(store->db);
    if (status == SIM_OK)
        status = copy_points(store, err);
    *added = sqlite3_total_changes64(store->db) - before;
    if (status == SIM_OK)
        status = run_sql(store, "INSERT OR IGNORE INTO main.layers SELECT * FROM other.layers", err);
    if (status == SIM_OK)
        status = run_sql(store, "COMMIT", err);
    if (status != SIM_OK)
        sim_store_rollback(store);
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

static sim_status known_column(const sim_store *store, const char *name, sim_err *err)
{
    bool has = false;
    sim_status status = has_column(store, name, &has, err);

    if (status == SIM_OK && !has) {
        status = sim_fail(err, SIM_USAGE, NULL, 0, "%s has no column '%s'", store->path, name);
        sim_hint(err, "simacc export %s --csv prints all of them", store->path);
    }
    return status;
}

/* "a,b" quoted; all columns but id and version when there is no list. */
static sim_status add_selection(const sim_store *store, const char *list, sim_text *sql, sim_err *err)
{
    sqlite3_stmt *info;
    sim_status status = SIM_OK;
    bool first = true;

    for (const char *at = list; at && status == SIM_OK;) {
        size_t length = strcspn(at, ",");
        char name[128];

        snprintf(name, sizeof name, "%.*s", (int)length, at);
        status = known_column(store, name, err);
        sim_text_add(sql, first ? "" : ", ");
        add_quoted(sql, name);
        first = false;
        at = at[length] ? at + length + 1 : NULL;
    }
    if (list)
        return status;
    status = prepare(store,
                     "SELECT name FROM pragma_table_info('points') WHERE name NOT IN ('id', 'version', "
                     "'why') ORDER BY cid",
                     &info, err);
    while (status == SIM_OK && sqlite3_step(info) == SQLITE_ROW) {
        sim_text_add(sql, first ? "" : ", ");
        add_quoted(sql, (const char *)sqlite3_column_text(info, 0));
        first = false;
    }
    sqlite3_finalize(info);
    return status;
}

/* By arch, workload, and what was varied; ids make the order total. Columns come in the order in which sweeps
 * added them, which depends on history: the order here is by name. */
static sim_status add_order(const sim_store *store, sim_text *sql, sim_err *err)
{
    sqlite3_stmt *info;
    sim_status status = prepare(
        store, "SELECT name FROM pragma_table_info('points') WHERE cid > 7 ORDER BY name", &info, err);

    sim_text_add(sql, " ORDER BY arch, workload, policy, objective");
    while (status == SIM_OK && sqlite3_step(info) == SQLITE_ROW) {
        sim_text_add(sql, ", ");
        add_quoted(sql, (const char *)sqlite3_column_text(info, 0));
    }
    sqlite3_finalize(info);
    sim_text_add(sql, ", id");
    return status;
}

static bool cell(sim_text *line, sqlite3_stmt *row, int i)
{
    const char *text;

    if (i > 0)
        sim_text_add(line, ",");
    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        sim_text_printf(line, "%" PRId64, (int64_t)sqlite3_column_int64(row, i));
        break;
    case SQLITE_FLOAT:
        sim_text_real(line, sqlite3_column_double(row, i));
        break;
    case SQLITE_TEXT:
        text = (const char *)sqlite3_column_text(row, i);
        if (!text)
            return false;
        if (!strpbrk(text, ",\"\r\n")) {
            sim_text_add(line, text);
            break;
        }
        sim_text_add(line, "\"");
        for (; *text; text++)
            sim_text_printf(line, *text == '"' ? "\"\"" : "%c", *text);
        sim_text_add(line, "\"");
        break;
    default:
        break;
    }
    return true;
}

/* Rows sorted by the first objective, then by the second: those on the front fall in the second. */
typedef struct front {
    bool on;
    double least; /* of the second, so far */
    double x;     /* the first of the last row kept, */
} front;

static bool on_front(front *f, double x, double y)
{
    if (!(y < f->least) && !(y == f->least && x == f->x))
        return false;
    f->least = y;
    f->x = x;
    return true;
}

static sim_status print_rows(const sim_store *store, sqlite3_stmt *rows, int columns, front *f,
                             bool (*line)(void *user, const char *text, size_t length), void *user,
                             sim_err *err)
{
    sim_text text = {.length = 0};
    bool more = true;
    int step = SQLITE_DONE;

    for (int i = 0; i < columns; i++)
        sim_text_printf(&text, "%s%s", i ? "," : "", sqlite3_column_name(rows, i));
    do {
        if (text.length > 0) {
            sim_text_add(&text, "\n");
            more = !text.failed && line(user, text.data, text.length);
            text.length = 0;
        }
        if (!more || (step = sqlite3_step(rows)) != SQLITE_ROW)
            break;
        if (f->on &&
            !on_front(f, sqlite3_column_double(rows, columns), sqlite3_column_double(rows, columns + 1)))
            continue;
        for (int i = 0; i < columns; i++)
            text.failed |= !cell(&text, rows, i);
    } while (true);
    more &= !text.failed;
    sim_text_free(&text);
    if (!more)
        return sim_fail(err, SIM_IO, store->path, 0, "the rows could not be written");
    return step == SQLITE_DONE ? SIM_OK : failed(store, err);
}

sim_status sim_store_query_csv(sim_store *store, const sim_store_query *query,
                               bool (*line)(void *user, const char *text, size_t length), void *user,
                               sim_arena *arena, sim_err *err)
{
    sim_text sql = {.length = 0};
    sqlite3_stmt *rows = NULL;
    front f = {.on = query->pareto[0] != NULL, .least = 1e308};
    const char *copy;
    int columns;
    sim_status status = SIM_OK;

    for (int i = 0; i < 2 && f.on && status == SIM_OK; i++)
        status = known_column(store, query->pareto[i], err);
    sim_text_add(&sql, "SELECT ");
    if (query->layers)
        sim_text_add(&sql, "layers.*");
    else if (status == SIM_OK)
        status = add_selection(store, query->columns, &sql, err);
    for (int i = 0; i < 2 && f.on; i++) {
        sim_text_add(&sql, ", ");
        add_quoted(&sql, query->pareto[i]);
    }
    sim_text_printf(&sql, " FROM points%s WHERE (%s)",
                    query->layers ? " JOIN layers ON layers.point = points.id" : "",
                    query->where ? query->where : "status = 'ok'");
    if (f.on) {
        for (int i = 0; i < 2; i++) {
            sim_text_add(&sql, " AND ");
            add_quoted(&sql, query->pareto[i]);
            sim_text_add(&sql, " IS NOT NULL");
        }
        sim_text_add(&sql, " ORDER BY ");
        add_quoted(&sql, query->pareto[0]);
        sim_text_add(&sql, ", ");
        add_quoted(&sql, query->pareto[1]);
        sim_text_add(&sql, ", id");
    } else if (status == SIM_OK) {
        status = add_order(store, &sql, err);
        sim_text_add(&sql, query->layers ? ", position" : "");
    }
    copy = sql.failed || !sql.data ? NULL : sim_arena_text(arena, sql.data, sql.length);
    sim_text_free(&sql);
    if (status != SIM_OK)
        return status;
    if (!copy)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    sqlite3_set_authorizer(store->db, only_reading, NULL);
    if (sqlite3_prepare_v2(store->db, copy, -1, &rows, NULL) != SQLITE_OK) {
        status =
            sim_fail(err, SIM_USAGE, NULL, 0, "the condition cannot be used: %s", sqlite3_errmsg(store->db));
        sim_hint(err, "an SQL condition over the columns, e.g. --where \"w = 4 AND latency_s < 0.1\"");
    }
    sqlite3_set_authorizer(store->db, NULL, NULL);
    if (status != SIM_OK)
        return status;
    columns = sqlite3_column_count(rows) - (f.on ? 2 : 0);
    status = print_rows(store, rows, columns, &f, line, user, err);
    sqlite3_finalize(rows);
    return status;
}
