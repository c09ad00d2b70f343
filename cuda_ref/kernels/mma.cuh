/* Tensor-core products of one size on all architectures. sm_75 composes m16n8k32 (int8) of four m8n8k16 and m16n8k16
 * (fp16) of two m16n8k8: their registers are the same ones, each of 8 rows and half of k. */
#ifndef SIMACC_MMA_CUH
#define SIMACC_MMA_CUH

#include "target.cuh"

namespace simacc
{

/* 16 features x 8 tokens x 32 of int8. w[0]: feature g, w[1]: feature g + 8 of the first half of k, w[2], w[3] of the
 * other; a0, a1: token g; c: features g (0, 1) and g + 8 (2, 3) of tokens 2 t and 2 t + 1. */
SIMACC_DEVICE void multiply(int (&c)[4], const uint32_t (&w)[4], uint32_t a0, uint32_t a1)
{
#if SIMACC_ASYNC
    mma_m16n8k32_s8(c, w[0], w[1], w[2], w[3], a0, a1);
#else
    mma_m8n8k16_s8(c[0], c[1], w[0], a0);
    mma_m8n8k16_s8(c[2], c[3], w[1], a0);
    mma_m8n8k16_s8(c[0], c[1], w[2], a1);
    mma_m8n8k16_s8(c[2], c[3], w[3], a1);
#endif
}

/* 16 x 8 x 16 of fp16 with fp32 sums, the same registers with 8 of k each. */
SIMACC_DEVICE void multiply(float (&c)[4], const uint32_t (&w)[4], uint32_t a0, uint32_t a1)
{
#if SIMACC_ASYNC
    mma_m16n8k16_f16(c, w[0], w[1], w[2], w[3], a0, a1);
#else
    mma_m16n8k8_f16(c, w[0], w[1], a0);
    mma_m16n8k8_f16(c, w[2], w[3], a1);
#endif
}

} // namespace simacc

#endif
