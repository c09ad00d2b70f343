/* Points per second and core: where points share their products, where each is new hardware, and what a
 * second thread brings. Then what others take for one estimate, as a table of ratios.
 *
 *   bench_sweep SOURCE_DIR            a minute
 *
 * stdout: one line per figure. Processor time, since machines are shared; threads by the clock. Exit status 1
 * when a target is missed, 2 after an error. */
#include "explore/sweep.h"

#include "format/csv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double processor_s(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void complain(const sim_err *err)
{
    for (int i = 0; i < err->count; i++)
        fprintf(stderr, "%s:%d: error: %s\n", err->items[i].file, err->items[i].line, err->items[i].text);
}

typedef struct axis {
    const char *name, *values;
} axis;

typedef struct timing {
    double points, wall_s, processor_s;
} timing;

/* A sweep into a store that is gone after. */
static bool run(const char *source, const axis *axes, int jobs, timing *out)
{
    static const sim_space_place here = {"bench", 0};
    char arch[PATH_BYTES], workload[PATH_BYTES], path[] = "/tmp/bench_sweep_XXXXXX";
    int file = mkstemp(path);
    sim_sweep sweep = {.jobs = jobs};
    sim_sweep_report report;
    sim_store *store = NULL;
    sim_arena arena;
    sim_err err = {0};
    double wall, processor;

    if (file < 0)
        return false;
    close(file);
    snprintf(arch, sizeof arch, "%s/arch/edge.cfg", source);
    snprintf(workload, sizeof workload, "%s/workloads/llama2_7b_decode.json", source);
    sim_arena_init(&arena, NULL);
    sweep.base.arch = arch;
    sweep.base.workload = workload;
    sweep.space = sim_space_new(&arena);
    for (; axes->name; axes++)
        sim_space_axis(sweep.space, axes->name, axes->values, here, &err);
    if (err.count == 0 && sim_space_finish(sweep.space, &err) == SIM_OK)
        sim_store_open(path, true, &store, &err);
    wall = wall_s();
    processor = processor_s();
    if (err.count == 0)
        sim_sweep_run(&sweep, store, NULL, &arena, &report, &err);
    *out = (timing){(double)report.priced, wall_s() - wall, processor_s() - processor};
    sim_store_close(store);
    unlink(path);
    sim_arena_free(&arena);
    complain(&err);
    return err.count == 0;
}

static const axis shared[] = {
    {"w", "1..8"}, {"a", "1..8"}, {"kv", "1..8"}, {"context", "1024..32768:512"}, {0}};
static const axis hardware[] = {
    {"array.rows", "8..64:8"}, {"array.cols", "8..64:8"}, {"buffers.weight_kib", "32..512:16"}, {0}};

static int missed;

static void figure(const char *what, double is, double target)
{
    printf("%-58s %10.0f   target %6.0f   %.2f times\n", what, is, target, is / target);
    missed |= is < target;
}

static void *spin(void *user)
{
    uint64_t x = 1;

    for (int64_t i = 0; i < 200000000; i++)
        x = x * UINT64_C(6364136223846793005) + 1;
    *(uint64_t *)user = x;
    return NULL;
}

/* How much more two threads that share nothing get done here than one: 2 on two idle cores. */
static double machine_speedup(void)
{
    uint64_t x[2];
    double start = wall_s(), one;
    pthread_t other;

    spin(&x[0]);
    one = wall_s() - start;
    start = wall_s();
    if (pthread_create(&other, NULL, spin, &x[1]) != 0)
        return 0;
    spin(&x[0]);
    pthread_join(other, NULL);
    return 2 * one / (wall_s() - start);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Others use the machine too: what counts is how much of what two cores give at that moment is made use of.
 * The median of some rounds. */
static bool threads(const char *source)
{
    enum { ROUNDS = 9 };
    double speedup[ROUNDS], machine[ROUNDS], used[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        double before = machine_speedup(), after;
        timing one, two;

        if (!run(source, shared, 1, &one) || !run(source, shared, 2, &two))
            return false;
        after = machine_speedup();
        machine[round] = (before + after) / 2;
        speedup[round] = one.wall_s / two.wall_s;
        used[round] = 2 * speedup[round] / machine[round];
    }
    qsort(speedup, ROUNDS, sizeof *speedup, by_size);
    qsort(machine, ROUNDS, sizeof *machine, by_size);
    qsort(used, ROUNDS, sizeof *used, by_size);
    printf("two threads, times as fast as one: %.2f by the clock, where two loops that share nothing get "
           "%.2f;\n",
           speedup[ROUNDS / 2], machine[ROUNDS / 2]);
    printf("%-58s %10.2f   target %6.2f\n", "of two whole cores that is", used[ROUNDS / 2], 1.6);
    missed |= used[ROUNDS / 2] < 1.6;
    return true;
}

/* tests/data/peer_speed.csv: what one estimate of a model took, measured elsewhere, on machines like this. */
static bool peers(const char *source, double point_s)
{
    char path[PATH_BYTES];
    sim_arena arena;
    sim_err err = {0};
    sim_csv csv;
    int peer, what, cost;

    snprintf(path, sizeof path, "%s/tests/data/peer_speed.csv", source);
    sim_arena_init(&arena, NULL);
    if (sim_csv_load(path, &arena, &csv, &err) != SIM_OK) {
        complain(&err);
        return false;
    }
    peer = sim_csv_column(&csv, "peer");
    what = sim_csv_column(&csv, "what");
    cost = sim_csv_column(&csv, "seconds_per_estimate");
    printf("\n%-14s %-52s %12s %12s\n", "peer", "what", "s/estimate", "times simacc");
    printf("%-14s %-52s %12.2g %12d\n", "simacc", "Llama-2-7B, a point of a sweep", point_s, 1);
    for (int64_t i = 0; i < csv.row_count; i++) {
        double seconds = strtod(sim_csv_text(&csv, i, cost), NULL);

        printf("%-14s %-52s %12.2g %12.2g\n", sim_csv_text(&csv, i, peer), sim_csv_text(&csv, i, what),
               seconds, seconds / point_s);
    }
    sim_arena_free(&arena);
    return true;
}

int main(int argc, char **argv)
{
    timing t;
    double point_s;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_sweep SOURCE_DIR\n");
        return 2;
    }
    if (!run(argv[1], shared, 1, &t))
        return 2;
    point_s = t.processor_s / t.points;
    figure("points/s and core, products shared (bits, context)", 1 / point_s, 20000);
    if (!run(argv[1], hardware, 1, &t))
        return 2;
    figure("points/s and core, every point new hardware", t.points / t.processor_s, 2000);
    if (!threads(argv[1]) || !peers(argv[1], point_s))
        return 2;
    return missed;
}
