/* Measured latencies of GPU kernels, from CSV: what `simacc calibrate` fits and scores.
 *
 * Columns by name, in any order; others are ignored, missing or empty cells are unknown:
 *
 *   kernel      required; a name of sim_gpu_kernel_names
 *   m, n, k     required; rows, outputs and inputs of out[m][n] += a[m][k] * w[k][n]; a vector kernel has m
 *               rows of n elements, k empty, 0 or 1 or no column; `empty` needs none of them
 *   latency_us  required, above 0
 *   batch       independent products; 1
 *   w_bits, a_bits, w_format, a_format
 *               operands as stored; what the kernel's name says
 *   gpu, impl, regime ("burst", "sustained"), layout, source
 *   clock_mhz   while it ran
 *   energy_mj   of one call, 0 or more
 *
 * The law's bytes: operands at their bits (4-bit weights carry a 16-bit scale and a 4-bit zero point per
 * 128), outputs 2 bytes each, of gemm_fp32 4. Vector kernels: elements of a_bits (16; of a gpu row of fp32
 * say 32) read and written once; residual reads two; quantize writes 1 byte. */
#ifndef SIM_EXPLORE_MEASUREMENTS_H
#define SIM_EXPLORE_MEASUREMENTS_H

#include "base/arena.h"
#include "base/err.h"
#include "model/gpu.h"

typedef struct sim_measurement {
    sim_gpu_kernel_kind kernel;
    sim_gpu_regime regime;           /* burst when unknown */
    const char *gpu, *impl, *layout; /* "" when unknown */
    const char *source;
    int64_t m, n, k, batch;
    int w_bits, a_bits; /* as stored; w_bits 0 of vector kernels */
    double latency_us;
    double energy_mj; /* NaN when unknown */
    double clock_mhz; /* 0 when unknown */
    const char *file; /* for messages */
    int line;
} sim_measurement;

typedef struct sim_measurements {
    const char *file;
    const sim_measurement *rows;
    int64_t count;
} sim_measurements;

/* `length` bytes of CSV; `name` is the file's, for messages. All errors are reported together, each with its
 * line: a missing required column, a duplicate one, text or NaN where a number belongs, values out of range,
 * an unknown kernel or regime, no rows. SIM_BAD_INPUT, SIM_NO_MEMORY. */
sim_status sim_measurements_parse(const char *text, size_t length, const char *name, sim_arena *arena,
                                  sim_measurements *out, sim_err *err);
sim_status sim_measurements_load(const char *path, sim_arena *arena, sim_measurements *out, sim_err *err);

/* Several files as one; all are read even when one is wrong. `file` of the result names them all. */
sim_status sim_measurements_load_all(const char *const *paths, int count, sim_arena *arena,
                                     sim_measurements *out, sim_err *err);

bool sim_gpu_kernel_is_gemm(sim_gpu_kernel_kind kind);
/* What a GEMM multiplies in. */
sim_gpu_math sim_gpu_kernel_math(sim_gpu_kernel_kind kind);

/* A row of a GEMM as the law takes it. */
sim_gpu_gemm sim_measurement_gemm(const sim_measurement *row);
/* Bytes that a row of a vector kernel moves, each operand once. */
double sim_measurement_bytes(const sim_measurement *row);

#endif
