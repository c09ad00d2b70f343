/* Matrix product for up to 16 rows, bound by reading the weights once: no shared memory on the way of the weights,
 * each of a block's 8 warps takes every eighth unit of k of the same 32 features, the weights go from DRAM straight
 * into the registers that the tensor core reads, and the warps' sums are added in the end, in their order.
 *
 * Rows of `a` are read from L1 and L2, where they stay. TOKENS: 1 or 2, eights of rows. */
#ifndef SIMACC_GEMM_SKINNY_CUH
#define SIMACC_GEMM_SKINNY_CUH

#include "weights.cuh"

namespace simacc
{

enum { SKINNY_WARPS = 8, SKINNY_THREADS = 32 * SKINNY_WARPS, SKINNY_ROWS = 16 };

/* Of a block: the sums of its warps, as words. */
SIMACC_BOTH int skinny_shared_bytes()
{
    return SKINNY_WARPS * SKINNY_ROWS * BLOCK_COLUMNS * 4;
}

/* What a warp reads of the weights at a time. */
template <class Weights> struct skinny_unit;

/* Two steps, 128 of k: 4 KiB. The last unit of all may have one step only. */
template <> struct skinny_unit<weights_int8> {
    enum { STEPS = 2 };
    words4 w[STEPS][4];

    SIMACC_DEVICE void load(const gemm_args &g, int block, int step, int lane)
    {
        const unsigned char *from = g.w + ((int64_t)block * g.steps + step) * W8_BLOCK_BYTES + lane * PIECE_BYTES;

#pragma unroll
        for (int s = 0; s < STEPS; s++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                w[s][i] = words4{{0, 0, 0, 0}};
                if (step + s < g.steps)
                    w[s][i] = load16_once(from + s * W8_BLOCK_BYTES + i * 32 * PIECE_BYTES);
            }
    }

    SIMACC_DEVICE void prepare()
    {
    }

    SIMACC_DEVICE void registers(int s, block_registers &out) const
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int r = 0; r < 4; r++)
                out.w[i / 2][i % 2][r] = w[s][i].w[r];
    }
};

/* A group of 128: 2 KiB, and the group's scales. */
template <> struct skinny_unit<weights_int4> {
    enum { STEPS = W4_STEPS_PER_GROUP };
    words4 w[STEPS], words;
    w4_scale scale[4];

    SIMACC_DEVICE void load(const gemm_args &g, int block, int step, int lane)
    {
        const unsigned char *from = g.w + ((int64_t)block * g.steps + step) * W4_BLOCK_BYTES + lane * PIECE_BYTES;

#pragma unroll
        for (int s = 0; s < STEPS; s++)
            w[s] = load16_once(from + s * W4_BLOCK_BYTES);
        words = load16_once(w4_scales_at(g, block, step / W4_STEPS_PER_GROUP));
    }

    SIMACC_DEVICE void prepare()
    {
#pragma unroll
        for (int j = 0; j < 4; j++)
            scale[j] = w4_prepare(words.w[j]);
    }

    SIMACC_DEVICE void registers(int s, block_registers &out) const
    {
        w4_dequantize_block(w[s], scale, out);
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

template <class Weights, int TOKENS>
SIMACC_DEVICE void skinny_multiply(const gemm_args &g, skinny_unit<Weights> &unit, int step, int lane,
                                   typename Weights::sum (&sum)[TOKENS][2][4])
{
    unit.prepare();
#pragma unroll
    for (int s = 0; s < skinny_unit<Weights>::STEPS; s++) {
        block_registers weights;
        words4 tokens[TOKENS];

#pragma unroll
        for (int i = 0; i < TOKENS; i++)
            tokens[i] = skinny_row(g, 8 * i + lane / 4, step + s, lane);
        unit.registers(s, weights);
#pragma unroll
        for (int i = 0; i < TOKENS; i++)
#pragma unroll
            for (int half = 0; half < 2; half++)
#pragma unroll
                for (int h = 0; h < 2; h++)
                    multiply(sum[i][h], weights.w[h][half], tokens[i].w[2 * half], tokens[i].w[2 * half + 1]);
    }
}

/* Grid: x blocks of 32 features, y parts of k. */
template <class Weights, int TOKENS> SIMACC_KERNEL(SKINNY_THREADS, 2) skinny_gemm(gemm_args g)
{
    typedef typename Weights::sum sum_type;
    enum { AHEAD = SKINNY_WARPS * skinny_unit<Weights>::STEPS };
    sum_type *shared = (sum_type *)shared_memory();
    int lane = thread_index() % 32, warp = thread_index() / 32, block = block_x();
    int begin, end;
    sum_type sum[TOKENS][2][4] = {};
    skinny_unit<Weights> even, odd; /* one is multiplied while the other is on its way */

    split_steps(g.steps, Weights::SPLIT_UNIT, g.parts, block_y(), &begin, &end);
    int step = begin + warp * skinny_unit<Weights>::STEPS;
    if (step < end)
        even.load(g, block, step, lane);
    while (step < end) {
        if (step + AHEAD < end)
            odd.load(g, block, step + AHEAD, lane);
        skinny_multiply<Weights, TOKENS>(g, even, step, lane, sum);
        step += AHEAD;
        if (step >= end)
            break;
        if (step + AHEAD < end)
            even.load(g, block, step + AHEAD, lane);
        skinny_multiply<Weights, TOKENS>(g, odd, step, lane, sum);
        step += AHEAD;
    }

    /* [warp][token][feature]; each thread adds up one output of each eight tokens. */
    sum_type *mine = shared + warp * SKINNY_ROWS * BLOCK_COLUMNS;
#pragma unroll
    for (int i = 0; i < TOKENS; i++)
#pragma unroll
        for (int h = 0; h < 2; h++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                mine[(8 * i + lane % 4 * 2 + c % 2) * BLOCK_COLUMNS + 16 * h + c / 2 * 8 + lane / 4] = sum[i][h][c];
    barrier();
#pragma unroll
    for (int i = 0; i < TOKENS; i++) {
        int row = 8 * i + thread_index() / BLOCK_COLUMNS, inner = thread_index() % BLOCK_COLUMNS;
        int column = block * BLOCK_COLUMNS + inner;
        sum_type total = 0;
#pragma unroll
        for (int from = 0; from < SKINNY_WARPS; from++)
            total += shared[(from * SKINNY_ROWS + row) * BLOCK_COLUMNS + inner];
        if (row >= g.m || column >= g.n)
            continue;
        if (g.parts > 1)
            ((sum_type *)g.partial)[((int64_t)block_y() * g.m + row) * g.out_stride + column] = total;
        else
            g.out[row * g.out_stride + column] = scaled_output(total, row, column, g);
    }
}

} // namespace simacc

#endif
