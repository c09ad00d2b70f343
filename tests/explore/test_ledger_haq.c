/* The rows of the ledger on bit-serial machines: they hold, and they notice when they do not. */
#include "explore/ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char shipped[] = SIMACC_SOURCE_DIR "/tests/validation";
static const char *const tables[] = {"haq_mobilenetv2_cloud.csv", "haq_networks.csv", "haq_published.csv",
                                     "bitmod_trend.csv"};

/* Runs `check` on data of which `name` holds `text`, the other tables being the shipped ones. */
static sim_status run_on(sim_ledger_check *check, const char *name, const char *text, sim_arena *arena,
                         sim_ledger_row *row, sim_err *err)
{
    char folder[] = "/tmp/simacc_ledger_XXXXXX", path[128], target[512];
    cr_assert_not_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, tables[i]);
        snprintf(target, sizeof target, "%s/%s", shipped, tables[i]);
        if (strcmp(tables[i], name) != 0) {
            cr_assert_eq(symlink(target, path), 0);
            continue;
        }
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        cr_assert(fputs(text, file) >= 0);
        cr_assert_eq(fclose(file), 0);
    }
    sim_arena_init(arena, NULL);
    const sim_ledger_context context = {folder, SIMACC_SOURCE_DIR "/arch", arena};
    const sim_status status = check(&context, row, err);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, tables[i]);
        unlink(path);
    }
    rmdir(folder);
    return status;
}

Test(ledger_haq, shipped_rows_meet_their_targets)
{
    static const struct {
        sim_ledger_check *check;
        const char *begins;
    } cases[] = {
        {sim_check_haq_table, "417 of 417 exact"},
        {sim_check_haq_v2, "74.46 (74.46), 99.43 (99.43), 127.07 (127.07), 189.82 (189.82) ms"},
        {sim_check_haq_v1, "57.49 (57.49), 77.52 (77.52), 99.86 (99.86), 151.09 (151.09) ms"},
        {sim_check_bitmod, "within "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        const sim_ledger_context context = {shipped, SIMACC_SOURCE_DIR "/arch", &arena};
        sim_ledger_row row = {0};
        sim_err err = {0};
        cr_assert_eq(cases[i].check(&context, &row, &err), SIM_OK, "%s", err.items[0].text);
        cr_expect(row.met, "%s: %s", row.claim, row.result);
        cr_expect_eq(strncmp(row.result, cases[i].begins, strlen(cases[i].begins)), 0, "%s", row.result);
        sim_arena_free(&arena);
    }
}

#define TABLE  "layer,type,cin,cout,k,stride,h_in,batch,w_bits,a_bits,cycles\n"
#define TREND  "model,phase,tokens,hidden,intermediate,layers,heads,kv_heads,vocab,wide_bits,narrow_bits,"
#define CYCLES "wide_cycles,narrow_cycles\n"

/* Figures that are off make a row that says so. */
Test(ledger_haq, other_figures_miss)
{
    static const struct {
        sim_ledger_check *check;
        const char *name, *text;
        bool met;
    } cases[] = {
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,1,200720\n", true},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,1,201200\n",
         false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "1,dw,32,32,3,1,112,16,1,1,201200\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE, false},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V2,4,74.6\n", false},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V1,4,57.49\n", false},
        {sim_check_haq_v1, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V1,4,57.49\n", true},
        {sim_check_haq_v1, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V1,4,57.6\n", false},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,4096,11008,32,32,32,32000,6,3,196,100\n", true},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,4096,11008,32,32,32,32000,6,3,150,100\n", false},
        {sim_check_bitmod, "bitmod_trend.csv", TREND CYCLES, false},
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

Test(ledger_haq, wrong_tables_are_errors)
{
    static const struct {
        sim_ledger_check *check;
        const char *name, *text;
    } cases[] = {
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", "layer\n0\n"},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,1,0\n"},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,17,5\n"},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,99,1,5\n"},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,0,32,3,2,224,16,1,1,5\n"},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,dw,3,32,3,2,224,16,1,1,5\n"},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V2,17,74.46\n"},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V2,4,0\n"},
        {sim_check_haq_v2, "haq_published.csv", "bits,latency_ms\n4,1\n"},
        {sim_check_haq_v2, "haq_networks.csv", "network,layer,type,cin,cout,k,stride,h_in\n"},
        {sim_check_haq_v2, "haq_networks.csv", "layer,type,cin,cout,k,stride,h_in\n0,conv,3,32,3,2,224\n"},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,4096,11008,32,32,32,32000,17,3,150,100\n"},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,0,11008,32,32,32,32000,6,3,150,100\n"},
        {sim_check_bitmod, "bitmod_trend.csv", "model\nx\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_ledger_row row = {0};
        sim_err err = {0};
        cr_assert_neq(run_on(cases[i].check, cases[i].name, cases[i].text, &arena, &row, &err), SIM_OK,
                      "case %zu", i);
        cr_expect_gt(err.count, 0, "case %zu", i);
        sim_arena_free(&arena);
    }
}
