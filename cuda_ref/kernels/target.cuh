/* What the kernels need of a machine: thread numbers, barriers, 16-byte copies, tensor-core instructions,
 * half precision. Under nvcc these are the GPU's; otherwise tests/gpu/emulated/emulator.h must have been
 * included, which runs the same kernels on the CPU, lane by lane, with the register layouts that the PTX ISA
 * documents.
 *
 * SIMACC_ASYNC: sm_80 and later, with asynchronous copies to shared memory and the larger instructions. */
#ifndef SIMACC_TARGET_CUH
#define SIMACC_TARGET_CUH

#include "layout.h"

#if defined(__CUDACC__)

#include <cuda_fp16.h>

#define SIMACC_DEVICE                        __device__ __forceinline__
#define SIMACC_KERNEL(threads, least_blocks) __global__ void __launch_bounds__(threads, least_blocks)

/* Launches `kernel` (in parentheses where it has commas) and gives the grid's extent, threads, bytes of
 * shared memory, and where it queues. */
#define SIMACC_LAUNCH(kernel, x, y, threads, shared_bytes, stream, ...)                                      \
    kernel<<<dim3((unsigned)(x), (unsigned)(y)), (unsigned)(threads), (size_t)(shared_bytes), stream>>>(     \
        __VA_ARGS__)
/* More than 48 KiB of shared memory must be asked for. */
#define SIMACC_ALLOW_SHARED(kernel, bytes)                                                                   \
    cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes)

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define SIMACC_ASYNC 1
#else
#define SIMACC_ASYNC 0
#endif

namespace simacc
{

typedef cudaStream_t launch_stream;

struct alignas(16) words4 {
    uint32_t w[4];
};

/* ---- threads ---------------------------------------------------------------------------------------- */

SIMACC_DEVICE int thread_index()
{
    return (int)threadIdx.x;
}

SIMACC_DEVICE int block_x()
{
    return (int)blockIdx.x;
}

SIMACC_DEVICE int block_y()
{
    return (int)blockIdx.y;
}

SIMACC_DEVICE int grid_x()
{
    return (int)gridDim.x;
}

SIMACC_DEVICE void barrier()
{
    __syncthreads();
}

SIMACC_DEVICE float shuffle_xor(float value, int mask)
{
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

SIMACC_DEVICE int shuffle_xor(int value, int mask)
{
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

/* Nanoseconds, in ticks of the device's making. */
SIMACC_DEVICE uint64_t timer_ns()
{
    uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

/* Of the SM clock. */
SIMACC_DEVICE int64_t cycle_count()
{
    return clock64();
}

/* The block's dynamic shared memory. */
SIMACC_DEVICE unsigned char *shared_memory()
{
    extern __shared__ uint4 simacc_block_memory[];
    return (unsigned char *)simacc_block_memory;
}

SIMACC_DEVICE void atomic_max(uint32_t *at, uint32_t value)
{
    atomicMax(at, value);
}

SIMACC_DEVICE void atomic_add(uint32_t *at, uint32_t value)
{
    atomicAdd(at, value);
}

/* ---- 16-byte copies --------------------------------------------------------------------------------- */

SIMACC_DEVICE words4 load16(const void *from)
{
    uint4 v = *(const uint4 *)from;
    return {{v.x, v.y, v.z, v.w}};
}

/* Of what no other block reads: past the L1. */
SIMACC_DEVICE words4 load16_once(const void *from)
{
    words4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
                 : "l"(from));
    return v;
}

SIMACC_DEVICE void store16(void *to, words4 v)
{
    *(uint4 *)to = make_uint4(v.w[0], v.w[1], v.w[2], v.w[3]);
}

#if SIMACC_ASYNC

/* Zeros when not valid; `from` must be an address that may be read in either case. */
SIMACC_DEVICE void copy16_async(void *to_shared, const void *from, bool valid)
{
    uint32_t to = (uint32_t)__cvta_generic_to_shared(to_shared);
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

SIMACC_DEVICE void copies_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Until at most `pending` of this thread's groups are under way. */
template <int pending> SIMACC_DEVICE void copies_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

#endif

/* ---- tensor cores: c += a * w, as the PTX ISA has them; mma.cuh puts them together ------------------ */

#if SIMACC_ASYNC

SIMACC_DEVICE void mma_m16n8k32_s8(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                                   uint32_t w0, uint32_t w1)
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
                 "{%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(w0), "r"(w1));
}

SIMACC_DEVICE void mma_m16n8k16_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                                    uint32_t w0, uint32_t w1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
                 "{%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(w0), "r"(w1));
}

#else

SIMACC_DEVICE void mma_m8n8k16_s8(int &c0, int &c1, uint32_t a, uint32_t w)
{
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+r"(c0), "+r"(c1)
                 : "r"(a), "r"(w));
}

SIMACC_DEVICE void mma_m16n8k8_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t w)
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(w));
}

#endif

/* ---- bits ------------------------------------------------------------------------------------------- */

/* (word & mask) | bits in one instruction: left to itself the compiler takes two, one per constant. */
SIMACC_DEVICE uint32_t masked_or(uint32_t word, uint32_t mask, uint32_t bits)
{
    uint32_t out;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;"
        : "=r"(out)
        : "r"(word), "r"(mask), "r"(bits)); /* (0xf0 & 0xcc) | 0xaa */
    return out;
}

/* ---- half precision --------------------------------------------------------------------------------- */

SIMACC_DEVICE __half2 half2_of(uint32_t bits)
{
    __half2 value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

SIMACC_DEVICE uint32_t bits_of(__half2 value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

SIMACC_DEVICE uint32_t half2_add(uint32_t x, uint32_t y)
{
    return bits_of(__hadd2(half2_of(x), half2_of(y)));
}

SIMACC_DEVICE uint32_t half2_mul(uint32_t x, uint32_t y)
{
    return bits_of(__hmul2(half2_of(x), half2_of(y)));
}

SIMACC_DEVICE uint32_t half2_fma(uint32_t x, uint32_t y, uint32_t z)
{
    return bits_of(__hfma2(half2_of(x), half2_of(y), half2_of(z)));
}

SIMACC_DEVICE float half_to_float(uint16_t bits)
{
    return __half2float(__ushort_as_half(bits));
}

SIMACC_DEVICE uint16_t float_to_half(float value)
{
    return __half_as_ushort(__float2half_rn(value));
}

/* Never contracted with a neighbouring operation: the references compute the same bits. */
SIMACC_DEVICE float multiply_rounded(float x, float y)
{
    return __fmul_rn(x, y);
}

SIMACC_DEVICE float add_rounded(float x, float y)
{
    return __fadd_rn(x, y);
}

SIMACC_DEVICE float divide_rounded(float x, float y)
{
    return __fdiv_rn(x, y);
}

} // namespace simacc

#elif !defined(SIMACC_EMULATOR)
#error "outside nvcc the kernels run in tests/gpu/emulated/emulator.h, which must be included first"
#endif
#endif
