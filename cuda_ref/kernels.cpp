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

/* name, impl, w and a bits and formats, layout, is_gemm, available, why_not, summary; variant, start, why_not */
const kernel_entry table[] = {
    {{"gemm_fp16", "cublaslt", 16, 16, "fp", "fp", "tn", 1, 0, "", "fp16, fp32 sums, cuBLASLt's heuristics"},
     0,
     start_gemm_float,
     needs_cublaslt},
    {{"gemm_w8a8", "cublaslt", 8, 8, "int", "int", "tn", 1, 0, "",
      "int8 by cuBLASLt into int32, then scales per token and channel"},
     1,
     start_gemm_w8a8_cublaslt,
     needs_cublaslt},
    {{"gemm_w8a8", "simacc", 8, 8, "int", "int", "tn", 1, 0, "",
      "int8 by mma.sync, scales per token and channel fused (SmoothQuant O1)"},
     1,
     start_gemm_w8a8,
     nullptr},
    {{"gemm_w4a16", "simacc", 4, 16, "int", "fp", "tn", 1, 0, "",
      "int4 in groups of 128, turned into fp16 in registers, mma.sync"},
     0,
     start_gemm_w4a16,
     nullptr},
    {{"gemm_bf16", "cublaslt", 16, 16, "bf", "bf", "tn", 1, 0, "", "bf16, fp32 sums, cuBLASLt's heuristics"},
     1,
     start_gemm_float,
     needs_bf16},
    {{"gemm_fp8", "cublaslt", 8, 8, "fp8", "fp8", "tn", 1, 0, "", "e4m3 into fp16, cuBLASLt's heuristics"},
     3,
     start_gemm_float,
     needs_fp8},
    {{"gemm_fp32", "cublaslt", 32, 32, "fp", "fp", "tn", 1, 0, "", "fp32 without TF32, cuBLASLt's heuristics"},
     2,
     start_gemm_float,
     needs_cublaslt},
    {{"gemm_w8a8", "simacc_o2", 8, 8, "int", "int", "tn", 1, 0, "",
      "int8 by mma.sync, one activation scale in memory (SmoothQuant O2)"},
     2,
     start_gemm_w8a8,
     nullptr},
    {{"gemm_w8a8", "simacc_o3", 8, 8, "int", "int", "tn", 1, 0, "",
      "int8 by mma.sync, one known activation scale (SmoothQuant O3)"},
     3,
     start_gemm_w8a8,
     nullptr},
    {{"softmax", "simacc", 0, 16, "", "fp", "row", 0, 0, "", "fp16 rows, fp32 inside"}, 0, start_softmax, nullptr},
    {{"rmsnorm", "simacc", 0, 16, "", "fp", "row", 0, 0, "", "fp16 rows, fp32 inside"}, 0, start_rmsnorm, nullptr},
    {{"quantize", "simacc", 0, 16, "", "fp", "row", 0, 0, "", "fp16 to int8, a scale per token (SmoothQuant O1)"},
     1,
     start_quantize,
     nullptr},
    {{"quantize", "simacc_o2", 0, 16, "", "fp", "row", 0, 0, "", "fp16 to int8, one scale, found first (O2)"},
     2,
     start_quantize,
     nullptr},
    {{"quantize", "simacc_o3", 0, 16, "", "fp", "row", 0, 0, "", "fp16 to int8, one known scale (O3)"},
     3,
     start_quantize,
     nullptr},
    {{"residual", "simacc", 0, 16, "", "fp", "row", 0, 0, "", "fp16 sum of two tensors"}, 0, start_residual, nullptr},
    {{"copy", "simacc", 0, 16, "", "fp", "row", 0, 0, "", "fp16 tensor to another place"}, 0, start_copy, nullptr},
    {{"empty", "simacc", 0, 0, "", "", "row", 0, 0, "", "a kernel that does nothing, launched by the host"},
     0,
     start_empty,
     nullptr},
    {{"empty", "simacc_graph", 0, 0, "", "", "row", 0, 0, "", "a kernel that does nothing, from a graph"},
     1,
     start_empty,
     nullptr},
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
