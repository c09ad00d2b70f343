/* A job: one kernel at one shape, ready to be filled, launched and judged. Its operands and results are a
 * set, one piece of memory; several sets, launched in turn, keep the caches from holding what a model would
 * not find there. */
#ifndef SIMACC_JOB_H
#define SIMACC_JOB_H

#include "kernels/judge.h"
#include "session.h"

#include <new>

namespace simacc
{

enum { SET_ALIGNMENT = 256 };

/* Places in a set, each aligned. */
struct set_layout {
    int64_t bytes = 0;

    int64_t place(int64_t size)
    {
        int64_t at = bytes;
        bytes += round_up(size > 0 ? size : 1, SET_ALIGNMENT);
        return at;
    }
};

struct job {
    int64_t set_bytes = 0;
    int64_t work_bytes = 0;                   /* scratch that all sets share */
    int64_t out_place = 0, out_bytes = 0;     /* results in a set: overwritten with noise before a check */
    int64_t outputs = 0, work_per_output = 1; /* for choosing how many to judge: elements read for one */
    double bytes = 0, macs = 0;               /* of one call */
    int ways = 1;                             /* of running it, best guess first */
    bool judged = true;                       /* there is something to judge */
    bool exact_only = false; /* random operands are not judged: integers anyway, or no bound is known */
    bool from_host = false;  /* launched one by one, never from a graph */

    virtual ~job()
    {
    }

    virtual void fill(unsigned char *set, operand_kind kind, uint32_t seed, cudaStream_t stream) const = 0;
    /* Queues one call; false: this way cannot run it. Errors of launches are left to the runtime. */
    virtual bool launch(unsigned char *set, unsigned char *work, int way, cudaStream_t stream) const = 0;
    virtual void judge(const unsigned char *set, operand_kind kind, uint32_t seed, int64_t samples,
                       verdict *v, cudaStream_t stream) const = 0;
    /* One output of a set that was copied to the host. */
    virtual judgement judge_host(const unsigned char *set, operand_kind kind, uint32_t seed, int64_t sample,
                                 int64_t samples) const = 0;
};

/* launch.cu: queues the kernels that prepare and judge. */
void launch_fill(const fill_args &g, cudaStream_t stream);
void launch_fill_scales(float *to, uint32_t seed, int64_t count, cudaStream_t stream);
void launch_fill_w8(const w8_fill_args &g, cudaStream_t stream);
void launch_fill_w4(const w4_fill_args &g, cudaStream_t stream);
void launch_judge_gemm(const gemm_judge_args &g, int64_t samples, verdict *v, cudaStream_t stream);
void launch_judge_rows(const row_judge_args &g, int64_t samples, verdict *v, cudaStream_t stream);
/* Cycles and nanoseconds that `out` gets: the SM clock, over at least `least_ns`. */
struct clock_probe {
    unsigned long long cycles, ns;
};
void launch_probe(clock_probe *out, unsigned least_ns, cudaStream_t stream);

/* A matrix product: its judgement needs only to know where things are. */
struct gemm_job : job {
    virtual gemm_judge_args judge_args(const unsigned char *set, operand_kind kind, uint32_t seed) const = 0;

    void judge(const unsigned char *set, operand_kind kind, uint32_t seed, int64_t samples, verdict *v,
               cudaStream_t stream) const override
    {
        launch_judge_gemm(judge_args(set, kind, seed), samples, v, stream);
    }

    judgement judge_host(const unsigned char *set, operand_kind kind, uint32_t seed, int64_t sample,
                         int64_t samples) const override
    {
        return judge_gemm(judge_args(set, kind, seed), sample, samples);
    }
};

/* Rows of fp16. */
struct row_job : job {
    virtual row_judge_args judge_args(const unsigned char *set) const = 0;

    void judge(const unsigned char *set, operand_kind, uint32_t, int64_t samples, verdict *v,
               cudaStream_t stream) const override
    {
        launch_judge_rows(judge_args(set), samples, v, stream);
    }

    judgement judge_host(const unsigned char *set, operand_kind, uint32_t, int64_t sample,
                         int64_t samples) const override
    {
        return judge_rows(judge_args(set), sample, samples);
    }
};

/* Seeds of a job's operands, from that of the request. */
inline uint32_t a_seed(uint32_t seed)
{
    return 4 * seed + 1;
}

inline uint32_t w_seed(uint32_t seed)
{
    return 4 * seed + 2;
}

/* Scales of int8 activations, as SmoothQuant names them (Xiao et al., ICML 2023, table 2): one per token; one
 * for the tensor, found at run time; one for the tensor, known beforehand. */
enum activation_scheme { O1 = 1, O2, O3 };

/* What the integer kernels can do: int32 sums hold 127 * 127 * k, and row and tile numbers 32 bits. False
 * with a status for other shapes. */
inline bool accept_product(const simacc_cuda_request *r, const message &to, simacc_cuda_status *status)
{
    if (r->batch == 1 && r->m <= 1 << 22 && r->n <= 1 << 22 && r->k <= 1 << 17)
        return true;
    *status = fail(to, SIMACC_CUDA_UNSUPPORTED, "one product of k up to 2^17, m and n up to 2^22 only");
    return false;
}

/* `made`, or NULL and a status where there was no memory for it. */
inline job *made_or_failed(job *made, const message &to, simacc_cuda_status *status)
{
    if (!made)
        *status = fail(to, SIMACC_CUDA_FAILED, "out of host memory");
    return made;
}

/* A job of cuBLASLt, which has a `shape`, with its `plan` and `ways`; NULL and a status where the library has
 * no kernel, or memory was short. */
template <class Job>
job *made_with_plan(const simacc_cuda_session *session, Job *made, const message &to,
                    simacc_cuda_status *status)
{
    char why[160] = "out of host memory";

    if (!made)
        return made_or_failed(made, to, status);
    cublaslt_shape shape = made->shape();
    made->plan = cublaslt_plan_make(&session->cublaslt, &shape, &made->ways, why, sizeof why);
    if (made->plan)
        return made;
    delete made;
    *status = fail(to, SIMACC_CUDA_UNSUPPORTED, "%s", why);
    return nullptr;
}

/* The starts of the table in kernels.cpp. */
job_start start_gemm_float, start_gemm_w8a8_cublaslt, start_gemm_w8a8, start_gemm_w4a16;
job_start start_softmax, start_rmsnorm, start_quantize, start_residual, start_copy, start_empty;

} // namespace simacc

#endif
