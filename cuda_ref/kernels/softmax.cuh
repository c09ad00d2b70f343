/* Softmax of each row: exp(x - max) / sum in fp32, fp16 in and out. Three passes, of which the second and third find the
 * row in L1 or L2. */
#ifndef SIMACC_SOFTMAX_CUH
#define SIMACC_SOFTMAX_CUH

#include "rows.cuh"

namespace simacc
{

template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) softmax_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float largest = -INFINITY, sum = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, p.x[i]);
    }
    largest = combine<GROUP, take_largest>(largest);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            sum += expf(p.x[i] - largest);
    }
    sum = combine<GROUP, take_sum>(sum);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, -INFINITY);
        for (int i = 0; i < ROW_PIECE; i++)
            p.x[i] = expf(p.x[i] - largest) / sum;
        write_piece(g.out + row * g.stride, first, g.n, p);
    }
}

} // namespace simacc

#endif
