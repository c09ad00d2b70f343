#include "format/csv.h"

#include "base/text.h"

#include <string.h>

enum { FILE_LIMIT_MIB = 256 };

/* Cells are unquoted in place: the text is copied once, and every cell points into the copy. */
typedef struct reader {
    const char *name;
    char *at, *end;
    int line;
    sim_err *err;
} reader;

/* One cell; sets `last` when a line ends behind it. NULL: an error was added. */
static char *read_cell(reader *r, bool *last)
{
    char *cell = r->at, *to = r->at;
    int opened = r->line;

    if (r->at < r->end && *r->at == '"') {
        r->at++;
        for (;; r->at++) {
            if (r->at == r->end) {
                sim_fail(r->err, SIM_BAD_INPUT, r->name, opened, "a quoted cell is not closed");
                return NULL;
            }
            if (*r->at == '\n')
                r->line++;
            if (*r->at == '"') {
                if (r->at + 1 < r->end && r->at[1] == '"')
                    r->at++;
                else
                    break;
            }
            *to++ = *r->at;
        }
        r->at++;
        if (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r') {
            sim_fail(r->err, SIM_BAD_INPUT, r->name, r->line, "text behind a closing quote");
            return NULL;
        }
    } else {
        while (r->at < r->end && *r->at != ',' && *r->at != '\n')
            *to++ = *r->at++;
        if (to > cell && to[-1] == '\r')
            to--;
    }
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    *last = r->at == r->end || *r->at == '\n';
    if (r->at < r->end) {
        r->line += *r->at == '\n';
        r->at++;
    }
    *to = '\0';
    return cell;
}

static void skip_line(reader *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
    if (r->at < r->end) {
        r->at++;
        r->line++;
    }
}

static bool blank_line(const reader *r)
{
    const char *p = r->at;

    while (p < r->end && *p == '\r')
        p++;
    return p == r->end || *p == '\n';
}

static sim_status read_header(reader *r, sim_arena *arena, sim_csv *out)
{
    int most = 1, count = 0, line;
    const char **columns;
    bool last = false;

    while (r->at < r->end && (*r->at == '#' || blank_line(r)))
        skip_line(r);
    if (r->at == r->end)
        return sim_fail(r->err, SIM_BAD_INPUT, r->name, r->line, "no header line");
    for (const char *p = r->at; p < r->end && *p != '\n'; p++)
        most += *p == ',';
    columns = sim_arena_alloc(arena, (size_t)most, sizeof *columns);
    if (!columns)
        return sim_fail(r->err, SIM_NO_MEMORY, r->name, 0, "out of memory");
    for (line = r->line; !last; count++) {
        char *cell = read_cell(r, &last);

        if (!cell)
            return SIM_BAD_INPUT;
        if (count == most)
            return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "a column name spans lines");
        if (*cell == '\0')
            return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "column %d has no name", count + 1);
        for (int i = 0; i < count; i++)
            if (strcmp(columns[i], cell) == 0)
                return sim_fail(r->err, SIM_BAD_INPUT, r->name, line, "duplicate column '%s'", cell);
        columns[count] = cell;
    }
    out->columns = columns;
    out->column_count = count;
    out->header_line = line;
    return SIM_OK;
}

sim_status sim_csv_parse(const char *text, size_t length, const char *name, sim_arena *arena, sim_csv *out,
                         sim_err *err)
{
    char *copy = sim_arena_text(arena, text, length);
    reader r = {.name = name, .at = copy, .end = copy + length, .line = 1, .err = err};
    const char **cells;
    int *lines;
    int64_t most = 1;
    sim_status status;

    memset(out, 0, sizeof *out);
    out->file = name;
    if (!copy)
        return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
    if (memchr(text, '\0', length))
        return sim_fail(err, SIM_BAD_INPUT, name, 0, "not a text file: it contains a NUL byte");
    status = read_header(&r, arena, out);
    if (status != SIM_OK)
        return status;
    for (const char *p = r.at; p < r.end; p++)
        most += *p == '\n';
    cells = sim_arena_alloc(arena, (size_t)most * (size_t)out->column_count, sizeof *cells);
    lines = sim_arena_alloc(arena, (size_t)most, sizeof *lines);
    if (!cells || !lines)
        return sim_fail(err, SIM_NO_MEMORY, name, 0, "out of memory");
    while (r.at < r.end) {
        bool last = false;
        int line = r.line, count = 0;

        if (blank_line(&r)) {
            skip_line(&r);
            continue;
        }
        for (; !last; count++) {
            char *cell = read_cell(&r, &last);

            if (!cell)
                return SIM_BAD_INPUT;
            if (count < out->column_count)
                cells[out->row_count * out->column_count + count] = cell;
        }
        if (count != out->column_count) {
            status = sim_fail(err, SIM_BAD_INPUT, name, line, "%d cells, but the header has %d columns",
                              count, out->column_count);
            continue;
        }
        lines[out->row_count++] = line;
    }
    out->cells = cells;
    out->lines = lines;
    return status;
}

sim_status sim_csv_load(const char *path, sim_arena *arena, sim_csv *out, sim_err *err)
{
    char *text;
    size_t length;
    sim_status status = sim_text_read_file(path, (size_t)FILE_LIMIT_MIB << 20, arena, &text, &length, err);

    return status == SIM_OK ? sim_csv_parse(text, length, path, arena, out, err) : status;
}

int sim_csv_column(const sim_csv *csv, const char *name)
{
    for (int i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], name) == 0)
            return i;
    return -1;
}

const char *sim_csv_text(const sim_csv *csv, int64_t row, int column)
{
    return csv->cells[row * csv->column_count + column];
}

static sim_status cell_of(const sim_csv *csv, int64_t row, const char *column, const char **out, sim_err *err)
{
    int c = sim_csv_column(csv, column);

    if (c < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv->file, 1, "no column '%s'", column);
    *out = sim_csv_text(csv, row, c);
    return SIM_OK;
}

sim_status sim_csv_int(const sim_csv *csv, int64_t row, const char *column, int64_t *out, sim_err *err)
{
    const char *text = NULL;
    sim_status status = cell_of(csv, row, column, &text, err);

    if (status == SIM_OK && !sim_parse_int(text, out))
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row],
                          "column '%s': '%s' is not an integer", column, text);
    return status;
}

sim_status sim_csv_real(const sim_csv *csv, int64_t row, const char *column, double *out, sim_err *err)
{
    const char *text = NULL;
    sim_status status = cell_of(csv, row, column, &text, err);

    if (status == SIM_OK && !sim_parse_real(text, out))
        status = sim_fail(err, SIM_BAD_INPUT, csv->file, csv->lines[row], "column '%s': '%s' is not a number",
                          column, text);
    return status;
}
