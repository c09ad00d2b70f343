/* Operands for the Verilog of fusion units and bit-serial units, and what must come out.
 *
 *   rtl_bits_cases DIR    writes DIR/NAME.cases, as the bench of that hardware reads it, and
 *                         DIR/NAME.expected, what it then prints: products by plain arithmetic, clocks by the
 *                         bitfusion back end or by the functional model of bit planes, whose cycles
 *                         tests/model/test_bits.c compares with the bitserial back end's
 *
 * NAME is the hardware and its parameters: unit, unit_quick, array_<rows>x<cols>_<hops>,
 * serial_<depth>_<w step>_<a step>, booth_<depth>. */
#include "model/backend.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"
#include "reference/bitplanes.h"
#include "reference/operands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_BITS = 8, BUS_BITS = 32, ARRAY_CASES = 50, WORDS_MAX = 1024, STEPS_MAX = 800 };

typedef struct files {
    FILE *cases, *expected;
} files;

static void die(const char *what)
{
    fprintf(stderr, "rtl_bits_cases: %s\n", what);
    exit(1);
}

static FILE *open_file(const char *folder, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(path, "w");
    if (!file)
        die("cannot write the cases");
    return file;
}

static files open_files(const char *folder, const char *name)
{
    return (files){open_file(folder, name, "cases"), open_file(folder, name, "expected")};
}

static void close_files(files *to)
{
    if (fclose(to->cases) != 0 || fclose(to->expected) != 0)
        die("cannot write the cases");
}

/* ---- the fusion unit ------------------------------------------------------------------------------------
 */

typedef struct unit_config {
    int a_width, w_width; /* operands of 2, 4, 8 bits: 0, 1, 2 */
    bool a_signed, w_signed;
} unit_config;

static int width_bits(int width)
{
    return 2 << width;
}

static int products_of(const unit_config *config)
{
    return UNIT_BITS / width_bits(config->a_width) * (UNIT_BITS / width_bits(config->w_width));
}

/* The low `bits` bits of a value, as number `index` on a bus of such. */
static uint32_t placed(int32_t value, int bits, int index)
{
    return ((uint32_t)value & ((UINT32_C(1) << bits) - 1)) << (bits * index);
}

static void write_unit(files *to, const unit_config *config, const int32_t *a, const int32_t *w)
{
    uint32_t a_bus = 0, w_bus = 0;
    int64_t sum = 0;
    for (int i = 0; i < products_of(config); i++) {
        a_bus |= placed(a[i], width_bits(config->a_width), i);
        w_bus |= placed(w[i], width_bits(config->w_width), i);
        sum += (int64_t)a[i] * w[i];
    }
    fprintf(to->cases, "%d %d %d %d %x %x\n", config->a_width, config->w_width, config->a_signed,
            config->w_signed, (unsigned)a_bus, (unsigned)w_bus);
    fprintf(to->expected, "%lld\n", (long long)sum);
}

/* Every pair of operands at every place of the unit, the places filled with neighbouring pairs. */
static void write_all_pairs(files *to, const unit_config *config)
{
    const int a_bits = width_bits(config->a_width), w_bits = width_bits(config->w_width);
    const int places = products_of(config), pairs = 1 << (a_bits + w_bits);
    const int32_t a_least = operands_least(a_bits, config->a_signed);
    const int32_t w_least = operands_least(w_bits, config->w_signed);
    int32_t a[16], w[16];
    for (int first = 0; first < pairs; first += places) {
        for (int turn = 0; turn < places; turn++) {
            for (int place = 0; place < places; place++) {
                const int pair = first + (place + turn) % places;
                a[place] = a_least + (pair >> w_bits);
                w[place] = w_least + (pair & ((1 << w_bits) - 1));
            }
            write_unit(to, config, a, w);
        }
    }
}

static void write_unit_files(const char *folder)
{
    files all = open_files(folder, "unit"), quick = open_files(folder, "unit_quick");
    ref_random random = {201};
    for (int i = 0; i < 3 * 3 * 4; i++) {
        const unit_config config = {i % 3, i / 3 % 3, i / 9 & 1, i / 18};
        write_all_pairs(&all, &config);
        for (int j = 0; j < 600; j++) {
            int32_t a[16], w[16];
            operands_draw(a, products_of(&config), width_bits(config.a_width), config.a_signed, &random);
            operands_draw(w, products_of(&config), width_bits(config.w_width), config.w_signed, &random);
            write_unit(j < 500 ? &all : &quick, &config, a, w);
        }
    }
    close_files(&all);
    close_files(&quick);
}

/* ---- the fusion array -----------------------------------------------------------------------------------
 */

/* How an operand is spread: slices of at most 8 bits that take turns, or several abreast in a unit. */
typedef struct spread {
    int slice, turns, abreast;
    bool is_signed;
} spread;

static spread spread_of(int bits, bool is_signed)
{
    int width = 2;
    while (width < bits)
        width *= 2;
    const int slice = width < UNIT_BITS ? width : UNIT_BITS;
    return (spread){slice, width / slice, UNIT_BITS / slice, is_signed};
}

/* A GEMM as the array runs it: output by output, columns at a time. The slices of its operands make the work
 * of one unit and clock uniform, so that turns come before elements of k. */
typedef struct schedule {
    int_gemm gemm;
    spread a, w;
    int64_t rows, cols;
    int64_t slots;        /* products of a unit and clock */
    int64_t chunks, work; /* of k, and with all turns: unit clocks of an output */
    int64_t steps, blocks;
} schedule;

static schedule schedule_of(const int_gemm *gemm, int64_t rows, int64_t cols)
{
    schedule s = {.gemm = *gemm, .rows = rows, .cols = cols};
    s.a = spread_of(gemm->a_bits, gemm->a_signed);
    s.w = spread_of(gemm->w_bits, gemm->w_signed);
    s.slots = (int64_t)s.a.abreast * s.w.abreast;
    s.chunks = ref_ceil_div(gemm->k, s.slots);
    s.work = s.chunks * s.a.turns * s.w.turns;
    s.steps = ref_ceil_div(s.work, rows);
    s.blocks = ref_ceil_div(gemm->n, cols);
    return s;
}

static int width_code(int slice)
{
    return slice == 8 ? 2 : slice == 4 ? 1 : 0;
}

/* One operand's bus for unit clock `work` of output (row, col): of `a` where `col` is negative. */
static uint32_t bus_of(const schedule *s, int64_t work, int64_t row, int64_t col)
{
    const int_gemm *g = &s->gemm;
    const bool is_a = col < 0;
    const int turn = (int)(work / s->chunks);
    const int shift = UNIT_BITS * (is_a ? turn / s->w.turns : turn % s->w.turns);
    uint32_t bus = 0;
    for (int64_t slot = 0; slot < s->slots && work < s->work; slot++) {
        const int64_t k = work % s->chunks * s->slots + slot;
        if (k < g->k && col < g->n)
            bus |= placed((is_a ? g->a[row * g->k + k] : g->w[k * g->n + col]) >> shift,
                          is_a ? s->a.slice : s->w.slice, (int)slot);
    }
    return bus;
}

static void write_step(FILE *to, const schedule *s, int64_t row, int64_t block, int64_t step)
{
    fprintf(to, "%d %d %d", (int)(block * s->steps + step), step == 0, step == s->steps - 1);
    for (int64_t unit = 0; unit < s->rows; unit++) {
        const int64_t work = step * s->rows + unit;
        const int turn = (int)(work / s->chunks);
        const int a_turn = turn / s->w.turns, w_turn = turn % s->w.turns;
        fprintf(to, " %x %d %d %d", (unsigned)bus_of(s, work, row, -1),
                s->a.is_signed && a_turn == s->a.turns - 1, s->w.is_signed && w_turn == s->w.turns - 1,
                work < s->work ? UNIT_BITS * (a_turn + w_turn) : 0);
    }
    fputc('\n', to);
}

static void write_schedule(files *to, const schedule *s, bool hops)
{
    const int_gemm *g = &s->gemm;
    fprintf(to->cases, "%d %d %d %d %d\n", width_code(s->a.slice), width_code(s->w.slice),
            (int)(g->m * s->blocks), (int)(s->blocks * s->steps), (int)(g->m * s->blocks * s->steps));
    for (int64_t word = 0; word < s->blocks * s->steps; word++) {
        for (int64_t unit = 0; unit < s->rows * s->cols; unit++)
            fprintf(to->cases, "%x ",
                    (unsigned)bus_of(s, word % s->steps * s->rows + unit / s->cols, 0,
                                     word / s->steps * s->cols + unit % s->cols));
        fputc('\n', to->cases);
    }
    for (int64_t output = 0; output < g->m * s->blocks; output++) {
        for (int64_t step = 0; step < s->steps; step++)
            write_step(to->cases, s, output / s->blocks, output % s->blocks, step);
    }

    /* The first step reaches the last unit that many clocks later; nothing else is added to the steps. */
    const int64_t fill = hops ? s->rows + s->cols - 2 : s->rows - 1;
    fprintf(to->expected, "%lld:", (long long)(g->m * s->blocks * s->steps + fill));
    for (int64_t row = 0; row < g->m; row++) {
        for (int64_t col = 0; col < s->blocks * s->cols; col++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < g->k && col < g->n; k++)
                sum += (int64_t)g->a[row * g->k + k] * g->w[k * g->n + col];
            fprintf(to->expected, " %lld", (long long)sum);
        }
    }
    fputc('\n', to->expected);
}

/* What the bitfusion back end says of the product in one tile, with the filling of the array. */
static int64_t backend_clocks(const schedule *s)
{
    const int64_t extent[SIM_DIMS] = {s->gemm.m, s->gemm.n, s->gemm.k};
    const sim_tiling tiling = {{extent[0], extent[1], extent[2]}, {SIM_N, SIM_K, SIM_M}};
    sim_arch arch;
    sim_way ways[SIM_WAYS_MAX];
    sim_compute compute = {0};
    sim_err err = {0};
    arch_case_plain(&arch, "bitfusion");
    arch.array_rows = s->rows;
    arch.array_cols = s->cols;
    arch.array_w_bits = arch.array_a_bits = UNIT_BITS;
    arch.array_fill = true;
    const sim_gemm gemm = gemm_case_dense(&arch, extent, s->gemm.w_bits, s->gemm.a_bits);
    if (arch.backend->ways(&arch, &gemm, ways) < 1 ||
        arch.backend->compute(&arch, &gemm, ways, &tiling, &compute, &err) != SIM_OK)
        die("the back end fails");
    return compute.cycles;
}

/* Clocks of the array whose inputs hop must be the back end's cycles. Only where operands wider than a unit
 * meet narrow ones and k leaves a unit's last clock ragged, units that work on one slice at a time take more.
 */
static void compare_with_backend(const schedule *s)
{
    const int64_t said = backend_clocks(s);
    const int64_t clocks = s->gemm.m * s->blocks * s->steps + s->rows + s->cols - 2;
    const bool uniform = s->a.turns * s->w.turns == 1 || s->gemm.k % s->slots == 0;
    if (uniform ? clocks != said : clocks < said)
        die("the clocks of the array are not the back end's cycles");
}

static void write_array_file(const char *folder, int rows, int cols, bool hops)
{
    char name[64];
    snprintf(name, sizeof name, "array_%dx%d_%d", rows, cols, hops);
    files to = open_files(folder, name);
    ref_random random = {(uint64_t)(300 + 100 * rows + 10 * cols + hops)};
    for (int i = 0; i < ARRAY_CASES;) {
        int32_t a[4 * 64], w[64 * 24];
        const int_gemm gemm = {.m = ref_random_int(&random, 1, 4),
                               .n = ref_random_int(&random, 1, 3 * (int64_t)cols),
                               .k = ref_random_scale(&random, 1, 64),
                               .a = a,
                               .w = w,
                               .a_bits = (int)ref_random_int(&random, 1, 16),
                               .w_bits = (int)ref_random_int(&random, 1, 16),
                               .a_signed = ref_random_one_in(&random, 2),
                               .w_signed = ref_random_one_in(&random, 2)};
        const schedule s = schedule_of(&gemm, rows, cols);
        operands_draw(a, gemm.m * gemm.k, gemm.a_bits, gemm.a_signed, &random);
        operands_draw(w, gemm.k * gemm.n, gemm.w_bits, gemm.w_signed, &random);
        if (s.blocks * s.steps > WORDS_MAX || gemm.m * s.blocks * s.steps > STEPS_MAX)
            continue;
        compare_with_backend(&s);
        write_schedule(&to, &s, hops);
        i++;
    }
    close_files(&to);
}

/* ---- bit-serial units -----------------------------------------------------------------------------------
 */

enum { DEPTH_MAX = 64, BLOCKS_MAX = 2 };

/* A dot product over blocks of lanes. */
typedef struct dot {
    int_gemm gemm; /* 1 x 1 x k */
    int64_t depth, blocks;
    int32_t a[DEPTH_MAX * BLOCKS_MAX], w[DEPTH_MAX * BLOCKS_MAX];
} dot;

/* Of every five, one has the least operands in all lanes: the largest sums, the most signs. */
static void draw_dot(dot *d, int64_t depth, int w_bits, int a_bits, int signs, ref_random *random)
{
    d->depth = depth;
    d->blocks = ref_random_int(random, 1, BLOCKS_MAX);
    d->gemm = (int_gemm){1, 1, depth * d->blocks, d->a, d->w, a_bits, w_bits, signs & 1, signs & 2};
    operands_draw(d->a, d->gemm.k, a_bits, d->gemm.a_signed, random);
    operands_draw(d->w, d->gemm.k, w_bits, d->gemm.w_signed, random);
    if (ref_random_one_in(random, 5)) {
        for (int64_t i = 0; i < d->gemm.k; i++) {
            d->a[i] = d->gemm.a_signed ? operands_least(a_bits, true) : operands_most(a_bits, false);
            d->w[i] = d->gemm.w_signed ? operands_least(w_bits, true) : operands_most(w_bits, false);
        }
    }
}

static void expect_dot(FILE *to, const dot *d, const bitplanes_array *array)
{
    int64_t out = 0, sum = 0;
    for (int64_t k = 0; k < d->gemm.k; k++)
        sum += (int64_t)d->a[k] * d->w[k];
    fprintf(to, "%lld: %lld\n", (long long)bitplanes_run(array, &d->gemm, &out), (long long)sum);
}

static void write_planes(FILE *to, const int32_t *values, int64_t depth, int bits)
{
    for (int bit = 0; bit < bits; bit++) {
        uint64_t plane = 0;
        for (int64_t lane = 0; lane < depth; lane++)
            plane |= (uint64_t)((uint32_t)values[lane] >> bit & 1u) << lane;
        fprintf(to, " %llx", (unsigned long long)plane);
    }
}

/* At every width of both operands up to `widest`, in every combination of signs. */
static void write_serial_file(const char *folder, int depth, int w_step, int a_step, int widest)
{
    char name[64];
    snprintf(name, sizeof name, "serial_%d_%d_%d", depth, w_step, a_step);
    files to = open_files(folder, name);
    const bitplanes_array array = {1, 1, depth, BITPLANES_AND, w_step, a_step};
    ref_random random = {(uint64_t)(4000 + 100 * depth + 10 * w_step + a_step)};
    dot d;
    for (int w_bits = 1; w_bits <= widest; w_bits++) {
        for (int a_bits = 1; a_bits <= widest; a_bits++) {
            for (int signs = 0; signs < 4; signs++) {
                draw_dot(&d, depth, w_bits, a_bits, signs, &random);
                fprintf(to.cases, "%d %d %d %d %d", w_bits, a_bits, d.gemm.w_signed, d.gemm.a_signed,
                        (int)d.blocks);
                for (int64_t block = 0; block < d.blocks; block++) {
                    write_planes(to.cases, d.w + block * depth, depth, w_bits);
                    write_planes(to.cases, d.a + block * depth, depth, a_bits);
                }
                fputc('\n', to.cases);
                expect_dot(to.expected, &d, &array);
            }
        }
    }
    close_files(&to);
}

/* Fields of `bits` bits (at most 32), the first in the lowest place. */
static void write_fields(FILE *to, const uint32_t *fields, int64_t count, int bits)
{
    fputc(' ', to);
    for (int64_t digit = (count * bits + 3) / 4 - 1; digit >= 0; digit--) {
        unsigned nibble = 0;
        for (int64_t bit = 4 * digit; bit < 4 * digit + 4 && bit < count * bits; bit++)
            nibble |= (fields[bit / bits] >> (bit % bits) & 1u) << (bit % 4);
        fprintf(to, "%x", nibble);
    }
}

static void write_booth_file(const char *folder, int depth)
{
    char name[64];
    snprintf(name, sizeof name, "booth_%d", depth);
    files to = open_files(folder, name);
    const bitplanes_array array = {1, 1, depth, BITPLANES_BOOTH, 2, BITPLANES_WHOLE};
    ref_random random = {(uint64_t)(5000 + depth)};
    dot d;
    for (int i = 0; i < 16 * 16 * 4; i++) {
        const int w_bits = i % 16 + 1, a_bits = i / 16 % 16 + 1;
        draw_dot(&d, depth, w_bits, a_bits, i / 256, &random);
        const int digits = bitplanes_booth_digits(w_bits, d.gemm.w_signed);
        fprintf(to.cases, "%d %d %d %d", w_bits, d.gemm.w_signed, digits, (int)d.blocks);
        for (int64_t block = 0; block < d.blocks; block++) {
            uint32_t fields[DEPTH_MAX];
            for (int64_t lane = 0; lane < depth; lane++)
                fields[lane] = (uint32_t)d.a[block * depth + lane];
            write_fields(to.cases, fields, depth, 17);
            for (int digit = 0; digit < digits; digit++) {
                for (int64_t lane = 0; lane < depth; lane++)
                    fields[lane] = (uint32_t)(d.w[block * depth + lane] >> (2 * digit));
                write_fields(to.cases, fields, depth, 2);
            }
        }
        fputc('\n', to.cases);
        expect_dot(to.expected, &d, &array);
    }
    close_files(&to);
}

int main(int argc, char **argv)
{
    static const struct {
        int rows, cols;
    } sizes[] = {{1, 1}, {2, 3}, {4, 2}, {3, 5}};
    static const struct {
        int depth, w_step, a_step, widest;
    } serials[] = {{1, 1, 1, 8},  {8, 1, 1, 8},  {16, 1, 1, 16}, {64, 1, 1, 8},
                   {33, 1, 2, 8}, {16, 1, 4, 8}, {20, 2, 3, 16}, {16, 16, 1, 16}};

    if (argc != 2)
        die("usage: rtl_bits_cases DIR");
    write_unit_files(argv[1]);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_array_file(argv[1], sizes[i].rows, sizes[i].cols, true);
        write_array_file(argv[1], sizes[i].rows, sizes[i].cols, false);
    }
    for (size_t i = 0; i < sizeof serials / sizeof *serials; i++)
        write_serial_file(argv[1], serials[i].depth, serials[i].w_step, serials[i].a_step, serials[i].widest);
    write_booth_file(argv[1], 1);
    write_booth_file(argv[1], 16);
    return 0;
}
