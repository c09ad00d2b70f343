/* Residual addition: two fp16 tensors in, one out. */
#ifndef SIMACC_RESIDUAL_CUH
#define SIMACC_RESIDUAL_CUH

#include "rows.cuh"

namespace simacc
{

/* One piece per thread; the sum of two fp16 numbers in fp32, rounded once more, is their rounded sum. */
SIMACC_KERNEL(ROW_THREADS, 4) residual_rows(row_args g)
{
    int64_t piece = (int64_t)block_x() * ROW_THREADS + thread_index(), pieces = ceil_div(g.n, ROW_PIECE);
    int64_t row = piece / pieces;
    int first = (int)(piece % pieces) * ROW_PIECE;

    if (row >= g.m)
        return;
    row_piece p = read_piece(g.in + row * g.stride, first, g.n, 0);
    row_piece q = read_piece(g.in2 + row * g.stride, first, g.n, 0);
    for (int i = 0; i < ROW_PIECE; i++)
        p.x[i] = add_rounded(p.x[i], q.x[i]);
    write_piece(g.out + row * g.stride, first, g.n, p);
}

} // namespace simacc

#endif
