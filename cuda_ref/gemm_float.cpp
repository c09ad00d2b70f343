/* gemm_fp16, gemm_bf16, gemm_fp32, gemm_fp8, impl "cublaslt": out = a w^T with operands and results of that
 * format (fp8: e4m3 in, fp16 out) and fp32 sums, by cuBLASLt with a workspace of 32 MiB; the ways that its
 * heuristics suggest are tried, the fastest is kept. fp32 is fp32: no TF32. fp8 needs extents that are
 * multiples of 16: operands are padded with zeros, as a model would. */
#include "job.h"

namespace simacc
{

namespace
{

struct float_format {
    number_type in, out;
    int exact_range, multiple;
};

/* By cublaslt_format. Ranges keep exact sums exact: below 2^24 in units of fp32 sums, and about 2^11
 * with four standard deviations in those of FP8 tensor cores; and below 65504 in fp16. */
const float_format formats[] = {
    {NUMBER_FP16, NUMBER_FP16, 8, 1},
    {NUMBER_BF16, NUMBER_BF16, 8, 1},
    {NUMBER_FP32, NUMBER_FP32, 8, 1},
    {NUMBER_E4M3, NUMBER_FP16, 2, 16},
};

struct float_job : gemm_job {
    cublaslt_format cublaslt;
    float_format format;
    int64_t m, n, k, batch, rows, columns, depth; /* the last three padded */
    int64_t a_place, w_place;
    cublaslt_plan *plan = nullptr;

    float_job(cublaslt_format cublaslt_, const simacc_cuda_request *r)
        : cublaslt(cublaslt_), format(formats[cublaslt_]), m(r->m), n(r->n), k(r->k), batch(r->batch)
    {
        int64_t in = number_bytes(format.in), out = number_bytes(format.out);
        set_layout set;

        rows = round_up(m, format.multiple);
        columns = round_up(n, format.multiple);
        depth = round_up(k, format.multiple);
        a_place = set.place(batch * rows * depth * in);
        w_place = set.place(batch * columns * depth * in);
        out_bytes = batch * rows * columns * out;
        out_place = set.place(out_bytes);
        set_bytes = set.bytes;
        work_bytes = CUBLASLT_WORKSPACE_BYTES;
        outputs = batch * m * n;
        work_per_output = k;
        macs = (double)outputs * (double)k;
        bytes =
            (double)batch * ((double)(m + n) * (double)k * (double)in + (double)m * (double)n * (double)out);
        exact_only = format.in == NUMBER_E4M3;
    }

    ~float_job() override
    {
        cublaslt_plan_free(plan);
    }

    cublaslt_shape shape() const
    {
        return {cublaslt, rows,    columns,      depth,           batch,         depth,
                depth,    columns, rows * depth, columns * depth, rows * columns};
    }

    /* All products in one matrix: rows that only pad are zero like columns that do. */
    void fill(unsigned char *set, operand_kind kind, uint32_t seed, cudaStream_t stream) const override
    {
        for (int64_t b = 0; b < batch; b++) {
            int64_t in = number_bytes(format.in), a_at = b * rows * depth, w_at = b * columns * depth;
            uint32_t own = seed + 1000u * (uint32_t)b;

            if (rows > m)
                (void)cudaMemsetAsync(set + a_place + a_at * in, 0, (size_t)(rows * depth * in), stream);
            if (columns > n)
                (void)cudaMemsetAsync(set + w_place + w_at * in, 0, (size_t)(columns * depth * in), stream);
            launch_fill(
                {set + a_place + a_at * in, format.in, kind, format.exact_range, a_seed(own), m, k, depth},
                stream);
            launch_fill(
                {set + w_place + w_at * in, format.in, kind, format.exact_range, w_seed(own), n, k, depth},
                stream);
        }
    }

    bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t stream) const override
    {
        return cublaslt_run(plan, way, set + a_place, set + w_place, set + out_place, work, stream);
    }

    gemm_judge_args judge_args(const unsigned char *set, operand_kind kind, uint32_t) const override
    {
        gemm_judge_args g = {};

        g.a = set + a_place;
        g.w = set + w_place;
        g.out = set + out_place;
        g.a_type = g.w_type = format.in;
        g.out_type = format.out;
        g.weights = WEIGHTS_ROWS;
        g.kind = kind;
        g.m = m;
        g.n = n;
        g.k = k;
        g.batch = batch;
        g.a_stride = g.w_stride = depth;
        g.out_stride = columns;
        g.a_batch = rows * depth;
        g.w_batch = columns * depth;
        g.out_batch = rows * columns;
        return g;
    }
};

} // namespace

job *start_gemm_float(simacc_cuda_session *session, const kernel_entry *entry,
                      const simacc_cuda_request *request, const message &to, simacc_cuda_status *status)
{
    return made_with_plan(session, new (std::nothrow) float_job((cublaslt_format)entry->variant, request), to,
                          status);
}

} // namespace simacc
