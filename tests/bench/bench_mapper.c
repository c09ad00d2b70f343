/* Mapping time of every distinct GEMM of the shipped workloads, on one core: from empty caches, and with
 * candidate tables and prices cached. Best of several rounds per GEMM, since machines are noisy.
 *
 *   bench_mapper SOURCE_DIR [rounds]
 *
 * Prints one CSV line per (arch, objective) and a line per slowest GEMM. */
#include "input/arch.h"
#include "input/workload.h"
#include "model/mapper.h"
#include "model/run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GEMMS_MAX = 4096 };

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* As run.c builds them, for one pair of bits. */
static int gather(const sim_arch *arch, const sim_workload *w, int w_bits, int a_bits, sim_gemm *out,
                  int count)
{
    for (int64_t i = 0; i < w->layer_count; i++) {
        const sim_layer *l = &w->layers[i];
        sim_gemm g;
        int known = 0;

        if (l->op != SIM_OP_MATMUL && l->op != SIM_OP_CONV2D)
            continue;
        memset(&g, 0, sizeof g);
        g.extent[SIM_M] = l->m;
        g.extent[SIM_N] = l->needed_macs > 0 && l->map_n > 0 ? l->map_n : l->n;
        g.extent[SIM_K] = l->needed_macs > 0 && l->map_k > 0 ? l->map_k : l->k;
        g.batch = l->batch;
        g.w_bits = l->weights == SIM_WEIGHTS_KV ? a_bits : w_bits;
        g.a_bits = a_bits;
        g.out_bits = (int)arch->output_bits;
        g.acc_bits = (int)arch->array_acc_bits;
        g.w_stored_bits = sim_stored_bits(g.extent[SIM_N], g.extent[SIM_K], g.w_bits, 0);
        g.a_stored_bits = sim_stored_bits(g.extent[SIM_M], g.extent[SIM_K], a_bits, 0);
        g.out_stored_bits = sim_stored_bits(g.extent[SIM_M], g.extent[SIM_N], g.out_bits, 0);
        g.on_chip[SIM_OPERAND_INPUT] = l->a_on_chip;
        g.on_chip[SIM_OPERAND_OUTPUT] = l->out_on_chip;
        for (int j = 0; j < count && !known; j++)
            known = memcmp(&out[j], &g, sizeof g) == 0;
        if (!known && count < GEMMS_MAX)
            out[count++] = g;
    }
    return count;
}

int main(int argc, char **argv)
{
    static const char *const archs[] = {"edge.cfg", "edge_systolic.cfg", "systolic_128.cfg"};
    static const struct {
        int w, a;
    } bits[] = {{8, 8}, {4, 8}, {4, 4}};
    const char *source = argc > 1 ? argv[1] : ".";
    int rounds = argc > 2 ? atoi(argv[2]) : 9;
    char path[4096];

    static double all_cold[SIM_OBJECTIVE_COUNT][3 * GEMMS_MAX], all_warm[SIM_OBJECTIVE_COUNT][3 * GEMMS_MAX];
    int all = 0;

    printf("arch,objective,gemms,cold_median_us,cold_max_us,warm_median_us,warm_max_us,nodes_mean\n");
    for (size_t a = 0; a < sizeof archs / sizeof *archs; a++) {
        sim_arena arena;
        sim_err err = {0};
        sim_arch arch;
        static sim_gemm gemms[GEMMS_MAX];
        int count = 0;
        DIR *folder;

        sim_arena_init(&arena, NULL);
        snprintf(path, sizeof path, "%s/arch/%s", source, archs[a]);
        if (sim_arch_load(path, NULL, 0, &arena, &arch, &err) != SIM_OK) {
            fprintf(stderr, "%s: %s\n", path, err.items[0].text);
            return 1;
        }
        snprintf(path, sizeof path, "%s/workloads", source);
        folder = opendir(path);
        for (struct dirent *e; folder && (e = readdir(folder));) {
            sim_workload w;

            if (!strstr(e->d_name, ".json"))
                continue;
            snprintf(path, sizeof path, "%s/workloads/%s", source, e->d_name);
            if (sim_workload_load(path, NULL, &arena, &w, &err) != SIM_OK) {
                fprintf(stderr, "%s: %s\n", path, err.items[0].text);
                return 1;
            }
            for (size_t b = 0; b < sizeof bits / sizeof *bits; b++)
                count = gather(&arch, &w, bits[b].w, bits[b].a, gemms, count);
        }
        if (folder)
            closedir(folder);

        for (int objective = 0; objective < SIM_OBJECTIVE_COUNT; objective++) {
            static double cold[GEMMS_MAX], warm[GEMMS_MAX];
            double nodes = 0;
            int slowest = 0;

            for (int i = 0; i < count; i++) {
                cold[i] = warm[i] = 1e30;
                for (int r = 0; r < rounds; r++) {
                    sim_arena scratch;
                    sim_map_cache *cache;
                    sim_map_choice choice;
                    double start, middle, end;

                    sim_arena_init(&scratch, NULL);
                    cache = sim_map_cache_new(&scratch);
                    start = now_us();
                    if (sim_map(&arch, &gemms[i], "bench", (sim_objective)objective, cache, &choice, &err) !=
                        SIM_OK)
                        return 1;
                    middle = now_us();
                    sim_map(&arch, &gemms[i], "bench", (sim_objective)objective, cache, &choice, &err);
                    end = now_us();
                    cold[i] = middle - start < cold[i] ? middle - start : cold[i];
                    warm[i] = end - middle < warm[i] ? end - middle : warm[i];
                    if (r == 0)
                        nodes += (double)choice.nodes;
                    sim_arena_free(&scratch);
                }
                if (cold[i] > cold[slowest])
                    slowest = i;
            }
            memcpy(&all_cold[objective][all], cold, (size_t)count * sizeof *cold);
            memcpy(&all_warm[objective][all], warm, (size_t)count * sizeof *warm);
            fprintf(stderr, "slowest on %s, %s: m %lld n %lld k %lld w %d a %d\n", archs[a],
                    sim_objective_names[objective], (long long)gemms[slowest].extent[SIM_M],
                    (long long)gemms[slowest].extent[SIM_N], (long long)gemms[slowest].extent[SIM_K],
                    gemms[slowest].w_bits, gemms[slowest].a_bits);
            qsort(cold, (size_t)count, sizeof *cold, by_value);
            qsort(warm, (size_t)count, sizeof *warm, by_value);
            printf("%s,%s,%d,%.1f,%.1f,%.1f,%.1f,%.0f\n", arch.name, sim_objective_names[objective], count,
                   cold[count / 2], cold[count - 1], warm[count / 2], warm[count - 1], nodes / count);
        }
        all += count;
        sim_arena_free(&arena);
    }
    for (int objective = 0; objective < SIM_OBJECTIVE_COUNT && all > 0; objective++) {
        qsort(all_cold[objective], (size_t)all, sizeof(double), by_value);
        qsort(all_warm[objective], (size_t)all, sizeof(double), by_value);
        printf("all,%s,%d,%.1f,%.1f,%.1f,%.1f,\n", sim_objective_names[objective], all,
               all_cold[objective][all / 2], all_cold[objective][all - 1], all_warm[objective][all / 2],
               all_warm[objective][all - 1]);
    }
    return 0;
}
