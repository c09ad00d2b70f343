/* The whole plug-in on the emulator: sessions, jobs, checks, choices, graphs and timing, with a made-up
 * runtime and made-up libraries. Times mean nothing here; that every kernel is run with the right operands,
 * judged, and that wrong results and missing things are noticed, does. */
#include "cuda_ref/simacc_cuda.h"

#include "emulator.h"
#include "fake/cuda_runtime_api.h"
#include "fake/libraries.h"

#include "check.h"

#include <math.h>
#include <string.h>
#include <time.h>

extern "C" const simacc_cuda_api *simacc_cuda_plugin(void);

namespace
{

const simacc_cuda_api *api;
char text[256];

double board_power_w()
{
    return 30;
}

void healthy(int sm)
{
    fake = {13000, 13000, 1, cudaSuccess, sm, 64e6 + 256.0 * 1048576, true, 0};
    fakes = {};
    fakes.power_w = board_power_w;
}

simacc_cuda_status open_with(simacc_cuda_session **session, simacc_cuda_device *device, int index = 0)
{
    text[0] = '\0';
    *session = nullptr;
    return api->open(index, session, device, text, sizeof text);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

void fails_to_open(simacc_cuda_status wanted, const char *words, int index = 0)
{
    simacc_cuda_session *session;
    simacc_cuda_device device;
    simacc_cuda_status status = open_with(&session, &device, index);

    check(status == wanted && !session && strstr(text, words), "open: status %d, '%s'", (int)status, text);
    check(fake.allocated_bytes == 0, "memory is given back");
}

void opening(int sm)
{
    simacc_cuda_session *session;
    simacc_cuda_device device;

    healthy(sm);
    fake.driver = 0;
    fails_to_open(SIMACC_CUDA_NO_DRIVER, "libcuda");
    healthy(sm);
    fake.count_error = cudaErrorInitializationError;
    fails_to_open(SIMACC_CUDA_NO_DRIVER, "made-up");
    healthy(sm);
    fake.driver = 12020;
    fake.count_error = cudaErrorInsufficientDriver;
    fails_to_open(SIMACC_CUDA_DRIVER_TOO_OLD, "CUDA 12.2, the plug-in for 13.0");
    healthy(sm);
    fake.count = 0;
    fake.count_error = cudaErrorNoDevice;
    fails_to_open(SIMACC_CUDA_NO_DEVICE, "none");
    healthy(sm);
    fails_to_open(SIMACC_CUDA_NO_DEVICE, "no device 1", 1);
    healthy(70);
    fails_to_open(SIMACC_CUDA_OLD_DEVICE, "capability 7.0");

    healthy(sm);
    check(open_with(&session, &device) == SIMACC_CUDA_OK, "open: %s", text);
    check(device.sm == sm && device.sms == 4 && device.bandwidth_gb_s > 320 && device.bandwidth_gb_s < 321,
          "the device");
    check(device.clock_mhz == 1200 && device.power_cap_w == 70 && device.has_energy && device.has_power,
          "its board");
    check(strcmp(device.driver, "1.2") == 0 && strcmp(device.runtime, "13.0") == 0, "its driver");
    api->close(session);
    api->close(nullptr);
    check(fake.allocated_bytes == 0, "memory is given back");
}

/* ---- measuring -------------------------------------------------------------------------------------- */

simacc_cuda_status measure(simacc_cuda_session *session, const char *kernel, const char *impl, int64_t m,
                           int64_t n, int64_t k, int how, simacc_cuda_measurement *got, int64_t batch = 1,
                           int regime = SIMACC_CUDA_BURST, double timed_s = 0.001)
{
    simacc_cuda_request request = {kernel, impl, m, n, k, batch, regime, how, timed_s, 3};

    text[0] = '\0';
    return api->measure(session, &request, got, text, sizeof text);
}

void every_kernel(simacc_cuda_session *session, int sm)
{
    const int64_t shapes[][3] = {{1, 1, 1}, {3, 33, 129}, {16, 95, 300}, {17, 65, 257}, {40, 136, 128}};
    simacc_cuda_measurement got;
    int count, available = 0;
    const simacc_cuda_kernel *kernels = api->kernels(session, &count);

    for (int i = 0; i < count; i++) {
        if (!kernels[i].available) {
            check(sm < 89 && strlen(kernels[i].why_not) > 10, "%s is not available", kernels[i].name);
            check(measure(session, kernels[i].name, kernels[i].impl, 8, 8, 8, SIMACC_CUDA_CHECKED, &got) ==
                      SIMACC_CUDA_UNSUPPORTED,
                  "%s is refused", kernels[i].name);
            continue;
        }
        available++;
        for (auto &s : shapes) {
            bool empty = strcmp(kernels[i].name, "empty") == 0;
            int64_t outputs = s[0] * s[1];
            simacc_cuda_status status = measure(session, kernels[i].name, kernels[i].impl, s[0], s[1],
                                                kernels[i].is_gemm ? s[2] : 0, SIMACC_CUDA_CHECK_ONLY, &got);

            check(status == SIMACC_CUDA_OK, "%s (%s) %d %d %d: %s", kernels[i].name, kernels[i].impl,
                  (int)s[0], (int)s[1], (int)s[2], text);
            check(empty ? got.checked == 0 : got.checked >= outputs, "%s is checked", kernels[i].name);
            check(got.error_frac <= 1 && isnan(got.latency_us) && isnan(got.energy_mj), "%s: error %g",
                  kernels[i].name, got.error_frac);
            check(got.macs == (kernels[i].is_gemm ? (double)(s[0] * s[1] * s[2]) : 0), "%s: macs",
                  kernels[i].name);
            if (strcmp(kernels[i].name, "gemm_w8a8") == 0)
                check(got.error_frac == 0 && got.error_abs == 0, "integers are exact");
        }
    }
    check(available == (sm >= 90 ? 18 : sm >= 80 ? 17 : 16), "%d kernels on sm_%d", available, sm);
    check(measure(session, "gemm_fp16", "cublaslt", 5, 9, 40, SIMACC_CUDA_CHECK_ONLY, &got, 3) ==
                  SIMACC_CUDA_OK &&
              got.checked >= 3 * 5 * 9,
          "three products at once: %s", text);
}

void timing(simacc_cuda_session *session)
{
    simacc_cuda_measurement got;

    for (int capture = 0; capture < 2; capture++) {
        fake.capture = capture != 0;
        check(measure(session, "residual", nullptr, 2, 64, 0, SIMACC_CUDA_CHECKED, &got) == SIMACC_CUDA_OK,
              "%s", text);
        check(got.latency_us > 0 && got.least_us > 0 && got.least_us <= got.latency_us &&
                  got.latency_us <= got.p90_us,
              "times %g %g %g", got.least_us, got.latency_us, got.p90_us);
        check(got.samples >= 3 && got.calls_per_sample >= 1 && got.from_graph == capture, "samples %d",
              (int)got.samples);
        check(got.clock_mhz > 900 && got.clock_mhz < 1100 && got.temperature_c == 44, "clock %g",
              got.clock_mhz);
        check(got.checked >= 128 && isnan(got.energy_mj) && got.bytes == 2 * 64 * 6, "the rest of it");
    }
    check(measure(session, "gemm_w8a8", "simacc", 4, 40, 128, SIMACC_CUDA_UNCHECKED, &got) ==
                  SIMACC_CUDA_OK &&
              got.checked == 0 && got.latency_us > 0,
          "unchecked: %s", text);
    check(measure(session, "empty", "simacc", 1, 1, 0, SIMACC_CUDA_CHECKED, &got) == SIMACC_CUDA_OK &&
              !got.from_graph && got.latency_us > 0,
          "empty from the host: %s", text);
    check(measure(session, "empty", "simacc_graph", 1, 1, 0, SIMACC_CUDA_CHECKED, &got) == SIMACC_CUDA_OK &&
              got.from_graph,
          "empty from a graph: %s", text);

    /* Idle and busy draw the same here: no energy is left. Bounds are wide, for machines that do other
     * things. */
    check(measure(session, "residual", nullptr, 2, 64, 0, SIMACC_CUDA_UNCHECKED, &got, 1,
                  SIMACC_CUDA_SUSTAINED, 0.4) == SIMACC_CUDA_OK,
          "%s", text);
    check(fabs(got.power_w - 30) < 15 && fabs(got.idle_w - 30) < 15, "power %g, idle %g", got.power_w,
          got.idle_w);
    check(fabs(got.energy_mj) < 0.03 * got.p90_us, "energy %g of %g us", got.energy_mj, got.latency_us);
    fakes.power_w = [] { return 230.0; };
    check(measure(session, "residual", nullptr, 2, 64, 0, SIMACC_CUDA_UNCHECKED, &got, 1,
                  SIMACC_CUDA_SUSTAINED, 0.4) == SIMACC_CUDA_OK,
          "%s", text);
    /* 200 W for a call's time: 0.2 mJ per microsecond. */
    check(fabs(got.power_w - 230) < 115 && got.energy_mj > 0.06 * got.least_us,
          "power %g, energy %g of %g us", got.power_w, got.energy_mj, got.latency_us);
}

void mistakes(simacc_cuda_session *session)
{
    simacc_cuda_measurement got;

    check(measure(session, "gemm_int3", nullptr, 1, 1, 1, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT &&
              strstr(text, "gemm_int3"),
          "%s", text);
    check(measure(session, nullptr, nullptr, 1, 1, 1, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT, "no kernel");
    check(measure(session, "gemm_fp16", "simacc", 1, 1, 1, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT,
          "no such impl");
    check(measure(session, "gemm_fp16", nullptr, 0, 1, 1, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT, "no rows");
    check(measure(session, "gemm_fp16", nullptr, 1, 1, 0, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT, "no k");
    check(measure(session, "softmax", nullptr, 1, -4, 0, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT, "negative");
    check(measure(session, "gemm_fp16", nullptr, (int64_t)1 << 40, 1, 1, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT,
          "huge");
    check(measure(session, "gemm_fp32", nullptr, 1 << 30, 1, 1 << 30, 1, &got) == SIMACC_CUDA_BAD_ARGUMENT &&
              measure(session, "gemm_fp32", nullptr, 1, 1 << 30, 1 << 30, 1, &got) ==
                  SIMACC_CUDA_BAD_ARGUMENT,
          "bytes beyond 64 bits");
    check(measure(session, "gemm_w4a16", nullptr, 2, 2, 2, 1, &got, 4) == SIMACC_CUDA_UNSUPPORTED, "batches");
    check(measure(session, "gemm_w8a8", "simacc", 8, 8, 1 << 18, 1, &got) == SIMACC_CUDA_UNSUPPORTED,
          "a long k");
    check(measure(session, "copy", nullptr, 40000, 4096, 0, 1, &got) == SIMACC_CUDA_NO_MEMORY &&
              strstr(text, "MiB"),
          "too large: %s", text);
    /* And the session goes on. */
    check(measure(session, "copy", nullptr, 4, 40, 0, SIMACC_CUDA_CHECK_ONLY, &got) == SIMACC_CUDA_OK, "%s",
          text);

    fakes.wrong = true;
    for (const char *kernel : {"gemm_fp16", "gemm_w8a8", "gemm_fp32"})
        for (int how : {SIMACC_CUDA_CHECKED, SIMACC_CUDA_CHECK_ONLY})
            check(measure(session, kernel, "cublaslt", 3, 16, 32, how, &got) == SIMACC_CUDA_WRONG_RESULT &&
                      isnan(got.latency_us) && strstr(text, "outside the bound"),
                  "%s: %s", kernel, text);
    fakes.wrong = false;
    fakes.refuse_first = true;
    check(measure(session, "gemm_fp16", nullptr, 3, 16, 32, SIMACC_CUDA_CHECKED, &got) == SIMACC_CUDA_OK &&
              got.latency_us > 0,
          "the other way is taken: %s", text);
    check(measure(session, "gemm_fp16", nullptr, 3, 16, 32, SIMACC_CUDA_CHECK_ONLY, &got) == SIMACC_CUDA_OK,
          "the other way is checked: %s", text);
    fakes.refuse_first = false;
}

/* Power readings stand in for a counter that is not there. */
void without_counter(int sm)
{
    simacc_cuda_session *session;
    simacc_cuda_device device;
    simacc_cuda_measurement got;

    healthy(sm);
    fakes.no_counter = true;
    check(open_with(&session, &device) == SIMACC_CUDA_OK && !device.has_energy && device.has_power, "%s",
          text);
    check(measure(session, "residual", nullptr, 2, 64, 0, SIMACC_CUDA_UNCHECKED, &got, 1,
                  SIMACC_CUDA_SUSTAINED, 0.1) == SIMACC_CUDA_OK,
          "%s", text);
    check(got.power_w == 30 && got.idle_w == 30 && got.energy_mj == 0, "power %g, idle %g, energy %g",
          got.power_w, got.idle_w, got.energy_mj);
    api->close(session);
}

void without_cublaslt(int sm)
{
    simacc_cuda_session *session;
    simacc_cuda_device device;
    simacc_cuda_measurement got;
    int count;

    healthy(sm);
    fakes.no_cublaslt = true;
    check(open_with(&session, &device) == SIMACC_CUDA_OK, "%s", text);
    const simacc_cuda_kernel *kernels = api->kernels(session, &count);
    for (int i = 0; i < count; i++)
        check(kernels[i].available == (strcmp(kernels[i].impl, "cublaslt") != 0), "%s (%s)", kernels[i].name,
              kernels[i].impl);
    check(measure(session, "gemm_w8a8", nullptr, 3, 16, 32, SIMACC_CUDA_CHECKED, &got) == SIMACC_CUDA_OK,
          "another implementation is taken: %s", text);
    check(measure(session, "gemm_fp16", "cublaslt", 3, 16, 32, SIMACC_CUDA_CHECKED, &got) ==
                  SIMACC_CUDA_UNSUPPORTED &&
              strstr(text, "no fake"),
          "%s", text);
    api->close(session);
}

} // namespace

int main()
{
    const int sm = SIMACC_EMULATE_SM;
    simacc_cuda_session *session;
    simacc_cuda_device device;

    api = simacc_cuda_plugin();
    check(api->abi == SIMACC_CUDA_ABI, "interface version");
    opening(sm);
    healthy(sm);
    check(open_with(&session, &device) == SIMACC_CUDA_OK, "%s", text);
    simacc::emulator_late = true;
    simacc::emulator_order = 1;
    every_kernel(session, sm);
    timing(session);
    mistakes(session);
    api->close(session);
    check(fake.allocated_bytes == 0, "memory is given back");
    without_counter(sm);
    without_cublaslt(sm);
    check(simacc::emulator_complaints == 0, "the emulator has %d complaints", simacc::emulator_complaints);
    return check_summary();
}
