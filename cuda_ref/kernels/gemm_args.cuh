/* Operands of the project's own matrix kernels, and what becomes of a sum.
 *
 * out[m][n] (fp16) = scaled sum over k of a[m][k] * w[n][k]. Rows of a (and of int8 weights) are contiguous along
 * k, padded with zeros to row_bytes, a multiple of 16. `parts` > 1: k is split among as many blocks, which leave
 * their sums in `partial` [parts][m][out_stride], for combine_parts to add and scale. */
#ifndef SIMACC_GEMM_ARGS_CUH
#define SIMACC_GEMM_ARGS_CUH

#include "target.cuh"

namespace simacc
{

struct gemm_args {
    const unsigned char *a, *w;
    const uint32_t *group_scale; /* int4 weights: see layout.h */
    const float *row_scale;      /* int8: [m] per token; NULL: one for the tensor */
    const float *tensor_scale;   /* int8, in memory because it was just measured; NULL: the number below */
    float static_scale;
    const float *column_scale; /* int8: [n] per output channel */
    uint16_t *out;
    void *partial; /* int32 or float */
    int64_t out_stride; /* elements, a multiple of 8 */
    int m, n, row_bytes;
    int steps; /* of k: STEP_BYTES of a row each, the last one padded with zeros */
    int parts;
};

/* Activation scale times weight scale in this order, each product rounded to fp32: exactly reproducible. */
SIMACC_DEVICE uint16_t scaled_output(int sum, int row, int column, const gemm_args &g)
{
    float scale = g.row_scale ? g.row_scale[row] : g.tensor_scale ? *g.tensor_scale : g.static_scale;

    return float_to_half(multiply_rounded(multiply_rounded((float)sum, scale), g.column_scale[column]));
}

SIMACC_DEVICE uint16_t scaled_output(float sum, int, int, const gemm_args &)
{
    return float_to_half(sum);
}

/* Two neighbours of a row, `column` even. The row's padding may be written. */
template <class Sum>
SIMACC_DEVICE void put_pair(Sum first, Sum second, int row, int column, int part, const gemm_args &g)
{
    if (row >= g.m || column >= g.n)
        return;
    if (g.parts > 1) {
        Sum *to = (Sum *)g.partial + ((int64_t)part * g.m + row) * g.out_stride + column;
        to[0] = first;
        to[1] = second;
        return;
    }
    uint32_t low = scaled_output(first, row, column, g);
    uint32_t high = column + 1 < g.n ? scaled_output(second, row, column + 1, g) : 0;
    *(uint32_t *)(g.out + row * g.out_stride + column) = low | high << 16;
}

/* Adds the parts in their order. One thread per output, blocks of 256. */
template <class Sum> SIMACC_KERNEL(256, 1) combine_parts(gemm_args g)
{
    int64_t index = (int64_t)block_x() * 256 + thread_index();
    int row = (int)(index / g.n), column = (int)(index % g.n);

    if (row >= g.m)
        return;
    const Sum *from = (const Sum *)g.partial + row * g.out_stride + column;
    Sum sum = 0;
    for (int part = 0; part < g.parts; part++)
        sum += from[(int64_t)part * g.m * g.out_stride];
    g.out[row * g.out_stride + column] = scaled_output(sum, row, column, g);
}

} // namespace simacc

#endif
