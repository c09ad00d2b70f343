/* Where everything is: pure index arithmetic for host and device, tested on the CPU.
 *
 * K IN STEPS OF 64 BYTES. All matrix kernels go through k in steps of 64 bytes: 64 int8 or 32 fp16 values of
 * a row. Tensor-core instructions give each lane of a quad small pieces of k that lie apart; but a product's
 * sum over k may be taken in any order, as long as both operands use the same one. So lane (g, t) = (lane / 4,
 * lane % 4) takes the 16 contiguous bytes t of row g, with one 16-byte load, and word w of them goes to
 *
 *   instruction s = w / 2 of the step's two, register r = w % 2 of the lane's k halves.
 *
 * In terms of k: what the instruction believes to be columns 4t..4t+3 (int8) or 2t..2t+1 (fp16) of its half r
 * is really bytes 16 t + 4 (2 s + r) of the step. No ldmatrix and no swizzle are needed: in shared memory a tile
 * is rows of 64 bytes, and the 8 lanes of a quarter warp read 128 contiguous bytes, free of bank conflicts.
 *
 * INT4 WEIGHTS are packed for this order: 32 columns x one step (32 of k) are 512 bytes, 16 per lane, word j of
 * a lane for columns 8 j + g, so that a warp reads what it multiplies with one load. Within a word, nibble p + 4 i
 * holds k = 8 t + 2 p + i: the pair (p, p + 4) becomes the two halves of one register with a mask alone.
 * Blocks of 32 columns are outermost, steps of k within; k is padded to groups of 128, n to 32.
 *
 * SCALES of int4 groups: one word per (group, column), the fp16 scale in its lower and the fp16 zero point in
 * its upper half; within 32 columns, column 8 j + g is at 4 g + j, so that a lane reads its four with one load. */
#ifndef SIMACC_LAYOUT_H
#define SIMACC_LAYOUT_H

#include "numbers.h"

namespace simacc
{

enum {
    STEP_BYTES = 64,          /* of k, of each row */
    PIECE_BYTES = 16,         /* what one lane loads at a time */
    W4_GROUP = 128,           /* of k, per scale and zero point */
    W4_STEPS_PER_GROUP = 4,   /* a step is 32 of k */
    W4_COLUMNS = 32,          /* of a packed block */
    W4_BLOCK_BYTES = 512,     /* 32 columns x 32 of k */
};

SIMACC_BOTH int64_t ceil_div(int64_t x, int64_t y)
{
    return (x + y - 1) / y;
}

SIMACC_BOTH int64_t round_up(int64_t x, int64_t y)
{
    return ceil_div(x, y) * y;
}

/* ---- packed int4 ------------------------------------------------------------------------------------------ */

struct w4_place {
    int64_t word; /* of 32 bits, from the start of the packed weights */
    int shift;    /* of the nibble in it */
};

SIMACC_BOTH int64_t w4_groups(int64_t k)
{
    return ceil_div(k, W4_GROUP);
}

SIMACC_BOTH int64_t w4_blocks(int64_t n)
{
    return ceil_div(n, W4_COLUMNS);
}

SIMACC_BOTH int64_t w4_bytes(int64_t n, int64_t k)
{
    return w4_blocks(n) * w4_groups(k) * W4_STEPS_PER_GROUP * W4_BLOCK_BYTES;
}

SIMACC_BOTH int64_t w4_scale_words(int64_t n, int64_t k)
{
    return w4_groups(k) * w4_blocks(n) * W4_COLUMNS;
}

SIMACC_BOTH w4_place w4_place_of(int64_t n, int64_t k, int64_t groups)
{
    int64_t block = n / W4_COLUMNS, step = k / 32;
    int column = (int)(n % W4_COLUMNS), inner = (int)(k % 32);
    int j = column / 8, g = column % 8, t = inner / 8, p = inner % 8 / 2, i = inner % 2;
    w4_place place;

    place.word = (block * groups * W4_STEPS_PER_GROUP + step) * (W4_BLOCK_BYTES / 4) + (4 * g + t) * 4 + j;
    place.shift = 4 * (p + 4 * i);
    return place;
}

/* The inverse, for packing: which weight nibble `nibble` of `word` is. */
SIMACC_BOTH void w4_weight_of(int64_t word, int nibble, int64_t groups, int64_t *n, int64_t *k)
{
    int64_t tile = word / (W4_BLOCK_BYTES / 4), steps = groups * W4_STEPS_PER_GROUP;
    int inner = (int)(word % (W4_BLOCK_BYTES / 4)), lane = inner / 4, j = inner % 4;

    *n = tile / steps * W4_COLUMNS + 8 * j + lane / 4;
    *k = tile % steps * 32 + 8 * (lane % 4) + 2 * (nibble % 4) + nibble / 4;
}

SIMACC_BOTH int64_t w4_scale_place(int64_t n, int64_t group, int64_t blocks)
{
    int column = (int)(n % W4_COLUMNS);

    return (group * blocks + n / W4_COLUMNS) * W4_COLUMNS + 4 * (column % 8) + column / 8;
}

/* The inverse. */
SIMACC_BOTH void w4_scale_of(int64_t place, int64_t blocks, int64_t *n, int64_t *group)
{
    int inner = (int)(place % W4_COLUMNS);

    *group = place / W4_COLUMNS / blocks;
    *n = place / W4_COLUMNS % blocks * W4_COLUMNS + 8 * (inner % 4) + inner / 4;
}

/* ---- work among blocks -------------------------------------------------------------------------------------- */

/* Which tile of outputs a block takes: columns of tiles in bands of 8 rows of tiles, so that the blocks which run
 * at a time share operands in L2. A bijection of [0, m_tiles * n_tiles). */
SIMACC_BOTH void tile_of_block(int block, int m_tiles, int n_tiles, int *tile_m, int *tile_n)
{
    int band = 8 * n_tiles, first = block / band * 8;
    int rows = m_tiles - first < 8 ? m_tiles - first : 8;
    int inner = block % band;

    *tile_m = first + inner % rows;
    *tile_n = inner / rows;
}

/* Steps of k that part `index` of `parts` takes: whole units, as even as they come; [*begin, *end) may be empty. */
SIMACC_BOTH void split_steps(int steps, int unit, int parts, int index, int *begin, int *end)
{
    int units = (steps + unit - 1) / unit;
    int64_t first = (int64_t)units * index / parts, last = (int64_t)units * (index + 1) / parts;

    *begin = (int)first * unit;
    *end = (int)last * unit < steps ? (int)last * unit : steps;
}

} // namespace simacc

#endif
