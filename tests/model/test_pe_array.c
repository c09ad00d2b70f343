/* The PE-level simulator itself: it must reproduce independent Verilog and break where that breaks. */
#include "reference/gemm_case.h"
#include "reference/pe_array.h"
#include "reference/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const dataflow_names[] = {"ws", "os", "is"};

/* Runs a chain of folds of an array: `folds` column blocks of one GEMM, started every `interval` cycles. */
static int64_t run_chain(pe_dataflow dataflow, int64_t rows, int64_t cols, int64_t steps, int64_t fold_count,
                         int64_t interval, ref_random *random, int64_t *wrong)
{
    const pe_array array = {dataflow, rows, cols, 8, 0};
    const int64_t across = cols * fold_count;
    const int64_t m = dataflow == PE_OS ? rows : dataflow == PE_WS ? steps : across;
    const int64_t n = dataflow == PE_IS ? steps : across;
    const int64_t k = dataflow == PE_OS ? steps : rows;
    gemm_case gemm = gemm_case_new(m, n, k, -128, 127, -128, 127, random);
    const pe_gemm operands = {{m, n, k}, gemm.a, gemm.w};
    const int64_t tile[3] = {m, n, k};
    const int order[3] = {PE_M, PE_N, PE_K};
    int64_t count = 0;
    pe_fold *folds = pe_array_folds(&array, operands.extent, tile, order, false, 0, 1, &count);
    cr_assert(count == fold_count);
    pe_array_schedule_every(&array, folds, count, interval);
    const int64_t cycles = pe_array_run(&array, &operands, folds, count, gemm.out);
    *wrong = gemm_case_wrong(&gemm);
    free(folds);
    gemm_case_free(&gemm);
    return cycles;
}

/* The 40 legal chains of the table to the cycle and with every value right; the 6 illegal ones destroy
 * values. */
Test(pe_array, reproduces_verilog)
{
    ref_table *table = ref_table_open("rtl_cycles.csv");
    ref_random random = {2};
    int legal = 0, illegal = 0;
    for (int64_t i = 0; i < ref_table_rows(table); i++) {
        const bool os = strcmp(ref_table_text(table, i, "dataflow"), "os") == 0;
        const bool correct = ref_table_int(table, i, "correct") != 0;
        int64_t wrong = 0;
        const int64_t cycles =
            run_chain(os ? PE_OS : PE_WS, ref_table_int(table, i, "rows"), ref_table_int(table, i, "cols"),
                      ref_table_int(table, i, "steps"), ref_table_int(table, i, "folds"),
                      ref_table_int(table, i, "interval_cycles"), &random, &wrong);
        cr_expect(cycles == ref_table_int(table, i, "cycles"), "row %lld: %lld cycles", (long long)i,
                  (long long)cycles);
        cr_expect((wrong == 0) == correct, "row %lld: %lld wrong outputs", (long long)i, (long long)wrong);
        legal += correct;
        illegal += !correct;
    }
    cr_expect(legal == 40 && illegal == 6);
    ref_table_close(table);
}

/* IS is WS with the operands exchanged. */
Test(pe_array, input_stationary_mirrors_weight_stationary)
{
    ref_random random = {3};
    for (int i = 0; i < 100; i++) {
        const int64_t rows = ref_random_int(&random, 1, 8), cols = ref_random_int(&random, 1, 8);
        const int64_t steps = ref_random_int(&random, 1, 20), folds = ref_random_int(&random, 1, 5);
        const int64_t interval = steps > rows ? steps : rows;
        int64_t ws_wrong = 0, is_wrong = 0;
        const int64_t ws = run_chain(PE_WS, rows, cols, steps, folds, interval, &random, &ws_wrong);
        const int64_t is = run_chain(PE_IS, rows, cols, steps, folds, interval, &random, &is_wrong);
        cr_expect(ws == is && ws_wrong == 0 && is_wrong == 0);
    }
}

/* Whether starting `fold` a cycle too early must show. It cannot where the fold reloads the very values that
 * the one before left in the PEs, or where only the padding of a ragged block is late at the port. */
static bool loss_must_show(const pe_array *array, const pe_fold *before, const pe_fold *fold)
{
    if (array->dataflow == PE_OS)
        return true;
    const int side = array->dataflow == PE_WS ? PE_N : PE_M;
    if (fold->first[PE_K] == before->first[PE_K] && fold->first[side] == before->first[side])
        return false;
    return array->dataflow == PE_IS || !array->port_bits ||
           (before->size[PE_K] == array->rows && before->size[side] == array->cols);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Random GEMMs, tiles and orders: the legal schedule computes every output, whatever is ragged. Starting any
 * one fold a single cycle earlier destroys some. */
Test(pe_array, earliest_schedule_is_legal_and_tight)
{
    ref_random random = {4};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int64_t broken = 0;
    for (int i = 0; i < 600 / SIMACC_TEST_REDUCE; i++) {
        pe_array array = {(pe_dataflow)(i % 3), ref_random_int(&random, 1, 6), ref_random_int(&random, 1, 6),
                          ref_random_int(&random, 1, 8), 0};
        if (ref_random_one_in(&random, 2))
            array.port_bits = ref_random_int(&random, 1, 2 * array.cols * array.w_bits);
        gemm_case gemm = gemm_case_new(ref_random_int(&random, 1, 16), ref_random_int(&random, 1, 16),
                                       ref_random_int(&random, 1, 16), -128, 127, -128, 127, &random);
        const pe_gemm operands = {{gemm.m, gemm.n, gemm.k}, gemm.a, gemm.w};
        int64_t tile[3];
        for (int d = 0; d < 3; d++)
            tile[d] = ref_random_int(&random, 1, operands.extent[d]);
        int64_t count = 0;
        pe_fold *folds = pe_array_folds(&array, operands.extent, tile, orders[ref_random_int(&random, 0, 5)],
                                        false, 0, 1, &count);
        pe_array_schedule(&array, folds, count, -1);
        pe_array_run(&array, &operands, folds, count, gemm.out);
        cr_assert(gemm_case_wrong(&gemm) == 0, "%s, case %d: %lld wrong outputs",
                  dataflow_names[array.dataflow], i, (long long)gemm_case_wrong(&gemm));
        const int64_t early = count > 1 ? ref_random_int(&random, 0, count - 2) : -1;
        if (early >= 0 && loss_must_show(&array, &folds[early], &folds[early + 1])) {
            pe_array_schedule(&array, folds, count, early);
            gemm_case_clear(&gemm);
            pe_array_run(&array, &operands, folds, count, gemm.out);
            cr_assert(gemm_case_wrong(&gemm) > 0, "%s, case %d: fold %lld of %lld may start earlier",
                      dataflow_names[array.dataflow], i, (long long)early + 1, (long long)count);
            broken++;
        }
        free(folds);
        gemm_case_free(&gemm);
    }
    cr_expect(broken > 400 / SIMACC_TEST_REDUCE, "only %lld chains of folds", (long long)broken);
}

/* A port of few bits delays the first fold by the whole of its load: cycles counted by hand. */
Test(pe_array, weight_port_by_hand)
{
    ref_random random = {5};
    const pe_array array = {PE_WS, 4, 2, 4, 3}; /* 4*2*4 = 32 bits through 3 per cycle: 11 cycles */
    cr_assert(pe_array_load_cycles(&array) == 11);
    gemm_case gemm = gemm_case_new(1, 4, 4, -8, 7, -8, 7, &random);
    const pe_gemm operands = {{1, 4, 4}, gemm.a, gemm.w};
    const int64_t tile[3] = {1, 4, 4};
    const int order[3] = {PE_M, PE_N, PE_K};
    int64_t count = 0;
    pe_fold *folds = pe_array_folds(&array, operands.extent, tile, order, false, 0, 1, &count);
    pe_array_schedule(&array, folds, count, -1);
    /* two loads, one step, 3 more rows and 1 more column */
    cr_expect(pe_array_run(&array, &operands, folds, count, gemm.out) == 11 + 11 + 1 + 3 + 1);
    cr_expect(gemm_case_wrong(&gemm) == 0);
    free(folds);
    gemm_case_free(&gemm);
}

/* In OS all k tiles of an output may be one fold: the product is the same and partial sums leave once. */
Test(pe_array, outputs_accumulate_in_place)
{
    ref_random random = {6};
    const int order[3] = {PE_M, PE_N, PE_K};
    for (int i = 0; i < 60; i++) {
        const pe_array array = {PE_OS, ref_random_int(&random, 1, 6), ref_random_int(&random, 1, 6), 8, 0};
        gemm_case gemm = gemm_case_new(ref_random_int(&random, 1, 12), ref_random_int(&random, 1, 12),
                                       ref_random_int(&random, 2, 24), -128, 127, -128, 127, &random);
        const pe_gemm operands = {{gemm.m, gemm.n, gemm.k}, gemm.a, gemm.w};
        const int64_t tile[3] = {smaller(array.rows, gemm.m), smaller(array.cols, gemm.n),
                                 ref_random_int(&random, 1, gemm.k)};
        int64_t apart = 0, together = 0;
        pe_fold *folds = pe_array_folds(&array, operands.extent, tile, order, false, 0, 1, &apart);
        free(folds);
        folds = pe_array_folds(&array, operands.extent, tile, order, true, 0, 1, &together);
        cr_expect(apart == together * ((gemm.k + tile[PE_K] - 1) / tile[PE_K]));
        pe_array_schedule(&array, folds, together, -1);
        pe_array_run(&array, &operands, folds, together, gemm.out);
        cr_expect(gemm_case_wrong(&gemm) == 0);
        free(folds);
        gemm_case_free(&gemm);
    }
}
