#include "timing.h"

#include "stats.h"

#include <math.h>
#include <time.h>

namespace simacc
{

namespace
{

enum {
    SAMPLES_MAX = 400,
    CALLS_MAX = 4096,
    PROBE_PLACE = 1024, /* of the clock probe in session->small */
    SAMPLE_US = 500,    /* of a burst: events and the start of a graph cost some microseconds */
    CHUNK_US = 5000,    /* of sustained work */
    PROBE_NS = 50000,
    WAIT_NS = 20000,
};

double now_s()
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void pause_s(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&t, nullptr);
}

bool launch_calls(const simacc_cuda_session *s, const job &j, const job_memory &memory, int way, int calls,
                  int *set)
{
    for (int i = 0; i < calls; i++) {
        if (!j.launch(memory.base + *set * j.set_bytes, memory.work, way, s->stream))
            return false;
        *set = (*set + 1) % memory.sets;
    }
    return true;
}

/* Consecutive calls as one thing to launch: a graph, or the calls themselves where the device, the library or
 * the job does not let itself be captured. */
struct batch {
    const job *j;
    const job_memory *memory;
    int way, calls, set;
    cudaGraphExec_t graph;
};

void batch_make(simacc_cuda_session *s, const job &j, const job_memory &memory, int way, int calls,
                batch *out)
{
    cudaGraph_t graph = nullptr;

    *out = {&j, &memory, way, calls, 0, nullptr};
    if (j.from_host)
        return;
    if (cudaStreamBeginCapture(s->stream, cudaStreamCaptureModeRelaxed) == cudaSuccess) {
        int set = 0;
        bool launched = launch_calls(s, j, memory, way, calls, &set);
        bool ended = cudaStreamEndCapture(s->stream, &graph) == cudaSuccess && graph;

        if (!launched || !ended || cudaGraphInstantiateWithFlags(&out->graph, graph, 0) != cudaSuccess)
            out->graph = nullptr;
        if (graph)
            (void)cudaGraphDestroy(graph);
    }
    (void)cudaGetLastError();
}

void batch_free(batch *b)
{
    if (b->graph)
        (void)cudaGraphExecDestroy(b->graph);
    b->graph = nullptr;
}

cudaError_t batch_launch(const simacc_cuda_session *s, batch *b)
{
    if (b->graph)
        return cudaGraphLaunch(b->graph, s->stream);
    if (!launch_calls(s, *b->j, *b->memory, b->way, b->calls, &b->set))
        return cudaErrorLaunchFailure;
    return cudaGetLastError();
}

clock_probe *device_probe(const simacc_cuda_session *s)
{
    return (clock_probe *)(s->small + PROBE_PLACE);
}

/* MHz of the probe that was queued last; NaN when the timer did not run. Waits for the stream. */
double read_probe(simacc_cuda_session *s)
{
    clock_probe *host = (clock_probe *)(s->small_host + PROBE_PLACE);
    cudaError_t error =
        cudaMemcpyAsync(host, device_probe(s), sizeof *host, cudaMemcpyDeviceToHost, s->stream);

    if (error == cudaSuccess)
        error = cudaStreamSynchronize(s->stream);
    if (error != cudaSuccess || host->ns == 0)
        return NAN;
    double mhz = 1000.0 * (double)host->cycles / (double)host->ns;
    /* A timer that steps oddly, or a context switch in between. */
    return mhz > 50 && (s->device.clock_mhz <= 0 || mhz < 1.1 * s->device.clock_mhz) ? mhz : NAN;
}

struct mean {
    double sum;
    int count;

    void add(double value)
    {
        if (isfinite(value)) {
            sum += value;
            count++;
        }
    }

    double value() const
    {
        return count ? sum / count : NAN;
    }
};

void put_stats(double *samples, int count, simacc_cuda_measurement *out)
{
    sample_stats stats = stats_of(samples, count);

    out->latency_us = stats.median;
    out->least_us = stats.least;
    out->p90_us = stats.p90;
    out->spread_frac = stats.median > 0 ? (stats.p90 - stats.p10) / stats.median : NAN;
    out->samples = count;
}

/* At least as many calls as there are sets, or the caches would hold the few that are used. */
int calls_for(double call_us, double wanted_us, int sets)
{
    double calls = ceil(wanted_us / (call_us > 0.5 ? call_us : 0.5));

    return calls > CALLS_MAX ? CALLS_MAX : calls > sets ? (int)calls : sets;
}

} // namespace

simacc_cuda_status choose_way(simacc_cuda_session *s, const job &j, const job_memory &memory, int *way,
                              double *call_us, const message &to)
{
    double best_us = INFINITY;
    int best = -1, tried = j.ways;

    for (int candidate = 0; candidate < tried; candidate++) {
        float ms = 0;
        int set = 0;
        double least_us = INFINITY;
        cudaError_t error = cudaSuccess;

        if (!launch_calls(s, j, memory, candidate, 1, &set) || (error = cudaGetLastError()) != cudaSuccess) {
            (void)cudaGetLastError();
            continue;
        }
        for (int repeat = 0; repeat < 3 && error == cudaSuccess; repeat++) {
            /* Keeps the device busy until the call is queued: the host's time is not the kernel's. */
            launch_probe(device_probe(s), WAIT_NS, s->stream);
            error = cudaEventRecord(s->events[0], s->stream);
            if (error == cudaSuccess && !launch_calls(s, j, memory, candidate, 1, &set))
                error = cudaErrorLaunchFailure;
            if (error == cudaSuccess)
                error = cudaEventRecord(s->events[1], s->stream);
            if (error == cudaSuccess)
                error = cudaEventSynchronize(s->events[1]);
            if (error == cudaSuccess)
                error = cudaEventElapsedTime(&ms, s->events[0], s->events[1]);
            least_us = fmin(least_us, 1000.0 * (double)ms);
            /* Of long ones, one repeat and the first guesses are enough. */
            if (least_us > 3000)
                break;
        }
        if (error != cudaSuccess)
            return fail_cuda(to, error, "trying the ways to run the kernel");
        if (least_us < best_us) {
            best_us = least_us;
            best = candidate;
        }
        if (least_us > 3000 && tried > 3)
            tried = 3;
    }
    if (best < 0)
        return fail(to, SIMACC_CUDA_UNSUPPORTED, "no way of running the kernel is accepted by the device");
    *way = best;
    *call_us = best_us;
    return SIMACC_CUDA_OK;
}

simacc_cuda_status time_burst(simacc_cuda_session *s, const job &j, const job_memory &memory, int way,
                              double call_us, double timed_s, simacc_cuda_measurement *out, const message &to)
{
    double samples[SAMPLES_MAX], begun_s;
    int calls = calls_for(call_us, SAMPLE_US, memory.sets), count = 0;
    int least_samples = call_us * calls > 20000 ? 3 : 7;
    mean clock = {};
    batch b;
    cudaError_t error;

    batch_make(s, j, memory, way, calls, &b);
    error = batch_launch(s, &b); /* warm-up: code, tables of addresses, clock */
    if (error == cudaSuccess)
        error = cudaStreamSynchronize(s->stream);
    begun_s = now_s();
    while (error == cudaSuccess && count < SAMPLES_MAX &&
           (count < least_samples || now_s() - begun_s < timed_s)) {
        float ms = 0;

        /* The probe reads the clock of the sample before, and keeps the device busy while the sample is
         * queued. */
        launch_probe(device_probe(s), PROBE_NS, s->stream);
        error = cudaEventRecord(s->events[0], s->stream);
        if (error == cudaSuccess)
            error = batch_launch(s, &b);
        if (error == cudaSuccess)
            error = cudaEventRecord(s->events[1], s->stream);
        if (error == cudaSuccess)
            error = cudaEventSynchronize(s->events[1]);
        if (error == cudaSuccess)
            error = cudaEventElapsedTime(&ms, s->events[0], s->events[1]);
        samples[count++] = 1000.0 * (double)ms / calls;
        if (error == cudaSuccess)
            clock.add(read_probe(s));
    }
    out->from_graph = b.graph != nullptr;
    batch_free(&b);
    if (error != cudaSuccess)
        return fail_cuda(to, error, "timing");
    put_stats(samples, count, out);
    out->calls_per_sample = calls;
    out->clock_mhz = clock.count ? clock.value() : nvml_clock_mhz(&s->nvml);
    out->temperature_c = nvml_temperature_c(&s->nvml);
    return SIMACC_CUDA_OK;
}

namespace
{

/* The energy counter between two of its steps: joules and seconds. Power readings stand in where there is no
 * counter. */
struct energy_meter {
    const nvml_device *nvml;
    bool counts, started;
    double last_j, first_j, first_s, end_j, end_s;
    mean power;

    explicit energy_meter(const simacc_cuda_session *s)
        : nvml(&s->nvml), counts(s->device.has_energy != 0), started(false), last_j(NAN), first_j(0),
          first_s(0), end_j(0), end_s(0), power()
    {
    }

    /* True when the counter has stepped since the last look; without a counter always. */
    bool look()
    {
        if (!counts) {
            power.add(nvml_power_w(nvml));
            return true;
        }
        double joules = nvml_energy_j(nvml);
        bool stepped = isfinite(last_j) && joules != last_j;
        last_j = joules;
        if (!stepped)
            return false;
        if (!started) {
            started = true;
            first_j = joules;
            first_s = now_s();
        }
        end_j = joules;
        end_s = now_s();
        return true;
    }

    double watts() const
    {
        if (!counts)
            return power.value();
        return end_s > first_s ? (end_j - first_j) / (end_s - first_s) : NAN;
    }
};

/* Board power with nothing to do, once per session: after a pause, over most of a second. */
void measure_idle(simacc_cuda_session *s)
{
    if (isfinite(s->idle_w) || (!s->device.has_energy && !s->device.has_power))
        return;
    (void)cudaStreamSynchronize(s->stream);
    pause_s(0.5);
    energy_meter meter(s);
    for (double begun_s = now_s(); now_s() - begun_s < 0.8; pause_s(0.005))
        (void)meter.look();
    s->idle_w = meter.watts();
}

} // namespace

simacc_cuda_status time_sustained(simacc_cuda_session *s, const job &j, const job_memory &memory, int way,
                                  double call_us, double timed_s, simacc_cuda_measurement *out,
                                  const message &to)
{
    const double warm_s = 0.5;
    double samples[SAMPLES_MAX], begun_s;
    int calls = calls_for(call_us, CHUNK_US, memory.sets), count = 0, chunks = 0;
    mean clock = {}, chunk_us = {};
    batch b;
    cudaError_t error = cudaSuccess;

    measure_idle(s);
    batch_make(s, j, memory, way, calls, &b);
    energy_meter meter(s);
    begun_s = now_s();
    while (error == cudaSuccess) {
        double elapsed_s = now_s() - begun_s;
        bool warm = elapsed_s >= warm_s, stepped = false;
        float ms = 0;

        if (warm)
            stepped = meter.look();
        /* Ends at a step of the counter, or, should it stand still, soon after. */
        if (elapsed_s > warm_s + timed_s + 1 || (stepped && elapsed_s >= warm_s + timed_s && count >= 3))
            break;
        /* A second batch keeps the device busy while the first one's time is read. */
        error = cudaEventRecord(s->events[0], s->stream);
        if (error == cudaSuccess)
            error = batch_launch(s, &b);
        if (error == cudaSuccess)
            error = cudaEventRecord(s->events[1], s->stream);
        if (error == cudaSuccess)
            error = batch_launch(s, &b);
        if (error == cudaSuccess && chunks % 16 == 0)
            launch_probe(device_probe(s), PROBE_NS, s->stream);
        if (error == cudaSuccess)
            error = cudaEventSynchronize(s->events[1]);
        if (error == cudaSuccess)
            error = cudaEventElapsedTime(&ms, s->events[0], s->events[1]);
        if (error == cudaSuccess && warm) {
            /* All count for the mean; the latest SAMPLES_MAX for the median. */
            samples[count % SAMPLES_MAX] = 1000.0 * (double)ms / calls;
            count++;
            chunk_us.add(1000.0 * (double)ms / calls);
            if (chunks % 16 == 0)
                clock.add(read_probe(s));
        }
        chunks++;
    }
    if (error == cudaSuccess)
        error = cudaStreamSynchronize(s->stream);
    out->from_graph = b.graph != nullptr;
    batch_free(&b);
    if (error != cudaSuccess)
        return fail_cuda(to, error, "timing");
    if (count == 0)
        return fail(to, SIMACC_CUDA_FAILED, "no sample in %.1f s", timed_s);
    put_stats(samples, count < SAMPLES_MAX ? count : SAMPLES_MAX, out);
    out->calls_per_sample = calls;
    out->clock_mhz = clock.count ? clock.value() : nvml_clock_mhz(&s->nvml);
    out->temperature_c = nvml_temperature_c(&s->nvml);
    out->power_w = meter.watts();
    out->idle_w = s->idle_w;
    /* W us = uJ; the mean time, because that is what the energy was drawn over. */
    out->energy_mj = (out->power_w - out->idle_w) * chunk_us.value() * 1e-3;
    return SIMACC_CUDA_OK;
}

} // namespace simacc
