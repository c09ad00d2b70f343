/* A session of the plug-in: one device, its stream, one piece of its memory, what measures it, and the
 * kernels. */
#ifndef SIMACC_SESSION_H
#define SIMACC_SESSION_H

#include "simacc_cuda.h"

#include "cublaslt.h"
#include "nvml.h"

#include <cuda_runtime_api.h>

namespace simacc
{

/* Where a message goes; cut to fit. */
struct message {
    char *text;
    size_t bytes;
};

/* Writes the message and returns `status`. */
simacc_cuda_status fail(const message &to, simacc_cuda_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What an error of the runtime means: no memory, or a failure with its name. */
simacc_cuda_status fail_cuda(const message &to, cudaError_t error, const char *what);

struct job;
struct kernel_entry;

/* Makes a job for a shape; NULL and a status where the kernel cannot do it. */
typedef job *job_start(simacc_cuda_session *session, const kernel_entry *entry,
                       const simacc_cuda_request *request, const message &to, simacc_cuda_status *status);

/* Rows of the table of kernels (kernels.cpp). */
struct kernel_entry {
    simacc_cuda_kernel info;
    job_start *start;
    int variant; /* for `start`: a cublaslt_format, an activation scheme (job.h), from a graph */
    /* NULL: on every device. Otherwise why not, or NULL. */
    const char *(*why_not)(const simacc_cuda_session *session);
};

enum { KERNELS_MAX = 32 };

} // namespace simacc

struct simacc_cuda_session {
    int index;
    simacc_cuda_device device;
    cudaStream_t stream;
    cudaEvent_t events[2];
    simacc::nvml_device nvml;
    simacc::cublaslt_library cublaslt;
    unsigned char *memory; /* all operands */
    int64_t memory_bytes;
    unsigned char *small; /* verdicts and clock probes, on the device and in pinned memory of the host */
    unsigned char *small_host;
    double idle_w; /* NaN until it has been measured */
    simacc_cuda_kernel kernels[simacc::KERNELS_MAX];
    const simacc::kernel_entry *entries[simacc::KERNELS_MAX];
    int kernel_count;
};

namespace simacc
{

enum { SMALL_BYTES = 4096 };

inline bool has_async_copies(const simacc_cuda_session *session)
{
    return session->device.sm >= 80;
}

/* session.cpp */
simacc_cuda_status session_open(int index, simacc_cuda_session **out, const message &to);
void session_close(simacc_cuda_session *session);
/* At least `bytes` at session->memory; what was there is lost. */
simacc_cuda_status session_reserve(simacc_cuda_session *session, int64_t bytes, const message &to);

/* kernels.cpp: fills the session's table. */
void list_kernels(simacc_cuda_session *session);

} // namespace simacc

#endif
