/* A frame: a table of named columns in memory, each cell as text. It is what charts are made of, wherever the
 * rows came from: a CSV, a JSON answer, a store. */
#ifndef SIM_BASE_FRAME_H
#define SIM_BASE_FRAME_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_frame {
    const char *file; /* for messages */
    int column_count;
    int64_t row_count;
    const char *const *columns;
    const char *const *cells; /* row_count * column_count, row by row; "": unknown or does not apply */
    const int *lines;         /* of each row in the file; NULL when rows have none */
} sim_frame;

int sim_frame_column(const sim_frame *frame, const char *name); /* -1: absent */

/* "" for a column of -1. */
const char *sim_frame_text(const sim_frame *frame, int64_t row, int column);

/* The line of a row, 0 when it has none. */
int sim_frame_line(const sim_frame *frame, int64_t row);

/* A number; NaN for an empty cell and for a column of -1. False when the cell holds something else. */
bool sim_frame_real(const sim_frame *frame, int64_t row, int column, double *value);

/* A frame that is filled cell by cell: rows and columns are fixed, cells start empty. */
typedef struct sim_frame_draft {
    sim_frame frame;
    const char **columns, **cells;
} sim_frame_draft;

/* False when memory is out; everything lives in `arena`. */
bool sim_frame_draft_init(sim_frame_draft *draft, const char *file, int column_count, int64_t row_count,
                          sim_arena *arena);
void sim_frame_draft_set(sim_frame_draft *draft, int64_t row, int column, const char *text);

#endif
