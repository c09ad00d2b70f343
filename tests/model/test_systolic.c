/* The systolic back end against the PE-level simulator, and SCALE-Sim's own counts. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/gemm_case.h"
#include "reference/pe_array.h"
#include "reference/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const pe_dataflow pe_dataflows[] = {
    [SIM_DATAFLOW_WS] = PE_WS, [SIM_DATAFLOW_OS] = PE_OS, [SIM_DATAFLOW_IS] = PE_IS};
static const sim_dim orders[6][3] = {{SIM_M, SIM_N, SIM_K}, {SIM_M, SIM_K, SIM_N}, {SIM_N, SIM_M, SIM_K},
                                     {SIM_N, SIM_K, SIM_M}, {SIM_K, SIM_M, SIM_N}, {SIM_K, SIM_N, SIM_M}};

/* Whether the way allows this nest: one of its innermost loops stays innermost when loops of one tile, which
 * change nothing, are moved out. */
static bool allowed(const sim_gemm *gemm, const sim_way *way, const sim_tiling *tiling)
{
    if (!way->innermost_only[SIM_M] && !way->innermost_only[SIM_N] && !way->innermost_only[SIM_K])
        return true;
    for (int i = SIM_DIMS; i-- > 0;) {
        const sim_dim d = tiling->order[i];
        if (way->innermost_only[d])
            return true;
        if (tiling->tile[d] < gemm->extent[d])
            return false;
    }
    return false;
}

/* Tiles and an order that the way allows. */
static sim_tiling random_tiling(const sim_gemm *gemm, const sim_way *way, ref_random *random)
{
    sim_tiling tiling;
    do {
        for (int d = 0; d < SIM_DIMS; d++) {
            const int64_t most = way->tile_max[d] < gemm->extent[d] ? way->tile_max[d] : gemm->extent[d];
            tiling.tile[d] = ref_random_one_in(random, 4) ? most : ref_random_int(random, 1, most);
        }
        memcpy(tiling.order, orders[ref_random_int(random, 0, 5)], sizeof tiling.order);
    } while (!allowed(gemm, way, &tiling));
    return tiling;
}

/* Cycles of the PE-level simulator for `batch` products in a row on all lanes; every value is checked. */
static int64_t simulate(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                        const sim_tiling *tiling, gemm_case *values)
{
    const pe_array array = {pe_dataflows[way->dataflow], arch->array_rows, arch->array_cols, gemm->w_bits,
                            arch->array_port_bits};
    const pe_gemm operands = {{values->m, values->n, values->k}, values->a, values->w};
    const int order[3] = {(int)tiling->order[0], (int)tiling->order[1], (int)tiling->order[2]};
    int64_t longest = 0;
    gemm_case_clear(values);
    for (int64_t lane = 0; lane < arch->array_count; lane++) {
        int64_t count = 0;
        pe_fold *once = pe_array_folds(&array, operands.extent, tiling->tile, order,
                                       way->accumulates_in_array, lane, arch->array_count, &count);
        pe_fold *folds = calloc((size_t)(count * gemm->batch) + 1, sizeof *folds);
        cr_assert(folds);
        for (int64_t i = 0; i < count * gemm->batch; i++)
            folds[i] = once[i % count];
        pe_array_schedule(&array, folds, count * gemm->batch, -1);
        const int64_t cycles = pe_array_run(&array, &operands, folds, count * gemm->batch, values->out);
        longest = cycles > longest ? cycles : longest;
        free(folds);
        free(once);
    }
    for (int64_t i = 0; i < values->m * values->n; i++)
        cr_assert(values->out[i] == gemm->batch * values->expected[i]);
    return longest;
}

/* Every way that the back end offers for one random machine and GEMM, with random tiles and loop order. */
static void check_random_case(int index, bool ports, bool counts, ref_random *random)
{
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    arch.array_rows = ref_random_int(random, 1, 8);
    arch.array_cols = ref_random_int(random, 1, 8);
    arch.array_dataflow = index % 3 == 0   ? SIM_DATAFLOW_WS
                          : index % 3 == 1 ? SIM_DATAFLOW_OS
                                           : SIM_DATAFLOW_IS;
    if (counts)
        arch.array_count = ref_random_int(random, 2, 3);
    const int w_bits = (int)ref_random_int(random, 1, 8);
    if (ports)
        arch.array_port_bits = ref_random_scale(random, 1, 2 * 8 * arch.array_cols);
    const int64_t extent[3] = {ref_random_scale(random, 1, 40), ref_random_scale(random, 1, 40),
                               ref_random_scale(random, 1, 40)};
    sim_gemm gemm = gemm_case_dense(&arch, extent, w_bits, 8);
    gemm.batch = ref_random_one_in(random, 4) ? 2 : 1;
    gemm_case values = gemm_case_new(extent[0], extent[1], extent[2], -128, 127, -128, 127, random);

    sim_way ways[SIM_WAYS_MAX];
    const int count = arch.backend->ways(&arch, &gemm, ways);
    cr_assert(count > 0 && count <= SIM_WAYS_MAX);
    for (int i = 0; i < count; i++) {
        cr_assert(ways[i].dataflow == (sim_dataflow)arch.array_dataflow);
        const sim_tiling tiling = random_tiling(&gemm, &ways[i], random);
        sim_compute compute = {0};
        sim_err err = {0};
        cr_assert(arch.backend->compute(&arch, &gemm, &ways[i], &tiling, &compute, &err) == SIM_OK);
        const int64_t expected = simulate(&arch, &gemm, &ways[i], &tiling, &values);
        cr_assert(compute.cycles == expected,
                  "case %d way %d: %s on %lldx%lld (x%lld), port %lld of %d bits, %lldx%lldx%lld (x%lld) in "
                  "tiles of "
                  "%lldx%lldx%lld, order %d%d%d: %lld cycles, not %lld",
                  index, i, sim_dataflow_names[ways[i].dataflow], (long long)arch.array_rows,
                  (long long)arch.array_cols, (long long)arch.array_count, (long long)arch.array_port_bits,
                  w_bits, (long long)extent[0], (long long)extent[1], (long long)extent[2],
                  (long long)gemm.batch, (long long)tiling.tile[0], (long long)tiling.tile[1],
                  (long long)tiling.tile[2], (int)tiling.order[0], (int)tiling.order[1], (int)tiling.order[2],
                  (long long)compute.cycles, (long long)expected);
        cr_assert(compute.fill_cycles >= 0 && compute.fill_cycles < compute.cycles);
    }
    gemm_case_free(&values);
}

Test(systolic, equals_the_pe_simulator)
{
    ref_random random = {11};
    for (int i = 0; i < 1000 / SIMACC_TEST_REDUCE; i++)
        check_random_case(i, false, false, &random);
}

Test(systolic, equals_the_pe_simulator_behind_a_weight_port)
{
    ref_random random = {12};
    for (int i = 0; i < 600 / SIMACC_TEST_REDUCE; i++)
        check_random_case(i, true, false, &random);
}

Test(systolic, equals_the_pe_simulator_with_several_arrays)
{
    ref_random random = {13};
    for (int i = 0; i < 300 / SIMACC_TEST_REDUCE; i++)
        check_random_case(i, ref_random_one_in(&random, 3), true, &random);
}

/* What the mapper minimises is what the array takes, up to its filling and the last fold's wait. */
Test(systolic, busy_cycles_follow_the_array)
{
    ref_random random = {14};
    for (int i = 0; i < 2000 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        const arch_case_options options = {
            .side_most = 32, .buffer_kib_least = 1, .buffer_kib_most = 8, .ports = true, .counts = true};
        arch_case_random(&arch, "systolic", &options, &random);
        const int64_t extent[3] = {ref_random_scale(&random, 1, 500), ref_random_scale(&random, 1, 500),
                                   ref_random_scale(&random, 1, 500)};
        sim_gemm gemm = gemm_case_dense(&arch, extent, (int)ref_random_int(&random, 1, 8), 8);
        gemm.batch = ref_random_int(&random, 1, 3);
        sim_way ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &gemm, ways);
        for (int w = 0; w < count; w++) {
            const sim_tiling tiling = random_tiling(&gemm, &ways[w], &random);
            double busy = ways[w].cycles_per_fold * (double)gemm.batch;
            double interval = ways[w].cycles_per_fold;
            for (int d = 0; d < SIM_DIMS; d++) {
                const sim_fold *fold = &ways[w].fold[d];
                busy *= (double)sim_fold_sum(fold, extent[d], tiling.tile[d]);
                if (fold->kind == SIM_FOLD_STREAM || fold->kind == SIM_FOLD_WHOLE)
                    interval *=
                        (double)sim_fold_of(fold, fold->kind == SIM_FOLD_WHOLE ? extent[d] : tiling.tile[d]);
            }
            sim_compute compute = {0};
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[w], &tiling, &compute, &err) == SIM_OK);
            cr_assert((double)compute.cycles <= busy + (double)compute.fill_cycles + 1e-9);
            cr_assert((double)compute.cycles >= busy - interval);
        }
    }
}

/* Every distinct row of the SCALE-Sim runs. */
Test(systolic, scalesim_timing_is_scalesims)
{
    ref_table *table = ref_table_open("scalesim_cycles.csv");
    for (int64_t i = 0; i < ref_table_rows(table); i++) {
        const char *name = ref_table_text(table, i, "dataflow");
        sim_arch arch;
        arch_case_plain(&arch, "systolic");
        arch.array_timing = SIM_TIMING_SCALESIM;
        arch.array_rows = ref_table_int(table, i, "rows");
        arch.array_cols = ref_table_int(table, i, "cols");
        arch.array_dataflow = name[0] == 'w'   ? SIM_DATAFLOW_WS
                              : name[0] == 'o' ? SIM_DATAFLOW_OS
                                               : SIM_DATAFLOW_IS;
        const int64_t extent[3] = {ref_table_int(table, i, "m"), ref_table_int(table, i, "n"),
                                   ref_table_int(table, i, "k")};
        const sim_gemm gemm = gemm_case_dense(&arch, extent, 8, 8);
        sim_way ways[SIM_WAYS_MAX];
        ref_random random = {(uint64_t)i};
        const int count = arch.backend->ways(&arch, &gemm, ways);
        for (int w = 0; w < count; w++) {
            const sim_tiling tiling = random_tiling(&gemm, &ways[w], &random); /* must not matter */
            sim_compute compute = {0};
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[w], &tiling, &compute, &err) == SIM_OK);
            cr_expect(compute.cycles == ref_table_int(table, i, "cycles"), "row %lld (%s): %lld cycles",
                      (long long)i, name, (long long)compute.cycles);
        }
    }
    cr_expect(ref_table_rows(table) == 365);
    ref_table_close(table);
}

/* `serial` runs the folds of the untiled GEMM one by one: each alone through the PE-level simulator. */
Test(systolic, serial_timing_runs_folds_alone)
{
    ref_random random = {15};
    for (int i = 0; i < 150 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "systolic");
        arch.array_timing = SIM_TIMING_SERIAL;
        arch.array_rows = ref_random_int(&random, 1, 6);
        arch.array_cols = ref_random_int(&random, 1, 6);
        arch.array_dataflow = i % 3;
        const int64_t extent[3] = {ref_random_scale(&random, 1, 24), ref_random_scale(&random, 1, 24),
                                   ref_random_scale(&random, 1, 24)};
        const sim_gemm gemm = gemm_case_dense(&arch, extent, 8, 8);
        gemm_case values = gemm_case_new(extent[0], extent[1], extent[2], -8, 7, -8, 7, &random);
        sim_way ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &gemm, ways);
        const pe_array array = {pe_dataflows[arch.array_dataflow], arch.array_rows, arch.array_cols, 8, 0};
        const pe_gemm operands = {{extent[0], extent[1], extent[2]}, values.a, values.w};
        const int order[3] = {0, 1, 2};
        int64_t fold_count = 0, expected = 0;
        pe_fold *folds = pe_array_folds(&array, extent, extent, order, false, 0, 1, &fold_count);
        for (int64_t f = 0; f < fold_count; f++) {
            pe_array_schedule(&array, &folds[f], 1, -1);
            expected += pe_array_run(&array, &operands, &folds[f], 1, values.out);
        }
        cr_assert(gemm_case_wrong(&values) == 0);
        for (int w = 0; w < count; w++) {
            const sim_tiling tiling = random_tiling(&gemm, &ways[w], &random);
            sim_compute compute = {0};
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[w], &tiling, &compute, &err) == SIM_OK);
            cr_expect(compute.cycles == expected, "%lld cycles, not %lld", (long long)compute.cycles,
                      (long long)expected);
        }
        free(folds);
        gemm_case_free(&values);
    }
}

/* A token's GEMM on a small array waits for weights: half the bits, half the time. */
Test(systolic, narrow_weights_pay_at_the_port)
{
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    arch.array_dataflow = SIM_DATAFLOW_WS;
    arch.array_port_bits = 64; /* a row of 8 weights of 8 bits */
    const int64_t extent[3] = {1, 512, 512};
    int64_t cycles[9] = {0};
    for (int bits = 1; bits <= 8; bits++) {
        const sim_gemm gemm = gemm_case_dense(&arch, extent, bits, 8);
        sim_way ways[SIM_WAYS_MAX];
        cr_assert(arch.backend->ways(&arch, &gemm, ways) > 0);
        const sim_tiling tiling = {{1, 512, 512}, {SIM_M, SIM_N, SIM_K}};
        sim_compute compute = {0};
        sim_err err = {0};
        cr_assert(arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &compute, &err) == SIM_OK);
        const int64_t load = ref_ceil_div(8 * 8 * bits, 64), folds = (512 / 8) * (512 / 8);
        cr_expect(compute.cycles == load + 8 + 8 - 2 + (folds - 1) * (load > 1 ? load : 1) + 1);
        cr_expect(compute.port_limited == (bits > 1), "%d bits", bits);
        cycles[bits] = compute.cycles;
    }
    cr_expect(cycles[4] < 0.51 * (double)cycles[8]);
}

Test(systolic, refuses_what_its_pes_cannot_hold)
{
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    char why[200] = "";
    for (int bits = 1; bits <= 16; bits++) {
        const sim_number narrow = {SIM_FORMAT_INT, 8}, tried = {SIM_FORMAT_INT, bits};
        cr_expect(arch.backend->supports(&arch, tried, narrow, why, sizeof why) == (bits <= 8));
        cr_expect(arch.backend->supports(&arch, narrow, tried, why, sizeof why) == (bits <= 8));
    }
    cr_expect(strstr(why, "8") != NULL, "the message does not name what is supported: %s", why);
    const sim_number fp16 = {SIM_FORMAT_FP, 16}, int8 = {SIM_FORMAT_INT, 8};
    cr_expect_not(arch.backend->supports(&arch, fp16, int8, why, sizeof why));
}

Test(systolic, overflow_is_reported)
{
    static const int timings[] = {SIM_TIMING_PIPELINED, SIM_TIMING_SERIAL, SIM_TIMING_SCALESIM};
    for (int i = 0; i < 3; i++) {
        for (int dataflow = SIM_DATAFLOW_WS; dataflow <= SIM_DATAFLOW_IS; dataflow++) {
            sim_arch arch;
            arch_case_plain(&arch, "systolic");
            arch.array_timing = timings[i];
            arch.array_dataflow = dataflow;
            const int64_t side = INT64_C(1) << 30, extent[3] = {side, side, side};
            sim_gemm gemm = gemm_case_dense(&arch, (const int64_t[3]){1, 1, 1}, 8, 8);
            memcpy(gemm.extent, extent, sizeof extent);
            sim_way ways[SIM_WAYS_MAX];
            cr_assert(arch.backend->ways(&arch, &gemm, ways) > 0);
            const sim_tiling tiling = {{8, 8, 8}, {SIM_M, SIM_N, SIM_K}};
            sim_compute compute = {0};
            sim_err err = {0};
            cr_expect(arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &compute, &err) == SIM_OVERFLOW);
            cr_expect(sim_err_status(&err) == SIM_OVERFLOW);
        }
    }
}
