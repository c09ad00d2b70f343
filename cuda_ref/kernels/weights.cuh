/* The two kinds of weights, as the matrix kernels see them: how a step of 64 bytes of k gets into registers as
 * operands of the tensor core.
 *
 * weights_int8   rows of int8 as they are; sums in int32, exact (k up to 2^17: 127 * 127 * 2^17 < 2^31)
 * weights_int4   packed int4 with an fp16 scale and zero point per 128 of k (layout.h), turned into fp16 in
 *                registers; sums in fp32. (q - z) is exact in fp16, so a weight is rounded once, by its scale. */
#ifndef SIMACC_WEIGHTS_CUH
#define SIMACC_WEIGHTS_CUH

#include "gemm_args.cuh"
#include "mma.cuh"

namespace simacc
{

/* Scale and zero point of one column, ready for use: both halves hold the same number. */
struct w4_scale {
    uint32_t scale;        /* s, s */
    uint32_t minus_1024_z; /* -(1024 + z) */
    uint32_t minus_64_z;   /* -(64 + z) */
};

SIMACC_DEVICE w4_scale w4_prepare(uint32_t word)
{
    uint32_t zero = (word >> 16) * 0x10001u;
    w4_scale out;

    out.scale = (word & 0xffffu) * 0x10001u;
    out.minus_1024_z = half2_add(zero, 0x64006400u) ^ 0x80008000u;
    out.minus_64_z = half2_add(zero, 0x54005400u) ^ 0x80008000u;
    return out;
}

/* A word of 8 weights -> 4 registers of 2. A nibble q under the exponent of 1024 (0x6400) is the fp16 number
 * 1024 + q, four bits higher 1024 + 16 q, which an exact multiply-add by 1/16 (0x2c00) brings back. */
SIMACC_DEVICE void w4_dequantize(uint32_t word, const w4_scale &s, uint32_t (&out)[4])
{
    uint32_t upper = word >> 8;
    uint32_t p0 = (word & 0x000f000fu) | 0x64006400u, p1 = (word & 0x00f000f0u) | 0x64006400u;
    uint32_t p2 = (upper & 0x000f000fu) | 0x64006400u, p3 = (upper & 0x00f000f0u) | 0x64006400u;

    out[0] = half2_mul(half2_add(p0, s.minus_1024_z), s.scale);
    out[1] = half2_mul(half2_fma(p1, 0x2c002c00u, s.minus_64_z), s.scale);
    out[2] = half2_mul(half2_add(p2, s.minus_1024_z), s.scale);
    out[3] = half2_mul(half2_fma(p3, 0x2c002c00u, s.minus_64_z), s.scale);
}

struct weights_int8 {
    typedef int sum;
    enum { COLUMN_BYTES = STEP_BYTES, /* of a step, per column */
           SPLIT_UNIT = 4 };          /* steps: no part of k is shorter */

    SIMACC_DEVICE static void multiply(sum (&c)[4], const words4 &low, const words4 &high, int s,
                                       const uint32_t (&w)[4])
    {
        mma_s8(c, low.w[2 * s], high.w[2 * s], low.w[2 * s + 1], high.w[2 * s + 1], w[2 * s], w[2 * s + 1]);
    }

    /* Columns of one warp; `tiles` of 8. Nothing to remember between steps. */
    template <int tiles> struct columns {
        SIMACC_DEVICE void start(const gemm_args &, int, int)
        {
        }

        SIMACC_DEVICE void step(const gemm_args &, int)
        {
        }

        /* `at`: of the warp's columns in a step's rows of 64 bytes. */
        SIMACC_DEVICE void load(const unsigned char *at, int lane, uint32_t (&w)[tiles][4])
        {
#pragma unroll
            for (int j = 0; j < tiles; j++) {
                words4 v = load16(at + (8 * j + lane / 4) * STEP_BYTES + lane % 4 * PIECE_BYTES);
#pragma unroll
                for (int i = 0; i < 4; i++)
                    w[j][i] = v.w[i];
            }
        }
    };
};

struct weights_int4 {
    typedef float sum;
    enum { COLUMN_BYTES = W4_BLOCK_BYTES / W4_COLUMNS, SPLIT_UNIT = W4_STEPS_PER_GROUP };

    SIMACC_DEVICE static void multiply(sum (&c)[4], const words4 &low, const words4 &high, int s,
                                       const uint32_t (&w)[4])
    {
        mma_f16(c, low.w[2 * s], high.w[2 * s], low.w[2 * s + 1], high.w[2 * s + 1], w[2 * s], w[2 * s + 1]);
    }

    template <int tiles> struct columns {
        static_assert(tiles % 4 == 0, "whole packed blocks");
        enum { BLOCKS = tiles / 4 };
        const uint32_t *next_scales; /* of the lane, in the group after the current one */
        int64_t stride;              /* words from group to group */
        int block, blocks, groups, group;
        words4 words[BLOCKS]; /* of the next group */
        w4_scale scale[tiles];

        SIMACC_DEVICE void fetch()
        {
#pragma unroll
            for (int b = 0; b < BLOCKS; b++)
                if (group < groups && block + b < blocks)
                    words[b] = load16(next_scales + b * W4_COLUMNS);
            group++;
            next_scales += stride;
        }

        /* `column`: the warp's first, a multiple of 32; `begin`: its first step, that of a group. */
        SIMACC_DEVICE void start(const gemm_args &g, int column, int begin)
        {
            block = column / W4_COLUMNS;
            blocks = (g.n + W4_COLUMNS - 1) / W4_COLUMNS;
            groups = g.steps / W4_STEPS_PER_GROUP;
            group = begin / W4_STEPS_PER_GROUP;
            stride = (int64_t)blocks * W4_COLUMNS;
            next_scales = g.group_scale + (group * stride + block * W4_COLUMNS) + thread_index() % 32 / 4 * 4;
#pragma unroll
            for (int b = 0; b < BLOCKS; b++)
                words[b] = words4{{0, 0, 0, 0}};
            fetch();
        }

        SIMACC_DEVICE void step(const gemm_args &, int step_index)
        {
            if (step_index % W4_STEPS_PER_GROUP)
                return;
#pragma unroll
            for (int j = 0; j < tiles; j++)
                scale[j] = w4_prepare(words[j / 4].w[j % 4]);
            fetch();
        }

        /* `at`: the first of the warp's packed blocks of 512 bytes. */
        SIMACC_DEVICE void load(const unsigned char *at, int lane, uint32_t (&w)[tiles][4])
        {
#pragma unroll
            for (int b = 0; b < BLOCKS; b++) {
                words4 v = load16(at + b * W4_BLOCK_BYTES + lane * PIECE_BYTES);
#pragma unroll
                for (int j = 0; j < 4; j++)
                    w4_dequantize(v.w[j], scale[4 * b + j], w[4 * b + j]);
            }
        }
    };
};

} // namespace simacc

#endif
