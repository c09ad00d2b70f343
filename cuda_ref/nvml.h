/* NVML by dlopen, with prototypes of our own: nvml.h is not in every toolkit, and a machine may lack the library. Every
 * reading is NaN where it cannot be had. */
#ifndef SIMACC_NVML_H
#define SIMACC_NVML_H

namespace simacc
{

struct nvml_device {
    void *library, *handle;
    void *functions[7]; /* in the order of the readings below, and shutdown */
};

/* `bus`: "0000:3b:00.0", as the CUDA runtime gives it. Leaves a device without readings when there is no NVML. */
void nvml_open(nvml_device *device, const char *bus);
void nvml_close(nvml_device *device);

/* Joules since the driver was loaded; rises in steps every 20 to 100 ms. */
double nvml_energy_j(const nvml_device *device);
double nvml_power_w(const nvml_device *device);
double nvml_clock_mhz(const nvml_device *device);         /* SM clock now */
double nvml_highest_clock_mhz(const nvml_device *device); /* SM clock at most */
double nvml_temperature_c(const nvml_device *device);
double nvml_power_cap_w(const nvml_device *device); /* enforced limit */

/* Version of the installed driver, "" when NVML is not there. */
void nvml_driver_version(const nvml_device *device, char *out, unsigned size);

} // namespace simacc

#endif
