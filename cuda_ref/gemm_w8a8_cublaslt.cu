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

struct library_w8a8_job : w8a8_job {
    cublaslt_plan *plan = nullptr;

    explicit library_w8a8_job(const simacc_cuda_request *r)
        : w8a8_job(r, 1, round_up(r->n, 16) * round_up(r->k, 16), round_up(r->n, 16))
    {
        work_bytes = CUBLASLT_WORKSPACE_BYTES + sums_bytes();
    }

    ~library_w8a8_job() override
    {
        cublaslt_plan_free(plan);
    }

    int64_t sums_bytes() const
    {
        return 4 * m * out_stride;
    }

    void fill_weights(unsigned char *set, uint32_t seed, cudaStream_t queue) const override
    {
        launch_fill({set + w_place, NUMBER_INT8, OPERANDS_EXACT, 0, w_seed(seed), n, k, row_bytes}, queue);
        if (out_stride > n)
            (void)cudaMemsetAsync(set + w_place + n * row_bytes, 0, (size_t)((out_stride - n) * row_bytes),
                                  queue);
    }

    bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t queue) const override
    {
        void *sums = work + CUBLASLT_WORKSPACE_BYTES;
        gemm_args g = {};

        if (!cublaslt_run(plan, way, set + a_place, set + w_place, sums, work, queue))
            return false;
        g.row_scale = row_scale(set);
        g.column_scale = column_scale(set);
        g.out = (uint16_t *)(set + out_place);
        g.partial = sums;
        g.out_stride = out_stride;
        g.m = (int)m;
        g.n = (int)n;
        g.parts = 1;
        SIMACC_LAUNCH(combine_parts<int>, combine_blocks(m, n), 1, 256, 0, queue, g);
        return true;
    }
};

} // namespace

job *start_gemm_w8a8_cublaslt(simacc_cuda_session *session, const kernel_entry *,
                              const simacc_cuda_request *request, const message &to,
                              simacc_cuda_status *status)
{
    library_w8a8_job *made;
    char why[160] = "out of host memory";

    if (request->batch != 1 || request->k > 1 << 17 || request->m > 1 << 22 || request->n > 1 << 22) {
        *status = fail(to, SIMACC_CUDA_UNSUPPORTED, "one product of k up to 2^17, m and n up to 2^22 only");
        return nullptr;
    }
    made = new (std::nothrow) library_w8a8_job(request);
    if (made) {
        cublaslt_shape shape = {CUBLASLT_INT8_TO_INT32,
                                made->m,
                                made->out_stride,
                                made->row_bytes,
                                1,
                                made->row_bytes,
                                made->row_bytes,
                                made->out_stride,
                                0,
                                0,
                                0};
        made->plan = cublaslt_plan_make(&session->cublaslt, &shape, &made->ways, why, sizeof why);
        if (made->plan)
            return made;
        delete made;
    }
    *status = fail(to, SIMACC_CUDA_UNSUPPORTED, "%s", why);
    return nullptr;
}

} // namespace simacc
