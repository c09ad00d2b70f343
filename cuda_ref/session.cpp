#include "session.h"

#include <math.h>
#include <new>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace simacc
{

simacc_cuda_status fail(const message &to, simacc_cuda_status status, const char *format, ...)
{
    va_list arguments;

    if (to.text && to.bytes) {
        va_start(arguments, format);
        vsnprintf(to.text, to.bytes, format, arguments);
        va_end(arguments);
    }
    return status;
}

simacc_cuda_status fail_cuda(const message &to, cudaError_t error, const char *what)
{
    (void)cudaGetLastError(); /* what is not sticky is forgotten */
    return fail(to, error == cudaErrorMemoryAllocation ? SIMACC_CUDA_NO_MEMORY : SIMACC_CUDA_FAILED,
                "%s: %s (%s)", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

namespace
{

/* Driver first: without one the runtime calls every driver too old. */
simacc_cuda_status look_for_device(int index, const message &to)
{
    int driver = 0, runtime = 0, count = 0;
    cudaError_t error = cudaDriverGetVersion(&driver);

    (void)cudaRuntimeGetVersion(&runtime);
    if (error != cudaSuccess || driver == 0)
        return fail(to, SIMACC_CUDA_NO_DRIVER, "libcuda.so.1 was not found");
    error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        return fail(to, SIMACC_CUDA_DRIVER_TOO_OLD, "the driver is for CUDA %d.%d, the plug-in for %d.%d",
                    driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
        return fail(to, SIMACC_CUDA_NO_DEVICE, "the driver finds none");
    if (error != cudaSuccess)
        return fail(to, SIMACC_CUDA_NO_DRIVER, "%s (%s)", cudaGetErrorString(error), cudaGetErrorName(error));
    if (index < 0 || index >= count)
        return fail(to, SIMACC_CUDA_NO_DEVICE, "no device %d, the driver has %d", index, count);
    return SIMACC_CUDA_OK;
}

double attribute(int index, cudaDeviceAttr which)
{
    int value = 0;

    return cudaDeviceGetAttribute(&value, which, index) == cudaSuccess ? value : 0;
}

double or_zero(double value)
{
    return isfinite(value) ? value : 0;
}

simacc_cuda_status describe(simacc_cuda_session *s, const message &to)
{
    simacc_cuda_device *d = &s->device;
    size_t free_bytes = 0, all_bytes = 0;
    int runtime = 0;
    char bus[32] = "";
    cudaDeviceProp properties;
    cudaError_t error = cudaGetDeviceProperties(&properties, s->index);

    if (error == cudaSuccess)
        error = cudaMemGetInfo(&free_bytes, &all_bytes);
    if (error != cudaSuccess)
        return fail_cuda(to, error, "asking the device");
    snprintf(d->name, sizeof d->name, "%.127s", properties.name);
    d->sm = 10 * properties.major + properties.minor;
    d->sms = properties.multiProcessorCount;
    d->memory_bytes = (double)all_bytes;
    d->free_bytes = (double)free_bytes;
    d->l2_bytes = properties.l2CacheSize;
    (void)cudaRuntimeGetVersion(&runtime);
    snprintf(d->runtime, sizeof d->runtime, "%d.%d", runtime / 1000, runtime % 1000 / 10);
    d->memory_mhz = attribute(s->index, cudaDevAttrMemoryClockRate) / 1000;
    /* Two transfers per clock. */
    d->bandwidth_gb_s = 2 * d->memory_mhz * attribute(s->index, cudaDevAttrGlobalMemoryBusWidth) / 8 / 1000;

    (void)cudaDeviceGetPCIBusId(bus, sizeof bus, s->index);
    nvml_open(&s->nvml, bus);
    nvml_driver_version(&s->nvml, d->driver, sizeof d->driver);
    d->clock_mhz = or_zero(nvml_highest_clock_mhz(&s->nvml));
    if (d->clock_mhz == 0)
        d->clock_mhz = attribute(s->index, cudaDevAttrClockRate) / 1000;
    d->power_cap_w = or_zero(nvml_power_cap_w(&s->nvml));
    d->has_power = isfinite(nvml_power_w(&s->nvml));
    d->has_energy = isfinite(nvml_energy_j(&s->nvml));
    if (d->sm < 75)
        return fail(to, SIMACC_CUDA_OLD_DEVICE, "'%s' has compute capability %d.%d", d->name,
                    properties.major, properties.minor);
    return SIMACC_CUDA_OK;
}

simacc_cuda_status prepare(simacc_cuda_session *s, const message &to)
{
    cudaError_t error = cudaStreamCreateWithFlags(&s->stream, cudaStreamNonBlocking);

    for (int i = 0; i < 2 && error == cudaSuccess; i++)
        error = cudaEventCreate(&s->events[i]);
    if (error == cudaSuccess)
        error = cudaMalloc((void **)&s->small, SMALL_BYTES);
    if (error == cudaSuccess)
        error = cudaMallocHost((void **)&s->small_host, SMALL_BYTES);
    return error == cudaSuccess ? SIMACC_CUDA_OK : fail_cuda(to, error, "setting up");
}

} // namespace

simacc_cuda_status session_open(int index, simacc_cuda_session **out, const message &to)
{
    simacc_cuda_status status = look_for_device(index, to);
    simacc_cuda_session *s;
    cudaError_t error;

    if (status != SIMACC_CUDA_OK)
        return status;
    error = cudaSetDevice(index);
    if (error == cudaSuccess)
        error = cudaFree(nullptr); /* makes the context */
    if (error != cudaSuccess)
        return fail_cuda(to, error, "starting the device");
    s = new (std::nothrow) simacc_cuda_session();
    if (!s)
        return fail(to, SIMACC_CUDA_FAILED, "out of host memory");
    s->index = index;
    s->idle_w = NAN;
    status = describe(s, to);
    if (status == SIMACC_CUDA_OK)
        status = prepare(s, to);
    if (status != SIMACC_CUDA_OK) {
        session_close(s);
        return status;
    }
    cublaslt_open(&s->cublaslt);
    list_kernels(s);
    *out = s;
    return SIMACC_CUDA_OK;
}

void session_close(simacc_cuda_session *s)
{
    if (!s)
        return;
    (void)cudaSetDevice(s->index);
    cublaslt_close(&s->cublaslt);
    if (s->memory)
        (void)cudaFree(s->memory);
    if (s->small)
        (void)cudaFree(s->small);
    if (s->small_host)
        (void)cudaFreeHost(s->small_host);
    for (cudaEvent_t event : s->events)
        if (event)
            (void)cudaEventDestroy(event);
    if (s->stream)
        (void)cudaStreamDestroy(s->stream);
    nvml_close(&s->nvml);
    delete s;
}

simacc_cuda_status session_reserve(simacc_cuda_session *s, int64_t bytes, const message &to)
{
    /* What the libraries, the driver and other processes may want meanwhile. */
    const double margin = 256.0 * 1048576;
    size_t free_bytes = 0, all_bytes = 0;
    cudaError_t error;

    if (bytes <= s->memory_bytes)
        return SIMACC_CUDA_OK;
    if (s->memory)
        (void)cudaFree(s->memory);
    s->memory = nullptr;
    s->memory_bytes = 0;
    error = cudaMemGetInfo(&free_bytes, &all_bytes);
    if (error != cudaSuccess)
        return fail_cuda(to, error, "asking for free memory");
    if ((double)bytes + margin > (double)free_bytes)
        return fail(to, SIMACC_CUDA_NO_MEMORY, "%.0f MiB of operands, %.0f MiB of the device are free",
                    (double)bytes / 1048576, (double)free_bytes / 1048576);
    error = cudaMalloc((void **)&s->memory, (size_t)bytes);
    if (error != cudaSuccess) {
        s->memory = nullptr;
        return fail_cuda(to, error, "memory for operands");
    }
    s->memory_bytes = bytes;
    return SIMACC_CUDA_OK;
}

} // namespace simacc
