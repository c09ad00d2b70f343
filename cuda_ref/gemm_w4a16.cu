/* gemm_w4a16, impl "simacc": fp16 activations, int4 weights with an fp16 scale and zero point per 128 of k
 * (asymmetric, round-to-nearest codes as AWQ and GPTQ store them), fp32 sums, fp16 results. Weights are
 * packed in the order in which tensor cores read them (kernels/layout.h) and turned into fp16 in registers
 * (kernels/weights.cuh): a bandwidth-bound kernel for up to 16 rows (kernels/gemm_skinny.cuh), tiles above
 * (kernels/gemm_tile.cuh), both with k split among blocks where that fills the device. On sm_90 too: a
 * warp-group (wgmma) path is not built. */
#include "kernels/gemm_run.cuh"

#include "job.h"

namespace simacc
{

namespace
{

struct w4a16_job : gemm_job {
    int64_t m, n, k;
    gemm_sizes sizes;
    int64_t a_place, w_place, scale_place;
    own_choice choices[OWN_CHOICES_MAX];
    bool async;

    w4a16_job(const simacc_cuda_request *r, bool async_, int sms)
        : m(r->m), n(r->n), k(r->k), sizes(gemm_sizes_of(4, r->m, r->n, r->k)), async(async_)
    {
        set_layout set;

        a_place = set.place(sizes.a_bytes);
        w_place = set.place(sizes.w_bytes);
        scale_place = set.place(sizes.scale_bytes);
        out_bytes = sizes.out_bytes;
        out_place = set.place(out_bytes);
        set_bytes = set.bytes;
        outputs = m * n;
        work_per_output = k;
        macs = (double)outputs * (double)k;
        bytes = 2.0 * (double)m * (double)k + (double)n * (double)k * (0.5 + 4.0 / W4_GROUP) +
                2.0 * (double)outputs;
        ways = own_choices<weights_int4>(async, sms, m, n, sizes.steps, choices);
        work_bytes = own_work_bytes(choices, ways, m, sizes.out_stride);
    }

    void fill(unsigned char *set, operand_kind kind, uint32_t seed, cudaStream_t stream) const override
    {
        launch_fill({set + a_place, NUMBER_FP16, kind, 8, a_seed(seed), m, k, sizes.row_bytes / 2}, stream);
        launch_fill_w4(
            {(uint32_t *)(set + w_place), (uint32_t *)(set + scale_place), kind, w_seed(seed), n, k}, stream);
    }

    bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t stream) const override
    {
        gemm_args g = {};

        g.a = set + a_place;
        g.w = set + w_place;
        g.group_scale = (const uint32_t *)(set + scale_place);
        g.out = (uint16_t *)(set + out_place);
        g.partial = work;
        g.out_stride = sizes.out_stride;
        g.m = (int)m;
        g.n = (int)n;
        g.row_bytes = (int)sizes.row_bytes;
        g.steps = (int)sizes.steps;
        g.parts = choices[way].parts;
        launch_own<weights_int4>(g, choices[way].tile, async, stream);
        return true;
    }

    gemm_judge_args judge_args(const unsigned char *set, operand_kind kind, uint32_t seed) const override
    {
        gemm_judge_args g = {};

        g.a = set + a_place;
        g.out = set + out_place;
        g.a_type = NUMBER_FP16;
        g.out_type = NUMBER_FP16;
        g.weights = WEIGHTS_PACKED_INT4;
        g.w_seed = w_seed(seed);
        g.kind = kind;
        g.m = m;
        g.n = n;
        g.k = k;
        g.batch = 1;
        g.a_stride = sizes.row_bytes / 2;
        g.out_stride = sizes.out_stride;
        return g;
    }
};

} // namespace

job *start_gemm_w4a16(simacc_cuda_session *session, const kernel_entry *, const simacc_cuda_request *request,
                      const message &to, simacc_cuda_status *status)
{
    if (!accept_product(request, to, status))
        return nullptr;
    return made_or_failed(
        new (std::nothrow) w4a16_job(request, has_async_copies(session), session->device.sms), to, status);
}

} // namespace simacc
