/* The bitserial back end against an event simulation, HAQ's latency table, and published cycles per product.
 */
#include "model/backend.h"
#include "model/run.h"
#include "reference/arch_case.h"
#include "reference/serial_ref.h"
#include "reference/table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- machines and products ---- */

static sim_arch machine_of(const serial_array *array, int64_t count)
{
    sim_arch arch;
    arch_case_plain(&arch, "bitserial");
    arch.array_rows = array->rows;
    arch.array_cols = array->cols / count;
    arch.array_count = count;
    arch.array_depth = array->depth;
    arch.array_w_bits = arch.array_a_bits = 16;
    arch.array_w_step_bits = array->w_step;
    arch.array_a_step_bits = array->a_step;
    arch.array_port_bits = array->w_port / count;
    arch.array_input_port_bits = array->a_port;
    arch.array_slot = array->slot;
    arch.buffer_weight_kib = (double)(array->w_words * array->depth) / 8192;
    arch.buffer_input_kib = (double)(array->a_words * array->depth) / 8192;
    memset(arch.double_buffered, 0, sizeof arch.double_buffered);
    return arch;
}

static sim_gemm gemm_of(const serial_product *p)
{
    sim_gemm gemm = {.extent = {p->images * p->positions, p->n, p->channels},
                     .batch = p->groups,
                     .w_bits = p->w_bits,
                     .a_bits = p->a_bits,
                     .out_bits = 8,
                     .acc_bits = 32};
    if (p->conv)
        gemm.window = (sim_window){.rows_out = 1,
                                   .cols_out = p->positions,
                                   .kernel_h = 1,
                                   .kernel_w = p->taps,
                                   .stride = 1,
                                   .direct = p->direct};
    return gemm;
}

/* What the back end says, and the counts of its one way. */
static sim_compute compute_of(const sim_arch *arch, const sim_gemm *gemm, sim_way *way)
{
    sim_way ways[SIM_WAYS_MAX];
    sim_tiling tiling = {.order = {SIM_M, SIM_N, SIM_K}};
    sim_compute out = {0};
    sim_err err = {0};
    memcpy(tiling.tile, gemm->extent, sizeof tiling.tile);
    cr_assert_eq(arch->backend->ways(arch, gemm, ways), 1);
    cr_assert_eq(arch->backend->compute(arch, gemm, &ways[0], &tiling, &out, &err), SIM_OK, "%s",
                 err.items[0].text);
    if (way)
        *way = ways[0];
    return out;
}

/* ---- the event simulation ---- */

static serial_array random_array(ref_random *random)
{
    static const int steps[] = {1, 1, 1, 2, 4, 16};
    serial_array array = {.rows = ref_random_scale(random, 1, 12),
                          .cols = ref_random_scale(random, 1, 12),
                          .depth = INT64_C(1) << ref_random_int(random, 0, 8),
                          .w_step = steps[ref_random_int(random, 0, 5)],
                          .a_step = steps[ref_random_int(random, 0, 5)],
                          .w_words = ref_random_scale(random, 1, 4096),
                          .a_words = ref_random_scale(random, 1, 4096),
                          .slot = ref_random_scale(random, 1, 64)};
    if (!ref_random_one_in(random, 4)) {
        /* from starving to idle, with and without a whole number of words per cycle */
        array.w_port = ref_random_scale(random, 1, 2 * array.depth);
        array.a_port =
            ref_random_one_in(random, 3) ? array.w_port : ref_random_scale(random, 1, 2 * array.depth);
        if (ref_random_one_in(random, 6))
            *(ref_random_one_in(random, 2) ? &array.w_port : &array.a_port) = 0;
    }
    return array;
}

static serial_product random_product(ref_random *random)
{
    serial_product p = {.conv = ref_random_one_in(random, 2),
                        .images = 1,
                        .positions = ref_random_scale(random, 1, 80),
                        .n = ref_random_scale(random, 1, 80),
                        .channels = ref_random_scale(random, 1, 600),
                        .taps = 1,
                        .groups = ref_random_one_in(random, 3) ? ref_random_int(random, 2, 9) : 1,
                        .w_bits = (int)ref_random_int(random, 1, 16),
                        .a_bits = (int)ref_random_int(random, 1, 16)};
    if (p.conv) {
        p.images = ref_random_int(random, 1, 3);
        p.taps = ref_random_int(random, 1, 9);
        p.direct = ref_random_one_in(random, 3);
        if (ref_random_one_in(random, 2)) {
            p.channels = ref_random_int(random, 1, 4);
            p.n = ref_random_int(random, 1, 4);
            p.groups = ref_random_int(random, 1, 40);
        }
    }
    return p;
}

Test(bitserial, closed_forms_are_the_event_simulation)
{
    enum { CASES = 40000 / SIMACC_TEST_REDUCE };
    ref_random random = {301};
    int waiting = 0, packed = 0;
    for (int i = 0; i < CASES; i++) {
        const serial_array array = random_array(&random);
        const serial_product p = random_product(&random);
        sim_arch arch = machine_of(&array, 1);
        const sim_gemm gemm = gemm_of(&p);
        const serial_cycles want = serial_run(&array, &p);
        sim_way way;
        const sim_compute got = compute_of(&arch, &gemm, &way);
        cr_assert_eq(got.cycles, want.all,
                     "case %d: %lld cycles, not %lld; %lldx%lldx%lld, ports %lld %lld, steps %d %d, %lld "
                     "positions, %lld columns, %lld channels, %lld taps, %lld groups, w%d a%d",
                     i, (long long)got.cycles, (long long)want.all, (long long)array.rows,
                     (long long)array.cols, (long long)array.depth, (long long)array.w_port,
                     (long long)array.a_port, array.w_step, array.a_step, (long long)p.positions,
                     (long long)p.n, (long long)p.channels, (long long)p.taps, (long long)p.groups, p.w_bits,
                     p.a_bits);
        const double lanes = (double)(array.rows * array.cols * array.depth);
        cr_assert_float_eq(way.fixed.of[SIM_EVENT_LANE_CYCLE] * (double)p.groups, lanes * (double)want.busy,
                           1e-9 * lanes * (double)want.busy, "case %d: lanes", i);
        const double volume =
            (double)gemm.extent[SIM_M] * (double)p.n * (double)p.channels * (double)p.groups;
        cr_assert_float_eq(way.cycles_per_fold * volume, (double)want.all, 1e-9 * (double)want.all);
        cr_assert(got.fill_cycles >= 0, "case %d", i);
        waiting += got.port_limited;
        packed += p.conv && p.groups > 1 && p.channels * (p.direct ? 1 : p.taps) * 2 <= array.depth;
    }
    cr_expect(waiting > CASES / 20 && waiting < CASES * 19 / 20, "%d wait for ports", waiting);
    cr_expect(packed > CASES / 50, "%d have packed groups", packed);
}

/* Arrays side by side are one with as many columns and as many ports. */
Test(bitserial, arrays_share_columns)
{
    ref_random random = {302};
    for (int i = 0; i < 500; i++) {
        serial_array array = random_array(&random);
        const int64_t count = ref_random_int(&random, 2, 5);
        array.cols *= count;
        array.w_port *= count;
        const serial_product p = random_product(&random);
        sim_arch arch = machine_of(&array, count);
        const sim_gemm gemm = gemm_of(&p);
        cr_assert_eq(compute_of(&arch, &gemm, NULL).cycles, serial_run(&array, &p).all, "case %d", i);
    }
}

/* ---- buffers ---- */

Test(bitserial, double_buffers_hold_half_and_unified_ones_are_shared)
{
    ref_random random = {303};
    for (int i = 0; i < 500; i++) {
        const serial_array array = random_array(&random);
        const serial_product p = random_product(&random);
        const sim_gemm gemm = gemm_of(&p);
        sim_arch split = machine_of(&array, 1), twice = split, unified = split;
        const int64_t cycles = compute_of(&split, &gemm, NULL).cycles;
        twice.double_buffered[SIM_OPERAND_WEIGHT] = twice.double_buffered[SIM_OPERAND_INPUT] = true;
        twice.buffer_weight_kib *= 2;
        twice.buffer_input_kib *= 2;
        cr_assert_eq(compute_of(&twice, &gemm, NULL).cycles, cycles, "case %d", i);
        split.buffer_input_kib = split.buffer_weight_kib;
        unified.buffer_unified_kib = 2 * split.buffer_weight_kib;
        unified.buffer_weight_kib = unified.buffer_input_kib = 0;
        cr_assert_eq(compute_of(&unified, &gemm, NULL).cycles, compute_of(&split, &gemm, NULL).cycles,
                     "case %d", i);
    }
}

/* ---- HAQ ---- */

static serial_array haq_cloud(void)
{
    return (serial_array){.rows = 16,
                          .cols = 16,
                          .depth = 256,
                          .w_step = 1,
                          .a_step = 1,
                          .w_port = 256,
                          .a_port = 256,
                          .w_words = 16384,
                          .a_words = 16384,
                          .slot = 1};
}

static serial_product haq_layer(const ref_table *table, int64_t row, int64_t batch, int w_bits, int a_bits)
{
    const int64_t h_in = ref_table_int(table, row, "h_in"), k = ref_table_int(table, row, "k");
    const int64_t h_out =
        (h_in + ref_table_int(table, row, "stride") - 1) / ref_table_int(table, row, "stride");
    const bool fc = strcmp(ref_table_text(table, row, "type"), "fc") == 0;
    const bool dw = strcmp(ref_table_text(table, row, "type"), "dw") == 0;
    return (serial_product){.conv = !fc,
                            .images = fc ? 1 : batch,
                            .positions = fc ? batch : h_out * h_out,
                            .n = dw ? 1 : ref_table_int(table, row, "cout"),
                            .channels = dw ? 1 : ref_table_int(table, row, "cin"),
                            .taps = k * k,
                            .groups = dw ? ref_table_int(table, row, "cin") : 1,
                            .w_bits = w_bits,
                            .a_bits = a_bits};
}

Test(bitserial, haq_mobilenetv2_table)
{
    const serial_array array = haq_cloud();
    sim_arch arch = machine_of(&array, 1);
    ref_table *table = ref_table_open("haq_mobilenetv2_cloud.csv");
    const int64_t rows = ref_table_rows(table);
    int64_t exact = 0;
    for (int64_t i = 0; i < rows; i++) {
        const serial_product p =
            haq_layer(table, i, ref_table_int(table, i, "batch"), (int)ref_table_int(table, i, "w_bits"),
                      (int)ref_table_int(table, i, "a_bits"));
        const sim_gemm gemm = gemm_of(&p);
        exact += compute_of(&arch, &gemm, NULL).cycles == ref_table_int(table, i, "cycles");
    }
    cr_expect(rows >= 400 && exact == rows, "%lld of %lld exact", (long long)exact, (long long)rows);
    ref_table_close(table);
}

/* All layers but the first and the last at 200 MHz, to the printed hundredth of a millisecond. */
Test(bitserial, haq_published_cloud_latencies)
{
    const serial_array array = haq_cloud();
    sim_arch arch = machine_of(&array, 1);
    ref_table *layers = ref_table_open("haq_networks.csv"), *published = ref_table_open("haq_published.csv");
    int compared = 0;
    for (int64_t row = 0; row < ref_table_rows(published); row++) {
        const char *network = ref_table_text(published, row, "network");
        const int bits = (int)ref_table_int(published, row, "bits");
        int64_t first = -1, last = -1, cycles = 0;
        for (int64_t i = 0; i < ref_table_rows(layers); i++)
            if (strcmp(ref_table_text(layers, i, "network"), network) == 0) {
                first = first < 0 ? i : first;
                last = i;
            }
        for (int64_t i = first + 1; i < last; i++) {
            const serial_product p = haq_layer(layers, i, 16, bits, bits);
            const sim_gemm gemm = gemm_of(&p);
            cycles += compute_of(&arch, &gemm, NULL).cycles;
        }
        const double ms = (double)cycles / 200e3, want = ref_table_real(published, row, "latency_ms");
        cr_expect(fabs(ms - want) <= 0.00501, "%s at %d bits: %.3f ms, not %.2f", network, bits, ms, want);
        compared++;
    }
    cr_expect_eq(compared, 8);
    ref_table_close(layers);
    ref_table_close(published);
}

/* ---- more bits, more cycles ---- */

Test(bitserial, haq_networks_are_monotone_in_bits)
{
    const serial_array array = haq_cloud();
    sim_arch arch = machine_of(&array, 1);
    ref_table *layers = ref_table_open("haq_networks.csv");
    for (int64_t i = 0; i < ref_table_rows(layers); i++) {
        int64_t cycles[9][9] = {{0}};
        for (int w = 1; w <= 8; w++)
            for (int a = 1; a <= 8; a++) {
                const serial_product p = haq_layer(layers, i, 16, w, a);
                const sim_gemm gemm = gemm_of(&p);
                cycles[w][a] = compute_of(&arch, &gemm, NULL).cycles;
                cr_assert(cycles[w][a] >= cycles[w - 1][a] && cycles[w][a] >= cycles[w][a - 1],
                          "row %lld, w%d a%d", (long long)i, w, a);
            }
    }
    ref_table_close(layers);
}

/* With ports, one more bit can cut the columns or positions into more chunks, whose ends happen to be less
 * ragged or to wait less: rare and small. Without, cycles are a product of rounded-up numbers. */
Test(bitserial, one_more_bit_hardly_ever_saves_cycles)
{
    enum { CASES = 100000 / SIMACC_TEST_REDUCE };
    ref_random random = {305};
    int falls = 0;
    for (int i = 0; i < CASES; i++) {
        const serial_array array = random_array(&random);
        const serial_product p = random_product(&random);
        sim_arch arch = machine_of(&array, 1);
        sim_gemm gemm = gemm_of(&p);
        const int64_t before = compute_of(&arch, &gemm, NULL).cycles;
        int *bits = ref_random_one_in(&random, 2) ? &gemm.w_bits : &gemm.a_bits;
        *bits += *bits < 16;
        const int64_t after = compute_of(&arch, &gemm, NULL).cycles;
        cr_assert((double)after >= 0.98 * (double)before, "case %d: %lld to %lld", i, (long long)before,
                  (long long)after);
        cr_assert(after >= before || array.w_port > 0 || array.a_port > 0, "case %d: without ports", i);
        falls += after < before;
    }
    cr_expect(falls * 10000 <= CASES, "%d of %d fall", falls, CASES);
}

/* ---- cycles per product of the published designs ---- */

/* Cycles of a block at all widths, told from a product that fills the array and has many depths. */
Test(bitserial, steps_make_the_published_designs)
{
    static const struct {
        const char *name;
        int w_step, a_step;
    } designs[] = {{"BISMO", 1, 1},   {"Stripes", 16, 1}, {"Loom 2b", 1, 2},
                   {"Loom 4b", 1, 4}, {"BitMoD", 2, 16},  {"UNPU", 1, 16}};
    for (size_t d = 0; d < sizeof designs / sizeof *designs; d++)
        for (int w = 1; w <= 16; w++)
            for (int a = 1; a <= 16; a++) {
                const serial_array array = {.rows = 4,
                                            .cols = 8,
                                            .depth = 16,
                                            .w_step = designs[d].w_step,
                                            .a_step = designs[d].a_step,
                                            .w_words = 1,
                                            .a_words = 1,
                                            .slot = 1};
                const serial_product p = {.images = 1,
                                          .positions = 40,
                                          .n = 80,
                                          .channels = 1600,
                                          .taps = 1,
                                          .groups = 1,
                                          .w_bits = w,
                                          .a_bits = a};
                const int64_t claims[] = {w * a, a, w * ((a + 1) / 2), w * ((a + 3) / 4), (w + 1) / 2, w};
                sim_arch arch = machine_of(&array, 1);
                const sim_gemm gemm = gemm_of(&p);
                const sim_compute got = compute_of(&arch, &gemm, NULL);
                cr_assert_eq(got.cycles - got.fill_cycles, 10 * 10 * 100 * claims[d], "%s w%d a%d",
                             designs[d].name, w, a);
                cr_assert_float_eq(arch.backend->peak_macs_per_cycle(&arch, w, a),
                                   4.0 * 8 * 16 / (double)claims[d], 1e-9);
                cr_assert_not(got.port_limited);
            }
}

/* ---- counts ---- */

Test(bitserial, accesses)
{
    serial_array array = {.rows = 4,
                          .cols = 8,
                          .depth = 16,
                          .w_step = 1,
                          .a_step = 1,
                          .w_port = 16,
                          .a_port = 16,
                          .w_words = 1 << 20,
                          .a_words = 1 << 20,
                          .slot = 1};
    serial_product p = {.images = 1,
                        .positions = 10, /* 3 blocks of rows */
                        .n = 20,         /* 3 blocks of columns */
                        .channels = 40,  /* 3 depths */
                        .taps = 1,
                        .groups = 2,
                        .w_bits = 3,
                        .a_bits = 5};
    sim_arch arch = machine_of(&array, 1);
    sim_gemm gemm = gemm_of(&p);
    sim_way way;
    const double *count = way.fixed.of;
    compute_of(&arch, &gemm, &way);
    /* Either 5 planes of 10 rows thrice and 3 planes of 20 columns thrice, five times over, or ... */
    const double inputs = 10 * 40 * 5 * 3, weights = 20 * 40 * 3 * 3;
    cr_expect(inputs * 3 + weights < inputs + weights * 5, "the case holds the weights");
    cr_expect_eq(count[SIM_EVENT_INPUT_READ], inputs * 3);
    cr_expect_eq(count[SIM_EVENT_WEIGHT_READ], weights);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_WRITE], 10 * 20 * 32 * 3);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_READ], 10 * 20 * 32 * 2);
    cr_expect_eq(count[SIM_EVENT_LANE_CYCLE], 4 * 8 * 16 * 3 * 3 * 3 * 15);
    for (int d = 0; d < SIM_DIMS; d++)
        for (int e = 0; e < SIM_EVENT_COUNT; e++)
            cr_expect(way.per_tile[d].of[e] == 0 && way.per_fold[d].of[e] == 0 && way.per_cycle.of[e] == 0);

    arch.array_w_step_bits = 16; /* weights at once: nothing to hold */
    compute_of(&arch, &gemm, &way);
    cr_expect_eq(count[SIM_EVENT_INPUT_READ], inputs);
    cr_expect_eq(count[SIM_EVENT_WEIGHT_READ], weights);

    p.positions = 4; /* one block of rows: sums stay in place */
    gemm = gemm_of(&p);
    compute_of(&arch, &gemm, &way);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_WRITE], 4 * 20 * 32);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_READ], 0);

    p.positions = 10; /* no ports: the depth can be the innermost loop */
    array.w_port = array.a_port = 0;
    arch = machine_of(&array, 1);
    gemm = gemm_of(&p);
    compute_of(&arch, &gemm, &way);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_WRITE], 10 * 20 * 32);
    cr_expect_eq(count[SIM_EVENT_OUTPUT_READ], 0);
}

/* Packed groups share an input word: 6 channels of 9 elements, 3 words of 2 slots, 4 positions each. */
Test(bitserial, packed_groups_share_words)
{
    const serial_array array = {.rows = 4,
                                .cols = 2,
                                .depth = 32,
                                .w_step = 16,
                                .a_step = 16,
                                .w_port = 1,
                                .a_port = 1,
                                .w_words = 1 << 20,
                                .a_words = 1 << 20,
                                .slot = 1};
    const serial_product p = {.conv = true,
                              .images = 1,
                              .positions = 4,
                              .n = 1,
                              .channels = 1,
                              .taps = 9,
                              .groups = 6,
                              .w_bits = 8,
                              .a_bits = 8};
    sim_arch arch = machine_of(&array, 1);
    const sim_gemm gemm = gemm_of(&p);
    sim_way way;
    /* each word pair of steps waits for 4 rows of 32 elements at 1 bit per cycle */
    cr_expect_eq(compute_of(&arch, &gemm, &way).cycles, 3 * 4 * 32 * 8);
    cr_expect_eq(way.fixed.of[SIM_EVENT_INPUT_READ], 4 * 9 * 8);
    cr_expect_eq(way.fixed.of[SIM_EVENT_WEIGHT_READ], 9 * 8);
    cr_expect_eq(way.fixed.of[SIM_EVENT_LANE_CYCLE], 4 * 2 * 32 * 3 / 6.0);
}

/* ---- operands and limits ---- */

Test(bitserial, supports_integers_up_to_its_widths)
{
    sim_arch arch;
    char why[SIM_ERR_HINT] = "";
    arch_case_plain(&arch, "bitserial");
    arch.array_w_bits = 8;
    arch.array_a_bits = 16;
    for (int w = 0; w <= 17; w++)
        for (int a = 0; a <= 17; a++) {
            const sim_number wn = {SIM_FORMAT_INT, w}, an = {SIM_FORMAT_INT, a};
            cr_expect_eq(arch.backend->supports(&arch, wn, an, why, sizeof why),
                         w >= 1 && w <= 8 && a >= 1 && a <= 16, "w%d a%d", w, a);
        }
    const sim_number half = {SIM_FORMAT_FP, 16}, four = {SIM_FORMAT_INT, 4};
    cr_expect_not(arch.backend->supports(&arch, four, half, why, sizeof why));
    cr_expect(strstr(why, "weights of 1 to 8") && strstr(why, "activations of 1 to 16"), "%s", why);
}

Test(bitserial, checks_its_widths)
{
    static const struct {
        int64_t w_bits, a_bits, w_step, a_step;
        int errors;
    } cases[] = {{16, 16, 1, 16, 0}, {8, 8, 8, 1, 0}, {17, 8, 1, 1, 1},
                 {8, 32, 1, 1, 1},   {8, 8, 9, 1, 1}, {4, 4, 8, 8, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_arch arch;
        sim_err err = {0};
        arch_case_plain(&arch, "bitserial");
        arch.array_w_bits = cases[i].w_bits;
        arch.array_a_bits = cases[i].a_bits;
        arch.array_w_step_bits = cases[i].w_step;
        arch.array_a_step_bits = cases[i].a_step;
        cr_expect_eq(arch.backend->check(&arch, &err), cases[i].errors ? SIM_BAD_INPUT : SIM_OK);
        cr_expect_eq(err.count, cases[i].errors, "case %zu", i);
    }
}

/* Either exact or refused, never wrapped: cycles are between work and work with waiting. */
Test(bitserial, large_products_are_exact_or_refused)
{
    ref_random random = {304};
    int refused = 0;
    for (int i = 0; i < 20000; i++) {
        const serial_array array = random_array(&random);
        sim_arch arch = machine_of(&array, 1);
        sim_gemm gemm = {.batch = ref_random_scale(&random, 1, 1 << 20),
                         .w_bits = (int)ref_random_int(&random, 1, 16),
                         .a_bits = (int)ref_random_int(&random, 1, 16),
                         .out_bits = 8,
                         .acc_bits = 32};
        for (int d = 0; d < SIM_DIMS; d++)
            gemm.extent[d] = ref_random_scale(&random, 1, INT64_C(1) << 40);
        if (ref_random_one_in(&random, 2))
            gemm.window = (sim_window){.rows_out = 1,
                                       .cols_out = gemm.extent[SIM_M],
                                       .kernel_h = ref_random_scale(&random, 1, 1 << 20),
                                       .kernel_w = ref_random_scale(&random, 1, 1 << 20),
                                       .stride = 1,
                                       .direct = ref_random_one_in(&random, 2)};
        sim_way ways[SIM_WAYS_MAX];
        sim_tiling tiling = {.tile = {1, 1, 1}};
        sim_compute out;
        sim_err err = {0};
        cr_assert_eq(arch.backend->ways(&arch, &gemm, ways), 1);
        cr_assert(ways[0].cycles_per_fold > 0);
        if (arch.backend->compute(&arch, &gemm, &ways[0], &tiling, &out, &err) != SIM_OK) {
            cr_assert_eq(sim_err_status(&err), SIM_OVERFLOW);
            refused++;
            continue;
        }
        double work = (double)gemm.batch * (double)sim_taps(&gemm);
        for (int d = 0; d < SIM_DIMS; d++)
            work *= (double)gemm.extent[d];
        cr_assert((double)out.cycles * (1 + 1e-9) >=
                      work / arch.backend->peak_macs_per_cycle(&arch, gemm.w_bits, gemm.a_bits),
                  "case %d: %lld cycles", i, (long long)out.cycles);
    }
    cr_expect(refused > 1000 && refused < 19000, "%d refused", refused);
}

/* ---- a run ---- */

/* Lanes are priced by a fit to whole multipliers: no table makes that more than assumed. */
Test(bitserial, energy_is_assumed)
{
    static const char *const backends[] = {"bitserial", "systolic"};
    for (int i = 0; i < 2; i++) {
        const sim_layer layer = {
            .name = "layer", .op = SIM_OP_MATMUL, .repeat = 1, .m = 4, .n = 40, .k = 100, .batch = 1};
        const sim_workload workload = {.name = "test", .layers = &layer, .layer_count = 1};
        const sim_policy policy = {.name = "w8a8"};
        sim_arch arch;
        sim_arena arena;
        sim_result result;
        sim_err err = {0};
        arch_case_plain(&arch, backends[i]);
        arch.tech.logic_provenance = arch.tech.sram_provenance = arch.dram.provenance = SIM_PUBLISHED;
        sim_arena_init(&arena, NULL);
        cr_assert_eq(sim_run_model(&arch, &workload, &policy, SIM_OBJECTIVE_BALANCED, &arena, &result, &err),
                     SIM_OK);
        cr_expect_eq(result.energy_provenance, i == 0 ? SIM_ASSUMED : SIM_PUBLISHED);
        cr_expect(result.layers[0].energy.mac_j > 0);
        sim_arena_free(&arena);
    }
}
