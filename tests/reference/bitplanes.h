/* A grid of bit-serial dot-product units, bit by bit: every product is put together from single bits, planes
 * of bits or Booth digits.
 *
 * The oracle of the bitserial back end. Unit (r, c) of rows x cols adds up output (m, n) = (r, c) of a block
 * over `depth` lanes, one element of k in each; a block takes one cycle for every pair of a step of w and a
 * step of a. A value of b bits in two's complement is -2^(b-1) bit_(b-1) + sum of 2^i bit_i, so that the top
 * plane of a signed operand is subtracted. Three kinds of lane:
 *
 *   AND    both operands serial: a plane of w AND a plane of a, counted over the lanes, shifted and added or
 *          subtracted; with larger steps several planes of each at once (Y. Umuroglu et al., "BISMO", FPL
 *          2018; precision groups as in S. Sharify et al., "Loom", DAC 2018)
 *   GATED  one operand whole, added up wherever the bits of the other are set (activation-serial: P. Judd et
 *          al., "Stripes", MICRO 2016)
 *   BOOTH  activations whole, weights as radix-4 Booth digits of -2 to 2 (Y. Chen et al., "BitMoD", HPCA
 *          2025). ceil(b/2) digits hold a signed weight of b bits. Booth digits are signed by nature: an
 *          unsigned weight is a signed one of b + 1 bits, which is one digit more where b is even. */
#ifndef TESTS_REFERENCE_BITPLANES_H
#define TESTS_REFERENCE_BITPLANES_H

#include "reference/int_gemm.h"

typedef enum bitplanes_lane { BITPLANES_AND, BITPLANES_GATED, BITPLANES_BOOTH } bitplanes_lane;

enum { BITPLANES_WHOLE = 16 }; /* a step that takes an operand of any width in one cycle */

typedef struct bitplanes_array {
    int64_t rows, cols, depth;
    bitplanes_lane lane;
    int w_step, a_step; /* bits that a lane takes of an operand per cycle. GATED: one of them at least as wide
                           as its operand. BOOTH: 2 and BITPLANES_WHOLE */
} bitplanes_array;

/* Adds a x w to out[m][n] and returns the cycles; ends the test program when the lanes cannot do such steps.
 * As an int_gemm_model, `array` is a bitplanes_array. */
int64_t bitplanes_run(const bitplanes_array *array, const int_gemm *gemm, int64_t *out);
int64_t bitplanes_model(const void *array, const int_gemm *gemm, int64_t *out);

/* Booth digit `index` of the low `bits` bits of `value`: -2 to 2. */
int bitplanes_booth_digit(int32_t value, int bits, bool is_signed, int index);
/* Digits that such a weight takes. */
int bitplanes_booth_digits(int bits, bool is_signed);

#endif
