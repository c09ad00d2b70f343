/* Where everything is: pure index arithmetic for host and device, tested on the CPU.
 *
 * OPERANDS. Tensor-core instructions multiply 16 rows of their first operand by 8 columns of their second.
 * The first is 16 output features, whose weights are packed beforehand in the order of its registers; the
 * second is 8 tokens, whose activations stay as they come, row by row. A lane is (g, t) = (lane / 4, lane %
 * 4): feature g or g + 8, token g, and part t of k; its four sums are features g (0, 1) and g + 8 (2, 3) of
 * tokens 2 t and 2 t + 1.
 *
 * K IN STEPS OF 64 BYTES. All matrix kernels go through k in steps of 64 bytes of a row: 64 int8 or 32 fp16
 * values, two instructions. Those give each lane of a quad small pieces of k that lie apart; but a sum over k
 * may be taken in any order, as long as both operands use the same one. So lane (g, t) takes the 16
 * contiguous bytes t of its row with one load, and word w of them goes to instruction s = w / 2, register r =
 * w % 2 of the lane's halves of k: what the instruction believes to be columns 4t... (int8) or 2t... (fp16)
 * of half r is really bytes 16 t + 4 (2 s + r) of the step. In shared memory a tile of activations is rows of
 * 64 bytes, of which 8 lanes read 128 contiguous bytes: no bank conflicts, no swizzle, no ldmatrix, and
 * registers come in the order in which they are needed.
 *
 * PACKED WEIGHTS: blocks of 32 features x one step of k, a block's steps one after another.
 *
 * int8, 2048 bytes: [16 features h][instruction s][lane][4 words], word 2 r + e for feature 16 h + 8 e + g,
 * its byte i for k = 16 t + 4 (2 s + r) + i. k is padded with zeros to whole steps.
 *
 * int4, 512 bytes: [lane][4 words], word j for feature 8 j + g, its nibble p + 4 i for k = 8 t + 2 p + i: the
 * pair (p, p + 4) becomes the two halves of one register with a mask alone. k is padded to groups of 128.
 *
 * SCALES of int4 groups: one word per (group, feature), the fp16 scale in its lower and the fp16 zero point
 * in its upper half; within 32 features, feature 8 j + g is at 4 g + j, so that a lane reads its four with
 * one load. */
#ifndef SIMACC_LAYOUT_H
#define SIMACC_LAYOUT_H

#include "numbers.h"

namespace simacc
{

enum {
    STEP_BYTES = 64,       /* of k, of each row */
    PIECE_BYTES = 16,      /* what one lane loads at a time */
    BLOCK_COLUMNS = 32,    /* output features of a packed block */
    W8_BLOCK_BYTES = 2048, /* 32 features x 64 of k */
    W4_BLOCK_BYTES = 512,  /* 32 features x 32 of k */
    W4_GROUP = 128,        /* of k, per scale and zero point */
    W4_STEPS_PER_GROUP = 4,
};

SIMACC_BOTH int64_t ceil_div(int64_t x, int64_t y)
{
    return (x + y - 1) / y;
}

SIMACC_BOTH int64_t round_up(int64_t x, int64_t y)
{
    return ceil_div(x, y) * y;
}

SIMACC_BOTH int64_t column_blocks(int64_t n)
{
    return ceil_div(n, BLOCK_COLUMNS);
}

/* ---- packed int8 ------------------------------------------------------------------------------------ */

SIMACC_BOTH int64_t w8_steps(int64_t k)
{
    return ceil_div(k, STEP_BYTES);
}

SIMACC_BOTH int64_t w8_bytes(int64_t n, int64_t k)
{
    return column_blocks(n) * w8_steps(k) * W8_BLOCK_BYTES;
}

/* The byte of a weight. */
SIMACC_BOTH int64_t w8_place_of(int64_t n, int64_t k, int64_t steps)
{
    int64_t block = n / BLOCK_COLUMNS, step = k / STEP_BYTES;
    int column = (int)(n % BLOCK_COLUMNS), inner = (int)(k % STEP_BYTES);
    int h = column / 16, e = column % 16 / 8, g = column % 8, t = inner / 16, s = inner % 16 / 8,
        r = inner % 8 / 4;

    return (block * steps + step) * W8_BLOCK_BYTES + ((2 * h + s) * 32 + 4 * g + t) * 16 + (2 * r + e) * 4 +
           inner % 4;
}

/* The inverse, for packing. */
SIMACC_BOTH void w8_weight_of(int64_t place, int64_t steps, int64_t *n, int64_t *k)
{
    int64_t tile = place / W8_BLOCK_BYTES;
    int inner = (int)(place % W8_BLOCK_BYTES), i = inner % 4, word = inner / 4 % 4, lane = inner / 16 % 32;
    int s = inner / 512 % 2, h = inner / 1024;

    *n = tile / steps * BLOCK_COLUMNS + 16 * h + 8 * (word % 2) + lane / 4;
    *k = tile % steps * STEP_BYTES + 16 * (lane % 4) + 4 * (2 * s + word / 2) + i;
}

/* ---- packed int4 ------------------------------------------------------------------------------------ */

struct w4_place {
    int64_t word; /* of 32 bits, from the start of the packed weights */
    int shift;    /* of the nibble in it */
};

SIMACC_BOTH int64_t w4_groups(int64_t k)
{
    return ceil_div(k, W4_GROUP);
}

SIMACC_BOTH int64_t w4_bytes(int64_t n, int64_t k)
{
    return column_blocks(n) * w4_groups(k) * W4_STEPS_PER_GROUP * W4_BLOCK_BYTES;
}

SIMACC_BOTH int64_t w4_scale_words(int64_t n, int64_t k)
{
    return w4_groups(k) * column_blocks(n) * BLOCK_COLUMNS;
}

SIMACC_BOTH w4_place w4_place_of(int64_t n, int64_t k, int64_t groups)
{
    int64_t block = n / BLOCK_COLUMNS, step = k / 32;
    int column = (int)(n % BLOCK_COLUMNS), inner = (int)(k % 32);
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

    *n = tile / steps * BLOCK_COLUMNS + 8 * j + lane / 4;
    *k = tile % steps * 32 + 8 * (lane % 4) + 2 * (nibble % 4) + nibble / 4;
}

SIMACC_BOTH int64_t w4_scale_place(int64_t n, int64_t group, int64_t blocks)
{
    int column = (int)(n % BLOCK_COLUMNS);

    return (group * blocks + n / BLOCK_COLUMNS) * BLOCK_COLUMNS + 4 * (column % 8) + column / 8;
}

/* The inverse. */
SIMACC_BOTH void w4_scale_of(int64_t place, int64_t blocks, int64_t *n, int64_t *group)
{
    int inner = (int)(place % BLOCK_COLUMNS);

    *group = place / BLOCK_COLUMNS / blocks;
    *n = place / BLOCK_COLUMNS % blocks * BLOCK_COLUMNS + 8 * (inner % 4) + inner / 4;
}

/* ---- work among blocks ------------------------------------------------------------------------------ */

/* Which tile of outputs a block takes: columns of tiles in bands of 8 rows of tiles, so that the blocks which
 * run at a time share operands in L2. A bijection of [0, m_tiles * n_tiles). */
SIMACC_BOTH void tile_of_block(int block, int m_tiles, int n_tiles, int *tile_m, int *tile_n)
{
    int band = 8 * n_tiles, first = block / band * 8;
    int rows = m_tiles - first < 8 ? m_tiles - first : 8;
    int inner = block % band;

    *tile_m = first + inner % rows;
    *tile_n = inner / rows;
}

/* Steps of k that part `index` of `parts` takes: whole units, as even as they come; [*begin, *end) may be
 * empty. */
SIMACC_BOTH void split_steps(int steps, int unit, int parts, int index, int *begin, int *end)
{
    int units = (steps + unit - 1) / unit;
    int64_t first = (int64_t)units * index / parts, last = (int64_t)units * (index + 1) / parts;

    *begin = (int)first * unit;
    *end = (int)last * unit < steps ? (int)last * unit : steps;
}

} // namespace simacc

#endif
