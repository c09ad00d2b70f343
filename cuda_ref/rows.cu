/* Jobs of the kernels over rows: softmax, rmsnorm, quantize (impl "simacc": a scale per token, SmoothQuant
 * O1; "simacc_o2": one per tensor, found first; "simacc_o3": one per tensor, known), residual, copy, and
 * empty (a launch that does nothing: "simacc" from the host one by one, "simacc_graph" from a graph). What
 * each kernel does is in kernels/. */
#include "kernels/copy.cuh"
#include "kernels/quantize.cuh"
#include "kernels/residual.cuh"
#include "kernels/rmsnorm.cuh"
#include "kernels/softmax.cuh"

#include "job.h"

namespace simacc
{

namespace
{

SIMACC_KERNEL(32, 1) do_nothing()
{
}

/* Launches `kernel`<32> for short rows, <256> for others. */
#define LAUNCH_ROWS(kernel, g, stream)                                                                       \
    do {                                                                                                     \
        if ((g).n <= SHORT_ROW)                                                                              \
            SIMACC_LAUNCH(kernel<32>, row_blocks((g).m, 32), 1, ROW_THREADS, ROW_SHARED_BYTES, stream, g);   \
        else                                                                                                 \
            SIMACC_LAUNCH(kernel<256>, row_blocks((g).m, 256), 1, ROW_THREADS, ROW_SHARED_BYTES, stream, g); \
    } while (0)

struct rows_job : row_job {
    row_kernel kernel;
    int scheme; /* activation_scheme, of quantization; else 0 */
    int64_t m, n, stride, quantized_stride;
    int64_t in_place, in2_place, weight_place, scale_place, largest_place;

    rows_job(row_kernel kernel_, int scheme_, const simacc_cuda_request *r)
        : kernel(kernel_), scheme(scheme_), m(r->m), n(r->n), stride(round_up(r->n, ROW_PIECE)),
          quantized_stride(round_up(r->n, 16))
    {
        double elements = (double)m * (double)n;
        set_layout set;

        in_place = set.place(2 * m * stride);
        in2_place = set.place(kernel == ROW_RESIDUAL ? 2 * m * stride : 0);
        weight_place = set.place(kernel == ROW_RMSNORM ? 2 * stride : 0);
        scale_place = set.place(kernel == ROW_QUANTIZE ? 4 * m : 0);
        largest_place = set.place(4);
        out_bytes = kernel == ROW_QUANTIZE ? m * quantized_stride : 2 * m * stride;
        out_place = set.place(out_bytes);
        set_bytes = set.bytes;
        outputs = m * n;
        work_per_output = kernel == ROW_RESIDUAL || kernel == ROW_COPY ? 1 : n;
        bytes = elements * (kernel == ROW_RESIDUAL ? 6 : kernel == ROW_QUANTIZE ? 3 : 4);
    }

    static float static_scale()
    {
        return 0.03125f;
    }

    /* rms_norm_eps of Llama-2 and Mistral. */
    static float epsilon()
    {
        return 1e-5f;
    }

    void fill(unsigned char *set, operand_kind kind, uint32_t seed, cudaStream_t stream) const override
    {
        launch_fill({set + in_place, NUMBER_FP16, kind, 8, a_seed(seed), m, n, stride}, stream);
        if (kernel == ROW_RESIDUAL)
            launch_fill({set + in2_place, NUMBER_FP16, kind, 8, w_seed(seed), m, n, stride}, stream);
        if (kernel == ROW_RMSNORM)
            launch_fill({set + weight_place, NUMBER_FP16, kind, 8, w_seed(seed), 1, n, stride}, stream);
    }

    bool launch(unsigned char *set, unsigned char *, int, cudaStream_t stream) const override
    {
        row_args g = {};

        g.in = (const uint16_t *)(set + in_place);
        g.in2 = (const uint16_t *)(set + in2_place);
        g.weight = (const uint16_t *)(set + weight_place);
        g.out = (uint16_t *)(set + out_place);
        g.quantized = (int8_t *)(set + out_place);
        g.row_scale = (float *)(set + scale_place);
        g.static_scale = static_scale();
        g.epsilon = epsilon();
        g.stride = stride;
        g.quantized_stride = quantized_stride;
        g.m = (int)m;
        g.n = (int)n;
        switch (kernel) {
        case ROW_SOFTMAX:
            LAUNCH_ROWS(softmax_rows, g, stream);
            break;
        case ROW_RMSNORM:
            LAUNCH_ROWS(rmsnorm_rows, g, stream);
            break;
        case ROW_QUANTIZE:
            if (scheme == O1) {
                LAUNCH_ROWS(quantize_rows, g, stream);
                break;
            }
            if (scheme == O2) {
                g.largest = (uint32_t *)(set + largest_place);
                (void)cudaMemsetAsync(g.largest, 0, sizeof *g.largest, stream);
                LAUNCH_ROWS(largest_of_tensor, g, stream);
            }
            LAUNCH_ROWS(quantize_tensor, g, stream);
            break;
        case ROW_RESIDUAL:
            SIMACC_LAUNCH(residual_rows, ceil_div(m * (stride / ROW_PIECE), ROW_THREADS), 1, ROW_THREADS, 0,
                          stream, g);
            break;
        default: {
            int64_t pieces = m * stride / ROW_PIECE, blocks = ceil_div(pieces, 4 * ROW_THREADS);
            const unsigned char *from = set + in_place;
            unsigned char *to = set + out_place;
            SIMACC_LAUNCH(copy_pieces, blocks > 8192 ? 8192 : blocks, 1, ROW_THREADS, 0, stream, from, to,
                          pieces);
            break;
        }
        }
        return true;
    }

    row_judge_args judge_args(const unsigned char *set) const override
    {
        row_judge_args g = {};

        g.kernel = kernel;
        g.in = (const uint16_t *)(set + in_place);
        g.in2 = (const uint16_t *)(set + in2_place);
        g.weight = (const uint16_t *)(set + weight_place);
        g.out = (const uint16_t *)(set + out_place);
        g.quantized = (const int8_t *)(set + out_place);
        g.row_scale = scheme == O1 ? (const float *)(set + scale_place) : nullptr;
        g.largest = scheme == O2 ? (const uint32_t *)(set + largest_place) : nullptr;
        g.static_scale = static_scale();
        g.epsilon = epsilon();
        g.m = m;
        g.n = n;
        g.stride = stride;
        g.quantized_stride = quantized_stride;
        return g;
    }
};

/* Two-pass kernels put m blocks on the grid; rows and elements are ints in the kernels. */
job *start_rows(row_kernel kernel, int scheme, const simacc_cuda_request *request, const message &to,
                simacc_cuda_status *status)
{
    if (request->m > 1 << 24 || request->n > 1 << 24 || request->batch != 1) {
        *status = fail(to, SIMACC_CUDA_UNSUPPORTED, "up to 2^24 rows of up to 2^24 elements only");
        return nullptr;
    }
    return made_or_failed(new (std::nothrow) rows_job(kernel, scheme, request), to, status);
}

struct empty_job : job {
    explicit empty_job(bool from_host_)
    {
        set_bytes = SET_ALIGNMENT;
        judged = false;
        from_host = from_host_;
    }

    void fill(unsigned char *, operand_kind, uint32_t, cudaStream_t) const override
    {
    }

    bool launch(unsigned char *, unsigned char *, int, cudaStream_t stream) const override
    {
        SIMACC_LAUNCH(do_nothing, 1, 1, 32, 0, stream);
        return true;
    }

    void judge(const unsigned char *, operand_kind, uint32_t, int64_t, verdict *, cudaStream_t) const override
    {
    }

    judgement judge_host(const unsigned char *, operand_kind, uint32_t, int64_t, int64_t) const override
    {
        return {0, 0, 0};
    }
};

} // namespace

job *start_softmax(simacc_cuda_session *, const kernel_entry *, const simacc_cuda_request *request,
                   const message &to, simacc_cuda_status *status)
{
    return start_rows(ROW_SOFTMAX, 0, request, to, status);
}

job *start_rmsnorm(simacc_cuda_session *, const kernel_entry *, const simacc_cuda_request *request,
                   const message &to, simacc_cuda_status *status)
{
    return start_rows(ROW_RMSNORM, 0, request, to, status);
}

job *start_quantize(simacc_cuda_session *, const kernel_entry *entry, const simacc_cuda_request *request,
                    const message &to, simacc_cuda_status *status)
{
    return start_rows(ROW_QUANTIZE, entry->variant, request, to, status);
}

job *start_residual(simacc_cuda_session *, const kernel_entry *, const simacc_cuda_request *request,
                    const message &to, simacc_cuda_status *status)
{
    return start_rows(ROW_RESIDUAL, 0, request, to, status);
}

job *start_copy(simacc_cuda_session *, const kernel_entry *, const simacc_cuda_request *request,
                const message &to, simacc_cuda_status *status)
{
    return start_rows(ROW_COPY, 0, request, to, status);
}

job *start_empty(simacc_cuda_session *, const kernel_entry *entry, const simacc_cuda_request *,
                 const message &to, simacc_cuda_status *status)
{
    return made_or_failed(new (std::nothrow) empty_job(entry->variant == 0), to, status);
}

} // namespace simacc
