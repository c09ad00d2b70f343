#include "reference/bitfusion_ref.h"

#include <stdio.h>
#include <stdlib.h>

/* How one operand is spread over bricks and turns. */
typedef struct layout {
    int bits;    /* width in whole digits: 2, 4, 8 or 16 */
    int slice;   /* bits handled in one turn: at most the unit's width */
    int turns;   /* slices */
    int abreast; /* operands of this width side by side in a unit */
    bool is_signed;
} layout;

static layout layout_of(const bitfusion_array *array, int bits, bool is_signed)
{
    layout l = {.bits = 2, .is_signed = is_signed};
    while (l.bits < bits)
        l.bits *= 2;
    l.slice = l.bits < array->widest ? l.bits : array->widest;
    l.turns = l.bits / l.slice;
    l.abreast = array->widest / l.slice;
    return l;
}

/* Digit `index` (counted over all slices) of a value: two bits, the topmost of a signed operand with its
 * sign. */
static int digit(const layout *l, int32_t value, int index)
{
    const int bits = (int)(((uint32_t)value >> (2 * index)) & 3u);
    const bool top = 2 * (index + 1) == l->bits;
    return l->is_signed && top && bits >= 2 ? bits - 4 : bits;
}

/* One brick: the product of two digits, in 3-bit signed arithmetic. */
static int brick(int x, int y)
{
    if (x < -2 || x > 3 || y < -2 || y > 3) {
        fputs("a digit does not fit its brick\n", stderr);
        exit(70);
    }
    return x * y;
}

/* The product of slice `a_turn` of `a` and slice `w_turn` of `w`, shifted to its place; counts bricks. */
static int64_t slice_product(const layout *la, int32_t a, int a_turn, const layout *lw, int32_t w, int w_turn,
                             int *bricks)
{
    int64_t sum = 0;
    for (int i = a_turn * la->slice / 2; i < (a_turn + 1) * la->slice / 2; i++) {
        const int x = digit(la, a, i);
        for (int j = w_turn * lw->slice / 2; j < (w_turn + 1) * lw->slice / 2; j++) {
            sum += (int64_t)brick(x, digit(lw, w, j)) * (INT64_C(1) << (2 * (i + j)));
            ++*bricks;
        }
    }
    return sum;
}

/* One cycle of one unit: as many slice products as fit, from number `first` of the k * turns there are. */
static int64_t unit_cycle(const bitfusion_array *array, const bitfusion_operands *operands, const layout *la,
                          const layout *lw, int64_t row, int64_t col, int64_t first)
{
    const int64_t turns = (int64_t)la->turns * lw->turns;
    int bricks = 0;
    int64_t sum = 0;
    for (int64_t i = first; i < first + (int64_t)la->abreast * lw->abreast; i++) {
        const int64_t k = i / turns;
        if (k >= operands->k)
            break;
        sum += slice_product(la, operands->a[row * operands->k + k], (int)(i % turns) / lw->turns, lw,
                             operands->w[k * operands->n + col], (int)(i % turns) % lw->turns, &bricks);
    }
    if (bricks > array->widest / 2 * (array->widest / 2)) {
        fputs("a unit has not that many bricks\n", stderr);
        exit(70);
    }
    return sum;
}

int64_t bitfusion_run(const bitfusion_array *array, const bitfusion_operands *operands, int64_t *out)
{
    const layout la = layout_of(array, operands->a_bits, operands->a_signed);
    const layout lw = layout_of(array, operands->w_bits, operands->w_signed);
    const int64_t slots = (int64_t)la.abreast * lw.abreast; /* slice products of a unit in a cycle */
    const int64_t all = operands->k * la.turns * lw.turns;  /* slice products of an output */
    int64_t cycles = 0;
    for (int64_t row = 0; row < operands->m; row++) {
        for (int64_t block = 0; block < operands->n; block += array->cols) {
            for (int64_t done = 0; done < all; done += array->rows * slots) {
                for (int64_t col = block; col < block + array->cols && col < operands->n; col++) {
                    for (int64_t unit = 0; unit < array->rows; unit++)
                        out[row * operands->n + col] +=
                            unit_cycle(array, operands, &la, &lw, row, col, done + unit * slots);
                }
                cycles++;
            }
        }
    }
    return cycles;
}

int64_t bitfusion_model(const void *array, const int_gemm *gemm, int64_t *out)
{
    return bitfusion_run(array, gemm, out);
}
