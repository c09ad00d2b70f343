/* A grid of text cells laid out in columns within a bounded width: the layout of every table for people. */
#ifndef SIM_OUTPUT_GRID_H
#define SIM_OUTPUT_GRID_H

#include "base/arena.h"
#include "base/text.h"

/* ANSI attributes of a cell; printed only when colour is on. */
typedef enum sim_paint {
    SIM_PAINT_NONE,
    SIM_PAINT_BOLD,
    SIM_PAINT_DIM,
    SIM_PAINT_RED,
    SIM_PAINT_GREEN,
    SIM_PAINT_YELLOW,
    SIM_PAINT_BLUE,
    SIM_PAINT_CYAN,
} sim_paint;

typedef struct sim_grid_column {
    const char *title; /* NULL: the grid has no title line (all columns alike) */
    bool right;        /* aligned to the right */
    int drop_rank;     /* 0: never dropped; 1 to 16: the highest goes first when the width is too small */
    int least_width;   /* 0: as wide as its cells; else it may shrink to this many columns */
    int soft_width;    /* shrinks to this before any column is dropped; 0: not before */
    bool wrap;         /* when shrunk, cells go on over several lines instead of being cut */
} sim_grid_column;

typedef struct sim_grid {
    sim_arena arena;
    const sim_grid_column *columns;
    int column_count;
    struct sim_grid_cell *cells; /* newest first; row-major in order of addition */
    int64_t cell_count;
    bool failed; /* memory ran out: nothing is printed, and the output is marked as failed */
} sim_grid;

/* `columns` must outlive the grid. `allocator` may be NULL. */
void sim_grid_init(sim_grid *grid, const sim_grid_column *columns, int column_count,
                   const sim_allocator *allocator);
void sim_grid_free(sim_grid *grid);

/* The next cell, from left to right and then row by row. Control characters become '?'. */
void sim_grid_cell(sim_grid *grid, sim_paint paint, const char *format, ...) SIM_PRINTF(3, 4);

/* Adds the grid to `out`, no line longer than `width` columns as long as the columns that may neither be
 * dropped nor shrunk leave room. `indent` spaces in front, two between columns, none at the end. */
void sim_grid_print(sim_grid *grid, int indent, int width, bool colour, sim_text *out);

/* `text` in the paint, or plain when colour is off. */
void sim_paint_add(sim_text *out, sim_paint paint, bool colour, const char *text);

/* "label  text", the text wrapped at spaces within `width` and hanging at `indent`. */
void sim_wrap_add(sim_text *out, const char *label, int indent, int width, const char *text);

/* Columns that UTF-8 text takes: code points, each taken as one wide. */
int sim_text_columns(const char *text);

#endif
