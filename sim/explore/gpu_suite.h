/* The measurement suite: which shapes to measure on a GPU, in which order, and the CSV that they go into.
 *
 * Shapes are the linear layers of Llama-2-7B/13B/70B, Llama-3-8B, OPT-6.7B/13B, Mistral-7B and Mixtral-8x7B
 * at m in {1, 2, 4, ... 4096} tokens (heads in floating point only, some kernels at fewer m), random and
 * ragged shapes, and vector kernels over rows of those models. The CSV has the columns of SIM_GPU_CSV_HEADER,
 * a row per measurement, flushed one by one: what an interrupted run has measured is kept, and the next run
 * goes on from there. */
#ifndef SIM_EXPLORE_GPU_SUITE_H
#define SIM_EXPLORE_GPU_SUITE_H

#include "base/arena.h"
#include "base/err.h"
#include "cuda_ref/simacc_cuda.h"
#include "explore/gpu_plugin.h"

#include <stdbool.h>
#include <stdint.h>

/* latency_us: median of one call. energy_mj: per call, idle subtracted; empty where it was not measured (all
 * burst rows). clock_mhz: while it ran. Vector kernels: m rows of n elements, k 0, w_bits 0, w_format
 * empty. */
#define SIM_GPU_CSV_HEADER                                                                                   \
    "gpu,kernel,w_bits,a_bits,m,n,k,batch,latency_us,energy_mj,clock_mhz,w_format,a_format,layout,impl,"     \
    "regime,source"

enum { SIM_GPU_SUITE_S = 480 }; /* the default time box: eight minutes */

/* One measurement to make. */
typedef struct sim_gpu_case {
    const simacc_cuda_kernel *kernel;
    int64_t m, n, k, batch; /* as in simacc_cuda_request */
    simacc_cuda_regime regime;
    int rank;        /* 0 first: each rank completes a coarser picture of all kernels */
    bool check_only; /* edge and ragged shapes: checked, not timed, no row of the file */
    double cost_s;   /* estimated: setting up, checking, timing */
} sim_gpu_case;

typedef struct sim_gpu_plan {
    const sim_gpu_case *cases; /* in the order they are to be measured */
    int64_t count;
    double cost_s; /* of all */
} sim_gpu_plan;

typedef struct sim_gpu_progress {
    int64_t done, total;         /* cases; rows that the file already had count as done */
    double elapsed_s, left_s;    /* left: estimated, never more than the time box leaves */
    const sim_gpu_case *current; /* what was just measured; NULL before the first */
    double latency_us;           /* of it; NaN when it was left out */
} sim_gpu_progress;

/* Called before the first case and after each; false ends the suite with SIM_INTERRUPTED. */
typedef bool sim_gpu_progress_function(void *user, const sim_gpu_progress *progress);

typedef struct sim_gpu_suite_options {
    const char *file;                    /* CSV to write; rows that it has are not measured again */
    double budget_s;                     /* time box; 0: SIM_GPU_SUITE_S */
    const char *kernels;                 /* glob over kernel names; NULL: all */
    bool unchecked;                      /* leave the comparison with the reference out (for timing alone) */
    sim_gpu_progress_function *progress; /* may be NULL */
    void *user;
} sim_gpu_suite_options;

typedef struct sim_gpu_suite_report {
    int64_t planned;         /* cases of the plan */
    int64_t resumed;         /* left out: the file has their rows */
    int64_t measured;        /* rows written */
    int64_t too_large;       /* left out: their operands do not fit the device */
    int64_t unsupported;     /* left out: not on this device */
    int64_t wrong;           /* left out: the result was outside the error bound */
    int64_t late;            /* left for another run: the time box was full */
    int64_t checked_shapes;  /* compared with the reference and right */
    double worst_error_frac; /* of all checks, in error bounds */
    double elapsed_s;
    const char *first_wrong; /* message of the first wrong result; NULL: none */
} sim_gpu_suite_report;

/* The cases for a device, the most informative first; deterministic. `kernels` as the plug-in lists them,
 * those that are not available left out. SIM_NO_MEMORY only. */
sim_status sim_gpu_suite_plan(const simacc_cuda_device *device, const simacc_cuda_kernel *kernels,
                              int kernel_count, sim_arena *arena, sim_gpu_plan *out, sim_err *err);

/* Measures what the plan holds and the file lacks, until the time box is full. A wrong result or a shape that
 * does not fit is counted and left out; an error of the device ends the suite (SIM_MISSING), and the file
 * keeps what was measured.
 *
 * SIM_BAD_INPUT: the file is there and is no measurement file of this header (its line is named); SIM_IO: a
 * row could not be written; SIM_INTERRUPTED: the progress function said so; SIM_INTERNAL: the plug-in gave no
 * time for what it measured; SIM_NO_MEMORY. `out` is filled in all cases. */
sim_status sim_gpu_suite_run(const sim_gpu_plugin *plugin, const sim_gpu_suite_options *options,
                             sim_arena *arena, sim_gpu_suite_report *out, sim_err *err);

#endif
