/* What is text about a store: SQL, and rows as CSV: which columns, in which order, and who is on a front. */
#include "explore/store_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- SQL as text ----------------------------------------------------------------------------------------
 */

void sim_store_quote(sim_text *sql, const char *name)
{
    sim_text_add(sql, "\"");
    for (; *name; name++)
        sim_text_printf(sql, *name == '"' ? "\"\"" : "%c", *name);
    sim_text_add(sql, "\"");
}

void sim_store_add_coalesced(sim_text *sql, const char *const *names, int count)
{
    sim_text_add(sql, " ON CONFLICT (machine, point) DO UPDATE SET ");
    for (int i = 0; i < count; i++) {
        sim_text_add(sql, i ? ", " : "");
        sim_store_quote(sql, names[i]);
        sim_text_add(sql, " = coalesce(");
        sim_store_quote(sql, names[i]);
        sim_text_add(sql, ", excluded.");
        sim_store_quote(sql, names[i]);
        sim_text_add(sql, ")");
    }
}

/* ---- columns ---------------------------------------------------------------------------------------- */

/* Columns of the points table as sweeps left them: what they are stands in their type. */
typedef struct columns {
    sim_arena *arena;
    const char **names;
    int count, capacity;
    bool no_memory;
} columns;

static bool take_name(void *user, const sim_store_value *values, int count)
{
    columns *c = user;

    if (count < 1 || values[0].type != SIM_STORE_TEXT || c->count == c->capacity)
        return true;
    c->names[c->count] = sim_arena_text(c->arena, values[0].text, strlen(values[0].text));
    c->no_memory |= !c->names[c->count];
    c->count += !c->no_memory;
    return true;
}

enum { COLUMNS_MAX = 1000 };

/* First what every sweep has, then what was varied, by name, since the order in which sweeps added it is
 * history; then figures. */
static sim_status list_columns(const sim_store *store, sim_arena *arena, columns *out, sim_err *err)
{
    static const char *const parts[] = {
        "SELECT name FROM pragma_table_info('points') WHERE type NOT IN ('AXIS', 'FIGURE') ORDER BY cid",
        "SELECT name FROM pragma_table_info('points') WHERE type = 'AXIS' ORDER BY name",
        "SELECT name FROM pragma_table_info('points') WHERE type = 'FIGURE' ORDER BY cid"};
    sim_status status = SIM_OK;

    *out = (columns){.arena = arena, .capacity = COLUMNS_MAX};
    out->names = sim_arena_alloc(arena, COLUMNS_MAX, sizeof *out->names);
    for (int i = 0; i < 3 && out->names && status == SIM_OK; i++)
        status = sim_store_select(store, parts[i], false, NULL, take_name, out, err);
    return out->names && !out->no_memory ? status : sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
}

static sim_status known_column(const sim_store *store, const columns *all, const char *name, sim_err *err)
{
    const char *near;

    for (int i = 0; i < all->count; i++)
        if (strcmp(all->names[i], name) == 0)
            return SIM_OK;
    sim_fail(err, SIM_USAGE, NULL, 0, "%s has no column '%s'", sim_store_path(store), name);
    near = sim_nearest(name, all->names);
    if (near)
        sim_hint(err, "did you mean '%s'?", near);
    else
        sim_hint(err, "simacc export %s --csv prints all of them", sim_store_path(store));
    return SIM_USAGE;
}

/* Not shown unless asked for. */
static bool is_inner(const char *name)
{
    return strcmp(name, "machine") == 0 || strcmp(name, "point") == 0 || strcmp(name, "version") == 0 ||
           strcmp(name, "why") == 0;
}

/* "a,b" quoted, or all. */
static sim_status add_selection(const sim_store *store, const columns *all, const char *list, sim_text *sql,
                                sim_err *err)
{
    sim_status status = SIM_OK;
    bool first = true;

    for (const char *at = list; at && status == SIM_OK;) {
        size_t length = strcspn(at, ",");
        char *name = sim_arena_text(all->arena, at, length);

        if (!name)
            return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
        status = known_column(store, all, name, err);
        sim_text_add(sql, first ? "" : ", ");
        sim_store_quote(sql, name);
        first = false;
        at = at[length] ? at + length + 1 : NULL;
    }
    for (int i = 0; !list && i < all->count; i++) {
        if (is_inner(all->names[i]))
            continue;
        sim_text_add(sql, first ? "" : ", ");
        sim_store_quote(sql, all->names[i]);
        first = false;
    }
    return status;
}

/* By what was asked for; ids make the order total. */
static sim_status add_order(const sim_store *store, sim_arena *arena, sim_text *sql, sim_err *err)
{
    columns axes = {.arena = arena, .capacity = COLUMNS_MAX};
    sim_status status;

    axes.names = sim_arena_alloc(arena, COLUMNS_MAX, sizeof *axes.names);
    if (!axes.names)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_store_select(
        store, "SELECT name FROM pragma_table_info('points') WHERE type = 'AXIS' ORDER BY name", false, NULL,
        take_name, &axes, err);
    sim_text_add(sql, " ORDER BY arch, workload, points.phase, objective, w, a, kv");
    for (int i = 0; i < axes.count; i++) {
        sim_text_add(sql, ", points.");
        sim_store_quote(sql, axes.names[i]);
    }
    sim_text_add(sql, ", policy, points.machine, points.point");
    return axes.no_memory ? sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory") : status;
}

/* ---- rows ------------------------------------------------------------------------------------------- */

typedef struct printer {
    sim_text text;
    int shown; /* columns that are printed; two more are those of the front */
    bool front;
    double x, least; /* of the last row on the front: rows come by rising x, and by rising y for equal ones */
    bool (*line)(void *user, const char *text, size_t length);
    void *user;
    sim_err *err;
} printer;

static void add_text(sim_text *line, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        sim_text_add(line, text);
        return;
    }
    sim_text_add(line, "\"");
    for (; *text; text++)
        sim_text_printf(line, *text == '"' ? "\"\"" : "%c", *text);
    sim_text_add(line, "\"");
}

static bool end_line(printer *p)
{
    bool more;

    sim_text_add(&p->text, "\n");
    if (p->text.failed)
        sim_fail(p->err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    more = !p->text.failed && p->line(p->user, p->text.data, p->text.length);
    p->text.length = 0;
    return more;
}

static bool print_names(void *user, const char *const *names, int count)
{
    printer *p = user;

    p->shown = count - (p->front ? 2 : 0);
    for (int i = 0; i < p->shown; i++) {
        sim_text_add(&p->text, i ? "," : "");
        add_text(&p->text, names[i]);
    }
    return end_line(p);
}

static double real_of(const sim_store_value *v)
{
    return v->type == SIM_STORE_INT ? (double)v->integer : v->type == SIM_STORE_REAL ? v->real : INFINITY;
}

/* Of rows that are equal in both, all are on the front or none is. */
static bool on_front(printer *p, double x, double y)
{
    if (!(y < p->least) && !(y == p->least && x == p->x))
        return false;
    p->least = y;
    p->x = x;
    return true;
}

static bool print_row(void *user, const sim_store_value *values, int count)
{
    printer *p = user;

    (void)count;
    if (p->front && !on_front(p, real_of(&values[p->shown]), real_of(&values[p->shown + 1])))
        return true;
    for (int i = 0; i < p->shown; i++) {
        const sim_store_value *v = &values[i];

        sim_text_add(&p->text, i ? "," : "");
        if (v->type == SIM_STORE_INT)
            sim_text_printf(&p->text, "%" PRId64, v->integer);
        else if (v->type == SIM_STORE_REAL)
            sim_text_real(&p->text, v->real);
        else if (v->type == SIM_STORE_TEXT)
            add_text(&p->text, v->text);
    }
    return end_line(p);
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static sim_status write_sql(const sim_store *store, const sim_store_query *query, sim_arena *arena,
                            sim_text *sql, sim_err *err)
{
    const bool front = query->pareto[0] != NULL;
    columns all;
    sim_status status = list_columns(store, arena, &all, err);

    for (int i = 0; i < 2 && front && status == SIM_OK; i++)
        status = known_column(store, &all, query->pareto[i], err);
    sim_text_add(sql, "SELECT ");
    if (query->layers)
        sim_text_add(sql, "arch, workload, policy, layers.*");
    else if (status == SIM_OK)
        status = add_selection(store, &all, query->columns, sql, err);
    for (int i = 0; i < 2 && front; i++) {
        sim_text_add(sql, ", ");
        sim_store_quote(sql, query->pareto[i]);
    }
    /* On lines of its own, the condition can hide nothing of what follows in a comment. */
    sim_text_printf(sql, " FROM points%s WHERE (\n%s\n)",
                    query->layers ? " JOIN layers USING (machine, point)" : "",
                    query->where ? query->where : "status = 'ok'");
    for (int i = 0; i < 2 && front; i++) {
        sim_text_add(sql, " AND ");
        sim_store_quote(sql, query->pareto[i]);
        sim_text_add(sql, " IS NOT NULL");
    }
    if (front) {
        for (int i = 0; i < 2; i++) {
            sim_text_add(sql, i ? ", " : " ORDER BY ");
            sim_store_quote(sql, query->pareto[i]);
        }
        sim_text_add(sql, ", machine, point");
    } else if (status == SIM_OK) {
        status = add_order(store, arena, sql, err);
        sim_text_add(sql, query->layers ? ", position" : "");
    }
    if (status == SIM_OK && sql->failed)
        status = sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    return status;
}

sim_status sim_store_query_csv(const sim_store *store, const sim_store_query *query,
                               bool (*line)(void *user, const char *text, size_t length), void *user,
                               sim_arena *arena, sim_err *err)
{
    printer p = {
        .front = query->pareto[0] != NULL, .least = INFINITY, .line = line, .user = user, .err = err};
    sim_text sql = {.length = 0};
    sim_status status = write_sql(store, query, arena, &sql, err);

    if (status == SIM_OK)
        status = sim_store_select(store, sql.data, true, print_names, print_row, &p, err);
    sim_text_free(&sql);
    sim_text_free(&p.text);
    return status;
}
