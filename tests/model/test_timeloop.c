/* The mapper on the machine and in the accounting of three published mappers. */
#include "model/mapper.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/loopnest.h"
#include "reference/table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Their prices, pJ per word of 8 bits. */
static const double mac_pj = 0.2, register_pj = 0.03, buffer_pj = 2, dram_pj = 64;

/* 16x16 PEs with a weight register each, one 256 KiB buffer, nothing double-buffered, words of 8 bits. */
static sim_arch their_machine(void)
{
    static const sim_sram_point flat[] = {{1024, 0.25, 0.25, 0, 0}, {1 << 30, 0.25, 0.25, 0, 0}};
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    arch.array_rows = arch.array_cols = 16;
    arch.array_dataflow = SIM_DATAFLOW_WS;
    arch.array_acc_bits = arch.output_bits = 8;
    arch.buffer_weight_kib = arch.buffer_input_kib = arch.buffer_output_kib = 0;
    arch.buffer_unified_kib = 256;
    memset(arch.double_buffered, 0, sizeof arch.double_buffered);
    /* Each product reads its weight register. Writing one, 0.006% of all, has no price of its own here. */
    arch.tech.mac_c0_pj = mac_pj + register_pj;
    arch.tech.mac_c1_pj = arch.tech.mac_c2_pj = 0;
    arch.tech.mac_leak_uw = arch.tech.vector_lane_leak_uw = 0;
    arch.tech.register_pj_per_bit = 0;
    arch.tech.sram = flat;
    arch.tech.sram_count = 2;
    arch.dram.pj_per_bit = dram_pj / 8;
    arch.dram.background_frac = 0;
    return arch;
}

/* Array passes that tiles of `tile` make along a dimension of `extent` on 16 PEs. */
static int64_t passes(int64_t extent, int64_t tile)
{
    int64_t sum = 0;
    for (int64_t at = 0; at < extent; at += tile)
        sum += ref_ceil_div(extent - at < tile ? extent - at : tile, 16);
    return sum;
}

static loopnest_step words_of(const sim_gemm *gemm, const sim_tiling *tiling)
{
    loopnest nest = {.output_read_first = false};
    for (int d = 0; d < 3; d++) {
        nest.extent[d] = gemm->extent[d];
        nest.tile[d] = tiling->tile[d];
        nest.order[d] = (int)tiling->order[d];
    }
    return loopnest_sum(&nest);
}

static int64_t dram_words(const loopnest_step *w)
{
    return w->weight_read + w->input_read + w->partial_read + w->partial_write + w->final_write;
}

/* Their energy of a mapping, uJ: every word that moves, counted from the loop nest and the passes of the
 * array. A word between DRAM and buffer is one access of each; each pass reads its inputs, reads its outputs
 * unless they are new, and writes them; a weight is read once per tile of tokens, into its register. */
static double their_energy_uj(const sim_gemm *gemm, const sim_tiling *tiling)
{
    const double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N],
                 k = (double)gemm->extent[SIM_K];
    const double n_passes = (double)passes(gemm->extent[SIM_N], tiling->tile[SIM_N]);
    const double k_passes = (double)passes(gemm->extent[SIM_K], tiling->tile[SIM_K]);
    const double loads = k * n * (double)ref_ceil_div(gemm->extent[SIM_M], tiling->tile[SIM_M]);
    const loopnest_step words = words_of(gemm, tiling);
    const double moved = (double)dram_words(&words);
    const double accesses = m * k * n_passes + m * n * (2 * k_passes - 1) + loads + moved;
    return 1e-6 * (m * n * k * (mac_pj + register_pj) + loads * register_pj + accesses * buffer_pj +
                   moved * dram_pj);
}

static sim_map_choice map(const sim_arch *arch, const sim_gemm *gemm, sim_objective objective)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    sim_map_cache *cache = sim_map_cache_new(&arena);
    sim_map_choice choice;
    sim_err err = {0};
    cr_assert(cache && sim_map(arch, gemm, "layer", objective, cache, &choice, &err) == SIM_OK);
    sim_arena_free(&arena);
    return choice;
}

Test(timeloop, never_more_words_nor_energy)
{
    const sim_arch arch = their_machine();
    ref_table *table = ref_table_open("timeloop.csv");
    int compared = 0;
    for (int64_t i = 0; i < ref_table_rows(table); i++) {
        const int64_t extent[3] = {ref_table_int(table, i, "m"), ref_table_int(table, i, "n"),
                                   ref_table_int(table, i, "k")};
        const bool large = extent[0] * extent[1] * extent[2] > 1000000000;
        const sim_gemm gemm = gemm_case_dense(&arch, extent, 8, 8);
        const char *tool = ref_table_text(table, i, "tool");
        if (*ref_table_text(table, i, "dram_words")) {
            const sim_map_choice choice = map(&arch, &gemm, SIM_OBJECTIVE_DRAM);
            const loopnest_step words = words_of(&gemm, &choice.tiling);
            const double theirs = ref_table_real(table, i, "dram_words");
            cr_expect(choice.value.dram_bits == 8.0 * (double)dram_words(&words));
            cr_expect((double)dram_words(&words) <= theirs * (large ? 0.84 : 1),
                      "row %lld (%s): %lld words against %g", (long long)i, tool,
                      (long long)dram_words(&words), theirs);
            compared++;
        }
        if (*ref_table_text(table, i, "energy_uj")) {
            const sim_map_choice choice = map(&arch, &gemm, SIM_OBJECTIVE_ENERGY);
            const double ours = their_energy_uj(&gemm, &choice.tiling),
                         theirs = ref_table_real(table, i, "energy_uj");
            cr_expect(ours <= theirs + 0.005, "row %lld (%s): %.3f uJ against %.2f (printed to 0.01)",
                      (long long)i, tool, ours, theirs);
            /* What the mapper minimised is this figure, without the writes to weight registers. */
            const double loads = (double)gemm.extent[SIM_K] * (double)gemm.extent[SIM_N] *
                                 (double)ref_ceil_div(gemm.extent[SIM_M], choice.tiling.tile[SIM_M]);
            cr_expect(fabs(1e-6 * (choice.value.energy_pj + loads * register_pj) - ours) < 1e-9 * ours);
            compared++;
        }
    }
    cr_expect(compared == 22, "%d figures", compared);
    ref_table_close(table);
}
