/* Activations to int8, symmetric, ties to even: q = round(x / scale), scale = largest magnitude / 127.
 * SmoothQuant's O1: a scale per token (row), found in the same kernel; O2: one for the tensor, found by a
 * kernel before; O3: one for the tensor, known beforehand. Divisions are IEEE's, so that references compute
 * the same bits. */
#ifndef SIMACC_QUANTIZE_CUH
#define SIMACC_QUANTIZE_CUH

#include "rows.cuh"

namespace simacc
{

SIMACC_DEVICE void quantize_piece(const row_piece &p, float scale, int8_t *row, int first, int n)
{
    uint32_t words[2] = {0, 0};

    for (int i = 0; i < ROW_PIECE; i++) {
        float q = rintf(divide_rounded(p.x[i], scale));
        q = q > 127 ? 127 : q < -127 ? -127 : q;
        if (first + i < n)
            words[i / 4] |= ((uint32_t)(int)q & 255u) << (8 * (i % 4));
    }
    /* The last piece's padding becomes zero. */
    ((uint32_t *)(row + first))[0] = words[0];
    ((uint32_t *)(row + first))[1] = words[1];
}

/* Scale 1 for a row of zeros. */
SIMACC_DEVICE float scale_of_largest(float largest)
{
    return largest > 0 ? divide_rounded(largest, 127.0f) : 1.0f;
}

/* SmoothQuant O1: a scale per token, largest magnitude / 127. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) quantize_rows(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    const uint16_t *in = g.in + row * g.stride;
    float largest = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(in, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, fabsf(p.x[i]));
    }
    float scale = scale_of_largest(combine<GROUP, take_largest>(largest));
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE)
        quantize_piece(read_piece(in, first, g.n, 0), scale, g.quantized + row * g.quantized_stride, first,
                       g.n);
    if (thread_index() % GROUP == 0)
        g.row_scale[row] = scale;
}

/* O2, first pass: the largest magnitude of the tensor. Magnitudes compare like their bits. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) largest_of_tensor(row_args g)
{
    int row = row_of_thread<GROUP>();

    if (row >= g.m)
        return;
    float largest = 0;
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE) {
        row_piece p = read_piece(g.in + row * g.stride, first, g.n, 0);
        for (int i = 0; i < ROW_PIECE; i++)
            largest = take_largest::of(largest, fabsf(p.x[i]));
    }
    largest = combine<GROUP, take_largest>(largest);
    if (thread_index() % GROUP == 0) {
        uint32_t bits;
        memcpy(&bits, &largest, sizeof bits);
        atomic_max(g.largest, bits);
    }
}

/* O2, second pass (`largest` given), and O3 (NULL): one scale for the tensor. */
template <int GROUP> SIMACC_KERNEL(ROW_THREADS, 4) quantize_tensor(row_args g)
{
    int row = row_of_thread<GROUP>();
    float scale = g.static_scale;

    if (row >= g.m)
        return;
    if (g.largest) {
        float largest;
        memcpy(&largest, g.largest, sizeof largest);
        scale = scale_of_largest(largest);
    }
    for (int first = first_of_thread<GROUP>(); first < g.n; first += GROUP * ROW_PIECE)
        quantize_piece(read_piece(g.in + row * g.stride, first, g.n, 0), scale,
                       g.quantized + row * g.quantized_stride, first, g.n);
}

} // namespace simacc

#endif
