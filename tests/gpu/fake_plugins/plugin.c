/* A CUDA plug-in without CUDA: tells of a GPU that is not there and times that are made up, so that the
 * loader, the suite and resuming are tested on any machine. The environment tells it how to behave:
 *
 *   FAKE_OPEN=<status>    open fails with that simacc_cuda_status
 *   FAKE_FREE_MIB=<n>     free memory of the device
 *   FAKE_WRONG=<kernel>   results of that kernel are outside the bound
 *   FAKE_BREAK_AT=<n>     the n-th measurement, from 1, fails as a device does that fell off the bus
 *   FAKE_SLEEP_MS=<n>     each measurement takes that long
 *
 * FAKE_ABI is defined by the build for a plug-in of another interface version. */
#include "cuda_ref/simacc_cuda.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef FAKE_ABI
#define FAKE_ABI SIMACC_CUDA_ABI
#endif

struct simacc_cuda_session {
    long measured;
};

static const simacc_cuda_kernel kernels[] = {
    {"gemm_fp16", "cublaslt", 16, 16, "fp", "fp", "tn", 1, 1, "", "made up"},
    {"gemm_bf16", "cublaslt", 16, 16, "bf", "bf", "tn", 1, 0, "the fake has none", "made up"},
    {"gemm_w8a8", "simacc", 8, 8, "int", "int", "tn", 1, 1, "", "made up"},
    {"gemm_w8a8", "simacc_o2", 8, 8, "int", "int", "tn", 1, 1, "", "made up"},
    {"gemm_w4a16", "simacc", 4, 16, "int", "fp", "tn", 1, 1, "", "made up"},
    {"softmax", "simacc", 0, 16, "", "fp", "row", 0, 1, "", "made up"},
    {"copy", "simacc", 0, 16, "", "fp", "row", 0, 1, "", "made up"},
    {"empty", "simacc", 0, 0, "", "", "row", 0, 1, "", "made up"},
};

static long setting(const char *name, long otherwise)
{
    const char *value = getenv(name);

    return value && *value ? strtol(value, NULL, 10) : otherwise;
}

static simacc_cuda_status fake_open(int index, simacc_cuda_session **session, simacc_cuda_device *device,
                                    char *text, size_t text_bytes)
{
    simacc_cuda_status status = (simacc_cuda_status)setting("FAKE_OPEN", SIMACC_CUDA_OK);

    if (index != 0)
        status = SIMACC_CUDA_NO_DEVICE;
    if (status != SIMACC_CUDA_OK) {
        snprintf(text, text_bytes, "the fake says %d", (int)status);
        return status;
    }
    *session = calloc(1, sizeof **session);
    if (!*session)
        return SIMACC_CUDA_NO_MEMORY;
    *device = (simacc_cuda_device){.name = "Tesla T4",
                                   .driver = "0.0",
                                   .runtime = "13.0",
                                   .sm = 75,
                                   .sms = 40,
                                   .clock_mhz = 1590,
                                   .memory_mhz = 5001,
                                   .bandwidth_gb_s = 320,
                                   .memory_bytes = 15.0 * 1024 * 1048576,
                                   .l2_bytes = 4.0 * 1048576,
                                   .power_cap_w = 70};
    device->free_bytes = (double)setting("FAKE_FREE_MIB", 14000) * 1048576;
    return SIMACC_CUDA_OK;
}

static void fake_close(simacc_cuda_session *session)
{
    free(session);
}

static const simacc_cuda_kernel *fake_kernels(const simacc_cuda_session *session, int *count)
{
    (void)session;
    *count = (int)(sizeof kernels / sizeof *kernels);
    return kernels;
}

static simacc_cuda_status fake_measure(simacc_cuda_session *session, const simacc_cuda_request *request,
                                       simacc_cuda_measurement *out, char *text, size_t text_bytes)
{
    const char *wrong = getenv("FAKE_WRONG");
    struct timespec pause = {0, setting("FAKE_SLEEP_MS", 0) * 1000000};

    if (setting("FAKE_BREAK_AT", 0) == ++session->measured) {
        snprintf(text, text_bytes, "the fake fell off the bus");
        return SIMACC_CUDA_FAILED;
    }
    if (wrong && strcmp(wrong, request->kernel) == 0 && request->check != SIMACC_CUDA_UNCHECKED) {
        snprintf(text, text_bytes, "17 of 4096 outputs are outside the bound");
        return SIMACC_CUDA_WRONG_RESULT;
    }
    nanosleep(&pause, NULL);
    *out = (simacc_cuda_measurement){0};
    out->checked = request->check == SIMACC_CUDA_UNCHECKED ? 0 : 4096;
    out->error_frac = 0.25;
    out->latency_us =
        request->check == SIMACC_CUDA_CHECK_ONLY ? NAN : 5.5 + 1e-6 * (double)request->m * (double)request->n;
    out->clock_mhz = 1500;
    out->energy_mj = request->regime == SIMACC_CUDA_SUSTAINED ? 0.125 : NAN;
    return SIMACC_CUDA_OK;
}

const simacc_cuda_api *simacc_cuda_plugin(void);

const simacc_cuda_api *simacc_cuda_plugin(void)
{
    static const simacc_cuda_api api = {FAKE_ABI, "fake", fake_open, fake_close, fake_kernels, fake_measure};

    return &api;
}
