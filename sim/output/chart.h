/* Charts: what a file says, laid out as the CSV that one script of plots/ draws. Pure: frames in, text out.
 */
#ifndef SIM_OUTPUT_CHART_H
#define SIM_OUTPUT_CHART_H

#include "base/arena.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/text.h"

typedef enum sim_chart_kind {
    SIM_CHART_ROOFLINE,
    SIM_CHART_BREAKDOWN,
    SIM_CHART_BITS,
    SIM_CHART_HEATMAP,
    SIM_CHART_PARETO,
    SIM_CHART_SCALING,
    SIM_CHART_SPEEDUP,
    SIM_CHART_CALIBRATION,
    SIM_CHART_COUNT,
} sim_chart_kind;

/* "roofline" ...: the word of the command line, and the stem of the script. NULL-terminated. */
extern const char *const sim_chart_names[SIM_CHART_COUNT + 1];

enum { SIM_CHART_FILES_MAX = 32, SIM_CHART_POINTS_DRAWN = 4000 };

typedef struct sim_chart_options {
    const char *title; /* NULL: made from what the file says */
    const char
        *baseline;     /* of speedup and heatmap: a policy, arch or file; NULL: the first (heatmap: none) */
    const char *x, *y; /* of pareto and scaling: columns; NULL: chosen */
    int64_t top;       /* how many layers, labels or bars; 0: as many as fit */
    int width_px;      /* of the picture; columns in text */
    int height_px;     /* 0: as the chart needs it; lines in text */
    bool text;         /* for a terminal */
} sim_chart_options;

/* Lays out `frame_count` files (at least one) as a chart; appends its CSV (see chart_canvas.h) to `csv`.
 * SIM_BAD_INPUT names what a file lacks, SIM_USAGE an option that cannot be met, SIM_NO_MEMORY. */
sim_status sim_chart(sim_chart_kind kind, const sim_frame *frames, int frame_count,
                     const sim_chart_options *options, sim_arena *arena, sim_text *csv, sim_err *err);

#endif
