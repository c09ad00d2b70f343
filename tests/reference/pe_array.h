/* A systolic array, one processing element (PE) and one clock cycle at a time.
 *
 * The oracle of the systolic back end. Nothing here knows a formula for a GEMM's cycles: real values move
 * from register to register, every product of the GEMM is formed in some PE, outputs are taken where and when
 * they leave the array, and a schedule that starts a fold too early destroys values. Three dataflows:
 *
 *   WS  weights stay (rows = k, columns = n), inputs stream over m, partial sums move down and out
 *   IS  inputs stay (rows = k, columns = m), weights stream over n, partial sums move down and out
 *   OS  outputs stay (rows = m, columns = n), inputs and weights stream over k; a finished output is held
 *       beside its accumulator until its column is shifted out
 *
 * The stationary operand is double-buffered: a fold's values travel down the columns into shadow registers
 * while the fold before computes, and a token with the start of a fold switches each PE over as it passes.
 * In OS the accumulator is double-buffered: a column's held results enter its drain chain together when its
 * bottom PE has finished, and leave one per cycle. Inputs are skewed: row r and column c lag r + c cycles. */
#ifndef TESTS_REFERENCE_PE_ARRAY_H
#define TESTS_REFERENCE_PE_ARRAY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum pe_dataflow { PE_WS, PE_OS, PE_IS } pe_dataflow;

/* Dimensions of a GEMM out[m][n] += a[m][k] * w[k][n]. */
enum { PE_M, PE_N, PE_K };

typedef struct pe_array {
    pe_dataflow dataflow;
    int64_t rows, cols;
    int64_t w_bits;    /* width of a weight at the port */
    int64_t port_bits; /* weight bits that enter per cycle; 0: a row (or column) of weights each cycle */
} pe_array;

typedef struct pe_gemm {
    int64_t extent[3];
    const int32_t *a, *w; /* row-major */
} pe_gemm;

/* One pass of the array: a block of the two dimensions on its sides over a range of the streamed one. */
typedef struct pe_fold {
    int64_t first[3], size[3]; /* of m, n, k; at most rows and cols on the sides */
    int64_t load_cycle;        /* first cycle of loading the stationary operand (WS, IS) */
    int64_t start_cycle;       /* cycle in which the first streamed value meets the first PE */
} pe_fold;

/* The folds of a GEMM cut into tiles, in the order in which they run: tiles by `order` (outermost first),
 * inside a tile the blocks of the array. `lane` of `lanes` equal arrays side by side takes every lanes-th
 * column block of a tile. With `in_place` (OS, k innermost, tiles no larger than the array) all k tiles of an
 * output are one fold, since the PEs go on accumulating. The caller frees. */
pe_fold *pe_array_folds(const pe_array *array, const int64_t extent[3], const int64_t tile[3],
                        const int order[3], bool in_place, int64_t lane, int64_t lanes, int64_t *count);

/* Cycles that the array needs for the streamed values of a fold, and for the stationary ones. */
int64_t pe_array_stream_cycles(const pe_array *array, const pe_fold *fold);
int64_t pe_array_load_cycles(const pe_array *array);

/* Earliest legal cycles for all folds, back to back. Then each fold after number `early` is moved forward by
 * one cycle (early < 0: none): the schedule that must fail. */
void pe_array_schedule(const pe_array *array, pe_fold *folds, int64_t count, int64_t early);
/* The same with one interval between all starts, legal or not. */
void pe_array_schedule_every(const pe_array *array, pe_fold *folds, int64_t count, int64_t interval_cycles);

/* Runs the folds and adds every output to out[m][n] (zero it first). Returns the cycles from the first load
 * until the last output has left. */
int64_t pe_array_run(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                     int64_t *out);

#endif
