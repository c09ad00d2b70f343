/* Attention over a growing context on a machine, summed as the library does and step by step. */
#ifndef TESTS_REFERENCE_STEPS_CASE_H
#define TESTS_REFERENCE_STEPS_CASE_H

#include "base/arena.h"
#include "model/layer.h"

typedef struct steps_case {
    sim_arena arena;
    sim_arch arch;
    sim_workload workload;
    sim_layer_context context;
    sim_precision precision;
} steps_case;

/* An arch file by its full path, with all operands of `bits` (as the back end takes them). */
sim_status steps_case_open(steps_case *c, const char *path, int bits, sim_err *err);
void steps_case_close(steps_case *c);

/* Grouped-query attention of 32 heads of 128 elements, 8 of keys and values, for one sequence: its scores,
 * its softmax, its weighted sum. Extents are those of step 0. */
void steps_case_attention(const sim_reach *reach, int64_t steps, sim_layer out[3]);

/* What the library's sum is off by. */
typedef struct steps_difference {
    double cycles, compute_cycles, memory_cycles, energy; /* of the exact sum; energy without static power */
    int64_t macs, read_bytes, write_bytes;
} steps_difference;

sim_status steps_case_compare(steps_case *c, const sim_layer *layer, steps_difference *out, sim_err *err);

#endif
