/* The closed form of the tile pipeline against the event simulation. */
#include "model/memory.h"
#include "reference/arch_case.h"
#include "reference/loopnest.h"
#include "reference/tilepipe.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#ifndef SIMACC_TEST_REDUCE
#define SIMACC_TEST_REDUCE 1
#endif

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

typedef struct pipeline_case {
    sim_arch arch;
    sim_gemm gemm;
    sim_way way;
    sim_tiling tiling;
} pipeline_case;

/* Compute of a tile, from the fold terms of its sides. Where tiles chain in place, a tile has its share. */
static double compute_cycles(const pipeline_case *c, const int64_t size[3])
{
    double cycles = c->way.cycles_per_fold;
    for (int d = 0; d < 3; d++) {
        const sim_fold *fold = &c->way.fold[d];
        const double share = (double)size[d] / (double)c->gemm.extent[d];
        cycles *= fold->kind == SIM_FOLD_WHOLE ? share * (double)sim_fold_of(fold, c->gemm.extent[d])
                                               : (double)sim_fold_of(fold, size[d]);
    }
    return cycles;
}

/* Times of all tiles of all products in a row, from the loop nest. */
static tilepipe_tile *tile_times(const pipeline_case *c, int64_t *count)
{
    loopnest nest = {.output_read_first = c->arch.output_read_first};
    for (int d = 0; d < 3; d++) {
        nest.extent[d] = c->gemm.extent[d];
        nest.tile[d] = c->tiling.tile[d];
        nest.order[d] = (int)c->tiling.order[d];
    }
    int64_t steps = 0;
    loopnest_step *walk = loopnest_steps(&nest, &steps);
    tilepipe_tile *tiles = calloc((size_t)(steps * c->gemm.batch), sizeof *tiles);
    cr_assert(tiles);
    sim_dram_rates rates;
    sim_dram_rates_of(&c->arch, &c->gemm, c->tiling.tile, &rates);
    const double m = (double)nest.extent[0], n = (double)nest.extent[1], k = (double)nest.extent[2];
    const double weight = (double)c->gemm.w_stored_bits / (k * n) * rates.weight * rates.cycles_per_bit;
    const double input = (double)c->gemm.a_stored_bits / (m * k) * rates.input * rates.cycles_per_bit;
    const double partial = (double)c->gemm.acc_bits * rates.partial * rates.cycles_per_bit;
    const double final = (double)c->gemm.out_stored_bits / (m * n) * rates.final * rates.cycles_per_bit;
    for (int64_t i = 0; i < steps * c->gemm.batch; i++) {
        const loopnest_step *step = &walk[i % steps];
        tiles[i].compute_cycles = compute_cycles(c, step->size);
        if (!c->gemm.on_chip[SIM_OPERAND_WEIGHT])
            tiles[i].load_cycles[TILEPIPE_WEIGHT] = (double)step->weight_read * weight;
        if (!c->gemm.on_chip[SIM_OPERAND_INPUT])
            tiles[i].load_cycles[TILEPIPE_INPUT] = (double)step->input_read * input;
        if (!c->gemm.on_chip[SIM_OPERAND_OUTPUT]) {
            tiles[i].load_cycles[TILEPIPE_OUTPUT] = (double)step->partial_read * partial;
            tiles[i].store_cycles = (double)step->partial_write * partial + (double)step->final_write * final;
        }
    }
    free(walk);
    *count = steps * c->gemm.batch;
    return tiles;
}

/* Any machine, way, tiles and order; bandwidth such that compute and transfers are of one magnitude. */
static pipeline_case random_case(bool output_double, ref_random *random)
{
    pipeline_case c;
    const char *backend = ref_random_one_in(random, 3) ? "bitfusion" : "systolic";
    arch_case_plain(&c.arch, backend);
    c.arch.array_rows = ref_random_int(random, 1, 8);
    c.arch.array_cols = ref_random_int(random, 1, 8);
    c.arch.dram_bandwidth_gb_s = 0.25 * (double)ref_random_scale(random, 1, 256);
    c.arch.double_buffered[SIM_OPERAND_WEIGHT] = !ref_random_one_in(random, 4);
    c.arch.double_buffered[SIM_OPERAND_INPUT] = !ref_random_one_in(random, 4);
    c.arch.double_buffered[SIM_OPERAND_OUTPUT] = output_double;
    c.arch.output_read_first = ref_random_one_in(random, 6);
    int64_t extent[3];
    for (int d = 0; d < 3; d++) {
        extent[d] = ref_random_scale(random, 1, 64);
        c.tiling.tile[d] = ref_random_int(random, (extent[d] + 9) / 10, extent[d]);
    }
    c.gemm = gemm_case_dense(&c.arch, extent, (int)ref_random_int(random, 1, 8),
                             (int)ref_random_int(random, 1, 8));
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
        c.gemm.on_chip[operand] = ref_random_one_in(random, 10);
    sim_way ways[SIM_WAYS_MAX];
    const int count = c.arch.backend->ways(&c.arch, &c.gemm, ways);
    c.way = ways[ref_random_int(random, 0, count - 1)];
    const int *order = orders[ref_random_int(random, 0, 5)];
    if (c.way.accumulates_in_array)
        order = orders[ref_random_one_in(random, 2) ? 0 : 2];
    for (int d = 0; d < 3; d++) {
        c.tiling.order[d] = (sim_dim)order[d];
        if (c.tiling.tile[d] > c.way.tile_max[d])
            c.tiling.tile[d] = c.way.tile_max[d];
    }
    return c;
}

static double error_of(const pipeline_case *c)
{
    int64_t count = 0;
    tilepipe_tile *tiles = tile_times(c, &count);
    const tilepipe_result events = tilepipe_run(tiles, count, c->arch.double_buffered);
    sim_pipeline pipeline;
    sim_pipeline_of(&c->arch, &c->gemm, &c->way, &c->tiling, &pipeline);
    free(tiles);
    return pipeline.cycles / events.cycles - 1;
}

Test(pipeline, exact_with_single_buffered_output)
{
    ref_random random = {31};
    for (int i = 0; i < 3500 / SIMACC_TEST_REDUCE; i++) {
        const pipeline_case c = random_case(false, &random);
        const double error = error_of(&c);
        cr_assert(fabs(error) < 1e-9, "case %d: off by %g", i, error);
    }
}
