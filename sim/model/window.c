#include "model/window.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Input rows (or columns) that each of neighbouring positions adds: gaps between windows are skipped. */
static int64_t covered_each(int64_t kernel, int64_t stride)
{
    return least(stride, kernel);
}

/* And that a run of them reads besides, whatever its length: what the next run reads again. */
static int64_t covered_more(int64_t kernel, int64_t stride)
{
    return kernel > stride ? kernel - stride : 0;
}

static int64_t covered(int64_t out, int64_t kernel, int64_t stride)
{
    return out * covered_each(kernel, stride) + covered_more(kernel, stride);
}

static int64_t images_of(const sim_gemm *gemm)
{
    return gemm->extent[SIM_M] / (gemm->window.rows_out * gemm->window.cols_out);
}

int sim_window_stages(const sim_gemm *gemm, sim_window_stage out[SIM_WINDOW_STAGES])
{
    const sim_window *w = &gemm->window;
    int64_t row, rows, cols, images;

    if (!sim_is_conv(gemm)) {
        out[0] = (sim_window_stage){gemm->extent[SIM_M], 1, 1, 1, 0};
        return 1;
    }
    images = images_of(gemm);
    row = covered(1, w->kernel_h, w->stride);
    rows = covered(w->rows_out, w->kernel_h, w->stride);
    cols = covered(w->cols_out, w->kernel_w, w->stride);
    out[0] =
        (sim_window_stage){w->cols_out, 1, images * w->rows_out, row * covered_each(w->kernel_w, w->stride),
                           row * covered_more(w->kernel_w, w->stride)};
    out[1] = (sim_window_stage){w->rows_out, w->cols_out, images, cols * covered_each(w->kernel_h, w->stride),
                                cols * covered_more(w->kernel_h, w->stride)};
    out[2] = (sim_window_stage){images, w->rows_out * w->cols_out, 1, rows * cols, 0};
    return SIM_WINDOW_STAGES;
}

void sim_window_cut_of(const sim_gemm *gemm, int64_t t, sim_window_cut *out)
{
    sim_window_stage stages[SIM_WINDOW_STAGES], *s = &stages[sim_window_stages(gemm, stages) - 1];
    int64_t side, last;

    while (s->unit > t)
        s--;
    side = least(t / s->unit, s->extent);
    out->units = s->outer;
    out->count = sim_ceil_div(s->extent, side);
    last = s->extent - (out->count - 1) * side;
    out->tile = side * s->unit;
    out->last = last * s->unit;
    out->inputs = side * s->inputs_each + s->inputs_more;
    out->inputs_last = last * s->inputs_each + s->inputs_more;
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

int64_t sim_window_count(const sim_gemm *gemm, int64_t t)
{
    sim_window_cut cut;

    if (!sim_is_conv(gemm))
        return sim_ceil_div(gemm->extent[SIM_M], t);
    sim_window_cut_of(gemm, t, &cut);
    return cut.units * cut.count;
}

int64_t sim_window_inputs(const sim_gemm *gemm, int64_t t)
{
    sim_window_cut cut;

    if (!sim_is_conv(gemm))
        return t;
    sim_window_cut_of(gemm, t, &cut);
    return cut.inputs;
}

int64_t sim_window_distinct(const sim_gemm *gemm)
{
    const sim_window *w = &gemm->window;

    if (!sim_is_conv(gemm))
        return gemm->extent[SIM_M];
    return images_of(gemm) * (covered(w->rows_out, w->kernel_h, w->stride) - w->pad_rows) *
           (covered(w->cols_out, w->kernel_w, w->stride) - w->pad_cols);
}

/* The overlap along one side: `out` positions in tiles of `tile`. */
static double side_overlap(int64_t out, int64_t tile, int64_t kernel, int64_t stride, int64_t padded)
{
    int64_t again = (sim_ceil_div(out, tile) - 1) * covered_more(kernel, stride);
    int64_t once = covered(out, kernel, stride) - padded;

    return (double)(once + again) / (double)once;
}

double sim_window_overlap(const sim_gemm *gemm, int64_t t)
{
    const sim_window *w = &gemm->window;
    sim_window_tile side;

    if (!sim_is_conv(gemm))
        return 1;
    side = sim_window_sides(gemm, t);
    return side_overlap(w->rows_out, side.rows, w->kernel_h, w->stride, w->pad_rows) *
           side_overlap(w->cols_out, side.cols, w->kernel_w, w->stride, w->pad_cols);
}

int64_t sim_window_fold_sum(const sim_gemm *gemm, const sim_fold *fold, int64_t t)
{
    sim_window_cut cut;

    if (!sim_is_conv(gemm) || fold->kind == SIM_FOLD_FLAT || fold->kind == SIM_FOLD_WHOLE)
        return sim_fold_sum(fold, gemm->extent[SIM_M], t);
    sim_window_cut_of(gemm, t, &cut);
    return cut.units * ((cut.count - 1) * sim_fold_of(fold, cut.tile) + sim_fold_of(fold, cut.last));
}

int64_t sim_window_last(const sim_gemm *gemm, int64_t t)
{
    sim_window_cut cut;

    sim_window_cut_of(gemm, t, &cut);
    return cut.last;
}

bool sim_window_bounded(const sim_gemm *gemm, int64_t most)
{
    const sim_window *w = &gemm->window;
    int64_t taps, deep, rows, cols, inputs;

    if (!sim_is_conv(gemm))
        return true;
    return !__builtin_mul_overflow(w->kernel_h, w->kernel_w, &taps) &&
           !__builtin_mul_overflow(taps, gemm->extent[SIM_K], &deep) && deep <= most && w->rows_out <= most &&
           w->cols_out <= most &&
           !__builtin_mul_overflow(w->rows_out, covered_each(w->kernel_h, w->stride), &rows) &&
           !__builtin_add_overflow(rows, covered_more(w->kernel_h, w->stride), &rows) &&
           !__builtin_mul_overflow(w->cols_out, covered_each(w->kernel_w, w->stride), &cols) &&
           !__builtin_add_overflow(cols, covered_more(w->kernel_w, w->stride), &cols) &&
           !__builtin_mul_overflow(rows, cols, &inputs) &&
           !__builtin_mul_overflow(inputs, images_of(gemm), &inputs) && inputs <= most;
}

/* Of `out` windows with gaps between them, the rows that lie in front of the input, `padding` deep. */
static int64_t in_front(int64_t out, int64_t kernel, int64_t stride, int64_t padding)
{
    int64_t touched = padding > 0 ? least(out, sim_ceil_div(padding, stride)) : 0;

    if (touched == 0)
        return 0;
    return (touched - 1) * kernel + least(kernel, padding - (touched - 1) * stride);
}

void sim_window_span(int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t *all,
                     int64_t *padded)
{
    int64_t end = (out - 1) * stride + kernel - padding; /* of the last window, in the input */
    int64_t read;

    *all = covered(out, kernel, stride);
    if (kernel >= stride) /* one run of rows, from `padding` before the input */
        read = least(end, size);
    else /* rows behind the input are those in front of it, seen from the other end */
        read = *all - in_front(out, kernel, stride, padding) - in_front(out, kernel, stride, end - size);
    if (read < 1)
        read = 1;
    *padded = *all - read;
}
