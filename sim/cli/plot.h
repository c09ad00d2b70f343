/* Charts, drawn by gnuplot from a CSV and one of the shipped plots/. */
#ifndef SIM_CLI_PLOT_H
#define SIM_CLI_PLOT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* Draws `csv` with the shipped plots/`script` into `file` (.svg or .png). SIM_MISSING without gnuplot, SIM_IO
 * when the picture cannot be written. */
sim_status sim_plot_draw(const char *script, const sim_text *csv, const char *file, sim_arena *arena,
                         sim_err *err);

#endif
