#include "reference/tile_search.h"

#include "reference/conv_tiles.h"
#include "reference/pe_machine.h"

#include <stdlib.h>

/* Energy of a way: pJ, affine as the counts are. */
typedef struct way_cost {
    double fixed_pj, per_tile_pj[SIM_DIMS], per_fold_pj[SIM_DIMS], per_cycle_pj;
    double *folds[SIM_DIMS]; /* fold sum by tile size, 1..extent */
} way_cost;

/* Tiles of m: how many, what one reads of the input, and all of them against reading it once. */
typedef struct m_tiles {
    double count, reads, overlap; /* count 0: there is no such tile */
} m_tiles;

struct tile_search {
    const sim_arch *arch;
    const sim_gemm *gemm;
    double taps;     /* multiply-accumulates, and weights, per element */
    double distinct; /* rows of the input that are read at all */
    m_tiles *m;      /* by tile size, 1..extent */
    sim_prices prices;
    int way_count;
    sim_way ways[SIM_WAYS_MAX];
    way_cost costs[SIM_WAYS_MAX];
};

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double dot(const sim_prices *prices, const sim_counts *counts)
{
    double pj = 0;
    for (int event = 0; event < SIM_EVENT_COUNT; event++)
        pj += prices->pj[event] * counts->of[event];
    return pj;
}

/* The fold sum of backend.h, tile by tile. */
static double fold_sum(const sim_fold *fold, int64_t extent, int64_t tile)
{
    if (fold->kind == SIM_FOLD_FLAT)
        return (double)extent;
    if (fold->kind == SIM_FOLD_WHOLE)
        tile = extent;
    int64_t sum = 0;
    for (int64_t at = 0; at < extent; at += tile) {
        const int64_t size = extent - at < tile ? extent - at : tile;
        const int64_t passes = (size * fold->per_num + fold->per_den - 1) / fold->per_den;
        sum += fold->kind != SIM_FOLD_SIDE && passes < fold->least ? fold->least : passes;
    }
    return (double)sum;
}

/* The positions of a convolution, tile by tile: the side that a tile cuts, its tiles, and what they touch. */
static void cut_positions(tile_search *search, int64_t tile)
{
    const sim_window *w = &search->gemm->window;
    const int64_t row = w->cols_out, image = w->rows_out * w->cols_out, all = search->gemm->extent[SIM_M];
    const int64_t side_rows = tile < row ? 1 : tile < image ? tile / row : w->rows_out;
    const int64_t side_cols = tile < row ? tile : row;
    double count = 0, rows = 0, cols = 0;
    if (tile > row && tile < image ? tile % row : tile > image ? tile % image : 0)
        return;
    for (int64_t at = 0; at < w->rows_out; at += side_rows) {
        const int64_t size = w->rows_out - at < side_rows ? w->rows_out - at : side_rows;
        rows += (double)conv_tiles_touched(size, w->kernel_h, w->stride);
        count++;
    }
    double columns = 0;
    for (int64_t at = 0; at < w->cols_out; at += side_cols) {
        const int64_t size = w->cols_out - at < side_cols ? w->cols_out - at : side_cols;
        cols += (double)conv_tiles_touched(size, w->kernel_w, w->stride);
        columns++;
    }
    const int64_t images = tile < image ? 1 : tile / image;
    const double rows_once = (double)(conv_tiles_touched(w->rows_out, w->kernel_h, w->stride) - w->pad_rows);
    const double cols_once = (double)(conv_tiles_touched(w->cols_out, w->kernel_w, w->stride) - w->pad_cols);
    m_tiles *m = &search->m[tile];
    m->count = count * columns * (double)((all / image + images - 1) / images);
    m->reads = (double)(images * conv_tiles_touched(side_rows, w->kernel_h, w->stride) *
                        conv_tiles_touched(side_cols, w->kernel_w, w->stride));
    m->overlap = (rows - (double)w->pad_rows) / rows_once * ((cols - (double)w->pad_cols) / cols_once);
    search->distinct = (double)(all / image) * rows_once * cols_once;
}

/* The same sum over the tiles of positions: every unit (a row, an image, all) is cut alike. */
static double positions_fold_sum(const sim_gemm *gemm, const sim_fold *fold, int64_t tile)
{
    const sim_window *w = &gemm->window;
    const int64_t row = w->cols_out, image = w->rows_out * w->cols_out, all = gemm->extent[SIM_M];
    const int64_t unit = tile <= row ? row : tile <= image ? image : all;
    if (fold->kind == SIM_FOLD_FLAT || fold->kind == SIM_FOLD_WHOLE)
        return fold_sum(fold, all, tile);
    return (double)(all / unit) * fold_sum(fold, unit, tile);
}

tile_search *tile_search_new(const sim_arch *arch, const sim_gemm *gemm)
{
    tile_search *search = pe_alloc(1, sizeof *search);
    search->arch = arch;
    search->gemm = gemm;
    const bool conv = gemm->window.kernel_h > 0;
    search->taps = conv ? (double)(gemm->window.kernel_h * gemm->window.kernel_w) : 1;
    search->distinct = (double)gemm->extent[SIM_M];
    search->m = pe_alloc(gemm->extent[SIM_M] + 1, sizeof *search->m);
    for (int64_t tile = 1; tile <= gemm->extent[SIM_M]; tile++) {
        if (conv)
            cut_positions(search, tile);
        else
            search->m[tile] = (m_tiles){(double)((gemm->extent[SIM_M] + tile - 1) / tile), (double)tile, 1};
    }
    sim_prices_of(arch, gemm->w_bits, gemm->a_bits, &search->prices);
    search->way_count = arch->backend->ways(arch, gemm, search->ways);
    for (int i = 0; i < search->way_count; i++) {
        const sim_way *way = &search->ways[i];
        way_cost *cost = &search->costs[i];
        cost->fixed_pj = dot(&search->prices, &way->fixed);
        cost->per_cycle_pj = dot(&search->prices, &way->per_cycle);
        for (int d = 0; d < SIM_DIMS; d++) {
            cost->per_tile_pj[d] = dot(&search->prices, &way->per_tile[d]);
            cost->per_fold_pj[d] = dot(&search->prices, &way->per_fold[d]);
            cost->folds[d] = pe_alloc(gemm->extent[d] + 1, sizeof *cost->folds[d]);
            for (int64_t tile = 1; tile <= gemm->extent[d]; tile++)
                cost->folds[d][tile] = d == SIM_M && conv ? positions_fold_sum(gemm, &way->fold[d], tile)
                                                          : fold_sum(&way->fold[d], gemm->extent[d], tile);
        }
    }
    return search;
}

void tile_search_free(tile_search *search)
{
    for (int i = 0; i < search->way_count; i++) {
        for (int d = 0; d < SIM_DIMS; d++)
            free(search->costs[i].folds[d]);
    }
    free(search->m);
    free(search);
}

bool tile_search_fits(const tile_search *search, const int64_t tile[SIM_DIMS])
{
    const sim_arch *arch = search->arch;
    const sim_gemm *gemm = search->gemm;
    const double scale_bits = gemm->w_group ? (double)(16 + gemm->w_bits) / gemm->w_group : 0;
    double bits[SIM_OPERAND_COUNT] = {
        [SIM_OPERAND_WEIGHT] =
            search->taps * (double)(tile[SIM_K] * tile[SIM_N]) * (gemm->w_bits + scale_bits),
        [SIM_OPERAND_INPUT] = search->m[tile[SIM_M]].reads * (double)(tile[SIM_K] * gemm->a_bits),
        [SIM_OPERAND_OUTPUT] = (double)(tile[SIM_M] * tile[SIM_N] * gemm->acc_bits),
    };
    for (int operand = 0; operand < SIM_OPERAND_COUNT; operand++)
        bits[operand] *= arch->double_buffered[operand] ? 2 : 1;
    const double kib_bits = 8192;
    if (arch->buffer_unified_kib > 0)
        return bits[0] + bits[1] + bits[2] <= arch->buffer_unified_kib * kib_bits;
    return bits[SIM_OPERAND_WEIGHT] <= arch->buffer_weight_kib * kib_bits &&
           bits[SIM_OPERAND_INPUT] <= arch->buffer_input_kib * kib_bits &&
           bits[SIM_OPERAND_OUTPUT] <= arch->buffer_output_kib * kib_bits;
}

/* How much longer a bit takes in runs of so many bits. */
static double run_factor(const sim_arch *arch, double run_bits)
{
    if (arch->dram_efficiency_frac > 0)
        return 1;
    return larger(1, arch->dram.burst_bytes * 8 / run_bits);
}

tile_value tile_search_value(const tile_search *search, int way, const int64_t tile[SIM_DIMS],
                             sim_dim stationary)
{
    const sim_arch *arch = search->arch;
    const sim_gemm *gemm = search->gemm;
    const sim_prices *prices = &search->prices;
    double count[SIM_DIMS], mean[SIM_DIMS], extent[SIM_DIMS];
    for (int d = 0; d < SIM_DIMS; d++) {
        extent[d] = (double)gemm->extent[d];
        count[d] =
            d == SIM_M ? search->m[tile[d]].count : (double)((gemm->extent[d] + tile[d] - 1) / tile[d]);
        mean[d] = extent[d] / count[d];
    }

    /* Passes of each operand over the DRAM channel. */
    const bool w_moves = !gemm->on_chip[SIM_OPERAND_WEIGHT], a_moves = !gemm->on_chip[SIM_OPERAND_INPUT];
    const bool out_moves = !gemm->on_chip[SIM_OPERAND_OUTPUT];
    const double w_passes = stationary == SIM_M ? 1 : count[SIM_M];
    const double a_passes = (stationary == SIM_N ? 1 : count[SIM_N]) * search->m[tile[SIM_M]].overlap;
    const double partial_writes = stationary == SIM_K ? 0 : count[SIM_K] - 1;
    const double partial_reads = partial_writes + (arch->output_read_first ? 1 : 0);
    const double outputs = extent[SIM_M] * extent[SIM_N];

    const double weight = w_moves ? (double)gemm->w_stored_bits * w_passes + (double)gemm->w_once_bits : 0;
    const double input = a_moves ? (double)gemm->a_stored_bits * a_passes : 0;
    const double read_back = out_moves ? outputs * gemm->acc_bits * partial_reads : 0;
    const double written = out_moves ? outputs * gemm->acc_bits * partial_writes : 0;
    const double final = out_moves ? (double)gemm->out_stored_bits : 0;
    const double read = weight + input + read_back, write = written + final;

    /* Time of the channel. */
    const bool rows = arch->dram_layout == SIM_LAYOUT_ROW_MAJOR, curve = arch->dram_efficiency_frac <= 0;
    const double w_tile = (double)gemm->w_stored_bits / (count[SIM_K] * count[SIM_N]); /* bits, on average */
    const double a_tile = (double)gemm->a_stored_bits / (count[SIM_M] * count[SIM_K]);
    const double final_tile = (double)gemm->out_stored_bits / (count[SIM_M] * count[SIM_N]);
    const double partial_tile = mean[SIM_M] * mean[SIM_N] * gemm->acc_bits;
    const double w_run = rows ? w_tile / mean[SIM_N] : w_tile;
    const double a_run = rows ? (double)gemm->a_stored_bits / (search->distinct * count[SIM_K]) : a_tile;
    const double final_run = rows ? final_tile / mean[SIM_M] : final_tile;
    const double partial_run = rows ? partial_tile / mean[SIM_M] : partial_tile;
    const double peak = arch->clock_mhz * 1e6 / (arch->dram_bandwidth_gb_s * 8e9); /* cycles per bit */
    const double slope = peak / (curve ? arch->dram.curve_efficiency_frac : arch->dram_efficiency_frac);
    double transfer = weight * run_factor(arch, w_run) + input * run_factor(arch, a_run) +
                      (read_back + written) * run_factor(arch, partial_run) +
                      final * run_factor(arch, final_run);
    transfer *= slope;
    if (curve)
        transfer += peak * arch->dram.turnaround_frac * smaller(read, write);

    /* Energy: the way's own, then fills and drains of the buffers, then the channel. */
    const way_cost *cost = &search->costs[way];
    double folds = 1, pj = cost->fixed_pj;
    for (int d = 0; d < SIM_DIMS; d++) {
        const double f = cost->folds[d][tile[d]];
        folds *= f;
        pj += cost->per_tile_pj[d] * count[d] + cost->per_fold_pj[d] * f;
    }
    const double busy = search->ways[way].cycles_per_fold * folds;
    pj += cost->per_cycle_pj * busy;
    if (w_moves)
        pj += prices->pj[SIM_EVENT_WEIGHT_WRITE] * search->taps * extent[SIM_K] * extent[SIM_N] *
              gemm->w_bits * w_passes;
    if (a_moves)
        pj += prices->pj[SIM_EVENT_INPUT_WRITE] * search->distinct * extent[SIM_K] * gemm->a_bits * a_passes;
    if (out_moves) {
        pj += prices->pj[SIM_EVENT_OUTPUT_WRITE] * outputs * gemm->acc_bits * partial_reads;
        pj += prices->pj[SIM_EVENT_OUTPUT_READ] * outputs * gemm->acc_bits * (partial_writes + 1);
    }
    pj += prices->pj[SIM_EVENT_DRAM_READ] * read + prices->pj[SIM_EVENT_DRAM_WRITE] * write;

    const double batch = (double)gemm->batch;
    tile_value value = {.busy_cycles = batch * busy, .transfer_cycles = batch * transfer};
    value.span_cycles = larger(value.busy_cycles, value.transfer_cycles);
    value.dram_bits = batch * (read + write);
    value.energy_pj = batch * pj + prices->pj_per_cycle * value.span_cycles;
    return value;
}

static bool restricted(const sim_way *way)
{
    return way->innermost_only[SIM_M] || way->innermost_only[SIM_N] || way->innermost_only[SIM_K];
}

bool tile_search_price(const tile_search *search, int way, const sim_tiling *tiling, tile_value *value)
{
    bool allowed = !restricted(&search->ways[way]);
    sim_dim stationary = tiling->order[SIM_DIMS - 1];
    if (search->m[tiling->tile[SIM_M]].count <= 0)
        return false;
    for (int i = SIM_DIMS; i-- > 0;) {
        const sim_dim d = tiling->order[i];
        if (tiling->tile[d] < 1 || tiling->tile[d] > search->ways[way].tile_max[d])
            return false;
    }
    for (int i = SIM_DIMS; i-- > 0;) {
        const sim_dim d = tiling->order[i];
        allowed = allowed || search->ways[way].innermost_only[d];
        if (tiling->tile[d] < search->gemm->extent[d]) {
            stationary = d;
            break;
        }
    }
    *value = tile_search_value(search, way, tiling->tile, stationary);
    return allowed;
}

/* The loops that can be innermost with these tiles: those of several tiles that the way allows. A loop of one
 * tile may stand inside any other, so it lends its permission to all. */
static void visit_orders(const tile_search *search, int way, const int64_t tile[SIM_DIMS],
                         void (*visit)(void *user, const tile_value *value), void *user)
{
    bool any = !restricted(&search->ways[way]), several = false;
    for (int d = 0; d < SIM_DIMS; d++) {
        if (tile[d] < search->gemm->extent[d])
            several = true;
        else
            any = any || search->ways[way].innermost_only[d];
    }
    for (int d = 0; d < SIM_DIMS; d++) {
        if (several && (tile[d] == search->gemm->extent[d] || !(any || search->ways[way].innermost_only[d])))
            continue;
        const tile_value value = tile_search_value(search, way, tile, (sim_dim)d);
        visit(user, &value);
        if (!several)
            break; /* all orders are the same */
    }
}

void tile_search_tile(const tile_search *search, const int64_t tile[SIM_DIMS],
                      void (*visit)(void *user, const tile_value *value), void *user)
{
    if (search->m[tile[SIM_M]].count <= 0 || !tile_search_fits(search, tile))
        return;
    for (int way = 0; way < search->way_count; way++) {
        const int64_t *most = search->ways[way].tile_max;
        if (tile[SIM_M] <= most[SIM_M] && tile[SIM_N] <= most[SIM_N] && tile[SIM_K] <= most[SIM_K])
            visit_orders(search, way, tile, visit, user);
    }
}

void tile_search_all(const tile_search *search, void (*visit)(void *user, const tile_value *value),
                     void *user)
{
    const int64_t *extent = search->gemm->extent;
    int64_t tile[SIM_DIMS];
    for (tile[SIM_M] = 1; tile[SIM_M] <= extent[SIM_M]; tile[SIM_M]++) {
        for (tile[SIM_N] = 1; tile[SIM_N] <= extent[SIM_N]; tile[SIM_N]++) {
            for (tile[SIM_K] = 1; tile[SIM_K] <= extent[SIM_K]; tile[SIM_K]++)
                tile_search_tile(search, tile, visit, user);
        }
    }
}
