/* The two kinds of packed weights (layout.h), as the matrix kernels see them: how 32 features x one step of k get into
 * registers, in the order of the tensor core's first operand.
 *
 * weights_int8   int8; sums in int32, exact (k up to 2^17: 127 * 127 * 2^17 < 2^31)
 * weights_int4   int4 with an fp16 scale and zero point per 128 of k, turned into fp16 in registers; sums in fp32.
 *                (q - z) is exact in fp16, so a weight is rounded once, by its scale. */
#ifndef SIMACC_WEIGHTS_CUH
#define SIMACC_WEIGHTS_CUH

#include "gemm_args.cuh"
#include "mma.cuh"

namespace simacc
{

/* Of 32 features and a step: [16 features][instruction][register]. */
struct block_registers {
    uint32_t w[2][2][4];
};

/* Scale and zero point of one feature, ready for use: both halves hold the same number. */
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

    out[0] = half2_mul(half2_add(masked_or(word, 0x000f000fu, 0x64006400u), s.minus_1024_z), s.scale);
    out[1] = half2_mul(half2_fma(masked_or(word, 0x00f000f0u, 0x64006400u), 0x2c002c00u, s.minus_64_z), s.scale);
    out[2] = half2_mul(half2_add(masked_or(upper, 0x000f000fu, 0x64006400u), s.minus_1024_z), s.scale);
    out[3] = half2_mul(half2_fma(masked_or(upper, 0x00f000f0u, 0x64006400u), 0x2c002c00u, s.minus_64_z), s.scale);
}

/* A lane's four words of a block. */
SIMACC_DEVICE void w4_dequantize_block(const words4 &words, const w4_scale (&scale)[4], block_registers &out)
{
#pragma unroll
    for (int j = 0; j < 4; j++) {
        uint32_t pairs[4];
        w4_dequantize(words.w[j], scale[j], pairs);
#pragma unroll
        for (int p = 0; p < 4; p++)
            out.w[j / 2][p / 2][p % 2 * 2 + j % 2] = pairs[p];
    }
}

/* A lane's scales of a block and group. */
SIMACC_DEVICE const uint32_t *w4_scales_at(const gemm_args &g, int block, int group)
{
    int64_t blocks = column_blocks(g.n);

    return g.group_scale + (group * blocks + block) * BLOCK_COLUMNS + thread_index() % 32 / 4 * 4;
}

struct weights_int8 {
    typedef int sum;
    enum {
        BLOCK_BYTES = W8_BLOCK_BYTES,
        SPLIT_UNIT = 4, /* steps: no part of k is shorter */
    };

    /* What a warp knows of its blocks between steps: nothing. */
    template <int blocks> struct columns {
        SIMACC_DEVICE void start(const gemm_args &, int, int)
        {
        }

        SIMACC_DEVICE void step(const gemm_args &, int)
        {
        }

        /* `at`: block b of the warp's, of this step. */
        SIMACC_DEVICE void load(const unsigned char *at, int, int lane, block_registers &out)
        {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                words4 v = load16(at + (32 * i + lane) * PIECE_BYTES);
#pragma unroll
                for (int r = 0; r < 4; r++)
                    out.w[i / 2][i % 2][r] = v.w[r];
            }
        }
    };
};

struct weights_int4 {
    typedef float sum;
    enum { BLOCK_BYTES = W4_BLOCK_BYTES, SPLIT_UNIT = W4_STEPS_PER_GROUP };

    /* The scales of the current group, and on their way those of the next. */
    template <int blocks> struct columns {
        words4 next[blocks];
        w4_scale scale[blocks][4];
        int block, block_end, group, group_end;

        SIMACC_DEVICE void fetch(const gemm_args &g)
        {
#pragma unroll
            for (int b = 0; b < blocks; b++)
                if (group < group_end && block + b < block_end)
                    next[b] = load16(w4_scales_at(g, block + b, group));
            group++;
        }

        /* `first`: the warp's first block; `begin`: its first step, that of a group. */
        SIMACC_DEVICE void start(const gemm_args &g, int first, int begin)
        {
            block = first;
            block_end = (int)column_blocks(g.n);
            group = begin / W4_STEPS_PER_GROUP;
            group_end = g.steps / W4_STEPS_PER_GROUP;
#pragma unroll
            for (int b = 0; b < blocks; b++)
                next[b] = words4{{0, 0, 0, 0}};
            fetch(g);
        }

        SIMACC_DEVICE void step(const gemm_args &g, int step_index)
        {
            if (step_index % W4_STEPS_PER_GROUP)
                return;
#pragma unroll
            for (int b = 0; b < blocks; b++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    scale[b][j] = w4_prepare(next[b].w[j]);
            fetch(g);
        }

        SIMACC_DEVICE void load(const unsigned char *at, int b, int lane, block_registers &out)
        {
            w4_dequantize_block(load16(at + lane * PIECE_BYTES), scale[b], out);
        }
    };
};

} // namespace simacc

#endif
