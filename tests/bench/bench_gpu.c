/* The law of GPU kernels: what one GEMM costs to time, and where latency falls although a dimension grows.
 *
 *   bench_gpu SOURCE_DIR [ARCH.cfg ...]      (default: t4.cfg a100.cfg h100.cfg)
 *
 * GPUs are exempt from latency that grows with m, n and k: a larger product may fill its last wave better, or
 * use a larger tile or another split of k. stdout: CSV of the points where the next larger value of a
 * dimension is faster by more than 0.5%, over products of LLM layers. stderr: time per GEMM. Exit status 1
 * when one takes more than a microsecond per tile, 2 after an error. */
#include "input/arch.h"

#include <stdio.h>
#include <time.h>

enum { SWEEP_MOST = 2048 };

static const double fall_frac = 0.005, limit_us_per_tile = 1;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double us_of(const sim_gpu_rates *rates, const sim_gpu_kernel *kernel, const int64_t extent[3])
{
    const sim_gpu_gemm gemm = {.m = extent[0],
                               .n = extent[1],
                               .k = extent[2],
                               .batch = 1,
                               .a_bytes = 2,
                               .w_bytes = 2,
                               .out_bytes = 2};
    sim_gpu_time time;

    sim_gpu_gemm_time(rates, kernel, &gemm, &time);
    return time.us;
}

/* Along each dimension in steps of 1 (m) or 64 (n, k). Returns the GEMMs timed. */
static int64_t list_falls(const sim_arch *arch, const sim_gpu_rates *rates, const sim_gpu_kernel *kernel)
{
    static const int64_t shapes[][3] = {{1, 4096, 4096},   {64, 4096, 4096}, {1, 11008, 4096},
                                        {512, 5120, 5120}, {16, 1024, 8192}, {2048, 4096, 11008}};
    static const char dims[] = "mnk";
    int64_t count = 0;

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int d = 0; d < 3; d++) {
            int64_t extent[3] = {shapes[s][0], shapes[s][1], shapes[s][2]};
            const int64_t step = d == 0 ? 1 : 64;
            double before = 0;

            extent[d] = step;
            for (int i = 0; i < SWEEP_MOST; i++, extent[d] += step, count++) {
                const double us = us_of(rates, kernel, extent);

                if (us < before * (1 - fall_frac))
                    printf("%s,%lld,%lld,%lld,%c,%.4g,%.4g,%.2f\n", arch->name, (long long)extent[0],
                           (long long)extent[1], (long long)extent[2], dims[d], before, us,
                           100 * (1 - us / before));
                before = us;
            }
        }
    return count;
}

static int bench(const char *path)
{
    sim_err err = {0};
    sim_arena arena;
    sim_arch arch;
    sim_gpu_kernel kernel;
    sim_gpu_rates rates;
    double start_s, us;
    int64_t count;

    sim_arena_init(&arena, NULL);
    if (sim_arch_load(path, NULL, 0, &arena, &arch, &err) != SIM_OK || !arch.backend->kernels) {
        fprintf(stderr, "%s: %s\n", path, err.count ? err.items[0].text : "no GPU");
        sim_arena_free(&arena);
        return 2;
    }
    sim_gpu_kernel_on(&arch, SIM_KERNEL_GEMM_FP16, &kernel);
    sim_gpu_rates_for(&arch, &kernel, SIM_GPU_FP16, &rates);
    start_s = now_s();
    count = list_falls(&arch, &rates, &kernel);
    us = (now_s() - start_s) * 1e6 / (double)count;
    fprintf(stderr, "%s: %.3f us per GEMM over %lld, %d tiles\n", arch.name, us, (long long)count,
            kernel.tile_count);
    us /= kernel.tile_count;
    sim_arena_free(&arena);
    return us > limit_us_per_tile;
}

int main(int argc, char **argv)
{
    static const char *const defaults[] = {"t4", "a100", "h100"};
    int worst = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_gpu SOURCE_DIR [ARCH.cfg ...]\n");
        return 2;
    }
    printf("arch,m,n,k,dimension,before_us,after_us,fall_pct\n");
    for (int i = 0; i < (argc > 2 ? argc - 2 : 3); i++) {
        char path[4096];
        int status;

        snprintf(path, sizeof path, "%s/arch/%s.cfg", argv[1], defaults[i % 3]);
        status = bench(argc > 2 ? argv[i + 2] : path);
        worst = status > worst ? status : worst;
    }
    return worst;
}
