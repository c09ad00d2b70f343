/* Tiles of a convolution's positions, by marking what each of them touches.
 *
 * The oracle of model/window.h: sets of input pixels, and no formula. A pixel is one position of the input
 * with all its channels; a cell is a pixel or one of the padding around the input. */
#ifndef TESTS_REFERENCE_CONV_TILES_H
#define TESTS_REFERENCE_CONV_TILES_H

#include "model/backend.h"
#include "reference/random.h"

typedef struct conv_tile {
    int64_t positions;     /* of the output */
    int64_t cells, pixels; /* of the input, each counted once, that these positions touch */
} conv_tile;

typedef struct conv_tiles {
    int64_t count;
    conv_tile *tile;       /* in raster order */
    int64_t cells, pixels; /* sums over the tiles */
} conv_tiles;

/* Positions along one side of the input. */
int64_t conv_tiles_out(int64_t size, int64_t kernel, const sim_conv2d *conv);

/* Whether tiles of t positions exist: part of a row, rows of an image, or images. */
bool conv_tiles_exist(const sim_conv2d *conv, int64_t t);
/* The positions of all images in such tiles. Release with conv_tiles_free. */
conv_tiles conv_tiles_cut(const sim_conv2d *conv, int64_t t);
void conv_tiles_free(conv_tiles *tiles);

/* Rows (or columns) that `out` neighbouring windows touch, padding included. */
int64_t conv_tiles_touched(int64_t out, int64_t kernel, int64_t stride);
/* Of these, those that lie within an input of `size` behind `padding`. */
int64_t conv_tiles_inside(int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t size);

/* A small convolution; with padding, of less than the kernel so that every window touches the input. */
sim_conv2d conv_tiles_random(bool padding, ref_random *random);

/* One group of the convolution as the model is given it, densely stored. */
sim_gemm conv_tiles_gemm(const sim_arch *arch, const sim_conv2d *conv, int w_bits, int a_bits, bool direct);

/* The largest existing tile of at most `most` positions. */
int64_t conv_tiles_at_most(const sim_conv2d *conv, int64_t most);

#endif
