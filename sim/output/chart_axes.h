/* Points of a sweep, seen as axes and results: which columns say what a point is, and which of them vary. */
#ifndef SIM_OUTPUT_CHART_AXES_H
#define SIM_OUTPUT_CHART_AXES_H

#include "output/chart_parts.h"

enum { SIM_CHART_AXES_MOST = 16 };

typedef struct sim_chart_axes {
    int columns[SIM_CHART_AXES_MOST]; /* that vary and are no results */
    int count;
} sim_chart_axes;

/* The axes of `frame`, leaving out the columns in `without` (NULL-terminated; may be NULL). Bits are left out
 * where the policy says them, and so is what follows from the arch, or from the column `series` (-1: none),
 * which names the points already. */
sim_chart_axes sim_chart_axes_of(const sim_frame *frame, const char *const *without, int series);

bool sim_chart_varies(const sim_frame *frame, int column); /* false for -1 */

/* "w4a8", "edge, w4a8, rows=32": the place of a row on the axes. */
const char *sim_chart_axes_label(sim_canvas *canvas, const sim_frame *frame, int64_t row,
                                 const sim_chart_axes *axes);

/* What all points share, for a title: "llama2_7b_decode on edge, w4a8". */
const char *sim_chart_axes_common(sim_canvas *canvas, const sim_frame *frame);

/* A column as numbers, NaN where empty; NULL after an error: no such column (a hint names near ones), a cell
 * that is no number. */
double *sim_chart_numbers(const sim_chart_job *job, const sim_frame *frame, const char *column);

/* The sheet has a line of words for a column: "latency", unit "s". */
sim_axis sim_chart_column_axis(sim_canvas *canvas, const char *column, double lo, double hi);

#endif
