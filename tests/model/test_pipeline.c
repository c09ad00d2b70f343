/* The closed form of the tile pipeline against the event simulation. */
#include "model/memory.h"
#include "reference/arch_case.h"
#include "reference/conv_tiles.h"
#include "reference/loopnest.h"
#include "reference/tilepipe.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

typedef struct pipeline_case {
    sim_arch arch;
    sim_gemm gemm;
    sim_way way;
    sim_tiling tiling;
    sim_conv2d shape; /* of a convolution; else zero */
} pipeline_case;

static bool is_conv(const pipeline_case *c)
{
    return c->shape.images > 0;
}

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

/* Bits moved per element of the loop nest, whose elements are pairs of channels under the kernel, and
 * channels of an input position that a tile touches. Together the tiles read what the traffic rule says. */
typedef struct element {
    double weight_bits, input_bits;
} element;

/* Bits of one product that cross the channel in each direction. */
static double read_bits(const pipeline_case *c, const element *cost, const loopnest_step *walk, int64_t steps)
{
    const bool *on_chip = c->gemm.on_chip;
    double bits = 0;
    for (int64_t i = 0; i < steps; i++) {
        if (!on_chip[SIM_OPERAND_WEIGHT])
            bits += (double)walk[i].weight_read * cost->weight_bits;
        if (!on_chip[SIM_OPERAND_INPUT])
            bits += (double)walk[i].input_read * cost->input_bits;
        if (!on_chip[SIM_OPERAND_OUTPUT])
            bits += (double)(walk[i].partial_read * c->gemm.acc_bits);
    }
    return bits;
}

static double write_bits(const pipeline_case *c, const loopnest_step *walk, int64_t steps)
{
    double bits = 0;
    for (int64_t i = 0; i < steps && !c->gemm.on_chip[SIM_OPERAND_OUTPUT]; i++)
        bits += (double)(walk[i].partial_write * c->gemm.acc_bits + walk[i].final_write * c->gemm.out_bits);
    return bits;
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
    double reads = (double)nest.extent[0];
    int64_t *rows = NULL;
    if (is_conv(c)) {
        conv_tiles cut = conv_tiles_cut(&c->shape, c->tiling.tile[SIM_M]);
        rows = calloc((size_t)(2 * cut.count), sizeof *rows);
        cr_assert(rows);
        for (int64_t i = 0; i < cut.count; i++) {
            rows[i] = cut.tile[i].positions;
            rows[cut.count + i] = cut.tile[i].cells;
        }
        nest.m_count = cut.count;
        nest.m_rows = rows;
        nest.m_reads = rows + cut.count;
        reads = (double)cut.cells;
        conv_tiles_free(&cut);
    }
    int64_t steps = 0;
    loopnest_step *walk = loopnest_steps(&nest, &steps);
    tilepipe_tile *tiles = calloc((size_t)(steps * c->gemm.batch), sizeof *tiles);
    cr_assert(tiles);
    sim_dram_rates rates;
    sim_dram_rates_of(&c->arch, &c->gemm, c->tiling.tile, &rates);
    const double m = (double)nest.extent[0], n = (double)nest.extent[1], k = (double)nest.extent[2];
    /* Cycles per bit by direction: all bits of the rarer one pay for the turn-arounds. */
    const double overlap = sim_window_overlap(&c->gemm, c->tiling.tile[SIM_M]);
    const element cost = {(double)c->gemm.w_stored_bits / (k * n),
                          (double)c->gemm.a_stored_bits * overlap / (reads * k)};
    const double total_read = read_bits(c, &cost, walk, steps), total_write = write_bits(c, walk, steps);
    const double read_extra = total_read < total_write ? rates.turnaround : 0;
    const double write_extra = total_read < total_write ? 0 : rates.turnaround;
    /* Cycles per element. */
    const double bit = rates.cycles_per_bit;
    const double weight = cost.weight_bits * (bit * rates.weight + read_extra);
    const double input = cost.input_bits * (bit * rates.input + read_extra);
    const double partial_load = (double)c->gemm.acc_bits * (bit * rates.partial + read_extra);
    const double partial_store = (double)c->gemm.acc_bits * (bit * rates.partial + write_extra);
    const double final = (double)c->gemm.out_stored_bits / (m * n) * (bit * rates.final + write_extra);
    for (int64_t i = 0; i < steps * c->gemm.batch; i++) {
        const loopnest_step *step = &walk[i % steps];
        tiles[i].compute_cycles = compute_cycles(c, step->size);
        if (!c->gemm.on_chip[SIM_OPERAND_WEIGHT])
            tiles[i].load_cycles[TILEPIPE_WEIGHT] = (double)step->weight_read * weight;
        if (!c->gemm.on_chip[SIM_OPERAND_INPUT])
            tiles[i].load_cycles[TILEPIPE_INPUT] = (double)step->input_read * input;
        if (!c->gemm.on_chip[SIM_OPERAND_OUTPUT]) {
            tiles[i].load_cycles[TILEPIPE_OUTPUT] = (double)step->partial_read * partial_load;
            tiles[i].store_cycles =
                (double)step->partial_write * partial_store + (double)step->final_write * final;
        }
    }
    free(walk);
    free(rows);
    *count = steps * c->gemm.batch;
    return tiles;
}

/* Any machine, way, tiles and order; bandwidth such that compute and transfers are of one magnitude. */
static pipeline_case random_case(bool conv, bool output_double, ref_random *random)
{
    pipeline_case c = {0};
    const char *backend = ref_random_one_in(random, 3) ? "bitfusion" : "systolic";
    arch_case_plain(&c.arch, backend);
    c.arch.array_rows = ref_random_int(random, 1, 8);
    c.arch.array_cols = ref_random_int(random, 1, 8);
    c.arch.dram_bandwidth_gb_s = 0.25 * (double)ref_random_scale(random, 1, 256);
    c.arch.double_buffered[SIM_OPERAND_WEIGHT] = !ref_random_one_in(random, 4);
    c.arch.double_buffered[SIM_OPERAND_INPUT] = !ref_random_one_in(random, 4);
    c.arch.double_buffered[SIM_OPERAND_OUTPUT] = output_double;
    c.arch.output_read_first = ref_random_one_in(random, 6);
    if (ref_random_one_in(random, 3)) { /* short runs cost more, and every change of direction */
        c.arch.dram_efficiency_frac = 0;
        c.arch.dram.burst_bytes = (double)ref_random_int(random, 1, 256);
        c.arch.dram_layout = ref_random_one_in(random, 2) ? SIM_LAYOUT_ROW_MAJOR : SIM_LAYOUT_TILED;
    }
    const int w_bits = (int)ref_random_int(random, 1, 8), a_bits = (int)ref_random_int(random, 1, 8);
    if (conv) {
        c.shape = conv_tiles_random(true, random);
        c.gemm = conv_tiles_gemm(&c.arch, &c.shape, w_bits, a_bits, ref_random_one_in(random, 2));
        c.gemm.batch = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 3) : 1;
    } else {
        int64_t extent[3];
        for (int d = 0; d < 3; d++)
            extent[d] = ref_random_scale(random, 1, 64);
        c.gemm = gemm_case_dense(&c.arch, extent, w_bits, a_bits);
        c.gemm.batch = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 3) : 1;
    }
    for (int d = 0; d < 3; d++) {
        const int64_t x = c.gemm.extent[d];
        c.tiling.tile[d] = conv && d == SIM_M ? conv_tiles_at_most(&c.shape, ref_random_scale(random, 1, x))
                                              : ref_random_int(random, (x + 9) / 10, x);
    }
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
            c.tiling.tile[d] =
                conv && d == SIM_M ? conv_tiles_at_most(&c.shape, c.way.tile_max[d]) : c.way.tile_max[d];
    }
    return c;
}

/* Everything that the closed form says, against events. Their clock adds up in another order. */
static void check_case(int index, const pipeline_case *c)
{
    int64_t count = 0;
    tilepipe_tile *tiles = tile_times(c, &count);
    const tilepipe_result events = tilepipe_run(tiles, count, c->arch.double_buffered);
    sim_pipeline pipeline;
    sim_pipeline_of(&c->arch, &c->gemm, &c->way, &c->tiling, &pipeline);
    const double slip = 1e-9 * (1 + events.cycles);
    double first_load = 0;
    for (int operand = 0; operand < TILEPIPE_OPERANDS; operand++)
        first_load += tiles[0].load_cycles[operand];
    cr_assert(fabs(pipeline.cycles - events.cycles) <= slip, "case %d: %.12g cycles, not %.12g", index,
              pipeline.cycles, events.cycles);
    cr_assert(fabs(pipeline.first_load - first_load) <= slip, "case %d", index);
    /* Of use for a prefetch, which takes a second buffer. */
    const double ahead =
        c->arch.double_buffered[SIM_OPERAND_WEIGHT] ? tiles[0].load_cycles[TILEPIPE_WEIGHT] : 0;
    cr_assert(fabs(pipeline.first_weight_load - ahead) <= slip, "case %d", index);
    cr_assert(fabs(pipeline.last_store - tiles[count - 1].store_cycles) <= slip, "case %d", index);
    cr_assert(fabs(pipeline.last_idle - events.last_idle) <= slip, "case %d: %.12g idle, not %.12g", index,
              pipeline.last_idle, events.last_idle);
    free(tiles);
}

Test(pipeline, exact_with_single_buffered_output)
{
    ref_random random = {31};
    for (int i = 0; i < 6000 / SIMACC_TEST_REDUCE; i++) {
        const pipeline_case c = random_case(false, false, &random);
        check_case(i, &c);
    }
}

Test(pipeline, exact_with_double_buffered_output)
{
    ref_random random = {32};
    for (int i = 0; i < 6000 / SIMACC_TEST_REDUCE; i++) {
        const pipeline_case c = random_case(false, true, &random);
        check_case(i, &c);
    }
}

/* Rows and images that are cut alike, each with a ragged end, and inputs that tiles have in common. */
Test(pipeline, exact_for_convolutions)
{
    ref_random random = {33};
    for (int i = 0; i < 6000 / SIMACC_TEST_REDUCE; i++) {
        const pipeline_case c = random_case(true, i % 2 == 0, &random);
        check_case(i, &c);
    }
}

/* The event simulation itself, on four tiles whose times are added up by hand. */
Test(tilepipe, by_hand)
{
    const tilepipe_tile tiles[4] = {
        {10, {3, 2, 0}, 4}, /* loads 0-5, computes 5-15 */
        {6, {0, 2, 0}, 4},
        {1, {3, 9, 0}, 0},
        {8, {0, 0, 2}, 5},
    };
    const bool all[3] = {true, true, true}, none[3] = {false, false, false};
    /* Double buffers: tile 1 is loaded 5-7 and computes 15-21, output 0 leaves 15-19, tile 2 is loaded 19-31
     * and computes 31-32, output 1 leaves 31-35, the partial sums of tile 3 come 35-37, it computes 37-45,
     * and its output leaves until 50. */
    cr_expect(tilepipe_run(tiles, 4, all).cycles == 50);
    cr_expect(tilepipe_run(tiles, 4, all).last_idle == 8);
    /* Single buffers: everything in a row but the partial sums, which come under tile 2. */
    const double in_a_row = 5 + 10 + (2 + 4) + 6 + (12 + 4) + 2 + 8 + 5;
    cr_expect(tilepipe_run(tiles, 4, none).cycles == in_a_row, "%g", tilepipe_run(tiles, 4, none).cycles);
}
