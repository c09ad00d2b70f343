#include "quant/gemm_ref.h"

bool quant_gemm_int(int64_t m, int64_t n, int64_t k, const int32_t *a, const int32_t *w, int64_t *out)
{
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (int64_t l = 0; l < k; l++) {
                /* The product of two 32-bit integers always fits 64 bits; their sum need not. */
                const int64_t product = (int64_t)a[i * k + l] * w[l * n + j];
                if (product > 0 ? sum > INT64_MAX - product : sum < INT64_MIN - product)
                    return false;
                sum += product;
            }
            out[i * n + j] = sum;
        }
    }
    return true;
}

void quant_gemm_real(int64_t m, int64_t n, int64_t k, const double *a, const double *w, double *out)
{
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t l = 0; l < k; l++)
                sum += a[i * k + l] * w[l * n + j];
            out[i * n + j] = sum;
        }
    }
}
