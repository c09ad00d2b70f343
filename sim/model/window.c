#include "model/window.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Input rows (or columns) that `out` neighbouring positions read: gaps between windows are skipped. */
static int64_t covered(int64_t out, int64_t kernel, int64_t stride)
{
    return out * least(stride, kernel) + (kernel > stride ? kernel - stride : 0);
}

/* Sum of covered() over `count` tiles of `out` positions in all. */
static int64_t covered_in_all(int64_t out, int64_t count, int64_t kernel, int64_t stride)
{
    return out * least(stride, kernel) + count * (kernel > stride ? kernel - stride : 0);
}

sim_window_tile sim_window_sides(const sim_gemm *gemm, int64_t positions)
{
    const sim_window *w = &gemm->window;
    int64_t image;

    if (!sim_is_conv(gemm))
        return (sim_window_tile){positions, 1, 1};
    image = w->rows_out * w->cols_out;
    if (positions >= image)
        return (sim_window_tile){positions / image, w->rows_out, w->cols_out};
    if (positions >= w->cols_out)
        return (sim_window_tile){1, positions / w->cols_out, w->cols_out};
    return (sim_window_tile){1, 1, positions};
}

int64_t sim_window_floor(const sim_gemm *gemm, int64_t positions)
{
    const sim_window_tile t = sim_window_sides(gemm, positions);

    return t.images * t.rows * t.cols;
}

static int64_t images_of(const sim_gemm *gemm)
{
    return gemm->extent[SIM_M] / (gemm->window.rows_out * gemm->window.cols_out);
}

int64_t sim_window_count(const sim_gemm *gemm, int64_t t)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side;

    if (!sim_is_conv(gemm))
        return sim_ceil_div(gemm->extent[SIM_M], t);
    side = sim_window_sides(gemm, t);
    return sim_ceil_div(images_of(gemm), side.images) * sim_ceil_div(w->rows_out, side.rows) *
           sim_ceil_div(w->cols_out, side.cols);
}

int64_t sim_window_inputs(const sim_gemm *gemm, int64_t t)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side;

    if (!sim_is_conv(gemm))
        return t;
    side = sim_window_sides(gemm, t);
    return side.images * covered(side.rows, w->kernel_h, w->stride) *
           covered(side.cols, w->kernel_w, w->stride);
}

double sim_window_overlap(const sim_gemm *gemm, int64_t t)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side;
    int64_t rows, cols, rows_once, cols_once;

    if (!sim_is_conv(gemm))
        return 1;
    side = sim_window_sides(gemm, t);
    rows = covered_in_all(w->rows_out, sim_ceil_div(w->rows_out, side.rows), w->kernel_h, w->stride);
    cols = covered_in_all(w->cols_out, sim_ceil_div(w->cols_out, side.cols), w->kernel_w, w->stride);
    rows_once = covered(w->rows_out, w->kernel_h, w->stride) - w->pad_rows;
    cols_once = covered(w->cols_out, w->kernel_w, w->stride) - w->pad_cols;
    return (double)(rows - w->pad_rows) / (double)rows_once *
           ((double)(cols - w->pad_cols) / (double)cols_once);
}

/* The fold sum of one side, whose elements are `unit` positions each. */
static int64_t side_folds(const sim_fold *fold, int64_t extent, int64_t tile, int64_t unit)
{
    int64_t count = sim_ceil_div(extent, tile);

    return (count - 1) * sim_fold_of(fold, tile * unit) +
           sim_fold_of(fold, (extent - (count - 1) * tile) * unit);
}

int64_t sim_window_fold_sum(const sim_gemm *gemm, const sim_fold *fold, int64_t t)
{
    const sim_window *w = &gemm->window;
    int64_t images;
    sim_window_tile side;

    if (!sim_is_conv(gemm) || fold->kind == SIM_FOLD_FLAT || fold->kind == SIM_FOLD_WHOLE)
        return sim_fold_sum(fold, gemm->extent[SIM_M], t);
    images = images_of(gemm);
    side = sim_window_sides(gemm, t);
    if (side.cols < w->cols_out)
        return images * w->rows_out * side_folds(fold, w->cols_out, side.cols, 1);
    if (side.rows < w->rows_out)
        return images * side_folds(fold, w->rows_out, side.rows, w->cols_out);
    return side_folds(fold, images, side.images, w->rows_out * w->cols_out);
}

int64_t sim_window_last(const sim_gemm *gemm, int64_t t)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side;
    int64_t extent = gemm->extent[SIM_M], unit = 1;

    if (sim_is_conv(gemm)) {
        side = sim_window_sides(gemm, t);
        t = side.images;
        extent = images_of(gemm);
        unit = w->rows_out * w->cols_out;
        if (side.rows < w->rows_out) {
            t = side.rows;
            extent = w->rows_out;
            unit = w->cols_out;
        }
        if (side.cols < w->cols_out) {
            t = side.cols;
            extent = w->cols_out;
            unit = 1;
        }
    }
    return (extent - (sim_ceil_div(extent, t) - 1) * t) * unit;
}

void sim_window_span(int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t *all,
                     int64_t *padded)
{
    int64_t read;

    *all = covered(out, kernel, stride);
    /* The windows begin `padding` before the input; what they cover may end before it does. */
    read = kernel >= stride ? (out - 1) * stride + kernel - padding : *all;
    if (read > size)
        read = size;
    if (read < 1)
        read = 1;
    if (read > *all)
        read = *all;
    *padded = *all - read;
}
