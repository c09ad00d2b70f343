#include "cublaslt.h"

#include <dlfcn.h>
#include <new>
#include <stdio.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<cublasLt.h>)
#define HAVE_CUBLASLT_HEADER 1
#endif
#endif

#if HAVE_CUBLASLT_HEADER

#include <cublasLt.h>

/* Where the toolkit had the library when the plug-in was built; "": only the linker's places are tried. */
#ifndef SIMACC_CUDA_LIBRARIES
#define SIMACC_CUDA_LIBRARIES ""
#endif

/* Versions are major * unit + ..., with another unit in old ones. */
enum { VERSION_UNIT = CUBLAS_VERSION >= 100000 ? 10000 : 1000 };

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

namespace simacc
{

struct cublaslt_functions {
    decltype(&cublasLtCreate) create;
    decltype(&cublasLtDestroy) destroy;
    decltype(&cublasLtGetVersion) version;
    decltype(&cublasLtMatmul) matmul;
    decltype(&cublasLtMatmulDescCreate) desc_create;
    decltype(&cublasLtMatmulDescDestroy) desc_destroy;
    decltype(&cublasLtMatmulDescSetAttribute) desc_set;
    decltype(&cublasLtMatrixLayoutCreate) layout_create;
    decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
    decltype(&cublasLtMatrixLayoutSetAttribute) layout_set;
    decltype(&cublasLtMatmulPreferenceCreate) preference_create;
    decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
    decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
    decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
};

struct cublaslt_plan {
    const cublaslt_functions *f;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, w, out;
    cublasLtMatmulHeuristicResult_t ways[CUBLASLT_WAYS_MAX];
    bool integers; /* in and out */
    bool wide_out; /* results have the 32 bits of the sums */
};

namespace
{

template <class Function> bool find(void *library, const char *name, Function *out)
{
    void *found = dlsym(library, name);

    memcpy(out, &found, sizeof *out);
    return found != nullptr;
}

bool find_all(void *library, cublaslt_functions *f)
{
    return find(library, "cublasLtCreate", &f->create) && find(library, "cublasLtDestroy", &f->destroy) &&
           find(library, "cublasLtGetVersion", &f->version) && find(library, "cublasLtMatmul", &f->matmul) &&
           find(library, "cublasLtMatmulDescCreate", &f->desc_create) &&
           find(library, "cublasLtMatmulDescDestroy", &f->desc_destroy) &&
           find(library, "cublasLtMatmulDescSetAttribute", &f->desc_set) &&
           find(library, "cublasLtMatrixLayoutCreate", &f->layout_create) &&
           find(library, "cublasLtMatrixLayoutDestroy", &f->layout_destroy) &&
           find(library, "cublasLtMatrixLayoutSetAttribute", &f->layout_set) &&
           find(library, "cublasLtMatmulPreferenceCreate", &f->preference_create) &&
           find(library, "cublasLtMatmulPreferenceDestroy", &f->preference_destroy) &&
           find(library, "cublasLtMatmulPreferenceSetAttribute", &f->preference_set) &&
           find(library, "cublasLtMatmulAlgoGetHeuristic", &f->heuristic);
}

void *load()
{
    const char name[] = "libcublasLt.so." TEXT_OF(CUBLAS_VER_MAJOR);
    char path[512];
    int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE; /* its kernels stay with the device's context */
    void *library = dlopen(name, flags);

    if (!library && *SIMACC_CUDA_LIBRARIES) {
        snprintf(path, sizeof path, "%s/%s", SIMACC_CUDA_LIBRARIES, name);
        library = dlopen(path, flags);
    }
    return library;
}

struct formats {
    cudaDataType_t in, out, scale;
    cublasComputeType_t compute;
};

formats formats_of(cublaslt_format format)
{
    switch (format) {
    case CUBLASLT_FP16:
        return {CUDA_R_16F, CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case CUBLASLT_BF16:
        return {CUDA_R_16BF, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case CUBLASLT_FP32:
        return {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case CUBLASLT_E4M3_TO_FP16:
        return {CUDA_R_8F_E4M3, CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    default:
        return {CUDA_R_8I, CUDA_R_32I, CUDA_R_32I, CUBLAS_COMPUTE_32I};
    }
}

/* A row-major matrix of rows x columns is a column-major one of columns x rows. */
bool make_layout(const cublaslt_functions *f, cublasLtMatrixLayout_t *out, cudaDataType_t type, int64_t rows,
                 int64_t columns, int64_t stride, int64_t batch, int64_t batch_stride)
{
    int32_t count = (int32_t)batch;

    if (f->layout_create(out, type, (uint64_t)columns, (uint64_t)rows, stride) != CUBLAS_STATUS_SUCCESS)
        return false;
    return batch == 1 || (f->layout_set(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count) ==
                              CUBLAS_STATUS_SUCCESS &&
                          f->layout_set(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &batch_stride,
                                        sizeof batch_stride) == CUBLAS_STATUS_SUCCESS);
}

/* The library thinks in columns: its first operand is w, transposed, its result out with n rows and m
 * columns. */
bool describe(cublaslt_plan *p, const cublaslt_shape *s)
{
    formats t = formats_of(s->format);
    cublasOperation_t transpose = CUBLAS_OP_T;

    return p->f->desc_create(&p->desc, t.compute, t.scale) == CUBLAS_STATUS_SUCCESS &&
           p->f->desc_set(p->desc, CUBLASLT_MATMUL_DESC_TRANSA, &transpose, sizeof transpose) ==
               CUBLAS_STATUS_SUCCESS &&
           make_layout(p->f, &p->w, t.in, s->n, s->k, s->w_stride, s->batch, s->w_batch) &&
           make_layout(p->f, &p->a, t.in, s->m, s->k, s->a_stride, s->batch, s->a_batch) &&
           make_layout(p->f, &p->out, t.out, s->m, s->n, s->out_stride, s->batch, s->out_batch);
}

int find_ways(cublaslt_plan *p)
{
    cublasLtMatmulPreference_t preference = nullptr;
    uint64_t workspace = CUBLASLT_WORKSPACE_BYTES;
    /* In place is in the output's type (cublasLt.h). */
    uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
                          (p->wide_out ? CUBLASLT_REDUCTION_SCHEME_INPLACE : CUBLASLT_REDUCTION_SCHEME_NONE);
    int found = 0, good = 0;

    if (p->f->preference_create(&preference) != CUBLAS_STATUS_SUCCESS)
        return 0;
    if (p->f->preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                             sizeof workspace) == CUBLAS_STATUS_SUCCESS &&
        p->f->preference_set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
                             sizeof reductions) == CUBLAS_STATUS_SUCCESS &&
        p->f->heuristic(p->handle, p->desc, p->w, p->a, p->out, p->out, preference, CUBLASLT_WAYS_MAX,
                        p->ways, &found) != CUBLAS_STATUS_SUCCESS)
        found = 0;
    for (int i = 0; i < found; i++)
        if (p->ways[i].state == CUBLAS_STATUS_SUCCESS)
            p->ways[good++] = p->ways[i];
    (void)p->f->preference_destroy(preference);
    return good;
}

} // namespace

void cublaslt_open(cublaslt_library *out)
{
    *out = {};
    void *library = load();
    if (!library) {
        snprintf(out->why_not, sizeof out->why_not, "libcublasLt.so.%d was not found", CUBLAS_VER_MAJOR);
        return;
    }
    cublaslt_functions *f = new (std::nothrow) cublaslt_functions();
    cublasLtHandle_t handle = nullptr;
    if (!f || !find_all(library, f) || f->version() / VERSION_UNIT != CUBLAS_VER_MAJOR ||
        f->create(&handle) != CUBLAS_STATUS_SUCCESS) {
        snprintf(out->why_not, sizeof out->why_not, "libcublasLt.so.%d does not start on this device",
                 CUBLAS_VER_MAJOR);
        delete f;
        dlclose(library);
        return;
    }
    out->dl_handle = library;
    out->functions = f;
    out->handle = handle;
}

void cublaslt_close(cublaslt_library *library)
{
    if (library->functions)
        (void)library->functions->destroy((cublasLtHandle_t)library->handle);
    delete library->functions;
    if (library->dl_handle)
        dlclose(library->dl_handle);
    *library = {};
}

cublaslt_plan *cublaslt_plan_make(const cublaslt_library *library, const cublaslt_shape *shape, int *ways,
                                  char *why, int why_bytes)
{
    cublaslt_plan *p = new (std::nothrow) cublaslt_plan();

    *ways = 0;
    if (!p)
        return nullptr;
    p->f = library->functions;
    p->handle = (cublasLtHandle_t)library->handle;
    p->integers = shape->format == CUBLASLT_INT8_TO_INT32;
    p->wide_out = p->integers || shape->format == CUBLASLT_FP32;
    if (describe(p, shape))
        *ways = find_ways(p);
    if (*ways == 0) {
        snprintf(why, (size_t)why_bytes, "cuBLASLt has no kernel for this shape and device");
        cublaslt_plan_free(p);
        return nullptr;
    }
    return p;
}

void cublaslt_plan_free(cublaslt_plan *p)
{
    if (!p)
        return;
    if (p->desc)
        (void)p->f->desc_destroy(p->desc);
    for (cublasLtMatrixLayout_t layout : {p->a, p->w, p->out})
        if (layout)
            (void)p->f->layout_destroy(layout);
    delete p;
}

bool cublaslt_run(const cublaslt_plan *p, int way, const void *a, const void *w, void *out, void *workspace,
                  cudaStream_t stream)
{
    const float one = 1, zero = 0;
    const int32_t whole_one = 1, whole_zero = 0;
    const void *alpha = p->integers ? (const void *)&whole_one : &one;
    const void *beta = p->integers ? (const void *)&whole_zero : &zero;

    return p->f->matmul(p->handle, p->desc, alpha, w, p->w, a, p->a, beta, out, p->out, out, p->out,
                        &p->ways[way].algo, workspace, CUBLASLT_WORKSPACE_BYTES,
                        stream) == CUBLAS_STATUS_SUCCESS;
}

} // namespace simacc

#else

namespace simacc
{

/* Built where the toolkit has no cuBLASLt headers. */
void cublaslt_open(cublaslt_library *out)
{
    *out = {};
    snprintf(out->why_not, sizeof out->why_not, "the plug-in was built without cublasLt.h");
}

void cublaslt_close(cublaslt_library *)
{
}

cublaslt_plan *cublaslt_plan_make(const cublaslt_library *, const cublaslt_shape *, int *, char *, int)
{
    return nullptr;
}

void cublaslt_plan_free(cublaslt_plan *)
{
}

bool cublaslt_run(const cublaslt_plan *, int, const void *, const void *, void *, void *, cudaStream_t)
{
    return false;
}

} // namespace simacc

#endif
