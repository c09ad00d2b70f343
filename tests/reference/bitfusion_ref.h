/* An array of fusion units, brick by brick: every product is put together from 2-bit products.
 *
 * The oracle of the bitfusion back end. A unit of native width P holds (P/2)^2 bricks. A brick multiplies two
 * digits of 2 bits, each signed or not; a product of A x W bits takes (A/2) x (W/2) of them, so that narrow
 * operands leave bricks for further products of the same output. An operand wider than P is cut into slices
 * of P bits that take turns. Operand widths are those of digits: 1 bit rides as 2, 3 as 4, 5 to 7 as 8, 9 to
 * 15 as 16. A column of units adds up one output; all columns see the same inputs. Structure after H. Sharma
 * et al., "Bit Fusion", ISCA 2018. */
#ifndef TESTS_REFERENCE_BITFUSION_REF_H
#define TESTS_REFERENCE_BITFUSION_REF_H

#include "reference/int_gemm.h"

typedef struct bitfusion_array {
    int64_t rows, cols;
    int widest; /* native width P of a unit: 8 or 16 */
} bitfusion_array;

typedef int_gemm bitfusion_operands;

/* Adds a x w to out[m][n] and returns the cycles; ends the test program if a unit would need more bricks than
 * it has, or a digit does not fit its brick. */
int64_t bitfusion_run(const bitfusion_array *array, const bitfusion_operands *operands, int64_t *out);
/* The same as an int_gemm_model; `array` is a bitfusion_array. */
int64_t bitfusion_model(const void *array, const int_gemm *gemm, int64_t *out);

#endif
