/* Matrix product for up to 16 rows, bound by reading the weights once: no shared memory on the way of the weights,
 * each of a block's 8 warps takes every eighth unit of k of the same 32 columns, the weights go from DRAM straight
 * into the registers that the tensor core reads, and the warps' sums are added in the end, in their order.
 *
 * Rows of `a` are read from L1 and L2, where they stay. HIGH: rows 8 to 15 are there too. */
#ifndef SIMACC_GEMM_SKINNY_CUH
#define SIMACC_GEMM_SKINNY_CUH

#include "weights.cuh"

namespace simacc
{

enum { SKINNY_WARPS = 8, SKINNY_THREADS = 32 * SKINNY_WARPS, SKINNY_COLUMNS = 32, SKINNY_ROWS = 16 };

/* Of a block: the sums of its warps, as words. */
SIMACC_BOTH int skinny_shared_bytes()
{
    return SKINNY_WARPS * SKINNY_ROWS * SKINNY_COLUMNS * 4;
}

template <class Weights> struct skinny_unit;

/* Two steps, 128 of k: 4 KiB of weights per warp. */
template <> struct skinny_unit<weights_int8> {
    enum { STEPS = 2 };
    words4 w[STEPS][4];

    SIMACC_DEVICE void load(const gemm_args &g, int column, int step, int lane)
    {
#pragma unroll
        for (int s = 0; s < STEPS; s++)
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int n = column + 8 * j + lane / 4, byte = (step + s) * STEP_BYTES + lane % 4 * PIECE_BYTES;
                w[s][j] = words4{{0, 0, 0, 0}};
                if (n < g.n && byte < g.row_bytes)
                    w[s][j] = load16_once(g.w + (int64_t)n * g.row_bytes + byte);
            }
    }

    SIMACC_DEVICE void prepare()
    {
    }

    SIMACC_DEVICE void column_words(int s, int j, uint32_t (&out)[4]) const
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
            out[i] = w[s][j].w[i];
    }
};

/* A group of 128: 2 KiB of weights per warp, and the group's scales. */
template <> struct skinny_unit<weights_int4> {
    enum { STEPS = W4_STEPS_PER_GROUP };
    words4 w[STEPS], scales;
    w4_scale scale[4];

    SIMACC_DEVICE void load(const gemm_args &g, int column, int step, int lane)
    {
        int block = column / W4_COLUMNS, blocks = (g.n + W4_COLUMNS - 1) / W4_COLUMNS;
        const unsigned char *from = g.w + ((int64_t)block * g.steps + step) * W4_BLOCK_BYTES + lane * PIECE_BYTES;

#pragma unroll
        for (int s = 0; s < STEPS; s++)
            w[s] = load16_once(from + s * W4_BLOCK_BYTES);
        scales = load16_once(g.group_scale +
                             ((int64_t)(step / W4_STEPS_PER_GROUP) * blocks + block) * W4_COLUMNS + lane / 4 * 4);
    }

    SIMACC_DEVICE void prepare()
    {
#pragma unroll
        for (int j = 0; j < 4; j++)
            scale[j] = w4_prepare(scales.w[j]);
    }

    SIMACC_DEVICE void column_words(int s, int j, uint32_t (&out)[4]) const
    {
        w4_dequantize(w[s].w[j], scale[j], out);
    }
};

/* A piece of a row of `a`; zeros beyond its end and for rows that are not there. */
SIMACC_DEVICE words4 skinny_row(const gemm_args &g, int row, int step, int lane)
{
    int byte = step * STEP_BYTES + lane % 4 * PIECE_BYTES;

    if (row < g.m && byte < g.row_bytes)
        return load16(g.a + (int64_t)row * g.row_bytes + byte);
    return words4{{0, 0, 0, 0}};
}

/* Grid: x blocks of 32 columns, y parts of k. */
template <class Weights, bool HIGH> SIMACC_KERNEL(SKINNY_THREADS, 2) skinny_gemm(gemm_args g)
{
    typedef typename Weights::sum sum_type;
    typedef skinny_unit<Weights> unit;
    sum_type *shared = (sum_type *)shared_memory();
    int lane = thread_index() % 32, warp = thread_index() / 32, column = block_x() * SKINNY_COLUMNS;
    int begin, end;
    sum_type sum[4][4] = {};
    unit now, next;

    split_steps(g.steps, Weights::SPLIT_UNIT, g.parts, block_y(), &begin, &end);
    int step = begin + warp * unit::STEPS;
    if (step < end)
        now.load(g, column, step, lane);
    while (step < end) {
        int following = step + SKINNY_WARPS * unit::STEPS;
        if (following < end)
            next.load(g, column, following, lane);
        now.prepare();
#pragma unroll
        for (int s = 0; s < unit::STEPS; s++) {
            words4 low = skinny_row(g, lane / 4, step + s, lane);
            words4 high = HIGH ? skinny_row(g, lane / 4 + 8, step + s, lane) : words4{{0, 0, 0, 0}};
#pragma unroll
            for (int j = 0; j < 4; j++) {
                uint32_t words[4];
                now.column_words(s, j, words);
                Weights::multiply(sum[j], low, high, 0, words);
                Weights::multiply(sum[j], low, high, 1, words);
            }
        }
        now = next;
        step = following;
    }

    /* [warp][row][column]; each thread adds up two outputs, of rows 0-7 and 8-15. */
    sum_type *mine = shared + warp * SKINNY_ROWS * SKINNY_COLUMNS;
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            mine[(lane / 4 + i / 2 * 8) * SKINNY_COLUMNS + 8 * j + lane % 4 * 2 + i % 2] = sum[j][i];
    barrier();
#pragma unroll
    for (int half = 0; half < (HIGH ? 2 : 1); half++) {
        int row = thread_index() / SKINNY_COLUMNS + 8 * half, c = thread_index() % SKINNY_COLUMNS;
        sum_type total = 0;
#pragma unroll
        for (int from = 0; from < SKINNY_WARPS; from++)
            total += shared[(from * SKINNY_ROWS + row) * SKINNY_COLUMNS + c];
        if (row >= g.m || column + c >= g.n)
            continue;
        if (g.parts > 1)
            ((sum_type *)g.partial)[((int64_t)block_y() * g.m + row) * g.out_stride + column + c] = total;
        else
            g.out[row * g.out_stride + column + c] = scaled_output(total, row, column + c, g);
    }
}

} // namespace simacc

#endif
