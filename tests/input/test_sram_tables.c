/* SRAM tables of a technology: the common one, those of single buffers, and what is wrong with them. */
#include "base/arena.h"
#include "input/arch.h"
#include "model/energy.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole arch file but for the SRAM tables, which the test gives. */
static const char head[] =
    "name = \"small\"; backend = \"systolic\"; clock_mhz = 500;\n"
    "array = { rows = 4; cols = 4; };\n"
    "buffers = { weight_kib = 64; input_kib = 2; output_kib = 1; };\n"
    "dram = { type = \"plain\"; bandwidth_gb_s = 10; };\n"
    "dram_kinds = { plain = { pj_per_bit = 1.0; background_frac = 0.0; rank_gb_s_per_gib = 0.0;\n"
    "  curve_efficiency_frac = 1.0; burst_bytes = 1; turnaround_frac = 0.0; }; };\n"
    "tech = { node_nm = 45; logic_node_nm = 45; sram_node_nm = 45; sram_cell_type = \"none\";\n"
    "  mac_c0_pj = 0; mac_c1_pj = 0; mac_c2_pj = 0; mac_leak_uw = 0; mac_area_um2 = 0;\n"
    "  fusion8_pj = 0; fusion16_pj = 0; fusion8_leak_uw = 0; fusion16_leak_uw = 0;\n"
    "  fusion8_area_um2 = 0; fusion16_area_um2 = 0; register_pj_per_bit = 0; vector_pj_per_op = 0;\n"
    "  vector_lane_leak_uw = 0; vector_lane_area_um2 = 0;\n";

#define COMMON "sram = ( ( 1024, 0.1, 0.2, 1, 0.5 ), ( 4096, 0.2, 0.4, 4, 1.5 ) );\n"
#define WEIGHT "sram_weight = ( ( 1024, 0.3, 0.5, 0, 0 ), ( 65536, 0.6, 1.0, 0, 0 ) );\n"
#define INPUT  "sram_input = ( ( 1024, 0.7, 0.8, 2, 0.1 ), ( 2048, 0.9, 1.1, 3, 0.2 ) );\n"
#define OUTPUT "sram_output = ( ( 1024, 1.2, 1.3, 5, 0.3 ), ( 2048, 1.4, 1.5, 6, 0.4 ) );\n"

static sim_status read_tables(const char *tables, const sim_arch_setting *settings, int count,
                              sim_arena *arena, sim_arch *out, sim_err *err)
{
    char path[] = "/tmp/simacc_sram_XXXXXX";
    int handle = mkstemp(path);
    FILE *file = handle < 0 ? NULL : fdopen(handle, "w");
    sim_status status;

    cr_assert_not_null(file);
    cr_assert(fputs(head, file) >= 0 && fputs(tables, file) >= 0 && fputs("};\n", file) >= 0);
    fclose(file);
    sim_arena_init(arena, NULL);
    status = sim_arch_load(path, settings, count, arena, out, err);
    unlink(path);
    return status;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

Test(sram_tables, single_buffers_have_their_own)
{
    sim_arena arena;
    sim_arch arch;
    sim_err err = {0};
    sim_prices prices;

    cr_assert_eq(read_tables(COMMON WEIGHT, NULL, 0, &arena, &arch, &err), SIM_OK, "%s", err.items[0].text);
    cr_expect_eq(arch.tech.sram_count, 2);
    cr_expect_eq(arch.tech.sram_count_of[SIM_OPERAND_WEIGHT], 2);
    cr_expect_eq(arch.tech.sram_count_of[SIM_OPERAND_INPUT], 0);
    cr_expect_eq(arch.tech.sram_count_of[SIM_OPERAND_OUTPUT], 0);
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_WEIGHT_READ], 0.6) && near(prices.pj[SIM_EVENT_WEIGHT_WRITE], 1.0));
    cr_expect(near(prices.pj[SIM_EVENT_OUTPUT_READ], 0.1) && near(prices.pj[SIM_EVENT_OUTPUT_WRITE], 0.2));
    cr_expect(near(prices.pj[SIM_EVENT_INPUT_READ], 0.1 * sqrt(2))); /* between two rows of the common one */
    sim_arena_free(&arena);
}

Test(sram_tables, three_of_them_need_no_common_one)
{
    sim_arena arena;
    sim_arch arch;
    sim_err err = {0};
    sim_prices prices;

    cr_assert_eq(read_tables(WEIGHT INPUT OUTPUT, NULL, 0, &arena, &arch, &err), SIM_OK, "%s",
                 err.items[0].text);
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_WEIGHT_READ], 0.6));
    cr_expect(near(prices.pj[SIM_EVENT_INPUT_READ], 0.9) && near(prices.pj[SIM_EVENT_INPUT_WRITE], 1.1));
    cr_expect(near(prices.pj[SIM_EVENT_OUTPUT_READ], 1.2) && near(prices.pj[SIM_EVENT_OUTPUT_WRITE], 1.3));
    cr_expect(near(prices.static_w, 1e-3 * (0 + 3 + 5)));
    cr_expect(near(sim_area_mm2(&arch), 0 + 0.2 + 0.3));
    sim_arena_free(&arena);
    err = (sim_err){0};
    cr_expect_eq(read_tables(WEIGHT OUTPUT, NULL, 0, &arena, &arch, &err), SIM_BAD_INPUT);
    cr_expect_str_eq(err.items[0].text, "missing key 'tech.sram'");
    sim_arena_free(&arena);
}

Test(sram_tables, they_scale_with_the_node)
{
    const sim_arch_setting settings[] = {{"tech.node_nm", "22.5"}};
    sim_arena arena;
    sim_arch arch;
    sim_err err = {0};
    sim_prices prices;

    cr_assert_eq(read_tables(COMMON INPUT, settings, 1, &arena, &arch, &err), SIM_OK);
    sim_prices_of(&arch, 8, 8, &prices);
    cr_expect(near(prices.pj[SIM_EVENT_INPUT_READ], 0.9 / 2) &&
              near(prices.pj[SIM_EVENT_OUTPUT_READ], 0.1 / 2));
    cr_expect(near(arch.tech.sram_of[SIM_OPERAND_INPUT][1].leak_mw, 3.0 / 2));
    cr_expect(near(arch.tech.sram_of[SIM_OPERAND_INPUT][1].area_mm2, 0.2 / 4));
    sim_arena_free(&arena);
}

/* Every number is part of the design point, and so is the buffer that it is of. */
Test(sram_tables, they_identify_the_design_point)
{
    static const char *const tables[] = {
        COMMON,
        COMMON INPUT,
        COMMON OUTPUT,
        COMMON "sram_input = ( ( 1024, 0.7, 0.8, 2, 0.1 ), ( 2048, 0.9, 1.1, 3, 0.25 ) );\n",
        COMMON "sram_output = ( ( 1024, 0.7, 0.8, 2, 0.1 ), ( 2048, 0.9, 1.1, 3, 0.2 ) );\n",
    };
    enum { COUNT = sizeof tables / sizeof *tables };
    uint64_t id[COUNT];

    for (int i = 0; i < COUNT; i++) {
        sim_arena arena;
        sim_arch arch;
        sim_err err = {0};

        cr_assert_eq(read_tables(tables[i], NULL, 0, &arena, &arch, &err), SIM_OK);
        id[i] = arch.id;
        for (int j = 0; j < i; j++)
            cr_expect_neq(id[i], id[j], "tables %d and %d", i, j);
        sim_arena_free(&arena);
    }
}

Test(sram_tables, errors_name_table_and_row)
{
    static const struct {
        const char *tables, *text;
    } cases[] = {
        {COMMON "sram_weight = 3;", "'tech.sram_weight' must be a list of at least two rows"},
        {COMMON "sram_input = ( ( 1, 1, 1, 1, 1 ) );",
         "'tech.sram_input' must be a list of at least two rows"},
        {COMMON "sram_output = ( ( 1, 1, 1, 1, 1 ), ( 1, 1, 1, 1, 1 ) );",
         "row 2 of 'tech.sram_output' is not larger than the row before"},
        {COMMON "sram_output = ( ( 1, 1, 1, 1, 1 ), ( 2, 1, 1, 1 ) );",
         "row 2 of 'tech.sram_output' must be five numbers: size and energies above 0, leakage and area at "
         "least 0"},
        {COMMON "sram_input = ( ( 1, 1, 0, 1, 1 ), ( 2, 1, 1, 1, 1 ) );",
         "row 1 of 'tech.sram_input' must be five numbers: size and energies above 0, leakage and area at "
         "least 0"},
        {"sram = ( ( 1, 1, 1, 1, 1 ), ( 2, 1, 1, -1, 1 ) );",
         "row 2 of 'tech.sram' must be five numbers: size and energies above 0, leakage and area at least 0"},
        {COMMON "sram_weigth = ( ( 1, 1, 1, 1, 1 ), ( 2, 1, 1, 1, 1 ) );",
         "unknown key 'sram_weigth' in 'tech'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arena arena;
        sim_arch arch;
        sim_err err = {0};

        cr_expect_eq(read_tables(cases[i].tables, NULL, 0, &arena, &arch, &err), SIM_BAD_INPUT, "case %zu",
                     i);
        cr_assert_eq(err.count, 1, "case %zu: %d errors", i, err.count);
        cr_expect_str_eq(err.items[0].text, cases[i].text);
        cr_expect(err.items[0].line > 0, "case %zu", i);
        sim_arena_free(&arena);
    }
}
