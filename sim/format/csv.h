/* CSV tables (RFC 4180) with a header line: columns by name, cells by row, errors by line.
 *
 * Lines that start with '#' before the header are comments (the source of the data stands there). */
#ifndef SIM_FORMAT_CSV_H
#define SIM_FORMAT_CSV_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_csv {
    const char *file;
    int column_count;
    int64_t row_count;
    const char *const *columns; /* header names */
    const char *const *cells;   /* row_count * column_count, NUL-terminated */
    const int *lines;           /* line of each row */
    int header_line;
} sim_csv;

/* Parses `length` bytes of `text`. Errors, each with its line: no header, a duplicate or empty column name, a
 * row of another length, an open quote, a NUL byte. `name` is the file's, for messages. */
sim_status sim_csv_parse(const char *text, size_t length, const char *name, sim_arena *arena, sim_csv *out,
                         sim_err *err);
/* The same for a file of at most 256 MiB. */
sim_status sim_csv_load(const char *path, sim_arena *arena, sim_csv *out, sim_err *err);

int sim_csv_column(const sim_csv *csv, const char *name); /* -1: absent */
const char *sim_csv_text(const sim_csv *csv, int64_t row, int column);

/* A number from a cell; an error names file, line and column when it is none. */
sim_status sim_csv_int(const sim_csv *csv, int64_t row, const char *column, int64_t *out, sim_err *err);
sim_status sim_csv_real(const sim_csv *csv, int64_t row, const char *column, double *out, sim_err *err);

#endif
