/* NVML by dlopen, with prototypes of our own: nvml.h is not in every toolkit, and a machine may lack the
 * library. Every reading is NaN where it cannot be had. */
#ifndef SIMACC_NVML_H
#define SIMACC_NVML_H

namespace simacc
{

struct nvml_device {
    void *dl_handle;    /* of dlopen; NULL: no NVML */
    void *handle;       /* nvmlDevice_t; NULL: no readings */
    void *functions[7]; /* in the order of the readings below, and shutdown */
};

/* `bus`: "0000:3b:00.0", as the CUDA runtime gives it. Without NVML the device has no readings. */
void nvml_open(nvml_device *device, const char *bus);
void nvml_close(nvml_device *device);

/* Joules since the driver was loaded. Rises in steps, tens of milliseconds apart. What is behind it is
 * sampled: on A100 and H100 a quarter of the time (Yang, Adamek and Armour, SC 2024, arXiv 2312.02741), so
 * that only loads that are steady for seconds are measured right. */
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
