#include "reference/operands.h"

int32_t operands_least(int bits, bool is_signed)
{
    return is_signed ? -(INT32_C(1) << (bits - 1)) : 0;
}

int32_t operands_most(int bits, bool is_signed)
{
    return (INT32_C(1) << (is_signed ? bits - 1 : bits)) - 1;
}

void operands_draw(int32_t *values, int64_t count, int bits, bool is_signed, ref_random *random)
{
    const int32_t least = operands_least(bits, is_signed);
    uint64_t pool = 0;
    for (int64_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            pool = ref_random_bits(random); /* four values of 16 bits */
        values[i] = least + (int32_t)(pool & ((UINT64_C(1) << bits) - 1));
        pool >>= 16;
    }
}
