/* Operands of the project's own matrix kernels, and what becomes of a sum.
 *
 * out[m][n] (fp16) = scaled sum over k of a[m][k] * w[n][k]. Rows of a are contiguous along k, padded with
 * zeros to row_bytes, a multiple of 16; w is packed (layout.h). `parts` > 1: k is split among as many blocks,
 * which leave their sums in `partial` [parts][m][out_stride], for combine_parts to add and scale. */
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
    void *partial;      /* int32 or float */
    int64_t out_stride; /* elements, a multiple of 8 */
    int m, n, row_bytes;
    int steps; /* of k: STEP_BYTES of a row each; weights that only pad are zero */
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

/* Two sums of one feature (of this lane's g), tokens `row` and row + 1; lanes g and g + 1 exchange one each,
 * so that each has two features of one token to write. All lanes of the warp must come; lane 0 has an even
 * feature. */
template <class Sum>
SIMACC_DEVICE void put_tokens(Sum first, Sum second, int row, int feature, int part, const gemm_args &g)
{
    bool odd = thread_index() % 8 >= 4; /* g % 2 */
    Sum other = shuffle_xor(odd ? first : second, 4);

    if (odd)
        put_pair(other, second, row + 1, feature - 1, part, g);
    else
        put_pair(first, other, row, feature, part, g);
}

enum { COMBINE_THREADS = 256 };

/* Adds the parts in their order, 4 outputs of a row per thread. With one part it only scales:
 * what is left to do after a library's int8 product. */
template <class Sum> SIMACC_KERNEL(COMBINE_THREADS, 4) combine_parts(gemm_args g)
{
    int quads = (g.n + 3) / 4;
    int64_t index = (int64_t)block_x() * COMBINE_THREADS + thread_index();
    int row = (int)(index / quads), column = (int)(index % quads) * 4;

    if (row >= g.m)
        return;
    const Sum *from = (const Sum *)g.partial + row * g.out_stride + column;
    Sum sum[4] = {};
    for (int part = 0; part < g.parts; part++, from += g.m * g.out_stride) {
        words4 words = load16(from);
        Sum values[4];
        memcpy(values, &words, sizeof values);
#pragma unroll
        for (int i = 0; i < 4; i++)
            sum[i] += values[i];
    }
    uint32_t halves[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        halves[i] = column + i < g.n ? scaled_output(sum[i], row, column + i, g) : 0;
    uint32_t *to = (uint32_t *)(g.out + row * g.out_stride + column);
    to[0] = halves[0] | halves[1] << 16;
    to[1] = halves[2] | halves[3] << 16;
}

SIMACC_BOTH int64_t combine_blocks(int64_t m, int64_t n)
{
    return ceil_div(m * ceil_div(n, 4), COMBINE_THREADS);
}

} // namespace simacc

#endif
