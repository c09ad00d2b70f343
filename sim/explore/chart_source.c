#include "explore/chart_source.h"

#include "base/json.h"
#include "base/text.h"
#include "explore/store.h"
#include "format/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT_MIB = 256, COLUMNS_MAX = 256 };

static sim_status out_of_memory(const char *file, sim_err *err)
{
    return sim_fail(err, SIM_NO_MEMORY, file, 0, "out of memory");
}

/* ---- CSV ------------------------------------------------------------------------------------------ */

sim_status sim_chart_source_text(const char *text, size_t length, const char *name, sim_arena *arena,
                                 sim_frame *out, sim_err *err)
{
    sim_csv csv;
    const sim_status status = sim_csv_parse(text, length, name, arena, &csv, err);

    if (status == SIM_OK)
        *out = (sim_frame){.file = name,
                           .column_count = csv.column_count,
                           .row_count = csv.row_count,
                           .columns = csv.columns,
                           .cells = csv.cells,
                           .lines = csv.lines};
    return status;
}

/* ---- JSON of a run -------------------------------------------------------------------------------- */

/* The answer is flattened twice: once to learn the columns, once to fill the cells. */
typedef struct flat {
    sim_arena *arena;
    const char *columns[COLUMNS_MAX];
    int count;
    sim_frame_draft *draft; /* NULL while the columns are learnt */
    int64_t row;
    bool failed; /* memory is out, or there are more columns than any answer has */
} flat;

static void put(flat *f, const char *name, const char *value)
{
    int at = 0;

    while (at < f->count && strcmp(f->columns[at], name) != 0)
        at++;
    if (at == f->count) {
        if (f->draft || f->count == COLUMNS_MAX) {
            f->failed = true;
            return;
        }
        f->columns[f->count++] = name;
    }
    if (f->draft)
        sim_frame_draft_set(f->draft, f->row, at, value);
}

static const char *value_text(flat *f, const sim_json *value)
{
    sim_text number = {.length = 0};
    const char *copy = "";

    switch (value->type) {
    case SIM_JSON_TEXT:
        return value->text;
    case SIM_JSON_INT:
        copy = sim_arena_printf(f->arena, "%" PRId64, value->integer);
        break;
    case SIM_JSON_REAL:
        sim_text_real(&number, value->real);
        copy = number.failed ? NULL : sim_arena_text(f->arena, number.data, number.length);
        sim_text_free(&number);
        break;
    case SIM_JSON_BOOL:
        return value->boolean ? "true" : "false";
    default:
        break;
    }
    f->failed |= !copy;
    return copy ? copy : "";
}

/* The members of `object` as cells, names of nested ones joined by '_' as in the CSV. */
static void put_members(flat *f, const char *prefix, const sim_json *object)
{
    for (const sim_json *m = object->child; m && !f->failed; m = m->next) {
        const char *name = *prefix ? sim_arena_printf(f->arena, "%s_%s", prefix, m->key) : m->key;

        if (!name)
            f->failed = true;
        else if (m->type == SIM_JSON_OBJECT)
            put_members(f, name, m);
        else if (m->type != SIM_JSON_ARRAY)
            put(f, name, value_text(f, m));
    }
}

static void put_layer(flat *f, const sim_json *root, const sim_json *layer)
{
    static const char *const repeated[] = {"arch", "workload", "policy", "peak_macs_per_s",
                                           "dram_bandwidth_bytes_per_s"};
    const sim_json *totals = sim_json_get(root, "totals"), *workload = sim_json_get(root, "workload");

    put_members(f, "", layer);
    put_members(f, "totals", totals);
    if (workload && workload->type == SIM_JSON_OBJECT)
        put_members(f, "workload", workload);
    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        const sim_json *value = sim_json_get(totals, repeated[i]);

        put(f, repeated[i], value ? value_text(f, value) : "");
    }
}

static sim_status read_run(const char *path, const sim_json *root, sim_arena *arena, sim_frame *out,
                           sim_err *err)
{
    const sim_json *totals = sim_json_get(root, "totals"), *layers = sim_json_get(root, "layers");
    flat *f = sim_arena_alloc(arena, 1, sizeof *f);
    sim_frame_draft draft;
    int *lines;

    if (!f)
        return out_of_memory(path, err);
    if (!totals || totals->type != SIM_JSON_OBJECT || !layers || layers->type != SIM_JSON_ARRAY) {
        sim_fail(err, SIM_BAD_INPUT, path, root->line, "is no answer of 'simacc run --json': no %s",
                 totals && totals->type == SIM_JSON_OBJECT ? "'layers'" : "'totals'");
        return SIM_BAD_INPUT;
    }
    if (layers->count == 0)
        return sim_fail(err, SIM_BAD_INPUT, path, layers->line, "holds no layers");
    for (const sim_json *l = layers->child; l; l = l->next)
        if (l->type != SIM_JSON_OBJECT)
            return sim_fail(err, SIM_BAD_INPUT, path, l->line, "a layer is an object, not %s",
                            sim_json_type_name(l->type));
    f->arena = arena;
    for (const sim_json *l = layers->child; l; l = l->next)
        put_layer(f, root, l);
    lines = sim_arena_alloc(arena, (size_t)layers->count, sizeof *lines);
    if (f->failed || !lines || !sim_frame_draft_init(&draft, path, f->count, layers->count, arena))
        return f->failed && f->count == COLUMNS_MAX ? sim_fail(err, SIM_BAD_INPUT, path, layers->line,
                                                               "layers have more than %d fields", COLUMNS_MAX)
                                                    : out_of_memory(path, err);
    memcpy(draft.columns, f->columns, (size_t)f->count * sizeof f->columns[0]);
    f->draft = &draft;
    for (const sim_json *l = layers->child; l; l = l->next) {
        lines[f->row] = l->line;
        put_layer(f, root, l);
        f->row++;
    }
    draft.frame.lines = lines;
    *out = draft.frame;
    return f->failed ? out_of_memory(path, err) : SIM_OK;
}

/* ---- which of them -------------------------------------------------------------------------------- */

/* ---- a store of 'simacc sweep' ---------------------------------------------------------------------- */

static bool is_store(const char *path)
{
    static const char store_head[] = "SQLite format 3";
    char head[sizeof store_head];
    FILE *file = fopen(path, "rb");
    bool is = file && fread(head, 1, sizeof head, file) == sizeof head &&
              memcmp(head, store_head, sizeof head) == 0;

    if (file)
        (void)fclose(file);
    return is;
}

static bool take_line(void *user, const char *line, size_t length)
{
    sim_text_bytes(user, line, length);
    return true;
}

/* Its points that the machine could run, as 'simacc export' has them. */
static sim_status read_store(const char *path, sim_arena *arena, sim_frame *out, sim_err *err)
{
    const sim_store_query all = {.where = NULL};
    sim_text csv = {.length = 0};
    const char *text = NULL;
    size_t length;
    sim_store *store;
    sim_err trial = {0};
    sim_status status = sim_store_open(path, false, &store, &trial);

    if (status != SIM_OK) /* here it is an input */
        return sim_fail(err, status == SIM_IO ? SIM_BAD_INPUT : status, path, 0, "%s", trial.items[0].text);
    status = sim_store_query_csv(store, &all, take_line, &csv, arena, err);
    sim_store_close(store);
    length = csv.length;
    if (status == SIM_OK && !csv.failed)
        text = sim_arena_text(arena, csv.data ? csv.data : "", length);
    sim_text_free(&csv);
    if (status != SIM_OK)
        return status;
    if (!text)
        return sim_fail(err, SIM_NO_MEMORY, path, 0, "out of memory");
    return sim_chart_source_text(text, length, path, arena, out, err);
}

/* ---- any of them ------------------------------------------------------------------------------------ */

sim_status sim_chart_source_open(const char *path, sim_arena *arena, sim_frame *out, sim_err *err)
{
    const sim_json *root;
    char *text;
    size_t length, start;
    sim_status status;

    if (is_store(path))
        return read_store(path, arena, out, err);
    status = sim_text_read_file(path, (size_t)FILE_LIMIT_MIB << 20, arena, &text, &length, err);
    if (status != SIM_OK)
        return status;
    start = strspn(text, " \t\r\n");
    if (text[start] == '\0' && start == length)
        return sim_fail(err, SIM_BAD_INPUT, path, 0, "is empty: expected CSV or JSON");
    if (text[start] != '{' && text[start] != '[')
        return sim_chart_source_text(text, length, path, arena, out, err);
    status = sim_json_parse(text, length, path, arena, &root, err);
    if (status == SIM_OK && root->type != SIM_JSON_OBJECT)
        status = sim_fail(err, SIM_BAD_INPUT, path, root->line,
                          "is no answer of 'simacc run --json': expected an object, not %s",
                          sim_json_type_name(root->type));
    return status == SIM_OK ? read_run(path, root, arena, out, err) : status;
}
