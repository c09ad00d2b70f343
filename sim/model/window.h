/* Tiles of the positions of a convolution: what they hold, what they read, how many there are.
 *
 * The rows of a convolution's product are positions (image, row, column) in raster order. A tile of them is
 * part of a row, or whole rows of an image, or whole images, so that one number tells it: t < cols_out
 * positions of a row, t = rows * cols_out of an image, t = images * rows_out * cols_out. These sizes form a
 * chain: a larger one holds more, reads more, and leaves fewer tiles and less overlap. A plain product is the
 * case where every size is in the chain, a position reads itself and nothing overlaps. */
#ifndef SIM_MODEL_WINDOW_H
#define SIM_MODEL_WINDOW_H

#include "model/backend.h"

/* A side that tiles are cut along while smaller sides stay whole. Along it, a tile of s elements has s * unit
 * positions and reads s * inputs_each + inputs_more input positions, padding included. */
typedef struct sim_window_stage {
    int64_t extent; /* elements: columns of a row, rows of an image, images */
    int64_t unit;   /* positions of an element */
    int64_t outer;  /* such sides there are */
    int64_t inputs_each, inputs_more;
} sim_window_stage;

enum { SIM_WINDOW_STAGES = 3 };

/* The stages by rising unit; returns how many: 3, or 1 for a plain product, whose elements are positions. */
int sim_window_stages(const sim_gemm *gemm, sim_window_stage out[SIM_WINDOW_STAGES]);

/* Tiles of t positions (rounded down to the chain) along the positions: `units` times over, `count` tiles of
 * which the last may be ragged; positions and input positions (padding included) of a full and of the last
 * one. A `count` of 1 has only a last tile, equal to the full one. */
typedef struct sim_window_cut {
    int64_t units, count;
    int64_t tile, last, inputs, inputs_last;
} sim_window_cut;

void sim_window_cut_of(const sim_gemm *gemm, int64_t t, sim_window_cut *out);

/* A tile by its sides. Plain products: images = tile, rows = cols = 1. */
typedef struct sim_window_tile {
    int64_t images, rows, cols;
} sim_window_tile;

/* The largest tile of the chain with at most `positions` (>= 1) positions, by sides and as one number. */
sim_window_tile sim_window_sides(const sim_gemm *gemm, int64_t positions);
int64_t sim_window_floor(const sim_gemm *gemm, int64_t positions);

/* Tiles of size t (of the chain) that the positions are cut into, the ragged ones counted. */
int64_t sim_window_count(const sim_gemm *gemm, int64_t t);

/* Input positions that one full tile reads, padding included:
 *   images * covered(rows) * covered(cols), covered(x) = x * min(stride, kernel) + max(kernel - stride, 0) */
int64_t sim_window_inputs(const sim_gemm *gemm, int64_t t);

/* Input positions that are read at all: what a_stored_bits counts, without padding and skipped ones. */
int64_t sim_window_distinct(const sim_gemm *gemm);

/* How often an input position is read from DRAM, on average over the positions read, when the tiles are read
 * one by one: >= 1, and 1 for whole images. Along rows and columns alike, with c tiles of x output positions,
 *   (sum of covered() over the tiles - padding) / (covered(x) - padding)
 * which is what the tiles touch where there is no padding. Padding is taken off once: a pad row that several
 * tiles cover counts as read by all of them but one. That keeps the overlap a function of the number of tiles
 * alone, which the search relies on, and errs upwards, by less than the padding times the tiles at an edge.
 */
double sim_window_overlap(const sim_gemm *gemm, int64_t t);

/* The fold sum along M of tiles of size t, as sim_fold_sum() along other dimensions. */
int64_t sim_window_fold_sum(const sim_gemm *gemm, const sim_fold *fold, int64_t t);

/* Positions of the last tile. */
int64_t sim_window_last(const sim_gemm *gemm, int64_t t);

/* Whether input positions, kernel positions and weights of an output feature all stay up to `most` (at most
 * 2^62), so that products of two tile sizes can be checked without further care. */
bool sim_window_bounded(const sim_gemm *gemm, int64_t most);

/* Rows or columns of an input of `size` that positions cover (`all`, see covered()), and of these the
 * padding: `out` positions of a kernel at a stride, with `padding` before and after. The rest is at least 1.
 */
void sim_window_span(int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t *all,
                     int64_t *padded);

#endif
