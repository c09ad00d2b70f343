#include "result_fixture.h"

#include <math.h>

/* Two widths of operands go at one pace, up to 4 and up to 8 bits. */
static double peak(const sim_arch *arch, int w_bits, int a_bits)
{
    (void)arch;
    return (w_bits <= 4 ? 2.0 : 1.0) * (a_bits <= 4 ? 2.0 : 1.0) * 256.0;
}

static bool supports(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size)
{
    (void)arch, (void)why, (void)why_size;
    return w.format == SIM_FORMAT_INT && a.format == SIM_FORMAT_INT && w.bits <= 8 && a.bits <= 8;
}

static const sim_backend backend = {
    .name = "paper", .summary = "", .supports = supports, .peak_macs_per_cycle = peak};

static void fill_layers(sim_layer_result *layers)
{
    layers[0] = (sim_layer_result){.name = "layers.0-2.q_proj",
                                   .op = SIM_OP_MATMUL,
                                   .repeat = 3,
                                   .m = 1,
                                   .n = 4096,
                                   .k = 4096,
                                   .batch = 1,
                                   .w = {SIM_FORMAT_INT, 3},
                                   .a = {SIM_FORMAT_INT, 8},
                                   .macs = 16777216,
                                   .compute_cycles = 1000,
                                   .memory_cycles = 9000,
                                   .cycles = 9100,
                                   .latency_s = 9.1e-6,
                                   .energy = {1e-6, 2e-6, 3e-6, 4e-6, 0, 0.1e-6},
                                   .dram_read_bytes = 6291456,
                                   .dram_write_bytes = 4096,
                                   .sram_read_bits = 123456789.5,
                                   .sram_write_bits = 1e17,
                                   .utilization_frac = 0.1,
                                   .bound = SIM_BOUND_MEMORY,
                                   .has_mapping = true,
                                   .mapping = {SIM_DATAFLOW_WS, 1, 512, 1024, "nkm"},
                                   .dram_bits_bound = 5e7,
                                   .compulsory_dram_bits = 5e7};
    layers[1] = (sim_layer_result){.name = "layers.0-2.qk",
                                   .op = SIM_OP_MATMUL,
                                   .repeat = 3,
                                   .m = 1,
                                   .n = 2049,
                                   .k = 128,
                                   .batch = 32,
                                   .w = {SIM_FORMAT_INT, 4},
                                   .a = {SIM_FORMAT_INT, 8},
                                   .kv = {SIM_FORMAT_INT, 4},
                                   .macs = 8392704,
                                   .compute_cycles = 4000,
                                   .memory_cycles = 3000,
                                   .cycles = 4100,
                                   .latency_s = 4.1e-6,
                                   .energy = {1e-6, 0, 0, 1e-6, 0, 0},
                                   .dram_read_bytes = 4196352,
                                   .utilization_frac = 0.5,
                                   .bound = SIM_BOUND_COMPUTE,
                                   .has_mapping = true,
                                   .mapping = {SIM_DATAFLOW_OS, 1, 1024, 128, "mnk"}};
    layers[2] = (sim_layer_result){.name = "layers.0-2.softmax",
                                   .op = SIM_OP_SOFTMAX,
                                   .repeat = 3,
                                   .m = 1,
                                   .n = 2049,
                                   .batch = 32,
                                   .a = {SIM_FORMAT_INT, 8},
                                   .compute_cycles = 500,
                                   .memory_cycles = 0,
                                   .cycles = 500,
                                   .latency_s = 0.5e-6,
                                   .energy = {0, 0, 0, 0, 5e-7, 0},
                                   .bound = SIM_BOUND_VECTOR};
    layers[3] = (sim_layer_result){.name = "stem, \"first\" conv",
                                   .op = SIM_OP_CONV2D,
                                   .repeat = 1,
                                   .m = 12544,
                                   .n = 64,
                                   .k = 147,
                                   .batch = 1,
                                   .w = {SIM_FORMAT_FP, 16},
                                   .a = {SIM_FORMAT_FP8, 8},
                                   .macs = 118013952,
                                   .compute_cycles = 70000,
                                   .memory_cycles = 100,
                                   .cycles = 70100,
                                   .latency_s = 70.1e-6,
                                   .energy = {1e-5, 1e-6, 1e-6, 1e-6, 0, 1e-6},
                                   .dram_read_bytes = 150528,
                                   .dram_write_bytes = 802816,
                                   .utilization_frac = 1.0,
                                   .bound = SIM_BOUND_COMPUTE,
                                   .has_mapping = true,
                                   .mapping = {SIM_DATAFLOW_IS, 12544, 64, 147, "mkn"},
                                   .dram_bits_bound = 7626752};
    layers[4] = (sim_layer_result){.name = "lm_head",
                                   .op = SIM_OP_MATMUL,
                                   .repeat = 1,
                                   .m = 1,
                                   .n = 32000,
                                   .k = 4096,
                                   .batch = 1,
                                   .w = {SIM_FORMAT_INT, 8},
                                   .a = {SIM_FORMAT_INT, 8},
                                   .macs = 131072000,
                                   .compute_cycles = 100,
                                   .memory_cycles = 20000,
                                   .cycles = 20100,
                                   .latency_s = 20.1e-6,
                                   .energy = {0, 0, 0, 1e-5, 0, 0},
                                   .dram_read_bytes = 131072000,
                                   .utilization_frac = 0.01,
                                   .bound = SIM_BOUND_PORT,
                                   .has_mapping = true,
                                   .mapping = {SIM_DATAFLOW_STREAM, 1, 32, 4096, "nmk"},
                                   .float_fallback = true};
    for (int i = 0; i < FIXTURE_LAYERS; i++)
        layers[i].steps = layers[i].devices = 1;
}

void fixture_init(fixture *f)
{
    static const char *const names[] = {"layers.0.q_proj", "layers.0.qk", "layers.0.softmax",
                                        "layers.1.q_proj", "layers.1.qk", "layers.1.softmax"};

    *f = (fixture){.result = {.layer_count = 0}};
    f->arch = (sim_arch){.name = "paper_edge",
                         .file = "arch/paper.cfg",
                         .backend = &backend,
                         .clock_mhz = 1000,
                         .array_rows = 16,
                         .array_cols = 16,
                         .array_count = 2,
                         .dram_type = "lpddr4",
                         .dram_bandwidth_gb_s = 25.6,
                         .dram_capacity_gib = 8,
                         .tech_name = "28nm"};
    f->arch.tech.node_nm = 28;
    f->arch.tech.logic_provenance = f->arch.tech.sram_provenance = SIM_PUBLISHED;
    f->arch.dram.provenance = SIM_MEASURED;
    for (int i = 0; i < 6; i++)
        f->instances[i] = (sim_layer){.name = names[i], .repeat = 1};
    f->instances[5].repeat = 2; /* the rest of the softmaxes in one */
    f->instances[6] = (sim_layer){.name = "stem, \"first\" conv", .repeat = 1};
    f->instances[7] = (sim_layer){.name = "lm_head", .repeat = 1};
    f->workload = (sim_workload){.name = "paper_decode",
                                 .file = "w.json",
                                 .phase = SIM_PHASE_DECODE,
                                 .batch = 1,
                                 .tokens = 1,
                                 .layers = f->instances,
                                 .layer_count = 8,
                                 .parameters = 6738415616};
    f->policy = (sim_policy){.name = "w3a8"};
    fill_layers(f->layers);
    f->result = (sim_result){.arch = &f->arch,
                             .workload = &f->workload,
                             .policy = &f->policy,
                             .layers = f->layers,
                             .layer_count = FIXTURE_LAYERS,
                             .energy_provenance = SIM_ASSUMED};
    f->result.totals = (sim_totals){.macs = 324625152,
                                    .compute_cycles = 86600,
                                    .cycles = 131300,
                                    .latency_s = 131.3e-6,
                                    .energy = {1.6e-5, 7e-6, 1e-5, 2.6e-5, 1.5e-6, 1.3e-6},
                                    .dram_read_bytes = 162686976,
                                    .dram_write_bytes = 815104,
                                    .weight_bytes = 4000000000,
                                    .kv_cache_bytes = -1,
                                    .peak_memory_bytes = 4000000001,
                                    .memory_fits = true,
                                    .memory_capacity_bytes = INT64_C(8589934592),
                                    .activation_bytes = 1,
                                    .max_batch = -1,
                                    .max_context_tokens = -1,
                                    .devices = 1,
                                    .device_memory_bytes = 4000000001,
                                    .tokens_per_s = NAN,
                                    .time_to_first_token_s = NAN,
                                    .time_per_output_token_s = NAN,
                                    .joules_per_token = NAN,
                                    .arithmetic_intensity_ops_per_byte = 4,
                                    .dram_bandwidth_frac = 0.5,
                                    .utilization_frac = 0.25,
                                    .area_mm2 = NAN,
                                    .peak_macs_per_s = 1.024e12,
                                    .dram_bandwidth_bytes_per_s = 25.6e9};
}
