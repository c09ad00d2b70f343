/* The C ABI of the CUDA plug-in, libsimacc_cuda.so: measures one kernel at one shape on a real GPU.
 *
 * The simulator opens the plug-in with dlopen and asks for one symbol, SIMACC_CUDA_SYMBOL, a function without
 * arguments that returns a simacc_cuda_api. `abi` is its first field in every version: a caller that finds
 * another number than its own SIMACC_CUDA_ABI touches nothing else. No CUDA type crosses this header, no
 * exception leaves the plug-in, and nothing in it is under another licence than the repository's (in
 * particular no GSL).
 *
 * A session belongs to one device and must be used by one thread at a time; several sessions may be open.
 *
 * A GEMM is out[m][n] += a[m][k] * w[k][n], m tokens, n output features, k input features, `batch`
 * independent products. Vector kernels take m rows of n elements; k and batch are 0 and 1. */
#ifndef SIMACC_CUDA_H
#define SIMACC_CUDA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a declaration of this file changes, in name, order, type or meaning. */
#define SIMACC_CUDA_ABI    1
#define SIMACC_CUDA_SYMBOL "simacc_cuda_plugin"

typedef enum simacc_cuda_status {
    SIMACC_CUDA_OK = 0,
    SIMACC_CUDA_BAD_ARGUMENT,   /* an unknown kernel or implementation, a shape of no elements or too many */
    SIMACC_CUDA_NO_DRIVER,      /* libcuda is not there or does not start */
    SIMACC_CUDA_DRIVER_TOO_OLD, /* older than the CUDA runtime that the plug-in was built with */
    SIMACC_CUDA_NO_DEVICE,      /* no GPU, or none of that number */
    SIMACC_CUDA_OLD_DEVICE,     /* a GPU that the plug-in holds no code for */
    SIMACC_CUDA_NO_MEMORY,      /* the operands do not fit the device's free memory */
    SIMACC_CUDA_UNSUPPORTED,    /* this device, or this installation, cannot run the kernel */
    SIMACC_CUDA_WRONG_RESULT,   /* the kernel ran and its result is outside the error bound: not timed */
    SIMACC_CUDA_FAILED,         /* the CUDA runtime or a library reported an error */
} simacc_cuda_status;

typedef struct simacc_cuda_device {
    char name[128];            /* as the driver has it: "Tesla T4", "NVIDIA H100 80GB HBM3" */
    char driver[32];           /* its version: "550.54.15"; "": unknown */
    char runtime[32];          /* version of the CUDA runtime: "13.0" */
    int sm;                    /* compute capability times 10: 75, 80, 90 */
    int sms;                   /* streaming multiprocessors */
    double clock_mhz;          /* highest SM clock; 0: unknown */
    double memory_mhz;         /* memory clock; 0: unknown */
    double bandwidth_gb_s;     /* peak, 10^9 bytes per second, from bus width and memory clock; 0: unknown */
    double memory_bytes;       /* of the device */
    double free_bytes;         /* of them, free when the session was opened */
    double l2_bytes;           /* of its L2 cache */
    double power_cap_w;        /* enforced limit; 0: unknown */
    int has_power, has_energy; /* NVML tells power, and counts energy */
} simacc_cuda_device;

/* One kernel of one implementation. All strings live as long as the session. */
typedef struct simacc_cuda_kernel {
    const char *name;     /* as in the measurement CSV: "gemm_w8a8", "softmax" */
    const char *impl;     /* "cublaslt", "simacc", "simacc_o2" ... */
    int w_bits, a_bits;   /* of a vector kernel: w_bits 0, a_bits of its input */
    const char *w_format; /* "int" "fp" "bf" "fp8"; "" of vector kernels */
    const char *a_format;
    const char *layout; /* of a GEMM "tn": both operands contiguous along k; else "row" */
    int is_gemm;
    int available;       /* on this device and with the libraries found */
    const char *why_not; /* when it is not */
    const char *summary; /* what it does, one line */
} simacc_cuda_kernel;

typedef enum simacc_cuda_regime {
    SIMACC_CUDA_BURST,     /* milliseconds after a pause: the clock is what the device boosts to */
    SIMACC_CUDA_SUSTAINED, /* seconds without a pause: power cap and heat decide the clock; measures energy */
} simacc_cuda_regime;

typedef enum simacc_cuda_check {
    SIMACC_CUDA_UNCHECKED,
    SIMACC_CUDA_CHECKED, /* compare with the reference, then time; a wrong result is an error, not a time */
    SIMACC_CUDA_CHECK_ONLY, /* compare and do not time: all times are NaN */
} simacc_cuda_check;

typedef struct simacc_cuda_request {
    const char *kernel, *impl; /* impl NULL: the first one of that kernel that is available */
    int64_t m, n, k, batch;    /* batch 0 means 1 */
    int regime;                /* simacc_cuda_regime */
    int check;                 /* simacc_cuda_check */
    double timed_s;            /* time to spend on timed runs: 0: 0.03 s in a burst, 2 s sustained */
    uint64_t seed;             /* of the operands */
} simacc_cuda_request;

/* NaN where it could not be measured. */
typedef struct simacc_cuda_measurement {
    /* The check. Integer kernels are exact: error_frac is 0 or the result is wrong. */
    int64_t checked;   /* outputs compared; 0: not checked */
    double error_frac; /* largest |got - reference| over the error bound of that output: right when <= 1 */
    double error_abs;  /* largest |got - reference| */
    /* One call of the kernel, all of its launches included. */
    double latency_us;       /* median over the samples */
    double least_us, p90_us; /* of the samples */
    double spread_frac;      /* (p90 - p10) / median */
    int64_t samples;         /* each the mean over calls_per_sample consecutive calls on rotating operands */
    int64_t calls_per_sample;
    int from_graph;       /* calls were launched as one CUDA graph: no host time between them */
    double clock_mhz;     /* SM clock while it ran, from the cycle counter of a probe behind the samples */
    double power_w;       /* board power while it ran (sustained) */
    double idle_w;        /* board power before, subtracted from the energy */
    double energy_mj;     /* per call, without what the idle board would have drawn (sustained) */
    double temperature_c; /* of the GPU, afterwards */
    double bytes;         /* least DRAM traffic of a call: operands read once, results written once */
    double macs;          /* multiply-accumulates of a call; 0 of vector kernels */
} simacc_cuda_measurement;

typedef struct simacc_cuda_session simacc_cuda_session;

/* Every function that can fail writes a message (one line, NUL-terminated, cut to text_bytes) to `text`. */
typedef struct simacc_cuda_api {
    int abi;           /* SIMACC_CUDA_ABI of the plug-in; first, in every version */
    const char *build; /* for people: "CUDA 13.0.88, sm 75-real 80-real 90" */
    /* Device `index` in the order of the driver. *session and *device are set on success only; close takes
     * NULL too. NO_DRIVER, DRIVER_TOO_OLD, NO_DEVICE, OLD_DEVICE, NO_MEMORY or FAILED. */
    simacc_cuda_status (*open)(int index, simacc_cuda_session **session, simacc_cuda_device *device,
                               char *text, size_t text_bytes);
    void (*close)(simacc_cuda_session *session);
    /* All kernels, also those that are not available; they live as long as the session. */
    const simacc_cuda_kernel *(*kernels)(const simacc_cuda_session *session, int *count);
    /* One kernel at one shape. *out is set in any case. BAD_ARGUMENT, NO_MEMORY, UNSUPPORTED, WRONG_RESULT
     * (the check of *out says by how much) or FAILED, after which the session may be of no more use. */
    simacc_cuda_status (*measure)(simacc_cuda_session *session, const simacc_cuda_request *request,
                                  simacc_cuda_measurement *out, char *text, size_t text_bytes);
} simacc_cuda_api;

typedef const simacc_cuda_api *simacc_cuda_plugin_function(void);

#ifdef __cplusplus
}
#endif

#endif
