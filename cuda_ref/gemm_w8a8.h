/* What the two implementations of W8A8 share: int8 operands with SmoothQuant's scales, fp16 results. */
#ifndef SIMACC_GEMM_W8A8_H
#define SIMACC_GEMM_W8A8_H

#include "job.h"

namespace simacc
{

/* Rows of a padded with zeros to 16 bytes; w as the implementation wants it. */
struct w8a8_job : gemm_job {
    int64_t m, n, k, row_bytes, out_stride;
    int64_t a_place, w_place, row_scale_place, column_scale_place, tensor_scale_place;
    int scheme; /* activation_scheme */

    w8a8_job(const simacc_cuda_request *r, int scheme_, int64_t w_bytes, int64_t out_stride_)
        : m(r->m), n(r->n), k(r->k), row_bytes(round_up(r->k, 16)), out_stride(out_stride_), scheme(scheme_)
    {
        set_layout set;

        a_place = set.place(m * row_bytes);
        w_place = set.place(w_bytes);
        row_scale_place = set.place(4 * m);
        column_scale_place = set.place(4 * n);
        tensor_scale_place = set.place(4);
        out_bytes = 2 * m * out_stride;
        out_place = set.place(out_bytes);
        set_bytes = set.bytes;
        outputs = m * n;
        work_per_output = k;
        exact_only = true;
        macs = (double)outputs * (double)k;
        bytes = (double)(m + n) * (double)k + 2.0 * (double)outputs + 4.0 * (double)n +
                (scheme == O1 ? 4.0 * (double)m : 0);
    }

    static float static_scale()
    {
        return 0.0025f;
    }

    const float *row_scale(const unsigned char *set) const
    {
        return scheme == O1 ? (const float *)(set + row_scale_place) : nullptr;
    }

    const float *tensor_scale(const unsigned char *set) const
    {
        return scheme == O2 ? (const float *)(set + tensor_scale_place) : nullptr;
    }

    const float *column_scale(const unsigned char *set) const
    {
        return (const float *)(set + column_scale_place);
    }

    void fill(unsigned char *set, operand_kind kind, uint32_t seed, cudaStream_t stream) const override
    {
        launch_fill({set + a_place, NUMBER_INT8, kind, 0, a_seed(seed), m, k, row_bytes}, stream);
        fill_weights(set, seed, stream);
        launch_fill_scales((float *)(set + row_scale_place), a_seed(seed), m, stream);
        launch_fill_scales((float *)(set + column_scale_place), w_seed(seed), n, stream);
        launch_fill_scales((float *)(set + tensor_scale_place), seed, 1, stream);
    }

    virtual void fill_weights(unsigned char *set, uint32_t seed, cudaStream_t stream) const = 0;

    gemm_judge_args judge_args(const unsigned char *set, operand_kind kind, uint32_t seed) const override
    {
        gemm_judge_args g = {};

        g.a = set + a_place;
        g.w = set + w_place;
        g.out = set + out_place;
        g.a_type = g.w_type = NUMBER_INT8;
        g.out_type = NUMBER_FP16;
        g.kind = kind;
        g.w_seed = w_seed(seed);
        g.m = m;
        g.n = n;
        g.k = k;
        g.batch = 1;
        g.a_stride = g.w_stride = row_bytes;
        g.out_stride = out_stride;
        g.row_scale = row_scale(set);
        g.tensor_scale = tensor_scale(set);
        g.column_scale = column_scale(set);
        g.static_scale = static_scale();
        return g;
    }
};

} // namespace simacc

#endif
