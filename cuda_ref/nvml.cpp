#include "nvml.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

namespace simacc
{

namespace
{

/* Of nvml.h: nvmlReturn_t is an int and 0 success, nvmlDevice_t a pointer, clock type 1 the SM clock,
 * temperature sensor 0 the GPU. */
enum { SUCCESS = 0, CLOCK_SM = 1, SENSOR_GPU = 0 };
enum { ENERGY, POWER, CLOCK, HIGHEST_CLOCK, TEMPERATURE, POWER_CAP, SHUTDOWN };

const char *const names[] = {
    "nvmlDeviceGetTotalEnergyConsumption", /* (device, unsigned long long *millijoules) */
    "nvmlDeviceGetPowerUsage",             /* (device, unsigned *milliwatts) */
    "nvmlDeviceGetClockInfo",              /* (device, clock type, unsigned *mhz) */
    "nvmlDeviceGetMaxClockInfo",           /* the same */
    "nvmlDeviceGetTemperature",            /* (device, sensor, unsigned *celsius) */
    "nvmlDeviceGetEnforcedPowerLimit",     /* (device, unsigned *milliwatts) */
    "nvmlShutdown",
};

template <class Function> Function symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    Function function;

    memcpy(&function, &found, sizeof function);
    return function;
}

template <class Function> Function function_of(const nvml_device *device, int index)
{
    Function function;

    memcpy(&function, &device->functions[index], sizeof function);
    return function;
}

double plain(const nvml_device *device, int index, double unit)
{
    unsigned value = 0;

    if (!device->handle || !device->functions[index])
        return NAN;
    auto function = function_of<int (*)(void *, unsigned *)>(device, index);
    return function(device->handle, &value) == SUCCESS ? value * unit : NAN;
}

double of_type(const nvml_device *device, int index, int type)
{
    unsigned value = 0;

    if (!device->handle || !device->functions[index])
        return NAN;
    auto function = function_of<int (*)(void *, int, unsigned *)>(device, index);
    return function(device->handle, type, &value) == SUCCESS ? value : NAN;
}

} // namespace

void nvml_open(nvml_device *device, const char *bus)
{
    *device = {};
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    auto start = symbol<int (*)()>(library, "nvmlInit_v2");
    auto find = symbol<int (*)(const char *, void **)>(library, "nvmlDeviceGetHandleByPciBusId_v2");
    if (!start || !find || start() != SUCCESS) {
        dlclose(library);
        return;
    }
    device->dl_handle = library;
    for (int i = 0; i <= SHUTDOWN; i++)
        device->functions[i] = dlsym(library, names[i]);
    if (find(bus, &device->handle) != SUCCESS)
        device->handle = nullptr;
}

void nvml_close(nvml_device *device)
{
    if (device->dl_handle) {
        if (device->functions[SHUTDOWN])
            function_of<int (*)()>(device, SHUTDOWN)();
        dlclose(device->dl_handle);
    }
    *device = {};
}

double nvml_energy_j(const nvml_device *device)
{
    unsigned long long value = 0;

    if (!device->handle || !device->functions[ENERGY])
        return NAN;
    auto function = function_of<int (*)(void *, unsigned long long *)>(device, ENERGY);
    return function(device->handle, &value) == SUCCESS ? (double)value * 1e-3 : NAN;
}

double nvml_power_w(const nvml_device *device)
{
    return plain(device, POWER, 1e-3);
}

double nvml_clock_mhz(const nvml_device *device)
{
    return of_type(device, CLOCK, CLOCK_SM);
}

double nvml_highest_clock_mhz(const nvml_device *device)
{
    return of_type(device, HIGHEST_CLOCK, CLOCK_SM);
}

double nvml_temperature_c(const nvml_device *device)
{
    return of_type(device, TEMPERATURE, SENSOR_GPU);
}

double nvml_power_cap_w(const nvml_device *device)
{
    return plain(device, POWER_CAP, 1e-3);
}

void nvml_driver_version(const nvml_device *device, char *out, unsigned size)
{
    out[0] = '\0';
    if (!device->dl_handle)
        return;
    auto version = symbol<int (*)(char *, unsigned)>(device->dl_handle, "nvmlSystemGetDriverVersion");
    if (!version || version(out, size) != SUCCESS)
        out[0] = '\0';
}

} // namespace simacc
