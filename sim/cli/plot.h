/* Charts, drawn by gnuplot from the CSV of a chart and one of the shipped plots/. */
#ifndef SIM_CLI_PLOT_H
#define SIM_CLI_PLOT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "output/chart.h"

enum { SIM_PLOT_WIDTH_PX = 800 };

typedef enum sim_plot_format { SIM_PLOT_SVG, SIM_PLOT_PNG, SIM_PLOT_PDF, SIM_PLOT_TEXT } sim_plot_format;

/* By the extension of a file's name (.svg, .png, .pdf). SIM_USAGE for any other. */
sim_status sim_plot_format_of(const char *file, sim_plot_format *format, sim_err *err);

/* Draws the CSV of a chart with the script of its kind; appends the picture to `picture`. gnuplot is run
 * without the user's settings, and told no name but that of the script: what it reads and writes are files
 * without a name. `colour`: of text, for a terminal that has it; `dark`: of pictures. SIM_MISSING without
 * gnuplot, SIM_IO when the temporary files cannot be written, SIM_INTERNAL when gnuplot fails. */
sim_status sim_plot_draw(sim_chart_kind kind, const sim_text *csv, sim_plot_format format, bool dark,
                         bool colour, sim_arena *arena, sim_text *picture, sim_err *err);

/* For commands that make a chart of their own answer: lays out the rows of `csv` (as a file would hold them)
 * and writes the picture `file`, of the usual size. */
sim_status sim_plot_rows(sim_chart_kind kind, const sim_text *csv, const char *file, sim_arena *arena,
                         sim_err *err);

#endif
