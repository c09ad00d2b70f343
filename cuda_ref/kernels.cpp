/* The table of kernels: what there is, what it is called, and where it runs. */
#include "job.h"

namespace simacc
{

namespace
{

const char *needs_cublaslt(const simacc_cuda_session *s)
{
    return s->cublaslt.functions ? nullptr : s->cublaslt.why_not;
}

const char *needs_bf16(const simacc_cuda_session *s)
{
    return s->device.sm < 80 ? "bf16 tensor cores came with compute capability 8.0" : needs_cublaslt(s);
}

const char *needs_fp8(const simacc_cuda_session *s)
{
    return s->device.sm < 89 ? "fp8 tensor cores came with compute capability 8.9" : needs_cublaslt(s);
}

struct operand_format {
    int bits;
    const char *name;
};

constexpr operand_format NONE = {0, ""}, INT4 = {4, "int"}, INT8 = {8, "int"}, E4M3 = {8, "fp8"},
                         FP16 = {16, "fp"}, BF16 = {16, "bf"}, FP32 = {32, "fp"};

/* A matrix product of weights `w` and activations `a`, both contiguous along k. */
constexpr kernel_entry gemm(const char *name, const char *impl, operand_format w, operand_format a,
                            job_start *start, int variant,
                            const char *(*why_not)(const simacc_cuda_session *), const char *summary)
{
    return {{name, impl, w.bits, a.bits, w.name, a.name, "tn", 1, 0, "", summary}, start, variant, why_not};
}

/* A kernel of our own over rows of `in`. */
constexpr kernel_entry rows(const char *name, const char *impl, operand_format in, job_start *start,
                            int variant, const char *summary)
{
    return {{name, impl, 0, in.bits, "", in.name, "row", 0, 0, "", summary}, start, variant, nullptr};
}

/* Of several implementations of a kernel the first that is available is the one that a request gets which
 * names none. */
const kernel_entry table[] = {
    gemm("gemm_fp16", "cublaslt", FP16, FP16, start_gemm_float, CUBLASLT_FP16, needs_cublaslt,
         "fp16, fp32 sums, cuBLASLt's heuristics"),
    gemm("gemm_w8a8", "cublaslt", INT8, INT8, start_gemm_w8a8_cublaslt, O1, needs_cublaslt,
         "int8 by cuBLASLt into int32, then scales per token and channel"),
    gemm("gemm_w8a8", "simacc", INT8, INT8, start_gemm_w8a8, O1, nullptr,
         "int8 by mma.sync, scales per token and channel fused (SmoothQuant O1)"),
    gemm("gemm_w4a16", "simacc", INT4, FP16, start_gemm_w4a16, 0, nullptr,
         "int4 in groups of 128, turned into fp16 in registers, mma.sync"),
    gemm("gemm_bf16", "cublaslt", BF16, BF16, start_gemm_float, CUBLASLT_BF16, needs_bf16,
         "bf16, fp32 sums, cuBLASLt's heuristics"),
    gemm("gemm_fp8", "cublaslt", E4M3, E4M3, start_gemm_float, CUBLASLT_E4M3_TO_FP16, needs_fp8,
         "e4m3 into fp16, cuBLASLt's heuristics"),
    gemm("gemm_fp32", "cublaslt", FP32, FP32, start_gemm_float, CUBLASLT_FP32, needs_cublaslt,
         "fp32 without TF32, cuBLASLt's heuristics"),
    gemm("gemm_w8a8", "simacc_o2", INT8, INT8, start_gemm_w8a8, O2, nullptr,
         "int8 by mma.sync, one activation scale in memory (SmoothQuant O2)"),
    gemm("gemm_w8a8", "simacc_o3", INT8, INT8, start_gemm_w8a8, O3, nullptr,
         "int8 by mma.sync, one known activation scale (SmoothQuant O3)"),
    rows("softmax", "simacc", FP16, start_softmax, 0, "fp16 rows, fp32 inside"),
    rows("rmsnorm", "simacc", FP16, start_rmsnorm, 0, "fp16 rows, fp32 inside"),
    rows("quantize", "simacc", FP16, start_quantize, O1, "fp16 to int8, a scale per token (SmoothQuant O1)"),
    rows("quantize", "simacc_o2", FP16, start_quantize, O2, "fp16 to int8, one scale, found first (O2)"),
    rows("quantize", "simacc_o3", FP16, start_quantize, O3, "fp16 to int8, one known scale (O3)"),
    rows("residual", "simacc", FP16, start_residual, 0, "fp16 sum of two tensors"),
    rows("copy", "simacc", FP16, start_copy, 0, "fp16 tensor to another place"),
    rows("empty", "simacc", NONE, start_empty, 0, "a kernel that does nothing, launched by the host"),
    rows("empty", "simacc_graph", NONE, start_empty, 1, "a kernel that does nothing, from a graph"),
};

} // namespace

void list_kernels(simacc_cuda_session *s)
{
    s->kernel_count = 0;
    for (const kernel_entry &entry : table) {
        const char *why_not = entry.why_not ? entry.why_not(s) : nullptr;
        simacc_cuda_kernel *kernel = &s->kernels[s->kernel_count];

        *kernel = entry.info;
        kernel->available = why_not == nullptr;
        kernel->why_not = why_not ? why_not : "";
        s->entries[s->kernel_count++] = &entry;
    }
    static_assert(sizeof table / sizeof *table <= KERNELS_MAX, "room for all kernels");
}

} // namespace simacc
