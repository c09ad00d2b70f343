/* Number formats by their bits, for host and device alike: what operands are made of and what references
 * read. Plain C++ without intrinsics, so that a CPU test sees the very code that the GPU runs; the kernels
 * that are timed convert with the machine's instructions instead.
 *
 * fp16: IEEE 754 binary16. bf16: the upper half of binary32. e4m3: OCP 8-bit floating point, 4 exponent and 3
 * mantissa bits, bias 7, no infinities, NaN 0x7f. Conversions to a format round to nearest, ties to
 * even. */
#ifndef SIMACC_NUMBERS_H
#define SIMACC_NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define SIMACC_BOTH __host__ __device__ __forceinline__
#else
#define SIMACC_BOTH inline
#endif

namespace simacc
{

enum number_type { NUMBER_FP16, NUMBER_BF16, NUMBER_FP32, NUMBER_E4M3, NUMBER_INT8, NUMBER_INT32 };

SIMACC_BOTH int number_bytes(number_type type)
{
    return type == NUMBER_FP32 || type == NUMBER_INT32  ? 4
           : type == NUMBER_E4M3 || type == NUMBER_INT8 ? 1
                                                        : 2;
}

/* 2^exponent; exact for -1022 <= exponent <= 1023. */
SIMACC_BOTH double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The magnitude of a finite number by its fields: `mantissa` bits of fraction; exponent 0: subnormal. */
SIMACC_BOTH double from_small(uint32_t exponent, uint32_t fraction, int mantissa, int bias)
{
    if (exponent == 0)
        return fraction * power_of_two(1 - bias - mantissa);
    return ((1u << mantissa) + fraction) * power_of_two((int)exponent - bias - mantissa);
}

/* Magnitude bits of the nearest value (ties to even), or `overflow` above the largest finite one. Adding and
 * taking away 1.5 * 2^52 units in the last place rounds to the nearest multiple of one. */
SIMACC_BOTH uint32_t to_small(double magnitude, int mantissa, int bias, double most, uint32_t overflow)
{
    uint64_t bits;
    int exponent, least = 1 - bias;
    double unit, shift, rounded;

    if (magnitude >= 2 * most)
        return overflow;
    memcpy(&bits, &magnitude, sizeof bits);
    exponent = (int)(bits >> 52) - 1023;
    if (exponent < least)
        exponent = least;
    unit = power_of_two(exponent - mantissa);
    shift = 6755399441055744.0 * unit;
    rounded = (magnitude + shift) - shift;
    if (rounded > most)
        return overflow;
    /* A carry into the next binade is the same sum. */
    return (uint32_t)((uint32_t)(exponent - least) << mantissa) + (uint32_t)(rounded / unit);
}

SIMACC_BOTH double fp16_value(uint16_t bits)
{
    uint32_t exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double magnitude = exponent == 31 ? (fraction ? NAN : INFINITY) : from_small(exponent, fraction, 10, 15);

    return bits & 0x8000 ? -magnitude : magnitude;
}

SIMACC_BOTH uint16_t fp16_bits(double value)
{
    double magnitude = fabs(value);

    if (value != value)
        return 0x7e00;
    return (uint16_t)((signbit(value) ? 0x8000u : 0u) | to_small(magnitude, 10, 15, 65504, 0x7c00));
}

SIMACC_BOTH double bf16_value(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;

    memcpy(&value, &wide, sizeof value);
    return value;
}

SIMACC_BOTH uint16_t bf16_bits(double value)
{
    if (value != value)
        return 0x7fc0;
    return (uint16_t)((signbit(value) ? 0x8000u : 0u) |
                      to_small(fabs(value), 7, 127, 255 * power_of_two(120), 0x7f80));
}

SIMACC_BOTH double e4m3_value(uint8_t bits)
{
    double magnitude = (bits & 127) == 127 ? NAN : from_small((bits >> 3) & 15, bits & 7, 3, 7);

    return bits & 128 ? -magnitude : magnitude;
}

/* Saturates at 448. */
SIMACC_BOTH uint8_t e4m3_bits(double value)
{
    if (value != value)
        return 0x7f;
    return (uint8_t)((signbit(value) ? 0x80u : 0u) | to_small(fabs(value), 3, 7, 448, 0x7e));
}

SIMACC_BOTH double number_at(const void *base, number_type type, int64_t index)
{
    const unsigned char *at = (const unsigned char *)base + index * number_bytes(type);

    switch (type) {
    case NUMBER_FP16:
        return fp16_value(*(const uint16_t *)at);
    case NUMBER_BF16:
        return bf16_value(*(const uint16_t *)at);
    case NUMBER_FP32:
        return *(const float *)at;
    case NUMBER_E4M3:
        return e4m3_value(*at);
    case NUMBER_INT8:
        return *(const int8_t *)at;
    default:
        return *(const int32_t *)at;
    }
}

SIMACC_BOTH void number_put(void *base, number_type type, int64_t index, double value)
{
    unsigned char *at = (unsigned char *)base + index * number_bytes(type);

    switch (type) {
    case NUMBER_FP16:
        *(uint16_t *)at = fp16_bits(value);
        break;
    case NUMBER_BF16:
        *(uint16_t *)at = bf16_bits(value);
        break;
    case NUMBER_FP32:
        *(float *)at = (float)value;
        break;
    case NUMBER_E4M3:
        *at = e4m3_bits(value);
        break;
    case NUMBER_INT8:
        *(int8_t *)at = (int8_t)value;
        break;
    default:
        *(int32_t *)at = (int32_t)value;
        break;
    }
}

/* Unit roundoff: |round(x) - x| <= u |x| for normal x. */
SIMACC_BOTH double number_roundoff(number_type type)
{
    switch (type) {
    case NUMBER_FP16:
        return power_of_two(-11);
    case NUMBER_BF16:
        return power_of_two(-8);
    case NUMBER_FP32:
        return power_of_two(-24);
    case NUMBER_E4M3:
        return power_of_two(-4);
    default:
        return 0;
    }
}

/* Half of the smallest positive value: what rounding adds to the error near zero. */
SIMACC_BOTH double number_underflow(number_type type)
{
    switch (type) {
    case NUMBER_FP16:
        return power_of_two(-25);
    case NUMBER_BF16:
        return power_of_two(-134);
    case NUMBER_FP32:
        return power_of_two(-150);
    case NUMBER_E4M3:
        return power_of_two(-10);
    default:
        return 0;
    }
}

} // namespace simacc

#endif
