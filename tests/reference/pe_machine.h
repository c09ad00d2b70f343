/* The two machines behind pe_array.h. */
#ifndef TESTS_REFERENCE_PE_MACHINE_H
#define TESTS_REFERENCE_PE_MACHINE_H

#include "reference/pe_array.h"

/* Which dimension lies along the rows, the columns and the stream. */
typedef struct pe_axes {
    int row, col, stream;
} pe_axes;

pe_axes pe_axes_of(pe_dataflow dataflow);

/* Cycle, counted from the fold's start, in which streamed step `step` enters: a weight is there once its last
 * bit has passed the port. */
int64_t pe_step_cycle(const pe_array *array, int64_t step);

/* What enters the array's edge, by cycle: a step of a fold, a bubble of it (step -1), or nothing (fold -1). A
 * fold that starts too early takes wires and port from the one before, whose values are then lost. */
typedef struct pe_feed {
    int64_t cycles;
    int64_t *fold, *step;
} pe_feed;

/* For `cycles` cycles; release with pe_feed_free. */
pe_feed pe_feed_new(const pe_array *array, const pe_fold *folds, int64_t count, int64_t cycles);
void pe_feed_free(pe_feed *feed);

/* Zeroed memory; ends the test program when there is none. */
void *pe_alloc(int64_t count, int64_t size);

int64_t pe_run_stationary(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                          int64_t *out);
int64_t pe_run_output(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                      int64_t *out);

#endif
