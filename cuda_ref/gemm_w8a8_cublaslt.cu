/* gemm_w8a8, impl "cublaslt": int8 x int8 -> int32 by cuBLASLt (tensor-core kernels by its heuristics,
 * workspace of 32 MiB), then a kernel of ours that scales to fp16 with a scale per token and one per output
 * channel. Both are timed: the library has no epilogue with two scales and fp16 results. n and k are padded
 * to 16 with zeros. */
#include "kernels/gemm_args.cuh"

#include "gemm_w8a8.h"

namespace simacc
{

namespace
{

struct cublaslt_w8a8_job : w8a8_job {
    cublaslt_plan *plan = nullptr;

    explicit cublaslt_w8a8_job(const simacc_cuda_request *r)
        : w8a8_job(r, O1, round_up(r->n, 16) * round_up(r->k, 16), round_up(r->n, 16))
    {
        work_bytes = CUBLASLT_WORKSPACE_BYTES + sums_bytes();
    }

    ~cublaslt_w8a8_job() override
    {
        cublaslt_plan_free(plan);
    }

    cublaslt_shape shape() const
    {
        return {
            CUBLASLT_INT8_TO_INT32, m, out_stride, row_bytes, 1, row_bytes, row_bytes, out_stride, 0, 0, 0};
    }

    int64_t sums_bytes() const
    {
        return 4 * m * out_stride;
    }

    void fill_weights(unsigned char *set, uint32_t seed, cudaStream_t stream) const override
    {
        launch_fill({set + w_place, NUMBER_INT8, OPERANDS_EXACT, 0, w_seed(seed), n, k, row_bytes}, stream);
        if (out_stride > n)
            (void)cudaMemsetAsync(set + w_place + n * row_bytes, 0, (size_t)((out_stride - n) * row_bytes),
                                  stream);
    }

    bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t stream) const override
    {
        void *sums = work + CUBLASLT_WORKSPACE_BYTES;
        gemm_args g = {};

        if (!cublaslt_run(plan, way, set + a_place, set + w_place, sums, work, stream))
            return false;
        g.row_scale = row_scale(set);
        g.column_scale = column_scale(set);
        g.out = (uint16_t *)(set + out_place);
        g.partial = sums;
        g.out_stride = out_stride;
        g.m = (int)m;
        g.n = (int)n;
        g.parts = 1;
        SIMACC_LAUNCH(combine_parts<int>, combine_blocks(m, n), 1, COMBINE_THREADS, 0, stream, g);
        return true;
    }
};

} // namespace

job *start_gemm_w8a8_cublaslt(simacc_cuda_session *session, const kernel_entry *,
                              const simacc_cuda_request *request, const message &to,
                              simacc_cuda_status *status)
{
    if (!accept_product(request, to, status))
        return nullptr;
    return made_with_plan(session, new (std::nothrow) cublaslt_w8a8_job(request), to, status);
}

} // namespace simacc
