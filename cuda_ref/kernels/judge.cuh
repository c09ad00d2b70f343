/* The kernels around those that are timed: operands are filled, outputs judged, one element, word or sample
 * per thread, in blocks of JUDGE_THREADS. What they compute is in operands.h and judge.h. */
#ifndef SIMACC_JUDGE_CUH
#define SIMACC_JUDGE_CUH

#include "judge.h"
#include "target.cuh"

namespace simacc
{

enum { JUDGE_THREADS = 256 };

/* The thread's number in the grid, and how many there are. */
SIMACC_DEVICE int64_t judge_index()
{
    return (int64_t)block_x() * JUDGE_THREADS + thread_index();
}

SIMACC_DEVICE int64_t judge_stride()
{
    return (int64_t)grid_x() * JUDGE_THREADS;
}

SIMACC_KERNEL(JUDGE_THREADS, 1) fill_numbers(fill_args g)
{
    int64_t stride = judge_stride();

    for (int64_t i = judge_index(); i < g.rows * g.stride; i += stride)
        fill_one(g, i);
}

SIMACC_KERNEL(JUDGE_THREADS, 1) fill_scales(float *to, uint32_t seed, int64_t count)
{
    int64_t i = judge_index();

    if (i < count)
        to[i] = operand_scale(seed, i);
}

SIMACC_KERNEL(JUDGE_THREADS, 1) fill_w8(w8_fill_args g)
{
    int64_t stride = judge_stride(), words = w8_bytes(g.n, g.k) / 4;

    for (int64_t i = judge_index(); i < words; i += stride)
        w8_fill_word(g, i);
}

SIMACC_KERNEL(JUDGE_THREADS, 1) fill_w4(w4_fill_args g)
{
    int64_t stride = judge_stride(), start = judge_index();
    int64_t words = w4_bytes(g.n, g.k) / 4, scales = w4_scale_words(g.n, g.k);

    for (int64_t i = start; i < words; i += stride)
        w4_fill_word(g, i);
    for (int64_t i = start; i < scales; i += stride)
        w4_fill_scale(g, i);
}

SIMACC_DEVICE void pass_verdict(const judgement &j, verdict *v)
{
    if (is_wrong(j))
        atomic_add(&v->wrong, 1);
    atomic_max(&v->worst_frac_bits, float_bits(error_frac(j)));
    float distance = (float)fabs(j.got - j.wanted);
    atomic_max(&v->worst_abs_bits, float_bits(distance == distance ? distance : INFINITY));
}

/* One sample per thread. */
SIMACC_KERNEL(JUDGE_THREADS, 1) judge_gemm_samples(gemm_judge_args g, int64_t samples, verdict *v)
{
    int64_t sample = judge_index();

    if (sample < samples)
        pass_verdict(judge_gemm(g, sample, samples), v);
}

SIMACC_KERNEL(JUDGE_THREADS, 1) judge_row_samples(row_judge_args g, int64_t samples, verdict *v)
{
    int64_t sample = judge_index();

    if (sample < samples)
        pass_verdict(judge_rows(g, sample, samples), v);
}

} // namespace simacc

#endif
