/* What charts read from frames: runs with their layers, and points with their totals. */
#ifndef SIM_OUTPUT_CHART_DATA_H
#define SIM_OUTPUT_CHART_DATA_H

#include "base/arena.h"
#include "base/err.h"
#include "base/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIM_CHART_PARTS = 7, SIM_CHART_BOUNDS = 6 };

extern const char *const sim_chart_part_names[SIM_CHART_PARTS];   /* for people: "MAC" "registers" ... */
extern const char *const sim_chart_bound_names[SIM_CHART_BOUNDS]; /* as in the files, in stacking order */

/* A layer of a run; numbers of one instance, NaN where they do not apply. */
typedef struct sim_chart_layer {
    const char *name; /* "layers.0-31.q_proj" */
    const char *kind; /* "q_proj" */
    const char *bits; /* "w4a8", "kv8a8", "fp16"; "" of a vector operation without bits */
    bool product;     /* has multiply-accumulates */
    int bound;        /* into sim_chart_bound_names */
    double repeat;
    double w_bits, a_bits, kv_bits;
    double macs, latency_s, energy_j, dram_bytes, utilization_frac;
    double part_j[SIM_CHART_PARTS];
} sim_chart_layer;

typedef struct sim_chart_run {
    const sim_frame *frame;
    int64_t first_row; /* of the frame */
    const char *arch, *workload, *policy;
    const sim_chart_layer *layers;
    int64_t layer_count;
    double latency_s, energy_j; /* sums over layers and repeats */
    double peak_macs_per_s, dram_bytes_per_s;
} sim_chart_run;

/* The runs of all frames: neighbouring rows of one (arch, workload, policy) are a run. `what` is the chart,
 * for messages. SIM_BAD_INPUT when a column is missing, a cell is no number, or there is no row. */
sim_status sim_chart_runs(const sim_frame *frames, int frame_count, const char *what, sim_arena *arena,
                          sim_chart_run **runs, int *run_count, sim_err *err);

/* All frames as one frame of points: a sweep's rows as they are, a run as the row of its totals, a table of
 * costs as a row of sums for each precision. Columns are the union. SIM_BAD_INPUT when a frame is none of
 * them, or none has a row. */
sim_status sim_chart_points(const sim_frame *frames, int frame_count, const char *what, sim_arena *arena,
                            sim_frame *out, sim_err *err);

/* Adds an error for each of `names` (NULL-terminated) that `frame` has no column of, with a hint at what the
 * file seems to be. */
sim_status sim_chart_need(const sim_frame *frame, const char *const *names, const char *what, sim_err *err);

/* "latency" and "s" of "latency_s": a column's name for people, and its unit ("" for a count). */
void sim_chart_column_words(const char *column, sim_arena *arena, const char **label, const char **unit);

/* True for columns of which more is better: tokens_per_s, utilization_frac and the like. */
bool sim_chart_more_is_better(const char *column);

/* "w4a8" -> 4, 8; false for any other text. */
bool sim_chart_policy_bits(const char *policy, double *w_bits, double *a_bits);

/* The text after the last '/', without its extension. */
const char *sim_chart_stem(const char *path, sim_arena *arena);

#endif
