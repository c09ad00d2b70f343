/* BitFusion's rows of the ledger: they hold, and they notice when they do not. */
#include "explore/ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char shipped[] = SIMACC_SOURCE_DIR "/tests/validation";

/* A ledger whose data lie in `folder`. */
static sim_ledger_context context_of(const char *folder, sim_arena *arena)
{
    sim_arena_init(arena, NULL);
    return (sim_ledger_context){folder, SIMACC_SOURCE_DIR "/arch", arena};
}

/* Runs `check` on data of which `name` holds `text`, the other tables being the shipped ones. */
static sim_status run_on(sim_ledger_check *check, const char *name, const char *text, sim_arena *arena,
                         sim_ledger_row *row, sim_err *err)
{
    static const char *const all[] = {"bitfusion_gemm.csv", "bitfusion_networks.csv",
                                      "bitfusion_eyeriss.csv"};
    char folder[] = "/tmp/simacc_ledger_XXXXXX", path[128], target[512];
    sim_status status;
    FILE *file;

    cr_assert_not_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, all[i]);
        snprintf(target, sizeof target, "%s/%s", shipped, all[i]);
        if (strcmp(all[i], name) != 0) {
            cr_assert_eq(symlink(target, path), 0);
            continue;
        }
        file = fopen(path, "w");
        cr_assert_not_null(file);
        cr_assert(fputs(text, file) >= 0);
        fclose(file);
    }
    const sim_ledger_context context = context_of(folder, arena);

    status = check(&context, row, err);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, all[i]);
        unlink(path);
    }
    rmdir(folder);
    return status;
}

Test(ledger_bitfusion, shipped_rows_meet_their_targets)
{
    static const struct {
        sim_ledger_check *check;
        const char *begins;
    } cases[] = {
        {sim_check_bitfusion_gemms, "compute 275 of 275 exact; cycles 275 within 1%"},
        {sim_check_bitfusion_networks, "compute 35 of 35 exact; cycles 35 within 1%"},
        {sim_check_bitfusion_eyeriss, "3.925x faster, 5.117x less energy"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        const sim_ledger_context context = context_of(shipped, &arena);
        sim_ledger_row row = {0};
        sim_err err = {0};

        cr_assert_eq(cases[i].check(&context, &row, &err), SIM_OK, "%s", err.items[0].text);
        cr_expect(row.met, "%s: %s", row.claim, row.result);
        cr_expect_eq(strncmp(row.result, cases[i].begins, strlen(cases[i].begins)), 0, "%s", row.result);
        sim_arena_free(&arena);
    }
}

#define GEMM_HEADER "rows,cols,widest_bits,layer,m,n,k,w_bits,a_bits,compute_cycles,cycles,energy_nj\n"
#define GEMM        "16,32,8,gpt2.qkvo,1,768,768,2,2,"
#define LAYER_HEADER                                                                                         \
    "network,layer,kernel,out,stride,c_in,c_out,images,w_bits,a_bits,compute_cycles,cycles,energy_nj\n"
#define EYERISS_HEADER "network,eyeriss_ms_per_image,eyeriss_mj_per_image\n"

/* Figures that are off make a row that says so. */
Test(ledger_bitfusion, other_figures_miss)
{
    static const struct {
        sim_ledger_check *check;
        const char *name, *text;
        bool met;
    } cases[] = {
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,18606.8\n", true},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "73,6408,18606.8\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6300,18606.8\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,18800\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER, false},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv",
         LAYER_HEADER "A,conv,11,55,4,3,96,16,8,8,3339600,3746423,12745180\n", true},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv",
         LAYER_HEADER "A,conv,11,55,4,3,96,16,8,8,3339600,3646423,12745180\n", false},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv",
         LAYER_HEADER "A,conv,11,55,4,3,96,16,8,8,,,\n", false}, /* nothing to compare with */
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER "RNN,0.131072,0.4\n", false},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_ledger_row row = {0};
        sim_err err = {0};

        cr_assert_eq(run_on(cases[i].check, cases[i].name, cases[i].text, &arena, &row, &err), SIM_OK,
                     "case %zu: %s", i, err.items[0].text);
        cr_expect_eq(row.met, cases[i].met, "case %zu: %s", i, row.result);
        sim_arena_free(&arena);
    }
}

Test(ledger_bitfusion, wrong_tables_are_errors)
{
    static const struct {
        sim_ledger_check *check;
        const char *name, *text;
    } cases[] = {
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", "rows,cols\n16,32\n"},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,0,1\n"},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,0\n"},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,many\n"},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv",
         GEMM_HEADER "16,32,7,x,1,768,768,2,2,72,6408,1\n"}, /* no such unit */
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER "16,32,8,x,1,768,768,17,2,72,6408,1\n"},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv", "network,layer\nA,b\n"},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv",
         LAYER_HEADER "A,conv,11,55,4,3,96,16,8,8,3339600,99999999999,1\n"},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER "GoogLeNet,1,1\n"},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER "RNN,0,1\n"},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", "eyeriss_ms_per_image\n1\n"},
        {sim_check_bitfusion_eyeriss, "bitfusion_networks.csv", "layer\nconv\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_ledger_row row = {0};
        sim_err err = {0};

        cr_expect_eq(run_on(cases[i].check, cases[i].name, cases[i].text, &arena, &row, &err), SIM_BAD_INPUT,
                     "case %zu: %s", i, err.count ? err.items[0].text : "no error");
        cr_expect(err.count > 0, "case %zu", i);
        sim_arena_free(&arena);
    }
}
