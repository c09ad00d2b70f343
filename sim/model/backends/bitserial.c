/* Bit-serial dot-product arrays: cycles follow the bits of the weights, of the activations, or of both.
 *
 * rows x cols units; a unit multiplies `depth` elements of k at a time. Rows lie along m (positions, tokens),
 * columns along n (output features). Per cycle a lane takes w_step_bits of a weight and a_step_bits of an
 * activation, so that a block (rows x cols outputs over one depth of k) takes
 *   B = ceil(w / w_step_bits) * ceil(a / a_step_bits) cycles:
 *    1 x 1   both operands serial        w * a           BISMO (Umuroglu et al., FPL 2018), HAQ's accelerator
 *   16 x 1   activations serial          a               Stripes (Judd et al., MICRO 2016)
 *    1 x g   both, g activation bits     w * ceil(a/g)   Loom (Sharify et al., DAC 2018)
 *    2 x 16  weights in radix-4 digits   ceil(w / 2)     BitMoD (Chen et al., HPCA 2025)
 *    1 x 16  weights serial              w               UNPU (Lee et al., ISSCC 2018)
 *
 * Time, where operands enter through ports. A pass is one depth of k over a grid of blocks, in one of two
 * loop orders. A row of A is depth * a bits of the input port, a column of W depth * w bits of the weight
 * port; each port loads the blocks of its operand one after another, whole cycles each. A block starts when
 * its operands have begun to enter and ends not before they have; the inner operand enters once, during the
 * first outer block, and is resident from then on. That is a recurrence over blocks in max and +,
 *   t = max(max(t, starts of the loads) + B, ends of the loads)
 * whose longest path always has one of the forms in pass_in(); tests/reference/serial_ref.c walks it block
 * by block.
 *
 * The depths of k of a chunk follow each other without a gap. At its end, units that computed all along go on
 * with the outer operand's other planes, outer steps - 1 cycles; units that waited for the outer operand's
 * last blocks have done one plane of the inner operand meanwhile, (inner steps - 1) * outer steps are left.
 * Both buffers are finite: positions are cut into equal chunks whose words of all depths fit the input
 * buffer, columns into such that fit the weight buffer, in whole blocks; every pair of chunks is loaded anew.
 * These rules beyond the recurrence are read off HAQ's published latency table: with them all of the 2081
 * rows at hand come out to the cycle (tests/validation/haq_mobilenetv2_cloud.csv has every fifth).
 *
 * A convolution is a product image by image and group by group over kernel positions and channels (`direct`:
 * over channels, kernel positions one after another). Small groups share a word: each gets a slot of its
 * elements rounded up to a power of two, at least array.slot, and its outputs are columns of their own. */
#include "base/err.h"
#include "model/backend.h"

#include <stdio.h>

enum { WIDEST = 16 };

static const int64_t extent_most = INT64_C(1) << 40; /* loads of that many words are still counted exactly */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t all_cols(const sim_arch *arch)
{
    return arch->array_cols * arch->array_count;
}

static int64_t w_steps(const sim_arch *arch, int w_bits)
{
    return sim_ceil_div(w_bits, arch->array_w_step_bits);
}

static int64_t a_steps(const sim_arch *arch, int a_bits)
{
    return sim_ceil_div(a_bits, arch->array_a_step_bits);
}

static bool has_ports(const sim_arch *arch)
{
    return arch->array_port_bits > 0 || arch->array_input_port_bits > 0;
}

/* ---- what a product is to the array ---------------------------------------------------------------- */

typedef struct shape {
    int64_t images, positions; /* positions of one image; plain products are one image */
    int64_t columns, packed;   /* of `packed` groups side by side; groups left over come last */
    int64_t steps, left_over;  /* full sets of groups; groups of the last, smaller set */
    int64_t depths;            /* passes over k */
} shape;

/* False when a number does not fit. */
static bool shape_of(const sim_arch *arch, const sim_gemm *gemm, shape *out)
{
    int64_t depth = arch->array_depth, elements = gemm->extent[SIM_K], passes = 1, slot = 1;

    for (int d = 0; d < SIM_DIMS; d++)
        if (gemm->extent[d] > extent_most)
            return false;
    if (sim_is_conv(gemm) && gemm->window.direct)
        passes = sim_taps(gemm);
    else if (__builtin_mul_overflow(elements, sim_taps(gemm), &elements) || elements > extent_most)
        return false;
    while (slot < elements && slot < depth)
        slot *= 2;
    slot = larger(slot, arch->array_slot);
    *out = (shape){.images = 1, .positions = gemm->extent[SIM_M], .packed = 1};
    if (sim_is_conv(gemm)) {
        out->positions = gemm->window.rows_out * gemm->window.cols_out;
        out->images = gemm->extent[SIM_M] / out->positions;
        if (slot < depth && elements <= slot)
            out->packed = depth / slot < gemm->batch ? depth / slot : gemm->batch;
    }
    out->columns = gemm->extent[SIM_N];
    out->steps = gemm->batch / out->packed;
    out->left_over = gemm->batch % out->packed;
    return !__builtin_mul_overflow(sim_ceil_div(elements, depth), passes, &out->depths);
}

/* ---- chunks ---------------------------------------------------------------------------------------- */

/* `count` pieces of `size` and, unless it is 0, one of `rest`. */
typedef struct pieces {
    int64_t size, count, rest;
} pieces;

/* Words of a unit's depth that a buffer holds: one tile, of two where it is double-buffered; of a unified
 * buffer each operand has half. */
static int64_t words_of(const sim_arch *arch, sim_operand operand)
{
    double kib = arch->buffer_unified_kib > 0    ? arch->buffer_unified_kib / 2
                 : operand == SIM_OPERAND_WEIGHT ? arch->buffer_weight_kib
                                                 : arch->buffer_input_kib;
    double words = kib * 8192 / (double)arch->array_depth / (arch->double_buffered[operand] ? 2 : 1);

    return words < 1 ? 1 : (int64_t)words;
}

/* Cuts `items` of `words` each into the fewest equal chunks that fit, rounded up to whole blocks. */
static bool cut(const sim_arch *arch, int64_t items, int64_t words, sim_operand operand, int64_t block,
                pieces *out)
{
    int64_t all, size;

    *out = (pieces){items, 1, 0};
    if (!has_ports(arch)) /* nothing is kept: units read the buffers as they go */
        return true;
    if (__builtin_mul_overflow(items, words, &all))
        return false;
    size = sim_ceil_div(items, sim_ceil_div(all, words_of(arch, operand)));
    size = sim_ceil_div(size, block) * block;
    if (size < items)
        *out = (pieces){size, items / size, items % size};
    return true;
}

/* ---- one pass -------------------------------------------------------------------------------------- */

/* One operand of a chunk: blocks along its side of the grid, and cycles of its port. */
typedef struct side {
    int64_t blocks, steps;
    int64_t load, first, all; /* of a full block, of the first one, of all */
} side;

static side side_of(int64_t items, int64_t block, int64_t word_bits, int64_t port_bits, int64_t steps)
{
    side s = {.blocks = sim_ceil_div(items, block), .steps = steps};
    int64_t last = items - (s.blocks - 1) * block;

    if (port_bits > 0) {
        s.load = sim_ceil_div(block * word_bits, port_bits);
        s.all = (s.blocks - 1) * s.load + sim_ceil_div(last * word_bits, port_bits);
        s.first = s.blocks > 1 ? s.load : s.all;
    }
    return s;
}

/* One depth of k in one loop order: cycles until the next one starts, and those of the last one. */
typedef struct pass {
    int64_t cycles, last;
} pass;

/* The longest path is all blocks behind the first one's loads; or it waits for the inner operand in the first
 * round (up to its last full block, or to its ragged end); or it waits for a later block of the outer operand
 * (for the last full one, or the ragged end). Waits in between are never longer: loads and blocks both
 * advance in equal steps. */
static pass pass_in(const side *outer, const side *inner, int64_t block)
{
    int64_t first = larger(block, larger(outer->first, inner->first));
    int64_t round = larger((inner->blocks - 1) * block + first,
                           larger((inner->blocks - 1) * inner->load + block, inner->all));
    int64_t computing = (outer->blocks - 1) * inner->blocks * block + round;
    int64_t waiting = outer->all + (inner->blocks - 1) * block;

    if (outer->blocks > 2)
        waiting = larger(waiting, (outer->blocks - 1) * outer->load + (2 * inner->blocks - 1) * block);
    return (pass){
        .cycles = larger(computing, waiting),
        .last = larger(computing + outer->steps - 1, waiting + (inner->steps - 1) * outer->steps),
    };
}

/* ---- the whole product ----------------------------------------------------------------------------- */

/* All `batch` products: cycles, and how many of them the units and the busier port are at work. */
typedef struct serial_run {
    int64_t cycles, busy, loading;
} serial_run;

static bool add(int64_t *sum, int64_t value, int64_t times)
{
    int64_t product;

    return !__builtin_mul_overflow(value, times, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static bool chunk_cycles(pass one, int64_t depths, int64_t *out)
{
    return !__builtin_mul_overflow(one.cycles, depths - 1, out) &&
           !__builtin_add_overflow(*out, one.last, out);
}

/* Adds `times` chunks of `positions` x `columns`. */
static bool add_chunk(const sim_arch *arch, const sim_gemm *gemm, const shape *s, int64_t positions,
                      int64_t columns, int64_t times, serial_run *run)
{
    const side a = side_of(positions, arch->array_rows, arch->array_depth * gemm->a_bits,
                           arch->array_input_port_bits, a_steps(arch, gemm->a_bits));
    const side w = side_of(columns, all_cols(arch), arch->array_depth * gemm->w_bits,
                           arch->array_port_bits * arch->array_count, w_steps(arch, gemm->w_bits));
    int64_t block = a.steps * w.steps, cycles, other;

    /* No term of a pass is larger than this. */
    if (2.0 * ((double)a.blocks * (double)w.blocks * (double)block + (double)a.all + (double)w.all) >= 4e18)
        return false;
    if (!chunk_cycles(pass_in(&a, &w, block), s->depths, &cycles) ||
        !chunk_cycles(pass_in(&w, &a, block), s->depths, &other))
        return false;
    return add(&run->cycles, cycles < other ? cycles : other, times) &&
           !__builtin_mul_overflow(times, s->depths, &times) &&
           add(&run->busy, a.blocks * w.blocks * block, times) &&
           add(&run->loading, larger(a.all, w.all), times);
}

/* Adds `steps` sets of `groups` groups each, all images. */
static bool add_steps(const sim_arch *arch, const sim_gemm *gemm, const shape *s, int64_t groups,
                      int64_t steps, serial_run *run)
{
    int64_t columns, times, a_words, w_words;
    pieces m, n;

    if (steps == 0)
        return true;
    if (__builtin_mul_overflow(s->columns, groups, &columns) || columns > extent_most ||
        __builtin_mul_overflow(s->images, steps, &times) ||
        __builtin_mul_overflow(s->depths, gemm->a_bits, &a_words) ||
        __builtin_mul_overflow(s->depths, gemm->w_bits, &w_words) ||
        !cut(arch, s->positions, a_words, SIM_OPERAND_INPUT, arch->array_rows, &m) ||
        !cut(arch, columns, w_words, SIM_OPERAND_WEIGHT, all_cols(arch), &n))
        return false;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            int64_t positions = i ? m.rest : m.size, width = j ? n.rest : n.size;
            int64_t count = i ? 1 : m.count;

            if (positions == 0 || width == 0)
                continue;
            if (__builtin_mul_overflow(count, j ? 1 : n.count, &count) ||
                __builtin_mul_overflow(count, times, &count) ||
                !add_chunk(arch, gemm, s, positions, width, count, run))
                return false;
        }
    return true;
}

static bool run_of(const sim_arch *arch, const sim_gemm *gemm, const shape *s, serial_run *out)
{
    *out = (serial_run){0};
    return add_steps(arch, gemm, s, s->packed, s->steps, out) &&
           add_steps(arch, gemm, s, s->left_over, s->left_over > 0, out);
}

/* ---- counts ---------------------------------------------------------------------------------------- */

/* Accesses of one product, of `batch`.
 *
 * Inputs are read once for each block of columns, weights once for each block of rows and image; zeros that
 * fill up a word are made on the way. Within a block either operand's planes can be held while all planes of
 * the other go by: the held ones are read once, the others once for each of these. The cheaper is counted.
 * Partial sums stay in the accumulators from one depth of k to the next where the grid is one block high or
 * wide (the depths of the streamed operand then follow one another) or where operands are read from the
 * buffers as needed (any order costs the same); otherwise each pass leaves and fetches them. */
static void count_accesses(const sim_arch *arch, const sim_gemm *gemm, const shape *s, sim_counts *out)
{
    double m = (double)gemm->extent[SIM_M], n = (double)gemm->extent[SIM_N];
    double k = (double)gemm->extent[SIM_K] * (double)sim_taps(gemm), batch = (double)gemm->batch;
    double outputs = m * n * gemm->acc_bits, depths = (double)s->depths;
    int64_t columns = s->columns * s->packed, cols = all_cols(arch);
    double full = (double)(s->steps * s->packed) / batch, left_over = (double)s->left_over / batch;
    double inputs = m * k * gemm->a_bits *
                    (full * (double)sim_ceil_div(columns, cols) +
                     left_over * (double)sim_ceil_div(s->columns * s->left_over, cols));
    double weights =
        n * k * gemm->w_bits * (double)s->images * (double)sim_ceil_div(s->positions, arch->array_rows);
    double ws = (double)w_steps(arch, gemm->w_bits), as = (double)a_steps(arch, gemm->a_bits);

    if (inputs + weights * as < inputs * ws + weights)
        weights *= as;
    else
        inputs *= ws;
    out->of[SIM_EVENT_INPUT_READ] = inputs;
    out->of[SIM_EVENT_WEIGHT_READ] = weights;
    if (!has_ports(arch) || s->positions <= arch->array_rows || columns <= cols)
        depths = 1;
    out->of[SIM_EVENT_OUTPUT_WRITE] = outputs * depths;
    out->of[SIM_EVENT_OUTPUT_READ] = outputs * (depths - 1);
}

/* Cycles do not depend on the tiles in which DRAM is read: chunks are the array's own. */
static int bitserial_ways(const sim_arch *arch, const sim_gemm *gemm, sim_way ways[SIM_WAYS_MAX])
{
    double volume = (double)gemm->batch, units = (double)(arch->array_rows * all_cols(arch));
    sim_way *way = &ways[0];
    serial_run run;
    shape s;
    bool fits = shape_of(arch, gemm, &s) && run_of(arch, gemm, &s, &run);

    *way = (sim_way){.dataflow = SIM_DATAFLOW_STREAM};
    for (int d = 0; d < SIM_DIMS; d++) {
        way->fold[d] = (sim_fold){SIM_FOLD_FLAT, 1, 1, 0};
        way->tile_max[d] = INT64_MAX;
        volume *= (double)gemm->extent[d];
    }
    way->cycles_per_fold = (fits ? (double)run.cycles : 9e18) / volume; /* else compute() will say so */
    if (!fits)
        return 1;
    count_accesses(arch, gemm, &s, &way->fixed);
    /* Lanes are clocked while their unit works on a block; one that waits for its operands is not. */
    way->fixed.of[SIM_EVENT_LANE_CYCLE] =
        units * (double)arch->array_depth * (double)run.busy / (double)gemm->batch;
    return 1;
}

static sim_status bitserial_compute(const sim_arch *arch, const sim_gemm *gemm, const sim_way *way,
                                    const sim_tiling *tiling, sim_compute *out, sim_err *err)
{
    serial_run run;
    shape s;

    (void)way;
    (void)tiling;
    if (!shape_of(arch, gemm, &s) || !run_of(arch, gemm, &s, &run))
        return sim_fail(err, SIM_OVERFLOW, NULL, 0, "compute cycles exceed 63 bits");
    *out = (sim_compute){
        .cycles = run.cycles,
        .fill_cycles = run.cycles - larger(run.busy, run.loading),
        .port_limited = run.loading > run.busy,
    };
    return SIM_OK;
}

/* ---- the machine ----------------------------------------------------------------------------------- */

static sim_status check_width(const sim_arch *arch, const char *key, int64_t bits, const char *step_key,
                              int64_t step, sim_err *err)
{
    if (bits > WIDEST)
        return sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "%s is %d; bit-serial operands have 1 to %d bits",
                        key, (int)bits, WIDEST);
    if (step > bits)
        return sim_fail(err, SIM_BAD_INPUT, arch->file, 0, "%s is %d, more than the widest operand (%s = %d)",
                        step_key, (int)step, key, (int)bits);
    return SIM_OK;
}

static sim_status bitserial_check(const sim_arch *arch, sim_err *err)
{
    sim_status w = check_width(arch, "array.w_bits", arch->array_w_bits, "array.w_step_bits",
                               arch->array_w_step_bits, err);
    sim_status a = check_width(arch, "array.a_bits", arch->array_a_bits, "array.a_step_bits",
                               arch->array_a_step_bits, err);

    return w != SIM_OK ? w : a;
}

static bool bitserial_supports(const sim_arch *arch, sim_number w, sim_number a, char *why, size_t why_size)
{
    if (w.format == SIM_FORMAT_INT && a.format == SIM_FORMAT_INT && w.bits >= 1 && a.bits >= 1 &&
        w.bits <= arch->array_w_bits && a.bits <= arch->array_a_bits)
        return true;
    snprintf(why, why_size, "its units take integer weights of 1 to %d and activations of 1 to %d bits",
             (int)arch->array_w_bits, (int)arch->array_a_bits);
    return false;
}

static double bitserial_peak(const sim_arch *arch, int w_bits, int a_bits)
{
    return (double)(arch->array_rows * all_cols(arch) * arch->array_depth) /
           (double)(w_steps(arch, w_bits) * a_steps(arch, a_bits));
}

/* Each row of units reads words of its own positions, each column words of its own features: a memory for
 * each, as in BISMO. */
static void bitserial_hardware(const sim_arch *arch, sim_hardware *out)
{
    *out = (sim_hardware){
        .pes = arch->array_rows * all_cols(arch),
        .kind = SIM_PE_SERIAL,
        .w_bits = (int)arch->array_w_step_bits,
        .a_bits = (int)arch->array_a_step_bits,
        .depth = arch->array_depth,
        .banks = {all_cols(arch), arch->array_rows, 1},
    };
}

#define AT(field) offsetof(sim_arch, field)

static const sim_param bitserial_params[] = {
    {"array.depth", "", SIM_PARAM_INT, AT(array_depth), 1, 65536, NULL, NULL,
     "Elements of k that a dot-product unit multiplies at a time."},
    {"array.w_step_bits", "bits", SIM_PARAM_INT, AT(array_w_step_bits), 1, WIDEST, "1", NULL,
     "Bits of a weight taken per cycle: 1 serial, 2 radix-4 digits, 16 all at once."},
    {"array.a_step_bits", "bits", SIM_PARAM_INT, AT(array_a_step_bits), 1, WIDEST, "1", NULL,
     "Bits of an activation taken per cycle."},
    {"array.input_port_bits", "bits", SIM_PARAM_INT, AT(array_input_port_bits), 0, 1 << 30, "0", NULL,
     "Activation bits that enter per cycle; 0: no limit."},
    {"array.slot", "", SIM_PARAM_INT, AT(array_slot), 1, 65536, "1", NULL,
     "Least elements of k that a group of a convolution occupies where several share a unit's depth."},
};

static const char *const refused_keys[] = {"array.dataflow", "array.timing", NULL};

extern const sim_backend sim_backend_bitserial;
const sim_backend sim_backend_bitserial = {
    .name = "bitserial",
    .summary = "bit-serial dot-product array: fewer bits of either operand are fewer cycles",
    .params = bitserial_params,
    .param_count = sizeof bitserial_params / sizeof *bitserial_params,
    .refused_keys = refused_keys,
    .check = bitserial_check,
    .supports = bitserial_supports,
    .ways = bitserial_ways,
    .compute = bitserial_compute,
    .peak_macs_per_cycle = bitserial_peak,
    .hardware = bitserial_hardware,
};
