/* WS and IS: one operand stays in the PEs, the other streams in from the left, partial sums leave below. */
#include "reference/pe_machine.h"

#include <stdlib.h>

/* A stationary value on its way down a column to row `row` (row < 0: none). */
typedef struct packet {
    int64_t row;
    int64_t value;
} packet;

/* What travels to the right with the stream. */
typedef struct flit {
    int64_t value;
    bool first; /* first cycle of a fold: the PE switches to its shadow value */
} flit;

typedef struct machine {
    const pe_array *array;
    const pe_gemm *gemm;
    const pe_fold *folds;
    pe_axes axes;
    int64_t cycles;   /* length of the timetables below */
    int64_t *loading; /* by cycle: the fold whose stationary values enter, -1: none */
    pe_feed feed;
    int64_t lanes; /* most values that enter a column in a cycle */
    /* Registers of PE (row, col) at row * cols + col. */
    int64_t *active, *shadow, *sum;
    flit *stream;
    packet *chain; /* `lanes` packets each */
} machine;

/* Element of operand `a` (rows m, columns k) or `w` (rows k, columns n) at the given place in the GEMM. */
static int64_t operand(const pe_gemm *gemm, bool weights, int64_t m, int64_t n, int64_t k)
{
    return weights ? gemm->w[k * gemm->extent[PE_N] + n] : gemm->a[m * gemm->extent[PE_K] + k];
}

/* The stationary value for PE (row, col) in `fold`; the padding of a ragged fold is zero. */
static int64_t stationary_value(const machine *mc, const pe_fold *fold, int64_t row, int64_t col)
{
    if (row >= fold->size[mc->axes.row] || col >= fold->size[mc->axes.col])
        return 0;
    int64_t at[3] = {0};
    at[mc->axes.row] = fold->first[mc->axes.row] + row;
    at[mc->axes.col] = fold->first[mc->axes.col] + col;
    return operand(mc->gemm, mc->array->dataflow == PE_WS, at[PE_M], at[PE_N], at[PE_K]);
}

static int64_t streamed_value(const machine *mc, const pe_fold *fold, int64_t row, int64_t step)
{
    if (row >= fold->size[mc->axes.row])
        return 0;
    int64_t at[3] = {0};
    at[mc->axes.row] = fold->first[mc->axes.row] + row;
    at[mc->axes.stream] = fold->first[mc->axes.stream] + step;
    return operand(mc->gemm, mc->array->dataflow == PE_IS, at[PE_M], at[PE_N], at[PE_K]);
}

/* Bits that pass the port per cycle, so that without a limit a whole row of the array enters. */
static int64_t load_bits(const pe_array *array)
{
    const bool limited = array->dataflow == PE_WS && array->port_bits;
    return limited ? array->port_bits : array->cols * array->w_bits;
}

/* The packets that enter column `col` in `cycle`: values pass the port row by row, and columns lag by their
 * number. A value is there once its last bit is. */
static void enter_chain(const machine *mc, int64_t col, int64_t cycle, packet *packets)
{
    for (int64_t i = 0; i < mc->lanes; i++)
        packets[i].row = -1;
    const int64_t at = cycle - col;
    if (at < 0 || at >= mc->cycles || mc->loading[at] < 0)
        return;
    const pe_fold *fold = &mc->folds[mc->loading[at]];
    const int64_t cols = mc->array->cols, bits = mc->array->w_bits, port = load_bits(mc->array);
    const int64_t into = at - fold->load_cycle;
    const int64_t first = into * port / bits, end = (into + 1) * port / bits;
    int64_t used = 0;
    for (int64_t i = first + (col - first % cols + cols) % cols; i < end && i / cols < mc->array->rows;
         i += cols) {
        packets[used].row = i / cols;
        packets[used].value = stationary_value(mc, fold, i / cols, col);
        used++;
    }
}

static flit enter_stream(const machine *mc, int64_t row, int64_t cycle)
{
    const int64_t at = cycle - row;
    if (at < 0 || at >= mc->cycles || mc->feed.fold[at] < 0)
        return (flit){0, false};
    const pe_fold *fold = &mc->folds[mc->feed.fold[at]];
    const int64_t step = mc->feed.step[at];
    return (flit){step < 0 ? 0 : streamed_value(mc, fold, row, step), at == fold->start_cycle};
}

/* One clock edge. PEs are visited from the far corner, so that each still sees its neighbours' old registers.
 */
static void tick(machine *mc, int64_t cycle)
{
    const int64_t rows = mc->array->rows, cols = mc->array->cols;
    packet *entering = pe_alloc(mc->lanes, sizeof *entering);
    for (int64_t row = rows; row-- > 0;) {
        for (int64_t col = cols; col-- > 0;) {
            const int64_t pe = row * cols + col;
            const flit x = col ? mc->stream[pe - 1] : enter_stream(mc, row, cycle);
            const int64_t above = row ? mc->sum[pe - cols] : 0;
            if (x.first)
                mc->active[pe] = mc->shadow[pe];
            mc->sum[pe] = above + x.value * mc->active[pe];
            mc->stream[pe] = x;

            const packet *arriving = entering;
            if (row)
                arriving = &mc->chain[(pe - cols) * mc->lanes];
            else
                enter_chain(mc, col, cycle, entering);
            for (int64_t i = 0; i < mc->lanes; i++) {
                mc->chain[pe * mc->lanes + i] = arriving[i];
                if (arriving[i].row == row)
                    mc->shadow[pe] = arriving[i].value;
            }
        }
    }
    free(entering);
}

/* Fills the timetables; folds that start too early overwrite each other on the wires, as signals would. */
static void make_timetables(machine *mc, int64_t count)
{
    const pe_array *array = mc->array;
    const int64_t load = pe_array_load_cycles(array);
    for (int64_t i = 0; i < count; i++) {
        const pe_fold *fold = &mc->folds[i];
        const int64_t end =
            fold->start_cycle + pe_array_stream_cycles(array, fold) + array->rows + array->cols;
        mc->cycles = end > mc->cycles ? end : mc->cycles;
    }
    mc->loading = pe_alloc(mc->cycles, sizeof *mc->loading);
    for (int64_t cycle = 0; cycle < mc->cycles; cycle++)
        mc->loading[cycle] = -1;
    for (int64_t i = 0; i < count; i++) {
        const pe_fold *fold = &mc->folds[i];
        for (int64_t cycle = 0; cycle < load; cycle++)
            mc->loading[fold->load_cycle + cycle] = i;
    }
    mc->feed = pe_feed_new(array, mc->folds, count, mc->cycles);
}

int64_t pe_run_stationary(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                          int64_t *out)
{
    machine mc = {.array = array, .gemm = gemm, .folds = folds, .axes = pe_axes_of(array->dataflow)};
    const int64_t pes = array->rows * array->cols;
    make_timetables(&mc, count);
    mc.lanes = load_bits(array) / (array->cols * array->w_bits) + 2;
    mc.active = pe_alloc(pes, sizeof *mc.active);
    mc.shadow = pe_alloc(pes, sizeof *mc.shadow);
    mc.sum = pe_alloc(pes, sizeof *mc.sum);
    mc.stream = pe_alloc(pes, sizeof *mc.stream);
    mc.chain = pe_alloc(pes * mc.lanes, sizeof *mc.chain);
    for (int64_t i = 0; i < pes * mc.lanes; i++)
        mc.chain[i].row = -1;

    /* What is due below the array: every column in turn gives the outputs of a step. */
    int64_t *next_step = pe_alloc(array->cols, sizeof *next_step);
    int64_t *next_fold = pe_alloc(array->cols, sizeof *next_fold);
    int64_t last_cycle = 0;
    for (int64_t cycle = 0; cycle < mc.cycles; cycle++) {
        tick(&mc, cycle);
        for (int64_t col = 0; col < array->cols; col++) {
            while (next_fold[col] < count) {
                const pe_fold *fold = &folds[next_fold[col]];
                const int64_t step = next_step[col];
                const int64_t due = fold->start_cycle + pe_step_cycle(array, step) + array->rows - 1 + col;
                if (due > cycle)
                    break;
                if (col < fold->size[mc.axes.col]) {
                    int64_t at[3] = {0};
                    at[mc.axes.col] = fold->first[mc.axes.col] + col;
                    at[mc.axes.stream] = fold->first[mc.axes.stream] + step;
                    out[at[PE_M] * gemm->extent[PE_N] + at[PE_N]] +=
                        mc.sum[(array->rows - 1) * array->cols + col];
                }
                last_cycle = cycle; /* padded columns give their zeros, too */
                if (++next_step[col] == fold->size[mc.axes.stream]) {
                    next_step[col] = 0;
                    next_fold[col]++;
                }
            }
        }
    }
    free(next_step);
    free(next_fold);
    free(mc.loading);
    pe_feed_free(&mc.feed);
    free(mc.active);
    free(mc.shadow);
    free(mc.sum);
    free(mc.stream);
    free(mc.chain);
    return last_cycle + 1;
}
