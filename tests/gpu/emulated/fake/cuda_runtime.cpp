#include "cuda_runtime_api.h"

#include <map>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <vector>

fake_device fake;

struct fake_event {
    double ms;
};

struct fake_graph {
    std::vector<std::function<void()>> work;
};

namespace
{

std::map<void *, int64_t> allocations;
fake_graph *capturing;

double now_ms()
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

void capture(const std::function<void()> &work)
{
    capturing->work.push_back(work);
}

} // namespace

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = fake.driver;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = fake.runtime;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = fake.count;
    return fake.count_error;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr which, int)
{
    *value = which == cudaDevAttrClockRate ? 1590000 : which == cudaDevAttrMemoryClockRate ? 5001000 : 256;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int)
{
    *out = {};
    snprintf(out->name, sizeof out->name, "Emulated GPU");
    out->major = fake.sm / 10;
    out->minor = fake.sm % 10;
    out->multiProcessorCount = 4;
    out->l2CacheSize = 4096;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *out, int size, int)
{
    snprintf(out, (size_t)size, "0000:00:00.0");
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    return device < fake.count ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *all_bytes)
{
    *all_bytes = (size_t)fake.memory_bytes;
    *free_bytes = (size_t)(fake.memory_bytes - fake.allocated_bytes);
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
    if (fake.allocated_bytes + (double)bytes > fake.memory_bytes)
        return cudaErrorMemoryAllocation;
    *out = simacc::guarded_memory((int64_t)bytes);
    allocations[*out] = (int64_t)bytes;
    fake.allocated_bytes += (double)bytes;
    /* Noise, as memory that others have used. */
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)*out)[i] = (unsigned char)(i * 151 + 7);
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes)
{
    *out = calloc(1, bytes);
    return *out ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void *memory)
{
    auto found = allocations.find(memory);

    if (!memory)
        return cudaSuccess;
    if (found == allocations.end())
        return cudaErrorInvalidValue;
    fake.allocated_bytes -= (double)found->second;
    simacc::guarded_free(memory, found->second);
    allocations.erase(found);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory)
{
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t)
{
    simacc::emulator_queue([=] { memset(at, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t)
{
    simacc::emulator_queue([=] { memcpy(to, from, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind)
{
    memcpy(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned)
{
    *out = nullptr;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode)
{
    if (!fake.capture)
        return cudaErrorInvalidValue;
    capturing = new fake_graph();
    simacc::emulator_capture = capture;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *out)
{
    *out = capturing;
    capturing = nullptr;
    simacc::emulator_capture = nullptr;
    return *out ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long)
{
    *out = new fake_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t)
{
    for (const std::function<void()> &work : graph->work)
        work();
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out)
{
    *out = new fake_event();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t)
{
    event->ms = now_ms();
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t)
{
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t begin, cudaEvent_t end)
{
    *ms = (float)(end->ms - begin->ms);
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t)
{
    return "a made-up error";
}

const char *cudaGetErrorName(cudaError_t)
{
    return "cudaErrorMadeUp";
}
