/* Rows of the ledger on whole steps and blocks: they hold, and they notice when they do not. */
#include "ledger_fixture.h"

#include <criterion/criterion.h>

Test(ledger_steps, shipped_rows_meet_their_targets)
{
    ledger_expect_shipped(sim_check_gpu_t4_bert, "");
    ledger_expect_shipped(sim_check_gpu_t4_bert_kernels, "");
    ledger_expect_shipped(sim_check_gpu_v100_bert, "");
    ledger_expect_shipped(sim_check_gpu_a30_bert, "");
    ledger_expect_shipped(sim_check_gpu_l4_bert, "");
    ledger_expect_shipped(sim_check_gpu_l40s_bert, "");
    ledger_expect_shipped(sim_check_smoothquant_memory, "0.");
    ledger_expect_shipped(sim_check_smoothquant_latency, "");
}

#define SUSTAINED "gpu,kernel,m,n,k,latency_us,impl,regime\n"
#define OPT       "model,layers,hidden,heads,precision,batch,tokens,latency_ms,memory_gib\n"
#define OPT_6_7B                                                                                             \
    "OPT-6.7B,32,4096,32,fp16,4,128,43,12.7\nOPT-6.7B,32,4096,32,w8a8,4,128,45,6.6\n"                        \
    "OPT-30B,48,7168,56,fp16,4,128,190,56.6\nOPT-30B,48,7168,56,w8a8,4,128,136,28.9\n"

/* Figures that are off make a row that says so. */
Test(ledger_steps, other_figures_miss)
{
    static const ledger_case cases[] = {
        /* A board that sustains half as much would take twice as long for BERT. */
        {sim_check_gpu_t4_bert_kernels, "gpu_t4_sustained.csv",
         SUSTAINED "T4,gemm_fp16,4096,4096,4096,11000,x,sustained\n", false},
        {sim_check_smoothquant_memory, "smoothquant_pytorch.csv",
         OPT "OPT-6.7B,32,4096,32,fp16,4,1024,373,15.6\n", true},
        {sim_check_smoothquant_memory, "smoothquant_pytorch.csv",
         OPT "OPT-6.7B,32,4096,32,fp16,4,1024,373,14.6\n", false},
        {sim_check_smoothquant_latency, "smoothquant_pytorch.csv",
         OPT OPT_6_7B "OPT-13B,40,5120,40,fp16,4,128,84,24.4\nOPT-13B,40,5120,40,w8a8,4,128,20,12.6\n",
         false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_row(&cases[i]);
}

Test(ledger_steps, wrong_tables_are_errors)
{
    static const ledger_case cases[] = {
        {.check = sim_check_gpu_t4_bert_kernels,
         .table = "gpu_t4_sustained.csv",
         .text = SUSTAINED "T4,gemm_fp16,4096,4096,4096,100,x,sustained\n"},
        {.check = sim_check_smoothquant_memory,
         .table = "smoothquant_pytorch.csv",
         .text = OPT "OPT,x,1,1,fp16,1,1,1,1\n"},
        {.check = sim_check_smoothquant_latency,
         .table = "smoothquant_pytorch.csv",
         .text = OPT "OPT-13B,40,5120,40,w8a8,4,128,63,12.6\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ledger_expect_error(&cases[i]);
}
