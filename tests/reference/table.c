#include "reference/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 32, LINE_MAX_BYTES = 1024 };

typedef struct line {
    char text[LINE_MAX_BYTES];
    char *cell[COLUMNS_MAX];
    int cells;
} line;

struct ref_table {
    line header;
    line *rows;
    int64_t count, capacity;
    char path[LINE_MAX_BYTES];
};

static void die(const char *path, const char *problem, const char *what)
{
    fprintf(stderr, "%s: %s%s\n", path, problem, what);
    exit(70);
}

/* Cuts the text at its commas, in place. */
static void split(line *row)
{
    row->text[strcspn(row->text, "\r\n")] = '\0';
    row->cells = 0;
    char *at = row->text;
    while (at && row->cells < COLUMNS_MAX) {
        row->cell[row->cells++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
}

ref_table *ref_table_open(const char *name)
{
    ref_table *table = calloc(1, sizeof *table);
    if (!table)
        die(name, "out of memory", "");
    snprintf(table->path, sizeof table->path, "%s/tests/validation/%s", SIMACC_SOURCE_DIR, name);
    FILE *file = fopen(table->path, "r");
    if (!file)
        die(table->path, "cannot be opened", "");
    char text[LINE_MAX_BYTES];
    while (fgets(text, sizeof text, file)) {
        if (text[0] == '#' || text[0] == '\n')
            continue;
        if (!table->header.cells) {
            memcpy(table->header.text, text, sizeof text);
            split(&table->header);
            continue;
        }
        if (table->count == table->capacity) {
            table->capacity = table->capacity ? 2 * table->capacity : 64;
            line *rows = realloc(table->rows, (size_t)table->capacity * sizeof *rows);
            if (!rows)
                die(table->path, "out of memory", "");
            table->rows = rows;
        }
        memcpy(table->rows[table->count++].text, text, sizeof text);
    }
    fclose(file);
    for (int64_t i = 0; i < table->count; i++) { /* the rows no longer move */
        split(&table->rows[i]);
        if (table->rows[i].cells != table->header.cells)
            die(table->path, "a row has not as many cells as the header: ", table->rows[i].text);
    }
    if (!table->count)
        die(table->path, "no rows", "");
    return table;
}

void ref_table_close(ref_table *table)
{
    free(table->rows);
    free(table);
}

int64_t ref_table_rows(const ref_table *table)
{
    return table->count;
}

const char *ref_table_text(const ref_table *table, int64_t row, const char *column)
{
    for (int i = 0; i < table->header.cells; i++) {
        if (strcmp(table->header.cell[i], column) == 0)
            return table->rows[row].cell[i];
    }
    die(table->path, "no column ", column);
    return NULL;
}

int64_t ref_table_int(const ref_table *table, int64_t row, const char *column)
{
    const char *text = ref_table_text(table, row, column);
    char *end = NULL;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        die(table->path, "no integer: ", text);
    return value;
}

double ref_table_real(const ref_table *table, int64_t row, const char *column)
{
    const char *text = ref_table_text(table, row, column);
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end)
        die(table->path, "no number: ", text);
    return value;
}
