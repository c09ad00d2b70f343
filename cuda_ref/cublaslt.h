/* cuBLASLt by dlopen: the plug-in loads, and its own kernels run, where the library is not installed. */
#ifndef SIMACC_CUBLASLT_H
#define SIMACC_CUBLASLT_H

#include <cuda_runtime_api.h>
#include <stdint.h>

namespace simacc
{

struct cublaslt_functions;

struct cublaslt_library {
    void *dl_handle;               /* of dlopen */
    void *handle;                  /* cublasLtHandle_t */
    cublaslt_functions *functions; /* NULL: not there, see why_not */
    char why_not[160];
};

/* Opens the library and a handle on the current device. */
void cublaslt_open(cublaslt_library *library);
void cublaslt_close(cublaslt_library *library);

enum cublaslt_format {
    CUBLASLT_FP16,
    CUBLASLT_BF16,
    CUBLASLT_FP32,
    CUBLASLT_E4M3_TO_FP16,
    CUBLASLT_INT8_TO_INT32
};

enum { CUBLASLT_WAYS_MAX = 8, CUBLASLT_WORKSPACE_BYTES = 32 << 20 };

/* out[m][n] = sum over k of a[m][k] * w[n][k], row-major; strides in elements, `batch` products apart by
 * `*_batch` elements. Sums are kept in 32 bits (int32 for int8), also those of parts of k. */
struct cublaslt_shape {
    cublaslt_format format;
    int64_t m, n, k, batch;
    int64_t a_stride, w_stride, out_stride, a_batch, w_batch, out_batch;
};

struct cublaslt_plan;

/* The library's heuristics for a shape, best first. *ways is how many; NULL: it has none for this device and
 * shape, and `why` says so. */
cublaslt_plan *cublaslt_plan_make(const cublaslt_library *library, const cublaslt_shape *shape, int *ways,
                                  char *why, int why_bytes);
void cublaslt_plan_free(cublaslt_plan *plan);

/* Queues one product; false: the library refuses this way. `workspace` has CUBLASLT_WORKSPACE_BYTES. */
bool cublaslt_run(const cublaslt_plan *plan, int way, const void *a, const void *w, void *out,
                  void *workspace, cudaStream_t stream);

} // namespace simacc

#endif
