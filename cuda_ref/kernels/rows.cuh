/* What the kernels over rows of fp16 share (softmax, RMSNorm, quantization, residual addition). All move 16
 * bytes per thread and load; rows are padded to `stride` elements, a multiple of 8, of which the padding is
 * neither read as a value nor, in fp16, written.
 *
 * GROUP threads share a row: a warp, eight rows to a block, for rows of up to 1024 elements, or a block of
 * 256. */
#ifndef SIMACC_ROWS_CUH
#define SIMACC_ROWS_CUH

#include "target.cuh"

namespace simacc
{

enum {
    ROW_THREADS = 256,
    ROW_PIECE = 8, /* elements */
    SHORT_ROW = 1024,
    ROW_SHARED_BYTES = 4 * ROW_THREADS / 32, /* combine's: a float per warp */
};

struct row_args {
    const uint16_t *in, *in2; /* [m][stride]; in2: residual */
    const uint16_t *weight;   /* [n]: rmsnorm */
    uint16_t *out;            /* [m][stride] */
    int8_t *quantized;        /* [m][quantized_stride] */
    float *row_scale;         /* [m]: written by quantize_rows */
    uint32_t *largest;        /* bits of the largest magnitude of a tensor, as fp32 */
    float static_scale, epsilon;
    int64_t stride, quantized_stride;
    int m, n;
};

SIMACC_BOTH int row_blocks(int64_t m, int group)
{
    return (int)ceil_div(m, ROW_THREADS / group);
}

/* ---- sharing a row ---------------------------------------------------------------------------------- */

struct take_sum {
    SIMACC_DEVICE static float of(float x, float y)
    {
        return x + y;
    }
};

struct take_largest {
    SIMACC_DEVICE static float of(float x, float y)
    {
        return x > y ? x : y;
    }
};

/* `value` of all threads of the group, combined; the same bits in each of them. */
template <int GROUP, class Op> SIMACC_DEVICE float combine(float value)
{
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2)
        value = Op::of(value, shuffle_xor(value, mask));
    if (GROUP == 32)
        return value;
    float *shared = (float *)shared_memory();
    barrier(); /* an earlier combination has been read */
    if (thread_index() % 32 == 0)
        shared[thread_index() / 32] = value;
    barrier();
    value = shared[0];
#pragma unroll
    for (int warp = 1; warp < ROW_THREADS / 32; warp++)
        value = Op::of(value, shared[warp]);
    return value;
}

struct row_piece {
    float x[ROW_PIECE];
};

/* Elements `first`... of a row of n; `beyond` for those that are not there. */
SIMACC_DEVICE row_piece read_piece(const uint16_t *row, int first, int n, float beyond)
{
    words4 words = load16(row + first);
    row_piece out;

#pragma unroll
    for (int i = 0; i < ROW_PIECE; i++) {
        float value = half_to_float((uint16_t)(words.w[i / 2] >> (i % 2 * 16)));
        out.x[i] = first + i < n ? value : beyond;
    }
    return out;
}

SIMACC_DEVICE void write_piece(uint16_t *row, int first, int n, const row_piece &values)
{
    if (first + ROW_PIECE <= n) {
        words4 words;
#pragma unroll
        for (int i = 0; i < 4; i++)
            words.w[i] = float_to_half(values.x[2 * i]) | (uint32_t)float_to_half(values.x[2 * i + 1]) << 16;
        store16(row + first, words);
        return;
    }
#pragma unroll
    for (int i = 0; i < ROW_PIECE; i++)
        if (first + i < n)
            row[first + i] = float_to_half(values.x[i]);
}

/* With a block per row all rows are there; a warp without a row leaves as a whole. */
template <int GROUP> SIMACC_DEVICE int row_of_thread()
{
    return block_x() * (ROW_THREADS / GROUP) + thread_index() / GROUP;
}

template <int GROUP> SIMACC_DEVICE int first_of_thread()
{
    return thread_index() % GROUP * ROW_PIECE;
}

} // namespace simacc

#endif
