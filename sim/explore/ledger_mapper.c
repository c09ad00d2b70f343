/* The mapper against other tools, in their accounting. */
#include "explore/ledger.h"
#include "model/mapper.h"

#include <math.h>
#include <string.h>

enum { PROBLEMS = 5, LARGE_PROBLEMS = 3 };

/* The machine that the tools were run on: 16x16 PEs, one 256 KiB buffer of 8-bit words, and 0.2 / 0.03 / 2 /
 * 64 pJ per MAC, register, buffer and DRAM word. A MAC reads one register. */
static void reference_machine(sim_arch *arch)
{
    static const sim_sram_point flat[] = {{1024, 2.0 / 8, 2.0 / 8, 0, 0}, {1 << 24, 2.0 / 8, 2.0 / 8, 0, 0}};

    *arch = (sim_arch){
        .name = "timeloop",
        .backend = sim_backend_find("systolic"),
        .clock_mhz = 1000,
        .array_rows = 16,
        .array_cols = 16,
        .array_count = 1,
        .array_dataflow = SIM_DATAFLOW_WS,
        .array_w_bits = 8,
        .array_a_bits = 8,
        .array_acc_bits = 8,
        .output_bits = 8,
        .buffer_unified_kib = 256,
        .dram_bandwidth_gb_s = 1000,
        .dram_efficiency_frac = 1,
        .dram = {.name = "words", .pj_per_bit = 64.0 / 8, .curve_efficiency_frac = 1, .burst_bytes = 1},
        .vector_lanes = 1,
        .tech = {.name = "words", .node_nm = 45, .mac_c0_pj = 0.2 + 0.03, .sram = flat, .sram_count = 2},
    };
}

static sim_status best_of(const sim_ledger_context *context, const sim_arch *arch,
                          const int64_t extent[SIM_DIMS], sim_objective objective, sim_map_value *out,
                          sim_err *err)
{
    sim_map_cache *cache = sim_map_cache_new(context->arena);
    sim_map_choice choice;
    sim_gemm gemm = {
        .extent = {extent[0], extent[1], extent[2]},
        .batch = 1,
        .w_bits = 8,
        .a_bits = 8,
        .out_bits = 8,
        .acc_bits = 8,
        .w_stored_bits = extent[SIM_N] * extent[SIM_K] * 8,
        .a_stored_bits = extent[SIM_M] * extent[SIM_K] * 8,
        .out_stored_bits = extent[SIM_M] * extent[SIM_N] * 8,
    };
    sim_status status;

    if (!cache)
        return sim_fail(err, SIM_NO_MEMORY, NULL, 0, "out of memory");
    status = sim_map(arch, &gemm, "problem", objective, cache, &choice, err);
    *out = choice.value;
    return status;
}

/* Leaves `out` as it is where the cell is empty: the tool printed none. */
static sim_status optional_real(const sim_csv *csv, int64_t row, const char *column, double *out,
                                sim_err *err)
{
    int c = sim_csv_column(csv, column);

    if (c >= 0 && *sim_csv_text(csv, row, c) == '\0')
        return SIM_OK;
    return sim_csv_real(csv, row, column, out, err);
}

sim_status sim_check_timeloop(const sim_ledger_context *context, sim_ledger_row *out, sim_err *err)
{
    sim_csv csv;
    sim_arch arch;
    sim_status status = sim_ledger_csv(context, "timeloop.csv", &csv, err);
    double fewest[PROBLEMS + 1], least_saving = INFINITY;
    int worse_words = 0, worse_energy = 0, tool_column;

    if (status != SIM_OK)
        return status;
    tool_column = sim_csv_column(&csv, "tool");
    if (tool_column < 0)
        return sim_fail(err, SIM_BAD_INPUT, csv.file, 1, "no column 'tool'");
    reference_machine(&arch);
    for (int p = 0; p <= PROBLEMS; p++)
        fewest[p] = INFINITY;
    for (int64_t i = 0; i < csv.row_count; i++) {
        int64_t problem = 0, extent[SIM_DIMS] = {0};
        double energy_uj = INFINITY, words = INFINITY;
        sim_map_value least_dram, least_energy;
        const char *tool = sim_csv_text(&csv, i, tool_column);
        static const char *const names[] = {"m", "n", "k"};

        status = sim_csv_int(&csv, i, "problem", &problem, err);
        for (int d = 0; d < SIM_DIMS && status == SIM_OK; d++)
            status = sim_csv_int(&csv, i, names[d], &extent[d], err);
        if (status == SIM_OK)
            status = optional_real(&csv, i, "dram_words", &words, err);
        if (status == SIM_OK)
            status = optional_real(&csv, i, "energy_uj", &energy_uj, err);
        if (status != SIM_OK)
            return status;
        if (problem < 1 || problem > PROBLEMS)
            return sim_fail(err, SIM_BAD_INPUT, csv.file, csv.lines[i], "column 'problem' must be 1 to %d",
                            PROBLEMS);
        status = best_of(context, &arch, extent, SIM_OBJECTIVE_DRAM, &least_dram, err);
        if (status == SIM_OK)
            status = best_of(context, &arch, extent, SIM_OBJECTIVE_ENERGY, &least_energy, err);
        if (status != SIM_OK)
            return status;
        worse_words += least_dram.dram_bits / 8 > words;
        /* ZigZag leaves out register reads: its energies do not compare. */
        worse_energy +=
            strncmp(tool, "zigzag", 6) != 0 && least_energy.energy_pj > energy_uj * 1e6 * (1 + 1e-4);
        if (problem <= LARGE_PROBLEMS && words < fewest[problem]) {
            fewest[problem] = words;
            least_saving = fmin(least_saving, 1 - least_dram.dram_bits / 8 / words);
        }
    }
    *out = (sim_ledger_row){
        .claim = "mapper against Timeloop, ZigZag, FactorFlow",
        .target = "DRAM words never more, >= 16% fewer on 3 large; energy never more",
        .result = sim_ledger_text(context, "%d more words, %d more energy, %.1f%% fewer at least",
                                  worse_words, worse_energy, least_saving * 100),
        .source = "their runs on one 16x16, 256 KiB machine",
        .met = worse_words == 0 && worse_energy == 0 && least_saving >= 0.16,
    };
    return SIM_OK;
}
