/* The CSV tables that ship for the tests under tests/validation: comment lines start with '#', the first
 * other line names the columns, no quoting. */
#ifndef TESTS_REFERENCE_TABLE_H
#define TESTS_REFERENCE_TABLE_H

#include <stdint.h>

typedef struct ref_table ref_table;

/* Reads tests/validation/<name>; ends the test program with a message when that cannot be done. */
ref_table *ref_table_open(const char *name);
void ref_table_close(ref_table *table);

int64_t ref_table_rows(const ref_table *table);
/* A cell by row and column name; a column that does not exist ends the test program. */
const char *ref_table_text(const ref_table *table, int64_t row, const char *column);
/* The same as a number; a cell that is none ends the test program. */
int64_t ref_table_int(const ref_table *table, int64_t row, const char *column);
double ref_table_real(const ref_table *table, int64_t row, const char *column);

#endif
