/* Chains of folds for the Verilog arrays, and what the model says of them.
 *
 *   rtl_cases write DIR    DIR/<ws|os>_<rows>x<cols>.cases, one chain a line as ws_bench.v and os_bench.v
 * read them rtl_cases check DIR    compares DIR/<same>.out: clocks equal to the back end's, every value
 * right; chains with one fold started a clock too early must go wrong
 *
 * Half of the chains are tiled GEMMs, as the back end's compute() takes them; the others have a different T
 * in each fold, and are added up from the back end's own fold terms. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/pe_array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS_MAX = 60, CHAINS_PER_ARRAY = 16 };

static const struct {
    int rows, cols;
} sizes[] = {{1, 1}, {1, 5}, {4, 1}, {2, 3}, {4, 4}, {5, 8}, {8, 5}, {7, 2}, {12, 12}};

typedef struct chain {
    int id;
    int w_bits, port_bits;
    int early; /* the fold to start too early; -1: none */
    int64_t folds, steps[FOLDS_MAX];
    int64_t cycles; /* by the model; for a legal chain */
} chain;

static void die(const char *what)
{
    fprintf(stderr, "rtl_cases: %s\n", what);
    exit(1);
}

static const sim_dim orders[6][3] = {{SIM_M, SIM_N, SIM_K}, {SIM_M, SIM_K, SIM_N}, {SIM_N, SIM_M, SIM_K},
                                     {SIM_N, SIM_K, SIM_M}, {SIM_K, SIM_M, SIM_N}, {SIM_K, SIM_N, SIM_M}};

static sim_compute compute(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                           const sim_tiling *tiling)
{
    sim_compute result = {0};
    sim_err err = {0};
    if (arch->backend->compute(arch, gemm, way, tiling, &result, &err) != SIM_OK)
        die("the back end fails");
    return result;
}

/* A GEMM in random tiles; false when it has too many folds. */
static bool gemm_chain(const sim_arch *arch, ref_random *random, chain *out)
{
    int64_t extent[SIM_DIMS];
    for (int d = 0; d < SIM_DIMS; d++)
        extent[d] = ref_random_scale(random, 1, 30);
    const sim_gemm gemm = gemm_case_dense(arch, extent, out->w_bits, 8);
    sim_way ways[SIM_WAYS_MAX];
    const int count = arch->backend->ways(arch, &gemm, ways);
    const sim_way *way = &ways[ref_random_int(random, 0, count - 1)];
    sim_tiling tiling;
    for (int d = 0; d < SIM_DIMS; d++) {
        const int64_t most = way->tile_max[d] < extent[d] ? way->tile_max[d] : extent[d];
        tiling.tile[d] = ref_random_int(random, 1, most);
    }
    /* Where k tiles accumulate in place, k is innermost. */
    memcpy(tiling.order, orders[way->accumulates_in_array ? 0 : ref_random_int(random, 0, 5)],
           sizeof tiling.order);
    const bool os = way->dataflow == SIM_DATAFLOW_OS;
    const pe_array array = {os ? PE_OS : PE_WS, arch->array_rows, arch->array_cols, out->w_bits,
                            out->port_bits};
    const int order[3] = {(int)tiling.order[0], (int)tiling.order[1], (int)tiling.order[2]};
    pe_fold *folds =
        pe_array_folds(&array, extent, tiling.tile, order, way->accumulates_in_array, 0, 1, &out->folds);
    const bool fits = out->folds <= FOLDS_MAX;
    for (int64_t i = 0; fits && i < out->folds; i++)
        out->steps[i] = folds[i].size[os ? SIM_K : SIM_M];
    free(folds);
    out->cycles = compute(arch, &gemm, way, &tiling).cycles;
    return fits;
}

/* Any T in each fold: the chain's sum of fold terms, its open end, and the filling of the array. */
static void mixed_chain(const sim_arch *arch, ref_random *random, chain *out)
{
    const bool os = arch->array_dataflow == SIM_DATAFLOW_OS;
    const int64_t one[SIM_DIMS] = {1, 1, 1};
    const sim_gemm gemm = gemm_case_dense(arch, one, out->w_bits, 8);
    sim_way ways[SIM_WAYS_MAX];
    if (arch->backend->ways(arch, &gemm, ways) < 1)
        die("no way");
    const sim_tiling tiling = {{1, 1, 1}, {SIM_M, SIM_N, SIM_K}};
    const sim_fold *fold = &ways[0].fold[os ? SIM_K : SIM_M];
    out->folds = ref_random_int(random, 1, 12);
    out->cycles = compute(arch, &gemm, &ways[0], &tiling).fill_cycles;
    for (int64_t i = 0; i < out->folds; i++) {
        const int64_t steps = ref_random_scale(random, 1, 30);
        const bool open = os ? i == 0 : i + 1 == out->folds;
        out->steps[i] = steps;
        out->cycles +=
            open ? (steps * fold->per_num + fold->per_den - 1) / fold->per_den : sim_fold_of(fold, steps);
    }
}

static void draw_chain(bool os, int size, bool mixed, ref_random *random, chain *out)
{
    do {
        sim_arch arch;
        arch_case_plain(&arch, "systolic");
        arch.array_rows = sizes[size].rows;
        arch.array_cols = sizes[size].cols;
        arch.array_dataflow = os ? SIM_DATAFLOW_OS : SIM_DATAFLOW_WS;
        out->w_bits = (int)ref_random_int(random, 1, 8);
        /* These arrays take one weight per column and clock: no wider port. */
        const int widest = sizes[size].cols * out->w_bits;
        out->port_bits = ref_random_one_in(random, 3) ? (int)ref_random_scale(random, 1, widest) : 0;
        arch.array_port_bits = out->port_bits;
        if (mixed)
            mixed_chain(&arch, random, out);
        else if (!gemm_chain(&arch, random, out))
            out->folds = 0;
    } while (out->folds == 0);
}

/* Chain number `index` of an array; the same one in each call. An odd one is the chain before it with a fold
 * started too early, or where that has a single fold, another chain. */
static chain make_chain(bool os, int size, int index)
{
    ref_random random = {(uint64_t)(os ? 1000 : 0) + (uint64_t)(100 * size + index / 2)};
    const bool mixed = index / 2 % 2;
    chain out = {.id = index, .early = -1};
    draw_chain(os, size, mixed, &random, &out);
    if (index % 2 && out.folds > 1)
        out.early = (int)ref_random_int(&random, 1, out.folds - 1);
    else if (index % 2)
        draw_chain(os, size, mixed, &random, &out);
    return out;
}

static FILE *open_file(const char *folder, bool os, int size, const char *suffix, const char *mode)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s_%dx%d.%s", folder, os ? "os" : "ws", sizes[size].rows,
             sizes[size].cols, suffix);
    FILE *file = fopen(path, mode);
    if (!file)
        die(path);
    return file;
}

static void write_cases(const char *folder, bool os, int size)
{
    FILE *file = open_file(folder, os, size, "cases", "w");
    for (int i = 0; i < 2 * CHAINS_PER_ARRAY; i++) {
        const chain c = make_chain(os, size, i);
        fprintf(file, "%d %d %d %d %lld", c.id, c.w_bits, c.port_bits, c.early, (long long)c.folds);
        for (int64_t f = 0; f < c.folds; f++)
            fprintf(file, " %lld", (long long)c.steps[f]);
        fputc('\n', file);
    }
    if (fclose(file) != 0)
        die("cannot write");
}

typedef struct tally {
    int legal, broken, wrong;
} tally;

static void check_cases(const char *folder, bool os, int size, tally *sum)
{
    FILE *file = open_file(folder, os, size, "out", "r");
    for (int i = 0; i < 2 * CHAINS_PER_ARRAY; i++) {
        const chain c = make_chain(os, size, i);
        char line[256];
        int id = -1;
        long long cycles = 0, errors = 0;
        if (!fgets(line, sizeof line, file) || sscanf(line, "%d %lld %lld", &id, &cycles, &errors) != 3 ||
            id != c.id)
            die("the simulation did not answer every case");
        const bool legal = c.early < 0;
        const bool right = legal ? cycles == c.cycles && errors == 0 : errors > 0;
        if (!right)
            printf("%s %dx%d case %d (fold %d early): %lld clocks, %lld wrong outputs; the model says %lld\n",
                   os ? "os" : "ws", sizes[size].rows, sizes[size].cols, i, c.early, cycles, errors,
                   (long long)c.cycles);
        sum->legal += legal;
        sum->broken += !legal;
        sum->wrong += !right;
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "check") != 0))
        die("usage: rtl_cases write|check DIR");
    const bool checking = strcmp(argv[1], "check") == 0;
    tally sum = {0};
    for (int os = 0; os < 2; os++) {
        for (int size = 0; size < (int)(sizeof sizes / sizeof *sizes); size++) {
            if (checking)
                check_cases(argv[2], os, size, &sum);
            else
                write_cases(argv[2], os, size);
        }
    }
    if (!checking)
        return 0;
    printf("%d chains in Verilog equal to the model in clocks and with every value right, %d started too "
           "early and "
           "wrong; %d not as they should be\n",
           sum.legal, sum.broken, sum.wrong);
    return sum.legal < 200 || sum.broken < 200 || sum.wrong ? 1 : 0;
}
