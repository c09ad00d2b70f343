/* A small GPU on the CPU, for running the CUDA kernels of cuda_ref/kernels as they stand.
 *
 * Every thread of a block is a fiber. Fibers run one at a time until they wait for others, and which one runs
 * next is drawn from a seed, or some run ahead as far as they can: a missing barrier shows as a wrong result
 * under some order. Asynchronous copies happen at once or as late as they may (emulator_late), so that a
 * missing wait, or a stage that is overwritten too early, shows under one of the two. Shared memory starts as
 * noise. Warp instructions wait for all 32 lanes and complain when lanes ask for different ones; a block in
 * which nobody can go on is a deadlock. 16-byte accesses must be aligned.
 *
 * Tensor-core instructions follow the fragment layouts of the PTX ISA ("Matrix Fragments for mma.m16n8k32"
 * and so on): registers are gathered into matrices, multiplied plainly, and dealt out again.
 *
 * SIMACC_EMULATE_SM, 75 or from 80 on, selects what the kernels see. */
#ifndef EMULATOR_H
#define EMULATOR_H

#define SIMACC_EMULATOR                      1
#define SIMACC_DEVICE                        inline
#define SIMACC_KERNEL(threads, least_blocks) inline void
#define SIMACC_LAUNCH(kernel, x, y, threads, shared_bytes, stream, ...)                                      \
    ((void)(stream), emulator_queue([=] {                                                                    \
         emulate((int)(x), (int)(y), threads, shared_bytes, [&] { kernel(__VA_ARGS__); });                   \
     }))
#define SIMACC_ALLOW_SHARED(kernel, bytes) complain_unless((bytes) <= 227 * 1024, "too much shared memory")

#if SIMACC_EMULATE_SM >= 80
#define SIMACC_ASYNC 1
#else
#define SIMACC_ASYNC 0
#endif

#include "cuda_ref/kernels/numbers.h"

#include <functional>

namespace simacc
{

struct alignas(16) words4 {
    uint32_t w[4];
};

/* ---- running ---------------------------------------------------------------------------------------- */

typedef struct emulated_stream *launch_stream;

/* Runs `work` at once, or gives it to `emulator_capture` when that is set. */
void emulator_queue(const std::function<void()> &work);
extern void (*emulator_capture)(const std::function<void()> &work);

/* Runs `body` as every thread of a grid. Complaints are counted and printed once per kind. */
void emulate(int grid_x, int grid_y, int threads, int shared_bytes, const std::function<void()> &body);

extern bool emulator_late;      /* asynchronous copies happen when they are waited for */
extern uint64_t emulator_order; /* seed of the order of threads; 0: by their number */
extern bool emulator_quiet;     /* complaints are counted only */
extern int emulator_complaints;

/* Memory between two pages that may not be touched, its end (rounded up to 16 bytes) at the second one. */
void *guarded_memory(int64_t bytes);
void guarded_free(void *memory, int64_t bytes);

int thread_index();
int block_x();
int block_y();
int grid_x();
void barrier();
uint64_t timer_ns();
int64_t cycle_count();
unsigned char *shared_memory();

/* What a warp instruction does once all lanes have come: in[lane] -> out[lane]. */
struct warp_words {
    uint32_t word[10]; /* at most: the registers of a, w and c of one lane */
};
typedef void warp_function(const warp_words *in, warp_words *out);
warp_words warp_instruction(warp_function *function, const warp_words &in);

void complain_unless(bool condition, const char *what);

float shuffle_xor(float value, int mask);
int shuffle_xor(int value, int mask);

/* ---- memory ----------------------------------------------------------------------------------------- */

inline bool aligned16(const void *at)
{
    return (uintptr_t)at % 16 == 0;
}

inline words4 load16(const void *from)
{
    words4 v;
    complain_unless(aligned16(from), "a 16-byte load is not aligned");
    memcpy(&v, from, sizeof v);
    return v;
}

inline words4 load16_once(const void *from)
{
    return load16(from);
}

inline void store16(void *to, words4 v)
{
    complain_unless(aligned16(to), "a 16-byte store is not aligned");
    memcpy(to, &v, sizeof v);
}

void copy16_async(void *to_shared, const void *from, bool valid);
void copies_commit();
void copies_wait_for(int pending);

template <int pending> inline void copies_wait()
{
    copies_wait_for(pending);
}

inline void atomic_max(uint32_t *at, uint32_t value)
{
    *at = *at > value ? *at : value;
}

inline void atomic_add(uint32_t *at, uint32_t value)
{
    *at += value;
}

/* ---- tensor cores (emulator_mma.cpp) ---------------------------------------------------------------- */

void mma_m16n8k32_s8(int (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                     uint32_t w1);
void mma_m8n8k16_s8(int &c0, int &c1, uint32_t a, uint32_t w);
void mma_m16n8k16_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t w0,
                      uint32_t w1);
void mma_m16n8k8_f16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t w);

/* ---- arithmetic ------------------------------------------------------------------------------------- */

/* Both halves, rounded once: sums and products of fp16 are exact in double. */
template <class Operation> inline uint32_t half2_each(Operation operation)
{
    return fp16_bits(operation(0)) | (uint32_t)fp16_bits(operation(16)) << 16;
}

inline double half_at(uint32_t pair, int shift)
{
    return fp16_value((uint16_t)(pair >> shift));
}

inline uint32_t masked_or(uint32_t word, uint32_t mask, uint32_t bits)
{
    return (word & mask) | bits;
}

inline uint32_t half2_add(uint32_t x, uint32_t y)
{
    return half2_each([=](int s) { return half_at(x, s) + half_at(y, s); });
}

inline uint32_t half2_mul(uint32_t x, uint32_t y)
{
    return half2_each([=](int s) { return half_at(x, s) * half_at(y, s); });
}

inline uint32_t half2_fma(uint32_t x, uint32_t y, uint32_t z)
{
    return half2_each([=](int s) { return half_at(x, s) * half_at(y, s) + half_at(z, s); });
}

inline float half_to_float(uint16_t bits)
{
    return (float)fp16_value(bits);
}

inline uint16_t float_to_half(float value)
{
    return fp16_bits(value);
}

inline float multiply_rounded(float x, float y)
{
    return x * y;
}

inline float add_rounded(float x, float y)
{
    return x + y;
}

inline float divide_rounded(float x, float y)
{
    return x / y;
}

} // namespace simacc

#endif
