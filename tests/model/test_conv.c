/* Convolutions: geometry and traffic against marked pixels, arrays against the PE-level simulator. */
#include "model/mapper.h"
#include "reference/arch_case.h"
#include "reference/conv_tiles.h"
#include "reference/gemm_case.h"
#include "reference/loopnest.h"
#include "reference/pe_array.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

/* ---- geometry ---- */

/* What windows cover, any padding: also where whole windows lie in it, and where strides leave gaps. */
Test(conv, spans_equal_marked_rows)
{
    ref_random random = {101};
    for (int i = 0; i < 20000 / SIMACC_TEST_REDUCE; i++) {
        const sim_conv2d c = {.kernel_h = ref_random_int(&random, 1, 7),
                              .stride = ref_random_int(&random, 1, 8),
                              .padding = ref_random_int(&random, 0, 9)};
        const int64_t size = ref_random_int(&random, 1, 20), out = conv_tiles_out(size, c.kernel_h, &c);
        int64_t all = 0, padded = 0;
        if (out == 0)
            continue;
        const int64_t inside = conv_tiles_inside(out, c.kernel_h, c.stride, c.padding, size);
        sim_window_span(size, out, c.kernel_h, c.stride, c.padding, &all, &padded);
        cr_assert(all == conv_tiles_touched(out, c.kernel_h, c.stride), "case %d", i);
        cr_assert(all - padded == (inside > 0 ? inside : 1), "case %d: %lld inside, not %lld", i,
                  (long long)(all - padded), (long long)inside);
    }
}

static int64_t fold_sum(const sim_fold *fold, const conv_tiles *tiles)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < tiles->count; i++)
        sum += sim_fold_of(fold, tiles->tile[i].positions);
    return sum;
}

/* Every number of window.h, for every tile of the chain and every number of positions between. */
Test(conv, tiles_equal_marked_pixels)
{
    ref_random random = {102};
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    for (int i = 0; i < 400 / SIMACC_TEST_REDUCE; i++) {
        const sim_conv2d c = conv_tiles_random(true, &random);
        const sim_gemm gemm = conv_tiles_gemm(&arch, &c, 8, 8, false);
        const sim_fold side = {SIM_FOLD_SIDE, ref_random_int(&random, 1, 3), ref_random_int(&random, 1, 16),
                               0};
        const sim_fold stream = {SIM_FOLD_STREAM, 1, 1, ref_random_int(&random, 1, 16)};
        int64_t largest = 0;
        double overlap = INFINITY;
        for (int64_t t = 1; t <= gemm.extent[SIM_M]; t++) {
            if (!conv_tiles_exist(&c, t)) {
                cr_assert(sim_window_floor(&gemm, t) == largest);
                continue;
            }
            conv_tiles tiles = conv_tiles_cut(&c, t);
            const sim_window_tile sides = sim_window_sides(&gemm, t);
            sim_window_cut cut;
            largest = t;
            sim_window_cut_of(&gemm, t, &cut);
            cr_assert(sides.images * sides.rows * sides.cols == t && sim_window_floor(&gemm, t) == t);
            cr_assert(sim_window_count(&gemm, t) == tiles.count);
            cr_assert(sim_window_inputs(&gemm, t) == tiles.tile[0].cells);
            cr_assert(sim_window_last(&gemm, t) == tiles.tile[tiles.count - 1].positions);
            cr_assert(sim_window_fold_sum(&gemm, &side, t) == fold_sum(&side, &tiles));
            cr_assert(sim_window_fold_sum(&gemm, &stream, t) == fold_sum(&stream, &tiles));
            cr_assert(cut.units * cut.count == tiles.count);
            for (int64_t j = 0; j < tiles.count; j++) {
                const bool last = j % cut.count == cut.count - 1;
                cr_assert(tiles.tile[j].positions == (last ? cut.last : cut.tile));
                cr_assert(tiles.tile[j].cells == (last ? cut.inputs_last : cut.inputs));
            }
            cr_assert(sim_window_overlap(&gemm, t) <= overlap, "the overlap rises with the tile");
            overlap = sim_window_overlap(&gemm, t);
            conv_tiles_free(&tiles);
        }
        cr_assert(overlap == 1);
        cr_assert(sim_window_distinct(&gemm) * gemm.extent[SIM_K] * 8 == gemm.a_stored_bits);
    }
}

/* ---- traffic ---- */

static sim_dim stationary_of(const int order[3], const int64_t count[3])
{
    for (int i = 3; i-- > 0;) {
        if (count[order[i]] > 1)
            return (sim_dim)order[i];
    }
    return (sim_dim)order[2];
}

/* Words that the loop nest moves when tiles of positions read what `reads` says of each. */
static loopnest_step walk(const sim_gemm *gemm, const int64_t tile[SIM_DIMS], const int order[3],
                          const conv_tiles *tiles, bool pixels)
{
    int64_t *rows = calloc((size_t)(2 * tiles->count), sizeof *rows);
    cr_assert(rows);
    loopnest nest = {.m_count = tiles->count, .m_rows = rows, .m_reads = rows + tiles->count};
    for (int64_t i = 0; i < tiles->count; i++) {
        rows[i] = tiles->tile[i].positions;
        rows[tiles->count + i] = pixels ? tiles->tile[i].pixels : tiles->tile[i].cells;
    }
    for (int d = 0; d < 3; d++) {
        nest.extent[d] = gemm->extent[d];
        nest.tile[d] = tile[d];
        nest.order[d] = order[d];
    }
    const loopnest_step sum = loopnest_sum(&nest);
    free(rows);
    return sum;
}

/* Without padding, exactly what the tiles touch, tile by tile; with padding, no less than that and no more
 * than with all of it; and whole images once. The same of the words written to the input buffer. */
Test(conv, traffic_equals_marked_pixels)
{
    ref_random random = {103};
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    int exact = 0, padded = 0;
    for (int i = 0; i < 6000 / SIMACC_TEST_REDUCE; i++) {
        const sim_conv2d c = conv_tiles_random(i % 2 == 1, &random);
        const sim_gemm gemm = conv_tiles_gemm(&arch, &c, (int)ref_random_int(&random, 1, 8),
                                              (int)ref_random_int(&random, 1, 8), false);
        const int64_t *x = gemm.extent;
        const int64_t tile[3] = {conv_tiles_at_most(&c, ref_random_scale(&random, 1, x[0])),
                                 ref_random_int(&random, 1, x[1]), ref_random_int(&random, 1, x[2])};
        conv_tiles tiles = conv_tiles_cut(&c, tile[0]);
        const int64_t count[3] = {tiles.count, (x[1] + tile[1] - 1) / tile[1],
                                  (x[2] + tile[2] - 1) / tile[2]};
        const int *order = orders[ref_random_int(&random, 0, 5)];
        const sim_dim stationary = stationary_of(order, count);
        const double overlap = sim_window_overlap(&gemm, tile[0]);
        const loopnest_step least = walk(&gemm, tile, order, &tiles, true);
        const loopnest_step most = walk(&gemm, tile, order, &tiles, false);
        const double taps = (double)(c.kernel_h * c.kernel_w);
        sim_traffic traffic;
        sim_counts counts, per_tile[SIM_DIMS];
        sim_traffic_of(&arch, &gemm, count, overlap, stationary, &traffic);
        sim_memory_counts(&arch, &gemm, overlap, stationary, &counts, per_tile);
        for (int e = 0; e < SIM_EVENT_COUNT; e++) {
            for (int d = 0; d < 3; d++)
                counts.of[e] += per_tile[d].of[e] * (double)count[d];
        }
        cr_assert(near(traffic.weight_read, taps * (double)(least.weight_read * gemm.w_bits)));
        cr_assert(near(counts.of[SIM_EVENT_WEIGHT_WRITE], traffic.weight_read));
        cr_assert(near(counts.of[SIM_EVENT_INPUT_WRITE], traffic.input_read));
        cr_assert(near(counts.of[SIM_EVENT_DRAM_READ],
                       traffic.weight_read + traffic.input_read + traffic.partial_read));
        const double read = traffic.input_read / gemm.a_bits;
        if (c.padding == 0 || tile[0] % (gemm.window.rows_out * gemm.window.cols_out) == 0) {
            cr_assert(near(read, (double)least.input_read), "case %d: %.17g, not %lld", i, read,
                      (long long)least.input_read);
            exact++;
        } else {
            cr_assert(read >= (double)least.input_read * (1 - 1e-12), "case %d: less than is touched", i);
            cr_assert(read <= (double)most.input_read * (1 + 1e-12), "case %d: more than all padding", i);
            padded++;
        }
        conv_tiles_free(&tiles);
    }
    cr_expect(exact > 3000 / SIMACC_TEST_REDUCE && padded > 500 / SIMACC_TEST_REDUCE, "%d and %d", exact,
              padded);
}

/* The room for one dimension is the largest tile that fits beside the others. */
Test(conv, room_is_what_fits)
{
    ref_random random = {104};
    for (int i = 0; i < 1500 / SIMACC_TEST_REDUCE; i++) {
        static const arch_case_options options = {
            .side_most = 8, .buffer_kib_least = 1.0 / 64, .buffer_kib_most = 2};
        const sim_conv2d c = conv_tiles_random(true, &random);
        sim_arch arch;
        arch_case_random(&arch, "systolic", &options, &random);
        const sim_gemm gemm = conv_tiles_gemm(&arch, &c, (int)ref_random_int(&random, 1, 8),
                                              (int)ref_random_int(&random, 1, 8), false);
        sim_capacity capacity;
        sim_capacity_of(&arch, &gemm, &capacity);
        for (int d = 0; d < SIM_DIMS; d++) {
            int64_t tile[3], most = 0;
            for (int e = 0; e < SIM_DIMS; e++)
                tile[e] = ref_random_int(&random, 1, gemm.extent[e]);
            tile[SIM_M] = conv_tiles_at_most(&c, tile[SIM_M]);
            for (tile[d] = 1; tile[d] <= gemm.extent[d]; tile[d]++) {
                if ((d != SIM_M || conv_tiles_exist(&c, tile[d])) && sim_capacity_fits(&capacity, tile))
                    most = tile[d];
            }
            const int64_t room = sim_capacity_room(&capacity, (sim_dim)d, tile);
            tile[d] = 1;
            cr_assert((room < gemm.extent[d] ? room : gemm.extent[d]) == most,
                      "case %d: room for %lld along %c, but %lld fit", i, (long long)room, "mnk"[d],
                      (long long)most);
        }
    }
}

/* ---- a kernel of 1x1 is a plain product ---- */

Test(conv, one_by_one_costs_what_the_product_costs)
{
    static const arch_case_options options = {.side_most = 16,
                                              .buffer_kib_least = 1,
                                              .buffer_kib_most = 8,
                                              .curve = true,
                                              .ports = true,
                                              .read_first = true,
                                              .counts = true};
    static const char *const backends[] = {"systolic", "bitfusion"};
    ref_random random = {105};
    for (int i = 0; i < 2000 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_random(&arch, backends[i % 2], &options, &random);
        const sim_conv2d c = {.images = ref_random_int(&random, 1, 6),
                              .h_in = ref_random_int(&random, 1, 9),
                              .w_in = ref_random_int(&random, 1, 9),
                              .c_in = ref_random_scale(&random, 1, 64),
                              .c_out = ref_random_scale(&random, 1, 64),
                              .kernel_h = 1,
                              .kernel_w = 1,
                              .stride = 1,
                              .groups = 1};
        const sim_gemm conv =
            conv_tiles_gemm(&arch, &c, (int)ref_random_int(&random, 1, 8), (int)ref_random_int(&random, 1, 8),
                            ref_random_one_in(&random, 2));
        const sim_gemm plain = gemm_case_dense(&arch, conv.extent, conv.w_bits, conv.a_bits);
        /* Tiles that cut both alike: whole images. */
        sim_tiling tiling = {{c.h_in * c.w_in * ref_random_int(&random, 1, c.images),
                              ref_random_int(&random, 1, plain.extent[1]),
                              ref_random_int(&random, 1, plain.extent[2])},
                             {SIM_M, SIM_N, SIM_K}};
        sim_way ways[SIM_WAYS_MAX], plain_ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &conv, ways);
        cr_assert(arch.backend->ways(&arch, &plain, plain_ways) == count);
        for (int w = 0; w < count; w++) {
            for (int o = 0; o < 6; o++) {
                sim_map_value value, plain_value;
                sim_counts counts, plain_counts;
                sim_pipeline pipeline, plain_pipeline;
                sim_compute compute, plain_compute;
                sim_err err = {0};
                for (int l = 0; l < 3; l++)
                    tiling.order[l] = (sim_dim)orders[o][l];
                sim_map_evaluate(&arch, &conv, &ways[w], tiling.tile, tiling.order[2], &value, &counts);
                sim_map_evaluate(&arch, &plain, &plain_ways[w], tiling.tile, tiling.order[2], &plain_value,
                                 &plain_counts);
                sim_pipeline_of(&arch, &conv, &ways[w], &tiling, &pipeline);
                sim_pipeline_of(&arch, &plain, &plain_ways[w], &tiling, &plain_pipeline);
                cr_assert(arch.backend->compute(&arch, &conv, &ways[w], &tiling, &compute, &err) == SIM_OK);
                cr_assert(arch.backend->compute(&arch, &plain, &plain_ways[w], &tiling, &plain_compute,
                                                &err) == SIM_OK);
                cr_assert(compute.cycles == plain_compute.cycles &&
                          compute.port_limited == plain_compute.port_limited);
                cr_assert(value.busy_cycles == plain_value.busy_cycles &&
                          value.dram_bits == plain_value.dram_bits &&
                          near(value.transfer_cycles, plain_value.transfer_cycles) &&
                          near(value.energy_pj, plain_value.energy_pj));
                for (int e = 0; e < SIM_EVENT_COUNT; e++)
                    cr_assert(near(counts.of[e], plain_counts.of[e]), "event %d", e);
                cr_assert(near(pipeline.cycles, plain_pipeline.cycles) &&
                          near(pipeline.first_load, plain_pipeline.first_load));
            }
        }
    }
}

/* ---- the systolic array ---- */

static const pe_dataflow pe_dataflows[] = {
    [SIM_DATAFLOW_WS] = PE_WS, [SIM_DATAFLOW_OS] = PE_OS, [SIM_DATAFLOW_IS] = PE_IS};

typedef struct fold_list {
    pe_fold *folds;
    int64_t count;
} fold_list;

/* Folds of the expanded product: unit after unit of positions (a row, an image or all, which tiles cut alike)
 * and, where kernel positions take turns, one after another. */
static fold_list folds_of(const pe_array *array, const sim_gemm *gemm, const sim_tiling *tiling,
                          bool in_place, bool turns, int64_t lane, int64_t lanes)
{
    const sim_window *w = &gemm->window;
    const int64_t taps = w->kernel_h * w->kernel_w, row = w->cols_out, image = w->rows_out * row;
    const int64_t t = tiling->tile[SIM_M], unit = t <= row ? row : t <= image ? image : gemm->extent[SIM_M];
    const int64_t deep = turns ? 1 : taps; /* kernel positions of a fold */
    const int64_t extent[3] = {unit, gemm->extent[SIM_N], deep * gemm->extent[SIM_K]};
    const int64_t tile[3] = {t, tiling->tile[SIM_N], deep * tiling->tile[SIM_K]};
    const int order[3] = {(int)tiling->order[0], (int)tiling->order[1], (int)tiling->order[2]};
    fold_list all = {NULL, 0};
    for (int64_t first = 0; first < gemm->extent[SIM_M]; first += unit) {
        for (int64_t turn = 0; turn < taps / deep; turn++) {
            int64_t count = 0;
            pe_fold *some = pe_array_folds(array, extent, tile, order, in_place, lane, lanes, &count);
            all.folds = realloc(all.folds, (size_t)(all.count + count + 1) * sizeof *some);
            cr_assert(all.folds);
            for (int64_t i = 0; i < count; i++) {
                some[i].first[PE_M] += first;
                some[i].first[PE_K] += turn * extent[PE_K];
                all.folds[all.count++] = some[i];
            }
            free(some);
        }
    }
    return all;
}

/* Every way of one random machine and convolution: cycles and values of the PE-level simulator. */
Test(conv, systolic_equals_the_pe_simulator)
{
    ref_random random = {106};
    for (int i = 0; i < 600 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "systolic");
        arch.array_rows = ref_random_int(&random, 1, 8);
        arch.array_cols = ref_random_int(&random, 1, 8);
        arch.array_dataflow = i % 3;
        arch.array_count = ref_random_one_in(&random, 4) ? 2 : 1;
        if (ref_random_one_in(&random, 3))
            arch.array_port_bits = ref_random_scale(&random, 1, 16 * arch.array_cols);
        sim_conv2d c = conv_tiles_random(true, &random);
        c.images = ref_random_int(&random, 1, 2);
        c.h_in = c.kernel_h + ref_random_int(&random, 0, 4);
        c.w_in = c.kernel_w + ref_random_int(&random, 0, 4);
        const bool direct = ref_random_one_in(&random, 2);
        sim_gemm gemm = conv_tiles_gemm(&arch, &c, (int)ref_random_int(&random, 1, 8), 8, direct);
        gemm.batch = 1; /* products of a batch chain as folds do */
        const int64_t *x = gemm.extent, taps = c.kernel_h * c.kernel_w;
        gemm_case values = gemm_case_new(x[0], x[1], taps * x[2], -128, 127, -128, 127, &random);
        sim_way ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &gemm, ways);
        for (int w = 0; w < count; w++) {
            const int *order =
                ways[w].accumulates_in_array ? orders[0] : orders[ref_random_int(&random, 0, 5)];
            sim_tiling tiling;
            for (int d = 0; d < 3; d++) {
                const int64_t most = ways[w].tile_max[d] < x[d] ? ways[w].tile_max[d] : x[d];
                tiling.tile[d] = ref_random_int(&random, 1, most);
                tiling.order[d] = (sim_dim)order[d];
            }
            tiling.tile[SIM_M] = conv_tiles_at_most(&c, tiling.tile[SIM_M]);
            const pe_array array = {pe_dataflows[ways[w].dataflow], arch.array_rows, arch.array_cols,
                                    gemm.w_bits, arch.array_port_bits};
            const pe_gemm operands = {{values.m, values.n, values.k}, values.a, values.w};
            int64_t expected = 0;
            gemm_case_clear(&values);
            for (int64_t lane = 0; lane < arch.array_count; lane++) {
                const fold_list all =
                    folds_of(&array, &gemm, &tiling, ways[w].accumulates_in_array,
                             direct && ways[w].dataflow != SIM_DATAFLOW_OS, lane, arch.array_count);
                pe_array_schedule(&array, all.folds, all.count, -1);
                const int64_t cycles = pe_array_run(&array, &operands, all.folds, all.count, values.out);
                expected = cycles > expected ? cycles : expected;
                free(all.folds);
            }
            cr_assert(gemm_case_wrong(&values) == 0, "case %d: the folds do not make the product", i);
            sim_compute compute;
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[w], &tiling, &compute, &err) == SIM_OK);
            cr_assert(compute.cycles == expected, "case %d way %d (%s, direct %d): %lld cycles, not %lld", i,
                      w, sim_dataflow_names[ways[w].dataflow], direct, (long long)compute.cycles,
                      (long long)expected);
            cr_assert(ways[w].fixed.of[SIM_EVENT_MAC] == (double)(x[0] * x[1] * x[2] * taps));
        }
        gemm_case_free(&values);
    }
}

/* Folds one by one, and SCALE-Sim's count, are those of the expanded product. */
Test(conv, untiled_timings_are_the_expanded_products)
{
    static const arch_case_options options = {
        .side_most = 32, .buffer_kib_least = 1, .buffer_kib_most = 8, .ports = true, .counts = true};
    ref_random random = {107};
    for (int i = 0; i < 2000 / SIMACC_TEST_REDUCE; i++) {
        sim_arch arch;
        arch_case_random(&arch, "systolic", &options, &random);
        arch.array_timing = i % 2 ? SIM_TIMING_SERIAL : SIM_TIMING_SCALESIM;
        const sim_conv2d c = conv_tiles_random(true, &random);
        const sim_gemm gemm = conv_tiles_gemm(&arch, &c, 8, 8, false);
        const int64_t expanded[3] = {gemm.extent[0], gemm.extent[1],
                                     gemm.extent[2] * c.kernel_h * c.kernel_w};
        sim_gemm plain = gemm_case_dense(&arch, expanded, 8, 8);
        plain.batch = gemm.batch;
        sim_way ways[SIM_WAYS_MAX], plain_ways[SIM_WAYS_MAX];
        const int count = arch.backend->ways(&arch, &gemm, ways);
        cr_assert(arch.backend->ways(&arch, &plain, plain_ways) == count);
        for (int w = 0; w < count; w++) {
            const sim_tiling tiling = {{1, 1, 1}, {SIM_M, SIM_N, SIM_K}};
            sim_compute compute, expected;
            sim_map_value value, plain_value;
            sim_counts counts, plain_counts;
            sim_err err = {0};
            cr_assert(arch.backend->compute(&arch, &gemm, &ways[w], &tiling, &compute, &err) == SIM_OK);
            cr_assert(arch.backend->compute(&arch, &plain, &plain_ways[w], &tiling, &expected, &err) ==
                      SIM_OK);
            cr_assert(compute.cycles == expected.cycles);
            sim_map_evaluate(&arch, &gemm, &ways[w], gemm.extent, SIM_M, &value, &counts);
            sim_map_evaluate(&arch, &plain, &plain_ways[w], plain.extent, SIM_M, &plain_value, &plain_counts);
            cr_assert(near(value.busy_cycles, plain_value.busy_cycles));
            cr_assert(near(counts.of[SIM_EVENT_WEIGHT_READ], plain_counts.of[SIM_EVENT_WEIGHT_READ]));
            cr_assert(near(counts.of[SIM_EVENT_INPUT_READ], plain_counts.of[SIM_EVENT_INPUT_READ]));
            cr_assert(near(counts.of[SIM_EVENT_MAC], plain_counts.of[SIM_EVENT_MAC]));
        }
    }
}

/* Convolutions of equal extents and other geometry share a cache and nothing in it. */
Test(conv, geometries_have_tables_of_their_own)
{
    ref_random random = {108};
    for (int i = 0; i < 200 / SIMACC_TEST_REDUCE; i++) {
        static const arch_case_options options = {
            .side_most = 8, .buffer_kib_least = 0.25, .buffer_kib_most = 2};
        sim_arch arch;
        arch_case_random(&arch, "systolic", &options, &random);
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_cache *shared = sim_map_cache_new(&arena);
        for (int j = 0; j < 6; j++) { /* 2 images of 6 x 4 positions, 1 of 12 x 4, 3 of 4 x 4, twice each */
            static const int64_t shapes[3][3] = {{2, 6, 4}, {1, 12, 4}, {3, 4, 4}};
            const int64_t *shape = shapes[j % 3], kernel = ref_random_int(&random, 1, 3);
            const sim_conv2d c = {.images = shape[0],
                                  .h_in = shape[1] + kernel - 1,
                                  .w_in = shape[2] + kernel - 1,
                                  .c_in = 16,
                                  .c_out = 16,
                                  .kernel_h = kernel,
                                  .kernel_w = kernel,
                                  .stride = 1,
                                  .groups = 1};
            const sim_gemm gemm = conv_tiles_gemm(&arch, &c, 8, 8, false);
            sim_map_choice choice, alone;
            sim_err err = {0};
            cr_assert(gemm.extent[SIM_M] == 48);
            cr_assert(sim_map(&arch, &gemm, "layer", SIM_OBJECTIVE_DRAM, shared, &choice, &err) == SIM_OK);
            cr_assert(sim_map(&arch, &gemm, "layer", SIM_OBJECTIVE_DRAM, sim_map_cache_new(&arena), &alone,
                              &err) == SIM_OK);
            cr_assert(memcmp(choice.tiling.tile, alone.tiling.tile, sizeof alone.tiling.tile) == 0);
            cr_assert(choice.value.dram_bits == alone.value.dram_bits);
        }
        sim_arena_free(&arena);
    }
}

/* Counts that do not fit are errors. */
Test(conv, beyond_the_mapper_is_an_error)
{
    static const sim_window windows[] = {
        {.rows_out = 4,
         .cols_out = 4,
         .kernel_h = INT64_C(1) << 33,
         .kernel_w = INT64_C(1) << 33,
         .stride = 1},
        {.rows_out = 4, .cols_out = 4, .kernel_h = 1 << 20, .kernel_w = 1 << 20, .stride = 1},
        {.rows_out = 4, .cols_out = 4, .kernel_h = 1 << 19, .kernel_w = 1 << 19, .stride = 1 << 19},
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        sim_arch arch;
        arch_case_plain(&arch, "systolic");
        sim_gemm gemm = gemm_case_dense(&arch, (const int64_t[3]){64, 8, 8}, 8, 8);
        gemm.window = windows[i];
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_choice choice;
        sim_err err = {0};
        cr_expect(sim_map(&arch, &gemm, "layer", SIM_OBJECTIVE_BALANCED, sim_map_cache_new(&arena), &choice,
                          &err) == SIM_OVERFLOW,
                  "window %d", (int)i);
        sim_arena_free(&arena);
    }
}

/* A buffer that holds single elements but not what one position reads. */
Test(conv, a_kernel_that_does_not_fit_names_the_buffer)
{
    sim_arch arch;
    arch_case_plain(&arch, "systolic");
    arch.buffer_input_kib = 0.046875; /* 24 elements twice */
    const sim_conv2d c = {.images = 1,
                          .h_in = 9,
                          .w_in = 9,
                          .c_in = 2,
                          .c_out = 2,
                          .kernel_h = 5,
                          .kernel_w = 5,
                          .stride = 1,
                          .groups = 1};
    const sim_gemm gemm = conv_tiles_gemm(&arch, &c, 8, 8, false);
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    sim_map_choice choice;
    sim_err err = {0};
    cr_expect(sim_map(&arch, &gemm, "layer", SIM_OBJECTIVE_BALANCED, sim_map_cache_new(&arena), &choice,
                      &err) == SIM_INFEASIBLE);
    cr_expect(strstr(err.items[0].text, "input buffer") != NULL, "%s", err.items[0].text);
    cr_expect(strstr(err.items[0].hint, "400 bits") != NULL, "%s", err.items[0].hint);
    sim_arena_free(&arena);
}
