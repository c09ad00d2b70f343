/* Reference GEMMs: slow, plain, exact. What every other implementation is compared with.
 *
 * out[m][n] = sum over k of a[m][k] * w[k][n], all row-major. */
#ifndef QUANT_GEMM_REF_H
#define QUANT_GEMM_REF_H

#include <stdbool.h>
#include <stdint.h>

/* Integers with 64-bit accumulation; false on overflow (never for operands of up to 16 bits and k < 2^31). */
bool quant_gemm_int(int64_t m, int64_t n, int64_t k, const int32_t *a, const int32_t *w, int64_t *out);

/* Doubles, summed in the order of k. */
void quant_gemm_real(int64_t m, int64_t n, int64_t k, const double *a, const double *w, double *out);

#endif
