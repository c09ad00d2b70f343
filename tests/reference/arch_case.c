#include "reference/arch_case.h"

#include <stdlib.h>
#include <string.h>

static const sim_sram_point sram_points[] = {
    {1024, 0.0116, 0.0164, 0.097, 0.0053},
    {16384, 0.0385, 0.0530, 1.079, 0.0593},
    {262144, 0.2041, 0.1788, 13.53, 1.0368},
    {4194304, 0.8470, 0.7982, 212.2, 14.441},
};

const char *const arch_case_backends[] = {"systolic", "bitfusion", "bitserial", NULL};

int arch_case_bits_most(const sim_arch *arch)
{
    return strcmp(arch->backend_name, "bitfusion") == 0 ? 16 : (int)arch->array_w_bits;
}

void arch_case_plain(sim_arch *arch, const char *backend)
{
    memset(arch, 0, sizeof *arch);
    arch->name = "test";
    arch->file = "test.cfg";
    arch->backend_name = backend;
    arch->backend = sim_backend_find(backend);
    if (!arch->backend)
        abort();
    arch->clock_mhz = 1000;
    arch->array_rows = arch->array_cols = 8;
    arch->array_count = 1;
    arch->array_dataflow = SIM_DATAFLOW_AUTO;
    arch->array_timing = SIM_TIMING_PIPELINED;
    arch->array_w_bits = arch->array_a_bits = 8;
    arch->array_depth = 16;
    arch->array_w_step_bits = arch->array_a_step_bits = arch->array_slot = 1;
    arch->array_acc_bits = 32;
    arch->output_bits = 8;
    arch->buffer_weight_kib = arch->buffer_input_kib = arch->buffer_output_kib = 8;
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
        arch->double_buffered[operand] = true;
    arch->activations = SIM_ACTIVATIONS_DRAM;
    arch->mapper_tiles = SIM_TILES_ANY;
    arch->mapper_latency = SIM_LATENCY_PIPELINE;
    arch->mapper_slack_frac = 0.01;
    arch->dram_type = "test";
    arch->dram_bandwidth_gb_s = 16;
    arch->dram_capacity_gib = 1024;
    arch->dram_efficiency_frac = 1;
    arch->dram_layout = SIM_LAYOUT_TILED;
    arch->vector_lanes = 16;
    arch->tech_name = "test";
    sim_tech *tech = &arch->tech;
    tech->name = "test";
    tech->file = "test";
    tech->node_nm = 45;
    tech->mac_c0_pj = 0.01255;
    tech->mac_c1_pj = 0.01315;
    tech->mac_c2_pj = 0.001636;
    tech->mac_leak_uw = 17.3;
    tech->mac_area_um2 = 568;
    tech->fusion8_pj = 0.459;
    tech->fusion16_pj = 2.113;
    tech->fusion8_leak_uw = 59.3;
    tech->fusion16_leak_uw = 295;
    tech->fusion8_area_um2 = 1735;
    tech->fusion16_area_um2 = 8831;
    tech->register_pj_per_bit = 0.009;
    tech->vector_pj_per_op = 2.3;
    tech->vector_lane_leak_uw = 230;
    tech->vector_lane_area_um2 = 7140;
    tech->sram = sram_points;
    tech->sram_count = sizeof sram_points / sizeof *sram_points;
    arch->dram = (sim_dram_kind){"test", 8.0, 0.37, 4.8, 0.96, 128, 0.081, SIM_ASSUMED};
}

void arch_case_random(sim_arch *arch, const char *backend, const arch_case_options *options,
                      ref_random *random)
{
    arch_case_plain(arch, backend);
    arch->clock_mhz = ref_random_real(random, 200, 2000);
    arch->array_rows = ref_random_scale(random, 1, options->side_most);
    arch->array_cols = ref_random_scale(random, 1, options->side_most);
    if (strcmp(backend, "systolic") == 0)
        arch->array_dataflow = (int)ref_random_int(random, SIM_DATAFLOW_WS, SIM_DATAFLOW_AUTO);
    else
        arch->array_w_bits = arch->array_a_bits = ref_random_one_in(random, 2) ? 8 : 16;
    if (options->counts && ref_random_one_in(random, 3))
        arch->array_count = ref_random_int(random, 2, 4);
    if (options->ports && ref_random_one_in(random, 3))
        arch->array_port_bits = ref_random_scale(random, 1, 8 * arch->array_cols);
    if (strcmp(backend, "bitserial") == 0) {
        arch->array_depth = ref_random_scale(random, 1, 256);
        arch->array_w_step_bits = INT64_C(1) << ref_random_int(random, 0, 3);
        arch->array_a_step_bits = INT64_C(1) << ref_random_int(random, 0, 3);
        arch->array_input_port_bits = arch->array_port_bits > 0 ? ref_random_scale(random, 1, 1024) : 0;
    }
    arch->array_acc_bits = ref_random_int(random, 16, 40);
    arch->output_bits = ref_random_int(random, 4, 16);
    arch->output_read_first = options->read_first && ref_random_one_in(random, 4);
    double kib[3];
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++) {
        arch->double_buffered[operand] = ref_random_one_in(random, 2);
        kib[operand] =
            options->buffer_kib_least *
            (double)ref_random_scale(random, 1024,
                                     (int64_t)(1024 * options->buffer_kib_most / options->buffer_kib_least)) /
            1024;
    }
    arch->buffer_weight_kib = kib[0];
    arch->buffer_input_kib = kib[1];
    arch->buffer_output_kib = kib[2];
    if (ref_random_one_in(random, 2)) {
        arch->buffer_unified_kib = kib[0] + kib[1] + kib[2];
        arch->buffer_weight_kib = arch->buffer_input_kib = arch->buffer_output_kib = 0;
    }
    arch->dram_bandwidth_gb_s = ref_random_real(random, 0.1, 4) * (double)ref_random_scale(random, 1, 64);
    if (options->curve && ref_random_one_in(random, 2)) {
        arch->dram_efficiency_frac = 0;
        arch->dram.burst_bytes = (double)ref_random_int(random, 1, 64);
        arch->dram_layout = ref_random_one_in(random, 2) ? SIM_LAYOUT_TILED : SIM_LAYOUT_ROW_MAJOR;
    }
    /* Energies across two orders of magnitude, so that each term decides somewhere. */
    arch->dram.pj_per_bit = ref_random_real(random, 0.05, 10);
    arch->dram.background_frac = ref_random_real(random, 0, 0.9);
    arch->tech.mac_leak_uw = ref_random_real(random, 0, 2000);
    arch->tech.register_pj_per_bit = ref_random_real(random, 0, 0.2);
}

sim_gemm gemm_case_dense(const sim_arch *arch, const int64_t extent[SIM_DIMS], int w_bits, int a_bits)
{
    sim_gemm gemm = {.batch = 1, .w_bits = w_bits, .a_bits = a_bits};
    for (int d = 0; d < SIM_DIMS; d++)
        gemm.extent[d] = extent[d];
    gemm.out_bits = (int)arch->output_bits;
    gemm.acc_bits = (int)arch->array_acc_bits;
    gemm.w_stored_bits = extent[SIM_K] * extent[SIM_N] * w_bits;
    gemm.a_stored_bits = extent[SIM_M] * extent[SIM_K] * a_bits;
    gemm.out_stored_bits = extent[SIM_M] * extent[SIM_N] * gemm.out_bits;
    return gemm;
}
