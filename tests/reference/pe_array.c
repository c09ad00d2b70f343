/* Folds of a tiled GEMM and their schedules; the arrays themselves are in pe_stationary.c and pe_output.c. */
#include "reference/arithmetic.h"
#include "reference/pe_machine.h"

#include <stdio.h>
#include <stdlib.h>

void *pe_alloc(int64_t count, int64_t size)
{
    void *block = calloc((size_t)(count ? count : 1), (size_t)size);
    if (!block) {
        fputs("the reference ran out of memory\n", stderr);
        exit(70);
    }
    return block;
}

pe_axes pe_axes_of(pe_dataflow dataflow)
{
    switch (dataflow) {
    case PE_WS:
        return (pe_axes){PE_K, PE_N, PE_M};
    case PE_IS:
        return (pe_axes){PE_K, PE_M, PE_N};
    case PE_OS:
        break;
    }
    return (pe_axes){PE_M, PE_N, PE_K};
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Weights that stream in with each step. */
static int64_t weights_per_step(const pe_array *array)
{
    switch (array->dataflow) {
    case PE_OS:
        return array->cols;
    case PE_IS:
        return array->rows;
    case PE_WS:
        break;
    }
    return 0;
}

int64_t pe_step_cycle(const pe_array *array, int64_t step)
{
    const int64_t weights = weights_per_step(array);
    if (!array->port_bits || !weights)
        return step;
    return larger(step, ref_ceil_div((step + 1) * weights * array->w_bits, array->port_bits) - 1);
}

int64_t pe_array_stream_cycles(const pe_array *array, const pe_fold *fold)
{
    return pe_step_cycle(array, fold->size[pe_axes_of(array->dataflow).stream] - 1) + 1;
}

pe_feed pe_feed_new(const pe_array *array, const pe_fold *folds, int64_t count, int64_t cycles)
{
    pe_feed feed = {cycles, pe_alloc(cycles, sizeof(int64_t)), pe_alloc(cycles, sizeof(int64_t))};
    for (int64_t cycle = 0; cycle < cycles; cycle++)
        feed.fold[cycle] = feed.step[cycle] = -1;
    for (int64_t i = 0; i < count; i++) {
        const int64_t stream = pe_array_stream_cycles(array, &folds[i]);
        for (int64_t cycle = folds[i].start_cycle; cycle < folds[i].start_cycle + stream; cycle++) {
            feed.fold[cycle] = i;
            feed.step[cycle] = -1;
        }
        for (int64_t step = 0; step < folds[i].size[pe_axes_of(array->dataflow).stream]; step++)
            feed.step[folds[i].start_cycle + pe_step_cycle(array, step)] = step;
    }
    return feed;
}

void pe_feed_free(pe_feed *feed)
{
    free(feed->fold);
    free(feed->step);
}

int64_t pe_array_load_cycles(const pe_array *array)
{
    if (array->dataflow == PE_OS)
        return 0;
    if (array->dataflow == PE_IS || !array->port_bits)
        return array->rows;
    return ref_ceil_div(array->rows * array->cols * array->w_bits, array->port_bits);
}

/* The folds of one tile, appended to `folds`. */
static int64_t tile_folds(const pe_array *array, const pe_fold *tile, int64_t lane, int64_t lanes,
                          pe_fold *folds)
{
    const pe_axes axes = pe_axes_of(array->dataflow);
    int64_t count = 0;
    for (int64_t row = 0; row < tile->size[axes.row]; row += array->rows) {
        for (int64_t col = lane * array->cols; col < tile->size[axes.col]; col += lanes * array->cols) {
            pe_fold fold = *tile;
            fold.first[axes.row] += row;
            fold.size[axes.row] = smaller(array->rows, tile->size[axes.row] - row);
            fold.first[axes.col] += col;
            fold.size[axes.col] = smaller(array->cols, tile->size[axes.col] - col);
            if (folds)
                folds[count] = fold;
            count++;
        }
    }
    return count;
}

/* Walks the tiles; fills `folds` when it is not NULL. Returns how many there are. */
static int64_t walk(const pe_array *array, const int64_t extent[3], const int64_t tile[3], const int order[3],
                    int64_t lane, int64_t lanes, pe_fold *folds)
{
    int64_t count = 0;
    int64_t at[3];
    for (at[order[0]] = 0; at[order[0]] < extent[order[0]]; at[order[0]] += tile[order[0]]) {
        for (at[order[1]] = 0; at[order[1]] < extent[order[1]]; at[order[1]] += tile[order[1]]) {
            for (at[order[2]] = 0; at[order[2]] < extent[order[2]]; at[order[2]] += tile[order[2]]) {
                pe_fold block = {{0}, {0}, 0, 0};
                for (int d = 0; d < 3; d++) {
                    block.first[d] = at[d];
                    block.size[d] = smaller(tile[d], extent[d] - at[d]);
                }
                count += tile_folds(array, &block, lane, lanes, folds ? folds + count : NULL);
            }
        }
    }
    return count;
}

pe_fold *pe_array_folds(const pe_array *array, const int64_t extent[3], const int64_t tile[3],
                        const int order[3], bool in_place, int64_t lane, int64_t lanes, int64_t *count)
{
    const int64_t whole_k[3] = {tile[PE_M], tile[PE_N], extent[PE_K]};
    const int64_t *used = in_place ? whole_k : tile;
    *count = walk(array, extent, used, order, lane, lanes, NULL);
    pe_fold *folds = pe_alloc(*count, sizeof *folds);
    walk(array, extent, used, order, lane, lanes, folds);
    return folds;
}

void pe_array_schedule(const pe_array *array, pe_fold *folds, int64_t count, int64_t early)
{
    const int64_t load = pe_array_load_cycles(array);
    int64_t start = load;
    for (int64_t i = 0; i < count; i++) {
        folds[i].start_cycle = start;
        folds[i].load_cycle = start - load;
        const int64_t stream = pe_array_stream_cycles(array, &folds[i]);
        if (array->dataflow != PE_OS)
            start += larger(stream, load);
        else if (i + 1 < count)
            /* The next results may only be held once these have entered the drain chain. */
            start += stream + larger(0, array->rows - pe_array_stream_cycles(array, &folds[i + 1]));
        if (i == early)
            start--;
    }
}

void pe_array_schedule_every(const pe_array *array, pe_fold *folds, int64_t count, int64_t interval_cycles)
{
    const int64_t load = pe_array_load_cycles(array);
    for (int64_t i = 0; i < count; i++) {
        folds[i].load_cycle = i * interval_cycles;
        folds[i].start_cycle = load + i * interval_cycles;
    }
}

int64_t pe_array_run(const pe_array *array, const pe_gemm *gemm, const pe_fold *folds, int64_t count,
                     int64_t *out)
{
    if (count == 0)
        return 0;
    return array->dataflow == PE_OS ? pe_run_output(array, gemm, folds, count, out)
                                    : pe_run_stationary(array, gemm, folds, count, out);
}
