/* Laws that every array back end keeps, on random machines, products and widths.
 *
 * They are checked where they are stated: counts, bounds and sums on whole runs; monotonicity on the value
 * that an objective minimises, at the best mapping. */
#include "model/mapper.h"
#include "model/run.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { CASES = 10000 / SIMACC_TEST_REDUCE };

typedef struct trial {
    sim_arch arch;
    int64_t m, n, k, batch;
    int w_bits, a_bits;
} trial;

static trial random_trial(const char *backend, ref_random *random)
{
    static const arch_case_options options = {.side_most = 64,
                                              .buffer_kib_least = 1,
                                              .buffer_kib_most = 256,
                                              .curve = true,
                                              .ports = true,
                                              .read_first = true,
                                              .counts = true};
    trial t;
    arch_case_random(&t.arch, backend, &options, random);
    t.m = ref_random_scale(random, 1, 2048);
    t.n = ref_random_scale(random, 1, 4096);
    t.k = ref_random_scale(random, 1, 4096);
    t.batch = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 16) : 1;
    const int most = arch_case_bits_most(&t.arch);
    t.w_bits = (int)ref_random_int(random, 1, most);
    t.a_bits = (int)ref_random_int(random, 1, most);
    return t;
}

/* ---- whole runs ---- */

static sim_layer matmul(const char *name, const trial *t, int64_t repeat)
{
    return (sim_layer){.name = name,
                       .op = SIM_OP_MATMUL,
                       .repeat = repeat,
                       .m = t->m,
                       .n = t->n,
                       .k = t->k,
                       .batch = t->batch};
}

static sim_workload workload_of(const sim_layer *layers, int64_t count)
{
    return (sim_workload){.name = "test", .file = "test.json", .layers = layers, .layer_count = count};
}

static sim_policy policy_of(const trial *t)
{
    const sim_number w = {SIM_FORMAT_INT, t->w_bits}, a = {SIM_FORMAT_INT, t->a_bits};
    return (sim_policy){.name = "test", .base = {.w = w, .a = a}, .overrides_own = true};
}

static bool same_layer(const sim_layer_result *a, const sim_layer_result *b)
{
    return a->macs == b->macs && a->cycles == b->cycles && a->compute_cycles == b->compute_cycles &&
           a->memory_cycles == b->memory_cycles && a->dram_read_bytes == b->dram_read_bytes &&
           a->dram_write_bytes == b->dram_write_bytes && a->sram_read_bits == b->sram_read_bits &&
           a->sram_write_bits == b->sram_write_bits && a->bound == b->bound &&
           sim_energy_total_j(&a->energy) == sim_energy_total_j(&b->energy) &&
           memcmp(a->mapping.order, b->mapping.order, sizeof a->mapping.order) == 0 &&
           a->mapping.tile_m == b->mapping.tile_m && a->mapping.tile_n == b->mapping.tile_n &&
           a->mapping.tile_k == b->mapping.tile_k && a->mapping.dataflow == b->mapping.dataflow;
}

static double bytes(int64_t rows, int64_t elements, int64_t bits)
{
    return (double)rows * ceil((double)(elements * bits) / 8);
}

static void check_run(int index, const trial *t, sim_objective objective)
{
    sim_arena arena, again_arena;
    sim_arena_init(&arena, NULL);
    sim_arena_init(&again_arena, NULL);
    const sim_layer layer = matmul("layer", t, 1);
    const sim_workload workload = workload_of(&layer, 1);
    const sim_policy policy = policy_of(t);
    sim_result result = {0}, again = {0};
    sim_err err = {0};
    cr_assert(sim_run_model(&t->arch, &workload, &policy, objective, &arena, &result, &err) == SIM_OK,
              "case %d: %s", index, err.items[0].text);
    cr_assert(result.layer_count == 1);
    const sim_layer_result *r = &result.layers[0];

    const double macs = (double)t->m * (double)t->n * (double)t->k * (double)t->batch;
    const double peak = t->arch.backend->peak_macs_per_cycle(&t->arch, t->w_bits, t->a_bits);
    const double bits_per_cycle = t->arch.dram_bandwidth_gb_s * 8e9 / (t->arch.clock_mhz * 1e6);
    const double moved =
        (double)(r->dram_read_bytes + r->dram_write_bytes) * 8; /* each rounded up to bytes */
    cr_assert((double)r->macs == macs, "case %d: %lld macs", index, (long long)r->macs);
    cr_assert((double)r->cycles >= macs / peak, "case %d: faster than its peak", index);
    cr_assert((double)r->compute_cycles >= macs / peak, "case %d: computes faster than its peak", index);
    cr_assert((double)r->cycles >= (moved - 16) / bits_per_cycle - 1, "case %d: faster than its channel",
              index);
    cr_assert((double)r->memory_cycles >= (moved - 16) / bits_per_cycle - 1, "case %d", index);
    cr_assert(r->cycles >= r->memory_cycles - 1 && r->cycles >= r->compute_cycles - 1,
              "case %d: %lld cycles, %lld compute, %lld memory", index, (long long)r->cycles,
              (long long)r->compute_cycles, (long long)r->memory_cycles);
    cr_assert(r->utilization_frac > 0 && r->utilization_frac <= 1 + ref_slip, "case %d: utilization %g",
              index, r->utilization_frac);
    cr_assert(fabs(r->latency_s * t->arch.clock_mhz * 1e6 - (double)r->cycles) <= 1e-6 * (double)r->cycles);

    const double weights = bytes(t->n, t->k, t->w_bits), inputs = bytes(t->m, t->k, t->a_bits);
    const double outputs = bytes(t->m, t->n, t->arch.output_bits);
    cr_assert((double)r->dram_read_bytes >= (double)t->batch * (weights + inputs),
              "case %d: reads below compulsory", index);
    cr_assert((double)r->dram_write_bytes >= (double)t->batch * outputs, "case %d: writes below compulsory",
              index);
    cr_assert(moved >= r->dram_bits_bound * (1 - ref_slip), "case %d: below its own bound", index);
    cr_assert(r->compulsory_dram_bits == 8 * (double)t->batch * (weights + inputs + outputs),
              "case %d: compulsory %g, not %g", index, r->compulsory_dram_bits,
              8 * (double)t->batch * (weights + inputs + outputs));

    cr_assert(sim_run_model(&t->arch, &workload, &policy, objective, &again_arena, &again, &err) == SIM_OK);
    cr_assert(same_layer(r, &again.layers[0]), "case %d: not the same twice", index);
    sim_arena_free(&arena);
    sim_arena_free(&again_arena);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= ref_slip * (fabs(a) + fabs(b));
}

/* Totals are sums over layers, times how often each occurs. */
static void check_totals(int index, const trial *t, sim_objective objective, ref_random *random)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    trial other = *t;
    other.m = ref_random_scale(random, 1, 256);
    other.n = ref_random_scale(random, 1, 256);
    const sim_layer layers[3] = {matmul("one", t, ref_random_int(random, 1, 40)), matmul("two", &other, 1),
                                 matmul("three", t, ref_random_int(random, 1, 3))};
    const sim_workload workload = workload_of(layers, 3);
    const sim_policy policy = policy_of(t);
    sim_result result = {0};
    sim_err err = {0};
    cr_assert(sim_run_model(&t->arch, &workload, &policy, objective, &arena, &result, &err) == SIM_OK);
    double macs = 0, compute = 0, cycles = 0, latency = 0, energy = 0, read = 0, written = 0, instances = 0;
    for (int64_t i = 0; i < result.layer_count; i++) {
        const sim_layer_result *r = &result.layers[i];
        const double repeat = (double)r->repeat;
        macs += repeat * (double)r->macs;
        compute += repeat * (double)r->compute_cycles;
        cycles += repeat * (double)r->cycles;
        latency += repeat * r->latency_s;
        energy += repeat * sim_energy_total_j(&r->energy);
        read += repeat * (double)r->dram_read_bytes;
        written += repeat * (double)r->dram_write_bytes;
        instances += repeat;
    }
    const sim_totals *totals = &result.totals;
    cr_assert(instances == (double)(layers[0].repeat + layers[1].repeat + layers[2].repeat));
    cr_assert((double)totals->macs == macs && (double)totals->compute_cycles == compute &&
                  (double)totals->cycles == cycles,
              "case %d", index);
    cr_assert((double)totals->dram_read_bytes == read && (double)totals->dram_write_bytes == written,
              "case %d", index);
    cr_assert(near(totals->latency_s, latency) && near(sim_energy_total_j(&totals->energy), energy),
              "case %d", index);
    sim_arena_free(&arena);
}

/* ---- the value that an objective minimises ---- */

static double best_value(const trial *t, sim_objective objective)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    sim_map_cache *cache = sim_map_cache_new(&arena);
    const int64_t extent[SIM_DIMS] = {t->m, t->n, t->k};
    sim_gemm gemm = gemm_case_dense(&t->arch, extent, t->w_bits, t->a_bits);
    gemm.batch = t->batch;
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

/* The same as a run reports it, of DRAM bytes or of the larger of compute and memory cycles. The latter holds
 * the array's filling and the open end of its last fold, which are no part of what is minimised. */
static double reported_value(const trial *t, sim_objective objective, double *beside)
{
    sim_arena arena;
    sim_arena_init(&arena, NULL);
    const sim_layer layer = matmul("layer", t, 1);
    const sim_workload workload = workload_of(&layer, 1);
    const sim_policy policy = policy_of(t);
    sim_result result = {0};
    sim_err err = {0};
    cr_assert(sim_run_model(&t->arch, &workload, &policy, objective, &arena, &result, &err) == SIM_OK);
    const sim_layer_result r = result.layers[0];
    sim_arena_free(&arena);
    const double rows = (double)t->arch.array_rows, cols = (double)t->arch.array_cols;
    const double load =
        t->arch.array_port_bits ? ceil(rows * cols * t->w_bits / (double)t->arch.array_port_bits) : rows;
    *beside = objective == SIM_OBJECTIVE_DRAM ? 0 : 2 * rows + cols + 2 * fmax(load, rows);
    return objective == SIM_OBJECTIVE_DRAM ? (double)(r.dram_read_bytes + r.dram_write_bytes)
                                           : fmax((double)r.compute_cycles, (double)r.memory_cycles);
}

static void enlarge_buffers(sim_arch *arch, ref_random *random)
{
    double *kib[] = {&arch->buffer_weight_kib, &arch->buffer_input_kib, &arch->buffer_output_kib,
                     &arch->buffer_unified_kib};
    for (int i = 0; i < 4; i++)
        *kib[i] *= ref_random_one_in(random, 2) ? 2 : 1.25;
}

/* Price per access and leakage of a memory grow with its size, and may outweigh what it saves: larger buffers
 * are compared at equal prices. */
static void flatten_memories(sim_arch *arch)
{
    static const sim_sram_point flat[] = {{1024, 0.05, 0.05, 0, 0}, {1 << 20, 0.05, 0.05, 0, 0}};
    arch->tech.sram = flat;
    arch->tech.sram_count = 2;
}

enum { EASIER = 4, HARDER = 3 };
static const char *const easier_by[EASIER] = {"fewer weight bits", "fewer activation bits", "larger buffers",
                                              "more bandwidth"};

static void check_monotone(int index, const trial *t, sim_objective objective, ref_random *random)
{
    trial base = *t;
    flatten_memories(&base.arch);
    trial easier[EASIER] = {base, base, base, base}, harder[HARDER] = {base, base, base};
    easier[0].w_bits = (int)ref_random_int(random, 1, base.w_bits);
    easier[1].a_bits = (int)ref_random_int(random, 1, base.a_bits);
    enlarge_buffers(&easier[2].arch, random);
    easier[3].arch.dram_bandwidth_gb_s *= ref_random_real(random, 1, 4);
    harder[0].m += ref_random_scale(random, 1, base.m);
    harder[1].n += ref_random_scale(random, 1, base.n);
    harder[2].k += ref_random_scale(random, 1, base.k);

    const double value = best_value(&base, objective);
    for (int i = 0; i < EASIER; i++) {
        const double other = best_value(&easier[i], objective);
        cr_assert(other <= value * (1 + ref_slip), "case %d, objective %s: %s raise it from %.12g to %.12g",
                  index, sim_objective_names[objective], easier_by[i], value, other);
    }
    for (int i = 0; i < HARDER; i++) {
        const double other = best_value(&harder[i], objective);
        cr_assert(other >= value * (1 - ref_slip),
                  "case %d, objective %s: a larger %c lowers it from %.12g to %.12g", index,
                  sim_objective_names[objective], "mnk"[i], value, other);
    }

    if (objective != SIM_OBJECTIVE_LATENCY && objective != SIM_OBJECTIVE_DRAM)
        return; /* the energy of a run is over its whole latency */
    double beside, beside_other;
    const double reported = reported_value(&base, objective, &beside);
    for (int i = 0; i < EASIER; i++) {
        const double other = reported_value(&easier[i], objective, &beside_other);
        cr_assert(other <= reported + beside_other,
                  "case %d, objective %s: %s raise what is reported from %.12g to %.12g", index,
                  sim_objective_names[objective], easier_by[i], reported, other);
    }
    for (int i = 0; i < HARDER; i++) {
        const double other = reported_value(&harder[i], objective, &beside_other);
        cr_assert(other >= reported - beside,
                  "case %d, objective %s: a larger %c lowers what is reported from %.12g to %.12g", index,
                  sim_objective_names[objective], "mnk"[i], reported, other);
    }
}

static const sim_objective monotone_objectives[] = {SIM_OBJECTIVE_LATENCY, SIM_OBJECTIVE_ENERGY,
                                                    SIM_OBJECTIVE_EDP, SIM_OBJECTIVE_DRAM};

static void check_backend(const char *backend, uint64_t seed)
{
    ref_random random = {seed};
    for (int i = 0; i < CASES; i++) {
        const trial t = random_trial(backend, &random);
        check_run(i, &t, (sim_objective)(i % SIM_OBJECTIVE_COUNT));
        if (i % 10 == 0)
            check_totals(i, &t, (sim_objective)(i / 10 % SIM_OBJECTIVE_COUNT), &random);
    }
}

static void check_backend_is_monotone(const char *backend, uint64_t seed)
{
    ref_random random = {seed};
    for (int i = 0; i < CASES; i++) {
        const trial t = random_trial(backend, &random);
        check_monotone(i, &t, monotone_objectives[i % 4], &random);
    }
}

Test(conformance, systolic)
{
    check_backend("systolic", 61);
}

Test(conformance, bitfusion)
{
    check_backend("bitfusion", 62);
}

/* No monotonicity: chunks and words are whole, see test_bitserial.c. */
Test(conformance, bitserial)
{
    check_backend("bitserial", 66);
}

Test(conformance, systolic_is_monotone)
{
    check_backend_is_monotone("systolic", 63);
}

Test(conformance, bitfusion_is_monotone)
{
    check_backend_is_monotone("bitfusion", 64);
}

/* Every count that does not fit is an error, not a wrong number. */
Test(conformance, overflow_is_reported)
{
    ref_random random = {65};
    for (int i = 0; i < 400; i++) {
        trial t = random_trial(arch_case_backends[i % 3], &random);
        const int64_t large = INT64_C(1) << ref_random_int(&random, 22, 25);
        t.m = t.n = t.k = large; /* 2^66 macs and more */
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        const sim_layer layer = matmul("layer", &t, 1);
        const sim_workload workload = workload_of(&layer, 1);
        const sim_policy policy = policy_of(&t);
        sim_result result = {0};
        sim_err err = {0};
        cr_assert(sim_run_model(&t.arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &result, &err) ==
                      SIM_OVERFLOW,
                  "case %d: status %d", i, (int)sim_err_status(&err));
        cr_assert(sim_err_status(&err) == SIM_OVERFLOW);
        sim_arena_free(&arena);
    }
}
