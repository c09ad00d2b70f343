/* Tensor-core products of one size on all architectures. sm_75 composes m16n8k32 (int8) of four m8n8k16 and m16n8k16
 * (fp16) of two m16n8k8: their registers are the same ones, each of 8 rows and half of k. */
#ifndef SIMACC_MMA_CUH
#define SIMACC_MMA_CUH

#include "target.cuh"

namespace simacc
{

/* 16 x 8 x 32 of int8: a0 row g, a1 row g + 8 of the first 16 of k, a2, a3 of the other; w0, w1 column g; c0, c1
 * row g, columns 2t and 2t + 1, c2, c3 row g + 8. */
SIMACC_DEVICE void mma_s8(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                          uint32_t w1)
{
#if SIMACC_ASYNC
    mma_m16n8k32_s8(c, a0, a1, a2, a3, w0, w1);
#else
    mma_m8n8k16_s8(c[0], c[1], a0, w0);
    mma_m8n8k16_s8(c[2], c[3], a1, w0);
    mma_m8n8k16_s8(c[0], c[1], a2, w1);
    mma_m8n8k16_s8(c[2], c[3], a3, w1);
#endif
}

/* 16 x 8 x 16 of fp16 with fp32 sums, the same registers with 8 of k each. */
SIMACC_DEVICE void mma_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                           uint32_t w1)
{
#if SIMACC_ASYNC
    mma_m16n8k16_f16(c, a0, a1, a2, a3, w0, w1);
#else
    mma_m16n8k8_f16(c, a0, a1, w0);
    mma_m16n8k8_f16(c, a2, a3, w1);
#endif
}

} // namespace simacc

#endif
