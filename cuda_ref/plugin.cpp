/* The interface of the plug-in (simacc_cuda.h): checks a request, runs the check, then the clock. */
#include "timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef SIMACC_CUDA_BUILD
#define SIMACC_CUDA_BUILD "CUDA"
#endif

namespace simacc
{

namespace
{

enum {
    JUDGED_WORK = 1 << 27, /* elements read by references, when not all outputs are judged */
    JUDGED_LEAST = 1024,
    HOST_WORK = 1 << 16, /* up to here the host judges too */
    L2_MULTIPLE = 4,     /* sets hold this many L2s together */
    SETS_MAX = 256,      /* of operands so small that a model's stay in the L2 too */
};

int find_kernel(const simacc_cuda_session *s, const simacc_cuda_request *r)
{
    for (int i = 0; i < s->kernel_count; i++)
        if (strcmp(s->kernels[i].name, r->kernel) == 0 &&
            (r->impl ? strcmp(s->kernels[i].impl, r->impl) == 0 : s->kernels[i].available))
            return i;
    return -1;
}

/* Elements. Up to 10^12 of them no count of bytes, places or products overflows. */
double largest_operand(const simacc_cuda_request *r, bool is_gemm)
{
    double m = (double)r->m, n = (double)r->n, k = is_gemm ? (double)r->k : 0;

    return (double)r->batch * fmax(m * n, fmax(m * k, n * k));
}

simacc_cuda_status check_request(const simacc_cuda_session *s, simacc_cuda_request *r, int *kernel,
                                 const message &to)
{
    const simacc_cuda_kernel *info;

    if (!r->kernel)
        return fail(to, SIMACC_CUDA_BAD_ARGUMENT, "no kernel is named");
    *kernel = find_kernel(s, r);
    if (*kernel < 0)
        return fail(to, SIMACC_CUDA_BAD_ARGUMENT, "no kernel '%.60s' of implementation '%.60s'", r->kernel,
                    r->impl ? r->impl : "any");
    info = &s->kernels[*kernel];
    if (!info->available)
        return fail(to, SIMACC_CUDA_UNSUPPORTED, "%s", info->why_not);
    if (r->batch == 0)
        r->batch = 1;
    if (r->m < 1 || r->n < 1 || r->batch < 1 || (info->is_gemm && r->k < 1) || r->m > INT32_MAX ||
        r->n > INT32_MAX || r->k > INT32_MAX || r->batch > 65535 || largest_operand(r, info->is_gemm) > 1e12)
        return fail(to, SIMACC_CUDA_BAD_ARGUMENT, "a shape of no elements, or of too many");
    return SIMACC_CUDA_OK;
}

/* More than the L2 holds, so that a call finds its operands where a model's layer does: in DRAM. */
int sets_for(const simacc_cuda_session *s, const job &j, bool timed)
{
    double wanted = ceil(L2_MULTIPLE * s->device.l2_bytes / (double)j.set_bytes) + 1;

    return !timed ? 1 : wanted > SETS_MAX ? (int)SETS_MAX : wanted < 2 ? 2 : (int)wanted;
}

/* As many sets as fit, at least one. */
simacc_cuda_status place(simacc_cuda_session *s, const job &j, bool timed, job_memory *memory,
                         const message &to)
{
    int64_t work = round_up(j.work_bytes > 0 ? j.work_bytes : 1, SET_ALIGNMENT);
    simacc_cuda_status status = SIMACC_CUDA_NO_MEMORY;

    for (int sets = sets_for(s, j, timed); sets >= 1 && status == SIMACC_CUDA_NO_MEMORY; sets /= 2) {
        status = session_reserve(s, sets * j.set_bytes + work, to);
        memory->sets = sets;
    }
    memory->base = s->memory;
    memory->work = s->memory ? s->memory + memory->sets * j.set_bytes : nullptr;
    return status;
}

/* ---- the check -------------------------------------------------------------------------------------- */

struct findings {
    int64_t outputs, wrong;
    double error_frac, error_abs;
};

void add_host_findings(const job &j, const unsigned char *set, operand_kind kind, uint32_t seed, findings *f)
{
    for (int64_t i = 0; i < j.outputs; i++) {
        judgement one = j.judge_host(set, kind, seed, i, j.outputs);

        f->wrong += is_wrong(one);
        f->error_frac = fmax(f->error_frac, (double)error_frac(one));
    }
    f->outputs += j.outputs;
}

double float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Runs one way on operands of one kind and judges it: on the device, and on the host too where that is
 * quick. */
simacc_cuda_status judge_way(simacc_cuda_session *s, const job &j, const job_memory &memory, int way,
                             operand_kind kind, uint32_t seed, findings *f, const message &to)
{
    int64_t samples = JUDGED_WORK / j.work_per_output;
    verdict *device = (verdict *)s->small, *host = (verdict *)s->small_host;
    unsigned char *set = memory.base;
    cudaError_t error;

    if (samples < JUDGED_LEAST)
        samples = JUDGED_LEAST;
    if (samples > j.outputs)
        samples = j.outputs;
    j.fill(set, kind, seed, s->stream);
    (void)cudaMemsetAsync(set + j.out_place, 0xff, (size_t)j.out_bytes, s->stream);
    (void)cudaMemsetAsync(device, 0, sizeof *device, s->stream);
    if (!j.launch(set, memory.work, way, s->stream)) {
        (void)cudaGetLastError();
        return fail(to, SIMACC_CUDA_UNSUPPORTED, "the library refuses");
    }
    j.judge(set, kind, seed, samples, device, s->stream);
    (void)cudaMemcpyAsync(host, device, sizeof *host, cudaMemcpyDeviceToHost, s->stream);
    error = cudaStreamSynchronize(s->stream);
    if (error == cudaSuccess)
        error = cudaGetLastError();
    if (error != cudaSuccess)
        return fail_cuda(to, error, "checking");
    f->outputs += samples;
    f->wrong += host->wrong;
    f->error_frac = fmax(f->error_frac, float_of(host->worst_frac_bits));
    f->error_abs = fmax(f->error_abs, float_of(host->worst_abs_bits));
    if (j.outputs * j.work_per_output <= HOST_WORK) {
        /* 16-byte pieces are read: aligned like the device's memory. */
        unsigned char *copy = (unsigned char *)aligned_alloc(SET_ALIGNMENT, (size_t)j.set_bytes);

        if (!copy)
            return fail(to, SIMACC_CUDA_FAILED, "out of host memory");
        error = cudaMemcpy(copy, set, (size_t)j.set_bytes, cudaMemcpyDeviceToHost);
        if (error == cudaSuccess)
            add_host_findings(j, copy, kind, seed, f);
        free(copy);
        if (error != cudaSuccess)
            return fail_cuda(to, error, "checking");
    }
    return SIMACC_CUDA_OK;
}

/* Ways `first` to `last` on random and on exact operands. Afterwards the first set is random again. */
simacc_cuda_status check_ways(simacc_cuda_session *s, const job &j, const job_memory &memory, int first,
                              int last, uint32_t seed, simacc_cuda_measurement *out, const message &to)
{
    const operand_kind kinds[] = {OPERANDS_RANDOM, OPERANDS_EXACT};
    findings all = {};
    simacc_cuda_status status = SIMACC_CUDA_OK;
    int judged = 0, way;

    for (way = first; way <= last && status == SIMACC_CUDA_OK; way++) {
        for (int i = j.exact_only ? 1 : 0; i < 2 && status == SIMACC_CUDA_OK; i++) {
            status = judge_way(s, j, memory, way, kinds[i], seed, &all, to);
            judged += status == SIMACC_CUDA_OK;
        }
        /* A way that the library offers but refuses is passed over, if another one is not. */
        if (status == SIMACC_CUDA_UNSUPPORTED && (judged || way < last))
            status = SIMACC_CUDA_OK;
        if (status == SIMACC_CUDA_OK && all.wrong) {
            status = fail(to, SIMACC_CUDA_WRONG_RESULT,
                          "%lld of %lld outputs are outside the bound, the worst by a factor of %g (way %d)",
                          (long long)all.wrong, (long long)all.outputs, all.error_frac, way);
            break;
        }
    }
    out->checked = all.outputs;
    out->error_frac = all.error_frac;
    out->error_abs = all.error_abs;
    j.fill(memory.base, OPERANDS_RANDOM, seed, s->stream);
    return status;
}

/* ---- measuring -------------------------------------------------------------------------------------- */

simacc_cuda_status run(simacc_cuda_session *s, const job &j, const simacc_cuda_request &r,
                       simacc_cuda_measurement *out, const message &to)
{
    bool timed = r.check != SIMACC_CUDA_CHECK_ONLY, sustained = r.regime == SIMACC_CUDA_SUSTAINED;
    double timed_s = r.timed_s > 0 ? r.timed_s : sustained ? 2 : 0.03, call_us = 0;
    uint32_t seed = (uint32_t)(r.seed ^ r.seed >> 32);
    job_memory memory = {};
    int way = 0;
    simacc_cuda_status status = place(s, j, timed, &memory, to);
    cudaError_t error;

    if (status != SIMACC_CUDA_OK)
        return status;
    for (int set = 0; set < memory.sets; set++)
        j.fill(memory.base + set * j.set_bytes, OPERANDS_RANDOM, seed, s->stream);
    error = cudaStreamSynchronize(s->stream);
    if (error == cudaSuccess)
        error = cudaGetLastError();
    if (error != cudaSuccess)
        return fail_cuda(to, error, "making operands");
    if (!timed)
        return j.judged ? check_ways(s, j, memory, 0, j.ways - 1, seed, out, to) : SIMACC_CUDA_OK;
    status = choose_way(s, j, memory, &way, &call_us, to);
    if (status == SIMACC_CUDA_OK && j.judged && r.check == SIMACC_CUDA_CHECKED)
        status = check_ways(s, j, memory, way, way, seed, out, to);
    if (status != SIMACC_CUDA_OK)
        return status;
    return sustained ? time_sustained(s, j, memory, way, call_us, timed_s, out, to)
                     : time_burst(s, j, memory, way, call_us, timed_s, out, to);
}

simacc_cuda_status measure(simacc_cuda_session *s, const simacc_cuda_request *request,
                           simacc_cuda_measurement *out, char *text, size_t text_bytes)
{
    message to = {text, text_bytes};
    simacc_cuda_request r = *request;
    simacc_cuda_status status;
    cudaError_t error;
    int kernel = 0;

    *out = {};
    out->latency_us = out->least_us = out->p90_us = out->spread_frac = NAN;
    out->clock_mhz = out->power_w = out->idle_w = out->energy_mj = out->temperature_c = NAN;
    status = check_request(s, &r, &kernel, to);
    if (status != SIMACC_CUDA_OK)
        return status;
    error = cudaSetDevice(s->index);
    if (error != cudaSuccess)
        return fail_cuda(to, error, "choosing the device");
    job *j = s->entries[kernel]->start(s, s->entries[kernel], &r, to, &status);
    if (!j)
        return status;
    out->bytes = j->bytes;
    out->macs = j->macs;
    status = run(s, *j, r, out, to);
    (void)cudaStreamSynchronize(s->stream);
    delete j;
    return status;
}

simacc_cuda_status open_session(int index, simacc_cuda_session **session, simacc_cuda_device *device,
                                char *text, size_t text_bytes)
{
    simacc_cuda_status status = session_open(index, session, {text, text_bytes});

    if (status == SIMACC_CUDA_OK)
        *device = (*session)->device;
    return status;
}

const simacc_cuda_kernel *kernels(const simacc_cuda_session *session, int *count)
{
    *count = session->kernel_count;
    return session->kernels;
}

} // namespace

} // namespace simacc

extern "C" __attribute__((visibility("default"))) const simacc_cuda_api *simacc_cuda_plugin(void)
{
    static const simacc_cuda_api api = {SIMACC_CUDA_ABI,       SIMACC_CUDA_BUILD, simacc::open_session,
                                        simacc::session_close, simacc::kernels,   simacc::measure};

    return &api;
}
