/* BitFusion's rows of the ledger: they hold, and they notice when they do not. */
#include "ledger_fixture.h"

#include <criterion/criterion.h>

Test(ledger_bitfusion, shipped_rows_meet_their_targets)
{
    ledger_expect_shipped(sim_check_bitfusion_gemms, "compute 275 of 275 exact; cycles 275 within 1%");
    ledger_expect_shipped(sim_check_bitfusion_networks, "compute 35 of 35 exact; cycles 35 within 1%");
    ledger_expect_shipped(sim_check_bitfusion_eyeriss, "3.925x faster, 5.117x less energy");
}

#define GEMM_HEADER "rows,cols,widest_bits,layer,m,n,k,w_bits,a_bits,compute_cycles,cycles,energy_nj\n"
#define GEMM        "16,32,8,gpt2.qkvo,1,768,768,2,2,"
#define LAYER_HEADER                                                                                         \
    "network,layer,kernel,out,stride,c_in,c_out,images,w_bits,a_bits,compute_cycles,cycles,energy_nj\n"
#define EYERISS_HEADER "network,eyeriss_ms_per_image,eyeriss_mj_per_image\n"

/* Figures that are off make a row that says so. */
Test(ledger_bitfusion, other_figures_miss)
{
    static const ledger_case cases[] = {
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

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_row(&cases[i]);
}

Test(ledger_bitfusion, wrong_tables_are_errors)
{
    static const ledger_case cases[] = {
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", "rows,cols\n16,32\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,0,1\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,0\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER GEMM "72,6408,many\n", false},
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER "16,32,7,x,1,768,768,2,2,72,6408,1\n",
         false}, /* no such unit */
        {sim_check_bitfusion_gemms, "bitfusion_gemm.csv", GEMM_HEADER "16,32,8,x,1,768,768,17,2,72,6408,1\n",
         false},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv", "network,layer\nA,b\n", false},
        {sim_check_bitfusion_networks, "bitfusion_networks.csv",
         LAYER_HEADER "A,conv,11,55,4,3,96,16,8,8,3339600,99999999999,1\n", false},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER "GoogLeNet,1,1\n", false},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", EYERISS_HEADER "RNN,0,1\n", false},
        {sim_check_bitfusion_eyeriss, "bitfusion_eyeriss.csv", "eyeriss_ms_per_image\n1\n", false},
        {sim_check_bitfusion_eyeriss, "bitfusion_networks.csv", "layer\nconv\n", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_error(&cases[i]);
}
