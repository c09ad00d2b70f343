#include "reference/conv_tiles.h"

#include "reference/pe_machine.h"

#include <stdlib.h>
#include <string.h>

int64_t conv_tiles_out(int64_t size, int64_t kernel, const sim_conv2d *conv)
{
    int64_t out = 0;
    for (int64_t at = -conv->padding; at + kernel <= size + conv->padding; at += conv->stride)
        out++;
    return out;
}

static int64_t rows_of(const sim_conv2d *c)
{
    return conv_tiles_out(c->h_in, c->kernel_h, c);
}

static int64_t cols_of(const sim_conv2d *c)
{
    return conv_tiles_out(c->w_in, c->kernel_w, c);
}

/* Rows and columns of a tile, images for the rest; 0 rows where there is no such tile. */
typedef struct sides {
    int64_t images, rows, cols;
} sides;

static sides sides_of(const sim_conv2d *c, int64_t t)
{
    const int64_t rows = rows_of(c), cols = cols_of(c);
    if (t >= 1 && t < cols)
        return (sides){1, 1, t};
    if (t <= rows * cols && t % cols == 0)
        return (sides){1, t / cols, cols};
    if (t <= c->images * rows * cols && t % (rows * cols) == 0)
        return (sides){t / (rows * cols), rows, cols};
    return (sides){0, 0, 0};
}

bool conv_tiles_exist(const sim_conv2d *conv, int64_t t)
{
    return sides_of(conv, t).rows > 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One tile: marks every cell that a window of it covers, image by image. */
static conv_tile mark(const sim_conv2d *c, int64_t images, int64_t row, int64_t rows, int64_t col,
                      int64_t cols, unsigned char *marks)
{
    const int64_t height = c->h_in + 2 * c->padding, width = c->w_in + 2 * c->padding;
    conv_tile tile = {images * rows * cols, 0, 0};
    memset(marks, 0, (size_t)(height * width));
    for (int64_t y = row * c->stride; y < (row + rows) * c->stride; y += c->stride) {
        for (int64_t x = col * c->stride; x < (col + cols) * c->stride; x += c->stride) {
            for (int64_t h = 0; h < c->kernel_h; h++)
                memset(&marks[(y + h) * width + x], 1, (size_t)c->kernel_w);
        }
    }
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            const bool inside =
                y >= c->padding && y < c->padding + c->h_in && x >= c->padding && x < c->padding + c->w_in;
            tile.cells += images * marks[y * width + x];
            tile.pixels += inside ? images * marks[y * width + x] : 0;
        }
    }
    return tile;
}

conv_tiles conv_tiles_cut(const sim_conv2d *c, int64_t t)
{
    const int64_t rows = rows_of(c), cols = cols_of(c);
    const sides side = sides_of(c, t);
    unsigned char *marks = pe_alloc((c->h_in + 2 * c->padding) * (c->w_in + 2 * c->padding), 1);
    conv_tiles all = {0, pe_alloc(c->images * rows * cols, sizeof *all.tile), 0, 0};
    if (side.rows == 0)
        abort(); /* no such tile */
    for (int64_t image = 0; image < c->images; image += side.images) {
        for (int64_t row = 0; row < rows; row += side.rows) {
            for (int64_t col = 0; col < cols; col += side.cols) {
                const conv_tile tile =
                    mark(c, smaller(side.images, c->images - image), row, smaller(side.rows, rows - row), col,
                         smaller(side.cols, cols - col), marks);
                all.tile[all.count++] = tile;
                all.cells += tile.cells;
                all.pixels += tile.pixels;
            }
        }
    }
    free(marks);
    return all;
}

void conv_tiles_free(conv_tiles *tiles)
{
    free(tiles->tile);
}

int64_t conv_tiles_inside(int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t size)
{
    int64_t count = 0;
    for (int64_t cell = 0; cell < (out - 1) * stride + kernel; cell++) {
        bool touched = false;
        for (int64_t window = 0; window < out; window++)
            touched = touched || (cell >= window * stride && cell < window * stride + kernel);
        count += touched && cell >= padding && cell < padding + size;
    }
    return count;
}

int64_t conv_tiles_touched(int64_t out, int64_t kernel, int64_t stride)
{
    return conv_tiles_inside(out, kernel, stride, 0, INT64_MAX);
}

sim_conv2d conv_tiles_random(bool padding, ref_random *random)
{
    sim_conv2d c = {.images = ref_random_int(random, 1, 3),
                    .kernel_h = ref_random_int(random, 1, 5),
                    .kernel_w = ref_random_int(random, 1, 5),
                    .stride = ref_random_int(random, 1, 4),
                    .groups = ref_random_one_in(random, 4) ? ref_random_int(random, 2, 4) : 1};
    const int64_t least = c.kernel_h < c.kernel_w ? c.kernel_h : c.kernel_w;
    c.padding = padding ? ref_random_int(random, 0, least - 1) : 0;
    c.h_in = c.kernel_h + ref_random_int(random, 0, 12) - smaller(c.padding, c.kernel_h - 1);
    c.w_in = c.kernel_w + ref_random_int(random, 0, 12) - smaller(c.padding, c.kernel_w - 1);
    c.c_in = c.groups * ref_random_int(random, 1, 10);
    c.c_out = c.groups * ref_random_int(random, 1, 10);
    return c;
}

sim_gemm conv_tiles_gemm(const sim_arch *arch, const sim_conv2d *c, int w_bits, int a_bits, bool direct)
{
    const int64_t rows = rows_of(c), cols = cols_of(c);
    conv_tiles whole = conv_tiles_cut(c, c->images * rows * cols);
    sim_gemm gemm = {.extent = {c->images * rows * cols, c->c_out / c->groups, c->c_in / c->groups},
                     .batch = c->groups,
                     .w_bits = w_bits,
                     .a_bits = a_bits,
                     .out_bits = (int)arch->output_bits,
                     .acc_bits = (int)arch->array_acc_bits};
    gemm.window = (sim_window){.rows_out = rows,
                               .cols_out = cols,
                               .kernel_h = c->kernel_h,
                               .kernel_w = c->kernel_w,
                               .stride = c->stride,
                               .direct = direct};
    gemm.window.pad_rows = conv_tiles_touched(rows, c->kernel_h, c->stride) -
                           conv_tiles_inside(rows, c->kernel_h, c->stride, c->padding, c->h_in);
    gemm.window.pad_cols = conv_tiles_touched(cols, c->kernel_w, c->stride) -
                           conv_tiles_inside(cols, c->kernel_w, c->stride, c->padding, c->w_in);
    gemm.w_stored_bits = c->kernel_h * c->kernel_w * gemm.extent[SIM_K] * gemm.extent[SIM_N] * w_bits;
    gemm.a_stored_bits = whole.pixels * gemm.extent[SIM_K] * a_bits;
    gemm.out_stored_bits = gemm.extent[SIM_M] * gemm.extent[SIM_N] * gemm.out_bits;
    conv_tiles_free(&whole);
    return gemm;
}

int64_t conv_tiles_at_most(const sim_conv2d *conv, int64_t most)
{
    while (!conv_tiles_exist(conv, most))
        most--;
    return most;
}
