/* Operands, made from a seed: every value is a function of (seed, row, column), so that references need no
 * copy of packed weights, and packing itself is checked with the kernel that reads it.
 *
 * OPERANDS_EXACT: small integers, and scales that are powers of two: every partial sum is an integer (times
 * one power of two) below 2^24, exact in fp32 and in the shorter sums of FP8 tensor cores in any order, so
 * that a kernel's output must be the correctly rounded result. OPERANDS_RANDOM: about normal, as activations
 * and weights are: what is timed. */
#ifndef SIMACC_OPERANDS_H
#define SIMACC_OPERANDS_H

#include "layout.h"

namespace simacc
{

enum operand_kind { OPERANDS_EXACT, OPERANDS_RANDOM };

/* The finalizer of MurmurHash3 (Appleby, public domain), over a mix of the coordinates. */
SIMACC_BOTH uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

SIMACC_BOTH uint32_t operand_hash(uint32_t seed, int64_t row, int64_t column)
{
    return mix(mix(seed * 0x9e3779b9u + (uint32_t)row) ^ (uint32_t)column * 0x85ebca77u);
}

/* Of a format in floating point. Exact: -range ... range. Random: the sum of four bytes, variance about 1. */
SIMACC_BOTH double operand_real(operand_kind kind, int range, uint32_t seed, int64_t row, int64_t column)
{
    uint32_t h = operand_hash(seed, row, column);

    if (kind == OPERANDS_EXACT)
        return (int)(h % (uint32_t)(2 * range + 1)) - range;
    return ((int)(h & 255) + (int)(h >> 8 & 255) + (int)(h >> 16 & 255) + (int)(h >> 24) - 510) / 147.8;
}

/* -127 ... 127 */
SIMACC_BOTH int operand_int8(uint32_t seed, int64_t row, int64_t column)
{
    return (int)(operand_hash(seed, row, column) % 255u) - 127;
}

/* Scales of int8 rows and columns. */
SIMACC_BOTH float operand_scale(uint32_t seed, int64_t index)
{
    return (float)(power_of_two(-9) * (1 + (operand_hash(seed, index, 77) & 0xffffu) * power_of_two(-16)));
}

/* ---- int4 weights with scale and zero point per group ----------------------------------------------- */

SIMACC_BOTH int w4_code(uint32_t seed, int64_t n, int64_t k)
{
    return (int)(operand_hash(seed, n, k) >> 13 & 15u);
}

SIMACC_BOTH int w4_zero(uint32_t seed, int64_t n, int64_t group)
{
    return (int)(operand_hash(seed ^ 0x5a5a5a5au, n, group) & 15u);
}

SIMACC_BOTH uint16_t w4_scale_bits(operand_kind kind, uint32_t seed, int64_t n, int64_t group)
{
    uint32_t h = operand_hash(seed ^ 0x3c3c3c3cu, n, group);

    if (kind == OPERANDS_EXACT)
        return fp16_bits(power_of_two(-(int)(h % 3)));
    return fp16_bits(power_of_two(-7) * (1 + (h & 1023u) * power_of_two(-10)));
}

/* The weight that a kernel multiplies with: rounded to fp16 once. */
SIMACC_BOTH double w4_value(operand_kind kind, uint32_t seed, int64_t n, int64_t k)
{
    int64_t group = k / W4_GROUP;
    double scale = fp16_value(w4_scale_bits(kind, seed, n, group));

    return fp16_value(fp16_bits((w4_code(seed, n, k) - w4_zero(seed, n, group)) * scale));
}

/* ---- filling, one element or word at a time --------------------------------------------------------- */

struct fill_args {
    void *to;
    number_type type;
    operand_kind kind;
    int range; /* of exact numbers in floating point */
    uint32_t seed;
    int64_t rows, columns, stride; /* the padding from `columns` to `stride` is zero */
};

SIMACC_BOTH void fill_one(const fill_args &g, int64_t index)
{
    int64_t row = index / g.stride, column = index % g.stride;

    if (row >= g.rows)
        return;
    number_put(g.to, g.type, index,
               column >= g.columns     ? 0
               : g.type == NUMBER_INT8 ? operand_int8(g.seed, row, column)
                                       : operand_real(g.kind, g.range, g.seed, row, column));
}

struct w8_fill_args {
    uint32_t *words;
    uint32_t seed;
    int64_t n, k;
};

/* Four int8 weights of the packed order; zeros where they only pad. */
SIMACC_BOTH void w8_fill_word(const w8_fill_args &g, int64_t word)
{
    int64_t n, k;
    uint32_t bits = 0;

    for (int i = 0; i < 4; i++) {
        w8_weight_of(4 * word + i, w8_steps(g.k), &n, &k);
        if (n < g.n && k < g.k)
            bits |= ((uint32_t)operand_int8(g.seed, n, k) & 255u) << 8 * i;
    }
    g.words[word] = bits;
}

struct w4_fill_args {
    uint32_t *words, *scales;
    operand_kind kind;
    uint32_t seed;
    int64_t n, k;
};

/* Weights that only pad n or k have the code of their zero point: they are 0 whatever the scale. */
SIMACC_BOTH void w4_fill_word(const w4_fill_args &g, int64_t word)
{
    int64_t groups = w4_groups(g.k), n, k;
    uint32_t bits = 0;

    for (int nibble = 0; nibble < 8; nibble++) {
        w4_weight_of(word, nibble, groups, &n, &k);
        bits |= (uint32_t)(n < g.n && k < g.k ? w4_code(g.seed, n, k) : w4_zero(g.seed, n, k / W4_GROUP))
                << 4 * nibble;
    }
    g.words[word] = bits;
}

SIMACC_BOTH void w4_fill_scale(const w4_fill_args &g, int64_t place)
{
    int64_t n, group;

    w4_scale_of(place, column_blocks(g.n), &n, &group);
    g.scales[place] = w4_scale_bits(g.kind, g.seed, n, group) | (uint32_t)fp16_bits(w4_zero(g.seed, n, group))
                                                                    << 16;
}

} // namespace simacc

#endif
