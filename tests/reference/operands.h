/* Integer operands of a given width. */
#ifndef TESTS_REFERENCE_OPERANDS_H
#define TESTS_REFERENCE_OPERANDS_H

#include "reference/random.h"

#include <stdbool.h>
#include <stdint.h>

int32_t operands_least(int bits, bool is_signed);
int32_t operands_most(int bits, bool is_signed);
/* `count` values, uniform over all that 1..16 bits can hold, zero included. */
void operands_draw(int32_t *values, int64_t count, int bits, bool is_signed, ref_random *random);

#endif
