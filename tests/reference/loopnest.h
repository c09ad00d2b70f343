/* A tiled GEMM as the loop nest that it is: every tile visited in order, one tile of each operand resident.
 *
 * The oracle of the traffic rule: nothing here multiplies tile counts. A resident tile is replaced only when
 * another one is needed; an output tile that leaves before its last k tile is a partial sum, written out and
 * read back when its turn comes again. Dimensions are numbered as in model/backend.h: m 0, n 1, k 2. */
#ifndef TESTS_REFERENCE_LOOPNEST_H
#define TESTS_REFERENCE_LOOPNEST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct loopnest {
    int64_t extent[3], tile[3];
    int order[3];           /* outermost first */
    bool output_read_first; /* new output tiles are read, too */
    /* Tiles of m that are not cut evenly, or that read something else than their own rows: m_count tiles with
     * their rows, and the rows of the input that they read. NULL: by `tile`. */
    int64_t m_count;
    const int64_t *m_rows, *m_reads;
} loopnest;

/* What one tile step moves, in elements. */
typedef struct loopnest_step {
    int64_t size[3];                               /* of this tile; ragged at the end of a dimension */
    int64_t input_read, weight_read, partial_read; /* before the step */
    int64_t partial_write, final_write;            /* after it, when its output tile leaves */
} loopnest_step;

/* Calls `visit` for each step in order. */
void loopnest_walk(const loopnest *nest, void (*visit)(void *user, const loopnest_step *step), void *user);

/* The steps, in an array that the caller frees; their number in *count. */
loopnest_step *loopnest_steps(const loopnest *nest, int64_t *count);

/* The sums over all steps; `size` stays zero. */
loopnest_step loopnest_sum(const loopnest *nest);

#endif
