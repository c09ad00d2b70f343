/* Prices, SRAM interpolation, energy sums and area against arithmetic written out here. */
#include "model/energy.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 + 1e-9 * fabs(b);
}

/* A machine of 6 PEs or fusion units; banks of the three buffers as set by a test. */
static sim_hardware machine;

static void hardware(const sim_arch *arch, sim_hardware *out)
{
    *out = machine;
    out->w_bits = (int)arch->array_w_bits;
    out->a_bits = (int)arch->array_a_bits;
}

static const sim_backend backend = {.name = "test", .hardware = hardware};

/* read = size^0.5, write = 2 size^0.5, leakage = size / 1024, area = size / 4096 (sizes in bytes / 1024),
 * each a straight line in log-log. */
static const sim_sram_point straight[] = {{1024, 1, 2, 1, 0.25}, {4096, 2, 4, 4, 1}, {65536, 8, 16, 64, 16}};

static sim_arch arch_of(int w_bits, int a_bits)
{
    sim_arch arch = {.backend = &backend,
                     .clock_mhz = 250,
                     .array_w_bits = w_bits,
                     .array_a_bits = a_bits,
                     .buffer_weight_kib = 16,
                     .buffer_input_kib = 4,
                     .buffer_output_kib = 1,
                     .dram_bandwidth_gb_s = 10,
                     .vector_lanes = 3,
                     .link.pj_per_bit = 11};

    arch.tech = (sim_tech){.mac_c0_pj = 0.01,
                           .mac_c1_pj = 0.02,
                           .mac_c2_pj = 0.003,
                           .mac_leak_uw = 20,
                           .mac_area_um2 = 500,
                           .fusion8_pj = 0.5,
                           .fusion16_pj = 2,
                           .fusion8_leak_uw = 60,
                           .fusion16_leak_uw = 300,
                           .fusion8_area_um2 = 1700,
                           .fusion16_area_um2 = 8800,
                           .register_pj_per_bit = 0.009,
                           .vector_pj_per_op = 2.5,
                           .vector_lane_leak_uw = 200,
                           .vector_lane_area_um2 = 7000,
                           .sram = straight,
                           .sram_count = 3};
    arch.dram = (sim_dram_kind){.pj_per_bit = 8, .background_frac = 0.25, .rank_gb_s_per_gib = 5};
    arch.dram_capacity_gib = 2;
    machine = (sim_hardware){.pes = 6, .banks = {1, 1, 1}};
    return arch;
}

Test(energy, sram_is_log_log)
{
    sim_arch arch = arch_of(8, 8);
    sim_sram_point at;

    for (double size = 64; size <= 1 << 24; size *= 1.37) {
        double kib = size / 1024;

        sim_sram_at(&arch.tech, SIM_OPERAND_WEIGHT, size, &at);
        cr_expect(near(at.read_pj_per_bit, sqrt(kib)), "%g bytes", size);
        cr_expect(near(at.write_pj_per_bit, 2 * sqrt(kib)));
        cr_expect(near(at.leak_mw, kib) && near(at.area_mm2, kib / 4));
        cr_expect_eq(at.size_bytes, size);
    }
}

/* On a kinked table: exact at the points, the nearest segment beyond the ends. */
Test(energy, sram_table_with_a_kink)
{
    static const sim_sram_point kink[] = {{100, 1, 1, 1, 1}, {200, 2, 4, 1, 2}, {400, 2, 8, 2, 3}};
    sim_tech tech = {.sram = kink, .sram_count = 3};
    sim_sram_point at;

    for (int i = 0; i < 3; i++) {
        sim_sram_at(&tech, SIM_OPERAND_WEIGHT, kink[i].size_bytes, &at);
        cr_expect(near(at.read_pj_per_bit, kink[i].read_pj_per_bit) && near(at.area_mm2, kink[i].area_mm2));
    }
    sim_sram_at(&tech, SIM_OPERAND_WEIGHT, 50, &at);
    cr_expect(near(at.read_pj_per_bit, 0.5) && near(at.write_pj_per_bit, 0.25));
    sim_sram_at(&tech, SIM_OPERAND_WEIGHT, 1600, &at);
    cr_expect(near(at.read_pj_per_bit, 2) && near(at.write_pj_per_bit, 32) && near(at.leak_mw, 8));
    sim_sram_at(&tech, SIM_OPERAND_WEIGHT, sqrt(100.0 * 200), &at);
    cr_expect(near(at.write_pj_per_bit, 2), "the geometric mean in the middle");
}

Test(energy, a_fixed_pe_is_priced_at_its_native_width)
{
    sim_arch arch = arch_of(8, 8);
    sim_prices prices, narrow;

    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_MAC], 0.01 + 0.02 * 8 + 0.003 * 64));
    sim_prices_of(&arch, 2, 3, &narrow);
    cr_expect_eq(narrow.pj[SIM_EVENT_MAC], prices.pj[SIM_EVENT_MAC], "fewer bits save no MAC energy");
    arch = arch_of(4, 16);
    sim_prices_of(&arch, 4, 4, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_MAC], 0.01 + 0.02 * 10 + 0.003 * 64), "w and a may differ");
}

Test(energy, fusion_units_come_in_two_sizes)
{
    static const struct {
        int w_bits, a_bits;
        double pj, leak_uw, area_um2;
    } cases[] = {{8, 8, 0.5, 60, 1700}, {2, 4, 0.5, 60, 1700}, {16, 8, 2, 300, 8800}, {8, 16, 2, 300, 8800}};

    for (int i = 0; i < 4; i++) {
        sim_arch arch = arch_of(cases[i].w_bits, cases[i].a_bits);
        sim_prices prices;

        machine.kind = SIM_PE_FUSION;
        sim_prices_of(&arch, 4, 4, &prices);
        cr_expect_eq(prices.pj[SIM_EVENT_UNIT_CYCLE], cases[i].pj);
        /* buffers of 16, 4 and 1 KiB leak 21 mW and take 21/4 mm2 */
        cr_expect(near(prices.static_w, 1e-6 * (6 * cases[i].leak_uw + 3 * 200) + 0.021));
        cr_expect(near(sim_area_mm2(&arch), 1e-6 * (6 * cases[i].area_um2 + 3 * 7000) + 5.25));
    }
}

Test(energy, fixed_pes_leak_in_proportion_to_their_size)
{
    sim_arch arch = arch_of(16, 8);
    sim_prices prices;

    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.static_w, 1e-6 * (6 * 20 * 2 + 3 * 200) + 0.021));
    cr_expect(near(sim_area_mm2(&arch), 1e-6 * (6 * 500 * 2 + 3 * 7000) + 5.25));
}

Test(energy, each_buffer_has_the_price_of_its_own_size)
{
    sim_arch arch = arch_of(8, 8);
    sim_prices prices, doubled;

    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_WEIGHT_READ], 4) && near(prices.pj[SIM_EVENT_WEIGHT_WRITE], 8));
    cr_expect(near(prices.pj[SIM_EVENT_INPUT_READ], 2) && near(prices.pj[SIM_EVENT_INPUT_WRITE], 4));
    cr_expect(near(prices.pj[SIM_EVENT_OUTPUT_READ], 1) && near(prices.pj[SIM_EVENT_OUTPUT_WRITE], 2));
    arch.double_buffered[SIM_OPERAND_WEIGHT] = true;
    sim_prices_of(&arch, 8, 8, &doubled);
    cr_expect(!memcmp(&prices, &doubled, sizeof prices), "two tiles share the same memory");

    arch.buffer_weight_kib = arch.buffer_input_kib = arch.buffer_output_kib = 0;
    arch.buffer_unified_kib = 64;
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_WEIGHT_READ], 8) && near(prices.pj[SIM_EVENT_OUTPUT_WRITE], 16));
    cr_expect(near(prices.static_w, 1e-6 * (6 * 20 + 3 * 200) + 0.064), "one memory leaks once");
}

Test(energy, banks_are_small_memories)
{
    sim_arch arch = arch_of(8, 8);
    sim_prices prices;

    machine.banks[SIM_OPERAND_WEIGHT] = 16; /* of 1 KiB */
    machine.banks[SIM_OPERAND_INPUT] = 4;
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_WEIGHT_READ], 1) && near(prices.pj[SIM_EVENT_INPUT_READ], 1));
    cr_expect(near(prices.static_w, 1e-6 * (6 * 20 + 3 * 200) + 0.021), "16 KiB leak as 16 times 1 KiB here");
}

/* At full load, dynamic energy and background of the DRAM add up to its pJ per bit. */
Test(energy, dram_splits_into_bits_and_time)
{
    sim_arch arch = arch_of(8, 8);
    double bits_per_s = 10e9 * 8; /* of 2 GiB at 5 GB/s each */
    sim_counts counts = {{0}};
    sim_prices prices;
    sim_energy energy;

    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_DRAM_READ], 6) && near(prices.pj[SIM_EVENT_DRAM_WRITE], 6));
    cr_expect(near(prices.dram_background_w, 8e-12 * 0.25 * bits_per_s));
    cr_expect(near(prices.pj_per_cycle, (prices.static_w + prices.dram_background_w) * 1e12 / 250e6));
    arch.dram_bandwidth_gb_s *= 2; /* faster pins on the same devices */
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.dram_background_w, 8e-12 * 0.25 * bits_per_s));
    counts.of[SIM_EVENT_DRAM_READ] = 0.7 * bits_per_s;
    counts.of[SIM_EVENT_DRAM_WRITE] = 0.3 * bits_per_s;
    sim_energy_of(&prices, &counts, 1, &energy);
    cr_expect(near(energy.dram_j, 8e-12 * bits_per_s));
    /* idle, the background remains */
    sim_energy_of(&prices, &(sim_counts){{0}}, 2, &energy);
    cr_expect(near(energy.dram_j, 2 * prices.dram_background_w));
    cr_expect(near(energy.static_j, 2 * prices.static_w));
    cr_expect(near(sim_energy_total_j(&energy), energy.dram_j + energy.static_j));
}

/* Each event is priced on the machine that has it: units of one kind only. */
static const sim_event unit_events[] = {[SIM_PE_FIXED] = SIM_EVENT_MAC,
                                        [SIM_PE_FUSION] = SIM_EVENT_UNIT_CYCLE,
                                        [SIM_PE_SERIAL] = SIM_EVENT_LANE_CYCLE};

static void check_prices(sim_pe_kind kind)
{
    sim_arch arch = arch_of(8, 8);
    sim_prices prices;
    sim_counts all = {{0}};
    double sum_j = 0, pj = 0;

    machine.kind = kind;
    machine.depth = 4;
    sim_prices_of(&arch, 8, 8, &prices);
    for (int i = 0; i < SIM_EVENT_COUNT; i++) {
        sim_counts one = {{0}};
        sim_energy energy;
        bool elsewhere = false;

        for (int k = 0; k < 3; k++)
            elsewhere |= k != (int)kind && (int)unit_events[k] == i;
        if (elsewhere)
            continue;
        cr_expect_gt(prices.pj[i], 0, "kind %d, event %d", (int)kind, i);
        one.of[i] = all.of[i] = 1e9 * (i + 1);
        sim_energy_of(&prices, &one, 0, &energy);
        cr_expect(near(sim_energy_total_j(&energy), 1e-12 * prices.pj[i] * 1e9 * (i + 1)), "event %d", i);
        cr_expect(near(sim_counts_pj(&prices, &one), prices.pj[i] * 1e9 * (i + 1)));
        sum_j += sim_energy_total_j(&energy);
        pj += sim_counts_pj(&prices, &one);
    }
    sim_energy energy;

    sim_energy_of(&prices, &all, 0, &energy);
    cr_expect(near(sim_energy_total_j(&energy), sum_j));
    cr_expect(near(sim_counts_pj(&prices, &all), pj));
    cr_expect(near(energy.mac_j, 1e-12 * prices.pj[unit_events[kind]] * all.of[unit_events[kind]]));
    cr_expect(near(energy.vector_j, 1e-12 * 2.5 * all.of[SIM_EVENT_VECTOR_OP]));
    cr_expect(near(energy.register_j, 1e-12 * 0.009 * all.of[SIM_EVENT_REGISTER_BIT]));
    cr_expect(near(energy.link_j, 1e-12 * 11 * all.of[SIM_EVENT_LINK_BIT]));
}

Test(energy, every_event_is_priced_once)
{
    check_prices(SIM_PE_FIXED);
    check_prices(SIM_PE_FUSION);
    check_prices(SIM_PE_SERIAL);
}

/* A lane is a small multiplier whose accumulator is shared by the unit's lanes; it leaks and takes area by
 * the bits that it multiplies per cycle. */
Test(energy, serial_lanes_are_narrow_multipliers)
{
    static const struct {
        int w_step, a_step;
        int64_t depth;
    } cases[] = {{1, 1, 256}, {16, 1, 16}, {2, 16, 4}, {1, 4, 1}};

    for (int i = 0; i < 4; i++) {
        double ws = cases[i].w_step, as = cases[i].a_step, lanes = (double)cases[i].depth;
        sim_arch arch = arch_of(cases[i].w_step, cases[i].a_step);
        sim_prices prices, wide;

        machine.kind = SIM_PE_SERIAL;
        machine.depth = cases[i].depth;
        sim_prices_of(&arch, 1, 1, &prices);
        sim_prices_of(&arch, 16, 16, &wide);
        cr_expect(!memcmp(&prices, &wide, sizeof prices), "operands cost cycles, not energy per cycle");
        cr_expect(
            near(prices.pj[SIM_EVENT_LANE_CYCLE], 0.01 / lanes + 0.02 * (ws + as) / 2 + 0.003 * ws * as));
        cr_expect(near(prices.static_w, 1e-6 * (6 * 20 * lanes * ws * as / 64 + 3 * 200) + 0.021));
        cr_expect(near(sim_area_mm2(&arch), 1e-6 * (6 * 500 * lanes * ws * as / 64 + 3 * 7000) + 5.25));
    }
}
