/* The rows of the ledger on bit-serial machines: they hold, and they notice when they do not. */
#include "ledger_fixture.h"

#include <criterion/criterion.h>

Test(ledger_haq, shipped_rows_meet_their_targets)
{
    ledger_expect_shipped(sim_check_haq_table, "417 of 417 exact");
    ledger_expect_shipped(sim_check_haq_v2,
                          "74.46 (74.46), 99.43 (99.43), 127.07 (127.07), 189.82 (189.82) ms");
    ledger_expect_shipped(sim_check_haq_v1,
                          "57.49 (57.49), 77.52 (77.52), 99.86 (99.86), 151.09 (151.09) ms");
    ledger_expect_shipped(sim_check_bitmod, "within ");
}

#define TABLE  "layer,type,cin,cout,k,stride,h_in,batch,w_bits,a_bits,cycles\n"
#define TREND  "model,phase,tokens,hidden,intermediate,layers,heads,kv_heads,vocab,wide_bits,narrow_bits,"
#define CYCLES "wide_cycles,narrow_cycles\n"

/* Figures that are off make a row that says so. */
Test(ledger_haq, other_figures_miss)
{
    static const ledger_case cases[] = {
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

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_row(&cases[i]);
}

Test(ledger_haq, wrong_tables_are_errors)
{
    static const ledger_case cases[] = {
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", "layer\n0\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,1,0\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,1,17,5\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,3,32,3,2,224,16,99,1,5\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,conv,0,32,3,2,224,16,1,1,5\n", false},
        {sim_check_haq_table, "haq_mobilenetv2_cloud.csv", TABLE "0,dw,3,32,3,2,224,16,1,1,5\n", false},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V2,17,74.46\n", false},
        {sim_check_haq_v2, "haq_published.csv", "network,bits,latency_ms\nMobileNet-V2,4,0\n", false},
        {sim_check_haq_v2, "haq_published.csv", "bits,latency_ms\n4,1\n", false},
        {sim_check_haq_v2, "haq_networks.csv", "network,layer,type,cin,cout,k,stride,h_in\n", false},
        {sim_check_haq_v2, "haq_networks.csv", "layer,type,cin,cout,k,stride,h_in\n0,conv,3,32,3,2,224\n",
         false},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,4096,11008,32,32,32,32000,17,3,150,100\n", false},
        {sim_check_bitmod, "bitmod_trend.csv",
         TREND CYCLES "x,decode,256,0,11008,32,32,32,32000,6,3,150,100\n", false},
        {sim_check_bitmod, "bitmod_trend.csv", "model\nx\n", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_error(&cases[i]);
}
