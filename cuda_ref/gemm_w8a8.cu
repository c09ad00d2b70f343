/* gemm_w8a8, impl "simacc" (SmoothQuant O1: a scale per token), "simacc_o2" (one per tensor, just measured,
 * in memory) and "simacc_o3" (one per tensor, known beforehand): int8 x int8 with int32 sums by mma.sync,
 * scaled to fp16 with the activation's scale and one per output channel before anything is written. Weights
 * are packed beforehand in the order in which tensor cores read them (kernels/layout.h), activations come row
 * by row. SmoothQuant itself has one scale per weight tensor. Own kernels: kernels/gemm_tile.cuh and, for up
 * to 16 rows, kernels/gemm_skinny.cuh. */
#include "kernels/gemm_run.cuh"

#include "gemm_w8a8.h"

namespace simacc
{

namespace
{

struct own_w8a8_job : w8a8_job {
    own_choice choices[OWN_CHOICES_MAX];
    gemm_sizes sizes;
    bool async;

    own_w8a8_job(const simacc_cuda_request *r, int scheme_, bool async_, int sms)
        : w8a8_job(r, scheme_, w8_bytes(r->n, r->k), gemm_sizes_of(8, r->m, r->n, r->k).out_stride),
          sizes(gemm_sizes_of(8, r->m, r->n, r->k)), async(async_)
    {
        ways = own_choices<weights_int8>(async, sms, m, n, sizes.steps, choices);
        work_bytes = own_work_bytes(choices, ways, m, out_stride);
    }

    void fill_weights(unsigned char *set, uint32_t seed, cudaStream_t stream) const override
    {
        launch_fill_w8({(uint32_t *)(set + w_place), w_seed(seed), n, k}, stream);
    }

    gemm_judge_args judge_args(const unsigned char *set, operand_kind kind, uint32_t seed) const override
    {
        gemm_judge_args g = w8a8_job::judge_args(set, kind, seed);

        g.weights = WEIGHTS_PACKED_INT8;
        return g;
    }

    bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t stream) const override
    {
        gemm_args g = {};

        g.a = set + a_place;
        g.w = set + w_place;
        g.row_scale = row_scale(set);
        g.tensor_scale = tensor_scale(set);
        g.static_scale = static_scale();
        g.column_scale = column_scale(set);
        g.out = (uint16_t *)(set + out_place);
        g.partial = work;
        g.out_stride = out_stride;
        g.m = (int)m;
        g.n = (int)n;
        g.row_bytes = (int)row_bytes;
        g.steps = (int)sizes.steps;
        g.parts = choices[way].parts;
        launch_own<weights_int8>(g, choices[way].tile, async, stream);
        return true;
    }
};

} // namespace

job *start_gemm_w8a8(simacc_cuda_session *session, const kernel_entry *entry,
                     const simacc_cuda_request *request, const message &to, simacc_cuda_status *status)
{
    if (!accept_product(request, to, status))
        return nullptr;
    return made_or_failed(new (std::nothrow) own_w8a8_job(request, entry->variant, has_async_copies(session),
                                                          session->device.sms),
                          to, status);
}

} // namespace simacc
