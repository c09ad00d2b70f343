/* The kinds of charts, a file each, and what they share. */
#ifndef SIM_OUTPUT_CHART_PARTS_H
#define SIM_OUTPUT_CHART_PARTS_H

#include "output/chart.h"
#include "output/chart_canvas.h"
#include "output/chart_data.h"

/* What each kind is given. */
typedef struct sim_chart_job {
    const sim_frame *frames;
    int frame_count;
    const sim_chart_options *options;
    sim_arena *arena;
    sim_text *csv;
    sim_err *err;
} sim_chart_job;

sim_status sim_chart_roofline(const sim_chart_job *job);
sim_status sim_chart_breakdown(const sim_chart_job *job);
sim_status sim_chart_bits(const sim_chart_job *job);
sim_status sim_chart_heatmap(const sim_chart_job *job);
sim_status sim_chart_pareto(const sim_chart_job *job);
sim_status sim_chart_scaling(const sim_chart_job *job);
sim_status sim_chart_speedup(const sim_chart_job *job);
sim_status sim_chart_calibration(const sim_chart_job *job);

sim_status sim_chart_no_memory(const sim_chart_job *job);

/* A sheet of the size that was asked for; `height` in units (pictures) or lines (text) when none was. */
void sim_chart_sheet(const sim_chart_job *job, double height, int lines, sim_canvas *canvas);

/* SIM_NO_MEMORY when the sheet or the text ran out of it. */
sim_status sim_chart_done(const sim_chart_job *job, const sim_canvas *canvas);

/* printf into the arena that never returns NULL: "" when memory is out, and the sheet is marked. */
const char *sim_chart_words(sim_canvas *canvas, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Who is who among several runs or points: what all share is for the title, what differs names each.
 * `columns` are arch, workload, policy of entry i at [3 * i]; labels[i] gets "w4a8" or "edge, w4a8". Returns
 * what is common: "llama2_7b_decode on edge". */
const char *sim_chart_who(const char *const *columns, int count, sim_arena *arena, const char **labels);

/* The same of runs; NULL when memory is out. The labels are made: one for each run. */
const char *sim_chart_who_runs(const sim_chart_run *runs, int run_count, sim_arena *arena,
                               const char ***labels);

/* The index of `text` in a list that grows: -1 when the list is full at `most` or memory is out. */
int sim_chart_index(const char **list, int *count, int most, const char *text);

#endif
