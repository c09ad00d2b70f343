/* Launches of the kernels that prepare, judge and look at the clock. */
#include "kernels/judge.cuh"

#include "job.h"

namespace simacc
{

namespace
{

/* Enough blocks to fill any device; the kernels stride over what is left. */
unsigned stride_blocks(int64_t items)
{
    int64_t blocks = ceil_div(items, JUDGE_THREADS);

    return (unsigned)(blocks < 1 ? 1 : blocks > 4096 ? 4096 : blocks);
}

/* Both edges of the interval are at a tick of the timer, which may be as coarse as a microsecond. */
SIMACC_KERNEL(32, 1) probe_clock(clock_probe *out, unsigned least_ns)
{
    uint64_t first = timer_ns(), start, now;

    do
        start = timer_ns();
    while (start == first);
    int64_t begun = cycle_count();
    do
        now = timer_ns();
    while (now - start < least_ns);
    first = now;
    do
        now = timer_ns();
    while (now == first);
    out->cycles = (unsigned long long)(cycle_count() - begun);
    out->ns = now - start;
}

} // namespace

void launch_fill(const fill_args &g, cudaStream_t stream)
{
    SIMACC_LAUNCH(fill_numbers, stride_blocks(g.rows * g.stride), 1, JUDGE_THREADS, 0, stream, g);
}

void launch_fill_scales(float *to, uint32_t seed, int64_t count, cudaStream_t stream)
{
    SIMACC_LAUNCH(fill_scales, ceil_div(count, JUDGE_THREADS), 1, JUDGE_THREADS, 0, stream, to, seed, count);
}

void launch_fill_w8(const w8_fill_args &g, cudaStream_t stream)
{
    SIMACC_LAUNCH(fill_w8, stride_blocks(w8_bytes(g.n, g.k) / 4), 1, JUDGE_THREADS, 0, stream, g);
}

void launch_fill_w4(const w4_fill_args &g, cudaStream_t stream)
{
    SIMACC_LAUNCH(fill_w4, stride_blocks(w4_bytes(g.n, g.k) / 4), 1, JUDGE_THREADS, 0, stream, g);
}

void launch_judge_gemm(const gemm_judge_args &g, int64_t samples, verdict *v, cudaStream_t stream)
{
    SIMACC_LAUNCH(judge_gemm_samples, ceil_div(samples, JUDGE_THREADS), 1, JUDGE_THREADS, 0, stream, g,
                  samples, v);
}

void launch_judge_rows(const row_judge_args &g, int64_t samples, verdict *v, cudaStream_t stream)
{
    SIMACC_LAUNCH(judge_row_samples, ceil_div(samples, JUDGE_THREADS), 1, JUDGE_THREADS, 0, stream, g,
                  samples, v);
}

void launch_probe(clock_probe *out, unsigned least_ns, cudaStream_t stream)
{
    SIMACC_LAUNCH(probe_clock, 1, 1, 1, 0, stream, out, least_ns);
}

} // namespace simacc
