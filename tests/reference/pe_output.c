/* OS: outputs stay in the PEs, inputs come from the left and weights from above, results drain below. */
#include "reference/pe_machine.h"

#include <stdlib.h>

/* What travels with the streams: bubbles are not valid. */
typedef struct flit {
    int64_t value;
    bool valid, first, last;
} flit;

typedef struct machine {
    const pe_array *array;
    const pe_gemm *gemm;
    const pe_fold *folds;
    int64_t cycles;
    pe_feed feed;
    /* Registers of PE (row, col) at row * cols + col. */
    int64_t *accumulator, *held, *drain;
    flit *right, *down;
    bool *load_drain; /* by column: in this cycle the bottom PE finishes */
} machine;

static flit enter(const machine *mc, int64_t lag, int64_t cycle, bool weights)
{
    const int64_t at = cycle - lag;
    if (at < 0 || at >= mc->cycles || mc->feed.step[at] < 0)
        return (flit){0, false, false, false};
    const pe_fold *fold = &mc->folds[mc->feed.fold[at]];
    const int64_t step = mc->feed.step[at];
    const int64_t k = fold->first[PE_K] + step;
    flit in = {0, true, step == 0, step + 1 == fold->size[PE_K]};
    if (weights && lag < fold->size[PE_N])
        in.value = mc->gemm->w[k * mc->gemm->extent[PE_N] + fold->first[PE_N] + lag];
    else if (!weights && lag < fold->size[PE_M])
        in.value = mc->gemm->a[(fold->first[PE_M] + lag) * mc->gemm->extent[PE_K] + k];
    return in;
}

/* One clock edge. PEs are visited from the far corner, so that each still sees its neighbours' old registers;
 * the drain chain moves last, from what was held before the edge. */
static void tick(machine *mc, int64_t cycle)
{
    const int64_t rows = mc->array->rows, cols = mc->array->cols;
    int64_t *finished =
        pe_alloc(cols, sizeof *finished); /* the bottom PE's result goes straight to the chain */
    int64_t *was_held = pe_alloc(rows * cols, sizeof *was_held);
    for (int64_t pe = 0; pe < rows * cols; pe++)
        was_held[pe] = mc->held[pe];
    for (int64_t row = rows; row-- > 0;) {
        for (int64_t col = cols; col-- > 0;) {
            const int64_t pe = row * cols + col;
            const flit x = col ? mc->right[pe - 1] : enter(mc, row, cycle, false);
            const flit w = row ? mc->down[pe - cols] : enter(mc, col, cycle, true);
            if (row == rows - 1)
                mc->load_drain[col] = x.valid && x.last;
            if (x.valid) {
                mc->accumulator[pe] = (x.first ? 0 : mc->accumulator[pe]) + x.value * w.value;
                if (x.last) {
                    mc->held[pe] = mc->accumulator[pe];
                    if (row == rows - 1)
                        finished[col] = mc->accumulator[pe];
                }
            }
            mc->right[pe] = x;
            mc->down[pe] = w;
        }
    }
    for (int64_t col = 0; col < cols; col++) {
        for (int64_t row = rows; row-- > 0;) {
            const int64_t pe = row * cols + col;
            if (mc->load_drain[col])
                mc->drain[pe] = row == rows - 1 ? finished[col] : was_held[pe];
            else
                mc->drain[pe] = row ? mc->drain[pe - cols] : 0;
        }
    }
    free(finished);
    free(was_held);
}

static void make_timetables(machine *mc, int64_t count)
{
    const pe_array *array = mc->array;
    for (int64_t i = 0; i < count; i++) {
        const pe_fold *fold = &mc->folds[i];
        const int64_t end =
            fold->start_cycle + pe_array_stream_cycles(array, fold) + 2 * array->rows + array->cols;
        mc->cycles = end > mc->cycles ? end : mc->cycles;
    }
    mc->feed = pe_feed_new(array, mc->folds, count, mc->cycles);
}

int64_t pe_run_output(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                      int64_t *out)
{
    machine mc = {.array = array, .gemm = gemm, .folds = folds};
    const int64_t rows = array->rows, cols = array->cols, pes = rows * cols;
    make_timetables(&mc, count);
    mc.accumulator = pe_alloc(pes, sizeof *mc.accumulator);
    mc.held = pe_alloc(pes, sizeof *mc.held);
    mc.drain = pe_alloc(pes, sizeof *mc.drain);
    mc.right = pe_alloc(pes, sizeof *mc.right);
    mc.down = pe_alloc(pes, sizeof *mc.down);
    mc.load_drain = pe_alloc(cols, sizeof *mc.load_drain);

    /* In each cycle a column offers the bottom of its drain chain: its rows from the last to the first. */
    int64_t *next_row = pe_alloc(cols, sizeof *next_row);
    int64_t *next_fold = pe_alloc(cols, sizeof *next_fold);
    int64_t last_cycle = 0;
    for (int64_t cycle = 0; cycle < mc.cycles; cycle++) {
        for (int64_t col = 0; col < cols; col++) {
            while (next_fold[col] < count) {
                const pe_fold *fold = &folds[next_fold[col]];
                const int64_t done = fold->start_cycle + pe_array_stream_cycles(array, fold) + rows - 1 + col;
                if (done + next_row[col] > cycle)
                    break;
                const int64_t row = rows - 1 - next_row[col];
                if (row < fold->size[PE_M] && col < fold->size[PE_N])
                    out[(fold->first[PE_M] + row) * gemm->extent[PE_N] + fold->first[PE_N] + col] +=
                        mc.drain[(rows - 1) * cols + col];
                last_cycle = cycle;
                if (++next_row[col] == rows) {
                    next_row[col] = 0;
                    next_fold[col]++;
                }
            }
        }
        tick(&mc, cycle);
    }
    free(next_row);
    free(next_fold);
    pe_feed_free(&mc.feed);
    free(mc.accumulator);
    free(mc.held);
    free(mc.drain);
    free(mc.right);
    free(mc.down);
    free(mc.load_drain);
    return last_cycle + 1;
}
