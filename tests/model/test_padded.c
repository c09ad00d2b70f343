/* Padded tiles with operands that stay on chip, against every tiling and loop order of small problems.
 *
 * The oracle walks the loops of each mapping step by step and counts what is loaded and stored; it takes from
 * the model the ways (model/backend.h) and the prices of single events (model/energy.h), nothing else. */
#include "model/mapper.h"
#include "reference/arch_case.h"
#include "reference/arithmetic.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- problems ---- */

typedef struct problem {
    sim_arch arch;
    sim_gemm gemm;
    int64_t images, rows, cols; /* positions; of a plain product its rows are images of one position */
} problem;

static problem random_problem(ref_random *random)
{
    static const arch_case_options options = {.side_most = 6,
                                              .buffer_kib_least = 1.0 / 64,
                                              .buffer_kib_most = 0.5,
                                              .read_first = true,
                                              .counts = true};
    problem p;
    const bool bitfusion = !ref_random_one_in(random, 4), conv = !ref_random_one_in(random, 3);
    arch_case_random(&p.arch, bitfusion ? "bitfusion" : "systolic", &options, random);
    p.arch.mapper_tiles = SIM_TILES_POW2_PADDED;
    p.arch.mapper_latency = SIM_LATENCY_OVERLAP;
    p.arch.mapper_slack_frac = ref_random_one_in(random, 2) ? 0 : ref_random_real(random, 0, 0.1);
    p.arch.array_broadcast = ref_random_one_in(random, 2);
    p.images = ref_random_int(random, 1, conv ? 3 : 11);
    p.rows = conv ? ref_random_int(random, 1, 5) : 1;
    p.cols = conv ? ref_random_int(random, 1, 5) : 1;
    const int64_t extent[SIM_DIMS] = {p.images * p.rows * p.cols, ref_random_int(random, 1, 11),
                                      ref_random_int(random, 1, 11)};
    const int most = bitfusion ? 16 : 8;
    p.gemm = gemm_case_dense(&p.arch, extent, (int)ref_random_int(random, 1, most),
                             (int)ref_random_int(random, 1, most));
    p.gemm.batch = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 5) : 1;
    if (conv) {
        p.gemm.window = (sim_window){.rows_out = p.rows,
                                     .cols_out = p.cols,
                                     .kernel_h = ref_random_int(random, 1, 3),
                                     .kernel_w = ref_random_int(random, 1, 3),
                                     .stride = ref_random_int(random, 1, 3),
                                     .direct = ref_random_one_in(random, 2)};
        p.gemm.w_stored_bits *= p.gemm.window.kernel_h * p.gemm.window.kernel_w;
    }
    if (ref_random_one_in(random, 6))
        p.gemm.w_group = 1 << ref_random_int(random, 2, 6);
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
        p.gemm.on_chip[operand] = ref_random_one_in(random, 10);
    return p;
}

/* ---- one mapping, walked step by step ---- */

/* A tile by its sides. */
typedef struct block {
    int64_t images, rows, cols, n, k;
} block;

typedef struct tile_cost {
    double busy_cycles, transfer_cycles, span_cycles, energy_pj, dram_bits, first, last;
} tile_cost;

/* What is left of a product that consists of whole tiles. */
static sim_gemm filled(const problem *p, const block *b, int64_t count[SIM_DIMS])
{
    sim_gemm gemm = p->gemm;
    count[SIM_M] =
        ref_ceil_div(p->images, b->images) * ref_ceil_div(p->rows, b->rows) * ref_ceil_div(p->cols, b->cols);
    count[SIM_N] = ref_ceil_div(gemm.extent[SIM_N], b->n);
    count[SIM_K] = ref_ceil_div(gemm.extent[SIM_K], b->k);
    gemm.extent[SIM_M] = count[SIM_M] * b->images * b->rows * b->cols;
    gemm.extent[SIM_N] = count[SIM_N] * b->n;
    gemm.extent[SIM_K] = count[SIM_K] * b->k;
    if (gemm.window.kernel_h > 0) {
        gemm.window.rows_out = b->rows;
        gemm.window.cols_out = b->cols;
    }
    return gemm;
}

/* Input features that one fold of the array takes, kernel positions counted apart; 0: they stream. */
static double rows_at_once(const problem *p, sim_dataflow dataflow)
{
    const int widths[2] = {p->gemm.w_bits, p->gemm.a_bits};
    const int64_t native[2] = {p->arch.array_w_bits, p->arch.array_a_bits};
    double rows = (double)p->arch.array_rows;
    if (dataflow == SIM_DATAFLOW_OS)
        return 0;
    for (int i = 0; i < 2 && dataflow == SIM_DATAFLOW_STREAM; i++) {
        int bricks = 2;
        while (bricks < widths[i])
            bricks *= 2;
        rows *= (double)native[i] / bricks;
    }
    return rows;
}

static double whole_folds(double elements, double at_once)
{
    return at_once > 0 ? ceil(elements / at_once) * at_once : elements;
}

/* Room of an operand in bits: half the buffer where it is double-buffered. */
static double room_bits(const problem *p, int operand)
{
    const double kib[] = {p->arch.buffer_weight_kib, p->arch.buffer_input_kib, p->arch.buffer_output_kib};
    const double all = 8192 * (p->arch.buffer_unified_kib > 0 ? p->arch.buffer_unified_kib : kib[operand]);
    return p->arch.double_buffered[operand] ? all / 2 : all;
}

/* Whether tiles of so many bits fit together. */
static bool fits(const problem *p, const double bits[SIM_OPERAND_COUNT])
{
    double used = 0;
    for (int o = 0; o < SIM_OPERAND_COUNT; o++) {
        if (bits[o] > room_bits(p, o))
            return false;
        used += bits[o] * (p->arch.double_buffered[o] ? 2 : 1);
    }
    return p->arch.buffer_unified_kib <= 0 || used <= 8192 * p->arch.buffer_unified_kib;
}

/* Loads and stores of one operand, in slabs. */
typedef struct moves {
    int64_t slab; /* tiles of it */
    int64_t loads, loads_again, visited;
} moves;

/* Walks all tiles. A slab holds the operand for the loops inside `level`; another one is loaded whenever the
 * loops outside say so. */
static moves walk(const sim_dim order[SIM_DIMS], const int64_t count[SIM_DIMS], sim_dim a, sim_dim b,
                  double tile_bits, double room)
{
    moves m = {.slab = 1};
    int level = SIM_DIMS;
    while (level > 0) {
        const sim_dim d = order[level - 1];
        if (d == a || d == b) {
            if ((double)(m.slab * count[d]) * tile_bits > room)
                break;
            m.slab *= count[d];
        }
        level--;
    }
    bool seen[4096] = {false};
    int64_t held = -1, at[SIM_DIMS];
    for (at[0] = 0; at[0] < count[order[0]]; at[0]++) {
        for (at[1] = 0; at[1] < count[order[1]]; at[1]++) {
            for (at[2] = 0; at[2] < count[order[2]]; at[2]++) {
                int64_t wanted = 0;
                for (int l = 0; l < level; l++)
                    if (order[l] == a || order[l] == b)
                        wanted = wanted * count[order[l]] + at[l];
                if (wanted == held)
                    continue;
                cr_assert(wanted < (int64_t)(sizeof seen / sizeof *seen));
                held = wanted;
                m.loads++;
                m.loads_again += seen[wanted];
                m.visited += !seen[wanted];
                seen[wanted] = true;
            }
        }
    }
    return m;
}

/* What a mapping costs; false when it does not fit. */
static bool cost_of(const problem *p, const block *b, int way_index, const sim_dim order[SIM_DIMS],
                    tile_cost *out)
{
    static const sim_dim dims[SIM_OPERAND_COUNT][2] = {{SIM_N, SIM_K}, {SIM_M, SIM_K}, {SIM_M, SIM_N}};
    int64_t count[SIM_DIMS];
    const sim_gemm gemm = filled(p, b, count);
    sim_way ways[SIM_WAYS_MAX];
    p->arch.backend->ways(&p->arch, &gemm, ways);
    const sim_way *way = &ways[way_index];
    const bool conv = gemm.window.kernel_h > 0, stationary_n = way->dataflow == SIM_DATAFLOW_IS;
    const double taps = conv ? (double)(gemm.window.kernel_h * gemm.window.kernel_w) : 1;
    const double positions = (double)(b->images * b->rows * b->cols);
    const int64_t side_h = conv ? (b->rows - 1) * gemm.window.stride + gemm.window.kernel_h : 1;
    const int64_t side_w = conv ? (b->cols - 1) * gemm.window.stride + gemm.window.kernel_w : 1;

    /* elements and bits of a tile of each operand */
    const double elements[SIM_OPERAND_COUNT] = {
        whole_folds(taps * (double)b->k, rows_at_once(p, way->dataflow)) * (double)b->n,
        (double)(b->images * side_h * side_w * b->k),
        positions *
            whole_folds((double)b->n, stationary_n ? 0 : (double)(p->arch.array_cols * p->arch.array_count)),
    };
    const double w_bits =
        gemm.w_bits + (gemm.w_group > 0 ? (16.0 + gemm.w_bits) / gemm.w_group : 0); /* with scales */
    /* in buffers the share of scales is rounded up to 1/1024 bit */
    const double bits[SIM_OPERAND_COUNT] = {elements[0] * ceil(w_bits * 1024) / 1024,
                                            elements[1] * gemm.a_bits, elements[2] * gemm.acc_bits};
    if (!fits(p, bits))
        return false;

    moves m[SIM_OPERAND_COUNT];
    for (int o = 0; o < SIM_OPERAND_COUNT; o++)
        m[o] = walk(order, count, dims[o][0], dims[o][1], bits[o],
                    p->arch.buffer_unified_kib > 0 ? bits[o] : room_bits(p, o));

    /* traffic of one product in bits */
    const bool *stays = gemm.on_chip;
    const double slab[SIM_OPERAND_COUNT] = {stays[0] ? 0 : (double)m[0].slab * elements[0],
                                            stays[1] ? 0 : (double)m[1].slab * elements[1],
                                            stays[2] ? 0 : (double)m[2].slab * elements[2]};
    const double weights = (double)m[0].loads * slab[0], inputs = (double)m[1].loads * slab[1];
    const double again = (double)m[2].loads_again * slab[2], outputs = (double)m[2].visited * slab[2];
    const double partial_reads = again + (p->arch.output_read_first ? outputs : 0);
    const double read = weights * w_bits + inputs * gemm.a_bits + partial_reads * gemm.acc_bits;
    const double written = again * gemm.acc_bits + outputs * gemm.out_bits;
    const double batch = (double)gemm.batch;
    const double cycles_per_bit = p->arch.clock_mhz / (p->arch.dram_bandwidth_gb_s * 8000);

    double folds[SIM_DIMS];
    const int64_t tile[SIM_DIMS] = {b->images * b->rows * b->cols, b->n, b->k};
    out->busy_cycles = way->cycles_per_fold * batch;
    for (int d = 0; d < SIM_DIMS; d++) {
        const bool whole = way->fold[d].kind == SIM_FOLD_WHOLE;
        folds[d] = whole ? (double)sim_fold_of(&way->fold[d], gemm.extent[d])
                         : (double)(count[d] * sim_fold_of(&way->fold[d], tile[d]));
        out->busy_cycles *= folds[d];
    }
    out->dram_bits = batch * (read + written);
    out->transfer_cycles = cycles_per_bit * out->dram_bits;
    out->first = ceil(cycles_per_bit * (slab[0] * w_bits + slab[1] * gemm.a_bits +
                                        (p->arch.output_read_first ? slab[2] * gemm.acc_bits : 0)));
    out->last = ceil(cycles_per_bit * slab[2] * gemm.out_bits);
    out->span_cycles = ceil(fmax(out->busy_cycles + out->first + out->last, out->transfer_cycles));

    /* energy: what the array does, and what is filled and drained */
    sim_prices prices;
    sim_prices_of(&p->arch, gemm.w_bits, gemm.a_bits, &prices);
    out->energy_pj = prices.pj_per_cycle * out->span_cycles;
    for (int e = 0; e < SIM_EVENT_COUNT; e++) {
        double events = way->fixed.of[e];
        for (int d = 0; d < SIM_DIMS; d++)
            events += way->per_tile[d].of[e] * (double)count[d] + way->per_fold[d].of[e] * folds[d];
        out->energy_pj += prices.pj[e] * (batch * events + way->per_cycle.of[e] * out->busy_cycles);
    }
    out->energy_pj +=
        batch * (prices.pj[SIM_EVENT_DRAM_READ] * read + prices.pj[SIM_EVENT_DRAM_WRITE] * written +
                 prices.pj[SIM_EVENT_WEIGHT_WRITE] * weights * gemm.w_bits +
                 prices.pj[SIM_EVENT_INPUT_WRITE] * inputs * gemm.a_bits +
                 prices.pj[SIM_EVENT_OUTPUT_READ] * (again + outputs) * gemm.acc_bits +
                 prices.pj[SIM_EVENT_OUTPUT_WRITE] * partial_reads * gemm.acc_bits);
    return true;
}

/* ---- all mappings ---- */

static bool is_allowed(int64_t tile, int64_t whole)
{
    return tile == whole || (tile < whole && (tile & (tile - 1)) == 0);
}

/* Blocks are square where they are not the whole: the larger power of two is cut off at the shorter side. */
static bool is_block(const problem *p, int64_t rows, int64_t cols)
{
    for (int64_t side = 1; side < 64; side *= 2)
        if (rows == (side < p->rows ? side : p->rows) && cols == (side < p->cols ? side : p->cols))
            return true;
    return false;
}

static bool is_allowed_way(const sim_way *way, const block *b, const sim_dim order[SIM_DIMS])
{
    const bool *only = way->innermost_only;
    return b->images * b->rows * b->cols <= way->tile_max[SIM_M] && b->n <= way->tile_max[SIM_N] &&
           b->k <= way->tile_max[SIM_K] && (only[order[2]] || !(only[SIM_M] || only[SIM_N] || only[SIM_K]));
}

typedef struct optimum {
    bool feasible;
    double span_cycles, span_energy_pj, energy_pj, edp, dram_bits, dram_span_cycles;
    double limit_cycles, limit_energy_pj;
} optimum;

static void visit(optimum *best, const tile_cost *c, int pass)
{
    if (!best->feasible)
        *best = (optimum){true, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, 0, INFINITY};
    if (pass == 0) {
        best->span_cycles = fmin(best->span_cycles, c->span_cycles);
        best->energy_pj = fmin(best->energy_pj, c->energy_pj);
        best->edp = fmin(best->edp, c->energy_pj * c->span_cycles);
        best->dram_bits = fmin(best->dram_bits, c->dram_bits);
        return;
    }
    if (c->span_cycles == best->span_cycles)
        best->span_energy_pj = fmin(best->span_energy_pj, c->energy_pj);
    if (c->span_cycles <= best->limit_cycles)
        best->limit_energy_pj = fmin(best->limit_energy_pj, c->energy_pj);
    if (ref_at_most(c->dram_bits, best->dram_bits))
        best->dram_span_cycles = fmin(best->dram_span_cycles, c->span_cycles);
}

static void visit_all(const problem *p, optimum *best, int pass)
{
    sim_way ways[SIM_WAYS_MAX];
    const int way_count = p->arch.backend->ways(&p->arch, &p->gemm, ways);
    static const sim_dim orders[6][SIM_DIMS] = {{SIM_M, SIM_N, SIM_K}, {SIM_M, SIM_K, SIM_N},
                                                {SIM_N, SIM_M, SIM_K}, {SIM_N, SIM_K, SIM_M},
                                                {SIM_K, SIM_M, SIM_N}, {SIM_K, SIM_N, SIM_M}};
    block b;
    for (b.images = 1; b.images <= p->images; b.images++)
        for (b.rows = 1; b.rows <= p->rows; b.rows++)
            for (b.cols = 1; b.cols <= p->cols; b.cols++)
                for (b.n = 1; b.n <= p->gemm.extent[SIM_N]; b.n++)
                    for (b.k = 1; b.k <= p->gemm.extent[SIM_K]; b.k++) {
                        if (!is_allowed(b.images, p->images) || !is_block(p, b.rows, b.cols) ||
                            !is_allowed(b.n, p->gemm.extent[SIM_N]) ||
                            !is_allowed(b.k, p->gemm.extent[SIM_K]))
                            continue;
                        for (int w = 0; w < way_count; w++)
                            for (int o = 0; o < 6; o++) {
                                tile_cost c;
                                if (is_allowed_way(&ways[w], &b, orders[o]) &&
                                    cost_of(p, &b, w, orders[o], &c))
                                    visit(best, &c, pass);
                            }
                    }
}

/* ---- the mapper ---- */

/* The answer costs what it says, by the oracle's own count. */
static void check_price(const problem *p, const sim_map_choice *choice, int index)
{
    const sim_map_value *v = &choice->value;
    const bool conv = p->gemm.window.kernel_h > 0;
    block b = {.rows = 1, .cols = 1, .n = choice->tiling.tile[SIM_N], .k = choice->tiling.tile[SIM_K]};
    if (conv) {
        b.rows = choice->gemm.window.rows_out;
        b.cols = choice->gemm.window.cols_out;
    }
    b.images = choice->tiling.tile[SIM_M] / (b.rows * b.cols);
    cr_assert(b.images * b.rows * b.cols == choice->tiling.tile[SIM_M]);
    cr_assert(is_allowed(b.images, p->images) && is_block(p, b.rows, b.cols) &&
                  is_allowed(b.n, p->gemm.extent[SIM_N]) && is_allowed(b.k, p->gemm.extent[SIM_K]),
              "case %d: a tile that the machine has not", index);
    tile_cost own;
    cr_assert(cost_of(p, &b, choice->way, choice->tiling.order, &own), "case %d: does not fit", index);
    cr_assert(own.span_cycles == v->span_cycles && ref_equal(own.busy_cycles, v->busy_cycles),
              "case %d: %g cycles (%g busy), not %g (%g)", index, v->span_cycles, v->busy_cycles,
              own.span_cycles, own.busy_cycles);
    cr_assert(ref_equal(own.transfer_cycles, v->transfer_cycles) && ref_equal(own.dram_bits, v->dram_bits),
              "case %d: %.10g bits, not %.10g", index, v->dram_bits, own.dram_bits);
    cr_assert(ref_equal(own.energy_pj, v->energy_pj), "case %d: %.10g pJ, not %.10g", index, v->energy_pj,
              own.energy_pj);
    cr_assert(choice->pipeline.first_load == own.first && choice->pipeline.last_store == own.last &&
                  choice->pipeline.cycles == own.span_cycles,
              "case %d: first %g, last %g, not %g, %g", index, choice->pipeline.first_load,
              choice->pipeline.last_store, own.first, own.last);
    sim_prices prices;
    sim_prices_of(&p->arch, p->gemm.w_bits, p->gemm.a_bits, &prices);
    cr_assert(ref_equal(sim_counts_pj(&prices, &choice->counts) + prices.pj_per_cycle * v->span_cycles,
                        v->energy_pj),
              "case %d: the counts cost something else", index);
    sim_compute compute;
    sim_err err = {0};
    sim_arch arch = p->arch;
    arch.array_fill = false;
    cr_assert(arch.backend->compute(&arch, &choice->gemm, &choice->way_used, &choice->tiling, &compute,
                                    &err) == SIM_OK);
    cr_assert((double)(compute.cycles - compute.fill_cycles) <= v->busy_cycles * (1 + ref_slip),
              "case %d: the array takes %lld cycles, the value says %g", index, (long long)compute.cycles,
              v->busy_cycles);
}

static bool is_optimal(const optimum *best, sim_objective objective, const sim_map_value *v)
{
    switch (objective) {
    case SIM_OBJECTIVE_LATENCY:
        return v->span_cycles == best->span_cycles && ref_equal(v->energy_pj, best->span_energy_pj);
    case SIM_OBJECTIVE_ENERGY:
        return ref_equal(v->energy_pj, best->energy_pj);
    case SIM_OBJECTIVE_EDP:
        return ref_equal(v->energy_pj * v->span_cycles, best->edp);
    case SIM_OBJECTIVE_DRAM:
        return ref_equal(v->dram_bits, best->dram_bits) &&
               ref_at_most(v->span_cycles, best->dram_span_cycles);
    default:
        return v->span_cycles <= best->limit_cycles && ref_equal(v->energy_pj, best->limit_energy_pj);
    }
}

Test(padded, equals_every_tiling_and_order)
{
    ref_random random = {61};
    int infeasible = 0, convolutions = 0;
    for (int i = 0; i < 400 / SIMACC_TEST_REDUCE; i++) {
        const problem p = random_problem(&random);
        optimum best = {0};
        visit_all(&p, &best, 0);
        best.limit_cycles = best.span_cycles * (1 + p.arch.mapper_slack_frac);
        visit_all(&p, &best, 1);
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_cache *cache = sim_map_cache_new(&arena);
        for (int objective = 0; objective < SIM_OBJECTIVE_COUNT; objective++) {
            sim_map_choice choice;
            sim_err err = {0};
            const sim_status status =
                sim_map(&p.arch, &p.gemm, "layer", (sim_objective)objective, cache, &choice, &err);
            cr_assert(status == (best.feasible ? SIM_OK : SIM_INFEASIBLE), "case %d: status %d", i,
                      (int)status);
            if (status != SIM_OK)
                continue;
            check_price(&p, &choice, i);
            cr_assert(is_optimal(&best, (sim_objective)objective, &choice.value),
                      "case %d (%s, %s): span %.10g energy %.10g DRAM %.10g, but the best are span %.10g "
                      "(energy %.10g; up to %.10g: %.10g), energy %.10g, DRAM %.10g, EDP %.10g",
                      i, p.arch.backend_name, sim_objective_names[objective], choice.value.span_cycles,
                      choice.value.energy_pj, choice.value.dram_bits, best.span_cycles, best.span_energy_pj,
                      best.limit_cycles, best.limit_energy_pj, best.energy_pj, best.dram_bits, best.edp);
        }
        infeasible += !best.feasible;
        convolutions += p.gemm.window.kernel_h > 0;
        sim_arena_free(&arena);
    }
    cr_expect(infeasible > 0 && infeasible < 100 / SIMACC_TEST_REDUCE, "%d infeasible", infeasible);
    cr_expect(convolutions > 100 / SIMACC_TEST_REDUCE);
}

/* ---- one resident tile per operand: the general cost of the product that the tiles cover ---- */

static int64_t covered(int64_t out, int64_t kernel, int64_t stride)
{
    return stride < kernel ? (out - 1) * stride + kernel : out * kernel;
}

/* The best span over all blocks, priced by the model's own evaluation of the filled-up product. */
static double best_span(const problem *p, const block *b)
{
    int64_t count[SIM_DIMS];
    sim_gemm gemm = filled(p, b, count);
    const bool conv = gemm.window.kernel_h > 0;
    const int64_t taps = conv ? gemm.window.kernel_h * gemm.window.kernel_w : 1;
    const int64_t inputs = b->images * (conv ? covered(b->rows, gemm.window.kernel_h, gemm.window.stride) *
                                                   covered(b->cols, gemm.window.kernel_w, gemm.window.stride)
                                             : 1);
    const int64_t tile[SIM_DIMS] = {b->images * b->rows * b->cols, b->n, b->k};
    const double bits[SIM_OPERAND_COUNT] = {(double)(taps * b->k * b->n * gemm.w_bits),
                                            (double)(inputs * b->k * gemm.a_bits),
                                            (double)(tile[SIM_M] * b->n * gemm.acc_bits)};
    double best = INFINITY;
    if (!fits(p, bits))
        return best;
    gemm.w_stored_bits = gemm.extent[SIM_K] * gemm.extent[SIM_N] * taps * gemm.w_bits;
    gemm.a_stored_bits = count[SIM_M] * inputs * gemm.extent[SIM_K] * gemm.a_bits;
    gemm.out_stored_bits = gemm.extent[SIM_M] * gemm.extent[SIM_N] * gemm.out_bits;
    sim_way ways[SIM_WAYS_MAX];
    const int way_count = p->arch.backend->ways(&p->arch, &gemm, ways);
    for (int w = 0; w < way_count; w++)
        for (int innermost = 0; innermost < SIM_DIMS; innermost++) {
            const sim_dim order[SIM_DIMS] = {SIM_M, SIM_N, (sim_dim)innermost};
            sim_map_value v;
            if (!is_allowed_way(&ways[w], b, order))
                continue;
            sim_map_evaluate(&p->arch, &gemm, &ways[w], tile, (sim_dim)innermost, &v, NULL);
            best = fmin(best, v.span_cycles);
        }
    return best;
}

Test(padded, one_resident_tile_without_overlap)
{
    ref_random random = {62};
    int compared = 0;
    for (int i = 0; i < 400 / SIMACC_TEST_REDUCE; i++) {
        problem p = random_problem(&random);
        p.arch.mapper_latency = ref_random_one_in(&random, 2) ? SIM_LATENCY_PIPELINE : SIM_LATENCY_ROOFLINE;
        p.gemm.w_group = 0;
        double best = INFINITY;
        block b;
        for (b.images = 1; b.images <= p.images; b.images++)
            for (b.rows = 1; b.rows <= p.rows; b.rows++)
                for (b.cols = 1; b.cols <= p.cols; b.cols++)
                    for (b.n = 1; b.n <= p.gemm.extent[SIM_N]; b.n++)
                        for (b.k = 1; b.k <= p.gemm.extent[SIM_K]; b.k++)
                            if (is_allowed(b.images, p.images) && is_block(&p, b.rows, b.cols) &&
                                is_allowed(b.n, p.gemm.extent[SIM_N]) &&
                                is_allowed(b.k, p.gemm.extent[SIM_K]))
                                best = fmin(best, best_span(&p, &b));
        sim_arena arena;
        sim_arena_init(&arena, NULL);
        sim_map_choice choice;
        sim_err err = {0};
        const sim_status status = sim_map(&p.arch, &p.gemm, "layer", SIM_OBJECTIVE_LATENCY,
                                          sim_map_cache_new(&arena), &choice, &err);
        cr_assert(status == (best < INFINITY ? SIM_OK : SIM_INFEASIBLE), "case %d: status %d", i,
                  (int)status);
        if (status == SIM_OK) {
            cr_assert(ref_equal(choice.value.span_cycles, best), "case %d: %.10g cycles, not %.10g", i,
                      choice.value.span_cycles, best);
            cr_assert(choice.pipeline.cycles >= choice.value.span_cycles * (1 - ref_slip), "case %d", i);
            compared++;
        }
        sim_arena_free(&arena);
    }
    cr_expect(compared > 200 / SIMACC_TEST_REDUCE, "%d", compared);
}
