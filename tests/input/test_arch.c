/* Architecture files: what the shipped ones say, overrides, technology and DRAM look-up, running out of
 * memory. Messages for wrong files, word for word, are in tests/bad/arch. */
#include "base/arena.h"
#include "input/arch.h"
#include "input/tech.h"

#include <criterion/criterion.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *arch_path(sim_arena *arena, const char *name)
{
    return sim_arena_printf(arena, "%s/arch/%s", SIMACC_SOURCE_DIR, name);
}

static sim_status load(sim_arena *arena, const char *name, const sim_arch_setting *settings, int count,
                       sim_arch *out, sim_err *err)
{
    return sim_arch_load(arch_path(arena, name), settings, count, arena, out, err);
}

/* Loads a shipped file that must be right. */
static void good(sim_arena *arena, const char *name, const sim_arch_setting *settings, int count,
                 sim_arch *out)
{
    sim_err err = {0};
    sim_status status = load(arena, name, settings, count, out, &err);

    cr_assert_eq(status, SIM_OK, "%s: %s", name, err.count ? err.items[0].text : "");
    cr_assert_eq(err.count, 0);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

Test(arch, shipped_files_say_what_the_design_says)
{
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, NULL);
    good(&arena, "systolic_128.cfg", NULL, 0, &arch);
    cr_expect_str_eq(arch.name, "systolic_128");
    cr_expect_str_eq(arch.backend->name, "systolic");
    cr_expect(arch.array_rows == 128 && arch.array_cols == 128 && arch.array_count == 1);
    cr_expect(arch.array_w_bits == 8 && arch.array_a_bits == 8 && arch.array_acc_bits == 32);
    cr_expect(arch.output_bits == 8 && arch.array_port_bits == 0);
    cr_expect(arch.buffer_weight_kib == 4096 && arch.buffer_input_kib == 4096 &&
              arch.buffer_output_kib == 4096);
    cr_expect_eq(arch.buffer_unified_kib, 0);
    for (int i = 0; i < SIM_OPERAND_COUNT; i++)
        cr_expect(arch.double_buffered[i]);
    cr_expect_eq(arch.dram_bandwidth_gb_s, 100);

    good(&arena, "edge.cfg", NULL, 0, &arch);
    cr_expect_str_eq(arch.backend->name, "bitfusion");
    cr_expect_eq(arch.dram_efficiency_frac, 0, "the curve is the default");
    cr_expect_str_eq(arch.dram.name, "lpddr4");
    cr_expect_str_eq(arch.tech.name, "28nm");
    cr_expect_eq(arch.array_timing, SIM_TIMING_PIPELINED);
    cr_expect_eq(arch.array_dataflow, SIM_DATAFLOW_AUTO);
    cr_expect(near(arch.mapper_slack_frac, 0.01));

    good(&arena, "tpu_v1.cfg", NULL, 0, &arch);
    cr_expect(arch.array_rows == 256 && arch.array_cols == 256 && arch.clock_mhz == 700);
    cr_expect_eq(arch.array_dataflow, SIM_DATAFLOW_WS);
    cr_expect_eq(arch.activations, SIM_ACTIVATIONS_ON_CHIP);
    cr_expect(arch.double_buffered[SIM_OPERAND_WEIGHT] && !arch.double_buffered[SIM_OPERAND_INPUT]);
    cr_expect_eq(arch.dram_bandwidth_gb_s, 34);

    good(&arena, "tpu_v4.cfg", NULL, 0, &arch);
    cr_expect(arch.array_count == 4 && arch.array_w_bits == 16 && arch.buffer_unified_kib == 16384);
    sim_arena_free(&arena);
}

/* edge_systolic differs from edge in the array alone. */
Test(arch, edge_pair_shares_everything_but_the_array)
{
    sim_arena arena;
    sim_arch a, b;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", NULL, 0, &a);
    good(&arena, "edge_systolic.cfg", NULL, 0, &b);
    cr_expect_eq(a.array_rows * a.array_cols, b.array_rows * b.array_cols);
    cr_expect(a.clock_mhz == b.clock_mhz && a.vector_lanes == b.vector_lanes &&
              a.output_bits == b.output_bits);
    cr_expect(a.buffer_weight_kib == b.buffer_weight_kib && a.buffer_input_kib == b.buffer_input_kib &&
              a.buffer_output_kib == b.buffer_output_kib);
    cr_expect(a.dram_bandwidth_gb_s == b.dram_bandwidth_gb_s && a.dram_capacity_gib == b.dram_capacity_gib);
    cr_expect_str_eq(a.tech_name, b.tech_name);
    cr_expect_str_neq(a.backend->name, b.backend->name);
    sim_arena_free(&arena);
}

Test(arch, settings_override_the_file)
{
    static const sim_arch_setting settings[] = {{"array.rows", "16"},
                                                {"buffers.double_buffered", "[weight]"},
                                                {"dram.efficiency", "0.5"},
                                                {"dram.type", "hbm2"},
                                                {"tech", "45nm"},
                                                {"output_read_first", "true"},
                                                {"mapper.tiles", "pow2_padded"},
                                                {"clock_mhz", "400"},
                                                {"clock_mhz", "500.5"}};
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", settings, sizeof settings / sizeof *settings, &arch);
    cr_expect_eq(arch.array_rows, 16);
    cr_expect(arch.double_buffered[SIM_OPERAND_WEIGHT]);
    cr_expect(!arch.double_buffered[SIM_OPERAND_INPUT] && !arch.double_buffered[SIM_OPERAND_OUTPUT]);
    cr_expect_eq(arch.dram_efficiency_frac, 0.5);
    cr_expect_str_eq(arch.dram.name, "hbm2");
    cr_expect_str_eq(arch.tech.name, "45nm");
    cr_expect(arch.output_read_first);
    cr_expect_eq(arch.mapper_tiles, SIM_TILES_POW2_PADDED);
    cr_expect_eq(arch.clock_mhz, 500.5, "the last setting of a key counts");
    sim_arena_free(&arena);
}

/* The id is of the design point, not of the way it was written. */
Test(arch, id_identifies_the_design_point)
{
    static const sim_arch_setting same[] = {{"array.rows", "32"}, {"mapper.slack_frac", "0.01"}},
                                  other[] = {{"array.rows", "31"}}, law[] = {{"tech.scaling", "stillmaker"}},
                                  price[] = {{"dram_kinds.lpddr4.pj_per_bit", "4"}};
    sim_arena arena;
    sim_arch a, b;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", NULL, 0, &a);
    cr_assert_neq(a.id, 0);
    good(&arena, "edge.cfg", same, 2, &b);
    cr_expect_eq(a.id, b.id);
    good(&arena, "edge.cfg", other, 1, &b);
    cr_expect_neq(a.id, b.id);
    good(&arena, "edge.cfg", law, 1, &b);
    cr_expect_neq(a.id, b.id, "energy tables belong to the design point");
    good(&arena, "edge.cfg", price, 1, &b);
    cr_expect_neq(a.id, b.id);
    cr_expect_eq(b.dram.pj_per_bit, 4);
    sim_arena_free(&arena);
}

/* ---- technology ------------------------------------------------------------------------------------ */

/* Stillmaker and Baas 2017, a2 V^2 + a1 V + a0 at our supplies: 45 nm 0.9 V, 20 and 32 nm 0.9 V, 16 nm 0.8 V,
 * 7 nm 0.7 V. */
static const double energy_45 = 1.103 * 0.81 - 0.362 * 0.9 + 0.2767;
static const double energy_32 = 0.9559 * 0.81 - 0.7823 * 0.9 + 0.471;
static const double energy_20 = 0.373 * 0.81 - 0.1582 * 0.9 + 0.04104;
static const double energy_16 = 0.2958 * 0.64 - 0.1241 * 0.8 + 0.03024;
static const double energy_7 = 0.1776 * 0.49 - 0.09097 * 0.7 + 0.02447;

Test(tech, scaling_laws)
{
    double share = log(28.0 / 20) / log(32.0 / 20);

    cr_expect(near(sim_scaling_factor(SIM_SCALING_LINEAR, 45, 9), 0.2));
    cr_expect(near(sim_scaling_factor(SIM_SCALING_STILLMAKER, 45, 16), energy_16 / energy_45));
    cr_expect(near(sim_scaling_factor(SIM_SCALING_STILLMAKER, 45, 7), energy_7 / energy_45));
    cr_expect(near(sim_scaling_factor(SIM_SCALING_STILLMAKER, 32, 20), energy_20 / energy_32));
    cr_expect(near(sim_scaling_factor(SIM_SCALING_STILLMAKER, 45, 28),
                   pow(energy_32, share) * pow(energy_20, 1 - share) / energy_45));
    cr_expect_eq(sim_scaling_factor(SIM_SCALING_STILLMAKER, 28, 28), 1);
    /* smaller is never dearer, down to below the last tabulated node */
    for (int law = SIM_SCALING_LINEAR; law <= SIM_SCALING_STILLMAKER; law++)
        for (double node = 3.5; node <= 130; node += 0.5)
            cr_expect_leq(sim_scaling_factor((sim_scaling)law, 45, node - 0.5),
                          sim_scaling_factor((sim_scaling)law, 45, node), "law %d at %g nm", law, node);
}

Test(tech, nodes_scale_from_the_published_numbers)
{
    static const char *const nodes[] = {"45nm", "28nm", "16nm", "12nm", "7nm"};
    sim_arena arena;
    sim_arch base = {0}, arch;

    sim_arena_init(&arena, NULL);
    for (int i = 0; i < 5; i++)
        for (int law = 0; law < 2; law++) {
            sim_arch_setting settings[] = {{"tech", nodes[i]},
                                           {"tech.scaling", law ? "stillmaker" : "linear"}};
            double node = atof(nodes[i]), logic = sim_scaling_factor((sim_scaling)law, 45, node);

            good(&arena, "edge.cfg", settings, 2, &arch);
            if (i == 0) {
                base = arch;
                /* means of the five 16-PE arrays of the published synthesis table, pJ at 2, 4, 8, 16 bits */
                static const double published[4][2] = {
                    {2, 0.0454}, {4, 0.09129}, {8, 0.22254}, {16, 0.64157}};

                for (int j = 0; j < 4; j++) {
                    double b = published[j][0],
                           fit = arch.tech.mac_c0_pj + arch.tech.mac_c1_pj * b + arch.tech.mac_c2_pj * b * b;

                    cr_expect_lt(fabs(fit / published[j][1] - 1), 1e-3, "%g bits", b);
                }
                cr_expect_eq(arch.tech.fusion8_pj, 0.459);
                cr_expect_eq(arch.tech.logic_provenance, SIM_PUBLISHED);
                cr_expect_eq(arch.tech.sram_provenance, SIM_PUBLISHED);
                cr_expect_eq(arch.tech.vector_provenance, SIM_ASSUMED);
            } else {
                cr_expect_eq(arch.tech.logic_provenance, SIM_ASSUMED);
                cr_expect_eq(arch.tech.sram_provenance, SIM_ASSUMED);
            }
            cr_expect(near(arch.tech.fusion8_pj, base.tech.fusion8_pj * logic));
            cr_expect(near(arch.tech.mac_c2_pj, base.tech.mac_c2_pj * logic));
            cr_expect(near(arch.tech.register_pj_per_bit, base.tech.register_pj_per_bit * logic));
            cr_expect(near(arch.tech.mac_leak_uw, base.tech.mac_leak_uw * node / 45));
            cr_expect(near(arch.tech.mac_area_um2, base.tech.mac_area_um2 * node * node / 2025));
            for (int64_t j = 0; j < arch.tech.sram_count; j++) {
                const sim_sram_point *p = &arch.tech.sram[j], *q = &base.tech.sram[j];

                cr_expect(p->size_bytes == q->size_bytes && p->read_pj_per_bit <= q->read_pj_per_bit &&
                          p->write_pj_per_bit <= q->write_pj_per_bit && p->area_mm2 <= q->area_mm2);
                if (j)
                    cr_expect(p->read_pj_per_bit > p[-1].read_pj_per_bit && p->leak_mw > p[-1].leak_mw &&
                              p->write_pj_per_bit > p[-1].write_pj_per_bit && p->area_mm2 > p[-1].area_mm2);
            }
        }
    sim_arena_free(&arena);
}

/* 28 nm is no node of CACTI: each number lies between those of 32 and of 22 nm (1 MiB, 256 bits,
 * CACTI 7.0.3). */
Test(tech, sram_of_28_nm_is_interpolated)
{
    static const double at_32[] = {0.213192, 0.180546, 97.955389, 1.859348},
                        at_22[] = {0.148507, 0.126875, 186.029173, 0.878297};
    double share = log(32.0 / 28) / log(32.0 / 22);
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", NULL, 0, &arch);
    for (int64_t i = 0; i < arch.tech.sram_count; i++) {
        const sim_sram_point *p = &arch.tech.sram[i];
        double got[] = {p->read_pj_per_bit, p->write_pj_per_bit, p->leak_mw, p->area_mm2};

        for (int j = 0; p->size_bytes == 1 << 20 && j < 4; j++)
            cr_expect_lt(fabs(got[j] / (pow(at_32[j], 1 - share) * pow(at_22[j], share)) - 1), 1e-5);
    }
    sim_arena_free(&arena);
}

Test(tech, every_dram_kind_can_be_used)
{
    static const char *const kinds[] = {"lpddr4", "lpddr5", "ddr3", "ddr4", "gddr5",
                                        "gddr6",  "gddr6x", "hbm2", "hbm2e"};
    static const double published[] = {8, 0, 70, 0, 14, 7.5, 7.25, 3.9, 6}; /* pJ/bit; 0: assumed */
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, NULL);
    for (int i = 0; i < 9; i++) {
        sim_arch_setting setting = {"dram.type", kinds[i]};

        good(&arena, "edge.cfg", &setting, 1, &arch);
        cr_expect_str_eq(arch.dram.name, kinds[i]);
        cr_expect_eq(arch.dram.provenance, published[i] > 0 ? SIM_PUBLISHED : SIM_ASSUMED);
        if (published[i] > 0)
            cr_expect_eq(arch.dram.pj_per_bit, published[i]);
        cr_expect(arch.dram.background_frac > 0 && arch.dram.background_frac < 1);
        cr_expect(arch.dram.curve_efficiency_frac > 0.9 && arch.dram.curve_efficiency_frac < 1);
    }
    sim_arena_free(&arena);
}

/* LPDDR4-2400 x64, one in-order stream in DRAMsim3: efficiency of pure streams, and at 10, 25 and 50% writes
 * in runs of 16 KiB. */
Test(tech, turnaround_fits_the_simulated_dram)
{
    static const double rows[][2] = {{0, 0.9602}, {1, 0.9617}, {0.1, 0.9481}, {0.25, 0.9586}, {0.5, 0.9345}};
    sim_arena arena;
    sim_arch arch;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", NULL, 0, &arch);
    for (int i = 0; i < 5; i++) {
        double rarer = fmin(rows[i][0], 1 - rows[i][0]),
               model = 1 / (1 / arch.dram.curve_efficiency_frac + arch.dram.turnaround_frac * rarer);

        cr_expect_lt(fabs(model / rows[i][1] - 1), 0.025, "%g%% writes: %g", 100 * rows[i][0], model);
    }
    sim_arena_free(&arena);
}

/* ---- keys ------------------------------------------------------------------------------------------- */

Test(params, every_row_is_documented_and_consistent)
{
    for (int i = 0; i < sim_arch_param_count; i++) {
        const sim_param *row = &sim_arch_params[i];

        cr_expect(row->help && strlen(row->help) > 5 && row->help[strlen(row->help) - 1] == '.', "%s",
                  row->key);
        cr_expect(row->unit, "%s", row->key);
        if (row->type == SIM_PARAM_INT || row->type == SIM_PARAM_REAL)
            cr_expect_lt(row->min, row->max, "%s", row->key);
        if (row->type == SIM_PARAM_ENUM || row->type == SIM_PARAM_FLAGS)
            cr_expect(row->names && row->names[0], "%s", row->key);
        for (int j = 0; j < i; j++)
            cr_expect_str_neq(row->key, sim_arch_params[j].key);
    }
}

Test(params, required_keys_are_reported_together)
{
    static const char *const required[] = {"name",       "backend",    "clock_mhz",
                                           "array.rows", "array.cols", "dram.bandwidth_gb_s"};
    char path[] = "/tmp/simacc_arch_XXXXXX";
    int file = mkstemp(path), found = 0;
    sim_arena arena;
    sim_arch arch;
    sim_err err = {0};

    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, "vector = { lanes = 4; };\n", 25), 25);
    close(file);
    sim_arena_init(&arena, NULL);
    cr_expect_eq(sim_arch_load(path, NULL, 0, &arena, &arch, &err), SIM_BAD_INPUT);
    for (int i = 0; i < err.count; i++)
        for (int j = 0; j < 6; j++) {
            char text[64];

            snprintf(text, sizeof text, "missing key '%s'", required[j]);
            found += !strcmp(err.items[i].text, text);
        }
    cr_expect_eq(found, 6);
    cr_expect_eq(err.count, 7, "and the buffers");
    unlink(path);
    sim_arena_free(&arena);
}

/* Makes a locale with a decimal comma current, building it when none is installed. */
static const char *set_comma_locale(void)
{
    static const char *const installed[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", NULL};
    char folder[] = "/tmp/simacc_locale_XXXXXX", command[256];

    for (int i = 0; installed[i]; i++)
        if (setlocale(LC_ALL, installed[i]))
            return installed[i];
    if (!mkdtemp(folder))
        return NULL;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/comma >/dev/null 2>&1", folder);
    if (system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "comma"))
        snprintf(command, sizeof command, "rm -rf %s", folder);
    else
        *command = '\0';
    if (*command && system(command) == 0)
        return "comma";
    return NULL;
}

/* A decimal comma must not change what a file or a setting says. */
Test(arch, locale_does_not_matter)
{
    static const sim_arch_setting setting = {"clock_mhz", "812.5"};
    char digits[8];
    sim_arena arena;
    sim_arch plain, comma;

    sim_arena_init(&arena, NULL);
    good(&arena, "edge.cfg", &setting, 1, &plain);
    if (!set_comma_locale()) {
        sim_arena_free(&arena);
        cr_skip_test("no locale with a decimal comma can be had");
    }
    snprintf(digits, sizeof digits, "%.1f", 0.5);
    cr_assert_str_eq(digits, "0,5");
    good(&arena, "edge.cfg", &setting, 1, &comma);
    cr_expect_eq(comma.clock_mhz, 812.5);
    cr_expect_eq(comma.dram_bandwidth_gb_s, 25.6);
    cr_expect_eq(comma.id, plain.id);
    snprintf(digits, sizeof digits, "%.1f", 0.5);
    cr_expect_str_eq(digits, "0,5", "the caller's locale is left alone");
    sim_arena_free(&arena);
}

/* ---- memory ----------------------------------------------------------------------------------------- */

typedef struct counting {
    int calls, fail_at, live;
} counting;

static void *count_alloc(void *user, size_t bytes)
{
    counting *c = user;

    if (++c->calls == c->fail_at)
        return NULL;
    c->live++;
    return malloc(bytes);
}

static void count_free(void *user, void *block)
{
    counting *c = user;

    c->live -= block != NULL;
    free(block);
}

/* Every allocation of ours fails once; each failure is reported as such and nothing is kept. */
Test(arch, running_out_of_memory_is_survived, .timeout = 120)
{
    static const sim_arch_setting settings[] = {{"tech.scaling", "linear"},
                                                {"buffers.double_buffered", "weight"}};
    counting counter = {0};
    sim_allocator allocator = {count_alloc, count_free, &counter};
    const char *path = SIMACC_SOURCE_DIR "/arch/edge.cfg";
    int total;

    for (int fail_at = 0;; fail_at++) {
        sim_arena arena;
        sim_arch arch;
        sim_err err = {0};
        sim_status status;

        counter = (counting){.fail_at = fail_at};
        sim_arena_init(&arena, &allocator);
        arena.block_bytes = 1;
        status = sim_arch_load(path, settings, 2, &arena, &arch, &err);
        sim_arena_free(&arena);
        cr_assert_eq(counter.live, 0, "allocation %d", fail_at);
        if (fail_at == 0) {
            cr_assert_eq(status, SIM_OK);
            total = counter.calls;
            cr_assert_gt(total, 100);
        } else if (fail_at > total) {
            cr_expect_eq(status, SIM_OK);
            break;
        } else {
            cr_expect_eq(status, SIM_NO_MEMORY, "allocation %d of %d: status %d (%s)", fail_at, total, status,
                         err.count ? err.items[0].text : "");
        }
    }
}
