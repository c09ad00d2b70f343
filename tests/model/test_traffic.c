/* DRAM traffic and buffer fills against the loop nest that walks every tile. */
#include "model/memory.h"
#include "reference/arch_case.h"
#include "reference/loopnest.h"

#include <criterion/criterion.h>

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* The innermost loop with more than one tile; any will do when there is none. */
static sim_dim stationary_of(const int order[3], const int64_t count[3])
{
    for (int i = 3; i-- > 0;) {
        if (count[order[i]] > 1)
            return (sim_dim)order[i];
    }
    return (sim_dim)order[2];
}

/* A GEMM that is cut into tiles, on a machine of some word widths. Stored bits are not dense on purpose. */
typedef struct traffic_case {
    sim_arch arch;
    sim_gemm gemm;
    loopnest nest;
    int64_t count[3];
} traffic_case;

static traffic_case random_case(ref_random *random)
{
    traffic_case c = {0};
    arch_case_plain(&c.arch, "systolic");
    c.arch.array_acc_bits = ref_random_int(random, 8, 48);
    c.arch.output_bits = ref_random_int(random, 1, 32);
    c.arch.output_read_first = ref_random_one_in(random, 4);
    for (int d = 0; d < 3; d++) {
        c.nest.extent[d] = ref_random_scale(random, 1, 60);
        c.nest.tile[d] =
            ref_random_one_in(random, 4) ? c.nest.extent[d] : ref_random_int(random, 1, c.nest.extent[d]);
        c.count[d] = (c.nest.extent[d] + c.nest.tile[d] - 1) / c.nest.tile[d];
    }
    c.nest.output_read_first = c.arch.output_read_first;
    c.gemm = gemm_case_dense(&c.arch, c.nest.extent, (int)ref_random_int(random, 1, 8),
                             (int)ref_random_int(random, 1, 8));
    c.gemm.w_stored_bits += ref_random_int(random, 0, 1000);
    c.gemm.a_stored_bits += ref_random_int(random, 0, 1000);
    c.gemm.out_stored_bits += ref_random_int(random, 0, 1000);
    return c;
}

/* How often a whole operand of `elements` has passed; the loop nest never moves a fraction of it. */
static double passes(int64_t words, int64_t elements)
{
    cr_assert(words % elements == 0);
    return (double)(words / elements);
}

Test(traffic, equals_the_loop_nest)
{
    ref_random random = {21};
    for (int i = 0; i < 6000 / SIMACC_TEST_REDUCE; i++) {
        traffic_case c = random_case(&random);
        const int64_t m = c.nest.extent[0], n = c.nest.extent[1], k = c.nest.extent[2];
        for (int o = 0; o < 6; o++) {
            for (int d = 0; d < 3; d++)
                c.nest.order[d] = orders[o][d];
            const loopnest_step words = loopnest_sum(&c.nest);
            sim_traffic traffic;
            sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary_of(orders[o], c.count), &traffic);
            cr_assert(traffic.weight_read == passes(words.weight_read, k * n) * (double)c.gemm.w_stored_bits);
            cr_assert(traffic.input_read == passes(words.input_read, m * k) * (double)c.gemm.a_stored_bits);
            cr_assert(traffic.final_write ==
                      passes(words.final_write, m * n) * (double)c.gemm.out_stored_bits);
            cr_assert(words.final_write == m * n);
            cr_assert(traffic.partial_write == (double)(words.partial_write * c.gemm.acc_bits));
            cr_assert(traffic.partial_read == (double)(words.partial_read * c.gemm.acc_bits));
        }
    }
}

/* What stays on chip moves nothing; the other operands move as before. */
Test(traffic, on_chip_operands_do_not_move)
{
    ref_random random = {22};
    for (int i = 0; i < 1000 / SIMACC_TEST_REDUCE; i++) {
        traffic_case c = random_case(&random);
        const sim_dim stationary = (sim_dim)ref_random_int(&random, 0, 2);
        sim_traffic moved, kept;
        sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary, &moved);
        for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
            c.gemm.on_chip[operand] = ref_random_one_in(&random, 2);
        const bool *on_chip = c.gemm.on_chip;
        sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary, &kept);
        cr_assert(kept.weight_read == (on_chip[SIM_OPERAND_WEIGHT] ? 0 : moved.weight_read));
        cr_assert(kept.input_read == (on_chip[SIM_OPERAND_INPUT] ? 0 : moved.input_read));
        cr_assert(kept.final_write == (on_chip[SIM_OPERAND_OUTPUT] ? 0 : moved.final_write));
        cr_assert(kept.partial_write == (on_chip[SIM_OPERAND_OUTPUT] ? 0 : moved.partial_write));
        cr_assert(kept.partial_read == (on_chip[SIM_OPERAND_OUTPUT] ? 0 : moved.partial_read));
    }
}

/* Weights that are read once besides, whatever the tiles. */
Test(traffic, further_weights_are_read_once)
{
    ref_random random = {23};
    for (int i = 0; i < 1000 / SIMACC_TEST_REDUCE; i++) {
        traffic_case c = random_case(&random);
        const sim_dim stationary = (sim_dim)ref_random_int(&random, 0, 2);
        sim_traffic without, with;
        sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary, &without);
        c.gemm.w_once_bits = ref_random_int(&random, 1, 100000);
        sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary, &with);
        cr_assert(with.weight_read == without.weight_read + (double)c.gemm.w_once_bits);
    }
}

/* A word filled is one buffer write, a word drained one buffer read, and what crosses the pins is priced once
 * in each direction. */
Test(traffic, fills_and_drains_equal_the_loop_nest)
{
    ref_random random = {24};
    for (int i = 0; i < 2000 / SIMACC_TEST_REDUCE; i++) {
        traffic_case c = random_case(&random);
        const int *order = orders[ref_random_int(&random, 0, 5)];
        for (int d = 0; d < 3; d++)
            c.nest.order[d] = order[d];
        const loopnest_step words = loopnest_sum(&c.nest);
        const sim_dim stationary = stationary_of(order, c.count);
        sim_counts counts, per_tile[SIM_DIMS];
        sim_memory_counts(&c.arch, &c.gemm, 1, stationary, &counts, per_tile);
        for (int event = 0; event < SIM_EVENT_COUNT; event++) {
            for (int d = 0; d < SIM_DIMS; d++)
                counts.of[event] += per_tile[d].of[event] * (double)c.count[d];
        }
        sim_traffic traffic;
        sim_traffic_of(&c.arch, &c.gemm, c.count, 1, stationary, &traffic);
        double expected[SIM_EVENT_COUNT] = {0};
        expected[SIM_EVENT_WEIGHT_WRITE] = (double)(words.weight_read * c.gemm.w_bits);
        expected[SIM_EVENT_INPUT_WRITE] = (double)(words.input_read * c.gemm.a_bits);
        expected[SIM_EVENT_OUTPUT_WRITE] = (double)(words.partial_read * c.gemm.acc_bits);
        expected[SIM_EVENT_OUTPUT_READ] =
            (double)((words.partial_write + words.final_write) * c.gemm.acc_bits);
        expected[SIM_EVENT_DRAM_READ] = traffic.weight_read + traffic.input_read + traffic.partial_read;
        expected[SIM_EVENT_DRAM_WRITE] = traffic.partial_write + traffic.final_write;
        for (int event = 0; event < SIM_EVENT_COUNT; event++)
            cr_assert(counts.of[event] == expected[event], "event %d: %g, not %g", event, counts.of[event],
                      expected[event]);
    }
}

/* The bound that no tiling beats: every operand once. */
Test(traffic, never_below_compulsory)
{
    ref_random random = {25};
    for (int i = 0; i < 2000 / SIMACC_TEST_REDUCE; i++) {
        const traffic_case c = random_case(&random);
        for (int s = 0; s < SIM_DIMS; s++) {
            sim_traffic traffic;
            sim_traffic_of(&c.arch, &c.gemm, c.count, 1, (sim_dim)s, &traffic);
            cr_assert(traffic.weight_read >= (double)c.gemm.w_stored_bits);
            cr_assert(traffic.input_read >= (double)c.gemm.a_stored_bits);
            cr_assert(traffic.final_write == (double)c.gemm.out_stored_bits);
            cr_assert(traffic.partial_read >= traffic.partial_write && traffic.partial_write >= 0);
        }
    }
}
