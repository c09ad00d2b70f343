/* A GEMM of integer operands, for models that compute with their bits. */
#ifndef TESTS_REFERENCE_INT_GEMM_H
#define TESTS_REFERENCE_INT_GEMM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct int_gemm {
    int64_t m, n, k;
    const int32_t *a, *w; /* row-major, m x k and k x n; each value fits its bits */
    int a_bits, w_bits;   /* 1..16 */
    bool a_signed, w_signed;
} int_gemm;

/* Runs `gemm` on `array` (of the model's own type), adds to out[m][n] and returns the cycles. */
typedef int64_t int_gemm_model(const void *array, const int_gemm *gemm, int64_t *out);

#endif
