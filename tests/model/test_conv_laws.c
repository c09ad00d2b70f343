/* Laws of convolutions on every array back end and by every method: grouped, depthwise, with stride, padding
 * and several images. */
#include "model/mapper.h"
#include "model/run.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/conv_tiles.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { CASES = 3000 / SIMACC_TEST_REDUCE };

static const sim_conv_method methods[] = {SIM_CONV_IMPLICIT_GEMM, SIM_CONV_IM2COL, SIM_CONV_DIRECT};

typedef struct trial {
    sim_arch arch;
    sim_conv2d conv;
    int w_bits, a_bits;
} trial;

static trial random_trial(const char *backend, ref_random *random)
{
    static const arch_case_options options = {.side_most = 64,
                                              .buffer_kib_least = 2,
                                              .buffer_kib_most = 256,
                                              .curve = true,
                                              .ports = true,
                                              .read_first = true,
                                              .counts = true};
    trial t;
    arch_case_random(&t.arch, backend, &options, random);
    t.arch.array_conv = (int)methods[ref_random_int(random, 0, 2)];
    sim_conv2d *c = &t.conv;
    *c = conv_tiles_random(true, random);
    c->images = ref_random_scale(random, 1, 16);
    c->h_in += ref_random_scale(random, 1, 24);
    c->w_in += ref_random_scale(random, 1, 24);
    c->c_in = c->groups * ref_random_scale(random, 1, 256);
    c->c_out = c->groups * ref_random_scale(random, 1, 256);
    if (ref_random_one_in(random, 4))
        c->groups = c->c_out = c->c_in = ref_random_scale(random, 1, 64); /* depthwise */
    const int most = arch_case_bits_most(&t.arch);
    t.w_bits = (int)ref_random_int(random, 1, most);
    t.a_bits = (int)ref_random_int(random, 1, most);
    return t;
}

/* As a workload has it: the numbers of the expanded product. */
static sim_layer layer_of(const trial *t)
{
    const sim_conv2d *c = &t->conv;
    return (sim_layer){.name = "layer",
                       .op = SIM_OP_CONV2D,
                       .repeat = 1,
                       .m = c->images * conv_tiles_out(c->h_in, c->kernel_h, c) *
                            conv_tiles_out(c->w_in, c->kernel_w, c),
                       .n = c->c_out / c->groups,
                       .k = c->kernel_h * c->kernel_w * c->c_in / c->groups,
                       .batch = c->groups,
                       .conv = *c};
}

static sim_layer_result run_once(const trial *t, sim_objective objective, int index)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    const sim_layer layer = layer_of(t);
    const sim_workload workload = {.name = "test", .file = "test.json", .layers = &layer, .layer_count = 1};
    const sim_number w = {SIM_FORMAT_INT, t->w_bits}, a = {SIM_FORMAT_INT, t->a_bits};
    const sim_policy policy = {.name = "test", .base = {.w = w, .a = a}, .overrides_own = true};
    sim_result result = {0};
    sim_err err = {0};
    cr_assert(sim_run_model(&t->arch, &workload, &policy, objective, &arena, &result, &err) == SIM_OK,
              "case %d: %s", index, err.items[0].text);
    cr_assert(result.layer_count == 1);
    const sim_layer_result r = result.layers[0];
    sim_arena_free(&arena);
    return r;
}

static double bytes(int64_t rows, int64_t elements, int64_t bits)
{
    return (double)rows * ceil((double)(elements * bits) / 8);
}

/* What any method must move of the input of one group: the pixels that are touched, with the group's share of
 * their channels; or the expanded input. In bits. */
static double least_input_bits(const trial *t, const sim_layer *layer)
{
    const sim_conv2d *c = &t->conv;
    if (t->arch.array_conv == SIM_CONV_IM2COL)
        return 8 * bytes(layer->m, layer->k, t->a_bits);
    conv_tiles whole = conv_tiles_cut(c, layer->m);
    const double bits = ceil(8 * bytes(whole.pixels, c->c_in, t->a_bits) / (double)c->groups);
    conv_tiles_free(&whole);
    return bits;
}

static void check_run(int index, const trial *t, sim_objective objective)
{
    const sim_layer layer = layer_of(t);
    const sim_layer_result r = run_once(t, objective, index), again = run_once(t, objective, index);
    const double macs = (double)layer.m * (double)layer.n * (double)layer.k * (double)layer.batch;
    const double peak = t->arch.backend->peak_macs_per_cycle(&t->arch, t->w_bits, t->a_bits);
    const double bits_per_cycle = t->arch.dram_bandwidth_gb_s * 8e9 / (t->arch.clock_mhz * 1e6);
    const double moved = (double)(r.dram_read_bytes + r.dram_write_bytes) * 8; /* each up to whole bytes */
    cr_assert((double)r.macs == macs, "case %d: %lld macs", index, (long long)r.macs);
    cr_assert((double)r.compute_cycles >= macs / peak * (1 - ref_slip), "case %d: faster than its peak",
              index);
    cr_assert((double)r.memory_cycles >= (moved - 16) / bits_per_cycle - 1, "case %d", index);
    cr_assert(r.cycles >= r.memory_cycles - 1 && r.cycles >= r.compute_cycles - 1, "case %d", index);
    cr_assert(r.utilization_frac > 0 && r.utilization_frac <= 1 + ref_slip, "case %d: utilization %g", index,
              r.utilization_frac);

    const double groups = (double)layer.batch;
    const double weights = 8 * bytes(layer.n, layer.k, t->w_bits), inputs = least_input_bits(t, &layer);
    const double outputs = 8 * bytes(layer.m, layer.n, t->arch.output_bits);
    cr_assert(8 * (double)r.dram_read_bytes >= groups * (weights + inputs), "case %d: reads below compulsory",
              index);
    cr_assert(8 * (double)r.dram_write_bytes >= groups * outputs, "case %d: writes below compulsory", index);
    cr_assert(r.compulsory_dram_bits == groups * (weights + inputs + outputs),
              "case %d: compulsory %g, not %g", index, r.compulsory_dram_bits,
              groups * (weights + inputs + outputs));
    cr_assert(moved >= r.dram_bits_bound * (1 - ref_slip), "case %d: below its own bound", index);
    cr_assert(r.has_mapping && r.mapping.tile_k <= r.k && r.mapping.tile_n <= r.n && r.mapping.tile_m <= r.m,
              "case %d", index);
    /* Tiles of k are whole channels, told in the layer's k. */
    cr_assert(t->arch.array_conv == SIM_CONV_IM2COL ||
                  r.mapping.tile_k % (t->conv.kernel_h * t->conv.kernel_w) == 0,
              "case %d", index);
    cr_assert(r.cycles == again.cycles && r.dram_read_bytes == again.dram_read_bytes &&
                  sim_energy_total_j(&r.energy) == sim_energy_total_j(&again.energy) &&
                  memcmp(r.mapping.order, again.mapping.order, sizeof r.mapping.order) == 0,
              "case %d: not the same twice", index);
}

/* ---- the value that an objective minimises ---- */

static double best_value(const trial *t, sim_objective objective)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    sim_map_cache *cache = sim_map_cache_new(&arena);
    sim_gemm gemm =
        conv_tiles_gemm(&t->arch, &t->conv, t->w_bits, t->a_bits, t->arch.array_conv == SIM_CONV_DIRECT);
    if (t->arch.array_conv == SIM_CONV_IM2COL) {
        const sim_layer layer = layer_of(t);
        gemm = gemm_case_dense(&t->arch, (const int64_t[3]){layer.m, layer.n, layer.k}, t->w_bits, t->a_bits);
        gemm.batch = layer.batch;
    }
    sim_map_choice choice;
    sim_err err = {0};
    cr_assert(sim_map(&t->arch, &gemm, "layer", objective, cache, &choice, &err) == SIM_OK, "%s",
              err.items[0].text);
    sim_arena_free(&arena);
    switch (objective) {
    case SIM_OBJECTIVE_ENERGY:
        return choice.value.energy_pj;
    case SIM_OBJECTIVE_EDP:
        return choice.value.energy_pj * choice.value.span_cycles;
    case SIM_OBJECTIVE_DRAM:
        return choice.value.dram_bits;
    default:
        return choice.value.span_cycles;
    }
}

enum { EASIER = 4, HARDER = 3 };
static const char *const easier_by[EASIER] = {"fewer weight bits", "fewer activation bits", "larger buffers",
                                              "more bandwidth"};
static const char *const harder_by[HARDER] = {"more images", "more input channels", "more output channels"};

static void check_monotone(int index, const trial *t, sim_objective objective, ref_random *random)
{
    /* Prices that do not grow with a memory's size: larger buffers are compared at equal ones. */
    static const sim_sram_point flat[] = {{1024, 0.05, 0.05, 0, 0}, {1 << 20, 0.05, 0.05, 0, 0}};
    trial base = *t;
    base.arch.tech.sram = flat;
    base.arch.tech.sram_count = 2;
    trial easier[EASIER] = {base, base, base, base}, harder[HARDER] = {base, base, base};
    easier[0].w_bits = (int)ref_random_int(random, 1, base.w_bits);
    easier[1].a_bits = (int)ref_random_int(random, 1, base.a_bits);
    easier[2].arch.buffer_weight_kib *= 1.5;
    easier[2].arch.buffer_input_kib *= ref_random_one_in(random, 2) ? 2 : 1.25;
    easier[2].arch.buffer_output_kib *= 1.25;
    easier[2].arch.buffer_unified_kib *= 1.5;
    easier[3].arch.dram_bandwidth_gb_s *= ref_random_real(random, 1, 4);
    harder[0].conv.images += ref_random_int(random, 1, 8);
    harder[1].conv.c_in += base.conv.groups * ref_random_scale(random, 1, 64);
    harder[2].conv.c_out += base.conv.groups * ref_random_scale(random, 1, 64);

    const double value = best_value(&base, objective);
    for (int i = 0; i < EASIER; i++) {
        const double other = best_value(&easier[i], objective);
        cr_assert(other <= value * (1 + ref_slip), "case %d, objective %s: %s raise it from %.12g to %.12g",
                  index, sim_objective_names[objective], easier_by[i], value, other);
    }
    for (int i = 0; i < HARDER; i++) {
        const double other = best_value(&harder[i], objective);
        cr_assert(other >= value * (1 - ref_slip), "case %d, objective %s: %s lower it from %.12g to %.12g",
                  index, sim_objective_names[objective], harder_by[i], value, other);
    }
}

static const sim_objective monotone_objectives[] = {SIM_OBJECTIVE_LATENCY, SIM_OBJECTIVE_ENERGY,
                                                    SIM_OBJECTIVE_EDP, SIM_OBJECTIVE_DRAM};

Test(conv_laws, every_back_end)
{
    ref_random random = {111};
    for (const char *const *backend = arch_case_backends; *backend; backend++) {
        for (int i = 0; i < CASES; i++) {
            const trial t = random_trial(*backend, &random);
            check_run(i, &t, (sim_objective)(i % SIM_OBJECTIVE_COUNT));
        }
    }
}

/* Not bit-serial arrays, whose chunks and words are whole: see test_bitserial.c. */
Test(conv_laws, systolic_and_bitfusion_are_monotone)
{
    ref_random random = {112};
    for (int i = 0; i < 2 * CASES; i++) {
        const trial t = random_trial(i % 2 ? "systolic" : "bitfusion", &random);
        check_monotone(i, &t, monotone_objectives[i / 2 % 4], &random);
    }
}
