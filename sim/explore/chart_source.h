/* What a chart can be drawn from: files that other commands wrote. */
#ifndef SIM_EXPLORE_CHART_SOURCE_H
#define SIM_EXPLORE_CHART_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/frame.h"

/* Reads a file by what it holds, not by its name:
 *   CSV   any table with a header line (`run --csv`, `table`, `export --csv`, rows of a calibration);
 *   JSON  an answer of `run --json`: one row per layer under the names of `run --csv`, and in every row what
 *         that CSV does not say: totals_<key>, workload_phase, workload_batch, workload_tokens.
 * SIM_BAD_INPUT with file and line for what is neither, SIM_NO_MEMORY. */
sim_status sim_chart_source_open(const char *path, sim_arena *arena, sim_frame *out, sim_err *err);

/* The same for CSV text in memory; `name` stands for the file in messages. */
sim_status sim_chart_source_text(const char *text, size_t length, const char *name, sim_arena *arena,
                                 sim_frame *out, sim_err *err);

#endif
