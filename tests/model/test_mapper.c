/* The mapper against every integer tiling of small problems, and against published tools on large ones. */
#include "model/mapper.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/conv_tiles.h"
#include "reference/table.h"
#include "reference/tile_search.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- the optimum of each objective, by trying everything ---- */

typedef struct optimum {
    bool feasible;
    double dram_bits, dram_span_cycles; /* least traffic; the least span among those */
    double span_cycles, span_energy_pj; /* least span; the least energy among those */
    double energy_pj, edp;
    double limit_cycles, limit_energy_pj; /* the least energy among spans up to the limit */
} optimum;

static void first_pass(void *user, const tile_value *value)
{
    optimum *best = user;
    if (!best->feasible)
        *best = (optimum){true, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, 0, INFINITY};
    best->dram_bits = fmin(best->dram_bits, value->dram_bits);
    best->span_cycles = fmin(best->span_cycles, value->span_cycles);
    best->energy_pj = fmin(best->energy_pj, value->energy_pj);
    best->edp = fmin(best->edp, value->energy_pj * value->span_cycles);
}

static void second_pass(void *user, const tile_value *value)
{
    optimum *best = user;
    if (ref_at_most(value->dram_bits, best->dram_bits))
        best->dram_span_cycles = fmin(best->dram_span_cycles, value->span_cycles);
    if (ref_at_most(value->span_cycles, best->span_cycles))
        best->span_energy_pj = fmin(best->span_energy_pj, value->energy_pj);
    if (ref_at_most(value->span_cycles, best->limit_cycles))
        best->limit_energy_pj = fmin(best->limit_energy_pj, value->energy_pj);
}

/* ---- random problems ---- */

typedef struct problem {
    sim_arch arch;
    sim_gemm gemm;
} problem;

static problem random_problem(bool conv, ref_random *random)
{
    static const arch_case_options options = {.side_most = 12,
                                              .buffer_kib_least = 1.0 / 256,
                                              .buffer_kib_most = 1,
                                              .curve = true,
                                              .ports = true,
                                              .read_first = true,
                                              .counts = true};
    problem p;
    const bool bitfusion = ref_random_one_in(random, 3);
    arch_case_random(&p.arch, bitfusion ? "bitfusion" : "systolic", &options, random);
    p.arch.mapper_slack_frac = ref_random_one_in(random, 2) ? 0 : ref_random_real(random, 0, 0.1);
    p.arch.mapper_latency = ref_random_one_in(random, 2) ? SIM_LATENCY_OVERLAP : SIM_LATENCY_PIPELINE;
    const int most = bitfusion ? 16 : 8;
    const int w_bits = (int)ref_random_int(random, 1, most), a_bits = (int)ref_random_int(random, 1, most);
    int64_t extent[SIM_DIMS];
    if (conv) {
        const sim_conv2d shape = conv_tiles_random(true, random);
        p.gemm = conv_tiles_gemm(&p.arch, &shape, w_bits, a_bits, ref_random_one_in(random, 2));
        memcpy(extent, p.gemm.extent, sizeof extent);
    } else {
        for (int d = 0; d < SIM_DIMS; d++)
            extent[d] = ref_random_one_in(random, 2) ? ref_random_int(random, 1, 24)
                                                     : ref_random_scale(random, 1, 40);
        p.gemm = gemm_case_dense(&p.arch, extent, w_bits, a_bits);
        p.gemm.batch = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 5) : 1;
    }
    if (ref_random_one_in(random, 6)) {
        p.gemm.w_group = 1 << ref_random_int(random, 2, 6);
        p.gemm.w_stored_bits += extent[SIM_N] * (16 + p.gemm.w_bits);
    }
    if (!conv && ref_random_one_in(random, 3)) { /* rows padded to whole bytes */
        p.gemm.w_stored_bits = extent[SIM_N] * ((extent[SIM_K] * p.gemm.w_bits + 7) / 8 * 8);
        p.gemm.a_stored_bits = extent[SIM_M] * ((extent[SIM_K] * p.gemm.a_bits + 7) / 8 * 8);
        p.gemm.out_stored_bits = extent[SIM_M] * ((extent[SIM_N] * p.gemm.out_bits + 7) / 8 * 8);
    }
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
        p.gemm.on_chip[operand] = ref_random_one_in(random, 10);
    return p;
}

static tile_value as_tile_value(const sim_map_value *value)
{
    return (tile_value){value->busy_cycles, value->transfer_cycles, value->span_cycles, value->energy_pj,
                        value->dram_bits};
}

/* What holds of the answer whatever the objective: it fits, its way allows it, and it costs what it says. */
static void check_price(const problem *p, const tile_search *search, const sim_map_choice *choice, int index)
{
    tile_value own;
    const tile_value said = as_tile_value(&choice->value);
    cr_assert(tile_search_fits(search, choice->tiling.tile), "case %d: the tiles do not fit", index);
    cr_assert(tile_search_price(search, choice->way, &choice->tiling, &own), "case %d: not allowed", index);
    cr_assert(ref_equal(own.busy_cycles, said.busy_cycles), "case %d: busy %g, not %g", index,
              said.busy_cycles, own.busy_cycles);
    cr_assert(ref_equal(own.transfer_cycles, said.transfer_cycles), "case %d: transfer %g, not %g", index,
              said.transfer_cycles, own.transfer_cycles);
    cr_assert(ref_equal(own.energy_pj, said.energy_pj), "case %d: energy %g, not %g", index, said.energy_pj,
              own.energy_pj);
    cr_assert(ref_equal(own.dram_bits, said.dram_bits), "case %d: DRAM %g, not %g", index, said.dram_bits,
              own.dram_bits);
    sim_prices prices;
    sim_prices_of(&p->arch, p->gemm.w_bits, p->gemm.a_bits, &prices);
    const double priced = sim_counts_pj(&prices, &choice->counts) + prices.pj_per_cycle * said.span_cycles;
    cr_assert(ref_equal(priced, said.energy_pj), "case %d: the counts cost %g, the value says %g", index,
              priced, said.energy_pj);
}

static void check_objective(const problem *p, const optimum *best, sim_objective objective,
                            const sim_map_value *v, int index)
{
    const double slack = 1 + p->arch.mapper_slack_frac;
    const bool overlap = p->arch.mapper_latency != SIM_LATENCY_PIPELINE;
    bool optimal = false;
    switch (objective) {
    case SIM_OBJECTIVE_DRAM:
        optimal =
            ref_equal(v->dram_bits, best->dram_bits) && ref_at_most(v->span_cycles, best->dram_span_cycles);
        break;
    case SIM_OBJECTIVE_LATENCY:
        optimal = ref_equal(v->span_cycles, best->span_cycles) &&
                  (!overlap || ref_at_most(v->energy_pj, best->span_energy_pj));
        break;
    case SIM_OBJECTIVE_ENERGY:
        optimal = ref_equal(v->energy_pj, best->energy_pj);
        break;
    case SIM_OBJECTIVE_EDP:
        optimal = ref_equal(v->energy_pj * v->span_cycles, best->edp);
        break;
    default: /* balanced: finer tiles may give back the slack in energy, and span where it was latency's price
              */
        optimal = ref_at_most(v->energy_pj, best->limit_energy_pj * slack) &&
                  ref_at_most(best->energy_pj, v->energy_pj) &&
                  (!overlap || (ref_at_most(v->span_cycles, best->limit_cycles) &&
                                ref_equal(v->energy_pj, best->limit_energy_pj)));
        break;
    }
    cr_assert(optimal,
              "case %d (%s, %s): span %.10g energy %.10g DRAM %.10g, but the best are span %.10g (energy "
              "%.10g up to %.10g), "
              "energy %.10g, DRAM %.10g (span %.10g), EDP %.10g",
              index, p->arch.backend_name, sim_objective_names[objective], v->span_cycles, v->energy_pj,
              v->dram_bits, best->span_cycles, best->limit_energy_pj, best->limit_cycles, best->energy_pj,
              best->dram_bits, best->dram_span_cycles, best->edp);
}

/* Finer tiles are taken only for a shorter pipeline. */
static void check_refinement(const problem *p, sim_objective objective, sim_map_cache *cache,
                             const sim_map_choice *choice, int index)
{
    problem coarse = *p;
    sim_map_choice found;
    sim_err err = {0};
    coarse.arch.mapper_latency = SIM_LATENCY_OVERLAP;
    cr_assert(sim_map(&coarse.arch, &coarse.gemm, "layer", objective, cache, &found, &err) == SIM_OK);
    cr_assert(choice->pipeline.cycles <= found.pipeline.cycles, "case %d: %g cycles, before refinement %g",
              index, choice->pipeline.cycles, found.pipeline.cycles);
    cr_assert(ref_at_most(found.value.span_cycles, choice->pipeline.cycles), "case %d", index);
}

/* Returns how many problems had no tiling that fits. */
static int check_problems(int count, bool conv, uint64_t seed)
{
    ref_random random = {seed};
    int infeasible = 0;
    for (int i = 0; i < count; i++) {
        const problem p = random_problem(conv, &random);
        tile_search *search = tile_search_new(&p.arch, &p.gemm);
        optimum best = {0};
        tile_search_all(search, first_pass, &best);
        best.limit_cycles = best.span_cycles * (1 + p.arch.mapper_slack_frac);
        tile_search_all(search, second_pass, &best);
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_cache *cache = sim_map_cache_new(&arena);
        cr_assert(cache);
        for (int objective = 0; objective < SIM_OBJECTIVE_COUNT; objective++) {
            sim_map_choice choice;
            sim_err err = {0};
            const sim_status status =
                sim_map(&p.arch, &p.gemm, "layer", (sim_objective)objective, cache, &choice, &err);
            cr_assert(status == (best.feasible ? SIM_OK : SIM_INFEASIBLE), "case %d: status %d", i,
                      (int)status);
            if (status != SIM_OK)
                continue;
            check_price(&p, search, &choice, i);
            check_objective(&p, &best, (sim_objective)objective, &choice.value, i);
            check_refinement(&p, (sim_objective)objective, cache, &choice, i);
        }
        infeasible += !best.feasible;
        sim_arena_free(&arena);
        tile_search_free(search);
    }
    return infeasible;
}

Test(mapper, equals_brute_force)
{
    const int infeasible = check_problems(3000 / SIMACC_TEST_REDUCE, false, 41);
    cr_expect(infeasible > 0 && infeasible < 400 / SIMACC_TEST_REDUCE, "%d infeasible", infeasible);
}

/* Of positions, all tiles of the chain. */
Test(mapper, convolutions_equal_brute_force)
{
    const int infeasible = check_problems(3000 / SIMACC_TEST_REDUCE, true, 43);
    cr_expect(infeasible > 0 && infeasible < 1200 / SIMACC_TEST_REDUCE, "%d infeasible", infeasible);
}

/* ---- machines that only have tiles of a power of two, one resident tile per operand ---- */

/* The product that such tiles cover: the last tile of a dimension is moved and computed in full. */
static sim_gemm padded_gemm(const problem *p, const int64_t tile[SIM_DIMS])
{
    int64_t extent[SIM_DIMS];
    for (int d = 0; d < SIM_DIMS; d++)
        extent[d] = (p->gemm.extent[d] + tile[d] - 1) / tile[d] * tile[d];
    sim_gemm gemm = gemm_case_dense(&p->arch, extent, p->gemm.w_bits, p->gemm.a_bits);
    gemm.batch = p->gemm.batch;
    memcpy(gemm.on_chip, p->gemm.on_chip, sizeof gemm.on_chip);
    return gemm;
}

static bool is_power_of_two(int64_t x)
{
    return (x & (x - 1)) == 0;
}

static void search_padded(const problem *p, void (*visit)(void *user, const tile_value *value), void *user)
{
    const int64_t *extent = p->gemm.extent;
    int64_t tile[SIM_DIMS];
    for (tile[SIM_M] = 1; tile[SIM_M] <= extent[SIM_M]; tile[SIM_M]++) {
        for (tile[SIM_N] = 1; tile[SIM_N] <= extent[SIM_N]; tile[SIM_N]++) {
            for (tile[SIM_K] = 1; tile[SIM_K] <= extent[SIM_K]; tile[SIM_K]++) {
                bool exists = true;
                for (int d = 0; d < SIM_DIMS; d++)
                    exists = exists && (is_power_of_two(tile[d]) || tile[d] == extent[d]);
                if (!exists)
                    continue;
                const sim_gemm gemm = padded_gemm(p, tile);
                tile_search *search = tile_search_new(&p->arch, &gemm);
                tile_search_tile(search, tile, visit, user);
                tile_search_free(search);
            }
        }
    }
}

Test(mapper, equals_brute_force_with_padded_tiles)
{
    ref_random random = {42};
    for (int i = 0; i < 200 / SIMACC_TEST_REDUCE; i++) {
        problem p = random_problem(false, &random);
        p.arch.mapper_tiles = SIM_TILES_POW2_PADDED;
        if (p.arch.mapper_latency == SIM_LATENCY_OVERLAP) /* under which operands stay: test_padded.c */
            p.arch.mapper_latency = SIM_LATENCY_ROOFLINE;
        p.gemm = padded_gemm(&p, (const int64_t[3]){1, 1, 1}); /* dense, without groups */
        optimum best = {0};
        search_padded(&p, first_pass, &best);
        best.limit_cycles = best.span_cycles * (1 + p.arch.mapper_slack_frac);
        search_padded(&p, second_pass, &best);
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_cache *cache = sim_map_cache_new(&arena);
        for (int objective = 0; objective < SIM_OBJECTIVE_COUNT; objective++) {
            sim_map_choice choice;
            sim_err err = {0};
            const sim_status status =
                sim_map(&p.arch, &p.gemm, "layer", (sim_objective)objective, cache, &choice, &err);
            cr_assert(status == (best.feasible ? SIM_OK : SIM_INFEASIBLE), "case %d: status %d", i,
                      (int)status);
            if (status != SIM_OK)
                continue;
            const sim_gemm covered = padded_gemm(&p, choice.tiling.tile);
            tile_search *search = tile_search_new(&p.arch, &covered);
            for (int d = 0; d < SIM_DIMS; d++)
                cr_assert(choice.gemm.extent[d] == covered.extent[d]);
            check_price(&p, search, &choice, i);
            check_objective(&p, &best, (sim_objective)objective, &choice.value, i);
            tile_search_free(search);
        }
        sim_arena_free(&arena);
    }
}
