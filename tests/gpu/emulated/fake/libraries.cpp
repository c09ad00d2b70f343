/* cuBLASLt and NVML as the plug-in's own headers have them, made up: plain loops, and a board that draws what
 * the tests say, with a counter that steps every 20 ms. */
#include "libraries.h"

#include "cuda_ref/cublaslt.h"
#include "cuda_ref/kernels/numbers.h"
#include "cuda_ref/nvml.h"

#include <stdio.h>
#include <time.h>

fake_libraries fakes;

namespace simacc
{

struct cublaslt_functions {
    int unused;
};

struct cublaslt_plan {
    cublaslt_shape shape;
};

void cublaslt_open(cublaslt_library *library)
{
    *library = {};
    if (fakes.no_cublaslt)
        snprintf(library->why_not, sizeof library->why_not, "there is no fake cuBLASLt");
    else
        library->functions = new cublaslt_functions();
}

void cublaslt_close(cublaslt_library *library)
{
    delete library->functions;
    *library = {};
}

cublaslt_plan *cublaslt_plan_make(const cublaslt_library *, const cublaslt_shape *shape, int *ways, char *why,
                                  int size)
{
    bool padded = shape->format != CUBLASLT_INT8_TO_INT32 || (shape->n % 4 == 0 && shape->k % 4 == 0);

    if (shape->format == CUBLASLT_E4M3_TO_FP16)
        padded = shape->m % 16 == 0 && shape->n % 16 == 0 && shape->k % 16 == 0;
    *ways = padded ? 2 : 0;
    snprintf(why, (size_t)size, "extents are not what the library asks for");
    return padded ? new cublaslt_plan{*shape} : nullptr;
}

void cublaslt_plan_free(cublaslt_plan *plan)
{
    delete plan;
}

static void product(const cublaslt_shape &s, const void *a, const void *w, void *out)
{
    static const number_type in_types[] = {NUMBER_FP16, NUMBER_BF16, NUMBER_FP32, NUMBER_E4M3, NUMBER_INT8};
    static const number_type out_types[] = {NUMBER_FP16, NUMBER_BF16, NUMBER_FP32, NUMBER_FP16, NUMBER_INT32};
    number_type in = in_types[s.format], result = out_types[s.format];

    for (int64_t b = 0; b < s.batch; b++)
        for (int64_t m = 0; m < s.m; m++)
            for (int64_t n = 0; n < s.n; n++) {
                double sum = 0;

                for (int64_t k = 0; k < s.k; k++)
                    sum += number_at(a, in, b * s.a_batch + m * s.a_stride + k) *
                           number_at(w, in, b * s.w_batch + n * s.w_stride + k);
                number_put(out, result, b * s.out_batch + m * s.out_stride + n,
                           sum + (fakes.wrong && m + n == 0 ? 5000 : 0));
            }
}

/* With refuse_first the first way is refused, as a library may do with what it offered. */
bool cublaslt_run(const cublaslt_plan *plan, int way, const void *a, const void *w, void *out, void *,
                  cudaStream_t)
{
    cublaslt_shape shape = plan->shape;

    if (way == 0 && fakes.refuse_first)
        return false;
    emulator_queue([=] { product(shape, a, w, out); });
    return true;
}

/* ---- NVML ------------------------------------------------------------------------------------------- */

static double now_s()
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void nvml_open(nvml_device *device, const char *)
{
    *device = {};
}

void nvml_close(nvml_device *)
{
}

double nvml_energy_j(const nvml_device *)
{
    static double last_s, joules;
    double at_s = (double)(int64_t)(now_s() / 0.02) * 0.02;

    if (fakes.no_counter)
        return NAN;
    if (last_s > 0)
        joules += (at_s - last_s) * fakes.power_w();
    last_s = at_s;
    return joules;
}

double nvml_power_w(const nvml_device *)
{
    return fakes.power_w();
}

double nvml_clock_mhz(const nvml_device *)
{
    return 1000;
}

double nvml_highest_clock_mhz(const nvml_device *)
{
    return 1200;
}

double nvml_temperature_c(const nvml_device *)
{
    return 44;
}

double nvml_power_cap_w(const nvml_device *)
{
    return 70;
}

void nvml_driver_version(const nvml_device *, char *out, unsigned size)
{
    snprintf(out, size, "1.2");
}

} // namespace simacc
