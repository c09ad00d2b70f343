/* RMSNorm of each row: x w / sqrt(mean(x^2) + epsilon) in fp32, fp16 in and out; two passes. */
#ifndef SIMACC_RMSNORM_CUH
#define SIMACC_RMSNORM_CUH

#include "rows.cuh"

namespace simacc
{

template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) rmsnorm_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float sum = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            sum += p.x[i] * p.x[i];
    }
    sum = combine<GROUP, take_sum>(sum);
    float scale = 1 / sqrtf(sum / g.n + g.epsilon);
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0), w = read_piece(g.weight, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            p.x[i] = p.x[i] * scale * w.x[i];
        write_piece(g.out + row * g.stride, first, g.n, p);
    }
}

} // namespace simacc

#endif
