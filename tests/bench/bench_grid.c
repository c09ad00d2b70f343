/* A grid of bits on an LLM: decode and prefill of Llama-2-7B at every (w, a) of {2, 3, 4, 5, 6, 8, 16},
 * through the public API, as someone who searches for bits would ask. One thread; no cell knows of another.
 *
 *   bench_grid SOURCE_DIR [ARCH.cfg ...]      (default: edge.cfg and edge_systolic.cfg)
 *
 * stdout: one CSV line per cell, empty where the machine does not take such operands. stderr: the time of
 * each grid, and its slowest cell. Exit status 1 when a grid took longer than a second, 2 after an error. */
#include "simacc.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define GRID_LIMIT_S 1.0

static const int widths[] = {2, 3, 4, 5, 6, 8, 16};

enum { WIDTHS = sizeof widths / sizeof *widths, PATH_BYTES = 4096 };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int complain(const sim_err *err)
{
    for (int i = 0; i < err->count; i++)
        fprintf(stderr, "%s:%d: error: %s\n", err->items[i].file, err->items[i].line, err->items[i].text);
    return 2;
}

/* One cell. Operands that a back end lacks are all that sim_run calls bad about inputs that have loaded. */
static sim_status run_cell(const sim_arch_handle *arch, const sim_workload_handle *workload, int w, int a,
                           sim_err *err)
{
    sim_policy_handle *policy = NULL;
    sim_result_handle *result = NULL;
    char spec[16];
    sim_status status;

    snprintf(spec, sizeof spec, "w%da%d", w, a);
    status = sim_policy_open(spec, &policy, err);
    if (status == SIM_OK)
        status = sim_run(arch, workload, policy, SIM_OBJECTIVE_BALANCED, &result, err);
    printf("%s,%s,%d,%d,", sim_arch_get(arch)->name, sim_workload_get(workload)->name, w, a);
    if (status == SIM_OK) {
        const sim_totals *totals = &sim_result_get(result)->totals;

        printf("%.9g,%.9g,", totals->latency_s, sim_energy_total_j(&totals->energy));
        if (!isnan(totals->tokens_per_s))
            printf("%.9g", totals->tokens_per_s);
        printf(",%s\n", totals->memory_fits ? "true" : "false");
    } else {
        printf(",,,\n");
    }
    sim_result_close(result);
    sim_policy_close(policy);
    return status;
}

static int run_grid(const sim_arch_handle *arch, const sim_workload_handle *workload)
{
    double start = now_s(), slowest_s = 0, elapsed_s;
    int cells = 0, slowest = 0;

    for (int i = 0; i < WIDTHS * WIDTHS; i++) {
        sim_err err = {0};
        double cell_start = now_s(), cell_s;
        sim_status status = run_cell(arch, workload, widths[i / WIDTHS], widths[i % WIDTHS], &err);

        if (status != SIM_OK && status != SIM_BAD_INPUT)
            return complain(&err);
        cells += status == SIM_OK;
        cell_s = now_s() - cell_start;
        if (cell_s > slowest_s) {
            slowest_s = cell_s;
            slowest = i;
        }
    }
    elapsed_s = now_s() - start;
    fprintf(stderr, "%s, %s: %d of %d cells in %.3f s; slowest w%da%d, %.1f ms\n", sim_arch_get(arch)->name,
            sim_workload_get(workload)->name, cells, WIDTHS * WIDTHS, elapsed_s, widths[slowest / WIDTHS],
            widths[slowest % WIDTHS], slowest_s * 1e3);
    return elapsed_s > GRID_LIMIT_S;
}

static int run_arch(const char *source, const char *path)
{
    static const char *const workloads[] = {"llama2_7b_decode", "llama2_7b_prefill"};
    sim_arch_handle *arch = NULL;
    sim_err err = {0};
    int worst = 0;

    if (sim_arch_open(path, NULL, 0, &arch, &err) != SIM_OK)
        return complain(&err);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        sim_workload_handle *workload = NULL;
        char file[PATH_BYTES];
        int exit_status;

        snprintf(file, sizeof file, "%s/workloads/%s.json", source, workloads[i]);
        exit_status = sim_workload_open(file, NULL, &workload, &err) == SIM_OK ? run_grid(arch, workload)
                                                                               : complain(&err);
        worst = exit_status > worst ? exit_status : worst;
        sim_workload_close(workload);
    }
    sim_arch_close(arch);
    return worst;
}

int main(int argc, char **argv)
{
    static const char *const defaults[] = {"edge.cfg", "edge_systolic.cfg"};
    const char *source = argc > 1 ? argv[1] : ".";
    int worst = 0, exit_status;
    char path[PATH_BYTES];

    printf("arch,workload,w_bits,a_bits,latency_s,energy_j,tokens_per_s,memory_fits\n");
    for (int i = 2; i < argc; i++) {
        exit_status = run_arch(source, argv[i]);
        worst = exit_status > worst ? exit_status : worst;
    }
    for (size_t i = 0; argc < 3 && i < sizeof defaults / sizeof *defaults; i++) {
        snprintf(path, sizeof path, "%s/arch/%s", source, defaults[i]);
        exit_status = run_arch(source, path);
        worst = exit_status > worst ? exit_status : worst;
    }
    return worst;
}
