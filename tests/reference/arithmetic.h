/* Arithmetic that references and tests share, none of it the model's. */
#ifndef TESTS_REFERENCE_ARITHMETIC_H
#define TESTS_REFERENCE_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

/* a / b, rounded up; a >= 0, b >= 1. */
static inline int64_t ref_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* Sums in doubles that were added up in another order than the model's differ by less than this share. */
static const double ref_slip = 1e-9;

static inline bool ref_at_most(double a, double b)
{
    return a <= b * (1 + ref_slip);
}

static inline bool ref_equal(double a, double b)
{
    return ref_at_most(a, b) && ref_at_most(b, a);
}

#endif
